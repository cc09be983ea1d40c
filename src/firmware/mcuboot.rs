//! Images of MCUboot (docs/design.md of MCUboot): header, firmware, trailing values with hash, key and signature. What
//! imgtool makes is read and verified; what is made here, imgtool verifies.

use ring::digest::{SHA256, SHA384, SHA512};

use super::key::{Algorithm, Form, NoKey, PublicKey, SigningKey, Trusted};
use super::refusal::{Refusal, Result};
use super::{Version, sha256, short};

/// The first bytes of an image.
pub const MAGIC: [u8; 4] = 0x96f3_b83d_u32.to_le_bytes();

/// In bytes; a header may be longer for the vector table that follows.
pub const HEADER: usize = 32;

const INFO: u16 = 0x6907;
const PROTECTED_INFO: u16 = 0x6908;

/// Flags in the header: the image is encrypted with AES-128 or AES-256, or compressed.
const ENCRYPTED: u32 = 0x0C;
const COMPRESSED: u32 = 0xE00;

/// Types of trailing values.
mod tlv {
    pub(super) const KEY_HASH: u16 = 0x01;
    pub(super) const PUBLIC_KEY: u16 = 0x02;
    pub(super) const SHA256: u16 = 0x10;
    pub(super) const SHA384: u16 = 0x11;
    pub(super) const SHA512: u16 = 0x12;
    pub(super) const RSA2048: u16 = 0x20;
    pub(super) const ECDSA: u16 = 0x22;
    pub(super) const RSA3072: u16 = 0x23;
    pub(super) const ED25519: u16 = 0x24;
    pub(super) const PURE: u16 = 0x25;
    pub(super) const COUNTER: u16 = 0x50;
}

/// What MCUboot's trailer takes at the end of a slot with imgtool's defaults: 128 sectors, writes of 8 bytes at once.
const TRAILER: u64 = 128 * 3 * 8 + 8 * 4 + 16;

/// An image whose hash matches.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    version: Version,
    header: usize,
    counter: Option<u32>,
    /// Header, firmware and protected values: what is hashed.
    hashed: &'a [u8],
    firmware: &'a [u8],
    hash: Vec<u8>,
    /// The unprotected values.
    values: Vec<(u16, &'a [u8])>,
}

fn malformed(why: &str) -> Refusal {
    Refusal::malformed("MCUboot image", why)
}

const fn truncated() -> &'static str {
    "truncated"
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N]> {
    let found = at.checked_add(N).and_then(|end| bytes.get(at..end));
    let found = found.and_then(|found| found.try_into().ok());
    found.ok_or_else(|| malformed(truncated()))
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

/// Values behind a head of this magic number, and where they end; `None` where another one stands.
type Values<'a> = Vec<(u16, &'a [u8])>;

fn values(bytes: &[u8], at: usize, magic: u16) -> Result<Option<(Values<'_>, usize)>> {
    if u16_at(bytes, at)? != magic {
        return Ok(None);
    }
    let end = at + usize::from(u16_at(bytes, at + 2)?);
    let area = bytes
        .get(at + 4..end)
        .ok_or_else(|| malformed(truncated()))?;
    let (mut found, mut from) = (Vec::new(), 0);
    while from < area.len() {
        let (kind, length) = (u16_at(area, from)?, usize::from(u16_at(area, from + 2)?));
        let value = area.get(from + 4..from + 4 + length);
        found.push((kind, value.ok_or_else(|| malformed(truncated()))?));
        from += 4 + length;
    }
    Ok(Some((found, end)))
}

