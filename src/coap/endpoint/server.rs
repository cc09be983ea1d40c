//! Requests of peers: checks, blocks, responses now or later (RFC 7252 §5.2, RFC 7959, RFC 7967).

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use super::bodies::{self, Key, Slicing, Store, Uploaded};
use super::challenge::Challenges;
use super::config::Config;
use super::core::{Core, Owner, Timer};
use super::event::{Event, Gone};
use super::flow::limits;
use super::observers::Observers;
use super::protection::{self, Guard};
use super::request::{Peer, Response};
use super::serving::{Exchange, Incoming};
use crate::coap::block::{Block, Szx};
use crate::coap::code::Code;
use crate::coap::message::{Message, Token, Type};
use crate::coap::option::{self, Unfit};
use crate::coap::random::Random;
use crate::coap::shares::Shares;

/// Requests that wait for the application at most.
const PENDING: usize = 4096;

/// Of these, the most of one host.
const PENDING_OF_HOST: usize = PENDING / 4;

/// The largest request, in bytes of options and payload, that may begin an observation: it is kept as long as that is.
const OBSERVED: usize = 4096;

/// The largest options of a request, in bytes of memory.
const OPTIONS: usize = 128 << 10;

#[derive(Debug)]
pub(super) struct Server {
    last: u64,
    pending: HashMap<u64, Pending>,
    shares: Shares,
    uploads: Store<BytesMut>,
    pub(super) bodies: Store<Response>,
    pub(super) observers: Observers,
    challenges: Option<Challenges>,
}

/// A request that the application has not answered yet.
#[derive(Debug)]
struct Pending {
    peer: Peer,
    mid: u16,
    token: Token,
    kind: Type,
    key: Key,
    block1: Option<Block>,
    block2: Option<Block>,
    suppressed: u64,
    registers: bool,
    multicast: bool,
    acknowledged: bool,
    guard: Option<Guard>,
    /// The answer to a multicast request, until its time has come.
    delayed: Option<Response>,
}

impl Pending {
    fn new(
        core: &Core,
        peer: Peer,
        message: &Message,
        multicast: bool,
        guard: Option<Guard>,
    ) -> Self {
        let options = &message.options;
        let mut key = bodies::key(peer, message.code, options);
        if let Some((context, _)) = &guard {
            // What was protected must not be had without.
            key.2.push_uint(option::OSCORE, *context as u64);
        }
        Self {
            peer,
            mid: message.mid,
            token: message.token,
            kind: message.kind,
            key,
            block1: options.block1(),
            block2: options.block2(),
            suppressed: options.uint(option::NO_RESPONSE).unwrap_or(0),
            registers: options.observe() == Some(0)
                && matches!(message.code, Code::GET | Code::FETCH),
            multicast,
            acknowledged: core.is_reliable(),
            guard,
            delayed: None,
        }
    }

    /// RFC 7967 §2.1: 2, 8 and 16 stand for the classes 2, 4 and 5.
    const fn is_suppressed(&self, code: Code) -> bool {
        let class = code.class();
        class > 0 && self.suppressed & (1 << (class - 1)) != 0
    }
}

impl Server {
    pub(super) fn new(config: &Config, random: &mut Random) -> Self {
        let memory = config.block_memory;
        Self {
            last: config.first_exchange,
            pending: HashMap::new(),
            shares: Shares::default(),
            uploads: Store::new(memory),
            bodies: Store::new(memory),
            observers: Observers::new(config.observers),
            challenges: config.challenge.then(|| Challenges::new(random)),
        }
    }

