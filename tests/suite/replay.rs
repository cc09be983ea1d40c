//! `iotctl replay`: recorded with one command, sent again with the other, byte for byte and in time.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::broker::{broker, started};
use crate::support::coap;
use crate::support::command::{Line, Running, iotctl, program};
use crate::support::mosquitto::{Mosquitto, Settings, mosquitto};
use crate::support::peer::{Peer, drain, read_until, welcome};
use crate::support::{PATIENCE, wait_for};

/// A record: milliseconds after a point in time, topic, payload.
fn record(millis: u64, topic: &str, payload: &str, mqtt: &str) -> String {
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let time = format!("2026-11-20T21:{minutes:02}:{seconds:02}.{millis:03}Z");
    let (topic, payload) = (Value::from(topic), Value::from(payload));
    format!(
        "{{\"time\":\"{time}\",\"protocol\":\"mqtt\",\"topic\":{topic},\"payload\":{payload},\"mqtt\":{{{mqtt}}}}}\n"
    )
}

/// A folder with files of recordings.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

fn replay(file: &Path, words: &str) -> Line {
    iotctl("replay").word(file).words(words)
}

fn mqtt_url(port: u16) -> String {
    format!("mqtt://127.0.0.1:{port}")
}

/// Topic and payload of each record, sorted.
fn pairs(records: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = records
        .lines()
        .map(|line| {
            let record: Value = serde_json::from_str(line).unwrap();
            let body = ["payload", "payload_base64"]
                .into_iter()
                .find_map(|name| record[name].as_str())
                .unwrap();
            (
                record["topic"].as_str().unwrap().to_owned(),
                body.to_owned(),
            )
        })
        .collect();
    pairs.sort();
    pairs
}

#[test]
fn what_was_recorded_at_mosquitto_is_sent_again_byte_for_byte() {
    let folder = Folder::new();
    let source = mosquitto();
    let recorder = source.iotctl("sub -t # --output json -C 5 --retain-as-published");
    let recorder = recorder.start();
    source.sees_subscriptions("#", 1);
    for words in [
        "-t a/b -q 1 -m plain",
        "-t a/c -q 2 -r -m kept",
        "-t a/b -q 0 --hex -m 00ff0a",
        "-t a/ä -q 1 -n",
        "-t a/b -q 1 -m props -D publish user-property k v -D publish content-type text/x",
    ] {
        source.iotctl(&format!("pub {words}")).run().exits(0);
    }
    let recorded = recorder.ends_by_itself().exits(0).text().to_owned();
    let file = folder.file("day.ndjson", &recorded);

    let target = mosquitto();
    let receiver = target.iotctl("sub -t # -q 2 --output json -C 5 --retain-as-published");
    let receiver = receiver.start();
    target.sees_subscriptions("#", 1);
    replay(&file, "--speed max --to")
        .word(mqtt_url(target.port))
        .run()
        .exits(0)
        .says("replayed 5 messages in ");
    let again = receiver.ends_by_itself().exits(0).text().to_owned();
    // Times and packet identifiers are of their connection.
    let content = |text: &str| -> Vec<Value> {
        let records = text.lines().map(|line| {
            let mut record: Value = serde_json::from_str(line).unwrap();
            let record = record.as_object_mut().unwrap();
            record.remove("time");
            let mqtt = record["mqtt"].as_object_mut().unwrap();
            mqtt.remove("packet_id");
            // The recorder subscribed at QoS 0.
            mqtt.remove("qos");
            Value::Object(record.clone())
        });
        records.collect()
    };
    assert_eq!(content(&again), content(&recorded));
}

#[test]
fn messages_come_at_their_pace_and_late_ones_are_counted() {
    let folder = Folder::new();
    let many: String = (0..100)
        .map(|number| record(number * 10, "a", &number.to_string(), "\"qos\":1"))
        .collect();
    let file = folder.file("second.ndjson", many);
    let broker = broker("");
    let words = "--output json --speed 2 --assert lag_max<10s --to";
    let ended = replay(&file, words)
        .word(mqtt_url(broker.port))
        .run()
        .exits(0)
        .quietly();
    let account: Value = serde_json::from_str(ended.text()).unwrap();
    assert_eq!(account["messages"], 100);
    // However busy the machine, nothing is sent before it is due.
    assert!(account["elapsed_s"].as_f64().unwrap() >= 0.495, "{account}");
    assert!(account["lag_p99_ms"].is_number() && account["late"].is_number());
    replay(&file, "--speed 100 --assert")
        .word("lag_max < 0s")
        .words("--to")
        .word(mqtt_url(broker.port))
        .run()
        .exits(7)
        .says("iotctl: not met: lag_max < 0s, but it is ");
}

