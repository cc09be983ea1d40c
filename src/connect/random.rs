//! Small randomness for jitter and frame masks; nothing here guards a secret.

use std::hash::{BuildHasher, RandomState};

/// An xorshift64* generator.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    pub(super) const fn seeded(seed: u64) -> Self {
        // The state must not be zero, or it stays so.
        Self(if seed == 0 {
            0x9E37_79B9_7F4A_7C15
        } else {
            seed
        })
    }

    /// Seeded from the operating system, by way of the standard hasher's random keys.
    pub(super) fn from_system() -> Self {
        Self::seeded(RandomState::new().hash_one(0_u8))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Evenly between 0 and 1.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
