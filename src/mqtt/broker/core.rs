//! The broker without sockets and clock: packets and time go in, packets come out.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::connection::{Connection, Outgo, Phase};
use super::ending::Estate;
use super::events::{Counts, Event};
use super::faults::{Action, Faults};
use super::options::Options;
use super::outgoing::FAREWELL;
use super::retained::Retained;
use super::sessions::Reminder;
use super::sessions::Sessions;
use super::subscriptions::Subscriptions;
use super::sys::Loads;
use crate::mqtt::packet::{Malformed, Packet, ReasonCode, Version};
use crate::random::unguessable;
use crate::server::Timers;
use crate::server::{Key, Slab};

/// How long the answer to a PINGREQ waits for retained messages at most.
const PONG: Duration = Duration::from_secs(1);

/// How much is done in one go before others get their turn: packets, deliveries, subscriptions, looks at what waits.
const TURN: u64 = 5_000;

/// How much of it does not count: many such calls may follow each other.
const NOTICEABLE: u64 = 500;

/// What a `malformed` fault sends: packet type 0, which is reserved (MQTT 5.0 §2.1.2).
const MALFORMED: &[u8] = &[0x00, 0x00];

/// What is to become of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// It goes on.
    Open,
    /// Everything is handed out: it is to be closed when that is written.
    Closing,
    /// It is to be closed at once: its time is up.
    Closed,
}

/// A broker.
///
/// Every call says what time it is. What is to be written is asked for with [`Self::pull`], for the
/// connections that [`Self::ready`] names.
#[derive(Debug)]
pub(crate) struct Core {
    pub(super) options: Options,
    pub(super) now: Instant,
    pub(super) started: Instant,
    pub(super) connections: Slab<Connection>,
    pub(super) sessions: Sessions,
    pub(super) subscriptions: Subscriptions,
    pub(super) retained: Retained,
    pub(super) timers: Timers<Reminder, (Key, Outgo)>,
    pub(super) faults: Faults,
    pub(super) counts: Counts,
    pub(super) loads: Loads,
    pub(super) events: Vec<Event>,
    /// Client identifiers assigned so far.
    pub(super) assigned: u64,
    /// Tells the identifiers assigned by this broker from those of the one before it.
    pub(super) salt: u64,
    /// Sessions that have a connection.
    pub(super) connected: usize,
    pub(super) ready: Vec<Key>,
    /// When expired retained messages are to be looked for next.
    pub(super) purge_at: Option<Instant>,
    /// What has been done since the start: packets, deliveries, subscriptions, looks at what waits.
    pub(super) work: u64,
    /// [`Self::work`] at which the present call has done enough.
    pub(super) enough: u64,
    /// Sessions whose queue is more than half full.
    pub(super) crowded: usize,
    /// Whether a queue got room since the messages in [`Self::waiting`] were last looked at.
    pub(super) room: bool,
    /// Connections with messages that wait for room in a queue.
    pub(super) waiting: VecDeque<Key>,
    /// What is left of sessions that have ended.
    pub(super) estates: VecDeque<Estate>,
}

impl Core {
    /// A broker that starts at `now`.
    pub(crate) fn new(options: Options, now: Instant) -> Self {
        let mut core = Self {
            faults: Faults::new(&options.faults),
            options,
            now,
            started: now,
            connections: Slab::default(),
            sessions: Sessions::default(),
            subscriptions: Subscriptions::default(),
            retained: Retained::default(),
            timers: Timers::default(),
            counts: Counts::default(),
            loads: Loads::new(now),
            events: Vec::new(),
            assigned: 0,
            salt: unguessable(),
            connected: 0,
            ready: Vec::new(),
            purge_at: None,
            work: 0,
            enough: TURN,
            crowded: 0,
            room: false,
            waiting: VecDeque::new(),
            estates: VecDeque::new(),
        };
        if core.options.sys_interval.is_some() {
            core.tell_sys();
        }
        core
    }

