//! Ends of `bridge`, `route`, `log` and `alert`: how route files say to connect, CoAP resources by a pattern, and what a bridge makes
//! of messages.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::broker::{Broker, broker};
use crate::support::certificates::Certificates;
use crate::support::coap::server;
use crate::support::command::{Running, iotctl};
use crate::support::ports::free_ports;
use crate::support::rabbitmq::{rabbitmq, unique};

fn url(broker: &Broker) -> String {
    format!("mqtt://127.0.0.1:{}", broker.port)
}

fn written(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("routes.toml");
    fs::write(&path, text).unwrap();
    path
}

/// Ends it, and looks at what it says then.
fn says_at_the_end(running: Running, words: &str) {
    running.signal("TERM");
    running.ends().exits(143).says(words);
}

/// A route from one server to the other, with these keys of the source, of the target and of the file.
fn keyed(from: &str, to: &str, [source, target, top]: [&str; 3]) -> String {
    format!(
        "{top}\n[source.s]\nurl = \"{from}\"\ntopics = [\"n/#;qos=1\"]\n{source}\n[target.t]\nurl = \"{to}\"\n{target}\n[[route]]\nto = \"t\"\n"
    )
}

#[test]
fn keys_of_connections_hold_at_each_end() {
    let folder = tempfile::tempdir().unwrap();
    let files = Certificates::in_folder(folder.path());
    let secured = |name: &str| {
        let line = iotctl("mqtt broker --listen mqtts://127.0.0.1:0 --cert");
        let line = line.word(&files.server).words("--key");
        let mut running = line.word(&files.server_key).start();
        let url = running.line();
        assert!(url.starts_with("mqtts://"), "{name}: {url}");
        (running, url)
    };
    let [(_one, from), (_two, to)] = [secured("one"), secured("two")];
    let authorities = folder.path().join("authorities");
    fs::create_dir(&authorities).unwrap();
    fs::copy(&files.ca, authorities.join("ca.pem")).unwrap();
    // Each end by itself: one is not verified, the other by a folder.
    let keys = ["insecure = true", "capath = \"authorities\"", ""];
    let file = written(folder.path(), &keyed(&from, &to, keys));
    let routing = iotctl("route").word(&file).ready(folder.path());
    let publish = iotctl(&format!("mqtt pub {from} --insecure -t n/a -m 1 -q 1 -r"));
    publish.run().exits(0);
    let line = format!("mqtt sub {to} --insecure -t n/a -C 1 -W 60s");
    iotctl(&line).run().exits(0).prints("1\n");
    says_at_the_end(routing, "received 1 message: 1 delivered");
    // Without them it does not connect.
    for (keys, says) in [
        (["", "insecure = true", ""], "--cafile"),
        (
            [
                "insecure = true\ntls-pin = \"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"",
                "insecure = true",
                "",
            ],
            "does not match --tls-pin",
        ),
    ] {
        let file = written(folder.path(), &keyed(&from, &to, keys));
        iotctl("route").word(&file).run().exits(3).says(says);
    }
    let keys = [
        "insecure = true",
        "insecure = true\nproxy = \"http://127.0.0.1:1\"\nconnect-timeout = \"5s\"",
        "",
    ];
    let file = written(folder.path(), &keyed(&from, &to, keys));
    let through = "through http://127.0.0.1:1: connection refused";
    iotctl("route").word(&file).run().exits(3).says(through);
}

#[test]
fn a_target_that_is_not_to_be_tried_again_ends_the_route() {
    let (one, two) = (broker(""), broker(""));
    let folder = tempfile::tempdir().unwrap();
    let keys = ["", "retry = \"never\"", ""];
    let file = written(folder.path(), &keyed(&url(&one), &url(&two), keys));
    let routing = iotctl("route").word(&file).ready(folder.path());
    two.running.signal("KILL");
    let ended = routing.ends_by_itself();
    assert!([3, 6].contains(&ended.code), "{}", ended.stderr);
}

