//! One request of ours while it goes on.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::client::Client;
use super::core::Core;
use super::request::{Arrived, Handle, Peer, Request};
use super::transfer::{Limits, Transfer};
use crate::coap::block::Szx;
use crate::coap::code::Code;
use crate::coap::frame::Csm;
use crate::coap::message::{Message, Token, Type};
use crate::coap::option::{self, Options};

/// The longest wait: an instant must be able to count it.
pub(super) const FOREVER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// What a message has beside its body and the options of the application, at most, in bytes: length, code, token,
/// Observe, Block1, Block2, Size1, Request-Tag and the marker (RFC 8323 §3.2).
const OVERHEAD: usize = 48;

/// Room for the options of the application where they are not known.
const OPTIONS: usize = 64;

/// What OSCORE adds: its option, the inner code and the tag (RFC 8613 §5, §6.1).
const PROTECTION: usize = 64;

/// The largest BERT block that is sent, in bytes.
const LARGEST_BERT: usize = 256 << 10;

#[derive(Debug)]
pub(super) struct Flow {
    /// Under which name the caller knows it; that of its parent for the rest of an answer to a group.
    pub(super) handle: Handle,
    pub(super) parent: Option<u64>,
    pub(super) request: Request,
    pub(super) transfer: Transfer,
    pub(super) started: Instant,
    /// The message that waits for an answer: its token and id.
    pub(super) in_flight: Option<(Token, u16)>,
    pub(super) acknowledged: bool,
    pub(super) retransmitted: u32,
    pub(super) echo: Option<Bytes>,
    /// Echo challenges since the last progress.
    pub(super) echoes: u8,
    pub(super) observation: Option<Observation>,
    pub(super) group: Option<Group>,
    /// Waits for the connection's CSM.
    pub(super) held: bool,
    /// Its answer came without the protection that it was asked under: an error, which anybody may have sent.
    pub(super) bare: bool,
    /// Silence is what No-Response asked for.
    pub(super) quiet: bool,
}

/// Who has answered a multicast request.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) seen: HashSet<Peer>,
    /// Answers whose remaining blocks are still being fetched.
    pub(super) children: usize,
    pub(super) over: bool,
}

/// An observation (RFC 7641).
#[derive(Debug)]
pub(super) struct Observation {
    pub(super) token: Token,
    /// The next message is the registration, again or for the first time, or the deregistration.
    pub(super) registering: bool,
    pub(super) registered: bool,
    pub(super) ending: bool,
    /// The last notification's sequence and time.
    pub(super) last: Option<(u32, Instant)>,
    /// It was told that the numbers do not go up.
    pub(super) told: bool,
}

impl Observation {
    pub(super) const fn new(token: Token) -> Self {
        Self {
            token,
            registering: true,
            registered: false,
            ending: false,
            last: None,
            told: false,
        }
    }

    /// Whether a notification is newer than the last one (RFC 7641 §3.4). Where OSCORE numbers them, time does not
    /// count: an old one may be a replay (RFC 8613 §7.4.1).
    pub(super) fn is_fresh(&self, now: Instant, sequence: u32, numbered: bool) -> bool {
        const HALF: u32 = 1 << 23;
        let Some((last, at)) = self.last else {
            return true;
        };
        let ahead = sequence.wrapping_sub(last) & 0xFF_FFFF;
        (ahead != 0 && ahead < HALF) || !numbered && now > at + Duration::from_secs(128)
    }

    /// The last number, when one that is not fresh cannot have been overtaken on its way: it is the same again, or far
    /// behind, or comes late. The server counts wrongly, or anew.
    pub(super) fn stands_still(&self, now: Instant, sequence: u32) -> Option<u32> {
        const OVERTAKEN: u32 = 64;
        const LATE: Duration = Duration::from_secs(30);
        let (last, at) = self.last?;
        let behind = last.wrapping_sub(sequence) & 0xFF_FFFF;
        (behind == 0 || behind > OVERTAKEN || now > at + LATE).then_some(last)
    }
}

impl Flow {
    pub(super) fn new(core: &mut Core, now: Instant, handle: Handle, request: Request) -> Self {
        let limits = limits_of(core, &request, None);
        Self {
            handle,
            parent: None,
            transfer: Transfer::new(&request, tag(core), limits),
            started: now,
            in_flight: None,
            acknowledged: false,
            retransmitted: 0,
            echo: None,
            echoes: 0,
            observation: None,
            group: request.group.map(|_| Group::default()),
            held: false,
            bare: false,
            quiet: false,
            request,
        }
    }

