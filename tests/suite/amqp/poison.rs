//! One message must not stop the rest: what RabbitMQ passes on and clients stumble over, and outages that only look like
//! refusals.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use iotctl::amqp::topology::{Binding, Destination};
use iotctl::command::amqp::consume::{self, Plan, Settle};
use iotctl::command::amqp::get;
use iotctl::command::amqp::topology::Action;
use iotctl::output::Style;
use serde_json::{Value, json};

use super::peer::{self, consumer, deliver, goodbye, method, short, start, until, welcome};
use super::topology::carry_out;
use super::words::{RECORDS, caught, filled, queue, shared};
use crate::support::PATIENCE;
use crate::support::command::iotctl;
use crate::support::peer::{Peer, drain};
use crate::support::rabbitmq::{rabbitmq, unique};

fn long(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind, 0, 1][..], &long(payload), &[0xCE]].concat()
}

/// A connection with a channel that confirms, byte by byte.
fn raw(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut say = |bytes: &[u8], (class, id)| {
        stream.write_all(bytes).unwrap();
        until(&mut stream, class, id).unwrap();
    };
    say(b"AMQP\0\0\x09\x01", (10, 10));
    let login = [
        &[0; 4][..],
        &short("PLAIN"),
        &long(b"\0guest\0guest"),
        &short("en_US"),
    ];
    say(&method(0, 10, 11, &login.concat()), (10, 30));
    let agreed = method(0, 10, 31, &[0, 10, 0, 2, 0, 0, 0, 0]);
    let open = method(0, 10, 40, &[&short("/")[..], &[0, 0]].concat());
    say(&[agreed, open].concat(), (10, 41));
    say(&method(1, 20, 10, &[0]), (20, 11));
    say(&method(1, 85, 10, &[0]), (85, 11));
    stream
}

/// Publishes what no client of ours would: key, properties (flags and values), body.
fn publish(stream: &mut TcpStream, exchange: &[u8], key: &[u8], properties: &[u8], body: &[u8]) {
    let arguments = [
        &[0, 0][..],
        &[exchange.len() as u8],
        exchange,
        &[key.len() as u8],
        key,
        &[0],
    ];
    let size = (body.len() as u64).to_be_bytes();
    let header = [&[0, 60, 0, 0][..], &size, properties].concat();
    let message = [
        method(1, 60, 40, &arguments.concat()),
        frame(2, &header),
        frame(3, body),
    ];
    stream.write_all(&message.concat()).unwrap();
    until(stream, 60, 80).unwrap();
}

/// Headers with a table in a table, and so on.
fn nested(levels: usize) -> Vec<u8> {
    let mut table = Vec::new();
    for _ in 0..levels {
        table = [&b"\x01nF"[..], &long(&table)].concat();
    }
    [&[0x20, 0][..], &long(&table)].concat()
}

/// A queue with five messages, of which four are odd.
fn poisoned(name: &str) {
    carry_out(vec![
        Action::Declare(queue(name, &[])),
        Action::Bind(Binding {
            source: "amq.topic".into(),
            destination: Destination::Queue(name.into()),
            key: format!("{name}.#").into(),
            arguments: Vec::new(),
        }),
    ])
    .unwrap();
    let mut stream = raw(rabbitmq().port);
    let key = |end: &[u8]| [name.as_bytes(), b".", end].concat();
    let topic = b"amq.topic";
    publish(&mut stream, topic, &key(b"deep"), &nested(3_000), b"1");
    publish(&mut stream, topic, &key(b"caf\xe9"), &[0, 0], b"2");
    publish(&mut stream, topic, &key(b"id"), b"\x04\0\x02\xff\xfe", b"3");
    publish(&mut stream, topic, &key(b"n\0l"), &[0, 0], b"4");
    publish(&mut stream, topic, &key(b"good"), &[0, 0], b"5");
}

