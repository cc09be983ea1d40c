//! The board as lines on standard output.

use std::time::{Duration, Instant};

use super::Shared;
use crate::error::Result;
use crate::output::{self, Style};

/// How often a table is printed where nothing else was asked for.
pub(super) const EVERY: Duration = Duration::from_secs(10);

/// Prints tables, or snapshots as JSON.
pub(super) struct Tables {
    tables: output::Tables,
    json: bool,
}

impl Tables {
    /// One each time `every` has passed, if any.
    ///
    /// # Errors
    /// Standard output is closed.
    pub(super) fn open(json: bool, every: Option<Duration>, style: Style) -> Result<Self> {
        Ok(Self {
            tables: output::Tables::open(every, false, style)?,
            json,
        })
    }

    /// Prints when it is time to. Cancel-safe.
    ///
    /// # Errors
    /// Those of standard output.
    pub(super) async fn next(&mut self, board: &Shared) -> Result<()> {
        self.tables.due().await?;
        self.put(board);
        self.tables.flush().await
    }

    /// Prints how it stands in the end, if that is wanted.
    ///
    /// # Errors
    /// Those of standard output.
    pub(super) async fn close(&mut self, board: &Shared, wanted: bool) -> Result<()> {
        if wanted {
            self.put(board);
        }
        self.tables.flush().await
    }

    fn put(&mut self, board: &Shared) {
        let (board, now) = (board.lock(), Instant::now());
        match self.json {
            true => {
                let snapshot = board.snapshot(usize::MAX, now);
                self.tables.lines(&[snapshot.to_string()]);
            }
            false => self.tables.put(board.table(now)),
        }
    }
}
