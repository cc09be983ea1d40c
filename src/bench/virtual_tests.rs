//! The schedule, a lane and the books together, with a scripted peer on a virtual clock.

use std::collections::VecDeque;

use super::clock::Nanos;
use super::connection_state::ConnectionState;
use super::driver::{Broken, Io, Session};
use super::plan::{Arrivals, Stage};
use super::profile::{Schedule, Share};
use super::recorder::{Pending, Quantity, Records, Window};
use crate::random::Random;

const MS: Nanos = 1_000_000;
const SECOND: Nanos = 1_000 * MS;
/// How long the peer takes for a message.
const WORK: Nanos = MS / 10;

/// What the peer does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Accept,
    Refuse,
    Nothing,
}

/// A protocol of one byte a message; answers are one byte too.
struct Scripted {
    window: usize,
    flights: VecDeque<Pending>,
    sequence: u64,
}

impl Session for Scripted {
    fn connected(&mut self, io: &mut Io<'_>) {
        io.ready();
    }

    fn received(&mut self, bytes: &[u8], io: &mut Io<'_>) -> Result<usize, Broken> {
        for byte in bytes {
            let flight = self
                .flights
                .pop_front()
                .ok_or_else(|| Broken::new("too many answers"))?;
            match byte {
                b'y' => io.records.acknowledged(&flight, io.now),
                b'n' => io.records.refused(&flight),
                _ => io.records.timed_out(&flight),
            }
        }
        Ok(bytes.len())
    }

    fn room(&self) -> usize {
        self.window - self.flights.len()
    }

    fn send(&mut self, dues: &[Nanos], io: &mut Io<'_>) {
        for due in dues {
            self.flights.push_back(Pending {
                due: *due,
                sent: io.now,
                sequence: self.sequence,
            });
            self.sequence += 1;
            io.out.push(b'm');
        }
    }

    fn in_flight(&self) -> usize {
        self.flights.len()
    }

    fn tick(&mut self, _: bool, _: &mut Io<'_>) -> Option<Nanos> {
        None
    }

    fn lost(&mut self, io: &mut Io<'_>) {
        for flight in self.flights.drain(..) {
            io.records.lost(&flight);
        }
    }

    fn finish(&mut self, io: &mut Io<'_>) {
        for flight in self.flights.drain(..) {
            io.records.timed_out(&flight);
        }
    }
}

/// A run of ten measured seconds after one of warm-up, a thousand messages a second.
struct World {
    lane: ConnectionState,
    records: Records,
    /// Answers on their way, by when they come.
    answers: VecDeque<(Nanos, u8)>,
    busy_until: Nanos,
}

impl World {
    fn new(window: usize) -> Self {
        let session = Box::new(Scripted {
            window,
            flights: VecDeque::new(),
            sequence: 0,
        });
        let mut world = Self {
            lane: ConnectionState::new(session, 0),
            records: Records {
                window: Window {
                    from: SECOND,
                    to: 11 * SECOND,
                },
                ..Records::default()
            },
            answers: VecDeque::new(),
            busy_until: 0,
        };
        world.lane.ready = true;
        world
    }

    /// Runs in steps of half the peer's work. `stall`: from when to when the peer does nothing;
    /// `answer` says what it does with each message, `lose` when the connection is lost.
    fn run(
        &mut self,
        stall: (Nanos, Nanos),
        mut answer: impl FnMut() -> Answer,
        mut lose: impl FnMut(Nanos) -> bool,
    ) {
        let rate = Stage {
            lasts: None,
            from: 1000.0,
            to: 1000.0,
        };
        let share = Share {
            connections: 1,
            of: 1,
            phase: 0.0,
            random: Random::new(1, 1),
        };
        let mut schedule = Schedule::new(&[rate], &Arrivals::Constant, share).peekable();
        let mut out = Vec::new();
        for step in 0..12 * SECOND / (WORK / 2) {
            let now = step * (WORK / 2);
            while let Some(due) = schedule.next_if(|due| due.at <= now && due.at < 11 * SECOND) {
                self.records.planned(due.at);
                self.lane.backlog.push_back(due.at);
            }
            if lose(now) {
                self.answers.clear();
                self.lane
                    .with(now, &mut out, &mut self.records, |session, io| {
                        session.lost(io)
                    });
            }
            while self.answers.front().is_some_and(|(at, _)| *at <= now) {
                let (_, byte) = self.answers.pop_front().unwrap();
                self.lane
                    .feed(&[byte], now, &mut out, &mut self.records)
                    .unwrap();
            }
            out.clear();
            self.lane.fill(now, &mut out, &mut self.records);
            for _ in 0..out.len() {
                let mut at = self.busy_until.max(now) + WORK;
                if at >= stall.0 && at < stall.1 {
                    at = stall.1;
                }
                self.busy_until = at;
                let byte = match answer() {
                    Answer::Accept => b'y',
                    Answer::Refuse => b'n',
                    Answer::Nothing => b'-',
                };
                self.answers.push_back((at, byte));
            }
        }
        self.lane.abandon(&mut self.records);
        self.lane
            .with(12 * SECOND, &mut out, &mut self.records, |session, io| {
                session.finish(io);
            });
    }

