//! `bench amqp`: load on an AMQP 0-9-1 server.

mod preset;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytestring::ByteString;

use super::part::join;
use super::peer::Peer;
use crate::amqp::Options;
use crate::amqp::topology::Arguments;
use crate::bench::amqp::{Consuming, Desk, Scenario, Settings, Topology};
use crate::bench::dial::Dialer;
use crate::bench::engine::{Live, Outcome};
use crate::bench::pattern::Pattern;
use crate::bench::system::SHARDED;
use crate::command::amqp::session::SessionArgs;
use crate::command::bench::{
    Identity, LoadArgs, Measured, RunOptions, TARGET, carry_out, complete, identity, perform,
    share, sources, span,
};
use crate::connect::{LocalAddress, Protocol, Target};
use crate::error::{Error, Result};
use crate::message::AmqpValue;
use crate::output::Console;

pub(crate) use preset::ScenarioPreset;

/// A load and where it goes; every field is a flag.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where to, and how.
    pub session: SessionArgs,
    /// `--embedded`: start the built-in broker, and stop it at the end.
    pub embedded: bool,
    /// `--calibrate`: a peer that only answers, to find the limit of the generator.
    pub calibrate: bool,
    /// `--scenario`
    pub scenario: Scenario,
    /// What it is called, for the report.
    pub scenario_name: &'static str,
    /// `--producers`
    pub producers: usize,
    /// `--consumers`
    pub consumers: usize,
    /// `--channels` of each connection.
    pub channels: u16,
    /// `--exchange`; `None`: the default one, or a generated one if there is a type.
    pub exchange: Option<String>,
    /// `--type` of the exchange.
    pub kind: Option<ByteString>,
    /// `--routing-key`; `None`: the name of the queue.
    pub key: Option<Pattern>,
    /// `--queue`; `None`: generated.
    pub queue: Option<Pattern>,
    /// `--queues`; `None`: one, or with a fanout exchange one for each consumer.
    pub queues: Option<usize>,
    /// `--queue-type`
    pub queue_type: QueueType,
    /// `--argument` of the queues.
    pub arguments: Arguments,
    /// `--predeclared`: exchange, queues and bindings are there.
    pub predeclared: bool,
    /// `--size`, at least and at most.
    pub size: (usize, usize),
    /// `--persistent`
    pub persistent: bool,
    /// `--mandatory`
    pub mandatory: bool,
    /// Without `--no-confirm`.
    pub confirms: bool,
    /// How consumers take messages.
    pub consuming: Consuming,
    /// `--rate`, `--max`, `--stage`, `--arrivals`, `--window`, `--think`
    pub load: LoadArgs,
    /// `--bind A,B,…`
    pub bind: Vec<LocalAddress>,
    /// Phases, threads, shard, terminal.
    pub course: RunOptions,
}

/// What kind of queue it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueueType {
    /// The server's usual one.
    #[default]
    Classic,
    /// Replicated.
    Quorum,
    /// A log that consumers read without taking from it.
    Stream,
}

impl QueueType {
    /// The value of `x-queue-type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Quorum => "quorum",
            Self::Stream => "stream",
        }
    }
}

impl Plan {
    /// One producer and one consumer as fast as a window of 100 confirms allows, 256 bytes, for ten seconds.
    pub fn new(session: SessionArgs) -> Self {
        Self {
            session,
            embedded: false,
            calibrate: false,
            scenario: Scenario::Publish,
            scenario_name: "publish-consume",
            producers: 1,
            consumers: 1,
            channels: 1,
            exchange: None,
            kind: None,
            key: None,
            queue: None,
            queues: None,
            queue_type: QueueType::Classic,
            arguments: Arguments::new(),
            predeclared: false,
            size: (256, 256),
            persistent: false,
            mandatory: false,
            confirms: true,
            consuming: Consuming::default(),
            load: LoadArgs::default(),
            bind: Vec::new(),
            course: RunOptions::default(),
        }
    }

    /// Takes over what follows from a scenario's name.
    pub fn play(&mut self, play: ScenarioPreset) {
        (self.scenario, self.scenario_name) = (play.scenario(), play.name());
        (self.producers, self.consumers) = play.connections();
        self.kind = play.kind().map(ByteString::from_static);
        self.queues = play.queues();
    }

