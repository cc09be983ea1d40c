use super::world::{World, filter, message, never, retained, v5, v311};
use crate::mqtt::broker::options::Options;
use crate::mqtt::packet::{
    Packet, Property, Publish, QoS, ReasonCode, RetainHandling, Subscribe, Subscription, UnsubAck,
};

#[test]
fn suback_grants_and_refuses_filter_by_filter() {
    let mut world = World::with(Options {
        maximum_qos: QoS::AtLeastOnce,
        ..Options::default()
    });
    let a = world.connect(v5("a"));
    let deep = "a/".repeat(300);
    let subscribe = |subscriptions| {
        Packet::Subscribe(Subscribe {
            packet_id: 3,
            subscriptions,
            ..Subscribe::default()
        })
    };
    let wanted = vec![
        filter("a", 0),
        filter("b", 2),
        filter("a/#/b", 0),
        filter(&deep, 0),
    ];
    world.send(a, subscribe(wanted.clone()));
    let Some(Packet::SubAck(answer)) = world.next(a) else {
        panic!("SUBACK")
    };
    let invalid = ReasonCode::TOPIC_FILTER_INVALID;
    assert_eq!(answer.packet_id, 3);
    assert_eq!(
        answer.reasons,
        [ReasonCode(0), ReasonCode(1), invalid, invalid]
    );
    let old = world.connect(v311("old"));
    world.send(old, subscribe(wanted));
    let Some(Packet::SubAck(answer)) = world.next(old) else {
        panic!("SUBACK")
    };
    assert_eq!(answer.reasons[2], ReasonCode::UNSPECIFIED_ERROR);
}

#[test]
fn unsuback_says_what_existed() {
    let mut world = World::new();
    let (a, b) = (world.connect(v5("a")), world.connect(v311("b")));
    world.subscribe(a, "t", 0);
    let answer = |reasons| {
        Packet::UnsubAck(UnsubAck {
            packet_id: 8,
            reasons,
            ..UnsubAck::default()
        })
    };
    assert_eq!(world.unsubscribe(a, "t"), answer(vec![ReasonCode::SUCCESS]));
    assert_eq!(
        world.unsubscribe(a, "t"),
        answer(vec![ReasonCode::NO_SUBSCRIPTION_EXISTED])
    );
    assert_eq!(world.unsubscribe(b, "t"), answer(vec![]));
    world.publish(b, message("t", "x", 0));
    assert!(world.received(a).is_empty());
}

#[test]
fn retained_messages_come_at_subscription_and_can_be_cleared() {
    let mut world = World::new();
    let a = world.connect(v5("a"));
    world.publish(a, retained("t/1", "old"));
    world.publish(a, retained("t/1", "one"));
    world.publish(a, retained("t/2", "two"));
    world.subscribe(a, "t/#", 1);
    assert_eq!(world.described(a), ["one/0/r", "two/0/r"]);
    world.publish(a, retained("t/1", ""));
    world.packets(a);
    world.subscribe(a, "t/+", 0);
    assert_eq!(world.described(a), ["two/0/r"]);
}

#[test]
fn retain_handling_decides_whether_they_come() {
    let handled = |retain_handling| Subscription {
        retain_handling,
        ..filter("t", 0)
    };
    let mut world = World::new();
    let a = world.connect(v5("a"));
    world.publish(a, retained("t", "x"));
    let mut count = |handling| {
        world.subscribe_with(a, handled(handling), None);
        world.received(a).len()
    };
    assert_eq!(count(never()), 0);
    assert_eq!(count(RetainHandling::New), 0, "it exists already");
    assert_eq!(count(RetainHandling::Always), 1);
    assert_eq!(count(RetainHandling::Always), 1);
    world.unsubscribe(a, "t");
    world.subscribe_with(a, handled(RetainHandling::New), None);
    assert_eq!(world.received(a).len(), 1);
}

#[test]
fn a_retained_message_expires() {
    let mut world = World::new();
    let a = world.connect(v5("a"));
    let mut mortal = retained("t", "x");
    mortal.properties.push(Property::MessageExpiryInterval(10));
    world.publish(a, mortal);
    world.pass_seconds(4);
    world.subscribe(a, "t", 0);
    let remaining = world.publishes(a)[0].properties.message_expiry_interval();
    assert_eq!(remaining, Some(6));
    world.pass_seconds(6);
    world.subscribe(a, "#", 0);
    assert!(world.received(a).is_empty());
}

#[test]
fn live_messages_lose_the_flag_unless_it_is_asked_for() {
    let mut world = World::new();
    let (a, b) = (world.connect(v5("a")), world.connect(v5("b")));
    world.subscribe(a, "t", 0);
    let as_published = Subscription {
        retain_as_published: true,
        ..filter("t", 0)
    };
    world.subscribe_with(b, as_published, None);
    world.publish(a, retained("t", "x"));
    world.publish(a, message("t", "y", 0));
    assert_eq!(world.described(a), ["x/0", "y/0"]);
    assert_eq!(world.described(b), ["x/0/r", "y/0"]);
}

