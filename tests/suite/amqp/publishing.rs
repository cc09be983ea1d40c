//! `amqp publish` against RabbitMQ.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use iotctl::amqp::publisher::{Outcome, Outgoing};
use iotctl::amqp::v091::Connection;
use iotctl::amqp::{Login, Options};
use iotctl::command::amqp::consume::{self, Settle};
use iotctl::command::amqp::get;
use iotctl::command::amqp::publish::{self, Plan};
use iotctl::connect::{Protocol, Retry, Target};
use iotctl::error::{Error, Kind};
use iotctl::flow;
use iotctl::message::{AmqpProperties, AmqpValue};
use iotctl::output::Style;
use iotctl::payload::Source;
use serde_json::{Value, json};

use super::words::{RECORDS, block_on, caught, queue, session, shared, text, tool};
use crate::support::command::iotctl;
use crate::support::rabbitmq::{RabbitMq, rabbitmq, unique};
use crate::support::{PATIENCE, wait_for};

fn publish(plan: Plan) -> Result<(), Error> {
    block_on(publish::run(plan))
}

/// The records of all messages of a queue.
fn records(name: &str) -> Vec<Value> {
    let plan = get::Plan {
        stages: flow::Stages::default(),
        destination: iotctl::output::Destination::default(),
        session: shared(),
        queue: name.into(),
        declare: Vec::new(),
        count: None,
        settle: Settle::Ack,
        format: RECORDS,
        style: Style::default(),
    };
    let (ended, text) = caught(RECORDS, |output| get::run_to(plan, output));
    ended.unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn amqp_get_reads_what_we_publish() {
    let name = unique("plain");
    let mut plan = Plan::new(shared(), &*name, text("hello"));
    plan.declare = vec![queue(&name, &[])];
    publish(plan).unwrap();
    let (code, text) = tool(rabbitmq().port, &["amqp-get", "-q", &name]);
    assert_eq!((code, text.as_str()), (0, "hello"));
}

#[test]
fn all_properties_and_headers_arrive() {
    let name = unique("properties");
    let mut plan = Plan::new(shared(), &*name, Source::Text(vec![0, 255].into()));
    plan.declare = vec![queue(&name, &[])];
    let headers = ["n=1", "flag=true", "t=text", "list:json=[1,{\"a\":null}]"];
    plan.properties = AmqpProperties {
        content_type: Some("application/x".into()),
        content_encoding: Some("none".into()),
        headers: headers
            .iter()
            .map(|pair| pair.parse::<iotctl::amqp::value::Pair>().unwrap().into())
            .collect(),
        delivery_mode: Some(2),
        priority: Some(3),
        correlation_id: Some("c".into()),
        reply_to: Some("r".into()),
        expiration: Some("60000".into()),
        message_id: Some("m".into()),
        timestamp: Some(1_795_208_400),
        kind: Some("kind".into()),
        user_id: Some("guest".into()),
        app_id: Some("app".into()),
        cluster_id: None,
        not_text: Vec::new(),
    };
    publish(plan).unwrap();
    let record = &records(&name)[0];
    assert_eq!(record["payload_base64"], "AP8=");
    assert_eq!(record["topic"], *name);
    let expected = json!({"exchange": "", "redelivered": false, "delivery_tag": 1, "content_type": "application/x",
        "content_encoding": "none", "correlation_id": "c", "reply_to": "r", "expiration": "60000", "message_id": "m",
        "type": "kind", "user_id": "guest", "app_id": "app", "delivery_mode": 2, "priority": 3, "timestamp": 1_795_208_400,
        "headers": {"n": 1, "flag": true, "t": "text", "list": [1, {"a": null}]}});
    assert_eq!(record["amqp"], expected);
}

#[test]
fn a_missing_exchange_is_a_refusal_with_and_without_confirmations() {
    for confirms in [true, false] {
        let mut plan = Plan::new(shared(), "k", text("x"));
        plan.exchange = "no-such-exchange".into();
        plan.confirms = confirms;
        let error = publish(plan).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{error}");
        assert!(
            error.text().contains("no exchange 'no-such-exchange'"),
            "{error}"
        );
    }
}

#[test]
fn returned_messages_are_told_apart_from_routed_ones() {
    let name = unique("routed");
    for message_id in [None, Some("mine")] {
        let mut plan = Plan::new(shared(), &*name, text("x"));
        plan.keys.push("no-such-queue".into());
        plan.declare = vec![queue(&name, &[])];
        plan.mandatory = true;
        plan.pacing.repeat = 500;
        plan.properties.message_id = message_id.map(Into::into);
        let error = publish(plan).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert!(
            error.text().ends_with(
                "returned unroutable messages (312 NO_ROUTE): of 1000 messages sent, 500 acknowledged, 500 refused"
            ),
            "{error}"
        );
    }
    // Without being asked to, it is no failure, as everywhere in AMQP.
    publish(Plan::new(shared(), "no-such-queue", text("x"))).unwrap();
}

#[test]
fn one_unroutable_message_is_one_line() {
    let mut plan = Plan::new(shared(), "no-such-queue", text("x"));
    plan.mandatory = true;
    let error = publish(plan).unwrap_err();
    assert!(
        error
            .text()
            .ends_with("returned unroutable messages (312 NO_ROUTE)"),
        "{error}"
    );
    let mut plan = Plan::new(shared(), "no-such-queue", text("x"));
    plan.mandatory = true;
    plan.confirms = false;
    assert_eq!(publish(plan).unwrap_err().kind(), Kind::Usage);
}

/// A queue that takes two messages and refuses the rest.
fn small(name: &str) -> iotctl::amqp::topology::Declaration {
    let arguments = [
        ("x-max-length", AmqpValue::Int(2)),
        ("x-overflow", AmqpValue::Text("reject-publish".into())),
    ];
    queue(name, &arguments)
}

#[test]
fn nacks_are_reported() {
    let name = unique("small");
    let mut plan = Plan::new(shared(), &*name, text("x"));
    plan.declare = vec![small(&name)];
    plan.pacing.repeat = 11;
    let error = publish(plan).unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(
        error
            .text()
            .ends_with("of 11 messages sent, 2 acknowledged, 9 refused"),
        "{error}"
    );
}

#[test]
fn each_confirmation_belongs_to_its_message() {
    let (good, full) = (unique("good"), unique("full"));
    let target = Target::tcp(Protocol::Amqp, "127.0.0.1", rabbitmq().port);
    let options = Options {
        login: Login::of(&target, None).unwrap(),
        vhost: "/".into(),
        name: "test".into(),
        heartbeat: 60,
        frame_max: 131_072,
        patience: PATIENCE,
    };
    let nacked = block_on(async {
        let connecting = Connection::connect(&target, &options, |_| {}, true, 1000);
        let mut publisher = connecting.await.unwrap();
        publisher.declare(&queue(&good, &[])).await.unwrap();
        publisher.declare(&small(&full)).await.unwrap();
        let mut nacked = BTreeSet::new();
        let mut fates = Vec::new();
        for number in 0..4000u64 {
            while !publisher.has_room() {
                publisher.fates(&mut fates).await.unwrap();
            }
            let key = if number % 2 == 0 { &good } else { &full };
            let message = Outgoing {
                key: key.as_str().into(),
                payload: "x".into(),
                ..Outgoing::default()
            };
            publisher.publish(number, message).unwrap();
        }
        while publisher.unconfirmed() > 0 {
            publisher.fates(&mut fates).await.unwrap();
        }
        assert_eq!(fates.len(), 4000);
        for (number, fate) in fates {
            if fate == Outcome::Nacked {
                nacked.insert(number);
            }
        }
        publisher.close().await.unwrap();
        nacked
    });
    let expected: BTreeSet<u64> = (0..4000).filter(|number| number % 2 == 1).skip(2).collect();
    assert!(nacked == expected, "{} of {}", nacked.len(), expected.len());
}

#[test]
fn names_over_255_bytes_are_refused_before_anything_is_sent() {
    let long = "n".repeat(256);
    let error = publish(Plan::new(shared(), &*long, text("x"))).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(
        error.text().contains("the routing key has 256 bytes"),
        "{error}"
    );
    let mut plan = Plan::new(shared(), "k", text("x"));
    plan.properties.expiration = Some(long.as_str().into());
    assert_eq!(publish(plan).unwrap_err().kind(), Kind::Usage);
}

#[test]
fn a_rate_is_kept() {
    let mut plan = Plan::new(shared(), "nobody", text("x"));
    plan.pacing.repeat = 21;
    plan.pacing.rate = Some(flow::Rate {
        per_second: 100.0,
        burst: None,
    });
    let began = Instant::now();
    publish(plan).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(200));
}

