//! A file that messages are appended to, whole ones only, and that is put aside when it is full.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::termios::isatty;

use super::destination::Rotation;
use super::names::compact;
use super::sink::write_all;
use crate::error::{Error, Result};

/// As many files of the same first moment there may be.
const MOST_NAMESAKES: u32 = 10_000;

/// The file, and what is in it.
pub(super) struct Log {
    path: PathBuf,
    rotation: Rotation,
    file: File,
    /// What stands above all messages, with its line feed.
    header: Vec<u8>,
    /// What is written.
    size: u64,
    /// The messages that were put into it since it was opened, and when the first of them came.
    count: u64,
    first: Option<SystemTime>,
}

impl Log {
    /// Opens a file, or makes it. `header`: what stands above all messages; `lines`: whether each ends with a line feed.
    ///
    /// # Errors
    /// A local error that names the file; a usage error when it has another header.
    pub(super) fn open(
        path: &Path,
        rotation: Rotation,
        header: Vec<u8>,
        lines: bool,
    ) -> Result<Self> {
        let (file, size) = open(path).map_err(|cause| cannot(path, &cause))?;
        if size > 0 && !has_header(path, &header).map_err(|cause| cannot(path, &cause))? {
            let text = format!("{} has other columns", path.display());
            let hint = format!(
                "its first line is not {}",
                String::from_utf8_lossy(&header).trim_end()
            );
            return Err(Error::usage(text).hint(hint));
        }
        let mut log = Self {
            path: path.to_owned(),
            rotation,
            file,
            header,
            size,
            count: 0,
            first: None,
        };
        // The end of a line that was torn when the machine stopped.
        if lines && size > 0 && last_byte(path).map_err(|cause| cannot(path, &cause))? != b'\n' {
            log.write(&mut vec![b'\n'])?;
        }
        Ok(log)
    }

    /// Takes the message whose bytes `pending` has from `start` on; what was there before may be written for it.
    ///
    /// # Errors
    /// Those of [`Log::write`]; the file cannot be put aside.
    pub(super) fn take(
        &mut self,
        pending: &mut Vec<u8>,
        start: usize,
        time: SystemTime,
    ) -> Result<()> {
        let record = pending.split_off(start);
        if self.is_full(start + record.len(), time) {
            self.write(pending)?;
            self.rotate()?;
        }
        if self.size == 0 && pending.is_empty() {
            pending.extend_from_slice(&self.header);
        }
        pending.extend_from_slice(&record);
        self.count += 1;
        self.first.get_or_insert(time);
        Ok(())
    }

    /// Whether a message does not belong into this file any more, which would have `more` bytes with it.
    fn is_full(&self, more: usize, time: SystemTime) -> bool {
        let Some(first) = self.first else {
            // What was there before counts by its size only.
            return self.size > 0
                && self
                    .rotation
                    .size
                    .is_some_and(|most| self.size + more as u64 > most);
        };
        let Rotation { size, age, count } = self.rotation;
        size.is_some_and(|most| self.size + more as u64 > most)
            || count.is_some_and(|most| self.count >= most)
            || age.is_some_and(|most| time.duration_since(first).is_ok_and(|it| it >= most))
    }

    /// Writes all of `bytes` and leaves the vector empty. What cannot be written whole is taken back, so that the file ends
    /// with a whole message.
    ///
    /// # Errors
    /// A local error that names the file.
    pub(super) fn write(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        let written = write_all(&self.file, bytes);
        let length = bytes.len() as u64;
        bytes.clear();
        bytes.shrink_to(super::sink::KEPT_CAPACITY);
        match written {
            Ok(()) => {
                self.size += length;
                Ok(())
            }
            Err(cause) => {
                // The first failure is told.
                let _ = self.file.set_len(self.size);
                Err(cannot(&self.path, &cause))
            }
        }
    }

    /// Gives the file the name that tells when its first message came, and begins a new one.
    fn rotate(&mut self) -> Result<()> {
        let first = self.first.unwrap_or_else(SystemTime::now);
        put_aside(&self.path, first).map_err(|cause| {
            Error::local(
                format_args!("cannot rename {}", self.path.display()),
                &cause,
            )
        })?;
        let (file, size) = open(&self.path).map_err(|cause| cannot(&self.path, &cause))?;
        (self.file, self.size) = (file, size);
        (self.count, self.first) = (0, None);
        Ok(())
    }
}

fn cannot(path: &Path, cause: &io::Error) -> Error {
    Error::local(format_args!("cannot write {}", path.display()), cause)
}

/// The file, for this process alone, and its size.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let mut options = File::options();
    // A pipe that nobody reads from would keep us waiting.
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = options
        .append(true)
        .create(true)
        .custom_flags(nonblocking)
        .open(path)?;
    let about = file.metadata()?;
    if about.is_file() {
        return match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) => {
                Err(io::Error::other("it is in use by another command"))
            }
            // Not every file system knows locks.
            _ => Ok((file, about.len())),
        };
    }
    match about.file_type().is_char_device() && !isatty(&file) {
        true => Ok((file, 0)),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

fn has_header(path: &Path, header: &[u8]) -> io::Result<bool> {
    let mut begin = Vec::new();
    if !header.is_empty() {
        File::open(path)?
            .take(header.len() as u64)
            .read_to_end(&mut begin)?;
    }
    Ok(begin == header)
}

fn last_byte(path: &Path) -> io::Result<u8> {
    let mut file = File::open(path)?;
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last[0])
}

