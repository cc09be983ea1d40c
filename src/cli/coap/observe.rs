//! `coap observe`: its flags, and the plan they make.

use std::num::NonZeroUsize;

use clap::Args;

use crate::coap::code::Code;
use crate::coap::option;
use crate::command::coap::observe::Plan;
use crate::connect::Retry;
use crate::error::{Error, Result};
use crate::flow::Exec;
use crate::payload::expect::Condition;
use crate::payload::{Encoding, Source};

use super::flags::{BodyFlags, CoapConnectFlags, MessageFlags, OptionFlags, WordingFlags, uint};
use super::request::BodySource;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::syntax::numbers::{Count, Wait};
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Observing")]
pub(crate) struct ObserveFlags {
    /// Resource to observe: coap://HOST[:PORT][/PATH][?QUERY], also coaps, coap+tcp, coaps+tcp, coap+ws and coaps+ws; or only the path, with -h
    #[arg(value_name = "URI", help_heading = None)]
    uri: Option<String>,

    /// Do not register again when no notification arrives within Max-Age
    #[arg(long)]
    no_reregister: bool,

    /// Observe again after an outage: never, forever, or for outages up to TIME
    #[arg(long, value_name = "TIME", default_value = "never")]
    retry: Retry,

    /// Ping the server at this interval, to keep NAT bindings open and to detect outages
    #[arg(long, value_name = "TIME")]
    keep_alive: Option<Wait>,

    /// Exit without cancelling the observation; a later notification is answered with a reset
    #[arg(long)]
    no_deregister: bool,

    #[command(flatten)]
    until: ObserveUntil,

    /// Run this command for each notification instead of showing it, with the payload on standard input; everything after --exec belongs to the command. IOTCTL_TOPIC is the path; IOTCTL_URI, IOTCTL_CODE, IOTCTL_OBSERVE and IOTCTL_CONTENT_TYPE hold the properties of the same name
    #[arg(
        long,
        value_name = "COMMAND",
        num_args = 1..,
        allow_hyphen_values = true,
        help_heading = "Command"
    )]
    exec: Vec<String>,

    #[command(flatten)]
    source: BodySource,

    #[command(flatten)]
    wording: WordingFlags,

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
    /// End after this many notifications, including the first response
    #[arg(short = 'C', long, value_name = "COUNT")]
    count: Option<Count>,

    /// Fail after this long, with exit code 5
    #[arg(short = 'W', long, value_name = "TIME")]
    timeout: Option<Wait>,

    /// End after this long, with exit code 0
    #[arg(long = "for", value_name = "TIME")]
    duration: Option<Wait>,

    /// End when nothing arrives for this long, with exit code 0
    #[arg(long, value_name = "TIME")]
    idle: Option<Wait>,

    /// End at a notification that meets this condition, in the syntax of --expect; any other end is a failure
    #[arg(long, value_name = "CONDITION")]
    until: Option<Condition>,
}

impl ObserveFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        if self.until.count == Some(Count(0)) {
            return Err(Error::usage("-C must be at least 1"));
        }
        let uris = self.uri.into_iter().collect();
        let answer_within = Some(std::time::Duration::from_secs(30));
        let mut session = self
            .transfer
            .session(uris, self.connect, self.options, answer_within);
        let content_format = self.source.content_format();
        session
            .options
            .extend(content_format.map(|it| uint(option::CONTENT_FORMAT, it.into())));
        let (method, source, encoding) = match self.source.is_given() {
            true => {
                let (source, encoding) = self.source.body(Code::FETCH)?;
                (Code::FETCH, source, encoding)
            }
            false => (Code::GET, Source::Empty, Encoding::Plain),
        };
        let needs = |flag, given| values::needs(flag, given, "a body", method == Code::FETCH);
        needs("--content-format", content_format.is_some())?;
        Ok(Plan {
            wording: self.wording.wording(&mut session),
            session,
            method,
            source,
            encoding,
            count: self.until.count.map(|Count(count)| count),
            timeout: self.until.timeout.map(|Wait(time)| time),
            duration: self.until.duration.map(|Wait(time)| time),
            idle: self.until.idle.map(|Wait(time)| time),
            reregister: !self.no_reregister,
            retry: self.retry,
            keep_alive: self.keep_alive.map(|Wait(time)| time),
            deregister: !self.no_deregister,
            until: self.until.until,
            exec: (!self.exec.is_empty()).then_some(Exec {
                command: self.exec,
                workers: NonZeroUsize::MIN,
                requeue: false,
            }),
            decode: self.body.decode()?,
            format: self.body.format(true)?,
            expect: self.body.expect,
            style: self.terminal.style(),
        })
    }
}
