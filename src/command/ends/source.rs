//! Where messages come from.

use std::path::PathBuf;
use std::time::SystemTime;

use bytestring::ByteString;

use super::{End, Joint, TargetEnd};
use crate::amqp::topology::{Arguments, Binding, Declaration, Destination, Queue};
use crate::coap::code::Code;
use crate::command::amqp::consume::{self, Settle};
use crate::command::amqp::session::{Session, SessionArgs as AmqpSession};
use crate::command::amqp::source::Consumed;
use crate::command::coap::client::Tracer;
use crate::command::coap::found::{Found, Resources, Wanted as WantedResources};
use crate::command::coap::gateway::{Door, Requested};
use crate::command::coap::observe;
use crate::command::coap::session::{SessionArgs as CoapSession, Wording};
use crate::command::later::Later;
use crate::command::mqtt::session::{SessionArgs as MqttSession, Wants, topic_of};
use crate::command::mqtt::source::{Subscribed, Wanted};
use crate::command::mqtt::unaware::Unaware;
use crate::connect::{ConnectArgs, Protocol, Retry, Target, without_credentials};
use crate::error::{Error, Result};
use crate::flow::{Fate, Input, Next, Number, Pacing, Ready, Source, Stages, Until};
use crate::mqtt::client::{Connection, Half};
use crate::mqtt::packet::{Properties, Subscription};
use crate::output::{Console, Destination as Shown, Format, Style};
use crate::payload::captures::Pattern;
use crate::payload::{self, Bodies, Encoding, Outline};

/// The exchange that MQTT topics are routing keys of, as RabbitMQ's plugin for MQTT has it.
pub(crate) const TOPIC_EXCHANGE: &str = "amq.topic";

/// The exchange that was given, or that of MQTT's topics.
pub(crate) fn exchange_of(given: Option<ByteString>) -> ByteString {
    given.unwrap_or_else(|| ByteString::from_static(TOPIC_EXCHANGE))
}

/// What a source hands out, as the command line says it.
#[derive(Clone, Debug)]
pub(crate) struct SourceArgs {
    /// The server, the context or the file.
    pub(crate) end: End,
    /// How to connect, beside what the name says.
    pub(crate) connect: ConnectArgs,
    /// MQTT: what to subscribe to. Filters are binding keys of an exchange over AMQP, with `.` for `/` and `*` for `+`. CoAP, where no
    /// resource is named: which of those that can be observed are.
    pub(crate) subscriptions: Vec<Subscription>,
    /// MQTT: the session, but for its connection.
    pub(crate) mqtt: MqttSession,
    /// AMQP: the queue to consume from; otherwise a temporary one.
    pub(crate) queue: Option<ByteString>,
    /// AMQP: the exchange that a temporary queue is bound to.
    pub(crate) exchange: ByteString,
    /// AMQP: messages are given back to their queue at the end.
    pub(crate) peek: bool,
    /// MQTT: only what the server retains, which ends once all of it came. CoAP: it ends once each resource has said something.
    pub(crate) retained_only: bool,
    /// A file: messages come with the gaps that their times have, divided by this; otherwise as fast as they are wanted.
    pub(crate) speed: Option<f64>,
    /// How many messages may be handed out and not settled.
    pub(crate) window: u16,
    /// What the terminal shows.
    pub(crate) style: Style,
}

impl SourceArgs {
    /// The same for who only looks: nothing is taken from anybody else.
    pub(crate) fn only_looks(mut self) -> Self {
        self.peek = true;
        self.mqtt.persistent = false;
        self.mqtt.client_id = None;
        self
    }
}

/// A source whose files and secrets were read; nothing is connected.
pub(crate) struct SourceEnd {
    kind: Kind,
    /// Where nobody else looks at topics: the only ones that are handed out; none: all.
    only: Vec<Pattern>,
    console: Console,
}

enum Kind {
    Mqtt {
        session: Box<MqttSession>,
        target: Box<Target>,
        subscriptions: Vec<Subscription>,
        wanted: Box<Wanted>,
        joint: Option<Joint>,
    },
    Amqp {
        plan: Box<consume::Plan>,
        session: Box<Session>,
    },
    Coap(Box<Resources>),
    Listen(Door, u16),
    /// Of a file, or of standard input; at this speed.
    Records(Option<PathBuf>, Option<f64>),
}

