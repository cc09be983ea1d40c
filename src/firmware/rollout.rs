//! A rollout in stages, without I/O: what devices report and the time go in, steps come out. Every decision is an [`Entry`] of
//! a journal, written before its step, so that a controller that crashed goes on where it was.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Digest;

/// Seconds since 1970.
pub type Seconds = u64;

/// What a rollout is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Of the manifest.
    pub sequence: u64,
    /// The images that the manifest has for devices.
    pub images: Vec<Digest>,
    /// One after the other; at least one.
    pub stages: Vec<Stage>,
    /// A device that takes longer has failed.
    pub timeout: Seconds,
    /// How often a device that failed is offered the update again.
    pub retries: u32,
    /// At most so many devices in so many seconds.
    pub rate: Option<(u32, Seconds)>,
    /// The rate is twice as high after each of so many that are updated; 0: it stays what it is.
    pub double_after: usize,
    /// Seconds of the day, UTC, between which devices are offered it; the end may be on the next day.
    pub window: Option<(Seconds, Seconds)>,
}

/// A part of the devices, and what must be so before the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// How many devices have been offered the update by its end.
    pub size: Share,
    /// Of those offered in all stages so far, how many percent must be updated.
    pub success: u8,
    /// More failures in all stages so far stop the rollout.
    pub failures: Share,
    /// To wait after it.
    pub soak: Seconds,
}

/// A number of devices, or a part of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// So many.
    Devices(usize),
    /// So many of a hundred, rounded up.
    Percent(u8),
}

impl Share {
    /// Of `all`.
    pub fn of(self, all: usize) -> usize {
        match self {
            Self::Devices(count) => count.min(all),
            Self::Percent(percent) => (all * usize::from(percent)).div_ceil(100).min(all),
        }
    }
}

/// A decision, as it stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The first: of which manifest, and for which devices, in their order.
    Begun {
        /// Of the manifest.
        sequence: u64,
        /// Names.
        devices: Vec<String>,
    },
    /// The manifest is put where the device sees it.
    Offered {
        /// Its name.
        device: String,
        /// When.
        at: Seconds,
    },
    /// The device has confirmed it.
    Updated {
        /// Its name.
        device: String,
        /// When.
        at: Seconds,
    },
    /// The device will not be offered it again.
    Failed {
        /// Its name.
        device: String,
        /// When.
        at: Seconds,
        /// Why.
        why: String,
    },
    /// The manifest was taken back before the device had begun: as if it had not been offered.
    Withdrawn {
        /// Its name.
        device: String,
        /// When.
        at: Seconds,
    },
    /// A stage has come to its end, and its devices have done well enough.
    Passed {
        /// From 0.
        stage: usize,
        /// When.
        at: Seconds,
    },
    /// It will not go on.
    Stopped {
        /// When.
        at: Seconds,
        /// Why.
        why: String,
    },
    /// All stages are passed.
    Completed {
        /// When.
        at: Seconds,
    },
}

/// What the driver has to do, once its entry is in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Put the manifest where this device sees it.
    Offer(String),
    /// Take it away again, from a device that has not begun.
    Withdraw(String),
}

/// What a device has reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// As in `ota/status/ID`.
    pub state: String,
    /// Of what it runs, or what it installs.
    pub sequence: u64,
    /// The image of that, where the device says it.
    pub image: Option<Digest>,
    /// Why.
    pub error: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Fate {
    #[default]
    Waiting,
    Offered {
        at: Seconds,
        /// It has said something about this update.
        begun: bool,
    },
    Updated,
    Failed(String),
}

/// How many devices are how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Not offered yet.
    pub waiting: usize,
    /// Offered, and not at an end.
    pub underway: usize,
    /// Confirmed.
    pub updated: usize,
    /// Not.
    pub failed: usize,
}

