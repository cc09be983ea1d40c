//! What one worker has seen since its last snapshot: counters, distributions, causes.
//!
//! Everything is added up in place and handed over once per interval; nothing is kept per message.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::clock::Nanos;
use super::result::Messages;

/// Three digits: every value is within 0.1 %.
const DIGITS: u8 = 3;

/// The count of how often the peer asked not to be sent anything for a while.
pub const HELD_BACK: &str = "held_back";

/// The count of messages that nothing acknowledges one by one, and whose arrival was not proved together either.
pub const NOT_PROVED: &str = "not_proved";

/// What a latency distribution is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Quantity {
    /// From the moment a message was due to its acknowledgement.
    Response,
    /// From the write to the acknowledgement.
    Service,
    /// From the moment a message was due to its write.
    Lag,
    /// From the moment a message was due to its arrival at a receiver.
    EndToEnd,
    /// From the start of connecting to the protocol's own answer.
    Connect,
    /// From the start of connecting to the transport being open: name, TCP, TLS, WebSocket.
    Handshake,
    /// From SUBSCRIBE, or its like, to the answer.
    Subscribe,
    /// From the return of a receiver to the first message that was due after it: what was kept for it has come.
    CatchUp,
}

impl Quantity {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Response,
        Self::Service,
        Self::Lag,
        Self::EndToEnd,
        Self::Connect,
        Self::Handshake,
        Self::Subscribe,
        Self::CatchUp,
    ];

    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Service => "service",
            Self::Lag => "lag",
            Self::EndToEnd => "end_to_end",
            Self::Connect => "connect",
            Self::Handshake => "handshake",
            Self::Subscribe => "subscribe",
            Self::CatchUp => "catch_up",
        }
    }
}

/// One distribution of latencies in nanoseconds.
///
/// A batch brings the same value many times; equal neighbours are counted first and recorded once.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    histogram: Option<Box<Histogram<u64>>>,
    /// Below zero: the clocks of two machines differ.
    pub negative: u64,
    last: u64,
    times: u64,
}

impl Distribution {
    /// Adds one value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        self.record_times(value, 1);
    }

    /// Adds the same value several times.
    #[inline]
    pub fn record_times(&mut self, value: u64, times: u64) {
        if value == self.last {
            self.times += times;
            return;
        }
        self.settle();
        self.last = value;
        self.times = times;
    }

    /// The time from `from` to `to`, or a count of what cannot be.
    #[inline]
    pub fn span(&mut self, from: Nanos, to: Nanos) {
        match to.checked_sub(from) {
            Some(value) => self.record(value),
            None => self.negative += 1,
        }
    }

    fn settle(&mut self) {
        if self.times == 0 {
            return;
        }
        let histogram = self.histogram.get_or_insert_with(empty);
        // It grows as needed, up to all 64 bits, so it takes every value.
        let _ = histogram.record_n(self.last.max(1), self.times);
        self.times = 0;
    }

    /// Adds what another one holds.
    pub fn add(&mut self, mut other: Self) {
        other.settle();
        self.settle();
        self.negative += other.negative;
        let Some(theirs) = other.histogram else {
            return;
        };
        match &mut self.histogram {
            // Both resize themselves, so adding cannot fail.
            Some(ours) => drop(ours.add(*theirs)),
            None => self.histogram = Some(theirs),
        }
    }

    /// The values; `None` when there are none.
    pub fn histogram(&mut self) -> Option<&Histogram<u64>> {
        self.settle();
        self.histogram.as_deref()
    }

    /// The value below which this part of all lie, in nanoseconds; 0 when there are none.
    pub fn at_quantile(&mut self, quantile: f64) -> u64 {
        self.histogram()
            .map_or(0, |histogram| histogram.value_at_quantile(quantile))
    }
}

fn empty() -> Box<Histogram<u64>> {
    // Cannot fail: three digits are within the one to five that the crate allows.
    Box::new(Histogram::new(DIGITS).expect("three digits are possible"))
}

/// The stretch of time that the figures are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From here on.
    pub from: Nanos,
    /// To before here.
    pub to: Nanos,
}

impl Window {
    /// Nothing is measured yet.
    pub const CLOSED: Self = Self {
        from: Nanos::MAX,
        to: Nanos::MAX,
    };

    /// Whether this moment lies inside.
    #[inline]
    pub const fn holds(&self, at: Nanos) -> bool {
        self.from <= at && at < self.to
    }

    /// Which part of a stretch lies inside, from 0 to 1.
    fn part(&self, from: Nanos, to: Nanos) -> f64 {
        let inside = to.min(self.to).saturating_sub(from.max(self.from));
        match to.checked_sub(from) {
            Some(whole @ 1..) => inside as f64 / whole as f64,
            _ => f64::from(u8::from(self.holds(to))),
        }
    }
}

/// All messages in an interval, warm-up and drain included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Due.
    pub planned: u64,
    /// Sent.
    pub sent: u64,
    /// Acknowledged.
    pub acknowledged: u64,
    /// Received.
    pub received: u64,
    /// Failures of any kind.
    pub errors: u64,
}

