//! The network connection comes and goes; packets come in.

use std::time::Instant;

use bytes::BytesMut;

use super::closing::Unproved;
use super::{Event, Login, Session, State};
use crate::mqtt::packet::{
    self, ConnAck, Disconnect, LARGEST_PACKET, Packet, Properties, ReasonCode, Version,
};
use crate::mqtt::session::alias;
use crate::mqtt::session::fault::{Fault, Refusal};
use crate::mqtt::session::keep_alive::KeepAlive;
use crate::mqtt::session::limits::Limits;
use crate::mqtt::session::outbound::Orphan;

/// How many QoS 2 messages a server before MQTT 5 gets at a time, which cannot say how many it takes: as many as mosquitto does
/// unless it is configured otherwise; what is more it drops without a word.
const UNTOLD_EXACTLY_ONCE: u16 = 20;

impl Session {
    /// A connection was opened: CONNECT is put into the output.
    ///
    /// # Errors
    /// A CONNECT that cannot be encoded: a string over 65,535 bytes.
    pub fn opened(&mut self, now: Instant) -> Result<(), packet::Unencodable> {
        self.output.clear();
        let mut connect = self.connect.clone();
        for property in self.login.iter_mut().flat_map(Login::begin) {
            connect.properties.push(property);
        }
        let version = connect.version;
        packet::encode(
            &Packet::Connect(Box::new(connect)),
            version,
            &mut self.output,
        )?;
        self.state = State::AwaitingConnAck;
        self.keep_alive = KeepAlive::new(0, now);
        self.aliases_in =
            alias::Incoming::new(self.connect.properties.topic_alias_maximum().unwrap_or(0));
        self.unacknowledged = 0;
        (self.unanswered_pings, self.unproved) = (0, Unproved::None);
        Ok(())
    }

    /// The connection is gone. What is session state stays; what belonged to the connection is dropped.
    pub fn lost(&mut self) {
        if self.state == State::Online {
            self.suspect();
        }
        self.state = State::Offline;
        self.output.clear();
        self.leave_unaccepted();
        self.requests.lost();
        self.outbound.give_back_all();
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
        // Matched where it is: a packet would be moved once more by `?`, which costs more than the rest of this loop.
        loop {
            match self.decoder.decode(input) {
                Ok(Some(Packet::Publish(publish))) if self.state != State::AwaitingConnAck => {
                    self.on_publish(publish)?
                }
                Ok(Some(Packet::PubAck(ack))) if self.state != State::AwaitingConnAck => {
                    self.on_progress(|outbound| outbound.puback(&ack), &ack)?
                }
                Ok(Some(other)) => self.on_packet(other, now)?,
                Ok(None) => return Ok(()),
                Err(malformed) => return Err(malformed.into()),
            }
        }
    }

    fn on_packet(&mut self, packet: Packet, now: Instant) -> Result<(), Fault> {
        match (self.state, packet) {
            (State::AwaitingConnAck, Packet::ConnAck(ack)) => self.on_connack(ack, now),
            (State::AwaitingConnAck, Packet::Auth(auth)) => self.on_auth(&auth),
            (State::AwaitingConnAck, Packet::Disconnect(disconnect)) => {
                Err(Fault::Closed(disconnect))
            }
            (State::AwaitingConnAck, other) => Err(Fault::unexpected(&other, "before CONNACK")),
            (_, Packet::PubRec(ack)) => self.on_progress(|outbound| outbound.pubrec(&ack), &ack),
            (_, Packet::PubComp(ack)) => self.on_progress(|outbound| outbound.pubcomp(&ack), &ack),
            (_, Packet::PubRel(ack)) => self.on_pubrel(&ack),
            (_, Packet::SubAck(ack)) => self.on_suback(ack),
            (_, Packet::UnsubAck(ack)) => self.on_unsuback(ack),
            (_, Packet::PingResp) => {
                self.keep_alive.answered();
                self.ponged();
                self.tell_both(Event::Pong);
                Ok(())
            }
            (_, Packet::Disconnect(disconnect)) => Err(Fault::Closed(disconnect)),
            (_, other) => Err(Fault::unexpected(&other, "from a server")),
        }
    }

