//! Stands for the database where the program was built without it.

use super::table::Table;
use super::{Refusal, Store, Times};
use crate::error::{Error, Result};
use crate::message::Message;

/// There is none.
pub enum Sqlite {}

impl Sqlite {
    /// Refuses.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage), with the build that has it.
    pub fn open(_table: Table, _times: Times) -> Result<Self> {
        Err(Error::usage("this iotctl was built without SQLite")
            .hint("build one with cargo build --release --features sqlite"))
    }
}

impl Store for Sqlite {
    fn put(&mut self, _number: u64, _message: Message) -> Result<()> {
        match *self {}
    }

    fn commit(&mut self, _refused: &mut Vec<Refusal>) -> Result<()> {
        match *self {}
    }

    fn missing(&self) -> Vec<(String, u64)> {
        match *self {}
    }
}
