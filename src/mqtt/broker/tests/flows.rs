use super::world::{Wishes, World, ack, ack_with, message, retained, v5, v311};
use crate::mqtt::broker::options::Options;
use crate::mqtt::packet::{Packet, Property, Publish, QoS, ReasonCode};

const NOBODY: ReasonCode = ReasonCode::NO_MATCHING_SUBSCRIBERS;

#[test]
fn acknowledgements_say_whether_anybody_listens() {
    let mut world = World::new();
    let (a, old) = (world.connect(v5("a")), world.connect(v311("old")));
    world.publish(a, message("t", "x", 1));
    world.publish(a, message("t", "x", 2));
    assert_eq!(
        world.packets(a),
        [
            Packet::PubAck(ack_with(77, NOBODY)),
            Packet::PubRec(ack_with(77, NOBODY))
        ]
    );
    world.publish(old, message("t", "x", 1));
    assert_eq!(world.packets(old), [Packet::PubAck(ack(77))]);
    world.subscribe(old, "t", 0);
    world.publish(a, message("t", "x", 1));
    assert_eq!(world.packets(a), [Packet::PubAck(ack(77))]);
}

#[test]
fn qos_2_is_delivered_once_however_often_it_comes() {
    let mut world = World::new();
    let (a, b) = (world.connect(v311("a")), world.connect(v311("b")));
    world.subscribe(b, "t", 0);
    for _ in 0..3 {
        world.publish(a, message("t", "x", 2));
    }
    assert_eq!(world.packets(a), vec![Packet::PubRec(ack(77)); 3]);
    world.send(a, Packet::PubRel(ack(77)));
    world.publish(a, message("t", "y", 2));
    assert_eq!(world.received(b), ["x", "y"]);
}

#[test]
fn acknowledgements_of_nothing_are_answered_or_passed_over() {
    let unknown = ReasonCode::PACKET_IDENTIFIER_NOT_FOUND;
    let mut world = World::new();
    let (a, old) = (world.connect(v5("a")), world.connect(v311("old")));
    for who in [a, old] {
        world.send(who, Packet::PubAck(ack(5)));
        world.send(who, Packet::PubComp(ack(5)));
        assert!(world.packets(who).is_empty());
        world.send(who, Packet::PubRel(ack(5)));
        world.send(who, Packet::PubRec(ack(5)));
    }
    assert_eq!(
        world.packets(a),
        [
            Packet::PubComp(ack_with(5, unknown)),
            Packet::PubRel(ack_with(5, unknown))
        ]
    );
    assert_eq!(
        world.packets(old),
        [Packet::PubComp(ack(5)), Packet::PubRel(ack(5))]
    );
}

#[test]
fn the_wrong_acknowledgement_for_a_message_in_flight_is_a_protocol_error() {
    type Kind = fn(crate::mqtt::packet::Ack) -> Packet;
    let wrong: [(u8, Kind); 4] = [
        (1, Packet::PubRec),
        (1, Packet::PubComp),
        (2, Packet::PubAck),
        (2, Packet::PubComp),
    ];
    for (qos, kind) in wrong {
        let mut world = World::new();
        let (a, b) = (world.connect(v5("a")), world.connect(v5("b")));
        world.subscribe(a, "t", 2);
        world.publish(b, message("t", "x", qos));
        let id = world.publishes(a)[0].packet_id;
        world.send(a, kind(ack(id)));
        world.expect_kick(a, ReasonCode::PROTOCOL_ERROR);
    }
}

#[test]
fn topic_aliases_of_a_client_stand_for_topics() {
    let aliased = |topic: &str, alias| Publish {
        properties: [Property::TopicAlias(alias)].into_iter().collect(),
        ..message(topic, "x", 0)
    };
    let mut world = World::new();
    let a = world.connect(v5("a"));
    world.subscribe(a, "t", 0);
    world.publish(a, aliased("t", 16));
    world.publish(a, aliased("", 16));
    assert_eq!(world.received(a).len(), 2);
    for (alias, reason) in [
        (0, ReasonCode::TOPIC_ALIAS_INVALID),
        (17, ReasonCode::TOPIC_ALIAS_INVALID),
        (3, ReasonCode::PROTOCOL_ERROR),
    ] {
        let a = world.connect(v5("a"));
        world.publish(a, aliased("", alias));
        world.expect_kick(a, reason);
    }
}

