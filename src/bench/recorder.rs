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
pub(crate) const HELD_BACK: &str = "held_back";

/// The count of messages that nothing acknowledges one by one, and whose arrival was not proved together either.
pub(crate) const NOT_PROVED: &str = "not_proved";

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

    /// Where in the course of the run this moment lies.
    #[inline]
    pub const fn phase(&self, at: Nanos) -> Phase {
        if at < self.from {
            Phase::Warmup
        } else if at < self.to {
            Phase::Measure
        } else {
            Phase::Drain
        }
    }

    /// How many of `count`, spread evenly from `from` to `to`, fall into each phase.
    fn shares(&self, count: u64, from: Nanos, to: Nanos) -> [u64; 3] {
        let mut shares = [0; 3];
        let Some(whole @ 1..) = to.checked_sub(from) else {
            shares[self.phase(to) as usize] = count;
            return shares;
        };
        let until = |moment: Nanos| {
            let passed = moment.clamp(from, to) - from;
            (count as f64 * (passed as f64 / whole as f64)).round() as u64
        };
        let (first, second) = (until(self.from), until(self.to));
        [first, second - first, count - second]
    }
}

/// A part of a run. Every form of a report has its bounds from here: they are those of the [`Window`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Phase {
    /// Before the measured time.
    Warmup,
    /// The measured time.
    Measure,
    /// After it.
    Drain,
}

impl Phase {
    /// All, in the order of their numbers and of time.
    pub const ALL: [Self; 3] = [Self::Warmup, Self::Measure, Self::Drain];

    /// The name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warmup => "warmup",
            Self::Measure => "measure",
            Self::Drain => "drain",
        }
    }
}

/// All messages of a phase in an interval, by when they were due, written, acknowledged or received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Due.
    pub planned: u64,
    /// Sent.
    pub sent: u64,
    /// Acknowledged.
    pub acknowledged: u64,
    /// Received, those that are not ours left out.
    pub received: u64,
    /// Of these, for the first time.
    pub unique: u64,
    /// Failures of any kind.
    pub errors: u64,
}

