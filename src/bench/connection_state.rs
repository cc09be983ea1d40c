//! One connection without its transport: what waits to be sent, and the session that sends it. Pure; time is passed in.

use std::collections::VecDeque;

use super::clock::Nanos;
use super::driver::{Action, Broken, Io, Session};
use super::recorder::{Phase, Records};

/// Bytes that are written in one go.
const BATCH_BYTES: usize = 64 * 1024;
/// Messages encoded between two looks at the bytes written.
const BATCH_MESSAGES: usize = 64;

/// A session with its queue.
pub(crate) struct ConnectionState {
    /// The protocol's state.
    pub session: Box<dyn Session>,
    /// Due times of messages that wait.
    pub backlog: VecDeque<Nanos>,
    /// How many receivers get each message.
    pub receivers: u64,
    /// Whether the session may be used.
    pub ready: bool,
    /// Whether a message counts as planned only when it is sent.
    pub plans_at_send: bool,
}

impl ConnectionState {
    /// A lane that is not open yet.
    pub(crate) fn new(session: Box<dyn Session>, receivers: u64) -> Self {
        Self {
            session,
            backlog: VecDeque::new(),
            receivers,
            ready: false,
            plans_at_send: false,
        }
    }

    /// Encodes what waits, as far as the session has room and a batch has. Whether more could go at once.
    pub(crate) fn fill(
        &mut self,
        now: Nanos,
        out: &mut Vec<u8>,
        records: &mut Records,
    ) -> (Action, bool) {
        records.at = now;
        let (mut wish, mut sent) = (Action::Nothing, 0);
        let (start, limit) = (out.len(), out.len() + BATCH_BYTES);
        while self.ready && wish == Action::Nothing && out.len() < limit {
            let room = self.session.room().min(BATCH_MESSAGES);
            let (first, _) = self.backlog.as_slices();
            // Due times may lie ahead: a pause between an answer and the next message.
            let due = first.iter().take(room).take_while(|due| **due <= now);
            let count = due.count();
            if count == 0 {
                break;
            }
            if self.plans_at_send {
                first[..count].iter().for_each(|due| records.planned(*due));
            }
            records.sent(&first[..count], now, self.receivers);
            let mut io = Io {
                now,
                out,
                records,
                wish: &mut wish,
            };
            self.session.send(&first[..count], &mut io);
            self.backlog.drain(..count);
            sent += count;
        }
        self.count_bytes(now, out.len() - start, sent, records);
        (wish, out.len() >= limit)
    }

    /// Encodes as many messages as the session has room for, all due now. Whether more could go at once.
    pub(crate) fn fill_now(
        &mut self,
        most: u64,
        now: Nanos,
        out: &mut Vec<u8>,
        records: &mut Records,
    ) -> (Action, u64, bool) {
        records.at = now;
        let dues = [now; BATCH_MESSAGES];
        let (mut wish, mut sent) = (Action::Nothing, 0);
        let (start, limit) = (out.len(), out.len() + BATCH_BYTES);
        while self.ready && wish == Action::Nothing && out.len() < limit {
            let room = self.session.room().min(BATCH_MESSAGES) as u64;
            let count = room.min(most - sent);
            if count == 0 {
                break;
            }
            records.sent_now(count, now, self.receivers);
            let mut io = Io {
                now,
                out,
                records,
                wish: &mut wish,
            };
            self.session.send(&dues[..count as usize], &mut io);
            sent += count;
        }
        self.count_bytes(now, out.len() - start, sent as usize, records);
        (wish, sent, out.len() >= limit)
    }

    fn count_bytes(&self, now: Nanos, bytes: usize, messages: usize, records: &mut Records) {
        if records.window.phase(now) != Phase::Warmup {
            let envelopes = messages * self.session.envelope();
            records.messages.sent_bytes += bytes.saturating_sub(envelopes) as u64;
        }
    }

    /// Hands the session what arrived; how many bytes it took and what it wishes.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        now: Nanos,
        out: &mut Vec<u8>,
        records: &mut Records,
    ) -> Result<(usize, Action), Broken> {
        records.at = now;
        let mut wish = Action::Nothing;
        let mut io = Io {
            now,
            out,
            records,
            wish: &mut wish,
        };
        let taken = self.session.received(bytes, &mut io)?;
        self.ready |= wish == Action::Ready;
        Ok((taken, wish))
    }

    /// Calls the session with everything it works with; what it wishes comes back.
    pub(crate) fn with<T>(
        &mut self,
        now: Nanos,
        out: &mut Vec<u8>,
        records: &mut Records,
        call: impl FnOnce(&mut dyn Session, &mut Io<'_>) -> T,
    ) -> (T, Action) {
        records.at = now;
        let mut wish = Action::Nothing;
        let mut io = Io {
            now,
            out,
            records,
            wish: &mut wish,
        };
        let returned = call(&mut *self.session, &mut io);
        (returned, wish)
    }

    /// Whether everything that was due has been sent and answered.
    pub(crate) fn is_idle(&self) -> bool {
        self.backlog.is_empty() && self.session.in_flight() == 0
    }

    /// Gives up on what waits: it was due and is not sent.
    pub(crate) fn abandon(&mut self, records: &mut Records) {
        for due in self.backlog.drain(..).filter(|_| !self.plans_at_send) {
            records.messages.unsent += u64::from(records.window.holds(due));
        }
    }
}
