//! Lines on their way to the disk.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::disk::Disk;
use super::{Place, Segments, is_full, name, unwritten};
use crate::error::Result;
use crate::message::Message;
use crate::store::{Refusal, Store};

/// So much is written at once.
const BUFFER: usize = 1 << 20;

/// How often it is looked whether a full disk has room again.
const AGAIN: Duration = Duration::from_millis(50);

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

    /// Writes all that was taken; where it does not fit as a whole, as many lines as do, before it waits for room.
    fn write(&mut self) -> Result<()> {
        let mut most = usize::MAX;
        while !self.buffer.is_empty() {
            let count = most.min(self.buffer.len());
            let written = self.disk.append(&name(self.segment), &self.buffer[..count]);
            let Err(cause) = written else {
                self.buffer.drain(..count);
                most = usize::MAX;
                continue;
            };
            let fewer = half(&self.buffer[..count]).filter(|_| is_full(&cause));
            match fewer {
                Some(fewer) => {
                    most = fewer;
                    self.cut_back()?;
                }
                None if is_full(&cause) && self.make_room()? => most = usize::MAX,
                None => return Err(unwritten(&self.disk, name(self.segment), &cause)),
            }
        }
        Ok(())
    }

    /// A part of what did not fit may be there; how much is, without it.
    fn cut_back(&mut self) -> Result<u64> {
        let written = self.length - self.buffer.len() as u64;
        let current = name(self.segment);
        let cut = self.disk.cut(&current, written);
        cut.map_err(|cause| unwritten(&self.disk, &current, &cause))?;
        Ok(written)
    }

    /// Waits until something is delivered, where the disk is full, and once all is, gives back the room that it had; whether there
    /// may be room now.
    fn make_room(&mut self) -> Result<bool> {
        let written = self.cut_back()?;
        if written > 0 {
            self.sync_up_to(written)?;
        }
        let Some(delivered) = *self.segments.delivered() else {
            return Ok(false);
        };
        let end = self.segments.lock().last_key_value().map(place);
        let Some(end) = end else {
            return Ok(false);
        };
        if delivered < end {
            self.segments.full.store(true, Ordering::Relaxed);
            self.segments.waits.notify_one();
            thread::sleep(AGAIN);
            return Ok(true);
        }
        let mut passed: Vec<u64> = self.segments.lock().keys().copied().collect();
        if end.segment < self.segment {
            passed.push(self.segment);
        }
        for segment in passed {
            let name = name(segment);
            // The reader may still have it open, and with it its room.
            let removed = self.disk.cut(&name, 0);
            let removed = removed.and_then(|()| self.disk.remove(&name));
            removed.map_err(|cause| unwritten(&self.disk, &name, &cause))?;
            self.segments.lock().remove(&segment);
        }
        self.segment += 1;
        (self.length, self.named) = (self.buffer.len() as u64, false);
        Ok(true)
    }

    /// All that was taken is on the disk.
    fn sync(&mut self) -> Result<()> {
        self.write()?;
        self.sync_up_to(self.length)
    }

    /// So much of the newest segment is on the disk.
    fn sync_up_to(&mut self, length: u64) -> Result<()> {
        let known = self.segments.lock().get(&self.segment).copied();
        if known.unwrap_or_default() == length {
            return Ok(());
        }
        let name = name(self.segment);
        let mut synced = self.disk.sync(&name);
        if !self.named {
            synced = synced.and_then(|()| self.disk.sync_names());
            self.named = true;
        }
        synced.map_err(|cause| unwritten(&self.disk, &name, &cause))?;
        self.segments.lock().insert(self.segment, length);
        Ok(())
    }
}

/// Where about half of several lines end; `None`: it is one.
fn half(lines: &[u8]) -> Option<usize> {
    let first = || memchr::memchr(b'\n', lines);
    let end = memchr::memrchr(b'\n', &lines[..lines.len() / 2]).or_else(first)? + 1;
    (end < lines.len()).then_some(end)
}

fn place((&segment, &offset): (&u64, &u64)) -> Place {
    Place { segment, offset }
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
