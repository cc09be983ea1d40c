//! The events for the coordinator, and when they are sent.

use super::super::super::clock::Nanos;
use super::super::connection::{Connection, State};
use super::super::control::WorkerEvent;
use super::super::load::Runner;
use super::{DRAIN_REPORT, Part, Worker};

impl Worker {
    /// Reports when it is time, or when something has changed that the coordinator waits for.
    pub(super) fn settle(&mut self, now: Nanos) {
        let before = self.standing;
        self.standing.settled = self.unsettled == 0;
        if self.begun {
            self.standing.sent_all = self.has_sent_all(now);
        }
        let drains = self.begun && (self.standing.sent_all || now >= self.records.window.to);
        if drains && !self.draining {
            self.draining = true;
            self.next_report = now;
        }
        if now >= self.next_report && drains {
            self.prove(now);
            self.standing.idle = self.is_idle();
        }
        let changed =
            (before.settled, before.sent_all) != (self.standing.settled, self.standing.sent_all);
        if now >= self.next_report || changed {
            self.report(now);
        }
    }

    pub(super) fn has_sent_all(&mut self, now: Nanos) -> bool {
        let (begin, end) = (self.begin, self.records.window.to);
        let silent = |part: &Part| matches!(part.runner, Runner::Silent);
        if self.setup.parts.iter().all(silent) {
            return self.setup.sends || now >= end;
        }
        let done = |part: &mut Part| part.runner.is_done(begin, now, end);
        self.setup.parts.iter_mut().all(done) && (now >= end || !self.thinks())
    }

    /// Whether a message that a thinking client has taken on waits for the end of its pause. Asked in every step, so
    /// loads without pauses do not look at their connections.
    fn thinks(&self) -> bool {
        let waits = |connection: &Connection| {
            connection.lane.plans_at_send && !connection.lane.backlog.is_empty()
        };
        let pauses = |part: &Part| part.runner.think().is_some();
        self.setup.parts.iter().any(pauses) && self.connections.iter().any(waits)
    }

    /// Sending has ended: asks for proof of what is not acknowledged on its own.
    pub(super) fn prove(&mut self, now: Nanos) {
        for number in 0..self.connections.len() {
            let connection = &self.connections[number];
            if connection.state == State::Open
                && connection.lane.backlog.is_empty()
                && connection.lane.session.in_flight() > 0
            {
                self.call(number, now, |session, io| session.tick(true, io));
            }
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        let idle = |connection: &Connection| connection.lane.is_idle();
        self.connections.iter().all(idle)
    }

    pub(super) fn report(&mut self, now: Nanos) {
        self.standing.connections = self.open;
        let step = if self.draining {
            DRAIN_REPORT
        } else {
            self.setup.interval
        };
        if now >= self.next_report {
            self.next_report = (self.next_report + step).max(now + step / 2);
        }
        let news = WorkerEvent {
            worker: self.setup.number,
            at: now,
            records: self.records.take(),
            standing: self.standing,
            trouble: self.trouble.take(),
        };
        // When the coordinator is gone the run is over.
        if self.setup.news.send(news).is_err() {
            self.setup.control.finish();
        }
    }
}
