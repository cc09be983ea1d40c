//! `bench compare`: whether one set of runs is better or worse than another.

use std::path::PathBuf;
use std::str::FromStr;

use crate::bench::compare::{Comparison, compare, html, json, markdown, text};
use crate::bench::failure::Failure;
use crate::bench::result::Report;
use crate::error::{Error, Result};
use crate::output::Style;

use super::results::{files, name, read, write};

/// Which runs are compared, and how much worse they may be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// JSON files of the first side, one a run; a directory stands for the `.json` files in it.
    pub before: Vec<PathBuf>,
    /// The same of the second side.
    pub after: Vec<PathBuf>,
    /// How much worse a figure may be; `None`: nothing is a regression.
    pub bound: Option<Bound>,
    /// What the comparison is written as.
    pub form: Form,
    /// What the terminal shows.
    pub style: Style,
}

/// A part of the whole, written as `5%`: here 0.05.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound(pub f64);

/// What a comparison looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For a comment in a code review.
    Markdown,
    /// One self-contained page with the runs in the same plots.
    Html,
}

impl Form {
    /// Every form, in the order in which help shows them.
    pub const ALL: [Self; 4] = [Self::Text, Self::Json, Self::Markdown, Self::Html];

    /// The word for it on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Html => "html",
        }
    }

    fn render(self, comparison: &Comparison, runs: &[(String, &Report)]) -> Result<String> {
        match self {
            Self::Text => Ok(text(comparison)),
            Self::Json => Ok(json(comparison)),
            Self::Markdown => Ok(markdown(comparison)),
            Self::Html => html(comparison, runs),
        }
    }
}

impl FromStr for Form {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|form| form.name() == word)
            .ok_or_else(|| {
                let known = Self::ALL.map(Self::name).join(", ");
                Error::usage(format!("{word:?} is not one of {known}"))
            })
    }
}

impl FromStr for Bound {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "expected a percentage such as 5%";
        let digits = word.strip_suffix('%').ok_or(WANTED)?.trim_end();
        let is_number = digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let percent: f64 = digits.parse().map_err(|_| WANTED)?;
        if is_number && percent.is_finite() {
            Ok(Self(percent / 100.0))
        } else {
            Err(WANTED)
        }
    }
}

/// Writes the comparison to standard output.
///
/// # Errors
/// What cannot be read, is no result or has nothing in common;
/// [`Kind::Missed`](crate::error::Kind::Missed) when a figure is worse by more than the bound.
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let (before, after) = (files(&plan.before)?, files(&plan.after)?);
    let bound = plan.bound.map(|Bound(part)| part);
    let (first, second) = (all(&before)?, all(&after)?);
    let comparison = compare(&first, &second, bound)?;
    let paths = before.iter().chain(&after).map(|path| name(path));
    let runs: Vec<(String, &Report)> = paths.zip(first.iter().chain(&second)).collect();
    let text = plan.form.render(&comparison, &runs)?;
    write(&text, plan.form == Form::Text, plan.style).await?;
    comparison.failure().map_or(Ok(()), Err)
}

/// The results in `paths`.
///
/// # Errors
/// What cannot be read; [`Kind::Usage`](crate::error::Kind::Usage) for a run in which nothing came through: it has no
/// figures that are better or worse.
fn all(paths: &[PathBuf]) -> Result<Vec<Report>> {
    let comparable = |path: &PathBuf| {
        let report = read(path)?;
        match Failure::whole(&report) {
            None => Ok(report),
            Some(failure) => Err(Error::usage(format!(
                "{} cannot be compared: {}",
                name(path),
                failure.text
            ))),
        }
    };
    paths.iter().map(comparable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_percent() {
        assert_eq!("5%".parse(), Ok(Bound(0.05)));
        assert_eq!("2.5 %".parse(), Ok(Bound(0.025)));
        for wrong in ["5", "%", "-5%", "inf%", "1e1%", ""] {
            assert!(wrong.parse::<Bound>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn forms_are_read_by_their_names() {
        for form in Form::ALL {
            assert_eq!(form.name().parse::<Form>().unwrap(), form);
        }
        assert!("csv".parse::<Form>().is_err());
    }
}
