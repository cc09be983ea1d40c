//! The client's session engine, sans-I/O: bytes and time in, bytes and events out.
//!
//! One [`Session`] lives through many network connections. Its owner reports what happens to the
//! connection ([`Session::opened`], [`Session::receive`], [`Session::lost`]) and writes what
//! [`Session::output`] holds. Whoever wants something sent asks [`Session::publish`],
//! [`Session::subscribe`] and so on; what came back is in [`Session::poll_event`].
//!
//! Acknowledgements of received messages are held back until [`Session::accept`]: the messages are ours
//! only when they have safely arrived wherever they go.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use bytes::BytesMut;
use bytestring::ByteString;

use super::alias;
use super::fault::Fault;
use super::inbound::{Arrival, Inbound};
use super::keep_alive::{Due, KeepAlive};
use super::outbound::{Orphan, Outbound, Progress};
use crate::mqtt::packet::{
    self, Ack, ConnAck, Connect, Decoder, Disconnect, LARGEST_PACKET, Packet, Properties, Publish,
    QoS, ReasonCode, SubAck, Subscribe, Subscription, UnsubAck, Unsubscribe, Version,
};

/// First bytes of the acknowledgements that tell success; followed by 2 and the identifier in every version.
const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;

/// What a sender knows its message by: any number that the sender finds useful.
pub type Ticket = u64;

/// What happened in the session.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// CONNACK: the connection is usable.
    Connected {
        /// Whether the server still had the session.
        session_present: bool,
        /// What the server says about itself.
        properties: Properties,
    },
    /// An application message; it is acknowledged by the next [`Session::accept`].
    Message(Publish),
    /// A published message is complete: accepted or refused, as the reason says.
    Acknowledged {
        /// What the sender gave to [`Session::publish`].
        ticket: Ticket,
        /// The receiver's reason code.
        reason: ReasonCode,
        /// The receiver's words.
        reason_string: Option<ByteString>,
        /// Where the message should have gone, if it was refused.
        topic: Option<ByteString>,
    },
    /// The server owned this QoS 2 message (PUBREC) when it lost the session: it may or may not arrive.
    InDoubt(Ticket),
    /// SUBACK: the answer to each filter.
    Subscribed(Vec<(ByteString, ReasonCode)>, Option<ByteString>),
    /// UNSUBACK: the answer to each filter.
    Unsubscribed(Vec<(ByteString, ReasonCode)>),
    /// PINGRESP.
    Pong,
}

/// Why a message cannot be sent to this server at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// The packet does not fit what the server takes.
    #[error("message of {size} bytes is over the server's maximum packet size of {limit}")]
    TooLarge {
        /// Size of the PUBLISH in bytes.
        size: u32,
        /// The server's Maximum Packet Size.
        limit: u32,
    },
    /// The server said in CONNACK that it does not do this QoS.
    #[error("the server supports QoS {0} at most")]
    QosNotSupported(u8),
    /// The server said in CONNACK that it does not retain.
    #[error("the server does not support retained messages")]
    RetainNotSupported,
    /// The message cannot be written as a packet.
    #[error(transparent)]
    Unencodable(#[from] packet::Unencodable),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Offline,
    AwaitingConnAck,
    Online,
    /// We have sent DISCONNECT.
    Closing,
}

/// Filters that the user wants to be subscribed to, through every reconnect; they travel in one SUBSCRIBE.
#[derive(Clone, Debug)]
struct Wanted {
    subscriptions: Vec<Subscription>,
    properties: Properties,
}

/// What waits for its SUBACK or UNSUBACK.
#[derive(Debug)]
enum Asked {
    Subscribe(Vec<ByteString>),
    Unsubscribe(Vec<ByteString>),
}

/// What the server told us in CONNACK, and what we told it.
#[derive(Debug)]
struct Limits {
    largest_out: u32,
    maximum_qos: QoS,
    retain_available: bool,
    /// How many messages may await our acknowledgement.
    receive_maximum: u16,
}

