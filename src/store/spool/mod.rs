//! A queue on the disk, for what is to survive a restart, and outages that are longer than a window.
//!
//! | file | what it is |
//! |---|---|
//! | `00000042.ndjson` | a segment: records, each with the source that it came from and when it was put here |
//! | `cursor` | up to where all is delivered: segment, offset, checksum; replaced by rename |
//! | `bad.ndjson` | lines of segments that are no such records |
//! | `lock` | is locked for as long as a process uses the spool |
//!
//! A message is safe once its segment is synced; only then is its source told. A torn last line was told to nobody, and is cut
//! off. Segments are removed once the cursor has passed them. [`Writer`] is a [`Store`](super::Store) in a thread of its own;
//! [`Reader`] hands out what the writer has synced.

mod cursor;
pub(crate) mod disk;
mod entry;
mod reader;
mod writer;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

pub(crate) use cursor::Place;
use disk::{Disk, Folder};
pub(crate) use entry::{Entry, line};
pub(crate) use reader::Reader;
pub(crate) use writer::Writer;

use crate::error::{Error, Result};

/// No segment is longer, but for one of a single message.
const SEGMENT: u64 = 16 << 20;

/// A spool has room for so many segments.
const SEGMENTS: u64 = 8;

/// No spool has written as many segments: what has such a number is none.
const NEVER: u64 = 1_000_000_000_000_000;

/// What is done when a spool is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Full {
    /// Sources wait.
    #[default]
    Wait,
    /// The oldest messages make room.
    DropOldest,
}

/// Where a spool is, and what it holds at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolArgs {
    /// Its folder.
    pub dir: PathBuf,
    /// So many bytes, and what is under way.
    pub size: u64,
    /// What has waited for longer is given up.
    pub age: Option<Duration>,
    /// What is done when it is full.
    pub full: Full,
}

impl SpoolArgs {
    /// The least that is a size.
    pub const SMALLEST: u64 = 1 << 20;

    /// What is usual, in this folder.
    pub const fn of(dir: PathBuf) -> Self {
        Self {
            dir,
            size: 1 << 30,
            age: Some(Duration::from_secs(7 * 86_400)),
            full: Full::Wait,
        }
    }
}

/// What the writer and the reader both know.
#[derive(Debug, Default)]
struct Segments {
    /// How much of each is synced.
    synced: Mutex<BTreeMap<u64, u64>>,
    /// All before is delivered; `None`: nothing is delivered any more.
    delivered: Mutex<Option<Place>>,
    /// The disk is full, and what comes waits.
    full: AtomicBool,
    /// Told while it waits: a part of what came is there, and nobody else says so.
    waits: Notify,
}

