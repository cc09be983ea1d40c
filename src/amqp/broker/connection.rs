//! One network connection as the core sees it: what was negotiated, its channels, and the bytes that wait to be written.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::channel::Channel;
use super::message::{Charge, Held, Meter};
use crate::server::{Key, Login};

/// How far a connection has come (AMQP 0-9-1 §2.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The protocol header has not come yet.
    Fresh,
    /// connection.start was sent.
    Started,
    /// connection.tune was sent.
    Tuning,
    /// Tuned: connection.open is to come.
    Tuned,
    /// Open.
    Open,
    /// connection.close was sent, its answer is to come.
    Closing,
    /// To be closed when everything is written; what still comes in is ignored.
    Ending,
    /// To be closed at once.
    Closed,
}

/// What a client says that it understands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Capabilities {
    pub(super) cancel_notify: bool,
    pub(super) blocked: bool,
    pub(super) failure_close: bool,
}

/// A login that goes on when its password is checked.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) mechanism: String,
    /// What is to be checked, until the driver takes it.
    pub(super) login: Option<Login>,
}

/// The state that ends with the network connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// Address and transport, for events.
    pub(super) peer: String,
    pub(super) user: Rc<str>,
    pub(super) phase: Phase,
    pub(super) waiting: Option<Waiting>,
    pub(super) capabilities: Capabilities,
    /// The place of its virtual host in the broker's list.
    pub(super) vhost: usize,
    /// The largest frame either side sends, in bytes.
    pub(super) frame_max: usize,
    pub(super) channel_max: u16,
    /// Time between two heartbeats; `None`: off.
    pub(super) heartbeat: Option<Duration>,
    pub(super) last_seen: Instant,
    pub(super) last_sent: Instant,
    /// When to look for silence next; earlier reminders are left over from the login.
    pub(super) next_check: Instant,
    pub(super) channels: BTreeMap<u16, Channel>,
    pub(super) out: BytesMut,
    /// Bytes that the driver has pulled and not written yet.
    pub(super) pulled: usize,
    /// Bytes that the driver has read and that are no whole frame, or have to wait.
    pub(super) unread: usize,
    buffers: Charge,
    /// The queues that belong to it.
    pub(super) exclusive: BTreeSet<Key>,
    /// A transaction is being committed: what follows waits.
    pub(super) committing: bool,
    /// When a part of a message came last.
    pub(super) content_at: Instant,
    /// Whether somebody will look after what was begun.
    pub(super) content_watched: bool,
    /// Whether the driver has been told since it last looked.
    pub(super) announced: bool,
    /// A consumer of it waits until its bytes are written.
    pub(super) starved: bool,
    /// Whether it has published: only such a one is held back when memory is short.
    pub(super) publishes: bool,
    /// Whether it was told that it is held back.
    pub(super) told_blocked: bool,
    /// Frames received, for faults.
    pub(super) received: u64,
    pub(super) stalled: bool,
    pub(super) dribble: bool,
}

impl Connection {
    pub(super) fn new(peer: String, now: Instant, memory: &Meter) -> Self {
        Self {
            peer,
            user: "".into(),
            phase: Phase::Fresh,
            waiting: None,
            capabilities: Capabilities::default(),
            vhost: 0,
            frame_max: 0,
            channel_max: 0,
            heartbeat: None,
            last_seen: now,
            last_sent: now,
            next_check: now,
            channels: BTreeMap::new(),
            out: BytesMut::new(),
            pulled: 0,
            unread: 0,
            buffers: memory.charge(Held::Message, 0),
            exclusive: BTreeSet::new(),
            committing: false,
            content_at: now,
            content_watched: false,
            announced: false,
            starved: false,
            publishes: false,
            told_blocked: false,
            received: 0,
            stalled: false,
            dribble: false,
        }
    }

    /// Brings the account of its buffers up to date.
    pub(super) fn count_memory(&mut self) {
        let bytes = self.out.len() + self.pulled + self.unread;
        if bytes != self.buffers.bytes() {
            self.buffers.set(bytes);
        }
    }
}
