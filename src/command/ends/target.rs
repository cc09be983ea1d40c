//! Where messages go.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytestring::ByteString;
use tokio::time::timeout;

use super::{End, Joint};
use crate::coap::code::Code;
use crate::command::amqp::publish;
use crate::command::amqp::publisher::Publishing;
use crate::command::amqp::session::SessionArgs as AmqpSession;
use crate::command::coap::gateway::{Door, Kept};
use crate::command::coap::request::{self, Delivery, Requests};
use crate::command::coap::session::{Place, SessionArgs as CoapSession};
use crate::command::log::StoreArgs;
use crate::command::mqtt::publisher::Publisher;
use crate::command::mqtt::session::{SessionArgs as MqttSession, Wants, WillArgs, topic_of};
use crate::connect::{ConnectArgs, Protocol, Retry, Target as Server};
use crate::error::{Error, Result};
use crate::flow::{Commands, Exec, Patient, Printed, Stored, Target, target_of};
use crate::mqtt::client::{Client, Connection, Half};
use crate::mqtt::packet::{Properties, Publish, QoS};
use crate::output::{Console, Format, Output, Rotation, Style};
use crate::payload;
use crate::payload::select::Selector;
use crate::stop::DRAIN;
use crate::store::table::{Table, USUAL_TABLE};
use crate::store::{Files, Sqlite, Store, Syncing, Times, Worker};

/// How long no acknowledgement at all may come while some are awaited, before the connection is given up and made anew.
const PATIENCE: Duration = Duration::from_secs(30);

/// As many messages at QoS 0 are under way: what is known of each is still in the processor's cache when it is done with.
const MOST_UNPROVED: u64 = 4096;

/// What becomes of messages at a target, as the command line says it.
#[derive(Clone, Debug)]
pub(crate) struct TargetArgs {
    /// The server, the context or the file.
    pub(crate) end: End,
    /// What it is beside a server and a file of records.
    pub(crate) sink: Option<Sink>,
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
    /// How often what is refused for now is sent again; `None`: for as long as connections are tried again.
    pub(crate) retries: Option<u32>,
    /// A store: when what it gets is safe.
    pub(crate) sync: Syncing,
    /// How a message is shown on standard output.
    pub(crate) format: Format,
    /// What the terminal shows.
    pub(crate) style: Style,
}

/// What is neither a server nor a file of records.
#[derive(Clone, Debug)]
pub(crate) enum Sink {
    /// A store of `log`, and what of a message says when it was.
    Store(Box<StoreArgs>, Option<Selector>),
    /// A command that gets each message.
    Command(Exec),
}

/// A target whose files and secrets were read; nothing is connected.
pub(crate) struct TargetEnd {
    kind: Kind,
    console: Console,
    retries: Option<u32>,
    sync: Syncing,
    /// Of a CoAP target: nothing that it gets is written to a file.
    written: Cell<u64>,
}

enum Kind {
    Mqtt {
        session: Box<MqttSession>,
        server: Box<Server>,
        outline: Box<Publish>,
        state: Option<ByteString>,
        joint: Option<Joint>,
        /// What the server does not take of a message is a failure.
        strict: bool,
    },
    Amqp {
        plan: Box<publish::Plan>,
        name: String,
    },
    Coap {
        plan: Box<request::Plan>,
        place: Box<Place>,
    },
    Listen(Door),
    /// Records at the end of a file.
    File(PathBuf, Format),
    /// The messages of a database.
    Database(PathBuf),
    Shown(Format, Style),
    /// With its name.
    Sink(String, Sink),
}

impl TargetEnd {
    /// Reads what the words name.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for what does not fit together; a file that cannot be read.
    pub(crate) fn resolve(args: TargetArgs, console: Console) -> Result<Self> {
        let connect = args.end.connect(&args.connect);
        let (retries, sync) = (args.retries, args.sync);
        let kind = match (args.end.protocol()?, &args.end) {
            (_, end) if args.sink.is_some() => sink(end.to_string(), args.sink),
            (_, End::Listen(listen)) => Kind::Listen(Door::new(*listen, &connect)?),
            (Some(Protocol::Mqtt), _) => mqtt(args, connect)?,
            (Some(Protocol::Amqp), _) => amqp(&args, connect, console)?,
            (Some(Protocol::Coap), _) => coap(&args, connect)?,
            (Some(Protocol::Http), end) => {
                return Err(Error::usage(format!("{end}: no messages go over HTTP")));
            }
            (None, End::File(path)) => {
                check_name(path)?;
                Kind::File(path.clone(), args.format)
            }
            (None, End::Store(name)) => {
                let text = format!("{name} is a store, which keeps no records");
                return Err(Error::usage(text).hint("`iotctl log` writes into it"));
            }
            (None, End::Database(path)) => Kind::Database(path.clone()),
            (None, _) => Kind::Shown(args.format, args.style),
        };
        Ok(Self {
            kind,
            console,
            retries,
            sync,
            written: Cell::new(0),
        })
    }

