//! The time series of a run, in bounded memory: however long it lasts, there are no more than [`MOST`] points.
//!
//! From then on each new point makes one of two old neighbours, from the beginning of the run to its end and over
//! again, so that what is older is coarser. Counts and distributions are added, so nothing is lost but resolution.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::report::distribution::{NANOSECOND, decode_text, encode};
use super::result::Interval;

/// The most points of a time series: with their distributions about two megabytes.
pub(crate) const MOST: usize = 300;

/// The points so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    points: Vec<Interval>,
    /// The next pair to become one.
    next: usize,
}

impl Series {
    /// Adds the newest point.
    pub(crate) fn push(&mut self, point: Interval) {
        self.points.push(point);
        if self.points.len() > MOST {
            self.thin();
        }
    }

    /// The newest point of a phase.
    pub(crate) fn last_of(&mut self, phase: &str) -> Option<&mut Interval> {
        self.points.iter_mut().rfind(|point| point.phase == phase)
    }

    /// Makes a later point a part of the newest one, if both are of one phase; whether they are.
    pub(crate) fn extend_last(&mut self, later: &Interval) -> bool {
        let [before @ .., last] = self.points.as_mut_slice() else {
            return false;
        };
        let is_one = last.phase == later.phase;
        if is_one {
            let began_s = before.last().map_or(0.0, |before| before.at_s);
            follow(last, later, began_s);
        }
        is_one
    }

    /// All points, in order.
    pub(crate) fn into_points(self) -> Vec<Interval> {
        self.points
    }

    /// Makes one of two neighbours; those of different phases stay apart.
    fn thin(&mut self) {
        for _ in 0..self.points.len() {
            let pair = self.next;
            self.next = (pair + 1) % (self.points.len() - 1);
            if self.points[pair].phase == self.points[pair + 1].phase {
                let before = pair.checked_sub(1).map_or(0.0, |at| self.points[at].at_s);
                let later = self.points.remove(pair + 1);
                follow(&mut self.points[pair], &later, before);
                return;
            }
        }
    }
}

/// Adds a later point of the same process; `began_s` is when the earlier one began.
pub(crate) fn follow(sum: &mut Interval, later: &Interval, began_s: f64) {
    let first = (sum.at_s - began_s).max(0.0);
    let second = (later.at_s - sum.at_s).max(0.0);
    let whole = (first + second).max(f64::MIN_POSITIVE);
    let cpu_percent = (sum.cpu_percent * first + later.cpu_percent * second) / whole;
    add(sum, later);
    sum.at_s = later.at_s;
    sum.connections = later.connections;
    sum.cpu_percent = cpu_percent;
}

/// Adds counts and distributions of another point; when, connections and CPU are left as they are.
pub(crate) fn add(sum: &mut Interval, other: &Interval) {
    sum.planned += other.planned;
    sum.sent += other.sent;
    sum.acknowledged += other.acknowledged;
    sum.received += other.received;
    sum.errors += other.errors;
    for (name, figures) in &other.latency {
        let histogram = other.histograms.get(name);
        add_latency(sum, name, *figures, histogram.map(String::as_str));
    }
}

fn add_latency(sum: &mut Interval, name: &str, figures: [f64; 3], histogram: Option<&str>) {
    let Some(known) = sum.latency.get_mut(name) else {
        sum.latency.insert(name.to_owned(), figures);
        if let Some(histogram) = histogram {
            sum.histograms.insert(name.to_owned(), histogram.to_owned());
        }
        return;
    };
    let ours = sum.histograms.get(name).map(String::as_str);
    if let Some(both) = joined(ours, histogram) {
        *known = figures_of(&both);
        sum.histograms.insert(name.to_owned(), encode(&both));
        return;
    }
    // Without the distributions of both, the worse of both is all that can be said.
    sum.histograms.remove(name);
    for (worst, figure) in known.iter_mut().zip(figures) {
        *worst = worst.max(figure);
    }
}

fn joined(ours: Option<&str>, theirs: Option<&str>) -> Option<Histogram<u64>> {
    let mut sum = decode_text(ours?).ok()?;
    sum.auto(true);
    sum.add(decode_text(theirs?).ok()?).ok()?;
    Some(sum)
}

/// p50, p99 and maximum, in milliseconds.
pub(crate) fn figures_of(values: &Histogram<u64>) -> [f64; 3] {
    let at = |quantile| values.value_at_quantile(quantile).min(values.max()) as f64 * NANOSECOND;
    [at(0.5), at(0.99), values.max() as f64 * NANOSECOND]
}

/// Figures and distribution of several quantities, for a point.
pub(crate) fn enter(point: &mut Interval, quantities: BTreeMap<String, &Histogram<u64>>) {
    for (name, values) in quantities {
        point.latency.insert(name.clone(), figures_of(values));
        point.histograms.insert(name, encode(values));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(second: u64, phase: &str) -> Interval {
        Interval {
            at_s: second as f64,
            phase: phase.to_owned(),
            sent: second,
            connections: second,
            cpu_percent: 50.0,
            ..Interval::default()
        }
    }

    fn point(second: u64, phase: &str) -> Interval {
        let mut values = Histogram::new(3).unwrap();
        values.record(second * 1_000_000).unwrap();
        let mut point = bare(second, phase);
        enter(&mut point, [(String::from("response"), &values)].into());
        point
    }

    #[test]
    fn ten_hours_need_no_more_than_five_minutes_and_nothing_is_lost() {
        let mut series = Series::default();
        let hours: u64 = 36_000;
        for second in 1..=hours {
            let phase = if second <= 5 { "warmup" } else { "measure" };
            // Adding distributions takes its time in a debug build: some points have one.
            let point = match second.is_multiple_of(600) {
                true => point(second, phase),
                false => bare(second, phase),
            };
            series.push(point);
        }
        let points = series.into_points();
        assert_eq!(points.len(), MOST);
        let sent: u64 = points.iter().map(|point| point.sent).sum();
        assert_eq!(sent, hours * (hours + 1) / 2);
        assert!(points.is_sorted_by(|a, b| a.at_s < b.at_s));
        assert_eq!(points[0].phase, "warmup");
        assert!(
            points
                .iter()
                .all(|one| (one.cpu_percent - 50.0).abs() < 1e-6)
        );
        let mut all = Histogram::<u64>::new(3).unwrap();
        for point in &points {
            if let Some(text) = point.histograms.get("response") {
                all.add(decode_text(text).unwrap()).unwrap();
            }
        }
        assert_eq!(all.len(), hours / 600);
    }

    #[test]
    fn distributions_are_added_exactly() {
        let mut sum = point(1, "measure");
        for second in 2..=100 {
            let later = point(second, "measure");
            follow(&mut sum, &later, 0.0);
        }
        let [p50, p99, max] = sum.latency["response"];
        assert!((p50 - 50.0).abs() < 0.1 && (p99 - 99.0).abs() < 0.1 && (max - 100.0).abs() < 0.1);
        assert_eq!((sum.connections, sum.sent), (100, 5_050));
    }

    #[test]
    fn without_distributions_the_worse_stays() {
        let (mut sum, mut other) = (point(7, "measure"), point(3, "measure"));
        other.histograms.clear();
        add(&mut sum, &other);
        assert!((sum.latency["response"][1] - 7.0).abs() < 0.01);
        assert!(sum.histograms.is_empty());
    }
}
