//! A journal: lines that are appended and synced, and survive a crash at any moment. One process writes it.
//!
//! | file | what it is |
//! |---|---|
//! | `FILE` | the lines, after a first one that says whose journal it is |
//! | `FILE.lock` | is locked for as long as the journal is open |
//! | `FILE.new` | what will replace it, while that is written |
//! | `FILE.inbox` | lines that other processes left for the one that has the journal |

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::file;

/// As much as is read.
const LARGEST: u64 = 1 << 30;

/// Nothing is compacted below so many lines.
const FEW: u64 = 1000;

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// The first line.
    head: String,
    file: File,
    /// Up to where it is good.
    length: u64,
    lines: u64,
    synced: bool,
    /// Locked until it is dropped.
    _lock: File,
}

/// What a journal holds: the lines after the first one, as far as they are whole.
pub type Lines = Vec<String>;

impl Journal {
    /// Opens a journal, or begins one, with its folder; `head` is a line that says whose it is. The last line is cut off where it
    /// is torn: nobody relied on it.
    ///
    /// # Errors
    /// [`Kind::Local`]: another process has it, it cannot be read or written; [`Kind::Usage`]: it begins with another line.
    pub fn open(path: &Path, head: &str) -> Result<(Self, Lines)> {
        Self::open_as(path, head, None)
    }

    /// The same, where one that begins with `other` is ours, too.
    ///
    /// # Errors
    /// Those of [`Journal::open`].
    pub fn open_as(path: &Path, head: &str, other: Option<&str>) -> Result<(Self, Lines)> {
        let failed = |cause: &io::Error| cannot_open(path, cause);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|cause| failed(&cause))?;
        }
        let lock = locked(path)?;
        let (known, lines, length) = read(path)?;
        let known = match known {
            Some(known) if known != head && other != Some(&*known) => {
                return Err(not_ours(path, &known));
            }
            known => known,
        };
        let opened = options().open(path).and_then(|file| {
            file.set_len(length)?;
            Ok(file)
        });
        let mut journal = Self {
            path: path.to_owned(),
            head: known.clone().unwrap_or_else(|| head.to_owned()),
            file: opened.map_err(|cause| failed(&cause))?,
            length,
            lines: lines.len() as u64,
            synced: false,
            _lock: lock,
        };
        if known.is_none() {
            journal.append(&format!("{head}\n"))?;
            journal.lines = 0;
        }
        journal.sync()?;
        Ok((journal, lines))
    }

    /// Appends lines, each of which ends with a line feed. They are safe after [`Journal::sync`].
    ///
    /// # Errors
    /// [`Kind::Local`]; then none of them is there.
    pub fn append(&mut self, lines: &str) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.synced = false;
        let written = self.file.write_all(lines.as_bytes());
        if let Err(cause) = written {
            // What was written of it would join the next line.
            let _ = self.file.set_len(self.length);
            return Err(cannot_write(&self.path, &cause));
        }
        self.length += lines.len() as u64;
        self.lines += lines.matches('\n').count() as u64;
        Ok(())
    }

    /// Puts what was appended on the disk.
    ///
    /// # Errors
    /// [`Kind::Local`].
    pub fn sync(&mut self) -> Result<()> {
        if !self.synced {
            let synced = self.file.sync_data();
            synced.map_err(|cause| cannot_write(&self.path, &cause))?;
            self.synced = true;
        }
        Ok(())
    }

    /// Whether `live` lines would do for what it says.
    pub const fn is_long(&self, live: u64) -> bool {
        self.lines > FEW + 2 * live
    }

    /// Replaces all lines by these, each of which ends with a line feed.
    ///
    /// # Errors
    /// [`Kind::Local`]; then it is as it was.
    pub fn compact(&mut self, lines: impl Iterator<Item = String>) -> Result<()> {
        let new = beside(&self.path, "new");
        let write = || {
            let mut text = format!("{}\n", self.head);
            let mut count = 0;
            lines.for_each(|line| {
                text.push_str(&line);
                count += 1;
            });
            let _ = fs::remove_file(&new);
            let mut file = options().open(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            sync_folder(&self.path)?;
            Ok((file, text.len() as u64, count))
        };
        let written: io::Result<_> = write();
        let (file, length, count) = written.map_err(|cause| cannot_write(&self.path, &cause))?;
        (self.file, self.length, self.lines) = (file, length, count);
        self.synced = true;
        Ok(())
    }

    /// Hands over what other processes left, and removes it once that is synced; whether there was anything.
    ///
    /// # Errors
    /// [`Kind::Local`]; those of `apply`, upon which it stays.
    pub fn collect(&mut self, apply: impl FnOnce(&mut Self, Lines) -> Result<()>) -> Result<bool> {
        let inbox = beside(&self.path, "inbox");
        if !fs::metadata(&inbox).is_ok_and(|about| about.len() > 0) {
            return Ok(false);
        }
        let failed = |cause: io::Error| file::unreadable(inbox.display(), &cause);
        let mut file = options().open(&inbox).map_err(failed)?;
        file.lock().map_err(failed)?;
        let mut text = Vec::new();
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let read = Read::by_ref(&mut file).take(LARGEST);
        { read }.read_to_end(&mut text).map_err(failed)?;
        let (lines, _) = whole_lines(&text);
        apply(self, lines)?;
        self.sync()?;
        file.set_len(0).map_err(failed)?;
        Ok(true)
    }
}

