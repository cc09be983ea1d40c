//! The flags about a command that is run for each message.

use clap::Args;

use crate::error::Result;
use crate::flow::Exec;

use crate::cli::flags::exec::exec;
use crate::cli::syntax::numbers::Count;

#[derive(Args, Debug)]
#[command(next_help_heading = "Command")]
pub(crate) struct ExecFlags {
    /// Run this command for each message, with the body on standard input; everything after --exec belongs to the command. Exit code 0 acknowledges the message, any other rejects it. IOTCTL_TOPIC is the routing key; IOTCTL_EXCHANGE, IOTCTL_REDELIVERED, IOTCTL_MESSAGE_ID, IOTCTL_CORRELATION_ID, IOTCTL_CONTENT_TYPE and IOTCTL_REPLY_TO hold the properties of the same name
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

    /// Requeue a message whose command failed, instead of dropping or dead-lettering it
    #[arg(long)]
    requeue: bool,
}

impl ExecFlags {
    /// The command, if there is one.
    pub(crate) fn exec(self) -> Result<Option<Exec>> {
        exec(self.exec, self.workers, self.requeue)
    }
}
