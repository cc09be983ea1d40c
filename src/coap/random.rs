//! Randomness for tokens, message ids and jitter.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::ops::Range;
use std::time::Duration;

/// A keyed hash over a counter. The key comes from the operating system, so that who has seen a few numbers
/// still cannot guess the next token; in tests it comes from a seed.
#[derive(Clone, Debug)]
pub(super) struct Random {
    key: Key,
    counter: u64,
}

#[derive(Clone, Debug)]
enum Key {
    System(RandomState),
    Seed(u64),
}

impl Random {
    pub(super) fn from_system() -> Self {
        Self {
            key: Key::System(RandomState::new()),
            counter: 0,
        }
    }

    /// The same seed gives the same numbers.
    pub(super) const fn seeded(seed: u64) -> Self {
        Self {
            key: Key::Seed(seed),
            counter: 0,
        }
    }

    pub(super) fn next(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(1);
        match &self.key {
            Key::System(state) => state.hash_one(self.counter),
            Key::Seed(seed) => {
                let mut hasher = DefaultHasher::new();
                (seed, self.counter).hash(&mut hasher);
                hasher.finish()
            }
        }
    }

    /// Evenly between 0 (included) and 1 (excluded).
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly within a range of durations.
    pub(super) fn within(&mut self, range: Range<Duration>) -> Duration {
        let width = range.end.saturating_sub(range.start);
        range.start + width.mul_f64(self.fraction())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_fixes_the_numbers_and_the_system_does_not() {
        let (mut a, mut b) = (Random::seeded(7), Random::seeded(7));
        assert_eq!(a.next(), b.next());
        assert_ne!(Random::from_system().next(), Random::from_system().next());
    }

    #[test]
    fn a_duration_stays_in_its_range() {
        let mut random = Random::seeded(1);
        let range = Duration::from_secs(5)..Duration::from_secs(15);
        assert!((0..1000).all(|_| range.contains(&random.within(range.clone()))));
    }
}
