//! What the commands that publish make of their input: topics, records, encodings, files that grow, and reports of what
//! became of each message. Against the embedded servers.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::support::broker::{Broker, broker, started};
use crate::support::command::{Ended, Line, Running, iotctl};
use crate::support::peer::{Peer, packet, read_until, send, welcome};
use crate::support::wait_for;

/// What subscribers to everything get of these publications, a line each.
fn received(format: &str, count: usize, publish: impl FnOnce(&Broker)) -> Vec<String> {
    let mut broker = broker("");
    let mut sub = subscribed(&mut broker, format, count);
    publish(&broker);
    let lines = sub.lines(count);
    sub.ends_by_itself().exits(0);
    lines
}

fn subscribed(broker: &mut Broker, format: &str, count: usize) -> Running {
    let line = broker.iotctl(&format!("sub -q 2 -C {count} -t #;rap -F"));
    let running = line.word(format).start();
    broker.sees_subscription("#");
    running
}

fn sent(line: Line) {
    line.run().exits(0);
}

#[test]
fn each_topic_has_its_own_qos_and_retain_flag() {
    let lines = received("%q %r %t %p", 3, |broker| {
        sent(broker.iotctl("pub -q 1 -t a;qos=2 -t b;qos=0;retain -t c;;d -m x"));
    });
    assert_eq!(lines, ["2 0 a x", "0 1 b x", "1 0 c;d x"]);
    for (topic, why) in [
        ("a;nl", "-t \"a;nl\": unknown option \"nl\""),
        ("a;qos=3", "-t \"a;qos=3\": QoS is 0, 1 or 2"),
    ] {
        let line = iotctl("mqtt pub -h 127.0.0.1 -p 1 -m x -t").word(topic);
        line.run()
            .exits(2)
            .says(why)
            .says("write ;; for a semicolon");
    }
    let records = iotctl("mqtt pub -h 127.0.0.1 -p 1 --ndjson -t a;qos=1").run();
    records
        .exits(2)
        .says("options of a topic cannot be used with --ndjson");
}

#[test]
fn topics_are_filled_in_for_each_message() {
    let lines = received("%t %p", 5, |broker| {
        let repeated = broker.iotctl("pub -t n/{seq} -t m/{seq} --repeat 2 --template");
        sent(repeated.word("no. {seq}"));
        let line = broker.iotctl("pub -l -t").word("dev/{/id}/{/at/room}");
        sent(line.input("{\"id\":7,\"at\":{\"room\":\"hall\"}}\n"));
    });
    let fixed = ["n/0 no. 0", "m/0 no. 0", "n/1 no. 1", "m/1 no. 1"];
    assert_eq!(lines[..4], fixed);
    assert!(lines[4].starts_with("dev/7/hall {"));
}

#[test]
fn a_topic_that_is_filled_in_wrongly_is_not_sent() {
    let broker = broker("");
    for (id, why) in [
        ("\"#\"", "contains the wildcard #"),
        ("\"a/+\"", "contains the wildcard +"),
        ("\"\\u0000\"", "NUL"),
        ("\"\"", "no topic"),
        (
            "null",
            "no text or number at /id, which the topic \"{/id}\" needs",
        ),
    ] {
        let publish = |lines: String| {
            let line = broker.iotctl("pub -q 1 -l -t {/id}").input(lines);
            line.run()
        };
        let bad = format!("{{\"id\":{id}}}\n");
        let refused = publish(bad.clone()).exits(2);
        refused.says("standard input:1: ").says(why);
        let late = publish(format!("{{\"id\":1}}\n{{\"id\":2}}\n{bad}")).exits(8);
        late.says("standard input:3: ")
            .says("of 2 messages sent, 2 acknowledged");
    }
    // One body is checked as it is filled in, too.
    let once = broker.iotctl("pub -q 1 -t {/id} -m").word("{\"id\":\"+\"}");
    once.run().exits(2).says("contains the wildcard +");
}

