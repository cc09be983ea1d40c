//! Block options (RFC 7959 §2.2): a 20-bit number, a more flag and a size exponent; BERT (RFC 8323 §6).

use super::option::{self, Options};

/// A size exponent: 0 to 6 mean 16 to 1024 bytes; 7 is BERT, on reliable transports only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Szx(u8);

impl Szx {
    /// 16 bytes, the smallest.
    pub const MIN: Self = Self(0);
    /// 1024 bytes, the largest on datagrams.
    pub const MAX: Self = Self(6);
    /// Several blocks of 1024 bytes in one message (RFC 8323 §6).
    pub const BERT: Self = Self(7);

    /// From the exponent, 0 to 7.
    pub const fn new(exponent: u8) -> Option<Self> {
        if exponent <= 7 {
            Some(Self(exponent))
        } else {
            None
        }
    }

    /// The largest, up to 1024 bytes, that fits into `room` bytes; the smallest where none does.
    pub fn fitting(room: usize) -> Self {
        let mut sizes = (0..=6).rev().map(Self);
        sizes.find(|szx| szx.size() <= room).unwrap_or(Self::MIN)
    }

    /// From a size in bytes: 16, 32, 64, 128, 256, 512 or 1024.
    pub fn of_size(size: usize) -> Option<Self> {
        (0..=6).map(Self).find(|szx| szx.size() == size)
    }

    /// The exponent, 0 to 7.
    pub const fn exponent(self) -> u8 {
        self.0
    }

    /// Bytes per block; for BERT the unit in which it counts, 1024.
    pub const fn size(self) -> usize {
        1 << (if self.0 == 7 { 6 } else { self.0 } + 4)
    }
}

/// The value of a Block1 or Block2 option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The block's number, 0 to [`Block::LAST`].
    pub num: u32,
    /// Whether more blocks follow.
    pub more: bool,
    /// The size.
    pub szx: Szx,
}

impl Block {
    /// The highest number: 20 bits.
    pub const LAST: u32 = 0xF_FFFF;

    /// The block that begins at `offset` bytes, which must be a multiple of the size.
    /// `None` when it is not, or when the number does not fit.
    pub fn at(offset: usize, more: bool, szx: Szx) -> Option<Self> {
        let num = u32::try_from(offset / szx.size()).ok()?;
        let fits = offset.is_multiple_of(szx.size()) && num <= Self::LAST;
        fits.then_some(Self { num, more, szx })
    }

    /// Decodes an option value of 0 to 3 bytes; a longer one gives `None`.
    pub fn decode(value: &[u8]) -> Option<Self> {
        if value.len() > 3 {
            return None;
        }
        let number = option::uint(value)? as u32;
        Some(Self {
            num: number >> 4,
            more: number & 8 != 0,
            szx: Szx((number & 7) as u8),
        })
    }

    /// The number that is written as an unsigned option value.
    pub const fn encode(self) -> u64 {
        (self.num as u64) << 4 | (self.more as u64) << 3 | self.szx.0 as u64
    }

    /// Where the block begins, in bytes.
    pub const fn offset(self) -> usize {
        self.num as usize * self.szx.size()
    }

    /// The first value of option `number` among `options`, if there is one and it is well-formed.
    pub fn of(options: &Options, number: u16) -> Option<Self> {
        Self::decode(options.first(number)?)
    }

    /// Whether a payload of `len` bytes may carry this block: full when more follow, never longer than the size.
    pub fn carries(self, len: usize) -> bool {
        let size = self.szx.size();
        match (self.szx == Szx::BERT, self.more) {
            (true, true) => len > 0 && len.is_multiple_of(size),
            (true, false) => true,
            (false, true) => len == size,
            (false, false) => len <= size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_bits_survive() {
        for num in [0, 1, 15, 16, 4095, 4096, 5000, 65_535, Block::LAST] {
            let block = Block {
                num,
                more: num % 2 == 0,
                szx: Szx::MAX,
            };
            let value = option::uint_bytes(block.encode());
            assert!(value.len() <= 3);
            assert_eq!(Block::decode(&value), Some(block));
        }
    }

    #[test]
    fn the_first_block_of_16_is_an_empty_value() {
        let block = Block::at(0, false, Szx::MIN).expect("block 0");
        assert!(option::uint_bytes(block.encode()).is_empty());
        assert_eq!(Block::decode(b""), Some(block));
        assert_eq!(Block::decode(&[0, 0, 0, 1]), None);
    }

    #[test]
    fn a_number_that_does_not_fit_is_refused() {
        assert!(Block::at((1 << 20) * 16, false, Szx::MIN).is_none());
        assert!(Block::at(24, false, Szx::MIN).is_none());
    }

    #[test]
    fn short_blocks_come_last_only() {
        let block = |more, szx| Block { num: 1, more, szx };
        assert!(block(true, Szx::MAX).carries(1024) && !block(true, Szx::MAX).carries(1000));
        assert!(block(false, Szx::MAX).carries(0) && !block(false, Szx::MIN).carries(17));
        assert!(block(true, Szx::BERT).carries(4096) && !block(true, Szx::BERT).carries(0));
    }

    #[test]
    fn sizes_are_the_seven_of_the_rfc() {
        assert_eq!(Szx::of_size(64), Szx::new(2));
        assert_eq!((Szx::of_size(2048), Szx::of_size(100)), (None, None));
        assert_eq!(Szx::BERT.size(), 1024);
    }
}