    /// What there will be figures of.
    const fn measured(&self) -> Measured {
        let sends = self.producers > 0 && !matches!(self.scenario, Scenario::Idle);
        let publishes = matches!(self.scenario, Scenario::Publish);
        Measured {
            sends,
            unanswered: match sends && publishes && !self.confirms {
                true => Some((
                    "without confirms messages are not acknowledged",
                    "leave out --no-confirm",
                )),
                false => None,
            },
            receives: self.consumers > 0
                && (publishes || matches!(self.scenario, Scenario::Request)),
            receivers: "--consumers",
        }
    }

    /// The exchange's type.
    fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("direct")
    }

    /// Whether each queue gets only what is meant for it.
    fn is_routed(&self) -> bool {
        !matches!(self.kind(), "fanout" | "headers")
    }

    /// How many queues there are.
    pub fn queues(&self) -> usize {
        let consumers = self.consumers * usize::from(self.channels);
        let usual = if self.is_routed() { 1 } else { consumers };
        self.queues.unwrap_or(usual).max(1)
    }

    fn exchange(&self, run: &str) -> String {
        match (&self.exchange, &self.kind) {
            (Some(name), _) => name.clone(),
            (None, Some(_)) => run.to_owned(),
            // Nothing can be bound to the default exchange.
            (None, None) if self.scenario == Scenario::Bindings => String::from("amq.direct"),
            (None, None) => String::new(),
        }
    }

    fn settings(&self, options: Options, identity: Identity) -> Result<Settings> {
        let Identity {
            run_id,
            seed,
            shard,
        } = identity;
        let run = format!("bench-{:06x}", run_id & 0xFF_FFFF);
        let queues = self.queues();
        let numbered = match queues {
            1 => run.clone(),
            _ => format!("{run}-{{queue}}"),
        };
        let queue = match &self.queue {
            Some(queue) => queue.clone(),
            None => Pattern::parse_key("queue", &numbered)?,
        };
        Ok(Settings {
            scenario: self.scenario,
            options,
            producers: self.producers,
            consumers: self.consumers,
            channels: self.channels,
            exchange: self.exchange(&run),
            routed: self.is_routed(),
            key: self.key.clone().unwrap_or_else(|| queue.clone()),
            queue,
            queues,
            streams: self.queue_type == QueueType::Stream,
            size: self.size,
            persistent: self.persistent,
            mandatory: self.mandatory,
            confirms: self.confirms,
            consuming: self.consuming.clone(),
            load: self.load.load()?,
            window: self.load.window,
            ack_timeout: self.load.ack_timeout,
            sharded: shard.count > 1,
            run_id,
            seed,
        })
    }

    /// What is to be made at the server for the length of the run.
    fn topology(&self, settings: &Settings, identity: Identity) -> Result<Option<Topology>> {
        let needed = matches!(
            self.scenario,
            Scenario::Publish | Scenario::Request | Scenario::Consumers | Scenario::Bindings
        );
        // Of several processes of a run, the one that started them declares.
        let is_part = self.course.part.is_some();
        if self.predeclared || self.calibrate || !needed || is_part {
            return Ok(None);
        }
        if identity.shard.count > 1 {
            return Err(Error::usage(
                "the shards of a load share their queues, so none of them declares them",
            )
            .hint("declare them first with iotctl amqp declare, and use --predeclared"));
        }
        let mut arguments = self.arguments.clone();
        if self.queue_type != QueueType::Classic {
            let name = AmqpValue::Text(self.queue_type.name().into());
            arguments.push(("x-queue-type".into(), name));
        }
        Ok(Some(Topology::new(settings, self.kind(), arguments)))
    }

    /// What was done, for the report.
    fn setup(&self, target: &str, settings: &Settings) -> BTreeMap<String, String> {
        let exchange = match settings.exchange.as_str() {
            "" => String::from("default"),
            name => name.to_owned(),
        };
        let acks = match &self.consuming {
            consuming if consuming.auto_ack => String::from("none"),
            consuming => format!("every {}", consuming.multi_ack),
        };
        [
            (TARGET, target.to_owned()),
            ("protocol", String::from("AMQP 0-9-1")),
            ("scenario", self.scenario_name.to_owned()),
            ("producers", self.producers.to_string()),
            ("consumers", self.consumers.to_string()),
            ("channels", self.channels.to_string()),
            ("exchange", exchange),
            (
                "queues",
                format!("{} {}", settings.queues, self.queue_type.name()),
            ),
            ("persistent", self.persistent.to_string()),
            ("confirms", self.confirms.to_string()),
            ("prefetch", self.consuming.prefetch.to_string()),
            ("acks", acks),
            ("size", span(self.size.0, self.size.1)),
            ("rate", self.load.rate()),
            ("arrivals", self.load.arrivals.name()),
            ("window", self.load.window.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// Runs the load and returns what was found; `watch` sees each interval and says whether to go on.
///
/// # Errors
/// Whatever kept the load from beginning. What happened to connections and messages is in the report.
pub(crate) async fn measure(
    plan: &Plan,
    stop: impl Future<Output = ()>,
    watch: impl FnMut(&Live<'_>) -> bool,
) -> Result<Outcome> {
    let started = (plan.embedded, plan.calibrate);
    let peer = Peer::start(Protocol::Amqp, started, &plan.course).await?;
    let words = SessionArgs {
        connect: peer.words(&plan.session.connect),
        ..plan.session.clone()
    };
    let (target, options) = words.resolved("bench amqp", Console::new(plan.course.style))?;
    target.renew_password().await?;
    let options = options.renewed(&target);
    let identity = identity(&plan.course)?;
    let settings = plan.settings(options, identity)?;
    let mut topology = plan.topology(&settings, identity)?;
    let options = Options {
        login: settings.login(0),
        ..settings.options.clone()
    };
    let unconnected = make(&mut topology, &target, &options).await?;
    let ran = match plan.course.processes {
        1 => alone(plan, (&target, &settings), identity, stop, watch).await,
        _ => {
            let to = (peer.url(), &plan.load);
            share(&plan.course, identity, to, stop, watch).await
        }
    };
    let left = match &topology {
        Some(topology) => topology.delete(&target, &options).await,
        None => None,
    };
    let mut outcome = ran?;
    if unconnected.is_some() && outcome.has_no_connection() {
        outcome.trouble = unconnected;
    }
    let setup = plan.setup(&target.to_string(), &settings);
    complete(&mut outcome, &plan.course, setup);
    outcome.report.warnings.extend(left);
    peer.describe(&mut outcome.report);
    peer.stop().await;
    Ok(outcome)
}

/// Makes what the load needs at the server. Without a connection that is why there is none, and not the end: the load meets
/// the same, and has a report of it.
async fn make(
    topology: &mut Option<Topology>,
    target: &Target,
    options: &Options,
) -> Result<Option<Error>> {
    let Some(wanted) = topology else {
        return Ok(None);
    };
    match Desk::open(target, options).await {
        Ok(desk) => wanted.make(desk).await.map(|()| None),
        Err(error) => {
            *topology = None;
            Ok(Some(error))
        }
    }
}

/// Runs the load in this process.
async fn alone(
    plan: &Plan,
    (target, settings): (&Target, &Settings),
    identity: Identity,
    stop: impl Future<Output = ()>,
    watch: impl FnMut(&Live<'_>) -> bool,
) -> Result<Outcome> {
    let sources = sources(&plan.bind, target);
    let to = plan.course.connecting(target.clone());
    let dialer = Arc::new(Dialer::new(to, sources, (settings.connections(), SHARDED)).await?);
    let made = settings.make(&dialer);
    let mut outcome = perform(&plan.course, identity, made, stop, watch).await?;
    dialer.report(&mut outcome.report.connections);
    if outcome.has_no_connection() {
        dialer.explain(&mut outcome.trouble).await;
    }
    Ok(outcome)
}

/// Runs the load, shows what was found, and judges it.
///
/// # Errors
/// See [`measure`]; a signal; no connection; a threshold that was missed.
pub(crate) async fn run(mut plan: Plan) -> Result<()> {
    join(&mut plan.course, &mut plan.load)?;
    carry_out(
        &plan.course,
        &plan.load,
        plan.measured(),
        async |load, stop, watch| {
            let plan = Plan {
                load,
                ..plan.clone()
            };
            measure(&plan, stop, watch).await
        },
    )
    .await
}
