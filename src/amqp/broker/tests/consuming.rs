//! Who gets what, how often, and in which order.

use amq_protocol::frame::AMQPFrame;
use amq_protocol::protocol::{AMQPClass, basic, channel, queue};

use super::world::{Properties, World, consume, declare, int, table};
use crate::amqp::broker::core::HIGH_WATER;

fn filled(world: &mut World, queue: &str, count: usize) -> super::world::Who {
    let who = world.client();
    world.queue(who, queue, &[]);
    for number in 0..count {
        world.publish(who, "", queue, &number.to_string());
    }
    who
}

#[test]
fn prefetch_limits_what_is_under_way() {
    let mut world = World::new();
    let who = filled(&mut world, "q", 5);
    world.qos(who, 2, false);
    world.consume(who, "q", "c");
    let got = world.got(who);
    assert_eq!(
        got.iter().map(|got| got.body.as_str()).collect::<Vec<_>>(),
        ["0", "1"]
    );
    world.ack(who, 2, false);
    assert_eq!(world.bodies(who), ["2"]);
    world.ack(who, 3, true);
    assert_eq!(world.bodies(who), ["3", "4"]);
}

#[test]
fn the_channels_prefetch_is_shared() {
    let mut world = World::new();
    let who = filled(&mut world, "q", 5);
    world.qos(who, 3, true);
    world.consume(who, "q", "a");
    world.consume(who, "q", "b");
    assert_eq!(world.got(who).len(), 3);
    world.ack(who, 0, true);
    assert_eq!(world.got(who).len(), 2);
}

#[test]
fn what_comes_back_goes_where_it_was() {
    let mut world = World::new();
    let who = filled(&mut world, "q", 4);
    world.qos(who, 3, false);
    world.consume(who, "q", "c");
    world.output(who);
    world.nack(who, 3, true, true);
    let got = world.got(who);
    let seen: Vec<_> = got
        .iter()
        .map(|got| (got.body.as_str(), got.redelivered))
        .collect();
    assert_eq!(seen, [("0", true), ("1", true), ("2", true)]);
    // All that is not settled goes back with its channel.
    world.send(
        who,
        1,
        AMQPClass::Channel(channel::AMQPMethod::Close(channel::Close {
            reply_code: 200,
            reply_text: "".into(),
            class_id: 0,
            method_id: 0,
        })),
    );
    world.open_channel(who, 1);
    world.output(who);
    assert_eq!(world.drained(who, "q"), ["0", "1", "2", "3"]);
}

#[test]
fn consumers_take_turns_unless_one_has_priority() {
    let mut world = World::new();
    let (a, b) = (world.client(), world.client());
    world.queue(a, "q", &[]);
    for who in [a, b] {
        world.consume(who, "q", "c");
    }
    for body in ["0", "1", "2", "3"] {
        world.publish(a, "", "q", body);
    }
    assert_eq!(world.bodies(a), ["0", "2"]);
    assert_eq!(world.bodies(b), ["1", "3"]);

    let preferred = basic::Consume {
        arguments: table(&[("x-priority", int(1))]),
        ..consume("q", "p")
    };
    world.consume_with(b, preferred);
    for body in ["4", "5"] {
        world.publish(a, "", "q", body);
    }
    assert_eq!(world.bodies(b), ["4", "5"]);
}

#[test]
fn a_single_active_consumer_is_followed_by_the_next() {
    let mut world = World::new();
    let (a, b) = (world.client(), world.client());
    let single = [(
        "x-single-active-consumer",
        amq_protocol::types::AMQPValue::Boolean(true),
    )];
    world.queue(a, "q", &single);
    for who in [a, b] {
        world.consume(who, "q", "c");
        world.publish(who, "", "q", "x");
    }
    assert_eq!((world.got(a).len(), world.got(b).len()), (2, 0));
    world.core.lost(a, world.now);
    let got = world.got(b);
    assert_eq!(got.len(), 2);
    assert!(got[0].redelivered);
}

#[test]
fn a_slow_reader_leaves_the_rest_in_the_queue() {
    let mut world = World::new();
    let (fast, slow) = (world.client(), world.client());
    world.queue(fast, "q", &[]);
    world.consume_with(
        slow,
        basic::Consume {
            no_ack: true,
            ..consume("q", "c")
        },
    );
    let body = "x".repeat(10_000);
    for _ in 0..100 {
        world.publish(fast, "", "q", &body);
    }
    let mut out = bytes::BytesMut::new();
    assert!(world.core.pull(slow, &mut out, world.now));
    assert!(out.len() < HIGH_WATER + 20_000, "{}", out.len());
    let rest = world.got(slow).len();
    assert_eq!(
        rest + out
            .windows(4)
            .filter(|window| *window == [0, 60, 0, 60])
            .count(),
        100
    );
}

