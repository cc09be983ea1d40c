//! Devices are updated over MQTT: against mosquitto, with agents, servers and brokers that are killed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Expect, Folder};
use crate::support::broker::broker;
use crate::support::command::{Line, Running, iotctl, program, signal};
use crate::support::mosquitto::{Mosquitto, mosquitto};
use crate::support::schema::{check, schema};
use crate::support::wait_for;

pub(super) const OLD: &[u8] = b"the firmware that the device came with";

/// A broker, a key, and firmware of so many bytes in version 1.
pub(super) struct Site {
    pub(super) broker: Mosquitto,
    pub(super) folder: Folder,
    pub(super) key: PathBuf,
}

pub(super) fn site(size: usize) -> Site {
    site_with(size, mosquitto())
}

/// The same with another broker.
pub(super) fn site_with(size: usize, broker: Mosquitto) -> Site {
    let folder = Folder::new();
    let key = folder.key("key", "ed25519");
    let site = Site {
        broker,
        folder,
        key,
    };
    site.sign(size, 1);
    site
}

/// Bytes that differ from block to block.
pub(super) fn firmware(size: usize, sequence: u8) -> Vec<u8> {
    (0..size)
        .map(|at| (at / 4096 + at) as u8 ^ sequence)
        .collect()
}

impl Site {
    pub(super) fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.broker.port)
    }

    pub(super) fn sign(&self, size: usize, sequence: u8) {
        let file = self.folder.file("fw.bin", firmware(size, sequence));
        let words = format!("--version 1.{sequence} --sequence {sequence}");
        self.folder.sign(&file, &self.key, &words).run().succeeded();
    }

    /// Leaves a message at the server, or takes it away.
    pub(super) fn retain(&self, topic: &str, payload: &str) {
        let line = self.broker.iotctl("pub -q 1 -r -t").word(topic);
        let line = match payload {
            "" => line.words("-n"),
            payload => line.words("-m").word(payload),
        };
        line.run().succeeded();
    }

    pub(super) fn serve(&self, words: &str) -> Running {
        let line = iotctl("ota serve").word(self.folder.path("updates"));
        let mut server = line.word(self.url()).words(words).start();
        server.hears("iotctl: serving ");
        server
    }

    pub(super) fn publish(&self, words: &str) -> Line {
        let line = iotctl("ota publish").word(self.url()).words(words);
        line.word("--manifest").word(self.folder.path("updates"))
    }

    /// A device whose state and images are in a directory of its name.
    pub(super) fn agent(&self, device: &str, words: &str) -> Line {
        self.agent_in(&self.folder.path(device), device, words)
    }

    /// The same in another directory.
    pub(super) fn agent_in(&self, slots: &Path, device: &str, words: &str) -> Line {
        self.agent_at(&self.url(), slots, device, words)
    }

    fn agent_at(&self, url: &str, slots: &Path, device: &str, words: &str) -> Line {
        fs::create_dir_all(slots).unwrap();
        if !slots.join("a").exists() {
            fs::write(slots.join("a"), OLD).unwrap();
        }
        let line = iotctl("ota agent").word(url).word("--slots").word(slots);
        let line = line.word("--trust").word(self.folder.public("key"));
        let line = line
            .words("--vendor example.com --class sensor-rev-b --device")
            .word(device);
        line.words(words)
    }

    pub(super) fn image(&self, device: &str, slot: &str) -> Vec<u8> {
        fs::read(self.folder.path(device).join(slot)).unwrap()
    }

    pub(super) fn status(&self, words: &str) -> Value {
        let line = iotctl("ota status --output json --timeout 80s").word(self.url());
        let line = if words.is_empty() {
            line
        } else {
            line.word("--until").word(words)
        };
        serde_json::from_str(&line.run().succeeded()).unwrap()
    }
}

