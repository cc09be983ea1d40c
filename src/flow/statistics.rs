//! How many messages came and how large they were (`--stats`), of which topics, and what they said last (`--tree`).

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;
use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use super::sequence::topics;
use super::until::messages;
use crate::error::brief;
use crate::message::Message;

/// The most that topics and their last bodies may hold, in bytes.
const MOST: usize = 64 << 20;

/// What a map needs for an entry beside key and value, in bytes.
const ENTRY: usize = 64;

/// As many topics are named.
const NAMED: usize = 10;

/// As many bytes of a last body are kept.
const KEPT: usize = 256;

/// What came of one topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Topic {
    pub(super) messages: u64,
    pub(super) bytes: u64,
    /// The beginning of the body that came last.
    pub(super) last: Bytes,
    /// Whether that is all of it.
    pub(super) whole: bool,
}

/// Counts by topic; those for which there is no room are one.
#[derive(Debug, Default)]
pub(super) struct Topics {
    pub(super) named: BTreeMap<Box<str>, Topic>,
    /// All others together.
    pub(super) others: Topic,
    held: usize,
    keeps_bodies: bool,
}

impl Topics {
    /// With the body that came last.
    pub(super) fn with_bodies() -> Self {
        Self {
            keeps_bodies: true,
            ..Self::default()
        }
    }

    pub(super) fn see(&mut self, message: &Message) {
        let kept = if self.keeps_bodies { KEPT } else { 0 };
        if !self.named.contains_key(&*message.topic) {
            let size = message.topic.len() + kept + ENTRY + size_of::<Topic>();
            if self.held + size > MOST {
                return self.others.count(message, 0);
            }
            self.held += size;
            self.named
                .insert((&*message.topic).into(), Topic::default());
        }
        if let Some(topic) = self.named.get_mut(&*message.topic) {
            topic.count(message, kept);
        }
    }
}

impl Topic {
    fn count(&mut self, message: &Message, kept: usize) {
        self.messages += 1;
        self.bytes += message.payload.len() as u64;
        if kept > 0 {
            // Not a slice of what was read, which would stay in memory with it.
            let end = message.payload.len().min(kept);
            self.last = Bytes::copy_from_slice(&message.payload[..end]);
            self.whole = end == message.payload.len();
        }
    }
}

/// The figures of all messages.
#[derive(Debug)]
pub(super) struct Statistics {
    /// When the first one came.
    began: Option<Instant>,
    messages: u64,
    bytes: u64,
    sizes: Histogram<u64>,
    topics: Topics,
}

impl Statistics {
    pub(super) fn new() -> Self {
        let sizes = Histogram::new(3);
        Self {
            began: None,
            messages: 0,
            bytes: 0,
            // Three digits are among the precisions that there are.
            sizes: sizes.expect("a histogram of three digits"),
            topics: Topics::default(),
        }
    }

    pub(super) fn see(&mut self, message: &Message, now: Instant) {
        let size = message.payload.len() as u64;
        self.began.get_or_insert(now);
        self.messages += 1;
        self.bytes += size;
        // It grows as it must; only memory could set it a limit.
        let _ = self.sizes.record(size);
        self.topics.see(message);
    }

    /// The topics with most messages.
    fn top(&self) -> Vec<(&str, &Topic)> {
        let all = self.topics.named.iter();
        let mut all: Vec<_> = all.map(|(name, topic)| (&**name, topic)).collect();
        all.sort_by_key(|(_, topic)| std::cmp::Reverse(topic.messages));
        all.truncate(NAMED);
        all
    }

    /// Since the first message.
    fn seconds(&self, now: Instant) -> f64 {
        let since = self.began.map(|it| now.saturating_duration_since(it));
        since.unwrap_or_default().as_secs_f64()
    }

