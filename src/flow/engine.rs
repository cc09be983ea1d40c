//! The one loop: arrivals in, outcomes back, deadlines and signals.

use std::time::{Duration, Instant, SystemTime};

use tokio::task::yield_now;
use tokio::time::{Instant as Clock, sleep_until};

use super::findings::Findings;
use super::resend::{Resend, twice};
use super::select::Selection;
use super::until::{self, Until};
use super::{Account, Fate, Ledger, Next, Number, Outcome, Progress, Source, Stages, Target};
use crate::error::{Error, Kind, Result};
use crate::message::Message;
use crate::output::Console;
use crate::payload::expect::{Changes, Scope};
use crate::stop::{DRAIN, Stop};

/// After so many turns the runtime looks at signals and timers in any case.
const YIELD_EVERY: u32 = 16;

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
    let (ended, account) = carry(source, target, stages, until, stop).await;
    account.tell_reasons(console);
    console.note(account.summary(target.keeps())?);
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
        kind @ (Kind::Interrupted | Kind::Terminated) => Error::new(kind, "interrupted"),
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
}

/// The way of messages to their target.
struct Passage<'a, T> {
    target: &'a mut T,
    stages: &'a Stages,
    selection: Selection<'a>,
    findings: Findings<'a>,
    /// What conditions remember of earlier messages.
    changes: Option<Changes>,
    /// Whether conditions may ask what stands for wildcards of topics.
    asks_captures: bool,
    /// Whether conditions ask what time it is.
    asks_time: bool,
    /// Whether every message passes as it is, and none ends the flow but by their number.
    bare: bool,
    progress: until::Progress<'a>,
    /// When the loop last woke.
    now: Instant,
    ledger: Ledger,
    /// What became of single arrivals, until the source is told.
    fates: Vec<(Number, Fate)>,
    account: Account,
    /// What the target gave back, in order.
    again: Resend,
    /// How the flow ends, once what is under way has ended.
    end: Option<Result<()>>,
    /// When the clock ended it.
    ended_at: Option<Instant>,
    /// How long what is under way may take after that.
    drain: Duration,
    /// Whether it was ended over what was under way (`-W`).
    timed_out: bool,
    /// Whether the target was told that nothing more comes.
    finished: bool,
    left: bool,
}

/// What woke the loop.
enum Woken {
    Source,
    Target,
    Time,
}

