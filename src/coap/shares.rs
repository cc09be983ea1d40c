//! How much of what is bounded for all each host has, so that none takes all of it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use super::endpoint::Peer;

/// Shares by host: by address of IPv4, and by network of 64 bits of IPv6, which one host can have whole.
#[derive(Debug, Default)]
pub(super) struct Shares(HashMap<IpAddr, usize>);

/// Whose share something counts to.
pub(super) fn host(peer: Peer) -> IpAddr {
    match peer.address().ip().to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        other => other,
    }
}

impl Shares {
    /// What the host of a peer has.
    pub(super) fn of(&self, peer: Peer) -> usize {
        self.0.get(&host(peer)).copied().unwrap_or(0)
    }

    /// Adds to what it has.
    pub(super) fn add(&mut self, peer: Peer, amount: usize) {
        *self.0.entry(host(peer)).or_default() += amount;
    }

    /// Takes from what it has.
    pub(super) fn sub(&mut self, peer: Peer, amount: usize) {
        let host = host(peer);
        if let Some(share) = self.0.get_mut(&host) {
            *share = share.saturating_sub(amount);
            if *share == 0 {
                self.0.remove(&host);
            }
        }
    }

    /// The host that has most.
    pub(super) fn largest(&self) -> Option<IpAddr> {
        let largest = self.0.iter().max_by_key(|it| it.1);
        largest.map(|(host, _)| *host)
    }

    /// Where everything is taken: the host that gives way to a newcomer. It is the one with the largest share, unless
    /// the newcomer would then have as much as it; nobody where all have the same.
    pub(super) fn gives_way(&self, newcomer: Peer) -> Option<IpAddr> {
        let largest = self.largest()?;
        let share = self.0.get(&largest).copied().unwrap_or(0);
        (largest == host(newcomer) || share > self.of(newcomer) + 1).then_some(largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Peer {
        Peer::from((address.parse::<IpAddr>().expect("an address"), 1))
    }

    #[test]
    fn whoever_has_most_gives_way() {
        let mut shares = Shares::default();
        let [greedy, modest] = [peer("192.0.2.1"), peer("192.0.2.2")];
        shares.add(greedy, 3);
        shares.add(modest, 1);
        for newcomer in [greedy, modest, peer("192.0.2.3")] {
            assert_eq!(shares.gives_way(newcomer), Some(host(greedy)));
        }
        shares.sub(greedy, 2);
        assert_eq!(shares.gives_way(peer("192.0.2.3")), None);
        shares.sub(greedy, 1);
        assert_eq!((shares.of(greedy), shares.of(modest)), (0, 1));
    }

    #[test]
    fn a_network_of_ipv6_is_one_host_and_a_mapped_address_is_of_ipv4() {
        assert_eq!(host(peer("2001:db8::1")), host(peer("2001:db8::2:3")));
        assert_ne!(host(peer("2001:db8::1")), host(peer("2001:db8:0:1::1")));
        assert_eq!(host(peer("::ffff:192.0.2.1")), host(peer("192.0.2.1")));
        assert_ne!(
            host(peer("::ffff:192.0.2.1")),
            host(peer("::ffff:192.0.2.2"))
        );
    }
}
