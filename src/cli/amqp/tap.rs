//! `amqp tap`: its flags, and the plan they make.

use std::ffi::OsString;

use bytestring::ByteString;
use clap::Args;

use crate::amqp::firehose;
use crate::command::amqp::consume::{Plan, Settle};
use crate::error::{Error, Result};

use super::consume::{declarations, until};
use super::exec::ExecFlags;
use super::session::{self, AmqpSessionFlags};
use super::syntax::{self, short};
use crate::cli::flags::condition::ConditionFlags;
use crate::cli::flags::format::FormatFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::flags::until::UntilFlags;

/// Copies that the server may send ahead.
const PREFETCH: u16 = 1000;

#[derive(Args, Debug)]
#[command(next_help_heading = "Tapping")]
pub(crate) struct TapFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Exchange to tap: its messages are copied to a queue of our own
    #[arg(value_name = "EXCHANGE", help_heading = None)]
    exchange: Option<OsString>,

    /// Key of the messages to copy, such as *.error; may be repeated [default: #, which is everything of a topic or fanout exchange]
    #[arg(short = 'k', long, value_name = "KEY")]
    routing_key: Vec<OsString>,

    /// Tap all exchanges and queues, by RabbitMQ's firehose (turned on by `rabbitmqctl trace_on`); then KEY is publish.EXCHANGE or deliver.QUEUE
    #[arg(long)]
    firehose: bool,

    /// Undo gzip and deflate where the content encoding names them; a message that is not what it says is shown as it came
    #[arg(long)]
    decompress: bool,

    #[command(flatten)]
    exec: ExecFlags,

    #[command(flatten)]
    conditions: ConditionFlags,

    #[command(flatten)]
    until: UntilFlags,

    #[command(flatten)]
    format: FormatFlags,

    #[command(flatten)]
    session: AmqpSessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl TapFlags {
    /// What was asked for, checked as far as that can be done without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let (url, exchange) = syntax::sorted(self.url, self.exchange)?;
        let exchange = source(exchange, self.firehose)?;
        let keys = self.routing_key.into_iter().map(|key| short("-k", key));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let queue = ByteString::new();
        Ok(Plan {
            address: None,
            declare: declarations(&queue, false, Some(exchange), keys),
            prefetch: PREFETCH,
            settle: Settle::Ack,
            decompress: self.decompress,
            firehose: self.firehose,
            exec: self.exec.exec()?,
            until: until(&self.until, &self.conditions)?,
            stages: self.conditions.stages(),
            format: self.format.format()?,
            style: self.terminal.style(),
            ..Plan::new(self.session.words(url)?, queue)
        })
    }
}

fn source(exchange: Option<OsString>, firehose: bool) -> Result<ByteString> {
    match exchange {
        Some(_) if firehose => Err(Error::usage(
            "--firehose taps all exchanges; leave the name of one out",
        )),
        None if firehose => Ok(firehose::EXCHANGE.into()),
        Some(name) if name.is_empty() => Err(Error::usage(
            "the default exchange cannot be tapped, as nothing can be bound to it",
        )
        .hint("--firehose shows its messages too")),
        name => syntax::name("exchange", name),
    }
}
