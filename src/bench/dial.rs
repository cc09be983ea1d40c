//! Opens transports for a load: many, from chosen addresses, and with explicit ports when the kernel's are spent.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpSocket;
use tokio::time::timeout;

use super::driver::{Broken, Dialing, End, How, Link};
use super::result::Connections;
use super::system;
use crate::connect::{self, LocalAddress, Protocol, Target, Transport, diagnose};
use crate::error::{Error, Kind, Result, plain};
use crate::random::unguessable;

/// The first port that needs no privilege.
const FIRST_PORT: u32 = 1024;
/// Explicit ports that are tried before giving up.
const TRIES: u32 = 4096;

/// Opens connections to one target.
#[derive(Debug)]
pub(crate) struct Dialer {
    target: Arc<Target>,
    /// Where the target is; looked up once.
    address: Option<SocketAddr>,
    sources: Vec<LocalAddress>,
    /// The kernel's own ports, from and to, which are left to it as long as they last.
    ports: (u16, u16),
    /// Connections that the kernel's ports are enough for.
    enough: usize,
    next_port: AtomicU32,
    /// TLS handshakes done: in full, and going on with an earlier session.
    handshakes: [AtomicU64; 2],
}

impl Dialer {
    /// Looks the target up. `sources`: local addresses to connect from, in turn; none: the kernel chooses.
    /// `connections`: how many will be open at once, and what else helps where there are more than ports, as for
    /// [`system::reserve_descriptors`].
    ///
    /// # Errors
    /// An unknown host; more connections than there are ports.
    pub(crate) async fn new(
        target: Target,
        sources: Vec<LocalAddress>,
        (connections, or): (usize, &str),
    ) -> Result<Self> {
        target.prepare()?;
        if let Some(proxy) = &target.proxy {
            let text = format!("a load through a proxy ({proxy}) would measure the proxy");
            return Err(Error::usage(text).hint("remove --proxy"));
        }
        let address = match target.transport {
            Transport::Unix(_) => None,
            _ => Some(connect::dial::address(&target).await?),
        };
        let target = target.current();
        let ports = system::port_range().unwrap_or((32_768, 60_999));
        let dialer = Self {
            target: Arc::new(target),
            address,
            sources,
            ports,
            enough: usize::from(ports.1 - ports.0),
            // Not where other processes begin that connect to the same server.
            next_port: AtomicU32::new(unguessable() as u32 % 65_536),
            handshakes: [const { AtomicU64::new(0) }; 2],
        };
        dialer.check_ports(connections, or)?;
        Ok(dialer)
    }

    /// One source address reaches one destination from every port but the privileged ones.
    fn check_ports(&self, connections: usize, or: &str) -> Result<()> {
        let Some(address) = self.address else {
            return Ok(());
        };
        let each = usize::from(u16::MAX) - FIRST_PORT as usize;
        let have = each * self.sources.len().max(1);
        if connections <= have {
            return Ok(());
        }
        let sources = connections.div_ceil(each);
        let text = format!(
            "{connections} connections to {address} need {sources} source addresses, but there are {}",
            self.sources.len().max(1)
        );
        let sources = match address.ip().is_loopback() {
            true => "127.0.0.1,127.0.0.2,…",
            false => "ADDRESS,ADDRESS,…",
        };
        let hint = format!("{have} would fit; add --bind {sources}{or}");
        Err(Error::new(Kind::Local, text).hint(hint))
    }

    /// Opens connection `number`.
    pub(crate) fn dial(self: &Arc<Self>, number: usize) -> Dialing {
        let dialer = Arc::clone(self);
        Box::pin(async move {
            let limit = dialer.target.connect_timeout;
            let opened = timeout(limit, dialer.open(number)).await;
            opened.unwrap_or_else(|_| {
                let limit = humantime::format_duration(limit);
                let target = &dialer.target;
                let text = format!("cannot connect to {target}: timed out after {limit}");
                Err(Error::new(Kind::TimedOut, text))
            })
        })
    }

