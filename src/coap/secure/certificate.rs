//! Our certificates and keys, as they were read for TLS, in the hands of the DTLS library.

use std::sync::Arc;

use rtc_crypto::{CryptoError, PublicKey, PublicKeyEncoding, SignatureScheme, SigningKey};
use rtc_dtls::crypto::Certificate;
use rustls::SignatureScheme as TlsScheme;
use rustls::sign::CertifiedKey;

/// A certificate chain with its key.
pub(super) fn certificate(identity: &Arc<CertifiedKey>) -> Certificate {
    let public_key = identity.key.public_key();
    let key = Key {
        public_key: public_key.map(|it| it.to_vec()).unwrap_or_default(),
        identity: Arc::clone(identity),
    };
    Certificate::from_signing_key(identity.cert.clone(), Arc::new(key))
}

struct Key {
    identity: Arc<CertifiedKey>,
    public_key: Vec<u8>,
}

impl SigningKey for Key {
    fn supports(&self, scheme: SignatureScheme) -> bool {
        let signs = |it| self.identity.key.choose_scheme(&[it]).is_some();
        tls_scheme(scheme).is_some_and(signs)
    }

    fn public_key(&self) -> PublicKey<'_> {
        PublicKey {
            encoding: PublicKeyEncoding::SubjectPublicKeyInfoDer,
            bytes: &self.public_key,
        }
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let signer = tls_scheme(scheme).and_then(|it| self.identity.key.choose_scheme(&[it]));
        let signer = signer.ok_or(CryptoError::InvalidSignature)?;
        signer
            .sign(message)
            .map_err(|_| CryptoError::InvalidSignature)
    }
}

const fn tls_scheme(scheme: SignatureScheme) -> Option<TlsScheme> {
    Some(match scheme {
        SignatureScheme::Ed25519 => TlsScheme::ED25519,
        SignatureScheme::EcdsaP256Sha256 => TlsScheme::ECDSA_NISTP256_SHA256,
        SignatureScheme::EcdsaP384Sha384 => TlsScheme::ECDSA_NISTP384_SHA384,
        SignatureScheme::RsaPkcs1Sha256 => TlsScheme::RSA_PKCS1_SHA256,
        SignatureScheme::RsaPkcs1Sha384 => TlsScheme::RSA_PKCS1_SHA384,
        SignatureScheme::RsaPkcs1Sha512 => TlsScheme::RSA_PKCS1_SHA512,
        _ => return None,
    })
}
