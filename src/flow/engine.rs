//! The one loop: arrivals in, outcomes back, deadlines and signals.

use std::time::{Duration, Instant};

use tokio::time::{Instant as Clock, sleep_until};

use super::stages::fulfils;
use super::until::{self, Until};
use super::{Ledger, Next, Number, Outcome, Progress, Source, Stages, Target};
use crate::error::{Error, Kind, Result};
use crate::message::Message;
use crate::stop::Stop;

/// How long what is under way may take to end after a signal.
const DRAIN: Duration = Duration::from_secs(4);

/// Carries messages until the end that was asked for.
///
/// # Errors
/// Those of the source and of the target; a deadline, a signal, a missed expectation, a refused message.
pub async fn run<S: Source, T: Target>(
    source: &mut S,
    target: &mut T,
    stages: &Stages,
    until: &Until,
    stop: &mut Stop,
) -> Result<()> {
    let now = now();
    let mut flow = Flow {
        source,
        passage: Passage {
            target,
            stages,
            progress: until::Progress::new(until, now),
            now,
            ledger: Ledger::default(),
            outcomes: Vec::new(),
            refused: 0,
            end: None,
        },
    };
    let ended = flow.carry(stop).await;
    flow.settle();
    ended
}

struct Flow<'a, S, T> {
    source: &'a mut S,
    passage: Passage<'a, T>,
}

/// The way of messages to their target.
struct Passage<'a, T> {
    target: &'a mut T,
    stages: &'a Stages,
    progress: until::Progress<'a>,
    /// When the loop last woke.
    now: Instant,
    ledger: Ledger,
    /// What became of single arrivals, until the source is told.
    outcomes: Vec<(Number, Outcome)>,
    /// Messages that the target did not want.
    refused: u64,
    /// How the flow ends, once what is under way has ended.
    end: Option<Result<()>>,
}

/// What woke the loop.
enum Woken {
    Source,
    Target(Progress),
    Time,
}

impl<S: Source, T: Target> Flow<'_, S, T> {
    async fn carry(&mut self, stop: &mut Stop) -> Result<()> {
        loop {
            if self.passage.end.is_some() && self.passage.target.is_idle() {
                self.settle();
                return self.passage.verdict();
            }
            let woken = self.turn(stop).await?;
            self.passage.now = now();
            match woken {
                Woken::Source => self.take_in()?,
                Woken::Target(progress) => {
                    self.passage.count(progress);
                    self.settle();
                    self.take_in()?;
                }
                Woken::Time => self.time_passed()?,
            }
        }
    }

    /// Waits for whatever comes next.
    async fn turn(&mut self, stop: &mut Stop) -> Result<Woken> {
        let deadline = match self.passage.end {
            None => self.passage.progress.deadline(),
            // Only a failure is worth an interruption of what is under way.
            Some(_) => self.passage.progress.fails_at(),
        };
        let (source, target) = (&mut *self.source, &mut *self.passage.target);
        let reading = self.passage.end.is_none() && target.is_free();
        let received = async {
            match reading {
                true => source.drive().await.map(|()| Woken::Source),
                false => Err(source.hold().await),
            }
        };
        let taken = async {
            if !target.is_idle() {
                return target.drive().await.map(Woken::Target);
            }
            target.gone().await;
            let text = "nobody reads our output any more";
            Err(Error::new(Kind::ReaderGone, text))
        };
        let asked = tokio::select! {
            biased;
            asked = stop.asked() => asked,
            woken = taken => return woken,
            woken = received => return woken,
            () = sleep_until(deadline.unwrap_or_else(now).into()), if deadline.is_some() => return Ok(Woken::Time),
        };
        stop.unless_again(self.drain()).await?;
        Err(Error::new(
            asked.kind(),
            self.passage.progress.interrupted(),
        ))
    }

    /// Lets what is under way end, within a time.
    async fn drain(&mut self) -> Result<()> {
        let end = now() + DRAIN;
        while !self.passage.target.is_idle() {
            tokio::select! {
                biased;
                progress = self.passage.target.drive() => {
                    self.passage.count(progress?);
                    self.settle();
                }
                error = self.source.hold() => return Err(error),
                () = sleep_until(end.into()) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Takes what the source has, for as long as there is room for it.
    fn take_in(&mut self) -> Result<()> {
        let passage = &mut self.passage;
        if passage.wants_more() {
            self.source.take(|next| passage.arrive(next))?;
        }
        if self.passage.target.is_idle() {
            self.settle();
        }
        Ok(())
    }

    /// Tells the source of what is done with, in order.
    fn settle(&mut self) {
        for (number, outcome) in self.passage.outcomes.drain(..) {
            self.source.settle_one(number, outcome);
        }
        let settled = self.passage.ledger.take_settled();
        if settled > 0 {
            self.source.settle(settled);
        }
    }

    fn time_passed(&mut self) -> Result<()> {
        let awaits = self.source.awaits();
        match self
            .passage
            .progress
            .time_passed(self.passage.now, awaits.as_deref())
        {
            Some(Err(error)) => Err(error),
            Some(Ok(())) if self.passage.end.is_none() => {
                self.passage.end = Some(Ok(()));
                Ok(())
            }
            Some(Ok(())) | None => Ok(()),
        }
    }
}

impl<T: Target> Passage<'_, T> {
    /// Whether there is room for another message that is wanted.
    #[inline]
    fn wants_more(&self) -> bool {
        self.end.is_none() && self.target.has_room()
    }

    /// Takes what came from the source; whether more is wanted.
    #[inline]
    fn arrive(&mut self, next: Next) -> Result<bool> {
        match next {
            Next::Message(message) => self.message(message)?,
            Next::Skipped => {
                let number = self.ledger.arrive();
                self.ledger.finish(number);
            }
            Next::Lost => self.ledger.forget(),
            Next::End(end) => self.end = Some(end),
        }
        Ok(self.wants_more())
    }

    #[inline]
    fn message(&mut self, message: Message) -> Result<()> {
        let number = self.ledger.arrive();
        if !self.stages.pass(&message) {
            self.finish(number, Outcome::Filtered);
            return Ok(());
        }
        self.progress
            .pass(self.now, |until| fulfils(until, &message));
        let checked = self.stages.check(&message);
        self.target.take(number, message)?;
        if checked.is_err() || self.progress.is_complete() {
            self.end = Some(checked.and_then(|()| self.progress.verdict()));
        }
        Ok(())
    }

    fn count(&mut self, progress: Progress) {
        match progress {
            Progress::Through(number) => self.ledger.finish_through(number),
            Progress::One(number, outcome) => {
                self.refused += u64::from(outcome != Outcome::Accepted);
                self.finish(number, outcome);
            }
        }
    }

    fn finish(&mut self, number: Number, outcome: Outcome) {
        if self.ledger.finish(number) {
            self.outcomes.push((number, outcome));
        }
    }

    /// How the flow ended; messages that the target refused make a good end a failure.
    fn verdict(&mut self) -> Result<()> {
        match (self.end.take().unwrap_or(Ok(())), self.refused) {
            (Ok(()), refused @ 1..) => Err(Error::new(
                Kind::Refused,
                format!(
                    "the command failed for {refused} of {}",
                    until::messages(self.progress.passed())
                ),
            )),
            (end, _) => end,
        }
    }
}

/// The runtime's clock, which tests stop and set.
fn now() -> Instant {
    Clock::now().into_std()
}

#[cfg(test)]
mod tests;
