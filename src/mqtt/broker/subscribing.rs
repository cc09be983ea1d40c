//! SUBSCRIBE and UNSUBSCRIBE (MQTT 5.0 §3.8, §3.10).

use bytestring::ByteString;

use super::access::Client;
use super::core::Core;
use super::events::Event;
use super::faults::Action;
use super::subscriptions::{Asked, DEEPEST_FILTER, Grant, wants_retained};
use crate::connect::hosting::Key;
use crate::mqtt::packet::{
    Packet, ReasonCode, SubAck, Subscribe, Subscription, UnsubAck, Unsubscribe, Version,
};
use crate::mqtt::topic;

impl Core {
    pub(super) fn subscribe(&mut self, id: Key, session: Key, subscribe: Subscribe) {
        let shared = |one: &Subscription| Asked::parse(&one.filter).group.is_some();
        // MQTT 5.0 §3.8.3.1: No Local makes no sense where others take over.
        if subscribe
            .subscriptions
            .iter()
            .any(|one| one.no_local && shared(one))
        {
            return self.kick(id, ReasonCode::PROTOCOL_ERROR);
        }
        let identifier = subscribe.properties.subscription_identifiers().next();
        let mut reasons = Vec::with_capacity(subscribe.subscriptions.len());
        let mut retained = Vec::new();
        for wanted in &subscribe.subscriptions {
            let grant = Grant::of(wanted, self.options.maximum_qos, identifier);
            let refusal = self.subscribe_refusal(session, &wanted.filter);
            let reason = refusal.unwrap_or_else(|| ReasonCode(grant.qos.level()));
            if refusal.is_none() {
                let existed = self.add_subscription(session, &wanted.filter, grant);
                if wants_retained(wanted.retain_handling, existed) && !shared(wanted) {
                    retained.push((wanted.filter.clone(), grant));
                }
            }
            self.tell_subscribed(session, &wanted.filter, reason);
            reasons.push(reason);
        }
        let answer = SubAck {
            packet_id: subscribe.packet_id,
            reasons,
            ..SubAck::default()
        };
        self.send(id, Packet::SubAck(answer));
        for (filter, grant) in retained {
            self.send_retained(session, &filter, grant);
        }
    }

    /// Why a filter is not taken; before MQTT 5 there is one code for all reasons (MQTT 3.1.1 §3.9.3).
    fn subscribe_refusal(&mut self, session: Key, filter: &str) -> Option<ReasonCode> {
        let session = self.sessions.get(session)?;
        let client = Client {
            username: session.username.as_deref(),
            client_id: &session.client_id,
        };
        let struck = self
            .faults
            .strike_on(client.client_id, filter, |action| match action {
                Action::RefuseSubscribe(code) => Some(code),
                _ => None,
            });
        let acl = self.options.acl.as_ref();
        let reason = if struck.is_some() {
            struck
        } else if topic::check_filter(filter).is_err() || filter.split('/').count() > DEEPEST_FILTER
        {
            Some(ReasonCode::TOPIC_FILTER_INVALID)
        } else if acl.is_some_and(|acl| !acl.allows_filter(client, filter)) {
            Some(ReasonCode::NOT_AUTHORIZED)
        } else {
            None
        };
        match session.version {
            Version::V5 => reason,
            Version::V31 | Version::V311 => reason.map(|_| ReasonCode::UNSPECIFIED_ERROR),
        }
    }

    fn add_subscription(&mut self, key: Key, filter: &str, grant: Grant) -> bool {
        if let Some(session) = self.sessions.get_mut(key) {
            // A copy: the filter outlives the read buffer that it is a slice of.
            session.filters.insert(ByteString::from(filter));
        }
        self.subscriptions.insert(key, filter, grant)
    }

    fn tell_subscribed(&mut self, session: Key, filter: &ByteString, reason: ReasonCode) {
        if let Some(session) = self.sessions.get(session) {
            self.events.push(Event::Subscribed {
                client_id: session.client_id.clone(),
                filter: filter.clone(),
                reason,
            });
        }
    }

    pub(super) fn unsubscribe(&mut self, id: Key, session: Key, unsubscribe: Unsubscribe) {
        let mut reasons = Vec::with_capacity(unsubscribe.filters.len());
        for filter in &unsubscribe.filters {
            let existed = self.subscriptions.remove(session, filter);
            let Some(state) = self.sessions.get_mut(session) else {
                return;
            };
            state.filters.remove(filter);
            self.events.push(Event::Unsubscribed {
                client_id: state.client_id.clone(),
                filter: filter.clone(),
            });
            reasons.push(if existed {
                ReasonCode::SUCCESS
            } else {
                ReasonCode::NO_SUBSCRIPTION_EXISTED
            });
        }
        if self
            .connections
            .get(id)
            .is_none_or(|connection| connection.version < Version::V5)
        {
            reasons.clear();
        }
        let answer = UnsubAck {
            packet_id: unsubscribe.packet_id,
            reasons,
            ..UnsubAck::default()
        };
        self.send(id, Packet::UnsubAck(answer));
    }
}
