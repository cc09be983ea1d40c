//! What a receiver got: unique, duplicate, reordered, late, foreign.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::clock::Nanos;
use super::recorder::{Quantity, Records};
use super::stamp::{Room, Stamp};

/// How far behind the newest message a duplicate is still told from a late first copy.
const REMEMBERED: u64 = 1024;
const WORDS: usize = (REMEMBERED / 64) as usize;

/// The books of one receiver, by sender.
#[derive(Debug)]
pub struct Received {
    run: u64,
    /// Where the books of each sender are.
    places: HashMap<u32, usize, BuildHasherDefault<Spread>>,
    seen: Vec<Seen>,
    /// The last sender and its place: messages of one sender often come in a row.
    last: Option<(u32, usize)>,
}

/// Which messages of one sender have come.
#[derive(Clone, Debug)]
struct Seen {
    /// The newest, plus one.
    next: u64,
    /// One bit for each of the last [`REMEMBERED`].
    bits: [u64; WORDS],
}

/// How a message relates to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It comes after them.
    New,
    /// It comes for the first time, after a later one.
    Reordered,
    /// It has come before.
    Duplicate,
}

impl Records {
    /// Enters a notification without a stamp, which is known by its number: it came at `now`, `length` bytes on the wire.
    pub fn notified(&mut self, order: Order, length: usize, now: Nanos) {
        self.flow.received += 1;
        if self.window.holds(now) {
            self.passed.received += 1.0;
            self.messages.received_bytes += length as u64;
            count(order, now, self);
        }
    }
}

impl Received {
    /// The empty books of a receiver in this run.
    pub fn new(run: u64) -> Self {
        Self {
            run,
            places: HashMap::default(),
            seen: Vec::new(),
            last: None,
        }
    }

    /// Enters one message that arrived at `now`, `length` bytes on the wire.
    #[inline]
    pub fn enter(&mut self, payload: &[u8], length: usize, now: Nanos, records: &mut Records) {
        records.flow.received += 1;
        let inside = records.window.holds(now);
        if inside {
            records.passed.received += 1.0;
            records.messages.received_bytes += length as u64;
        }
        let room = Room::of(payload.len());
        if room == Room::Nothing {
            return uncounted(inside, records);
        }
        let stamp = match Stamp::read(payload, now) {
            Some(stamp) if room < Room::Whole || stamp.run == self.run => stamp,
            _ => {
                records.messages.foreign += 1;
                return;
            }
        };
        if !stamp.measured {
            return;
        }
        let order = if room >= Room::Message {
            self.order(stamp.sender, stamp.sequence)
        } else {
            Order::New
        };
        count(order, now, records);
        // A message that comes again has been measured already.
        if order != Order::Duplicate {
            records.of(Quantity::EndToEnd).span(stamp.due, now);
        }
    }

    #[inline]
    fn order(&mut self, sender: u32, sequence: u64) -> Order {
        let place = match self.last {
            Some((last, place)) if last == sender => place,
            _ => self.place(sender, sequence),
        };
        self.seen[place].enter(sequence)
    }

    fn place(&mut self, sender: u32, sequence: u64) -> usize {
        let seen = &mut self.seen;
        let place = *self.places.entry(sender).or_insert_with(|| {
            seen.push(Seen::before(sequence));
            seen.len() - 1
        });
        self.last = Some((sender, place));
        place
    }
}

fn count(order: Order, now: Nanos, records: &mut Records) {
    let messages = &mut records.messages;
    messages.received += 1;
    match order {
        Order::New => messages.unique += 1,
        Order::Reordered => {
            messages.unique += 1;
            messages.reordered += 1;
        }
        Order::Duplicate => messages.duplicate += 1,
    }
    messages.late += u64::from(now >= records.window.to);
}

/// Without a stamp, when it came is all that is known of a message.
fn uncounted(inside: bool, records: &mut Records) {
    records.messages.received += u64::from(inside);
    records.messages.unique += u64::from(inside);
}

