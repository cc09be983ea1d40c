//! Subscriptions, kept through every reconnect.

use std::collections::HashSet;

use bytestring::ByteString;

use super::requests::{Answer, Filters, Part};
use super::{Event, Session, Wanted};
use crate::mqtt::packet::{Properties, QoS, ReasonCode, SubAck, Subscription, UnsubAck};
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
        self.ask(Filters::Subscribe(subscriptions), &properties)
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
        self.ask(Filters::Unsubscribe(filters.to_vec()), properties)
    }

    pub(super) fn on_suback(&mut self, ack: SubAck) -> Result<(), Fault> {
        let Some(part) = self.answered(ack.packet_id, true) else {
            return Err(Fault::protocol(
                ReasonCode::PROTOCOL_ERROR,
                "SUBACK with an unknown packet identifier",
            ));
        };
        if part.filters.len() != ack.reasons.len() {
            return Err(Fault::protocol(
                ReasonCode::PROTOCOL_ERROR,
                "SUBACK with a wrong number of reason codes",
            ));
        }
        let words = ack.properties.reason_string();
        self.part_done(part, ack.reasons, words)
    }

    pub(super) fn on_unsuback(&mut self, ack: UnsubAck) -> Result<(), Fault> {
        let Some(part) = self.answered(ack.packet_id, false) else {
            return Err(Fault::protocol(
                ReasonCode::PROTOCOL_ERROR,
                "UNSUBACK with an unknown packet identifier",
            ));
        };
        // Before MQTT 5 there are no reason codes: an UNSUBACK is a success for every filter.
        let mut reasons = ack.reasons;
        reasons.resize(part.filters.len(), ReasonCode::SUCCESS);
        self.part_done(part, reasons, None)
    }

    /// A part is answered: the next goes out, and after the last one there is an event.
    fn part_done(
        &mut self,
        part: Part,
        reasons: Vec<ReasonCode>,
        words: Option<ByteString>,
    ) -> Result<(), Fault> {
        if let Some(answer) = self.requests.note(&part, reasons, words) {
            self.tell(answer);
        }
        self.ask_on()
    }

    /// Tells what became of a whole request; what was refused is not asked for again.
    pub(super) fn tell(&mut self, answer: Answer) {
        let Answer {
            subscribes,
            answers,
            words,
            ..
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
