//! Servers that are absent, silent, foreign or wrong.

use std::io::Write;
use std::net::{Shutdown, TcpStream};

use crate::support::bench::bench;
use crate::support::command::{Line, iotctl};
use crate::support::peer::{
    Peer, level, packet, publish, read_packet, read_until, refuse, rest, send, subscribed, welcome,
};
use crate::support::ports::free_ports;

fn at(port: u16, command: &str, words: &str) -> Line {
    iotctl(&format!("mqtt {command} -h 127.0.0.1 -p {port} {words}"))
}

const PUB: (&str, &str) = ("pub", "-t a -m x -q 1");
const SUB: (&str, &str) = ("sub", "-t a");

#[test]
fn nobody_listens() {
    let [port] = free_ports();
    for (command, words) in [PUB, SUB] {
        at(port, command, words).run().exits(3).says_only(&format!(
            "iotctl: cannot connect to mqtt://127.0.0.1:{port}: connection refused\n"
        ));
    }
}

#[test]
fn a_name_that_does_not_exist_is_named() {
    for (command, words) in [PUB, SUB] {
        iotctl(&format!("mqtt {command} -h no-such-host.invalid {words}"))
            .run()
            .exits(3)
            .says("cannot connect to mqtt://no-such-host.invalid:1883: ");
    }
}

#[test]
fn trying_again_ends_after_the_time_given() {
    let [port] = free_ports();
    for (command, words) in [PUB, SUB] {
        at(port, command, words)
            .words("--retry 300ms")
            .run()
            .exits(3)
            .says("connection refused; retrying in")
            .says(&format!(
                "iotctl: cannot connect to mqtt://127.0.0.1:{port}: connection refused\n"
            ));
    }
}

#[test]
fn a_server_that_closes_at_once_is_not_tried_for_ever() {
    let peer = Peer::start(|_, _| {});
    for (command, words) in [PUB, SUB] {
        at(peer.port, command, words)
            .run()
            .exits(6)
            .says_only(&format!(
                "iotctl: mqtt://127.0.0.1:{} closed the connection without responding to CONNECT\n",
                peer.port
            ));
    }
}

#[test]
fn an_http_server_is_recognised() {
    let peer = Peer::start(|stream, _| {
        read_packet(stream);
        send(
            stream,
            b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        );
    });
    for (command, words) in [PUB, SUB] {
        at(peer.port, command, words)
            .run()
            .exits(3)
            .says("speaks HTTP (\"HTTP/1.1 400 Bad Request\"), not MQTT")
            .says("hint: ");
    }
}

#[test]
fn a_silent_server_is_left_after_the_connect_timeout() {
    let peer = Peer::start(|stream, _| rest(stream));
    for (command, words) in [PUB, SUB] {
        at(peer.port, command, words)
            .words("--connect-timeout 200ms")
            .run()
            .exits(5)
            .says("accepted the connection but did not respond to CONNECT within 200ms");
        peer.result();
    }
    at(peer.port, "sub", "-t a -W 200ms")
        .run()
        .exits(5)
        .says("timed out: no connection to");
}

#[test]
fn a_silent_tls_or_websocket_server_is_left_too() {
    let peer = Peer::start(|stream, _| drop(std::io::copy(stream, &mut std::io::sink())));
    for scheme in ["mqtts", "ws", "wss"] {
        iotctl(&format!(
            "mqtt pub {scheme}://127.0.0.1:{} -t a -m x --connect-timeout 200ms",
            peer.port
        ))
        .run()
        .exits(5)
        .says("200ms");
    }
}

/// Answers the first `count` publishes and nothing else.
fn answers_only(count: u16) -> Peer {
    Peer::start(move |stream, _| {
        welcome(stream);
        for _ in 0..count {
            let Some((first, body)) = read_packet(stream) else {
                return;
            };
            let id = 2 + usize::from(body[1]);
            let kind = if first & 6 == 2 { 0x40 } else { 0x50 };
            send(stream, &packet(kind, &body[id..id + 2]));
        }
        rest(stream);
    })
}

