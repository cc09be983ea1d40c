//! De-duplication (RFC 7252 §4.5): which messages came lately, and what they were answered with.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::request::Peer;

/// Answers that are kept, in bytes altogether.
const ANSWER_BYTES: usize = 8 << 20;

type Key = (Peer, u16);

/// A bounded ring: the oldest message is forgotten first.
#[derive(Debug)]
pub(super) struct Memory {
    entries: HashMap<Key, Entry>,
    order: VecDeque<(Key, Instant)>,
    limit: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    expires: Instant,
    answer: Option<Bytes>,
}

/// Whether a message came before.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// No; it is remembered from now on.
    First,
    /// Yes, and it was answered with this, if it was answered.
    Again(Option<Bytes>),
}

impl Memory {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
            limit: limit.max(1),
            bytes: 0,
        }
    }

    /// Looks a message up, and remembers it for `lifetime` when it is new.
    pub(super) fn look(&mut self, now: Instant, peer: Peer, mid: u16, lifetime: Duration) -> Seen {
        if let Some(entry) = self.entries.get(&(peer, mid)).filter(|it| it.expires > now) {
            return Seen::Again(entry.answer.clone());
        }
        self.forget((peer, mid));
        let expires = now + lifetime;
        let answer = None;
        self.entries.insert((peer, mid), Entry { expires, answer });
        self.order.push_back(((peer, mid), expires));
        self.shrink(now);
        Seen::First
    }

    /// What a message that is remembered was answered with.
    pub(super) fn answered(&mut self, now: Instant, peer: Peer, mid: u16, answer: Bytes) {
        if let Some(entry) = self.entries.get_mut(&(peer, mid)) {
            self.bytes += answer.len();
            let before = entry.answer.replace(answer);
            self.bytes -= before.map_or(0, |it| it.len());
        }
        self.shrink(now);
    }

    /// Forgets what came from a peer.
    pub(super) fn forget_peer(&mut self, peer: Peer) {
        let keys: Vec<Key> = self
            .entries
            .keys()
            .filter(|it| it.0 == peer)
            .copied()
            .collect();
        for key in keys {
            self.forget(key);
        }
    }

    fn shrink(&mut self, now: Instant) {
        while let Some((key, expires)) = self.order.front().copied() {
            let crowded = self.entries.len() > self.limit || self.bytes > ANSWER_BYTES;
            if expires > now && !crowded {
                return;
            }
            self.order.pop_front();
            // A message id that was used again has a younger entry, which stays.
            if self
                .entries
                .get(&key)
                .is_some_and(|it| it.expires == expires)
            {
                self.forget(key);
            }
        }
    }

    fn forget(&mut self, key: Key) {
        let gone = self.entries.remove(&key);
        self.bytes -= gone.and_then(|it| it.answer).map_or(0, |it| it.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(247);

    fn peer() -> Peer {
        ([127, 0, 0, 1], 5683).into()
    }

    #[test]
    fn a_duplicate_gets_the_same_answer_until_it_is_too_old() {
        let now = Instant::now();
        let mut memory = Memory::new(10);
        assert_eq!(memory.look(now, peer(), 1, LIFETIME), Seen::First);
        assert_eq!(memory.look(now, peer(), 1, LIFETIME), Seen::Again(None));
        memory.answered(now, peer(), 1, Bytes::from_static(b"x"));
        let again = Seen::Again(Some(Bytes::from_static(b"x")));
        assert_eq!(memory.look(now + LIFETIME / 2, peer(), 1, LIFETIME), again);
        assert_eq!(
            memory.look(now + LIFETIME, peer(), 1, LIFETIME),
            Seen::First
        );
    }

    #[test]
    fn a_flood_does_not_grow_it() {
        let now = Instant::now();
        let mut memory = Memory::new(16);
        for mid in 0..1000 {
            memory.look(now, peer(), mid, LIFETIME);
            memory.answered(now, peer(), mid, vec![0; 1 << 20].into());
        }
        assert!(memory.entries.len() <= 16 && memory.order.len() <= 17);
        assert!(memory.bytes <= ANSWER_BYTES);
        memory.forget_peer(peer());
        assert_eq!((memory.entries.len(), memory.bytes), (0, 0));
        assert_eq!(memory.look(now, peer(), 999, LIFETIME), Seen::First);
    }
}