/// One client's session with one server.
#[derive(Debug)]
pub struct Session {
    connect: Connect,
    /// The most messages the user wants in flight; the server may want fewer.
    window: u16,
    state: State,
    ever_connected: bool,
    decoder: Decoder,
    output: BytesMut,
    /// Acknowledgements of messages that nobody has accepted yet.
    held: BytesMut,
    /// How many of `held` complete a message (PUBACK, as opposed to PUBREC).
    held_final: u32,
    /// QoS 1 and 2 messages that the server has not seen acknowledged yet.
    unacknowledged: u32,
    events: VecDeque<Event>,
    outbound: Outbound<Ticket>,
    /// Messages of a lost session, to be sent again as new ones.
    resend: VecDeque<(Ticket, Publish)>,
    inbound: Inbound,
    aliases_in: alias::Incoming,
    aliases_out: alias::Outgoing,
    use_aliases: bool,
    wanted: Vec<Wanted>,
    asked: HashMap<u16, Asked>,
    keep_alive: KeepAlive,
    limits: Limits,
    reading: bool,
}

impl Session {
    /// A session that introduces itself with `connect` and keeps at most `window` QoS 1 and 2 messages
    /// in flight. Packets larger than `largest_in` bytes are refused on arrival.
    pub fn new(connect: Connect, window: u16, largest_in: u32, now: Instant) -> Self {
        let receive_maximum = connect.properties.receive_maximum().unwrap_or(u16::MAX);
        Self {
            decoder: Decoder::new(connect.version, largest_in),
            window,
            state: State::Offline,
            ever_connected: false,
            output: BytesMut::new(),
            held: BytesMut::new(),
            held_final: 0,
            unacknowledged: 0,
            events: VecDeque::new(),
            outbound: Outbound::new(window),
            resend: VecDeque::new(),
            inbound: Inbound::default(),
            aliases_in: alias::Incoming::default(),
            aliases_out: alias::Outgoing::default(),
            use_aliases: false,
            wanted: Vec::new(),
            asked: HashMap::new(),
            keep_alive: KeepAlive::new(0, now),
            limits: Limits {
                largest_out: LARGEST_PACKET,
                maximum_qos: QoS::ExactlyOnce,
                retain_available: true,
                receive_maximum,
            },
            reading: true,
            connect,
        }
    }

    /// Lets the session replace topics by aliases where the server takes them. For streams of many
    /// messages to few topics.
    pub fn use_topic_aliases(&mut self) {
        self.use_aliases = true;
    }

    /// Begins packet identifiers after `last`. A process that resumes a session it does not remember must not
    /// reuse an identifier that the server may still hold from the process before.
    pub fn start_identifiers_after(&mut self, last: u16) {
        self.outbound.start_after(last);
    }

    /// The protocol version of this session.
    pub fn version(&self) -> Version {
        self.connect.version
    }

    /// The client identifier; the assigned one once the server has assigned it.
    pub fn client_id(&self) -> &ByteString {
        &self.connect.client_id
    }

    /// Goes on as MQTT 3.1.1; before that, nothing but CONNECT has been sent.
    pub fn fall_back(&mut self) {
        self.connect.version = Version::V311;
        self.connect.properties = Properties::default();
        if let Some(will) = &mut self.connect.will {
            will.properties = Properties::default();
        }
        self.decoder.version = Version::V311;
    }

    /// Whether CONNACK has come and the connection is usable.
    pub fn is_online(&self) -> bool {
        self.state == State::Online
    }

    /// Bytes to be written to the connection; the owner takes off what it has written.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// The next thing that happened. A message handed out here is acknowledged by the next [`Self::accept`].
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if let Event::Message(publish) = &event {
            self.hold_acknowledgement(publish);
        }
        Some(event)
    }

    fn hold_acknowledgement(&mut self, publish: &Publish) {
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

    /// Whether [`Self::poll_event`] has something.
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// How many messages are sent or to be sent again and not yet acknowledged.
    pub fn unfinished(&self) -> usize {
        self.outbound.len() + self.resend.len()
    }
}

/// The network connection comes and goes.
impl Session {
    /// A connection was opened: CONNECT is put into the output.
    ///
    /// # Errors
    /// A CONNECT that cannot be encoded: a string over 65,535 bytes.
    pub fn opened(&mut self, now: Instant) -> Result<(), packet::Unencodable> {
        self.output.clear();
        packet::encode(
            &Packet::Connect(Box::new(self.connect.clone())),
            self.connect.version,
            &mut self.output,
        )?;
        self.state = State::AwaitingConnAck;
        self.keep_alive = KeepAlive::new(0, now);
        self.aliases_in =
            alias::Incoming::new(self.connect.properties.topic_alias_maximum().unwrap_or(0));
        self.unacknowledged = 0;
        Ok(())
    }

