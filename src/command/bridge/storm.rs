//! The same message that goes round and round, by a way on which the list of bridges gets lost: pure.
//!
//! Another bridge between the same two servers, of a kind that passes on no user properties, makes such a way. What it gives back
//! cannot be told from a new message; but then one crosses in both directions, again and again. A sensor that says the same again
//! and again does so in one direction.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use super::topics::Side;

/// So many messages are remembered, each in its own place.
const PLACES: usize = 4096;

/// So often a message crosses in each direction within [`WITHIN`] when it goes round.
const MOST: u16 = 25;

/// See [`MOST`].
const WITHIN: Duration = Duration::from_secs(2);

/// A topic with a body, and how often it has crossed lately.
#[derive(Clone, Copy)]
struct Seen {
    key: u64,
    since: Instant,
    /// By side of where it came from.
    crossings: [u16; 2],
}

/// The messages that have crossed last, within bounds.
pub(super) struct Storms {
    hasher: RandomState,
    places: Vec<Option<Seen>>,
}

impl Storms {
    /// None yet.
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            places: Vec::new(),
        }
    }

    /// A message crosses at `now`, whose topic at the first server is `topic`; whether it goes round and round.
    pub(super) fn cross(&mut self, side: Side, topic: &str, body: &[u8], now: Instant) -> bool {
        if self.places.is_empty() {
            self.places.resize(PLACES, None);
        }
        let key = self.hasher.hash_one((topic, body));
        let place = &mut self.places[key as usize % PLACES];
        let is_over = |seen: &Seen| now.saturating_duration_since(seen.since) > WITHIN;
        let seen = match place {
            Some(seen) if seen.key == key && !is_over(seen) => seen,
            // One that crosses in both directions is not driven away by others.
            Some(seen) if seen.key != key && !is_over(seen) && !seen.crossings.contains(&0) => {
                return false;
            }
            _ => place.insert(Seen {
                key,
                since: now,
                crossings: [0; 2],
            }),
        };
        let count = &mut seen.crossings[side.index()];
        *count = count.saturating_add(1);
        seen.crossings.iter().all(|count| *count >= MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of so many crossings, a step apart and in turn, are found to be too many.
    fn first(storms: &mut Storms, sides: &[Side], step: Duration) -> Option<usize> {
        let start = Instant::now();
        let mut turns = (0..1000).zip(sides.iter().cycle());
        let found = turns.find(|(at, side)| storms.cross(**side, "a/b", b"x", start + step * *at));
        found.map(|(at, _)| at as usize + 1)
    }

    #[test]
    fn only_what_crosses_both_ways_again_and_again_is_found() {
        let both = [Side::From, Side::To];
        let fast = Duration::from_millis(1);
        assert_eq!(first(&mut Storms::new(), &both, fast), Some(50));
        let slow = Duration::from_millis(39);
        assert_eq!(first(&mut Storms::new(), &both, slow), Some(50));
        // Two that say the same of themselves.
        let heartbeat = Duration::from_millis(100);
        assert_eq!(first(&mut Storms::new(), &both, heartbeat), None);
        for side in both {
            assert_eq!(first(&mut Storms::new(), &[side], fast), None);
        }
    }

    #[test]
    fn other_messages_are_no_storm_and_hide_none() {
        let (mut storms, now) = (Storms::new(), Instant::now());
        let mut found = Vec::new();
        for round in 0..100_u32 {
            for side in [Side::From, Side::To] {
                for other in 0..100_u32 {
                    let body = (round * 100 + other).to_string();
                    assert!(!storms.cross(side, "a", body.as_bytes(), now));
                }
                if storms.cross(side, "round", b"x", now) {
                    found.push(round);
                }
            }
        }
        assert!(found.first().is_some_and(|first| *first < 60), "{found:?}");
        assert!(storms.places.len() == PLACES);
    }
}
