//! Where messages go.

use std::cell::Cell;
use std::time::Duration;

use bytestring::ByteString;
use serde_json::Value;

use super::End;
use crate::coap::code::Code;
use crate::command::amqp::publish;
use crate::command::amqp::publisher::Publishing;
use crate::command::amqp::session::SessionArgs as AmqpSession;
use crate::command::coap::client::ProxyMode;
use crate::command::coap::request::{self, Requests};
use crate::command::coap::session::{Place, SessionArgs as CoapSession, Transfer, Wording};
use crate::command::mqtt::publisher::Publisher;
use crate::command::mqtt::session::{SessionArgs as MqttSession, Wants, WillArgs};
use crate::connect::{ConnectArgs, Protocol, Retry, Target as Server};
use crate::error::{Error, Result};
use crate::flow::{Number, Pacing, Printed, Progress, Stages, Target, Unit, Until};
use crate::message::Message;
use crate::mqtt::packet::{Properties, Publish, QoS};
use crate::output::{Console, Destination, Format, Output, Rotation, Style};
use crate::payload::{self, Encoding};

/// How long no acknowledgement at all may come while some are awaited, before the connection is given up and made anew.
const PATIENCE: Duration = Duration::from_secs(30);

/// What becomes of messages at a target, as the command line says it.
#[derive(Clone, Debug)]
pub(crate) struct TargetArgs {
    /// The server, the context or the file.
    pub(crate) end: End,
    /// How to connect, beside what the name says.
    pub(crate) connect: ConnectArgs,
    /// MQTT: the session, but for its connection.
    pub(crate) mqtt: MqttSession,
    /// MQTT: gets `1` while the connection is there, and `0` otherwise, retained.
    pub(crate) state: Option<ByteString>,
    /// MQTT: for messages that do not say their own.
    pub(crate) qos: QoS,
    /// MQTT: whether messages are retained that do not say it.
    pub(crate) retain: bool,
    /// AMQP: for messages that do not say their own.
    pub(crate) exchange: ByteString,
    /// How many messages may be under way.
    pub(crate) window: u16,
    /// How a message is shown on standard output.
    pub(crate) format: Format,
    /// What the terminal shows.
    pub(crate) style: Style,
}

/// A target whose files and secrets were read; nothing is connected.
pub(crate) struct TargetEnd {
    kind: Kind,
    console: Console,
    /// Of a CoAP target: nothing that it gets is written to a file.
    written: Cell<u64>,
}

enum Kind {
    Mqtt {
        session: Box<MqttSession>,
        server: Box<Server>,
        outline: Box<Publish>,
        state: Option<ByteString>,
    },
    Amqp {
        plan: Box<publish::Plan>,
        name: String,
    },
    Coap {
        plan: Box<request::Plan>,
        place: Box<Place>,
    },
    Shown(Destination, Format, Style),
}

impl TargetEnd {
    /// Reads what the words name.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for what does not fit together; a file that cannot be read.
    pub(crate) fn resolve(args: TargetArgs, console: Console) -> Result<Self> {
        let connect = args.end.connect(&args.connect);
        let kind = match (args.end.protocol()?, &args.end) {
            (Some(Protocol::Mqtt), _) => mqtt(args, connect)?,
            (Some(Protocol::Amqp), _) => amqp(&args, connect, console)?,
            (Some(Protocol::Coap), _) => coap(&args, connect)?,
            (Some(Protocol::Http), end) => {
                return Err(Error::usage(format!("{end} is not a server")));
            }
            (None, End::File(path)) => {
                let destination = Destination::File(path.clone(), Rotation::default());
                Kind::Shown(destination, args.format, args.style)
            }
            (None, _) => Kind::Shown(Destination::Stdout, args.format, args.style),
        };
        Ok(Self {
            kind,
            console,
            written: Cell::new(0),
        })
    }

    /// The protocol that its messages are to be of; `None`: any.
    pub(crate) const fn protocol(&self) -> Option<Protocol> {
        match &self.kind {
            Kind::Mqtt { .. } => Some(Protocol::Mqtt),
            Kind::Amqp { .. } => Some(Protocol::Amqp),
            Kind::Coap { .. } => Some(Protocol::Coap),
            Kind::Shown(..) => None,
        }
    }

    /// What users call it, and what tells one server from another: `mqtt://host:1883`.
    pub(crate) fn name(&self) -> String {
        match &self.kind {
            Kind::Mqtt { server, .. } => server.to_string(),
            Kind::Amqp { name, .. } => name.clone(),
            Kind::Coap { place, .. } => place.target.to_string(),
            Kind::Shown(Destination::File(path, _), ..) => path.display().to_string(),
            Kind::Shown(..) => String::from("standard output"),
        }
    }