/// A mosquitto that drops nothing, and keeps it when it is stopped.
fn patient() -> Mosquitto {
    let more = "max_queued_messages 0\nmax_inflight_messages 0\npersistence true\n";
    Mosquitto::start(Settings {
        more: more.to_owned(),
        ..Settings::default()
    })
}

#[test]
fn a_server_that_goes_and_comes_back_gets_every_message() {
    const COUNT: usize = 3000;
    let folder = Folder::new();
    let many: String = (0..COUNT as u64)
        .map(|number| record(number, "lines", &number.to_string(), "\"qos\":1"))
        .collect();
    let file = folder.file("many.ndjson", many);
    let mut broker = patient();
    broker
        .iotctl("sub -i receiver -c -q 1 -t lines -E")
        .run()
        .exits(0);
    let mut witness = broker.iotctl("sub -t lines --retry forever").start();
    broker.sees_subscriptions("lines", 2);
    let mut replaying = replay(&file, "--to").word(mqtt_url(broker.port)).start();
    witness.lines(COUNT / 10);
    broker.stop();
    replaying.hears("retrying in");
    broker.restart();
    replaying.ends_by_itself().exits(0);
    let kept = broker.iotctl("sub -i receiver -c -q 1 -t lines --idle 3s");
    let kept = kept.run().exits(0);
    let mut counts = BTreeMap::<usize, usize>::new();
    for line in kept.text().lines() {
        *counts.entry(line.parse().unwrap()).or_default() += 1;
    }
    assert_eq!(counts.len(), COUNT);
}

#[test]
fn mqtt_goes_to_amqp_and_coap() {
    let folder = Folder::new();
    let text = [
        record(
            0,
            "site/a",
            "1",
            "\"qos\":1,\"content_type\":\"text/plain\"",
        ),
        record(10, "site/b", "2", "\"qos\":0"),
    ]
    .concat();
    let file = folder.file("site.ndjson", text);

    let amqp = started(iotctl("amqp broker --listen 127.0.0.1:0"));
    let url = format!("amqp://127.0.0.1:{}", amqp.port);
    iotctl("amqp declare queue")
        .word(&url)
        .word("q")
        .run()
        .exits(0);
    iotctl("amqp bind")
        .word(&url)
        .words("q -e amq.topic -k site.#")
        .run()
        .exits(0);
    replay(&file, "--speed max --to").word(&url).run().exits(0);
    let got = iotctl("amqp consume")
        .word(&url)
        .words("q -C 2 --output json");
    let got = got.run().exits(0);
    let first: Value = serde_json::from_str(got.text().lines().next().unwrap()).unwrap();
    assert_eq!(first["topic"], "site.a");
    assert_eq!(first["amqp"]["content_type"], "text/plain");
    let pairs = pairs(got.text());
    assert_eq!(pairs[1], ("site.b".to_owned(), "2".to_owned()));
    // What no queue gets is refused.
    replay(&file, "--speed max --topic other/ --to")
        .word(&url)
        .run()
        .exits(1);

    let server = coap::server("-r /site=store", &["coap"]);
    replay(&file, "--speed max --to")
        .word(&server.uris[0])
        .run()
        .exits(0);
    for (path, body) in [("/site/a", "1"), ("/site/b", "2")] {
        let uri = format!("{}{path}", server.uris[0].trim_end_matches('/'));
        iotctl("coap get").word(uri).run().exits(0).prints(body);
    }
}

#[test]
fn standard_output_gets_records_at_their_pace_compressed_or_not() {
    let folder = Folder::new();
    let text = [
        record(0, "a", "1", "\"qos\":1"),
        record(300, "b", "3", "\"qos\":1"),
        record(200, "a", "2", "\"qos\":1"),
    ]
    .concat();
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    let file = folder.file("packed", packed.finish().unwrap());
    replay(&file, "--speed 10")
        .run()
        .exits(0)
        .prints("1\n2\n3\n")
        .says("packed: 1 record is out of order by less than 1s")
        .says("replayed 3 messages in ");
    // What one writes the other reads.
    let records = replay(&file, "--speed max --output json --quiet");
    let records = records.run().exits(0).quietly();
    iotctl("replay - --speed max --topic site1/ -F")
        .word("%t=%p")
        .input(records.text())
        .run()
        .exits(0)
        .prints("site1/a=1\nsite1/a=2\nsite1/b=3\n");
    // Into a file as records, too.
    let copy = folder.0.path().join("copy.ndjson");
    let copied = replay(&file, "--speed max --to").word(&copy).run();
    copied.exits(0);
    assert_eq!(fs::read_to_string(&copy).unwrap(), records.text());
    let other = folder.file("other", record(250, "c", "between", ""));
    replay(&file, "--speed max")
        .word(&other)
        .run()
        .exits(0)
        .prints("1\n2\nbetween\n3\n");
    replay(&file, "--speed max --loop 2 --filter")
        .word("topic == a")
        .run()
        .exits(0)
        .prints("1\n2\n1\n2\n");
}

