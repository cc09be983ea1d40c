//! What a device comes through: full disks, block devices as slots, and agents, servers and brokers that are killed at any moment.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::Expect;
use super::updating::{OLD, Site, firmware, is_downloading, site};
use crate::support::command::{Line, Running, signal};
use crate::support::wait_for;

/// A folder on a disk of 4 MiB; where this machine lets nobody mount one, on any disk, and a limit on the size of files stands
/// for its end.
struct SmallDisk {
    folder: TempDir,
    is_mounted: bool,
}

fn said_well(command: &mut Command) -> bool {
    let silent = command.stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

impl SmallDisk {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(folder.path());
        Self {
            is_mounted: said_well(&mut mount),
            folder,
        }
    }

    fn filler(&self) -> PathBuf {
        self.folder.path().join("filler")
    }

    /// Words for sh that fill it up for the process with this number.
    fn filling(&self, process: &str) -> String {
        match self.is_mounted {
            true => format!(
                "cat /dev/zero > {} 2>/dev/null; true",
                self.filler().display()
            ),
            false => format!("prlimit --pid {process} --fsize=0:unlimited"),
        }
    }

    fn fill(&self, process: u32) {
        let words = self.filling(&process.to_string());
        assert!(said_well(Command::new("sh").args(["-c", &words])));
    }

    /// There is room again for the process with this number.
    fn clear(&self, process: u32) {
        match self.is_mounted {
            true => fs::remove_file(self.filler()).unwrap(),
            false => {
                let words = format!("--pid {process} --fsize=unlimited:unlimited");
                assert!(said_well(Command::new("prlimit").args(words.split(' '))));
            }
        }
    }

    /// A device on it.
    fn agent(&self, site: &Site, words: &str) -> Line {
        site.agent_in(&self.folder.path().join("d1"), "d1", words)
    }

    fn image(&self, slot: &str) -> Vec<u8> {
        fs::read(self.folder.path().join("d1").join(slot)).unwrap()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.is_mounted {
            said_well(Command::new("umount").args(["-l"]).arg(self.folder.path()));
        }
    }
}

#[test]
fn a_slot_that_takes_nothing_is_said_and_the_other_one_goes_on() {
    let site = site(100_000);
    let _server = site.serve("");
    site.publish("--to all").run().succeeded();
    let slots = |b: &Path| {
        let line = site.agent("d1", "--once").word("--slot-a");
        let line = line.word(site.folder.path("d1").join("a"));
        line.word("--slot-b").word(b).run()
    };
    let why = slots(Path::new("/dev/full"));
    let last = why.stderr.lines().last().unwrap_or_default().to_owned();
    assert_eq!(
        last,
        "iotctl: failed: cannot write the image: no space left on device"
    );
    why.failed(1);
    let status = site.status("failed == 1");
    assert_eq!(status["devices"][0]["slot"], "a");
    assert_eq!(site.image("d1", "a"), OLD);
    slots(&site.folder.path("d1").join("b")).succeeded();
    assert_eq!(site.image("d1", "b"), firmware(100_000, 1));
}

#[test]
fn a_disk_that_fills_up_while_an_image_comes_fails_the_update_until_there_is_room() {
    const SIZE: usize = 3_000_000;
    let site = site(SIZE);
    let disk = SmallDisk::new();
    let _server = site.serve("");
    site.publish("--to all").run().succeeded();
    if disk.is_mounted {
        // What does not fit is refused before anything of it is written.
        fs::write(disk.filler(), vec![1; 2 << 20]).unwrap();
        let why = disk.agent(&site, "--once").run();
        let last = why.stderr.lines().last().unwrap_or_default().to_owned();
        let wanted = format!("iotctl: failed: the image has {SIZE} bytes, free are ");
        assert!(last.starts_with(&wanted), "{last}");
        why.failed(1);
        fs::remove_file(disk.filler()).unwrap();
    }
    let mut device = disk.agent(&site, "--block-size 512").start();
    is_downloading(&disk.folder.path().join("d1"));
    signal(device.id(), "STOP");
    disk.fill(device.id());
    signal(device.id(), "CONT");
    let said = device.hears("iotctl: failed: ");
    assert!(said.contains("cannot write "), "{said}");
    assert_eq!(disk.image("a"), OLD);
    assert_eq!(site.status("failed == 1")["devices"][0]["slot"], "a");
    disk.clear(device.id());
    site.publish("--to all").run().succeeded();
    device.hears("iotctl: updated");
    assert_eq!(disk.image("b"), firmware(SIZE, 1));
}

