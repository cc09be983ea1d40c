//! The terminal as the screen needs it, and as it was before: given back on every way out.

use std::io::{self, Write, stdout};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui_crossterm::crossterm::cursor::Show;
use ratatui_crossterm::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui_crossterm::crossterm::execute;
use ratatui_crossterm::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use rustix::event::{PollFd, PollFlags, poll};

use crate::error::{Error, Result};
use crate::stop;

/// Whether the terminal is ours.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whoever ends the program gives it back first.
static HOOKS: Once = Once::new();

/// Has the terminal until it is dropped.
pub(super) struct Guard(());

impl Guard {
    /// Takes the terminal.
    ///
    /// # Errors
    /// [`crate::error::Kind::Local`]: it is none.
    pub(super) fn take() -> Result<Self> {
        HOOKS.call_once(|| {
            // A panic aborts the program: nothing is dropped then.
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
            }));
            stop::before_death(give_back);
        });
        let guard = Self(());
        guard.again()?;
        Ok(guard)
    }

    /// Takes it again after it was given back.
    ///
    /// # Errors
    /// As [`Guard::take`].
    pub(super) fn again(&self) -> Result<()> {
        let failed = |cause: io::Error| Error::local("cannot use the terminal", &cause);
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode().map_err(failed)?;
        // What is pasted comes as such: as keys it could do anything.
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste).map_err(failed)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

/// The terminal is again what it was; done once only.
pub(super) fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // There is nobody to tell.
        let _ = execute!(stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
        let _ = stdout().flush();
    }
}

/// Whether something can be written without waiting for who reads it.
pub(super) fn is_ready() -> bool {
    let out = stdout();
    let mut asked = [PollFd::new(&out, PollFlags::OUT)];
    let now = rustix::time::Timespec::default();
    // What cannot be asked is tried.
    poll(&mut asked, Some(&now)).is_ok_and(|count| count > 0)
}
