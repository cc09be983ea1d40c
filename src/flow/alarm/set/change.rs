//! What changes alarms that are at work, beside readings and time: other limits, and devices that go.

use super::{Alarms, Millis, Muted, Notice, Phase, Rule, Test, Verdict};

impl Alarms {
    /// Watches over the same with other limits and times. What is pending is so for as long as the new rule says, and what
    /// is told goes on; [`Alarms::review`] tells what has changed by this.
    pub fn replace(&mut self, rule: Rule, now: Millis, into: &mut Vec<Notice>) {
        if self.rule.limit != rule.limit && self.window.left_out > 0 {
            self.summarise(now, into);
        }
        let was = &self.rule;
        for (_, alarm) in self.alarms.iter_mut().flatten() {
            let (before, after) = match alarm.phase {
                Phase::Pending => (was.hold, rule.hold),
                Phase::Clearing => (was.clear_hold, rule.clear_hold),
                Phase::Ok | Phase::Firing => continue,
            };
            alarm.due = alarm.due.saturating_sub(before).saturating_add(after);
        }
        self.limit = rule.test.limit(rule.stale);
        self.rule = rule;
    }

    /// Looks at all alarms as if their times had come.
    pub fn review(&mut self, now: Millis, muted: Muted<'_>, into: &mut Vec<Notice>) {
        for slot in 0..self.alarms.len() as u32 {
            self.time_passed(slot, now);
            self.look_at(slot, now, muted, into);
        }
    }

    /// Those who send the readings of these keys are not there: nothing more is heard of them until their next reading.
    pub fn miss(
        &mut self,
        gone: &dyn Fn(&str) -> bool,
        now: Millis,
        muted: Muted<'_>,
        into: &mut Vec<Notice>,
    ) {
        for slot in 0..self.alarms.len() as u32 {
            let Some((key, alarm)) = &mut self.alarms[slot as usize] else {
                continue;
            };
            if alarm.stale || !gone(key) {
                continue;
            }
            match self.rule.test {
                Test::Missing if alarm.phase == Phase::Ok => {
                    alarm.go_on(&self.rule, key, Verdict::Bad, now, now);
                }
                Test::Missing => continue,
                _ => alarm.expire(&self.rule, key),
            }
            self.dirty.push(slot);
            self.look_at(slot, now, muted, into);
        }
    }
}
