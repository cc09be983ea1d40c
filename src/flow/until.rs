//! When a flow ends: after a number of messages, at a time, in silence, or at a message that fulfils a condition.
//!
//! The rules, which are the same for every command:
//!
//! | what | when | what is under way (running commands, acknowledgements that are awaited) |
//! |---|---|---|
//! | `-C`, `--until`, a missed `--expect`, the source's own end | at that message | is waited for, for as long as `--for` and `-W` allow |
//! | `--for` | so long after the beginning | gets the time of `--drain`, also where `-C` came first; then the flow fails |
//! | `--idle` | when nothing arrived for so long | there is nothing under way then |
//! | `--message-timeout` | when no message passed for so long | there is nothing under way then: the flow fails |
//! | `-W` | so long after the beginning | is given up at once: the flow fails |
//! | the first signal | at once | gets the time of `--drain`, and no longer than `-W` |
//! | the second signal | at once | is given up at once, running commands are killed |
//!
//! - Whether an end by the clock is a success is judged once what was under way has ended: `--for` and `--idle` are failures
//!   where `-C` or `--until` is not fulfilled or the source has no connection to its messages at that time: what was asked
//!   for was to listen until then, and the silence of an outage is not that of a peer.
//! - Silence counts only while the source is read and nothing is under way: the time that our own commands take is not the
//!   silence of others. Whatever arrives ends it, also what is filtered out. For `--message-timeout` only messages count that
//!   pass the filters, and no time before the source came to its messages.
//! - `-C` counts a message once: one that is delivered again after a lost connection was counted when it came first.

use std::time::{Duration, Instant};

use crate::error::{Error, Kind, Result, counted};
use crate::payload::expect::Condition;

/// What was asked for; nothing: for ever.
#[derive(Clone, Debug, Default)]
pub struct Until {
    /// End after so many messages; at least 1 (`-C`).
    pub count: Option<u64>,
    /// Fail after this long (`-W`, `--timeout`).
    pub timeout: Option<Duration>,
    /// End after this long: a success (`--for`).
    pub duration: Option<Duration>,
    /// End when nothing came for this long: a success (`--idle`).
    pub idle: Option<Duration>,
    /// Fail when no message passed the filters for this long (`--message-timeout`).
    pub message_timeout: Option<Duration>,
    /// How long what is under way may take to end after a signal or `--for` (`--drain`); otherwise
    /// [`DRAIN`](crate::stop::DRAIN).
    pub drain: Option<Duration>,
    /// End at a message that fulfils this; any other end is a failure (`--until`).
    pub until: Option<Condition>,
}

/// How far a flow is on its way to its end.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    until: &'a Until,
    began: Instant,
    /// Since when nothing arrived although it could have.
    silent_since: Instant,
    /// Since when no message passed although one could have.
    without_since: Instant,
    passed: u64,
    reached: bool,
}

