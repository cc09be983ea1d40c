use std::time::Duration;

use super::world::{Wishes, World, ack, ack_with, message, v5, v311};
use crate::mqtt::broker::connection::Outgo;
use crate::mqtt::packet::{Packet, Property, ReasonCode};

const NOBODY: ReasonCode = ReasonCode::NO_MATCHING_SUBSCRIBERS;

/// A subscriber to `t` at QoS 1 and a publisher, with faults that touch neither CONNACK nor SUBACK.
fn pair(fault: &str) -> (World, super::world::Who, super::world::Who) {
    let mut world = World::with_faults(&[fault]);
    let (a, b) = (world.connect(v5("a")), world.connect(v5("b")));
    world.subscribe(a, "t", 1);
    (world, a, b)
}

fn publish_all(world: &mut World, who: super::world::Who, payloads: &[&str]) {
    for payload in payloads {
        world.publish(who, message("t", payload, 0));
    }
}

#[test]
fn acknowledgements_are_dropped_by_kind_and_count() {
    let (mut world, _, b) = pair("drop-ack:packet=puback,every=2");
    for _ in 0..4 {
        world.publish(b, message("t", "x", 1));
    }
    assert_eq!(world.packets(b).len(), 2);
    world.publish(b, message("t", "x", 2));
    assert_eq!(world.packets(b), [Packet::PubRec(ack(77))]);
    assert_eq!(world.core.counts().faults, [2]);
}

#[test]
fn acknowledgements_are_late_or_come_twice() {
    let (mut world, _, b) = pair("delay-ack:by=50ms,packet=puback");
    world.publish(b, message("t", "x", 1));
    world.pass(Duration::from_millis(49));
    assert!(world.packets(b).is_empty());
    world.pass(Duration::from_millis(1));
    assert_eq!(world.packets(b), [Packet::PubAck(ack(77))]);
    let (mut world, _, b) = pair("duplicate-ack:packet=pingresp");
    world.send(b, Packet::PingReq);
    assert_eq!(world.packets(b), [Packet::PingResp, Packet::PingResp]);
}

#[test]
fn no_suback_is_no_suback() {
    let mut world = World::with_faults(&["no-suback"]);
    let a = world.connect(v5("a"));
    let subscribe = crate::mqtt::packet::Subscribe {
        packet_id: 1,
        subscriptions: vec![super::world::filter("t", 0)],
        ..Default::default()
    };
    world.send(a, Packet::Subscribe(subscribe));
    assert!(world.packets(a).is_empty());
    publish_all(&mut world, a, &["x"]);
    assert_eq!(world.received(a), ["x"]);
}

#[test]
fn messages_are_dropped_doubled_delayed_and_swapped() {
    let table: [(&str, &[&str]); 4] = [
        ("drop-publish:nth=2", &["1", "3", "4"]),
        ("duplicate-publish:every=2", &["1", "2", "2", "3", "4", "4"]),
        ("delay-publish:by=1s,nth=1", &["2", "3", "4"]),
        ("reorder-publish:nth=2", &["1", "3", "2", "4"]),
    ];
    for (fault, expected) in table {
        let (mut world, a, b) = pair(fault);
        publish_all(&mut world, b, &["1", "2", "3", "4"]);
        assert_eq!(world.received(a), expected, "{fault}");
    }
    let (mut world, a, b) = pair("delay-publish:by=1s,nth=1");
    publish_all(&mut world, b, &["1", "2"]);
    world.pass_seconds(1);
    assert_eq!(world.received(a), ["2", "1"]);
}

#[test]
fn a_dropped_qos_1_message_stays_in_flight_and_comes_again() {
    let mut world = World::with_faults(&["drop-publish:nth=1"]);
    let (a, b) = (world.connect(v5("a").lasting(9)), world.connect(v5("b")));
    world.subscribe(a, "t", 1);
    world.publish(b, message("t", "x", 1));
    assert!(world.received(a).is_empty());
    world.break_off(a);
    let a = world.connect(v5("a").resuming().lasting(9));
    assert_eq!(world.received(a), ["x"]);
}

#[test]
fn a_dropped_message_takes_no_topic_alias_with_it() {
    let mut world = World::with_faults(&["drop-publish:nth=1"]);
    let a = world.connect(v5("a").with(Property::TopicAliasMaximum(5)));
    world.subscribe(a, "t", 0);
    publish_all(&mut world, a, &["1", "2"]);
    let got = world.publishes(a);
    assert_eq!((&*got[0].topic, &*got[0].payload), ("t", &b"2"[..]));
}

