//! How connections and sessions end: DISCONNECT, wills (MQTT 5.0 §3.1.2.5), session expiry (§3.1.2.11.2).

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use bytestring::ByteString;

use super::access::Client;
use super::application::{Delivery, Flight, Message};
use super::connection::Phase;
use super::core::Core;
use super::events::Event;
use super::sessions::Reminder;
use super::sessions::Session;
use crate::mqtt::packet::{Disconnect, QoS, ReasonCode, Version, Will};
use crate::mqtt::session::outbound::Orphan;
use crate::server::Key;

/// What a session that has ended leaves behind.
#[derive(Debug)]
pub(super) struct Estate {
    key: Key,
    filters: Vec<ByteString>,
    orphans: VecDeque<Orphan<Flight>>,
    session: Session,
}

impl Core {
    pub(super) fn disconnect(&mut self, id: Key, session: Key, disconnect: &Disconnect) {
        if let Some(wanted) = disconnect.properties.session_expiry_interval() {
            let granted = self.limited_expiry(wanted);
            let Some(session) = self.sessions.get_mut(session) else {
                return;
            };
            // A session that was to end with its connection cannot be prolonged (MQTT 5.0 §3.14.2.2.2). What CONNECT said
            // counts, not what was granted.
            if !session.asked_to_last && wanted > 0 {
                return self.kick(id, ReasonCode::PROTOCOL_ERROR);
            }
            session.expiry = granted;
        }
        // Only a normal DISCONNECT takes the will back (MQTT 5.0 §3.14.4).
        let with_will = disconnect.reason != ReasonCode::SUCCESS;
        self.detach(id, with_will, Some(disconnect.reason));
        self.hang_up(id);
    }

    /// Parts a connection from its session, which goes on or ends.
    pub(super) fn detach(&mut self, id: Key, with_will: bool, reason: Option<ReasonCode>) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let Some(key) = connection.session() else {
            return;
        };
        connection.phase = Phase::Closing;
        // Not acknowledged: their publisher knows that they may be lost. Of those at QoS 0 it knows nothing.
        let held = std::mem::take(&mut connection.held);
        self.counts.messages_dropped += held.at_most_once();
        connection.request = None;
        self.connected -= 1;
        let client_id = connection.client_id.clone();
        self.events.push(Event::Disconnected { client_id, reason });
        let now = self.now;
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        session.connection = None;
        session.ends = session.end_after(now);
        let will = session.will.take().filter(|_| with_will);
        if let Some(will) = will {
            self.schedule_will(key, will);
        }
        self.check_session(key);
    }

    /// Publishes a will now, or keeps it for its Will Delay Interval or the end of the session,
    /// whichever comes first (MQTT 5.0 §3.1.3.2.2).
    fn schedule_will(&mut self, key: Key, will: Will) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let delay = match session.version {
            Version::V5 => will.properties.will_delay_interval().unwrap_or(0),
            Version::V31 | Version::V311 => 0,
        };
        let due = self.now + Duration::from_secs(delay.into());
        let due = session.ends.map_or(due, |ends| due.min(ends));
        session.will = Some(will);
        session.will_due = Some(due);
    }

    /// Does what is due for a session without connection, and asks to be reminded of the rest.
    pub(super) fn check_session(&mut self, key: Key) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        if session.connection.is_some() {
            return;
        }
        if session.ends.is_some_and(|at| at <= now) {
            self.counts.expired += u64::from(session.expiry > 0);
            return self.end_session(key);
        }
        let will_due = session.will_due.filter(|_| session.will.is_some());
        let next = will_due
            .filter(|at| *at > now)
            .into_iter()
            .chain(session.ends)
            .min();
        if let Some(at) = next {
            self.timers.remind(at, Reminder::Session(key));
        }
        if will_due.is_some_and(|at| at <= now) {
            self.publish_will(key);
        }
    }

    fn publish_will(&mut self, key: Key) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let (username, client_id) = (session.username.clone(), session.client_id.clone());
        let access = session.access;
        if let Some(will) = session.will.take() {
            let client = Client {
                username: username.as_deref(),
                client_id: &client_id,
                access,
            };
            self.send_will(key, will, client);
        }
    }

    fn send_will(&mut self, key: Key, will: Will, client: Client<'_>) {
        if self.may_write(client, &will.topic) {
            self.route(Message::will(will, key, self.now));
        }
    }

    /// Forgets a session that has no connection. Its will is published at the latest now; what it leaves behind is
    /// cleared away a little at a time.
    pub(super) fn end_session(&mut self, key: Key) {
        let room = self.queue_room();
        let Some(mut session) = self.sessions.remove(key) else {
            return;
        };
        self.crowded -= usize::from(session.queue.is_crowded(room));
        self.room = true;
        if let Some(will) = session.will.take() {
            self.send_will(key, will, session.client());
        }
        self.estates.push_back(Estate {
            filters: session.filters.drain().collect(),
            orphans: session.outbound.orphans().into(),
            key,
            session,
        });
        self.clear_away();
    }

    /// Removes subscriptions of sessions that have ended, and gives to others what a shared subscription had given to
    /// them: messages they never got, and those at QoS 1 that they did not acknowledge (MQTT 5.0 §4.8.2). QoS 2 in
    /// flight must not go to anyone else.
    pub(super) fn clear_away(&mut self) {
        while let Some(mut estate) = self.estates.pop_front() {
            while self.clear_one(&mut estate) {
                if self.is_tired() {
                    return self.estates.push_front(estate);
                }
            }
        }
    }

    /// One step of [`Self::clear_away`]; false: nothing is left.
    fn clear_one(&mut self, estate: &mut Estate) -> bool {
        self.work += 1;
        if let Some(filter) = estate.filters.pop() {
            self.subscriptions.remove(estate.key, &filter);
            return true;
        }
        if let Some(orphan) = estate.orphans.pop_front() {
            match orphan {
                Orphan::Unsent(Flight { group, expires }, publish)
                    if publish.qos == QoS::AtLeastOnce =>
                {
                    self.hand_on(group, || Message::handed_on(publish, expires).into());
                }
                _ => {}
            }
            return true;
        }
        let Some(Delivery { message, group, .. }) = estate.session.queue.pop() else {
            return false;
        };
        self.hand_on(group, || message);
        true
    }

    /// Gives a message to another member of a shared subscription, if it came by one and has not expired.
    fn hand_on(&mut self, group: Option<Key>, message: impl FnOnce() -> Rc<Message>) {
        let Some(group) = group else {
            return;
        };
        let message = message();
        if !message.expired(self.now) {
            self.share(group, &message, true);
        }
    }
}
