//! The one loop: arrivals in, outcomes back, deadlines and signals.

mod passage;

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokio::task::yield_now;
use tokio::time::sleep_until;

use self::passage::Passage;
use super::until::Until;
use super::{Account, Progress, Source, Stages, Target};
use crate::error::{Error, Kind, Result};
use crate::output::Console;
use crate::pace::alarm::now;
use crate::stop::{Asked, Stop};

/// After so many turns the runtime looks at signals and timers in any case.
const YIELD_EVERY: u32 = 16;

/// After so many turns of a target that always has something to do, the source goes on too.
const OFTEN: u32 = 16;

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
    carry(source, target, stages, until, stop).await.0
}

/// As [`run()`], and says in one line at the end what became of all that came.
///
/// # Errors
/// Those of [`run()`]; [`Kind::Lost`] for an account that does not add up.
pub async fn pass<S: Source, T: Target>(
    source: &mut S,
    target: &mut T,
    stages: &Stages,
    until: &Until,
    stop: &mut Stop,
    console: Console,
) -> Result<()> {
    let summary = |account: &Account, target: &T| account.summary(target.keeps());
    pass_as(source, target, stages, until, stop, (console, summary)).await
}

/// The same with another line.
///
/// # Errors
/// Those of [`pass()`].
pub async fn pass_as<S: Source, T: Target>(
    source: &mut S,
    target: &mut T,
    stages: &Stages,
    until: &Until,
    stop: &mut Stop,
    (console, summary): (Console, impl FnOnce(&Account, &T) -> Result<String>),
) -> Result<()> {
    let (ended, account) = carry(source, target, stages, until, stop).await;
    account.tell_reasons(console);
    console.note(summary(&account, target)?);
    ended
}

/// As [`run()`], and what became of all that came.
pub(super) async fn carry<S: Source, T: Target>(
    source: &mut S,
    target: &mut T,
    stages: &Stages,
    until: &Until,
    stop: &mut Stop,
) -> (Result<()>, Account) {
    let mut flow = Flow::new(source, target, stages, until);
    let ended = flow.carry(stop).await;
    flow.settle();
    let mut passage = flow.passage;
    let ended = ended.and_then(|()| passage.verdict());
    let ended = passage.findings.end(ended, passage.now);
    passage.account.received = passage.ledger.newest();
    (ended, passage.account)
}

/// Sends all that the source has, unless `until` ends it before, and accounts for every message.
///
/// # Errors
/// Those of the source and of the target; a deadline, a signal; a message that did not arrive. The numbers are in the text.
pub async fn send<S: Source, T: Target>(
    source: &mut S,
    target: &mut T,
    until: &Until,
    stop: &mut Stop,
) -> Result<()> {
    deliver(source, target, until, stop).await.0
}

/// As [`send()`], and how many messages the target has.
pub async fn deliver<S: Source, T: Target>(
    source: &mut S,
    target: &mut T,
    until: &Until,
    stop: &mut Stop,
) -> (Result<()>, u64) {
    let stages = Stages::default();
    let mut flow = Flow::new(source, target, &stages, until);
    let ended = flow.carry(stop).await;
    let (timed_out, nothing) = (flow.passage.timed_out, flow.passage.ledger.newest() == 0);
    let ended = ended.map_err(|error| match error.kind() {
        kind if Asked::of(kind).is_some() => Error::new(kind, "interrupted"),
        kind @ Kind::TimedOut if timed_out && nothing => {
            let name = flow.passage.target.name();
            Error::new(kind, format!("timed out: nothing was sent to {name}"))
        }
        kind @ Kind::TimedOut if timed_out => Error::new(kind, "timed out"),
        _ => error,
    });
    flow.settle();
    let (mut account, target) = (flow.passage.account, flow.passage.target);
    // What the target has taken and not sent is as good as never handed over.
    let unsent = target.unsent();
    account.unit = target.unit();
    account.received = flow.passage.ledger.newest() - unsent;
    account.unsent = flow.source.unsent() + unsent;
    (account.verdict(ended, &target.name()), account.delivered)
}

