//! How these tests run a command: as a plan, with its output caught.

use std::future::Future;
use std::io::Read;
use std::process::{Command, Stdio};

use iotctl::amqp::topology::{Declaration, Queue};
use iotctl::command::amqp::publish;
use iotctl::command::amqp::session::SessionArgs;
use iotctl::connect::ConnectArgs;
use iotctl::error::Result;
use iotctl::message::AmqpValue;
use iotctl::output::{Format, Output, Style};
use iotctl::payload::Source;

use crate::support::rabbitmq::rabbitmq;

/// Runs a future on a runtime as the commands do.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

/// A connection to this URL.
pub(super) fn session(url: impl Into<String>) -> SessionArgs {
    SessionArgs {
        connect: ConnectArgs {
            url: Some(url.into()),
            ..ConnectArgs::default()
        },
        ..SessionArgs::default()
    }
}

/// A connection to the shared RabbitMQ.
pub(super) fn shared() -> SessionArgs {
    session(rabbitmq().url())
}

/// Runs a command with its output caught.
pub(super) fn caught<F: Future<Output = Result<()>>>(
    format: Format,
    run: impl FnOnce(Output) -> F,
) -> (Result<()>, String) {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    });
    let output = Output::over(writer.into(), format, Style::default());
    let ended = block_on(run(output));
    (ended, reading.join().unwrap())
}

/// Payloads, one a line.
pub(super) const LINES: Format = Format::Text {
    topic: false,
    newline: true,
};

/// Records, one a line.
pub(super) const RECORDS: Format = Format::Json {
    pretty: false,
    embed: false,
    local: false,
};

/// The body of `-m`.
pub(super) fn text(body: &str) -> Source {
    Source::Text(body.to_owned().into())
}

/// A queue with arguments, for a plan.
pub(super) fn queue(name: &str, arguments: &[(&str, AmqpValue)]) -> Declaration {
    let pairs = arguments.iter();
    Declaration::Queue(Queue {
        arguments: pairs
            .map(|(name, value)| ((*name).into(), value.clone()))
            .collect(),
        ..Queue::new(name)
    })
}

/// Declares a queue on the shared server and puts bodies into it.
pub(super) fn filled(name: &str, bodies: &[&str]) {
    for body in bodies {
        let mut plan = publish::Plan::new(shared(), name, text(body));
        plan.declare = vec![queue(name, &[])];
        block_on(publish::run(plan)).unwrap();
    }
}

/// Runs one of the amqp-tools to its end; its exit code and its output come back.
pub(super) fn tool(port: u16, words: &[&str]) -> (i32, String) {
    let (program, words) = words.split_first().unwrap();
    let done = Command::new(program)
        .args(["-u", &format!("amqp://guest:guest@127.0.0.1:{port}/%2f")])
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    (done.status.code().unwrap_or(-1), text)
}
