//! The envelope: members as they stand in the bytes, and the signature over them.

use super::super::cbor::{Items, Label};
use super::super::key::{PublicKey, Trusted};
use super::super::refusal::{Refusal, Result};
use super::super::{Digest, sha256};
use super::{Manifest, SHA_256, TAG, cose, member};

/// More signatures than any envelope has.
const MOST_SIGNATURES: u64 = 16;

/// An envelope whose members were found, and not yet believed.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// The bytes that were signed: a SUIT_Digest.
    digest: &'a [u8],
    /// COSE structures.
    signatures: Vec<&'a [u8]>,
    manifest: &'a [u8],
    /// The manifest with the head of its byte string.
    wrapped: &'a [u8],
    /// Members that were taken out of the manifest, with and without the head of their byte string.
    severed: Vec<(i128, &'a [u8], &'a [u8])>,
    payloads: Vec<(&'a str, &'a [u8])>,
}

/// An envelope that a trusted key has signed.
#[derive(Clone, Debug)]
pub struct Verified<'a, 'k> {
    envelope: Envelope<'a>,
    signer: &'k PublicKey,
}

impl<'a> Envelope<'a> {
    /// The members of an envelope.
    ///
    /// # Errors
    /// It is none.
    pub fn split(bytes: &'a [u8]) -> Result<Self> {
        let mut items = Items::new(bytes, "envelope");
        items.tag(TAG, "the tag of a SUIT envelope (107)")?;
        let count = items.map("a map")?;
        let (mut authentication, mut manifest) = (None, None);
        let (mut severed, mut payloads) = (Vec::new(), Vec::new());
        let mut seen = Vec::new();
        for _ in 0..count {
            let label = items.label("the number or name of a member")?;
            let (inner, wrapped) = items.wrapped("a byte string")?;
            match label {
                Label::Int(member::AUTHENTICATION) => authentication = Some(inner),
                Label::Int(member::MANIFEST) => manifest = Some((inner, wrapped)),
                Label::Int(number @ (member::PAYLOAD_FETCH | member::INSTALL | member::TEXT)) => {
                    severed.push((number, inner, wrapped))
                }
                Label::Int(number) => return Err(Refusal::Member(number)),
                Label::Text(name) => payloads.push((name, inner)),
            }
            if seen.contains(&label) {
                return Err(Refusal::malformed("envelope", "a member occurs twice"));
            }
            seen.push(label);
        }
        items.end()?;
        let (manifest, wrapped) =
            manifest.ok_or_else(|| Refusal::malformed("envelope", "it has no manifest"))?;
        let (digest, signatures) = authentication_block(authentication.ok_or(Refusal::Unsigned)?)?;
        Ok(Self {
            digest,
            signatures,
            manifest,
            wrapped,
            severed,
            payloads,
        })
    }

    /// The same, if a trusted key has signed it.
    ///
    /// # Errors
    /// Nobody has, or it was changed since.
    pub fn verified(self, trusted: &Trusted) -> Result<Verified<'a, '_>> {
        let mut refusal = Refusal::Unsigned;
        for block in &self.signatures {
            match cose::signer(block, self.digest, trusted) {
                Ok(signer) => {
                    self.check_digest()?;
                    let envelope = self;
                    return Ok(Verified { envelope, signer });
                }
                Err(why) => refusal = why,
            }
        }
        Err(refusal)
    }

    fn check_digest(&self) -> Result<()> {
        match read_digest(self.digest)? == sha256(self.wrapped) {
            true => Ok(()),
            false => Err(Refusal::ManifestDigest),
        }
    }

    /// What the manifest says, whoever has signed it: to be looked at, not to be installed.
    ///
    /// # Errors
    /// It cannot be read, or it is not what was signed.
    pub fn unverified(&self) -> Result<Manifest<'a>> {
        self.check_digest()?;
        Manifest::read(self.manifest, &self.severed)
    }

    /// Who says to have signed it: an algorithm, and the id of a key where one is given.
    pub fn claims(&self) -> Vec<String> {
        self.signatures
            .iter()
            .map(|block| cose::claim(block))
            .collect()
    }

    /// The payloads that are in the envelope, by name.
    pub fn payloads(&self) -> &[(&'a str, &'a [u8])] {
        &self.payloads
    }

    /// The payload of this name.
    pub fn payload(&self, name: &str) -> Option<&'a [u8]> {
        let mut all = self.payloads.iter();
        all.find(|(known, _)| *known == name).map(|(_, it)| *it)
    }
}

impl<'a, 'k> Verified<'a, 'k> {
    /// The key that has signed it.
    pub fn signer(&self) -> &'k PublicKey {
        self.signer
    }

    /// The members.
    pub fn envelope(&self) -> &Envelope<'a> {
        &self.envelope
    }

    /// What the manifest says.
    ///
    /// # Errors
    /// It cannot be read, or it has commands that we do not know.
    pub fn manifest(&self) -> Result<Manifest<'a>> {
        Manifest::read(self.envelope.manifest, &self.envelope.severed)
    }
}

/// The digest that was signed, and the signatures.
fn authentication_block(bytes: &[u8]) -> Result<(&[u8], Vec<&[u8]>)> {
    let mut items = Items::new(bytes, "authentication block");
    let count = items.array("an array")?;
    if count > MOST_SIGNATURES {
        return Err(items.expected("at most 16 signatures"));
    }
    let digest = items.bytes("a digest in a byte string")?;
    let signatures: Vec<&[u8]> = (1..count)
        .map(|_| items.bytes("a signature in a byte string"))
        .collect::<Result<_>>()?;
    items.end()?;
    match signatures.is_empty() {
        true => Err(Refusal::Unsigned),
        false => Ok((digest, signatures)),
    }
}

/// A SUIT_Digest of SHA-256.
pub(super) fn read_digest(bytes: &[u8]) -> Result<Digest> {
    let mut items = Items::new(bytes, "digest");
    let digest = digest_of(&mut items)?;
    items.end()?;
    Ok(digest)
}

pub(super) fn digest_of(items: &mut Items<'_>) -> Result<Digest> {
    if items.array("an array of two")? != 2 {
        return Err(items.expected("an array of two"));
    }
    match items.int("the number of an algorithm")? {
        number if number == i128::from(SHA_256) => {}
        number => return Err(Refusal::DigestAlgorithm(number)),
    }
    let bytes = items.bytes("32 bytes")?;
    bytes.try_into().map_err(|_| items.expected("32 bytes"))
}