    /// A request that is no duplicate.
    pub(super) fn request(
        &mut self,
        core: &mut Core,
        now: Instant,
        peer: Peer,
        message: Message,
        multicast: bool,
    ) {
        let (mut message, guard) = match core.protection.serve(message.clone()) {
            Ok(opened) => opened,
            Err(fault) if multicast => return core.ignored(peer, fault.into()),
            Err(fault) => {
                let pending = Pending::new(core, peer, &message, multicast, None);
                core.ignored(peer, fault.into());
                return transmit(core, now, &pending, protection::refusal(fault));
            }
        };
        if core.config.protected_only && guard.is_none() {
            let pending = Pending::new(core, peer, &message, multicast, None);
            return refuse_bare(core, now, &pending);
        }
        if let Some(challenge) = core.protection.challenge(&message, guard.as_ref()) {
            let pending = Pending::new(core, peer, &message, multicast, guard);
            return transmit(core, now, &pending, challenge);
        }
        let settled = settle(&core.config, &mut message.options);
        let mut pending = Pending::new(core, peer, &message, multicast, guard);
        if let Err(unfit) = settled {
            return refuse_option(core, now, &pending, unfit);
        }
        if message.options.has_dots() && !multicast {
            let text = "a segment of the path is . or ..";
            let response = Response::error(Code::BAD_REQUEST, text);
            return self.answer(core, now, pending, response);
        }
        if message.options.weight() > OPTIONS {
            let text = "the options take too much memory";
            let response = Response::error(Code::REQUEST_ENTITY_TOO_LARGE, text);
            return self.answer(core, now, pending, response);
        }
        if let Some(challenge) = self.challenge(core, now, &pending, &message.options) {
            return transmit(core, now, &pending, challenge);
        }
        match self.payload(core, now, &pending, &message) {
            Ok(payload) => message.payload = payload,
            Err(response) => return self.answer(core, now, pending, response),
        }
        if let Some(response) = self.continued(&mut pending, message.code) {
            return self.answer(core, now, pending, response);
        }
        if message.options.observe() == Some(1) {
            self.observers.deregister(core, now, peer, message.token);
        }
        if pending.registers && message.options.weight() + message.payload.len() > OBSERVED {
            // A server need not take every observer (RFC 7641 §4.1): this one gets the state of now.
            pending.registers = false;
            message.options.remove(option::OBSERVE);
        }
        self.hand_over(core, now, pending, message);
    }

    /// What a request for a later block of a response is answered with; `None`: it is to be handed over, as any other.
    fn continued(&self, pending: &mut Pending, method: Code) -> Option<Response> {
        pending.block2.filter(|it| it.num > 0)?;
        if let Some(response) = self.bodies.get(&pending.key) {
            pending.registers = false;
            return Some(response.clone());
        }
        if matches!(method, Code::GET | Code::FETCH) {
            return None;
        }
        // It was carried out when the first block was asked for, and must not be once more.
        pending.block2 = None;
        let text = "the rest of the response is not kept any more";
        Some(Response::error(Code::REQUEST_ENTITY_INCOMPLETE, text))
    }

    /// Whether the application has not answered all requests of a peer's up to this one.
    pub(super) fn owes(&self, peer: Peer, last: u64) -> bool {
        let mut pending = self.pending.iter();
        pending.any(|(id, it)| it.peer == peer && *id <= last)
    }

    /// The number of the last request.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    /// What is said to somebody who has not shown yet that its address is its own.
    fn challenge(
        &mut self,
        core: &Core,
        now: Instant,
        pending: &Pending,
        options: &option::Options,
    ) -> Option<Response> {
        let proven = core.is_reliable() || pending.multicast || pending.guard.is_some();
        let challenges = self.challenges.as_mut().filter(|_| !proven)?;
        let value = challenges.of(now, pending.peer, options)?;
        Some(Response::new(Code::UNAUTHORIZED).with(option::ECHO, value))
    }

