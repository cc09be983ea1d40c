use bytestring::ByteString;

use super::world::{Wishes, World, ack, ack_with, filter, message, v5, v311};
use crate::mqtt::broker::core::Core;
use crate::mqtt::broker::events::Event;
use crate::mqtt::broker::options::Options;
use crate::mqtt::packet::{Packet, Property, ReasonCode, Subscribe};

#[test]
fn what_a_full_queue_has_no_room_for_waits_without_an_acknowledgement() {
    let mut world = World::with(Options {
        max_queued: 2,
        ..Options::default()
    });
    let a = world.connect(v311("a").resuming());
    world.subscribe(a, "t", 1);
    world.break_off(a);
    let b = world.connect(v311("b"));
    world.events();
    for payload in ["1", "2", "3", "4"] {
        world.publish(b, message("t", payload, 1));
    }
    assert_eq!(
        world.packets(b),
        [Packet::PubAck(ack(77)), Packet::PubAck(ack(77))]
    );
    assert_eq!(world.core.counts().messages_dropped, 0);
    let client_id = "a".into();
    assert_eq!(
        world.events(),
        [Event::QueueFull { client_id }],
        "told once"
    );
    let a = world.connect(v311("a").resuming());
    assert_eq!(world.received(a), ["1", "2"]);
    world.pass_seconds(0);
    assert_eq!(world.packets(b).len(), 2, "the others had waited");
    assert_eq!(world.received(a), ["3", "4"]);
}

/// MQTT 5.0 §3.1.2.11.4.
#[test]
fn a_client_that_does_not_take_an_answer_is_told_and_so_is_the_log() {
    let small = |most| v5("a").with(Property::MaximumPacketSize(most));
    let reason = ReasonCode::PACKET_TOO_LARGE;
    let end = |packet, most| {
        let client_id: ByteString = "a".into();
        let too_large = Event::TooLarge {
            client_id: client_id.clone(),
            packet,
            most,
        };
        let reason = Some(reason);
        [too_large, Event::Disconnected { client_id, reason }]
    };
    let mut world = World::new();
    let a = world.connect(small(20));
    world.events();
    let subscriptions = (0..20).map(|number| filter(&number.to_string(), 0));
    let subscribe = Subscribe {
        packet_id: 1,
        subscriptions: subscriptions.collect(),
        ..Subscribe::default()
    };
    world.send(a, Packet::Subscribe(subscribe));
    world.expect_kick(a, reason);
    let events = world.events();
    assert_eq!(events[events.len() - 2..], end("SUBACK", 20));
    world.break_off(a);
    // DISCONNECT is as large as an answer that says why, or there was no CONNACK before it.
    let b = world.open();
    world.send(b, Packet::Connect(Box::new(small(2))));
    assert!(world.packets(b).is_empty() && world.is_closed(b));
    let events = world.events();
    assert_eq!(events[events.len() - 2..], end("CONNACK", 2));
}

#[test]
fn the_queue_is_bounded_in_bytes_too() {
    let mut world = World::with(Options {
        max_queued_bytes: 3_000,
        ..Options::default()
    });
    let a = world.connect(v5("a").lasting(9));
    world.subscribe(a, "t", 1);
    world.break_off(a);
    let b = world.connect(v5("b"));
    for _ in 0..3 {
        world.publish(b, message("t", &"x".repeat(1_000), 1));
    }
    let full = ack_with(77, ReasonCode::QUOTA_EXCEEDED);
    assert_eq!(world.packets(b).pop(), Some(Packet::PubAck(full)));
    assert_eq!(world.core.counts().messages_dropped, 0);
    let a = world.connect(v5("a").resuming().lasting(9));
    assert_eq!(world.received(a).len(), 2);
}

#[test]
fn a_client_that_does_not_read_loses_qos_0_and_keeps_qos_1() {
    let mut world = World::with(Options {
        max_buffered_bytes: 1_000,
        ..Options::default()
    });
    let (slow, b) = (world.connect(v5("slow")), world.connect(v5("b")));
    world.subscribe(slow, "t", 1);
    for _ in 0..20 {
        world.publish(b, message("t", &"x".repeat(100), 0));
    }
    let dropped = world.core.counts().messages_dropped;
    assert!((10..20).contains(&dropped), "{dropped}");
    world.publish(b, message("t", "kept", 1));
    assert_eq!(world.core.counts().messages_dropped, dropped);
    assert_eq!(
        world.received(slow).last().map(String::as_str),
        Some("kept")
    );
}

#[test]
fn a_client_that_asks_and_does_not_listen_is_not_read_any_more() {
    let mut world = World::with(Options {
        max_buffered_bytes: 1_000,
        ..Options::default()
    });
    let a = world.connect(v5("a"));
    let mut asked = 0;
    while world.core.reads(a) {
        world.send(a, Packet::PingReq);
        asked += 1;
        assert!(asked < 100_000, "it must end");
    }
    assert_eq!(world.packets(a).len(), asked);
    assert!(world.core.reads(a));
}

#[test]
fn sys_topics_tell_figures() {
    let now = std::time::Instant::now();
    let mut world = World::new();
    world.core = Core::new(Options::default(), now);
    world.now = now;
    let a = world.connect(v5("a"));
    world.subscribe(a, "$SYS/broker/clients/+", 0);
    assert_eq!(world.received(a).len(), 7, "the first round is retained");
    world.pass_seconds(10);
    let told = world.publishes(a);
    let connected = told
        .iter()
        .find(|one| &*one.topic == "$SYS/broker/clients/connected");
    assert_eq!(connected.unwrap().payload, "1");
    world.subscribe(a, "$SYS/broker/uptime", 0);
    assert_eq!(world.received(a), ["10 seconds"]);
    // CONNECT and two SUBSCRIBE were there when the second round was made; PINGREQ comes before the third.
    world.send(a, Packet::PingReq);
    world.pass_seconds(10);
    world.packets(a);
    let mut told = |topic: &str| {
        world.subscribe(a, &format!("$SYS/broker/{topic}"), 0);
        world.received(a).join(" ")
    };
    assert_eq!(told("messages/received"), "4");
    assert_eq!(told("publish/messages/received"), "0");
    assert_eq!(told("clients/maximum"), "1");
    assert_eq!(told("shared_subscriptions/count"), "0");
    assert_eq!(told("load/connections/1min"), "0.78");
}
