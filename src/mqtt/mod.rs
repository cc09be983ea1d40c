//! MQTT 3.1, 3.1.1 and 5: values in, values out.
//!
//! | part | what it is for |
//! |---|---|
//! | [`packet`] | the control packets and their strict codec |
//! | [`topic`] | topic names and filters: checking and matching |
//! | [`session`] | what both sides share, sans-I/O: delivery states, aliases, keep-alive; and the client's session engine |
//! | [`client`] | the tokio driver that carries the client's session over a stream and reconnects |
//! | [`broker`] | the embedded broker: a sans-I/O core and the driver that serves it |

pub(crate) mod broker;
pub(crate) mod client;
pub mod packet;
pub mod session;

pub use crate::message::topic;