#[test]
fn a_device_is_updated_and_then_updated_again() {
    let site = site(100_000);
    let _server = site.serve("");
    let said = site.publish("--to all").run();
    assert!(
        said.stderr
            .contains("published sequence 1, version 1.1 to all"),
        "{}",
        said.stderr
    );
    let line = site.agent("d1", "--once --install true");
    let said = line
        .word("--health")
        .word("test \"$IOTCTL_OTA_SLOT$IOTCTL_OTA_VERSION\" = b1.1")
        .run();
    for state in [
        "downloading",
        "downloaded",
        "verified",
        "installed",
        "rebooting",
        "testing",
        "updated",
    ] {
        assert!(
            said.stderr.contains(&format!("iotctl: {state}: ")),
            "{state}: {}",
            said.stderr
        );
    }
    said.succeeded();
    assert_eq!(site.image("d1", "b"), firmware(100_000, 1));
    assert_eq!(site.image("d1", "a"), OLD);
    let status = site.status("updated == 1");
    check(&status, &schema("ota-status"));
    let device = &status["devices"][0];
    assert_eq!(
        (&device["version"], &device["slot"], &device["class"]),
        (&"1.1".into(), &"b".into(), &"sensor-rev-b".into())
    );
    // The next one goes where the old one was; the same one again nowhere.
    site.sign(70_001, 2);
    site.publish("--to device:d1").run().succeeded();
    site.agent("d1", "--once").run().succeeded();
    assert_eq!(site.image("d1", "a"), firmware(70_001, 2));
    let status = site.status("updated == 1");
    assert_eq!(status["devices"][0]["sequence"], 2);
}

#[test]
fn once_waits_for_an_update_and_takes_no_other_image_for_it() {
    let site = site(10_000);
    let _server = site.serve("");
    site.publish("--to all").run().succeeded();
    site.agent("d1", "--once").run().succeeded();
    // What runs already is no update, and no failure.
    site.agent("d1", "--once").run().succeeded();
    site.retain("ota/all/manifest", "");
    let waiting = site.agent("d1", "--once").start();
    site.broker.sees_subscriptions("ota/all/manifest", 3);
    site.sign(20_000, 2);
    site.publish("--to all").run().succeeded();
    waiting.ends().succeeded();
    assert_eq!(site.image("d1", "a"), firmware(20_000, 2));
    // Signed in a directory that does not know of the first one.
    fs::remove_dir_all(site.folder.path("updates")).unwrap();
    site.sign(10_001, 2);
    site.publish("--to all").run().succeeded();
    let said = site.agent("d1", "--once").run();
    assert!(
        said.stderr.contains("sequence 2 is that of another image"),
        "{}",
        said.stderr
    );
    said.failed(1);
}

#[test]
fn once_waits_for_a_manifest_no_longer_than_it_is_told() {
    let site = site(10_000);
    let said = site.agent("d1", "--once --timeout 300ms").run();
    let wanted = "iotctl: timed out: no manifest has come\n";
    assert!(said.stderr.ends_with(wanted), "{}", said.stderr);
    said.failed(5);
    assert_eq!(site.status("idle == 1")["devices"][0]["id"], "d1");
    // Nor for a server that is not there.
    let away = "mqtt://127.0.0.1:1";
    let slots = site.folder.path("d2");
    let said = site
        .agent_at(away, &slots, "d2", "--once --timeout 300ms")
        .run();
    assert!(said.stderr.ends_with(wanted), "{}", said.stderr);
    said.failed(5);
    // A manifest that has come is what was waited for, whatever comes of it.
    site.publish("--to all").run().succeeded();
    let said = site.agent("d1", "--once --timeout 80s --slot-size 9").run();
    assert!(said.stderr.contains("refused: "), "{}", said.stderr);
    said.failed(1);
}

#[test]
fn an_older_version_is_installed_where_that_is_allowed_and_said_loudly() {
    let site = site(10_000);
    let _server = site.serve("");
    site.sign(20_000, 2);
    site.publish("--to all").run().succeeded();
    site.agent("d1", "--once").run().succeeded();
    let older = || {
        let line = iotctl("ota publish --to all").word(site.url());
        line.word("--manifest")
            .word(site.folder.path("updates/fw-1.1.suit"))
    };
    older().run().succeeded();
    let why = site.agent("d1", "--once").run();
    let wanted = "refused: sequence 1 is not above 2, which is installed\n";
    assert!(why.stderr.ends_with(wanted), "{}", why.stderr);
    why.failed(1);
    assert_eq!(site.image("d1", "b"), firmware(20_000, 2));
    let said = site.agent("d1", "--once --allow-downgrade").run();
    for warning in [
        "iotctl: --allow-downgrade: older versions are installed too, with the faults that they have\n",
        "iotctl: --allow-downgrade: sequence 1 is older than 2, which runs, and is installed all the same\n",
    ] {
        assert!(said.stderr.contains(warning), "{}", said.stderr);
    }
    said.succeeded();
    assert_eq!(site.image("d1", "a"), firmware(10_000, 1));
    assert_eq!(site.status("updated == 1")["devices"][0]["sequence"], 1);
}

