//! Patches: when one is used, and that nothing about one keeps the image away.

use super::super::super::short;
use super::super::super::suit::{DeltaOf, Patch};
use super::*;

const PATCH: &[u8] = &[7; 600];

fn manifest(maker: &Maker, sequence: u64, bases: &[&[u8]]) -> Vec<u8> {
    let of = |base: &&'static [u8]| DeltaOf {
        base,
        patch: PATCH,
        uri: "fw.patch",
    };
    // Tests give constants only.
    let bases: Vec<&'static [u8]> = bases.iter().map(|it| it.to_vec().leak() as &[u8]).collect();
    let deltas: Vec<_> = bases.iter().map(of).collect();
    let about = Description {
        image: NEW,
        version: "2.0.0",
        sequence,
        identity: &maker.config.identity,
        payload: Payload::Uris(&["fw.bin".to_owned()]),
        deltas: &deltas,
    };
    suit::sign(&about, &maker.key, Numbering::Classic).expect("randomness")
}

struct Bench {
    maker: Maker,
    device: Device,
    now: Duration,
}

impl Bench {
    fn new(state: State) -> Self {
        let maker = Maker::new();
        let config = maker.config.clone();
        let device = Device::start(config, state, None, Duration::ZERO).accepting_patches();
        Self {
            maker,
            device,
            now: Duration::ZERO,
        }
    }

    fn offer(&mut self, sequence: u64, bases: &[&[u8]]) -> crate::firmware::refusal::Result<Offer> {
        let manifest = manifest(&self.maker, sequence, bases);
        self.device.offer(&manifest)
    }

    #[track_caller]
    fn next(&mut self) -> Step {
        self.device.next(self.now).expect("a step")
    }

    /// The next step, which ends so.
    #[track_caller]
    fn ends(&mut self, outcome: Outcome) -> Step {
        let step = self.next();
        self.device.ended(&step, outcome, self.now);
        step
    }

    /// All blocks of this come.
    fn blocks(&mut self, bytes: &[u8]) {
        while let Some((digest, ask)) = self.device.ask(self.now) {
            assert_eq!(digest, sha256(bytes));
            for number in ask.numbers() {
                let block = bytes.chunks(BLOCK as usize).nth(number as usize);
                let block = block.expect("a block");
                self.device.block(&digest, number, block.len());
            }
        }
    }

    /// What is fetched is the whole image, and why is reported.
    #[track_caller]
    fn falls_back(&mut self, why: &str) {
        let size = NEW.len() as u64;
        let report = self.device.report();
        assert_eq!(report.state, "downloading");
        let said = format!("the patch was not used: {why}");
        assert_eq!(report.error, Some(said));
        assert_eq!(
            self.ends(Outcome::Opened(None)),
            Step::Open {
                slot: Slot::B,
                size
            }
        );
        self.blocks(NEW);
        let slot = Slot::B;
        assert_eq!(self.ends(checked(NEW)), Step::Check { slot, size });
        assert_eq!(self.device.report().error, None);
    }
}

fn checked(bytes: &[u8]) -> Outcome {
    Outcome::Checked(sha256(bytes), None)
}

#[test]
fn a_patch_makes_the_image_of_what_runs() {
    let mut bench = Bench::new(State::default());
    assert_eq!(bench.offer(1, &[OLD]), Ok(Offer::Taken));
    let compare = PatchStep::Compare {
        slot: Slot::A,
        size: OLD.len() as u64,
    };
    assert_eq!(bench.ends(checked(OLD)), Step::Patch(compare));
    let size = PATCH.len() as u64;
    let open = PatchStep::Open { size };
    assert_eq!(bench.ends(Outcome::Opened(None)), Step::Patch(open));
    bench.blocks(PATCH);
    let apply = Step::Patch(PatchStep::Apply {
        from: Slot::A,
        to: Slot::B,
        patch: Patch {
            base: sha256(OLD),
            base_size: OLD.len() as u64,
            size,
            digest: sha256(PATCH),
        },
        size: NEW.len() as u64,
    });
    assert_eq!(bench.next(), apply);
    // While the slot is written, no other image may be written to it.
    assert_eq!(bench.offer(2, &[OLD]), Err(Refusal::Busy));
    bench.device.gave_up("too late");
    bench.device.ended(&apply, checked(NEW), bench.now);
    assert_eq!(bench.next(), Step::Save);
    let trial = bench.device.state().trial.clone().expect("a trial");
    assert_eq!((trial.release.digest, trial.slot), (sha256(NEW), Slot::B));
    assert_eq!(bench.device.report().error, None);
}

