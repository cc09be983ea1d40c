//! A client that publishes as a target of messages.

mod lowered;
mod state;

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use bytestring::ByteString;
use serde_json::Value;
use tokio::time::sleep_until;

use self::lowered::Lowered;
use super::record::published;
use super::session::tell;
use crate::connect::Target;
use crate::connect::failure::reconnected;
use crate::error::{Cause, Error, Kind, Result, brief};
use crate::flow::{self, Number, Outcome, Progress};
use crate::message::{Detail, Message};
use crate::mqtt::client::{Client, Connection, Notice};
use crate::mqtt::packet::{Disconnect, Properties, Publish, QoS, ReasonCode, Version};
use crate::mqtt::session::client::{Event, Session, Unsendable};
use crate::mqtt::session::fault::is_about_a_message;
use crate::output::Console;

/// As much is handed to the session at once: enough for large writes, little enough to stay in the cache.
const BATCH: usize = 256 * 1024;

/// As many bytes may be under way at QoS 1 and 2, beside the window: one larger message is let through alone.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Publishes what it takes. QoS 1 and 2 messages stay in the session until they are acknowledged, through every reconnect.
pub(crate) struct Publisher<C = Client> {
    pub(crate) client: C,
    notes: Console,
    /// What a message does not say itself; without a topic, where every message says its own.
    outline: Publish,
    /// How long no acknowledgement at all may come while some are awaited; `None`: for ever.
    patience: Option<Duration>,
    /// What it gives up then is the connection, and not everything.
    reconnects: bool,
    /// Do not fit into the window, as their QoS is not that of the outline.
    parked: VecDeque<(Number, Box<Publish>)>,
    /// At QoS 0: sent, and not yet proved to be read, in runs of numbers.
    unproved: VecDeque<(Number, Number)>,
    /// As many messages are in those runs, and may be.
    unproved_count: u64,
    most_unproved: u64,
    /// As many runs of `unproved` were sent before the PINGREQ under way.
    before_ping: usize,
    /// What could not be handed to the session.
    unsendable: Vec<Progress>,
    last_progress: Instant,
    ever_connected: bool,
    /// Since when a connection that was there has been lost.
    away_since: Option<Instant>,
    properties_dropped: bool,
    /// What is sent at QoS 0 counts only once the server has proved that it has read it.
    proves: bool,
    accepted: u64,
    /// Accepted, but nobody is subscribed (MQTT 5 servers may tell).
    unheard: u64,
    /// A message was retained: it waits for subscribers to come.
    retains: bool,
    /// Called with the number of each of those.
    on_unheard: Option<Box<dyn FnMut(Number)>>,
    /// What nobody is subscribed to is refused.
    requires_subscribers: bool,
    /// Published each time the connection is there, retained: what it is then, and what before it is closed.
    state: Option<Box<[Publish; 2]>>,
    /// It is to be published.
    state_due: bool,
    /// It is not acknowledged yet.
    state_under_way: bool,
    /// How messages were acknowledged that [`flow::Target::details`] was not asked about yet, if it will be.
    acknowledged: Option<HashMap<Number, (u16, ReasonCode)>>,
    /// What the server does not take of a message is left out; what was told of that.
    lowered: Option<Lowered>,
    /// What is to be told of the connection if this goes on.
    untold: Vec<Notice>,
}

impl<C: Connection> Publisher<C> {
    /// Over a client that has not connected yet.
    pub(crate) fn new(
        client: C,
        outline: Publish,
        patience: Option<Duration>,
        notes: Console,
    ) -> Self {
        Self {
            client,
            notes,
            outline,
            patience,
            reconnects: false,
            parked: VecDeque::new(),
            unproved: VecDeque::new(),
            unproved_count: 0,
            most_unproved: u64::MAX,
            before_ping: 0,
            unsendable: Vec::new(),
            last_progress: Instant::now(),
            ever_connected: false,
            away_since: None,
            properties_dropped: false,
            proves: true,
            accepted: 0,
            unheard: 0,
            retains: false,
            on_unheard: None,
            requires_subscribers: false,
            state: None,
            state_due: false,
            state_under_way: false,
            acknowledged: None,
            lowered: None,
            untold: Vec::new(),
        }
    }

    /// Calls `tell` with the number of each message that is accepted although nobody is subscribed.
    pub(crate) fn on_unheard(&mut self, tell: impl FnMut(Number) + 'static) {
        self.on_unheard = Some(Box::new(tell));
    }