#[test]
fn mistakes_in_keys_of_connections_are_found_without_a_connection() {
    let folder = tempfile::tempdir().unwrap();
    for (keys, says) in [
        (
            ["insecur = true", "", ""],
            "routes.toml:5: unknown field `insecur`; did you mean `insecure`?",
        ),
        (
            ["", "retry = \"soon\"", ""],
            "routes.toml:8: \"soon\" is not never, forever or a duration",
        ),
        (
            ["ipv4 = true\nipv6 = true", "", ""],
            "source s: ipv4 and ipv6 exclude each other",
        ),
        (["", "sync = \"each\"", ""], "target t: sync is for a file"),
        (["", "", "strikt = true"], "did you mean `strict`?"),
    ] {
        let file = written(folder.path(), &keyed("mqtt://a", "mqtt://b", keys));
        let ended = iotctl("route --check").word(&file).run();
        ended.exits(2).says(says);
    }
    for (target, says) in [
        (
            "file = \"x.ndjson\"\nretry = \"5s\"",
            "target t: retry is for a server",
        ),
        (
            "file = \"x.ndjson\"\nsync = \"2m\"",
            "target t: sync: \"2m\": expected auto, each, or a time up to 1m",
        ),
        ("file = \"x.ndjson\"\nsync = \"5s\"", "no mistakes found"),
    ] {
        let text = format!(
            "[source.s]\nurl = \"mqtt://a\"\nclean = true\n[target.t]\n{target}\n[[route]]\nto = \"t\"\n"
        );
        let file = written(folder.path(), &text);
        let ended = iotctl("route --check").word(&file).run();
        ended.says(says);
    }
}

#[test]
fn a_commit_that_is_put_off_is_made_at_the_end() {
    let mut one = broker("");
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[source.s]\nurl = \"{}\"\n[target.t]\nfile = \"x.ndjson\"\nsync = \"1m\"\n[[route]]\ntopic = \"n/#\"\nto = \"t\"\n",
        url(&one)
    );
    let file = written(folder.path(), &text);
    let routing = iotctl("route").word(&file).words("--report 20ms").start();
    one.sees_subscription("n/#");
    one.iotctl("pub -t n/a -m x -q 1").run().exits(0);
    let mut routing = routing;
    // It came, and is not acknowledged.
    routing.hears("received 1: 0 stored, 1 in flight");
    let kept = fs::read_to_string(folder.path().join("x.ndjson")).unwrap_or_default();
    assert_eq!(kept, "");
    says_at_the_end(routing, "received 1 message: 1 delivered");
    let kept = fs::read_to_string(folder.path().join("x.ndjson")).unwrap();
    assert_eq!(kept.lines().count(), 1);
}

#[test]
fn a_source_that_is_clean_leaves_no_session() {
    for (keys, count) in [("", "1 message: 1"), ("clean = true", "0 messages: 0")] {
        let (one, two) = (broker(""), broker(""));
        let folder = tempfile::tempdir().unwrap();
        let text = keyed(&url(&one), &url(&two), [keys, "", ""]);
        let file = written(folder.path(), &text);
        let routing = iotctl("route").word(&file).ready(folder.path());
        says_at_the_end(routing, "received 0 messages");
        one.iotctl("pub -t n/a -m x -q 1").run().exits(0);
        let ended = iotctl("route").word(&file).words("--idle 2s").run();
        ended.exits(0).says(&format!("received {count} delivered"));
    }
}

#[test]
fn what_cannot_be_carried_is_refused_by_a_strict_route() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("recording.ndjson");
    let line = r#"{"topic":"n/a","payload":"x","mqtt":{"qos":1,"user_properties":[["a","b"]]}}"#;
    fs::write(&recording, format!("{line}\n")).unwrap();
    for (top, code, says) in [
        ("", 0, "1 record: 1 routed"),
        (
            "strict = true",
            1,
            "user properties cannot be carried to the other protocol",
        ),
    ] {
        let file = written(folder.path(), &keyed("mqtt://a", "coap://b", ["", "", top]));
        let ended = iotctl("route --test").word(&recording).word(&file).run();
        ended.exits(code).says(says);
    }
}

