//! Carries messages from a source through stages to a target, and settles each with the source only when the target has it.
//!
//! It knows no protocol and no flags. A command brings a [`Source`] (a subscription, a queue, an observation, an [`Input`]), a
//! [`Target`] (standard output, a command for each message, a publisher) and what is to happen in between ([`Stages`]) and until
//! when ([`Until`]); [`run()`] is the one loop of deadlines, counts, flushing, signals and acknowledgements. [`send()`] is the same
//! loop for messages that are to be sent, all of them, with an account of what became of them.
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
//! | [`alarm`] | what readings mean over time: states, timers, silences; pure, on a virtual clock |
//! | [`journal`] | lines on the disk that survive a crash |
//! | [`merged`], [`fan`] | several sources as one; several targets as one, and what decides which of them get a message |
//! | [`mapped`] | messages that become several, or none, on their way to their target |
//! | [`account`] | how many messages were taken, and what became of them; pure |
//! | [`reasons`] | why messages failed, and how many for the same reason; pure |
//! | [`input`], [`pacing`] | the source of what is to be sent, and when each message is due |
//! | [`replay`] | recordings as a source, each message when it is due |
//! | [`until`] | count, time, silence or a condition that ends a flow; pure, on a virtual clock |
//! | [`recent`] | which messages a server delivers again; pure |
//! | [`stages`], [`decompress`], [`decode`] | which messages pass, and how their bodies are read |
//! | [`select`] | which of them are passed on: a sample, those that changed, not too many of a topic |
//! | [`findings`], [`sequence`], [`statistics`] | what is found out about them: gaps, age, figures |
//! | [`receive`] | what all commands that receive have in common |
//! | [`attended`] | a source that may be ended, and is looked at |
//! | [`ready`] | tells others when messages can come |
//! | [`exec`] | the target that runs a command for each message |
//! | [`webhook`] | the target that posts each message to a URL |
//! | [`printed`] | the target that shows messages on standard output |
//! | [`stored`] | the target that keeps messages in a store |
//! | [`dedup`] | messages with a key that was there before are skipped |
//! | [`spooled`] | a target behind a queue on the disk |
//! | [`reported`] | the target that prints what became of each message |
//! | [`request`], [`answer`] | requests and the replies to them; what requests are answered with |
//! | [`latency`] | how long answers take |
//! | [`mod@rate`], [`tree`] | the targets that show how many there are, and of which topics |

pub(crate) mod account;
pub mod alarm;
pub(crate) mod answer;
pub(crate) mod attended;
pub(crate) mod decode;
pub(crate) mod decompress;
pub(crate) mod dedup;
mod engine;
pub(crate) mod exec;
pub(crate) mod fan;
pub(crate) mod findings;
pub(crate) mod input;
pub mod journal;
pub(crate) mod latency;
pub(crate) mod ledger;
mod mapped;
pub(crate) mod merged;
mod one_of;
pub(crate) mod pacing;
mod patient;
pub(crate) mod printed;
pub(crate) mod rate;
pub(crate) mod ready;
mod reasons;
pub(crate) mod receive;
pub(crate) mod recent;
pub(crate) mod replay;
pub(crate) mod reported;
pub(crate) mod request;
mod resend;
pub(crate) mod select;
mod sequence;
pub(crate) mod spooled;
pub(crate) mod stages;
mod statistics;
pub(crate) mod stored;
mod together;
mod tree;
pub(crate) mod until;
pub mod webhook;

pub use account::{Account, Backlog, Unit};
pub use answer::{Answer, Answers};
pub use dedup::{Dedup, Deduped};
pub use engine::{deliver, pass, pass_as, run, send};
pub use exec::{Commands, Exec};
pub use fan::{Fan, Outgoing, Refusals, Routed, Router};
pub use input::Input;
pub use ledger::Ledger;
pub use mapped::send_mapped;
pub use merged::{Merged, Origin};
pub(crate) use one_of::target_of;
pub use pacing::{Pacing, Rate};
pub use patient::Patient;
pub use printed::Printed;
pub use rate::Counted;
pub use ready::{Announcement, Ready};
pub use receive::{Receiver, Summary};
pub use reported::{AckReport, Reported};
pub use request::{Asking, Replies, Requester, Strangers};
pub use resend::twice;
pub use spooled::Spooled;
pub use stages::Stages;
pub use stored::Stored;
pub(crate) use together::any;
pub use tree::Tree;
pub use until::Until;

use serde_json::Value;

use crate::error::{Cause, Error, Result};
use crate::message::Message;

/// The number of an arrival: 1, 2, 3 … in the order in which its source handed it out.
pub type Number = u64;

/// What comes next from a source.
#[derive(Debug)]
pub enum Next {
    /// A message.
    Message(Message),
    /// A message that was handed out before, over a connection that was lost meanwhile.
    Again(Message),
    /// A message that nobody asked for; it is settled like any other.
    Skipped,
    /// A message that cannot be what it is to be made of; it is counted, and the others go on.
    Refused(Error),
    /// The connection is gone, and with it all that was handed out and not settled: the server delivers that again.
    Lost,
    /// All that there was has come: a failure where a count was not reached.
    Complete,
    /// There is nothing more to wait for; the error is the reason where this is a failure.
    End(Result<()>),
}