impl SourceEnd {
    /// Reads what the words name.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for what does not fit together; a file that cannot be read.
    pub(crate) fn resolve(args: SourceArgs, console: Console) -> Result<Self> {
        let connect = args.end.connect(&args.connect);
        let kind = match (args.end.protocol()?, &args.end) {
            (_, End::Listen(listen)) => Kind::Listen(Door::new(*listen, &connect)?, args.window),
            (Some(Protocol::Mqtt), _) => mqtt(args, connect)?,
            (Some(Protocol::Amqp), _) => amqp(args, connect, console)?,
            (Some(Protocol::Coap), _) => coap(args, connect, console)?,
            (Some(Protocol::Http), end) => {
                return Err(Error::usage(format!("{end}: no messages come over HTTP")));
            }
            (None, End::File(path)) => Kind::Records(Some(path.clone()), args.speed),
            (None, end @ (End::Database(_) | End::Store(_))) => {
                return Err(Error::usage(format!("{end} cannot be read from")));
            }
            (None, _) => Kind::Records(None, args.speed),
        };
        Ok(Self {
            kind,
            only: Vec::new(),
            console,
        })
    }

    /// Of a file and over CoAP, too, only what has such a topic is asked for.
    pub(crate) fn ask_only(&mut self, topics: &[Pattern]) {
        self.only = topics.to_vec();
    }

    /// Over the connection of a target; `unaware`: where it is told when that server sends back what it was sent.
    pub(crate) fn join(&mut self, target: &Joint, unaware: Unaware) {
        if let Kind::Mqtt { joint, wanted, .. } = &mut self.kind {
            *joint = Some(target.clone());
            wanted.unaware = Some(unaware);
        }
    }

    /// MQTT: a server that grants QoS 0 where more was asked for ends it.
    pub(crate) fn insist(&mut self) {
        if let Kind::Mqtt { wanted, .. } = &mut self.kind {
            wanted.strict = true;
        }
    }

    /// Uses the server that the target opens, where both are one of ours.
    pub(crate) fn share(&mut self, target: &TargetEnd) {
        if let (Kind::Listen(door, _), Some(other)) = (&mut self.kind, target.door())
            && door.listen() == other.listen()
        {
            *door = other.clone();
        }
    }

    /// What users call it, and what tells one server from another: `mqtt://host:1883`.
    pub(crate) fn name(&self) -> String {
        match &self.kind {
            Kind::Mqtt { target, .. } => target.to_string(),
            Kind::Amqp { session, .. } => session.target.to_string(),
            Kind::Coap(resources) => resources.place.target.to_string(),
            Kind::Listen(door, _) => door.listen().to_string(),
            Kind::Records(Some(path), _) => path.display().to_string(),
            Kind::Records(None, _) => String::from("standard input"),
        }
    }

    /// Whether it gets what it subscribes to.
    pub(crate) const fn subscribes(&self) -> bool {
        match &self.kind {
            Kind::Mqtt { .. } | Kind::Amqp { .. } => true,
            Kind::Coap(resources) => resources.wanted.is_matching(),
            Kind::Listen(..) | Kind::Records(..) => false,
        }
    }

    /// The source; it connects when it is driven.
    ///
    /// # Errors
    /// A session that cannot be what it is to be; a file that cannot be read.
    pub(crate) async fn open(&self) -> Result<AnySource<'_>> {
        Ok(match &self.kind {
            Kind::Mqtt {
                session,
                target,
                subscriptions,
                wanted,
                joint,
            } => {
                if let Some(half) = joint.as_ref().and_then(Joint::take) {
                    let source = self.subscribed(half, subscriptions, wanted)?;
                    return Ok(AnySource::Joint(Box::new(source)));
                }
                let wants = Wants {
                    later: Retry::Forever,
                    version_5_only: false,
                    topic_aliases: 16,
                };
                let client = session.client(Target::clone(target), &wants, self.console);
                let source = self.subscribed(client.await?, subscriptions, wanted)?;
                AnySource::Mqtt(Box::new(source))
            }
            Kind::Amqp { plan, session } => {
                AnySource::Amqp(Box::new(Consumed::new(plan, session, self.console)))
            }
            Kind::Coap(resources) => AnySource::Coap(Box::new(Found::new(resources)), &self.only),
            Kind::Listen(door, window) => {
                let source = door.source(*window, self.console).await?;
                AnySource::Listen(Box::new(source), &self.only)
            }
            Kind::Records(path, speed) => {
                let records = payload::Source::Records;
                let bodies = match path {
                    Some(path) => Bodies::records(path),
                    None => Bodies::open(&records, Encoding::Plain),
                };
                let bodies = bodies?.like(Outline::default());
                let pacing = Pacing {
                    replay: *speed,
                    ..Pacing::default()
                };
                let input = Input::new(bodies, &pacing).telling(self.console);
                AnySource::Records(Box::new(input), &self.only)
            }
        })
    }

    fn subscribed<'a, C: Connection>(
        &self,
        mut client: C,
        subscriptions: &[Subscription],
        wanted: &'a Wanted,
    ) -> Result<Subscribed<'a, C>> {
        client
            .with(|session| session.subscribe(subscriptions, &Properties::default()))
            .map_err(|fault| Error::usage(fault.to_string()))?;
        Ok(Subscribed::new(client, wanted, false, self.console))
    }
}

