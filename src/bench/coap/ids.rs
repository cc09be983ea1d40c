//! Message ids: given out in turn, and how soon the same one comes round again.

use super::super::clock::Nanos;
use super::exchanges::ExchangeTable;

/// How long a peer may remember a confirmable message by its id (RFC 7252 §4.8.2, EXCHANGE_LIFETIME).
pub(super) const EXCHANGE_LIFETIME: Nanos = 247_000_000_000;
/// The same for a non-confirmable one (NON_LIFETIME).
pub(super) const NON_LIFETIME: Nanos = 145_000_000_000;

/// Ids that are watched together: one time for each id would be more memory than thousands of sockets have.
const WATCHED: u16 = 4096;
const GROUPS: usize = 65_536 / WATCHED as usize;

/// The ids of one socket. 0 is never given out: it is the greeting's.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    next: u16,
    /// When an id of each group was last given out for the first time; 0: never.
    begun: [Nanos; GROUPS],
    /// Those of the current group are given out again too soon.
    early: bool,
    /// Those of the current group that are still under way.
    taken: Vec<u16>,
    lifetime: Nanos,
}

impl Ids {
    /// Ids that begin anywhere, so that a server does not take those of a new socket for an old one's.
    pub(super) const fn new(first: u16, lifetime: Nanos) -> Self {
        Self {
            next: first,
            begun: [0; GROUPS],
            early: false,
            taken: Vec::new(),
            lifetime,
        }
    }

    /// The next id that is not under way, and whether a peer may still remember an older message by it.
    #[inline]
    pub(super) fn give(&mut self, now: Nanos, slots: &ExchangeTable) -> (u16, bool) {
        loop {
            if self.next.is_multiple_of(WATCHED) {
                self.enter_group(now, slots);
            }
            let id = self.next;
            self.next = self.next.wrapping_add(1);
            // More ids than requests under way: it is not found for ever.
            if id != 0 && (self.taken.is_empty() || !self.taken.contains(&id)) {
                return (id, self.early);
            }
        }
    }

    fn enter_group(&mut self, now: Nanos, slots: &ExchangeTable) {
        let number = self.next / WATCHED;
        let begun = &mut self.begun[usize::from(number)];
        self.early = *begun > 0 && now.saturating_sub(*begun) < self.lifetime;
        *begun = now;
        self.taken.clear();
        if self.early {
            let of_group = |mid: &u16| *mid / WATCHED == number;
            self.taken.extend(slots.mids().filter(of_group));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::recorder::Pending;

    #[test]
    fn ids_that_come_round_too_soon_are_told() {
        let mut ids = Ids::new(40_000, EXCHANGE_LIFETIME);
        let (none, mut early) = (ExchangeTable::default(), 0);
        for _ in 0..65_535 {
            let (id, again) = ids.give(1, &none);
            assert_ne!(id, 0);
            early += u32::from(again);
        }
        // The rest of the group in which it began was not watched.
        assert_eq!(early, 0);
        for _ in 0..65_535 {
            early += u32::from(ids.give(2, &none).1);
        }
        assert!(early > 60_000, "{early}");
        let (mut later, late) = (0, 2 * EXCHANGE_LIFETIME);
        for _ in 0..WATCHED {
            ids.give(late, &none);
        }
        for _ in 0..40_000 {
            later += u32::from(ids.give(late, &none).1);
        }
        assert_eq!(later, 0);
    }

    #[test]
    fn an_id_under_way_is_left_out() {
        let (mut ids, mut slots) = (Ids::new(1, NON_LIFETIME), ExchangeTable::default());
        let (first, _) = ids.give(1, &slots);
        slots.enter(Pending::default(), 5000, 0);
        let given: Vec<u16> = (0..2 * 65_535).map(|_| ids.give(1, &slots).0).collect();
        assert_eq!(first, 1);
        // Nothing of the first round is under way when it is given out.
        assert_eq!(given.iter().filter(|id| **id == 5000).count(), 1);
        assert_eq!(given.iter().filter(|id| **id == 4999).count(), 2);
    }
}
