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
    /// Run this command for each message, with the body on standard input; everything after --exec belongs to the command. The message is acknowledged when the command has ended; an exit code other than 0 counts as a failed message. IOTCTL_TOPIC is the topic; IOTCTL_QOS, IOTCTL_RETAIN, IOTCTL_DUPLICATE, IOTCTL_CONTENT_TYPE, IOTCTL_RESPONSE_TOPIC and IOTCTL_CORRELATION_DATA hold the properties of the same name
    #[arg(
        long,
        value_name = "COMMAND",
        num_args = 1..,
        allow_hyphen_values = true
    )]
    exec: Vec<String>,

    /// Number of commands that run at the same time [default: 1]
    #[arg(long, value_name = "COUNT")]
    workers: Option<Count>,
}

impl ExecFlags {
    /// The command, if there is one.
    pub(crate) fn exec(self) -> Result<Option<Exec>> {
        exec(self.exec, self.workers, false)
    }
}

/// The command that these flags make, if there is one.
pub(crate) fn exec(
    command: Vec<String>,
    workers: Option<Count>,
    requeue: bool,
) -> Result<Option<Exec>> {
    let there = !command.is_empty();
    values::needs("--workers", workers.is_some(), "--exec", there)?;
    values::needs("--requeue", requeue, "--exec", there)?;
    let Count(workers) = workers.unwrap_or(Count(1));
    let workers = usize::try_from(workers).unwrap_or(usize::MAX);
    let workers = values::at_least_one("--workers", NonZeroUsize::new(workers))?;
    Ok(there.then_some(Exec {
        command,
        workers,
        requeue,
    }))
}
