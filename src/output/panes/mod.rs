//! The screen of `watch`: panes on the whole terminal. It draws only when something has changed, four times a second at most.
//!
//! | part | what it is for |
//! |---|---|
//! | `guard` | the terminal, which is given back on every way out |
//! | `state` | what is looked at, and what keys do; pure |
//! | `asking` | what is asked of the user, and what the answers do; pure |
//! | `rows`, `devices` | which topics and devices are shown, in which order; pure |
//! | `draw`, `bars`, `detail` | what it looks like |

mod asking;
mod bars;
mod detail;
mod devices;
mod draw;
mod guard;
mod keys;
mod rows;
mod state;

#[cfg(test)]
mod tests;

use std::io::{BufWriter, Stdout, stdout};
use std::time::{Duration, Instant};

use ratatui_core::terminal::Terminal;
use ratatui_crossterm::CrosstermBackend;
use ratatui_crossterm::crossterm::event::{self, Event};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use self::guard::Guard;
use self::state::State;
use super::action::{Action, Takes};
use super::style::Style;
use crate::board::Board;
use crate::error::{Error, Kind, Result};

/// News are shown this often at most.
const PAUSE: Duration = Duration::from_millis(250);

/// Ages are shown anew this often.
const AGEING: Duration = Duration::from_secs(1);

/// Keys that wait to be looked at.
const KEYS: usize = 256;

/// The screen, until it is dropped.
pub struct Panes {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    guard: Guard,
    events: mpsc::Receiver<Event>,
    state: State,
    /// Those that came and were not looked at.
    waiting: Vec<Event>,
    /// What the board was when it was drawn last, and when that was.
    drawn: Option<(u64, Instant)>,
    /// Something was done that shows.
    dirty: bool,
}

impl Panes {
    /// Takes the terminal; `takes`: what can be sent to where messages come from.
    ///
    /// # Errors
    /// [`Kind::Local`]: it is none, or cannot be used.
    pub fn open(style: Style, takes: Takes, now: Instant) -> Result<Self> {
        let guard = Guard::take()?;
        let failed = |cause| Error::local("cannot use the terminal", &cause);
        let backend = CrosstermBackend::new(BufWriter::with_capacity(1 << 16, stdout()));
        let terminal = Terminal::new(backend).map_err(failed)?;
        let (sender, events) = mpsc::channel(KEYS);
        // It waits for keys until the program ends.
        std::thread::spawn(move || {
            while let Ok(event) = event::read() {
                if sender.blocking_send(event).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            terminal,
            guard,
            events,
            state: State::new(style.color.colors(true), takes, now),
            waiting: Vec::new(),
            drawn: None,
            dirty: true,
        })
    }

    /// Waits for a key, or until there is something to draw of a board that has `changed` so. Cancel-safe.
    pub async fn wait(&mut self, changed: u64) {
        let due = self.due(changed);
        if !self.waiting.is_empty() || due.is_none() {
            return;
        }
        let due = due.unwrap_or_else(Instant::now);
        tokio::select! {
            biased;
            Some(event) = self.events.recv() => self.waiting.push(event),
            () = sleep_until(due.into()) => {}
        }
    }

    /// When it is to be drawn; `None`: at once.
    fn due(&self, changed: u64) -> Option<Instant> {
        let (seen, when) = self.drawn?;
        if self.dirty {
            return None;
        }
        let has_news = seen != changed && !self.state.is_paused();
        Some(when + if has_news { PAUSE } else { AGEING })
    }

    /// Does what keys ask for, and draws if it is time to.
    ///
    /// # Errors
    /// [`Kind::Local`]: the terminal is gone.
    pub fn act(&mut self, board: &mut Board, now: Instant) -> Result<Vec<Action>> {
        while let Ok(event) = self.events.try_recv() {
            self.waiting.push(event);
        }
        let mut actions = Vec::new();
        for event in std::mem::take(&mut self.waiting) {
            self.dirty = true;
            match event {
                Event::Key(key) if key.is_press() && keys::is_suspend(&key) => self.suspend()?,
                Event::Key(key) if key.is_press() => {
                    actions.extend(self.state.key(key, board, now))
                }
                Event::Paste(text) => self.state.paste(&text),
                _ => {}
            }
        }
        let due = self.due(board.changed());
        if due.is_none_or(|due| due <= now) {
            self.draw(board, now)?;
        }
        Ok(actions)
    }

    fn draw(&mut self, board: &Board, now: Instant) -> Result<()> {
        // A terminal that nobody reads holds nobody up.
        if !guard::is_ready() {
            self.drawn = Some((u64::MAX, now));
            self.dirty = false;
            return Ok(());
        }
        let state = &mut self.state;
        let drawn = self
            .terminal
            .draw(|frame| draw::all(frame, state, board, now));
        drawn.map_err(|cause| match cause.kind() {
            std::io::ErrorKind::BrokenPipe => Error::new(Kind::ReaderGone, "the terminal is gone"),
            _ => Error::local("cannot draw", &cause),
        })?;
        self.drawn = Some((board.changed(), now));
        self.dirty = false;
        Ok(())
    }

    /// Gives the terminal back and stops, as Ctrl-Z asks for; goes on when told to.
    fn suspend(&mut self) -> Result<()> {
        guard::give_back();
        // All of a pipe, as the terminal itself would do it; without job control nothing happens.
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
        self.guard.again()?;
        // The screen is empty again. (`Terminal::clear` would ask the terminal where its cursor is, and the answer would be read
        // as keys.)
        self.terminal.swap_buffers();
        self.dirty = true;
        Ok(())
    }

    /// Shows what became of something.
    pub fn say(&mut self, words: String) {
        self.state.say(words);
        self.dirty = true;
    }

    /// Asks whether these retained messages are to be removed, which were counted for it.
    pub fn ask_to_clear(&mut self, path: &str, topics: Vec<String>) {
        self.state.ask_to_clear(path, topics);
        self.dirty = true;
    }

    /// Asks whether to quit although something is under way.
    pub fn ask_to_leave(&mut self, words: String) {
        self.state.ask_to_leave(words);
        self.dirty = true;
    }

    /// Shows how many messages were recorded; `None`: none are.
    pub fn recorded(&mut self, count: Option<u64>) {
        self.state.recorded = count;
    }
}
