//! Values that look as if they were measured: pure functions of the time, a stream of random numbers and what came before.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::sync::Arc;

use super::file::{self, Rule as Table, Weighted};
use super::span::Span;
use super::value::Value;
use crate::pace::clock::{Nanos, seconds};
use crate::random::Random;

/// Nanoseconds of a day.
const DAY: Nanos = 86_400 * 1_000_000_000;

/// Metres of a degree of latitude.
const DEGREE: f64 = 111_320.0;

/// How values come about, checked.
#[derive(Clone, Debug)]
pub(crate) enum Generator {
    Constant(Value),
    Uniform(Range),
    Normal {
        mean: f64,
        deviation: f64,
        within: Range,
    },
    Walk {
        within: Range,
        step: f64,
        from: Option<f64>,
    },
    Sine {
        within: Range,
        period: Nanos,
        phase: Nanos,
        noise: f64,
    },
    Daily {
        within: Range,
        peak: Nanos,
        noise: f64,
    },
    Sawtooth {
        within: Range,
        period: Nanos,
    },
    Steps {
        values: Arc<[Value]>,
        every: Nanos,
    },
    Counter {
        from: f64,
        step: Range,
        wrap: Option<f64>,
    },
    Pick {
        values: Arc<[Value]>,
        /// The sums of the weights up to each.
        sums: Arc<[f64]>,
    },
    Bool(f64),
    Toggle(bool),
    Markov {
        states: Arc<[Value]>,
        /// For each state the sums of the chances of what follows.
        rows: Arc<[Vec<f64>]>,
        from: usize,
    },
    Decay {
        from: f64,
        to: f64,
        half_life: Nanos,
    },
    Track {
        from: (f64, f64),
        speed: f64,
        radius: f64,
    },
    Column {
        values: Arc<[Value]>,
        ends: bool,
    },
}

/// From least to most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Range {
    fn new(min: f64, max: f64) -> Result<Self, String> {
        match min <= max {
            true if (max - min).is_finite() => Ok(Self { min, max }),
            true => Err(format!("from {min} to {max} is too wide a range")),
            false => Err(format!("min {min} is greater than max {max}")),
        }
    }

    fn draw(self, random: &mut Random) -> f64 {
        self.min + random.fraction() * (self.max - self.min)
    }

    fn keep(self, value: f64) -> f64 {
        value.clamp(self.min, self.max)
    }
}

/// How far a generator has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    /// How many values there were.
    count: u32,
    /// The last value, the index of the last state, or a latitude.
    at: f64,
    /// A longitude.
    other: f64,
    /// In radians.
    bearing: f32,
    /// When the last step was, in milliseconds, which last for 49 days and begin anew then.
    stepped: u32,
}

impl Course {
    /// At its beginning.
    pub(crate) const fn new() -> Self {
        Self {
            count: 0,
            at: 0.0,
            other: 0.0,
            bearing: 0.0,
            stepped: 0,
        }
    }
}

