//! What an endpoint has to say.

use std::time::Duration;

use super::request::{Handle, Partial, Peer, Reply};
use super::serving::{Exchange, Incoming};
use crate::coap::code::Code;
use crate::coap::frame::{BadFrame, Csm};
use crate::coap::message::Malformed;
use crate::coap::option::Unfit;
use crate::coap::oscore::Fault;
use crate::error::brief;

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The response to a request. The request has ended, unless it was to a group.
    Reply {
        /// The request.
        handle: Handle,
        /// The response.
        reply: Reply,
    },
    /// A notification of an observed resource; the first one is the answer to the registration.
    Notification {
        /// The request.
        handle: Handle,
        /// The value of Observe, 24 bits.
        sequence: u32,
        /// The notification.
        reply: Reply,
    },
    /// A request has ended without (further) response: the group's window is over, the observation is
    /// deregistered, or No-Response was obeyed.
    Finished {
        /// The request.
        handle: Handle,
    },
    /// A request has ended without its response.
    Failed {
        /// The request.
        handle: Handle,
        /// Why.
        failure: Failure,
        /// The part of the body that had come.
        partial: Option<Partial>,
    },
    /// The answer to a ping.
    Pong {
        /// The ping.
        handle: Handle,
        /// From the first transmission to the answer.
        elapsed: Duration,
        /// How often it was sent again.
        retransmitted: u32,
    },
    /// An empty acknowledgement: the response will come separately.
    Acknowledged {
        /// The request.
        handle: Handle,
    },
    /// A message was sent again.
    Retransmitted {
        /// The request.
        handle: Handle,
        /// 1 for the first retransmission.
        attempt: u8,
        /// How many there will be at most.
        of: u8,
    },
    /// A block-wise transfer went on.
    Progress {
        /// The request.
        handle: Handle,
        /// Bytes of the request's body that were taken.
        sent: usize,
        /// Bytes of the response's body that came, those of a resumed download's beginning included.
        received: usize,
        /// The size of the response's body where the server says it.
        total: Option<usize>,
    },
    /// Notifications are left out since their numbers do not go up; told once for an observation.
    NumbersStandStill {
        /// The request.
        handle: Handle,
        /// The number of the last one that counted.
        last: u32,
        /// The number of one that came later.
        found: u32,
    },
    /// Nothing came within Max-Age; the observation is registered again.
    Reregistered {
        /// The request.
        handle: Handle,
    },
    /// A request of a peer's, whole; to be answered by [`super::Endpoint::respond`].
    Incoming(Incoming),
    /// An observer is gone.
    ObserverGone {
        /// Its registration.
        exchange: Exchange,
        /// Why.
        gone: Gone,
    },
    /// The peer has said what it can (reliable transports).
    Capabilities {
        /// The connection.
        peer: Peer,
        /// What it said.
        csm: Csm,
    },
    /// The connection is to be closed once what waits is sent (reliable transports).
    Close {
        /// The connection.
        peer: Peer,
        /// Why.
        closing: Closing,
    },
    /// Message ids are used again while the peer may still remember them (RFC 7252 §4.4); told once.
    IdsAgain {
        /// The peer.
        peer: Peer,
    },
    /// Something came that nobody waits for, or that is no CoAP.
    Ignored {
        /// Who sent it.
        peer: Peer,
        /// What it was.
        ignored: Ignored,
    },
}

