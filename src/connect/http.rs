//! A client for small HTTP/1.1 requests to one server (RFC 9110, RFC 9112): what is posted to a webhook or a database.
//!
//! The connection is kept for the next request. Redirects are not followed, as what is sent is for this server only;
//! nothing is compressed.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use data_encoding::BASE64;
use futures_util::future::FutureExt;
use httparse::{EMPTY_HEADER, Status};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::error::{Error, Kind, Result};

use super::dial::dial;
use super::failure::failure;
use super::resolve::check_header;
use super::stream::Stream;
use super::target::Target;
use super::upgrade::escaped;

/// No sensible response has a longer head, or longer trailers.
const LARGEST_HEAD: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;
/// The size of a chunk, with its extensions.
const LONGEST_LINE: usize = 4 * 1024;
/// Responses are read for their words only.
const LARGEST_BODY: usize = 1 << 20;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// RFC 9110 §9.3.1.
    Get,
    /// RFC 9110 §9.3.3.
    Post,
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What it asks for.
    pub method: Method,
    /// Path and query, as they stand in a URL: `/write?db=home`.
    pub path: &'a str,
    /// More headers than Host, Content-Length and Authorization, which is made of the target's user and password.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body; that of a GET is empty.
    pub body: &'a [u8],
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 200–999.
    pub status: u16,
    /// In the order in which they came; bytes that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// Without the transfer coding; at most 1 MiB.
    pub body: Bytes,
}

impl Response {
    /// Whether the server did what was asked (2xx).
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The value of the first header of this name, in any case of letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|it| it.0.eq_ignore_ascii_case(name));
        found.map(|it| &*it.1)
    }
}

/// The values of all headers of a name.
fn values<'a>(headers: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = &'a str> {
    let named = headers
        .iter()
        .filter(move |it| it.0.eq_ignore_ascii_case(name));
    named.map(|it| &*it.1)
}

/// Sends requests to one server, one after the other.
#[derive(Debug)]
pub struct Client {
    target: Target,
    /// For a whole request, with connecting.
    limit: Duration,
    /// The connection, while nothing is under way on it.
    idle: Option<Connection<Stream>>,
}

impl Client {
    /// A client of `target`, which a URL with `http` or `https` names; no request takes longer than `limit`.
    pub const fn new(target: Target, limit: Duration) -> Self {
        Self {
            target,
            limit,
            idle: None,
        }
    }

    /// Where the requests go.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Sends a request, and reads the response whole.
    ///
    /// A server that closes a connection it had kept may have handled the request before, or not: over a new connection it is
    /// sent again (RFC 9112 §9.3.1), so what is posted must bear to arrive twice.
    ///
    /// Cancel-safe in that the next request is not disturbed: the connection of one that was dropped is closed. Whether the
    /// server has got that one is not known.
    ///
    /// # Errors
    /// - those of [`dial()`];
    /// - [`Kind::TimedOut`] when the limit passes first;
    /// - [`Kind::Lost`] when the connection is lost, or what comes is not HTTP or too large;
    /// - [`Kind::Usage`] when a header cannot be sent.
    pub async fn request(&mut self, request: &Request<'_>) -> Result<Response> {
        let head = self.head(request)?;
        let limit = self.limit;
        let answered = timeout(limit, self.exchange(head.as_bytes(), request.body)).await;
        answered.unwrap_or_else(|_| {
            let limit = humantime::format_duration(limit);
            let text = format!("no response from {} within {limit}", self.target);
            Err(Error::new(Kind::TimedOut, text))
        })
    }