impl<'a> Image<'a> {
    /// The parts of an image, whose hash is compared. What follows it in its slot is passed over.
    ///
    /// # Errors
    /// It is none, or it was changed.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        if !bytes.starts_with(&MAGIC) {
            return Err(malformed("it has another magic number"));
        }
        let header = usize::from(u16_at(bytes, 8)?);
        let flags = u32_at(bytes, 16)?;
        if flags & (ENCRYPTED | COMPRESSED) != 0 {
            return Err(Refusal::Unsupported("an encrypted or compressed image"));
        }
        if header < HEADER {
            return Err(malformed("its header is too short"));
        }
        let size = u32_at(bytes, 12)?;
        let end = header + usize::try_from(size).map_err(|_| malformed(truncated()))?;
        let firmware = bytes
            .get(header..end)
            .ok_or_else(|| malformed(truncated()))?;
        let protected = usize::from(u16_at(bytes, 10)?);
        let (shielded, after) = match values(bytes, end, PROTECTED_INFO)? {
            Some((found, after)) if after == end + protected => (found, after),
            None if protected == 0 => (Vec::new(), end),
            _ => return Err(malformed("its protected values are not as long as it says")),
        };
        let (values, _) = values(bytes, after, INFO)?
            .ok_or_else(|| malformed("it has no hash and no signature"))?;
        let mut image = Self {
            version: version(bytes)?,
            header,
            counter: counter(&shielded)?,
            hashed: &bytes[..after],
            firmware,
            hash: Vec::new(),
            values,
        };
        image.hash = image.checked_hash()?;
        Ok(image)
    }

    fn value(&self, kind: u16) -> Option<&'a [u8]> {
        let mut values = self.values.iter();
        values.find(|(found, _)| *found == kind).map(|(_, it)| *it)
    }

    fn checked_hash(&self) -> Result<Vec<u8>> {
        let kinds = [
            (tlv::SHA256, &SHA256),
            (tlv::SHA384, &SHA384),
            (tlv::SHA512, &SHA512),
        ];
        for (kind, how) in kinds {
            let Some(given) = self.value(kind) else {
                continue;
            };
            let hash = ring::digest::digest(how, self.hashed);
            return match hash.as_ref() == given {
                true => Ok(given.to_vec()),
                false => Err(Refusal::ImageHash),
            };
        }
        match self.value(tlv::PURE) {
            Some(_) => Ok(sha256(self.hashed).to_vec()),
            None => Err(malformed("it has no hash")),
        }
    }

    /// The trusted key that has signed the image.
    ///
    /// # Errors
    /// None has.
    pub fn signer<'k>(&self, trusted: &'k Trusted) -> Result<&'k PublicKey> {
        let (algorithm, signature) = self.signature()?;
        let is_pure = self.value(tlv::PURE).is_some();
        let message = match (algorithm, is_pure) {
            (Algorithm::Ed25519, false) => &self.hash[..],
            _ => self.hashed,
        };
        let verifies = |key: &PublicKey| key.verifies(message, signature, Form::Der);
        let named = self
            .key_hash()
            .ok_or_else(|| malformed("it names no key"))?;
        let named = trusted
            .keys()
            .iter()
            .find(|key| is_hash_of(&named, key))
            .map_or(&named[..], |key| key.id());
        trusted.signer(algorithm, Some(named), verifies)
    }

    fn signature(&self) -> Result<(Algorithm, &'a [u8])> {
        if let Some(signature) = self.value(tlv::ED25519) {
            return Ok((Algorithm::Ed25519, signature));
        }
        if let Some(signature) = self.value(tlv::ECDSA) {
            return Ok((Algorithm::P256, unpadded(signature)));
        }
        let others = [(tlv::RSA2048, "RSA-2048"), (tlv::RSA3072, "RSA-3072")];
        let other = others.iter().find(|(kind, _)| self.value(*kind).is_some());
        Err(match other {
            Some((_, name)) => Refusal::Algorithm((*name).to_owned()),
            None => Refusal::Unsigned,
        })
    }

    /// The hash of the key that says to have signed.
    fn key_hash(&self) -> Option<Vec<u8>> {
        let of_key = self.value(tlv::PUBLIC_KEY).map(|key| sha256(key).to_vec());
        of_key.or_else(|| self.value(tlv::KEY_HASH).map(<[u8]>::to_vec))
    }

    /// Who says to have signed it.
    pub fn claim(&self) -> String {
        let algorithm = match self.signature() {
            Ok((algorithm, _)) => algorithm.to_string(),
            Err(why) => return why.to_string(),
        };
        match self.key_hash() {
            Some(hash) => format!("{algorithm}, key {}", short(&hash)),
            None => algorithm,
        }
    }

    /// In the header.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The security counter, where it has one.
    pub fn counter(&self) -> Option<u32> {
        self.counter
    }

    /// What is started.
    pub fn firmware(&self) -> &'a [u8] {
        self.firmware
    }

    /// Bytes before the firmware.
    pub fn header(&self) -> usize {
        self.header
    }
}

