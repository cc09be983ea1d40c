//! A body that goes into a file while it comes, so that the next run can go on where this one stopped.
//!
//! What has come stands in `FILE.part`, its ETag and below it its URI in `FILE.part.etag`; both are there whenever the
//! command ends, be it by a crash. Without ETag nothing could tell whether the rest belongs to the same body: then it
//! begins anew. An ETag says so only of one resource (RFC 7252 §5.10.6): with another URI it begins anew too.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use data_encoding::HEXLOWER;

use crate::coap::endpoint::{Arrived, Resume};
use crate::error::{Error, Kind, Result};

/// A file that grows with the blocks.
pub(crate) struct Download {
    path: PathBuf,
    part: PathBuf,
    file: File,
    uri: String,
    /// What the file holds belongs to the body that comes.
    goes_on: bool,
    written: u64,
    etag: Option<Bytes>,
}

impl Download {
    /// Looks for what an earlier run has left of this URI's.
    pub(crate) fn open(path: &Path, uri: String) -> Result<Self> {
        let part = with_ending(path, ".part");
        let mut options = File::options();
        let opened = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&part);
        let cannot = |cause| cannot(&part, &cause);
        let file = opened.map_err(cannot)?;
        if file.try_lock().is_err() {
            let text = format!("{} is in use by another command", part.display());
            return Err(Error::new(Kind::Local, text));
        }
        let written = file.metadata().map_err(cannot)?.len();
        let etag = read_etag(&with_ending(&part, ".etag"), &uri);
        let known = etag.is_some() && written > 0;
        Ok(Self {
            path: path.to_owned(),
            file,
            uri,
            goes_on: known,
            written: if known { written } else { 0 },
            etag: etag.filter(|_| known),
            part,
        })
    }

    /// Where the server is to go on; nothing when it must begin at the beginning.
    pub(crate) fn resume(&self) -> Option<Resume> {
        let etag = self.etag.clone()?;
        Some(Resume {
            offset: usize::try_from(self.written).ok()?,
            etag: Some(etag),
        })
    }

    /// The same without what is there.
    pub(crate) fn without_past(self) -> Self {
        Self {
            goes_on: false,
            written: 0,
            etag: None,
            ..self
        }
    }

    /// How many bytes are there.
    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    /// Takes over what has come so far.
    pub(crate) fn take(&mut self, arrived: &Arrived<'_>) -> Result<()> {
        self.write(arrived)
            .map_err(|cause| cannot(&self.part, &cause))
    }

    fn write(&mut self, arrived: &Arrived<'_>) -> io::Result<()> {
        let (start, end) = (
            arrived.offset as u64,
            (arrived.offset + arrived.body.len()) as u64,
        );
        if !self.goes_on || self.etag.as_ref() != arrived.etag {
            self.begin_anew(arrived.etag)?;
        }
        if self.written < start || self.written > end {
            // It begins before what is there, at the beginning of a block.
            self.written = start;
        }
        let new = &arrived.body[(self.written - start) as usize..];
        self.file.seek(SeekFrom::Start(self.written))?;
        self.file.write_all(new)?;
        self.written = end;
        Ok(())
    }

    /// Another body: nothing of what is there belongs to it.
    fn begin_anew(&mut self, etag: Option<&Bytes>) -> io::Result<()> {
        (self.goes_on, self.written) = (true, 0);
        self.file.set_len(0)?;
        self.etag = etag.cloned();
        let beside = with_ending(&self.part, ".etag");
        match etag {
            Some(etag) => {
                let text = format!("{}\n{}\n", HEXLOWER.encode(etag), self.uri);
                fs::write(beside, text)
            }
            None => remove(&beside),
        }
    }

    /// The body is whole: the file gets its name.
    pub(crate) fn finish(mut self, arrived: &Arrived<'_>) -> Result<()> {
        self.take(arrived)?;
        let named = self
            .file
            .set_len(self.written)
            .and_then(|()| self.file.sync_all())
            .and_then(|()| fs::rename(&self.part, &self.path))
            .and_then(|()| remove(&with_ending(&self.part, ".etag")));
        named.map_err(|cause| cannot(&self.path, &cause))
    }
}

