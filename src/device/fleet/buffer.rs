//! Readings made without a connection are kept, and sent once there is one: store and forward.

use super::{Effect, Fleet, Outgoing, Standing, What};
use crate::pace::clock::Nanos;

/// Readings that are sent at a time, and the time until the next ones, in nanoseconds.
const AT_A_TIME: usize = 50;
const PAUSE: Nanos = 50_000_000;

/// Bytes that all devices of a fleet keep together.
const MOST_BYTES: usize = 256 << 20;

/// What a message takes beside its payload and topic.
const OVERHEAD: usize = size_of::<Outgoing>();

fn size(message: &Outgoing) -> usize {
    OVERHEAD + message.topic.len() + message.payload.len()
}

impl Fleet {
    /// Sends a reading, behind those that still wait; without a connection it waits, too.
    pub(super) fn send(&mut self, device: usize, message: Outgoing) {
        let unit = &mut self.units[device];
        if unit.standing == Standing::Online && unit.buffer.is_empty() {
            self.publish(device, message);
            return;
        }
        unit.sequence += 1;
        let most = self.model.group(device).buffer;
        let unit = &mut self.units[device];
        self.account.buffered += 1;
        self.buffered += size(&message);
        unit.buffer.push_back(message);
        // The oldest one gives way.
        while unit.buffer.len() > most || self.buffered > MOST_BYTES {
            let Some(oldest) = unit.buffer.pop_front() else {
                break;
            };
            self.buffered -= size(&oldest);
            self.account.buffer_dropped += 1;
        }
    }

    /// Sends some of what waits, and the rest a little later, so that the connection is not flooded.
    pub(super) fn forward(&mut self, device: usize, connection: u16, now: Nanos) {
        let unit = &self.units[device];
        if unit.standing != Standing::Online || unit.connection != connection {
            return;
        }
        self.hand_over(device, AT_A_TIME);
        if !self.units[device].buffer.is_empty() {
            let next = now.saturating_add(PAUSE);
            self.schedule(next, device, What::Forward(connection));
        }
    }

    /// The run is over: what can be sent is.
    pub(super) fn empty_buffer(&mut self, device: usize) {
        if self.is_online(device) {
            self.hand_over(device, usize::MAX);
        }
        let left = std::mem::take(&mut self.units[device].buffer);
        self.account.buffer_left += left.len() as u64;
    }

    fn hand_over(&mut self, device: usize, most: usize) {
        for _ in 0..most {
            let Some(message) = self.units[device].buffer.pop_front() else {
                break;
            };
            self.buffered -= size(&message);
            self.account.forwarded += 1;
            self.account.published += 1;
            self.effects.push_back(Effect::Publish(device, message));
        }
    }
}
