//! Routes and alerts as one router: a message goes by the routes, and each alert looks at it.

use std::time::{Instant, SystemTime};

use tokio::time::Instant as Clock;

use super::alerts::Watched;
use super::router::{Fate, Routes};
use super::setup::Setup;
use crate::command::alert::SharedMarks;
use crate::command::ends::carry;
use crate::error::{Error, Result};
use crate::flow::{Origin, Outgoing, Routed, Router};
use crate::message::Message;

/// All that a file says of messages.
pub(super) struct Rules {
    routes: Routes,
    alerts: Vec<Watched>,
    /// Nothing is sent in truth: notices have arrived at once.
    only_looks: bool,
    /// Notices of a reading that the routes refused: no fault of theirs.
    pending: Outgoing,
}

impl Rules {
    pub(super) const fn new(routes: Routes, alerts: Vec<Watched>, only_looks: bool) -> Self {
        Self {
            routes,
            alerts,
            only_looks,
            pending: Vec::new(),
        }
    }

    /// The same for messages of which this says where they are from.
    pub(super) fn from(mut self, origin: Origin) -> Self {
        self.routes.origin = origin;
        self
    }

    /// Which notices are on their way, for the targets.
    pub(super) fn marks(&self) -> Vec<SharedMarks> {
        self.alerts.iter().map(|it| it.marks.clone()).collect()
    }

    /// What the routes made of the last message.
    pub(super) const fn fate(&self) -> Fate {
        self.routes.fate
    }

    /// How often each route was taken, in their order.
    pub(super) fn taken(&self) -> &[u64] {
        self.routes.taken()
    }

    /// Other routes, and other limits of alerts, between the same sources and targets; `before` says of each route which one it
    /// was until now.
    pub(super) fn replace(&mut self, setup: Setup, before: &[Option<usize>]) {
        let taken = self.routes.taken();
        let taken = before.iter().map(|at| at.map_or(0, |at| taken[at]));
        let taken = taken.collect();
        self.routes.replace(setup.routes, taken);
        for alert in &setup.alerts {
            let mut watched = self.alerts.iter_mut();
            let same = watched.find(|it| it.watch.name() == alert.plan.rule.name);
            if let Some(it) = same {
                let plan = &alert.plan;
                it.watch.change(&plan.rule, plan.when.as_ref());
            }
        }
    }

    /// Keeps what is known of alarms at the end.
    ///
    /// # Errors
    /// A journal cannot be written.
    pub(super) fn finish(self) -> Result<()> {
        let mut finished = Ok(());
        for alert in self.alerts {
            let kept = alert.watch.finish();
            finished = finished.and(kept);
        }
        finished
    }

    /// What is due by then, where time is that of recorded messages.
    ///
    /// # Errors
    /// What makes it impossible to go on.
    pub(super) fn pass_time(&mut self, now: SystemTime, into: &mut Outgoing) -> Result<()> {
        for at in 0..self.alerts.len() {
            let before = into.len();
            self.alerts[at].watch.pass_time(now, into)?;
            self.mark_others(Some(at), &into[before..]);
        }
        Ok(())
    }

    /// Appends what becomes of a message from the source with this index at `now`.
    ///
    /// # Errors
    /// A map that fails.
    pub(super) fn pass(
        &mut self,
        message: Message,
        source: usize,
        now: SystemTime,
        into: &mut Outgoing,
    ) -> Result<()> {
        if self.alerts.is_empty() {
            return self.routes.pass(message, source, now, into);
        }
        let mut sent = std::mem::take(&mut self.pending);
        for at in 0..self.alerts.len() {
            let alert = &mut self.alerts[at];
            if alert.from.contains(&source) {
                let before = sent.len();
                alert.watch.route(message.clone(), &mut sent)?;
                self.mark_others(Some(at), &sent[before..]);
            }
        }
        let mut routed = Outgoing::new();
        if let Err(why) = self.routes.pass(message, source, now, &mut routed) {
            self.pending = sent;
            return Err(why);
        }
        self.mark_others(None, &routed);
        into.append(&mut sent);
        into.append(&mut routed);
        Ok(())
    }

    /// These messages are no notices of any alert but this one.
    fn mark_others(&self, but: Option<usize>, sent: &[(usize, Message)]) {
        for (at, alert) in self.alerts.iter().enumerate() {
            let mut marks = alert.marks.borrow_mut();
            if Some(at) != but {
                sent.iter()
                    .for_each(|(target, _)| marks.send(*target, None));
            }
            if self.only_looks {
                marks.all_arrive();
            }
        }
    }
}

impl Router for Rules {
    fn route(&mut self, message: Message, into: &mut Outgoing) -> Result<Routed> {
        let now = SystemTime::now();
        if carry::has_expired(&message, now) {
            return Ok(Routed::Expired);
        }
        let source = self.routes.origin.get();
        self.pass(message, source, now, into)?;
        Ok(Routed::Sent)
    }

    fn covers(&self, source: usize, message: &Message) -> bool {
        let watched = self.alerts.iter().any(|it| it.from.contains(&source));
        watched || self.routes.covers(source, message)
    }

    fn dead_letter(&mut self, message: Message, why: &Error) -> Option<(usize, Message)> {
        let letter = self.routes.dead_letter(message, why)?;
        for alert in &self.alerts {
            alert.marks.borrow_mut().send_letter(letter.0);
        }
        Some(letter)
    }

    fn sync(&mut self) -> Result<()> {
        let mut alerts = self.alerts.iter_mut();
        alerts.try_for_each(|alert| alert.watch.sync())
    }

    fn due(&self) -> Option<Instant> {
        let pending = (!self.pending.is_empty()).then(|| Clock::now().into_std());
        let alerts = self.alerts.iter().filter_map(|alert| alert.watch.due());
        alerts.chain(pending).min()
    }

    fn wake(&mut self, now: Instant, into: &mut Outgoing) -> Result<()> {
        into.append(&mut self.pending);
        for at in 0..self.alerts.len() {
            let before = into.len();
            self.alerts[at].watch.wake(now, into)?;
            self.mark_others(Some(at), &into[before..]);
        }
        Ok(())
    }
}
