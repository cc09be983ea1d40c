//! When something is to be done: at most one time per key.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::Instant;

#[derive(Debug)]
pub(super) struct Timers<K> {
    ordered: BTreeSet<(Instant, K)>,
    of: HashMap<K, Instant>,
}

impl<K: Copy + Ord + Hash> Timers<K> {
    pub(super) fn new() -> Self {
        Self {
            ordered: BTreeSet::new(),
            of: HashMap::new(),
        }
    }

    /// Sets the time of `key`, whatever it was before.
    pub(super) fn set(&mut self, key: K, at: Instant) {
        self.clear(key);
        self.of.insert(key, at);
        self.ordered.insert((at, key));
    }

    pub(super) fn clear(&mut self, key: K) {
        if let Some(at) = self.of.remove(&key) {
            self.ordered.remove(&(at, key));
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.ordered.first().map(|(at, _)| *at)
    }

    /// Takes out one key whose time has come.
    pub(super) fn due(&mut self, now: Instant) -> Option<K> {
        let (at, key) = *self.ordered.first()?;
        if at > now {
            return None;
        }
        self.clear(key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn keys_come_due_in_order_and_once() {
        let now = Instant::now();
        let later = |seconds| now + Duration::from_secs(seconds);
        let mut timers = Timers::new();
        timers.set('a', later(9));
        timers.set('b', later(2));
        timers.set('a', later(1));
        timers.set('c', later(3));
        timers.clear('c');
        assert_eq!(timers.next(), Some(later(1)));
        assert_eq!(timers.due(now), None);
        assert_eq!(
            (timers.due(later(5)), timers.due(later(5))),
            (Some('a'), Some('b'))
        );
        assert_eq!((timers.due(later(5)), timers.next()), (None, None));
    }
}
