//! `mqtt broker` with more than fits: retained messages without end, full queues, packets made to cost memory; and our
//! client with servers that do the same.

use std::fs;
use std::io::Write;
use std::net::TcpStream;

use crate::support::PATIENCE;
use crate::support::broker::{Broker, broker};
use crate::support::command::iotctl;
use crate::support::peer::{
    Peer, drain, packet, publish, read_packet, read_until, rest, send, subscribed, welcome,
};

/// A client of MQTT 3.1.1 (level 4) or 5, connected with a clean start.
fn client(broker: &Broker, level: u8, name: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", broker.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let properties: &[u8] = if level == 5 { &[0] } else { &[] };
    let head = [0, 4, b'M', b'Q', b'T', b'T', level, 2, 0, 0];
    let body = [&head, properties, &[0, name.len() as u8], name.as_bytes()].concat();
    send(&mut stream, &packet(0x10, &body));
    assert_eq!(read_packet(&mut stream).expect("CONNACK").0, 0x20);
    stream
}

/// A packet of any length.
fn long(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut length = body.len();
    while length > 127 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    [&bytes, body].concat()
}

/// The most memory that a process has used, in MiB.
fn peak_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.unwrap().parse::<u64>().unwrap() / 1024
}

/// A PUBLISH body for MQTT 5 whose 60 million bytes of properties are empty user properties.
fn millions_of_properties() -> Vec<u8> {
    // 60,000,000 as a variable byte integer.
    let head = [0, 1, b't', 0x80, 0x8e, 0xce, 0x1c];
    [&head[..], &[0x26, 0, 0, 0, 0].repeat(12_000_000)].concat()
}

#[test]
fn ten_thousand_retained_messages_all_come() {
    let broker = broker("");
    let mut filler = client(&broker, 4, "filler");
    let mut packets = Vec::new();
    for number in 0..10_000 {
        let topic = format!("r/{}/{number}", number % 10);
        let text = [&[0, topic.len() as u8], topic.as_bytes(), &[b'x'; 4_096]].concat();
        packets.extend(packet(0x31, &text));
    }
    packets.extend([0xc0, 0]);
    filler.write_all(&packets).unwrap();
    assert_eq!(read_packet(&mut filler).expect("PINGRESP").0, 0xd0);
    let filters: String = (0..10).map(|number| format!("-t r/{number}/+ ")).collect();
    for words in ["-t r/#", "-t +/+/+ -q 1", &filters] {
        let ours = broker.iotctl(&format!("sub {words} -C 10000 -W 60 -F %t"));
        assert_eq!(
            ours.run().exits(0).text().lines().count(),
            10_000,
            "{words}"
        );
        let theirs = broker.sub_line(&format!("{words} -C 10000 -W 60 -F %t"));
        assert_eq!(
            theirs.run().exits(0).text().lines().count(),
            10_000,
            "{words}"
        );
    }
    let ended = broker
        .iotctl("sub -t r/# --retained-only -F %t -W 60")
        .run();
    assert_eq!(ended.exits(0).text().lines().count(), 10_000);
}

#[test]
fn retained_messages_come_at_qos_1_and_2_as_far_as_the_window_allows() {
    let broker = broker("");
    let lines: String = (0..2_000)
        .map(|number| {
            format!(
                "{{\"topic\":\"r/{number}\",\"payload\":\"{}\"}}\n",
                "x".repeat(3_000)
            )
        })
        .collect();
    broker
        .iotctl("pub --ndjson -q 2 -r")
        .input(lines)
        .run()
        .exits(0);
    for qos in [1, 2] {
        let ours = broker.iotctl(&format!("sub -t r/# -q {qos} -C 2000 -W 60 -F %q"));
        let text = format!("{qos}\n").repeat(2_000);
        ours.run().exits(0).prints(&text);
        let theirs = broker.sub_line(&format!("-t r/# -q {qos} -C 2000 -W 60 -F %q"));
        theirs.run().exits(0).prints(&text);
    }
}

