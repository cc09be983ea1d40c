//! MQTT 3.1, 3.1.1 and 5: values in, values out.
//!
//! | part | what it is for |
//! |---|---|
//! | [`packet`] | the control packets and their strict codec |
//! | [`topic`] | topic names and filters: checks and matching |
//! | [`session`] | what both sides share, sans-I/O: delivery states, aliases, keep-alive; and the client's session engine |

pub mod packet;
pub mod session;
pub mod topic;
