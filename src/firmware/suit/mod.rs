//! SUIT envelopes (draft-ietf-suit-manifest; no RFC yet). An [`Envelope`] is split into its members without looking into
//! the manifest; [`Envelope::verified`] checks the signature over the bytes as they were received; only what comes out of
//! it can be read as a [`Manifest`], and that as the [`Update`] of one device.

mod build;
mod cose;
mod envelope;
mod manifest;
mod plan;
#[cfg(test)]
mod tests;
mod text;

pub use build::{DeltaOf, Description, Numbering, Payload, sign};
pub use envelope::{Envelope, Verified};
pub use manifest::{Command, Condition, Directive, Manifest, Parameter, Patch, Sequence};
pub use plan::{Source, Update};
pub use text::About;

/// The tag of an envelope.
const TAG: u64 = 107;

/// The media type of an envelope.
pub const MEDIA_TYPE: &str = "application/suit-envelope+cose";

/// The first bytes of an envelope.
pub const MAGIC: [u8; 2] = [0xD8, 107];

/// SHA-256 in COSE's registry.
const SHA_256: i64 = -16;

/// Members of an envelope and a manifest.
mod member {
    pub(super) const AUTHENTICATION: i128 = 2;
    pub(super) const MANIFEST: i128 = 3;

    pub(super) const VERSION: i128 = 1;
    pub(super) const SEQUENCE_NUMBER: i128 = 2;
    pub(super) const COMMON: i128 = 3;
    pub(super) const REFERENCE_URI: i128 = 4;
    pub(super) const VALIDATE: i128 = 7;
    pub(super) const LOAD: i128 = 8;
    pub(super) const INVOKE: i128 = 9;
    pub(super) const PAYLOAD_FETCH: i128 = 16;
    pub(super) const INSTALL: i128 = 20;
    pub(super) const TEXT: i128 = 23;

    pub(super) const COMPONENTS: i128 = 2;
    pub(super) const SHARED_SEQUENCE: i128 = 4;
}

/// Codes of commands.
mod code {
    pub(super) const VENDOR: i128 = 1;
    pub(super) const CLASS: i128 = 2;
    pub(super) const IMAGE_MATCH: i128 = 3;
    pub(super) const SLOT: i128 = 5;
    pub(super) const CHECK_CONTENT: i128 = 6;
    pub(super) const ABORT: i128 = 14;
    pub(super) const DEVICE: i128 = 24;

    pub(super) const SET_COMPONENT: i128 = 12;
    pub(super) const TRY_EACH: i128 = 15;
    pub(super) const WRITE: i128 = 18;
    pub(super) const OVERRIDE: i128 = 20;
    pub(super) const FETCH: i128 = 21;
    pub(super) const COPY: i128 = 22;
    pub(super) const INVOKE: i128 = 23;
    pub(super) const SWAP: i128 = 31;
    pub(super) const RUN_SEQUENCE: i128 = 32;
}

/// Numbers of parameters.
mod parameter {
    pub(super) const VENDOR: i128 = 1;
    pub(super) const CLASS: i128 = 2;
    pub(super) const DIGEST: i128 = 3;
    pub(super) const SLOT: i128 = 5;
    pub(super) const STRICT_ORDER: i128 = 12;
    pub(super) const SOFT_FAILURE: i128 = 13;
    pub(super) const SIZE: i128 = 14;
    pub(super) const CONTENT: i128 = 18;
    pub(super) const URI: i128 = 21;
    pub(super) const SOURCE: i128 = 22;
    pub(super) const INVOKE_ARGUMENTS: i128 = 23;
    pub(super) const DEVICE: i128 = 24;
    /// Of the range for private use: what is fetched is a patch. The draft has no parameter for this.
    pub(super) const PATCH: i128 = -1;
}

/// What a command reports, where it reports at all: every outcome.
const REPORT_ALL: u64 = 15;

/// What a directive reports: that it failed.
const REPORT_FAILURE: u64 = 2;
