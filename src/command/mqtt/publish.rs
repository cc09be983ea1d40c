//! `mqtt pub`: publishes messages and waits until each is acknowledged.

use std::time::Duration;

use bytestring::ByteString;

use super::mosquitto;
use super::publisher::Publisher;
use super::session::{SessionArgs, Wants, topic_of};
use crate::connect::{Retry, Target};
use crate::error::{Error, Result};
use crate::flow::{self, AckReport, Input, Pacing, Reported, Stages, Until};
use crate::message::{Detail, Message, MqttDetail};
use crate::mqtt::client::Connection;
use crate::mqtt::packet::{Disconnect, Place, Properties, Publish, QoS, Version};
use crate::mqtt::topic;
use crate::output::{Console, Format, Output, Style};
use crate::payload::{Bodies, Destination, Encoding, Outline, Source};
use crate::stop::Stop;

/// How long to keep trying to come back after a lost connection, unless `--retry` says.
const LATER: Retry = Retry::For(Duration::from_secs(30));

/// What to publish, where and how often.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The session.
    pub session: SessionArgs,
    /// Valid topic names, or what becomes one; each message goes to each. Empty when the records of `--ndjson` or the
    /// path of the URL name it; which of them does is known only once the URL is resolved.
    pub topics: Vec<Destination>,
    /// For messages that do not say their own.
    pub qos: QoS,
    /// A server that does not take the QoS of a message gets it at the highest that it takes.
    pub lowers_qos: bool,
    /// Whether the messages are retained; records may say so themselves.
    pub retain: bool,
    /// MQTT 5 properties of each message.
    pub properties: Properties,
    /// Where the bodies come from.
    pub source: Source,
    /// How the bodies are written there.
    pub encoding: Encoding,
    /// What becomes of each message before (`--map`).
    pub stages: Stages,
    /// How often, and how fast.
    pub pacing: Pacing,
    /// How long no acknowledgement at all may come while some are awaited; `None`: for ever.
    pub ack_timeout: Option<Duration>,
    /// A message that matches no subscription is a failure; none goes out at QoS 0 then.
    pub require_subscribers: bool,
    /// Prints what became of each message.
    pub ack_report: Option<AckReport>,
    /// When it is given up, and how long what is under way may take then.
    pub until: Until,
    /// What the terminal shows.
    pub style: Style,
}

/// Publishes and waits until every message is acknowledged.
///
/// # Errors
/// No connection, a refusal, a lost message, a deadline, unreadable input; see [`Kind`](crate::error::Kind).
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let stands_in = plan.session.stands_in;
    mosquitto::end(stands_in, publish(plan).await.map(drop))
}

/// The same; says whether the server is one that tells when it refuses a message. Before MQTT 5 none does, and at QoS 0 there is no
/// answer.
///
/// # Errors
/// Those of [`run`].
pub(super) async fn publish(mut plan: Plan) -> Result<bool> {
    if let Some(stands_in) = plan.session.stands_in {
        plan.source = stands_in.input(plan.source).await?;
    }
    let target = plan.session.target()?;
    let topics = topics(&plan.topics, &plan.source, &target)?;
    let mut like = outline(&topics, plan.qos, plan.retain);
    if plan.require_subscribers {
        like.check = check_acknowledged;
    }
    let bodies = Bodies::open(&plan.source, plan.encoding)?.like(like);
    plan.properties
        .check(Place::Publish)
        .map_err(Error::usage)?;
    let opened = |report| Output::open(Format::Raw, plan.style).map(|output| (report, output));
    let report = plan.ack_report.map(opened).transpose()?;
    let mut stop = Stop::watch()?;
    let notes = Console::new(plan.style);
    let named = plan.source.named_file();
    if let Some(file) = named.filter(|_| plan.session.stands_in.is_none()) {
        notes.note(file);
    }
    let mut input = Input::new(bodies, &plan.pacing);
    let topic = first(topics);
    let mut publisher = plan.publisher(target, topic.clone(), notes).await?;
    let target = Reported::new(&mut publisher, report, topic);
    let (ended, target) =
        flow::send_mapped(&mut input, target, &plan.stages, &plan.until, &mut stop).await;
    let _ = stop.close(target.close()).await;
    input.report(notes);
    let stands_in = plan.session.stands_in.is_some();
    if ended.is_ok() && publisher.nobody_heard() && !stands_in {
        notes.note("accepted, but there are no matching subscribers");
    }
    let tells_refusals = Connection::look(&publisher.client, |session| {
        session.version() == Version::V5 && plan.qos.min(session.maximum_qos()) > QoS::AtMostOnce
    });
    let properties = plan.session.disconnect_properties;
    let goodbye = Disconnect {
        properties,
        ..Disconnect::default()
    };
    let _ = stop.close(publisher.client.close(goodbye)).await;
    ended.map(|()| tells_refusals)
}