/// Messages that passed while measuring, whenever they were due.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Passed {
    /// Written.
    pub sent: f64,
    /// Acknowledged.
    pub acknowledged: f64,
    /// Received.
    pub received: f64,
}

/// What became of connections since the last snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Links {
    /// Opened for the first time.
    pub opened: u64,
    /// Could not be opened.
    pub failed: u64,
    /// Lost while in use.
    pub lost: u64,
    /// Opened again.
    pub reopened: u64,
    /// Nanoseconds away.
    pub away: u64,
}

/// Everything since the last snapshot.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// What is measured.
    pub window: Window,
    /// Messages that were due while measuring.
    pub messages: Messages,
    /// All messages.
    pub flow: Flow,
    /// Messages by the time they passed.
    pub passed: Passed,
    /// Connections.
    pub links: Links,
    /// By [`Quantity`], only of messages that were due while measuring.
    pub latency: [Distribution; Quantity::ALL.len()],
    /// How late the generator itself was: from the moment a message was due to the moment it was noticed.
    pub tardy: Distribution,
    /// Failures by cause, with the way out.
    pub errors: BTreeMap<String, (u64, Option<String>)>,
    /// What only one protocol counts, by name.
    pub counts: BTreeMap<&'static str, u64>,
    /// How often connections were read, and how many messages and acknowledgements that brought.
    pub reads: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self::CLOSED
    }
}

impl Records {
    /// The distribution of one quantity.
    #[inline]
    pub const fn of(&mut self, quantity: Quantity) -> &mut Distribution {
        &mut self.latency[quantity as usize]
    }

    /// A message became due.
    #[inline]
    pub fn planned(&mut self, due: Nanos) {
        self.flow.planned += 1;
        self.messages.planned += u64::from(self.window.holds(due));
    }

    /// Messages with these due times are written at `now`, each to `receivers` receivers.
    pub(super) fn sent(&mut self, dues: &[Nanos], now: Nanos, receivers: u64) {
        let mut measured = 0;
        for due in dues {
            if self.window.holds(*due) {
                measured += 1;
                self.latency[Quantity::Lag as usize].span(*due, now);
            }
        }
        self.count_sent(dues.len() as u64, measured, now, receivers);
    }

    /// As many messages are due and written at `now`.
    pub(super) fn sent_now(&mut self, count: u64, now: Nanos, receivers: u64) {
        let measured = if self.window.holds(now) { count } else { 0 };
        self.flow.planned += count;
        self.messages.planned += measured;
        self.count_sent(count, measured, now, receivers);
    }

    fn count_sent(&mut self, all: u64, measured: u64, now: Nanos, receivers: u64) {
        self.flow.sent += all;
        self.messages.sent += measured;
        self.messages.expected += measured * receivers;
        if self.window.holds(now) {
            self.passed.sent += all as f64;
        }
    }

    /// A message was accepted by the peer.
    #[inline]
    pub fn acknowledged(&mut self, flight: &Flight, now: Nanos) {
        self.flow.acknowledged += 1;
        if self.window.holds(now) {
            self.passed.acknowledged += 1.0;
        }
        if self.window.holds(flight.due) {
            self.messages.acknowledged += 1;
            self.of(Quantity::Response).span(flight.due, now);
            self.of(Quantity::Service).span(flight.sent, now);
        }
    }

    /// A message that was due at `due` came to a receiver, `length` bytes on the wire; it is known to come once.
    pub fn delivered(&mut self, due: Nanos, length: usize, now: Nanos) {
        self.flow.received += 1;
        if self.window.holds(now) {
            self.passed.received += 1.0;
            self.messages.received_bytes += length as u64;
        }
        if self.window.holds(due) {
            self.messages.received += 1;
            self.messages.unique += 1;
            self.messages.late += u64::from(now >= self.window.to);
            self.of(Quantity::EndToEnd).span(due, now);
        }
    }

    /// Messages without acknowledgements of their own have all arrived, one after the other from `from` to `to`.
    pub fn proved(&mut self, unproved: Unproved, from: Nanos, to: Nanos) {
        self.flow.acknowledged += unproved.all;
        self.messages.acknowledged += unproved.measured;
        self.passed.acknowledged += unproved.all as f64 * self.window.part(from, to);
    }

    /// The peer said no.
    pub fn refused(&mut self, flight: &Flight) {
        self.messages.refused += u64::from(self.window.holds(flight.due));
    }

    /// A message was under way when its connection was lost.
    pub fn lost(&mut self, flight: &Flight) {
        self.flow.errors += 1;
        self.messages.lost_with_connection += u64::from(self.window.holds(flight.due));
    }

    /// Messages without acknowledgements of their own were under way when their connection was lost.
    pub fn lost_unproved(&mut self, unproved: Unproved) {
        self.not_proved(unproved);
        self.messages.lost_with_connection += unproved.measured;
    }

    /// A message was not answered in time.
    pub fn timed_out(&mut self, flight: &Flight) {
        self.flow.errors += 1;
        self.messages.timed_out += u64::from(self.window.holds(flight.due));
    }

