//! Other limits for alarms that are at work.

use super::{Alarms, Millis, Muted, Notice, Phase, Rule};

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
}