#[test]
fn the_flags_of_a_connection_are_printed_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let printed = |words: &str, map: &[&str]| {
        let line = iotctl(&format!("{words} --print-config"));
        let line = map.iter().fold(line, |line, word| line.word(word));
        let printed = line.run().exits(0).text().to_owned();
        assert!(!printed.contains("hidden"), "{printed}");
        let file = written(folder.path(), &printed);
        iotctl("route --check").word(&file).run().exits(0);
        toml::from_str::<Value>(&printed).unwrap()
    };
    let connection = "--insecure --retry 90s --connect-timeout 2s --proxy http://u:hidden@p:3128";
    let flags = "--strict --clean --retries 3 --strict-order";
    let bridge = format!("bridge mqtts://a mqtts://b -t x/# {connection} {flags}");
    let file = printed(&bridge, &["--map", "jq: .v"]);
    for table in [&file["source"]["from"], &file["target"]["to"]] {
        assert_eq!(table["insecure"], true);
        assert_eq!(table["retry"], "1m 30s");
        assert_eq!(table["connect-timeout"], "2s");
        assert_eq!(table["proxy"], "http://p:3128");
    }
    assert_eq!(file["strict"], true);
    assert_eq!(file["source"]["from"]["clean"], true);
    assert_eq!(file["target"]["to"]["retries"], 3);
    assert_eq!(file["target"]["to"]["strict-order"], true);
    assert_eq!(file["route"][0]["map"], "jq: .v");
    let log =
        "log mqtts://a -t x/# --to x.ndjson --sync 5s --clean --insecure --retry never --strict";
    let file = printed(log, &[]);
    assert_eq!(file["strict"], true);
    assert_eq!(file["source"]["source1"]["clean"], true);
    assert_eq!(file["source"]["source1"]["retry"], "never");
    assert_eq!(file["target"]["target1"]["sync"], "5s");
    // What is no server has no connection.
    assert!(file["target"]["target1"]["insecure"].is_null(), "{file}");
    let file = printed(
        "alert mqtts://a -t x --above 1 --clean --insecure-name",
        &[],
    );
    assert_eq!(file["source"]["source"]["clean"], true);
    assert_eq!(file["source"]["source"]["insecure-name"], true);
}

/// A CoAP server with two readings and something else.
const RESOURCES: &str = "-r /sensors/d1/temp=text:1 -r /sensors/d2/temp=text:2 -r /other=text:3";

