//! Files that are read or written whole: passwords, keys, certificates, configuration, bodies, reports. One bound and
//! one wording for all.
//!
//! A path may be a pipe or a device (`<(…)`, `/dev/zero`), so that what is read is bounded, not what `stat` says.

pub(crate) mod beneath;
mod flaw;
mod mistake;

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};

pub(crate) use self::flaw::{Flaw, in_line};
pub(crate) use self::mistake::{key as key_of_mistake, mistake, unknown};

/// More than any password, key, certificate bundle or configuration takes.
pub(crate) const SMALL: u64 = 4 << 20;

/// As many links as Linux follows in a path.
const MOST_LINKS: usize = 40;

/// What editors on Windows put before UTF-8.
pub(crate) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Bytes that are made room for before they are there.
const MOST_AT_ONCE: u64 = 64 << 20;

/// The bytes of a file of at most `limit` bytes.
///
/// # Errors
/// [`Kind::Local`] that names the file: it cannot be read, or it is longer. No error shows what is in it.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let failed = |cause: io::Error| unreadable(path.display(), &cause);
    let file = File::open(path).map_err(failed)?;
    // In one piece, where it says how long it is.
    let size = file.metadata().map_or(0, |it| it.len());
    let mut bytes = Vec::with_capacity(size.min(limit).min(MOST_AT_ONCE) as usize + 1);
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > limit {
        let text = format!("cannot read {}: larger than {limit} bytes", path.display());
        return Err(Error::new(Kind::Local, text));
    }
    Ok(bytes)
}

/// The text of a file of at most `limit` bytes, without a byte order mark.
///
/// # Errors
/// As [`read`]; and [`Kind::Usage`] with the first line that is not UTF-8: what can be read and is not what it should be is
/// the user's mistake.
pub(crate) fn read_text(path: &Path, limit: u64) -> Result<String> {
    let bytes = read(path, limit)?;
    let good = bytes.utf8_chunks().next().map_or(0, |it| it.valid().len());
    let line = flaw::line_of(&bytes, good);
    text(bytes).map_err(|what| Flaw::in_line(line, what).refuses(path.display()))
}

/// Puts `bytes` at `path`, whole or not at all: on a full disk what was there stays. What is no regular file, such as
/// a pipe or a device, is written to; the file behind the name of a descriptor (`/dev/stdout`, `/dev/fd/3`) is
/// appended to, for others go on writing to it.
///
/// # Errors
/// [`Kind::Local`] that names the file.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    replaced(path, bytes)
        .map_err(|cause| Error::local(format_args!("cannot write {}", path.display()), &cause))
}

/// The same in a place that no other process writes: what a killed process has left of it goes away.
///
/// # Errors
/// It cannot be written; what was there stays.
pub(crate) fn replace_alone(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut draft = Draft::alone(path, 0o666)?;
    if let Ok(about) = fs::metadata(path) {
        draft.file().set_permissions(about.permissions())?;
    }
    draft.file().write_all(bytes)?;
    draft.take_place().map(drop)
}

/// Puts several files in their places, one after the other, each as [`replace`] does. They are written to the disk side by
/// side, which takes the time of one.
///
/// # Errors
/// As [`replace`], of the first that cannot be written; those before it may be there.
pub(crate) fn replace_all(files: &[(PathBuf, &[u8])]) -> Result<()> {
    let failed = |path: &Path, cause: &io::Error| {
        Error::local(format_args!("cannot write {}", path.display()), cause)
    };
    let is_new = |(path, _): &&(PathBuf, &[u8])| !path.exists() && !path.is_symlink();
    // What is there already, or is no file, is not put in its place so simply.
    if files.iter().filter(is_new).count() < files.len() {
        return files
            .iter()
            .try_for_each(|(path, bytes)| replace(path, bytes));
    }
    let mut drafts = Vec::new();
    for (path, bytes) in files {
        let written = Draft::beside(path, 0o666).and_then(|mut draft| {
            draft.file().write_all(bytes)?;
            Ok(draft)
        });
        drafts.push(written.map_err(|cause| failed(path, &cause))?);
    }
    let synced = std::thread::scope(|scope| {
        let mut syncing = Vec::new();
        for draft in &drafts {
            syncing.push(scope.spawn(|| draft.file.sync_all()));
        }
        let ended = syncing.into_iter().map(|it| it.join());
        ended
            .map(|it| it.unwrap_or_else(|_| Err(io::ErrorKind::Other.into())))
            .collect::<Vec<_>>()
    });
    for ((path, _), synced) in files.iter().zip(synced) {
        synced.map_err(|cause| failed(path, &cause))?;
    }
    for (draft, (path, _)) in drafts.iter().zip(files) {
        fs::rename(&draft.path, &draft.place).map_err(|cause| failed(path, &cause))?;
    }
    let mut folders: Vec<_> = files.iter().map(|(path, _)| path).collect();
    folders.dedup_by_key(|path| path.parent());
    folders
        .iter()
        .try_for_each(|path| sync_folder(path).map_err(|cause| failed(path, &cause)))
}

