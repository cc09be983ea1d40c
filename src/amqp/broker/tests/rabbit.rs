//! Where RabbitMQ goes its own way, so does this broker: each of these was seen there.

use amq_protocol::protocol::{basic, queue};
use amq_protocol::types::AMQPValue;

use super::world::{Properties, Who, World, consume, declare, int, table, text};

impl World {
    /// Declares a queue twice; the words with which the second is refused.
    fn redeclare(&mut self, first: &[(&str, AMQPValue)], second: &[(&str, AMQPValue)]) -> String {
        let who = self.client();
        for arguments in [first, second] {
            let quorum = arguments.contains(&("x-queue-type", text("quorum")));
            let durable = quorum || first.contains(&("x-queue-type", text("quorum")));
            let declare = queue::Declare {
                queue: "q".into(),
                durable,
                arguments: table(arguments),
                ..declare()
            };
            self.declare(who, declare);
        }
        let refused = self.core.reads(who) && !self.output(who).is_empty();
        self.delete_all();
        match refused {
            false => String::new(),
            true => self
                .core
                .take_events()
                .iter()
                .rev()
                .find_map(refusal)
                .unwrap(),
        }
    }

    fn quorum(&mut self, who: Who, name: &str) {
        let declare = queue::Declare {
            queue: name.into(),
            durable: true,
            arguments: table(&[("x-queue-type", text("quorum"))]),
            ..declare()
        };
        self.declare(who, declare);
    }
}

fn refusal(event: &crate::amqp::broker::Event) -> Option<String> {
    match event {
        crate::amqp::broker::Event::Refused { reason, .. } => Some(reason.clone()),
        _ => None,
    }
}

#[test]
fn queues_are_declared_again() {
    let ttl = |ms| [("x-message-ttl", int(ms))];
    let of = |kind: &str| [("x-queue-type", text(kind))];
    let mode = [("x-queue-mode", text("lazy"))];
    let table: &[(&[_], &[_], &str)] = &[
        (&[], &[("foo", int(1))], ""),
        (&of("classic"), &[], ""),
        (&[], &of("classic"), ""),
        (&ttl(5), &ttl(5), ""),
        (
            &ttl(5),
            &ttl(6),
            "'x-message-ttl' for queue 'q' in vhost '/': received '6' but current is '5'",
        ),
        (
            &ttl(5),
            &[],
            "received none but current is the value '5' of type 'long'",
        ),
        (
            &[],
            &ttl(5),
            "received the value '5' of type 'long' but current is none",
        ),
        (&mode, &[], "inequivalent arg 'x-queue-mode'"),
        (
            &of("quorum"),
            &[],
            "received none but current is the value 'quorum' of type 'longstr'",
        ),
    ];
    let mut world = World::new();
    for (first, second, expected) in table {
        let words = world.redeclare(first, second);
        assert_eq!(
            words.is_empty(),
            expected.is_empty(),
            "{first:?} {second:?}: {words}"
        );
        assert!(words.contains(expected), "{words}");
    }
}

#[test]
fn arguments_that_cannot_be_are_named_with_their_queue() {
    let table = [
        (
            "x-message-ttl",
            int(-1),
            "for queue 'q' in vhost '/': {value_negative,-1}",
        ),
        (
            "x-message-ttl",
            int(315_360_000_001),
            "{value_too_large,315360000001}",
        ),
        ("x-expires", int(0), "{value_zero,0}"),
        ("x-max-priority", int(256), "{max_value_exceeded,256}"),
        (
            "x-max-length",
            text("5"),
            "\"expected integer, got longstr\"",
        ),
        (
            "x-queue-mode",
            text("foo"),
            "\"unsupported queue mode 'foo'\"",
        ),
        (
            "x-queue-version",
            int(3),
            "\"unsupported queue version '3'\"",
        ),
        (
            "x-delivery-limit",
            int(3),
            "in vhost '/' of queue type rabbit_classic_queue",
        ),
        (
            "x-max-age",
            text("1h"),
            "of queue type rabbit_classic_queue",
        ),
        ("x-overflow", text("foo"), "invalid_overflow"),
    ];
    let mut world = World::new();
    for (name, value, words) in table {
        let who = world.client();
        world.queue(who, "q", &[(name, value)]);
        let (_, code, told) = world.closed(who);
        assert_eq!(code, 406);
        assert!(told.contains(words) && told.contains(name), "{told}");
    }
}

