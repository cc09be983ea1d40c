//! ConnectArgs that only load tests use: rates, stages, arrivals, ranges of sizes, shards.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::bench::plan::{Coalesce, Shard, Stage};
use crate::command::bench::ArrivalArgs;

use crate::cli::syntax::numbers::{Size, Span, Wait};
use crate::cli::syntax::rate::{Rate, RateOrPause};

/// A size, or two with a hyphen: `256`, `64-1KiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SizeRange {
    pub(crate) least: usize,
    pub(crate) most: usize,
}

/// A rate of the whole load, or of each client: `10k`, `10/client`, `30/m/client`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LoadRate {
    pub(crate) rate: f64,
    pub(crate) per_client: bool,
}

/// `TIME:RATE`, `TIME:RATE-RATE`, or `RATE` to the end; with `/client` behind it the rates are those of each client.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StageWord {
    pub(crate) stage: Stage,
    pub(crate) per_client: bool,
}

/// `INDEX/COUNT`, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShardWord(pub(crate) Shard);

/// Reads one of these names; the help page explains them.
pub(crate) fn one_of<T>(
    known: impl Iterator<Item = (&'static str, &'static str)>,
) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = &'static str> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(known.map(|(name, _)| name)).try_map(|name| name.parse::<T>())
}

impl FromStr for SizeRange {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let one = |word: &str| {
            let Size(size) = word.parse().map_err(str::to_owned)?;
            // MQTT cannot carry more (MQTT 5.0 §1.5.5); memory neither, mostly.
            match usize::try_from(size) {
                Ok(size) if size <= 268_435_000 => Ok(size),
                _ => Err(String::from("a message is at most 268435000 bytes")),
            }
        };
        let (least, most) = word.split_once('-').unwrap_or((word, word));
        let (least, most) = (one(least)?, one(most)?);
        if least > most {
            return Err(String::from("the smaller size must come first"));
        }
        Ok(Self { least, most })
    }
}

/// What stands behind a rate of each client.
const PER_CLIENT: &str = "/client";

impl FromStr for LoadRate {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let (number, per_client) = match word.strip_suffix(PER_CLIENT) {
            Some(number) => (number, true),
            None => (word, false),
        };
        let Rate(rate) = number.parse()?;
        Ok(Self { rate, per_client })
    }
}

impl FromStr for StageWord {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let (lasts, rates) = match word.split_once(':') {
            Some((lasts, rates)) => {
                let Wait(lasts) = lasts.parse().map_err(str::to_owned)?;
                (Some(lasts), rates)
            }
            None => (None, word),
        };
        let (rates, per_client) = match rates.strip_suffix(PER_CLIENT) {
            Some(rates) => (rates, true),
            None => (rates, false),
        };
        let (from, to) = rates.split_once('-').unwrap_or((rates, rates));
        if from.ends_with(PER_CLIENT) {
            return Err(String::from(
                "/client stands behind both rates: 30s:0-10/client",
            ));
        }
        let (RateOrPause(from), RateOrPause(to)) = (from.parse()?, to.parse()?);
        if lasts.is_none() && from != to {
            return Err(String::from("a ramp needs a time: 30s:0-10k"));
        }
        Ok(Self {
            stage: Stage { lasts, from, to },
            per_client,
        })
    }
}

/// `constant`, `uniform`, `poisson`, `devices`, `bursts:TIME`, `recorded:FILE`.
pub(crate) fn arrivals(word: &str) -> Result<ArrivalArgs, String> {
    let (kind, more) = match word.split_once(':') {
        Some((kind, more)) => (kind, Some(more)),
        None => (word, None),
    };
    match (kind, more) {
        ("constant", None) => Ok(ArrivalArgs::Constant),
        ("uniform", None) => Ok(ArrivalArgs::Uniform),
        ("poisson", None) => Ok(ArrivalArgs::Poisson),
        ("devices", None) => Ok(ArrivalArgs::Devices),
        ("bursts", Some(every)) => {
            let Wait(every) = every.parse().map_err(str::to_owned)?;
            Ok(ArrivalArgs::Bursts { every })
        }
        ("recorded", Some(file)) if !file.is_empty() => {
            Ok(ArrivalArgs::Recorded(PathBuf::from(file)))
        }
        _ => Err(String::from(
            "expected constant, uniform, poisson, devices, bursts:TIME or recorded:FILE",
        )),
    }
}

/// `never`, `adaptive`, or a time.
pub(crate) fn coalesce(word: &str) -> Result<Coalesce, &'static str> {
    match word {
        "never" => Ok(Coalesce::Never),
        "adaptive" => Ok(Coalesce::Adaptive),
        _ => match word.parse() {
            Ok(Span(Duration::ZERO)) => Ok(Coalesce::Never),
            Ok(Span(time)) if time <= Duration::from_secs(1) => Ok(Coalesce::Fixed(time)),
            _ => Err("expected never, adaptive, or a time up to 1s such as 500us"),
        },
    }
}

impl FromStr for ShardWord {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let numbers = word.split_once('/').and_then(|(index, count)| {
            Some((index.parse::<u32>().ok()?, count.parse::<u32>().ok()?))
        });
        match numbers {
            Some((index, count)) if index < count => Ok(Self(Shard { index, count })),
            _ => Err("expected INDEX/COUNT, counted from 0: 0/4 to 3/4"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_may_be_a_range() {
        let range = |word: &str| {
            word.parse()
                .ok()
                .map(|SizeRange { least, most }| (least, most))
        };
        assert_eq!(range("256"), Some((256, 256)));
        assert_eq!(range("64-1KiB"), Some((64, 1024)));
        assert_eq!(range("0"), Some((0, 0)));
        for wrong in ["", "-", "64-", "1KiB-64", "300MB"] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn stages() {
        let stage = |word: &str| {
            let StageWord { stage, .. } = word.parse().ok()?;
            Some((stage.lasts.map(|time| time.as_secs()), stage.from, stage.to))
        };
        assert_eq!(stage("30s:10k"), Some((Some(30), 10_000.0, 10_000.0)));
        assert_eq!(stage("10s:0-50k"), Some((Some(10), 0.0, 50_000.0)));
        assert_eq!(stage("5k"), Some((None, 5000.0, 5000.0)));
        for wrong in ["", "0-50k", "0s:5", "10s:", "10s:5-", "x:5"] {
            assert_eq!(stage(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_rest() {
        assert_eq!(
            arrivals("bursts:100ms"),
            Ok(ArrivalArgs::Bursts {
                every: Duration::from_millis(100)
            })
        );
        for wrong in ["bursts", "recorded:", "poisson:3", "x"] {
            assert!(arrivals(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            coalesce("500us"),
            Ok(Coalesce::Fixed(Duration::from_micros(500)))
        );
        assert_eq!(coalesce("0"), Ok(Coalesce::Never));
        assert!(coalesce("2s").is_err());
        assert_eq!("3/4".parse(), Ok(ShardWord(Shard { index: 3, count: 4 })));
        for wrong in ["4/4", "0/0", "1", "a/b", "-1/2"] {
            assert!(wrong.parse::<ShardWord>().is_err(), "{wrong}");
        }
    }
}
