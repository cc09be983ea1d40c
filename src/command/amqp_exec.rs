//! A command for each message, in a bounded number of processes.

use std::num::NonZeroUsize;
use std::process::{ExitStatus, Stdio};

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use crate::amqp::consumer::Delivery;
use crate::connect::environment::SECRET_VARIABLES;
use crate::error::{Error, Kind, Result, plain};

/// A command that gets each message: the body on its standard input, the rest in its environment.
///
/// `IOTCTL_TOPIC` is the routing key, `IOTCTL_EXCHANGE`, `IOTCTL_REDELIVERED`, and where there are any `IOTCTL_MESSAGE_ID`,
/// `IOTCTL_CORRELATION_ID`, `IOTCTL_CONTENT_TYPE`, `IOTCTL_REPLY_TO`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec {
    /// The program and its words (`--exec PROGRAM [WORD]…`); at least one.
    pub command: Vec<String>,
    /// How many may run at once (`--workers`, default 1).
    pub workers: NonZeroUsize,
    /// A message whose command failed goes back to the queue (`--requeue`); otherwise it is dropped or dead-lettered.
    pub requeue: bool,
}

impl Exec {
    /// The command for this message, not yet started.
    fn command(&self, delivery: &Delivery) -> Result<Command> {
        let detail = delivery.detail();
        let properties = &detail.properties;
        let mut command = bare(&self.command)?;
        command
            .env("IOTCTL_TOPIC", &*delivery.message.topic)
            .env("IOTCTL_EXCHANGE", &*detail.exchange)
            .env("IOTCTL_REDELIVERED", detail.redelivered.to_string());
        let named = [
            ("IOTCTL_MESSAGE_ID", &properties.message_id),
            ("IOTCTL_CORRELATION_ID", &properties.correlation_id),
            ("IOTCTL_CONTENT_TYPE", &properties.content_type),
            ("IOTCTL_REPLY_TO", &properties.reply_to),
        ];
        for (name, value) in named {
            match value {
                Some(value) => command.env(name, &**value),
                // That of another message, in a command of a command.
                None => command.env_remove(name),
            };
        }
        Ok(command)
    }

    fn start(&self, mut command: Command) -> Result<Child> {
        command.spawn().map_err(|cause| {
            let program = self.command.first().map(String::as_str).unwrap_or_default();
            Error::new(
                Kind::Local,
                format!("cannot run {program}: {}", plain(&cause)),
            )
        })
    }

    /// Runs the command for this message to its end; what it wrote on standard output comes back.
    ///
    /// # Errors
    /// [`Kind::Local`] when it cannot be started.
    pub(super) async fn answer(&self, delivery: &Delivery) -> Result<(bool, Vec<u8>)> {
        let mut command = self.command(delivery)?;
        command.stdout(Stdio::piped());
        let mut child = self.start(command)?;
        let mut answer = Vec::new();
        let stdout = child.stdout.take();
        let reading = async {
            match stdout {
                Some(mut stdout) => stdout.read_to_end(&mut answer).await.is_ok(),
                None => false,
            }
        };
        let feeding = feed(child, delivery.message.payload.clone());
        let (read, status) = tokio::join!(reading, feeding);
        Ok((
            read && status.is_some_and(|status| status.success()),
            answer,
        ))
    }
}

/// The program and its words, to be fed on standard input, without what the environment says of our own secrets.
pub(super) fn bare(words: &[String]) -> Result<Command> {
    let (program, words) = words
        .split_first()
        .ok_or_else(|| Error::usage("--exec needs a command"))?;
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::piped()).kill_on_drop(true);
    for name in SECRET_VARIABLES {
        command.env_remove(name);
    }
    Ok(command)
}

/// Writes the body and waits for the end. A command need not read its input.
pub(super) async fn feed(mut child: Child, body: bytes::Bytes) -> Option<ExitStatus> {
    if let Some(mut stdin) = child.stdin.take() {
        let writing = async {
            let _ = stdin.write_all(&body).await;
            drop(stdin);
        };
        tokio::select! {
            biased;
            // A background process of the command may hold the pipe open for ever.
            status = child.wait() => return status.ok(),
            () = writing => {}
        }
    }
    child.wait().await.ok()
}

/// The commands that run, by the delivery tag of their message.
pub(super) struct Pool {
    workers: NonZeroUsize,
    running: FuturesUnordered<BoxFuture<'static, (u64, bool)>>,
}

impl Pool {
    pub(super) fn new(workers: NonZeroUsize) -> Self {
        Self {
            workers,
            running: FuturesUnordered::new(),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.running.len() < self.workers.get()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// Starts the command for a message.
    pub(super) fn start(&mut self, exec: &Exec, delivery: Delivery) -> Result<()> {
        let child = exec.start(exec.command(&delivery)?)?;
        let (tag, body) = (delivery.tag, delivery.message.payload);
        let ended = feed(child, body)
            .map(move |status| (tag, status.is_some_and(|status| status.success())));
        self.running.push(ended.boxed());
        Ok(())
    }

    /// The next command that ends, and whether it succeeded; waits for ever when none runs. Cancel-safe.
    pub(super) async fn next(&mut self) -> (u64, bool) {
        match self.running.next().await {
            Some(ended) => ended,
            None => std::future::pending().await,
        }
    }

    /// Ends what runs; nobody waits for it any more.
    pub(super) fn forget(&mut self) {
        self.running.clear();
    }
}
