//! `log`: what is acknowledged is on the disk, once, and can be read by others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::support::broker::broker;
use crate::support::coap::server;
use crate::support::command::{Line, Running, iotctl, program};
use crate::support::influx::Influx;
use crate::support::mosquitto::{Mosquitto, Settings};
use crate::support::peer::{Peer, answer, read_request};
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::{PATIENCE, wait_for};

#[cfg(feature = "sqlite")]
mod sqlite;

/// `log` with these words, in this folder.
fn log(folder: &Path, words: &str) -> Line {
    let mut command = iotctl("log").words(words).into_command();
    command.current_dir(folder);
    Line::of(command)
}

fn url(port: u16) -> String {
    format!("mqtt://127.0.0.1:{port}")
}

/// The same, once messages can come.
fn logging(folder: &Path, line: Line) -> Running {
    let ready = folder.join("ready");
    let running = line.word("--ready-file").word(&ready).start();
    wait_for("the log", || ready.exists().then_some(()));
    running
}

/// Records, as `--output json` writes them, with these topics and payloads.
fn records(messages: &[(&str, &str)]) -> String {
    let record = |(second, (topic, payload)): (usize, &(&str, &str))| {
        let payload = Value::from(*payload);
        format!(
            "{{\"time\":\"2026-11-20T21:00:{second:02}.000000Z\",\"protocol\":\"mqtt\",\"topic\":\"{topic}\",\"payload\":{payload},\"mqtt\":{{\"qos\":1,\"retain\":false}}}}\n"
        )
    };
    messages.iter().enumerate().map(record).collect()
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

/// A mosquitto that drops nothing.
fn patient() -> Mosquitto {
    let limits = "max_queued_messages 0\nmax_queued_bytes 0\n";
    Mosquitto::start(Settings {
        more: limits.to_owned(),
        ..Settings::default()
    })
}

#[test]
fn readings_of_sensors_become_rows() {
    let (broker, folder) = (patient(), tempfile::tempdir().unwrap());
    let line = log(folder.path(), &format!("mqtt://127.0.0.1:{}", broker.port))
        .words("-t sensors/{device}/all --to wide.csv --to all.ndjson -C 2 --columns")
        .word("timestamp=/timestamp|$time,device_id={device},temperature=/temperature,humidity=/humidity,pressure=/pressure");
    let wide = logging(folder.path(), line);
    let line = log(folder.path(), &format!("mqtt://127.0.0.1:{}", broker.port))
        .words("-t sensors/+/all --to long.csv -C 2 --melt --columns")
        .word("timestamp=/timestamp,device_id={1}");
    fs::remove_file(folder.path().join("ready")).unwrap();
    let long = logging(folder.path(), line);
    for (device, payload) in [
        (
            "d1",
            r#"{"timestamp":"2026-11-20T21:00:00Z","temperature":21.50,"humidity":40,"pressure":1013.25}"#,
        ),
        (
            "d2",
            r#"{"timestamp":1795208401,"temperature":-3,"note":"a \"b\", c"}"#,
        ),
    ] {
        broker
            .pub_line(&format!("-t sensors/{device}/all -q 1 -m"))
            .word(payload)
            .run()
            .exits(0);
    }
    wide.ends_by_itself()
        .exits(0)
        .says("wide.csv: 1 message without humidity")
        .says("received 2 messages: 2 delivered");
    long.ends_by_itself().exits(0);
    assert_eq!(
        read(folder.path(), "wide.csv"),
        "timestamp,device_id,temperature,humidity,pressure\n\
         2026-11-20T21:00:00Z,d1,21.50,40,1013.25\n\
         1795208401,d2,-3,,\n"
    );
    assert_eq!(
        read(folder.path(), "long.csv"),
        "timestamp,device_id,metric,value\n\
         2026-11-20T21:00:00Z,d1,temperature,21.50\n\
         2026-11-20T21:00:00Z,d1,humidity,40\n\
         2026-11-20T21:00:00Z,d1,pressure,1013.25\n\
         1795208401,d2,temperature,-3\n\
         1795208401,d2,note,\"a \"\"b\"\", c\"\n"
    );
    let all = read(folder.path(), "all.ndjson");
    let topics = all.lines().map(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        record["topic"].as_str().unwrap().to_owned()
    });
    assert_eq!(
        topics.collect::<Vec<_>>(),
        ["sensors/d1/all", "sensors/d2/all"]
    );
}

