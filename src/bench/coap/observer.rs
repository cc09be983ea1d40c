//! One socket of a load that observes a resource (RFC 7641).

use std::sync::Arc;

use super::super::clock::Nanos;
use super::super::counters::{Order, Received};
use super::super::driver::{Broken, Io, Session};
use super::super::recorder::Quantity;
use super::super::stamp::{Room, Stamp};
use super::exchanges::ExchangeTable;
use super::figures::{CHALLENGES, MALFORMED, REGISTRATIONS, RETRANSMISSIONS};
use super::ids::Ids;
use super::session::{Group, MOST_CHALLENGES, challenged, foreign, reject, unasked};
use super::signals::{Signal, heed, write_greeting};
use super::template::{Kind, Patch, Template};
use crate::coap::code::Code;
use crate::coap::option;
use crate::coap::wire::{ACK, CON, Content, Framing, PREFIX, RST, Seen, write_empty};
use crate::error::Kind as Class;
use crate::random::Random;

/// Max-Age where a notification does not say (RFC 7252 §5.10.5), in seconds.
const MAX_AGE: u32 = 60;
/// How long after Max-Age to register again: 5 to 15 s (RFC 7641 §3.3.1).
const GRACE: Nanos = 5_000_000_000;
const SPREAD: f64 = 10e9;
/// After this long every number is newer (RFC 7641 §3.4).
const NUMBERS_LAST: Nanos = 128_000_000_000;
const SECOND: Nanos = 1_000_000_000;

/// A registration on its way.
#[derive(Clone, Copy, Debug)]
struct Asked {
    mid: u16,
    sent: Nanos,
    due: Nanos,
    again: u8,
    promised: bool,
}

/// One observer.
pub(super) struct Observer {
    group: Arc<Group>,
    index: usize,
    /// The server's challenges since it last answered otherwise.
    challenges: u8,
    /// GET with Observe 0, and with 1; none when they could not be made, which was tried before.
    register: Option<Template>,
    cancel: Option<Template>,
    token: [u8; 4],
    ids: Ids,
    random: Random,
    asked: Option<Asked>,
    /// The server has us on its list.
    watching: bool,
    /// The newest notification: its number, and when it came.
    newest: Option<(u32, Nanos)>,
    /// Of the last notification on datagrams: it comes again when our acknowledgement is lost.
    last_mid: Option<u16>,
    /// When it is time to register again.
    stale_at: Nanos,
    received: Received,
}

impl Observer {
    pub(super) fn new(group: Arc<Group>, index: usize, sender: u32) -> Self {
        let mut random = Random::new(group.kind.seed, u64::from(sender));
        Self {
            register: registration(&group.kind, 0, index, group.framing),
            cancel: registration(&group.kind, 1, index, group.framing),
            index,
            challenges: 0,
            token: sender.to_be_bytes(),
            ids: Ids::new(random.next() as u16, group.lifetime),
            random,
            asked: None,
            watching: false,
            newest: None,
            last_mid: None,
            stale_at: Nanos::MAX,
            received: Received::new(group.run_id, Some(Room::Whole)),
            group,
        }
    }

    fn is_datagram(&self) -> bool {
        self.group.framing == Framing::Datagrams
    }

    fn ask(&mut self, io: &mut Io<'_>) {
        let (mid, _) = self.ids.give(io.now, &ExchangeTable::default());
        self.asked = Some(Asked {
            mid,
            sent: io.now,
            due: self.group.patience.begin(io.now, &mut self.random),
            again: 0,
            promised: false,
        });
        self.write(mid, io.out);
    }

    fn write(&self, mid: u16, out: &mut Vec<u8>) {
        if let Some(register) = &self.register {
            register.write(&self.patch(mid), self.group.framing, out);
        }
    }

    const fn patch(&self, mid: u16) -> Patch {
        Patch {
            mid,
            token: self.token,
            // A GET carries none.
            stamp: Stamp {
                measured: false,
                due: 0,
                sequence: 0,
                sender: 0,
                run: 0,
            },
        }
    }

    fn take(&mut self, seen: &Seen<'_>, length: usize, io: &mut Io<'_>) -> Result<(), Broken> {
        if !self.is_datagram() && seen.code.is_signal() {
            let greeted = matches!(heed(seen, io.out)?, Signal::Greeting(_));
            if greeted && self.asked.is_none() && !self.watching {
                self.ask(io);
            }
            return Ok(());
        }
        if seen.code == Code::EMPTY {
            return self.empty(seen, io);
        }
        if !seen.code.is_response() || seen.token != self.token {
            foreign(seen, io);
            return Ok(());
        }
        let Some(content) = seen.content() else {
            io.records.count_at(MALFORMED, io.now);
            reject(seen, io);
            return Ok(());
        };
        if self.is_datagram() && seen.kind == CON {
            write_empty(ACK, seen.mid, io.out);
        }
        self.told(seen, &content, length, io)
    }

    fn empty(&mut self, seen: &Seen<'_>, io: &mut Io<'_>) -> Result<(), Broken> {
        let asked = self.asked.as_mut().filter(|asked| asked.mid == seen.mid);
        match (seen.kind, asked) {
            (CON, _) => write_empty(RST, seen.mid, io.out),
            (ACK, Some(asked)) => {
                asked.promised = true;
                asked.due = self.group.patience.promised(asked.sent);
            }
            (RST, Some(_)) => {
                let cause = "registration reset by the server";
                return Err(Broken::of(Class::Refused, cause));
            }
            _ => {}
        }
        Ok(())
    }

