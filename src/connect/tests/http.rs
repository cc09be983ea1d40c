//! The HTTP client against scripted servers: which connection a request goes over, and what is told of failures.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::connect::http::{Client, Method, Request, Response};
use crate::error::Kind;

/// What a server does with a request.
#[derive(Clone, Copy)]
enum Act {
    /// Answers with this text, and keeps the connection.
    Answer(&'static str),
    /// Closes the connection; the text is its answer before.
    Close(&'static str),
    /// Says nothing, ever.
    Wait,
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server that does these with the requests it gets; the URL, how many connections there were, and the requests.
struct Server {
    url: String,
    connections: Arc<AtomicUsize>,
    requests: tokio::sync::mpsc::UnboundedReceiver<String>,
}

impl Server {
    async fn new(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let (tell, requests) = tokio::sync::mpsc::unbounded_channel();
        let counter = connections.clone();
        tokio::spawn(async move {
            let mut acts = acts.into_iter();
            while let Ok((mut stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                while let Some(request) = read_request(&mut stream).await {
                    tell.send(request).unwrap();
                    match acts.next() {
                        Some(Act::Answer(text)) => stream.write_all(text.as_bytes()).await.unwrap(),
                        Some(Act::Close(text)) => {
                            stream.write_all(text.as_bytes()).await.unwrap();
                            break;
                        }
                        Some(Act::Wait) | None => std::future::pending().await,
                    }
                }
            }
        });
        Self {
            url,
            connections,
            requests,
        }
    }

    fn client(&self) -> Client {
        Client::new(http(&self.url), Duration::from_secs(60))
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn http(url: &str) -> Target {
    to(url.to_owned())
        .resolve(Protocol::Http, &Environment::of::<String, String>([]))
        .unwrap()
}

/// A whole request; `None` at the end of the connection.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|it| it.strip_prefix("Content-Length: "));
            if body.len() == length.map_or(0, |it| it.parse().unwrap()) {
                return Some(text);
            }
        }
        let mut bytes = [0; 1000];
        match stream.read(&mut bytes).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => text.push_str(std::str::from_utf8(&bytes[..count]).unwrap()),
        }
    }
}

async fn post(client: &mut Client, body: &str) -> Result<Response> {
    let request = Request {
        method: Method::Post,
        path: "/write?db=a b",
        headers: &[("Content-Type", "application/json")],
        body: body.as_bytes(),
    };
    client.request(&request).await
}

#[tokio::test]
async fn requests_share_a_connection() {
    let mut server = Server::new(vec![Act::Answer(OK); 2]).await;
    let mut client = server.client();
    for body in ["{}", "[]"] {
        let response = post(&mut client, body).await.unwrap();
        assert_eq!((response.status, &*response.body), (200, &b"ok"[..]));
        let host = server.url.strip_prefix("http://").unwrap();
        let expected = format!(
            "POST /write?db=a%20b HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{body}"
        );
        assert_eq!(server.requests.recv().await.unwrap(), expected);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_get_has_no_body_and_a_login_is_sent() {
    let mut server = Server::new(vec![Act::Answer(OK)]).await;
    let url = server.url.replace("://", "://me:p%3A@") + "/a?b=%23";
    let target = http(&url);
    assert_eq!(target.path.as_deref(), Some("/a?b=%23"));
    assert_eq!(target.to_string(), server.url);
    let mut client = Client::new(target, Duration::from_secs(60));
    let request = Request {
        method: Method::Get,
        path: "/",
        headers: &[],
        body: &[],
    };
    assert!(client.request(&request).await.unwrap().is_success());
    let request = server.requests.recv().await.unwrap();
    assert!(request.starts_with("GET / HTTP/1.1\r\nHost: "), "{request}");
    assert!(
        request.ends_with("\r\nAuthorization: Basic bWU6cDo=\r\n\r\n"),
        "{request}"
    );
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_replaced() {
    let answer = Act::Answer(OK);
    for (acts, connections) in [
        // Closed after the response, and closed upon the next request.
        (vec![Act::Close(OK), answer], 2),
        (vec![answer, Act::Close(""), answer], 2),
        // Closed as announced.
        (vec![Act::Close("HTTP/1.1 200 OK\r\n\r\nok"), answer], 2),
    ] {
        let server = Server::new(acts).await;
        let mut client = server.client();
        for _ in 0..2 {
            let response = post(&mut client, "{}").await.unwrap();
            assert_eq!(response.body, "ok");
        }
        assert_eq!(server.connections(), connections);
    }
}

#[tokio::test]
async fn failures_have_their_words_and_the_next_request_works() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok";
    let server = Server::new(vec![
        Act::Close(""),
        Act::Close("hello\r\n\r\n"),
        Act::Close(cut),
        Act::Answer(OK),
    ])
    .await;
    let mut client = server.client();
    let url = &server.url;
    for text in [
        format!("connection to {url} lost: closed by the server"),
        format!("{url}: its response is not HTTP"),
        format!("connection to {url} lost: closed by the server"),
    ] {
        let failed = post(&mut client, "{}").await.unwrap_err();
        assert_eq!((failed.kind(), failed.text()), (Kind::Lost, &*text));
    }
    assert!(post(&mut client, "{}").await.unwrap().is_success());
    let request = Request {
        method: Method::Get,
        path: "/",
        headers: &[("A", "b\r\nC: d")],
        body: &[],
    };
    let refused = client.request(&request).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Usage);
    assert_eq!(server.connections(), 4);
}

#[tokio::test]
async fn a_request_has_its_limit() {
    let server = Server::new(vec![Act::Wait]).await;
    let mut client = Client::new(http(&server.url), Duration::from_millis(20));
    let failed = post(&mut client, "{}").await.unwrap_err();
    let expected = format!("no response from {} within 20ms", server.url);
    assert_eq!((failed.kind(), failed.text()), (Kind::TimedOut, &*expected));
}

#[tokio::test]
async fn a_request_that_was_dropped_does_not_disturb_the_next() {
    let mut server = Server::new(vec![Act::Answer(OK), Act::Close(""), Act::Answer(OK)]).await;
    let mut client = server.client();
    post(&mut client, "one").await.unwrap();
    server.requests.recv().await;
    tokio::select! {
        biased;
        // It is under way, and given up.
        request = server.requests.recv() => assert!(request.unwrap().ends_with("two")),
        _ = post(&mut client, "two") => {}
    }
    assert!(post(&mut client, "three").await.unwrap().is_success());
    assert!(server.requests.recv().await.unwrap().ends_with("three"));
}

#[tokio::test]
async fn https_is_http_over_tls() {
    let keyring = Keyring::new();
    let issuer = keyring.authority("ca");
    let (cert, key) = keyring.signed("server", &["localhost"], &issuer);
    let identity = ServerTls {
        cert,
        key,
        client_ca: None,
    };
    let on = ListenOn {
        tls: Some(identity),
        ..ListenOn::plain(loopback())
    };
    let listener = Listener::bind(&on).await.unwrap();
    let port = port(&listener);
    tokio::spawn(async move {
        let incoming = listener.accept().await.unwrap();
        let mut stream = incoming.ready().await.unwrap();
        let mut request = [0; 1000];
        for _ in 0..2 {
            let count = stream.read(&mut request).await.unwrap();
            assert!(request[..count].ends_with(b"\r\n\r\n{}"));
            stream.write_all(OK.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
        }
    });
    let args = ConnectArgs {
        cafile: Some(keyring.path("ca.pem")),
        ..to(format!("https://localhost:{port}"))
    };
    let target = args.resolve(Protocol::Http, &Environment::of::<String, String>([]));
    let mut client = Client::new(target.unwrap(), Duration::from_secs(60));
    for _ in 0..2 {
        assert!(post(&mut client, "{}").await.unwrap().is_success());
    }
}