#[test]
fn a_part_begins_with_what_was_retained() {
    let folder = Folder::new();
    let text = [
        record(0, "state/a", "old", "\"retain\":true"),
        record(1000, "state/a", "new", "\"retain\":true"),
        record(1000, "event", "missed", ""),
        record(61_000, "event", "seen", ""),
        record(120_000, "event", "behind", ""),
    ]
    .concat();
    let file = folder.file("states.ndjson", text);
    let shown = |words: &str| {
        let ended = replay(&file, "--speed max -v").words(words).run().exits(0);
        ended.text().to_owned()
    };
    let wanted = "state/a new\nevent seen\n";
    assert_eq!(shown("--from 21:01 --until 21:02 --prime"), wanted);
    assert_eq!(shown("--from +10s --until +2m --prime"), wanted);
    let times = "--from 2026-11-20T21:01:00Z --until 2026-11-20T21:02:00Z";
    assert_eq!(shown(times), "event seen\n");
    // A new subscriber finds it, too.
    let broker = mosquitto();
    replay(&file, "--speed max --from 21:01 --prime --to")
        .word(mqtt_url(broker.port))
        .run()
        .exits(0);
    let states = broker.iotctl("sub -t state/# -v -C 1");
    states.run().exits(0).prints("state/a new\n");
}

