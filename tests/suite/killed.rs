//! A numbered stream through `log` and `bridge` while they, the server, and both are killed at random moments: what was
//! acknowledged is there, and what was not comes again.
//!
//! The moments are the same at each run; `IOTCTL_TEST_SEED` chooses others.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::support::command::{Line, Running, iotctl};
use crate::support::mosquitto::{Mosquitto, Settings};
use crate::support::wait_for;

/// So many messages come in a round, which ends with a kill.
const CHUNK: usize = 200;

/// Random numbers that are the same at each run.
pub struct Chance {
    seed: u64,
    state: u64,
}

impl Chance {
    pub fn begin() -> Self {
        let seed = std::env::var("IOTCTL_TEST_SEED");
        let seed = seed.map_or(1, |seed| seed.parse().expect("a number"));
        Self { seed, state: seed }
    }

    /// A number in this range (SplitMix64).
    pub fn of(&mut self, range: Range<usize>) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        range.start + (bits % range.len() as u64) as usize
    }
}

#[expect(
    clippy::print_stderr,
    reason = "who sees the failure is told how to see it again"
)]
impl Drop for Chance {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("it was with IOTCTL_TEST_SEED={}", self.seed);
        }
    }
}

/// A mosquitto that drops nothing, and saves its state when it is asked to or ends in good order.
pub fn persistent() -> Mosquitto {
    let limits = "max_queued_messages 0\nmax_queued_bytes 0\n";
    Mosquitto::start(Settings {
        more: format!("{limits}persistence true\n"),
        ..Settings::default()
    })
}

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Victim {
    Us,
    Server,
    Both,
    /// The server where messages go. mosquitto answers a message before it saves it, so it ends in good order.
    Target,
}

/// The processes of a trial.
pub struct Trial<'a> {
    /// Where messages come from.
    pub server: &'a mut Mosquitto,
    /// Starts what is tried.
    pub start: &'a dyn Fn() -> Running,
    /// How many different numbers have arrived.
    pub arrived: &'a mut dyn FnMut() -> usize,
    /// Ends the server where messages go, and starts it again.
    pub target: Option<&'a mut Mosquitto>,
}

impl Trial<'_> {
    /// Sends [`CHUNK`] numbers to the topic `n` in each round and kills somebody before they have arrived; returns how many
    /// were sent, all of which have arrived at last.
    pub fn run(self, victims: &[Victim], rounds: usize) -> usize {
        let mut chance = Chance::begin();
        let Self {
            server,
            start,
            arrived,
            mut target,
        } = self;
        let mut running = start();
        server.sees_subscriptions("n", 1);
        for round in 0..rounds {
            // The server has all of them, and on its disk, before the first goes on.
            running.signal("STOP");
            let numbers = round * CHUNK..(round + 1) * CHUNK;
            let input: String = numbers.clone().map(|it| format!("{it}\n")).collect();
            server
                .iotctl("pub -t n -l -q 1")
                .input(input)
                .run()
                .exits(0);
            server.save();
            running.signal("CONT");
            let enough = chance.of(numbers);
            wait_for(&format!("{enough} messages in round {round}"), || {
                (arrived() >= enough).then_some(())
            });
            let victim = victims[chance.of(0..victims.len())];
            if matches!(victim, Victim::Us | Victim::Both) {
                running.signal("KILL");
            }
            if matches!(victim, Victim::Server | Victim::Both) {
                server.kill();
                server.restart();
            }
            if let (Victim::Target, Some(target)) = (victim, &mut target) {
                target.stop();
                target.restart();
            }
            if matches!(victim, Victim::Us | Victim::Both) {
                running.ends().exits(-9);
                running = start();
            }
        }
        let count = rounds * CHUNK;
        wait_for("all messages", || (arrived() >= count).then_some(()));
        running.signal("TERM");
        running.ends().exits(143);
        count
    }
}

/// The lines of a file that grows, and how often each number came; what a killed process has not finished is no line.
struct Lines {
    path: PathBuf,
    /// What a line's number is.
    number: fn(&str) -> usize,
    read: u64,
    counts: BTreeMap<usize, usize>,
}

impl Lines {
    fn new(path: PathBuf, number: fn(&str) -> usize) -> Self {
        Self {
            path,
            number,
            read: 0,
            counts: BTreeMap::new(),
        }
    }

    fn arrived(&mut self) -> usize {
        let Ok(mut file) = File::open(&self.path) else {
            return 0;
        };
        let mut text = Vec::new();
        file.seek(SeekFrom::Start(self.read)).unwrap();
        file.read_to_end(&mut text).unwrap();
        let whole = text.iter().rposition(|byte| *byte == b'\n');
        let whole = &text[..whole.map_or(0, |at| at + 1)];
        self.read += whole.len() as u64;
        for line in std::str::from_utf8(whole).unwrap().lines() {
            *self.counts.entry((self.number)(line)).or_default() += 1;
        }
        self.counts.len()
    }
}

