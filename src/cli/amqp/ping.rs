//! `amqp ping`: its flags, and the plan they make.

use std::ffi::OsString;

use clap::Args;

use crate::command::amqp::ping::Plan;
use crate::error::Result;

use super::session::{self, AmqpSessionFlags};
use crate::cli::flags::ping::PingFlags;
use crate::cli::flags::terminal::TerminalFlags;

#[derive(Args, Debug)]
pub(crate) struct AmqpPingFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    #[command(flatten)]
    ping: PingFlags,

    #[command(flatten)]
    session: AmqpSessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl AmqpPingFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        Ok(Plan {
            session: self.session.words_of_either(self.url)?,
            settings: self.ping.settings()?,
            style: self.terminal.style(),
        })
    }
}
