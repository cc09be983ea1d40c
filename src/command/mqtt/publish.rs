//! `mqtt pub`: publishes messages and waits until each is acknowledged.

use std::collections::VecDeque;
use std::iter::repeat_n;
use std::time::{Duration, Instant};

use bytes::Bytes;
use bytestring::ByteString;
use tokio::time::sleep_until;

use super::record::to_properties;
use super::session::{SessionArgs, Wants, tell, topic_of};
use crate::connect::{Retry, Target};
use crate::error::{Error, Kind, Result, brief};
use crate::mqtt::client::Client;
use crate::mqtt::packet::{Disconnect, Place, Properties, Publish, QoS, ReasonCode, Version};
use crate::mqtt::session::client::Event;
use crate::mqtt::topic;
use crate::output::{Console, Style};
use crate::payload::{Bodies, Body, Encoding, Source};
use crate::stop::{Asked, Stop};

/// How long to keep trying to come back after a lost connection, unless `--retry` says.
const LATER: Retry = Retry::For(Duration::from_secs(30));

/// As much is handed to the session at once: enough for large writes, little enough to stay in the cache.
const BATCH: usize = 256 * 1024;

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
    /// How often all is published; at least 1.
    pub repeat: u64,
    /// Between two rounds of `repeat`.
    pub delay: Duration,
    /// How long no acknowledgement at all may come while some are awaited; `None`: for ever.
    pub ack_timeout: Option<Duration>,
    /// What the terminal shows.
    pub style: Style,
}

/// Publishes and waits until every message is acknowledged.
///
/// # Errors
/// No connection, a refusal, a lost message, a deadline, unreadable input; see [`Kind`].
pub async fn run(plan: Plan) -> Result<()> {
    let target = plan.session.target()?;
    let topics = plan.topics(&target)?;
    let bodies = Bodies::open(&plan.source, plan.encoding)?;
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
    let mut publisher = Publisher::new(&plan, topics, client, bodies, notes);
    let ended = publisher.publish_all(&mut stop).await;
    let ended = publisher.account(ended);
    let properties = plan.session.disconnect_properties.clone();
    stop.unless_again(publisher.client.close(Disconnect {
        properties,
        ..Disconnect::default()
    }))
    .await;
    ended
}

impl Plan {
    /// The topics of `-t`, or the one in the path of the URL; records may name their own.
    fn topics(&self, target: &Target) -> Result<Vec<ByteString>> {
        if !self.topics.is_empty() {
            return Ok(self.topics.clone());
        }
        match topic_of(target) {
            Some(name) => {
                topic::check_name(&name).map_err(|invalid| Error::usage(invalid.to_string()))?;
                Ok(vec![name])
            }
            None if self.source == Source::Records => Ok(Vec::new()),
            None => Err(Error::usage("no topic to publish to").hint("-t TOPIC names one")),
        }
    }
}

/// What is read and not yet handed to the session.
enum Next {
    /// A body for the outline of this number.
    Fill(usize, Bytes),
    /// A message of its own.
    Whole(Box<Publish>),
}

/// What has become of the messages.
#[derive(Debug, Default)]
struct Tally {
    /// Handed to the session.
    sent: u64,
    /// QoS 1 and 2: accepted by the server. QoS 0: a PINGRESP that came later proves that the server read them.
    acknowledged: u64,
    /// Refused by the server.
    refused: u64,
    /// QoS 0: the connection was lost before the server proved to have read them.
    /// QoS 2: the server lost its session while it owned them.
    in_doubt: u64,
    /// QoS 0: sent, and not yet proved to be read.
    unproved: u64,
    /// As many of `unproved` were sent before the PINGREQ under way.
    before_ping: Option<u64>,
    /// Accepted, but nobody is subscribed (MQTT 5 servers may tell).
    unheard: u64,
    first_refusal: Option<Error>,
}

