//! An image on its way: which blocks are there, which are asked for, and what to ask for next.

use std::time::Duration;

use super::super::Digest;

/// Blocks that are asked for and have not come.
pub const WINDOW: usize = 8;

/// How long a block may take before it is asked for again, at first; twice as long after each time in vain.
const PATIENCE: Duration = Duration::from_secs(2);
const LONGEST_PATIENCE: Duration = Duration::from_secs(30);

/// Sizes of blocks: what a small device holds, and what a broker passes.
pub const BLOCKS: std::ops::RangeInclusive<u32> = 64..=65_536;

/// Blocks of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    digest: Digest,
    size: u64,
    block: u32,
    /// A bit for each block, the first in the highest bit of the first byte.
    have: Vec<u8>,
    left: u32,
    /// Every block before this one is there or asked for.
    from: u32,
    asked: Vec<(u32, Duration)>,
    patience: Duration,
    /// Times that blocks were asked for in vain since one has come.
    in_vain: u32,
    /// Since when something is waited for.
    since: Option<Duration>,
    /// Blocks that came and were of no use.
    dropped: u64,
}

/// A request for blocks: `count` from `first` on, of which only those are wanted whose bit in `bitmap` is set, if there is
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The first block.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// Of these.
    pub bitmap: Option<Vec<u8>>,
}

impl Download {
    /// Nothing is there yet. `None` where it has more blocks than can be counted.
    pub fn new(digest: Digest, size: u64, block: u32) -> Option<Self> {
        let blocks = u32::try_from(size.div_ceil(block.into())).ok()?;
        Some(Self {
            digest,
            size,
            block,
            have: vec![0; blocks.div_ceil(8) as usize],
            left: blocks,
            from: 0,
            asked: Vec::new(),
            patience: PATIENCE,
            in_vain: 0,
            since: None,
            dropped: 0,
        })
    }

    /// What was there before a restart, as [`Self::saved`] wrote it; `None` where that is of another download.
    pub fn resumed(digest: Digest, size: u64, block: u32, saved: &[u8]) -> Option<Self> {
        let mut fresh = Self::new(digest, size, block)?;
        let bitmap = saved.strip_prefix(&fresh.head()[..])?;
        if bitmap.len() != fresh.have.len() {
            return None;
        }
        let blocks = fresh.blocks();
        let there = (0..blocks).filter(|number| has(bitmap, *number));
        for number in there {
            set(&mut fresh.have, number);
            fresh.left -= 1;
        }
        Some(fresh)
    }

    fn head(&self) -> Vec<u8> {
        let mut head = self.digest.to_vec();
        head.extend(self.size.to_be_bytes());
        head.extend(self.block.to_be_bytes());
        head
    }

    /// What is there, for a file.
    pub fn saved(&self) -> Vec<u8> {
        [&self.head()[..], &self.have].concat()
    }

    /// Of the image.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// In bytes.
    pub fn block_size(&self) -> u32 {
        self.block
    }

    /// Of the image, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Bytes that are there from the beginning on without a gap.
    pub fn prefix(&self) -> u64 {
        let whole = (0..self.blocks())
            .take_while(|number| self.has(*number))
            .count();
        (whole as u64 * u64::from(self.block)).min(self.size)
    }

    /// How many it has.
    pub fn blocks(&self) -> u32 {
        self.size.div_ceil(self.block.into()) as u32
    }

    /// How many are not there.
    pub fn left(&self) -> u32 {
        self.left
    }

    /// How many came and were of no use.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How often blocks were asked for in vain since one has come.
    pub fn in_vain(&self) -> u32 {
        self.in_vain
    }

    /// In percent, rounded down.
    pub fn progress(&self) -> u8 {
        let (blocks, left) = (u64::from(self.blocks()), u64::from(self.left));
        match blocks {
            0 => 100,
            _ => ((blocks - left) * 100 / blocks) as u8,
        }
    }

    /// A block has come. Where it belongs in the image; `None` where it is of no use: another length, a number that the
    /// image does not have, or it is there.
    pub fn block(&mut self, number: u32, length: usize) -> Option<u64> {
        self.asked.retain(|(asked, _)| *asked != number);
        let at = u64::from(number) * u64::from(self.block);
        let wanted = self.size.saturating_sub(at).min(self.block.into());
        if wanted == 0 || length as u64 != wanted || has(&self.have, number) {
            self.dropped += 1;
            return None;
        }
        set(&mut self.have, number);
        self.left -= 1;
        self.patience = PATIENCE;
        self.in_vain = 0;
        self.since = None;
        Some(at)
    }

    /// Whether the block is there.
    pub fn has(&self, number: u32) -> bool {
        has(&self.have, number)
    }