#[test]
fn records_end_as_their_sender_says() {
    let lines = received("%x", 7, |broker| {
        let publish = |words: &str, input: &[u8]| sent(broker.iotctl(words).input(input));
        publish("pub -t a -l --delimiter \\x1e", b"a\nb\x1ec");
        publish("pub -t a -l --trim-cr", b"a\r\nb\n");
        publish("pub -t a -l", b"a\r\n");
        publish("pub -t a --length-prefixed", b"\0\0\0\x02\n\0\0\0\0\0");
    });
    assert_eq!(lines, ["610a62", "63", "61", "62", "610d", "0a00", ""]);
}

#[test]
fn no_lines_are_no_messages() {
    let broker = broker("");
    for words in ["-l", "-0", "--ndjson", "--length-prefixed"] {
        let ended = broker
            .iotctl(&format!("pub -t a -q 1 {words}"))
            .input("")
            .run();
        ended.exits(0).prints("");
    }
}

#[test]
fn a_record_that_breaks_off_is_an_error_with_its_place() {
    let broker = broker("");
    let publish = |input: &[u8]| {
        let line = broker
            .iotctl("pub -q 1 -t a --length-prefixed")
            .input(input);
        line.run()
    };
    publish(b"\0\0\0\x01a\0\0\0\x05bc")
        .exits(8)
        .says("standard input, record 2: incomplete, 2 of 5 bytes, from byte 5 on: of 1 message sent, 1 acknowledged");
    publish(b"\0\0")
        .exits(8)
        .says("record 1: incomplete, 2 of the 4 bytes of its length, from byte 0 on");
    publish(b"\xff\xff\xff\xffa").exits(2).says(
        "record 1: the length at byte 0 is 4294967295, and a message has at most 268435455 bytes",
    );
}

#[test]
fn framing_that_does_not_fit_is_refused() {
    for (words, why) in [
        ("-m x --delimiter ;", "--delimiter needs -l or --follow"),
        ("-0 --delimiter ;", "--delimiter needs -l or --follow"),
        ("-l --delimiter ab", "expected one byte"),
        ("-m x --trim-cr", "--trim-cr needs -l, -0 or --follow"),
        ("--ndjson --topic-separator x", "--topic-separator needs -l"),
        (
            "-l --topic-separator :",
            "-t cannot be used with --topic-separator",
        ),
        ("-m x --from-start", "--from-start needs --follow"),
        (
            "--follow x --repeat 2",
            "--repeat cannot be used with --follow",
        ),
        (
            "-m x --jitter 1s",
            "--jitter needs --rate or --repeat-delay",
        ),
        ("-m {] --encode cbor", "-m: not JSON: "),
        ("-m x --hex --encode cbor", "cannot be used with"),
        (
            "--random 300M",
            "--random: a message has at most 268435455 bytes",
        ),
    ] {
        let line = iotctl("mqtt pub -h 127.0.0.1 -p 1 -t a").words(words);
        line.run().exits(2).says(why);
    }
}

#[test]
fn a_line_may_begin_with_its_topic() {
    let lines = received("%t=%p", 3, |broker| {
        let line = broker.iotctl("pub -l --topic-separator").word(" ");
        sent(line.input("a/b 21.5 °C\nc \nd  x"));
    });
    assert_eq!(lines, ["a/b=21.5 °C", "c=", "d= x"]);
    let broker = broker("");
    let publish = |input: &[u8]| {
        let line = broker
            .iotctl("pub -q 1 -l --topic-separator \\t")
            .input(input);
        line.run()
    };
    publish(b"a\t1\nb 2\n")
        .exits(8)
        .says("standard input:2: no \"\\t\" between topic and message");
    publish(b"a/#\t1\n")
        .exits(2)
        .says(":1: topic \"a/#\" contains the wildcard #");
    publish(b"\xff\t1\n")
        .exits(2)
        .says(":1: the topic is not valid UTF-8");
    publish(b"\t1\n").exits(2).says(":1: no topic");
}

