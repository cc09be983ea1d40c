//! What `bench` says of peers that cannot be used or answer wrongly, and that it says it as the other commands do.

use std::io::{Read, Write};

use crate::support::bench::{Figures, bench};
use crate::support::broker::started;
use crate::support::coap_peer::{self, ack, content, option_of};
use crate::support::command::iotctl;
use crate::support::peer::{Peer, drain, level, read_packet, read_until, refuse, send, welcome};

/// The load that meets a peer.
const LOAD: &str = "--publishers 2 -q 1 --rate 500 --count 100 --drain 300ms";

/// No connection is opened: one line, the exit code, and no report.
#[track_caller]
fn unusable(port: u16, words: &str, code: i32, says: &str) {
    let ended = bench(port, LOAD).words(words).run().exits(code).says(says);
    assert_eq!(ended.text(), "");
    let hints = ended
        .stderr
        .lines()
        .filter(|line| line.starts_with("hint: "));
    assert_eq!(ended.stderr.lines().count() - hints.count(), 1);
}

#[test]
fn other_protocols_are_named() {
    for (bytes, says) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "speaks HTTP"),
        (&[0x15, 3, 3, 0, 2, 2, 40], "speaks TLS, not MQTT"),
        (b"SSH-2.0-x\r\n", "speaks SSH"),
    ] {
        let peer = Peer::start(move |stream, _| {
            read_packet(stream);
            send(stream, bytes);
        });
        unusable(peer.port, "", 3, says);
    }
}

#[test]
fn a_peer_that_is_silent_is_waited_for_as_long_as_was_said() {
    let peer = Peer::start(|stream, _| drain(stream));
    let says = "accepted the connection but did not respond within 200ms";
    unusable(peer.port, "--connect-timeout 200ms", 5, says);
}

#[test]
fn a_peer_that_hangs_up_is_told() {
    let peer = Peer::start(|stream, _| drop(read_packet(stream)));
    unusable(peer.port, "", 6, "closed the connection during setup");
}

#[test]
fn a_server_of_the_older_version_is_told_with_the_way_out() {
    let peer = Peer::start(|stream, _| {
        read_packet(stream);
        send(stream, &[0x20, 2, 0, 1]);
        drain(stream);
    });
    unusable(peer.port, "", 1, "hint: connect with MQTT 3.1.1: -V 311");
    let peer = Peer::start(|stream, _| drop(refuse(stream, 0x84)));
    unusable(peer.port, "", 1, "hint: connect with MQTT 3.1.1: -V 311");
}

#[test]
fn a_port_that_wants_tls_is_told() {
    // Closes on anything but a ClientHello, which it answers with an alert: handshake_failure.
    let peer = Peer::start(|stream, _| {
        let mut first = [0];
        if stream.read_exact(&mut first).is_ok() && first == [0x16] {
            let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, 40]);
        }
    });
    let says = format!(
        "hint: this looks like a TLS port; use mqtts://127.0.0.1:{}",
        peer.port
    );
    unusable(peer.port, "", 3, &says);
}

#[test]
fn each_client_has_its_own_user_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users");
    std::fs::write(&file, "dev-0:x\ndev-1:x\n").unwrap();
    let broker =
        started(iotctl("mqtt broker --quiet --listen 127.0.0.1:0 --password-file").word(&file));
    let line = |clients: u32| {
        bench(
            broker.port,
            "-q 1 --rate 500 --count 20 -u dev-{client} -P x --publishers",
        )
        .words(&clients.to_string())
    };
    line(2).run().exits(0);
    line(3)
        .run()
        .exits(4)
        .says("1 of 3 connections could not be opened");
}

/// Accepts a connection and answers each PUBLISH at QoS 1 by what `answer` makes of its identifier.
fn answering(answer: impl Fn(u16) -> Vec<u8> + Send + 'static) -> Peer {
    Peer::start(move |stream, _| {
        welcome(stream);
        while let Some(body) = read_until(stream, 0x30) {
            let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
            let id = u16::from_be_bytes([body[2 + topic], body[3 + topic]]);
            send(stream, &answer(id));
        }
    })
}

fn puback(id: u16) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    vec![0x40, 2, high, low]
}

#[test]
fn acknowledgements_of_nothing_are_named() {
    let wrong = "PUBACK with an unknown packet identifier";
    for (answer, count) in [
        (
            Box::new(|id| [puback(id + 1000), puback(id)].concat()) as Box<dyn Fn(u16) -> _ + Send>,
            50,
        ),
        (Box::new(|id| [puback(id), puback(id)].concat()), 50),
    ] {
        let peer = answering(answer);
        let ended = bench(peer.port, "-q 1 --rate 500 --count 50 --window 1")
            .run()
            .exits(0);
        let found = Figures::of(&ended);
        found.counts([("acknowledged", 50)]);
        assert_eq!(found.0["errors"][0]["cause"], wrong, "{found:?}");
        assert_eq!(found.0["errors"][0]["count"], count);
    }
}

