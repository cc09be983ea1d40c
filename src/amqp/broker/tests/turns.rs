//! No client makes the broker work for long at once, or hold what is not counted.

use std::time::Duration;

use amq_protocol::frame::AMQPFrame;
use amq_protocol::protocol::{AMQPClass, basic, queue, tx};
use amq_protocol::types::AMQPValue;
use bytes::BytesMut;

use super::world::{Properties, Who, World, declare, encoded, int, published, table, text};
use crate::amqp::broker::chores::TURN;
use crate::amqp::broker::options::Options;

/// Of a frame that a test client sends.
const PIECE: usize = 4_008;

impl World {
    fn with_memory(max_memory: usize) -> Self {
        Self::with(Options {
            max_memory,
            ..Options::default()
        })
    }

    /// Lets the broker do what it has left for later turns, none of which may be long; how many it took.
    fn turns(&mut self) -> usize {
        let mut turns = 0;
        loop {
            assert!(self.core.work <= 2 * TURN, "{}", self.core.work);
            match self.core.next_deadline() {
                Some(at) if at <= self.now => self.core.tick(self.now),
                _ => return turns,
            }
            turns += 1;
        }
    }

    fn tx(&mut self, who: Who, method: tx::AMQPMethod) {
        self.send(who, 1, AMQPClass::Tx(method));
    }

    fn is_answered(&mut self, who: Who, ids: [u8; 4]) -> bool {
        self.output(who).windows(4).any(|window| window == ids)
    }
}

#[test]
fn a_batch_of_messages_makes_room_for_others_and_a_single_one_need_not() {
    let mut world = World::new();
    let who = world.client();
    let message = published("", "nowhere", "x", Properties::default(), false);
    for (count, has_worked) in [(1, false), (2_000, true)] {
        let mut input = BytesMut::from(&message.repeat(count)[..]);
        world.core.feed(who, &mut input, world.now);
        assert_eq!(world.core.has_worked(), has_worked, "{count}");
    }
}

#[test]
fn many_queues_of_one_connection_go_in_turns() {
    const COUNT: usize = 2 * TURN;
    let mut world = World::new();
    let who = world.client();
    let mut frames = Vec::new();
    for number in 0..COUNT {
        let name = format!("q{number}");
        let declare = queue::AMQPMethod::Declare(queue::Declare {
            queue: name.as_str().into(),
            exclusive: true,
            ..declare()
        });
        let bind = queue::AMQPMethod::Bind(queue::Bind {
            queue: name.as_str().into(),
            exchange: "amq.fanout".into(),
            routing_key: "".into(),
            nowait: true,
            arguments: table(&[]),
        });
        for method in [declare, bind] {
            frames.extend(encoded(&AMQPFrame::Method(1, AMQPClass::Queue(method))));
        }
    }
    world.bytes(who, &frames);
    assert_eq!(world.core.vhosts[0].queues.len(), COUNT);
    world.core.lost(who, world.now);
    assert!(world.turns() > 1);
    assert!(world.core.vhosts[0].queues.is_empty());
    assert!(!world.core.vhosts[0].exchanges["amq.fanout"].is_used());
    assert_eq!(world.core.memory.definitions(), 0);
}

#[test]
fn keys_times_patterns_are_bounded() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[]);
    for number in 0..1_000 {
        world.bind(who, "q", "amq.topic", &format!("#.{number}"));
    }
    let copies = |count: usize| {
        let keys = (0..count).map(|number| text(&format!("a.b.{}", number + 1_000)));
        let keys: Vec<AMQPValue> = keys.collect();
        let headers = table(&[("CC", AMQPValue::FieldArray(keys.into()))]);
        Properties::default().with_headers(headers)
    };
    world.publish_with(who, "amq.topic", "a.7", "few", copies(50), false);
    assert_eq!(world.drained(who, "q"), ["few"]);
    world.publish_with(who, "amq.topic", "a.7", "many", copies(1_000), false);
    let (what, code, words) = world.closed(who);
    assert_eq!((what, code), ("channel", 406));
    assert!(words.contains("too many routing keys"), "{words}");
}

#[test]
fn dead_letters_do_not_multiply_for_ever() {
    let mut world = World::new();
    let who = world.client();
    world.exchange(who, "all", "fanout", &[]);
    for number in 0..12 {
        let name = format!("q{number}");
        let arguments = [
            ("x-max-length", int(0)),
            ("x-dead-letter-exchange", text("all")),
        ];
        world.queue(who, &name, &arguments);
        world.bind(who, &name, "all", "");
    }
    world.publish(who, "", "q0", "x");
    assert!(world.turns() > 1);
    assert_eq!(world.core.memory.bytes(), 0);
    assert!(world.core.counts().discarded > 1_000);
}

#[test]
fn what_expires_at_once_goes_in_turns_and_is_not_delivered() {
    const COUNT: usize = 2 * TURN;
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[("x-message-ttl", int(1_000))]);
    world.bytes(
        who,
        &published("", "q", "old", Properties::default(), false).repeat(COUNT),
    );
    world.now += Duration::from_secs(1);
    assert!(world.turns() > 1);
    world.publish(who, "", "q", "new");
    assert_eq!(world.drained(who, "q"), ["new"]);
}

