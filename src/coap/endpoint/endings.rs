//! Requests that end without response: taken back, or their peer is gone.

use std::time::Instant;

use super::client::Client;
use super::core::{Core, Timer};
use super::event::{Failure, Loss};
use super::flow::Flow;
use super::request::{Cancel, Handle, Peer};

impl Client {
    /// Ends a request from our side.
    pub(super) fn cancel(&mut self, core: &mut Core, now: Instant, handle: Handle, how: Cancel) {
        let id = handle.0;
        if let Some(ping) = self.pings.remove(&id) {
            core.timers.clear(Timer::Deadline(id));
            core.settle(now, ping.peer, ping.mid);
            return;
        }
        let observing = self
            .flows
            .get(&id)
            .is_some_and(|it| it.observation.is_some());
        if how == Cancel::Deregister && observing {
            return self.deregister(core, now, id);
        }
        let of_handle = self.flows.iter().filter(|(_, it)| it.handle == handle);
        let ids: Vec<u64> = of_handle.map(|(id, _)| *id).collect();
        for id in ids {
            self.remove(core, now, id);
        }
    }

    pub(super) fn disconnected(&mut self, core: &mut Core, now: Instant, peer: Peer, why: Loss) {
        self.peer_gone(core, now, peer, &Failure::Disconnected(why));
    }

    /// Everything that was asked of this peer fails.
    pub(super) fn peer_gone(
        &mut self,
        core: &mut Core,
        now: Instant,
        peer: Peer,
        failure: &Failure,
    ) {
        let of_peer = |it: &Flow| it.request.peer == peer && it.group.is_none();
        let flows = self.flows.iter().filter(|(_, flow)| of_peer(flow));
        let mut ids: Vec<u64> = flows.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        for id in ids {
            self.fail(core, now, id, failure.clone());
        }
        let pings = self.pings.iter().filter(|(_, ping)| ping.peer == peer);
        let mut ids: Vec<u64> = pings.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        for id in ids {
            self.ping_failed(core, id, failure.clone());
        }
    }
}
