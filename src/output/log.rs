//! A file that messages are appended to, whole ones only, and that is put aside when it is full.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::termios::isatty;

use super::aside::{put_aside, tidy};
use super::destination::Rotation;
use super::sink::write_all;
use super::tail::Ending;
use crate::error::{Error, Result};
use crate::file::sync_folder;
use crate::stop::reopenings;

const DAY: Duration = Duration::from_hours(24);

/// The file, and what is in it.
pub(super) struct Log {
    path: PathBuf,
    rotation: Rotation,
    file: File,
    /// What stands above all messages, with its line feed.
    header: Vec<u8>,
    /// What is written.
    size: u64,
    /// The messages in it, where that is a limit; otherwise those since it was opened.
    count: u64,
    /// How each ends.
    ending: Ending,
    /// When the first of all came; for one that was there before, when it was made.
    first: Option<SystemTime>,
    /// What could not be finished the last time is cut off, and what is put aside is on the disk ([`Log::sync`]).
    durable: bool,
    /// Bytes that were cut off.
    cut: u64,
    /// The name of the file is not on the disk yet.
    unnamed: bool,
    /// As often it was known that files are to be opened again.
    reopenings: u64,
}

impl Log {
    /// Opens a file, or makes it. `header`: what stands above all messages; `ending`: how each ends. `durable`: what is torn
    /// there was never acknowledged, and is cut off.
    ///
    /// # Errors
    /// A local error that names the file; a usage error when it has another header.
    pub(super) fn open(
        path: &Path,
        rotation: Rotation,
        header: Vec<u8>,
        ending: Ending,
        durable: bool,
    ) -> Result<Self> {
        let failed = |cause: io::Error| cannot(path, &cause);
        let (file, size, first) = open(path).map_err(failed)?;
        let mut log = Self {
            path: path.to_owned(),
            rotation,
            file,
            header,
            size,
            count: 0,
            ending,
            first,
            durable,
            cut: 0,
            unnamed: size == 0,
            reopenings: reopenings(),
        };
        log.check_header().map_err(failed)?;
        log.mend().map_err(failed)?;
        log.recount().map_err(failed)?;
        tidy(path, rotation.keep, rotation.gzip).map_err(failed)?;
        Ok(log)
    }

    /// What was cut off, in bytes.
    pub(super) const fn cut(&self) -> u64 {
        self.cut
    }