    /// The same request from the beginning: for a registration, or after a change.
    pub(super) fn begin_again(&mut self, core: &mut Core) {
        let limits = self.limits(core);
        self.transfer = Transfer::new(&self.request, tag(core), limits);
    }

    /// What the transport allows for this request.
    pub(super) fn limits(&self, core: &Core) -> Limits {
        limits_of(core, &self.request, self.echo.as_ref())
    }

    /// The next message, without its id. `None` when its block's number cannot be counted.
    pub(super) fn message(&self, token: Token, limits: Limits) -> Option<Message> {
        let kind = if self.request.confirmable && self.group.is_none() {
            Type::Con
        } else {
            Type::Non
        };
        let mut message = Message::new(kind, self.request.method, 0, token);
        (message.options, message.payload) = self.content(limits)?;
        Some(message)
    }

    fn content(&self, limits: Limits) -> Option<(Options, Bytes)> {
        let (mut options, mut payload) = self.transfer.build(&self.request, limits)?;
        if let Some(observation) = self.observation.as_ref().filter(|it| it.registering) {
            options.set_uint(option::OBSERVE, observation.ending.into());
            if observation.ending && self.request.method == Code::GET {
                payload = Bytes::new();
            }
        }
        if let Some(echo) = &self.echo {
            options.set(option::ECHO, echo.clone());
        }
        Some((options, payload))
    }

    /// The token of the next message: the observation's own, the caller's, or a new one.
    pub(super) fn next_token(&self, core: &mut Core) -> Token {
        match (&self.observation, self.request.token) {
            (Some(observation), _) if observation.registering => observation.token,
            (None, Some(token)) => token,
            _ => core.token(),
        }
    }

    pub(super) fn deadline(&self, core: &Core) -> Duration {
        let said = self.request.deadline;
        said.unwrap_or(core.config.exchange_lifetime).min(FOREVER)
    }

    /// Whether a registered observation goes on whatever becomes of the blocks that are being fetched.
    pub(super) fn survives(&self) -> bool {
        let observation = self.observation.as_ref();
        observation.is_some_and(|it| it.registered && !it.registering && !it.ending)
    }

    /// Whether an observation is being registered again: notifications of before may still be on their way.
    pub(super) fn is_renewed(&self) -> bool {
        let observation = self.observation.as_ref();
        observation.is_some_and(|it| it.registered && it.registering && !it.ending)
    }
}

impl Client {
    pub(super) fn arrived(&self, handle: Handle) -> Option<Arrived<'_>> {
        self.flows.get(&handle.0)?.transfer.arrived()
    }
}

fn tag(core: &mut Core) -> Bytes {
    option::uint_bytes(core.random.next() >> 32)
}

/// The same for this request.
fn limits_of(core: &Core, request: &Request, echo: Option<&Bytes>) -> Limits {
    let values = request.options.iter().map(|it| it.1).chain(echo);
    // Each has five bytes in front of its value at most (RFC 7252 §3.1).
    limits_with(core, request.peer, values.map(|it| it.len() + 5).sum())
}

/// What the transport to this peer allows.
pub(super) fn limits(core: &Core, peer: Peer) -> Limits {
    limits_with(core, peer, OPTIONS)
}

/// The same where the options take so many bytes.
fn limits_with(core: &Core, peer: Peer, options: usize) -> Limits {
    let body = core.config.body_limit;
    if !core.is_reliable() {
        let (szx, whole, bert) = (Szx::MAX, Szx::MAX.size(), 0);
        return Limits {
            szx,
            asked: szx,
            taken: szx,
            whole,
            bert,
            body,
        };
    }
    let csm = core.capabilities(peer);
    let protected = core.protection.asking.contains_key(&peer);
    let beside = OVERHEAD + options + if protected { PROTECTION } else { 0 };
    let room = csm.max_message_size.saturating_sub(beside);
    let several = csm.allows_bert() && room >= Szx::BERT.size();
    Limits {
        szx: match several {
            true => Szx::BERT,
            false => Szx::fitting(room),
        },
        asked: largest(csm),
        taken: largest(core.csm()),
        whole: room.max(Szx::MIN.size()),
        bert: (room.min(LARGEST_BERT) / 1024 * 1024).max(1024),
        body,
    }
}

/// The largest block that the sender of this CSM takes.
const fn largest(csm: Csm) -> Szx {
    match csm.allows_bert() {
        true => Szx::BERT,
        false => Szx::MAX,
    }
}
