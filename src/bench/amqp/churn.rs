//! Channels, queues, consumers and bindings that come and go: each message makes one and takes it away.

use super::super::clock::{Nanos, nanos};
use super::super::driver::{Broken, Io};
use super::super::recorder::Pending;
use super::in_flight::InFlight;
use super::settings::{Group, Scenario};
use crate::amqp::frame::methods::{self, Consume, Name};
use crate::amqp::frame::{Fields, cut_short};

/// The first of the channels that come and go; those before it stay.
const FIRST: u16 = 2;

/// What comes and goes on one connection.
#[derive(Default)]
pub(super) struct Churn {
    /// In the order of their answers, or [`Scenario::Channels`], of their numbers.
    flights: InFlight,
    /// Of channels: which are under way, by their number less [`FIRST`].
    channels: Vec<Option<Pending>>,
    open: usize,
    answered: u64,
    sequence: u64,
}

impl Churn {
    pub(super) const fn in_flight(&self) -> usize {
        self.flights.len() + self.open
    }

    pub(super) fn send(
        &mut self,
        due: Nanos,
        (group, queue, sender): (&Group, &str, u32),
        io: &mut Io<'_>,
    ) {
        const CHANNEL: u16 = 1;
        let flight = Pending {
            due,
            sent: io.now,
            sequence: self.sequence,
        };
        self.sequence += 1;
        let settings = &group.settings;
        if settings.scenario == Scenario::Channels {
            return self.open_channel(flight, io);
        }
        self.flights.enter(flight);
        // A channel is served in order, so the end need not wait for the answer to the beginning.
        let name = format!("{:x}-{sender}-{}", settings.run_id, flight.sequence);
        match settings.scenario {
            Scenario::Queues => {
                methods::declare_exclusive(CHANNEL, &name, io.out);
                methods::delete(CHANNEL, &name, io.out);
            }
            Scenario::Consumers => {
                // Here it must: RabbitMQ breaks over a consumer that is cancelled before it has begun (3.10: 541).
                let how = Consume {
                    tag: &name,
                    ..Consume::default()
                };
                methods::consume(CHANNEL, queue, how, io.out);
            }
            _ => {
                let binding = [queue, &settings.exchange, &name];
                methods::bind(CHANNEL, methods::BIND, binding, &[], io.out);
                methods::unbind(CHANNEL, binding, io.out);
            }
        }
    }

    fn open_channel(&mut self, flight: Pending, io: &mut Io<'_>) {
        let free = self.channels.iter().position(Option::is_none);
        let place = free.unwrap_or(self.channels.len());
        if place == self.channels.len() {
            self.channels.push(None);
        }
        self.channels[place] = Some(flight);
        self.open += 1;
        methods::open_channel(FIRST + place as u16, io.out);
    }

    /// An answer.
    pub(super) fn answered(
        &mut self,
        channel: u16,
        name: Name,
        mut fields: Fields<'_>,
        io: &mut Io<'_>,
    ) -> Result<(), Broken> {
        match name {
            methods::CHANNEL_OPEN_OK => methods::close(channel, io.out),
            methods::CONSUME_OK => methods::cancel(channel, &fields.text()?, io.out),
            methods::CHANNEL_CLOSE_OK => {
                let place = usize::from(channel.checked_sub(FIRST).ok_or_else(cut_short)?);
                let flight = self.channels.get_mut(place).and_then(Option::take);
                // One that was given up is closed late, and counts for nobody.
                if let Some(flight) = flight.filter(|flight| flight.sent < Nanos::MAX) {
                    self.open -= 1;
                    io.records.acknowledged(&flight, io.now);
                }
            }
            methods::DELETE_OK | methods::CANCEL_OK | methods::UNBIND_OK => {
                self.answered += 1;
                let now = io.now;
                self.flights.settle(self.answered, false, |flight| {
                    io.records.acknowledged(flight, now)
                });
            }
            // The beginnings.
            _ => {}
        }
        Ok(())
    }

    pub(super) fn tick(&mut self, group: &Group, io: &mut Io<'_>) {
        let moment = io.now.saturating_sub(nanos(group.settings.ack_timeout));
        self.flights
            .give_up(moment, |flight| io.records.timed_out(flight));
        for flight in self.channels.iter_mut().flatten() {
            if flight.sent < moment {
                io.records.timed_out(flight);
                self.open -= 1;
                // Its number is not free before the server says so.
                flight.sent = Nanos::MAX;
            }
        }
    }

    /// Nothing is under way any more; each that was is handed to `last`.
    pub(super) fn clear(&mut self, mut last: impl FnMut(&Pending)) {
        self.flights.clear(&mut last);
        let channels = self.channels.drain(..).flatten();
        channels
            .filter(|flight| flight.sent < Nanos::MAX)
            .for_each(|flight| last(&flight));
        (self.open, self.answered) = (0, 0);
    }
}
