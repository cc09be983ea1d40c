//! The plots of a report. What was not measured has none.

use hdrhistogram::Histogram;

use crate::bench::report::distribution::{NANOSECOND, decode};
use crate::bench::report::rows;
use crate::bench::result::{Interval, Report};
use crate::bench::series::follow;

use super::axis::{Axis, Scale, Unit};
use super::plot::{Bar, Marks, Plot, Series};

/// Points that a line has at most; more could not be told apart.
const MOST_POINTS: usize = 500;

/// How long an interval must be for a rate, as part of the longest.
const WORTH_A_POINT: f64 = 0.2;

/// Bars in each power of ten.
const BARS_A_DECADE: i32 = 10;

/// Quantities that are about connections, not messages.
const CONNECTING: [&str; 3] = ["connect", "handshake", "subscribe"];

/// Throughput and percentiles over time, latency by percentile, connection times.
///
/// # Errors
/// In words, when a distribution is damaged.
pub(in crate::bench) fn all(report: &Report) -> Result<Vec<Plot>, String> {
    let mut values = Vec::new();
    for (name, latency) in rows::quantities(report) {
        let named = |why| format!("latency {name} {why}");
        if let Some(histogram) = decode(latency).map_err(named)? {
            values.push((name, histogram));
        }
    }
    let (connecting, messages): (Vec<_>, Vec<_>) = values
        .into_iter()
        .partition(|(name, _)| CONNECTING.contains(name));
    let points = thinned(&report.intervals);
    let plots = [
        throughput(&points),
        over_time(&points),
        by_percentile(&messages),
        connection_times(&connecting),
    ];
    Ok(plots.into_iter().flatten().collect())
}

/// Runs in one picture each: throughput, p99 over time, and latency by percentile; `runs` are names and reports.
///
/// # Errors
/// In words, when a distribution is damaged.
pub(in crate::bench) fn overlaid(runs: &[(String, &Report)]) -> Result<Vec<Plot>, String> {
    let mut spectra = Vec::new();
    for (name, report) in runs {
        let Some((_, latency)) = rows::quantities(report).into_iter().next() else {
            continue;
        };
        let named = |why| format!("{name}: latency {why}");
        if let Some(histogram) = decode(latency).map_err(named)? {
            spectra.push((name.as_str(), histogram));
        }
    }
    let points: Vec<(&str, Vec<Point>)> = runs
        .iter()
        .map(|(name, report)| (name.as_str(), thinned(&report.intervals)))
        .collect();
    let lines = |value: &dyn Fn(&Point) -> Option<f64>| -> Vec<(&str, Vec<(f64, f64)>)> {
        let line = |points: &Vec<Point>| {
            let place = |point: &Point| Some((point.interval.at_s, value(point)?));
            points.iter().filter_map(place).collect()
        };
        points
            .iter()
            .map(|(name, points)| (*name, line(points)))
            .collect()
    };
    let rates = lines(&|point| {
        let interval = &point.interval;
        let messages = match interval.acknowledged {
            0 => interval.received.max(interval.sent),
            some => some,
        };
        let length = interval.at_s - point.from_s;
        (interval.phase == "measure" && length > 0.0).then(|| messages as f64 / length)
    });
    let tails = lines(&|point| {
        let known = ["response", "end_to_end", "service"];
        let mut found = known
            .into_iter()
            .filter_map(|name| point.interval.latency.get(name));
        let [_, p99, _] = found.next()?;
        (point.interval.phase == "measure").then_some(*p99)
    });
    let plots = [
        compared("Throughput", Scale::Linear, Unit::Rate, rates),
        compared("p99 over time", Scale::Log, Unit::Time, tails),
        by_percentile(&spectra),
    ];
    Ok(plots.into_iter().flatten().collect())
}

/// One line a run, over the seconds of each.
fn compared(
    title: &str,
    scale: Scale,
    unit: Unit,
    lines: Vec<(&str, Vec<(f64, f64)>)>,
) -> Option<Plot> {
    let all = || lines.iter().flat_map(|(_, line)| line.iter());
    all().next()?;
    Some(Plot {
        title: title.to_owned(),
        caption: String::from("Each run from its own beginning."),
        x: Axis::over(Scale::Linear, Unit::Seconds, all().map(|(x, _)| *x)),
        y: Axis::over(scale, unit, all().map(|(_, y)| *y)),
        x_name: "since the start of sending",
        shaded: Vec::new(),
        series: lines
            .into_iter()
            .map(|(name, line)| series(name, line))
            .collect(),
    })
}

/// A point of the time series: an interval with its length.
struct Point {
    from_s: f64,
    interval: Interval,
}

