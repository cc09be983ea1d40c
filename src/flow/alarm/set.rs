//! The alarms of a rule by their keys: timers, silences, limits, and what is kept.

mod change;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::Millis;
use super::notice::{Mark, Notice};
use super::rule::{Case, Rule, Test, Verdict, duration};
use super::state::{Alarm, Phase, Reading, Saved, State};

/// How many keys a summary names.
const NAMED: usize = 100;

/// Nothing is told of these keys for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// One key; `None`: all.
    pub silence: Option<String>,
    /// When it ends.
    pub until: Millis,
}

/// What readings came to that changed nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Not newer than one that had come before.
    pub late: u64,
    /// No number where one is needed.
    pub no_number: u64,
    /// Keys that were forgotten for others.
    pub forgotten: u64,
    /// Readings of keys that there is no room for.
    pub no_room: u64,
}

/// The alarms of one rule.
#[derive(Debug)]
pub struct Alarms {
    rule: Rule,
    limit: Json,
    keys: HashMap<Rc<str>, u32>,
    /// With their keys; `None`: forgotten.
    alarms: Vec<Option<(Rc<str>, Alarm)>>,
    free: Vec<u32>,
    /// When to look at which alarm; entries that were overtaken stay until they are due.
    timers: BinaryHeap<Reverse<(Millis, u32)>>,
    silences: Vec<Silence>,
    /// The alarms that are to be kept anew.
    dirty: Vec<u32>,
    counts: Counts,
    window: Window,
}

/// How many notices there were lately.
#[derive(Debug, Default)]
struct Window {
    from: Millis,
    sent: u32,
    /// What was left out.
    left_out: u64,
    named: Vec<Json>,
}

/// Where it is said whether nothing is to be told of a key because of another alarm.
pub type Muted<'a> = &'a dyn Fn(&str) -> bool;

impl Alarms {
    /// None yet.
    pub fn new(rule: Rule) -> Self {
        Self {
            limit: rule.test.limit(rule.stale),
            rule,
            keys: HashMap::new(),
            alarms: Vec::new(),
            free: Vec::new(),
            timers: BinaryHeap::new(),
            silences: Vec::new(),
            dirty: Vec::new(),
            counts: Counts::default(),
            window: Window::default(),
        }
    }

    /// What it watches over.
    pub const fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The limit as messages have it.
    pub const fn limit(&self) -> &Json {
        &self.limit
    }

    /// What readings came to that changed nothing.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// How many keys are known.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether the alarm of a key fires.
    pub fn is_firing(&self, key: &str) -> bool {
        let alarm = self.keys.get(key).and_then(|slot| self.alarm(*slot));
        alarm.is_some_and(|alarm| matches!(alarm.phase, Phase::Firing | Phase::Clearing))
    }

    fn alarm(&self, slot: u32) -> Option<&Alarm> {
        let entry = self.alarms.get(slot as usize)?.as_ref()?;
        Some(&entry.1)
    }

    /// Takes a reading in. `false`: it says nothing that can be judged, and was counted.
    pub fn read(
        &mut self,
        key: &str,
        reading: Reading,
        now: Millis,
        muted: Muted<'_>,
        into: &mut Vec<Notice>,
    ) -> bool {
        let Some(slot) = self.slot(key, now) else {
            self.counts.no_room += 1;
            return false;
        };
        let Some((key, alarm)) = &mut self.alarms[slot as usize] else {
            return false;
        };
        if alarm.seen > 0 && reading.is_late(alarm.last) {
            self.counts.late += 1;
            return true;
        }
        let at = reading.at.max(alarm.last);
        let case = Case {
            value: &reading.value,
            at,
            holds: reading.holds,
            before: (&alarm.value, alarm.last),
        };
        let Ok(verdict) = self.rule.judge(&case) else {
            self.counts.no_number += 1;
            return false;
        };
        let was = (alarm.phase, alarm.stale, alarm.flapping);
        let is_new = alarm.seen == 0;
        let verdict = alarm.counted(&self.rule, verdict);
        (alarm.value, alarm.last, alarm.seen) = (reading.value, at, now);
        alarm.stale = false;
        alarm.go_on(&self.rule, key, verdict, at, now);
        // A key that is to be missed must be known after a restart too.
        if was != (alarm.phase, alarm.stale, alarm.flapping) || is_new && self.rule.stale.is_some()
        {
            self.dirty.push(slot);
        }
        self.look_at(slot, now, muted, into);
        true
    }

    /// Where the alarm of a key is; a new one where there is room.
    fn slot(&mut self, key: &str, now: Millis) -> Option<u32> {
        if let Some(slot) = self.keys.get(key) {
            return Some(*slot);
        }
        if self.keys.len() >= self.rule.max_keys {
            self.make_room();
        }
        if self.keys.len() >= self.rule.max_keys {
            return None;
        }
        let alarm = Alarm {
            since: now,
            ..Alarm::default()
        };
        Some(self.insert(key.into(), alarm))
    }

