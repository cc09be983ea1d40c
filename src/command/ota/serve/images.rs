//! The images of a directory by their digests, and their bytes in blocks. A file that cannot be read hides no other, and files
//! are open only while blocks of them are asked for.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File, Metadata};
use std::io;
use std::mem::take;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use rustix::fs::{Mode, OFlags};

use crate::command::ota::sign::MANIFEST;
use crate::error::Result;
use crate::file::{self, beneath};
use crate::firmware::{Digest, digest_of};

/// The directory is looked at for an unknown image no more often.
const RESCAN: Duration = Duration::from_secs(1);

/// Blocks that are kept for the next device that asks for them, in bytes with what each takes besides.
const MOST_KEPT: usize = 16 << 20;
const ENTRY: usize = 160;

/// Files that are open at the same time.
const MOST_OPEN: usize = 32;

/// A block of an image: image, bytes of a block, number.
pub(super) type Block = (Digest, u32, u32);

/// Size and time of the last change: a file of which they are the same has the same bytes.
type Stamp = (u64, SystemTime);

/// What was found in a file.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    /// `None` where it has none.
    stamp: Option<Stamp>,
    /// Its digest, or why it cannot be served.
    digest: std::result::Result<Digest, String>,
}

/// The files of a directory by their digests.
pub(super) struct Images {
    directory: PathBuf,
    found: HashMap<PathBuf, Found>,
    known: HashMap<Digest, (PathBuf, Stamp)>,
    looked_at: Instant,
    /// Those of which blocks were read last, the newest at the end.
    open: VecDeque<(Digest, File)>,
    kept: Kept,
    /// What is wrong, and was not said yet.
    news: Vec<String>,
    /// Why the directory cannot be read.
    unreadable: Option<String>,
}

/// The blocks that were read last.
#[derive(Default)]
struct Kept {
    blocks: HashMap<Block, Bytes>,
    /// The oldest first.
    order: VecDeque<Block>,
    bytes: usize,
}

impl Kept {
    fn keep(&mut self, block: Block, bytes: Bytes) {
        self.bytes += bytes.len() + ENTRY;
        self.blocks.insert(block, bytes);
        self.order.push_back(block);
        while self.bytes > MOST_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            let gone = self.blocks.remove(&oldest).unwrap_or_default();
            self.bytes -= gone.len() + ENTRY;
        }
    }
}

impl Images {
    /// # Errors
    /// The directory cannot be read.
    pub(super) fn of(directory: &Path) -> Result<Self> {
        let mut images = Self {
            directory: directory.to_owned(),
            found: HashMap::new(),
            known: HashMap::new(),
            looked_at: Instant::now(),
            open: VecDeque::new(),
            kept: Kept::default(),
            news: Vec::new(),
            unreadable: None,
        };
        images.look()?;
        Ok(images)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.known.len()
    }

    /// What is wrong with files that was not wrong in the same way before.
    pub(super) fn news(&mut self) -> Vec<String> {
        take(&mut self.news)
    }

    fn look(&mut self) -> Result<()> {
        let failed = |cause| file::unreadable(self.directory.display(), &cause);
        let entries = fs::read_dir(&self.directory).map_err(failed)?;
        let paths = entries.map(|entry| entry.map(|it| it.path()));
        let paths: Vec<_> = paths.collect::<io::Result<_>>().map_err(failed)?;
        let mut before = take(&mut self.found);
        self.known.clear();
        for path in paths {
            if path.extension().is_some_and(|end| end == MANIFEST) {
                continue;
            }
            let before = before.remove(&path);
            let Some(now) = found(&path, before.as_ref()) else {
                continue;
            };
            match (&now.digest, now.stamp) {
                (Ok(digest), Some(stamp)) => {
                    self.known.insert(*digest, (path.clone(), stamp));
                }
                (Err(why), _) if before.as_ref() != Some(&now) => self.news.push(why.clone()),
                _ => {}
            }
            self.found.insert(path, now);
        }
        let known = &self.known;
        self.open.retain(|(image, _)| known.contains_key(image));
        self.looked_at = Instant::now();
        Ok(())
    }

    /// Whether the image is there; files that were added since are seen.
    pub(super) fn has(&mut self, image: &Digest) -> bool {
        if !self.known.contains_key(image) && self.looked_at.elapsed() >= RESCAN {
            // A directory that is gone for a moment is looked at again.
            let why = self.look().err().map(|why| why.text().to_owned());
            if why != self.unreadable {
                self.news.extend(why.clone());
                self.unreadable = why;
            }
        }
        self.known.contains_key(image)
    }