    fn head(&self, request: &Request<'_>) -> Result<String> {
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let path = escaped(request.path);
        let host = self.target.http_host();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
        if request.method == Method::Post {
            head.push_str(&format!("Content-Length: {}\r\n", request.body.len()));
        }
        if let Some(name) = &self.target.username {
            let latest = self.target.latest_password();
            let password = latest.or_else(|| self.target.password.clone());
            let login = [name.as_bytes(), b":", password.unwrap_or_default().reveal()].concat();
            head.push_str(&format!(
                "Authorization: Basic {}\r\n",
                BASE64.encode(&login)
            ));
        }
        for (name, value) in request.headers {
            check_header(name, value)?;
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        Ok(head)
    }

    async fn exchange(&mut self, head: &[u8], body: &[u8]) -> Result<Response> {
        if let Some(mut kept) = self.idle.take()
            && kept.is_open()
        {
            match kept.exchange(head, body).await {
                Err(Failure::Unanswered(_)) => {}
                answered => return self.done(kept, answered),
            }
        }
        let stream = dial(&self.target).await?;
        let mut connection = Connection::new(stream);
        let answered = connection.exchange(head, body).await;
        self.done(connection, answered)
    }

    /// Keeps the connection where it can be used again.
    fn done(
        &mut self,
        connection: Connection<Stream>,
        answered: Result<(Response, bool), Failure>,
    ) -> Result<Response> {
        match answered {
            Ok((response, keep)) => {
                self.idle = keep.then_some(connection);
                Ok(response)
            }
            Err(cause) => {
                self.target.move_on();
                Err(match cause {
                    Failure::Unanswered(cause) | Failure::Io(cause) => {
                        failure(&self.target, &cause)
                    }
                    Failure::Answer(why) => {
                        Error::new(Kind::Lost, format!("{}: {why}", self.target))
                    }
                })
            }
        }
    }
}

/// Why there is no response.
#[derive(Debug)]
enum Failure {
    /// The connection ended before the first byte of a response.
    Unanswered(io::Error),
    /// It ended within the response.
    Io(io::Error),
    /// What came is no response of a size that anyone wants: what is wrong with it.
    Answer(&'static str),
}

impl From<io::Error> for Failure {
    fn from(cause: io::Error) -> Self {
        Self::Io(cause)
    }
}

/// How long a body is (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Bytes(usize),
    Chunked,
    ToTheEnd,
}

/// What comes before a body.
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    length: Length,
    /// Whether the server keeps the connection.
    keeps: bool,
}

