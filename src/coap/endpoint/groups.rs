//! Requests to a group (RFC 7252 §8): many answers, each from somebody else.

use std::time::Instant;

use super::client::{Client, reply};
use super::core::Core;
use super::event::{Broken, Event, Failure, Ignored};
use super::flow::Flow;
use super::request::Peer;
use super::transfer::Step;
use crate::coap::message::Message;
use crate::coap::option::Unfit;

/// Responders of a group that are told apart at most.
const RESPONDERS: usize = 4096;

impl Client {
    /// An answer to a multicast request: the first of each responder counts.
    pub(super) fn answer_of_group(
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
        let Some(group) = flow.group.as_mut().filter(|it| !it.over) else {
            return;
        };
        if group.seen.len() >= RESPONDERS || !group.seen.insert(peer) {
            return core.ignored(peer, Ignored::Duplicate);
        }
        let mut request = flow.request.clone();
        (request.peer, request.group, request.confirmable) = (peer, None, true);
        request.token = None;
        let mut child = Flow::new(core, flow.started, flow.handle, request);
        child.parent = Some(id);
        let limits = child.limits(core);
        match child.transfer.take(&child.request, message, limits) {
            Step::Next => {
                group.children += 1;
                self.last += 1;
                let child_id = self.last;
                self.flows.insert(child_id, child);
                self.send_next(core, now, child_id);
            }
            Step::Done(response) => {
                let reply = reply(&child, now, peer, message, response);
                let handle = child.handle;
                core.events.push_back(Event::Reply { handle, reply });
            }
            Step::Fail(_) => core.ignored(peer, Ignored::Torn),
        }
    }

    pub(super) fn child_ended(&mut self, core: &mut Core, now: Instant, parent: u64) {
        let group = self.flows.get_mut(&parent).and_then(|it| it.group.as_mut());
        if let Some(group) = group {
            group.children -= 1;
            if group.over && group.children == 0 {
                self.finish(core, now, parent);
            }
        }
    }

    pub(super) fn reject(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: u64,
        peer: Peer,
        unfit: Unfit,
    ) {
        if self.flows.get(&id).is_some_and(|it| it.group.is_some()) {
            core.ignored(peer, Ignored::Type);
        } else {
            let broken = Broken::CriticalOption(unfit);
            self.fail(core, now, id, Failure::Broken(broken));
        }
    }
}
