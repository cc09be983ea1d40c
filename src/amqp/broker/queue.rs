//! A queue: messages by priority, in order, and who reads them.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use super::message::{Charge, Held, Message, Meter};
use super::settings::{Overflow, Settings};
use crate::server::Key;

/// A message in a queue, or delivered from it.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) message: Rc<Message>,
    /// Its place: a message that comes back goes where it was.
    place: u64,
    pub(super) expires: Option<Instant>,
    pub(super) redelivered: bool,
    /// How often it was delivered and came back.
    pub(super) returns: u32,
    _charge: Charge,
}

/// What a place in a queue takes, in bytes; the message itself may be in many.
const PLACE: usize = 2 * size_of::<Queued>();

/// What a queue takes beyond its arguments and messages, in bytes.
const BOOKKEEPING: usize = 400;

/// Messages that a queue does not hold any more.
pub(super) type Line = VecDeque<Queued>;

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) name: Rc<str>,
    /// The place of its virtual host in the broker's list.
    pub(super) vhost: usize,
    pub(super) durable: bool,
    pub(super) auto_delete: bool,
    /// The connection that it belongs to.
    pub(super) owner: Option<Key>,
    pub(super) settings: Settings,
    /// One line for each priority, lowest first; each sorted by place.
    lines: Vec<Line>,
    length: usize,
    bytes: usize,
    places: u64,
    /// Highest priority first; those of one priority take turns.
    pub(super) consumers: Vec<Key>,
    /// A consumer that wants it for itself.
    pub(super) taken_by: Option<Key>,
    pub(super) last_used: Instant,
    /// The earliest reminder that is set.
    pub(super) next_check: Option<Instant>,
    /// Whether it waits for its turn to lose what has expired.
    pub(super) expiring: bool,
    memory: Meter,
    _charge: Charge,
}

impl Queue {
    pub(super) fn new(
        name: Rc<str>,
        vhost: usize,
        settings: Settings,
        now: Instant,
        memory: &Meter,
    ) -> Self {
        let lines = usize::from(settings.max_priority) + 1;
        let own = BOOKKEEPING + name.len() + lines * size_of::<Line>();
        let charge = memory.charge(Held::Definition, own + settings.weight());
        Self {
            name,
            vhost,
            durable: false,
            auto_delete: false,
            owner: None,
            lines: (0..lines).map(|_| VecDeque::new()).collect(),
            settings,
            length: 0,
            bytes: 0,
            places: 0,
            consumers: Vec::new(),
            taken_by: None,
            last_used: now,
            next_check: None,
            expiring: false,
            memory: memory.clone(),
            _charge: charge,
        }
    }

    /// How many messages are ready to be delivered.
    pub(super) const fn len(&self) -> usize {
        self.length
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether one more message of this size is one too many, and what happens then.
    pub(super) fn refuses(&self, message: &Message) -> Option<Overflow> {
        let too_long = |limit: u64| self.length as u64 >= limit;
        let too_large = |limit: u64| (self.bytes + message.size()) as u64 > limit;
        let settings = &self.settings;
        let full =
            settings.max_length.is_some_and(too_long) || settings.max_bytes.is_some_and(too_large);
        Some(settings.overflow).filter(|overflow| full && *overflow != Overflow::DropHead)
    }

    /// Whether it holds more than it may.
    pub(super) fn is_over(&self) -> bool {
        let settings = &self.settings;
        settings
            .max_length
            .is_some_and(|limit| self.length as u64 > limit)
            || settings
                .max_bytes
                .is_some_and(|limit| self.bytes as u64 > limit)
    }

    /// Adds a message at the end of its line.
    pub(super) fn push(&mut self, message: Rc<Message>, now: Instant) {
        let shorter = |one, other| match (one, other) {
            (Some(one), Some(other)) => Some(std::cmp::min(one, other)),
            (one, other) => one.or(other),
        };
        let lifetime = shorter(self.settings.lifetime, message.lifetime);
        self.places += 1;
        let queued = Queued {
            place: self.places,
            expires: lifetime.and_then(|lifetime| now.checked_add(lifetime)),
            redelivered: false,
            returns: 0,
            message,
            _charge: self.memory.charge(Held::Message, PLACE),
        };
        self.count(&queued);
        self.line(&queued).push_back(queued);
    }

    /// Puts a delivered message back where it was; in a quorum queue that is the end, as in RabbitMQ where deliveries are
    /// counted.
    pub(super) fn put_back(&mut self, mut queued: Queued) {
        self.count(&queued);
        if self.settings.quorum {
            self.places += 1;
            queued.place = self.places;
        }
        let line = self.line(&queued);
        let at = line.partition_point(|other| other.place < queued.place);
        line.insert(at, queued);
    }

    fn count(&mut self, queued: &Queued) {
        self.length += 1;
        self.bytes += queued.message.size();
    }

    fn line(&mut self, queued: &Queued) -> &mut VecDeque<Queued> {
        let priority = queued
            .message
            .properties
            .priority
            .min(self.settings.max_priority);
        &mut self.lines[usize::from(priority)]
    }

    /// Takes the next message: of the highest priority, the oldest. It is also the one that makes room, as in RabbitMQ.
    pub(super) fn pop(&mut self) -> Option<Queued> {
        let queued = self.lines.iter_mut().rev().find_map(VecDeque::pop_front)?;
        Some(self.uncount(queued))
    }

    /// Takes a message whose time is `up`; only the first of each line is looked at, as RabbitMQ does.
    pub(super) fn pop_expired(&mut self, up: impl Fn(Instant) -> bool) -> Option<Queued> {
        let first = |line: &&mut VecDeque<Queued>| {
            let first = line.front().and_then(|first| first.expires);
            first.is_some_and(&up)
        };
        let queued = self.lines.iter_mut().find(first)?.pop_front()?;
        Some(self.uncount(queued))
    }

    fn uncount(&mut self, queued: Queued) -> Queued {
        self.length -= 1;
        self.bytes -= queued.message.size();
        queued
    }

    /// Takes all messages away.
    pub(super) fn take_all(&mut self) -> Vec<Line> {
        (self.bytes, self.length) = (0, 0);
        self.lines.iter_mut().map(std::mem::take).collect()
    }

    /// When a message expires, or the queue itself does, at the earliest.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        let firsts = self.lines.iter().filter_map(|line| line.front()?.expires);
        firsts.chain(self.end()).min()
    }

    /// When the queue goes, if nobody uses it.
    pub(super) fn end(&self) -> Option<Instant> {
        let unused = self.consumers.is_empty();
        let expires = self.settings.expires.filter(|_| unused)?;
        self.last_used.checked_add(expires)
    }
}