    fn on_connack(&mut self, ack: ConnAck, now: Instant) -> Result<(), Fault> {
        if ack.reason.is_failure() {
            let (asked, form) = (self.connect.version, self.decoder.version);
            return Err(Fault::Refused(Box::new(Refusal { ack, asked, form })));
        }
        self.check_login(&ack.properties)?;
        if ack.session_present && self.connect.clean_start {
            return Err(Fault::protocol(
                ReasonCode::PROTOCOL_ERROR,
                "CONNACK has session present, but a clean start was requested",
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
        self.tell_both(Event::Connected {
            session_present: ack.session_present,
            properties: ack.properties,
        });
        if ack.session_present {
            self.outbound.resume();
        } else {
            self.start_anew()
        }
        match resumed {
            true => self.ask_on()?,
            false => self.subscribe_all()?,
        }
        self.pump()
    }

    /// A connection is lost. When only one message was sent over it, as over several before, the next connection would fare
    /// no better.
    fn suspect(&mut self) {
        let under_way = self.unfinished();
        // What was not written is not the cause.
        let only = self.outbound.only_sent().filter(|_| self.output.is_empty());
        if self.suspects.lost(under_way, only.is_some())
            && let Some(id) = only
            && let Some((ticket, topic)) = self.outbound.give_up(id)
        {
            self.tell_outcome(Event::Abandoned { ticket, topic });
        }
    }

    /// The connection is about to be lost for a reason that lies in no message: nothing came over it any more, or the server
    /// said why it ends it.
    pub fn acquit(&mut self) {
        self.suspects.survived();
    }

    /// After a second loss messages go out one at a time, until the first got through.
    pub(super) fn is_cautious(&self) -> bool {
        self.suspects.alone()
    }

    fn negotiate(&mut self, server: &Properties, now: Instant) {
        self.server_window = self
            .window
            .min(server.receive_maximum().unwrap_or(u16::MAX));
        self.outbound.set_window(match self.is_cautious() {
            true => 1,
            false => self.server_window,
        });
        let says_how_many = self.connect.version >= Version::V5;
        let untold = (!says_how_many).then_some(UNTOLD_EXACTLY_ONCE);
        self.outbound.limit_exactly_once(untold);
        self.limits.largest_out = server.maximum_packet_size().unwrap_or(LARGEST_PACKET);
        self.limits.of_messages = Limits::of(server);
        self.limits.shared_available = server.shared_subscription_available() != Some(0);
        let asked = self.connect.properties.session_expiry_interval();
        let granted = server.session_expiry_interval();
        self.kept_less = granted
            .zip(asked)
            .filter(|(granted, asked)| granted < asked);
        let aliases = if self.use_aliases {
            self.limits.of_messages.topic_alias_maximum()
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

    /// The server has no session for us: what was in flight is sent again as new messages.
    fn start_anew(&mut self) {
        self.inbound.clear();
        let orphans = self.outbound.orphans();
        for orphan in orphans.into_iter().rev() {
            match orphan {
                Orphan::Unsent(ticket, publish) => self.resend.push_front((ticket, publish)),
                Orphan::InDoubt(ticket) => {
                    let reason = None;
                    self.tell_outcome(Event::InDoubt { ticket, reason });
                }
            }
        }
    }

    /// The server has nothing of what this session has asked for.
    fn subscribe_all(&mut self) -> Result<(), Fault> {
        for unsubscribed in self.requests.start_anew() {
            self.tell(unsubscribed);
        }
        for wanted in self.wanted.clone() {
            self.send_subscribe(wanted)?;
        }
        Ok(())
    }
}

/// Whether a server older than MQTT 5 refuses the version in the form that it knows (MQTT 5.0 §3.1.2.2).
fn is_old_refusal(input: &[u8]) -> bool {
    matches!(input, [0x20, 2, 0, code, ..] if *code != 0)
}
