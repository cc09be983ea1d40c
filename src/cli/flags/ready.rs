//! The flags that say who is told when a command is subscribed, the same for every command that receives.

use std::path::PathBuf;

use clap::Args;

use crate::flow::Ready;

/// Who is told that messages can arrive now.
#[derive(Args, Debug)]
#[command(next_help_heading = "Readiness")]
pub(crate) struct ReadyFlags {
    /// Create this file once messages can arrive (subscribed, consuming, observing), and remove it at the end
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,

    /// Run this shell command once messages can arrive; its output goes to standard error, and it is not waited for
    #[arg(long, value_name = "COMMAND", allow_hyphen_values = true)]
    on_ready: Option<String>,
}

impl ReadyFlags {
    /// Who is told.
    pub(crate) fn ready(self) -> Ready {
        Ready {
            file: self.ready_file,
            command: self.on_ready,
        }
    }

    /// The words of the first that was given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let file = self.ready_file.as_ref().map(|_| "--ready-file");
        file.or_else(|| self.on_ready.as_ref().map(|_| "--on-ready"))
    }
}
