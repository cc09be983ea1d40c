//! Servers that say what they do not take, or keep, or where else to go.

use std::net::TcpStream;

use serde_json::Value;

use crate::support::bench::bench;
use crate::support::broker::{Broker, broker};
use crate::support::command::{Line, iotctl};
use crate::support::peer::{
    Peer, drain, packet, publish, read_packet, read_until, rest, send, subscribed, welcome,
};
use crate::support::tmux::Terminal;

fn at(port: u16, command: &str, words: &str) -> Line {
    iotctl(&format!("mqtt {command} -h 127.0.0.1 -p {port} {words}"))
}

/// Reads CONNECT and answers it with this code and these properties.
fn answer_connect(stream: &mut TcpStream, code: u8, properties: &[u8]) {
    read_until(stream, 0x10).expect("a CONNECT");
    let head = [0, code, properties.len() as u8];
    send(stream, &packet(0x20, &[&head[..], properties].concat()));
}

/// Accepts connections with these properties; the first bytes of the packets that came.
fn accepting(properties: &'static [u8]) -> Peer<Vec<u8>> {
    Peer::start(move |stream, _| {
        answer_connect(stream, 0, properties);
        rest(stream)
    })
}

/// A property that is a string of less than 256 bytes.
fn text(property: u8, text: &str) -> Vec<u8> {
    [&[property, 0, text.len() as u8], text.as_bytes()].concat()
}

#[test]
fn bench_sends_nothing_that_the_server_does_not_take() {
    for (properties, words, says) in [
        (&[0x24, 0][..], "-q 1", "the server supports at most QoS 0"),
        (&[0x24, 1], "-q 2", "the server supports at most QoS 1"),
        (
            &[0x25, 0],
            "-q 0 --retain",
            "the server does not support retained messages",
        ),
    ] {
        let peer = accepting(properties);
        let ended = bench(
            peer.port,
            "--publishers 1 --subscribers 1 --rate 500 --count 10",
        )
        .words(words)
        .run()
        .exits(1)
        .says(&format!("cannot publish: {says}"));
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        for _ in 0..2 {
            let came = peer.result();
            assert!(came.iter().all(|first| first >> 4 != 3), "{came:?}");
        }
    }
}

#[test]
fn the_other_server_is_named() {
    let reference = text(0x1c, "other.example:1884 third.example");
    let both = [reference, text(0x1f, "maintenance")].concat();
    let answer = both.clone();
    let peer = Peer::start(move |stream, _| {
        answer_connect(stream, 0x9c, &answer);
        rest(stream)
    });
    let says = "use another server (0x9c): other.example:1884 third.example: maintenance";
    for (command, words) in [("pub", "-t a -m x"), ("sub", "-t a")] {
        at(peer.port, command, words)
            .run()
            .exits(1)
            .says(says)
            .says("hint: connect to mqtt://other.example:1884\n");
    }
    bench(peer.port, "--publishers 1 --rate 500 --count 10")
        .run()
        .exits(1)
        .says(&format!("refused the connection: {says}"))
        .says("hint: connect to mqtt://other.example:1884\n");
    let goodbye = [&[0x9d, both.len() as u8], &both[..]].concat();
    let peer = Peer::start(move |stream, _| {
        subscribed(stream, &[0]);
        send(stream, &packet(0xe0, &goodbye));
        drain(stream);
    });
    at(peer.port, "sub", "-t a")
        .run()
        .exits(6)
        .says("server moved (0x9d): other.example:1884 third.example: maintenance")
        .says("hint: connect to mqtt://other.example:1884\n");
}

#[test]
fn a_load_is_told_of_the_other_server_too() {
    let reference = text(0x1c, "other.example:1884");
    let goodbye = [&[0x9d, reference.len() as u8], &reference[..]].concat();
    let peer = Peer::start(move |stream, _| {
        answer_connect(stream, 0, &[]);
        read_until(stream, 0x30).expect("a PUBLISH");
        send(stream, &packet(0xe0, &goodbye));
        drain(stream);
    });
    let words = "--publishers 1 -q 1 --rate 500 --count 2 --drain 300ms";
    let ended = bench(peer.port, words).run();
    let found: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let hint = &found["errors"][0]["hint"];
    assert_eq!(hint, "connect to mqtt://other.example:1884", "{found}");
}

