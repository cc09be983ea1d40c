//! `route`: messages by topic and condition, to several targets, and rules that are tried before they run.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::broker::{Broker, broker};
use crate::support::command::{Line, Running, iotctl, program};
use crate::support::mosquitto::{Mosquitto, Settings};
use crate::support::schema::{known, schema};
use crate::support::wait_for;

fn written(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("routes.toml");
    fs::write(&path, text).unwrap();
    path
}

fn route(file: &Path, words: &str) -> Line {
    iotctl("route").word(file).words(words)
}

/// The router of the lecture notes: readings of more than 35 degrees, first match.
const ROUTER: &str = r#"
[source.edge]
url = "URL"
[target.edge]
url = "URL"
[target.odd]
file = "odd.ndjson"
[[route]]
topic = "sensors/{id}/temperature"
where = "/value > 35"
to = "edge"
topic-out = "sensors/{id}/alert"
qos = 1
else = "odd"
"#;

#[test]
fn a_message_goes_where_topic_and_condition_say() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let file = written(folder.path(), &ROUTER.replace("URL", &url));
    let mut router = route(&file, "").start();
    broker.sees_subscription("sensors/+/temperature");
    let mut watcher = broker.iotctl("sub -t sensors/+/alert -q 1 -v").start();
    broker.sees_subscription("sensors/+/alert");
    for (id, value) in [("a", "30"), ("b", "35.5"), ("c", "\"no number\"")] {
        broker
            .iotctl(&format!("pub -t sensors/{id}/temperature -q 1"))
            .word("-m")
            .word(format!("{{\"value\": {value}}}"))
            .run()
            .exits(0);
    }
    assert_eq!(watcher.line(), "sensors/b/alert {\"value\": 35.5}");
    router.signal("TERM");
    router.hears("received 3 messages: 3 delivered");
    router.hears("route 1: 1 message");
    router.ends().exits(143);
    let odd = fs::read_to_string(folder.path().join("odd.ndjson")).unwrap();
    let topics: Vec<_> = odd
        .lines()
        .map(|line| line.contains("sensors/a/temp"))
        .collect();
    assert_eq!(topics, [true, false], "{odd}");
}

