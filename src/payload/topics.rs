//! What is remembered of each topic, within a bound in bytes: senders choose topics, and may choose any number.

use std::collections::HashMap;

/// Half of the memory for what is remembered, in bytes.
const HALF: usize = 16 << 20;

/// What a map needs for an entry beside key and value, in bytes.
const ENTRY: usize = 32;

/// A value for each topic that was used lately.
///
/// There are two generations: what is used moves to the young one, and when that is full the old one is dropped, so that the
/// topics that were silent longest are forgotten, at no cost for each use.
#[derive(Clone, Debug)]
pub(crate) struct PerTopic<T> {
    young: HashMap<Box<str>, T>,
    old: HashMap<Box<str>, T>,
    /// Held by the young ones.
    bytes: usize,
    /// The most that a value holds.
    largest: usize,
    forgotten: u64,
}

impl<T: Default> PerTopic<T> {
    /// For values that hold at most `largest` bytes each.
    pub(crate) fn new(largest: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            bytes: 0,
            largest,
            forgotten: 0,
        }
    }

    /// What is remembered of a topic; a new value where that is nothing.
    pub(crate) fn of(&mut self, topic: &str) -> &mut T {
        if !self.young.contains_key(topic) {
            let value = self.old.remove(topic).unwrap_or_default();
            let size = topic.len() + self.largest + ENTRY;
            if self.bytes + size > HALF {
                self.forgotten += self.old.len() as u64;
                self.old = std::mem::take(&mut self.young);
                self.bytes = 0;
            }
            self.bytes += size;
            self.young.insert(topic.into(), value);
        }
        // It is there, or was put there just now.
        self.young.get_mut(topic).expect("an entry for the topic")
    }

    /// How many topics were forgotten.
    pub(crate) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Forgets all of them on purpose.
    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topics_that_were_silent_longest_are_forgotten() {
        let mut topics = PerTopic::<u32>::new(1 << 10);
        *topics.of("kept") = 1;
        *topics.of("silent") = 1;
        for number in 0..2 * HALF / (1 << 10) {
            *topics.of(&number.to_string()) = 1;
            assert_eq!(*topics.of("kept"), 1, "after {number}");
        }
        assert_eq!(*topics.of("silent"), 0);
        assert!(topics.forgotten() > 0);
        let held = topics.young.len() + topics.old.len();
        assert!(held * (1 << 10) <= 2 * HALF, "{held}");
        topics.clear();
        assert_eq!(*topics.of("kept"), 0);
    }
}
