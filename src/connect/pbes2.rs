//! What a password protects: PBES2 (RFC 8018 §6.2), as in encrypted private keys (RFC 5958 §3) and PKCS #12 files.

use std::num::NonZeroU32;

use aes::cipher::{BlockDecrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256, Block};
use ring::pbkdf2::{self, Algorithm};
use x509_parser::der_parser::asn1_rs::{Any, FromDer, Oid};

/// More rounds of a hash would take longer than a person waits; openssl makes 2048.
pub(super) const MOST_ROUNDS: u32 = 10_000_000;
const BLOCK: usize = 16;

/// Why something cannot be decrypted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// It is not what it should be.
    Malformed,
    /// It is encrypted by an algorithm of this name, which is not supported.
    Unsupported(String),
    /// The password is another one.
    Password,
    /// It demands so much work that it must be a mistake.
    Rounds(u32),
}

type Result<T> = std::result::Result<T, Obstacle>;

/// The algorithms that are met in the field and not supported.
const NAMES: [(&str, &str); 13] = [
    ("1.3.6.1.4.1.11591.4.11", "scrypt"),
    ("1.2.840.113549.2.8", "HMAC-SHA-224"),
    ("1.2.840.113549.3.7", "DES-EDE3-CBC"),
    ("1.2.840.113549.3.2", "RC2-CBC"),
    ("1.3.14.3.2.7", "DES-CBC"),
    ("1.2.840.113549.1.5.3", "MD5 and DES"),
    ("1.2.840.113549.1.5.10", "SHA-1 and DES"),
    ("1.2.840.113549.1.5.14", "PBMAC1"),
    ("1.2.840.113549.1.12.1.1", "SHA-1 and RC4"),
    ("1.2.840.113549.1.12.1.2", "SHA-1 and RC4 of 40 bits"),
    ("1.2.840.113549.1.12.1.3", "SHA-1 and 3DES"),
    ("1.2.840.113549.1.12.1.5", "SHA-1 and RC2"),
    ("1.2.840.113549.1.12.1.6", "SHA-1 and RC2 of 40 bits"),
];

const SEQUENCE: u32 = 16;
const INTEGER: u32 = 2;
const OCTETS: u32 = 4;

/// The elements inside of a constructed one, from the front.
pub(super) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(super) const fn of(content: &'a [u8]) -> Self {
        Self(content)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn any(&mut self) -> Result<Any<'a>> {
        let (rest, any) = Any::from_der(self.0).map_err(|_| Obstacle::Malformed)?;
        self.0 = rest;
        Ok(any)
    }

    /// The content of the next element, which must have this tag.
    fn tagged(&mut self, tag: u32) -> Result<&'a [u8]> {
        let any = self.any()?;
        (any.header.tag().0 == tag)
            .then_some(any.data)
            .ok_or(Obstacle::Malformed)
    }

    pub(super) fn sequence(&mut self) -> Result<Self> {
        self.tagged(SEQUENCE).map(Self)
    }

    pub(super) fn octets(&mut self) -> Result<&'a [u8]> {
        self.tagged(OCTETS)
    }

    /// The content of an element with the context-specific tag 0.
    pub(super) fn tagged_0(&mut self) -> Result<&'a [u8]> {
        self.tagged(0)
    }

    pub(super) fn oid(&mut self) -> Result<String> {
        let any = self.any()?;
        let oid = Oid::try_from(&any).map_err(|_| Obstacle::Malformed)?;
        Ok(oid.to_id_string())
    }

    /// A count that is not negative; one of more than 32 bits is as good as the largest.
    pub(super) fn count(&mut self) -> Result<u32> {
        let bytes = self.tagged(INTEGER)?;
        match bytes {
            [] | [0x80..=0xff, ..] => Err(Obstacle::Malformed),
            _ if bytes.len() > 5 => Ok(u32::MAX),
            _ => {
                let whole = bytes
                    .iter()
                    .fold(0, |all, byte| all << 8 | u64::from(*byte));
                Ok(u32::try_from(whole).unwrap_or(u32::MAX))
            }
        }
    }
}

/// The rounds of a hash that are to be made, within bounds.
pub(super) fn rounds(count: u32) -> Result<NonZeroU32> {
    match NonZeroU32::new(count) {
        Some(rounds) if count <= MOST_ROUNDS => Ok(rounds),
        Some(_) => Err(Obstacle::Rounds(count)),
        None => Err(Obstacle::Malformed),
    }
}

pub(super) fn unsupported(oid: &str) -> Obstacle {
    let known = NAMES.iter().find(|(known, _)| *known == oid);
    Obstacle::Unsupported(known.map_or(oid, |(_, name)| name).to_owned())
}

