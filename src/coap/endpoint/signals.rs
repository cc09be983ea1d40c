//! Connections on reliable transports: frames, CSM, Ping, Pong, Release, Abort (RFC 8323 §5).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Endpoint;
use super::config::Config;
use super::core::Timer;
use super::event::{Closing, Event, Loss};
use super::request::Peer;
use crate::coap::code::Code;
use crate::coap::frame::{self, Csm, Decoder, signal};
use crate::coap::message::{Message, Token};
use crate::coap::option;

/// Pings of a connection that may wait for answers to requests.
const PINGS: usize = 16;

/// What is known of a connection.
#[derive(Debug)]
pub(super) struct Connection {
    decoder: Decoder,
    /// What the peer said; `None` while it has said nothing.
    pub(super) csm: Option<Csm>,
    /// Whether requests wait for its CSM no longer.
    pub(super) open: bool,
    closed: bool,
    /// Bytes of messages that are not whole yet.
    partial: usize,
    /// WebSocket messages that wait for room in the outbox.
    frames: VecDeque<Bytes>,
    /// Bytes that are not written yet.
    outbox: usize,
    began: Instant,
    heard: Instant,
    /// It was asked whether it is still there.
    asked: bool,
    /// Pings that are answered once the requests before them are: the number of the last of these, and the token.
    pings: VecDeque<(u64, Token)>,
    /// The peer has released it: it is closed once all requests are answered.
    leaving: Option<Closing>,
}

impl Endpoint {
    /// A connection is there; our CSM is sent (reliable transports).
    pub fn connected(&mut self, now: Instant, peer: Peer) {
        let core = &mut self.core;
        let connection = Connection {
            decoder: Decoder::new(core.config.max_message_size.saturating_add(64)),
            csm: None,
            open: false,
            closed: false,
            partial: 0,
            frames: VecDeque::new(),
            outbox: 0,
            began: now,
            heard: now,
            asked: false,
            pings: VecDeque::new(),
            leaving: None,
        };
        core.connections.insert(peer, connection);
        let watched = core.config.csm_deadline.or(core.config.silence);
        if let Some(after) = watched {
            core.timers.set(Timer::Silence(peer), now + after);
        }
        // The options of a CSM are a few bytes long, which can always be written.
        let _ = core.send_once(peer, &core.csm().message());
        core.timers
            .set(Timer::Csm(peer), now + core.config.csm_wait);
    }

    /// Takes bytes of a TCP or TLS stream, in pieces of any size.
    pub fn handle_stream(&mut self, now: Instant, peer: Peer, bytes: &[u8]) {
        if let Some(connection) = self.open_connection(peer) {
            connection.hear(now);
            connection.decoder.push(bytes);
        }
        self.go_on(now, peer);
    }

    /// Takes the messages that have come, up to the next request: the application answers it first, as there may be no
    /// room for more answers then.
    pub(super) fn go_on(&mut self, now: Instant, peer: Peer) {
        self.core.ready.remove(&peer);
        while !self.core.is_congested(peer)
            && let Some(connection) = self.open_connection(peer)
        {
            let message = match connection.frames.pop_front() {
                Some(frame) => frame::decode_websocket(&frame).map(Some),
                None => connection.decoder.take(),
            };
            match message {
                Ok(Some(message)) => {
                    let is_request = message.code.is_request();
                    self.handle_reliable(now, peer, message);
                    if is_request {
                        self.core.ready.insert(peer);
                        break;
                    }
                }
                Ok(None) => break,
                Err(fault) => self.abort(peer, fault.into()),
            }
        }
        self.core.looked = Some(now);
        self.account(peer);
    }

    /// Counts what has come of messages that are not whole. Each connection may have as much as is left to all others.
    fn account(&mut self, peer: Peer) {
        let core = &mut self.core;
        let Some(connection) = core.connections.get_mut(&peer) else {
            return;
        };
        let before = std::mem::replace(&mut connection.partial, connection.decoder.len());
        core.partial = core.partial - before + connection.partial;
        let left = core.config.block_memory.saturating_sub(core.partial);
        if core.config.serve && connection.partial > left && !connection.closed {
            self.abort(peer, Closing::Crowded);
        }
    }

    /// So many bytes of what [`Endpoint::poll_transmit`] gave were written to a connection.
    pub fn written(&mut self, now: Instant, peer: Peer, bytes: usize) {
        if let Some(connection) = self.core.connections.get_mut(&peer) {
            connection.outbox = connection.outbox.saturating_sub(bytes);
        }
        if !self.core.is_congested(peer) {
            self.server.catch_up(&mut self.core, now, peer);
            self.go_on(now, peer);
        }
    }