#[test]
fn times_in_payloads_move_along() {
    let folder = Folder::new();
    let text = [
        record(0, "a", r#"{"ts":1763672400,"v":1.50}"#, ""),
        record(2000, "a", r#"{"ts":1763672402,"v":2}"#, ""),
        record(2000, "a", "no time", ""),
    ]
    .concat();
    let file = folder.file("times.ndjson", text);
    let ended = replay(&file, "--speed 100 --retime /ts").run().exits(0);
    let lines: Vec<_> = ended.text().lines().collect();
    let first: Value = serde_json::from_str(lines[0]).unwrap();
    let moved = first["ts"].as_i64().unwrap() - 1_763_672_400;
    assert!(
        moved != 0 && lines[0].ends_with(",\"v\":1.50}"),
        "{}",
        lines[0]
    );
    assert_eq!(lines[2], "no time");
    // By an expression, which fails where there is no time.
    let line = replay(&file, "--speed max --until +1s --retime");
    let ended = line
        .word("jq: .ts += (now - ($time | fromdate) | floor)")
        .run()
        .exits(0);
    let first: Value = serde_json::from_str(ended.text().trim()).unwrap();
    assert!(first["ts"].as_i64().unwrap() > 1_763_672_400);
    replay(&file, "--speed max --retime")
        .word("jq: .ts += 1")
        .run()
        .exits(1)
        .says("a: ");
}

#[test]
fn a_directory_stands_for_the_recordings_in_it() {
    let folder = Folder::new();
    folder.file("00000002.ndjson", record(1000, "b", "2", ""));
    folder.file("00000001.ndjson", record(0, "a", "1", ""));
    folder.file("bad.ndjson", "{\"ti");
    folder.file("cursor", "3");
    replay(folder.0.path(), "--speed max -v")
        .run()
        .exits(0)
        .prints("a 1\nb 2\n");
    let empty = Folder::new();
    replay(empty.0.path(), "--info")
        .run()
        .exits(2)
        .says("no *.ndjson or *.ndjson.gz in it");
}

#[test]
fn a_recording_is_shown_with_the_fields_of_its_protocol() {
    let folder = Folder::new();
    let text = r#"{"time":"2026-11-20T21:00:00Z","protocol":"amqp","topic":"k","payload":"1","amqp":{"exchange":"logs"}}"#;
    let file = folder.file("amqp.ndjson", text);
    replay(&file, "--speed max --output csv --columns topic,exchange")
        .run()
        .exits(0)
        .prints("topic,exchange\nk,logs\n");
    replay(&file, "--speed max -F")
        .word("%{exchange} %p")
        .run()
        .exits(0)
        .prints("logs 1\n");
    replay(&file, "--output csv --columns exchnge")
        .run()
        .exits(2)
        .says("did you mean exchange?");
}

#[test]
fn a_replay_goes_through_a_proxy() {
    let folder = Folder::new();
    let file = folder.file("one.ndjson", record(0, "a", "1", ""));
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://127.0.0.1:{}", nobody.local_addr().unwrap().port());
    drop(nobody);
    replay(
        &file,
        "--to mqtt://broker.invalid --connect-timeout 10s -4 --proxy",
    )
    .word(&proxy)
    .run()
    .exits(3)
    .says("127.0.0.1:");
}

#[test]
fn a_part_beside_the_recording_is_refused() {
    let folder = Folder::new();
    let text = [record(0, "a", "1", ""), record(60_000, "a", "2", "")].concat();
    let file = folder.file("part.ndjson", &text);
    for (words, why) in [
        (
            "--from 23:00",
            "--from 2026-11-20T23:00:00.000Z is after the end",
        ),
        (
            "--until 20:00",
            "--until 2026-11-20T20:00:00.000Z is before the beginning",
        ),
        (
            "--from +2m",
            "was made from 2026-11-20T21:00:00.000Z to 2026-11-20T21:01:00.000Z",
        ),
        ("--from +30s --until +20s", "is not after --from"),
    ] {
        replay(&file, words).run().exits(2).says(why);
    }
    iotctl("replay - --from +2m")
        .input(text)
        .run()
        .exits(0)
        .says("no record is within --from and --until");
}

#[test]
fn files_of_rows_and_databases_are_written_as_log_does() {
    let folder = Folder::new();
    let day = record(0, "a/b", "1", "\"qos\":1") + &record(10, "a/c", "2,3", "\"qos\":0");
    let day = folder.file("day.ndjson", day);
    let out = |name: &str| folder.0.path().join(name);
    replay(&day, "--speed max --to")
        .word(out("out.csv"))
        .run()
        .exits(0)
        .says("replayed 2 messages");
    iotctl("log --quiet")
        .word(&day)
        .words("--to")
        .word(out("log.csv"))
        .run()
        .exits(0);
    let rows = fs::read_to_string(out("out.csv")).unwrap();
    assert!(rows.ends_with(",a/c,\"2,3\",utf-8,0,false\n"), "{rows}");
    assert_eq!(rows, fs::read_to_string(out("log.csv")).unwrap());
    // Another format is another file.
    replay(&day, "--speed max --output json --to")
        .word(out("records.csv"))
        .run()
        .exits(0);
    let records = fs::read_to_string(out("records.csv")).unwrap();
    assert!(records.starts_with('{'), "{records}");
    let database = format!("sqlite:{}", out("out.db").display());
    let ended = replay(&day, "--speed max --to").word(&database).run();
    match cfg!(feature = "sqlite") {
        true => {
            ended.exits(0).says("replayed 2 messages");
            let file = fs::read(out("out.db")).unwrap();
            assert!(file.starts_with(b"SQLite format 3"));
        }
        false => {
            ended.exits(2);
            assert!(!out("out.db").exists());
        }
    }
}

#[test]
fn targets_that_would_get_something_else_than_their_name_says_are_refused() {
    let folder = Folder::new();
    let day = folder.file("day.ndjson", record(0, "a/b", "1", ""));
    for (to, why, hint) in [
        ("FOLDER/x.ndjson.gz", "records are not compressed", "--gzip"),
        (
            "influx:FOLDER/x.lp",
            "is not said here",
            "iotctl log FILE --to influx:",
        ),
        ("influx://u:secret@h/d", "is not said here", "--measurement"),
        ("exec:cat", "a command is not named here", "iotctl route"),
        ("sqlite:", "expected sqlite:FILE", ""),
    ] {
        let to = to.replace("FOLDER", &folder.0.path().display().to_string());
        let ended = replay(&day, "--to").word(&to).run().exits(2);
        let ended = ended.says(why).says(hint);
        assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
    }
    let ended = replay(&day, "mqtt://127.0.0.1:1").run().exits(2);
    ended
        .says("is a server, and no recording")
        .says("--to mqtt://127.0.0.1:1");
    for words in [
        "bridge mqtt://127.0.0.1:1 sqlite:x.db",
        "bridge sqlite:x.db mqtt://127.0.0.1:1",
        "alert mqtt://127.0.0.1:1 -t a/{b} --above 1 --topic-out o --to influx:x",
    ] {
        iotctl(words)
            .run()
            .exits(2)
            .says("is not a server")
            .says("`iotctl log` keeps messages there");
    }
    for words in ["log sqlite:x.db --to -", "watch sqlite:x.db --once"] {
        iotctl(words)
            .run()
            .exits(2)
            .says("sqlite:x.db cannot be read from");
    }
    assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), 1);
}

