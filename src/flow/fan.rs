//! Several targets as one: a message goes to some of them, as one or as several messages, and is done with once all have them.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use futures_util::future::FutureExt;
use tokio::time::sleep_until;

use super::resend::{Resend, twice};
use super::together::any;
use super::{Ledger, Number, Origin, Outcome, Progress, Target};
use crate::error::{Error, Result};
use crate::message::Message;
use crate::pace::alarm::now;

/// Messages on their way to targets, each with the index of its target.
pub type Outgoing = Vec<(usize, Message)>;

/// What a router made of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routed {
    /// It goes where it was said to go; nowhere, where nothing was said.
    Sent,
    /// Its lifetime is over.
    Expired,
}

/// Decides which targets get a message, and as what. It may send messages of its own when the time comes.
pub trait Router {
    /// Appends what is to be sent for a message; nothing: it is filtered out.
    ///
    /// # Errors
    /// Why it cannot be passed on; what becomes of it then is for [`Refusals`] to say.
    fn route(&mut self, message: Message, into: &mut Outgoing) -> Result<Routed>;

    /// Whether anything is said of such a message from the source with this index.
    fn covers(&self, source: usize, message: &Message) -> bool {
        let _ = (source, message);
        true
    }

    /// Where a message goes that was refused, and as what; asked only with [`Refusals::DeadLetter`].
    fn dead_letter(&mut self, message: Message, why: &Error) -> Option<(usize, Message)> {
        let _ = (message, why);
        None
    }

    /// What must be on disk is: called before outcomes are told, and so before a source is.
    ///
    /// # Errors
    /// It cannot be written.
    fn sync(&mut self) -> Result<()> {
        Ok(())
    }

    /// When [`Router::wake`] is to be called.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// Waits until [`Router::wake`] is to be called whatever the time is. Cancel-safe.
    fn called(&mut self) -> impl Future<Output = ()> {
        std::future::pending()
    }

    /// Appends what is to be sent because of the time.
    ///
    /// # Errors
    /// What makes it impossible to go on.
    fn wake(&mut self, now: Instant, into: &mut Outgoing) -> Result<()> {
        let _ = (now, into);
        Ok(())
    }
}

/// What becomes of a message that a target refuses for good (`--on-refused`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refusals {
    /// The flow ends; it and what came after it is not acknowledged.
    #[default]
    Stop,
    /// It is counted, and acknowledged.
    Drop,
    /// It goes to the target for such messages.
    DeadLetter,
}

/// A message that targets have not got all of.
struct Open {
    /// On so many ways.
    left: usize,
    outcome: Outcome,
    /// As it came, where it may be needed.
    original: Option<Message>,
    /// Whether it goes to where refused messages go.
    dead: bool,
    /// Whether who sent it is told of its refusal.
    answered: bool,
}

/// One of the targets.
pub(super) struct Branch<T> {
    pub(super) target: T,
    /// What it took; its numbers count from 1 for each target.
    ledger: Ledger,
    /// Of the messages from number `first` on: whose they are. `None`: the router's own, or done with.
    owners: VecDeque<Option<Number>>,
    first: Number,
    /// Not handed to it yet.
    waiting: VecDeque<(Option<Number>, Message)>,
    again: Resend,
    pub(super) done: Vec<Progress>,
}

impl<T: Target> Branch<T> {
    pub(super) fn new(target: T) -> Self {
        Self {
            target,
            ledger: Ledger::default(),
            owners: VecDeque::new(),
            first: 1,
            waiting: VecDeque::new(),
            again: Resend::default(),
            done: Vec::new(),
        }
    }

    /// A message is to be handed over, whose outcome is told of `owner`.
    pub(super) fn push(&mut self, owner: Number, message: Message) {
        self.waiting.push_back((Some(owner), message));
    }

    /// A message is handed over, or waits; its outcome is told of `owner`.
    fn send(&mut self, owner: Option<Number>, message: Message) -> Result<()> {
        if self.has_room() {
            let number = self.ledger.arrive();
            self.owners.push_back(owner);
            return self.target.take(number, message);
        }
        self.waiting.push_back((owner, message));
        self.hand_over()
    }

