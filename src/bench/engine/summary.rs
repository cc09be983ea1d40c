//! From the books to a report: percentiles, rates, and how far the numbers can be believed.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::clock::{Nanos, seconds};
use super::super::failure::{lost_for_good, most_timed_out};
use super::super::merge::SHARD_ALONE;
use super::super::plan::{Coalesce, Load};
use super::super::recorder::{
    Distribution, Flow, HELD_BACK, NOT_PROVED, Phase, Quantity, Records, Window,
};
use super::super::report::distribution;
use super::super::result::{
    Connections, ErrorCount, Generator, Interval, Latency, Messages, PhaseTimes, Rates, Report,
    SCHEMA_VERSION, Unstamped, Warmup,
};
use super::super::series;
use super::super::system;
use super::Run;
use super::load::saturates;
use crate::error::counted_were;

/// Lateness of the generator itself, in nanoseconds, from which its numbers are doubtful.
const TOO_LATE: u64 = 1_000_000;
/// Part of its threads' time from which it may be the limit.
const TOO_BUSY: f64 = 0.9;
/// How far a third of the measured time may be from the whole.
const UNSTEADY: f64 = 0.1;

/// When the phases began and ended, and what they took.
pub(super) struct Phases {
    pub(super) started: Nanos,
    /// When every connection had been tried.
    pub(super) settled: Nanos,
    pub(super) begin: Nanos,
    pub(super) window: Window,
    pub(super) ended: Nanos,
    pub(super) cpu_s: f64,
    pub(super) threads: usize,
    pub(super) planned_connections: u64,
    pub(super) drain: Drain,
}

/// How the drain ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Drain {
    /// All that was sent was answered and had come; or the run was cut short.
    #[default]
    Done,
    /// It took as long as it may; meanwhile nothing came any more.
    Silent,
    /// It took as long as it may, and more was still coming.
    Early,
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
            let found = latency(total.whole(quantity))?;
            Some((quantity.name().to_owned(), found))
        })
        .collect();
    let unstamped = enter_unstamped(&mut total);
    let generator = generator(run, &mut total, &intervals, phases);
    let warnings = warnings(run, &total, &generator, phases);
    Report {
        schema_version: SCHEMA_VERSION,
        tool: concat!("iotctl ", env!("CARGO_PKG_VERSION")).to_owned(),
        started_at: time_of_day(phases.begin),
        run_id: run.run_id,
        shard: run.plan.shard,
        setup: BTreeMap::new(),
        phases: times(phases),
        connections: connections(&total, phases),
        rates: rates(&total, phases),
        warmup: warmup(&total),
        unstamped,
        messages: total.messages,
        latency,
        intervals,
        counts: counts(total.counts),
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
        connect_s: seconds(phases.settled.saturating_sub(phases.started)),
        warmup_s: seconds(window.from.min(phases.ended).saturating_sub(phases.begin)),
        measured_s: seconds(phases.measured()),
        drain_s: seconds(phases.ended.saturating_sub(window.to)),
    }
}

fn connections(total: &Records, phases: &Phases) -> Connections {
    let links = total.links;
    let connecting = seconds(phases.settled.saturating_sub(phases.started)).max(1e-6);
    Connections {
        planned: phases.planned_connections,
        opened: links.opened,
        failed: links.failed,
        lost: links.lost,
        reopened: links.reopened,
        away_s: seconds(links.away),
        rate_per_s: links.opened as f64 / connecting,
        tls_full: 0,
        tls_resumed: 0,
    }
}

fn rates(total: &Records, phases: &Phases) -> Rates {
    let measured = seconds(phases.measured()).max(1e-9);
    let flow = total.flow[Phase::Measure as usize];
    let rate = |messages: u64| messages as f64 / measured;
    Rates {
        planned_per_s: rate(flow.planned),
        offered_per_s: rate(flow.sent),
        accepted_per_s: rate(flow.acknowledged),
        delivered_per_s: rate(flow.unique),
    }
}

/// What passed in all phases and was not due while measuring.
fn warmup(total: &Records) -> Warmup {
    let before = |all: fn(&Flow) -> u64, measured: u64| {
        let all: u64 = total.flow.iter().map(all).sum();
        all.saturating_sub(measured)
    };
    let messages = &total.messages;
    Warmup {
        planned: before(|flow| flow.planned, messages.planned),
        sent: before(|flow| flow.sent, messages.sent),
        acknowledged: before(|flow| flow.acknowledged, messages.acknowledged),
        expected: total.unstamped.warmup_expected,
        received: before(|flow| flow.received, messages.received),
        unique: total.unstamped.warmup_unique,
    }
}

/// Enters what came without a stamp, now that all has come.
fn enter_unstamped(total: &mut Records) -> Unstamped {
    let [before, measured, drain] = total.unstamped.received;
    let mut unstamped = Unstamped {
        received: before + measured + drain,
        ..Unstamped::default()
    };
    if unstamped.received == 0 {
        return unstamped;
    }
    let warmup = warmup(total);
    let messages = &mut total.messages;
    if messages.expected + warmup.expected > 0 {
        unstamped.enter(messages, &warmup);
    } else {
        // Others send: when a message came is all that is known of it.
        unstamped.unique = measured + drain;
        messages.unique += unstamped.unique;
        messages.received += unstamped.unique;
    }
    messages.late += drain.min(unstamped.unique);
    unstamped
}

