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
        Ok((Self { output, times }, cut))
    }
}

impl Store for Files {
    fn put(&mut self, _number: u64, mut message: Message) -> Result<()> {
        // A file is as old as its messages have been here, whatever they say.
        let arrived = message.time;
        self.times.set(&mut message);
        self.output.message_into_file(&message, arrived)
    }

    fn commit(&mut self, _refused: &mut Vec<Refusal>) -> Result<()> {
        self.output.sync()
    }

    fn missing(&self) -> Vec<(String, u64)> {
        let mut missing = self.output.missing();
        missing.extend(self.times.missing());
        missing
    }
}
