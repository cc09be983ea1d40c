//! What is to be looked at later. An entry is a reminder, not a promise: whoever is reminded looks
//! whether it is really due, so nothing ever has to be taken out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Instant;

use super::connection::Outgo;
use super::slab::Key;

/// What is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reminder {
    /// A connection: CONNECT or the next packet may be overdue.
    Connection(Key),
    /// A connection that a fault holds still goes on.
    Resume(Key),
    /// A session without connection: its will or its end may be due.
    Session(Key),
    /// The next round of `$SYS` topics.
    Sys,
}

#[derive(Debug, Default)]
pub(super) struct Timers {
    reminders: BinaryHeap<Reverse<(Instant, Reminder)>>,
    /// Packets that a fault delays, in the order in which they are due.
    delayed: BTreeMap<(Instant, u64), (Key, Outgo)>,
    serial: u64,
}

impl Timers {
    pub(super) fn remind(&mut self, at: Instant, reminder: Reminder) {
        self.reminders.push(Reverse((at, reminder)));
    }

    pub(super) fn delay(&mut self, until: Instant, connection: Key, outgo: Outgo) {
        self.serial += 1;
        self.delayed
            .insert((until, self.serial), (connection, outgo));
    }

    /// How many reminders there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.reminders.len()
    }

    /// When the next entry is due.
    pub(super) fn next(&self) -> Option<Instant> {
        let reminder = self.reminders.peek().map(|Reverse((at, _))| *at);
        let delayed = self.delayed.keys().next().map(|(at, _)| *at);
        reminder.into_iter().chain(delayed).min()
    }

    pub(super) fn due(&mut self, now: Instant) -> Option<Reminder> {
        self.reminders
            .peek()
            .filter(|Reverse((at, _))| *at <= now)?;
        self.reminders.pop().map(|Reverse((_, reminder))| reminder)
    }

    pub(super) fn due_packet(&mut self, now: Instant) -> Option<(Key, Outgo)> {
        let entry = self
            .delayed
            .first_entry()
            .filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }
}
