//! MQTT 3.1, 3.1.1 and 5: values in, values out.
//!
//! | part | what it is for |
//! |---|---|
//! | [`broker`] | the embedded broker, with faults on request |
//! | [`packet`] | the control packets and their strict codec |
//! | [`topic`] | topic names and filters: checks and matching |
//! | [`session`] | what both sides share, sans-I/O: delivery states, aliases, keep-alive; and the client's session engine |

pub mod broker;
pub mod packet;
pub mod session;
pub mod topic;
