//! How each part of the results is added up.

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram;

use crate::bench::report::distribution::{decode, summary};
use crate::bench::result::{
    Connections, ErrorCount, Generator, Latency, Messages, PhaseTimes, Rates, Unstamped, Warmup,
};
use crate::error::{Error, Result};

use super::Part;

/// All workers go through the phases side by side: the longest counts.
pub(super) fn phases(parts: &[Part]) -> PhaseTimes {
    let mut whole = PhaseTimes::default();
    for Part { report, .. } in parts {
        let phases = &report.phases;
        whole.connect_s = whole.connect_s.max(phases.connect_s);
        whole.warmup_s = whole.warmup_s.max(phases.warmup_s);
        whole.measured_s = whole.measured_s.max(phases.measured_s);
        whole.drain_s = whole.drain_s.max(phases.drain_s);
    }
    whole
}

pub(super) fn connections(parts: &[Part]) -> Connections {
    let mut whole = Connections::default();
    for Part { report, .. } in parts {
        let one = &report.connections;
        whole.planned += one.planned;
        whole.opened += one.opened;
        whole.failed += one.failed;
        whole.lost += one.lost;
        whole.reopened += one.reopened;
        whole.away_s += one.away_s;
        whole.rate_per_s += one.rate_per_s;
        whole.tls_full += one.tls_full;
        whole.tls_resumed += one.tls_resumed;
    }
    whole
}

/// Those that are no sums are recomputed from the whole by the caller.
pub(super) fn counts(parts: &[Part]) -> BTreeMap<String, u64> {
    let mut whole = BTreeMap::new();
    for (name, count) in parts.iter().flat_map(|part| &part.report.counts) {
        *whole.entry(name.clone()).or_default() += count;
    }
    whole
}

pub(super) fn warmup(parts: &[Part]) -> Warmup {
    let mut whole = Warmup::default();
    for Part { report, .. } in parts {
        whole.planned += report.warmup.planned;
        whole.sent += report.warmup.sent;
        whole.acknowledged += report.warmup.acknowledged;
        whole.expected += report.warmup.expected;
        whole.received += report.warmup.received;
        whole.unique += report.warmup.unique;
    }
    whole
}

/// All messages, and those without a stamp among them.
pub(super) fn messages(parts: &[Part]) -> (Messages, Unstamped) {
    let mut whole = Messages::default();
    for Part { report, .. } in parts {
        let one = &report.messages;
        whole.planned += one.planned;
        whole.unsent += one.unsent;
        whole.sent += one.sent;
        whole.acknowledged += one.acknowledged;
        whole.refused += one.refused;
        whole.timed_out += one.timed_out;
        whole.lost_with_connection += one.lost_with_connection;
        whole.repeated += one.repeated;
        whole.expected += one.expected;
        whole.received += one.received;
        whole.unique += one.unique;
        whole.duplicate += one.duplicate;
        whole.undecided += one.undecided;
        whole.missing += one.missing;
        whole.reordered += one.reordered;
        whole.late += one.late;
        whole.foreign += one.foreign;
        whole.sent_bytes += one.sent_bytes;
        whole.received_bytes += one.received_bytes;
    }
    // What one shard sent comes to the receivers of all.
    let mut runs = parts.iter().map(|part| part.report.run_id);
    let first = runs.next();
    if !runs.all(|run| Some(run) == first) {
        return (whole, Unstamped::default());
    }
    whole.missing = whole.expected.saturating_sub(whole.unique);
    let unstamped = unstamped(parts, &mut whole);
    (whole, unstamped)
}

/// Counts what came without a stamp anew: one shard knows what was sent, another what came.
fn unstamped(parts: &[Part], whole: &mut Messages) -> Unstamped {
    let mut sum = Unstamped::default();
    for part in parts {
        part.report.unstamped.leave(whole);
        sum.received += part.report.unstamped.received;
    }
    if sum.received > 0 {
        sum.enter(whole, &warmup(parts));
    }
    sum
}

pub(super) fn rates(parts: &[Part]) -> Rates {
    let mut whole = Rates::default();
    for Part { report, .. } in parts {
        let one = &report.rates;
        whole.planned_per_s += one.planned_per_s;
        whole.offered_per_s += one.offered_per_s;
        whole.accepted_per_s += one.accepted_per_s;
        whole.delivered_per_s += one.delivered_per_s;
    }
    whole
}

/// Adds the histograms; all figures come from the sum.
pub(super) fn latency(parts: &[Part]) -> Result<BTreeMap<String, Latency>> {
    let names: BTreeSet<&String> = parts
        .iter()
        .flat_map(|part| part.report.latency.keys())
        .collect();
    let mut whole = BTreeMap::new();
    for quantity in names {
        whole.insert(quantity.clone(), one_latency(parts, quantity)?);
    }
    Ok(whole)
}