#[test]
fn resources_are_found_and_observed_by_a_pattern() {
    let mut broker = broker("");
    let coap = server(RESOURCES, &["coap"]);
    let place = coap.uris[0].trim_end_matches('/').to_owned();
    let folder = tempfile::tempdir().unwrap();
    let mut watcher = broker.iotctl("sub -t # -q 1 -v").start();
    broker.sees_subscription("#");
    for (from, topic, prefix) in [
        // Those that match the topics.
        (place.clone(), "sensors/+/temp out 1 \"\" a/", "a"),
        // Those that match the path, and the topics.
        (format!("{place}/sensors/+/temp"), "# out 1 \"\" b/", "b"),
        (format!("{place}/sensors/#"), "# out 1 \"\" c/", "c"),
        (
            format!("{place}/sensors/{{device}}/temp"),
            "# out 1 \"\" d/",
            "d",
        ),
    ] {
        let line = iotctl("bridge").word(&from).word(url(&broker)).words("-t");
        let bridge = line.word(topic).ready(folder.path());
        let mut lines = watcher.lines(2);
        lines.sort_unstable();
        let expected = [1, 2].map(|at| format!("{prefix}/sensors/d{at}/temp {at}"));
        assert_eq!(lines, expected);
        says_at_the_end(bridge, "received 2 messages: 2 delivered");
    }
    let logged = folder.path().join("log.csv");
    let line = iotctl(&format!("log {place} -t")).word("sensors/{device}/temp");
    let line = line.words("--columns {device},payload -C 2 --to");
    line.word(&logged).run().exits(0);
    let mut rows: Vec<String> = fs::read_to_string(&logged)
        .unwrap()
        .lines()
        .map(String::from)
        .collect();
    rows.sort_unstable();
    assert_eq!(rows, ["d1,1", "d2,2", "device,payload"]);
    let alert = iotctl(&format!("alert {place} -t"))
        .word("sensors/{device}/temp")
        .words("--above 1 --once --output json --state")
        .word(folder.path().join("state"))
        .run()
        .exits(0);
    let alert: Value = serde_json::from_str(alert.text().trim()).unwrap();
    assert_eq!(alert["key"], "d2");
    for (from, topic) in [
        (place.clone(), "none/#"),
        (format!("{place}/none/+"), "#"),
        (format!("{place}/sensors/+"), "#"),
    ] {
        let line = iotctl("bridge").word(&from).word(url(&broker)).words("-t");
        line.word(topic)
            .run()
            .exits(1)
            .says("offers nothing that can be observed and matches ");
    }
    iotctl("bridge")
        .word("coap://127.0.0.1:1/a+/{b}/{b}")
        .word(url(&broker))
        .run()
        .exits(2)
        .says("{b} occurs twice");
}

#[test]
fn routes_ask_for_the_resources_that_they_are_about() {
    let mut broker = broker("");
    let coap = server(RESOURCES, &["coap"]);
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[source.s]\nurl = \"{}\"\n[target.t]\nurl = \"{}\"\n[[route]]\ntopic = \"sensors/{{device}}/temp\"\nto = \"t\"\ntopic-out = \"{{device}}\"\n",
        coap.uris[0],
        url(&broker)
    );
    let file = written(folder.path(), &text);
    let mut watcher = broker.iotctl("sub -t # -q 1 -v").start();
    broker.sees_subscription("#");
    let routing = iotctl("route").word(&file).start();
    let mut lines = watcher.lines(2);
    lines.sort_unstable();
    assert_eq!(lines, ["d1 1", "d2 2"]);
    // Another topic needs another question.
    fs::write(&file, text.replace("sensors/{device}/temp", "{device}")).unwrap();
    routing.signal("HUP");
    let mut routing = routing;
    routing.hears("a subscription to + at source s needs a restart");
    says_at_the_end(routing, "received 2 messages: 2 delivered");
}

#[test]
fn resources_that_are_new_after_an_outage_are_observed_too() {
    let mut broker = broker("");
    let [port] = free_ports();
    let serve = |words: &str| {
        let line = format!("coap server {words} --listen coap+tcp://127.0.0.1:{port}");
        let mut running = iotctl(&line).start();
        running.line();
        running
    };
    let before = serve("-r /a=text:old");
    let mut watcher = broker.iotctl("sub -t # -q 1 -v").start();
    broker.sees_subscription("#");
    let line = format!("bridge coap+tcp://127.0.0.1:{port} {} -t", url(&broker));
    let mut bridge = iotctl(&line).word("# out 1").start();
    assert_eq!(watcher.line(), "a old");
    before.signal("KILL");
    before.ends();
    bridge.hears("observing again");
    let _after = serve("-r /a=text:new -r /b=text:found");
    bridge.hears("/b is new: observing it");
    let mut lines = watcher.lines(2);
    lines.sort_unstable();
    assert_eq!(lines, ["a new", "b found"]);
    bridge.signal("TERM");
    bridge.ends().exits(143);
}

/// A bridge with a gateway before a broker, and where it listens.
fn gateway(broker: &Broker, words: &str) -> (Running, String) {
    let line = format!("bridge coap-listen://127.0.0.1:0 {} -t", url(broker));
    let mut running = iotctl(&line).word("g/# out 1").words(words).start();
    let line = running.hears("listening on coap://");
    let (_, place) = line.rsplit_once("coap://").unwrap();
    let place = format!("coap://{}", place.trim());
    (running, place)
}