    /// A server that acknowledges nothing in time is connected to again, and so is one that ends the connection over a message.
    pub(crate) fn reconnect_when_unanswered(&mut self) {
        self.reconnects = true;
        self.client.outlive_objections();
    }

    /// So many messages at QoS 0 may be under way that the server has not proved to have read.
    pub(crate) const fn bound_unproved(&mut self, most: u64) {
        self.most_unproved = most;
    }

    /// What nobody is subscribed to counts as refused.
    pub(crate) const fn require_subscribers(&mut self) {
        self.requires_subscribers = true;
    }

    /// What the server said when it closed the connection, if it said so.
    fn with_reason(&self, text: String) -> String {
        match self.client.dismissed() {
            Some(reason) => format!("{text}: {reason}"),
            None => text,
        }
    }

    /// Ends the connection in good order.
    pub(crate) async fn close(&mut self) {
        if self.client.is_online() {
            self.publish_state(1);
        }
        self.client.close(Disconnect::default()).await;
    }

    /// Keeps what is to be told of each message.
    pub(crate) fn keep_details(&mut self) {
        self.acknowledged = Some(HashMap::new());
    }

    /// What is sent at QoS 0 counts as soon as it is written.
    pub(crate) const fn take_qos_0_as_sent(&mut self) {
        self.proves = false;
    }

    /// Whether everything was accepted, and nobody was there to get it, or will come to it.
    pub(crate) const fn nobody_heard(&self) -> bool {
        self.unheard > 0 && self.unheard == self.accepted && !self.retains
    }

    /// Hands a message that says more than its body to the session.
    #[inline(never)]
    fn send_record(&mut self, number: Number, publish: &mut Publish) {
        self.send(number, Some(publish));
    }

    /// Hands a message to the session: this one, or the outline.
    #[inline(always)]
    fn send(&mut self, number: Number, publish: Option<&mut Publish>) {
        if self.client.unfinished() == 0 && self.unproved.is_empty() {
            self.last_progress = Instant::now();
        }
        let publish = publish.unwrap_or(&mut self.outline);
        self.retains |= publish.retain;
        match self.client.publish(publish, number) {
            Ok(()) if publish.qos == QoS::AtMostOnce => {
                self.unproved_count += 1;
                let open = self.unproved.len() > self.before_ping;
                match self.unproved.back_mut().filter(|_| open) {
                    Some((_, last)) if *last + 1 == number => *last = number,
                    _ => self.unproved.push_back((number, number)),
                }
            }
            Ok(()) => {}
            Err(unsendable) => {
                let publish = publish.clone();
                self.unsent(number, publish, &unsendable);
            }
        }
    }

    /// The server does not take the message as it is.
    #[cold]
    fn unsent(&mut self, number: Number, mut publish: Publish, why: &Unsendable) {
        if self.lowers(&mut publish, why) {
            return self.send_or_park(number, publish);
        }
        let (topic, server) = (brief(&publish.topic), self.client.target());
        let text = format!("cannot publish to {topic} on {server}: {why}");
        let refused = Outcome::Refused(Error::new(Kind::Refused, text));
        self.unsendable.push(Progress::One(number, refused));
    }

    /// Takes a message that says more than its body.
    #[inline(never)]
    fn take_record(&mut self, number: Number, message: Message) {
        let mut publish = published(message, &self.outline);
        publish.properties = self.version_5_only(std::mem::take(&mut publish.properties));
        self.send_or_park(number, publish);
    }

    /// Sends a message now, or as soon as there is room for it.
    fn send_or_park(&mut self, number: Number, mut publish: Publish) {
        match self.parked.is_empty() && self.client.can_publish(publish.qos) {
            true => self.send_record(number, &mut publish),
            false => self.parked.push_back((number, Box::new(publish))),
        }
    }

    fn version_5_only(&mut self, properties: Properties) -> Properties {
        if self.client.look(Session::version) == Version::V5 || properties.is_empty() {
            return properties;
        }
        if !std::mem::replace(&mut self.properties_dropped, true) {
            self.notes
                .warn("the properties of the messages are dropped: they need MQTT 5");
        }
        Properties::default()
    }

    /// QoS 0 messages have no acknowledgement; but a server answers a PINGREQ only after it has read all before it.
    fn ask_for_proof(&mut self) {
        if !self.unproved.is_empty()
            && self.before_ping == 0
            && self.client.can_publish(QoS::AtMostOnce)
        {
            self.before_ping = self.unproved.len();
            self.client.with(|session| session.ping(Instant::now()));
        }
    }

