//! Files that are full: the names under which they are put aside, how many of them stay, and their compression.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::names::compact;
use crate::file::Draft;

/// As many files of the same first moment there may be.
const MOST_NAMESAKES: u32 = 10_000;

/// Letters of a time in a name.
const TIME: usize = "20261120T210000.123456Z".len();

/// What stands at the end of the name of a compressed file.
const GZIP: &str = ".gz";

/// `readings.csv` becomes `readings-20261120T210000.123456Z.csv`; no file is replaced.
///
/// # Errors
/// It cannot be renamed; all names are taken.
pub(super) fn put_aside(path: &Path, first: SystemTime) -> io::Result<()> {
    let (stem, ending) = parts(path);
    let time = compact(first);
    // Behind all of that moment: the name of one that was deleted would make it the oldest.
    let same = those_of(path)?.into_iter().filter(|it| it.key.0 == time);
    let begin = same.map(|it| it.key.1.saturating_add(1)).max().unwrap_or(0);
    for number in begin..begin.saturating_add(MOST_NAMESAKES) {
        let number = match number {
            0 => String::new(),
            number => format!("-{number}"),
        };
        let aside = path.with_file_name(format!("{stem}-{time}{number}{ending}"));
        if compressed(&aside).exists() {
            continue;
        }
        // At once: a file of two names would be gone on with under one of them after a crash.
        match renameat_with(CWD, path, CWD, &aside, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(()),
            Err(Errno::EXIST) => {}
            // Not every file system knows this.
            Err(_) if !aside.exists() => return fs::rename(path, &aside),
            Err(_) => {}
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Compresses what was put aside, where that is asked for, and deletes the oldest, so that `keep` stay.
///
/// # Errors
/// One of them cannot be read, written or deleted.
pub(super) fn tidy(path: &Path, keep: Option<u64>, gzip: bool) -> io::Result<()> {
    if keep.is_none() && !gzip {
        return Ok(());
    }
    let mut all = those_of(path)?;
    if let Some(keep) = keep {
        let names = all.chunk_by(|one, other| one.key == other.key).count() as u64;
        let mut surplus = names.saturating_sub(keep);
        while surplus > 0 && !all.is_empty() {
            let oldest = all.remove(0);
            fs::remove_file(&oldest.path)?;
            // It may have been killed while it compressed that.
            let _ = fs::remove_file(Draft::name(&compressed(&oldest.path)));
            let is_last = all.first().is_none_or(|next| next.key != oldest.key);
            surplus -= u64::from(is_last);
        }
    }
    let plain = all.iter().filter(|it| gzip && !it.compressed);
    plain.map(|it| &it.path).try_for_each(|it| compress(it))
}

/// Writes the compressed file whole, and only then removes the other.
fn compress(path: &Path) -> io::Result<()> {
    let place = compressed(path);
    // The command was killed before it could remove what it had compressed.
    if !place.exists() {
        // Nobody else compresses files of the one that this process has locked.
        let mut draft = Draft::alone(&place, 0o666)?;
        let mut encoder = GzEncoder::new(draft.file(), Compression::default());
        io::copy(&mut File::open(path)?, &mut encoder)?;
        encoder.finish()?;
        draft.take_place()?;
    }
    fs::remove_file(path)
}

fn compressed(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(GZIP);
    name.into()
}

/// A file that was put aside.
struct Aside {
    path: PathBuf,
    /// When its first message came, and its number among those of that moment.
    key: (String, u32),
    compressed: bool,
}

/// Those of one file, the oldest first.
fn those_of(path: &Path) -> io::Result<Vec<Aside>> {
    let (stem, ending) = parts(path);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if let Some((key, compressed)) = key(&name.to_string_lossy(), &stem, &ending) {
            let path = entry.path();
            all.push(Aside {
                path,
                key,
                compressed,
            });
        }
    }
    all.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    Ok(all)
}

/// What the name of a file that was put aside says, and whether it is compressed; `None`: it is another file.
fn key(name: &str, stem: &str, ending: &str) -> Option<((String, u32), bool)> {
    let rest = name.strip_prefix(stem)?.strip_prefix('-')?;
    let (rest, compressed) = match rest.strip_suffix(GZIP) {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let (time, number) = rest.strip_suffix(ending)?.split_at_checked(TIME)?;
    let is_time = time.bytes().enumerate().all(|(at, byte)| match at {
        8 => byte == b'T',
        15 => byte == b'.',
        22 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    });
    let number = match number {
        "" => 0,
        number => number.strip_prefix('-')?.parse().ok()?,
    };
    is_time.then(|| ((time.to_owned(), number), compressed))
}

/// What stands before the time in a name, and after it.
fn parts(path: &Path) -> (String, String) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path
        .extension()
        .map_or_else(String::new, |it| format!(".{}", it.to_string_lossy()));
    (stem.into_owned(), ending)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_oldest_go_and_no_other_file_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let others = [
            "a.csv",
            "a-1.csv",
            "a-20260101T000000.000000Z.txt",
            "aa-20260101T000000.000000Z.csv",
            "a-2026-101T000000.000000Z.csv",
        ];
        let ours = [
            "a-20260102T000000.000000Z.csv",
            "a-20260101T000000.000000Z-1.csv.gz",
            "a-20260101T000000.000000Z.csv",
            // Compressed, and not removed yet.
            "a-20260101T000000.000000Z.csv.gz",
        ];
        for name in others.iter().chain(&ours) {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        tidy(&path, Some(3), false).unwrap();
        assert_eq!(names(folder.path()).len(), 9, "three stay");
        tidy(&path, Some(1), false).unwrap();
        let mut left = others.to_vec();
        left.push(ours[0]);
        left.sort_unstable();
        assert_eq!(names(folder.path()), left);
    }

    #[test]
    fn of_one_moment_the_oldest_go_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for number in 0..15 {
            fs::write(&path, format!("{number}")).unwrap();
            put_aside(&path, SystemTime::UNIX_EPOCH).unwrap();
            tidy(&path, Some(2), false).unwrap();
        }
        let left = names(folder.path());
        let left: Vec<_> = left
            .iter()
            .map(|name| fs::read_to_string(folder.path().join(name)).unwrap())
            .collect();
        assert_eq!(left, ["13", "14"]);
    }

    #[test]
    fn what_was_put_aside_is_compressed_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one\ntwo\n").unwrap();
        put_aside(&path, SystemTime::UNIX_EPOCH).unwrap();
        // Whoever was at it was killed.
        let half = folder.path().join("a-19700101T000000.000000Z.gz.new");
        fs::write(half, "half").unwrap();
        tidy(&path, None, true).unwrap();
        assert_eq!(names(folder.path()), ["a-19700101T000000.000000Z.gz"]);
        let file = File::open(folder.path().join("a-19700101T000000.000000Z.gz")).unwrap();
        let mut text = String::new();
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\ntwo\n");
        // Its name is taken.
        fs::write(&path, "three\n").unwrap();
        put_aside(&path, SystemTime::UNIX_EPOCH).unwrap();
        assert!(folder.path().join("a-19700101T000000.000000Z-1").exists());
    }
}
