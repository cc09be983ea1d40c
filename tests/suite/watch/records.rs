//! Recorded messages, from a file and through a pipe.

use std::io::Write;

use data_encoding::BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{FLEET, at_once};
use crate::support::broker::broker;
use crate::support::coap::server;
use crate::support::command::{Line, iotctl};
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::tmux::Terminal;

fn record(protocol: &str, topic: &str, payload: &str) -> String {
    let record = json!({
        "time": "2026-11-20T21:00:00Z", "protocol": protocol, "topic": topic, "payload": payload, protocol: {},
    });
    format!("{record}\n")
}

/// A fleet of two devices of two protocols, and what a broker says of itself.
fn recorded() -> String {
    [
        record("mqtt", "devices/d1/status", "online"),
        record("amqp", "devices.d2.status", "offline"),
        record("mqtt", "sensors/d1/temp", r#"{"value":21.5}"#),
        record("coap", "/sensors/d2/temp", r#"{"value":31}"#),
        record("mqtt", "$SYS/broker/uptime", "5 seconds"),
    ]
    .concat()
}

fn watch(words: &[&str]) -> Line {
    let words = [&FLEET[..], words].concat();
    words
        .into_iter()
        .fold(iotctl("watch -"), |line, word| line.word(word))
}

fn snapshot(words: &[&str], input: &str) -> Value {
    let words = [words, &["--once", "--output", "json"]].concat();
    let ended = watch(&words).input(input).run().exits(0);
    serde_json::from_str(ended.text()).unwrap()
}

#[test]
fn records_of_all_protocols_are_watched_to_the_end_of_the_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("day.ndjson");
    std::fs::write(&file, recorded()).unwrap();
    let once = iotctl("watch")
        .word(&file)
        .words("--once --device")
        .word("devices/{id}/status");
    once.words("--expect")
        .word("online == 1 and offline == 1")
        .run()
        .exits(0);
    // Without --once a table stands at the end of the input.
    let ended = watch(&[]).input(recorded()).run().exits(0);
    let lines: Vec<String> = ended.text().lines().map(at_once).collect();
    assert!(
        lines[0].contains("Z standard input: 2 devices (1 online, 1 offline), 0 alerts, 4 topics"),
        "{lines:?}"
    );
    assert_eq!(lines[2], "d1      online   0s    21.5");
    let all = snapshot(&["-t", "#"], &recorded());
    assert_eq!(
        (&all["source"], &all["connected"]),
        (&json!("standard input"), &json!(true))
    );
    assert_eq!(all["fleet"]["d2"]["values"]["temp"], 31);
    let some = snapshot(&["-t", "devices/+/status"], &recorded());
    assert_eq!(some["counts"]["topics"], 2);
    let warm = snapshot(&["--filter", "/value > 30"], &recorded());
    assert_eq!(warm["topics"][0]["topic"], "sensors/d2/temp");
    assert_eq!(warm["counts"]["topics"], 1);
}

#[test]
fn what_is_no_record_ends_it_with_the_line() {
    let bad = format!("{}nonsense\n", recorded());
    let ended = watch(&[]).input(bad).run();
    ended.exits(8).says(":6: ");
    watch(&["--once"])
        .input("nonsense\n")
        .run()
        .exits(2)
        .says(":1: ");
    let none = watch(&["--once", "--expect", "devices > 0"])
        .input("")
        .run();
    none.exits(7).says("devices is 0");
}

/// Compressed, and CBOR by its content type.
#[test]
fn a_filter_sees_what_is_shown() {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(br#"{"value":31}"#).unwrap();
    let packed = BASE64.encode(&packer.finish().unwrap());
    let cbor =
        |value: &str| BASE64.encode(&data_encoding::HEXLOWER.decode(value.as_bytes()).unwrap());
    let line = |topic: &str, payload: &str, mqtt: Value| {
        let record =
            json!({"protocol": "mqtt", "topic": topic, "payload_base64": payload, "mqtt": mqtt});
        format!("{record}\n")
    };
    let kind = json!({"qos": 0, "retain": false, "content_type": "application/cbor"});
    let input = [
        line("s/packed", &packed, json!({"qos": 0, "retain": false})),
        // {"value": 32} and {"value": 29}
        line("s/warm", &cbor("a16576616c75651820"), kind.clone()),
        line("s/cold", &cbor("a16576616c7565181d"), kind),
    ]
    .concat();
    for condition in ["/value > 30", "payload contains value and /value > 30"] {
        let words = ["-t", "#", "--filter", condition];
        let seen = snapshot(&words, &input);
        let topics = seen["topics"].as_array().unwrap();
        let topics: Vec<&str> = topics
            .iter()
            .map(|it| it["topic"].as_str().unwrap())
            .collect();
        assert_eq!(topics, ["s/packed", "s/warm"], "{condition}");
        assert_eq!(seen["topics"][0]["payload"], r#"{"value":31}"#);
        assert_eq!(seen["topics"][0]["decoded"], "gzip");
    }
}

#[test]
fn a_screen_reads_a_pipe_and_has_its_keys_from_the_terminal() {
    let mut broker = broker("");
    let port = broker.port;
    super::publish(port, &["-t", "devices/d1/status", "-m", "online", "-r"]);
    let line = format!(
        "iotctl mqtt sub -h 127.0.0.1 -p {port} -t '#' --output json | iotctl watch - --device 'devices/{{id}}/status'"
    );
    let terminal = Terminal::run(&line, "", 120, 20);
    broker.sees_subscription("#");
    terminal.shows(&[
        "● standard input",
        "1 device (1 online, 0 offline)",
        "▸ devices",
    ]);
    super::publish(port, &["-t", "devices/d2/status", "-m", "offline"]);
    terminal.shows(&["2 devices (1 online, 1 offline)"]);
    terminal.keys(&["2"]);
    terminal.shows(&["DEVICE", "d2", "offline"]);
    terminal.keys(&["P"]);
    terminal.shows(&["there is no server to publish to"]);
    terminal.keys(&["D"]);
    terminal.shows(&["only MQTT servers have retained messages"]);
    terminal.keys(&["q"]);
    terminal.ends_with(0);
}

#[test]
fn a_screen_stays_when_all_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("day.ndjson");
    std::fs::write(&file, recorded()).unwrap();
    let words = [&["watch", file.to_str().unwrap(), "--sys"], &FLEET[..]].concat();
    let terminal = Terminal::start(&words, "", 140, 20);
    terminal.shows(&["■ ", "all was read, 2 devices", "▸ sensors"]);
    terminal.keys(&["4"]);
    terminal.shows(&["uptime", "5 seconds"]);
    terminal.keys(&["q"]);
    terminal.ends_with(0);
    // Keys and messages cannot come from the same terminal.
    let terminal = Terminal::start(&["watch", "-"], "", 140, 20);
    let seen = terminal.ends_with(2);
    assert!(seen.contains("standard input is the terminal"), "{seen}");
}

/// Alerts come through a pipe as records.
#[test]
fn alerts_are_records_for_the_next_command() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("alarms");
    let alert =
        iotctl("alert - -t sensors/{device}/temp --value /value --above 30 --to - --topic-out")
            .word("alerts/{device}/hot");
    let alert = alert.words("--quiet --state").word(state);
    let input = record("mqtt", "sensors/d2/temp", r#"{"value":31}"#);
    let notices = alert.input(input).run().exits(0);
    let notice: Value = serde_json::from_str(notices.text()).unwrap();
    assert_eq!(notice["topic"], "alerts/d2/hot");
    let seen = snapshot(&[], notices.text());
    assert_eq!(seen["alerts"][0]["topic"], "alerts/d2/hot");
    assert_eq!(seen["alerts"][0]["severity"], "warning");
}

#[test]
fn an_exchange_is_published_to_from_the_screen() {
    let (server, exchange) = (rabbitmq(), unique("screen"));
    let url = server.url();
    iotctl(&format!(
        "amqp declare exchange {url} {exchange} --type topic"
    ))
    .run()
    .exits(0);
    let terminal = Terminal::start(&["watch", &url, "--exchange", &exchange], "", 120, 20);
    terminal.shows(&["● amqp://", "0 topics"]);
    terminal.keys(&["P", "C-u"]);
    terminal.types("sensors/d1/temp");
    terminal.keys(&["Enter"]);
    terminal.types("21.5");
    terminal.keys(&["Enter"]);
    terminal.shows(&["publish 4 bytes to sensors/d1/temp? y, n"]);
    terminal.keys(&["y"]);
    terminal.shows(&["published to sensors/d1/temp", "1 topic"]);
    terminal.keys(&["q"]);
    terminal.ends_with(0);
    iotctl(&format!("amqp delete exchange {url} {exchange}"))
        .run()
        .exits(0);
}

#[test]
fn a_resource_is_put_to_from_the_screen() {
    let server = server("--resource /lamp=text:off", &["coap"]);
    let uri = server.uris[0].trim_end_matches('/').to_owned();
    let terminal = Terminal::start(&["watch", &format!("{uri}/lamp")], "", 120, 20);
    terminal.shows(&["● coap://", "lamp", "off"]);
    terminal.keys(&["P"]);
    terminal.shows(&["publish to"]);
    terminal.keys(&["C-u"]);
    terminal.types("lamp");
    terminal.keys(&["Enter"]);
    terminal.types("on");
    terminal.keys(&["Enter", "y"]);
    terminal.shows(&["published to lamp", "on"]);
    let get = iotctl(&format!("coap get {uri}/lamp")).run().exits(0);
    assert_eq!(get.text().trim(), "on");
    terminal.keys(&["q"]);
    terminal.ends_with(0);
}
