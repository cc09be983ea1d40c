//! A realistic report for tests: 30 s at 50,000 messages a second with one stall, deterministic.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::bench::plan::Shard;
use crate::bench::result::{
    Connections, ErrorCount, Generator, Interval, Latency, Messages, PhaseTimes, Rates, Report,
    SCHEMA_VERSION, Threshold, Unstamped, Warmup,
};

use super::distribution::summary;

/// The whole report.
pub(in crate::bench) fn report() -> Report {
    Report {
        schema_version: SCHEMA_VERSION,
        tool: String::from("iotctl 0.1.0"),
        started_at: String::from("2026-11-20T21:00:00Z"),
        run_id: 1_234_567_890_123,
        shard: Shard::default(),
        setup: setup(),
        phases: PhaseTimes {
            connect_s: 0.042,
            warmup_s: 5.0,
            measured_s: 30.0,
            drain_s: 0.31,
        },
        connections: connections(),
        messages: messages(),
        warmup: Warmup {
            planned: 250_000,
            sent: 250_000,
            acknowledged: 250_000,
            expected: 250_000,
            received: 250_000,
            unique: 250_000,
        },
        unstamped: Unstamped::default(),
        counts: [(String::from("retransmissions"), 12)].into(),
        rates: Rates {
            planned_per_s: 50_000.0,
            offered_per_s: 49_999.667,
            accepted_per_s: 49_960.0,
            delivered_per_s: 49_957.3,
        },
        latency: latency(),
        intervals: (1..=36).map(interval).collect(),
        errors: errors(),
        generator: generator(),
        thresholds: thresholds(),
        warnings: vec![String::from(
            "the peer stalled for 0.5 s at 21 s: <script>alert(1)</script> & co",
        )],
    }
}

fn setup() -> BTreeMap<String, String> {
    [
        ("protocol", "mqtt 5"),
        ("target", "mqtt://127.0.0.1:1883"),
        ("scenario", "fan-in"),
        ("publishers", "100"),
        ("subscribers", "1"),
        ("qos", "1"),
        ("size", "256 B"),
        ("rate", "50000/s"),
        ("topic", "bench/{client}/state"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn connections() -> Connections {
    Connections {
        planned: 101,
        opened: 101,
        failed: 0,
        lost: 2,
        reopened: 2,
        away_s: 0.214,
        rate_per_s: 2404.0,
        tls_full: 101,
        tls_resumed: 2,
    }
}

fn messages() -> Messages {
    Messages {
        planned: 1_500_000,
        unsent: 10,
        sent: 1_499_990,
        acknowledged: 1_498_800,
        refused: 150,
        timed_out: 40,
        lost_with_connection: 1_000,
        repeated: 12,
        expected: 1_499_990,
        received: 1_498_732,
        unique: 1_498_720,
        duplicate: 12,
        undecided: 0,
        missing: 1_270,
        reordered: 3,
        late: 25,
        foreign: 0,
        sent_bytes: 431_997_120,
        received_bytes: 431_634_816,
    }
}

fn latency() -> BTreeMap<String, Latency> {
    let quantities = [
        ("connect", 101, 1.2, 0.0),
        ("end_to_end", 20_000, 0.19, 0.01),
        ("lag", 20_000, 0.006, 0.0),
        ("response", 20_000, 0.14, 0.01),
        ("service", 20_000, 0.13, 0.0005),
    ];
    quantities
        .map(|(name, count, median, stalled)| {
            (name.to_owned(), summary(&values(count, median, stalled), 0))
        })
        .into()
}

/// `count` values around `median` ms, of which a share of `stalled` waited for up to 500 ms.
pub(in crate::bench) fn values(count: u64, median: f64, stalled: f64) -> Histogram<u64> {
    let mut values = Histogram::new(3).unwrap();
    let mut noise = Noise(count ^ median.to_bits());
    for at in 0..count {
        let waited = (at as f64) < count as f64 * stalled;
        let ms = if waited {
            500.0 * noise.next()
        } else {
            median
                * (noise.next() + noise.next() + noise.next() - 1.5)
                    .mul_add(1.4, 0.0)
                    .exp()
        };
        values.record((ms * 1e6) as u64).unwrap();
    }
    values
}

/// Numbers from 0 to 1 that look random and are always the same.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn interval(second: u32) -> Interval {
    let mut noise = Noise(u64::from(second) * 977);
    noise.next();
    let stalled = second == 21;
    let phase = match second {
        0..=5 => "warmup",
        6..=35 => "measure",
        _ => "drain",
    };
    let sending = phase != "drain";
    let planned = if sending { 50_000 } else { 0 };
    let acknowledged = match second {
        21 => 26_000,
        22 => 73_500,
        36 => 190,
        _ => planned - (noise.next() * 300.0) as u64,
    };
    let wave = 1.0 + 0.3 * noise.next();
    let tail = if stalled { 490.0 } else { 1.6 * wave };
    Interval {
        at_s: f64::from(second),
        phase: phase.to_owned(),
        planned,
        sent: planned,
        acknowledged,
        received: acknowledged,
        errors: if stalled { 1_190 } else { 0 },
        connections: if stalled { 99 } else { 101 },
        histograms: BTreeMap::new(),
        latency: [
            (String::from("response"), [0.14 * wave, tail, tail * 1.4]),
            (
                String::from("end_to_end"),
                [0.19 * wave, tail * 1.1, tail * 1.5],
            ),
        ]
        .into(),
        cpu_percent: if sending { 38.0 * wave } else { 2.0 },
    }
}

fn errors() -> Vec<ErrorCount> {
    vec![
        ErrorCount {
            cause: String::from("connection lost: reset by peer"),
            count: 1_002,
            hint: None,
        },
        ErrorCount {
            cause: String::from("PUBACK with quota exceeded (0x97)"),
            count: 150,
            hint: Some(String::from(
                "the broker limits the messages of one client; raise its limit or use more --publishers",
            )),
        },
        ErrorCount {
            cause: String::from("no PUBACK at the end of the drain"),
            count: 40,
            hint: None,
        },
    ]
}

fn generator() -> Generator {
    Generator {
        cpu_s: 12.6,
        cpu_percent: 42.0,
        cpu_s_per_million: 4.2,
        max_rss_bytes: 11_534_336,
        threads: 2,
        coalesce: String::from("never"),
        limited: false,
        verdict: String::from("the generator kept up: 42 % of one core, send lag p99 18 µs"),
        steady: true,
    }
}

fn thresholds() -> Vec<Threshold> {
    vec![
        Threshold {
            expression: String::from("p50 < 20ms"),
            measured: 0.139,
            passed: true,
            missed_by: String::new(),
        },
        Threshold {
            expression: String::from("lost == 0"),
            measured: 1_270.0,
            passed: false,
            missed_by: String::from("1,270"),
        },
    ]
}

mod tests {
    use super::*;

    #[test]
    fn the_sample_adds_up() {
        let Messages {
            planned,
            unsent,
            sent,
            ..
        } = messages();
        assert_eq!(planned, sent + unsent);
        assert_eq!(report(), report(), "it is always the same");
    }
}
