//! Points in time: `2026-11-20T21:00:00Z`, or seconds since 1970.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) SystemTime);

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        if let Ok(seconds) = word.parse::<u32>() {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
            return Ok(Self(time));
        }
        word.parse::<Timestamp>()
            .map(|time| Self(time.into()))
            .map_err(|_| "expected a time such as 2026-11-20T21:00:00Z, or seconds since 1970")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_two_spellings() {
        let moment: Moment = "1970-01-01T00:00:05Z".parse().unwrap();
        assert_eq!("5".parse(), Ok(moment));
        assert!("tomorrow".parse::<Moment>().is_err());
    }
}
