//! The files of a directory.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::{condition_fails, shown};
use crate::coap::code::Code;
use crate::coap::endpoint::{Incoming, Response};
use crate::coap::format;
use crate::coap::option;
use crate::coap::random::Random;
use crate::coap::site::{Answer, Resource};
use crate::coap::uri;
use crate::file::beneath;
use crate::payload::link::{self, Link};

/// Files larger than this are not shown: each is read as a whole, and kept until its last block was fetched.
const LARGEST: u64 = 48 << 20;

/// Files and folders that are listed at most.
const LISTED: usize = 10_000;

/// Shows the files below a directory, and takes new ones if it may. It never leaves the directory, whatever is renamed or
/// linked meanwhile, and touches nothing but files: what is read from a pipe or a device never ends.
#[derive(Debug)]
pub(crate) struct Directory {
    root: OwnedFd,
    writable: bool,
}

impl Directory {
    /// The directory at `root`, which must be there.
    ///
    /// # Errors
    /// It is no directory, or cannot be read.
    pub(crate) fn open(root: &Path, writable: bool) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(root, flags, Mode::empty())?;
        Dir::read_from(&root)?;
        Ok(Self { root, writable })
    }

    fn show(&self, request: &Incoming, path: &[String]) -> io::Result<Response> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = beneath::open(self.root.as_fd(), &path.join("/"), flags, Mode::empty())?;
        let facts = rustix::fs::fstat(&file)?;
        match FileType::from_raw_mode(facts.st_mode) {
            FileType::Directory if !request.accepts(Some(format::LINK)) => {
                return Ok(Response::new(Code::NOT_ACCEPTABLE));
            }
            FileType::Directory => return self.list(&file, path),
            FileType::RegularFile => {}
            _ => return Ok(Response::error(Code::NOT_FOUND, "not a file")),
        }
        let too_large = || {
            let text = "the file is too large for this server";
            Response::error(Code::INTERNAL_SERVER_ERROR, text)
        };
        if u64::try_from(facts.st_size).is_ok_and(|it| it > LARGEST) {
            return Ok(too_large());
        }
        let mut body = Vec::with_capacity(usize::try_from(facts.st_size).unwrap_or(0));
        // It may grow meanwhile, and what the system makes up has no size at all.
        let read = File::from(file).take(LARGEST + 1).read_to_end(&mut body)?;
        if read as u64 > LARGEST {
            return Ok(too_large());
        }
        let format = path.last().map_or(42, |it| format_of(Path::new(it)));
        Ok(shown(request, Some(format), body.into(), etag(&facts)))
    }

    fn list(&self, folder: &OwnedFd, path: &[String]) -> io::Result<Response> {
        let mut links = Vec::new();
        for entry in Dir::read_from(folder)? {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().ok().filter(|it| is_harmless(it)) else {
                continue;
            };
            if links.len() >= LISTED {
                let text = "too many files to list";
                return Ok(Response::error(Code::INTERNAL_SERVER_ERROR, text));
            }
            let parts: Vec<&str> = path.iter().map(String::as_str).chain([name]).collect();
            let kind = match entry.file_type() {
                FileType::Symlink | FileType::Unknown => self.leads_to(&parts.join("/")),
                kind => Some(kind),
            };
            let format = match kind {
                Some(FileType::Directory) => 40,
                Some(FileType::RegularFile) => format_of(Path::new(name)),
                _ => continue,
            };
            let target = uri::local_text(&parts, &[]);
            links.push(Link::new(target).with("ct", format.to_string()));
        }
        links.sort_by(|one, other| one.target.cmp(&other.target));
        Ok(Response::content(40, link::write(&links)))
    }

    /// What a link leads to; `None` where it leads out, or nowhere.
    fn leads_to(&self, path: &str) -> Option<FileType> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = beneath::open(self.root.as_fd(), path, flags, Mode::empty()).ok()?;
        let facts = rustix::fs::fstat(&file).ok()?;
        Some(FileType::from_raw_mode(facts.st_mode))
    }

    fn put(&self, request: &Incoming, path: &[String]) -> io::Result<Response> {
        let (folder, name, old) = self.place(path)?;
        let refused = refusal(request, old.as_ref());
        if let Some(refused) = refused {
            return Ok(refused);
        }
        // Whoever reads it meanwhile has the old one, or the new one whole.
        let part = format!(".{:016x}.part", Random::from_system().next());
        let mode = old.as_ref().map_or(0o666, |it| it.st_mode & 0o777);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&folder, &part, flags, Mode::from_raw_mode(mode))?;
        let mut file = File::from(file);
        let written = file
            .write_all(&request.payload)
            .and_then(|()| Ok(rustix::fs::renameat(&folder, &part, &folder, name)?));
        if written.is_err() {
            let _ = rustix::fs::unlinkat(&folder, &part, AtFlags::empty());
        }
        written?;
        Ok(Response::new(match old {
            Some(_) => Code::CHANGED,
            None => Code::CREATED,
        }))
    }

    fn delete(&self, request: &Incoming, path: &[String]) -> io::Result<Response> {
        let (folder, name, old) = self.place(path)?;
        let refused = refusal(request, old.as_ref());
        if let Some(refused) = refused {
            return Ok(refused);
        }
        match rustix::fs::unlinkat(&folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(Response::new(Code::DELETED)),
            Err(cause) => Err(cause.into()),
        }
    }

    /// The folder of a file, its name there, and what is there already; links are not followed.
    fn place<'a>(&self, path: &'a [String]) -> io::Result<(OwnedFd, &'a str, Option<Stat>)> {
        let (name, folder) = path.split_last().ok_or(io::ErrorKind::PermissionDenied)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let folder = beneath::open(self.root.as_fd(), &folder.join("/"), flags, Mode::empty())?;
        let old = match rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(facts) => Some(facts),
            Err(Errno::NOENT) => None,
            Err(cause) => return Err(cause.into()),
        };
        Ok((folder, name, old))
    }
}

