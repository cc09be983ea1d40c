//! The embedded broker: AMQP 0-9-1 with RabbitMQ's extensions, in memory, for development, CI and tests, with faults on
//! request.
//!
//! [`Core`](core::Core) is the broker without sockets and clock: bytes and time go in, bytes come out. [`serve()`] drives it.
//! Methods and tables are amq-protocol's. Streams are refused; a quorum queue is a queue like any other whose messages
//! are delivered a limited number of times.
//!
//! | file | what it holds |
//! |---|---|
//! | `core`, `dispatch`, `ending` | the way in: bytes, time, the end of a connection; which frame goes where |
//! | `handshake` | from the protocol header to the virtual host |
//! | `exchanges`, `queues` | the methods that declare, bind and delete |
//! | `chores` | what is too much for one turn |
//! | `publishing`, `consuming`, `settling`, `dead_letter` | a message's way: in, out, done, or dead |
//! | `exchange`, `queue`, `settings`, `message`, `channel`, `connection` | what is remembered |
//! | `matching`, `wire` | patterns; what goes over the wire |
//! | `faults`, `options`, `events` | what goes wrong, how, what is told |
//! | `drive`, `link` | the core as an engine of [`crate::server`]; a connection's task |

mod channel;
mod chores;
mod connection;
mod consuming;
mod core;
mod dead_letter;
mod dispatch;
mod drive;
mod ending;
mod events;
mod exchange;
mod exchanges;
mod faults;
mod handshake;
mod link;
mod matching;
mod message;
mod options;
mod publishing;
mod queue;
mod queues;
mod settings;
mod settling;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use crate::server::Users;
pub(crate) use drive::{Broker, serve};
pub(crate) use events::Event;
pub(crate) use faults::{FAULT_KEYS, Fault, Injected};
pub(crate) use options::Options;