#[test]
fn what_the_broker_said_it_does_not_take_ends_the_connection() {
    let options = || Options {
        maximum_qos: QoS::AtMostOnce,
        retain_available: false,
        ..Options::default()
    };
    let identified = Publish {
        properties: [Property::SubscriptionIdentifier(1)].into_iter().collect(),
        ..message("t", "x", 0)
    };
    let table = [
        (message("t", "x", 1), ReasonCode::QOS_NOT_SUPPORTED),
        (retained("t", "x"), ReasonCode::RETAIN_NOT_SUPPORTED),
        (identified, ReasonCode::PROTOCOL_ERROR),
    ];
    for (publish, reason) in table {
        let mut world = World::with(options());
        let a = world.connect(v5("a"));
        world.publish(a, publish);
        world.expect_kick(a, reason);
    }
}

#[test]
fn our_receive_maximum_is_enforced_for_mqtt_5() {
    let mut world = World::with(Options {
        receive_maximum: 2,
        ..Options::default()
    });
    let numbered = |packet_id, qos| Publish {
        packet_id,
        ..message("t", "x", qos)
    };
    let a = world.connect(v5("a"));
    world.publish(a, numbered(1, 2));
    world.publish(a, numbered(2, 2));
    world.publish(a, numbered(2, 2));
    assert!(!world.is_closed(a), "a repeat is not one more");
    world.publish(a, numbered(3, 1));
    world.expect_kick(a, ReasonCode::RECEIVE_MAXIMUM_EXCEEDED);
    let b = world.connect(v311("b"));
    (1..=5).for_each(|id| world.publish(b, numbered(id, 2)));
    assert_eq!(world.packets(b).len(), 5);
}

#[test]
fn a_message_beyond_our_receive_maximum_is_new_when_it_comes_again() {
    let mut world = World::with(Options {
        receive_maximum: 2,
        ..Options::default()
    });
    let numbered = |packet_id: u16, duplicate| Publish {
        packet_id,
        duplicate,
        ..message("t", &packet_id.to_string(), 2)
    };
    let watcher = world.connect(v5("w"));
    world.subscribe(watcher, "t", 0);
    let a = world.connect(v5("a").lasting(100));
    (1..=3).for_each(|id| world.publish(a, numbered(id, false)));
    world.expect_kick(a, ReasonCode::RECEIVE_MAXIMUM_EXCEEDED);
    world.break_off(a);
    let a = world.connect(v5("a").resuming().lasting(100));
    for id in [1, 2] {
        world.publish(a, numbered(id, true));
        world.send(a, Packet::PubRel(ack(id)));
    }
    world.publish(a, numbered(3, true));
    assert_eq!(world.packets(a).last(), Some(&Packet::PubRec(ack(3))));
    assert_eq!(world.received(watcher), ["1", "2", "3"]);
}

#[test]
fn malformed_packets_are_told_why() {
    let mut world = World::new();
    let a = world.connect(v5("a"));
    world.malformed(a, ReasonCode::PACKET_TOO_LARGE, None);
    world.expect_kick(a, ReasonCode::PACKET_TOO_LARGE);
}

#[test]
fn what_only_servers_send_is_a_protocol_error() {
    let servers_own = [
        Packet::ConnAck(Default::default()),
        Packet::SubAck(Default::default()),
        Packet::UnsubAck(Default::default()),
        Packet::PingResp,
    ];
    for packet in servers_own {
        let mut world = World::new();
        let a = world.connect(v5("a"));
        world.send(a, packet);
        world.expect_kick(a, ReasonCode::PROTOCOL_ERROR);
    }
}
