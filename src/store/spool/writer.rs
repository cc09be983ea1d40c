//! Lines on their way to the disk.

use std::sync::Arc;

use super::disk::Disk;
use super::{Segments, name, unwritten};
use crate::error::Result;
use crate::message::Message;
use crate::store::{Refusal, Store};

/// So much is written at once.
const BUFFER: usize = 1 << 20;

/// Appends lines to the newest segment, and begins another when that is full. Messages are lines: see [`super::line`].
pub(crate) struct Writer<D> {
    disk: D,
    segments: Arc<Segments>,
    /// No segment gets longer.
    longest: u64,
    segment: u64,
    /// How much of it is written, or will be.
    length: u64,
    /// Whether its name is on the disk.
    named: bool,
    buffer: Vec<u8>,
}

impl<D: Disk> Writer<D> {
    pub(super) fn new(
        disk: D,
        segments: Arc<Segments>,
        longest: u64,
        segment: u64,
        length: u64,
    ) -> Self {
        Self {
            disk,
            segments,
            longest,
            segment,
            length,
            named: false,
            buffer: Vec::new(),
        }
    }

    fn write(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let name = name(self.segment);
        let written = self.disk.append(&name, &self.buffer);
        written.map_err(|cause| unwritten(&self.disk, &name, &cause))?;
        self.buffer.clear();
        Ok(())
    }

    /// All that was taken is on the disk.
    fn sync(&mut self) -> Result<()> {
        self.write()?;
        let known = self.segments.lock().get(&self.segment).copied();
        if known.unwrap_or_default() == self.length {
            return Ok(());
        }
        let name = name(self.segment);
        let mut synced = self.disk.sync(&name);
        if !self.named {
            synced = synced.and_then(|()| self.disk.sync_names());
            self.named = true;
        }
        synced.map_err(|cause| unwritten(&self.disk, &name, &cause))?;
        self.segments.lock().insert(self.segment, self.length);
        Ok(())
    }
}

impl<D: Disk> Store for Writer<D> {
    fn put(&mut self, _number: u64, message: Message) -> Result<()> {
        let line = message.payload;
        if self.length > 0 && self.length + line.len() as u64 > self.longest {
            self.sync()?;
            (self.segment, self.length, self.named) = (self.segment + 1, 0, false);
        }
        self.length += line.len() as u64;
        self.buffer.extend_from_slice(&line);
        match self.buffer.len() < BUFFER {
            true => Ok(()),
            false => self.write(),
        }
    }

    fn commit(&mut self, _refused: &mut Vec<Refusal>) -> Result<()> {
        self.sync()
    }

    fn missing(&self) -> Vec<(String, u64)> {
        Vec::new()
    }
}
