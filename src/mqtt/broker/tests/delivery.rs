use super::world::{Wishes, World, ack, message, v5, v311};
use crate::mqtt::packet::{Packet, Property, Publish, QoS};

#[test]
fn the_lower_of_both_qualities_counts() {
    for published in 0..3 {
        for granted in 0..3 {
            let mut world = World::new();
            let a = world.connect(v5("a"));
            world.subscribe(a, "t", granted);
            world.publish(a, message("t", "x", published));
            let expected = format!("x/{}", published.min(granted));
            assert_eq!(world.described(a), [expected]);
        }
    }
}

#[test]
fn properties_travel_to_those_who_understand_them() {
    let travelling = [
        Property::PayloadFormatIndicator(1),
        Property::ContentType("text".into()),
        Property::ResponseTopic("r".into()),
        Property::CorrelationData("c".into()),
        Property::UserProperty("k".into(), "1".into()),
        Property::UserProperty("k".into(), "2".into()),
    ];
    let mut world = World::new();
    let (a, old) = (world.connect(v5("a")), world.connect(v311("old")));
    world.subscribe(a, "t", 0);
    world.subscribe(old, "t", 0);
    let mut publish = message("t", "x", 0);
    publish.properties = travelling.iter().cloned().collect();
    publish.properties.push(Property::TopicAlias(3));
    world.publish(a, publish);
    assert_eq!(
        world.publishes(a)[0].properties,
        travelling.into_iter().collect()
    );
    assert!(world.publishes(old)[0].properties.is_empty());
}

#[test]
fn the_expiry_shrinks_while_a_message_waits_and_ends_it() {
    let mut world = World::new();
    let a = world.connect(v5("a").lasting(100));
    world.subscribe(a, "t", 1);
    world.break_off(a);
    let b = world.connect(v5("b"));
    for (payload, seconds) in [("short", 5), ("long", 50)] {
        let mut publish = message("t", payload, 1);
        publish
            .properties
            .push(Property::MessageExpiryInterval(seconds));
        world.publish(b, publish);
    }
    world.pass_seconds(5);
    let a = world.connect(v5("a").resuming().lasting(100));
    let got = world.publishes(a);
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].payload, "long");
    assert_eq!(got[0].properties.message_expiry_interval(), Some(45));
}

fn mortal(payload: &str, level: u8, seconds: u32) -> Publish {
    let lives = Property::MessageExpiryInterval(seconds);
    Publish {
        properties: [lives].into_iter().collect(),
        ..message("t", payload, level)
    }
}

/// QoS 2 does not end by it once the message was sent ([MQTT-4.3.3-7]).
#[test]
fn the_expiry_shrinks_until_a_message_is_sent_again_and_ends_it_at_qos_1() {
    let mut world = World::new();
    let back = || v5("a").resuming().lasting(100);
    let a = world.connect(back());
    world.subscribe(a, "t", 2);
    let b = world.connect(v5("b"));
    for publish in [
        mortal("short", 1, 5),
        mortal("long", 1, 50),
        mortal("exactly", 2, 5),
        mortal("released", 2, 5),
    ] {
        world.publish(b, publish);
        world.send(b, Packet::PubRel(ack(77)));
    }
    let ids: Vec<u16> = world.publishes(a).iter().map(|it| it.packet_id).collect();
    world.send(a, Packet::PubRec(ack(ids[3])));
    world.break_off(a);
    world.pass_seconds(10);
    let a = world.connect(back());
    let again = world.packets(a);
    assert_eq!(again[2], Packet::PubRel(ack(ids[3])));
    let left = again.iter().filter_map(|packet| match packet {
        Packet::Publish(it) => Some((it.packet_id, it.properties.message_expiry_interval())),
        _ => None,
    });
    let expected = [(ids[1], Some(40)), (ids[2], Some(0))];
    assert_eq!(left.collect::<Vec<_>>(), expected);
    // What has expired takes no part of the window.
    let session = world.core.sessions.find("a").unwrap();
    let outbound = &world.core.sessions.get(session).unwrap().outbound;
    assert!(!outbound.holds(ids[0]) && outbound.len() == 3);
}

#[test]
fn another_member_of_a_group_gets_a_message_until_it_expires() {
    for (waits, payloads) in [(5, 1), (30, 0)] {
        let mut world = World::new();
        let a = world.connect(v5("a"));
        world.subscribe(a, "$share/g/t", 1);
        let c = world.connect(v5("c"));
        world.publish(c, mortal("x", 1, 20));
        world.pass_seconds(waits);
        let b = world.connect(v5("b"));
        world.subscribe(b, "$share/g/t", 1);
        world.break_off(a);
        let got = world.publishes(b);
        assert_eq!(got.len(), payloads);
        for publish in got {
            assert_eq!(publish.properties.message_expiry_interval(), Some(15));
        }
    }
}

