//! A way through a proxy: SOCKS5 (RFC 1928) or HTTP CONNECT (RFC 9110 §9.3.6).

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::str::FromStr;

use data_encoding::BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::secret::Secret;
use super::url;

/// No sensible answer to CONNECT is longer.
const LARGEST_HEAD: usize = 16 * 1024;

/// A proxy, as its URL has it. `Display` shows it without the login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    kind: ProxyKind,
    /// A name or an IP address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    login: Option<(String, Secret)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProxyKind {
    Socks5,
    Http,
}

/// Why a proxy does not lead anywhere.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// It does not accept the login, or wants one.
    Login(String),
    /// It does not connect us, or is no such proxy.
    Refused(String),
    /// The connection to it failed.
    Io(io::Error),
}

impl From<io::Error> for Obstacle {
    fn from(cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::UnexpectedEof => Self::Refused(String::from("it closed the connection")),
            _ => Self::Io(cause),
        }
    }
}

impl FromStr for Proxy {
    type Err = String;

    /// Reads `socks5h://USER:PASSWORD@HOST:PORT` or `http://…`; the login and the port may be left out.
    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, url) = url::proxy(text)?;
        let (kind, port) = match scheme.to_ascii_lowercase().as_str() {
            "socks5h" => (ProxyKind::Socks5, 1080),
            "http" => (ProxyKind::Http, 8080),
            "socks5" => {
                return Err(String::from(
                    "expected socks5h://: the proxy resolves the host name",
                ));
            }
            _ => {
                return Err(String::from(
                    "expected socks5h://HOST:PORT or http://HOST:PORT",
                ));
            }
        };
        let password = url.password.unwrap_or_default();
        let login = url.username.map(|name| (name, password));
        if let Some((name, password)) = &login
            && kind == ProxyKind::Socks5
            && (name.len() > 255 || password.reveal().len() > 255)
        {
            return Err(String::from(
                "SOCKS5 has user names and passwords of at most 255 bytes",
            ));
        }
        let [place] = &url.hosts[..] else {
            return Err(String::from("a proxy is one host"));
        };
        Ok(Self {
            kind,
            host: place.host.clone(),
            port: url.port.unwrap_or(port),
            login,
        })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            ProxyKind::Socks5 => "socks5h",
            ProxyKind::Http => "http",
        };
        let (open, close) = if self.host.contains(':') {
            ("[", "]")
        } else {
            ("", "")
        };
        write!(f, "{scheme}://{open}{}{close}:{}", self.host, self.port)
    }
}

impl Proxy {
    /// Asks the proxy on the other end of `tcp` to connect us to `host` and `port`; what follows is between us and that.
    pub(super) async fn open(
        &self,
        tcp: &mut TcpStream,
        host: &str,
        port: u16,
    ) -> Result<(), Obstacle> {
        match self.kind {
            ProxyKind::Socks5 => self.socks5(tcp, host, port).await,
            ProxyKind::Http => self.connect(tcp, host, port).await,
        }
    }

    async fn socks5(&self, tcp: &mut TcpStream, host: &str, port: u16) -> Result<(), Obstacle> {
        const NO_LOGIN: u8 = 0;
        const PASSWORD: u8 = 2;
        let foreign = || Obstacle::Refused(String::from("it does not speak SOCKS5"));
        tcp.write_all(match self.login {
            None => &[5, 1, NO_LOGIN],
            Some(_) => &[5, 2, NO_LOGIN, PASSWORD],
        })
        .await?;
        let mut answer = [0; 2];
        tcp.read_exact(&mut answer).await?;
        match (answer, &self.login) {
            ([5, NO_LOGIN], _) => {}
            ([5, PASSWORD], Some((name, password))) => log_in(tcp, name, password).await?,
            ([5, _], _) => {
                let text = "it accepts no login that we have";
                return Err(Obstacle::Login(String::from(text)));
            }
            _ => return Err(foreign()),
        }
        let mut request = vec![5, 1, 0];
        push_address(host, &mut request)?;
        request.extend_from_slice(&port.to_be_bytes());
        tcp.write_all(&request).await?;
        let mut answer = [0; 4];
        tcp.read_exact(&mut answer).await?;
        let rest = match answer {
            [5, 0, _, 1] => 4,
            [5, 0, _, 3] => usize::from(tcp.read_u8().await?),
            [5, 0, _, 4] => 16,
            [5, code, _, _] if code != 0 => {
                return Err(Obstacle::Refused(format!("it answers: {}", reply(code))));
            }
            _ => return Err(foreign()),
        };
        // Its own address and port towards the server, which mean nothing to us.
        let mut bound = vec![0; rest + 2];
        tcp.read_exact(&mut bound).await?;
        Ok(())
    }

