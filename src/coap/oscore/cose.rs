//! Keys, nonces and encryption (RFC 8613 §3.2, §5; RFC 8152), and the little CBOR that they need.

use aes::Aes128;
use ccm::aead::generic_array::GenericArray;
use ccm::aead::{Aead, KeyInit, Payload};
use ccm::consts::{U8, U13};
use ring::hkdf;

use super::Fault;

/// AES-CCM-16-64-128: a tag of 8 bytes and a nonce of 13.
type Ccm = ccm::Ccm<Aes128, U8, U13>;

/// COSE's number of it.
const ALGORITHM: u8 = 10;

pub(super) const KEY_LENGTH: usize = 16;
pub(super) const NONCE_LENGTH: usize = 13;

/// The longest id of a sender, in bytes: what a nonce has room for.
pub(super) const LONGEST_ID: usize = NONCE_LENGTH - 6;

pub(super) type Key = [u8; KEY_LENGTH];
pub(super) type Nonce = [u8; NONCE_LENGTH];

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF with SHA-256 over `[id, id_context, algorithm, kind, length]` (§3.2.1).
pub(super) fn derive<const N: usize>(
    (secret, salt): (&[u8], &[u8]),
    id: &[u8],
    id_context: Option<&[u8]>,
    kind: &str,
) -> Option<[u8; N]> {
    let mut info = vec![0x85];
    put_bytes(&mut info, id);
    match id_context {
        Some(context) => put_bytes(&mut info, context),
        None => info.push(0xF6),
    }
    info.push(ALGORITHM);
    put_head(&mut info, 3, kind.len());
    info.extend_from_slice(kind.as_bytes());
    info.push(N as u8);
    let mut derived = [0; N];
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    let info = [&info[..]];
    let expanded = extracted.expand(&info, Length(N)).ok()?;
    expanded.fill(&mut derived).ok()?;
    Some(derived)
}

/// The nonce of a message (§5.2): of its sender's id and partial IV, at most [`LONGEST_ID`] and 5 bytes.
pub(super) fn nonce(common: &Nonce, id: &[u8], piv: &[u8]) -> Nonce {
    let mut nonce = [0; NONCE_LENGTH];
    nonce[0] = id.len() as u8;
    nonce[8 - id.len()..8].copy_from_slice(id);
    nonce[13 - piv.len()..].copy_from_slice(piv);
    for (byte, other) in nonce.iter_mut().zip(common) {
        *byte ^= other;
    }
    nonce
}

/// What is authenticated beside the text (§5.4): the request's sender and partial IV.
fn authenticated(kid: &[u8], piv: &[u8]) -> Vec<u8> {
    let mut external = vec![0x85, 0x01, 0x81, ALGORITHM];
    put_bytes(&mut external, kid);
    put_bytes(&mut external, piv);
    external.push(0x40);
    let mut structure = vec![0x83, 0x68];
    structure.extend_from_slice(b"Encrypt0");
    structure.push(0x40);
    put_bytes(&mut structure, &external);
    structure
}

pub(super) fn seal(
    key: &Key,
    nonce: &Nonce,
    (kid, piv): (&[u8], &[u8]),
    text: &[u8],
) -> Result<Vec<u8>, Fault> {
    let aad = authenticated(kid, piv);
    let payload = Payload {
        msg: text,
        aad: &aad,
    };
    let cipher = Ccm::new(GenericArray::from_slice(key));
    // The text is longer than the 65 535 bytes that this nonce leaves room for.
    let sealed = cipher.encrypt(GenericArray::from_slice(nonce), payload);
    sealed.map_err(|_| Fault::Unwritable)
}

pub(super) fn open(
    key: &Key,
    nonce: &Nonce,
    (kid, piv): (&[u8], &[u8]),
    sealed: &[u8],
) -> Result<Vec<u8>, Fault> {
    let aad = authenticated(kid, piv);
    let payload = Payload {
        msg: sealed,
        aad: &aad,
    };
    let cipher = Ccm::new(GenericArray::from_slice(key));
    let opened = cipher.decrypt(GenericArray::from_slice(nonce), payload);
    opened.map_err(|_| Fault::Decryption)
}

fn put_bytes(cbor: &mut Vec<u8>, bytes: &[u8]) {
    put_head(cbor, 2, bytes.len());
    cbor.extend_from_slice(bytes);
}

/// The head of a byte string (2) or text (3) of up to 65 535 bytes.
fn put_head(cbor: &mut Vec<u8>, major: u8, length: usize) {
    let major = major << 5;
    match length {
        0..24 => cbor.push(major | length as u8),
        24..256 => cbor.extend([major | 24, length as u8]),
        _ => {
            cbor.push(major | 25);
            cbor.extend((length as u16).to_be_bytes());
        }
    }
}
