//! AMQP 1.0: publishing, consuming and health checks, over fe2o3-amqp behind our own face.
//!
//! | part | what it is for |
//! |---|---|
//! | [`publisher`] | sends within a window and knows what became of each message |
//! | [`consumer`] | deliveries as records, and their settlement |
//! | [`pinger`] | round trips |
//! | `thread` | where the library runs, and how it begins and ends |
//! | `sasl` | the login |
//! | `server` | what the server says of itself |
//! | `gathered` | many frames in one write |
//! | `links` | one sending link for each address |
//! | `wire` | between our words and the library's types |
//! | `body` | what a body of typed values is as bytes |
//! | `diagnose` | what went wrong, in words |
//!
//! The library runs in a thread of its own, one for each connection, as lapin does: so it keeps the connection alive
//! whatever the command waits for, and a panic in it becomes an error of the command.

mod body;
pub(crate) mod consumer;
mod diagnose;
mod gathered;
mod links;
pub(crate) mod pinger;
pub(crate) mod publisher;
mod sasl;
mod server;
mod thread;
mod wire;

pub(crate) use consumer::Consumer;
pub(crate) use pinger::Pinger;
pub(crate) use publisher::Publisher;

use crate::error::Result;
pub(crate) use wire::carries;

/// Whether this program can speak AMQP 1.0: it can.
///
/// # Errors
/// None.
pub(crate) const fn available() -> Result<()> {
    Ok(())
}