    /// What came before a loss counts, also when both were in one read: its notice is taken after the events of the connection
    /// that is gone.
    fn take_in(&mut self, into: &mut Vec<Progress>) {
        let now = Instant::now();
        while let Some(event) = self.client.poll_event() {
            if matches!(event, Event::Connected { .. }) {
                self.take_notices(into);
            }
            match self.is_of_state(&event) {
                true => self.state_event(event, now),
                false => self.event(event, now, into),
            }
        }
        self.publish_due_state();
        self.take_notices(into);
    }

    fn take_notices(&mut self, into: &mut Vec<Progress>) {
        while let Some(notice) = self.client.poll_notice() {
            // What was sent at QoS 0 and not proved to be read may be gone with the connection.
            self.doubt(into);
            if matches!(notice, Notice::Gone) {
                continue;
            }
            if self.ever_connected {
                self.away_since.get_or_insert_with(Instant::now);
            }
            // A loss that came with the last acknowledgement matters to whoever sends more.
            match !into.is_empty() && flow::Target::is_idle(self) {
                true => self.untold.push(notice),
                false => tell(notice, self.client.target(), self.notes),
            }
        }
    }

    fn doubt(&mut self, into: &mut Vec<Progress>) {
        self.before_ping = 0;
        self.unproved_count = 0;
        for (first, last) in self.unproved.drain(..) {
            into.extend((first..=last).map(|number| Progress::One(number, Outcome::InDoubt(None))));
        }
    }

    #[inline]
    fn event(&mut self, event: Event, now: Instant, into: &mut Vec<Progress>) {
        let (number, outcome) = match event {
            Event::Acknowledged {
                ticket,
                packet_id,
                reason,
                reason_string,
                topic,
            } => {
                self.last_progress = now;
                if let Some(acknowledged) = &mut self.acknowledged {
                    acknowledged.insert(ticket, (packet_id, reason));
                }
                let outcome = match reason.is_failure() {
                    true => {
                        let refusal = self.refusal(reason, reason_string.as_deref(), topic);
                        Outcome::Refused(refusal)
                    }
                    false => self.accepted(ticket, reason),
                };
                (ticket, outcome)
            }
            Event::InDoubt { ticket, reason } => {
                let why = reason.map(|reason| forgotten(self.client.target(), reason));
                (ticket, Outcome::InDoubt(why))
            }
            Event::Abandoned { ticket, topic } => {
                let name = self.client.target().to_string();
                let why = flow::twice(&name, ticket, &topic);
                let text = self.with_reason(why.text().to_owned());
                (ticket, Outcome::Refused(why.reworded(text)))
            }
            Event::Unsendable { ticket, message } => {
                let (publish, why) = *message;
                self.last_progress = now;
                self.unsent(ticket, publish, &why);
                into.append(&mut self.unsendable);
                return;
            }
            Event::Pong => {
                self.last_progress = now;
                self.proved(into);
                return;
            }
            Event::Connected { .. } => {
                self.last_progress = now;
                self.ever_connected = true;
                self.state_due = self.state.is_some();
                if let Some(since) = self.away_since.take() {
                    self.notes.note(reconnected(self.client.target(), since));
                }
                return;
            }
            _ => return,
        };
        into.push(Progress::One(number, outcome));
    }

    #[inline]
    fn accepted(&mut self, number: Number, reason: ReasonCode) -> Outcome {
        self.accepted += 1;
        if reason != ReasonCode::NO_MATCHING_SUBSCRIBERS {
            return Outcome::Accepted;
        }
        self.unheard += 1;
        if let Some(tell) = &mut self.on_unheard {
            tell(number);
        }
        if self.requires_subscribers {
            let text = format!("{} has no matching subscribers", self.client.target());
            return Outcome::Refused(Error::new(Kind::Refused, text));
        }
        Outcome::Accepted
    }

    fn proved(&mut self, into: &mut Vec<Progress>) {
        for (first, last) in self.unproved.drain(..std::mem::take(&mut self.before_ping)) {
            self.unproved_count -= last - first + 1;
            match self.client.unfinished() {
                // Every number up to the last went out at QoS 0, or has its outcome.
                0 => into.push(Progress::Through(last)),
                _ => into
                    .extend((first..=last).map(|number| Progress::One(number, Outcome::Accepted))),
            }
        }
    }

