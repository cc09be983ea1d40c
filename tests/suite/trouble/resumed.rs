//! Connections that are lost in the middle of something, and the next one to the same server or another.

use std::net::TcpStream;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::broker::broker;
use crate::support::command::{Line, iotctl};
use crate::support::peer::{
    Peer, packet, publish, read_packet, read_until, rest, send, subscribed, welcome,
};

fn at(port: u16, command: &str, words: &str) -> Line {
    iotctl(&format!("mqtt {command} -h 127.0.0.1 -p {port} {words}"))
}

const KEEPING: &str = "-i me -c -x 100 --retry 60s";

/// Reads CONNECT and answers it with these flags and properties.
fn answered(stream: &mut TcpStream, flags: u8, properties: &[u8]) {
    read_until(stream, 0x10).expect("a CONNECT");
    let head = [flags, 0, properties.len() as u8];
    send(stream, &packet(0x20, &[&head[..], properties].concat()));
}

#[test]
fn a_subscription_without_suback_is_made_again_in_a_session_that_is_present() {
    let mut broker = broker("--fault close:after=1,client=me,nth=1");
    let line = broker.iotctl(&format!("sub -t a -q 1 -C 1 {KEEPING}"));
    let running = line.start();
    broker.sees_subscription("a");
    broker.iotctl("pub -t a -q 1 -m there").run().exits(0);
    running.ends_by_itself().exits(0).prints("there\n");
}

#[test]
fn an_unsubscribe_without_unsuback_is_sent_again() {
    let peer = Peer::start(|stream, number| {
        answered(stream, u8::from(number > 0), &[]);
        let unsubscribe = read_until(stream, 0xa0).expect("an UNSUBSCRIBE");
        if number > 0 {
            send(
                stream,
                &packet(0xb0, &[&unsubscribe[..2], &[0, 0]].concat()),
            );
            rest(stream);
        }
    });
    let line = at(peer.port, "sub", &format!("-U a {KEEPING}"));
    line.run().exits(0);
}

#[test]
fn an_unsubscribe_that_is_never_answered_ends_by_the_time_for_it() {
    let peer = Peer::start(|stream, _| {
        answered(stream, 0, &[]);
        rest(stream)
    });
    at(peer.port, "sub", "-U a --connect-timeout 300ms")
        .run()
        .exits(5)
        .says("no UNSUBACK for a");
    assert!(peer.result().contains(&0xa2));
}

#[test]
fn an_unsuback_has_a_reason_for_each_filter() {
    for codes in [&[0][..], &[0, 0, 0]] {
        let peer = Peer::start(move |stream, _| {
            subscribed(stream, &[0]);
            let unsubscribe = read_until(stream, 0xa0).expect("an UNSUBSCRIBE");
            let answer = [&unsubscribe[..2], &[0], codes].concat();
            send(stream, &packet(0xb0, &answer));
            rest(stream)
        });
        at(peer.port, "sub", "-t a -U b -U c -E")
            .run()
            .exits(6)
            .says("UNSUBACK with a wrong number of reason codes");
    }
}

#[test]
fn a_message_that_was_accepted_is_not_refused_when_its_pubrel_comes_again() {
    let peer = Peer::start(|stream, number| {
        answered(stream, u8::from(number > 0), &[]);
        if number == 0 {
            let publish = read_until(stream, 0x30).expect("a PUBLISH");
            send(stream, &packet(0x50, &publish[3..5]));
            read_until(stream, 0x60);
            return;
        }
        let pubrel = read_until(stream, 0x60).expect("a PUBREL");
        send(stream, &packet(0x70, &[pubrel[0], pubrel[1], 0x92]));
        rest(stream);
    });
    let words = format!("-t a -q 2 -m x {KEEPING}");
    at(peer.port, "pub", &words).run().exits(0);
}

#[test]
fn a_message_that_the_next_server_does_not_take_is_refused() {
    for (properties, words, says) in [
        (&[0x24, 0][..], "-m x", "the server supports at most QoS 0"),
        (
            &[0x25, 0],
            "-m x -r",
            "the server does not support retained messages",
        ),
        (
            &[0x27, 0, 0, 0, 12],
            "-m 0123456789",
            "exceeds the server's maximum packet size of 12",
        ),
    ] {
        for flags in [0, 1] {
            let peer = Peer::start(move |stream, number| {
                if number == 0 {
                    welcome(stream);
                    read_until(stream, 0x30).expect("a PUBLISH");
                    return Vec::new();
                }
                answered(stream, flags, properties);
                rest(stream)
            });
            let words = format!("-t a -q 2 {words} {KEEPING}");
            let ended = at(peer.port, "pub", &words).run();
            ended.exits(1).says("cannot publish to a on ").says(says);
            peer.result();
            assert_eq!(peer.result(), [0xe0], "only the goodbye");
        }
    }
}

