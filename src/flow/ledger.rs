//! Which arrivals are not settled yet.
//!
//! Targets may finish messages in any order; a source wants to know of a prefix (MQTT 5.0 §4.6 demands acknowledgements in
//! the order of arrival). When the connection is lost, what was handed out before is delivered again: then old numbers
//! mean nothing any more.

use std::collections::BTreeSet;

use super::Number;

/// The arrivals from the oldest that is not settled to the newest.
#[derive(Debug, Default)]
pub struct Ledger {
    /// All up to this one are settled or void.
    settled: Number,
    /// The newest that was handed out.
    newest: Number,
    /// Finished, but not the next in order.
    ahead: BTreeSet<Number>,
    /// Finished in order since the last [`Ledger::take_settled`].
    ready: u64,
}

impl Ledger {
    /// The number of the next arrival.
    #[inline]
    pub fn arrive(&mut self) -> Number {
        self.newest += 1;
        self.newest
    }

    /// One arrival is done with; `false`: it was before, or its connection is gone.
    pub fn finish(&mut self, number: Number) -> bool {
        if number <= self.settled || number > self.newest {
            return false;
        }
        if number == self.settled + 1 {
            self.advance_to(number);
            return true;
        }
        self.ahead.insert(number)
    }

    /// Every arrival up to this one is done with.
    pub fn finish_through(&mut self, number: Number) {
        if number > self.settled {
            self.advance_to(number.min(self.newest));
        }
    }

    fn advance_to(&mut self, number: Number) {
        let mut last = number;
        while self.ahead.first().is_some_and(|&next| next <= last + 1) {
            last = last.max(self.ahead.pop_first().unwrap_or(last));
        }
        self.ready += last - self.settled;
        self.settled = last;
    }

    /// How many arrivals became settled in order since the last call.
    pub fn take_settled(&mut self) -> u64 {
        std::mem::take(&mut self.ready)
    }

    /// How many arrivals are not settled.
    pub fn unsettled(&self) -> u64 {
        self.newest - self.settled
    }

    /// The connection is gone: nothing that was handed out so far can be settled any more.
    pub fn forget(&mut self) {
        self.settled = self.newest;
        self.ahead.clear();
        self.ready = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    #[test]
    fn what_is_finished_out_of_order_waits_for_what_came_before() {
        let mut ledger = Ledger::default();
        let numbers: Vec<Number> = (0..4).map(|_| ledger.arrive()).collect();
        ledger.finish(numbers[2]);
        ledger.finish(numbers[1]);
        assert_eq!((ledger.take_settled(), ledger.unsettled()), (0, 4));
        ledger.finish(numbers[0]);
        assert_eq!((ledger.take_settled(), ledger.unsettled()), (3, 1));
        ledger.finish_through(numbers[3]);
        assert_eq!((ledger.take_settled(), ledger.unsettled()), (1, 0));
    }

    #[test]
    fn a_lost_connection_voids_old_numbers() {
        let mut ledger = Ledger::default();
        let old = [ledger.arrive(), ledger.arrive()];
        ledger.finish(old[1]);
        ledger.forget();
        let new = ledger.arrive();
        ledger.finish(old[0]);
        ledger.finish_through(old[1]);
        assert_eq!((ledger.take_settled(), ledger.unsettled()), (0, 1));
        ledger.finish(new);
        assert_eq!((ledger.take_settled(), ledger.unsettled()), (1, 0));
    }

    /// Against a model that keeps every number: in any order, with losses, the prefix is exactly what is finished.
    #[test]
    fn any_order_settles_exactly_the_finished_prefix() {
        let random = RandomState::new();
        let mut drawn = 0_u64;
        let mut draw = |below: u64| {
            drawn += 1;
            random.hash_one(drawn) % below
        };
        let (mut ledger, mut settled) = (Ledger::default(), 0);
        // For each arrival of this connection whether it is finished; the first is number `base + 1`.
        let (mut base, mut model) = (0, Vec::new());
        for _ in 0..20_000 {
            match draw(100) {
                0 => {
                    ledger.forget();
                    base += model.len() as u64;
                    model.clear();
                    settled = 0;
                }
                1..40 => {
                    let number = ledger.arrive();
                    model.push(false);
                    assert_eq!(number, base + model.len() as u64);
                }
                40..95 if !model.is_empty() => {
                    let at = draw(model.len() as u64);
                    model[at as usize] = true;
                    let _ = ledger.finish(base + at + 1);
                }
                95.. if !model.is_empty() => {
                    let at = draw(model.len() as u64);
                    model[..=at as usize].fill(true);
                    ledger.finish_through(base + at + 1);
                }
                _ => assert!(!ledger.finish(draw(base + 1))),
            }
            settled += ledger.take_settled();
            let prefix = model.iter().take_while(|finished| **finished).count() as u64;
            assert_eq!(settled, prefix);
            assert_eq!(ledger.unsettled(), model.len() as u64 - prefix);
        }
    }
}