    fn insert(&mut self, key: Rc<str>, alarm: Alarm) -> u32 {
        let entry = Some((key.clone(), alarm));
        let slot = match self.free.pop() {
            Some(slot) => {
                self.alarms[slot as usize] = entry;
                slot
            }
            None => {
                self.alarms.push(entry);
                // There are at most as many as `max_keys`, and memory for fewer.
                (self.alarms.len() - 1) as u32
            }
        };
        self.keys.insert(key, slot);
        slot
    }

    /// Forgets the sixteenth part of the alarms that are not worth to be remembered, those first that were not heard of for
    /// longest: that costs a look at all of them, and so is not done for each new key.
    fn make_room(&mut self) {
        let entries = self.alarms.iter().zip(0..);
        let idle = entries.filter_map(|(entry, slot)| {
            let (_, alarm) = entry.as_ref()?;
            alarm.is_idle().then_some((alarm.seen, slot))
        });
        let mut idle: Vec<(Millis, u32)> = idle.collect();
        idle.sort_unstable();
        idle.truncate(self.rule.max_keys.div_ceil(16));
        for (_, slot) in idle {
            if let Some((key, _)) = self.alarms[slot as usize].take() {
                self.keys.remove(&key);
                self.free.push(slot);
                self.counts.forgotten += 1;
                self.dirty.push(slot);
            }
        }
    }