#[test]
fn an_image_that_nobody_has_is_given_up_and_the_next_manifest_is_taken() {
    let site = site(10_000);
    site.publish("--to all").run().succeeded();
    let said = site.agent("d1", "--once --timeout 300ms").run();
    let wanted = "iotctl: failed: nothing of the image has come for 300ms\n";
    assert!(said.stderr.ends_with(wanted), "{}", said.stderr);
    said.failed(5);
    let status = site.status("failed == 1");
    assert_eq!(
        status["devices"][0]["error"],
        "nothing of the image has come for 300ms"
    );
    let mut device = site.agent("d1", "--timeout 4s").start();
    device.hears("iotctl: failed: version 1.1, sequence 1: nothing of the image has come");
    let _server = site.serve("");
    site.publish("--to all").run().succeeded();
    device.hears("iotctl: updated: version 1.1");
}

/// Two hundred images, a file that cannot be read, and few descriptors.
#[test]
fn neither_a_broken_file_nor_many_hide_a_new_image() {
    let site = site(10_000);
    let updates = site.folder.path("updates");
    for number in 0..200 {
        fs::write(updates.join(format!("{number}.bin")), number.to_string()).unwrap();
    }
    std::os::unix::fs::symlink("loop", updates.join("loop")).unwrap();
    let script = format!(
        "ulimit -n 64 && exec {} ota serve \"$0\" \"$1\"",
        env!("CARGO_BIN_EXE_iotctl")
    );
    let line = program("sh", "-c").word(script).word(&updates);
    let mut server = line.word(site.url()).start();
    let why = server.hears("cannot read ");
    assert!(why.contains("/updates/loop: "), "{why}");
    server.hears("iotctl: serving 201 images ");
    site.sign(20_000, 2);
    site.publish("--to all").run().succeeded();
    site.agent("d1", "--once").run().succeeded();
    assert_eq!(site.image("d1", "b"), firmware(20_000, 2));
    // It was said once, although the directory was looked at again.
    server.signal("INT");
    let said = server.ends().stderr;
    assert_eq!(said.matches("/updates/loop: ").count(), 1, "{said}");
}

/// Whoever may publish can leave wrong blocks on the server.
#[test]
fn retained_blocks_are_not_believed() {
    let site = site(10_000);
    let _server = site.serve("");
    let digest = ring::digest::digest(&ring::digest::SHA256, &firmware(10_000, 1));
    let digits = data_encoding::HEXLOWER.encode(digest.as_ref());
    for number in 0..3 {
        let topic = format!("ota/blob/{digits}/all/{number}");
        site.retain(&topic, &"x".repeat(4096));
    }
    site.publish("--to all").run().succeeded();
    let said = site.agent("d1", "--once").run();
    assert_eq!(
        said.stderr.matches("downloaded: ").count(),
        1,
        "{}",
        said.stderr
    );
    said.succeeded();
}