#[test]
fn a_message_forwarded_at_once_keeps_its_whole_interval() {
    let mut world = World::new();
    let a = world.connect(v5("a"));
    world.subscribe(a, "t", 0);
    let mut publish = message("t", "x", 0);
    publish.properties.push(Property::MessageExpiryInterval(1));
    world.publish(a, publish);
    assert_eq!(
        world.publishes(a)[0].properties.message_expiry_interval(),
        Some(1)
    );
}

#[test]
fn the_clients_receive_maximum_is_a_window() {
    let mut world = World::new();
    let a = world.connect(v5("a").with(Property::ReceiveMaximum(2)));
    world.subscribe(a, "t", 2);
    let b = world.connect(v5("b"));
    for payload in ["1", "2", "3", "4"] {
        world.publish(b, message("t", payload, 1));
    }
    world.publish(b, message("t", "free", 0));
    let first = world.publishes(a);
    let payloads: Vec<_> = first
        .iter()
        .map(|publish| publish.payload.clone())
        .collect();
    assert_eq!(payloads, ["1", "2", "free"]);
    world.send(a, Packet::PubAck(ack(first[0].packet_id)));
    assert_eq!(world.received(a), ["3"]);
}

#[test]
fn a_qos_2_message_holds_its_place_until_pubcomp_or_a_failing_pubrec() {
    let mut world = World::new();
    let a = world.connect(v5("a").with(Property::ReceiveMaximum(1)));
    world.subscribe(a, "t", 2);
    for payload in ["1", "2", "3"] {
        world.publish(a, message("t", payload, 2));
        world.send(a, Packet::PubRel(ack(77)));
    }
    let id = world.publishes(a)[0].packet_id;
    world.send(a, Packet::PubRec(ack(id)));
    assert_eq!(world.packets(a), [Packet::PubRel(ack(id))]);
    world.send(a, Packet::PubComp(ack(id)));
    let second = world.publishes(a)[0].clone();
    assert_eq!(second.payload, "2");
    let refusal = super::world::ack_with(second.packet_id, crate::mqtt::packet::ReasonCode(0x80));
    world.send(a, Packet::PubRec(refusal));
    assert_eq!(world.received(a), ["3"]);
}

#[test]
fn what_is_too_large_for_a_client_is_left_out_and_counted_as_complete() {
    let mut world = World::new();
    let small = [Property::MaximumPacketSize(30), Property::ReceiveMaximum(1)];
    let connect = small.into_iter().fold(v5("a"), Wishes::with);
    let a = world.connect(connect);
    world.subscribe(a, "t", 1);
    let b = world.connect(v5("b"));
    world.publish(b, message("t", &"x".repeat(100), 1));
    world.publish(b, message("t", "small", 1));
    assert_eq!(world.received(a), ["small"]);
    assert_eq!(world.core.counts().messages_dropped, 1);
}

#[test]
fn other_packets_too_large_for_a_client_end_its_connection() {
    let mut world = World::new();
    let a = world.open();
    let connect = v5("a").with(Property::MaximumPacketSize(4));
    world.send(a, Packet::Connect(Box::new(connect)));
    assert!(world.packets(a).is_empty());
    assert!(world.is_closed(a));
}

#[test]
fn aliases_shorten_what_goes_out_as_far_as_the_client_permits() {
    let mut world = World::new();
    let a = world.connect(v5("a").with(Property::TopicAliasMaximum(1)));
    world.subscribe(a, "#", 0);
    for topic in ["one", "one", "two"] {
        world.publish(a, message(topic, "x", 0));
    }
    let sent: Vec<_> = world.publishes(a).iter().map(described_alias).collect();
    assert_eq!(
        sent,
        [
            ("one".into(), Some(1)),
            (String::new(), Some(1)),
            ("two".into(), None)
        ]
    );
}

fn described_alias(publish: &Publish) -> (String, Option<u16>) {
    (publish.topic.to_string(), publish.properties.topic_alias())
}

#[test]
fn aliases_are_not_part_of_what_is_sent_again() {
    let mut world = World::new();
    let aliased = || v5("a").lasting(100).with(Property::TopicAliasMaximum(5));
    let a = world.connect(aliased());
    world.subscribe(a, "t", 1);
    world.publish(a, message("t", "1", 1));
    world.publish(a, message("t", "2", 1));
    world.break_off(a);
    let a = world.connect(aliased().resuming());
    let topics: Vec<_> = world
        .publishes(a)
        .iter()
        .map(|publish| publish.topic.clone())
        .collect();
    assert_eq!(topics, ["t", "t"]);
}

#[test]
fn versions_meet_on_one_topic() {
    use crate::mqtt::packet::Version;
    let mut world = World::new();
    let oldest = world.connect(super::world::connecting(
        Version::V31,
        "a client with a name longer than 23",
    ));
    let (old, new) = (world.connect(v311("old")), world.connect(v5("new")));
    for who in [oldest, old, new] {
        world.subscribe(who, "t", 2);
    }
    world.publish(oldest, message("t", "x", 2));
    for who in [oldest, old, new] {
        let got = world.publishes(who);
        assert_eq!((got.len(), got[0].qos), (1, QoS::ExactlyOnce));
    }
}
