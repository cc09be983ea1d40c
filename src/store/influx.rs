//! InfluxDB: points over HTTP, each batch acknowledged; or over TCP or UDP, where nobody answers.
//!
//! A server that refuses a batch says neither which of its lines are at fault nor stores the others: so the batch is divided
//! until they are alone. A server that cannot be reached or has too much to do gets it later, for as long as it takes.

use std::io::{self, Write};
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use super::{Refusal, Store, Times};
use crate::connect::http::{Client, Method, Request, Response};
use crate::connect::{Backoff, ConnectArgs, Environment, Protocol, Retry, Secret};
use crate::error::{Error, Kind, Result, brief, plain};
use crate::message::Message;
use crate::output::Console;
use crate::payload::points::{Missing, Points};

/// As many lines are sent at once.
const BATCH: usize = 5000;

/// As many bytes a datagram has at most, unless one line alone has more.
const DATAGRAM: usize = 1400;

/// No datagram has more bytes.
const LARGEST_DATAGRAM: usize = 65_507;

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// No server makes us wait longer.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Where points are sent.
#[derive(Clone, Debug)]
pub enum Place {
    /// By HTTP to this URL, under this path; with a token, or a user's name and password in the URL.
    Http {
        /// `http://host:8086`.
        connect: Box<ConnectArgs>,
        /// `/write?db=home&precision=ns`.
        path: String,
        /// For the header Authorization.
        token: Option<Secret>,
    },
    /// To this host and port.
    Tcp(String),
    /// To this host and port, in datagrams.
    Udp(String),
}

/// A connection to a server, and the points that are to be sent next.
pub struct Influx {
    name: String,
    link: Link,
    points: Points,
    times: Times,
    missing: Missing,
    /// Lines, each with the number of its message.
    pending: Vec<(u64, Vec<u8>)>,
    /// The numbers of messages without a line.
    empty: Vec<u64>,
    console: Console,
}

enum Link {
    Http {
        runtime: Runtime,
        client: Box<Client>,
        path: String,
        authorization: Option<String>,
    },
    Tcp {
        place: String,
        stream: Option<TcpStream>,
    },
    Udp {
        place: String,
        socket: UdpSocket,
    },
}

type Line = (u64, Vec<u8>);

/// What became of a batch.
enum Sent {
    Stored,
    /// Lines of it are at fault.
    Refused(String),
    /// To be sent again, at the earliest after this time.
    Later(Error, Duration),
}

impl Influx {
    /// Connects, so that a server that is not there is told before anything is received; `name`: what the user calls it.
    ///
    /// # Errors
    /// No connection; a login that is refused.
    pub fn open(
        name: String,
        place: &Place,
        points: Points,
        times: Times,
        console: Console,
    ) -> Result<Self> {
        Ok(Self {
            link: Link::open(place)?,
            name,
            points,
            times,
            missing: Missing::new(),
            pending: Vec::new(),
            empty: Vec::new(),
            console,
        })
    }

    /// Sends lines until the server has answered for all of them.
    fn send(&mut self, lines: &[Line], refused: &mut Vec<Refusal>) -> Result<()> {
        let mut body = Vec::new();
        lines
            .iter()
            .for_each(|(_, line)| body.extend_from_slice(line));
        let mut backoff = Backoff::new(Retry::Forever);
        let mut told = false;
        let why = loop {
            match self.link.send(&body)? {
                Sent::Stored => break None,
                Sent::Refused(why) => break Some(why),
                Sent::Later(why, least) => {
                    if !std::mem::replace(&mut told, true) {
                        self.console.warn(format_args!("{why}; trying again"));
                    }
                    let wait = backoff.next(Instant::now()).unwrap_or_default();
                    sleep(wait.max(least));
                }
            }
        };
        if told {
            self.console
                .note(format_args!("{} takes points again", self.name));
        }
        match why {
            None => Ok(()),
            Some(why) => self.divide(lines, &why, refused),
        }
    }

    /// Sends both halves of what was refused; a line alone is at fault.
    fn divide(&mut self, lines: &[Line], why: &str, refused: &mut Vec<Refusal>) -> Result<()> {
        if let [(number, _)] = lines {
            let text = format!("{} refused a point: {}", self.name, brief(why));
            refused.push((*number, Error::new(Kind::Refused, text)));
            return Ok(());
        }
        let (first, second) = lines.split_at(lines.len() / 2);
        self.send(first, refused)?;
        self.send(second, refused)
    }
}

impl Store for Influx {
    fn put(&mut self, number: u64, mut message: Message) -> Result<()> {
        self.times.set(&mut message);
        let mut line = Vec::new();
        self.points.push(&message, &mut self.missing, &mut line);
        match line.is_empty() {
            true => self.empty.push(number),
            false => self.pending.push((number, line)),
        }
        Ok(())
    }

    fn commit(&mut self, refused: &mut Vec<Refusal>) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let mut batches = pending.chunks(BATCH);
        batches.try_for_each(|lines| self.send(lines, refused))
    }

    fn empty(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.empty)
    }

    fn missing(&self) -> Vec<(String, u64)> {
        let missing = self.missing.iter();
        let missing = missing.map(|(what, count)| (what.clone(), *count));
        missing.chain(self.times.missing()).collect()
    }
}