    async fn open(&self, number: usize) -> Result<Box<dyn Link>> {
        let Some(address) = self.address else {
            return Ok(Box::new(connect::dial(&self.target).await?));
        };
        let tcp = self
            .tcp(address, number)
            .await
            .map_err(|cause| self.failure(&cause))?;
        if self.target.transport == Transport::Tcp {
            return Ok(Box::new(tcp));
        }
        let stream = connect::dial::over(&self.target, tcp).await?;
        if let Some(resumed) = stream.is_resumed() {
            self.handshakes[usize::from(resumed)].fetch_add(1, Ordering::Relaxed);
        }
        Ok(Box::new(stream))
    }

    /// Enters the TLS handshakes that were done.
    pub(crate) fn report(&self, connections: &mut Connections) {
        let [full, resumed] = [0, 1].map(|kind| self.handshakes[kind].load(Ordering::Relaxed));
        (connections.tls_full, connections.tls_resumed) = (full, resumed);
    }

    /// How long the protocol may take to greet.
    pub(crate) fn patience(&self) -> Duration {
        self.target.connect_timeout
    }

    /// What it means that a connection ended like this before it could be used, in the words of the other commands.
    pub(crate) fn unusable(&self, end: End<'_>) -> Broken {
        let target = &self.target;
        if let Some(foreign) = self.foreign(end.bytes) {
            return foreign;
        }
        let abrupt = |cause: &io::Error| {
            let kind = cause.kind();
            matches!(
                kind,
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
            ) && !target.transport.is_encrypted()
        };
        match end.how {
            How::Broken(broken) => broken,
            How::Failed(cause) if !abrupt(cause) => connect::failure(target, cause).into(),
            How::Closed | How::Failed(_) if end.heard && target.protocol == Protocol::Amqp => {
                // A server that hangs up after its first words did not like who we are (AMQP 0-9-1 §2.2.4).
                let text = format!("{target} closed the connection during the login");
                Broken {
                    hint: Some("user name, password or virtual host may be wrong".to_owned()),
                    ..Broken::of(Kind::Unauthorized, text)
                }
            }
            How::Closed | How::Failed(_) => {
                Broken::new(format!("{target} closed the connection during setup"))
            }
            How::Silent => {
                let limit = humantime::format_duration(target.connect_timeout);
                let text =
                    format!("{target} accepted the connection but did not respond within {limit}");
                let protocol = target.protocol.name();
                Broken {
                    hint: Some(format!(
                        "is this an {protocol} server? --connect-timeout waits longer"
                    )),
                    ..Broken::of(Kind::TimedOut, text)
                }
            }
        }
    }

    /// Bytes that belong to another protocol.
    fn foreign(&self, bytes: &[u8]) -> Option<Broken> {
        let protocol = self.target.protocol;
        if protocol == Protocol::Amqp && bytes.starts_with(b"AMQP") {
            // Another version of it, which the session names.
            return None;
        }
        let found = diagnose::first_bytes(bytes)?;
        let (target, name) = (&self.target, protocol.name());
        let text = format!("{target} speaks {}, not {name}", found.what);
        Some(Broken {
            hint: found.hint.map(str::to_owned),
            ..Broken::of(Kind::Unreachable, text)
        })
    }

    /// Looks closer at why no connection could be opened: a server that speaks TLS closes a plain connection without a
    /// word. Takes 2 s at most.
    pub(crate) async fn explain(&self, trouble: &mut Option<Error>) {
        let Some(error) = trouble.take_if(|error| error.kind() == Kind::Lost) else {
            return;
        };
        *trouble = Some(match diagnose::silent_close(&self.target).await {
            Some(hint) => Error::new(Kind::Unreachable, error.text()).hint(hint),
            None => error,
        });
    }

    async fn tcp(&self, address: SocketAddr, number: usize) -> io::Result<tokio::net::TcpStream> {
        let source = match self.sources.len() {
            0 => None,
            count => Some(self.sources[number % count]),
        };
        let round = number / self.sources.len().max(1);
        let explicit = round >= self.enough || source.is_some() && number >= self.enough;
        if !explicit {
            match connect_from(address, source, 0).await {
                Err(cause) if is_spent(&cause) => {}
                done => return done,
            }
        }
        let source = source.unwrap_or_else(|| self.local(address).into());
        for _ in 0..TRIES {
            match connect_from(address, Some(source), self.port()).await {
                Err(cause) if is_spent(&cause) => {}
                done => return done,
            }
        }
        Err(io::ErrorKind::AddrNotAvailable.into())
    }

