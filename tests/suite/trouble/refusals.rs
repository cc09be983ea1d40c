//! Servers that say no.

use crate::support::broker::broker;
use crate::support::command::{Line, iotctl};
use crate::support::peer::{
    Peer, packet, publish, read_until, refuse, rest, send, subscribed, welcome,
};

fn at(port: u16, command: &str, words: &str) -> Line {
    iotctl(&format!("mqtt {command} -h 127.0.0.1 -p {port} {words}"))
}

#[test]
fn each_connack_code_has_its_exit_code() {
    for (version, code, exit, words) in [
        ("311", 1, 1, "version"),
        ("311", 2, 1, "identifier"),
        ("311", 3, 1, "unavailable"),
        ("311", 4, 4, "user name or password"),
        ("311", 5, 4, "not authorized"),
        ("31", 5, 4, "not authorized"),
        ("5", 0x80, 1, "unspecified error"),
        ("5", 0x84, 1, "unsupported protocol version"),
        ("5", 0x85, 1, "client identifier not valid"),
        ("5", 0x86, 4, "bad user name or password"),
        ("5", 0x87, 4, "not authorized"),
        ("5", 0x88, 1, "server unavailable"),
        ("5", 0x89, 1, "server busy"),
        ("5", 0x8a, 4, "banned"),
        ("5", 0x95, 1, "packet too large"),
        ("5", 0x97, 1, "quota exceeded"),
    ] {
        let peer = Peer::start(move |stream, _| {
            refuse(stream, code);
            rest(stream)
        });
        for (command, more) in [("pub", "-t a -m x"), ("sub", "-t a")] {
            let line = at(peer.port, command, more).words(&format!("-V {version}"));
            let ended = line.run().exits(exit).says("refused the connection: ");
            let said = ended.stderr.to_lowercase();
            assert!(said.contains(words), "{version} {code}: {said}");
            assert!(peer.result().is_empty(), "nothing follows a refusal");
        }
    }
}

#[test]
fn the_reason_string_is_shown() {
    let peer = Peer::start(|stream, _| {
        read_until(stream, 0x10).unwrap();
        // CONNACK 0x87 with the reason string "no \x1b[31mentry".
        let text = b"no \x1b[31mentry";
        let body = [
            &[0, 0x87, text.len() as u8 + 3, 0x1f, 0, text.len() as u8],
            &text[..],
        ];
        send(stream, &packet(0x20, &body.concat()));
        rest(stream)
    });
    let ended = at(peer.port, "pub", "-t a -m x")
        .run()
        .exits(4)
        .says("not authorized (0x87): no ");
    assert!(!ended.stderr.contains('\x1b'), "{:?}", ended.stderr);
}

/// Refuses each QoS 1 and 2 message.
fn refuses_messages(code: u8) -> Peer<()> {
    Peer::start(move |stream, _| {
        welcome(stream);
        while let Some((first, body)) = crate::support::peer::read_packet(stream) {
            let kind = match first & 0xf6 {
                0x32 => 0x40,
                0x34 => 0x50,
                _ => continue,
            };
            send(stream, &packet(kind, &[body[3], body[4], code]));
        }
    })
}

#[test]
fn a_refused_message_is_a_failure_and_the_window_is_free_again() {
    let peer = refuses_messages(0x87);
    for qos in [1, 2] {
        at(peer.port, "pub", &format!("-t a -m x -q {qos}"))
            .run()
            .exits(4)
            .says_only(&format!(
                "iotctl: mqtt://127.0.0.1:{} refused the message to a: not authorized (0x87)\n",
                peer.port
            ));
        let lines = "line\n".repeat(1000);
        at(peer.port, "pub", &format!("-t a -l -q {qos} -M 10"))
            .input(lines)
            .run()
            .exits(4)
            .says("of 1000 messages sent, 0 acknowledged, 1000 refused");
    }
}

#[test]
fn nobody_who_listens_is_no_failure_but_told() {
    let peer = refuses_messages(0x10);
    at(peer.port, "pub", "-t a -m x -q 1")
        .run()
        .exits(0)
        .says("there are no matching subscribers");
}

#[test]
fn a_refused_subscription_names_its_topic() {
    for (code, exit, words) in [
        (0x80, 1, "(0x80)"),
        (0x87, 4, "not authorized (0x87)"),
        (0x8f, 1, "(0x8f)"),
    ] {
        let peer = Peer::start(move |stream, _| {
            subscribed(stream, &[code]);
            rest(stream)
        });
        at(peer.port, "sub", "-t secret/#")
            .run()
            .exits(exit)
            .says("refused the subscription to secret/#: ")
            .says(words);
        assert_eq!(peer.result(), [0xe0]);
    }
}

#[test]
fn a_partly_refused_subscription_goes_on_and_fails_at_last() {
    let peer = Peer::start(|stream, _| {
        subscribed(stream, &[0, 0x87]);
        send(stream, &publish("open", 0, 0, b"x"));
        rest(stream)
    });
    at(peer.port, "sub", "-t open -t secret -C 1")
        .run()
        .exits(4)
        .prints("x\n")
        .says("refused the subscription to secret: not authorized (0x87)");
}

#[test]
fn the_second_with_an_identifier_wins_and_the_first_gives_up() {
    let mut ours = broker("");
    let first = ours.iotctl("sub -t a -i same --retry forever").start();
    ours.sees_subscription("a");
    let mut second = ours.iotctl("sub -t b -i same").start();
    ours.sees_subscription("b");
    first.ends().exits(6).says("session taken over");
    ours.iotctl("pub -t b -m x").run().exits(0);
    assert_eq!(second.line(), "x");
}

#[test]
fn our_broker_refuses_as_it_is_told() {
    for (fault, command, exit, words) in [
        (
            "refuse-connect:code=0x87",
            "pub -t a -m x",
            4,
            "not authorized",
        ),
        ("refuse-connect:code=0x89", "sub -t a", 1, "server busy"),
        (
            "refuse-publish:code=0x97",
            "pub -t a -m x -q 1",
            1,
            "quota exceeded",
        ),
        (
            "refuse-publish:code=0x97",
            "pub -t a -m x -q 2",
            1,
            "quota exceeded",
        ),
        (
            "refuse-subscribe:code=0x87",
            "sub -t a",
            4,
            "to a: not authorized",
        ),
        ("no-suback", "sub -t a -W 200ms", 5, "no SUBACK"),
        (
            "drop-ack:packet=puback",
            "pub -t a -m x -q 1 --ack-timeout 200ms",
            5,
            "1 not acknowledged",
        ),
        (
            "drop-ack:packet=pubrec",
            "pub -t a -m x -q 2 --ack-timeout 200ms",
            5,
            "1 not acknowledged",
        ),
        (
            "drop-ack:packet=pubcomp",
            "pub -t a -m x -q 2 --ack-timeout 200ms",
            5,
            "1 not acknowledged",
        ),
        (
            "drop-ack:packet=connack",
            "pub -t a -m x --connect-timeout 200ms",
            5,
            "did not respond to CONNECT",
        ),
        ("malformed:after=2", "sub -t a", 6, "malformed"),
    ] {
        let broker = broker(&format!("--fault {fault}"));
        broker.iotctl(command).run().exits(exit).says(words);
    }
}