#[test]
fn nothing_is_lost_when_the_router_is_killed() {
    const COUNT: usize = 2000;
    let limits = "max_queued_messages 0\nmax_inflight_messages 0\n";
    let broker = Mosquitto::start(Settings {
        more: String::from(limits),
        ..Settings::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let text = "[source.s]\nurl = \"URL\"\n[target.t]\nurl = \"URL\"\n[target.u]\nurl = \"URL\"\n\
                [[route]]\ntopic = \"n/{name}\"\nto = [\"t\", \"u\"]\ntopic-out = \"out/{name}\"\n";
    let file = written(folder.path(), &text.replace("URL", &url));
    let mut router = route(&file, "").start();
    broker.sees_subscriptions("n/+", 1);
    let mut watcher = broker.iotctl("sub -t out/x -q 1").start();
    broker.sees_subscriptions("out/x", 1);
    let lines: String = (0..COUNT).map(|number| format!("{number}\n")).collect();
    let publish = broker.iotctl("pub -t n/x -l -q 1").input(lines);
    let publisher = std::thread::spawn(|| publish.run());
    let mut seen = vec![0; COUNT];
    let mut kills = 0;
    // Each comes by both targets.
    while seen.iter().any(|times| *times < 2) {
        seen[watcher.line().parse::<usize>().unwrap()] += 1;
        let complete = seen.iter().filter(|times| **times >= 2).count();
        if complete >= (kills + 1) * COUNT / 8 && kills < 7 {
            kills += 1;
            router.signal("KILL");
            router = route(&file, "").start();
        }
    }
    publisher.join().unwrap().exits(0);
}

/// Records as they come from `--output json`.
fn recording(folder: &Path, readings: &[(&str, &str)]) -> PathBuf {
    let path = folder.join("recording.ndjson");
    let line = |(at, (topic, payload)): (usize, &(&str, &str))| {
        let payload = Value::from(*payload);
        format!(
            "{{\"time\":\"2026-01-01T00:00:{at:02}Z\",\"protocol\":\"mqtt\",\"topic\":\"{topic}\",\
             \"payload\":{payload},\"mqtt\":{{\"qos\":1}}}}\n"
        )
    };
    let lines: String = readings.iter().enumerate().map(line).collect();
    fs::write(&path, lines).unwrap();
    path
}

#[test]
fn rules_are_tried_on_recorded_messages() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
[source.s]
url = "mqtt://127.0.0.1:1"
[target.a]
url = "mqtt://127.0.0.1:2"
[target.b]
url = "amqp://127.0.0.1:3"
[[route]]
topic = "s/{device}/{rest...}"
where = "changed(payload) and {device} != x"
to = ["a", "b"]
topic-out = "out/{device}/{rest}"
last = true
[[route]]
to = "b"
map = "jq: {v: (tonumber? // .)}"
"#;
    let file = written(folder.path(), text);
    let readings = [("s/d/t", "1"), ("s/d/t", "1"), ("s/x/t", "2")];
    let readings = recording(folder.path(), &readings);
    let tried = route(&file, "--test").word(&readings).run().exits(0);
    let tried = tried.says("3 records: 3 routed");
    let lines: Vec<Value> = tried
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let shown: Vec<String> = lines
        .iter()
        .map(|line| {
            let text = |key: &str| line[key].as_str().unwrap().to_owned();
            format!("{} {} {}", text("target"), text("topic"), text("payload"))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "a out/d/t 1",
            "b out.d.t 1",
            "b s.d.t {\"v\":1}",
            "b s.x.t {\"v\":2}"
        ]
    );
    let expected = folder.path().join("expected");
    fs::write(&expected, tried.text()).unwrap();
    let expect = |line: Line| line.words("--expect").word(&expected).run();
    expect(route(&file, "--test").word(&readings)).exits(0);
    let one = text[..text.rfind("[[route]]").unwrap()].replace("where =", "filter =");
    let one = written(folder.path(), &one);
    let others = [("s/d/t", "1"), ("s/d/t", "1"), ("s/x/t", "2"), ("t", "3")];
    let others = recording(folder.path(), &others);
    route(&one, "--test")
        .word(&others)
        .run()
        .exits(0)
        .says("4 records: 1 routed, 2 did not fulfil where (route 1: 2), 1 covered by no route");
    let file = written(folder.path(), text);
    fs::write(&expected, tried.text().replace("out/d/t", "out/e/t")).unwrap();
    expect(route(&file, "--test").word(&readings))
        .exits(7)
        .says("message 1: expected");
    fs::write(&expected, tried.text().lines().next().unwrap()).unwrap();
    expect(route(&file, "--test").word(&readings))
        .exits(7)
        .says("message 2: not expected");
}

#[test]
fn a_dry_run_takes_nothing_from_anybody() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let file = written(folder.path(), &ROUTER.replace("URL", &url));
    // The session of the real run, which keeps what comes.
    let router = route(&file, "").start();
    broker.sees_subscription("sensors/+/temperature");
    router.signal("TERM");
    router.ends().exits(143);
    let mut dry = route(&file, "--dry-run -C 1").start();
    broker.sees_subscription("sensors/+/temperature");
    broker
        .iotctl("pub -t sensors/a/temperature -q 1 -m")
        .word("{\"value\": 40}")
        .run()
        .exits(0);
    let line = dry.line();
    assert!(line.starts_with("{\"target\":\"edge\","), "{line}");
    assert!(line.contains("sensors/a/alert"), "{line}");
    dry.ends().exits(0);
    let mut watcher = broker.iotctl("sub -t sensors/+/alert -q 1 -v").start();
    broker.sees_subscription("sensors/+/alert");
    let router = route(&file, "").start();
    assert_eq!(watcher.line(), "sensors/a/alert {\"value\": 40}");
    router.signal("TERM");
    router.ends().exits(143);
}