/// Whether [`replace`] will be able to put something at `path`, as far as that can be known before there is anything to
/// put: what is there stays as it is, and nothing is left behind.
///
/// # Errors
/// [`Kind::Local`] that names the file, as [`replace`].
pub(crate) fn check_replaceable(path: &Path) -> Result<()> {
    replaceable(path)
        .map_err(|cause| Error::local(format_args!("cannot write {}", path.display()), &cause))
}

fn replaceable(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(about) if about.is_file() || about.is_dir() => {
            File::options().write(true).open(path).map(drop)
        }
        // To open a pipe waits for its reader.
        Ok(_) => Ok(()),
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        Err(_) if path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
            Err(io::ErrorKind::IsADirectory.into())
        }
        Err(_) => {
            // A link that leads nowhere creates what it names.
            let place = match fs::read_link(path) {
                Ok(leads_to) => path.with_file_name("").join(leads_to),
                Err(_) => path.to_owned(),
            };
            Draft::beside(&place, 0o666).map(drop)
        }
    }
}

/// A file that stands there only for as long as this value: what it says is true only then.
pub(crate) struct Standing(PathBuf);

impl Standing {
    /// Takes away what an earlier run has left behind.
    ///
    /// # Errors
    /// [`Kind::Local`] that names the file.
    pub(crate) fn clear(path: &Path) -> Result<Self> {
        let standing = Self(path.to_owned());
        standing.remove().map_err(|cause| {
            Error::local(format_args!("cannot remove {}", path.display()), &cause)
        })?;
        Ok(standing)
    }

    /// Puts it there, whole.
    ///
    /// # Errors
    /// As [`replace`].
    pub(crate) fn put(&self, bytes: &[u8]) -> Result<()> {
        let is_pipe = fs::metadata(&self.0).is_ok_and(|about| about.file_type().is_fifo());
        if !is_pipe || descriptor(&self.0).is_some() {
            return replace(&self.0, bytes);
        }
        // One that nobody reads would hold everything up.
        let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
        let pipe = File::options()
            .write(true)
            .custom_flags(flags)
            .open(&self.0);
        pipe.and_then(|mut pipe| pipe.write_all(bytes))
            .map_err(|cause| {
                Error::local(format_args!("cannot write {}", self.0.display()), &cause)
            })
    }

    /// What is no regular file, such as a pipe, stays.
    fn remove(&self) -> io::Result<()> {
        match fs::symlink_metadata(&self.0) {
            Ok(about) if about.is_file() => fs::remove_file(&self.0),
            _ => Ok(()),
        }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        // At the end there is nobody left to tell.
        let _ = self.remove();
    }
}

fn replaced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(open) = descriptor(path) {
        return open?.write_all(bytes);
    }
    let permissions = match File::options().write(true).open(path) {
        Ok(mut old) => {
            let about = old.metadata()?;
            if !about.is_file() {
                return old.write_all(bytes);
            }
            Some(about.permissions())
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
        Err(cause) => return Err(cause),
    };
    // A link stays a link; one that leads nowhere creates what it names.
    let place = match fs::canonicalize(path) {
        Ok(place) => place,
        Err(_) if path.is_symlink() => return fs::write(path, bytes),
        Err(_) => path.to_owned(),
    };
    let drafted = Draft::beside(&place, 0o666).and_then(|mut draft| {
        if let Some(permissions) = permissions.clone() {
            draft.file().set_permissions(permissions)?;
        }
        draft.file().write_all(bytes)?;
        draft.take_place()
    });
    match drafted {
        // Nothing may be put beside it, or it is mounted by itself.
        Err(cause) if permissions.is_some() && is_fixed(&cause) => fs::write(&place, bytes),
        drafted => drafted.map(drop),
    }
}