impl Tally {
    /// Hands a message to the session.
    fn send(&mut self, client: &mut Client, publish: &mut Publish) {
        self.sent += 1;
        match client.publish(publish, self.sent) {
            Ok(()) if publish.qos == QoS::AtMostOnce => self.unproved += 1,
            Ok(()) => {}
            Err(unsendable) => {
                let (topic, server) = (&publish.topic, client.target());
                self.refuse(format!(
                    "cannot publish to {topic} on {server}: {unsendable}"
                ));
            }
        }
    }

    fn refuse(&mut self, text: String) {
        self.refused += 1;
        self.first_refusal
            .get_or_insert_with(|| Error::new(Kind::Refused, text));
    }
}

/// A running `mqtt pub`.
struct Publisher<'a> {
    plan: &'a Plan,
    /// One message for each topic of the command line; only the body is to be filled in.
    outlines: Vec<Publish>,
    client: Client,
    bodies: Bodies,
    notes: Console,
    waiting: VecDeque<Next>,
    read: Vec<Body>,
    /// The bodies of the first round, for the next ones.
    again: Vec<Body>,
    rounds_left: u64,
    next_round: Option<Instant>,
    input_ended: bool,
    tally: Tally,
    last_progress: Instant,
    properties_dropped: bool,
    stopped: Option<Asked>,
    /// Read and given up at the signal.
    unsent: u64,
}

impl<'a> Publisher<'a> {
    fn new(
        plan: &'a Plan,
        topics: Vec<ByteString>,
        client: Client,
        bodies: Bodies,
        notes: Console,
    ) -> Self {
        let outline = |topic| Publish {
            qos: plan.qos,
            retain: plan.retain,
            topic,
            properties: plan.properties.clone(),
            ..Publish::default()
        };
        Self {
            plan,
            outlines: topics.into_iter().map(outline).collect(),
            client,
            bodies,
            notes,
            waiting: VecDeque::new(),
            read: Vec::new(),
            again: Vec::new(),
            rounds_left: plan.repeat,
            next_round: None,
            input_ended: false,
            tally: Tally::default(),
            last_progress: Instant::now(),
            properties_dropped: false,
            stopped: None,
            unsent: 0,
        }
    }

    async fn publish_all(&mut self, stop: &mut Stop) -> Result<()> {
        loop {
            self.hand_over();
            if self.is_done() {
                return Ok(());
            }
            let give_up = self.give_up_at();
            let round = self.next_round.filter(|_| self.waiting.is_empty());
            // Input is read only when the session wants more: memory stays bounded however fast it comes.
            let hungry = self.waiting.is_empty()
                && !self.input_ended
                && self.client.can_publish(self.plan.qos);
            tokio::select! {
                biased;
                asked = stop.asked() => self.stop(asked),
                more = self.bodies.next(&mut self.read), if hungry => self.take_input(more?)?,
                driven = self.client.drive() => {
                    driven?;
                    self.take_in();
                }
                () = sleep_until(round.unwrap_or_else(Instant::now).into()), if round.is_some() => self.start_round()?,
                () = sleep_until(give_up.unwrap_or_else(Instant::now).into()), if give_up.is_some() => {
                    return Err(self.unanswered());
                }
            }
        }
    }

    /// Hands waiting messages to the session as far as it takes them.
    fn hand_over(&mut self) {
        while let Some(next) = self.waiting.front() {
            let qos = match next {
                Next::Fill(..) => self.plan.qos,
                Next::Whole(publish) => publish.qos,
            };
            if !self.client.can_publish(qos) || self.client.unwritten() >= BATCH {
                return;
            }
            if self.client.session().unfinished() == 0 && self.tally.unproved == 0 {
                self.last_progress = Instant::now();
            }
            match self.waiting.pop_front() {
                Some(Next::Fill(at, body)) => {
                    let outline = &mut self.outlines[at];
                    outline.payload = body;
                    self.tally.send(&mut self.client, outline);
                }
                Some(Next::Whole(mut publish)) => self.tally.send(&mut self.client, &mut publish),
                None => {}
            }
        }
        self.ask_for_proof();
    }

