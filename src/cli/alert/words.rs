//! Words of an alert: ranges, rates, steps.

use std::time::Duration;

use crate::cli::syntax::numbers::{Span, Wait};
use crate::flow::alarm::{Millis, Step};

/// `LOW..HIGH`
pub(super) fn range(text: &str) -> Result<(f64, f64), String> {
    let wrong = || String::from("expected LOW..HIGH, such as 5..30 or -10.5..-2");
    let (low, high) = text.split_once("..").ok_or_else(wrong)?;
    match (number(low), number(high)) {
        (Some(low), Some(high)) => Ok((low, high)),
        _ => Err(wrong()),
    }
}

fn number(text: &str) -> Option<f64> {
    let number = text.trim().parse::<f64>();
    number.ok().filter(|number| number.is_finite())
}

/// `5/m`, `5/10m`
pub(super) fn per<N: std::str::FromStr>(text: &str) -> Result<(N, Millis), String> {
    let wrong = || String::from("expected a number and a time, such as 5/h or 5/10m");
    let (number, time) = text.split_once('/').ok_or_else(wrong)?;
    let number = number.trim().parse().map_err(|_| wrong())?;
    let whole = match time.starts_with(|letter: char| letter.is_ascii_digit()) {
        true => time.to_owned(),
        false => format!("1{time}"),
    };
    let Wait(time) = whole.parse().map_err(|_| wrong())?;
    match millis(time) {
        0 => Err(wrong()),
        time => Ok((number, time)),
    }
}

/// `3 of 5`
pub(super) fn of(text: &str) -> Result<(u32, u32), String> {
    let parts = text.split_once("of").or_else(|| text.split_once('/'));
    let pair =
        parts.and_then(|(bad, of)| Some((bad.trim().parse().ok()?, of.trim().parse().ok()?)));
    pair.ok_or_else(|| String::from("expected two numbers, such as '3 of 5'"))
}

/// `10m=critical`, `30m=page=https://…`
pub(super) fn step(text: &str) -> Result<(Step, Option<String>), String> {
    let wrong =
        || String::from("expected TIME=SEVERITY or TIME=SEVERITY=URL, such as 10m=critical");
    let mut parts = text.splitn(3, '=');
    let (Some(after), Some(severity)) = (parts.next(), parts.next()) else {
        return Err(wrong());
    };
    let Span(after) = after.parse().map_err(|_| wrong())?;
    if severity.is_empty() {
        return Err(wrong());
    }
    let step = Step {
        after: millis(after),
        severity: severity.to_owned(),
    };
    Ok((step, parts.next().map(str::to_owned)))
}

/// What is longer than any time that a clock shows is as long as that.
pub(super) fn millis(time: Duration) -> Millis {
    Millis::try_from(time.as_millis())
        .unwrap_or(Millis::MAX >> 1)
        .min(Millis::MAX >> 1)
}