    /// A block, which is read once for many devices; `None` where the image has no such block, or cannot be read any more.
    pub(super) fn block(&mut self, image: &Digest, size: u32, number: u32) -> Option<Bytes> {
        let (_, (bytes, _)) = self.known.get(image)?;
        let at = u64::from(size) * u64::from(number);
        let length = bytes.saturating_sub(at).min(size.into());
        if length == 0 {
            return None;
        }
        let name = (*image, size, number);
        if let Some(kept) = self.kept.blocks.get(&name) {
            return Some(kept.clone());
        }
        let mut block = vec![0; length as usize];
        let read = self.opened(image)?;
        let read = read.and_then(|file| file.read_exact_at(&mut block, at));
        if let Err(cause) = read {
            self.forget(image, &cause);
            return None;
        }
        let block = Bytes::from(block);
        self.kept.keep(name, block.clone());
        Some(block)
    }

    /// The file of an image, opened unless it is open; an error where it is not what it was.
    fn opened(&mut self, image: &Digest) -> Option<io::Result<&File>> {
        let (path, stamp) = self.known.get(image)?;
        let at = self.open.iter().position(|(it, _)| it == image);
        let file = match at.and_then(|at| self.open.remove(at)) {
            Some((_, file)) => Ok(file),
            None => open(path),
        };
        let same = file.and_then(|file| match stamped(&file.metadata()?)? == *stamp {
            true => Ok(file),
            false => Err(io::Error::other("it was changed")),
        });
        let file = match same {
            Ok(file) => file,
            Err(cause) => return Some(Err(cause)),
        };
        if self.open.len() >= MOST_OPEN {
            self.open.pop_front();
        }
        self.open.push_back((*image, file));
        self.open.back().map(|(_, file)| Ok(file))
    }

    /// It is looked at again when it is asked for again.
    fn forget(&mut self, image: &Digest, cause: &io::Error) {
        self.open.retain(|(it, _)| it != image);
        let Some((path, stamp)) = self.known.remove(image) else {
            return;
        };
        let why = file::unreadable(path.display(), cause);
        self.news.push(why.text().to_owned());
        let now = Found {
            stamp: Some(stamp),
            digest: Err(why.text().to_owned()),
        };
        self.found.insert(path, now);
    }
}

/// What is in a file, which is read unless it is as it was; `None`: it is no file, or is gone.
fn found(path: &Path, before: Option<&Found>) -> Option<Found> {
    let failed = |stamp, cause: &io::Error| Found {
        stamp,
        digest: Err(file::unreadable(path.display(), cause).text().to_owned()),
    };
    let stamp = match fs::metadata(path) {
        Ok(about) if !about.is_file() => return None,
        Ok(about) => stamped(&about),
        // Gone since the directory was read.
        Err(_) if fs::symlink_metadata(path).is_err() => return None,
        Err(cause) => Err(cause),
    };
    let stamp = match stamp {
        Ok(stamp) => stamp,
        Err(cause) => return Some(failed(None, &cause)),
    };
    let same = before.filter(|it| it.stamp == Some(stamp) && it.digest.is_ok());
    if same.is_some() {
        return same.cloned();
    }
    let read = || {
        let file = open(path)?;
        let stamp = stamped(&file.metadata()?)?;
        Ok((stamp, digest_of(file)?))
    };
    Some(match read() {
        Ok((stamp, digest)) => Found {
            stamp: Some(stamp),
            digest: Ok(digest),
        },
        Err(cause) => failed(Some(stamp), &cause),
    })
}

/// Opens a file of the directory; a link that leads out of it is not followed.
fn open(path: &Path) -> io::Result<File> {
    let (folder, name) = match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) if !folder.as_os_str().is_empty() => (folder, name),
        (_, name) => (Path::new("."), name.unwrap_or_default()),
    };
    let name = name.to_str();
    let name = name.ok_or_else(|| io::Error::other("its name is no UTF-8"))?;
    let folder = File::open(folder)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    match beneath::open(folder.as_fd(), name, flags, Mode::empty()) {
        Ok(file) => Ok(file.into()),
        Err(cause) if cause.kind() == io::ErrorKind::CrossesDevices => {
            Err(io::Error::other("the link leads out of the directory"))
        }
        Err(cause) => Err(cause),
    }
}

