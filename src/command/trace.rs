//! `--trace`: every message that goes over a connection, whatever its protocol, on standard error.

use std::fmt::Display;
use std::time::Instant;

use crate::output::Console;

/// Shows messages with the time since the command began.
#[derive(Clone, Copy)]
pub(crate) struct Trace {
    console: Console,
    began: Instant,
}

impl Trace {
    /// Time begins now.
    pub(crate) fn new(console: Console) -> Self {
        Self {
            console,
            began: Instant::now(),
        }
    }

    /// One line: `> 0.312 ms WHAT` for what is `sent`, `<` for what comes. No secret may be in it.
    pub(crate) fn line(&self, sent: bool, what: impl Display) {
        let arrow = if sent { '>' } else { '<' };
        let since = self.began.elapsed().as_secs_f64() * 1e3;
        self.console
            .plain(format_args!("{arrow} {since:.3} ms {what}"));
    }
}
