//! Which of the messages that pass the filters are passed on: a sample of them, those that changed, not too many of a topic.
//!
//! What is skipped is acknowledged like what was shown: it was received, and nobody else is to get it.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::message::Message;
use crate::output::Console;
use crate::payload::expect::Subject;
use crate::payload::topics::PerTopic;
use crate::random::unguessable;

/// What was asked for; nothing: all messages.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// A part of them, whatever their topic (`--sample`).
    pub sample: Option<Sample>,
    /// Only where this is another value than in the message of the same topic that was passed on last (`--on-change`).
    pub on_change: Option<Subject>,
    /// At most one of a topic in so much time (`--throttle`).
    pub throttle: Option<Duration>,
}

/// A part of all messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// Each so-manieth; at least 1.
    Each(u64),
    /// A random share, in parts of [`u64::MAX`].
    Share(u64),
}

/// Why a message was not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skipped {
    /// It is not in the sample.
    Sampled,
    /// It says nothing new.
    Unchanged,
    /// It came too soon after another.
    Throttled,
}

/// How many messages were not passed on, by the reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skips {
    /// Not in the sample.
    pub sampled: u64,
    /// Nothing new in them.
    pub unchanged: u64,
    /// Too soon after another.
    pub throttled: u64,
}

impl Sample {
    /// A random share of so many percent, 0 to 100.
    pub fn percent(percent: f64) -> Self {
        // All of them at 100, whatever is drawn; a conversion does not overflow.
        Self::Share((percent / 100.0 * u64::MAX as f64) as u64)
    }
}

impl Skips {
    pub(super) const fn count(&mut self, skipped: Skipped) {
        match skipped {
            Skipped::Sampled => self.sampled += 1,
            Skipped::Unchanged => self.unchanged += 1,
            Skipped::Throttled => self.throttled += 1,
        }
    }

    /// All of them.
    pub const fn sum(&self) -> u64 {
        self.sampled + self.unchanged + self.throttled
    }
}

impl Select {
    /// Whether all messages are passed on.
    pub const fn is_bare(&self) -> bool {
        self.sample.is_none() && self.on_change.is_none() && self.throttle.is_none()
    }
}

/// What was passed on last of a topic.
#[derive(Debug, Default)]
struct Last {
    at: Option<Instant>,
    /// A hash: that another value has the same one is less likely than that the memory errs.
    value: Option<u64>,
}

/// A selection under way.
#[derive(Debug)]
pub(super) struct Selection<'a> {
    select: &'a Select,
    came: u64,
    topics: PerTopic<Last>,
    hashes: RandomState,
    /// Whether it was told that topics are forgotten.
    told: bool,
    console: Option<Console>,
}

impl<'a> Selection<'a> {
    /// `console`: for what is no message.
    pub(super) fn new(select: &'a Select, console: Option<Console>) -> Self {
        Self {
            select,
            console,
            came: 0,
            topics: PerTopic::new(size_of::<Last>()),
            hashes: RandomState::new(),
            told: false,
        }
    }

    /// Why a message is not passed on, if it is not. `json` gives its body as JSON.
    pub(super) fn skips(
        &mut self,
        message: &Message,
        now: Instant,
        json: impl FnOnce() -> Option<Value>,
    ) -> Option<Skipped> {
        self.came += 1;
        let in_sample = match self.select.sample {
            None => true,
            Some(Sample::Each(number)) => self.came.is_multiple_of(number),
            Some(Sample::Share(share)) => unguessable() <= share,
        };
        if !in_sample {
            return Some(Skipped::Sampled);
        }
        if self.select.on_change.is_none() && self.select.throttle.is_none() {
            return None;
        }
        let value = self.select.on_change.as_ref().map(|what| match what {
            Subject::Payload => self.hashes.hash_one(&*message.payload),
            what => self.hashes.hash_one(what.find(message, json)),
        });
        let last = self.topics.of(&message.topic);
        if value.is_some() && value == last.value {
            return Some(Skipped::Unchanged);
        }
        let again = |limit: Duration| last.at.is_some_and(|at| now < at + limit);
        if self.select.throttle.is_some_and(again) {
            return Some(Skipped::Throttled);
        }
        *last = Last {
            at: Some(now),
            value,
        };
        self.tell();
        None
    }

