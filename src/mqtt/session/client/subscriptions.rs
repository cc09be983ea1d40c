//! Subscriptions, kept through every reconnect.

use bytestring::ByteString;

use super::{Asked, Event, Session, Wanted};
use crate::mqtt::packet::{
    Packet, Properties, ReasonCode, SubAck, Subscribe, Subscription, UnsubAck, Unsubscribe,
};
use crate::mqtt::session::fault::Fault;

impl Session {
    /// Subscribes now or, when offline, as soon as a connection is there; and again whenever the server
    /// has lost the session.
    ///
    /// # Errors
    /// A filter that cannot be encoded.
    pub fn subscribe(
        &mut self,
        subscriptions: &[Subscription],
        properties: &Properties,
    ) -> Result<(), Fault> {
        let wanted = Wanted {
            subscriptions: subscriptions.to_vec(),
            properties: properties.clone(),
        };
        self.forget(|filter| subscriptions.iter().any(|new| new.filter == *filter));
        self.wanted.push(wanted.clone());
        if self.is_online() {
            self.send_subscribe(wanted)
        } else {
            Ok(())
        }
    }

    /// No longer wants the filters that `matching` picks.
    fn forget(&mut self, matching: impl Fn(&ByteString) -> bool) {
        for wanted in &mut self.wanted {
            wanted
                .subscriptions
                .retain(|subscription| !matching(&subscription.filter));
        }
        self.wanted
            .retain(|wanted| !wanted.subscriptions.is_empty());
    }

    pub(super) fn send_subscribe(&mut self, wanted: Wanted) -> Result<(), Fault> {
        let Wanted {
            subscriptions,
            properties,
        } = wanted;
        let packet_id = self.outbound.reserve();
        let filters = subscriptions
            .iter()
            .map(|subscription| subscription.filter.clone())
            .collect();
        self.asked.insert(packet_id, Asked::Subscribe(filters));
        self.send(&Packet::Subscribe(Subscribe {
            packet_id,
            subscriptions,
            properties,
        }))
    }

    /// Ends subscriptions; only when online.
    ///
    /// # Errors
    /// A filter that cannot be encoded.
    pub fn unsubscribe(
        &mut self,
        filters: &[ByteString],
        properties: &Properties,
    ) -> Result<(), Fault> {
        self.forget(|filter| filters.contains(filter));
        let packet_id = self.outbound.reserve();
        self.asked
            .insert(packet_id, Asked::Unsubscribe(filters.to_vec()));
        let properties = properties.clone();
        self.send(&Packet::Unsubscribe(Unsubscribe {
            packet_id,
            filters: filters.to_vec(),
            properties,
        }))
    }

    pub(super) fn on_suback(&mut self, ack: SubAck) -> Result<(), Fault> {
        let Some(Asked::Subscribe(filters)) = self.answered(ack.packet_id) else {
            return Err(Fault::protocol(
                ReasonCode::PROTOCOL_ERROR,
                "SUBACK for a packet identifier that was not used",
            ));
        };
        if filters.len() != ack.reasons.len() {
            return Err(Fault::protocol(
                ReasonCode::PROTOCOL_ERROR,
                "SUBACK with a wrong number of reason codes",
            ));
        }
        let answers = || filters.iter().zip(&ack.reasons);
        self.forget(|filter| {
            answers().any(|(asked, reason)| asked == filter && reason.is_failure())
        });
        let reason_string = ack.properties.reason_string();
        self.events.push_back(Event::Subscribed(
            filters.into_iter().zip(ack.reasons).collect(),
            reason_string,
        ));
        Ok(())
    }

    pub(super) fn on_unsuback(&mut self, ack: UnsubAck) -> Result<(), Fault> {
        let Some(Asked::Unsubscribe(filters)) = self.answered(ack.packet_id) else {
            return Err(Fault::protocol(
                ReasonCode::PROTOCOL_ERROR,
                "UNSUBACK for a packet identifier that was not used",
            ));
        };
        // Before MQTT 5 there are no reason codes: an UNSUBACK is a success for every filter.
        let reasons = ack
            .reasons
            .into_iter()
            .chain(std::iter::repeat(ReasonCode::SUCCESS));
        self.events.push_back(Event::Unsubscribed(
            filters.into_iter().zip(reasons).collect(),
        ));
        Ok(())
    }

    fn answered(&mut self, packet_id: u16) -> Option<Asked> {
        self.outbound.give_back(packet_id);
        self.asked.remove(&packet_id)
    }
}
