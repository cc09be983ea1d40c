//! The points of the time series: an interval each, cut at the beginning and the end of the measured time, so that none
//! reaches over them. Pure; time is passed in.

use super::super::clock::{Nanos, seconds};
use super::super::recorder::{Flow, Phase, Records, Window};
use super::super::result::Interval;
use super::super::series::Series;
use super::summary;

/// The points so far.
pub(super) struct Points {
    begin: Nanos,
    /// How long a point is.
    every: Nanos,
    /// Up to when there are points.
    until: Nanos,
    series: Series,
}

/// What a point says beside what the workers have recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct WorkerStatus {
    /// Up to when all workers have reported.
    pub(super) at: Nanos,
    pub(super) window: Window,
    /// Nothing more will be reported.
    pub(super) ended: bool,
    pub(super) connections: u64,
    pub(super) cpu_percent: f64,
}

/// A point on its way, with its length.
struct Stretch {
    phase: Phase,
    length: Nanos,
    point: Interval,
}

impl Points {
    /// None yet; sending begins at `begin`.
    pub(super) fn new(begin: Nanos, every: Nanos) -> Self {
        Self {
            begin,
            every,
            until: begin,
            series: Series::default(),
        }
    }

    /// All points, in order.
    pub(super) fn into_points(self) -> Vec<Interval> {
        self.series.into_points()
    }

    /// Makes points of `records` up to now, and returns those worth showing with their length in seconds. What belongs to a
    /// phase that has hardly begun is taken out of the records and returned too, for the next points.
    pub(super) fn close(
        &mut self,
        records: &mut Records,
        now: &WorkerStatus,
    ) -> (Vec<(Interval, f64)>, Records) {
        let mut stretches = self.stretches(now);
        let (mut shown, mut held) = (Vec::new(), Records::default());
        for phase in Phase::ALL {
            let flow = records.flow[phase as usize];
            let own = stretches.iter().rposition(|one| one.phase == phase);
            let later = stretches
                .iter()
                .position(|one| one.phase as usize > phase as usize);
            match (own, later) {
                (Some(place), _) => enter(&flow, &mut stretches[place].point),
                // It was noticed late, or there was no such phase.
                (None, Some(place)) => self.enter_late(phase, &flow, &mut stretches[place].point),
                (None, None) => {
                    held.flow[phase as usize] = std::mem::take(&mut records.flow[phase as usize]);
                }
            }
        }
        let [measured, drain] = &mut records.latency;
        let place = stretches.iter().rposition(|one| one.phase != Phase::Drain);
        match place.or_else(|| stretches.len().checked_sub(1)) {
            Some(place) => summary::enter(measured, &mut stretches[place].point),
            None => held.latency[0] = std::mem::take(measured),
        }
        match stretches.last_mut().filter(|one| one.phase == Phase::Drain) {
            Some(last) => summary::enter(drain, &mut last.point),
            None => held.latency[1] = std::mem::take(drain),
        }
        for stretch in stretches {
            self.until += stretch.length;
            shown.extend(self.push(stretch));
        }
        (shown, held)
    }

    /// The points to be made, one for each phase since the last one, and empty.
    fn stretches(&self, now: &WorkerStatus) -> Vec<Stretch> {
        let Window { from, to } = now.window;
        let bounds = [(0, from), (from, to), (to, Nanos::MAX)];
        let mut stretches = Vec::new();
        for (phase, (first, last)) in Phase::ALL.into_iter().zip(bounds) {
            let (start, end) = (first.max(self.until), last.min(now.at));
            if start < end {
                let point = Interval {
                    at_s: seconds(end - self.begin),
                    phase: phase.name().to_owned(),
                    connections: now.connections,
                    cpu_percent: now.cpu_percent,
                    ..Interval::default()
                };
                stretches.push(Stretch {
                    phase,
                    length: end - start,
                    point,
                });
            }
        }
        // The next one goes on where this one would end.
        let has_begun = |last: &mut Stretch| !now.ended && last.length < self.every / 2;
        if stretches.len() > 1 {
            stretches.pop_if(has_begun);
        }
        stretches
    }

    /// Enters what belongs to a phase that has its points already, or that never was.
    fn enter_late(&mut self, phase: Phase, flow: &Flow, otherwise: &mut Interval) {
        match self.series.last_of(phase.name()) {
            Some(point) => enter(flow, point),
            None => enter(flow, otherwise),
        }
    }

    /// Adds a point; the short rest of a phase becomes a part of the point before it. What is to be shown.
    fn push(&mut self, stretch: Stretch) -> Option<(Interval, f64)> {
        let Stretch {
            phase,
            length,
            point,
        } = stretch;
        let is_short = length < self.every / 2;
        if is_short && self.series.extend_last(&point) {
            return None;
        }
        let is_empty = point.latency.is_empty()
            && [
                point.planned,
                point.sent,
                point.acknowledged,
                point.received,
                point.errors,
            ] == [0; 5];
        if is_short && is_empty && phase == Phase::Drain {
            return None;
        }
        self.series.push(point.clone());
        Some((point, seconds(length)))
    }
}

