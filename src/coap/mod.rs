//! CoAP (RFC 7252): packets, the sans-I/O endpoint and its transports.
//!
//! | part | what it is for |
//! |---|---|
//! | [`message`], [`code`], [`option`], [`block`] | one message, strictly checked |
//! | [`format`](mod@format) | content formats by number, media type or short name |
//! | [`uri`] | URIs to options and back |
//! | [`wire`] | messages in place, and their parts: what is too slow or not known in the codec |
//! | [`frame`] | messages on TCP, TLS and WebSocket (RFC 8323) |
//! | [`oscore`] | one message encrypted into another (RFC 8613) |
//! | [`endpoint`] | both roles over any transport: bytes and time in, bytes and events out |
//! | [`net`], [`secure`] | the endpoint on sockets and streams; DTLS |
//! | [`site`], [`resources`], [`plugtest`] | resources on top of an endpoint; ready-made ones; the ETSI plugtest's |

pub mod block;
pub mod code;
pub mod endpoint;
pub mod format;
pub mod frame;
pub mod message;
pub mod net;
pub mod option;
pub mod oscore;
pub mod plugtest;
mod random;
pub mod resources;
pub mod secure;
mod shares;
pub mod site;
pub mod uri;
pub mod wire;
