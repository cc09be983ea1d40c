//! `amqp get`: its flags, and the plan they make.

use std::ffi::OsString;

use clap::Args;

use crate::amqp::topology::{Declaration, Queue};
use crate::command::amqp::get::Plan;
use crate::error::Result;
use crate::flow::Stages;
use crate::message::fields;
use crate::payload::map::Map;

use super::consume::AckMode;
use super::session::{self, AmqpSessionFlags};
use super::syntax;
use crate::cli::flags::decode::DecodeFlags;
use crate::cli::flags::destination::DestinationFlags;
use crate::cli::flags::format::FormatFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::syntax::numbers::Count;
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Getting")]
pub(crate) struct GetFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Queue to get messages from
    #[arg(value_name = "QUEUE", help_heading = None)]
    queue: Option<OsString>,

    /// First declare the queue, durable and without arguments
    #[arg(long)]
    declare: bool,

    /// Get at most this many messages [default: 1]
    #[arg(short = 'C', long, value_name = "COUNT")]
    count: Option<Count>,

    /// Get messages until the queue is empty
    #[arg(long, conflicts_with = "count")]
    all: bool,

    /// How a message is settled after it was shown: ack; auto, by the server on delivery; nack and reject, which drop or dead-letter it; requeue and peek, which requeue it at the end
    #[arg(long, value_name = "MODE", default_value = "ack")]
    ack: AckMode,

    /// Show what this makes of each message: 'jq: EXPRESSION' of its payload as JSON; a string is shown as its text, anything else as JSON; no output shows nothing, several are several messages
    #[arg(long, value_name = "MAP")]
    map: Option<Map>,

    #[command(flatten)]
    decode: DecodeFlags,

    #[command(flatten)]
    format: FormatFlags,

    #[command(flatten)]
    destination: DestinationFlags,

    #[command(flatten)]
    session: AmqpSessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl GetFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let (url, queue) = syntax::sorted(self.url, self.queue)?;
        let queue = syntax::name("queue", queue)?;
        let declared = || Declaration::Queue(Queue::new(queue.clone()));
        let count = values::messages(self.count)?;
        let style = self.terminal.style();
        let decode = &self.decode;
        let mapping = Stages {
            map: self.map,
            ..Stages::default()
        };
        Ok(Plan {
            session: self.session.words(url)?,
            declare: self.declare.then(declared).into_iter().collect(),
            queue,
            count: (!self.all).then(|| count.unwrap_or(1)),
            settle: self.ack.settle(),
            stages: decode.stages(&self.format.output, style, mapping)?,
            destination: self.destination.destination(&fields::AMQP, false)?,
            format: self.format.format(&fields::AMQP)?,
            style,
        })
    }
}
