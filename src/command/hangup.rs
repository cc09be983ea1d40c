//! SIGHUP at a command that writes files for long: those that were renamed meanwhile are begun anew, as logrotate expects it.

use crate::command::serving::is_terminal_gone;
use crate::error::Result;
use crate::output::{Console, Destination, terminals};
use crate::stop::{Stop, reopen_files};

/// What is said where there are files that are opened again.
pub(crate) const REOPENED: &str = "output files are reopened";
/// What is said where there are none.
pub(crate) const NOTHING_TO_REOPEN: &str = "there are no files to reopen";

/// Has the command go on at SIGHUP, with its files opened again and this said, unless the terminal was closed in which it was
/// started: then it ends in good order.
///
/// # Errors
/// There can be no signal handler.
pub(crate) fn reopen_at_hangup(
    stop: &mut Stop,
    says: Option<&'static str>,
    console: Console,
) -> Result<()> {
    let terminals = terminals();
    stop.at_hangup(move || {
        if is_terminal_gone(terminals) {
            return false;
        }
        reopen_files();
        if let Some(text) = says {
            console.note(format_args!("SIGHUP: {text}"));
        }
        true
    })
}

/// The same where messages go into files; what writes to standard output ends at SIGHUP.
///
/// # Errors
/// As [`reopen_at_hangup`].
pub(crate) fn reopen_destination(
    stop: &mut Stop,
    destination: &Destination,
    console: Console,
) -> Result<()> {
    let says = match destination {
        Destination::Stdout => return Ok(()),
        Destination::File(..) => REOPENED,
        Destination::Files(_) => NOTHING_TO_REOPEN,
    };
    reopen_at_hangup(stop, Some(says), console)
}
