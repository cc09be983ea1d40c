//! Requests: tokens, matching, deadlines, Echo, No-Response, groups (RFC 7252 §5, §8; RFC 7967; RFC 9175).

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use super::core::{Core, Owner, Timer};
use super::event::{Broken, Event, Failure, Ignored};
use super::flow::{FOREVER, Flow, Observation};
use super::pings::Ping;
use super::request::{Handle, Peer, Reply, Request, Response};
use super::transfer::Step;
use crate::coap::code::Code;
use crate::coap::message::{Message, Token, Type, Unwritable};
use crate::coap::option;
use crate::coap::oscore::Binding;

/// Peers of whom is remembered that an upload to them was not finished.
const TORN: usize = 4096;

/// Echo challenges that are answered without progress in between.
const ECHOES: u8 = 2;

/// Why a request was not even begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its token is in use with this peer.
    #[error("the token is in use")]
    TokenInUse,
    /// Too many confirmable messages wait for their turn.
    #[error("too many queued requests")]
    Busy,
    /// It cannot be written.
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
    /// Its body has more blocks than can be counted.
    #[error("the body has too many blocks")]
    TooManyBlocks,
}

#[derive(Debug, Default)]
pub(super) struct Client {
    pub(super) last: u64,
    pub(super) flows: HashMap<u64, Flow>,
    tokens: HashMap<(Peer, Token), u64>,
    pub(super) groups: HashMap<Token, u64>,
    /// What the responses to protected requests are tied to.
    pub(super) bindings: HashMap<(Peer, Token), Binding>,
    pub(super) pings: HashMap<u64, Ping>,
    /// Peers that an upload did not come to its end with: its blocks may still be on their way.
    torn: HashSet<Peer>,
    lingers: Option<Instant>,
}

/// Whether somebody waited for a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Yes,
    No,
    /// Somebody did, but it must be rejected.
    Rejected,
}

impl Client {
    pub(super) fn request(
        &mut self,
        core: &mut Core,
        now: Instant,
        request: Request,
    ) -> Result<Handle, Refused> {
        if core.queued() >= core.config.queue {
            return Err(Refused::Busy);
        }
        if let Some(token) = request.token
            && (self.tokens.contains_key(&(request.peer, token))
                || self.groups.contains_key(&token))
        {
            return Err(Refused::TokenInUse);
        }
        self.last += 1;
        let id = self.last;
        core.unmatched.remove(&request.peer);
        let observe = request.observe;
        let mut flow = Flow::new(core, now, Handle(id), request);
        if observe {
            let token = flow.request.token.unwrap_or_else(|| core.token());
            flow.observation = Some(Observation::new(token));
        }
        self.try_out(core, &flow)?;
        self.flows.insert(id, flow);
        self.send_next(core, now, id);
        Ok(Handle(id))
    }

    /// What can be known to fail before anything is sent.
    fn try_out(&self, core: &Core, flow: &Flow) -> Result<(), Refused> {
        let message = flow.message(Token::EMPTY, flow.limits(core));
        let message = message.ok_or(Refused::TooManyBlocks)?;
        let block = message.options.block1();
        let size = block.map_or(usize::MAX, |it| it.szx.size());
        if flow.request.payload.len() / size > crate::coap::block::Block::LAST as usize {
            return Err(Refused::TooManyBlocks);
        }
        core.encode(&message)?;
        Ok(())
    }

    /// Sends the next message of a flow.
    pub(super) fn send_next(&mut self, core: &mut Core, now: Instant, id: u64) {
        let tagged = self.must_be_tagged(core, id);
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        if tagged {
            flow.transfer.add_tag();
        }
        let peer = flow.request.peer;
        let deadline = flow.deadline(core);
        if flow.group.is_none() {
            core.timers.set(Timer::Deadline(id), now + deadline);
        }
        flow.held = must_wait(core, flow);
        if flow.held {
            return;
        }
        let token = flow.next_token(core);
        let Some(message) = flow.message(token, flow.limits(core)) else {
            return self.fail(core, now, id, Failure::Broken(Broken::BlockNumber));
        };
        let suppressed = message.options.contains(option::NO_RESPONSE);
        let message = match core.protection.ask(peer, message) {
            Ok((message, binding)) => {
                let kept = binding.map(|it| ((peer, token), it));
                self.bindings.extend(kept);
                message
            }
            Err(fault) => return self.fail(core, now, id, Failure::Protection(fault)),
        };
        match core.send(now, peer, message, Owner::Flow(id)) {
            Ok(mid) => self.launched(core, now, id, (token, mid), suppressed),
            Err(fault) => self.fail(core, now, id, Failure::Unsendable(fault.to_string())),
        }
    }

