//! From a host and port to a TCP connection, over whichever address answers first (RFC 8305).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::family::Family;
use super::zone::{self, LocalAddress};

/// How long an address may be silent before the next one is tried beside it (RFC 8305 §5).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);

/// The addresses of `host` of this family, or both families in turn; at least one.
///
/// An IP literal and `localhost` (RFC 6761 §6.3: always loopback) need no resolver and no thread.
pub(super) async fn addresses(
    host: &str,
    port: u16,
    family: Option<Family>,
) -> io::Result<Vec<SocketAddr>> {
    let mut found = look_up(host, port).await?;
    if let Some(family) = family {
        found.retain(|address| family.has(address));
        if found.is_empty() {
            let text = format!("{host:?} has no {family} address");
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, text));
        }
    }
    Ok(found)
}

async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    if let Some(found) = zone::ipv6_with_zone(host) {
        let (address, zone) = found?;
        return Ok(vec![SocketAddrV6::new(address, port, 0, zone).into()]);
    }
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(vec![
            SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
            SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        ]);
    }
    Ok(in_turn(lookup_host((host, port)).await?.collect()))
}

/// Keeps the resolver's order within a family and its choice of the first one, and alternates between them.
fn in_turn(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = found.first().is_some_and(SocketAddr::is_ipv6);
    let (same, different): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut ordered = Vec::with_capacity(same.len() + different.len());
    let (mut same, mut different) = (same.into_iter(), different.into_iter());
    loop {
        let before = ordered.len();
        ordered.extend(same.next());
        ordered.extend(different.next());
        if ordered.len() == before {
            return ordered;
        }
    }
}

/// Connects to the first of `addresses` that answers; a failure, or a quarter of a second of
/// silence, starts the next one.
pub(super) async fn connect(
    addresses: &[SocketAddr],
    bind: Option<LocalAddress>,
) -> io::Result<TcpStream> {
    if let [only] = addresses {
        return connect_one(*only, bind).await;
    }
    let mut tries = JoinSet::new();
    let mut failure: Option<io::Error> = None;
    for &next in addresses {
        tries.spawn(connect_one(next, bind));
        tokio::select! {
            Some(done) = tries.join_next() => match settle(done, &mut failure) {
                Some(stream) => return Ok(stream),
                None => continue,
            },
            () = sleep(NEXT_ADDRESS_AFTER) => {}
        }
    }
    while let Some(done) = tries.join_next().await {
        if let Some(stream) = settle(done, &mut failure) {
            return Ok(stream);
        }
    }
    Err(failure.unwrap_or_else(|| {
        io::Error::new(io::ErrorKind::AddrNotAvailable, "no address to connect to")
    }))
}

/// Keeps the failure that tells most.
fn settle(
    done: Result<io::Result<TcpStream>, tokio::task::JoinError>,
    failure: &mut Option<io::Error>,
) -> Option<TcpStream> {
    let cause = match done.unwrap_or_else(|cause| Err(io::Error::other(cause))) {
        Ok(stream) => return Some(stream),
        Err(cause) => cause,
    };
    *failure = Some(match failure.take() {
        Some(before) => telling(before, cause),
        None => cause,
    });
    None
}

/// Of the failures of two addresses the one that tells more, the first where they tell the same: an answer of the host's
/// beats one of the network's, that beats silence, and that an address or family that this machine lacks.
pub(crate) fn telling(one: io::Error, other: io::Error) -> io::Error {
    let rank = |cause: &io::Error| match cause.kind() {
        io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::Unsupported
        | io::ErrorKind::InvalidInput => 0,
        io::ErrorKind::TimedOut => 1,
        io::ErrorKind::HostUnreachable => 2,
        _ => 3,
    };
    if rank(&other) > rank(&one) {
        other
    } else {
        one
    }
}

async fn connect_one(address: SocketAddr, bind: Option<LocalAddress>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    if let Some(source) = bind {
        source.bind(&SockRef::from(&socket), 0, &address)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn families_take_turns_and_the_resolver_s_first_stays_first() {
        let found = vec![
            address("[::1]:1"),
            address("[::2]:1"),
            address("[::3]:1"),
            address("1.1.1.1:1"),
        ];
        assert_eq!(
            in_turn(found),
            [
                address("[::1]:1"),
                address("1.1.1.1:1"),
                address("[::2]:1"),
                address("[::3]:1")
            ]
        );
        assert!(in_turn(Vec::new()).is_empty());
    }

    #[tokio::test]
    async fn literals_and_localhost_need_no_resolver() {
        assert_eq!(
            addresses("10.1.2.3", 5, None).await.unwrap(),
            [address("10.1.2.3:5")]
        );
        assert_eq!(
            addresses("::1", 5, None).await.unwrap(),
            [address("[::1]:5")]
        );
        assert_eq!(
            addresses("LocalHost", 5, None).await.unwrap(),
            [address("[::1]:5"), address("127.0.0.1:5")]
        );
        let only = addresses("localhost", 5, Some(Family::V4)).await.unwrap();
        assert_eq!(only, [address("127.0.0.1:5")]);
        let none = addresses("::1", 5, Some(Family::V4)).await.unwrap_err();
        assert_eq!(none.to_string(), "\"::1\" has no IPv4 address");
    }

    #[tokio::test]
    async fn a_dead_first_address_does_not_matter() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let alive = listener.local_addr().unwrap();
        let dead = {
            let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
            gone.local_addr().unwrap()
        };
        let stream = connect(&[dead, alive], None).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), alive);
        assert!(stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn the_telling_failure_is_kept() {
        let dead = {
            let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
            gone.local_addr().unwrap()
        };
        // An IPv6 source address cannot reach an IPv4 destination, so only a refusal of the second try tells anything.
        let failure = connect(&[dead, dead], None).await.unwrap_err();
        assert_eq!(failure.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn the_failure_that_tells_more_wins_in_either_order() {
        use io::ErrorKind::{
            ConnectionRefused, HostUnreachable, NetworkUnreachable, PermissionDenied, TimedOut,
        };
        let rising = [
            NetworkUnreachable,
            TimedOut,
            HostUnreachable,
            ConnectionRefused,
        ];
        for pair in rising.windows(2) {
            let [less, more] = pair else { unreachable!() };
            for (one, other) in [(*less, *more), (*more, *less)] {
                assert_eq!(telling(one.into(), other.into()).kind(), *more);
            }
        }
        let first = telling(PermissionDenied.into(), ConnectionRefused.into());
        assert_eq!(first.kind(), PermissionDenied);
    }
}