fn stamped(about: &Metadata) -> io::Result<Stamp> {
    Ok((about.len(), about.modified()?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::firmware::sha256;

    #[test]
    fn blocks_are_kept_within_bounds_the_newest_longest() {
        let mut kept = Kept::default();
        let block = Bytes::from(vec![1; 64 << 10]);
        for number in 0..1000 {
            kept.keep(([0; 32], 64 << 10, number), block.clone());
            assert!(kept.bytes <= MOST_KEPT);
            assert!(kept.blocks.contains_key(&([0; 32], 64 << 10, number)));
        }
        let each = (64 << 10) + ENTRY;
        assert_eq!(kept.blocks.len(), MOST_KEPT / each);
        assert_eq!(kept.order.len(), kept.blocks.len());
        assert_eq!(kept.bytes, kept.blocks.len() * each);
    }

    #[test]
    fn a_file_that_cannot_be_read_hides_no_other_and_is_said_once() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("1.bin"), b"first").expect("a file");
        symlink("loop", path("loop")).expect("a link");
        let mut images = Images::of(folder.path()).expect("a directory");
        let news = images.news();
        assert_eq!(news.len(), 1, "{news:?}");
        assert!(news[0].contains("/loop: "), "{news:?}");
        fs::write(path("2.bin"), b"second").expect("a file");
        images.look().expect("a directory");
        assert!(images.news().is_empty());
        assert_eq!(images.count(), 2);
        let second = images.block(&sha256(b"second"), 64, 0);
        assert_eq!(second.as_deref(), Some(&b"second"[..]));
        // What is wrong in another way is said again; what is mended is served, and what is gone is not missed.
        fs::remove_file(path("loop")).expect("removed");
        symlink("nothing", path("loop")).expect("a link");
        images.look().expect("a directory");
        assert_eq!(images.news().len(), 1);
        fs::write(path("nothing"), b"third").expect("a file");
        fs::remove_file(path("1.bin")).expect("removed");
        images.look().expect("a directory");
        assert!(images.news().is_empty());
        assert!(images.has(&sha256(b"third")) && images.count() == 2);
    }

    #[test]
    fn a_link_that_leads_out_is_not_followed() {
        let outside = tempfile::tempdir().expect("a directory");
        let folder = tempfile::tempdir().expect("a directory");
        let secret = outside.path().join("secret");
        fs::write(&secret, b"secret").expect("a file");
        fs::write(folder.path().join("1.bin"), b"first").expect("a file");
        symlink(&secret, folder.path().join("out")).expect("a link");
        symlink("1.bin", folder.path().join("in")).expect("a link");
        let mut images = Images::of(folder.path()).expect("a directory");
        let news = images.news();
        let why = "/out: the link leads out of the directory";
        assert!(news.len() == 1 && news[0].ends_with(why), "{news:?}");
        assert!(images.has(&sha256(b"first")) && !images.has(&sha256(b"secret")));
        // One that is put there later, with the same time and size, is not followed, either.
        let path = folder.path().join("2.bin");
        fs::hard_link(&secret, &path).expect("a link");
        images.look().expect("a directory");
        fs::remove_file(&path).expect("removed");
        symlink(&secret, &path).expect("a link");
        assert_eq!(images.block(&sha256(b"secret"), 64, 0), None);
    }

    #[test]
    fn an_image_that_was_changed_is_not_served_and_then_is_another() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("1.bin");
        fs::write(&path, b"first").expect("a file");
        let mut images = Images::of(folder.path()).expect("a directory");
        fs::write(&path, b"another").expect("a file");
        assert_eq!(images.block(&sha256(b"first"), 64, 0), None);
        let news = images.news();
        assert!(
            news.len() == 1 && news[0].ends_with("it was changed"),
            "{news:?}"
        );
        images.look().expect("a directory");
        assert!(images.block(&sha256(b"another"), 64, 0).is_some());
        assert!(images.news().is_empty());
    }

    #[test]
    fn many_images_need_few_descriptors() {
        let folder = tempfile::tempdir().expect("a directory");
        let name = |number: u32| number.to_be_bytes();
        for number in 0..1000_u32 {
            fs::write(folder.path().join(number.to_string()), name(number)).expect("a file");
        }
        let mut images = Images::of(folder.path()).expect("a directory");
        assert_eq!((images.count(), images.open.len()), (1000, 0));
        for number in (0..1000_u32).chain(0..10) {
            let block = images.block(&sha256(&name(number)), 64, 0);
            assert_eq!(block.as_deref(), Some(&name(number)[..]));
            assert!(images.open.len() <= MOST_OPEN);
        }
    }
}
