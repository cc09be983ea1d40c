//! A disk that remembers what was synced: the power is cut after every write, and in the middle of each.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::disk::{Disk, Folder};
use super::*;
use crate::message::Message;
use crate::store::Store;

/// What is done to a disk.
#[derive(Clone, Debug)]
enum Write {
    Append(String, Vec<u8>),
    Sync(String),
    SyncNames,
    Cut(String, u64),
    Replace(String, Vec<u8>),
    Remove(String),
}

#[derive(Debug, Default)]
struct World {
    files: BTreeMap<String, Vec<u8>>,
    writes: Vec<Write>,
    /// Nothing can be appended until something is removed.
    full: bool,
    /// Nor then.
    stays_full: bool,
    /// As many bytes fit on it.
    room: Option<usize>,
}

/// A disk in memory; clones are the same one.
#[derive(Clone, Debug, Default)]
struct Recorded(Arc<Mutex<World>>);

impl Recorded {
    fn with(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self(Arc::new(Mutex::new(World {
            files,
            ..World::default()
        })))
    }

    fn note(&self, write: Write) -> io::Result<()> {
        let mut world = self.0.lock().unwrap();
        if (world.full || world.stays_full) && matches!(write, Write::Append(..)) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if let (Write::Append(name, bytes), Some(room)) = (&write, world.room) {
            let taken: usize = world.files.values().map(Vec::len).sum();
            let left = room.saturating_sub(taken);
            if left < bytes.len() {
                // A part of it is there all the same.
                let part = Write::Append(name.clone(), bytes[..left].to_vec());
                apply(&mut world.files, &part);
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        world.full &= !matches!(write, Write::Remove(_));
        apply(&mut world.files, &write);
        world.writes.push(write);
        Ok(())
    }

    fn writes(&self) -> usize {
        self.0.lock().unwrap().writes.len()
    }
}

fn apply(files: &mut BTreeMap<String, Vec<u8>>, write: &Write) {
    match write {
        Write::Append(name, bytes) => files.entry(name.clone()).or_default().extend(bytes),
        Write::Cut(name, length) => files
            .entry(name.clone())
            .or_default()
            .truncate(*length as usize),
        Write::Replace(name, bytes) => drop(files.insert(name.clone(), bytes.clone())),
        Write::Remove(name) => drop(files.remove(name)),
        Write::Sync(_) | Write::SyncNames => {}
    }
}

impl Disk for Recorded {
    fn place(&self, name: &str) -> String {
        name.to_owned()
    }

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let world = self.0.lock().unwrap();
        let files = world.files.iter();
        Ok(files
            .map(|(name, bytes)| (name.clone(), bytes.len() as u64))
            .collect())
    }

    fn read(&mut self, name: &str, from: u64, count: u64) -> io::Result<Vec<u8>> {
        let world = self.0.lock().unwrap();
        let bytes = world.files.get(name).ok_or(io::ErrorKind::NotFound)?;
        let from = bytes.len().min(from as usize);
        let to = bytes.len().min(from + count as usize);
        Ok(bytes[from..to].to_vec())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.note(Write::Append(name.to_owned(), bytes.to_vec()))
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.note(Write::Sync(name.to_owned()))
    }

    fn sync_names(&mut self) -> io::Result<()> {
        self.note(Write::SyncNames)
    }

    fn cut(&mut self, name: &str, length: u64) -> io::Result<()> {
        self.note(Write::Cut(name.to_owned(), length))
    }

    fn replace(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.note(Write::Replace(name.to_owned(), bytes.to_vec()))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.note(Write::Remove(name.to_owned()))
    }
}

/// What is there after the power was cut behind the first `count` writes: of what was appended and not synced, so many of 4 parts,
/// and names that were not synced only where `names` has it.
fn after_the_cut(writes: &[Write], kept: usize, names: bool) -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut safe: BTreeMap<String, usize> = BTreeMap::new();
    let mut unnamed: Vec<String> = Vec::new();
    for write in writes {
        if let Write::Append(name, _) = write
            && !files.contains_key(name)
        {
            unnamed.push(name.clone());
        }
        apply(&mut files, write);
        match write {
            Write::Sync(name) | Write::Cut(name, _) | Write::Replace(name, _) => {
                safe.insert(name.clone(), files[name].len());
            }
            Write::SyncNames => unnamed.clear(),
            Write::Remove(name) => {
                safe.remove(name);
                unnamed.retain(|it| it != name);
            }
            Write::Append(..) => {}
        }
    }
    for (name, bytes) in &mut files {
        let safe = safe.get(name).copied().unwrap_or_default();
        bytes.truncate(safe + (bytes.len() - safe) * kept / 4);
    }
    if !names {
        files.retain(|name, _| !unnamed.contains(name));
    }
    files
}