#[test]
fn a_full_queue_refuses_or_holds_and_loses_nothing() {
    let mut broker = broker("--max-queued 10");
    let keep = "-i keeper -c -t t -q 1";
    broker.sub_line(&format!("{keep} -E")).run().exits(0);
    let lines = |from: u32, to: u32| -> String { (from..to).map(|n| format!("{n}\n")).collect() };
    let publishing = broker.iotctl("pub -V 5 -t t -q 1 -l").input(lines(0, 10));
    publishing.run().exits(0);
    let refused = broker.iotctl("pub -V 5 -t t -q 1 -m over").run();
    refused.exits(1).says("quota exceeded");
    broker.running.hears("the queue of keeper is full");
    // A client of MQTT 3.1.1 cannot be refused anything: it waits, and is answered otherwise.
    let mut held = broker
        .iotctl("pub -V 311 -t t -q 1 -l --keepalive 1s")
        .start();
    held.write(lines(10, 40).as_bytes());
    broker.running.hears("with MQTT 3.1.1");
    let mut other = client(&broker, 4, "other");
    // QoS 1 with the identifier 7.
    send(&mut other, &packet(0x32, b"\0\x01t\0\x07last"));
    send(&mut other, &[0xc0, 0]);
    assert_eq!(read_packet(&mut other).expect("PINGRESP").0, 0xd0);
    let reader = broker
        .sub_line(&format!("{keep} -C 41 -W 60"))
        .run()
        .exits(0);
    let mut got: Vec<_> = reader
        .text()
        .lines()
        .filter(|line| *line != "last")
        .collect();
    got.sort_by_key(|line| line.parse::<u32>().unwrap());
    assert_eq!(got.join("\n") + "\n", lines(0, 40));
    held.ends().exits(0);
    assert_eq!(read_until(&mut other, 0x40), Some(vec![0, 7]));
}

#[test]
fn a_session_is_not_handed_to_another_user() {
    let broker = broker("");
    broker
        .sub_line("-i device -u ann -c -t t -q 1 -E")
        .run()
        .exits(0);
    broker.pub_line("-t t -q 1 -m secret").run().exits(0);
    let other = broker
        .sub_line("-i device -u bob -c -t other -q 1 -W 1")
        .run();
    assert_eq!(other.text(), "");
}

#[test]
fn packets_of_millions_of_parts_are_refused_and_cost_little() {
    let broker = broker("");
    let mut new = client(&broker, 5, "a");
    let _ = new.write_all(&long(0x30, &millions_of_properties()));
    // DISCONNECT, quota exceeded.
    let (first, body) = read_packet(&mut new).expect("DISCONNECT");
    assert_eq!((first, body[0]), (0xe0, 0x97));
    drain(&mut new);
    let subscribe = [&[0, 1][..], &[0, 1, b'a', 0].repeat(4_000_000)].concat();
    let mut old = client(&broker, 4, "b");
    let _ = old.write_all(&long(0x82, &subscribe));
    assert!(rest(&mut old).is_empty(), "closed");
    let peak = peak_memory(broker.running.id());
    assert!(peak < 300, "{peak} MiB");
}

#[test]
fn a_request_of_a_hundred_thousand_filters_is_answered_and_then_the_next_packet() {
    let broker = broker("");
    let mut filters = vec![0, 1];
    for number in 0..100_000_u32 {
        filters.extend([0, 6]);
        filters.extend(format!("{number:06}").into_bytes());
        filters.push(0);
    }
    let mut many = client(&broker, 4, "many");
    many.write_all(&[&long(0x82, &filters)[..], &[0xc0, 0]].concat())
        .unwrap();
    let mut other = client(&broker, 4, "other");
    send(&mut other, &[0xc0, 0]);
    assert_eq!(read_packet(&mut other).expect("PINGRESP").0, 0xd0);
    let (first, body) = read_packet(&mut many).expect("SUBACK");
    assert_eq!((first, body.len()), (0x90, 100_002));
    assert_eq!(read_packet(&mut many).expect("PINGRESP").0, 0xd0);
    send(&mut other, &packet(0x30, b"\0\x06099999x"));
    assert_eq!(read_packet(&mut many).expect("PUBLISH").0, 0x30);
    // It ends with all its subscriptions, and others are served meanwhile.
    drop(many);
    broker.pub_line("-t 000001 -m x -q 1").run().exits(0);
}

