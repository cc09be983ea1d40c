//! `mqtt broker`: the embedded broker, for development and tests.

use std::path::PathBuf;

use crate::connect::ListenAddress;
use crate::mqtt::broker::Options;
use crate::output::Style;

/// What the broker listens on, whom it lets in, and how it behaves.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where it listens; at least one.
    pub listen: Vec<Listen>,
    /// PEM file of the server's certificate chain; there whenever a listener speaks TLS.
    pub cert: Option<PathBuf>,
    /// PEM file of the server's private key.
    pub key: Option<PathBuf>,
    /// PEM file of the certificates that a client's must come from; makes client certificates mandatory.
    pub client_ca: Option<PathBuf>,
    /// User names and passwords.
    pub password_file: Option<PathBuf>,
    /// What each user may publish and receive.
    pub acl_file: Option<PathBuf>,
    /// Limits, offers and faults; `users` and `acl` come from the files above when the command runs.
    pub options: Options,
    /// What the terminal shows.
    pub style: Style,
}

/// One place where the broker listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Port 0 takes a free one.
    pub address: ListenAddress,
    /// Whether TLS protects it.
    pub tls: bool,
    /// Whether it speaks WebSocket.
    pub websocket: bool,
}
