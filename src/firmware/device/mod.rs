//! A device with two slots, without I/O: manifests, blocks and the time go in, steps to take come out. A driver takes one
//! step after the other and tells how it ended; thousands of devices can be driven in one process.
//!
//! The order is what makes a power cut harmless: an image is whole and compared before the state names it, the state names
//! it before the boot loader is told, and the old slot is not touched before the new one has proved itself.

mod download;
mod offer;
mod patches;
mod report;
mod state;
#[cfg(test)]
mod tests;
mod types;

use std::sync::Arc;
use std::time::Duration;

pub use download::{Ask, BLOCKS, Download, WINDOW};
use patches::Patches;
pub use state::{Ended, Release, Slot, Stage, State, Trial};
use types::words;
pub use types::{Config, Offer, Outcome, PatchStep, Report, Step, counter};

use super::Digest;
use super::refusal::Refusal;
use super::suit::Update;

/// Starts in which a new image may fail to prove itself.
const MOST_BOOTS: u32 = 2;

/// How long a device waits for a block, unless it is told.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(300);

/// Until a step is taken again that failed, and that there is no way around.
const AGAIN: Duration = Duration::from_secs(5);

/// How often an image is fetched whose digest is wrong, and how often the boot loader is told to go back.
const MOST_TRIES: u32 = 3;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    /// What runs is compared with what a patch is for.
    Comparing,
    Opening,
    Downloading(Download),
    Patching,
    /// After a restart the slot may not be what was compared before: it is read back again.
    Rechecking,
    /// The state is to be written; then the boot loader is told.
    Written,
    Installed,
    Rebooting,
    Testing,
    Confirming,
    /// The state is to be written; then the boot loader is told to go back.
    Reverting,
    Reverted,
}

/// A device.
#[derive(Debug)]
pub struct Device {
    config: Arc<Config>,
    state: State,
    phase: Phase,
    /// What is being installed.
    update: Option<Update>,
    patches: Patches,
    /// What is to be done before the phase goes on.
    unsaved: bool,
    /// Why the state could not be written.
    unwritten: Option<String>,
    busy: bool,
    /// The slot that runs.
    booted: Slot,
    /// When a trial has taken too long.
    deadline: Option<Duration>,
    /// When a step that failed and has to be taken is taken again.
    again_at: Option<Duration>,
    /// The last manifest that was refused, for the report.
    refused: Option<(u64, Option<String>, String)>,
    failed: bool,
    /// What came to nothing so far, of [`MOST_TRIES`].
    tries: u32,
    /// The boot loader could not be told to go back: only a new start helps.
    stuck: bool,
    /// The last update was given up because nothing of its image came.
    late: bool,
}

impl Device {
    /// A device that was just started with this state. `booted` is the slot that runs, where the boot loader says so.
    pub fn start(config: Arc<Config>, state: State, booted: Option<Slot>, now: Duration) -> Self {
        let mut device = Self {
            booted: state.active,
            config,
            state,
            phase: Phase::Idle,
            update: None,
            patches: Patches::default(),
            unsaved: false,
            unwritten: None,
            busy: false,
            deadline: None,
            again_at: None,
            refused: None,
            failed: false,
            tries: 0,
            stuck: false,
            late: false,
        };
        device.boot(booted, now);
        device
    }

    fn boot(&mut self, booted: Option<Slot>, now: Duration) {
        let Some(trial) = &mut self.state.trial else {
            self.booted = booted.unwrap_or(self.state.active);
            return;
        };
        let (new, old) = (trial.slot, trial.slot.other());
        let expected = match trial.stage {
            Stage::Installed => new,
            Stage::Written | Stage::Reverting => old,
        };
        self.booted = booted.unwrap_or(expected);
        trial.boots += 1;
        let (stage, boots) = (trial.stage, trial.boots);
        self.unsaved = true;
        match stage {
            // The power went before the boot loader was told, or while.
            Stage::Written if boots > MOST_BOOTS => self.revert("it was never installed"),
            Stage::Written => self.phase = Phase::Rechecking,
            Stage::Installed if self.booted == old => {
                self.over(Some("the boot loader went back to the other slot"));
            }
            Stage::Installed if boots > MOST_BOOTS => {
                self.revert("it was started twice, and not confirmed");
            }
            Stage::Installed => {
                self.phase = Phase::Testing;
                self.deadline = Some(now.saturating_add(self.config.within));
            }
            Stage::Reverting if self.booted == old => {
                let why = trial.why.clone();
                self.over(why.as_deref());
            }
            Stage::Reverting => self.phase = Phase::Reverting,
        }
    }

