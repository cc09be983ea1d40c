//! What was handed out last, to know it again when a server delivers it once more after a lost connection.
//!
//! That a server says of a message that it was sent before does not mean that it had come here: it may have been lost with the
//! connection, unread. So its content counts too, and where the protocol has one, its identifier.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// The last messages of a connection, as hashes.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// As many may be unacknowledged as the server sees it; 0: nobody asks.
    window: usize,
    hashes: RandomState,
    here: VecDeque<u64>,
    /// Those of lost connections that have not come again, and how often each was handed out.
    before: HashMap<u64, u32>,
}

impl Recent {
    /// For a server that delivers at most `window` messages that are not acknowledged.
    pub(crate) fn new(window: usize) -> Self {
        Self {
            window,
            ..Self::default()
        }
    }

    /// The connection is lost: what was handed out over it may come again.
    pub(crate) fn lost(&mut self) {
        // What has not come again after many losses will not.
        if self.before.len() > 4 * self.window {
            self.before.clear();
        }
        for hash in self.here.drain(..) {
            *self.before.entry(hash).or_default() += 1;
        }
    }

    /// A message is handed out; whether it was before. `flagged`: the server says that it sends it again. `id` is 0 where the
    /// protocol has none that outlives the connection.
    #[inline]
    pub(crate) fn is_again(&mut self, flagged: bool, id: u16, topic: &str, body: &[u8]) -> bool {
        if self.window == 0 {
            return false;
        }
        let hash = self.hashes.hash_one((id, topic, body));
        if self.here.len() == self.window {
            self.here.pop_front();
        }
        self.here.push_back(hash);
        if !flagged {
            return false;
        }
        let Some(times) = self.before.get_mut(&hash) else {
            return false;
        };
        *times -= 1;
        if *times == 0 {
            self.before.remove(&hash);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_handed_out_comes_again_and_once_for_each_time() {
        let mut recent = Recent::new(3);
        for body in ["0", "1", "2", "2"] {
            assert!(!recent.is_again(true, 0, "t", body.as_bytes()));
        }
        recent.lost();
        // 0 is further back than the server's window; 3 was never read.
        let again = ["0", "1", "2", "2", "2", "3"].map(|body| {
            let flagged = body != "1";
            recent.is_again(flagged, 0, "t", body.as_bytes())
        });
        assert_eq!(again, [false, false, true, true, false, false]);
        recent.lost();
        assert!(!recent.is_again(true, 7, "t", b"3"), "another identifier");
        assert!(recent.is_again(true, 0, "t", b"3"));
        recent.lost();
        recent.lost();
        assert!(recent.is_again(true, 0, "t", b"3"), "lost once more");
        let mut none = Recent::default();
        assert!(!none.is_again(true, 0, "t", b""));
        none.lost();
        assert!(!none.is_again(true, 0, "t", b""));
    }
}