/// The file behind a name of an open descriptor, to be appended to.
fn descriptor(path: &Path) -> Option<io::Result<File>> {
    // Links lead to such a name, and on from it to the file: the last name before that file counts.
    let mut name = path.to_owned();
    for _ in 0..MOST_LINKS {
        // The folder of a bare name is the current one.
        let folder = fs::canonicalize(Path::new(".").join(name.parent()?)).ok()?;
        if folder.starts_with("/proc") && folder.ends_with("fd") {
            return Some(File::options().append(true).open(&name));
        }
        name = folder.join(fs::read_link(&name).ok()?);
    }
    None
}

fn is_fixed(cause: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(
        cause.kind(),
        PermissionDenied | ReadOnlyFilesystem | ResourceBusy
    )
}

/// A file that nobody sees under its name until it is whole. Without [`Draft::take_place`] it goes away.
#[derive(Debug)]
pub(crate) struct Draft {
    file: File,
    /// Where it is written.
    path: PathBuf,
    /// Where it belongs.
    place: PathBuf,
}

impl Draft {
    /// A new file in the folder of `place`, with these permissions as far as the umask leaves them.
    ///
    /// # Errors
    /// It cannot be created.
    pub(crate) fn beside(place: &Path, mode: u32) -> io::Result<Self> {
        let mut options = File::options();
        let options = options.read(true).write(true).create_new(true).mode(mode);
        let mut number = 0;
        loop {
            let name = format!(".iotctl-{}-{number}.new", std::process::id());
            let path = place.with_file_name(name);
            match options.open(&path) {
                // Left behind by a process of the same number that was killed, or in use on another machine.
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && number < 100 => {
                    number += 1;
                }
                opened => {
                    let (file, place) = (opened?, place.to_owned());
                    return Ok(Self { file, path, place });
                }
            }
        }
    }

    /// The same over what a killed process has left of it; for a place that no other process writes.
    ///
    /// # Errors
    /// It cannot be created.
    pub(crate) fn alone(place: &Path, mode: u32) -> io::Result<Self> {
        let (path, place) = (Self::name(place), place.to_owned());
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
        let mut options = File::options();
        let options = options.read(true).write(true).create_new(true);
        let file = options.mode(mode).open(&path)?;
        Ok(Self { file, path, place })
    }

    /// What such a file is called until it is whole.
    pub(crate) fn name(place: &Path) -> PathBuf {
        let mut name = place.as_os_str().to_owned();
        name.push(".new");
        name.into()
    }

    /// The file, to be written.
    pub(crate) const fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Puts the file in its place, over what is there; both are on the disk then.
    ///
    /// # Errors
    /// It cannot be written or moved; what was there stays.
    pub(crate) fn take_place(self) -> io::Result<File> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.place)?;
        sync_folder(&self.place)?;
        self.file.try_clone()
    }

    /// The same where nothing is yet.
    ///
    /// # Errors
    /// As [`Draft::take_place`], and [`io::ErrorKind::AlreadyExists`].
    pub(crate) fn take_free_place(self) -> io::Result<File> {
        self.file.sync_all()?;
        fs::hard_link(&self.path, &self.place)?;
        sync_folder(&self.place)?;
        self.file.try_clone()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a move it is there no more.
        let _ = fs::remove_file(&self.path);
    }
}

/// The name of a new file is on the disk, where the file system knows that of folders.
///
/// # Errors
/// It cannot be written.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    use io::ErrorKind::{InvalidInput, PermissionDenied};
    match File::open(folder).and_then(|it| it.sync_all()) {
        Err(cause) if matches!(cause.kind(), InvalidInput | PermissionDenied) => Ok(()),
        synced => synced,
    }
}

/// `cannot read FILE: no such file or directory`.
pub(crate) fn unreadable(name: impl Display, cause: &io::Error) -> Error {
    Error::local(format_args!("cannot read {name}"), cause)
}

/// Bytes as text, without a byte order mark; or what they are instead.
pub(crate) fn text(bytes: Vec<u8>) -> Result<String, &'static str> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("the text is UTF-16; save it as UTF-8");
    }
    let mut text = String::from_utf8(bytes).map_err(|_| "the text is not UTF-8")?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(text)
}

/// The refusal of a file with a mistake at a byte of its `text`: `FILE:LINE: WHY`.
pub(crate) fn mistaken(path: &Path, text: &str, at: usize, why: impl Display) -> Error {
    Flaw::at(text, at, why).refuses(path.display())
}

