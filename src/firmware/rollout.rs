//! A rollout in stages, without I/O: what devices report and the time go in, steps come out. Every decision is an [`Entry`] of
//! a journal, written before its step, so that a controller that crashed goes on where it was. That something was taken back is
//! written once it has arrived: until then a controller that goes on takes it back again.

#[cfg(test)]
mod tests;
mod types;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem::{replace, take};

use super::Digest;
pub use types::{Counts, Decision, Entry, Plan, Report, Share, Stage, Step};

/// Seconds since 1970.
pub type Seconds = u64;

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

/// A rollout that goes on.
#[derive(Debug)]
pub struct Rollout {
    plan: Plan,
    order: Vec<String>,
    fates: BTreeMap<String, Fate>,
    tries: BTreeMap<String, u32>,
    /// Devices that are under way, so that looking at them costs nothing for the others.
    underway: BTreeSet<String>,
    /// Those of them that have failed and wait to be offered it again, and why.
    again: BTreeMap<String, String>,
    /// Those that it is being taken back from.
    taking_back: BTreeSet<String>,
    /// The last failure that a device has reported.
    marks: BTreeMap<String, String>,
    /// Of the order, how many were offered.
    offered: usize,
    counts: Counts,
    stage: usize,
    passed_at: Option<Seconds>,
    /// When the last devices were offered it, for the rate.
    recent: Vec<Seconds>,
    paused: bool,
    over: Option<Option<String>>,
    /// It is taken back from those that had not begun when it was over.
    is_wound_up: bool,
    /// Whether the steps behind the last entries of the journal were taken nobody knows.
    is_resumed: bool,
    news: VecDeque<Decision>,
}

