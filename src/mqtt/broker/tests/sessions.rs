use super::world::{Wishes, World, ack, message, v5, v311, will};
use crate::mqtt::broker::options::Options;
use crate::mqtt::packet::{Connect, Disconnect, Packet, Property, ReasonCode};

/// Whether the session of `first` is still there for `second` after `seconds` without connection.
fn survives(first: Connect, seconds: u64, second: Connect) -> bool {
    let mut world = World::new();
    let a = world.connect(first);
    world.leave(a);
    world.pass_seconds(seconds);
    world.try_connect(second).1.session_present
}

#[test]
fn sessions_last_as_long_as_they_were_promised() {
    let table = [
        (v311("a"), 0, v311("a").resuming(), false),
        (v311("a").resuming(), 1_000_000, v311("a").resuming(), true),
        (v311("a").resuming(), 0, v311("a"), false),
        (v5("a"), 0, v5("a").resuming(), false),
        (v5("a").lasting(10), 9, v5("a").resuming(), true),
        (v5("a").lasting(10), 10, v5("a").resuming(), false),
        (
            v5("a").lasting(u32::MAX),
            1_000_000,
            v5("a").resuming(),
            true,
        ),
        (v5("a").lasting(10), 1, v5("a"), false),
        (v311("a").resuming(), 5, v5("a").resuming(), true),
    ];
    for (at, (first, seconds, second, expected)) in table.into_iter().enumerate() {
        assert_eq!(survives(first, seconds, second), expected, "row {at}");
    }
}

#[test]
fn disconnect_may_change_the_expiry_but_not_raise_it_from_zero() {
    let leaving = |seconds| {
        Packet::Disconnect(Disconnect {
            properties: [Property::SessionExpiryInterval(seconds)]
                .into_iter()
                .collect(),
            ..Disconnect::default()
        })
    };
    let mut world = World::new();
    let a = world.connect(v5("a").lasting(1));
    world.send(a, leaving(100));
    assert!(world.packets(a).is_empty());
    world.pass_seconds(50);
    assert!(world.try_connect(v5("a").resuming()).1.session_present);
    let b = world.connect(v5("b"));
    world.send(b, leaving(100));
    world.expect_kick(b, ReasonCode::PROTOCOL_ERROR);
    assert!(!world.try_connect(v5("b").resuming()).1.session_present);
}

/// MQTT 5.0 §3.14.2.2.2 is about the interval in CONNECT, not about what was granted.
#[test]
fn who_asked_for_a_lasting_session_may_change_it_where_none_lasts() {
    let mut world = World::with(Options {
        session_expiry_limit: Some(0),
        ..Options::default()
    });
    let watcher = world.connect(v5("w"));
    world.subscribe(watcher, "will", 0);
    let a = world.connect(v5("a").lasting(100).will(will("will", "gone")));
    let shorter = Property::SessionExpiryInterval(50);
    world.send(
        a,
        Packet::Disconnect(Disconnect {
            properties: [shorter].into_iter().collect(),
            ..Disconnect::default()
        }),
    );
    assert!(world.packets(a).is_empty(), "no DISCONNECT of ours");
    world.break_off(a);
    assert!(world.received(watcher).is_empty());
    assert!(!world.try_connect(v5("a").resuming()).1.session_present);
}

#[test]
fn the_limit_shortens_what_older_clients_would_keep_for_ever() {
    let mut world = World::with(Options {
        session_expiry_limit: Some(10),
        ..Options::default()
    });
    let a = world.connect(v311("a").resuming());
    world.leave(a);
    world.pass_seconds(10);
    assert!(!world.try_connect(v311("a").resuming()).1.session_present);
}

#[test]
fn a_session_without_expiry_ends_when_it_is_taken_over() {
    let mut world = World::new();
    let first = world.connect(v5("a"));
    let (_, answer) = world.try_connect(v5("a").resuming());
    assert!(!answer.session_present);
    world.expect_kick(first, ReasonCode::SESSION_TAKEN_OVER);
}

#[test]
fn messages_wait_for_a_client_that_is_away() {
    let mut world = World::new();
    let a = world.connect(v311("a").resuming());
    world.subscribe(a, "t", 1);
    world.break_off(a);
    let b = world.connect(v311("b"));
    for (payload, qos) in [("lost", 0), ("one", 1), ("two", 2)] {
        world.publish(b, message("t", payload, qos));
    }
    let a = world.connect(v311("a").resuming());
    assert_eq!(world.described(a), ["one/1", "two/1"]);
}

