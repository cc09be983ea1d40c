//! Opening, losing and closing connections.

use std::cmp::Reverse;
use std::time::Instant;

use super::super::super::clock::{Nanos, nanos};
use super::super::super::driver::{Action, Broken, End, How, Io, Link, Session};
use super::super::super::recorder::Quantity;
use super::super::connection::State;
use super::{DIALS, Job, LONGEST_BACKOFF, Worker};
use crate::connect::{Backoff, Retry};
use crate::error::{Result, plain};

impl Worker {
    pub(super) fn dial(&mut self, now: Nanos) {
        while self.dials.len() < DIALS && self.next_dial <= now {
            let Some(number) = self.to_dial.pop_front() else {
                return;
            };
            if self.setup.dial_every > 0 {
                self.next_dial += self.setup.dial_every;
            }
            let connection = &mut self.connections[number as usize];
            connection.dialed = now;
            let dialing = self.setup.parts[connection.part]
                .driver
                .dial(connection.index);
            self.dials.spawn(async move { (number, dialing.await) });
        }
    }

    pub(super) fn take_dialed(&mut self) {
        while let Some(joined) = self.dials.try_join_next() {
            if let Ok((number, dialed)) = joined {
                self.dialed(number as usize, dialed);
            }
        }
    }

    pub(super) fn dialed(&mut self, number: usize, dialed: Result<Box<dyn Link>>) {
        let now = self.now();
        let link = match dialed {
            Ok(link) => link,
            Err(error) => {
                return self.lose(number, now, &error.into());
            }
        };
        let connection = &mut self.connections[number];
        let took = self.records.of(Quantity::Handshake);
        took.span(connection.dialed, now);
        connection.attach(link);
        connection.greet_by = now + nanos(self.setup.parts[connection.part].driver.patience());
        self.timers.push(Reverse((
            connection.greet_by,
            number as u32,
            Job::GiveUpGreeting,
        )));
        self.call(number, now, |session, io| session.connected(io));
        self.tick(number, now);
        self.read(number);
    }

    /// Calls a session and does what it wishes.
    pub(super) fn call<T>(
        &mut self,
        number: usize,
        now: Nanos,
        call: impl FnOnce(&mut dyn Session, &mut Io<'_>) -> T,
    ) -> T {
        let lane = &mut self.connections[number].lane;
        let (returned, wish) = lane.with(now, &mut self.out, &mut self.records, call);
        if !self.out.is_empty() {
            self.write_out(number, now);
        }
        self.grant(number, now, wish);
        returned
    }

    pub(super) fn grant(&mut self, number: usize, now: Nanos, wish: Action) {
        match wish {
            Action::Nothing => {}
            Action::Ready => self.opened(number, now),
            Action::Again => {
                self.close_to_open_again(number);
                self.to_dial.push_back(number as u32);
            }
            Action::Away(time) => {
                self.close_to_open_again(number);
                self.timers
                    .push(Reverse((now + time, number as u32, Job::Dial)));
            }
            Action::Tick(moment) => {
                self.timers
                    .push(Reverse((moment, number as u32, Job::Extra)));
            }
        }
    }

    pub(super) fn opened(&mut self, number: usize, now: Nanos) {
        let connection = &mut self.connections[number];
        if connection.state != State::Greeting {
            return;
        }
        connection.state = State::Open;
        connection.lane.ready = true;
        self.open += 1;
        self.records
            .of(Quantity::Connect)
            .span(connection.dialed, now);
        if let Some(backoff) = &mut connection.backoff {
            backoff.reset();
        }
        if connection.again {
            connection.again = false;
        } else if connection.known {
            self.records.links.reopened += 1;
            self.records.links.away += now.saturating_sub(connection.since);
        } else {
            connection.known = true;
            self.unsettled -= 1;
            self.records.links.opened += 1;
        }
        self.think_first(number, now);
        self.tick(number, now);
        self.mark(number);
    }

    pub(super) fn close_to_open_again(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        if connection.state == State::Open {
            self.open -= 1;
        }
        connection.detach();
        connection.again = true;
    }

    /// The transport has ended.
    pub(super) fn end(&mut self, number: usize, now: Nanos, how: How<'_>) {
        let connection = &self.connections[number];
        let broken = match how {
            _ if connection.state == State::Greeting => {
                let rest = std::mem::take(&mut self.connections[number].rest);
                self.unusable(number, how, &rest)
            }
            How::Broken(broken) => broken,
            How::Failed(cause) => Broken::new(format!("connection lost: {}", plain(cause))),
            How::Closed | How::Silent => Broken::new("connection closed by the server"),
        };
        self.lose(number, now, &broken);
    }

    /// Why a connection whose protocol has not greeted cannot be used.
    pub(super) fn unusable(&self, number: usize, how: How<'_>, bytes: &[u8]) -> Broken {
        let connection = &self.connections[number];
        let driver = &self.setup.parts[connection.part].driver;
        driver.unusable(End {
            how,
            bytes,
            heard: connection.heard,
        })
    }

    /// The connection cannot go on, or could not be opened.
    pub(super) fn lose(&mut self, number: usize, now: Nanos, broken: &Broken) {
        let connection = &mut self.connections[number];
        let was = connection.state;
        connection.detach();
        self.out.clear();
        connection
            .lane
            .with(now, &mut self.out, &mut self.records, |session, io| {
                session.lost(io);
            });
        self.records.error(&broken.cause, broken.hint.as_deref());
        if was == State::Open {
            self.open -= 1;
        }
        // One that was closed to be opened again, and cannot be, is as lost as one in use.
        if was == State::Open || connection.again && connection.known {
            self.records.links.lost += 1;
            connection.since = now;
            connection.again = false;
        }
        if !connection.known {
            self.unsettled -= 1;
            self.records.links.failed += 1;
            connection.state = State::Failed;
            self.trouble.get_or_insert_with(|| broken.error());
            return;
        }
        let seed = self.setup.seed ^ number as u64;
        let backoff = connection
            .backoff
            .get_or_insert_with(|| Box::new(Backoff::seeded(Retry::Forever, seed)));
        // It never gives up; the end of the run does.
        let wait = backoff.next(Instant::now()).map_or(LONGEST_BACKOFF, nanos);
        self.timers
            .push(Reverse((now + wait, number as u32, Job::Dial)));
    }

    /// Gives up, says goodbye and sends the last news.
    pub(super) fn finish(mut self) {
        let now = self.now();
        self.records.window = self.setup.control.window();
        for number in 0..self.connections.len() {
            let connection = &mut self.connections[number];
            connection.lane.abandon(&mut self.records);
            if connection.known && connection.state != State::Open && !connection.again {
                self.records.links.away += now.saturating_sub(connection.since);
            }
            self.out.clear();
            connection
                .lane
                .with(now, &mut self.out, &mut self.records, |session, io| {
                    session.finish(io);
                });
            // Whoever cannot hear the goodbye sees the connection close.
            let _ = connection.write(&mut self.out);
            connection.detach();
        }
        self.open = 0;
        self.standing.ended = true;
        self.report(now);
    }
}
