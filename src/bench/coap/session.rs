//! One socket of a load that asks: requests, pings, or whole connections.

use std::sync::Arc;

use super::super::clock::Nanos;
use super::super::driver::{Broken, Io, Session};
use super::super::recorder::{Pending, Phase};
use super::super::stamp::Stamp;
use super::exchanges::{ExchangeTable, Found, MOST, State};
use super::figures::{
    CHALLENGES, DUPLICATES, EARLY_IDS, LATE, MALFORMED, PARTIAL, PIGGYBACKED, RESETS,
    RETRANSMISSIONS, SEPARATE,
};
use super::ids::Ids;
use super::mix::Mix;
use super::rto::RtoEstimator;
use super::signals::{self, Signal, heed, write_greeting};
use super::template::{Kind, Patch, Template};
use crate::coap::code::Code;
use crate::coap::option;
use crate::coap::wire::{ACK, CON, Content, Framing, NON, NotCoap, PREFIX, RST, Seen, write_empty};
use crate::error::Kind as Class;
use crate::random::Random;

/// Challenges that one request answers.
pub(super) const MOST_CHALLENGES: u8 = 2;

/// What the sockets of a group do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// They send requests.
    Ask,
    /// Each message is a ping.
    Ping,
    /// Each message is a connection: closed, and opened again.
    Connect,
    /// They are open.
    Idle,
    /// They observe.
    Observe,
}

/// What the sockets of a group have in common.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) role: Role,
    pub(super) framing: Framing,
    pub(super) kind: Kind,
    pub(super) mix: Mix,
    pub(super) patience: RtoEstimator,
    /// How long a server may remember a message id.
    pub(super) lifetime: Nanos,
    /// Requests under way at most.
    pub(super) window: usize,
    pub(super) run_id: u64,
    /// Observers of the same path, with `{client}` filled in.
    pub(super) observers: usize,
}

impl From<NotCoap> for Broken {
    fn from(cause: NotCoap) -> Self {
        Self::new(cause.to_string())
    }
}

impl Group {
    /// How many observers watch the resource that socket `index` asks for.
    fn observers_of(&self, index: usize) -> u64 {
        let mut texts = self.kind.uri.path.iter().chain(&self.kind.uri.query);
        match texts.any(|text| text.contains("{client}")) {
            true => u64::from(index < self.observers),
            false => self.observers as u64,
        }
    }
}

/// One socket.
pub(super) struct CoapSession {
    group: Arc<Group>,
    sender: u32,
    index: usize,
    /// That watch the resource which it asks for.
    observers: u64,
    /// One for each method of the mix.
    templates: Vec<Template>,
    /// The same with the answer to the server's last challenge, and that answer.
    answering: Option<(Box<[u8]>, Vec<Template>)>,
    slots: ExchangeTable,
    ids: Ids,
    random: Random,
    sequence: u64,
    /// The connection that is a message and on its way.
    opening: Option<Pending>,
    /// Emptied in each tick.
    due: Vec<u16>,
    /// Responses in an acknowledgement, and others; entered after each batch.
    answers: [u64; 2],
    open: bool,
}

impl CoapSession {
    pub(super) fn new(group: Arc<Group>, index: usize, sender: u32) -> Self {
        let mut random = Random::new(group.kind.seed, u64::from(sender));
        Self {
            sender,
            index,
            observers: group.observers_of(index),
            templates: templates(&group, &group.kind, index),
            answering: None,
            slots: ExchangeTable::default(),
            ids: Ids::new(random.next() as u16, group.lifetime),
            random,
            sequence: 0,
            opening: None,
            due: Vec::new(),
            answers: [0; 2],
            open: false,
            group,
        }
    }

    fn flight(&mut self, due: Nanos, now: Nanos) -> Pending {
        let sequence = self.sequence;
        self.sequence += 1;
        Pending {
            due,
            sent: now,
            sequence,
        }
    }

    fn ask(&mut self, dues: &[Nanos], io: &mut Io<'_>) {
        let mut early = 0;
        let window = io.records.window;
        for due in dues {
            let flight = self.flight(*due, io.now);
            let (mid, again) = self.ids.give(io.now, &self.slots);
            early += u64::from(again && window.holds(*due));
            let deadline = self.group.patience.begin(io.now, &mut self.random);
            let place = self.slots.enter(flight, mid, deadline);
            self.write(place, io);
        }
        if early > 0 && self.group.framing == Framing::Datagrams {
            io.records.count(EARLY_IDS, early);
        }
    }