#[test]
fn a_late_acknowledgement_is_not_a_wrong_one() {
    let mut waiting = Vec::new();
    let peer = Peer::start(move |stream, _| {
        welcome(stream);
        while let Some(body) = read_until(stream, 0x30) {
            let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
            waiting.push([body[2 + topic], body[3 + topic]]);
            // The first is answered with the last, when it was given up.
            if waiting.len() == 10 {
                for [high, low] in waiting.drain(..) {
                    send(stream, &[0x40, 2, high, low]);
                }
            }
        }
    });
    let words = "-q 1 --rate 10 --count 10 --ack-timeout 300ms --drain 2s";
    let ended = bench(peer.port, words).run().exits(5);
    let ended = ended.says("most messages were not acknowledged in time: ");
    let found = Figures::of(&ended);
    assert!(found.messages("timed_out") > 5, "{found:?}");
    assert_eq!(found.0["errors"].as_array().unwrap().len(), 0, "{found:?}");
}

#[test]
fn what_nothing_acknowledges_is_unconfirmed_rather_than_lost() {
    // It reads, and never answers a PINGREQ.
    let peer = Peer::start(|stream, _| {
        welcome(stream);
        drain(stream);
    });
    let ended = bench(peer.port, "-q 0 --rate 500 --count 50 --drain 300ms")
        .run()
        .exits(6);
    let ended = ended.says("none of 50 messages was confirmed to have reached the server");
    let found = Figures::of(&ended);
    assert_eq!(found.0["counts"]["not_proved"], 50);
    let warnings = found.0["warnings"].to_string();
    assert!(
        warnings.contains("50 messages were not confirmed"),
        "{warnings}"
    );
    assert!(!warnings.contains("were not answered"), "{warnings}");
}

#[test]
fn a_drain_that_ended_too_early_is_told() {
    // One acknowledgement each time it is asked something: more comes as long as there is a drain.
    let peer = Peer::start(|stream, _| {
        let connect = welcome(stream);
        assert_eq!(level(&connect), 5);
        let mut waiting = std::collections::VecDeque::new();
        stream
            .set_read_timeout(Some(std::time::Duration::from_millis(50)))
            .unwrap();
        loop {
            let mut byte = [0; 1];
            match stream.peek(&mut byte) {
                Ok(0) => return,
                Ok(_) => {
                    let Some((0x32, body)) = read_packet(stream) else {
                        return;
                    };
                    let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
                    waiting.push_back([body[2 + topic], body[3 + topic]]);
                }
                Err(_) => {
                    if let Some([high, low]) = waiting.pop_front() {
                        send(stream, &[0x40, 2, high, low]);
                    }
                }
            }
        }
    });
    let words = "-q 1 --rate 1k --count 100 --drain 1s";
    let ended = bench(peer.port, words).run().exits(5);
    let found = Figures::of(&ended.says(" of 100 timed out"));
    let warnings = found.0["warnings"].to_string();
    assert!(
        warnings.contains("the drain ended after 1s while messages were still arriving"),
        "{warnings}"
    );
}

#[test]
fn wrong_tokens_are_named() {
    let uri = coap_peer::peer(|request, _| {
        if request[1] == 0 {
            return vec![coap_peer::empty(3, request)];
        }
        let mut wrong = ack(0x45, request, &[]);
        let right = wrong.clone();
        // A token that no request has, in a message that needs no acknowledgement.
        wrong[0] = 0x50 | wrong[0] & 0x0F;
        wrong[4] ^= 0xFF;
        wrong[5] ^= 0xFF;
        vec![wrong, right]
    });
    let line = format!("bench coap --quiet --output json --rate 100 --count 10 {uri}");
    let found = Figures::of(&iotctl(&line).run().exits(0));
    found.counts([("acknowledged", 10)]);
    let cause = &found.0["errors"][0]["cause"];
    assert_eq!(cause, "response with an unknown token", "{found:?}");
}

#[test]
fn observers_expect_what_was_put() {
    // It takes registrations and changes, and tells nobody.
    let uri = coap_peer::peer(|request, _| {
        if request[1] == 0 {
            return vec![coap_peer::empty(3, request)];
        }
        match option_of(request, 6) {
            Some(_) => vec![ack(0x45, request, &content(&[(6, &[1])], b"0"))],
            None => vec![ack(0x44, request, &[])],
        }
    });
    let line = format!(
        "bench coap --quiet --output json --observers 2 --mix put=1 --rate 100 --count 10 --drain 300ms {uri}"
    );
    let ended = iotctl(&line).run().exits(6);
    let ended = ended.says("none of 20 expected messages was received");
    let found = Figures::of(&ended);
    found.counts([("acknowledged", 10), ("expected", 20), ("missing", 20)]);
    let warnings = found.0["warnings"].to_string();
    assert!(
        warnings.contains("no observer received a notification"),
        "{warnings}"
    );
}

#[test]
fn hostile_results_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.json");
    let deep = format!("{{\"schema_version\": 1, \"x\": {}", "[".repeat(1 << 20));
    for text in [deep.as_str(), "{\"schema_version\": 1e999}", "[1e308]"] {
        std::fs::write(&file, text).unwrap();
        for command in ["report", "merge", "compare"] {
            let line = iotctl(&format!("bench {command}")).word(&file).word(&file);
            let line = match command {
                "report" => iotctl("bench report").word(&file),
                _ => line,
            };
            line.run()
                .exits(2)
                .says("r.json is not a bench result file: ");
        }
    }
    let endless = iotctl("bench report /dev/zero").run().exits(8);
    endless.says("cannot read /dev/zero: larger than ");
}
