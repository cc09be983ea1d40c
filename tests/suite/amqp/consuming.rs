//! `amqp consume` and `amqp get` against RabbitMQ.

use std::time::{Duration, Instant};

use iotctl::amqp::topology::{Binding, Declaration, Deletion, Destination, Exchange, Queue};
use iotctl::command::amqp::consume::{self, Plan, Settle};
use iotctl::command::amqp::topology::Action;
use iotctl::command::amqp::{get, publish};
use iotctl::error::{Error, Kind};
use iotctl::flow::Exec;
use iotctl::message::AmqpValue;
use iotctl::output::{Format, Output, Style};

use super::topology::carry_out;
use super::words::{LINES, RECORDS, block_on, caught, filled, queue, shared, text, tool};
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::{PATIENCE, wait_for};

fn plan(queue: &str) -> Plan {
    let mut plan = Plan::new(shared(), queue);
    plan.until.timeout = Some(PATIENCE);
    plan
}

fn consume(plan: Plan) -> (Result<(), Error>, String) {
    caught(LINES, |output| consume::run_to(plan, output))
}

fn get(queue: &str, count: Option<u64>, settle: Settle) -> (Result<(), Error>, String) {
    let plan = get::Plan {
        stages: iotctl::flow::Stages::default(),
        destination: iotctl::output::Destination::default(),
        session: shared(),
        queue: queue.into(),
        declare: Vec::new(),
        count,
        settle,
        format: LINES,
        style: Style::default(),
    };
    caught(LINES, |output| get::run_to(plan, output))
}

/// What is left in a queue, in order.
fn left(queue: &str) -> String {
    let (ended, text) = get(queue, None, Settle::Ack);
    match ended {
        Ok(()) => text,
        Err(error) => {
            assert_eq!(error.kind(), Kind::Refused, "{error}");
            String::new()
        }
    }
}

#[test]
fn messages_are_shown_in_order_and_acknowledged() {
    let name = unique("order");
    filled(&name, &["a", "b", "c"]);
    let mut first = plan(&name);
    first.until.count = Some(2);
    let (ended, text) = consume(first);
    ended.unwrap();
    assert_eq!(text, "a\nb\n");
    assert_eq!(left(&name), "c\n");
}

#[test]
fn every_way_to_settle() {
    for (settle, remains) in [
        (Settle::Ack, ""),
        (Settle::Auto, ""),
        (Settle::Nack, ""),
        (Settle::Reject, ""),
        (Settle::Requeue, "a\nb\n"),
        (Settle::Peek, "a\nb\n"),
    ] {
        let name = unique("settle");
        filled(&name, &["a", "b"]);
        let mut all = plan(&name);
        all.until.count = Some(2);
        all.settle = settle;
        let (ended, text) = consume(all);
        ended.unwrap();
        assert_eq!(text, "a\nb\n", "{settle:?}");
        assert_eq!(left(&name), remains, "{settle:?}");
        filled(&name, &["a", "b"]);
        let (ended, text) = get(&name, Some(5), settle);
        ended.unwrap();
        assert_eq!(text, "a\nb\n", "{settle:?}");
        assert_eq!(left(&name), remains, "{settle:?}");
    }
}

#[test]
fn an_empty_queue_is_exit_1_for_get() {
    let name = unique("empty");
    filled(&name, &["a"]);
    assert_eq!(left(&name), "a\n");
    let (ended, text) = get(&name, Some(1), Settle::Ack);
    let error = ended.unwrap_err();
    assert_eq!((error.exit_code(), text.as_str()), (1, ""));
    assert!(error.text().contains("is empty"), "{error}");
    let (ended, _) = get("no-such-queue", Some(1), Settle::Ack);
    let error = ended.unwrap_err();
    assert_eq!(error.exit_code(), 1);
    assert!(error.text().contains("no queue 'no-such-queue'"), "{error}");
}

#[test]
fn idle_and_duration_are_good_ends_and_a_timeout_is_not() {
    let name = unique("waiting");
    filled(&name, &["a"]);
    let mut idle = plan(&name);
    idle.until.idle = Some(Duration::from_millis(300));
    let (ended, text) = consume(idle);
    ended.unwrap();
    assert_eq!(text, "a\n");
    let mut short = plan(&name);
    short.until.duration = Some(Duration::from_millis(300));
    consume(short).0.unwrap();
    let mut late = plan(&name);
    late.until.timeout = Some(Duration::from_millis(300));
    late.until.count = Some(1);
    let error = consume(late).0.unwrap_err();
    assert_eq!(error.exit_code(), 5);
    assert_eq!(error.text(), "timed out: received 0 of 1 messages");
}

