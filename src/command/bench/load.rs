//! When messages are sent, as it was said.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::bench::plan::{Arrivals, Load, Stage};
use crate::error::{Error, Result};
use crate::file;

/// A load in words; every field is a flag.
#[derive(Clone, Debug)]
pub struct LoadArgs {
    /// `--rate`, `--ramp`, `--stage`: the rate over all senders; `None`: `--max`, as fast as the window allows.
    pub stages: Option<Vec<Stage>>,
    /// That the rates were given for each of so many clients; `None`: for all together.
    pub clients: Option<usize>,
    /// `--arrivals`
    pub arrivals: ArrivalArgs,
    /// `--window`: messages under way on a connection.
    pub window: usize,
    /// `--ack-timeout`: how long to wait for an answer before a message is given up.
    pub ack_timeout: Duration,
    /// `--think`: pause between an answer and the next message, with `--max`.
    pub think: Duration,
}

/// How sends are spread in time, before a file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArrivalArgs {
    /// Evenly.
    Constant,
    /// With gaps drawn evenly.
    Uniform,
    /// With exponential gaps.
    Poisson,
    /// Each connection with its own period and a random phase.
    Devices,
    /// All messages of a stretch at once.
    Bursts {
        /// The stretch.
        every: Duration,
    },
    /// Gaps from a file: a time on each line, or records with a `time`.
    Recorded(PathBuf),
    /// The same, read already.
    Read(PathBuf, Vec<Duration>),
}

impl Default for LoadArgs {
    /// As fast as a window of 100 allows.
    fn default() -> Self {
        Self {
            stages: None,
            clients: None,
            arrivals: ArrivalArgs::Constant,
            window: 100,
            ack_timeout: Duration::from_secs(30),
            think: Duration::ZERO,
        }
    }
}

impl LoadArgs {
    /// The load itself; reads the recorded gaps.
    ///
    /// # Errors
    /// A file of gaps that cannot be read, or has none.
    pub(crate) fn load(&self) -> Result<Load> {
        Ok(match &self.stages {
            Some(stages) => Load::Open {
                stages: stages.clone(),
                arrivals: self.arrivals.arrivals()?,
                window: self.window,
            },
            None => Load::Closed {
                window: self.window,
                think: self.think,
            },
        })
    }

    /// The same without a file to be read.
    ///
    /// # Errors
    /// A file of gaps that cannot be read, or has none.
    pub(crate) fn loaded(&self) -> Result<Self> {
        let arrivals = match &self.arrivals {
            ArrivalArgs::Recorded(file) => ArrivalArgs::Read(file.clone(), read_gaps(file)?),
            other => other.clone(),
        };
        Ok(Self {
            arrivals,
            ..self.clone()
        })
    }

    /// The rate, where it is an even one.
    pub(crate) fn steady(&self) -> Option<f64> {
        match self.stages.as_deref() {
            Some([stage]) if stage.from == stage.to => Some(stage.to),
            _ => None,
        }
    }

    /// The same load at another, even rate.
    #[must_use]
    pub(crate) fn at(&self, rate: f64) -> Self {
        let steady = Stage {
            lasts: None,
            from: rate,
            to: rate,
        };
        Self {
            stages: Some(vec![steady]),
            clients: None,
            ..self.clone()
        }
    }

    /// The rate in words: `10000/s`, `10/s per client`, `0-500/s for 10s, 500/s`, `max`.
    pub(crate) fn rate(&self) -> String {
        match (&self.stages, &self.arrivals) {
            (_, ArrivalArgs::Recorded(file) | ArrivalArgs::Read(file, _)) => {
                format!("recorded in {}", file.display())
            }
            (Some(stages), _) => stages
                .iter()
                .map(|stage| stage_words(stage, self.clients))
                .collect::<Vec<_>>()
                .join(", "),
            (None, _) => String::from("max"),
        }
    }
}

fn stage_words(stage: &Stage, clients: Option<usize>) -> String {
    let (each, of) = match clients {
        Some(clients) => (clients.max(1) as f64, " per client"),
        None => (1.0, ""),
    };
    // As it was given: the product may have made it a number without an end.
    let given = |rate: f64| (rate / each * 1e9).round() / 1e9;
    let (from, to) = (given(stage.from), given(stage.to));
    let rate = if from == to {
        format!("{to}/s{of}")
    } else {
        format!("{from}-{to}/s{of}")
    };
    match stage.lasts {
        Some(lasts) => format!("{rate} for {}", humantime::format_duration(lasts)),
        None => rate,
    }
}