/// Why a request has no response. The texts are for a line of the user's.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// Its deadline passed.
    #[error("{}", timed_out(*.acknowledged, *.after, *.stray))]
    TimedOut {
        /// Whether the request had been acknowledged.
        acknowledged: bool,
        /// What the peer sent instead, last.
        stray: Option<Ignored>,
        /// The wait.
        after: Duration,
    },
    /// All retransmissions went unanswered.
    #[error("no response to {transmissions} transmissions")]
    GaveUp {
        /// How often it was sent.
        transmissions: u32,
    },
    /// The peer answered with a reset.
    #[error("the peer rejected the message (reset)")]
    Reset,
    /// The operating system says that nobody listens there.
    #[error("port unreachable (ICMP)")]
    Unreachable,
    /// The response breaks the protocol.
    #[error("protocol violation in the response: {0}")]
    Broken(Broken),
    /// The body is larger than allowed.
    #[error("the response is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The resource changed again and again while its blocks were fetched.
    #[error("the resource changed while it was being read")]
    Changed,
    /// The connection ended.
    #[error("the connection ended: {0}")]
    Disconnected(Loss),
    /// The response to a protected request cannot be opened.
    #[error(transparent)]
    Protection(#[from] Fault),
    /// The request cannot be written.
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Loss {
    /// In words.
    pub why: String,
    /// The alert of TLS that the peer ended it with.
    pub alert: Option<u8>,
    /// What was waited for did not come in time.
    pub timed_out: bool,
}

impl<T: Into<String>> From<T> for Loss {
    fn from(why: T) -> Self {
        let why = why.into();
        Self {
            why,
            alert: None,
            timed_out: false,
        }
    }
}

impl From<&Closing> for Loss {
    fn from(closing: &Closing) -> Self {
        Self {
            timed_out: matches!(closing, Closing::LateCsm | Closing::Silent),
            ..Self::from(closing.to_string())
        }
    }
}

fn timed_out(acknowledged: bool, after: Duration, stray: Option<Ignored>) -> String {
    let seconds = after.as_secs_f64();
    let seen = if acknowledged {
        "the request was acknowledged, but no response arrived"
    } else {
        "no response"
    };
    let instead = stray.map(|it| format!(", only {it}")).unwrap_or_default();
    format!("{seen} within {seconds} s{instead}")
}

/// How a response breaks the protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// An option that must be understood is not, or is malformed or repeated.
    #[error("{0}")]
    CriticalOption(Unfit),
    /// A block is not the one that was asked for.
    #[error("received the block at byte {found} instead of the one at byte {expected}")]
    Gap {
        /// Where it should begin.
        expected: usize,
        /// Where it begins.
        found: usize,
    },
    /// A block is shorter or longer than it says.
    #[error("a block of {length} bytes does not have the announced size")]
    BlockLength {
        /// Its length.
        length: usize,
    },
    /// The reserved block size 7 on a datagram.
    #[error("the block size 7 is reserved")]
    BlockSize,
    /// More blocks than a block option can count.
    #[error("the body has too many blocks")]
    BlockNumber,
    /// A block of an upload was answered as if it were another one.
    #[error("the server acknowledged block {found} of the upload instead of block {expected}")]
    OtherBlock {
        /// The number of the block that was sent.
        expected: u32,
        /// The number of the block that is acknowledged.
        found: u32,
    },
    /// A blockwise upload was answered before it was whole.
    #[error("the server ended the upload after {sent} bytes")]
    Unfinished {
        /// The bytes that had been sent.
        sent: usize,
    },
    /// A success that answers nothing that was asked.
    #[error("received {code:?} {why}")]
    Misplaced {
        /// The code of the response.
        code: Code,
        /// What it cannot answer.
        why: &'static str,
    },
}

/// Why an observer is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It asked to be removed.
    Deregistered,
    /// It answered a notification with a reset.
    Reset,
    /// It did not acknowledge a notification.
    Silent,
    /// The last notification was an error, or without Observe.
    Ended,
    /// It registered again with the same token.
    Replaced,
    /// There are too many.
    Crowded,
    /// Its connection ended, or nobody listens there any more.
    Unreachable,
}

/// Why a connection is to be closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closing {
    /// The peer sent Release.
    #[error("the peer released the connection{}", released(*.hold_off, .why))]
    Released {
        /// How long it wants to be left alone (Hold-Off).
        hold_off: Duration,
        /// What it said to people, if anything.
        why: String,
    },
    /// The peer sent Abort, with this text.
    #[error("the peer aborted the connection: {}", brief(.0))]
    Aborted(String),
    /// What came is no CoAP.
    #[error("{0}")]
    Frame(#[from] BadFrame),
    /// A critical option of a signal is not understood.
    #[error("option {0} of a signal is critical and not understood")]
    SignalOption(u16),
    /// The peer's first message was not its CSM.
    #[error("the peer's first message was not CSM")]
    NoCsm,
    /// The peer has not sent its CSM in time.
    #[error("the peer has not sent its CSM in time")]
    LateCsm,
    /// The peer has been silent for too long, asked though it was.
    #[error("the peer has been silent for too long")]
    Silent,
    /// Unfinished messages take too much memory.
    #[error("no room for a message of this size at the moment")]
    Crowded,
}

fn released(hold_off: Duration, why: &str) -> String {
    let why = match why {
        "" => String::new(),
        why => format!(": {}", brief(why)),
    };
    match hold_off.as_secs() {
        0 => why,
        seconds => format!(" for at least {seconds} s{why}"),
    }
}

/// What was ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// It is no CoAP message.
    #[error("not a CoAP message: {0}")]
    Malformed(#[from] Malformed),
    /// A response whose token nobody waits for.
    #[error("a response with an unknown token")]
    Token,
    /// A response in an acknowledgement of something else.
    #[error("a response piggybacked on the acknowledgement of another message")]
    MessageId,
    /// The same message again.
    #[error("a duplicate")]
    Duplicate,
    /// A notification that is older than the last one.
    #[error("a notification that is older than the last one")]
    Stale,
    /// A request, though none are served.
    #[error("an unexpected request")]
    Request,
    /// A request in an acknowledgement or reset, or a response where none can be.
    #[error("a message of an invalid type")]
    Type,
    /// A request that is protected by OSCORE and cannot be opened.
    #[error(transparent)]
    Protection(#[from] Fault),
    /// The rest of a large notification could not be fetched.
    #[error("a notification whose remaining blocks could not be fetched")]
    Torn,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_says_is_shown_in_a_line() {
        let why = "x".repeat(60_000);
        let released = Closing::Released {
            hold_off: Duration::ZERO,
            why: why.clone(),
        };
        for closing in [released, Closing::Aborted(why)] {
            let text = closing.to_string();
            assert!(
                text.ends_with("x… (60000 bytes)") && text.len() < 300,
                "{text}"
            );
        }
    }
}