impl Generator {
    /// What a table of the file means; `column` reads a column of a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn of(
        table: &Table,
        column: impl Fn(&str, &str) -> Result<Vec<Value>, String>,
    ) -> Result<Self, String> {
        match table {
            Table::Uniform(it) => Ok(Self::Uniform(Range::new(it.min, it.max)?)),
            Table::Normal(it) => Self::of_normal(it),
            Table::Walk(it) => Self::of_walk(it),
            Table::Sine(_) | Table::Daily(_) | Table::Sawtooth(_) | Table::Decay(_) => {
                Self::of_time(table)
            }
            Table::Steps(it) => Ok(Self::Steps {
                values: values(&it.values)?,
                every: period(&it.every)?,
            }),
            Table::Counter(it) => Self::of_counter(it),
            Table::Pick(Weighted::Even(them)) => Ok(Self::Pick {
                values: values(them)?,
                sums: sums(&vec![1.0; them.len()])?.into(),
            }),
            Table::Pick(Weighted::Weights(them)) => Ok(Self::Pick {
                values: them.keys().map(|word| Value::of_cell(word)).collect(),
                sums: sums(&them.values().copied().collect::<Vec<_>>())?.into(),
            }),
            Table::Bool(chance) => Ok(Self::Bool(part(*chance, "bool")?)),
            Table::Toggle(first) => Ok(Self::Toggle(*first)),
            Table::Markov(it) => markov(&it.states, it.from.as_deref()),
            Table::Track(it) => Self::of_track(it),
            Table::File(it) => match column(&it.path, &it.column)? {
                values if values.is_empty() => Err(format!("{}: there are no rows", it.path)),
                values => Ok(Self::Column {
                    values: values.into(),
                    ends: it.once,
                }),
            },
            Table::Jq(_) => Err(String::from("jq stands alone")),
        }
    }

    /// Whether its values were written down, and not computed.
    pub(crate) const fn is_written(&self) -> bool {
        matches!(
            self,
            Self::Constant(_)
                | Self::Steps { .. }
                | Self::Pick { .. }
                | Self::Markov { .. }
                | Self::Column { .. }
        )
    }

    fn of_normal(it: &file::Normal) -> Result<Self, String> {
        if it.deviation < 0.0 {
            return Err(String::from("the deviation is negative"));
        }
        let (min, max) = (it.min.unwrap_or(f64::MIN), it.max.unwrap_or(f64::MAX));
        Ok(Self::Normal {
            mean: it.mean,
            deviation: it.deviation,
            within: match min <= max {
                true => Range { min, max },
                false => return Err(format!("min {min} is greater than max {max}")),
            },
        })
    }

    fn of_walk(it: &file::Walk) -> Result<Self, String> {
        let within = Range::new(it.min, it.max)?;
        if it.step < 0.0 {
            return Err(String::from("the step is negative"));
        }
        if it.from.is_some_and(|from| within.keep(from) != from) {
            return Err(String::from("from is not between min and max"));
        }
        Ok(Self::Walk {
            within,
            step: it.step,
            from: it.from,
        })
    }

    fn of_time(table: &Table) -> Result<Self, String> {
        Ok(match table {
            Table::Sine(it) => Self::Sine {
                within: Range::new(it.min, it.max)?,
                period: period(&it.period)?,
                phase: it.phase.as_ref().map_or(0, Span::least),
                noise: it.noise,
            },
            Table::Daily(it) => Self::Daily {
                within: Range::new(it.min, it.max)?,
                peak: time_of_day(&it.peak)?,
                noise: it.noise,
            },
            Table::Sawtooth(it) => Self::Sawtooth {
                within: Range::new(it.min, it.max)?,
                period: period(&it.period)?,
            },
            Table::Decay(it) => Self::Decay {
                from: it.from,
                to: it.to,
                half_life: period(&it.half_life)?,
            },
            _ => return Err(String::from("it does not follow the time")),
        })
    }

    fn of_counter(it: &file::Counter) -> Result<Self, String> {
        if it.wrap.is_some_and(|wrap| wrap <= it.from) {
            return Err(String::from("wrap is not greater than from"));
        }
        Ok(Self::Counter {
            from: it.from,
            step: match it.step {
                file::Step::One(step) => Range::new(step, step)?,
                file::Step::Between(least, most) => Range::new(least, most)?,
            },
            wrap: it.wrap,
        })
    }

    fn of_track(it: &file::Track) -> Result<Self, String> {
        let [latitude, longitude] = it.from;
        if latitude.abs() > 89.0 || longitude.abs() > 180.0 {
            return Err(String::from(
                "from is not a latitude up to 89 and a longitude up to 180",
            ));
        }
        Ok(Self::Track {
            from: (latitude, longitude),
            speed: it.speed.max(0.0),
            radius: it.radius.max(1.0),
        })
    }

    /// The next value, `age` after the device began, at `clock` since 1970; `None`: there are no more.
    pub(crate) fn next(
        &self,
        course: &mut Course,
        random: &mut Random,
        age: Nanos,
        clock: Nanos,
    ) -> Option<Value> {
        let number = course.count;
        course.count = course.count.saturating_add(1);
        Some(match self {
            Self::Constant(value) => value.clone(),
            Self::Steps { values, every } => values[(age / every) as usize % values.len()].clone(),
            Self::Pick { values, sums } => values[drawn(sums, random)].clone(),
            Self::Bool(chance) => Value::Bool(random.fraction() < *chance),
            Self::Toggle(start) => Value::Bool(*start == number.is_multiple_of(2)),
            Self::Markov { states, rows, from } => {
                let now = match number {
                    0 => *from,
                    _ => drawn(&rows[course.at as usize], random),
                };
                course.at = now as f64;
                states[now].clone()
            }
            Self::Track {
                from,
                speed,
                radius,
            } => step_on(course, random, *from, *speed, *radius, age),
            Self::Column { values, ends } => {
                let number = number as usize;
                if *ends && number >= values.len() {
                    return None;
                }
                values[number % values.len()].clone()
            }
            _ => Value::Number(finite(self.number(number == 0, course, random, age, clock))),
        })
    }

    /// The next value of those that make numbers.
    fn number(
        &self,
        first: bool,
        course: &mut Course,
        random: &mut Random,
        age: Nanos,
        clock: Nanos,
    ) -> f64 {
        match self {
            Self::Uniform(range) => range.draw(random),
            Self::Normal {
                mean,
                deviation,
                within,
            } => within.keep(mean + deviation * normal(random)),
            Self::Walk { within, step, from } => {
                course.at = match first {
                    true => from.unwrap_or_else(|| within.draw(random)),
                    false => reflected(course.at + step * (2.0 * random.fraction() - 1.0), *within),
                };
                course.at
            }
            Self::Counter { from, step, wrap } => {
                let next = match first {
                    true => *from,
                    false => finite(course.at + step.draw(random)),
                };
                course.at = match wrap {
                    Some(wrap) if next >= *wrap => finite(from + (next - from) % (wrap - from)),
                    _ => next,
                };
                course.at
            }
            _ => self.in_time(random, age, clock),
        }
    }

    /// The value of those that follow the time.
    fn in_time(&self, random: &mut Random, age: Nanos, clock: Nanos) -> f64 {
        match self {
            Self::Sine {
                within,
                period,
                phase,
                noise,
            } => {
                let turn = (age % period + phase % period) % period;
                wave(turn as f64 / *period as f64, *within, *noise, random)
            }
            Self::Daily {
                within,
                peak,
                noise,
            } => {
                let turn = (clock % DAY + DAY - peak) % DAY;
                // A sine is highest after a quarter of its turn.
                wave(turn as f64 / DAY as f64 + 0.25, *within, *noise, random)
            }
            Self::Sawtooth { within, period } => {
                let turn = (age % period) as f64 / *period as f64;
                within.min + turn * (within.max - within.min)
            }
            Self::Decay {
                from,
                to,
                half_life,
            } => to + (from - to) * 0.5_f64.powf(age as f64 / *half_life as f64),
            // No other one comes here.
            _ => 0.0,
        }
    }
}

