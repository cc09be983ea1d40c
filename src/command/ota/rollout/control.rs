//! What a controller does while its rollout goes on: it hears devices, writes down what is decided, and does it.

use std::collections::VecDeque;
use std::mem::take;

use bytes::Bytes;
use serde_json::Value;

use super::now;
use crate::command::ota::status::{Fleet, word};
use crate::error::{Error, Kind, Result};
use crate::firmware::rollout::{Entry, Report, Rollout, Step};
use crate::firmware::wire;
use crate::flow::journal::Journal;
use crate::output::Console;
use crate::stop::Stop;

/// Decisions that are written to the disk together.
const AT_ONCE: usize = 100;

/// How devices are told of an update, and what they say is heard.
pub(super) trait Notifier {
    /// What devices have reported.
    fn fleet(&self) -> &Fleet;

    /// Devices that have reported since it was last asked.
    fn news(&mut self) -> Vec<String>;

    /// Keeps other controllers from the rollout, where they can be told.
    ///
    /// # Errors
    /// It cannot be said.
    fn take_charge(&mut self) -> Result<()> {
        Ok(())
    }

    /// What somebody wants of the controller, where anybody can tell it.
    fn order(&mut self) -> Option<Bytes> {
        None
    }

    /// The answer to an order.
    ///
    /// # Errors
    /// It cannot be given.
    fn answer(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }

    /// Who else has taken the rollout over.
    fn rival(&self) -> Option<&str> {
        None
    }

    /// Whether one more device can be told of something now.
    fn has_room(&self) -> bool;

    /// Whether all that was said has arrived.
    fn is_said(&self) -> bool;

    /// Offers the update to a device.
    ///
    /// # Errors
    /// It cannot be offered.
    fn offer(&mut self, device: String) -> Result<()>;

    /// Takes it back from a device that has not begun, or has failed.
    ///
    /// # Errors
    /// It cannot be said.
    fn withdraw(&mut self, device: String) -> Result<()>;

    /// Makes sure that nothing is missed of devices that are under way.
    ///
    /// # Errors
    /// They cannot be asked.
    fn look_after(&mut self, _: &Rollout) -> Result<()> {
        Ok(())
    }

    /// Waits until something has come, or for a tick of the clock.
    ///
    /// # Errors
    /// The connection is gone for good, or a signal has come.
    async fn wait(&mut self, stop: &mut Stop) -> Result<()>;
}

/// Says once that a device which was told of an update may go on with it, where nothing can be taken back.
pub(super) struct Irrevocable {
    protocol: &'static str,
    sequence: u64,
    is_said: bool,
}

impl Irrevocable {
    /// Over this protocol, of the manifest with this sequence number.
    pub(super) const fn over(protocol: &'static str, sequence: u64) -> Self {
        Self {
            protocol,
            sequence,
            is_said: false,
        }
    }

    /// What a device has reported last: one that has begun has nothing that could be taken back.
    pub(super) fn warn(&mut self, report: Option<&Value>, console: Console) {
        let has_begun = report.is_some_and(|it| it["sequence"].as_u64() == Some(self.sequence));
        if !has_begun && !std::mem::replace(&mut self.is_said, true) {
            let protocol = self.protocol;
            console.warn(format_args!(
                "devices that were told of the update may go on with it: nothing is taken back over {protocol}"
            ));
        }
    }
}

/// With what is to be done then.
type Decision = (Entry, Option<Step>);

/// A rollout that goes on.
pub(super) struct Control<'a, N> {
    notifier: &'a mut N,
    console: Console,
    /// What is decided and written down, and waits until it can be sent.
    steps: VecDeque<Step>,
    /// Devices whose reports are looked at although they are no news.
    again: Vec<String>,
}

impl<'a, N: Notifier> Control<'a, N> {
    pub(super) fn new(notifier: &'a mut N, console: Console) -> Self {
        // All that is known already is looked at, once.
        let _ = notifier.news();
        let again = notifier.fleet().devices.keys().cloned().collect();
        Self {
            again,
            notifier,
            console,
            steps: VecDeque::new(),
        }
    }

    /// Until the rollout is over and nothing is under way.
    pub(super) async fn run(
        &mut self,
        rollout: &mut Rollout,
        journal: &mut Journal,
        stop: &mut Stop,
    ) -> Result<()> {
        let mut shown = None;
        loop {
            self.obey(rollout)?;
            self.hear(rollout);
            self.decide(rollout, journal)?;
            self.notifier.look_after(rollout)?;
            let counts = (rollout.stage(), rollout.counts());
            if shown != Some(counts) {
                shown = Some(counts);
                let (stage, counts) = counts;
                self.console.progress(format_args!(
                    "stage {}: {} updated, {} failed, {} in flight, {} waiting",
                    stage + 1,
                    counts.updated,
                    counts.failed,
                    counts.underway,
                    counts.waiting
                ));
            }
            let is_said = self.steps.is_empty() && self.notifier.is_said();
            if rollout.ended().is_some() && rollout.counts().underway == 0 && is_said {
                return Ok(());
            }
            self.notifier.wait(stop).await?;
            if let Some(other) = self.notifier.rival() {
                let text = format!("another controller ({other}) has taken over this rollout");
                return Err(Error::new(Kind::Lost, text));
            }
        }
    }

