//! The server's side of DTLS: many associations on one socket, with keys, certificates, or both.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc_shared::error::Error as DtlsError;

use super::budget::Budget;
use super::cookie::Cookies;
use super::dtls::{cannot_set_up, provider};
use super::engine::{Cause, Engine, Event};
use super::flight::Flight;
use super::record::{self, ClientHello, Record};
use super::secrets::{LiveSecrets, Secrets};
use crate::coap::endpoint::Peer;
use crate::coap::shares::{self, Shares};
use crate::error::Result;

/// Associations at most; beyond it, who has most of them gives way, or else newcomers are not answered.
const MOST: usize = 4096;

/// Handshakes at the same time at most.
const MOST_OPEN: usize = 512;

/// A handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// How long a handshake that has failed may still come to its end: what failed may have been forged (RFC 6347
/// §4.1.2.7). The alert that says why waits as long.
const DOUBT: Duration = Duration::from_secs(2);

/// An association that is silent for longer may make room for a newcomer.
const SILENCE: Duration = Duration::from_secs(300);

/// All associations of one socket, sans-I/O.
pub(crate) struct SecureServer {
    local: SocketAddr,
    live: LiveSecrets,
    cookies: Cookies,
    pub(super) most: usize,
    pub(super) peers: HashMap<Peer, Association>,
    /// Those whose handshake is not done.
    open: BTreeSet<Peer>,
    shares: Shares,
    out: VecDeque<(Peer, Bytes)>,
    gone: VecDeque<Peer>,
    failures: VecDeque<String>,
}

/// One association.
pub(super) struct Association {
    pub(super) engine: Engine,
    established: bool,
    /// The random bytes of the ClientHello that began it.
    random: [u8; 32],
    since: Instant,
    heard: Instant,
    flight: Flight,
    pub(super) budget: Budget,
    failed: Option<Failed>,
}

/// A handshake that has failed, as it seems.
struct Failed {
    /// When it ends.
    at: Instant,
    /// What is sent then.
    alert: Vec<Bytes>,
    why: String,
}

impl SecureServer {
    /// A server on the socket bound to `local`.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for certificates that cannot be used.
    pub(crate) fn new(local: SocketAddr, secrets: &Secrets) -> Result<Self> {
        let live = LiveSecrets::new(secrets)?;
        let cookies = Cookies::new(Instant::now(), provider()?.random());
        let cookies = cookies.map_err(|cause| cannot_set_up(DtlsError::Other(cause.to_string())));
        Ok(Self {
            local,
            live,
            cookies: cookies?,
            most: MOST,
            peers: HashMap::new(),
            open: BTreeSet::new(),
            shares: Shares::default(),
            out: VecDeque::new(),
            gone: VecDeque::new(),
            failures: VecDeque::new(),
        })
    }

    /// What proves who is who, to be replaced later.
    pub(crate) fn secrets(&self) -> LiveSecrets {
        self.live.clone()
    }

    /// Takes a datagram; returns what was in it.
    pub(crate) fn feed(&mut self, now: Instant, peer: Peer, datagram: &[u8]) -> Vec<Bytes> {
        let mut plain = Vec::new();
        for record in record::records(datagram) {
            if let Some(hello) = record.client_hello()
                && !self.is_repeated(peer, &hello)
            {
                self.welcome(now, peer, &hello, record);
            } else {
                self.read(now, peer, record, &mut plain);
            }
        }
        plain
    }

    /// Whether it is the ClientHello of the handshake that is going on or was the last one.
    fn is_repeated(&self, peer: Peer, hello: &ClientHello<'_>) -> bool {
        let known = self.peers.get(&peer);
        hello.sequence == 1 && known.is_some_and(|it| it.random == hello.random)
    }

    /// Asks for the cookie; who brings it begins an association, in place of the one that may be there: a client that
    /// comes back from the same port knows nothing of it (RFC 6347 §4.2.8).
    fn welcome(&mut self, now: Instant, peer: Peer, hello: &ClientHello<'_>, record: Record<'_>) {
        let brought = self
            .cookies
            .check(now, peer, hello.random, hello.cookie)
            .filter(|_| hello.sequence == 1);
        let Some(cookie) = brought else {
            let cookie = self.cookies.make(now, peer, hello.random);
            let request = record::hello_verify_request(&cookie);
            return self.out.push_back((peer, request.into()));
        };
        self.forget(peer);
        if !self.makes_room(now, peer) {
            return;
        }
        let ends = (self.local, peer.address());
        let engine = Engine::begin(now, ends, &self.live, hello, cookie);
        let mut random = [0; 32];
        random.copy_from_slice(hello.random);
        let association = Association {
            engine,
            established: false,
            random,
            since: now,
            heard: now,
            flight: Flight::new(),
            budget: Budget::new(),
            failed: None,
        };
        self.peers.insert(peer, association);
        self.open.insert(peer);
        self.shares.add(peer, 1);
        self.read(now, peer, record, &mut Vec::new());
        // This one is no forgery: its sender had the cookie.
        let failed = self.peers.get_mut(&peer).and_then(|it| it.failed.take());
        if let Some(failed) = failed {
            self.give_up(peer, failed);
        }
    }

    fn give_up(&mut self, peer: Peer, failed: Failed) {
        self.out
            .extend(failed.alert.into_iter().map(|it| (peer, it)));
        self.failures
            .push_back(format!("DTLS handshake with {peer} failed: {}", failed.why));
        self.forget(peer);
    }

