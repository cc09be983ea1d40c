//! MQTT session state, sans-I/O: packets and time in, packets out.
//!
//! [`outbound`], [`inbound`] and [`alias`] are the delivery states that client and broker share;
//! [`client`] is the client's whole session.

pub mod alias;
pub mod client;
pub mod fault;
pub mod inbound;
pub mod keep_alive;
pub mod outbound;