    /// The whole body of a request; otherwise what its block is answered with.
    fn payload(
        &mut self,
        core: &Core,
        now: Instant,
        pending: &Pending,
        message: &Message,
    ) -> Result<Bytes, Response> {
        let bert = |it: &Block| it.szx == Szx::BERT && !core.is_reliable();
        if pending.block1.as_ref().is_some_and(bert) || pending.block2.as_ref().is_some_and(bert) {
            let text = "the block size 7 is reserved";
            return Err(Response::error(Code::BAD_REQUEST, text));
        }
        let limit = core.config.body_limit;
        let Some(block) = pending.block1 else {
            if message.payload.len() > limit {
                let refused = Response::new(Code::REQUEST_ENTITY_TOO_LARGE);
                return Err(refused.with_uint(option::SIZE1, limit as u64));
            }
            return Ok(message.payload.clone());
        };
        let size1 = message.options.uint(option::SIZE1);
        let lifetime = core.config.exchange_lifetime;
        let what = (pending.key.clone(), block, size1, limit);
        match bodies::upload(&mut self.uploads, now, lifetime, what, &message.payload) {
            Uploaded::Whole(body) => Ok(body),
            Uploaded::Continue => Err(Response::new(Code::CONTINUE)),
            Uploaded::Refused(response) => Err(response),
        }
    }

    fn hand_over(&mut self, core: &mut Core, now: Instant, pending: Pending, message: Message) {
        let crowded = self.pending.len() >= PENDING;
        if crowded || self.shares.of(pending.peer) >= PENDING_OF_HOST {
            let response = Response::new(Code::SERVICE_UNAVAILABLE);
            return self.answer(core, now, pending, response.with_uint(option::MAX_AGE, 5));
        }
        self.last += 1;
        let id = self.last;
        let wait = match pending.kind == Type::Con && !pending.acknowledged {
            true => core.config.separate_after,
            false => core.config.exchange_lifetime,
        };
        core.timers.set(Timer::Acknowledge(id), now + wait);
        core.events.push_back(Event::Incoming(Incoming {
            exchange: Exchange(id),
            peer: pending.peer,
            method: message.code,
            options: message.options,
            payload: message.payload,
            kind: pending.kind,
            mid: pending.mid,
            token: pending.token,
            multicast: pending.multicast,
            protected: pending.guard.is_some(),
        }));
        self.shares.add(pending.peer, 1);
        self.pending.insert(id, pending);
    }

    fn take(&mut self, id: u64) -> Option<Pending> {
        let pending = self.pending.remove(&id)?;
        self.shares.sub(pending.peer, 1);
        Some(pending)
    }

    /// The application has an answer.
    pub(super) fn respond(
        &mut self,
        core: &mut Core,
        now: Instant,
        exchange: Exchange,
        mut response: Response,
    ) {
        let Some(mut pending) = self.take(exchange.0) else {
            return;
        };
        core.timers.clear(Timer::Acknowledge(exchange.0));
        if pending.multicast && pending.delayed.is_none() {
            if response.code.is_success() {
                let leisure = core
                    .random
                    .within(std::time::Duration::ZERO..core.config.leisure);
                core.timers.set(Timer::Leisure(exchange.0), now + leisure);
                pending.delayed = Some(response);
                self.shares.add(pending.peer, 1);
                self.pending.insert(exchange.0, pending);
            }
            return;
        }
        let observes = response.options.contains(option::OBSERVE);
        response.options.remove(option::OBSERVE);
        if observes && pending.registers && response.code.is_success() {
            let who = (pending.peer, pending.token);
            if let Some(other) = self.observers.gives_way(pending.peer, pending.token) {
                let text = "too many observers";
                let refused = Response::error(Code::SERVICE_UNAVAILABLE, text);
                self.observers.withdraw(core, now, other);
                self.notify(core, now, other, refused, false);
                self.observers.remove(core, other, Gone::Crowded);
            }
            let how = (pending.block2, pending.guard.clone());
            let sequence = self
                .observers
                .register((core, now), exchange.0, who, &pending.key, how);
            if let Some(sequence) = sequence {
                response.options.set_uint(option::OBSERVE, sequence.into());
            }
        }
        self.answer(core, now, pending, response);
    }

    /// The time of a delayed answer to a multicast request has come.
    pub(super) fn leisure_over(&mut self, core: &mut Core, now: Instant, id: u64) {
        let delayed = self.pending.get(&id).and_then(|it| it.delayed.clone());
        if let Some(response) = delayed {
            self.respond(core, now, Exchange(id), response);
        }
    }