    /// Lets the library read a record of an association.
    fn read(&mut self, now: Instant, peer: Peer, record: Record<'_>, plain: &mut Vec<Bytes>) {
        let Some(association) = self.peers.get_mut(&peer) else {
            return;
        };
        if !association.affords(&record) {
            return;
        }
        association.heard = now;
        association.flight.turn();
        let events = match association.engine.read(now, &record) {
            Ok(events) => events,
            Err(cause) => return self.failed(now, peer, &cause),
        };
        let mut is_over = false;
        for event in events {
            match event {
                Event::Established => {
                    association.established = true;
                    association.failed = None;
                    self.open.remove(&peer);
                }
                Event::Data(data) => plain.push(data),
                Event::Closed => is_over = true,
            }
        }
        self.drain(now, peer);
        if is_over {
            self.forget(peer);
        }
    }

    /// The library could not read what came. An association that is there does not end by it, as anyone can send
    /// garbage in its name; a handshake ends by it, if it does not come to a better end soon.
    fn failed(&mut self, now: Instant, peer: Peer, cause: &Cause) {
        let Some(association) = self.peers.get_mut(&peer) else {
            return;
        };
        let mut alert = Vec::new();
        while let Some(datagram) = association.engine.poll_transmit() {
            alert.push(datagram);
        }
        let why = match cause {
            Cause::Library(cause) => self.live.why(cause, alert.last()),
            Cause::Raw(why) => why.clone(),
        };
        if !association.established && association.failed.is_none() {
            let at = now + DOUBT;
            association.failed = Some(Failed { at, alert, why });
        }
        self.drain(now, peer);
    }

    /// Protects a datagram for a peer; one that is not there any more gets none.
    pub(crate) fn write(&mut self, now: Instant, peer: Peer, plain: &[u8]) {
        if let Some(association) = self.peers.get_mut(&peer) {
            association.engine.write(now, plain);
            self.drain(now, peer);
        }
    }

    /// The next datagram to be sent.
    pub(crate) fn poll_transmit(&mut self) -> Option<(Peer, Bytes)> {
        self.out.pop_front()
    }

    /// The next peer whose association is over. What comes from its address from now on is from somebody else.
    pub(crate) fn poll_gone(&mut self) -> Option<Peer> {
        self.gone.pop_front()
    }

    /// The next handshake that has failed: with whom, and why.
    pub(crate) fn poll_failure(&mut self) -> Option<String> {
        self.failures.pop_front()
    }

    /// When [`SecureServer::handle_timeout`] is to be called.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let open = self
            .open
            .iter()
            .filter_map(|it| self.peers.get_key_value(it));
        open.map(|(_, it)| it.due()).min()
    }

    /// Sends again what was not answered, and gives up what takes too long.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let is_due = |peer: &&Peer| self.peers.get(*peer).is_some_and(|it| it.due() <= now);
        let due: Vec<Peer> = self.open.iter().filter(is_due).copied().collect();
        for peer in due {
            let Some(it) = self.peers.get_mut(&peer) else {
                continue;
            };
            let again = it.flight.again(now).iter();
            self.out.extend(again.map(|bytes| (peer, bytes.clone())));
            it.flight.turn();
            let is_late = !it.engine.handle_timeout(now) || now >= it.since + HANDSHAKE;
            let late = || Failed {
                at: now,
                alert: Vec::new(),
                why: String::from("it took too long"),
            };
            let failed = it.failed.take_if(|failed| failed.at <= now || is_late);
            let failed = failed.or_else(|| is_late.then(late));
            self.drain(now, peer);
            if let Some(failed) = failed {
                self.give_up(peer, failed);
            }
        }
    }

    fn forget(&mut self, peer: Peer) {
        if self.peers.remove(&peer).is_some() {
            self.open.remove(&peer);
            self.shares.sub(peer, 1);
            self.gone.push_back(peer);
        }
    }

    /// Takes what the library wants to send to a peer, and sees to it that its handshake has a timer.
    fn drain(&mut self, now: Instant, peer: Peer) {
        let Some(it) = self.peers.get_mut(&peer) else {
            return;
        };
        while let Some(datagram) = it.engine.poll_transmit() {
            if !it.established {
                it.flight.sent(&datagram);
            }
            self.out.push_back((peer, datagram));
        }
        it.flight
            .watch(now, it.engine.poll_timeout(), it.established);
    }

    /// Whether there is room for one more. The host with most associations gives way, or else the one that was silent
    /// for long.
    fn makes_room(&mut self, now: Instant, peer: Peer) -> bool {
        if self.peers.len() < self.most && self.open.len() < MOST_OPEN {
            return true;
        }
        let host = self.shares.gives_way(peer);
        let silent = |it: &Association| host.is_some() || now > it.heard + SILENCE;
        let of_host = |peer: Peer| host.is_none_or(|host: IpAddr| shares::host(peer) == host);
        let candidates = self
            .peers
            .iter()
            .filter(|(peer, it)| of_host(**peer) && silent(it));
        // Handshakes that are not done go first.
        let first = candidates.min_by_key(|(_, it)| (it.established, it.heard));
        let Some(peer) = first.map(|(peer, _)| *peer) else {
            return false;
        };
        self.forget(peer);
        true
    }
}

impl Association {
    /// When something is to be done about its handshake.
    fn due(&self) -> Instant {
        let again = self.engine.poll_timeout().or_else(|| self.flight.due());
        let failed = self.failed.as_ref().map(|it| it.at);
        let end = self.since + HANDSHAKE;
        again.into_iter().chain(failed).fold(end, Instant::min)
    }

    /// Whether it may send one more record that the library would keep.
    fn affords(&mut self, record: &Record<'_>) -> bool {
        if self.established && !record.is_handshake() {
            return true;
        }
        self.budget.affords(record)
    }
}