impl ArrivalArgs {
    /// For the report.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Constant => String::from("constant"),
            Self::Uniform => String::from("uniform"),
            Self::Poisson => String::from("poisson"),
            Self::Devices => String::from("devices"),
            Self::Bursts { every } => {
                format!("bursts every {}", humantime::format_duration(*every))
            }
            Self::Recorded(file) | Self::Read(file, _) => {
                format!("recorded in {}", file.display())
            }
        }
    }

    fn arrivals(&self) -> Result<Arrivals> {
        Ok(match self {
            Self::Constant => Arrivals::Constant,
            Self::Uniform => Arrivals::Uniform,
            Self::Poisson => Arrivals::Poisson,
            Self::Devices => Arrivals::Devices,
            Self::Bursts { every } => Arrivals::Bursts { every: *every },
            Self::Recorded(file) => Arrivals::Recorded(read_gaps(file)?),
            Self::Read(_, gaps) => Arrivals::Recorded(gaps.clone()),
        })
    }
}

/// In bytes: some ten million gaps.
const LONGEST_RECORDING: u64 = 1 << 30;

fn read_gaps(path: &Path) -> Result<Vec<Duration>> {
    let text = file::read_text(path, LONGEST_RECORDING)?;
    gaps(&text).map_err(|why| Error::usage(format!("{}{why}", path.display())))
}

/// Gaps between messages, from a text with a gap (`0.25`, `250ms`) or a record (`{"time":…}`) on each line.
fn gaps(text: &str) -> Result<Vec<Duration>, String> {
    let mut gaps = Vec::new();
    let mut last = None::<Timestamp>;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        let wrong = |why: &str| format!(":{}: {why}", at + 1);
        if line.is_empty() {
            continue;
        }
        if !line.starts_with('{') {
            gaps.push(gap(line).ok_or_else(|| wrong("not a time such as 0.25 or 250ms"))?);
            continue;
        }
        let time = time_of(line).ok_or_else(|| wrong("the record has no time"))?;
        if let Some(last) = last.replace(time) {
            let gap = Duration::try_from(time.duration_since(last));
            gaps.push(gap.map_err(|_| wrong("the record is older than the previous one"))?);
        }
    }
    if gaps.iter().all(Duration::is_zero) {
        return Err(String::from(" has no gaps between messages"));
    }
    Ok(gaps)
}

fn gap(word: &str) -> Option<Duration> {
    let seconds = word.parse::<f64>().ok();
    match seconds {
        Some(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        None => humantime::parse_duration(word).ok(),
    }
}

fn time_of(line: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Record {
        time: String,
    }

    let record: Record = serde_json::from_str(line).ok()?;
    record.time.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_times_or_lie_between_records() {
        let ms = |gaps: Result<Vec<Duration>, String>| {
            gaps.map(|gaps| gaps.iter().map(Duration::as_millis).collect::<Vec<_>>())
        };
        assert_eq!(ms(gaps("0.25\n\n10ms\n0\n")), Ok(vec![250, 10, 0]));
        let records = "{\"time\":\"2026-11-20T21:00:00Z\",\"topic\":\"a\"}\n\
                       {\"time\":\"2026-11-20T21:00:00.1Z\"}\n{\"time\":\"2026-11-20T21:00:02.1Z\"}\n";
        assert_eq!(ms(gaps(records)), Ok(vec![100, 2000]));
        for (text, why) in [
            ("", " has no gaps between messages"),
            ("1\nx\n", ":2: not a time such as 0.25 or 250ms"),
            ("{}\n", ":1: the record has no time"),
            ("-1\n", ":1: not a time such as 0.25 or 250ms"),
        ] {
            assert_eq!(gaps(text), Err(why.to_owned()));
        }
    }

    #[test]
    fn a_rate_is_said_in_words() {
        let stage = |lasts: Option<u64>, from, to| Stage {
            lasts: lasts.map(Duration::from_secs),
            from,
            to,
        };
        let words = LoadArgs {
            stages: Some(vec![stage(Some(10), 0.0, 500.0), stage(None, 500.0, 500.0)]),
            ..LoadArgs::default()
        };
        assert_eq!(words.rate(), "0-500/s for 10s, 500/s");
        let words = LoadArgs {
            clients: Some(100),
            ..words
        };
        assert_eq!(words.rate(), "0-5/s per client for 10s, 5/s per client");
        assert_eq!(LoadArgs::default().rate(), "max");
    }
}