/// What a parser of JSON says is wrong, in words for who has not written it by hand.
pub(crate) fn json_mistake(cause: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let words = cause.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    match (cause.classify(), words.split('`').nth(1)) {
        (Category::Eof, _) => String::from("it ends too early"),
        (Category::Syntax, _) => {
            let (line, column) = (cause.line(), cause.column());
            format!("line {line}, column {column} is not JSON")
        }
        (_, Some(name)) if words.starts_with("missing field ") => format!("{name} is missing"),
        _ => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_files_are_put_in_their_places() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        let files = |first| [(a.clone(), first), (b.clone(), &b"2"[..])];
        // New ones, and one that is there already.
        for first in [&b"1"[..], b"one"] {
            replace_all(&files(first)).unwrap();
            assert_eq!(fs::read(&a).unwrap(), first);
            assert_eq!(fs::read(&b).unwrap(), b"2");
        }
        let nowhere = folder.path().join("none/c");
        let why = replace_all(&[(nowhere.clone(), b"3")]).unwrap_err();
        assert!(why.text().contains(&nowhere.display().to_string()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "\u{feff}ann:secret").unwrap();
        assert_eq!(read_text(&path, 13).unwrap(), "ann:secret");
        let error = read_text(&path, 12).unwrap_err();
        assert_eq!(
            error.text(),
            format!("cannot read {}: larger than 12 bytes", path.display())
        );
        assert_eq!(error.kind(), Kind::Local);
        fs::write(&path, b"a\nb\xe4").unwrap();
        let error = read_text(&path, 12).unwrap_err();
        assert_eq!(
            error.text(),
            format!("{}:2: the text is not UTF-8", path.display())
        );
        assert_eq!(error.kind(), Kind::Usage);
    }

    #[test]
    fn a_device_without_an_end_is_refused() {
        let error = read(Path::new("/dev/zero"), SMALL).unwrap_err();
        assert_eq!(
            error.text(),
            "cannot read /dev/zero: larger than 4194304 bytes"
        );
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_what_it_is() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("f"), folder.path().join("link"));
        symlink("f", &link).unwrap();
        replace(&link, b"through a link that leads nowhere").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&link, b"short").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"short");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_can_be_replaced_is_known_before_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let here = |name: &str| folder.path().join(name);
        fs::write(here("old"), b"kept").unwrap();
        std::os::unix::fs::symlink("nothing", here("link")).unwrap();
        for free in ["old", "new", "link"] {
            check_replaceable(&here(free)).unwrap();
        }
        check_replaceable(Path::new("/dev/null")).unwrap();
        assert_eq!(fs::read(here("old")).unwrap(), b"kept");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        for wrong in ["no/x.json", "folder/", "old/x", "."] {
            let error = check_replaceable(&here(wrong)).unwrap_err();
            assert_eq!(error.kind(), Kind::Local, "{wrong}");
            let named = format!("cannot write {}: ", here(wrong).display());
            assert!(error.text().starts_with(&named), "{error}");
        }
    }

    #[test]
    fn what_another_descriptor_writes_to_goes_on_behind_it() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("f"), folder.path().join("link"));
        let mut open = File::create(&path).unwrap();
        open.write_all(b"one ").unwrap();
        let name = format!("/dev/fd/{}", open.as_raw_fd());
        replace(Path::new(&name), b"two ").unwrap();
        std::os::unix::fs::symlink(&name, &link).unwrap();
        replace(&link, b"three").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one two three");
        assert_eq!(
            open.metadata().unwrap().len(),
            13,
            "it is still the same file"
        );
    }

    #[test]
    fn what_cannot_be_written_whole_stays_as_it_was() {
        let error = replace(Path::new("/dev/full"), b"x").unwrap_err();
        assert_eq!(
            error.text(),
            "cannot write /dev/full: no space left on device"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "old").unwrap();
        let mut draft = Draft::beside(&path, 0o666).unwrap();
        draft.file().write_all(b"half of the n").unwrap();
        drop(draft);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let draft = Draft::beside(&path, 0o666).unwrap();
        let taken = draft.take_free_place().unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn other_encodings_are_named() {
        assert_eq!(
            text(vec![0xff, 0xfe, b'a', 0]),
            Err("the text is UTF-16; save it as UTF-8")
        );
        assert_eq!(text(vec![b'a', 0xe4]), Err("the text is not UTF-8"));
    }
}
