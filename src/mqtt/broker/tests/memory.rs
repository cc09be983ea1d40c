//! What is kept is counted as what it holds, and holds no more than that.

use bytes::Bytes;

use super::world::{Wishes, World, ack_with, filter, message, v5, v311, will};
use crate::mqtt::broker::options::Options;
use crate::mqtt::packet::{Packet, Property, Publish, ReasonCode};

/// A large read buffer and a message of one byte that is a slice of it.
fn slice(topic: &str, level: u8) -> (Bytes, Publish) {
    let buffer = Bytes::from(vec![b'x'; 256 * 1024]);
    let text = |text: &'static str| bytestring::ByteString::from_static(text);
    let publish = Publish {
        topic: topic.into(),
        payload: buffer.slice(7..8),
        properties: [
            Property::CorrelationData(buffer.slice(3..4)),
            Property::UserProperty(buffer.slice(1..2).try_into().unwrap(), text("v")),
        ]
        .into_iter()
        .collect(),
        ..message(topic, "", level)
    };
    (buffer, publish)
}

#[test]
fn nothing_that_waits_holds_the_buffer_it_was_read_into() {
    let mut world = World::new();
    let (slow, away) = (
        world.connect(v5("slow")),
        world.connect(v5("away").lasting(9)),
    );
    world.subscribe(slow, "t", 0);
    world.subscribe(away, "t", 2);
    world.break_off(away);
    let b = world.connect(v5("b"));
    for level in [1, 2] {
        let (buffer, publish) = slice("t", level);
        world.publish(b, publish);
        assert!(buffer.is_unique(), "QoS {level}");
    }
    let (buffer, publish) = slice("t", 0);
    world.publish(
        b,
        Publish {
            retain: true,
            ..publish
        },
    );
    world.packets(slow);
    assert!(buffer.is_unique(), "retained");
    // At QoS 0 a few buffers may be held, which are copied from when there are more.
    let mut buffers = Vec::new();
    for _ in 0..100 {
        world.pass(std::time::Duration::from_millis(1));
        let (buffer, publish) = slice("t", 0);
        world.publish(b, publish);
        buffers.push(buffer);
    }
    let held = buffers.iter().filter(|buffer| !buffer.is_unique()).count();
    assert!(held <= 20, "{held} of 100 buffers");
}

#[test]
fn a_will_and_an_alias_are_copied() {
    let mut world = World::new();
    let (buffer, publish) = slice("t", 0);
    let mut will = will("w", "");
    will.payload = publish.payload.clone();
    will.properties = publish.properties.clone();
    drop(publish);
    let a = world.connect(v5("a").with(Property::TopicAliasMaximum(9)).will(will));
    assert!(buffer.is_unique(), "will");
    world.subscribe(a, "#", 0);
    let (buffer, mut publish) = slice("", 0);
    publish.topic = buffer.slice(9..10).try_into().unwrap();
    publish.properties = [Property::TopicAlias(1)].into_iter().collect();
    world.publish(a, publish);
    world.publish(a, message("y", "", 0));
    world.packets(a);
    assert!(buffer.is_unique(), "alias");
}

#[test]
fn a_will_of_more_memory_than_it_can_need_is_refused() {
    let mut world = World::new();
    let mut large = will("w", "");
    for _ in 0..10_000 {
        let empty = Property::UserProperty("".into(), "".into());
        large.properties.push(empty);
    }
    let (_, answer) = world.try_connect(v5("a").will(large));
    assert_eq!(answer.reason, ReasonCode::QUOTA_EXCEEDED);
}

#[test]
fn properties_and_identifiers_count() {
    let limited = || Options {
        max_queued_bytes: 200_000,
        max_buffered_bytes: 200_000,
        ..Options::default()
    };
    let full = Packet::PubAck(ack_with(77, ReasonCode::QUOTA_EXCEEDED));
    // User properties, which are much larger in memory than on the wire.
    let mut world = World::with(limited());
    let away = world.connect(v5("away").lasting(9));
    world.subscribe(away, "t", 1);
    world.break_off(away);
    let b = world.connect(v5("b"));
    for _ in 0..3 {
        let mut publish = message("t", "", 1);
        for _ in 0..1_000 {
            let empty = Property::UserProperty("".into(), "".into());
            publish.properties.push(empty);
        }
        world.publish(b, publish);
    }
    assert_eq!(world.packets(b).pop(), Some(full));
    // The identifiers of a thousand subscriptions that match, to a client that does not acknowledge.
    let mut world = World::with(limited());
    let a = world.connect(v5("a"));
    for number in 0..1_000u32 {
        let mut levels = ["+"; 10];
        for (bit, level) in levels.iter_mut().enumerate() {
            if number >> bit & 1 == 1 {
                *level = "t";
            }
        }
        world.subscribe_with(a, filter(&levels.join("/"), 1), Some(number + 1));
    }
    let topic = ["t"; 10].join("/");
    let b = world.connect(v311("b"));
    for _ in 0..100 {
        world.publish(b, message(&topic, "x", 1));
    }
    let got = world.publishes(a);
    assert!(got.len() < 10, "{} in flight", got.len());
    assert_eq!(got[0].properties.subscription_identifiers().count(), 1_000);
    assert!(world.packets(b).len() < 60, "the others wait");
}

#[test]
fn a_session_has_so_many_subscriptions_and_no_more() {
    let mut world = World::new();
    let a = world.connect(v5("a"));
    let long = "x".repeat(60_000);
    let reasons: Vec<_> = (0..1_200)
        .map(|number| world.subscribe(a, &format!("{number}/{long}"), 0))
        .collect();
    assert_eq!(reasons[0], ReasonCode::SUCCESS);
    assert_eq!(reasons[1_199], ReasonCode::QUOTA_EXCEEDED);
    world.unsubscribe(a, &format!("0/{long}"));
    assert_eq!(world.subscribe(a, "small", 0), ReasonCode::SUCCESS);
}

#[test]
fn one_message_alone_may_wait_whatever_its_size() {
    let mut world = World::with(Options {
        max_queued_bytes: 1_000,
        ..Options::default()
    });
    let away = world.connect(v311("away").resuming());
    world.subscribe(away, "t", 1);
    world.break_off(away);
    let b = world.connect(v311("b"));
    world.publish(b, message("t", &"x".repeat(10_000), 1));
    assert_eq!(world.packets(b).len(), 1, "acknowledged");
    let away = world.connect(v311("away").resuming());
    assert_eq!(world.received(away).len(), 1);
}
