//! Messages that leave a queue without being acknowledged, and where they go (RabbitMQ's dead letters).

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use amq_protocol::protocol::basic::AMQPProperties;
use amq_protocol::types::{AMQPValue, FieldArray, FieldTable};

use super::super::frame::short;
use super::chores::{Chore, TURN};
use super::core::Core;
use super::exchange::{Headers, Routed, copies};
use super::matching::whole;
use super::message::{Message, Properties};
use super::queue::Queued;
use crate::server::Key;

/// Why a message left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Rejected,
    Expired,
    MaxLength,
    DeliveryLimit,
}

impl Reason {
    const fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::MaxLength => "maxlen",
            Self::DeliveryLimit => "delivery_limit",
        }
    }
}

/// How many dead letters one message may become on its own, that is without a rejection in between. Queues that are dead
/// letter queues of each other multiply a message with every round, by as many paths as there are between them.
const DEATHS: u32 = 1_000;

/// What each death of a dead letter costs in steps: its story is read and written.
const LETTER: usize = 100;

/// A message on its way to a dead-letter exchange.
#[derive(Debug)]
pub(super) struct DeadLetter {
    message: Rc<Message>,
    deaths: Rc<Cell<u32>>,
    reason: Reason,
    vhost: usize,
    /// The queue that it left.
    queue: Rc<str>,
    exchange: Rc<str>,
    /// Instead of the key that it had.
    key: Option<Rc<str>>,
}

impl Core {
    /// Takes leave of a message that has left a queue; dead letters are routed at the end of the batch.
    pub(super) fn discard(&mut self, key: Key, queued: Queued, reason: Reason) {
        self.counts.discarded += 1;
        self.bequeath(key, queued.message, reason);
    }

    /// The same for a message that was not taken.
    pub(super) fn bury_refused(&mut self, key: Key, message: Rc<Message>) {
        self.bequeath(key, message, Reason::MaxLength);
    }

    fn bequeath(&mut self, key: Key, message: Rc<Message>, reason: Reason) {
        let Some(queue) = self.queues.get(key) else {
            return;
        };
        if let Some(exchange) = queue.settings.dead_exchange.clone() {
            let deaths = match reason {
                Reason::Rejected => None,
                _ => message.deaths.clone(),
            };
            let deaths = deaths.unwrap_or_else(|| Rc::new(Cell::new(DEATHS)));
            let Some(left) = deaths.get().checked_sub(1) else {
                return;
            };
            deaths.set(left);
            self.dead.push_back(DeadLetter {
                message,
                deaths,
                reason,
                vhost: queue.vhost,
                queue: Rc::clone(&queue.name),
                exchange,
                key: queue.settings.dead_key.clone(),
            });
        }
    }

    /// Takes the messages out of a queue whose time is up; false: there are too many for this turn.
    pub(super) fn expire(&mut self, key: Key) -> bool {
        let now = self.now;
        self.expire_where(key, |at| at <= now)
    }

    /// The same before a delivery: a message whose time is up this very moment still reaches who waits for it.
    pub(super) fn expire_older(&mut self, key: Key) -> bool {
        let now = self.now;
        self.expire_where(key, |at| at < now)
    }

    fn expire_where(&mut self, key: Key, up: impl Fn(Instant) -> bool) -> bool {
        while let Some(queue) = self.queues.get_mut(key) {
            if self.work >= TURN {
                if !std::mem::replace(&mut queue.expiring, true) {
                    self.chores.push_back(Chore::Expire(key));
                }
                return false;
            }
            let Some(queued) = queue.pop_expired(&up) else {
                return true;
            };
            self.work += 1;
            self.discard(key, queued, Reason::Expired);
        }
        true
    }

    /// Takes the oldest messages out of a queue that holds too much, and looks after its clock.
    pub(super) fn trim(&mut self, key: Key) {
        while let Some(queue) = self.queues.get_mut(key).filter(|queue| queue.is_over()) {
            let Some(queued) = queue.pop() else {
                break;
            };
            self.work += 1;
            self.discard(key, queued, Reason::MaxLength);
        }
        self.expire(key);
        self.remind_of(key);
    }

