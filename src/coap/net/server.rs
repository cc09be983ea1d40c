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

use super::LARGEST_DATAGRAM;
use super::fault::{Fault, Faults, Way};
use super::sequence::{self, Sequence};
use super::stream::Streamed;
use super::wire::Heard;
use crate::coap::endpoint::{
    Config, Endpoint, Event, Exchange, Incoming, Peer, Response, Transport,
};
use crate::coap::random::Random;
use crate::coap::secure::{Secrets, SecureServer};
use crate::coap::site::{Answering, Site};
use crate::connect::{Listener, Oscore, Stream, udp};
use crate::error::{Error, Result};

/// Each endpoint numbers its exchanges in a range of its own, so that the number tells which one it was.
const RANGE: u32 = 40;

/// What may wait between the sockets and the site.
const WAITING: usize = 1024;

/// Handshakes of connections that take longer are given up.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A server that is to run.
pub struct Server {
    site: Site,
    ports: Ports,
    faults: Faults,
    sender: mpsc::Sender<Came>,
    receiver: mpsc::Receiver<Came>,
    tasks: Vec<JoinHandle<()>>,
    /// What a fault holds back.
    held: BTreeMap<(Instant, u64), (Way, usize, Peer, Bytes)>,
    serial: u64,
    /// Where the sequence numbers of OSCORE are reserved.
    sequence: Option<Sequence>,
}

/// What a task of a socket tells the server.
struct Came {
    port: usize,
    peer: Peer,
    what: What,
}

enum What {
    Datagram(Bytes),
    /// A connection, by which it is written to.
    Connection(mpsc::UnboundedSender<Bytes>),
    Bytes(Bytes),
    Frame(Bytes),
    Ended(String),
}

/// One place where the server listens.
struct Port {
    endpoint: Endpoint,
    outlet: Outlet,
}