fn body(number: u64) -> Message {
    let text = format!(
        "message {number} {}",
        "x".repeat((number * 7 % 50) as usize)
    );
    let line = line(
        "edge",
        &Message {
            time: UNIX_EPOCH + Duration::from_secs(number),
            topic: "a/b".into(),
            ..Message::plain(text.into())
        },
        SystemTime::now(),
    );
    Message::plain(line.into())
}

fn number_of(entry: &Entry) -> u64 {
    let text = std::str::from_utf8(&entry.message.payload).unwrap();
    text.split(' ').nth(1).unwrap().parse().unwrap()
}

/// What was promised after so many writes: all up to `stored` is safe, all up to `delivered` was delivered and the cursor knew.
struct Promise {
    writes: usize,
    stored: u64,
    delivered: u64,
}

/// A run: messages come in groups, some of them are delivered, now and then the cursor is saved. Returns what was promised, and
/// what was delivered at all.
fn run(disk: &Recorded, from: u64, seed: u64) -> (Vec<Promise>, u64, u64) {
    let opened = open_on(disk.clone(), 700).unwrap();
    let (mut writer, mut reader) = (opened.writer, opened.reader);
    let (mut promises, mut stored, mut handed) = (Vec::new(), from, 0);
    let (mut open, mut saved): (VecDeque<Entry>, u64) = (VecDeque::new(), 0);
    let mut state = seed;
    let mut draw = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    for _ in 0..30 {
        let group = draw(5);
        for number in stored + 1..=stored + group {
            writer.put(number, body(number)).unwrap();
        }
        writer.commit(&mut Vec::new()).unwrap();
        stored += group;
        while open.len() < 4
            && let Some(entry) = reader.next().unwrap()
        {
            open.push_back(entry);
        }
        for _ in 0..draw(5) {
            if let Some(entry) = open.pop_front() {
                handed = number_of(&entry);
                reader.settle(entry.end);
            }
        }
        let writes = disk.writes();
        promises.push(Promise {
            writes,
            stored,
            delivered: saved,
        });
        if draw(3) == 0 && reader.is_behind() {
            reader.save()().unwrap();
            saved = handed;
            let writes = disk.writes();
            promises.push(Promise {
                writes,
                stored,
                delivered: saved,
            });
        }
    }
    (promises, stored, handed)
}

fn all(disk: &Recorded) -> (Vec<u64>, u64) {
    let mut opened = open_on(disk.clone(), 700).unwrap();
    let mut numbers = Vec::new();
    while let Some(entry) = opened.reader.next().unwrap() {
        assert_eq!((&*entry.source, &*entry.message.topic), ("edge", "a/b"));
        numbers.push(number_of(&entry));
    }
    (numbers, opened.reader.take_bad().map_or(0, |(bad, _)| bad))
}

#[test]
fn the_power_may_be_cut_after_every_write() {
    for seed in 1..4 {
        let disk = Recorded::default();
        let (promises, _, handed) = run(&disk, 0, seed);
        let writes = disk.0.lock().unwrap().writes.clone();
        assert!(writes.len() > 60, "{}", writes.len());
        for cut in 0..=writes.len() {
            let promised = promises.iter().rev().find(|it| it.writes <= cut);
            let (stored, delivered) = promised.map_or((0, 0), |it| (it.stored, it.delivered));
            for (kept, names) in [
                (0, false),
                (0, true),
                (1, true),
                (3, true),
                (4, true),
                (4, false),
            ] {
                let after = Recorded::with(after_the_cut(&writes[..cut], kept, names));
                let (numbers, bad) = all(&after);
                let what = format!("seed {seed}, cut after {cut} of {}, {kept}/4", writes.len());
                assert_eq!(bad, 0, "{what}");
                let Some((&first, &last)) = numbers.first().zip(numbers.last()) else {
                    assert!(stored <= handed, "{what}: {stored} lost");
                    continue;
                };
                let whole: Vec<u64> = (first..=last).collect();
                assert_eq!(numbers, whole, "{what}: each once, in order");
                assert!(first <= handed + 1, "{what}: {first} after {handed}");
                assert!(
                    last >= stored,
                    "{what}: {stored} was acknowledged, {last} is the last"
                );
                assert!(first > delivered, "{what}: {first} was delivered before");
                // It can be written on.
                let (_, newest, _) = run(&after, last, seed);
                let (numbers, bad) = all(&after);
                assert_eq!(bad, 0, "{what}");
                assert!(numbers.last().is_none_or(|it| *it == newest), "{what}");
            }
        }
    }
}

