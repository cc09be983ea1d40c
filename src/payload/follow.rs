//! Reads what is appended to a file, for as long as anybody likes, and goes on with what takes its place.
//!
//! The file is looked at twenty times a second, which works on every file system; one that is renamed away again between two
//! looks is missed, as nobody can open what has no name any more. A file that was renamed or removed is read on
//! for as long as its successor is empty: programs write to the old one until they have opened the new one, and what they write
//! to the new one shows that they have.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::sleep;

/// Between two looks at a file in which there is nothing new.
const INTERVAL: Duration = Duration::from_millis(50);

/// As much as one read takes.
const CHUNK: usize = 64 * 1024;

/// A file that grows.
pub(super) struct Follow {
    path: PathBuf,
    file: Option<File>,
    /// How much of it was read.
    read: u64,
    /// Whether all that was read of it ended in [`Step::End`].
    ended: bool,
}

/// What a look at the file has found.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Chunk(Bytes),
    /// The file was replaced or truncated: what follows is of another.
    End,
    Nothing,
}

impl Follow {
    /// The file of this name from its end on, or from its beginning with `from_start`; from its beginning where there is none
    /// yet.
    pub(super) fn open(path: &Path, from_start: bool) -> io::Result<Self> {
        let mut follow = Self {
            path: path.to_owned(),
            file: None,
            read: 0,
            ended: true,
        };
        if follow.facts()?.is_some()
            && follow.reopen()?
            && !from_start
            && let Some(file) = &mut follow.file
        {
            follow.read = file.seek(SeekFrom::End(0))?;
        }
        Ok(follow)
    }

    /// The next chunk; an empty one where what follows is of another file. Cancel-safe.
    pub(super) async fn next(&mut self) -> io::Result<Bytes> {
        loop {
            match self.step()? {
                Step::Chunk(chunk) => return Ok(chunk),
                Step::End => return Ok(Bytes::new()),
                Step::Nothing => sleep(INTERVAL).await,
            }
        }
    }

    fn step(&mut self) -> io::Result<Step> {
        let Some(file) = &mut self.file else {
            return match self.facts()?.is_some() && self.reopen()? {
                true => self.step(),
                false => Ok(Step::Nothing),
            };
        };
        // Before it is read to its end: what was written to it before its successor is there is read then.
        let facts = file.metadata()?;
        let successor = match named(&self.path)? {
            Some(other) if !is_same(&facts, &other) => Some(other),
            _ => None,
        };
        if facts.len() < self.read {
            file.seek(SeekFrom::Start(0))?;
            self.read = 0;
            if self.end() {
                return Ok(Step::End);
            }
        }
        let chunk = self.chunk()?;
        if !chunk.is_empty() {
            return Ok(Step::Chunk(chunk));
        }
        match successor {
            Some(other) if !other.is_file() || other.len() > 0 => {
                self.file = None;
                match self.end() {
                    true => Ok(Step::End),
                    false => self.step(),
                }
            }
            _ => Ok(Step::Nothing),
        }
    }

    /// Ends what was read, unless that is done or there is nothing.
    const fn end(&mut self) -> bool {
        !std::mem::replace(&mut self.ended, true)
    }

