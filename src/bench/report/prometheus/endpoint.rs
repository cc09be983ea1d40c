//! The smallest HTTP server that Prometheus can scrape: `GET /metrics` and nothing else.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::error::{Error, Kind, Result};

/// How long a client may take to ask and to read the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it rests when no connection can be accepted.
const REST: Duration = Duration::from_millis(50);

/// Larger requests are refused.
const LARGEST_HEAD: usize = 8 * 1024;

/// Clients served at the same time; others wait in the listen queue.
const CLIENTS: usize = 16;

/// Serves the latest page while a run goes on.
pub(crate) struct Endpoint {
    listener: TcpListener,
    page: watch::Receiver<String>,
}

impl Endpoint {
    /// Listens on `address` (port 0 takes a free one); what is sent into the returned channel is what is served.
    ///
    /// # Errors
    /// [`Kind::Local`] when the address cannot be listened on.
    pub(crate) async fn bind(address: SocketAddr) -> Result<(Self, watch::Sender<String>)> {
        let failed = |cause| Error::local(format_args!("cannot listen on {address}"), &cause);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let (sender, page) = watch::channel(String::new());
        Ok((Self { listener, page }, sender))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// [`Kind::Local`] when the system does not tell.
    pub(crate) fn local_addr(&self) -> Result<SocketAddr> {
        self.listener
            .local_addr()
            .map_err(|_| Error::new(Kind::Local, "the metrics endpoint has no address"))
    }

    /// Serves until it is dropped.
    pub(crate) async fn serve(self) {
        let mut clients = JoinSet::new();
        loop {
            tokio::select! {
                Some(_) = clients.join_next() => {}
                accepted = self.listener.accept(), if clients.len() < CLIENTS => {
                    match accepted {
                        Ok((stream, _)) => {
                            clients.spawn(timeout(PATIENCE, answer(stream, self.page.clone())));
                        }
                        // Without descriptors left the next try fails as well.
                        Err(_) => sleep(REST).await,
                    }
                }
            }
        }
    }
}

/// One request, one answer. A client that breaks off is not told about.
async fn answer(mut stream: TcpStream, page: watch::Receiver<String>) {
    let Some(head) = head(&mut stream).await else {
        return;
    };
    let answer = response(&head, &page.borrow().clone());
    // Nobody is waiting for the outcome: a scraper that left comes back by itself.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > LARGEST_HEAD || stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

fn response(head: &str, page: &str) -> String {
    let mut words = head.split_ascii_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let path = target.split('?').next().unwrap_or("");
    let (status, body) = match (method, path) {
        ("GET" | "HEAD", "/metrics") => ("200 OK", page),
        ("GET" | "HEAD", _) => ("404 Not Found", "see /metrics\n"),
        _ => ("405 Method Not Allowed\r\nallow: GET, HEAD", "only GET\n"),
    };
    let shown = if method == "HEAD" { "" } else { body };
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{shown}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn the_latest_page_is_served() {
        let (endpoint, page) = Endpoint::bind("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let address = endpoint.local_addr().unwrap();
        let serving = tokio::spawn(endpoint.serve());
        page.send(String::from("a 1\n")).unwrap();
        let request = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
        assert_eq!(
            ask(address, request).await,
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n\
             content-length: 4\r\nconnection: close\r\n\r\na 1\n"
        );
        page.send(String::from("a 2\n")).unwrap();
        assert!(ask(address, request).await.ends_with("\r\n\r\na 2\n"));
        serving.abort();
    }

    #[test]
    fn only_metrics_are_there() {
        assert!(response("GET / HTTP/1.1", "p").starts_with("HTTP/1.1 404 "));
        assert!(response("POST /metrics HTTP/1.1", "p").starts_with("HTTP/1.1 405 "));
        assert!(response("GET /metrics?x=1 HTTP/1.1", "p").ends_with("\r\n\r\np"));
        let head = response("HEAD /metrics HTTP/1.1", "page");
        assert!(head.contains("content-length: 4\r\n") && head.ends_with("\r\n\r\n"));
    }

    #[tokio::test]
    async fn an_address_in_use_is_told() {
        let (first, _page) = Endpoint::bind("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let address = first.local_addr().unwrap();
        let Err(error) = Endpoint::bind(address).await else {
            panic!("{address} was taken twice");
        };
        assert_eq!(error.kind(), Kind::Local);
        assert_eq!(
            error.text(),
            format!("cannot listen on {address}: address already in use")
        );
    }
}
