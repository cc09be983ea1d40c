//! The endpoint on tokio: sockets, streams and time.
//!
//! | part | what it is for |
//! |---|---|
//! | [`Client`] | one endpoint towards one peer or group, over any transport |
//! | `wire` | what carries its messages: a connected or an unconnected UDP socket, a stream |
//! | [`Server`] | sockets, listeners, groups and connections around one site; faults on purpose |
//! | [`associate`] | a DTLS association alone |
//! | [`Tap`] | shows every message that passes |
//! | [`Capture`], `headers` | keeps them in a file for Wireshark, in packets |

mod arrivals;
mod capture;
mod client;
mod dtls;
mod fault;
mod group;
mod headers;
mod membership;
mod seats;
mod sequence;
mod server;
mod stream;
mod tap;
mod udp;
mod wire;

pub(crate) use capture::Capture;
pub(crate) use client::Client;
pub(crate) use dtls::{Association, associate};
pub(crate) use fault::{FAULT_KEYS, Fault, Injected};
pub(crate) use server::{Notice, Server};
pub(crate) use tap::{Direction, Seen, Tap};

/// The largest datagram, in bytes: servers send large notifications in one.
const LARGEST_DATAGRAM: usize = 65_536;