fn counts(counts: BTreeMap<&'static str, u64>) -> BTreeMap<String, u64> {
    let named = |(name, count): (&str, u64)| (name.to_owned(), count);
    counts.into_iter().map(named).collect()
}

fn errors(causes: BTreeMap<String, (u64, Option<String>)>) -> Vec<ErrorCount> {
    let mut errors: Vec<ErrorCount> = causes
        .into_iter()
        .map(|(cause, (count, hint))| ErrorCount { cause, count, hint })
        .collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.count));
    errors
}

/// One distribution for a report; `None` when it is empty.
pub(crate) fn latency(values: &mut Distribution) -> Option<Latency> {
    let negative = values.negative;
    let Some(histogram) = values.histogram() else {
        return (negative > 0).then(|| Latency {
            negative,
            ..Latency::default()
        });
    };
    Some(distribution::summary(histogram, negative))
}

/// Enters the distributions of a point.
pub(super) fn enter(latency: &mut [Distribution], point: &mut Interval) {
    let mut entered = BTreeMap::new();
    for (quantity, values) in Quantity::ALL.into_iter().zip(latency) {
        if let Some(values) = values.histogram() {
            entered.insert(quantity.name().to_owned(), values);
        }
    }
    series::enter(point, entered);
}

fn generator(
    run: &Run<'_>,
    total: &mut Records,
    intervals: &[Interval],
    phases: &Phases,
) -> Generator {
    let measured = seconds(phases.measured()).max(1e-9);
    let cpu_percent = phases.cpu_s / measured * 100.0;
    let flow = total.flow[Phase::Measure as usize];
    let passed = (flow.sent + flow.received) as f64;
    let late = total.tardy.at_quantile(0.99);
    let busy = cpu_percent / 100.0 / phases.threads as f64;
    let held_back = total.counts.get(HELD_BACK).copied().unwrap_or(0);
    let not_proved = total.counts.get(NOT_PROVED).copied().unwrap_or(0);
    let failed = lost_for_good(&connections(total, phases))
        .or_else(|| most_timed_out(&total.messages, not_proved));
    let (limited, verdict) = match failed {
        // Whatever was late then, the generator is not what it waited for.
        Some(failed) => (false, failed),
        None => verdict(late, busy, phases.threads, held_back),
    };
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
        steady: is_steady(intervals, run.plan.is_open()),
    }
}

