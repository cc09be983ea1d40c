//! The flags about a command that is run for each message of a queue.

use clap::Args;

use crate::cli::flags::exec;
use crate::error::Result;
use crate::flow::Exec;

#[derive(Args, Debug)]
#[command(next_help_heading = "Command")]
pub(crate) struct AmqpExecFlags {
    #[command(flatten)]
    exec: exec::ExecFlags,

    /// Requeue a message whose command failed, instead of dropping or dead-lettering it
    #[arg(long)]
    requeue: bool,
}

impl AmqpExecFlags {
    /// The command, if there is one, among the flags `F`.
    pub(crate) fn exec<F: Args>(self) -> Result<Option<Exec>> {
        self.exec.exec::<F>(self.requeue)
    }
}
