//! From a message to its subscribers: matching, merging, queues and windows.

use std::cell::Cell;
use std::rc::Rc;

use super::access::Right;
use super::application::{self, Delivery, Flight, Message};
use super::core::Core;
use super::sessions::{Room, Session};
use super::subscriptions::{Fitness, Matches, Target};
use crate::mqtt::packet::{Packet, Publish, QoS};
use crate::mqtt::session::alias::{ALIAS_LENGTH, spare};
use crate::server::Key;

/// How much is put into an outbox at once from what waits, in bytes; the rest stays where it costs less, or nothing.
const HELPING: usize = 256 * 1024;

/// How many messages are taken at once from what waits.
const SOME: usize = 64;

/// After how many looks at what waits others get their turn, if nothing was found to send.
const LOOKS: usize = 16;

impl Core {
    /// Keeps the message where it is to be retained and hands it to all subscribers.
    pub(super) fn route(&mut self, message: Message) {
        let matches = self.subscriptions.matching(&message.topic);
        self.route_to(&matches, message);
    }

    /// The same, where the subscribers are known already.
    pub(super) fn route_to(&mut self, matches: &Matches, mut message: Message) {
        if message.retain && self.options.retain_available {
            self.retained.store(&message);
            self.expect_expiry();
        }
        if matches.is_empty() {
            return;
        }
        if message.qos > QoS::AtMostOnce || self.options.queue_qos0_offline {
            message.detach(&matches.topic);
        }
        let message = Rc::new(message);
        for grants in matches.sessions() {
            self.offer(grants, &message);
        }
        for &group in &matches.groups {
            self.share(group, &message, false);
        }
    }

    /// One message for all subscriptions of a session that match: the highest QoS and every
    /// identifier (MQTT 5.0 §3.3.4); none where No Local keeps it from its own publisher.
    fn offer(&mut self, grants: &[Target], message: &Rc<Message>) {
        let Some((session, _)) = grants.first() else {
            return;
        };
        let own = message.source == Some(*session);
        self.work += grants.len() as u64;
        let mut granted = None;
        let mut retain_as_published = false;
        let mut ids = Vec::new();
        for (_, grant) in grants.iter().filter(|(_, grant)| !(own && grant.no_local)) {
            granted = granted.max(Some(grant.qos));
            retain_as_published |= grant.retain_as_published;
            ids.extend(grant.id);
        }
        let Some(granted) = granted else {
            return;
        };
        let delivery = Delivery {
            message: Rc::clone(message),
            qos: granted.min(message.qos),
            retain: message.retain && retain_as_published,
            ids,
            group: None,
            accepted: false,
        };
        self.deliver(*session, delivery);
    }

    /// One message for one member of a shared subscription, as long as it has members. `accepted`: another member had
    /// it before.
    pub(super) fn share(&mut self, group: Key, message: &Rc<Message>, accepted: bool) {
        let room = self.queue_room();
        let cost = message.cost() + size_of::<Delivery>() + size_of::<u32>();
        let (sessions, connections) = (&self.sessions, &self.connections);
        let options = &self.options;
        let limit = options.max_buffered_bytes;
        let looks = Cell::new(0);
        let fitness = |(key, grant): &Target| {
            looks.set(looks.get() + 1);
            let Some(session) = sessions.get(*key) else {
                return Fitness::Gone;
            };
            if !options.allow(session.client(), Right::Read, &message.topic) {
                return Fitness::Gone;
            }
            let connection = session.connection.and_then(|id| connections.get(id));
            let at_once = connection.is_some_and(|one| one.outbox.bytes() < limit)
                && !session.is_behind()
                && session.has_window(limit);
            let queued = grant.qos.min(message.qos) > QoS::AtMostOnce && !at_once;
            match connection {
                _ if queued && !session.queue.takes(cost, room) => Fitness::Full,
                None => Fitness::Away,
                Some(_) => Fitness::Ready,
            }
        };
        let chosen = self.subscriptions.choose(group, fitness);
        self.work += looks.get();
        let Some((session, grant)) = chosen else {
            return;
        };
        let delivery = Delivery {
            message: Rc::clone(message),
            qos: grant.qos.min(message.qos),
            retain: message.retain && grant.retain_as_published,
            ids: grant.id.into_iter().collect(),
            group: Some(group),
            accepted,
        };
        self.deliver(session, delivery);
    }

    /// Whether the session's client may get a message now, whatever it might when it subscribed.
    pub(super) fn may_read(&self, session: &Session, topic: &str) -> bool {
        self.options.allow(session.client(), Right::Read, topic)
    }

    /// Sends now, keeps for later, or drops and counts.
    fn deliver(&mut self, key: Key, delivery: Delivery) {
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        if !self.may_read(session, &delivery.message.topic) {
            return;
        }
        match (delivery.qos, self.has_room(session.connection)) {
            (QoS::AtMostOnce, Some(true)) => self.transmit(key, &delivery),
            (QoS::AtMostOnce, Some(false)) => self.counts.messages_dropped += 1,
            (QoS::AtMostOnce, None) if !self.options.queue_qos0_offline => {}
            (_, Some(true)) if self.goes_at_once(session) => self.transmit(key, &delivery),
            _ => self.enqueue(key, delivery),
        }
    }

    /// Whether the client reads what is sent to it; `None`: it is away.
    pub(super) fn has_room(&self, connection: Option<Key>) -> Option<bool> {
        let connection = self.connections.get(connection?)?;
        Some(connection.outbox.bytes() < self.options.max_buffered_bytes)
    }

