//! The broker without sockets and clock: bytes and time go in, bytes come out.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use bytes::{Buf, BytesMut};

use super::super::frame::{Frame, Refusal};
use super::channel::Consumer;
use super::chores::Chore;
use super::connection::{Connection, Phase};
use super::dead_letter::DeadLetter;
use super::events::{Counts, Event};
use super::exchange::Vhost;
use super::faults::{Action, Faults};
use super::message::Meter;
use super::options::Options;
use super::queue::Queue;
use super::wire;
use crate::random::unguessable;
use crate::server::{Key, Slab, Timers};

/// How long a closing connection may take to answer, and to close its side.
pub(super) const FAREWELL: Duration = Duration::from_secs(2);

/// Bytes that may wait to be written to a connection before its consumers have to wait.
pub(super) const HIGH_WATER: usize = 256 * 1024;

/// Bytes that may wait before nothing more is read from a client: one that asks and never listens would otherwise make
/// us hold any number of answers.
const ANSWERS: usize = 4 << 20;

/// The largest frame before the sizes are agreed on, in bytes.
const UNTUNED: usize = 131_072;

/// What is to become of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// It goes on.
    Open,
    /// Everything is handed out: it is to be closed when that is written.
    Closing,
    /// It is to be closed at once.
    Closed,
}

/// What is to be looked at later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reminder {
    /// A connection: the login, a heartbeat or an answer may be overdue, or ours due.
    Connection(Key),
    /// A connection that a fault holds still goes on.
    Resume(Key),
    /// A queue: messages, or the queue itself, may have expired.
    Queue(Key),
    /// A message that a connection has begun may be overdue.
    Content(Key),
    /// A fault has held publishers back long enough.
    Unblock,
}

/// Bytes that a fault delays: for whom, and what.
pub(super) type Delayed = (Key, BytesMut);

/// A broker.
#[derive(Debug)]
pub(crate) struct Core {
    pub(super) options: Options,
    pub(super) now: Instant,
    /// The same moment on both clocks.
    started: (Instant, SystemTime),
    pub(super) connections: Slab<Connection>,
    pub(super) vhosts: Vec<Vhost>,
    pub(super) queues: Slab<Queue>,
    pub(super) consumers: Slab<Consumer>,
    /// Who gets the direct replies with this routing key.
    pub(super) replies: HashMap<Rc<str>, Key>,
    /// What expired, was rejected or one too many, and is not routed yet.
    pub(super) dead: VecDeque<DeadLetter>,
    pub(super) chores: VecDeque<Chore>,
    /// Steps that this turn has taken.
    pub(super) work: usize,
    pub(super) timers: Timers<Reminder, Delayed>,
    pub(super) faults: Faults,
    pub(super) counts: Counts,
    pub(super) events: Vec<Event>,
    pub(super) memory: Meter,
    /// Publishers are held back, by a fault.
    pub(super) held_back: bool,
    /// Publishers are held back: by that, or because memory is short.
    pub(super) blocked: bool,
    pub(super) connected: usize,
    /// Channels that have confirms to send at the end of a batch.
    pub(super) confirming: Vec<(Key, u16)>,
    /// Names given so far.
    pub(super) named: u64,
    /// Tells the names given by this broker from those of the one before it.
    pub(super) salt: u64,
    ready: Vec<Key>,
}

impl Core {
    /// A broker that starts at `now`.
    pub(crate) fn new(options: Options, now: Instant, time: SystemTime) -> Self {
        Self {
            started: (now, time),
            faults: Faults::new(&options.faults),
            vhosts: options.vhosts.iter().map(|name| Vhost::new(name)).collect(),
            options,
            now,
            connections: Slab::default(),
            queues: Slab::default(),
            consumers: Slab::default(),
            replies: HashMap::new(),
            dead: VecDeque::new(),
            chores: VecDeque::new(),
            work: 0,
            timers: Timers::default(),
            counts: Counts::default(),
            events: Vec::new(),
            memory: Meter::default(),
            held_back: false,
            blocked: false,
            connected: 0,
            confirming: Vec::new(),
            named: 0,
            salt: unguessable(),
            ready: Vec::new(),
        }
    }

