//! Each fault does what it says.

use std::time::Duration;

use amq_protocol::protocol::connection;
use amq_protocol::{frame::AMQPFrame, protocol::AMQPClass};
use bytes::BytesMut;

use super::world::{Properties, World, published, start_ok};
use crate::amqp::broker::core::Disposition;

/// The confirms of three messages under this fault, once all delays are over.
fn confirms(fault: &str) -> Vec<(u64, bool, bool)> {
    let mut world = World::with_fault(fault);
    let who = world.client();
    world.queue(who, "q", &[]);
    world.select_confirms(who);
    for _ in 0..3 {
        world.publish(who, "", "q", "x");
    }
    world.wait(Duration::from_secs(1));
    world.confirms(who)
}

#[test]
fn confirms_are_spoilt() {
    let one = |tag| (tag, false, true);
    assert_eq!(confirms("nack:nth=2"), [one(1), (2, false, false), one(3)]);
    assert_eq!(confirms("drop-confirm:nth=2"), [one(1), one(3)]);
    assert_eq!(
        confirms("delay-confirm:by=500ms,nth=1"),
        [one(2), one(3), one(1)]
    );
    assert_eq!(
        confirms("wrong-confirm:nth=1"),
        [one(1_000_001), one(2), one(3)]
    );
}

/// The tags of three deliveries under this fault.
fn deliveries(fault: &str) -> Vec<u64> {
    let mut world = World::with_fault(fault);
    let who = world.client();
    world.queue(who, "q", &[]);
    world.consume(who, "q", "c");
    for _ in 0..3 {
        world.publish(who, "", "q", "x");
    }
    world.wait(Duration::from_secs(1));
    world.got(who).iter().map(|got| got.tag).collect()
}

#[test]
fn deliveries_are_spoilt() {
    assert_eq!(deliveries("drop-deliver:nth=2,queue=q"), [1, 3]);
    assert_eq!(deliveries("drop-deliver:nth=2,queue=other"), [1, 2, 3]);
    assert_eq!(deliveries("delay-deliver:by=500ms,nth=1"), [2, 3, 1]);
    assert_eq!(deliveries("duplicate-deliver:nth=3"), [1, 2, 3, 3]);
    assert_eq!(deliveries("wrong-tag:every=2"), [1, 1_000_002, 3]);
}

#[test]
fn block_holds_publishers_back_and_lets_them_go() {
    let mut world = World::with_fault("block:after=2,for=1s");
    let who = world.client();
    world.queue(who, "q", &[]);
    world.publish(who, "", "q", "1");
    assert!(world.core.reads(who));
    world.publish(who, "", "q", "2");
    assert!(!world.core.reads(who));
    world.wait(Duration::from_secs(1));
    assert!(world.core.reads(who));
    let told = world.frames(who).into_iter().map(|frame| match frame {
        AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Blocked(_))) => {
            "blocked"
        }
        AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Unblocked(_))) => {
            "unblocked"
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(told.collect::<Vec<_>>(), ["blocked", "unblocked"]);
}

#[test]
fn block_stops_in_the_middle_of_a_batch() {
    let mut world = World::with_fault("block:after=2,for=1s");
    let who = world.client();
    world.queue(who, "q", &[]);
    let one = published("", "q", "x", Properties::default(), false);
    let mut input = BytesMut::from(&one.repeat(5)[..]);
    world.core.feed(who, &mut input, world.now);
    assert_eq!(input.len(), one.len() * 3);
    world.wait(Duration::from_secs(1));
    world.core.feed(who, &mut input, world.now);
    assert!(input.is_empty());
    assert_eq!(world.drained(who, "q").len(), 5);
}

#[test]
fn connections_are_cut_stalled_and_fed_nonsense() {
    // start-ok, tune-ok, open and channel.open are the first four frames.
    let mut world = World::with_fault("close:after=5");
    let who = world.client();
    world.queue(who, "q", &[]);
    assert_eq!(world.fate(who), Disposition::Closing);

    let mut world = World::with_fault("stall:after=5,for=1s");
    let who = world.client();
    world.qos_unread(who);
    assert!(!world.core.reads(who) && world.output(who).is_empty());
    world.wait(Duration::from_secs(1));
    assert!(world.core.reads(who) && !world.output(who).is_empty());

    let mut world = World::with_fault("malformed:after=5");
    let who = world.client();
    world.qos_unread(who);
    assert!(world.output(who).ends_with(&[0xff; 8]));
}

#[test]
fn an_unlimited_frame_size_is_offered() {
    let mut world = World::with_fault("frame-max:bytes=0");
    let who = world.connect();
    world.bytes(who, b"AMQP\0\0\x09\x01");
    world.send(who, 0, AMQPClass::Connection(start_ok("a", "b")));
    let tune = world.frames(who).pop();
    let Some(AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Tune(tune)))) =
        tune
    else {
        panic!("{tune:?}");
    };
    assert_eq!(tune.frame_max, 0);
}