/// The intervals, neighbours put together where there are too many: counts and distributions are added.
fn thinned(intervals: &[Interval]) -> Vec<Point> {
    let together = intervals.len().div_ceil(MOST_POINTS).max(1);
    let mut from_s = 0.0;
    let mut points: Vec<Point> = Vec::new();
    for (at, interval) in intervals.iter().enumerate() {
        match points.last_mut() {
            Some(point) if at % together != 0 => {
                follow(&mut point.interval, interval, point.from_s);
            }
            _ => points.push(Point {
                from_s,
                interval: interval.clone(),
            }),
        }
        from_s = interval.at_s;
    }
    points
}

fn shaded(points: &[Point]) -> Vec<(f64, f64, String)> {
    let aside = points
        .iter()
        .filter(|point| point.interval.phase != "measure");
    aside
        .map(|point| {
            let phase = point.interval.phase.clone();
            (point.from_s, point.interval.at_s, phase)
        })
        .collect()
}

fn seconds_axis(points: &[Point]) -> Axis {
    let ends = points.iter().map(|point| point.interval.at_s);
    Axis::over(Scale::Linear, Unit::Seconds, ends)
}

fn throughput(points: &[Point]) -> Option<Plot> {
    type Counter = fn(&Interval) -> u64;
    let counters: [(&str, Counter); 4] = [
        ("planned", |interval| interval.planned),
        ("sent", |interval| interval.sent),
        ("acknowledged", |interval| interval.acknowledged),
        ("received", |interval| interval.received),
    ];
    let length = |point: &Point| point.interval.at_s - point.from_s;
    let longest = points.iter().map(length).fold(0.0, f64::max);
    let line = |counter: Counter| -> Vec<(f64, f64)> {
        let rate = |point: &Point| {
            let rate = counter(&point.interval) as f64 / length(point);
            // The last moments of a drain are too short for a rate; they would end each line in a cliff.
            (length(point) > longest * WORTH_A_POINT).then_some((point.interval.at_s, rate))
        };
        points.iter().filter_map(rate).collect()
    };
    let lines: Vec<(&str, Vec<(f64, f64)>)> = counters
        .into_iter()
        .map(|(name, counter)| (name, line(counter)))
        .filter(|(_, line)| line.iter().any(|(_, rate)| *rate > 0.0))
        .collect();
    if lines.is_empty() {
        return None;
    }
    let rates = lines
        .iter()
        .flat_map(|(_, line)| line.iter().map(|(_, rate)| *rate));
    Some(Plot {
        title: String::from("Throughput"),
        caption: String::from("Messages per second over the run; warm-up and drain are shaded."),
        x: seconds_axis(points),
        y: Axis::over(Scale::Linear, Unit::Rate, rates),
        x_name: "since the start of sending",
        shaded: shaded(points),
        series: lines
            .into_iter()
            .map(|(name, line)| series(name, line))
            .collect(),
    })
}

fn over_time(points: &[Point]) -> Option<Plot> {
    let has = |name: &&str| {
        points
            .iter()
            .any(|point| point.interval.latency.contains_key(*name))
    };
    let name = ["response", "end_to_end", "service"]
        .into_iter()
        .find(has)?;
    let line = |figure: usize| -> Vec<(f64, f64)> {
        let value = |point: &Point| {
            let figures = point.interval.latency.get(name)?;
            Some((point.interval.at_s, figures[figure]))
        };
        points.iter().filter_map(value).collect()
    };
    let lines = [("maximum", line(2)), ("p99", line(1)), ("p50", line(0))];
    let values = lines
        .iter()
        .flat_map(|(_, line)| line.iter().map(|(_, ms)| *ms));
    Some(Plot {
        title: format!("Percentiles over time: {name}"),
        caption: String::from("Per interval; warm-up and drain are shaded."),
        x: seconds_axis(points),
        y: Axis::over(Scale::Log, Unit::Time, values),
        x_name: "since the start of sending",
        shaded: shaded(points),
        series: lines
            .into_iter()
            .map(|(name, line)| series(name, line))
            .collect(),
    })
}

fn by_percentile(values: &[(&str, Histogram<u64>)]) -> Option<Plot> {
    let lines: Vec<(&str, Vec<(f64, f64)>)> = values
        .iter()
        .map(|(name, histogram)| (*name, spectrum(histogram)))
        .collect();
    if lines.is_empty() {
        return None;
    }
    let points = || lines.iter().flat_map(|(_, line)| line.iter());
    let x = Axis::over(
        Scale::Nines,
        Unit::Count,
        points().map(|(inverse, _)| *inverse),
    );
    let y = Axis::over(Scale::Log, Unit::Time, points().map(|(_, ms)| *ms));
    Some(Plot {
        title: String::from("Latency by percentile"),
        caption: String::from(
            "Share of messages at or below this latency; each step to the right adds one nine.",
        ),
        x,
        y,
        x_name: "percentile",
        shaded: Vec::new(),
        series: lines
            .into_iter()
            .map(|(name, line)| series(name, line))
            .collect(),
    })
}

