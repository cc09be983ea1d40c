//! Messages from the server.

use super::{Event, Session};
use crate::mqtt::packet::{Ack, Packet, Properties, Publish, QoS, ReasonCode, Version};
use crate::mqtt::session::fault::Fault;
use crate::mqtt::session::inbound::Arrival;

/// First bytes of the acknowledgements that tell success; followed by 2 and the identifier in every version.
const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;

/// The length of each, in bytes.
const ACKNOWLEDGEMENT: usize = 4;

impl Session {
    #[inline]
    pub(super) fn hold_acknowledgement(&mut self, publish: &Publish) {
        let [high, low] = publish.packet_id.to_be_bytes();
        match publish.qos {
            // QoS 0, or its connection is gone.
            _ if publish.packet_id == 0 => {}
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => {
                self.held_final += 1;
                self.held.extend_from_slice(&[PUBACK, 2, high, low]);
            }
            QoS::ExactlyOnce => self.held.extend_from_slice(&[PUBREC, 2, high, low]),
        }
    }

    #[inline]
    pub(super) fn on_publish(&mut self, mut publish: Publish) -> Result<(), Fault> {
        if self.connect.version == Version::V5 {
            self.aliases_in
                .resolve(&mut publish)
                .map_err(|reason| Fault::protocol(reason, "PUBLISH with an unknown topic alias"))?;
        }
        if publish.qos == QoS::ExactlyOnce
            && self.inbound.publish(publish.packet_id) == Arrival::Repeated
        {
            return self.send(&Packet::PubRec(Ack {
                packet_id: publish.packet_id,
                ..Ack::default()
            }));
        }
        let taken = self.admits(&publish).and_then(|admitted| {
            if admitted {
                self.count_unacknowledged(publish.qos)?;
            }
            Ok(admitted)
        });
        match taken {
            Ok(true) => self.events.push_back(Event::Message(publish)),
            Ok(false) => {}
            Err(fault) => {
                // It comes again, and is new then.
                if publish.qos == QoS::ExactlyOnce {
                    self.inbound.refuse(publish.packet_id);
                }
                return Err(fault);
            }
        }
        Ok(())
    }

    #[inline]
    fn count_unacknowledged(&mut self, qos: QoS) -> Result<(), Fault> {
        if qos == QoS::AtMostOnce {
            return Ok(());
        }
        self.unacknowledged += 1;
        if self.unacknowledged > u32::from(self.limits.receive_maximum) {
            return Err(Fault::protocol(
                ReasonCode::RECEIVE_MAXIMUM_EXCEEDED,
                "more unacknowledged messages than the receive maximum allows",
            ));
        }
        Ok(())
    }

    /// How many QoS 1 and 2 messages of the server still occupy its window.
    pub const fn unacknowledged(&self) -> u32 {
        self.unacknowledged
    }

    /// All messages handed out so far are safe where they went: acknowledge them.
    pub fn accept(&mut self) {
        self.output.unsplit(self.held.split());
        self.unacknowledged = self
            .unacknowledged
            .saturating_sub(std::mem::take(&mut self.held_final));
    }

    /// The connection is gone, and what came over it and was not accepted can no longer be acknowledged: on the next one its
    /// identifiers may belong to others. A server that keeps the session sends it again, and it is new then, at QoS 2 too.
    pub(super) fn leave_unaccepted(&mut self) {
        for ack in self.held.chunks_exact(ACKNOWLEDGEMENT) {
            // Of four bytes, as the length of the chunk has it.
            if ack[0] == PUBREC {
                self.inbound.refuse(u16::from_be_bytes([ack[2], ack[3]]));
            }
        }
        self.held.clear();
        self.held_final = 0;
        let kept = self.is_kept();
        let inbound = &mut self.inbound;
        self.events.retain_mut(|event| {
            let Event::Message(publish) = event else {
                return true;
            };
            // 0 is QoS 0, or of a connection before.
            let id = std::mem::take(&mut publish.packet_id);
            if publish.qos == QoS::ExactlyOnce && kept {
                inbound.refuse(id);
            }
            id == 0 || !kept
        });
        self.count_waiting();
    }

    /// Of the acknowledgements that are held back, send the first `count`: the order of arrival (MQTT 5.0 §4.6).
    pub fn accept_first(&mut self, count: usize) {
        let held = self.held.len().min(ACKNOWLEDGEMENT * count);
        let first = self.held.split_to(held);
        let finals = first.chunks(ACKNOWLEDGEMENT).filter(|it| it[0] == PUBACK);
        // As many as `held_final` counted when they were held.
        let finals = finals.count() as u32;
        self.held_final -= finals;
        self.unacknowledged = self.unacknowledged.saturating_sub(finals);
        self.output.unsplit(first);
    }

    pub(super) fn on_pubrel(&mut self, ack: &Ack) -> Result<(), Fault> {
        let known = self.inbound.release(ack.packet_id);
        if known {
            self.unacknowledged = self.unacknowledged.saturating_sub(1);
        }
        let reason = if known {
            ReasonCode::SUCCESS
        } else {
            ReasonCode::PACKET_IDENTIFIER_NOT_FOUND
        };
        let answer = Ack {
            packet_id: ack.packet_id,
            reason,
            properties: Properties::default(),
        };
        self.send(&Packet::PubComp(answer))
    }
}