impl<'a> Progress<'a> {
    /// The condition at which it ends.
    pub(super) const fn condition(&self) -> Option<&'a Condition> {
        self.until.until.as_ref()
    }

    /// A flow that begins now.
    pub(crate) const fn new(until: &'a Until, now: Instant) -> Self {
        Self {
            until,
            began: now,
            silent_since: now,
            without_since: now,
            passed: 0,
            reached: false,
        }
    }

    /// How many messages passed.
    pub(crate) const fn passed(&self) -> u64 {
        self.passed
    }

    /// Something arrived, or nothing could have: silence begins anew.
    #[inline]
    pub(crate) const fn not_silent(&mut self, now: Instant) {
        self.silent_since = now;
    }

    /// A message passed the filters, or none could have.
    #[inline]
    pub(crate) const fn not_without(&mut self, now: Instant) {
        self.without_since = now;
    }

    /// Whether it matters if the source has come to its messages.
    pub(crate) const fn counts_messages(&self) -> bool {
        self.until.message_timeout.is_some()
    }

    /// A message passed; `again`: it did so before, over a connection that was lost. `fulfils` says whether it fulfils a
    /// condition.
    #[inline]
    pub(crate) fn pass(&mut self, again: bool, fulfils: impl FnOnce(&Condition) -> bool) {
        self.passed += u64::from(!again);
        self.reached |= self.until.until.as_ref().is_some_and(fulfils);
    }

    /// Whether no further message is wanted.
    #[inline]
    pub(crate) fn is_complete(&self) -> bool {
        self.reached || self.until.count == Some(self.passed)
    }

    /// When [`Progress::time_passed`] has something to say; `None`: never. `listening`: something could arrive, and nothing
    /// is under way.
    pub(crate) fn deadline(&self, listening: bool) -> Option<Instant> {
        let idle = self.until.idle.filter(|_| listening);
        let without = self.until.message_timeout.filter(|_| listening);
        let ends = [
            self.fails_at(),
            self.ends_at(),
            idle.map(|limit| self.silent_since + limit),
            without.map(|limit| self.without_since + limit),
        ];
        ends.into_iter().flatten().min()
    }

    /// When the flow has failed, whatever is still under way; `None`: never.
    pub(crate) fn fails_at(&self) -> Option<Instant> {
        self.until.timeout.map(|limit| self.began + limit)
    }

    /// When nothing more is wanted, whatever came; `None`: never.
    pub(crate) fn ends_at(&self) -> Option<Instant> {
        self.until.duration.map(|limit| self.began + limit)
    }

    /// How the flow ends at this time, if it does. `awaits` is what the source still waits for before messages can come.
    pub(crate) fn time_passed(&self, now: Instant, awaits: Option<&str>) -> Option<Result<()>> {
        let over = |limit: Option<Duration>, since: Instant| {
            limit.is_some_and(|limit| now >= since + limit)
        };
        if over(self.until.timeout, self.began) {
            return Some(Err(self.timed_out(awaits)));
        }
        if over(self.until.message_timeout, self.without_since) {
            return Some(Err(self.without_messages()));
        }
        if !over(self.until.duration, self.began) && !over(self.until.idle, self.silent_since) {
            return None;
        }
        Some(match awaits {
            Some(_) => Err(self.timed_out(awaits)),
            None => self.enough(),
        })
    }

    /// The end of a flow before its count was reached, where there is one.
    ///
    /// # Errors
    /// [`Kind::TimedOut`]: messages are missing; those of [`Self::verdict`].
    pub(crate) fn enough(&self) -> Result<()> {
        match self.until.count {
            Some(count) => {
                let text = format!("received {} of {count} messages", self.passed);
                Err(self.late(text))
            }
            None => self.verdict(),
        }
    }

    /// The end of a flow that got what it was to get: a failure where no message fulfilled `--until`.
    ///
    /// # Errors
    /// [`Kind::Missed`].
    pub(crate) fn verdict(&self) -> Result<()> {
        match &self.until.until {
            Some(until) if !self.reached => {
                let text = format!(
                    "{}, but none met the condition {until}",
                    messages(self.passed)
                );
                Err(Error::new(Kind::Missed, text))
            }
            _ => Ok(()),
        }
    }

    fn timed_out(&self, awaits: Option<&str>) -> Error {
        let text = match (awaits, self.until.count) {
            (Some(what), _) => format!("timed out: {what}"),
            (None, Some(count)) => {
                format!("timed out: received {} of {count} messages", self.passed)
            }
            (None, None) => format!("timed out after {}", messages(self.passed)),
        };
        match awaits {
            Some(_) => Error::new(Kind::TimedOut, text),
            None => self.late(text),
        }
    }

    /// An end before its time, and what else was waited for.
    fn late(&self, text: String) -> Error {
        let text = match &self.until.until {
            Some(until) if !self.reached => format!("{text}, and none met the condition {until}"),
            _ => text,
        };
        Error::new(Kind::TimedOut, text)
    }

    fn without_messages(&self) -> Error {
        let limit = self.until.message_timeout.unwrap_or_default();
        let text = format!(
            "timed out: no message for {}, after {}",
            humantime::format_duration(limit),
            messages(self.passed)
        );
        self.late(text)
    }

    /// The words for a flow that a signal ended.
    pub(crate) fn interrupted(&self) -> String {
        match self.until.count {
            Some(count) => format!("interrupted: received {} of {count} messages", self.passed),
            None => format!("interrupted after {}", messages(self.passed)),
        }
    }
}