    /// Whether the blocks of an upload that begins need Request-Tag, to be told from those of another (RFC 9175 §3.4):
    /// of one that goes on, or did not come to its end, or that an attacker may have kept back.
    fn must_be_tagged(&self, core: &Core, id: u64) -> bool {
        let flow = self.flows.get(&id);
        let Some(flow) = flow.filter(|it| it.transfer.may_be_tagged()) else {
            return false;
        };
        let peer = flow.request.peer;
        let others = self.flows.iter().filter(|(other, _)| **other != id);
        core.protection.asking.contains_key(&peer)
            || self.torn.contains(&peer)
            || others
                .map(|(_, it)| it)
                .any(|it| it.request.peer == peer && it.transfer.is_upload())
    }

    fn launched(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: u64,
        in_flight: (Token, u16),
        last: bool,
    ) {
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        flow.in_flight = Some(in_flight);
        flow.acknowledged = false;
        match flow.request.group {
            Some(window) => {
                self.groups.insert(in_flight.0, id);
                let window = window.min(FOREVER);
                core.timers.set(Timer::Deadline(id), now + window);
            }
            None => {
                self.tokens.insert((flow.request.peer, in_flight.0), id);
                let unacknowledged = !flow.request.confirmable || core.is_reliable();
                if last && unacknowledged {
                    self.suppress(core, now, id);
                }
            }
        }
    }

    /// Nothing but what No-Response lets through can still come.
    fn suppress(&mut self, core: &mut Core, now: Instant, id: u64) {
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        match flow.request.suppressed() {
            0 => {}
            26 => self.finish(core, now, id),
            _ => {
                flow.quiet = true;
                let wait = core.config.no_response_wait.min(flow.deadline(core));
                core.timers.set(Timer::Deadline(id), now + wait);
            }
        }
    }

    /// The message in the in_flight is answered, or of no interest any more.
    pub(super) fn land(&mut self, core: &mut Core, now: Instant, id: u64) {
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        let Some((token, mid)) = flow.in_flight.take() else {
            return;
        };
        core.settle(now, flow.request.peer, mid);
        let kept = flow
            .observation
            .as_ref()
            .is_some_and(|it| it.token == token);
        if !kept && flow.group.is_none() {
            self.tokens.remove(&(flow.request.peer, token));
            self.bindings.remove(&(flow.request.peer, token));
        }
    }

    /// Takes a response: piggybacked where its type is Ack, otherwise separate.
    pub(super) fn response(
        &mut self,
        core: &mut Core,
        now: Instant,
        peer: Peer,
        mut message: Message,
    ) -> Taken {
        let found = self.tokens.get(&(peer, message.token));
        let Some(id) = found.or_else(|| self.groups.get(&message.token)).copied() else {
            core.ignored(peer, Ignored::Token);
            return Taken::No;
        };
        if message.kind == Type::Ack && !self.is_acknowledged_by(id, &message) {
            core.ignored(peer, Ignored::MessageId);
            return Taken::No;
        }
        message = match self.opened(core, now, id, peer, message) {
            Ok(opened) => opened,
            Err(taken) => return taken,
        };
        let extra = core.config.understood.clone();
        let known = |number| is_known(number) || extra.contains(&number);
        if let Err(unfit) = message.options.settle(known) {
            self.reject(core, now, id, peer, unfit);
            return Taken::Rejected;
        }
        if self.flows.get(&id).is_some_and(|it| it.group.is_some()) {
            self.answer_of_group(core, now, id, peer, &message);
        } else {
            self.answer(core, now, id, peer, &message);
        }
        Taken::Yes
    }

    fn is_acknowledged_by(&self, id: u64, message: &Message) -> bool {
        let in_flight = self.flows.get(&id).and_then(|it| it.in_flight);
        in_flight.is_some_and(|(token, mid)| token == message.token && mid == message.mid)
    }

    /// Whether this message is the flow's latest; a reset of an older one says nothing.
    pub(super) fn waits_for(&self, id: u64, mid: u16) -> bool {
        let in_flight = self.flows.get(&id).and_then(|it| it.in_flight);
        in_flight.is_some_and(|it| it.1 == mid)
    }

