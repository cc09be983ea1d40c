//! A device and its hardware, whose power is cut before, in and after each write.

#[cfg(feature = "delta")]
mod patches;

use std::sync::Arc;
use std::time::Duration;

use super::*;

type Result<T, E> = std::result::Result<T, E>;
use crate::firmware::key::{Algorithm, SigningKey};
use crate::firmware::suit::{self, Description, Numbering, Payload};
use crate::firmware::{Identity, Trusted, sha256};

const OLD: &[u8] = b"the old firmware, which works";
const NEW: &[u8] = &[0x5A; 1000];
const BLOCK: u32 = 256;
const WITHIN: Duration = Duration::from_secs(120);

/// The power is gone.
#[derive(Debug)]
struct Cut;

struct Hardware {
    slots: [Vec<u8>; 2],
    files: [Vec<u8>; 2],
    bitmap: Option<Vec<u8>>,
    /// What the boot loader takes.
    next: Slot,
    /// Writes until the power goes.
    left: Option<u32>,
    writes: u32,
    /// The write that it goes in is done in half.
    torn: bool,
    healthy: bool,
    boots: u32,
    now: Duration,
}

impl Hardware {
    fn new(left: Option<u32>, torn: bool, healthy: bool) -> Self {
        Self {
            slots: [OLD.to_vec(), Vec::new()],
            files: [Vec::new(), Vec::new()],
            bitmap: None,
            next: Slot::A,
            left,
            writes: 0,
            torn,
            healthy,
            boots: 0,
            now: Duration::ZERO,
        }
    }

    /// Whether this write is the one that the power goes in.
    fn counts(&mut self) -> bool {
        self.writes += 1;
        self.left.take_if(|left| *left == 0).is_some() || {
            self.left = self.left.map(|left| left - 1);
            false
        }
    }

    fn slot(&mut self, slot: Slot) -> &mut Vec<u8> {
        &mut self.slots[slot.number() as usize]
    }

    fn save(&mut self, state: &State) -> Result<Outcome, Cut> {
        let bytes = state.encode();
        let cut = self.counts();
        if !cut || self.torn {
            let length = if cut { bytes.len() / 2 } else { bytes.len() };
            self.files[state.place()] = bytes[..length].to_vec();
        }
        if cut { Err(Cut) } else { Ok(Outcome::Done) }
    }

    fn write(&mut self, slot: Slot, at: u64, bytes: &[u8]) -> Result<(), Cut> {
        let cut = self.counts();
        if !cut || self.torn {
            let length = if cut { bytes.len() / 2 } else { bytes.len() };
            let (at, slot) = (at as usize, self.slot(slot));
            slot.resize(slot.len().max(at + length), 0);
            slot[at..at + length].copy_from_slice(&bytes[..length]);
        }
        if cut { Err(Cut) } else { Ok(()) }
    }

    fn install(&mut self, slot: Slot) -> Result<Outcome, Cut> {
        let cut = self.counts();
        if !cut || self.torn {
            self.next = slot;
        }
        if cut { Err(Cut) } else { Ok(Outcome::Done) }
    }

    fn step(&mut self, device: &Device, step: &Step) -> Result<Outcome, Cut> {
        Ok(match step {
            Step::Save => self.save(device.state())?,
            Step::Open { .. } => Outcome::Opened(self.bitmap.clone()),
            Step::Check { slot, size } => {
                let image = &self.slot(*slot)[..*size as usize];
                Outcome::Checked(sha256(image), None)
            }
            Step::Install(slot) => self.install(*slot)?,
            Step::Health if self.healthy => Outcome::Done,
            Step::Health => Outcome::Failed(String::from("no sensor")),
            Step::Confirm(_) => Outcome::Done,
            // It is driven without patches.
            Step::Patch(_) => Outcome::Failed(String::from("no patches")),
            Step::Reboot => return Err(Cut),
        })
    }

