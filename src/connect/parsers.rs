//! What reads bytes of strangers, for the fuzzer.

pub use super::pkcs12::fuzz as keystore;
pub use super::srv::{Answer as SrvAnswer, read as srv_answer};