impl Head {
    /// Takes a head off the front of what came; `None` until it is complete.
    fn take(input: &mut BytesMut) -> Result<Option<Self>, Failure> {
        let mut headers = [EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Response::new(&mut headers);
        let length = match parsed.parse(input) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if input.len() > LARGEST_HEAD => {
                return Err(Failure::Answer("its HTTP head is longer than 16 KiB"));
            }
            Ok(Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => {
                return Err(Failure::Answer("its response has more than 64 headers"));
            }
            Err(_) => return Err(Failure::Answer("its response is not HTTP")),
        };
        let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
        let headers = parsed.headers.iter();
        let headers: Vec<_> = headers
            .map(|it| (it.name.to_owned(), text(it.value)))
            .collect();
        let (status, version) = (parsed.code.unwrap_or_default(), parsed.version);
        input.advance(length);
        let listed = |name: &str, word: &str| {
            let mut words = values(&headers, name).flat_map(|it| it.split(','));
            words.any(|it| it.trim().eq_ignore_ascii_case(word))
        };
        let keeps = match version {
            Some(1) => !listed("Connection", "close"),
            _ => listed("Connection", "keep-alive"),
        };
        let length = body_length(status, &headers)?;
        Ok(Some(Self {
            status,
            keeps: keeps && length != Length::ToTheEnd,
            headers,
            length,
        }))
    }
}

fn body_length(status: u16, headers: &[(String, String)]) -> Result<Length, Failure> {
    if matches!(status, 100..=199 | 204 | 304) {
        return Ok(Length::Bytes(0));
    }
    let mut codings = values(headers, "Transfer-Encoding");
    match (codings.next(), codings.next()) {
        (None, _) => {}
        (Some(only), None) if only.trim().eq_ignore_ascii_case("chunked") => {
            return Ok(Length::Chunked);
        }
        _ => {
            return Err(Failure::Answer(
                "its response has a transfer coding that was not asked for",
            ));
        }
    }
    let mut lengths = values(headers, "Content-Length");
    let Some(length) = lengths.next() else {
        return Ok(Length::ToTheEnd);
    };
    let is_number = !length.is_empty() && length.bytes().all(|it| it.is_ascii_digit());
    if !is_number || lengths.any(|other| other != length) {
        return Err(Failure::Answer(
            "the Content-Length of its response is wrong",
        ));
    }
    match length.parse() {
        Ok(length) if length <= LARGEST_BODY => Ok(Length::Bytes(length)),
        _ => Err(TOO_LARGE),
    }
}

const TOO_LARGE: Failure = Failure::Answer("its response is larger than 1 MiB");

/// A connection, and what came over it and was not looked at.
#[derive(Debug)]
struct Connection<S> {
    stream: S,
    input: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
        }
    }

    /// Whether the server has neither closed it nor said what nobody asked for, as far as is known without waiting.
    fn is_open(&mut self) -> bool {
        self.stream.read(&mut [0]).now_or_never().is_none()
    }

    /// One request and its response, and whether the connection can be used for another.
    async fn exchange(&mut self, head: &[u8], body: &[u8]) -> Result<(Response, bool), Failure> {
        // A server may answer, and close, before it has read all of a request that it does not want.
        let sent = self.send(head, body).await;
        let answered = self.receive().await;
        match (answered, sent) {
            (Ok((response, keep)), Ok(())) => Ok((response, keep && self.input.is_empty())),
            (Ok((response, _)), Err(_)) => Ok((response, false)),
            (Err(Failure::Unanswered(_)), Err(cause)) => Err(Failure::Unanswered(cause)),
            (Err(cause), _) => Err(cause),
        }
    }

    async fn send(&mut self, head: &[u8], body: &[u8]) -> io::Result<()> {
        // In one piece, where it is small, for the sake of servers that read once.
        self.stream.write_all(&[head, body].concat()).await?;
        self.stream.flush().await
    }

    async fn receive(&mut self) -> Result<(Response, bool), Failure> {
        self.more().await.map_err(|cause| match cause {
            Failure::Io(cause) => Failure::Unanswered(cause),
            other => other,
        })?;
        let head = loop {
            match Head::take(&mut self.input)? {
                None => self.more().await?,
                Some(head) if head.status == 101 => {
                    return Err(Failure::Answer("it switches to another protocol"));
                }
                // Interim responses, such as 100 Continue (RFC 9110 §15.2).
                Some(head) if head.status < 200 => {}
                Some(head) => break head,
            }
        };
        let body = match head.length {
            Length::Bytes(length) => self.bytes(length).await?,
            Length::Chunked => self.chunks().await?,
            Length::ToTheEnd => self.all().await?,
        };
        let response = Response {
            status: head.status,
            headers: head.headers,
            body,
        };
        Ok((response, head.keeps))
    }

    /// Waits for more input.
    async fn more(&mut self) -> Result<(), Failure> {
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            _ => Ok(()),
        }
    }

    async fn bytes(&mut self, length: usize) -> Result<Bytes, Failure> {
        while self.input.len() < length {
            self.more().await?;
        }
        Ok(self.input.split_to(length).freeze())
    }

    async fn all(&mut self) -> Result<Bytes, Failure> {
        while self.stream.read_buf(&mut self.input).await? > 0 {
            if self.input.len() > LARGEST_BODY {
                return Err(TOO_LARGE);
            }
        }
        Ok(self.input.split().freeze())
    }

    /// RFC 9112 §7.1.
    async fn chunks(&mut self) -> Result<Bytes, Failure> {
        let mut body = BytesMut::new();
        loop {
            let size = self.chunk_size().await?;
            if size == 0 {
                self.trailers().await?;
                return Ok(body.freeze());
            }
            if size > (LARGEST_BODY - body.len()) as u64 {
                return Err(TOO_LARGE);
            }
            // It is below 1 MiB.
            let chunk = self.bytes(size as usize + 2).await?;
            match chunk.strip_suffix(b"\r\n") {
                Some(chunk) => body.extend_from_slice(chunk),
                None => return Err(Failure::Answer("a chunk of its response does not end")),
            }
        }
    }

    async fn chunk_size(&mut self) -> Result<u64, Failure> {
        loop {
            match httparse::parse_chunk_size(&self.input) {
                Ok(Status::Complete((length, size))) => {
                    self.input.advance(length);
                    return Ok(size);
                }
                Ok(Status::Partial) if self.input.len() <= LONGEST_LINE => self.more().await?,
                Ok(Status::Partial) | Err(_) => {
                    return Err(Failure::Answer("a chunk of its response has no size"));
                }
            }
        }
    }

    /// Passes over what follows the last chunk, up to the empty line.
    async fn trailers(&mut self) -> Result<(), Failure> {
        let mut passed = 0;
        loop {
            match self.input.windows(2).position(|it| it == b"\r\n") {
                Some(0) => {
                    self.input.advance(2);
                    return Ok(());
                }
                Some(end) => {
                    self.input.advance(end + 2);
                    passed += end + 2;
                }
                None => self.more().await?,
            }
            if passed + self.input.len() > LARGEST_HEAD {
                return Err(Failure::Answer("its response has no end"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::io::{DuplexStream, duplex};

    use super::*;

    const REQUEST: &[u8] = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n";

    /// What a client makes of this answer, which comes byte by byte; then the connection is closed.
    async fn answered(answer: impl AsRef<[u8]>) -> Result<(Response, bool), Failure> {
        let (ours, mut theirs) = duplex(1);
        let mut connection = Connection::new(ours);
        let serving = async move {
            let mut request = vec![0; REQUEST.len() + 2];
            theirs.read_exact(&mut request).await.unwrap();
            assert_eq!(request, [REQUEST, b"hi"].concat());
            // A client that has seen enough reads no more.
            let _ = theirs.write_all(answer.as_ref()).await;
        };
        let asking = async {
            let answered = connection.exchange(REQUEST, b"hi").await;
            drop(connection);
            answered
        };
        tokio::join!(serving, asking).1
    }

    async fn why(answer: impl AsRef<[u8]>) -> &'static str {
        match answered(answer).await {
            Err(Failure::Answer(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_response_is_read_whatever_tells_its_length() {
        for (answer, body, keep) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                "hello",
                true,
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nConnection: Close\r\n\r\nhello",
                "hello",
                false,
            ),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                "hello",
                false,
            ),
            (
                "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
                "hello",
                true,
            ),
            ("HTTP/1.1 200 OK\r\n\r\nhello", "hello", false),
            ("HTTP/1.1 204 No Content\r\n\r\n", "", true),
            ("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", true),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n3;x=\"y\"\r\nhel\r\n2\r\nlo\r\n0\r\nA: b\r\n\r\n",
                "hello",
                true,
            ),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                "ok",
                true,
            ),
        ] {
            let (response, kept) = answered(answer).await.unwrap();
            assert_eq!(
                (response.status, response.is_success(), kept),
                (response.status, true, keep),
                "{answer}"
            );
            assert_eq!(response.body, body, "{answer}");
        }
    }

    #[tokio::test]
    async fn headers_are_found_in_any_case() {
        let answer =
            "HTTP/1.1 429 Slow Down\r\nretry-after: 3\r\nX: \u{fc}\r\nContent-Length: 0\r\n\r\n";
        let (response, _) = answered(answer).await.unwrap();
        assert_eq!((response.status, response.is_success()), (429, false));
        assert_eq!(response.header("Retry-After"), Some("3"));
        assert_eq!(response.header("x"), Some("ü"));
        assert_eq!(response.header("y"), None);
    }

    #[tokio::test]
    async fn bytes_behind_a_response_are_the_last_of_a_connection() {
        let (ours, mut theirs) = duplex(1000);
        theirs
            .write_all(b"HTTP/1.1 204 x\r\n\r\nHTTP/1.1 200 surprise\r\n\r\n")
            .await
            .unwrap();
        let mut connection = Connection::new(ours);
        let (response, keep) = connection.exchange(REQUEST, b"hi").await.unwrap();
        assert_eq!((response.status, keep), (204, false));
    }

    #[tokio::test]
    async fn what_is_no_response_is_refused() {
        let head = "HTTP/1.1 200 OK\r\n";
        for (answer, expected) in [
            (String::from("SSH-2.0-OpenSSH\r\n"), "not HTTP"),
            (String::from("HTTP/2 200\r\n\r\n"), "not HTTP"),
            (format!("{head}{}", "a: b\r\n".repeat(65)), "64 headers"),
            (
                format!("{head}a: {}", "b".repeat(17_000)),
                "longer than 16 KiB",
            ),
            (
                format!("{head}Content-Length: +5\r\n\r\nhello"),
                "Content-Length",
            ),
            (
                format!("{head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
                "Content-Length",
            ),
            (format!("{head}Content-Length: 1048577\r\n\r\n"), "1 MiB"),
            (
                format!("{head}Content-Length: 99999999999999999999999\r\n\r\n"),
                "1 MiB",
            ),
            (
                format!("{head}Transfer-Encoding: gzip, chunked\r\n\r\n"),
                "transfer coding",
            ),
            (
                format!("{head}Transfer-Encoding: chunked\r\n\r\nfg\r\n"),
                "no size",
            ),
            (
                format!(
                    "{head}Transfer-Encoding: chunked\r\n\r\n1;{}",
                    "x".repeat(5000)
                ),
                "no size",
            ),
            (
                format!("{head}Transfer-Encoding: chunked\r\n\r\n100001\r\n"),
                "1 MiB",
            ),
            (
                format!("{head}Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n"),
                "does not end",
            ),
            (
                format!(
                    "{head}Transfer-Encoding: chunked\r\n\r\n0\r\n{}",
                    "a: b\r\n".repeat(3000)
                ),
                "no end",
            ),
            (
                String::from("HTTP/1.1 101 Switching\r\n\r\n"),
                "another protocol",
            ),
        ] {
            let why = why(&answer).await;
            assert!(why.contains(expected), "{why}: {answer:.80}");
        }
        let endless = format!("{head}\r\n{}", "x".repeat(LARGEST_BODY + 1));
        let (ours, mut theirs) = duplex(endless.len());
        theirs.write_all(endless.as_bytes()).await.unwrap();
        let refused = Connection::new(ours).receive().await;
        assert!(matches!(
            refused,
            Err(Failure::Answer("its response is larger than 1 MiB"))
        ));
    }

    #[tokio::test]
    async fn an_end_within_a_response_is_told_from_one_before_it() {
        assert!(matches!(answered("").await, Err(Failure::Unanswered(_))));
        for cut in [
            "H",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        ] {
            let failed = answered(cut).await;
            assert!(matches!(failed, Err(Failure::Io(_))), "{cut}: {failed:?}");
        }
    }

    #[tokio::test]
    async fn a_server_may_answer_before_it_has_read_the_request() {
        let (ours, mut theirs) = duplex(100);
        theirs
            .write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
        drop(theirs);
        let large = vec![b'x'; 1000];
        let answered = Connection::new(ours).exchange(REQUEST, &large).await;
        let (response, keep) = answered.unwrap();
        assert_eq!((response.status, keep), (413, false));
    }

    #[tokio::test]
    async fn a_connection_that_was_closed_is_not_open() {
        let open = |stream: DuplexStream| Connection::new(stream).is_open();
        let (ours, theirs) = duplex(10);
        let mut connection = Connection::new(ours);
        assert!(connection.is_open());
        drop(theirs);
        assert!(!connection.is_open());
        let (ours, mut theirs) = duplex(10);
        let mut unasked = pin!(theirs.write_all(b"x"));
        unasked.as_mut().await.unwrap();
        assert!(!open(ours));
    }
}
