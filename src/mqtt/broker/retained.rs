//! The retained messages (MQTT 5.0 §3.3.1.3), in the order of their topics.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::rc::Rc;
use std::time::Instant;

use bytestring::ByteString;

use super::application::Message;
use super::subscriptions::Grant;
use crate::mqtt::topic;

/// How many topics are looked at in one go.
const STRIDE: usize = 1_000;

/// The last retained message of each topic.
#[derive(Debug, Default)]
pub(super) struct Retained {
    messages: BTreeMap<ByteString, Rc<Message>>,
    /// When those that expire do.
    expiring: BTreeSet<(Instant, ByteString)>,
    /// Of all payloads.
    bytes: usize,
}

/// What a new subscription is still to get of the retained messages. It remembers a place and no messages, so that it
/// costs the same for any number of them, and whoever reads slowly gets the latest ones.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) filter: ByteString,
    pub(super) grant: Grant,
    /// The topic it has come to.
    pub(super) after: Option<ByteString>,
}

/// A stretch of a [`Walk`].
#[derive(Debug, Default)]
pub(super) struct Stretch {
    pub(super) messages: Vec<Rc<Message>>,
    /// The last topic that was looked at; `None`: there are no more.
    pub(super) reached: Option<ByteString>,
}

impl Retained {
    /// Keeps `message` in place of the one before; an empty payload removes it.
    pub(super) fn store(&mut self, message: &Message) {
        self.remove(&message.topic);
        if message.payload.is_empty() {
            return;
        }
        let kept = message.detached();
        if let Some(at) = kept.expires {
            self.expiring.insert((at, kept.topic.clone()));
        }
        self.bytes += kept.payload.len();
        self.messages.insert(kept.topic.clone(), Rc::new(kept));
    }

    fn remove(&mut self, topic: &str) {
        let Some(message) = self.messages.remove(topic) else {
            return;
        };
        self.bytes -= message.payload.len();
        if let Some(at) = message.expires {
            self.expiring.remove(&(at, message.topic.clone()));
        }
    }

    /// Whether anything can match `filter`, as far as that is seen without a search.
    pub(super) fn may_match(&self, filter: &str) -> bool {
        match filter.contains(['+', '#']) {
            true => !self.messages.is_empty(),
            false => self.messages.contains_key(filter),
        }
    }

    /// The next messages of a walk that have not expired, at most `most`.
    pub(super) fn stretch(&self, walk: &Walk, most: usize, now: Instant) -> Stretch {
        let filter = &*walk.filter;
        let mut found = Stretch::default();
        let Some(at) = filter.find(['+', '#']) else {
            let exact = self.messages.get(filter);
            found
                .messages
                .extend(exact.filter(|one| !one.expired(now)).cloned());
            return found;
        };
        // Every match begins with what stands before the first wildcard, except that `a/#` matches `a` too.
        let prefix = filter[..at].trim_end_matches('/');
        let from = match &walk.after {
            Some(topic) => Bound::Excluded(&**topic),
            None => Bound::Included(prefix),
        };
        let candidates = self.messages.range::<str, _>((from, Bound::Unbounded));
        let within = candidates.take_while(|(topic, _)| topic.starts_with(prefix));
        for (seen, (name, message)) in within.enumerate() {
            if seen == STRIDE || found.messages.len() == most {
                return found;
            }
            if topic::matches(filter, name) && !message.expired(now) {
                found.messages.push(Rc::clone(message));
            }
            found.reached = Some(name.clone());
        }
        found.reached = None;
        found
    }

    /// When the next one expires.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.expiring.first().map(|(at, _)| *at)
    }

    /// Forgets some of what has expired; returns how many.
    pub(super) fn purge(&mut self, now: Instant) -> usize {
        for count in 0..STRIDE {
            let Some((_, topic)) = self.expiring.first().filter(|(at, _)| *at <= now).cloned()
            else {
                return count;
            };
            self.remove(&topic);
        }
        STRIDE
    }

    /// How many there are, and the bytes of their payloads.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.messages.len(), self.bytes)
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
        let mut walk = Walk {
            filter: filter.into(),
            grant: Grant::default(),
            after: None,
        };
        let mut topics = Vec::new();
        loop {
            let stretch = retained.stretch(&walk, 2, Instant::now());
            topics.extend(stretch.messages.iter().map(|one| one.topic.to_string()));
            walk.after = stretch.reached;
            if walk.after.is_none() {
                return topics;
            }
        }
    }

    #[test]
    fn what_expires_is_forgotten_and_counted_out() {
        let mut retained = Retained::default();
        let now = Instant::now();
        for (topic, expires) in [
            ("a", Some(now)),
            ("b", None),
            ("a", Some(now)),
            ("c", Some(now)),
        ] {
            let mut message = Message::own(topic, String::from("xy"));
            message.expires = expires;
            retained.store(&message);
        }
        assert_eq!((retained.size(), retained.expiring.len()), ((3, 6), 2));
        assert_eq!(found(&retained, "#"), ["b"]);
        assert_eq!(retained.purge(now), 2);
        assert_eq!((retained.size(), retained.expiring.len()), ((1, 2), 0));
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