    /// When [`Alarms::wake`] has something to do.
    pub fn due(&self) -> Option<Millis> {
        let timer = self.timers.peek().map(|Reverse((at, _))| *at);
        let silence = self.silences.iter().map(|it| it.until).min();
        let summary = self.window_end().filter(|_| self.window.left_out > 0);
        [timer, silence, summary].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn wake(&mut self, now: Millis, muted: Muted<'_>, into: &mut Vec<Notice>) {
        while let Some(Reverse((at, slot))) = self.timers.peek().copied()
            && at <= now
        {
            self.timers.pop();
            let entry = self.alarms[slot as usize].as_mut();
            if let Some((_, alarm)) = entry.filter(|(_, alarm)| alarm.armed == at) {
                alarm.armed = 0;
                self.time_passed(slot, now);
                self.look_at(slot, now, muted, into);
            }
        }
        if self.silences.iter().any(|it| it.until <= now) {
            self.silences.retain(|it| it.until > now);
            self.look_again(now, muted, into);
        }
        if self.window.left_out > 0 && self.window_end().is_some_and(|end| now >= end) {
            self.summarise(now, into);
        }
    }

    /// What the time makes of an alarm.
    fn time_passed(&mut self, slot: u32, now: Millis) {
        let Some((key, alarm)) = &mut self.alarms[slot as usize] else {
            return;
        };
        let rule = &self.rule;
        let was = (alarm.phase, alarm.stale, alarm.flapping);
        alarm.hold_over(rule, key, now);
        if let Some(stale) = rule.stale
            && !alarm.stale
            && now >= alarm.seen + stale
        {
            match rule.test {
                Test::Missing if alarm.phase == Phase::Ok => {
                    alarm.go_on(rule, key, Verdict::Bad, alarm.seen + stale, now);
                }
                Test::Missing => {}
                _ => alarm.expire(rule, key),
            }
        }
        if let Some((_, time)) = rule.flapping
            && alarm.flapping
            && now >= alarm.since + time
        {
            (alarm.flapping, alarm.changes) = (false, 0);
        }
        if was != (alarm.phase, alarm.stale, alarm.flapping) {
            self.dirty.push(slot);
        }
    }

    /// Looks at all alarms, as something else than a reading has changed what is told.
    pub fn look_again(&mut self, now: Millis, muted: Muted<'_>, into: &mut Vec<Notice>) {
        for slot in 0..self.alarms.len() as u32 {
            self.look_at(slot, now, muted, into);
        }
    }

    /// Tells what there is to tell of an alarm, and sets its timer.
    fn look_at(&mut self, slot: u32, now: Millis, muted: Muted<'_>, into: &mut Vec<Notice>) {
        let Some((key, alarm)) = &self.alarms[slot as usize] else {
            return;
        };
        let quiet = alarm.view() == alarm.shown && alarm.view() == State::Ok;
        if !quiet && !self.is_silent(key, now) && !muted(key) {
            self.tell(slot, now, into);
        }
        self.arm(slot, now);
    }

    fn is_silent(&self, key: &str, now: Millis) -> bool {
        self.silences
            .iter()
            .any(|it| it.until > now && it.silence.as_deref().is_none_or(|silent| silent == key))
    }

    fn tell(&mut self, slot: u32, now: Millis, into: &mut Vec<Notice>) {
        let Some((_, alarm)) = &mut self.alarms[slot as usize] else {
            return;
        };
        let steps = &self.rule.escalation;
        let fires = alarm.phase == Phase::Firing && alarm.view() == State::Firing;
        let since = alarm.since;
        let is_next = |step: u8| {
            steps
                .get(usize::from(step))
                .is_some_and(|it| now >= it.after + since)
        };
        let mut step = None;
        let changes = alarm.view() != alarm.shown;
        if changes {
            alarm.shown = alarm.view();
        } else if fires && !alarm.acknowledged && is_next(alarm.step) {
            while is_next(alarm.step) {
                step = Some(usize::from(alarm.step));
                alarm.step += 1;
            }
        } else {
            let repeats = self
                .rule
                .repeat
                .is_some_and(|repeat| now >= alarm.notified + repeat);
            if !(fires && !alarm.acknowledged && repeats) {
                return;
            }
        }
        alarm.notified = now;
        self.dirty.push(slot);
        let notice = self.notice(slot, step, now);
        match self.may_send(now) {
            true => into.extend(notice),
            false => self.leave_out(slot, notice),
        }
    }

    fn notice(&mut self, slot: u32, step: Option<usize>, now: Millis) -> Option<Notice> {
        let (key, alarm) = self.alarms[slot as usize].as_mut()?;
        alarm.emission = alarm.emission.wrapping_add(1);
        (alarm.untold, alarm.waiting) = (true, 0);
        let taken = usize::from(alarm.step).checked_sub(1);
        let step_taken = taken.and_then(|at| self.rule.escalation.get(at));
        let severity = step_taken.map_or(&self.rule.severity, |step| &step.severity);
        Some(Notice {
            key: key.clone(),
            state: alarm.shown,
            severity: severity.clone(),
            value: alarm.value.json(),
            since: if alarm.stale { alarm.last } else { alarm.since },
            at: now,
            id: alarm.id,
            step,
            steps: usize::from(alarm.step),
            mark: Some(Mark {
                slot,
                emission: alarm.emission,
            }),
        })
    }

    fn window_end(&self) -> Option<Millis> {
        let (_, time) = self.rule.limit?;
        Some(self.window.from + time)
    }

    fn may_send(&mut self, now: Millis) -> bool {
        let Some((most, _)) = self.rule.limit else {
            return true;
        };
        let is_over = self.window.sent == 0 || self.window_end().is_some_and(|end| now >= end);
        if self.window.left_out == 0 && is_over {
            (self.window.from, self.window.sent) = (now, 0);
        }
        let may = self.window.sent < most;
        self.window.sent += u32::from(may);
        may
    }

    fn leave_out(&mut self, slot: u32, notice: Option<Notice>) {
        if let Some((_, alarm)) = &mut self.alarms[slot as usize] {
            alarm.untold = false;
        }
        self.window.left_out += 1;
        if let Some(notice) = notice.filter(|_| self.window.named.len() < NAMED) {
            let named = json!({"key": &*notice.key, "state": notice.state.name()});
            self.window.named.push(named);
        }
    }

    /// One notice for all that were left out.
    fn summarise(&mut self, now: Millis, into: &mut Vec<Notice>) {
        let Window {
            from,
            left_out,
            named,
            ..
        } = std::mem::take(&mut self.window);
        (self.window.from, self.window.sent) = (now, 1);
        let (most, time) = self.rule.limit.unwrap_or_default();
        into.push(Notice {
            key: "*".into(),
            state: State::Summary,
            severity: self.rule.severity.clone(),
            value: json!({"count": left_out, "limit": format!("{most}/{}", duration(time)), "alarms": named}),
            since: from,
            at: now,
            id: from,
            step: None,
            steps: 0,
            mark: None,
        });
    }

    /// Sees to it that the alarm is looked at when it must be.
    fn arm(&mut self, slot: u32, now: Millis) {
        let Some((_, alarm)) = &mut self.alarms[slot as usize] else {
            return;
        };
        let rule = &self.rule;
        let hold = matches!(alarm.phase, Phase::Pending | Phase::Clearing).then_some(alarm.due);
        let is_missing = rule.test == Test::Missing && alarm.phase != Phase::Ok;
        let stale = rule.stale.filter(|_| !alarm.stale && !is_missing);
        let stale = stale.map(|stale| alarm.seen + stale);
        let calm = rule.flapping.filter(|_| alarm.flapping);
        let calm = calm.map(|(_, time)| alarm.since + time);
        let fires = alarm.phase == Phase::Firing && alarm.shown == State::Firing;
        let nags = fires && !alarm.acknowledged;
        let repeat = rule
            .repeat
            .filter(|_| nags)
            .map(|repeat| alarm.notified + repeat);
        let step = rule
            .escalation
            .get(usize::from(alarm.step))
            .filter(|_| nags);
        let step = step.map(|step| alarm.since + step.after);
        let due = [hold, stale, calm, repeat, step]
            .into_iter()
            .flatten()
            .min();
        let Some(due) = due else {
            return;
        };
        // What is overdue and was not done is silenced; it is looked at again when that ends.
        if due > now && (alarm.armed == 0 || due < alarm.armed) {
            alarm.armed = due;
            self.timers.push(Reverse((due, slot)));
        }
    }

    /// Somebody takes care of it: it is not repeated, and does not escalate. Whether it fires.
    pub fn acknowledge(&mut self, key: &str) -> bool {
        let Some(slot) = self.keys.get(key).copied() else {
            return false;
        };
        let Some((_, alarm)) = &mut self.alarms[slot as usize] else {
            return false;
        };
        let fires = matches!(alarm.phase, Phase::Firing | Phase::Clearing);
        if fires && !alarm.acknowledged {
            alarm.acknowledged = true;
            self.dirty.push(slot);
        }
        fires
    }

    /// Tells nothing of these keys until then; an end in the past ends a silence of the same keys.
    pub fn silence(
        &mut self,
        silence: Silence,
        now: Millis,
        muted: Muted<'_>,
        into: &mut Vec<Notice>,
    ) {
        self.silences.retain(|it| it.silence != silence.silence);
        match silence.until > now {
            true => self.silences.push(silence),
            false => self.look_again(now, muted, into),
        }
    }

    /// A silence as it was kept.
    pub fn restore_silence(&mut self, silence: Silence) {
        self.silences.retain(|it| it.silence != silence.silence);
        self.silences.push(silence);
    }

    /// The silences that have not ended.
    pub fn silences(&self) -> &[Silence] {
        &self.silences
    }

    /// In so many places a notice is awaited.
    pub fn sent(&mut self, mark: Mark, places: u32) {
        if let Some(alarm) = self.marked(mark) {
            alarm.waiting = places;
        }
        if places == 0 {
            self.arrived(mark);
        }
    }

    /// A notice has arrived in one of its places.
    pub fn arrived(&mut self, mark: Mark) {
        let Some(alarm) = self.marked(mark) else {
            return;
        };
        alarm.waiting = alarm.waiting.saturating_sub(1);
        if alarm.waiting == 0 {
            alarm.untold = false;
            self.dirty.push(mark.slot);
        }
    }

    fn marked(&mut self, mark: Mark) -> Option<&mut Alarm> {
        let entry = self.alarms.get_mut(mark.slot as usize)?.as_mut();
        let alarm = entry.map(|(_, alarm)| alarm);
        alarm.filter(|alarm| alarm.emission == mark.emission)
    }

    /// The alarms that changed since the last call, to be kept.
    pub fn changed(&mut self) -> Vec<Saved> {
        let mut slots = std::mem::take(&mut self.dirty);
        slots.sort_unstable();
        slots.dedup();
        let saved = slots.into_iter().filter_map(|slot| self.saved(slot));
        saved.collect()
    }

    /// Whether any changed since then.
    pub fn has_changed(&self) -> bool {
        !self.dirty.is_empty()
    }

    fn saved(&self, slot: u32) -> Option<Saved> {
        let (key, alarm) = self.alarms[slot as usize].as_ref()?;
        Some(Saved {
            key: String::from(&**key),
            alarm: alarm.clone(),
        })
    }

    /// All alarms that need be kept.
    pub fn all(&self) -> impl Iterator<Item = Saved> {
        let all = (0..self.alarms.len() as u32).filter_map(|slot| self.saved(slot));
        let keeps_all = self.rule.stale.is_some();
        all.filter(move |saved| keeps_all || !saved.alarm.is_idle())
    }

    /// An alarm as it was kept. What was not told everywhere is told again by [`Alarms::resume`].
    pub fn restore(&mut self, saved: Saved) {
        let Saved { key, mut alarm } = saved;
        alarm.armed = 0;
        match self.keys.get(&*key) {
            Some(slot) => self.alarms[*slot as usize] = Some((key.into(), alarm)),
            None => {
                self.insert(key.into(), alarm);
            }
        }
    }

    /// Goes on after a restart: timers go by the wall clock, but that readings are missing counts anew.
    pub fn resume(&mut self, now: Millis, muted: Muted<'_>, into: &mut Vec<Notice>) {
        for slot in 0..self.alarms.len() as u32 {
            let Some((_, alarm)) = &mut self.alarms[slot as usize] else {
                continue;
            };
            alarm.seen = now;
            if std::mem::take(&mut alarm.untold) {
                into.extend(self.notice(slot, None, now));
            }
            self.time_passed(slot, now);
            self.look_at(slot, now, muted, into);
        }
    }
}
