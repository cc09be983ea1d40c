//! A password that a command prints, at each connection anew: tokens have an end.

use std::io::{self, IsTerminal};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::error::{Error, Kind, Result};
use crate::stop::Group;

use super::environment::SECRET_VARIABLES;
use super::secret::Secret;

/// The longest line that is read of what it prints.
const LARGEST: u64 = 64 * 1024;

/// The command, and what it printed last.
pub(crate) struct PasswordCommand {
    command: String,
    latest: Mutex<Option<Secret>>,
}

impl PasswordCommand {
    /// It has not been run yet.
    pub(super) const fn new(command: String) -> Self {
        Self {
            command,
            latest: Mutex::new(None),
        }
    }

    /// What it printed last; nothing before [`PasswordCommand::renew`].
    pub(super) fn latest(&self) -> Option<Secret> {
        // Nobody panics while it is locked.
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.clone()
    }

    /// Runs the command, for no longer than `limit`. It is killed, with all that it has started, when this is dropped.
    ///
    /// # Errors
    /// [`Kind::Local`] when it fails or prints nothing, [`Kind::TimedOut`].
    pub(super) async fn renew(&self, limit: Duration) -> Result<()> {
        let renewed = run(&self.command, limit).await?;
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(renewed);
        Ok(())
    }
}

/// The first line of what the command prints.
async fn run(command: &str, limit: Duration) -> Result<Secret> {
    let failed = |what: &str| Error::new(Kind::Local, format!("--password-command {what}"));
    let unusable = |cause: io::Error| Error::local("cannot run the --password-command", &cause);
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).kill_on_drop(true);
    shell.stdin(Stdio::null()).stdout(Stdio::piped());
    for name in SECRET_VARIABLES {
        shell.env_remove(name);
    }
    // At a terminal it may ask its user something, which is allowed only to the group in front; Ctrl-C reaches all of that.
    if !io::stdin().is_terminal() {
        shell.process_group(0);
    }
    let mut child = shell.spawn().map_err(unusable)?;
    let group = child.id().map(Group::led_by);
    let Some(output) = child.stdout.take() else {
        return Err(failed("has no output"));
    };
    let mut line = Vec::new();
    let ended = async {
        let mut output = BufReader::new(output);
        let mut first = (&mut output).take(LARGEST);
        first.read_until(b'\n', &mut line).await?;
        // The rest is read so that the command can end. Who holds the pipe after that is not waited for.
        let mut rest = tokio::io::sink();
        tokio::select! {
            status = child.wait() => status,
            Err(cause) = tokio::io::copy(&mut output, &mut rest) => Err(cause),
        }
    };
    let Ok(status) = timeout(limit, ended).await else {
        let limit = humantime::format_duration(limit);
        let text = format!("--password-command did not end within {limit}");
        return Err(Error::new(Kind::TimedOut, text).hint("--connect-timeout allows more"));
    };
    let status = status.map_err(unusable)?;
    if let Some(group) = group {
        group.ended();
    }
    if !status.success() {
        return Err(failed(&format!("failed: {status}")));
    }
    line.pop_if(|byte| *byte == b'\n');
    line.pop_if(|byte| *byte == b'\r');
    match line.is_empty() {
        true => Err(failed("printed no password")),
        false => Ok(Secret::new(line)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn the_first_line_is_the_password() {
        for command in [
            "printf secret",
            "echo secret; echo other",
            "printf 'secret\\r\\n'",
            "echo secret; head -c 300000 /dev/zero",
            // What is left behind holds the pipe, and is not waited for.
            "echo secret; sleep 5 &",
        ] {
            let password = run(command, LIMIT).await.unwrap();
            assert_eq!(password.reveal(), b"secret", "{command}");
        }
    }

    #[tokio::test]
    async fn a_failure_is_told_with_its_status_and_without_what_was_printed() {
        for (command, words, code) in [
            ("echo secret; exit 3", "failed: exit status: 3", 8),
            ("true", "printed no password", 8),
            ("kill -9 $$", "signal: 9", 8),
        ] {
            let refused = run(command, LIMIT).await.unwrap_err();
            assert!(refused.text().contains(words), "{refused}");
            assert!(!refused.text().contains("secret"), "{refused}");
            assert_eq!(refused.exit_code(), code);
        }
    }

    #[tokio::test]
    async fn what_it_has_started_ends_with_it_when_the_time_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("id");
        // The time begins once its own child runs.
        let command = format!("sleep 60 & echo $! > {0}; wait", file.display());
        let began = Instant::now();
        let refused = run(&command, Duration::from_millis(500)).await.unwrap_err();
        assert_eq!(refused.exit_code(), 5, "{refused}");
        assert!(began.elapsed() < LIMIT);
        // Where tests run from a terminal, the group is the terminal's own.
        if io::stdin().is_terminal() {
            return;
        }
        let id = std::fs::read_to_string(file).unwrap();
        let status = format!("/proc/{}/stat", id.trim());
        let gone = || std::fs::read_to_string(&status).map_or(true, |it| it.contains(") Z "));
        while !gone() {
            assert!(began.elapsed() < LIMIT, "{} goes on", id.trim());
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn it_is_run_anew_for_each_connection() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("count").display().to_string();
        let password = PasswordCommand::new(format!("echo x >> {file}; wc -l < {file}"));
        assert!(password.latest().is_none());
        for count in ["1", "2"] {
            password.renew(LIMIT).await.unwrap();
            let shown = password.latest().unwrap().reveal().to_vec();
            assert_eq!(String::from_utf8(shown).unwrap().trim(), count);
        }
    }
}
