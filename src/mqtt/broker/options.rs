//! How the broker is to behave; the defaults are those of a development broker: everything on, everyone welcome.

use std::time::Duration;

use bytestring::ByteString;

use super::access::{Acl, Client, Right};
use super::faults::Fault;
use crate::mqtt::packet::{LARGEST_PACKET, QoS};
use crate::server::Users;

/// Who may connect, and who may do what.
#[derive(Clone, Debug)]
pub struct Access {
    /// Who may connect; `None`: any user name and password is as good as none.
    pub users: Option<Users>,
    /// Who may read and write which topics; `None`: everyone everything.
    pub acl: Option<Acl>,
    /// Whether clients without a user name may connect. Default: yes.
    pub allow_anonymous: bool,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            users: None,
            acl: None,
            allow_anonymous: true,
        }
    }
}

/// The settings of one broker.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who may do what. The first holds for every listener that has none of its own; never empty.
    pub access: Vec<Access>,
    /// Whether an empty client identifier is given one. Default: yes.
    pub allow_empty_client_id: bool,
    /// Connected clients at most; one more is refused (0x97, before MQTT 5 return code 3). Default: no limit.
    pub max_connections: Option<usize>,
    /// The largest packet taken, in bytes. Default: the protocol's own limit of 268,435,460.
    pub max_packet_size: u32,
    /// QoS 1 and 2 messages taken at once from one MQTT 5 client. Default: 1,000.
    pub receive_maximum: u16,
    /// QoS 1 and 2 messages sent at once to one client, if it does not ask for fewer. Default: 1,000.
    pub max_inflight: u16,
    /// Topic aliases taken from one client. Default: 16.
    pub topic_alias_maximum: u16,
    /// Topic aliases used towards one client, if it does not ask for fewer. Default: 256.
    pub topic_aliases_out: u16,
    /// Seconds that replace the keep-alive of every MQTT 5 client; 0: none. Default: the client's own.
    pub server_keep_alive: Option<u16>,
    /// The highest quality of service. Default: 2.
    pub maximum_qos: QoS,
    /// Whether retained messages are kept. Default: yes.
    pub retain_available: bool,
    /// QoS 1 and 2 messages that may wait for one client. One more is refused (0x97), or before MQTT 5 waits with its
    /// acknowledgement. Default: 100,000.
    pub max_queued: usize,
    /// Bytes that they may hold. Default: 64 MiB.
    pub max_queued_bytes: usize,
    /// Bytes that may wait to be written to one client; beyond it QoS 0 messages are dropped. Default: 16 MiB.
    pub max_buffered_bytes: usize,
    /// Whether QoS 0 messages wait for clients that are away. Default: no.
    pub queue_qos0_offline: bool,
    /// Seconds that a session may outlive its connection at most. Default: no limit.
    pub session_expiry_limit: Option<u32>,
    /// The Response Information sent to clients that request it, followed by the client identifier.
    pub response_information: Option<ByteString>,
    /// Time between two rounds of `$SYS` topics; `None`: no such topics. Default: 10 s.
    pub sys_interval: Option<Duration>,
    /// How long a connection may take to send CONNECT. Default: 10 s.
    pub connect_timeout: Duration,
    /// What is to go wrong.
    pub faults: Vec<Fault>,
}

impl Options {
    /// Who may do what, by its index.
    pub(super) fn access(&self, index: usize) -> &Access {
        // Never empty.
        self.access.get(index).unwrap_or(&self.access[0])
    }

    /// Whether a client has a right; everyone has every right where there is no list.
    pub(super) fn allow(&self, client: Client<'_>, right: Right, topic: &str) -> bool {
        let acl = self.access(client.access).acl.as_ref();
        acl.is_none_or(|acl| acl.allows(client, right, topic))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            access: vec![Access::default()],
            allow_empty_client_id: true,
            max_connections: None,
            max_packet_size: LARGEST_PACKET,
            receive_maximum: 1_000,
            max_inflight: 1_000,
            topic_alias_maximum: 16,
            topic_aliases_out: 256,
            server_keep_alive: None,
            maximum_qos: QoS::ExactlyOnce,
            retain_available: true,
            max_queued: 100_000,
            max_queued_bytes: 64 << 20,
            max_buffered_bytes: 16 << 20,
            queue_qos0_offline: false,
            session_expiry_limit: None,
            response_information: None,
            sys_interval: Some(Duration::from_secs(10)),
            connect_timeout: Duration::from_secs(10),
            faults: Vec::new(),
        }
    }
}