/// `readings.csv` becomes `readings-20261120T210000.123456Z.csv`; no file is replaced.
fn put_aside(path: &Path, first: SystemTime) -> io::Result<()> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path
        .extension()
        .map_or_else(String::new, |it| format!(".{}", it.to_string_lossy()));
    let time = compact(first);
    for number in 0..MOST_NAMESAKES {
        let number = match number {
            0 => String::new(),
            number => format!("-{number}"),
        };
        let aside = path.with_file_name(format!("{stem}-{time}{number}{ending}"));
        match fs::hard_link(path, &aside) {
            Ok(()) => return fs::remove_file(path),
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
            // A file system without links.
            Err(_) if !aside.exists() => return fs::rename(path, &aside),
            Err(_) => {}
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::error::Kind;

    fn taken(log: &mut Log, lines: &[(&str, u64)]) {
        for (line, second) in lines {
            let mut pending = line.as_bytes().to_vec();
            log.take(&mut pending, 0, UNIX_EPOCH + Duration::from_secs(*second))
                .unwrap();
            log.write(&mut pending).unwrap();
        }
    }

    fn files(folder: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|it| it.unwrap().path())
            .map(|path| {
                (
                    path.file_name().unwrap().to_str().unwrap().to_owned(),
                    fs::read_to_string(&path).unwrap(),
                )
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn a_full_file_is_put_aside_at_the_border_of_a_message() {
        let at = |count, size, age| Rotation { size, age, count };
        for (rotation, second) in [
            (at(Some(2), None, None), 1),
            (at(None, Some(9), None), 1),
            (at(None, None, Some(Duration::from_secs(2))), 2),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.csv");
            let mut log = Log::open(&path, rotation, b"h\n".to_vec(), true).unwrap();
            taken(
                &mut log,
                &[
                    ("one\n", 0),
                    ("two\n", 1),
                    ("three\n", 1 + second),
                    ("4\n", 2 + second),
                ],
            );
            let expected = match rotation.size {
                None => [
                    ("a-19700101T000000.000000Z.csv", "h\none\ntwo\n"),
                    ("a.csv", "h\nthree\n4\n"),
                ]
                .to_vec(),
                Some(_) => [
                    ("a-19700101T000000.000000Z.csv", "h\none\n"),
                    ("a-19700101T000001.000000Z.csv", "h\ntwo\n"),
                    ("a-19700101T000002.000000Z.csv", "h\nthree\n"),
                    ("a.csv", "h\n4\n"),
                ]
                .to_vec(),
            };
            let files = files(folder.path());
            let files: Vec<(&str, &str)> = files
                .iter()
                .map(|(name, text)| (&**name, &**text))
                .collect();
            assert_eq!(files, expected, "{rotation:?}");
        }
    }

    #[test]
    fn names_that_are_taken_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(folder.path().join("a-19700101T000000.000000Z"), "old").unwrap();
        let one = Rotation {
            count: Some(1),
            ..Rotation::default()
        };
        let mut log = Log::open(&path, one, Vec::new(), true).unwrap();
        taken(&mut log, &[("1\n", 0), ("2\n", 0), ("3\n", 0)]);
        let texts: Vec<String> = files(folder.path())
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(texts, ["3\n", "old", "1\n", "2\n"]);
    }

    #[test]
    fn an_old_file_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs::write(&path, "h\nold\ntorn").unwrap();
        let open = |header: &str| Log::open(&path, Rotation::default(), header.into(), true);
        let mut log = open("h\n").unwrap();
        assert_eq!(
            open("h\n").err().unwrap().exit_code(),
            8,
            "one command at a time"
        );
        taken(&mut log, &[("new\n", 0)]);
        drop(log);
        assert_eq!(fs::read_to_string(&path).unwrap(), "h\nold\ntorn\nnew\n");
        let other = open("x\n").err().unwrap();
        assert_eq!(other.exit_code(), 2);
        assert_eq!(other.hint_text(), Some("its first line is not x"));
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let mut log = Log::open(
            Path::new("/dev/full"),
            Rotation::default(),
            Vec::new(),
            true,
        )
        .unwrap();
        let error = log.write(&mut b"x".to_vec()).unwrap_err();
        assert_eq!(
            (error.kind(), error.text()),
            (
                Kind::Local,
                "cannot write /dev/full: no space left on device"
            )
        );
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path| {
            Log::open(path, Rotation::default(), Vec::new(), true)
                .err()
                .unwrap()
        };
        assert_eq!(refused(folder.path()).exit_code(), 8);
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert_eq!(refused(&pipe).exit_code(), 8);
    }
}
