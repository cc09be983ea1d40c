//! A folder that gets a file for each message: whole, or not at all, and never in the place of another.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, linkat, mkdirat, renameat, unlinkat};
use rustix::io::Errno;

use super::names::Names;
use super::sink::write_all;
use crate::error::{Error, Kind, Result};
use crate::file::beneath;
use crate::message::Message;

/// As many unfinished files of others may lie there.
const MOST_LEFT: u32 = 100;

pub(super) struct Folder {
    names: Names,
    root: OwnedFd,
    /// The number of the file that was written last.
    count: u64,
}

impl Folder {
    /// Opens a folder, or makes it.
    ///
    /// # Errors
    /// [`Kind::Local`] that names it.
    pub(super) fn open(names: Names) -> Result<Self> {
        let path = &names.folder;
        let opened = fs::create_dir_all(path).and_then(|()| File::open(path));
        let root = opened
            .map_err(|cause| {
                Error::local(
                    format_args!("cannot use the folder {}", path.display()),
                    &cause,
                )
            })?
            .into();
        let count = highest(&names);
        Ok(Self { names, root, count })
    }

    /// Puts a message into its file.
    ///
    /// # Errors
    /// [`Kind::Local`] that names the file.
    pub(super) fn put(&mut self, message: &Message, bytes: &[u8]) -> Result<()> {
        let parts = self.names.path(message, self.count + 1);
        self.write(&parts, bytes).map_err(|cause| {
            let path = self.names.folder.join(parts.join("/"));
            match cause.kind() {
                io::ErrorKind::AlreadyExists => {
                    let text = format!("cannot write {}: it exists already", path.display());
                    Error::new(Kind::Local, text)
                        .hint("{seq} and {time} in the name tell messages apart")
                }
                _ => Error::local(format_args!("cannot write {}", path.display()), &cause),
            }
        })?;
        self.count += 1;
        Ok(())
    }

    fn write(&self, parts: &[String], bytes: &[u8]) -> io::Result<()> {
        let (name, folders) = parts.split_last().ok_or(io::ErrorKind::InvalidInput)?;
        let mut folder = self.root.try_clone()?;
        for part in folders {
            folder = enter(&folder, part)?;
        }
        let (draft, file) = draft(&folder)?;
        let placed = write_all(&file.into(), bytes).and_then(|()| place(&folder, &draft, name));
        if placed.is_err() {
            // The first failure is told.
            let _ = unlinkat(&folder, &draft, AtFlags::empty());
        }
        placed
    }
}

/// The highest number of a file that lies there already, or 0: numbers go on where an earlier run has stopped.
fn highest(names: &Names) -> u64 {
    let Some(numbered) = names.numbered() else {
        return 0;
    };
    let mut highest = 0;
    let mut folders = vec![names.folder.clone()];
    while let Some(folder) = folders.pop() {
        // One that cannot be read cannot be written to, most often; its files are not replaced in any case.
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let number = entry
                .file_name()
                .to_str()
                .and_then(|it| numbered.number(it));
            highest = highest.max(number.unwrap_or_default());
            // Links are not followed.
            if entry.file_type().is_ok_and(|it| it.is_dir()) {
                folders.push(entry.path());
            }
        }
    }
    highest
}

/// A folder in a folder, which is made if there is none.
fn enter(folder: &OwnedFd, name: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    match beneath::open(folder.as_fd(), name, flags, Mode::empty()) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            match mkdirat(folder, name, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {
                    beneath::open(folder.as_fd(), name, flags, Mode::empty())
                }
                Err(cause) => Err(cause.into()),
            }
        }
        opened => opened,
    }
}

/// A new file that nobody knows by name.
fn draft(folder: &OwnedFd) -> io::Result<(String, OwnedFd)> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    let mode = Mode::from_raw_mode(0o666);
    let mut number = 0;
    loop {
        let name = format!(".iotctl-{}-{number}.new", std::process::id());
        match beneath::open(folder.as_fd(), &name, flags, mode) {
            // Left behind by a process of the same number that was killed.
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && number < MOST_LEFT => {
                number += 1;
            }
            opened => return Ok((name, opened?)),
        }
    }
}

/// Gives the whole file its name, which must be free.
fn place(folder: &OwnedFd, draft: &str, name: &str) -> io::Result<()> {
    match linkat(folder, draft, folder, name, AtFlags::empty()) {
        Ok(()) => Ok(unlinkat(folder, draft, AtFlags::empty())?),
        // A file system without links: the name is taken first.
        Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) => {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
            beneath::open(folder.as_fd(), name, flags, Mode::from_raw_mode(0o666))?;
            Ok(renameat(folder, draft, folder, name)?)
        }
        Err(cause) => Err(cause.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;
    use crate::output::names::Name;

    fn folder(path: &Path, name: &str) -> Folder {
        match format!("{}/out/{name}", path.display()).parse().unwrap() {
            Name::Names(names) => Folder::open(names).unwrap(),
            Name::Plain(path) => panic!("{path:?}"),
        }
    }

    fn message(topic: &str) -> Message {
        Message {
            topic: topic.into(),
            ..Message::default()
        }
    }

    #[test]
    fn each_message_is_a_file_and_none_is_replaced() {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("out");
        let mut numbered = folder(place.path(), "{topic}/{seq}.bin");
        for bytes in [b"one", b"two"] {
            numbered.put(&message("a/b"), bytes).unwrap();
        }
        assert_eq!(fs::read(out.join("a/b/1.bin")).unwrap(), b"one");
        assert_eq!(fs::read(out.join("a/b/2.bin")).unwrap(), b"two");
        // The next run goes on, whatever it is about first.
        let mut next = folder(place.path(), "{topic}/{seq}.bin");
        next.put(&message("c"), b"three").unwrap();
        assert_eq!(fs::read(out.join("c/3.bin")).unwrap(), b"three");
        let mut named = folder(place.path(), "{topic}/1.bin");
        let error = named.put(&message("a/b"), b"three").unwrap_err();
        let expected = format!(
            "cannot write {}/a/b/1.bin: it exists already",
            out.display()
        );
        assert_eq!((error.kind(), error.text()), (Kind::Local, &*expected));
        assert_eq!(fs::read(out.join("a/b/1.bin")).unwrap(), b"one");
        assert_eq!(
            fs::read_dir(out.join("a/b")).unwrap().count(),
            2,
            "no draft stays"
        );
        // A file where a folder would have to be.
        let error = folder(place.path(), "{topic}")
            .put(&message("a/b/1.bin/x"), b"")
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Local);
    }

    #[test]
    fn no_message_leaves_the_folder() {
        let place = tempfile::tempdir().unwrap();
        let (out, outside) = (place.path().join("out"), place.path().join("outside"));
        fs::create_dir_all(&out).unwrap();
        fs::create_dir_all(&outside).unwrap();
        symlink("../outside", out.join("link")).unwrap();
        symlink(&outside, out.join("absolute")).unwrap();
        symlink("../outside/new", out.join("file")).unwrap();
        let mut folder = folder(place.path(), "{topic}");
        for topic in ["link/x", "absolute/x", "file"] {
            folder.put(&message(topic), b"x").unwrap_err();
        }
        for topic in [
            "../outside/x",
            "/outside/x",
            "a/../../outside/x",
            "b/..",
            "/",
        ] {
            folder.put(&message(topic), b"x").unwrap();
        }
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
    }
}