    /// Hands over what waits, what goes again first.
    pub(super) fn hand_over(&mut self) -> Result<()> {
        while self.target.has_room() {
            if let Some((number, message)) = self.again.next(self.target.is_idle()) {
                self.target.take(number, message)?;
                continue;
            }
            if !self.again.is_clear() {
                break;
            }
            let Some((owner, message)) = self.waiting.pop_front() else {
                break;
            };
            let number = self.ledger.arrive();
            self.owners.push_back(owner);
            self.target.take(number, message)?;
        }
        Ok(())
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting.is_empty() && self.again.is_clear() && self.target.has_room()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.again.is_empty() && self.target.is_idle()
    }

    fn owner(&mut self, number: Number) -> Option<Number> {
        let place = number.checked_sub(self.first)? as usize;
        self.owners.get_mut(place)?.take()
    }

    /// Whether all that the target has done is to have what it was handed up to some message.
    fn is_through(&self) -> bool {
        matches!(*self.done, [Progress::Through(_)])
    }

    /// The owner of the last of these, where the same is true of the owners before it.
    fn through(&mut self) -> Option<Number> {
        let Some(Progress::Through(number)) = self.done.pop() else {
            return None;
        };
        self.again.survived();
        let count = (number + 1).saturating_sub(self.first) as usize;
        let last = self.owners.iter().take(count).rev();
        let last = last.flatten().next().copied();
        self.ledger.finish_through(number);
        self.settle();
        last
    }

    /// Forgets what is done with.
    fn settle(&mut self) {
        let settled = self.ledger.take_settled();
        self.owners.drain(..settled as usize);
        self.first += settled;
    }

    /// Looks at what the target has done: `tell` is called with the owner and the outcome of each message.
    pub(super) fn count(&mut self, mut tell: impl FnMut(Number, Outcome)) -> Vec<Error> {
        let mut own_failures = Vec::new();
        let mut done = std::mem::take(&mut self.done);
        for progress in done.drain(..) {
            match progress {
                Progress::Through(number) => {
                    self.again.survived();
                    for number in self.first..=number.min(self.ledger.newest()) {
                        if let Some(owner) = self.owner(number) {
                            tell(owner, Outcome::Accepted);
                        }
                    }
                    self.ledger.finish_through(number);
                }
                Progress::One(number, Outcome::Again(message)) => {
                    if self.ledger.is_open(number) {
                        self.again.give_back(number, *message);
                    }
                }
                Progress::One(number, outcome) => {
                    self.again.survived();
                    if !self.ledger.finish(number) {
                        continue;
                    }
                    match (self.owner(number), outcome) {
                        (Some(owner), outcome) => tell(owner, outcome),
                        (None, Outcome::Refused(why)) => own_failures.push(why),
                        (None, _) => {}
                    }
                }
            }
        }
        self.done = done;
        if let Some((number, message)) = self.again.lost() {
            let why = twice(&self.target.name(), number, &message.topic);
            self.ledger.finish(number);
            match self.owner(number) {
                Some(owner) => tell(owner, Outcome::Refused(why)),
                None => own_failures.push(why),
            }
        }
        self.settle();
        own_failures
    }
}

/// Several targets, and who decides what goes to which of them.
pub struct Fan<R, T> {
    router: R,
    /// Where the message comes from that is taken.
    origin: Origin,
    branches: Vec<Branch<T>>,
    refusals: Refusals,
    /// Messages that go several ways, or whose refusal asks for the message; what became of the others is that of their one way.
    open: HashMap<Number, Open>,
    /// What is known and was not told.
    known: Vec<Progress>,
    outgoing: Outgoing,
    /// Why the flow ends.
    failure: Option<Error>,
    /// What became of the router's own messages that were refused.
    own_refusal: Option<Error>,
    ending: bool,
}

impl<R: Router, T: Target> Fan<R, T> {
    /// All of `targets`, at least one; `router` says which gets what.
    pub fn new(router: R, targets: Vec<T>, refusals: Refusals) -> Self {
        Self {
            router,
            origin: Origin::default(),
            branches: targets.into_iter().map(Branch::new).collect(),
            refusals,
            open: HashMap::new(),
            known: Vec::new(),
            outgoing: Vec::new(),
            failure: None,
            own_refusal: None,
            ending: false,
        }
    }