    fn chunk(&mut self) -> io::Result<Bytes> {
        let Some(file) = &mut self.file else {
            return Ok(Bytes::new());
        };
        let mut room = BytesMut::zeroed(CHUNK);
        let length = loop {
            match file.read(&mut room) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.read += length as u64;
        self.ended &= length == 0;
        room.truncate(length);
        Ok(room.freeze())
    }

    /// Opens the file that has the name now; `false` when that is gone already.
    fn reopen(&mut self) -> io::Result<bool> {
        self.read = 0;
        self.file = match File::open(&self.path) {
            Ok(file) => Some(with_length(file)?),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(self.file.is_some())
    }

    /// What is known of the file that has the name, which must be a regular one; `None` while there is none.
    fn facts(&self) -> io::Result<Option<Metadata>> {
        let facts = named(&self.path)?;
        match &facts {
            // To open a pipe could wait for ever.
            Some(facts) if !facts.is_file() => Err(io::Error::new(
                ErrorKind::InvalidInput,
                "not a regular file",
            )),
            _ => Ok(facts),
        }
    }
}

fn named(path: &Path) -> io::Result<Option<Metadata>> {
    match std::fs::metadata(path) {
        Ok(facts) => Ok(Some(facts)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The file, unless it has something in it and is of no length all the same, as those of /proc: what is new in it cannot be
/// told from what is old.
fn with_length(file: File) -> io::Result<File> {
    let is_empty = || Ok::<_, io::Error>(file.metadata()?.len() == 0);
    // The second look is for what was written to it between the first one and the reading.
    if is_empty()? && file.read_at(&mut [0], 0)? > 0 && is_empty()? {
        let text = "a file that reports no length, such as those in /proc, cannot be followed";
        return Err(io::Error::new(ErrorKind::InvalidInput, text));
    }
    Ok(file)
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use tempfile::TempDir;

    use super::*;

    /// A file in a folder of its own.
    struct Place {
        folder: TempDir,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            Self { folder }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn append(&self, name: &str, text: &str) -> File {
            let mut file = File::options()
                .append(true)
                .create(true)
                .open(self.path(name))
                .unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file
        }

        fn follow(&self, from_start: bool) -> Follow {
            Follow::open(&self.path("log"), from_start).unwrap()
        }
    }

    fn chunk(text: &'static str) -> Step {
        Step::Chunk(Bytes::from(text))
    }

    #[test]
    fn what_is_appended_is_read_once() {
        let place = Place::new();
        place.append("log", "old\n");
        let (mut follow, mut all) = (place.follow(false), place.follow(true));
        assert_eq!(follow.step().unwrap(), Step::Nothing);
        assert_eq!(all.step().unwrap(), chunk("old\n"));
        place.append("log", "new\n");
        for follow in [&mut follow, &mut all] {
            assert_eq!(follow.step().unwrap(), chunk("new\n"));
            assert_eq!(follow.step().unwrap(), Step::Nothing);
        }
    }

    #[test]
    fn a_file_that_comes_later_is_read_from_its_beginning() {
        let place = Place::new();
        let mut follow = place.follow(false);
        assert_eq!(follow.step().unwrap(), Step::Nothing);
        place.append("log", "first\n");
        assert_eq!(follow.step().unwrap(), chunk("first\n"));
    }

    #[test]
    fn a_renamed_file_is_read_to_its_end_before_its_successor() {
        let place = Place::new();
        let mut old = place.append("log", "");
        let mut follow = place.follow(false);
        old.write_all(b"1\n").unwrap();
        fs::rename(place.path("log"), place.path("log.1")).unwrap();
        old.write_all(b"2\n").unwrap();
        assert_eq!(follow.step().unwrap(), chunk("1\n2\n"));
        assert_eq!(follow.step().unwrap(), Step::Nothing);
        // The new one is there, and the program has not opened it yet.
        place.append("log", "");
        assert_eq!(follow.step().unwrap(), Step::Nothing);
        old.write_all(b"3").unwrap();
        place.append("log", "4\n");
        assert_eq!(follow.step().unwrap(), chunk("3"));
        assert_eq!(follow.step().unwrap(), Step::End);
        assert_eq!(follow.step().unwrap(), chunk("4\n"));
        assert_eq!(follow.step().unwrap(), Step::Nothing);
    }

    #[test]
    fn a_removed_file_is_waited_for() {
        let place = Place::new();
        place.append("log", "");
        let mut follow = place.follow(false);
        place.append("log", "1\n");
        assert_eq!(follow.step().unwrap(), chunk("1\n"));
        fs::remove_file(place.path("log")).unwrap();
        assert_eq!(follow.step().unwrap(), Step::Nothing);
        place.append("log", "2\n");
        assert_eq!(follow.step().unwrap(), Step::End);
        assert_eq!(follow.step().unwrap(), chunk("2\n"));
    }

    #[test]
    fn a_truncated_file_is_read_from_its_beginning() {
        let place = Place::new();
        let file = place.append("log", "");
        let mut follow = place.follow(false);
        place.append("log", "one\ntw");
        assert_eq!(follow.step().unwrap(), chunk("one\ntw"));
        file.set_len(0).unwrap();
        assert_eq!(follow.step().unwrap(), Step::End);
        assert_eq!(follow.step().unwrap(), Step::Nothing);
        place.append("log", "a\n");
        assert_eq!(follow.step().unwrap(), chunk("a\n"));
        assert_eq!(follow.step().unwrap(), Step::Nothing);
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let place = Place::new();
        let refused = Follow::open(place.folder.path(), false).err().unwrap();
        assert_eq!(refused.to_string(), "not a regular file");
        let mut follow = place.follow(false);
        fs::create_dir(place.path("log")).unwrap();
        assert!(follow.step().is_err());
        // Its content would be sent again and again.
        let refused = Follow::open(Path::new("/proc/self/status"), true).err();
        assert!(refused.unwrap().to_string().contains("reports no length"));
    }
}
