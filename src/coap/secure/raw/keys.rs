//! Key agreement, what is derived from it (RFC 5246 §5, §6.3, RFC 7627), and the protection of records (RFC 6655).

use aes::Aes128;
use ccm::aead::generic_array::GenericArray;
use ccm::aead::{Aead, KeyInit, Payload};
use ccm::consts::{U8, U12};
use ring::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, signature};

use super::wire::VERSION;
use crate::connect::rpk::PublicKey;

/// A tag of 8 bytes and a nonce of 12.
type Ccm = ccm::Ccm<Aes128, U8, U12>;

const KEY: usize = 16;

/// The part of a nonce that both sides know.
const SALT: usize = 4;

/// The part of a nonce that each record says.
const EXPLICIT: usize = 8;

pub(super) const MASTER: usize = 48;

pub(super) type Master = [u8; MASTER];

/// Bytes of a Finished.
pub(super) const VERIFY_DATA: usize = 12;

/// Random bytes from the operating system.
pub(super) fn random() -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}

pub(super) fn hash(bytes: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, bytes)
}

/// The pseudo-random function with SHA-256 (RFC 5246 §5).
pub(super) fn prf<const N: usize>(secret: &[u8], label: &str, seeds: &[&[u8]]) -> [u8; N] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let seed = [label.as_bytes(), &seeds.concat()].concat();
    let mut chain = hmac::sign(&key, &seed);
    let mut output = [0; N];
    for chunk in output.chunks_mut(digest::SHA256_OUTPUT_LEN) {
        let block = hmac::sign(&key, &[chain.as_ref(), &seed].concat());
        // A chunk is no longer than a block.
        chunk.copy_from_slice(&block.as_ref()[..chunk.len()]);
        chain = hmac::sign(&key, chain.as_ref());
    }
    output
}

/// Our half of a key agreement.
pub(super) struct Agreement {
    private: EphemeralPrivateKey,
    point: Vec<u8>,
}

impl Agreement {
    pub(super) fn new() -> Option<Self> {
        let random = SystemRandom::new();
        let private = EphemeralPrivateKey::generate(&agreement::ECDH_P256, &random).ok()?;
        let point = private.compute_public_key().ok()?.as_ref().to_vec();
        Some(Self { private, point })
    }

    /// What the other side needs of it.
    pub(super) fn point(&self) -> &[u8] {
        &self.point
    }

    /// The premaster secret; `None` for what is no point of the curve.
    pub(super) fn agree(self, point: &[u8]) -> Option<Vec<u8>> {
        let public = UnparsedPublicKey::new(&agreement::ECDH_P256, point);
        agreement::agree_ephemeral(self.private, &public, <[u8]>::to_vec).ok()
    }
}

/// Whether this signature is one of the key's.
pub(super) fn verifies(key: &PublicKey, message: &[u8], signed: &[u8]) -> bool {
    let algorithm = &signature::ECDSA_P256_SHA256_ASN1;
    let key = signature::UnparsedPublicKey::new(algorithm, key.point());
    key.verify(message, signed).is_ok()
}

/// The random bytes of both sides.
#[derive(Clone, Copy)]
pub(super) struct Randoms {
    pub(super) client: [u8; 32],
    pub(super) server: [u8; 32],
}

impl Randoms {
    /// The master secret: of the whole handshake so far (RFC 7627), or, with a peer that does not know that, of the random
    /// bytes only.
    pub(super) fn master(&self, premaster: &[u8], handshake: Option<&[u8]>) -> Master {
        match handshake {
            Some(messages) => prf(
                premaster,
                "extended master secret",
                &[hash(messages).as_ref()],
            ),
            None => prf(premaster, "master secret", &[&self.client, &self.server]),
        }
    }