    /// The time of day.
    pub(super) fn time(&self) -> SystemTime {
        let (instant, time) = self.started;
        time + self.now.saturating_duration_since(instant)
    }

    /// A network connection from `peer` was accepted. Its bytes go to [`Self::feed`]; its end to [`Self::lost`].
    pub(crate) fn open(&mut self, peer: String, now: Instant) -> Key {
        self.now = now;
        let mut connection = Connection::new(peer, now, &self.memory);
        connection.frame_max = UNTUNED;
        connection.dribble = self
            .faults
            .trigger("", |action| (action == Action::Dribble).then_some(()))
            .is_some();
        let id = self.connections.insert(connection);
        self.timers
            .remind(now + self.options.connect_timeout, Reminder::Connection(id));
        id
    }

    /// Takes whole frames off the front of `input`, as long as the connection is read ([`Self::reads`]) and it is not too
    /// much for one turn: then what is left is to be fed again.
    pub(crate) fn feed(&mut self, id: Key, input: &mut BytesMut, now: Instant) {
        self.begin_turn(now);
        if let Some(connection) = self.connections.get_mut(id) {
            connection.last_seen = now;
        }
        let mut used = 0;
        while self.reads(id) && !self.is_spent() {
            match self.take(id, &input[used..]) {
                Ok(0) => break,
                Ok(length) => used += length,
                Err(refusal) => {
                    self.close_connection(id, &refusal, (0, 0));
                    // What follows cannot be told apart any more.
                    self.deafen(id);
                }
            }
        }
        match self.connections.get(id).map(|connection| connection.phase) {
            None | Some(Phase::Ending | Phase::Closed) => input.clear(),
            Some(_) => input.advance(used),
        }
        if let Some(connection) = self.connections.get_mut(id) {
            connection.unread = input.len();
            connection.count_memory();
        }
        self.settle_all();
    }

    /// Others have had their turn.
    const fn begin_turn(&mut self, now: Instant) {
        self.now = now;
        self.work = 0;
    }

    /// Does what one batch has left: dead letters, confirms, memory.
    pub(super) fn settle_all(&mut self) {
        self.dead_letter();
        self.work_off();
        self.answer_publishers();
        self.watch_memory();
    }

    /// Handles the frame at the front of `input`; its length, or 0 if it is not whole.
    fn take(&mut self, id: Key, input: &[u8]) -> Result<usize, Refusal> {
        let Some(connection) = self.connections.get_mut(id) else {
            return Ok(0);
        };
        if connection.phase == Phase::Fresh {
            return Ok(self.greet(id, input));
        }
        let Some(frame) = Frame::split(input, connection.frame_max)? else {
            return Ok(0);
        };
        let length = frame.length();
        connection.received += 1;
        self.work += 1;
        self.handle(id, frame);
        if !self.faults.is_empty() {
            self.count_fault(id);
        }
        Ok(length)
    }

    /// The network connection is gone; its key means nothing any more.
    pub(crate) fn lost(&mut self, id: Key, now: Instant) {
        self.begin_turn(now);
        self.detach(id, false);
        self.connections.remove(id);
        self.settle_all();
    }