fn check(text: &str, name: &str) {
    let records: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let bodies: Vec<&str> = records
        .iter()
        .map(|record| record["payload"].as_str().unwrap())
        .collect();
    assert_eq!(bodies, ["1", "2", "3", "4", "5"]);
    let mut deep = &records[0]["amqp"]["headers"];
    let mut levels = 0;
    while let Some(deeper) = deep.get("n") {
        (deep, levels) = (deeper, levels + 1);
    }
    assert_eq!(levels, 64);
    assert!(deep["!base64"].is_string());
    assert_eq!(records[1]["topic"], format!("{name}.caf\u{fffd}"));
    let key = [name.as_bytes(), b".caf\xe9"].concat();
    let key = data_encoding::BASE64.encode(&key);
    assert_eq!(records[1]["amqp"]["routing_key"], json!({"!base64": key}));
    let id = json!({"!base64": "//4="});
    assert_eq!(records[2]["amqp"]["correlation_id"], id);
    assert_eq!(records[3]["topic"], format!("{name}.n\0l"));
}

#[test]
fn odd_messages_are_shown_and_the_rest_comes() {
    let name = unique("poison");
    poisoned(&name);
    let getting = get::Plan {
        stages: iotctl::flow::Stages::default(),
        destination: iotctl::output::Destination::default(),
        session: shared(),
        queue: name.as_str().into(),
        declare: Vec::new(),
        count: None,
        settle: Settle::Peek,
        format: RECORDS,
        style: Style::default(),
    };
    let (ended, text) = caught(RECORDS, |output| get::run_to(getting, output));
    ended.unwrap();
    check(&text, &name);
    let mut peeking = Plan::new(shared(), name.as_str());
    peeking.settle = Settle::Peek;
    peeking.until.count = Some(5);
    peeking.until.timeout = Some(PATIENCE);
    let (ended, text) = caught(RECORDS, |output| consume::run_to(peeking, output));
    ended.unwrap();
    check(&text, &name);
    let line = iotctl("amqp consume").words(&rabbitmq().url()).words(&name);
    line.words("-C 5 -W 60 --exec true").run().exits(0);
}

/// The header frame of the next message of a queue, byte by byte.
fn properties(stream: &mut TcpStream, queue: &str) -> Vec<u8> {
    let get = [&[0, 0][..], &short(queue), &[1]].concat();
    stream.write_all(&method(1, 60, 70, &get)).unwrap();
    until(stream, 60, 71).unwrap();
    let (kind, header) = peer::frame(stream).unwrap();
    assert_eq!(kind, 2);
    // Class, weight and size stand before them, and a mark behind them.
    header[12..header.len() - 1].to_vec()
}

#[test]
fn names_of_headers_that_are_odd_or_come_twice_survive_as_records() {
    let name = unique("names");
    carry_out(vec![Action::Declare(queue(&name, &[]))]).unwrap();
    let mut stream = raw(rabbitmq().port);
    // Twice `a`, `café` in Latin-1, and a table with both.
    let inner = b"\x01bV\x01bt\x01\x02\xff\xfeV";
    let table = [
        &b"\x01aS\0\0\0\x01x\x01aT\0\0\0\0\0\0\0\x07\x04caf\xe9t\x01\x01tF"[..],
        &long(inner),
    ];
    let sent = [&[0x20, 0][..], &long(&table.concat())].concat();
    publish(&mut stream, b"", name.as_bytes(), &sent, b"1");
    let url = rabbitmq().url();
    let get = iotctl(&format!("amqp get {url} {name} --output json"));
    let got = get.run().exits(0);
    let record: Value = serde_json::from_str(got.text()).unwrap();
    let expected = json!({
        "a": "x", "a\u{EF01}2": 7, "caf\u{EFE9}": true,
        "t": {"b": null, "b\u{EF01}2": true, "\u{EFFF}\u{EFFE}": null},
    });
    assert_eq!(record["amqp"]["headers"], expected);
    let again = iotctl(&format!("amqp publish {url} --ndjson"));
    again.input(got.text()).run().exits(0);
    assert_eq!(properties(&mut stream, &name), sent);
    iotctl(&format!("amqp delete queue {url} {name}"))
        .run()
        .exits(0);
}

