//! One session whose two directions have two owners: who receives messages, and who publishes them.
//!
//! Such a connection is read all the time, as acknowledgements of what is published come the same way as messages do: if each
//! of two servers were read only while the other one takes what came, both would wait for ever. So messages pile up here while
//! their receiver takes none. Those of QoS 1 and 2 are bounded by the window that the server has; where their bodies are so
//! large that this is no bound, the connection ends, and the server sends them again. What comes at QoS 0 beyond that is dropped.

use std::collections::VecDeque;

use super::{Event, Session};
use crate::mqtt::packet::{Publish, QoS};
use crate::mqtt::session::fault::Fault;

/// As many bytes of messages wait at most, before those of QoS 0 are dropped.
const MOST_WAITING: usize = 16 * 1024 * 1024;

/// As many bytes wait at most, before the connection ends.
const MOST_ACKNOWLEDGED: usize = 4 * MOST_WAITING;

/// What the one who publishes is to know, and how much waits for the other.
#[derive(Debug, Default)]
pub(super) struct Parted {
    outcomes: VecDeque<Event>,
    /// Bytes of messages that wait.
    waiting: usize,
    /// At QoS 0, and not told yet.
    dropped: u64,
}

impl Parted {
    pub(super) fn handed_out(&mut self, publish: &Publish) {
        self.waiting -= publish.held().min(self.waiting);
    }

    /// Makes room for a message; whether it may wait.
    fn admit(&mut self, publish: &Publish) -> Result<bool, Fault> {
        let waiting = self.waiting + publish.held();
        let bound = match publish.qos {
            QoS::AtMostOnce => MOST_WAITING,
            QoS::AtLeastOnce | QoS::ExactlyOnce => MOST_ACKNOWLEDGED,
        };
        // One that is larger than all that may wait is let through alone.
        if waiting > bound && self.waiting > 0 {
            if publish.qos > QoS::AtMostOnce {
                return Err(Fault::Overrun);
            }
            self.dropped += 1;
            return Ok(false);
        }
        self.waiting = waiting;
        Ok(true)
    }
}

impl Session {
    /// From now on what concerns published messages is asked for by [`Self::poll_outcome`], and messages may wait.
    pub fn part(&mut self) {
        self.parted = Some(Box::default());
    }

    /// The next thing that happened to who publishes.
    pub fn poll_outcome(&mut self) -> Option<Event> {
        self.parted.as_mut()?.outcomes.pop_front()
    }

    /// Whether [`Self::poll_outcome`] has something.
    pub fn has_outcomes(&self) -> bool {
        let parted = self.parted.as_ref();
        parted.is_some_and(|parted| !parted.outcomes.is_empty())
    }

    /// How many messages were dropped since this was asked last: they came at QoS 0 while too many waited.
    pub fn take_dropped(&mut self) -> u64 {
        let parted = self.parted.as_mut();
        parted.map_or(0, |parted| std::mem::take(&mut parted.dropped))
    }

    /// How many events wait.
    pub fn waiting(&self) -> usize {
        self.events.len()
    }

    /// Tells who publishes.
    pub(super) fn tell_outcome(&mut self, event: Event) {
        match &mut self.parted {
            Some(parted) => parted.outcomes.push_back(event),
            None => self.events.push_back(event),
        }
    }

    /// Tells both.
    pub(super) fn tell_both(&mut self, event: Event) {
        if let Some(parted) = &mut self.parted {
            parted.outcomes.push_back(event.clone());
        }
        self.events.push_back(event);
    }

    /// Whether there is room for a message that came.
    #[inline]
    pub(super) fn admits(&mut self, publish: &Publish) -> Result<bool, Fault> {
        match &mut self.parted {
            Some(parted) => parted.admit(publish),
            None => Ok(true),
        }
    }

    /// Messages that waited are gone with their connection.
    pub(super) fn count_waiting(&mut self) {
        if let Some(parted) = &mut self.parted {
            let messages = self.events.iter().filter_map(|event| match event {
                Event::Message(publish) => Some(publish.held()),
                _ => None,
            });
            parted.waiting = messages.sum();
        }
    }
}
