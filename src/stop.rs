//! How a command is asked to end: once means cleanly, twice means now.
//!
//! A command that was asked to end dies by that signal, once it has cleaned up: a shell ends its loop at Ctrl-C only then, and
//! systemd and others see that the end was the one they asked for.

use std::collections::BTreeSet;
use std::future::pending;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep_until;

use crate::error::{Error, Kind, Result};

/// How long what is under way may take to end after the first signal.
pub(crate) const DRAIN: Duration = Duration::from_millis(3000);

/// How long the connection may take to close after that. Whoever waits four seconds before a harder signal gets a clean end.
const CLOSING: Duration = Duration::from_millis(800);

/// The signals that ask a command to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// SIGINT, as Ctrl-C sends it.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP, of a command that has nothing to read or to open again, or whose terminal was closed.
    HangUp,
}

impl Asked {
    /// The failure kind, and with it the exit code, of a command that was cut short by this signal.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Interrupt => Kind::Interrupted,
            Self::Terminate => Kind::Terminated,
            Self::HangUp => Kind::HungUp,
        }
    }

    /// The signal that a failure of this kind was asked for by.
    pub const fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Interrupted => Some(Self::Interrupt),
            Kind::Terminated => Some(Self::Terminate),
            Kind::HungUp => Some(Self::HangUp),
            _ => None,
        }
    }

    /// Ends the process by this signal, as if it had never been caught; by the exit code where a signal cannot end it, as in
    /// the first process of a container. The commands that it runs end with it.
    pub fn die(self) -> ! {
        if let Some(last) = LAST.get() {
            last();
        }
        groups().iter().for_each(|leader| by_default::kill(*leader));
        by_default::end(match self {
            Self::Interrupt => libc::SIGINT,
            Self::Terminate => libc::SIGTERM,
            Self::HangUp => libc::SIGHUP,
        });
        process::exit(i32::from(self.kind().exit_code()))
    }
}

/// What is done before the process dies.
static LAST: OnceLock<fn()> = OnceLock::new();

#[cfg_attr(
    not(feature = "tui"),
    expect(dead_code, reason = "only the screen changes the terminal")
)]
/// Has this done before the process dies by a signal; the first one counts.
pub(crate) fn before_death(last: fn()) {
    LAST.get_or_init(|| last);
}

#[expect(
    unsafe_code,
    reason = "the only way to restore the default action of a signal, and to signal a group"
)]
mod by_default {
    /// Lets `signal` do what it does to a process that does not catch it.
    pub(super) fn end(signal: i32) {
        // SAFETY: both calls take plain numbers. The handler that is replaced is tokio's, and nobody waits for it any more.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        }
    }

    /// Whether `signal` was ignored by who started us, and still is.
    pub(super) fn is_ignored(signal: i32) -> bool {
        let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: only asks; the place to answer is ours, and every bit pattern of it is a value of the type.
        unsafe {
            libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
                && action.assume_init().sa_sigaction == libc::SIG_IGN
        }
    }

    extern "C" fn nothing(_: i32) {}

    /// Does nothing upon `signal`; commands that are run get the default action again, unlike for what is ignored.
    pub(super) fn outlive(signal: i32) {
        // SAFETY: the handler does nothing, which is safe at any moment.
        unsafe {
            libc::signal(signal, nothing as extern "C" fn(i32) as libc::sighandler_t);
        }
    }

    /// Kills a process group by the identifier of its leader.
    pub(super) fn kill(leader: i32) {
        // SAFETY: plain numbers. The leader is a child of ours that nobody has waited for, so that the group is still its own.
        unsafe {
            libc::kill(-leader, libc::SIGKILL);
        }
    }
}

/// A file that may not grow any more (`ulimit -f`) is an error of the write, and ends nobody by a signal.
pub(crate) fn outlive_file_limits() {
    by_default::outlive(libc::SIGXFSZ);
}

/// The groups of the commands that run, by their leaders.
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn groups() -> MutexGuard<'static, BTreeSet<i32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A child process that leads a process group of its own, and what it has started. They are killed when this is dropped, and
/// when a signal ends our own process at once.
pub(crate) struct Group(i32);

impl Group {
    /// Of the child with this identifier.
    pub(crate) fn led_by(child: u32) -> Self {
        let leader = child.cast_signed();
        groups().insert(leader);
        Self(leader)
    }

    /// The child has ended by itself: what it has left behind goes on.
    pub(crate) fn ended(self) {
        groups().remove(&self.0);
        std::mem::forget(self);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        groups().remove(&self.0);
        by_default::kill(self.0);
    }
}

