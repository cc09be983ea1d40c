//! Time series side by side: aligned by the clock, so that workers that began apart stay apart.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::bench::result::Interval;
use crate::bench::series::add;

use super::Part;

/// When the first worker began.
pub(super) fn earliest(parts: &[Part]) -> String {
    let first = parts.iter().min_by_key(|part| began(part));
    first.map_or_else(String::new, |part| part.report.started_at.clone())
}

/// All intervals, one for each stretch of the common clock. Counts, CPU and distributions are added.
pub(super) fn aligned(parts: &[Part]) -> Vec<Interval> {
    let length = parts.iter().find_map(length).unwrap_or(1.0);
    let start = parts.iter().filter_map(began).min();
    let mut whole: BTreeMap<i64, Interval> = BTreeMap::new();
    for part in parts {
        let behind = match (start, began(part)) {
            (Some(start), Some(own)) => own.duration_since(start).as_secs_f64(),
            _ => 0.0,
        };
        for (slot, interval) in by_slot(part, behind, length) {
            match whole.get_mut(&slot) {
                Some(sum) => beside(sum, &interval),
                None => {
                    whole.insert(slot, interval);
                }
            }
        }
    }
    whole.into_values().collect()
}

fn began(part: &Part) -> Option<Timestamp> {
    part.report.started_at.parse().ok()
}

/// Of one interval of this worker, in seconds.
fn length(part: &Part) -> Option<f64> {
    let first = part.report.intervals.first()?.at_s;
    (first > 0.0).then_some(first)
}

/// This worker's intervals by their place on the common clock.
fn by_slot(part: &Part, behind: f64, length: f64) -> BTreeMap<i64, Interval> {
    let mut slots: BTreeMap<i64, Interval> = BTreeMap::new();
    for interval in &part.report.intervals {
        let mut interval = interval.clone();
        interval.at_s += behind;
        let slot = (interval.at_s / length).round() as i64;
        match slots.get_mut(&slot) {
            Some(sum) => after(sum, &interval),
            None => {
                slots.insert(slot, interval);
            }
        }
    }
    slots
}

/// A later interval of the same worker in the same slot.
fn after(sum: &mut Interval, next: &Interval) {
    let cpu_percent = sum.cpu_percent.max(next.cpu_percent);
    add(sum, next);
    sum.at_s = sum.at_s.max(next.at_s);
    unless_mixed(sum, next);
    sum.connections = next.connections;
    sum.cpu_percent = cpu_percent;
}

/// Figures that are not of the measured time alone are not shown as such.
fn unless_mixed(sum: &mut Interval, other: &Interval) {
    if sum.phase == "measure" {
        sum.phase.clone_from(&other.phase);
    }
}

/// The same interval of another worker.
pub(crate) fn beside(sum: &mut Interval, other: &Interval) {
    add(sum, other);
    sum.at_s = sum.at_s.max(other.at_s);
    unless_mixed(sum, other);
    sum.connections += other.connections;
    sum.cpu_percent += other.cpu_percent;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::sample;

    fn part(started_at: &str) -> Part {
        let mut report = sample::report();
        report.started_at = started_at.to_owned();
        Part {
            name: String::from("a"),
            report,
        }
    }

    #[test]
    fn workers_that_began_together_lie_on_one_another() {
        let parts = [part("2026-11-20T21:00:00Z"), part("2026-11-20T21:00:00.2Z")];
        let whole = aligned(&parts);
        assert_eq!(whole.len(), 36);
        assert_eq!(whole[0].sent, 100_000);
        assert_eq!(whole[20].connections, 198);
        assert_eq!(whole[20].latency["response"][1], 490.0);
        assert_eq!(earliest(&parts), "2026-11-20T21:00:00Z");
    }

    #[test]
    fn a_worker_that_began_later_lies_later() {
        let parts = [part("2026-11-20T21:00:03Z"), part("2026-11-20T21:00:00Z")];
        let whole = aligned(&parts);
        assert_eq!(whole.len(), 39);
        assert_eq!((whole[2].sent, whole[3].sent), (50_000, 100_000));
        assert_eq!(whole[6].phase, "warmup", "one of them still warms up");
        assert_eq!(earliest(&parts), "2026-11-20T21:00:00Z");
    }

    #[test]
    fn two_intervals_in_one_slot_are_one_after_the_other() {
        let mut halves = part("2026-11-20T21:00:00Z");
        for (at, interval) in halves.report.intervals.iter_mut().enumerate() {
            interval.at_s = (at + 1) as f64 / 2.0;
        }
        let whole = aligned(&[part("2026-11-20T21:00:00Z"), halves]);
        assert_eq!(whole.len(), 36);
        assert_eq!(whole[4].sent, 150_000);
        assert_eq!(whole[4].connections, 202);
    }
}