#[test]
fn large_messages_arrive_whole() {
    let name = unique("large");
    let body: Vec<u8> = (0..3_000_000u32).flat_map(u32::to_le_bytes).collect();
    let mut plan = Plan::new(shared(), &*name, Source::Text(body.clone().into()));
    plan.declare = vec![queue(&name, &[])];
    publish(plan).unwrap();
    let mut plan = consume::Plan::new(shared(), &*name);
    plan.until.count = Some(1);
    plan.until.timeout = Some(PATIENCE);
    let format = iotctl::output::Format::Hex { topic: false };
    let (ended, text) = caught(format, |output| consume::run_to(plan, output));
    ended.unwrap();
    assert!(text.trim_end() == data_encoding(&body));
}

fn data_encoding(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn a_server_killed_meanwhile_loses_nothing_that_was_confirmed() {
    const COUNT: u64 = 20_000;
    let mut server = RabbitMq::start();
    let name = "durable";
    let mut plan = Plan::new(session(server.url()), name, text("x"));
    plan.declare = vec![queue(name, &[])];
    plan.properties.delivery_mode = Some(2);
    plan.pacing.repeat = COUNT;
    plan.pacing.rate = Some(flow::Rate {
        per_second: 10_000.0,
        burst: None,
    });
    plan.session.connect.retry = Some(Retry::For(PATIENCE));
    let publishing = std::thread::spawn(move || block_on(publish::run(plan)));
    wait_for("a part of the messages", || {
        (depth(&server, name)? >= COUNT / 10).then_some(())
    });
    server.write_down();
    server.kill();
    server.restart();
    publishing.join().unwrap().unwrap();
    // Messages that were not confirmed when the server died came again, so that there may be more.
    wait_for("all messages", || {
        (depth(&server, name)? >= COUNT).then_some(())
    });
}

/// How many messages are in a queue; `None` while there is no such queue.
pub(super) fn depth(server: &RabbitMq, queue: &str) -> Option<u64> {
    let words = format!("{} {queue} --passive", server.url());
    let state = iotctl("amqp declare queue").words(&words).run();
    let count = state.text().split(['\t', ' ']).nth(1)?;
    count.parse().ok()
}
