//! The flags about a command that is run for each message, the same for every command that receives.

use std::num::NonZeroUsize;

use clap::Args;

use crate::error::Result;
use crate::flow::Exec;

use crate::cli::syntax::numbers::Count;
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Command")]
pub(crate) struct ExecFlags {
    /// Run this command for each message, with the body on standard input and the fields listed below in its environment; all arguments after --exec, flags too, belong to the command, so put it last. Exit code 0 acknowledges the message, any other rejects it
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

impl ExecFlags {
    /// The command, if there is one; `requeue`: a message that it refuses goes back to the server.
    pub(crate) fn exec(self, requeue: bool) -> Result<Option<Exec>> {
        let there = !self.exec.is_empty();
        values::needs("--exec-json", self.exec_json, "--exec", there)?;
        values::needs("--workers", self.workers.is_some(), "--exec", there)?;
        values::needs("--requeue", requeue, "--exec", there)?;
        let Count(workers) = self.workers.unwrap_or(Count(1));
        let workers = usize::try_from(workers).unwrap_or(usize::MAX);
        let workers = values::at_least_one("--workers", NonZeroUsize::new(workers))?;
        Ok(there.then_some(Exec {
            command: self.exec,
            workers,
            json: self.exec_json,
            requeue,
        }))
    }
}
