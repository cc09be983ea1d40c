//! Nothing that a client may send makes the broker panic, hang or hold on to memory.

use amq_protocol::protocol::{AMQPClass, basic, queue};

use super::world::{Properties, World, consume, declare, encoded, int, published, table, text};
use amq_protocol::frame::AMQPFrame;

/// Reproducible numbers: xorshift.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.roll(256) as u8).collect()
    }
}

#[test]
fn random_bytes_before_and_after_the_login() {
    let mut dice = Dice(7);
    for _ in 0..200 {
        let mut world = World::new();
        let stranger = world.connect();
        let length = dice.roll(200);
        world.bytes(stranger, &dice.bytes(length));
        let greeted = world.connect();
        world.bytes(greeted, b"AMQP\0\0\x09\x01");
        world.bytes(greeted, &dice.bytes(length));
        let known = world.client();
        world.bytes(known, &dice.bytes(length));
    }
}

/// A conversation with everything in it.
fn conversation() -> Vec<Vec<u8>> {
    let basic = |method| encoded(&AMQPFrame::Method(1, AMQPClass::Basic(method)));
    let arguments = table(&[
        ("x-max-length", int(3)),
        ("x-message-ttl", int(0)),
        ("x-dead-letter-exchange", text("")),
        ("x-max-priority", int(3)),
    ]);
    let declare = queue::Declare {
        queue: "q".into(),
        arguments,
        ..declare()
    };
    let headers = Properties::default()
        .with_headers(table(&[("x-death", text("x")), ("a", int(1))]))
        .with_expiration("10".into())
        .with_priority(200)
        .with_reply_to("amq.rabbitmq.reply-to".into());
    vec![
        encoded(&AMQPFrame::Method(
            1,
            AMQPClass::Queue(queue::AMQPMethod::Declare(declare)),
        )),
        basic(basic::AMQPMethod::Consume(basic::Consume {
            no_ack: true,
            ..consume("amq.rabbitmq.reply-to", "r")
        })),
        basic(basic::AMQPMethod::Qos(basic::Qos {
            prefetch_count: 1,
            global: true,
        })),
        published("", "q", "body", headers, true),
        basic(basic::AMQPMethod::Consume(consume("q", "c"))),
        basic(basic::AMQPMethod::Nack(basic::Nack {
            delivery_tag: 1,
            multiple: true,
            requeue: true,
        })),
        basic(basic::AMQPMethod::Get(basic::Get {
            queue: "q".into(),
            no_ack: false,
        })),
        basic(basic::AMQPMethod::Ack(basic::Ack {
            delivery_tag: 0,
            multiple: true,
        })),
        basic(basic::AMQPMethod::Recover(basic::Recover { requeue: true })),
    ]
}

#[test]
fn mutated_conversations_leave_nothing_behind() {
    let mut dice = Dice(11);
    for _ in 0..400 {
        let mut world = World::new();
        let who = world.client();
        let mut bytes: Vec<u8> = conversation().concat();
        for _ in 0..=dice.roll(4) {
            let at = dice.roll(bytes.len());
            match dice.roll(3) {
                0 => bytes[at] = dice.roll(256) as u8,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, dice.roll(256) as u8),
            }
        }
        world.bytes(who, &bytes);
        world.output(who);
        world.core.lost(who, world.now);
        world.delete_all();
        assert_eq!(world.core.memory.bytes(), 0);
    }
}

#[test]
fn input_may_come_in_pieces() {
    let whole: Vec<u8> = conversation().concat();
    let mut expected = World::new();
    let who = expected.client();
    expected.bytes(who, &whole);
    let expected = expected.core.counts();
    for size in [1, 3, 7, 100] {
        let mut world = World::new();
        let who = world.client();
        let mut input = bytes::BytesMut::new();
        for piece in whole.chunks(size) {
            input.extend_from_slice(piece);
            world.core.feed(who, &mut input, world.now);
        }
        assert!(input.is_empty());
        assert_eq!(world.core.counts(), expected);
    }
}

#[test]
fn a_client_that_asks_and_never_listens_is_not_read_for_ever() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[]);
    let passive = queue::Declare {
        queue: "q".into(),
        passive: true,
        nowait: false,
        ..declare()
    };
    let passive = encoded(&AMQPFrame::Method(
        1,
        AMQPClass::Queue(queue::AMQPMethod::Declare(passive)),
    ));
    let many = passive.repeat(1_000);
    let mut rounds = 0;
    while world.core.reads(who) {
        world.bytes(who, &many);
        rounds += 1;
        assert!(rounds < 10_000, "it is read for ever");
    }
}

#[test]
fn half_a_message_is_counted_and_given_back() {
    let mut world = World::new();
    let who = world.client();
    let message = published("", "q", &"x".repeat(100_000), Properties::default(), false);
    world.bytes(who, &message[..60_000]);
    assert!(world.core.memory.bytes() > 50_000);
    world.core.lost(who, world.now);
    assert_eq!(world.core.memory.bytes(), 0);
}
