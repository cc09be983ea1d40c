//! Searches the highest rate that keeps what is asked: doubles until it misses, then halves the gap. Pure; it does
//! not run anything.

/// A search under way.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    /// The highest rate that was passed; 0: none yet.
    passed: f64,
    /// The lowest rate that was missed.
    missed: Option<f64>,
    /// The rate to try next.
    next: f64,
    /// How near the answer must be, as a part of it.
    precision: f64,
    /// Tries that are left.
    tries: u32,
}

impl Search {
    /// Begins at `first` messages a second and ends when the answer is known to within `precision` (0.05: 5 %), or
    /// after `tries` runs.
    pub(crate) const fn new(first: f64, precision: f64, tries: u32) -> Self {
        Self {
            passed: 0.0,
            missed: None,
            next: first,
            precision,
            tries,
        }
    }

    /// The rate to run next, in messages a second; `None`: the search is over.
    pub(crate) fn next(&self) -> Option<f64> {
        let near = self
            .missed
            .is_some_and(|missed| missed - self.passed <= self.precision * missed);
        (self.tries > 0 && !near).then_some(self.next)
    }

    /// Enters whether the last rate was passed.
    pub(crate) fn enter(&mut self, passed: bool) {
        self.tries = self.tries.saturating_sub(1);
        if passed {
            self.passed = self.next;
        } else {
            self.missed = Some(self.next);
        }
        self.next = match self.missed {
            None => self.next * 2.0,
            // From below there is nothing to hold on to yet.
            Some(missed) if self.passed == 0.0 => missed / 4.0,
            Some(missed) => (self.passed + missed) / 2.0,
        };
    }

    /// The highest rate that was passed; `None` when none was.
    pub(crate) fn best(&self) -> Option<f64> {
        (self.passed > 0.0).then_some(self.passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searched(first: f64, truth: f64) -> (Option<f64>, u32) {
        let mut search = Search::new(first, 0.05, 30);
        let mut runs = 0;
        while let Some(rate) = search.next() {
            search.enter(rate <= truth);
            runs += 1;
        }
        (search.best(), runs)
    }

    #[test]
    fn it_finds_the_limit_from_below_and_from_above() {
        for truth in [1_000.0, 33_333.0, 5_000_000.0] {
            for first in [1_000.0, 100_000.0] {
                let (best, runs) = searched(first, truth);
                let best = best.unwrap();
                assert!(best <= truth && best >= 0.94 * truth, "{best} of {truth}");
                assert!(runs <= 20, "{runs}");
            }
        }
    }

    #[test]
    fn a_peer_that_keeps_nothing_has_no_rate() {
        assert_eq!(searched(1_000.0, 0.0), (None, 30));
    }
}
