//! `coap observe`: its flags, and the plan they make.

use clap::Args;

use crate::coap::code::Code;
use crate::command::coap_observe::Plan;
use crate::error::{Error, Result};

use super::coap_flags::{BodyFlags, CoapConnectFlags, MessageFlags, OptionFlags};
use super::numbers::{Count, Wait};
use super::terminal_flags::TerminalFlags;

#[derive(Args, Debug)]
#[command(next_help_heading = "Observing")]
pub(super) struct ObserveFlags {
    /// What to observe: coap://HOST[:PORT][/PATH][?QUERY], also coaps, coap+tcp, coaps+tcp, coap+ws and coaps+ws; or only the path, with -h
    #[arg(value_name = "URI", help_heading = None)]
    uri: Option<String>,

    /// Do not register again when nothing came within Max-Age
    #[arg(long)]
    no_reregister: bool,

    /// Leave without telling the server; the next notification is answered with a reset, if we are still there
    #[arg(long)]
    no_deregister: bool,

    #[command(flatten)]
    until: ObserveUntil,

    #[command(flatten)]
    options: OptionFlags,

    #[command(flatten)]
    transfer: MessageFlags,

    #[command(flatten)]
    body: BodyFlags,

    #[command(flatten)]
    connect: CoapConnectFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

/// When the command ends.
#[derive(Args, Debug)]
#[command(next_help_heading = "Until")]
struct ObserveUntil {
    /// End after this many notifications, the first answer included
    #[arg(short = 'C', long, value_name = "COUNT")]
    count: Option<Count>,

    /// Fail after this long, with exit code 5
    #[arg(short = 'W', long, value_name = "TIME")]
    timeout: Option<Wait>,

    /// End after this long, with exit code 0
    #[arg(long = "for", value_name = "TIME")]
    duration: Option<Wait>,

    /// End when nothing came for this long, with exit code 0
    #[arg(long, value_name = "TIME")]
    idle: Option<Wait>,
}

impl ObserveFlags {
    /// What was asked for, checked as far as that can be done without a file or the network.
    pub(super) fn plan(self) -> Result<Plan> {
        if self.until.count == Some(Count(0)) {
            return Err(Error::usage("-C 0 waits for no notification"));
        }
        let uris = self.uri.into_iter().collect();
        let answer_within = Some(std::time::Duration::from_secs(30));
        let session = self
            .transfer
            .session(uris, self.connect, self.options, answer_within);
        Ok(Plan {
            session,
            method: Code::GET,
            count: self.until.count.map(|Count(count)| count),
            timeout: self.until.timeout.map(|Wait(time)| time),
            duration: self.until.duration.map(|Wait(time)| time),
            idle: self.until.idle.map(|Wait(time)| time),
            reregister: !self.no_reregister,
            deregister: !self.no_deregister,
            format: self.body.format(true)?,
            style: self.terminal.style(),
        })
    }
}
