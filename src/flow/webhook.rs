//! A target that posts each message to a URL, one after the other.
//!
//! A message has arrived with a status of 2xx. With one that says that another time may do (408, 425, 429, 5xx), or without any
//! answer, it is posted again, later and later; with any other it is refused.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use futures_util::future::{FutureExt, LocalBoxFuture};
use tokio::time::sleep_until;

use super::{Number, Outcome, Progress, Target};
use crate::connect::http::{Client, Method, Request, Response};
use crate::connect::{Backoff, Retry, Target as Server};
use crate::error::{Error, Kind, Result};
use crate::message::{Detail, Message};
use crate::output::Console;
use crate::pace::alarm::now;

/// How long a request may take.
const LIMIT: Duration = Duration::from_secs(30);

/// As many messages wait.
const WINDOW: usize = 100;

/// The longest wait that a server may ask for.
const LONGEST: u64 = 3600;

/// What becomes of the client and of the message that it posts.
type Posting = LocalBoxFuture<'static, (Client, Result<Response>)>;

/// Posts messages. Their user properties of MQTT are headers.
pub struct Webhook {
    name: String,
    path: String,
    /// Not there while it posts.
    client: Option<Client>,
    posting: Option<Posting>,
    queue: VecDeque<(Number, Message)>,
    backoff: Backoff,
    /// When the first of the queue is posted again.
    again: Option<Instant>,
    /// Whether it was told that nothing gets through.
    told: bool,
    console: Console,
}

impl Webhook {
    /// Posts to what `server` was made of: a URL with `http` or `https`.
    pub fn new(server: Server, console: Console) -> Self {
        Self {
            name: server.to_string(),
            path: server.path.clone().unwrap_or_else(|| String::from("/")),
            client: Some(Client::new(server, LIMIT)),
            posting: None,
            queue: VecDeque::new(),
            backoff: Backoff::new(Retry::Forever),
            again: None,
            told: false,
            console,
        }
    }

    /// Begins to post the first of the queue, if nothing is under way.
    fn begin(&mut self) {
        let Some((_, message)) = self.queue.front() else {
            return;
        };
        let (message, path) = (message.clone(), self.path.clone());
        if let Some(client) = self.client.take() {
            self.posting = Some(post(client, message, path).boxed_local());
        }
    }

    /// What an answer means for the message that was posted.
    fn answered(&mut self, answer: Result<Response>) -> Option<Progress> {
        let (why, least) = match answer {
            Ok(response) if response.is_success() => {
                self.back();
                return self.done(Outcome::Accepted);
            }
            Ok(response) => {
                let status = response.status;
                let why = format!("{} responded HTTP {status}", self.name);
                if !matches!(status, 408 | 425 | 429 | 500..=599) {
                    let error = Error::new(Kind::Refused, why);
                    return self.done(Outcome::Refused(error));
                }
                (why, response.header("Retry-After").and_then(seconds))
            }
            // It never will.
            Err(error) if error.kind() == Kind::Usage => {
                return self.done(Outcome::Refused(error));
            }
            Err(error) => (error.to_string(), None),
        };
        if !std::mem::replace(&mut self.told, true) {
            self.console.warn(format_args!("{why}; trying again"));
        }
        let now = now();
        let wait = self.backoff.next_after(now, least.unwrap_or_default());
        self.again = Some(now + wait.unwrap_or(LIMIT));
        None
    }

    /// Something got through again.
    fn back(&mut self) {
        self.backoff.reset();
        if std::mem::take(&mut self.told) {
            self.console
                .note(format_args!("{} answers again", self.name));
        }
    }

    fn done(&mut self, outcome: Outcome) -> Option<Progress> {
        let (number, _) = self.queue.pop_front()?;
        Some(Progress::One(number, outcome))
    }
}

async fn post(mut client: Client, message: Message, path: String) -> (Client, Result<Response>) {
    let properties = match &message.detail {
        Detail::Mqtt(mqtt) => mqtt.properties.as_deref(),
        _ => None,
    };
    let pairs = properties.map_or(&[][..], |it| &it.user_properties);
    let headers: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let request = Request {
        method: Method::Post,
        path: &path,
        headers: &headers,
        body: &message.payload,
    };
    let answer = client.request(&request).await;
    (client, answer)
}

/// The seconds of a Retry-After; a date is too much to ask for.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: u64 = text.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(LONGEST)))
}

impl Target for Webhook {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn has_room(&self) -> bool {
        self.queue.len() < WINDOW
    }

    fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        self.queue.push_back((number, message));
        Ok(())
    }

    /// A request that is under way goes on at the next call.
    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.queue.is_empty() {
            return std::future::pending().await;
        }
        if let Some(again) = self.again {
            sleep_until(again.into()).await;
            self.again = None;
        }
        if self.posting.is_none() {
            self.begin();
        }
        if let Some(posting) = &mut self.posting {
            let (client, answer) = posting.await;
            (self.posting, self.client) = (None, Some(client));
            into.extend(self.answered(answer));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::connect::{ConnectArgs, Environment, Protocol};
    use crate::output::Style;

    /// A webhook of a server that answers with these statuses, one for each connection, and the bodies that it gets.
    async fn hook(
        statuses: &'static [&'static str],
    ) -> (Webhook, tokio::sync::mpsc::UnboundedReceiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let args = ConnectArgs {
            url: Some(format!(
                "http://{}/hook?key=1",
                listener.local_addr().unwrap()
            )),
            ..ConnectArgs::default()
        };
        let (tell, told) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            for status in statuses {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = String::new();
                while !request.ends_with('}') {
                    let mut bytes = [0; 1000];
                    let count = stream.read(&mut bytes).await.unwrap();
                    request.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
                }
                let answer =
                    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                if !status.is_empty() {
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
                tell.send(request).unwrap();
            }
        });
        let server = args.resolve(Protocol::Http, &Environment::of::<String, String>([]));
        let console = Console::new(Style::default());
        let mut webhook = Webhook::new(server.unwrap(), console);
        webhook.backoff = Backoff::seeded(Retry::Forever, 1);
        (webhook, told)
    }

    fn body(text: &'static str) -> Message {
        Message::plain(text.into())
    }

    #[tokio::test]
    async fn what_is_not_wanted_now_is_posted_again_and_what_is_not_wanted_is_refused() {
        let (mut webhook, mut told) =
            hook(&["", "503 Later", "200 OK", "404 Not Found", "204 x"]).await;
        for number in 1..=3 {
            webhook.take(number, body("{}")).unwrap();
        }
        let mut done = Vec::new();
        while !webhook.is_idle() {
            // It is dropped now and then, as in a flow.
            let driving = webhook.drive(&mut done);
            let _ = tokio::time::timeout(Duration::from_millis(20), driving).await;
        }
        assert!(
            matches!(
                done[..],
                [
                    Progress::One(1, Outcome::Accepted),
                    Progress::One(2, Outcome::Refused(_)),
                    Progress::One(3, Outcome::Accepted)
                ]
            ),
            "{done:?}"
        );
        for _ in 0..5 {
            let request = told.recv().await.unwrap();
            assert!(
                request.starts_with("POST /hook?key=1 HTTP/1.1\r\n"),
                "{request}"
            );
        }
        assert!(told.try_recv().is_err());
    }

    #[test]
    fn a_server_may_say_when_to_come_back() {
        assert_eq!(seconds(" 5 "), Some(Duration::from_secs(5)));
        assert_eq!(seconds("99999999"), Some(Duration::from_secs(LONGEST)));
        assert_eq!(seconds("Wed, 21 Oct 2026 07:28:00 GMT"), None);
    }
}