#[test]
fn a_long_queue_is_purged_and_deleted_in_turns() {
    const COUNT: usize = 2 * TURN;
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[]);
    let many = published("", "q", "x", Properties::default(), false).repeat(COUNT);
    for method in [
        queue::AMQPMethod::Purge(queue::Purge {
            queue: "q".into(),
            nowait: false,
        }),
        queue::AMQPMethod::Delete(queue::Delete {
            queue: "q".into(),
            if_unused: false,
            if_empty: false,
            nowait: false,
        }),
    ] {
        world.bytes(who, &many);
        world.send(who, 1, AMQPClass::Queue(method));
        // queue.purge-ok or queue.delete-ok with the number of messages.
        let count = (COUNT as u32).to_be_bytes();
        assert!(world.output(who).windows(4).any(|window| window == count));
        assert!(world.turns() > 0);
        assert_eq!(world.core.memory.bytes(), 0);
    }
}

#[test]
fn a_large_transaction_is_committed_in_turns_before_anything_else_is_read() {
    const COUNT: usize = 2 * TURN;
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[]);
    world.tx(who, tx::AMQPMethod::Select(tx::Select {}));
    world.bytes(
        who,
        &published("", "q", "x", Properties::default(), false).repeat(COUNT),
    );
    world.output(who);
    world.tx(who, tx::AMQPMethod::Commit(tx::Commit {}));
    assert!(!world.core.reads(who));
    assert!(!world.is_answered(who, [0, 90, 0, 21]));
    assert!(world.turns() > 1);
    assert!(world.core.reads(who));
    assert!(world.is_answered(who, [0, 90, 0, 21]));
    assert_eq!(world.core.memory.unfinished(), 0);
}

#[test]
fn a_message_that_memory_has_no_room_for_is_refused() {
    let mut world = World::with_memory(100_000);
    let who = world.client();
    let message = published("", "q", &"x".repeat(60_000), Properties::default(), false);
    world.bytes(who, &message[..200]);
    let (what, code, words) = world.closed(who);
    assert_eq!((what, code), ("channel", 406));
    assert!(words.contains("larger than the limit of 50000"), "{words}");
    assert_eq!(world.core.memory.unfinished(), 0);
}

#[test]
fn unfinished_messages_and_transactions_do_not_stop_the_others() {
    let mut world = World::with_memory(100_000);
    let (greedy, modest) = (world.client(), world.client());
    world.queue(modest, "q", &[]);
    world.tx(greedy, tx::AMQPMethod::Select(tx::Select {}));
    world.output(greedy);
    let message = published("", "q", &"x".repeat(20_000), Properties::default(), false);
    let (begin, rest) = message.split_at(message.len() - 2 * PIECE);
    world.bytes(greedy, &message.repeat(2));
    world.bytes(modest, begin);
    let (what, code, words) = world.closed(greedy);
    assert_eq!((what, code), ("channel", 406));
    assert!(words.contains("not finished or committed"), "{words}");
    assert!(world.core.reads(modest));
    world.bytes(modest, rest);
    assert_eq!(world.drained(modest, "q").len(), 1);
}

#[test]
fn a_message_that_stays_half_sent_ends_its_connection() {
    let mut world = World::new();
    let who = world.client();
    let message = published("", "q", &"x".repeat(12_000), Properties::default(), false);
    let (begin, rest) = message.split_at(message.len() - 2 * PIECE);
    world.bytes(who, begin);
    world.wait(Duration::from_secs(50));
    world.bytes(who, &rest[..PIECE]);
    world.wait(Duration::from_secs(40));
    assert!(world.core.reads(who), "it goes on");
    world.wait(Duration::from_secs(80));
    let (what, code, words) = world.closed(who);
    assert_eq!((what, code), ("connection", 501));
    assert!(words.contains("no more of a message came"), "{words}");
    assert_eq!(world.core.memory.bytes(), 0);
}

#[test]
fn definitions_are_bounded_as_messages_are() {
    let mut world = World::with_memory(100_000);
    let who = world.client();
    for number in 0..1_000 {
        world.queue(who, &format!("q{number}"), &[]);
    }
    let (what, code, words) = world.closed(who);
    assert_eq!((what, code), ("connection", 506));
    assert!(words.starts_with("RESOURCE_ERROR"), "{words}");
    let kept = world.core.vhosts[0].queues.len();
    assert!((10..200).contains(&kept), "{kept}");
    world.core.lost(who, world.now);
    world.delete_all();
    assert_eq!(world.core.memory.definitions(), 0);
}

#[test]
fn one_delivery_that_is_never_settled_keeps_no_others() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[]);
    world.consume(who, "q", "c");
    for tag in 1..=1_000 {
        world.publish(who, "", "q", "x");
        if tag > 1 {
            world.ack(who, tag, false);
        }
    }
    let connection = world.core.connections.get(who).unwrap();
    let deliveries = &connection.channels[&1].deliveries;
    assert_eq!(deliveries.len(), 1);
    assert!(deliveries.places() < 100, "{}", deliveries.places());
}

#[test]
fn deliveries_come_back_in_their_order_however_many() {
    const COUNT: usize = 5 * TURN;
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[]);
    for number in 0..10 {
        world.publish(who, "", "q", &number.to_string());
    }
    world.bytes(
        who,
        &published("", "q", "x", Properties::default(), false).repeat(COUNT),
    );
    world.consume(who, "q", "c");
    while !world.output(who).is_empty() {}
    let cancel = basic::Cancel {
        consumer_tag: "c".into(),
        nowait: true,
    };
    world.basic(who, basic::AMQPMethod::Cancel(cancel));
    world.nack(who, 0, true, true);
    let again = world.client();
    for number in 0..10 {
        let get = basic::Get {
            queue: "q".into(),
            no_ack: true,
        };
        world.basic(again, basic::AMQPMethod::Get(get));
        assert_eq!(world.bodies(again), [number.to_string()]);
    }
}