#[test]
fn another_reader_of_csv_gets_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let payloads = [
        "plain",
        "a,b",
        "say \"hi\"",
        "two\nlines\r\n",
        "",
        "ü 🌡",
        "\"",
        "'; DROP",
    ];
    let messages: Vec<(&str, &str)> = payloads.iter().map(|it| ("a/b", *it)).collect();
    log(folder.path(), "- --to a.csv --columns topic,payload")
        .input(records(&messages))
        .run()
        .exits(0);
    let script = "import csv,json\nwith open('a.csv',newline='') as f: print(json.dumps(list(csv.reader(f))))";
    let mut python = program("python3", "-c").word(script).into_command();
    python.current_dir(folder.path());
    let shown = Line::of(python).run().exits(0);
    let rows: Vec<[String; 2]> = serde_json::from_str(shown.text()).unwrap();
    let expected = payloads
        .iter()
        .map(|it| ["a/b".to_owned(), (*it).to_owned()]);
    assert_eq!(rows[0], ["topic", "payload"]);
    assert_eq!(rows[1..], expected.collect::<Vec<_>>());
}

#[test]
fn full_files_are_put_aside_compressed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let messages: Vec<(&str, &str)> = (0..10).map(|_| ("a", "x")).collect();
    log(
        folder.path(),
        "- --to a.csv --columns time --rotate 3 --keep 2 --gzip",
    )
    .input(records(&messages))
    .run()
    .exits(0);
    let mut files: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files.len(), 3, "{files:?}");
    assert!(
        files[..2].iter().all(|it| it.ends_with(".csv.gz")),
        "{files:?}"
    );
    let row = |second: u32| format!("2026-11-20T21:00:{second:02}.000000Z\n");
    let text = |name: &String| {
        let mut text = String::new();
        let file = fs::File::open(folder.path().join(name)).unwrap();
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        text
    };
    let whole = |rows: std::ops::Range<u32>| {
        let rows: String = rows.map(row).collect();
        format!("time\n{rows}")
    };
    assert_eq!(text(&files[0]), whole(3..6));
    assert_eq!(text(&files[1]), whole(6..9));
    assert_eq!(read(folder.path(), "a.csv"), whole(9..10));
}

#[test]
fn what_a_killed_command_has_not_finished_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("a.csv"),
        "topic,payload\na,1\na,\"tor\nn",
    )
    .unwrap();
    fs::write(folder.path().join("a.ndjson"), "{\"topic\":\"a\"}\n{\"topi").unwrap();
    let ended = log(
        folder.path(),
        "- --to a.csv --to a.ndjson --columns topic,payload",
    )
    .input(records(&[("b", "2")]))
    .run()
    .exits(0);
    ended
        .says("a.csv ended in the middle of a message, which was not acknowledged: cut off 8 bytes")
        .says("a.ndjson ended in the middle of a message, which was not acknowledged: cut off 6 bytes");
    assert_eq!(read(folder.path(), "a.csv"), "topic,payload\na,1\nb,2\n");
    assert_eq!(
        read(folder.path(), "a.ndjson"),
        format!("{{\"topic\":\"a\"}}\n{}", records(&[("b", "2")]))
    );
}

/// How often each number stands in a file of records.
fn numbers(folder: &Path, name: &str) -> BTreeMap<u32, u32> {
    let mut counts = BTreeMap::new();
    for line in read(folder, name).lines() {
        let record: Value = serde_json::from_str(line).expect(line);
        let number = record["payload"].as_str().unwrap().parse().unwrap();
        *counts.entry(number).or_default() += 1;
    }
    counts
}

