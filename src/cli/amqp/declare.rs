//! `amqp declare queue` and `amqp declare exchange`: their flags, and the plan they make.

use std::ffi::OsString;

use bytestring::ByteString;
use clap::Args;

use crate::amqp::topology::{Arguments, Declaration, Exchange, Queue};
use crate::command::amqp::topology::{Action, Plan};
use crate::error::Result;
use crate::message::AmqpValue;

use super::session::{self, AmqpSessionFlags};
use super::syntax::{self, Millis, number, short_or_none};
use crate::cli::flags::format::ReportFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::syntax::numbers::{Count, Size, whole};

#[derive(Args, Debug)]
#[command(next_help_heading = "Queue")]
pub(crate) struct DeclareQueueFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Name of the queue; '' lets the server generate one, which is printed
    #[arg(value_name = "NAME", help_heading = None)]
    name: Option<OsString>,

    #[command(flatten)]
    keeping: KeepingFlags,

    #[command(flatten)]
    arguments: QueueArguments,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    session: AmqpSessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

/// How long it is kept.
#[derive(Args, Debug)]
struct KeepingFlags {
    /// Only check that it exists, whatever its properties
    #[arg(long, conflicts_with_all = ["durable", "transient", "auto_delete", "argument"])]
    passive: bool,

    /// Durable: survives a restart of the server (the default)
    #[arg(long, conflicts_with = "transient")]
    durable: bool,

    /// Transient: does not survive a restart of the server
    #[arg(long)]
    transient: bool,

    /// Auto-delete: deleted when no longer in use
    #[arg(long)]
    auto_delete: bool,

    /// Argument; the type is inferred, or given as NAME:TYPE=VALUE: string, int, int32, bool, double, decimal, time, hex, base64, json, null; may be repeated
    #[arg(long, value_name = "NAME:TYPE=VALUE")]
    argument: Vec<OsString>,
}

/// The arguments that have flags of their own.
#[derive(Args, Debug)]
#[command(next_help_heading = "Queue arguments")]
struct QueueArguments {
    /// Queue type: classic, quorum (replicated) or stream (x-queue-type)
    #[arg(long, value_name = "TYPE", conflicts_with = "passive", value_parser = ["classic", "quorum", "stream"])]
    queue_type: Option<String>,

    /// Message TTL, such as 30s (x-message-ttl)
    #[arg(long, value_name = "TIME", conflicts_with = "passive")]
    ttl: Option<Millis>,

    /// Delete the queue after it was unused for this long (x-expires)
    #[arg(long, value_name = "TIME", conflicts_with = "passive")]
    expires: Option<Millis>,

    /// Maximum number of messages (x-max-length)
    #[arg(long, value_name = "COUNT", conflicts_with = "passive")]
    max_length: Option<Count>,

    /// Maximum size of all message bodies, such as 1MiB (x-max-length-bytes)
    #[arg(long, value_name = "SIZE", conflicts_with = "passive")]
    max_length_bytes: Option<Size>,

    /// Overflow behaviour when the queue is full (x-overflow)
    #[arg(long, value_name = "WHAT", conflicts_with = "passive", value_parser = ["drop-head", "reject-publish", "reject-publish-dlx"])]
    overflow: Option<String>,

    /// Exchange for rejected, expired and dropped messages; '' is the default exchange (x-dead-letter-exchange)
    #[arg(long, value_name = "EXCHANGE", conflicts_with = "passive")]
    dead_letter_exchange: Option<OsString>,

    /// Routing key for dead letters, instead of their own (x-dead-letter-routing-key)
    #[arg(long, value_name = "KEY", requires = "dead_letter_exchange")]
    dead_letter_key: Option<OsString>,

    /// Number of priority levels, 1 to 255 (x-max-priority)
    #[arg(long, value_name = "NUMBER", conflicts_with = "passive", value_parser = whole(1..=u8::MAX))]
    max_priority: Option<u8>,

    /// Keep messages on disk rather than in memory (x-queue-mode=lazy)
    #[arg(long, conflicts_with = "passive")]
    lazy: bool,

    /// Deliver to one consumer at a time (x-single-active-consumer)
    #[arg(long, conflicts_with = "passive")]
    single_active_consumer: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Exchange")]
pub(crate) struct DeclareExchangeFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Name of the exchange
    #[arg(value_name = "NAME", help_heading = None)]
    name: Option<OsString>,

