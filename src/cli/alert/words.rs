//! Words of an alert: ranges, rates, steps.

use std::time::Duration;

use crate::cli::syntax::numbers::{Span, Wait};
use crate::command::alert::StepTo;
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

/// A step of the escalation, and who is told of it.
#[derive(Clone, Debug)]
pub(super) struct EscalateWord {
    pub(super) step: Step,
    pub(super) to: StepTo,
}

/// `10m=critical`, `30m=page=https://…`, `30m=page=exec:sendmail -t`
pub(super) fn step(text: &str) -> Result<EscalateWord, String> {
    let wrong = || {
        String::from(
            "expected TIME=SEVERITY, TIME=SEVERITY=URL or TIME=SEVERITY=exec:COMMAND, such as 10m=critical",
        )
    };
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
    let to = match parts.next() {
        None => StepTo::Everybody,
        Some(target) => match target.strip_prefix("exec:") {
            Some(line) => StepTo::Command(command(line)?),
            None => StepTo::Webhook(target.to_owned()),
        },
    };
    Ok(EscalateWord { step, to })
}

/// The words of a command: separated by white space, but for what stands between quotes. There is no shell.
fn command(line: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None, None);
    for letter in line.chars() {
        match quote {
            Some(open) if letter == open => quote = None,
            None if matches!(letter, '\'' | '"') => {
                quote = Some(letter);
                // An empty one is a word too.
                word.get_or_insert_with(String::new);
            }
            None if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_with(String::new).push(letter),
        }
    }
    words.extend(word);
    match (quote, words.first()) {
        (Some(open), _) => Err(format!("exec: a {open} has no end")),
        (None, Some(program)) if !program.is_empty() => Ok(words),
        (None, _) => Err(String::from("exec: the command is empty")),
    }
}

/// What is longer than any time that a clock shows is as long as that.
pub(super) fn millis(time: Duration) -> Millis {
    Millis::try_from(time.as_millis())
        .unwrap_or(Millis::MAX >> 1)
        .min(Millis::MAX >> 1)
}
