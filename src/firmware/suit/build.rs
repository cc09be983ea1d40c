//! Writing an envelope: one component, one image, in the template of the draft's examples, signed.

use super::super::cbor::Writer;
use super::super::identity::Identity;
use super::super::key::{NoKey, SigningKey};
use super::super::{Digest, sha256};
use super::text::About;
use super::{
    REPORT_ALL, REPORT_FAILURE, SHA_256, TAG, code, cose, member, parameter as parameters,
};

/// Which numbers stand for the algorithms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbering {
    /// EdDSA -8 and ES256 -7 (RFC 9053): what released verifiers know.
    #[default]
    Classic,
    /// Ed25519 -19 and ESP256 -9 (RFC 9864).
    FullySpecified,
}

/// Where devices get the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// From one of these, the first to be tried first; relative ones are relative to the manifest.
    Uris(&'a [String]),
    /// From the envelope itself.
    Embedded,
}

/// A patch that devices with the base try first.
#[derive(Clone, Copy, Debug)]
pub struct DeltaOf<'a> {
    /// The image that it changes.
    pub base: &'a [u8],
    /// In the format BSDIFF40.
    pub patch: &'a [u8],
    /// Where devices get it.
    pub uri: &'a str,
}

/// What is said of an image.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    /// The image.
    pub image: &'a [u8],
    /// For people.
    pub version: &'a str,
    /// Goes up with every manifest.
    pub sequence: u64,
    /// Which devices it is for.
    pub identity: &'a Identity,
    /// Where devices get the image.
    pub payload: Payload<'a>,
    /// Patches, each for devices with another image.
    pub deltas: &'a [DeltaOf<'a>],
}

/// The name of an image in its envelope.
const EMBEDDED: &str = "#firmware";

/// A signed envelope.
///
/// # Errors
/// The system has no randomness.
pub fn sign(
    about: &Description<'_>,
    key: &SigningKey,
    numbering: Numbering,
) -> Result<Vec<u8>, NoKey> {
    let manifest = manifest(about);
    let wrapped = Writer::default().bytes(&manifest).take();
    let digest = digest(&sha256(&wrapped));
    let signature = cose::sign(&digest, key, numbering)?;
    let embedded = about.payload == Payload::Embedded;
    let mut envelope = Writer::default();
    envelope.tag(TAG).map(2 + u64::from(embedded));
    envelope.int(number(member::AUTHENTICATION)).wrapped(|it| {
        it.array(2).bytes(&digest).bytes(&signature);
    });
    envelope.int(number(member::MANIFEST)).bytes(&manifest);
    if embedded {
        envelope.text(EMBEDDED).bytes(about.image);
    }
    Ok(envelope.take())
}

/// Ours are all small.
fn number(of: i128) -> i64 {
    of as i64
}

fn digest(hash: &Digest) -> Vec<u8> {
    Writer::default().array(2).int(SHA_256).bytes(hash).take()
}

fn manifest(about: &Description<'_>) -> Vec<u8> {
    let mut it = Writer::default();
    it.map(6).int(number(member::VERSION)).uint(1);
    it.int(number(member::SEQUENCE_NUMBER)).uint(about.sequence);
    it.int(number(member::COMMON))
        .wrapped(|it| common(it, about));
    it.int(number(member::VALIDATE)).wrapped(|it| {
        it.array(2).int(number(code::IMAGE_MATCH)).uint(REPORT_ALL);
    });
    it.int(number(member::INSTALL))
        .wrapped(|it| install(it, about));
    let texts = About {
        version: Some(about.version.to_owned()),
        vendor: Some(about.identity.vendor_name.clone()),
        model: Some(about.identity.class_name.clone()),
    };
    it.int(number(member::TEXT)).wrapped(|it| texts.write(it));
    it.take()
}

fn common(it: &mut Writer, about: &Description<'_>) {
    it.map(2);
    it.int(number(member::COMPONENTS))
        .array(1)
        .array(1)
        .bytes(&[0]);
    it.int(number(member::SHARED_SEQUENCE)).wrapped(|it| {
        it.array(6).int(number(code::OVERRIDE)).map(4);
        it.int(number(parameters::VENDOR))
            .bytes(&about.identity.vendor.0);
        it.int(number(parameters::CLASS))
            .bytes(&about.identity.class.0);
        it.int(number(parameters::DIGEST))
            .bytes(&digest(&sha256(about.image)));
        it.int(number(parameters::SIZE))
            .uint(about.image.len() as u64);
        it.int(number(code::VENDOR)).uint(REPORT_ALL);
        it.int(number(code::CLASS)).uint(REPORT_ALL);
    });
}

fn install(it: &mut Writer, about: &Description<'_>) {
    let embedded = [EMBEDDED.to_owned()];
    let uris = match about.payload {
        Payload::Uris(uris) => uris,
        Payload::Embedded => &embedded,
    };
    if let ([uri], []) = (uris, about.deltas) {
        return fetch(it, uri, None);
    }
    let count = uris.len() + about.deltas.len();
    it.array(2).int(number(code::TRY_EACH)).array(count as u64);
    for delta in about.deltas {
        it.wrapped(|it| fetch(it, delta.uri, Some(delta)));
    }
    for uri in uris {
        it.wrapped(|it| fetch(it, uri, None));
    }
}

/// Fetches and compares.
fn fetch(it: &mut Writer, uri: &str, delta: Option<&DeltaOf<'_>>) {
    it.array(6)
        .int(number(code::OVERRIDE))
        .map(1 + 2 * u64::from(delta.is_some()));
    if delta.is_some() {
        it.int(number(parameters::SOFT_FAILURE)).bool(true);
    }
    it.int(number(parameters::URI)).text(uri);
    if let Some(delta) = delta {
        it.int(number(parameters::PATCH)).wrapped(|it| {
            it.array(5).uint(1).bytes(&digest(&sha256(delta.base)));
            it.uint(delta.base.len() as u64);
            it.uint(delta.patch.len() as u64)
                .bytes(&digest(&sha256(delta.patch)));
        });
    }
    it.int(number(code::FETCH)).uint(REPORT_FAILURE);
    it.int(number(code::IMAGE_MATCH)).uint(REPORT_ALL);
}
