//! Raw public keys for DTLS (RFC 7250, RFC 7252 §9.1.3.2): who has the right key is trusted, without a certificate.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::ring::default_provider;
use rustls::sign::{Signer, SigningKey};

use super::args::ConnectArgs;
use super::identity::{self, Unlock};
use super::pem;
use super::pin::Pin;
use crate::error::{Error, Result};

/// What comes before the point in the SubjectPublicKeyInfo of a P-256 key (RFC 5480 §2).
const PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Bytes of an uncompressed point of P-256.
const POINT: usize = 65;

const KEYS_HINT: &str =
    "raw public keys must be P-256 keys: openssl ecparam -name prime256v1 -genkey -noout -out FILE";

/// Our key, and whom it is to be used with.
#[derive(Clone)]
pub struct Rpk {
    /// The key that we show.
    pub own: Option<RawKey>,
    /// The keys that the peer may have. `None`: to a client, a server's key is not verified; a server does not ask a client
    /// for one.
    pub peers: Option<Vec<PublicKey>>,
}

/// A private key of P-256.
#[derive(Clone)]
pub struct RawKey {
    signing: Arc<dyn SigningKey>,
    public: PublicKey,
}

/// A public key of P-256: its point, uncompressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; POINT]);

impl Rpk {
    /// What a client was given, if anything.
    pub(super) fn of(words: &ConnectArgs) -> Result<Option<Self>> {
        let (key, peer) = (words.rpk_key.as_deref(), words.rpk_peer.as_deref());
        if key.is_some() && peer.is_none() && words.insecure != Some(true) {
            return Err(Error::usage("--rpk-key needs the public key of the server")
                .hint("use --rpk-peer FILE, or --insecure to skip verification"));
        }
        Self::read(key, peer)
    }

    /// Reads the files that were given, if any: one with our private key, one with the public keys that the peer may have.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for keys that cannot be used, [`crate::error::Kind::Local`] for unreadable files.
    pub fn read(key: Option<&Path>, peer: Option<&Path>) -> Result<Option<Self>> {
        if key.is_none() && peer.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            own: key.map(RawKey::read).transpose()?,
            peers: peer.map(public_keys).transpose()?,
        }))
    }

    /// Whether the peer may have this key.
    pub(crate) fn accepts(&self, key: &PublicKey) -> bool {
        self.peers.as_ref().is_none_or(|it| it.contains(key))
    }
}

fn public_keys(path: &Path) -> Result<Vec<PublicKey>> {
    let all = pem::public_keys(path)?;
    let usable: Option<Vec<_>> = all.iter().map(|it| PublicKey::from_info(it)).collect();
    usable.ok_or_else(|| {
        let text = format!("a public key in {} cannot be used", path.display());
        Error::usage(text).hint(KEYS_HINT)
    })
}

impl RawKey {
    fn read(path: &Path) -> Result<Self> {
        let private = identity::private_key(path, &Unlock::Never)?;
        let loaded = default_provider().key_provider.load_private_key(private);
        let usable = loaded.ok().and_then(Self::of);
        usable.ok_or_else(|| {
            let text = format!("the key in {} cannot be used", path.display());
            Error::usage(text).hint(KEYS_HINT)
        })
    }

    fn of(signing: Arc<dyn SigningKey>) -> Option<Self> {
        let public = PublicKey::from_info(&signing.public_key()?)?;
        Some(Self { signing, public })
    }

    /// Its public part.
    pub(crate) const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// An ECDSA signature with SHA-256, in DER.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let scheme = [SignatureScheme::ECDSA_NISTP256_SHA256];
        let signer: Box<dyn Signer> = self.signing.choose_scheme(&scheme)?;
        signer.sign(message).ok()
    }
}

impl PublicKey {
    /// That of a SubjectPublicKeyInfo, if it is a P-256 key.
    pub(crate) fn from_info(der: &[u8]) -> Option<Self> {
        let point: [u8; POINT] = der.strip_prefix(&PREFIX)?.try_into().ok()?;
        (point[0] == 4).then_some(Self(point))
    }

    /// Its SubjectPublicKeyInfo, in DER.
    pub(crate) fn info(&self) -> Vec<u8> {
        [&PREFIX[..], &self.0].concat()
    }

    /// The point, uncompressed.
    pub(crate) const fn point(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for PublicKey {
    /// The hash of its SubjectPublicKeyInfo, as `--tls-pin` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Pin::of(&self.info()).fmt(f)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl fmt::Debug for RawKey {
    /// Its public part only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawKey({})", self.public)
    }
}

impl fmt::Debug for Rpk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rpk({:?}, {:?})", self.own, self.peers)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    impl RawKey {
        /// A fresh one.
        pub(crate) fn generate() -> Self {
            let pair = rcgen::KeyPair::generate().unwrap();
            let der = rustls::pki_types::PrivateKeyDer::try_from(pair.serialize_der()).unwrap();
            let loaded = default_provider().key_provider.load_private_key(der);
            Self::of(loaded.unwrap()).unwrap()
        }
    }

    #[test]
    fn keys_are_read_from_pem_files() {
        let folder = tempfile::tempdir().unwrap();
        let pair = rcgen::KeyPair::generate().unwrap();
        let (key, peer) = (folder.path().join("key"), folder.path().join("peer"));
        fs::write(&key, pair.serialize_pem()).unwrap();
        let other = rcgen::KeyPair::generate().unwrap();
        fs::write(
            &peer,
            pair.public_key_pem() + "\n" + &other.public_key_pem(),
        )
        .unwrap();
        let rpk = Rpk::read(Some(&key), Some(&peer)).unwrap().unwrap();
        let own = rpk.own.as_ref().unwrap();
        assert!(rpk.accepts(own.public()));
        assert_eq!(rpk.peers.as_ref().unwrap().len(), 2);
        assert!(!rpk.accepts(RawKey::generate().public()));
        assert!(own.public().to_string().starts_with("sha256/"));
        assert_eq!(own.public().to_string().len(), 7 + 44);
    }

    #[test]
    fn what_is_no_key_of_the_curve_is_refused_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let large = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        fs::write(&path, large.serialize_pem()).unwrap();
        let refused = Rpk::read(Some(&path), None).unwrap_err();
        assert!(refused.text().ends_with("key cannot be used"), "{refused}");
        let refused = Rpk::read(None, Some(&path)).unwrap_err();
        assert!(refused.text().starts_with("no public key found in "));
        fs::write(&path, large.public_key_pem()).unwrap();
        let refused = Rpk::read(None, Some(&path)).unwrap_err();
        assert!(refused.text().starts_with("a public key in "), "{refused}");
        assert_eq!(refused.exit_code(), 2);
    }

    #[test]
    fn a_client_must_say_whom_it_expects() {
        let words = ConnectArgs {
            rpk_key: Some("key.pem".into()),
            ..ConnectArgs::default()
        };
        assert!(Rpk::of(&words).is_err_and(|it| it.exit_code() == 2));
        assert!(Rpk::of(&ConnectArgs::default()).unwrap().is_none());
    }
}