#[test]
fn missing_acknowledgements_are_counted() {
    let peer = answers_only(1);
    at(peer.port, "pub", "-t a -q 1 -l --ack-timeout 200ms")
        .input("1\n2\n3\n")
        .run()
        .exits(5)
        .says("no acknowledgement from mqtt://127.0.0.1:")
        .says("for 200ms: of 3 messages sent, 1 acknowledged, 2 not acknowledged");
    let peer = answers_only(1);
    at(peer.port, "pub", "-t a -q 2 -m x --ack-timeout 200ms")
        .run()
        .exits(5)
        .says("of 1 message sent, 0 acknowledged, 1 not acknowledged");
    let peer = answers_only(0);
    at(peer.port, "pub", "-t a -q 0 -m x --ack-timeout 200ms")
        .run()
        .exits(5)
        .says("of 1 message sent, 0 acknowledged, 1 not acknowledged");
}

#[test]
fn a_connection_lost_for_good_is_counted_as_well() {
    let peer = Peer::start(|stream, number| {
        if number == 0 {
            welcome(stream);
            let publish = read_until(stream, 0x30).unwrap();
            send(stream, &packet(0x40, &publish[3..5]));
            // What is left unread would turn the end into a reset.
            stream.shutdown(Shutdown::Write).unwrap();
            rest(stream);
        }
    });
    at(peer.port, "pub", "-t a -q 1 -l --retry never")
        .input("1\n2\n3\n")
        .run()
        .exits(6)
        .says("closed the connection: of 3 messages sent, 1 acknowledged, 2 not acknowledged");
}

#[test]
fn a_missing_suback_is_named() {
    let peer = Peer::start(|stream, _| {
        welcome(stream);
        rest(stream)
    });
    at(peer.port, "sub", "-t a -W 200ms")
        .run()
        .exits(5)
        .says("no SUBACK from mqtt://");
    // SUBSCRIBE, and a clean end.
    assert_eq!(peer.result(), [0x82, 0xe0]);
}

/// Sends these bytes once the client has subscribed.
fn after_subscribing(bytes: &'static [u8]) -> Peer<Vec<u8>> {
    Peer::start(move |stream, _| {
        subscribed(stream, &[0]);
        send(stream, bytes);
        rest(stream)
    })
}

#[test]
fn malformed_packets_end_with_what_was_wrong() {
    for (bytes, words) in [
        // Remaining length of five bytes.
        (&[0x30, 0xff, 0xff, 0xff, 0xff, 1][..], "length"),
        // PUBLISH with QoS 3.
        (&[0x36, 6, 0, 1, b'a', 0, 1, 0], "QoS"),
        // PUBLISH to a topic that is no UTF-8.
        (&[0x30, 4, 0, 1, 0xff, 0], "UTF-8"),
        // PUBLISH with a topic longer than the packet.
        (&[0x30, 3, 0, 9, b'a'], "PUBLISH"),
        // PUBLISH with a wildcard in its topic.
        (&[0x30, 4, 0, 1, b'#', 0], "wildcard"),
        // A packet type that does not exist.
        (&[0x00, 0], "type 0"),
        // PUBREL with wrong flags.
        (&[0x60, 2, 0, 1], "PUBREL"),
        // A packet that only clients send.
        (&[0x82, 6, 0, 1, 0, 0, 1, b'a'], "SUBSCRIBE"),
        // A second CONNACK.
        (&[0x20, 3, 0, 0, 0], "CONNACK"),
    ] {
        let peer = after_subscribing(bytes);
        let ended = at(peer.port, "sub", "-t a").run().exits(6).says(words);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        // An MQTT 5 server is told why.
        assert_eq!(peer.result().last(), Some(&0xe0), "{bytes:?}");
        assert_eq!(peer.others(), 0, "no second connection after {bytes:?}");
    }
}

#[test]
fn a_packet_larger_than_allowed_names_the_limit() {
    let peer = after_subscribing(&[0x30, 0xff, 0xff, 0x03, 0, 1, b'a', 0]);
    at(peer.port, "sub", "-t a --max-packet-size 64KiB")
        .run()
        .exits(6)
        .says("65536");
}