    /// What was asked for over another connection does not come.
    pub fn forget_asked(&mut self) {
        self.asked.clear();
        self.from = 0;
        self.since = None;
    }

    /// How long something has been waited for over this connection.
    pub(super) fn waits_for(&self, now: Duration) -> Duration {
        now.saturating_sub(self.since.unwrap_or(now))
    }

    /// When something will have been waited for so long.
    pub(super) fn end_of(&self, patience: Duration) -> Option<Duration> {
        self.since?.checked_add(patience)
    }

    /// When a block will have taken too long.
    pub fn next_time(&self) -> Option<Duration> {
        let first = self.asked.iter().map(|(_, at)| *at).min();
        first.map(|at| at + self.patience)
    }

    /// What to ask for now: as much as the window lets, once half of it has come.
    pub fn ask(&mut self, now: Duration) -> Option<Ask> {
        self.since.get_or_insert(now);
        let before = self.asked.len();
        let patience = self.patience;
        self.asked.retain(|(_, at)| *at + patience > now);
        if self.asked.len() < before {
            self.from = 0;
            self.patience = (patience * 2).min(LONGEST_PATIENCE);
            self.in_vain += 1;
        }
        if self.asked.len() > WINDOW / 2 {
            return None;
        }
        let room = WINDOW - self.asked.len();
        let asked = std::mem::take(&mut self.asked);
        let is_asked = |number: u32| asked.iter().any(|(it, _)| *it == number);
        let missing = (self.from..self.blocks())
            .filter(|number| !has(&self.have, *number) && !is_asked(*number));
        let wanted: Vec<u32> = missing.take(room).collect();
        self.asked = asked;
        let (first, last) = (*wanted.first()?, *wanted.last()?);
        self.from = last + 1;
        self.asked
            .extend(wanted.iter().map(|number| (*number, now)));
        let count = last - first + 1;
        let bitmap = (count as usize != wanted.len()).then(|| {
            let mut bits = vec![0; count.div_ceil(8) as usize];
            wanted
                .iter()
                .for_each(|number| set(&mut bits, number - first));
            bits
        });
        Some(Ask {
            first,
            count,
            bitmap,
        })
    }
}

impl Ask {
    /// The blocks.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        let wanted = |at: &u32| self.bitmap.as_ref().is_none_or(|bits| has(bits, *at));
        let all = (0..self.count).filter(wanted);
        all.filter_map(|at| self.first.checked_add(at))
    }
}

fn has(bits: &[u8], number: u32) -> bool {
    let byte = bits.get(number as usize / 8);
    byte.is_some_and(|byte| byte & 0x80 >> (number % 8) != 0)
}

fn set(bits: &mut [u8], number: u32) {
    if let Some(byte) = bits.get_mut(number as usize / 8) {
        *byte |= 0x80 >> (number % 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn blocks_are_asked_for_until_all_are_there() {
        let mut it = Download::new([7; 32], 1000, 64).expect("few blocks");
        assert_eq!(it.blocks(), 16);
        let ask = it.ask(SECOND).expect("something");
        assert_eq!((ask.first, ask.count, &ask.bitmap), (0, 8, &None));
        assert_eq!(it.ask(SECOND), None);
        for number in 0..4 {
            assert_eq!(it.block(number, 64), Some(u64::from(number) * 64));
        }
        let ask = it.ask(SECOND).expect("something");
        assert_eq!((ask.first, ask.count), (8, 4));
        // Block 5 is lost, and after its time it is asked for again.
        for number in [4, 6, 7, 8, 9, 10, 11] {
            it.block(number, 64);
        }
        let ask = it.ask(SECOND * 9).expect("something");
        let numbers: Vec<_> = ask.numbers().collect();
        assert_eq!(numbers, [5, 12, 13, 14, 15]);
        // A wrong length, twice the same, none of this image.
        assert_eq!(it.block(15, 64), None);
        assert_eq!(it.block(0, 64), None);
        assert_eq!(it.block(16, 64), None);
        assert_eq!(it.dropped(), 3);
        let saved = it.saved();
        let mut again = Download::resumed([7; 32], 1000, 64, &saved).expect("the same");
        assert_eq!((again.left(), again.progress()), (5, 68));
        assert_eq!(Download::resumed([8; 32], 1000, 64, &saved), None);
        assert_eq!(Download::resumed([7; 32], 1001, 64, &saved), None);
        let numbers: Vec<_> = again.ask(SECOND).expect("something").numbers().collect();
        assert_eq!(numbers, [5, 12, 13, 14, 15]);
        for number in numbers {
            again.block(number, if number == 15 { 40 } else { 64 });
        }
        assert_eq!((again.left(), again.ask(SECOND * 60)), (0, None));
    }
}