#[test]
fn mistakes_are_found_without_a_connection() {
    let folder = tempfile::tempdir().unwrap();
    let good = ROUTER.replace("URL", "mqtt://127.0.0.1:1");
    let file = written(folder.path(), &good);
    route(&file, "--check")
        .run()
        .exits(0)
        .says("1 source, 2 targets, 1 route: no mistakes found");
    route(&file, "--print-config")
        .run()
        .exits(0)
        .contains("topic-out = \"sensors/{id}/alert\"");
    for (from, to, why) in [
        ("qos = 1", "qos = 3", "route 1: qos is 0, 1 or 2"),
        ("qos = 1", "colour = 1", "unknown field `colour`"),
        (
            "[source.edge]",
            "[source.edge]\ntopcs = [\"a\"]",
            "routes.toml:3: unknown field `topcs`; did you mean `topics`?",
        ),
        (
            "[source.edge]",
            "[source.edge]\ntopics = [\"other/#\"]",
            "route 1: sensors/+/temperature does not come, as it is not among the topics of the source",
        ),
        (
            "[target.edge]\nurl",
            "[target.edge]\nretian = true\nurl",
            "routes.toml:5: unknown field `retian`; did you mean `retain`?",
        ),
        (
            "to = \"edge\"",
            "to = \"egde\"",
            "route 1: unknown target \"egde\"",
        ),
        (
            "to = \"edge\"",
            "to = \"mqtt://u:p@h\"",
            "mqtt://h is a URL and no target: give it a [target.NAME] table",
        ),
        (
            "[target.edge]\nurl = \"mqtt://127.0.0.1:1\"\n[target.odd]\nfile = \"odd.ndjson\"\n",
            "",
            "no [target.NAME] table",
        ),
        (
            "{id}/alert",
            "{di}/alert",
            "topic-out: {di} is not a capture of sensors/{id}/temperature",
        ),
        (
            "{id}/alert",
            "{id}/temperature",
            "its messages come back to it",
        ),
        (
            "{id}/alert",
            "+/alert",
            "topic-out: \"sensors/+/alert\" is empty or contains a wildcard",
        ),
        ("/value > 35", "/value >", "route 1: where: "),
        (
            "topic = \"sensors/{id}/temperature\"",
            "topic = \"a#\"",
            "route 1: ",
        ),
        (
            "url = \"mqtt",
            "context = \"x\"\nurl = \"mqtt",
            "one of url, context and file is needed",
        ),
        (
            "url = \"mqtt",
            "url = \"gopher",
            "\"gopher\" is not a scheme",
        ),
        (
            "[[route]]",
            "on-refused = \"nobody\"\n[[route]]",
            "unknown field `on-refused`",
        ),
    ] {
        written(folder.path(), &good.replacen(from, to, 1));
        route(&file, "--check").run().exits(2).says(why);
    }
    written(folder.path(), &format!("on-refused = \"x\"\n{good}"));
    route(&file, "")
        .run()
        .exits(2)
        .says("on-refused: unknown target \"x\"");
    fs::remove_file(&file).unwrap();
    route(&file, "--check").run().exits(8);
}

/// A file with a route and an alert, at this server.
fn watched(url: &str) -> String {
    format!(
        r#"
[source.edge]
url = "{url}"
[target.edge]
url = "{url}"
[target.odd]
file = "odd.ndjson"
[[route]]
from = "edge"
topic = "sensors/{{device}}/{{metric}}"
where = "/value > -40 and /value < 85"
to = "edge"
topic-out = "site1/{{device}}/{{metric}}"
else = "odd"
[[alert]]
name = "high-temp"
from = "edge"
topic = "sensors/{{device}}/temperature"
value = "/value"
above = 27
clear-below = 26
state = "alarms"
to = "edge"
topic-out = "alerts/{{device}}/high_temp"
qos = 2
retain = true
[[alert.escalate]]
after = "100ms"
severity = "critical"
exec = ["sh", "-c", "cat >> escalated.ndjson"]
"#
    )
}

#[test]
fn a_file_has_routes_and_alerts() {
    let mut one = broker("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.toml");
    fs::write(&file, watched(&format!("mqtt://127.0.0.1:{}", one.port))).unwrap();
    iotctl("route --check")
        .word(&file)
        .run()
        .exits(0)
        .says("1 source, 2 targets, 1 route, 1 alert: no mistakes found");
    let printed = iotctl("route --print-config").word(&file).run().exits(0);
    assert!(
        printed
            .text()
            .contains("[[alert.escalate]]\nafter = \"100ms\""),
        "{}",
        printed.text()
    );
    let mut command = iotctl("route r.toml").into_command();
    command.current_dir(folder.path());
    let running = Line::of(command).start();
    one.sees_subscription("sensors/+/temperature");
    let mut watcher = one
        .iotctl("sub -t alerts/# -t site1/# -q 2 --output json")
        .start();
    one.sees_subscription("site1/#");
    let publish = |one: &Broker, value: &str| {
        let body = format!("{{\"value\":{value}}}");
        let line = one
            .iotctl("pub -t sensors/d7/temperature -q 1 -m")
            .word(body);
        line.run().exits(0);
    };
    publish(&one, "28.5");
    let two = watcher.lines(2);
    let records: Vec<Value> = two
        .iter()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let of = |topic: &str| records.iter().find(|it| it["topic"] == topic).unwrap();
    assert_eq!(of("site1/d7/temperature")["payload"], "{\"value\":28.5}");
    let notice = of("alerts/d7/high_temp");
    assert_eq!(notice["mqtt"]["qos"], 2);
    let body: Value = serde_json::from_str(notice["payload"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&body["state"], &body["alert"]),
        (&"firing".into(), &"high-temp".into())
    );
    // Only the step's own command is told of the escalation.
    wait_for("the escalation", || {
        let text = fs::read_to_string(folder.path().join("escalated.ndjson")).ok()?;
        text.contains("\"severity\":\"critical\"").then_some(())
    });
    // It is known over a restart, and ends with the same identifier.
    running.signal("KILL");
    running.ends();
    let mut command = iotctl("route r.toml").into_command();
    command.current_dir(folder.path());
    let running = Line::of(command).start();
    one.sees_subscription("sensors/+/temperature");
    publish(&one, "20");
    let end = loop {
        let record: Value = serde_json::from_str(&watcher.line()).unwrap();
        // What fires may be told again, under the same identifier.
        let notice = record["payload"].as_str().unwrap();
        let notice: Value = serde_json::from_str(notice).unwrap();
        if record["topic"] == "alerts/d7/high_temp" && notice["state"] == "ok" {
            break notice;
        }
    };
    assert_eq!((&end["state"], &end["id"]), (&"ok".into(), &body["id"]));
    running.signal("TERM");
    running.ends();
    one.iotctl("sub -t alerts/# -C 1 --retained-only")
        .run()
        .exits(0);
}

