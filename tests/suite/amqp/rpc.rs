//! `amqp request` and `amqp respond` against RabbitMQ.

use std::thread::JoinHandle;
use std::time::Duration;

use iotctl::command::amqp::publish;
use iotctl::command::amqp::request::{self, Plan};
use iotctl::command::amqp::respond;
use iotctl::command::amqp::topology::Action;
use iotctl::error::{Error, Kind};
use iotctl::flow::{Answer, Exec};
use iotctl::message::AmqpProperties;
use iotctl::output::Style;

use super::topology::carry_out;
use super::words::{LINES, block_on, caught, filled, queue, shared, text};
use crate::support::rabbitmq::unique;

fn responder(name: &str, answer: Answer, count: u64) -> JoinHandle<Result<(), Error>> {
    carry_out(vec![Action::Declare(queue(name, &[]))]).unwrap();
    let plan = respond::Plan {
        session: shared(),
        queue: name.into(),
        declare: Vec::new(),
        answer,
        properties: AmqpProperties::default(),
        count: Some(count),
        duration: None,
        drain: Duration::from_secs(3),
        ready: iotctl::flow::Ready::default(),
        style: Style::default(),
    };
    std::thread::spawn(move || block_on(respond::run(plan)))
}

fn request(plan: Plan) -> (Result<(), Error>, String) {
    caught(LINES, |output| request::run_to(plan, output))
}

#[test]
fn an_answer_comes_directly() {
    let name = unique("rpc");
    let serving = responder(&name, Answer::Echo, 2);
    for body in ["one", "two"] {
        let (ended, answer) = request(Plan::new(shared(), &*name, text(body)));
        ended.unwrap();
        assert_eq!(answer, format!("{body}\n"));
    }
    serving.join().unwrap().unwrap();
}

#[test]
fn an_answer_comes_by_a_named_queue_among_others() {
    let (name, answers) = (unique("rpc"), unique("answers"));
    carry_out(vec![Action::Declare(queue(&answers, &[]))]).unwrap();
    // Somebody else's answer, which must stay where it is.
    let mut other = publish::Plan::new(shared(), &*answers, text("not yours"));
    other.properties.correlation_id = Some("other".into());
    block_on(publish::run(other)).unwrap();
    let serving = responder(&name, Answer::Text("42".into()), 1);
    let mut plan = Plan::new(shared(), &*name, text("what?"));
    plan.reply_to = Some(answers.as_str().into());
    let (ended, answer) = request(plan);
    ended.unwrap();
    assert_eq!(answer, "42\n");
    serving.join().unwrap().unwrap();
    let state = carry_out(vec![Action::Purge(answers.as_str().into())]).unwrap();
    assert_eq!(state, format!("{answers}\t1 message removed\n"));
}

#[test]
fn a_command_answers_and_its_failure_does_not() {
    let name = unique("rpc");
    let exec = Exec {
        command: ["sh", "-c", "tr a-z A-Z | grep -v FAIL"]
            .map(String::from)
            .to_vec(),
        workers: 2.try_into().unwrap(),
        json: false,
        requeue: false,
        suspicious: None,
    };
    let serving = responder(&name, Answer::Exec(exec), 2);
    let (ended, answer) = request(Plan::new(shared(), &*name, text("loud")));
    ended.unwrap();
    assert_eq!(answer, "LOUD\n\n");
    let mut failing = Plan::new(shared(), &*name, text("fail"));
    failing.replies.until.timeout = Some(Duration::from_secs(2));
    let error = request(failing).0.unwrap_err();
    assert_eq!(error.kind(), Kind::TimedOut);
    assert!(error.text().contains("no reply to the request"), "{error}");
    let error = serving.join().unwrap().unwrap_err();
    assert_eq!(error.text(), "1 of 2 messages got no reply");
}

#[test]
fn nobody_there_is_told_at_once() {
    let error = request(Plan::new(shared(), "no-such-queue", text("x")))
        .0
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(
        error.text().contains("no responder for \"no-such-queue\""),
        "{error}"
    );
}

#[test]
fn a_request_without_a_way_back_is_not_held() {
    let name = unique("oneway");
    filled(&name, &["x"]);
    responder(&name, Answer::Echo, 1).join().unwrap().unwrap();
    let state = carry_out(vec![Action::Purge(name.as_str().into())]).unwrap();
    assert_eq!(state, format!("{name}\t0 messages removed\n"));
}
