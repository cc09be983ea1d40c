//! From the books to a report: percentiles, rates, and how far the numbers can be believed.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};
use jiff::Timestamp;

use super::super::clock::{Nanos, seconds};
use super::super::plan::{Coalesce, Load};
use super::super::recorder::{Distribution, Quantity, Records, Window};
use super::super::result::{
    Connections, ErrorCount, Generator, Interval, Latency, PhaseTimes, Rates, Report,
    SCHEMA_VERSION,
};
use super::super::system;
use super::course::Run;
use super::load::saturates;

/// Lateness of the generator itself, in nanoseconds, from which its numbers are doubtful.
const TOO_LATE: u64 = 1_000_000;
/// Part of its threads' time from which it may be the limit.
const TOO_BUSY: f64 = 0.9;
/// How far a third of the measured time may be from the whole.
const UNSTEADY: f64 = 0.1;

/// When the phases began and ended, and what they took.
pub(super) struct Phases {
    pub(super) started: Nanos,
    pub(super) begin: Nanos,
    pub(super) window: Window,
    pub(super) ended: Nanos,
    pub(super) cpu_s: f64,
    pub(super) threads: usize,
    pub(super) planned_connections: u64,
}

impl Phases {
    /// The measured time, to which a run that was cut short did not come whole.
    fn measured(&self) -> Nanos {
        let to = self.window.to.min(self.ended);
        to.saturating_sub(self.window.from)
    }
}

pub(super) fn report(
    run: &Run<'_>,
    mut total: Records,
    intervals: Vec<Interval>,
    phases: &Phases,
) -> Report {
    let latency: BTreeMap<String, Latency> = Quantity::ALL
        .into_iter()
        .filter_map(|quantity| {
            let found = latency(total.of(quantity))?;
            Some((quantity.name().to_owned(), found))
        })
        .collect();
    let generator = generator(run, &mut total, &intervals, phases);
    let warnings = warnings(run, &total, &generator);
    Report {
        schema_version: SCHEMA_VERSION,
        tool: concat!("iotctl ", env!("CARGO_PKG_VERSION")).to_owned(),
        started_at: time_of_day(phases.begin),
        run_id: run.run_id,
        setup: BTreeMap::new(),
        phases: times(phases),
        connections: connections(&total, phases),
        rates: rates(&total, phases),
        messages: total.messages,
        latency,
        intervals,
        errors: errors(total.errors),
        generator,
        thresholds: Vec::new(),
        warnings,
    }
}

fn time_of_day(at: Nanos) -> String {
    Timestamp::from_nanosecond(i128::from(at)).map_or_else(|_| String::new(), |at| at.to_string())
}

fn times(phases: &Phases) -> PhaseTimes {
    let window = phases.window;
    PhaseTimes {
        connect_s: seconds(phases.begin.saturating_sub(phases.started)),
        warmup_s: seconds(window.from.min(phases.ended).saturating_sub(phases.begin)),
        measured_s: seconds(phases.measured()),
        drain_s: seconds(phases.ended.saturating_sub(window.to)),
    }
}

fn connections(total: &Records, phases: &Phases) -> Connections {
    let links = total.links;
    let connecting = seconds(phases.begin.saturating_sub(phases.started)).max(1e-6);
    Connections {
        planned: phases.planned_connections,
        opened: links.opened,
        failed: links.failed,
        lost: links.lost,
        reopened: links.reopened,
        away_s: seconds(links.away),
        rate_per_s: links.opened as f64 / connecting,
    }
}

fn rates(total: &Records, phases: &Phases) -> Rates {
    let measured = seconds(phases.measured()).max(1e-9);
    Rates {
        planned_per_s: total.messages.planned as f64 / measured,
        offered_per_s: total.passed.sent / measured,
        accepted_per_s: total.passed.acknowledged / measured,
        delivered_per_s: total.passed.received / measured,
    }
}

fn errors(causes: BTreeMap<String, (u64, Option<String>)>) -> Vec<ErrorCount> {
    let mut errors: Vec<ErrorCount> = causes
        .into_iter()
        .map(|(cause, (count, hint))| ErrorCount { cause, count, hint })
        .collect();
    errors.sort_by(|a, b| b.count.cmp(&a.count));
    errors
}

/// One distribution for a report; `None` when it is empty.
pub fn latency(distribution: &mut Distribution) -> Option<Latency> {
    let negative = distribution.negative;
    let Some(histogram) = distribution.histogram() else {
        return (negative > 0).then(|| Latency {
            negative,
            ..Latency::default()
        });
    };
    let ms = |nanos: u64| nanos as f64 / 1e6;
    let at = |quantile| ms(histogram.value_at_quantile(quantile));
    Some(Latency {
        count: histogram.len(),
        negative,
        min_ms: ms(histogram.min()),
        mean_ms: histogram.mean() / 1e6,
        stdev_ms: histogram.stdev() / 1e6,
        p50_ms: at(0.5),
        p90_ms: at(0.9),
        p95_ms: at(0.95),
        p99_ms: at(0.99),
        p999_ms: at(0.999),
        p9999_ms: at(0.9999),
        max_ms: ms(histogram.max()),
        histogram: encoded(histogram),
    })
}

/// HdrHistogram V2, compressed, base64.
fn encoded(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    // Writing to memory does not fail; an empty text would be read as no histogram.
    match V2DeflateSerializer::new().serialize(histogram, &mut bytes) {
        Ok(_) => BASE64.encode(&bytes),
        Err(_) => String::new(),
    }
}

