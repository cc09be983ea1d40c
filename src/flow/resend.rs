//! What a target gave back because its connection was lost, until it goes there again.

use std::collections::VecDeque;

use super::Number;
use crate::connect::suspects::Suspects;
use crate::error::{Cause, Error, Kind, brief};
use crate::message::Message;

/// Messages that go again, in the order in which they went at first, before any other.
#[derive(Debug, Default)]
pub(super) struct Resend {
    queue: VecDeque<(Number, Message)>,
    suspects: Suspects,
    /// How many were given back since the last [`Resend::lost`].
    fresh: usize,
}

impl Resend {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether nothing that goes again is before what is new.
    #[inline]
    pub(super) fn is_clear(&self) -> bool {
        self.queue.is_empty() && !self.suspects.alone()
    }

    /// The connection was lost before the target had it.
    pub(super) fn give_back(&mut self, number: Number, message: Message) {
        self.queue.push_back((number, message));
        self.fresh += 1;
    }

    /// Another message got through, or was refused.
    pub(super) const fn survived(&mut self) {
        self.suspects.survived();
    }

    /// What goes next, if it may go now; `idle`: whether nothing is under way.
    pub(super) fn next(&mut self, idle: bool) -> Option<(Number, Message)> {
        match self.suspects.alone() && !idle {
            true => None,
            false => self.queue.pop_front(),
        }
    }

    /// All that the target has done was looked at: with what it gave back it lost a connection. Returns the message that no
    /// connection survives.
    pub(super) fn lost(&mut self) -> Option<(Number, Message)> {
        let count = std::mem::take(&mut self.fresh);
        if count == 0 {
            return None;
        }
        let all = self.queue.make_contiguous();
        all.sort_unstable_by_key(|(number, _)| *number);
        // It was alone, so that it comes before all others.
        let known = self.suspects.lost(count, count == 1);
        known.then(|| self.queue.pop_front()).flatten()
    }
}

/// A message that no connection survives.
pub fn twice(target: &str, number: Number, topic: &str) -> Error {
    let place = match topic {
        "" => String::new(),
        topic => format!(" to {}", brief(topic)),
    };
    let text =
        format!("{target} closed the connection each time it received message {number}{place}");
    Error::new(Kind::Refused, text).because(Cause::HungUp)
}