/// Updates of earlier versions are not those that are waited for, and a report that is none is said.
#[test]
fn a_goal_counts_devices_of_one_version() {
    let site = site(1_000);
    for (device, version) in [("a", "1.0"), ("b", "1.1")] {
        let report = format!(r#"{{"state":"updated","version":"{version}","id":"other"}}"#);
        site.retain(&format!("ota/status/{device}"), &report);
    }
    site.retain("ota/status/c", "nonsense");
    let until = |words: &str| {
        let line = iotctl("ota status --output json").word(site.url());
        line.word("--until").word("updated == 1").words(words).run()
    };
    until("--timeout 300ms").exits(5);
    let ended = until("--version 1.1 --timeout 80s").exits(0);
    let ended = ended.says("iotctl: c: the report is no JSON object");
    let status: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let names = status["devices"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|it| it["device"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let alone = iotctl("ota status --version 1.1").word(site.url()).run();
    alone.exits(2).says("--until");
}

#[test]
fn a_device_that_is_not_well_goes_back_and_stays_there() {
    let site = site(10_000);
    let _server = site.serve("");
    site.publish("--to group:lab").run().succeeded();
    let log = site.folder.path("installed");
    let agent = |health: &str| {
        let line = site.agent("d1", "--group lab --once --within 60s");
        let install = format!("echo $IOTCTL_OTA_SLOT >> {}", log.display());
        line.word("--install")
            .word(install)
            .word("--health")
            .word(health)
            .run()
    };
    let why = agent("exit 3");
    let last = why.stderr.lines().last().unwrap_or_default().to_owned();
    assert_eq!(last, "iotctl: rolled-back: --health ended with exit code 3");
    why.failed(1);
    assert_eq!(fs::read_to_string(&log).unwrap(), "b\na\n");
    let status = site.status("rolled-back == 1");
    assert_eq!(status["devices"][0]["slot"], "a");
    // It is not tried again, and the next one is.
    agent("exit 0").failed(1);
    assert_eq!(fs::read_to_string(&log).unwrap(), "b\na\n");
    site.sign(10_000, 2);
    site.publish("--to group:lab").run().succeeded();
    agent("exit 0").succeeded();
    assert_eq!(site.image("d1", "b"), firmware(10_000, 2));
}

#[test]
fn a_device_that_hangs_goes_back_in_time() {
    let site = site(10_000);
    let _server = site.serve("");
    site.publish("--to all").run().succeeded();
    let line = site
        .agent("d1", "--once --within 300ms")
        .word("--health")
        .word("sleep 600");
    let why = line.run();
    assert!(
        why.stderr
            .contains("rolled-back: it did not prove itself in time"),
        "{}",
        why.stderr
    );
    why.failed(1);
}

#[test]
fn a_reboot_ends_the_agent_and_the_next_start_confirms() {
    let site = site(10_000);
    let _server = site.serve("");
    site.publish("--to all").run().succeeded();
    let reboot = || site.agent("d1", "--once").word("--reboot").word("true");
    reboot().run().succeeded();
    let status = site.status("rebooting == 1");
    assert_eq!(status["devices"][0]["slot"], "a");
    // Started from the other slot it is confirmed; from the old one the boot loader has gone back.
    let went_back = reboot().words("--booted a").run();
    let said = went_back.stderr.clone();
    assert!(
        said.contains("rolled-back: the boot loader went back to the other slot"),
        "{said}"
    );
    went_back.failed(1);
    site.sign(10_000, 2);
    site.publish("--to all").run().succeeded();
    reboot().run().succeeded();
    reboot().words("--booted b").run().succeeded();
    assert_eq!(site.status("updated == 1")["devices"][0]["slot"], "b");
}

#[test]
fn what_is_not_for_a_device_is_refused() {
    let site = site(10_000);
    let _server = site.serve("");
    let other = site.folder.key("other", "p256");
    let file = site.folder.file("other.bin", [7; 10_000]);
    site.folder
        .sign(&file, &other, "--version 9 --sequence 9")
        .run()
        .succeeded();
    site.publish("--to all").run().succeeded();
    let why = site.agent("d1", "--once").run();
    assert!(
        why.stderr.contains("which is not trusted; trusted: "),
        "{}",
        why.stderr
    );
    why.failed(1);
    let file = site.folder.file("mine.bin", [7; 10_000]);
    site.folder
        .sign(&file, &site.key, "--version 10 --sequence 10")
        .run()
        .succeeded();
    site.publish("--to all").run().succeeded();
    let why = site.agent("d1", "--once --slot-size 9999").run();
    let last = why.stderr.lines().last().unwrap_or_default().to_owned();
    assert_eq!(
        last,
        "iotctl: refused: the image has 10000 bytes, the slot 9999"
    );
    why.failed(1);
    assert_eq!(site.image("d1", "a"), OLD);
    // Two slots are two places.
    site.folder.file("d1/x", "x");
    let (one, two) = (site.folder.path("d1/x"), site.folder.path("d1/./x"));
    let same = site.agent("d1", "--once").word("--slot-a").word(&one);
    let why = same.word("--slot-b").word(two).run().failed(2);
    assert!(why.contains("are the same"), "{why}");
    fs::hard_link(&one, site.folder.path("d1/y")).unwrap();
    let same = site.agent("d1", "--once").word("--slot-a").word(one);
    let linked = same.word("--slot-b").word(site.folder.path("d1/y"));
    linked.run().failed(2);
    // Two agents cannot have the same slots.
    let mut first = site.agent("d1", "--slot-size 9999").start();
    first.hears("manifest refused");
    let why = site.agent("d1", "").run().failed(8);
    assert!(why.contains("another agent uses"), "{why}");
}

#[test]
fn an_image_in_the_envelope_needs_no_server() {
    let site = site(10);
    let file = site.folder.file("fw.bin", firmware(20_000, 3));
    let words = "--version 3 --sequence 3 --embed";
    site.folder.sign(&file, &site.key, words).run().succeeded();
    site.publish("--to all").run().succeeded();
    site.agent("d1", "--once").run().succeeded();
    assert_eq!(site.image("d1", "b"), firmware(20_000, 3));
}

/// Waits until a device has written down that it has some of the blocks, and not all.
pub(super) fn is_downloading(device: &Path) {
    let file = device.join("download");
    wait_for("a download", || fs::metadata(&file).ok());
}

#[test]
fn a_download_goes_on_after_the_agent_the_server_and_the_broker_were_killed() {
    const SIZE: usize = 3_000_000;
    let mut site = site(SIZE);
    let mut server = site.serve("");
    site.publish("--to all").run().succeeded();
    let agent = |site: &Site| site.agent("d1", "--block-size 512 --retry forever").start();
    let mut device = agent(&site);
    is_downloading(&site.folder.path("d1"));
    signal(device.id(), "KILL");
    drop(device);
    let before = fs::read(site.folder.path("d1").join("download")).unwrap();
    assert!(before.iter().skip(44).any(|bits| *bits != 0));
    device = agent(&site);
    device.hears("iotctl: downloading");
    signal(server.id(), "KILL");
    drop(server);
    server = site.serve("");
    site.broker.kill();
    site.broker.restart();
    // The broker has kept nothing.
    site.publish("--to all --retry forever").run().succeeded();
    device.hears("iotctl: updated");
    assert_eq!(site.image("d1", "b"), firmware(SIZE, 1));
    drop(server);
}

#[test]
fn a_carousel_sends_each_block_once_to_many() {
    const DEVICES: usize = 5;
    let site = site(400_000);
    let devices: Vec<_> = (0..DEVICES).map(|at| format!("d{at}")).collect();
    let mut agents: Vec<_> = devices
        .iter()
        .map(|it| site.agent(it, "").start())
        .collect();
    site.broker.sees_subscriptions("ota/all/manifest", DEVICES);
    let mut server = site.serve("--carousel");
    site.publish("--to all").run().succeeded();
    for agent in &mut agents {
        agent.hears("iotctl: updated");
    }
    for device in &devices {
        assert_eq!(site.image(device, "b"), firmware(400_000, 1));
    }
    signal(server.id(), "TERM");
    let said = server.hears("blocks sent");
    let sent: usize = said.split(' ').nth(1).unwrap().parse().unwrap();
    // 98 blocks; one after the other to five devices they would be 490.
    assert!(sent < 98 * 4, "{said}");
}

#[test]
fn of_two_agents_of_one_name_the_first_is_told_of_the_second() {
    let site = site(1000);
    // Which says that it was another client, as MQTT 5 has it.
    let broker = broker("");
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let agent = |slots: &str, words: &str| {
        let slots = site.folder.path(slots);
        site.agent_at(&url, &slots, "d1", words)
    };
    let mut first = agent("d1", "").start();
    first.hears("iotctl: idle");
    let second = agent("other", "").start();
    let ended = first.ends();
    assert!(
        ended
            .stderr
            .contains("another client connects with the same identifier"),
        "{}",
        ended.stderr
    );
    ended.failed(6);
    // With identifiers of their own, it is for who gives them.
    let mut third = agent("third", "-i mine").start();
    third.hears("iotctl: idle");
    second.signal("INT");
    second.ends().exits(0);
}

/// A server before MQTT 5 closes the connection without a word, and so does mosquitto 2.0.
#[test]
fn two_agents_of_one_name_do_not_fight_for_ever_at_mosquitto() {
    let site = site(1000);
    for words in ["", "-V 311"] {
        let agent = |slots: &str| {
            let slots = site.folder.path(slots);
            site.agent_in(&slots, "d1", words).start()
        };
        let (mut first, second) = (agent("d1"), agent("other"));
        // They tell of themselves over each connection, which does not mean that all is well.
        first.hears("another client");
        for agent in [first, second] {
            agent.signal("INT");
            agent.ends();
        }
    }
}
