//! Both sides against each other, on a virtual clock and a wire that loses, repeats, reorders and forges.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::coap::endpoint::Peer;
use crate::coap::secure::engine::Engine;
use crate::coap::secure::{Secrets, SecureDatagram, SecureServer, Trouble, client};
use crate::connect::rpk::RawKey;
use crate::connect::{Protocol, Psk, Rpk, Target};
use crate::random::Random;

struct Pair {
    server: SecureServer,
    client: Box<dyn SecureDatagram>,
    now: Instant,
    peer: Peer,
}

/// Our key, and whom it is for.
fn rpk(own: Option<&RawKey>, peers: Option<&[&RawKey]>) -> Rpk {
    let keys = |peers: &[&RawKey]| peers.iter().map(|it| *it.public()).collect();
    Rpk {
        own: own.cloned(),
        peers: peers.map(keys),
    }
}

fn server(psk: Option<Psk>, rpk: Rpk) -> SecureServer {
    let secrets = Secrets {
        psk,
        tls: None,
        rpk: Some(rpk),
    };
    SecureServer::new(([192, 0, 2, 9], 5684).into(), &secrets).expect("a server")
}

fn begun(now: Instant, change: impl FnOnce(&mut Target)) -> Box<dyn SecureDatagram> {
    let mut target = Target::tcp(Protocol::Coap, "server", 5684);
    change(&mut target);
    let mut client = client(&target, ([192, 0, 2, 9], 5684).into()).expect("a client");
    client.begin(now).expect("it begins");
    client
}

fn pair(of_server: Rpk, of_client: Rpk) -> Pair {
    let now = Instant::now();
    Pair {
        server: server(None, of_server),
        client: begun(now, |it| it.rpk = Some(of_client)),
        now,
        peer: ([192, 0, 2, 1], 1).into(),
    }
}

/// Two that know each other.
fn friends() -> Pair {
    let [one, other] = [RawKey::generate(), RawKey::generate()];
    pair(
        rpk(Some(&one), Some(&[&other])),
        rpk(Some(&other), Some(&[&one])),
    )
}

impl Pair {
    fn up(&mut self) -> Vec<Bytes> {
        std::iter::from_fn(|| self.client.poll_transmit()).collect()
    }

    fn down(&mut self) -> Vec<Bytes> {
        std::iter::from_fn(|| Some(self.server.poll_transmit()?.1)).collect()
    }

    /// Lets both talk until they have nothing more to say; returns what the server read, and what the client met.
    fn talk(&mut self) -> (Vec<u8>, Option<Trouble>) {
        let (mut read, mut trouble) = (Vec::new(), None);
        loop {
            let up = self.up();
            for datagram in &up {
                read.extend(self.server.feed(self.now, self.peer, datagram).concat());
            }
            let down = self.down();
            for datagram in &down {
                let fed = self.client.feed(self.now, datagram).err();
                trouble = trouble.or(fed);
            }
            if up.is_empty() && down.is_empty() {
                return (read, trouble);
            }
        }
    }

    /// Lets the time of the next timer come.
    fn wait(&mut self) {
        let timers = [self.client.poll_timeout(), self.server.poll_timeout()];
        let due = timers.into_iter().flatten().min().expect("a timer");
        self.now = self.now.max(due);
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
    }

    fn hears(&mut self) {
        assert!(self.client.is_established());
        self.client.write(self.now, b"hello").expect("it is there");
        assert_eq!(self.talk().0, b"hello");
        self.server.write(self.now, self.peer, b"hello too");
        let down = self.down();
        let heard = self.client.feed(self.now, &down[0]).expect("an answer");
        assert_eq!(heard, [&b"hello too"[..]]);
    }
}

#[test]
fn who_has_the_right_keys_is_let_in() {
    let mut pair = friends();
    assert!(pair.talk().1.is_none());
    pair.hears();
    assert_eq!(pair.client.poll_timeout(), None);
    assert_eq!(pair.server.poll_timeout(), None);
    pair.client.close(pair.now);
    pair.talk();
    assert_eq!(pair.server.poll_gone(), Some(pair.peer));
}

#[test]
fn a_server_may_let_everybody_in_and_a_client_trust_everybody() {
    let key = RawKey::generate();
    let mut nobody = pair(rpk(Some(&key), None), rpk(None, Some(&[&key])));
    assert!(nobody.talk().1.is_none());
    nobody.hears();
    // A key that nobody asks for is not shown.
    let stranger = RawKey::generate();
    let mut bold = pair(rpk(Some(&key), None), rpk(Some(&stranger), None));
    assert!(bold.talk().1.is_none());
    bold.hears();
}