    /// The application takes its time: acknowledge, or forget what was never answered.
    pub(super) fn acknowledge(&mut self, core: &mut Core, now: Instant, exchange: Exchange) {
        let id = exchange.0;
        let Some(pending) = self.pending.get_mut(&id) else {
            return;
        };
        if pending.kind != Type::Con || pending.acknowledged {
            return;
        }
        pending.acknowledged = true;
        core.answer_empty(now, pending.peer, Type::Ack, pending.mid);
        let lifetime = core.config.exchange_lifetime;
        core.timers.set(Timer::Acknowledge(id), now + lifetime);
    }

    /// The application does not want the request.
    pub(super) fn reject(&mut self, core: &mut Core, now: Instant, exchange: Exchange) {
        let Some(pending) = self.take(exchange.0) else {
            return;
        };
        core.timers.clear(Timer::Acknowledge(exchange.0));
        core.timers.clear(Timer::Leisure(exchange.0));
        if !pending.multicast && !core.is_reliable() {
            core.answer_empty(now, pending.peer, Type::Rst, pending.mid);
        }
    }

    pub(super) fn acknowledge_due(&mut self, core: &mut Core, now: Instant, id: u64) {
        let waits = |it: &Pending| it.kind == Type::Con && !it.acknowledged;
        if self.pending.get(&id).is_some_and(waits) {
            self.acknowledge(core, now, Exchange(id));
        } else {
            self.take(id);
        }
    }

    /// Cuts a response to the block that was asked for, and sends it.
    fn answer(&mut self, core: &mut Core, now: Instant, pending: Pending, mut response: Response) {
        if pending.is_suppressed(response.code) && response.code != Code::CONTINUE {
            return stay_silent(core, now, &pending);
        }
        if let Some(block) = pending.block1 {
            let szx = block.szx.min(largest(core, pending.peer));
            response
                .options
                .set_block(option::BLOCK1, Block { szx, ..block });
        }
        let asked = pending.block2.filter(|_| response.code != Code::CONTINUE);
        match self.cut(core, now, (pending.peer, &pending.key, asked), response) {
            Ok(part) | Err(part) => transmit(core, now, &pending, part),
        }
    }

    /// Cuts a response to one block; a body that is more than this block is kept for the next ones.
    pub(super) fn cut(
        &mut self,
        core: &Core,
        now: Instant,
        (peer, key, asked): (Peer, &Key, Option<Block>),
        mut response: Response,
    ) -> Result<Response, Response> {
        let limits = limits(core, peer);
        let hint = response.options.block2().map_or(Szx::BERT, |it| it.szx);
        response.options.remove(option::BLOCK2);
        let szx = largest(core, peer).min(hint);
        let whole = match core.is_reliable() {
            true if hint == Szx::BERT => limits.whole,
            _ => szx.size(),
        };
        let bert = limits.bert;
        let how = Slicing {
            asked,
            szx,
            whole,
            error: limits.whole,
            bert,
        };
        let large = response.payload.len() > whole.min(asked.map_or(whole, |it| it.szx.size()));
        if large && response.code == Code::CONTENT && !response.options.contains(option::ETAG) {
            let etag = fingerprint(&response.payload);
            response.options.set(option::ETAG, etag);
        }
        let (part, is_part) = bodies::slice(&response, how)?;
        let kept = self.bodies.get(key);
        if is_part && !kept.is_some_and(|it| is_same(it, &response)) {
            let bytes = response.payload.len() + response.options.weight();
            let lifetime = core.config.exchange_lifetime;
            // What tells a notification apart from others is no part of the representation.
            response.options.remove(option::OBSERVE);
            response.options.remove(option::BLOCK1);
            self.bodies
                .keep(now, lifetime, key.clone(), response, bytes);
        }
        Ok(part)
    }

    /// Forgets a peer that is gone.
    pub(super) fn peer_gone(&mut self, core: &mut Core, peer: Peer) {
        let of_peer = self.pending.iter().filter(|(_, it)| it.peer == peer);
        for id in of_peer.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.take(id);
            core.timers.clear(Timer::Acknowledge(id));
            core.timers.clear(Timer::Leisure(id));
        }
        self.uploads.forget_peer(peer);
        self.bodies.forget_peer(peer);
        self.observers.peer_gone(core, peer);
    }
}

