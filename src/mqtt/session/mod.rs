//! MQTT session state, sans-I/O: packets and time in, packets out.
//!
//! [`outbound`], [`inbound`] and [`alias`] are the delivery states that client and broker share;
//! [`limits`] is what a server says that it takes; [`client`] is the client's whole session.

pub(crate) mod alias;
pub mod client;
pub(crate) mod fault;
pub(crate) mod inbound;
pub(crate) mod keep_alive;
pub(crate) mod limits;
pub(crate) mod outbound;
