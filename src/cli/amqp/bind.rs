//! `amqp bind` and `amqp unbind`: their flags, and the plan they make.

use std::ffi::OsString;

use bytestring::ByteString;
use clap::Args;

use crate::amqp::topology::{Binding, Destination};
use crate::command::amqp::topology::{Action, Plan};
use crate::error::{Error, Result};

use super::session::{self, AmqpSessionFlags};
use super::syntax::{self, short};
use crate::cli::flags::terminal::TerminalFlags;

#[derive(Args, Debug)]
#[command(next_help_heading = "Binding")]
pub(crate) struct BindFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Queue that receives the messages
    #[arg(value_name = "QUEUE", help_heading = None)]
    queue: Option<OsString>,

    /// Source exchange
    #[arg(short = 'e', long, value_name = "NAME", required = true)]
    exchange: Option<OsString>,

    /// Destination exchange, instead of a queue
    #[arg(long, value_name = "NAME")]
    to_exchange: Option<OsString>,

    /// Binding key, such as *.error; may be repeated [default: empty]
    #[arg(short = 'k', long, value_name = "KEY")]
    routing_key: Vec<OsString>,

    /// Binding argument, such as x-match=any and the headers to match; types as in `amqp declare`; may be repeated
    #[arg(long, value_name = "NAME:TYPE=VALUE")]
    argument: Vec<OsString>,

    #[command(flatten)]
    session: AmqpSessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl BindFlags {
    /// The plan of `bind`.
    pub(crate) fn bind(self) -> Result<Plan> {
        self.plan(Action::Bind)
    }

    /// The plan of `unbind`.
    pub(crate) fn unbind(self) -> Result<Plan> {
        self.plan(Action::Unbind)
    }

    /// One `action` for each key.
    fn plan(self, action: fn(Binding) -> Action) -> Result<Plan> {
        let (url, queue) = syntax::sorted(self.url, self.queue)?;
        let source = syntax::name("exchange", self.exchange)?;
        let destination = destination(queue, self.to_exchange)?;
        let arguments = syntax::pairs("--argument", self.argument)?;
        let keys = self.routing_key.into_iter().map(|key| short("-k", key));
        let mut keys = keys.collect::<Result<Vec<_>>>()?;
        if keys.is_empty() {
            keys.push(ByteString::new());
        }
        let actions = keys.into_iter().map(|key| {
            action(Binding {
                source: source.clone(),
                destination: destination.clone(),
                key,
                arguments: arguments.clone(),
            })
        });
        Ok(Plan {
            session: self.session.words(url)?,
            actions: actions.collect(),
            json: false,
            style: self.terminal.style(),
        })
    }
}

fn destination(queue: Option<OsString>, exchange: Option<OsString>) -> Result<Destination> {
    match (queue, exchange) {
        (Some(_), Some(_)) => Err(Error::usage(
            "the argument QUEUE cannot be used with --to-exchange",
        )),
        (None, Some(exchange)) => {
            syntax::name("exchange", Some(exchange)).map(Destination::Exchange)
        }
        (queue, None) => syntax::name("queue", queue).map(Destination::Queue),
    }
}