/// A rollout that goes on.
#[derive(Debug)]
pub struct Rollout {
    plan: Plan,
    order: Vec<String>,
    fates: BTreeMap<String, Fate>,
    tries: BTreeMap<String, u32>,
    /// Devices that are under way, so that looking at them costs nothing for the others.
    underway: BTreeSet<String>,
    /// Of the order, how many were offered.
    offered: usize,
    counts: Counts,
    stage: usize,
    passed_at: Option<Seconds>,
    /// When the last devices were offered it, for the rate.
    recent: Vec<Seconds>,
    paused: bool,
    over: Option<Option<String>>,
    news: Vec<(Entry, Option<Step>)>,
}

impl Rollout {
    /// A rollout of these devices, none of which was offered anything. The entry that begins the journal comes first.
    pub fn new(plan: Plan, devices: Vec<String>) -> Self {
        let begun = Entry::Begun {
            sequence: plan.sequence,
            devices: devices.clone(),
        };
        let mut rollout = Self::of(plan, devices);
        rollout.news.push((begun, None));
        rollout
    }

    fn of(plan: Plan, order: Vec<String>) -> Self {
        let fates: BTreeMap<_, _> = order.iter().map(|id| (id.clone(), Fate::Waiting)).collect();
        Self {
            counts: Counts {
                waiting: fates.len(),
                ..Counts::default()
            },
            plan,
            order,
            fates,
            tries: BTreeMap::new(),
            underway: BTreeSet::new(),
            offered: 0,
            stage: 0,
            passed_at: None,
            recent: Vec::new(),
            paused: false,
            over: None,
            news: Vec::new(),
        }
    }

    /// The rollout that has written this journal; `None` where that is of another manifest or has no beginning.
    pub fn resumed(plan: Plan, journal: &[Entry]) -> Option<Self> {
        let (first, rest) = journal.split_first()?;
        let Entry::Begun { sequence, devices } = first else {
            return None;
        };
        let is_same = *sequence == plan.sequence;
        let mut rollout = is_same.then(|| Self::of(plan, devices.clone()))?;
        rest.iter().for_each(|entry| rollout.apply(entry));
        // The rate counts what was offered before, too; an offer that was repeated is there more than once.
        let offers = rest.iter().filter_map(|entry| match entry {
            Entry::Offered { device, at } => Some((*at, device)),
            _ => None,
        });
        let offers: BTreeSet<_> = offers.collect();
        rollout.recent.extend(offers.into_iter().map(|(at, _)| at));
        // Whether the step behind the last entries was taken nobody knows; all of them may be taken twice.
        let again = rollout.underway.iter().cloned().collect::<Vec<_>>();
        for device in again {
            if let Some(Fate::Offered { at, .. }) = rollout.fates.get(&device) {
                let entry = Entry::Offered {
                    device: device.clone(),
                    at: *at,
                };
                rollout.news.push((entry, Some(Step::Offer(device))));
            }
        }
        Some(rollout)
    }

    fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Begun { .. } => {}
            Entry::Offered { device, at } => self.moved(
                device,
                Fate::Offered {
                    at: *at,
                    begun: false,
                },
            ),
            Entry::Updated { device, .. } => self.moved(device, Fate::Updated),
            Entry::Failed { device, why, .. } => self.moved(device, Fate::Failed(why.clone())),
            Entry::Withdrawn { device, .. } => self.moved(device, Fate::Waiting),
            Entry::Passed { stage, at } => {
                self.stage = stage + 1;
                self.passed_at = Some(*at);
            }
            Entry::Stopped { why, .. } => self.over = Some(Some(why.clone())),
            Entry::Completed { .. } => self.over = Some(None),
        }
    }

    fn moved(&mut self, device: &str, fate: Fate) {
        let Some(before) = self.fates.get_mut(device) else {
            return;
        };
        match before {
            Fate::Waiting => self.counts.waiting -= 1,
            Fate::Offered { .. } => self.counts.underway -= 1,
            Fate::Updated => self.counts.updated -= 1,
            Fate::Failed(_) => self.counts.failed -= 1,
        }
        match &fate {
            Fate::Waiting => self.counts.waiting += 1,
            Fate::Offered { .. } => self.counts.underway += 1,
            Fate::Updated => self.counts.updated += 1,
            Fate::Failed(_) => self.counts.failed += 1,
        }
        if let Fate::Offered { .. } = &fate {
            *self.tries.entry(device.to_owned()).or_insert(0) += 1;
            self.underway.insert(device.to_owned());
            while self.order.get(self.offered).is_some_and(|next| {
                next == device || !matches!(self.fates_of(next), Some(Fate::Waiting))
            }) {
                self.offered += 1;
            }
        } else {
            self.underway.remove(device);
        }
        self.fates.insert(device.to_owned(), fate);
    }

    fn fates_of(&self, device: &str) -> Option<&Fate> {
        self.fates.get(device)
    }

    /// Nothing more is offered until it is resumed; what is under way goes on.
    pub fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// It will not go on: devices that have not begun lose the manifest.
    pub fn abort(&mut self, now: Seconds) {
        self.stop("aborted", now);
    }

    fn stop(&mut self, why: &str, now: Seconds) {
        if self.over.is_some() {
            return;
        }
        self.over = Some(Some(why.to_owned()));
        let why = why.to_owned();
        self.news.push((Entry::Stopped { at: now, why }, None));
        for device in self.underway.clone() {
            let unbegun = matches!(
                self.fates_of(&device),
                Some(Fate::Offered { begun: false, .. })
            );
            if unbegun {
                let entry = Entry::Withdrawn {
                    device: device.clone(),
                    at: now,
                };
                self.decided(entry, Some(Step::Withdraw(device)));
            }
        }
    }

    fn decided(&mut self, entry: Entry, step: Option<Step>) {
        self.apply(&entry);
        self.news.push((entry, step));
    }

    /// A device has reported.
    pub fn report(&mut self, device: &str, report: &Report, now: Seconds) {
        // Two manifests may have one number by mistake: only what the device runs tells them apart.
        let is_other = |image: &Digest| !self.plan.images.contains(image);
        if report.sequence != self.plan.sequence || report.image.as_ref().is_some_and(is_other) {
            return;
        }
        match (self.fates.get_mut(device), report.state.as_str()) {
            (Some(Fate::Offered { .. } | Fate::Waiting), "updated") => {
                let device = device.to_owned();
                self.decided(Entry::Updated { device, at: now }, None);
            }
            (Some(Fate::Offered { begun, .. }), "failed" | "refused" | "rolled-back") => {
                // What it said of an earlier offer, or of this one before it was taken up again.
                let is_final = report.state == "rolled-back";
                *begun = true;
                let why = report.error.clone().unwrap_or_else(|| report.state.clone());
                self.failed(device, format!("{}: {why}", report.state), is_final, now);
            }
            (Some(Fate::Offered { begun, .. }), _) => *begun = true,
            _ => {}
        }
    }

    /// A device has failed, or is offered it again where that may help: what went back does not take it a second time.
    fn failed(&mut self, device: &str, why: String, is_final: bool, now: Seconds) {
        let tries = self.tries.get(device).copied().unwrap_or(0);
        let device = device.to_owned();
        if is_final || tries > self.plan.retries || self.over.is_some() {
            let step = Step::Withdraw(device.clone());
            let at = now;
            self.decided(Entry::Failed { device, at, why }, Some(step));
        } else {
            let step = Step::Offer(device.clone());
            self.decided(Entry::Offered { device, at: now }, Some(step));
        }
    }

    /// The next decision: written down, then its step taken.
    pub fn next(&mut self, now: Seconds) -> Option<(Entry, Option<Step>)> {
        if self.news.is_empty() {
            self.time_out(now);
            self.go_on(now);
        }
        match self.news.is_empty() {
            true => None,
            false => Some(self.news.remove(0)),
        }
    }

    fn time_out(&mut self, now: Seconds) {
        let timeout = self.plan.timeout;
        let late: Vec<String> = self
            .underway
            .iter()
            .filter(|id| matches!(self.fates_of(id), Some(Fate::Offered { at, .. }) if at.saturating_add(timeout) <= now))
            .cloned()
            .collect();
        for device in late {
            let why = format!("timed out after {timeout} s");
            self.failed(&device, why, false, now);
        }
    }

    fn go_on(&mut self, now: Seconds) {
        if self.over.is_some() {
            return;
        }
        let all = self.order.len();
        let Some(stage) = self.plan.stages.get(self.stage).cloned() else {
            let soaked = self
                .passed_at
                .is_none_or(|at| at.saturating_add(self.soak()) <= now);
            if soaked {
                self.decided(Entry::Completed { at: now }, None);
            }
            return;
        };
        let bound = stage.failures.of(all);
        let failed = self.counts.failed;
        if failed > bound {
            let stage = self.stage + 1;
            let why = format!("{failed} failed in stage {stage}, {bound} may");
            return self.stop(&why, now);
        }
        let size = stage.size.of(all);
        let begun = all - self.counts.waiting;
        if begun >= size {
            return self.judge(&stage, now);
        }
        let soaked = self
            .passed_at
            .is_none_or(|at| at.saturating_add(self.soak()) <= now);
        if soaked && !self.paused && self.in_window(now) && self.has_rate(now) {
            self.offer_next(now);
        }
    }

    /// Of the stage that was passed last.
    fn soak(&self) -> Seconds {
        let before = self
            .stage
            .checked_sub(1)
            .and_then(|at| self.plan.stages.get(at));
        before.map_or(0, |stage| stage.soak)
    }

    /// All devices of a stage were offered it.
    fn judge(&mut self, stage: &Stage, now: Seconds) {
        let begun = self.order.len() - self.counts.waiting;
        let updated = self.counts.updated;
        if self.counts.underway > 0 {
            return;
        }
        if updated * 100 < begun * usize::from(stage.success) {
            let number = self.stage + 1;
            let why = format!(
                "{updated} of {begun} updated in stage {number}, {} % must",
                stage.success
            );
            return self.stop(&why, now);
        }
        let stage = self.stage;
        self.decided(Entry::Passed { stage, at: now }, None);
    }

    fn in_window(&self, now: Seconds) -> bool {
        let Some((from, to)) = self.plan.window else {
            return true;
        };
        let time = now % 86_400;
        match from <= to {
            true => (from..to).contains(&time),
            false => time >= from || time < to,
        }
    }

    fn has_rate(&mut self, now: Seconds) -> bool {
        let Some((count, per)) = self.plan.rate else {
            return true;
        };
        let times = self.counts.updated.checked_div(self.plan.double_after);
        let count = (count as usize).saturating_mul(1 << times.unwrap_or(0).min(32));
        self.recent.retain(|at| at.saturating_add(per) > now);
        self.recent.len() < count
    }

    fn offer_next(&mut self, now: Seconds) {
        let waiting = |id: &&String| matches!(self.fates_of(id), Some(Fate::Waiting));
        let Some(device) = self.order[self.offered..].iter().find(waiting).cloned() else {
            return;
        };
        if self.plan.rate.is_some() {
            self.recent.push(now);
        }
        let step = Step::Offer(device.clone());
        self.decided(Entry::Offered { device, at: now }, Some(step));
    }

    /// Devices that were offered it and are not at an end, in the order of their names.
    pub fn underway(&self) -> impl Iterator<Item = &str> {
        self.underway.iter().map(String::as_str)
    }

    /// How many devices are how far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The stage that goes on, from 0.
    pub fn stage(&self) -> usize {
        self.stage.min(self.plan.stages.len() - 1)
    }

    /// The devices that failed, and why.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fates.iter().filter_map(|(id, fate)| match fate {
            Fate::Failed(why) => Some((id.as_str(), why.as_str())),
            _ => None,
        })
    }

    /// Whether it is at its end, with the reason where it was stopped. What is under way may still report.
    pub fn ended(&self) -> Option<Option<&str>> {
        let over = self.over.as_ref().filter(|_| self.news.is_empty())?;
        Some(over.as_deref())
    }
}