    /// Does what is due at `now`.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.begin_turn(now);
        while let Some((id, bytes)) = self.timers.due_thing(now) {
            self.post(id, &bytes);
        }
        while !self.is_spent()
            && let Some(reminder) = self.timers.due(now)
        {
            self.work += 1;
            match reminder {
                Reminder::Connection(id) => self.check_patience(id),
                Reminder::Resume(id) => self.resume_stalled(id),
                Reminder::Queue(key) => self.check_queue(key),
                Reminder::Content(id) => self.check_content(id),
                Reminder::Unblock => self.hold_back(false),
            }
        }
        self.settle_all();
    }

    /// When [`Self::tick`] is needed next.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        match self.chores.is_empty() && self.dead.is_empty() {
            true => self.timers.next(),
            // At once.
            false => Some(self.now),
        }
    }

    /// Says goodbye to everyone (320).
    pub(crate) fn shut_down(&mut self, now: Instant) {
        self.begin_turn(now);
        for id in self.connections.keys() {
            self.close_connection(id, &Refusal::forced("the broker is shutting down"), (0, 0));
        }
        self.settle_all();
    }

    /// The connections that have something to do since the last call.
    pub(crate) fn ready(&mut self, mut each: impl FnMut(Key)) {
        for id in self.ready.drain(..) {
            if let Some(connection) = self.connections.get_mut(id) {
                connection.announced = false;
                each(id);
            }
        }
    }

    /// All that waits to be written to a connection is swapped with `into`, which is empty; false: nothing waits.
    pub(crate) fn pull(&mut self, id: Key, into: &mut BytesMut, now: Instant) -> bool {
        self.begin_turn(now);
        let Some(connection) = self
            .connections
            .get_mut(id)
            .filter(|connection| !connection.stalled)
        else {
            return false;
        };
        // What was pulled before is written.
        connection.pulled = connection.out.len();
        connection.count_memory();
        if connection.out.is_empty() {
            self.watch_memory();
            return false;
        }
        std::mem::swap(&mut connection.out, into);
        connection.last_sent = now;
        if std::mem::take(&mut connection.starved) {
            self.feed_consumers(id);
            self.dead_letter();
        }
        self.watch_memory();
        true
    }

    /// What is to become of a connection.
    pub(crate) fn fate(&self, id: Key) -> Disposition {
        match self.connections.get(id) {
            None => Disposition::Closed,
            Some(connection) if connection.stalled => Disposition::Open,
            Some(connection) => match connection.phase {
                Phase::Closed => Disposition::Closed,
                Phase::Ending if connection.out.is_empty() => Disposition::Closing,
                _ => Disposition::Open,
            },
        }
    }

    /// Whether the connection is to be read at present.
    pub(crate) fn reads(&self, id: Key) -> bool {
        self.connections.get(id).is_some_and(|connection| {
            let held = connection.stalled
                || connection.committing
                || connection.waiting.is_some()
                || (self.blocked && connection.publishes);
            let ended = matches!(connection.phase, Phase::Ending | Phase::Closed);
            !held && !ended && connection.out.len() < ANSWERS
        })
    }

    /// Whether a fault wants every byte written on its own.
    pub(crate) fn dribbles(&self, id: Key) -> bool {
        self.connections
            .get(id)
            .is_some_and(|connection| connection.dribble)
    }

    /// What is worth telling since the last call.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// What happened since the start.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            faults: self.faults.happened(),
            ..self.counts.clone()
        }
    }

    /// Adds bytes that are to be written.
    pub(super) fn post(&mut self, id: Key, bytes: &[u8]) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.out.extend_from_slice(bytes);
            self.announce(id);
        }
    }

    /// Sends a method.
    pub(super) fn send(
        &mut self,
        id: Key,
        channel: u16,
        method: amq_protocol::protocol::AMQPClass,
    ) {
        if let Some(connection) = self.connections.get_mut(id) {
            wire::put_method(&mut connection.out, channel, method);
            self.announce(id);
        }
    }

    pub(super) fn announce(&mut self, id: Key) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.count_memory();
        if !connection.announced {
            connection.announced = true;
            self.ready.push(id);
        }
    }

    /// A name that nobody has: `amq.gen-…`.
    pub(super) fn name(&mut self, prefix: &str) -> Rc<str> {
        self.named += 1;
        // Mixed, so that one name does not tell the next.
        let mixed = (self.salt ^ self.named).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        format!("{prefix}{mixed:016x}{:x}", self.named).into()
    }
}
