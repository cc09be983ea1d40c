//! Devices that take updates, on a virtual clock, from a server that answers at once.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::device::file::Text;
use crate::firmware::suit::{self, Description, Numbering, Payload};
use crate::firmware::wire::{Request, Topics};
use crate::firmware::{Algorithm, Identity, SigningKey, sha256};

const SECOND: Nanos = 1_000_000_000;

const DEVICES: &str = r#"
[[device]]
id = "d{n}"
count = 2
vary = { site = ["x", "y"] }
ota = { vendor = "example.com", class = "a", groups = ["site-{site}"], version = "1.0", sequence = 1, block-size = 64, install = "2s", reboot = "5s", health = "3s" }
"#;

/// A server of one image, and what devices have told it.
struct World {
    fleet: Fleet,
    key: SigningKey,
    image: Vec<u8>,
    now: Nanos,
    /// Every so many blocks one is lost.
    loses: Option<u64>,
    /// What the server has retained at the topic of each block.
    retained: Option<Bytes>,
    blocks: u64,
    /// All that a device has reported.
    states: BTreeMap<usize, Vec<String>>,
    last: BTreeMap<usize, serde_json::Value>,
    ends: Vec<(usize, End, Nanos)>,
}

impl World {
    fn new(text: &str) -> Self {
        let text = Text {
            name: "f.toml",
            text,
        };
        let file = text.parse().unwrap();
        let model = Model::of(text, &file, Path::new(""), 1).unwrap();
        Self {
            fleet: Fleet::new(model, 0),
            key: SigningKey::generate(Algorithm::Ed25519).unwrap(),
            image: (0..5000_u32).map(|it| (it % 251) as u8).collect(),
            now: 0,
            loses: None,
            retained: None,
            blocks: 0,
            states: BTreeMap::new(),
            last: BTreeMap::new(),
            ends: Vec::new(),
        }
    }

    fn manifest(&self, sequence: u64, class: &str, embedded: bool) -> Vec<u8> {
        let uris = ["fw.bin".to_owned()];
        let about = Description {
            image: &self.image,
            version: "2.0",
            sequence,
            identity: &Identity::new("example.com", class),
            payload: match embedded {
                true => Payload::Embedded,
                false => Payload::Uris(&uris),
            },
            deltas: &[],
        };
        suit::sign(&about, &self.key, Numbering::Classic).unwrap()
    }

    fn offer(&mut self, to: &str, manifest: &[u8]) {
        let (topic, payload) = (
            format!("ota/{to}/manifest"),
            Bytes::copy_from_slice(manifest),
        );
        for device in 0..self.fleet.model().devices.len() {
            let takes = |(filter, _): &(ByteString, u8)| **filter == *topic;
            if self.fleet.subscriptions(device).iter().any(takes) {
                self.fleet
                    .message(device, &topic, &payload, true, None, self.now);
            }
        }
    }

    fn run(&mut self, until: Nanos) {
        loop {
            while let Some(effect) = self.fleet.next_effect() {
                match effect {
                    Effect::Open(device) => self.fleet.opened(device, self.now),
                    Effect::Close(device, end) => self.ends.push((device, end, self.now)),
                    Effect::Publish(device, message) => self.published(device, &message),
                    Effect::Subscribe(..) | Effect::Unsubscribe(..) => {}
                }
            }
            match self.fleet.next_due().filter(|at| *at <= until) {
                Some(at) => {
                    assert!(at >= self.now, "time goes back");
                    self.now = at;
                    self.fleet.step(at);
                }
                None => break,
            }
        }
        self.now = until;
    }

