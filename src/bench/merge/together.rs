//! Whether parts make a whole: all shards of a run, measured at the same time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::bench::plan::Shard;
use crate::error::{Error, Result};

use super::Part;

/// What of the longest measured time all parts must have in common: rates are added as if they were reached together.
const COMMON: f64 = 0.9;

/// What a reader must know of parts that make no whole.
///
/// # Errors
/// [`Kind::Usage`](crate::error::Kind::Usage), unless these are to be merged all the same (`partial`).
pub(super) fn check(parts: &[Part], partial: bool) -> Result<Vec<String>> {
    let missing = missing(parts);
    // Of two runs neither is whole: that they are two is what went wrong.
    let mixed = mixed(parts).filter(|_| !missing.is_empty());
    let found = mixed.into_iter().chain(missing).chain(apart(parts));
    let found: Vec<String> = found.collect();
    match found.first() {
        Some(first) if !partial => Err(Error::usage(first.clone())
            .hint("use --partial to merge them anyway; the report will say so")),
        _ => Ok(found),
    }
}

/// Parts of different runs: the first, and the first of another.
fn mixed(parts: &[Part]) -> Option<String> {
    let first = parts.first()?;
    let run = |part: &Part| part.report.run_id;
    let other = parts.iter().find(|part| run(part) != run(first))?;
    Some(format!(
        "{} is of run {}, {} of run {}",
        first.name,
        run(first),
        other.name,
        run(other)
    ))
}

/// Shards that are not there.
fn missing(parts: &[Part]) -> Vec<String> {
    let mut runs: BTreeMap<(u64, u32), BTreeSet<u32>> = BTreeMap::new();
    for part in parts {
        let Shard { index, count } = part.report.shard;
        let run = runs.entry((part.report.run_id, count)).or_default();
        run.insert(index);
    }
    let mut said = Vec::new();
    for ((run, count), there) in runs {
        // A report may claim any count: no more is looked at than is reported.
        let lost = count.saturating_sub(there.len() as u32);
        let first: Vec<String> = (0..count)
            .filter(|index| !there.contains(index))
            .take(3)
            .map(|index| format!("{index}/{count}"))
            .collect();
        let more = match lost as usize - first.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        match lost {
            0 => {}
            1 => said.push(format!("of run {run} shard {} is missing", first[0])),
            _ => said.push(format!(
                "of run {run} shards {}{more} are missing",
                first.join(", ")
            )),
        }
    }
    said
}

/// Parts that were not measured at the same time.
fn apart(parts: &[Part]) -> Option<String> {
    let mut spans: Vec<(Timestamp, Timestamp, &str)> = parts.iter().filter_map(measured).collect();
    spans.sort_unstable();
    let (last_from, _, late) = *spans.last()?;
    let (_, first_to, early) = *spans.iter().min_by_key(|(_, to, _)| *to)?;
    let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64();
    let longest = spans.iter().map(|(from, to, _)| seconds(*from, *to));
    let longest = longest.fold(0.0, f64::max);
    let common = seconds(last_from, first_to).max(0.0);
    (common < COMMON * longest).then(|| {
        format!(
            "the shards were not measured at the same time: {early} until {first_to:.3}, {late} from {last_from:.3}, an overlap of {common:.1} s of {longest:.1} s; their rates cannot be added"
        )
    })
}

/// The measured time of a part, where it says when it began.
fn measured(part: &Part) -> Option<(Timestamp, Timestamp, &str)> {
    let phases = &part.report.phases;
    let after = |from: Timestamp, seconds: f64| {
        from.checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?)
            .ok()
    };
    let began: Timestamp = part.report.started_at.parse().ok()?;
    let from = after(began, phases.warmup_s)?;
    Some((from, after(from, phases.measured_s)?, &part.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::sample;

    /// Parts of one run: index, count, and when it began.
    fn parts(of: &[(u32, u32, &str)]) -> Vec<Part> {
        let part = |(index, count, time): &(u32, u32, &str)| {
            let mut report = sample::report();
            report.shard = Shard {
                index: *index,
                count: *count,
            };
            report.started_at = format!("2026-11-20T{time}Z");
            Part {
                name: format!("{index}.json"),
                report,
            }
        };
        of.iter().map(part).collect()
    }

    #[test]
    fn a_shard_that_is_missing_is_named() {
        let time = "21:00:00";
        let refused = |of: &[(u32, u32, &str)]| {
            let error = check(&parts(of), false).unwrap_err();
            error.text().split_once(" shard").unwrap().1.to_owned()
        };
        assert_eq!(refused(&[(0, 3, time), (2, 3, time)]), " 1/3 is missing");
        assert_eq!(refused(&[(1, 3, time)]), "s 0/3, 2/3 are missing");
        assert_eq!(
            refused(&[(1, u32::MAX, time)]),
            "s 0/4294967295, 2/4294967295, 3/4294967295 and 4294967291 more are missing"
        );
        assert_eq!(refused(&[(0, 2, time), (1, 3, time)]), " 1/2 is missing");
        let whole = parts(&[(0, 2, time), (1, 2, time)]);
        assert_eq!(check(&whole, false).unwrap(), Vec::<String>::new());
        let said = check(&parts(&[(0, 2, time)]), true).unwrap();
        assert!(said[0].ends_with("shard 1/2 is missing"), "{said:?}");
    }

    #[test]
    fn parts_of_two_runs_are_named_with_their_runs() {
        let time = "21:00:00";
        let mut two = parts(&[(0, 2, time), (1, 2, time)]);
        two[1].report.run_id = 7;
        let run = two[0].report.run_id;
        assert_eq!(
            check(&two, false).unwrap_err().text(),
            format!("0.json is of run {run}, 1.json of run 7")
        );
        assert_eq!(check(&two, true).unwrap().len(), 3);
    }

    /// The sample measures for 30 s.
    #[test]
    fn shards_that_ran_apart_are_no_whole() {
        let at = |second: &'static str| parts(&[(0, 2, "21:00:00"), (1, 2, second)]);
        assert_eq!(check(&at("21:00:02.9"), false).unwrap().len(), 0);
        for second in ["21:00:03.1", "20:59:50", "22:00:00"] {
            let error = check(&at(second), false).unwrap_err();
            assert!(error.text().contains("not measured at the same time"));
            assert_eq!(check(&at(second), true).unwrap().len(), 1);
        }
        let mut short = at("21:00:00");
        short[1].report.phases.measured_s = 12.0;
        assert!(check(&short, false).is_err(), "it was ended early");
    }
}
