//! The way of messages from their source to their target: what is let through, what became of each, and how it all ends.

use std::time::{Duration, Instant, SystemTime};

use super::now;
use crate::error::{Error, Kind, Result};
use crate::flow::findings::Findings;
use crate::flow::resend::{Resend, twice};
use crate::flow::select::Selection;
use crate::flow::until::{self, Until};
use crate::flow::{Account, Fate, Ledger, Next, Number, Outcome, Progress, Stages, Target};
use crate::message::Message;
use crate::payload::expect::{Changes, Scope};
use crate::stop::DRAIN;

/// The way of messages to their target.
pub(super) struct Passage<'a, T> {
    pub(super) target: &'a mut T,
    stages: &'a Stages,
    selection: Selection<'a>,
    pub(super) findings: Findings<'a>,
    /// What conditions remember of earlier messages.
    changes: Option<Changes>,
    /// Whether conditions may ask what stands for wildcards of topics.
    asks_captures: bool,
    /// Whether conditions ask what time it is.
    asks_time: bool,
    /// Whether every message passes as it is, and none ends the flow but by their number.
    bare: bool,
    pub(super) progress: until::Progress<'a>,
    /// When the loop last woke.
    pub(super) now: Instant,
    pub(super) ledger: Ledger,
    /// What became of single arrivals, until the source is told.
    pub(super) fates: Vec<(Number, Fate)>,
    pub(super) account: Account,
    /// What the target gave back, in order.
    pub(super) again: Resend,
    /// How the flow ends, once what is under way has ended.
    pub(super) end: Option<Result<()>>,
    /// When the clock ended it.
    ended_at: Option<Instant>,
    /// How long what is under way may take after that.
    pub(super) drain: Duration,
    /// Whether it was ended over what was under way (`-W`).
    pub(super) timed_out: bool,
    /// Whether the target was told that nothing more comes.
    finished: bool,
    pub(super) left: bool,
}

impl<'a, T: Target> Passage<'a, T> {
    pub(super) fn new(target: &'a mut T, stages: &'a Stages, until: &'a Until) -> Self {
        let now = now();
        Self {
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
        }
    }

    /// Whether nothing more is to be waited for.
    pub(super) fn is_over(&mut self) -> bool {
        if self.end.is_none() || !self.again.is_empty() || !self.target.is_idle() {
            return false;
        }
        if !std::mem::replace(&mut self.finished, true) {
            self.target.finish();
        }
        self.target.is_idle()
    }

    /// Whether the source may be read.
    pub(super) fn reads_on(&self) -> bool {
        self.end.is_none() && self.again.is_clear() && self.target.is_free()
    }

    /// Whether something can arrive while nothing is under way.
    pub(super) fn listens(&self) -> bool {
        self.reads_on() && self.target.is_idle()
    }

    /// Whether there is room for another message that is wanted.
    #[inline]
    pub(super) fn wants_more(&self) -> bool {
        self.end.is_none() && self.again.is_clear() && self.target.has_room()
    }

    /// Hands over what the target gave back.
    pub(super) fn send_again(&mut self) -> Result<()> {
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
    pub(super) fn arrive(&mut self, next: Next) -> Result<bool> {
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
                self.fates.push((number, Fate::Filtered));
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
            ..Scope::default()
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
    pub(super) fn deadline(&self, listening: bool) -> Option<Instant> {
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

    pub(super) fn time_passed(&mut self, awaits: Option<&str>) -> Result<()> {
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

    /// Nothing more comes, as the source has failed: what has come goes its way.
    pub(super) fn fail(&mut self, error: Error) {
        if self.end.is_none() {
            self.end = Some(Err(error));
            self.ended_at = Some(self.now);
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

    pub(super) fn count(&mut self, done: &mut Vec<Progress>) {
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
    pub(super) fn verdict(&mut self) -> Result<()> {
        match self.account.refusal.take() {
            None => Ok(()),
            Some(refusal) => Err(Error::new(
                refusal.kind(),
                format!(
                    "{refusal} for {} of {}",
                    self.account.failures(),
                    until::messages(self.progress.passed().max(self.account.failures()))
                ),
            )),
        }
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}
