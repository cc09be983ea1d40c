//! The embedded broker: for development, CI and tests of clients, with faults on request.
//!
//! It speaks MQTT 3.1, 3.1.1 and 5 on one port and keeps everything in memory. [`Core`](core::Core) is the
//! broker without sockets and clock: packets and time go in, packets come out. [`serve()`] drives it.
//!
//! It sends no reason strings, so that Request Problem Information (MQTT 5.0 §3.1.2.11.7) is always obeyed.
//!
//! | file | what it holds |
//! |---|---|
//! | `core`, `outgoing` | the way in: packets, time, the end of a connection; and the way out |
//! | `connecting`, `ending` | CONNECT, take-over, resumption; wills and the end of sessions |
//! | `publishing`, `delivery`, `subscribing` | the flows of PUBLISH in, PUBLISH out, SUBSCRIBE |
//! | `holding` | what becomes of messages that a queue has no room for |
//! | `sessions`, `connection`, `subscriptions`, `retained`, `application` | what is remembered |
//! | `access`, `faults`, `options`, `events`, `sys` | access control, fault injection, options, events, $SYS topics |
//! | `drive`, `link` | the core as an engine of [`crate::server`]; a connection's task |

mod access;
mod application;
mod authenticating;
mod connecting;
mod connection;
mod core;
mod delivery;
mod drive;
mod ending;
mod events;
mod faults;
mod holding;
mod link;
mod options;
mod outgoing;
mod publishing;
mod retained;
mod sessions;
mod subscribing;
mod subscriptions;
mod sys;
#[cfg(test)]
mod tests;

pub(crate) use crate::server::Users;
pub(crate) use access::Acl;
pub(crate) use drive::{Broker, serve};
pub(crate) use events::Event;
pub(crate) use faults::{FAULT_KEYS, Fault, Injected};
pub(crate) use options::{Access, Options};
