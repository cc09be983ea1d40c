//! A CoAP endpoint, sans-I/O: bytes and time in, bytes and events out.
//!
//! | part | what it is for |
//! |---|---|
//! | `core`, `dedup`, `rto`, `timers` | the message layer: retransmission, NSTART, de-duplication (RFC 7252 §4) |
//! | `client`, `flow`, `endings`, `groups`, `observing`, `pings` | requests: tokens, deadlines, groups, observations |
//! | `transfer` | one body up and one body down, block by block (RFC 7959) |
//! | `server`, `bodies`, `observers`, `challenge` | requests of peers, their blocks and observations, Echo (RFC 9175) |
//! | `protection` | OSCORE around single messages (RFC 8613) |
//! | `signals` | connections on reliable transports (RFC 8323) |
//!
//! The driver's duty is the same after every call: take all of [`Endpoint::poll_transmit`] and of
//! [`Endpoint::poll_event`], and call [`Endpoint::handle_timeout`] when the time of [`Endpoint::poll_timeout`] has
//! come. Every call appends a bounded number of messages and events; nothing else bounds these two queues.

mod bodies;
mod challenge;
mod client;
mod config;
mod core;
mod dedup;
mod endings;
mod event;
mod flow;
mod groups;
mod ids;
mod observers;
mod observing;
mod pings;
mod protection;
mod request;
mod rto;
mod server;
mod serving;
mod signals;
#[cfg(test)]
mod tests;
mod timers;
mod transfer;

use std::time::{Duration, Instant};

use bytes::Bytes;

pub use client::Refused;
pub use config::{Config, Transport};
pub use event::{Broken, Closing, Event, Failure, Gone, Ignored, Loss};
pub use request::{Arrived, Cancel, Handle, Partial, Peer, Reply, Request, Response, Resume};
pub use serving::{Exchange, Incoming};

use super::code::Code;
use super::message::{Malformed, Message, Type};
use super::option;
use super::oscore::Context;
use super::random::Random;
use client::{Client, Taken};
use core::{Again, Core, Owner, Timer};
use dedup::Seen;
use server::Server;

/// Client and server of one socket, or of one transport's connections.
#[derive(Debug)]
pub struct Endpoint {
    core: Core,
    client: Client,
    server: Server,
}

impl Endpoint {
    /// An endpoint whose tokens and message ids are random.
    pub fn new(config: Config) -> Self {
        Self::with_random(config, Random::from_system())
    }

    /// An endpoint whose tokens, message ids and waits follow from a seed: for tests.
    pub fn seeded(config: Config, seed: u64) -> Self {
        Self::with_random(config, Random::seeded(seed))
    }

    fn with_random(config: Config, mut random: Random) -> Self {
        Self {
            client: Client::default(),
            server: Server::new(&config, &mut random),
            core: Core::new(config, random),
        }
    }

    /// The settings.
    pub const fn config(&self) -> &Config {
        &self.core.config
    }

    /// Protects everything that is asked of a peer from now on with OSCORE.
    pub fn protect(&mut self, peer: Peer, context: Context) {
        self.core.protection.asking.insert(peer, context);
    }

    /// The security context for what is asked of a peer, so that more sequence numbers can be allowed.
    pub fn protection(&mut self, peer: Peer) -> Option<&mut Context> {
        self.core.protection.asking.get_mut(&peer)
    }

    /// The security contexts for what is asked of us, so that more sequence numbers can be allowed.
    pub fn serving_protection(&mut self) -> &mut [Context] {
        &mut self.core.protection.serving
    }

    /// Takes requests that are protected under this context too; [`Incoming::protected`] says which ones were, and
    /// [`Config::protected_only`] refuses others.
    pub fn serve_protected(&mut self, context: Context) {
        self.core.protection.serving.push(context);
    }

