//! Where messages go.

use amq_protocol::protocol::{AMQPClass, exchange};
use amq_protocol::types::{AMQPValue, FieldArray, FieldTable};

use super::world::{Properties, World, table, text};

fn bind_exchanges(
    world: &mut World,
    who: super::world::Who,
    destination: &str,
    source: &str,
    key: &str,
) {
    let bind = exchange::Bind {
        destination: destination.into(),
        source: source.into(),
        routing_key: key.into(),
        nowait: true,
        arguments: FieldTable::default(),
    };
    world.send(
        who,
        1,
        AMQPClass::Exchange(exchange::AMQPMethod::Bind(bind)),
    );
}

#[test]
fn each_type_of_exchange_picks_its_queues() {
    let mut world = World::new();
    let who = world.client();
    for (queue, exchange, key) in [
        ("d", "amq.direct", "k"),
        ("f", "amq.fanout", "ignored"),
        ("t", "amq.topic", "*.error"),
        ("t", "amq.topic", "#.error"),
    ] {
        world.queue(who, queue, &[]);
        world.bind(who, queue, exchange, key);
    }
    for (exchange, key) in [
        ("amq.direct", "k"),
        ("amq.direct", "other"),
        ("amq.fanout", "x"),
        ("amq.topic", "web.error"),
        ("amq.topic", "web.info"),
        ("", "d"),
    ] {
        world.publish(who, exchange, key, &format!("{exchange}/{key}"));
    }
    assert_eq!(world.drained(who, "d"), ["amq.direct/k", "/d"]);
    assert_eq!(world.drained(who, "f"), ["amq.fanout/x"]);
    assert_eq!(
        world.drained(who, "t"),
        ["amq.topic/web.error"],
        "once, though two bindings fit"
    );
}

#[test]
fn exchanges_hand_on_to_each_other_even_in_circles() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[]);
    for name in ["a", "b"] {
        world.exchange(who, name, "fanout", &[]);
    }
    bind_exchanges(&mut world, who, "b", "a", "");
    bind_exchanges(&mut world, who, "a", "b", "");
    world.bind(who, "q", "b", "");
    world.publish(who, "a", "k", "x");
    assert_eq!(world.drained(who, "q"), ["x"]);
}

#[test]
fn the_alternate_exchange_gets_what_nobody_wants() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "rest", &[]);
    world.exchange(who, "other", "fanout", &[]);
    world.bind(who, "rest", "other", "");
    world.exchange(
        who,
        "main",
        "direct",
        &[("alternate-exchange", text("other"))],
    );
    world.publish(who, "main", "nobody", "x");
    let got = world.drain(who, "rest");
    assert_eq!((got[0].body.as_str(), got[0].key.as_str()), ("x", "nobody"));
}

#[test]
fn copies_go_where_the_headers_say_and_blind_ones_are_not_shown() {
    let mut world = World::new();
    let who = world.client();
    for queue in ["a", "b", "c"] {
        world.queue(who, queue, &[]);
    }
    let list = |key: &str| AMQPValue::FieldArray(FieldArray::from(vec![text(key)]));
    let headers = table(&[("CC", list("b")), ("BCC", list("c"))]);
    world.publish_with(
        who,
        "",
        "a",
        "x",
        Properties::default().with_headers(headers),
        false,
    );
    for queue in ["a", "b", "c"] {
        let got = world.drain(who, queue);
        assert_eq!(
            got[0].properties.headers(),
            &Some(table(&[("CC", list("b"))]))
        );
    }
}

#[test]
fn what_nobody_gets_is_returned_before_it_is_confirmed() {
    let mut world = World::new();
    let who = world.client();
    world.select_confirms(who);
    world.publish_with(who, "", "nobody", "x", Properties::default(), true);
    let output = world.output(who);
    let method = |number: u8| {
        output
            .windows(4)
            .position(|window| window == [0, 60, 0, number])
    };
    assert!(method(50).unwrap() < method(80).unwrap());
}

#[test]
fn auto_delete_exchanges_go_with_their_last_binding() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[]);
    let declare = exchange::Declare {
        exchange: "x".into(),
        kind: "fanout".into(),
        passive: false,
        durable: false,
        auto_delete: true,
        internal: false,
        nowait: true,
        arguments: FieldTable::default(),
    };
    world.send(
        who,
        1,
        AMQPClass::Exchange(exchange::AMQPMethod::Declare(declare)),
    );
    world.bind(who, "q", "x", "");
    let delete = amq_protocol::protocol::queue::Delete {
        queue: "q".into(),
        if_unused: false,
        if_empty: false,
        nowait: true,
    };
    let delete = amq_protocol::protocol::queue::AMQPMethod::Delete(delete);
    world.send(who, 1, AMQPClass::Queue(delete));
    world.publish(who, "x", "", "gone");
    assert_eq!(world.closed(who).1, 404);
}
