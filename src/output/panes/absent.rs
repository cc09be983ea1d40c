//! Stands for the screen where the program was built without it.

use crate::board::Board;
use crate::error::{Error, Result};
use crate::output::Style;

use super::action::{Action, Takes};

/// There is none.
pub enum Panes {}

impl Panes {
    /// Refuses.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage), with the build that has it.
    pub fn open(_style: Style, _takes: Takes, _now: std::time::Instant) -> Result<Self> {
        Err(
            Error::usage("this iotctl was built without the screen of watch")
                .hint("use --output text, or build one with cargo build --release --features tui"),
        )
    }

    /// Never.
    pub async fn wait(&mut self, _changed: u64) {
        match *self {}
    }

    /// Never.
    ///
    /// # Errors
    /// None.
    pub fn act(&mut self, _board: &mut Board, _now: std::time::Instant) -> Result<Vec<Action>> {
        match *self {}
    }

    /// Never.
    pub fn say(&mut self, _words: String) {
        match *self {}
    }

    /// Never.
    pub fn ask_to_clear(&mut self, _path: &str, _topics: Vec<String>) {
        match *self {}
    }

    /// Never.
    pub fn ask_to_leave(&mut self, _words: String) {
        match *self {}
    }

    /// Never.
    pub fn recorded(&mut self, _count: Option<u64>) {
        match *self {}
    }
}