fn verdict(late: u64, busy: f64, threads: usize, held_back: u64) -> (bool, String) {
    let percent = (busy * 100.0).round();
    let late_ms = late as f64 / 1e6;
    if busy > TOO_BUSY {
        let text = format!(
            "the generator used {percent}% of its {threads} threads and may be the limit, not the server"
        );
        return (true, text);
    }
    if held_back > 0 {
        let times = match held_back {
            1 => String::from("once"),
            more => format!("{more} times"),
        };
        let text = format!("the server was the limit: it paused publishers {times}");
        return (false, text);
    }
    if late > TOO_LATE {
        let text = format!(
            "the generator fell behind its schedule (p99 {late_ms:.1} ms): the machine is too busy for this rate"
        );
        return (true, text);
    }
    let text = format!(
        "the generator was not the limit: {percent}% of its threads' time, send lag {late_ms:.3} ms (p99)"
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

/// Whether each third of the measured time had the throughput of the whole; of a load by the clock, in proportion to what
/// was due, so that a ramp is steady as long as it is followed.
fn is_steady(intervals: &[Interval], by_clock: bool) -> bool {
    // Seconds, or messages due, and messages that passed in each interval.
    let mut measured = Vec::new();
    let mut began = 0.0;
    for interval in intervals {
        if interval.phase == "measure" {
            let messages = interval.sent.max(interval.received);
            let whole = match by_clock {
                true => interval.planned as f64,
                false => interval.at_s - began,
            };
            measured.push((whole, messages as f64));
        }
        began = interval.at_s;
    }
    let third = measured.len() / 3;
    if third == 0 {
        return true;
    }
    let rate = |part: &[(f64, f64)]| {
        let sum = |sum: (f64, f64), one: &(f64, f64)| (sum.0 + one.0, sum.1 + one.1);
        let (whole, messages) = part.iter().fold((0.0, 0.0), sum);
        (whole > 0.0).then(|| messages / whole)
    };
    let Some(whole) = rate(&measured[..3 * third]) else {
        return true;
    };
    let mut thirds = measured.chunks_exact(third).filter_map(rate);
    thirds.all(|third| (third - whole).abs() <= UNSTEADY * whole)
}

fn warnings(run: &Run<'_>, total: &Records, generator: &Generator, phases: &Phases) -> Vec<String> {
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
        let what = match run.plan.is_open() {
            true => "throughput did not follow the planned rate",
            false => "throughput varied",
        };
        warnings.push(format!(
            "{what}: a third of the measured time differs by more than 10% from the mean"
        ));
    }
    let messages = &total.messages;
    if messages.unsent > 0 {
        warnings.push(format!(
            "{} due but not sent: no percentile includes them, and thresholds count them as infinitely late",
            counted_were(messages.unsent, "message")
        ));
    }
    warnings.extend(drain(run, messages, phases.drain));
    warnings.extend(open_ends(total));
    if loads().any(|load| matches!(load, Load::Closed { .. })) {
        warnings.push(String::from(
            "closed loop: the server sets the pace, so response times are service times",
        ));
    }
    if matches!(run.plan.coalesce, Coalesce::Fixed(_)) && loads().any(saturates) {
        warnings.push(String::from(
            "reads were coalesced for a fixed time, which may itself limit a closed loop; --coalesce adaptive does not",
        ));
    }
    if run.plan.coalesce != Coalesce::Never && loads().all(|load| !saturates(load)) {
        warnings.push(String::from(
            "reads were coalesced: latencies are longer by up to the coalescing time",
        ));
    }
    if run.plan.shard.count > 1 {
        warnings.push(String::from(SHARD_ALONE));
    }
    warnings
}

/// What is not known of messages that were sent.
fn open_ends(total: &Records) -> Vec<String> {
    let mut warnings = Vec::new();
    let undecided = total.messages.undecided;
    if undecided > 0 {
        warnings.push(format!(
            "{} so late that they may be duplicates, and count as missing",
            counted_were(undecided, "message")
        ));
    }
    let not_proved = total.counts.get(NOT_PROVED).copied().unwrap_or(0);
    if not_proved > 0 {
        warnings.push(format!(
            "{} not confirmed: the server does not acknowledge them, and sent nothing later that shows it has read them",
            counted_were(not_proved, "message")
        ));
    }
    let messages = &total.messages;
    let unanswered = messages.timed_out + messages.lost_with_connection;
    let unanswered = unanswered.saturating_sub(not_proved);
    if unanswered > 0 {
        warnings.push(format!(
            "{} not acknowledged: no percentile includes them, and thresholds count them as infinitely late",
            counted_were(unanswered, "message")
        ));
    }
    warnings
}

/// What a drain that ended too early leaves open.
fn drain(run: &Run<'_>, messages: &Messages, drain: Drain) -> Option<String> {
    let open = messages.timed_out + messages.expected.saturating_sub(messages.unique);
    let said = match drain {
        Drain::Done => return None,
        _ if open == 0 => return None,
        Drain::Silent => "no more messages were arriving",
        Drain::Early => {
            "messages were still arriving: those counted as timed out or missing may only be late; use a longer --drain"
        }
    };
    let lasted = humantime::format_duration(run.plan.phases.drain);
    Some(format!("the drain ended after {lasted} while {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval((second, sent): (usize, u64)) -> Interval {
        Interval {
            at_s: second as f64 + 1.0,
            phase: String::from("measure"),
            sent,
            planned: sent,
            ..Interval::default()
        }
    }

    #[test]
    fn a_third_that_is_slower_makes_a_run_unsteady() {
        let rates = |rates: &[u64]| {
            let seconds = rates.iter().copied().enumerate();
            seconds.map(interval).collect::<Vec<_>>()
        };
        assert!(is_steady(&rates(&[100, 101, 99, 100, 104, 98]), false));
        assert!(!is_steady(&rates(&[100, 100, 100, 100, 60, 60]), false));
        assert!(is_steady(&rates(&[100]), false), "too short to tell");
    }

    #[test]
    fn a_ramp_is_steady_as_long_as_it_is_followed() {
        let ramp = || (0..6).map(|second| interval((second, 100 * second as u64)));
        assert!(is_steady(&ramp().collect::<Vec<_>>(), true));
        let mut stalled: Vec<Interval> = ramp().collect();
        stalled[4].sent = 200;
        stalled[5].sent = 200;
        assert!(!is_steady(&stalled, true), "the end is not kept up with");
        let pause = [100, 100, 0, 0, 100, 100].into_iter().enumerate();
        let pause: Vec<Interval> = pause.map(interval).collect();
        assert!(is_steady(&pause, true), "nothing was due");
    }

    #[test]
    fn a_peer_that_takes_nothing_is_the_limit() {
        let (limited, said) = verdict(50_000_000, 0.1, 1, 2);
        assert!(!limited);
        assert_eq!(
            said,
            "the server was the limit: it paused publishers 2 times"
        );
        assert!(verdict(50_000_000, 0.1, 1, 0).0, "late");
        assert!(verdict(0, 0.95, 1, 2).0, "busy");
    }

    #[test]
    fn a_distribution_comes_back_from_its_text() {
        let mut values = Distribution::default();
        for value in 1..=1000_u64 {
            values.record(value * 1_000_000);
        }
        let found = latency(&mut values).unwrap();
        assert!((found.p50_ms - 500.0).abs() < 1.0, "{}", found.p50_ms);
        assert!((found.p99_ms - 990.0).abs() < 1.0, "{}", found.p99_ms);
        let read = distribution::decode(&found).unwrap().unwrap();
        assert_eq!(read.len(), 1000);
    }
}
