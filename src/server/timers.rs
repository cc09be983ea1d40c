//! What is to be looked at later. An entry is a reminder, not a promise: whoever is reminded looks
//! whether it is really due, so nothing ever has to be taken out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Instant;

/// Reminders, and things that are delayed.
#[derive(Debug)]
pub(crate) struct Timers<R, D> {
    reminders: BinaryHeap<Reverse<(Instant, R)>>,
    /// What a fault delays, in the order in which it is due.
    delayed: BTreeMap<(Instant, u64), D>,
    serial: u64,
}

impl<R: Ord, D> Default for Timers<R, D> {
    fn default() -> Self {
        Self {
            reminders: BinaryHeap::new(),
            delayed: BTreeMap::new(),
            serial: 0,
        }
    }
}

impl<R: Ord, D> Timers<R, D> {
    /// Reminds of something at a moment.
    pub(crate) fn remind(&mut self, at: Instant, reminder: R) {
        self.reminders.push(Reverse((at, reminder)));
    }

    /// Keeps something until a moment.
    pub(crate) fn delay(&mut self, until: Instant, thing: D) {
        self.serial += 1;
        self.delayed.insert((until, self.serial), thing);
    }

    /// How many reminders there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.reminders.len()
    }

    /// When the next entry is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        let reminder = self.reminders.peek().map(|Reverse((at, _))| *at);
        let delayed = self.delayed.keys().next().map(|(at, _)| *at);
        reminder.into_iter().chain(delayed).min()
    }

    /// The next reminder whose moment has come.
    pub(crate) fn due(&mut self, now: Instant) -> Option<R> {
        self.reminders
            .peek()
            .filter(|Reverse((at, _))| *at <= now)?;
        self.reminders.pop().map(|Reverse((_, reminder))| reminder)
    }

    /// The next thing whose delay is over.
    pub(crate) fn due_thing(&mut self, now: Instant) -> Option<D> {
        let entry = self
            .delayed
            .first_entry()
            .filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }
}
