//! What a controller does while its rollout goes on: it hears devices, writes down what is decided, and does it.

use std::collections::BTreeSet;
use std::mem::take;
use std::time::{Duration, Instant};

use bytestring::ByteString;
use serde_json::Value;

use super::file::Asked;
use super::{Link, now};
use crate::command::ota::agent::{at_least_once, subscribe};
use crate::command::ota::status::word;
use crate::error::{Error, Kind, Result};
use crate::firmware::rollout::{Entry, Report, Rollout, Step};
use crate::firmware::wire::{self, Audience};
use crate::flow::journal::Journal;
use crate::mqtt::client::Connection as _;
use crate::mqtt::packet::{Properties, QoS, ReasonCode};
use crate::stop::Stop;

/// Decisions that are written to the disk together.
const AT_ONCE: usize = 100;

/// How long a device may say nothing before its last report is asked for.
const SILENCE: Duration = Duration::from_secs(5);

/// Devices that are asked for at the same time.
const MOST_ASKED: usize = 100;

/// Devices that say nothing. A server drops reports that a controller is too slow for (mosquitto after 1000), but retains the last
/// one of each device.
pub(super) struct Silence {
    /// Who has said something since the others were asked for.
    heard: BTreeSet<String>,
    looked_at: Instant,
    /// The subscriptions of those that were asked for.
    filters: Vec<ByteString>,
    /// The last one that was asked for.
    last: String,
}

impl Default for Silence {
    fn default() -> Self {
        Self {
            heard: BTreeSet::new(),
            looked_at: Instant::now(),
            filters: Vec::new(),
            last: String::new(),
        }
    }
}

/// With what is to be done then.
type Decision = (Entry, Option<Step>);

impl Silence {
    pub(super) fn hears(&mut self, device: &str) {
        self.heard.insert(device.to_owned());
    }

    /// Whether the server answers what was asked here.
    pub(super) fn has_asked(&self, answers: &[(ByteString, ReasonCode)]) -> bool {
        answers.iter().any(|(it, _)| self.filters.contains(it))
    }

    /// Who is to be asked for: some after the other, so that all have their turn.
    fn turn<'d>(&mut self, underway: impl Iterator<Item = &'d str>) -> Vec<&'d str> {
        let heard = take(&mut self.heard);
        let mut silent: Vec<_> = underway.filter(|it| !heard.contains(*it)).collect();
        let next = silent.partition_point(|it| *it <= &*self.last);
        silent.rotate_left(next);
        silent.truncate(MOST_ASKED);
        self.last = silent.last().copied().unwrap_or_default().to_owned();
        silent
    }
}

impl Link {
    /// Until the rollout is over and nothing is under way.
    pub(super) async fn control(
        &mut self,
        rollout: &mut Rollout,
        journal: &mut Journal,
        asked: &Asked,
        stop: &mut Stop,
    ) -> Result<()> {
        self.news = self.fleet.devices.keys().cloned().collect();
        let mut shown = None;
        loop {
            self.obey(rollout)?;
            for device in take(&mut self.news) {
                if let Some(report) = self.fleet.devices.get(&device).map(report) {
                    rollout.report(&device, &report, now());
                }
            }
            self.decide(rollout, journal, asked)?;
            self.ask_for_silent(rollout)?;
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
            let is_said = self.steps.is_empty() && self.client.unfinished() == 0;
            if rollout.ended().is_some() && rollout.counts().underway == 0 && is_said {
                return Ok(());
            }
            self.wait(stop).await?;
            if let Some(other) = self.other.clone() {
                let text = format!("another controller ({other}) has taken over this rollout");
                return Err(Error::new(Kind::Lost, text));
            }
        }
    }

    /// Writes down what is decided, many decisions at a time, and does it.
    fn decide(
        &mut self,
        rollout: &mut Rollout,
        journal: &mut Journal,
        asked: &Asked,
    ) -> Result<()> {
        loop {
            self.carry_out(asked)?;
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

    /// Does what is written down, as far as the connection takes it.
    fn carry_out(&mut self, asked: &Asked) -> Result<()> {
        while self.client.can_publish(QoS::AtLeastOnce)
            && let Some(step) = self.steps.pop_front()
        {
            match step {
                Step::Offer(device) => {
                    // It reports nothing new of what it does not try again.
                    let last = self.fleet.devices.get(&device);
                    if last.is_some_and(|last| word(last, "state") == "rolled-back") {
                        self.news.push(device.clone());
                    }
                    self.offer(device, &asked.manifest)?;
                }
                Step::Withdraw(device) => self.offer(device, &[])?,
            }
        }
        Ok(())
    }

    fn obey(&mut self, rollout: &mut Rollout) -> Result<()> {
        let answer: &[u8] = match self.order.take().as_deref() {
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
        self.publish(self.answers.clone(), answer, false)
    }

    fn offer(&mut self, device: String, manifest: &[u8]) -> Result<()> {
        let topic = self.topics.manifest(&Audience::Device(device));
        self.publish(topic, manifest, true)
    }

    /// Has the last report of devices sent again that are under way and have said nothing.
    fn ask_for_silent(&mut self, rollout: &Rollout) -> Result<()> {
        if self.silence.looked_at.elapsed() < SILENCE || !self.client.is_online() {
            return Ok(());
        }
        self.silence.looked_at = Instant::now();
        let before = take(&mut self.silence.filters);
        if !before.is_empty() {
            let session = self.client.session();
            let ended = session.unsubscribe(&before, &Properties::default());
            ended.map_err(|why| Error::usage(why.to_string()))?;
        }
        let silent = self.silence.turn(rollout.underway());
        if silent.is_empty() {
            return Ok(());
        }
        let topics = silent.into_iter().map(|device| self.topics.status(device));
        let filters: Vec<_> = topics.map(at_least_once).collect();
        self.silence.filters = filters.iter().map(|it| it.filter.clone()).collect();
        subscribe(&mut self.client, &filters)
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

    #[test]
    fn all_that_are_silent_have_their_turn() {
        let names: Vec<String> = (0..250).map(|at| format!("d{at:03}")).collect();
        let mut silence = Silence::default();
        let mut asked = BTreeSet::new();
        for turn in 0..3 {
            silence.hears("d007");
            let some = silence.turn(names.iter().map(String::as_str));
            assert_eq!(some.len(), MOST_ASKED, "{turn}");
            asked.extend(some);
        }
        assert_eq!(asked.len(), 249);
        assert!(!asked.contains("d007"));
        assert_eq!(silence.turn(names.iter().map(String::as_str)).len(), 100);
        assert!(silence.turn(std::iter::empty()).is_empty());
    }
}