    /// The protocol that its messages are to be of; `None`: any.
    pub(crate) const fn protocol(&self) -> Option<Protocol> {
        match &self.kind {
            Kind::Mqtt { .. } => Some(Protocol::Mqtt),
            Kind::Amqp { .. } => Some(Protocol::Amqp),
            Kind::Coap { .. } | Kind::Listen(_) => Some(Protocol::Coap),
            Kind::File(..) | Kind::Database(_) | Kind::Shown(..) | Kind::Sink(..) => None,
        }
    }

    /// Whether a source may hand out what goes there: a server of ours only shows it.
    pub(crate) const fn gives_back(&self) -> bool {
        self.protocol().is_some() && !matches!(self.kind, Kind::Listen(_))
    }

    /// Opens a connection for a source, too.
    pub(crate) fn join(&mut self, source: &Joint) {
        if let Kind::Mqtt { joint, .. } = &mut self.kind {
            *joint = Some(source.clone());
        }
    }

    /// MQTT: a message of a QoS that the server does not take is refused, and so is a retained one where nothing is retained.
    pub(crate) fn insist(&mut self) {
        if let Kind::Mqtt { strict, .. } = &mut self.kind {
            *strict = true;
        }
    }

    /// The server of ours that it is.
    pub(super) const fn door(&self) -> Option<&Door> {
        match &self.kind {
            Kind::Listen(door) => Some(door),
            _ => None,
        }
    }

    /// What users call it, and what tells one server from another: `mqtt://host:1883`.
    pub(crate) fn name(&self) -> String {
        match &self.kind {
            Kind::Mqtt { server, .. } => server.to_string(),
            Kind::Amqp { name, .. } => name.clone(),
            Kind::Coap { place, .. } => place.target.to_string(),
            Kind::Listen(door) => door.listen().to_string(),
            Kind::File(path, _) | Kind::Database(path) => path.display().to_string(),
            Kind::Shown(..) => String::from("standard output"),
            Kind::Sink(name, _) => name.clone(),
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
                joint,
                strict,
            } => {
                let client = self.client(session, server, joint.is_some()).await?;
                let retry = session.connect.retry;
                match joint {
                    Some(joint) => {
                        let half = joint.open(client);
                        let publisher = self.publisher(half, outline, state, *strict);
                        AnyTarget::Joint(self.patient(publisher, retry))
                    }
                    None => {
                        let publisher = self.publisher(client, outline, state, *strict);
                        AnyTarget::Mqtt(self.patient(publisher, retry))
                    }
                }
            }
            Kind::Amqp { plan, .. } => AnyTarget::Amqp(self.publishing(plan)?),
            Kind::Coap { plan, place } => {
                let places = vec![(plan.session.uris[0].as_str().into(), &**place)];
                AnyTarget::Coap(Box::new(Requests::open(plan, places, &self.written)?))
            }
            Kind::Listen(door) => AnyTarget::Kept(Box::new(door.target(self.console).await?)),
            Kind::File(path, format) => {
                let (never, times) = (Rotation::default(), Times::of(None));
                let (files, cut) = Files::open(path, never, format.clone(), times)?;
                if cut > 0 {
                    self.console.warn(cut_off(path, cut));
                }
                stored(self.name(), files, self.sync)?
            }
            Kind::Database(path) => {
                let table = Table {
                    path: path.clone(),
                    name: String::from(USUAL_TABLE),
                    ..Table::default()
                };
                let store = Sqlite::open(table, Times::of(None))?;
                stored(self.name(), store, self.sync)?
            }
            Kind::Sink(_, Sink::Store(store, time)) => {
                let stored = store.stored(self.sync, time.clone(), self.console)?;
                AnyTarget::Stored(Box::new(stored.telling(self.console)))
            }
            Kind::Sink(_, Sink::Command(exec)) => {
                AnyTarget::Exec(Box::new(Commands::new(exec, self.console)))
            }
            Kind::Shown(format, style) => {
                let output = Output::open(format.clone(), *style)?;
                AnyTarget::Shown(Box::new(Printed::new(output)))
            }
        })
    }
}

impl TargetEnd {
    /// What its server refuses for now goes there again.
    fn patient<T: Target>(&self, target: T, retry: Option<Retry>) -> Box<Patient<T>> {
        let retry = retry.unwrap_or(Retry::Forever);
        let patient = Patient::new(target, retry, self.console);
        Box::new(patient.trying(self.retries))
    }

    fn publishing<'a>(&self, plan: &'a publish::Plan) -> Result<Box<Patient<Publishing<'a>>>> {
        let args = &plan.session;
        let session = args.session("publish", Retry::Forever, self.console)?;
        let publishing = Publishing::new(plan, session, self.console).isolating();
        Ok(self.patient(publishing, args.connect.retry))
    }

    /// `receives`: for both directions.
    async fn client(
        &self,
        session: &MqttSession,
        server: &Server,
        receives: bool,
    ) -> Result<Client> {
        let wants = Wants {
            later: Retry::Forever,
            version_5_only: false,
            topic_aliases: if receives { 16 } else { 0 },
        };
        let client = session.client(server.clone(), &wants, self.console);
        let mut client = client.await?;
        client.session().loses_none();
        if session.persistent {
            // Identifiers that the server may still hold from an earlier process must not be met again.
            let last = std::process::id() as u16;
            client.session().start_identifiers_after(last);
        }
        Ok(client)
    }

    fn publisher<C: Connection>(
        &self,
        client: C,
        outline: &Publish,
        state: &Option<ByteString>,
        strict: bool,
    ) -> Publisher<C> {
        let mut publisher = Publisher::new(client, outline.clone(), Some(PATIENCE), self.console);
        publisher.reconnect_when_unanswered();
        publisher.bound_unproved(MOST_UNPROVED);
        if !strict {
            publisher.lower();
        }
        if let Some(topic) = state {
            publisher.tell_state(topic.clone());
        }
        publisher
    }
}

