//! `watch`: tables, snapshots, the page and the screen, against all kinds of servers.

mod page;
mod records;
mod screen;

use serde_json::Value;

use crate::support::broker::broker;
use crate::support::coap::server;
use crate::support::command::{Ended, Line, Running, iotctl, program, signal};
use crate::support::mosquitto::mosquitto;
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::schema::{check, schema};
use crate::support::wait_for;

/// `iotctl watch` at a broker on this port.
fn watch(port: u16, words: &[&str]) -> Line {
    let line = iotctl(&format!("watch mqtt://127.0.0.1:{port}"));
    words.iter().fold(line, |line, word| line.word(word))
}

const FLEET: [&str; 6] = [
    "--device",
    "devices/{id}/status",
    "--value",
    "sensors/{id}/{metric}=/value",
    "--alerts",
    "alerts/#",
];

fn fleet(port: u16, words: &[&str]) -> Line {
    watch(port, &[&FLEET[..], words].concat())
}

/// What one table says of the devices.
fn once(port: u16, words: &[&str]) -> Ended {
    fleet(port, &[&["--once"], words].concat()).run()
}

/// The rows of devices, without how long ago something of each came.
fn rows(ended: &Ended) -> Vec<Vec<String>> {
    let lines = ended.text().lines().skip(1);
    let words = |line: &str| {
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        words.remove(2);
        words
    };
    lines.map(words).collect()
}

/// A line of which nobody can tell how long it took to come.
fn at_once(line: &str) -> String {
    let ages = ('1'..='9').map(|digit| format!(" {digit}s "));
    ages.fold(line.to_owned(), |line, age| line.replace(&age, " 0s "))
}

