//! `amqp request`: its flags, and the plan they make.

use std::ffi::OsString;

use clap::Args;

use crate::command::amqp::request::Plan;
use crate::error::{Error, Result};
use crate::message::fields;

use super::property::PropertyFlags;
use super::publish::TargetFlags;
use super::session::{self, AmqpSessionFlags};
use super::syntax::{self, short_or_none};
use crate::cli::flags::condition::ConditionFlags;
use crate::cli::flags::decode::DecodeFlags;
use crate::cli::flags::format::FormatFlags;
use crate::cli::flags::input::{InputFlags, PacingFlags};
use crate::cli::flags::replies::RepliesFlags;
use crate::cli::flags::terminal::TerminalFlags;

#[derive(Args, Debug)]
#[command(next_help_heading = "Request")]
pub(crate) struct RequestFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Routing key of the requests; on the default exchange, the name of a queue
    #[arg(value_name = "KEY", help_heading = None, conflicts_with = "routing_key")]
    key_argument: Option<OsString>,

    /// The same as the argument KEY
    #[arg(short = 'k', long, value_name = "KEY")]
    routing_key: Option<OsString>,

    /// Exchange to publish the requests to [default: the default exchange]
    #[arg(short = 'e', long, value_name = "NAME")]
    exchange: Option<OsString>,

    #[command(flatten)]
    input: InputFlags,

    /// Existing queue for the replies [default: direct reply-to, which needs no queue]
    #[arg(long, value_name = "QUEUE")]
    reply_to: Option<OsString>,

    #[command(flatten)]
    pacing: PacingFlags,

    #[command(flatten)]
    replies: RepliesFlags,

    #[command(flatten)]
    conditions: ConditionFlags,

    #[command(flatten)]
    declare: TargetFlags,

    #[command(flatten)]
    properties: PropertyFlags,

    #[command(flatten)]
    format: FormatFlags,

    #[command(flatten)]
    decode: DecodeFlags,

    #[command(flatten)]
    session: AmqpSessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl RequestFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let (url, key) = syntax::sorted(self.url, self.key_argument)?;
        if key.is_some() && self.routing_key.is_some() {
            return Err(Error::usage(
                "-k and the argument KEY cannot be used together",
            ));
        }
        let key = short_or_none("the routing key", key.or(self.routing_key))?;
        let exchange = short_or_none("-e", self.exchange)?.unwrap_or_default();
        let (source, encoding) = self.input.words()?;
        let key = match key {
            Some(key) if !key.is_empty() => key,
            _ if exchange.is_empty() && !source.names_topics() => {
                return Err(Error::usage("no queue or exchange was given")
                    .hint("give the name of the queue after the URL, or an exchange with -e"));
            }
            key => key.unwrap_or_default(),
        };
        let keys = if key.is_empty() {
            &[][..]
        } else {
            std::slice::from_ref(&key)
        };
        let style = self.terminal.style();
        Ok(Plan {
            session: self.session.words(url)?,
            declare: self.declare.declarations(&exchange, keys)?,
            exchange,
            key,
            reply_to: short_or_none("--reply-to", self.reply_to)?,
            properties: self.properties.properties()?,
            pacing: self.pacing.pacing(&source)?,
            source,
            encoding,
            replies: self.replies.replies(self.conditions.until.clone())?,
            stages: self.decode.stages(
                &self.format.output,
                style,
                self.conditions.stages(&fields::AMQP, style)?,
            )?,
            format: self.format.format(&fields::AMQP)?,
            style,
        })
    }
}
