//! MQTT session state, sans-I/O: packets and time in, packets out.
//!
//! [`outbound`], [`inbound`] and [`alias`] are the delivery states that client and broker share.

pub mod alias;
pub mod inbound;
pub mod outbound;