    /// The same for messages of this origin: who is answered with what becomes of a message sees that it was refused, and with
    /// [`Refusals::Stop`] the flow goes on for all others.
    #[must_use]
    pub fn answering(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// Who decides, and the targets, to close them.
    pub fn into_parts(self) -> (R, Vec<T>) {
        let targets = self.branches.into_iter().map(|branch| branch.target);
        (self.router, targets.collect())
    }

    /// Why the first of the router's own messages that was refused was.
    pub const fn own_refusal(&mut self) -> Option<Error> {
        self.own_refusal.take()
    }

    /// Sends what the router said, for the message with this number or on its own account.
    fn send(&mut self, owner: Option<Number>) -> Result<()> {
        for (target, message) in self.outgoing.drain(..) {
            self.branches[target].send(owner, message)?;
        }
        Ok(())
    }

    /// Whether every message has one way, and this target is the only one that has any.
    fn is_only(&self, target: usize) -> bool {
        let others = self.branches.iter().enumerate();
        let mut others = others.filter(|(at, _)| *at != target);
        self.open.is_empty() && others.all(|(_, it)| it.waiting.is_empty() && it.ledger.open() == 0)
    }

    fn count(&mut self) {
        for at in 0..self.branches.len() {
            // What can be told at once is not told one by one: that would cost more than all else here.
            if self.branches[at].is_through() && self.is_only(at) {
                let last = self.branches[at].through();
                self.known.extend(last.map(Progress::Through));
                continue;
            }
            let mut told = Vec::new();
            let own = self.branches[at].count(|owner, outcome| told.push((owner, outcome)));
            for (owner, outcome) in told {
                self.one_done(owner, outcome);
            }
            if let Some(why) = own.into_iter().next() {
                let kept = match self.refusals {
                    Refusals::Stop => &mut self.failure,
                    Refusals::Drop | Refusals::DeadLetter => &mut self.own_refusal,
                };
                kept.get_or_insert(why);
            }
        }
    }

    /// One of the ways of a message has ended.
    fn one_done(&mut self, number: Number, outcome: Outcome) {
        let Some(open) = self.open.get_mut(&number) else {
            return self.only_done(number, outcome);
        };
        open.left -= 1;
        match outcome {
            Outcome::Refused(why) => return self.refused(number, why),
            Outcome::InDoubt(why)
                if matches!(open.outcome, Outcome::Accepted | Outcome::Filtered) =>
            {
                open.outcome = Outcome::InDoubt(why);
            }
            Outcome::Filtered => {}
            _ if matches!(open.outcome, Outcome::Filtered) => open.outcome = Outcome::Accepted,
            _ => {}
        }
        self.close_if_done(number);
    }

    /// The only way of a message has ended.
    fn only_done(&mut self, number: Number, outcome: Outcome) {
        let outcome = match (outcome, self.refusals) {
            (Outcome::Refused(why), Refusals::Drop) => Outcome::Dropped(why),
            (Outcome::Refused(why), Refusals::Stop) => return self.fail(why),
            // Such messages are kept until all is known.
            (_, Refusals::DeadLetter) => return,
            (outcome, Refusals::Stop | Refusals::Drop) => outcome,
        };
        self.known.push(Progress::One(number, outcome));
    }

    fn close_if_done(&mut self, number: Number) {
        if self.open.get(&number).is_some_and(|open| open.left == 0)
            && let Some(open) = self.open.remove(&number)
        {
            self.known.push(Progress::One(number, open.outcome));
        }
    }

    /// A message is refused for good.
    fn refused(&mut self, number: Number, why: Error) {
        let Some(open) = self.open.get_mut(&number) else {
            return;
        };
        match self.refusals {
            Refusals::Drop => open.outcome = Outcome::Dropped(why),
            // The one for such messages must take it.
            Refusals::DeadLetter if !open.dead => {
                let letter = open.original.take();
                let letter = letter.and_then(|message| self.router.dead_letter(message, &why));
                match letter {
                    Some((target, message)) => {
                        (open.left, open.dead) = (open.left + 1, true);
                        open.outcome = Outcome::DeadLettered;
                        self.branches[target]
                            .waiting
                            .push_back((Some(number), message));
                    }
                    // It has gone there already, by another of its ways.
                    None if matches!(open.outcome, Outcome::DeadLettered) => {}
                    None if open.answered => open.outcome = Outcome::Dropped(why),
                    None => self.fail(why),
                }
            }
            _ if open.answered => open.outcome = Outcome::Dropped(why),
            Refusals::Stop | Refusals::DeadLetter => self.fail(why),
        }
        if self.failure.is_none() {
            self.close_if_done(number);
        }
    }

    fn fail(&mut self, why: Error) {
        self.failure.get_or_insert(why);
    }

    /// Waits until a target has done something, or the router wants to.
    async fn turn(&mut self) -> Result<()> {
        let due = self.router.due();
        let driving = async {
            if let [only] = &mut *self.branches {
                return only.target.drive(&mut only.done).await;
            }
            let driving = self.branches.iter_mut();
            let driving = driving.map(|it| it.target.drive(&mut it.done).boxed_local());
            any(driving.collect()).await
        };
        tokio::select! {
            biased;
            () = sleep_until(due.unwrap_or_else(now).into()), if due.is_some() => {}
            () = self.router.called() => {}
            driven = driving => return driven,
        }
        self.router.wake(now(), &mut self.outgoing)?;
        self.send(None)
    }

    /// Tells what is known, once the router has it on disk.
    fn tell(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if !self.known.is_empty() {
            self.router.sync()?;
            into.append(&mut self.known);
        }
        match self.failure.take() {
            Some(why) => Err(why),
            None => Ok(()),
        }
    }
}

impl<R: Router, T: Target> Target for Fan<R, T> {
    fn name(&self) -> String {
        let names: Vec<_> = self.branches.iter().map(|it| it.target.name()).collect();
        names.join(", ")
    }