#[test]
fn qos_0_waits_only_on_request() {
    let mut world = World::with(Options {
        queue_qos0_offline: true,
        ..Options::default()
    });
    let a = world.connect(v311("a").resuming());
    world.subscribe(a, "t", 1);
    world.break_off(a);
    let b = world.connect(v311("b"));
    world.publish(b, message("t", "kept", 0));
    let a = world.connect(v311("a").resuming());
    assert_eq!(world.described(a), ["kept/0"]);
}

#[test]
fn what_was_in_flight_comes_again_first_and_in_order() {
    let mut world = World::new();
    let a = world.connect(v5("a").lasting(100));
    world.subscribe(a, "t", 2);
    let b = world.connect(v5("b"));
    for (payload, qos) in [("one", 1), ("two", 2), ("three", 2)] {
        world.publish(b, message("t", payload, qos));
        world.send(b, Packet::PubRel(ack(77)));
    }
    let ids: Vec<u16> = world
        .publishes(a)
        .iter()
        .map(|publish| publish.packet_id)
        .collect();
    world.send(a, Packet::PubRec(ack(ids[1])));
    world.break_off(a);
    world.publish(b, message("t", "four", 1));
    let a = world.connect(v5("a").resuming().lasting(100));
    let again = world.packets(a);
    let [
        Packet::Publish(one),
        Packet::PubRel(two),
        Packet::Publish(three),
        Packet::Publish(four),
    ] = again.as_slice()
    else {
        panic!("{again:?}")
    };
    assert!(one.duplicate && one.packet_id == ids[0]);
    assert_eq!(two.packet_id, ids[1]);
    assert!(three.duplicate && three.packet_id == ids[2]);
    assert!(!four.duplicate && four.payload == "four");
}

#[test]
fn a_qos_2_message_sent_again_on_a_resumed_session_is_delivered_once() {
    let mut world = World::new();
    let a = world.connect(v5("a").lasting(100));
    let b = world.connect(v5("b"));
    world.subscribe(b, "t", 2);
    world.publish(a, message("t", "once", 2));
    world.break_off(a);
    let a = world.connect(v5("a").resuming().lasting(100));
    world.publish(a, message("t", "once", 2));
    assert_eq!(world.packets(a), [Packet::PubRec(ack(77))]);
    world.send(a, Packet::PubRel(ack(77)));
    assert_eq!(world.packets(a), [Packet::PubComp(ack(77))]);
    assert_eq!(world.received(b), ["once"]);
}

#[test]
fn clean_start_forgets_subscriptions_and_queue() {
    let mut world = World::new();
    let a = world.connect(v5("a").lasting(100));
    world.subscribe(a, "t", 1);
    world.break_off(a);
    let b = world.connect(v5("b"));
    world.publish(b, message("t", "x", 1));
    let a = world.connect(v5("a"));
    world.publish(b, message("t", "y", 1));
    assert!(world.received(a).is_empty());
}

#[test]
fn a_session_belongs_to_its_user() {
    let ann = || v5("a").lasting(100).user("ann", "");
    let others = [
        v5("a").lasting(100).user("bob", ""),
        v5("a").lasting(100),
        v311("a").user("bob", ""),
    ];
    for other in others {
        for connected in [false, true] {
            let mut world = World::new();
            let watcher = world.connect(v5("watcher"));
            world.subscribe(watcher, "w", 0);
            let mut first = ann();
            first.will = Some(will("w", "of ann"));
            let first = world.connect(first.with(Property::ReceiveMaximum(1)));
            world.subscribe(first, "t", 2);
            world.publish(watcher, message("t", "in flight", 1));
            world.publish(watcher, message("t", "queued", 1));
            if !connected {
                world.break_off(first);
            }
            let (second, answer) = world.try_connect(other.clone().resuming());
            assert!(!answer.session_present);
            world.publish(watcher, message("t", "new", 1));
            assert!(world.packets(second).is_empty());
            assert_eq!(world.received(watcher).len(), 1, "the will of ann");
            world.break_off(second);
            let (_, answer) = world.try_connect(ann().resuming());
            assert!(!answer.session_present, "it ended when it was taken");
        }
    }
    let mut world = World::new();
    let first = world.connect(ann());
    world.break_off(first);
    assert!(world.try_connect(ann().resuming()).1.session_present);
}