#[test]
fn expirations_that_are_none_are_named() {
    let table = [
        ("abc", "no_integer"),
        ("-1", "{value_negative,-1}"),
        ("10x", "{leftover_string,\"x\"}"),
        ("99999999999999", "{value_too_large,99999999999999}"),
        ("99999999999999999999999", "{value_too_large,"),
    ];
    let mut world = World::new();
    for (expiration, words) in table {
        let who = world.client();
        let properties = Properties::default().with_expiration(expiration.into());
        world.publish_with(who, "", "q", "x", properties, false);
        let (_, _, told) = world.closed(who);
        assert!(told.contains(words), "{told}");
    }
    let who = world.client();
    let properties = Properties::default().with_expiration("+4294967296".into());
    world.publish_with(who, "", "q", "x", properties, false);
    assert!(world.frames(who).is_empty());
}

#[test]
fn a_quorum_queue_counts_deliveries_and_puts_back_at_the_end() {
    let mut world = World::new();
    let who = world.client();
    world.quorum(who, "q");
    world.consume(who, "q", "c");
    let counts = |got: &super::world::Got| {
        let headers = got.properties.headers().clone().unwrap_or_default();
        headers.inner().get("x-delivery-count").cloned()
    };
    world.publish(who, "", "q", "x");
    for expected in [None, Some(int(1)), Some(int(2))] {
        let got = world.got(who).pop().unwrap();
        assert_eq!(counts(&got), expected);
        world.nack(who, got.tag, false, true);
    }
    let cancel = basic::Cancel {
        consumer_tag: "c".into(),
        nowait: true,
    };
    world.basic(who, basic::AMQPMethod::Cancel(cancel));
    world.nack(who, 0, true, true);
    world.publish(who, "", "q", "y");
    let got = world.drain(who, "q");
    assert_eq!(counts(&got[0]), Some(int(4)));
    assert_eq!(counts(&got[1]), Some(int(0)), "basic.get always tells");

    for body in ["1", "2", "3"] {
        world.publish(who, "", "q", body);
    }
    let get = basic::Get {
        queue: "q".into(),
        no_ack: false,
    };
    world.basic(who, basic::AMQPMethod::Get(get));
    let tag = world.got(who)[0].tag;
    world.nack(who, tag, false, true);
    assert_eq!(world.drained(who, "q"), ["2", "3", "1"]);
}

#[test]
fn bindings_and_consumers_are_checked_as_there() {
    let mut world = World::new();
    let who = world.client();
    world.queue(
        who,
        "single",
        &[("x-single-active-consumer", AMQPValue::Boolean(true))],
    );
    let exclusive = basic::Consume {
        exclusive: true,
        ..consume("single", "c")
    };
    world.consume_with(who, exclusive);
    assert_eq!(world.closed(who).1, 403);

    let who = world.client();
    world.quorum(who, "q");
    world.qos(who, 1, true);
    world.consume(who, "q", "c");
    assert_eq!(world.closed(who).1, 540);

    for (value, words) in [
        (text("foo"), "x-match field value"),
        (int(1), "x-match field type"),
    ] {
        let who = world.client();
        world.queue(who, "any", &[]);
        let bind = queue::Bind {
            queue: "any".into(),
            exchange: "amq.headers".into(),
            routing_key: "".into(),
            nowait: true,
            arguments: table(&[("x-match", value)]),
        };
        let bind = queue::AMQPMethod::Bind(bind);
        world.send(who, 1, amq_protocol::protocol::AMQPClass::Queue(bind));
        let (_, code, told) = world.closed(who);
        assert_eq!(code, 406);
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn copies_are_a_list_whose_texts_count() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[]);
    let cc = |value| Properties::default().with_headers(table(&[("CC", value)]));
    let mixed = AMQPValue::FieldArray(vec![int(1), text("q")].into());
    world.publish_with(who, "", "none", "x", cc(mixed), false);
    assert_eq!(world.drained(who, "q"), ["x"]);
    world.publish_with(who, "", "none", "x", cc(text("q")), false);
    let (_, code, told) = world.closed(who);
    assert_eq!(code, 406);
    assert!(
        told.contains("{unacceptable_type_in_header,\"CC\",longstr}"),
        "{told}"
    );
}
