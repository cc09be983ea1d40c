//! The SHA-256 of an image whose blocks come one after the other, or nearly so.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use ring::digest::{Context, SHA256};

use crate::firmware::Digest;
use crate::firmware::device::WINDOW;

/// An image that is not kept.
pub(super) struct Image {
    hash: Option<Box<Context>>,
    /// The block that comes next.
    next: u32,
    /// Blocks that came before the ones in front of them.
    ahead: BTreeMap<u32, Bytes>,
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({})", self.next)
    }
}

impl Image {
    /// Nothing of it has come.
    pub(super) const fn new() -> Self {
        Self {
            hash: None,
            next: 0,
            ahead: BTreeMap::new(),
        }
    }

    /// Whether a block can be taken: in its turn, or as one of few that wait for it.
    pub(super) fn has_room(&self, number: u32) -> bool {
        number == self.next || self.ahead.len() < WINDOW
    }

    /// Takes a block, each once.
    pub(super) fn take(&mut self, number: u32, bytes: &Bytes) {
        if number != self.next {
            // A copy: the bytes are part of all that came with them.
            self.ahead.insert(number, Bytes::copy_from_slice(bytes));
            return;
        }
        self.add(bytes);
        while let Some(bytes) = self.ahead.remove(&self.next) {
            self.add(&bytes);
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        let fresh = || Context::new(&SHA256).into();
        self.hash.get_or_insert_with(fresh).update(bytes);
        self.next += 1;
    }

    /// That of all that has come, which is forgotten.
    pub(super) fn digest(&mut self) -> Digest {
        let hash = std::mem::replace(self, Self::new()).hash;
        let hash = hash.map_or_else(|| Context::new(&SHA256), |hash| *hash);
        let mut digest = Digest::default();
        digest.copy_from_slice(hash.finish().as_ref());
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firmware::sha256;

    #[test]
    fn blocks_that_come_out_of_order_make_the_same_digest() {
        let bytes: Vec<u8> = (0..100_u8).collect();
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2]] {
            let mut image = Image::new();
            for number in order {
                assert!(image.has_room(number));
                let at = number as usize * 25;
                let block = Bytes::copy_from_slice(&bytes[at..at + 25]);
                image.take(number, &block);
            }
            assert_eq!(image.digest(), sha256(&bytes), "{order:?}");
        }
        assert_eq!(Image::new().digest(), sha256(b""));
    }

    #[test]
    fn only_few_blocks_wait_for_the_one_before_them() {
        let mut image = Image::new();
        let block = Bytes::from_static(b"x");
        for number in 1..=WINDOW as u32 {
            assert!(image.has_room(number));
            image.take(number, &block);
        }
        assert!(!image.has_room(90) && image.has_room(0));
        image.take(0, &block);
        assert!(image.has_room(90));
    }
}