    /// A connection is lost, and with it the acknowledgement of messages that were passed on: their like is passed on again.
    pub(super) fn lost(&mut self) {
        self.topics.clear();
    }

    /// Says once that not all topics are remembered.
    fn tell(&mut self) {
        if self.topics.forgotten() == 0 || self.told {
            return;
        }
        self.told = true;
        if let Some(console) = &self.console {
            console.warn("too many topics to remember the last message of each; those silent longest are forgotten");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Detail;

    fn message(topic: &'static str, payload: &str) -> Message {
        Message {
            topic: topic.into(),
            payload: payload.to_owned().into(),
            detail: Detail::Plain,
            ..Message::default()
        }
    }

    /// What became of messages with these bodies, one a second, as the letters of the reasons.
    fn judged(select: &Select, messages: &[(&'static str, &str)]) -> String {
        let (mut selection, begun) = (Selection::new(select, None), Instant::now());
        let judge = |(at, (topic, payload)): (usize, &(&'static str, &str))| {
            let message = message(topic, payload);
            let now = begun + Duration::from_secs(at as u64);
            match selection.skips(&message, now, || serde_json::from_str(payload).ok()) {
                None => '.',
                Some(Skipped::Sampled) => 's',
                Some(Skipped::Unchanged) => 'u',
                Some(Skipped::Throttled) => 't',
            }
        };
        messages.iter().enumerate().map(judge).collect()
    }

    #[test]
    fn each_third_is_in_the_sample_and_all_or_nothing_of_a_share() {
        let sample = |sample| Select {
            sample: Some(sample),
            ..Select::default()
        };
        let messages = [("a", "x"); 7];
        assert_eq!(judged(&sample(Sample::Each(3)), &messages), "ss.ss.s");
        assert_eq!(judged(&sample(Sample::Each(1)), &messages), ".......");
        assert_eq!(
            judged(&sample(Sample::Share(u64::MAX)), &messages),
            "......."
        );
        assert_eq!(judged(&sample(Sample::Share(0)), &messages), "sssssss");
    }

    #[test]
    fn only_changes_of_the_same_topic_count() {
        let select = Select {
            on_change: Some(Subject::Payload),
            ..Select::default()
        };
        let messages = [("a", "1"), ("b", "1"), ("a", "1"), ("a", "2"), ("a", "1")];
        assert_eq!(judged(&select, &messages), "..u..");
        let select = Select {
            on_change: Some(Subject::Pointer("/t".into())),
            ..Select::default()
        };
        let messages = [
            ("a", r#"{"t":1,"n":1}"#),
            ("a", r#"{"t":1,"n":2}"#),
            ("a", r#"{"n":3}"#),
            ("a", "no JSON"),
            ("a", r#"{"t":1}"#),
        ];
        assert_eq!(judged(&select, &messages), ".u.u.");
    }

    #[test]
    fn a_topic_is_throttled_by_itself_and_no_change_is_lost() {
        let select = Select {
            throttle: Some(Duration::from_secs(3)),
            ..Select::default()
        };
        let messages = [("a", "1"), ("b", "1"), ("a", "1"), ("a", "1"), ("a", "1")];
        assert_eq!(judged(&select, &messages), "..t.t");
        // What was throttled was not seen, so that it is news later on.
        let select = Select {
            on_change: Some(Subject::Payload),
            throttle: Some(Duration::from_secs(2)),
            ..Select::default()
        };
        let messages = [("a", "1"), ("a", "2"), ("a", "2"), ("a", "2")];
        assert_eq!(judged(&select, &messages), ".t.u");
    }
}
