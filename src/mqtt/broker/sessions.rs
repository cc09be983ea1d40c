//! Sessions (MQTT 5.0 §4.1): what the broker remembers of a client, connected or not.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use bytestring::ByteString;

use super::access::Client;
use super::application::{Delivery, Flight};
use super::retained::Walk;
use crate::mqtt::packet::{QoS, Version, Will};
use crate::mqtt::session::inbound::Inbound;
use crate::mqtt::session::outbound::Outbound;
use crate::server::{Key, Slab};

/// The Session Expiry Interval that means: never (MQTT 5.0 §3.1.2.11.2).
pub(super) const NEVER: u32 = u32::MAX;

/// What is to be looked at later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reminder {
    /// A connection: CONNECT or the next packet may be overdue.
    Connection(Key),
    /// A connection that a fault holds still goes on.
    Resume(Key),
    /// A session without connection: its will or its end may be due.
    Session(Key),
    /// A connection whose messages wait for room in a queue.
    Held(Key),
    /// The next round of `$SYS` topics.
    Sys,
    /// Retained messages may have expired.
    Purge,
}

/// The state of one client identifier.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client_id: ByteString,
    pub(super) username: Option<ByteString>,
    /// The index of what holds for it in [`super::Options::access`].
    pub(super) access: usize,
    pub(super) version: Version,
    pub(super) connection: Option<Key>,
    /// Seconds that the session outlives its connection; [`NEVER`]: for good.
    pub(super) expiry: u32,
    /// Whether CONNECT asked for a session that outlives its connection.
    pub(super) asked_to_last: bool,
    pub(super) outbound: Outbound<Flight>,
    pub(super) inbound: Inbound,
    pub(super) queue: Queue,
    /// Whether the queue has been too full for a message since it last had ample room.
    pub(super) overflows: bool,
    pub(super) filters: HashSet<ByteString>,
    /// What the filters hold, in bytes.
    pub(super) filters_held: usize,
    /// Subscriptions that are still to get retained messages.
    pub(super) walks: VecDeque<Walk>,
    pub(super) will: Option<Will>,
    /// When the will of a client that is gone is to be published.
    pub(super) will_due: Option<Instant>,
    /// When the session of a client that is gone ends.
    pub(super) ends: Option<Instant>,
}

impl Session {
    pub(super) fn new(client_id: ByteString) -> Self {
        Self {
            client_id,
            username: None,
            access: 0,
            version: Version::V5,
            connection: None,
            expiry: 0,
            asked_to_last: false,
            outbound: Outbound::new(u16::MAX),
            inbound: Inbound::default(),
            overflows: false,
            queue: Queue::default(),
            filters: HashSet::new(),
            filters_held: 0,
            walks: VecDeque::new(),
            will: None,
            will_due: None,
            ends: None,
        }
    }

    /// Whom the rights are asked about.
    pub(super) fn client(&self) -> Client<'_> {
        Client {
            username: self.username.as_deref(),
            client_id: &self.client_id,
            access: self.access,
        }
    }

    /// Whether a QoS 1 or 2 message may be sent at once: the client's window is open, and what it has not acknowledged
    /// holds less than `bytes`.
    pub(super) fn has_window(&self, bytes: usize) -> bool {
        self.outbound.free() > 0 && self.outbound.held() < bytes
    }

    /// Whether there is something that goes before a new message.
    pub(super) fn is_behind(&self) -> bool {
        !self.queue.is_empty() || self.outbound.has_again()
    }

    /// When the session ends if its connection ends `now`; `None`: never.
    pub(super) fn end_after(&self, now: Instant) -> Option<Instant> {
        match self.expiry {
            NEVER => None,
            seconds => now.checked_add(Duration::from_secs(seconds.into())),
        }
    }
}

/// How much a queue may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

impl Room {
    /// For a message that only moves from one queue to another.
    pub(super) const ENDLESS: Self = Self {
        messages: usize::MAX,
        bytes: usize::MAX,
    };
}

/// The messages that wait for their turn: the client is away, its window is full, or it does not read.
#[derive(Debug, Default)]
pub(super) struct Queue {
    deliveries: VecDeque<Delivery>,
    bytes: usize,
}

impl Queue {
    /// Whether a message of this size can wait. One alone always can: it would never get through otherwise.
    pub(super) fn takes(&self, cost: usize, room: Room) -> bool {
        let fits = self.deliveries.is_empty() || self.bytes.saturating_add(cost) <= room.bytes;
        self.deliveries.len() < room.messages && fits
    }

    /// Whether more than half of the room is taken.
    pub(super) fn is_crowded(&self, room: Room) -> bool {
        self.deliveries.len() > room.messages / 2 || self.bytes > room.bytes / 2
    }

    /// Adds one at the end unless there is no room; false: there was none.
    pub(super) fn push(&mut self, delivery: Delivery, room: Room) -> bool {
        let cost = delivery.cost();
        let fits = self.takes(cost, room);
        if fits {
            self.bytes += cost;
            self.deliveries.push_back(delivery);
        }
        fits
    }

    /// Takes the oldest out.
    pub(super) fn pop(&mut self) -> Option<Delivery> {
        let delivery = self.deliveries.pop_front()?;
        self.bytes -= delivery.cost();
        Some(delivery)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    /// The quality of service of the oldest; `None`: nothing waits.
    pub(super) fn front_qos(&self) -> Option<QoS> {
        self.deliveries.front().map(|delivery| delivery.qos)
    }
}

/// All sessions, by key and by client identifier.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    slab: Slab<Session>,
    keys: HashMap<ByteString, Key>,
}

impl Sessions {
    pub(super) fn insert(&mut self, session: Session) -> Key {
        let client_id = session.client_id.clone();
        let key = self.slab.insert(session);
        self.keys.insert(client_id, key);
        key
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Session> {
        let session = self.slab.remove(key)?;
        self.keys.remove(&session.client_id);
        Some(session)
    }

    pub(super) fn find(&self, client_id: &str) -> Option<Key> {
        self.keys.get(client_id).copied()
    }

    pub(super) fn get(&self, key: Key) -> Option<&Session> {
        self.slab.get(key)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Session> {
        self.slab.get_mut(key)
    }

    pub(super) fn len(&self) -> usize {
        self.slab.len()
    }

    /// The messages that wait in all queues, and the bytes that they hold.
    pub(super) fn queued(&self) -> (usize, usize) {
        let queues = self.slab.iter().map(|session| &session.queue);
        queues.fold((0, 0), |(count, bytes), queue| {
            (count + queue.deliveries.len(), bytes + queue.bytes)
        })
    }
}
