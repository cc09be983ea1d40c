//! `mqtt sub`: its flags, and the plan they make.

use std::ffi::OsString;

use bytestring::ByteString;
use clap::Args;

use crate::command::mqtt::subscribe::{Plan, Wanted};
use crate::error::Result;
use crate::flow::Until;
use crate::message::fields;
use crate::mqtt::packet::{Place, QoS, RetainHandling, Subscription};

use super::session::SessionFlags;
use super::subscription;
use crate::cli::flags::condition::ConditionFlags;
use crate::cli::flags::decode::DecodeFlags;
use crate::cli::flags::destination::DestinationFlags;
use crate::cli::flags::exec::ExecFlags;
use crate::cli::flags::format::FormatFlags;
use crate::cli::flags::ready::ReadyFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::flags::until::UntilFlags;
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Subscribing")]
pub(crate) struct SubFlags {
    /// Topic filter to subscribe to, optionally with subscription options: 'a/#;qos=1;nl;rap;rh=new'; may be repeated [default: the path of the URL]
    #[arg(short = 't', long, value_name = "FILTER")]
    topic: Vec<OsString>,

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

    /// Show retained messages only, and end at the first that is not
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
    exec: ExecFlags,

    #[command(flatten)]
    format: FormatFlags,

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
        let version = self.session.version();
        let style = self.terminal.style();
        let default = Subscription {
            filter: ByteString::new(),
            qos: self.qos,
            no_local: self.no_local,
            retain_as_published: self.retain_as_published,
            retain_handling: self.retain_handling.unwrap_or_default(),
        };
        let topics = self.topic.into_iter();
        let subscriptions = topics.map(|word| subscription::read(word, &default, version));
        let (session, mut sets) = self
            .session
            .words(&[Place::Subscribe, Place::Unsubscribe])?;
        let exec = self.exec.exec::<Self>(false)?;
        let destination = self
            .destination
            .destination(&fields::MQTT, exec.is_some())?;
        Ok(Plan {
            session,
            subscriptions: subscriptions.collect::<Result<_>>()?,
            default,
            subscribe_properties: sets.take(Place::Subscribe),
            wanted: Wanted {
                subscribes: false,
                unsubscribe_properties: sets.take(Place::Unsubscribe),
                unsubscribe: filters("-U", self.unsubscribe)?,
                filter_out: filters("-T", self.filter_out)?,
                takes_as_acknowledged: false,
                sample: None,
                remove_retained: false,
                skip_retained: self.skip_retained,
                retained_only: self.retained_only,
                exit_after_subscribe: self.exit_after_subscribe,
            },
            until: Until {
                until: self.conditions.until.clone(),
                ..self.until.until()
            },
            stages: self.decode.stages(
                &self.format.output,
                style,
                self.conditions.stages(&fields::MQTT)?,
            )?,
            exec,
            ready: self.ready.ready(),
            counts: false,
            destination,
            format: self.format.format(&fields::MQTT)?,
            style,
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

fn filters(flag: &str, words: Vec<OsString>) -> Result<Vec<ByteString>> {
    words
        .into_iter()
        .map(|word| values::topic_filter(flag, word))
        .collect()
}
