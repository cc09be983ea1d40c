//! Records, handshake messages in fragments, flights and their repetition (RFC 6347 §4.1, §4.2).

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::keys::Keys;
use super::wire::{FINISHED, Reader, VERSION};
use crate::coap::secure::record::{ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, Record};

/// No wait is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// Bytes of a datagram of ours; one record may take more.
const DATAGRAM: usize = 1200;

/// Bytes of a handshake message that we read; with raw public keys none has a thousand.
const LONGEST_MESSAGE: usize = 4096;

/// How many messages may wait for the one before them.
const AHEAD: u16 = 8;

/// Content of a record (RFC 5246 §6.2.1).
const LONGEST_CONTENT: usize = 1 << 14;

const EPOCH: u32 = 48;

/// All that is common to both sides.
pub(in crate::coap::secure) struct Channel {
    /// The messages of both sides so far, as they are hashed.
    transcript: Vec<u8>,
    keys: Option<Keys>,
    /// The number of our next message.
    next: u16,
    /// The numbers of our next records, by epoch.
    numbers: [u64; 2],
    flight: Vec<Part>,
    first_wait: Duration,
    wait: Duration,
    due: Option<Instant>,
    out: VecDeque<Bytes>,
    /// The number of the message that we want next.
    wanted: u16,
    waiting: BTreeMap<u16, Fragments>,
    seen: Window,
}

/// A record of a flight.
struct Part {
    kind: u8,
    epoch: usize,
    content: Vec<u8>,
}

/// A handshake message.
pub(in crate::coap::secure) struct Message {
    pub(super) kind: u8,
    /// With its header, as if it had come in one piece.
    whole: Vec<u8>,
}

/// A message of which not all has come yet.
struct Fragments {
    kind: u8,
    bytes: Vec<u8>,
    has: Vec<bool>,
}

/// The numbers of the protected records that have come (RFC 6347 §4.1.2.6).
#[derive(Default)]
struct Window {
    /// One more than the highest.
    end: u64,
    /// Those below; the lowest bit is the highest number.
    bits: u64,
}

impl Channel {
    /// A channel that waits this long before it repeats its first flight; `begun`: one message of each side has been
    /// exchanged, which count but are not hashed.
    pub(super) const fn new(wait: Duration, begun: bool) -> Self {
        Self {
            transcript: Vec::new(),
            keys: None,
            next: begun as u16,
            numbers: [begun as u64, 0],
            flight: Vec::new(),
            first_wait: wait,
            wait,
            due: None,
            out: VecDeque::new(),
            wanted: begun as u16,
            waiting: BTreeMap::new(),
            seen: Window { end: 0, bits: 0 },
        }
    }

    pub(super) fn transcript(&self) -> &[u8] {
        &self.transcript
    }

    /// What has been said so far does not count (RFC 6347 §4.2.1).
    pub(super) fn forget_transcript(&mut self) {
        self.transcript.clear();
    }

    pub(super) fn protect(&mut self, keys: Keys) {
        self.keys = Some(keys);
    }

    /// Begins another flight, which is never repeated before it is sent.
    pub(super) fn begin(&mut self) {
        self.wait = self.first_wait;
        self.flight.clear();
    }

    /// Puts a message to the flight.
    pub(super) fn say(&mut self, kind: u8, body: &[u8]) {
        let message = message(kind, self.next, body);
        self.next += 1;
        self.transcript.extend_from_slice(&message);
        self.flight.push(Part {
            kind: HANDSHAKE,
            epoch: usize::from(kind == FINISHED),
            content: message,
        });
    }

    /// Puts a ChangeCipherSpec to the flight.
    pub(super) fn change_cipher(&mut self) {
        self.flight.push(Part {
            kind: CHANGE_CIPHER_SPEC,
            epoch: 0,
            content: vec![1],
        });
    }

    /// Sends the flight, and again until it is answered.
    pub(super) fn send(&mut self, now: Instant) {
        self.due = Some(now + self.wait);
        self.send_once();
    }

