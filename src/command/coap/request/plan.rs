//! What `coap get`, `put` and the others ask.

use std::path::PathBuf;

use super::super::session::{SessionArgs, Wording};
use crate::coap::code::Code;
use crate::connect::Retry;
use crate::flow::{Pacing, Stages, Until};
use crate::output::{Format, Style};
use crate::payload::{Encoding, Source};

/// What is asked, and how the answers are shown.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where, and how.
    pub session: SessionArgs,
    /// What it says that is mostly left to us.
    pub wording: Wording,
    /// One of the seven methods.
    pub method: Code,
    /// The body.
    pub source: Source,
    /// How the body is spelled.
    pub encoding: Encoding,
    /// The requests deliver messages: outages are waited out, and answers are not shown.
    pub delivers: Option<Delivery>,
    /// What becomes of each body before (`--map`).
    pub outgoing: Stages,
    /// How often each URI is asked, and how fast.
    pub pacing: Pacing,
    /// How long a request under way may take after a signal; otherwise its answer is not waited for.
    pub until: Until,
    /// A file that holds the ETag of what is there already, as hexadecimal digits; the new one is put there.
    pub etag_file: Option<PathBuf>,
    /// A file that gets the body of the answer, instead of standard output.
    pub file: Option<PathBuf>,
    /// Go on with what an earlier run has put into the file; there is one then, and one URI.
    pub resume: bool,
    /// What every answer must fulfil, and how its body is shown.
    pub stages: Stages,
    /// How an answer is shown.
    pub format: Format,
    /// What the terminal shows.
    pub style: Style,
}

impl Plan {
    /// One request with a body to each URI, with everything else as the defaults are; answers are shown as they are.
    pub(crate) fn new(session: SessionArgs, method: Code, source: Source, style: Style) -> Self {
        Self {
            session,
            wording: Wording::default(),
            method,
            source,
            encoding: Encoding::Plain,
            delivers: None,
            outgoing: Stages::default(),
            pacing: Pacing::default(),
            until: Until::default(),
            etag_file: None,
            file: None,
            resume: false,
            stages: Stages::default(),
            format: Format::Raw,
            style,
        }
    }
}

/// How messages are delivered.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// How long an outage is waited out.
    pub retry: Retry,
    /// How often what the server cannot take now is sent again; `None`: for as long as that.
    pub retries: Option<u32>,
}