    /// The target; it connects when it is driven.
    ///
    /// # Errors
    /// A session that cannot be what it is to be.
    pub(crate) async fn open(&self) -> Result<AnyTarget<'_>> {
        Ok(match &self.kind {
            Kind::Mqtt {
                session,
                server,
                outline,
                state,
            } => {
                let wants = Wants {
                    later: Retry::Forever,
                    version_5_only: false,
                    topic_aliases: 0,
                };
                let client = session.client(Server::clone(server), &wants, self.console);
                let client = client.await?;
                let outline = Publish::clone(outline);
                let mut publisher = Publisher::new(client, outline, Some(PATIENCE), self.console);
                if let Some(topic) = state {
                    publisher.tell_state(topic.clone());
                }
                AnyTarget::Mqtt(Box::new(publisher))
            }
            Kind::Amqp { plan, .. } => {
                let session = plan
                    .session
                    .session("publish", Retry::Forever, self.console)?;
                AnyTarget::Amqp(Box::new(Publishing::new(plan, session, self.console)))
            }
            Kind::Coap { plan, place } => {
                let places = vec![(plan.session.uris[0].as_str().into(), &**place)];
                let requests = Requests::open(plan, places, &self.written)?;
                AnyTarget::Coap(Box::new(requests))
            }
            Kind::Shown(destination, format, style) => {
                let output = Output::open_at(destination, format.clone(), *style)?;
                AnyTarget::Shown(Box::new(Printed::new(output)))
            }
        })
    }
}

fn mqtt(args: TargetArgs, connect: ConnectArgs) -> Result<Kind> {
    let will = args.state.clone().map(|topic| WillArgs {
        topic,
        payload: payload::Source::Text("0".into()),
        qos: QoS::AtLeastOnce,
        retain: true,
        properties: Properties::default(),
    });
    let session = MqttSession {
        connect,
        will,
        ..args.mqtt
    };
    let server = session.target()?;
    Ok(Kind::Mqtt {
        session: Box::new(session),
        server: Box::new(server),
        state: args.state,
        outline: Box::new(Publish {
            qos: args.qos,
            retain: args.retain,
            ..Publish::default()
        }),
    })
}

fn amqp(args: &TargetArgs, connect: ConnectArgs, console: Console) -> Result<Kind> {
    let session = AmqpSession {
        connect,
        ..AmqpSession::default()
    };
    let name = session.resolved("publish", console)?.0.to_string();
    let mut plan = publish::Plan::new(session, ByteString::new(), payload::Source::Records);
    plan.keys.clear();
    plan.exchange = args.exchange.clone();
    plan.mandatory = true;
    plan.window = args.window.into();
    plan.style = args.style;
    Ok(Kind::Amqp {
        plan: Box::new(plan),
        name,
    })
}

fn coap(args: &TargetArgs, connect: ConnectArgs) -> Result<Kind> {
    let uri = connect.url.clone().unwrap_or_else(|| String::from("/"));
    let session = CoapSession {
        connect: ConnectArgs {
            url: None,
            ..connect
        },
        uris: vec![uri],
        transfer: Transfer::default(),
        options: Vec::new(),
        proxy: None,
        proxy_mode: ProxyMode::default(),
        pcap: None,
        verbose: false,
        trace: false,
    };
    let place = session.only_place()?;
    let plan = request::Plan {
        session,
        wording: Wording::default(),
        method: Code::PUT,
        source: payload::Source::Records,
        encoding: Encoding::Plain,
        delivers: Some(Retry::Forever),
        outgoing: Stages::default(),
        pacing: Pacing::default(),
        until: Until::default(),
        etag_file: None,
        file: None,
        resume: false,
        stages: Stages::default(),
        format: Format::Raw,
        style: args.style,
    };
    Ok(Kind::Coap {
        plan: Box::new(plan),
        place: Box::new(place),
    })
}

/// A target of any kind.
pub(crate) enum AnyTarget<'a> {
    Mqtt(Box<Publisher>),
    Amqp(Box<Publishing<'a>>),
    Coap(Box<Requests<'a>>),
    Shown(Box<Printed<Output>>),
}

/// The same of whichever target it is.
macro_rules! each {
    ($self:ident, $target:ident => $what:expr) => {
        match $self {
            AnyTarget::Mqtt($target) => $what,
            AnyTarget::Amqp($target) => $what,
            AnyTarget::Coap($target) => $what,
            AnyTarget::Shown($target) => $what,
        }
    };
}

impl AnyTarget<'_> {
    /// Ends the connection in good order.
    ///
    /// # Errors
    /// A trace that cannot be written.
    pub(crate) async fn close(self) -> Result<()> {
        match self {
            Self::Mqtt(mut publisher) => {
                publisher.close().await;
                Ok(())
            }
            Self::Amqp(publishing) => {
                publishing.close().await;
                Ok(())
            }
            Self::Coap(mut requests) => requests.close().await,
            Self::Shown(_) => Ok(()),
        }
    }
}

impl Target for AnyTarget<'_> {
    fn name(&self) -> String {
        each!(self, target => target.name())
    }

    fn unit(&self) -> Unit {
        each!(self, target => target.unit())
    }

    fn has_room(&self) -> bool {
        each!(self, target => target.has_room())
    }

    fn is_free(&self) -> bool {
        each!(self, target => target.is_free())
    }

    fn is_idle(&self) -> bool {
        each!(self, target => target.is_idle())
    }

    fn unsent(&self) -> u64 {
        each!(self, target => target.unsent())
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        each!(self, target => target.take(number, message))
    }

    fn finish(&mut self) {
        each!(self, target => target.finish());
    }

    fn details(&mut self, number: Number) -> Vec<(&'static str, Value)> {
        each!(self, target => target.details(number))
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        each!(self, target => target.drive(into).await)
    }
}
