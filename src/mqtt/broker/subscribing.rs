//! SUBSCRIBE and UNSUBSCRIBE (MQTT 5.0 §3.8, §3.10).

use std::collections::{HashSet, VecDeque};

use bytestring::ByteString;

use super::core::Core;
use super::events::Event;
use super::faults::Action;
use super::retained::Walk;
use super::sessions::Session;
use super::subscriptions::{Asked, DEEPEST_FILTER, Grant, wants_retained};
use crate::mqtt::packet::{
    Packet, ReasonCode, SubAck, Subscribe, Subscription, UnsubAck, Unsubscribe, Version,
};
use crate::mqtt::topic;
use crate::server::Key;

/// The most subscriptions of one session.
const MOST_SUBSCRIPTIONS: usize = 100_000;

/// What they may hold, in bytes, as [`held`] estimates it.
const MOST_HELD: usize = 128 << 20;

/// What a filter holds, in bytes: its text, twice, and a place in the tree for each of its levels.
fn held(filter: &str) -> usize {
    128 + 2 * filter.len() + 256 * filter.split('/').count()
}

/// A SUBSCRIBE or UNSUBSCRIBE that is done a filter at a time, so that one of many filters makes nobody wait.
#[derive(Debug)]
pub(super) struct Request {
    session: Key,
    packet_id: u16,
    filters: Filters,
    /// The answers to those that are done.
    reasons: Vec<ReasonCode>,
    /// What is to follow the answer.
    walks: VecDeque<Walk>,
}

#[derive(Debug)]
enum Filters {
    Subscribe(Vec<Subscription>, Option<u32>),
    Unsubscribe(Vec<ByteString>),
}