    /// Takes one binary WebSocket message.
    pub fn handle_frame(&mut self, now: Instant, peer: Peer, bytes: &[u8]) {
        if let Some(connection) = self.open_connection(peer) {
            connection.hear(now);
            connection.frames.push_back(Bytes::copy_from_slice(bytes));
        }
        self.go_on(now, peer);
    }

    /// Looks whether a connection is still of use.
    pub(super) fn silence_due(&mut self, now: Instant, peer: Peer) {
        let Config {
            csm_deadline,
            silence,
            ..
        } = self.core.config;
        let Some(connection) = self.open_connection(peer) else {
            return;
        };
        let too_late = csm_deadline.is_some_and(|it| now >= connection.began + it);
        if connection.csm.is_none() && too_late {
            return self.abort(peer, Closing::LateCsm);
        }
        let Some(silence) = silence else {
            return;
        };
        let mut due = connection.heard + silence;
        if now >= due {
            if connection.asked {
                return self.abort(peer, Closing::Silent);
            }
            connection.asked = true;
            due = now + silence / 2;
            let ping = frame::signal_message(Code::PING, Token::EMPTY);
            let _ = self.core.send_once(peer, &ping);
        }
        self.core.timers.set(Timer::Silence(peer), due);
    }

    /// The connection, or the association that protected datagrams, is gone; what was under way on it fails with `why`.
    pub fn disconnected(&mut self, now: Instant, peer: Peer, why: impl Into<Loss>) {
        self.core.drop_peer(peer);
        self.core.ready.remove(&peer);
        if let Some(connection) = self.core.connections.remove(&peer) {
            self.core.partial -= connection.partial;
        }
        self.core.timers.clear(Timer::Csm(peer));
        self.core.timers.clear(Timer::Silence(peer));
        self.client
            .disconnected(&mut self.core, now, peer, why.into());
        self.server.peer_gone(&mut self.core, peer);
    }

    /// Says goodbye (7.04) before the driver closes the connection.
    pub fn release(&mut self, peer: Peer) {
        let message = frame::signal_message(Code::RELEASE, Token::EMPTY);
        let _ = self.core.send_once(peer, &message);
    }

    fn open_connection(&mut self, peer: Peer) -> Option<&mut Connection> {
        let connection = self.core.connections.get_mut(&peer);
        connection.filter(|it| !it.closed)
    }

    fn handle_reliable(&mut self, now: Instant, peer: Peer, message: Message) {
        let said = self
            .core
            .connections
            .get(&peer)
            .is_some_and(|it| it.csm.is_some());
        // A server that says nothing of itself has answered all the same.
        let awaited = message.code.is_response() && self.client.awaits(peer, message.token);
        if awaited && let Some(connection) = self.core.connections.get_mut(&peer) {
            connection.csm.get_or_insert_default();
        }
        if !said && !awaited && message.code != Code::CSM && message.code != Code::ABORT {
            self.abort(peer, Closing::NoCsm);
        } else if message.code.is_signal() {
            self.handle_signal(now, peer, &message);
        } else if message.code.is_request() {
            self.request_arrived(now, peer, message, false);
        } else if message.code.is_response() {
            self.response_arrived(now, peer, message);
        }
        // An empty message is a keep-alive (RFC 8323 §3.4).
    }

    fn handle_signal(&mut self, now: Instant, peer: Peer, message: &Message) {
        let unknown = message.options.iter().find(|it| option::is_critical(it.0));
        if let Some((number, _)) = unknown {
            return self.abort(peer, Closing::SignalOption(number));
        }
        match message.code {
            Code::CSM => self.handle_csm(now, peer, message),
            Code::PING => self.pinged(peer, message),
            // libcoap's Pong has no token: any will do.
            Code::PONG => self.client.pong(&mut self.core, now, peer),
            Code::RELEASE => {
                let hold_off = message.options.uint(signal::HOLD_OFF).unwrap_or(0);
                let closing = Closing::Released {
                    hold_off: Duration::from_secs(hold_off.min(signal::LONGEST_HOLD_OFF)),
                    why: String::from_utf8_lossy(&message.payload).into_owned(),
                };
                self.released(peer, closing);
            }
            Code::ABORT => {
                let text = String::from_utf8_lossy(&message.payload).into_owned();
                self.close(peer, Closing::Aborted(text));
            }
            // Unknown signals are ignored (RFC 8323 §5.2 allows it for elective ones).
            _ => {}
        }
    }

