//! Clients of ours against the server, on a virtual clock.

use std::time::{Duration, Instant};

use super::engine::Engine;
use super::{Secrets, SecureDatagram, SecureServer, client};
use crate::coap::endpoint::Peer;
use crate::connect::{Protocol, Psk, Target};

fn psk(key: &[u8]) -> Psk {
    Psk::new(String::from("me"), key).expect("a key")
}

fn server() -> SecureServer {
    let secrets = Secrets {
        psk: Some(psk(b"secret")),
        tls: None,
        rpk: None,
    };
    SecureServer::new(([192, 0, 2, 9], 5684).into(), &secrets).expect("a server")
}

fn begun(now: Instant, key: &[u8]) -> Box<dyn SecureDatagram> {
    let mut target = Target::tcp(Protocol::Coap, "server", 5684);
    target.psk = Some(psk(key));
    let mut client = client(&target, ([192, 0, 2, 9], 5684).into()).expect("a client");
    client.begin(now).expect("it begins");
    client
}

fn peer(host: u8, port: u16) -> Peer {
    ([192, 0, 2, host], port).into()
}

/// Lets both sides talk until they have nothing more to say; returns what the server read.
fn talk(
    now: Instant,
    server: &mut SecureServer,
    peer: Peer,
    client: &mut dyn SecureDatagram,
) -> Vec<u8> {
    let mut read = Vec::new();
    loop {
        let up: Vec<_> = std::iter::from_fn(|| client.poll_transmit()).collect();
        for datagram in &up {
            read.extend(server.feed(now, peer, datagram).concat());
        }
        let down: Vec<_> = std::iter::from_fn(|| server.poll_transmit()).collect();
        for (_, datagram) in down.iter().filter(|it| it.0 == peer) {
            let _ = client.feed(now, datagram);
        }
        if up.is_empty() && down.is_empty() {
            return read;
        }
    }
}

fn connected(now: Instant, server: &mut SecureServer, peer: Peer) -> Box<dyn SecureDatagram> {
    let mut client = begun(now, b"secret");
    talk(now, server, peer, client.as_mut());
    client
}

fn hears(now: Instant, server: &mut SecureServer, peer: Peer, client: &mut dyn SecureDatagram) {
    client.write(now, b"hello").expect("it is connected");
    assert_eq!(talk(now, server, peer, client), b"hello");
}

#[test]
fn nothing_is_kept_of_who_has_not_shown_its_address() {
    let (mut server, now) = (server(), Instant::now());
    let hello = begun(now, b"secret").poll_transmit().expect("a hello");
    for port in 1..=5000 {
        server.feed(now, peer(1, port), &hello);
        assert!(server.poll_transmit().is_some());
    }
    assert!(server.peers.is_empty() && server.poll_timeout().is_none());
    let mut client = connected(now, &mut server, peer(2, 1));
    assert!(client.is_established());
    hears(now, &mut server, peer(2, 1), client.as_mut());
}

#[test]
fn a_client_comes_back_from_the_same_port() {
    let (mut server, now, peer) = (server(), Instant::now(), peer(1, 1));
    let mut first = connected(now, &mut server, peer);
    // As long as it has not shown that it is there, the first one goes on.
    let mut second = begun(now, b"secret");
    let hello = second.poll_transmit().expect("a hello");
    server.feed(now, peer, &hello);
    let request = server.poll_transmit().expect("a request to verify").1;
    hears(now, &mut server, peer, first.as_mut());
    assert_eq!(server.poll_gone(), None);
    second.feed(now, &request).expect("its answer");
    talk(now, &mut server, peer, second.as_mut());
    assert_eq!((server.poll_gone(), server.poll_gone()), (Some(peer), None));
    hears(now, &mut server, peer, second.as_mut());
}

#[test]
fn a_hello_that_is_repeated_begins_nothing_anew() {
    let (mut server, now, peer) = (server(), Instant::now(), peer(1, 1));
    let mut client = begun(now, b"secret");
    let hello = client.poll_transmit().expect("a hello");
    server.feed(now, peer, &hello);
    let request = server.poll_transmit().expect("a request to verify").1;
    client.feed(now, &request).expect("its answer");
    let with_cookie = client.poll_transmit().expect("another hello");
    server.feed(now, peer, &with_cookie);
    let (_, flight) = server.poll_transmit().expect("a flight");
    client.feed(now, &flight).expect("its answer");
    server.feed(now, peer, &with_cookie);
    talk(now, &mut server, peer, client.as_mut());
    hears(now, &mut server, peer, client.as_mut());
    server.feed(now, peer, &with_cookie);
    assert_eq!(server.poll_gone(), None);
    hears(now, &mut server, peer, client.as_mut());
}