    /// The connection is gone. What is session state stays; what belonged to the connection is dropped.
    pub fn lost(&mut self) {
        self.state = State::Offline;
        self.output.clear();
        self.held.clear();
        self.held_final = 0;
        self.asked.clear();
        self.outbound.give_back_all();
        // Messages not handed out yet can no longer be acknowledged: on the next connection their identifiers
        // may belong to others. The server sends them again.
        for event in &mut self.events {
            if let Event::Message(publish) = event {
                publish.packet_id = 0;
            }
        }
    }

    /// Takes in bytes that the connection delivered; what is not yet a whole packet stays in `input`.
    ///
    /// # Errors
    /// Whatever ends the connection. Where the protocol wants it, a DISCONNECT that says why has been put
    /// into the output.
    pub fn receive(&mut self, input: &mut BytesMut, now: Instant) -> Result<(), Fault> {
        let taken = self.take_packets(input, now);
        if let Err(Fault::Malformed { reason, .. } | Fault::Protocol { reason, .. }) = &taken {
            let reason = *reason;
            self.say_goodbye(Disconnect {
                reason,
                properties: Properties::default(),
            });
        }
        taken
    }

    fn take_packets(&mut self, input: &mut BytesMut, now: Instant) -> Result<(), Fault> {
        if self.state == State::AwaitingConnAck && is_old_refusal(input) {
            self.decoder.version = Version::V311;
        }
        while let Some(packet) = self.decoder.decode(input)? {
            match packet {
                Packet::Publish(publish) if self.state != State::AwaitingConnAck => {
                    self.on_publish(publish)?
                }
                other => self.on_packet(other, now)?,
            }
        }
        Ok(())
    }

    fn on_packet(&mut self, packet: Packet, now: Instant) -> Result<(), Fault> {
        match (self.state, packet) {
            (State::AwaitingConnAck, Packet::ConnAck(ack)) => self.on_connack(ack, now),
            (State::AwaitingConnAck, Packet::Auth(_)) => Err(Fault::protocol(
                ReasonCode::BAD_AUTHENTICATION_METHOD,
                "the server asks for enhanced authentication (AUTH), which was not offered",
            )),
            (State::AwaitingConnAck, Packet::Disconnect(disconnect)) => {
                Err(Fault::Closed(disconnect))
            }
            (State::AwaitingConnAck, other) => Err(Fault::unexpected(&other, "before CONNACK")),
            (_, Packet::PubAck(ack)) => self.on_progress(|outbound| outbound.puback(&ack), &ack),
            (_, Packet::PubRec(ack)) => self.on_progress(|outbound| outbound.pubrec(&ack), &ack),
            (_, Packet::PubComp(ack)) => self.on_progress(|outbound| outbound.pubcomp(&ack), &ack),
            (_, Packet::PubRel(ack)) => self.on_pubrel(&ack),
            (_, Packet::SubAck(ack)) => self.on_suback(ack),
            (_, Packet::UnsubAck(ack)) => self.on_unsuback(ack),
            (_, Packet::PingResp) => {
                self.keep_alive.answered();
                self.events.push_back(Event::Pong);
                Ok(())
            }
            (_, Packet::Disconnect(disconnect)) => Err(Fault::Closed(disconnect)),
            (_, other) => Err(Fault::unexpected(&other, "from a server")),
        }
    }

    fn on_connack(&mut self, ack: ConnAck, now: Instant) -> Result<(), Fault> {
        if ack.reason.is_failure() {
            return Err(Fault::Refused(Box::new(ack)));
        }
        if ack.session_present && self.connect.clean_start {
            return Err(Fault::protocol(
                ReasonCode::PROTOCOL_ERROR,
                "CONNACK says session present, but a clean start was asked for",
            ));
        }
        self.negotiate(&ack.properties, now);
        let resumed = ack.session_present && self.ever_connected;
        self.state = State::Online;
        self.ever_connected = true;
        // From now on a reconnect wants this session back, if it outlives the connection.
        if self
            .connect
            .properties
            .session_expiry_interval()
            .is_some_and(|seconds| seconds > 0)
        {
            self.connect.clean_start = false;
        }
        self.events.push_back(Event::Connected {
            session_present: ack.session_present,
            properties: ack.properties,
        });
        if ack.session_present {
            self.resend_in_flight()?
        } else {
            self.start_anew()
        }
        if !resumed {
            self.subscribe_all()?;
        }
        self.pump()
    }

