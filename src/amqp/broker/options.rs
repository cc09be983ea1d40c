//! How the broker is to behave; the defaults are those of a development broker: everyone is welcome.

use std::time::Duration;

use super::faults::Fault;
use crate::server::Users;

/// The settings of one broker.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who may connect; `None`: everyone.
    pub users: Option<Users>,
    /// The virtual hosts. Default: `/`.
    pub vhosts: Vec<String>,
    /// The largest frame offered, in bytes; a client may ask for less. Default: 131,072.
    pub frame_max: u32,
    /// Channels of one connection at most. Default: 2,047.
    pub channel_max: u16,
    /// Seconds between heartbeats; 0: none; a client may ask for others. Default: 60.
    pub heartbeat: u16,
    /// The largest message body taken, in bytes. Default: 128 MiB.
    pub max_message_size: usize,
    /// The memory that messages may hold, in bytes; beyond it publishers are held back. Default: 1 GiB.
    pub max_memory: usize,
    /// Connected clients at most. Default: no limit.
    pub max_connections: Option<usize>,
    /// How long a connection may take to log in. Default: 10 s.
    pub connect_timeout: Duration,
    /// What is to go wrong.
    pub faults: Vec<Fault>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            users: None,
            vhosts: vec![String::from("/")],
            frame_max: 131_072,
            channel_max: 2_047,
            heartbeat: 60,
            max_message_size: 128 << 20,
            max_memory: 1 << 30,
            max_connections: None,
            connect_timeout: Duration::from_secs(10),
            faults: Vec::new(),
        }
    }
}