#[test]
fn a_hop_limit_that_is_used_up_is_told() {
    let mut broker = broker("");
    let (bridge, place) = gateway(&broker, "");
    let put = |limit: &str| {
        let line = format!("coap put {place}/g/x -m {limit} -O hop-limit={limit}");
        iotctl(&line).run()
    };
    let mut watcher = broker.iotctl("sub -t g/# -q 1 --output json").start();
    broker.sees_subscription("g/#");
    put("0x00").exits(1).says("4.00");
    put("1").exits(1).says("5.08 Hop Limit Reached");
    put("5").exits(0);
    let message: Value = serde_json::from_str(&watcher.line()).unwrap();
    let hops = message["mqtt"]["user_properties"].as_array().unwrap();
    // Eleven of those before whom it began at 16, who put it, and this bridge.
    assert_eq!((&message["payload"], hops.len()), (&"5".into(), 13));
    assert!(hops[..12].iter().all(|it| it[1] == "coap"), "{hops:?}");
    bridge.signal("TERM");
    bridge.ends().exits(143);
}

#[test]
fn a_ring_of_two_bridges_over_coap_ends() {
    let mut broker = broker("");
    let (mut back, place) = gateway(&broker, "");
    let line = format!("bridge {} {place} -t", url(&broker));
    let line = iotctl(&line).word("g/# out 1");
    let out = line.words("--on-refused drop -C 8").start();
    broker.sees_subscription("g/#");
    let mut watcher = broker.iotctl("sub -t g/# -q 1 -v").start();
    broker.sees_subscription("g/#");
    // It has crossed one already.
    broker
        .iotctl("pub -t g/x -m round -q 1 -D publish user-property iotctl-hops first")
        .run()
        .exits(0);
    // Two more each time: 1, 3 … 15; the last one comes with a Hop-Limit of 1.
    assert_eq!(watcher.lines(8), ["g/x round"; 8]);
    out.ends_by_itself()
        .says("5.08 Hop Limit Reached")
        .says("received 8 messages: 7 delivered");
    back.signal("TERM");
    back.hears("received 8 messages: 7 delivered");
    back.ends();
    drop(watcher);
}

