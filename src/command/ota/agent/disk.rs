//! What a device keeps on disk: two slots, two copies of its state, and how far a download is.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use rustix::fs::{Advice, FlockOperation, fadvise, flock, statvfs};

use crate::error::{Error, Kind, Result, plain};
use crate::file;
use crate::firmware::device::{self, Download, Outcome, Slot, State};
use crate::firmware::{Digest, Refusal, mcuboot};

/// Blocks after which it is written down which ones there are: a crash costs no more.
const SAVE_EVERY: u32 = 128;

const COPIES: [&str; 2] = ["state.0", "state.1"];
const DOWNLOAD: &str = "download";
/// A patch on its way.
pub(super) const PATCH: &str = "patch";
/// What stands for a patch where a slot has its number.
const NO_SLOT: u8 = 2;

/// The files of a device.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    slots: [PathBuf; 2],
    /// What is written: a slot, or a patch.
    open: Option<(Option<Slot>, File)>,
    unsaved: u32,
    /// Held for as long as this lives.
    _lock: File,
}

impl Disk {
    /// The files below `folder`, which no other agent may use. `slots` are other places for the images, such as partitions.
    pub(super) fn open(folder: &Path, slots: Option<[PathBuf; 2]>) -> Result<Self> {
        let failed = |cause| Error::local(format_args!("cannot use {}", folder.display()), &cause);
        fs::create_dir_all(folder).map_err(failed)?;
        let mut options = OpenOptions::new();
        let lock = options.create(true).truncate(false).write(true);
        let lock = lock.open(folder.join("lock")).map_err(failed)?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let text = format!("another agent uses {}", folder.display());
            return Err(Error::new(Kind::Local, text));
        }
        let slots = slots.unwrap_or_else(|| ["a", "b"].map(|name| folder.join(name)));
        if is_same(&slots) {
            let [a, b] = slots.map(|slot| slot.display().to_string());
            return Err(Error::usage(format!(
                "slot a, {a}, and slot b, {b}, are the same"
            )));
        }
        Ok(Self {
            slots,
            folder: folder.to_owned(),
            open: None,
            unsaved: 0,
            _lock: lock,
        })
    }

    /// The state, or that of a device that was never updated.
    pub(super) fn state(&self) -> Result<State> {
        let mut copies = [None, None];
        for (copy, name) in copies.iter_mut().zip(COPIES) {
            let path = self.folder.join(name);
            match fs::read(&path) {
                Ok(bytes) => *copy = Some(bytes),
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                // What cannot be read now says all the same which versions are too old.
                Err(cause) => return Err(file::unreadable(path.display(), &cause)),
            }
        }
        let is_new = copies.iter().all(Option::is_none);
        let states = copies.map(|copy| copy.as_deref().and_then(State::decode));
        match State::newest(states) {
            Some(state) => Ok(state),
            None if is_new => Ok(State::default()),
            None => {
                let text = format!(
                    "both copies of the state in {} are damaged",
                    self.folder.display()
                );
                let hint = "remove state.0 and state.1 to begin anew; an older version may be installed then";
                Err(Error::new(Kind::Local, text).hint(hint))
            }
        }
    }

    pub(super) fn save(&self, state: &State) -> Outcome {
        let path = self.folder.join(COPIES[state.place()]);
        match file::replace_alone(&path, &state.encode()) {
            Ok(()) => Outcome::Done,
            Err(cause) => {
                let what = format_args!("cannot write {}", path.display());
                Outcome::Failed(Error::local(what, &cause).text().to_owned())
            }
        }
    }

    /// Where the image of a slot is.
    pub(super) fn path(&self, slot: Slot) -> &Path {
        &self.slots[slot.number() as usize]
    }

    /// The size of a slot, where it is a block device.
    pub(super) fn capacity(&self) -> Option<u64> {
        let size = |path: &PathBuf| {
            let kind = fs::metadata(path).ok()?.file_type();
            let mut device = kind.is_block_device().then(|| File::open(path).ok())??;
            device.seek(SeekFrom::End(0)).ok()
        };
        self.slots.iter().filter_map(size).min()
    }

    /// Makes room, and reads what an earlier download of the same image into the same slot has left.
    pub(super) fn prepare(&mut self, slot: Slot, fresh: &Download) -> Outcome {
        // A patch that was not used.
        let _ = fs::remove_file(self.folder.join(PATCH));
        let path = self.path(slot).to_owned();
        self.prepare_at(&path, Some(slot), fresh)
    }

    pub(super) fn prepare_at(
        &mut self,
        path: &Path,
        slot: Option<Slot>,
        fresh: &Download,
    ) -> Outcome {
        match self.try_prepare(path, slot, fresh) {
            Ok(outcome) => outcome,
            Err(cause) => {
                let path = path.display();
                Outcome::Failed(format!("cannot write {path}: {}", plain(&cause)))
            }
        }
    }

    /// Where everything is but the images.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Nothing more is written.
    pub(super) fn close(&mut self) {
        self.open = None;
    }

    fn try_prepare(
        &mut self,
        path: &Path,
        slot: Option<Slot>,
        fresh: &Download,
    ) -> io::Result<Outcome> {
        self.open = None;
        let size = fresh.size();
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).read(true).write(true);
        let file = file.open(path)?;
        let before = file.metadata()?;
        if let Some(why) = shortage(path, &before, size)? {
            return Ok(Outcome::Refused(why));
        }
        let is_whole = !before.is_file() || before.len() == size;
        let saved = self.saved(slot, fresh).filter(|_| is_whole);
        if saved.is_none() {
            // Before another image touches the slot: what is written down of the last one would be believed later.
            forget(&self.folder)?;
        }
        if before.is_file() {
            file.set_len(size)?;
        }
        self.open = Some((slot, file));
        self.unsaved = 0;
        Ok(Outcome::Opened(saved))
    }

    /// What was written down of this download into this slot.
    fn saved(&self, slot: Option<Slot>, fresh: &Download) -> Option<Vec<u8>> {
        let mut saved = fs::read(self.folder.join(DOWNLOAD)).ok()?;
        let is_same = saved.first() == Some(&tag(slot));
        let saved = is_same.then(|| saved.split_off(1))?;
        let (digest, size, block) = (*fresh.digest(), fresh.size(), fresh.block_size());
        Download::resumed(digest, size, block, &saved).map(|_| saved)
    }

    /// Writes a block into the slot that was prepared.
    pub(super) fn write(&mut self, at: u64, bytes: &[u8], download: &Download) -> io::Result<()> {
        let Some((_, file)) = &self.open else {
            return Ok(());
        };
        file.write_all_at(bytes, at)?;
        self.unsaved += 1;
        if self.unsaved >= SAVE_EVERY {
            self.remember(download)?;
        }
        Ok(())
    }

    /// Writes down which blocks there are, once they are on the disk.
    pub(super) fn remember(&mut self, download: &Download) -> io::Result<()> {
        if self.unsaved == 0 {
            return Ok(());
        }
        let Some((slot, file)) = &self.open else {
            return Ok(());
        };
        file.sync_data()?;
        self.unsaved = 0;
        let path = self.folder.join(DOWNLOAD);
        file::replace_alone(&path, &[&[tag(*slot)], &download.saved()[..]].concat())
    }

    /// Reads a slot back from the disk. The outcome is computed elsewhere, as it may take long.
    pub(super) fn check(
        &mut self,
        slot: Slot,
        size: u64,
    ) -> impl FnOnce() -> Outcome + Send + use<> {
        // What was left of this download is of no use once it is whole.
        let folder = self.folder.clone();
        let path = self.path(slot).to_owned();
        self.open = None;
        move || match read_back(&path, size) {
            Ok((digest, counter)) => {
                let _ = forget(&folder);
                match counter {
                    Ok(counter) => Outcome::Checked(digest, counter),
                    Err(why) => Outcome::Refused(why),
                }
            }
            Err(cause) => {
                Outcome::Failed(format!("cannot read {}: {}", path.display(), plain(&cause)))
            }
        }
    }
}

