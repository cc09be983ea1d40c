//! A command for each notification, one after the other.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use tokio::process::Command;

use super::amqp_exec::{bare, feed};
use crate::error::{Error, Kind, Result, plain};
use crate::message::{Detail, Message};

/// Notifications that wait for their command at most; the oldest is left out then.
const WAITING: usize = 1000;

/// A command that gets each notification: the body on its standard input, the rest in its environment.
///
/// `IOTCTL_TOPIC` is the path, `IOTCTL_URI`, `IOTCTL_CODE`, and where there are any `IOTCTL_OBSERVE` (the sequence number)
/// and `IOTCTL_CONTENT_TYPE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec {
    /// The program and its words (`--exec PROGRAM [WORD]…`); at least one.
    pub command: Vec<String>,
}

impl Exec {
    fn command(&self, message: &Message) -> Result<Command> {
        let mut command = bare(&self.command)?;
        command.env("IOTCTL_TOPIC", &*message.topic);
        if let Detail::Coap(coap) = &message.detail {
            command
                .env("IOTCTL_URI", &*coap.uri)
                .env("IOTCTL_CODE", &*coap.code);
            let observe = coap.observe.map(|it| it.to_string());
            match observe {
                Some(number) => command.env("IOTCTL_OBSERVE", number),
                None => command.env_remove("IOTCTL_OBSERVE"),
            };
            match coap.media_type {
                Some(name) => command.env("IOTCTL_CONTENT_TYPE", name),
                None => command.env_remove("IOTCTL_CONTENT_TYPE"),
            };
        }
        Ok(command)
    }

    fn start(&self, message: &Message) -> Result<BoxFuture<'static, bool>> {
        let child = self.command(message)?.spawn().map_err(|cause| {
            let program = self.command.first().map(String::as_str).unwrap_or_default();
            let text = format!("cannot run {program}: {}", plain(&cause));
            Error::new(Kind::Local, text)
        })?;
        let body: Bytes = message.payload.clone();
        let ended = feed(child, body).map(|status| status.is_some_and(|it| it.success()));
        Ok(ended.boxed())
    }
}

/// The commands of one observation: one runs, others wait.
pub(super) struct Runs {
    exec: Exec,
    running: Option<BoxFuture<'static, bool>>,
    waiting: VecDeque<Message>,
    started: u64,
    failed: u64,
    left_out: u64,
}

impl Runs {
    pub(super) const fn new(exec: Exec) -> Self {
        Self {
            exec,
            running: None,
            waiting: VecDeque::new(),
            started: 0,
            failed: 0,
            left_out: 0,
        }
    }

    /// Runs the command for a message as soon as those before it have ended.
    pub(super) fn add(&mut self, message: Message) -> Result<()> {
        if self.waiting.len() >= WAITING {
            self.waiting.pop_front();
            self.left_out += 1;
        }
        self.waiting.push_back(message);
        self.begin()
    }

    fn begin(&mut self) -> Result<()> {
        if self.running.is_none()
            && let Some(message) = self.waiting.pop_front()
        {
            self.running = Some(self.exec.start(&message)?);
            self.started += 1;
        }
        Ok(())
    }

    /// Waits for the end of the command that runs, and starts the next; for ever when none runs. Cancel-safe.
    pub(super) async fn step(&mut self) -> Result<()> {
        let Some(running) = &mut self.running else {
            return std::future::pending().await;
        };
        let good = running.await;
        self.failed += u64::from(!good);
        self.running = None;
        self.begin()
    }

    /// Runs what waits to its end, and tells how all went.
    pub(super) async fn finish(&mut self) -> Result<()> {
        while self.running.is_some() {
            self.step().await?;
        }
        let started = self.started;
        let text = match (self.failed, self.left_out) {
            (0, 0) => return Ok(()),
            (0, left_out) => {
                format!("{left_out} notifications came faster than --exec ran and were left out")
            }
            (failed, _) => format!("{failed} of {started} commands of --exec failed"),
        };
        Err(Error::new(Kind::Local, text))
    }
}