#[test]
fn a_body_declared_as_3_gib_is_refused_and_costs_no_memory() {
    let peer = Peer::start(|stream, _| {
        consumer(stream)?;
        let mut large = deliver(1, false, b"x");
        // The size stands behind type, channel, length, class and weight of the second frame.
        let method = 8 + u32::from_be_bytes(large[3..7].try_into().unwrap()) as usize;
        let at = method + 7 + 4;
        large[at..at + 8].copy_from_slice(&(3u64 << 30).to_be_bytes());
        stream.write_all(&large).ok()?;
        drain(stream);
        Some(())
    });
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let line = iotctl("amqp consume").words(&url).words("q");
    let mut running = line.start();
    running.hears("declares a body of 3221225472 bytes, which is too large to be taken");
    running.signal("TERM");
    running.ends().exits(143).prints("");
}

#[test]
fn messages_that_are_not_wanted_do_not_fill_the_way_of_those_that_are() {
    let name = unique("held");
    let url = rabbitmq().url();
    let lines = format!("{}wanted\n", "no\n".repeat(350));
    let publish = iotctl("amqp publish").words(&url);
    let publish = publish.words(&format!("--declare -k {name} -l"));
    publish.input(lines).run().exits(0);
    let line = iotctl("amqp consume").words(&url).words(&name);
    let line = line.words("-C 1 -W 60 --filter").word("payload == wanted");
    let ended = line.run().exits(0).prints("wanted\n");
    ended.says("until the end; other consumers cannot get them before");
    let state = carry_out(vec![Action::Purge(name.as_str().into())]).unwrap();
    assert_eq!(state, format!("{name}\t350 messages removed\n"));
}

/// Consumes with `--retry` from a server that ends the first consumer with `frames`.
fn outlives(frames: Vec<u8>) {
    let peer = Peer::start(move |stream, number| {
        consumer(stream)?;
        match number {
            0 => stream.write_all(&frames).ok()?,
            _ => stream.write_all(&deliver(1, false, b"x")).ok()?,
        }
        goodbye(stream)?;
        Some(())
    });
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let line = iotctl("amqp consume").words(&url);
    let ended = line.words("q -C 1 -W 60 --retry 60s").run();
    ended.exits(0).prints("x\n").says("retrying in ");
}

#[test]
fn retry_is_for_a_queue_that_goes_and_for_a_consumer_that_takes_too_long() {
    outlives(method(1, 60, 30, &[&short("c")[..], &[1]].concat()));
    let late = "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out";
    let late = [&406u16.to_be_bytes()[..], &short(late), &[0; 4]].concat();
    outlives(method(1, 20, 40, &late));
}

#[test]
fn a_server_that_is_silent_once_the_connection_is_open_is_given_up_in_time() {
    for (command, words) in [("consume", "q"), ("ping", ""), ("publish", "-k q -m x")] {
        let peer = Peer::start(|stream, _| {
            welcome(stream, 131_072)?;
            drain(stream);
            Some(())
        });
        let line = iotctl(&format!("amqp {command}"));
        let line = line.words(&format!("amqp://127.0.0.1:{}", peer.port));
        let line = line.words(words).words("--connect-timeout 0.3");
        line.run().exits(5).says("within 300ms");
    }
}