#[test]
fn topic_aliases_beyond_the_maximum_are_not_sent() {
    for (properties, says) in [
        (&[][..], "the server does not support topic aliases"),
        (&[0x22, 0, 1], "the server supports topic aliases up to 1"),
    ] {
        let peer = accepting(properties);
        at(peer.port, "pub", "-t a -m x -q 1 -D publish topic-alias 2")
            .run()
            .exits(1)
            .says("cannot publish to a on ")
            .says(says);
        assert_eq!(peer.result(), [0xe0]);
    }
    let broker = broker("");
    broker
        .iotctl("pub -t a -m x -q 1 -D publish topic-alias 2")
        .run()
        .exits(0);
}

#[test]
fn a_probe_tries_what_the_server_takes() {
    let poor = broker("--max-qos 0 --topic-alias-maximum 0");
    let ended = poor.iotctl("probe --output json -W 60").run().exits(0);
    let row = |feature: &str| {
        let name = format!("\"feature\":\"{feature}\"");
        let mut lines = ended.text().lines();
        lines.find(|line| line.contains(&name)).unwrap().to_owned()
    };
    let large = row("payload of 256 KiB");
    assert!(large.contains("\"supported\":true"), "{large}");
    let aliases = row("topic aliases");
    assert!(aliases.contains("\"supported\":false"), "{aliases}");
}

#[test]
fn a_session_that_is_kept_for_less_time_is_told_of() {
    let peer = Peer::start(|stream, _| {
        answer_connect(stream, 0, &[0x11, 0, 0, 0, 5]);
        let subscribe = read_until(stream, 0x80).expect("a SUBSCRIBE");
        send(stream, &packet(0x90, &[subscribe[0], subscribe[1], 0, 0]));
        send(stream, &publish("a", 0, 0, b"x"));
        drain(stream);
    });
    for (words, asked) in [("-x 1h", "for 1h"), ("-c", "for ever")] {
        let says = format!(
            "keeps the session for 5s without a connection, and not {asked}: messages may be lost"
        );
        at(peer.port, "sub", "-t a -i me -C 1")
            .words(words)
            .run()
            .exits(0)
            .prints("x\n")
            .says(&says);
    }
    at(peer.port, "sub", "-t a -i me -x 5 -C 1")
        .run()
        .exits(0)
        .quietly();
}

fn url(broker: &Broker) -> String {
    format!("mqtt://127.0.0.1:{}", broker.port)
}

#[test]
fn a_bridge_sends_what_its_target_takes() {
    for (poor, sent, came, says) in [
        (
            "--max-qos 1",
            "-q 2",
            "1 0",
            "supports at most QoS 1: messages of QoS 2 are sent at QoS 1",
        ),
        (
            "--max-qos 0",
            "-q 2",
            "0 0",
            "supports at most QoS 0: messages of QoS 1 and 2 are sent at QoS 0",
        ),
        (
            "--no-retain",
            "-q 2 -r",
            "2 0",
            "supports no retained messages: they are sent without being retained",
        ),
        (
            "--no-retain --max-qos 0",
            "-q 1 -r",
            "0 0",
            "supports no retained messages",
        ),
    ] {
        let (mut from, mut to) = (broker(""), broker(poor));
        let mut receiver = to.iotctl("sub -t x/# -q 2 -F").word("%q %r %p").start();
        to.sees_subscription("x/#");
        let line = format!("bridge {} {} -t", url(&from), url(&to));
        let bridge = iotctl(&line).word("x/# out 2").start();
        from.sees_subscription("x/#");
        for body in ["one", "two"] {
            from.iotctl(&format!("pub -t x/a -m {body} {sent}"))
                .run()
                .exits(0);
            assert_eq!(receiver.line(), format!("{came} {body}"));
        }
        bridge.signal("TERM");
        let ended = bridge.ends().exits(143).says(says);
        assert_eq!(ended.stderr.matches(says).count(), 1, "{}", ended.stderr);
    }
    let (mut from, to) = (broker(""), broker("--max-qos 1"));
    let bridge = iotctl(&format!("bridge {} {} --strict -t", url(&from), url(&to)))
        .word("x/# out 2")
        .start();
    from.sees_subscription("x/#");
    from.iotctl("pub -t x/a -m one -q 2").run().exits(0);
    bridge
        .ends_by_itself()
        .exits(1)
        .says("the server supports at most QoS 1");
}

