//! `mqtt request`: its flags, and the plan they make.

use std::ffi::OsString;

use clap::Args;

use crate::command::mqtt::request::Plan;
use crate::error::{Error, Result};
use crate::flow::answer;
use crate::message::fields;
use crate::mqtt::packet::{Place, Properties, QoS, Version};

use super::destination;
use super::session::SessionFlags;
use crate::cli::flags::condition::ConditionFlags;
use crate::cli::flags::decode::DecodeFlags;
use crate::cli::flags::format::FormatFlags;
use crate::cli::flags::input::{InputFlags, PacingFlags};
use crate::cli::flags::replies::RepliesFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Asking")]
pub(crate) struct RequestFlags {
    /// Topic to publish requests to, with options of its own and placeholders, as mqtt pub has them; may be repeated: each request is published to every topic, one after the other [default: the path of the URL]
    #[arg(short = 't', long, value_name = "TOPIC")]
    topic: Vec<OsString>,

    /// Topic or filter of the replies, with {topic} and {1}, {2}, … for the topic of the request and its levels, as '{topic}/response'; before MQTT 5 there is no other way [default: a topic for each request, below the response information of the server if it has any]
    #[arg(short = 'e', long, value_name = "TOPIC")]
    response_topic: Option<OsString>,

    #[command(flatten)]
    input: InputFlags,

    /// Quality of service of the requests and of the subscription to the replies: 0, 1 or 2; at 0, a request without a subscriber is not detected [default: 1, or 0 where the server supports no more]
    #[arg(short = 'q', long, value_name = "QOS", value_parser = values::qos)]
    qos: Option<QoS>,

    /// Retain the requests
    #[arg(short = 'r', long)]
    retain: bool,

    #[command(flatten)]
    pacing: PacingFlags,

    #[command(flatten)]
    replies: RepliesFlags,

    #[command(flatten)]
    conditions: ConditionFlags,

    #[command(flatten)]
    format: FormatFlags,

    #[command(flatten)]
    decode: DecodeFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl RequestFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let version = self.session.version();
        let (session, mut sets) = self.session.words(&[Place::Publish])?;
        let properties = sets.take(Place::Publish);
        let named = properties.response_topic().map(|topic| topic.to_string());
        let given = self
            .response_topic
            .map(|word| values::text("--response-topic", word));
        let response_topic = match (given.transpose()?, named) {
            (Some(_), Some(_)) => {
                let text = "-D publish response-topic and --response-topic cannot be used together";
                return Err(Error::usage(text));
            }
            (given, named) => given.or(named),
        };
        if response_topic.is_none() && version.is_some_and(|version| version < Version::V5) {
            return Err(Error::usage("before MQTT 5, --response-topic is needed")
                .hint("use --response-topic '{topic}/response', or whatever topic the responder publishes to"));
        }
        let (source, encoding) = self.input.words()?;
        let qos = self.qos.unwrap_or(QoS::AtLeastOnce);
        let style = self.terminal.style();
        Ok(Plan {
            session,
            topics: destination::all(self.topic, qos, self.retain, &source)?,
            response_topic: response_topic
                .map(|text| values::template("--response-topic", &text, answer::is_name))
                .transpose()?,
            correlate: true,
            subscription: None,
            subscribe_properties: Properties::default(),
            qos,
            lowers_qos: self.qos.is_none(),
            retain: self.retain,
            properties,
            pacing: self.pacing.pacing(&source)?,
            source,
            encoding,
            replies: self.replies.replies(self.conditions.until.clone())?,
            stages: self.decode.stages(
                &self.format.output,
                style,
                self.conditions.stages(&fields::MQTT, style)?,
            )?,
            format: self.format.format(&fields::MQTT)?,
            style,
        })
    }
}