    /// For people, one line each.
    pub(super) fn lines(&self, now: Instant) -> Vec<String> {
        let named = self.topics.named.len() as u64;
        let all = format!("{} on {}", messages(self.messages), topics(named));
        if self.messages == 0 {
            return vec![all];
        }
        let seconds = self.seconds(now);
        // One message has no rate.
        let rate = |count: u64, unit| match self.messages {
            1 => String::new(),
            _ => format!(", {:.1}{unit}", count as f64 / seconds.max(1e-9)),
        };
        let mut lines = vec![format!(
            "{all} in {seconds:.3} s{}",
            rate(self.messages, "/s")
        )];
        lines.push(format!(
            "{} B of payload{}; size min/avg/p50/p99/max {}/{:.1}/{}/{}/{} B",
            self.bytes,
            rate(self.bytes, " B/s"),
            self.sizes.min(),
            self.bytes as f64 / self.messages as f64,
            self.size(0.5),
            self.size(0.99),
            self.largest(),
        ));
        let row = |name: &str, topic: &Topic| {
            let size = topic.bytes;
            format!("{:>10} {size:>12} B  {name}", topic.messages)
        };
        let top = self.top();
        lines.extend(
            top.iter()
                .map(|(name, topic)| row(&brief(name).to_string(), topic)),
        );
        let others = &self.topics.others;
        if others.messages > 0 {
            lines.push(row("(topics for which there is no memory)", others));
        }
        lines
    }

    /// As an object.
    pub(super) fn json(&self, now: Instant) -> Map<String, Value> {
        let seconds = self.seconds(now);
        let top = self.top().into_iter().map(|(name, topic)| {
            json!({"topic": name, "messages": topic.messages, "payload_bytes": topic.bytes})
        });
        let object = json!({
            "messages": self.messages,
            "payload_bytes": self.bytes,
            "seconds": (seconds * 1e6).round() / 1e6,
            "topics": self.topics.named.len(),
            "size_min_bytes": self.sizes.min(),
            "size_p50_bytes": self.size(0.5),
            "size_p99_bytes": self.size(0.99),
            "size_max_bytes": self.largest(),
            "top": top.collect::<Vec<_>>(),
            "other_messages": self.topics.others.messages,
        });
        match object {
            Value::Object(object) => object,
            _ => Map::new(),
        }
    }

    fn size(&self, part: f64) -> u64 {
        self.sizes.value_at_quantile(part).min(self.largest())
    }

    /// A bucket of the histogram may reach beyond what came, but holds no more than all came to.
    fn largest(&self) -> u64 {
        self.sizes.max().min(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn message(topic: &str, payload: &str) -> Message {
        Message {
            topic: topic.to_owned().into(),
            payload: payload.to_owned().into(),
            ..Message::default()
        }
    }

    #[test]
    fn figures_are_counted_and_the_busiest_topics_named() {
        let now = Instant::now();
        let mut statistics = Statistics::new();
        assert_eq!(statistics.lines(now), ["0 messages on 0 topics"]);
        // The wait for the first does not count, and one alone has no rate.
        let (now, later) = (now + Duration::from_secs(60), now + Duration::from_secs(62));
        for (topic, payload) in [("a", "1"), ("b", "12"), ("b", "123")] {
            statistics.see(&message(topic, payload), now);
            if statistics.messages == 1 {
                let lines = statistics.lines(now);
                assert_eq!(lines[0], "1 message on 1 topic in 0.000 s");
            }
        }
        assert_eq!(
            statistics.lines(later),
            [
                "3 messages on 2 topics in 2.000 s, 1.5/s",
                "6 B of payload, 3.0 B/s; size min/avg/p50/p99/max 1/2.0/2/3/3 B",
                "         2            5 B  b",
                "         1            1 B  a",
            ]
        );
        let object = statistics.json(later);
        assert_eq!(
            (&object["messages"], &object["seconds"]),
            (&json!(3), &json!(2.0))
        );
        assert_eq!(
            object["top"][0],
            json!({"topic": "b", "messages": 2, "payload_bytes": 5})
        );
    }

    #[test]
    fn memory_is_bounded_and_nothing_uncounted() {
        let mut topics = Topics::with_bodies();
        let name = "x".repeat(60_000);
        let count = MOST / 60_000 + 10;
        for number in 0..count {
            topics.see(&message(&format!("{number}{name}"), "y"));
        }
        assert!(topics.held <= MOST && topics.others.messages >= 10);
        let named: u64 = topics.named.values().map(|it| it.messages).sum();
        assert_eq!(named + topics.others.messages, count as u64);
    }
}