/// Datagrams that no client would send.
fn garbage() -> Vec<Vec<u8>> {
    let record = |kind: u8, epoch: u8, number: u8, body: &[u8]| {
        let mut record = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0x10, number, 0];
        record.push(body.len() as u8);
        record.extend(body);
        record
    };
    vec![
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0],
        vec![0xFF; 100],
        record(22, 0, 1, &[0xFF; 40]),
        record(22, 0, 2, b""),
        record(23, 0, 3, b"in clear"),
        record(99, 0, 4, b"x"),
        record(20, 0, 5, &[7]),
        record(21, 0, 6, &[1, 2, 3]),
        record(22, 1, 7, &[9; 60]),
        record(23, 1, 8, &[9; 60]),
        record(21, 1, 9, &[9; 60]),
        record(23, 2, 10, &[9; 60]),
    ]
}

#[test]
fn garbage_ends_no_handshake_and_no_association() {
    for datagram in garbage() {
        let (mut server, now, peer) = (server(), Instant::now(), peer(1, 1));
        let mut client = begun(now, b"secret");
        for _ in 0..6 {
            server.feed(now, peer, &datagram);
            let up: Vec<_> = std::iter::from_fn(|| client.poll_transmit()).collect();
            for bytes in up {
                server.feed(now, peer, &bytes);
                server.feed(now, peer, &datagram);
            }
            while let Some((_, bytes)) = server.poll_transmit() {
                client.feed(now, &bytes).expect("nothing that ends it");
                let _ = client.feed(now, &datagram);
            }
        }
        assert!(client.is_established(), "{datagram:02x?}");
        hears(now, &mut server, peer, client.as_mut());
        assert_eq!(server.poll_gone(), None);
    }
}

#[test]
fn a_wrong_key_ends_a_handshake_soon() {
    let (mut server, now, peer) = (server(), Instant::now(), peer(1, 1));
    let mut client = begun(now, b"wrong");
    talk(now, &mut server, peer, client.as_mut());
    assert!(!client.is_established());
    let later = now + Duration::from_secs(2);
    assert!(server.poll_timeout().is_some_and(|due| due <= later));
    server.handle_timeout(later);
    assert_eq!(server.poll_gone(), Some(peer));
    let sent: Vec<_> = std::iter::from_fn(|| server.poll_transmit()).collect();
    assert!(sent.iter().any(|(_, bytes)| bytes[0] == 21), "an alert");
}

#[test]
fn a_forged_alert_does_not_end_a_handshake() {
    for alert in [[2, 40], [1, 0], [1, 100]] {
        let (mut server, now, peer) = (server(), Instant::now(), peer(1, 1));
        let mut client = begun(now, b"secret");
        let mut forged = vec![21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2];
        forged.extend(alert);
        for _ in 0..3 {
            let told = client.feed(now, &forged).err();
            assert_eq!(told.is_some(), alert[1] != 100, "{told:?}");
            let up: Vec<_> = std::iter::from_fn(|| client.poll_transmit()).collect();
            for datagram in up {
                server.feed(now, peer, &datagram);
            }
            server.feed(now, peer, &forged);
            let down: Vec<_> = std::iter::from_fn(|| server.poll_transmit()).collect();
            for (_, datagram) in down {
                let _ = client.feed(now, &datagram);
            }
        }
        talk(now, &mut server, peer, client.as_mut());
        assert!(client.is_established());
        hears(now, &mut server, peer, client.as_mut());
    }
}

#[test]
fn who_has_most_associations_makes_room() {
    let (mut server, now) = (server(), Instant::now());
    server.most = 3;
    for port in 1..=3 {
        let later = now + Duration::from_millis(port.into());
        connected(later, &mut server, peer(1, port));
    }
    let later = now + Duration::from_secs(1);
    let mut modest = connected(later, &mut server, peer(2, 1));
    assert_eq!(server.poll_gone(), Some(peer(1, 1)));
    hears(later, &mut server, peer(2, 1), modest.as_mut());
    // The greedy one takes only from itself.
    connected(later, &mut server, peer(1, 4));
    assert_eq!(server.poll_gone(), Some(peer(1, 2)));
    connected(later, &mut server, peer(3, 1));
    assert_eq!(server.poll_gone(), Some(peer(1, 3)));
    // All have the same: a newcomer waits until somebody was silent for long.
    let refused = connected(later, &mut server, peer(4, 1));
    assert!(!refused.is_established());
    let much_later = later + Duration::from_secs(301);
    let taken = connected(much_later, &mut server, peer(4, 1));
    assert!(taken.is_established());
}

