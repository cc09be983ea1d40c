//! `amqp tap`: its flags, and the plan they make.

use std::ffi::OsString;

use bytestring::ByteString;
use clap::Args;

use crate::amqp::firehose;
use crate::command::amqp::consume::{Plan, Settle};
use crate::error::{Error, Result};
use crate::message::fields;

use super::consume::{declarations, until};
use super::session::{self, AmqpSessionFlags};
use super::syntax::{self, short};
use crate::cli::flags::condition::ConditionFlags;
use crate::cli::flags::connect::RETRY_FOREVER;
use crate::cli::flags::decode::DecodeFlags;
use crate::cli::flags::destination::DestinationFlags;
use crate::cli::flags::exec::ExecFlags;
use crate::cli::flags::format::FormatFlags;
use crate::cli::flags::select::{SelectFlags, SummaryFlags};
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::flags::until::UntilFlags;

/// Prefetch count of the copies.
const PREFETCH: u16 = 1000;

#[derive(Args, Debug)]
#[command(next_help_heading = "Tapping", mut_arg("retry", |it| it.help(RETRY_FOREVER)))]
pub(crate) struct TapFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Exchange to tap: its messages are copied to a temporary queue
    #[arg(value_name = "EXCHANGE", help_heading = None)]
    exchange: Option<OsString>,

    /// Binding key of the messages to copy, such as *.error; may be repeated [default: #, which matches everything on a topic or fanout exchange]
    #[arg(short = 'k', long, value_name = "KEY")]
    routing_key: Vec<OsString>,

    /// Tap all exchanges and queues, by RabbitMQ's firehose (enable it with `rabbitmqctl trace_on`); KEY is then publish.EXCHANGE or deliver.QUEUE
    #[arg(long)]
    firehose: bool,

    #[command(flatten)]
    exec: ExecFlags,

    #[command(flatten)]
    conditions: ConditionFlags,

    #[command(flatten)]
    select: SelectFlags,

    #[command(flatten)]
    until: UntilFlags,

    #[command(flatten)]
    decode: DecodeFlags,

    #[command(flatten)]
    format: FormatFlags,

    #[command(flatten)]
    summary: SummaryFlags,

    #[command(flatten)]
    destination: DestinationFlags,

    #[command(flatten)]
    session: AmqpSessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl TapFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let (url, exchange) = syntax::sorted(self.url, self.exchange)?;
        let exchange = source(exchange, self.firehose)?;
        let keys = self.routing_key.into_iter().map(|key| short("-k", key));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let queue = ByteString::new();
        let style = self.terminal.style();
        let stages = self.conditions.stages(&fields::AMQP, style)?;
        let stages = self.select.stages(&fields::AMQP, style, stages)?;
        let exec = self.exec.exec::<Self>(false)?;
        let destination = self
            .destination
            .destination(&fields::AMQP, exec.is_some())?;
        Ok(Plan {
            address: None,
            declare: declarations(&queue, false, Some(exchange), keys),
            prefetch: PREFETCH,
            settle: Settle::Ack,
            stages: self.decode.stages(&self.format.output, style, stages)?,
            firehose: self.firehose,
            exec,
            until: until(&self.until, &self.conditions)?,
            summary: self
                .summary
                .summary(self.format.output.is_json(), self.format.output.is_text())?,
            destination,
            format: self.format.format(&fields::AMQP)?,
            style,
            ..Plan::new(self.session.words(url)?, queue)
        })
    }
}

fn source(exchange: Option<OsString>, firehose: bool) -> Result<ByteString> {
    match exchange {
        Some(_) if firehose => Err(Error::usage(
            "--firehose taps all exchanges and takes no exchange name",
        )),
        None if firehose => Ok(firehose::EXCHANGE.into()),
        Some(name) if name.is_empty() => Err(Error::usage(
            "the default exchange cannot be tapped, because nothing can be bound to it",
        )
        .hint("--firehose includes its messages")),
        name => syntax::name("exchange", name),
    }
}