#[test]
fn another_image_than_the_patch_is_for_is_no_obstacle() {
    let other: &[u8] = b"another firmware";
    let why = format!(
        "it is for the image {}, and {} runs",
        short(&sha256(OLD)),
        short(&sha256(other))
    );
    let mut bench = Bench::new(State::default());
    bench.offer(1, &[OLD]).expect("taken");
    bench.ends(checked(other));
    bench.falls_back(&why);
    // What has proved itself need not be read.
    let release = Release {
        sequence: 1,
        digest: sha256(other),
        ..Release::default()
    };
    let state = State {
        release,
        ..State::default()
    };
    let mut bench = Bench::new(state.clone());
    bench.offer(2, &[OLD]).expect("taken");
    bench.falls_back(&why);
    // Of several patches the one that fits is used.
    let mut bench = Bench::new(state);
    bench.offer(2, &[OLD, other]).expect("taken");
    let compare = PatchStep::Compare {
        slot: Slot::A,
        size: other.len() as u64,
    };
    assert_eq!(bench.next(), Step::Patch(compare));
    assert_eq!(bench.device.report().error, None);
}

#[test]
fn whatever_fails_about_a_patch_the_image_is_fetched() {
    let failed = || Outcome::Failed(String::from("no"));
    for failing in 0..3 {
        let mut bench = Bench::new(State::default());
        bench.offer(1, &[OLD]).expect("taken");
        let outcomes = [checked(OLD), Outcome::Opened(None), failed()];
        for (at, outcome) in outcomes.into_iter().enumerate() {
            bench.blocks(PATCH);
            bench.ends(if at == failing { failed() } else { outcome });
            if at == failing {
                break;
            }
        }
        bench.falls_back("no");
    }
    let mut bench = Bench::new(State::default());
    bench.offer(1, &[OLD]).expect("taken");
    bench.ends(checked(OLD));
    bench.ends(Outcome::Opened(None));
    bench.blocks(PATCH);
    bench.ends(checked(b"another image"));
    bench.falls_back("it makes another image");
    // The driver cannot fetch it.
    let mut bench = Bench::new(State::default());
    bench.offer(1, &[OLD]).expect("taken");
    bench.ends(checked(OLD));
    bench.ends(Outcome::Opened(None));
    bench.device.gave_up("4.04 Not Found");
    bench.falls_back("4.04 Not Found");
    // Nobody sends it.
    let mut bench = Bench::new(State::default());
    bench.offer(1, &[OLD]).expect("taken");
    bench.ends(checked(OLD));
    bench.ends(Outcome::Opened(None));
    let mut asked = 0;
    while bench.device.patch().is_some() {
        assert!(
            bench
                .device
                .next(bench.now)
                .is_none_or(|step| matches!(step, Step::Open { .. }))
        );
        asked += u32::from(bench.device.ask(bench.now).is_some());
        bench.now += SECOND;
        assert!(bench.now < Duration::from_secs(60), "it waits for ever");
    }
    assert_eq!(asked, 4);
    let report = bench.device.report();
    assert_eq!(
        report.error.as_deref(),
        Some("the patch was not used: it does not come")
    );
}

#[test]
fn a_driver_that_takes_no_patches_fetches_the_image() {
    let maker = Maker::new();
    let mut device = Device::start(maker.config.clone(), State::default(), None, WITHIN);
    let manifest = manifest(&maker, 1, &[OLD]);
    assert_eq!(device.offer(&manifest), Ok(Offer::Taken));
    assert!(matches!(device.next(WITHIN), Some(Step::Open { .. })));
}

const SECOND: Duration = Duration::from_secs(1);