    /// From power on until nothing is to be done, or the power goes.
    fn boot(&mut self, config: &Arc<Config>, manifest: &[u8]) -> Result<Device, Cut> {
        self.boots += 1;
        assert!(self.boots < 20, "it starts for ever");
        let booted = self.next;
        let runs = &self.slots[booted.number() as usize];
        assert!(
            runs == OLD || runs == NEW,
            "slot {} does not start",
            booted.name()
        );
        let state = State::newest(self.files.each_ref().map(|it| State::decode(it)));
        let state = state.unwrap_or_default();
        let mut device = Device::start(Arc::clone(config), state, Some(booted), self.now);
        let mut offered = false;
        loop {
            self.now += Duration::from_millis(100);
            if let Some(step) = device.next(self.now) {
                let outcome = self.step(&device, &step)?;
                device.ended(&step, outcome, self.now);
            } else if let Some((digest, ask)) = device.ask(self.now) {
                self.answer(&mut device, &digest, &ask)?;
            } else if !std::mem::replace(&mut offered, true) {
                let _ = device.offer(manifest);
            } else if device.is_idle() {
                return Ok(device);
            }
        }
    }

    fn answer(&mut self, device: &mut Device, digest: &Digest, ask: &Ask) -> Result<(), Cut> {
        let slot = device.booted().other();
        for number in ask.numbers() {
            let block = NEW
                .chunks(BLOCK as usize)
                .nth(number as usize)
                .expect("a block");
            if let Some(at) = device.block(digest, number, block.len()) {
                self.write(slot, at, block)?;
                self.bitmap = device.download().map(Download::saved);
            }
        }
        Ok(())
    }

    /// Power on, again and again.
    fn run(&mut self, config: &Arc<Config>, manifest: &[u8]) -> Device {
        loop {
            if let Ok(device) = self.boot(config, manifest) {
                return device;
            }
        }
    }
}

struct Maker {
    key: SigningKey,
    config: Arc<Config>,
}

impl Maker {
    fn new() -> Self {
        let key = SigningKey::generate(Algorithm::Ed25519).expect("randomness");
        let config = Arc::new(Config {
            identity: Identity::new("example.com", "a"),
            trusted: Some(Trusted::new(vec![key.public().clone()])),
            capacity: Some(4096),
            block: BLOCK,
            allow_downgrade: false,
            within: WITHIN,
            patience: GIVE_UP_AFTER,
        });
        Self { key, config }
    }

    fn manifest(&self, sequence: u64, image: &[u8]) -> Vec<u8> {
        let about = Description {
            image,
            version: "2.0.0",
            sequence,
            identity: &self.config.identity,
            payload: Payload::Uris(&["fw.bin".to_owned()]),
            deltas: &[],
        };
        suit::sign(&about, &self.key, Numbering::Classic).expect("randomness")
    }
}

#[test]
fn a_power_cut_at_any_write_leaves_a_slot_that_starts() {
    let maker = Maker::new();
    let manifest = maker.manifest(1, NEW);
    for healthy in [true, false] {
        let mut whole = Hardware::new(None, false, healthy);
        whole.run(&maker.config, &manifest);
        assert!(whole.writes >= 8, "{}", whole.writes);
        for (cut, torn) in (0..whole.writes).flat_map(|cut| [(cut, true), (cut, false)]) {
            let mut hardware = Hardware::new(Some(cut), torn, healthy);
            let device = hardware.run(&maker.config, &manifest);
            let report = device.report();
            let (state, slot) = match healthy {
                true => ("updated", Slot::B),
                false => ("rolled-back", Slot::A),
            };
            assert_eq!(
                (report.state, report.slot),
                (state, slot),
                "cut {cut} {torn}"
            );
            assert_eq!(hardware.next, slot, "cut {cut} {torn}");
            let runs = if healthy { NEW } else { OLD };
            assert_eq!(hardware.slots[slot.number() as usize], runs);
            assert_eq!(
                device.state().failed,
                if healthy { vec![] } else { vec![1] }
            );
        }
    }
}

