//! Devices that get their manifests from a queue of RabbitMQ, and report to another.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::updating::firmware;
use super::{Expect, Folder};
use crate::support::coap::server;
use crate::support::command::{Ended, Line, iotctl};
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::schema::{check, schema};

const OLD: &[u8] = b"the firmware that the device came with";

pub(super) struct Site {
    pub(super) folder: Folder,
    key: PathBuf,
    prefix: String,
}

impl Site {
    pub(super) fn new() -> Self {
        let folder = Folder::new();
        let key = folder.key("key", "ed25519");
        let prefix = unique("ota");
        Self {
            folder,
            key,
            prefix,
        }
    }

    pub(super) fn line(&self, command: &str) -> Line {
        let line = iotctl(command).word(rabbitmq().url());
        line.word("--prefix").word(&self.prefix)
    }

    pub(super) fn sign(&self, sequence: u8, words: &str) -> PathBuf {
        let file = self.folder.file("fw.bin", firmware(20_000, sequence));
        let words = format!("--version 1.{sequence} --sequence {sequence} {words}");
        self.folder.sign(&file, &self.key, &words).run().succeeded();
        self.folder.path(&format!("updates/fw-1.{sequence}.suit"))
    }

    fn publish(&self, manifest: &Path, to: &str) -> Ended {
        self.line("ota publish")
            .word("--manifest")
            .word(manifest)
            .word("--to")
            .word(to)
            .run()
    }

    pub(super) fn agent(&self, device: &str, words: &str) -> Line {
        self.agent_in(&self.folder.path(device), device, words)
    }

    fn agent_in(&self, slots: &Path, device: &str, words: &str) -> Line {
        fs::create_dir_all(slots).unwrap();
        if !slots.join("a").exists() {
            fs::write(slots.join("a"), OLD).unwrap();
        }
        let line = self.line("ota agent").word("--slots").word(slots);
        let line = line.word("--trust").word(self.folder.public("key"));
        let line = line
            .words("--vendor example.com --class sensor-rev-b --device")
            .word(device);
        line.words(words)
    }

    pub(super) fn status(&self, words: &str) -> Value {
        let line = self.line("ota status").words("--output json --timeout 80s");
        let line = if words.is_empty() {
            line
        } else {
            line.word("--until").word(words)
        };
        serde_json::from_str(&line.run().succeeded()).unwrap()
    }
}

#[test]
fn a_manifest_comes_from_a_queue_with_its_image_and_reports_go_to_another() {
    let site = Site::new();
    let first = site.sign(1, "--embed");
    // Nobody has a queue for it yet.
    let why = site.publish(&first, "group:lab").failed(1);
    assert!(why.contains("NO_ROUTE"), "{why}");
    let mut waiting = site.agent("d1", "--group lab").start();
    waiting.hears("iotctl: idle");
    assert_eq!(site.status("idle == 1")["devices"][0]["id"], "d1");
    let said = site.publish(&first, "group:lab");
    assert!(
        said.stderr
            .contains("published sequence 1, version 1.1 to group:lab"),
        "{}",
        said.stderr
    );
    said.succeeded();
    waiting.hears("iotctl: updated");
    check(&site.status("updated == 1"), &schema("ota-status"));
    drop(waiting);
    assert_eq!(
        fs::read(site.folder.path("d1/b")).unwrap(),
        firmware(20_000, 1)
    );
    // Reports stay for who asks next, the last one of each device.
    for _ in 0..2 {
        let status = site.status("updated == 1");
        assert_eq!(status["counts"], serde_json::json!({"updated": 1}));
        assert_eq!(status["devices"][0]["version"], "1.1");
        assert_eq!(site.status("")["devices"][0]["sequence"], 1);
    }
    // What was published while the device was away waits for it, and the newest wins.
    let (second, third) = (site.sign(2, "--embed"), site.sign(3, "--embed"));
    site.publish(&third, "device:d1").succeeded();
    site.publish(&second, "all").succeeded();
    site.agent("d1", "--once").run().succeeded();
    assert_eq!(
        fs::read(site.folder.path("d1/a")).unwrap(),
        firmware(20_000, 3)
    );
    let remove = site
        .line("ota publish")
        .words("--remove --to all")
        .run()
        .failed(2);
    assert!(
        remove.contains("--remove cannot be used over AMQP"),
        "{remove}"
    );
}

#[test]
fn once_waits_for_a_manifest_no_longer_than_it_is_told() {
    let site = Site::new();
    let said = site.agent("d1", "--once --timeout 300ms").run();
    let wanted = "iotctl: timed out: no manifest has come\n";
    assert!(said.stderr.ends_with(wanted), "{}", said.stderr);
    said.failed(5);
}

#[test]
fn an_image_is_fetched_over_coap_from_where_the_manifest_says() {
    let site = Site::new();
    fs::create_dir_all(site.folder.path("updates")).unwrap();
    let updates = site.folder.path("updates").display().to_string();
    let images = server(&format!("--directory {updates}"), &["coap"]);
    let root = images.uris[0].trim_end_matches('/').to_owned();
    let first = site.sign(1, &format!("--uri {root}/fw-1.1.bin"));
    let mut device = site.agent("d1", "--once").start();
    device.hears("iotctl: idle");
    site.status("idle == 1");
    site.publish(&first, "all").succeeded();
    device.hears("iotctl: updated");
    assert_eq!(
        fs::read(site.folder.path("d1/b")).unwrap(),
        firmware(20_000, 1)
    );
    // A URI that is relative is relative to nothing here.
    let second = site.sign(2, "");
    site.publish(&second, "all").succeeded();
    let why = site.agent("d1", "--once").run();
    assert!(why.stderr.contains("fw-1.2.bin"), "{}", why.stderr);
    why.failed(1);
    assert_eq!(site.status("failed == 1")["devices"][0]["sequence"], 2);
}

#[test]
fn each_reader_sees_all_devices_while_another_one_looks() {
    let site = Site::new();
    let mut devices = ["d1", "d2"].map(|device| site.agent(device, "").start());
    for device in &mut devices {
        device.hears("iotctl: idle");
    }
    let table = site.status("idle == 2");
    let line = || site.line("ota status --output json --timeout 80s");
    // It ends with the second report of updates, which does not come before others have read.
    let waiting = line().word("--until").word("updated == 2").start();
    let others: Vec<_> = (0..3)
        .map(|_| line().word("--until").word("updated == 1").start())
        .collect();
    for _ in 0..5 {
        assert_eq!(site.status("")["devices"], table["devices"]);
    }
    let first = site.sign(1, "--embed");
    site.publish(&first, "device:d1").succeeded();
    for other in others {
        other.ends().succeeded();
    }
    assert_eq!(site.status("")["counts"]["updated"], 1);
    site.publish(&first, "device:d2").succeeded();
    waiting.ends().succeeded();
}

#[test]
fn a_second_agent_of_the_same_name_is_refused() {
    let site = Site::new();
    let first = site.agent("d1", "").start();
    site.status("idle == 1");
    let other = site.folder.path("other");
    let refused = site.agent_in(&other, "d1", "").run();
    assert!(
        refused.stderr.contains("iotctl: another agent is d1: "),
        "{}",
        refused.stderr
    );
    refused.failed(1);
    // One that is to wait takes the place of the first.
    let mut second = site.agent_in(&other, "d1", "--retry forever").start();
    second.hears("another agent is d1");
    first.signal("INT");
    first.ends();
    let update = site.sign(1, "--embed");
    site.publish(&update, "device:d1").succeeded();
    second.hears("iotctl: updated");
}