#[test]
fn delivered_segments_are_removed_and_what_is_left_comes_again() {
    let disk = Recorded::default();
    let (_, stored, _) = run(&disk, 0, 3);
    let mut opened = open_on(disk.clone(), 700).unwrap();
    while let Some(entry) = opened.reader.next().unwrap() {
        opened.reader.settle(entry.end);
    }
    assert!(opened.reader.is_at_end());
    opened.reader.save()().unwrap();
    assert_eq!(opened.reader.left(), (Some(0), 0));
    assert_eq!(
        disk.list()
            .unwrap()
            .iter()
            .filter(|(name, _)| number(name).is_some())
            .count(),
        1
    );
    assert_eq!(all(&disk).0, [0; 0]);
    opened.writer.put(1, body(stored + 1)).unwrap();
    opened.writer.commit(&mut Vec::new()).unwrap();
    assert_eq!(all(&disk).0, [stored + 1]);
}

#[test]
fn a_bad_line_is_put_aside_and_the_rest_goes_on() {
    let disk = Recorded::default();
    run(&disk, 0, 2);
    let (before, _) = all(&disk);
    let last = name(9000);
    let mut file = Vec::new();
    for number in 1001..=1003 {
        file.extend_from_slice(&body(number).payload);
        file.extend_from_slice(b"{\"spooled_ms\":1,\"source\":\"edge\",\"topic\n\0\0\n");
    }
    disk.0.lock().unwrap().files.insert(last, file);
    let (numbers, bad) = all(&disk);
    assert_eq!(numbers, [&before[..], &[1001, 1002, 1003]].concat());
    assert_eq!(bad, 6);
    let world = disk.0.lock().unwrap();
    assert_eq!(
        world.files[&String::from("bad.ndjson")]
            .iter()
            .filter(|it| **it == b'\n')
            .count(),
        6
    );
}

#[test]
fn a_damaged_cursor_costs_repetitions_and_nothing_else() {
    let disk = Recorded::default();
    let (_, stored, _) = run(&disk, 0, 4);
    disk.0
        .lock()
        .unwrap()
        .files
        .insert("cursor".into(), b"7 1 00000000\n".to_vec());
    let opened = open_on(disk.clone(), 700).unwrap();
    assert!(
        opened.warnings[0].contains("cursor is damaged"),
        "{:?}",
        opened.warnings
    );
    let (numbers, _) = all(&disk);
    assert_eq!(numbers.last(), Some(&stored));
}

#[test]
fn a_full_disk_stores_nothing_that_it_says_is_stored() {
    let disk = Recorded::default();
    let (_, stored, _) = run(&disk, 0, 5);
    let mut opened = open_on(disk.clone(), 700).unwrap();
    disk.0.lock().unwrap().full = true;
    opened.reader.close();
    opened.writer.put(1, body(stored + 1)).unwrap();
    let failed = opened.writer.commit(&mut Vec::new()).unwrap_err();
    assert_eq!(failed.exit_code(), 8, "{failed}");
    assert_eq!(all(&disk).0.last(), Some(&stored));
}

