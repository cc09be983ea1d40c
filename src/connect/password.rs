//! A password that a command prints, at each connection anew: tokens have an end.

use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::{Error, Kind, Result};

use super::environment::SECRET_VARIABLES;
use super::secret::Secret;

/// How long the command may take.
const LIMIT: Duration = Duration::from_secs(30);
/// The most that is read of what it prints.
const LARGEST: u64 = 64 * 1024;

/// The command, and what it printed last.
pub(crate) struct PasswordCommand {
    command: String,
    latest: Mutex<Secret>,
    /// The latest one has not been used yet.
    fresh: AtomicBool,
}

impl PasswordCommand {
    /// Runs the command for the first time.
    ///
    /// # Errors
    /// [`Kind::Local`] when it fails or prints nothing, [`Kind::TimedOut`].
    pub(super) fn first(command: String) -> Result<Self> {
        let latest = run(&command, LIMIT)?;
        Ok(Self {
            command,
            latest: Mutex::new(latest),
            fresh: AtomicBool::new(true),
        })
    }

    pub(super) fn latest(&self) -> Secret {
        // Nobody panics while it is locked.
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.clone()
    }

    /// Runs the command again if its password was used.
    ///
    /// # Errors
    /// As [`PasswordCommand::first`].
    pub(super) async fn renew(self: &Arc<Self>) -> Result<()> {
        if self.fresh.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let command = self.command.clone();
        let renewed = tokio::task::spawn_blocking(move || run(&command, LIMIT)).await;
        // The task has no reason to panic.
        let renewed = renewed
            .map_err(|cause| Error::new(Kind::Local, format!("--password-command: {cause}")))??;
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = renewed;
        Ok(())
    }
}

/// The first line of what the command prints.
fn run(command: &str, limit: Duration) -> Result<Secret> {
    let failed = |what: &str| Error::new(Kind::Local, format!("--password-command {what}"));
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command);
    for name in SECRET_VARIABLES {
        shell.env_remove(name);
    }
    let child = shell.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child =
        child.map_err(|cause| Error::local("cannot run the --password-command", &cause))?;
    let Some(output) = child.stdout.take() else {
        return Err(failed("has no output"));
    };
    let (sender, receiver) = mpsc::channel();
    // It ends with the command, or with whoever holds its output.
    thread::spawn(move || {
        let mut printed = Vec::new();
        let read = output.take(LARGEST).read_to_end(&mut printed);
        let _ = sender.send(read.map(|_| printed));
    });
    let printed = receiver.recv_timeout(limit);
    if printed.is_err() {
        let _ = child.kill();
    }
    let status = child.wait();
    let Ok(printed) = printed else {
        let limit = humantime::format_duration(limit);
        let text = format!("--password-command did not end within {limit}");
        return Err(Error::new(Kind::TimedOut, text));
    };
    let unreadable = |cause: io::Error| Error::local("cannot run the --password-command", &cause);
    let status = status.map_err(unreadable)?;
    if !status.success() {
        return Err(failed(&format!("failed: {status}")));
    }
    let mut line = printed.map_err(unreadable)?;
    let end = line.iter().position(|byte| *byte == b'\n');
    line.truncate(end.unwrap_or(line.len()));
    line.pop_if(|byte| *byte == b'\r');
    match line.is_empty() {
        true => Err(failed("printed no password")),
        false => Ok(Secret::new(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password() {
        for command in [
            "printf secret",
            "echo secret; echo other",
            "printf 'secret\\r\\n'",
        ] {
            assert_eq!(
                run(command, LIMIT).unwrap().reveal(),
                b"secret",
                "{command}"
            );
        }
    }

    #[test]
    fn a_failure_is_told_with_its_status_and_without_what_was_printed() {
        for (command, words, code) in [
            ("echo secret; exit 3", "failed: exit status: 3", 8),
            ("true", "printed no password", 8),
            ("kill -9 $$", "signal: 9", 8),
        ] {
            let refused = run(command, LIMIT).unwrap_err();
            assert!(refused.text().contains(words), "{refused}");
            assert!(!refused.text().contains("secret"), "{refused}");
            assert_eq!(refused.exit_code(), code);
        }
        let refused = run("exec sleep 60", Duration::from_millis(50)).unwrap_err();
        assert_eq!(refused.exit_code(), 5, "{refused}");
    }

    #[tokio::test]
    async fn it_is_run_anew_for_each_connection_after_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("count").display().to_string();
        let command = format!("echo x >> {file}; wc -l < {file}");
        let password = Arc::new(PasswordCommand::first(command).unwrap());
        let shown = || String::from_utf8(password.latest().reveal().to_vec()).unwrap();
        assert_eq!(shown().trim(), "1");
        password.renew().await.unwrap();
        assert_eq!(shown().trim(), "1", "it is still fresh");
        password.renew().await.unwrap();
        assert_eq!(shown().trim(), "2");
    }
}
