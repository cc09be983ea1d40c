//! What takes long is done a little at a time, and others have their turns between.

use super::world::{Wishes, World, filter, message, v5, v311, will};
use crate::mqtt::packet::{Packet, SubAck, Subscribe, Unsubscribe};

/// How many filters are too many for one turn.
const MANY: usize = 12_000;

fn filters() -> Vec<String> {
    (0..MANY).map(|number| format!("f/{number}")).collect()
}

#[test]
fn a_subscribe_of_many_filters() {
    let mut world = World::new();
    let (a, b) = (world.connect(v5("a")), world.connect(v5("b")));
    let subscribe = Packet::Subscribe(Subscribe {
        packet_id: 1,
        subscriptions: filters().iter().map(|one| filter(one, 1)).collect(),
        ..Subscribe::default()
    });
    assert!(world.begin(a, subscribe));
    assert_eq!(world.next(a), None, "not all are done");
    world.publish(b, message("f/0", "x", 0));
    assert_eq!(world.received(a), ["x"], "the first ones are");
    let mut turns = 1;
    while !world.core.begin_batch(a, world.now) {
        turns += 1;
    }
    assert!((2..10).contains(&turns), "{turns} turns");
    let Some(Packet::SubAck(SubAck { reasons, .. })) = world.next(a) else {
        panic!("the answer")
    };
    assert_eq!(reasons.len(), MANY);
    let unsubscribe = Packet::Unsubscribe(Unsubscribe {
        packet_id: 2,
        filters: filters().into_iter().map(Into::into).collect(),
        ..Unsubscribe::default()
    });
    assert!(world.begin(a, unsubscribe));
    while !world.core.begin_batch(a, world.now) {}
    assert!(matches!(world.next(a), Some(Packet::UnsubAck(_))));
    assert_eq!(world.core.subscriptions.count(), 0);
}

#[test]
fn the_end_of_a_session_with_many_subscriptions() {
    let mut world = World::new();
    let a = world.connect(v311("a"));
    world.send(
        a,
        Packet::Subscribe(Subscribe {
            packet_id: 1,
            subscriptions: filters().iter().map(|one| filter(one, 1)).collect(),
            ..Subscribe::default()
        }),
    );
    world.break_off(a);
    assert!(world.core.subscriptions.count() > 0, "not in one turn");
    // What is left of it gets nothing, and harms nobody.
    let b = world.connect(v5("b"));
    world.publish(b, message("f/1", "x", 1));
    world.pass_seconds(0);
    assert_eq!(world.core.subscriptions.count(), 0);
    let next = world.core.next_deadline();
    assert!(next.is_none_or(|at| at > world.now), "nothing is left");
}

#[test]
fn many_sessions_that_end_at_once() {
    let mut world = World::new();
    let watcher = world.connect(v5("watcher"));
    world.subscribe(watcher, "w", 0);
    for number in 0..6_000 {
        let client = v5(&format!("c{number}")).lasting(10).will(will("w", "x"));
        let who = world.connect(client);
        world.break_off(who);
        world.packets(watcher);
    }
    let sent = world.core.counts().messages_sent;
    assert_eq!(sent, 6_000, "wills without delay");
    let due = world.now + std::time::Duration::from_secs(10);
    world.core.tick(due);
    assert!(
        world.core.next_deadline().is_some_and(|at| at <= due),
        "more to do"
    );
    world.pass_seconds(10);
    assert_eq!(world.core.sessions.len(), 1);
}

#[test]
fn a_flood_of_messages_to_many_subscribers() {
    let mut world = World::new();
    for number in 0..100 {
        let who = world.connect(v311(&format!("c{number}")));
        world.subscribe(who, "t", 0);
    }
    let b = world.connect(v311("b"));
    assert!(world.core.begin_batch(b, world.now));
    let mut taken = 0;
    while taken == 0 || world.core.goes_on(b) {
        let packet = Packet::Publish(message("t", "x", 0));
        world.core.handle(b, packet, world.now);
        taken += 1;
        assert!(taken < 1_000, "it must end");
    }
    assert!(world.core.is_unfinished(b));
}
