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
    /// All up to this one belong to connections that are gone.
    forgotten: Number,
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

    /// One arrival is done with; `false`: it was already, or is void.
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

    /// Every arrival up to this one is done with; so many were not before.
    pub fn finish_through(&mut self, number: Number) -> u64 {
        let number = number.min(self.newest);
        if number <= self.settled {
            return 0;
        }
        let before = self.ahead.range(..=number).count() as u64;
        let finished = number - self.settled - before;
        self.advance_to(number);
        finished
    }

    /// Whether an arrival is still to be done with.
    pub fn is_open(&self, number: Number) -> bool {
        self.settled < number && number <= self.newest && !self.ahead.contains(&number)
    }

    /// Whether an arrival of this connection is done with.
    pub fn is_done(&self, number: Number) -> bool {
        self.forgotten < number && number <= self.newest && !self.is_open(number)
    }

    /// The newest arrival's number.
    pub const fn newest(&self) -> Number {
        self.newest
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

    /// How many arrivals are still to be done with.
    pub fn open(&self) -> u64 {
        self.unsettled() - self.ahead.len() as u64
    }

    /// The connection is gone: nothing that was handed out so far can be settled any more. So many were still to be done
    /// with.
    pub fn forget(&mut self) -> u64 {
        let open = self.open();
        self.settled = self.newest;
        self.forgotten = self.newest;
        self.ahead.clear();
        self.ready = 0;
        open
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
        assert!(!ledger.is_done(old[1]) && ledger.is_open(new));
        ledger.finish(new);
        assert_eq!((ledger.take_settled(), ledger.unsettled()), (1, 0));
    }

    /// Against a model that keeps every number: in any order, with losses, the prefix is exactly what is finished, and each
    /// arrival is finished or void once.
    #[test]
    fn any_order_settles_exactly_the_finished_prefix() {
        let random = RandomState::new();
        let mut drawn = 0_u64;
        let mut draw = |below: u64| {
            drawn += 1;
            random.hash_one(drawn) % below
        };
        let (mut ledger, mut settled) = (Ledger::default(), 0);
        let (mut finished, mut void) = (0, 0);
        // For each arrival of this connection whether it is finished; the first is number `base + 1`.
        let (mut base, mut model) = (0, Vec::new());
        for _ in 0..20_000 {
            match draw(100) {
                0 => {
                    void += ledger.forget();
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
                    assert_eq!(ledger.is_open(base + at + 1), !model[at as usize]);
                    let was = std::mem::replace(&mut model[at as usize], true);
                    assert_eq!(ledger.finish(base + at + 1), !was);
                    finished += u64::from(!was);
                }
                95.. if !model.is_empty() => {
                    let at = draw(model.len() as u64);
                    let all = &mut model[..=at as usize];
                    let new = all.iter().filter(|finished| !**finished).count() as u64;
                    all.fill(true);
                    assert_eq!(ledger.finish_through(base + at + 1), new);
                    finished += new;
                }
                _ => assert!(!ledger.finish(draw(base + 1))),
            }
            settled += ledger.take_settled();
            let prefix = model.iter().take_while(|finished| **finished).count() as u64;
            assert_eq!(settled, prefix);
            assert_eq!(ledger.unsettled(), model.len() as u64 - prefix);
            assert_eq!(finished + void + ledger.open(), ledger.newest());
        }
    }
}
