//! Where notices go, and which of them have arrived there.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::command::ends::target::AnyTarget;
use crate::error::{Result, counted};
use crate::flow::alarm::Mark;
use crate::flow::attended::Taking;
use crate::flow::webhook::Webhook;
use crate::flow::{Commands, Number, Outcome, Printed, Progress, Refusals, Target, target_of};
use crate::message::Message;
use crate::output::Output;

/// One of the targets.
pub(crate) enum Way<'a> {
    Server(AnyTarget<'a>),
    Webhook(Box<Webhook>),
    Exec(Commands<'a>),
    Output(Box<Printed<Output>>),
}

target_of!(Way<'_>: Server Webhook Exec Output);

/// The same for who sends and for who delivers.
pub(crate) type SharedMarks = Rc<RefCell<Marks>>;

/// Which messages are which notices, from who sends them to who knows what became of them.
#[derive(Debug)]
pub(crate) struct Marks {
    /// Of the messages that each target will get, in order: the notices that they are.
    sent: Vec<VecDeque<Vec<Mark>>>,
    /// What has arrived, and nobody has looked at.
    arrived: Vec<Mark>,
    /// What was refused, until a letter tells of it.
    refused: Vec<Mark>,
    /// Of the first notice: in how many places it has not arrived.
    first: Option<(Mark, u32)>,
    /// How many notices were begun, and in how many places such have not arrived.
    begun: u64,
    open: u64,
}

impl Marks {
    pub(crate) fn new(targets: usize) -> Self {
        Self {
            sent: vec![VecDeque::new(); targets],
            arrived: Vec::new(),
            refused: Vec::new(),
            first: None,
            begun: 0,
            open: 0,
        }
    }

    /// Everything has arrived: for who only looks.
    pub(crate) fn all_arrive(&mut self) {
        let sent = self.sent.iter_mut().flat_map(|queue| queue.drain(..));
        let sent: Vec<Mark> = sent.flatten().collect();
        sent.into_iter().for_each(|mark| self.done(mark));
    }

    /// The next message to this target is this notice, or none.
    pub(crate) fn send(&mut self, target: usize, mark: Option<Mark>) {
        self.sent[target].push_back(mark.into_iter().collect());
    }

    /// The next message to this target tells of what was refused, which counts as told once that has arrived.
    pub(crate) fn send_letter(&mut self, target: usize) {
        let refused = std::mem::take(&mut self.refused);
        self.sent[target].push_back(refused);
    }

    /// A notice goes to so many places.
    pub(crate) fn begin(&mut self, mark: Mark, places: u32) {
        self.first.get_or_insert((mark, places));
        self.begun += 1;
        self.open += u64::from(places);
    }

    /// `2 notices`, and in how many places such have not arrived.
    pub(crate) fn told(&self) -> String {
        let notices = counted(self.begun, "notice");
        match self.open {
            0 => notices,
            open => format!("{notices}, {open} not delivered"),
        }
    }

    /// Where only the first notice is wanted: until it is begun it goes on, and it is over once it has arrived everywhere.
    pub(crate) fn taking(&self) -> Taking {
        match self.first {
            None => Taking::GoesOn,
            Some((_, 0)) => Taking::Over,
            Some(_) => Taking::Waits,
        }
    }

    /// What has arrived since the last call.
    pub(crate) fn arrived(&mut self) -> Vec<Mark> {
        std::mem::take(&mut self.arrived)
    }

    /// Whether anything has.
    pub(crate) fn has_arrived(&self) -> bool {
        !self.arrived.is_empty()
    }

    fn done(&mut self, mark: Mark) {
        self.arrived.push(mark);
        self.open = self.open.saturating_sub(1);
        if let Some((first, places)) = &mut self.first
            && *first == mark
        {
            *places = places.saturating_sub(1);
        }
    }
}

/// A target that tells each alert which of its notices have arrived.
pub(crate) struct Marked<T> {
    inner: T,
    at: usize,
    marks: Vec<SharedMarks>,
    refusals: Refusals,
    newest: Number,
    /// What it was handed, in order, each with the alert that it is of.
    open: VecDeque<(Number, usize, Mark)>,
    /// What it has done and was not looked at.
    done: Vec<Progress>,
}

impl<T> Marked<T> {
    pub(crate) const fn new(
        inner: T,
        at: usize,
        marks: Vec<SharedMarks>,
        refusals: Refusals,
    ) -> Self {
        Self {
            inner,
            at,
            marks,
            refusals,
            newest: 0,
            open: VecDeque::new(),
            done: Vec::new(),
        }
    }

    /// A refused notice is told where it is to be dropped, and where a letter tells of it; otherwise not, and it is told again
    /// after a restart.
    fn look(&mut self, into: &mut Vec<Progress>) {
        for progress in &self.done {
            let (first, last) = match progress {
                Progress::One(_, Outcome::Again(_)) => continue,
                Progress::One(number, _) => (*number, *number),
                Progress::Through(last) => (0, *last),
            };
            let is_refused = matches!(progress, Progress::One(_, Outcome::Refused(_)));
            let (marks, refusals) = (&self.marks, self.refusals);
            self.open.retain(|(number, alert, mark)| {
                let is_done = (first..=last).contains(number);
                if is_done {
                    let mut marks = marks[*alert].borrow_mut();
                    match refusals {
                        Refusals::Stop if is_refused => {}
                        Refusals::DeadLetter if is_refused => marks.refused.push(*mark),
                        _ => marks.done(*mark),
                    }
                }
                !is_done
            });
        }
        into.append(&mut self.done);
    }
}

impl<T> Marked<T> {
    /// The target, to close it.
    pub(crate) fn into_inner(self) -> T {
        self.inner
    }
}

impl Way<'_> {
    /// Ends the connection in good order.
    ///
    /// # Errors
    /// Those of the target.
    pub(crate) async fn close(self) -> Result<()> {
        match self {
            Self::Server(target) => target.close().await,
            Self::Webhook(_) | Self::Exec(_) | Self::Output(_) => Ok(()),
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
            for (alert, marks) in self.marks.iter().enumerate() {
                let sent = marks.borrow_mut().sent[self.at].pop_front();
                let sent = sent.into_iter().flatten();
                self.open.extend(sent.map(|mark| (number, alert, mark)));
            }
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
