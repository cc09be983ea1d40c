//! One network connection as the core sees it: what was negotiated, and the packets that wait to be written.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytestring::ByteString;

use super::authenticating::Exchange;
use super::holding::Held;
use super::subscribing::Request;
use crate::connect::scram::Mechanism;
use crate::mqtt::packet::{self, Connect, LARGEST_PACKET, Packet, Publish, Version};
use crate::mqtt::session::alias::{Incoming, Outgoing};
use crate::server::{Key, Login};

/// How far over its limit an outbox may grow, in bytes, before nothing more is read from its client:
/// a client that asks and never listens would otherwise make us hold any number of answers.
const ANSWERS: usize = 1 << 20;

/// How many read buffers the messages that wait for one client may hold, before they are copied out of them.
const BUFFERS: usize = 16;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// CONNECT has not come yet.
    Fresh,
    /// CONNACK was sent; the key is its session's.
    Open(Key),
    /// To be closed when everything is written; what still comes in is ignored.
    Closing,
    /// To be closed at once.
    Closed,
}

/// A CONNECT that goes on when its password is checked.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) connect: Box<Connect>,
    /// What is to be checked, until the driver takes it.
    pub(super) login: Option<Login>,
}

/// The state that ends with the network connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// Address and transport, for events.
    pub(super) peer: String,
    /// The index of what holds for its listener in [`super::Options::access`].
    pub(super) access: usize,
    pub(super) client_id: ByteString,
    pub(super) phase: Phase,
    pub(super) waiting: Option<Waiting>,
    /// How the client authenticates itself, if not by a password in CONNECT.
    pub(super) mechanism: Option<Mechanism>,
    pub(super) exchange: Option<Box<Exchange>>,
    pub(super) version: Version,
    /// One and a half times the keep-alive (MQTT 5.0 §3.1.2.10); `None`: off.
    pub(super) patience: Option<Duration>,
    pub(super) last_seen: Instant,
    /// When to look for silence next; earlier reminders are left over from before CONNECT.
    pub(super) next_check: Instant,
    pub(super) aliases_in: Incoming,
    pub(super) aliases_out: Outgoing,
    /// The client's Maximum Packet Size (MQTT 5.0 §3.1.2.11.4).
    pub(super) largest: u32,
    pub(super) outbox: Outbox,
    /// Messages of a client that cannot be refused any, which wait for room in a queue.
    pub(super) held: Held,
    /// A SUBSCRIBE or UNSUBSCRIBE of many filters that is not answered yet.
    pub(super) request: Option<Box<Request>>,
    /// A PINGREQ whose answer follows the retained messages, at the latest at this time.
    pub(super) pong: Option<Instant>,
    /// Whether the last look for what to send came to no end.
    pub(super) unfinished: bool,
    /// Packets received, for faults.
    pub(super) received: u64,
    pub(super) stalled: bool,
    pub(super) dribble: bool,
}

impl Connection {
    pub(super) fn new(peer: String, access: usize, now: Instant) -> Self {
        Self {
            peer,
            access,
            client_id: ByteString::new(),
            phase: Phase::Fresh,
            waiting: None,
            mechanism: None,
            exchange: None,
            version: Version::V5,
            patience: None,
            last_seen: now,
            next_check: now,
            aliases_in: Incoming::default(),
            aliases_out: Outgoing::default(),
            largest: LARGEST_PACKET,
            outbox: Outbox::default(),
            held: Held::default(),
            request: None,
            pong: None,
            unfinished: false,
            received: 0,
            stalled: false,
            dribble: false,
        }
    }

    /// Whether the packet is not larger than the client takes (MQTT 5.0 §3.1.2.11.4). Messages are
    /// measured before they get here.
    pub(super) fn takes(&self, outgo: &Outgo) -> bool {
        match outgo {
            Outgo::Packet(Packet::Publish(_)) | Outgo::Garbage(_) => true,
            Outgo::Packet(_) if self.largest == LARGEST_PACKET => true,
            Outgo::Packet(packet) => {
                let length = packet::encoded_len(packet, self.version);
                length.is_ok_and(|length| length <= self.largest)
            }
        }
    }

    /// Whether packets are to be read from it: it takes what it is sent, up to `limit` bytes, and its own messages need
    /// not wait.
    pub(super) fn may_be_read(&self, limit: usize) -> bool {
        !self.stalled
            && self.waiting.is_none()
            && self.outbox.bytes() < limit + ANSWERS
            && self.held.has_room(limit)
    }

    pub(super) const fn session(&self) -> Option<Key> {
        match self.phase {
            Phase::Open(session) => Some(session),
            Phase::Fresh | Phase::Closing | Phase::Closed => None,
        }
    }
}

/// What waits to be written to a connection.
#[derive(Debug)]
pub(crate) enum Outgo {
    /// A packet.
    Packet(Packet),
    /// Bytes that are no packet, because a fault asks for them.
    Garbage(&'static [u8]),
}

/// The packets that wait to be written to one connection.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Outgo>,
    bytes: usize,
    /// When the last of it came.
    latest: Option<Instant>,
    /// How many batches of incoming packets it came from, at most, since nothing waited.
    batches: usize,
    /// A PUBLISH that the `reorder-publish` fault holds back until the next one has gone.
    pub(super) held: Option<Packet>,
    /// Whether the driver has been told since it last looked.
    pub(super) announced: bool,
}

impl Outbox {
    pub(super) fn push(&mut self, outgo: Outgo, now: Instant) {
        self.bytes += cost(&outgo);
        self.waiting.push_back(outgo);
        self.batches += usize::from(self.latest.replace(now) != Some(now));
    }

    pub(super) fn pop(&mut self) -> Option<Outgo> {
        let outgo = self.waiting.pop_front()?;
        self.bytes -= cost(&outgo);
        if self.waiting.is_empty() {
            self.batches = 0;
            self.latest = None;
        }
        Some(outgo)
    }

    /// Whether what waits may be slices of many read buffers.
    pub(super) const fn is_backed_up(&self) -> bool {
        self.batches > BUFFERS
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The memory that the waiting packets hold, in bytes, as far as it is worth counting.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// What it holds; payloads are shared between subscribers but charged to each.
fn cost(outgo: &Outgo) -> usize {
    let more = match outgo {
        Outgo::Packet(Packet::Publish(publish)) => publish.held() - size_of::<Publish>(),
        Outgo::Packet(Packet::SubAck(answer)) => answer.reasons.len(),
        Outgo::Packet(Packet::UnsubAck(answer)) => answer.reasons.len(),
        Outgo::Packet(_) | Outgo::Garbage(_) => 0,
    };
    size_of::<Outgo>() + more
}
