//! The flags of every server that say who is told where it listens, and what runs meanwhile.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::command::serving::Launch;
use crate::error::{Error, Result};

/// Who uses the server.
#[derive(Args, Debug)]
pub(crate) struct LaunchFlags {
    /// Write the URLs of the listeners to this file, one per line, once clients can connect, and remove it at the end
    #[arg(long, value_name = "FILE", help_heading = "Listening")]
    url_file: Option<PathBuf>,

    /// Run this command with the URL of the server in IOTCTL_URL, and exit with its exit code; signals are passed on to it
    #[arg(last = true, value_name = "COMMAND", help_heading = None)]
    command: Vec<OsString>,

    /// Exit when the parent process exits
    #[arg(long, hide = true)]
    end_with_parent: bool,
}

impl LaunchFlags {
    /// Where to listen: as `given`, otherwise on the `usual` port, or on a free one for a command that is told.
    pub(crate) fn listen<L: FromStr<Err = String>>(
        &self,
        given: Vec<L>,
        usual: u16,
    ) -> Result<Vec<L>> {
        if !given.is_empty() {
            return Ok(given);
        }
        let port = if self.command.is_empty() { usual } else { 0 };
        let address = format!("127.0.0.1:{port}").parse();
        address.map(|it| vec![it]).map_err(Error::usage)
    }

    /// Who is told, and what runs.
    pub(crate) fn launch(self) -> Launch {
        Launch {
            command: self.command,
            url_file: self.url_file,
            end_with_parent: self.end_with_parent,
        }
    }
}