/// What is needed to account for messages without a stamp, of which only the number is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unstamped {
    /// Received, by the phase in which they came.
    pub received: [u64; 3],
    /// That receivers should have got of what was due in the warm-up.
    pub warmup_expected: u64,
    /// Of these, known by a stamp to have come.
    pub warmup_unique: u64,
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
    /// All messages, by [`Phase`].
    pub flow: [Flow; Phase::ALL.len()],
    /// What receivers got without a stamp.
    pub unstamped: Unstamped,
    /// Connections.
    pub links: Links,
    /// By [`Quantity`], only of messages that were due while measuring; what was recorded in the drain stands apart.
    pub latency: [[Distribution; Quantity::ALL.len()]; 2],
    /// The time of the current call.
    pub at: Nanos,
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
    pub fn of(&mut self, quantity: Quantity) -> &mut Distribution {
        self.timed(quantity, self.at)
    }

    /// The distribution of one quantity over the whole run.
    pub(super) fn whole(&mut self, quantity: Quantity) -> &mut Distribution {
        let [measured, drain] = &mut self.latency;
        let whole = &mut measured[quantity as usize];
        whole.add(std::mem::take(&mut drain[quantity as usize]));
        whole
    }

    /// The distribution of one quantity for what is recorded at `now`.
    #[inline]
    pub(super) fn timed(&mut self, quantity: Quantity, now: Nanos) -> &mut Distribution {
        &mut self.latency[usize::from(now >= self.window.to)][quantity as usize]
    }

    /// The flow of the phase in which this moment lies.
    #[inline]
    const fn flow_at(&mut self, at: Nanos) -> &mut Flow {
        &mut self.flow[self.window.phase(at) as usize]
    }

    /// A message became due.
    #[inline]
    pub fn planned(&mut self, due: Nanos) {
        self.flow_at(due).planned += 1;
        self.messages.planned += u64::from(self.window.holds(due));
    }

    /// Messages with these due times are written at `now`, each to `receivers` receivers.
    pub(super) fn sent(&mut self, dues: &[Nanos], now: Nanos, receivers: u64) {
        let (window, mut measured) = (self.window, 0);
        let lag = self.timed(Quantity::Lag, now);
        for due in dues {
            if window.holds(*due) {
                measured += 1;
                lag.span(*due, now);
            }
        }
        self.count_sent(dues.len() as u64, measured, now, receivers);
    }

    /// As many messages are due and written at `now`.
    pub(super) fn sent_now(&mut self, count: u64, now: Nanos, receivers: u64) {
        let measured = if self.window.holds(now) { count } else { 0 };
        self.flow_at(now).planned += count;
        self.messages.planned += measured;
        self.count_sent(count, measured, now, receivers);
    }

    /// So many messages more are to come to receivers than those that the load has sent.
    pub(crate) fn expects(&mut self, more: u64, now: Nanos) {
        match self.window.holds(now) {
            true => self.messages.expected += more,
            false => self.unstamped.warmup_expected += more,
        }
    }

    fn count_sent(&mut self, all: u64, measured: u64, now: Nanos, receivers: u64) {
        self.flow_at(now).sent += all;
        self.messages.sent += measured;
        self.messages.expected += measured * receivers;
        self.unstamped.warmup_expected += (all - measured) * receivers;
    }

    /// A message was accepted by the peer.
    #[inline]
    pub fn acknowledged(&mut self, flight: &Pending, now: Nanos) {
        self.flow_at(now).acknowledged += 1;
        if self.window.holds(flight.due) {
            self.messages.acknowledged += 1;
            self.timed(Quantity::Response, now).span(flight.due, now);
            self.timed(Quantity::Service, now).span(flight.sent, now);
        }
    }

    /// A message that was due at `due` came to a receiver, `length` bytes on the wire; it is known to come once.
    pub fn delivered(&mut self, due: Nanos, length: usize, now: Nanos) {
        let flow = self.flow_at(now);
        flow.received += 1;
        flow.unique += 1;
        if self.window.phase(now) != Phase::Warmup {
            self.messages.received_bytes += length as u64;
        }
        if self.window.holds(due) {
            self.messages.received += 1;
            self.messages.unique += 1;
            self.messages.late += u64::from(now >= self.window.to);
            self.timed(Quantity::EndToEnd, now).span(due, now);
        }
    }

    /// Something came that is of another run, or not ours at all: it is in no rate and no point.
    pub const fn foreign(&mut self) {
        self.messages.foreign += 1;
    }

    /// Whether the measured time has begun: from then on, to the end of the drain, everything counts that says nothing
    /// of when it was due.
    pub const fn has_begun(&self, now: Nanos) -> bool {
        now >= self.window.from
    }

    /// Messages without acknowledgements of their own have all arrived, one after the other from `from` to `to`.
    pub fn proved(&mut self, unproved: Unproved, from: Nanos, to: Nanos) {
        self.messages.acknowledged += unproved.measured;
        let shares = self.window.shares(unproved.all, from, to);
        for (flow, share) in self.flow.iter_mut().zip(shares) {
            flow.acknowledged += share;
        }
    }

    /// Refused by the peer.
    pub fn refused(&mut self, flight: &Pending) {
        self.messages.refused += u64::from(self.window.holds(flight.due));
    }

    /// Refused by the peer, with this cause.
    pub fn refused_for(&mut self, flight: &Pending, cause: &str) {
        self.refused(flight);
        if self.window.holds(flight.due) {
            self.error(cause, None);
        } else {
            self.flow_at(self.at).errors += 1;
        }
    }

    /// A message was under way when its connection was lost.
    pub fn lost(&mut self, flight: &Pending) {
        self.flow_at(self.at).errors += 1;
        self.messages.lost_with_connection += u64::from(self.window.holds(flight.due));
    }

    /// Messages without acknowledgements of their own were under way when their connection was lost.
    pub fn lost_unproved(&mut self, unproved: Unproved) {
        self.not_proved(unproved);
        self.messages.lost_with_connection += unproved.measured;
    }

    /// A message was not answered in time.
    pub fn timed_out(&mut self, flight: &Pending) {
        self.flow_at(self.at).errors += 1;
        self.messages.timed_out += u64::from(self.window.holds(flight.due));
    }

    /// Messages without acknowledgements of their own were not proved to have arrived in time.
    pub fn timed_out_unproved(&mut self, unproved: Unproved) {
        self.not_proved(unproved);
        self.messages.timed_out += unproved.measured;
    }

    fn not_proved(&mut self, unproved: Unproved) {
        self.flow_at(self.at).errors += unproved.all;
        if unproved.measured > 0 {
            self.count(NOT_PROVED, unproved.measured);
        }
    }

    /// Something failed; counted by cause.
    pub fn error(&mut self, cause: &str, hint: Option<&str>) {
        self.flow_at(self.at).errors += 1;
        match self.errors.get_mut(cause) {
            Some((count, _)) => *count += 1,
            None => drop(
                self.errors
                    .insert(cause.to_owned(), (1, hint.map(str::to_owned))),
            ),
        }
    }

    /// Adds one to a count that only one protocol has, for what says nothing of when it was due.
    pub fn count_at(&mut self, name: &'static str, now: Nanos) {
        self.count(name, u64::from(self.has_begun(now)));
    }

    /// Adds to a count that only one protocol has.
    pub fn count(&mut self, name: &'static str, times: u64) {
        *self.counts.entry(name).or_default() += times;
    }

    /// Messages and acknowledgements that have come.
    pub(super) fn brought(&self) -> u64 {
        let flows = self.flow.iter();
        flows.map(|flow| flow.received + flow.acknowledged).sum()
    }

    /// Takes everything out and begins anew.
    pub(super) fn take(&mut self) -> Self {
        let (window, at) = (self.window, self.at);
        let taken = std::mem::take(self);
        (self.window, self.at) = (window, at);
        taken
    }

    /// Adds what another worker, or the next interval, has seen.
    pub fn add(&mut self, other: Self) {
        add_messages(&mut self.messages, &other.messages);
        for (ours, theirs) in self.flow.iter_mut().zip(&other.flow) {
            ours.add(theirs);
        }
        self.unstamped.add(&other.unstamped);
        self.links.opened += other.links.opened;
        self.links.failed += other.links.failed;
        self.links.lost += other.links.lost;
        self.links.reopened += other.links.reopened;
        self.links.away += other.links.away;
        self.reads += other.reads;
        self.tardy.add(other.tardy);
        let ours = self.latency.iter_mut().flatten();
        for (ours, theirs) in ours.zip(other.latency.into_iter().flatten()) {
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
        self.unique += other.unique;
        self.errors += other.errors;
    }
}