    /// What outlives a restart.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The slot that runs.
    pub fn booted(&self) -> Slot {
        self.booted
    }

    /// What is being downloaded.
    pub fn download(&self) -> Option<&Download> {
        match &self.phase {
            Phase::Downloading(download) => Some(download),
            _ => None,
        }
    }

    /// What is being installed.
    pub fn update(&self) -> Option<&Update> {
        self.update.as_ref()
    }

    /// Where the next image goes.
    fn target(&self) -> Slot {
        self.booted.other()
    }

    /// A block has come. Where it is to be written into the slot of [`Step::Open`].
    pub fn block(&mut self, digest: &Digest, number: u32, length: usize) -> Option<u64> {
        match &mut self.phase {
            Phase::Downloading(download) if download.digest() == digest => {
                download.block(number, length)
            }
            _ => None,
        }
    }

    /// The blocks to ask for now, of a device that has a connection. An image of which nothing has come for too long is
    /// given up.
    pub fn ask(&mut self, now: Duration) -> Option<(Digest, Ask)> {
        let Phase::Downloading(download) = &mut self.phase else {
            return None;
        };
        if download.waits_for(now) >= self.config.patience {
            self.waited_in_vain();
            return None;
        }
        let ask = download.ask(now)?;
        Some((*download.digest(), ask))
    }

    fn waited_in_vain(&mut self) {
        let time = humantime::format_duration(self.config.patience);
        self.late = self.patch().is_none();
        self.gave_up(&format!("nothing of the image has come for {time}"));
    }

    /// Whether the last update was given up because nothing of its image came.
    pub fn is_late(&self) -> bool {
        self.late
    }

    /// The connection is another one.
    pub fn reconnected(&mut self) {
        if let Phase::Downloading(download) = &mut self.phase {
            download.forget_asked();
        }
    }

    /// The image cannot be had: it is given up until it is offered again. What is true of a patch is not of the image.
    pub fn gave_up(&mut self, why: &str) {
        match self.is_past_download() || self.update.is_none() {
            true => {}
            false if self.patch().is_some() => self.pass_over(why.to_owned()),
            false => self.fail(why.to_owned()),
        }
    }