#[test]
fn json_is_sent_as_cbor_and_message_pack() {
    let json = "{\"a\":[1,-1,1.5,18446744073709551615]}";
    let lines = received("%x", 4, |broker| {
        sent(broker.iotctl("pub -t a --encode cbor -m").word(json));
        sent(broker.iotctl("pub -t a --encode msgpack -m").word(json));
        let line = broker.iotctl("pub -t {/t} -l --encode cbor");
        sent(line.input("{\"t\":\"x\"}\n"));
        let record = "{\"topic\":\"a\",\"payload\":\"[true]\"}";
        sent(broker.iotctl("pub --ndjson --encode msgpack").input(record));
    });
    assert_eq!(
        lines,
        [
            "a1616184 01 20 f93e00 1bffffffffffffffff".replace(' ', ""),
            "81a16194 01 ff cb3ff8000000000000 cfffffffffffffffff".replace(' ', ""),
            String::from("a161746178"),
            String::from("91c3"),
        ]
    );
    let broker = broker("");
    for (format, line, why) in [
        (
            "cbor",
            "{\"a\":}",
            "not JSON: expected value at line 1 column 6",
        ),
        ("cbor", "\"\\ud800\"", "expected a JSON string"),
        (
            "msgpack",
            "18446744073709551616",
            "an integer has more than the 64 bits of MessagePack",
        ),
    ] {
        let words = format!("pub -q 1 -t a -l --encode {format}");
        let ended = broker.iotctl(&words).input(format!("1\n{line}\n")).run();
        ended.exits(8).says("standard input:2: ").says(why);
    }
}

#[test]
fn random_bytes_are_the_same_for_the_same_seed() {
    let of = |words: &str| {
        received("%x", 2, |broker| {
            let line = broker
                .iotctl("pub -t a --random 33 --repeat 2")
                .words(words);
            sent(line);
        })
    };
    let first = of("--seed 7");
    assert!(first.iter().all(|body| body.len() == 66));
    assert_ne!(first[0], first[1]);
    assert_eq!(first, of("--seed 7"));
    assert_ne!(first, of("--seed 8"));
    assert_ne!(of(""), of(""));
}

#[test]
fn a_file_is_followed_over_rotation_and_truncation() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let append = |name: &str, text: &str| {
        let file = File::options().append(true).create(true).open(path(name));
        let mut file = file.unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    };
    let mut broker = broker("");
    let mut sub = subscribed(&mut broker, "%p", 9);
    // It is missing at first.
    let line = broker.iotctl("pub -i follower -q 1 -t log --follow");
    let publish = line.word(path("log")).start();
    // The file is looked for before a connection is made.
    broker.running.hears("follower");
    let mut old = append("log", "1\n2\n");
    assert_eq!(sub.lines(2), ["1", "2"]);
    // Its program goes on writing to it until it has opened the new one.
    fs::rename(path("log"), path("log.1")).unwrap();
    append("log", "");
    old.write_all(b"3\nrest").unwrap();
    append("log", "4\n");
    assert_eq!(sub.lines(3), ["3", "rest", "4"]);
    let file = append("log", "5\n");
    assert_eq!(sub.line(), "5");
    file.set_len(0).unwrap();
    append("log", "6\n");
    assert_eq!(sub.line(), "6");
    fs::remove_file(path("log")).unwrap();
    append("log", "7\n8\n");
    assert_eq!(sub.lines(2), ["7", "8"]);
    sub.ends_by_itself().exits(0);
    publish.signal("TERM");
    publish.ends().exits(143);
}

#[test]
fn a_file_is_followed_from_its_end_or_from_its_start() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    fs::write(&log, "old\n").unwrap();
    let mut broker = broker("");
    let mut sub = subscribed(&mut broker, "%p", 2);
    let follow = |broker: &Broker, words: &str| {
        let line = broker.iotctl(words).word(&log);
        line.start()
    };
    let all = follow(&broker, "pub -q 1 -t log --for 60 --from-start --follow");
    assert_eq!(sub.line(), "old");
    all.signal("TERM");
    all.ends().exits(143);
    let publish = follow(&broker, "pub -i follower -q 1 -t log --follow");
    // The file is opened before a connection is made.
    broker.running.hears("follower");
    let mut file = File::options().append(true).open(&log).unwrap();
    file.write_all(b"new\n").unwrap();
    assert_eq!(sub.line(), "new");
    sub.ends_by_itself().exits(0);
    publish.signal("INT");
    publish.ends().exits(130);
    let ended = broker
        .iotctl("pub -t a --for 0.2 --follow")
        .word(&log)
        .run();
    ended.exits(0);
    let folder = iotctl("mqtt pub -h 127.0.0.1 -p 1 -t a --follow").word(folder.path());
    folder.run().exits(8).says("not a regular file");
}

