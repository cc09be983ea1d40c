//! What a device keeps: which slot it runs, what it tries out, what has failed. Two copies, each with a checksum; the newer
//! of the readable ones counts, so that a power cut while one is written leaves the other.

use flate2::Crc;
use serde::{Deserialize, Serialize};

use super::super::Digest;

/// Versions that failed and are not tried again; the oldest is forgotten first.
const MOST_FAILED: usize = 64;

/// One of two places for an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// The first.
    #[default]
    A,
    /// The second.
    B,
}

impl Slot {
    /// The one that is not this one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// `a` or `b`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    /// As a number, which a manifest may ask for.
    pub const fn number(self) -> u64 {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }
}

/// An image by its manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Of the manifest.
    pub sequence: u64,
    /// For people.
    pub version: Option<String>,
    /// Of the image, in bytes.
    pub size: u64,
    /// Of the image.
    pub digest: Digest,
    /// The security counter of an MCUboot image.
    pub counter: Option<u32>,
}

/// How far a trial of a new image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// In its slot and compared; the boot loader does not know yet.
    Written,
    /// The boot loader was told.
    Installed,
    /// It did not prove itself: the boot loader is told to take the other slot again.
    Reverting,
}

/// A new image that has not proved itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Where it is.
    pub slot: Slot,
    /// What it is.
    pub release: Release,
    /// How far it is.
    pub stage: Stage,
    /// How often the device was started in this stage.
    pub boots: u32,
    /// Why it failed.
    pub why: Option<String>,
}

/// Everything that outlives a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Goes up with every write.
    pub generation: u64,
    /// The slot that has proved itself.
    pub active: Slot,
    /// What is in it.
    pub release: Release,
    /// What is tried out.
    pub trial: Option<Trial>,
    /// Sequences that failed here.
    pub failed: Vec<u64>,
    /// The highest security counter that has proved itself.
    pub counter: u32,
    /// How the last update ended, for the next report.
    pub last: Option<Ended>,
}

/// How an update ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Of its manifest.
    pub sequence: u64,
    /// Of its manifest.
    pub version: Option<String>,
    /// Why it failed; `None`: it did not.
    pub why: Option<String>,
}

impl State {
    /// As bytes of a file.
    pub fn encode(&self) -> Vec<u8> {
        // cannot panic: nothing in it fails to be written, and the empty text is what a reader refuses
        let text = serde_json::to_string(self).unwrap_or_default();
        format!("{:08x} {text}\n", checksum(text.as_bytes())).into_bytes()
    }

    /// From the bytes of a file; `None` where they are not whole.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
        let (sum, text) = text.split_once(' ')?;
        let is_whole = u32::from_str_radix(sum, 16) == Ok(checksum(text.as_bytes()));
        serde_json::from_str(text).ok().filter(|_| is_whole)
    }

    /// The newer of two copies.
    pub fn newest(copies: [Option<Self>; 2]) -> Option<Self> {
        copies.into_iter().flatten().max_by_key(|it| it.generation)
    }

    /// Which of the two files this one goes to: not where the one before it is.
    pub const fn place(&self) -> usize {
        (self.generation % 2) as usize
    }

    pub(super) fn fails(&mut self, sequence: u64) {
        if !self.failed.contains(&sequence) {
            self.failed.push(sequence);
        }
        let over = self.failed.len().saturating_sub(MOST_FAILED);
        self.failed.drain(..over);
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_reads_back_and_a_torn_one_does_not() {
        let mut state = State {
            generation: 7,
            ..State::default()
        };
        (0..100).for_each(|sequence| state.fails(sequence));
        assert_eq!(state.failed, (36..100).collect::<Vec<_>>());
        let bytes = state.encode();
        assert_eq!(State::decode(&bytes), Some(state.clone()));
        for end in 0..bytes.len() {
            assert_eq!(State::decode(&bytes[..end]), None, "{end}");
        }
        let older = State::default();
        let newest = State::newest([Some(older), Some(state.clone())]);
        assert_eq!(newest, Some(state));
    }
}
