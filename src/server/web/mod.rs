//! The smallest HTTP server that a browser and Prometheus need: `GET` of a few paths, and streams of server-sent events. It
//! reads no bodies and changes nothing.

mod access;
mod request;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::error::{Error, Kind, Result};

pub(crate) use access::Access;
pub(crate) use request::Request;

/// What all pages of the program look like.
pub(crate) const STYLE: &str = include_str!("style.css");

/// Text as Prometheus reads it.
pub(crate) const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How long a client may take to read a part of the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it may take to ask.
const ASKING_TIME: Duration = Duration::from_secs(2);

/// How long it rests when no connection can be accepted.
const REST: Duration = Duration::from_millis(50);

/// Larger requests are refused.
const LARGEST_HEAD: usize = 16 * 1024;

/// Bytes of a request that is too large that are read all the same: an end while some are unread is a reset, and the answer
/// might be lost (RFC 9112 §9.6).
const LARGEST_REST: usize = 1 << 20;

/// Clients served at the same time; others wait in the listen queue.
const CLIENTS: usize = 128;

/// Clients of these that have not asked yet; of more, the one that has taken longest is let go.
const ASKING: usize = 64;

/// Clients of these that are sent events; more are told to come again.
const STREAMS: usize = 48;

/// The status where there is no place for one more stream of events.
const FULL: &str = "503 Service Unavailable\r\nretry-after: 5";

/// What is served.
pub(crate) trait Site: Send + Sync + 'static {
    /// The answer to `GET path`.
    fn get(&self, path: &str) -> Answer;
}

/// An answer.
pub(crate) enum Answer {
    /// A text of this media type, with further header fields, each of them ended by a line break.
    Text {
        kind: &'static str,
        fields: Cow<'static, str>,
        body: Cow<'static, str>,
    },
    /// There is nothing; what there is instead.
    Nothing(&'static str),
    /// Server-sent events, one after the other.
    Events(Box<dyn Events>),
}

/// Events for one client, which is asked for the next only when it has taken the last: one that reads slowly gets fewer of
/// them, and none waits in memory.
pub(crate) trait Events: Send {
    /// Waits until there is something new, and appends it to `into` as server-sent events. Whether more may come.
    fn next<'a>(
        &'a mut self,
        into: &'a mut String,
    ) -> std::pin::Pin<Box<dyn Future<Output = bool> + Send + 'a>>;
}

/// Listens, and serves a site.
pub(crate) struct Web {
    listener: TcpListener,
    access: Access,
}

impl Web {
    /// Listens on `address` (port 0 takes a free one).
    ///
    /// # Errors
    /// [`Kind::Local`] when the address cannot be listened on.
    pub(crate) async fn bind(address: SocketAddr, access: Access) -> Result<Self> {
        let failed = |cause| Error::local(format_args!("cannot listen on {address}"), &cause);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        Ok(Self { listener, access })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// [`Kind::Local`] when the system does not tell.
    pub(crate) fn local_addr(&self) -> Result<SocketAddr> {
        self.listener
            .local_addr()
            .map_err(|_| Error::new(Kind::Local, "the endpoint has no address"))
    }

    /// Serves until it is dropped.
    pub(crate) async fn serve<S: Site>(self, site: Arc<S>) {
        let mut clients = JoinSet::new();
        let access = Arc::new(self.access);
        let streams = Arc::new(Semaphore::new(STREAMS));
        let mut asking: VecDeque<(AbortHandle, Arc<AtomicBool>)> = VecDeque::new();
        loop {
            tokio::select! {
                Some(_) = clients.join_next() => {}
                accepted = self.listener.accept(), if clients.len() < CLIENTS => {
                    match accepted {
                        Ok((stream, _)) => {
                            let (site, access) = (Arc::clone(&site), Arc::clone(&access));
                            let (streams, asked) = (Arc::clone(&streams), Arc::<AtomicBool>::default());
                            let has_asked = Arc::clone(&asked);
                            let task = clients.spawn(async move {
                                answer(stream, &*site, &access, &streams, &has_asked).await
                            });
                            asking.retain(|(task, asked)| !task.is_finished() && !asked.load(Relaxed));
                            asking.push_back((task, asked));
                            if asking.len() > ASKING && let Some((longest, _)) = asking.pop_front() {
                                longest.abort();
                            }
                        }
                        // Without descriptors left the next try fails as well.
                        Err(_) => sleep(REST).await,
                    }
                }
            }
        }
    }
}

/// One request, one answer. A client that breaks off is not told about: a browser comes back by itself, and so does a scraper.
async fn answer<S: Site>(
    mut stream: TcpStream,
    site: &S,
    access: &Access,
    streams: &Semaphore,
    asked: &AtomicBool,
) -> Option<()> {
    let head = timeout(ASKING_TIME, head(&mut stream)).await.ok()??;
    asked.store(true, Relaxed);
    if head.len() > LARGEST_HEAD {
        let why = Answer::Nothing("the head of the request is too large\n");
        let status = "431 Request Header Fields Too Large";
        write(&mut stream, &whole(status, why, false)).await?;
        return timeout(PATIENCE, drain(&mut stream)).await.ok();
    }
    let request = Request::read(&head);
    let (status, answer) = respond(&request, site, access);
    let (mut events, _place) = match (answer, streams.try_acquire()) {
        (Answer::Events(events), Ok(place)) if !request.is_head() => (events, place),
        (answer, place) => {
            let is_full = place.is_err() && matches!(answer, Answer::Events(_));
            drop(place);
            let (status, answer) = match is_full {
                true => (FULL, Answer::Nothing("too many are sent events\n")),
                false => (status, answer),
            };
            let text = whole(status, answer, request.is_head());
            write(&mut stream, &text).await?;
            let _ = timeout(PATIENCE, stream.shutdown()).await;
            return Some(());
        }
    };
    let start = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n\
                 x-accel-buffering: no\r\nconnection: close\r\n\r\nretry: 1000\n\n";
    write(&mut stream, start).await?;
    let mut text = String::new();
    loop {
        text.clear();
        let mut nothing = [0; 64];
        let more = tokio::select! {
            more = events.next(&mut text) => more,
            // It has nothing more to ask: what comes now is its end.
            gone = stream.read(&mut nothing) => match gone {
                Ok(1..) => continue,
                Ok(0) | Err(_) => return None,
            },
        };
        write(&mut stream, &text).await?;
        if !more {
            return Some(());
        }
    }
}

async fn write(stream: &mut TcpStream, text: &str) -> Option<()> {
    // A slow client may take its time, as long as it reads on.
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let written = timeout(PATIENCE, stream.write(rest)).await.ok()?.ok()?;
        rest = &rest[written.min(rest.len())..];
        if written == 0 {
            return None;
        }
    }
    Some(())
}