    async fn connect(&self, tcp: &mut TcpStream, host: &str, port: u16) -> Result<(), Obstacle> {
        let place = match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        let mut request = format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n");
        if let Some((name, password)) = &self.login {
            let login = [name.as_bytes(), b":", password.reveal()].concat();
            request += &format!("Proxy-Authorization: Basic {}\r\n", BASE64.encode(&login));
        }
        tcp.write_all((request + "\r\n").as_bytes()).await?;
        let head = read_head(tcp).await?;
        let line = head.split("\r\n").next().unwrap_or_default();
        let mut words = line.splitn(3, ' ');
        let is_http = words.next().is_some_and(|word| word.starts_with("HTTP/1."));
        match words.next().and_then(|code| code.parse::<u16>().ok()) {
            Some(200..=299) if is_http => Ok(()),
            Some(407) if is_http => Err(Obstacle::Login(String::from(match self.login {
                None => "it requires a login",
                Some(_) => "it does not accept the login",
            }))),
            Some(code) if is_http => {
                let name = words.next().unwrap_or_default();
                let text = format!("it answers HTTP {code} {name}");
                Err(Obstacle::Refused(text.trim_end().to_owned()))
            }
            _ => Err(Obstacle::Refused(String::from("it does not speak HTTP"))),
        }
    }
}

/// User name and password (RFC 1929).
async fn log_in(tcp: &mut TcpStream, name: &str, password: &Secret) -> Result<(), Obstacle> {
    let mut request = vec![1];
    for part in [name.as_bytes(), password.reveal()] {
        // At most 255 bytes, which was checked when the URL was read.
        request.push(part.len() as u8);
        request.extend_from_slice(part);
    }
    tcp.write_all(&request).await?;
    let mut answer = [0; 2];
    tcp.read_exact(&mut answer).await?;
    match answer {
        [_, 0] => Ok(()),
        _ => Err(Obstacle::Login(String::from(
            "it does not accept the login",
        ))),
    }
}

fn push_address(host: &str, into: &mut Vec<u8>) -> Result<(), Obstacle> {
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            into.push(1);
            into.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            into.push(4);
            into.extend_from_slice(&address.octets());
        }
        Err(_) => {
            let Ok(length) = u8::try_from(host.len()) else {
                let text = format!("a host name of {} bytes is too long for it", host.len());
                return Err(Obstacle::Refused(text));
            };
            into.extend_from_slice(&[3, length]);
            into.extend_from_slice(host.as_bytes());
        }
    }
    Ok(())
}

/// RFC 1928 §6.
const fn reply(code: u8) -> &'static str {
    match code {
        2 => "not allowed by its rules",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "general failure",
    }
}

/// Up to the empty line, and not a byte of what the server says behind it.
async fn read_head(tcp: &mut TcpStream) -> Result<String, Obstacle> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == LARGEST_HEAD {
            return Err(Obstacle::Refused(String::from("its answer has no end")));
        }
        head.push(tcp.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_url() {
        let read = |text: &str| text.parse::<Proxy>();
        let full = read("socks5h://me:p%3Aw%40@[::1]:1081").unwrap();
        assert_eq!(full.to_string(), "socks5h://[::1]:1081");
        assert_eq!(full.login, Some((String::from("me"), Secret::from("p:w@"))));
        assert_eq!(read("socks5h://h").unwrap().port, 1080);
        assert_eq!(read("http://h/").unwrap().to_string(), "http://h:8080");
        for (text, why) in [
            ("socks5://h", "socks5h://"),
            (
                "ftp://h",
                "expected socks5h://HOST:PORT or http://HOST:PORT",
            ),
            ("h:1080", "expected socks5h://HOST:PORT or http://HOST:PORT"),
            ("http://h/x", "a proxy has no path"),
            ("http://h:0", "not a port"),
            ("http://", "no host"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
        let long = format!("socks5h://{}@h", "u".repeat(256));
        assert!(read(&long).unwrap_err().contains("255"));
    }
}