    fn hear(&mut self, rollout: &mut Rollout) {
        let mut news = take(&mut self.again);
        news.extend(self.notifier.news());
        for device in news {
            if let Some(report) = self.notifier.fleet().devices.get(&device).map(report) {
                rollout.report(&device, &report, now());
            }
        }
    }

    /// Writes down what is decided, many decisions at a time, and does it.
    fn decide(&mut self, rollout: &mut Rollout, journal: &mut Journal) -> Result<()> {
        loop {
            self.carry_out()?;
            if !self.steps.is_empty() {
                return Ok(());
            }
            let decided = together(|| rollout.next(now()));
            if decided.is_empty() {
                return Ok(());
            }
            for (entry, _) in &decided {
                let line = serde_json::to_string(entry)
                    .map_err(|why| Error::new(Kind::Local, why.to_string()))?;
                journal.append(&format!("{line}\n"))?;
            }
            journal.sync()?;
            for (entry, step) in decided {
                self.tell(&entry);
                self.steps.extend(step);
            }
        }
    }

    /// Does what is written down, as far as there is room for it.
    fn carry_out(&mut self) -> Result<()> {
        while self.notifier.has_room()
            && let Some(step) = self.steps.pop_front()
        {
            match step {
                Step::Offer(device) => {
                    // It reports nothing new of what it does not try again.
                    let last = self.notifier.fleet().devices.get(&device);
                    if last.is_some_and(|last| word(last, "state") == "rolled-back") {
                        self.again.push(device.clone());
                    }
                    self.notifier.offer(device)?;
                }
                Step::Withdraw(device) => self.notifier.withdraw(device)?,
            }
        }
        Ok(())
    }

    fn obey(&mut self, rollout: &mut Rollout) -> Result<()> {
        let answer: &[u8] = match self.notifier.order().as_deref() {
            Some(b"pause") => {
                rollout.pause(true);
                self.console.note("paused");
                b"paused"
            }
            Some(b"run") => {
                rollout.pause(false);
                b"running"
            }
            Some(b"abort") => {
                rollout.abort(now());
                b"aborted"
            }
            Some(b"ping") => b"here",
            _ => return Ok(()),
        };
        self.notifier.answer(answer)
    }

    fn tell(&self, entry: &Entry) {
        match entry {
            Entry::Failed { device, why, .. } => self.console.warn(format_args!("{device}: {why}")),
            Entry::Passed { stage, .. } => self
                .console
                .note(format_args!("stage {} passed", stage + 1)),
            Entry::Stopped { why, .. } => self.console.warn(format_args!("stopped: {why}")),
            Entry::Completed { .. } => self.console.note("completed"),
            Entry::Begun { .. }
            | Entry::Offered { .. }
            | Entry::Updated { .. }
            | Entry::Withdrawn { .. } => {}
        }
    }
}

/// Decisions that may be written down together: after a crash devices are offered the update again, but of what was to be taken
/// back only the last one may not have been.
fn together(mut next: impl FnMut() -> Option<Decision>) -> Vec<Decision> {
    let mut decided = Vec::new();
    while decided.len() < AT_ONCE
        && !matches!(decided.last(), Some((_, Some(Step::Withdraw(_)))))
        && let Some(decision) = next()
    {
        decided.push(decision);
    }
    decided
}

fn report(report: &Value) -> Report {
    let why = word(report, "error");
    Report {
        state: word(report, "state").to_owned(),
        sequence: report["sequence"].as_u64().unwrap_or(0),
        image: wire::digest(word(report, "image")),
        error: (!why.is_empty()).then(|| why.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_back_is_the_last_of_what_is_written_together() {
        let device = || String::from("d");
        let offered = || {
            (
                Entry::Offered {
                    device: device(),
                    at: 0,
                },
                Some(Step::Offer(device())),
            )
        };
        let withdrawn = || {
            (
                Entry::Withdrawn {
                    device: device(),
                    at: 0,
                },
                Some(Step::Withdraw(device())),
            )
        };
        let mut left = [offered(), offered(), withdrawn(), withdrawn(), offered()].into_iter();
        let lengths = [3, 1, 1, 0].map(|_| together(|| left.next()).len());
        assert_eq!(lengths, [3, 1, 1, 0]);
        assert_eq!(together(|| Some(offered())).len(), AT_ONCE);
    }
}