#[test]
fn alerts_are_tried_at_the_times_of_recorded_messages() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.toml");
    let text = watched("mqtt://localhost").replace("after = \"100ms\"", "after = \"10m\"");
    let text = text.replace("above = 27", "above = 27\nfor = \"30s\"");
    fs::write(&file, &text).unwrap();
    let record = |time: &str, value: &str| {
        format!(
            "{{\"time\":\"2026-11-20T{time}Z\",\"protocol\":\"mqtt\",\"topic\":\"sensors/d7/temperature\",\"payload\":\"{{\\\"value\\\":{value}}}\",\"mqtt\":{{\"qos\":1}}}}\n"
        )
    };
    let times = [
        ("21:00:00", "28"),
        ("21:00:40", "28"),
        ("21:11:00", "28"),
        ("21:12:00", "20"),
    ];
    let records = times.map(|(time, value)| record(time, value)).concat();
    let recording = folder.path().join("x.ndjson");
    fs::write(&recording, records).unwrap();
    let tried = iotctl("route")
        .word(&file)
        .word("--test")
        .word(&recording)
        .run()
        .exits(0);
    assert!(!tried.text().contains("1970-01-01"));
    let notices: Vec<(String, String, String)> = tried
        .text()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|line| {
            let notice: Value = serde_json::from_str(line["payload"].as_str()?).ok()?;
            let target = line["target"].as_str()?.to_owned();
            let (at, state) = (notice["at"].as_str()?, notice["state"].as_str()?);
            // The record is of when the notice is.
            assert_eq!(line["time"].as_str()?[..19], at[..19], "{line}");
            Some((target, at.to_owned(), state.to_owned()))
        })
        .collect();
    let expected = [
        ("edge", "2026-11-20T21:00:30.000Z", "firing"),
        (
            "sh -c cat >> escalated.ndjson",
            "2026-11-20T21:10:30.000Z",
            "firing",
        ),
        (
            "sh -c cat >> escalated.ndjson",
            "2026-11-20T21:12:00.000Z",
            "ok",
        ),
        ("edge", "2026-11-20T21:12:00.000Z", "ok"),
    ];
    let mut expected =
        expected.map(|(to, at, state)| (to.to_owned(), at.to_owned(), state.to_owned()));
    let mut notices = notices;
    expected.sort();
    notices.sort();
    assert_eq!(notices, expected);
    assert!(!folder.path().join("alarms").exists(), "nothing is kept");
}

