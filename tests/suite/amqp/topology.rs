//! `amqp declare`, `delete`, `bind`, `unbind`, `purge` against RabbitMQ.

use iotctl::amqp::topology::{
    Binding, Declaration, Deletion, Destination, Exchange, Queue, QueueState,
};
use iotctl::command::amqp::publish;
use iotctl::command::amqp::topology::{self, Action, Plan};
use iotctl::error::{Error, Kind};
use iotctl::message::AmqpValue;
use iotctl::output::{Format, Style};

use super::words::{block_on, caught, filled, queue, shared, text};
use crate::support::rabbitmq::unique;

/// Runs the actions; what was printed comes back.
pub(super) fn carry_out(actions: Vec<Action>) -> Result<String, Error> {
    run(actions, false)
}

fn run(actions: Vec<Action>, json: bool) -> Result<String, Error> {
    let plan = Plan {
        session: shared(),
        actions,
        json,
        style: Style::default(),
    };
    let (ended, text) = caught(Format::Raw, |output| topology::run_to(plan, output));
    ended.map(|()| text)
}

#[track_caller]
fn refused(action: Action, words: &str) {
    let error = carry_out(vec![action]).unwrap_err();
    assert_eq!(error.kind(), Kind::Refused, "{error}");
    assert!(error.text().contains(words), "{words:?} is not in {error}");
}

fn binding(source: &str, destination: Destination, key: &str) -> Binding {
    Binding {
        source: source.into(),
        destination,
        key: key.into(),
        arguments: Vec::new(),
    }
}

/// Whether a message to this exchange reaches a queue.
fn is_routed(exchange: &str, key: &str) -> bool {
    let mut plan = publish::Plan::new(shared(), key, text("x"));
    plan.exchange = exchange.into();
    plan.mandatory = true;
    match block_on(publish::run(plan)) {
        Ok(()) => true,
        Err(error) => {
            assert!(error.text().contains("NO_ROUTE"), "{error}");
            false
        }
    }
}

#[test]
fn queues_of_every_kind() {
    let kinds: [&[(&str, AmqpValue)]; 5] = [
        &[("x-queue-type", AmqpValue::Text("quorum".into()))],
        &[("x-queue-type", AmqpValue::Text("stream".into()))],
        &[("x-queue-mode", AmqpValue::Text("lazy".into()))],
        &[("x-max-priority", AmqpValue::Int(10))],
        &[
            ("x-message-ttl", AmqpValue::Int(60_000)),
            ("x-expires", AmqpValue::Int(60_000)),
            ("x-max-length", AmqpValue::Int(10)),
            ("x-max-length-bytes", AmqpValue::Int(10_000)),
            ("x-single-active-consumer", AmqpValue::Bool(true)),
        ],
    ];
    for arguments in kinds {
        let name = unique("kind");
        let text = carry_out(vec![Action::Declare(queue(&name, arguments))]).unwrap();
        assert_eq!(text, format!("{name}\t0 messages\t0 consumers\n"));
    }
}

#[test]
fn a_queue_that_the_server_names_is_named_on_standard_output() {
    let temporary = Action::Declare(Declaration::Queue(Queue::temporary()));
    let text = run(vec![temporary], true).unwrap();
    let state: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(
        state["queue"].as_str().unwrap().starts_with("amq.gen-"),
        "{text}"
    );
    assert_eq!(state["messages"], 0);
    let _ = QueueState {
        name: "".into(),
        messages: 0,
        consumers: 0,
    };
}

#[test]
fn other_properties_are_a_refusal() {
    let name = unique("same");
    carry_out(vec![Action::Declare(queue(&name, &[]))]).unwrap();
    let other = queue(&name, &[("x-max-length", AmqpValue::Int(1))]);
    refused(Action::Declare(other), "inequivalent arg 'x-max-length'");
    let wrong = queue(
        &unique("wrong"),
        &[("x-max-length", AmqpValue::Text("many".into()))],
    );
    refused(Action::Declare(wrong), "invalid arg 'x-max-length'");
    let kind = Exchange::new(unique("kind"), "no-such-type");
    refused(
        Action::Declare(Declaration::Exchange(kind)),
        "unknown exchange type 'no-such-type'",
    );
}

#[test]
fn passive_checks() {
    let name = unique("there");
    filled(&name, &["a", "b"]);
    let there = Action::Declare(Declaration::QueueIsThere(name.as_str().into()));
    assert_eq!(
        carry_out(vec![there]).unwrap(),
        format!("{name}\t2 messages\t0 consumers\n")
    );
    let missing = Declaration::QueueIsThere("no-such-queue".into());
    refused(Action::Declare(missing), "no queue 'no-such-queue'");
    let known = Declaration::ExchangeIsThere("amq.topic".into());
    assert_eq!(carry_out(vec![Action::Declare(known)]).unwrap(), "");
    let missing = Declaration::ExchangeIsThere("no-such-exchange".into());
    refused(Action::Declare(missing), "no exchange 'no-such-exchange'");
}

