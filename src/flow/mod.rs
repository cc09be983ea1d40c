//! Carries messages from a source through stages to a target, and settles each with the source only when the target has it.
//!
//! It knows no protocol and no flags. A command brings a [`Source`] (a subscription, a queue, an observation), a [`Target`]
//! (standard output, a command for each message) and what is to happen in between ([`Stages`]) and until when ([`Until`]);
//! [`run()`] is the one loop of deadlines, counts, flushing, signals and acknowledgements.
//!
//! ```text
//! Source ── arrivals ──> Stages ── messages ──> Target
//!    ^                                            │
//!    └────── settled, in order <── Ledger <── outcomes
//! ```
//!
//! | part | what it is for |
//! |---|---|
//! | [`Source`], [`Target`] | the two ends, as traits with static dispatch |
//! | [`ledger`] | which arrivals are not settled yet; pure |
//! | [`until`] | count, time, silence or a condition that ends a flow; pure, on a virtual clock |
//! | [`stages`] | which messages pass |
//! | [`exec`] | the target that runs a command for each message |
//! | [`printed`] | the target that shows messages on standard output |

mod engine;
pub mod exec;
pub mod ledger;
pub mod printed;
pub mod stages;
pub mod until;

pub use engine::run;
pub use exec::{Commands, Exec};
pub use ledger::Ledger;
pub use printed::Printed;
pub use stages::Stages;
pub use until::Until;

use crate::error::{Error, Result};
use crate::message::Message;

/// The number of an arrival: 1, 2, 3 … in the order in which its source handed it out.
pub type Number = u64;

/// What comes next from a source.
#[derive(Debug)]
pub enum Next {
    /// A message.
    Message(Message),
    /// A message that nobody asked for; it is settled like any other.
    Skipped,
    /// The connection is gone, and with it all that was handed out and not settled: the server delivers that again.
    Lost,
    /// There is nothing more to wait for; the error is the reason where this is a failure.
    End(Result<()>),
}

/// What became of a message at its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target has it.
    Accepted,
    /// The target does not want it: the command for it failed.
    Refused,
    /// The target does not want it now: it may come again.
    Again,
    /// It did not get to the target: `--filter` did not let it pass.
    Filtered,
}

/// Where messages come from. It keeps its connection alive and comes back when that is lost.
pub trait Source {
    /// Waits until [`Source::take`] has something, or everything that waited to be sent is sent. Cancel-safe.
    ///
    /// # Errors
    /// What ends the source for good.
    fn drive(&mut self) -> impl Future<Output = Result<()>>;

    /// Waits without reading, so that the server is slowed down; the keep-alive goes on. Returns only when the connection
    /// cannot go on. Cancel-safe.
    fn hold(&mut self) -> impl Future<Output = Error>;

    /// Hands over what came, one after the other, for as long as `sink` wants more. It is called with a closure, and not
    /// asked for one after the other, so that a message is moved once.
    ///
    /// # Errors
    /// What ends the source for good; those of `sink`.
    fn take(&mut self, sink: impl FnMut(Next) -> Result<bool>) -> Result<()>;

    /// The next `count` arrivals, in the order in which they were handed out, are done with: acknowledge them.
    fn settle(&mut self, count: u64);

    /// This became of one arrival, whatever came before it; [`Source::settle`] counts it too. For sources that may
    /// acknowledge in any order, or say more than that it is done with.
    fn settle_one(&mut self, number: Number, outcome: Outcome) {
        let _ = (number, outcome);
    }

    /// What the source still waits for before messages can come: `no connection to …`; `None` once they can.
    fn awaits(&self) -> Option<String>;
}

/// Where messages go.
pub trait Target {
    /// Whether another message of what came already can be taken at once.
    fn has_room(&self) -> bool;

    /// Whether the source may be read on while what is under way is under way.
    fn is_free(&self) -> bool;

    /// Whether nothing is under way.
    fn is_idle(&self) -> bool;

    /// Takes a message; never waits. Only called while there is room.
    ///
    /// # Errors
    /// What makes it impossible to go on at all.
    fn take(&mut self, number: Number, message: Message) -> Result<()>;

    /// Waits for the next progress; only called while something is under way. Cancel-safe.
    ///
    /// # Errors
    /// What makes it impossible to go on at all.
    fn drive(&mut self) -> impl Future<Output = Result<Progress>>;

    /// Returns when nobody is there any more to take messages; never, if that cannot be known. Only called while nothing
    /// is under way. Cancel-safe.
    fn gone(&mut self) -> impl Future<Output = ()>;
}

/// What a target has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has every message up to this one.
    Through(Number),
    /// This is what became of one message.
    One(Number, Outcome),
}