#[test]
fn mqtt_5_falls_back_to_3_1_1() {
    // As servers of 3.1.1 answer, as those of MQTT 5 that are told not to speak it, and those that only hang up.
    for answer in [&[0x20, 2, 0, 1][..], &[0x20, 3, 0, 0x84, 0], &[]] {
        let peer = Peer::start(move |stream, number| {
            if number == 0 {
                let (_, connect) = read_packet(stream).unwrap();
                send(stream, answer);
                return level(&connect);
            }
            let connect = welcome(stream);
            let publish = read_until(stream, 0x30).unwrap();
            send(stream, &packet(0x40, &publish[3..5]));
            rest(stream);
            level(&connect)
        });
        at(peer.port, "pub", "-t a -m x -q 1")
            .run()
            .exits(0)
            .says("does not support MQTT 5; using MQTT 3.1.1");
        assert_eq!([peer.result(), peer.result()], [5, 4]);
        // What only MQTT 5 has is not dropped silently.
        for words in ["-V 5", "-x 10", "-D publish content-type x"] {
            let peer = Peer::start(move |stream, _| {
                read_packet(stream);
                send(stream, answer);
            });
            let (code, says) = match answer {
                [] => (6, "closed the connection without responding to CONNECT"),
                _ => (1, "refused the connection: unsupported protocol version"),
            };
            at(peer.port, "pub", "-t a -m x -q 1")
                .words(words)
                .run()
                .exits(code)
                .says(says);
        }
    }
}

#[test]
fn a_keep_alive_without_answer_ends_the_connection() {
    let peer = Peer::start(|stream, _| {
        subscribed(stream, &[0]);
        rest(stream)
    });
    at(peer.port, "sub", "-t a -k 1 --retry never")
        .run()
        .exits(6)
        .says("no PINGRESP within the keep-alive interval");
    assert_eq!(peer.result().first(), Some(&0xc0));
}

#[test]
fn unsolicited_and_repeated_acknowledgements_do_no_harm() {
    let peer = Peer::start(|stream, _| {
        welcome(stream);
        send(stream, &[0x40, 2, 0x12, 0x34]);
        for _ in 0..2 {
            let publish = read_until(stream, 0x30).unwrap();
            let ack = packet(0x40, &publish[3..5]);
            send(stream, &[&ack[..], &ack].concat());
        }
        rest(stream)
    });
    at(peer.port, "pub", "-t a -q 1 -l")
        .input("1\n2\n")
        .run()
        .exits(0);
    assert_eq!(peer.result(), [0xe0]);
}

#[test]
fn a_repeated_qos_2_message_is_shown_once() {
    let peer = Peer::start(|stream, _| {
        subscribed(stream, &[2]);
        let message = publish("a", 2, 7, b"once");
        send(stream, &message);
        read_until(stream, 0x50).unwrap();
        let mut again = message.clone();
        again[0] |= 8;
        send(stream, &again);
        read_until(stream, 0x50).unwrap();
        send(stream, &[0x62, 2, 0, 7]);
        read_until(stream, 0x70).unwrap();
        // The identifier is free again.
        send(stream, &publish("a", 2, 7, b"next"));
        rest(stream)
    });
    at(peer.port, "sub", "-t a -q 2 -C 2")
        .run()
        .exits(0)
        .prints("once\nnext\n");
}

#[test]
fn topic_aliases_of_the_server_are_resolved() {
    let peer = Peer::start(|stream, _| {
        subscribed(stream, &[0]);
        // Alias 1 for "a", with and without the name.
        send(stream, &[0x30, 8, 0, 1, b'a', 3, 0x23, 0, 1, b'1']);
        send(stream, &[0x30, 7, 0, 0, 3, 0x23, 0, 1, b'2']);
        rest(stream)
    });
    at(peer.port, "sub", "-t a -C 2 -v")
        .run()
        .exits(0)
        .prints("a 1\na 2\n");
    // An alias that was never given.
    let peer = after_subscribing(&[0x30, 7, 0, 0, 3, 0x23, 0, 9, b'2']);
    at(peer.port, "sub", "-t a").run().exits(6).says("alias");
}