#[test]
fn a_client_refuses_a_server_with_another_key() {
    let [one, other] = [RawKey::generate(), RawKey::generate()];
    let mut pair = pair(rpk(Some(&one), None), rpk(None, Some(&[&other])));
    let (_, trouble) = pair.talk();
    let Some(Trouble::Key(hash)) = trouble else {
        panic!("{trouble:?}");
    };
    assert_eq!(hash, one.public().to_string());
    assert!(!pair.client.is_established());
    let failure = pair.server.poll_failure();
    // The alert came in clear, so it may be a forgery for a while.
    assert_eq!(failure, None);
    pair.now += Duration::from_secs(2);
    pair.server.handle_timeout(pair.now);
    let failure = pair.server.poll_failure().expect("it has failed");
    assert!(failure.ends_with("(certificate unknown)"), "{failure}");
}

#[test]
fn a_server_refuses_a_client_with_another_key_or_none() {
    let [one, other] = [RawKey::generate(), RawKey::generate()];
    let allowed = RawKey::generate();
    let hash = other.public().to_string();
    let cases = [
        (Some(&other), hash.as_str(), "certificate unknown"),
        (None, "shows no raw public key", "unsupported certificate"),
    ];
    for (own, why, alert) in cases {
        let mut pair = pair(rpk(Some(&one), Some(&[&allowed])), rpk(own, Some(&[&one])));
        let (_, at_once) = pair.talk();
        pair.now += Duration::from_secs(2);
        pair.server.handle_timeout(pair.now);
        let failure = pair.server.poll_failure().expect("it has failed");
        assert!(failure.contains(why), "{failure}");
        let later = pair.talk().1;
        let trouble = at_once.or(later);
        let Some(Trouble::Alert(words)) = trouble else {
            panic!("{trouble:?}");
        };
        assert!(words.contains(alert), "{words}");
    }
}

#[test]
fn one_port_takes_raw_keys_and_shared_ones() {
    let key = RawKey::generate();
    let psk = Psk::new(String::from("me"), b"secret").expect("a key");
    let now = Instant::now();
    let mut pair = Pair {
        server: server(Some(psk.clone()), rpk(Some(&key), None)),
        client: begun(now, |it| it.psk = Some(psk.clone())),
        now,
        peer: ([192, 0, 2, 1], 1).into(),
    };
    assert!(pair.talk().1.is_none());
    pair.hears();
    pair.peer = ([192, 0, 2, 1], 2).into();
    pair.client = begun(now, |it| it.rpk = Some(rpk(None, Some(&[&key]))));
    assert!(pair.talk().1.is_none());
    pair.hears();
    // A server with raw keys only says why it does not take others.
    pair.server = server(None, rpk(Some(&key), None));
    pair.client = begun(now, |it| it.psk = Some(psk));
    assert!(pair.talk().1.is_some());
    let failure = pair.server.poll_failure().expect("it has failed");
    assert!(
        failure.ends_with("does not offer raw public keys"),
        "{failure}"
    );
}

#[test]
fn each_flight_may_be_lost() {
    for lost in 0..8 {
        let mut pair = friends();
        let mut sent = 0;
        for _ in 0..20 {
            let mut passes = || {
                sent += 1;
                sent - 1 != lost
            };
            let up = pair.up();
            for datagram in up.iter().filter(|_| passes()) {
                pair.server.feed(pair.now, pair.peer, datagram);
            }
            let down = pair.down();
            for datagram in down.iter().filter(|_| passes()) {
                pair.client.feed(pair.now, datagram).expect("all is right");
            }
            if up.is_empty() && down.is_empty() {
                if pair.client.is_established() {
                    break;
                }
                pair.wait();
            }
        }
        pair.hears();
    }
}

/// Lets a wire that does what it wants carry the datagrams for as long as a handshake may take.
fn by_chance(pair: &mut Pair, random: &mut Random) {
    let mut wire: Vec<(bool, Bytes)> = Vec::new();
    for _ in 0..400 {
        wire.extend(pair.up().into_iter().map(|it| (true, it)));
        wire.extend(pair.down().into_iter().map(|it| (false, it)));
        if wire.is_empty() {
            if pair.client.is_established() {
                return;
            }
            pair.wait();
            continue;
        }
        let (up, datagram) = match random.between(0, 2) {
            // The one that was sent last overtakes the others.
            0 => wire.pop().expect("there is one"),
            _ => wire.remove(0),
        };
        match random.between(0, 9) {
            0 => continue,
            1 => wire.push((up, datagram.clone())),
            _ => {}
        }
        if up {
            pair.server.feed(pair.now, pair.peer, &datagram);
        } else {
            pair.client.feed(pair.now, &datagram).expect("all is right");
        }
    }
}

#[test]
fn a_bad_wire_only_takes_time() {
    for seed in 1..=40 {
        let mut pair = friends();
        by_chance(&mut pair, &mut Random::new(seed, 0));
        assert!(pair.client.is_established(), "seed {seed}");
        // What was left on the wire is old.
        pair.talk();
        pair.hears();
    }
}

