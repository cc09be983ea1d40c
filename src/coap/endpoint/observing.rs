//! Observations from the client's side (RFC 7641 §3).

use std::time::{Duration, Instant};

use super::client::Client;
use super::core::{Core, Timer};
use super::event::{Event, Ignored};
use super::request::Peer;
use crate::coap::message::{Message, Type};

/// How long after Max-Age an observation is registered again (RFC 7641 §3.3.1): 5 to 15 s, at random.
const GRACE: std::ops::Range<Duration> = Duration::from_secs(5)..Duration::from_secs(15);

/// What a message on the token of an observation is.
enum Kind {
    /// Something of the request layer's: an error, an answer without Observe, a challenge.
    Answer,
    /// A notification, with its sequence.
    Notification(u32),
    /// The answer to our deregistration.
    Farewell,
    /// A notification that came after our deregistration.
    Late,
}

impl Client {
    /// Deals with a message on the token of an observation. False when it is an ordinary answer, to be dealt
    /// with by the request layer.
    pub(super) fn notification(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: u64,
        peer: Peer,
        message: &Message,
    ) -> bool {
        match self.kind(id, message) {
            Kind::Answer => {
                self.ends(core, now, id, message);
                false
            }
            Kind::Farewell => {
                self.finish(core, now, id);
                true
            }
            Kind::Late => true,
            Kind::Notification(sequence) => {
                self.notified(core, now, id, peer, (message, sequence));
                true
            }
        }
    }

    fn kind(&self, id: u64, message: &Message) -> Kind {
        let flow = self.flows.get(&id);
        let observation = flow.and_then(|it| it.observation.as_ref());
        let Some(observation) = observation.filter(|it| it.token == message.token) else {
            return Kind::Answer;
        };
        let sequence = message.options.observe();
        if observation.ending {
            let is_answer = message.kind == Type::Ack || sequence.is_none();
            return if is_answer {
                Kind::Farewell
            } else {
                Kind::Late
            };
        }
        match sequence {
            Some(sequence) if message.code.is_success() => Kind::Notification(sequence),
            _ => Kind::Answer,
        }
    }

    /// An error or an answer without Observe: the observation is over, or never began. A challenge is neither.
    fn ends(&mut self, core: &mut Core, now: Instant, id: u64, message: &Message) {
        let challenged = message.options.contains(crate::coap::option::ECHO);
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        let on_token = flow
            .observation
            .as_ref()
            .is_some_and(|it| it.token == message.token);
        if !on_token || challenged {
            return;
        }
        let registered = flow.observation.as_ref().is_some_and(|it| it.registered);
        if registered {
            self.land(core, now, id);
            core.timers.clear(Timer::Reregister(id));
        }
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        if registered {
            flow.begin_again(core);
        }
        if let Some(observation) = &mut flow.observation {
            (observation.last, observation.registering) = (None, false);
            observation.registered = false;
        }
    }

    fn notified(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: u64,
        peer: Peer,
        (message, sequence): (&Message, u32),
    ) {
        let numbered = self.is_protected(peer, message.token);
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        let Some(observation) = &mut flow.observation else {
            return;
        };
        // Where the transport keeps the order, the numbers say nothing (RFC 8323 §7.1).
        let in_order = core.is_reliable() && !numbered;
        if !in_order && !observation.is_fresh(now, sequence, numbered) {
            if let Some(last) = observation.stands_still(now, sequence)
                && !std::mem::replace(&mut observation.told, true)
            {
                core.events.push_back(Event::NumbersStandStill {
                    handle: flow.handle,
                    last,
                    found: sequence,
                });
            }
            return core.ignored(peer, Ignored::Stale);
        }
        observation.last = Some((sequence, now));
        let first = !observation.registered;
        (observation.registered, observation.registering) = (true, false);
        // What was being fetched of an older notification is of no interest any more.
        self.land(core, now, id);
        self.await_next(core, now, id, message);
        if let Some(flow) = self.flows.get_mut(&id) {
            if !first {
                flow.begin_again(core);
                flow.started = now;
            }
            core.timers.clear(Timer::Deadline(id));
            self.advance(core, now, id, peer, message);
        }
    }

    /// Nothing within Max-Age and the grace: register again.
    fn await_next(&mut self, core: &mut Core, now: Instant, id: u64, message: &Message) {
        let wanted = self.flows.get(&id).is_some_and(|it| it.request.reregister);
        if wanted {
            let age = Duration::from_secs(message.options.max_age().into());
            let grace = core.random.within(GRACE);
            core.timers.set(Timer::Reregister(id), now + age + grace);
        }
    }

    /// Registers again with the same token; any sequence is then fresh.
    pub(super) fn reregister(&mut self, core: &mut Core, now: Instant, id: u64) {
        self.land(core, now, id);
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        flow.begin_again(core);
        flow.started = now;
        if let Some(observation) = &mut flow.observation {
            (observation.registering, observation.last) = (true, None);
        }
        let handle = flow.handle;
        core.events.push_back(Event::Reregistered { handle });
        self.send_next(core, now, id);
    }

    /// Sends GET with Observe 1 and the observation's token (RFC 7641 §3.6).
    pub(super) fn deregister(&mut self, core: &mut Core, now: Instant, id: u64) {
        self.land(core, now, id);
        core.timers.clear(Timer::Reregister(id));
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        flow.begin_again(core);
        flow.request.confirmable = true;
        if let Some(observation) = &mut flow.observation {
            (observation.registering, observation.ending) = (true, true);
        }
        self.send_next(core, now, id);
    }
}
