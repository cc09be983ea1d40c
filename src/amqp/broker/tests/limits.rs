//! Lengths, lifetimes, and what becomes of dead letters.

use std::time::Duration;

use amq_protocol::types::{AMQPValue, FieldTable};

use super::world::{Got, Properties, World, consume, int, text};
use crate::amqp::broker::options::Options;

const DEAD: [(&str, &str); 2] = [
    ("x-dead-letter-exchange", ""),
    ("x-dead-letter-routing-key", "dead"),
];

/// These arguments, and dead letters to the queue `dead`.
fn mortal(arguments: &[(&'static str, AMQPValue)]) -> Vec<(&'static str, AMQPValue)> {
    let dead = DEAD.map(|(name, value)| (name, text(value)));
    arguments.iter().cloned().chain(dead).collect()
}

/// The deaths of a message, the last one first: reason, queue, count.
fn deaths(got: &Got) -> Vec<(String, String, i64)> {
    let headers = got.properties.headers().clone().unwrap_or_default();
    let Some(AMQPValue::FieldArray(deaths)) = headers.inner().get("x-death") else {
        return Vec::new();
    };
    let word = |table: &FieldTable, name: &str| match &table.inner()[name] {
        AMQPValue::LongString(text) => text.to_string(),
        other => panic!("{other:?}"),
    };
    let death = |value: &AMQPValue| match value {
        AMQPValue::FieldTable(table) => {
            let AMQPValue::LongLongInt(count) = table.inner()["count"] else {
                panic!("{table:?}")
            };
            (word(table, "reason"), word(table, "queue"), count)
        }
        other => panic!("{other:?}"),
    };
    deaths.as_slice().iter().map(death).collect()
}

fn one(reason: &str, queue: &str, count: i64) -> (String, String, i64) {
    (reason.into(), queue.into(), count)
}

#[test]
fn the_oldest_makes_room() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "dead", &[]);
    world.queue(who, "q", &mortal(&[("x-max-length", int(2))]));
    for body in ["0", "1", "2"] {
        world.publish(who, "", "q", body);
    }
    assert_eq!(world.drained(who, "q"), ["1", "2"]);
    let dead = world.drain(who, "dead");
    assert_eq!(dead[0].body, "0");
    assert_eq!(deaths(&dead[0]), [one("maxlen", "q", 1)]);
}

#[test]
fn bytes_are_counted_too() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[("x-max-length-bytes", int(10))]);
    for body in ["aaaa", "bbbb", "cccc"] {
        world.publish(who, "", "q", body);
    }
    assert_eq!(world.drained(who, "q"), ["bbbb", "cccc"]);
}

#[test]
fn a_full_queue_may_refuse_and_still_pass_on_to_who_waits() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "dead", &[]);
    let arguments = [
        ("x-max-length", int(1)),
        ("x-overflow", text("reject-publish-dlx")),
    ];
    world.queue(who, "q", &mortal(&arguments));
    world.select_confirms(who);
    for body in ["0", "1"] {
        world.publish(who, "", "q", body);
    }
    assert_eq!(world.confirms(who), [(1, false, true), (2, false, false)]);
    assert_eq!(world.drained(who, "dead"), ["1"]);
    assert_eq!(world.drained(who, "q"), ["0"]);

    world.queue(
        who,
        "none",
        &[
            ("x-max-length", int(0)),
            ("x-overflow", text("reject-publish")),
        ],
    );
    world.consume(who, "none", "c");
    world.publish(who, "", "none", "now");
    assert_eq!(world.bodies(who), ["now"]);
}

#[test]
fn messages_expire_by_their_own_time_and_by_the_queues() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "dead", &[]);
    world.queue(who, "q", &mortal(&[("x-message-ttl", int(1_000))]));
    world.publish(who, "", "q", "queue");
    let own = Properties::default().with_expiration("100".into());
    world.wait(Duration::from_millis(999));
    assert!(world.drained(who, "dead").is_empty());
    world.wait(Duration::from_millis(1));
    assert_eq!(
        deaths(&world.drain(who, "dead")[0]),
        [one("expired", "q", 1)]
    );

    world.publish_with(who, "", "q", "own", own, false);
    world.wait(Duration::from_millis(100));
    let dead = world.drain(who, "dead");
    assert_eq!(dead[0].body, "own");
    assert_eq!(
        dead[0].properties.expiration(),
        &None,
        "it must not die again"
    );
}

#[test]
fn a_message_without_time_still_reaches_who_waits() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[("x-message-ttl", int(0))]);
    world.publish(who, "", "q", "lost");
    assert!(world.drained(who, "q").is_empty());
    world.consume(who, "q", "c");
    world.publish(who, "", "q", "taken");
    assert_eq!(world.bodies(who), ["taken"]);
}

