//! `mqtt sys`: its flags, and the plan they make.

use std::time::Duration;

use clap::Args;

use crate::command::mqtt::sys::Plan;
use crate::error::Result;
use crate::flow::Until;

use super::session::SessionFlags;
use crate::cli::flags::format::ReportFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::syntax::numbers::{Wait, interval};
use crate::cli::syntax::values;

/// What `--retry` is here.
const RETRY: &str = "Reconnect: never, forever, or for outages up to TIME [default: never; with --watch, forever after the first connection]";

#[derive(Args, Debug)]
#[command(
    next_help_heading = "Showing",
    mut_arg("retry", |it| it.help(RETRY)),
    mut_arg("persistent", |it| it.hide(true)),
    mut_arg("session_expiry", |it| it.hide(true))
)]
pub(crate) struct SysFlags {
    /// Show the values as they change, until a signal arrives, instead of once: a table that is drawn in its place on a terminal, and printed again elsewhere; with --output json a line for each value that has changed
    #[arg(long)]
    watch: bool,

    /// How often the table is drawn or printed, if something has changed (with --watch) [default: 1s on a terminal, 10s elsewhere]
    #[arg(long, value_name = "TIME", value_parser = interval)]
    every: Option<Duration>,

    /// End after this long, with exit code 0 (with --watch)
    #[arg(long = "for", value_name = "TIME")]
    duration: Option<Wait>,

    /// Fail after this long, with exit code 5 [default: 10s; with --watch no limit]
    #[arg(short = 'W', long, value_name = "TIME")]
    timeout: Option<Wait>,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl SysFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        values::needs("--for", self.duration.is_some(), "--watch", self.watch)?;
        values::needs("--every", self.every.is_some(), "--watch", self.watch)?;
        self.session.refuse_kept(None)?;
        let usual = (!self.watch).then_some(Duration::from_secs(10));
        Ok(Plan {
            session: self.session.words(&[])?.0,
            watch: self.watch,
            every: self.every,
            until: Until {
                timeout: self.timeout.map(|Wait(time)| time).or(usual),
                duration: self.duration.map(|Wait(time)| time),
                ..Until::default()
            },
            json: self.report.json(),
            style: self.terminal.style(),
        })
    }
}
