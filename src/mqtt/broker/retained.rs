//! The retained messages (MQTT 5.0 §3.3.1.3), in the order of their topics.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::rc::Rc;
use std::time::Instant;

use bytestring::ByteString;

use super::application::Message;
use crate::mqtt::topic;

/// The last retained message of each topic.
#[derive(Debug, Default)]
pub(super) struct Retained {
    messages: BTreeMap<ByteString, Rc<Message>>,
}

impl Retained {
    /// Keeps `message` in place of the one before; an empty payload removes it.
    pub(super) fn store(&mut self, message: &Message) {
        if message.payload.is_empty() {
            self.messages.remove(&message.topic);
        } else {
            let kept = message.detached();
            self.messages.insert(kept.topic.clone(), Rc::new(kept));
        }
    }

    /// The messages that match `filter` and have not expired.
    pub(super) fn matching(&self, filter: &str, now: Instant) -> Vec<Rc<Message>> {
        let wildcard = filter.find(['+', '#']);
        let Some(at) = wildcard else {
            let exact = self
                .messages
                .get(filter)
                .filter(|message| !message.expired(now));
            return exact.cloned().into_iter().collect();
        };
        // Every match begins with what stands before the first wildcard, except that `a/#` matches `a` too.
        let prefix = filter[..at].trim_end_matches('/');
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let candidates = self.messages.range::<str, _>(from);
        let within = candidates.take_while(|(topic, _)| topic.starts_with(prefix));
        within
            .filter(|(name, message)| topic::matches(filter, name) && !message.expired(now))
            .map(|(_, message)| Rc::clone(message))
            .collect()
    }

    /// Forgets what has expired.
    pub(super) fn purge(&mut self, now: Instant) {
        self.messages.retain(|_, message| !message.expired(now));
    }

    /// How many there are, and the bytes of their payloads.
    pub(super) fn size(&self) -> (usize, usize) {
        let bytes = self
            .messages
            .values()
            .map(|message| message.payload.len())
            .sum();
        (self.messages.len(), bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(topics: &[&str]) -> Retained {
        let mut retained = Retained::default();
        for topic in topics {
            retained.store(&Message::own(topic, String::from("x")));
        }
        retained
    }

    fn found(retained: &Retained, filter: &str) -> Vec<String> {
        let messages = retained.matching(filter, Instant::now());
        messages
            .iter()
            .map(|message| message.topic.to_string())
            .collect()
    }

    #[test]
    fn filters_find_their_topics() {
        let retained = stored(&["$SYS/x", "/a", "a", "a/b", "a/b/c", "ab", "b"]);
        assert_eq!(found(&retained, "a"), ["a"]);
        assert_eq!(found(&retained, "a/#"), ["a", "a/b", "a/b/c"]);
        assert_eq!(found(&retained, "a/+"), ["a/b"]);
        assert_eq!(found(&retained, "+/+/c"), ["a/b/c"]);
        assert_eq!(found(&retained, "/#"), ["/a"]);
        assert_eq!(
            found(&retained, "#"),
            ["/a", "a", "a/b", "a/b/c", "ab", "b"]
        );
        assert_eq!(found(&retained, "$SYS/#"), ["$SYS/x"]);
    }

    #[test]
    fn an_empty_payload_clears() {
        let mut retained = stored(&["a"]);
        retained.store(&Message::own("a", String::new()));
        assert_eq!(retained.size(), (0, 0));
    }
}