    /// When [`Self::next`] or [`Self::ask`] will have something to say although nothing happened.
    pub fn next_time(&self) -> Option<Duration> {
        let download = self.download();
        let asked = download.and_then(Download::next_time);
        let late = download.and_then(|it| it.end_of(self.config.patience));
        [asked, late, self.deadline, self.again_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// The next step to take, once the last one has ended.
    pub fn next(&mut self, now: Duration) -> Option<Step> {
        let on_trial = matches!(self.phase, Phase::Testing | Phase::Confirming);
        if self.deadline.is_some_and(|end| now >= end) && on_trial {
            // Whatever the health check does: its time is over.
            self.busy = false;
            self.revert("it did not prove itself in time");
        }
        self.give_patch_up();
        if self.busy || self.again_at.is_some_and(|at| now < at) {
            return None;
        }
        self.again_at = None;
        let step = if std::mem::take(&mut self.unsaved) {
            self.state.generation += 1;
            Step::Save
        } else {
            self.step()?
        };
        self.busy = true;
        if step == Step::Reboot && self.phase == Phase::Installed {
            self.phase = Phase::Rebooting;
        }
        if matches!(step, Step::Patch(PatchStep::Apply { .. })) {
            // Until it has ended the slot is written.
            self.phase = Phase::Patching;
        }
        Some(step)
    }

    fn step(&self) -> Option<Step> {
        let (slot, size) = (self.target(), self.update.as_ref().map_or(0, |it| it.size));
        let written = self.state.trial.as_ref();
        let trial = written.map(|trial| trial.slot);
        Some(match &self.phase {
            Phase::Idle => return None,
            Phase::Downloading(download) if download.left() > 0 => return None,
            Phase::Comparing | Phase::Opening | Phase::Downloading(_) | Phase::Patching
                if self.patch().is_some() =>
            {
                return self.patch_step();
            }
            Phase::Comparing | Phase::Opening => Step::Open { slot, size },
            Phase::Downloading(_) | Phase::Patching => Step::Check { slot, size },
            Phase::Rechecking => Step::Check {
                slot: trial?,
                size: written?.release.size,
            },
            Phase::Written => Step::Install(trial?),
            Phase::Installed | Phase::Rebooting | Phase::Reverted => Step::Reboot,
            Phase::Testing => Step::Health,
            Phase::Confirming => Step::Confirm(trial?),
            Phase::Reverting => Step::Install(trial?.other()),
        })
    }

    /// How the step ended that [`Self::next`] gave last. One that was given before is over: its time had passed, or another
    /// manifest had come.
    pub fn ended(&mut self, step: &Step, outcome: Outcome, now: Duration) {
        self.busy = false;
        let failed = std::mem::take(&mut self.failed);
        self.take(step, outcome);
        if self.failed && !self.is_resting() {
            self.again_at = Some(now + AGAIN * (1 << self.tries.saturating_sub(1).min(MOST_TRIES)));
        }
        self.failed |= failed && self.is_resting();
    }

    /// Nothing is to be done.
    fn is_resting(&self) -> bool {
        self.phase == Phase::Idle && !self.unsaved
    }

    fn take(&mut self, step: &Step, outcome: Outcome) {
        match (step, outcome) {
            (Step::Save, Outcome::Failed(why)) => self.save_failed(why),
            (Step::Save, _) => self.unwritten = None,
            (Step::Open { .. }, outcome) => self.opened(outcome),
            (Step::Check { .. }, outcome) if self.phase == Phase::Rechecking => {
                self.rechecked(outcome);
            }
            (Step::Check { .. }, outcome) => self.checked(outcome),
            (Step::Patch(step), outcome) => self.patch_ended(step, outcome),
            (Step::Install(_), outcome) => self.installed(outcome),
            // It goes on with the next start; where there is nothing to start again, it is up already.
            (Step::Reboot, Outcome::Failed(why)) => self.not_rebooted(&why),
            (Step::Reboot, _) => {}
            (Step::Health, Outcome::Done) => self.phase = Phase::Confirming,
            (Step::Health, outcome) => self.revert(&words(outcome)),
            (Step::Confirm(_), Outcome::Done) => self.confirmed(),
            (Step::Confirm(_), outcome) => self.revert(&words(outcome)),
        }
    }

    /// Nothing of what follows may happen while the state is not on disk.
    fn save_failed(&mut self, why: String) {
        if self.phase == Phase::Written {
            self.state.trial = None;
            self.fail(why);
        } else {
            self.unsaved = true;
            self.failed = true;
            self.unwritten = Some(why);
        }
    }

    /// Why the state cannot be written, which is tried again; nothing goes on before it is.
    pub fn unwritten(&self) -> Option<&str> {
        self.unwritten.as_deref()
    }

    fn opened(&mut self, outcome: Outcome) {
        let Some(update) = &self.update else { return };
        let (digest, size) = (update.digest, update.size);
        self.opened_for(digest, size, outcome);
    }

    fn opened_for(&mut self, digest: Digest, size: u64, outcome: Outcome) {
        let block = self.config.block;
        let saved = match outcome {
            Outcome::Opened(saved) => saved,
            Outcome::Done => None,
            other => return self.fail(words(other)),
        };
        let resumed = saved.and_then(|saved| Download::resumed(digest, size, block, &saved));
        match resumed.or_else(|| Download::new(digest, size, block)) {
            Some(download) => self.phase = Phase::Downloading(download),
            None => self.fail(String::from("the image has too many blocks")),
        }
    }

    fn checked(&mut self, outcome: Outcome) {
        let Some(update) = &self.update else { return };
        let (given, counter) = match outcome {
            Outcome::Checked(digest, counter) => (digest, counter),
            other => return self.fail(words(other)),
        };
        let wanted = update.digest;
        if given != wanted {
            // A payload in the envelope stays the same.
            let can_fetch = update.sources.iter().any(|it| !it.uri.starts_with('#'));
            self.tries += 1;
            if can_fetch && self.tries < MOST_TRIES {
                self.phase = Phase::Opening;
                self.failed = true;
                return;
            }
            return self.fail(Refusal::PayloadDigest { given, wanted }.to_string());
        }
        if let Some(given) = counter.filter(|it| *it < self.state.counter)
            && !self.config.allow_downgrade
        {
            let ours = self.state.counter;
            return self.fail(Refusal::Counter { given, ours }.to_string());
        }
        self.state.trial = Some(Trial {
            slot: self.booted.other(),
            release: Release {
                sequence: update.sequence,
                version: update.version.clone(),
                size: update.size,
                digest: update.digest,
                counter,
            },
            stage: Stage::Written,
            boots: 0,
            why: None,
        });
        self.state.last = None;
        self.unsaved = true;
        self.phase = Phase::Written;
    }

    /// What was compared before the restart is not installed where it is something else now; the boot loader may have been told.
    fn rechecked(&mut self, outcome: Outcome) {
        let wanted = self.state.trial.as_ref().map(|trial| trial.release.digest);
        match (outcome, wanted) {
            (Outcome::Checked(given, _), Some(wanted)) if given == wanted => {
                self.phase = Phase::Written;
            }
            (Outcome::Checked(given, _), Some(wanted)) => {
                self.revert(&Refusal::PayloadDigest { given, wanted }.to_string());
            }
            (outcome, _) => self.revert(&words(outcome)),
        }
    }

    fn installed(&mut self, outcome: Outcome) {
        match (&self.phase, outcome) {
            (Phase::Written, Outcome::Done) => {
                if let Some(trial) = &mut self.state.trial {
                    (trial.stage, trial.boots) = (Stage::Installed, 0);
                }
                self.unsaved = true;
                self.phase = Phase::Installed;
            }
            (Phase::Written, outcome) => self.revert(&words(outcome)),
            (Phase::Reverting, Outcome::Done) => self.reverted(),
            // What runs may be what failed, and there is no other way than to try again.
            (Phase::Reverting, outcome) => self.not_reverted(&words(outcome)),
            _ => {}
        }
    }

    /// The boot loader was told to take the old slot, which may be what runs.
    fn reverted(&mut self) {
        self.phase = Phase::Reverted;
        if let Some(trial) = &self.state.trial
            && trial.slot != self.booted
        {
            let why = trial.why.clone();
            self.over(why.as_deref());
        }
    }

    fn not_rebooted(&mut self, why: &str) {
        match self.phase {
            Phase::Installed | Phase::Rebooting => self.revert(why),
            _ => self.not_reverted(why),
        }
    }

    /// The state stays what it is, so that the next start tries again.
    fn not_reverted(&mut self, why: &str) {
        self.failed = true;
        self.tries += 1;
        if self.tries < MOST_TRIES {
            return;
        }
        if let Some(trial) = &self.state.trial {
            let first = trial.why.as_deref().unwrap_or("it failed");
            let text = format!("{first}; going back failed {MOST_TRIES} times: {why}");
            let (sequence, version) = (trial.release.sequence, trial.release.version.clone());
            self.refused = Some((sequence, version, text));
        }
        self.stuck = true;
        self.update = None;
        self.phase = Phase::Idle;
    }

    /// Whether the boot loader could not be told to go back: nothing is done any more until the next start.
    pub fn is_stuck(&self) -> bool {
        self.stuck
    }

    fn confirmed(&mut self) {
        let Some(trial) = self.state.trial.take() else {
            return;
        };
        self.state.active = trial.slot;
        self.state.counter = self.state.counter.max(trial.release.counter.unwrap_or(0));
        self.state.release = trial.release;
        self.booted = trial.slot;
        self.state.last = Some(Ended {
            sequence: self.state.release.sequence,
            version: self.state.release.version.clone(),
            why: None,
        });
        self.settle();
    }

    /// The new image did not prove itself.
    fn revert(&mut self, why: &str) {
        let Some(trial) = &mut self.state.trial else {
            return;
        };
        self.deadline = None;
        (trial.stage, trial.boots) = (Stage::Reverting, 0);
        trial.why = Some(why.to_owned());
        self.tries = 0;
        self.unsaved = true;
        self.phase = Phase::Reverting;
    }

    /// The old slot runs again.
    fn over(&mut self, why: Option<&str>) {
        let why = why.unwrap_or("it failed");
        let Some(trial) = self.state.trial.take() else {
            return;
        };
        self.state.fails(trial.release.sequence);
        self.state.last = Some(Ended {
            sequence: trial.release.sequence,
            version: trial.release.version,
            why: Some(why.to_owned()),
        });
        self.settle();
    }

    fn settle(&mut self) {
        self.update = None;
        self.unsaved = true;
        self.deadline = None;
        self.failed = false;
        self.phase = Phase::Idle;
    }

    /// It came to nothing before anything was installed.
    fn fail(&mut self, why: String) {
        if let Some(update) = self.update.take() {
            self.refused = Some((update.sequence, update.version, why));
        }
        self.failed = true;
        self.busy = false;
        self.phase = Phase::Idle;
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Idle && !self.unsaved && !self.busy
    }

    /// What it was told.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config)
    }
}