    /// Queues a message. That there is room was seen before its publisher was answered; those that nobody is answered
    /// for, such as wills, may find none.
    fn enqueue(&mut self, key: Key, delivery: Delivery) {
        let pushed = self.with_queue(key, |session, room| {
            let room = if delivery.accepted {
                Room::ENDLESS
            } else {
                room
            };
            session.queue.push(delivery, room)
        });
        if pushed == Some(false) {
            self.counts.messages_dropped += 1;
            self.report_full(key);
        }
    }

    /// Sends what waits, as far as window and room allow, and then of the retained messages what the client's
    /// subscriptions are still to get.
    pub(super) fn pump(&mut self, id: Key, key: Key) {
        self.repeat(key);
        for _ in 0..LOOKS {
            let queued = self.send_queued(key);
            if !(self.send_retained(key) | queued) {
                return;
            }
        }
        if let Some(connection) = self.connections.get_mut(id) {
            connection.unfinished = true;
        }
    }

    /// How many more messages may be sent to a session's client now, if they are of this quality.
    fn sendable(&self, session: &Session, qos: QoS) -> usize {
        let limit = self.options.max_buffered_bytes;
        let connection = session.connection.and_then(|id| self.connections.get(id));
        match connection {
            Some(one) if one.outbox.bytes() >= limit.min(HELPING) => 0,
            None => 0,
            _ if qos == QoS::AtMostOnce => SOME,
            _ if session.outbound.has_again() || !session.has_window(limit) => 0,
            _ => session.outbound.free().min(SOME),
        }
    }

    /// Sends some of the queue; what has expired is left out (MQTT 5.0 §3.3.2.3.3). True: there was something to do.
    fn send_queued(&mut self, key: Key) -> bool {
        for sent in 0..SOME {
            let next = self
                .sessions
                .get(key)
                .and_then(|session| Some((session, session.queue.front_qos()?)));
            let turn = next.is_some_and(|(session, qos)| self.sendable(session, qos) > 0);
            let popped = turn.then(|| self.with_queue(key, |session, _| session.queue.pop()));
            let Some(delivery) = popped.flatten().flatten() else {
                return sent > 0;
            };
            self.work += 1;
            let readable = self
                .sessions
                .get(key)
                .is_some_and(|session| self.may_read(session, &delivery.message.topic));
            if readable && !delivery.message.expired(self.now) {
                self.transmit(key, &delivery);
            }
        }
        true
    }

    /// Sends some of the retained messages that new subscriptions match (MQTT 5.0 §3.3.1.3). True: there was something
    /// to do.
    fn send_retained(&mut self, key: Key) -> bool {
        let Some(session) = self.sessions.get(key) else {
            return false;
        };
        let Some(walk) = session.walks.front() else {
            return false;
        };
        let most = self.sendable(session, walk.grant.qos);
        if most == 0 {
            return false;
        }
        let grant = walk.grant;
        let stretch = self.retained.stretch(walk, most, self.now);
        self.work += 1 + stretch.messages.len() as u64;
        if let Some(session) = self.sessions.get_mut(key) {
            match (&stretch.reached, session.walks.front_mut()) {
                (Some(_), Some(walk)) => walk.after = stretch.reached,
                _ => drop(session.walks.pop_front()),
            }
        }
        for message in stretch.messages {
            let session = self.sessions.get(key);
            if session.is_some_and(|session| self.may_read(session, &message.topic)) {
                let delivery = Delivery {
                    qos: grant.qos.min(message.qos),
                    message,
                    retain: true,
                    ids: grant.id.into_iter().collect(),
                    group: None,
                    accepted: false,
                };
                self.transmit(key, &delivery);
            }
        }
        true
    }

    /// Sends what a resumed session has to repeat, as far as the window allows.
    fn repeat(&mut self, key: Key) {
        while let Some(session) = self.sessions.get_mut(key) {
            let Some(id) = session.connection else { return };
            let Some(packet) = session.outbound.next_again() else {
                return;
            };
            self.work += 1;
            match packet {
                Packet::Publish(publish) => self.repeat_message(key, id, publish),
                other => self.send(id, other),
            }
        }
    }

    /// Sends a message again, if the client may still read it and it has not expired.
    fn repeat_message(&mut self, key: Key, id: Key, mut publish: Publish) {
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        let readable = self.may_read(session, &publish.topic);
        let flight = session.outbound.tag(publish.packet_id).copied();
        let over = flight.is_some_and(|flight| flight.is_over(&publish, self.now));
        if !readable || over {
            if let Some(session) = self.sessions.get_mut(key) {
                session.outbound.forget(publish.packet_id);
            }
            return;
        }
        if let Some(flight) = flight {
            flight.shorten(&mut publish, self.now);
        }
        self.send(id, Packet::Publish(publish));
    }

    fn transmit(&mut self, key: Key, delivery: &Delivery) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let Some(id) = session.connection else {
            return;
        };
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let mut publish = delivery.publish(connection.version, self.now);
        let spare = spare(&publish, connection.version, connection.largest);
        let Some(spare) = spare else {
            // Too large for this client: as if it had been delivered (MQTT 5.0 §3.1.2.11.4).
            self.counts.messages_dropped += 1;
            return;
        };
        if publish.qos > QoS::AtMostOnce {
            let flight = Flight {
                group: delivery.group,
                expires: delivery.message.expires,
            };
            session.outbound.start(&mut publish, flight);
        } else if connection.outbox.is_backed_up() {
            application::detach(&mut publish);
        }
        // A fault might drop the very message that makes an alias known.
        if spare >= ALIAS_LENGTH && self.faults.is_empty() {
            connection.aliases_out.apply(&mut publish);
        }
        self.send(id, Packet::Publish(publish));
    }
}
