//! Rates and speeds.

use std::str::FromStr;

/// No machine sends more: one message per 10 ns.
pub(crate) const HIGHEST_RATE: f64 = 1e8;

/// The syntax of a rate.
const RATE: &str =
    "expected a rate such as 1000, 10k, 0.5 or 30/m; a plain number is messages per second";

/// Messages per second: `1000`, `10k`, `0.5`, `30/m`; more than 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate(pub(crate) f64);

/// A rate that may be 0: a pause among stages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RateOrPause(pub(crate) f64);

/// A speed-up factor: `2`, `0.5`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Speed(pub(crate) f64);

impl FromStr for Rate {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word.parse()? {
            RateOrPause(0.0) => Err(String::from("a rate must be more than 0")),
            RateOrPause(rate) => Ok(Self(rate)),
        }
    }
}

impl FromStr for RateOrPause {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let (number, per) = word.split_once('/').unwrap_or((word, "s"));
        let seconds = match per {
            "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            _ => return Err(RATE.to_owned()),
        };
        let (digits, times) = match number.char_indices().last() {
            Some((at, 'k' | 'K')) => (&number[..at], 1e3),
            Some((at, 'M')) => (&number[..at], 1e6),
            _ => (number, 1.0),
        };
        // Rust would also read `1e3`, `inf` and `-0`.
        let plain = digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let rate = digits.parse::<f64>().ok().filter(|_| plain);
        match rate.map(|rate| rate * times / seconds) {
            Some(rate) if rate > HIGHEST_RATE => Err(format!(
                "a rate is at most {HIGHEST_RATE} messages per second"
            )),
            Some(rate) => Ok(Self(rate)),
            None => Err(RATE.to_owned()),
        }
    }
}

impl FromStr for Speed {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word.parse::<f64>() {
            Ok(speed) if speed > 0.0 && speed.is_finite() => Ok(Self(speed)),
            _ => Err("expected a factor such as 2 or 0.5"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(word: &str) -> Option<f64> {
        word.parse().ok().map(|Rate(rate)| rate)
    }

    #[test]
    fn rates() {
        assert_eq!(rate("1000"), Some(1000.0));
        assert_eq!(rate("1000/s"), Some(1000.0));
        assert_eq!(rate("10k"), Some(10_000.0));
        assert_eq!(rate("1.5M"), Some(1_500_000.0));
        assert_eq!(rate("0.5"), Some(0.5));
        assert_eq!(rate("30/m"), Some(0.5));
        for wrong in [
            "", "k", "0", "-1", "1e3", "inf", "NaN", "5/x", "200M", "1 k",
        ] {
            assert_eq!(rate(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn speeds() {
        assert_eq!("0.5".parse(), Ok(Speed(0.5)));
        for wrong in ["0", "-1", "inf", "x"] {
            assert!(wrong.parse::<Speed>().is_err(), "{wrong}");
        }
    }
}
