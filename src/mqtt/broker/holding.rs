//! What becomes of a QoS 1 or 2 message that a subscriber's queue has no room for. Nobody gets it, and its publisher
//! knows: in MQTT 5 it is refused (0x97); before that nothing can be refused, so it waits without an acknowledgement,
//! and what its publisher sends after it waits behind it. Acknowledgements and PINGREQ are served meanwhile.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::application::{self, Delivery, Message};
use super::connection::Connection;
use super::core::Core;
use super::events::Event;
use super::sessions::{Reminder, Room, Session};
use super::subscriptions::Target;
use crate::mqtt::packet::{Publish, QoS, ReasonCode, Version};
use crate::server::Key;

/// How long a message waits for room while nothing moves. Then its connection is closed: the subscriber may be away for
/// good, or be the publisher itself, and an end without acknowledgement is better than none.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many messages of one client wait before nothing more is read from it.
const MOST_HELD: usize = 1_000;

/// The messages of one connection that wait for room, in their order.
#[derive(Debug, Default)]
pub(super) struct Held {
    waiting: VecDeque<Publish>,
    bytes: usize,
    /// When the first of them came, or the last one went on.
    since: Option<Instant>,
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether more may wait, up to `bytes` in all.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.waiting.len() < MOST_HELD && self.bytes < bytes
    }

    /// How many of them are never acknowledged.
    pub(super) fn at_most_once(&self) -> u64 {
        let waiting = self.waiting.iter();
        waiting.filter(|it| it.qos == QoS::AtMostOnce).count() as u64
    }

    fn push(&mut self, publish: Publish) {
        self.bytes += publish.held();
        self.waiting.push_back(publish);
    }

    fn pop(&mut self) {
        if let Some(publish) = self.waiting.pop_front() {
            self.bytes -= publish.held();
        }
    }
}

impl Core {
    pub(super) const fn queue_room(&self) -> Room {
        Room {
            messages: self.options.max_queued,
            bytes: self.options.max_queued_bytes,
        }
    }

    /// Whether a QoS 1 or 2 message would go to the client at once instead of into its queue.
    pub(super) fn goes_at_once(&self, session: &Session) -> bool {
        !session.is_behind()
            && session.has_window(self.options.max_buffered_bytes)
            && self.has_room(session.connection) == Some(true)
    }

    /// Changes a queue and keeps account of those that are crowded.
    pub(super) fn with_queue<T>(
        &mut self,
        key: Key,
        change: impl FnOnce(&mut Session, Room) -> T,
    ) -> Option<T> {
        let room = self.queue_room();
        let session = self.sessions.get_mut(key)?;
        let before = session.queue.is_crowded(room);
        let outcome = change(session, room);
        let after = session.queue.is_crowded(room);
        session.overflows &= after || !session.queue.is_empty();
        self.room |= session.queue.is_empty() || (before && !after);
        match (before, after) {
            (false, true) => self.crowded += 1,
            (true, false) => self.crowded -= 1,
            _ => {}
        }
        Some(outcome)
    }

    /// Whether a message has to wait: there is no room for it, or others wait already.
    pub(super) fn must_wait(&mut self, id: Key, session: Key, publish: &Publish) -> bool {
        let Some(connection) = self.connections.get(id) else {
            return false;
        };
        if connection.version == Version::V5 {
            return false;
        }
        !connection.held.is_empty()
            || (self.is_refused_by_a_queue(session, publish)
                && self.may_publish(session, &publish.topic))
    }

    /// Whether some queue has no room for a message; that queue is reported.
    pub(super) fn is_refused_by_a_queue(&mut self, source: Key, publish: &Publish) -> bool {
        let Some(full) = self.full_queue(source, publish) else {
            return false;
        };
        self.report_full(full);
        true
    }

