//! `mqtt probe`: its flags, and the plan they make.

use std::ffi::OsString;

use clap::Args;

use crate::command::mqtt::probe::Plan;
use crate::error::Result;

use super::session::SessionFlags;
use crate::cli::flags::format::ReportFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::syntax::numbers::Wait;
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(
    next_help_heading = "Probing",
    mut_arg("persistent", |it| it.hide(true)),
    mut_arg("session_expiry", |it| it.hide(true))
)]
pub(crate) struct ProbeFlags {
    /// Publish and subscribe below this topic, in a random level; a retained message is removed again
    #[arg(
        short = 't',
        long,
        value_name = "TOPIC",
        default_value = "iotctl/probe"
    )]
    topic: OsString,

    /// Time to wait for each answer
    #[arg(short = 'W', long, value_name = "TIME", default_value = "2s")]
    timeout: Wait,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl ProbeFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let Wait(wait) = self.timeout;
        self.session.refuse_kept(None)?;
        Ok(Plan {
            session: self.session.words(&[])?.0,
            prefix: values::topic_name("-t", self.topic)?,
            wait,
            json: self.report.json(),
            style: self.terminal.style(),
        })
    }
}