/// What JSON has a number for.
pub(super) fn finite(number: f64) -> f64 {
    match number.is_nan() {
        true => 0.0,
        false => number.clamp(f64::MIN, f64::MAX),
    }
}

fn period(span: &Span) -> Result<Nanos, String> {
    match span.least() {
        0 => Err(String::from("the period must be longer than 0")),
        period => Ok(period),
    }
}

/// Goes on in about the same direction, and turns towards the beginning where it would leave the circle around it.
fn step_on(
    course: &mut Course,
    random: &mut Random,
    from: (f64, f64),
    speed: f64,
    radius: f64,
    age: Nanos,
) -> Value {
    let now = (age / 1_000_000) as u32;
    let elapsed = now.wrapping_sub(std::mem::replace(&mut course.stepped, now));
    if course.count == 1 {
        (course.at, course.other) = from;
        course.bearing = (random.fraction() * TAU) as f32;
        return Value::Place(course.at, course.other);
    }
    let (north, east) = (
        (course.at - from.0) * DEGREE,
        (course.other - from.1) * DEGREE * from.0.to_radians().cos(),
    );
    let mut bearing = f64::from(course.bearing) + (random.fraction() - 0.5) * 0.6;
    if north.hypot(east) > radius {
        bearing = (-east).atan2(-north);
    }
    course.bearing = bearing as f32;
    let metres = (speed / 3600.0 * f64::from(elapsed)).min(radius);
    course.at += metres * bearing.cos() / DEGREE;
    course.other += metres * bearing.sin() / (DEGREE * from.0.to_radians().cos());
    Value::Place(course.at, course.other)
}

