//! Pings: an empty confirmable message that is answered by a reset (RFC 7252 §4.3), or Ping and Pong
//! (RFC 8323 §5.4).

use std::time::{Duration, Instant};

use super::client::{Client, fail_event};
use super::core::{Core, Owner, Timer};
use super::event::{Event, Failure};
use super::flow::FOREVER;
use super::request::{Handle, Peer};
use crate::coap::code::Code;
use crate::coap::frame;
use crate::coap::message::{Message, Type};

#[derive(Debug)]
pub(super) struct Ping {
    pub(super) peer: Peer,
    pub(super) mid: u16,
    pub(super) started: Instant,
    pub(super) retransmitted: u32,
    pub(super) deadline: Duration,
}

impl Client {
    pub(super) fn ping(
        &mut self,
        core: &mut Core,
        now: Instant,
        peer: Peer,
        deadline: Duration,
    ) -> Handle {
        let deadline = deadline.min(FOREVER);
        self.last += 1;
        let id = self.last;
        let message = match core.is_reliable() {
            true => frame::signal_message(Code::PING, core.token()),
            false => Message::empty(Type::Con, 0),
        };
        // A message without options can always be written.
        let mid = core.send(now, peer, message, Owner::Ping(id)).unwrap_or(0);
        core.timers.set(Timer::Deadline(id), now + deadline);
        let (started, retransmitted) = (now, 0);
        self.pings.insert(
            id,
            Ping {
                peer,
                mid,
                started,
                retransmitted,
                deadline,
            },
        );
        Handle(id)
    }

    /// A reset has come for a ping: that is its answer.
    pub(super) fn ponged(&mut self, core: &mut Core, now: Instant, id: u64) {
        if let Some(ping) = self.pings.remove(&id) {
            core.timers.clear(Timer::Deadline(id));
            core.events.push_back(Event::Pong {
                handle: Handle(id),
                elapsed: now - ping.started,
                retransmitted: ping.retransmitted,
            });
        }
    }

    /// A Pong has come on a connection: it answers the oldest ping.
    pub(super) fn pong(&mut self, core: &mut Core, now: Instant, peer: Peer) {
        let of_peer = self.pings.iter().filter(|(_, ping)| ping.peer == peer);
        if let Some(id) = of_peer.map(|(id, _)| *id).min() {
            self.ponged(core, now, id);
        }
    }

    pub(super) fn ping_failed(&mut self, core: &mut Core, id: u64, failure: Failure) {
        if self.pings.remove(&id).is_some() {
            core.timers.clear(Timer::Deadline(id));
            fail_event(core, Handle(id), failure, None);
        }
    }
}
