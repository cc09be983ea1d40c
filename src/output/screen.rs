//! The terminal behind standard error, for a bar that is drawn in place: whole pictures go the way of all lines there, so
//! that a terminal that is stopped (Ctrl-S), or that nobody reads, holds nobody up.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::TermLike;
use rustix::termios::tcgetwinsize;

use super::stderr;

/// Clones are the same screen.
#[derive(Clone, Debug, Default)]
pub(super) struct Screen(Arc<Picture>);

#[derive(Debug, Default)]
struct Picture {
    drawn: Mutex<String>,
    /// The next pictures must come, as the cursor's place depends on them.
    kept: AtomicBool,
}

impl Screen {
    /// Draws what must come, as the bar makes room for a line or goes away.
    pub(super) fn keep<T>(&self, draw: impl FnOnce() -> T) -> T {
        self.0.kept.store(true, Ordering::Relaxed);
        let drawn = draw();
        self.0.kept.store(false, Ordering::Relaxed);
        drawn
    }

    fn drawn(&self) -> MutexGuard<'_, String> {
        // What it holds is whole at any time.
        self.0.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `count` times what moves the cursor by one, as terminals have understood it since the VT100.
    fn go(&self, count: usize, letter: char) -> io::Result<()> {
        if count > 0 {
            self.drawn().push_str(&format!("\x1b[{count}{letter}"));
        }
        Ok(())
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        let size = tcgetwinsize(io::stderr());
        size.map_or(0, |it| it.ws_col).max(20)
    }

    fn height(&self) -> u16 {
        let size = tcgetwinsize(io::stderr());
        size.map_or(0, |it| it.ws_row).max(2)
    }

    fn move_cursor_up(&self, count: usize) -> io::Result<()> {
        self.go(count, 'A')
    }

    fn move_cursor_down(&self, count: usize) -> io::Result<()> {
        self.go(count, 'B')
    }

    fn move_cursor_right(&self, count: usize) -> io::Result<()> {
        self.go(count, 'C')
    }

    fn move_cursor_left(&self, count: usize) -> io::Result<()> {
        self.go(count, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        let mut drawn = self.drawn();
        drawn.push_str(text);
        drawn.push('\n');
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.drawn().push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.write_str("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        let picture = std::mem::take(&mut *self.drawn());
        match self.0.kept.load(Ordering::Relaxed) {
            true => stderr::say(picture.as_bytes()),
            false => stderr::draw(picture.as_bytes()),
        }
        Ok(())
    }
}