#[test]
fn packets_may_come_byte_by_byte() {
    let peer = Peer::start(|stream, _| {
        subscribed(stream, &[1]);
        for byte in publish("a", 1, 1, b"slow") {
            stream.write_all(&[byte]).unwrap();
            stream.flush().unwrap();
        }
        rest(stream)
    });
    at(peer.port, "sub", "-t a -q 1 -C 1")
        .run()
        .exits(0)
        .prints("slow\n");
    assert_eq!(peer.result(), [0x40, 0xe0]);
}

#[test]
fn a_server_that_sends_us_away_is_obeyed() {
    let takes_over = |stream: &mut TcpStream, _| {
        subscribed(stream, &[0]);
        send(stream, &[0xe0, 1, 0x8e]);
        rest(stream)
    };
    let peer = Peer::start(takes_over);
    at(peer.port, "sub", "-t a --retry forever")
        .run()
        .exits(6)
        .says("ended the connection: session taken over");
    peer.result();
    assert_eq!(peer.others(), 0, "no war about the session");
}

#[test]
fn a_shutdown_is_told_and_tried_again() {
    let peer = Peer::start(|stream, number| {
        subscribed(stream, &[0]);
        if number == 0 {
            send(stream, &[0xe0, 1, 0x8b]);
        } else {
            send(stream, &publish("a", 0, 0, b"back"));
        }
        rest(stream)
    });
    at(peer.port, "sub", "-t a -C 1")
        .run()
        .exits(0)
        .says("ended the connection: server shutting down (0x8b); retrying in")
        .says("subscribed again")
        .prints("back\n");
    let peer = Peer::start(|stream, _| {
        subscribed(stream, &[0]);
        send(stream, &[0xe0, 1, 0x8b]);
        rest(stream)
    });
    at(peer.port, "sub", "-t a --retry never")
        .run()
        .exits(6)
        .says("server shutting down");
}

#[test]
fn an_unavailable_server_is_tried_again_when_asked_to() {
    let peer = Peer::start(|stream, number| {
        if number == 0 {
            refuse(stream, 0x88);
            return;
        }
        welcome(stream);
        let publish = read_until(stream, 0x30).unwrap();
        send(stream, &packet(0x40, &publish[3..5]));
        rest(stream);
    });
    at(peer.port, "pub", "-t a -m x -q 1 --retry 20s")
        .run()
        .exits(0)
        .says("server unavailable (0x88); retrying in");
}

#[test]
fn a_first_subscription_that_is_never_answered_is_a_failed_connection() {
    // Accepts the connection, and closes it at the SUBSCRIBE.
    let closes = |stream: &mut TcpStream, _| {
        welcome(stream);
        read_until(stream, 0x80);
    };
    let peer = Peer::start(closes);
    at(peer.port, "sub", "-t a/# -t b")
        .run()
        .exits(6)
        .says_only(&format!(
            "iotctl: mqtt://127.0.0.1:{} closed the connection; no SUBACK for a/# and 1 more\n",
            peer.port
        ));
    peer.result();
    assert_eq!(peer.others(), 0);
    let tried = at(peer.port, "sub", "-t a --retry 300ms").run();
    let told = tried
        .exits(6)
        .says("closed the connection; no SUBACK for a; retrying in")
        .stderr;
    assert!(!told.contains("anew"), "{told}");
}

#[test]
fn without_a_suback_a_subscriber_ends_within_the_connect_timeout() {
    for words in ["-t a -E", "-t a"] {
        let peer = Peer::start(|stream, _| {
            welcome(stream);
            rest(stream)
        });
        at(peer.port, "sub", words)
            .words("--connect-timeout 200ms")
            .run()
            .exits(5)
            .says(" within 200ms; no SUBACK for a\n");
    }
}

#[test]
fn a_server_that_closes_after_each_message_is_asked_less_and_less_often() {
    let peer = Peer::start(|stream, number| {
        subscribed(stream, &[0]);
        send(stream, &publish("a", 0, 0, b"x"));
        number
    });
    // Whether it is connected at the end, and so whether that is a success, is left to chance.
    let ended = at(peer.port, "sub", "-t a --retry forever --for 4s").run();
    assert!(matches!(ended.code, 0 | 5), "{ended:?}");
    // Without waits that grow it would be asked ten times a second and more.
    let asked = peer.others();
    assert!((3..40).contains(&asked), "{asked} times");
}

