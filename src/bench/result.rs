//! What a run has found.
//!
//! A [`Report`] is the one source of every form that people and programs see; as JSON it is versioned and
//! can be read back, merged and compared. A name carries its unit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::plan::Shard;

/// The version of the JSON form; raised when a name changes its meaning or goes away.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// Measured seconds below which a run says little of a rate, and nothing of whether it lasts.
pub(crate) const TOO_SHORT_S: f64 = 1.0;

/// The results of one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `iotctl 0.1.0`.
    pub tool: String,
    /// RFC 3339, UTC, when sending began.
    pub started_at: String,
    /// Distinguishes this run's messages from every other run's.
    pub run_id: u64,
    /// Which part of a larger run this is.
    #[serde(default)]
    pub shard: Shard,
    /// The setup of the run: target, protocol, scenario, flags.
    pub setup: BTreeMap<String, String>,
    /// How long each phase took.
    pub phases: PhaseTimes,
    /// Outcomes of the connections.
    pub connections: Connections,
    /// What became of the messages, over all streams.
    pub messages: Messages,
    /// The messages that were due before the measured time. Together with `messages`, the sum of all points of the time series.
    #[serde(default)]
    pub warmup: Warmup,
    /// What receivers got without a stamp.
    #[serde(default)]
    pub unstamped: Unstamped,
    /// Counts that only one protocol has, by name; for CoAP retransmissions and the like, and what ETSI TS 103 596-3
    /// names: `req_attempt`, `req_success`, `req_failed`, `req_timeout`, `rtt_min_us`, `rtt_avg_us`, `rtt_max_us`.
    #[serde(default)]
    pub counts: BTreeMap<String, u64>,
    /// Messages in a second.
    pub rates: Rates,
    /// Latencies by quantity: `response`, `service`, `lag`, `end_to_end`, `connect`, `handshake`, `subscribe`,
    /// `catch_up`.
    pub latency: BTreeMap<String, Latency>,
    /// The time series; one point an interval, warm-up and drain included and marked.
    pub intervals: Vec<Interval>,
    /// Failures by cause.
    pub errors: Vec<ErrorCount>,
    /// What the load generator itself needed.
    pub generator: Generator,
    /// The thresholds of `--assert`, and whether they passed.
    pub thresholds: Vec<Threshold>,
    /// Caveats about the figures.
    pub warnings: Vec<String>,
}

impl Report {
    /// Whether none of the connections that were planned could be opened.
    pub(crate) const fn has_no_connection(&self) -> bool {
        self.connections.planned > 0 && self.connections.opened == 0
    }
}

/// Seconds in each phase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PhaseTimes {
    /// Opening connections.
    pub connect_s: f64,
    /// Load that is not in the figures.
    pub warmup_s: f64,
    /// What the figures are about.
    pub measured_s: f64,
    /// Waiting for what was under way.
    pub drain_s: f64,
}

/// Outcomes of the connections.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Connections {
    /// Asked for.
    pub planned: u64,
    /// Opened for the first time.
    pub opened: u64,
    /// Could not be opened.
    pub failed: u64,
    /// Lost while in use.
    pub lost: u64,
    /// Opened again after a loss.
    pub reopened: u64,
    /// Total downtime of all connections, in seconds.
    pub away_s: f64,
    /// Opened per second while connecting.
    pub rate_per_s: f64,
    /// TLS and DTLS handshakes in full.
    #[serde(default)]
    pub tls_full: u64,
    /// Resumed TLS handshakes.
    #[serde(default)]
    pub tls_resumed: u64,
}

/// Outcomes of the messages that were due while measuring.
///
/// `planned = sent + unsent`; `sent = acknowledged + refused + timed_out + lost_with_connection`;
/// `received = unique + duplicate + undecided`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Messages {
    /// Due by the plan.
    pub planned: u64,
    /// Due but not sent when the run ended.
    pub unsent: u64,
    /// Written to a connection.
    pub sent: u64,
    /// Accepted by the peer; at MQTT QoS 0, proved to be read by a PINGRESP.
    pub acknowledged: u64,
    /// Answered with a failure.
    pub refused: u64,
    /// Not answered at the end of the drain.
    pub timed_out: u64,
    /// Under way when their connection was lost, and not sent again.
    pub lost_with_connection: u64,
    /// Sent again after a lost connection or a time-out; counted once in `sent`.
    pub repeated: u64,
    /// Deliveries expected: messages sent, times the receivers of each message.
    pub expected: u64,
    /// That came to receivers.
    pub received: u64,
    /// Of these, for the first time.
    pub unique: u64,
    /// Of these, again.
    pub duplicate: u64,
    /// Received so far behind the newest message that they may be duplicates; not in `unique`, so that they cannot hide a loss.
    #[serde(default)]
    pub undecided: u64,
    /// Expected and never come.
    pub missing: u64,
    /// Came after a later one of the same sender.
    pub reordered: u64,
    /// Came during the drain, after the measured time.
    pub late: u64,
    /// Of another run, or not ours at all; in the whole run.
    pub foreign: u64,
    /// Payload and headers written, in bytes, from the measured time on.
    pub sent_bytes: u64,
    /// Payload and headers read, in bytes, from the measured time on.
    pub received_bytes: u64,
}