    fn answer(&mut self, core: &mut Core, now: Instant, id: u64, peer: Peer, message: &Message) {
        if self.notification(core, now, id, peer, message) {
            return;
        }
        self.land(core, now, id);
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        if let Some(echo) = challenge(flow, message) {
            flow.echo = Some(echo);
            flow.echoes += 1;
            return self.send_next(core, now, id);
        }
        self.advance(core, now, id, peer, message);
    }

    /// Hands a message to the flow's transfer and does what follows from it.
    pub(super) fn advance(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: u64,
        peer: Peer,
        message: &Message,
    ) {
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        if flow.bare {
            flow.transfer.keep_options();
        }
        let limits = flow.limits(core);
        let step = flow.transfer.take(&flow.request, message, limits);
        match step {
            Step::Next => {
                flow.echoes = 0;
                let handle = flow.handle;
                core.events.push_back(Event::Progress {
                    handle,
                    sent: flow.transfer.sent(),
                    received: flow.transfer.received(),
                    total: flow.transfer.total,
                });
                if let Some(observation) = &mut flow.observation {
                    observation.registering = false;
                }
                self.send_next(core, now, id);
            }
            Step::Done(response) => {
                let reply = reply(flow, now, peer, message, response);
                self.deliver(core, now, id, reply);
            }
            Step::Fail(failure) => self.fail(core, now, id, failure),
        }
    }

    fn deliver(&mut self, core: &mut Core, now: Instant, id: u64, reply: Reply) {
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        let handle = flow.handle;
        let sequence = flow
            .observation
            .as_ref()
            .and_then(|it| it.last)
            .map(|it| it.0);
        match sequence {
            Some(sequence) if reply.response.code.is_success() => {
                core.timers.clear(Timer::Deadline(id));
                core.events.push_back(Event::Notification {
                    handle,
                    sequence,
                    reply,
                });
            }
            _ => {
                core.events.push_back(Event::Reply { handle, reply });
                self.remove(core, now, id);
            }
        }
    }

    /// An empty acknowledgement of a message in the in_flight.
    pub(super) fn acknowledged(&mut self, core: &mut Core, now: Instant, id: u64) {
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        if !flow.acknowledged {
            flow.acknowledged = true;
            let handle = flow.handle;
            core.events.push_back(Event::Acknowledged { handle });
        }
        if flow.transfer.received() == 0 {
            self.suppress(core, now, id);
        }
    }

    pub(super) fn retransmitted(&mut self, core: &mut Core, owner: Owner, attempt: u8) {
        let of = core.config.max_retransmit;
        match owner {
            Owner::Flow(id) => {
                let Some(flow) = self.flows.get_mut(&id) else {
                    return;
                };
                flow.retransmitted += 1;
                let handle = flow.handle;
                core.events.push_back(Event::Retransmitted {
                    handle,
                    attempt,
                    of,
                });
            }
            Owner::Ping(id) => {
                let Some(ping) = self.pings.get_mut(&id) else {
                    return;
                };
                ping.retransmitted += 1;
                let handle = Handle(id);
                core.events.push_back(Event::Retransmitted {
                    handle,
                    attempt,
                    of,
                });
            }
            Owner::Exchange | Owner::Observer(_) => {}
        }
    }

    /// The deadline of a request or ping has passed.
    pub(super) fn expired(&mut self, core: &mut Core, now: Instant, id: u64) {
        if let Some(ping) = self.pings.remove(&id) {
            core.settle(now, ping.peer, ping.mid);
            let failure = Failure::TimedOut {
                acknowledged: false,
                stray: core.unmatched.get(&ping.peer).copied(),
                after: ping.deadline,
            };
            return fail_event(core, Handle(id), failure, None);
        }
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        if let Some(group) = &mut flow.group {
            group.over = true;
            if group.children == 0 {
                self.finish(core, now, id);
            }
            return;
        }
        if flow.quiet {
            return self.finish(core, now, id);
        }
        let failure = Failure::TimedOut {
            acknowledged: flow.acknowledged,
            stray: core.unmatched.get(&flow.request.peer).copied(),
            after: flow.deadline(core),
        };
        self.fail(core, now, id, failure);
    }