    fn check_header(&self) -> io::Result<()> {
        let begin = begin(&self.path, self.header.len())?;
        // The header itself may have been torn.
        let torn = self.durable && self.header.starts_with(&begin);
        if self.size == 0 || begin == self.header || torn {
            return Ok(());
        }
        let shown = String::from_utf8_lossy(&self.header);
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("its first line is not {}", shown.trim_end()),
        ))
    }

    /// Makes the file end with a whole record.
    fn mend(&mut self) -> io::Result<()> {
        if self.size == 0 {
            return Ok(());
        }
        let ending = match self.ending {
            Ending::Json | Ending::Csv | Ending::Point if !self.durable => Ending::Line,
            ending => ending,
        };
        let whole = ending.whole(&mut File::open(&self.path)?)?;
        if whole.length < self.size {
            self.file.set_len(whole.length)?;
            self.cut = self.size - whole.length;
            self.size = whole.length;
        }
        if whole.open {
            write_all(&self.file, b"\n")?;
            self.size += 1;
        }
        Ok(())
    }

    /// Counts what was there before, where that matters.
    fn recount(&mut self) -> io::Result<()> {
        self.count = 0;
        if self.rotation.count.is_some() && self.size > 0 && self.ending != Ending::None {
            let records = self.ending.count(&mut File::open(&self.path)?)?;
            self.count = records.saturating_sub(u64::from(!self.header.is_empty()));
        }
        Ok(())
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
        if std::mem::replace(&mut self.reopenings, reopenings()) != self.reopenings
            && self.is_renamed()
        {
            let record = pending.split_off(start);
            self.write(pending)?;
            self.reopen()?;
            if self.size == 0 {
                pending.extend_from_slice(&self.header);
            }
            pending.extend_from_slice(&record);
        } else if self.is_full(pending.len(), time) {
            let record = pending.split_off(start);
            self.write(pending)?;
            self.rotate()?;
            pending.extend_from_slice(&self.header);
            pending.extend_from_slice(&record);
        } else if self.size == 0 && start == 0 {
            pending.splice(..0, self.header.iter().copied());
        }
        self.count += 1;
        self.first.get_or_insert(time);
        Ok(())
    }

    /// Whether a message does not belong into this file any more, which would have `more` bytes with it.
    fn is_full(&self, more: usize, time: SystemTime) -> bool {
        let Some(first) = self.first else {
            return false;
        };
        let Rotation {
            size,
            age,
            count,
            daily,
            ..
        } = self.rotation;
        let day = |time: SystemTime| {
            time.duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs()
                / DAY.as_secs()
        };
        size.is_some_and(|most| self.size + more as u64 > most)
            || count.is_some_and(|most| self.count >= most)
            || age.is_some_and(|most| time.duration_since(first).is_ok_and(|it| it >= most))
            || daily && day(time) > day(first)
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

    /// Everything that was written is on the disk.
    ///
    /// # Errors
    /// A local error that names the file.
    pub(super) fn sync(&mut self) -> Result<()> {
        let named = match std::mem::take(&mut self.unnamed) {
            true => sync_folder(&self.path),
            false => Ok(()),
        };
        let synced = match self.file.sync_data() {
            // A device.
            Err(cause) if cause.kind() == io::ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        };
        named
            .and(synced)
            .map_err(|cause| cannot(&self.path, &cause))
    }

    /// Whether another file has its name by now, or none.
    fn is_renamed(&self) -> bool {
        let Ok(own) = self.file.metadata() else {
            return false;
        };
        let named = fs::metadata(&self.path);
        own.is_file() && named.map_or(true, |it| (it.dev(), it.ino()) != (own.dev(), own.ino()))
    }

    /// Goes on in the file that has its name now, or in a new one.
    fn reopen(&mut self) -> Result<()> {
        if self.durable {
            self.sync()?;
        }
        let failed = |cause: io::Error| cannot(&self.path, &cause);
        (self.file, self.size, self.first) = open(&self.path).map_err(failed)?;
        self.unnamed = true;
        let checked = self.check_header().and_then(|()| self.recount());
        checked.map_err(|cause| cannot(&self.path, &cause))
    }

    /// Gives the file the name that tells when its first message came, and begins a new one.
    fn rotate(&mut self) -> Result<()> {
        if self.durable {
            self.sync()?;
        }
        let first = self.first.unwrap_or_else(SystemTime::now);
        put_aside(&self.path, first).map_err(|cause| {
            Error::local(
                format_args!("cannot rename {}", self.path.display()),
                &cause,
            )
        })?;
        let failed = |cause: io::Error| cannot(&self.path, &cause);
        (self.file, self.size, self.first) = open(&self.path).map_err(failed)?;
        (self.count, self.unnamed) = (0, true);
        tidy(&self.path, self.rotation.keep, self.rotation.gzip).map_err(failed)
    }
}

/// An error of the file; a usage error where it holds something else.
fn cannot(path: &Path, cause: &io::Error) -> Error {
    match cause.kind() {
        io::ErrorKind::InvalidData => {
            Error::usage(format!("{} has other columns", path.display())).hint(cause.to_string())
        }
        _ => Error::local(format_args!("cannot write {}", path.display()), cause),
    }
}

