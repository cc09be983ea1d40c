//! QoS 1 and 2 messages that a subscriber's queue has no room for.

use super::world::{Who, Wishes, World, ack, ack_with, message, v5, v311};
use crate::mqtt::broker::options::Options;
use crate::mqtt::packet::{Packet, Publish, ReasonCode};

/// A broker whose queues take two messages, with a subscriber `a` to `t` that is away.
fn crowded() -> World {
    let mut world = World::with(Options {
        max_queued: 2,
        ..Options::default()
    });
    let a = world.connect(v5("a").lasting(100));
    world.subscribe(a, "t", 2);
    world.break_off(a);
    world
}

fn numbered(id: u16, level: u8) -> Publish {
    Publish {
        packet_id: id,
        ..message("t", &id.to_string(), level)
    }
}

fn back(world: &mut World) -> Who {
    world.connect(v5("a").resuming().lasting(100))
}

#[test]
fn in_mqtt_5_it_is_refused_and_nobody_gets_it() {
    let mut world = crowded();
    let (other, b) = (world.connect(v5("other")), world.connect(v5("b")));
    world.subscribe(other, "t", 2);
    for (id, level) in [(1, 1), (2, 2), (3, 1), (4, 2), (5, 0)] {
        world.publish(b, numbered(id * u16::from(level > 0), level));
    }
    let full = |id| ack_with(id, ReasonCode::QUOTA_EXCEEDED);
    assert_eq!(
        world.packets(b),
        [
            Packet::PubAck(ack(1)),
            Packet::PubRec(ack(2)),
            Packet::PubAck(full(3)),
            Packet::PubRec(full(4)),
        ]
    );
    assert_eq!(world.received(other), ["1", "2", "0"]);
    let a = back(&mut world);
    assert_eq!(world.received(a), ["1", "2"]);
    // Its identifier is free, and there is room again.
    world.publish(b, numbered(4, 2));
    assert_eq!(world.received(a), ["4"]);
}

#[test]
fn before_mqtt_5_it_waits_and_so_does_what_follows() {
    for level in [1, 2] {
        let mut world = crowded();
        let b = world.connect(v311("b").keep_alive(5));
        for id in 1..=4 {
            world.publish(b, numbered(id, level));
        }
        world.publish(b, message("t", "qos 0", 0));
        world.send(b, Packet::PingReq);
        let answers = world.packets(b);
        assert_eq!(answers.len(), 3, "{answers:?}");
        assert_eq!(answers[2], Packet::PingResp);
        world.pass_seconds(20);
        assert!(!world.is_closed(b), "nothing is to be heard from it");
        let a = back(&mut world);
        assert_eq!(world.received(a), ["1", "2"]);
        world.pass_seconds(0);
        assert_eq!(world.packets(b).len(), 2, "acknowledged");
        assert_eq!(world.received(a), ["3", "4", "qos 0"]);
        assert!(!world.is_closed(b));
    }
}

#[test]
fn what_waits_at_qos_0_when_its_publisher_goes_is_counted() {
    let mut world = crowded();
    let b = world.connect(v311("b"));
    (1..=3).for_each(|id| world.publish(b, numbered(id, 1)));
    for payload in ["x", "y"] {
        world.publish(b, message("t", payload, 0));
    }
    world.leave(b);
    assert_eq!(world.core.counts().messages_dropped, 2);
}

#[test]
fn a_client_that_waits_for_itself_is_served_and_in_the_end_closed() {
    let mut world = World::with(Options {
        max_queued: 2,
        max_inflight: 1,
        ..Options::default()
    });
    let a = world.connect(v311("a"));
    world.subscribe(a, "t", 1);
    for id in 1..=5 {
        world.publish(a, numbered(id, 1));
    }
    let mut got = Vec::new();
    // Its own acknowledgements make the room that its messages wait for.
    for _ in 0..5 {
        for packet in world.packets(a) {
            if let Packet::Publish(publish) = packet {
                world.send(a, Packet::PubAck(ack(publish.packet_id)));
                got.push(publish.payload);
            }
        }
        world.pass_seconds(0);
    }
    assert_eq!(got, ["1", "2", "3", "4", "5"]);
    // One that does not acknowledge is not waited for without end.
    for id in 1..=5 {
        world.publish(a, numbered(id, 1));
    }
    world.packets(a);
    world.pass_seconds(29);
    assert!(!world.is_closed(a));
    world.pass_seconds(2);
    assert!(world.is_closed(a));
}

#[test]
fn a_client_that_sends_on_is_not_read_any_more() {
    let mut world = crowded();
    let b = world.connect(v311("b"));
    let mut sent = 0;
    while world.core.reads(b) {
        sent += 1;
        world.publish(b, numbered(sent, 1));
        assert!(sent < 10_000, "it must end");
    }
    let a = back(&mut world);
    let mut got = 0;
    loop {
        world.pass_seconds(0);
        let received = world.publishes(a);
        if received.is_empty() {
            break;
        }
        got += received.len();
        for publish in received {
            let packet_id = publish.packet_id;
            world.send(a, Packet::PubAck(ack(packet_id)));
        }
    }
    assert_eq!(got, usize::from(sent));
    assert!(world.core.reads(b));
}

#[test]
fn another_member_of_a_group_takes_what_one_has_no_room_for() {
    let mut world = World::with(Options {
        max_queued: 2,
        ..Options::default()
    });
    for name in ["a", "b"] {
        let who = world.connect(v5(name).lasting(100));
        world.subscribe(who, "$share/g/t", 1);
        world.break_off(who);
    }
    let c = world.connect(v5("c"));
    for id in 1..=5 {
        world.publish(c, numbered(id, 1));
    }
    let answers = world.packets(c);
    let full = ack_with(5, ReasonCode::QUOTA_EXCEEDED);
    assert_eq!(answers[4], Packet::PubAck(full));
    assert!((0..4).all(|at| answers[at] == Packet::PubAck(ack(at as u16 + 1))));
    // One of them ends: the other gets what it had, beyond its own room.
    let ended = world.connect(v5("a"));
    assert!(world.received(ended).is_empty());
    let b = world.connect(v5("b").resuming().lasting(100));
    let mut got = world.received(b);
    got.sort();
    assert_eq!(got, ["1", "2", "3", "4"]);
}

#[test]
fn what_must_not_be_published_does_not_wait() {
    let mut world = crowded();
    let b = world.connect(v311("b"));
    for id in 1..=3 {
        world.publish(b, numbered(id, 1));
    }
    let c = world.connect(v311("c"));
    world.publish(c, message("$SYS/t", "x", 1));
    assert_eq!(world.packets(c), [Packet::PubAck(ack(77))]);
}
