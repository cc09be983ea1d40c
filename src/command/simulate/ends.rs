//! How a run ends: the account, what was asserted, the files of `--save-json` and `--html`.

use std::str::FromStr;

use serde_json::Value;

use super::Plan;
use crate::bench::report::html;
use crate::connect::Target;
use crate::device::account::Account;
use crate::device::file::Protocol;
use crate::device::fleet::Fleet;
use crate::error::{Error, Kind, Result, counted, counted_were, meant};
use crate::file;
use crate::output::print;
use crate::payload::comparison::Comparison;

/// What a counter of the account must be: `crashes == 3`, `acknowledged >= 100`.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    name: &'static str,
    comparison: Comparison,
    /// A number, or another counter.
    value: Side,
    words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Number(u64),
    Counter(&'static str),
}

impl Assertion {
    fn check(&self, account: &Account) -> Result<()> {
        let figures = account.figures();
        let count = |name| figures.iter().find(|it| it.0 == name).map_or(0, |it| it.1);
        let found = count(self.name);
        let value = match self.value {
            Side::Number(number) => number,
            Side::Counter(name) => count(name),
        };
        match self.comparison.holds(&found, &value) {
            true => Ok(()),
            false => {
                let text = format!("not met: {}, but it is {found}", self.words);
                Err(Error::new(Kind::Missed, text))
            }
        }
    }
}

impl FromStr for Assertion {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, String> {
        let (at, sign, comparison) = Comparison::find(words)
            .filter(|(.., comparison)| *comparison != Comparison::Contains)
            .ok_or("expected NAME OPERATOR VALUE, such as 'crashes == 3'")?;
        let (name, value) = (words[..at].trim(), words[at + sign.len()..].trim());
        Ok(Self {
            name: counter(name)?,
            comparison,
            value: match value.parse() {
                Ok(number) => Side::Number(number),
                Err(_) => Side::Counter(counter(value)?),
            },
            words: words.trim().to_owned(),
        })
    }
}

fn counter(name: &str) -> Result<&'static str, String> {
    let figures = Account::default().figures();
    let names: Vec<_> = figures.into_iter().map(|(name, _)| name).collect();
    match names.iter().find(|known| **known == name) {
        Some(known) => Ok(known),
        None => Err(match meant(name, names.iter().copied()).first() {
            Some(near) => format!("unknown counter {name}; did you mean {near}?"),
            None => format!("unknown counter {name}; there are {}", names.join(", ")),
        }),
    }
}

/// Reports what has happened, and judges it.
///
/// # Errors
/// A file cannot be written; an assertion is not met; messages were refused, or not acknowledged in time.
pub(super) fn report(
    account: &Account,
    protocol: Protocol,
    seconds: f64,
    plan: &Plan,
) -> Result<()> {
    let mut json = account.json();
    let rounded = Value::from((seconds * 1e3).round() / 1e3);
    json.insert("seconds".to_owned(), rounded);
    let json = format!("{}\n", Value::Object(json));
    let lines = account.lines(protocol);
    match plan.json {
        true => print(json.as_bytes())?,
        false => print(format!("{}\n", lines.join("\n")).as_bytes())?,
    }
    if let Some(path) = &plan.save_json {
        file::replace(path, json.as_bytes())?;
    }
    let judged: Vec<_> = plan
        .assertions
        .iter()
        .map(|it| (it, it.check(account)))
        .collect();
    if let Some(path) = &plan.html {
        let assertions = judged.iter();
        let assertions = assertions.map(|(it, judged)| (it.words.clone(), judged.is_ok()));
        let assertions: Vec<_> = assertions.collect();
        let title = format!("Simulation of {}", counted(account.devices, "device"));
        let footer = format!("iotctl {} · {seconds:.1} s", env!("CARGO_PKG_VERSION"));
        let page = html::account(&title, &assertions, &lines, &account.described(), &footer);
        file::replace(path, page.as_bytes())?;
    }
    judged.into_iter().try_for_each(|(_, judged)| judged)?;
    if !account.adds_up() {
        return Err(Error::new(Kind::Lost, "the totals do not add up"));
    }
    left_over(account)
}

/// What did not end as it should.
fn left_over(account: &Account) -> Result<()> {
    if account.refused > 0 {
        let text = format!(
            "{} refused by the server",
            counted_were(account.refused, "message")
        );
        return Err(Error::new(Kind::Refused, text));
    }
    if account.abandoned > 0 {
        let text = format!(
            "{} given up: the server closed the connection each time it got them",
            counted_were(account.abandoned, "message")
        );
        return Err(Error::new(Kind::Lost, text));
    }
    if account.unacknowledged > 0 {
        let text = format!(
            "{} not acknowledged by the end of the run",
            counted_were(account.unacknowledged, "message")
        );
        let error = Error::new(Kind::Lost, text);
        return Err(match account.lost_connections {
            0 => error.hint("--drain gives the server more time"),
            // It would close the connection again.
            _ => error,
        });
    }
    failed(account)
}

/// Whether sensors have failed, as a map that fails on a message.
pub(super) fn failed(account: &Account) -> Result<()> {
    match account.failed_readings {
        0 => Ok(()),
        count => {
            let count = counted_were(count, "reading");
            let text = format!("{count} not reported, as the expression failed");
            Err(Error::new(Kind::Refused, text))
        }
    }
}

/// That devices wait to be connected by a server that never connected one, or is away.
pub(super) fn unconnected(
    fleet: &Fleet,
    server: &Target,
    ever: bool,
    outage: bool,
) -> Option<Error> {
    let waiting = fleet.connecting();
    if waiting == 0 || (ever && !outage) {
        return None;
    }
    let devices = counted(waiting, "device");
    Some(match ever {
        false => {
            let text = format!("{server} connected none of {devices} by the end of the run");
            Error::new(Kind::TimedOut, text)
        }
        true => {
            let text = format!("{devices} had no connection to {server} at the end of the run");
            Error::new(Kind::Lost, text)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_compared_with_numbers_and_each_other() {
        let account = Account {
            published: 5,
            acknowledged: 5,
            crashes: 2,
            ..Account::default()
        };
        let check = |words: &str| Assertion::from_str(words).unwrap().check(&account);
        assert!(check("published == acknowledged").is_ok());
        assert!(check("crashes<3").is_ok());
        let missed = check("crashes == 3").unwrap_err();
        assert_eq!(missed.text(), "not met: crashes == 3, but it is 2");
        assert_eq!(
            Assertion::from_str("crahses == 3"),
            Err("unknown counter crahses; did you mean crashes?".to_owned())
        );
        assert!(Assertion::from_str("crashes").is_err());
    }
}