    /// Begins a request. On reliable transports the connection must have been announced by
    /// [`Endpoint::connected`].
    ///
    /// # Errors
    /// It cannot be begun; nothing was sent.
    pub fn request(&mut self, now: Instant, request: Request) -> Result<Handle, Refused> {
        self.client.request(&mut self.core, now, request)
    }

    /// Sends a ping: an empty confirmable message, or Ping (7.02) on reliable transports. Ends with
    /// [`Event::Pong`] or [`Event::Failed`] after `deadline` at the latest.
    pub fn ping(&mut self, now: Instant, peer: Peer, deadline: Duration) -> Handle {
        self.client.ping(&mut self.core, now, peer, deadline)
    }

    /// What has come so far of the body of a response; `None` when nothing has, or the request has ended.
    pub fn arrived(&self, handle: Handle) -> Option<Arrived<'_>> {
        self.client.arrived(handle)
    }

    /// Ends a request. With [`Cancel::Deregister`] on an observation, an event will say when it has ended;
    /// otherwise it is forgotten at once, without event.
    pub fn cancel(&mut self, now: Instant, handle: Handle, how: Cancel) {
        self.client.cancel(&mut self.core, now, handle, how);
    }

    /// Refuses what OSCORE does not protect, from now on.
    pub const fn demand_protection(&mut self) {
        self.core.config.protected_only = true;
    }

    /// Answers a request. A response with an Observe option of any value accepts the registration that a
    /// request asked for; its exchange then names the observer. One with a Block2 option says with its size into
    /// what blocks it is to be cut at most.
    pub fn respond(&mut self, now: Instant, exchange: Exchange, response: Response) {
        self.server.respond(&mut self.core, now, exchange, response);
        self.settle_owed();
    }

    /// Acknowledges a confirmable request now, so that its response will be a separate one. Otherwise this is
    /// done after [`Config::separate_after`].
    pub fn acknowledge(&mut self, now: Instant, exchange: Exchange) {
        self.server.acknowledge(&mut self.core, now, exchange);
    }

    /// Rejects a request with a reset, without response (RFC 7252 §4.2, §4.3). On reliable transports it is only
    /// forgotten: there the driver closes the connection.
    pub fn reject(&mut self, now: Instant, exchange: Exchange) {
        self.server.reject(&mut self.core, now, exchange);
        self.settle_owed();
    }

    /// Sends an observer the resource's new state; an error ends the observation. While the notification
    /// before is not acknowledged, only the newest state is kept, and sent in its place where it would be sent again. False when there is no such observer.
    pub fn notify(
        &mut self,
        now: Instant,
        observer: Exchange,
        state: Response,
        confirmable: bool,
    ) -> bool {
        self.server
            .notify(&mut self.core, now, observer.0, state, confirmable)
    }

    /// Forgets an observer without a word.
    pub fn forget(&mut self, observer: Exchange) {
        self.server.observers.forget(observer.0);
    }

    /// Whether an exchange names an observer.
    pub fn is_observer(&self, exchange: Exchange) -> bool {
        self.server.observers.contains(exchange.0)
    }

    /// Takes a datagram that was sent to us alone.
    pub fn handle_datagram(&mut self, now: Instant, peer: Peer, datagram: &[u8]) {
        self.handle(now, peer, datagram, false);
    }

    /// Takes a datagram that was sent to a group: requests in it are answered within the leisure, or not at all.
    pub fn handle_multicast(&mut self, now: Instant, peer: Peer, datagram: &[u8]) {
        self.handle(now, peer, datagram, true);
    }

    /// The operating system says that nobody listens there (ICMP, connected sockets).
    pub fn handle_unreachable(&mut self, now: Instant, peer: Peer) {
        self.core.drop_peer(peer);
        self.client
            .peer_gone(&mut self.core, now, peer, &Failure::Unreachable);
        self.server.peer_gone(&mut self.core, peer);
    }

    /// A peer is gone, and what comes from its address from now on is from somebody else: nothing of it is kept.
    pub fn forget_peer(&mut self, peer: Peer) {
        self.core.drop_peer(peer);
        self.core.memory.forget_peer(peer);
        self.server.peer_gone(&mut self.core, peer);
    }

    /// The next bytes to be sent: a datagram, a WebSocket message, or a piece of a stream.
    pub fn poll_transmit(&mut self) -> Option<(Peer, Bytes)> {
        self.core.out.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        while self.core.events.is_empty()
            && let Some(peer) = self.core.ready.first().copied()
            && let Some(now) = self.core.looked
        {
            self.go_on(now, peer);
        }
        self.core.events.pop_front()
    }

    /// When [`Endpoint::handle_timeout`] is to be called at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.core.timers.next()
    }

    /// Does everything whose time has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.core.timers.due(now) {
            let core = &mut self.core;
            match timer {
                Timer::Retransmit(peer, mid) => self.retransmit(now, peer, mid),
                Timer::Deadline(id) => self.client.expired(core, now, id),
                Timer::Reregister(id) => self.client.reregister(core, now, id),
                Timer::Acknowledge(id) => {
                    self.server.acknowledge_due(core, now, id);
                    self.settle_owed();
                }
                Timer::Leisure(id) => self.server.leisure_over(core, now, id),
                Timer::Csm(peer) => self.open_for_requests(now, peer),
                Timer::Silence(peer) => self.silence_due(now, peer),
            }
        }
    }

    /// Whether no request or ping of ours is going on.
    pub fn is_idle(&self) -> bool {
        self.client.is_idle()
    }

    /// Until when the endpoint should be kept going after the end of an observation, so that late notifications
    /// are answered with a reset; `None` when nothing was observed.
    pub const fn lingers_until(&self) -> Option<Instant> {
        self.client.lingers()
    }

    fn handle(&mut self, now: Instant, peer: Peer, datagram: &[u8], multicast: bool) {
        match Message::decode(datagram) {
            Ok(message) => self.message_arrived(now, peer, message, multicast),
            Err(fault) => {
                if !multicast && must_reset(fault, datagram) {
                    let mid = u16::from_be_bytes([datagram[2], datagram[3]]);
                    let _ = self.core.send_once(peer, &Message::empty(Type::Rst, mid));
                }
                self.core.ignored(peer, fault.into());
            }
        }
    }

    fn message_arrived(&mut self, now: Instant, peer: Peer, message: Message, multicast: bool) {
        let empty = message.code == Code::EMPTY;
        if matches!(message.kind, Type::Ack | Type::Rst) {
            self.core.measure(now, peer, message.mid);
        }
        match message.kind {
            Type::Ack if empty => self.acknowledged(now, peer, message.mid),
            Type::Rst if empty => self.reset(now, peer, message.mid),
            Type::Ack if message.code.is_response() => self.response_arrived(now, peer, message),
            Type::Ack | Type::Rst => self.core.ignored(peer, Ignored::Type),
            // A ping (RFC 7252 §4.3).
            Type::Con if empty => {
                let _ = self
                    .core
                    .send_once(peer, &Message::empty(Type::Rst, message.mid));
            }
            Type::Non if empty => self.core.ignored(peer, Ignored::Type),
            kind => {
                let lifetime = match kind {
                    Type::Con => self.core.config.exchange_lifetime,
                    _ => self.core.config.non_lifetime,
                };
                match self.core.memory.look(now, peer, message.mid, lifetime) {
                    Seen::First if message.code.is_request() => {
                        self.request_arrived(now, peer, message, multicast);
                    }
                    Seen::First => self.separate_response(now, peer, message),
                    Seen::Again(answer) => {
                        self.core.out.extend(answer.map(|bytes| (peer, bytes)));
                        self.core.ignored(peer, Ignored::Duplicate);
                    }
                }
            }
        }
    }

    fn request_arrived(&mut self, now: Instant, peer: Peer, message: Message, multicast: bool) {
        if self.core.config.serve {
            let core = &mut self.core;
            return self.server.request(core, now, peer, message, multicast);
        }
        self.core.ignored(peer, Ignored::Request);
        if message.kind == Type::Con && !multicast && !self.core.is_reliable() {
            self.core.answer_empty(now, peer, Type::Rst, message.mid);
        }
    }

    fn response_arrived(&mut self, now: Instant, peer: Peer, message: Message) {
        self.client.response(&mut self.core, now, peer, message);
    }

    /// A response that is not in an acknowledgement: taken ones are acknowledged, others are reset, and so is
    /// a notification that nobody waits for, whatever its type.
    fn separate_response(&mut self, now: Instant, peer: Peer, message: Message) {
        let (mid, confirmable) = (message.mid, message.kind == Type::Con);
        let observed = message.options.contains(option::OBSERVE);
        let taken = self.client.response(&mut self.core, now, peer, message);
        match taken {
            Taken::Yes if confirmable => self.core.answer_empty(now, peer, Type::Ack, mid),
            Taken::Yes => {}
            Taken::No | Taken::Rejected if confirmable || observed => {
                self.core.answer_empty(now, peer, Type::Rst, mid);
            }
            Taken::No | Taken::Rejected => {}
        }
    }

    fn acknowledged(&mut self, now: Instant, peer: Peer, mid: u16) {
        // An acknowledgement that comes late, after the separate response, finds nothing.
        match self.core.settle(now, peer, mid) {
            Some(Owner::Flow(id)) => self.client.acknowledged(&mut self.core, now, id),
            Some(Owner::Observer(id)) => {
                let core = &mut self.core;
                self.server.notification_acknowledged(core, now, id);
            }
            Some(Owner::Ping(_) | Owner::Exchange) | None => {}
        }
    }

    fn reset(&mut self, now: Instant, peer: Peer, mid: u16) {
        let owner = self.core.owner(peer, mid);
        self.core.settle(now, peer, mid);
        let core = &mut self.core;
        match owner {
            Some(Owner::Flow(id)) if self.client.waits_for(id, mid) => {
                self.client.fail(core, now, id, Failure::Reset);
            }
            Some(Owner::Ping(id)) => self.client.ponged(core, now, id),
            Some(Owner::Observer(id)) => {
                self.server.observers.withdraw(core, now, id);
                self.server.observers.remove(core, id, Gone::Reset);
            }
            Some(Owner::Flow(_) | Owner::Exchange) | None => {}
        }
    }

    fn retransmit(&mut self, now: Instant, peer: Peer, mid: u16) {
        let mid = self.server.renew(&mut self.core, now, peer, mid);
        match self.core.retransmit(now, peer, mid) {
            Some(Again::Sent(owner, attempt)) => {
                self.client.retransmitted(&mut self.core, owner, attempt);
            }
            Some(Again::GaveUp(owner, transmissions)) => self.gave_up(now, owner, transmissions),
            None => {}
        }
    }

    fn gave_up(&mut self, now: Instant, owner: Owner, transmissions: u8) {
        let failure = Failure::GaveUp {
            transmissions: transmissions.into(),
        };
        let core = &mut self.core;
        match owner {
            Owner::Flow(id) => self.client.fail(core, now, id, failure),
            Owner::Ping(id) => self.client.ping_failed(core, id, failure),
            Owner::Observer(id) => self.server.observers.gave_up(core, id),
            Owner::Exchange => {}
        }
    }
}

/// Whether a malformed datagram is to be rejected with a reset: when it is confirmable and of our version
/// (RFC 7252 §4.2).
fn must_reset(fault: Malformed, datagram: &[u8]) -> bool {
    let confirmable = datagram.len() >= 4 && datagram[0] & 0x30 == 0;
    confirmable && !matches!(fault, Malformed::Short | Malformed::Version(_))
}
