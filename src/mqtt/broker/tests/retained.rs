//! Retained messages to a new subscriber: all of them, however many, and however slowly it reads.

use std::collections::BTreeSet;

use super::world::{Who, Wishes, World, ack, message, retained, v5};
use crate::mqtt::broker::options::Options;
use crate::mqtt::packet::{Packet, Property, Publish, QoS};

/// A broker with so many retained messages of 4 KiB, published at this quality of service.
fn filled(count: usize, level: u8) -> World {
    let mut world = World::with(Options {
        max_buffered_bytes: 100_000,
        max_queued_bytes: 100_000,
        ..Options::default()
    });
    let a = world.connect(v5("filler"));
    for number in 0..count {
        let retained = Publish {
            retain: true,
            ..message(
                &format!("r/{}/{number}", number % 7),
                &"x".repeat(4_096),
                level,
            )
        };
        world.publish(a, retained);
        world.send(a, Packet::PubRel(ack(77)));
        world.packets(a);
    }
    world
}

/// Reads what comes, and acknowledges it after each piece.
fn read_all(world: &mut World, who: Who) -> Vec<Publish> {
    let mut all = Vec::new();
    loop {
        let packets = world.packets(who);
        if packets.is_empty() {
            return all;
        }
        for packet in packets {
            match packet {
                Packet::Publish(publish) => {
                    let id = publish.packet_id;
                    match publish.qos {
                        QoS::AtMostOnce => {}
                        QoS::AtLeastOnce => world.send(who, Packet::PubAck(ack(id))),
                        QoS::ExactlyOnce => world.send(who, Packet::PubRec(ack(id))),
                    }
                    all.push(publish);
                }
                Packet::PubRel(release) => {
                    world.send(who, Packet::PubComp(ack(release.packet_id)));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

fn topics(publishes: &[Publish]) -> BTreeSet<String> {
    publishes.iter().map(|one| one.topic.to_string()).collect()
}

#[test]
fn a_subscriber_that_reads_gets_all_at_every_quality() {
    for level in 0..3 {
        let mut world = filled(1_000, level);
        let a = world.connect(v5("a").with(Property::ReceiveMaximum(10)));
        world.subscribe(a, "r/#", level);
        let got = read_all(&mut world, a);
        assert_eq!((got.len(), topics(&got).len()), (1_000, 1_000));
        assert!(got.iter().all(|one| one.retain && one.qos.level() == level));
        assert_eq!(world.core.counts().messages_dropped, 0);
    }
}

#[test]
fn many_filters_get_theirs() {
    let mut world = filled(700, 1);
    let a = world.connect(v5("a"));
    for group in 0..7 {
        world.send(
            a,
            Packet::Subscribe(crate::mqtt::packet::Subscribe {
                packet_id: 5,
                subscriptions: vec![super::world::filter(&format!("r/{group}/+"), group % 3)],
                ..Default::default()
            }),
        );
    }
    let packets = std::iter::from_fn(|| world.next(a)).take(7);
    assert!(
        packets
            .into_iter()
            .all(|one| matches!(one, Packet::SubAck(_)))
    );
    assert_eq!(topics(&read_all(&mut world, a)).len(), 700);
}

#[test]
fn what_is_not_held_yet_is_the_latest_and_goes_on_after_a_reconnection() {
    let mut world = filled(500, 1);
    let a = world.connect(v5("a").lasting(100));
    world.subscribe(a, "r/#", 1);
    assert!(world.next(a).is_some(), "it has begun");
    let b = world.connect(v5("b"));
    world.publish(b, retained("r/6/6", "new"));
    world.publish(b, retained("r/6/13", ""));
    world.break_off(a);
    let a = world.connect(v5("a").resuming().lasting(100));
    let got = read_all(&mut world, a);
    assert_eq!(topics(&got).len(), 499);
    let last = got.iter().rev().find(|one| one.topic == "r/6/6");
    assert_eq!(last.map(|one| one.payload.clone()), Some("new".into()));
}

#[test]
fn an_answer_to_a_ping_follows_the_retained_messages() {
    let mut world = filled(3_000, 0);
    let a = world.connect(v5("a"));
    world.subscribe(a, "+/6/2099", 0);
    world.send(a, Packet::PingReq);
    let packets = world.packets(a);
    assert!(
        matches!(&packets[..], [Packet::Publish(_), Packet::PingResp]),
        "{packets:?}"
    );
    // A client that does not acknowledge is answered all the same.
    let slow = world.connect(v5("slow").with(Property::ReceiveMaximum(1)));
    world.subscribe(slow, "r/#", 0);
    world.send(slow, Packet::PingReq);
    world.pass_seconds(1);
    let at = std::iter::from_fn(|| world.next(slow)).position(|one| one == Packet::PingResp);
    assert!(at.is_some_and(|at| at < 1_000), "{at:?}");
}

#[test]
fn a_long_search_lets_others_have_their_turn() {
    let mut world = filled(100_000 / 4, 0);
    let a = world.connect(v5("a"));
    world.subscribe(a, "+/+/x", 0);
    let mut turns = 0;
    while world.core.pull(a, world.now).is_none() && world.core.is_unfinished(a) {
        turns += 1;
    }
    assert_eq!(turns, 1, "16 steps of 1,000 topics each in one turn");
}

#[test]
fn what_has_expired_is_forgotten_a_little_at_a_time() {
    let mut world = World::new();
    let a = world.connect(v5("a"));
    for number in 0..12_000 {
        let mut publish = retained(&number.to_string(), "x");
        publish.properties.push(Property::MessageExpiryInterval(5));
        world.publish(a, publish);
    }
    assert_eq!(world.core.retained.size().0, 12_000);
    let due = world.now + std::time::Duration::from_secs(5);
    world.core.tick(due);
    assert!((5_000..9_000).contains(&world.core.retained.size().0));
    world.pass_seconds(5);
    assert_eq!(world.core.retained.size(), (0, 0));
}