    /// QoS 0 messages have no acknowledgement; but a server answers a PINGREQ only after it has read all before it.
    fn ask_for_proof(&mut self) {
        if self.tally.unproved > 0
            && self.tally.before_ping.is_none()
            && self.client.can_publish(QoS::AtMostOnce)
        {
            self.tally.before_ping = Some(self.tally.unproved);
            self.client.session().ping(Instant::now());
        }
    }

    fn is_done(&mut self) -> bool {
        self.input_ended
            && self.waiting.is_empty()
            && (self.rounds_left == 0 || self.stopped.is_some())
            && self.client.session().unfinished() == 0
            && self.tally.unproved == 0
    }

    fn take_input(&mut self, more: bool) -> Result<()> {
        let keep = self.plan.repeat > 1;
        let mut read = std::mem::take(&mut self.read);
        for body in read.drain(..) {
            if keep {
                self.again.push(body.clone());
            }
            self.enqueue(body)?;
        }
        self.read = read;
        if !more {
            self.input_ended = true;
            self.round_done();
        }
        Ok(())
    }

    fn round_done(&mut self) {
        self.rounds_left = self.rounds_left.saturating_sub(1);
        self.next_round = (self.rounds_left > 0)
            .then(|| self.next_round.unwrap_or_else(Instant::now) + self.plan.delay);
    }

    fn start_round(&mut self) -> Result<()> {
        for body in self.again.clone() {
            let body = self.bodies.anew(body);
            self.enqueue(body)?;
        }
        self.round_done();
        Ok(())
    }

    /// Puts one message for each topic into the queue.
    fn enqueue(&mut self, body: Body) -> Result<()> {
        match body {
            Body {
                payload,
                topic: None,
                qos: None,
                retain: None,
                properties: None,
                // What a record says about AMQP is of no concern here, nor when it was made.
                amqp: _,
                time: _,
            } if !self.outlines.is_empty() => {
                for (at, body) in repeat_n(payload, self.outlines.len()).enumerate() {
                    self.waiting.push_back(Next::Fill(at, body));
                }
                Ok(())
            }
            record => self.enqueue_record(record),
        }
    }

    /// Puts a record that says more than its body into the queue.
    fn enqueue_record(&mut self, body: Body) -> Result<()> {
        let qos = body.qos.and_then(QoS::from_level).unwrap_or(self.plan.qos);
        let properties = match body.properties {
            Some(record) => self.version_5_only(to_properties(*record)),
            None => self.plan.properties.clone(),
        };
        let mut publish = Publish {
            qos,
            retain: body.retain.unwrap_or(self.plan.retain),
            payload: body.payload,
            properties,
            ..Publish::default()
        };
        if let Some(name) = body.topic {
            topic::check_name(&name)
                .map_err(|invalid| Error::usage(format!("record with a bad topic: {invalid}")))?;
            publish.topic = name;
            self.waiting.push_back(Next::Whole(Box::new(publish)));
            return Ok(());
        }
        if self.outlines.is_empty() {
            return Err(Error::usage("record without a topic")
                .hint("-t TOPIC names one for all that have none"));
        }
        for outline in &self.outlines {
            self.waiting.push_back(Next::Whole(Box::new(Publish {
                topic: outline.topic.clone(),
                ..publish.clone()
            })));
        }
        Ok(())
    }

    fn version_5_only(&mut self, properties: Properties) -> Properties {
        if self.client.session().version() == Version::V5 || properties.is_empty() {
            return properties;
        }
        if !std::mem::replace(&mut self.properties_dropped, true) {
            self.notes
                .warn("the properties of the records are left out: they need MQTT 5");
        }
        Properties::default()
    }

    fn take_in(&mut self) {
        while let Some(notice) = self.client.poll_notice() {
            // What was sent at QoS 0 and not proved to be read may be gone with the connection.
            self.tally.in_doubt += std::mem::take(&mut self.tally.unproved);
            self.tally.before_ping = None;
            tell(notice, &self.client, self.notes);
        }
        let now = Instant::now();
        while let Some(event) = self.client.poll_event() {
            self.event(event, now);
        }
    }