#[test]
fn a_slot_that_changes_before_it_is_installed_is_not_installed() {
    let maker = Maker::new();
    let manifest = maker.manifest(1, NEW);
    let is_written = |hardware: &Hardware| {
        let copies = hardware.files.each_ref().map(|it| State::decode(it));
        let trial = State::newest(copies).and_then(|state| state.trial);
        trial.is_some_and(|trial| trial.stage == Stage::Written)
    };
    // The first cut that leaves a compared image which the boot loader does not know of.
    let mut hardware = (0..).map(|cut| {
        let mut hardware = Hardware::new(Some(cut), false, true);
        let cut_off = hardware.boot(&maker.config, &manifest);
        assert!(cut_off.is_err(), "cut {cut}");
        hardware
    });
    let mut hardware = hardware.find(is_written).expect("a cut");
    assert_eq!(hardware.next, Slot::A);
    hardware.slots[1][100] ^= 1;
    let device = hardware.run(&maker.config, &manifest);
    let report = device.report();
    assert_eq!((report.state, report.slot), ("rolled-back", Slot::A));
    let why = report.error.unwrap_or_default();
    assert!(why.starts_with("the payload has the SHA-256"), "{why}");
    assert_eq!(hardware.next, Slot::A);
}

#[test]
fn what_has_failed_is_not_tried_again_and_what_is_newer_is() {
    let maker = Maker::new();
    let manifest = maker.manifest(1, NEW);
    let mut hardware = Hardware::new(None, false, false);
    let mut device = hardware.run(&maker.config, &manifest);
    assert_eq!(device.offer(&manifest), Err(Refusal::FailedBefore(1)));
    assert_eq!(device.report().error.as_deref(), Some("no sensor"));
    hardware.healthy = true;
    let device = hardware.run(&maker.config, &maker.manifest(2, NEW));
    assert_eq!(device.report().state, "updated");
    assert_eq!(device.state().release.sequence, 2);
    let mut device = hardware.run(&maker.config, &manifest);
    let older = Refusal::Sequence { given: 1, ours: 2 };
    assert_eq!(
        device.offer(&maker.manifest(1, OLD)),
        Err(Refusal::FailedBefore(1))
    );
    let again = device.offer(&maker.manifest(2, NEW));
    assert_eq!(again, Ok(Offer::Known));
    let mut state = device.state().clone();
    state.failed.clear();
    let mut device = Device::start(Arc::clone(&maker.config), state, None, hardware.now);
    assert_eq!(device.offer(&manifest), Err(older));
    assert_eq!(device.report().state, "refused");
}

#[test]
fn a_number_that_another_image_has_is_refused() {
    let maker = Maker::new();
    let mut hardware = Hardware::new(None, false, true);
    let mut device = hardware.run(&maker.config, &maker.manifest(1, NEW));
    let report = device.report();
    assert_eq!((report.state, report.image), ("updated", Some(sha256(NEW))));
    assert_eq!(device.offer(&maker.manifest(1, NEW)), Ok(Offer::Known));
    let why = device.offer(&maker.manifest(1, b"third")).unwrap_err();
    assert_eq!(why, Refusal::Reused(1));
    let report = device.report();
    assert_eq!((report.state, report.image), ("refused", None));
}

#[test]
fn of_two_manifests_the_higher_one_wins() {
    let maker = Maker::new();
    let mut device = Device::start(Arc::clone(&maker.config), State::default(), None, WITHIN);
    assert_eq!(device.offer(&maker.manifest(3, NEW)), Ok(Offer::Taken));
    let lower = device.offer(&maker.manifest(2, NEW)).unwrap_err();
    assert_eq!(lower, Refusal::Sequence { given: 2, ours: 3 });
    assert_eq!(device.offer(&maker.manifest(3, NEW)), Ok(Offer::Known));
    assert_eq!(device.offer(&maker.manifest(4, NEW)), Ok(Offer::Taken));
    assert_eq!(device.report().sequence, 4);
    let large = device.offer(&maker.manifest(5, &[0; 4097])).unwrap_err();
    assert_eq!(
        large,
        Refusal::TooLarge {
            size: 4097,
            slot: 4096
        }
    );
    let other = Maker::new();
    let why = device.offer(&other.manifest(9, NEW)).unwrap_err();
    assert!(matches!(why, Refusal::UntrustedKey { .. }), "{why}");
    assert_eq!(device.report().sequence, 4);
}