    /// Sends the flight, with record numbers of its own each time.
    pub(super) fn send_once(&mut self) {
        let flight = std::mem::take(&mut self.flight);
        let mut datagram = Vec::new();
        for part in &flight {
            let record = self.record(part.kind, part.epoch, &part.content);
            if !datagram.is_empty() && datagram.len() + record.len() > DATAGRAM {
                self.out.push_back(std::mem::take(&mut datagram).into());
            }
            datagram.extend(record);
        }
        if !datagram.is_empty() {
            self.out.push_back(datagram.into());
        }
        self.flight = flight;
    }

    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Repeats the flight if it is time.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            self.wait = (self.wait * 2).min(LONGEST_WAIT);
            self.send(now);
        }
    }

    /// The handshake is done; the last flight is kept only by who may have to repeat it.
    pub(super) fn finish(&mut self, keep_flight: bool) {
        self.due = None;
        self.transcript = Vec::new();
        self.waiting.clear();
        if !keep_flight {
            self.flight = Vec::new();
        }
    }

    /// Sends a protected record of its own; whether that can be.
    pub(super) fn write(&mut self, kind: u8, content: &[u8]) -> bool {
        if self.keys.is_none() || content.len() > LONGEST_CONTENT {
            return false;
        }
        let record = self.record(kind, 1, content);
        self.out.push_back(record.into());
        true
    }

    /// Sends an alert, protected once we have said anything protected.
    pub(super) fn alert(&mut self, level: u8, number: u8) {
        let epoch = usize::from(self.numbers[1] > 0);
        let record = self.record(ALERT, epoch, &[level, number]);
        self.out.push_back(record.into());
    }

    fn record(&mut self, kind: u8, epoch: usize, content: &[u8]) -> Vec<u8> {
        let number = (epoch as u64) << EPOCH | self.numbers[epoch];
        self.numbers[epoch] += 1;
        let sealed = match &self.keys {
            // Nothing that is longer than what the cipher takes gets here.
            Some(keys) if epoch > 0 => keys.write.seal(kind, number, content).unwrap_or_default(),
            _ => content.to_vec(),
        };
        let mut record = vec![kind, VERSION[0], VERSION[1]];
        record.extend_from_slice(&number.to_be_bytes());
        record.extend_from_slice(&(sealed.len() as u16).to_be_bytes());
        record.extend(sealed);
        record
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Bytes> {
        self.out.pop_front()
    }

    /// What is not sent yet is never sent.
    pub(super) fn clear(&mut self) {
        self.out.clear();
    }

    /// The content of a record; `None` for one that is repeated or was never sealed.
    pub(super) fn open(&mut self, record: &Record<'_>) -> Option<Vec<u8>> {
        let number = record.number();
        match number >> EPOCH {
            0 => Some(record.body().to_vec()),
            1 if self.seen.is_new(number) => {
                let read = &self.keys.as_ref()?.read;
                let content = read.open(record.kind(), number, record.body())?;
                self.seen.mark(number);
                Some(content)
            }
            _ => None,
        }
    }

    /// Takes the handshake messages of a record, or pieces of them. Returns whether one has been read before.
    pub(super) fn collect(&mut self, is_protected: bool, content: &[u8]) -> bool {
        let mut reader = Reader(content);
        let mut repeated = false;
        while let Some(was) = self.piece(is_protected, &mut reader) {
            repeated |= was;
        }
        repeated
    }

    fn piece(&mut self, is_protected: bool, reader: &mut Reader<'_>) -> Option<bool> {
        let kind = *reader.take(1)?.first()?;
        let length = reader.number(3)?;
        let number = reader.u16()?;
        let offset = reader.number(3)?;
        let piece = reader.vector(3)?;
        // Finished is the only message that is protected.
        if is_protected != (kind == FINISHED) || length > LONGEST_MESSAGE {
            return Some(false);
        }
        if number < self.wanted {
            return Some(true);
        }
        let place = offset..offset + piece.len();
        if number - self.wanted >= AHEAD || place.end > length {
            return Some(false);
        }
        let fresh = || Fragments {
            kind,
            bytes: vec![0; length],
            has: vec![false; length],
        };
        let fragments = self.waiting.entry(number).or_insert_with(fresh);
        if fragments.kind != kind || fragments.bytes.len() != length {
            *fragments = fresh();
        }
        // The place ends within the length.
        fragments.bytes[place.clone()].copy_from_slice(piece);
        fragments.has[place].fill(true);
        Some(false)
    }

    /// The message that is wanted next, once all of it is there.
    pub(super) fn next_message(&self) -> Option<Message> {
        let fragments = self.waiting.get(&self.wanted)?;
        let is_whole = fragments.has.iter().all(|it| *it);
        is_whole.then(|| Message {
            kind: fragments.kind,
            whole: message(fragments.kind, self.wanted, &fragments.bytes),
        })
    }

    /// It was right: the next one is wanted.
    pub(super) fn accept(&mut self, message: &Message) {
        self.transcript.extend_from_slice(&message.whole);
        self.waiting.remove(&self.wanted);
        self.wanted += 1;
    }

    /// It was wrong: perhaps the right one is yet to come.
    pub(super) fn reject(&mut self) {
        self.waiting.remove(&self.wanted);
    }
}