#[test]
fn nothing_is_lost_when_it_is_killed() {
    const COUNT: u32 = 20_000;
    let (broker, folder) = (patient(), tempfile::tempdir().unwrap());
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let start = || {
        log(
            folder.path(),
            &format!("{url} -t n --to a.ndjson --retry 10s"),
        )
        .start()
    };
    let mut running = start();
    broker.sees_subscriptions("n", 1);
    let input: String = (0..COUNT).map(|number| format!("{number}\n")).collect();
    let publish = broker.iotctl("pub -t n -l -q 1").input(input);
    let publisher = std::thread::spawn(|| publish.run());
    let size = || fs::metadata(folder.path().join("a.ndjson")).map_or(0, |it| it.len());
    for _ in 0..25 {
        let before = size();
        // Some more has come, or all of it.
        wait_for("more messages", || {
            let seen = size() > before
                || read(folder.path(), "a.ndjson").contains(&format!("\"{}\"", COUNT - 1));
            seen.then_some(())
        });
        running.signal("KILL");
        running.ends();
        running = start();
    }
    publisher.join().unwrap().exits(0);
    wait_for("all messages", || {
        let text = read(folder.path(), "a.ndjson");
        let whole = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
        let seen: BTreeSet<&str> = whole
            .lines()
            .filter_map(|line| line.split("\"payload\":\"").nth(1)?.split('"').next())
            .collect();
        (seen.len() == COUNT as usize).then_some(())
    });
    running.signal("TERM");
    running.ends().exits(143);
    let counts = numbers(folder.path(), "a.ndjson");
    assert!(counts.keys().copied().eq(0..COUNT), "each number is there");
}

#[test]
fn a_full_disk_ends_it_and_nothing_is_acknowledged_that_is_not_stored() {
    let (broker, folder) = (patient(), tempfile::tempdir().unwrap());
    let words = format!("mqtt://127.0.0.1:{} -t n --to a.ndjson -q 1", broker.port);
    // A file of 64 blocks of 1024 bytes.
    let script = format!(
        "trap '' XFSZ; ulimit -f 64; exec {} log {words} \"$@\"",
        env!("CARGO_BIN_EXE_iotctl")
    );
    let mut limited = program("bash", "-c").word(script).into_command();
    limited.current_dir(folder.path());
    let running = logging(folder.path(), Line::of(limited).words("x"));
    let input: String = (0..2000).map(|number| format!("{number}\n")).collect();
    broker
        .iotctl("pub -t n -l -q 1")
        .input(input)
        .run()
        .exits(0);
    running
        .ends_by_itself()
        .exits(8)
        .says("cannot write a.ndjson: file too large");
    let before = numbers(folder.path(), "a.ndjson");
    assert!(!before.is_empty() && before.len() < 2000);
    // What was stored was acknowledged at most; the rest comes again, to the same session.
    let rest = log(folder.path(), &words).words("--idle 2s").run().exits(0);
    drop(rest);
    let after = numbers(folder.path(), "a.ndjson");
    assert!(
        after.keys().copied().eq(0..2000),
        "{} are there",
        after.len()
    );
}

#[test]
fn messages_of_a_queue_are_kept_too() {
    let (server, queue, folder) = (rabbitmq(), unique("log"), tempfile::tempdir().unwrap());
    let url = server.url();
    iotctl(&format!("amqp declare queue {url} {queue}"))
        .run()
        .exits(0);
    for body in ["1", "2"] {
        iotctl(&format!("amqp publish {url} -k {queue} -m {body}"))
            .run()
            .exits(0);
    }
    log(
        folder.path(),
        &format!("{url} --queue {queue} --to a.csv --columns topic,payload -C 2"),
    )
    .run()
    .exits(0);
    let expected = format!("topic,payload\n{queue},1\n{queue},2\n");
    assert_eq!(read(folder.path(), "a.csv"), expected);
    iotctl(&format!("amqp get {url} {queue}")).run().exits(1);
}

