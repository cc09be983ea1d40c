//! One result from those of many workers: histograms and counters are added, nothing is estimated.
//!
//! Results without the distributions of their time series, which older versions wrote, have only percentiles there: of
//! these the highest of all workers stands, and a warning says so.

mod parts;
mod series;
mod together;

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result};

pub(crate) use series::beside;

use super::coap;
use super::plan::Shard;
use super::result::{Interval, Report, SCHEMA_VERSION};
use super::threshold::Assert;

/// The name in [`Report::setup`] under which a worker says which part of the run it was: `1/4`.
pub(crate) const SHARD: &str = "shard";

/// The name under which a merged result says of how many workers it is.
pub(crate) const WORKERS: &str = "workers";

/// What a worker of several warns of; it is no longer true of the whole.
pub(crate) const SHARD_ALONE: &str =
    "one shard of a larger run: merge all shards before judging missing messages";

/// A worker's report and the file that it came from, for messages.
pub(crate) struct Part {
    /// The file.
    pub name: String,
    /// What it holds.
    pub report: Report,
}

/// Adds up the parts; thresholds are judged anew on the whole. With `partial`, shards may be missing and may have run one
/// after the other: that is a warning then.
///
/// # Errors
/// [`Kind::Usage`](crate::error::Kind::Usage), naming the file: none at all, another version, the same
/// part twice, a damaged histogram; without `partial` a missing shard, or parts that did not run at the same time.
pub(crate) fn merge(parts: &[Part], partial: bool) -> Result<Report> {
    let Some(first) = parts.first() else {
        return Err(Error::usage("there is no result to merge"));
    };
    check(parts)?;
    let mut warnings = together::check(parts, partial)?;
    let (messages, unstamped) = parts::messages(parts);
    let mut whole = Report {
        schema_version: SCHEMA_VERSION,
        tool: first.report.tool.clone(),
        started_at: series::earliest(parts),
        run_id: first.report.run_id,
        shard: Shard::default(),
        setup: setup(parts, &mut warnings),
        phases: parts::phases(parts),
        connections: parts::connections(parts),
        messages,
        warmup: parts::warmup(parts),
        unstamped,
        counts: parts::counts(parts),
        rates: parts::rates(parts),
        latency: parts::latency(parts)?,
        intervals: series::aligned(parts),
        errors: parts::errors(parts),
        generator: parts::generator(parts),
        thresholds: Vec::new(),
        warnings: Vec::new(),
    };
    if whole.counts.contains_key(coap::ATTEMPTS) {
        coap::name_figures(&mut whole);
    }
    warnings.extend(told(parts));
    judge(parts, &mut whole, &mut warnings);
    whole.warnings = warnings;
    Ok(whole)
}

/// Refuses what would be counted twice or means something else.
fn check(parts: &[Part]) -> Result<()> {
    let mut seen: BTreeMap<(u64, Shard), &str> = BTreeMap::new();
    for Part { name, report } in parts {
        if report.schema_version != SCHEMA_VERSION {
            return Err(Error::usage(format!(
                "{name} has version {} of the result schema, not {SCHEMA_VERSION}",
                report.schema_version
            )));
        }
        if let Some(other) = seen.insert((report.run_id, report.shard), name) {
            return Err(Error::usage(format!(
                "{name} is the same shard of the same run as {other}"
            ))
            .hint("give each worker's result once; workers of one run need --shard I/N"));
        }
    }
    Ok(())
}

/// What all have in common; where they differ, all values and a warning.
fn setup(parts: &[Part], warnings: &mut Vec<String>) -> BTreeMap<String, String> {
    let names: BTreeSet<&String> = parts
        .iter()
        .flat_map(|part| part.report.setup.keys())
        .collect();
    let mut setup = BTreeMap::new();
    for name in names.into_iter().filter(|name| *name != SHARD) {
        let values: Vec<&str> = parts
            .iter()
            .map(|part| part.report.setup.get(name).map_or("(none)", String::as_str))
            .collect();
        let distinct: BTreeSet<&str> = values.iter().copied().collect();
        let joined: Vec<&str> = distinct.iter().copied().collect();
        if distinct.len() > 1 {
            let of = |(part, value): (&Part, &&str)| format!("{value} in {}", part.name);
            let said: Vec<String> = parts.iter().zip(&values).map(of).collect();
            warnings.push(format!("{name} differs: {}", said.join(", ")));
        }
        setup.insert(name.clone(), joined.join(" / "));
    }
    setup.insert(WORKERS.to_owned(), parts.len().to_string());
    setup
}

