//! `amqp delete queue`, `amqp delete exchange` and `amqp purge`: their flags, and the plan they make.

use std::ffi::OsString;

use clap::Args;

use crate::amqp::topology::Deletion;
use crate::command::amqp::topology::{Action, Plan};
use crate::error::Result;

use super::session::{self, AmqpSessionFlags};
use super::syntax;
use crate::cli::flags::format::ReportFlags;
use crate::cli::flags::terminal::TerminalFlags;

#[derive(Args, Debug)]
#[command(next_help_heading = "Queue")]
pub(crate) struct DeleteQueueFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Name of the queue; its messages are lost
    #[arg(value_name = "NAME", help_heading = None)]
    name: Option<OsString>,

    /// Only if it has no consumers
    #[arg(long)]
    if_unused: bool,

    /// Only if it is empty
    #[arg(long)]
    if_empty: bool,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    session: AmqpSessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Exchange")]
pub(crate) struct DeleteExchangeFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Name of the exchange
    #[arg(value_name = "NAME", help_heading = None)]
    name: Option<OsString>,

    /// Only if nothing is bound to it
    #[arg(long)]
    if_unused: bool,

    #[command(flatten)]
    session: AmqpSessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

#[derive(Args, Debug)]
pub(crate) struct PurgeFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Queue to purge; unacknowledged messages stay
    #[arg(value_name = "QUEUE", help_heading = None)]
    queue: Option<OsString>,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    session: AmqpSessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl DeleteQueueFlags {
    /// The plan of the command, validated as far as possible without the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let (url, name) = syntax::sorted(self.url, self.name)?;
        let deletion = Deletion::Queue {
            name: syntax::name("queue", name)?,
            if_unused: self.if_unused,
            if_empty: self.if_empty,
        };
        Ok(Plan {
            session: self.session.words(url)?,
            actions: vec![Action::Delete(deletion)],
            json: self.report.json(),
            style: self.terminal.style(),
        })
    }
}

impl DeleteExchangeFlags {
    /// The plan of the command, validated as far as possible without the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let (url, name) = syntax::sorted(self.url, self.name)?;
        let deletion = Deletion::Exchange {
            name: syntax::name("exchange", name)?,
            if_unused: self.if_unused,
        };
        Ok(Plan {
            session: self.session.words(url)?,
            actions: vec![Action::Delete(deletion)],
            json: false,
            style: self.terminal.style(),
        })
    }
}

impl PurgeFlags {
    /// The plan of the command, validated as far as possible without the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let (url, queue) = syntax::sorted(self.url, self.queue)?;
        Ok(Plan {
            session: self.session.words(url)?,
            actions: vec![Action::Purge(syntax::name("queue", queue)?)],
            json: self.report.json(),
            style: self.terminal.style(),
        })
    }
}
