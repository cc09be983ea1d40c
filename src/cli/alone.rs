//! One command described to clap without the others, as describing all of them would take most of the start-up time.

use std::ffi::OsString;

use clap::{Args, Command, Subcommand};

/// The flags of one command, whose name is the second word.
pub(crate) fn one<F: Args>(words: &[OsString]) -> Option<Box<F>> {
    let bare = Command::new("iotctl").disable_help_flag(true);
    let matches = F::augment_args(bare).try_get_matches_from(&words[1..]);
    F::from_arg_matches(&matches.ok()?).ok().map(Box::new)
}

/// The commands of one protocol, whose name is the first word.
pub(crate) fn alone<C: Subcommand>(words: &[OsString]) -> Option<C> {
    let bare = Command::new("iotctl")
        .disable_help_flag(true)
        .disable_help_subcommand(true);
    let matches = C::augment_subcommands(bare)
        .try_get_matches_from(words)
        .ok()?;
    C::from_arg_matches(&matches).ok()
}
