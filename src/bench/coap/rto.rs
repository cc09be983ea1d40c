//! When a request is sent again, and when it is given up (RFC 7252 §4.2).

use super::super::clock::Nanos;
use crate::random::Random;

/// ACK_RANDOM_FACTOR (RFC 7252 §4.8): the first wait is up to this many times the time-out.
const FACTOR: f64 = 1.5;

/// How long a group waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RtoEstimator {
    /// Sent again at all: confirmable, and over datagrams.
    pub(super) repeats: bool,
    /// ACK_TIMEOUT.
    pub(super) first: Nanos,
    /// MAX_RETRANSMIT.
    pub(super) most: u8,
    /// From the first sending to giving up, whatever comes meanwhile but the response.
    pub(super) whole: Nanos,
}

impl RtoEstimator {
    /// When a request that is sent for the first time is looked at again.
    #[inline]
    pub(super) fn begin(&self, now: Nanos, random: &mut Random) -> Nanos {
        let end = now.saturating_add(self.whole);
        if !self.repeats {
            return end;
        }
        let wait = self.first as f64 * (1.0 + (FACTOR - 1.0) * random.fraction());
        end.min(now.saturating_add(wait as Nanos))
    }

    /// When one that was not acknowledged by `due` is looked at next; `None`: it is given up. `again`: how often it
    /// was sent again before.
    pub(super) fn next(&self, sent: Nanos, due: Nanos, now: Nanos, again: u8) -> Option<Nanos> {
        let end = sent.saturating_add(self.whole);
        if !self.repeats || again >= self.most || now >= end {
            return None;
        }
        // The first wait is kept by what is left of the others: the sum of n waits is 2^n - 1 times the first.
        let passed = due.saturating_sub(sent);
        let first = passed / ((2 << again) - 1);
        Some(end.min(now.saturating_add(first << (again + 1))))
    }

    /// When one that was acknowledged, but not answered, is given up.
    pub(super) const fn promised(&self, sent: Nanos) -> Nanos {
        sent.saturating_add(self.whole)
    }

    /// No request sent from now on is due before.
    pub(super) fn shortest(&self) -> Nanos {
        match self.repeats {
            true => self.first.min(self.whole),
            false => self.whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = 1_000_000_000;

    fn usual() -> RtoEstimator {
        RtoEstimator {
            repeats: true,
            first: 2 * SECOND,
            most: 4,
            whole: 100 * SECOND,
        }
    }

    #[test]
    fn waits_double_until_it_is_given_up() {
        let mut random = Random::new(1, 1);
        let sent = 7 * SECOND;
        let first = usual().begin(sent, &mut random) - sent;
        assert!((2 * SECOND..=3 * SECOND).contains(&first));
        let (mut due, mut waits) = (sent + first, vec![first]);
        for again in 0..4 {
            let next = usual().next(sent, due, due, again).unwrap();
            waits.push(next - due);
            due = next;
        }
        for (at, wait) in waits.iter().enumerate() {
            assert!(wait.abs_diff(first << at) < 100, "{waits:?}");
        }
        assert_eq!(usual().next(sent, due, due, 4), None);
    }

    #[test]
    fn the_whole_time_is_the_end_of_it() {
        let short = RtoEstimator {
            whole: 3 * SECOND,
            ..usual()
        };
        let due = short.begin(0, &mut Random::new(1, 2));
        assert_eq!(short.next(0, due, due, 0), Some(3 * SECOND));
        assert_eq!(short.next(0, 3 * SECOND, 3 * SECOND, 1), None);
        let once = RtoEstimator {
            repeats: false,
            ..short
        };
        assert_eq!(once.begin(5, &mut Random::new(1, 2)), 3 * SECOND + 5);
        assert_eq!(once.next(0, 3 * SECOND, 3 * SECOND, 0), None);
    }
}
