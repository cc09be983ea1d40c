//! The one source of randomness; nothing here guards a secret.

use std::hash::{BuildHasher, RandomState};

/// 64 bits from the operating system's generator, by way of the standard hasher's random keys: for names and numbers
/// that nobody can guess from others.
pub(crate) fn unguessable() -> u64 {
    RandomState::new().hash_one(0_u8)
}

/// An xorshift64* generator: quick, and the same for the same seed.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// A generator for part `part` of what this seed stands for.
    pub(crate) const fn new(seed: u64, part: u64) -> Self {
        // Two rounds of splitmix64 set neighbouring seeds and parts far apart.
        let mixed = mix(mix(seed) ^ part);
        // The state must not be zero, or it stays so.
        Self(if mixed == 0 { 1 } else { mixed })
    }

    /// Another one each time.
    pub(crate) fn from_system() -> Self {
        Self::new(unguessable(), 0)
    }

    /// Any 64 bits but zero.
    pub(crate) const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Evenly from 0 to below 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly from `least` to `most`, both included.
    pub(crate) const fn between(&mut self, least: usize, most: usize) -> usize {
        least + (self.next() % (most - least + 1) as u64) as usize
    }
}

const fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