fn enter(flow: &Flow, point: &mut Interval) {
    point.planned += flow.planned;
    point.sent += flow.sent;
    point.acknowledged += flow.acknowledged;
    point.received += flow.received;
    point.errors += flow.errors;
}

#[cfg(test)]
mod tests {
    use super::super::super::clock::Nanos;
    use super::super::super::recorder::Pending;
    use super::*;

    const MS: Nanos = 1_000_000;
    const SECOND: Nanos = 1_000 * MS;
    const BEGIN: Nanos = 100 * SECOND;

    /// A run that sends a message each 10 ms, answered 15 ms later, and reports a little late each second.
    fn run(warmup: Nanos, measured: Nanos, drain: Nanos) -> (Records, Vec<Interval>) {
        let from = BEGIN + warmup;
        let window = Window {
            from,
            to: from + measured,
        };
        let (mut points, mut total) = (Points::new(BEGIN, SECOND), Records::default());
        let mut records = Records {
            window,
            ..Records::default()
        };
        let end = window.to + drain;
        let mut next = BEGIN + SECOND;
        for at in (BEGIN..=end).step_by(MS as usize) {
            records.at = at;
            let since = at - BEGIN;
            if at < window.to && since.is_multiple_of(10 * MS) {
                records.planned(at);
                records.sent(&[at], at, 0);
            }
            if since >= 15 * MS && since % (10 * MS) == 5 * MS && at - 15 * MS < window.to {
                let flight = Pending {
                    due: at - 15 * MS,
                    sent: at - 15 * MS,
                    sequence: 0,
                };
                records.acknowledged(&flight, at);
            }
            if at < next + 3 * MS && at < end {
                continue;
            }
            next += SECOND;
            let now = WorkerStatus {
                at,
                window,
                ended: at == end,
                connections: 1,
                cpu_percent: 0.0,
            };
            let (_, held) = points.close(&mut records, &now);
            total.add(std::mem::replace(&mut records, held));
            records.window = window;
        }
        (total, points.into_points())
    }

    #[test]
    fn no_point_reaches_over_a_phase_and_all_add_up() {
        for (warmup, measured) in [
            (0, 3 * SECOND),
            (2 * SECOND, 3 * SECOND),
            (1_300 * MS, 2_500 * MS),
            (990 * MS, 2_020 * MS),
            (100 * MS, 250 * MS),
        ] {
            let (total, points) = run(warmup, measured, 500 * MS);
            let sum = |phase: &str, of: fn(&Interval) -> u64| -> u64 {
                let own = points.iter().filter(|point| point.phase == phase);
                own.map(of).sum()
            };
            let messages = &total.messages;
            assert_eq!(messages.planned, measured / (10 * MS));
            let planned = total.flow.map(|flow| flow.planned);
            assert_eq!(planned, [warmup / (10 * MS), messages.planned, 0]);
            for of in [
                |point: &Interval| point.planned,
                |point: &Interval| point.sent,
            ] {
                assert_eq!(sum("warmup", of), warmup / (10 * MS));
                assert_eq!(sum("measure", of), messages.planned);
                assert_eq!(sum("drain", of), 0);
            }
            let all: u64 = points.iter().map(|point| point.acknowledged).sum();
            assert_eq!(all, (warmup + measured) / (10 * MS));
            assert_eq!(sum("drain", |point| point.acknowledged), 1, "{points:?}");
            let mut began = 0.0;
            for point in &points {
                let rate = point.sent as f64 / (point.at_s - began);
                let whole = point.at_s - began > 0.4;
                began = point.at_s;
                assert!(
                    point.phase == "drain" || !whole || (rate - 100.0).abs() < 2.5,
                    "{point:?}"
                );
            }
            for (phase, end) in [("warmup", warmup), ("measure", warmup + measured)] {
                let last = points.iter().rfind(|point| point.phase == phase);
                let at_s = last.map_or(0.0, |last| last.at_s);
                assert!((at_s - seconds(end)).abs() < 1e-9, "{phase}: {at_s}");
            }
        }
    }

    #[test]
    fn what_is_noticed_late_belongs_to_its_own_phase() {
        let window = Window {
            from: BEGIN + SECOND,
            to: BEGIN + 2 * SECOND,
        };
        let mut points = Points::new(BEGIN, SECOND);
        let mut records = Records {
            window,
            ..Records::default()
        };
        let now = |at, ended| WorkerStatus {
            at: BEGIN + at,
            window,
            ended,
            connections: 0,
            cpu_percent: 0.0,
        };
        for (at, ended) in [(SECOND, false), (2 * SECOND, false), (2 * SECOND + 1, true)] {
            if ended {
                // At QoS 0 one answer proves a second's messages.
                let unproved = super::super::super::recorder::Unproved {
                    all: 10,
                    measured: 10,
                };
                records.proved(unproved, BEGIN + SECOND, window.to + 1);
            }
            let (_, held) = points.close(&mut records, &now(at, ended));
            records = held;
            records.window = window;
        }
        let points = points.into_points();
        let found: Vec<_> = points
            .iter()
            .map(|point| (point.phase.as_str(), point.acknowledged))
            .collect();
        assert_eq!(found, [("warmup", 0), ("measure", 10)]);
    }
}
