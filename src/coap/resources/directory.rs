//! The files of a directory.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bytes::Bytes;

use super::{condition_fails, shown};
use crate::coap::code::Code;
use crate::coap::endpoint::{Incoming, Response};
use crate::coap::format;
use crate::coap::link::{self, Link};
use crate::coap::option;
use crate::coap::site::{Answer, Resource};

/// Files larger than this are not shown: each is read as a whole.
const LARGEST: u64 = 256 << 20;

/// Shows the files below a directory, and takes new ones if it may.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    writable: bool,
}

impl Directory {
    /// The directory at `root`, which must be there.
    ///
    /// # Errors
    /// It is no directory, or cannot be read.
    pub fn open(root: &Path, writable: bool) -> io::Result<Self> {
        let root = root.canonicalize()?;
        fs::read_dir(&root)?;
        Ok(Self { root, writable })
    }

    /// The file that a request means. `None` for names that lead anywhere else.
    fn file(&self, request: &Incoming) -> Option<PathBuf> {
        let mut file = self.root.clone();
        for segment in request.options.texts(option::URI_PATH) {
            let harmless = !matches!(segment.as_str(), "" | "." | "..")
                && !segment.contains(['/', '\\', '\0']);
            if !harmless && !segment.is_empty() {
                return None;
            }
            file.push(segment);
        }
        // A link may lead out of the directory.
        let there = match file.canonicalize() {
            Ok(there) => there,
            Err(_) => file.parent()?.canonicalize().ok()?,
        };
        there.starts_with(&self.root).then_some(file)
    }

    fn show(&self, request: &Incoming, file: &Path) -> io::Result<Response> {
        let facts = fs::metadata(file)?;
        if facts.is_dir() {
            return self.list(file);
        }
        if facts.len() > LARGEST {
            let text = "the file is too large for this server";
            return Ok(Response::error(Code::INTERNAL_SERVER_ERROR, text));
        }
        let etag = etag(&facts);
        let body = Bytes::from(fs::read(file)?);
        Ok(shown(request, Some(format_of(file)), body, etag))
    }

    fn list(&self, folder: &Path) -> io::Result<Response> {
        let mut links = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let below = path.strip_prefix(&self.root).unwrap_or(&path);
            let Some(name) = below.to_str() else {
                continue;
            };
            let link = Link::new(format!("/{name}"));
            links.push(if path.is_dir() {
                link.with("ct", "40")
            } else {
                link.with("ct", format_of(&path).to_string())
            });
        }
        links.sort_by(|one, other| one.target.cmp(&other.target));
        Ok(Response::content(40, link::write(&links)))
    }

    fn put(request: &Incoming, file: &Path) -> io::Result<Code> {
        let old = fs::metadata(file).ok().map(|facts| etag(&facts));
        if condition_fails(request, old.as_ref()) {
            return Ok(Code::PRECONDITION_FAILED);
        }
        fs::write(file, &request.payload)?;
        Ok(if old.is_some() {
            Code::CHANGED
        } else {
            Code::CREATED
        })
    }

    fn delete(request: &Incoming, file: &Path) -> io::Result<Code> {
        let old = fs::metadata(file).ok().map(|facts| etag(&facts));
        if condition_fails(request, old.as_ref()) {
            return Ok(Code::PRECONDITION_FAILED);
        }
        match fs::remove_file(file) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Code::DELETED),
            done => done.map(|()| Code::DELETED),
        }
    }
}

impl Resource for Directory {
    fn answer(&mut self, _now: Instant, request: &Incoming) -> Answer {
        let Some(file) = self.file(request) else {
            return Code::NOT_FOUND.into();
        };
        let done = match request.method {
            Code::GET => self.show(request, &file),
            Code::PUT if self.writable => Self::put(request, &file).map(Response::new),
            Code::DELETE if self.writable => Self::delete(request, &file).map(Response::new),
            _ => return Code::METHOD_NOT_ALLOWED.into(),
        };
        let refused = |cause: io::Error| {
            Response::new(match cause.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Code::NOT_FOUND,
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
fn etag(facts: &fs::Metadata) -> Bytes {
    let mut hasher = DefaultHasher::new();
    facts.len().hash(&mut hasher);
    facts.modified().ok().hash(&mut hasher);
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