/// What is said of a file whose last message was cut off.
pub(crate) fn cut_off(path: &Path, bytes: u64) -> String {
    let name = path.display();
    format!(
        "{name} ended in the middle of a message, which was not acknowledged: cut off {bytes} bytes"
    )
}

/// Refuses a file that would hold something else than its name says.
fn check_name(path: &Path) -> Result<()> {
    let is_gzip = path.extension().is_some_and(|it| it == "gz");
    match is_gzip {
        true => {
            let text = format!(
                "{}: records are not compressed as they come",
                path.display()
            );
            Err(Error::usage(text).hint("name it FILE.ndjson; `iotctl log --rotate … --gzip` compresses files once they are full"))
        }
        false => Ok(()),
    }
}

/// On standard output nothing but the format counts.
fn sink(name: String, sink: Option<Sink>) -> Kind {
    match sink {
        Some(Sink::Store(store, time)) => match *store {
            StoreArgs::Standard(format, style) => Kind::Shown(format, style),
            store => Kind::Sink(name, Sink::Store(Box::new(store), time)),
        },
        Some(command) => Kind::Sink(name, command),
        None => Kind::Shown(Format::records(), Style::default()),
    }
}

fn stored<'a>(name: String, store: impl Store + 'static, sync: Syncing) -> Result<AnyTarget<'a>> {
    let worker = Worker::start(store, sync)?;
    Ok(AnyTarget::Stored(Box::new(Stored::new(name, worker))))
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
    if let (End::Url(..), Some(topic)) = (&args.end, topic_of(&server)) {
        let text = format!("{}: {topic} is no topic of what goes there", args.end);
        return Err(Error::usage(text).hint("leave the path out: each message has its own topic"));
    }
    Ok(Kind::Mqtt {
        session: Box::new(session),
        server: Box::new(server),
        state: args.state,
        joint: None,
        strict: false,
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
    let session = CoapSession::of(connect);
    let place = session.only_place()?;
    let retry = place.target.retry.unwrap_or(Retry::Forever);
    let segments = place.uri.path.iter();
    let wrong = segments
        .map(String::as_str)
        .find_map(|segment| match segment {
            "+" | "#" => Some(format!("the path has a wildcard, {segment}, in it")),
            _ if segment.contains(['{', '}']) => Some(String::from("nothing is filled in here")),
            _ => None,
        });
    if let Some(wrong) = wrong {
        let text = format!("{}: {wrong}", args.end);
        return Err(Error::usage(text).hint("the path of a CoAP URL is put before each topic"));
    }
    let plan = request::Plan {
        delivers: Some(Delivery {
            retry,
            retries: args.retries,
        }),
        ..request::Plan::new(session, Code::PUT, payload::Source::Records, args.style)
    };
    Ok(Kind::Coap {
        plan: Box::new(plan),
        place: Box::new(place),
    })
}

/// A target of any kind.
pub(crate) enum AnyTarget<'a> {
    Mqtt(Box<Patient<Publisher>>),
    Joint(Box<Patient<Publisher<Half>>>),
    Amqp(Box<Patient<Publishing<'a>>>),
    Coap(Box<Requests<'a>>),
    Kept(Box<Kept>),
    Stored(Box<Stored>),
    Exec(Box<Commands<'a>>),
    Shown(Box<Printed<Output>>),
}

target_of!(AnyTarget<'_>: Mqtt Joint Amqp Coap Kept Stored Exec Shown);

impl AnyTarget<'_> {
    /// Ends the connection in good order.
    ///
    /// # Errors
    /// A trace that cannot be written.
    pub(crate) async fn close(self) -> Result<()> {
        match self {
            Self::Mqtt(patient) => {
                patient.into_inner().close().await;
                Ok(())
            }
            Self::Joint(patient) => {
                patient.into_inner().close().await;
                Ok(())
            }
            Self::Amqp(patient) => {
                patient.into_inner().close().await;
                Ok(())
            }
            Self::Coap(mut requests) => requests.close().await,
            Self::Stored(mut stored) => {
                // One that still waits for its server has nothing that was told to be stored.
                let closed = timeout(DRAIN, stored.close()).await;
                stored.tell(closed.unwrap_or_default());
                Ok(())
            }
            Self::Kept(_) | Self::Exec(_) | Self::Shown(_) => Ok(()),
        }
    }
}