#[test]
fn tables_nested_too_deep_do_not_reach_the_library() {
    let deep = nested(50_000).split_off(2);
    for (command, words) in [("ping", ""), ("purge", "q")] {
        let table = deep.clone();
        let peer = Peer::start(move |stream, _| {
            let plain = start("PLAIN");
            // Behind the head of the frame, class, method and versions stands an empty table.
            let arguments = [&plain[11..13], &table, &plain[17..plain.len() - 1]].concat();
            stream.write_all(&method(0, 10, 10, &arguments)).ok()?;
            drain(stream);
            Some(())
        });
        let line = iotctl(&format!("amqp {command}"));
        let line = line.words(&format!("amqp://127.0.0.1:{}", peer.port));
        let ended = line.words(words).words("--connect-timeout 20").run();
        assert!((1..=6).contains(&ended.code), "{ended:?}");
    }
}

/// Requests with this reply-to, and then one that can be answered.
fn ask(name: &str, reply_to: &str, answers: &str) {
    for (to, body) in [(reply_to, "odd"), (answers, "good")] {
        let publish = iotctl("amqp publish").words(&rabbitmq().url());
        let publish = publish.words(&format!("-k {name} --reply-to {to} -m {body}"));
        publish.run().exits(0);
    }
}

/// Answers two requests; what it says comes back.
fn answering(name: &str, words: &[&str]) -> String {
    let line = iotctl("amqp respond").words(&rabbitmq().url());
    let line = line.words(name).words("-C 2 --for 60s");
    let line = words.iter().fold(line, |line, word| line.word(word));
    let ended = line.run();
    assert!((0..=1).contains(&ended.code), "{ended:?}");
    ended.stderr
}

#[test]
fn an_answer_that_closes_the_connection_is_given_up_and_the_rest_is_answered() {
    let (name, answers) = (unique("rpc"), unique("answers"));
    let queues = [&name, &answers].map(|name| Action::Declare(queue(name, &[])));
    carry_out(queues.into()).unwrap();
    let stale = "amq.rabbitmq.reply-to.g1h2AA5yZXBseUA2MDA0MTY0NgAAKAEAAAAAYQ==.xxxx";
    ask(&name, stale, &answers);
    let said = answering(&name, &["--echo"]);
    assert!(
        said.contains("close the connection; no reply sent"),
        "{said}"
    );
    let state = carry_out(vec![Action::Purge(answers.as_str().into())]).unwrap();
    assert_eq!(state, format!("{answers}\t1 message removed\n"));
}

#[test]
fn an_answer_that_reaches_nobody_is_reported() {
    let (name, answers) = (unique("rpc"), unique("answers"));
    let queues = [&name, &answers].map(|name| Action::Declare(queue(name, &[])));
    carry_out(queues.into()).unwrap();
    ask(&name, "no-such-queue", &answers);
    let said = answering(&name, &["--echo"]);
    assert!(
        said.contains(
            "a reply to \"no-such-queue\" was returned: it reached nobody (312 NO_ROUTE)"
        ),
        "{said}"
    );
}

#[test]
fn an_endless_answer_is_cut_off() {
    let name = unique("rpc");
    filled(&name, &["x", "y"]);
    let said = answering(&name, &["--exec", "cat", "/dev/zero"]);
    assert!(
        said.contains("the command failed or wrote too much"),
        "{said}"
    );
}

#[test]
fn a_flood_ends_in_time_whatever_the_reader_does() {
    let peer = Peer::start(|stream, _| {
        consumer(stream)?;
        let many: Vec<u8> = (1..=500)
            .flat_map(|tag| deliver(tag, false, &[b'x'; 1000]))
            .collect();
        // Past any prefetch, until nobody listens.
        while stream.write_all(&many).is_ok() {}
        Some(())
    });
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    for words in ["", "--exec sleep 60"] {
        let line = iotctl("amqp consume").words(&url).words("q").words(words);
        let mut command = line.into_command();
        // Nobody reads its output.
        let (_reader, writer) = std::io::pipe().unwrap();
        let mut child = command.stdout(writer).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(500));
        let began = Instant::now();
        let mut kill = std::process::Command::new("kill");
        kill.arg(child.id().to_string()).status().unwrap();
        let status = child.wait().unwrap();
        assert!(began.elapsed() < Duration::from_secs(20), "{status:?}");
    }
}