impl Request {
    fn new(session: Key, packet_id: u16, filters: Filters) -> Self {
        Self {
            session,
            packet_id,
            filters,
            reasons: Vec::new(),
            walks: VecDeque::new(),
        }
    }
}

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
        let filters = Filters::Subscribe(subscribe.subscriptions, identifier);
        self.request(id, Request::new(session, subscribe.packet_id, filters));
    }

    pub(super) fn unsubscribe(&mut self, id: Key, session: Key, unsubscribe: Unsubscribe) {
        let filters = Filters::Unsubscribe(unsubscribe.filters);
        self.request(id, Request::new(session, unsubscribe.packet_id, filters));
    }

    fn request(&mut self, id: Key, request: Request) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.request = Some(Box::new(request));
        }
        self.continue_request(id);
    }

    /// Goes on with a request, and answers it when it is done.
    pub(super) fn continue_request(&mut self, id: Key) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let Some(mut request) = connection.request.take() else {
            return;
        };
        while self.next_filter(&mut request) {
            if self.is_tired() {
                if let Some(connection) = self.connections.get_mut(id) {
                    connection.request = Some(request);
                }
                return;
            }
        }
        self.answer(id, *request);
    }

    /// Does the next filter of a request; false: there is none.
    fn next_filter(&mut self, request: &mut Request) -> bool {
        let (session, at) = (request.session, request.reasons.len());
        self.work += 1;
        let reason = match &request.filters {
            Filters::Unsubscribe(filters) => {
                let Some(filter) = filters.get(at) else {
                    return false;
                };
                self.remove_subscription(session, filter)
            }
            Filters::Subscribe(subscriptions, identifier) => {
                let Some(wanted) = subscriptions.get(at) else {
                    return false;
                };
                let (reason, walk) = self.add(session, wanted, *identifier);
                request.walks.extend(walk);
                reason
            }
        };
        request.reasons.push(reason);
        true
    }

    /// Adds a subscription; with the answer comes what is to be sent of the retained messages.
    fn add(
        &mut self,
        session: Key,
        wanted: &Subscription,
        identifier: Option<u32>,
    ) -> (ReasonCode, Option<Walk>) {
        let grant = Grant::of(wanted, self.options.maximum_qos, identifier);
        if let Some(refusal) = self.subscribe_refusal(session, &wanted.filter) {
            self.tell_subscribed(session, &wanted.filter, refusal);
            return (refusal, None);
        }
        // A copy: the filter outlives the read buffer that it is a slice of.
        let filter = ByteString::from(&*wanted.filter);
        let existed = self.add_subscription(session, &filter, grant);
        let reason = ReasonCode(grant.qos.level());
        self.tell_subscribed(session, &filter, reason);
        let shared = Asked::parse(&filter).group.is_some();
        let walks = wants_retained(wanted.retain_handling, existed)
            && !shared
            && self.retained.may_match(&filter);
        let walk = walks.then_some(Walk {
            filter,
            grant,
            after: None,
        });
        (reason, walk)
    }

    fn answer(&mut self, id: Key, request: Request) {
        let Request {
            session,
            packet_id,
            mut reasons,
            walks,
            ..
        } = request;
        let version = self.connections.get(id).map(|one| one.version);
        let answer = match request.filters {
            Filters::Subscribe(..) => Packet::SubAck(SubAck {
                packet_id,
                reasons,
                ..SubAck::default()
            }),
            Filters::Unsubscribe(_) => {
                if version != Some(Version::V5) {
                    reasons.clear();
                }
                Packet::UnsubAck(UnsubAck {
                    packet_id,
                    reasons,
                    ..UnsubAck::default()
                })
            }
        };
        self.send(id, answer);
        if let Some(session) = self.sessions.get_mut(session) {
            begin_walks(session, walks);
        }
    }

    /// Why a filter is not taken; before MQTT 5 there is one code for all reasons (MQTT 3.1.1 §3.9.3).
    fn subscribe_refusal(&mut self, session: Key, filter: &str) -> Option<ReasonCode> {
        let session = self.sessions.get(session)?;
        let client = session.client();
        let struck = self
            .faults
            .strike_on(client.client_id, filter, |action| match action {
                Action::RefuseSubscribe(code) => Some(code),
                _ => None,
            });
        let acl = self.options.access(client.access).acl.as_ref();
        let reason = if struck.is_some() {
            struck
        } else if topic::check_filter(filter).is_err() || filter.split('/').count() > DEEPEST_FILTER
        {
            Some(ReasonCode::TOPIC_FILTER_INVALID)
        } else if acl.is_some_and(|acl| !acl.allows_filter(client, filter)) {
            Some(ReasonCode::NOT_AUTHORIZED)
        } else if !session.filters.contains(filter)
            && (session.filters.len() >= MOST_SUBSCRIPTIONS
                || session.filters_held + held(filter) > MOST_HELD)
        {
            Some(ReasonCode::QUOTA_EXCEEDED)
        } else {
            None
        };
        match session.version {
            Version::V5 => reason,
            Version::V31 | Version::V311 => reason.map(|_| ReasonCode::UNSPECIFIED_ERROR),
        }
    }

    fn add_subscription(&mut self, key: Key, filter: &ByteString, grant: Grant) -> bool {
        if let Some(session) = self.sessions.get_mut(key)
            && session.filters.insert(filter.clone())
        {
            session.filters_held += held(filter);
        }
        self.room = true;
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

    fn remove_subscription(&mut self, key: Key, filter: &ByteString) -> ReasonCode {
        let existed = self.subscriptions.remove(key, filter);
        self.room = true;
        if let Some(session) = self.sessions.get_mut(key) {
            if session.filters.remove(filter) {
                session.filters_held -= held(filter);
            }
            session.walks.retain(|walk| walk.filter != *filter);
            self.events.push(Event::Unsubscribed {
                client_id: session.client_id.clone(),
                filter: filter.clone(),
            });
        }
        if existed {
            ReasonCode::SUCCESS
        } else {
            ReasonCode::NO_SUBSCRIPTION_EXISTED
        }
    }
}

/// Adds to what a session is to get of the retained messages; a filter subscribed to again starts again.
fn begin_walks(session: &mut Session, walks: VecDeque<Walk>) {
    if session.walks.is_empty() {
        session.walks = walks;
        return;
    }
    let again: HashSet<_> = walks.iter().map(|walk| walk.filter.clone()).collect();
    session.walks.retain(|walk| !again.contains(&walk.filter));
    session.walks.extend(walks);
}