impl Segments {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, u64>> {
        self.synced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn delivered(&self) -> MutexGuard<'_, Option<Place>> {
        self.delivered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// An opened spool.
pub(crate) struct Opened<D> {
    pub(crate) writer: Writer<D>,
    pub(crate) reader: Reader<D>,
    /// What was found that is not as it should be.
    pub(crate) warnings: Vec<String>,
}

/// Opens a spool, or begins one.
///
/// # Errors
/// [`Kind::Local`](crate::error::Kind::Local): it cannot be used, or another process has it.
pub(crate) fn open(args: &SpoolArgs) -> Result<Opened<Folder>> {
    let segment = (args.size / SEGMENTS).min(SEGMENT);
    open_on(Folder::open(&args.dir)?, segment)
}

fn open_on<D: Disk>(mut disk: D, longest: u64) -> Result<Opened<D>> {
    let mut warnings = Vec::new();
    let files = disk.list().map_err(|cause| unread(&disk, "", &cause))?;
    let mut segments: BTreeMap<u64, u64> = BTreeMap::new();
    for (name, length) in &files {
        match number(name) {
            Some(number) => drop(segments.insert(number, *length)),
            None if looks_like_one(name) => warnings.push(format!(
                "{} is no segment of this spool, and is left as it is",
                disk.place(name)
            )),
            None => {}
        }
    }
    let known = files.iter().any(|(name, _)| name == cursor::NAME);
    let cursor = match known {
        true => read_cursor(&mut disk, &mut warnings)?,
        false => Place::default(),
    };
    warnings.extend(cut_torn(&mut disk, &mut segments)?);
    // What the cursor has passed was to be removed.
    let rest = segments.split_off(&cursor.segment);
    for number in std::mem::replace(&mut segments, rest).into_keys() {
        let name = name(number);
        disk.remove(&name)
            .map_err(|cause| unwritten(&disk, &name, &cause))?;
    }
    let at = match segments.first_key_value() {
        Some((&first, &length)) if first == cursor.segment => Place {
            segment: first,
            offset: cursor.offset.min(length),
        },
        Some((&first, _)) => Place {
            segment: first,
            offset: 0,
        },
        None => Place {
            segment: cursor.segment + 1,
            offset: 0,
        },
    };
    let last = segments.last_key_value();
    let (last, length) = last.map_or((at.segment, 0), |(last, length)| (*last, *length));
    let segments = Arc::new(Segments {
        synced: Mutex::new(segments),
        delivered: Mutex::new(Some(at)),
        ..Segments::default()
    });
    Ok(Opened {
        writer: Writer::new(disk.clone(), Arc::clone(&segments), longest, last, length),
        reader: Reader::new(disk, segments, at),
        warnings,
    })
}

/// Cuts off a message at the end that was not written whole; what is to be said of that.
fn cut_torn<D: Disk>(disk: &mut D, segments: &mut BTreeMap<u64, u64>) -> Result<Option<String>> {
    let Some((&last, &length)) = segments.last_key_value() else {
        return Ok(None);
    };
    let whole = whole(disk, last, length)?;
    if whole == length {
        return Ok(None);
    }
    let name = name(last);
    disk.cut(&name, whole)
        .map_err(|cause| unwritten(disk, &name, &cause))?;
    segments.insert(last, whole);
    Ok(Some(format!(
        "{} ended in the middle of a message, which was not acknowledged: cut off {} bytes",
        disk.place(&name),
        length - whole
    )))
}

/// Whether a file is called as if it were a segment.
fn looks_like_one(name: &str) -> bool {
    let digits = name.strip_suffix(".ndjson").unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit())
}

/// Up to where it is delivered.
fn read_cursor<D: Disk>(disk: &mut D, warnings: &mut Vec<String>) -> Result<Place> {
    let line = disk.read(cursor::NAME, 0, 100);
    let line = line.map_err(|cause| unread(disk, cursor::NAME, &cause))?;
    let place = Place::read(&line);
    if place.is_none() {
        warnings.push(format!(
            "{} is damaged: what the spool still has is delivered from its beginning",
            disk.place(cursor::NAME)
        ));
    }
    Ok(place.unwrap_or_default())
}

/// How much of a file is whole lines.
fn whole<D: Disk>(disk: &mut D, segment: u64, length: u64) -> Result<u64> {
    const STEP: u64 = 1 << 16;
    let name = name(segment);
    let mut end = length;
    while end > 0 {
        let from = end.saturating_sub(STEP);
        let bytes = disk.read(&name, from, end - from);
        let bytes = bytes.map_err(|cause| unread(disk, &name, &cause))?;
        if let Some(at) = memchr::memrchr(b'\n', &bytes) {
            return Ok(from + at as u64 + 1);
        }
        end = from;
    }
    Ok(0)
}

/// The recordings that a spool still has: its segments in order, and how much of the first is delivered. `None`: it is no spool.
///
/// # Errors
/// [`Kind::Local`](crate::error::Kind::Local): it cannot be read.
pub(crate) fn recordings(dir: &Path) -> Result<Option<Vec<(PathBuf, u64)>>> {
    let failed = |cause: io::Error| crate::file::unreadable(dir.display(), &cause);
    if !dir.join(disk::LOCK).is_file() {
        return Ok(None);
    }
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        numbers.extend(name.to_str().and_then(number));
    }
    numbers.sort_unstable();
    let line = std::fs::read(dir.join(cursor::NAME)).unwrap_or_default();
    let cursor = Place::read(&line).unwrap_or_default();
    let left = numbers.into_iter().filter(|it| *it >= cursor.segment);
    let recordings = left.map(|segment| {
        let delivered = match segment == cursor.segment {
            true => cursor.offset,
            false => 0,
        };
        (dir.join(name(segment)), delivered)
    });
    Ok(Some(recordings.collect()))
}

/// The name of a segment.
fn name(segment: u64) -> String {
    format!("{segment:08}.ndjson")
}

/// The number of the segment with exactly this name.
fn number(file: &str) -> Option<u64> {
    let digits = file.strip_suffix(".ndjson")?;
    let number = digits.parse().ok().filter(|it| *it < NEVER)?;
    (name(number) == file).then_some(number)
}

/// Whether there is no room for what was to be written: on the disk, or in a file of limited size.
fn is_full(cause: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(cause.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn unread<D: Disk>(disk: &D, name: &str, cause: &io::Error) -> Error {
    crate::file::unreadable(disk.place(name), cause)
}

fn unwritten<D: Disk>(disk: &D, name: impl Display, cause: &io::Error) -> Error {
    let place = disk.place(&name.to_string());
    Error::local(format_args!("cannot write {place}"), cause)
}

#[cfg(test)]
mod tests;