/// Watches for SIGINT, SIGTERM and SIGHUP.
///
/// The first signal is handed to the task that waits on [`Stop::asked`], and the command closes cleanly.
/// The second ends the process at once with the same exit code, unless it is SIGHUP: at the end of a terminal it comes twice.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
    /// Unless it is ignored, as `nohup` has it, or somebody else listens to it.
    hangup: Option<Signal>,
    /// What SIGHUP does, and whether the command goes on then; otherwise it ends.
    at_hangup: Option<Box<dyn FnMut() -> bool + Send>>,
    first: Option<(Asked, Instant)>,
    /// How long what is under way may take after the first.
    drain: Duration,
}

impl Stop {
    /// Starts watching; must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Kind::Local`] when the process cannot install signal handlers.
    pub fn watch() -> Result<Self> {
        let install =
            |kind| signal(kind).map_err(|cause| Error::local("cannot watch for signals", &cause));
        let hangup = match by_default::is_ignored(libc::SIGHUP) {
            true => None,
            false => Some(install(SignalKind::hangup())?),
        };
        Ok(Self {
            interrupt: install(SignalKind::interrupt())?,
            terminate: install(SignalKind::terminate())?,
            hangup,
            at_hangup: None,
            first: None,
            drain: DRAIN,
        })
    }

    /// Lets what is under way take so long to end after the first signal, instead of [`DRAIN`].
    pub(crate) const fn allow(&mut self, drain: Duration) {
        self.drain = drain;
    }

    /// Has SIGHUP do this instead of ending the command, as long as it returns `true`; also where it was ignored so far.
    ///
    /// # Errors
    /// As [`Stop::watch`].
    pub(crate) fn at_hangup(
        &mut self,
        goes_on: impl FnMut() -> bool + Send + 'static,
    ) -> Result<()> {
        self.hangup = Some(Hangup::watch()?.signal);
        self.at_hangup = Some(Box::new(goes_on));
        Ok(())
    }

    /// Leaves SIGHUP to a [`Hangup`].
    pub(crate) fn leave_hangups(&mut self) {
        self.hangup = None;
    }

    /// Waits for the next signal. The first one returns; a later one ends the process.
    ///
    /// Cancel-safe: a signal that arrives while nobody waits is handed out by the next call.
    pub async fn asked(&mut self) -> Asked {
        loop {
            let asked = tokio::select! {
                _ = self.interrupt.recv() => Asked::Interrupt,
                _ = self.terminate.recv() => Asked::Terminate,
                () = heard(&mut self.hangup) => Asked::HangUp,
            };
            if asked == Asked::HangUp {
                let goes_on = self.at_hangup.as_mut().is_some_and(|act| act());
                if goes_on || self.first.is_some() {
                    continue;
                }
            }
            if let Some((first, _)) = self.first.replace((asked, Instant::now())) {
                first.die();
            }
            return asked;
        }
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

    /// Runs `closing` (flushing, DISCONNECT, draining) to its end unless a second signal comes, which ends the process at once,
    /// as does the time after a first one.
    pub async fn unless_again<T>(&mut self, closing: impl Future<Output = T>) -> T {
        match self.close(closing).await {
            Ok(done) => done,
            Err(asked) => asked.die(),
        }
    }

    /// The same for what can be given up in time.
    ///
    /// # Errors
    /// The signal whose time is over.
    pub async fn close<T>(&mut self, closing: impl Future<Output = T>) -> Result<T, Asked> {
        tokio::pin!(closing);
        loop {
            let limit = self.drain + CLOSING;
            let end = self.first.map(|(asked, when)| (asked, when + limit));
            let alarm = end.map_or_else(Instant::now, |(_, end)| end);
            tokio::select! {
                done = &mut closing => return Ok(done),
                // After the first signal `asked` does not return; before it, a first one merely counts.
                _ = self.asked() => {}
                () = sleep_until(alarm.into()), if end.is_some() => {
                    if let Some((asked, _)) = end {
                        return Err(asked);
                    }
                }
            }
        }
    }
}

/// Waits for a signal that is watched for, if it is. Cancel-safe.
async fn heard(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => pending().await,
    }
}

/// How often output files were asked to be opened again.
static REOPENINGS: AtomicU64 = AtomicU64::new(0);

/// Files that are written to may have been renamed: each is opened again before the next message.
pub(crate) fn reopen_files() {
    REOPENINGS.fetch_add(1, Ordering::Relaxed);
}

/// How often [`reopen_files`] was called.
pub(crate) fn reopenings() -> u64 {
    REOPENINGS.load(Ordering::Relaxed)
}

/// Watches for SIGHUP, which asks a server to read its files again.
pub(crate) struct Hangup {
    signal: Signal,
}

impl Hangup {
    /// Starts watching; must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Kind::Local`] when the process cannot install signal handlers.
    pub(crate) fn watch() -> Result<Self> {
        let signal = signal(SignalKind::hangup())
            .map_err(|cause| Error::local("cannot watch for signals", &cause))?;
        Ok(Self { signal })
    }

    /// Waits for the next SIGHUP. Cancel-safe.
    pub(crate) async fn heard(&mut self) {
        self.signal.recv().await;
    }
}
