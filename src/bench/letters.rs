//! Bodies of letters.

use bytes::Bytes;

use crate::random::Random;

/// So many letters to fill bodies with: the same for the same seed, and not compressible to nothing.
pub(crate) fn letters(count: usize, seed: u64) -> Bytes {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
    let mut random = Random::new(seed, 0);
    let letter = |_| LETTERS[(random.next() >> 58) as usize];
    (0..count).map(letter).collect()
}