    /// The address that the kernel would connect from.
    fn local(&self, to: SocketAddr) -> IpAddr {
        if to.ip().is_loopback() {
            return to.ip();
        }
        let any: IpAddr = match to {
            SocketAddr::V4(_) => IpAddr::from([0; 4]),
            SocketAddr::V6(_) => IpAddr::from([0; 16]),
        };
        // Connecting a UDP socket sends nothing and chooses a source.
        let socket = std::net::UdpSocket::bind((any, 0)).and_then(|socket| {
            socket.connect(to)?;
            socket.local_addr()
        });
        socket.map_or(any, |address| address.ip())
    }

    /// The next port outside the kernel's range, over and over.
    fn port(&self) -> u16 {
        loop {
            let next = self.next_port.fetch_add(1, Ordering::Relaxed);
            let port = (FIRST_PORT + next % (65_536 - FIRST_PORT)) as u16;
            if port < self.ports.0 || port > self.ports.1 {
                return port;
            }
        }
    }

    fn failure(&self, cause: &io::Error) -> Error {
        let foreign = || self.sources.iter().find(|source| source.is_foreign());
        let foreign = match cause.kind() {
            io::ErrorKind::AddrNotAvailable => foreign(),
            _ => None,
        };
        if let Some(source) = foreign {
            let text = format!(
                "cannot connect to {}: {}",
                self.target,
                source.unavailable()
            );
            return Error::new(Kind::Unreachable, text);
        }
        let text = format!("cannot connect to {}: {}", self.target, plain(cause));
        let error = Error::new(Kind::Unreachable, text);
        match cause.kind() {
            io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse => {
                error.hint("out of local ports: connect from more addresses with --bind A,B,…")
            }
            _ if cause.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
                error.hint("too many open descriptors: raise ulimit -n")
            }
            _ => error,
        }
    }
}

fn is_spent(cause: &io::Error) -> bool {
    matches!(
        cause.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse
    )
}

async fn connect_from(
    to: SocketAddr,
    from: Option<LocalAddress>,
    port: u16,
) -> io::Result<tokio::net::TcpStream> {
    let socket = match to {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if let Some(from) = from {
        // A port in TIME_WAIT is free for another connection.
        socket.set_reuseaddr(true)?;
        from.bind(&SockRef::from(&socket), port, &to)?;
    }
    socket.set_nodelay(true)?;
    socket.connect(to).await
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::connect::Protocol;

    #[tokio::test]
    async fn explicit_ports_lie_outside_the_kernels_and_sources_take_turns() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = Target::tcp(Protocol::Mqtt, "127.0.0.1", port);
        let sources = ["127.0.0.2", "127.0.0.3"].map(|ip| ip.parse().unwrap());
        let mut dialer = Dialer::new(target, sources.to_vec(), (6, ""))
            .await
            .unwrap();
        // As if two connections of each source had spent the kernel's ports.
        dialer.enough = 2;
        let dialer = Arc::new(dialer);
        let mut open = Vec::new();
        for number in 0..6 {
            open.push(dialer.dial(number).await.unwrap());
            let (_, from) = listener.accept().await.unwrap();
            assert_eq!(
                LocalAddress::from(from.ip()),
                sources[number % 2],
                "{number}"
            );
            let kernels = dialer.ports.0..=dialer.ports.1;
            assert_eq!(
                kernels.contains(&from.port()),
                number < 2,
                "{number}: {from}"
            );
        }
    }

    #[tokio::test]
    async fn more_connections_than_ports_are_refused_with_a_way_out() {
        let target = Target::tcp(Protocol::Mqtt, "127.0.0.1", 1);
        let refused = Dialer::new(target, Vec::new(), (100_000, ", or else"))
            .await
            .unwrap_err();
        assert!(
            refused.text().contains("need 2 source addresses"),
            "{refused}"
        );
        let hint = refused.hint_text().unwrap_or_default();
        assert_eq!(
            hint,
            "64511 would fit; add --bind 127.0.0.1,127.0.0.2,…, or else"
        );
    }
}