/// Why what is there is not replaced or removed.
fn refusal(request: &Incoming, old: Option<&Stat>) -> Option<Response> {
    let is_file = |it: &Stat| FileType::from_raw_mode(it.st_mode) == FileType::RegularFile;
    if !old.is_none_or(is_file) {
        return Some(Response::error(Code::METHOD_NOT_ALLOWED, "not a file"));
    }
    let fails = condition_fails(request, old.map(etag).as_ref());
    fails.then(|| Response::new(Code::PRECONDITION_FAILED))
}

/// The names that a request's path is made of. `None` for names that lead anywhere else.
fn names(request: &Incoming) -> Option<Vec<String>> {
    let mut names = request.options.texts(option::URI_PATH);
    // A folder may be written with a slash at its end.
    names.pop_if(|it| it.is_empty());
    names.iter().all(|it| is_harmless(it)).then_some(names)
}

/// Whether a name leads nowhere else.
fn is_harmless(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0'])
}

impl Resource for Directory {
    fn answer(&mut self, _now: Instant, request: &Incoming) -> Answer {
        let Some(path) = names(request) else {
            return Code::NOT_FOUND.into();
        };
        let done = match request.method {
            Code::GET => self.show(request, &path),
            Code::PUT if self.writable => self.put(request, &path),
            Code::DELETE if self.writable => self.delete(request, &path),
            _ => return Code::METHOD_NOT_ALLOWED.into(),
        };
        let refused = |cause: io::Error| {
            let leads_out = [Errno::XDEV, Errno::LOOP, Errno::NXIO];
            let errno = cause.raw_os_error().map(Errno::from_raw_os_error);
            Response::new(match cause.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Code::NOT_FOUND,
                _ if errno.is_some_and(|it| leads_out.contains(&it)) => Code::NOT_FOUND,
                io::ErrorKind::PermissionDenied => Code::FORBIDDEN,
                _ => Code::INTERNAL_SERVER_ERROR,
            })
        };
        done.unwrap_or_else(refused).into()
    }

    fn link(&self, link: Link) -> Option<Link> {
        Some(link.with("ct", "40"))
    }

    fn has_children(&self) -> bool {
        true
    }
}

/// Eight bytes that change with the file.
fn etag(facts: &Stat) -> Bytes {
    let mut hasher = DefaultHasher::new();
    let changed = (facts.st_mtime, facts.st_mtime_nsec, facts.st_ino);
    (facts.st_size, changed).hash(&mut hasher);
    Bytes::copy_from_slice(&hasher.finish().to_be_bytes())
}

fn format_of(file: &Path) -> u16 {
    let extension = file.extension().and_then(|it| it.to_str()).unwrap_or("");
    match extension {
        "txt" | "md" | "log" | "csv" => 0,
        "wlnk" => 40,
        "xml" => 41,
        other => format::number(other)
            .filter(|_| matches!(other, "json" | "cbor" | "exi"))
            .unwrap_or(42),
    }
}
