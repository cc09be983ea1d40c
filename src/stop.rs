//! How a command is asked to end: once means cleanly, twice means now.

use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{Error, Kind, Result};

/// The two signals that ask a command to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// SIGINT, as Ctrl-C sends it.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Asked {
    /// The failure kind, and with it the exit code, of a command that was cut short by this signal.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Interrupt => Kind::Interrupted,
            Self::Terminate => Kind::Terminated,
        }
    }
}

/// Watches for SIGINT and SIGTERM.
///
/// The first signal is handed to whoever waits on [`Stop::asked`], and the command closes cleanly.
/// The second ends the process at once with the same exit code.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
    first: Option<Asked>,
}

impl Stop {
    /// Starts watching; must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Kind::Local`] when the process cannot install signal handlers.
    pub fn watch() -> Result<Self> {
        let install =
            |kind| signal(kind).map_err(|cause| Error::local("cannot watch for signals", &cause));
        Ok(Self {
            interrupt: install(SignalKind::interrupt())?,
            terminate: install(SignalKind::terminate())?,
            first: None,
        })
    }

    /// Waits for the next signal. The first one returns; a later one ends the process.
    ///
    /// Cancel-safe: a signal that arrives while nobody waits is handed out by the next call.
    pub async fn asked(&mut self) -> Asked {
        let asked = tokio::select! {
            _ = self.interrupt.recv() => Asked::Interrupt,
            _ = self.terminate.recv() => Asked::Terminate,
        };
        if let Some(first) = self.first.replace(asked) {
            leave_now(first);
        }
        asked
    }

    /// Runs `work` unless a signal comes first.
    ///
    /// # Errors
    /// Those of `work`; `words`, of the kind of the signal.
    pub async fn unless_asked<T>(
        &mut self,
        words: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        tokio::select! {
            biased;
            asked = self.asked() => Err(Error::new(asked.kind(), words)),
            done = work => done,
        }
    }

    /// Runs `closing` (flushing, DISCONNECT, draining) to its end unless a second signal comes,
    /// which ends the process at once.
    pub async fn unless_again<T>(&mut self, closing: impl Future<Output = T>) -> T {
        tokio::pin!(closing);
        loop {
            tokio::select! {
                done = &mut closing => return done,
                // After the first signal `asked` does not return; before it, a first one merely counts.
                _ = self.asked() => {}
            }
        }
    }
}

/// Watches for SIGHUP, which asks a server to read its files again.
pub struct Hangup {
    signal: Signal,
}

impl Hangup {
    /// Starts watching; must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Kind::Local`] when the process cannot install signal handlers.
    pub fn watch() -> Result<Self> {
        let signal = signal(SignalKind::hangup())
            .map_err(|cause| Error::local("cannot watch for signals", &cause))?;
        Ok(Self { signal })
    }

    /// Waits for the next SIGHUP. Cancel-safe.
    pub async fn heard(&mut self) {
        self.signal.recv().await;
    }
}

#[expect(clippy::exit, reason = "a second signal ends the command at once")]
fn leave_now(asked: Asked) -> ! {
    process::exit(i32::from(asked.kind().exit_code()))
}
