//! `mqtt sub`: its flags, and the plan they make.

use std::ffi::OsString;
use std::path::PathBuf;

use bytestring::ByteString;
use clap::Args;

use crate::command::mqtt::subscribe::{Plan, Wanted};
use crate::command::mqtt::topics::{Defaults, TopicsFile};
use crate::error::{Error, Result};
use crate::flow::Until;
use crate::message::fields;
use crate::message::topic::InvalidTopic;
use crate::mqtt::packet::{Place, QoS, RetainHandling, Subscription};
use crate::payload::captures::Pattern;

use super::session::SessionFlags;
use super::subscription;
use crate::cli::flags::condition::ConditionFlags;
use crate::cli::flags::connect::RETRY_FOREVER;
use crate::cli::flags::decode::DecodeFlags;
use crate::cli::flags::destination::DestinationFlags;
use crate::cli::flags::exec::ExecFlags;
use crate::cli::flags::format::FormatFlags;
use crate::cli::flags::ready::ReadyFlags;
use crate::cli::flags::select::{SelectFlags, SummaryFlags};
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::flags::until::UntilFlags;
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Subscribing", mut_arg("retry", |it| it.help(RETRY_FOREVER)))]
pub(crate) struct SubFlags {
    /// Topic filter to subscribe to, optionally with subscription options: 'a/#;qos=1;nl;rap;rh=new'; conditions and maps know {name} and {name...} in place of + and #; may be repeated [default: the path of the URL]
    #[arg(short = 't', long, value_name = "FILTER")]
    topic: Vec<OsString>,

    /// File with topic filters, one per line, with options as in -t; empty lines and lines that begin with '# ' are skipped
    #[arg(long, value_name = "FILE")]
    topics_file: Option<PathBuf>,

    /// Shared subscription: each message is delivered to one of the subscribers of this group
    #[arg(long, value_name = "NAME")]
    group: Option<OsString>,

    /// Maximum quality of service: 0, 1 or 2
    #[arg(short = 'q', long, value_name = "QOS", default_value = "0", value_parser = values::qos)]
    qos: QoS,

    /// Do not receive messages that this client published (MQTT 5; for one filter: ;nl)
    #[arg(long)]
    no_local: bool,

    /// Retain As Published: keep the RETAIN flag of the publisher (MQTT 5; for one filter: ;rap)
    #[arg(long)]
    retain_as_published: bool,

    /// When retained messages are sent: always, new (only for new subscriptions) or never (MQTT 5; for one filter: ;rh=new)
    #[arg(long, value_name = "WHEN", value_parser = values::retain_handling)]
    retain_handling: Option<RetainHandling>,

    /// Filter to unsubscribe from in a persistent session; may be repeated
    #[arg(short = 'U', long, value_name = "FILTER")]
    unsubscribe: Vec<OsString>,

    /// Skip messages whose topic matches this filter; may be repeated
    #[arg(short = 'T', long, value_name = "FILTER")]
    filter_out: Vec<OsString>,

    /// Skip retained messages
    #[arg(short = 'R', long = "no-retained", conflicts_with = "retained_only")]
    skip_retained: bool,

    /// Show retained messages only, and end when the server has sent all of them
    #[arg(long)]
    retained_only: bool,

    #[command(flatten)]
    until: UntilFlags,

    /// End as soon as the subscriptions are acknowledged
    #[arg(
        short = 'E', long, help_heading = "End conditions",
        conflicts_with_all = ["count", "duration", "idle", "retained_only"]
    )]
    exit_after_subscribe: bool,

    #[command(flatten)]
    conditions: ConditionFlags,

    #[command(flatten)]
    select: SelectFlags,

    #[command(flatten)]
    exec: ExecFlags,

    #[command(flatten)]
    format: FormatFlags,

    #[command(flatten)]
    summary: SummaryFlags,

    #[command(flatten)]
    destination: DestinationFlags,

    #[command(flatten)]
    decode: DecodeFlags,

    #[command(flatten)]
    ready: ReadyFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl SubFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        self.check()?;
        let style = self.terminal.style();
        let defaults = self.defaults()?;
        let topics = self.topic.into_iter();
        let subscriptions = topics.map(|word| subscription::read_for(word, &defaults));
        let subscriptions = subscriptions.collect::<Result<Vec<_>>>()?;
        let (subscriptions, patterns) = captured(subscriptions)?;
        let (session, mut sets) = self
            .session
            .words(&[Place::Subscribe, Place::Unsubscribe])?;
        let exec = self.exec.exec::<Self>(false)?;
        let destination = self
            .destination
            .destination(&fields::MQTT, exec.is_some())?;
        Ok(Plan {
            session,
            subscriptions,
            topics_file: self.topics_file.map(|path| TopicsFile {
                path,
                read: subscription::read_line,
            }),
            defaults,
            subscribe_properties: sets.take(Place::Subscribe),
            wanted: Wanted {
                unsubscribe_properties: sets.take(Place::Unsubscribe),
                unsubscribe: filters("-U", self.unsubscribe)?,
                filter_out: filters("-T", self.filter_out)?,
                takes_as_acknowledged: false,
                remove_retained: false,
                skip_retained: self.skip_retained,
                retained_only: self.retained_only,
                ends_at_live: false,
                exit_after_subscribe: self.exit_after_subscribe,
                ..Wanted::default()
            },
            until: Until {
                until: self.conditions.until.clone(),
                ..self.until.until()
            },
            stages: self.decode.stages(
                &self.format.output,
                style,
                self.select.stages(
                    &fields::MQTT,
                    style,
                    self.conditions.stages_of(&fields::MQTT, style, patterns)?,
                )?,
            )?,
            exec,
            ready: self.ready.ready(),
            summary: self
                .summary
                .summary(self.format.output.is_json(), self.format.output.is_text())?,
            destination,
            format: self.format.format(&fields::MQTT)?,
            style,
        })
    }

    /// What a filter does not say itself.
    fn defaults(&self) -> Result<Defaults> {
        Ok(Defaults {
            options: Subscription {
                filter: ByteString::new(),
                qos: self.qos,
                no_local: self.no_local,
                retain_as_published: self.retain_as_published,
                retain_handling: self.retain_handling.unwrap_or_default(),
            },
            version: self.session.version(),
            group: subscription::group(self.group.clone())?,
        })
    }

    fn check(&self) -> Result<()> {
        values::messages(self.until.count)
            .map_err(|refused| refused.hint("use -E to exit right after subscribing"))?;
        let version = self.session.version();
        values::needs_v5(version, "--no-local", self.no_local)?;
        values::needs_v5(version, "--retain-as-published", self.retain_as_published)?;
        values::needs_v5(version, "--retain-handling", self.retain_handling.is_some())
    }
}

/// The filters with wildcards instead of names, and what these are.
fn captured(subscriptions: Vec<Subscription>) -> Result<(Vec<Subscription>, Vec<Pattern>)> {
    let mut patterns = Vec::new();
    let plain = |subscription: Subscription| {
        let pattern: Pattern = subscription
            .filter
            .parse()
            .map_err(|why: InvalidTopic| Error::usage(format!("-t: {why}")))?;
        let filter = pattern.filter().into();
        patterns.push(pattern);
        Ok(Subscription {
            filter,
            ..subscription
        })
    };
    let subscriptions = subscriptions.into_iter().map(plain);
    Ok((subscriptions.collect::<Result<_>>()?, patterns))
}

pub(super) fn filters(flag: &str, words: Vec<OsString>) -> Result<Vec<ByteString>> {
    words
        .into_iter()
        .map(|word| values::topic_filter(flag, word))
        .collect()
}
