//! Why an update is not installed. Each reason has words of its own, which follow the name of the file or device.

use super::short;

/// Why bytes are no update that this device installs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither a manifest nor an image.
    #[error("neither a SUIT envelope nor an MCUboot image")]
    Unknown,
    /// Not made as the format demands.
    #[error("malformed {what}: {why}")]
    Malformed {
        /// The part.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Without a signature.
    #[error("not signed")]
    Unsigned,
    /// By a key that names itself, and is not trusted.
    #[error("signed by key {by}, which is not trusted; trusted: {trusted}")]
    UntrustedKey {
        /// The id that the signature gives.
        by: String,
        /// The ids of the trusted keys.
        trusted: String,
    },
    /// By a key that does not name itself, and it is none of those that are trusted.
    #[error("signed by none of the trusted keys: {trusted}")]
    NoKeyFits {
        /// The ids of the trusted keys.
        trusted: String,
    },
    /// It names a trusted key, and is not that key's signature of these bytes.
    #[error("changed after it was signed: the signature is not the one that key {by} makes")]
    BadSignature {
        /// The id of the key.
        by: String,
    },
    /// An algorithm that we do not verify.
    #[error("signed by an algorithm that is not supported: {0}; supported are Ed25519 and ES256")]
    Algorithm(String),
    /// The digest in the authentication block is not that of the manifest.
    #[error("changed after it was signed: the digest of the manifest does not match")]
    ManifestDigest,
    /// A part that was taken out of the manifest is not the one that it names.
    #[error("changed after it was signed: the digest of the member {0} does not match")]
    MemberDigest(u64),
    /// A digest that we do not compute.
    #[error("digest algorithm {0} is not supported; supported is SHA-256 (-16)")]
    DigestAlgorithm(i128),
    /// A version of the format that we do not know.
    #[error("manifest version {0} is not supported; supported is 1")]
    ManifestVersion(u64),
    /// What must not be passed over, as it may be a condition.
    #[error("unknown command {0} in the manifest")]
    Command(i128),
    /// What must not be passed over, as it may change what a command does.
    #[error("unknown parameter {0} in the manifest")]
    Parameter(i128),
    /// What must not be passed over.
    #[error("unknown member {0} in the manifest")]
    Member(i128),
    /// A command that this device does not carry out.
    #[error("the manifest needs {0}, which is not supported")]
    Unsupported(&'static str),
    /// A condition or directive without the parameter that it is about.
    #[error("the manifest has no {0}")]
    Missing(&'static str),
    /// For devices of another vendor.
    #[error("for vendor {wanted}, this device is of vendor {ours}")]
    Vendor {
        /// As in the manifest.
        wanted: String,
        /// As the device was told.
        ours: String,
    },
    /// For devices of another class.
    #[error("for class {wanted}, this device is of class {ours}")]
    Class {
        /// As in the manifest.
        wanted: String,
        /// As the device was told.
        ours: String,
    },
    /// For one device, and another one.
    #[error("for the device {0} only")]
    Device(String),
    /// None of the alternatives is for this device.
    #[error("none of the alternatives in the manifest is for this device")]
    NoAlternative,
    /// It is looked at again when that has ended.
    #[error("another update is on trial")]
    Busy,
    /// Not newer than what runs.
    #[error("sequence {given} is not above {ours}, which is installed")]
    Sequence {
        /// Of the manifest.
        given: u64,
        /// Of what runs.
        ours: u64,
    },
    /// Two images with one number: one of them was not meant to have it.
    #[error(
        "sequence {0} is that of another image, which this device has; sign it again with a higher one"
    )]
    Reused(u64),
    /// It was installed once, and the device had to go back.
    #[error("sequence {0} failed on this device before")]
    FailedBefore(u64),
    /// A counter below that of what runs.
    #[error("security counter {given} is below {ours}, which is installed")]
    Counter {
        /// Of the image.
        given: u32,
        /// Of what runs.
        ours: u32,
    },
    /// Larger than a slot.
    #[error("the image has {size} bytes, the slot {slot}")]
    TooLarge {
        /// In bytes.
        size: u64,
        /// In bytes.
        slot: u64,
    },
    /// The file system is full.
    #[error("the image has {size} bytes, free are {free}")]
    NoSpace {
        /// In bytes.
        size: u64,
        /// In bytes.
        free: u64,
    },
    /// The payload is of another size than the manifest says.
    #[error("the payload has {given} bytes, the manifest says {wanted}")]
    Size {
        /// What there is.
        given: u64,
        /// What the manifest says.
        wanted: u64,
    },
    /// The payload is another one.
    #[error("the payload has the SHA-256 {}, the manifest says {}", short(.given), short(.wanted))]
    PayloadDigest {
        /// What there is.
        given: [u8; 32],
        /// What the manifest says.
        wanted: [u8; 32],
    },
    /// The manifest names an integrated payload that the envelope does not hold.
    #[error("the payload {0} is not in the envelope")]
    NoPayload(String),
    /// The hash in the image is not that of the image.
    #[error("the image was changed: its hash does not match")]
    ImageHash,
}

impl Refusal {
    /// What is wrong with a part of the format.
    pub(super) fn malformed(what: &'static str, why: impl Into<String>) -> Self {
        let why = why.into();
        Self::Malformed { what, why }
    }
}

/// The outcome of whatever judges an update.
pub type Result<T> = std::result::Result<T, Refusal>;
