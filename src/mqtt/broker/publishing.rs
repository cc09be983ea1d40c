//! PUBLISH from clients (MQTT 5.0 §3.3, §4.3) and the acknowledgements of both directions.

use super::access::{Client, Right};
use super::application::{Flight, Message};
use super::core::Core;
use super::faults::Action;
use crate::mqtt::packet::{Ack, Packet, Publish, QoS, ReasonCode, Version};
use crate::mqtt::session::outbound::Progress;
use crate::server::Key;

impl Core {
    pub(super) fn publish(&mut self, id: Key, session: Key, mut publish: Publish) {
        self.counts.messages_received += 1;
        self.counts.payload_received += publish.payload.len() as u64;
        if let Err(reason) = self.check(id, &mut publish) {
            return self.kick(id, reason);
        }
        if self.must_wait(id, session, &publish) {
            return self.hold(id, publish);
        }
        self.accept_publish(id, session, publish);
    }

    /// Takes or refuses a message that does not have to wait.
    pub(super) fn accept_publish(&mut self, id: Key, session: Key, publish: Publish) {
        match publish.qos {
            QoS::AtMostOnce if self.refusal(session, &publish).is_some() => {}
            QoS::AtMostOnce => self.route(Message::published(publish, session, self.now)),
            QoS::AtLeastOnce => self.publish_once(id, session, publish),
            QoS::ExactlyOnce => self.publish_exactly_once(id, session, publish),
        }
    }

    /// Resolves the topic alias and looks for what ends the connection.
    fn check(&mut self, id: Key, publish: &mut Publish) -> Result<(), ReasonCode> {
        let Some(connection) = self.connections.get_mut(id) else {
            return Ok(());
        };
        connection.aliases_in.resolve(publish)?;
        if publish.qos > self.options.maximum_qos {
            return Err(ReasonCode::QOS_NOT_SUPPORTED);
        }
        if publish.retain && !self.options.retain_available {
            return Err(ReasonCode::RETAIN_NOT_SUPPORTED);
        }
        // Only a server attaches identifiers (MQTT 5.0 §3.3.4).
        let identified = publish
            .properties
            .subscription_identifiers()
            .next()
            .is_some();
        if identified {
            Err(ReasonCode::PROTOCOL_ERROR)
        } else {
            Ok(())
        }
    }

    /// Why the message is not taken; `None`: it is. What must not be published is refused as that, whether or not
    /// there would be room.
    fn refusal(&mut self, session: Key, publish: &Publish) -> Option<ReasonCode> {
        self.denial(session, publish).or_else(|| {
            self.is_refused_by_a_queue(session, publish)
                .then_some(ReasonCode::QUOTA_EXCEEDED)
        })
    }

    /// Why the message must not be published.
    fn denial(&mut self, session: Key, publish: &Publish) -> Option<ReasonCode> {
        let session = self.sessions.get(session)?;
        let acl = &self.options.access(session.access).acl;
        if self.faults.is_empty() && acl.is_none() && !publish.topic.starts_with('$') {
            return None;
        }
        let client_id = &session.client_id;
        let refused = self
            .faults
            .strike_on(client_id, &publish.topic, |action| match action {
                Action::RefusePublish(code) => Some(code),
                _ => None,
            });
        if refused.is_some() {
            return refused;
        }
        let allowed = self.may_write(session.client(), &publish.topic);
        (!allowed).then_some(ReasonCode::NOT_AUTHORIZED)
    }

    pub(super) fn may_publish(&self, session: Key, topic: &str) -> bool {
        self.sessions
            .get(session)
            .is_some_and(|session| self.may_write(session.client(), topic))
    }

    /// Whether a client may publish to a topic, in a PUBLISH or as its will.
    pub(super) fn may_write(&self, client: Client<'_>, topic: &str) -> bool {
        // `$SYS` is the broker's own (MQTT 5.0 §4.7.2).
        let ours = topic.starts_with("$SYS/") || topic == "$SYS";
        !ours && self.options.allow(client, Right::Write, topic)
    }

    /// Answers a message and, unless it is refused, hands it to its subscribers; the answer says
    /// whether there are any (MQTT 5.0 §3.4.2.1).
    fn accept(&mut self, id: Key, session: Key, publish: Publish, refusal: Option<ReasonCode>) {
        let kind = match publish.qos {
            QoS::ExactlyOnce => Packet::PubRec,
            QoS::AtMostOnce | QoS::AtLeastOnce => Packet::PubAck,
        };
        let matches = self.subscriptions.matching(&publish.topic);
        let accepted = match matches.is_empty() {
            true => ReasonCode::NO_MATCHING_SUBSCRIBERS,
            false => ReasonCode::SUCCESS,
        };
        self.acknowledge(id, kind, publish.packet_id, refusal.unwrap_or(accepted));
        if refusal.is_none() {
            self.route_to(&matches, Message::published(publish, session, self.now));
        }
    }

