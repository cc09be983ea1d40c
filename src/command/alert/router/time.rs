//! What time it is: that of the clock, or that of what was recorded.

use std::time::SystemTime;

use super::super::store::{self, millis};
use super::Watch;
use crate::error::Result;
use crate::flow::Outgoing;
use crate::flow::alarm::{Clock, Millis};
use crate::message::{Message, UNTIMED};
use crate::payload::instant;

impl Watch {
    /// When a reading was and who says so, and what time it is.
    pub(super) fn times(&mut self, message: &Message, now: Millis) -> (Millis, Clock, Millis) {
        let said = self.parts.time.as_ref();
        let said = said.and_then(|time| self.find(time, message));
        let said = said.and_then(|text| instant::read(&text)).map(millis);
        let at = said.unwrap_or_else(|| match message.time == UNTIMED {
            true => now,
            false => millis(message.time),
        });
        let clock = match (said, self.parts.recorded) {
            (Some(_), _) => Clock::Message,
            (None, true) => Clock::Recording,
            (None, false) => Clock::Arrival,
        };
        match self.parts.recorded {
            true => (at, clock, self.newest.max(at)),
            false => (at.min(now), clock, now),
        }
    }

    /// What time it is once a message has come. A recording tells that by all that is in it.
    pub(super) fn come_to(&mut self, message: &Message) -> Millis {
        let now = store::now();
        if !self.parts.recorded {
            return now;
        }
        let (_, clock, now) = self.times(message, now);
        // What is to say itself when it was, and does not, says nothing of the time of the others.
        if self.parts.time.is_some() && clock != Clock::Message {
            return self.newest;
        }
        self.time_passed(now);
        now
    }

    /// Does what is due by then; of a recording each at its own time, whatever the time of the next message is.
    pub(super) fn time_passed(&mut self, now: Millis) {
        self.begin(now);
        while let Some(due) = self.parts.alarms.due().filter(|due| *due <= now) {
            let at = match self.parts.recorded {
                true => self.newest.max(due),
                false => now,
            };
            self.newest = at;
            self.alarms(|alarms, muted, notices| alarms.wake(at, muted, notices));
            if self.parts.alarms.due() == Some(due) {
                break;
            }
        }
        self.newest = self.newest.max(now);
    }

    fn begin(&mut self, now: Millis) {
        if std::mem::replace(&mut self.resumed, true) {
            return;
        }
        self.alarms(|alarms, muted, notices| alarms.resume(now, muted, notices));
    }

    /// What is due by then, where time is that of a recording.
    ///
    /// # Errors
    /// What makes it impossible to go on.
    pub(crate) fn pass_time(&mut self, now: SystemTime, into: &mut Outgoing) -> Result<()> {
        let now = self.newest.max(millis(now));
        self.time_passed(now);
        self.send(into)
    }
}
