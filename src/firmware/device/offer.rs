//! Which manifests a device takes.

use std::sync::Arc;

use super::super::Digest;
use super::super::refusal::{Refusal, Result};
use super::super::suit::{Envelope, Update};
use super::{Device, Download, Offer, Phase};

impl Device {
    /// A manifest has come, as it is in bytes. Signature, then content, then sequence, then vendor and class, then size.
    ///
    /// # Errors
    /// It is not for this device; what is being installed goes on.
    pub fn offer(&mut self, bytes: &[u8]) -> Result<Offer> {
        let config = Arc::clone(&self.config);
        let envelope = Envelope::split(bytes)?;
        // Anybody may have sent it: it changes nothing, nor what is reported.
        let manifest = match &config.trusted {
            Some(trusted) => envelope.verified(trusted)?.manifest()?,
            None => envelope.unverified()?,
        };
        let (sequence, version) = (manifest.sequence_number, manifest.about.version.clone());
        let update = || manifest.update(&config.identity, Some(self.target().number()));
        let judged = self.judge(sequence).and_then(|known| match known {
            // What is not for this device is none of its images; what is must be the one that it has.
            Some(image) if update().is_ok_and(|it| it.digest != image) => {
                Err(Refusal::Reused(sequence))
            }
            Some(_) => Ok(None),
            None => {
                let update = update()?;
                self.fits(&update)?;
                Ok(Some(update))
            }
        });
        match judged {
            Ok(None) => Ok(Offer::Known),
            Ok(Some(update)) => {
                self.refused = None;
                self.failed = false;
                self.late = false;
                self.tries = 0;
                self.again_at = None;
                self.begin(update);
                Ok(Offer::Taken)
            }
            Err(why) => {
                self.refuse(sequence, version, &why);
                Err(why)
            }
        }
    }

    fn refuse(&mut self, sequence: u64, version: Option<String>, why: &Refusal) {
        let ended = self.state.last.as_ref().map(|last| last.sequence);
        // How it ended here says more than that it is not tried again.
        let is_told = matches!(why, Refusal::FailedBefore(it) if Some(*it) == ended);
        if self.phase == Phase::Idle && !is_told && !self.stuck {
            self.failed = false;
            self.refused = Some((sequence, version, why.to_string()));
        }
    }

    /// The image of a sequence that runs or is being installed; `None`: it may be installed.
    fn judge(&self, sequence: u64) -> Result<Option<Digest>> {
        let state = &self.state;
        let trial = state.trial.as_ref();
        let trial = trial.map(|trial| (trial.release.sequence, trial.release.digest));
        let update = self.update.as_ref();
        let update = update.map(|update| (update.sequence, update.digest));
        let runs = (state.release.sequence, state.release.digest);
        let (number, image) = update.or(trial).unwrap_or(runs);
        if sequence == number {
            return Ok(Some(image));
        }
        let underway = update.or(trial).map(|(number, _)| number);
        if state.failed.contains(&sequence) {
            return Err(Refusal::FailedBefore(sequence));
        }
        // Of two manifests the higher one wins; what is on trial is not disturbed.
        let ours = state.release.sequence.max(underway.unwrap_or(0));
        if sequence <= ours && !(self.config.allow_downgrade && underway.is_none()) {
            let given = sequence;
            return Err(Refusal::Sequence { given, ours });
        }
        match state.trial.is_some() || self.is_past_download() {
            true => Err(Refusal::Busy),
            false => Ok(None),
        }
    }

    pub(super) fn is_past_download(&self) -> bool {
        !matches!(
            self.phase,
            Phase::Idle | Phase::Comparing | Phase::Opening | Phase::Downloading(_)
        )
    }

    fn fits(&self, update: &Update) -> Result<()> {
        let size = update.size;
        match self.config.capacity {
            Some(slot) if size > slot => Err(Refusal::TooLarge { size, slot }),
            _ if Download::new(update.digest, size, self.config.block).is_none() => {
                let slot = u64::from(u32::MAX) * u64::from(self.config.block);
                Err(Refusal::TooLarge { size, slot })
            }
            _ => Ok(()),
        }
    }
}