impl Message {
    pub(super) fn body(&self) -> &[u8] {
        // The header is always there.
        &self.whole[12..]
    }
}

/// A message in one piece.
fn message(kind: u8, number: u16, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    let mut message = vec![kind];
    message.extend_from_slice(&length[1..]);
    message.extend_from_slice(&number.to_be_bytes());
    message.extend_from_slice(&[0; 3]);
    message.extend_from_slice(&length[1..]);
    message.extend_from_slice(body);
    message
}

impl Window {
    const fn is_new(&self, number: u64) -> bool {
        if number >= self.end {
            return true;
        }
        let behind = self.end - 1 - number;
        behind < 64 && self.bits & (1 << behind) == 0
    }

    const fn mark(&mut self, number: u64) {
        if number >= self.end {
            let ahead = number - self.end + 1;
            self.bits = if ahead < 64 { self.bits << ahead } else { 0 } | 1;
            self.end = number + 1;
        } else {
            // Only what is new is marked, which is less than 64 behind.
            self.bits |= 1 << (self.end - 1 - number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_once_and_not_long_after() {
        let mut window = Window::default();
        for number in [5, 4, 100, 99, 37, 1000] {
            assert!(window.is_new(number), "{number}");
            window.mark(number);
            assert!(!window.is_new(number), "{number}");
        }
        assert!(!window.is_new(100) && !window.is_new(936) && window.is_new(937));
    }

    #[test]
    fn a_message_comes_in_any_pieces_and_order() {
        let mut channel = Channel::new(Duration::from_secs(1), false);
        let whole = message(2, 0, &[7; 100]);
        let piece = |range: std::ops::Range<usize>| {
            let mut piece = whole[..6].to_vec();
            piece.extend([0, 0, range.start as u8, 0, 0, range.len() as u8]);
            piece.extend(&whole[12..][range]);
            piece
        };
        channel.collect(false, &message(14, 1, b""));
        for range in [60..100, 0..20, 10..50] {
            channel.collect(false, &piece(range));
            assert!(channel.next_message().is_none());
        }
        // Beyond its end, too long, protected, and too far ahead.
        channel.collect(false, &piece(90..100)[..15]);
        let mut long = whole.clone();
        long[1] = 1;
        channel.collect(false, &long);
        channel.collect(true, &whole);
        channel.collect(false, &message(2, 99, b""));
        assert!(channel.next_message().is_none() && channel.waiting.len() == 2);
        channel.collect(false, &piece(50..60));
        let first = channel.next_message().expect("it is whole");
        assert_eq!(first.whole, whole);
        channel.accept(&first);
        let second = channel.next_message().expect("it is there");
        assert_eq!((second.kind, second.body()), (14, &b""[..]));
        assert!(channel.collect(false, &whole), "it has been read before");
    }
}