#[test]
fn mistakes_in_alerts_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.toml");
    for (what, instead, says) in [
        ("above = 27", "abov = 27", "unknown field `abov`"),
        (
            "clear-below = 26",
            "clear-below = 28",
            "alert high-temp: clear-below 28 is above the limit 27",
        ),
        (
            "above = 27",
            "above = \"hot\"",
            "alert high-temp: invalid value 'hot' for '--above <NUMBER>'",
        ),
        (
            "alerts/{device}/high_temp",
            "sensors/{device}/temperature",
            "alert high-temp: its messages come back to it",
        ),
        (
            "from = \"edge\"\ntopic = \"sensors/{device}/temperature\"",
            "from = \"x\"\ntopic = \"sensors/{device}/temperature\"",
            "alert high-temp: unknown source \"x\"",
        ),
        (
            "to = \"edge\"\ntopic-out = \"alerts",
            "topic-out = \"alerts",
            "nobody is notified",
        ),
        (
            "name = \"high-temp\"\nfrom = \"edge\"\ntopic = \"sensors/{device}/temperature\"\nvalue = \"/value\"\nabove = 27\nclear-below = 26\nstate = \"alarms\"\n",
            "name = \"high/temp\"\nfrom = \"edge\"\ntopic = \"sensors/{device}/temperature\"\nvalue = \"/value\"\nabove = 27\nclear-below = 26\n",
            "\"high/temp\" cannot be the name of a file",
        ),
        (
            "above = 27",
            "above = 27\nexec = []",
            "exec: the command is empty",
        ),
        (
            "[source.edge]\n",
            "[source.edge]\ntopics = []\n",
            "source edge: topics is empty",
        ),
        (
            "/value < 85",
            "value < 85",
            "a value of a JSON payload is /value",
        ),
    ] {
        let text = watched("mqtt://localhost");
        assert!(text.contains(what), "{what}");
        fs::write(&file, text.replace(what, instead)).unwrap();
        iotctl("route --check")
            .word(&file)
            .run()
            .exits(2)
            .says(says);
    }
    // What a file is read from it is not written to.
    let text =
        "[source.a]\nfile = \"x.ndjson\"\n[target.b]\nfile = \"x.ndjson\"\n[[route]]\nto = \"b\"\n";
    fs::write(&file, text).unwrap();
    fs::write(folder.path().join("x.ndjson"), "").unwrap();
    iotctl("route")
        .word(&file)
        .run()
        .exits(2)
        .says("x.ndjson is read from and written to");
}

/// A file with one route of these numbers.
fn numbered(url: &str, out: &str, more: &str) -> String {
    format!(
        "[source.s]\nurl = \"{url}\"\n[target.a]\nurl = \"{url}\"\n[target.b]\nurl = \"{url}\"\n\
         [[route]]\ntopic = \"n/{{name}}\"\nto = \"a\"\ntopic-out = \"{out}/{{name}}\"\n{more}"
    )
}

