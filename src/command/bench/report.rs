//! `bench report`: any form of a result that was kept as JSON.

use std::path::PathBuf;

use crate::bench::report::Form;
use crate::bench::threshold::Assert;
use crate::error::Result;
use crate::output::Style;

use super::results::{judged, read, write};

/// Which result, and what is made of it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The JSON file; `-` is standard input.
    pub input: PathBuf,
    /// What it becomes.
    pub form: Form,
    /// Thresholds to judge it by, beside those it was judged by already.
    pub asserts: Vec<Assert>,
    /// What the terminal shows.
    pub style: Style,
}

/// Writes the form to standard output.
///
/// # Errors
/// What cannot be read or is no result; [`Kind::Missed`](crate::error::Kind::Missed) when one of `asserts` was missed; what the run
/// itself has failed of, when there are some.
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let mut report = read(&plan.input)?;
    let thresholds: Vec<_> = plan
        .asserts
        .iter()
        .map(|assert| assert.evaluate(&report))
        .collect();
    report.thresholds.extend(thresholds.iter().cloned());
    let text = plan.form.render(&report)?;
    write(&text, plan.form == Form::Text, plan.style).await?;
    judged(&report, &thresholds)
}
