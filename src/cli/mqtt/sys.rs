//! `mqtt sys`: its flags, and the plan they make.

use clap::Args;

use crate::command::mqtt::sys::Plan;
use crate::error::Result;
use crate::flow::Until;

use super::session::SessionFlags;
use crate::cli::flags::format::ReportFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::syntax::numbers::Wait;
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Showing")]
pub(crate) struct SysFlags {
    /// Show each value when it changes, until a signal arrives, instead of all values once
    #[arg(long)]
    watch: bool,

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
        let usual = (!self.watch).then_some(std::time::Duration::from_secs(10));
        Ok(Plan {
            session: self.session.words(&[])?.0,
            watch: self.watch,
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
