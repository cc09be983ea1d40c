//! What an endpoint can be told once.

use std::time::Duration;

use crate::coap::block::Szx;

/// What carries the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP or DTLS: one message a datagram, with retransmission and de-duplication (RFC 7252 §4).
    Datagram,
    /// TCP or TLS (RFC 8323 §3).
    Stream,
    /// WebSocket (RFC 8323 §4).
    WebSocket,
}

impl Transport {
    /// Whether messages arrive without our doing.
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Datagram)
    }
}

/// The settings of an endpoint; the defaults are those of RFC 7252 §4.8.
#[derive(Clone, Debug)]
pub struct Config {
    /// What carries the messages.
    pub transport: Transport,
    /// ACK_TIMEOUT: the shortest wait before the first retransmission.
    pub ack_timeout: Duration,
    /// Whether the wait is shortened to what the round trips to a peer have shown (RFC 6298), never below a second
    /// (RFC 8085 §3.1.1) and never lengthened.
    pub adapt: bool,
    /// ACK_RANDOM_FACTOR: the longest such wait as a multiple of the shortest; 1 or more.
    pub ack_random_factor: f64,
    /// MAX_RETRANSMIT: how often a confirmable message is sent again.
    pub max_retransmit: u8,
    /// NSTART: confirmable messages to one peer that may wait for an acknowledgement at the same time.
    pub nstart: usize,
    /// EXCHANGE_LIFETIME: how long a confirmable message's id is remembered, and the wait for an answer
    /// where a request has no deadline.
    pub exchange_lifetime: Duration,
    /// NON_LIFETIME: how long a non-confirmable message's id is remembered.
    pub non_lifetime: Duration,
    /// The length of random tokens in bytes, 0 to 8.
    pub token_length: u8,
    /// The largest body in bytes, of a response that is collected and of a request that is served.
    pub body_limit: usize,
    /// All bodies together that the serving side keeps for block-wise transfers, in bytes.
    pub block_memory: usize,
    /// Messages that are remembered for de-duplication.
    pub remembered: usize,
    /// Confirmable messages that may wait for their turn (NSTART) before requests are refused.
    pub queue: usize,
    /// Whether requests are taken; otherwise they are answered with a reset.
    pub serve: bool,
    /// Whether only requests that OSCORE protects are taken; others are answered with 4.01.
    pub protected_only: bool,
    /// Whether who asks over datagrams must first show that its address is its own (Echo, RFC 9175), unless OSCORE
    /// has shown it.
    pub challenge: bool,
    /// How long the application may think before a confirmable request is acknowledged without response.
    pub separate_after: Duration,
    /// The block size that the serving side prefers; a client may ask for a smaller one.
    pub serve_block: Szx,
    /// Exchanges are numbered from here, so that several endpoints can share one site.
    pub first_exchange: u64,
    /// Observers that are kept at most.
    pub observers: usize,
    /// DEFAULT_LEISURE: the span within which a multicast request is answered.
    pub leisure: Duration,
    /// How long after the end of an observation the endpoint should be kept going, so that late
    /// notifications are answered with a reset and not sent again and again.
    pub linger: Duration,
    /// How long a response that No-Response lets through is waited for.
    pub no_response_wait: Duration,
    /// Requests are held back until the peer's CSM has come, no longer than this (reliable transports).
    pub csm_wait: Duration,
    /// A connection ends when its peer has not sent its CSM within this time; `None` waits for ever.
    pub csm_deadline: Option<Duration>,
    /// A connection on which nothing was heard for this long is asked with a Ping, and ends when nothing is heard for
    /// half as long after it; `None` lets it be.
    pub silence: Option<Duration>,
    /// Bytes that may wait to be written to a connection before no more requests of it are taken, and of notifications
    /// the newest only is kept. The driver then says what was written ([`super::Endpoint::written`]); without bound it
    /// need not.
    pub outbox: usize,
    /// The largest message that our CSM allows, in bytes (reliable transports).
    pub max_message_size: usize,
    /// Option numbers that are critical and understood beside the usual ones.
    pub understood: Vec<u16>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            transport: Transport::Datagram,
            ack_timeout: Duration::from_secs(2),
            adapt: true,
            ack_random_factor: 1.5,
            max_retransmit: 4,
            nstart: 1,
            exchange_lifetime: Duration::from_secs(247),
            non_lifetime: Duration::from_secs(145),
            token_length: 8,
            body_limit: 64 << 20,
            block_memory: 64 << 20,
            remembered: 4096,
            queue: 4096,
            serve: false,
            challenge: false,
            protected_only: false,
            separate_after: Duration::from_millis(200),
            serve_block: Szx::MAX,
            first_exchange: 0,
            observers: 4096,
            leisure: Duration::from_secs(5),
            linger: Duration::from_millis(1500),
            no_response_wait: Duration::from_secs(3),
            csm_wait: Duration::from_secs(1),
            csm_deadline: None,
            silence: None,
            outbox: usize::MAX,
            max_message_size: 8 << 20,
            understood: Vec::new(),
        }
    }
}