#[test]
fn sighup_reads_the_routes_again_and_loses_nothing() {
    const COUNT: usize = 3000;
    let limits = "max_queued_messages 0\nmax_inflight_messages 0\nlog_type notice\n";
    let broker = Mosquitto::start(Settings {
        more: String::from(limits),
        ..Settings::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let file = written(folder.path(), &numbered(&url, "one", ""));
    let mut router = route(&file, "").start();
    broker.sees_subscriptions("n/+", 1);
    let mut watcher = broker.iotctl("sub -t +/x -q 1 -v").start();
    broker.sees_subscriptions("+/x", 1);
    let lines: String = (1..COUNT).map(|number| format!("{number}\n")).collect();
    let publish = broker.iotctl("pub -t n/x -l -q 1").input(lines);
    let publisher = std::thread::spawn(|| publish.run());
    let mut seen = vec![0; COUNT];
    let mut took = |watcher: &mut Running| loop {
        let line = watcher.line();
        let (topic, number) = line.split_once(' ').unwrap();
        if topic != "n/x" {
            seen[number.parse::<usize>().unwrap()] += 1;
            return (topic.to_owned(), seen.iter().all(|times| *times > 0));
        }
    };
    // While messages are under way, the topics change with each file; a bad one changes nothing.
    for (at, out) in ["two", "three", "bad", "four"].iter().enumerate() {
        (0..200).for_each(|_| drop(took(&mut watcher)));
        let text = match *out {
            "bad" => numbered(&url, out, "colour = 1\n"),
            out => numbered(&url, out, ""),
        };
        written(folder.path(), &text);
        router.signal("HUP");
        match at {
            2 => router.hears("routes.toml:11: unknown field `colour`"),
            _ => router.hears("SIGHUP: "),
        };
    }
    publisher.join().unwrap().exits(0);
    let last = broker.iotctl("pub -t n/x -q 1 -m 0").run();
    last.exits(0);
    let last = loop {
        if let (topic, true) = took(&mut watcher) {
            break topic;
        }
    };
    assert_eq!(last, "four/x");
    router.signal("TERM");
    let ended = router.ends();
    ended.says(&format!("{COUNT} delivered")).says("route 1: ");
    assert!(seen.iter().all(|times| *times == 1), "nothing came twice");
    assert_eq!(broker.connections("iotctl-routes-s"), 1);
}

#[test]
fn sighup_takes_what_needs_no_new_connection_or_nothing() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let text = numbered(&url, "one", "");
    let file = written(folder.path(), &text);
    let mut router = route(&file, "").start();
    broker.sees_subscription("n/+");
    let mut watcher = broker.iotctl("sub -t one/x -t two/x -v").start();
    broker.sees_subscription("two/x");
    let publish = |payload: &str| {
        let line = broker.iotctl("pub -t n/x -q 1 -m").word(payload);
        line.run().exits(0);
    };
    publish("1");
    assert_eq!(watcher.line(), "one/x 1");
    let other = text.replace("one/", "two/");
    for (from, to, why) in [
        (
            "[target.b]",
            "[target.c]\nfile = \"c\"\n[target.b]",
            "changes of target c need a restart; the previous file stays in force",
        ),
        (
            "[source.s]\n",
            "window = 3\n[source.s]\nid = \"other\"\n",
            "changes of window, source s need a restart",
        ),
        (
            "\"n/{name}\"",
            "\"m/{name}\"",
            "a subscription to m/+ at source s needs a restart",
        ),
        ("to = \"a\"", "to = \"z\"", "route 1: unknown target \"z\""),
        ("two/{name}", "n/{name}", "its messages come back to it"),
        ("[source.s]", "[source.s", "routes.toml:1: "),
    ] {
        assert!(other.contains(from), "{from}");
        written(folder.path(), &other.replacen(from, to, 1));
        router.signal("HUP");
        router.hears(why);
        publish(why);
        assert_eq!(watcher.line(), format!("one/x {why}"));
    }
    // Less than what is subscribed to, and a condition.
    let fewer = other
        .replace("\"n/{name}\"", "\"n/x\"")
        .replace("{name}", "x");
    let fewer = fewer + "where = \"payload > 5\"\n";
    written(folder.path(), &fewer);
    router.signal("HUP");
    router.hears("routes.toml reloaded: 1 route, 0 alerts");
    publish("4");
    publish("6");
    assert_eq!(watcher.line(), "two/x 6");
    router.signal("TERM");
    let ended = router.ends();
    ended.exits(143).says("route 1: 1 message");
}

#[test]
fn sighup_changes_the_limits_of_alerts_that_are_at_work() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let text = watched(&format!("mqtt://127.0.0.1:{}", broker.port));
    let text = text.replace("state = \"alarms\"", "state = \"alarms\"\nfor = \"1h\"");
    // Commands run where the program does.
    let escalated = folder.path().join("escalated.ndjson");
    let text = text.replace("escalated.ndjson", escalated.to_str().unwrap());
    let file = written(folder.path(), &text);
    let mut running = route(&file, "").start();
    broker.sees_subscription("sensors/+/temperature");
    let mut watcher = broker.iotctl("sub -t alerts/# -q 1").start();
    broker.sees_subscription("alerts/#");
    let publish = |value: &str| {
        let body = format!("{{\"value\":{value}}}");
        let line = broker.iotctl("pub -t sensors/d7/temperature -q 1 -m");
        line.word(body).run().exits(0);
    };
    let notice = |watcher: &mut Running| {
        let notice: Value = serde_json::from_str(&watcher.line()).unwrap();
        let limit = notice["limit"].as_i64().unwrap();
        (notice["state"].as_str().unwrap().to_owned(), limit)
    };
    // It is pending, and fires as soon as it need not be so for an hour.
    publish("30");
    let text = text.replace("for = \"1h\"", "for = \"0s\"");
    written(folder.path(), &text);
    running.signal("HUP");
    running.hears("1 route, 1 alert");
    assert_eq!(notice(&mut watcher), (String::from("firing"), 27));
    let text = text.replace("above = 27", "above = 40");
    let text = text.replace("clear-below = 26", "clear-below = 35");
    written(folder.path(), &text);
    running.signal("HUP");
    running.hears("1 route, 1 alert");
    publish("34");
    assert_eq!(notice(&mut watcher), (String::from("ok"), 40));
    written(
        folder.path(),
        &text.replace("value = \"/value\"", "value = \"/v\""),
    );
    running.signal("HUP");
    running.hears("changes of alert high-temp need a restart");
    running.signal("TERM");
    running.ends();
}