#[test]
fn numbers_are_told_while_messages_are_sent() {
    let folder = Folder::new();
    let day = record(0, "a", "1", "") + &record(600_000, "b", "2", "");
    let day = folder.file("day.ndjson", day);
    let mut running = replay(&day, "--report 100ms --prometheus-listen 127.0.0.1:0").start();
    running.hears("metrics at http://127.0.0.1:");
    running.hears("received 1: 1 stored");
    running.signal("INT");
    running.ends();
    replay(&day, "--info --report 1s")
        .run()
        .exits(2)
        .says("--report needs messages to be sent");
}

#[test]
fn what_is_in_a_recording() {
    let folder = Folder::new();
    let text = [
        record(0, "a", "12", ""),
        record(500, "b", "3", ""),
        record(10_500, "a", "4", ""),
    ]
    .concat();
    let file = folder.file("day.ndjson", &text);
    let info = replay(&file, "--info").run().exits(0);
    for line in [
        "records   3\n",
        "protocols mqtt 3\n",
        "first     2026-11-20T21:00:00.000Z\n",
        "duration  10.500 s\n",
        "gap       10.000 s after 2026-11-20T21:00:00.500Z\n",
        "  2  a\n  1  b\n",
    ] {
        assert!(info.text().contains(line), "{}", info.text());
    }
    let info = replay(&file, "--info --output json").run().exits(0);
    let info: Value = serde_json::from_str(info.text()).unwrap();
    assert_eq!(info["topics"]["a"], 2);
    assert_eq!(info["payload_bytes"], 4);
    replay(&file, "--check")
        .run()
        .exits(0)
        .says("3 records, in order");
    let torn = folder.file("torn.ndjson", &text[..text.len() - 5]);
    replay(&torn, "--check --max-gap 200ms")
        .run()
        .exits(7)
        .contains(":3: the line is incomplete")
        .contains("a gap of 500ms after 2026-11-20T21:00:00.000000Z")
        .says("2 problems in the recording");
    let plan = replay(
        &file,
        "--dry-run --speed 2 --topic site1/ --to mqtt://nowhere.invalid",
    );
    plan.run().exits(0).prints(
        "0.000 site1/a qos=0 retain=false size_bytes=2\n0.250 site1/b qos=0 retain=false size_bytes=1\n5.250 site1/a qos=0 retain=false size_bytes=1\n",
    );
}

#[test]
fn a_torn_last_record_is_skipped_and_told() {
    let folder = Folder::new();
    let text = [record(0, "a", "1", ""), record(1, "a", "2", "")].concat();
    let file = folder.file("torn.ndjson", &text[..text.len() - 9]);
    replay(&file, "")
        .run()
        .exits(0)
        .prints("1\n")
        .says("torn.ndjson:2: the line is incomplete: skipped");
}

#[test]
fn what_the_target_cannot_carry_or_does_not_take_is_refused_where_that_is_asked() {
    let folder = Folder::new();
    let property = "\"qos\":1,\"user_properties\":[[\"a\",\"b\"]]";
    let records = record(0, "s/a", "1", property) + &record(1, "s/b", "2", "\"qos\":1");
    let file = folder.file("two.ndjson", records);
    let server = coap::server("-r /s=store", &["coap"]);
    let words = format!("--to {} --speed max", server.uris[0]);
    let told = "user properties";
    replay(&file, &words).run().exits(0).says(told);
    // The other one is sent all the same.
    replay(&file, &format!("{words} --strict"))
        .run()
        .exits(1)
        .says("user properties cannot be carried to the other protocol")
        .says("of 2 requests sent, 1 succeeded, 1 refused");
    let poor = broker("--max-qos 0");
    let words = format!("--to {} --speed max", mqtt_url(poor.port));
    let told = "the server supports at most QoS 0";
    replay(&file, &words).run().exits(0);
    replay(&file, &format!("{words} --strict"))
        .run()
        .exits(1)
        .says(told);
}