#[test]
fn sending_starts_when_it_is_to() {
    let broker = broker("");
    let began = Instant::now();
    let at = jiff::Timestamp::try_from(SystemTime::now() + Duration::from_millis(900)).unwrap();
    let line = broker.iotctl("pub -q 1 -t a -m x --ack-report json --start-at");
    let ended = line.word(at.to_string()).run().exits(0);
    assert!(began.elapsed() >= Duration::from_millis(800));
    // The connection was made before.
    assert!(report(&ended)[0]["latency_ms"].as_f64().unwrap() < 500.0);
    let over = broker.iotctl("pub -q 1 -t a -m x --start-at 2020-01-01T00:00:00Z");
    sent(over);
    let wrong = broker.iotctl("pub -t a -m x --start-at tomorrow").run();
    wrong.exits(2).says("expected a time such as");
}

#[test]
fn repetitions_keep_their_interval_with_jitter() {
    let broker = broker("");
    let began = Instant::now();
    let words = "pub -q 1 -t a -m x --repeat 5 --repeat-delay 100ms --jitter 50ms --seed 1";
    sent(broker.iotctl(words));
    let elapsed = began.elapsed();
    assert!(elapsed >= Duration::from_millis(400), "{elapsed:?}");
}

/// The objects of a report.
fn report(ended: &Ended) -> Vec<Value> {
    let lines = ended.text().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn each_acknowledgement_is_reported() {
    let mut broker = broker("");
    let publish = |broker: &Broker, words: &str| {
        let line = broker.iotctl("pub -l --ack-report").words(words);
        line.input("1\n2\n").run().exits(0)
    };
    let unheard = publish(&broker, "json -q 1 -t a");
    for (number, line) in (1..).zip(report(&unheard)) {
        assert_eq!(
            (&line["number"], &line["packet_id"]),
            (&number.into(), &number.into())
        );
        assert_eq!(
            (&line["topic"], &line["outcome"]),
            (&"a".into(), &"acknowledged".into())
        );
        assert_eq!(
            (&line["reason_code"], &line["reason"]),
            (&16.into(), &"no matching subscribers".into())
        );
        assert!(line["latency_ms"].as_f64().unwrap() > 0.0);
    }
    let _sub = subscribed(&mut broker, "%p", 100);
    let heard = report(&publish(&broker, "json -q 2 -t a/{seq}"));
    assert_eq!(heard.len(), 2);
    assert_eq!(
        (&heard[1]["topic"], &heard[1]["reason_code"]),
        (&"a/1".into(), &0.into())
    );
    // Without reasons, and without identifiers.
    let old = report(&publish(&broker, "json -q 1 -t a -V 311"));
    assert!(old.len() == 2 && old[0]["packet_id"] == 1 && old[0].get("reason_code").is_none());
    let unacknowledged = report(&publish(&broker, "json -q 0 -t a"));
    assert!(unacknowledged.len() == 2 && unacknowledged[0].get("packet_id").is_none());
    let text = publish(&broker, "text -q 1 -t a");
    let line = text.text().lines().next().unwrap().to_owned();
    assert!(
        line.starts_with("a: acknowledged after ")
            && line.ends_with(" ms, packet id 1, reason code 0, reason success"),
        "{line}"
    );
}

#[test]
fn a_report_whose_reader_has_gone_ends_the_command() {
    let broker = broker("");
    let words = format!(
        "mqtt pub -h 127.0.0.1 -p {} -q 1 -t a -l --ack-report json",
        broker.port
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_iotctl"))
        .args(words.split(' '))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"1\n").unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    assert!(line.starts_with("{\"number\":1,"), "{line}");
    drop(output);
    let status = wait_for("its end", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}

#[test]
fn messages_that_nobody_gets_fail_where_subscribers_are_required() {
    let mut broker = broker("");
    let publish = |broker: &Broker, words: &str| {
        let line = broker.iotctl("pub --require-subscribers -l").words(words);
        line.input("1\n2\n3\n").run()
    };
    publish(&broker, "-q 1 -t a")
        .exits(1)
        .says("has no matching subscribers: of 3 messages sent, 0 acknowledged, 3 refused");
    publish(&broker, "-q 2 -t a --ack-report json")
        .exits(1)
        .contains("\"reason_code\":16")
        .says("0 acknowledged, 3 refused");
    let _sub = subscribed(&mut broker, "%p", 100);
    publish(&broker, "-q 2 -t a").exits(0);
    publish(&broker, "-t a")
        .exits(2)
        .says("--require-subscribers needs QoS 1 or 2");
    publish(&broker, "-q 1 -t a -t b;qos=0")
        .exits(2)
        .says("needs QoS 1 or 2");
    publish(&broker, "-q 1 -t a -V 311")
        .exits(2)
        .says("--require-subscribers needs MQTT 5, not -V 311");
    let record = "{\"topic\":\"a\",\"payload\":\"\",\"mqtt\":{\"qos\":0}}";
    let line = broker
        .iotctl("pub --require-subscribers -q 1 --ndjson")
        .input(record);
    line.run()
        .exits(2)
        .says(":1: QoS 0, at which --require-subscribers learns nothing");
}

/// A server for AMQP, and its URL.
fn amqp() -> (Broker, String) {
    let broker = started(iotctl("amqp broker --quiet --listen 127.0.0.1:0"));
    let url = format!("amqp://127.0.0.1:{}", broker.port);
    (broker, url)
}

#[test]
fn amqp_has_the_same_input() {
    let (_broker, url) = amqp();
    let run = |command: &str, words: &str| iotctl(&format!("amqp {command} {url} {words}"));
    for queue in ["q.1", "q.2"] {
        sent(run("declare queue", queue));
    }
    let publish = |words: &str| run("publish", words);
    sent(publish("-l -k q.{/n}").input("{\"n\":1}\n{\"n\":2}\n"));
    sent(publish("-l --topic-separator :").input("q.1:one\nq.2:two:2\n"));
    sent(publish("-k q.1 --length-prefixed --encode cbor").input(&b"\0\0\0\x02[]"[..]));
    sent(publish(
        "-k q.1 -k q.2 --random 4 --seed 3 --repeat 2 --repeat-delay 1ms --jitter 1ms",
    ));
    let consume = |queue: &str, count: usize| {
        let line = run("consume", &format!("{queue} -C {count} -W 20 -F %x"));
        line.run().exits(0).text().to_owned()
    };
    let (first, second) = (consume("q.1", 5), consume("q.2", 4));
    assert!(first.starts_with("7b226e223a317d\n6f6e65\n80\n"), "{first}");
    assert!(
        second.starts_with("7b226e223a327d\n74776f3a32\n"),
        "{second}"
    );
    // Both keys got the same random bytes.
    assert_eq!(
        first.lines().skip(3).collect::<Vec<_>>(),
        second.lines().skip(2).collect::<Vec<_>>()
    );
    publish("-l --topic-separator : -k q")
        .run()
        .exits(2)
        .says("-k and --address cannot be used with --topic-separator");
    publish("-m x -k {seq} --declare")
        .run()
        .exits(2)
        .says("the name of the queue \"{seq}\" is not known before its messages");
}

#[test]
fn amqp_confirms_are_reported() {
    let (_broker, url) = amqp();
    let run = |command: &str, words: &str| iotctl(&format!("amqp {command} {url} {words}"));
    sent(run("declare queue", "q"));
    let line = run(
        "publish",
        "-l -k q -k nowhere --mandatory --ack-report json",
    );
    let ended = line.input("1\n").run().exits(1);
    let mut lines = report(&ended);
    lines.sort_by_key(|line| line["number"].as_u64());
    assert_eq!(
        (&lines[0]["topic"], &lines[0]["outcome"]),
        (&"q".into(), &"acknowledged".into())
    );
    assert_eq!(
        (&lines[1]["topic"], &lines[1]["outcome"]),
        (&"nowhere".into(), &"refused".into())
    );
    assert!(
        lines[1]["error"].as_str().unwrap().contains("312 NO_ROUTE"),
        "{}",
        lines[1]
    );
    assert!(lines[0]["latency_ms"].as_f64().unwrap() > 0.0);
    // It is confirmed although no queue got it, which the report says.
    let line = run("publish", "-l -k q -k nowhere --ack-report text");
    let ended = line.input("1\n2\n").run().exits(0);
    let unrouted = |line: &&str| line.contains("reason no queue received it (312 NO_ROUTE)");
    let (dropped, kept): (Vec<_>, Vec<_>) = ended.text().lines().partition(unrouted);
    assert_eq!((dropped.len(), kept.len()), (2, 2));
    assert!(
        dropped
            .iter()
            .all(|it| it.starts_with("nowhere: acknowledged after "))
    );
    assert!(kept.iter().all(|it| it.starts_with("q: ")));
    let unconfirmed = run("publish", "-m x -k q --no-confirm --ack-report json").run();
    unconfirmed.exits(2).says("cannot be used with");
}

#[test]
fn coap_has_the_same_input() {
    let mut server = iotctl("coap server --listen 127.0.0.1:0 -r /store=store").start();
    let url = server.line();
    let run = |words: &str| iotctl(&format!("coap {words}"));
    let put = |words: &str| run(&format!("put {url}/store/a {words}"));
    let get = |path: &str| {
        run(&format!("get {url}/store/{path}"))
            .run()
            .exits(0)
            .text()
            .to_owned()
    };
    sent(put("-l --topic-separator =").input("/store/a=1\n/store/b=2\n/store/b=3\n"));
    assert_eq!((get("a"), get("b")), (String::from("1"), String::from("3")));
    sent(put("--length-prefixed").input(&b"\0\0\0\x011\0\0\0\x03a\nb"[..]));
    assert_eq!(get("a"), "a\nb");
    sent(put("-e old"));
    assert_eq!(get("a"), "old");
    sent(put("-m [1] --encode cbor"));
    let shown = run(&format!("get {url}/store/a --output json"))
        .run()
        .exits(0);
    let record: Value = serde_json::from_str(shown.text()).unwrap();
    assert_eq!(
        (&record["payload_base64"], &record["coap"]["content_format"]),
        (&"gQE=".into(), &60.into())
    );
    sent(put(
        "--random 5 --seed 1 --repeat 2 --repeat-delay 1ms --jitter 1ms",
    ));
    run(&format!("put {url}/a"))
        .run()
        .exits(2)
        .says("there is nothing to send");
}

/// A server may leave it to others to close: where all is acknowledged, nothing is lost by that.
#[test]
fn a_server_that_does_not_close_holds_nobody_up() {
    let peer = Peer::start(|stream, _| {
        welcome(stream);
        let publish = read_until(stream, 0x30).expect("a PUBLISH");
        send(stream, &packet(0x40, &publish[3..5]));
        read_until(stream, 0xe0).expect("a DISCONNECT");
        // It stays open for as long as the test runs.
        std::mem::forget(stream.try_clone().unwrap());
    });
    let line = format!("mqtt pub -h 127.0.0.1 -p {} -t a -m x -q 1", peer.port);
    let is_soon = |_| {
        let began = Instant::now();
        iotctl(&line).run().exits(0);
        // As long as is waited where something may be lost.
        began.elapsed() < Duration::from_secs(2)
    };
    // A busy machine may take its time, but not each time.
    assert!((0..20).any(is_soon));
}
