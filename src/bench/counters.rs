//! What a receiver got: unique, duplicate, reordered, late, foreign.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::clock::Nanos;
use super::recorder::{Phase, Quantity, Records, Window};
use super::stamp::{Room, Stamp};

/// Messages on a page of a sender's book: a bit for each.
const PAGE: u64 = 1024;
const WORDS: usize = (PAGE / 64) as usize;
/// Pages with gaps that this process keeps at most, about 320 MB of them: two thousand million messages. Beyond that the
/// oldest are forgotten, and what belongs on them is undecided.
const MOST: usize = 1 << 21;

/// Pages with gaps that this process keeps.
static KEPT: AtomicUsize = AtomicUsize::new(0);

type Bits = [u64; WORDS];

/// The books of one receiver, by sender.
#[derive(Debug)]
pub(crate) struct Received {
    run: u64,
    /// The least room for a stamp in messages of this run; `None`: they carry none.
    least: Option<Room>,
    books: Books,
    /// What has come to this receiver or to those that it competes with.
    shared: Option<Shared>,
}

/// The books of receivers of which each message comes to one only: a copy may come to another one.
pub(crate) type Shared = Arc<Mutex<Books>>;

/// Which messages have come, by sender.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// Where the books of each sender are.
    places: HashMap<u32, usize, BuildHasherDefault<Spread>>,
    seen: Vec<Seen>,
    /// The last sender and its place: messages of one sender often come in a row.
    last: Option<(u32, usize)>,
}

/// Which messages of one sender have come: a bit for each. Of older pages only those with gaps are kept.
#[derive(Debug)]
struct Seen {
    /// The newest message, plus one.
    next: u64,
    /// The number of the newest page, and its bits.
    page: u64,
    bits: Bits,
    /// Older pages by number: with gaps, or several in a row on which nothing has come. All others are full.
    older: BTreeMap<u64, Older>,
    /// Pages before this one are forgotten.
    forgotten: u64,
}

#[derive(Debug)]
enum Older {
    /// Nothing has come up to before this page.
    Empty(u64),
    Gaps(Box<Bits>),
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
    /// So old that it is not known whether it has come before.
    Undecided,
}

impl Order {
    const fn is_first(self) -> bool {
        matches!(self, Self::New | Self::Reordered)
    }
}

impl Records {
    /// Enters a notification without a stamp, which is known by its number: it came at `now`, `length` bytes on the wire.
    pub fn notified(&mut self, order: Order, length: usize, now: Nanos) {
        let phase = self.arrived(length, now);
        self.flow[phase as usize].received += 1;
        self.flow[phase as usize].unique += u64::from(order.is_first());
        // When it was due is not known.
        if phase != Phase::Warmup {
            count(order, phase, self);
        }
    }

    #[inline]
    fn arrived(&mut self, length: usize, now: Nanos) -> Phase {
        let phase = self.window.phase(now);
        // What is late is counted as received, and so are its bytes.
        if phase != Phase::Warmup {
            self.messages.received_bytes += length as u64;
        }
        phase
    }

    /// What a message of ours without a stamp counts as is only known at the end.
    fn unstamped(&mut self, phase: Phase) {
        if self.window == Window::CLOSED {
            // Nothing has been sent yet: it is not ours.
            return;
        }
        self.unstamped.received[phase as usize] += 1;
        self.flow[phase as usize].received += 1;
        self.flow[phase as usize].unique += 1;
    }
}

impl Received {
    /// The empty books of a receiver in this run, whose messages have at least this room for a stamp; `None`: they carry
    /// no stamp.
    pub(crate) fn new(run: u64, least: Option<Room>) -> Self {
        Self {
            run,
            least,
            books: Books::default(),
            shared: None,
        }
    }

    /// The same for one of several receivers that compete for messages.
    #[must_use]
    pub(crate) fn sharing(mut self, shared: Option<Shared>) -> Self {
        self.shared = shared;
        self
    }

    /// Enters one message that arrived at `now`, `length` bytes on the wire.
    #[inline]
    pub(crate) fn enter(
        &mut self,
        payload: &[u8],
        length: usize,
        now: Nanos,
        records: &mut Records,
    ) {
        let phase = records.arrived(length, now);
        let Some(least) = self.least else {
            return records.unstamped(phase);
        };
        let room = Room::of(payload.len());
        if room == Room::Nothing && least == Room::Nothing {
            return records.unstamped(phase);
        }
        let is_ours =
            |stamp: &Stamp| room >= least && (room < Room::Whole || stamp.run == self.run);
        let Some(stamp) = Stamp::read(payload, now).filter(is_ours) else {
            return records.foreign();
        };
        let order = if room >= Room::Message {
            self.order(stamp.sender, stamp.sequence)
        } else {
            Order::New
        };
        let flow = &mut records.flow[phase as usize];
        flow.received += 1;
        flow.unique += u64::from(order.is_first());
        if !stamp.measured {
            records.unstamped.warmup_unique += u64::from(order.is_first());
            return;
        }
        count(order, phase, records);
        // A message that comes again has been measured already.
        if order.is_first() {
            records.timed(Quantity::EndToEnd, now).span(stamp.due, now);
        }
    }