impl Rollout {
    /// A rollout of these devices, none of which was offered anything. The entry that begins the journal comes first.
    pub fn new(plan: Plan, devices: Vec<String>) -> Self {
        let begun = Entry::Begun {
            sequence: plan.sequence,
            devices: devices.clone(),
        };
        let mut rollout = Self::of(plan, devices);
        rollout.news.push_back((Some(begun), None));
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
            again: BTreeMap::new(),
            taking_back: BTreeSet::new(),
            marks: BTreeMap::new(),
            offered: 0,
            stage: 0,
            passed_at: None,
            recent: Vec::new(),
            paused: false,
            over: None,
            is_wound_up: false,
            is_resumed: false,
            news: VecDeque::new(),
        }
    }

    /// The rollout that has written this journal; `None` where that is of another manifest or has no beginning. Before the first
    /// [`Self::next`] it is told what is known of the devices ([`Self::recall`]), of which some have begun or ended meanwhile.
    pub fn resumed(plan: Plan, journal: &[Entry]) -> Option<Self> {
        let (first, rest) = journal.split_first()?;
        let Entry::Begun { sequence, devices } = first else {
            return None;
        };
        let is_same = *sequence == plan.sequence;
        let mut rollout = is_same.then(|| Self::of(plan, devices.clone()))?;
        rest.iter().for_each(|entry| rollout.apply(entry));
        // The rate counts what was offered before, too; journals of earlier versions have an offer that was repeated more than once.
        let offers = rest.iter().filter_map(|entry| match entry {
            Entry::Offered { device, at, .. } => Some((*at, device)),
            _ => None,
        });
        let offers: BTreeSet<_> = offers.collect();
        rollout.recent.extend(offers.into_iter().map(|(at, _)| at));
        let left = rollout.taking_back.iter().cloned();
        let left = left.map(|device| (None, Some(Step::Withdraw(device))));
        rollout.news.extend(left);
        rollout.is_resumed = true;
        Some(rollout)
    }

    fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Begun { .. } => {}
            Entry::Offered { device, at, after } => {
                if let Some(mark) = after {
                    self.marks.insert(device.clone(), mark.clone());
                }
                let fate = Fate::Offered {
                    at: *at,
                    begun: false,
                };
                self.moved(device, fate);
            }
            Entry::Updated { device, .. } => self.moved(device, Fate::Updated),
            Entry::Failed { device, why, .. } => self.moved(device, Fate::Failed(why.clone())),
            Entry::Withdrawn { device, .. } => {
                self.taking_back.remove(device);
                if matches!(self.fates.get(device), Some(Fate::Offered { .. })) {
                    self.moved(device, Fate::Waiting);
                }
            }
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
        self.again.remove(device);
        match fate {
            Fate::Failed(_) => self.taking_back.insert(device.to_owned()),
            _ => self.taking_back.remove(device),
        };
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
        if self.over.is_none() {
            let why = why.to_owned();
            self.decided(Entry::Stopped { at: now, why }, None);
        }
    }

    /// It is over: nobody is offered it any more, and it is taken back from those that have not begun. After a crash that is done
    /// again where it is not known to be done.
    fn wind_up(&mut self, now: Seconds) {
        if self.over.is_none() || replace(&mut self.is_wound_up, true) {
            return;
        }
        for (device, why) in take(&mut self.again) {
            self.failed(&device, why, true, now);
        }
        for device in self.underway.clone() {
            if !self.has_begun(&device) {
                self.taking_back.insert(device.clone());
                self.news.push_back((None, Some(Step::Withdraw(device))));
            }
        }
    }

    /// What [`Step::Withdraw`] has said of this device has arrived. One that has begun before it did goes on.
    pub fn withdrawn(&mut self, device: &str, now: Seconds) {
        let is_taken = self.taking_back.remove(device);
        if is_taken && !self.has_begun(device) {
            let device = device.to_owned();
            self.decided(Entry::Withdrawn { device, at: now }, None);
        }
    }

    fn has_begun(&self, device: &str) -> bool {
        matches!(
            self.fates_of(device),
            Some(Fate::Offered { begun: true, .. })
        )
    }

    fn decided(&mut self, entry: Entry, step: Option<Step>) {
        self.apply(&entry);
        self.news.push_back((Some(entry), step));
    }

    /// A device has reported.
    pub fn report(&mut self, device: &str, report: &Report, now: Seconds) {
        self.heard(device, report, false, now);
    }

    /// A device has reported this at some time: it may be of an earlier offer, which has failed.
    pub fn recall(&mut self, device: &str, report: &Report, now: Seconds) {
        self.heard(device, report, true, now);
    }

    fn heard(&mut self, device: &str, report: &Report, is_old: bool, now: Seconds) {
        // Two manifests may have one number by mistake: only what the device runs tells them apart.
        let is_other = |image: &Digest| !self.plan.images.contains(image);
        if report.sequence != self.plan.sequence || report.image.as_ref().is_some_and(is_other) {
            return;
        }
        let is_final = report.state == "rolled-back";
        let is_failure = is_final || matches!(report.state.as_str(), "failed" | "refused");
        if is_failure && self.fates.contains_key(device) {
            let mark = report.mark.clone();
            let before = self.marks.insert(device.to_owned(), mark);
            if is_old && !is_final && before.as_ref() == Some(&report.mark) {
                return;
            }
        }
        match (self.fates.get_mut(device), report.state.as_str()) {
            (Some(Fate::Offered { .. } | Fate::Waiting), "updated") => {
                let device = device.to_owned();
                self.decided(Entry::Updated { device, at: now }, None);
            }
            (Some(Fate::Offered { begun, .. }), _) => {
                *begun = true;
                if is_failure {
                    let why = report.error.clone().unwrap_or_else(|| report.state.clone());
                    self.failed(device, format!("{}: {why}", report.state), is_final, now);
                }
            }
            _ => {}
        }
    }

    /// A device has failed, or is to be offered it again where that may help: what went back does not take it a second time.
    fn failed(&mut self, device: &str, why: String, is_final: bool, now: Seconds) {
        let tries = self.tries.get(device).copied().unwrap_or(0);
        let device = device.to_owned();
        if is_final || tries > self.plan.retries || self.over.is_some() {
            let step = Step::Withdraw(device.clone());
            let at = now;
            self.decided(Entry::Failed { device, at, why }, Some(step));
        } else {
            self.again.insert(device, why);
        }
    }

    /// The next decision: written down, then its step taken. `now` never steps back or ahead within a run; `wall` is the time of
    /// day, for windows.
    pub fn next(&mut self, now: Seconds, wall: Seconds) -> Option<Decision> {
        if self.news.is_empty() {
            self.wind_up(now);
            self.time_out(now);
            self.repeat();
            self.go_on(now, wall);
        }
        self.news.pop_front()
    }

    /// What was decided and not asked for yet, for the journal alone: who goes on with that takes the steps.
    pub fn left(&mut self) -> Vec<Entry> {
        let left = take(&mut self.news).into_iter();
        left.filter_map(|(entry, _)| entry).collect()
    }

    fn time_out(&mut self, now: Seconds) {
        let timeout = self.plan.timeout;
        let is_late = |id: &&String| {
            let waits = self.again.contains_key(*id) || self.taking_back.contains(*id);
            let fate = self.fates_of(id);
            !waits
                && matches!(fate, Some(Fate::Offered { at, .. }) if at.saturating_add(timeout) <= now)
        };
        let late: Vec<String> = self.underway.iter().filter(is_late).cloned().collect();
        for device in late {
            let why = format!("timed out after {timeout} s");
            self.failed(&device, why, false, now);
        }
    }

    /// Devices that were under way are offered it again, once: that is the same offer. Of one that is over nobody is.
    fn repeat(&mut self) {
        if !take(&mut self.is_resumed) || self.over.is_some() {
            return;
        }
        let waits = |id: &&String| self.again.contains_key(*id);
        let offers = self.underway.iter().filter(|id| !waits(id)).cloned();
        let offers = offers.map(|device| (None, Some(Step::Offer(device))));
        self.news.extend(offers);
    }

    fn go_on(&mut self, now: Seconds, wall: Seconds) {
        if self.over.is_some() {
            return;
        }
        let all = self.order.len();
        let Some(stage) = self.plan.stages.get(self.stage).cloned() else {
            if self.is_soaked(now) {
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
        // Who is offered it again waits for the same as who is offered it first.
        if let Some(device) = self.again.keys().next().cloned() {
            if self.may_offer(now, wall) {
                self.offer(device, now);
            }
            return;
        }
        let size = stage.size.of(all);
        let begun = all - self.counts.waiting;
        if begun >= size {
            return self.judge(&stage, now);
        }
        if self.is_soaked(now) && self.may_offer(now, wall) {
            self.offer_next(now);
        }
    }

    /// Whether the time after the stage that was passed last is over.
    fn is_soaked(&self, now: Seconds) -> bool {
        let before = self.stage.checked_sub(1);
        let before = before.and_then(|at| self.plan.stages.get(at));
        let soak = before.map_or(0, |stage| stage.soak);
        self.passed_at
            .is_none_or(|at| at.saturating_add(soak) <= now)
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

    /// Whether a device may be offered it now, for the first time or again.
    fn may_offer(&mut self, now: Seconds, wall: Seconds) -> bool {
        !self.paused && self.in_window(wall) && self.has_rate(now)
    }

    fn in_window(&self, wall: Seconds) -> bool {
        let Some((from, to)) = self.plan.window else {
            return true;
        };
        let time = wall % 86_400;
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
        let next = self.order[self.offered..].iter().find(waiting);
        if let Some(device) = next.cloned() {
            self.offer(device, now);
        }
    }

    fn offer(&mut self, device: String, now: Seconds) {
        if self.plan.rate.is_some() {
            self.recent.push(now);
        }
        let step = Step::Offer(device.clone());
        let after = self.marks.get(&device).cloned();
        let at = now;
        self.decided(Entry::Offered { device, at, after }, Some(step));
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
