//! Confirms and transactions.

use amq_protocol::protocol::{AMQPClass, basic, tx};

use super::world::{Properties, World, int, published, text};

#[test]
fn one_confirm_answers_a_batch() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[]);
    world.select_confirms(who);
    let one = published("", "q", "x", Properties::default(), false);
    world.bytes(who, &one.repeat(10));
    assert_eq!(world.confirms(who), [(10, true, true)]);
    world.bytes(who, &one);
    assert_eq!(world.confirms(who), [(11, false, true)]);
}

#[test]
fn refused_messages_are_nacked_in_their_place() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[]);
    world.queue(
        who,
        "full",
        &[
            ("x-max-length", int(0)),
            ("x-overflow", text("reject-publish")),
        ],
    );
    world.select_confirms(who);
    let batch: Vec<u8> = ["q", "q", "full", "full", "q"]
        .iter()
        .flat_map(|key| published("", key, "x", Properties::default(), false))
        .collect();
    world.bytes(who, &batch);
    let expected = [
        (2, true, true),
        (3, false, false),
        (4, false, false),
        (5, false, true),
    ];
    assert_eq!(world.confirms(who), expected);
}

#[test]
fn what_was_published_before_an_error_is_confirmed() {
    let mut world = World::new();
    let who = world.client();
    world.queue(who, "q", &[]);
    world.select_confirms(who);
    let mut batch = published("", "q", "x", Properties::default(), false);
    batch.extend(published("nosuch", "q", "x", Properties::default(), false));
    batch.extend(published("", "q", "ignored", Properties::default(), false));
    world.bytes(who, &batch);
    assert_eq!(world.confirms(who), [(1, false, true)]);
}

#[test]
fn a_transaction_takes_effect_as_a_whole() {
    let mut world = World::new();
    let (who, other) = (world.client(), world.client());
    world.queue(who, "q", &[]);
    world.publish(who, "", "q", "first");
    world.send(who, 1, AMQPClass::Tx(tx::AMQPMethod::Select(tx::Select {})));
    world.basic(
        who,
        basic::AMQPMethod::Get(basic::Get {
            queue: "q".into(),
            no_ack: false,
        }),
    );
    world.ack(who, 1, false);
    world.publish(who, "", "q", "second");
    world.send(
        who,
        1,
        AMQPClass::Tx(tx::AMQPMethod::Rollback(tx::Rollback {})),
    );
    assert!(world.drained(other, "q").is_empty());

    world.publish(who, "", "q", "third");
    world.nack(who, 1, false, true);
    world.send(who, 1, AMQPClass::Tx(tx::AMQPMethod::Commit(tx::Commit {})));
    assert_eq!(world.drained(other, "q"), ["first", "third"]);
}