/// Whatever a killed process may leave is a warning; what is no record is not.
#[test]
fn a_file_that_is_no_recording_is_refused_though_it_has_no_line_feed() {
    let folder = Folder::new();
    for (name, bytes) in [
        ("notes.ndjson", &b"hello"[..]),
        ("number.ndjson", b"21.5"),
        ("image.ndjson", b"\x89PNG\r"),
        ("zeros.ndjson", &[0; 100]),
        ("list.ndjson", b"[1"),
    ] {
        let file = folder.0.path().join(name);
        fs::write(&file, bytes).unwrap();
        let said = format!("{}:1: not a JSON object", file.display());
        let shown = file.display();
        for command in [
            format!("replay {shown}"),
            format!("watch {shown} --once"),
            format!("log {shown} --to -"),
            format!("alert {shown} -t a --above 1"),
        ] {
            iotctl(&command).run().exits(2).says(&said);
        }
    }
    let whole = record(0, "a", "1", "");
    let wrong = folder.file("braces.ndjson", "{hello");
    replay(&wrong, "").run().exits(2).says("braces.ndjson:1: ");
    let wrong = folder.file("second.ndjson", [&whole, "hello"].concat());
    let refused = replay(&wrong, "").run().exits(2);
    refused.says("second.ndjson:2: not a JSON object");
    let wrong = folder.file("rows.csv", "hello");
    let rows = replay(&wrong, "--import mqtt-recorder").run().exits(2);
    rows.says("1 fields instead of 6");
    // Wherever the last record was cut off, it is one that was begun; a power cut may leave zeros.
    let number = "{\"time\":\"2026-11-20T21:00:01Z\",\"topic\":\"ä\",\"x\":-1.5e+7,\"y\":[true,null,\"\\u00e4\"]}";
    for cut in 1..number.len() {
        let bytes = [whole.as_bytes(), &number.as_bytes()[..cut]].concat();
        let file = folder.0.path().join("cut.ndjson");
        fs::write(&file, bytes).unwrap();
        let torn = replay(&file, "--speed max").run().exits(0);
        torn.prints("1\n")
            .says("cut.ndjson:2: the line is incomplete: skipped");
    }
    let zeros = folder.file("zeros-after.ndjson", [&whole, "{\"ti\0\0\0"].concat());
    let torn = replay(&zeros, "").run().exits(0);
    torn.prints("1\n")
        .says("zeros-after.ndjson:2: the line is incomplete: skipped");
}

#[test]
fn what_is_wrong_is_said_before_anything_is_sent() {
    let folder = Folder::new();
    let nowhere = "--to mqtt://127.0.0.1:1";
    let good = record(0, "a", "1", "");
    let bad = folder.file("bad.ndjson", format!("{good}{{\"topic\":\"a\"}}\n{good}"));
    replay(&bad, nowhere)
        .run()
        .exits(2)
        .says("bad.ndjson:2: no payload");
    let nameless = folder.file("nameless.ndjson", "{\"payload\":\"x\"}\n");
    replay(&nameless, nowhere)
        .run()
        .exits(2)
        .says(":1: no topic; use --topic-out TOPIC");
    let wild = folder.file("wild.ndjson", "{\"topic\":\"a/#\",\"payload\":\"x\"}\n");
    replay(&wild, nowhere).run().exits(2).says(":1: ");
    let answers = "{\"topic\":\"a\",\"payload\":\"x\",\"mqtt\":{\"response_topic\":\"a/#\"}}\n";
    let answers = folder.file("answers.ndjson", answers);
    for words in [nowhere, "--to mqtt://127.0.0.1:1 --topic b"] {
        let ended = replay(&answers, words).run().exits(2);
        ended.says(":1: response_topic: ");
    }
    replay(&folder.0.path().join("none"), nowhere)
        .run()
        .exits(8)
        .says("cannot read ");
    let good = folder.file("good.ndjson", good);
    for (words, said) in [
        ("--speed 0", "--speed"),
        ("--speed -1", "--speed"),
        ("--loop 0", "--loop"),
        ("--from noon", "--from"),
        ("--prime", "--from"),
        ("--qos 3", "--qos"),
        ("--retime ts", "--retime"),
        ("--assert lag<5ms", "unknown figure"),
        (
            "--speed max --assert late<5",
            "--assert needs a pace, so not --speed max",
        ),
        ("--topic a/#", "--topic"),
        ("--to http://127.0.0.1", "is not a scheme"),
        ("--output csv --info", "--output"),
    ] {
        replay(&good, words).run().exits(2).says(said);
    }
    replay(&good, "--to")
        .word(&good)
        .run()
        .exits(2)
        .says("good.ndjson is the target, and replayed");
    iotctl("replay - --loop 2")
        .run()
        .exits(2)
        .says("--loop cannot read standard input again");
    iotctl("replay - -")
        .run()
        .exits(2)
        .says("- was given twice");
    // A stream is found to be wrong only when some of it was sent.
    iotctl("replay -")
        .input("{\"topic\":\"a\",\"payload\":\"1\",\"time\":\"2026-11-20T21:00:00Z\"}\nno record\n")
        .run()
        .exits(8)
        .prints("1\n")
        .says("standard input:2: not a JSON object");
}