/// What an attacker makes of a datagram: bytes changed, cut off, or put to it.
fn forged(datagram: &[u8], random: &mut Random) -> Vec<u8> {
    let mut forged = datagram.to_vec();
    let last = forged.len() - 1;
    match random.between(0, 3) {
        0 => forged.truncate(random.between(0, last)),
        1 => forged.extend_from_within(..random.between(0, last)),
        _ => {
            for _ in 0..random.between(1, 4) {
                forged[random.between(0, last)] ^= random.between(1, 255) as u8;
            }
        }
    }
    forged
}

#[test]
fn forged_datagrams_neither_panic_nor_end_an_association() {
    for seed in 1..=60 {
        let mut random = Random::new(seed, 1);
        let mut pair = friends();
        let mut passed = Vec::new();
        for _ in 0..6 {
            for datagram in pair.up() {
                pair.server.feed(pair.now, pair.peer, &datagram);
                passed.push(datagram);
            }
            for datagram in pair.down() {
                let _ = pair.client.feed(pair.now, &datagram);
                passed.push(datagram);
            }
        }
        assert!(pair.client.is_established());
        for _ in 0..100 {
            let original = &passed[random.between(0, passed.len() - 1)];
            let forged = forged(original, &mut random);
            pair.server.feed(pair.now, pair.peer, &forged);
            pair.client.feed(pair.now, &forged).expect("it is ignored");
        }
        assert_eq!(pair.server.poll_gone(), None, "seed {seed}");
        while pair.server.poll_transmit().is_some() {}
        while pair.client.poll_transmit().is_some() {}
        pair.hears();
    }
}

#[test]
fn a_forged_alert_does_not_end_a_handshake() {
    let mut pair = friends();
    let forged = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40];
    for _ in 0..3 {
        let told = pair.client.feed(pair.now, &forged).err();
        // The driver waits for what comes after it.
        assert!(matches!(told, Some(Trouble::Alert(_))), "{told:?}");
        for datagram in pair.up() {
            pair.server.feed(pair.now, pair.peer, &datagram);
        }
        pair.server.feed(pair.now, pair.peer, &forged);
        for datagram in pair.down() {
            let _ = pair.client.feed(pair.now, &datagram);
        }
    }
    pair.talk();
    pair.hears();
}

#[test]
fn forged_datagrams_do_not_panic_in_a_handshake() {
    for seed in 1..=200 {
        let mut random = Random::new(seed, 2);
        let mut pair = friends();
        for _ in 0..12 {
            for datagram in pair.up() {
                for _ in 0..5 {
                    let forged = forged(&datagram, &mut random);
                    pair.server.feed(pair.now, pair.peer, &forged);
                    let _ = pair.client.feed(pair.now, &forged);
                }
                pair.server.feed(pair.now, pair.peer, &datagram);
            }
            for datagram in pair.down() {
                for _ in 0..5 {
                    let forged = forged(&datagram, &mut random);
                    let _ = pair.client.feed(pair.now, &forged);
                    pair.server.feed(pair.now, pair.peer, &forged);
                }
                let _ = pair.client.feed(pair.now, &datagram);
            }
            if pair.client.poll_timeout().is_some() {
                pair.wait();
            }
        }
        let noise: Vec<u8> = (0..600).map(|_| random.between(0, 255) as u8).collect();
        pair.server.feed(pair.now, pair.peer, &noise);
        let _ = pair.client.feed(pair.now, &noise);
    }
}

#[test]
fn data_that_comes_with_the_end_is_handed_over() {
    let mut pair = friends();
    assert!(pair.talk().1.is_none());
    pair.server.write(pair.now, pair.peer, b"last words");
    let mut datagram = pair.down().concat();
    let association = pair.server.peers.get_mut(&pair.peer);
    let engine = &mut association.expect("an association").engine;
    let Engine::Raw(session) = engine else {
        panic!("not ours");
    };
    session.close();
    datagram.extend(session.poll_transmit().expect("a close_notify"));
    let heard = pair.client.feed(pair.now, &datagram).expect("no trouble");
    assert_eq!(heard, [&b"last words"[..]]);
    assert_eq!(pair.client.closed(), Some(0));
    assert!(pair.client.write(pair.now, b"too late").is_err());
    // It is answered with the same (RFC 5246 §7.2.1), once.
    pair.client.close(pair.now);
    let answers = pair.up();
    assert_eq!(answers.len(), 1);
    assert_eq!((answers[0][0], answers[0][4]), (21, 1));
}

#[test]
fn a_fatal_alert_is_named() {
    let mut pair = friends();
    assert!(pair.talk().1.is_none());
    let association = pair.server.peers.get_mut(&pair.peer);
    let engine = &mut association.expect("an association").engine;
    let Engine::Raw(session) = engine else {
        panic!("not ours");
    };
    session.channel.alert(2, 80);
    let alert = session.poll_transmit().expect("an alert");
    assert!(
        pair.client
            .feed(pair.now, &alert)
            .expect("no trouble")
            .is_empty()
    );
    assert_eq!(pair.client.closed(), Some(80));
}
