//! `amqp apply`: its flags, and the plan they make.

use std::ffi::OsString;

use clap::Args;

use crate::command::amqp::apply::Plan;
use crate::error::{Error, Result};

use super::session::{self, AmqpSessionFlags};
use super::syntax;
use crate::cli::flags::format::ReportFlags;
use crate::cli::flags::terminal::TerminalFlags;

#[derive(Args, Debug)]
#[command(next_help_heading = "Topology")]
pub(crate) struct ApplyFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Topology in TOML: [[exchange]] with name, type, durable, auto_delete, internal, arguments; [[queue]] with name, durable, auto_delete, arguments; [[binding]] with from, queue or exchange, keys, arguments
    #[arg(value_name = "FILE", help_heading = None)]
    file: Option<OsString>,

    /// Connect, change nothing, and fail unless exchanges and queues match the file (AMQP offers no way to check bindings)
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    session: AmqpSessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl ApplyFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let (url, file) = syntax::sorted(self.url, self.file)?;
        let file = file.ok_or_else(|| Error::usage("no file was given"))?;
        Ok(Plan {
            session: self.session.words(url)?,
            file: file.into(),
            check: self.check,
            json: self.report.json(),
            style: self.terminal.style(),
        })
    }
}
