//! The flags about a command that is run for each message.

use clap::Args;

use crate::error::Result;
use crate::flow::Exec;

use crate::cli::flags::exec::exec;
use crate::cli::syntax::numbers::Count;

#[derive(Args, Debug)]
#[command(next_help_heading = "Command")]
pub(crate) struct ExecFlags {
    /// Run this command for each message, with the body as its standard input; all words to the end of the line are the command's. Its exit code 0 acknowledges the message, any other gives it back. IOTCTL_TOPIC is the routing key; IOTCTL_EXCHANGE, IOTCTL_REDELIVERED, IOTCTL_MESSAGE_ID, IOTCTL_CORRELATION_ID, IOTCTL_CONTENT_TYPE and IOTCTL_REPLY_TO are as their names say
    #[arg(
        long,
        value_name = "COMMAND",
        num_args = 1..,
        allow_hyphen_values = true
    )]
    exec: Vec<String>,

    /// Commands that may run at once [default: 1]
    #[arg(long, value_name = "COUNT")]
    workers: Option<Count>,

    /// A message whose command failed goes back to the queue; else it is dropped or becomes a dead letter
    #[arg(long)]
    requeue: bool,
}

impl ExecFlags {
    /// The command, if there is one.
    pub(crate) fn exec(self) -> Result<Option<Exec>> {
        exec(self.exec, self.workers, self.requeue)
    }
}