    #[inline]
    fn order(&mut self, sender: u32, sequence: u64) -> Order {
        let Some(shared) = &self.shared else {
            return self.books.enter(sender, sequence);
        };
        // Whoever panicked while holding them left them whole.
        let mut books = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let found = books.enter(sender, sequence);
        drop(books);
        if !found.is_first() {
            return found;
        }
        // Whether it is in order is a matter of this receiver.
        let place = self.books.place(sender, sequence);
        let next = &mut self.books.seen[place].next;
        if sequence >= *next {
            *next = sequence + 1;
            Order::New
        } else {
            Order::Reordered
        }
    }
}

impl Books {
    #[inline]
    fn enter(&mut self, sender: u32, sequence: u64) -> Order {
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

#[inline]
fn count(order: Order, phase: Phase, records: &mut Records) {
    let messages = &mut records.messages;
    messages.received += 1;
    match order {
        Order::New => messages.unique += 1,
        Order::Reordered => {
            messages.unique += 1;
            messages.reordered += 1;
        }
        Order::Duplicate => messages.duplicate += 1,
        Order::Undecided => messages.undecided += 1,
    }
    messages.late += u64::from(phase == Phase::Drain);
}

impl Seen {
    /// Books in which nothing is entered, and `sequence` is the next.
    fn before(sequence: u64) -> Self {
        let page = sequence / PAGE;
        let mut older = BTreeMap::new();
        if page > 0 {
            older.insert(0, Older::Empty(page));
        }
        Self {
            next: sequence,
            page,
            bits: [0; WORDS],
            older,
            forgotten: 0,
        }
    }

    #[inline]
    fn enter(&mut self, sequence: u64) -> Order {
        let page = sequence / PAGE;
        let is_marked = if page == self.page {
            mark(&mut self.bits, sequence)
        } else if page > self.page {
            self.turn(page, MOST);
            mark(&mut self.bits, sequence)
        } else if page < self.forgotten {
            return Order::Undecided;
        } else {
            self.mark_older(page, sequence)
        };
        if is_marked {
            Order::Duplicate
        } else if sequence >= self.next {
            self.next = sequence + 1;
            Order::New
        } else {
            Order::Reordered
        }
    }

    /// Begins a newer page; at most `most` pages with gaps are kept.
    #[cold]
    fn turn(&mut self, page: u64, most: usize) {
        let bits = std::mem::replace(&mut self.bits, [0; WORDS]);
        let passed = std::mem::replace(&mut self.page, page);
        if bits != [u64::MAX; WORDS] {
            self.keep(passed, bits, most);
        }
        if passed + 1 < page {
            self.older.insert(passed + 1, Older::Empty(page));
        }
    }

    fn keep(&mut self, page: u64, bits: Bits, most: usize) {
        self.older.insert(page, Older::Gaps(Box::new(bits)));
        if KEPT.fetch_add(1, Ordering::Relaxed) >= most {
            self.forget();
        }
    }

    /// Forgets up to the oldest page with gaps.
    fn forget(&mut self) {
        while let Some((page, older)) = self.older.pop_first() {
            match older {
                Older::Empty(end) => self.forgotten = end,
                Older::Gaps(_) => {
                    self.forgotten = page + 1;
                    KEPT.fetch_sub(1, Ordering::Relaxed);
                    return;
                }
            }
        }
    }

    /// Marks `sequence` on an older page; whether it was marked before.
    #[cold]
    fn mark_older(&mut self, page: u64, sequence: u64) -> bool {
        let Some((first, older)) = self.older.range_mut(..=page).next_back() else {
            return true;
        };
        let first = *first;
        match older {
            Older::Gaps(bits) if first == page => {
                let is_marked = mark(bits, sequence);
                if **bits == [u64::MAX; WORDS] {
                    self.older.remove(&page);
                    KEPT.fetch_sub(1, Ordering::Relaxed);
                }
                is_marked
            }
            Older::Empty(end) if page < *end => {
                let end = *end;
                self.split(first, page, end);
                let mut bits = [0; WORDS];
                mark(&mut bits, sequence);
                self.keep(page, bits, MOST);
                false
            }
            _ => true,
        }
    }

    /// Leaves out `page` of the empty ones from `first` to before `end`.
    fn split(&mut self, first: u64, page: u64, end: u64) {
        self.older.remove(&first);
        if first < page {
            self.older.insert(first, Older::Empty(page));
        }
        if page + 1 < end {
            self.older.insert(page + 1, Older::Empty(end));
        }
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        let gaps = |older: &&Older| matches!(older, Older::Gaps(_));
        let kept = self.older.values().filter(gaps).count();
        KEPT.fetch_sub(kept, Ordering::Relaxed);
    }
}

/// Sets the bit of `sequence` on its page; whether it was set before.
#[inline]
const fn mark(bits: &mut Bits, sequence: u64) -> bool {
    let bit = sequence % PAGE;
    let word = &mut bits[(bit / 64) as usize];
    let before = *word;
    *word |= 1 << (bit % 64);
    before == *word
}

/// Spreads numbers given out in order; nobody chooses them to do harm.
#[derive(Debug, Default)]
pub(crate) struct Spread(u64);

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
        let mut received = Received::new(RUN, Some(Room::Whole));
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
        assert_eq!(found.received_bytes, 9 * 40, "in the drain too");
    }