/// The part of the devices that is below `percent`, the same ones each time, whatever other devices there are.
pub fn is_within(device: &str, percent: u8) -> bool {
    let digest = super::sha256(device.as_bytes());
    let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    u64::from(number) * 100 < u64::from(percent) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let stage = |size, soak| Stage {
            size,
            success: 100,
            failures: Share::Devices(0),
            soak,
        };
        Plan {
            sequence: 7,
            images: Vec::new(),
            stages: vec![
                stage(Share::Devices(2), 60),
                Stage {
                    success: 90,
                    failures: Share::Percent(3),
                    ..stage(Share::Percent(100), 0)
                },
            ],
            timeout: 100,
            retries: 1,
            rate: None,
            double_after: 0,
            window: None,
        }
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|at| format!("d{at:04}")).collect()
    }

    fn said(state: &str) -> Report {
        Report {
            state: state.to_owned(),
            sequence: 7,
            image: None,
            error: None,
        }
    }

    /// Steps until there is none; what was offered, and the journal.
    fn drain(rollout: &mut Rollout, now: Seconds, journal: &mut Vec<Entry>) -> Vec<Step> {
        let mut steps = Vec::new();
        while let Some((entry, step)) = rollout.next(now) {
            journal.push(entry);
            steps.extend(step);
        }
        steps
    }

    #[test]
    fn another_image_with_the_same_number_is_not_the_update() {
        let plan = Plan {
            images: vec![[7; 32]],
            ..plan()
        };
        let mut rollout = Rollout::new(plan, names(10));
        drain(&mut rollout, 0, &mut Vec::new());
        let updated = |image| Report {
            image,
            ..said("updated")
        };
        rollout.report("d0000", &updated(Some([8; 32])), 1);
        assert_eq!(rollout.counts().updated, 0);
        rollout.report("d0000", &updated(Some([7; 32])), 1);
        rollout.report("d0001", &updated(None), 1);
        assert_eq!(rollout.counts().updated, 2);
    }

    #[test]
    fn a_stage_must_do_well_and_soak_before_the_next() {
        let (mut rollout, mut journal) = (Rollout::new(plan(), names(100)), Vec::new());
        let steps = drain(&mut rollout, 0, &mut journal);
        assert_eq!(steps.len(), 2);
        rollout.report("d0000", &said("downloading"), 1);
        rollout.report("d0000", &said("updated"), 2);
        assert_eq!(drain(&mut rollout, 2, &mut journal), []);
        rollout.report("d0001", &said("updated"), 10);
        assert_eq!(drain(&mut rollout, 10, &mut journal), []);
        assert_eq!(drain(&mut rollout, 69, &mut journal), []);
        assert_eq!(drain(&mut rollout, 70, &mut journal).len(), 98);
        // Three may fail, and four stop it.
        for at in 2..100 {
            let state = if at < 5 { "rolled-back" } else { "updated" };
            rollout.report(&format!("d{at:04}"), &said(state), 80);
        }
        drain(&mut rollout, 80, &mut journal);
        assert_eq!(rollout.ended(), Some(None));
        let counts = rollout.counts();
        assert_eq!((counts.updated, counts.failed), (97, 3));
    }

    #[test]
    fn too_many_failures_stop_it_and_take_back_what_has_not_begun() {
        let (mut rollout, mut journal) = (Rollout::new(plan(), names(100)), Vec::new());
        drain(&mut rollout, 0, &mut journal);
        rollout.report("d0000", &said("rolled-back"), 5);
        let steps = drain(&mut rollout, 5, &mut journal);
        let withdrawn = ["d0000", "d0001"].map(|id| Step::Withdraw(id.to_owned()));
        assert_eq!(steps, withdrawn);
        assert_eq!(rollout.ended(), Some(Some("1 failed in stage 1, 0 may")));
        assert_eq!((rollout.counts().waiting, rollout.counts().failed), (99, 1));
    }

    #[test]
    fn a_silent_device_is_tried_again_and_then_has_failed() {
        let (mut rollout, mut journal) = (Rollout::new(plan(), names(1)), Vec::new());
        drain(&mut rollout, 0, &mut journal);
        let again = drain(&mut rollout, 100, &mut journal);
        assert_eq!(again, [Step::Offer(String::from("d0000"))]);
        drain(&mut rollout, 200, &mut journal);
        let failures: Vec<_> = rollout.failures().collect();
        assert_eq!(failures, [("d0000", "timed out after 100 s")]);
    }

    #[test]
    fn rate_window_and_pause_hold_it() {
        let mut plan = plan();
        plan.stages.remove(0);
        plan.rate = Some((10, 60));
        plan.window = Some((23 * 3600, 3600));
        let (mut rollout, mut journal) = (Rollout::new(plan, names(100)), Vec::new());
        assert_eq!(drain(&mut rollout, 12 * 3600, &mut journal), []);
        let night = 23 * 3600;
        assert_eq!(drain(&mut rollout, night, &mut journal).len(), 10);
        assert_eq!(drain(&mut rollout, night + 59, &mut journal), []);
        for _ in 0..2 {
            // The ten are offered it again, and nobody else.
            let mut resumed = Rollout::resumed(rollout.plan.clone(), &journal).expect("the same");
            assert_eq!(drain(&mut resumed, night + 59, &mut journal).len(), 10);
        }
        rollout.pause(true);
        assert_eq!(drain(&mut rollout, night + 60, &mut journal), []);
        rollout.pause(false);
        assert_eq!(drain(&mut rollout, night + 60, &mut journal).len(), 10);
        rollout.abort(night + 61);
        assert_eq!(drain(&mut rollout, night + 61, &mut journal).len(), 20);
        assert_eq!(rollout.ended(), Some(Some("aborted")));
        assert_eq!((rollout.counts().failed, rollout.counts().underway), (0, 0));
        let again = Rollout::resumed(rollout.plan.clone(), &journal).expect("the same");
        assert_eq!(again.counts(), rollout.counts());
    }

    #[test]
    fn a_rate_doubles_with_what_is_updated() {
        let mut plan = plan();
        plan.stages.remove(0);
        (plan.rate, plan.double_after) = (Some((10, 60)), 10);
        let (mut rollout, mut journal) = (Rollout::new(plan, names(500)), Vec::new());
        let mut now = 0;
        for wanted in [10, 20, 80] {
            let steps = drain(&mut rollout, now, &mut journal);
            assert_eq!(steps.len(), wanted);
            for step in &steps {
                let Step::Offer(device) = step else {
                    panic!("{step:?}");
                };
                rollout.report(device, &said("updated"), now);
            }
            now += 60;
        }
    }

    #[test]
    fn a_journal_that_ends_anywhere_is_gone_on_with() {
        let run = |cut: usize| {
            let (mut rollout, mut journal) = (Rollout::new(plan(), names(20)), Vec::new());
            let mut updated = BTreeSet::new();
            let mut crashed = false;
            for now in 0..1000 {
                while let Some((entry, step)) = rollout.next(now) {
                    journal.push(entry);
                    if journal.len() == cut && !std::mem::replace(&mut crashed, true) {
                        // Before the step.
                        rollout = Rollout::resumed(plan(), &journal).expect("the same");
                        continue;
                    }
                    if let Some(Step::Offer(device)) = step {
                        updated.insert(device);
                    }
                }
                for device in &updated {
                    rollout.report(device, &said("updated"), now);
                }
            }
            (
                rollout.ended().map(|why| why.map(str::to_owned)),
                rollout.counts(),
                journal.len(),
            )
        };
        let (whole, counts, length) = run(usize::MAX);
        assert_eq!((whole, counts.updated), (Some(None), 20));
        for cut in 1..length {
            let (ended, counts, _) = run(cut);
            assert_eq!((ended, counts.updated), (Some(None), 20), "cut {cut}");
        }
    }

    #[test]
    fn a_part_is_the_same_devices_each_time() {
        let count = |percent| {
            names(1000)
                .iter()
                .filter(|id| is_within(id, percent))
                .count()
        };
        assert_eq!((count(0), count(100)), (0, 1000));
        assert!((60..140).contains(&count(10)), "{}", count(10));
        assert!(
            names(1000)
                .iter()
                .filter(|id| is_within(id, 10))
                .all(|id| is_within(id, 11))
        );
    }
}
