//! Where the processes of one run wait for each other: for the moment to begin, and for what one sent to reach another.
//!
//! Who carries the words between them is not known here.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::clock::Nanos;
use super::recorder::Records;

/// The gate of one process.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// When to begin; 0 as long as that is not known.
    begin: AtomicU64,
    /// All that was sent by any process has come.
    enough: AtomicBool,
    state: Mutex<GateState>,
}

/// How a process stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GateState {
    /// Every connection has been tried, and some are open.
    pub settled: bool,
    /// Nothing will be sent any more, and nothing waits for an answer.
    pub idle: bool,
    /// What its receivers got, and what its senders sent.
    pub deliveries: Deliveries,
}

/// Messages on their way to receivers, in the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deliveries {
    expected: u64,
    unique: u64,
    unstamped: u64,
    warmup_expected: u64,
    warmup_unique: u64,
}

impl Deliveries {
    /// Of these parts of a run together.
    pub(crate) fn of(parts: [&Records; 2]) -> Self {
        let mut sum = Self::default();
        for part in parts {
            sum.add(Self {
                expected: part.messages.expected,
                unique: part.messages.unique,
                unstamped: part.unstamped.received.iter().sum(),
                warmup_expected: part.unstamped.warmup_expected,
                warmup_unique: part.unstamped.warmup_unique,
            });
        }
        sum
    }

    pub(crate) const fn add(&mut self, other: Self) {
        self.expected += other.expected;
        self.unique += other.unique;
        self.unstamped += other.unstamped;
        self.warmup_expected += other.warmup_expected;
        self.warmup_unique += other.warmup_unique;
    }

    /// Whether all that receivers should get has come.
    pub(crate) const fn are_complete(self) -> bool {
        if self.unstamped == 0 {
            return self.unique >= self.expected;
        }
        // Which part of the run they are of is not known, so that of the warm-up is waited for too.
        let came = self.unique + self.warmup_unique + self.unstamped;
        came >= self.expected + self.warmup_expected
    }
}

impl Gate {
    /// Says when to begin.
    pub(crate) fn open(&self, at: Nanos) {
        self.begin.store(at.max(1), Ordering::SeqCst);
    }

    /// Says that all that was sent by any process has come.
    pub(crate) fn has_all(&self) {
        self.enough.store(true, Ordering::SeqCst);
    }

    /// How this process stands.
    pub(crate) fn state(&self) -> GateState {
        *self.lock()
    }

    /// Every connection has been tried: when to begin, once that is known.
    pub(super) fn settle(&self) -> Option<Nanos> {
        self.lock().settled = true;
        match self.begin.load(Ordering::SeqCst) {
            0 => None,
            at => Some(at),
        }
    }

    /// Sending has ended: whether all that was sent by any process has come.
    pub(super) fn drain(&self, idle: bool, deliveries: Deliveries) -> bool {
        let mut state = self.lock();
        (state.idle, state.deliveries) = (idle, deliveries);
        self.enough.load(Ordering::SeqCst)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, GateState> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_sent_and_another_got_is_complete() {
        let sent = Deliveries {
            expected: 10,
            warmup_expected: 5,
            ..Deliveries::default()
        };
        let mut whole = sent;
        assert!(!whole.are_complete());
        let stamped = Deliveries {
            unique: 10,
            ..Deliveries::default()
        };
        whole.add(stamped);
        assert!(whole.are_complete());
        let mut whole = sent;
        let unstamped = |unstamped| Deliveries {
            unstamped,
            ..Deliveries::default()
        };
        whole.add(unstamped(10));
        assert!(!whole.are_complete(), "some may be of the warm-up");
        whole.add(unstamped(5));
        assert!(whole.are_complete());
    }

    #[test]
    fn a_gate_is_closed_until_it_is_opened() {
        let gate = Gate::default();
        assert!(!gate.state().settled);
        assert_eq!(gate.settle(), None);
        assert!(gate.state().settled);
        gate.open(7);
        assert_eq!(gate.settle(), Some(7));
        assert!(!gate.drain(true, Deliveries::default()));
        assert!(gate.state().idle);
        gate.has_all();
        assert!(gate.drain(true, Deliveries::default()));
    }
}
