//! Certificates and keys from PEM files, with errors that name the file.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error as TlsError, InconsistentKeys};

use crate::error::{Error, Result};

use super::tls_words;

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|cause| Error::local(format!("cannot read {}", path.display()), &cause))
}

/// All certificates of a PEM file, in their order; at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = read(path)?;
    let found = parse(&bytes)
        .map_err(|why| Error::usage(format!("{} is broken: {why}", path.display())))?;
    if !found.is_empty() {
        return Ok(found);
    }
    let error = Error::usage(format!("no certificate found in {}", path.display()));
    // A DER certificate is a SEQUENCE with a length of two bytes.
    Err(if bytes.starts_with(&[0x30, 0x82]) {
        error.hint("it looks like DER; openssl x509 -inform der -in FILE makes PEM of it")
    } else {
        error
    })
}

/// The certificates of all PEM files in a folder, each with its file.
pub(super) fn certificates_in(folder: &Path) -> Result<Vec<(PathBuf, CertificateDer<'static>)>> {
    let unreadable = |cause| Error::local(format!("cannot read {}", folder.display()), &cause);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        files.push(entry.map_err(unreadable)?.path());
    }
    files.sort();
    let mut all = Vec::new();
    for file in files.into_iter().filter(|file| file.is_file()) {
        // Such folders hold other files too: keys, revocation lists, notes.
        let found = parse(&read(&file)?).unwrap_or_default();
        all.extend(
            found
                .into_iter()
                .map(|certificate| (file.clone(), certificate)),
        );
    }
    if all.is_empty() {
        return Err(Error::usage(format!(
            "no certificate found in {}",
            folder.display()
        )));
    }
    Ok(all)
}

fn parse(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(bytes)
        .collect::<Result<_, _>>()
        .map_err(|cause| cause.to_string())
}

/// A certificate chain with the private key that belongs to it.
pub(super) fn identity(chain: &Path, key: &Path) -> Result<Arc<CertifiedKey>> {
    let certificates = certificates(chain)?;
    let private = private_key(key)?;
    CertifiedKey::from_der(certificates, private, &ring::default_provider())
        .map(Arc::new)
        .map_err(|cause| {
            Error::usage(match cause {
                TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    format!(
                        "the key in {} does not belong to the certificate in {}",
                        key.display(),
                        chain.display()
                    )
                }
                TlsError::InvalidCertificate(_) => {
                    format!(
                        "the certificate in {} cannot be used: {}",
                        chain.display(),
                        tls_words::reason(&cause)
                    )
                }
                other => format!("the key in {} cannot be used: {other}", key.display()),
            })
        })
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    let bytes = read(path)?;
    if is_encrypted(&bytes) {
        return Err(
            Error::usage(format!("the key in {} is encrypted", path.display()))
                .hint("openssl pkey -in FILE -out PLAIN_FILE takes the passphrase off"),
        );
    }
    PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_| Error::usage(format!("no private key found in {}", path.display())))
}

/// PKCS #8 says it in its label, the older formats in a header line.
fn is_encrypted(bytes: &[u8]) -> bool {
    let has = |words: &str| memchr::memmem::find(bytes, words.as_bytes()).is_some();
    has("-----BEGIN ENCRYPTED PRIVATE KEY-----") || has("Proc-Type: 4,ENCRYPTED")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn files_without_what_is_looked_for_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let empty = file(&folder, "empty.pem", "nothing here\n");
        let refused = certificates(&empty).unwrap_err();
        assert_eq!(
            refused.text(),
            format!("no certificate found in {}", empty.display())
        );
        assert_eq!(refused.exit_code(), 2);
        assert!(
            certificates_in(folder.path())
                .unwrap_err()
                .text()
                .starts_with("no certificate found in ")
        );

        let missing = folder.path().join("missing.pem");
        let refused = certificates(&missing).unwrap_err();
        assert_eq!(
            refused.text(),
            format!(
                "cannot read {}: no such file or directory",
                missing.display()
            )
        );
        assert_eq!(refused.exit_code(), 8);
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

        assert!(identity(&chain, &fits).is_ok());
        let refused = identity(&chain, &strange).unwrap_err();
        assert!(
            refused
                .text()
                .contains("b.key does not belong to the certificate in"),
            "{refused}"
        );
        let refused = identity(&chain, &locked).unwrap_err();
        assert!(refused.text().ends_with("c.key is encrypted"), "{refused}");
        let refused = identity(&chain, &chain).unwrap_err();
        assert!(
            refused.text().starts_with("no private key found in"),
            "{refused}"
        );
    }
}