#[test]
fn times_come_from_messages_where_they_say_them() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), "- --to - --columns $time,/v --time /ts")
        .input(records(&[
            ("a", r#"{"ts":1795208400123,"v":1}"#),
            ("a", r#"{"ts":"2026-11-20T22:00:01+01:00","v":2}"#),
            ("a", r#"{"v":3}"#),
        ]))
        .run()
        .exits(0)
        .prints(
            "time,v\n2026-11-20T21:00:00.123000Z,1\n2026-11-20T21:00:01.000000Z,2\n2026-11-20T21:00:02.000000Z,3\n",
        );
}

/// As `watch` and the commands of one protocol, those that carry messages know the usual server.
#[test]
fn without_a_name_messages_come_from_the_usual_server() {
    let broker = broker("");
    let publish = broker.iotctl("pub -t readings/d1 -m 28 -r");
    publish.run().exits(0);
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let folder = tempfile::tempdir().unwrap();
    log(
        folder.path(),
        "-t readings/# --to - --columns topic,payload -C 1 --quiet",
    )
    .env("IOTCTL_URL", &url)
    .run()
    .exits(0)
    .prints("topic,payload\nreadings/d1,28\n");
    let state = folder.path().join("alarms");
    iotctl("alert -t readings/{device} --above 27 --once --quiet --clean --output json --state")
        .word(&state)
        .env("IOTCTL_URL", &url)
        .run()
        .exits(0)
        .contains(r#""key":"d1","state":"firing""#);
    iotctl("alert -t a --print-config")
        .run()
        .exits(2)
        .says("--print-config needs FROM");
}

#[test]
fn mistakes_are_told_before_anything_is_received() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.csv"), "a,b\n1,2\n").unwrap();
    fs::write(folder.path().join("notes.ndjson"), "notes of mine").unwrap();
    let nobody = "mqtt://127.0.0.1:1";
    for (words, code, text) in [
        ("", 2, "--to"),
        (&*format!("{nobody} -t a"), 2, "--to"),
        (
            &format!("{nobody} -t a --to x/y.csv"),
            8,
            "cannot write x/y.csv: no such file or directory",
        ),
        (
            &format!("{nobody} -t a --to /dev/full/x.csv"),
            8,
            "cannot write /dev/full/x.csv: not a directory",
        ),
        (
            &format!("{nobody} -t a --to old.csv"),
            2,
            "old.csv has other columns",
        ),
        (
            &format!("{nobody} -t a --to old.csv --to ./old.csv --columns a=topic,b=/b"),
            2,
            "old.csv is written to twice",
        ),
        (
            &format!("{nobody} -t a --to notes.ndjson"),
            8,
            "cannot write notes.ndjson: it is not a file of JSON records",
        ),
        (
            &format!("{nobody} -t a/+ --to a.csv --columns x={{2}}"),
            2,
            "--columns: {2} is not in a/+",
        ),
        (
            &format!("{nobody} -t a --to a.csv --columns x={{device}}"),
            2,
            "--columns: {device} is not in a",
        ),
        (
            &format!("{nobody} -t a --to a.csv --melt --columns value=/v"),
            2,
            "\"value\" is a column of --melt",
        ),
        (
            &format!("{nobody} -t a --to a.txt"),
            2,
            "--to \"a.txt\" is not a target",
        ),
        (
            &format!("{nobody} -t a --to a.csv.gz"),
            2,
            "--gzip compresses files once they are full",
        ),
        (
            &format!("{nobody} -t a --to mqtt://h"),
            2,
            "`iotctl bridge` carries messages to a server",
        ),
        (
            &format!("{nobody} -t a --to a.ndjson --keep 1"),
            2,
            "--rotate",
        ),
        (
            &format!("{nobody} -t a --to a.ndjson --unique x"),
            2,
            "--unique needs sqlite:FILE in --to",
        ),
        (
            &format!("{nobody} -t a --to a.ndjson --tag x=y"),
            2,
            "--tag needs influx: in --to",
        ),
        (
            &format!("{nobody} -t a --to influx:a.lp"),
            2,
            "InfluxDB needs a --measurement",
        ),
        (
            &format!("{nobody} -t a --to influx+tcp://127.0.0.1:1 --measurement w"),
            3,
            "cannot connect to 127.0.0.1:1",
        ),
        (
            &format!("{nobody} --to a.ndjson"),
            2,
            "no topic to subscribe to",
        ),
        (
            &format!("{nobody} -t a --to a.ndjson --sync 2h"),
            2,
            "expected auto, each, or a time up to 1m",
        ),
        (
            &format!("{nobody} -t a --to a.ndjson"),
            3,
            "cannot connect to",
        ),
    ] {
        log(folder.path(), words).run().exits(code).says(text);
    }
    #[cfg(not(feature = "sqlite"))]
    log(folder.path(), &format!("{nobody} -t a --to sqlite:a.db"))
        .run()
        .exits(2)
        .says("this iotctl was built without SQLite")
        .says("--features sqlite");
}

#[test]
fn influxdb_stores_all_but_the_points_at_fault() {
    let (influx, folder) = (Influx::start(), tempfile::tempdir().unwrap());
    let url = format!("influx://127.0.0.1:{}/home", influx.port);
    let words = format!("- --to {url} --measurement {{1}} --tag device={{device}} -t");
    let payloads: Vec<String> = (0..1000)
        .map(|number| match number {
            500 => String::from(r#"{"value":"broken"}"#),
            number => format!("{{\"value\":{number}}}"),
        })
        .collect();
    let record = |(at, payload): (usize, &String)| {
        let payload = Value::from(payload.as_str());
        format!(
            "{{\"time\":\"2026-11-20T21:00:00.{at:06}Z\",\"topic\":\"sensors/d7\",\"payload\":{payload},\"mqtt\":{{\"qos\":1}}}}\n"
        )
    };
    let input: String = payloads.iter().enumerate().map(record).collect();
    log(folder.path(), &words)
        .words("sensors/{device} --on-refused refused.ndjson")
        .input(input.as_str())
        .run()
        .exits(0)
        .says("received 1000 messages: 999 delivered, 1 dead-lettered");
    let answer: Value =
        serde_json::from_str(&influx.query("SELECT COUNT(value),MAX(value) FROM d7")).unwrap();
    let row = &answer["results"][0]["series"][0]["values"][0];
    assert_eq!((&row[1], &row[2]), (&999.into(), &999.into()), "{answer}");
    let refused: Value = serde_json::from_str(&read(folder.path(), "refused.ndjson")).unwrap();
    assert_eq!(refused["payload"], r#"{"value":"broken"}"#);
    let why = refused["mqtt"]["user_properties"][0][1].as_str().unwrap();
    assert!(why.contains("field type conflict"), "{why}");
    // Sent again, they are the same points.
    log(folder.path(), &words)
        .words("sensors/{device} --on-refused drop")
        .input(input)
        .run()
        .exits(1)
        .says("999 delivered, 1 failed");
    let again: Value = serde_json::from_str(&influx.query("SELECT COUNT(value) FROM d7")).unwrap();
    assert_eq!(again["results"][0]["series"][0]["values"][0][1], 999);
    let other = format!(
        "- --to influx://127.0.0.1:{}/none --measurement w",
        influx.port
    );
    log(folder.path(), &other)
        .input(records(&[("a", "1")]))
        .run()
        .exits(1)
        .says("database not found");
}

#[test]
fn version_2_of_influxdb_gets_its_token_and_what_it_cannot_take_now_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut busy = vec![
        ("503 Service Unavailable", "", ""),
        ("429 Too Many Requests", "Retry-After: 0\r\n", "slow down"),
    ]
    .into_iter();
    let peer = Peer::start(move |stream, _| {
        let mut stored = Vec::new();
        while let Some((head, lines)) = read_request(stream) {
            let path = "POST /api/v2/write?org=acme&bucket=home&precision=ns HTTP/1.1\r\n";
            assert!(head.starts_with(path), "{head}");
            assert!(
                head.contains("Authorization: Token t0p-secret\r\n"),
                "{head}"
            );
            let refusal = "{\"code\":\"invalid\",\"message\":\"field type conflict\"}";
            let (status, more, body) = match busy.next() {
                Some(answer) => answer,
                None if lines.contains('"') => ("400 Bad Request", "", refusal),
                None => ("204 No Content", "", ""),
            };
            if status.starts_with("204") {
                stored.extend(lines.lines().map(str::to_owned));
            }
            answer(stream, status, more, body);
        }
        stored
    });
    fs::write(folder.path().join("token"), "t0p-secret\n").unwrap();
    let words = format!(
        "- --to influx2://127.0.0.1:{}/acme/home --to-password-file token --measurement w --on-refused refused.ndjson",
        peer.port
    );
    let messages = [("a", "1"), ("a", r#"{"value":"text"}"#), ("a", "3")];
    let ended = log(folder.path(), &words).input(records(&messages)).run();
    let ended = ended
        .exits(0)
        .says("answered 503; trying again")
        .says("takes points again")
        .says("received 3 messages: 2 delivered, 1 dead-lettered");
    assert!(!ended.stderr.contains("t0p-secret"), "{}", ended.stderr);
    assert_eq!(
        peer.result(),
        [
            "w value=1 1795208400000000000",
            "w value=3 1795208402000000000"
        ]
    );
    assert!(read(folder.path(), "refused.ndjson").contains("field type conflict"));
    let peer = Peer::start(|stream, _| {
        read_request(stream);
        let body = "{\"code\":\"unauthorized\",\"message\":\"unauthorized access\"}";
        answer(stream, "401 Unauthorized", "", body);
    });
    let words = format!(
        "- --to influx2://127.0.0.1:{}/acme/home --to-password-file token --measurement w",
        peer.port
    );
    let ended = log(folder.path(), &words)
        .input(records(&[("a", "1")]))
        .run();
    let ended = ended.exits(4).says("unauthorized access");
    assert!(!ended.stderr.contains("t0p-secret"), "{}", ended.stderr);
}

#[test]
fn points_go_over_tcp_and_in_datagrams() {
    let folder = tempfile::tempdir().unwrap();
    let input = records(&[("a", "1"), ("a", "2")]);
    let points = "w value=1 1795208400000000000\nw value=2 1795208401000000000\n";
    let peer = Peer::start(|stream, _| {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    });
    let words = format!(
        "- --to influx+tcp://127.0.0.1:{} --measurement w",
        peer.port
    );
    let line = log(folder.path(), &words).input(input.as_str());
    line.run().exits(0).says("received 2 messages: 2 delivered");
    assert_eq!(peer.result(), points);

    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let words = format!(
        "- --to influx+udp://{} --measurement w",
        socket.local_addr().unwrap()
    );
    let line = log(folder.path(), &words).input(input);
    line.run().exits(0).says("received 2 messages: 2 delivered");
    let (mut got, mut datagram) = (String::new(), [0; 2000]);
    while got.len() < points.len() {
        let length = socket.recv(&mut datagram).unwrap();
        got += std::str::from_utf8(&datagram[..length]).unwrap();
    }
    assert_eq!(got, points);
}

#[test]
fn points_are_written_into_files_and_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let input = records(&[
        ("home/kitchen/t", "21.5"),
        ("home/kitchen/t", "NaN"),
        ("home/bath/t", r#"{"t":7,"n":3,"state":"on"}"#),
    ]);
    let points = "home,room=kitchen value=21.5 1795208400000000000\n\
        home,room=bath t=7,n=3i,state=\"on\" 1795208402000000000\n";
    log(folder.path(), "- --to influx:- --to influx:a.lp --measurement home --int n --tag room={room} -t home/{room}/t")
        .input(input)
        .run()
        .exits(0)
        .says("a.lp: 1 message without a field")
        .says("received 3 messages: 2 delivered, 1 filtered")
        .prints(points);
    assert_eq!(read(folder.path(), "a.lp"), points);
}

#[test]
fn a_message_without_a_field_is_delivered_only_where_something_else_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let input = records(&[("t", "21.5"), ("t", "NaN"), ("t", "{}")]);
    for (to, account) in [
        ("--to influx:a.lp", "1 delivered, 2 filtered"),
        ("--to influx:-", "1 delivered, 2 filtered"),
        ("--to influx:b.lp --to c.ndjson", "3 delivered"),
    ] {
        log(folder.path(), &format!("- {to} --measurement home"))
            .input(input.clone())
            .run()
            .exits(0)
            .says("2 messages without a field")
            .says(&format!("received 3 messages: {account}"));
    }
}

#[test]
fn numbers_are_told_from_time_to_time() {
    let (mut broker, folder) = (broker(""), tempfile::tempdir().unwrap());
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let line = log(
        folder.path(),
        &format!("{url} -t a --to a.ndjson --report 100ms"),
    );
    let mut running = line.start();
    broker.sees_subscription("a");
    broker.iotctl("pub -t a -m x -q 1").run().exits(0);
    running.hears("received 1: 1 stored; ");
    running.signal("TERM");
    running.ends().exits(143);
    // As of the others that carry messages.
    let routes = format!(
        "[source.s]\nurl = \"{url}\"\n[target.t]\nfile = \"b.ndjson\"\n[[route]]\ntopic = \"b\"\nto = \"t\"\n"
    );
    let file = folder.path().join("routes.toml");
    fs::write(&file, routes).unwrap();
    let mut running = iotctl("route --report 100ms").word(file).start();
    broker.sees_subscription("b");
    broker.iotctl("pub -t b -m x -q 1").run().exits(0);
    running.hears("received 1: 1 ");
    running.signal("TERM");
    running.ends().exits(143);
}

#[test]
fn other_topics_are_of_the_same_session_and_what_is_not_asked_for_is_left_out() {
    let (broker, folder) = (broker(""), tempfile::tempdir().unwrap());
    let logged = |words: &str| {
        let line = log(
            folder.path(),
            &format!("{} {words} --to a.ndjson", url(broker.port)),
        );
        line.words("-q 1 -W 60").run()
    };
    let publish = |topic: &str| {
        let line = broker.iotctl(&format!("pub -q 1 -t {topic} -m {topic}"));
        line.run().exits(0);
    };
    let first = log(
        folder.path(),
        &format!("{} -t one/+ -t two/+ --to a.ndjson", url(broker.port)),
    );
    let first = logging(folder.path(), first);
    first.signal("TERM");
    first.ends().exits(143);
    publish("one/1");
    publish("two/2");
    // What waits comes, though another topic is asked for as well, and one is not asked for any more.
    logged("-t one/+ -t three/+ -C 1").exits(0);
    let topics = || -> Vec<String> {
        let text = read(folder.path(), "a.ndjson");
        let records = text.lines().map(|line| {
            let record: Value = serde_json::from_str(line).unwrap();
            record["topic"].as_str().unwrap().to_owned()
        });
        records.collect()
    };
    assert_eq!(topics(), ["one/1"]);
    publish("two/3");
    publish("three/4");
    let left_out = logged("-t one/+ -t three/+ -C 1").exits(0);
    left_out
        .says("a subscription of an earlier run: messages such as two/")
        .says("are left out");
    assert_eq!(topics(), ["one/1", "three/4"]);
}

#[test]
fn files_that_were_renamed_are_begun_anew_at_sighup() {
    let broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let line = log(
        folder.path(),
        &format!("{url} -t a/# --to a.csv --columns payload"),
    );
    let mut running = logging(folder.path(), line);
    let publish = |body: &str| {
        let line = format!("pub -t a/b -q 1 -m {body}");
        broker.iotctl(&line).run().exits(0);
    };
    let holds = |name: &str, text: &str| {
        wait_for("the rows", || {
            let now = fs::read_to_string(folder.path().join(name));
            now.is_ok_and(|now| now == text).then_some(())
        });
    };
    publish("one");
    holds("a.csv", "payload\none\n");
    fs::rename(folder.path().join("a.csv"), folder.path().join("a.csv.1")).unwrap();
    running.signal("HUP");
    running.hears("SIGHUP: output files are reopened");
    publish("two");
    holds("a.csv", "payload\ntwo\n");
    holds("a.csv.1", "payload\none\n");
    running.signal("TERM");
    running
        .ends()
        .exits(143)
        .says("received 2 messages: 2 delivered");
    let stays = log(folder.path(), &format!("{url} -t a/# --to -"));
    let mut stays = logging(folder.path(), stays);
    stays.signal("HUP");
    stays.hears("SIGHUP: there are no files to reopen");
    stays.signal("TERM");
    stays.ends().exits(143).says("received 0 messages");
}

#[test]
fn the_file_of_routes_that_flags_mean_stores_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let readings = records(&[("s/d1/t", "{\"v\":1}"), ("s/d2/t", "{\"v\":2}"), ("x", "3")]);
    fs::write(folder.path().join("in.ndjson"), readings).unwrap();
    let words = "in.ndjson -t s/{device}/t --to FILE.csv --columns time,device={device},v=/v --rotate 1MiB --rotate 1h --keep 3 \
        --to FILE.ndjson --on-refused refused.ndjson --dedup /v --filter";
    let flags = |file: &str| {
        let line = log(folder.path(), &words.replace("FILE", file));
        line.word("/v > 1")
            .words("--filter")
            .word("/v < 9 or /v > 99")
    };
    flags("flags").run().exits(0);
    let printed = flags("routes").words("--print-config").run().exits(0);
    fs::write(folder.path().join("routes.toml"), printed.text()).unwrap();
    iotctl("route")
        .word(folder.path().join("routes.toml"))
        .run()
        .exits(0)
        .says("received 3 messages: 1 delivered");
    for form in ["csv", "ndjson"] {
        let [one, other] =
            ["flags", "routes"].map(|name| read(folder.path(), &format!("{name}.{form}")));
        assert_eq!(one, other, "{}", printed.text());
    }
    assert_eq!(
        read(folder.path(), "routes.csv"),
        "time,device,v\n2026-11-20T21:00:01.000000Z,d2,2\n"
    );
    for (words, says) in [
        (
            "-C 3",
            "-C cannot be expressed in a routes file; it belongs on the command line of iotctl route",
        ),
        (
            "--for 1m",
            "--for cannot be expressed in a routes file; it belongs",
        ),
        (
            "--message-timeout 1m",
            "--message-timeout cannot be expressed in a routes file; it belongs",
        ),
        (
            "--report 1m",
            "--report cannot be expressed in a routes file; it belongs",
        ),
        (
            "--ready-file r",
            "--ready-file cannot be expressed in a routes file; it belongs",
        ),
        ("-V 5", "-V cannot be expressed in a routes file"),
        (
            "--expect exists(/v)",
            "--expect cannot be expressed in a routes file",
        ),
    ] {
        log(
            folder.path(),
            &format!("mqtts://h -t a --to a.ndjson --print-config {words}"),
        )
        .run()
        .exits(2)
        .says(says);
    }
    let secret = "mqtt://u:secret@h -t a --to influx://u:secret@h/d --measurement m --print-config";
    let printed = log(folder.path(), secret).run().exits(0);
    assert!(!printed.text().contains("secret"), "{}", printed.text());
}

#[test]
fn topics_choose_among_the_messages_of_files_and_of_coap() {
    let folder = tempfile::tempdir().unwrap();
    let readings = records(&[
        ("s/d1/t", "1"),
        ("x", "2"),
        ("s/d2/t", "3"),
        ("s/d3/t", "4"),
    ]);
    fs::write(folder.path().join("in.ndjson"), &readings).unwrap();
    let topics = |name: &str| -> Vec<String> {
        let text = read(folder.path(), name);
        let topics = text.lines().map(|line| {
            let record: Value = serde_json::from_str(line).unwrap();
            record["topic"].as_str().unwrap().to_owned()
        });
        topics.collect()
    };
    log(folder.path(), "in.ndjson -t none/# --to none.ndjson")
        .run()
        .exits(0)
        .says("received 4 messages: 0 delivered, 4 filtered");
    assert_eq!(read(folder.path(), "none.ndjson"), "");
    // What is not asked for does not count.
    log(folder.path(), "in.ndjson -t s/{d}/t -C 2 --to two.ndjson")
        .run()
        .exits(0);
    assert_eq!(topics("two.ndjson"), ["s/d1/t", "s/d2/t"]);
    log(
        folder.path(),
        "- -t x -t s/d3/# --to in.csv --columns topic",
    )
    .input(readings)
    .run()
    .exits(0);
    assert_eq!(read(folder.path(), "in.csv"), "topic\nx\ns/d3/t\n");
    let coap = server("-r /store=store", &["coap"]);
    let [a, b] = ["a", "b"].map(|name| format!("{}/store/{name}", coap.uris[0]));
    for uri in [&a, &b] {
        iotctl("coap put -m 1").word(uri).run().exits(0);
    }
    log(
        folder.path(),
        &format!("{a} {b} -t store/b -C 1 --to coap.ndjson -W 60"),
    )
    .run()
    .exits(0);
    assert!(topics("coap.ndjson")[0].ends_with("store/b"));
}

#[test]
fn what_a_map_makes_of_messages_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let readings = records(&[
        ("s/d1", "{\"v\":1}"),
        ("s/d2", "{\"v\":2}"),
        ("s/d3", "text"),
    ]);
    fs::write(folder.path().join("in.ndjson"), readings).unwrap();
    let words = "in.ndjson -t s/{d} --on-refused drop --to FILE.csv --columns topic,payload --map";
    let map = "jq: .v, \"\\($c.d) \\(.v)\"";
    let line = |name: &str| log(folder.path(), &words.replace("FILE", name)).word(map);
    line("flags").run().exits(1).says("--map: ");
    let rows = "topic,payload\ns/d1,1\ns/d1,d1 1\ns/d2,2\ns/d2,d2 2\n";
    assert_eq!(read(folder.path(), "flags.csv"), rows);
    let printed = line("routes").words("--print-config").run().exits(0);
    fs::write(folder.path().join("routes.toml"), printed.text()).unwrap();
    iotctl("route")
        .word(folder.path().join("routes.toml"))
        .run()
        .exits(1);
    assert_eq!(read(folder.path(), "routes.csv"), rows);
}

#[test]
fn a_service_manager_is_told_when_messages_can_come() {
    let broker = broker("");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let line = log(folder.path(), &format!("{url} -t a/# --to a.ndjson"));
    let running = line.env("NOTIFY_SOCKET", &path).start();
    let mut text = [0; 64];
    let length = socket.recv(&mut text).unwrap();
    assert_eq!(&text[..length], b"READY=1");
    running.signal("TERM");
    running.ends().exits(143);
}