/// p50, p99 and maximum of everything in an interval, in milliseconds.
pub(super) fn points(records: &mut Records) -> BTreeMap<String, [f64; 3]> {
    let mut points = BTreeMap::new();
    for quantity in Quantity::ALL {
        if let Some(histogram) = records.of(quantity).histogram() {
            let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e6;
            let point = [at(0.5), at(0.99), histogram.max() as f64 / 1e6];
            points.insert(quantity.name().to_owned(), point);
        }
    }
    points
}

fn generator(
    run: &Run<'_>,
    total: &mut Records,
    intervals: &[Interval],
    phases: &Phases,
) -> Generator {
    let measured = seconds(phases.measured()).max(1e-9);
    let cpu_percent = phases.cpu_s / measured * 100.0;
    let passed = total.passed.sent + total.passed.received;
    let late = total.tardy.at_quantile(0.99);
    let busy = cpu_percent / 100.0 / phases.threads as f64;
    let (limited, verdict) = verdict(late, busy, phases.threads);
    Generator {
        cpu_s: phases.cpu_s,
        cpu_percent,
        cpu_s_per_million: if passed > 0.0 {
            phases.cpu_s / passed * 1e6
        } else {
            0.0
        },
        max_rss_bytes: system::max_rss_bytes(),
        threads: phases.threads as u64,
        coalesce: coalesce(run.plan.coalesce),
        limited,
        verdict,
        steady: is_steady(intervals),
    }
}

fn verdict(late: u64, busy: f64, threads: usize) -> (bool, String) {
    let percent = (busy * 100.0).round();
    let late_ms = late as f64 / 1e6;
    if busy > TOO_BUSY {
        let text = format!(
            "the generator used {percent}% of its {threads} threads: it, not the peer, may be the limit"
        );
        return (true, text);
    }
    if late > TOO_LATE {
        let text = format!(
            "the generator was late itself (p99 {late_ms:.1} ms): the machine is too busy for this rate"
        );
        return (true, text);
    }
    let text = format!(
        "the generator was not the limit: {percent}% of its threads' time, late by {late_ms:.3} ms (p99)"
    );
    (false, text)
}

fn coalesce(rule: Coalesce) -> String {
    match rule {
        Coalesce::Never => String::from("never"),
        Coalesce::Adaptive => String::from("adaptive"),
        Coalesce::Fixed(wait) => format!("fixed {}us", wait.as_micros()),
    }
}

/// Whether each third of the measured time had the throughput of the whole.
fn is_steady(intervals: &[Interval]) -> bool {
    let measured: Vec<f64> = intervals
        .iter()
        .filter(|interval| interval.phase == "measure")
        .map(|interval| (interval.sent.max(interval.received)) as f64)
        .collect();
    let third = measured.len() / 3;
    if third == 0 {
        return true;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let whole = mean(&measured[..3 * third]);
    measured
        .chunks_exact(third)
        .all(|part| (mean(part) - whole).abs() <= UNSTEADY * whole)
}

fn warnings(run: &Run<'_>, total: &Records, generator: &Generator) -> Vec<String> {
    let mut warnings = Vec::new();
    let loads = || {
        run.plan
            .groups
            .iter()
            .filter_map(|group| group.load.as_ref())
    };
    if generator.limited {
        warnings.push(generator.verdict.clone());
    }
    if !generator.steady {
        warnings.push(String::from(
            "throughput was not steady: a third of the measured time is over 10% away from the whole",
        ));
    }
    let messages = &total.messages;
    if messages.unsent > 0 {
        warnings.push(format!(
            "{} messages were due and not sent: response times would be longer with them",
            messages.unsent
        ));
    }
    let unanswered = messages.timed_out + messages.lost_with_connection;
    if unanswered > 0 {
        warnings.push(format!(
            "{unanswered} messages were not answered: their times are in no percentile"
        ));
    }
    if loads().any(|load| matches!(load, Load::Closed { .. })) {
        warnings.push(String::from(
            "closed loop: the peer sets the pace, so response times are service times",
        ));
    }
    if run.plan.coalesce != Coalesce::Never && loads().all(|load| !saturates(load)) {
        warnings.push(String::from(
            "reads were gathered: latencies are longer by up to the time of gathering",
        ));
    }
    if run.plan.shard.count > 1 {
        warnings.push(String::from(
            "a shard of a larger run: merge all shards before judging what is missing",
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(sent: u64) -> Interval {
        Interval {
            phase: String::from("measure"),
            sent,
            ..Interval::default()
        }
    }

    #[test]
    fn a_third_that_is_slower_makes_a_run_unsteady() {
        let rates = |rates: &[u64]| rates.iter().copied().map(interval).collect::<Vec<_>>();
        assert!(is_steady(&rates(&[100, 101, 99, 100, 104, 98])));
        assert!(!is_steady(&rates(&[100, 100, 100, 100, 60, 60])));
        assert!(is_steady(&rates(&[100])), "too short to tell");
    }

    #[test]
    fn a_distribution_comes_back_from_its_text() {
        let mut distribution = Distribution::default();
        for value in 1..=1000_u64 {
            distribution.record(value * 1_000_000);
        }
        let found = latency(&mut distribution).unwrap();
        assert!((found.p50_ms - 500.0).abs() < 1.0, "{}", found.p50_ms);
        assert!((found.p99_ms - 990.0).abs() < 1.0, "{}", found.p99_ms);
        let bytes = BASE64.decode(found.histogram.as_bytes()).unwrap();
        let read: Histogram<u64> = hdrhistogram::serialization::Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .unwrap();
        assert_eq!(read.len(), 1000);
    }
}
