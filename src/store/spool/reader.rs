//! What a spool has, in order, and up to where it is delivered.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::disk::Disk;
use super::{Entry, Place, Segments, cursor, entry, is_full, name, unread, unwritten};
use crate::error::Result;

/// So much is read at once, and more where a line is longer.
const CHUNK: u64 = 256 << 10;

/// Where what cannot be read goes.
const BAD: &str = "bad.ndjson";

/// Hands out what is synced.
pub(crate) struct Reader<D> {
    disk: D,
    segments: Arc<Segments>,
    /// The place of the first byte that was not handed out.
    at: Place,
    /// What was read from there on, behind so many bytes that are done with.
    chunk: Vec<u8>,
    used: usize,
    /// All before is delivered.
    delivered: Place,
    /// What the cursor on the disk says.
    saved: Place,
    bad: u64,
}

impl<D: Disk> Reader<D> {
    pub(super) fn new(disk: D, segments: Arc<Segments>, at: Place) -> Self {
        Self {
            disk,
            segments,
            at,
            chunk: Vec::new(),
            used: 0,
            delivered: at,
            saved: at,
            bad: 0,
        }
    }

    /// The next message, if there is one.
    ///
    /// # Errors
    /// [`Kind::Local`](crate::error::Kind::Local): a file cannot be read.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>> {
        loop {
            let rest = &self.chunk[self.used..];
            if let Some(length) = memchr::memchr(b'\n', rest) {
                let from = self.used;
                self.used += length + 1;
                self.at.offset += length as u64 + 1;
                match Entry::read(&self.chunk[from..self.used], self.at) {
                    Some(entry) => return Ok(Some(entry)),
                    None => self.put_aside(from)?,
                }
            } else if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// The names of the sources of what was not handed out, and how many messages that is.
    ///
    /// # Errors
    /// [`Kind::Local`](crate::error::Kind::Local): a file cannot be read.
    pub(crate) fn sources(&mut self) -> Result<(BTreeSet<String>, u64)> {
        let segments: Vec<(u64, u64)> = {
            let segments = self.segments.lock();
            let left = segments.range(self.at.segment..);
            left.map(|(segment, length)| (*segment, *length)).collect()
        };
        let (mut sources, mut messages) = (BTreeSet::new(), 0);
        for (segment, length) in segments {
            let name = name(segment);
            let mut from = match segment == self.at.segment {
                true => self.at.offset,
                false => 0,
            };
            let mut rest = Vec::new();
            while from < length {
                let count = (length - from).min(CHUNK.max(rest.len() as u64));
                let read = self.disk.read(&name, from, count);
                let mut read = read.map_err(|cause| unread(&self.disk, &name, &cause))?;
                if read.is_empty() {
                    break;
                }
                from += read.len() as u64;
                rest.append(&mut read);
                let mut start = 0;
                for end in memchr::memchr_iter(b'\n', &rest) {
                    if let Some(source) = entry::source(&rest[start..end])
                        && !sources.contains(&*source)
                    {
                        sources.insert(source.into_owned());
                    }
                    messages += 1;
                    start = end + 1;
                }
                rest.drain(..start);
            }
            // What is torn there is put aside like a line.
            messages += u64::from(!rest.is_empty());
        }
        Ok((sources, messages))
    }

    /// Reads on; whether there was anything.
    fn fill(&mut self) -> Result<bool> {
        let have = (self.chunk.len() - self.used) as u64;
        let from = self.at.offset + have;
        let (length, next) = {
            let segments = self.segments.lock();
            let length = segments.get(&self.at.segment).copied();
            let later = segments.range(self.at.segment + 1..).next();
            (length.unwrap_or_default(), later.map(|(next, _)| *next))
        };
        if from < length {
            self.chunk.drain(..self.used);
            self.used = 0;
            let name = name(self.at.segment);
            let count = (length - from).min(CHUNK.max(have));
            let read = self.disk.read(&name, from, count);
            let mut read = read.map_err(|cause| unread(&self.disk, &name, &cause))?;
            if read.is_empty() {
                let cause = std::io::ErrorKind::UnexpectedEof.into();
                return Err(unread(&self.disk, &name, &cause));
            }
            self.chunk.append(&mut read);
            return Ok(true);
        }
        let Some(next) = next else {
            return Ok(false);
        };
        if have > 0 {
            self.put_aside(self.used)?;
        }
        self.begin(next);
        Ok(true)
    }

    fn begin(&mut self, segment: u64) {
        self.at = Place { segment, offset: 0 };
        self.chunk.clear();
        self.used = 0;
    }

    /// What was read from `from` on up to what is used, or all of it, is no record.
    fn put_aside(&mut self, from: usize) -> Result<()> {
        let end = match self.used > from {
            true => self.used,
            false => self.chunk.len(),
        };
        let mut line = self.chunk[from..end].to_vec();
        if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        self.keep_bad(&line)
    }

    /// Keeps a line that nothing can be done with.
    ///
    /// # Errors
    /// [`Kind::Local`](crate::error::Kind::Local): it cannot be written.
    pub(crate) fn keep_bad(&mut self, line: &[u8]) -> Result<()> {
        self.bad += 1;
        let kept = self.disk.append(BAD, line);
        let kept = kept.and_then(|()| self.disk.sync(BAD));
        kept.map_err(|cause| unwritten(&self.disk, BAD, &cause))
    }

    /// Whether lines were put aside since the last call of [`Reader::take_bad`].
    pub(crate) const fn has_bad(&self) -> bool {
        self.bad > 0
    }

    /// How many lines were put aside since the last call, and where they are.
    pub(crate) fn take_bad(&mut self) -> Option<(u64, String)> {
        let bad = std::mem::take(&mut self.bad);
        (bad > 0).then(|| (bad, self.disk.place(BAD)))
    }

    /// All before this place is delivered.
    pub(crate) fn settle(&mut self, place: Place) {
        self.delivered = self.delivered.max(place);
        if let Some(delivered) = &mut *self.segments.delivered() {
            *delivered = self.delivered;
        }
    }

    /// Whether what comes had to wait, as the disk is full, since this was asked last.
    pub(crate) fn was_full(&self) -> bool {
        self.segments.full.swap(false, Ordering::Relaxed)
    }

    /// Waits until what comes waits for room, so that what is there is to be delivered. Cancel-safe.
    pub(crate) async fn is_waited_for(&self) {
        self.segments.waits.notified().await;
    }

    /// Nothing is delivered any more: no room is to be waited for.
    pub(crate) fn close(&self) {
        *self.segments.delivered() = None;
    }

    /// All that was read is delivered.
    pub(crate) fn settle_read(&mut self) {
        self.settle(self.at);
    }

    /// Whether what ends at this place is there no more.
    pub(crate) fn has_dropped(&self, place: Place) -> bool {
        let segments = self.segments.lock();
        let oldest = segments.first_key_value();
        oldest.is_some_and(|(oldest, _)| place.segment < *oldest)
    }

    /// How many bytes of its segments are not delivered.
    pub(crate) fn undelivered(&self) -> u64 {
        let segments = self.segments.lock();
        let left = segments.range(self.delivered.segment..);
        let bytes: u64 = left.map(|(_, length)| *length).sum();
        match segments.contains_key(&self.delivered.segment) {
            true => bytes.saturating_sub(self.delivered.offset),
            false => bytes,
        }
    }

    /// How many bytes its segments have.
    pub(crate) fn size(&self) -> u64 {
        self.segments.lock().values().sum()
    }

    /// Whether everything was handed out.
    pub(crate) fn is_at_end(&self) -> bool {
        let segments = self.segments.lock();
        let end = segments.last_key_value();
        end.is_none_or(|(last, length)| (self.at.segment, self.at.offset) >= (*last, *length))
    }

    /// Whether the cursor on the disk is behind what is delivered.
    pub(crate) fn is_behind(&self) -> bool {
        self.saved < self.delivered
    }

    /// The cursor could not be put on the disk.
    pub(crate) fn not_saved(&mut self) {
        self.saved = Place::default();
    }

    /// What puts the cursor on the disk, and removes what it has passed: for another thread. `false`: there is no room for it, and
    /// what it has passed is removed all the same.
    pub(crate) fn save(&mut self) -> impl FnOnce() -> Result<bool> + Send + use<D> {
        let (mut disk, segments, place) = (
            self.disk.clone(),
            Arc::clone(&self.segments),
            self.delivered,
        );
        self.saved = place;
        move || {
            let saved = disk.replace(cursor::NAME, place.line().as_bytes());
            let is_saved = match saved {
                Err(cause) if is_full(&cause) => false,
                saved => {
                    saved.map_err(|cause| unwritten(&disk, cursor::NAME, &cause))?;
                    true
                }
            };
            let passed: Vec<u64> = {
                let segments = segments.lock();
                segments.range(..place.segment).map(|(it, _)| *it).collect()
            };
            for segment in passed {
                let name = name(segment);
                disk.remove(&name)
                    .map_err(|cause| unwritten(&disk, &name, &cause))?;
                segments.lock().remove(&segment);
            }
            Ok(is_saved)
        }
    }

    /// Gives up the oldest segment, but for the one that is written to, and says how many of its messages were not handed out.
    ///
    /// # Errors
    /// [`Kind::Local`](crate::error::Kind::Local): it cannot be read or removed.
    pub(crate) fn drop_oldest(&mut self) -> Result<Option<u64>> {
        let (oldest, length, next) = {
            let segments = self.segments.lock();
            let mut all = segments.iter();
            let Some((&oldest, &length)) = all.next() else {
                return Ok(None);
            };
            let Some((&next, _)) = all.next() else {
                return Ok(None);
            };
            (oldest, length, next)
        };
        let name = name(oldest);
        let mut dropped = 0;
        if oldest == self.at.segment {
            let mut from = self.at.offset;
            while from < length {
                let read = self.disk.read(&name, from, CHUNK.min(length - from));
                let read = read.map_err(|cause| unread(&self.disk, &name, &cause))?;
                if read.is_empty() {
                    break;
                }
                dropped += memchr::memchr_iter(b'\n', &read).count() as u64;
                from += read.len() as u64;
            }
            self.begin(next);
        }
        self.disk
            .remove(&name)
            .map_err(|cause| unwritten(&self.disk, &name, &cause))?;
        self.segments.lock().remove(&oldest);
        Ok(Some(dropped))
    }

    /// How many messages were not delivered, where that is quickly counted; and how many bytes.
    pub(crate) fn left(&mut self) -> (Option<u64>, u64) {
        const QUICK: u64 = 64 << 20;
        let segments: Vec<(u64, u64)> = {
            let segments = self.segments.lock();
            let left = segments.range(self.delivered.segment..);
            left.map(|(segment, length)| (*segment, *length)).collect()
        };
        let from = |segment| match segment == self.delivered.segment {
            true => self.delivered.offset,
            false => 0,
        };
        let left = segments
            .iter()
            .map(|(segment, length)| length.saturating_sub(from(*segment)));
        let bytes = left.sum();
        if bytes > QUICK {
            return (None, bytes);
        }
        let mut count = 0;
        for (segment, length) in segments {
            let from = from(segment);
            let read = self
                .disk
                .read(&name(segment), from, length.saturating_sub(from));
            let Ok(read) = read else {
                return (None, bytes);
            };
            count += memchr::memchr_iter(b'\n', &read).count() as u64;
        }
        (Some(count), bytes)
    }
}