    /// Writes the request in this place, for the first time or again.
    #[inline]
    fn write(&mut self, place: u16, io: &mut Io<'_>) {
        let token = self.slots.token(place);
        let slot = self.slots.slot(place);
        let flight = slot.flight;
        let patch = Patch {
            mid: slot.mid,
            token,
            stamp: Stamp {
                measured: io.records.window.holds(flight.due),
                due: flight.due,
                sequence: flight.sequence,
                sender: self.sender,
                run: self.group.run_id,
            },
        };
        if self.group.role == Role::Ping {
            return write_ping(self.group.framing, &patch, io.out);
        }
        let templates = match &self.answering {
            Some((_, answering)) if slot.challenges > 0 => answering,
            _ => &self.templates,
        };
        let template = &templates[self.group.mix.turn(flight.sequence)];
        template.write(&patch, self.group.framing, io.out);
    }

    fn take(&mut self, seen: &Seen<'_>, io: &mut Io<'_>) -> Result<(), Broken> {
        if self.group.framing == Framing::Stream && seen.code.is_signal() {
            match heed(seen, io.out)? {
                Signal::Greeting(limit) => {
                    self.check(limit)?;
                    if !self.open {
                        self.opened(io);
                    }
                }
                Signal::Pong => self.pong(seen, io),
                Signal::Done => {}
            }
            return Ok(());
        }
        if seen.code.is_response() {
            self.response(seen, io);
        } else if seen.code == Code::EMPTY {
            self.empty(seen, io);
        } else {
            foreign(seen, io);
        }
        Ok(())
    }

    /// Whether the server takes messages as long as ours.
    fn check(&self, limit: usize) -> Result<(), Broken> {
        let largest = self.templates.iter().map(Template::largest).max();
        match largest {
            Some(largest) if largest > limit => Err(Broken::of(
                Class::Refused,
                format!(
                    "the server accepts messages of at most {limit} bytes, but requests have up to {largest}, and bench does not send them in blocks"
                ),
            )),
            _ => Ok(()),
        }
    }

    #[inline]
    fn response(&mut self, seen: &Seen<'_>, io: &mut Io<'_>) {
        match self.slots.find(seen.token) {
            Found::Waiting(place) => self.answered(place, seen, io),
            Found::Nobody => {
                io.records.error("response with an unknown token", None);
                foreign(seen, io);
            }
            Found::GivenUp => {
                self.slots.answered_late(seen.token);
                self.accept(seen, io);
                io.records.count_at(LATE, io.now);
            }
            Found::Answered => {
                self.accept(seen, io);
                io.records.count_at(DUPLICATES, io.now);
            }
        }
    }

    #[inline]
    fn answered(&mut self, place: u16, seen: &Seen<'_>, io: &mut Io<'_>) {
        let slot = self.slots.slot(place);
        let challenges = slot.challenges;
        let is_datagram = self.group.framing == Framing::Datagrams;
        // An acknowledgement is for its message id (RFC 7252 §4.4); a reset carries no response.
        let is_wrong = seen.kind == RST || seen.kind == ACK && seen.mid != slot.mid;
        if is_datagram && is_wrong {
            let cause = "acknowledgement with a message ID other than its request's";
            io.records.error(cause, None);
            return foreign(seen, io);
        }
        let Some(content) = seen.content() else {
            io.records.count_at(MALFORMED, io.now);
            return reject(seen, io);
        };
        self.accept(seen, io);
        if let Some(kind) = challenged(&self.group.kind, seen.code, &content)
            && challenges < MOST_CHALLENGES
        {
            return self.answer(place, kind, &content, io);
        }
        let flight = self.slots.end(place, State::Answered);
        self.settle(&flight, seen, &content, io);
    }

    /// Sends a request again with what the server wants to see (RFC 9175 §2.3), under an id and a token of its own.
    #[cold]
    fn answer(&mut self, place: u16, kind: Kind, content: &Content<'_>, io: &mut Io<'_>) {
        let echo = content.echo.unwrap_or_default();
        if self.answering.as_ref().is_none_or(|it| *it.0 != *echo) {
            let templates = templates(&self.group, &kind, self.index);
            self.answering = Some((echo.into(), templates));
        }
        let (mid, _) = self.ids.give(io.now, &self.slots);
        let deadline = self.group.patience.begin(io.now, &mut self.random);
        self.slots.renew(place, mid, deadline);
        let due = self.slots.slot(place).flight.due;
        let measured = u64::from(io.records.window.holds(due));
        io.records.count(CHALLENGES, measured);
        self.write(place, io);
    }