#[test]
fn a_bridge_maps_and_says_what_is_retained() {
    let (one, mut two) = (broker(""), broker(""));
    let folder = tempfile::tempdir().unwrap();
    let mut watcher = two.iotctl("sub -t # -q 1 -v").start();
    two.sees_subscription("#");
    let bridge = |words: &[&str]| {
        let line = iotctl(&format!("bridge {} {} -t", url(&one), url(&two)));
        let line = words
            .iter()
            .fold(line.word("n/# out 1"), |line, word| line.word(word));
        line.ready(folder.path())
    };
    let publish = |words: &str| {
        let line = one
            .iotctl(&format!("pub -q 1 {words} -m"))
            .word(r#"{"v": [1, 2]}"#);
        line.run().exits(0);
    };
    let retained = || {
        let line = two.iotctl("sub -t # -v --retained-only").run();
        line.text().lines().map(String::from).collect::<Vec<_>>()
    };
    let mapping = bridge(&["--map", "jq: .v[]", "--retain", "set"]);
    publish("-t n/set");
    assert_eq!(watcher.lines(2), ["n/set 1", "n/set 2"]);
    says_at_the_end(mapping, "received 1 message: 1 delivered");
    assert_eq!(retained(), ["n/set 2"]);
    let dropping = bridge(&["--retain", "drop"]);
    publish("-t n/drop -r");
    assert_eq!(watcher.line(), "n/drop {\"v\": [1, 2]}");
    says_at_the_end(dropping, "received 1 message: 1 delivered");
    assert_eq!(retained(), ["n/set 2"]);
    let line = iotctl(&format!("bridge {} {} --map .v", url(&one), url(&two)));
    line.run().exits(2).says("a map begins with jq:");
}

#[test]
fn a_bridge_that_connects_once_ends_with_its_connection() {
    let (one, two) = (broker(""), broker(""));
    let folder = tempfile::tempdir().unwrap();
    let line = format!("bridge {} {}", url(&one), url(&two));
    let bridge = iotctl(&line).words("--once -t n/#").ready(folder.path());
    two.running.signal("KILL");
    let ended = bridge.ends_by_itself();
    assert!([3, 6].contains(&ended.code), "{}", ended.stderr);
    iotctl(&line)
        .words("--once --retry 5s")
        .run()
        .exits(2)
        .says("cannot be used with");
}

/// The numbers from 1 to 10.
fn ten() -> Vec<String> {
    (1..=10).map(|number| number.to_string()).collect()
}

#[test]
fn what_is_refused_for_now_has_so_many_tries() {
    let (one, two) = (broker(""), broker("--max-queued 3"));
    let folder = tempfile::tempdir().unwrap();
    two.sub_line("-i keeper -c -t n/# -q 1 -E").run().exits(0);
    let line = iotctl(&format!("bridge {} {} -t", url(&one), url(&two)));
    let line = line
        .word("n/# out 1")
        .words("--retries 1 --on-refused drop -C 10");
    let bridge = line.ready(folder.path());
    let publishing = one.iotctl("pub -t n/a -q 1 -l").input(ten().join("\n"));
    publishing.run().exits(0);
    bridge
        .ends_by_itself()
        .exits(1)
        .says("trying again")
        .says("received 10 messages: 3 delivered");
}

#[test]
fn a_strict_order_is_kept_over_what_is_refused_for_now() {
    let one = broker("");
    let (queue, amqp) = (unique("ordered"), rabbitmq().url());
    for words in [
        format!("declare queue {amqp} {queue} --max-length 2 --overflow reject-publish"),
        format!("bind {amqp} {queue} -e amq.topic -k {queue}"),
    ] {
        iotctl(&format!("amqp {words}")).run().exits(0);
    }
    let folder = tempfile::tempdir().unwrap();
    let line = iotctl(&format!("bridge {} {amqp} --strict-order -t", url(&one)));
    let mut bridge = line.word(format!("{queue} out 1")).ready(folder.path());
    let publishing = one.iotctl(&format!("pub -t {queue} -q 1 -l"));
    publishing.input(ten().join("\n")).run().exits(0);
    bridge.hears("nack");
    let reader = iotctl(&format!("amqp consume {amqp} {queue} -C 10 -W 60s")).run();
    let came: Vec<String> = reader.exits(0).text().lines().map(String::from).collect();
    assert_eq!(came, ten());
    says_at_the_end(bridge, "received 10 messages: 10 delivered");
    iotctl(&format!("amqp delete queue {amqp} {queue}"))
        .run()
        .exits(0);
}

#[test]
fn at_sighup_maps_that_feed_themselves_are_refused_as_at_the_beginning() {
    let mut one = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mosquitto.conf");
    let port = one.port;
    let write = |line: &str| {
        // The same server by another name.
        let text = format!("connection c\naddress localhost:{port}\nnotifications false\n{line}\n");
        fs::write(&file, text).unwrap();
    };
    write("topic a/# out 1 \"\" b/");
    let mut bridge = iotctl(&format!("bridge {} --import", url(&one)))
        .word(&file)
        .start();
    // Signals are watched for once it has connected.
    one.sees_subscription("a/#");
    write("topic a/# out 1 \"\" a/b/");
    bridge.signal("HUP");
    bridge.hears("both ends are the same server, so a/# as a/b/a/# would loop");
    one.iotctl("pub -t a/x -m once -q 1 -r").run().exits(0);
    one.iotctl("sub -t b/# -C 1 -v -W 60")
        .run()
        .exits(0)
        .prints("b/a/x once\n");
    says_at_the_end(bridge, "received 1 message: 1 delivered");
}
