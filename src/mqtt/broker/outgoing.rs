//! What leaves the broker: packets into outboxes, with the faults that affect them, and closes.

use std::time::Duration;

use super::connection::{Connection, Outgo, Phase};
use super::core::Core;
use super::events::Event;
use super::faults::Action;
use super::sessions::Reminder;
use crate::mqtt::packet::{ConnAck, Disconnect, Packet, ReasonCode, Version};
use crate::server::Key;

/// How long a closing connection may take to read what is left for it, and to close its side.
pub(super) const FAREWELL: Duration = Duration::from_secs(2);

impl Core {
    /// Sends a packet, or does to it what a fault says.
    pub(super) fn send(&mut self, id: Key, packet: Packet) {
        if self.faults.is_empty() {
            return self.post(id, Outgo::Packet(packet));
        }
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let action = self.faults.on_packet(&connection.client_id, &packet);
        let held = match &packet {
            Packet::Publish(_) => connection.outbox.held.take(),
            _ => None,
        };
        match action {
            Some(Action::DropAck | Action::DropPublish) => {}
            Some(Action::DelayAck(by) | Action::DelayPublish(by)) => {
                self.timers
                    .delay(self.now + by, (id, Outgo::Packet(packet)));
            }
            Some(Action::DuplicateAck | Action::DuplicatePublish) => {
                self.post(id, Outgo::Packet(packet.clone()));
                self.post(id, Outgo::Packet(packet));
            }
            Some(Action::ReorderPublish) if held.is_none() => connection.outbox.held = Some(packet),
            _ => self.post(id, Outgo::Packet(packet)),
        }
        if let Some(packet) = held {
            self.post(id, Outgo::Packet(packet));
        }
    }

    pub(super) fn post(&mut self, id: Key, outgo: Outgo) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if !connection.takes(&outgo) {
            return self.end_for_size(id, &outgo);
        }
        if let Outgo::Packet(Packet::Publish(publish)) = &outgo {
            self.counts.messages_sent += 1;
            self.counts.payload_sent += publish.payload.len() as u64;
        }
        self.counts.packets_sent += 1;
        connection.outbox.push(outgo, self.now);
        self.announce(id);
    }

    /// Ends a connection whose client is to be told something and does not take a packet as large as that
    /// (MQTT 5.0 §3.1.2.11.4).
    fn end_for_size(&mut self, id: Key, outgo: &Outgo) {
        let (Outgo::Packet(packet), Some(connection)) = (outgo, self.connections.get(id)) else {
            return;
        };
        // The close that follows has to do.
        if matches!(packet, Packet::Disconnect(_)) {
            return;
        }
        self.events.push(Event::TooLarge {
            client_id: connection.client_id.clone(),
            packet: packet.name(),
            most: connection.largest,
        });
        let reason = ReasonCode::PACKET_TOO_LARGE;
        // There is no DISCONNECT without a CONNACK before it ([MQTT-3.14.0-1]).
        if !matches!(packet, Packet::ConnAck(_)) {
            self.say_goodbye(id, reason);
        }
        self.detach(id, true, Some(reason));
        self.hang_up(id);
    }

    pub(super) fn announce(&mut self, id: Key) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        if !connection.outbox.announced {
            connection.outbox.announced = true;
            self.ready.push(id);
        }
    }

    /// Ends a connection for a reason of ours: DISCONNECT where MQTT 5 is spoken (MQTT 5.0 §4.13), then the close.
    pub(super) fn kick(&mut self, id: Key, reason: ReasonCode) {
        self.say_goodbye(id, reason);
        self.detach(id, true, Some(reason));
        self.hang_up(id);
    }

    pub(super) fn say_goodbye(&mut self, id: Key, reason: ReasonCode) {
        let speaks = |connection: &&Connection| {
            connection.session().is_some() && connection.version == Version::V5
        };
        if self.connections.get(id).filter(speaks).is_some() {
            let goodbye = Disconnect {
                reason,
                ..Disconnect::default()
            };
            self.post(id, Outgo::Packet(Packet::Disconnect(goodbye)));
        }
    }

    /// Answers CONNECT with a refusal and closes.
    pub(super) fn refuse_connection(&mut self, id: Key, version: Version, reason: ReasonCode) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.version = version;
            self.events.push(Event::Refused {
                client_id: connection.client_id.clone(),
                peer: connection.peer.clone(),
                reason,
            });
        }
        let refusal = ConnAck {
            reason,
            ..ConnAck::default()
        };
        self.send(id, Packet::ConnAck(refusal));
        self.hang_up(id);
    }

    /// Closes the connection once everything is written.
    pub(super) fn hang_up(&mut self, id: Key) {
        self.detach(id, true, None);
        if let Some(connection) = self.connections.get_mut(id) {
            connection.phase = Phase::Closing;
            let until = self.now + FAREWELL;
            self.timers.remind(until, Reminder::Connection(id));
        }
        self.announce(id);
    }
}
