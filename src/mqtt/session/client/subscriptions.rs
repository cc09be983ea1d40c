//! Subscriptions, kept through every reconnect.

use std::collections::HashSet;

use bytestring::ByteString;

use super::requests::{Answer, Filters};
use super::{Event, Session, Wanted};
use crate::mqtt::packet::{Properties, QoS, ReasonCode, SubAck, Subscription, UnsubAck, Version};
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
        // Before the first connection there is nothing but what is wanted.
        match self.ever_connected {
            true => self.send_subscribe(wanted),
            false => Ok(()),
        }
    }

    /// The QoS that was asked for with a filter; `None`: it is not subscribed to.
    pub fn asked(&self, filter: &str) -> Option<QoS> {
        let mut all = self.wanted.iter().flat_map(|it| &it.subscriptions);
        all.find(|it| it.filter == filter).map(|it| it.qos)
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
        self.ask(Filters::Subscribe(subscriptions.into()), &properties)
    }

    /// Ends subscriptions now or, when offline, as soon as a connection to the same session is there; after the first connection.
    ///
    /// # Errors
    /// A filter that cannot be encoded.
    pub fn unsubscribe(
        &mut self,
        filters: &[ByteString],
        properties: &Properties,
    ) -> Result<(), Fault> {
        self.forget(|filter| filters.contains(filter));
        self.ask(
            Filters::Unsubscribe(filters.iter().cloned().collect()),
            properties,
        )
    }

    pub(super) fn on_suback(&mut self, ack: SubAck) -> Result<(), Fault> {
        let part = self.answered(ack.packet_id, true, Some(ack.reasons.len()))?;
        let words = ack.properties.reason_string();
        self.note(&part, ack.reasons, words);
        self.ask_on()
    }

    pub(super) fn on_unsuback(&mut self, ack: UnsubAck) -> Result<(), Fault> {
        // Before MQTT 5 there are no reason codes: an UNSUBACK is a success for every filter.
        let tells = self.connect.version == Version::V5;
        let told = tells.then_some(ack.reasons.len());
        let part = self.answered(ack.packet_id, false, told)?;
        let mut reasons = ack.reasons;
        reasons.resize(part.len(), ReasonCode::SUCCESS);
        self.note(&part, reasons, None);
        self.ask_on()
    }

    /// Tells what became of a whole request; what was refused is not asked for again.
    pub(super) fn tell(&mut self, answer: Answer) {
        let Answer {
            subscribes,
            answers,
            words,
        } = answer;
        if !subscribes {
            return self.events.push_back(Event::Unsubscribed(answers));
        }
        let refused: HashSet<_> = answers
            .iter()
            .filter(|(_, reason)| reason.is_failure())
            .map(|(filter, _)| filter.clone())
            .collect();
        self.forget(|filter| refused.contains(filter));
        self.events.push_back(Event::Subscribed(answers, words));
    }
}