#[test]
fn junk_changes_no_report() {
    let maker = Maker::new();
    let mut hardware = Hardware::new(None, false, true);
    let mut device = hardware.run(&maker.config, &maker.manifest(1, NEW));
    assert_eq!(device.report().state, "updated");
    let before = device.report();
    let untrusted = Maker::new().manifest(9, NEW);
    for junk in [&b"junk"[..], &untrusted] {
        assert!(device.offer(junk).is_err());
        assert_eq!(device.report(), before);
    }
}

#[test]
fn a_wrong_image_is_fetched_again_and_then_has_failed() {
    let maker = Maker::new();
    let mut device = Device::start(Arc::clone(&maker.config), State::default(), None, WITHIN);
    assert_eq!(device.offer(&maker.manifest(1, NEW)), Ok(Offer::Taken));
    let mut now = WITHIN;
    for tries in 1..=MOST_TRIES {
        let open = device.next(now).expect("a step");
        device.ended(&open, Outcome::Opened(None), now);
        for (number, block) in NEW.chunks(BLOCK as usize).enumerate() {
            let digest = sha256(NEW);
            let at = device.block(&digest, number as u32, block.len());
            assert!(at.is_some());
        }
        let check = device.next(now).expect("a step");
        assert!(matches!(check, Step::Check { .. }));
        device.ended(&check, Outcome::Checked([0; 32], None), now);
        assert_eq!(device.next(now), None);
        if tries < MOST_TRIES {
            assert_eq!(device.report().state, "downloading");
            assert_eq!(device.next_time(), Some(now + AGAIN * tries));
            now += AGAIN * tries;
        }
    }
    assert_eq!(device.report().state, "failed");
    assert!(device.is_idle());
}

#[test]
fn an_image_that_does_not_come_is_given_up_and_may_be_offered_again() {
    let maker = Maker::new();
    let manifest = maker.manifest(1, NEW);
    let mut device = Device::start(Arc::clone(&maker.config), State::default(), None, WITHIN);
    let open = |device: &mut Device, now| {
        assert_eq!(device.offer(&manifest), Ok(Offer::Taken));
        let open = device.next(now).expect("a step");
        device.ended(&open, Outcome::Opened(None), now);
        assert!(device.ask(now).is_some());
    };
    open(&mut device, WITHIN);
    let second = Duration::from_secs(1);
    // Whatever comes lets it wait as long again, and so does another connection.
    let digest = sha256(NEW);
    let mut now = WITHIN + GIVE_UP_AFTER - second;
    assert!(device.ask(now).is_some());
    assert!(device.block(&digest, 0, BLOCK as usize).is_some());
    device.ask(now);
    now += GIVE_UP_AFTER - second;
    assert!(device.ask(now).is_some());
    device.reconnected();
    assert!(device.ask(now).is_some());
    // It is woken in time, however long it waits for each block.
    let end = now + GIVE_UP_AFTER;
    while device.download().is_some() {
        now = device.next_time().expect("a time");
        assert!(now <= end);
        device.ask(now);
    }
    assert_eq!(now, end);
    assert!(device.is_idle() && device.is_late());
    let report = device.report();
    let why = "nothing of the image has come for 5m";
    assert_eq!(
        (report.state, report.error.as_deref()),
        ("failed", Some(why))
    );
    open(&mut device, now);
    assert!(!device.is_late());
    assert_eq!(device.report().state, "downloading");
}

