//! `amqp publish`: its flags, and the plan they make.

use std::ffi::OsString;
use std::num::NonZeroUsize;

use bytestring::ByteString;
use clap::Args;

use crate::amqp::topology::{Declaration, Exchange, Queue};
use crate::command::amqp::publish::Plan;
use crate::error::{Error, Result};
use crate::message::{AmqpProperties, fields};
use crate::payload::Source;

use super::property::PropertyFlags;
use super::session::{self, AmqpSessionFlags};
use super::syntax::{self, short, short_or_none};
use crate::cli::flags::condition::{FilterFlags, MapFlags};
use crate::cli::flags::connect::RETRY_30S;
use crate::cli::flags::input::{InputFlags, PacingFlags};
use crate::cli::flags::report::AckReportFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::flags::until::LimitFlags;
use crate::cli::syntax::numbers::{Count, Wait};
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Publishing", mut_arg("retry", |it| it.help(RETRY_30S)))]
pub(crate) struct PublishFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Exchange to publish to [default: the default exchange, where the routing key is the name of a queue]
    #[arg(short = 'e', long, value_name = "NAME")]
    exchange: Option<OsString>,

    /// Routing key; {seq}, {time}, {unix_ms}, {uuid} and {random:LOW-HIGH} are filled in for each message, and {/POINTER} from its JSON; may be repeated: each message is published once per key
    #[arg(short = 'k', long, value_name = "KEY")]
    routing_key: Vec<OsString>,

    /// AMQP 1.0 target address, such as /queue/orders or a plain name; replaces -e and -k and implies --protocol 1.0
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["exchange", "routing_key"])]
    address: Option<OsString>,

    #[command(flatten)]
    input: InputFlags,

    #[command(flatten)]
    filter: FilterFlags,

    #[command(flatten)]
    map: MapFlags,

    /// Fail if a message cannot be routed to a queue
    #[arg(long, conflicts_with = "no_confirm")]
    mandatory: bool,

    /// Do not use publisher confirms
    #[arg(long, conflicts_with_all = ["window", "ack_timeout", "ack_report"])]
    no_confirm: bool,

    /// Maximum number of unconfirmed messages
    #[arg(long, value_name = "COUNT", default_value = "1000")]
    window: Count,

    #[command(flatten)]
    pacing: PacingFlags,

    /// Give up when no confirm arrives for this long
    #[arg(long, value_name = "TIME", default_value = "30s")]
    ack_timeout: Wait,

    #[command(flatten)]
    report: AckReportFlags,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(flatten)]
    declare: TargetFlags,

    #[command(flatten)]
    properties: PropertyFlags,

    /// Correlation identifier for the reply
    #[arg(long, value_name = "ID", help_heading = "Properties")]
    correlation_id: Option<OsString>,

    /// Queue for the reply
    #[arg(long, value_name = "QUEUE", help_heading = "Properties")]
    reply_to: Option<OsString>,

    #[command(flatten)]
    session: AmqpSessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

/// Whether the destination is declared first.
#[derive(Args, Debug)]
#[command(next_help_heading = "Declaring")]
pub(crate) struct TargetFlags {
    /// First declare the destination, durable: the exchange of -e, or the queues named by the routing keys
    #[arg(long)]
    declare: bool,

    /// Type of the declared exchange: direct, fanout, topic, headers or a plugin's [default: direct]
    #[arg(long, value_name = "TYPE", requires = "declare", value_parser = syntax::exchange_type)]
    exchange_type: Option<ByteString>,
}

impl TargetFlags {
    /// What is to be declared for messages to `exchange` under `keys`.
    pub(crate) fn declarations(
        self,
        exchange: &ByteString,
        keys: &[ByteString],
    ) -> Result<Vec<Declaration>> {
        let typed = self.exchange_type.is_some();
        values::needs("--exchange-type", typed, "-e", !exchange.is_empty())?;
        if !self.declare {
            return Ok(Vec::new());
        }
        if exchange.is_empty() {
            let queue = |key: &ByteString| match values::destination("-k", key.clone())?.fixed() {
                Some(name) => Ok(Declaration::Queue(Queue::new(name.clone()))),
                None => Err(Error::usage(format!(
                    "--declare: the name of the queue {:?} is not known before its messages",
                    &**key
                ))),
            };
            return keys.iter().map(queue).collect();
        }
        let kind = self.exchange_type.unwrap_or_else(|| "direct".into());
        Ok(vec![Declaration::Exchange(Exchange::new(
            exchange.clone(),
            kind,
        ))])
    }
}

impl PublishFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let exchange = short_or_none("-e", self.exchange)?.unwrap_or_default();
        let keys = self.routing_key.into_iter().map(|key| short("-k", key));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let (source, encoding) = self.input.words()?;
        let address = syntax::address(self.address)?;
        let somewhere = !exchange.is_empty() || !keys.is_empty() || address.is_some();
        if !somewhere && !source.names_topics() {
            return Err(Error::usage("no exchange or routing key was given")
                .hint("use -k QUEUE, or -e EXCHANGE with -k KEY if the exchange type needs one"));
        }
        if source != Source::Records
            && source.names_topics()
            && !(keys.is_empty() && address.is_none())
        {
            return Err(Error::usage(
                "-k and --address cannot be used with --topic-separator",
            ));
        }
        let pacing = self.pacing.pacing(&source)?;
        let Count(window) = self.window;
        let window = NonZeroUsize::new(usize::try_from(window).unwrap_or(usize::MAX));
        let Wait(ack_timeout) = self.ack_timeout;
        Ok(Plan {
            session: self
                .session
                .words_with(self.url, address.is_some().then_some("--address"))?,
            address,
            declare: self.declare.declarations(&exchange, &keys)?,
            exchange,
            keys: keys
                .into_iter()
                .map(|key| values::destination("-k", key))
                .collect::<Result<_>>()?,
            ack_report: self.report.report(),
            properties: AmqpProperties {
                correlation_id: short_or_none("--correlation-id", self.correlation_id)?,
                reply_to: short_or_none("--reply-to", self.reply_to)?,
                ..self.properties.properties()?
            },
            mandatory: self.mandatory,
            confirms: !self.no_confirm,
            window: values::at_least_one("--window", window)?.get(),
            stages: self
                .filter
                .stages(self.map, &fields::AMQP, self.terminal.style())?,
            source,
            encoding,
            pacing,
            ack_timeout,
            until: self.limits.until(),
            style: self.terminal.style(),
        })
    }
}
