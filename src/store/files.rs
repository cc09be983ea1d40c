//! Files of records or rows, which grow and are put aside when they are full.

use std::path::Path;

use super::{Refusal, Store, Times};
use crate::error::Result;
use crate::message::Message;
use crate::output::{Format, Output, Rotation};

/// A file, and its predecessors.
pub struct Files {
    output: Output,
    times: Times,
    /// The numbers of messages that nothing was written of.
    empty: Vec<u64>,
}

impl Files {
    /// Opens a file, or makes it; what a killed process has not finished is cut off, and how many bytes that were is told.
    ///
    /// # Errors
    /// [`Kind::Local`](crate::error::Kind::Local) that names a file which cannot be used, [`Kind::Usage`](crate::error::Kind::Usage)
    /// for one of other columns.
    pub fn open(
        path: &Path,
        rotation: Rotation,
        format: Format,
        times: Times,
    ) -> Result<(Self, u64)> {
        let output = Output::durable(path, rotation, format)?;
        let cut = output.cut();
        let files = Self {
            output,
            times,
            empty: Vec::new(),
        };
        Ok((files, cut))
    }
}

impl Store for Files {
    fn put(&mut self, number: u64, mut message: Message) -> Result<()> {
        // A file is as old as its messages have been here, whatever they say.
        let arrived = message.time;
        self.times.set(&mut message);
        if !self.output.message_into_file(&message, arrived)? {
            self.empty.push(number);
        }
        Ok(())
    }

    fn commit(&mut self, _refused: &mut Vec<Refusal>) -> Result<()> {
        self.output.sync()
    }

    fn empty(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.empty)
    }

    fn missing(&self) -> Vec<(String, u64)> {
        let mut missing = self.output.missing();
        missing.extend(self.times.missing());
        missing
    }
}
