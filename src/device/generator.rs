//! Values that look as if they were measured: pure functions of the time, a stream of random numbers and what came before.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::sync::Arc;

use super::file::{Rule as Table, Weighted};
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
    const ALL: Self = Self {
        min: f64::MIN,
        max: f64::MAX,
    };

    fn new(min: f64, max: f64) -> Result<Self, String> {
        match min <= max && min.is_finite() && max.is_finite() {
            true => Ok(Self { min, max }),
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
        let period = |span: &super::span::Span| match span.least() {
            0 => Err(String::from("the period must be longer than 0")),
            period => Ok(period),
        };
        Ok(match table {
            Table::Uniform(it) => Self::Uniform(Range::new(it.min, it.max)?),
            Table::Normal(it) if it.deviation >= 0.0 => Self::Normal {
                mean: it.mean,
                deviation: it.deviation,
                within: Range::new(
                    it.min.unwrap_or(Range::ALL.min),
                    it.max.unwrap_or(Range::ALL.max),
                )?,
            },
            Table::Normal(_) => return Err(String::from("the deviation is negative")),
            Table::Walk(it) => {
                let within = Range::new(it.min, it.max)?;
                if it.step < 0.0 {
                    return Err(String::from("the step is negative"));
                }
                if it.from.is_some_and(|from| within.keep(from) != from) {
                    return Err(String::from("from is not between min and max"));
                }
                Self::Walk {
                    within,
                    step: it.step,
                    from: it.from,
                }
            }
            Table::Sine(it) => Self::Sine {
                within: Range::new(it.min, it.max)?,
                period: period(&it.period)?,
                phase: it.phase.as_ref().map_or(0, super::span::Span::least),
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
            Table::Steps(it) => Self::Steps {
                values: values(&it.values)?,
                every: period(&it.every)?,
            },
            Table::Counter(it) => Self::Counter {
                from: it.from,
                step: match it.step {
                    super::file::Step::One(step) => Range::new(step, step)?,
                    super::file::Step::Between(least, most) => Range::new(least, most)?,
                },
                wrap: match it.wrap {
                    Some(wrap) if wrap <= it.from => {
                        return Err(String::from("wrap is not greater than from"));
                    }
                    wrap => wrap,
                },
            },
            Table::Pick(Weighted::Even(them)) => Self::Pick {
                values: values(them)?,
                sums: sums(&vec![1.0; them.len()])?.into(),
            },
            Table::Pick(Weighted::Weights(them)) => Self::Pick {
                values: them.keys().map(|word| Value::of_cell(word)).collect(),
                sums: sums(&them.values().copied().collect::<Vec<_>>())?.into(),
            },
            Table::Bool(chance) => Self::Bool(part(*chance, "bool")?),
            Table::Toggle(first) => Self::Toggle(*first),
            Table::Markov(it) => markov(&it.states, it.from.as_deref())?,
            Table::Decay(it) => Self::Decay {
                from: it.from,
                to: it.to,
                half_life: period(&it.half_life)?,
            },
            Table::Track(it) => {
                let [latitude, longitude] = it.from;
                if latitude.abs() > 89.0 || longitude.abs() > 180.0 {
                    return Err(String::from(
                        "from is not a latitude up to 89 and a longitude up to 180",
                    ));
                }
                Self::Track {
                    from: (latitude, longitude),
                    speed: it.speed.max(0.0),
                    radius: it.radius.max(1.0),
                }
            }
            Table::File(it) => Self::Column {
                values: match column(&it.path, &it.column)? {
                    values if values.is_empty() => {
                        return Err(format!("{}: there are no rows", it.path));
                    }
                    values => values.into(),
                },
                ends: it.once,
            },
            Table::Jq(_) => return Err(String::from("jq stands alone")),
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
        let first = course.count == 0;
        let number = course.count;
        course.count = course.count.saturating_add(1);
        Some(Value::Number(match self {
            Self::Constant(value) => return Some(value.clone()),
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
            Self::Sine {
                within,
                period,
                phase,
                noise,
            } => {
                let turn = (age + phase) % period;
                wave(turn as f64 / *period as f64, *within, *noise, random)
            }
            Self::Daily {
                within,
                peak,
                noise,
            } => {
                let turn = (clock + DAY - peak) % DAY;
                // A sine is highest after a quarter of its turn.
                wave(turn as f64 / DAY as f64 + 0.25, *within, *noise, random)
            }
            Self::Sawtooth { within, period } => {
                let turn = (age % period) as f64 / *period as f64;
                within.min + turn * (within.max - within.min)
            }
            Self::Steps { values, every } => {
                return Some(values[(age / every) as usize % values.len()].clone());
            }
            Self::Counter { from, step, wrap } => {
                course.at = match first {
                    true => *from,
                    false => course.at + step.draw(random),
                };
                if let Some(wrap) = wrap
                    && course.at >= *wrap
                {
                    course.at = from + (course.at - from) % (wrap - from);
                }
                course.at
            }
            Self::Pick { values, sums } => return Some(values[drawn(sums, random)].clone()),
            Self::Bool(chance) => return Some(Value::Bool(random.fraction() < *chance)),
            Self::Toggle(start) => return Some(Value::Bool(*start == number.is_multiple_of(2))),
            Self::Markov { states, rows, from } => {
                let now = match first {
                    true => *from,
                    false => drawn(&rows[course.at as usize], random),
                };
                course.at = now as f64;
                return Some(states[now].clone());
            }
            Self::Decay {
                from,
                to,
                half_life,
            } => to + (from - to) * 0.5_f64.powf(age as f64 / *half_life as f64),
            Self::Track {
                from,
                speed,
                radius,
            } => return Some(step_on(course, random, *from, *speed, *radius, age)),
            Self::Column { values, ends } => {
                let number = number as usize;
                if *ends && number >= values.len() {
                    return None;
                }
                return Some(values[number % values.len()].clone());
            }
        }))
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

fn values(them: &[super::file::Plain]) -> Result<Arc<[Value]>, String> {
    match them {
        [] => Err(String::from("there are no values")),
        them => Ok(them.iter().map(super::file::Plain::value).collect()),
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
