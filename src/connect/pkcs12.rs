//! A private key with its certificates in one file (PKCS #12, RFC 7292), as openssl 3 and newer keystores write it.

use ring::{digest, hmac};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::pbes2::{self, Elements, Obstacle, rounds, unsupported};

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) keys: Vec<PrivateKeyDer<'static>>,
    pub(super) certificates: Vec<CertificateDer<'static>>,
}

/// Whether a file looks like one: a SEQUENCE that begins with the version 3 (RFC 7292 §4). Some have an indefinite length.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    let version = [0x02, 0x01, 0x03, 0x30];
    let content = match bytes {
        [0x30, length, content @ ..] if *length <= 0x80 => content,
        [0x30, length, rest @ ..] => rest.get(usize::from(length & 0x7f)..).unwrap_or_default(),
        _ => return false,
    };
    content.starts_with(&version)
}

const DATA: &str = "1.2.840.113549.1.7.1";
const ENCRYPTED_DATA: &str = "1.2.840.113549.1.7.6";
const X509: &str = "1.2.840.113549.1.9.22.1";

/// Takes a file apart; nothing in it is taken that the password does not vouch for, where the file has a MAC.
pub(super) fn open(bytes: &[u8], password: &str) -> Result<Contents, Obstacle> {
    let mut file = Elements::of(bytes).sequence()?;
    let _version = file.count()?;
    let mut safe = file.sequence()?;
    if safe.oid()? != DATA {
        // Signed by a public key, which nobody does.
        return Err(Obstacle::Malformed);
    }
    let content = Elements::of(safe.tagged_0()?).octets()?;
    if !file.is_empty() {
        check(file.sequence()?, content, password)?;
    }
    let mut contents = Contents::default();
    let mut parts = Elements::of(content).sequence()?;
    while !parts.is_empty() {
        let mut part = parts.sequence()?;
        match part.oid()?.as_str() {
            DATA => {
                let bags = Elements::of(part.tagged_0()?).octets()?;
                contents.take(bags, password)?;
            }
            ENCRYPTED_DATA => {
                let mut data = Elements::of(part.tagged_0()?).sequence()?;
                let _version = data.count()?;
                let mut data = data.sequence()?;
                let _kind = data.oid()?;
                let algorithm = data.sequence()?;
                let bags = pbes2::decrypt(algorithm, data.tagged_0()?, password.as_bytes())?;
                contents.take(&bags, password)?;
            }
            _ => {}
        }
    }
    Ok(contents)
}

impl Contents {
    /// Takes what is of use out of SafeContents (RFC 7292 §4.2).
    fn take(&mut self, bags: &[u8], password: &str) -> Result<(), Obstacle> {
        let mut bags = Elements::of(bags).sequence()?;
        while !bags.is_empty() {
            let mut bag = bags.sequence()?;
            let kind = bag.oid()?;
            let value = bag.tagged_0()?;
            match kind.as_str() {
                "1.2.840.113549.1.12.10.1.1" => self.key(value.to_vec()),
                "1.2.840.113549.1.12.10.1.2" => {
                    self.key(pbes2::private_key(value, password.as_bytes())?);
                }
                "1.2.840.113549.1.12.10.1.3" => {
                    let mut certificate = Elements::of(value).sequence()?;
                    if certificate.oid()? == X509 {
                        let der = Elements::of(certificate.tagged_0()?).octets()?;
                        self.certificates.push(der.to_vec().into());
                    }
                }
                // Revocation lists, secrets, and bags in bags.
                _ => {}
            }
        }
        Ok(())
    }

    fn key(&mut self, der: Vec<u8>) {
        self.keys.push(PrivatePkcs8KeyDer::from(der).into());
    }
}

/// Checks the MAC (RFC 7292 §4 and appendix B.4).
fn check(mut data: Elements<'_>, content: &[u8], password: &str) -> Result<(), Obstacle> {
    let mut mac = data.sequence()?;
    let (hash, algorithm, block) = match mac.sequence()?.oid()?.as_str() {
        "1.3.14.3.2.26" => (
            &digest::SHA1_FOR_LEGACY_USE_ONLY,
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            64,
        ),
        "2.16.840.1.101.3.4.2.1" => (&digest::SHA256, hmac::HMAC_SHA256, 64),
        "2.16.840.1.101.3.4.2.2" => (&digest::SHA384, hmac::HMAC_SHA384, 128),
        "2.16.840.1.101.3.4.2.3" => (&digest::SHA512, hmac::HMAC_SHA512, 128),
        other => return Err(unsupported(other)),
    };
    let mac = mac.octets()?;
    let salt = data.octets()?;
    let count = if data.is_empty() { 1 } else { data.count()? };
    let rounds = rounds(count)?.get();
    // As a BMPString with its end (appendix B.1); of no password some write nothing.
    let spelled = password.encode_utf16().chain([0]);
    let spelled: Vec<u8> = spelled.flat_map(u16::to_be_bytes).collect();
    let fits = |spelled: &[u8]| {
        let key = derive(hash, block, spelled, salt, rounds);
        hmac::verify(&hmac::Key::new(algorithm, key.as_ref()), content, mac).is_ok()
    };
    match fits(&spelled) || password.is_empty() && fits(&[]) {
        true => Ok(()),
        false => Err(Obstacle::Password),
    }
}

/// The key of the MAC: one block of appendix B.2, which is as long as the hash.
fn derive(
    hash: &'static digest::Algorithm,
    block: usize,
    password: &[u8],
    salt: &[u8],
    rounds: u32,
) -> digest::Digest {
    const FOR_MAC: u8 = 3;
    let mut input = vec![FOR_MAC; block];
    for part in [salt, password] {
        let length = part.len().next_multiple_of(block);
        input.extend(part.iter().cycle().take(length));
    }
    let mut found = digest::digest(hash, &input);
    for _ in 1..rounds {
        found = digest::digest(hash, found.as_ref());
    }
    found
}

/// Whatever is in `bytes`, for the fuzzer.
pub fn fuzz(bytes: &[u8]) {
    let _ = open(bytes, "secret");
    let _ = pbes2::private_key(bytes, b"secret");
    let _ = is_one(bytes);
}