#[test]
fn a_missing_queue_is_a_refusal() {
    let error = consume(plan("no-such-queue")).0.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.text().contains("no queue 'no-such-queue'"), "{error}");
}

#[test]
fn a_queue_that_goes_is_told() {
    let name = unique("going");
    filled(&name, &["a"]);
    let going = name.clone();
    let deleting = std::thread::spawn(move || {
        // Once the consumer is there the message is gone from the queue.
        wait_for("the consumer", || {
            let state = carry_out(vec![Action::Declare(Declaration::QueueIsThere(
                going.as_str().into(),
            ))]);
            state.unwrap().contains("1 consumer").then_some(())
        });
        let deletion = Deletion::Queue {
            name: going.as_str().into(),
            if_unused: false,
            if_empty: false,
        };
        carry_out(vec![Action::Delete(deletion)]).unwrap();
    });
    let (ended, text) = consume(plan(&name));
    deleting.join().unwrap();
    assert_eq!(text, "a\n");
    let error = ended.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.text().contains("cancelled the consumer"), "{error}");
}

#[test]
fn somebody_elses_exclusive_consumer_is_respected() {
    let name = unique("exclusive");
    filled(&name, &[]);
    carry_out(vec![Action::Declare(queue(&name, &[]))]).unwrap();
    let mut first = plan(&name);
    first.exclusive = true;
    first.until.count = Some(1);
    let first = std::thread::spawn(move || consume(first));
    wait_for("the first consumer", || {
        let check = Declaration::QueueIsThere(name.as_str().into());
        let state = carry_out(vec![Action::Declare(check)]).unwrap();
        state.contains("1 consumer").then_some(())
    });
    let error = consume(plan(&name)).0.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused, "{error}");
    assert!(error.text().contains("in exclusive use"), "{error}");
    filled(&name, &["end"]);
    first.join().unwrap().0.unwrap();
}

#[test]
fn a_temporary_queue_hears_a_topic_exchange() {
    let exchange = unique("logs");
    let topic = Declaration::Exchange(Exchange::new(exchange.as_str(), "topic"));
    carry_out(vec![Action::Declare(topic.clone())]).unwrap();
    let mut errors = plan("");
    errors.until.count = Some(2);
    errors.declare = vec![
        topic,
        Declaration::Queue(Queue::temporary()),
        Declaration::Binding(Binding {
            source: exchange.as_str().into(),
            destination: Destination::Queue("".into()),
            key: "*.error".into(),
            arguments: Vec::new(),
        }),
    ];
    let consuming = std::thread::spawn(move || {
        let format = Format::Text {
            topic: true,
            newline: true,
        };
        caught(format, |output| consume::run_to(errors, output))
    });
    // Messages before the binding are lost, as they should be; so ask until the queue is there.
    for key in ["kern.error", "auth.error"] {
        wait_for("the binding", || {
            let mut message = publish::Plan::new(shared(), key, text("x"));
            message.exchange = exchange.as_str().into();
            message.mandatory = true;
            block_on(publish::run(message)).ok()
        });
        let mut message = publish::Plan::new(shared(), "kern.info", text("x"));
        message.exchange = exchange.as_str().into();
        block_on(publish::run(message)).unwrap();
    }
    let (ended, text) = consuming.join().unwrap();
    ended.unwrap();
    assert_eq!(text, "kern.error x\nauth.error x\n");
}

#[test]
fn dead_letters_say_why() {
    let (work, dead) = (unique("work"), unique("dead"));
    let arguments = [
        ("x-dead-letter-exchange", AmqpValue::Text("".into())),
        (
            "x-dead-letter-routing-key",
            AmqpValue::Text(dead.as_str().into()),
        ),
    ];
    carry_out(vec![
        Action::Declare(queue(&dead, &[])),
        Action::Declare(queue(&work, &arguments)),
    ])
    .unwrap();
    let message = publish::Plan::new(shared(), &*work, text("bad"));
    block_on(publish::run(message)).unwrap();
    let mut refusing = plan(&work);
    refusing.until.count = Some(1);
    refusing.settle = Settle::Reject;
    consume(refusing).0.unwrap();
    let mut reading = plan(&dead);
    reading.until.count = Some(1);
    let (ended, text) = caught(RECORDS, |output| consume::run_to(reading, output));
    ended.unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    let death = &record["amqp"]["headers"]["x-death"][0];
    assert_eq!(death["reason"], "rejected");
    assert_eq!(death["queue"], *work);
}