/// imgtool hashes the key by the algorithm of the image.
fn is_hash_of(hash: &[u8], key: &PublicKey) -> bool {
    let how = match hash.len() {
        48 => &SHA384,
        64 => &SHA512,
        _ => &SHA256,
    };
    ring::digest::digest(how, key.spki()).as_ref() == hash
}

/// Old versions of MCUboot want signatures of 72 bytes, filled up with zeros (imgtool `--pad-sig`).
fn unpadded(signature: &[u8]) -> &[u8] {
    let whole = signature.get(1).map(|length| 2 + usize::from(*length));
    let (whole, rest) = match whole.filter(|whole| *whole <= signature.len()) {
        Some(whole) => signature.split_at(whole),
        None => return signature,
    };
    match rest.iter().all(|byte| *byte == 0) {
        true => whole,
        false => signature,
    }
}

fn version(bytes: &[u8]) -> Result<Version> {
    let [major, minor] = array(bytes, 20)?;
    Ok(Version {
        major,
        minor,
        revision: u16_at(bytes, 22)?,
        build: u32_at(bytes, 24)?,
    })
}

fn counter(protected: &Values<'_>) -> Result<Option<u32>> {
    let mut values = protected.iter();
    let Some((_, value)) = values.find(|(kind, _)| *kind == tlv::COUNTER) else {
        return Ok(None);
    };
    let value = <[u8; 4]>::try_from(*value);
    let value = value.map_err(|_| malformed("its security counter is not of 4 bytes"))?;
    Ok(Some(u32::from_le_bytes(value)))
}

/// How an image is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// In the header.
    pub version: Version,
    /// Bytes before the firmware, at least [`HEADER`].
    pub header: u16,
    /// Protects against going back, where MCUboot is built for it.
    pub counter: Option<u32>,
    /// What the image and MCUboot's trailer must fit into.
    pub slot: Option<u64>,
}

/// Why an image cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmade {
    /// It does not fit.
    #[error("the image has {size} bytes and MCUboot's trailer {TRAILER}; the slot has {slot}")]
    Slot {
        /// Of the image.
        size: u64,
        /// Of the slot.
        slot: u64,
    },
    /// The header has 32 bits for the size.
    #[error("the firmware is larger than 4 GiB")]
    Size,
    /// No randomness.
    #[error("the system has no randomness")]
    Signature,
}

impl From<NoKey> for Unmade {
    fn from(_: NoKey) -> Self {
        Self::Signature
    }
}

/// A signed image around `firmware`.
///
/// # Errors
/// It does not fit into its slot, or the system has no randomness.
pub fn sign(
    firmware: &[u8],
    options: &Options,
    key: &SigningKey,
) -> std::result::Result<Vec<u8>, Unmade> {
    let size = u32::try_from(firmware.len()).map_err(|_| Unmade::Size)?;
    let mut protected = Vec::new();
    if let Some(counter) = options.counter {
        push(&mut protected, tlv::COUNTER, &counter.to_le_bytes());
    }
    let protected = area(PROTECTED_INFO, protected);
    let mut image = header(options, size, protected.len() as u16);
    image.resize(usize::from(options.header).max(HEADER), 0);
    image.extend(firmware);
    image.extend(&protected);
    let hash = sha256(&image);
    let (kind, signature) = match key.public().algorithm() {
        Algorithm::Ed25519 => (tlv::ED25519, key.sign(&hash, Form::Der)?),
        Algorithm::P256 => (tlv::ECDSA, key.sign(&image, Form::Der)?),
    };
    let mut values = Vec::new();
    push(&mut values, tlv::SHA256, &hash);
    push(&mut values, tlv::KEY_HASH, key.public().id());
    push(&mut values, kind, &signature);
    image.extend(area(INFO, values));
    let size = image.len() as u64;
    match options.slot {
        Some(slot) if size + TRAILER > slot => Err(Unmade::Slot { size, slot }),
        _ => Ok(image),
    }
}

