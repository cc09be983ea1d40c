//! A server: sockets, listeners and connections around one site.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use super::arrivals::{self, Came, Teller, What};
use super::fault::{Disposition, Fault, Faults, Way, code_of, with_another_token};
use super::membership;
use super::seats::Seats;
use super::sequence::{self, Sequence};
use crate::coap::endpoint::{
    Config, Endpoint, Event, Exchange, Incoming, Peer, Response, Transport,
};
use crate::coap::random::Random;
use crate::coap::secure::{LiveSecrets, Secrets, SecureServer};
use crate::coap::site::{Answering, Site};
use crate::connect::{Addressed, Listener, Oscore, udp};
use crate::error::{Error, Result};

/// Each endpoint numbers its exchanges in a range of its own, so that the number tells which one it was.
const RANGE: u32 = 40;

/// What may wait between the sockets and the site.
const WAITING: usize = 1024;

/// How long a connection may take until its CSM.
const CSM: Duration = Duration::from_secs(10);

/// A connection that is silent for so long is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(60);

/// Bytes that wait to be written to a connection, beyond which it has to read first.
const OUTBOX: usize = 256 << 10;

/// A server that is to run.
pub(crate) struct Server {
    site: Site,
    ports: Ports,
    faults: Faults,
    sender: mpsc::Sender<Came>,
    receiver: mpsc::Receiver<Came>,
    tasks: Vec<JoinHandle<()>>,
    /// What a fault holds back.
    held: BTreeMap<(Instant, u64), Passing>,
    serial: u64,
    leisure: Duration,
    challenge: bool,
    body_limit: usize,
    /// Where the sequence numbers of OSCORE are reserved.
    sequence: Option<Sequence>,
    seats: Seats,
    not_accepted: Vec<String>,
}

