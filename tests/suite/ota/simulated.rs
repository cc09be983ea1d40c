//! Fleets of `simulate` that take updates, from `ota serve` through mosquitto.

use std::fs;

use serde_json::Value;

use super::Expect;
use super::updating::{Site, site, site_with};
use crate::support::command::{Line, Running, iotctl, signal};
use crate::support::mosquitto::{Mosquitto, Settings};
use crate::support::wait_for;

/// As many as a build without optimisation has time for.
const DEVICES: usize = 200;

/// Two blocks, of which one is full.
const SIZE: usize = 6_000;

impl Site {
    /// Devices that take updates, of which a part is not well afterwards; they have reported that they are there.
    fn simulated(&self, bad: f64) -> Running {
        self.simulated_as(DEVICES, "10ms..50ms", bad)
    }

    /// So many, which take so long to install an update.
    fn simulated_as(&self, count: usize, install: &str, bad: f64) -> Running {
        let text = format!(
            r#"
seed = 5
[[device]]
id = "s{{n:03}}"
count = {count}
connect = {{ spread = "500ms" }}
[device.ota]
vendor = "example.com"
class = "sensor-rev-b"
trust = ["key.pub.pem"]
groups = ["even"]
version = "1.0"
install = "{install}"
reboot = "50ms..200ms"
health = "10ms..50ms"
fail = {{ health = {bad:?} }}
"#
        );
        let file = self.folder.file("fleet.toml", text);
        let account = self.folder.path("account.json");
        let line = iotctl("simulate").word(self.url()).word(file);
        let fleet = line.word("--save-json").word(account).start();
        self.status(&format!("idle == {count}"));
        fleet
    }

    /// What the fleet counts once it has ended.
    fn account(&self, fleet: Running) -> Value {
        fleet.signal("INT");
        fleet.ends().exits(130);
        let text = fs::read(self.folder.path("account.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    fn in_stages(&self) -> Line {
        let plan = r#"
name = "r"
manifest = "updates/fw-1.1.suit"
timeout = "2m"
[[stage]]
devices = 5
failures = 2
success = 60
[[stage]]
percent = 100
success = 90
failures = "1%"
"#;
        let file = self.folder.file("plan.toml", plan);
        let line = iotctl("ota rollout").word(file).word(self.url());
        line.words("--output json")
    }
}

#[test]
fn a_rollout_to_many_ends_with_all_of_them_updated() {
    let site = site(SIZE);
    let _server = site.serve("");
    let fleet = site.simulated(0.0);
    let ended = site.in_stages().run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let shown = site.status(&format!("updated == {DEVICES}"));
    let device = &shown["devices"][7];
    assert_eq!(
        (&device["version"], &device["slot"]),
        (&"1.1".into(), &"b".into())
    );
    let account = site.account(fleet);
    let count = |name: &str| account[name].as_u64().unwrap();
    assert_eq!(
        (count("updated"), count("reboots")),
        (200, 200),
        "{account}"
    );
    assert!(count("blocks") >= 400, "{account}");
    assert_eq!(
        count("published"),
        count("acknowledged") + count("sent"),
        "{account}"
    );
}

#[test]
fn a_rollout_to_many_stops_at_the_stage_in_which_too_many_are_not_well() {
    let site = site(SIZE);
    let _server = site.serve("");
    let fleet = site.simulated(0.03);
    let ended = site.in_stages().run();
    assert_eq!(ended.code, 7, "{}", ended.stderr);
    let shown: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(
        (&shown["state"], &shown["stage"]),
        (&"stopped".into(), &2.into())
    );
    let failures = shown["failures"].as_array().unwrap();
    assert!(failures.len() >= 3, "{shown}");
    for failure in failures {
        assert_eq!(failure["error"], "rolled-back: the health check failed");
    }
    let account = site.account(fleet);
    let count = |name: &str| account[name].as_u64().unwrap();
    assert!(count("rolled_back") >= 3, "{account}");
    assert!(count("rolled_back") < 20, "{account}");
}

/// A server keeps only so many messages for who is slow; mosquitto 1000, and here 100.
#[test]
fn a_controller_that_misses_reports_asks_for_them() {
    let settings = Settings {
        more: String::from("max_queued_messages 100\n"),
        ..Settings::default()
    };
    let site = site_with(SIZE, Mosquitto::start(settings));
    let _server = site.serve("");
    let devices = 60;
    let _fleet = site.simulated_as(devices, "4s", 0.0);
    let plan =
        "name = 'r'\nmanifest = 'updates/fw-1.1.suit'\ntimeout = '1h'\n[[stage]]\npercent = 100\n";
    let file = site.folder.file("plan.toml", plan);
    let controller = iotctl("ota rollout").word(file).word(site.url());
    let controller = controller.start();
    let count = |state: &str| site.status("")["counts"][state].as_u64().unwrap_or(0);
    wait_for("all offers", || (count("idle") == 0).then_some(()));
    signal(controller.id(), "STOP");
    wait_for("all updates", || {
        (count("updated") == devices as u64).then_some(())
    });
    signal(controller.id(), "CONT");
    let ended = controller.ends().exits(0);
    let wanted = "completed: 60 updated, 0 failed, 0 in flight, 0 not offered\n";
    assert_eq!(ended.text(), wanted);
}

/// A device without a status leaves its will where an agent does.
#[test]
fn an_agent_that_crashes_leaves_its_will() {
    let site = site(SIZE);
    let text = r#"
[[device]]
id = "s1"
connect = { stay = "300ms", away = "1h", crash = 1.0 }
ota = { vendor = "example.com", class = "sensor-rev-b" }
"#;
    let file = site.folder.file("fleet.toml", text);
    let watcher = site
        .broker
        .sub_line("-t ota/online/s1 -C 2 -F")
        .word("%r %p");
    let watcher = watcher.start();
    site.broker.sees_subscriptions("ota/online/s1", 1);
    let fleet = iotctl("simulate").word(site.url()).word(file).start();
    assert_eq!(watcher.ends().exits(0).text(), "0 1\n0 0\n");
    fleet.signal("INT");
    fleet.ends().exits(130);
}

#[test]
fn mistakes_are_usage_errors_with_their_line() {
    let site = site(SIZE);
    for (ota, why) in [
        (
            "fail = { health = 2 }",
            "fleet.toml:3: ota: fail.health = 2 is not between 0 and 1",
        ),
        (
            "block-size = 1",
            "fleet.toml:3: ota: block-size must be from 64 to 65536",
        ),
        ("prefix = \"a/#\"", "fleet.toml:3: ota: prefix: "),
        ("trust = [\"none.pem\"]", "fleet.toml:3: ota: cannot read "),
        (
            "groups = [\"a/b\"]",
            "fleet.toml:1: ota: \"a/b\" is no level of a topic",
        ),
        (
            "helth = \"1s\"",
            "fleet.toml:3: unknown key helth; did you mean health?",
        ),
    ] {
        let text =
            format!("[[device]]\nid = \"d\"\nota = {{ vendor = \"v\", class = \"c\", {ota} }}\n");
        let file = site.folder.file("fleet.toml", text);
        let said = iotctl("simulate --check").word(file).run().failed(2);
        assert!(said.contains(why), "{said}");
    }
}