    /// Routes the dead letters, and those that this makes, as far as this turn allows. It ends: without a rejection in
    /// between, no message enters a queue twice, nor becomes more than [`DEATHS`]. What a letter becomes comes before
    /// the next letter, so that few wait, each with its long story, wherever queues multiply what they hand to each other.
    pub(super) fn dead_letter(&mut self) {
        while !self.is_spent()
            && let Some(letter) = self.dead.pop_front()
        {
            let waiting = self.dead.len();
            self.route_dead(&letter);
            let made = self.dead.len() - waiting;
            self.dead.rotate_right(made);
        }
    }

    fn route_dead(&mut self, letter: &DeadLetter) {
        let properties = letter.message.properties.whole();
        let headers = properties.headers().clone().unwrap_or_default();
        let deaths = letter.deaths(&headers, &properties, self.time());
        let own = [letter.key.as_deref().unwrap_or(&letter.message.routing_key)];
        let cc = copies(&headers, "CC").unwrap_or_default();
        // A key of the queue's own replaces all others.
        let copies = cc
            .iter()
            .map(String::as_str)
            .filter(|_| letter.key.is_none());
        let keys: Vec<&str> = own.into_iter().chain(copies).collect();
        let Some(vhost) = self.vhosts.get(letter.vhost) else {
            return;
        };
        // What cannot be routed reaches nobody.
        let routed = vhost.route(&letter.exchange, &keys, &Headers(&|| headers.clone()));
        let Routed { mut queues, steps } = routed.unwrap_or_default();
        self.work += LETTER * deaths.len() + steps / 16;
        if letter.reason != Reason::Rejected {
            let name = |key: &Key| self.queues.get(*key).map(|queue| Rc::clone(&queue.name));
            queues.retain(|key| name(key).is_some_and(|name| !goes_in_circles(&deaths, &name)));
        }
        if queues.is_empty() {
            return;
        }
        let properties = letter.properties(properties, headers, deaths);
        let (exchange, key) = (Rc::clone(&letter.exchange), own[0].into());
        let message = Message::new(
            exchange,
            key,
            properties,
            letter.message.body.clone(),
            &self.memory,
        );
        // The expiration is gone, which is all that can be wrong.
        let Ok(mut message) = message else { return };
        message.deaths = Some(Rc::clone(&letter.deaths));
        let message = Rc::new(message);
        for queue in queues {
            self.enqueue(queue, Rc::clone(&message));
        }
    }
}

impl DeadLetter {
    /// The `x-death` list with this death in front; the same queue and reason are counted up.
    fn deaths(
        &self,
        headers: &FieldTable,
        properties: &AMQPProperties,
        time: SystemTime,
    ) -> Vec<FieldTable> {
        let mut deaths: Vec<FieldTable> = match headers.inner().get("x-death") {
            Some(AMQPValue::FieldArray(items)) => {
                items.as_slice().iter().filter_map(as_table).collect()
            }
            _ => Vec::new(),
        };
        let same = |death: &FieldTable| {
            text_in(death, "queue") == Some(self.queue.as_bytes())
                && text_in(death, "reason") == Some(self.reason.name().as_bytes())
        };
        let now = match deaths.iter().position(same) {
            Some(at) => counted_up(&deaths.remove(at)),
            None => self.death(properties, time),
        };
        deaths.insert(0, now);
        deaths
    }

    fn death(&self, properties: &AMQPProperties, time: SystemTime) -> FieldTable {
        let seconds = time
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let text = |text: &str| AMQPValue::LongString(text.into());
        let mut keys = vec![text(&self.message.routing_key)];
        let headers = self.message.properties.headers();
        keys.extend(
            copies(&headers, "CC")
                .unwrap_or_default()
                .iter()
                .map(|key| text(key)),
        );
        let mut death = FieldTable::default();
        let mut say = |name: &str, value| {
            death.insert(name.into(), value);
        };
        say("count", AMQPValue::LongLongInt(1));
        say("reason", text(self.reason.name()));
        say("queue", text(&self.queue));
        say("time", AMQPValue::Timestamp(seconds));
        say("exchange", text(&self.message.exchange));
        say(
            "routing-keys",
            AMQPValue::FieldArray(FieldArray::from(keys)),
        );
        if let Some(expiration) = properties.expiration() {
            say("original-expiration", text(expiration.as_str()));
        }
        death
    }