impl Seen {
    /// Books in which nothing is entered, and `sequence` is the next.
    const fn before(sequence: u64) -> Self {
        Self {
            next: sequence,
            bits: [0; WORDS],
        }
    }

    #[inline]
    fn enter(&mut self, sequence: u64) -> Order {
        if sequence >= self.next {
            self.forget(sequence);
            self.next = sequence + 1;
            self.mark(sequence);
            return Order::New;
        }
        if self.next - sequence > REMEMBERED {
            // Too old to tell; most that come so late come for the first time.
            return Order::Reordered;
        }
        if self.mark(sequence) {
            Order::Duplicate
        } else {
            Order::Reordered
        }
    }

    /// Clears the bits from the newest so far up to `sequence`.
    #[inline]
    fn forget(&mut self, sequence: u64) {
        let ahead = sequence - self.next;
        if ahead >= REMEMBERED {
            self.bits = [0; WORDS];
            return;
        }
        for passed in self.next..=sequence {
            let bit = passed % REMEMBERED;
            self.bits[(bit / 64) as usize] &= !(1 << (bit % 64));
        }
    }

    /// Sets the bit of `sequence`; whether it was set before.
    #[inline]
    const fn mark(&mut self, sequence: u64) -> bool {
        let bit = sequence % REMEMBERED;
        let word = &mut self.bits[(bit / 64) as usize];
        let before = *word;
        *word |= 1 << (bit % 64);
        before == *word
    }
}

/// Spreads numbers given out in order; nobody chooses them to do harm.
#[derive(Debug, Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

#[cfg(test)]
mod tests {
    use super::super::recorder::Window;
    use super::*;

    const RUN: u64 = 99;

    fn payload(sender: u32, sequence: u64, run: u64) -> [u8; 24] {
        let mut bytes = [0; 24];
        Stamp {
            measured: true,
            due: 1_000,
            sequence,
            sender,
            run,
        }
        .write(&mut bytes);
        bytes
    }

    fn entered(messages: &[(u32, u64, u64, Nanos)]) -> Records {
        let mut records = Records {
            window: Window {
                from: 500,
                to: 5_000,
            },
            ..Records::default()
        };
        let mut received = Received::new(RUN);
        for (sender, sequence, run, now) in messages {
            received.enter(&payload(*sender, *sequence, *run), 40, *now, &mut records);
        }
        records
    }

    #[test]
    fn every_message_is_exactly_one_of_unique_and_duplicate() {
        let found = entered(&[
            (1, 0, RUN, 1_100),
            (1, 1, RUN, 1_200),
            (2, 0, RUN, 1_200),
            (1, 1, RUN, 1_300),
            (1, 4, RUN, 1_300),
            (1, 2, RUN, 1_400),
            (1, 2, RUN, 1_500),
            (1, 5, 7, 1_500),
            (1, 5, RUN, 6_000),
        ])
        .messages;
        assert_eq!((found.received, found.unique, found.duplicate), (8, 6, 2));
        assert_eq!((found.reordered, found.foreign, found.late), (1, 1, 1));
        assert_eq!(found.received_bytes, 8 * 40, "while measuring");
    }

    #[test]
    fn gaps_of_any_size_leave_no_marks_behind() {
        let mut seen = Seen::before(0);
        let mut sequence = 0;
        for gap in [1, 63, 64, 65, 1023, 1024, 1025, 5_000] {
            sequence += gap;
            assert_eq!(seen.enter(sequence), Order::New, "gap {gap}");
            assert_eq!(seen.enter(sequence), Order::Duplicate, "gap {gap}");
            assert_eq!(seen.enter(sequence - 1), Order::Reordered, "gap {gap}");
        }
    }

    #[test]
    fn a_payload_too_small_for_a_stamp_is_counted() {
        let mut records = Records {
            window: Window { from: 0, to: 100 },
            ..Records::default()
        };
        let mut received = Received::new(RUN);
        received.enter(b"21.5", 10, 50, &mut records);
        received.enter(b"21.5", 10, 150, &mut records);
        assert_eq!(records.messages.unique, 1);
        assert_eq!(records.flow.received, 2);
    }
}
