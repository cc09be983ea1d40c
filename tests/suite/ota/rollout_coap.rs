//! `iotctl ota rollout` to devices that are told themselves over CoAP, and whose reports are observed.

use std::fs;

use serde_json::Value;

use super::pulling::{agent, made, serving};
use super::triggering::listening;
use super::updating::firmware;
use super::{Expect, Folder};
use crate::support::command::{Line, Running, iotctl, signal};
use crate::support::{aiocoap, wait_for};

const SIZE: usize = 300_000;
const STAGES: &str = "[[stage]]\ndevices = 1\n[[stage]]\npercent = 100\n";

/// Keys, an update, and a server of both.
struct Site {
    folder: Folder,
    _served: Running,
    root: String,
}

fn site() -> Site {
    let folder = made("");
    let (_served, root) = serving(&folder, "");
    Site {
        folder,
        _served,
        root,
    }
}

impl Site {
    /// A rollout to these devices.
    fn rollout(&self, devices: &[&str], plan: &str, words: &str) -> Line {
        let root = &self.root;
        let text =
            format!("name = 'r'\nmanifest = '{root}/fw-1.1.suit'\ndevices = {devices:?}\n{plan}");
        let file = self.folder.file("plan.toml", text);
        iotctl("ota rollout").word(file).words(words)
    }

    fn image(&self, device: &str) -> Vec<u8> {
        fs::read(self.folder.path(device).join("b")).unwrap()
    }
}

fn result(line: Line, code: i32) -> Value {
    let ended = line.words("--output json").run();
    assert_eq!(ended.code, code, "{}", ended.stderr);
    serde_json::from_slice(&ended.stdout).unwrap()
}

#[test]
fn devices_are_told_one_after_the_other_and_followed() {
    let site = site();
    let (_one, one) = listening(&site.folder, "d1", "--group lab");
    let (_two, two) = listening(&site.folder, "d2", "--group lab");
    let (_other, other) = listening(&site.folder, "d3", "");
    let plan = format!("group = 'lab'\nclass = 'sensor-rev-b'\n{STAGES}");
    let ended = result(site.rollout(&[&one, &two, &other], &plan, ""), 0);
    assert_eq!(
        (&ended["state"], &ended["updated"]),
        (&"completed".into(), &2.into())
    );
    for device in ["d1", "d2"] {
        assert_eq!(site.image(device), firmware(SIZE, 1));
    }
    assert!(!site.folder.path("d3").join("b").exists());
    let ended = result(site.rollout(&[&one, &two, &other], &plan, "--resume"), 0);
    assert_eq!(ended["updated"], 2);
}

#[test]
fn a_device_that_is_not_well_stops_it() {
    let site = site();
    let words = "--listen 127.0.0.1:0";
    let line = agent(&site.folder, "d1", "", words)
        .word("--health")
        .word("exit 3");
    let mut bad = line.start();
    let said = bad.hears("listening on ");
    let (_, one) = said.split_once("listening on ").unwrap();
    let (_two, two) = listening(&site.folder, "d2", "");
    let ended = result(site.rollout(&[one.trim(), &two], STAGES, ""), 7);
    assert_eq!(
        (&ended["failed"], &ended["waiting"]),
        (&1.into(), &1.into())
    );
    let why = ended["failures"][0]["error"].as_str().unwrap();
    assert_eq!(why, "rolled-back: --health ended with exit code 3");
    assert!(!site.folder.path("d2").join("b").exists());
}

#[test]
fn a_device_that_is_away_is_told_when_it_is_back_and_a_killed_controller_goes_on() {
    let site = site();
    let (device, place) = listening(&site.folder, "d1", "");
    signal(device.id(), "KILL");
    drop(device);
    let first = site.rollout(&[&place], STAGES, "").start();
    let journal = site.folder.path("plan.journal");
    let is_offered = |text: &String| text.contains("offered");
    wait_for("an offer", || {
        fs::read_to_string(&journal).ok().filter(is_offered)
    });
    // Of two controllers the second has no journal to write to.
    let second = site.rollout(&[&place], STAGES, "--resume").run();
    assert!(second.stderr.contains("plan.journal"), "{}", second.stderr);
    second.failed(8);
    signal(first.id(), "KILL");
    drop(first);
    let again = site.rollout(&[&place], STAGES, "--resume").start();
    let address = place.trim_start_matches("coap://");
    let mut device = agent(&site.folder, "d1", "", &format!("--listen {address}")).start();
    device.hears("listening on coap://");
    let ended = again.ends_by_itself();
    assert!(
        ended.text().starts_with("completed: 1 updated"),
        "{}",
        ended.stderr
    );
    assert_eq!(site.image("d1"), firmware(SIZE, 1));
}

#[test]
fn a_device_that_stays_away_has_failed_after_its_time() {
    let site = site();
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let place = format!("coap://{}", taken.local_addr().unwrap());
    drop(taken);
    let plan = format!("timeout = '1s'\nretries = 1\n{STAGES}");
    let ended = result(site.rollout(&[&place], &plan, ""), 7);
    assert_eq!(ended["failures"][0]["error"], "timed out after 1 s");
}

#[test]
fn what_is_no_rollout_over_coap_is_refused() {
    let site = site();
    let (_device, place) = listening(&site.folder, "d1", "");
    // It can be told, as devices of RIOT can, but not asked.
    let mute = aiocoap::fileserver(&site.folder.path("."));
    let mute = mute.uri("coap", "");
    let said = site.rollout(&[&place, &mute], STAGES, "").run();
    assert!(
        said.stderr
            .contains("a rollout needs devices that report over CoAP"),
        "{}",
        said.stderr
    );
    let why = said.failed(1);
    assert!(why.contains("/suit/status: 4.04"), "{why}");
    let why = site.rollout(&[&place], STAGES, "--pause").run().failed(2);
    assert!(why.contains("--pause cannot be used over CoAP"), "{why}");
    let why = site.rollout(&[&place], STAGES, "mqtt://h").run().failed(2);
    assert!(why.contains("needs no server"), "{why}");
    let why = site.rollout(&[&place, "d1"], STAGES, "").run().failed(2);
    assert!(why.contains("for all devices or for none"), "{why}");
    for (manifest, devices, wanted) in [
        ("fw.suit", "'coap://h'", "fetch it from a URL"),
        (
            "coap://h/fw.suit",
            "'d1'",
            "a URL is for devices that are told over CoAP",
        ),
    ] {
        let text = format!("name = 'r'\nmanifest = '{manifest}'\ndevices = [{devices}]\n{STAGES}");
        let file = site.folder.file("other.toml", text);
        let why = iotctl("ota rollout").word(file).run().failed(2);
        assert!(why.contains(wanted), "{why}");
    }
    assert!(!site.folder.path("plan.journal").exists());
}
