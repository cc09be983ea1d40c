//! Faults on purpose: how they are written, `NAME[:KEY=VALUE[,KEY=VALUE…]]`, when they happen, and how often they did.
//!
//! Everything is counted and nothing is random, so that a test can say exactly what must be lost.

use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, Result};

/// The keys of every fault, for the help page and the man page.
pub const WHEN_KEYS: &[(&str, &str)] = &[
    (
        "every=N",
        "only every Nth time, counted over all connections",
    ),
    ("nth=N", "only the Nth time"),
    ("percent=N", "N percent of the time, spread evenly"),
];

/// What one kind of server can do wrong.
pub trait Wrong: Sized {
    /// The faults, for the help page and the man page: what to write, and what it does.
    const FAULTS: &'static [(&'static str, &'static str)];

    /// Reads a fault of this name; `None` for a name that is unknown. Which keys it takes are those that it has.
    ///
    /// # Errors
    /// Those of [`Keys`].
    fn read(name: &str, keys: &mut Keys<'_>, when: When) -> Result<Option<Self>>;
}

/// One thing that is to go wrong, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault<W> {
    wrong: W,
    when: When,
}

impl<W> Fault<W> {
    /// What goes wrong.
    pub const fn wrong(&self) -> &W {
        &self.wrong
    }
}

impl<W: Wrong> FromStr for Fault<W> {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, keys) = text.split_once(':').unwrap_or((text, ""));
        let mut keys = Keys::parse(name, keys)?;
        let when = keys.when()?;
        let Some(wrong) = W::read(name, &mut keys, when)? else {
            let mut names: Vec<_> = W::FAULTS
                .iter()
                .filter_map(|(usage, _)| usage.split(['[', ':']).next())
                .collect();
            names.dedup();
            return Err(Error::usage(format!("unknown fault {name}"))
                .hint(format!("the faults are {}", names.join(", "))));
        };
        keys.none_left()?;
        Ok(Self { wrong, when })
    }
}

/// The faults of one server with their counters.
#[derive(Debug)]
pub struct Faults<W>(Vec<Counted<W>>);

#[derive(Debug)]
struct Counted<W> {
    fault: Fault<W>,
    /// How often there was occasion.
    seen: u64,
    /// How often it happened.
    happened: u64,
}

impl<W: Clone> Faults<W> {
    /// None has happened yet.
    pub fn new(faults: &[Fault<W>]) -> Self {
        let counted = |fault: &Fault<W>| Counted {
            fault: fault.clone(),
            seen: 0,
            happened: 0,
        };
        Self(faults.iter().map(counted).collect())
    }
}

impl<W> Faults<W> {
    /// Whether everything is done right.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is one like this.
    pub fn any(&self, like: impl Fn(&W) -> bool) -> bool {
        self.0.iter().any(|counted| like(&counted.fault.wrong))
    }

    /// The first that `wanted` picks and whose turn it is; every candidate counts the occasion.
    pub fn first<T>(&mut self, wanted: impl Fn(&W) -> Option<T>) -> Option<T> {
        let mut first = None;
        for counted in &mut self.0 {
            if let Some(found) = wanted(&counted.fault.wrong)
                && counted.is_due()
                && first.is_none()
            {
                counted.happened += 1;
                first = Some(found);
            }
        }
        first
    }

    /// All that `wanted` picks and whose turn it is.
    pub fn all<T>(&mut self, wanted: impl Fn(&W) -> Option<T>) -> Vec<T> {
        let mut all = Vec::new();
        for counted in &mut self.0 {
            if let Some(found) = wanted(&counted.fault.wrong)
                && counted.is_due()
            {
                counted.happened += 1;
                all.push(found);
            }
        }
        all
    }

    /// How often each fault happened, in the order in which they were given.
    pub fn happened(&self) -> Vec<u64> {
        self.0.iter().map(|counted| counted.happened).collect()
    }
}

impl<W> Counted<W> {
    /// Counts an occasion; whether it is this one's turn.
    fn is_due(&mut self) -> bool {
        self.seen += 1;
        self.fault.when.holds(self.seen)
    }
}

/// As good as for ever, and still a time that a clock can show: a hundred years.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Which occasions of many; everything is counted and nothing is random, so that a test can say what must be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Each.
    Always,
    /// Every Nth.
    Every(u64),
    /// The Nth alone.
    Nth(u64),
    /// So many of each hundred, spread evenly.
    Percent(u64),
}

impl When {
    /// Whether the `count`th occasion, from 1, is one.
    pub const fn holds(self, count: u64) -> bool {
        match self {
            Self::Always => true,
            Self::Every(n) => count.is_multiple_of(n),
            Self::Nth(n) => count == n,
            // In one hundred the share grows `percent` times by one; where it grows, it is this one's turn.
            Self::Percent(percent) => {
                let at = (count - 1) % 100;
                (at + 1) * percent / 100 > at * percent / 100
            }
        }
    }
}