    #[test]
    fn gaps_of_any_size_leave_no_marks_behind() {
        let mut seen = Seen::before(0);
        let mut sequence = 0;
        for gap in [1, 63, 64, 65, 1023, 1024, 1025, 5_000, 1 << 30] {
            sequence += gap;
            assert_eq!(seen.enter(sequence), Order::New, "gap {gap}");
            assert_eq!(seen.enter(sequence), Order::Duplicate, "gap {gap}");
            assert_eq!(seen.enter(sequence - 1), Order::Reordered, "gap {gap}");
            assert_eq!(seen.enter(sequence - 1), Order::Duplicate, "gap {gap}");
        }
    }

    /// Every tenth message is lost, and copies of others come instead, however far behind: the count stays exact.
    #[test]
    fn copies_far_behind_the_newest_hide_no_loss() {
        const SENT: u64 = 100_000;
        let mut seen = Seen::before(0);
        let mut counts = [0_u64; 2];
        let mut enter = |sequence| match seen.enter(sequence) {
            Order::New | Order::Reordered => counts[0] += 1,
            Order::Duplicate => counts[1] += 1,
            Order::Undecided => panic!("{sequence} is known"),
        };
        for sequence in (0..SENT).filter(|one| one % 10 != 3) {
            enter(sequence);
            if sequence % 10 == 4 && sequence > 40_000 {
                enter(sequence - 40_000);
            }
        }
        assert_eq!(counts, [90_000, 6_000]);
    }

    #[test]
    fn what_came_in_order_needs_no_room_and_gaps_that_close_give_it_back() {
        let mut seen = Seen::before(5_000);
        for sequence in (5_000..50_000).filter(|one| *one != 7_777) {
            assert_eq!(seen.enter(sequence), Order::New);
        }
        // Of the pages before the first message, the one that it began on, and the one with the gap.
        assert_eq!(seen.older.len(), 3);
        assert_eq!(seen.enter(7_777), Order::Reordered);
        assert_eq!(seen.enter(7_777), Order::Duplicate);
        assert_eq!(seen.enter(100), Order::Reordered);
        assert_eq!(seen.enter(100), Order::Duplicate);
        assert_eq!(seen.enter(101), Order::Reordered);
        assert_eq!(seen.enter(6_000), Order::Duplicate);
    }

    #[test]
    fn what_is_forgotten_is_undecided_and_counts_as_missing() {
        let mut seen = Seen::before(0);
        seen.enter(0);
        seen.turn(9, 0);
        assert_eq!(seen.enter(9 * PAGE), Order::New);
        assert_eq!(seen.enter(1), Order::Undecided);
        assert_eq!(seen.enter(3 * PAGE), Order::Reordered, "nothing came there");
        let mut records = Records {
            window: Window { from: 0, to: 100 },
            ..Records::default()
        };
        count(Order::Undecided, Phase::Measure, &mut records);
        let messages = records.messages;
        assert_eq!((messages.received, messages.undecided), (1, 1));
        assert_eq!((messages.unique, messages.duplicate), (0, 0));
    }

    #[test]
    fn a_copy_that_comes_to_another_receiver_is_a_copy() {
        let mut records = Records {
            window: Window {
                from: 0,
                to: 10_000,
            },
            ..Records::default()
        };
        let shared = Shared::default();
        let mut receivers = [0, 1].map(|_| {
            let received = Received::new(RUN, Some(Room::Whole));
            received.sharing(Some(Arc::clone(&shared)))
        });
        for (receiver, sequence) in [(0, 0), (1, 3), (0, 1), (1, 0), (0, 3), (1, 2)] {
            let payload = payload(1, sequence, RUN);
            receivers[receiver].enter(&payload, 40, 100, &mut records);
        }
        let found = records.messages;
        assert_eq!((found.unique, found.duplicate), (4, 2));
        assert_eq!(found.reordered, 1, "one after another at the same receiver");
    }

    #[test]
    fn what_is_not_ours_is_not_delivered() {
        let mut records = Records {
            window: Window {
                from: 0,
                to: 10_000,
            },
            ..Records::default()
        };
        let mut received = Received::new(RUN, Some(Room::Whole));
        received.enter(b"21.5", 10, 50, &mut records);
        received.enter(&payload(1, 0, 7), 40, 60, &mut records);
        received.enter(&payload(1, 0, RUN), 40, 70, &mut records);
        received.enter(&payload(1, 0, RUN), 40, 80, &mut records);
        let flow = records.flow[Phase::Measure as usize];
        assert_eq!((flow.received, flow.unique), (2, 1));
        assert_eq!(records.messages.foreign, 2);
        assert_eq!(records.messages.duplicate, 1);
    }
}
