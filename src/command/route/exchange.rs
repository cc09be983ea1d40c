//! A target that another one can take the place of while messages are carried: its server is at another URL, say.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout};

use crate::command::alert::Way;
use crate::command::ends::TargetEnd;
use crate::connect::{Backoff, Retry};
use crate::error::{Error, Result};
use crate::flow::{Number, Outcome, Progress, Target};
use crate::message::Message;
use crate::output::Console;
use crate::pace::alarm::now;

/// How long the old connection may take to end what is under way, and to be closed.
const PATIENCE: Duration = Duration::from_secs(5);

/// By target, what is to take its place.
#[derive(Clone)]
pub(super) struct Orders<'a>(Rc<RefCell<Vec<Option<&'a TargetEnd>>>>);

impl<'a> Orders<'a> {
    /// None, for so many targets.
    pub(super) fn none(targets: usize) -> Self {
        Self(Rc::new(RefCell::new(vec![None; targets])))
    }

    /// This is to take the place of the target with this index.
    pub(super) fn give(&self, target: usize, end: &'a TargetEnd) {
        self.0.borrow_mut()[target] = Some(end);
    }

    fn of(&self, target: usize) -> Option<&'a TargetEnd> {
        self.0.borrow().get(target).copied().flatten()
    }

    fn done(&self, target: usize, end: &'a TargetEnd) {
        let mut orders = self.0.borrow_mut();
        // There may be a newer one.
        if orders[target].is_some_and(|it| std::ptr::eq(it, end)) {
            orders[target] = None;
        }
    }
}

/// A target that is at work, and what it was handed.
pub(super) struct Exchanged<'a> {
    inner: Way<'a>,
    at: usize,
    orders: Orders<'a>,
    /// Whose outcome is not known.
    under_way: BTreeMap<Number, Message>,
    /// Until when the old target may end what is under way.
    until: Option<Instant>,
    /// The old connection, on its way out.
    leaving: Option<Pin<Box<dyn Future<Output = ()> + 'a>>>,
    /// The one that took its place, until it has done anything.
    unproved: Option<Unproved<'a>>,
    finished: bool,
    console: Console,
}

/// A target that may never have been reached: what was carried must not end over a file that was read again.
struct Unproved<'a> {
    end: &'a TargetEnd,
    backoff: Backoff,
    /// When it is opened once more.
    retry_at: Option<Instant>,
}

impl<'a> Exchanged<'a> {
    /// The target with this index.
    pub(super) const fn new(
        inner: Way<'a>,
        at: usize,
        orders: Orders<'a>,
        console: Console,
    ) -> Self {
        Self {
            inner,
            at,
            orders,
            under_way: BTreeMap::new(),
            until: None,
            leaving: None,
            unproved: None,
            finished: false,
            console,
        }
    }

    /// Ends the connections in good order.
    ///
    /// # Errors
    /// Those of the target.
    pub(super) async fn close(self) -> Result<()> {
        if let Some(leaving) = self.leaving {
            leaving.await;
        }
        self.inner.close().await
    }

    /// Drives the target that is there, and the one that leaves.
    async fn drive_on(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        let before = into.len();
        let left = async {
            match &mut self.leaving {
                Some(leaving) => leaving.as_mut().await,
                None => std::future::pending().await,
            }
        };
        let driven = tokio::select! {
            biased;
            driven = self.inner.drive(into) => Some(driven),
            () = left => None,
        };
        if driven.is_none() {
            self.leaving = None;
        }
        self.look(&into[before..]);
        driven.unwrap_or(Ok(()))
    }

    /// Forgets what has an outcome.
    fn look(&mut self, done: &[Progress]) {
        let is_outcome =
            |progress: &Progress| !matches!(progress, Progress::One(_, Outcome::Again(_)));
        if done.iter().any(is_outcome) {
            self.unproved = None;
        }
        for progress in done {
            match progress {
                Progress::One(number, _) => {
                    self.under_way.remove(number);
                }
                Progress::Through(last) => self.under_way = self.under_way.split_off(&(last + 1)),
            }
        }
    }

