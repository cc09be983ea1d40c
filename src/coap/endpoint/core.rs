//! What both roles share: settings, time, the message layer's sending side (RFC 7252 §4), and what waits to be
//! taken out.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::config::{Config, Transport};
use super::dedup::Memory;
use super::event::{Event, Ignored};
use super::flow::FOREVER;
use super::ids::Ids;
use super::protection::Protection;
use super::request::Peer;
use super::rto::{self, RtoEstimator};
use super::signals::Connection;
use super::timers::Timers;
use crate::coap::frame;
use crate::coap::message::{Message, Token, Type, Unwritable};
use crate::coap::random::Random;

/// Message ids of messages that are not sent again, whose resets are still understood.
const RECENT: usize = 256;

/// Events of ignored messages that wait at most; a flood must not fill the memory of a slow driver.
const IGNORED: usize = 1024;

/// Peers of whom is remembered what was ignored.
const STRAYS: usize = 256;

/// On whose behalf a message was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A request, or one of its blocks.
    Flow(u64),
    /// A ping.
    Ping(u64),
    /// A separate response.
    Exchange,
    /// A notification.
    Observer(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Timer {
    Retransmit(Peer, u16),
    Deadline(u64),
    Reregister(u64),
    Acknowledge(u64),
    Leisure(u64),
    Csm(Peer),
    Silence(Peer),
}

#[derive(Debug)]
struct Sending {
    bytes: Bytes,
    owner: Owner,
    transmissions: u8,
    wait: Duration,
    /// When it was sent for the first time.
    began: Instant,
    /// It is given up then, after its last transmission.
    until: Instant,
}

/// What a retransmission timer led to.
pub(super) enum Again {
    /// Sent once more.
    Sent(Owner, u8),
    /// It was the last one.
    GaveUp(Owner, u8),
}

#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: Config,
    pub(super) random: Random,
    pub(super) timers: Timers<Timer>,
    pub(super) memory: Memory,
    patience: RtoEstimator,
    pub(super) connections: HashMap<Peer, Connection>,
    /// Bytes of messages on all connections that are not whole yet.
    pub(super) partial: usize,
    /// Connections on which more may have come than was taken, and when that was.
    pub(super) ready: BTreeSet<Peer>,
    pub(super) looked: Option<Instant>,
    /// Connections on which something waits for answers to requests.
    pub(super) owed: BTreeSet<Peer>,
    pub(super) protection: Protection,
    pub(super) events: VecDeque<Event>,
    /// What was ignored last since a request to the peer began: why it may have gone unanswered.
    pub(super) unmatched: HashMap<Peer, Ignored>,
    pub(super) out: VecDeque<(Peer, Bytes)>,
    mid: u16,
    sending: HashMap<(Peer, u16), Sending>,
    outstanding: HashMap<Peer, usize>,
    waiting: HashMap<Peer, VecDeque<(u16, Bytes, Owner)>>,
    recent: VecDeque<(Peer, u16, Owner)>,
    ids: Ids,
}

impl Core {
    pub(super) fn new(config: Config, mut random: Random) -> Self {
        Self {
            memory: Memory::new(config.remembered),
            patience: RtoEstimator::default(),
            mid: random.next() as u16,
            config,
            random,
            timers: Timers::new(),
            connections: HashMap::new(),
            partial: 0,
            ready: BTreeSet::new(),
            looked: None,
            owed: BTreeSet::new(),
            protection: Protection::default(),
            events: VecDeque::new(),
            unmatched: HashMap::new(),
            out: VecDeque::new(),
            sending: HashMap::new(),
            outstanding: HashMap::new(),
            waiting: HashMap::new(),
            recent: VecDeque::new(),
            ids: Ids::default(),
        }
    }

    pub(super) const fn is_reliable(&self) -> bool {
        self.config.transport.is_reliable()
    }

    pub(super) fn ignored(&mut self, peer: Peer, ignored: Ignored) {
        let telling = matches!(
            ignored,
            Ignored::Malformed(_) | Ignored::Token | Ignored::MessageId | Ignored::Type
        );
        if telling && self.unmatched.len() < STRAYS {
            self.unmatched.insert(peer, ignored);
        }
        if self.events.len() < IGNORED {
            self.events.push_back(Event::Ignored { peer, ignored });
        }
    }

    /// A random token (RFC 7252 §5.3.1).
    pub(super) fn token(&mut self) -> Token {
        let bytes = self.random.next().to_be_bytes();
        let length = usize::from(self.config.token_length).min(8);
        Token::new(&bytes[..length]).unwrap_or_default()
    }