fn header(options: &Options, size: u32, protected: u16) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    // It is loaded where it lies.
    header.extend(0_u32.to_le_bytes());
    header.extend(options.header.to_le_bytes());
    header.extend(protected.to_le_bytes());
    header.extend(size.to_le_bytes());
    header.extend(0_u32.to_le_bytes());
    header.extend([options.version.major, options.version.minor]);
    header.extend(options.version.revision.to_le_bytes());
    header.extend(options.version.build.to_le_bytes());
    header
}

fn push(values: &mut Vec<u8>, kind: u16, value: &[u8]) {
    values.extend(kind.to_le_bytes());
    values.extend((value.len() as u16).to_le_bytes());
    values.extend(value);
}

/// Values with their head; nothing where there are none.
fn area(magic: u16, values: Vec<u8>) -> Vec<u8> {
    if values.is_empty() {
        return values;
    }
    let mut area = magic.to_le_bytes().to_vec();
    area.extend((values.len() as u16 + 4).to_le_bytes());
    area.extend(values);
    area
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: Options = Options {
        version: Version {
            major: 1,
            minor: 4,
            revision: 0,
            build: 7,
        },
        header: 64,
        counter: Some(5),
        slot: None,
    };

    fn made(algorithm: Algorithm) -> (Vec<u8>, SigningKey) {
        let key = SigningKey::generate(algorithm).expect("randomness");
        (sign(b"firmware", &OPTIONS, &key).expect("an image"), key)
    }

    fn judged(bytes: &[u8], trusted: &Trusted) -> Result<()> {
        Image::read(bytes)?.signer(trusted).map(drop)
    }

    #[test]
    fn an_image_reads_back() {
        for algorithm in [Algorithm::Ed25519, Algorithm::P256] {
            let (bytes, key) = made(algorithm);
            let image = Image::read(&bytes).expect("an image");
            assert_eq!(image.firmware(), b"firmware");
            assert_eq!((image.header(), image.counter()), (64, Some(5)));
            assert_eq!(image.version().to_string(), "1.4.0+7");
            let trusted = Trusted::new(vec![key.public().clone()]);
            assert_eq!(image.signer(&trusted), Ok(key.public()));
            let padded = [&bytes[..], &[0xFF; 100]].concat();
            assert_eq!(judged(&padded, &trusted), Ok(()));
        }
    }

    #[test]
    fn no_bit_can_be_changed_and_no_byte_be_missing() {
        for algorithm in [Algorithm::Ed25519, Algorithm::P256] {
            let (bytes, key) = made(algorithm);
            let trusted = Trusted::new(vec![key.public().clone()]);
            for end in 0..bytes.len() {
                assert!(judged(&bytes[..end], &trusted).is_err(), "cut at {end}");
            }
            for bit in 0..bytes.len() * 8 {
                let mut changed = bytes.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert!(judged(&changed, &trusted).is_err(), "bit {bit}");
            }
        }
    }

    #[test]
    fn each_refusal_has_its_words() {
        let (bytes, key) = made(Algorithm::Ed25519);
        let other = SigningKey::generate(Algorithm::Ed25519).expect("randomness");
        let trusted = Trusted::new(vec![other.public().clone()]);
        let by = format!(
            "signed by key {}, which is not trusted; trusted: {}",
            key.public(),
            other.public()
        );
        assert_eq!(judged(&bytes, &trusted).unwrap_err().to_string(), by);
        let mut changed = bytes.clone();
        changed[64] ^= 1;
        assert_eq!(judged(&changed, &trusted), Err(Refusal::ImageHash));
        let slot = Some(bytes.len() as u64 + TRAILER);
        let fits = Options { slot, ..OPTIONS };
        assert!(sign(b"firmware", &fits, &key).is_ok());
        let why = sign(b"firmware1", &fits, &key).unwrap_err();
        assert!(matches!(why, Unmade::Slot { .. }), "{why}");
    }
}