impl Unstamped {
    fn add(&mut self, other: &Self) {
        for (ours, theirs) in self.received.iter_mut().zip(other.received) {
            *ours += theirs;
        }
        self.warmup_expected += other.warmup_expected;
        self.warmup_unique += other.warmup_unique;
    }
}

/// Adds one part of a run to another; `missing` follows from the sums.
pub(crate) fn add_messages(sum: &mut Messages, more: &Messages) {
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
    sum.undecided += more.undecided;
    sum.reordered += more.reordered;
    sum.late += more.late;
    sum.foreign += more.foreign;
    sum.sent_bytes += more.sent_bytes;
    sum.received_bytes += more.received_bytes;
    sum.missing = sum.expected.saturating_sub(sum.unique);
}

/// A message under way that will be answered on its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pending {
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
        let acknowledged = |records: &Records| records.flow.map(|flow| flow.acknowledged);
        assert_eq!(acknowledged(&records), [0, 5, 5]);
        assert_eq!(records.messages.acknowledged, 4);
        records.proved(unproved, 160, 160);
        assert_eq!(acknowledged(&records), [0, 15, 5]);
        records.proved(unproved, 50, 250);
        assert_eq!(
            acknowledged(&records),
            [3, 20, 7],
            "none is lost by rounding"
        );
    }
}