    /// The properties of the dead letter: with its story, and without the expiration, lest it die again.
    fn properties(
        &self,
        old: AMQPProperties,
        headers: FieldTable,
        deaths: Vec<FieldTable>,
    ) -> Properties {
        let mut table: BTreeMap<_, _> = headers.inner().clone();
        let text = |text: &str| AMQPValue::LongString(text.into());
        let told = [
            ("reason", self.reason.name()),
            ("queue", &*self.queue),
            ("exchange", &*self.message.exchange),
        ];
        for (what, value) in told {
            table
                .entry(short(&format!("x-first-death-{what}")))
                .or_insert_with(|| text(value));
            table.insert(short(&format!("x-last-death-{what}")), text(value));
        }
        let deaths: Vec<AMQPValue> = deaths.into_iter().map(AMQPValue::FieldTable).collect();
        table.insert("x-death".into(), AMQPValue::FieldArray(deaths.into()));
        if self.key.is_some() {
            table.remove("CC");
        }
        Properties::of(&without_expiration(&old).with_headers(table.into()))
    }
}

/// amq-protocol can set a property, but not take one away.
fn without_expiration(old: &AMQPProperties) -> AMQPProperties {
    type Setter<T> = fn(AMQPProperties, T) -> AMQPProperties;
    fn keep<T: Clone>(new: AMQPProperties, value: &Option<T>, set: Setter<T>) -> AMQPProperties {
        match value {
            Some(value) => set(new, value.clone()),
            None => new,
        }
    }
    let mut new = AMQPProperties::default();
    new = keep(new, old.content_type(), AMQPProperties::with_content_type);
    new = keep(
        new,
        old.content_encoding(),
        AMQPProperties::with_content_encoding,
    );
    new = keep(new, old.delivery_mode(), AMQPProperties::with_delivery_mode);
    new = keep(new, old.priority(), AMQPProperties::with_priority);
    new = keep(
        new,
        old.correlation_id(),
        AMQPProperties::with_correlation_id,
    );
    new = keep(new, old.reply_to(), AMQPProperties::with_reply_to);
    new = keep(new, old.message_id(), AMQPProperties::with_message_id);
    new = keep(new, old.timestamp(), AMQPProperties::with_timestamp);
    new = keep(new, old.kind(), AMQPProperties::with_type);
    new = keep(new, old.user_id(), AMQPProperties::with_user_id);
    new = keep(new, old.app_id(), AMQPProperties::with_app_id);
    keep(new, old.cluster_id(), AMQPProperties::with_cluster_id)
}

fn as_table(value: &AMQPValue) -> Option<FieldTable> {
    match value {
        AMQPValue::FieldTable(table) => Some(table.clone()),
        _ => None,
    }
}

fn text_in<'a>(table: &'a FieldTable, name: &str) -> Option<&'a [u8]> {
    match table.inner().get(name)? {
        AMQPValue::LongString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

fn counted_up(death: &FieldTable) -> FieldTable {
    let mut death = death.clone();
    let count = death.inner().get("count").and_then(whole).unwrap_or(0);
    death.insert(
        "count".into(),
        AMQPValue::LongLongInt(count.saturating_add(1)),
    );
    death
}

/// Whether a message was in this queue before and nobody has rejected it since.
fn goes_in_circles(deaths: &[FieldTable], queue: &str) -> bool {
    let there = deaths
        .iter()
        .position(|death| text_in(death, "queue") == Some(queue.as_bytes()));
    let rejected = |death: &FieldTable| text_in(death, "reason") == Some(b"rejected");
    there.is_some_and(|at| !deaths[..=at].iter().any(rejected))
}
