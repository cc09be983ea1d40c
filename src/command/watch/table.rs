//! The board as lines on standard output.

use std::time::{Duration, Instant};

use tokio::time::{Instant as Clock, Interval, MissedTickBehavior, interval_at};

use super::Shared;
use crate::error::{Error, Kind, Result};
use crate::output::{Format, Output, Style};

/// How often a table is printed where nothing else was asked for.
pub(super) const EVERY: Duration = Duration::from_secs(10);

/// Prints tables, or snapshots as JSON.
pub(super) struct Tables {
    output: Output,
    json: bool,
    interval: Option<Interval>,
    /// Whether a line was printed before.
    begun: bool,
}

impl Tables {
    /// One each time `every` has passed, if any.
    ///
    /// # Errors
    /// Standard output is closed.
    pub(super) fn open(json: bool, every: Option<Duration>, style: Style) -> Result<Self> {
        let interval = every.map(|every| {
            let mut interval = interval_at(Clock::now() + every, every);
            interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
            interval
        });
        Ok(Self {
            output: Output::open(Format::Raw, style)?,
            json,
            interval,
            begun: false,
        })
    }

    /// Prints when it is time to. Cancel-safe.
    ///
    /// # Errors
    /// Those of standard output.
    pub(super) async fn next(&mut self, board: &Shared) -> Result<()> {
        if self.output.pending() > 0 {
            return self.output.flush().await;
        }
        let tick = async {
            match &mut self.interval {
                Some(interval) => drop(interval.tick().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = tick => {}
            () = self.output.reader_gone() => {
                let text = "the reader of standard output closed it";
                return Err(Error::new(Kind::ReaderGone, text));
            }
        }
        self.put(board);
        self.output.flush().await
    }

    /// Prints how it stands in the end, if that is wanted.
    ///
    /// # Errors
    /// Those of standard output.
    pub(super) async fn close(&mut self, board: &Shared, wanted: bool) -> Result<()> {
        if wanted {
            self.put(board);
        }
        self.output.flush().await
    }

    fn put(&mut self, board: &Shared) {
        let (board, now) = (board.lock(), Instant::now());
        if self.json {
            let snapshot = board.snapshot(usize::MAX, now);
            self.output.line(&snapshot.to_string());
            return;
        }
        if std::mem::replace(&mut self.begun, true) {
            self.output.line("");
        }
        for line in board.table(now) {
            self.output.line(&line);
        }
    }
}