    /// Custody says that what came before has been dealt with, for which the answer waits (RFC 8323 §5.4.1).
    fn pinged(&mut self, peer: Peer, message: &Message) {
        let custody = message.options.contains(signal::CUSTODY);
        let last = self.server.last();
        let must_wait = custody && self.server.owes(peer, last);
        if must_wait
            && let Some(connection) = self.open_connection(peer)
            && connection.pings.len() < PINGS
        {
            connection.pings.push_back((last, message.token));
            self.core.owed.insert(peer);
            return;
        }
        self.pong(peer, message.token, custody && !must_wait);
    }

    fn pong(&mut self, peer: Peer, token: Token, custody: bool) {
        let mut pong = frame::signal_message(Code::PONG, token);
        if custody {
            pong.options.push(signal::CUSTODY, Bytes::new());
        }
        let _ = self.core.send_once(peer, &pong);
    }

    /// Nothing more is taken; what is owed is still answered before the connection is closed (RFC 8323 §5.5).
    fn released(&mut self, peer: Peer, closing: Closing) {
        if !self.server.owes(peer, u64::MAX) {
            return self.close(peer, closing);
        }
        if let Some(connection) = self.open_connection(peer) {
            connection.shut();
            connection.leaving = Some(closing);
            self.core.owed.insert(peer);
        }
        self.account(peer);
    }

    /// A request was answered, or never will be: does what has waited for it.
    pub(super) fn settle_owed(&mut self) {
        for peer in self.core.owed.clone() {
            let Some(connection) = self.core.connections.get_mut(&peer) else {
                self.core.owed.remove(&peer);
                continue;
            };
            let mut answered = Vec::new();
            while let Some((last, token)) = connection.pings.front().copied()
                && !self.server.owes(peer, last)
            {
                connection.pings.pop_front();
                answered.push(token);
            }
            let left = connection.leaving.is_some() && !self.server.owes(peer, u64::MAX);
            let closing = connection.leaving.take_if(|_| left);
            if connection.pings.is_empty() && connection.leaving.is_none() {
                self.core.owed.remove(&peer);
            }
            for token in answered {
                self.pong(peer, token, true);
            }
            if let Some(closing) = closing {
                self.close(peer, closing);
            }
        }
    }

    fn handle_csm(&mut self, now: Instant, peer: Peer, message: &Message) {
        if let Some(connection) = self.core.connections.get_mut(&peer) {
            let csm = connection.csm.get_or_insert_default();
            csm.update(&message.options);
            let csm = *csm;
            self.core
                .events
                .push_back(Event::Capabilities { peer, csm });
        }
        self.open_for_requests(now, peer);
    }

    /// Requests wait for the peer's CSM no longer: it came, or its time is over.
    pub(super) fn open_for_requests(&mut self, now: Instant, peer: Peer) {
        self.core.timers.clear(Timer::Csm(peer));
        if let Some(connection) = self.core.connections.get_mut(&peer) {
            connection.open = true;
        }
        self.client.launch_held(&mut self.core, now, peer);
    }

    fn abort(&mut self, peer: Peer, closing: Closing) {
        let mut message = frame::abort(&closing.to_string());
        if let Closing::SignalOption(number) = closing {
            message
                .options
                .push_uint(signal::BAD_CSM_OPTION, number.into());
        }
        let _ = self.core.send_once(peer, &message);
        self.close(peer, closing);
    }

    fn close(&mut self, peer: Peer, closing: Closing) {
        if let Some(connection) = self.open_connection(peer) {
            connection.shut();
        }
        self.account(peer);
        self.core.events.push_back(Event::Close { peer, closing });
    }
}

impl Connection {
    /// Nothing more is taken from it.
    fn shut(&mut self) {
        self.closed = true;
        self.decoder = Decoder::new(0);
        self.frames.clear();
    }

    const fn hear(&mut self, now: Instant) {
        self.heard = now;
        self.asked = false;
    }

    /// More was put into the outbox.
    pub(super) const fn queued(&mut self, bytes: usize) {
        self.outbox = self.outbox.saturating_add(bytes);
    }

    pub(super) const fn outbox(&self) -> usize {
        self.outbox
    }
}