/// The schema of the file has the keys that the program reads, and no others.
#[test]
fn the_schema_describes_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let schema = schema("routes");
    let has = |table: &Value| -> BTreeSet<String> {
        let properties = table["properties"].as_object().unwrap();
        properties.keys().cloned().collect()
    };
    // The parser names all keys of a table where it meets one that it does not know.
    for (table, text) in [
        ("", ""),
        ("spool", "[spool]\n"),
        ("source", "[source.s]\n"),
        ("target", "[target.t]\n"),
        ("route", "[[route]]\n"),
        ("alert", "[[alert]]\n"),
        ("step", "[[alert]]\n[[alert.escalate]]\n"),
    ] {
        let file = written(folder.path(), &format!("{text}no-such = 1\n"));
        let mut line = route(&file, "--print-config").start();
        let said = line.hears("unknown field `no-such`, expected one of ");
        line.ends().exits(2);
        let (_, keys) = said.split_once("expected one of ").unwrap();
        let keys = keys.split(", ").map(|key| key.trim_matches('`').to_owned());
        let described = match table {
            "" => &schema,
            table => &schema["$defs"][table],
        };
        assert_eq!(has(described), keys.collect(), "{table}");
    }
    let file = written(folder.path(), &watched("mqtt://localhost"));
    let printed = route(&file, "--print-config").run().exits(0);
    let printed: Value = toml::from_str(printed.text()).unwrap();
    known(&schema, &schema, &printed, "routes");
}

/// Stores and a command, by the words of `log` and of `--exec`.
const STORES: &str = r#"
[source.edge]
url = "URL"
[target.rows]
file = "rows.csv"
columns = "{device},value=/value"
[target.plain]
file = "plain.csv"
[target.points]
influx = "influx:points.lp"
measurement = "weather"
tag = "device={device}"
[target.run]
exec = ["sh", "-c", "cat >> ran"]
workers = 1
[[route]]
topic = "sensors/{device}/temp"
to = ["rows", "plain", "points", "run"]
"#;

#[test]
fn targets_are_stores_and_commands_too() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let file = written(folder.path(), &STORES.replace("URL", &url));
    let mut command = route(&file, "").into_command();
    command.current_dir(folder.path());
    let mut router = Line::of(command).start();
    broker.sees_subscription("sensors/+/temp");
    broker
        .iotctl("pub -t sensors/hall/temp -q 1")
        .word("-m")
        .word("{\"value\": 21.5}")
        .run()
        .exits(0);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    wait_for("the command", || {
        (read("ran") == "{\"value\": 21.5}").then_some(())
    });
    router.signal("TERM");
    router.hears("received 1 message: 1 delivered");
    router.ends().exits(143);
    assert_eq!(read("rows.csv"), "device,value\nhall,21.5\n");
    assert!(read("plain.csv").starts_with("time,topic,payload,encoding,qos,retain\n"));
    let points = read("points.lp");
    assert!(
        points.starts_with("weather,device=hall value=21.5 "),
        "{points}"
    );
}

/// Messages of a file come at their pace where that is asked for.
#[test]
fn a_file_is_a_source_at_its_pace() {
    let folder = tempfile::tempdir().unwrap();
    let readings = recording(folder.path(), &[("a", "1"), ("a", "2"), ("a", "3")]);
    let text = format!(
        "[source.day]\nfile = {:?}\nSPEED\n[target.out]\nfile = \"-\"\n[[route]]\nto = \"out\"\n",
        readings.display().to_string()
    );
    let took = |speed: &str| {
        let file = written(folder.path(), &text.replace("SPEED", speed));
        let begun = Instant::now();
        let ended = route(&file, "").run().exits(0);
        assert_eq!(ended.text().lines().count(), 3);
        begun.elapsed()
    };
    // Two seconds were recorded.
    assert!(took("speed = 4") >= Duration::from_millis(500));
    assert!(took("speed = 2.5") >= Duration::from_millis(800));
    let fast = written(folder.path(), &text.replace("SPEED", ""));
    route(&fast, "").run().exits(0);
}