impl<'a, S: Source, T: Target> Flow<'a, S, T> {
    fn new(source: &'a mut S, target: &'a mut T, stages: &'a Stages, until: &'a Until) -> Self {
        let now = now();
        let passage = Passage {
            target,
            stages,
            selection: Selection::new(&stages.select, stages.console),
            findings: Findings::new(stages.checks.as_ref()),
            changes: stages.changes(until.until.as_ref()),
            asks_captures: stages.ask_captures(until.until.as_ref()),
            asks_time: stages.ask_time(until.until.as_ref()),
            bare: stages.are_bare() && until.until.is_none(),
            progress: until::Progress::new(until, now),
            now,
            ledger: Ledger::default(),
            fates: Vec::new(),
            account: Account::default(),
            again: Resend::default(),
            end: None,
            ended_at: None,
            drain: until.drain.unwrap_or(DRAIN),
            timed_out: false,
            finished: false,
            left: false,
        };
        Self {
            source,
            passage,
            done: Vec::new(),
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
            self.count()?;
            match woken? {
                Woken::Source | Woken::Target => self.take_in()?,
                Woken::Time => self.time_passed()?,
            }
        }
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
        let reading = self.passage.reads_on();
        let (source, target) = (&mut *self.source, &mut *self.passage.target);
        let received = async {
            match reading {
                true => source.drive().await.map(|()| Woken::Source),
                false => Err(source.hold().await),
            }
        };
        let asked = tokio::select! {
            biased;
            asked = stop.asked() => asked,
            // Before both sides, which always have something where a server floods; once nothing more is taken, what has ended
            // in time counts however late we are.
            () = sleep_until(at), if deadline.is_some() && !ending => return Ok(Woken::Time),
            driven = target.drive(&mut self.done) => return driven.map(|()| Woken::Target),
            () = sleep_until(at), if deadline.is_some() => return Ok(Woken::Time),
            woken = received => return woken,
        };
        stop.unless_again(self.drain()).await?;
        Err(Error::new(
            asked.kind(),
            self.passage.progress.interrupted(),
        ))
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

impl<T: Target> Passage<'_, T> {
    /// Whether nothing more is to be waited for.
    fn is_over(&mut self) -> bool {
        if self.end.is_none() || !self.again.is_empty() || !self.target.is_idle() {
            return false;
        }
        if !std::mem::replace(&mut self.finished, true) {
            self.target.finish();
        }
        self.target.is_idle()
    }

    /// Whether the source may be read.
    fn reads_on(&self) -> bool {
        self.end.is_none() && self.again.is_clear() && self.target.is_free()
    }

    /// Whether something can arrive while nothing is under way.
    fn listens(&self) -> bool {
        self.reads_on() && self.target.is_idle()
    }

    /// Whether there is room for another message that is wanted.
    #[inline]
    fn wants_more(&self) -> bool {
        self.end.is_none() && self.again.is_clear() && self.target.has_room()
    }

    /// Hands over what the target gave back.
    fn send_again(&mut self) -> Result<()> {
        while !self.again.is_empty() && self.target.has_room() {
            let Some((number, message)) = self.again.next(self.target.is_idle()) else {
                break;
            };
            self.account.again += 1;
            self.target.take(number, message)?;
        }
        Ok(())
    }

    /// Takes what came from the source; whether more is wanted.
    #[inline(always)]
    fn arrive(&mut self, next: Next) -> Result<bool> {
        match next {
            Next::Message(message) => self.message(message, false)?,
            other => self.take_other(other)?,
        }
        Ok(self.wants_more())
    }

    /// Takes what comes seldom.
    #[inline(never)]
    fn take_other(&mut self, next: Next) -> Result<()> {
        match next {
            Next::Message(message) => self.message(message, false)?,
            Next::Again(message) => self.message(message, true)?,
            Next::Skipped => {
                self.progress.not_silent(self.now);
                let number = self.ledger.arrive();
                self.ledger.finish(number);
                self.account.filtered += 1;
            }
            Next::Refused(why) => {
                self.progress.not_silent(self.now);
                let number = self.ledger.arrive();
                self.ledger.finish(number);
                self.account.refuse(why);
            }
            Next::Lost => {
                let void = self.ledger.forget();
                self.account.void += void;
                if void > 0 {
                    self.selection.lost();
                    if let Some(changes) = &mut self.changes {
                        changes.clear();
                    }
                }
            }
            Next::Complete => self.end = Some(self.progress.enough()),
            Next::End(end) => self.end = Some(end),
        }
        Ok(())
    }

    #[inline(always)]
    fn message(&mut self, message: Message, again: bool) -> Result<()> {
        let number = self.ledger.arrive();
        self.progress.not_silent(self.now);
        if !self.bare {
            return self.judge(number, message, again);
        }
        self.progress.not_without(self.now);
        self.progress.pass(again, |_| false);
        if self.progress.is_complete() {
            self.end = Some(Ok(()));
        }
        self.target.take(number, message)
    }

    /// Lets a message through the stages.
    #[inline(never)]
    fn judge(&mut self, number: Number, mut message: Message, again: bool) -> Result<()> {
        let stages = self.stages;
        stages.prepare(&mut message);
        if let Some(changes) = &mut self.changes {
            changes.see(&message, || stages.json(&message));
        }
        let captures = match self.asks_captures {
            true => stages.captures(&message),
            false => None,
        };
        let scope = Scope {
            captures: captures.as_ref(),
            now: self.asks_time.then(SystemTime::now),
            changes: self.changes.as_ref(),
        };
        if !stages.pass(&message, &scope) {
            stages.tell_failures(None);
            self.ledger.finish(number);
            self.fates.push((number, Fate::Filtered));
            self.account.filtered += 1;
            return Ok(());
        }
        self.progress.not_without(self.now);
        self.findings.see(&message, stages, self.now);
        let json = || stages.json(&message);
        if let Some(skipped) = self.selection.skips(&message, self.now, json) {
            self.ledger.finish(number);
            self.fates.push((number, Fate::Accepted));
            self.account.skipped.count(skipped);
            return Ok(());
        }
        self.progress
            .pass(again, |until| stages.fulfils(until, &message, &scope));
        let checked = stages.check(&message, &scope);
        stages.tell_failures(self.progress.condition());
        self.target.take(number, stages.decoded(message))?;
        if checked.is_err() || self.progress.is_complete() {
            self.end = Some(checked.and_then(|()| self.progress.verdict()));
        }
        Ok(())
    }

    /// When the clock has something to say; see [`until`].
    fn deadline(&self, listening: bool) -> Option<Instant> {
        match self.end {
            None => self.progress.deadline(listening),
            Some(_) => earlier(self.progress.fails_at(), self.gives_up()),
        }
    }

    /// When what is under way is given up, once nothing more is wanted.
    fn gives_up(&self) -> Option<Instant> {
        let ended = self.ended_at.or_else(|| self.progress.ends_at());
        ended.map(|at| at + self.drain)
    }

    fn time_passed(&mut self, awaits: Option<&str>) -> Result<()> {
        self.timed_out = self.progress.fails_at().is_some_and(|at| self.now >= at);
        if self.end.is_some() {
            return self.patience();
        }
        match self.progress.time_passed(self.now, awaits) {
            Some(end) if self.timed_out => end,
            Some(end) => {
                self.end = Some(end);
                self.ended_at = Some(self.now);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Once nothing more is wanted a flow waits only so long for what is under way.
    fn patience(&mut self) -> Result<()> {
        let given_up = self.gives_up().is_some_and(|at| self.now >= at);
        if !self.timed_out && !given_up {
            return Ok(());
        }
        if let Some(Err(error)) = self.end.take() {
            return Err(error);
        }
        if !self.timed_out && self.target.keeps() && self.ledger.open() == 0 {
            (self.left, self.end) = (true, Some(Ok(())));
            return Ok(());
        }
        let text = format!(
            "timed out: {} still has {}",
            self.target.name(),
            until::messages(self.ledger.open())
        );
        Err(Error::new(Kind::TimedOut, text))
    }

    fn count(&mut self, done: &mut Vec<Progress>) {
        for progress in done.drain(..) {
            let (number, outcome) = match progress {
                Progress::One(number, outcome) => (number, outcome),
                Progress::Through(number) => {
                    self.account.delivered += self.ledger.finish_through(number);
                    self.again.survived();
                    continue;
                }
            };
            if let Outcome::Again(message) = outcome {
                // It may have been refused before.
                if self.ledger.is_open(number) {
                    self.again.give_back(number, *message);
                }
                continue;
            }
            self.again.survived();
            let new = self.ledger.finish(number);
            if new {
                self.fates.push((number, outcome.fate()));
            }
            match outcome {
                outcome if new => self.account.count(outcome),
                // A message may be returned after it was acknowledged.
                Outcome::Refused(why) if self.ledger.is_done(number) => {
                    self.account.delivered = self.account.delivered.saturating_sub(1);
                    self.account.refuse(why);
                }
                _ => {}
            }
        }
        if let Some((number, message)) = self.again.lost() {
            let name = self.target.name();
            self.account.refuse(twice(&name, number, &message.topic));
            self.ledger.finish(number);
        }
    }

    /// Messages that the target refused make a good end a failure.
    fn verdict(&mut self) -> Result<()> {
        match self.account.refusal.take() {
            None => Ok(()),
            Some(refusal) => Err(Error::new(
                refusal.kind(),
                format!(
                    "{refusal} for {} of {}",
                    self.account.failures(),
                    until::messages(self.progress.passed())
                ),
            )),
        }
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

/// The runtime's clock, which tests stop and set.
fn now() -> Instant {
    Clock::now().into_std()
}

#[cfg(test)]
mod tests;
