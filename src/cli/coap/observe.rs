//! `coap observe`: its flags, and the plan they make.

use clap::Args;

use crate::coap::code::Code;
use crate::coap::option;
use crate::command::coap::observe::Plan;
use crate::connect::Retry;
use crate::error::{Error, Result};
use crate::flow::Until;
use crate::message::fields;
use crate::payload::{Encoding, Source};

use super::flags::{BodyFlags, CoapConnectFlags, MessageFlags, OptionFlags, WordingFlags, uint};
use super::request::BodySource;
use crate::cli::flags::condition::ConditionFlags;
use crate::cli::flags::destination::DestinationFlags;
use crate::cli::flags::exec::ExecFlags;
use crate::cli::flags::ready::ReadyFlags;
use crate::cli::flags::select::SelectFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::flags::until::UntilFlags;
use crate::cli::syntax::numbers::Wait;
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

    /// Exit without cancelling the observation; the server ends it once a notification is not acknowledged
    #[arg(long)]
    no_deregister: bool,

    #[command(flatten)]
    until: UntilFlags,

    #[command(flatten)]
    conditions: ConditionFlags,

    #[command(flatten)]
    select: SelectFlags,

    #[command(flatten)]
    exec: ExecFlags,

    #[command(flatten)]
    ready: ReadyFlags,

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
    destination: DestinationFlags,

    #[command(flatten)]
    connect: CoapConnectFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl ObserveFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        values::messages(self.until.count)?;
        let style = self.terminal.style();
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
                if source.is_stream() {
                    return Err(Error::usage("an observation has one body")
                        .hint("-s sends all of standard input"));
                }
                (Code::FETCH, source, encoding)
            }
            false => (Code::GET, Source::Empty, Encoding::Plain),
        };
        let needs = |flag, given| values::needs(flag, given, "a body", method == Code::FETCH);
        needs("--content-format", content_format.is_some())?;
        let exec = self.exec.exec::<Self>(false)?;
        let destination = self
            .destination
            .destination(&fields::COAP, exec.is_some())?;
        Ok(Plan {
            wording: self.wording.wording(&mut session),
            session,
            method,
            source,
            encoding,
            until: Until {
                until: self.conditions.until.clone(),
                ..self.until.until()
            },
            stages: self.body.stages(
                style,
                self.select.stages(
                    &fields::COAP,
                    style,
                    self.conditions.stages(&fields::COAP, style)?,
                )?,
            )?,
            exec,
            ready: self.ready.ready(),
            summary: None,
            reregister: !self.no_reregister,
            retry: self.retry,
            keep_alive: self.keep_alive.map(|Wait(time)| time),
            deregister: !self.no_deregister,
            destination,
            format: self.body.format(true)?,
            style,
        })
    }
}