fn cannot(path: &Path, cause: &io::Error) -> Error {
    Error::local(format_args!("cannot write {}", path.display()), cause)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

/// What is no ETag of ours is none, and neither is that of another URI.
fn read_etag(path: &Path, uri: &str) -> Option<Bytes> {
    let text = fs::read_to_string(path).ok()?;
    let (etag, of) = text.split_once('\n')?;
    let etag = HEXLOWER.decode(etag.trim().as_bytes()).ok()?;
    let etag = Some(etag).filter(|_| of.trim() == uri)?;
    (1..=8).contains(&etag.len()).then(|| etag.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Bytes = Bytes::from_static(b"old");
    const NEW: Bytes = Bytes::from_static(b"new");

    const fn arrived<'a>(offset: usize, body: &'a [u8], etag: Option<&'a Bytes>) -> Arrived<'a> {
        Arrived { offset, body, etag }
    }

    fn open(path: &Path) -> Result<Download> {
        Download::open(path, String::from("coap://h/a"))
    }

    #[test]
    fn what_came_is_gone_on_with_from_a_whole_block() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let mut first = open(&path).unwrap();
        assert_eq!(first.resume(), None);
        assert!(open(&path).is_err(), "one command at a time");
        first.take(&arrived(0, b"0123", Some(&OLD))).unwrap();
        first.take(&arrived(0, b"012345", Some(&OLD))).unwrap();
        drop(first);
        let mut second = open(&path).unwrap();
        let etag = Some(OLD);
        assert_eq!(second.resume(), Some(Resume { offset: 6, etag }));
        second.take(&arrived(4, b"4567", Some(&OLD))).unwrap();
        second.finish(&arrived(4, b"456789", Some(&OLD))).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"0123456789");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn another_body_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let mut first = open(&path).unwrap();
        first.take(&arrived(0, b"0123456789", Some(&OLD))).unwrap();
        first.take(&arrived(0, b"abcd", Some(&NEW))).unwrap();
        assert_eq!(fs::read(folder.path().join("f.part")).unwrap(), b"abcd");
        // A body without ETag is not gone on with.
        first.take(&arrived(0, b"xy", None)).unwrap();
        drop(first);
        let second = open(&path).unwrap();
        assert_eq!(second.resume(), None);
        second.finish(&arrived(0, b"z", Some(&NEW))).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"z");
    }

    #[test]
    fn another_uri_begins_anew_whatever_its_etag() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let beside = folder.path().join("f.part.etag");
        let other = || Download::open(&path, String::from("coap://h/b")).unwrap();
        open(&path)
            .unwrap()
            .take(&arrived(0, b"0123456789", Some(&OLD)))
            .unwrap();
        let mut second = other();
        assert_eq!((second.resume(), second.written()), (None, 0));
        second.take(&arrived(0, b"ab", Some(&OLD))).unwrap();
        drop(second);
        assert_eq!(other().written(), 2);
        assert_eq!(open(&path).unwrap().resume(), None);
        // What is written without ETag is not taken for what was there before.
        other().take(&arrived(0, b"01", Some(&OLD))).unwrap();
        open(&path).unwrap().take(&arrived(0, b"x", None)).unwrap();
        assert!(!beside.exists());
        // That of an earlier version has no URI.
        fs::write(&beside, "6f6c64\n").unwrap();
        assert_eq!(open(&path).unwrap().resume(), None);
    }

    #[test]
    fn a_body_that_shrank_leaves_no_tail() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let mut first = open(&path).unwrap();
        first.take(&arrived(0, b"0123456789", Some(&OLD))).unwrap();
        first.finish(&arrived(0, b"012", Some(&OLD))).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"012");
    }
}
