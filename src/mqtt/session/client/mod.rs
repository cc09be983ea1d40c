//! The client's session engine, sans-I/O: bytes and time in, bytes and events out.
//!
//! One [`Session`] lives through many network connections. Its owner reports what happens to the
//! connection ([`Session::opened`], [`Session::receive`], [`Session::lost`]) and writes what
//! [`Session::output`] holds. Whoever wants something sent asks [`Session::publish`],
//! [`Session::subscribe`] and so on; what came back is in [`Session::poll_event`].
//!
//! Acknowledgements of received messages are held back until [`Session::accept`]: the messages are ours
//! only when they have safely arrived wherever they go.
//!
//! | file | what it holds |
//! |---|---|
//! | `connection` | the network connection comes and goes; packets come in |
//! | `incoming`, `outgoing` | messages from and to the server |
//! | `subscriptions` | what the user wants, kept through every reconnect |
//! | `requests` | SUBSCRIBE and UNSUBSCRIBE in parts that the server takes |
//! | `login` | enhanced authentication |
//! | `closing` | keep-alive and the end |
//! | `parted` | one session whose two directions have two owners |

mod closing;
mod connection;
mod incoming;
mod login;
mod outgoing;
mod parted;
mod requests;
mod subscriptions;

use std::collections::VecDeque;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use self::closing::Unproved;
pub use self::login::Login;
use self::parted::Parted;
use self::requests::Requests;
use super::alias;
use super::inbound::Inbound;
use super::keep_alive::KeepAlive;
use super::limits;
use super::outbound::Outbound;
use crate::connect::Secret;
use crate::connect::suspects::Suspects;
use crate::mqtt::packet::{
    self, Connect, Decoder, LARGEST_PACKET, Properties, Publish, ReasonCode, Subscription, Version,
    Will,
};

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
        /// The identifier that the message had; others have it now.
        packet_id: u16,
        /// The receiver's reason code.
        reason: ReasonCode,
        /// The receiver's words.
        reason_string: Option<ByteString>,
        /// Where the message should have gone, if it was refused.
        topic: Option<ByteString>,
    },
    /// The server owned this QoS 2 message (PUBREC), and knows nothing of it any more: it may or may not arrive.
    InDoubt {
        /// What the sender gave to [`Session::publish`].
        ticket: Ticket,
        /// What it answered to PUBREL; `None`: it has lost the session.
        reason: Option<ReasonCode>,
    },
    /// The connection was lost over this message again, and over no other: it is not sent any more.
    Abandoned {
        /// What the sender gave to [`Session::publish`].
        ticket: Ticket,
        /// Where the message should have gone.
        topic: ByteString,
    },
    /// After a reconnect the server does not take a message that it took, or another did, on the connection before.
    Unsendable {
        /// What the sender gave to [`Session::publish`].
        ticket: Ticket,
        /// The message, and why not.
        message: Box<(Publish, Unsendable)>,
    },
    /// SUBACK: the answer to each filter of one [`Session::subscribe`], however many packets they took.
    Subscribed(Vec<(ByteString, ReasonCode)>, Option<ByteString>),
    /// UNSUBACK: the answer to each filter of one [`Session::unsubscribe`].
    Unsubscribed(Vec<(ByteString, ReasonCode)>),
    /// PINGRESP.
    Pong,
}

/// Why a message cannot be sent to this server at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// The packet does not fit what the server takes.
    #[error("message of {size} bytes exceeds the server's maximum packet size of {limit}")]
    TooLarge {
        /// Size of the PUBLISH in bytes.
        size: u32,
        /// The server's Maximum Packet Size.
        limit: u32,
    },
    /// The server said in CONNACK that it does not do this QoS.
    #[error("the server supports at most QoS {0}")]
    QosNotSupported(u8),
    /// The server said in CONNACK that it does not retain.
    #[error("the server does not support retained messages")]
    RetainNotSupported,
    /// The server said in CONNACK that it takes no such topic alias; the highest that it takes, or 0.
    #[error("the server {}", match .0 {
        0 => String::from("does not support topic aliases"),
        highest => format!("supports topic aliases up to {highest}"),
    })]
    TopicAliasNotSupported(u16),
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

/// Filters that the user wants to be subscribed to, through every reconnect, with the properties of their SUBSCRIBE.
#[derive(Clone, Debug)]
struct Wanted {
    subscriptions: Vec<Subscription>,
    properties: Properties,
}

/// What the server told us in CONNACK, and what we told it.
#[derive(Debug)]
struct Limits {
    largest_out: u32,
    of_messages: limits::Limits,
    shared_available: bool,
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
    /// Where somebody else publishes: what that one is to know.
    parted: Option<Box<Parted>>,
    outbound: Outbound<Ticket>,
    suspects: Suspects,
    /// How many messages the server lets be under way.
    server_window: u16,
    /// Messages of a lost session, to be sent again as new ones.
    resend: VecDeque<(Ticket, Publish)>,
    inbound: Inbound,
    aliases_in: alias::Incoming,
    aliases_out: alias::Outgoing,
    use_aliases: bool,
    wanted: Vec<Wanted>,
    requests: Requests,
    keep_alive: KeepAlive,
    unanswered_pings: u32,
    unproved: Unproved,
    limits: Limits,
    reading: bool,
    /// How it logs in, if not by a password in CONNECT.
    login: Option<Login>,
    /// For how long the server keeps the session, and was asked to, in seconds, if that is less.
    kept_less: Option<(u32, u32)>,
    /// Nobody is told of that.
    any_expiry: bool,
}