#[test]
fn what_a_client_sends_for_its_handshake_is_bounded() {
    let (mut server, now, peer) = (server(), Instant::now(), peer(1, 1));
    let mut client = connected(now, &mut server, peer);
    let mut fragment = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 4, 12];
    fragment.extend([16, 1, 0, 0, 0, 99, 0, 0, 0, 0, 4, 0]);
    fragment.resize(13 + 12 + 1024, 7);
    for number in 1..=1000_u16 {
        fragment[9..11].copy_from_slice(&number.to_be_bytes());
        server.feed(now, peer, &fragment);
    }
    let left = server.peers[&peer].budget.left();
    assert!(left < fragment.len() + super::budget::RECORD);
    hears(now, &mut server, peer, client.as_mut());
}

#[test]
fn data_that_comes_with_the_end_is_handed_over() {
    let (mut server, now, peer) = (server(), Instant::now(), peer(1, 1));
    let mut client = connected(now, &mut server, peer);
    server.write(now, peer, b"last words");
    let (_, data) = server.poll_transmit().expect("a datagram");
    let association = server.peers.get_mut(&peer).expect("an association");
    let Engine::Library(endpoint, address) = &mut association.engine else {
        panic!("not the library's");
    };
    endpoint.stop(now, *address);
    let end = association.engine.poll_transmit().expect("a close_notify");
    let heard = client.feed(now, &[data, end].concat()).expect("no trouble");
    assert_eq!(heard, [&b"last words"[..]]);
    assert_eq!(client.closed(), Some(0));
    assert!(client.write(now, b"too late").is_err());
    // It is answered with the same (RFC 5246 §7.2.1), once.
    client.close(now);
    let answers: Vec<_> = std::iter::from_fn(|| client.poll_transmit()).collect();
    assert_eq!(answers.len(), 1);
    assert_eq!((answers[0][0], answers[0][4]), (21, 1));
}

/// A record that looks protected, and is not by any key.
fn made_up(kind: u8) -> Vec<u8> {
    let mut record = vec![kind, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0x10, 9, 0, 26];
    record.resize(13 + 26, 9);
    record
}

#[test]
fn a_fatal_alert_ends_an_association_and_a_forged_one_does_not() {
    let (mut server, now, peer) = (server(), Instant::now(), peer(1, 1));
    let mut client = connected(now, &mut server, peer);
    let heard = client.feed(now, &made_up(21)).expect("no trouble");
    assert!(heard.is_empty() && client.closed().is_none());
    hears(now, &mut server, peer, client.as_mut());
    server.write(now, peer, b"last words");
    let (_, data) = server.poll_transmit().expect("a datagram");
    let association = server.peers.get_mut(&peer).expect("an association");
    let Engine::Library(endpoint, address) = &mut association.engine else {
        panic!("not the library's");
    };
    // What it cannot open the library answers with such an alert.
    let unreadable = made_up(23)[..].into();
    assert!(endpoint.read(now, *address, None, unreadable).is_err());
    let alert = association.engine.poll_transmit().expect("an alert");
    let heard = client
        .feed(now, &[data, alert].concat())
        .expect("no trouble");
    assert_eq!(heard, [&b"last words"[..]]);
    assert_eq!(client.closed(), Some(115));
    let told = client.write(now, b"too late").expect_err("it is over");
    assert_eq!(
        told.to_string(),
        "the peer ended the association (unknown PSK identity)"
    );
    client.close(now);
    assert_eq!(client.poll_transmit(), None);
}

#[test]
fn what_the_server_cannot_have_sent_yet_is_not_kept_without_end() {
    let (mut server, now, peer) = (server(), Instant::now(), peer(1, 1));
    let mut client = begun(now, b"secret");
    let hello = client.poll_transmit().expect("a hello");
    for number in 0..1000_u16 {
        let mut record = vec![23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 1];
        record.extend(number.to_be_bytes());
        record.extend(1000_u16.to_be_bytes());
        record.resize(1013, 7);
        let fed = client.feed(now, &record).expect("no trouble");
        assert!(fed.is_empty());
    }
    // The handshake goes on all the same.
    server.feed(now, peer, &hello);
    let (_, request) = server.poll_transmit().expect("a request to verify");
    client.feed(now, &request).expect("its answer");
    talk(now, &mut server, peer, client.as_mut());
    hears(now, &mut server, peer, client.as_mut());
}