fn number_of_record(line: &str) -> usize {
    let record: Value = serde_json::from_str(line).expect(line);
    record["payload"].as_str().unwrap().parse().unwrap()
}

/// `log` with these words in this folder, from this server.
fn log(folder: &Path, server: u16, words: &str) -> Line {
    let line = iotctl(&format!("log mqtt://127.0.0.1:{server} -t n {words}"));
    let mut command = line.into_command();
    command.current_dir(folder);
    Line::of(command)
}

#[test]
fn a_log_has_each_number_whoever_is_killed() {
    let (mut server, folder) = (persistent(), tempfile::tempdir().unwrap());
    let port = server.port;
    let mut lines = Lines::new(folder.path().join("a.ndjson"), number_of_record);
    let trial = Trial {
        server: &mut server,
        start: &|| log(folder.path(), port, "--to a.ndjson --retry forever").start(),
        arrived: &mut || lines.arrived(),
        target: None,
    };
    let count = trial.run(&[Victim::Us, Victim::Server, Victim::Both], 50);
    lines.arrived();
    assert!(lines.counts.into_keys().eq(0..count));
}

#[test]
fn a_bridge_carries_each_number_whoever_is_killed() {
    let (mut server, mut target) = (persistent(), persistent());
    let folder = tempfile::tempdir().unwrap();
    let ends = format!(
        "mqtt://127.0.0.1:{} mqtt://127.0.0.1:{}",
        server.port, target.port
    );
    let bridge = || {
        iotctl(&format!("bridge {ends} --retry forever -t"))
            .word("n out 1")
            .start()
    };
    let path = folder.path().join("watched");
    let mut watcher = target
        .iotctl("sub -t n -q 1 -c -i watcher --retry forever")
        .into_command();
    watcher
        .stdin(Stdio::null())
        .stdout(File::create(&path).unwrap());
    let _watcher = Running::new(watcher.stderr(Stdio::null()).spawn().unwrap());
    target.sees_subscriptions("n", 1);
    let mut lines = Lines::new(path, |line| line.parse().unwrap());
    let trial = Trial {
        server: &mut server,
        start: &bridge,
        arrived: &mut || lines.arrived(),
        target: Some(&mut target),
    };
    let victims = [Victim::Us, Victim::Server, Victim::Both, Victim::Target];
    let count = trial.run(&victims, 50);
    assert!(lines.counts.into_keys().eq(0..count));
}

/// All numbers in the files of a folder, compressed or not; one that is just being renamed may be missing.
fn everywhere(folder: &Path) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Ok(mut file) = File::open(&path) else {
            continue;
        };
        let mut text = String::new();
        let read = match name.ends_with(".ndjson.gz") {
            true => GzDecoder::new(file).read_to_string(&mut text),
            false if name.ends_with(".ndjson") => file.read_to_string(&mut text),
            false => continue,
        };
        read.unwrap_or_else(|cause| panic!("{name}: {cause}"));
        let whole = text.rfind('\n').map_or(0, |at| at + 1);
        for line in text[..whole].lines() {
            *counts.entry(number_of_record(line)).or_default() += 1;
        }
    }
    counts
}

/// The files that were put aside, and what else was left.
fn aside(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let names = names.map(|it| it.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "a.ndjson").collect()
}

#[test]
fn files_that_are_put_aside_and_compressed_lose_nothing_to_a_kill() {
    for (keep, least) in [(1000, None), (2, Some(15))] {
        let (mut server, folder) = (persistent(), tempfile::tempdir().unwrap());
        let (port, path) = (server.port, folder.path());
        let words = format!("--to a.ndjson --rotate 15 --keep {keep} --gzip --retry forever");
        // What was deleted has arrived, too.
        let mut newest = 0;
        let trial = Trial {
            server: &mut server,
            start: &|| log(path, port, &words).start(),
            arrived: &mut || {
                let there = everywhere(path);
                let last = there.keys().next_back().map_or(0, |last| last + 1);
                newest = newest.max(last);
                if keep == 2 { newest } else { there.len() }
            },
            target: None,
        };
        let count = trial.run(&[Victim::Us], 10);
        let there = everywhere(path);
        let first = count - there.len();
        assert!(there.keys().copied().eq(first..count), "{there:?}");
        assert!(least.map_or(first == 0, |least| there.len() >= least));
        let aside = aside(path);
        assert!(aside.len() <= keep, "{aside:?}");
        for name in aside {
            assert!(name.ends_with(".ndjson.gz"), "{name} was left");
            let mut text = String::new();
            let file = File::open(path.join(&name)).unwrap();
            GzDecoder::new(file).read_to_string(&mut text).unwrap();
            assert_eq!(text.lines().count(), 15, "{name}");
        }
    }
}
