//! Repeatable randomness: the same seed gives the same run.

use bytes::Bytes;

/// An xorshift64* generator.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator for part `part` of a run with this seed.
    pub const fn new(seed: u64, part: u64) -> Self {
        // Two rounds of splitmix64 set neighbouring seeds and parts far apart.
        let mixed = mix(mix(seed) ^ part);
        Self(if mixed == 0 { 1 } else { mixed })
    }

    /// Any 64 bits but zero.
    pub const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Evenly from 0 to below 1.
    pub fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly from `least` to `most`, both included.
    pub const fn between(&mut self, least: usize, most: usize) -> usize {
        least + (self.next() % (most - least + 1) as u64) as usize
    }
}

/// So many letters to fill bodies with: the same for the same seed, and not compressible to nothing.
pub fn letters(count: usize, seed: u64) -> Bytes {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
    let mut random = Random::new(seed, 0);
    let letter = |_| LETTERS[(random.next() >> 58) as usize];
    (0..count).map(letter).collect()
}

const fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