#[test]
fn what_is_delivered_from_a_full_disk_makes_room_on_it() {
    let disk = Recorded::default();
    let (_, stored, _) = run(&disk, 0, 5);
    let Opened {
        mut writer,
        mut reader,
        ..
    } = open_on(disk.clone(), 700).unwrap();
    disk.0.lock().unwrap().full = true;
    writer.put(1, body(stored + 1)).unwrap();
    let writing = std::thread::spawn(move || {
        let written = writer.commit(&mut Vec::new());
        (written, writer)
    });
    let mut last = None;
    while let Some(entry) = reader.next().unwrap() {
        assert!(
            !writing.is_finished(),
            "while there is something to deliver"
        );
        last = Some(number_of(&entry));
        reader.settle(entry.end);
    }
    assert_eq!(last, Some(stored));
    let (written, mut writer) = writing.join().unwrap();
    written.unwrap();
    let entry = reader.next().unwrap().unwrap();
    assert_eq!(number_of(&entry), stored + 1);
    assert!(reader.next().unwrap().is_none());
    // After a crash it is there, although the cursor names a segment that is not.
    assert_eq!(all(&disk).0, [stored + 1]);
    reader.settle(entry.end);
    // With nothing left to deliver and no room it ends.
    disk.0.lock().unwrap().stays_full = true;
    writer.put(2, body(stored + 2)).unwrap();
    assert_eq!(writer.commit(&mut Vec::new()).unwrap_err().exit_code(), 8);
}

#[test]
fn what_does_not_fit_as_a_whole_is_written_in_parts() {
    let disk = Recorded::default();
    let Opened {
        mut writer,
        mut reader,
        ..
    } = open_on(disk.clone(), 1 << 20).unwrap();
    for number in 1..=20 {
        writer.put(number, body(number)).unwrap();
    }
    let lines = body(1).payload.len();
    let taken: usize = disk.0.lock().unwrap().files.values().map(Vec::len).sum();
    disk.0.lock().unwrap().room = Some(taken + 3 * lines + lines / 2);
    let writing = std::thread::spawn(move || writer.commit(&mut Vec::new()));
    let mut numbers = Vec::new();
    while numbers.len() < 20 {
        match reader.next().unwrap() {
            Some(entry) => {
                numbers.push(number_of(&entry));
                reader.settle(entry.end);
            }
            None => std::thread::yield_now(),
        }
    }
    writing.join().unwrap().unwrap();
    assert!(numbers.iter().copied().eq(1..=20), "{numbers:?}");
}

#[test]
fn the_oldest_make_room() {
    let disk = Recorded::default();
    let mut opened = open_on(disk, 700).unwrap();
    for number in 1..=40 {
        opened.writer.put(number, body(number)).unwrap();
    }
    opened.writer.commit(&mut Vec::new()).unwrap();
    let reader = &mut opened.reader;
    assert_eq!(number_of(&reader.next().unwrap().unwrap()), 1);
    let size = reader.size();
    let dropped = reader.drop_oldest().unwrap().unwrap();
    assert!(dropped > 0 && reader.size() < size);
    let next = reader.next().unwrap().unwrap();
    assert_eq!(number_of(&next), dropped + 2);
    // What was handed out counts as neither.
    let mut all = dropped;
    while let Some(more) = reader.drop_oldest().unwrap() {
        all += more;
    }
    let mut rest = 0;
    while reader.next().unwrap().is_some() {
        rest += 1;
    }
    assert_eq!(2 + all + rest, 40);
}

#[test]
fn one_process_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/spool");
    let first = Folder::open(&path).unwrap();
    let refused = Folder::open(&path).unwrap_err();
    assert_eq!(refused.exit_code(), 8);
    let clone = first.clone();
    drop(first);
    assert!(Folder::open(&path).is_err());
    drop(clone);
    Folder::open(&path).unwrap();
}

#[test]
fn it_is_on_a_disk_and_recordings_are_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    let args = SpoolArgs::of(path.clone());
    let mut opened = open(&args).unwrap();
    for number in 1..=3 {
        opened.writer.put(number, body(number)).unwrap();
    }
    opened.writer.commit(&mut Vec::new()).unwrap();
    let first = opened.reader.next().unwrap().unwrap();
    opened.reader.settle(first.end);
    opened.reader.save()().unwrap();
    let recordings = recordings(&path).unwrap().unwrap();
    assert_eq!(
        recordings,
        [(path.join("00000001.ndjson"), first.end.offset)]
    );
    assert_eq!(
        super::recordings(&folder.path().join("none")).unwrap(),
        None
    );
    drop(opened);
    let mut opened = open(&args).unwrap();
    assert_eq!(number_of(&opened.reader.next().unwrap().unwrap()), 2);
}