    /// What records are protected with.
    pub(super) fn keys(&self, master: &Master, is_client: bool) -> Keys {
        const BLOCK: usize = 2 * (KEY + SALT);
        let block: [u8; BLOCK] = prf(master, "key expansion", &[&self.server, &self.client]);
        let (keys, salts) = block.split_at(2 * KEY);
        let cipher = |at: usize| Cipher {
            ccm: Ccm::new(GenericArray::from_slice(&keys[at * KEY..][..KEY])),
            // The block has two of each.
            salt: [0, 1, 2, 3].map(|byte| salts[at * SALT + byte]),
        };
        let (client, server) = (cipher(0), cipher(1));
        if is_client {
            Keys {
                write: client,
                read: server,
            }
        } else {
            Keys {
                write: server,
                read: client,
            }
        }
    }
}

pub(super) struct Keys {
    pub(super) write: Cipher,
    pub(super) read: Cipher,
}

/// One direction.
pub(super) struct Cipher {
    ccm: Ccm,
    salt: [u8; SALT],
}

impl Cipher {
    /// Protects the content of a record of this type and this number, which has the epoch in its first two bytes.
    pub(super) fn seal(&self, kind: u8, number: u64, content: &[u8]) -> Option<Vec<u8>> {
        let explicit = number.to_be_bytes();
        let aad = authenticated(kind, number, content.len());
        let (msg, aad) = (content, &aad[..]);
        let sealed = self.ccm.encrypt(
            GenericArray::from_slice(&self.nonce(&explicit)),
            Payload { msg, aad },
        );
        Some([&explicit[..], &sealed.ok()?].concat())
    }

    /// The content of such a record; `None` for what nobody sealed.
    pub(super) fn open(&self, kind: u8, number: u64, body: &[u8]) -> Option<Vec<u8>> {
        let (explicit, msg) = body.split_at_checked(EXPLICIT)?;
        let length = msg.len().checked_sub(8)?;
        let aad = &authenticated(kind, number, length)[..];
        let nonce = self.nonce(explicit);
        self.ccm
            .decrypt(GenericArray::from_slice(&nonce), Payload { msg, aad })
            .ok()
    }

    fn nonce(&self, explicit: &[u8]) -> [u8; SALT + EXPLICIT] {
        let mut nonce = [0; SALT + EXPLICIT];
        nonce[..SALT].copy_from_slice(&self.salt);
        nonce[SALT..].copy_from_slice(explicit);
        nonce
    }
}

/// What is authenticated beside the content (RFC 5246 §6.2.3.3).
fn authenticated(kind: u8, number: u64, length: usize) -> [u8; 13] {
    let mut data = [0; 13];
    data[..8].copy_from_slice(&number.to_be_bytes());
    data[8] = kind;
    data[9..11].copy_from_slice(&VERSION);
    // The length of a record's content fits.
    data[11..].copy_from_slice(&(length as u16).to_be_bytes());
    data
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    /// The vector that the TLS working group agreed on for the function with SHA-256.
    #[test]
    fn the_function_is_the_one_of_tls() {
        let hex = |digits: &str| HEXLOWER.decode(digits.as_bytes()).unwrap();
        let secret = hex("9bbe436ba940f017b17652849a71db35");
        let seed = hex("a0ba9f936cda311827a6f796ffd5198c");
        let output: [u8; 100] = prf(&secret, "test label", &[&seed]);
        assert_eq!(
            HEXLOWER.encode(&output),
            "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a\
             6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab\
             4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701\
             87347b66"
        );
    }

    #[test]
    fn what_is_sealed_opens_as_it_is_and_not_otherwise() {
        let randoms = Randoms {
            client: [1; 32],
            server: [2; 32],
        };
        let [client, server] = [true, false].map(|it| randoms.keys(&[3; MASTER], it));
        let number = 1 << 48 | 7;
        let sealed = client.write.seal(23, number, b"hello").unwrap();
        assert_eq!(server.read.open(23, number, &sealed).unwrap(), b"hello");
        assert_eq!(server.read.open(22, number, &sealed), None);
        assert_eq!(server.read.open(23, number + 1, &sealed), None);
        assert_eq!(client.read.open(23, number, &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(server.read.open(23, number, &changed), None);
            assert_eq!(server.read.open(23, number, &sealed[..at]), None);
        }
    }
}