    /// Sends a Con or Non message under a new message id, which is returned. A Con is sent again until
    /// [`Core::settle`] is called.
    pub(super) fn send(
        &mut self,
        now: Instant,
        peer: Peer,
        mut message: Message,
        owner: Owner,
    ) -> Result<u16, Unwritable> {
        message.mid = self.next_mid(peer);
        let bytes = self.encode(&message)?;
        self.fits(peer, owner, bytes.len())?;
        let mid = message.mid;
        if !self.is_reliable() {
            self.count(now, peer, mid);
        }
        if self.is_reliable() {
            self.post(peer, bytes);
        } else if message.kind == Type::Con {
            self.confirmable(now, peer, mid, bytes, owner);
        } else {
            self.remember(peer, mid, owner);
            self.out.push_back((peer, bytes));
        }
        Ok(mid)
    }

    fn count(&mut self, now: Instant, peer: Peer, mid: u16) {
        let lifetime = self.config.exchange_lifetime;
        if self.ids.come_again(now, peer, mid, lifetime) {
            self.events.push_back(Event::IdsAgain { peer });
        }
    }

    fn remember(&mut self, peer: Peer, mid: u16, owner: Owner) {
        self.recent.truncate(RECENT - 1);
        self.recent.push_front((peer, mid, owner));
    }

    /// Sends a message as it is, once: an Ack or Rst, or anything on a reliable transport.
    pub(super) fn send_once(&mut self, peer: Peer, message: &Message) -> Result<Bytes, Unwritable> {
        let bytes = self.encode(message)?;
        self.post(peer, bytes.clone());
        Ok(bytes)
    }

    fn post(&mut self, peer: Peer, bytes: Bytes) {
        if let Some(connection) = self.connections.get_mut(&peer) {
            connection.queued(bytes.len());
        }
        self.out.push_back((peer, bytes));
    }

    /// Whether so much waits to be written to a connection that there must not be more.
    pub(super) fn is_congested(&self, peer: Peer) -> bool {
        let connection = self.connections.get(&peer);
        connection.is_some_and(|it| it.outbox() >= self.config.outbox)
    }

    /// Answers a received message with an empty one, and with the same again when it comes again.
    pub(super) fn answer_empty(&mut self, now: Instant, peer: Peer, kind: Type, mid: u16) {
        if let Ok(bytes) = self.send_once(peer, &Message::empty(kind, mid)) {
            self.memory.answered(now, peer, mid, bytes);
        }
    }

    pub(super) fn encode(&self, message: &Message) -> Result<Bytes, Unwritable> {
        match self.config.transport {
            Transport::Datagram => message.encode(),
            Transport::Stream => frame::encode_stream(message),
            Transport::WebSocket => frame::encode_websocket(message),
        }
    }

    /// Whether the peer takes a request of this length.
    fn fits(&self, peer: Peer, owner: Owner, length: usize) -> Result<(), Unwritable> {
        if !self.is_reliable() || !matches!(owner, Owner::Flow(_)) {
            return Ok(());
        }
        let limit = self.capabilities(peer).max_message_size;
        match length > limit {
            true => Err(Unwritable::TooLarge { length, limit }),
            false => Ok(()),
        }
    }