    fn p99_ms(&mut self, quantity: Quantity) -> f64 {
        self.records.whole(quantity).at_quantile(0.99) as f64 / 1e6
    }

    fn check_the_sums(&self) {
        let found = &self.records.messages;
        assert_eq!(found.planned, found.sent + found.unsent, "{found:?}");
        let ended =
            found.acknowledged + found.refused + found.timed_out + found.lost_with_connection;
        assert_eq!(found.sent, ended, "{found:?}");
    }
}

#[test]
fn a_stall_of_half_a_second_is_in_the_response_times_and_not_in_the_service_times() {
    let mut world = World::new(1);
    let stall = (5 * SECOND, 5 * SECOND + 500 * MS);
    world.run(stall, || Answer::Accept, |_| false);
    world.check_the_sums();
    assert_eq!(world.records.messages.acknowledged, 10_000);
    // What each message waits is known: one at a time, each takes the peer's work, and nothing is done in the stall.
    let (mut free, mut responses, mut lags) = (0, Vec::new(), Vec::new());
    for due in (0..11_000).map(|number| number * MS) {
        let begun = due.max(free);
        free = begun + WORK;
        if (stall.0..stall.1).contains(&free) {
            free = stall.1;
        }
        if due >= SECOND {
            responses.push(free - due);
            lags.push(begun - due);
        }
    }
    // To the three digits of a histogram.
    for (quantity, mut times) in [(Quantity::Response, responses), (Quantity::Lag, lags)] {
        times.sort_unstable();
        let expected = times[times.len() * 99 / 100 - 1] as f64 / 1e6;
        let found = world.p99_ms(quantity);
        let difference = (found - expected).abs();
        assert!(
            difference < expected * 1e-3,
            "{quantity:?}: {found} for {expected}"
        );
    }
    let service = world.p99_ms(Quantity::Service);
    assert!((service - 0.1).abs() < 1e-3, "{service}");
}

#[test]
fn with_room_in_the_window_the_stall_is_in_both() {
    let mut world = World::new(1000);
    let stall = (5 * SECOND, 5 * SECOND + 500 * MS);
    world.run(stall, || Answer::Accept, |_| false);
    assert!(world.p99_ms(Quantity::Response) > 400.0);
    assert!(world.p99_ms(Quantity::Service) > 400.0);
    assert!(world.p99_ms(Quantity::Lag) < 0.1);
}

#[test]
fn every_message_ends_in_exactly_one_place() {
    for seed in 0..6 {
        let mut random = Random::new(seed, 0);
        let mut loses = Random::new(seed, 1);
        let mut world = World::new([1, 7, 100][seed as usize % 3]);
        let answer = || match random.next() % 100 {
            0..5 => Answer::Refuse,
            5..8 => Answer::Nothing,
            _ => Answer::Accept,
        };
        // At the end the peer is gone for good: some messages are under way, some never sent.
        world.run((10 * SECOND, 99 * SECOND), answer, |_| {
            loses.next().is_multiple_of(8_000)
        });
        world.check_the_sums();
        let found = &world.records.messages;
        assert_eq!(found.planned, 10_000);
        assert!(
            found.refused > 0 && found.timed_out > 0 && found.unsent > 0,
            "{found:?}"
        );
    }
}
