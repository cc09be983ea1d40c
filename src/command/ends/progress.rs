//! A line from time to time that tells how far it is (`--report`).

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant as Clock;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use crate::error::Result;
use crate::flow::{Ledger, Number, Outcome, Progress, Target, Unit};
use crate::message::Message;
use crate::output::Console;

/// A target, of which is told what it has done.
pub(crate) struct Progressing<T> {
    inner: T,
    interval: Option<Interval>,
    console: Console,
    taken: u64,
    /// What has no outcome.
    ledger: Ledger,
    stored: u64,
    refused: u64,
    duplicates: u64,
    /// What was stored when the last line was told.
    told: u64,
    every: Duration,
}

impl<T: Target> Progressing<T> {
    /// Tells of `inner`, if that is wanted.
    pub(crate) fn new(inner: T, every: Option<Duration>, console: Console) -> Self {
        let interval = every.map(|every| {
            let mut interval = interval_at(Clock::now() + every, every);
            interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
            interval
        });
        Self {
            inner,
            interval,
            console,
            taken: 0,
            ledger: Ledger::default(),
            stored: 0,
            refused: 0,
            duplicates: 0,
            told: 0,
            every: every.unwrap_or_default(),
        }
    }

    pub(crate) fn into_inner(self) -> T {
        self.inner
    }

    fn count(&mut self, done: &[Progress]) {
        for progress in done {
            match progress {
                Progress::Through(last) => self.stored += self.ledger.finish_through(*last),
                Progress::One(_, Outcome::Again(_)) => {}
                Progress::One(number, outcome) => {
                    self.ledger.finish(*number);
                    match outcome {
                        Outcome::Accepted => self.stored += 1,
                        Outcome::Duplicate => self.duplicates += 1,
                        _ => self.refused += 1,
                    }
                }
            }
        }
    }

    fn tell(&mut self) {
        let new = self.stored - self.told;
        let rate = new as f64 / self.every.as_secs_f64();
        let (taken, stored) = (self.taken, self.stored);
        let open = taken.saturating_sub(stored + self.refused + self.duplicates);
        let mut text = format!("received {taken}: {stored} stored");
        for (count, what) in [
            (self.refused, "refused"),
            (self.duplicates, "duplicates"),
            (open, "in flight"),
        ] {
            if count > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        self.console.note(format_args!("{text}; {rate:.0}/s"));
        self.told = self.stored;
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
        self.taken += 1;
        if self.interval.is_some() && number > self.ledger.newest() {
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
            () = tick(&mut self.interval) => None,
            driven = self.inner.drive(into) => Some(driven),
        };
        if self.interval.is_some() {
            self.count(&into[known..]);
            self.ledger.take_settled();
        }
        match driven {
            Some(driven) => driven,
            None => {
                self.tell();
                Ok(())
            }
        }
    }
}