/// The largest block for this peer.
fn largest(core: &Core, peer: Peer) -> Szx {
    let allowed = limits(core, peer).szx;
    match core.config.serve_block {
        Szx::MAX => allowed,
        smaller => smaller.min(allowed),
    }
}

fn transmit(core: &mut Core, now: Instant, pending: &Pending, response: Response) {
    let kind = match (pending.kind, pending.acknowledged) {
        (Type::Con, false) => Type::Ack,
        (Type::Con, true) => Type::Con,
        _ => Type::Non,
    };
    let mut message = Message::new(kind, response.code, pending.mid, pending.token);
    message.options = response.options;
    message.payload = response.payload;
    // A response that cannot be written is one of the application's making; the peer is told.
    if core.encode(&message).is_err() {
        message.code = Code::INTERNAL_SERVER_ERROR;
        message.options = option::Options::new();
        message.payload = Bytes::new();
    }
    let Some(message) = core.protection.answer(message, pending.guard.as_ref()) else {
        return;
    };
    if kind == Type::Ack {
        if let Ok(bytes) = core.send_once(pending.peer, &message) {
            core.memory.answered(now, pending.peer, pending.mid, bytes);
        }
    } else {
        let _ = core.send(now, pending.peer, message, Owner::Exchange);
    }
}

/// The peer wants no response of this class: a confirmable request is still acknowledged.
fn stay_silent(core: &mut Core, now: Instant, pending: &Pending) {
    if pending.kind == Type::Con && !pending.acknowledged {
        core.answer_empty(now, pending.peer, Type::Ack, pending.mid);
    }
}

/// 4.01 for a request that is not protected; silence where it went to a group.
fn refuse_bare(core: &mut Core, now: Instant, pending: &Pending) {
    if !pending.multicast {
        let text = "only OSCORE-protected requests are accepted";
        transmit(
            core,
            now,
            pending,
            Response::error(Code::UNAUTHORIZED, text),
        );
    }
}

/// Finds the first option because of which a request must be refused (RFC 7252 §5.4.1, §5.10.7).
fn settle(config: &Config, options: &mut option::Options) -> Result<(), Unfit> {
    let extra = &config.understood;
    options.settle(|number| is_known(number) || extra.contains(&number))?;
    let reserved = options.reserved_location();
    reserved
        .filter(|it| !extra.contains(&it.number))
        .map_or(Ok(()), Err)
}

/// 4.02 for a confirmable request, silence for others (RFC 7252 §5.4.1).
fn refuse_option(core: &mut Core, now: Instant, pending: &Pending, unfit: Unfit) {
    if pending.multicast || (pending.kind != Type::Con && !core.is_reliable()) {
        return;
    }
    let mut response = Response::new(Code::BAD_OPTION);
    response.payload = unfit.to_string().into();
    transmit(core, now, pending, response);
}

/// Critical options that a request may carry.
const fn is_known(number: u16) -> bool {
    match option::is_critical(number) {
        true => matches!(
            number,
            option::IF_MATCH
                | option::URI_HOST
                | option::IF_NONE_MATCH
                | option::URI_PORT
                | option::URI_PATH
                | option::URI_QUERY
                | option::ACCEPT
                | option::BLOCK2
                | option::BLOCK1
                | option::PROXY_URI
                | option::PROXY_SCHEME
        ),
        false => true,
    }
}

/// Whether this is the body that is kept already, without looking at all of its bytes.
fn is_same(kept: &Response, response: &Response) -> bool {
    let (a, b) = (&kept.payload, &response.payload);
    (a.as_ptr(), a.len()) == (b.as_ptr(), b.len())
}

/// An ETag for a body that has none, so that its blocks can be told from those of another.
fn fingerprint(body: &[u8]) -> Bytes {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    Bytes::copy_from_slice(&hasher.finish().to_be_bytes())
}
