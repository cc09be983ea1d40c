//! What is due: messages, ticks, pauses.

use std::cmp::Reverse;

use super::super::super::clock::Nanos;
use super::super::super::driver::How;
use super::super::connection::State;
use super::{Job, TICKS, WAITING, Worker};

impl Worker {
    pub(super) fn make_due(&mut self, now: Nanos) {
        let begin = self.begin;
        if now < begin {
            return;
        }
        if !self.begun {
            self.begun = true;
            self.next_report = begin + self.setup.interval;
            for number in 0..self.connections.len() {
                self.think_first(number, now);
                self.mark(number);
            }
        }
        let window = self.records.window;
        let last = std::mem::replace(&mut self.looked, now);
        let mut dues = std::mem::take(&mut self.due);
        for (part, base) in self.setup.parts.iter_mut().zip(&self.bases) {
            part.runner.take_due(begin, now, window, |connection, at| {
                dues.push((base + connection, at));
            });
        }
        for (number, at) in dues.drain(..) {
            let part = self.connections[number].part;
            let meant = self.setup.parts[part].runner.noticed(at, last);
            self.records.tardy.span(meant.min(now), now);
            self.standing.due = self.standing.due.max(at);
            self.enqueue(number, at);
        }
        self.due = dues;
    }

    pub(super) fn enqueue(&mut self, number: usize, at: Nanos) {
        self.records.planned(at);
        if self.waiting >= WAITING {
            self.records.messages.unsent += u64::from(self.records.window.holds(at));
            return;
        }
        self.waiting += 1;
        self.connections[number].lane.backlog.push_back(at);
        self.mark(number);
    }

    /// A closed load that pauses between messages begins with a window full.
    pub(super) fn think_first(&mut self, number: usize, now: Nanos) {
        let connection = &self.connections[number];
        let part = &self.setup.parts[connection.part];
        if part.runner.think().is_none() || !self.begun || !connection.lane.ready {
            return;
        }
        let under_way = connection.lane.session.in_flight() + connection.lane.backlog.len();
        self.plan_next(number, part.window.saturating_sub(under_way), now);
    }

    pub(super) fn think_after(&mut self, number: usize, answered: usize, now: Nanos) {
        let part = &self.setup.parts[self.connections[number].part];
        if let Some(think) = part.runner.think() {
            self.plan_next(number, answered, now + think);
        }
    }

    pub(super) fn plan_next(&mut self, number: usize, count: usize, at: Nanos) {
        let connection = &mut self.connections[number];
        let runner = &mut self.setup.parts[connection.part].runner;
        let Some(left) = runner.left() else {
            return;
        };
        let count = (count as u64).min(*left);
        let window = self.records.window;
        if count == 0 || at >= window.to {
            return;
        }
        if window.holds(at) {
            *left -= count;
        }
        for _ in 0..count {
            connection.lane.backlog.push_back(at);
        }
        self.timers.push(Reverse((at, number as u32, Job::Write)));
    }

    pub(super) fn take_timers(&mut self, now: Nanos) {
        while let Some(Reverse((at, number, job))) = self.timers.peek().copied() {
            if at > now {
                return;
            }
            self.timers.pop();
            let number = number as usize;
            match job {
                Job::Write => self.mark(number),
                Job::Dial => self.to_dial.push_back(number as u32),
                Job::Tick => {
                    self.connections[number].ticking = false;
                    self.tick(number, now);
                }
                Job::Extra => self.extra_tick(number, now),
                Job::GiveUpGreeting => self.give_up_greeting(number, now),
            }
        }
    }

    pub(super) fn tick(&mut self, number: usize, now: Nanos) {
        let connection = &self.connections[number];
        let ticks = match connection.state {
            State::Open => true,
            State::Greeting => connection.lane.session.ticks_early(),
            State::Away | State::Failed => false,
        };
        if !ticks || connection.ticking {
            return;
        }
        let under_way = |worker: &Self| worker.connections[number].lane.session.in_flight();
        let before = under_way(self);
        let next = self.call(number, now, |session, io| session.tick(false, io));
        let given_up = before.saturating_sub(under_way(self));
        if given_up > 0 {
            self.think_after(number, given_up, now);
            self.mark(number);
        }
        if let Some(next) = next {
            self.connections[number].ticking = true;
            // Nothing hangs on the exact moment, and a fleet's ticks together cost one wake-up.
            let next = next.next_multiple_of(TICKS);
            self.timers.push(Reverse((next, number as u32, Job::Tick)));
        }
    }

    fn extra_tick(&mut self, number: usize, now: Nanos) {
        if self.connections[number].state == State::Open {
            self.call(number, now, |session, io| session.tick(false, io));
        }
    }

    pub(super) fn give_up_greeting(&mut self, number: usize, now: Nanos) {
        let connection = &self.connections[number];
        if connection.state == State::Greeting && connection.greet_by <= now {
            self.end(number, now, How::Silent);
        }
    }
}
