//! A certificate with its private key, as we show it. What it says is for the other side to judge.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivateSec1KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use x509_parser::der_parser::asn1_rs::{Any, FromDer};
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::error::{Error, Result};

use super::certificate::Certificate;
use super::pem;

const KEYS_HINT: &str = "supported are P-256, P-384, Ed25519, and RSA keys of 2048 to 4096 bits";

/// A certificate chain with the private key that belongs to it, from PEM files.
///
/// # Errors
/// [`crate::error::Kind::Usage`] and [`crate::error::Kind::Local`]: the files hold not what they should, or cannot be read.
pub(super) fn read(chain: &Path, key: &Path) -> Result<Arc<CertifiedKey>> {
    let certificates = pem::certificates(chain)?;
    let private = pem::private_key(key)?;
    let unusable = |what: &str, path: &Path, why: &str| {
        Error::usage(format!(
            "the {what} in {} cannot be used{why}",
            path.display()
        ))
    };
    let foreign = || {
        let (key, chain) = (key.display(), chain.display());
        Error::usage(format!(
            "the key in {key} does not match the certificate in {chain}"
        ))
    };
    let own = certificates.first().and_then(|it| Certificate::parse(it));
    let own = own.ok_or_else(|| unusable("certificate", chain, ": it is broken"))?;
    if let Some(fault) = own.key_fault() {
        return Err(unusable("certificate", chain, &format!(": {fault}")).hint(KEYS_HINT));
    }
    let bits = own.public_key().map(|it| it.bits).unwrap_or_default();
    let load = |key| ring::default_provider().key_provider.load_private_key(key);
    let signing = match (load(private.clone_key()), with_public_key(&private, bits)) {
        (Ok(signing), _) => signing,
        (Err(_), Some(complete)) => load(complete).map_err(|_| foreign())?,
        (Err(_), None) => return Err(unusable("key", key, "").hint(KEYS_HINT)),
    };
    if !belongs(signing.as_ref(), bits) {
        return Err(foreign());
    }
    Ok(Arc::new(CertifiedKey::new(certificates, signing)))
}

/// Whether this is the key whose public part has these bits.
fn belongs(key: &dyn SigningKey, bits: &[u8]) -> bool {
    key.public_key().is_none_or(|info| {
        SubjectPublicKeyInfo::from_der(&info)
            .is_ok_and(|(_, info)| info.subject_public_key.data == bits)
    })
}

/// An elliptic curve key (RFC 5915 §3) without its public part, which may be left out but ring wants, with that of its
/// certificate.
fn with_public_key(key: &PrivateKeyDer<'_>, public: &[u8]) -> Option<PrivateKeyDer<'static>> {
    let der = match key {
        PrivateKeyDer::Sec1(key) => key.secret_sec1_der(),
        PrivateKeyDer::Pkcs8(key) => {
            let (_, info) = Any::from_der(key.secret_pkcs8_der()).ok()?;
            let (rest, _version) = Any::from_der(info.data).ok()?;
            let (rest, _algorithm) = Any::from_der(rest).ok()?;
            Any::from_der(rest).ok()?.1.data
        }
        _ => return None,
    };
    let (_, outer) = Any::from_der(der).ok()?;
    let (rest, version) = Any::from_der(outer.data).ok()?;
    let (_, private) = Any::from_der(rest).ok()?;
    if version.data != [1] || private.data.len() > 66 {
        return None;
    }
    let public = element(0xa1, &element(0x03, &[&[0], public].concat()));
    let parts = [element(0x02, &[1]), element(0x04, private.data), public];
    Some(PrivateSec1KeyDer::from(element(0x30, &parts.concat())).into())
}

/// A DER element of less than 256 bytes.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len() as u8;
    let mut der = vec![tag];
    if length > 127 {
        der.push(0x81);
    }
    der.push(length);
    der.extend_from_slice(content);
    der
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_key_must_fit_be_there_and_be_plain() {
        let folder = tempfile::tempdir().unwrap();
        let own = rcgen::generate_simple_self_signed([String::from("a")]).unwrap();
        let other = rcgen::generate_simple_self_signed([String::from("a")]).unwrap();
        let chain = file(&folder, "a.crt", &own.cert.pem());
        let fits = file(&folder, "a.key", &own.signing_key.serialize_pem());
        let strange = file(&folder, "b.key", &other.signing_key.serialize_pem());
        let locked = file(
            &folder,
            "c.key",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        );

        assert!(read(&chain, &fits).is_ok());
        let refused = read(&chain, &strange).unwrap_err();
        assert!(
            refused
                .text()
                .contains("b.key does not match the certificate in"),
            "{refused}"
        );
        let refused = read(&chain, &locked).unwrap_err();
        assert!(refused.text().ends_with("c.key is encrypted"), "{refused}");
        let refused = read(&chain, &chain).unwrap_err();
        assert!(
            refused.text().starts_with("no private key found in"),
            "{refused}"
        );
    }

    /// As `openssl ec -no_public` writes it.
    #[test]
    fn a_key_may_lack_its_public_part() {
        let folder = tempfile::tempdir().unwrap();
        let own = rcgen::generate_simple_self_signed([String::from("a")]).unwrap();
        let other = rcgen::generate_simple_self_signed([String::from("a")]).unwrap();
        let chain = file(&folder, "a.crt", &own.cert.pem());
        for (pair, fits) in [(&own, true), (&other, false)] {
            let whole = PrivateKeyDer::try_from(pair.signing_key.serialize_der()).unwrap();
            let bare = without_public_part(&whole);
            assert!(
                ring::default_provider()
                    .key_provider
                    .load_private_key(bare.clone_key())
                    .is_err()
            );
            let text = data_encoding::BASE64.encode(bare.secret_der());
            let text =
                format!("-----BEGIN EC PRIVATE KEY-----\n{text}\n-----END EC PRIVATE KEY-----\n");
            let key = file(&folder, "a.key", &text);
            assert_eq!(read(&chain, &key).is_ok(), fits);
        }
    }

    fn without_public_part(key: &PrivateKeyDer<'_>) -> PrivateKeyDer<'static> {
        let whole = with_public_key(key, &[0; 65]).unwrap();
        let (_, outer) = Any::from_der(whole.secret_der()).unwrap();
        // The made-up public part, with its tags and lengths, has 2 + 3 + 65 bytes.
        let parts = &outer.data[..outer.data.len() - 70];
        PrivateSec1KeyDer::from(element(0x30, parts)).into()
    }
}