#[test]
fn bodies_are_cut_to_the_clients_frames() {
    let mut world = World::new();
    let who = world.client_with(4_096, 0);
    world.queue(who, "q", &[]);
    let body = "y".repeat(10_000);
    world.publish(who, "", "q", &body);
    world.consume(who, "q", "c");
    let frames = world.frames(who);
    let lengths = frames.iter().filter_map(|frame| match frame {
        AMQPFrame::Body(1, part) => Some(part.len()),
        _ => None,
    });
    assert_eq!(lengths.collect::<Vec<_>>(), [4_088, 4_088, 1_824]);
}

#[test]
fn a_consumer_is_told_when_its_queue_goes() {
    let mut world = World::new();
    let (a, b) = (world.client(), world.client());
    world.queue(a, "q", &[]);
    world.consume(a, "q", "c");
    let delete = queue::Delete {
        queue: "q".into(),
        if_unused: false,
        if_empty: false,
        nowait: true,
    };
    let method = queue::AMQPMethod::Delete(delete.clone());
    world.send(b, 1, AMQPClass::Queue(method));
    let cancel = basic::AMQPMethod::Cancel(basic::Cancel {
        consumer_tag: "c".into(),
        nowait: true,
    });
    let cancel = AMQPFrame::Method(1, AMQPClass::Basic(cancel));
    assert_eq!(world.frames(a), std::slice::from_ref(&cancel));
    // Whoever deletes it has the answer first.
    world.queue(a, "q", &[]);
    world.consume(a, "q", "c");
    let delete = queue::Delete {
        nowait: false,
        ..delete
    };
    world.send(a, 1, AMQPClass::Queue(queue::AMQPMethod::Delete(delete)));
    let answer = queue::AMQPMethod::DeleteOk(queue::DeleteOk { message_count: 0 });
    let answer = AMQPFrame::Method(1, AMQPClass::Queue(answer));
    assert_eq!(world.frames(a), [answer, cancel]);
}

#[test]
fn queues_go_with_their_connection_or_their_last_consumer() {
    let mut world = World::new();
    let (a, b) = (world.client(), world.client());
    world.declare(
        a,
        queue::Declare {
            queue: "mine".into(),
            exclusive: true,
            ..declare()
        },
    );
    world.declare(
        a,
        queue::Declare {
            queue: "brief".into(),
            auto_delete: true,
            ..declare()
        },
    );
    world.consume(b, "brief", "c");
    world.core.lost(a, world.now);
    world.core.lost(b, world.now);
    let c = world.client();
    for name in ["mine", "brief"] {
        world.consume(c, name, "c");
        assert_eq!(world.closed(c).1, 404, "{name}");
        world.bytes(
            c,
            &super::world::encoded(&AMQPFrame::Method(
                1,
                AMQPClass::Channel(channel::AMQPMethod::CloseOk(channel::CloseOk {})),
            )),
        );
        world.open_channel(c, 1);
        world.output(c);
    }
}

#[test]
fn somebody_always_waits_for_direct_replies() {
    let mut world = World::new();
    let who = world.client();
    let declare = queue::Declare {
        queue: "amq.rabbitmq.reply-to".into(),
        passive: true,
        nowait: false,
        ..declare()
    };
    world.declare(who, declare);
    let answers = world.frames(who);
    let said = answers.iter().find_map(|frame| match frame {
        AMQPFrame::Method(_, AMQPClass::Queue(queue::AMQPMethod::DeclareOk(said))) => {
            Some((said.message_count, said.consumer_count))
        }
        _ => None,
    });
    assert_eq!(said, Some((0, 1)), "{answers:?}");
}

#[test]
fn direct_replies_find_their_way() {
    let mut world = World::new();
    let (client, server) = (world.client(), world.client());
    world.queue(server, "rpc", &[]);
    let replies = "amq.rabbitmq.reply-to";
    world.consume_with(
        client,
        basic::Consume {
            no_ack: true,
            ..consume(replies, "r")
        },
    );
    let properties = Properties::default().with_reply_to(replies.into());
    world.publish_with(client, "", "rpc", "question", properties, false);
    let request = world.drain(server, "rpc").remove(0);
    let to = request.properties.reply_to().clone().unwrap();
    assert!(to.as_str().starts_with("amq.rabbitmq.reply-to."), "{to}");
    world.publish(server, "", to.as_str(), "answer");
    assert_eq!(world.bodies(client), ["answer"]);
    world.core.lost(client, world.now);
    world.publish_with(server, "", to.as_str(), "late", Properties::default(), true);
    assert_eq!(world.got(server)[0].tag, 312);
}

#[test]
fn flow_stops_and_starts_deliveries() {
    let mut world = World::new();
    let who = filled(&mut world, "q", 1);
    let flow = |active| AMQPClass::Channel(channel::AMQPMethod::Flow(channel::Flow { active }));
    world.send(who, 1, flow(false));
    world.consume(who, "q", "c");
    assert!(world.got(who).is_empty());
    world.send(who, 1, flow(true));
    assert_eq!(world.bodies(who), ["0"]);
}
