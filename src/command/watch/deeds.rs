//! What the user of the screen asks for: messages sent, retained ones removed, a recording.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::{Duration, Instant};

use bytestring::ByteString;
use tokio::time::sleep_until;

use super::Plan;
use crate::coap::code::Code;
use crate::command::amqp;
use crate::command::amqp::session::SessionArgs as AmqpSession;
use crate::command::coap::request::{self, Delivery};
use crate::command::coap::session::SessionArgs as CoapSession;
use crate::command::ends::carry::{path, routing_key};
use crate::command::mqtt::session::SessionArgs as MqttSession;
use crate::command::mqtt::{clear, publish};
use crate::connect::{Protocol, Retry};
use crate::error::{Error, Result, counted};
use crate::flow::{Pacing, Stages, Until};
use crate::message::Message;
use crate::mqtt::packet::{Properties, QoS};
use crate::output::{Action, Destination as Kept, Format, Output, Rotation, Style, Takes};
use crate::payload::{Destination, Encoding, Source};

/// Publishing is given up after this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of a recording that wait to be written.
const MOST_PENDING: usize = 1 << 16;

/// So many retained messages are removed with one connection,
const AT_ONCE: usize = 500;

/// and not sooner than this after those before: a server has others to serve.
const BETWEEN: Duration = Duration::from_millis(500);

type Work<'a> = Pin<Box<dyn Future<Output = Done> + 'a>>;

/// How something has ended.
enum Done {
    Said(String),
    /// The retained messages at a topic and below are these.
    Counted(String, Result<BTreeSet<ByteString>>),
    /// So many of them are removed.
    Removed(usize, Result<()>),
}

/// What the user is to know or to be asked.
pub(super) enum News {
    /// What became of something.
    Said(String),
    /// The retained messages at a topic and below are of these topics.
    Counted(String, Vec<String>),
}

/// Retained messages that are being removed.
struct Removal {
    left: VecDeque<String>,
    done: usize,
    all: usize,
    /// When the next ones may go.
    due: Instant,
}

impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = counted(self.all as u64, "retained message");
        write!(f, "removed {} of {all}", self.done)
    }
}

/// Where messages are published to.
#[derive(Clone)]
enum Server {
    Mqtt(Box<MqttSession>),
    /// An exchange.
    Amqp(Box<AmqpSession>, ByteString),
    /// Resources of a server, by their paths.
    Coap(Box<CoapSession>),
}

/// What is being done.
pub(super) struct Deeds<'a> {
    plan: &'a Plan,
    /// `None`: messages were recorded.
    server: Option<Server>,
    /// One after the other.
    work: VecDeque<Work<'a>>,
    removal: Option<Removal>,
    recording: Option<(Output, PathBuf, u64)>,
}

impl<'a> Deeds<'a> {
    /// Nothing is being done yet.
    ///
    /// # Errors
    /// Those of a context.
    pub(super) fn new(plan: &'a Plan) -> Result<Self> {
        let source = &plan.source;
        let connect = source.end.connect(&source.connect);
        let server = match source.end.protocol()? {
            Some(Protocol::Mqtt) => Some(Server::Mqtt(Box::new(MqttSession {
                connect,
                client_id: None,
                ..source.mqtt.clone()
            }))),
            Some(Protocol::Amqp) => {
                let session = AmqpSession {
                    connect,
                    ..AmqpSession::default()
                };
                Some(Server::Amqp(Box::new(session), source.exchange.clone()))
            }
            Some(Protocol::Coap) => Some(Server::Coap(Box::new(CoapSession::of(connect)))),
            Some(Protocol::Http) | None => None,
        };
        Ok(Self {
            plan,
            server,
            work: VecDeque::new(),
            removal: None,
            recording: None,
        })
    }

    /// What can be sent to where messages come from.
    pub(super) const fn takes(&self) -> Takes {
        match self.server {
            Some(Server::Mqtt(_)) => Takes::Retained,
            Some(Server::Amqp(..) | Server::Coap(_)) => Takes::Messages,
            None => Takes::Nothing,
        }
    }