    /// A response to a registration, or a notification.
    fn told(
        &mut self,
        seen: &Seen<'_>,
        content: &Content<'_>,
        length: usize,
        io: &mut Io<'_>,
    ) -> Result<(), Broken> {
        if let Some(kind) = challenged(&self.group.kind, seen.code, content)
            && self.challenges < MOST_CHALLENGES
        {
            self.challenges += 1;
            io.records.count(CHALLENGES, 1);
            self.register = registration(&kind, 0, self.index, self.group.framing);
            self.ask(io);
            return Ok(());
        }
        self.challenges = 0;
        if !seen.code.is_success() {
            let cause = format!("observation refused by the server: {:?}", seen.code);
            return Err(Broken::of(Class::Refused, cause));
        }
        if let Some(cause) = unasked(&self.group.kind, seen.code) {
            return Err(Broken::of(Class::Refused, cause));
        }
        let Some(number) = content.observe else {
            let broken = Broken::of(Class::Refused, "the resource cannot be observed");
            return Err(broken);
        };
        let asked = self.asked.take();
        let is_answer = asked.is_some() && (!self.watching || seen.kind == ACK);
        let order = self.order(number, seen.mid, is_answer, io.now);
        let age = content.max_age.unwrap_or(MAX_AGE);
        let grace = GRACE + (SPREAD * self.random.fraction()) as Nanos;
        self.stale_at = io.now + Nanos::from(age) * SECOND + grace;
        if !is_answer {
            self.count(content.payload, length, order, io);
        }
        if let Some(asked) = asked.filter(|_| !self.watching) {
            self.watching = true;
            io.records.of(Quantity::Subscribe).span(asked.sent, io.now);
            io.ready();
        }
        Ok(())
    }

    /// Where a notification stands among the others (RFC 7641 §3.4).
    fn order(&mut self, number: u32, mid: u16, is_answer: bool, now: Nanos) -> Order {
        if !is_answer && self.is_datagram() && self.last_mid.replace(mid) == Some(mid) {
            return Order::Duplicate;
        }
        let is_newer = self.newest.is_none_or(|(last, at)| {
            let ahead = number.wrapping_sub(last) & 0xFF_FFFF;
            (1..1 << 23).contains(&ahead) || now > at + NUMBERS_LAST
        });
        if is_newer || is_answer {
            self.newest = Some((number, now));
            return Order::New;
        }
        Order::Reordered
    }

    fn count(&mut self, payload: &[u8], length: usize, order: Order, io: &mut Io<'_>) {
        let stamp = Stamp::read(payload, io.now);
        let is_ours = stamp.is_some_and(|stamp| stamp.run == self.group.run_id);
        if is_ours && order != Order::Duplicate {
            // It says when it was put, by whom, and as which message.
            self.received.enter(payload, length, io.now, io.records);
        } else {
            io.records.notified(order, length, io.now);
        }
    }

    /// Sends a registration again, gives it up, or begins anew.
    fn look(&mut self, io: &mut Io<'_>) {
        let Some(mut asked) = self.asked.filter(|asked| asked.due <= io.now) else {
            if self.watching && self.asked.is_none() && io.now >= self.stale_at {
                io.records.count_at(REGISTRATIONS, io.now);
                self.ask(io);
            }
            return;
        };
        let patience = self.group.patience;
        let next = patience.next(asked.sent, asked.due, io.now, asked.again);
        let Some(due) = next.filter(|_| !asked.promised) else {
            io.records
                .error("no response to a registration in time", None);
            return self.ask(io);
        };
        (asked.due, asked.again) = (due, asked.again + 1);
        self.asked = Some(asked);
        io.records.count_at(RETRANSMISSIONS, io.now);
        self.write(asked.mid, io.out);
    }
}

/// GET with the Observe option.
pub(super) fn registration(
    kind: &Kind,
    observe: u64,
    index: usize,
    framing: Framing,
) -> Option<Template> {
    let mut kind = kind.clone();
    kind.options.push_uint(option::OBSERVE, observe);
    kind.confirmable = observe == 0;
    Template::new(&kind, Code::GET, index, framing).ok()
}

impl Session for Observer {
    fn connected(&mut self, io: &mut Io<'_>) {
        (self.asked, self.watching) = (None, false);
        (self.newest, self.last_mid) = (None, None);
        match self.group.framing {
            Framing::Datagrams => self.ask(io),
            Framing::Stream => write_greeting(io.out),
        }
    }

    fn received(&mut self, bytes: &[u8], io: &mut Io<'_>) -> Result<usize, Broken> {
        let mut taken = 0;
        while let Some((length, seen)) = self.group.framing.next(&bytes[taken..])? {
            match seen {
                Some(seen) => self.take(&seen, length - self.envelope(), io)?,
                None => io.records.count_at(MALFORMED, io.now),
            }
            taken += length;
        }
        Ok(taken)
    }

    fn room(&self) -> usize {
        0
    }

    fn send(&mut self, _: &[Nanos], _: &mut Io<'_>) {}

    fn in_flight(&self) -> usize {
        0
    }

    fn envelope(&self) -> usize {
        if self.is_datagram() { PREFIX } else { 0 }
    }

    fn ticks_early(&self) -> bool {
        true
    }

    fn tick(&mut self, _: bool, io: &mut Io<'_>) -> Option<Nanos> {
        self.look(io);
        let due = self.asked.map_or(self.stale_at, |asked| asked.due);
        Some(due.min(io.now.saturating_add(self.group.patience.shortest())))
    }

    fn lost(&mut self, _: &mut Io<'_>) {
        (self.asked, self.watching) = (None, false);
    }

    fn finish(&mut self, io: &mut Io<'_>) {
        if let (true, Some(cancel)) = (self.watching, &self.cancel) {
            let (mid, _) = self.ids.give(io.now, &ExchangeTable::default());
            cancel.write(&self.patch(mid), self.group.framing, io.out);
        }
    }
}
