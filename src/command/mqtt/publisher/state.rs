//! The state of the connection, published beside all else: it is no message of the source, and must not be in its way.

use std::time::Instant;

use bytestring::ByteString;

use super::Publisher;
use crate::error::{Error, Kind, brief};
use crate::mqtt::client::Connection;
use crate::mqtt::packet::{Publish, QoS};
use crate::mqtt::session::client::{Event, Ticket};

/// What the state is known by: messages of a source have numbers from 1 on.
const STATE: Ticket = 0;

impl<C: Connection> Publisher<C> {
    /// Publishes `1` to a topic each time the connection is there, retained, and `0` before it is closed; what the server is to
    /// publish when the connection is lost is for the will to say.
    pub(crate) fn tell_state(&mut self, topic: ByteString) {
        let state = |payload: &'static str| Publish {
            topic: topic.clone(),
            payload: payload.into(),
            qos: QoS::AtLeastOnce,
            retain: true,
            ..Publish::default()
        };
        self.state = Some(Box::new([state("1"), state("0")]));
    }

    /// One of the two states; it has no number, and its outcome is nobody's.
    pub(super) fn publish_state(&mut self, which: usize) {
        let Some(mut state) = self.state.as_ref().map(|states| states[which].clone()) else {
            return;
        };
        let mut sent = self.client.publish(&mut state, STATE);
        while let Err(why) = &sent
            && self.lowers(&mut state, why)
        {
            sent = self.client.publish(&mut state, STATE);
        }
        match sent {
            // At QoS 0 nothing comes back.
            Ok(()) => self.state_under_way = state.qos > QoS::AtMostOnce,
            Err(unsendable) => {
                let topic = brief(&state.topic);
                self.notes
                    .warn(format_args!("cannot publish to {topic}: {unsendable}"));
            }
        }
    }

    /// Publishes that the connection is there, but not beside a message over which others were lost: which of the two it is could
    /// not be told then. One that was under way goes again by itself.
    pub(super) fn publish_due_state(&mut self) {
        // After such losses the window has room for one.
        if self.state_due && self.client.can_publish(QoS::AtLeastOnce) {
            self.state_due = false;
            if !self.state_under_way {
                self.publish_state(0);
            }
        }
    }

    /// The server does not take the state: all else goes on without it.
    fn give_up_state(&mut self, why: &Error) {
        self.state = None;
        self.state_due = false;
        self.notes
            .warn(format_args!("{why}: the state is published no more"));
    }

    /// Whether an event is about the state, and nobody else's.
    pub(super) fn is_of_state(&self, event: &Event) -> bool {
        self.state_under_way
            && matches!(
                event,
                Event::Acknowledged { ticket: STATE, .. }
                    | Event::InDoubt { ticket: STATE, .. }
                    | Event::Abandoned { ticket: STATE, .. }
                    | Event::Unsendable { ticket: STATE, .. }
            )
    }

    pub(super) fn state_event(&mut self, event: Event, now: Instant) {
        self.last_progress = now;
        self.state_under_way = false;
        match event {
            Event::Acknowledged {
                reason,
                reason_string,
                topic,
                ..
            } if reason.is_failure() => {
                let why = self.refusal(reason, reason_string.as_deref(), topic);
                self.give_up_state(&why);
            }
            Event::Abandoned { topic, .. } => {
                let server = self.client.target();
                let text = format!(
                    "{server} closed the connection each time it received the state to {}",
                    brief(&topic)
                );
                let why = Error::new(Kind::Refused, self.with_reason(text));
                self.give_up_state(&why);
            }
            // What this server takes of it is found when it is published anew.
            Event::Unsendable { .. } => self.state_due = true,
            _ => {}
        }
    }
}