#[test]
fn a_client_is_not_made_to_hold_millions_of_properties() {
    let peer = Peer::start(|stream, _| {
        subscribed(stream, &[0]);
        let _ = stream.write_all(&long(0x30, &millions_of_properties()));
        let goodbye = read_until(stream, 0xe0);
        drain(stream);
        goodbye
    });
    let words = format!("mqtt sub -h 127.0.0.1 -p {} -t t", peer.port);
    let ended = iotctl(&words).run().exits(6);
    ended.says("PUBLISH: more than 131072 properties");
    assert_eq!(peer.result().expect("DISCONNECT")[0], 0x97);
}

/// Answers SUBSCRIBE and UNSUBSCRIBE as some cloud brokers do, with at most eight filters in a packet of at most 100
/// bytes; returns the numbers of filters.
fn cloud(stream: &mut TcpStream) -> Vec<usize> {
    read_until(stream, 0x10).expect("CONNECT");
    // Maximum Packet Size 100.
    send(stream, &[0x20, 8, 0, 0, 5, 0x27, 0, 0, 0, 100]);
    let mut counts = Vec::new();
    while let Some((first, body)) = read_packet(stream) {
        let options = match first {
            0x82 => 1,
            0xa2 => 0,
            _ => continue,
        };
        let (mut at, mut count) = (3, 0);
        while at < body.len() {
            at += 2 + usize::from(body[at]) * 256 + usize::from(body[at + 1]) + options;
            count += 1;
        }
        counts.push(count);
        if count > 8 || body.len() > 98 {
            return counts;
        }
        let answer = [&body[..2], &[0], &vec![0; count]].concat();
        send(
            stream,
            &packet(first & 0x70 | 0x10 | (first & 0x80), &answer),
        );
    }
    counts
}

#[test]
fn many_filters_go_out_in_packets_that_the_server_takes() {
    for (option, more) in [("-t", "-E"), ("-U", "")] {
        let peer = Peer::start(|stream, _| cloud(stream));
        let short: String = (10..30).map(|n| format!("{option} f/{n} ")).collect();
        let words = format!("mqtt sub -h 127.0.0.1 -p {} {short} {more}", peer.port);
        iotctl(&words).run().exits(0);
        assert_eq!(peer.result(), [8, 8, 4]);
        let filter = |n| format!("{option} {}/{n} ", "x".repeat(40));
        let long: String = (10..20).map(filter).collect();
        let words = format!("mqtt sub -h 127.0.0.1 -p {} {long} {more}", peer.port);
        iotctl(&words).run().exits(0);
        assert_eq!(peer.result(), [2; 5]);
    }
    let peer = Peer::start(|stream, _| cloud(stream));
    let long = "x".repeat(120);
    let words = format!("mqtt sub -h 127.0.0.1 -p {} -t {long} -E", peer.port);
    let ended = iotctl(&words).run().exits(1);
    ended.says("the server accepts packets of at most 100 bytes");
    assert!(peer.result().is_empty());
}

#[test]
fn an_old_server_that_welcomes_gets_eight_filters_at_a_time_too() {
    let peer = Peer::start(|stream, _| {
        welcome(stream);
        let subscribe = read_until(stream, 0x80).expect("SUBSCRIBE");
        subscribe.len()
    });
    let filters: String = (10..30).map(|n| format!("-t f/{n} ")).collect();
    let words = format!(
        "mqtt sub -V 311 -h 127.0.0.1 -p {} {filters} --retry 0",
        peer.port
    );
    let running = iotctl(&words).start();
    assert_eq!(peer.result(), 2 + 8 * 7);
    drop(running);
}