    /// Begins what is asked for, and says so.
    pub(super) fn begin(&mut self, action: Action) -> String {
        match action {
            Action::Quit | Action::Leave => String::new(),
            Action::Record(file) => match self.switch(file) {
                Ok(said) => said,
                Err(error) => error.text().to_owned(),
            },
            Action::Publish {
                topic,
                payload,
                retain,
            } => {
                let done = format!("published to {topic}");
                let body = Source::Text(payload.into());
                self.publish(vec![topic], body, retain, done)
            }
            Action::Count(path) => self.count(path),
            Action::Clear(topics) => self.remove(topics),
        }
    }

    /// What the terminal shows.
    pub(super) const fn style(&self) -> Style {
        self.plan.style
    }

    fn quiet(&self) -> Style {
        Style {
            quiet: true,
            ..self.plan.style
        }
    }

    /// Counts the retained messages at a topic and below, as the server has them now: what came while it was watched does not
    /// tell (MQTT 5.0 §3.3.1.3).
    fn count(&mut self, path: String) -> String {
        let Some(Server::Mqtt(session)) = self.server.clone() else {
            return String::from("only MQTT servers have retained messages");
        };
        let begun = format!("counting the retained messages at {path} and below");
        let filter = format!("{path}/#").into();
        let style = self.quiet();
        self.work.push_back(Box::pin(async move {
            let found = clear::find(*session, filter, patience(), style).await;
            Done::Counted(path, found)
        }));
        begun
    }

    /// Begins to remove the retained messages of these topics.
    fn remove(&mut self, topics: Vec<String>) -> String {
        if let Some(removal) = &self.removal {
            return format!("{removal}: wait until that is done");
        }
        self.removal = Some(Removal {
            done: 0,
            all: topics.len(),
            left: topics.into(),
            due: Instant::now(),
        });
        self.remove_some();
        let begun = self.removal.as_ref();
        begun.map(ToString::to_string).unwrap_or_default()
    }

    fn remove_some(&mut self) {
        let style = self.quiet();
        let (Some(removal), Some(Server::Mqtt(session))) = (&mut self.removal, &self.server) else {
            return;
        };
        let count = removal.left.len().min(AT_ONCE);
        let topics = removal.left.drain(..count).map(Into::into).collect();
        let due = removal.due.max(Instant::now());
        removal.due = due + BETWEEN;
        let session = (**session).clone();
        self.work.push_back(Box::pin(async move {
            sleep_until(due.into()).await;
            let removed = clear::remove(session, topics, patience(), style).await;
            Done::Removed(count, removed)
        }));
    }

    /// Goes on with a removal, of which so many were done, and says how it stands.
    fn removed(&mut self, count: usize, ended: Result<()>) -> String {
        let Some(mut removal) = self.removal.take() else {
            return String::new();
        };
        if let Err(error) = ended {
            return format!("{removal}: {}", error.text());
        }
        removal.done += count;
        if removal.left.is_empty() {
            let all = counted(removal.all as u64, "retained message");
            return format!("removed {all}");
        }
        let words = removal.to_string();
        self.removal = Some(removal);
        self.remove_some();
        words
    }

    /// What would be left undone.
    pub(super) fn unfinished(&self) -> Option<String> {
        self.removal.as_ref().map(ToString::to_string)
    }

    fn publish(&mut self, topics: Vec<String>, body: Source, retain: bool, done: String) -> String {
        let Some(server) = self.server.clone() else {
            return String::from("there is no server to publish to");
        };
        let begun = format!("publishing to {}", counted(topics.len() as u64, "topic"));
        let style = self.quiet();
        self.work.push_back(Box::pin(async move {
            let sent = match server {
                Server::Mqtt(session) => {
                    publish::run(published(*session, topics, body, retain, style)).await
                }
                Server::Amqp(session, exchange) => {
                    let key = |topic: &String| Destination::new(routing_key(topic).into());
                    let mut plan = amqp::publish::Plan::new(*session, "", body);
                    plan.keys = topics.iter().map(key).collect();
                    (plan.exchange, plan.until, plan.style) = (exchange, patience(), style);
                    // What no queue gets is not published to anybody.
                    plan.mandatory = true;
                    amqp::publish::run(plan).await
                }
                Server::Coap(session) => match put(*session, &topics, body, style) {
                    Ok(plan) => request::run(plan).await,
                    Err(error) => Err(error),
                },
            };
            Done::Said(match sent {
                Ok(()) => done,
                Err(error) => error.text().to_owned(),
            })
        }));
        begun
    }