impl Next {
    /// Only whether it is a failure matters; more is wanted.
    pub(crate) fn failed(self) -> Result<bool> {
        match self {
            Self::End(Err(error)) => Err(error),
            _ => Ok(true),
        }
    }
}

/// What became of a message at its target.
#[derive(Debug)]
pub enum Outcome {
    /// The target has it.
    Accepted,
    /// The target does not want it, now or later, and says why.
    Refused(Error),
    /// The target does not want it, which was to be expected: it is given up.
    Dropped(Error),
    /// The target does not want it; the one for such messages has it.
    DeadLettered,
    /// No target was to get it.
    Filtered,
    /// Another one with the same key is there.
    Duplicate,
    /// Its lifetime was over before a target could take it.
    Expired,
    /// It may have arrived or not; to send it again could double it. The connection was lost, unless there is another cause.
    InDoubt(Option<Error>),
    /// The connection was lost before the target had it: it is to go there again, before any other.
    Again(Box<Message>),
}

impl Outcome {
    /// What a source is told of it.
    pub(crate) fn fate(&self) -> Fate {
        match self {
            Self::Accepted | Self::DeadLettered | Self::Expired | Self::Duplicate => Fate::Accepted,
            Self::Dropped(why) => match why.cause() {
                Some(Cause::HopLimit) => Fate::TooFar,
                _ => Fate::Dropped,
            },
            Self::Filtered => Fate::Filtered,
            Self::Refused(_) | Self::InDoubt(_) | Self::Again(_) => Fate::Refused,
        }
    }
}

/// What a source is told of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The target has it.
    Accepted,
    /// The target does not want it.
    Refused,
    /// The target does not want it, and it is given up.
    Dropped,
    /// It has been passed on too often, and is given up.
    TooFar,
    /// It was not let through.
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

    /// This became of one arrival, whatever became of those before it; [`Source::settle`] counts it too. For sources that
    /// may acknowledge in any order, or say more than that it is done with.
    fn settle_one(&mut self, number: Number, fate: Fate) {
        let _ = (number, fate);
    }

    /// Whether who sends a message is answered with what becomes of it: that it is refused is for them to see, and must not end
    /// what others send.
    fn answers(&self) -> bool {
        false
    }

    /// What the source still waits for before messages can come: `no connection to …`; `None` once they can.
    fn awaits(&self) -> Option<String>;

    /// How many messages were read and not handed over.
    fn unsent(&self) -> u64 {
        0
    }
}

/// Where messages go. It keeps its connection alive and comes back when that is lost.
///
/// What it takes is either kept until its outcome is known, and sent again over the next connection (as an MQTT session
/// demands it), or given back as [`Outcome::Again`]. A window bounds what is under way, in messages and in bytes.
pub trait Target {
    /// What the user calls it: `mqtt://host:1883`.
    fn name(&self) -> String;

    /// What it takes, for the words of the account.
    fn unit(&self) -> Unit {
        Unit::Message
    }

    /// Whether another message of what came already can be taken at once.
    fn has_room(&self) -> bool;

    /// Whether the source may be read on while what is under way is under way.
    fn is_free(&self) -> bool {
        self.has_room()
    }

    /// Whether what it was told is done with is kept for a later run until it has arrived; then a flow that ends in time may leave
    /// before that.
    fn keeps(&self) -> bool {
        false
    }

    /// Whether nothing is under way and every outcome was told.
    fn is_idle(&self) -> bool;

    /// Whether anything is said of such a message from the source with this index.
    fn covers(&self, source: usize, message: &Message) -> bool {
        let _ = (source, message);
        true
    }

    /// How many messages it has taken and not sent.
    fn unsent(&self) -> u64 {
        0
    }

    /// What it keeps on the disk of what it was told is done with, and what became of the rest.
    fn backlog(&self) -> Option<Backlog> {
        None
    }

    /// Takes a message; never waits. Only called while there is room. A message that cannot be sent at all is an
    /// [`Outcome::Refused`] like any other.
    ///
    /// # Errors
    /// What makes it impossible to go on at all.
    fn take(&mut self, number: Number, message: Message) -> Result<()>;

    /// Nothing more comes: where outcomes are not told one by one, all that was taken is to be proved now.
    fn finish(&mut self) {}

    /// What the protocol has to say about the outcome that was just told, for a report; asked for once.
    fn details(&mut self, number: Number) -> Vec<(&'static str, Value)> {
        let _ = number;
        Vec::new()
    }

    /// Does what there is to do, and appends what became of messages; while nothing is under way it only keeps its
    /// connection, and returns at its leisure. Cancel-safe.
    ///
    /// # Errors
    /// What makes it impossible to go on at all; [`Kind::ReaderGone`](crate::error::Kind::ReaderGone) when there is nobody any more to take messages. What was
    /// appended is true all the same.
    fn drive(&mut self, into: &mut Vec<Progress>) -> impl Future<Output = Result<()>>;
}

/// What a target has done.
#[derive(Debug)]
pub enum Progress {
    /// It has every message up to this one.
    Through(Number),
    /// This is what became of one message.
    One(Number, Outcome),
}

impl Progress {
    /// Whether nobody knows what became of the message.
    pub(crate) const fn is_in_doubt(&self) -> bool {
        matches!(self, Self::One(_, Outcome::InDoubt(_)))
    }
}