    fn refusal(
        &self,
        reason: ReasonCode,
        reason_string: Option<&str>,
        topic: Option<ByteString>,
    ) -> Error {
        let words = reason_string
            .map(|text| format!(": {}", brief(text)))
            .unwrap_or_default();
        let place = topic
            .map(|name| format!(" to {}", brief(&name)))
            .unwrap_or_default();
        let text = format!(
            "{} refused the message{place}: {reason}{words}",
            self.client.target()
        );
        let cause = match reason {
            ReasonCode::QUOTA_EXCEEDED => Cause::RefusedForNow,
            _ => Cause::MessageRefused,
        };
        Error::new(reason.kind(), text).because(cause)
    }

    /// When the server has had long enough to acknowledge something.
    fn give_up_at(&self) -> Option<Instant> {
        let awaited = self.client.unfinished() > 0 || self.before_ping > 0;
        let patience = self
            .patience
            .filter(|_| awaited && self.client.is_online())?;
        Some(self.last_progress + patience)
    }

    fn unanswered(&self) -> Error {
        let limit = humantime::format_duration(self.patience.unwrap_or_default());
        let text = format!(
            "no acknowledgement from {} for {limit}",
            self.client.target()
        );
        Error::new(Kind::TimedOut, text)
    }

    /// The end of the connection in the words of what it means: a server that objects to what it was sent refuses that.
    fn objection(&self, error: Error) -> Error {
        let objects = self.client.dismissed().is_some_and(is_about_a_message);
        let under_way = self.client.unfinished() > 0 || !self.unproved.is_empty();
        match objects && under_way {
            true => Error::new(Kind::Refused, error.text()).because(Cause::HungUp),
            false => error,
        }
    }
}

impl<C: Connection> flow::Target for Publisher<C> {
    fn name(&self) -> String {
        self.client.target().to_string()
    }

    #[inline]
    fn has_room(&self) -> bool {
        self.parked.is_empty()
            && self.client.can_publish(self.outline.qos)
            && self.client.unwritten() < BATCH
            && self.client.kept_bytes() < MOST_BYTES
            && self.unproved_count < self.most_unproved
    }

    fn is_idle(&self) -> bool {
        self.client.unfinished() == 0
            && self.unproved.is_empty()
            && self.unsendable.is_empty()
            && self.parked.is_empty()
    }

    fn unsent(&self) -> u64 {
        self.parked.len() as u64
    }

    #[inline]
    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        match message {
            Message {
                topic,
                payload,
                detail: Detail::Plain,
                ..
            } if topic.is_empty() => {
                self.outline.payload = payload;
                self.send(number, None);
            }
            record => self.take_record(number, record),
        }
        Ok(())
    }

    fn details(&mut self, number: Number) -> Vec<(&'static str, Value)> {
        let known = self.acknowledged.as_mut();
        let Some((packet_id, reason)) = known.and_then(|known| known.remove(&number)) else {
            return Vec::new();
        };
        // PUBACK and PUBCOMP have no reason before MQTT 5.
        let name = (self.client.look(Session::version) == Version::V5).then(|| {
            [
                ("reason_code", reason.0.into()),
                ("reason", reason.name().unwrap_or("unknown").into()),
            ]
        });
        let packet_id = ("packet_id", packet_id.into());
        std::iter::once(packet_id)
            .chain(name.into_iter().flatten())
            .collect()
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        for notice in std::mem::take(&mut self.untold) {
            tell(notice, self.client.target(), self.notes);
        }
        while let Some((_, next)) = self.parked.front()
            && self.client.can_publish(next.qos)
            && let Some((number, mut publish)) = self.parked.pop_front()
        {
            self.send_record(number, &mut publish);
        }
        if !self.unsendable.is_empty() {
            into.append(&mut self.unsendable);
            return Ok(());
        }
        if self.proves {
            self.ask_for_proof();
        } else if !self.unproved.is_empty()
            && self.client.is_online()
            && self.client.unwritten() == 0
        {
            self.before_ping = self.unproved.len();
            self.proved(into);
            return Ok(());
        }
        let give_up = self.give_up_at();
        let driven = tokio::select! {
            biased;
            driven = self.client.drive() => driven,
            () = sleep_until(give_up.unwrap_or_else(Instant::now).into()), if give_up.is_some() => {
                let why = self.unanswered();
                match self.reconnects {
                    true => self.client.give_up(why),
                    false => Err(why),
                }
            }
        };
        self.take_in(into);
        driven.map_err(|error| self.objection(error))
    }
}

/// What a server means that answers PUBREL with a failure: it had the message (PUBREC), and knows nothing of it.
pub(super) fn forgotten(server: &Target, reason: ReasonCode) -> Error {
    let text = format!("{server} does not know a message that it has received: {reason}");
    Error::new(Kind::Lost, text)
}