/// `1 message`, `2 messages`.
pub(crate) fn messages(count: u64) -> String {
    counted(count, "message")
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ended(progress: &Progress<'_>, now: Instant, awaits: Option<&str>) -> Option<(u8, String)> {
        progress.time_passed(now, awaits).map(|end| match end {
            Ok(()) => (0, String::new()),
            Err(error) => (error.exit_code(), error.text().to_owned()),
        })
    }

    #[test]
    fn a_timeout_fails_and_a_duration_succeeds() {
        let now = Instant::now();
        let until = Until {
            timeout: Some(3 * SECOND),
            duration: Some(2 * SECOND),
            ..Until::default()
        };
        let progress = Progress::new(&until, now);
        assert_eq!(progress.deadline(true), Some(now + 2 * SECOND));
        assert_eq!(ended(&progress, now + SECOND, None), None);
        assert_eq!(
            ended(&progress, now + 2 * SECOND, None),
            Some((0, String::new()))
        );
        assert_eq!(
            ended(&progress, now + 3 * SECOND, None),
            Some((5, String::from("timed out after 0 messages")))
        );
        assert_eq!(
            ended(&progress, now + 2 * SECOND, Some("no connection to x")),
            Some((5, String::from("timed out: no connection to x")))
        );
    }

    #[test]
    fn messages_may_be_missed_although_something_came() {
        let now = Instant::now();
        let until = Until {
            message_timeout: Some(3 * SECOND),
            idle: Some(20 * SECOND),
            ..Until::default()
        };
        let mut progress = Progress::new(&until, now);
        assert_eq!(progress.deadline(false), None);
        assert_eq!(progress.deadline(true), Some(now + 3 * SECOND));
        progress.not_without(now + SECOND);
        progress.pass(false, |_| false);
        progress.not_silent(now + 3 * SECOND);
        assert_eq!(ended(&progress, now + 3 * SECOND, None), None);
        let words = "timed out: no message for 3s, after 1 message";
        assert_eq!(
            ended(&progress, now + 4 * SECOND, None),
            Some((5, String::from(words)))
        );
    }

    #[test]
    fn a_count_that_is_not_reached_is_a_failure() {
        let now = Instant::now();
        let until = Until {
            count: Some(2),
            duration: Some(SECOND),
            ..Until::default()
        };
        let mut progress = Progress::new(&until, now);
        progress.pass(false, |_| false);
        assert!(!progress.is_complete());
        assert_eq!(
            ended(&progress, now + SECOND, None),
            Some((5, String::from("received 1 of 2 messages")))
        );
        assert_eq!(
            progress.interrupted(),
            "interrupted: received 1 of 2 messages"
        );
        progress.pass(false, |_| false);
        assert!(progress.is_complete() && progress.verdict().is_ok());
    }

    #[test]
    fn a_condition_ends_it_and_its_absence_is_a_failure() {
        let now = Instant::now();
        let until = Until {
            until: Some("payload == on".parse().unwrap()),
            idle: Some(SECOND),
            ..Until::default()
        };
        let mut progress = Progress::new(&until, now);
        progress.pass(false, |_| false);
        let missed = progress.verdict().unwrap_err();
        assert_eq!(
            (missed.exit_code(), missed.text()),
            (7, "1 message, but none met the condition payload == on")
        );
        progress.pass(false, |_| true);
        assert!(progress.is_complete() && progress.verdict().is_ok());
    }

    #[test]
    fn a_timeout_names_the_condition_that_no_message_met() {
        let now = Instant::now();
        let until = Until {
            until: Some("payload == on".parse().unwrap()),
            timeout: Some(SECOND),
            ..Until::default()
        };
        let mut progress = Progress::new(&until, now);
        progress.pass(false, |_| false);
        let words = "timed out after 1 message, and none met the condition payload == on";
        assert_eq!(
            ended(&progress, now + SECOND, None),
            Some((5, String::from(words)))
        );
        assert_eq!(
            ended(&progress, now + SECOND, Some("no answer")),
            Some((5, String::from("timed out: no answer")))
        );
    }

    #[test]
    fn silence_counts_from_the_last_message() {
        let now = Instant::now();
        let until = Until {
            idle: Some(SECOND),
            ..Until::default()
        };
        let mut progress = Progress::new(&until, now - 10 * SECOND);
        progress.not_silent(now);
        assert_eq!(progress.deadline(false), None);
        let deadline = progress.deadline(true).unwrap();
        assert_eq!(deadline, now + SECOND);
        assert_eq!(ended(&progress, deadline, None), Some((0, String::new())));
    }

    #[test]
    fn what_comes_again_after_a_lost_connection_counts_once() {
        let until = Until {
            count: Some(4),
            ..Until::default()
        };
        let mut progress = Progress::new(&until, Instant::now());
        for again in [false, false, true, true, false] {
            progress.pass(again, |_| false);
        }
        assert!(!progress.is_complete());
        progress.pass(false, |_| false);
        assert!(progress.is_complete());
    }

    /// On a virtual clock, for any ends and any messages: before the deadline nothing ends, at the deadline something does,
    /// and the earliest failure is one of them.
    #[test]
    fn the_deadline_is_when_something_ends() {
        let random = RandomState::new();
        for seed in 0..2000_u64 {
            let draw = |what: u64, below: u64| random.hash_one((seed, what)) % below;
            let time =
                |what: u64| (draw(what, 2) == 0).then(|| SECOND * (1 + draw(what + 1, 9) as u32));
            let until = Until {
                count: (draw(0, 2) == 0).then(|| 1 + draw(1, 9)),
                timeout: time(2),
                duration: time(4),
                idle: time(6),
                ..Until::default()
            };
            let began = Instant::now();
            let mut progress = Progress::new(&until, began);
            let (mut now, mut last) = (began, began);
            for step in 0..draw(8, 20) {
                let next = now + SECOND.mul_f64(draw(100 + step, 300) as f64 / 100.0);
                match progress.deadline(true) {
                    Some(deadline) if deadline <= next => {
                        assert_eq!(
                            ended(&progress, deadline - Duration::from_nanos(1), None),
                            None
                        );
                        let (code, _) = ended(&progress, deadline, None).expect("an end");
                        let failed = until.timeout.is_some_and(|it| deadline >= began + it);
                        assert_eq!(code == 5, failed || until.count.is_some());
                        break;
                    }
                    deadline => {
                        let ends = [until.timeout, until.duration, until.idle];
                        assert_eq!(deadline.is_none(), ends.iter().all(Option::is_none));
                        assert_eq!(progress.fails_at(), until.timeout.map(|it| began + it));
                    }
                }
                now = next;
                progress.not_silent(now);
                progress.pass(false, |_| false);
                last = last.max(now);
                if progress.is_complete() {
                    assert_eq!(until.count, Some(progress.passed()));
                    break;
                }
                let idle = until.idle.map(|it| last + it);
                assert!(
                    idle.is_none_or(|idle| progress.deadline(true).is_some_and(|it| it <= idle))
                );
            }
        }
    }
}
