//! Messages to the server.

use super::closing::Unproved;
use super::{Event, Session, Ticket, Unsendable};
use crate::mqtt::packet::{self, Ack, Packet, Publish, QoS, Version};
use crate::mqtt::session::alias::{self, ALIAS_LENGTH};
use crate::mqtt::session::fault::Fault;
use crate::mqtt::session::outbound::{Outbound, Progress};

impl Session {
    /// Whether a message of this QoS can go out now: online, and the window has room.
    pub fn can_publish(&self, qos: QoS) -> bool {
        self.is_online()
            && (qos == QoS::AtMostOnce || (self.resend.is_empty() && self.outbound.has_room(qos)))
    }

    /// Sends a message; `ticket` comes back with its acknowledgement (QoS 1 and 2 only).
    /// The caller has asked [`Self::can_publish`] and may fill `publish` anew for its next message.
    ///
    /// # Errors
    /// What this server, or MQTT itself, does not take; nothing is sent then.
    #[inline]
    pub fn publish(&mut self, publish: &mut Publish, ticket: Ticket) -> Result<(), Unsendable> {
        let spare = self.check(publish)?;
        if publish.qos > QoS::AtMostOnce {
            self.outbound.start(publish, ticket);
        } else {
            self.unproved = Unproved::Sent;
        }
        self.write_publish(publish, spare)?;
        Ok(())
    }

    /// The highest QoS that the server of this connection takes.
    pub(crate) fn maximum_qos(&self) -> QoS {
        self.limits.of_messages.maximum_qos()
    }

    /// By how many bytes the packet stays below the server's limit.
    #[inline]
    fn check(&self, publish: &Publish) -> Result<usize, Unsendable> {
        let server = &self.limits.of_messages;
        server.check(publish.qos, publish.retain)?;
        let (version, limit) = (self.connect.version, self.limits.largest_out);
        // Nothing else in it can be too long to be written.
        let plain = publish.properties.is_empty() && publish.topic.len() <= usize::from(u16::MAX);
        if plain && let Some(spare) = alias::spare(publish, version, limit) {
            return Ok(spare);
        }
        if version == Version::V5 {
            server.check_alias(publish.properties.topic_alias())?;
        }
        let size = packet::publish_len(publish, version)?;
        match limit.checked_sub(size) {
            Some(spare) => Ok(spare as usize),
            None => Err(Unsendable::TooLarge { size, limit }),
        }
    }

    /// Writes the message, with an alias in place of its topic where that fits; `publish` is the same afterwards.
    #[inline]
    fn write_publish(
        &mut self,
        publish: &mut Publish,
        spare: usize,
    ) -> Result<(), packet::Unencodable> {
        let version = self.connect.version;
        let topic = match spare >= ALIAS_LENGTH {
            true => self.aliases_out.apply(publish),
            false => None,
        };
        let written = packet::encode_publish(publish, version, &mut self.output);
        if let Some(topic) = topic {
            publish.properties.pop();
            publish.topic = topic;
        }
        written
    }

    pub(super) fn on_progress(
        &mut self,
        step: impl FnOnce(&mut Outbound<Ticket>) -> Progress<Ticket>,
        ack: &Ack,
    ) -> Result<(), Fault> {
        let topic = if ack.reason.is_failure() {
            self.outbound.topic(ack.packet_id)
        } else {
            None
        };
        match step(&mut self.outbound) {
            Progress::Done {
                tag: ticket,
                reason,
            } => {
                let reason_string = ack.properties.reason_string();
                if self.is_cautious() {
                    self.outbound.set_window(self.server_window);
                }
                self.suspects.survived();
                self.tell_outcome(Event::Acknowledged {
                    ticket,
                    packet_id: ack.packet_id,
                    reason,
                    reason_string,
                    topic,
                });
                self.pump()
            }
            Progress::InDoubt(ticket) => {
                self.suspects.survived();
                let reason = Some(ack.reason);
                self.tell_outcome(Event::InDoubt { ticket, reason });
                self.pump()
            }
            Progress::Release(release) => self.send(&Packet::PubRel(release)),
            // An acknowledgement that nobody waits for harms nobody: a server may repeat one after a reconnect.
            Progress::Unexpected => Ok(()),
        }
    }

    /// Sends again what a resumed or a lost session left behind, as far as the window allows.
    #[inline]
    pub(super) fn pump(&mut self) -> Result<(), Fault> {
        if self.outbound.has_again() || !self.resend.is_empty() {
            return self.send_again();
        }
        Ok(())
    }

    fn send_again(&mut self) -> Result<(), Fault> {
        while let Some(packet) = self.outbound.next_again() {
            if let Packet::Publish(publish) = &packet
                && let Err(why) = self.check(publish)
                && let Some((ticket, _)) = self.outbound.give_up(publish.packet_id)
            {
                self.tell_unsendable(ticket, publish.clone(), why);
                continue;
            }
            self.send(&packet)?;
        }
        while let Some((_, next)) = self.resend.front()
            && self.outbound.has_room(next.qos)
            && let Some((ticket, mut publish)) = self.resend.pop_front()
        {
            publish.duplicate = false;
            match self.check(&publish) {
                Ok(spare) => {
                    self.outbound.start(&mut publish, ticket);
                    self.write_publish(&mut publish, spare)?;
                }
                Err(why) => self.tell_unsendable(ticket, publish, why),
            }
        }
        Ok(())
    }

    /// The server of this connection takes less than the one did that the message was sent to (MQTT 5.0 §3.2.2.3).
    fn tell_unsendable(&mut self, ticket: Ticket, mut publish: Publish, why: Unsendable) {
        publish.duplicate = false;
        publish.packet_id = 0;
        let message = Box::new((publish, why));
        self.tell_outcome(Event::Unsendable { ticket, message });
    }

    pub(super) fn send(&mut self, packet: &Packet) -> Result<(), Fault> {
        Ok(packet::encode(
            packet,
            self.connect.version,
            &mut self.output,
        )?)
    }
}