    /// A network connection from `peer` was accepted, with the rights of this index in [`Options::access`]. Its packets go to [`Self::handle`]; its end to [`Self::lost`].
    pub(crate) fn open(&mut self, peer: String, access: usize, now: Instant) -> Key {
        self.now = now;
        self.counts.sockets += 1;
        let id = self.connections.insert(Connection::new(peer, access, now));
        let until = now + self.options.connect_timeout;
        self.timers.remind(until, Reminder::Connection(id));
        id
    }

    /// A packet came in.
    pub(crate) fn handle(&mut self, id: Key, packet: Packet, now: Instant) {
        self.now = now;
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.last_seen = now;
        connection.received += 1;
        self.counts.packets_received += 1;
        self.work += 1;
        match (connection.phase, packet) {
            (Phase::Closing | Phase::Closed, _) => return,
            (Phase::Fresh, Packet::Connect(connect)) => self.connect(id, connect),
            (Phase::Fresh, Packet::Auth(auth)) if connection.exchange.is_some() => {
                self.authenticate(id, &auth);
            }
            // Whoever does not begin with CONNECT is no MQTT client (MQTT 5.0 §3.1).
            (Phase::Fresh, _) => self.hang_up(id),
            (Phase::Open(session), packet) => self.dispatch(id, session, packet),
        }
        if !self.faults.is_empty() {
            self.count_fault(id);
        }
    }

    fn dispatch(&mut self, id: Key, session: Key, packet: Packet) {
        match packet {
            Packet::Publish(publish) => self.publish(id, session, publish),
            Packet::PubAck(ack) => self.puback(id, session, &ack),
            Packet::PubRec(ack) => self.pubrec(id, session, &ack),
            Packet::PubRel(ack) => self.pubrel(id, session, &ack),
            Packet::PubComp(ack) => self.pubcomp(id, session, &ack),
            Packet::Subscribe(subscribe) => self.subscribe(id, session, subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(id, session, unsubscribe),
            Packet::PingReq => self.answer_ping(id),
            Packet::Disconnect(disconnect) => self.disconnect(id, session, &disconnect),
            Packet::Auth(auth) => self.authenticate(id, &auth),
            // A second CONNECT (MQTT 5.0 §3.1), and what only servers send.
            _ => self.kick(id, ReasonCode::PROTOCOL_ERROR),
        }
    }

    /// What came in is not MQTT, for this reason.
    pub(crate) fn malformed(&mut self, id: Key, flaw: &Malformed, now: Instant) {
        self.now = now;
        let reason = flaw.reason;
        let Some(connection) = self.connections.get(id) else {
            return;
        };
        match connection.phase {
            Phase::Open(_) => self.kick(id, reason),
            // MQTT 3.1.1 §3.1.2.2: an unknown level is answered with return code 1.
            Phase::Fresh if reason == ReasonCode::UNSUPPORTED_PROTOCOL_VERSION => {
                self.refuse_connection(id, Version::V311, reason);
            }
            // MQTT 5.0 §3.1.4 lets a server say why; before that it has to close without a word (MQTT 3.1.1 §3.1.4).
            Phase::Fresh if flaw.version == Some(Version::V5) => {
                self.refuse_connection(id, Version::V5, reason);
            }
            Phase::Fresh => {
                self.events.push(Event::Refused {
                    client_id: connection.client_id.clone(),
                    peer: connection.peer.clone(),
                    reason,
                });
                self.hang_up(id);
            }
            Phase::Closing | Phase::Closed => self.hang_up(id),
        }
    }

    /// The network connection is gone; its identifier means nothing any more.
    pub(crate) fn lost(&mut self, id: Key, now: Instant) {
        self.begin(now);
        self.detach(id, true, None);
        self.connections.remove(id);
    }

    /// Whether the present call has done enough. What is left is done in the next one; until then it is nobody else's
    /// turn to wait.
    pub(super) const fn is_tired(&self) -> bool {
        self.work >= self.enough
    }

    /// Whether the present call has done so much that what else has come in is to be looked at before the next one.
    pub(crate) const fn has_worked(&self) -> bool {
        self.work + TURN >= self.enough + NOTICEABLE
    }

    /// Does what is due at `now`, or as much of it as others need not wait for.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.begin(now);
        while let Some((id, outgo)) = self.timers.due_thing(now) {
            self.post(id, outgo);
        }
        self.clear_away();
        self.release();
        while !self.is_tired()
            && let Some(reminder) = self.timers.due(now)
        {
            self.work += 1;
            match reminder {
                Reminder::Connection(id) => self.check_patience(id),
                Reminder::Resume(id) => self.resume_stalled(id),
                Reminder::Session(key) => self.check_session(key),
                Reminder::Held(id) => self.check_held(id),
                Reminder::Sys => self.tell_sys(),
                Reminder::Purge => self.purge_retained(),
            }
        }
    }

