//! `mqtt sub`: its flags, and the plan they make.

use std::ffi::OsString;

use bytestring::ByteString;
use clap::{Args, ValueEnum};

use crate::command::mqtt_sub::Plan;
use crate::error::{Error, Result};
use crate::mqtt::packet::{Place, QoS, RetainHandling, Subscription};
use crate::output::{Format, Template};

use super::numbers::{Count, Wait};
use super::session_flags::SessionFlags;
use super::subscription;
use super::terminal_flags::TerminalFlags;
use super::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Subscribing")]
pub(super) struct SubFlags {
    /// Filter to subscribe to, with options of its own: 'a/#;qos=1;nl;rap;rh=new'; may be repeated [default: the path of the URL]
    #[arg(short = 't', long, value_name = "FILTER")]
    topic: Vec<OsString>,

    /// Highest quality of service to be delivered: 0, 1 or 2
    #[arg(short = 'q', long, value_name = "QOS", default_value = "0", value_parser = values::qos)]
    qos: QoS,

    /// Leave out what this client published itself (MQTT 5; for one filter: ;nl)
    #[arg(long)]
    no_local: bool,

    /// Keep the retain flag as it was published (MQTT 5; for one filter: ;rap)
    #[arg(long)]
    retain_as_published: bool,

    /// When retained messages come: always, new (not for a subscription that exists) or never (MQTT 5; for one filter: ;rh=new)
    #[arg(long, value_name = "WHEN", value_parser = values::retain_handling)]
    retain_handling: Option<RetainHandling>,

    /// Filter to unsubscribe from in a persistent session; may be repeated
    #[arg(short = 'U', long, value_name = "FILTER")]
    unsubscribe: Vec<OsString>,

    /// Leave out messages whose topic matches this filter; may be repeated
    #[arg(short = 'T', long, value_name = "FILTER")]
    filter_out: Vec<OsString>,

    /// Leave out retained messages
    #[arg(short = 'R', long = "no-retained", conflicts_with = "retained_only")]
    skip_retained: bool,

    /// Show retained messages only, and end at the first that is not
    #[arg(long)]
    retained_only: bool,

    #[command(flatten)]
    until: UntilFlags,

    #[command(flatten)]
    format: FormatFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

/// When the command ends.
#[derive(Args, Debug)]
#[command(next_help_heading = "Until")]
struct UntilFlags {
    /// End after this many messages
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

    /// End as soon as the subscriptions are acknowledged
    #[arg(short = 'E', long, conflicts_with_all = ["count", "duration", "idle", "retained_only"])]
    exit_after_subscribe: bool,
}

/// How a message is shown.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
struct FormatFlags {
    /// How a message is shown: text, hex and base64 are its payload and a line break; raw its payload only; json one object a line; csv a header and a row each
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        conflicts_with = "template"
    )]
    output: Output,

    /// Show messages in mosquitto's format language, such as '%I %t %p'; its sequences stand in iotctl-mqtt-sub(1)
    #[arg(
        short = 'F',
        long = "format",
        value_name = "TEMPLATE",
        allow_hyphen_values = true
    )]
    template: Option<Template>,

    /// Show the topic before each payload (text, hex and base64)
    #[arg(short = 'v', long)]
    verbose: bool,

    /// No line break after each message (text and -F)
    #[arg(short = 'N', long)]
    no_newline: bool,

    /// JSON over several indented lines (json; -F: %j and %J)
    #[arg(long)]
    pretty: bool,

    /// A payload that is JSON stands as it is, as payload_json (json)
    #[arg(long)]
    embed_json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
    Raw,
    Csv,
    Hex,
    Base64,
}

impl FormatFlags {
    fn format(self) -> Result<Format> {
        let (topic, newline) = (self.verbose, !self.no_newline);
        self.check()?;
        if let Some(mut template) = self.template {
            template.newline = newline;
            template.pretty = self.pretty;
            return Ok(Format::Template(template));
        }
        Ok(match self.output {
            Output::Text => Format::Text { topic, newline },
            Output::Json => Format::Json {
                pretty: self.pretty,
                embed: self.embed_json,
            },
            Output::Raw => Format::Raw,
            Output::Csv => Format::Csv,
            Output::Hex => Format::Hex { topic },
            Output::Base64 => Format::Base64 { topic },
        })
    }

    /// Refuses flags that the format would ignore.
    fn check(&self) -> Result<()> {
        let template = self.template.is_some();
        let is = |output| !template && self.output == output;
        let spelled = is(Output::Text) || is(Output::Hex) || is(Output::Base64);
        values::needs("-v", self.verbose, "--output text, hex or base64", spelled)?;
        values::needs(
            "-N",
            self.no_newline,
            "--output text or -F",
            template || is(Output::Text),
        )?;
        values::needs(
            "--pretty",
            self.pretty,
            "--output json or -F",
            template || is(Output::Json),
        )?;
        values::needs(
            "--embed-json",
            self.embed_json,
            "--output json",
            is(Output::Json),
        )
    }
}

impl SubFlags {
    /// What was asked for, checked as far as that can be done without a file or the network.
    pub(super) fn plan(self) -> Result<Plan> {
        self.check()?;
        let version = self.session.version();
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
        Ok(Plan {
            session,
            subscriptions: subscriptions.collect::<Result<_>>()?,
            default,
            subscribe_properties: sets.take(Place::Subscribe),
            unsubscribe_properties: sets.take(Place::Unsubscribe),
            unsubscribe: filters("-U", self.unsubscribe)?,
            filter_out: filters("-T", self.filter_out)?,
            skip_retained: self.skip_retained,
            retained_only: self.retained_only,
            exit_after_subscribe: self.until.exit_after_subscribe,
            count: self.until.count.map(|Count(count)| count),
            timeout: self.until.timeout.map(|Wait(time)| time),
            duration: self.until.duration.map(|Wait(time)| time),
            idle: self.until.idle.map(|Wait(time)| time),
            format: self.format.format()?,
            style: self.terminal.style(),
        })
    }

    fn check(&self) -> Result<()> {
        if self.until.count == Some(Count(0)) {
            return Err(Error::usage("-C 0 waits for no message")
                .hint("to subscribe and leave at once, use -E"));
        }
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