/// The keys of one fault while it is read; every error is one of usage.
#[derive(Debug)]
pub struct Keys<'a> {
    fault: &'a str,
    pairs: Vec<(&'a str, &'a str)>,
    /// Those that were asked for, which are those that this fault knows.
    known: Vec<&'static str>,
}

impl<'a> Keys<'a> {
    /// Reads what follows the colon of `fault`.
    fn parse(fault: &'a str, text: &'a str) -> Result<Self> {
        let words = text.split(',').filter(|word| !word.is_empty());
        let pairs = words.map(|word| {
            let wrong = || Error::usage(format!("fault {fault}: expected KEY=VALUE, not {word}"));
            word.split_once('=').ok_or_else(wrong)
        });
        Ok(Self {
            fault,
            pairs: pairs.collect::<Result<_>>()?,
            known: Vec::new(),
        })
    }

    /// An error that names the fault.
    pub fn wrong(&self, what: &str) -> Error {
        Error::usage(format!("fault {}: {what}", self.fault))
    }

    /// What a key was given, once.
    pub fn take(&mut self, key: &'static str) -> Option<&'a str> {
        self.known.push(key);
        let at = self.pairs.iter().position(|(name, _)| *name == key)?;
        Some(self.pairs.remove(at).1)
    }

    /// A value that must be there.
    ///
    /// # Errors
    /// It is not.
    pub fn needed<T>(&self, key: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.wrong(&format!("{key}= is missing")))
    }

    /// A count from 1.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&mut self, key: &'static str) -> Result<Option<u64>> {
        let Some(text) = self.take(key) else {
            return Ok(None);
        };
        let number = text.parse().ok().filter(|number| *number > 0);
        let wrong = || self.wrong(&format!("{key}={text} is not a number from 1"));
        number.ok_or_else(wrong).map(Some)
    }

    /// A count from 1 that must be there.
    ///
    /// # Errors
    /// It is missing or no number.
    pub fn needed_number(&mut self, key: &'static str) -> Result<u64> {
        let number = self.number(key)?;
        self.needed(key, number)
    }

    /// A duration such as `50ms`.
    ///
    /// # Errors
    /// It is none.
    pub fn duration(&mut self, key: &'static str) -> Result<Option<Duration>> {
        let Some(text) = self.take(key) else {
            return Ok(None);
        };
        let wrong = |_| self.wrong(&format!("{key}={text} is not a duration such as 50ms"));
        let parsed = humantime::parse_duration(text).map_err(wrong)?;
        Ok(Some(parsed.min(LONGEST)))
    }

    /// A duration that must be there.
    ///
    /// # Errors
    /// It is missing or none.
    pub fn needed_duration(&mut self, key: &'static str) -> Result<Duration> {
        let duration = self.duration(key)?;
        self.needed(key, duration)
    }

    /// `every=N`, `nth=N` or `percent=N`, which every fault may have.
    fn when(&mut self) -> Result<When> {
        let (every, nth) = (self.number("every")?, self.number("nth")?);
        let percent = self.number("percent")?;
        match (every, nth, percent) {
            (None, None, None) => Ok(When::Always),
            (Some(n), None, None) => Ok(When::Every(n)),
            (None, Some(n), None) => Ok(When::Nth(n)),
            (None, None, Some(n @ ..=100)) => Ok(When::Percent(n)),
            (None, None, Some(_)) => Err(self.wrong("percent is a number up to 100")),
            _ => Err(self.wrong("every, nth and percent exclude each other")),
        }
    }

    /// Every key was asked for; one that was not the fault does not have.
    fn none_left(&self) -> Result<()> {
        let Some((key, value)) = self.pairs.first() else {
            return Ok(());
        };
        let error = self.wrong(&format!("unknown key {key}"));
        // As the CoAP server had it once.
        if *key == "share" {
            let percent = value.trim_end_matches('%');
            return Err(error.hint(format!("use percent={percent}, a whole number")));
        }
        let known = self.known.join(", ");
        Err(error.hint(format!("its keys are {known}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_spread_evenly_and_exact() {
        for percent in [1, 7, 50, 99, 100] {
            let hits = (1..=1000).filter(|count| When::Percent(percent).holds(*count));
            assert_eq!(hits.count() as u64, percent * 10);
        }
        assert!(When::Percent(50).holds(2) && !When::Percent(50).holds(3));
    }

    #[test]
    fn no_duration_is_beyond_the_clock() {
        let mut keys = Keys::parse("f", "by=500000000000years").unwrap();
        assert_eq!(keys.needed_duration("by").unwrap(), LONGEST);
    }

    #[test]
    fn when_is_read_once() {
        let when = |text| Keys::parse("f", text).unwrap().when();
        assert_eq!(when("").unwrap(), When::Always);
        assert_eq!(when("percent=5").unwrap(), When::Percent(5));
        assert!(when("percent=101").is_err());
        assert!(when("percent=1,nth=1").is_err());
    }
}