    fn publish_once(&mut self, id: Key, session: Key, publish: Publish) {
        if !self.has_quota(session, 1) {
            return self.kick(id, ReasonCode::RECEIVE_MAXIMUM_EXCEEDED);
        }
        let refusal = self.refusal(session, &publish);
        self.accept(id, session, publish, refusal);
    }

    fn publish_exactly_once(&mut self, id: Key, session: Key, publish: Publish) {
        let packet_id = publish.packet_id;
        let known = self
            .sessions
            .get(session)
            .is_some_and(|one| one.inbound.holds(packet_id));
        if known {
            return self.acknowledge(id, Packet::PubRec, packet_id, ReasonCode::SUCCESS);
        }
        // Before it is noted: it would be taken for one that was delivered when it comes again.
        if !self.has_quota(session, 1) {
            return self.kick(id, ReasonCode::RECEIVE_MAXIMUM_EXCEEDED);
        }
        let refusal = self.refusal(session, &publish);
        if let Some(state) = self.sessions.get_mut(session) {
            // Before MQTT 5 nothing can be refused: the message is dropped and the exchange goes on.
            if refusal.is_none() || state.version < Version::V5 {
                state.inbound.publish(packet_id);
            }
        }
        self.accept(id, session, publish, refusal);
    }

    /// Whether the client keeps to our Receive Maximum (MQTT 5.0 §3.3.4), with `more` that are not yet counted.
    fn has_quota(&self, session: Key, more: usize) -> bool {
        let most = usize::from(self.options.receive_maximum);
        self.sessions.get(session).is_none_or(|session| {
            session.version < Version::V5 || session.inbound.len() + more <= most
        })
    }

    fn acknowledge(
        &mut self,
        id: Key,
        kind: fn(Ack) -> Packet,
        packet_id: u16,
        reason: ReasonCode,
    ) {
        let version = self
            .connections
            .get(id)
            .map(|connection| connection.version);
        let ack = Ack {
            packet_id,
            reason: if version == Some(Version::V5) {
                reason
            } else {
                ReasonCode::SUCCESS
            },
            ..Ack::default()
        };
        self.send(id, kind(ack));
    }

    pub(super) fn puback(&mut self, id: Key, session: Key, ack: &Ack) {
        if let Some(state) = self.sessions.get_mut(session) {
            let progress = state.outbound.puback(ack);
            self.proceed(id, session, ack, &progress);
        }
    }

    pub(super) fn pubcomp(&mut self, id: Key, session: Key, ack: &Ack) {
        if let Some(state) = self.sessions.get_mut(session) {
            let progress = state.outbound.pubcomp(ack);
            self.proceed(id, session, ack, &progress);
        }
    }

    pub(super) fn pubrec(&mut self, id: Key, session: Key, ack: &Ack) {
        let Some(state) = self.sessions.get_mut(session) else {
            return;
        };
        let progress = state.outbound.pubrec(ack);
        let unknown = !state.outbound.holds(ack.packet_id);
        match progress {
            Progress::Release(release) => self.send(id, Packet::PubRel(release)),
            // MQTT 5.0 §3.6.2.1: the sender would otherwise wait for good.
            Progress::Unexpected if unknown && !ack.reason.is_failure() => {
                let reason = ReasonCode::PACKET_IDENTIFIER_NOT_FOUND;
                self.acknowledge(id, Packet::PubRel, ack.packet_id, reason);
            }
            progress => self.proceed(id, session, ack, &progress),
        }
    }

    pub(super) fn pubrel(&mut self, id: Key, session: Key, ack: &Ack) {
        let known = self
            .sessions
            .get_mut(session)
            .is_some_and(|one| one.inbound.release(ack.packet_id));
        let reason = if known {
            ReasonCode::SUCCESS
        } else {
            ReasonCode::PACKET_IDENTIFIER_NOT_FOUND
        };
        self.acknowledge(id, Packet::PubComp, ack.packet_id, reason);
    }

    /// A message is complete: the next may go. An answer to nothing is passed over, since it may have
    /// crossed a reconnection; an answer of the wrong kind to a message in flight is a protocol error.
    fn proceed(&mut self, id: Key, session: Key, ack: &Ack, progress: &Progress<Flight>) {
        let holds = |core: &Self| {
            core.sessions
                .get(session)
                .is_some_and(|one| one.outbound.holds(ack.packet_id))
        };
        match progress {
            // What waits is taken when it is asked for.
            Progress::Done { .. } => self.announce(id),
            Progress::Unexpected if holds(self) => self.kick(id, ReasonCode::PROTOCOL_ERROR),
            _ => {}
        }
    }
}