    fn negotiate(&mut self, server: &Properties, now: Instant) {
        self.outbound.set_window(
            self.window
                .min(server.receive_maximum().unwrap_or(u16::MAX)),
        );
        self.limits.largest_out = server.maximum_packet_size().unwrap_or(LARGEST_PACKET);
        self.limits.maximum_qos = server
            .maximum_qos()
            .and_then(QoS::from_level)
            .unwrap_or(QoS::ExactlyOnce);
        self.limits.retain_available = server.retain_available() != Some(0);
        let aliases = if self.use_aliases {
            server.topic_alias_maximum().unwrap_or(0)
        } else {
            0
        };
        self.aliases_out = alias::Outgoing::new(aliases);
        self.keep_alive = KeepAlive::new(
            server
                .server_keep_alive()
                .unwrap_or(self.connect.keep_alive),
            now,
        );
        if let Some(id) = server.assigned_client_identifier() {
            self.connect.client_id = id;
        }
    }

    fn resend_in_flight(&mut self) -> Result<(), Fault> {
        for packet in self.outbound.resume() {
            packet::encode(&packet, self.connect.version, &mut self.output)?;
        }
        Ok(())
    }

    /// The server has no session for us: what was in flight is sent again as new messages.
    fn start_anew(&mut self) {
        self.inbound.clear();
        let orphans = self.outbound.orphans();
        for orphan in orphans.into_iter().rev() {
            match orphan {
                Orphan::Unsent(ticket, publish) => self.resend.push_front((ticket, publish)),
                Orphan::InDoubt(ticket) => self.events.push_back(Event::InDoubt(ticket)),
            }
        }
    }

    fn subscribe_all(&mut self) -> Result<(), Fault> {
        for wanted in self.wanted.clone() {
            self.send_subscribe(wanted)?;
        }
        Ok(())
    }
}

/// Messages from the server.
impl Session {
    fn on_publish(&mut self, mut publish: Publish) -> Result<(), Fault> {
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
        self.count_unacknowledged(publish.qos)?;
        self.events.push_back(Event::Message(publish));
        Ok(())
    }