#[test]
fn what_was_sent_and_has_no_answer_is_reported_as_in_doubt() {
    let peer = Peer::start(|stream, _| {
        welcome(stream);
        let publish = read_until(stream, 0x30).expect("a PUBLISH");
        send(stream, &packet(0x40, &publish[3..5]));
        rest(stream);
    });
    let words = "-t a -q 1 -l --ack-timeout 200ms --ack-report json";
    let line = at(peer.port, "pub", words).input("1\n2\n3\n");
    let ended = line.run().exits(5);
    let lines: Vec<Value> = (ended.text().lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let outcomes: Vec<_> = lines.iter().map(|it| it["outcome"].as_str()).collect();
    let in_doubt = Some("in doubt");
    assert_eq!(outcomes, [Some("acknowledged"), in_doubt, in_doubt]);
    assert_eq!(lines[2]["number"], 3);
}

#[test]
fn a_second_step_of_authentication_and_another_method_are_named() {
    let folder = TempDir::new().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "secret").unwrap();
    let run = |port: u16| {
        let line = at(port, "pub", "-t a -m x --auth-method M");
        line.word("--auth-data-file").word(&token).run()
    };
    let steps = Peer::start(|stream, _| {
        read_packet(stream);
        send(stream, &packet(0xf0, b"\x18\x04\x15\0\x01M"));
        rest(stream);
    });
    let said = "asks for a second step of M (AUTH), and there is data for the first only";
    run(steps.port).exits(6).says(said);
    for (properties, said) in [
        (&b""[..], "CONNACK with no authentication method, and not M"),
        (
            b"\x15\0\x01X",
            "with the authentication method X, and not M",
        ),
    ] {
        let peer = Peer::start(move |stream, _| {
            answered(stream, 0, properties);
            rest(stream);
        });
        run(peer.port).exits(6).says(said);
    }
}

#[test]
fn at_a_server_without_qos_1_all_goes_at_qos_0() {
    let mut broker = broker("--max-qos 0");
    let retain = |topic: &str| {
        let line = broker.iotctl(&format!("pub -r -t {topic} -m x"));
        line.run().exits(0);
    };
    let retained = || {
        let line = broker.iotctl("clear --dry-run --quiet -t #");
        line.run().exits(0).text().to_owned()
    };
    retain("a");
    retain("b");
    broker.iotctl("clear -t a --yes").run().exits(0);
    assert_eq!(retained(), "b\n");
    let words = format!("mosquitto_sub -V 5 -h 127.0.0.1 -p {} -t b", broker.port);
    let line = iotctl(&words).words("--remove-retained --retained-only");
    line.run().exits(0).prints("x\n");
    assert_eq!(retained(), "");
    // Whoever names a QoS gets that or none.
    let strict = broker.iotctl("request -t a -m x -q 1 -W 60").run();
    strict.exits(1).says("the server supports at most QoS 0");
    // `clear` has subscribed to the topics above already.
    let responding = broker.iotctl("respond -t asked --echo").start();
    broker.sees_subscription("asked");
    let asked = broker.iotctl("request -t asked -m hi -W 60").run();
    asked.exits(0).prints("hi\n");
    drop(responding);
}

#[test]
fn mosquitto_sub_comes_back_before_its_first_suback_too() {
    let peer = Peer::start(|stream, number| {
        welcome(stream);
        let subscribe = read_until(stream, 0x80).expect("a SUBSCRIBE");
        if number > 0 {
            send(stream, &packet(0x90, &[&subscribe[..2], &[0]].concat()));
            send(stream, &packet(0x30, b"\0\x01ax"));
            rest(stream);
        }
    });
    let words = format!("mosquitto_sub -h 127.0.0.1 -p {} -t a -C 1", peer.port);
    iotctl(&words).run().exits(0).prints("x\n");
    // It is another matter with MQTT 5 and a session of its own.
    let peer = Peer::start(|stream, number| {
        answered(stream, u8::from(number > 0), &[]);
        let subscribe = read_until(stream, 0x80).expect("a SUBSCRIBE");
        if number > 0 {
            send(stream, &packet(0x90, &[&subscribe[..2], &[0, 0]].concat()));
            send(stream, &publish("a", 0, 0, b"y"));
            rest(stream);
        }
    });
    let words = format!(
        "mosquitto_sub -V 5 -i me -c -x 100 -h 127.0.0.1 -p {}",
        peer.port
    );
    iotctl(&format!("{words} -t a -C 1"))
        .run()
        .exits(0)
        .prints("y\n");
}