#[test]
fn no_local_keeps_a_clients_own_messages_from_it() {
    let mut world = World::new();
    let (a, b) = (world.connect(v5("a")), world.connect(v5("b")));
    let not_mine = Subscription {
        no_local: true,
        ..filter("t", 0)
    };
    world.subscribe_with(a, not_mine, None);
    world.publish(a, message("t", "mine", 0));
    world.publish(b, message("t", "yours", 0));
    assert_eq!(world.received(a), ["yours"]);
}

#[test]
fn no_local_on_a_shared_subscription_is_a_protocol_error() {
    let mut world = World::new();
    let a = world.connect(v5("a"));
    let subscribe = Subscribe {
        packet_id: 1,
        subscriptions: vec![Subscription {
            no_local: true,
            ..filter("$share/g/t", 0)
        }],
        ..Subscribe::default()
    };
    world.send(a, Packet::Subscribe(subscribe));
    world.expect_kick(a, ReasonCode::PROTOCOL_ERROR);
}

#[test]
fn overlapping_subscriptions_make_one_message_with_all_identifiers() {
    let mut world = World::new();
    let a = world.connect(v5("a"));
    world.subscribe_with(a, filter("t/#", 0), Some(1));
    world.subscribe_with(a, filter("t/+", 2), Some(268_435_455));
    world.subscribe_with(a, filter("t/x", 1), None);
    world.publish(a, message("t/x", "x", 2));
    let got: Vec<Publish> = world.publishes(a);
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].qos, QoS::ExactlyOnce);
    let mut ids: Vec<u32> = got[0].properties.subscription_identifiers().collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 268_435_455]);
}

#[test]
fn retained_messages_carry_the_identifier_too() {
    let mut world = World::new();
    let a = world.connect(v5("a"));
    world.publish(a, retained("t", "x"));
    world.subscribe_with(a, filter("t", 0), Some(5));
    let ids: Vec<u32> = world.publishes(a)[0]
        .properties
        .subscription_identifiers()
        .collect();
    assert_eq!(ids, [5]);
}

#[test]
fn a_shared_subscription_takes_turns_and_gets_no_retained_messages() {
    let mut world = World::new();
    let (a, b, c) = (
        world.connect(v5("a")),
        world.connect(v311("b")),
        world.connect(v5("c")),
    );
    world.publish(c, retained("t", "kept"));
    world.subscribe(a, "$share/g/t", 1);
    world.subscribe(b, "$share/g/t", 0);
    world.subscribe(c, "t", 0);
    assert_eq!(world.received(c), ["kept"]);
    for payload in ["1", "2", "3", "4"] {
        world.publish(c, message("t", payload, 1));
    }
    assert_eq!(world.described(a), ["1/1", "3/1"]);
    assert_eq!(world.described(b), ["2/0", "4/0"]);
    assert_eq!(world.received(c).len(), 4);
}

#[test]
fn a_shared_subscription_prefers_members_that_are_there() {
    let mut world = World::new();
    let (a, b) = (
        world.connect(v311("a").into_lasting()),
        world.connect(v311("b").into_lasting()),
    );
    world.subscribe(a, "$share/g/t", 1);
    world.subscribe(b, "$share/g/t", 1);
    world.break_off(a);
    let c = world.connect(v5("c"));
    for payload in ["1", "2"] {
        world.publish(c, message("t", payload, 1));
    }
    assert_eq!(world.received(b), ["1", "2"]);
    world.break_off(b);
    world.publish(c, message("t", "3", 1));
    let (a, b) = (
        world.connect(v311("a").into_lasting()),
        world.connect(v311("b").into_lasting()),
    );
    let waited = [world.received(a), world.received(b)].concat();
    assert!(
        waited.contains(&String::from("3")),
        "somebody keeps it: {waited:?}"
    );
}

#[test]
fn what_a_vanished_member_did_not_acknowledge_goes_to_another() {
    let mut world = World::new();
    let (a, b, c) = (
        world.connect(v5("a")),
        world.connect(v5("b")),
        world.connect(v5("c")),
    );
    world.subscribe(a, "$share/g/t", 2);
    world.publish(c, message("t", "once", 1));
    world.publish(c, message("t", "exactly once", 2));
    assert_eq!(world.received(a).len(), 2);
    world.subscribe(b, "$share/g/t", 2);
    world.break_off(a);
    assert_eq!(
        world.described(b),
        ["once/1"],
        "QoS 2 in flight belongs to its first receiver"
    );
}

#[test]
fn dollar_topics_are_out_of_reach_of_leading_wildcards() {
    let mut world = World::new();
    let a = world.connect(v5("a"));
    world.subscribe(a, "#", 0);
    world.subscribe(a, "+/x", 0);
    world.publish(a, message("$private/x", "x", 0));
    assert!(world.received(a).is_empty());
    world.subscribe(a, "$private/#", 0);
    world.publish(a, message("$private/x", "x", 0));
    assert_eq!(world.received(a), ["x"]);
}

/// MQTT 3.1.1: Clean Session off.
trait IntoLasting {
    fn into_lasting(self) -> Self;
}

impl IntoLasting for crate::mqtt::packet::Connect {
    fn into_lasting(self) -> Self {
        super::world::Wishes::resuming(self)
    }
}
