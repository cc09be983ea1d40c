//! Whether message ids come again while a peer may still remember them (RFC 7252 §4.4).
//!
//! There are 65 536 of them, and each counts for the lifetime of an exchange, 247 s: a transfer of more blocks, or
//! more than 265 messages a second, uses them up. A peer that remembers them may then answer with what it said
//! before, so that has to be told.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::request::Peer;

/// Ids are looked at in groups, and a group is used when one of it is.
const GROUP: u16 = 4096;

/// Peers that are watched at most.
const PEERS: usize = 1024;

/// When the ids were used, by peer.
#[derive(Debug, Default)]
pub(super) struct Ids(HashMap<Peer, Used>);

#[derive(Debug, Default)]
struct Used {
    last: [Option<Instant>; 1 << (16 - GROUP.trailing_zeros())],
    group: Option<usize>,
    told: bool,
}

impl Ids {
    /// Notes an id as used. True for the first one that comes again too early.
    pub(super) fn come_again(
        &mut self,
        now: Instant,
        peer: Peer,
        mid: u16,
        lifetime: Duration,
    ) -> bool {
        if self.0.len() >= PEERS && !self.0.contains_key(&peer) {
            return false;
        }
        let used = self.0.entry(peer).or_default();
        let group = usize::from(mid / GROUP);
        let entered = used.group.replace(group) != Some(group);
        let before = used.last[group].replace(now);
        let early = entered && before.is_some_and(|at| now < at + lifetime);
        early && !std::mem::replace(&mut used.told, early)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(247);

    /// How many ids until they come again, at so many a second; `None`: they do not within three rounds.
    fn until_again(first: u16, a_second: u32) -> Option<u32> {
        let (mut ids, start) = (Ids::default(), Instant::now());
        let peer = ([127, 0, 0, 1], 5683).into();
        (0..3 * 65_536).find(|nth: &u32| {
            let now = start + Duration::from_secs(1) / a_second * *nth;
            ids.come_again(now, peer, first.wrapping_add(*nth as u16), LIFETIME)
        })
    }

    #[test]
    fn ids_that_come_again_too_early_are_told_once() {
        let again = until_again(0, 1000).expect("they come again");
        assert_eq!(again, 65_536);
        let again = until_again(5000, 1000).expect("they come again");
        assert!((61_440..=65_536).contains(&again), "{again}");
        assert_eq!((until_again(0, 200), until_again(4095, 200)), (None, None));
    }

    #[test]
    fn a_flood_of_peers_does_not_grow_it() {
        let mut ids = Ids::default();
        for port in 1..=u16::MAX {
            let peer = ([127, 0, 0, 1], port).into();
            ids.come_again(Instant::now(), peer, 0, LIFETIME);
        }
        assert_eq!(ids.0.len(), PEERS);
    }
}