#[test]
fn mistakes_in_stores_and_routes_that_are_never_reached_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let good = STORES.replace("URL", "mqtt://127.0.0.1:1");
    let file = written(folder.path(), &good);
    route(&file, "--check")
        .run()
        .exits(0)
        .says("4 targets, 1 route: no mistakes found");
    for (from, to, why) in [
        ("{device},value", "{dev},value", "target rows: --columns: "),
        (
            "measurement = \"weather\"\n",
            "",
            "target points: InfluxDB needs a --measurement",
        ),
        ("influx:points", "points", "does not begin with influx"),
        (
            "workers = 1",
            "workers = 0",
            "target run: workers must be at least 1",
        ),
        (
            "workers = 1",
            "columns = \"topic\"",
            "target run: a command is no server and no store",
        ),
        (
            "exec = [\"sh\", \"-c\", \"cat >> ran\"]",
            "",
            "exec-json and workers need exec",
        ),
        (
            "file = \"rows.csv\"",
            "url = \"mqtt://h\"",
            "target rows: columns needs one of file, sqlite and influx",
        ),
        (
            "file = \"rows.csv\"",
            "url = \"mqtt://h\"\nfile = \"rows.csv\"",
            "url and context do not fit",
        ),
        ("rows.csv", "rows.ndjson", "--columns"),
        (
            "file = \"plain.csv\"",
            "file = \"sqlite:x.db\"",
            "target plain: file: sqlite:x.db is a store: write sqlite = … or influx = …",
        ),
        (
            "plain.csv",
            "plain.ndjson.gz",
            "plain.ndjson.gz: records are not compressed",
        ),
        (
            "[target.rows]",
            "speed = 1\n[target.rows]",
            "speed is for a file",
        ),
        (
            "url = \"mqtt://127.0.0.1:1\"",
            "file = \"in.ndjson\"\nspeed = 0",
            "source edge: speed: 0 is no speed: 1 is as recorded",
        ),
    ] {
        let other = good.replacen(from, to, 1);
        assert_ne!(other, good, "{from}");
        written(folder.path(), &other);
        route(&file, "--check").run().exits(2).says(why);
    }
    let route_of =
        |topic: &str, more: &str| format!("[[route]]\ntopic = \"{topic}\"\nto = \"plain\"\n{more}");
    for (first, second, is_told) in [
        (route_of("a/#", "last = true\n"), "a/+/{x}", true),
        (route_of("+/{b}", "last = true\n"), "a/b", true),
        (route_of("a/+", "last = true\n"), "a/#", false),
        (route_of("a/#", ""), "a/b", false),
        (
            route_of("a/#", "last = true\nwhere = \"/x > 1\"\n"),
            "a/b",
            false,
        ),
    ] {
        written(
            folder.path(),
            &(good.clone() + &first + &route_of(second, "")),
        );
        let ended = route(&file, "--check").run().exits(0);
        let told = ended.stderr.contains("route 3 is never reached");
        assert_eq!(told, is_told, "{first} {second}");
    }
}

#[test]
fn a_gateway_may_be_source_and_target() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
[source.gate]
url = "coap-listen://127.0.0.1:5999"
[source.edge]
url = "mqtt://127.0.0.1:1"
[target.gate]
url = "coap-listen://127.0.0.1:5999"
[target.edge]
url = "mqtt://127.0.0.1:1"
[[route]]
from = "gate"
topic = "g/#"
to = "edge"
[[route]]
from = "edge"
topic = "g/#"
to = "gate"
"#;
    let file = written(folder.path(), text);
    route(&file, "--check").run().exits(0);
    let back = text.to_owned() + "[[route]]\nfrom = \"edge\"\ntopic = \"g/#\"\nto = \"edge\"\n";
    written(folder.path(), &back);
    route(&file, "--check")
        .run()
        .exits(2)
        .says("its messages come back to it");
}

#[test]
fn a_source_that_floods_does_not_keep_out_another() {
    let mut broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let flood = folder.path().join("flood");
    let made = program("mkfifo", "").word(&flood).into_command().status();
    assert!(made.unwrap().success());
    let text = format!(
        "[source.flood]\nfile = {flood:?}\n[source.calm]\nurl = \"{url}\"\n[target.t]\nurl = \"{url}\"\n\
         [[route]]\nfrom = [\"flood\"]\ntopic = \"#\"\nto = \"t\"\nqos = 1\n\
         [[route]]\nfrom = [\"calm\"]\ntopic = \"calm/{{rest...}}\"\nto = \"t\"\ntopic-out = \"out/{{rest}}\"\nqos = 1\n",
        url = format_args!("mqtt://127.0.0.1:{}", broker.port)
    );
    let file = written(folder.path(), &text);
    let router = route(&file, "--quiet").start();
    let flooding = std::thread::spawn(move || {
        let mut pipe = fs::OpenOptions::new().write(true).open(flood).unwrap();
        // Until the router has ended.
        while pipe
            .write_all(b"{\"topic\":\"f\",\"payload\":\"x\"}\n")
            .is_ok()
        {}
    });
    broker.sees_subscription("calm/#");
    let mut watcher = broker.iotctl("sub -t out/# -q 1 -v").start();
    broker.sees_subscription("out/#");
    broker.iotctl("pub -t calm/1 -q 1 -m here").run().exits(0);
    assert_eq!(watcher.line(), "out/1 here");
    router.signal("TERM");
    router.ends().exits(143);
    flooding.join().unwrap();
}
