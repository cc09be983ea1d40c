//! All that a connection needs before its first byte: target, secrets, TLS, contexts, back-off, streams.
//!
//! It knows no protocol beyond its URL schemes. What was said ([`ConnectArgs`]) becomes a checked
//! [`Target`]; [`dial()`] turns that into a [`Stream`] of bytes, whatever the transport.
//!
//! | part | what it is for |
//! |---|---|
//! | [`args`] | arguments from flags, environment or context; all of them optional |
//! | [`environment`] | the variables and the prompt of the process, as a value |
//! | [`scheme`] | the protocols and their URL schemes, ports and sub-protocols |
//! | [`target`] | where to go and how, checked, with all its files read |
//! | [`tls`] | client TLS: roots, identity, verification |
//! | [`stream`] | one byte stream over tcp, tls, WebSocket or a unix socket |
//! | [`mod@dial`] | name lookup, both address families, handshakes, one deadline |
//! | [`mod@failure`] | what an error on a stream means, in words |
//! | [`http`] | a client for small HTTP requests |
//! | `proxy` | a SOCKS5 or HTTP proxy on the way |
//! | [`udp`] | name lookup and a socket, for datagrams |
//! | [`addressed`] | a server's socket, which answers from the address that was asked |
//! | [`oscore`] | what an OSCORE security context is made of |
//! | [`psk`] | a key that both sides share, for DTLS |
//! | [`rpk`] | raw public keys, for DTLS |
//! | `servers`, `srv` | several servers of which one is enough, listed or found in DNS |
//! | [`LocalAddress`] | an address of ours to connect from, and its network interface |
//! | [`backoff`] | when to try again |
//! | [`suspects`] | which message it is that a connection does not survive |
//! | [`diagnose`] | what a peer speaks that does not speak our protocol |
//! | [`listen`] | the server side, for the embedded peers |

pub(crate) mod addressed;
pub(crate) mod args;
pub(crate) mod backoff;
mod certificate;
mod contexts;
pub(crate) mod diagnose;
pub(crate) mod dial;
pub(crate) mod environment;
pub(crate) mod failure;
mod family;
pub(crate) mod happy;
pub mod http;
mod identity;
mod key_log;
mod layer;
pub(crate) mod listen;
pub(crate) mod oscore;
#[doc(hidden)]
pub mod parsers;
mod password;
mod pbes2;
mod pem;
mod phases;
mod pin;
mod pkcs12;
mod proxy;
pub(crate) mod psk;
mod resolve;
pub(crate) mod rpk;
pub(crate) mod scheme;
pub(crate) mod scram;
mod secret;
mod server_tls;
mod servers;
mod srv;
pub(crate) mod stream;
pub(crate) mod suspects;
pub(crate) mod target;
pub(crate) mod tls;
mod tls_errors;
mod trust;
pub(crate) mod udp;
mod upgrade;
mod url;
mod verify;
mod verify_client;
mod websocket;
mod zone;

pub use addressed::Addressed;
pub use args::{ConnectArgs, OscoreArgs, Retry, TlsVersion};
pub(crate) use args::{duration, family};
pub use backoff::Backoff;
pub(crate) use contexts::{names as context_names, protocol as context_protocol, usual_protocol};
pub use dial::dial;
pub(crate) use dial::within;
pub use environment::Environment;
pub use failure::{failure, refused};
pub use family::Family;
pub(crate) use identity::signing_key;
pub use listen::{Incoming, ListenAddress, ListenOn, Listener, LiveTls, ServerTls};
pub use oscore::{Oscore, OscoreState};
pub(crate) use pem::public_keys;
pub use phases::{Phases, Seen, TlsSeen};
pub use pin::Pin;
pub use proxy::Proxy;
pub use psk::Psk;
pub(crate) use resolve::or_context;
pub use rpk::Rpk;
pub use scheme::Protocol;
pub use secret::Secret;
pub(crate) use secret::same;
pub use stream::Stream;
pub use target::{Target, Transport};
pub use tls_errors::server as client_failure;
pub use url::without_credentials;
pub(crate) use url::{has_user, without_password};
pub use zone::LocalAddress;

#[cfg(test)]
mod tests;
