//! How far it is: a line from time to time (`--report`), and totals for Prometheus.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant as Clock;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use super::metrics::Metrics;
use crate::error::Result;
use crate::flow::{Ledger, Number, Outcome, Progress, Target, Unit};
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
            Outcome::InDoubt => 6,
            Outcome::Again(_) => return,
        };
        self.counts[place] += count;
    }

    /// How many have no outcome.
    pub(super) fn open(&self) -> u64 {
        self.taken.saturating_sub(self.counts.iter().sum())
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
        let [stored, duplicates, refused, filtered, others @ ..] = self.totals.counts;
        let refused = refused + others.iter().sum::<u64>();
        let new = stored - self.told;
        let rate = new as f64 / self.every.as_secs_f64();
        let (taken, open) = (self.totals.taken, self.totals.open());
        let mut text = format!("received {taken}: {stored} stored");
        for (count, what) in [
            (filtered, "filtered"),
            (refused, "refused"),
            (duplicates, "duplicates"),
            (open, "in flight"),
        ] {
            if count > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        self.console.note(format_args!("{text}; {rate:.0}/s"));
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

/// Returns once the page was written again.
async fn looked(metrics: &mut Option<Metrics>, totals: &Totals) {
    match metrics {
        Some(metrics) => {
            metrics.tick().await;
            metrics.show(totals);
        }
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

    fn is_idle(&self) -> bool {
        self.inner.is_idle()
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
            () = looked(&mut self.metrics, &self.totals) => None,
            driven = self.inner.drive(into) => Some(driven),
        };
        if self.counts() {
            self.count(&into[known..]);
            self.ledger.take_settled();
        }
        driven.unwrap_or(Ok(()))
    }
}
