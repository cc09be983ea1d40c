//! What goes into a device and comes out of it.

use std::time::Duration;

use super::super::mcuboot::{self, Image};
use super::super::refusal::{Refusal, Result};
use super::super::suit::Patch;
use super::super::{Digest, Identity, Trusted};
use super::state::Slot;

/// What a device is told once.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which manifests are for it.
    pub identity: Identity,
    /// Whose signatures count; `None`: anybody's, for simulated devices only.
    pub trusted: Option<Trusted>,
    /// Of a slot, where it has a size.
    pub capacity: Option<u64>,
    /// Bytes of a block.
    pub block: u32,
    /// An older version may be installed.
    pub allow_downgrade: bool,
    /// How long a new image may take to prove itself.
    pub within: Duration,
    /// How long a device that has a connection waits for a block before it gives the image up.
    pub patience: Duration,
}

/// What the driver has to do next; one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write the state, and be sure that it is written.
    Save,
    /// Make room in the slot, and read what an earlier download has left.
    Open {
        /// Where the image goes.
        slot: Slot,
        /// In bytes.
        size: u64,
    },
    /// Make sure that all is written, read it back, and compute its digest.
    Check {
        /// Where the image is.
        slot: Slot,
        /// In bytes.
        size: u64,
    },
    /// What a patch needs, for a driver that has said that it takes such steps.
    Patch(PatchStep),
    /// Tell the boot loader to take this slot.
    Install(Slot),
    /// Start again, from the slot that the boot loader was told.
    Reboot,
    /// Find out whether the new image does what it should.
    Health,
    /// Tell the boot loader that the image is to stay.
    Confirm(Slot),
}

/// What is to be done for a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatchStep {
    /// Compute the digest of the first bytes of the slot that runs.
    Compare {
        /// The slot that runs.
        slot: Slot,
        /// In bytes.
        size: u64,
    },
    /// Make room for a patch beside the slots, and read what an earlier download has left.
    Open {
        /// In bytes.
        size: u64,
    },
    /// Compare the digest of the patch, apply it, be sure that all is written, read it back, and compute its digest.
    Apply {
        /// The slot that runs.
        from: Slot,
        /// Where the image goes.
        to: Slot,
        /// What was fetched.
        patch: Patch,
        /// Of the image that it makes, in bytes.
        size: u64,
    },
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Done,
    /// The slot is ready; what an earlier download has left, if there is something.
    Opened(Option<Vec<u8>>),
    /// The digest of the slot's first bytes, and the security counter of an MCUboot image.
    Checked(Digest, Option<u32>),
    /// Not at all.
    Failed(String),
    /// Not, for a reason that has words.
    Refused(Refusal),
}

/// What became of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It is being installed.
    Taken,
    /// It is what runs or is being installed already.
    Known,
}

/// What others are told about a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `idle`, `downloading`, …
    pub state: &'static str,
    /// Of what runs, or of what is being installed.
    pub version: Option<String>,
    /// Of the same.
    pub sequence: u64,
    /// The image of that; none where it was refused.
    pub image: Option<Digest>,
    /// The slot that runs.
    pub slot: Slot,
    /// In percent, while downloading.
    pub progress: Option<u8>,
    /// Why it failed or was refused.
    pub error: Option<String>,
}

pub(super) fn words(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed(why) => why,
        Outcome::Refused(why) => why.to_string(),
        _ => String::from("it failed"),
    }
}

/// The security counter of what was written, where it is an MCUboot image. Who has signed it is the boot loader's to judge:
/// its keys may be others than those of manifests.
///
/// # Errors
/// It is a damaged one.
pub fn counter(image: &[u8]) -> Result<Option<u32>> {
    match image.starts_with(&mcuboot::MAGIC) {
        true => Image::read(image).map(|image| image.counter()),
        false => Ok(None),
    }
}