fn wave(turn: f64, within: Range, noise: f64, random: &mut Random) -> f64 {
    let noise = match noise {
        0.0 => 0.0,
        noise => noise * normal(random),
    };
    let middle = f64::midpoint(within.min, within.max);
    middle + (within.max - within.min) / 2.0 * (TAU * turn).sin() + noise
}

/// From the standard normal distribution (Box and Muller).
fn normal(random: &mut Random) -> f64 {
    let (one, other) = (1.0 - random.fraction(), random.fraction());
    (-2.0 * one.ln()).sqrt() * (TAU * other).cos()
}

/// Thrown back at the ends.
fn reflected(value: f64, within: Range) -> f64 {
    within.keep(if value > within.max {
        2.0 * within.max - value
    } else if value < within.min {
        2.0 * within.min - value
    } else {
        value
    })
}

fn drawn(sums: &[f64], random: &mut Random) -> usize {
    let whole = sums.last().copied().unwrap_or_default();
    let at = random.fraction() * whole;
    sums.partition_point(|sum| *sum <= at).min(sums.len() - 1)
}

fn sums(weights: &[f64]) -> Result<Vec<f64>, String> {
    let mut sum = 0.0;
    let sums: Vec<_> = weights
        .iter()
        .map(|weight| {
            sum += weight;
            sum
        })
        .collect();
    match weights.iter().all(|weight| *weight >= 0.0) && sum > 0.0 && f64::is_finite(sum) {
        true => Ok(sums),
        false => Err(String::from("weights must not be negative, or all zero")),
    }
}

fn values(them: &[file::Plain]) -> Result<Arc<[Value]>, String> {
    match them {
        [] => Err(String::from("there are no values")),
        them => Ok(them.iter().map(file::Plain::value).collect()),
    }
}

/// A part of one.
pub(crate) fn part(chance: f64, name: &str) -> Result<f64, String> {
    match (0.0..=1.0).contains(&chance) {
        true => Ok(chance),
        false => Err(format!("{name} = {chance} is not between 0 and 1")),
    }
}

fn markov(
    table: &BTreeMap<String, BTreeMap<String, f64>>,
    from: Option<&str>,
) -> Result<Generator, String> {
    let names: Vec<_> = table.keys().collect();
    let place = |name: &str| names.iter().position(|known| *known == name);
    let rows = table.iter().map(|(state, row)| {
        let mut weights = vec![0.0; names.len()];
        for (next, weight) in row {
            let at = place(next)
                .ok_or_else(|| format!("the state {next:?} of {state:?} is not there"))?;
            weights[at] = *weight;
        }
        sums(&weights).map_err(|why| format!("state {state:?}: {why}"))
    });
    let rows = rows.collect::<Result<Vec<_>, String>>()?;
    let from = match from {
        Some(name) => place(name).ok_or_else(|| format!("the state {name:?} is not there"))?,
        None if names.is_empty() => return Err(String::from("there are no states")),
        None => 0,
    };
    Ok(Generator::Markov {
        states: names.iter().map(|name| Value::of_cell(name)).collect(),
        rows: rows.into(),
        from,
    })
}

/// `15:00` in nanoseconds.
fn time_of_day(text: &str) -> Result<Nanos, String> {
    let number = |word: &str, most| word.parse().ok().filter(|it: &u64| *it <= most);
    let time = text
        .split_once(':')
        .and_then(|(hour, minute)| Some(number(hour, 23)? * 3600 + number(minute, 59)? * 60));
    match time {
        Some(time) => Ok(time * 1_000_000_000),
        None => Err(format!(
            "expected a time of day such as 15:00, not {text:?}"
        )),
    }
}