    fn covers(&self, source: usize, message: &Message) -> bool {
        self.router.covers(source, message)
    }

    fn has_room(&self) -> bool {
        self.failure.is_none() && self.branches.iter().all(Branch::has_room)
    }

    fn is_free(&self) -> bool {
        self.has_room() && self.branches.iter().all(|it| it.target.is_free())
    }

    fn is_idle(&self) -> bool {
        self.failure.is_none()
            && self.known.is_empty()
            && self.open.is_empty()
            && self.branches.iter().all(Branch::is_idle)
    }

    fn unsent(&self) -> u64 {
        self.branches.iter().map(|it| it.target.unsent()).sum()
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        let original = (self.refusals == Refusals::DeadLetter).then(|| message.clone());
        let answered = self.refusals != Refusals::Drop && self.origin.answers();
        let routed = self.router.route(message, &mut self.outgoing);
        let left = self.outgoing.len();
        let outcome = match routed {
            Ok(Routed::Expired) => Outcome::Expired,
            // Until one of them takes it.
            Ok(Routed::Sent) => Outcome::Filtered,
            Err(_) => Outcome::Accepted,
        };
        if left == 0 && routed.is_ok() {
            self.known.push(Progress::One(number, outcome));
            return Ok(());
        }
        let keeps = self.refusals == Refusals::DeadLetter || answered;
        if left == 1 && routed.is_ok() && !keeps {
            return self.send(Some(number));
        }
        let open = Open {
            left,
            outcome,
            original,
            dead: false,
            answered,
        };
        self.open.insert(number, open);
        if let Err(why) = routed {
            self.outgoing.clear();
            if let Some(open) = self.open.get_mut(&number) {
                open.left = 0;
            }
            self.refused(number, why);
        }
        self.send(Some(number))
    }

    fn finish(&mut self) {
        self.ending = true;
        for branch in &mut self.branches {
            branch.target.finish();
        }
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        self.branches.iter_mut().try_for_each(Branch::hand_over)?;
        if self.known.is_empty() && self.failure.is_none() {
            let driven = self.turn().await;
            self.count();
            if driven.is_err() {
                self.tell(into)?;
                return driven;
            }
            self.branches.iter_mut().try_for_each(Branch::hand_over)?;
            if self.ending {
                self.finish();
            }
        }
        self.tell(into)
    }
}

#[cfg(test)]
mod tests;