#[test]
fn a_queue_that_nobody_uses_goes() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[("x-expires", int(1_000))]);
    world.consume(who, "q", "c");
    world.wait(Duration::from_secs(5));
    let cancel = amq_protocol::protocol::basic::Cancel {
        consumer_tag: "c".into(),
        nowait: true,
    };
    world.basic(
        who,
        amq_protocol::protocol::basic::AMQPMethod::Cancel(cancel),
    );
    world.wait(Duration::from_millis(900));
    assert!(world.drained(who, "q").is_empty(), "to look is to use");
    world.wait(Duration::from_millis(999));
    world.publish(who, "", "q", "still there");
    world.wait(Duration::from_millis(1));
    world.consume(who, "q", "c");
    assert_eq!(world.closed(who).1, 404);
}

#[test]
fn rejected_messages_come_round_again_and_are_counted() {
    let mut world = World::new();
    let who = world.client();
    world.queue(
        who,
        "work",
        &[
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text("wait")),
        ],
    );
    let wait = [
        ("x-message-ttl", int(100)),
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-routing-key", text("work")),
    ];
    world.queue(who, "wait", &wait);
    world.consume(who, "work", "c");
    world.publish(who, "", "work", "x");
    for round in 1..=3 {
        let got = world.got(who);
        let expected = match round {
            1 => vec![],
            _ => vec![
                one("expired", "wait", round - 1),
                one("rejected", "work", round - 1),
            ],
        };
        assert_eq!(deaths(&got[0]), expected);
        world.nack(who, got[0].tag, false, false);
        world.wait(Duration::from_millis(100));
    }
}

#[test]
fn nothing_goes_round_for_ever_on_its_own() {
    let mut world = World::new();
    let who = world.client();
    let to = |queue| {
        [
            ("x-max-length", int(0)),
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text(queue)),
        ]
    };
    world.queue(who, "a", &to("b"));
    world.queue(who, "b", &to("a"));
    world.publish(who, "", "a", "x");
    assert_eq!(world.core.counts().discarded, 2);
    assert_eq!(world.core.memory.bytes(), 0);
}

#[test]
fn a_quorum_queue_gives_up_on_a_message() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "dead", &[]);
    let declare = amq_protocol::protocol::queue::Declare {
        queue: "q".into(),
        durable: true,
        arguments: super::world::table(&mortal(&[
            ("x-queue-type", text("quorum")),
            ("x-delivery-limit", int(2)),
        ])),
        ..super::world::declare()
    };
    world.declare(who, declare);
    world.consume(who, "q", "c");
    world.publish(who, "", "q", "poison");
    let mut deliveries = 0;
    while let Some(got) = world.got(who).pop() {
        deliveries += 1;
        world.nack(who, got.tag, false, true);
    }
    assert_eq!(deliveries, 3);
    assert_eq!(
        deaths(&world.drain(who, "dead")[0]),
        [one("delivery_limit", "q", 1)]
    );
}

#[test]
fn publishers_are_held_back_while_memory_is_short() {
    let mut world = World::with(Options {
        max_memory: 10_000,
        ..Options::default()
    });
    let (publisher, consumer) = (world.client(), world.client());
    world.queue(publisher, "q", &[]);
    let body = "x".repeat(2_000);
    for _ in 0..5 {
        assert!(world.core.reads(publisher));
        world.publish(publisher, "", "q", &body);
    }
    assert!(!world.core.reads(publisher));
    assert!(world.core.reads(consumer));
    // connection.blocked, class 10 method 60: for publishers alone, and for one that begins now.
    let beginner = world.client();
    world.publish(beginner, "", "q", "x");
    for (who, told) in [(publisher, true), (consumer, false), (beginner, true)] {
        let output = world.output(who);
        let blocked = output.windows(4).any(|window| window == [0, 10, 0, 60]);
        assert_eq!(blocked, told);
    }
    world.consume_with(
        consumer,
        amq_protocol::protocol::basic::Consume {
            no_ack: true,
            ..consume("q", "c")
        },
    );
    assert!(!world.core.reads(publisher), "it is not written yet");
    world.output(consumer);
    world.output(publisher);
    world.core.lost(beginner, world.now);
    assert!(world.core.reads(publisher));
    assert_eq!(world.core.memory.bytes(), 0);
}

#[test]
fn priorities_go_first() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[("x-max-priority", int(5))]);
    for (body, priority) in [("a", 1), ("b", 9), ("c", 0), ("d", 5)] {
        world.publish_with(
            who,
            "",
            "q",
            body,
            Properties::default().with_priority(priority),
            false,
        );
    }
    assert_eq!(world.drained(who, "q"), ["b", "d", "a", "c"]);
}
