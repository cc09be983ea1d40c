//! Where notices go, and which of them have arrived there.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::command::ends::target::AnyTarget;
use crate::error::Result;
use crate::flow::alarm::Mark;
use crate::flow::webhook::Webhook;
use crate::flow::{Commands, Number, Outcome, Printed, Progress, Target, target_of};
use crate::message::Message;
use crate::output::Output;

/// One of the targets.
pub(super) enum Way<'a> {
    Server(AnyTarget<'a>),
    Webhook(Box<Webhook>),
    Exec(Commands<'a>),
    Output(Box<Printed<Output>>),
}

target_of!(Way<'_>: Server Webhook Exec Output);

/// Which messages are which notices, from who sends them to who knows what became of them.
#[derive(Debug)]
pub(super) struct Marks {
    /// Of the messages that each target will get, in order.
    sent: Vec<VecDeque<Option<Mark>>>,
    /// What has arrived, and nobody has looked at.
    arrived: Vec<Mark>,
    /// Of the first notice: in how many places it has not arrived.
    first: Option<(Mark, u32)>,
}

impl Marks {
    pub(super) fn new(targets: usize) -> Self {
        Self {
            sent: vec![VecDeque::new(); targets],
            arrived: Vec::new(),
            first: None,
        }
    }

    /// The next message to this target is this notice, or none.
    pub(super) fn send(&mut self, target: usize, mark: Option<Mark>) {
        self.sent[target].push_back(mark);
    }

    /// A notice goes to so many places.
    pub(super) fn begin(&mut self, mark: Mark, places: u32) {
        self.first.get_or_insert((mark, places));
    }

    /// Whether the first notice has arrived everywhere.
    pub(super) fn is_first_done(&self) -> bool {
        matches!(self.first, Some((_, 0)))
    }

    /// What has arrived since the last call.
    pub(super) fn arrived(&mut self) -> Vec<Mark> {
        std::mem::take(&mut self.arrived)
    }

    /// Whether anything has.
    pub(super) fn has_arrived(&self) -> bool {
        !self.arrived.is_empty()
    }

    fn done(&mut self, mark: Mark) {
        self.arrived.push(mark);
        if let Some((first, places)) = &mut self.first
            && *first == mark
        {
            *places = places.saturating_sub(1);
        }
    }
}

/// A target that tells which notices have arrived.
pub(super) struct Marked<T> {
    inner: T,
    at: usize,
    marks: Rc<RefCell<Marks>>,
    newest: Number,
    /// What it was handed, in order.
    open: VecDeque<(Number, Mark)>,
    /// What it has done and was not looked at.
    done: Vec<Progress>,
}

impl<T> Marked<T> {
    pub(super) const fn new(inner: T, at: usize, marks: Rc<RefCell<Marks>>) -> Self {
        Self {
            inner,
            at,
            marks,
            newest: 0,
            open: VecDeque::new(),
            done: Vec::new(),
        }
    }

    /// A refused notice counts too: nobody is to send it again.
    fn look(&mut self, into: &mut Vec<Progress>) {
        let mut marks = self.marks.borrow_mut();
        for progress in &self.done {
            match progress {
                Progress::One(_, Outcome::Again(_)) => {}
                Progress::One(number, _) => {
                    if let Some(at) = self.open.iter().position(|(open, _)| open == number)
                        && let Some((_, mark)) = self.open.remove(at)
                    {
                        marks.done(mark);
                    }
                }
                Progress::Through(last) => {
                    while let Some((_, mark)) = self.open.pop_front_if(|(open, _)| *open <= *last) {
                        marks.done(mark);
                    }
                }
            }
        }
        into.append(&mut self.done);
    }
}

impl Marked<Way<'_>> {
    pub(super) async fn close(self) -> Result<()> {
        match self.inner {
            Way::Server(target) => target.close().await,
            Way::Webhook(_) | Way::Exec(_) | Way::Output(_) => Ok(()),
        }
    }
}

impl<T: Target> Target for Marked<T> {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn has_room(&self) -> bool {
        self.inner.has_room()
    }

    fn is_idle(&self) -> bool {
        self.done.is_empty() && self.inner.is_idle()
    }

    fn unsent(&self) -> u64 {
        self.inner.unsent()
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        // What goes again has its number already.
        if number > self.newest {
            self.newest = number;
            let mark = self.marks.borrow_mut().sent[self.at].pop_front();
            self.open.extend(mark.flatten().map(|mark| (number, mark)));
        }
        self.inner.take(number, message)
    }

    fn finish(&mut self) {
        self.inner.finish();
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        let driven = match self.done.is_empty() {
            true => self.inner.drive(&mut self.done).await,
            false => Ok(()),
        };
        self.look(into);
        driven
    }
}