/// How a place is written down.
fn tag(slot: Option<Slot>) -> u8 {
    slot.map_or(NO_SLOT, |slot| slot.number() as u8)
}

/// What is missing on the file system of a file that is to have so many bytes.
pub(super) fn shortage(path: &Path, before: &Metadata, size: u64) -> io::Result<Option<Refusal>> {
    if !before.is_file() {
        return Ok(None);
    }
    let room = statvfs(path)?;
    let free = room.f_bavail * room.f_frsize;
    let is_short = size > free.saturating_add(before.len());
    Ok(is_short.then_some(Refusal::NoSpace { size, free }))
}

/// Whether both slots are one file, or one block device.
fn is_same([a, b]: &[PathBuf; 2]) -> bool {
    match (fs::metadata(a), fs::metadata(b)) {
        (Ok(one), Ok(other)) if one.file_type().is_block_device() => {
            other.file_type().is_block_device() && one.rdev() == other.rdev()
        }
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        // What is not there yet is the same only by its name, or where a link leads to.
        _ => place(a) == place(b),
    }
}

/// Where a file is, or will be.
fn place(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    // As many links as systems follow.
    for _ in 0..40 {
        let Ok(target) = fs::read_link(&path) else {
            break;
        };
        path = path.parent().unwrap_or_else(|| Path::new("")).join(target);
    }
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = fs::canonicalize(folder.unwrap_or_else(|| Path::new(".")));
    match (folder, path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

/// Removes what is written down of a download; it does not come back after a power cut.
pub(super) fn forget(folder: &Path) -> io::Result<()> {
    match fs::remove_file(folder.join(DOWNLOAD)) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => {
            removed?;
            File::open(folder)?.sync_all()
        }
    }
}

pub(super) type Counter = std::result::Result<Option<u32>, Refusal>;

pub(super) fn read_back(path: &Path, size: u64) -> io::Result<(Digest, Counter)> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    file.sync_all()?;
    // What the disk has is to be read, and not what memory has of it.
    let _ = fadvise(&file, 0, None, Advice::DontNeed);
    let mut hash = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 16];
    let (mut left, mut first) = (size, true);
    let mut is_image = false;
    while left > 0 {
        let most = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = file.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if std::mem::take(&mut first) {
            is_image = buffer[..count].starts_with(&mcuboot::MAGIC);
        }
        hash.update(&buffer[..count]);
        left -= count as u64;
    }
    let mut digest = Digest::default();
    digest.copy_from_slice(hash.finish().as_ref());
    if !is_image {
        return Ok((digest, Ok(None)));
    }
    let mut image = vec![0; size as usize];
    file.read_exact_at(&mut image, 0)?;
    Ok((digest, device::counter(&image)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_downloaded_is_forgotten_before_another_image_touches_the_slot() {
        let folder = tempfile::tempdir().unwrap();
        let mut disk = Disk::open(folder.path(), None).unwrap();
        let image = |digest| Download::new([digest; 32], 200, 100).unwrap();
        let mut first = image(1);
        disk.prepare(Slot::B, &first);
        let at = first.block(0, 100).unwrap();
        disk.write(at, &[1; 100], &first).unwrap();
        disk.remember(&first).unwrap();
        let saved = Outcome::Opened(Some(first.saved()));
        assert_eq!(disk.prepare(Slot::B, &image(1)), saved);
        assert_eq!(disk.prepare(Slot::B, &image(2)), Outcome::Opened(None));
        assert_eq!(disk.prepare(Slot::B, &image(1)), Outcome::Opened(None));
        // Nor is it that of the other slot.
        disk.write(at, &[1; 100], &first).unwrap();
        disk.remember(&first).unwrap();
        assert_eq!(disk.prepare(Slot::A, &image(1)), Outcome::Opened(None));
    }
}