struct Flow<'a, S, T> {
    source: &'a mut S,
    passage: Passage<'a, T>,
    /// What the target has done and was not looked at.
    done: Vec<Progress>,
    /// Whether the source is gone, and its connection with it.
    failed: bool,
    /// How many turns there were since the source was last known to be read from.
    unread: u32,
}

/// What woke the loop.
enum Woken {
    Source,
    Target,
    Time,
    /// The source has failed for good.
    Failed(Error),
    /// The target has.
    Ended(Error),
}

impl<'a, S: Source, T: Target> Flow<'a, S, T> {
    fn new(source: &'a mut S, target: &'a mut T, stages: &'a Stages, until: &'a Until) -> Self {
        let passage = Passage::new(target, stages, until);
        Self {
            source,
            passage,
            done: Vec::new(),
            failed: false,
            unread: 0,
        }
    }

    async fn carry(&mut self, stop: &mut Stop) -> Result<()> {
        stop.allow(self.passage.drain);
        let mut turns = 0_u32;
        loop {
            turns = turns.wrapping_add(1);
            if turns.is_multiple_of(YIELD_EVERY) {
                // Where both sides are always ready, nobody would look at signals and timers.
                yield_now().await;
            }
            if self.passage.left || self.passage.is_over() {
                self.settle();
                return self.passage.end.take().unwrap_or(Ok(()));
            }
            let listening = self.passage.listens();
            let woken = self.turn(listening, stop).await;
            self.passage.now = now();
            if !listening {
                self.passage.progress.not_silent(self.passage.now);
            }
            if !listening || self.has_no_messages() {
                self.passage.progress.not_without(self.passage.now);
            }
            let all_known = !self.done.is_empty() && !self.done.iter().any(Progress::is_in_doubt);
            self.count()?;
            let woken = match woken? {
                // An end that came with the last outcomes matters only to whoever has more to send.
                Woken::Ended(error) if all_known && !self.has_open() => {
                    self.take_in()?;
                    if self.has_open() || !self.passage.is_over() {
                        return Err(error);
                    }
                    continue;
                }
                Woken::Ended(error) => return Err(error),
                Woken::Target if self.unread >= OFTEN && self.passage.reads_on() => {
                    self.glance().await
                }
                woken => woken,
            };
            self.unread = self.unread.saturating_add(1);
            match woken {
                Woken::Target | Woken::Ended(_) => self.take_in()?,
                Woken::Source => {
                    self.unread = 0;
                    self.take_in()?;
                }
                Woken::Time => self.time_passed()?,
                Woken::Failed(error) => {
                    // What came in the same read as the end is there all the same.
                    self.take_in()?;
                    self.passage.fail(error);
                    self.failed = true;
                }
            }
        }
    }

    /// Whether anything has no outcome yet.
    fn has_open(&self) -> bool {
        self.passage.ledger.open() > 0 || !self.passage.again.is_empty()
    }

    /// Whether no message can have come yet, where that matters.
    fn has_no_messages(&self) -> bool {
        self.passage.progress.counts_messages() && self.source.awaits().is_some()
    }

    /// Waits for whatever comes next.
    async fn turn(&mut self, listening: bool, stop: &mut Stop) -> Result<Woken> {
        let deadline = self.passage.deadline(listening);
        let (at, ending) = (
            deadline.unwrap_or_else(now).into(),
            self.passage.end.is_some(),
        );
        let (reading, failed) = (self.passage.reads_on(), self.failed);
        let both = self.unread >= OFTEN;
        let (source, target) = (&mut *self.source, &mut *self.passage.target);
        let received = async {
            match reading {
                true => match source.drive().await {
                    Ok(()) => Ok(Woken::Source),
                    Err(error) => Ok(Woken::Failed(error)),
                },
                false if failed => pending().await,
                false => Err(source.hold().await),
            }
        };
        let asked = tokio::select! {
            biased;
            asked = stop.asked() => asked,
            // Before both sides, which always have something where a server floods; once nothing more is taken, what has ended
            // in time counts however late we are.
            () = sleep_until(at), if deadline.is_some() && !ending => return Ok(Woken::Time),
            woken = either(target.drive(&mut self.done), received, both) => return woken,
            () = sleep_until(at), if deadline.is_some() => return Ok(Woken::Time),
        };
        stop.unless_again(self.drain()).await?;
        Err(Error::new(
            asked.kind(),
            self.passage.progress.interrupted(),
        ))
    }