#[test]
fn going_back_is_tried_three_times_and_again_after_a_start() {
    let maker = Maker::new();
    let trial = Trial {
        slot: Slot::B,
        release: Release {
            sequence: 1,
            ..Release::default()
        },
        stage: Stage::Reverting,
        boots: 0,
        why: Some(String::from("no sensor")),
    };
    let state = State {
        trial: Some(trial),
        ..State::default()
    };
    let mut now = WITHIN;
    let mut device = Device::start(Arc::clone(&maker.config), state, Some(Slot::B), now);
    assert_eq!(device.next(now), Some(Step::Save));
    device.ended(&Step::Save, Outcome::Done, now);
    for _ in 0..MOST_TRIES {
        assert!(!device.is_stuck());
        assert_eq!(device.next(now), Some(Step::Install(Slot::A)));
        let failed = Outcome::Failed(String::from("flash"));
        device.ended(&Step::Install(Slot::A), failed, now);
        now = device.next_time().unwrap_or(now);
    }
    assert!(device.is_stuck() && device.is_idle());
    assert_eq!(device.next(now), None);
    let report = device.report();
    let why = "no sensor; going back failed 3 times: flash";
    assert_eq!(
        (report.state, report.error.as_deref()),
        ("failed", Some(why))
    );
    assert_eq!(device.offer(&maker.manifest(2, NEW)), Err(Refusal::Busy));
    let state = device.state().clone();
    let again = Device::start(Arc::clone(&maker.config), state, Some(Slot::B), now);
    assert_eq!(again.report().state, "rolling-back");
}

#[test]
fn an_image_that_does_not_prove_itself_in_time_is_left() {
    let maker = Maker::new();
    let trial = Trial {
        slot: Slot::B,
        release: Release {
            sequence: 1,
            ..Release::default()
        },
        stage: Stage::Installed,
        boots: 0,
        why: None,
    };
    let state = State {
        trial: Some(trial),
        ..State::default()
    };
    let start = |state: &State, booted| {
        Device::start(Arc::clone(&maker.config), state.clone(), booted, WITHIN)
    };
    let mut device = start(&state, None);
    assert_eq!(device.booted(), Slot::B);
    assert_eq!(device.next(WITHIN), Some(Step::Save));
    device.ended(&Step::Save, Outcome::Done, WITHIN);
    assert_eq!(device.next(WITHIN), Some(Step::Health));
    assert_eq!(device.next(WITHIN * 2 - Duration::from_millis(1)), None);
    let newer = device.offer(&maker.manifest(2, NEW));
    assert_eq!(newer, Err(Refusal::Busy));
    // The health check hangs.
    assert_eq!(device.next_time(), Some(WITHIN * 2));
    assert_eq!(device.next(WITHIN * 2), Some(Step::Save));
    device.ended(&Step::Save, Outcome::Done, WITHIN * 2);
    assert_eq!(device.next(WITHIN * 2), Some(Step::Install(Slot::A)));
    // The boot loader cannot be told: again, after a while.
    let failed = Outcome::Failed(String::from("flash"));
    device.ended(&Step::Install(Slot::A), failed, WITHIN * 2);
    assert_eq!(device.next(WITHIN * 2), None);
    let later = WITHIN * 2 + AGAIN;
    assert_eq!(device.next_time(), Some(later));
    assert_eq!(device.next(later), Some(Step::Install(Slot::A)));
    device.ended(&Step::Install(Slot::A), Outcome::Done, later);
    assert_eq!(device.next(later), Some(Step::Reboot));

    // The boot loader went back by itself.
    let device = start(&state, Some(Slot::A));
    assert_eq!(device.report().state, "rolled-back");
    assert_eq!(device.state().failed, [1]);

    // It starts and starts, and is never confirmed.
    let mut state = state;
    for _ in 0..2 {
        let device = start(&state, None);
        assert_eq!(device.report().state, "testing");
        state = device.state().clone();
    }
    let device = start(&state, None);
    assert_eq!(device.report().state, "rolling-back");
}

