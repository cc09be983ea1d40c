//! The stamp at the head of each payload: who sent it, as which message, and when it was due.
//!
//! | bytes | what |
//! |---|---|
//! | 0 | 0xB7 |
//! | 1 | 1: due while measuring; 0: warm-up |
//! | 2–7 | when it was due: nanoseconds since the Unix epoch, the lowest 48 bits |
//! | 8–12 | sequence number of its sender, from 0 |
//! | 13–15 | sender |
//! | 16–23 | run |
//!
//! All numbers are little-endian. A payload with less room carries the bytes that fit, cut after 0, 8, 16 or 24.

use super::clock::Nanos;

/// A whole stamp, in bytes.
pub const LENGTH: usize = 24;

const MAGIC: u64 = 0xB7;
const SENDER_SHIFT: u32 = 40;
const SEQUENCE_MASK: u64 = (1 << SENDER_SHIFT) - 1;
/// Times are unambiguous within three days.
const DUE_BITS: u32 = 48;

/// How much of a stamp a payload has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    /// Nothing: messages can only be counted.
    Nothing,
    /// When it was due: latencies, but no loss, duplicates or order.
    Time,
    /// Everything but the run: messages of another run are not told apart.
    Message,
    /// Everything.
    Whole,
}

impl Room {
    /// The room in a payload of this many bytes.
    pub const fn of(length: usize) -> Self {
        match length {
            0..8 => Self::Nothing,
            8..16 => Self::Time,
            16..24 => Self::Message,
            _ => Self::Whole,
        }
    }

    /// What the reader of a report must know about so little room.
    pub const fn warning(self) -> Option<&'static str> {
        match self {
            Self::Whole => None,
            Self::Message => Some(
                "payloads under 24 bytes have no room for the run ID: messages of other runs are not recognised",
            ),
            Self::Time => Some(
                "payloads under 16 bytes only have room for a timestamp: duplicates and reordering are not detected, and a duplicate may hide a loss",
            ),
            Self::Nothing => Some(
                "payloads without a stamp are only counted: receivers measure no latency, duplicates or reordering; a duplicate may hide a loss, and messages lost during the warm-up count as missing",
            ),
        }
    }
}

/// What a stamp says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Whether it was due while measuring.
    pub measured: bool,
    /// When it was due.
    pub due: Nanos,
    /// Which message of its sender; the lowest 40 bits count.
    pub sequence: u64,
    /// Who sent it; the lowest 24 bits count.
    pub sender: u32,
    /// Of which run; 0 when there was no room for it.
    pub run: u64,
}

impl Stamp {
    /// Writes what fits to the head of `payload`.
    #[inline]
    pub fn write(&self, payload: &mut [u8]) {
        let time = MAGIC | u64::from(self.measured) << 8 | self.due << 16;
        let message = self.sequence & SEQUENCE_MASK | u64::from(self.sender) << SENDER_SHIFT;
        for (place, word) in payload.chunks_exact_mut(8).zip([time, message, self.run]) {
            place.copy_from_slice(&word.to_le_bytes());
        }
    }

    /// Reads the stamp of a payload received at `now`; `None` when there is none.
    #[inline]
    pub fn read(payload: &[u8], now: Nanos) -> Option<Self> {
        let mut words = payload.chunks_exact(8).map(word);
        let time = words.next()?;
        if time & 0xFF != MAGIC {
            return None;
        }
        let message = words.next().unwrap_or(0);
        Some(Self {
            measured: time & 0x100 != 0,
            due: nearest(time >> 16, now),
            sequence: message & SEQUENCE_MASK,
            sender: (message >> SENDER_SHIFT) as u32,
            run: words.next().unwrap_or(0),
        })
    }
}

fn word(bytes: &[u8]) -> u64 {
    // `chunks_exact` makes chunks of eight bytes only.
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

/// The time nearest to `now` with these lowest bits.
const fn nearest(low: u64, now: Nanos) -> Nanos {
    let unused = 64 - DUE_BITS;
    // The difference as a signed number of 48 bits.
    let ahead = (low.wrapping_sub(now) << unused) as i64 >> unused;
    now.wrapping_add_signed(ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Nanos = 1_795_000_000_123_456_789;

    fn stamp() -> Stamp {
        Stamp {
            measured: true,
            due: NOW - 5_000,
            sequence: 0xAB_CDEF_0123,
            sender: 0x0012_3456,
            run: 0x1122_3344_5566_7788,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut payload = [0x55; 30];
        stamp().write(&mut payload);
        assert_eq!(Stamp::read(&payload, NOW), Some(stamp()));
        assert_eq!(payload[LENGTH..], [0x55; 6]);
    }

    #[test]
    fn a_small_payload_carries_what_fits() {
        for length in 0..LENGTH {
            let mut payload = vec![0; length];
            stamp().write(&mut payload);
            let read = Stamp::read(&payload, NOW);
            match Room::of(length) {
                Room::Nothing => assert_eq!(read, None),
                Room::Time => assert_eq!(read.map(|read| read.due), Some(stamp().due)),
                Room::Message => {
                    let without_run = Stamp { run: 0, ..stamp() };
                    assert_eq!(read, Some(without_run));
                }
                Room::Whole => unreachable!(),
            }
        }
    }

    #[test]
    fn a_time_ahead_of_the_clock_is_read_as_such() {
        let early = Stamp {
            due: NOW + 70_000_000_000_000,
            ..stamp()
        };
        let mut payload = [0; LENGTH];
        early.write(&mut payload);
        assert_eq!(Stamp::read(&payload, NOW), Some(early));
    }

    #[test]
    fn anything_else_is_no_stamp() {
        assert_eq!(Stamp::read(b"21.5 degrees, says the sensor", NOW), None);
        assert_eq!(Stamp::read(b"", NOW), None);
    }
}