impl Plan {
    async fn publisher(
        &self,
        target: Target,
        topic: ByteString,
        notes: Console,
    ) -> Result<Publisher> {
        let wants = Wants {
            later: LATER,
            version_5_only: !self.properties.is_empty() || self.require_subscribers,
            topic_aliases: 0,
        };
        let mut client = self.session.client(target, &wants, notes).await?;
        if self.session.persistent {
            // Identifiers that the server may still hold from an earlier process must not be met again.
            client
                .session()
                .start_identifiers_after(std::process::id() as u16);
        }
        let outline = Publish {
            qos: self.qos,
            retain: self.retain,
            topic,
            properties: self.properties.clone(),
            ..Publish::default()
        };
        let mut publisher = Publisher::new(client, outline, self.ack_timeout, notes);
        if self.session.stands_in.is_some() {
            publisher.take_qos_0_as_sent();
        }
        if self.lowers_qos {
            publisher.lower_qos();
        }
        if self.require_subscribers {
            publisher.require_subscribers();
        }
        if self.ack_report.is_some() {
            publisher.keep_details();
        }
        Ok(publisher)
    }
}

/// The topic of messages that name none; one that is to be filled in is known only with each.
pub(super) fn first(topics: Vec<Destination>) -> ByteString {
    let first = topics.into_iter().next();
    first
        .and_then(|topic| topic.fixed().cloned())
        .unwrap_or_default()
}

/// The topics `given` by `-t`, or the one in the path of the URL; records may name their own.
pub(super) fn topics(
    given: &[Destination],
    source: &Source,
    target: &Target,
) -> Result<Vec<Destination>> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    match topic_of(target) {
        Some(name) => {
            topic::check_name(&name).map_err(|invalid| Error::usage(invalid.to_string()))?;
            Ok(vec![Destination::new(name)])
        }
        None if source.names_topics() => Ok(Vec::new()),
        None => Err(Error::usage("no topic to publish to").hint("use -t TOPIC")),
    }
}

/// What records do not say, and what they must.
pub(super) fn outline(topics: &[Destination], qos: QoS, retain: bool) -> Outline {
    Outline {
        topics: topics.to_vec(),
        detail: Detail::Mqtt(MqttDetail {
            qos: qos.level(),
            retain,
            ..MqttDetail::default()
        }),
        check: check_record,
    }
}

fn check_record(message: &Message) -> Result<(), String> {
    if message.topic.is_empty() {
        return Err(String::from(
            "no topic; use -t TOPIC for messages without one",
        ));
    }
    topic::check_name(&message.topic).map_err(|invalid| invalid.to_string())
}

fn check_acknowledged(message: &Message) -> Result<(), String> {
    match &message.detail {
        Detail::Mqtt(detail) if detail.qos == 0 => Err(String::from(
            "QoS 0, at which --require-subscribers learns nothing",
        )),
        _ => check_record(message),
    }
}