/// What became of the messages that were due before the measured time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warmup {
    /// Due by the plan.
    pub planned: u64,
    /// Written to a connection.
    pub sent: u64,
    /// Accepted by the peer.
    pub acknowledged: u64,
    /// That receivers should have got.
    pub expected: u64,
    /// That came to receivers, again or for the first time.
    pub received: u64,
    /// Of these, known by their stamps to have come for the first time.
    pub unique: u64,
}

/// Messages without a stamp, of which receivers know only how many came.
///
/// Whether one was due in the warm-up or while measuring is not known, so all that is missing counts as missing while
/// measuring: nothing that came of the warm-up stands in for what was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unstamped {
    /// That came in the whole run.
    pub received: u64,
    /// Of these, in `messages.unique`.
    pub unique: u64,
    /// Of these, in `messages.duplicate`: more than were sent.
    pub duplicate: u64,
}

impl Unstamped {
    /// Enters what came without a stamp into messages in which it is not yet.
    pub fn enter(&mut self, messages: &mut Messages, warmup: &Warmup) {
        let of_warmup = warmup.expected.saturating_sub(warmup.unique);
        let known = messages.unique + self.received;
        let lost = (messages.expected + of_warmup).saturating_sub(known);
        let first = messages.expected.saturating_sub(messages.unique + lost);
        self.unique = first.min(self.received);
        let rest = self.received - self.unique;
        self.duplicate = rest.saturating_sub(of_warmup);
        messages.unique += self.unique;
        messages.duplicate += self.duplicate;
        messages.received += self.unique + self.duplicate;
        messages.missing = messages.expected.saturating_sub(messages.unique);
    }

    /// Takes out again what was entered.
    pub const fn leave(&self, messages: &mut Messages) {
        messages.unique -= self.unique;
        messages.duplicate -= self.duplicate;
        messages.received -= self.unique + self.duplicate;
    }
}

/// Messages per second in the measured time, whenever they were due.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// By the plan.
    pub planned_per_s: f64,
    /// Written to connections.
    pub offered_per_s: f64,
    /// Acknowledged by the peer.
    pub accepted_per_s: f64,
    /// Received for the first time; excludes foreign messages.
    pub delivered_per_s: f64,
}

/// One latency distribution, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Values recorded.
    pub count: u64,
    /// Negative values, caused by clock differences between machines; not in the distribution.
    pub negative: u64,
    /// Smallest.
    pub min_ms: f64,
    /// Mean.
    pub mean_ms: f64,
    /// Standard deviation.
    pub stdev_ms: f64,
    /// Median.
    pub p50_ms: f64,
    /// 90th percentile.
    pub p90_ms: f64,
    /// 95th percentile.
    pub p95_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// 99.9th percentile.
    pub p999_ms: f64,
    /// 99.99th percentile.
    pub p9999_ms: f64,
    /// Largest.
    pub max_ms: f64,
    /// The whole distribution: HdrHistogram V2 compressed, base64, values in nanoseconds.
    pub histogram: String,
}

/// One point of the time series: what was due, written, acknowledged and received in it, whenever it was due. No point
/// reaches over the beginning or the end of the measured time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Seconds since sending began, at its end.
    pub at_s: f64,
    /// `warmup`, `measure` or `drain`.
    pub phase: String,
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
    /// Open connections at its end.
    pub connections: u64,
    /// By quantity: p50, p99 and maximum, in milliseconds.
    pub latency: BTreeMap<String, [f64; 3]>,
    /// By quantity: the whole distribution, written as [`Latency::histogram`] is.
    #[serde(default)]
    pub histograms: BTreeMap<String, String>,
    /// CPU time of the generator, in percent of one core.
    pub cpu_percent: f64,
}

/// How often something went wrong for one cause.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorCount {
    /// In words.
    pub cause: String,
    /// How often.
    pub count: u64,
    /// The way out, where there is one.
    pub hint: Option<String>,
}

/// Resources used by the load generator, and whether it was the limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Generator {
    /// CPU seconds while measuring.
    pub cpu_s: f64,
    /// In percent of one core.
    pub cpu_percent: f64,
    /// CPU seconds per million messages sent and received.
    pub cpu_s_per_million: f64,
    /// Largest resident memory, in bytes.
    pub max_rss_bytes: u64,
    /// Worker threads.
    pub threads: u64,
    /// How reads were coalesced: `never`, `adaptive`, `fixed 500us`.
    pub coalesce: String,
    /// Whether the generator, not the peer, set the limit.
    pub limited: bool,
    /// Why, in a sentence.
    pub verdict: String,
    /// Whether throughput and latency were steady over the measured time; also where it was too short to tell.
    pub steady: bool,
}

/// A threshold of `--assert`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// As it was written: `p99 < 20ms`.
    pub expression: String,
    /// What was measured, in the unit of the quantity's name.
    pub measured: f64,
    /// Whether it passed.
    pub passed: bool,
    /// By how much it was missed, as text; empty if it passed.
    pub missed_by: String,
}