/// For figures that are given by the hour.
pub(crate) fn hours(time: Nanos) -> f64 {
    seconds(time) / 3600.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first values of `value = …`, one a second.
    fn values_of(text: &str, count: u64) -> Vec<Value> {
        let table: Table = toml::from_str(text).unwrap();
        let column = |_: &str, _: &str| Ok(vec![Value::Number(1.0), Value::text("x")]);
        let generator = Generator::of(&table, column).unwrap();
        let (mut course, mut random) = (Course::new(), Random::new(1, 1));
        let mut next = |second| {
            let age = second * 1_000_000_000;
            generator.next(&mut course, &mut random, age, age)
        };
        (0..count).map_while(&mut next).collect()
    }

    fn numbers(text: &str, count: u64) -> Vec<f64> {
        let number = |value| match value {
            Value::Number(number) => number,
            other => panic!("{other}"),
        };
        values_of(text, count).into_iter().map(number).collect()
    }

    #[test]
    fn numbers_keep_within_their_bounds() {
        for text in [
            "uniform = { min = -1, max = 1 }",
            "normal = { mean = 0, deviation = 5, min = -1, max = 1 }",
            "walk = { min = -1, max = 1, step = 3 }",
            "sine = { min = -1, max = 1, period = \"7s\" }",
            "daily = { min = -1, max = 1 }",
            "sawtooth = { min = -1, max = 1, period = \"7s\" }",
        ] {
            let found = numbers(text, 1000);
            assert!(found.iter().all(|it| (-1.0..=1.0).contains(it)), "{text}");
        }
        let highest = numbers("daily = { min = 0, max = 10, peak = \"00:00\" }", 1);
        assert!((highest[0] - 10.0).abs() < 1e-9);
    }

    #[test]
    fn each_kind_goes_its_way() {
        assert_eq!(
            numbers("counter = { wrap = 3 }", 5),
            [0.0, 1.0, 2.0, 0.0, 1.0]
        );
        assert_eq!(
            numbers("decay = { from = 8, half-life = \"1s\" }", 3),
            [8.0, 4.0, 2.0]
        );
        let words = |text: &str, count| -> Vec<String> {
            values_of(text, count)
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(words("toggle = true", 3), ["true", "false", "true"]);
        assert_eq!(
            words("steps = { values = [1, 2], every = \"2s\" }", 5),
            ["1", "1", "2", "2", "1"]
        );
        assert_eq!(
            words("file = { path = \"f\", column = \"c\" }", 3),
            ["1", "x", "1"]
        );
        assert_eq!(
            words("file = { path = \"f\", column = \"c\", once = true }", 3).len(),
            2
        );
        let states = words("markov = { states = { a = { b = 1 }, b = { a = 1 } } }", 4);
        assert_eq!(states, ["a", "b", "a", "b"]);
        assert_eq!(
            words("pick = { never = 0, always = 1 }", 2),
            ["always", "always"]
        );
        let places = values_of("track = { from = [48, 11], speed = 36 }", 100);
        let moved = places.windows(2).all(|pair| match pair {
            [Value::Place(a, b), Value::Place(c, d)] => {
                let metres = ((a - c) * DEGREE).hypot((b - d) * DEGREE * 48_f64.to_radians().cos());
                (metres - 10.0).abs() < 0.1
            }
            _ => false,
        });
        assert!(moved, "{places:?}");
    }

    #[test]
    fn what_makes_no_values_is_refused() {
        for text in [
            "uniform = { min = -1.7e308, max = 1.7e308 }",
            "walk = { min = 3, max = 1, step = 1 }",
            "walk = { min = 1, max = 3, step = 1, from = 4 }",
            "sine = { min = 1, max = 3, period = 0 }",
            "steps = { values = [], every = 1 }",
            "pick = []",
            "pick = { a = 0 }",
            "bool = 1.5",
            "counter = { from = 3, wrap = 3 }",
            "daily = { min = 1, max = 3, peak = \"25:00\" }",
            "markov = { states = { a = { c = 1 } } }",
            "track = { from = [99, 0] }",
            "normal = { mean = 0, deviation = -1 }",
        ] {
            let table: Table = toml::from_str(text).unwrap();
            assert!(
                Generator::of(&table, |_, _| Ok(Vec::new())).is_err(),
                "{text}"
            );
        }
    }
}