    /// Ends a flow with a failure, unless it is an observation that goes on without these blocks.
    pub(super) fn fail(&mut self, core: &mut Core, now: Instant, id: u64, failure: Failure) {
        let Some(flow) = self.flows.get(&id) else {
            return;
        };
        let passing = matches!(
            failure,
            Failure::TimedOut { .. } | Failure::GaveUp { .. } | Failure::Reset | Failure::Changed
        );
        let peer = flow.request.peer;
        if passing && flow.survives() {
            core.ignored(peer, Ignored::Torn);
            core.timers.clear(Timer::Deadline(id));
            return self.land(core, now, id);
        }
        if flow.transfer.is_upload() && self.torn.len() < TORN {
            self.torn.insert(peer);
        }
        let is_child = flow.parent.is_some();
        let handle = flow.handle;
        let Some(flow) = self.remove(core, now, id) else {
            return;
        };
        if is_child {
            core.ignored(peer, Ignored::Torn);
        } else {
            fail_event(core, handle, failure, flow.transfer.partial());
        }
    }

    pub(super) fn finish(&mut self, core: &mut Core, now: Instant, id: u64) {
        if let Some(flow) = self.remove(core, now, id) {
            let handle = flow.handle;
            core.events.push_back(Event::Finished { handle });
        }
    }

    pub(super) fn remove(&mut self, core: &mut Core, now: Instant, id: u64) -> Option<Flow> {
        self.land(core, now, id);
        let flow = self.flows.remove(&id)?;
        core.timers.clear(Timer::Deadline(id));
        core.timers.clear(Timer::Reregister(id));
        if let Some(observation) = &flow.observation {
            self.tokens.remove(&(flow.request.peer, observation.token));
            self.bindings
                .remove(&(flow.request.peer, observation.token));
            self.lingers = Some(now + core.config.linger);
        }
        if flow.group.is_some() {
            self.groups.retain(|_, other| *other != id);
        }
        if let Some(parent) = flow.parent {
            self.child_ended(core, now, parent);
        }
        Some(flow)
    }

    pub(super) fn launch_held(&mut self, core: &mut Core, now: Instant, peer: Peer) {
        let held = |it: &Flow| it.held && it.request.peer == peer;
        let flows = self.flows.iter().filter(|(_, flow)| held(flow));
        let mut ids: Vec<u64> = flows.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        for id in ids {
            if let Some(flow) = self.flows.get_mut(&id) {
                flow.begin_again(core);
            }
            self.send_next(core, now, id);
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.flows.is_empty() && self.pings.is_empty()
    }

    /// Whether a response with this token is waited for.
    pub(super) fn awaits(&self, peer: Peer, token: Token) -> bool {
        self.tokens.contains_key(&(peer, token))
    }

    pub(super) const fn lingers(&self) -> Option<Instant> {
        self.lingers
    }
}

pub(super) fn fail_event(
    core: &mut Core,
    handle: Handle,
    failure: Failure,
    partial: Option<super::request::Partial>,
) {
    core.events.push_back(Event::Failed {
        handle,
        failure,
        partial,
    });
}

/// Whether a request must wait until the peer has said how large its messages may be.
fn must_wait(core: &Core, flow: &Flow) -> bool {
    const CERTAINLY_TAKEN: usize = 1024;
    let connection = core.connections.get(&flow.request.peer);
    let options = flow.request.options.iter().map(|it| it.1.len() + 5);
    connection.is_some_and(|it| !it.open)
        && (!flow.request.payload.is_empty() || options.sum::<usize>() > CERTAINLY_TAKEN)
}

/// The Echo value that a 4.01 wants to see again (RFC 9175 §2.3).
fn challenge(flow: &Flow, message: &Message) -> Option<bytes::Bytes> {
    if message.code != Code::UNAUTHORIZED || flow.echoes >= ECHOES {
        return None;
    }
    message.options.first(option::ECHO).cloned()
}

/// Critical options that a response may carry.
const fn is_known(number: u16) -> bool {
    match option::is_critical(number) {
        true => matches!(
            number,
            option::BLOCK1
                | option::BLOCK2
                | option::IF_MATCH
                | option::URI_HOST
                | option::URI_PATH
                | option::URI_PORT
                | option::URI_QUERY
                | option::ACCEPT
                | option::IF_NONE_MATCH
                | option::PROXY_URI
                | option::PROXY_SCHEME
        ),
        false => true,
    }
}

pub(super) fn reply(
    flow: &Flow,
    now: Instant,
    peer: Peer,
    message: &Message,
    response: Response,
) -> Reply {
    Reply {
        from: peer.address(),
        response,
        kind: message.kind,
        mid: message.mid,
        token: message.token,
        bare: flow.bare,
        elapsed: now - flow.started,
        retransmitted: flow.retransmitted,
        blocks: flow.transfer.blocks,
        offset: flow.transfer.offset(),
    }
}