    fn published(&mut self, device: usize, message: &Outgoing) {
        let topics = Topics::new("ota");
        let id = self.fleet.model().devices[device].id.clone();
        if let Some(image) = topics.requested(&message.topic) {
            assert_eq!(image, sha256(&self.image));
            let request = Request::decode(&message.payload).unwrap();
            assert_eq!(request.device, *id);
            for number in request.ask.numbers() {
                self.blocks += 1;
                if self
                    .loses
                    .is_some_and(|every| self.blocks.is_multiple_of(every))
                {
                    continue;
                }
                let mut blocks = self.image.chunks(request.block as usize);
                let block = blocks.nth(number as usize).unwrap();
                let block = Bytes::copy_from_slice(block);
                let topic = topics.block(&id, &image, Some(number));
                if let Some(wrong) = &self.retained {
                    self.fleet
                        .message(device, &topic, wrong, true, None, self.now);
                }
                self.fleet
                    .message(device, &topic, &block, false, None, self.now);
            }
        } else if topics.reporter(&message.topic).is_some() {
            assert!(message.retain && message.qos == 1);
            let report: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
            let state = report["state"].as_str().unwrap().to_owned();
            let states = self.states.entry(device).or_default();
            if states.last() != Some(&state) {
                states.push(state);
            }
            self.last.insert(device, report);
        }
    }

    fn state(&self, device: usize) -> &str {
        self.last[&device]["state"].as_str().unwrap()
    }
}

#[test]
fn an_update_goes_through_all_its_states_and_is_kept() {
    let mut world = World::new(DEVICES);
    world.run(SECOND);
    assert!((0..4).all(|device| world.state(device) == "idle"));
    assert_eq!(world.last[&0]["version"], "1.0");
    let manifest = world.manifest(2, "a", false);
    world.offer("group/site-x", &manifest);
    world.run(60 * SECOND);
    for device in 0..4 {
        let of_group = device < 2;
        assert_eq!(world.state(device) == "updated", of_group, "{device}");
    }
    let seen = [
        "idle",
        "downloading",
        "downloaded",
        "verified",
        "installed",
        "rebooting",
        "testing",
        "updated",
    ];
    assert_eq!(world.states[&0], seen);
    let last = &world.last[&0];
    assert_eq!(
        (&last["version"], &last["slot"]),
        (&"2.0".into(), &"b".into())
    );
    assert_eq!(last["groups"][0], "site-x");
    // Away while it starts again, and nothing else is told: downloaded at 1 s, installed at 3, up at 8, well at 11.
    assert_eq!(world.ends[0], (0, End::Clean, 3 * SECOND));
    assert_eq!(last["at"], "1970-01-01T00:00:11.000Z");
    let account = &world.fleet.account;
    assert_eq!(
        (account.updates, account.updated, account.reboots),
        (2, 2, 2)
    );
    assert_eq!((account.blocks, account.dropped_blocks), (158, 0));
    // The same again is nothing new, and a lower one is not taken.
    world.offer("all", &manifest);
    let lower = world.manifest(1, "a", false);
    world.offer("device/d1", &lower);
    world.run(120 * SECOND);
    let account = &world.fleet.account;
    assert_eq!((account.updates, account.updated), (4, 4));
    assert_eq!(account.refused_manifests, 0);
}

#[test]
fn what_is_lost_or_embedded_is_updated_all_the_same() {
    let mut world = World::new(DEVICES);
    world.loses = Some(7);
    world.run(SECOND);
    let manifest = world.manifest(2, "a", false);
    world.offer("all", &manifest);
    world.run(600 * SECOND);
    assert_eq!(world.fleet.account.updated, 4, "{:?}", world.last);
    let manifest = world.manifest(3, "a", true);
    let before = world.blocks;
    world.offer("all", &manifest);
    world.run(700 * SECOND);
    assert_eq!((world.fleet.account.updated, world.blocks), (8, before));
}

#[test]
fn a_download_takes_its_time() {
    let text = DEVICES.replace("install", "download = \"40s\", install");
    let mut world = World::new(&text);
    world.run(SECOND);
    let manifest = world.manifest(2, "a", false);
    world.offer("device/d1", &manifest);
    world.run(21 * SECOND);
    assert_eq!(world.state(0), "downloading");
    let progress = world.last[&0]["progress"].as_u64().unwrap();
    assert!((40..=60).contains(&progress), "{progress}");
    world.run(60 * SECOND);
    assert_eq!(world.state(0), "updated");
}

