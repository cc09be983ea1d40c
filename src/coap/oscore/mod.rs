//! OSCORE (RFC 8613): a message's code, most of its options and its payload, encrypted between the two ends
//! whatever lies in between. AES-CCM-16-64-128 and HKDF with SHA-256, which everyone must have.
//!
//! [`Context`] turns one message into another; it keeps no time and sends nothing. The sender sequence number
//! must never be used twice under the same keys, not even by another run of the program: whoever owns a context
//! stores a number first and then allows it ([`Context::allow_until`]).

mod context;
mod cose;
mod inner;
#[cfg(test)]
mod tests;

pub use context::{BadContext, Binding, Context, Secrets};

/// Why a message could not be protected or opened. The texts are for a line of the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It carries no OSCORE option.
    #[error("the message is not protected by OSCORE")]
    Unprotected,
    /// Its OSCORE option cannot be read.
    #[error("the OSCORE option is malformed")]
    Option,
    /// It names another sender or context than ours.
    #[error("the OSCORE security context is not known")]
    Unknown,
    /// It does not decrypt: wrong keys, or tampered with.
    #[error("the OSCORE message cannot be decrypted: the keys are probably wrong")]
    Decryption,
    /// What was decrypted is no CoAP.
    #[error("the decrypted message is malformed")]
    Malformed,
    /// Its sequence number was used before.
    #[error("the OSCORE message is a replay")]
    Replay,
    /// No sequence number is allowed any more.
    #[error("the OSCORE sender sequence numbers are exhausted, or cannot be stored")]
    Exhausted,
    /// The message cannot be written.
    #[error("the message cannot be encoded")]
    Unwritable,
}