/// Ends an answer, and reads what the client still says.
async fn drain(stream: &mut TcpStream) {
    let (mut rest, mut buffer) = (LARGEST_REST, [0; 4_096]);
    // What fails is a client that has gone.
    let _ = stream.shutdown().await;
    while let Ok(count @ 1..) = stream.read(&mut buffer).await
        && rest > count
    {
        rest -= count;
    }
}

/// What comes until an empty line; without one where that is more than [`LARGEST_HEAD`].
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() <= LARGEST_HEAD {
        if stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

fn respond<S: Site>(request: &Request<'_>, site: &S, access: &Access) -> (&'static str, Answer) {
    if !request.is_read() {
        let status = "405 Method Not Allowed\r\nallow: GET, HEAD";
        return (status, Answer::Nothing("only GET\n"));
    }
    if let Some(why) = request.fault() {
        return ("400 Bad Request", Answer::Nothing(why));
    }
    if request.count("host") > 1 {
        return ("400 Bad Request", Answer::Nothing("more than one host\n"));
    }
    if let Err((status, why)) = access.allow(request) {
        return (status, Answer::Nothing(why));
    }
    match site.get(request.path) {
        nothing @ Answer::Nothing(_) => ("404 Not Found", nothing),
        answer => ("200 OK", answer),
    }
}

fn whole(status: &str, answer: Answer, is_head: bool) -> String {
    let (kind, fields, body) = match answer {
        Answer::Text { kind, fields, body } => (kind, fields, body),
        Answer::Nothing(instead) => (METRICS, Cow::from(""), instead.into()),
        Answer::Events(_) => ("text/event-stream", Cow::from(""), Cow::from("")),
    };
    let shown = if is_head { "" } else { &*body };
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{fields}content-length: {}\r\nconnection: close\r\n\r\n{shown}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;

    impl Site for Two {
        fn get(&self, path: &str) -> Answer {
            match path {
                "/metrics" => Answer::Text {
                    kind: METRICS,
                    fields: "".into(),
                    body: "a 1\n".into(),
                },
                "/events" => Answer::Events(Box::new(Count(0))),
                _ => Answer::Nothing("see /metrics\n"),
            }
        }
    }

    struct Count(u32);

    impl Events for Count {
        fn next<'a>(
            &'a mut self,
            into: &'a mut String,
        ) -> std::pin::Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
            Box::pin(async move {
                self.0 += 1;
                into.push_str(&format!("data: {}\n\n", self.0));
                self.0 < 3
            })
        }
    }

    async fn ask(access: Access, request: &str) -> String {
        let web = Web::bind("127.0.0.1:0".parse().unwrap(), access)
            .await
            .unwrap();
        let address = web.local_addr().unwrap();
        let serving = tokio::spawn(web.serve(Arc::new(Two)));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        serving.abort();
        answer
    }

    #[tokio::test]
    async fn what_there_is_is_served() {
        let get = "GET /metrics?x=1 HTTP/1.1\r\nhost: localhost\r\n\r\n";
        assert_eq!(
            ask(Access::Anyone, get).await,
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n\
             content-length: 4\r\nconnection: close\r\n\r\na 1\n"
        );
        let head = ask(Access::Anyone, "HEAD /metrics HTTP/1.1\r\n\r\n").await;
        assert!(head.contains("content-length: 4\r\n") && head.ends_with("\r\n\r\n"));
        let other = ask(Access::Anyone, "GET / HTTP/1.1\r\n\r\n").await;
        assert!(other.starts_with("HTTP/1.1 404 ") && other.ends_with("\r\n\r\nsee /metrics\n"));
        let post = ask(Access::Anyone, "POST /metrics HTTP/1.1\r\n\r\n").await;
        assert!(post.starts_with("HTTP/1.1 405 ") && post.contains("allow: GET, HEAD\r\n"));
    }

    #[tokio::test]
    async fn events_come_one_after_the_other() {
        let events = ask(Access::Anyone, "GET /events HTTP/1.1\r\n\r\n").await;
        assert!(events.contains("content-type: text/event-stream\r\n"));
        assert!(
            events.ends_with("retry: 1000\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\n"),
            "{events}"
        );
    }

    /// Events that never come.
    struct Never;

    impl Site for Never {
        fn get(&self, path: &str) -> Answer {
            match path {
                "/events" => Answer::Events(Box::new(Silence)),
                _ => Answer::Nothing("nothing\n"),
            }
        }
    }

    struct Silence;

    impl Events for Silence {
        fn next<'a>(
            &'a mut self,
            _: &'a mut String,
        ) -> std::pin::Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test]
    async fn streams_and_silent_clients_leave_places_for_others() {
        let any = "127.0.0.1:0".parse().unwrap();
        let web = Web::bind(any, Access::Anyone).await.unwrap();
        let address = web.local_addr().unwrap();
        let serving = tokio::spawn(web.serve(Arc::new(Never)));
        let mut held = Vec::new();
        for _ in 0..STREAMS {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream
                .write_all(b"GET /events HTTP/1.1\r\n\r\n")
                .await
                .unwrap();
            // It has its place once it is answered.
            stream.read_exact(&mut [0; 12]).await.unwrap();
            held.push(stream);
        }
        for _ in 0..2 * CLIENTS {
            held.push(TcpStream::connect(address).await.unwrap());
        }
        for (method, path, status) in [
            ("GET", "/events", "503"),
            ("HEAD", "/events", "503"),
            ("GET", "/x", "404"),
        ] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let ask = format!("{method} {path} HTTP/1.1\r\n\r\n");
            stream.write_all(ask.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            let begin = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(&begin), "{answer}");
            assert_eq!(answer.contains("retry-after: 5\r\n"), status == "503");
        }
        serving.abort();
    }

    #[tokio::test]
    async fn who_may_not_see_it_does_not() {
        let token = || Access::Token("s3cret".into());
        let get = "GET /metrics HTTP/1.1\r\nhost: h\r\n\r\n";
        assert!(ask(token(), get).await.starts_with("HTTP/1.1 401 "));
        let header = "GET /metrics HTTP/1.1\r\nauthorization: Bearer s3cret\r\n\r\n";
        assert!(ask(token(), header).await.starts_with("HTTP/1.1 200 "));
        let local = ask(Access::Loopback, get).await;
        assert!(local.starts_with("HTTP/1.1 403 "), "{local}");
        let two = "GET /metrics HTTP/1.1\r\nhost: localhost\r\nhost: h\r\n\r\n";
        assert!(
            ask(Access::Loopback, two)
                .await
                .starts_with("HTTP/1.1 400 ")
        );
    }

    #[tokio::test]
    async fn heads_that_are_too_large_or_wrong_are_answered() {
        let large = format!(
            "GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n",
            "y".repeat(200_000)
        );
        let answer = ask(Access::Anyone, &large).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        let fits = format!("GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(15_000));
        let answer = ask(Access::Anyone, &fits).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        for fields in ["host : h\r\n", "host: h\r\n x\r\n"] {
            let wrong = format!("GET /metrics HTTP/1.1\r\n{fields}\r\n");
            let answer = ask(Access::Anyone, &wrong).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        }
    }

    #[tokio::test]
    async fn an_address_in_use_is_told() {
        let first = Web::bind("127.0.0.1:0".parse().unwrap(), Access::Anyone)
            .await
            .unwrap();
        let address = first.local_addr().unwrap();
        let Err(error) = Web::bind(address, Access::Anyone).await else {
            panic!("{address} was taken twice");
        };
        assert_eq!(error.kind(), Kind::Local);
        assert_eq!(
            error.text(),
            format!("cannot listen on {address}: address already in use")
        );
    }
}