    /// Exchange type: direct, fanout, topic, headers, or x-... of a plugin
    #[arg(long = "type", value_name = "TYPE", default_value = "direct", conflicts_with = "passive", value_parser = syntax::exchange_type)]
    kind: ByteString,

    #[command(flatten)]
    keeping: KeepingFlags,

    /// Internal: accepts messages from other exchanges only
    #[arg(long, conflicts_with = "passive")]
    internal: bool,

    /// Exchange for unroutable messages (alternate-exchange)
    #[arg(long, value_name = "EXCHANGE", conflicts_with = "passive")]
    alternate_exchange: Option<OsString>,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    session: AmqpSessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl DeclareQueueFlags {
    /// The plan of the command, validated as far as possible without the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let (url, name) = syntax::sorted(self.url, self.name)?;
        let made_up = !self.keeping.passive && name.as_ref().is_some_and(|name| name.is_empty());
        let name = if made_up {
            ByteString::new()
        } else {
            syntax::name("queue", name)?
        };
        let declaration = if self.keeping.passive {
            Declaration::QueueIsThere(name)
        } else {
            Declaration::Queue(Queue {
                name,
                durable: !self.keeping.transient,
                exclusive: false,
                auto_delete: self.keeping.auto_delete,
                arguments: self.arguments.arguments(self.keeping.argument)?,
            })
        };
        Ok(Plan {
            session: self.session.words(url)?,
            actions: vec![Action::Declare(declaration)],
            json: self.report.json(),
            style: self.terminal.style(),
        })
    }
}

impl QueueArguments {
    fn arguments(self, words: Vec<OsString>) -> Result<Arguments> {
        let text = |value: Option<ByteString>| value.map(AmqpValue::Text);
        let flag = |given: bool| given.then_some(AmqpValue::Bool(true));
        let millis = |time: Option<Millis>| time.map(|Millis(millis)| number(millis));
        let letters = short_or_none("--dead-letter-exchange", self.dead_letter_exchange)?;
        let key = short_or_none("--dead-letter-key", self.dead_letter_key)?;
        let length = self.max_length.map(|Count(count)| number(count));
        let bytes = self.max_length_bytes.map(|Size(size)| number(size));
        let priority = self.max_priority.map(|most| number(most.into()));
        let lazy = self.lazy.then(|| "lazy".into());
        let shortcuts = vec![
            (
                "--queue-type",
                "x-queue-type",
                text(self.queue_type.map(Into::into)),
            ),
            ("--ttl", "x-message-ttl", millis(self.ttl)),
            ("--expires", "x-expires", millis(self.expires)),
            ("--max-length", "x-max-length", length),
            ("--max-length-bytes", "x-max-length-bytes", bytes),
            (
                "--overflow",
                "x-overflow",
                text(self.overflow.map(Into::into)),
            ),
            (
                "--dead-letter-exchange",
                "x-dead-letter-exchange",
                text(letters),
            ),
            ("--dead-letter-key", "x-dead-letter-routing-key", text(key)),
            ("--max-priority", "x-max-priority", priority),
            ("--lazy", "x-queue-mode", text(lazy)),
            (
                "--single-active-consumer",
                "x-single-active-consumer",
                flag(self.single_active_consumer),
            ),
        ];
        syntax::arguments(words, shortcuts)
    }
}

impl DeclareExchangeFlags {
    /// The plan of the command, validated as far as possible without the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let (url, name) = syntax::sorted(self.url, self.name)?;
        let name = syntax::name("exchange", name)?;
        let other = short_or_none("--alternate-exchange", self.alternate_exchange)?;
        let other = other.map(AmqpValue::Text);
        let shortcuts = vec![("--alternate-exchange", "alternate-exchange", other)];
        let declaration = if self.keeping.passive {
            Declaration::ExchangeIsThere(name)
        } else {
            Declaration::Exchange(Exchange {
                name,
                kind: self.kind,
                durable: !self.keeping.transient,
                auto_delete: self.keeping.auto_delete,
                internal: self.internal,
                arguments: syntax::arguments(self.keeping.argument, shortcuts)?,
            })
        };
        Ok(Plan {
            session: self.session.words(url)?,
            actions: vec![Action::Declare(declaration)],
            json: self.report.json(),
            style: self.terminal.style(),
        })
    }
}