#[test]
fn each_step_can_fail_and_the_device_says_why() {
    for (step, state, why) in [
        ("download", "failed", "the download failed"),
        ("verify", "failed", "the slot is not what was written"),
        ("install", "rolled-back", "the boot loader did not answer"),
        (
            "reboot",
            "rolled-back",
            "the boot loader went back to the other slot",
        ),
        ("health", "rolled-back", "the health check failed"),
    ] {
        let fail = format!("fail = {{ {step} = 1.0 }}, install");
        let mut world = World::new(&DEVICES.replace("install", &fail));
        world.run(SECOND);
        let manifest = world.manifest(2, "a", false);
        world.offer("all", &manifest);
        world.run(120 * SECOND);
        for device in 0..4 {
            let last = &world.last[&device];
            assert_eq!(last["error"], why, "{last}");
            assert_eq!(
                (&last["state"], &last["slot"]),
                (&state.into(), &"a".into())
            );
        }
        let account = &world.fleet.account;
        let of_four = (account.failed_updates, account.rolled_back);
        let expected = if state == "failed" { (4, 0) } else { (0, 4) };
        assert_eq!((account.updates, of_four), (4, expected), "{step}");
    }
}

#[test]
fn what_is_for_others_is_refused() {
    let mut world = World::new(DEVICES);
    world.run(SECOND);
    let manifest = world.manifest(2, "b", false);
    world.offer("device/d2", &manifest);
    world.run(2 * SECOND);
    assert_eq!((world.state(1), world.state(0)), ("refused", "idle"));
    assert_eq!(world.fleet.account.refused_manifests, 1);
}

/// The same devices fail, whatever else is in the fleet; and about as many as they should.
#[test]
fn fates_follow_from_the_seed() {
    let failed = |text: &str| {
        let mut world = World::new(text);
        world.run(SECOND);
        let manifest = world.manifest(2, "a", false);
        world.offer("all", &manifest);
        world.run(300 * SECOND);
        let bad = world.last.iter().filter(|it| it.1["state"] != "updated");
        let bad = bad.map(|it| it.1["id"].as_str().unwrap().to_owned());
        bad.collect::<Vec<_>>()
    };
    let text = DEVICES.replace("install", "fail = { health = 0.1 }, install");
    let text = text.replace("count = 2", "count = 100");
    let bad = failed(&text);
    assert!((10..=32).contains(&bad.len()), "{bad:?}");
    assert_eq!(bad, failed(&text));
    let more = failed(&format!("{text}[[device]]\nid = \"other\"\n"));
    assert_eq!(bad, more);
}

/// A device that loses its connection goes on where it was.
#[test]
fn an_outage_interrupts_no_update() {
    let text = DEVICES.replace(
        "ota =",
        "connect = { stay = \"4s\", away = \"3s\", crash = 0.5 }\nota =",
    );
    let mut world = World::new(&text.replace("install", "download = \"20s\", install"));
    world.run(SECOND);
    let manifest = world.manifest(2, "a", false);
    world.offer("all", &manifest);
    world.run(300 * SECOND);
    let account = &world.fleet.account;
    assert_eq!(
        (account.updates, account.updated),
        (4, 4),
        "{:?}",
        world.last
    );
    assert_eq!(account.wills_expected, account.crashes);
    assert!(account.crashes > 0);
}

/// What somebody has retained at the topics of blocks is no block.
#[test]
fn retained_blocks_are_of_no_use() {
    let mut world = World::new(DEVICES);
    world.retained = Some(Bytes::from_static(&[0xFF; 64]));
    world.run(SECOND);
    let manifest = world.manifest(2, "a", false);
    world.offer("all", &manifest);
    world.run(60 * SECOND);
    assert!((0..4).all(|device| world.state(device) == "updated"));
    let account = &world.fleet.account;
    assert_eq!(account.blocks, 2 * account.dropped_blocks);
    assert_eq!(account.failed_updates + account.rolled_back, 0);
}