/// The file, for this process alone; its size, and when it was made unless it is empty.
fn open(path: &Path) -> io::Result<(File, u64, Option<SystemTime>)> {
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
        let made = about.created().or_else(|_| about.modified()).ok();
        let first = made.filter(|_| about.len() > 0);
        return match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) => {
                Err(io::Error::other("it is in use by another command"))
            }
            // Not every file system knows locks.
            _ => Ok((file, about.len(), first)),
        };
    }
    match about.file_type().is_char_device() && !isatty(&file) {
        true => Ok((file, 0, None)),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

/// The first bytes of a file.
fn begin(path: &Path, length: usize) -> io::Result<Vec<u8>> {
    let mut begin = Vec::new();
    if length > 0 {
        File::open(path)?
            .take(length as u64)
            .read_to_end(&mut begin)?;
    }
    Ok(begin)
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
        let at = |count, size, age| Rotation {
            size,
            age,
            count,
            ..Rotation::default()
        };
        for (rotation, second) in [
            (at(Some(2), None, None), 1),
            (at(None, Some(9), None), 1),
            (at(None, None, Some(Duration::from_secs(2))), 2),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.csv");
            let mut log = Log::open(&path, rotation, b"h\n".to_vec(), Ending::Csv, false).unwrap();
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
    fn a_file_that_was_renamed_is_begun_anew_once_that_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("a.csv"), folder.path().join("a.csv.1"));
        let never = Rotation::default();
        let mut log = Log::open(&path, never, b"h\n".to_vec(), Ending::Csv, true).unwrap();
        taken(&mut log, &[("one\n", 0)]);
        fs::rename(&path, &old).unwrap();
        let mut pending = b"two\n".to_vec();
        log.take(&mut pending, 0, UNIX_EPOCH).unwrap();
        crate::stop::reopen_files();
        // What waits already is of the old file.
        pending.extend_from_slice(b"three\n");
        log.take(&mut pending, 4, UNIX_EPOCH).unwrap();
        log.write(&mut pending).unwrap();
        // Asked again while it has its name, it stays.
        crate::stop::reopen_files();
        taken(&mut log, &[("four\n", 0)]);
        assert_eq!(fs::read_to_string(&old).unwrap(), "h\none\ntwo\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "h\nthree\nfour\n");
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
        let mut log = Log::open(&path, one, Vec::new(), Ending::Line, false).unwrap();
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
        let opened = |header: &str, durable| {
            Log::open(
                &path,
                Rotation::default(),
                header.into(),
                Ending::Csv,
                durable,
            )
        };
        let open = |header: &str| opened(header, false);
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
        fs::write(&path, "h\nold\n\"torn\n").unwrap();
        let mut log = opened("h\n", true).unwrap();
        assert_eq!(log.cut(), 6);
        taken(&mut log, &[("new\n", 0)]);
        log.sync().unwrap();
        drop(log);
        assert_eq!(fs::read_to_string(&path).unwrap(), "h\nold\nnew\n");
        fs::write(&path, "h").unwrap();
        let mut log = opened("h\n", true).unwrap();
        taken(&mut log, &[("new\n", 0)]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "h\nnew\n");
    }

    #[test]
    fn a_day_ends_at_midnight_utc() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let daily = Rotation {
            daily: true,
            keep: Some(1),
            ..Rotation::default()
        };
        let mut log = Log::open(&path, daily, Vec::new(), Ending::Line, true).unwrap();
        let day = DAY.as_secs();
        let lines = [
            ("1\n", day - 1),
            ("2\n", day),
            ("3\n", 2 * day - 1),
            ("4\n", 2 * day),
            ("late\n", 0),
        ];
        taken(&mut log, &lines);
        let texts: Vec<String> = files(folder.path())
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(texts, ["4\nlate\n", "2\n3\n"]);
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let mut log = Log::open(
            Path::new("/dev/full"),
            Rotation::default(),
            Vec::new(),
            Ending::Line,
            false,
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
            Log::open(path, Rotation::default(), Vec::new(), Ending::Line, false)
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