#[test]
fn a_device_whose_disk_is_full_when_it_confirms_has_not_updated_yet() {
    let site = site(10_000);
    let disk = SmallDisk::new();
    let _server = site.serve("");
    site.publish("--to all").run().succeeded();
    let line = disk.agent(&site, "--once").word("--confirm");
    let why = line.word(disk.filling("$PPID")).run();
    assert!(!why.stderr.contains("updated"), "{}", why.stderr);
    let last = why.stderr.lines().last().unwrap_or_default().to_owned();
    assert!(
        last.starts_with("iotctl: cannot write ") && last.contains("/state."),
        "{last}"
    );
    why.failed(8);
    let device = &site.status("testing == 1")["devices"][0];
    assert!(
        device["error"].as_str().unwrap().contains("cannot write"),
        "{device}"
    );
    // Whoever waits goes on by itself once there is room; the filler is that of the first one.
    let mut waiting = match disk.is_mounted {
        true => disk.agent(&site, "").start(),
        false => {
            let line = disk.agent(&site, "").word("--confirm");
            line.word(disk.filling("$PPID")).start()
        }
    };
    let said = waiting.hears("cannot write ");
    assert!(said.contains("testing: version 1.1"), "{said}");
    disk.clear(waiting.id());
    waiting.hears("iotctl: updated: version 1.1");
    assert_eq!(disk.image("b"), firmware(10_000, 1));
    assert_eq!(disk.image("a"), OLD);
}

/// A block device of so many bytes, or a file where this machine has no loop devices to give.
struct Slot {
    path: PathBuf,
    is_device: bool,
}

