//! The flags about a command that is run for each message, the same for every command that receives.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::Path;

use clap::{Arg, Args, Command};

use crate::error::{Error, Result};
use crate::flow::Exec;

use crate::cli::syntax::numbers::Count;
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Command")]
pub(crate) struct ExecFlags {
    /// Run this command for each message, with the body on standard input and the fields listed below in its environment; everything after --exec belongs to the command, up to a lone ';'. The message is acknowledged when it has exited with 0; with another code AMQP rejects it, and the exit code is 1 at the end
    #[arg(
        long,
        value_name = "COMMAND",
        num_args = 1..,
        allow_hyphen_values = true
    )]
    exec: Vec<String>,

    /// Pass the whole message on standard input as one line of JSON, as --output json shows it, instead of the body
    #[arg(long)]
    exec_json: bool,

    /// Number of commands that run at the same time [default: 1]
    #[arg(long, value_name = "COUNT")]
    workers: Option<Count>,
}

/// What ends the words of the command.
const END: &str = ";";

impl ExecFlags {
    /// The command, if there is one, among the flags `F`; `requeue`: a message that it refuses goes back to the server.
    pub(crate) fn exec<F: Args>(mut self, requeue: bool) -> Result<Option<Exec>> {
        let there = !self.exec.is_empty();
        values::needs("--exec-json", self.exec_json, "--exec", there)?;
        values::needs("--workers", self.workers.is_some(), "--exec", there)?;
        values::needs("--requeue", requeue, "--exec", there)?;
        let ended = self.exec.pop_if(|word| word == END).is_some();
        if ended && self.exec.is_empty() {
            return Err(Error::usage("--exec needs a command before the ';'"));
        }
        let Count(workers) = self.workers.unwrap_or(Count(1));
        if let Some(word) = self.exec.first().filter(|word| word.starts_with('-')) {
            return Err(Error::usage(format!(
                "--exec needs a command, not {word:?}"
            )));
        }
        let workers = usize::try_from(workers).unwrap_or(usize::MAX);
        let workers = values::at_least_one("--workers", NonZeroUsize::new(workers))?;
        Ok(there.then(|| Exec {
            suspicious: suspicious::<F>(&self.exec).filter(|_| !ended),
            command: self.exec,
            workers,
            json: self.exec_json,
            requeue,
        }))
    }
}

/// The words with those of the command of `--exec` taken out, and these; what follows a lone `;` are flags again. The `;` stays
/// with the command, as a sign that its end was meant.
pub(crate) fn apart(mut words: Vec<OsString>) -> (Vec<OsString>, Vec<OsString>) {
    let Some(start) = words.iter().position(|word| word == "--exec") else {
        return (words, Vec::new());
    };
    let mut command = words.split_off(start);
    if let Some(end) = command.iter().position(|word| word == END) {
        words.extend(command.split_off(end + 1));
    }
    (words, command)
}

/// The first word of a command that is a flag among `F` too.
fn suspicious<F: Args>(command: &[String]) -> Option<String> {
    let (program, words) = command.split_first()?;
    // `sh -c SCRIPT` is what most commands are.
    let own = usize::from(is_interpreter(program));
    if !words.iter().skip(own).any(|word| word.starts_with('-')) {
        return None;
    }
    let ours = F::augment_args(Command::new(""));
    let words = words.iter().skip(own);
    let mut words = words.take_while(|word| *word != "--");
    let found = words.find(|word| ours.get_arguments().any(|flag| is_flag(word, flag)));
    found.cloned()
}

/// Whether a program takes a script or an expression by its first flag.
fn is_interpreter(program: &str) -> bool {
    const KNOWN: [&str; 12] = [
        "sh", "bash", "dash", "ash", "ksh", "zsh", "fish", "python", "python3", "perl", "ruby",
        "node",
    ];
    let name = Path::new(program).file_name();
    name.is_some_and(|name| KNOWN.iter().any(|known| name == *known))
}

fn is_flag(word: &str, flag: &Arg) -> bool {
    if let Some(long) = word.strip_prefix("--") {
        let name = long.split('=').next().unwrap_or(long);
        let aliases = flag.get_all_aliases().unwrap_or_default();
        return flag.get_long() == Some(name) || aliases.contains(&name);
    }
    let letter = word.strip_prefix('-').and_then(|rest| rest.chars().next());
    letter.is_some_and(|letter| {
        let aliases = flag.get_all_short_aliases().unwrap_or_default();
        flag.get_short() == Some(letter) || aliases.contains(&letter)
    })
}
