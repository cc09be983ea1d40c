//! Firmware updates as pure values: signed manifests, images, slots, the device and the rollout. No file is read here
//! and nothing is sent; `command::ota` does both.
//!
//! | part | what it is for |
//! |---|---|
//! | [`key`] | Ed25519 and P-256 keys, as openssl and imgtool write them |
//! | [`rollout`] | an update of many devices in stages |
//! | [`suit`] | SUIT envelopes (draft-ietf-suit-manifest): signed, verified, and read as a plan of one update |
//! | [`mcuboot`] | images of MCUboot |
//! | [`identity`] | which device a manifest is for (RFC 9124) |
//! | [`delta`] | patches in the format BSDIFF40 |
//! | [`device`] | a device with two slots, as steps to take |
//! | [`version`] | versions of firmware |
//! | [`wire`] | topics, requests and reports over MQTT |
//! | [`refusal`] | why an update is not installed |

mod cbor;
pub mod delta;
pub mod device;
pub mod identity;
pub mod key;
pub mod mcuboot;
pub mod refusal;
pub mod rollout;
pub mod suit;
pub mod version;
pub mod wire;

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

/// The SHA-256 of what a reader has left.
///
/// # Errors
/// It cannot be read.
pub fn digest_of(mut from: impl std::io::Read) -> std::io::Result<Digest> {
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    let mut copy = Digest::default();
    copy.copy_from_slice(hash.finish().as_ref());
    Ok(copy)
}

/// The first digits of a digest or key id: enough to tell one from another.
pub fn short(id: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&id[..id.len().min(8)])
}