/// What a server tells as it happens.
pub(crate) enum Notice<'a> {
    /// A request.
    Request(&'a Incoming),
    /// Somebody could not connect, for this reason.
    NotAccepted(&'a str),
}

/// A message on its way between wire and endpoint.
#[derive(Clone)]
struct Passing {
    way: Way,
    port: usize,
    peer: Peer,
    bytes: Bytes,
    /// It was sent to a group.
    multicast: bool,
    fate: Disposition,
}

/// One place where the server listens.
struct Port {
    endpoint: Endpoint,
    outlet: Outlet,
    /// The socket of another port, for a fault.
    elsewhere: Option<Addressed>,
}

enum Outlet {
    Socket(Arc<Addressed>),
    Secured(Arc<Addressed>, Box<SecureServer>),
    Connections(HashMap<Peer, mpsc::UnboundedSender<Bytes>>),
}

/// All of them.
struct Ports(Vec<Port>);

impl Ports {
    fn of(&mut self, exchange: Exchange) -> Option<&mut Endpoint> {
        let port = usize::try_from(exchange.number() >> RANGE).ok()?;
        self.0.get_mut(port).map(|port| &mut port.endpoint)
    }
}

impl Answering for Ports {
    fn respond(&mut self, now: Instant, exchange: Exchange, response: Response) {
        if let Some(endpoint) = self.of(exchange) {
            endpoint.respond(now, exchange, response);
        }
    }

    fn acknowledge(&mut self, now: Instant, exchange: Exchange) {
        if let Some(endpoint) = self.of(exchange) {
            endpoint.acknowledge(now, exchange);
        }
    }

    fn notify(
        &mut self,
        now: Instant,
        observer: Exchange,
        state: Response,
        confirmable: bool,
    ) -> bool {
        self.of(observer)
            .is_some_and(|it| it.notify(now, observer, state, confirmable))
    }

    fn forget(&mut self, observer: Exchange) {
        if let Some(endpoint) = self.of(observer) {
            endpoint.forget(observer);
        }
    }
}

impl Server {
    /// A server of `site` that listens nowhere yet.
    pub(crate) fn new(site: Site, faults: &[Fault]) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        Self {
            site,
            ports: Ports(Vec::new()),
            faults: Faults::new(faults),
            sender,
            receiver,
            tasks: Vec::new(),
            held: BTreeMap::new(),
            serial: 0,
            leisure: Config::default().leisure,
            body_limit: Config::default().body_limit,
            challenge: false,
            sequence: None,
            seats: Seats::new(),
            not_accepted: Vec::new(),
        }
    }

    /// Makes everybody on UDP show first that its address is its own (Echo, RFC 9175); must be said before listening.
    pub(crate) const fn set_challenge(&mut self, challenge: bool) {
        self.challenge = challenge;
    }

    /// Answers requests to a group within this time, which must be said before listening.
    pub(crate) const fn set_leisure(&mut self, leisure: Duration) {
        self.leisure = leisure;
    }

    /// Takes bodies of no more than so many bytes, which must be said before listening.
    pub(crate) const fn set_body_limit(&mut self, limit: usize) {
        self.body_limit = limit;
    }

    /// Listens for datagrams on `address`; returns the address with the port that was chosen.
    ///
    /// # Errors
    /// [`crate::error::Kind::Local`]: the address cannot be listened on.
    pub(crate) fn listen_datagrams(&mut self, address: SocketAddr) -> Result<SocketAddr> {
        self.listen_by(udp::listening(address)?, address)
    }

    fn listen_by(&mut self, socket: UdpSocket, address: SocketAddr) -> Result<SocketAddr> {
        let socket = Arc::new(Addressed::new(socket));
        let address = socket.local_addr().unwrap_or(address);
        let outlet = Outlet::Socket(Arc::clone(&socket));
        self.listen_on(socket, address, outlet)?;
        Ok(address)
    }

    /// The same, and joins the groups of all CoAP nodes on the network interface that has this address. Answers to
    /// what is sent to them come from the address itself, some time within the leisure, and never with an error.
    ///
    /// # Errors
    /// As [`Server::listen_datagrams`].
    pub(crate) fn listen_with_groups(&mut self, address: SocketAddr) -> Result<SocketAddr> {
        let address = self.listen_by(udp::listening_with_groups(address)?, address)?;
        let port = self.ports.0.len() - 1;
        for socket in membership::join(address)? {
            let receiving =
                arrivals::receive_for_group(socket, address.is_ipv6(), self.teller(port));
            self.tasks.push(tokio::spawn(receiving));
        }
        Ok(address)
    }

    /// The same with DTLS; returns its secrets too, which can be replaced.
    ///
    /// # Errors
    /// As [`Server::listen_datagrams`], and [`crate::error::Kind::Usage`] for secrets that cannot be used.
    pub(crate) fn listen_securely(
        &mut self,
        address: SocketAddr,
        secrets: &Secrets,
    ) -> Result<(SocketAddr, LiveSecrets)> {
        let socket = Arc::new(Addressed::new(udp::listening(address)?));
        let address = socket.local_addr().unwrap_or(address);
        let secured = Box::new(SecureServer::new(address, secrets)?);
        let live = secured.secrets();
        let outlet = Outlet::Secured(Arc::clone(&socket), secured);
        self.listen_on(socket, address, outlet)?;
        Ok((address, live))
    }

    fn listen_on(
        &mut self,
        socket: Arc<Addressed>,
        address: SocketAddr,
        outlet: Outlet,
    ) -> Result<()> {
        let port = self.add(Transport::Datagram, outlet);
        if self.faults.need_another_port() {
            let elsewhere = udp::listening(SocketAddr::new(address.ip(), 0))?;
            self.ports.0[port].elsewhere = Some(Addressed::new(elsewhere));
        }
        let receiving = arrivals::receive(socket, self.teller(port));
        self.tasks.push(tokio::spawn(receiving));
        Ok(())
    }

    /// Takes the connections of `listener`; `websocket` tells whether they begin with its handshake.
    pub(crate) fn listen_streams(&mut self, listener: Listener, websocket: bool) {
        let transport = if websocket {
            Transport::WebSocket
        } else {
            Transport::Stream
        };
        let port = self.add(transport, Outlet::Connections(HashMap::new()));
        let accepting =
            arrivals::accept(listener, websocket, self.seats.clone(), self.teller(port));
        self.tasks.push(tokio::spawn(accepting));
    }

    fn teller(&self, port: usize) -> Teller {
        let sender = self.sender.clone();
        Teller { port, sender }
    }

    /// Takes only requests that OSCORE protects, on the one port that there is.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`]: the secrets make no context, or there is not exactly one port;
    /// [`crate::error::Kind::Local`]: the sequence number cannot be kept.
    pub(crate) async fn protect(&mut self, oscore: &Oscore) -> Result<()> {
        let [port] = &mut self.ports.0[..] else {
            let text = "with OSCORE a server can have only one listener, because its sequence numbers belong to one endpoint";
            return Err(Error::usage(text));
        };
        let (mut context, sequence) = sequence::open(oscore, arrivals::HANDSHAKE).await?;
        let echo = Random::from_system().next().to_be_bytes();
        // Which requests an earlier run has seen is not known.
        context.distrust(Bytes::copy_from_slice(&echo));
        port.endpoint.serve_protected(context);
        port.endpoint.demand_protection();
        self.sequence = Some(sequence);
        Ok(())
    }

    fn reserve(&mut self) {
        let contexts = self.ports.0.iter_mut();
        let context = contexts
            .flat_map(|it| it.endpoint.serving_protection())
            .next();
        if let (Some(sequence), Some(context)) = (&mut self.sequence, context) {
            sequence.top_up(context);
        }
    }

    fn add(&mut self, transport: Transport, outlet: Outlet) -> usize {
        let port = self.ports.0.len();
        let usual = Config::default();
        let config = Config {
            transport,
            serve: true,
            // What a server does wrong, if anything, is said by the faults; the rest is RFC 7252 to the letter.
            adapt: false,
            first_exchange: (port as u64) << RANGE,
            leisure: self.leisure,
            body_limit: self.body_limit,
            block_memory: usual.block_memory.min(self.body_limit.saturating_mul(256)),
            // A connection and a DTLS handshake have shown it already.
            challenge: self.challenge && matches!(outlet, Outlet::Socket(_)),
            csm_deadline: Some(CSM),
            silence: Some(SILENCE),
            outbox: OUTBOX,
            ..usual
        };
        self.ports.0.push(Port {
            endpoint: Endpoint::new(config),
            outlet,
            elsewhere: None,
        });
        port
    }

    /// The resources.
    pub(crate) const fn site(&mut self) -> &mut Site {
        &mut self.site
    }

    /// Answers a request whose answer was deferred.
    pub(crate) fn respond(&mut self, exchange: Exchange, response: Response) {
        self.ports.respond(Instant::now(), exchange, response);
    }

    /// The resource at a path has another state: its observers are told.
    pub(crate) fn changed(&mut self, path: &str) {
        self.site.changed(Instant::now(), &mut self.ports, path);
    }

    /// There is no resource at a path any more: its observers are told.
    pub(crate) fn removed(&mut self, path: &str) {
        self.site.remove(Instant::now(), &mut self.ports, path);
    }

    /// Serves until the future is dropped; `seen` hears of every request, and of who could not connect.
    pub(crate) async fn serve(&mut self, mut seen: impl FnMut(Notice<'_>)) {
        loop {
            self.settle(&mut seen);
            self.turn().await;
        }
    }

    /// Waits for what comes next, and takes it; what follows from it is for [`Self::settle`]. Cancel-safe.
    pub(crate) async fn turn(&mut self) {
        self.reserve();
        let far_away = Instant::now() + Duration::from_secs(3600);
        let due = self.due().unwrap_or(far_away);
        tokio::select! {
            Some(came) = self.receiver.recv() => self.take(came),
            () = sleep_until(due.into()) => self.time_passed(),
        }
    }

    /// Takes all events and sends all messages.
    pub(crate) fn settle(&mut self, seen: &mut impl FnMut(Notice<'_>)) {
        let now = Instant::now();
        for why in self.not_accepted.drain(..) {
            seen(Notice::NotAccepted(&why));
        }
        for port in 0..self.ports.0.len() {
            while let Some(event) = self.ports.0[port].endpoint.poll_event() {
                if let Event::Incoming(request) = &event {
                    seen(Notice::Request(request));
                    if self.faults.reset() {
                        self.reject(now, port, request);
                        continue;
                    }
                }
                if let Some(Event::Close { peer, .. }) =
                    self.site.handle(now, &mut self.ports, event)
                {
                    self.hang_up(port, peer);
                }
            }
        }
        for port in 0..self.ports.0.len() {
            while let Some((peer, bytes)) = self.ports.0[port].endpoint.poll_transmit() {
                self.send(port, peer, bytes);
            }
        }
    }

    /// Rejects a request, as a fault will have it.
    fn reject(&mut self, now: Instant, port: usize, request: &Incoming) {
        let endpoint = &mut self.ports.0[port].endpoint;
        endpoint.reject(now, request.exchange);
        if endpoint.config().transport.is_reliable() {
            self.hang_up(port, request.peer);
        }
    }

    /// Closes a connection: its writer ends when nobody can write to it any more.
    fn hang_up(&mut self, port: usize, peer: Peer) {
        while let Some((to, bytes)) = self.ports.0[port].endpoint.poll_transmit() {
            self.send(port, to, bytes);
        }
        if let Outlet::Connections(connections) = &mut self.ports.0[port].outlet {
            connections.remove(&peer);
        }
    }

    /// Sends a message, as the faults will have it.
    fn send(&mut self, port: usize, peer: Peer, bytes: Bytes) {
        let transport = self.ports.0[port].endpoint.config().transport;
        let fate = Disposition::default();
        let (way, multicast) = (Way::Out, false);
        let mut passing = Passing {
            way,
            port,
            peer,
            bytes,
            multicast,
            fate,
        };
        if self.faults.is_empty() {
            return self.arrive(passing);
        }
        let Some(code) = code_of(transport, &passing.bytes) else {
            // The words about a connection itself are no messages that could be lost on it.
            return self.arrive(passing);
        };
        if code.is_response() && self.faults.spoil_token() {
            passing.bytes = with_another_token(transport, passing.bytes);
        }
        self.pass(passing);
    }

    /// Hands a message on, as the faults will have it.
    fn pass(&mut self, passing: Passing) {
        let mut overtakes = false;
        for fate in self.faults.fates(passing.way) {
            let passing = Passing {
                fate,
                ..passing.clone()
            };
            if fate.delay.is_zero() {
                self.arrive(passing);
                overtakes = true;
            } else {
                self.serial += 1;
                let key = (Instant::now() + fate.delay, self.serial);
                self.held.insert(key, passing);
            }
        }
        if overtakes {
            self.let_go(&passing);
        }
    }

    /// What waited to be overtaken by this message follows it.
    fn let_go(&mut self, by: &Passing) {
        let overtaken = |it: &Passing| {
            it.fate.overtaken && (it.way, it.port, it.peer) == (by.way, by.port, by.peer)
        };
        let held = self.held.iter().filter(|(_, it)| overtaken(it));
        let keys: Vec<_> = held.map(|(key, _)| *key).collect();
        for key in keys {
            if let Some(passing) = self.held.remove(&key) {
                self.arrive(passing);
            }
        }
    }

    fn arrive(&mut self, passing: Passing) {
        let Passing {
            port, peer, bytes, ..
        } = passing;
        let Port {
            endpoint,
            outlet,
            elsewhere,
        } = &mut self.ports.0[port];
        let elsewhere = elsewhere.as_ref().filter(|_| passing.fate.elsewhere);
        let now = Instant::now();
        match (passing.way, outlet) {
            (Way::In, _) if passing.multicast => endpoint.handle_multicast(now, peer, &bytes),
            (Way::In, Outlet::Secured(socket, secured)) => {
                let plain = secured.feed(now, peer, &bytes);
                settle_all(endpoint, secured, &mut self.not_accepted);
                for plain in plain {
                    endpoint.handle_datagram(now, peer, &plain);
                }
                send_all(socket, secured);
            }
            (Way::Out, Outlet::Secured(socket, secured)) => {
                secured.write(now, peer, &bytes);
                send_all(elsewhere.unwrap_or(socket), secured);
            }
            (Way::In, _) => endpoint.handle_datagram(now, peer, &bytes),
            // A full send buffer loses the datagram, as a network would.
            (Way::Out, Outlet::Socket(socket)) => {
                let socket = elsewhere.unwrap_or(socket);
                socket.send(&bytes, peer.address(), peer.local());
            }
            (Way::Out, Outlet::Connections(connections)) => {
                if let Some(connection) = connections.get(&peer) {
                    let _ = connection.send(bytes);
                }
            }
        }
    }

    fn take(&mut self, came: Came) {
        let now = Instant::now();
        let Came { port, peer, what } = came;
        let Port {
            endpoint, outlet, ..
        } = &mut self.ports.0[port];
        match (what, outlet) {
            (What::Datagram(bytes), _) => self.receive(port, peer, bytes, false),
            (What::Multicast(bytes), _) => self.receive(port, peer, bytes, true),
            (What::Bytes(bytes), _) => endpoint.handle_stream(now, peer, &bytes),
            (What::Frame(bytes), _) => endpoint.handle_frame(now, peer, &bytes),
            (What::Written(length), _) => endpoint.written(now, peer, length),
            (What::NotAccepted(why), _) => self.not_accepted.push(why),
            (What::Connection(writer), Outlet::Connections(connections)) => {
                connections.insert(peer, writer);
                endpoint.connected(now, peer);
            }
            (What::Ended(why), Outlet::Connections(connections)) => {
                connections.remove(&peer);
                endpoint.disconnected(now, peer, why);
            }
            (What::Connection(_) | What::Ended(_), Outlet::Socket(_) | Outlet::Secured(..)) => {}
        }
    }

    fn receive(&mut self, port: usize, peer: Peer, bytes: Bytes, multicast: bool) {
        let (way, fate) = (Way::In, Disposition::default());
        self.pass(Passing {
            way,
            port,
            peer,
            bytes,
            multicast,
            fate,
        });
    }

    fn due(&self) -> Option<Instant> {
        let ports = self.ports.0.iter();
        let endpoints = ports.filter_map(|it| it.endpoint.poll_timeout());
        let held = self.held.first_key_value().map(|((at, _), _)| *at);
        let handshakes = self.ports.0.iter().filter_map(|it| match &it.outlet {
            Outlet::Secured(_, secured) => secured.poll_timeout(),
            _ => None,
        });
        let others = held.into_iter().chain(self.site.poll_timeout());
        endpoints.chain(handshakes).chain(others).min()
    }

    fn time_passed(&mut self) {
        let now = Instant::now();
        while let Some(entry) = self.held.first_entry().filter(|it| it.key().0 <= now) {
            let passing = entry.remove();
            self.arrive(passing);
        }
        for port in &mut self.ports.0 {
            port.endpoint.handle_timeout(now);
            if let Outlet::Secured(socket, secured) = &mut port.outlet {
                secured.handle_timeout(now);
                settle_all(&mut port.endpoint, secured, &mut self.not_accepted);
                send_all(socket, secured);
            }
        }
        self.site.handle_timeout(now, &mut self.ports);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        let contexts = self.ports.0.iter_mut();
        let context = contexts
            .flat_map(|it| it.endpoint.serving_protection())
            .next();
        if let (Some(sequence), Some(context)) = (&mut self.sequence, context) {
            sequence.give_back(context.sequence());
        }
    }
}

/// What comes from a peer after its association has ended is from somebody else.
fn settle_all(endpoint: &mut Endpoint, secured: &mut SecureServer, failures: &mut Vec<String>) {
    failures.extend(std::iter::from_fn(|| secured.poll_failure()));
    while let Some(peer) = secured.poll_gone() {
        endpoint.forget_peer(peer);
    }
}

fn send_all(socket: &Addressed, secured: &mut SecureServer) {
    while let Some((peer, bytes)) = secured.poll_transmit() {
        socket.send(&bytes, peer.address(), peer.local());
    }
}