    /// Lets the other target take its place, once what is under way has ended or has been waited for; the rest goes again.
    async fn exchange(&mut self, end: &'a TargetEnd, into: &mut Vec<Progress>) -> Result<()> {
        let until = *self.until.get_or_insert_with(|| now() + PATIENCE);
        if !self.inner.is_idle() && now() < until {
            let ended = tokio::select! {
                driven = self.drive_on(into) => driven.is_err(),
                () = sleep_until(until.into()) => true,
            };
            if !ended {
                return Ok(());
            }
        }
        self.orders.done(self.at, end);
        self.until = None;
        self.unproved = Some(Unproved {
            end,
            backoff: Backoff::new(Retry::Forever),
            retry_at: Some(now()),
        });
        self.open(end, into).await
    }

    /// Opens a target in place of the one that is there; what that one was handed goes again.
    async fn open(&mut self, end: &'a TargetEnd, into: &mut Vec<Progress>) -> Result<()> {
        let left = std::mem::take(&mut self.under_way).into_iter();
        into.extend(
            left.map(|(number, message)| Progress::One(number, Outcome::Again(Box::new(message)))),
        );
        let opened = match end.open().await {
            Ok(opened) => opened,
            Err(error) => return self.not_there(error),
        };
        let old = std::mem::replace(&mut self.inner, Way::Server(opened));
        if let Some(unproved) = &mut self.unproved {
            unproved.retry_at = None;
        }
        if self.finished {
            self.inner.finish();
        }
        let before = self.leaving.take();
        self.leaving = Some(Box::pin(async {
            // What it still says is of no account.
            let _ = timeout(PATIENCE, old.close()).await;
            if let Some(before) = before {
                before.await;
            }
        }));
        Ok(())
    }

    /// What took the place of another one cannot be used now: it is tried again later, as after an outage.
    fn not_there(&mut self, error: Error) -> Result<()> {
        let Some(unproved) = &mut self.unproved else {
            return Err(error);
        };
        let now = now();
        let wait = unproved.backoff.next(now).unwrap_or_default();
        unproved.retry_at = Some(now + wait);
        if unproved.backoff.tells(error.text(), now) {
            self.console.warn(format_args!("{error}; trying again"));
        }
        Ok(())
    }

    /// Drives the one that took the place of another, or waits until it is tried again.
    async fn prove(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        let Some(unproved) = &self.unproved else {
            return self.drive_on(into).await;
        };
        let end = unproved.end;
        if let Some(at) = unproved.retry_at {
            sleep_until(at.into()).await;
            return self.open(end, into).await;
        }
        match self.drive_on(into).await {
            Err(error) => self.not_there(error),
            Ok(()) => Ok(()),
        }
    }

    /// Whether it is to be opened again.
    fn waits(&self) -> bool {
        let unproved = self.unproved.as_ref();
        unproved.is_some_and(|unproved| unproved.retry_at.is_some())
    }
}

impl Target for Exchanged<'_> {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn has_room(&self) -> bool {
        self.orders.of(self.at).is_none() && !self.waits() && self.inner.has_room()
    }

    fn is_free(&self) -> bool {
        self.orders.of(self.at).is_none() && !self.waits() && self.inner.is_free()
    }

    fn is_idle(&self) -> bool {
        self.under_way.is_empty() && (self.waits() || self.inner.is_idle())
    }

    fn unsent(&self) -> u64 {
        self.inner.unsent()
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        self.under_way.insert(number, message.clone());
        self.inner.take(number, message)
    }

    fn finish(&mut self) {
        self.finished = true;
        self.inner.finish();
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        match self.orders.of(self.at) {
            None => self.prove(into).await,
            Some(end) => self.exchange(end, into).await,
        }
    }
}
