//! How long an acknowledgement is waited for: the retransmission time-out, from measured round trips (RFC 6298 §2 and
//! §3, within the requirements of RFC 8961 §4).
//!
//! Without a measurement the waits are those of RFC 7252 §4.2. With one they begin shorter, but never below a second,
//! and double alike. The last wait is as much longer as the others were shorter: a message is given up after the time
//! that RFC 7252 has for its MAX_RETRANSMIT + 1 transmissions.

use std::collections::HashMap;
use std::time::Duration;

use super::config::Config;
use super::flow::FOREVER;
use super::request::Peer;

/// No wait is shorter (RFC 8085 §3.1.1): a peer that was quick may need a while for the next request, and one that does
/// not recognise a repeated message would carry it out again.
const SHORTEST: Duration = Duration::from_secs(1);

/// Peers whose round trips are remembered; beyond it, all are forgotten and measured anew.
const PEERS: usize = 4096;

/// The round trips to one peer.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    /// SRTT
    smoothed: Duration,
    /// RTTVAR
    variation: Duration,
    /// The wait that was long enough when a message had to be sent again: whether it was lost or late cannot be
    /// told, so it counts until the next clean measurement (Karn's algorithm, RFC 6298 §5.5 to §5.7).
    backed_off: Option<Duration>,
}

/// The round trips to all peers.
#[derive(Debug, Default)]
pub(super) struct RtoEstimator {
    peers: HashMap<Peer, Estimate>,
}

impl RtoEstimator {
    /// The shortest first wait for an acknowledgement of this peer's.
    pub(super) fn shortest(&self, config: &Config, peer: Peer) -> Duration {
        match self.peers.get(&peer).filter(|_| config.adapt) {
            None => config.ack_timeout,
            Some(estimate) => {
                let measured = estimate.smoothed + 4 * estimate.variation;
                let wait = estimate.backed_off.map_or(measured, |it| it.max(measured));
                wait.max(SHORTEST).min(config.ack_timeout)
            }
        }
    }

    /// A message that was sent once was acknowledged after `elapsed`.
    pub(super) fn measured(&mut self, peer: Peer, elapsed: Duration) {
        if self.peers.len() >= PEERS && !self.peers.contains_key(&peer) {
            self.peers.clear();
        }
        let estimate = self.peers.entry(peer).or_insert(Estimate {
            smoothed: elapsed,
            variation: elapsed / 2,
            backed_off: None,
        });
        let off = estimate.smoothed.abs_diff(elapsed);
        estimate.variation = estimate.variation * 3 / 4 + off / 4;
        estimate.smoothed = estimate.smoothed * 7 / 8 + elapsed / 8;
        estimate.backed_off = None;
    }

    /// A message that was sent more than once was acknowledged during this wait.
    pub(super) fn backed_off(&mut self, peer: Peer, wait: Duration) {
        if let Some(estimate) = self.peers.get_mut(&peer) {
            estimate.backed_off = Some(wait);
        }
    }
}

/// The first wait, between the shortest (`share` 0) and ACK_RANDOM_FACTOR times that (1).
pub(super) fn first(config: &Config, shortest: Duration, share: f64) -> Duration {
    shortest.mul_f64(1.0 + (config.ack_random_factor.max(1.0) - 1.0) * share)
}

/// How long all transmissions of a message take together without measurement, when its first wait is drawn with this
/// `share`: MAX_TRANSMIT_WAIT at most (RFC 7252 §4.8.2).
pub(super) fn longest(config: &Config, share: f64) -> Duration {
    let doublings = u32::from(config.max_retransmit).saturating_add(1);
    let waits = 1_u32.checked_shl(doublings).map_or(u32::MAX, |it| it - 1);
    let first = first(config, config.ack_timeout, share);
    first.saturating_mul(waits).min(FOREVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> Peer {
        ([192, 0, 2, 1], 5683).into()
    }

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn without_measurement_the_wait_is_that_of_the_rfc() {
        let config = Config::default();
        let shortest = RtoEstimator::default().shortest(&config, peer());
        assert_eq!(shortest, millis(2000));
        assert_eq!(first(&config, shortest, 1.0), millis(3000));
        assert_eq!(longest(&config, 0.0), millis(62_000));
        assert_eq!(longest(&config, 1.0), millis(93_000));
    }

    #[test]
    fn the_wait_follows_the_round_trips_within_bounds() {
        let (mut patience, config) = (RtoEstimator::default(), Config::default());
        let mut wait_after = |elapsed| {
            (0..50).for_each(|_| patience.measured(peer(), millis(elapsed)));
            patience.shortest(&config, peer())
        };
        assert_eq!(wait_after(1), SHORTEST);
        let wait = wait_after(1400);
        assert!((millis(1400)..millis(1600)).contains(&wait), "{wait:?}");
        assert_eq!(wait_after(60_000), millis(2000));
    }

    #[test]
    fn a_wait_that_was_too_short_counts_until_the_next_clean_measurement() {
        let (mut patience, config) = (RtoEstimator::default(), Config::default());
        patience.backed_off(peer(), millis(1800));
        patience.measured(peer(), millis(10));
        patience.backed_off(peer(), millis(1800));
        let wait = |it: &RtoEstimator| it.shortest(&config, peer());
        assert_eq!(wait(&patience), millis(1800));
        patience.measured(peer(), millis(10));
        assert_eq!(wait(&patience), SHORTEST);
    }

    #[test]
    fn a_fixed_time_out_stays_fixed_and_many_peers_do_not_fill_the_memory() {
        let config = Config {
            adapt: false,
            ..Config::default()
        };
        let mut patience = RtoEstimator::default();
        for port in 0..u16::MAX {
            patience.measured(([192, 0, 2, 1], port).into(), millis(1));
        }
        assert!(patience.peers.len() <= PEERS);
        let wait = patience.shortest(&config, ([192, 0, 2, 1], 65_534).into());
        assert_eq!(wait, millis(2000));
    }
}