enum Outlet {
    Socket(Arc<UdpSocket>),
    Secured(Arc<UdpSocket>, Box<SecureServer>),
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
    pub fn new(site: Site, faults: Vec<Fault>) -> Self {
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
            sequence: None,
        }
    }

    /// Listens for datagrams on `address`; returns the address with the port that was chosen.
    ///
    /// # Errors
    /// [`crate::error::Kind::Local`]: the address cannot be listened on.
    pub fn listen_datagrams(&mut self, address: SocketAddr) -> Result<SocketAddr> {
        let socket = Arc::new(udp::listening(address)?);
        let address = socket.local_addr().unwrap_or(address);
        let port = self.add(Transport::Datagram, Outlet::Socket(Arc::clone(&socket)));
        let receiving = receive(socket, port, self.sender.clone());
        self.tasks.push(tokio::spawn(receiving));
        Ok(address)
    }

    /// The same with DTLS.
    ///
    /// # Errors
    /// As [`Server::listen_datagrams`], and [`crate::error::Kind::Usage`] for secrets that cannot be used.
    pub fn listen_securely(
        &mut self,
        address: SocketAddr,
        secrets: &Secrets,
    ) -> Result<SocketAddr> {
        let socket = Arc::new(udp::listening(address)?);
        let address = socket.local_addr().unwrap_or(address);
        let secured = Box::new(SecureServer::new(address, secrets)?);
        let outlet = Outlet::Secured(Arc::clone(&socket), secured);
        let port = self.add(Transport::Datagram, outlet);
        let receiving = receive(socket, port, self.sender.clone());
        self.tasks.push(tokio::spawn(receiving));
        Ok(address)
    }

    /// Takes the connections of `listener`; `websocket` tells whether they begin with its handshake.
    pub fn listen_streams(&mut self, listener: Listener, websocket: bool) {
        let transport = if websocket {
            Transport::WebSocket
        } else {
            Transport::Stream
        };
        let port = self.add(transport, Outlet::Connections(HashMap::new()));
        let sender = self.sender.clone();
        self.tasks.push(tokio::spawn(async move {
            while let Ok(incoming) = listener.accept().await {
                let sender = sender.clone();
                tokio::spawn(async move {
                    let ready = tokio::time::timeout(HANDSHAKE, incoming.ready()).await;
                    if let Ok(Ok(stream)) = ready {
                        converse(stream, websocket, port, sender).await;
                    }
                });
            }
        }));
    }

    /// Takes only requests that OSCORE protects, on the one port that there is.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`]: the secrets make no context, or there is not exactly one port;
    /// [`crate::error::Kind::Local`]: the sequence number cannot be kept.
    pub async fn protect(&mut self, oscore: &Oscore) -> Result<()> {
        let [port] = &mut self.ports.0[..] else {
            let text = "with OSCORE a server listens in one place: its sequence numbers are for one endpoint";
            return Err(Error::usage(text));
        };
        let (mut context, sequence) = sequence::open(oscore, HANDSHAKE).await?;
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
        let config = Config {
            transport,
            serve: true,
            first_exchange: (port as u64) << RANGE,
            ..Config::default()
        };
        self.ports.0.push(Port {
            endpoint: Endpoint::new(config),
            outlet,
        });
        port
    }

    /// Serves until the future is dropped; `seen` hears of every request.
    pub async fn serve(&mut self, mut seen: impl FnMut(&Incoming)) {
        loop {
            self.settle(&mut seen);
            self.reserve();
            let far_away = Instant::now() + Duration::from_secs(3600);
            let due = self.due().unwrap_or(far_away);
            tokio::select! {
                Some(came) = self.receiver.recv() => self.take(came),
                () = sleep_until(due.into()) => self.time_passed(),
            }
        }
    }

    /// Takes all events and sends all messages.
    fn settle(&mut self, seen: &mut impl FnMut(&Incoming)) {
        let now = Instant::now();
        for port in 0..self.ports.0.len() {
            while let Some(event) = self.ports.0[port].endpoint.poll_event() {
                if let Event::Incoming(request) = &event {
                    seen(request);
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
                self.pass(Way::Out, port, peer, bytes);
            }
        }
    }

    /// Closes a connection: its writer ends when nobody can write to it any more.
    fn hang_up(&mut self, port: usize, peer: Peer) {
        while let Some((to, bytes)) = self.ports.0[port].endpoint.poll_transmit() {
            self.pass(Way::Out, port, to, bytes);
        }
        if let Outlet::Connections(connections) = &mut self.ports.0[port].outlet {
            connections.remove(&peer);
        }
    }

    /// Hands a datagram on, as the faults will have it; streams are left alone.
    fn pass(&mut self, way: Way, port: usize, peer: Peer, bytes: Bytes) {
        if matches!(self.ports.0[port].outlet, Outlet::Connections(_)) {
            return self.arrive(way, port, peer, bytes);
        }
        for delay in self.faults.fate(way) {
            if delay.is_zero() {
                self.arrive(way, port, peer, bytes.clone());
            } else {
                self.serial += 1;
                let key = (Instant::now() + delay, self.serial);
                self.held.insert(key, (way, port, peer, bytes.clone()));
            }
        }
    }

    fn arrive(&mut self, way: Way, port: usize, peer: Peer, bytes: Bytes) {
        let Port { endpoint, outlet } = &mut self.ports.0[port];
        let now = Instant::now();
        match (way, outlet) {
            (Way::In, Outlet::Secured(socket, secured)) => {
                for plain in secured.feed(now, peer, &bytes) {
                    endpoint.handle_datagram(now, peer, &plain);
                }
                send_all(socket, secured);
            }
            (Way::Out, Outlet::Secured(socket, secured)) => {
                secured.write(now, peer, &bytes);
                send_all(socket, secured);
            }
            (Way::In, _) => endpoint.handle_datagram(now, peer, &bytes),
            // A full send buffer loses the datagram, as a network would.
            (Way::Out, Outlet::Socket(socket)) => drop(socket.try_send_to(&bytes, peer)),
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
        let Port { endpoint, outlet } = &mut self.ports.0[port];
        match (what, outlet) {
            (What::Datagram(bytes), _) => self.pass(Way::In, port, peer, bytes),
            (What::Bytes(bytes), _) => endpoint.handle_stream(now, peer, &bytes),
            (What::Frame(bytes), _) => endpoint.handle_frame(now, peer, &bytes),
            (What::Connection(writer), Outlet::Connections(connections)) => {
                connections.insert(peer, writer);
                endpoint.connected(now, peer);
            }
            (What::Ended(why), Outlet::Connections(connections)) => {
                connections.remove(&peer);
                endpoint.disconnected(now, peer, &why);
            }
            (What::Connection(_) | What::Ended(_), Outlet::Socket(_) | Outlet::Secured(..)) => {}
        }
    }

    fn due(&self) -> Option<Instant> {
        let endpoints = self
            .ports
            .0
            .iter()
            .filter_map(|it| it.endpoint.poll_timeout());
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
            let (_, (way, port, peer, bytes)) = entry.remove_entry();
            self.arrive(way, port, peer, bytes);
        }
        for port in &mut self.ports.0 {
            port.endpoint.handle_timeout(now);
            if let Outlet::Secured(socket, secured) = &mut port.outlet {
                secured.handle_timeout(now);
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

/// A full send buffer loses the datagram, as a network would.
fn send_all(socket: &UdpSocket, secured: &mut SecureServer) {
    while let Some((peer, bytes)) = secured.poll_transmit() {
        let _ = socket.try_send_to(&bytes, peer);
    }
}

async fn receive(socket: Arc<UdpSocket>, port: usize, sender: mpsc::Sender<Came>) {
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        // Refusals of single peers are reported here too; they say nothing about the others.
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let what = What::Datagram(Bytes::copy_from_slice(&buffer[..length]));
        if sender.send(Came { port, peer, what }).await.is_err() {
            return;
        }
    }
}

/// Carries one connection until either side ends it.
async fn converse(stream: Stream, websocket: bool, port: usize, sender: mpsc::Sender<Came>) {
    let Ok(peer) = stream.peer().parse() else {
        return;
    };
    let (writer, mut outgoing) = mpsc::unbounded_channel();
    let tell = |what| sender.send(Came { port, peer, what });
    if tell(What::Connection(writer)).await.is_err() {
        return;
    }
    let mut wire = Streamed::new(stream, websocket, Config::default().max_message_size);
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    let why = loop {
        tokio::select! {
            written = outgoing.recv() => match written {
                Some(bytes) => {
                    wire.queue(bytes);
                    while let Ok(more) = outgoing.try_recv() {
                        wire.queue(more);
                    }
                    if wire.flush().await.is_err() {
                        break String::from("it cannot be written to");
                    }
                }
                None => break String::from("closed by us"),
            },
            heard = wire.hear(&mut buffer) => {
                let what = match heard {
                    Heard::Bytes(length) => What::Bytes(Bytes::copy_from_slice(&buffer[..length])),
                    Heard::Frame(frame) => What::Frame(frame),
                    Heard::Ended(why) => break why,
                    Heard::Datagram(..) | Heard::Undelivered(_) => continue,
                };
                if tell(what).await.is_err() {
                    return;
                }
            }
        }
    };
    wire.close().await;
    let _ = tell(What::Ended(why)).await;
}