#[test]
fn bindings_between_exchanges_and_to_queues() {
    let (first, second, name) = (unique("first"), unique("second"), unique("bound"));
    let to_queue = binding(&second, Destination::Queue(name.as_str().into()), "b");
    let to_exchange = binding(&first, Destination::Exchange(second.as_str().into()), "#");
    carry_out(vec![
        Action::Declare(Declaration::Exchange(Exchange::new(
            first.as_str(),
            "topic",
        ))),
        Action::Declare(Declaration::Exchange(Exchange::new(
            second.as_str(),
            "direct",
        ))),
        Action::Declare(queue(&name, &[])),
        Action::Bind(to_queue.clone()),
        Action::Bind(to_exchange.clone()),
    ])
    .unwrap();
    assert!(is_routed(&first, "b"));
    assert!(!is_routed(&first, "c"));
    carry_out(vec![Action::Unbind(to_exchange)]).unwrap();
    assert!(!is_routed(&first, "b"));
    assert!(is_routed(&second, "b"));
    carry_out(vec![Action::Unbind(to_queue)]).unwrap();
    assert!(!is_routed(&second, "b"));
    let nowhere = binding(
        "no-such-exchange",
        Destination::Queue(name.as_str().into()),
        "",
    );
    refused(Action::Bind(nowhere), "no exchange 'no-such-exchange'");
}

#[test]
fn headers_and_alternate_exchanges() {
    let (headers, other, name) = (unique("headers"), unique("other"), unique("matched"));
    let mut exchange = Exchange::new(headers.as_str(), "headers");
    exchange.arguments = vec![(
        "alternate-exchange".into(),
        AmqpValue::Text(other.as_str().into()),
    )];
    let mut matching = binding(&headers, Destination::Queue(name.as_str().into()), "");
    matching.arguments = vec![
        ("x-match".into(), AmqpValue::Text("all".into())),
        ("floor".into(), AmqpValue::Int(2)),
    ];
    carry_out(vec![
        Action::Declare(Declaration::Exchange(exchange)),
        Action::Declare(queue(&name, &[])),
        Action::Bind(matching),
    ])
    .unwrap();
    assert!(!is_routed(&headers, ""));
    let mut plan = publish::Plan::new(shared(), "", text("x"));
    plan.exchange = headers.as_str().into();
    plan.mandatory = true;
    plan.properties.headers = vec![("floor".into(), AmqpValue::Int(2))];
    block_on(publish::run(plan)).unwrap();
    let catching = unique("caught");
    let unrouted = binding(&other, Destination::Queue(catching.as_str().into()), "");
    carry_out(vec![
        Action::Declare(Declaration::Exchange(Exchange::new(
            other.as_str(),
            "fanout",
        ))),
        Action::Declare(queue(&catching, &[])),
        Action::Bind(unrouted),
    ])
    .unwrap();
    assert!(is_routed(&headers, ""));
}

#[test]
fn deleting_and_purging() {
    let name = unique("deleted");
    filled(&name, &["a", "b"]);
    let delete = |if_empty| {
        Action::Delete(Deletion::Queue {
            name: name.as_str().into(),
            if_unused: true,
            if_empty,
        })
    };
    refused(delete(true), "not empty");
    assert_eq!(
        carry_out(vec![Action::Purge(name.as_str().into())]).unwrap(),
        format!("{name}\t2 messages removed\n")
    );
    assert_eq!(
        run(vec![delete(true)], true).unwrap(),
        format!("{{\"queue\":\"{name}\",\"removed\":0}}\n")
    );
    refused(Action::Purge(name.as_str().into()), "no queue");
    let exchange = unique("deleted");
    let bound = unique("bound");
    let made = Declaration::Exchange(Exchange::new(exchange.as_str(), "fanout"));
    let to_queue = binding(&exchange, Destination::Queue(bound.as_str().into()), "");
    carry_out(vec![
        Action::Declare(made),
        Action::Declare(queue(&bound, &[])),
        Action::Bind(to_queue),
    ])
    .unwrap();
    let delete = |if_unused| {
        Action::Delete(Deletion::Exchange {
            name: exchange.as_str().into(),
            if_unused,
        })
    };
    refused(delete(true), "in use");
    assert_eq!(
        carry_out(vec![delete(false)]).unwrap(),
        format!("{exchange}\tdeleted, or did not exist\n")
    );
}