/// What the workers warned of, each warning once, and what merging has to say.
fn told(parts: &[Part]) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    let runs: BTreeSet<u64> = parts.iter().map(|part| part.report.run_id).collect();
    if runs.len() > 1 {
        told.push(format!(
            "these are {} runs with different IDs: messages from one to another count as foreign",
            runs.len()
        ));
    }
    let is_bare = |point: &Interval| point.histograms.len() < point.latency.len();
    let mut points = parts.iter().flat_map(|part| &part.report.intervals);
    if parts.len() > 1 && points.any(is_bare) {
        told.push(String::from(
            "percentiles over time are the highest of all workers; all other figures are exact",
        ));
    }
    for warning in parts.iter().flat_map(|part| &part.report.warnings) {
        let is_over = parts.len() > 1 && warning == SHARD_ALONE;
        if !is_over && !told.contains(warning) {
            told.push(warning.clone());
        }
    }
    told
}

/// Judges every threshold that a worker was given on the whole.
fn judge(parts: &[Part], whole: &mut Report, warnings: &mut Vec<String>) {
    let mut expressions: Vec<&str> = Vec::new();
    for threshold in parts.iter().flat_map(|part| &part.report.thresholds) {
        if !expressions.contains(&threshold.expression.as_str()) {
            expressions.push(&threshold.expression);
        }
    }
    for expression in expressions {
        match expression.parse::<Assert>() {
            Ok(assert) => {
                let outcome = assert.evaluate(whole);
                whole.thresholds.push(outcome);
            }
            Err(error) => warnings.push(format!("a threshold was skipped: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::sample;

    fn parts() -> Vec<Part> {
        (0..2)
            .map(|index| {
                let mut report = sample::report();
                report.shard = Shard { index, count: 2 };
                report.setup.insert(SHARD.to_owned(), format!("{index}/2"));
                Part {
                    name: format!("{}.json", index + 1),
                    report,
                }
            })
            .collect()
    }

    #[test]
    fn counters_rates_and_histograms_are_added() {
        let one = sample::report();
        let whole = merge(&parts(), false).unwrap();
        assert_eq!(whole.messages.sent, 2 * one.messages.sent);
        assert_eq!(whole.messages.missing, 2 * one.messages.missing);
        assert_eq!(whole.connections.opened, 2 * one.connections.opened);
        assert_eq!(whole.rates.accepted_per_s, 2.0 * one.rates.accepted_per_s);
        assert_eq!(whole.phases, one.phases);
        let (both, single) = (&whole.latency["response"], &one.latency["response"]);
        assert_eq!(both.count, 2 * single.count);
        assert_eq!(both.p99_ms, single.p99_ms);
        assert!((both.mean_ms / single.mean_ms - 1.0).abs() < 1e-9);
        assert_eq!(whole.errors[0].count, 2 * one.errors[0].count);
        assert_eq!(whole.errors.len(), one.errors.len());
        assert_eq!(whole.generator.cpu_s, 2.0 * one.generator.cpu_s);
        assert_eq!(whole.generator.threads, 4);
        assert_eq!(whole.setup["workers"], "2");
        assert!(!whole.setup.contains_key(SHARD));
    }

    #[test]
    fn thresholds_are_judged_on_the_whole() {
        let whole = merge(&parts(), false).unwrap();
        assert_eq!(whole.thresholds[1].expression, "lost == 0");
        assert_eq!(whole.thresholds[1].missed_by, "2,540");
    }

    #[test]
    fn merging_one_changes_nothing_but_its_thresholds() {
        let part = Part {
            name: String::from("a"),
            report: sample::report(),
        };
        let whole = merge(&[part], false).unwrap();
        let one = sample::report();
        assert_eq!(whole.intervals, one.intervals);
        assert_eq!(whole.messages, one.messages);
        assert_eq!(whole.warnings, one.warnings);
        assert_eq!(whole.latency["lag"].p999_ms, one.latency["lag"].p999_ms);
    }

    #[test]
    fn what_differs_is_said() {
        let mut parts = parts();
        parts[1]
            .report
            .setup
            .insert(String::from("qos"), String::from("0"));
        parts[1].report.run_id += 1;
        parts
            .iter_mut()
            .for_each(|part| part.report.shard = Shard::default());
        let whole = merge(&parts, false).unwrap();
        assert_eq!(whole.setup["qos"], "0 / 1");
        assert_eq!(whole.warnings[0], "qos differs: 1 in 1.json, 0 in 2.json");
        assert!(whole.warnings[1].starts_with("these are 2 runs"));
        assert_eq!(whole.warnings.len(), 4, "{:?}", whole.warnings);
    }

    #[test]
    fn what_cannot_be_added_is_refused_by_name() {
        let refused = |parts: &[Part]| merge(parts, true).unwrap_err().text().to_owned();
        assert_eq!(refused(&[]), "there is no result to merge");
        let mut twice = parts();
        twice[1].report.shard.index = 0;
        assert_eq!(
            refused(&twice),
            "2.json is the same shard of the same run as 1.json"
        );
        let mut newer = parts();
        newer[1].report.schema_version = 2;
        assert_eq!(
            refused(&newer),
            "2.json has version 2 of the result schema, not 1"
        );
        let mut damaged = parts();
        damaged[1].report.latency.get_mut("lag").unwrap().histogram = String::new();
        assert_eq!(refused(&damaged), "2.json: latency lag has no histogram");
    }
}