    /// When [`Self::tick`] is needed next.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        if !self.estates.is_empty() || self.may_release() {
            return Some(self.now);
        }
        self.timers.next()
    }

    /// A new call, with everything still to do.
    fn begin(&mut self, now: Instant) {
        self.now = now;
        self.enough = self.work + TURN;
    }

    /// Begins to take in what a connection has read. False: it has to wait, as [`Self::reads`] says, or its turn is over,
    /// as [`Self::is_unfinished`] says.
    pub(crate) fn begin_batch(&mut self, id: Key, now: Instant) -> bool {
        self.begin(now);
        self.goes_on(id)
    }

    /// Whether the next packet of a connection may come in: the one before is done, and others need not wait.
    pub(crate) fn goes_on(&mut self, id: Key) -> bool {
        let waits = |one: &Connection| one.request.is_some();
        if self.connections.get(id).is_some_and(waits) {
            self.continue_request(id);
        }
        let (tired, limit) = (self.is_tired(), self.options.max_buffered_bytes);
        let Some(connection) = self.connections.get_mut(id) else {
            return false;
        };
        if tired || connection.request.is_some() {
            connection.unfinished = true;
            return false;
        }
        connection.may_be_read(limit)
    }

    /// Whether there is more to do for a connection as soon as others had their turn. Asked once each time.
    pub(crate) fn is_unfinished(&mut self, id: Key) -> bool {
        self.connections
            .get_mut(id)
            .is_some_and(|connection| std::mem::take(&mut connection.unfinished))
    }

    /// Part of a large packet came in: its sender is alive.
    pub(crate) fn heard(&mut self, id: Key, now: Instant) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.last_seen = now;
        }
    }

    /// Answers after the retained messages that the client waits for, if that does not take too long: to some clients,
    /// ours among them, the answer says that there are no more.
    fn answer_ping(&mut self, id: Key) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let searching = |key| {
            self.sessions
                .get(key)
                .is_some_and(|one| !one.walks.is_empty())
        };
        if connection.session().is_some_and(searching) {
            connection.pong.get_or_insert(self.now + PONG);
            self.announce(id);
        } else {
            self.send(id, Packet::PingResp);
        }
    }

    /// Says goodbye to everyone (MQTT 5: 0x8b). The sessions end with the broker, and no will is published.
    pub(crate) fn shut_down(&mut self, now: Instant) {
        self.now = now;
        for id in self.connections.keys() {
            self.say_goodbye(id, ReasonCode::SERVER_SHUTTING_DOWN);
            self.detach(id, false, Some(ReasonCode::SERVER_SHUTTING_DOWN));
            self.hang_up(id);
        }
    }

    /// The connections that have something to write, or are to be closed, since the last call.
    pub(crate) fn ready(&mut self, mut each: impl FnMut(Key)) {
        for id in self.ready.drain(..) {
            if let Some(connection) = self.connections.get_mut(id) {
                connection.outbox.announced = false;
                each(id);
            }
        }
    }

    /// The next packet to be written to a connection; `None`: nothing waits, or it must wait.
    pub(crate) fn pull(&mut self, id: Key, now: Instant) -> Option<Outgo> {
        let connection = self
            .connections
            .get_mut(id)
            .filter(|connection| !connection.stalled)?;
        if connection.pong.is_some_and(|until| until <= now) {
            connection.pong = None;
            self.send(id, Packet::PingResp);
        }
        let connection = self.connections.get_mut(id)?;
        if let Some(outgo) = connection.outbox.pop() {
            return Some(outgo);
        }
        // There is room again: the queue of a slow reader goes on.
        let session = connection.session()?;
        self.now = now;
        self.pump(id, session);
        let connection = self.connections.get_mut(id)?;
        if connection.outbox.is_empty() && !connection.unfinished && connection.pong.is_some() {
            connection.pong = None;
            self.send(id, Packet::PingResp);
        }
        self.connections.get_mut(id)?.outbox.pop()
    }

    /// The version of MQTT that a connection is answered in. One that began with a CONNECT that could not be read whole is told
    /// so in the version that it named.
    pub(crate) fn version(&self, id: Key) -> Version {
        self.connections
            .get(id)
            .map_or(Version::V5, |connection| connection.version)
    }

    /// What is to become of a connection.
    pub(crate) fn fate(&self, id: Key) -> Disposition {
        match self.connections.get(id) {
            None => Disposition::Closed,
            Some(connection) if connection.stalled => Disposition::Open,
            Some(connection) => match connection.phase {
                Phase::Closed => Disposition::Closed,
                Phase::Closing if connection.outbox.is_empty() => Disposition::Closing,
                Phase::Fresh | Phase::Open(_) | Phase::Closing => Disposition::Open,
            },
        }
    }

    /// The largest packet that a connected client may send, in bytes.
    pub(crate) const fn max_packet_size(&self) -> u32 {
        self.options.max_packet_size
    }

    /// Whether packets are to be read from the connection at present.
    pub(crate) fn reads(&self, id: Key) -> bool {
        let limit = self.options.max_buffered_bytes;
        self.connections
            .get(id)
            .is_some_and(|connection| connection.may_be_read(limit))
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

    /// Notes bytes that went over the network, for `$SYS` and [`Self::counts`].
    pub(crate) const fn count_bytes(&mut self, received: u64, sent: u64) {
        self.counts.bytes_received += received;
        self.counts.bytes_sent += sent;
    }

    /// Whether CONNECT, the next packet (MQTT 5.0 §3.1.2.10) or the other side's close is overdue.
    fn check_patience(&mut self, id: Key) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let until = connection.last_seen + connection.patience.unwrap_or_default();
        match connection.phase {
            _ if connection.stalled => {}
            Phase::Fresh => self.hang_up(id),
            Phase::Open(_) if connection.patience.is_none() => {}
            Phase::Open(_) if self.now < connection.next_check => {}
            // Nothing may be read from it: whether it is alive cannot be heard.
            Phase::Open(_) if !connection.held.is_empty() && until <= self.now => {
                connection.last_seen = self.now;
                let until = self.now + connection.patience.unwrap_or_default();
                connection.next_check = until;
                self.timers.remind(until, Reminder::Connection(id));
            }
            Phase::Open(_) if until <= self.now => self.kick(id, ReasonCode::KEEP_ALIVE_TIMEOUT),
            Phase::Open(_) => {
                connection.next_check = until;
                self.timers.remind(until, Reminder::Connection(id));
            }
            Phase::Closing | Phase::Closed => {
                connection.phase = Phase::Closed;
                self.announce(id);
            }
        }
    }

    /// The faults that come after a number of packets.
    fn count_fault(&mut self, id: Key) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let received = connection.received;
        let struck = self
            .faults
            .trigger(&connection.client_id, |action| match action {
                Action::Close { after } => after.is_none_or(|n| n == received).then_some(action),
                Action::Stall { after, .. } | Action::Malformed { after } => {
                    (after == received).then_some(action)
                }
                _ => None,
            });
        match struck {
            Some(Action::Close { .. }) => self.hang_up(id),
            Some(Action::Malformed { .. }) => self.post(id, Outgo::Garbage(MALFORMED)),
            Some(Action::Stall { during, .. }) => {
                connection.stalled = true;
                if let Some(during) = during {
                    self.timers.remind(self.now + during, Reminder::Resume(id));
                }
            }
            _ => {}
        }
    }

    fn resume_stalled(&mut self, id: Key) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.stalled = false;
            // A stalled client could not be heard: its keep-alive starts anew.
            connection.last_seen = self.now;
            let patience = connection.patience.unwrap_or(FAREWELL);
            let until = self.now + patience;
            connection.next_check = until;
            self.timers.remind(until, Reminder::Connection(id));
        }
        self.announce(id);
    }
}
