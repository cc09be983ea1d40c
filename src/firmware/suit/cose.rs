//! The signature of an envelope: COSE_Sign1 (RFC 9052) with the SUIT_Digest as its detached payload.

use coset::iana::{self, EnumI64};
use coset::{CoseSign1, CoseSign1Builder, HeaderBuilder, TaggedCborSerializable};
use coset::{ProtectedHeader, RegisteredLabelWithPrivate};

use super::super::cbor::Items;
use super::super::key::{Algorithm, Form, NoKey, PublicKey, SigningKey, Trusted};
use super::super::refusal::{Refusal, Result};
use super::super::short;
use super::Numbering;

/// Bytes of a key's id that a signature carries: enough to tell ten thousand keys apart.
const KEY_ID: usize = 8;

fn number(key: Algorithm, numbering: Numbering) -> iana::Algorithm {
    match (key, numbering) {
        (Algorithm::Ed25519, Numbering::Classic) => iana::Algorithm::EdDSA,
        (Algorithm::Ed25519, Numbering::FullySpecified) => iana::Algorithm::Ed25519,
        (Algorithm::P256, Numbering::Classic) => iana::Algorithm::ES256,
        (Algorithm::P256, Numbering::FullySpecified) => iana::Algorithm::ESP256,
    }
}

/// The signature of `digest`, tagged.
pub(super) fn sign(
    digest: &[u8],
    key: &SigningKey,
    numbering: Numbering,
) -> std::result::Result<Vec<u8>, NoKey> {
    // The id is protected, so that no bit of the envelope can be changed unseen.
    let header = HeaderBuilder::new()
        .algorithm(number(key.public().algorithm(), numbering))
        .key_id(key.public().id()[..KEY_ID].to_vec())
        .build();
    let signed = CoseSign1Builder::new()
        .protected(header)
        .try_create_detached_signature(digest, &[], |message| key.sign(message, Form::Fixed))?
        .build();
    signed.to_tagged_vec().map_err(|_| NoKey)
}

/// The shape, which coset reads more generously: `undefined` is a payload of nil for it.
fn check_shape(block: &[u8]) -> Result<()> {
    let mut items = Items::new(block, "signature");
    items.tag(18, "the tag of COSE_Sign1 (18)")?;
    if items.array("an array of four")? != 4 {
        return Err(items.expected("an array of four"));
    }
    items.bytes("a protected header")?;
    match items.major() {
        Some(5) => items.skip()?,
        _ => return Err(items.expected("a header")),
    }
    if !items.takes_null() {
        return Err(items.expected("nil, as the payload is the digest of the manifest,"));
    }
    items.bytes("a signature")?;
    items.end()
}

fn read(block: &[u8]) -> Result<CoseSign1> {
    check_shape(block)?;
    let read = CoseSign1::from_tagged_slice(block);
    let read = read.map_err(|cause| Refusal::malformed("signature", cause.to_string()))?;
    // The shape says so already; with one, the message to verify would be another.
    if read.payload.is_some() {
        return Err(Refusal::malformed("signature", "it has a payload"));
    }
    if !read.protected.header.crit.is_empty() {
        let why = "it has a critical header, and we know none";
        return Err(Refusal::malformed("signature", why));
    }
    Ok(read)
}

/// The algorithm stands in the protected header, else it could be exchanged.
fn algorithm(protected: &ProtectedHeader) -> Result<Algorithm> {
    match &protected.header.alg {
        Some(RegisteredLabelWithPrivate::Assigned(
            iana::Algorithm::EdDSA | iana::Algorithm::Ed25519,
        )) => Ok(Algorithm::Ed25519),
        Some(RegisteredLabelWithPrivate::Assigned(
            iana::Algorithm::ES256 | iana::Algorithm::ESP256,
        )) => Ok(Algorithm::P256),
        Some(RegisteredLabelWithPrivate::Assigned(other)) => Err(Refusal::Algorithm(format!(
            "{other:?} ({})",
            other.to_i64()
        ))),
        Some(other) => Err(Refusal::Algorithm(format!("{other:?}"))),
        None => Err(Refusal::malformed("signature", "it names no algorithm")),
    }
}

/// The id of the key, as the protected header, or else the other one, gives it.
fn key_id(signature: &CoseSign1) -> &[u8] {
    let protected = &signature.protected.header.key_id;
    match protected.is_empty() {
        true => &signature.unprotected.key_id,
        false => protected,
    }
}

/// The trusted key that has made this signature of `digest`.
pub(super) fn signer<'k>(
    block: &[u8],
    digest: &[u8],
    trusted: &'k Trusted,
) -> Result<&'k PublicKey> {
    let signature = read(block)?;
    let algorithm = algorithm(&signature.protected)?;
    let message = signature.tbs_detached_data(digest, &[]);
    let verifies = |key: &PublicKey| key.verifies(&message, &signature.signature, Form::Fixed);
    let named = key_id(&signature);
    // Others may give their keys ids that are no digests, so that only what looks like one of ours is one.
    let is_ours = named.len() == KEY_ID || named.len() == 32;
    match trusted.signer(algorithm, is_ours.then_some(named), verifies) {
        Err(Refusal::UntrustedKey { by, trusted: names }) => trusted
            .signer(algorithm, None, verifies)
            .map_err(|_| Refusal::UntrustedKey { by, trusted: names }),
        other => other,
    }
}

/// What a signature says of itself.
pub(super) fn claim(block: &[u8]) -> String {
    let Ok(signature) = read(block) else {
        return String::from("unreadable");
    };
    let kind = match algorithm(&signature.protected) {
        Ok(kind) => kind.to_string(),
        Err(_) => String::from("unknown algorithm"),
    };
    let number = match &signature.protected.header.alg {
        Some(RegisteredLabelWithPrivate::Assigned(known)) => format!(" ({})", known.to_i64()),
        _ => String::new(),
    };
    match key_id(&signature) {
        [] => format!("{kind}{number}"),
        id => format!("{kind}{number}, key {}", short(id)),
    }
}
