//! Firmware updates as pure values: signed manifests, images, slots, the device and the rollout. No file is read here
//! and nothing is sent; `command::ota` does both.
//!
//! | part | what it is for |
//! |---|---|
//! | [`key`] | Ed25519 and P-256 keys, as openssl and imgtool write them |
//! | [`suit`] | SUIT envelopes (draft-ietf-suit-manifest): signed, verified, and read as a plan of one update |
//! | [`mcuboot`] | images of MCUboot |
//! | [`identity`] | which device a manifest is for (RFC 9124) |
//! | [`device`] | a device with two slots, as steps to take |
//! | [`version`] | versions of firmware |
//! | [`refusal`] | why an update is not installed |

mod cbor;
pub mod device;
pub mod identity;
pub mod key;
pub mod mcuboot;
pub mod refusal;
pub mod suit;
pub mod version;

pub use identity::Identity;
pub use key::{Algorithm, PublicKey, SigningKey, Trusted};
pub use refusal::Refusal;
pub use version::Version;

/// A SHA-256.
pub type Digest = [u8; 32];

/// The SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Digest {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let mut copy = Digest::default();
    copy.copy_from_slice(digest.as_ref());
    copy
}

/// The first digits of a digest or key id: enough to tell one from another.
pub fn short(id: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&id[..id.len().min(8)])
}
