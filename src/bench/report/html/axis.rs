//! Scales: from values to places, and the marks that help reading them.

use crate::bench::report::units::{rate, seconds, three, time};

/// More than steps of a sixth make, whatever the numbers.
const MOST_MARKS: usize = 12;

/// How values are spread over an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::bench) enum Scale {
    /// Evenly from 0.
    Linear,
    /// By powers of ten.
    Log,
    /// 1/(1−p) by powers of ten, so that each nine more is one step.
    Nines,
}

/// What the numbers of an axis are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bench) enum Unit {
    /// Milliseconds.
    Time,
    /// Seconds of the run.
    Seconds,
    /// Messages per second.
    Rate,
    /// Nothing but numbers.
    Count,
}

/// One axis.
#[derive(Clone, Copy, Debug)]
pub(in crate::bench) struct Axis {
    pub(in crate::bench) scale: Scale,
    pub(in crate::bench) unit: Unit,
    low: f64,
    high: f64,
}

impl Axis {
    /// An axis that holds all `values`, widened to round numbers.
    pub(in crate::bench) fn over(
        scale: Scale,
        unit: Unit,
        values: impl Iterator<Item = f64>,
    ) -> Self {
        let usable = |value: &f64| value.is_finite() && (scale == Scale::Linear || *value > 0.0);
        let range = values
            .filter(usable)
            .fold(None, |range, value| match range {
                None => Some((value, value)),
                Some((low, high)) => Some((value.min(low), value.max(high))),
            });
        let (low, high) = range.unwrap_or((1.0, 1.0));
        let (low, high) = match scale {
            Scale::Linear => (0.0, if high > 0.0 { high } else { 1.0 }),
            Scale::Log => power_range(low, high),
            Scale::Nines => (1.0, high.max(10.0)),
        };
        let high = match (scale, unit) {
            (Scale::Linear, Unit::Rate | Unit::Count | Unit::Time) => rounded_up(high),
            _ => high,
        };
        Self {
            scale,
            unit,
            low,
            high,
        }
    }

    /// Where `value` lies, from 0 to 1.
    pub(in crate::bench) fn place(&self, value: f64) -> f64 {
        let place = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log | Scale::Nines => {
                (value.max(self.low) / self.low).log10() / (self.high / self.low).log10()
            }
        };
        place.clamp(0.0, 1.0)
    }

    /// Values to mark, with their labels.
    pub(in crate::bench) fn marks(&self) -> Vec<(f64, String)> {
        let values = match self.scale {
            Scale::Linear => self.even_marks(),
            Scale::Log | Scale::Nines => self.power_marks(),
        };
        let label = |value| (value, self.label(value));
        values.into_iter().map(label).collect()
    }

    fn even_marks(&self) -> Vec<f64> {
        let step = rounded_up(self.high / 6.0);
        let mut marks = Vec::new();
        while marks.len() <= MOST_MARKS && marks.len() as f64 * step <= self.high * 1.0001 {
            marks.push(marks.len() as f64 * step);
        }
        marks
    }

    fn power_marks(&self) -> Vec<f64> {
        let first = self.low.log10().ceil() as i32;
        let last = (self.high * 1.0001).log10().floor() as i32;
        (first..=last).map(|power| 10f64.powi(power)).collect()
    }

    /// Any value for people, not only a mark.
    pub(in crate::bench) fn value(&self, value: f64) -> String {
        match (self.scale, self.unit) {
            (Scale::Nines, _) => {
                // As many digits as tell it from its neighbours.
                let decimals = (value.log10().floor() as usize).clamp(1, 8);
                format!("{:.decimals$} %", (1.0 - 1.0 / value) * 100.0)
            }
            (_, Unit::Time) => time(value),
            (_, Unit::Seconds) => seconds(value),
            (_, Unit::Rate) => rate(value),
            (_, Unit::Count) => three(value),
        }
    }

    /// The value for people.
    pub(in crate::bench) fn label(&self, value: f64) -> String {
        if self.scale == Scale::Nines {
            return percentile(value);
        }
        match self.unit {
            Unit::Time => short(&time(value)),
            Unit::Seconds => format!("{value} s"),
            Unit::Rate => short(&rate(value)),
            Unit::Count => format!("{value}"),
        }
    }
}

/// `10` for `10.0`, in front of a unit.
fn short(text: &str) -> String {
    match text.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            let number = number.trim_end_matches('0').trim_end_matches('.');
            format!("{number} {unit}")
        }
        _ => text.to_owned(),
    }
}

/// `90 %` for 1/(1−0.9), which is 10.
fn percentile(inverse: f64) -> String {
    let nines = inverse.log10().round() as usize;
    match nines {
        0 => String::from("0 %"),
        1 => String::from("90 %"),
        2 => String::from("99 %"),
        more => format!("99.{} %", "9".repeat(more - 2)),
    }
}

/// The nearest 1, 2, 2.5 or 5 times a power of ten that is not below `value`.
fn rounded_up(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    let fits = steps.iter().find(|step| **step * power >= value * 0.9999);
    fits.unwrap_or(&10.0) * power
}

/// Whole powers of ten around the values, at least one apart.
fn power_range(low: f64, high: f64) -> (f64, f64) {
    let first = low.log10().floor();
    let last = high.log10().ceil().max(first + 1.0);
    (10f64.powf(first), 10f64.powf(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round() {
        let labels = |axis: &Axis| -> Vec<String> {
            axis.marks().into_iter().map(|(_, label)| label).collect()
        };
        let rates = Axis::over(Scale::Linear, Unit::Rate, [73_500.0].into_iter());
        assert_eq!(
            labels(&rates),
            ["0/s", "20 k/s", "40 k/s", "60 k/s", "80 k/s", "100 k/s"]
        );
        let times = Axis::over(Scale::Log, Unit::Time, [0.14, 490.0].into_iter());
        assert_eq!(labels(&times), ["100 µs", "1 ms", "10 ms", "100 ms", "1 s"]);
        let nines = Axis::over(Scale::Nines, Unit::Count, [20_000.0].into_iter());
        assert_eq!(labels(&nines), ["0 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
    }

    #[test]
    fn values_between_marks_have_their_digits() {
        let nines = Axis::over(Scale::Nines, Unit::Count, [20_000.0].into_iter());
        let shown = [2.0, 12.5, 1_000.0].map(|inverse| nines.value(inverse));
        assert_eq!(shown, ["50.0 %", "92.0 %", "99.900 %"]);
        let seconds = Axis::over(Scale::Linear, Unit::Seconds, [9.0].into_iter());
        assert_eq!(seconds.value(21.000_35), "21.0 s");
    }

    #[test]
    fn places_are_within_the_axis() {
        let times = Axis::over(Scale::Log, Unit::Time, [0.1, 10.0].into_iter());
        assert!((times.place(1.0) - 0.5).abs() < 1e-9);
        assert_eq!((times.place(0.0), times.place(1e9)), (0.0, 1.0));
        let nothing = Axis::over(Scale::Linear, Unit::Rate, std::iter::empty());
        assert_eq!(nothing.place(0.0), 0.0);
        assert!(nothing.marks().len() > 1);
    }
}
