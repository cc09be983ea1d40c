//! `mqtt respond`: its flags, and the plan they make.

use std::ffi::OsString;

use bytestring::ByteString;
use clap::Args;

use crate::command::mqtt::respond::Plan;
use crate::error::{Error, Result};
use crate::flow::{Until, answer};
use crate::message::fields;
use crate::mqtt::packet::{Place, QoS, Subscription, Version};
use crate::payload::captures::Pattern;
use crate::payload::template::Template;

use super::session::SessionFlags;
use super::subscription;
use crate::cli::flags::answer::AnswerFlags;
use crate::cli::flags::condition::ConditionFlags;
use crate::cli::flags::connect::RETRY_FOREVER;
use crate::cli::flags::exec::ExecFlags;
use crate::cli::flags::ready::ReadyFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::flags::until::UntilFlags;
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Answering", mut_arg("retry", |it| it.help(RETRY_FOREVER)))]
pub(crate) struct RespondFlags {
    /// Filter of the requests, optionally with subscription options as in mqtt sub; a level {NAME} is the wildcard + with a name for --response-topic and --template, a last level {NAME...} the wildcard #; may be repeated [default: the path of the URL]
    #[arg(short = 't', long, value_name = "FILTER")]
    topic: Vec<OsString>,

    /// Share the requests with the other members of this group: each is delivered to one of them
    #[arg(long, value_name = "NAME")]
    group: Option<OsString>,

    /// Topic of the replies, with {NAME} from the filter, {topic} and {1}, {2}, … for the topic of the request and its levels, as 'gpio/{pin}/state'; before MQTT 5 there is no other way [default: the response topic of the request]
    #[arg(short = 'e', long, value_name = "TOPIC")]
    response_topic: Option<OsString>,

    #[command(flatten)]
    answer: AnswerFlags,

    /// Quality of service of the subscription and of the replies: 0, 1 or 2; at 0, a reply without a subscriber is not detected [default: 1, or 0 where the server supports no more]
    #[arg(short = 'q', long, value_name = "QOS", value_parser = values::qos)]
    qos: Option<QoS>,

    /// Retain the replies
    #[arg(short = 'r', long)]
    retain: bool,

    /// Skip retained requests
    #[arg(short = 'R', long = "no-retained")]
    skip_retained: bool,

    #[command(flatten)]
    until: UntilFlags,

    #[command(flatten)]
    conditions: ConditionFlags,

    #[command(flatten)]
    exec: ExecFlags,

    #[command(flatten)]
    ready: ReadyFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl RespondFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        values::messages(self.until.count)?;
        let version = self.session.version();
        let qos = self.qos.unwrap_or(QoS::AtLeastOnce);
        let default = Subscription {
            qos,
            ..Subscription::default()
        };
        let group = subscription::group(self.group)?;
        let topics = self.topic.into_iter();
        let subscriptions = topics.map(|word| subscribed(word, group.as_ref(), &default, version));
        let subscriptions = subscriptions.collect::<Result<Vec<_>>>()?;
        let is_name = |word: &str| {
            let mut patterns = subscriptions.iter().map(|(_, pattern)| pattern);
            answer::is_name(word) || patterns.any(|pattern| pattern.names().any(|it| it == word))
        };
        let response_topic = self
            .response_topic
            .map(|word| values::text("--response-topic", word))
            .transpose()?;
        if response_topic.is_none() && version.is_some_and(|version| version < Version::V5) {
            return Err(Error::usage("before MQTT 5, --response-topic is needed").hint(
                "use --response-topic '{topic}/response', or whatever topic the requester subscribes to",
            ));
        }
        let response_topic = response_topic
            .map(|text| topic_template(&text, is_name))
            .transpose()?;
        let answer = self
            .answer
            .answer(self.exec.exec::<Self>(false)?, is_name)?;
        let (session, mut sets) = self.session.words(&[Place::Publish, Place::Subscribe])?;
        Ok(Plan {
            session,
            subscriptions,
            default,
            group,
            subscribe_properties: sets.take(Place::Subscribe),
            skip_retained: self.skip_retained,
            response_topic,
            answer,
            qos,
            lowers_qos: self.qos.is_none(),
            retain: self.retain,
            properties: sets.take(Place::Publish),
            stages: self
                .conditions
                .stages(&fields::MQTT, self.terminal.style())?,
            until: Until {
                until: self.conditions.until.clone(),
                ..self.until.until()
            },
            ready: self.ready.ready(),
            style: self.terminal.style(),
        })
    }
}

/// Reads a filter with options and named wildcards.
fn subscribed(
    word: OsString,
    group: Option<&ByteString>,
    default: &Subscription,
    version: Option<Version>,
) -> Result<(Subscription, Pattern)> {
    let mut subscription = subscription::read(word, default, version)?;
    let filter = match group {
        Some(_) if subscription.filter.starts_with("$share/") => {
            let text = format!("-t {:?} names a group itself", &*subscription.filter);
            return Err(Error::usage(text).hint("remove $share/NAME/ or --group"));
        }
        Some(group) => format!("$share/{group}/{}", subscription.filter),
        None => subscription.filter.to_string(),
    };
    let pattern: Pattern = filter
        .parse()
        .map_err(|why| Error::usage(format!("-t: {why}")))?;
    for name in pattern.names() {
        if Template::is_place(name) || answer::is_name(name) {
            let text = format!("-t: {{{name}}} has a meaning of its own; use another name");
            return Err(Error::usage(text));
        }
    }
    subscription.filter = pattern.filter().into();
    Ok((subscription, pattern))
}

/// Reads the topic of replies. A place of an unknown name is a slip.
fn topic_template(text: &str, is_name: impl Fn(&str) -> bool) -> Result<Template> {
    Template::of_topic(text, is_name).map_err(|unknown| {
        Error::usage(format!(
            "--response-topic {text:?}: {unknown} is not a name in a filter of -t"
        ))
        .hint("write -t 'gpio/{pin}/command' --response-topic 'gpio/{pin}/state'")
    })
}