#[test]
fn only_the_named_clients_are_hit() {
    let mut world = World::with_faults(&["drop-ack:packet=pingresp,client=dev-"]);
    let (a, b) = (world.connect(v5("dev-1")), world.connect(v5("other")));
    world.send(a, Packet::PingReq);
    world.send(b, Packet::PingReq);
    assert!(world.packets(a).is_empty());
    assert_eq!(world.packets(b), [Packet::PingResp]);
}

#[test]
fn connections_close_after_some_packets() {
    let mut world = World::with_faults(&["close:after=2"]);
    let a = world.connect(v5("a"));
    world.send(a, Packet::PingReq);
    assert_eq!(world.packets(a), [Packet::PingResp], "no DISCONNECT");
    assert!(world.is_closed(a));
    let mut world = World::with_faults(&["close:every=3"]);
    let (a, b) = (world.connect(v5("a")), world.connect(v5("b")));
    world.send(a, Packet::PingReq);
    world.packets(a);
    assert!(
        world.is_closed(a) && !world.is_closed(b),
        "the third packet of all"
    );
}

#[test]
fn requests_are_refused_with_the_code_asked_for() {
    let mut world = World::with_faults(&["refuse-connect:code=0x88,nth=2"]);
    world.connect(v5("a"));
    assert_eq!(
        world.try_connect(v311("b")).1.reason,
        ReasonCode::SERVER_UNAVAILABLE
    );
    world.connect(v5("c"));
    let mut world = World::with_faults(&["refuse-subscribe:code=0x97"]);
    let (a, old) = (world.connect(v5("a")), world.connect(v311("old")));
    assert_eq!(world.subscribe(a, "t", 0), ReasonCode::QUOTA_EXCEEDED);
    assert_eq!(world.subscribe(old, "t", 0), ReasonCode::UNSPECIFIED_ERROR);
    let (mut world, a, b) = pair("refuse-publish:code=0x87");
    world.publish(b, message("t", "x", 1));
    assert_eq!(
        world.packets(b),
        [Packet::PubAck(ack_with(77, ReasonCode::NOT_AUTHORIZED))]
    );
    assert!(world.received(a).is_empty());
}

#[test]
fn sessions_are_forgotten() {
    let mut world = World::with_faults(&["forget-sessions"]);
    let a = world.connect(v311("a").resuming());
    world.subscribe(a, "t", 1);
    world.break_off(a);
    let (a, answer) = world.try_connect(v311("a").resuming());
    assert!(!answer.session_present);
    world.publish(a, message("t", "x", 1));
    assert_eq!(world.packets(a), [Packet::PubAck(ack(77))]);
}

#[test]
fn a_stalled_connection_is_neither_read_nor_written() {
    let mut world = World::with_faults(&["stall:after=2,for=10s"]);
    let a = world.connect(v5("a").keep_alive(2));
    world.send(a, Packet::PingReq);
    assert!(world.packets(a).is_empty());
    assert!(!world.core.reads(a));
    world.pass_seconds(9);
    assert!(!world.core.reads(a));
    world.pass_seconds(1);
    assert!(world.core.reads(a));
    assert_eq!(world.packets(a), [Packet::PingResp]);
}

#[test]
fn a_malformed_packet_is_sent() {
    let mut world = World::with_faults(&["malformed:after=1"]);
    let a = world.connect(v5("a"));
    assert!(matches!(
        world.core.pull(a, world.now),
        Some(Outgo::Garbage([0, 0]))
    ));
}

#[test]
fn the_connection_is_told_to_dribble_and_to_keep_another_time() {
    let mut world = World::with_faults(&["dribble:client=a", "server-keep-alive:seconds=3"]);
    let (a, answer) = world.try_connect(v5("a"));
    assert_eq!(answer.properties.server_keep_alive(), Some(3));
    assert!(world.core.dribbles(a));
    let b = world.connect(v5("b"));
    assert!(!world.core.dribbles(b));
    assert_eq!(world.publish_and_hear(b), NOBODY);
}

impl World {
    fn publish_and_hear(&mut self, who: super::world::Who) -> ReasonCode {
        self.publish(who, message("nobody", "x", 1));
        match self.next(who) {
            Some(Packet::PubAck(answer)) => answer.reason,
            other => panic!("PUBACK, not {other:?}"),
        }
    }
}
