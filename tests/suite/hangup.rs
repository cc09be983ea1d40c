//! `bridge` with servers that close the connection over a message, as those of clouds do, and with one that is away.

use std::sync::mpsc::{Receiver, channel};

use crate::support::PATIENCE;
use crate::support::broker::{Broker, broker};
use crate::support::command::iotctl;
use crate::support::peer::{Peer, packet, read_packet, send, welcome};

/// A server that acknowledges what comes at QoS 1, and ends the connection over topics with `deny` in them: with a DISCONNECT of
/// this reason code, or without a word. With it comes each topic that it has acknowledged.
fn touchy(code: Option<u8>) -> (Peer, Receiver<String>) {
    let (sender, acknowledged) = channel();
    let peer = Peer::start(move |stream, _| {
        welcome(stream);
        while let Some((first, body)) = read_packet(stream) {
            if first & 0xf0 == 0xc0 {
                send(stream, &[0xd0, 0]);
            }
            if first & 0xf0 != 0x30 {
                continue;
            }
            let end = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
            let topic = String::from_utf8(body[2..end].to_vec()).unwrap();
            if topic.contains("deny") {
                if let Some(code) = code {
                    send(stream, &packet(0xe0, &[code, 0]));
                }
                return;
            }
            send(stream, &packet(0x40, &body[end..end + 2]));
            let _ = sender.send(topic);
        }
    });
    (peer, acknowledged)
}

/// Waits until this topic was acknowledged; which others were before.
fn until(topic: &str, acknowledged: &Receiver<String>) -> Vec<String> {
    let next = || acknowledged.recv_timeout(PATIENCE).expect(topic);
    std::iter::repeat_with(next)
        .take_while(|it| it != topic)
        .collect()
}

fn publish(broker: &Broker, topic: &str) {
    let line = format!("pub -t {topic} -m x -q 1");
    broker.iotctl(&line).run().exits(0);
}

#[test]
fn a_message_that_ends_each_connection_is_found_beside_the_state_and_dropped() {
    for (code, says) in [
        (None, "each time it received message"),
        (Some(0x99), ": payload format invalid (0x99)"),
        (Some(0x87), ": not authorized (0x87)"),
    ] {
        let mut one = broker("");
        let (two, acknowledged) = touchy(code);
        let words = format!(
            "mqtt://127.0.0.1:{} mqtt://127.0.0.1:{}",
            one.port, two.port
        );
        let bridge = |more: &str| {
            iotctl(&format!("bridge {words} --notify state {more} -t"))
                .word("a/# out 1")
                .start()
        };
        let stopped = bridge("");
        one.sees_subscription("a/#");
        publish(&one, "a/deny");
        let ended = stopped
            .ends_by_itself()
            .exits(1)
            .says("to a/deny")
            .says(says);
        let said = &ended.stderr;
        assert!(!said.contains("another client"), "{said}");
        // It was not acknowledged: it comes again.
        let mut dropped = bridge("--on-refused drop");
        publish(&one, "a/ok");
        assert!(until("a/ok", &acknowledged).contains(&String::from("state")));
        dropped.signal("TERM");
        dropped.hears("received 2 messages: 1 delivered, 1 failed");
        dropped.ends().exits(143);
    }
}

#[test]
fn a_state_that_the_server_does_not_take_is_told_and_done_without() {
    let mut one = broker("");
    let (two, acknowledged) = touchy(None);
    let words = format!(
        "mqtt://127.0.0.1:{} mqtt://127.0.0.1:{}",
        one.port, two.port
    );
    let mut bridge = iotctl(&format!("bridge {words} --notify n/deny -t"))
        .word("a/# out 1")
        .start();
    one.sees_subscription("a/#");
    bridge.hears("the state to n/deny: the state is published no more");
    publish(&one, "a/ok");
    assert_eq!(until("a/ok", &acknowledged), [""; 0]);
    bridge.signal("TERM");
    bridge.hears("received 1 message: 1 delivered");
    bridge.ends().exits(143);
}

#[test]
fn what_is_published_while_the_target_is_away_is_subscribed_to() {
    let mut one = broker("");
    // Nothing listens there any more.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = gone.local_addr().unwrap().port();
    drop(gone);
    let words = format!("mqtt://127.0.0.1:{} mqtt://127.0.0.1:{port}", one.port);
    let bridge = iotctl(&format!("bridge {words} --retry 60s -t"))
        .word("a/# out 1")
        .start();
    one.sees_subscription("a/#");
    bridge.signal("TERM");
    bridge.ends().exits(143);
}