impl Link {
    fn open(place: &Place) -> Result<Self> {
        match place {
            Place::Http {
                connect,
                path,
                token,
            } => {
                let runtime = Builder::new_current_thread().enable_all().build();
                let runtime = runtime.map_err(|cause| Error::local("cannot start", &cause))?;
                let connect = ConnectArgs::clone(connect);
                let target = connect.resolve(Protocol::Http, &Environment::of_process())?;
                let token = token
                    .as_ref()
                    .map(|it| String::from_utf8_lossy(it.reveal()));
                Ok(Self::Http {
                    runtime,
                    client: Box::new(Client::new(target, PATIENCE)),
                    path: path.clone(),
                    authorization: token.map(|token| format!("Token {}", token.trim())),
                })
            }
            Place::Tcp(place) => Ok(Self::Tcp {
                stream: Some(connect(place)?),
                place: place.clone(),
            }),
            Place::Udp(place) => {
                let failed = |cause: io::Error| unreachable(place, &cause);
                let address = address(place)?;
                let local = match address.is_ipv4() {
                    true => "0.0.0.0:0",
                    false => "[::]:0",
                };
                let socket = UdpSocket::bind(local).map_err(failed)?;
                socket.connect(address).map_err(failed)?;
                Ok(Self::Udp {
                    place: place.clone(),
                    socket,
                })
            }
        }
    }

    /// # Errors
    /// What makes it impossible to go on.
    fn send(&mut self, body: &[u8]) -> Result<Sent> {
        match self {
            Self::Http {
                runtime,
                client,
                path,
                authorization,
            } => {
                let mut headers = vec![("Content-Type", "text/plain; charset=utf-8")];
                headers.extend(authorization.as_deref().map(|it| ("Authorization", it)));
                let request = Request {
                    method: Method::Post,
                    path,
                    headers: &headers,
                    body,
                };
                match runtime.block_on(client.request(&request)) {
                    Ok(response) => judge(&client.target().to_string(), &response),
                    Err(why) if why.kind() == Kind::Usage => Err(why),
                    Err(why) => Ok(Sent::Later(why, Duration::ZERO)),
                }
            }
            Self::Tcp { place, stream } => Ok(over_tcp(place, stream, body)),
            Self::Udp { place, socket } => Ok(datagrams(place, socket, body)),
        }
    }
}

/// What an answer to a batch means.
fn judge(name: &str, response: &Response) -> Result<Sent> {
    let why = reason(response);
    let error = |kind| {
        let status = response.status;
        let text = match why.is_empty() {
            true => format!("{name} answered {status}"),
            false => format!("{name} answered {status}: {}", brief(&why)),
        };
        Error::new(kind, text)
    };
    match response.status {
        200..=299 => Ok(Sent::Stored),
        // One that is too large is divided too.
        400 | 413 | 422 => Ok(Sent::Refused(why)),
        401 | 403 => Err(error(Kind::Unauthorized)),
        429 | 500.. => {
            let wait = response.header("Retry-After");
            let wait = wait.and_then(|it| it.trim().parse().ok());
            let wait = Duration::from_secs(wait.unwrap_or_default()).min(LONGEST_WAIT);
            Ok(Sent::Later(error(Kind::Refused), wait))
        }
        _ => Err(error(Kind::Refused)),
    }
}

/// What the server says: `{"error": …}` of version 1, `{"message": …}` of version 2, or text.
fn reason(response: &Response) -> String {
    let json: Option<Value> = serde_json::from_slice(&response.body).ok();
    let words = json.as_ref().and_then(|json| {
        let found = json.get("error").or_else(|| json.get("message"))?;
        found.as_str()
    });
    match words {
        Some(words) => words.to_owned(),
        None => String::from_utf8_lossy(&response.body).trim().to_owned(),
    }
}

fn unreachable(place: &str, cause: &io::Error) -> Error {
    let text = format!("cannot connect to {place}: {}", plain(cause));
    Error::new(Kind::Unreachable, text)
}

fn address(place: &str) -> Result<std::net::SocketAddr> {
    let mut found = place
        .to_socket_addrs()
        .map_err(|cause| unreachable(place, &cause))?;
    let none = || Error::new(Kind::Unreachable, format!("{place} has no address"));
    found.next().ok_or_else(none)
}

fn connect(place: &str) -> Result<TcpStream> {
    TcpStream::connect_timeout(&address(place)?, Duration::from_secs(10))
        .map_err(|cause| unreachable(place, &cause))
}

/// What was written before a connection was lost may be lost; what is not written goes over the next one, from its first line.
fn over_tcp(place: &str, stream: &mut Option<TcpStream>, body: &[u8]) -> Sent {
    let opened = match stream.take() {
        Some(stream) => Ok(stream),
        None => connect(place),
    };
    let written = opened.and_then(|mut open| {
        let written = open.write_all(body);
        written.map_err(|cause| unreachable(place, &cause))?;
        Ok(open)
    });
    match written {
        Ok(open) => {
            *stream = Some(open);
            Sent::Stored
        }
        Err(why) => Sent::Later(why, Duration::ZERO),
    }
}

fn datagrams(place: &str, socket: &UdpSocket, body: &[u8]) -> Sent {
    let mut datagram: Vec<u8> = Vec::new();
    let mut lines = body.split_inclusive(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        // That would never go, and what comes after it would wait for ever.
        if line.len() > LARGEST_DATAGRAM {
            let text = format!("{} bytes are more than a datagram holds", line.len());
            return Sent::Refused(text);
        }
        datagram.extend_from_slice(line);
        let fits = lines
            .peek()
            .is_some_and(|next| datagram.len() + next.len() <= DATAGRAM);
        if fits {
            continue;
        }
        match socket.send(&datagram) {
            // Nobody listened to the one before: whether anyone does is not known of any.
            Ok(_) => {}
            Err(cause) if cause.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(cause) => return Sent::Later(unreachable(place, &cause), Duration::ZERO),
        }
        datagram.clear();
    }
    Sent::Stored
}

#[cfg(test)]
mod tests;