impl Session {
    /// A session that introduces itself with `connect` and keeps at most `window` QoS 1 and 2 messages
    /// in flight. Packets larger than `largest_in` bytes are refused on arrival.
    pub fn new(connect: Connect, window: u16, largest_in: u32, now: Instant) -> Self {
        // Between bridges memory is bounded by other means, and mosquitto 2.0 sends more when it resumes a session.
        let asked = connect.properties.receive_maximum();
        let receive_maximum = asked.filter(|_| !connect.bridge).unwrap_or(u16::MAX);
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
            parted: None,
            outbound: Outbound::new(window),
            suspects: Suspects::default(),
            server_window: window,
            resend: VecDeque::new(),
            inbound: Inbound::default(),
            aliases_in: alias::Incoming::default(),
            aliases_out: alias::Outgoing::default(),
            use_aliases: false,
            wanted: Vec::new(),
            requests: Requests::default(),
            keep_alive: KeepAlive::new(0, now),
            unanswered_pings: 0,
            unproved: Unproved::None,
            limits: Limits {
                shared_available: true,
                largest_out: LARGEST_PACKET,
                of_messages: limits::Limits::of(&Properties::default()),
                receive_maximum,
            },
            reading: true,
            login: None,
            kept_less: None,
            any_expiry: false,
            connect,
        }
    }

    /// Logs in by SCRAM (MQTT 5.0 §4.12) instead of user name and password in CONNECT.
    pub fn log_in_by(&mut self, login: Login) {
        self.login = Some(login);
    }

    /// Logs in with another password from the next connection on.
    pub fn change_password(&mut self, password: Secret) {
        match &mut self.login {
            Some(login) => login.change_password(password),
            None => self.connect.password = Some(Bytes::copy_from_slice(password.reveal())),
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

    /// A message of QoS 2 is sent anew where the server has lost the session before PUBCOMP: it may come twice, but is not lost.
    pub(crate) fn loses_none(&mut self) {
        self.outbound.loses_none();
    }

    /// The protocol version of this session.
    pub fn version(&self) -> Version {
        self.connect.version
    }

    /// For how many seconds the server keeps the session, and was asked to; `None`: it does as it was asked.
    pub(crate) fn kept_less(&self) -> Option<(u32, u32)> {
        self.kept_less.filter(|_| !self.any_expiry)
    }

    /// Does not compare for how long the server keeps the session with what it was asked for.
    pub(crate) fn takes_any_expiry(&mut self) {
        self.any_expiry = true;
    }

    /// The client identifier; the assigned one once the server has assigned it.
    pub fn client_id(&self) -> &ByteString {
        &self.connect.client_id
    }

    /// Whether the server is told that it has a bridge before it, which takes a version before MQTT 5.
    pub fn is_bridge(&self) -> bool {
        self.connect.bridge && self.connect.version < Version::V5
    }

    /// Goes on without telling the server that this is a bridge, which it does not take; before that, nothing but CONNECT has
    /// been sent. Returns that CONNECT.
    pub fn be_no_bridge(&mut self) -> Connect {
        let before = self.connect.clone();
        self.connect.bridge = false;
        before
    }

    /// Goes on as MQTT 3.1.1; before that, nothing but CONNECT has been sent. Returns that CONNECT.
    pub fn fall_back(&mut self) -> Connect {
        let before = self.connect.clone();
        self.connect.version = Version::V311;
        self.connect.properties = Properties::default();
        if let Some(will) = &mut self.connect.will {
            will.properties = Properties::default();
        }
        self.decoder.version = Version::V311;
        before
    }

    /// Takes back [`Self::fall_back`] or [`Self::be_no_bridge`], by which nothing was won.
    pub fn go_back(&mut self, connect: Connect) {
        self.decoder.version = connect.version;
        self.connect = connect;
    }

    /// What the server is to publish should the next connection vanish.
    pub(crate) fn set_will(&mut self, will: Option<Will>) {
        self.connect.will = will;
    }

    /// Whether CONNACK has come and the connection is usable.
    pub fn is_online(&self) -> bool {
        self.state == State::Online
    }

    /// Whether the server keeps the session when the connection is gone, and sends again what was not acknowledged.
    pub fn is_kept(&self) -> bool {
        !self.connect.clean_start
    }

    /// Bytes to be written to the connection; the owner takes off what it has written.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// The memory that messages in flight hold, in bytes.
    pub fn kept_bytes(&self) -> usize {
        self.outbound.held()
    }

    /// How many bytes wait to be written.
    pub fn unwritten(&self) -> usize {
        self.output.len()
    }

    /// The next thing that happened. A message handed out here is acknowledged by the next [`Self::accept`].
    #[inline]
    pub fn poll_event(&mut self) -> Option<Event> {
        let Some(event) = self.events.pop_front() else {
            // An empty queue begins at its front again, which is still in the processor's cache.
            self.events.clear();
            return None;
        };
        if let Event::Message(publish) = &event {
            self.hold_acknowledgement(publish);
            if let Some(parted) = &mut self.parted {
                parted.handed_out(publish);
            }
        }
        Some(event)
    }

    /// Whether [`Self::poll_event`] has something.
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// How many messages are sent or to be sent again and not yet acknowledged.
    pub fn unfinished(&self) -> usize {
        self.outbound.len() + self.resend.len()
    }

    /// Whether messages are under way; at QoS 0, where a PINGREQ is to prove that they were read.
    pub fn is_publishing(&self) -> bool {
        self.unfinished() > 0 || self.unanswered_pings > 0
    }

    /// Whether a message waits to be handed out.
    pub fn has_messages(&self) -> bool {
        let mut events = self.events.iter();
        events.any(|event| matches!(event, Event::Message(_)))
    }
}

#[cfg(test)]
mod tests;