/// Leaves a line for the process that has this journal, or will have it.
///
/// # Errors
/// [`Kind::Local`]: there is no such journal, or its inbox cannot be written.
pub fn leave(path: &Path, line: &str) -> Result<()> {
    fs::metadata(path).map_err(|cause| file::unreadable(path.display(), &cause))?;
    let inbox = beside(path, "inbox");
    if fs::metadata(&inbox).is_ok_and(|about| about.len() > file::SMALL) {
        let text = format!("{} is full: nobody collects it", inbox.display());
        return Err(Error::new(Kind::Local, text));
    }
    let write = || {
        let mut file = options().open(&inbox)?;
        file.lock()?;
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_all()
    };
    write().map_err(|cause| cannot_write(&inbox, &cause))
}

/// What a journal holds that another process may have: its first line, and the others.
///
/// # Errors
/// [`Kind::Local`]: it cannot be read.
pub fn look_into(path: &Path) -> Result<(Option<String>, Lines)> {
    fs::metadata(path).map_err(|cause| file::unreadable(path.display(), &cause))?;
    let (head, lines, _) = read(path)?;
    Ok((head, lines))
}

/// Whether a process has this journal.
pub fn is_open(path: &Path) -> bool {
    let lock = File::open(beside(path, "lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Why a file that begins with this line cannot be used.
fn not_ours(path: &Path, first: &str) -> Error {
    let head: Option<serde_json::Value> = serde_json::from_str(first).ok();
    let path = path.display();
    let text = match head.is_some_and(|head| head["version"].is_number()) {
        true => format!("{path} is the journal of another alert"),
        false => format!("{path} is no journal"),
    };
    Error::usage(text).hint(
        "use --name NAME or --state FILE; in a file of routes another name, or state = \"FILE\"",
    )
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    options
}

fn locked(path: &Path) -> Result<File> {
    let lock = beside(path, "lock");
    let lock = options()
        .open(lock)
        .map_err(|cause| cannot_open(path, &cause))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            let text = format!("{} is used by another process", path.display());
            Err(Error::new(Kind::Local, text).hint("use --name NAME or --state FILE"))
        }
        Err(TryLockError::Error(cause)) => Err(cannot_open(path, &cause)),
    }
}

/// The first line, the others, and how many bytes all whole ones have.
fn read(path: &Path) -> Result<(Option<String>, Lines, u64)> {
    let bytes = match fs::exists(path) {
        Ok(false) => Vec::new(),
        _ => file::read(path, LARGEST)?,
    };
    let (mut lines, length) = whole_lines(&bytes);
    if lines.is_empty() {
        return Ok((None, lines, 0));
    }
    let head = lines.remove(0);
    Ok((Some(head), lines, length))
}

/// The lines that end with a line feed, and how many bytes they have together; what is not UTF-8 is replaced.
fn whole_lines(bytes: &[u8]) -> (Lines, u64) {
    let end = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
    let text = String::from_utf8_lossy(&bytes[..end]);
    (text.lines().map(str::to_owned).collect(), end as u64)
}

/// So that the new name survives too.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

fn cannot_open(path: &Path, cause: &io::Error) -> Error {
    Error::local(format_args!("cannot open {}", path.display()), cause)
        .hint("use --state FILE for another place; in a file of routes state = \"FILE\"")
}

fn cannot_write(path: &Path, cause: &io::Error) -> Error {
    Error::local(format_args!("cannot write {}", path.display()), cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "{\"head\":1}";

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn lines(path: &Path) -> Lines {
        Journal::open(path, HEAD).unwrap().1
    }

    /// Whatever is cut off, the lines before the cut are there, and the journal can be written on.
    #[test]
    fn it_may_be_cut_after_each_byte() {
        let folder = folder();
        let path = folder.path().join("deep/er/x");
        let (mut journal, old) = Journal::open(&path, HEAD).unwrap();
        assert_eq!(old, [""; 0]);
        let all = ["one", "{\"two\":\"zwei ü\"}", "", "four"];
        for line in all {
            journal.append(&format!("{line}\n")).unwrap();
        }
        drop(journal);
        let bytes = fs::read(&path).unwrap();
        for cut in 0..=bytes.len() {
            fs::write(&path, &bytes[..cut]).unwrap();
            let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
            let expected = &all[..whole.saturating_sub(1)];
            let (mut journal, found) = Journal::open(&path, HEAD).unwrap();
            assert_eq!(found, expected, "cut after {cut} bytes");
            journal.append("next\n").unwrap();
            drop(journal);
            assert_eq!(
                lines(&path),
                [expected, &["next"]].concat(),
                "cut after {cut} bytes"
            );
        }
    }

    #[test]
    fn one_process_has_it() {
        let folder = folder();
        let path = folder.path().join("x");
        let first = Journal::open(&path, HEAD).unwrap();
        assert!(is_open(&path));
        let refused = Journal::open(&path, HEAD).unwrap_err();
        let text = format!("{} is used by another process", path.display());
        assert_eq!((refused.kind(), refused.text()), (Kind::Local, &*text));
        drop(first);
        assert!(!is_open(&path));
        Journal::open(&path, HEAD).unwrap();
        let refused = Journal::open(&path, "other").unwrap_err();
        assert_eq!(refused.kind(), Kind::Usage);
        assert!(refused.text().ends_with("x is no journal"));
        Journal::open_as(&path, "other", Some(HEAD)).unwrap();
        // It stays as it was called at first.
        Journal::open(&path, HEAD).unwrap();
    }

    #[test]
    fn it_is_replaced_whole() {
        let folder = folder();
        let path = folder.path().join("x");
        let (mut journal, _) = Journal::open(&path, HEAD).unwrap();
        for count in 0..=FEW {
            assert!(!journal.is_long(0), "{count}");
            journal.append("line\n").unwrap();
        }
        assert!(journal.is_long(0) && !journal.is_long(1));
        journal
            .compact(["a\n", "b\n"].map(String::from).into_iter())
            .unwrap();
        assert!(!journal.is_long(0));
        journal.append("c\n").unwrap();
        journal.sync().unwrap();
        drop(journal);
        assert_eq!(lines(&path), ["a", "b", "c"]);
        // What a crash left of the next one does not matter.
        fs::write(beside(&path, "new"), "half a li").unwrap();
        let (mut journal, _) = Journal::open(&path, HEAD).unwrap();
        journal
            .compact(std::iter::once(String::from("d\n")))
            .unwrap();
        drop(journal);
        assert_eq!(lines(&path), ["d"]);
    }

    #[test]
    fn others_leave_lines_for_it() {
        let folder = folder();
        let path = folder.path().join("x");
        assert_eq!(leave(&path, "x").unwrap_err().kind(), Kind::Local);
        assert_eq!(look_into(&path).unwrap_err().kind(), Kind::Local);
        let (mut journal, _) = Journal::open(&path, HEAD).unwrap();
        assert!(!journal.collect(|_, _| panic!("nothing there")).unwrap());
        leave(&path, "one").unwrap();
        leave(&path, "two").unwrap();
        let failed = journal.collect(|_, _| Err(Error::usage("not now")));
        assert_eq!(failed.unwrap_err().text(), "not now");
        let collected = journal.collect(|journal, lines| {
            assert_eq!(lines, ["one", "two"]);
            journal.append("noted\n")
        });
        assert!(collected.unwrap());
        assert!(!journal.collect(|_, _| panic!("collected before")).unwrap());
        leave(&path, "three").unwrap();
        assert!(
            journal
                .collect(|_, lines| {
                    assert_eq!(lines, ["three"]);
                    Ok(())
                })
                .unwrap()
        );
        assert_eq!(look_into(&path).unwrap().1, ["noted"]);
    }
}
