//! What has changed since the message of the same topic before.

use std::hash::{BuildHasher, RandomState};

use serde_json::Value;

use super::{Condition, Scope, Subject, text_of};
use crate::message::Message;
use crate::payload::topics::PerTopic;

/// What the messages before had where conditions ask for `changed(SUBJECT)`, for the topics that were used lately.
#[derive(Clone, Debug)]
pub struct Changes {
    watched: Vec<Subject>,
    /// Of each of them, as of the message that was seen last.
    changed: Vec<bool>,
    /// Hashes: that another value has the same one is less likely than that the memory errs.
    topics: PerTopic<Vec<u64>>,
    hashes: RandomState,
}

impl Changes {
    /// The memory of these conditions; `None`: none of them needs one.
    pub fn of<'a>(conditions: impl IntoIterator<Item = &'a Condition>) -> Option<Self> {
        let mut watched: Vec<Subject> = Vec::new();
        for condition in conditions {
            condition.each_subject(&mut |subject, changed| {
                if changed && !watched.contains(subject) {
                    watched.push(subject.clone());
                }
            });
        }
        (!watched.is_empty()).then(|| Self {
            changed: Vec::new(),
            topics: PerTopic::new(size_of::<Vec<u64>>() + watched.len() * size_of::<u64>()),
            watched,
            hashes: RandomState::new(),
        })
    }

    /// The memory of these conditions, which goes on from the one of others where these ask for the same.
    pub fn after<'a>(
        before: Option<Self>,
        conditions: impl IntoIterator<Item = &'a Condition>,
    ) -> Option<Self> {
        let fresh = Self::of(conditions)?;
        Some(match before {
            Some(before) if before.watched == fresh.watched => before,
            _ => fresh,
        })
    }

    /// Looks at a message, once, before conditions do; `json` gives its body as JSON.
    pub fn see(&mut self, message: &Message, json: impl FnOnce() -> Option<Value>) {
        let json = std::cell::LazyCell::new(json);
        let pointed = |pointer: &str| json.as_ref()?.pointer(pointer).map(text_of);
        let hash = |subject: &Subject| {
            let value = subject.find_in(message, &Scope::default(), pointed);
            self.hashes.hash_one(value)
        };
        let found: Vec<u64> = self.watched.iter().map(hash).collect();
        let last = self.topics.of(&message.topic);
        let differs = |(at, now): (usize, &u64)| last.get(at) != Some(now);
        self.changed = found.iter().enumerate().map(differs).collect();
        *last = found;
    }

    /// Forgets all: after a connection was lost messages come again.
    pub fn clear(&mut self) {
        self.topics.clear();
    }

    /// Whether the message that was seen last has another value than the one before.
    pub(super) fn have(&self, subject: &Subject) -> bool {
        let at = self.watched.iter().position(|it| it == subject);
        at.and_then(|at| self.changed.get(at)).is_none_or(|it| *it)
    }
}
