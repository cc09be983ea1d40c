//! Keep-alive and the end.

use std::time::Instant;

use super::{Session, State};
use crate::mqtt::packet::{self, Disconnect, Packet, Properties, Version};
use crate::mqtt::session::fault::Fault;
use crate::mqtt::session::keep_alive::Due;

/// What was sent at QoS 0, which only an answer to a later packet proves to have been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unproved {
    None,
    /// The PINGREQ under way went out after all of it.
    Asked,
    Sent,
}

impl Session {
    /// Sends a PINGREQ; its [`Event::Pong`](super::Event::Pong) proves that the server has processed all that was sent before it.
    /// How many of them are unanswered now: its own is the last that comes.
    pub fn ping(&mut self, now: Instant) -> u32 {
        // PINGREQ has a fixed form in every version.
        self.output.extend_from_slice(&[0xc0, 0]);
        self.keep_alive.pinged(now);
        self.unanswered_pings += 1;
        if self.unproved == Unproved::Sent {
            self.unproved = Unproved::Asked;
        }
        self.unanswered_pings
    }

    /// A PINGRESP has come.
    pub(super) fn ponged(&mut self) {
        self.unanswered_pings = self.unanswered_pings.saturating_sub(1);
        if self.unanswered_pings == 0 && self.unproved == Unproved::Asked {
            self.unproved = Unproved::None;
        }
    }

    /// Whether the server has answered all that it was sent, and will send nothing by itself: to end the connection can lose
    /// nothing.
    pub fn is_settled(&self) -> bool {
        let is_answered = self.unproved == Unproved::None && self.unanswered_pings == 0;
        let expects = !self.wanted.is_empty() || !self.requests.is_empty() || self.is_kept();
        is_answered && self.unfinished() == 0 && !expects
    }

    /// The owner has written some output to the connection.
    pub fn wrote(&mut self, now: Instant) {
        self.keep_alive.sent(now);
    }

    /// The owner stops or resumes reading from the connection, to slow the server down. While it does not read,
    /// pings go on, and a missing answer is not held against the server.
    pub fn set_reading(&mut self, reading: bool, now: Instant) {
        if reading && !self.reading {
            self.keep_alive.read_again(now);
        }
        self.reading = reading;
    }

    /// Whether the connection is to be read; see [`Self::set_reading`].
    pub fn is_reading(&self) -> bool {
        self.reading
    }

    /// When [`Self::on_time`] wants to be called next.
    pub fn next_time(&self) -> Option<Instant> {
        self.keep_alive
            .next(self.reading)
            .filter(|_| self.is_online())
    }

    /// Does what the clock asks for.
    ///
    /// # Errors
    /// [`Fault::KeepAlive`] when the server has not answered a ping for a whole interval.
    pub fn on_time(&mut self, now: Instant) -> Result<(), Fault> {
        match self.keep_alive.due(now, self.reading) {
            Due::Ping if self.is_online() => {
                self.ping(now);
            }
            Due::GiveUp if self.is_online() => return Err(Fault::KeepAlive),
            _ => {}
        }
        Ok(())
    }

    /// Puts a DISCONNECT into the output; nothing is sent after it.
    pub fn disconnect(&mut self, disconnect: Disconnect) {
        if self.is_online() {
            self.say_goodbye(disconnect);
        }
        self.state = State::Closing;
    }

    pub(super) fn say_goodbye(&mut self, disconnect: Disconnect) {
        // Before MQTT 5 a DISCONNECT means "all is well", so it must not follow an error.
        if self.connect.version == Version::V5 || !disconnect.reason.is_failure() {
            let mut goodbye = Packet::Disconnect(disconnect);
            // Properties are left out where the server would not take them (MQTT 5.0 §3.2.2.3.6).
            let length = packet::encoded_len(&goodbye, self.connect.version);
            if let Packet::Disconnect(disconnect) = &mut goodbye
                && length.is_ok_and(|length| length > self.limits.largest_out)
            {
                disconnect.properties = Properties::default();
            }
            // A reason and checked properties always fit; if not, closing the connection says enough.
            let _ = packet::encode(&goodbye, self.connect.version, &mut self.output);
        }
        self.state = State::Closing;
    }
}