fn mqtt(args: SourceArgs, connect: ConnectArgs) -> Result<Kind> {
    let session = MqttSession {
        connect,
        ..args.mqtt
    };
    let target = session.target()?;
    if args.subscriptions.is_empty() {
        let text = format!("no topic to subscribe to on {target}");
        return Err(Error::usage(text).hint("use -t FILTER"));
    }
    if let (End::Url(..), Some(topic)) = (&args.end, topic_of(&target))
        && args.subscriptions.iter().all(|it| it.filter != topic)
    {
        let text = format!("{}: {topic} is not subscribed to", args.end);
        return Err(Error::usage(text).hint("leave the path out, and name topics with -t"));
    }
    let filters = args.subscriptions.iter().map(|it| it.filter.clone());
    let only = match session.persistent {
        true => filters.collect(),
        false => Vec::new(),
    };
    Ok(Kind::Mqtt {
        wanted: Box::new(Wanted {
            subscribes: true,
            only,
            at_least_once: true,
            retained_only: args.retained_only,
            ..Wanted::default()
        }),
        joint: None,
        session: Box::new(session),
        target: Box::new(target),
        subscriptions: args.subscriptions,
    })
}

fn amqp(args: SourceArgs, connect: ConnectArgs, console: Console) -> Result<Kind> {
    let session = AmqpSession {
        connect,
        ..AmqpSession::default()
    };
    let queue = args.queue.clone().unwrap_or_default();
    if queue.is_empty() && args.subscriptions.is_empty() {
        let text = format!("no queue to consume from at {}", args.end);
        return Err(Error::usage(text).hint("use --queue NAME, or -t FILTER for a temporary one"));
    }
    let mut plan = consume::Plan::new(session.clone(), queue.clone());
    plan.prefetch = args.window;
    if args.peek {
        plan.settle = Settle::Peek;
    }
    plan.style = args.style;
    // What a queue of somebody's gets is theirs to say, and the binding would outlive us.
    if queue.is_empty() {
        plan.declare.push(Declaration::Queue(Queue::temporary()));
        plan.declare.extend(args.subscriptions.iter().map(|one| {
            Declaration::Binding(Binding {
                source: args.exchange.clone(),
                destination: Destination::Queue(queue.clone()),
                key: super::carry::binding_key(&one.filter).into(),
                arguments: Arguments::new(),
            })
        }));
    }
    let session = session.session("consume", Retry::Forever, console)?;
    Ok(Kind::Amqp {
        plan: Box::new(plan),
        session: Box::new(session),
    })
}

/// What the path of a CoAP server asks for, where it is a pattern: it names levels as one of `-t` does.
///
/// # Errors
/// A pattern that is none.
pub(crate) fn path_pattern(end: &End) -> Result<Option<Pattern>> {
    match end {
        End::Url(Protocol::Coap, url) => Ok(pattern_of(url)?.map(|(pattern, _)| pattern)),
        _ => Ok(None),
    }
}

/// The path of a URL with a name or a wildcard for a level, and the URL without it.
fn pattern_of(url: &str) -> Result<Option<(Pattern, String)>> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Ok(None);
    };
    let Some((authority, path)) = rest.split_once('/') else {
        return Ok(None);
    };
    let stands_for_others =
        |level: &str| matches!(level, "+" | "#") || level.starts_with('{') && level.ends_with('}');
    if !path.split('/').any(stands_for_others) {
        return Ok(None);
    }
    let server = format!("{scheme}://{authority}");
    let path = super::carry::path_as_topic(&path.into());
    let pattern = path
        .parse()
        .map_err(|why| Error::usage(format!("{}: {why}", without_credentials(url))))?;
    Ok(Some((pattern, server)))
}

