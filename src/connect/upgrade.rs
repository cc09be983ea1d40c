//! The HTTP part of a WebSocket connection, both sides (RFC 6455 §4).

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::handshake::client::{Response, generate_key};
use tokio_tungstenite::tungstenite::handshake::machine::TryParse;
use tokio_tungstenite::tungstenite::handshake::server::{Request, create_response, write_response};
use tokio_tungstenite::tungstenite::handshake::{derive_accept_key, headers::MAX_HEADERS};
use tokio_tungstenite::tungstenite::http::HeaderValue;

use super::scheme::Protocol;
use super::websocket::{Role, WebSocket};

/// No sensible request or answer is longer.
const LARGEST_HEAD: usize = 16 * 1024;
const PROTOCOL_HEADER: &str = "Sec-WebSocket-Protocol";

/// Why there is no WebSocket.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server answered with another status than 101.
    Status {
        /// The number.
        status: u16,
        /// The number's usual name, or nothing.
        name: &'static str,
        /// Where it redirects to.
        location: Option<String>,
    },
    /// What came is no answer to our request: what is wrong with it.
    Answer(String),
    /// The connection failed or ended.
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(cause: io::Error) -> Self {
        Self::Io(cause)
    }
}

/// Asks for `path` with `subprotocol`; an answer that leaves the sub-protocol out is tolerated. A header replaces ours
/// of the same name.
pub(super) async fn request<S: AsyncRead + AsyncWrite + Unpin>(
    mut wire: S,
    host: &str,
    path: &str,
    subprotocol: &str,
    headers: &[(String, String)],
) -> Result<WebSocket<S>, Failure> {
    let key = generate_key();
    let given = |name: &str| {
        let mut headers = headers.iter();
        headers.find(|it| it.0.eq_ignore_ascii_case(name))
    };
    let mut text = format!("GET {} HTTP/1.1\r\n", escaped(path));
    let ours = [
        ("Host", host),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", &key),
        (PROTOCOL_HEADER, subprotocol),
    ];
    let ours = ours.into_iter().filter(|it| given(it.0).is_none());
    let theirs = headers.iter().map(|(name, value)| (&**name, &**value));
    for (name, value) in ours.chain(theirs) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    wire.write_all(text.as_bytes()).await?;
    wire.flush().await?;
    let (answer, rest) = read_head::<_, Response>(&mut wire).await?;
    let offered = given(PROTOCOL_HEADER).map_or(subprotocol, |it| &it.1);
    check(&answer, &key, offered)?;
    Ok(WebSocket::new(wire, Role::Client, rest))
}

/// A path with what may not stand in a request line percent-encoded (RFC 3986 §2).
pub(super) fn escaped(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'!'..=b'~' if !b"\"<>\\^`{|}".contains(&byte) => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// `offered` is a list of sub-protocols.
fn check(answer: &Response, key: &str, offered: &str) -> Result<(), Failure> {
    let status = answer.status();
    if status.as_u16() != 101 {
        let location = answer.headers().get("Location");
        return Err(Failure::Status {
            status: status.as_u16(),
            name: status.canonical_reason().unwrap_or(""),
            location: location
                .filter(|_| status.is_redirection())
                .map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned()),
        });
    }
    let header = |name: &str| {
        answer
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let upgrades = header("Upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    if !upgrades
        || header("Sec-WebSocket-Accept") != Some(derive_accept_key(key.as_bytes()).as_str())
    {
        return Err(Failure::Answer(String::from(
            "it did not accept the WebSocket handshake",
        )));
    }
    // None is ever offered, as none is known here (RFC 6455 §4.1).
    if let Some(extensions) = header("Sec-WebSocket-Extensions").filter(|it| !it.is_empty()) {
        let text = format!("it chose the extension {extensions:?}, which was not offered");
        return Err(Failure::Answer(text));
    }
    match header(PROTOCOL_HEADER) {
        Some(chosen) if offered.split(',').all(|it| it.trim() != chosen) => Err(Failure::Answer(
            format!("it chose the sub-protocol {chosen:?} instead of {offered:?}"),
        )),
        _ => Ok(()),
    }
}

/// Answers a client's request; the first sub-protocol it offers that is ours is chosen.
pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    mut wire: S,
    protocol: Protocol,
) -> Result<WebSocket<S>, Failure> {
    let (request, rest) = match read_head::<_, Request>(&mut wire).await {
        Err(Failure::Answer(why)) => {
            refuse(&mut wire, "400 Bad Request\r\n").await?;
            return Err(Failure::Answer(why));
        }
        read => read?,
    };
    let Ok(mut response) = create_response(&request) else {
        refuse(&mut wire, "426 Upgrade Required\r\nUpgrade: websocket\r\n").await?;
        return Err(Failure::Answer(String::from("not a WebSocket handshake")));
    };
    if let Some(chosen) = choose(&request, protocol) {
        response
            .headers_mut()
            .insert(PROTOCOL_HEADER, HeaderValue::from_static(chosen));
    }
    let mut text = Vec::new();
    write_response(&mut text, &response).map_err(|cause| Failure::Answer(cause.to_string()))?;
    wire.write_all(&text).await?;
    wire.flush().await?;
    Ok(WebSocket::new(wire, Role::Server, rest))
}

/// The client gets the reason too, so that a browser or curl shows it.
async fn refuse<S: AsyncWrite + Unpin>(wire: &mut S, head: &str) -> io::Result<()> {
    let text = format!("HTTP/1.1 {head}Connection: close\r\nContent-Length: 0\r\n\r\n");
    wire.write_all(text.as_bytes()).await?;
    wire.shutdown().await
}

fn choose(request: &Request, protocol: Protocol) -> Option<&'static str> {
    let offered = request.headers().get_all(PROTOCOL_HEADER).into_iter();
    let mut names = offered
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    names.find_map(|name| {
        let mut known = protocol.accepted_subprotocols().iter().copied();
        known.find(|known| *known == name.trim())
    })
}

/// Reads up to the empty line; what came beyond it is handed back.
async fn read_head<S: AsyncRead + Unpin, T: TryParse>(
    wire: &mut S,
) -> Result<(T, BytesMut), Failure> {
    let mut input = BytesMut::with_capacity(1024);
    loop {
        let read = wire.read_buf(&mut input).await?;
        if read == 0 {
            return Err(Failure::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        // The parser refuses what old proxies and simple servers answer with; nothing here depends on the version.
        if input.starts_with(b"HTTP/1.0 ") {
            input[7] = b'1';
        }
        let parsed = T::try_parse(&input).map_err(|_| {
            Failure::Answer(format!(
                "it is not HTTP, or has more than {MAX_HEADERS} headers"
            ))
        })?;
        if let Some((length, head)) = parsed {
            input.advance(length);
            return Ok((head, input));
        }
        if input.len() > LARGEST_HEAD {
            return Err(Failure::Answer(String::from(
                "its HTTP head is longer than 16 KiB",
            )));
        }
    }
}