    /// Polls the source once, now that there is room: of several one may have had enough in stock to fill it each time, while
    /// another has yet to connect.
    async fn glance(&mut self) -> Woken {
        self.unread = 0;
        let polled = poll_fn(|context| Poll::Ready(pin!(self.source.drive()).poll(context)));
        match polled.await {
            Poll::Ready(Err(error)) => Woken::Failed(error),
            Poll::Ready(Ok(())) | Poll::Pending => Woken::Target,
        }
    }

    /// Lets what is under way end, within a time; whether more could have been done counts no more, but for what cannot be
    /// written here.
    async fn drain(&mut self) -> Result<()> {
        let end = now() + self.passage.drain;
        let end = self
            .passage
            .progress
            .fails_at()
            .map_or(end, |it| it.min(end));
        self.passage.target.finish();
        let mut connected = true;
        while !self.passage.target.is_idle() {
            let driven = tokio::select! {
                biased;
                driven = self.passage.target.drive(&mut self.done) => driven,
                () = sleep_until(end.into()) => return Ok(()),
                // What is under way ends all the same; the server delivers it again.
                _ = self.source.hold(), if connected => {
                    connected = false;
                    continue;
                }
            };
            self.count()?;
            self.settle();
            match driven {
                Ok(()) => {}
                Err(error) if error.kind() == Kind::Local => return Err(error),
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Takes what the source has, for as long as there is room for it; what comes again goes first.
    fn take_in(&mut self) -> Result<()> {
        let passage = &mut self.passage;
        passage.send_again()?;
        if passage.wants_more() {
            self.source.take(|next| passage.arrive(next))?;
        }
        if self.passage.target.is_idle() {
            self.settle();
        }
        Ok(())
    }

    /// Counts what the target has done, and tells the source of it.
    fn count(&mut self) -> Result<()> {
        if self.done.is_empty() {
            return Ok(());
        }
        self.passage.count(&mut self.done);
        self.settle();
        Ok(())
    }

    /// Tells the source of what is done with, in order.
    fn settle(&mut self) {
        for (number, fate) in self.passage.fates.drain(..) {
            self.source.settle_one(number, fate);
        }
        let settled = self.passage.ledger.take_settled();
        if settled > 0 {
            self.source.settle(settled);
        }
    }

    fn time_passed(&mut self) -> Result<()> {
        let awaits = self
            .source
            .awaits()
            .map(|what| match self.passage.target.is_free() {
                true => what,
                false => format!("{} takes no messages", self.passage.target.name()),
            });
        self.passage.time_passed(awaits.as_deref())
    }
}

/// Waits for one of the two sides, the target first. Polling both in each turn would read on after the last message that is
/// wanted.
async fn either(
    driven: impl Future<Output = Result<()>>,
    received: impl Future<Output = Result<Woken>>,
    both: bool,
) -> Result<Woken> {
    let (mut driven, mut received) = (pin!(driven), pin!(received));
    poll_fn(|context| {
        let target = driven.as_mut().poll(context).map(|driven| match driven {
            Ok(()) => Woken::Target,
            Err(error) => Woken::Ended(error),
        });
        if matches!(target, Poll::Ready(Woken::Ended(_))) || target.is_ready() && !both {
            return target.map(Ok);
        }
        match received.as_mut().poll(context) {
            Poll::Pending => target.map(Ok),
            woken @ Poll::Ready(_) => woken,
        }
    })
    .await
}

#[cfg(test)]
mod tests;
