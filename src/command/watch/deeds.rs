//! What the user of the screen asks for: messages sent, retained ones removed, a recording.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use bytestring::ByteString;

use super::Plan;
use crate::coap::code::Code;
use crate::command::amqp;
use crate::command::amqp::session::SessionArgs as AmqpSession;
use crate::command::coap::request;
use crate::command::coap::session::SessionArgs as CoapSession;
use crate::command::ends::carry::{path, routing_key};
use crate::command::mqtt::publish;
use crate::command::mqtt::session::SessionArgs as MqttSession;
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

type Work<'a> = Pin<Box<dyn Future<Output = String> + 'a>>;

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
            Action::Quit => String::new(),
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
            Action::Clear(topics) => {
                let done = counted(topics.len() as u64, "retained message");
                self.publish(topics, Source::Empty, true, format!("removed {done}"))
            }
        }
    }

    fn publish(&mut self, topics: Vec<String>, body: Source, retain: bool, done: String) -> String {
        let Some(server) = self.server.clone() else {
            return String::from("there is no server to publish to");
        };
        let begun = format!("publishing to {}", counted(topics.len() as u64, "topic"));
        let style = Style {
            quiet: true,
            ..self.plan.style
        };
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
            match sent {
                Ok(()) => done,
                Err(error) => error.text().to_owned(),
            }
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
    pub(super) async fn next(&mut self) -> Result<String> {
        if let Some((output, ..)) = &mut self.recording {
            output.flush().await?;
        }
        match self.work.front_mut() {
            Some(work) => {
                let said = work.await;
                self.work.pop_front();
                Ok(said)
            }
            None => std::future::pending().await,
        }
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
        delivers: Some(Retry::Never),
        until: patience(),
        ..request::Plan::new(session, Code::PUT, source, style)
    })
}
