//! Reads the keys of a fault, `NAME[:KEY=VALUE[,KEY=VALUE…]]`, and says when it is to happen.

use std::time::Duration;

use crate::error::{Error, Result};

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

/// The keys of one fault while it is read.
#[derive(Debug)]
pub struct Keys<'a> {
    fault: &'a str,
    pairs: Vec<(&'a str, &'a str)>,
    /// Those that were asked for, which are those that this fault knows.
    known: Vec<&'static str>,
}

impl<'a> Keys<'a> {
    /// Reads what follows the colon of `fault`.
    ///
    /// # Errors
    /// A usage error, as from all that follows: something that is no `KEY=VALUE`.
    pub fn parse(fault: &'a str, text: &'a str) -> Result<Self> {
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
    ///
    /// # Errors
    /// More than one of them, or no number.
    pub fn when(&mut self) -> Result<When> {
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

    /// Every key was asked for.
    ///
    /// # Errors
    /// One was not: the fault does not have it.
    pub fn none_left(&self) -> Result<()> {
        let Some((key, _)) = self.pairs.first() else {
            return Ok(());
        };
        let known = self.known.join(", ");
        Err(self
            .wrong(&format!("unknown key {key}"))
            .hint(format!("its keys are {known}")))
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