#[test]
fn recordings_of_mqtt_recorder_are_imported() {
    let folder = Folder::new();
    let rows = "a/b,\"{\"\"v\"\": 1}\",1,True,1763672400.0,0.5\r\na/c,\"two\nlines\",0,False,1763672400.25,0.25\r\n";
    let file = folder.file("day.csv", rows);
    let ended = replay(&file, "--import mqtt-recorder --speed 10 --output json");
    let ended = ended.run().exits(0);
    let wanted = [("a/b", "{\"v\": 1}"), ("a/c", "two\nlines")];
    let wanted = wanted.map(|(topic, payload)| (topic.to_owned(), payload.to_owned()));
    assert_eq!(pairs(ended.text()), wanted);
    replay(&file, "--import mqtt-recorder-base64")
        .run()
        .exits(2)
        .says(":1: payload: not base64");
}

/// A message as rabtap shows it.
fn rabtapped(seconds: u32, key: &str, body: &str) -> String {
    format!(
        r#"{{
  "Headers": {{
    "site": "north"
  }},
  "ContentType": "text/plain",
  "ContentEncoding": "",
  "DeliveryMode": 2,
  "Priority": 4,
  "CorrelationID": "",
  "ReplyTo": "",
  "Expiration": "",
  "MessageID": "m-1",
  "Timestamp": "0001-01-01T00:00:00Z",
  "Type": "",
  "UserID": "",
  "AppID": "app",
  "DeliveryTag": 1,
  "Redelivered": false,
  "Exchange": "amq.topic",
  "RoutingKey": "{key}",
  "XRabtapReceivedTimestamp": "2019-06-13T19:33:{seconds:02}.920711583+02:00",
  "Body": "{body}"
}}
"#
    )
}

#[test]
fn recordings_of_rabtap_are_imported() {
    let folder = Folder::new();
    let pretty = rabtapped(1, "a.b", "aGVsbG8=") + &rabtapped(2, "a.c", "AP8=");
    // As --format json-nopp writes them.
    let plain: Vec<_> = pretty
        .split_inclusive("\n}\n")
        .map(|it| it.replace('\n', "") + "\n")
        .collect();
    for (name, text) in [("pretty", &pretty), ("plain", &plain.concat())] {
        let file = folder.file(name, text);
        let ended = replay(&file, "--import rabtap --speed 100 --output json")
            .run()
            .exits(0);
        let records: Vec<Value> = ended
            .text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let [first, second] = &records[..] else {
            panic!("{}", ended.text());
        };
        assert_eq!(first["time"], "2019-06-13T17:33:01.920711Z", "{name}");
        assert_eq!(
            (&first["topic"], &first["payload"]),
            (&"a.b".into(), &"hello".into())
        );
        let amqp = &first["amqp"];
        for (member, value) in [
            ("exchange", Value::from("amq.topic")),
            ("content_type", "text/plain".into()),
            ("delivery_mode", 2.into()),
            ("priority", 4.into()),
            ("message_id", "m-1".into()),
            ("app_id", "app".into()),
            ("timestamp", Value::Null),
            ("reply_to", Value::Null),
        ] {
            assert_eq!(amqp[member], value, "{member} of {amqp}");
        }
        assert_eq!(amqp["headers"]["site"], "north");
        assert_eq!(second["payload_base64"], "AP8=");
    }
    let wrong = folder.file("wrong", pretty.replace("AP8=", "AP8?"));
    replay(&wrong, "--import rabtap --speed max")
        .run()
        .exits(2)
        .prints("")
        .says(":46: Body: not base64")
        .says("the message begins at line 24");
    let torn = folder.file("torn", &pretty[..pretty.len() - 20]);
    replay(&torn, "--import rabtap -v")
        .run()
        .exits(0)
        .prints("a.b hello\n")
        .says("is incomplete: skipped");
}

