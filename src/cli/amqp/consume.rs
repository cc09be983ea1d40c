//! `amqp consume`: its flags, and the plan they make.

use std::ffi::OsString;

use bytestring::ByteString;
use clap::{Args, ValueEnum};

use crate::amqp::consumer::Offset;
use crate::amqp::topology::{Arguments, Binding, Declaration, Destination, Queue};
use crate::command::amqp::consume::{PREFETCH, Plan, Settle};
use crate::error::Result;
use crate::flow::Until;

use super::exec::ExecFlags;
use super::session::{self, AmqpSessionFlags};
use super::syntax::{self, short, short_or_none};
use crate::cli::flags::condition::ConditionFlags;
use crate::cli::flags::format::FormatFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::flags::until::UntilFlags;
use crate::cli::syntax::values;

const OR_EXCHANGE: &str =
    "name it after the URL, or an exchange with -e: a temporary queue is bound to it";

#[derive(Args, Debug)]
#[command(next_help_heading = "Consuming")]
pub(crate) struct ConsumeFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Queue to consume from [default: a temporary one, bound to the exchange of -e]
    #[arg(value_name = "QUEUE", help_heading = None)]
    queue: Option<OsString>,

    /// First declare the queue, durable and without arguments; for others there is `amqp declare queue`
    #[arg(long)]
    declare: bool,

    /// Exchange to bind the queue to first
    #[arg(short = 'e', long, value_name = "NAME")]
    exchange: Option<OsString>,

    /// From where, in the words of a server of AMQP 1.0, such as /queue/orders or a plain name; instead of QUEUE, and speaks 1.0
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["queue", "exchange", "declare"])]
    address: Option<OsString>,

    /// Binding key, such as *.error; may be repeated [default: #, which is everything of a topic or fanout exchange]
    #[arg(short = 'k', long, value_name = "KEY", requires = "exchange")]
    routing_key: Vec<OsString>,

    /// What becomes of a message that was shown: ack; auto acknowledges before; nack and reject drop it or make it a dead letter; requeue gives it back at once; peek at the end
    #[arg(
        long,
        value_name = "MODE",
        default_value = "ack",
        conflicts_with = "exec"
    )]
    ack: AckMode,

    /// Messages that the server may send ahead of their acknowledgement, 1 to 65535 [default: 100; with --exec, the workers]
    #[arg(long, value_name = "COUNT", conflicts_with = "exec", value_parser = clap::value_parser!(u16).range(1..))]
    prefetch: Option<u16>,

    /// Nobody else may consume from the queue
    #[arg(long)]
    exclusive: bool,

    /// Consumers with a higher number are served first
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    priority: Option<i32>,

    /// Where in a stream to begin: first, last, next, a number, @SECONDS since 1970, or an interval such as 1h
    #[arg(long, value_name = "OFFSET")]
    offset: Option<Offset>,

    /// The consumer's name [default: made up by the server]
    #[arg(long, value_name = "NAME")]
    consumer_tag: Option<OsString>,

    /// Argument of the consumer, typed as in `amqp declare`; may be repeated
    #[arg(long, value_name = "NAME:TYPE=VALUE")]
    argument: Vec<OsString>,

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

/// What becomes of a message that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AckMode {
    Ack,
    Auto,
    Nack,
    Reject,
    Requeue,
    Peek,
}

impl AckMode {
    pub(crate) const fn settle(self) -> Settle {
        match self {
            Self::Ack => Settle::Ack,
            Self::Auto => Settle::Auto,
            Self::Nack => Settle::Nack,
            Self::Reject => Settle::Reject,
            Self::Requeue => Settle::Requeue,
            Self::Peek => Settle::Peek,
        }
    }
}

impl ConsumeFlags {
    /// What was asked for, checked as far as that can be done without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let (url, queue) = syntax::sorted(self.url, self.queue)?;
        let exchange = short_or_none("-e", self.exchange)?;
        // Without a name it is the queue declared last, which is the temporary one.
        let address = syntax::address(self.address)?;
        let queue = match (exchange.is_some() || address.is_some(), queue) {
            (true, None) => ByteString::new(),
            (_, queue) => syntax::name_or("queue", queue, OR_EXCHANGE)?,
        };
        let keys = self.routing_key.into_iter().map(|key| short("-k", key));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        Ok(Plan {
            session: self
                .session
                .words_with(url, address.is_some().then_some("--address"))?,
            declare: match address {
                Some(_) => Vec::new(),
                None => declarations(&queue, self.declare, exchange, keys),
            },
            address,
            queue,
            prefetch: self.prefetch.unwrap_or(PREFETCH),
            settle: self.ack.settle(),
            exclusive: self.exclusive,
            priority: self.priority,
            offset: self.offset,
            tag: short_or_none("--consumer-tag", self.consumer_tag)?.unwrap_or_default(),
            arguments: syntax::pairs("--argument", self.argument)?,
            decompress: self.decompress,
            firehose: false,
            until: until(&self.until, &self.conditions)?,
            stages: self.conditions.stages(),
            exec: self.exec.exec()?,
            format: self.format.format()?,
            style: self.terminal.style(),
        })
    }
}

/// When it ends.
///
/// # Errors
/// A count of 0.
pub(crate) fn until(flags: &UntilFlags, conditions: &ConditionFlags) -> Result<Until> {
    values::messages(flags.count)?;
    Ok(Until {
        until: conditions.until.clone(),
        ..flags.until()
    })
}

/// The queue, where it is to be made, then its bindings.
pub(crate) fn declarations(
    queue: &ByteString,
    declare: bool,
    exchange: Option<ByteString>,
    keys: Vec<ByteString>,
) -> Vec<Declaration> {
    let mut declarations = Vec::new();
    if queue.is_empty() {
        declarations.push(Declaration::Queue(Queue::temporary()));
    } else if declare {
        declarations.push(Declaration::Queue(Queue::new(queue.clone())));
    }
    let Some(exchange) = exchange else {
        return declarations;
    };
    let keys = if keys.is_empty() {
        vec![ByteString::from_static("#")]
    } else {
        keys
    };
    declarations.extend(keys.into_iter().map(|key| {
        Declaration::Binding(Binding {
            source: exchange.clone(),
            destination: Destination::Queue(queue.clone()),
            key,
            arguments: Arguments::new(),
        })
    }));
    declarations
}
