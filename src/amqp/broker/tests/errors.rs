//! What is refused, and with which code.

use std::time::Duration;

use amq_protocol::frame::AMQPFrame;
use amq_protocol::protocol::{AMQPClass, basic, channel, connection, queue};

use super::world::{
    Properties, World, consume, declare, encoded, int, open, start_ok, table, text, tune_ok,
};
use crate::amqp::broker::core::Disposition;
use crate::amqp::broker::options::Options;
use crate::server::Users;

/// A client that has come as far as these methods, without an answer read.
fn after(
    world: &mut World,
    methods: impl IntoIterator<Item = connection::AMQPMethod>,
) -> super::world::Who {
    let who = world.connect();
    world.bytes(who, b"AMQP\0\0\x09\x01");
    for method in methods {
        world.send(who, 0, AMQPClass::Connection(method));
    }
    who
}

#[test]
fn other_protocols_are_told_what_is_spoken_here() {
    for said in [
        &b"AMQP\0\x01\0\0"[..],
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01",
    ] {
        let mut world = World::new();
        let who = world.connect();
        world.bytes(who, said);
        assert_eq!(world.output(who), b"AMQP\0\0\x09\x01");
        assert_eq!(world.fate(who), Disposition::Closing);
    }
}

#[test]
fn the_login_is_checked() {
    let users = Some(Users::parse("ann:secret").unwrap());
    let table = [
        (start_ok("ann", "secret"), None),
        (start_ok("ann", "wrong"), Some(403)),
        (start_ok("bob", "secret"), Some(403)),
    ];
    for (start, expected) in table {
        let mut world = World::with(Options {
            users: users.clone(),
            ..Options::default()
        });
        let who = after(&mut world, [start]);
        match expected {
            Some(code) => {
                let (what, got, text) = world.closed(who);
                assert_eq!((what, got), ("connection", code));
                assert!(
                    !text.contains("secret") && !text.contains("wrong"),
                    "{text}"
                );
            }
            None => assert_eq!(world.frames(who).len(), 2),
        }
    }
}

#[test]
fn a_hashed_password_is_checked_elsewhere_meanwhile_nothing_is_read() {
    let hash = "$7$101$0PDn/ZeYsc+WUxJ4$m0mppmp/6v5KTvcYTIIw2Tm8J8LJnTdfwKw9ZepHW3b4MY5ltfv+1tnTGfk/4Q8UHHlO90tD9pxSUWmycqvnrA==";
    let users = Users::parse(&format!("ann:{hash}")).unwrap();
    for (user, password, welcome) in [
        ("ann", "password", true),
        ("ann", "x", false),
        ("eve", "password", false),
    ] {
        let mut world = World::with(Options {
            users: Some(users.clone()),
            ..Options::default()
        });
        let who = after(&mut world, [start_ok(user, password)]);
        assert!(!world.core.reads(who));
        assert_eq!(world.frames(who).len(), 1);
        let login = world.core.take_login(who).unwrap();
        assert!(world.core.take_login(who).is_none());
        let accepted = login.verify();
        assert_eq!(accepted, welcome);
        world.core.logged_in(who, accepted, world.now);
        match welcome {
            true => assert_eq!(world.frames(who).len(), 1),
            false => assert_eq!(world.closed(who).1, 403),
        }
    }
}

#[test]
fn what_is_negotiated_is_checked() {
    let table = [
        (vec![tune_ok(0, 0), open("/nowhere")], 530),
        (vec![tune_ok(1_000, 0)], 530),
        (vec![tune_ok(u32::MAX, 0)], 530),
        (vec![open("/")], 503),
    ];
    for (methods, expected) in table {
        let mut world = World::new();
        let methods = std::iter::once(start_ok("a", "b")).chain(methods);
        let who = after(&mut world, methods);
        assert_eq!(world.closed(who).1, expected);
    }
}

#[test]
fn a_login_that_takes_too_long_is_ended() {
    let mut world = World::new();
    let who = after(&mut world, [start_ok("a", "b")]);
    world.wait(Duration::from_secs(10));
    world.output(who);
    assert_eq!(world.fate(who), Disposition::Closing);
    world.wait(Duration::from_secs(2));
    assert_eq!(world.fate(who), Disposition::Closed);
}

#[test]
fn heartbeats_go_both_ways() {
    let mut world = World::new();
    let who = world.client_with(0, 10);
    world.wait(Duration::from_secs(6));
    assert_eq!(world.frames(who), [AMQPFrame::Heartbeat]);
    world.bytes(who, &encoded(&AMQPFrame::Heartbeat));
    world.wait(Duration::from_secs(14));
    assert_eq!(world.fate(who), Disposition::Open);
    world.wait(Duration::from_secs(11));
    assert_eq!(world.fate(who), Disposition::Closed);
}