#[test]
fn what_came_with_the_goodbye_counts() {
    for goodbye in [0x87, 0x8b, 0x8e] {
        let bye = packet(0xe0, &[goodbye, 0]);
        let last_words = bye.clone();
        let peer = Peer::start(move |stream, _| {
            subscribed(stream, &[0]);
            let words = [publish("a", 0, 0, b"there"), last_words.clone()];
            send(stream, &words.concat());
        });
        let ended = at(peer.port, "sub", "-t a -C 1").run().exits(0);
        assert_eq!(ended.text(), "there\n");

        let peer = Peer::start(move |stream, number| {
            if number > 0 {
                return;
            }
            welcome(stream);
            // An answer to a PINGREQ proves that what was before it at QoS 0 was read.
            read_until(stream, 0xc0).expect("a PINGREQ");
            send(stream, &[packet(0xd0, &[]), bye.clone()].concat());
        });
        at(peer.port, "pub", "-t a -m x").run().exits(0).quietly();
    }
}

#[test]
fn a_reply_that_came_with_the_goodbye_is_shown() {
    for goodbye in [0x87, 0x8b, 0x8e] {
        let peer = Peer::start(move |stream, number| {
            if number > 0 {
                return;
            }
            subscribed(stream, &[0]);
            read_until(stream, 0x30).expect("a PUBLISH");
            let words = [publish("r", 0, 0, b"reply"), packet(0xe0, &[goodbye, 0])];
            send(stream, &words.concat());
        });
        let words = "-t q -m x --response-topic r -W 20";
        let ended = at(peer.port, "request", words).run().exits(0);
        assert_eq!(ended.text(), "reply\n");
    }
}

/// The hint is for those whom it helps, and the code is the one that came.
#[test]
fn a_version_that_is_refused_is_named_as_the_server_did() {
    for (version, answer, says, hint) in [
        ("5", &[0x20, 3, 0, 0x84, 0][..], "(0x84)", true),
        ("5", &[0x20, 2, 0, 1], "(return code 1)", true),
        ("311", &[0x20, 2, 0, 1], "(return code 1)", false),
        ("31", &[0x20, 2, 0, 1], "(return code 1)", false),
    ] {
        let peer = Peer::start(move |stream, _| {
            read_packet(stream);
            send(stream, answer);
        });
        let lines = [
            at(peer.port, "pub", "-t a -m x -i x"),
            bench(peer.port, "-q 1 --rate 100 --count 1"),
        ];
        for line in lines {
            let ended = line.words("-V").words(version).run().exits(1);
            let told = ended.says(&format!("unsupported protocol version {says}\n"));
            let hints = told
                .stderr
                .contains("hint: connect with MQTT 3.1.1: -V 311\n");
            assert_eq!(hints, hint, "{version}: {}", told.stderr);
        }
    }
}

#[test]
fn a_server_that_forgets_a_message_of_qos_2_is_the_cause_of_the_doubt() {
    let forgets = || {
        Peer::start(|stream, _| {
            welcome(stream);
            let publish = read_until(stream, 0x30).unwrap();
            send(stream, &packet(0x50, &publish[3..5]));
            let release = read_until(stream, 0x60).unwrap();
            send(stream, &packet(0x70, &[&release[..2], &[0x92]].concat()));
            rest(stream);
        })
    };
    let peer = forgets();
    let cause = format!(
        "mqtt://127.0.0.1:{} does not know a message that it has received: packet identifier not found (0x92)",
        peer.port
    );
    let numbers = "of 1 message sent, 0 acknowledged, 1 in doubt";
    at(peer.port, "pub", "-t a -m x -q 2")
        .run()
        .exits(6)
        .says_only(&format!("iotctl: {cause}: {numbers}\n"));
    let peer = forgets();
    at(peer.port, "pub", "-t a -m x -q 2 --ack-report text")
        .run()
        .exits(6)
        .contains("a: in doubt after ")
        .contains(
            "does not know a message that it has received: packet identifier not found (0x92)\n",
        );
}
