//! Endpoints on a virtual clock, over a wire that loses, doubles and delays as it is told.

mod alone;
mod block;
mod core;
mod hostile;
mod link;
mod loss;
mod observe;
mod protected;
mod reliable;
mod serving;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Config, Endpoint, Event, Failure, Handle, Peer, Reply, Request};
use crate::coap::code::Code;
use crate::coap::message::{Message, Type};
use crate::coap::plugtest::{self, Pace};
use crate::coap::random::Random;
use crate::coap::site::Site;

const LATENCY: Duration = Duration::from_millis(10);

fn server_address() -> Peer {
    ([192, 0, 2, 1], 5683).into()
}

fn client_address() -> Peer {
    ([192, 0, 2, 2], 40_000).into()
}

/// A datagram on the wire.
#[derive(Clone, Debug)]
struct Packet {
    /// From the client to the server.
    up: bool,
    /// 1 for the first one in its direction.
    nth: usize,
    /// When it was sent, since the beginning.
    at: Duration,
    message: Message,
    bytes: Bytes,
}

/// What becomes of a datagram: one delay for each copy that arrives.
type Fate = Box<dyn FnMut(&Packet) -> Vec<Duration>>;

/// A client and the plugtest's server.
struct Net {
    start: Instant,
    now: Instant,
    client: Endpoint,
    server: Endpoint,
    site: Site,
    in_flight: BTreeMap<(Instant, usize), Packet>,
    fate: Fate,
    sent: Vec<Packet>,
    /// Datagrams down and up.
    count: [usize; 2],
    events: Vec<Event>,
}

impl Net {
    fn new() -> Self {
        Self::with(Config::default(), Config::default())
    }

    fn with(client: Config, server: Config) -> Self {
        let start = Instant::now();
        let serving = Config {
            serve: true,
            adapt: false,
            ..server
        };
        Self {
            start,
            now: start,
            client: Endpoint::seeded(client, 1),
            server: Endpoint::seeded(serving, 2),
            site: plugtest::site(start, Pace::default()),
            in_flight: BTreeMap::new(),
            fate: Box::new(|_| vec![LATENCY]),
            sent: Vec::new(),
            count: [0; 2],
            events: Vec::new(),
        }
    }

    /// The same with a wire that loses the named datagrams of each direction.
    fn losing(up: &'static [usize], down: &'static [usize]) -> Self {
        let mut net = Self::new();
        net.fate = Box::new(move |packet| {
            let lost = if packet.up { up } else { down };
            match lost.contains(&packet.nth) {
                true => vec![],
                false => vec![LATENCY],
            }
        });
        net
    }

    fn flush(&mut self) {
        loop {
            while let Some(event) = self.server.poll_event() {
                self.site.handle(self.now, &mut self.server, event);
            }
            while let Some(event) = self.client.poll_event() {
                self.events.push(event);
            }
            let up = self.client.poll_transmit().map(|it| (true, it.1));
            let Some((up, bytes)) =
                up.or_else(|| self.server.poll_transmit().map(|it| (false, it.1)))
            else {
                return;
            };
            self.send_next(up, bytes);
        }
    }

    fn send_next(&mut self, up: bool, bytes: Bytes) {
        self.count[usize::from(up)] += 1;
        let packet = Packet {
            up,
            nth: self.count[usize::from(up)],
            at: self.now - self.start,
            message: Message::decode(&bytes).expect("what we send is CoAP"),
            bytes,
        };
        for (copy, delay) in (self.fate)(&packet).into_iter().enumerate() {
            let order = self.sent.len() * 8 + copy;
            self.in_flight
                .insert((self.now + delay, order), packet.clone());
        }
        self.sent.push(packet);
    }

    /// Goes to the next thing that happens, but not beyond `end`. False when nothing does until then.
    fn step(&mut self, end: Instant) -> bool {
        self.flush();
        let arrival = self.in_flight.first_key_value().map(|((at, _), _)| *at);
        let timers = [
            self.client.poll_timeout(),
            self.server.poll_timeout(),
            self.site.poll_timeout(),
        ];
        let next = timers.into_iter().flatten().chain(arrival).min();
        let Some(next) = next.filter(|at| *at <= end) else {
            self.now = end;
            return false;
        };
        self.now = self.now.max(next);
        while let Some(entry) = self
            .in_flight
            .first_entry()
            .filter(|it| it.key().0 <= self.now)
        {
            let packet = entry.remove();
            match packet.up {
                true => self
                    .server
                    .handle_datagram(self.now, client_address(), &packet.bytes),
                false => self
                    .client
                    .handle_datagram(self.now, server_address(), &packet.bytes),
            }
        }
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
        self.site.handle_timeout(self.now, &mut self.server);
        self.flush();
        true
    }

    fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
    }

    fn begin(&mut self, request: Request) -> Handle {
        self.client.request(self.now, request).expect("a request")
    }

    /// Runs until a request has ended.
    fn end(&mut self, handle: Handle) -> Result<Reply, Failure> {
        let limit = self.now + Duration::from_secs(200_000);
        let mut looked = 0;
        loop {
            self.flush();
            let new = &self.events[looked..];
            looked = self.events.len();
            for event in new {
                match event {
                    Event::Reply { handle: it, reply } if *it == handle => return Ok(reply.clone()),
                    Event::Failed {
                        handle: it,
                        failure,
                        ..
                    } if *it == handle => return Err(failure.clone()),
                    _ => {}
                }
            }
            assert!(self.step(limit), "the request never ends");
        }
    }

    fn ask(&mut self, request: Request) -> Reply {
        let handle = self.begin(request);
        self.end(handle).expect("a response")
    }

    fn get(&mut self, path: &str) -> Reply {
        self.ask(get(path))
    }

    /// What the client sent.
    fn up(&self) -> Vec<&Packet> {
        self.sent.iter().filter(|it| it.up).collect()
    }

    /// What the server sent.
    fn down(&self) -> Vec<&Packet> {
        self.sent.iter().filter(|it| !it.up).collect()
    }

    /// The bodies of all notifications.
    fn notified(&self) -> Vec<String> {
        let bodies = self.events.iter().filter_map(|event| match event {
            Event::Notification { reply, .. } => Some(body(reply)),
            _ => None,
        });
        bodies.collect()
    }
}

fn request(method: Code, path: &str) -> Request {
    Request::new(server_address(), method).path(path)
}

fn get(path: &str) -> Request {
    request(Code::GET, path)
}

fn with_body(method: Code, path: &str, body: impl Into<Bytes>) -> Request {
    let mut request = request(method, path);
    request
        .options
        .push_uint(crate::coap::option::CONTENT_FORMAT, 0);
    request.payload = body.into();
    request
}

fn non(mut request: Request) -> Request {
    request.confirmable = false;
    request
}

fn observe(path: &str) -> Request {
    let mut request = get(path);
    request.observe = true;
    request
}

fn body(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.response.payload).into_owned()
}

/// A body in which every block differs.
fn pattern(length: usize) -> Bytes {
    let mut random = Random::seeded(length as u64);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend(random.next().to_be_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Whether this is an empty message of this type.
fn is_empty(packet: &Packet, kind: Type) -> bool {
    packet.message.code == Code::EMPTY && packet.message.kind == kind
}