/// A device of somebody else's, with a last will.
fn device(port: u16, id: &str) -> Running {
    let topic = format!("devices/{id}/status");
    let line = program(
        "mosquitto_sub",
        &format!("-h 127.0.0.1 -p {port} -t commands/{id} -i {id}"),
    );
    let running = line
        .words("--will-qos 1 --will-retain --will-topic")
        .word(&topic)
        .word("--will-payload")
        .word(r#"{"status":"offline","reason":"lost"}"#)
        .start();
    publish(
        port,
        &[
            "-t",
            &topic,
            "-m",
            r#"{"status":"online"}"#,
            "-r",
            "-q",
            "1",
        ],
    );
    running
}

fn publish(port: u16, words: &[&str]) {
    let line = iotctl(&format!("mqtt pub -h 127.0.0.1 -p {port}"));
    words
        .iter()
        .fold(line, |line, word| line.word(word))
        .run()
        .exits(0);
}

#[test]
fn of_three_devices_the_one_that_is_killed_is_seen_by_its_last_will() {
    let broker = mosquitto();
    let port = broker.port;
    let devices = ["d1", "d2", "d3"].map(|id| device(port, id));
    for id in ["d1", "d2", "d3"] {
        broker.sees_subscriptions(&format!("commands/{id}"), 1);
    }
    publish(
        port,
        &[
            "-t",
            "sensors/d1/temperature",
            "-m",
            r#"{"value":21.5}"#,
            "-r",
        ],
    );
    once(
        port,
        &["--expect", "devices == 3 and online == 3 and offline == 0"],
    )
    .exits(0);
    signal(devices[1].id(), "KILL");
    // Whoever comes late sees what is retained.
    let seen = wait_for("the last will", || {
        let seen = once(port, &["--expect", "offline == 0"]);
        (seen.code != 0).then_some(seen)
    });
    let seen = seen
        .exits(7)
        .says("condition not met: offline == 0: offline is 1");
    assert_eq!(
        rows(&seen),
        [
            vec!["DEVICE", "STATUS", "temperature"],
            vec!["d1", "online", "21.5"],
            vec!["d2", "offline", "-"],
            vec!["d3", "online", "-"],
        ]
    );
}

#[test]
fn a_watcher_sees_states_change_in_snapshots() {
    let mut broker = broker("");
    let port = broker.port;
    publish(port, &["-t", "devices/d1/status", "-m", "online", "-r"]);
    let mut running = fleet(port, &["--output", "json", "--every", "100ms"]).start();
    broker.sees_subscription("alerts/#");
    let state = |running: &mut Running, pointer: &str, wanted: &Value| {
        wait_for(pointer, || {
            let snapshot: Value = serde_json::from_str(&running.line()).unwrap();
            (snapshot.pointer(pointer) == Some(wanted)).then_some(snapshot)
        })
    };
    let first = state(&mut running, "/fleet/d1/status", &"online".into());
    assert_eq!(first["topics"][0]["retained"], true);
    assert_eq!(first["connected"], true);
    publish(port, &["-t", "devices/d1/status", "-m", "0", "-r"]);
    publish(
        port,
        &["-t", "sensors/d2/humidity", "-m", r#"{"value":41}"#],
    );
    publish(
        port,
        &[
            "-t",
            "alerts/d2/low",
            "-m",
            r#"{"state":"firing","severity":"warning"}"#,
        ],
    );
    let all = state(&mut running, "/counts/alerts", &1.into());
    assert_eq!(all["fleet"]["d1"]["status"], "offline");
    assert_eq!(all["fleet"]["d2"]["values"]["humidity"], 41);
    assert_eq!(all["alerts"][0]["severity"], "warning");
    publish(port, &["-t", "alerts/d2/low", "-m", r#"{"state":"ok"}"#]);
    state(&mut running, "/counts/alerts", &0.into());
    signal(running.id(), "TERM");
    assert_eq!(running.ends().code, -15);
}

/// Devices with and without a status, an alert, and payloads of all kinds, by `schema/watch-snapshot.schema.json`.
#[test]
fn snapshots_are_as_their_schema_describes_them() {
    let broker = broker("");
    let long = "x".repeat(5_000);
    let cbor = ["--hex", "-D", "publish", "content-type", "application/cbor"];
    for (topic, payload, more) in [
        ("devices/d1/status", "online", &[][..]),
        ("devices/d2/status", "asleep", &[]),
        ("sensors/d1/temp", "a1 65 76616c7565 f9 4d60", &cbor),
        ("sensors/d3/state", r#"{"value":"on"}"#, &[]),
        (
            "alerts/d1/hot",
            r#"{"state":"firing","severity":"critical"}"#,
            &[],
        ),
        ("sensors/d1/long", &long, &[]),
        ("sensors/d1/bytes", "fffe", &["--hex"]),
    ] {
        publish(
            broker.port,
            &[&["-t", topic, "-m", payload, "-r"], more].concat(),
        );
    }
    let seen = once(broker.port, &["--output", "json"]).exits(0);
    let snapshot: Value = serde_json::from_str(seen.text()).unwrap();
    check(&snapshot, &schema("watch-snapshot"));
    assert_eq!(snapshot["fleet"]["d1"]["values"]["temp"], 21.5);
    let topics = snapshot["topics"].as_array().unwrap();
    let topic = |name: &str| topics.iter().find(|it| it["topic"] == name).unwrap();
    let temp = topic("sensors/d1/temp");
    assert_eq!(temp["payload"], r#"{"value":21.5}"#);
    assert_eq!(
        (&temp["decoded"], &temp["size_bytes"]),
        (&"CBOR".into(), &10.into())
    );
    assert_eq!(topic("sensors/d1/long")["cut"], true);
    assert_eq!(topic("sensors/d1/bytes")["payload_base64"], "//4=");
    // Before there is a connection something is waited for.
    let mut broker = mosquitto();
    let mut running = watch(broker.port, &["--output", "json", "--every", "100ms"]).start();
    // Once it has subscribed, nothing is.
    wait_for("the subscription", || {
        let snapshot: Value = serde_json::from_str(&running.line()).unwrap();
        snapshot["waiting"].is_null().then_some(())
    });
    broker.kill();
    wait_for("the loss", || {
        let snapshot: Value = serde_json::from_str(&running.line()).unwrap();
        check(&snapshot, &schema("watch-snapshot"));
        snapshot["waiting"].is_string().then_some(())
    });
}

#[test]
fn without_patterns_all_topics_are_shown_on_one_line_each() {
    let broker = broker("");
    publish(
        broker.port,
        &["-t", "b/\u{202e}x", "-m", "\x1b[2Jtwo\nlines", "-r"],
    );
    publish(broker.port, &["-t", "a/温度", "-m", "21", "-r"]);
    let seen = watch(broker.port, &["--once"]).run().exits(0);
    let lines: Vec<String> = seen.text().lines().map(at_once).collect();
    assert!(lines[0].contains(": 2 topics, 0 msg/s, 0 B/s"), "{lines:?}");
    assert_eq!(
        lines[1..],
        [
            "TOPIC            VALUE                MSG/S  B/S  AGE  FLAGS",
            "a/温度           21                   0      0    0s   r",
            "b/\\xe2\\x80\\xaex  \\x1b[2Jtwo\\x0alines  0      0    0s   r",
        ]
    );
}

#[test]
fn a_pipe_is_told_that_it_gets_tables_and_the_topic_of_the_url_counts() {
    let mut broker = broker("");
    let mut running = iotctl(&format!("watch mqtt://127.0.0.1:{}/a/b", broker.port)).start();
    running.hears("standard output is not a terminal: printing a table every 10s");
    broker.sees_subscription("a/b");
    signal(running.id(), "INT");
    assert_eq!(running.ends().code, -2);
    let ended = watch(broker.port, &["--for", "300ms", "--every", "100ms"]).run();
    assert!(ended.exits(0).text().lines().count() >= 2);
    for words in [
        &["--for", "300ms", "--output", "json"][..],
        &["--once", "--for", "300ms", "--output", "json"],
    ] {
        let ended = watch(broker.port, words).run().exits(0);
        assert_eq!(ended.text().lines().count(), 1, "{words:?}");
    }
    watch(broker.port, &["--once"])
        .run()
        .exits(0)
        .says("no retained messages; for live ones use --for 5s");
}

#[test]
fn a_filter_lets_through_what_fulfils_it() {
    let broker = broker("");
    for (topic, value) in [("s/1", "20"), ("s/2", "31")] {
        publish(broker.port, &["-t", topic, "-m", value, "-r"]);
    }
    let words = [
        "--once",
        "--filter",
        "payload > 30",
        "--expect",
        "topics == 1",
    ];
    let seen = watch(broker.port, &words).run().exits(0);
    assert!(seen.text().contains("s/2"));
}

#[test]
fn an_exchange_is_tapped() {
    let (server, exchange) = (rabbitmq(), unique("watch"));
    let folder = tempfile::tempdir().unwrap();
    let url = server.url();
    iotctl(&format!(
        "amqp declare exchange {url} {exchange} --type topic"
    ))
    .run()
    .exits(0);
    let ready = folder.path().join("ready");
    let mut running = iotctl(&format!(
        "watch {url} --exchange {exchange} --output json --every 100ms --ready-file"
    ))
    .word(&ready)
    .words("--value")
    .word("sensors/{id}/{metric}")
    .start();
    wait_for("the tap", || ready.exists().then_some(()));
    iotctl(&format!(
        "amqp publish {url} -e {exchange} -k sensors.d1.temperature -m 21.5"
    ))
    .run()
    .exits(0);
    wait_for("the value", || {
        let snapshot: Value = serde_json::from_str(&running.line()).unwrap();
        (snapshot["fleet"]["d1"]["values"]["temperature"] == 21.5).then_some(())
    });
    iotctl(&format!("amqp delete exchange {url} {exchange}"))
        .run()
        .exits(0);
}

#[test]
fn all_that_a_coap_server_lets_be_observed_is() {
    let server = server(
        "--resource /sensors/d1/temp=sensor --resource /sensors/d2/temp=counter",
        &["coap"],
    );
    let uri = server.uris[0].trim_end_matches('/').to_owned();
    let line = iotctl(&format!("watch {uri} --once --expect")).word("devices == 2 and topics >= 2");
    let seen = line
        .words("--value")
        .word("sensors/{id}/{metric}")
        .run()
        .exits(0);
    let shown = rows(&seen);
    assert_eq!(shown[0], ["DEVICE", "STATUS", "temp"]);
    assert_eq!((&*shown[1][0], &*shown[2][0]), ("d1", "d2"));
    let one = iotctl(&format!("watch {uri}/sensors/d1/temp --once --output json"))
        .run()
        .exits(0);
    let snapshot: Value = serde_json::from_str(one.text()).unwrap();
    assert_eq!(snapshot["counts"]["topics"], 1);
}

#[test]
fn a_connection_that_was_lost_is_seen_and_what_is_known_is_stale() {
    let mut broker = mosquitto();
    publish(broker.port, &["-t", "a", "-m", "1"]);
    let mut running = watch(broker.port, &["--output", "json", "--every", "100ms"]).start();
    broker.sees_subscriptions("#", 1);
    publish(broker.port, &["-t", "a", "-m", "1"]);
    let mut until = |what: &str, is: &dyn Fn(&Value) -> bool| {
        wait_for(what, || {
            let snapshot: Value = serde_json::from_str(&running.line()).unwrap();
            is(&snapshot).then_some(())
        });
    };
    until("the message", &|it| it["counts"]["topics"] == 1);
    broker.kill();
    until("the loss", &|it| {
        it["connected"] == false && it["counts"]["stale"] == 1
    });
    broker.restart();
    until("the way back", &|it| {
        it["connected"] == true && it["topics"][0]["stale"] == true
    });
    publish(broker.port, &["-t", "a", "-m", "2"]);
    until("news", &|it| it["counts"]["stale"] == 0);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    for (words, why) in [
        (
            &["--device", "devices/+/status"][..],
            "--device: \"devices/+/status\" has no {id}",
        ),
        (&["--value", "s/{id}/x=y"], "\"y\" is not a JSON pointer"),
        (&["--alerts", "a/#/b"], "--alerts: "),
        (
            &["--expect", "offline == 0"],
            "--expect is judged at the end: --once or --for is needed",
        ),
        (
            &["--once", "--expect", "oflin == 0"],
            "\"oflin\" is neither one of devices, online",
        ),
        (
            &["--once", "--expect", "offline =="],
            "a value is missing after \"==\"",
        ),
        (
            &["--every", "1ms"],
            "a table is printed every 100ms at most",
        ),
        (&["--once", "--every", "1s"], "--every"),
        (
            &["--web", "0.0.0.0:0"],
            "anyone who can connect could read it",
        ),
        (&["--token", "x"], "--web"),
        (
            &["--web", "127.0.0.1:0", "--token", "a b"],
            "letters, digits",
        ),
        (&["-t", "a/#/b"], "a/#/b"),
        (&["--max-topics", "0"], "0"),
    ] {
        watch(1, words).run().exits(2).says(why);
    }
    let sys = iotctl("watch coap://127.0.0.1:1 --sys").run();
    sys.exits(2).says("--sys is for MQTT");
    let amqp = iotctl("watch amqp://127.0.0.1:1 --once").run();
    amqp.exits(2).says("AMQP has no retained messages");
    iotctl("watch day.ndjson")
        .run()
        .exits(8)
        .says("cannot read day.ndjson");
    watch(1, &["--once"]).run().exits(3);
}