#[test]
fn a_directory_of_rabtap_has_a_file_for_each_message() {
    let folder = Folder::new();
    let files = |bodies: [&str; 3]| {
        // Not in the order of their names.
        for (number, body) in [900, 1000, 1001].into_iter().zip(bodies) {
            let key = format!("k.{number}");
            let seconds = if number == 900 { 1 } else { 2 };
            folder.file(
                &format!("rabtap-{number}.json"),
                rabtapped(seconds, &key, body),
            );
        }
    };
    files(["b25l", "dHdv", ""]);
    folder.file("notes.json", "not one of its files");
    let run = || replay(folder.0.path(), "--import rabtap --speed max -v").run();
    run().exits(0).prints("k.900 one\nk.1000 two\nk.1001 \n");
    replay(folder.0.path(), "--import rabtap --info")
        .run()
        .exits(0)
        .contains("records   3\nprotocols amqp 3\n");
    // As --format raw writes them.
    files(["", "", ""]);
    for (number, body) in [(900, "one"), (1000, "two"), (1001, "")] {
        folder.file(&format!("rabtap-{number}.dat"), body);
    }
    run().exits(0).prints("k.900 one\nk.1000 two\nk.1001 \n");
    let one = folder.0.path().join("rabtap-1000.json");
    replay(&one, "--import rabtap -v")
        .run()
        .exits(0)
        .prints("k.1000 two\n");
    fs::remove_file(folder.0.path().join("rabtap-1000.dat")).unwrap();
    run().exits(2).prints("").says("rabtap-1000.dat");
    replay(Folder::new().0.path(), "--import rabtap")
        .run()
        .exits(2)
        .says("no rabtap-NUMBER.json in it");
}

#[test]
fn what_mqtt_recorder_has_recorded_is_sent_again() {
    let folder = Folder::new();
    let source = mosquitto();
    for (flag, import) in [
        ("", "mqtt-recorder"),
        ("--encode_b64", "mqtt-recorder-base64"),
    ] {
        let topic = format!("{import}/#");
        let file = folder.0.path().join(import);
        let recorder = program("mqtt-recorder", "--host 127.0.0.1 --mode record --qos 1")
            .words(&format!("{flag} --topic {topic} --port {}", source.port))
            .word("--file")
            .word(&file)
            .start();
        source.sees_subscriptions(&topic, 1);
        let bodies = ["21.5", "say \"hi\", twice", "two\nlines"];
        for body in bodies {
            let publish = source.iotctl(&format!("pub -t {import}/a -q 1 -m"));
            publish.word(body).run().exits(0);
        }
        // Line by line, as they come.
        wait_for("the last row", || {
            let rows = fs::read_to_string(&file).ok()?;
            (rows.matches(",1,False,").count() == bodies.len()).then_some(())
        });
        drop(recorder);
        let ended = replay(&file, "--speed max --output json --import").word(import);
        let wanted: Vec<_> = bodies
            .map(|body| (format!("{import}/a"), body.to_owned()))
            .into();
        let mut found = pairs(ended.run().exits(0).text());
        found.sort_by_key(|pair| wanted.iter().position(|it| it == pair));
        assert_eq!(found, wanted);
    }
}

/// The account of what was sent in vain, in text and in JSON.
fn nothing_arrives(file: &Path, url: &str, asked: impl Fn(&mut Running)) {
    for words in ["", "--output json"] {
        let line = replay(file, words).words("--speed max --drain 100ms --to");
        let mut running = line.word(url).start();
        asked(&mut running);
        running.signal("INT");
        let ended = running.ends().exits(130);
        match words {
            "" => ended
                .says("replayed 0 messages in ")
                .says(" not acknowledged"),
            _ => {
                let account: Value = serde_json::from_str(ended.text()).unwrap();
                assert_eq!(account["messages"], 0, "{account}");
                assert!(account["not_acknowledged"].as_u64() > Some(0), "{account}");
                ended
            }
        };
    }
}

#[test]
fn what_nobody_confirmed_is_not_counted_as_sent() {
    let folder = Folder::new();
    let text: String = (0..3)
        .map(|number| record(number, "a", "x", "\"qos\":1"))
        .collect();
    let file = folder.file("three.ndjson", text);
    let (tell, told) = channel();
    let peer = Peer::start(move |stream, _| {
        welcome(stream);
        let sent = read_until(stream, 0x30).is_some();
        let _ = tell.send(sent);
        drain(stream);
    });
    nothing_arrives(&file, &mqtt_url(peer.port), |_| {
        assert!(told.recv_timeout(PATIENCE).unwrap());
    });
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    nothing_arrives(&file, &format!("coap://127.0.0.1:{port}"), |running| {
        running.hears("retrying in");
    });
}

#[test]
fn the_path_of_a_coap_target_is_put_before_each_topic() {
    let folder = Folder::new();
    let file = folder.file("one.ndjson", record(0, "l4/a", "x", "\"qos\":1"));
    let server = coap::server("-r /store=store", &["coap"]);
    let place = format!("{}/store", server.uris[0].trim_end_matches('/'));
    replay(&file, "--to").word(&place).run().exits(0);
    let uri = format!("{place}/l4/a");
    iotctl("coap get").word(uri).run().exits(0).prints("x");
}
