//! One command described to clap without the others, as describing all of them would take most of the start-up time.

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use clap::{Args, Command, FromArgMatches, Subcommand};

/// The flags of one command, whose name is the second word.
pub(crate) fn one<F: Args>(words: &[OsString]) -> Option<Box<F>> {
    let bare = Command::new("iotctl").disable_help_flag(true);
    read::<F>(F::augment_args(bare), &words[1..]).map(Box::new)
}

/// The flags of a command without a protocol, whose name is the first word.
pub(crate) fn top<F: Args>(words: &[OsString]) -> Option<Box<F>> {
    let bare = Command::new("iotctl").disable_help_flag(true);
    read::<F>(F::augment_args(bare), words).map(Box::new)
}

/// The commands of one protocol, whose name is the first word.
pub(crate) fn alone<C: Subcommand>(words: &[OsString]) -> Option<C> {
    let bare = Command::new("iotctl")
        .disable_help_flag(true)
        .disable_help_subcommand(true);
    read::<C>(C::augment_subcommands(bare), words)
}

/// Reads the words, once in a process, and leaves the description to the end of the process: freeing its thousand
/// pieces would take a twentieth of the start-up time.
fn read<T: FromArgMatches>(command: Command, words: &[OsString]) -> Option<T> {
    let mut command = ManuallyDrop::new(command);
    let mut matches = ManuallyDrop::new(command.try_get_matches_from_mut(words).ok()?);
    T::from_arg_matches_mut(&mut matches).ok()
}