fn one_latency(parts: &[Part], quantity: &str) -> Result<Latency> {
    let mut sum: Option<Histogram<u64>> = None;
    let mut negative = 0;
    for Part { name, report } in parts {
        let damaged = |why: String| Error::usage(format!("{name}: latency {quantity} {why}"));
        let Some(latency) = report.latency.get(quantity) else {
            continue;
        };
        negative += latency.negative;
        let Some(values) = decode(latency).map_err(damaged)? else {
            continue;
        };
        match &mut sum {
            None => sum = Some(values),
            Some(sum) => {
                sum.auto(true);
                sum.add(&values)
                    .map_err(|_| damaged(String::from("has values too large to be added")))?;
            }
        }
    }
    Ok(match sum {
        Some(values) => summary(&values, negative),
        None => Latency {
            negative,
            ..Latency::default()
        },
    })
}

/// By cause, the most frequent first.
pub(super) fn errors(parts: &[Part]) -> Vec<ErrorCount> {
    let mut whole: Vec<ErrorCount> = Vec::new();
    for error in parts.iter().flat_map(|part| &part.report.errors) {
        match whole.iter_mut().find(|known| known.cause == error.cause) {
            Some(known) => {
                known.count += error.count;
                known.hint = known.hint.take().or_else(|| error.hint.clone());
            }
            None => whole.push(error.clone()),
        }
    }
    whole.sort_by_key(|error| std::cmp::Reverse(error.count));
    whole
}

pub(super) fn generator(parts: &[Part]) -> Generator {
    let all = || parts.iter().map(|part| &part.report.generator);
    let messages: u64 = parts
        .iter()
        .map(|part| part.report.messages.sent + part.report.messages.received)
        .sum();
    let cpu_s: f64 = all().map(|one| one.cpu_s).sum();
    let coalesce: BTreeSet<&str> = all().map(|one| one.coalesce.as_str()).collect();
    Generator {
        cpu_s,
        cpu_percent: all().map(|one| one.cpu_percent).sum(),
        cpu_s_per_million: cpu_s / messages.max(1) as f64 * 1e6,
        max_rss_bytes: all().map(|one| one.max_rss_bytes).max().unwrap_or(0),
        threads: all().map(|one| one.threads).sum(),
        coalesce: coalesce.into_iter().collect::<Vec<_>>().join(" / "),
        limited: all().any(|one| one.limited),
        verdict: verdict(parts),
        steady: all().all(|one| one.steady),
    }
}

/// The words of the workers that were the limit, or of all.
fn verdict(parts: &[Part]) -> String {
    let limited = parts.iter().any(|part| part.report.generator.limited);
    let mut said: Vec<String> = Vec::new();
    for Part { name, report } in parts {
        let one = &report.generator;
        if one.limited != limited || one.verdict.is_empty() {
            continue;
        }
        if said.iter().all(|known| !known.ends_with(&one.verdict)) {
            said.push(format!("{name}: {}", one.verdict));
        }
    }
    said.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::sample;
    use crate::bench::result::Report;

    fn part(name: &str, change: impl FnOnce(&mut Report)) -> Part {
        let mut report = sample::report();
        change(&mut report);
        Part {
            name: name.to_owned(),
            report,
        }
    }

    #[test]
    fn different_distributions_are_added_exactly() {
        let fast = sample::values(990, 1.0, 0.0);
        let slow = sample::values(10, 400.0, 0.0);
        let with = |values: &Histogram<u64>| {
            let latency = summary(values, 1);
            part("a", |report| {
                report.latency = [(String::from("response"), latency)].into();
            })
        };
        let mut expected = fast.clone();
        expected.auto(true);
        expected.add(&slow).unwrap();
        let whole = latency(&[with(&fast), with(&slow)]).unwrap();
        assert_eq!(whole["response"], summary(&expected, 2));
    }

    #[test]
    fn a_worker_that_was_the_limit_is_named() {
        let limited = part("b.json", |report| {
            report.generator.limited = true;
            report.generator.verdict = String::from("99 % of one core");
            report.generator.max_rss_bytes = 5;
        });
        let whole = generator(&[part("a.json", |_| {}), limited]);
        assert!(whole.limited);
        assert_eq!(whole.verdict, "b.json: 99 % of one core");
        assert_eq!(whole.max_rss_bytes, 11_534_336);
    }

    #[test]
    fn errors_are_added_by_cause() {
        let other = part("b", |report| {
            report.errors.truncate(1);
            report.errors[0].cause = String::from("refused");
            report.errors[0].count = 5_000;
        });
        let whole = errors(&[part("a", |_| {}), other]);
        let counts: Vec<u64> = whole.iter().map(|error| error.count).collect();
        assert_eq!(counts, [5_000, 1_002, 150, 40]);
        assert_eq!(whole[0].cause, "refused");
    }
}
