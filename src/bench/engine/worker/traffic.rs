//! Reading and writing.

use std::task::Poll;

use super::super::super::clock::Nanos;
use super::super::super::driver::{Action, How};
use super::super::connection::State;
use super::{READS, Worker};

impl Worker {
    pub(super) fn take_listed(&mut self) {
        let mut listed = std::mem::take(&mut self.listed);
        self.setup.ready.take(&mut listed);
        for number in listed.drain(..) {
            self.connections[number as usize].answered();
            self.read(number as usize);
            self.mark(number as usize);
        }
        self.listed = listed;
    }

    pub(super) fn read(&mut self, number: usize) {
        for _ in 0..READS {
            let connection = &mut self.connections[number];
            let rest = connection.rest.len();
            if self.input.len() < 2 * rest {
                self.input.resize(2 * rest, 0);
            }
            self.input[..rest].copy_from_slice(&connection.rest);
            let read = match connection.read(&mut self.input[rest..]) {
                Poll::Pending => return,
                Poll::Ready(read) => read,
            };
            let now = self.now();
            let length = match read {
                Ok(0) => return self.end(number, now, How::Closed),
                Ok(read) => rest + read,
                Err(cause) => return self.end(number, now, How::Failed(&cause)),
            };
            self.connections[number].heard = true;
            self.records.reads += 1;
            if !self.feed(number, length, now) {
                return;
            }
        }
        // There may be more, and the bell rings only after a read that finds nothing.
        self.setup.ready.push(number as u32);
    }

    /// Hands the session the first `length` bytes of the input; whether the connection goes on.
    pub(super) fn feed(&mut self, number: usize, length: usize, now: Nanos) -> bool {
        let connection = &mut self.connections[number];
        let before = connection.lane.session.in_flight();
        let bytes = &self.input[..length];
        let fed = connection
            .lane
            .feed(bytes, now, &mut self.out, &mut self.records);
        let (taken, wish) = match fed {
            Ok(fed) => fed,
            Err(broken) => {
                let greeting = matches!(connection.state, State::Greeting);
                // The final bytes; a peer that does not read them does without.
                let _ = connection.write(&mut self.out);
                let broken = match greeting {
                    true => self.unusable(number, How::Broken(broken), &self.input[..length]),
                    false => broken,
                };
                self.lose(number, now, &broken);
                return false;
            }
        };
        connection.rest.clear();
        connection.rest.extend_from_slice(&bytes[taken..]);
        let answered = before.saturating_sub(connection.lane.session.in_flight());
        self.think_after(number, answered, now);
        if !self.out.is_empty() {
            self.write_out(number, now);
        }
        self.grant(number, now, wish);
        self.mark(number);
        self.connections[number].state != State::Away
    }

    pub(super) fn write_out(&mut self, number: usize, now: Nanos) {
        let written = self.connections[number].write(&mut self.out);
        if let Err(cause) = written {
            self.out.clear();
            self.end(number, now, How::Failed(&cause));
        }
    }

    /// Lists a connection to be written to.
    pub(super) fn mark(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        if !connection.dirty {
            connection.dirty = true;
            self.dirty.push(number as u32);
        }
    }

    pub(super) fn write_dirty(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for number in dirty.drain(..) {
            self.connections[number as usize].dirty = false;
            self.write(number as usize);
        }
        // Those that were marked meanwhile have more to write at once.
        dirty.append(&mut self.dirty);
        self.dirty = dirty;
        self.busy |= !self.dirty.is_empty();
    }

    /// Writes one batch of what may be sent.
    pub(super) fn write(&mut self, number: usize) {
        let now = self.now();
        if self.connections[number].is_blocked() {
            self.write_out(number, now);
            if self.connections[number].is_blocked() {
                return;
            }
        }
        if !self.connections[number].lane.ready || !self.begun {
            return;
        }
        let (wish, more) = self.fill(number, now);
        if !self.out.is_empty() {
            self.write_out(number, now);
        }
        self.grant(number, now, wish);
        if more && !self.connections[number].is_blocked() {
            self.mark(number);
        }
    }

    pub(super) fn fill(&mut self, number: usize, now: Nanos) -> (Action, bool) {
        let connection = &mut self.connections[number];
        let lane = &mut connection.lane;
        let runner = &mut self.setup.parts[connection.part].runner;
        if !runner.is_eager() {
            let before = lane.backlog.len();
            let filled = lane.fill(now, &mut self.out, &mut self.records);
            self.waiting = self.waiting.saturating_sub(before - lane.backlog.len());
            return filled;
        }
        if now >= self.records.window.to {
            return (Action::Nothing, false);
        }
        let Some(left) = runner.left() else {
            return (Action::Nothing, false);
        };
        let (wish, sent, more) = lane.fill_now(*left, now, &mut self.out, &mut self.records);
        if self.records.window.holds(now) {
            *left -= sent;
        }
        (wish, more)
    }
}
