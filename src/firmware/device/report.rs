//! What a device reports of itself.

use super::super::Digest;
use super::state::Release;
use super::{Device, Download, Phase, Report};

impl Device {
    /// What others are told.
    pub fn report(&self) -> Report {
        let underway = self
            .update
            .as_ref()
            .map(|it| (it.sequence, it.version.clone(), it.digest));
        let of = |it: &Release| (it.sequence, it.version.clone(), it.digest);
        let trial = self.state.trial.as_ref().map(|it| of(&it.release));
        let runs = of(&self.state.release);
        let (sequence, version, image) = underway.or(trial).unwrap_or(runs);
        let mut report = Report {
            state: self.word(),
            version,
            sequence,
            // That of what was there before all updates is not known.
            image: (image != Digest::default()).then_some(image),
            slot: self.booted,
            progress: self.download().map(Download::progress),
            error: None,
        };
        let ended = self.state.last.as_ref();
        if let Some(why) = &self.unwritten {
            // What is not on the disk may be otherwise after a power cut.
            report.error = Some(why.clone());
            if let (Phase::Idle, Some(ended)) = (&self.phase, ended) {
                report.state = match ended.why {
                    Some(_) => "rolling-back",
                    None => "testing",
                };
            }
        } else if self.phase != Phase::Idle {
            let trial = self.state.trial.as_ref();
            report.error = trial.and_then(|trial| trial.why.clone());
            if matches!(self.phase, Phase::Opening | Phase::Downloading(_)) {
                report.error = self.unpatched();
            }
        } else if let Some((sequence, version, why)) = &self.refused {
            report.state = if self.failed { "failed" } else { "refused" };
            (report.sequence, report.version) = (*sequence, version.clone());
            (report.error, report.image) = (Some(why.clone()), None);
        } else if let Some(ended) = ended {
            report.state = match ended.why {
                Some(_) => "rolled-back",
                None => "updated",
            };
            (report.sequence, report.version) = (ended.sequence, ended.version.clone());
            report.image = report.image.filter(|_| ended.why.is_none());
            report.error = ended.why.clone();
        }
        report
    }

    fn word(&self) -> &'static str {
        match &self.phase {
            Phase::Idle => "idle",
            Phase::Comparing | Phase::Opening => "downloading",
            Phase::Downloading(download) if download.left() > 0 => "downloading",
            Phase::Downloading(_) | Phase::Patching | Phase::Rechecking => "downloaded",
            Phase::Written => "verified",
            Phase::Installed => "installed",
            Phase::Rebooting => "rebooting",
            Phase::Testing | Phase::Confirming => "testing",
            Phase::Reverting | Phase::Reverted => "rolling-back",
        }
    }
}

impl Report {
    /// Whether it says more than the last one; progress is told in steps of ten.
    pub fn is_news(&self, last: &Self) -> bool {
        let step = |report: &Self| report.progress.map(|progress| progress / 10);
        let rest = |report: &Self| Self {
            progress: None,
            ..report.clone()
        };
        step(last) != step(self) || rest(last) != rest(self)
    }
}
