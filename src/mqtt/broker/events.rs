//! The events that the broker reports to its caller.

use bytestring::ByteString;

use crate::mqtt::packet::{ReasonCode, Version};

/// Something worth a line in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A client was let in.
    Connected {
        /// Its identifier, chosen or assigned.
        client_id: ByteString,
        /// Where it comes from.
        peer: String,
        /// What it speaks.
        version: Version,
        /// Whether it found its session again.
        resumed: bool,
    },
    /// A client was not let in.
    Refused {
        /// Its identifier; empty if there was none.
        client_id: ByteString,
        /// Where it comes from.
        peer: String,
        /// Why.
        reason: ReasonCode,
    },
    /// A client left.
    Disconnected {
        /// Its identifier.
        client_id: ByteString,
        /// Its own reason or ours; `None`: the connection broke.
        reason: Option<ReasonCode>,
    },
    /// A client is to be told something in a packet larger than it takes, which ends its connection.
    TooLarge {
        /// Its identifier.
        client_id: ByteString,
        /// The name of the packet.
        packet: &'static str,
        /// Its Maximum Packet Size, in bytes.
        most: u32,
    },
    /// A client subscribed.
    Subscribed {
        /// Its identifier.
        client_id: ByteString,
        /// The topic filter.
        filter: ByteString,
        /// What it was answered.
        reason: ReasonCode,
    },
    /// A client unsubscribed.
    Unsubscribed {
        /// Its identifier.
        client_id: ByteString,
        /// The topic filter.
        filter: ByteString,
    },
    /// The queue of a client is full: until there is room again, QoS 1 and 2 messages to it are refused, or wait with
    /// their acknowledgements.
    QueueFull {
        /// Its identifier.
        client_id: ByteString,
    },
    /// A connection could not be accepted, or its handshake failed.
    NotAccepted {
        /// Why, in one line.
        error: String,
    },
    /// The broker has stopped.
    Stopped(Counts),
}

/// What happened since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Network connections that were accepted.
    pub sockets: u64,
    /// Connections that were let in.
    pub connections: u64,
    /// The most clients that were connected at a time.
    pub most_connected: u64,
    /// Sessions that ended by their expiry interval.
    pub expired: u64,
    /// Packets received, of any type.
    pub packets_received: u64,
    /// Packets sent, of any type.
    pub packets_sent: u64,
    /// Bytes of the payloads of PUBLISH packets received.
    pub payload_received: u64,
    /// Bytes of the payloads of PUBLISH packets sent.
    pub payload_sent: u64,
    /// PUBLISH packets received.
    pub messages_received: u64,
    /// PUBLISH packets sent.
    pub messages_sent: u64,
    /// Messages that did not reach a subscriber: its buffer was full, the packet was too large for it, its queue had no
    /// room for a will, or the connection of their publisher ended while they waited behind others.
    pub messages_dropped: u64,
    /// Bytes read from clients.
    pub bytes_received: u64,
    /// Bytes written to clients.
    pub bytes_sent: u64,
    /// How often each fault happened, in the order of [`super::Options::faults`].
    pub faults: Vec<u64>,
}