/// One of MQTT 5 is answered in its own form; a level that does not exist, in that of MQTT 3.1.1.
#[test]
fn a_connect_that_is_malformed_is_answered_in_the_form_of_its_version() {
    let broker = broker("");
    let answer = |body: &[u8]| {
        let mut stream = TcpStream::connect(("127.0.0.1", broker.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        send(&mut stream, &packet(0x10, body));
        read_packet(&mut stream)
    };
    let connack = |body: &[u8]| Some((0x20, body.to_vec()));
    let connect = |level, flags| [&[0, 4][..], b"MQTT", &[level, flags, 0, 0]].concat();
    let reserved = [&connect(5, 3)[..], &[0, 0, 1, b'x']].concat();
    assert_eq!(answer(&reserved), connack(&[0, 0x81, 0]));
    // Receive Maximum 0.
    let properties = [3, 0x21, 0, 0, 0, 1, b'x'];
    let zero = [&connect(5, 2)[..], &properties].concat();
    assert_eq!(answer(&zero), connack(&[0, 0x82, 0]));
    let reserved = [&connect(4, 3)[..], &[0, 1, b'x']].concat();
    assert_eq!(answer(&reserved), None);
    let unknown = [&connect(9, 2)[..], &[0, 1, b'x']].concat();
    assert_eq!(answer(&unknown), connack(&[0, 1]));
}

#[test]
fn an_answer_larger_than_the_client_takes_ends_its_connection_with_a_reason() {
    let mut broker = broker("");
    let mut stream = TcpStream::connect(("127.0.0.1", broker.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // Maximum Packet Size 12.
    let connect = [
        0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 0, 5, 0x27, 0, 0, 0, 12, 0, 1, b'x',
    ];
    send(&mut stream, &packet(0x10, &connect));
    assert_eq!(read_packet(&mut stream).expect("CONNACK").0, 0x20);
    let filters = [0, 1, b'f', 0].repeat(20);
    let subscribe = [&[0, 1, 0][..], &filters].concat();
    send(&mut stream, &packet(0x82, &subscribe));
    assert_eq!(read_until(&mut stream, 0xe0), Some(vec![0x95]));
    broker
        .running
        .hears("SUBACK for x is larger than its Maximum Packet Size of 12 bytes");
    broker
        .running
        .hears("x disconnected: packet too large (0x95)");
}

/// The resend of what was refused is no resend of what was delivered.
#[test]
fn a_qos_2_message_beyond_the_receive_maximum_is_delivered_when_it_comes_again() {
    let broker = broker("--receive-maximum 1");
    let mut watcher = client(&broker, 5, "w");
    send(&mut watcher, &packet(0x82, &[0, 1, 0, 0, 1, b't', 0]));
    assert_eq!(read_packet(&mut watcher).expect("SUBACK").0, 0x90);
    let connect = |clean: u8| {
        let mut stream = TcpStream::connect(("127.0.0.1", broker.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let properties = [5, 0x11, 0, 0, 1, 0, 0, 1, b'p'];
        let head = [0, 4, b'M', b'Q', b'T', b'T', 5, clean, 0, 0];
        send(
            &mut stream,
            &packet(0x10, &[&head[..], &properties].concat()),
        );
        assert_eq!(read_packet(&mut stream).expect("CONNACK").0, 0x20);
        stream
    };
    let mut stream = connect(2);
    send(&mut stream, &publish("t", 2, 1, b"one"));
    send(&mut stream, &publish("t", 2, 2, b"two"));
    assert_eq!(read_until(&mut stream, 0xe0), Some(vec![0x93]));
    let mut stream = connect(0);
    send(&mut stream, &packet(0x62, &[0, 1]));
    assert_eq!(read_packet(&mut stream), Some((0x70, vec![0, 1])));
    let mut again = publish("t", 2, 2, b"two");
    again[0] |= 8;
    send(&mut stream, &again);
    assert_eq!(read_packet(&mut stream), Some((0x50, vec![0, 2])));
    for payload in [&b"one"[..], b"two"] {
        let body = read_until(&mut watcher, 0x30).expect("a PUBLISH");
        assert!(body.ends_with(payload));
    }
}
