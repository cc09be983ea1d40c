//! `bench merge`: one result from those of many workers.

use std::path::PathBuf;

use crate::bench::merge::{Part, merge};
use crate::bench::report::Form;
use crate::error::Result;
use crate::output::Style;

use super::results::{files, judged, name, read, write};

/// Which results become one.
#[derive(Clone, Debug)]
pub struct Plan {
    /// JSON files, one a worker; a directory stands for the `.json` files in it, `-` for standard input.
    pub inputs: Vec<PathBuf>,
    /// `--partial`: shards may be missing, and may have run one after the other.
    pub partial: bool,
    /// What the whole is written as; JSON, to keep everything.
    pub form: Form,
    /// What the terminal shows.
    pub style: Style,
}

/// Writes the whole to standard output.
///
/// # Errors
/// What cannot be read, is no result or does not fit together;
/// [`Kind::Missed`](crate::error::Kind::Missed) when the whole missed a threshold of the run; what
/// the run itself has failed of, when it has some.
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let mut parts = Vec::new();
    for path in files(&plan.inputs)? {
        parts.push(Part {
            name: name(&path),
            report: read(&path)?,
        });
    }
    let whole = merge(&parts, plan.partial)?;
    let text = plan.form.render(&whole)?;
    write(&text, plan.form == Form::Text, plan.style).await?;
    judged(&whole, &whole.thresholds)
}
