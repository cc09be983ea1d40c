//! A certificate with its private key, as we show it. What it says is for the other side to judge.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use x509_parser::der_parser::asn1_rs::{Any, FromDer};
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::error::{Error, Result};
use crate::file::{self, SMALL};

use super::certificate::Certificate;
use super::environment::Environment;
use super::pbes2::{self, MOST_ROUNDS, Obstacle};
use super::secret::Secret;
use super::{pem, pkcs12};

/// `-v2` names the cipher: what old programs chose stays otherwise.
const REENCRYPT_HINT: &str =
    "encrypt it anew with openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW_FILE";
const KEYS_HINT: &str = "supported are P-256, P-384, Ed25519, and RSA keys of 2048 to 4096 bits";

/// Where the password of an encrypted key comes from.
pub(super) enum Unlock<'a> {
    /// It was given.
    With(Secret),
    /// It is asked for.
    Asking(&'a Environment),
    /// There is none: encrypted keys are refused.
    Never,
}

/// The certificates and the keys of files, not yet matched.
struct Found {
    certificates: Vec<CertificateDer<'static>>,
    keys: Vec<PrivateKeyDer<'static>>,
}

/// A certificate chain with the private key that belongs to it, from PEM files, or both from one file: PEM or PKCS #12.
///
/// # Errors
/// [`crate::error::Kind::Usage`] and [`crate::error::Kind::Local`]: the files hold not what they should, or cannot be read.
pub(super) fn read(
    chain: &Path,
    key: Option<&Path>,
    unlock: &Unlock<'_>,
) -> Result<Arc<CertifiedKey>> {
    let found = find(chain, key, unlock)?;
    let file = key.unwrap_or(chain);
    let mut certificates = found.certificates;
    let foreign = || {
        let (key, chain) = (file.display(), chain.display());
        Error::usage(format!(
            "the key in {key} does not match the certificate in {chain}"
        ))
    };
    // Of a PEM file the first certificate is ours; in a keystore they have no order.
    let mut refusal = foreign();
    let candidates = if key.is_some() { 1 } else { certificates.len() };
    for at in 0..candidates {
        for private in &found.keys {
            match certified(&certificates[at], private, (chain, file)) {
                Ok(Some(signing)) => {
                    let own = certificates.remove(at);
                    certificates.insert(0, own);
                    return Ok(Arc::new(CertifiedKey::new(certificates, signing)));
                }
                Ok(None) => {}
                Err(why) => refusal = why,
            }
        }
    }
    Err(refusal)
}

fn find(chain: &Path, key: Option<&Path>, unlock: &Unlock<'_>) -> Result<Found> {
    let bytes = file::read(chain, SMALL)?;
    if pkcs12::is_one(&bytes) {
        if let Some(key) = key {
            return Err(Error::usage(format!(
                "--key {} is not used: the PKCS#12 file {} has the key",
                key.display(),
                chain.display()
            )));
        }
        return keystore(&bytes, chain, unlock);
    }
    let certificates = pem::certificates(chain)?;
    let keys = match key {
        Some(key) => vec![private_key(key, unlock)?],
        None if pem::has_key(&bytes) => vec![private_key(chain, unlock)?],
        None => return Err(Error::usage("--cert and --key must be used together")),
    };
    Ok(Found { certificates, keys })
}

fn keystore(bytes: &[u8], file: &Path, unlock: &Unlock<'_>) -> Result<Found> {
    let shown = file.display();
    // A file without a password needs none.
    let mut opened = match unlock {
        Unlock::With(_) => Err(Obstacle::Password),
        _ => pkcs12::open(bytes, ""),
    };
    if matches!(opened, Err(Obstacle::Password)) {
        let password = unlock.password(&format!("PKCS#12 file {shown}"))?;
        let password = str::from_utf8(password.reveal())
            .map_err(|_| Error::usage("the password of a PKCS#12 file is UTF-8"))?;
        opened = pkcs12::open(bytes, password);
    }
    let contents = opened.map_err(|why| {
        let error = why.of(&format!("PKCS#12 file {shown}"));
        match why {
            Obstacle::Unsupported(_) => error.hint(
                "convert it: openssl pkcs12 -legacy -in FILE -nodes -out TEMPORARY, then openssl pkcs12 -export -in TEMPORARY -out NEW_FILE",
            ),
            _ => error,
        }
    })?;
    for (missing, what) in [
        (contents.certificates.is_empty(), "certificate"),
        (contents.keys.is_empty(), "private key"),
    ] {
        if missing {
            return Err(Error::usage(format!("no {what} found in {shown}")));
        }
    }
    Ok(Found {
        certificates: contents.certificates,
        keys: contents.keys,
    })
}