impl Slot {
    fn new(file: &Path, size: usize) -> Self {
        fs::write(file, vec![0xA5; size]).unwrap();
        let found = Command::new("losetup")
            .args(["-f", "--show"])
            .arg(file)
            .output();
        let found = found.ok().filter(|it| it.status.success());
        match found {
            Some(said) => Self {
                path: String::from_utf8(said.stdout).unwrap().trim().into(),
                is_device: true,
            },
            // This machine has no loop devices to give.
            None => Self {
                path: file.to_owned(),
                is_device: false,
            },
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        File::open(&self.path)
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        bytes
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.is_device {
            said_well(Command::new("losetup").arg("-d").arg(&self.path));
        }
    }
}

#[test]
fn a_block_device_is_a_slot_of_its_size_that_stays_what_it_is() {
    const SLOT: usize = 256 << 10;
    let site = site(SLOT + 512);
    let _server = site.serve("");
    let slots = ["a", "b"].map(|name| Slot::new(&site.folder.path(name), SLOT));
    let agent = || {
        let line = site
            .agent("d1", "--once")
            .word("--slot-a")
            .word(&slots[0].path);
        line.word("--slot-b").word(&slots[1].path)
    };
    let agent = || match slots[0].is_device {
        true => agent(),
        false => agent().words(&format!("--slot-size {SLOT}")),
    };
    site.publish("--to all").run().succeeded();
    let why = agent().run();
    let last = why.stderr.lines().last().unwrap_or_default().to_owned();
    let wanted = format!(
        "iotctl: refused: the image has {} bytes, the slot {SLOT}",
        SLOT + 512
    );
    assert_eq!(last, wanted);
    why.failed(1);
    // One after the other into both, the second one smaller than the first.
    for (sequence, slot, size) in [(2, 1, SLOT), (3, 0, 100_001), (4, 1, 50_000)] {
        site.sign(size, sequence);
        site.publish("--to all").run().succeeded();
        let before = slots.each_ref().map(Slot::bytes);
        agent().run().succeeded();
        let after = slots.each_ref().map(Slot::bytes);
        assert!(after[slot].starts_with(&firmware(size, sequence)));
        assert_eq!(after[1 - slot], before[1 - slot], "the slot that runs");
        if slots[slot].is_device {
            assert_eq!(after[slot].len(), SLOT);
            assert!(
                after[slot][size..] == before[slot][size..],
                "behind the image"
            );
            let kind = fs::symlink_metadata(&slots[slot].path).unwrap().file_type();
            assert!(kind.is_block_device());
        }
    }
}

/// A device with a boot loader that starts what it was told, and a hand that pulls plugs.
struct Field {
    site: Site,
    server: Option<Running>,
    agent: Option<Running>,
    /// The same numbers in each run.
    random: u64,
    sequence: u8,
    kills: usize,
    /// Sequences that the device has said it was updated to.
    updated: BTreeSet<u64>,
}

const IMAGE: usize = 150_000;

impl Field {
    fn random(&mut self, below: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    fn file(&self, name: &str) -> PathBuf {
        self.site.folder.path(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// The device is switched on, with what the boot loader takes.
    fn power_on(&mut self) {
        let booted = self.read("boot").trim().to_owned();
        let booted = if booted.is_empty() { "a" } else { &booted };
        let boot = self.file("boot").display().to_string();
        let install = format!("echo $IOTCTL_OTA_SLOT > {boot}.new && mv {boot}.new {boot}");
        let confirmed = self.file("confirmed").display().to_string();
        let line = self
            .site
            .agent("d1", "--block-size 512 --reboot true --booted")
            .word(booted);
        let line = line.word("--install").word(install).word("--confirm");
        let line = line.word(format!("echo $IOTCTL_OTA_SEQUENCE >> {confirmed}"));
        self.agent = Some(line.word("--health").word("true").start());
    }

    fn serve(&mut self) {
        self.server = Some(self.site.serve(""));
        let all = self.site.publish("--to all --retry forever --timeout 60s");
        all.run().succeeded();
    }

    /// What the device keeps, as it would read it.
    fn state(&self) -> Value {
        let copies = ["d1/state.0", "d1/state.1"].map(|name| self.read(name));
        let whole = copies
            .iter()
            .filter_map(|it| serde_json::from_str::<Value>(it.get(9..)?).ok());
        whole
            .max_by_key(|it| it["generation"].as_u64())
            .unwrap_or_default()
    }

    /// The device is off: what the boot loader takes starts, and nothing was said that is not so.
    fn inspect(&mut self, said: &str) {
        let booted = self.read("boot").trim().to_owned();
        let booted = if booted.is_empty() { "a" } else { &booted };
        let image = self.site.image("d1", booted);
        let known = (1..=self.sequence).any(|it| image == firmware(IMAGE, it));
        assert!(
            known || image == OLD,
            "slot {booted} does not start: {said}"
        );
        let confirmed = self.read("confirmed");
        let confirmed: BTreeSet<u64> = confirmed.lines().map(|it| it.parse().unwrap()).collect();
        for line in said
            .lines()
            .filter(|it| it.starts_with("iotctl: updated: "))
        {
            let (_, sequence) = line.rsplit_once("sequence ").unwrap();
            let sequence = sequence.trim().parse().unwrap();
            assert!(confirmed.contains(&sequence), "{line}: {confirmed:?}");
            self.updated.insert(sequence);
        }
        let release = self.state()["release"]["sequence"].as_u64().unwrap_or(0);
        assert!(
            release == 0 || confirmed.contains(&release),
            "{release}: {confirmed:?}"
        );
    }

    /// Pulls a plug, looks at the device where it was that one's, and puts it back.
    fn kill(&mut self) {
        self.kills += 1;
        match self.random(6) {
            0 => {
                self.server = None;
                self.serve();
            }
            1 => {
                self.site.broker.kill();
                self.site.broker.restart();
                // The broker has kept nothing.
                let all = self.site.publish("--to all --retry forever --timeout 60s");
                all.run().succeeded();
            }
            _ => {
                if let Some(agent) = self.agent.take() {
                    // It may have ended by itself, to start again.
                    let _ = Command::new("kill")
                        .args(["-KILL", &agent.id().to_string()])
                        .status();
                    let ended = agent.ends_by_itself();
                    self.inspect(&ended.stderr);
                }
                self.power_on();
            }
        }
    }

    /// Whether the update was confirmed, or has failed.
    fn is_over(&self) -> bool {
        let state = self.state();
        state["trial"].is_null() && state["last"]["sequence"] == u64::from(self.sequence)
    }

    /// Until the newest update is confirmed.
    fn finish(&mut self) {
        wait_for("an update", || {
            self.start_again();
            let release = &self.state()["release"]["sequence"];
            (*release == u64::from(self.sequence)).then_some(())
        });
    }

    fn offer(&mut self) {
        self.sequence += 1;
        self.site.sign(IMAGE, self.sequence);
        self.site.publish("--to all").run().succeeded();
    }

    /// Starts the device again where it ended by itself.
    fn start_again(&mut self) {
        let Some(agent) = &mut self.agent else {
            return self.power_on();
        };
        if agent.has_ended()
            && let Some(agent) = self.agent.take()
        {
            let ended = agent.ends_by_itself();
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            self.inspect(&ended.stderr);
            self.power_on();
        }
    }
}

#[test]
fn whatever_is_killed_and_whenever_a_device_starts_and_is_updated() {
    const KILLS: usize = 36;
    let mut field = Field {
        site: site(IMAGE),
        server: None,
        agent: None,
        random: 0x07A_5EED,
        sequence: 1,
        kills: 0,
        updated: BTreeSet::new(),
    };
    field.serve();
    field.power_on();
    let began = Instant::now();
    field.finish();
    // Plugs are pulled at any moment of an update, however long that takes here.
    let course = began.elapsed().min(Duration::from_millis(1500));
    field.offer();
    while field.kills < KILLS {
        let moment = field.random(course.as_millis() as u64);
        std::thread::sleep(Duration::from_millis(moment));
        field.start_again();
        field.kill();
        if field.is_over() {
            field.offer();
        }
    }
    // With nobody's hand at the plugs, the newest one gets through.
    field.offer();
    field.finish();
    let newest = u64::from(field.sequence);
    let agent = field.agent.take().unwrap();
    signal(agent.id(), "TERM");
    let said = agent.ends_by_itself().stderr;
    field.inspect(&said);
    let slot = field.read("boot").trim().to_owned();
    assert_eq!(
        field.site.image("d1", &slot),
        firmware(IMAGE, field.sequence)
    );
    assert!(field.updated.contains(&newest), "{:?}", field.updated);
}