    /// A confirmable response is acknowledged, or it would come again.
    fn accept(&self, seen: &Seen<'_>, io: &mut Io<'_>) {
        if self.group.framing == Framing::Datagrams && seen.kind == CON {
            write_empty(ACK, seen.mid, io.out);
        }
    }

    fn settle(
        &mut self,
        flight: &Pending,
        seen: &Seen<'_>,
        content: &Content<'_>,
        io: &mut Io<'_>,
    ) {
        if let Some(cause) = unasked(&self.group.kind, seen.code) {
            io.records.refused_for(flight, cause);
        } else if seen.code.is_success() {
            io.records.acknowledged(flight, io.now);
            if self.changes(flight) && io.records.window.holds(flight.due) {
                io.records.messages.expected += self.observers;
            }
        } else {
            let cause = format!("refused by the server: {:?}", seen.code);
            io.records.refused_for(flight, &cause);
        }
        let measured = io.records.window.holds(flight.due);
        if content.more {
            io.records.count(PARTIAL, u64::from(measured));
        }
        if measured && self.group.framing == Framing::Datagrams {
            self.answers[usize::from(seen.kind != ACK)] += 1;
        }
    }

    /// Whether a request replaces what the resource says, which its observers are then told (RFC 7641 §1.1).
    fn changes(&self, flight: &Pending) -> bool {
        let code = match self.group.role {
            Role::Ask => self.group.mix.method(flight.sequence),
            _ => return false,
        };
        matches!(code, Code::PUT | Code::PATCH | Code::IPATCH)
    }

    fn empty(&mut self, seen: &Seen<'_>, io: &mut Io<'_>) {
        let place = self.slots.with_mid(seen.mid);
        match (seen.kind, place) {
            (CON, _) => write_empty(RST, seen.mid, io.out),
            (NON, _) => {}
            (ACK, Some(place)) => {
                let slot = self.slots.slot(place);
                slot.state = State::Promised;
                slot.deadline = self.group.patience.promised(slot.flight.sent);
            }
            (RST, Some(place)) => self.reset(place, io),
            // A second acknowledgement, or the late answer to the greeting.
            (_, None) => {}
            (_, Some(_)) => {}
        }
    }

    fn reset(&mut self, place: u16, io: &mut Io<'_>) {
        let flight = self.slots.end(place, State::Answered);
        if self.group.role == Role::Ping {
            return io.records.acknowledged(&flight, io.now);
        }
        let measured = io.records.window.holds(flight.due);
        io.records.count(RESETS, u64::from(measured));
        io.records.refused_for(&flight, "reset by the server");
    }

    fn pong(&mut self, seen: &Seen<'_>, io: &mut Io<'_>) {
        let place = match self.slots.find(seen.token) {
            Found::Waiting(place) => Some(place),
            // libcoap's has no token.
            _ => self.slots.oldest().filter(|_| seen.token.is_empty()),
        };
        if let Some(place) = place {
            let flight = self.slots.end(place, State::Answered);
            io.records.acknowledged(&flight, io.now);
        }
    }

    fn opened(&mut self, io: &mut Io<'_>) {
        self.open = true;
        if let Some(flight) = self.opening.take() {
            io.records.acknowledged(&flight, io.now);
        }
        io.ready();
    }

    /// Sends again or gives up what is due.
    fn look(&mut self, io: &mut Io<'_>) -> Nanos {
        let mut due = std::mem::take(&mut self.due);
        let mut next = self.slots.due(io.now, &mut due).unwrap_or(Nanos::MAX);
        let patience = self.group.patience;
        for place in due.drain(..) {
            let slot = self.slots.slot(place);
            let (flight, again) = (slot.flight, slot.again);
            let later = match slot.state {
                State::Sent => patience.next(flight.sent, slot.deadline, io.now, again),
                _ => None,
            };
            let Some(later) = later else {
                self.slots.end(place, State::GivenUp);
                io.records.timed_out(&flight);
                continue;
            };
            slot.deadline = later;
            slot.again += 1;
            next = next.min(later);
            let measured = u64::from(io.records.window.holds(flight.due));
            io.records.messages.repeated += u64::from(again == 0) * measured;
            io.records.count(RETRANSMISSIONS, measured);
            self.write(place, io);
        }
        self.due = due;
        next
    }
}

/// The requests of one client; none where the group sends none.
fn templates(group: &Group, kind: &Kind, index: usize) -> Vec<Template> {
    let asks = group.role == Role::Ask;
    let methods = group.mix.methods().iter().filter(|_| asks);
    // They were tried when the driver was made, so that they can be encoded.
    methods
        .filter_map(|code| Template::new(kind, *code, index, group.framing).ok())
        .collect()
}

