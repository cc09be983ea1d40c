//! What a controller does while its rollout goes on: it hears devices, writes down what is decided, and does it.

use std::collections::VecDeque;
use std::mem::take;

use bytes::Bytes;
use serde_json::Value;

use super::Time;
use crate::command::ota::status::{Fleet, word};
use crate::error::{Error, Kind, Result};
use crate::firmware::rollout::{Counts, Decision, Entry, Report, Rollout, Step};
use crate::firmware::{sha256, short, wire};
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

/// A rollout that goes on.
pub(super) struct Control<'a, N> {
    notifier: &'a mut N,
    console: Console,
    time: Time,
    /// What is decided and written down, and waits until it can be sent.
    steps: VecDeque<Step>,
    /// Devices that it was taken back from, which may not have arrived.
    taken_back: Vec<String>,
    /// Devices whose reports are looked at although they are no news.
    again: Vec<String>,
}

impl<'a, N: Notifier> Control<'a, N> {
    pub(super) fn new(notifier: &'a mut N, console: Console, time: Time) -> Self {
        // All that is known already is looked at, once.
        let _ = notifier.news();
        let again = notifier.fleet().devices.keys().cloned().collect();
        Self {
            again,
            notifier,
            console,
            time,
            steps: VecDeque::new(),
            taken_back: Vec::new(),
        }
    }

    /// Until the rollout is over and nothing is under way. What is decided is in the journal at the end, whatever that is.
    pub(super) async fn run(
        &mut self,
        rollout: &mut Rollout,
        journal: &mut Journal,
        stop: &mut Stop,
    ) -> Result<()> {
        let ended = self.turns(rollout, journal, stop).await;
        let left = rollout.left();
        // They are kept also where it ended by an error.
        let written = write(journal, left.iter());
        ended.and(written)
    }

    async fn turns(
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
                self.show(counts);
            }
            let is_said = self.is_said() && self.taken_back.is_empty();
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

    fn show(&self, (stage, counts): (usize, Counts)) {
        self.console.progress(format_args!(
            "stage {}: {} updated, {} failed, {} in flight, {} waiting",
            stage + 1,
            counts.updated,
            counts.failed,
            counts.underway,
            counts.waiting
        ));
    }

    /// Whether all that was decided was said, and has arrived.
    fn is_said(&self) -> bool {
        self.steps.is_empty() && self.notifier.is_said()
    }

    fn hear(&mut self, rollout: &mut Rollout) {
        let now = self.time.now();
        let (known, news) = (take(&mut self.again), self.notifier.news());
        let devices = &self.notifier.fleet().devices;
        for device in known {
            if let Some(report) = devices.get(&device).map(report) {
                rollout.recall(&device, &report, now);
            }
        }
        for device in news {
            if let Some(report) = devices.get(&device).map(report) {
                rollout.report(&device, &report, now);
            }
        }
    }

    /// Writes down what is decided, many decisions at a time, and does it; and what has been done, where that says more.
    fn decide(&mut self, rollout: &mut Rollout, journal: &mut Journal) -> Result<()> {
        loop {
            self.carry_out()?;
            if !self.steps.is_empty() {
                return Ok(());
            }
            if self.is_said() {
                let now = self.time.now();
                let taken_back = take(&mut self.taken_back).into_iter();
                taken_back.for_each(|device| rollout.withdrawn(&device, now));
            }
            let decided = together(|| rollout.next(self.time.now(), Time::of_day()));
            if decided.is_empty() {
                return Ok(());
            }
            write(
                journal,
                decided.iter().filter_map(|(entry, _)| entry.as_ref()),
            )?;
            for (entry, step) in decided {
                entry.iter().for_each(|entry| self.tell(entry));
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
                Step::Withdraw(device) => {
                    self.taken_back.push(device.clone());
                    self.notifier.withdraw(device)?;
                }
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
                rollout.abort(self.time.now());
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

/// Decisions that are written down together.
fn together(next: impl FnMut() -> Option<Decision>) -> Vec<Decision> {
    std::iter::from_fn(next).take(AT_ONCE).collect()
}

/// Puts entries into the journal, on the disk.
fn write<'e>(journal: &mut Journal, entries: impl Iterator<Item = &'e Entry>) -> Result<()> {
    for entry in entries {
        let line =
            serde_json::to_string(entry).map_err(|why| Error::new(Kind::Local, why.to_string()))?;
        journal.append(&format!("{line}\n"))?;
    }
    journal.sync()
}

fn report(report: &Value) -> Report {
    let why = word(report, "error");
    Report {
        state: word(report, "state").to_owned(),
        sequence: report["sequence"].as_u64().unwrap_or(0),
        image: wire::digest(word(report, "image")),
        error: (!why.is_empty()).then(|| why.to_owned()),
        mark: short(&sha256(report.to_string().as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reports_that_differ_in_their_time_alone_are_two() {
        let mark = |at: &str| report(&json!({"state": "failed", "sequence": 1, "at": at})).mark;
        assert_eq!(mark("1"), mark("1"));
        assert_ne!(mark("1"), mark("2"));
    }
}