#[test]
fn a_stream_is_read_from_its_beginning_and_again() {
    let name = unique("stream");
    let arguments = [("x-queue-type", AmqpValue::Text("stream".into()))];
    for body in ["a", "b"] {
        let mut message = publish::Plan::new(shared(), &*name, text(body));
        message.declare = vec![queue(&name, &arguments)];
        block_on(publish::run(message)).unwrap();
    }
    for (offset, expected) in [("first", "a\nb\n"), ("1", "b\n")] {
        let mut reading = plan(&name);
        reading.offset = Some(offset.parse().unwrap());
        reading.until.count = Some(expected.len() as u64 / 2);
        let (ended, text) = consume(reading);
        ended.unwrap();
        assert_eq!(text, expected);
    }
}

fn exec(words: &[&str], workers: usize, requeue: bool) -> Option<Exec> {
    Some(Exec {
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        workers: workers.try_into().unwrap(),
        json: false,
        requeue,
        suspicious: None,
    })
}

#[test]
fn the_exit_status_of_a_command_acknowledges() {
    let name = unique("exec");
    filled(&name, &["good", "bad", "good"]);
    let mut working = plan(&name);
    working.until.count = Some(3);
    working.exec = exec(&["grep", "-q", "good"], 2, false);
    let error = consume(working).0.unwrap_err();
    assert_eq!(error.text(), "the command failed for 1 of 3 messages");
    assert_eq!(left(&name), "");
    // What is to come again may come at once, so it is asked for once.
    filled(&name, &["bad"]);
    let mut working = plan(&name);
    working.until.count = Some(1);
    working.exec = exec(&["grep", "-q", "good"], 2, true);
    let error = consume(working).0.unwrap_err();
    assert_eq!(error.text(), "the command failed for 1 of 1 message");
    assert_eq!(left(&name), "bad\n");
}

#[test]
fn a_command_that_does_not_read_its_input_is_fine() {
    let name = unique("unread");
    let body = "x".repeat(1_000_000);
    filled(&name, &[&body, &body]);
    let mut working = plan(&name);
    working.until.count = Some(2);
    working.exec = exec(&["true"], 1, false);
    consume(working).0.unwrap();
    assert_eq!(left(&name), "");
    filled(&name, &["x"]);
    let mut working = plan(&name);
    working.exec = exec(&["no-such-program"], 1, false);
    let error = consume(working).0.unwrap_err();
    assert_eq!(error.kind(), Kind::Local);
    assert_eq!(left(&name), "x\n");
}

#[test]
fn a_reader_that_stalls_stops_the_server_and_keeps_its_deadline() {
    const COUNT: usize = 3000;
    let name = unique("stalled");
    let mut message = publish::Plan::new(shared(), &*name, text(&"x".repeat(1000)));
    message.declare = vec![queue(&name, &[])];
    message.pacing.repeat = COUNT as u64;
    block_on(publish::run(message)).unwrap();
    for settle in [Settle::Ack, Settle::Auto] {
        let (reader, writer) = std::io::pipe().unwrap();
        let output = Output::over(writer.into(), LINES, Style::default());
        let mut slow = plan(&name);
        slow.settle = settle;
        slow.until.timeout = Some(Duration::from_secs(1));
        let began = Instant::now();
        let error = block_on(consume::run_to(slow, output)).unwrap_err();
        assert_eq!(error.kind(), Kind::TimedOut, "{error}");
        assert!(began.elapsed() < Duration::from_secs(5));
        drop(reader);
    }
    // At most what the pipe and one batch took is gone.
    let rest = left(&name).lines().count();
    assert!(rest > COUNT - 1500 && rest <= COUNT, "{rest} are left");
}

#[test]
fn a_reader_that_goes_ends_it_quietly() {
    let name = unique("head");
    filled(&name, &["a", "b"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Output::over(writer.into(), LINES, Style::default());
    let error = block_on(consume::run_to(plan(&name), output)).unwrap_err();
    assert_eq!(error.kind(), Kind::ReaderGone);
    assert_eq!(left(&name), "a\nb\n");
}

#[test]
fn messages_of_amqp_publish_come_too() {
    let name = unique("tools");
    carry_out(vec![Action::Declare(queue(&name, &[]))]).unwrap();
    let words = ["amqp-publish", "-r", &name, "-b", "hi"];
    assert_eq!(tool(rabbitmq().port, &words).0, 0);
    let mut one = plan(&name);
    one.until.count = Some(1);
    let (ended, text) = consume(one);
    ended.unwrap();
    assert_eq!(text, "hi\n");
}