    fn event(&mut self, event: Event, now: Instant) {
        match event {
            Event::Acknowledged {
                reason,
                reason_string,
                topic,
                ..
            } => {
                self.last_progress = now;
                if reason.is_failure() {
                    self.refused(reason, reason_string.as_deref(), topic);
                    return;
                }
                self.tally.acknowledged += 1;
                self.tally.unheard += u64::from(reason == ReasonCode::NO_MATCHING_SUBSCRIBERS);
            }
            Event::Pong => {
                self.last_progress = now;
                let proved = self.tally.before_ping.take().unwrap_or(0);
                self.tally.unproved -= proved;
                self.tally.acknowledged += proved;
            }
            Event::InDoubt(_) => self.tally.in_doubt += 1,
            Event::Connected { .. } => self.last_progress = now,
            _ => {}
        }
    }

    fn refused(
        &mut self,
        reason: ReasonCode,
        reason_string: Option<&str>,
        topic: Option<ByteString>,
    ) {
        let words = reason_string
            .map(|text| format!(": {}", brief(text)))
            .unwrap_or_default();
        let place = topic.map(|name| format!(" to {name}")).unwrap_or_default();
        let text = format!(
            "{} refused the message{place}: {reason}{words}",
            self.client.target()
        );
        self.tally.refuse(text);
    }

    /// Stops reading; what is under way is still waited for.
    fn stop(&mut self, asked: Asked) {
        self.stopped = Some(asked);
        self.unsent = self.waiting.len() as u64;
        self.waiting.clear();
        self.input_ended = true;
        self.next_round = None;
    }

    fn give_up_at(&mut self) -> Option<Instant> {
        let awaited = self.client.session().unfinished() > 0 || self.tally.before_ping.is_some();
        let limit = self
            .plan
            .ack_timeout
            .filter(|_| awaited && self.client.session().is_online())?;
        Some(self.last_progress + limit)
    }

    fn unanswered(&mut self) -> Error {
        let limit = humantime::format_duration(self.plan.ack_timeout.unwrap_or_default());
        Error::new(
            Kind::TimedOut,
            format!(
                "no acknowledgement from {} for {limit}",
                self.client.target()
            ),
        )
    }

    /// The whole truth about what was sent, in one line, when it is not the simple one.
    fn account(&mut self, ended: Result<()>) -> Result<()> {
        let tally = &self.tally;
        let open = tally.sent - tally.acknowledged - tally.refused - tally.in_doubt;
        let unsent = self.unsent + self.waiting.len() as u64;
        if self.stopped.is_some() || ended.is_err() || tally.in_doubt > 0 || tally.refused > 0 {
            return Err(self.failure(ended, open, unsent));
        }
        // A retained message waits for subscribers to come.
        if tally.unheard > 0 && tally.unheard == tally.sent && !self.plan.retain {
            self.notes.note("accepted, but nobody is subscribed to it");
        }
        ended
    }

    fn failure(&mut self, ended: Result<()>, open: u64, unsent: u64) -> Error {
        let tally = &mut self.tally;
        let cause = match (ended, self.stopped, tally.first_refusal.take()) {
            (Err(error), ..) => error,
            (Ok(()), Some(asked), _) => Error::new(asked.kind(), "interrupted"),
            (Ok(()), None, Some(refusal)) if tally.in_doubt == 0 => refusal,
            _ => Error::new(
                Kind::Lost,
                format!(
                    "the connection to {} was lost meanwhile",
                    self.client.target()
                ),
            ),
        };
        if tally.sent + unsent == 0 || (tally.sent == 1 && unsent == 0 && tally.refused == 1) {
            return cause;
        }
        let mut parts = vec![format!(
            "of {} messages sent, {} are acknowledged",
            tally.sent, tally.acknowledged
        )];
        let details = [
            (tally.refused, "refused"),
            (tally.in_doubt, "in doubt"),
            (open, "not acknowledged"),
        ];
        parts.extend(
            details
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{count} {what}")),
        );
        if unsent > 0 {
            parts.push(format!("and {unsent} were read but not sent"));
        }
        let error = Error::new(cause.kind(), format!("{cause}: {}", parts.join(", ")));
        match cause.hint_text() {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}
