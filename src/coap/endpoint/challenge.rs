//! Who asks is asked to show that he is where he says he is, before he is sent more than he has sent (RFC 9175 §2.4): a
//! forged source address makes no amplifier of a server.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::request::Peer;
use crate::coap::option::{self, Options};
use crate::coap::random::Random;

/// How long a peer that has shown it is believed.
const BELIEVED: Duration = Duration::from_secs(300);

/// Peers that are believed at most; beyond it, all are asked again.
const PEERS: usize = 4096;

/// What peers have shown.
#[derive(Debug)]
pub(super) struct Challenges {
    secret: [u64; 2],
    believed: HashMap<Peer, Instant>,
}

impl Challenges {
    pub(super) fn new(random: &mut Random) -> Self {
        Self {
            secret: [random.next(), random.next()],
            believed: HashMap::new(),
        }
    }

    /// The Echo value that a peer must send back before it is answered; `None` when it need not, or has.
    pub(super) fn of(&mut self, now: Instant, peer: Peer, options: &Options) -> Option<Bytes> {
        let value = self.value(peer);
        if options.first(option::ECHO).is_some_and(|it| *it == value) {
            if self.believed.len() >= PEERS {
                self.believed.clear();
            }
            self.believed.insert(peer, now + BELIEVED);
        }
        let believed = self.believed.get(&peer).is_some_and(|until| now < *until);
        (!believed).then_some(value)
    }

    /// Nothing is kept for a peer that has not answered: the value follows from its address and our secret.
    fn value(&self, peer: Peer) -> Bytes {
        let mut hasher = DefaultHasher::new();
        (self.secret, peer).hash(&mut hasher);
        Bytes::copy_from_slice(&hasher.finish().to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_value_makes_a_peer_believed_and_not_for_ever() {
        let mut challenges = Challenges::new(&mut Random::seeded(1));
        let [one, other]: [Peer; 2] = [1, 2].map(|port| ([192, 0, 2, 1], port).into());
        let now = Instant::now();
        let value = challenges.of(now, one, &Options::new());
        let mut options = Options::new();
        options.push(option::ECHO, value.expect("a challenge"));
        assert!(challenges.of(now, other, &options).is_some());
        assert!(challenges.of(now, one, &options).is_none());
        assert!(challenges.of(now, one, &Options::new()).is_none());
        let later = now + BELIEVED;
        assert!(challenges.of(later, one, &Options::new()).is_some());
    }
}
