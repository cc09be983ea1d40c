//! A table that is printed again and again: in its place on a terminal, elsewhere below the one before.

use std::io;
use std::time::Duration;

use rustix::termios::tcgetwinsize;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::format::Format;
use super::stream::Output;
use super::style::{Style, lacks_screen, terminals};
use crate::board::text::cut;
use crate::error::{Error, Kind, Result};

/// Prints tables on standard output.
pub struct Tables {
    output: Output,
    interval: Option<Interval>,
    /// One is drawn over the one before.
    in_place: bool,
    /// Lines of the one before; `None`: there is none.
    printed: Option<usize>,
}

impl Tables {
    /// One each time `every` has passed, if any; `in_place` where standard output is a terminal that can do that.
    ///
    /// # Errors
    /// Standard output is closed.
    pub fn open(every: Option<Duration>, in_place: bool, style: Style) -> Result<Self> {
        let interval = every.map(|every| {
            let mut interval = interval_at(Instant::now() + every, every);
            interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
            interval
        });
        Ok(Self {
            output: Output::open(Format::Raw, style)?,
            interval,
            in_place: in_place && terminals()[1] && lacks_screen().is_none(),
            printed: None,
        })
    }

    /// Whether one is drawn over the one before.
    pub const fn is_in_place(&self) -> bool {
        self.in_place
    }

    /// Waits until it is time for the next one, and what was printed before is written. Cancel-safe.
    ///
    /// # Errors
    /// Those of standard output.
    pub async fn due(&mut self) -> Result<()> {
        if self.output.pending() > 0 {
            self.output.flush().await?;
        }
        let tick = async {
            match &mut self.interval {
                Some(interval) => drop(interval.tick().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = tick => Ok(()),
            () = self.output.reader_gone() => {
                let text = "the reader of standard output closed it";
                Err(Error::new(Kind::ReaderGone, text))
            }
        }
    }

    /// Prints one, with an empty line before it where there is one above.
    pub fn put(&mut self, lines: Vec<String>) {
        let before = self.printed.replace(lines.len());
        if self.in_place {
            return self.draw(lines, before.unwrap_or(0));
        }
        if before.is_some() {
            self.output.line("");
        }
        self.lines(&lines);
    }

    /// Prints lines that belong to no table.
    pub fn lines(&mut self, lines: &[String]) {
        lines.iter().for_each(|line| self.output.row(line));
    }

    /// Draws over the one before, which has so many lines, what fits on the terminal.
    fn draw(&mut self, mut lines: Vec<String>, before: usize) {
        let size = tcgetwinsize(io::stdout());
        let [columns, rows] = size.map_or([80, 24], |it| [it.ws_col.max(1), it.ws_row.max(3)]);
        // The cursor stands in the last row.
        let room = usize::from(rows) - 1;
        if lines.len() > room {
            let hidden = lines.len() - room + 1;
            lines.truncate(room - 1);
            lines.push(format!(
                "… and {hidden} more, for which the terminal is too small"
            ));
        }
        self.printed = Some(lines.len());
        self.output.clear_above(before.min(room));
        for line in &lines {
            self.output.row(&cut(line, columns.into()));
        }
    }

    /// Writes what waits. Cancel-safe.
    ///
    /// # Errors
    /// Those of standard output.
    pub async fn flush(&mut self) -> Result<()> {
        self.output.flush().await
    }
}