#[test]
fn channels_are_opened_once_and_before_they_are_used() {
    let table: [(u16, AMQPClass, u16); 4] = [
        (
            1,
            AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})),
            504,
        ),
        (
            2,
            AMQPClass::Basic(basic::AMQPMethod::Recover(basic::Recover { requeue: true })),
            504,
        ),
        (
            3_000,
            AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})),
            530,
        ),
        (
            0,
            AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})),
            504,
        ),
    ];
    for (number, method, code) in table {
        let mut world = World::new();
        let who = world.client();
        world.send(who, number, method);
        let (what, got, _) = world.closed(who);
        assert_eq!((what, got), ("connection", code));
    }
}

#[test]
fn requests_that_cannot_be_granted_close_their_channel() {
    let declare_q = |change: fn(&mut queue::Declare)| {
        let mut declare = queue::Declare {
            queue: "q".into(),
            ..declare()
        };
        change(&mut declare);
        AMQPClass::Queue(queue::AMQPMethod::Declare(declare))
    };
    let table = [
        (declare_q(|declare| declare.durable = true), 406),
        (declare_q(|declare| declare.exclusive = true), 405),
        (
            declare_q(|declare| declare.arguments = table(&[("x-max-length", int(1))])),
            406,
        ),
        (declare_q(|declare| declare.queue = "amq.q".into()), 403),
        (
            declare_q(|declare| (declare.queue, declare.passive) = ("nosuch".into(), true)),
            404,
        ),
        (
            AMQPClass::Basic(basic::AMQPMethod::Consume(consume("nosuch", "c"))),
            404,
        ),
        (
            AMQPClass::Basic(basic::AMQPMethod::Ack(basic::Ack {
                delivery_tag: 7,
                multiple: false,
            })),
            406,
        ),
    ];
    for (method, code) in table {
        let mut world = World::new();
        let who = world.client();
        world.queue(who, "q", &[]);
        world.send(who, 1, method.clone());
        let (what, got, text) = world.closed(who);
        assert_eq!((what, got), ("channel", code), "{method:?} {text}");
        // Until the client has answered, all else on the channel is ignored; then it may be opened again.
        world.publish(who, "", "q", "ignored");
        world.send(
            who,
            1,
            AMQPClass::Channel(channel::AMQPMethod::CloseOk(channel::CloseOk {})),
        );
        world.open_channel(who, 1);
        world.output(who);
        assert!(world.drained(who, "q").is_empty());
    }
}

#[test]
fn a_queue_of_another_connection_keeps_its_bindings() {
    let mut world = World::new();
    let (owner, other) = (world.client(), world.client());
    let declare = queue::Declare {
        queue: "mine".into(),
        exclusive: true,
        ..declare()
    };
    world.declare(owner, declare);
    world.bind(owner, "mine", "amq.topic", "a.*");
    let unbind = |key: &str| {
        AMQPClass::Queue(queue::AMQPMethod::Unbind(queue::Unbind {
            queue: "mine".into(),
            exchange: "amq.topic".into(),
            routing_key: key.into(),
            arguments: table(&[]),
        }))
    };
    // What is not bound is nobody's, as in RabbitMQ.
    world.send(other, 1, unbind("b.*"));
    let answers = world.frames(other);
    let [AMQPFrame::Method(1, AMQPClass::Queue(queue::AMQPMethod::UnbindOk(_)))] = &answers[..]
    else {
        panic!("{answers:?}")
    };
    world.send(other, 1, unbind("a.*"));
    assert_eq!(world.closed(other).1, 405);
}

#[test]
fn arguments_that_make_no_sense_are_named() {
    for (name, value) in [
        ("x-message-ttl", int(-1)),
        ("x-expires", int(0)),
        ("x-max-priority", int(256)),
        ("x-overflow", text("explode")),
        ("x-queue-type", text("stream")),
        ("x-dead-letter-exchange", int(1)),
    ] {
        let mut world = World::new();
        let who = world.client();
        world.queue(who, "q", &[(name, value)]);
        let (_, code, text) = world.closed(who);
        assert_eq!(code, 406);
        assert!(text.contains(name), "{text}");
    }
}

#[test]
fn content_where_none_is_expected_ends_the_connection() {
    let body = AMQPFrame::Body(1, vec![1]);
    let mut world = World::new();
    let who = world.client();
    world.bytes(who, &encoded(&body));
    assert_eq!(world.closed(who).1, 505);

    let mut world = World::new();
    let who = world.client();
    let publish = super::world::published("", "q", "x", Properties::default(), false);
    world.bytes(who, &publish[..publish.len() - 9]);
    world.consume(who, "q", "c");
    assert_eq!(world.closed(who).1, 505);
}

#[test]
fn a_message_may_be_too_large() {
    let mut world = World::with(Options {
        max_message_size: 10,
        ..Options::default()
    });
    let who = world.client();
    world.publish(who, "", "q", "0123456789a");
    assert_eq!(world.closed(who).1, 406);
}

#[test]
fn the_end_of_the_broker_is_told() {
    let mut world = World::new();
    let who = world.client();
    world.core.shut_down(world.now);
    assert_eq!(world.closed(who).1, 320);
    let done = connection::AMQPMethod::CloseOk(connection::CloseOk {});
    world.send(who, 0, AMQPClass::Connection(done));
    assert_eq!(world.fate(who), Disposition::Closing);
}