    /// Told once for each time that a queue fills up.
    pub(super) fn report_full(&mut self, key: Key) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        if !std::mem::replace(&mut session.overflows, true) {
            let client_id = session.client_id.clone();
            self.events.push(Event::QueueFull { client_id });
        }
    }

    /// A session that would have to queue the message and has no room for it.
    fn full_queue(&mut self, source: Key, publish: &Publish) -> Option<Key> {
        if publish.qos == QoS::AtMostOnce {
            return None;
        }
        let room = self.queue_room();
        let cost = publish.held() + size_of::<Message>() + size_of::<Delivery>();
        // The usual case: every queue is at most half full, and the message is small.
        if self.crowded == 0 && room.messages > 0 && cost <= room.bytes / 4 {
            return None;
        }
        let matches = self.subscriptions.matching(&publish.topic);
        self.work += matches.len() as u64;
        let own = |key, no_local| key == source && no_local;
        let direct = matches.sessions().find(|grants| {
            let counts =
                |(key, grant): &&Target| grant.qos > QoS::AtMostOnce && !own(*key, grant.no_local);
            // Each subscription may add its identifier.
            let cost = cost + 2 * size_of::<u32>() * (grants.len() + 2);
            grants.iter().any(|one| counts(&one)) && self.has_no_room(grants[0].0, publish, cost)
        });
        if let Some(grants) = direct {
            return Some(grants[0].0);
        }
        let shared = matches.groups.iter().find_map(|&group| {
            let members = self.subscriptions.members(group);
            let full = |(key, grant): &Target| {
                grant.qos > QoS::AtMostOnce && self.has_no_room(*key, publish, cost)
            };
            members.iter().all(full).then(|| members.first()).flatten()
        });
        shared.map(|(key, _)| *key)
    }

    fn has_no_room(&self, key: Key, publish: &Publish, cost: usize) -> bool {
        self.sessions.get(key).is_some_and(|session| {
            !self.goes_at_once(session)
                && !session.queue.takes(cost, self.queue_room())
                && self.may_read(session, &publish.topic)
        })
    }

    /// Lets a message wait.
    pub(super) fn hold(&mut self, id: Key, mut publish: Publish) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if connection.held.is_empty() {
            connection.held.since = Some(self.now);
            self.waiting.push_back(id);
            let until = self.now + PATIENCE;
            self.timers.remind(until, Reminder::Held(id));
        }
        application::detach(&mut publish);
        connection.held.push(publish);
    }

    /// Whether messages that wait may be able to go on.
    pub(super) fn may_release(&self) -> bool {
        self.room && !self.waiting.is_empty()
    }

    /// Goes on with what waited, where there is room now.
    pub(super) fn release(&mut self) {
        if !self.may_release() {
            return;
        }
        self.room = false;
        for _ in 0..self.waiting.len() {
            let Some(id) = self.waiting.pop_front() else {
                return;
            };
            while self.release_one(id) {}
            let held = |one: &Connection| !one.held.is_empty();
            if self.connections.get(id).is_some_and(held) {
                self.waiting.push_back(id);
            }
        }
    }

    /// Goes on with the first message that waits on a connection; false: there is none, or it has to wait on.
    fn release_one(&mut self, id: Key) -> bool {
        let Some(connection) = self.connections.get(id) else {
            return false;
        };
        let next = connection.session().zip(connection.held.waiting.front());
        let Some((session, publish)) = next.map(|(key, publish)| (key, publish.clone())) else {
            return false;
        };
        if self.is_refused_by_a_queue(session, &publish) {
            return false;
        }
        // Others get their turn; this one is the next again.
        if self.is_tired() {
            self.room = true;
            return false;
        }
        let now = self.now;
        if let Some(connection) = self.connections.get_mut(id) {
            connection.held.pop();
            connection.held.since = Some(now);
            connection.last_seen = now;
        }
        self.accept_publish(id, session, publish);
        // Where reading had stopped, it may go on.
        self.announce(id);
        true
    }

    /// Closes a connection whose messages have waited too long.
    pub(super) fn check_held(&mut self, id: Key) {
        let Some(connection) = self.connections.get(id) else {
            return;
        };
        let Some(since) = connection
            .held
            .since
            .filter(|_| !connection.held.is_empty())
        else {
            return;
        };
        let until = since + PATIENCE;
        if until <= self.now {
            self.kick(id, ReasonCode::QUOTA_EXCEEDED);
        } else {
            self.timers.remind(until, Reminder::Held(id));
        }
    }
}
