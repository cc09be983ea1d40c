//! Every form in which people and programs see the results of a run.
//!
//! The forms are made from a [`Report`] alone, whether it was just measured or read from a file;
//! nothing is printed here.
//!
//! | part | what it is for |
//! |---|---|
//! | [`text`] | the summary on a terminal, and one line for an interval |
//! | [`json`] | the result itself, written and read back; `schema/bench-report.schema.json` |
//! | [`csv`] | the time series |
//! | [`hlog`] | the distributions as an HdrHistogram V2 log |
//! | [`prometheus`] | text exposition, and an endpoint that serves it while a run goes on |
//! | [`html`] | one page with plots that needs nothing else |
//! | [`markdown`] | a comment in a code review |
//! | [`junit`] | one test case for each threshold, or for the run |
//! | [`terms`] | what the words of a report mean |
//! | [`distribution`] | latency figures from histograms, and back |

pub(crate) mod csv;
pub(crate) mod distribution;
pub(crate) mod hlog;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod markdown;
pub(crate) mod prometheus;
pub(crate) mod text;

pub(crate) mod rows;
#[cfg(test)]
pub(super) mod sample;
#[cfg(test)]
pub(super) mod schema;
pub(crate) mod terms;
pub(super) mod units;

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

use super::result::Report;

/// What a report looks like: `--output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A summary for people.
    #[default]
    Text,
    /// The result itself; all other forms can be made from it.
    Json,
    /// The time series, one row an interval.
    Csv,
    /// HdrHistogram V2 log, one line a quantity, values in nanoseconds.
    Hlog,
    /// Prometheus text exposition.
    Prometheus,
    /// One self-contained page with plots.
    Html,
    /// For a comment in a code review.
    Markdown,
    /// One test case for each threshold, or for the run.
    Junit,
}

impl Form {
    /// Every form, in the order in which help shows them.
    pub const ALL: [Self; 8] = [
        Self::Text,
        Self::Json,
        Self::Csv,
        Self::Hlog,
        Self::Prometheus,
        Self::Html,
        Self::Markdown,
        Self::Junit,
    ];

    /// The word for it on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Hlog => "hlog",
            Self::Prometheus => "prometheus",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Junit => "junit",
        }
    }

    /// The report in this form, UTF-8, ending with a line feed.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) when a distribution in the report cannot be decoded.
    pub fn render(self, report: &Report) -> Result<String> {
        match self {
            Self::Text => Ok(text::render(report)),
            Self::Json => Ok(json::render(report)),
            Self::Csv => Ok(csv::render(report)),
            Self::Hlog => hlog::render(report),
            Self::Prometheus => Ok(prometheus::render(report)),
            Self::Html => html::render(report),
            Self::Markdown => Ok(markdown::render(report)),
            Self::Junit => Ok(junit::render(report)),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_by_their_names() {
        for form in Form::ALL {
            assert_eq!(form.name().parse::<Form>().unwrap(), form);
        }
        let error = "yaml".parse::<Form>().unwrap_err();
        assert_eq!(
            error.text(),
            r#""yaml" is not one of text, json, csv, hlog, prometheus, html, markdown, junit"#
        );
    }

    #[test]
    fn every_form_of_an_empty_report_can_be_made() {
        for form in Form::ALL {
            let shown = form.render(&Report::default()).unwrap();
            assert!(shown.ends_with('\n'), "{form}");
            assert!(!shown.contains("NaN") && !shown.contains(" inf"), "{form}");
        }
    }
}
