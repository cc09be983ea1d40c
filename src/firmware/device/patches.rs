//! Patches: what is fetched instead of the whole image, where the slot that runs has the image that a patch changes. Whatever
//! goes wrong with one, the next is tried, and then the whole image.

use std::collections::VecDeque;

use super::super::delta;
use super::super::suit::{Patch, Update};
use super::types::{PatchStep, words};
use super::{Device, Download, Outcome, Phase, Step};

/// Requests for blocks of a patch that came to nothing one after the other: whoever serves the image may not have it.
const MOST_IN_VAIN: u32 = 3;

/// Patches of the update that is being installed.
#[derive(Debug, Default)]
pub(super) struct Patches {
    /// The driver takes the steps of a patch.
    pub(super) accepted: bool,
    /// What can be tried; the first is.
    left: VecDeque<Patch>,
    /// Why the last one was not used.
    why: Option<String>,
}

impl Device {
    /// The driver of this device takes a [`PatchStep`]; others fetch whole images only.
    #[must_use]
    pub fn accepting_patches(mut self) -> Self {
        self.patches.accepted = true;
        self
    }

    /// The patch that is fetched or applied; `None`: the whole image.
    pub fn patch(&self) -> Option<&Patch> {
        self.patches.left.front()
    }

    /// Why no patch is used, although there are some.
    pub(super) fn unpatched(&self) -> Option<String> {
        let why = self.patches.why.as_ref().filter(|_| self.patch().is_none());
        why.map(|why| format!("the patch was not used: {why}"))
    }

    /// Begins with the first patch, if there is one that is of use.
    pub(super) fn begin(&mut self, update: Update) {
        self.patches.why = None;
        self.patches.left.clear();
        let mut sources = update.sources.iter();
        // An image that has come already needs no patch.
        let is_there = sources
            .clone()
            .any(|it| it.patch.is_none() && it.uri.starts_with('#'));
        if self.patches.accepted && !is_there && sources.any(|it| it.patch.is_some()) {
            self.choose(&update);
        }
        self.update = Some(update);
        self.begin_next();
    }

    fn choose(&mut self, update: &Update) {
        if !delta::AVAILABLE {
            self.patches.why = Some(delta::BadPatch::NotBuilt.to_string());
            return;
        }
        let release = &self.state.release;
        // What has proved itself here is known; what the device came with has to be read.
        let known = release.sequence > 0 && self.booted == self.state.active;
        for patch in update.sources.iter().filter_map(|it| it.patch.as_ref()) {
            let fits = Download::new(patch.digest, patch.size, self.config.block).is_some();
            if patch.size >= update.size || !fits {
                self.patches.why = Some(String::from("it is not smaller than the image"));
            } else if known && release.digest != patch.base {
                self.patches.why = Some(other(&release.digest, patch));
            } else if !self.patches.left.contains(patch) {
                self.patches.left.push_back(patch.clone());
            }
        }
    }

    fn begin_next(&mut self) {
        self.busy = false;
        self.phase = match self.patch() {
            Some(_) => Phase::Comparing,
            None => Phase::Opening,
        };
    }

    /// The patch is of no use.
    pub(super) fn pass_over(&mut self, why: String) {
        self.patches.left.pop_front();
        self.patches.why = Some(why);
        self.begin_next();
    }

    /// A patch that nobody sends is not waited for.
    pub(super) fn give_patch_up(&mut self) {
        if let Phase::Downloading(download) = &self.phase
            && download.in_vain() >= MOST_IN_VAIN
            && self.patch().is_some()
        {
            self.pass_over(String::from("it does not come"));
        }
    }

    pub(super) fn patch_step(&self) -> Option<Step> {
        let (patch, update) = (self.patch()?, self.update.as_ref()?);
        Some(Step::Patch(match &self.phase {
            Phase::Comparing => PatchStep::Compare {
                slot: self.booted,
                size: patch.base_size,
            },
            Phase::Opening => PatchStep::Open { size: patch.size },
            _ => PatchStep::Apply {
                from: self.booted,
                to: self.booted.other(),
                patch: patch.clone(),
                size: update.size,
            },
        }))
    }

    pub(super) fn patch_ended(&mut self, step: &PatchStep, outcome: Outcome) {
        let Some(patch) = self.patch().cloned() else {
            return;
        };
        match (step, outcome) {
            (PatchStep::Compare { .. }, Outcome::Checked(digest, _)) => {
                match digest == patch.base {
                    true => self.phase = Phase::Opening,
                    false => self.pass_over(other(&digest, &patch)),
                }
            }
            (PatchStep::Open { .. }, outcome @ (Outcome::Opened(_) | Outcome::Done)) => {
                let (digest, size) = (patch.digest, patch.size);
                self.opened_for(digest, size, outcome);
            }
            (PatchStep::Apply { .. }, Outcome::Checked(given, counter)) => {
                if self.update.as_ref().is_some_and(|it| it.digest == given) {
                    self.patches.left.clear();
                    self.checked(Outcome::Checked(given, counter));
                } else {
                    self.pass_over(String::from("it makes another image"));
                }
            }
            (_, outcome) => self.pass_over(words(outcome)),
        }
    }
}

/// The image in the slot is not the one that a patch changes.
fn other(given: &super::Digest, patch: &Patch) -> String {
    let (given, base) = (super::super::short(given), super::super::short(&patch.base));
    format!("it is for the image {base}, and {given} runs")
}
