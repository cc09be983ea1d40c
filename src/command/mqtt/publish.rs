//! `mqtt pub`: publishes messages and waits until each is acknowledged.

use std::time::Duration;

use bytestring::ByteString;

use super::mosquitto;
use super::publisher::Publisher;
use super::session::{SessionArgs, Wants, topic_of};
use crate::connect::{Retry, Target};
use crate::error::{Error, Result};
use crate::flow::{self, Input, Pacing, Until};
use crate::message::{Detail, Message, MqttDetail};
use crate::mqtt::packet::{Disconnect, Place, Properties, Publish, QoS};
use crate::mqtt::topic;
use crate::output::{Console, Style};
use crate::payload::{Bodies, Encoding, Outline, Source};
use crate::stop::Stop;

/// How long to keep trying to come back after a lost connection, unless `--retry` says.
const LATER: Retry = Retry::For(Duration::from_secs(30));

/// What to publish, where and how often.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The session.
    pub session: SessionArgs,
    /// Valid topic names; each message goes to each. Empty when the records of `--ndjson` or the
    /// path of the URL name it; which of them does is known only once the URL is resolved.
    pub topics: Vec<ByteString>,
    /// For messages that do not say their own.
    pub qos: QoS,
    /// Whether the messages are retained; records may say so themselves.
    pub retain: bool,
    /// MQTT 5 properties of each message.
    pub properties: Properties,
    /// Where the bodies come from.
    pub source: Source,
    /// How the bodies are written there.
    pub encoding: Encoding,
    /// How often, and how fast.
    pub pacing: Pacing,
    /// How long no acknowledgement at all may come while some are awaited; `None`: for ever.
    pub ack_timeout: Option<Duration>,
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
    mosquitto::end(stands_in, publish(plan).await)
}

async fn publish(mut plan: Plan) -> Result<()> {
    if let Some(stands_in) = plan.session.stands_in {
        plan.source = stands_in.input(plan.source).await?;
    }
    let stands_in = plan.session.stands_in.is_some();
    let target = plan.session.target()?;
    let topics = topics(&plan.topics, &plan.source, &target)?;
    let bodies =
        Bodies::open(&plan.source, plan.encoding)?.like(outline(&topics, plan.qos, plan.retain));
    plan.properties
        .check(Place::Publish)
        .map_err(Error::usage)?;
    let mut stop = Stop::watch()?;
    let notes = Console::new(plan.style);
    let wants = Wants {
        later: LATER,
        version_5_only: !plan.properties.is_empty(),
        topic_aliases: 0,
    };
    let mut client = plan.session.client(target, &wants, notes).await?;
    if plan.session.persistent {
        // Identifiers that the server may still hold from an earlier process must not be met again.
        client
            .session()
            .start_identifiers_after(std::process::id() as u16);
    }
    let outline = Publish {
        qos: plan.qos,
        retain: plan.retain,
        topic: topics.into_iter().next().unwrap_or_default(),
        properties: plan.properties,
        ..Publish::default()
    };
    let mut input = Input::new(bodies, &plan.pacing);
    let mut publisher = Publisher::new(client, outline, plan.ack_timeout, notes);
    if stands_in {
        publisher.take_qos_0_as_sent();
    }
    let ended = flow::send(&mut input, &mut publisher, &plan.until, &mut stop).await;
    input.report(notes);
    // A retained message waits for subscribers to come.
    if ended.is_ok() && publisher.nobody_heard() && !plan.retain && !stands_in {
        notes.note("accepted, but there are no matching subscribers");
    }
    let properties = plan.session.disconnect_properties;
    let goodbye = Disconnect {
        properties,
        ..Disconnect::default()
    };
    let _ = stop.close(publisher.client.close(goodbye)).await;
    ended
}

/// The topics `given` by `-t`, or the one in the path of the URL; records may name their own.
pub(super) fn topics(
    given: &[ByteString],
    source: &Source,
    target: &Target,
) -> Result<Vec<ByteString>> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    match topic_of(target) {
        Some(name) => {
            topic::check_name(&name).map_err(|invalid| Error::usage(invalid.to_string()))?;
            Ok(vec![name])
        }
        None if *source == Source::Records => Ok(Vec::new()),
        None => Err(Error::usage("no topic to publish to").hint("use -t TOPIC")),
    }
}

/// What records do not say, and what they must.
pub(super) fn outline(topics: &[ByteString], qos: QoS, retain: bool) -> Outline {
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
            "no topic; use -t TOPIC for records without one",
        ));
    }
    topic::check_name(&message.topic).map_err(|invalid| invalid.to_string())
}
