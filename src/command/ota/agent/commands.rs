//! The user's commands: what tells the boot loader, what starts the device again, what says that it is well.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::connect::environment::SECRET_VARIABLES;
use crate::firmware::device::{Outcome, Slot};
use crate::stop::Group;

/// Commands for `sh`, each with what happens where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commands {
    /// The boot loader takes the slot of `IOTCTL_OTA_SLOT` at the next start; none: it needs not be told.
    pub install: Option<String>,
    /// Starts the device again; none: the new image is taken as started.
    pub reboot: Option<String>,
    /// Ends with 0 when the new image does what it should; none: when the server can be reached.
    pub health: Option<String>,
    /// The boot loader keeps the slot of `IOTCTL_OTA_SLOT`; none: it needs not be told.
    pub confirm: Option<String>,
}

/// What a command is told in its environment.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) slot: Slot,
    pub(super) path: PathBuf,
    pub(super) version: String,
    pub(super) sequence: u64,
}

/// Runs a command to its end; it is killed, and what it has started, when this is dropped.
pub(super) async fn run(what: &'static str, script: Option<String>, about: About) -> Outcome {
    let Some(script) = script else {
        return Outcome::Done;
    };
    let mut command = Command::new("sh");
    command.args(["-c", &script]).stdin(Stdio::null());
    command.process_group(0).kill_on_drop(true);
    for name in SECRET_VARIABLES {
        command.env_remove(name);
    }
    command.env("IOTCTL_OTA_SLOT", about.slot.name());
    command.env("IOTCTL_OTA_PATH", &about.path);
    command.env("IOTCTL_OTA_VERSION", &about.version);
    command.env("IOTCTL_OTA_SEQUENCE", about.sequence.to_string());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(cause) => return Outcome::Failed(format!("{what} cannot be run: {cause}")),
    };
    let group = child.id().map(Group::led_by);
    let ended = child.wait().await;
    if let Some(group) = group {
        group.ended();
    }
    match ended {
        Ok(status) if status.success() => Outcome::Done,
        Ok(status) => match status.code() {
            Some(code) => Outcome::Failed(format!("{what} ended with exit code {code}")),
            None => Outcome::Failed(format!("{what} was killed by a signal")),
        },
        Err(cause) => Outcome::Failed(format!("{what} cannot be waited for: {cause}")),
    }
}
