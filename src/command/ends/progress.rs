//! How far it is: a line from time to time (`--report`), and totals for Prometheus.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant as Clock;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use super::metrics::Metrics;
use crate::error::Result;
use crate::flow::{Backlog, Ledger, Number, Outcome, Progress, Target, Unit};
use crate::message::Message;
use crate::output::Console;

/// What becomes of messages.
pub(super) const OUTCOMES: [&str; 7] = [
    "delivered",
    "duplicate",
    "refused",
    "filtered",
    "expired",
    "dead-lettered",
    "in doubt",
];

/// How many messages there were.
#[derive(Default)]
pub(super) struct Totals {
    /// They came.
    pub(super) taken: u64,
    /// They have one of [`OUTCOMES`].
    pub(super) counts: [u64; OUTCOMES.len()],
    /// With a spool those are of what has left it, and this is what was put into it and waits there.
    pub(super) spooled: Option<(u64, Backlog)>,
}

impl Totals {
    fn count(&mut self, outcome: &Outcome, count: u64) {
        let place = match outcome {
            Outcome::Accepted => 0,
            Outcome::Duplicate => 1,
            Outcome::Refused(_) | Outcome::Dropped(_) => 2,
            Outcome::Filtered => 3,
            Outcome::Expired => 4,
            Outcome::DeadLettered => 5,
            Outcome::InDoubt(_) => 6,
            Outcome::Again(_) => return,
        };
        self.counts[place] += count;
    }

    /// How many have no outcome, of those that a target was handed.
    pub(super) fn open(&self) -> u64 {
        match &self.spooled {
            Some((_, backlog)) => backlog.in_flight,
            None => self.taken.saturating_sub(self.counts.iter().sum()),
        }
    }

    /// The same of what is behind a spool.
    fn with(&self, backlog: Option<Backlog>) -> Self {
        let spooled = backlog.map(|backlog| (self.counts[0], backlog));
        Self {
            taken: self.taken,
            counts: backlog.map_or(self.counts, |backlog| backlog.outcomes),
            spooled,
        }
    }

    /// `received 5: 3 stored, 1 filtered`
    fn line(&self) -> String {
        let [stored, duplicates, refused, filtered, others @ ..] = self.counts;
        let refused = refused + others.iter().sum::<u64>();
        let mut text = match &self.spooled {
            Some((spooled, _)) => format!(
                "received {}: {spooled} spooled, {stored} stored",
                self.taken
            ),
            None => format!("received {}: {stored} stored", self.taken),
        };
        let backlog = self.spooled.map(|(_, backlog)| backlog).unwrap_or_default();
        for (count, what) in [
            (filtered, "filtered"),
            (refused, "refused"),
            (duplicates, "duplicates"),
            (self.open(), "in flight"),
            (backlog.dropped, "dropped"),
            (backlog.messages, "left in the spool"),
        ] {
            if count > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        if backlog.messages > 0 {
            text.push_str(&format!(" ({} bytes)", backlog.bytes));
        }
        text
    }
}

/// A target, of which is told what it has done.
pub(crate) struct Progressing<T> {
    inner: T,
    interval: Option<Interval>,
    metrics: Option<Metrics>,
    console: Console,
    totals: Totals,
    /// What has no outcome.
    ledger: Ledger,
    /// What was stored when the last line was told.
    told: u64,
    every: Duration,
}

impl<T: Target> Progressing<T> {
    /// Tells of `inner`, if that is wanted.
    pub(super) fn new(
        inner: T,
        every: Option<Duration>,
        metrics: Option<Metrics>,
        console: Console,
    ) -> Self {
        let interval = every.map(|every| {
            let mut interval = interval_at(Clock::now() + every, every);
            interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
            interval
        });
        Self {
            inner,
            interval,
            metrics,
            console,
            totals: Totals::default(),
            ledger: Ledger::default(),
            told: 0,
            every: every.unwrap_or_default(),
        }
    }

    pub(crate) fn into_inner(self) -> T {
        self.inner
    }

    /// Whether anybody wants to know.
    const fn counts(&self) -> bool {
        self.interval.is_some() || self.metrics.is_some()
    }

    fn count(&mut self, done: &[Progress]) {
        for progress in done {
            match progress {
                Progress::Through(last) => {
                    let count = self.ledger.finish_through(*last);
                    self.totals.count(&Outcome::Accepted, count);
                }
                Progress::One(_, Outcome::Again(_)) => {}
                Progress::One(number, outcome) => {
                    self.ledger.finish(*number);
                    self.totals.count(outcome, 1);
                }
            }
        }
    }

    fn tell(&mut self) {
        let totals = self.totals.with(self.inner.backlog());
        let stored = totals.counts[0];
        let rate = (stored - self.told) as f64 / self.every.as_secs_f64();
        self.console
            .note(format_args!("{}; {rate:.0}/s", totals.line()));
        self.told = stored;
    }
}

/// Returns when a line is due.
async fn tick(interval: &mut Option<Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}

/// Returns when the page is to be written again.
async fn is_looked_at(metrics: &mut Option<Metrics>) {
    match metrics {
        Some(metrics) => metrics.tick().await,
        None => std::future::pending().await,
    }
}

impl<T: Target> Target for Progressing<T> {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn unit(&self) -> Unit {
        self.inner.unit()
    }

    fn covers(&self, source: usize, message: &Message) -> bool {
        self.inner.covers(source, message)
    }

    fn has_room(&self) -> bool {
        self.inner.has_room()
    }

    fn is_free(&self) -> bool {
        self.inner.is_free()
    }

    fn keeps(&self) -> bool {
        self.inner.keeps()
    }

    fn is_idle(&self) -> bool {
        self.inner.is_idle()
    }

    fn backlog(&self) -> Option<Backlog> {
        self.inner.backlog()
    }

    fn unsent(&self) -> u64 {
        self.inner.unsent()
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        self.totals.taken += 1;
        if self.counts() && number > self.ledger.newest() {
            self.ledger.arrive();
        }
        self.inner.take(number, message)
    }

    fn finish(&mut self) {
        self.inner.finish();
    }

    fn details(&mut self, number: Number) -> Vec<(&'static str, Value)> {
        self.inner.details(number)
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        let known = into.len();
        let driven = tokio::select! {
            biased;
            // First, as a target may always have something to tell.
            () = tick(&mut self.interval) => {
                self.tell();
                None
            }
            () = is_looked_at(&mut self.metrics) => {
                let totals = self.totals.with(self.inner.backlog());
                self.metrics.iter().for_each(|metrics| metrics.show(&totals));
                None
            }
            driven = self.inner.drive(into) => Some(driven),
        };
        if self.counts() {
            self.count(&into[known..]);
            self.ledger.take_settled();
        }
        driven.unwrap_or(Ok(()))
    }
}
