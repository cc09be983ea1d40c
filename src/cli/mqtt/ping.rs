//! `mqtt ping`: its flags, and the plan they make.

use clap::Args;

use crate::command::mqtt::ping::Plan;
use crate::error::Result;

use super::session::SessionFlags;
use crate::cli::flags::ping::PingFlags;
use crate::cli::flags::terminal::TerminalFlags;

#[derive(Args, Debug)]
#[command(
    mut_arg("persistent", |it| it.hide(true)),
    mut_arg("session_expiry", |it| it.hide(true))
)]
pub(crate) struct MqttPingFlags {
    #[command(flatten)]
    ping: PingFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl MqttPingFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        self.session
            .refuse_kept(Some("use -C COUNT for a number of round trips"))?;
        Ok(Plan {
            session: self.session.words(&[])?.0,
            settings: self.ping.settings()?,
            style: self.terminal.style(),
        })
    }
}