#[test]
fn retained_messages_that_come_a_little_later_are_not_missed() {
    // Answers the first PINGREQ before it sends what it has retained.
    let peer = Peer::start(|stream, _| {
        subscribed(stream, &[0]);
        read_until(stream, 0xc0).expect("a PINGREQ");
        send(stream, &[0xd0, 0]);
        read_until(stream, 0xc0).expect("another, after a while");
        let mut retained = publish("$SYS/a", 0, 0, b"1.10");
        retained[0] |= 1;
        send(stream, &retained);
        send(stream, &[0xd0, 0]);
        while read_packet(stream).is_some_and(|(first, _)| first == 0xc0) {
            send(stream, &[0xd0, 0]);
        }
    });
    at(peer.port, "sub", "-t $SYS/# --retained-only -W 60")
        .run()
        .exits(0)
        .prints("1.10\n");
    at(peer.port, "clear", "-t $SYS/# --dry-run -W 60")
        .run()
        .exits(0)
        .prints("$SYS/a\n");
    at(peer.port, "sys", "--output json -W 60")
        .run()
        .exits(0)
        .prints("{\"$SYS/a\":1.10}\n");
    // A server without any is asked twice.
    let peer = Peer::start(|stream, _| {
        subscribed(stream, &[0]);
        let mut pings = 0;
        while read_packet(stream).is_some_and(|(first, _)| first == 0xc0) {
            pings += 1;
            send(stream, &[0xd0, 0]);
        }
        pings
    });
    at(peer.port, "sub", "-t a --retained-only -W 60")
        .run()
        .exits(0)
        .prints("");
    assert_eq!(peer.result(), 2);
}

#[test]
fn a_topic_is_one_line_of_a_tree_or_a_table_on_a_terminal() {
    let broker = broker("");
    broker
        .iotctl("pub -m 1 -r -q 1 -t")
        .word("x/a\nb")
        .run()
        .exits(0);
    let url = url(&broker);
    let words = [
        "mqtt",
        "sub",
        &url,
        "-t",
        "x/#",
        "--retained-only",
        "--tree",
    ];
    let terminal = Terminal::start(&words, "", 80, 24);
    terminal.shows(&["a\\x0ab (1) = 1"]);
}

#[test]
fn a_goodbye_cannot_ask_for_a_session_that_ended() {
    let words = "-t a -m x -D disconnect session-expiry-interval";
    at(1, "pub", words)
        .word("10")
        .run()
        .exits(2)
        .says("-D disconnect session-expiry-interval: a session that ends with its connection cannot be kept");
    for words in [
        "-t a -m x -D disconnect session-expiry-interval 0",
        "-t a -m x -x 1h -i me -D disconnect session-expiry-interval 10",
        "-t a -m x -c -i me -D disconnect session-expiry-interval 10",
    ] {
        let broker = broker("");
        at(broker.port, "pub", words).run().exits(0);
    }
}

#[test]
fn a_long_identifier_is_refused_with_the_reason() {
    at(1, "pub", "-t a -m x -i")
        .word("x".repeat(65_536))
        .run()
        .exits(2)
        .says("x' for '-i <ID>': ")
        .says("65535");
}

#[test]
fn a_broken_connect_is_logged() {
    let mut broker = broker("");
    let mut stream = TcpStream::connect(("127.0.0.1", broker.port)).unwrap();
    send(&mut stream, &packet(0x10, b"\0\x04MQTT\x05\x03"));
    let line = broker.running.hears(" was refused: ");
    assert!(line.contains("a client from 127.0.0.1:"), "{line}");
    assert!(line.contains("malformed packet"), "{line}");
}

#[test]
fn the_first_cause_of_a_loss_is_told() {
    let peer = Peer::start(|stream, _| {
        welcome(stream);
        drain(stream);
    });
    // The lines come while the server is told goodbye.
    let lines: String = (0..2000).map(|number| format!("{number}\n")).collect();
    at(peer.port, "pub", "-t a -l -k 1 --retry never --rate 200/s")
        .input(lines)
        .run()
        .exits(6)
        .says("no PINGRESP within the keep-alive interval");
}