/// 1/(1−p) and milliseconds, up to the last percentile that `values` are enough for.
fn spectrum(values: &Histogram<u64>) -> Vec<(f64, f64)> {
    const STEPS_A_NINE: i32 = 20;
    let nines = (values.len() as f64).log10();
    let last = (nines * f64::from(STEPS_A_NINE)).floor() as i32;
    let at = |step: i32| {
        let inverse = 10f64.powf(f64::from(step) / f64::from(STEPS_A_NINE));
        let value = values.value_at_quantile(1.0 - 1.0 / inverse);
        (inverse, value as f64 * NANOSECOND)
    };
    (0..=last).map(at).collect()
}

fn connection_times(values: &[(&str, Histogram<u64>)]) -> Option<Plot> {
    let bars: Vec<(&str, Vec<Bar>)> = values
        .iter()
        .map(|(name, histogram)| (*name, binned(histogram)))
        .collect();
    if bars.is_empty() {
        return None;
    }
    let all = || bars.iter().flat_map(|(_, bars)| bars.iter());
    let ends = all().flat_map(|(from, to, _)| [*from, *to]);
    let x = Axis::over(Scale::Log, Unit::Time, ends);
    let y = Axis::over(
        Scale::Linear,
        Unit::Count,
        all().map(|(_, _, count)| *count),
    );
    Some(Plot {
        title: String::from("Connection times"),
        caption: String::from("Distribution of connection times."),
        x,
        y,
        x_name: "time",
        shaded: Vec::new(),
        series: bars
            .into_iter()
            .map(|(name, bars)| Series {
                name: name.to_owned(),
                marks: Marks::Bars(bars),
            })
            .collect(),
    })
}

/// From, to (milliseconds) and how many, in bins that are equally wide on a logarithmic axis.
fn binned(values: &Histogram<u64>) -> Vec<Bar> {
    let edge = |bin: i32| 10f64.powf(f64::from(bin) / f64::from(BARS_A_DECADE));
    let mut bars: Vec<Bar> = Vec::new();
    for step in values.iter_recorded() {
        let ms = step.value_iterated_to().max(1) as f64 * NANOSECOND;
        let bin = (ms.log10() * f64::from(BARS_A_DECADE)).floor() as i32;
        let count = step.count_at_value() as f64;
        match bars.last_mut() {
            Some(bar) if bar.0 == edge(bin) => bar.2 += count,
            _ => bars.push((edge(bin), edge(bin + 1), count)),
        }
    }
    bars
}

fn series(name: &str, line: Vec<(f64, f64)>) -> Series {
    Series {
        name: name.to_owned(),
        marks: Marks::Line(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::sample;

    #[test]
    fn a_long_run_is_thinned_without_losing_its_peaks() {
        let steady = sample::report().intervals[6].clone();
        let many: Vec<Interval> = (1..=36_000)
            .map(|second| {
                let mut interval = steady.clone();
                interval.at_s = f64::from(second);
                interval.sent = 1;
                let ms = if second == 777 { 900.0 } else { 1.0 };
                interval.latency.insert(String::from("response"), [ms; 3]);
                interval
            })
            .collect();
        let points = thinned(&many);
        assert!(points.len() <= MOST_POINTS);
        let sent: u64 = points.iter().map(|point| point.interval.sent).sum();
        assert_eq!(sent, 36_000);
        assert_eq!(points.last().unwrap().interval.at_s, 36_000.0);
        let peaks = points
            .iter()
            .filter(|point| point.interval.latency["response"][2] == 900.0);
        assert_eq!(peaks.count(), 1);
    }

    #[test]
    fn the_spectrum_ends_where_values_end() {
        let line = spectrum(&sample::values(1_000, 1.0, 0.0));
        let (inverse, slowest) = line.last().unwrap();
        assert_eq!(*inverse, 1_000.0);
        assert!(line.is_sorted_by(|left, right| left.1 <= right.1));
        assert!(*slowest > 1.0);
    }

    #[test]
    fn bars_hold_every_value() {
        let bars = binned(&sample::values(101, 1.2, 0.0));
        let sum: f64 = bars.iter().map(|(_, _, count)| count).sum();
        assert_eq!(sum, 101.0);
        assert!(bars.iter().all(|(from, to, _)| from < to));
    }

    #[test]
    fn what_was_not_measured_is_not_drawn() {
        assert!(all(&Report::default()).unwrap().is_empty());
    }
}
