//! `amqp ping`: its flags, and the plan they make.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;

use crate::command::amqp::ping::Plan;
use crate::error::Result;

use super::session::{self, AmqpSessionFlags};
use crate::cli::flags::format::ReportFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::syntax::numbers::{Count, Span};
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Pinging")]
pub(crate) struct PingFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Number of round trips [default: 1]
    #[arg(short = 'C', long, value_name = "COUNT")]
    count: Option<Count>,

    /// Interval between round trips [default: 1s]
    #[arg(long, value_name = "TIME")]
    interval: Option<Span>,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    session: AmqpSessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl PingFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        Ok(Plan {
            session: self.session.words_of_either(self.url)?,
            count: values::messages(self.count)?.unwrap_or(1),
            interval: self
                .interval
                .map_or(Duration::from_secs(1), |Span(time)| time),
            json: self.report.json(),
            style: self.terminal.style(),
        })
    }
}