    fn count_unacknowledged(&mut self, qos: QoS) -> Result<(), Fault> {
        if qos == QoS::AtMostOnce {
            return Ok(());
        }
        self.unacknowledged += 1;
        if self.unacknowledged > u32::from(self.limits.receive_maximum) {
            return Err(Fault::protocol(
                ReasonCode::RECEIVE_MAXIMUM_EXCEEDED,
                "more unacknowledged messages than our receive maximum allows",
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

    fn on_pubrel(&mut self, ack: &Ack) -> Result<(), Fault> {
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

/// Messages to the server.
impl Session {
    /// Whether a message of this QoS can go out now: online, and the window has room.
    pub fn can_publish(&self, qos: QoS) -> bool {
        self.is_online()
            && (qos == QoS::AtMostOnce || (self.resend.is_empty() && self.outbound.free() > 0))
    }

    /// Sends a message; `ticket` comes back with its acknowledgement (QoS 1 and 2 only).
    /// The caller has asked [`Self::can_publish`].
    ///
    /// # Errors
    /// What this server, or MQTT itself, does not take; nothing is sent then.
    pub fn publish(&mut self, mut publish: Publish, ticket: Ticket) -> Result<(), Unsendable> {
        self.check(&publish)?;
        if publish.qos > QoS::AtMostOnce {
            self.outbound.start(&mut publish, ticket);
        }
        self.write_publish(publish)?;
        Ok(())
    }

    fn check(&self, publish: &Publish) -> Result<(), Unsendable> {
        if publish.qos > self.limits.maximum_qos {
            return Err(Unsendable::QosNotSupported(self.limits.maximum_qos.level()));
        }
        if publish.retain && !self.limits.retain_available {
            return Err(Unsendable::RetainNotSupported);
        }
        let size = packet::publish_len(publish, self.connect.version)?;
        if size > self.limits.largest_out {
            return Err(Unsendable::TooLarge {
                size,
                limit: self.limits.largest_out,
            });
        }
        Ok(())
    }

    fn write_publish(&mut self, mut publish: Publish) -> Result<(), packet::Unencodable> {
        self.aliases_out.apply(&mut publish);
        packet::encode_publish(&publish, self.connect.version, &mut self.output)
    }

    fn on_progress(
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
                self.events.push_back(Event::Acknowledged {
                    ticket,
                    reason,
                    reason_string,
                    topic,
                });
                self.pump()
            }
            Progress::Release(release) => self.send(&Packet::PubRel(release)),
            // An acknowledgement that nobody waits for harms nobody: a server may repeat one after a reconnect.
            Progress::Unexpected => Ok(()),
        }
    }

    /// Sends again what a lost session left behind, as far as the window allows.
    fn pump(&mut self) -> Result<(), Fault> {
        while self.outbound.free() > 0 {
            let Some((ticket, mut publish)) = self.resend.pop_front() else {
                break;
            };
            publish.duplicate = false;
            self.outbound.start(&mut publish, ticket);
            self.write_publish(publish)?;
        }
        Ok(())
    }

    fn send(&mut self, packet: &Packet) -> Result<(), Fault> {
        Ok(packet::encode(
            packet,
            self.connect.version,
            &mut self.output,
        )?)
    }
}

/// Subscriptions.
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

    fn send_subscribe(&mut self, wanted: Wanted) -> Result<(), Fault> {
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

    fn on_suback(&mut self, ack: SubAck) -> Result<(), Fault> {
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

    fn on_unsuback(&mut self, ack: UnsubAck) -> Result<(), Fault> {
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

/// Keep-alive and the end.
impl Session {
    /// Sends a PINGREQ; its [`Event::Pong`] proves that the server has processed all that was sent before it.
    pub fn ping(&mut self, now: Instant) {
        // PINGREQ has a fixed form in every version.
        self.output.extend_from_slice(&[0xc0, 0]);
        self.keep_alive.pinged(now);
    }

    /// The owner has written some output to the connection.
    pub fn wrote(&mut self, now: Instant) {
        self.keep_alive.sent(now);
    }

    /// The owner stops or resumes reading from the connection, to slow the server down. While it does not read,
    /// pings go on, and a missing answer is not held against the server.
    pub fn set_reading(&mut self, reading: bool, now: Instant) {
        if reading && !self.reading {
            self.keep_alive.read_again(now);
        }
        self.reading = reading;
    }

    /// Whether the connection is to be read; see [`Self::set_reading`].
    pub fn is_reading(&self) -> bool {
        self.reading
    }

    /// When [`Self::on_time`] wants to be called next.
    pub fn next_time(&self) -> Option<Instant> {
        self.keep_alive
            .next(self.reading)
            .filter(|_| self.is_online())
    }

    /// Does what the clock asks for.
    ///
    /// # Errors
    /// [`Fault::KeepAlive`] when the server has not answered a ping for a whole interval.
    pub fn on_time(&mut self, now: Instant) -> Result<(), Fault> {
        match self.keep_alive.due(now, self.reading) {
            Due::Ping if self.is_online() => self.ping(now),
            Due::GiveUp if self.is_online() => return Err(Fault::KeepAlive),
            _ => {}
        }
        Ok(())
    }

    /// Puts a DISCONNECT into the output; nothing is sent after it.
    pub fn disconnect(&mut self, disconnect: Disconnect) {
        if self.is_online() {
            self.say_goodbye(disconnect);
        }
        self.state = State::Closing;
    }

    fn say_goodbye(&mut self, disconnect: Disconnect) {
        // Before MQTT 5 a DISCONNECT means "all is well", so it must not follow an error.
        if self.connect.version == Version::V5 || !disconnect.reason.is_failure() {
            // A reason and checked properties always fit; if not, closing the connection says enough.
            let _ = packet::encode(
                &Packet::Disconnect(disconnect),
                self.connect.version,
                &mut self.output,
            );
        }
        self.state = State::Closing;
    }
}

/// Whether a server older than MQTT 5 refuses the version in the form that it knows (MQTT 5.0 §3.1.2.2).
fn is_old_refusal(input: &[u8]) -> bool {
    matches!(input, [0x20, 2, 0, code, ..] if *code != 0)
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