#[test]
fn nothing_is_reported_as_over_that_is_not_on_the_disk() {
    let maker = Maker::new();
    let trial = Trial {
        slot: Slot::B,
        release: Release {
            sequence: 1,
            ..Release::default()
        },
        stage: Stage::Installed,
        boots: 0,
        why: None,
    };
    let state = State {
        trial: Some(trial),
        ..State::default()
    };
    for (healthy, before, after) in [
        (true, "testing", "updated"),
        (false, "rolling-back", "rolled-back"),
    ] {
        let booted = if healthy { Slot::B } else { Slot::A };
        let config = Arc::clone(&maker.config);
        let mut device = Device::start(config, state.clone(), Some(booted), WITHIN);
        let (mut now, mut full) = (WITHIN, false);
        while let Some(step) = device.next(now) {
            let is_last = device.state().trial.is_none() && step == Step::Save;
            let outcome = match is_last && !std::mem::replace(&mut full, true) {
                true => Outcome::Failed(String::from("no space")),
                false => Outcome::Done,
            };
            let failed = outcome != Outcome::Done;
            device.ended(&step, outcome, now);
            if failed {
                let report = device.report();
                let told = (report.state, report.error.as_deref());
                assert_eq!(told, (before, Some("no space")));
                assert_eq!(device.unwritten(), Some("no space"));
                // It is tried again after a while.
                assert_eq!(device.next(now), None);
                now = device.next_time().expect("a time");
            }
        }
        assert!(full);
        assert_eq!(device.report().state, after);
        assert_eq!(device.unwritten(), None);
    }
}

/// A thousand devices, of which three in a hundred are not well with the new image.
#[test]
fn a_rollout_to_a_thousand_devices_stops_at_the_stage_that_says_so() {
    use crate::firmware::rollout::{self, Entry, Rollout, Share, Stage, Step as Do};
    let maker = Maker::new();
    let manifest = maker.manifest(1, NEW);
    let stage = |size, failures| Stage {
        size,
        success: 90,
        failures,
        soak: 0,
    };
    let plan = rollout::Plan {
        sequence: 1,
        images: vec![sha256(NEW)],
        stages: vec![
            stage(Share::Devices(10), Share::Devices(1)),
            stage(Share::Percent(20), Share::Percent(2)),
            stage(Share::Percent(100), Share::Percent(2)),
        ],
        timeout: 60,
        retries: 1,
        rate: None,
        double_after: 0,
        window: None,
    };
    let names: Vec<_> = (0..1000).map(|at| format!("d{at:04}")).collect();
    let is_bad = |at: usize| at % 100 < 3 && at >= 10;
    let mut rollout = Rollout::new(plan, names);
    let mut passed = Vec::new();
    while let Some((entry, step)) = rollout.next(0, 0) {
        if let Some(Entry::Passed { stage, .. }) = entry {
            passed.push(stage);
        }
        let Some(Do::Offer(device)) = step else {
            continue;
        };
        let at: usize = device[1..].parse().expect("a number");
        let mut hardware = Hardware::new(None, false, !is_bad(at));
        let ended = hardware.run(&maker.config, &manifest).report();
        let report = rollout::Report {
            state: ended.state.to_owned(),
            sequence: ended.sequence,
            image: ended.image,
            error: ended.error,
            mark: String::new(),
        };
        rollout.report(&device, &report, 0);
    }
    assert_eq!(passed, [0, 1]);
    let counts = rollout.counts();
    // Two in a hundred of all may fail: the one after them ends it, and hundreds were never offered it.
    assert_eq!(counts.failed, 21);
    assert!(counts.waiting > 250, "{counts:?}");
    let why = rollout.ended().flatten().expect("it was stopped");
    assert_eq!(why, "21 failed in stage 3, 20 may");
}