    /// Messages without acknowledgements of their own were not proved to have arrived in time.
    pub fn timed_out_unproved(&mut self, unproved: Unproved) {
        self.not_proved(unproved);
        self.messages.timed_out += unproved.measured;
    }

    fn not_proved(&mut self, unproved: Unproved) {
        self.flow.errors += unproved.all;
        if unproved.measured > 0 {
            self.count(NOT_PROVED, unproved.measured);
        }
    }

    /// Something failed; counted by cause.
    pub fn error(&mut self, cause: &str, hint: Option<&str>) {
        self.errors_of(cause, hint, 1);
    }

    /// Something failed several times for one cause.
    pub fn errors_of(&mut self, cause: &str, hint: Option<&str>, times: u64) {
        self.flow.errors += times;
        match self.errors.get_mut(cause) {
            Some((count, _)) => *count += times,
            None => drop(
                self.errors
                    .insert(cause.to_owned(), (times, hint.map(str::to_owned))),
            ),
        }
    }

    /// Adds to a count that only one protocol has.
    pub fn count(&mut self, name: &'static str, times: u64) {
        *self.counts.entry(name).or_default() += times;
    }

    /// Takes everything out and begins anew.
    pub(super) fn take(&mut self) -> Self {
        let window = self.window;
        let taken = std::mem::take(self);
        self.window = window;
        taken
    }

    /// Adds what another worker, or the next interval, has seen.
    pub fn add(&mut self, other: Self) {
        add_messages(&mut self.messages, &other.messages);
        self.flow.add(&other.flow);
        self.passed.sent += other.passed.sent;
        self.passed.acknowledged += other.passed.acknowledged;
        self.passed.received += other.passed.received;
        self.links.opened += other.links.opened;
        self.links.failed += other.links.failed;
        self.links.lost += other.links.lost;
        self.links.reopened += other.links.reopened;
        self.links.away += other.links.away;
        self.reads += other.reads;
        self.tardy.add(other.tardy);
        for (ours, theirs) in self.latency.iter_mut().zip(other.latency) {
            ours.add(theirs);
        }
        for (name, times) in other.counts {
            self.count(name, times);
        }
        for (cause, (count, hint)) in other.errors {
            self.errors.entry(cause).or_insert((0, hint)).0 += count;
        }
    }
}

impl Flow {
    fn add(&mut self, other: &Self) {
        self.planned += other.planned;
        self.sent += other.sent;
        self.acknowledged += other.acknowledged;
        self.received += other.received;
        self.errors += other.errors;
    }
}

/// Adds one part of a run to another; `missing` follows from the sums.
pub fn add_messages(sum: &mut Messages, more: &Messages) {
    sum.planned += more.planned;
    sum.unsent += more.unsent;
    sum.sent += more.sent;
    sum.acknowledged += more.acknowledged;
    sum.refused += more.refused;
    sum.timed_out += more.timed_out;
    sum.lost_with_connection += more.lost_with_connection;
    sum.repeated += more.repeated;
    sum.expected += more.expected;
    sum.received += more.received;
    sum.unique += more.unique;
    sum.duplicate += more.duplicate;
    sum.reordered += more.reordered;
    sum.late += more.late;
    sum.foreign += more.foreign;
    sum.sent_bytes += more.sent_bytes;
    sum.received_bytes += more.received_bytes;
    sum.missing = sum.expected.saturating_sub(sum.unique);
}

/// A message under way that will be answered on its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flight {
    /// When it was due.
    pub due: Nanos,
    /// When it was written.
    pub sent: Nanos,
    /// Which message of its sender.
    pub sequence: u64,
}

/// Messages under way that are proved only together, by the answer to a later question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unproved {
    /// All of them.
    pub all: u64,
    /// Those that were due while measuring.
    pub measured: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_neighbours_are_counted_and_nothing_is_lost() {
        let mut distribution = Distribution::default();
        for value in [5, 5, 7, 5, 0, 0] {
            distribution.record(value);
        }
        distribution.span(10, 3);
        assert_eq!(distribution.histogram().map(|found| found.len()), Some(6));
        assert_eq!(distribution.negative, 1);
        assert_eq!(distribution.at_quantile(1.0), 7);
        let mut sum = Distribution::default();
        sum.add(distribution.clone());
        sum.add(distribution);
        assert_eq!(sum.histogram().map(|found| found.len()), Some(12));
    }

    #[test]
    fn proof_counts_for_the_part_of_its_time_that_was_measured() {
        let mut records = Records {
            window: Window { from: 100, to: 200 },
            ..Records::default()
        };
        let unproved = Unproved {
            all: 10,
            measured: 4,
        };
        records.proved(unproved, 150, 250);
        assert!((records.passed.acknowledged - 5.0).abs() < 1e-9);
        assert_eq!(records.messages.acknowledged, 4);
        records.proved(unproved, 160, 160);
        assert!((records.passed.acknowledged - 15.0).abs() < 1e-9);
    }
}