    /// How many confirmable messages wait for their turn.
    pub(super) fn queued(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    fn next_mid(&mut self, peer: Peer) -> u16 {
        for _ in 0..=u16::MAX {
            self.mid = self.mid.wrapping_add(1);
            if !self.sending.contains_key(&(peer, self.mid)) {
                break;
            }
        }
        self.mid
    }

    fn confirmable(&mut self, now: Instant, peer: Peer, mid: u16, bytes: Bytes, owner: Owner) {
        let outstanding = self.outstanding.get(&peer).copied().unwrap_or(0);
        if outstanding >= self.config.nstart.max(1) {
            let waiting = self.waiting.entry(peer).or_default();
            waiting.push_back((mid, bytes, owner));
            return;
        }
        *self.outstanding.entry(peer).or_default() += 1;
        let share = self.random.fraction();
        let shortest = self.patience.shortest(&self.config, peer);
        let wait = rto::first(&self.config, shortest, share);
        self.out.push_back((peer, bytes.clone()));
        self.timers.set(Timer::Retransmit(peer, mid), now + wait);
        let sending = Sending {
            bytes,
            owner,
            transmissions: 1,
            wait,
            began: now,
            until: now + rto::longest(&self.config, share),
        };
        self.sending.insert((peer, mid), sending);
    }

    /// A message of ours needs no more transmissions: acknowledged, answered, reset or given up.
    pub(super) fn settle(&mut self, now: Instant, peer: Peer, mid: u16) -> Option<Owner> {
        let Some(sent) = self.sending.remove(&(peer, mid)) else {
            return self.withdraw(peer, mid);
        };
        self.timers.clear(Timer::Retransmit(peer, mid));
        if let Some(outstanding) = self.outstanding.get_mut(&peer) {
            *outstanding -= 1;
            if *outstanding == 0 {
                self.outstanding.remove(&peer);
            }
        }
        self.next_waiting(now, peer);
        Some(sent.owner)
    }

    /// An acknowledgement or reset has come: what it says about the way to this peer.
    pub(super) fn measure(&mut self, now: Instant, peer: Peer, mid: u16) {
        match self.sending.get(&(peer, mid)) {
            Some(sent) if sent.transmissions == 1 => {
                let elapsed = now.saturating_duration_since(sent.began);
                self.patience.measured(peer, elapsed);
            }
            Some(sent) => self.patience.backed_off(peer, sent.wait),
            None => {}
        }
    }

    /// On whose behalf a message that is still being sent, or was lately sent as Non, went out.
    pub(super) fn owner(&self, peer: Peer, mid: u16) -> Option<Owner> {
        let sent = self.sending.get(&(peer, mid)).map(|it| it.owner);
        sent.or_else(|| {
            let mut recent = self.recent.iter();
            let found = recent.find(|it| (it.0, it.1) == (peer, mid));
            found.map(|it| it.2)
        })
    }

    fn withdraw(&mut self, peer: Peer, mid: u16) -> Option<Owner> {
        let waiting = self.waiting.get_mut(&peer)?;
        let at = waiting.iter().position(|it| it.0 == mid)?;
        let owner = waiting.remove(at).map(|it| it.2);
        if waiting.is_empty() {
            self.waiting.remove(&peer);
        }
        owner
    }

    fn next_waiting(&mut self, now: Instant, peer: Peer) {
        let Some(waiting) = self.waiting.get_mut(&peer) else {
            return;
        };
        let next = waiting.pop_front();
        if waiting.is_empty() {
            self.waiting.remove(&peer);
        }
        if let Some((mid, bytes, owner)) = next {
            self.confirmable(now, peer, mid, bytes, owner);
        }
    }

    /// The retransmission timer of a message has run out (RFC 7252 §4.2).
    pub(super) fn retransmit(&mut self, now: Instant, peer: Peer, mid: u16) -> Option<Again> {
        let sent = self.sending.get_mut(&(peer, mid))?;
        if sent.transmissions > self.config.max_retransmit {
            let transmissions = sent.transmissions;
            let owner = self.settle(now, peer, mid)?;
            return Some(Again::GaveUp(owner, transmissions));
        }
        let attempt = sent.transmissions;
        sent.transmissions = sent.transmissions.saturating_add(1);
        sent.wait = sent.wait.saturating_mul(2).min(FOREVER);
        if sent.transmissions > self.config.max_retransmit {
            sent.wait = sent.until.saturating_duration_since(now).max(sent.wait);
        }
        let (wait, owner) = (sent.wait, sent.owner);
        self.out.push_back((peer, sent.bytes.clone()));
        self.timers.set(Timer::Retransmit(peer, mid), now + wait);
        Some(Again::Sent(owner, attempt))
    }

    /// On whose behalf a message is sent that has transmissions left.
    pub(super) fn repeats(&self, peer: Peer, mid: u16) -> Option<Owner> {
        let sent = self.sending.get(&(peer, mid))?;
        (sent.transmissions <= self.config.max_retransmit).then_some(sent.owner)
    }

    /// A newer message takes the place of one that was not acknowledged in time, and its transmissions and time-outs
    /// (RFC 7641 §4.5.2). The new message id; `None` when the message cannot be written.
    pub(super) fn replace(
        &mut self,
        now: Instant,
        peer: Peer,
        mid: u16,
        mut message: Message,
    ) -> Option<u16> {
        message.mid = self.next_mid(peer);
        let bytes = self.encode(&message).ok()?;
        let sent = self.sending.remove(&(peer, mid))?;
        self.timers.clear(Timer::Retransmit(peer, mid));
        // A reset of the older one is still understood.
        self.remember(peer, mid, sent.owner);
        self.count(now, peer, message.mid);
        let sent = Sending { bytes, ..sent };
        self.sending.insert((peer, message.mid), sent);
        Some(message.mid)
    }

    /// Forgets everything that is on its way to a peer that is gone.
    pub(super) fn drop_peer(&mut self, peer: Peer) {
        self.waiting.remove(&peer);
        self.outstanding.remove(&peer);
        let of_peer = self.sending.keys().filter(|it| it.0 == peer);
        for (peer, mid) in of_peer.copied().collect::<Vec<_>>() {
            self.sending.remove(&(peer, mid));
            self.timers.clear(Timer::Retransmit(peer, mid));
        }
    }

    /// The connection's settings, those of a silent peer where there is none.
    pub(super) fn capabilities(&self, peer: Peer) -> frame::Csm {
        let known = self.connections.get(&peer).and_then(|it| it.csm);
        known.unwrap_or_default()
    }

    /// What we say of ourselves on each connection.
    pub(super) const fn csm(&self) -> frame::Csm {
        frame::Csm {
            max_message_size: self.config.max_message_size,
            block_wise: true,
        }
    }
}