    /// Begins a recording, or ends it.
    fn switch(&mut self, file: Option<PathBuf>) -> Result<String> {
        if let Some((mut output, path, count)) = self.recording.take() {
            output.sync()?;
            let messages = counted(count, "message");
            return Ok(format!("recorded {messages} to {}", path.display()));
        }
        let Some(path) = file else {
            return Ok(String::from("nothing is recorded"));
        };
        // What was recorded before is not lost by a slip.
        if path.is_file() {
            return Ok(format!(
                "{} exists already: name another file",
                path.display()
            ));
        }
        let format = Format::Json {
            pretty: false,
            embed: false,
            local: false,
        };
        let kept = Kept::File(path.clone(), Rotation::default());
        let output = Output::open_at(&kept, format, self.plan.style)?;
        let said = format!("recording to {}", path.display());
        self.recording = Some((output, path, 0));
        Ok(said)
    }

    /// Waits until something is done, and says what became of it; for ever where nothing is under way. Cancel-safe.
    ///
    /// # Errors
    /// A recording that cannot be written.
    pub(super) async fn next(&mut self) -> Result<News> {
        if let Some((output, ..)) = &mut self.recording {
            output.flush().await?;
        }
        let Some(work) = self.work.front_mut() else {
            return std::future::pending().await;
        };
        let done = work.await;
        self.work.pop_front();
        Ok(match done {
            Done::Counted(path, Ok(topics)) => {
                let topics = topics.iter().map(ToString::to_string);
                News::Counted(path, topics.collect())
            }
            Done::Counted(_, Err(error)) => News::Said(error.text().to_owned()),
            Done::Removed(count, ended) => News::Said(self.removed(count, ended)),
            Done::Said(words) => News::Said(words),
        })
    }

    /// Writes a message, where messages are recorded.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn record(&mut self, message: &Message) -> Result<()> {
        let Some((output, _, count)) = &mut self.recording else {
            return Ok(());
        };
        output.message(message)?;
        *count += 1;
        match output.pending() > MOST_PENDING {
            true => output.sync(),
            false => Ok(()),
        }
    }

    /// How many messages were recorded; `None`: none are.
    pub(super) fn recorded(&self) -> Option<u64> {
        self.recording.as_ref().map(|(_, _, count)| *count)
    }

    /// What was recorded is in its file.
    ///
    /// # Errors
    /// It is not.
    pub(super) async fn close(&mut self) -> Result<()> {
        match &mut self.recording {
            Some((output, ..)) => output.flush().await,
            None => Ok(()),
        }
    }
}

fn patience() -> Until {
    Until {
        timeout: Some(PATIENCE),
        ..Until::default()
    }
}

fn published(
    session: MqttSession,
    topics: Vec<String>,
    source: Source,
    retain: bool,
    style: Style,
) -> publish::Plan {
    let topics = topics.into_iter();
    publish::Plan {
        session,
        topics: topics.map(|it| Destination::new(it.into())).collect(),
        qos: QoS::AtLeastOnce,
        lowers_qos: true,
        retain,
        properties: Properties::default(),
        source,
        encoding: Encoding::Plain,
        stages: Stages::default(),
        pacing: Pacing::default(),
        ack_timeout: None,
        require_subscribers: false,
        ack_report: None,
        until: patience(),
        style,
    }
}

/// A PUT to the paths of these topics, on the server that is watched.
///
/// # Errors
/// Those of the URI, and of the context.
fn put(
    mut session: CoapSession,
    topics: &[String],
    source: Source,
    style: Style,
) -> Result<request::Plan> {
    let server = session.only_place()?.uri;
    let uris = topics.iter().map(|topic| {
        let uri = server.join(&path(topic));
        uri.map(|uri| uri.to_string())
            .map_err(|why| Error::usage(format!("{topic}: {why}")))
    });
    session.uris = uris.collect::<Result<_>>()?;
    Ok(request::Plan {
        // Its answer is not shown.
        delivers: Some(Delivery {
            retry: Retry::Never,
            retries: None,
        }),
        until: patience(),
        ..request::Plan::new(session, Code::PUT, source, style)
    })
}
