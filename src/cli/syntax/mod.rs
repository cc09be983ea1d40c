//! What the values of flags look like, whatever the protocol.

pub(crate) mod bound;
pub(crate) mod escape;
pub(crate) mod moment;
pub(crate) mod numbers;
pub(crate) mod rate;
pub(crate) mod values;
