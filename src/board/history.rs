//! What came for the topics that somebody looks at.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::payload::pointer;

/// Topics whose messages are remembered; the one that was looked at first is forgotten then.
const MOST_TOPICS: usize = 8;

/// Messages of each.
pub const MOST: usize = 600;

/// Bytes of the payloads of each.
const MOST_BYTES: usize = 1 << 20;

/// A message that came.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When.
    pub at: Instant,
    /// The same by the clock.
    pub time: SystemTime,
    /// The beginning of what it said.
    pub payload: Vec<u8>,
    /// Whether it is only the beginning.
    pub cut: bool,
}

/// The messages of one topic, the oldest first.
#[derive(Clone, Debug)]
pub struct History {
    topic: Arc<str>,
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl History {
    /// What came, the oldest first.
    pub const fn entries(&self) -> &VecDeque<Entry> {
        &self.entries
    }

    /// The numbers that a JSON pointer finds, or that the payloads are where it is empty.
    pub fn numbers(&self, pointer: &str) -> Vec<(Instant, f64)> {
        let number = |entry: &Entry| Some((entry.at, number(&entry.payload, pointer)?));
        self.entries.iter().filter_map(number).collect()
    }

    fn push(&mut self, entry: Entry) {
        self.bytes += entry.payload.len();
        self.entries.push_back(entry);
        while self.entries.len() > MOST || self.bytes > MOST_BYTES {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.bytes -= oldest.payload.len();
        }
    }
}

/// The number that a JSON pointer finds in a payload, or that it is where the pointer is empty.
pub fn number(payload: &[u8], pointer: &str) -> Option<f64> {
    let text = match pointer.is_empty() {
        true => str::from_utf8(payload).ok()?,
        false => pointer::find(payload, pointer)?,
    };
    let number: f64 = text.trim().trim_matches('"').parse().ok()?;
    number.is_finite().then_some(number)
}

/// Those that are looked at.
#[derive(Clone, Debug, Default)]
pub struct Histories(VecDeque<History>);

impl Histories {
    /// What came for a topic, if somebody looks at it.
    pub fn get(&self, topic: &str) -> Option<&History> {
        self.0.iter().find(|one| &*one.topic == topic)
    }

    /// Whether anything is looked at.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Somebody looks at a topic; `first` is what it said last.
    pub(super) fn look(&mut self, topic: &str, first: Option<Entry>) {
        if self.get(topic).is_some() {
            return;
        }
        if self.0.len() >= MOST_TOPICS {
            self.0.pop_front();
        }
        let mut history = History {
            topic: topic.into(),
            entries: VecDeque::new(),
            bytes: 0,
        };
        first.into_iter().for_each(|entry| history.push(entry));
        self.0.push_back(history);
    }

    pub(super) fn take(&mut self, topic: &str, entry: impl FnOnce() -> Entry) {
        if let Some(history) = self.0.iter_mut().find(|one| &*one.topic == topic) {
            history.push(entry());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(payload: &[u8]) -> Entry {
        Entry {
            at: Instant::now(),
            time: SystemTime::UNIX_EPOCH,
            payload: payload.to_vec(),
            cut: false,
        }
    }

    #[test]
    fn only_what_is_looked_at_is_remembered() {
        let mut all = Histories::default();
        all.take("a", || unreachable!());
        all.look("a", Some(entry(b"1")));
        all.look("a", None);
        for at in 0..700 {
            all.take("a", || entry(format!("{{\"t\":{at}}}").as_bytes()));
        }
        let history = all.get("a").unwrap();
        assert_eq!(history.entries().len(), MOST);
        let numbers = history.numbers("/t");
        assert_eq!(numbers.last().map(|one| one.1), Some(699.0));
        for name in ["b", "c", "d", "e", "f", "g", "h", "i"] {
            all.look(name, None);
        }
        assert!(all.get("a").is_none());
    }

    #[test]
    fn large_payloads_are_fewer() {
        let mut all = Histories::default();
        all.look("a", None);
        for _ in 0..MOST {
            all.take("a", || entry(&[b'x'; 4096]));
        }
        assert_eq!(all.get("a").unwrap().entries().len(), MOST_BYTES / 4096);
    }

    #[test]
    fn numbers_are_found_where_they_stand() {
        assert_eq!(number(b"21.5\n", ""), Some(21.5));
        assert_eq!(number(br#"{"a":[{"b":"3"}]}"#, "/a/0/b"), Some(3.0));
        assert_eq!(number(b"NaN", ""), None);
        assert_eq!(number(b"{", "/a"), None);
    }
}