/// Requests with what a challenge wants to see again; `None` when the response is none (RFC 9175 §2.2.1).
pub(super) fn challenged(kind: &Kind, code: Code, content: &Content<'_>) -> Option<Kind> {
    let echo = content.echo.filter(|_| code == Code::UNAUTHORIZED)?;
    let mut kind = kind.clone();
    kind.options.push(option::ECHO, echo.to_vec());
    (1..=40).contains(&echo.len()).then_some(kind)
}

/// Why a success is none: it answers nothing that was asked (RFC 7252 §5.9.1.3, RFC 7959 §2.9.1).
pub(super) fn unasked(kind: &Kind, code: Code) -> Option<&'static str> {
    match code {
        Code::VALID if !kind.options.contains(option::ETAG) => {
            Some("2.03 Valid in response to a request without ETag")
        }
        Code::CONTINUE if !kind.options.contains(option::BLOCK1) => {
            Some("2.31 Continue in response to a request without Block1")
        }
        _ => None,
    }
}

/// Nobody asked for it.
pub(super) fn foreign(seen: &Seen<'_>, io: &mut Io<'_>) {
    io.records.foreign();
    reject(seen, io);
}

/// A confirmable message that is not understood is rejected (RFC 7252 §4.2).
pub(super) fn reject(seen: &Seen<'_>, io: &mut Io<'_>) {
    if seen.kind == CON && seen.mid != 0 {
        write_empty(RST, seen.mid, io.out);
    }
}

fn write_ping(framing: Framing, patch: &Patch, out: &mut Vec<u8>) {
    match framing {
        Framing::Datagrams => write_empty(CON, patch.mid, out),
        Framing::Stream => signals::write_ping(&patch.token, out),
    }
}

impl Session for CoapSession {
    fn connected(&mut self, io: &mut Io<'_>) {
        self.open = false;
        match self.group.framing {
            Framing::Datagrams => self.opened(io),
            Framing::Stream => write_greeting(io.out),
        }
    }

    fn received(&mut self, bytes: &[u8], io: &mut Io<'_>) -> Result<usize, Broken> {
        let framing = self.group.framing;
        let (mut taken, mut count) = (0, 0);
        while let Some((length, seen)) = framing.next(&bytes[taken..])? {
            match seen {
                Some(seen) => self.take(&seen, io)?,
                None => io.records.count_at(MALFORMED, io.now),
            }
            taken += length;
            count += 1;
        }
        for (name, answers) in [PIGGYBACKED, SEPARATE].into_iter().zip(&mut self.answers) {
            if *answers > 0 {
                io.records.count(name, std::mem::take(answers));
            }
        }
        if io.records.window.phase(io.now) != Phase::Warmup {
            io.records.messages.received_bytes += (taken - count * self.envelope()) as u64;
        }
        Ok(taken)
    }

    fn room(&self) -> usize {
        match self.group.role {
            Role::Idle | Role::Observe => 0,
            Role::Connect => usize::from(self.open && self.opening.is_none()),
            Role::Ask | Role::Ping => self.group.window.min(MOST).saturating_sub(self.slots.len()),
        }
    }

    fn send(&mut self, dues: &[Nanos], io: &mut Io<'_>) {
        match self.group.role {
            Role::Ask | Role::Ping => self.ask(dues, io),
            Role::Connect => {
                for due in dues {
                    self.opening = Some(self.flight(*due, io.now));
                }
                self.open = false;
                io.again();
            }
            Role::Idle | Role::Observe => {}
        }
    }

    fn in_flight(&self) -> usize {
        self.slots.len() + usize::from(self.opening.is_some())
    }

    fn envelope(&self) -> usize {
        match self.group.framing {
            Framing::Datagrams => PREFIX,
            Framing::Stream => 0,
        }
    }

    fn tick(&mut self, _: bool, io: &mut Io<'_>) -> Option<Nanos> {
        let next = self.look(io);
        // Nothing that is sent from now on is due before that.
        Some(next.min(io.now.saturating_add(self.group.patience.shortest())))
    }

    fn lost(&mut self, io: &mut Io<'_>) {
        self.open = false;
        self.slots.clear(|flight| io.records.lost(flight));
    }

    fn finish(&mut self, io: &mut Io<'_>) {
        self.slots.clear(|flight| io.records.timed_out(flight));
        if let Some(flight) = self.opening.take() {
            io.records.timed_out(&flight);
        }
    }
}
