//! Patches in the format BSDIFF40, that of bsdiff 4: a header of 32 bytes, and three parts compressed by bzip2: what to
//! do, what to add to bytes of the old image, and bytes that are new.
//!
//! What a patch says of itself is checked before anything is allocated for it: the image has as many bytes as its
//! manifest says, or the patch is refused.

#[cfg_attr(not(feature = "delta"), path = "absent.rs")]
mod parts;
#[cfg(all(test, feature = "delta"))]
mod tests;

use std::io;

pub use parts::{AVAILABLE, apply, make};

/// The first bytes of a patch.
pub const MAGIC: [u8; 8] = *b"BSDIFF40";

/// Bytes before the parts.
pub const HEADER: u64 = 32;

/// The largest image that a patch is made from, in bytes: the search for what is the same takes 17 times as much memory.
pub const LARGEST: u64 = 128 << 20;

/// Why a patch cannot be applied, or made.
#[derive(Debug, thiserror::Error)]
pub enum BadPatch {
    /// There is no such thing in this build.
    #[error("this iotctl was built without patches (feature delta)")]
    NotBuilt,
    /// It begins with other bytes.
    #[error("it is no patch in the format BSDIFF40")]
    Format,
    /// It is for another image.
    #[error("it makes an image of {given} bytes, and {wanted} are to be made")]
    Size {
        /// As its header says.
        given: u64,
        /// As the manifest says.
        wanted: u64,
    },
    /// It makes more than anybody takes.
    #[error("it makes an image of {given} bytes, and at most {most} are made")]
    TooLarge {
        /// As its header says.
        given: u64,
        /// What is taken.
        most: u64,
    },
    /// The header names more bytes than there are.
    #[error("its header says that it is longer than it is")]
    Header,
    /// A step leads out of the image.
    #[error("one of its steps leads out of the image")]
    Step,
    /// A part ends before the image is whole.
    #[error("it ends before the image is whole")]
    Short,
    /// bzip2 says so, or the disk.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What the header of a patch says, as far as it can be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of what to do.
    pub control: u64,
    /// Bytes of what is added.
    pub difference: u64,
    /// Bytes of the image that is made.
    pub size: u64,
}

impl Header {
    /// Reads the header of a patch of `length` bytes.
    ///
    /// # Errors
    /// It is none, or it cannot be true.
    pub fn read(bytes: &[u8], length: u64) -> Result<Self, BadPatch> {
        let mut words = bytes.chunks_exact(8);
        let mut word = || words.next().ok_or(BadPatch::Format);
        if word()? != MAGIC {
            return Err(BadPatch::Format);
        }
        let mut number = || u64::try_from(offset(word()?)).map_err(|_| BadPatch::Header);
        let (control, difference, size) = (number()?, number()?, number()?);
        let parts = length.checked_sub(HEADER).ok_or(BadPatch::Format)?;
        match control.checked_add(difference) {
            Some(both) if both <= parts => Ok(Self {
                control,
                difference,
                size,
            }),
            _ => Err(BadPatch::Header),
        }
    }

    /// Whether the image that it makes has this size.
    ///
    /// # Errors
    /// It has another.
    pub fn makes(&self, wanted: u64) -> Result<(), BadPatch> {
        let given = self.size;
        match given == wanted {
            true => Ok(()),
            false => Err(BadPatch::Size { given, wanted }),
        }
    }
}

/// A number as bsdiff writes it: the highest bit is the sign, the other bits are the amount, the lowest byte first.
fn offset(word: &[u8]) -> i64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&word[..8]);
    let bits = u64::from_le_bytes(bytes);
    let amount = (bits & (u64::MAX >> 1)) as i64;
    match bits >> 63 {
        0 => amount,
        _ => -amount,
    }
}