pub(super) fn private_key(file: &Path, unlock: &Unlock<'_>) -> Result<PrivateKeyDer<'static>> {
    let encrypted = match pem::private_key(file)? {
        pem::Key::Plain(key) => return Ok(key),
        pem::Key::Encrypted(der) => der,
    };
    let what = format!("key in {}", file.display());
    let password = unlock.password(&what)?;
    let opened = pbes2::private_key(&encrypted, password.reveal());
    let der = opened.map_err(|why| {
        let error = why.of(&what);
        match why {
            Obstacle::Unsupported(_) => error.hint(REENCRYPT_HINT),
            _ => error,
        }
    })?;
    Ok(PrivatePkcs8KeyDer::from(der).into())
}

/// A private key that signs something else than a handshake; the password of an encrypted one is in a file, or is asked for.
///
/// # Errors
/// [`crate::error::Kind::Usage`] and [`crate::error::Kind::Local`], as for a key of TLS.
pub(crate) fn signing_key(file: &Path, password: Option<&Path>) -> Result<PrivateKeyDer<'static>> {
    match password {
        Some(password) => private_key(file, &Unlock::With(Secret::read(password)?)),
        None => private_key(file, &Unlock::Asking(&Environment::of_process())),
    }
}

impl Unlock<'_> {
    /// The password of `what`: `key in FILE`.
    fn password(&self, what: &str) -> Result<Secret> {
        match self {
            Self::With(password) => Ok(password.clone()),
            Self::Asking(environment) => {
                let question = format!("Password of the {what}: ");
                environment.ask_for(&question).ok_or_else(|| {
                    Error::usage(format!("the {what} is encrypted"))
                        .hint("use --key-password-file FILE or IOTCTL_KEY_PASSWORD")
                })
            }
            Self::Never => Err(Error::usage(format!("the {what} is encrypted"))
                .hint("decrypt it with openssl pkey -in FILE -out PLAIN_FILE")),
        }
    }
}

impl Obstacle {
    /// `what`: `key in FILE`.
    fn of(&self, what: &str) -> Error {
        Error::usage(match self {
            Self::Malformed => {
                format!("the {what} cannot be decrypted: it is damaged or of an unknown format")
            }
            Self::Unsupported(name) => {
                format!("the {what} is encrypted by {name}, which is not supported")
            }
            Self::Password => format!("the password does not open the {what}"),
            Self::Rounds(rounds) => format!(
                "the {what} demands {rounds} rounds of key derivation; at most {MOST_ROUNDS} are made"
            ),
        })
    }
}

/// The key ready to sign, if it belongs to the certificate.
fn certified(
    certificate: &CertificateDer<'_>,
    private: &PrivateKeyDer<'static>,
    (chain, key): (&Path, &Path),
) -> Result<Option<Arc<dyn SigningKey>>> {
    let unusable = |what: &str, path: &Path, why: &str| {
        Error::usage(format!(
            "the {what} in {} cannot be used{why}",
            path.display()
        ))
    };
    let own = Certificate::parse(certificate);
    let own = own.ok_or_else(|| unusable("certificate", chain, ": it is broken"))?;
    if let Some(fault) = own.key_fault() {
        return Err(unusable("certificate", chain, &format!(": {fault}")).hint(KEYS_HINT));
    }
    let bits = own.public_key().map(|it| it.bits).unwrap_or_default();
    let load = |key| ring::default_provider().key_provider.load_private_key(key);
    let signing = match (load(private.clone_key()), with_public_key(private, bits)) {
        (Ok(signing), _) => signing,
        (Err(_), Some(complete)) => match load(complete) {
            Ok(signing) => signing,
            Err(_) => return Ok(None),
        },
        (Err(_), None) => return Err(unusable("key", key, "").hint(KEYS_HINT)),
    };
    Ok(belongs(signing.as_ref(), bits).then_some(signing))
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

    fn both(chain: &Path, key: &Path) -> Result<Arc<CertifiedKey>> {
        read(chain, Some(key), &Unlock::Never)
    }

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

        assert!(both(&chain, &fits).is_ok());
        let refused = both(&chain, &strange).unwrap_err();
        assert!(
            refused
                .text()
                .contains("b.key does not match the certificate in"),
            "{refused}"
        );
        let refused = both(&chain, &locked).unwrap_err();
        assert!(refused.text().ends_with("c.key is encrypted"), "{refused}");
        let refused = both(&chain, &chain).unwrap_err();
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
            assert_eq!(both(&chain, &key).is_ok(), fits);
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
