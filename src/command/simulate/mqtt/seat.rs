//! One device: its session, its transport, and what waits for them.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::time::Instant;

use crate::bench::transport::Transport;
use crate::connect::Backoff;
use crate::device::account::Account;
use crate::device::fleet::Outgoing;
use crate::mqtt::packet::{Disconnect, Properties, Property, Publish, QoS, Version};
use crate::mqtt::session::client::{Event, Session, Unsendable};
use crate::pace::wake::Ready;

/// The most messages of a device that wait for the server.
const MOST_WAITING: usize = 1000;

/// The most bytes that wait for its transport.
const MOST_UNWRITTEN: usize = 1 << 20;

/// Where a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Without a connection, and without the wish to have one.
    Idle,
    /// It is to be connected, now or when its waiting is over.
    Wanted,
    /// Its transport is being opened.
    Dialing,
    /// CONNECT was sent.
    Greeting,
    Open,
    /// Open, and nothing is sent or read any more.
    Silent,
    /// What was sent is still to be acknowledged; DISCONNECT follows.
    Closing,
    /// DISCONNECT was sent; the server is to close.
    Leaving,
}

/// One device.
pub(super) struct Seat {
    pub(super) state: State,
    /// Changes with each connection, so that what comes late of another one is known.
    pub(super) turn: u32,
    pub(super) transport: Transport,
    pub(super) session: Option<Box<Session>>,
    /// What has arrived of a packet that is not whole.
    pub(super) rest: BytesMut,
    queue: VecDeque<Outgoing>,
    pub(super) backoff: Option<Box<Backoff>>,
    /// When the state began.
    pub(super) since: Instant,
    /// It is to be connected again as soon as it has left.
    pub(super) again: bool,
    /// It is listed to be written to.
    pub(super) dirty: bool,
}

/// How messages end that are not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// With the device.
    Lost,
    /// With the run, or an end that took too long.
    Unacknowledged,
}

impl Seat {
    pub(super) fn new(number: u32, ready: &Arc<Ready>, now: Instant) -> Self {
        Self {
            state: State::Idle,
            turn: 0,
            transport: Transport::new(number, ready),
            session: None,
            rest: BytesMut::new(),
            queue: VecDeque::new(),
            backoff: None,
            since: now,
            again: false,
            dirty: false,
        }
    }

    pub(super) fn enter(&mut self, state: State, now: Instant) {
        self.state = state;
        self.since = now;
    }

    /// Drops the transport; what was sent over it and is not acknowledged stays in the session.
    pub(super) fn detach(&mut self) {
        self.transport.detach();
        self.turn = self.turn.wrapping_add(1);
        self.rest = BytesMut::new();
        if let Some(session) = &mut self.session {
            session.lost();
        }
    }

    /// The session is over, too.
    pub(super) fn settle(&mut self, fate: Fate, account: &mut Account) {
        let mut under_way = 0;
        if let Some(mut session) = self.session.take() {
            // What became of messages when the connection was lost is known, and not under way any more.
            while let Some(event) = session.poll_event() {
                count(&event, account);
            }
            under_way = session.unfinished();
        }
        let left = (under_way + self.queue.len()) as u64;
        self.queue = VecDeque::new();
        match fate {
            Fate::Lost => account.lost += left,
            Fate::Unacknowledged => account.unacknowledged += left,
        }
        self.detach();
        self.state = State::Idle;
    }

    /// Sends a message now, or as soon as the server takes it.
    pub(super) fn publish(
        &mut self,
        message: Outgoing,
        account: &mut Account,
    ) -> Option<Unsendable> {
        let unwritten = self.session.as_ref().map_or(0, |it| it.unwritten());
        let full = unwritten + self.transport.waiting() > MOST_UNWRITTEN;
        if full || self.queue.len() >= MOST_WAITING {
            account.dropped += 1;
            return None;
        }
        self.queue.push_back(message);
        self.send(account)
    }

    /// Sends what waits, as far as the server takes it; what it does not take at all is refused, and the last reason returned.
    pub(super) fn send(&mut self, account: &mut Account) -> Option<Unsendable> {
        let mut refused = None;
        let session = self.session.as_mut()?;
        while let Some(message) = self.queue.front() {
            let qos = QoS::from_level(message.qos).unwrap_or_default();
            if !session.can_publish(qos) {
                break;
            }
            let Some(message) = self.queue.pop_front() else {
                break;
            };
            let mut publish = packet(message, qos, session.version());
            match session.publish(&mut publish, 0) {
                Ok(()) if qos == QoS::AtMostOnce => account.sent += 1,
                Ok(()) => {}
                Err(why) => {
                    account.refused += 1;
                    refused = Some(why);
                }
            }
        }
        if self.queue.is_empty() && self.queue.capacity() > 0 {
            self.queue = VecDeque::new();
        }
        refused
    }

    /// Whether all that was sent is acknowledged.
    pub(super) fn is_done(&self) -> bool {
        let under_way = self.session.as_ref().map_or(0, |it| it.unfinished());
        under_way == 0 && self.queue.is_empty()
    }

    /// Says goodbye.
    pub(super) fn leave(&mut self, now: Instant) {
        if let Some(session) = &mut self.session {
            session.disconnect(Disconnect::default());
        }
        self.enter(State::Leaving, now);
    }

    /// Writes what there is; `out` is empty before and after.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>, now: Instant) -> io::Result<()> {
        let Some(session) = &mut self.session else {
            return Ok(());
        };
        let output = session.output();
        if output.is_empty() && !self.transport.is_blocked() {
            return Ok(());
        }
        out.extend_from_slice(output);
        // A buffer that has grown is given back: there are thousands of them.
        *output = BytesMut::new();
        session.wrote(now.into_std());
        self.transport.write(out)
    }
}

/// Counts what became of a message.
pub(super) const fn count(event: &Event, account: &mut Account) {
    match event {
        Event::Acknowledged { reason, .. } if reason.is_failure() => account.refused += 1,
        Event::Unsendable { .. } => account.refused += 1,
        Event::Acknowledged { .. } => account.acknowledged += 1,
        Event::InDoubt { .. } => account.lost += 1,
        Event::Abandoned { .. } => account.abandoned += 1,
        _ => {}
    }
}

fn packet(message: Outgoing, qos: QoS, version: Version) -> Publish {
    let mut properties = Properties::default();
    if let Some(data) = message.correlation.filter(|_| version == Version::V5) {
        properties.push(Property::CorrelationData(data));
    }
    Publish {
        qos,
        retain: message.retain,
        topic: message.topic,
        payload: message.payload,
        properties,
        ..Publish::default()
    }
}
