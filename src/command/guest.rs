//! The command that a server of ours runs for, and that ends it.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::error::{Error, Kind, Result};
use crate::flow::exec;
use crate::output::terminals;
use crate::stop::{Asked, Group};

/// Where to connect to, in the environment of the command.
const URL: &str = "IOTCTL_URL";

/// What would be another place to connect to.
const OTHER_PLACES: [&str; 3] = ["IOTCTL_HOST", "IOTCTL_PORT", "IOTCTL_UNIX"];

/// A command that runs.
pub(super) struct Guest {
    name: String,
    /// Dropped first: until the child is waited for, nobody else can have its identifier.
    group: Option<Group>,
    child: Child,
    status: Option<ExitStatus>,
}

impl Guest {
    /// Starts `command` with `url` in its environment; `None` where there is none.
    ///
    /// # Errors
    /// [`Kind::Local`]: it cannot be started.
    pub(super) fn start(command: &[OsString], url: &str) -> Result<Option<Self>> {
        let Some((program, words)) = command.split_first() else {
            return Ok(None);
        };
        let mut command = Command::new(program);
        command
            .args(words)
            .env(URL, reachable(url))
            .kill_on_drop(true);
        for other in OTHER_PLACES {
            command.env_remove(other);
        }
        // At a terminal it belongs to the foreground, may read, and gets Ctrl-C by itself.
        let [at_terminal, ..] = terminals();
        if !at_terminal {
            command.process_group(0);
        }
        let name = program.to_string_lossy().into_owned();
        let child = command
            .spawn()
            .map_err(|cause| exec::cannot_run(&name, &cause))?;
        let leader = child.id().filter(|_| !at_terminal);
        Ok(Some(Self {
            name,
            group: leader.map(Group::led_by),
            child,
            status: None,
        }))
    }

    /// Waits for its end. Cancel-safe.
    pub(super) async fn ends(&mut self) -> Result<()> {
        let waited = self.child.wait().await;
        if let Some(group) = self.group.take() {
            group.ended();
        }
        let name = &self.name;
        let status =
            waited.map_err(|cause| Error::local(format_args!("cannot wait for {name}"), &cause))?;
        self.status = Some(status);
        Ok(())
    }

    /// Passes a signal on, unless it got that by itself.
    pub(super) fn pass_on(&self, asked: Asked) {
        let signal = match asked {
            Asked::Interrupt if self.group.is_none() => return,
            Asked::Interrupt => Signal::INT,
            Asked::Terminate => Signal::TERM,
            Asked::HangUp => Signal::HUP,
        };
        let process = self.child.id().map(u32::cast_signed);
        if let Some(process) = process.and_then(Pid::from_raw) {
            // It may have ended just now.
            let _ = kill_process(process, signal);
        }
    }

    /// What its end means for us.
    ///
    /// # Errors
    /// [`Kind::Command`]: its exit code, or, as a shell has it, 128 and the signal that ended it.
    pub(super) fn verdict(&self) -> Result<()> {
        let Some(status) = self.status else {
            return Ok(());
        };
        let code = status.code().or_else(|| Some(128 + status.signal()?));
        match code.map(|code| u8::try_from(code).unwrap_or(u8::MAX)) {
            Some(0) | None => Ok(()),
            Some(code) => {
                let text = format!("{} ended with exit code {code}", self.name);
                Err(Error::new(Kind::Command(code), text))
            }
        }
    }
}

/// The same place as a client on this machine calls it.
fn reachable(url: &str) -> String {
    url.replacen("://0.0.0.0:", "://127.0.0.1:", 1)
        .replacen("://[::]:", "://[::1]:", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_are_reached_at_this_machine() {
        for (url, reached) in [
            ("mqtt://0.0.0.0:1", "mqtt://127.0.0.1:1"),
            ("coap://[::]:1", "coap://[::1]:1"),
            ("amqp://10.0.0.0:1", "amqp://10.0.0.0:1"),
            ("unix:/0.0.0.0:", "unix:/0.0.0.0:"),
        ] {
            assert_eq!(reachable(url), reached);
        }
    }
}