fn coap(args: SourceArgs, mut connect: ConnectArgs, console: Console) -> Result<Kind> {
    let mut path = None;
    if let Some(url) = &mut connect.url
        && let Some((pattern, server)) = pattern_of(url)?
    {
        path = Some(pattern);
        *url = server;
    }
    let session = CoapSession::of(connect);
    let place = session.only_place()?;
    let tracer = Tracer::open(&session, console)?;
    let topics = args.subscriptions.into_iter().map(|it| it.filter);
    let wanted = match place.uri.path.is_empty() {
        true => WantedResources::Matching {
            path,
            topics: topics.collect(),
        },
        false => WantedResources::Named,
    };
    let plan = observe::Plan {
        session,
        wording: Wording::default(),
        method: Code::GET,
        until: Until::default(),
        stages: Stages::default(),
        exec: None,
        source: payload::Source::Empty,
        encoding: Encoding::Plain,
        reregister: true,
        retry: place.target.retry.unwrap_or(Retry::Forever),
        keep_alive: None,
        deregister: true,
        summary: None,
        ready: Ready::default(),
        destination: Shown::Stdout,
        format: Format::Raw,
        style: args.style,
    };
    Ok(Kind::Coap(Box::new(Resources {
        plan,
        place,
        tracer,
        wanted,
        once: args.retained_only,
        found: Later::default(),
    })))
}

/// A source of any kind.
pub(crate) enum AnySource<'a> {
    Mqtt(Box<Subscribed<'a>>),
    Joint(Box<Subscribed<'a, Half>>),
    Amqp(Box<Consumed<'a>>),
    Coap(Box<Found<'a>>, &'a [Pattern]),
    Listen(Box<Requested>, &'a [Pattern]),
    Records(Box<Input>, &'a [Pattern]),
}

/// The same of whichever source it is.
macro_rules! each {
    ($self:ident, $source:ident => $what:expr) => {
        match $self {
            AnySource::Mqtt($source) => $what,
            AnySource::Joint($source) => $what,
            AnySource::Amqp($source) => $what,
            AnySource::Coap($source, _) => $what,
            AnySource::Listen($source, _) => $what,
            AnySource::Records($source, _) => $what,
        }
    };
}

impl AnySource<'_> {
    /// Ends the connection in good order.
    ///
    /// # Errors
    /// The server does not have the last acknowledgements.
    pub(crate) async fn close(self) -> Result<()> {
        match self {
            Self::Mqtt(mut source) => source.close(Properties::default()).await,
            Self::Joint(mut source) => source.close(Properties::default()).await,
            Self::Amqp(source) => source.close().await,
            Self::Coap(mut source, _) => source.close().await,
            Self::Listen(mut source, _) => {
                source.close();
                Ok(())
            }
            Self::Records(..) => Ok(()),
        }
    }
}

/// What comes next, unless nobody asked for its topic.
fn asked(next: Next, only: &[Pattern]) -> Next {
    match next {
        Next::Message(message) if !only.is_empty() => {
            let topic = super::carry::topic_of(&message);
            match only.iter().any(|it| it.is_match(&topic)) {
                true => Next::Message(message),
                false => Next::Skipped,
            }
        }
        next => next,
    }
}

impl Source for AnySource<'_> {
    async fn drive(&mut self) -> Result<()> {
        each!(self, source => source.drive().await)
    }

    async fn hold(&mut self) -> Error {
        each!(self, source => source.hold().await)
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        match self {
            // What does not say when it was is of now.
            AnySource::Records(source, only) => source.take(|next| {
                sink(match asked(next, only) {
                    Next::Message(message) => Next::Message(message.timed(SystemTime::now)),
                    other => other,
                })
            }),
            AnySource::Coap(source, only) => source.take(|next| sink(asked(next, only))),
            AnySource::Listen(source, only) => source.take(|next| sink(asked(next, only))),
            other => each!(other, source => source.take(sink)),
        }
    }

    fn settle(&mut self, count: u64) {
        each!(self, source => source.settle(count));
    }

    fn settle_one(&mut self, number: Number, fate: Fate) {
        each!(self, source => source.settle_one(number, fate));
    }

    fn answers(&self) -> bool {
        each!(self, source => source.answers())
    }

    fn awaits(&self) -> Option<String> {
        each!(self, source => source.awaits())
    }

    fn unsent(&self) -> u64 {
        each!(self, source => source.unsent())
    }
}
