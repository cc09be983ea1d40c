//! A CoAP endpoint, sans-I/O: bytes and time in, bytes and events out.
//!
//! ```text
//! new(config) · request(now, Request) -> Handle · ping(now, Peer) -> Handle · cancel(now, Handle, Cancel)
//! handle_datagram(now, Peer, &[u8]) · handle_multicast(now, Peer, &[u8]) · handle_unreachable(now, Peer)
//! connected(now, Peer) · handle_stream(now, Peer, &[u8]) · handle_frame(now, Peer, &[u8]) · disconnected(now, Peer, &str)
//! respond(now, Exchange, Response) · acknowledge(now, Exchange) · notify(now, Exchange, Response, confirmable)
//! poll_transmit() -> Option<(Peer, Bytes)> · poll_event() -> Option<Event>
//! poll_timeout() -> Option<Instant> · handle_timeout(now)
//! ```
//!
//! The driver's duty is the same after every call: take all of `poll_transmit` and of `poll_event`, and call
//! `handle_timeout` when the time of `poll_timeout` has come. Nothing else bounds these two queues.

mod config;
mod event;
mod request;
mod serving;

pub use config::{Config, Transport};
pub use event::{Broken, Closing, Event, Failure, Gone, Ignored};
pub use request::{Cancel, Handle, Partial, Peer, Reply, Request, Response, Resume};
pub use serving::{Exchange, Incoming};