/// Decrypts an EncryptedPrivateKeyInfo (RFC 5958 §3), DER; what comes out is a PrivateKeyInfo.
pub(super) fn private_key(der: &[u8], password: &[u8]) -> Result<Vec<u8>> {
    let mut info = Elements::of(der).sequence()?;
    let algorithm = info.sequence()?;
    decrypt(algorithm, info.octets()?, password)
}

/// Decrypts what should be DER. `algorithm`: the elements of the AlgorithmIdentifier.
pub(super) fn decrypt(
    mut algorithm: Elements<'_>,
    encrypted: &[u8],
    password: &[u8],
) -> Result<Vec<u8>> {
    match algorithm.oid()?.as_str() {
        "1.2.840.113549.1.5.13" => {}
        other => return Err(unsupported(other)),
    }
    let mut parameters = algorithm.sequence()?;
    let mut derivation = parameters.sequence()?;
    let mut cipher = parameters.sequence()?;
    match derivation.oid()?.as_str() {
        "1.2.840.113549.1.5.12" => {}
        other => return Err(unsupported(other)),
    }
    let size = match cipher.oid()?.as_str() {
        "2.16.840.1.101.3.4.1.2" => 16,
        "2.16.840.1.101.3.4.1.22" => 24,
        "2.16.840.1.101.3.4.1.42" => 32,
        other => return Err(unsupported(other)),
    };
    let start = cipher.octets()?;
    let mut key = [0; 32];
    let key = &mut key[..size];
    derive(derivation.sequence()?, password, key)?;
    let plain = match size {
        16 => cbc::<Aes128>(key, start, encrypted),
        24 => cbc::<Aes192>(key, start, encrypted),
        _ => cbc::<Aes256>(key, start, encrypted),
    }?;
    // One of 256 wrong passwords leads to a padding that could be one.
    match Any::from_der(&plain) {
        Ok(([], _)) => Ok(plain),
        _ => Err(Obstacle::Password),
    }
}

/// PBKDF2 (RFC 8018 §5.2, appendix A.2).
fn derive(mut parameters: Elements<'_>, password: &[u8], key: &mut [u8]) -> Result<()> {
    let salt = parameters.octets()?;
    let rounds = rounds(parameters.count()?)?;
    let mut hash = pbkdf2::PBKDF2_HMAC_SHA1;
    while !parameters.is_empty() {
        let any = parameters.any()?;
        match any.header.tag().0 {
            INTEGER if any.data == [key.len() as u8] => {}
            SEQUENCE => hash = hmac(&Elements::of(any.data).oid()?)?,
            _ => return Err(Obstacle::Malformed),
        }
    }
    pbkdf2::derive(hash, rounds, salt, password, key);
    Ok(())
}

fn hmac(oid: &str) -> Result<Algorithm> {
    match oid {
        "1.2.840.113549.2.7" => Ok(pbkdf2::PBKDF2_HMAC_SHA1),
        "1.2.840.113549.2.9" => Ok(pbkdf2::PBKDF2_HMAC_SHA256),
        "1.2.840.113549.2.10" => Ok(pbkdf2::PBKDF2_HMAC_SHA384),
        "1.2.840.113549.2.11" => Ok(pbkdf2::PBKDF2_HMAC_SHA512),
        other => Err(unsupported(other)),
    }
}

/// Cipher Block Chaining (NIST SP 800-38A §6.2) with padding (RFC 5652 §6.3).
fn cbc<C: KeyInit + BlockDecrypt<BlockSize = aes::cipher::consts::U16>>(
    key: &[u8],
    start: &[u8],
    encrypted: &[u8],
) -> Result<Vec<u8>> {
    let cipher = C::new_from_slice(key).map_err(|_| Obstacle::Malformed)?;
    if start.len() != BLOCK || encrypted.is_empty() || !encrypted.len().is_multiple_of(BLOCK) {
        return Err(Obstacle::Malformed);
    }
    let mut plain = Vec::with_capacity(encrypted.len());
    let mut before = start;
    for block in encrypted.chunks_exact(BLOCK) {
        let mut opened = Block::clone_from_slice(block);
        cipher.decrypt_block(&mut opened);
        plain.extend(opened.iter().zip(before).map(|(one, other)| one ^ other));
        before = block;
    }
    let padding = plain.last().copied().unwrap_or_default();
    let content = plain.len().saturating_sub(padding.into());
    let fits = (1..=BLOCK).contains(&padding.into())
        && plain[content..].iter().all(|byte| *byte == padding);
    plain.truncate(content);
    fits.then_some(plain).ok_or(Obstacle::Password)
}
