//! From a message to its subscribers: matching, merging, queues and windows.

use std::rc::Rc;

use super::access::{Client, Right};
use super::application::{Delivery, Message};
use super::core::Core;
use super::events::Event;
use super::subscriptions::{Grant, Target};
use crate::connect::hosting::Key;
use crate::mqtt::packet::{self, LARGEST_PACKET, Packet, Publish, QoS, Version};

/// The most bytes that a topic alias adds to a PUBLISH: itself, and a longer property length.
const ALIAS_LENGTH: usize = 4;

impl Core {
    /// Keeps the message where it is to be retained and hands it to all subscribers.
    pub(super) fn route(&mut self, message: Message) {
        if message.retain && self.options.retain_available {
            self.retained.store(&message);
        }
        let matches = self.subscriptions.matching(&message.topic);
        if matches.is_empty() {
            return;
        }
        let message = Rc::new(message);
        for target in &matches.targets {
            self.offer(target, &message);
        }
        for &group in &matches.groups {
            self.share(group, &message);
        }
    }

    /// One message for all subscriptions of a session that match: the highest QoS and every
    /// identifier (MQTT 5.0 §3.3.4); none where No Local keeps it from its own publisher.
    fn offer(&mut self, target: &Target, message: &Rc<Message>) {
        let own = message.source == Some(target.session);
        let mut granted = None;
        let mut retain_as_published = false;
        let mut ids = Vec::new();
        for grant in target
            .grants
            .iter()
            .filter(|grant| !(own && grant.no_local))
        {
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
        };
        self.deliver(target.session, delivery);
    }

    /// One message for one member of a shared subscription, as long as it has members.
    pub(super) fn share(&mut self, group: Key, message: &Rc<Message>) {
        let sessions = &self.sessions;
        let connected = |key| {
            sessions
                .get(key)
                .is_some_and(|session| session.connection.is_some())
        };
        let Some((session, grant)) = self.subscriptions.choose(group, connected) else {
            return;
        };
        let delivery = Delivery {
            message: Rc::clone(message),
            qos: grant.qos.min(message.qos),
            retain: message.retain && grant.retain_as_published,
            ids: grant.id.into_iter().collect(),
            group: Some(group),
        };
        self.deliver(session, delivery);
    }

    /// The retained messages that match a new subscription (MQTT 5.0 §3.3.1.3).
    pub(super) fn send_retained(&mut self, session: Key, filter: &str, grant: Grant) {
        for message in self.retained.matching(filter, self.now) {
            let delivery = Delivery {
                qos: grant.qos.min(message.qos),
                message,
                retain: true,
                ids: grant.id.into_iter().collect(),
                group: None,
            };
            self.deliver(session, delivery);
        }
    }

    /// Sends now, keeps for later, or drops and counts.
    fn deliver(&mut self, key: Key, delivery: Delivery) {
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        let client = Client {
            username: session.username.as_deref(),
            client_id: &session.client_id,
        };
        if !self.may(client, Right::Read, &delivery.message.topic) {
            return;
        }
        let turn = session.queue.is_empty() && session.outbound.free() > 0;
        match (delivery.qos, self.has_room(session.connection)) {
            (QoS::AtMostOnce, Some(true)) => self.transmit(key, &delivery),
            (QoS::AtMostOnce, Some(false)) => self.counts.messages_dropped += 1,
            (QoS::AtMostOnce, None) if !self.options.queue_qos0_offline => {}
            (_, Some(true)) if turn => self.transmit(key, &delivery),
            _ => self.enqueue(key, delivery),
        }
    }

    /// Whether the client reads what is sent to it; `None`: it is away.
    fn has_room(&self, connection: Option<Key>) -> Option<bool> {
        let connection = self.connections.get(connection?)?;
        Some(connection.outbox.bytes() < self.options.max_buffered_bytes)
    }

    fn enqueue(&mut self, key: Key, delivery: Delivery) {
        let (messages, bytes) = (self.options.max_queued, self.options.max_queued_bytes);
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        session.overflows &= !session.queue.is_empty();
        if session.queue.push(delivery, messages, bytes) {
            return;
        }
        self.counts.messages_dropped += 1;
        // Told once for each time that the queue fills up.
        if !std::mem::replace(&mut session.overflows, true) {
            let client_id = session.client_id.clone();
            self.events.push(Event::QueueFull { client_id });
        }
    }

    /// Sends what waits, as far as window and room allow; what has expired is left out (MQTT 5.0 §3.3.2.3.3).
    pub(super) fn pump(&mut self, key: Key) {
        self.repeat(key);
        while let Some(session) = self.sessions.get_mut(key) {
            let next = session.queue.front_qos();
            let turn =
                next.is_some_and(|qos| qos == QoS::AtMostOnce || session.outbound.free() > 0);
            let connection = session.connection;
            if !turn || self.has_room(connection) != Some(true) {
                return;
            }
            let delivery = self
                .sessions
                .get_mut(key)
                .and_then(|session| session.queue.pop());
            if let Some(delivery) = delivery.filter(|one| !one.message.expired(self.now)) {
                self.transmit(key, &delivery);
            }
        }
    }

    /// Sends what a resumed session has to repeat, as far as the window allows.
    fn repeat(&mut self, key: Key) {
        while let Some(session) = self.sessions.get_mut(key) {
            let Some(id) = session.connection else { return };
            let Some(packet) = session.outbound.next_again() else {
                return;
            };
            self.send(id, packet);
        }
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
            session.outbound.start(&mut publish, delivery.group);
        }
        // A fault might drop the very message that makes an alias known.
        if spare >= ALIAS_LENGTH && self.faults.is_empty() {
            connection.aliases_out.apply(&mut publish);
        }
        self.send(id, Packet::Publish(publish));
    }
}

/// A payload below this many bytes leaves room for every property within the protocol's own limit.
const SURELY_FITS: usize = 128 * 1024 * 1024;

/// By how many bytes the packet stays below the client's limit; `None`: it does not.
fn spare(publish: &Publish, version: Version, largest: u32) -> Option<usize> {
    // The sum is only worked out where it can matter.
    if largest >= LARGEST_PACKET && publish.payload.len() < SURELY_FITS {
        return Some(usize::MAX);
    }
    let length = packet::publish_len(publish, version).ok()?;
    largest.checked_sub(length).map(|spare| spare as usize)
}
