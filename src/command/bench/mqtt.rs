//! `bench mqtt`: load on an MQTT broker.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;

use super::part::join;
use super::peer::Peer;
use crate::bench::dial::Dialer;
use crate::bench::engine::{Live, Outcome};
use crate::bench::mqtt::{Body, Scenario, Settings};
use crate::bench::pattern::Pattern;
use crate::bench::system::SHARDED;
use crate::command::bench::{
    Identity, LoadArgs, Measured, RunOptions, TARGET, can_share, carry_out, complete, identity,
    perform, share, sources, span,
};
use crate::connect::{self, Environment, LocalAddress, Protocol, Target};
use crate::error::Result;
use crate::file;
use crate::mqtt::packet::{QoS, Version};
use crate::output::Console;
use crate::payload::LONGEST;
use crate::payload::template::Template;

/// A load and where it goes; every field is a flag.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where to, and how.
    pub connect: connect::ConnectArgs,
    /// `--embedded`: start the built-in broker, and stop it at the end.
    pub embedded: bool,
    /// `--calibrate`: a peer that only answers, to find the limit of the generator.
    pub calibrate: bool,
    /// `--scenario`
    pub scenario: Scenario,
    /// What it is called, for the report.
    pub scenario_name: &'static str,
    /// `-V`; MQTT 5 by default.
    pub version: Version,
    /// `--publishers`
    pub publishers: usize,
    /// `--subscribers`
    pub subscribers: usize,
    /// `--topic`, with `{client}`, `{seq}` and `{group}`.
    pub topic: Pattern,
    /// `--groups`: how many values `{group}` has.
    pub groups: usize,
    /// `--filter`: what subscribers subscribe to, unless it follows from the topic.
    pub filter: Option<Pattern>,
    /// `--qos`
    pub qos: QoS,
    /// `--sub-qos`
    pub sub_qos: QoS,
    /// `--size`, `--file`, `--template`
    pub body: BodyArgs,
    /// `--rate`, `--max`, `--stage`, `--arrivals`, `--window`, `--think`
    pub load: LoadArgs,
    /// `--away`: in the backlog scenario.
    pub away: Duration,
    /// `--retained-messages`: of each connection, in the scenario of that name.
    pub retained: usize,
    /// `--stamp-property`: stamps are in a User Property.
    pub stamp_property: bool,
    /// `--keep-alive`
    pub keep_alive: Duration,
    /// `--clean`
    pub clean: bool,
    /// `--retain`
    pub retain: bool,
    /// `--shared-group`
    pub shared_group: Option<String>,
    /// `--id-prefix`
    pub client_prefix: Option<String>,
    /// `--bind A,B,…`
    pub bind: Vec<LocalAddress>,
    /// Phases, threads, shard, terminal.
    pub course: RunOptions,
}

/// What messages carry, as it was said.
#[derive(Clone, Debug)]
pub enum BodyArgs {
    /// A stamp, filled up to a size between these.
    Size {
        /// At least, in bytes.
        least: usize,
        /// At most, in bytes.
        most: usize,
    },
    /// The bytes of a file.
    File {
        /// The file.
        path: PathBuf,
        /// Whether a stamp replaces the first bytes.
        stamp: bool,
    },
    /// A text with places, different for each message.
    Template(Template),
    /// The same, read already.
    Read {
        /// Where it was.
        path: PathBuf,
        /// What is in it.
        bytes: Bytes,
        /// Whether a stamp replaces the first bytes.
        stamp: bool,
    },
    /// A text.
    Text {
        /// The text.
        text: String,
        /// Whether a stamp replaces the first bytes.
        stamp: bool,
    },
}

impl Plan {
    /// One publisher at QoS 0 as fast as it goes, 256 bytes, for ten seconds.
    pub fn new(connect: connect::ConnectArgs) -> Self {
        Self {
            connect,
            embedded: false,
            calibrate: false,
            scenario: Scenario::Publish,
            scenario_name: "publish",
            version: Version::V5,
            publishers: 1,
            subscribers: 0,
            topic: pattern("bench/{client}"),
            groups: 1,
            filter: None,
            qos: QoS::AtMostOnce,
            sub_qos: QoS::AtMostOnce,
            body: BodyArgs::Size {
                least: 256,
                most: 256,
            },
            load: LoadArgs::default(),
            away: Duration::from_secs(1),
            retained: 100,
            stamp_property: false,
            keep_alive: Duration::from_secs(60),
            clean: true,
            retain: false,
            shared_group: None,
            client_prefix: None,
            bind: Vec::new(),
            course: RunOptions::default(),
        }
    }

    /// Takes over what follows from a scenario's name.
    pub fn play(&mut self, play: ScenarioPreset) {
        let ScenarioPreset(row) = play;
        (self.scenario, self.scenario_name) = (row.scenario, row.name);
        (self.publishers, self.subscribers) = (row.publishers, row.subscribers);
        self.topic = pattern(row.topic);
        self.retain = row.retain;
    }

    /// What there will be figures of.
    const fn measured(&self) -> Measured {
        let publishes = matches!(
            self.scenario,
            Scenario::Publish | Scenario::OneToOne | Scenario::Backlog
        );
        let sends = self.publishers > 0 && !matches!(self.scenario, Scenario::Idle);
        let is_unanswered = sends && publishes && matches!(self.qos, QoS::AtMostOnce);
        Measured {
            sends,
            unanswered: match is_unanswered {
                true => Some(("QoS 0 messages are not acknowledged", "-q 1")),
                false => None,
            },
            receives: self.subscribers > 0,
            receivers: "--subscribers",
        }
    }

    fn settings(&self, target: &Target, identity: Identity) -> Result<Settings> {
        let Identity { run_id, seed, .. } = identity;
        let prefix = format!("bench-{:06x}-", run_id & 0xFF_FFFF);
        Ok(Settings {
            scenario: self.scenario,
            version: self.version,
            publishers: self.publishers,
            subscribers: self.subscribers,
            topic: self.topic.clone(),
            groups: self.groups,
            filter: self.filter.clone(),
            qos: self.qos,
            sub_qos: self.sub_qos,
            body: self.body.read()?,
            load: self.load.load()?,
            window: self.load.window,
            ack_timeout: self.load.ack_timeout,
            away: self.away,
            retained: self.retained,
            stamp_property: self.stamp_property,
            keep_alive: self.keep_alive,
            clean: self.clean,
            retain: self.retain,
            shared_group: self.shared_group.clone(),
            client_prefix: self.client_prefix.clone().unwrap_or(prefix),
            username: target.username.as_deref().map(ByteString::from),
            password: target
                .latest_password()
                .or_else(|| target.password.clone())
                .map(|secret| Bytes::copy_from_slice(secret.reveal())),
            server: target.to_string(),
            run_id,
            seed,
            leftover: Arc::default(),
        })
    }

    /// What was done, for the report.
    fn setup(&self, target: &str) -> BTreeMap<String, String> {
        let size = match &self.body {
            BodyArgs::Size { least, most } => span(*least, *most),
            BodyArgs::File { path, .. } | BodyArgs::Read { path, .. } => path.display().to_string(),
            BodyArgs::Template(_) => String::from("template"),
            BodyArgs::Text { text, .. } => format!("{} B of text", text.len()),
        };
        [
            (TARGET, target.to_owned()),
            ("protocol", self.version.to_string()),
            ("scenario", self.scenario_name.to_owned()),
            ("publishers", self.publishers.to_string()),
            ("subscribers", self.subscribers.to_string()),
            ("qos", self.qos.level().to_string()),
            ("sub_qos", self.sub_qos.level().to_string()),
            ("size", size),
            ("rate", self.load.rate()),
            ("arrivals", self.load.arrivals.name()),
            ("window", self.load.window.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

fn pattern(text: &str) -> Pattern {
    // Only for our own texts, which a test reads.
    Pattern::parse(text).unwrap_or_else(|_| unreachable!("a known pattern"))
}

impl BodyArgs {
    fn read(&self) -> Result<Body> {
        let (bytes, stamp) = match self {
            Self::Size { least, most } => {
                return Ok(Body::Sized {
                    least: *least,
                    most: *most,
                });
            }
            Self::Template(template) => return Ok(Body::Template(Arc::new(template.clone()))),
            Self::Text { text, stamp } => (Bytes::copy_from_slice(text.as_bytes()), stamp),
            Self::File { path, stamp } => (file::read(path, LONGEST as u64)?.into(), stamp),
            Self::Read { bytes, stamp, .. } => (bytes.clone(), stamp),
        };
        Ok(match stamp {
            true => Body::Stamped(bytes),
            false => Body::Verbatim(bytes),
        })
    }

    /// The same without a file to be read.
    fn loaded(self) -> Result<Self> {
        Ok(match self {
            Self::File { path, stamp } => {
                let bytes = file::read(&path, LONGEST as u64)?.into();
                Self::Read { path, bytes, stamp }
            }
            other => other,
        })
    }
}

/// A scenario by the name that people give it, with what follows from it unless they say otherwise.
#[derive(Clone, Copy, Debug)]
pub struct ScenarioPreset(&'static Row);

#[derive(Debug)]
struct Row {
    name: &'static str,
    does: &'static str,
    scenario: Scenario,
    publishers: usize,
    subscribers: usize,
    topic: &'static str,
    retain: bool,
}

const fn row(
    name: &'static str,
    does: &'static str,
    scenario: Scenario,
    (publishers, subscribers): (usize, usize),
    topic: &'static str,
) -> Row {
    Row {
        name,
        does,
        scenario,
        publishers,
        subscribers,
        topic,
        retain: false,
    }
}

static PRESETS: [Row; 13] = [
    row(
        "publish",
        "publishers only; with --subscribers, every subscriber receives every message",
        Scenario::Publish,
        (1, 0),
        "bench/{client}",
    ),
    row(
        "fan-in",
        "many publishers, one subscriber",
        Scenario::Publish,
        (100, 1),
        "bench/{client}",
    ),
    row(
        "fan-out",
        "one publisher, many subscribers",
        Scenario::Publish,
        (1, 100),
        "bench/all",
    ),
    row(
        "one-to-one",
        "publisher n sends to subscriber n only",
        Scenario::OneToOne,
        (100, 100),
        "bench/{client}",
    ),
    row(
        "many-to-many",
        "every subscriber receives every message",
        Scenario::Publish,
        (10, 10),
        "bench/{client}",
    ),
    row(
        "idle",
        "idle connections, opened at --connect-rate or all at once: a connection storm",
        Scenario::Idle,
        (1000, 0),
        "bench/{client}",
    ),
    row(
        "churn",
        "each message of the load is a connection: closed and reopened",
        Scenario::Churn,
        (100, 0),
        "bench/{client}",
    ),
    row(
        "subscribe",
        "each message of the load is a SUBSCRIBE",
        Scenario::Subscribe,
        (10, 0),
        "bench/{client}/{seq}",
    ),
    Row {
        retain: true,
        ..row(
            "retained",
            "each message is retained on its own topic",
            Scenario::Publish,
            (10, 0),
            "bench/{client}/{seq}",
        )
    },
    row(
        "retained-storm",
        "each message of the load is a SUBSCRIBE, complete when all --retained-messages of the client have arrived",
        Scenario::RetainedStorm,
        (10, 0),
        "bench/{client}/{seq}",
    ),
    row(
        "backlog",
        "subscribers repeatedly go offline for --away and then receive their queued messages",
        Scenario::Backlog,
        (10, 1),
        "bench/{client}",
    ),
    row(
        "wills",
        "each message of the load is an aborted connection: the broker publishes its will",
        Scenario::Wills,
        (100, 1),
        "bench/{client}",
    ),
    row(
        "request",
        "publishers send requests, subscribers send responses",
        Scenario::Request,
        (1, 1),
        "bench/rpc",
    ),
];

impl ScenarioPreset {
    /// Name and meaning of each, in the order in which help shows them.
    pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        PRESETS.iter().map(|row| (row.name, row.does))
    }
}

impl FromStr for ScenarioPreset {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = PRESETS.iter().find(|row| row.name == word);
        found.map(Self).ok_or("there is no such scenario")
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
    let peer = Peer::start(Protocol::Mqtt, started, &plan.course).await?;
    let words = peer.words(&plan.connect);
    let target = words.resolve(Protocol::Mqtt, &Environment::of_process())?;
    if target.is_insecure() {
        let text = format!("the certificate of {target} is not verified (--insecure)");
        Console::new(plan.course.style).warn(text);
    }
    let identity = identity(&plan.course)?;
    let mut outcome = match plan.course.processes {
        1 => alone(plan, target.clone(), identity, stop, watch).await?,
        _ => {
            let to = (peer.url(), &plan.load);
            share(&plan.course, identity, to, stop, watch).await?
        }
    };
    // Only now it is known which of several servers it was.
    complete(&mut outcome, &plan.course, plan.setup(&target.to_string()));
    peer.describe(&mut outcome.report);
    peer.stop().await;
    Ok(outcome)
}

/// Runs the load in this process.
async fn alone(
    plan: &Plan,
    target: Target,
    identity: Identity,
    stop: impl Future<Output = ()>,
    watch: impl FnMut(&Live<'_>) -> bool,
) -> Result<Outcome> {
    let sources = sources(&plan.bind, &target);
    target.renew_password().await?;
    let settings = plan.settings(&target, identity)?;
    let to = plan.course.connecting(target.clone());
    let dialer = Arc::new(Dialer::new(to, sources, (settings.connections(), SHARDED)).await?);
    let made = settings.make(&dialer)?;
    let mut outcome = perform(&plan.course, identity, made, stop, watch).await?;
    dialer.report(&mut outcome.report.connections);
    // A server of our own ends with the run.
    if !plan.embedded && !plan.calibrate {
        let left = Arc::clone(&settings.leftover);
        left.clear(target, &settings, &mut outcome.report).await;
    }
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
    // Once, and before signals are watched for: it may be a pipe that nobody writes to.
    if let BodyArgs::File { path, .. } = &plan.body {
        can_share(&plan.course, path)?;
    }
    plan.body = plan.body.loaded()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_read_by_their_names() {
        for (name, _) in ScenarioPreset::all() {
            let mut plan = Plan::new(connect::ConnectArgs::default());
            plan.play(name.parse().unwrap());
            assert!(plan.publishers > 0, "{name}");
        }
        assert!("x".parse::<ScenarioPreset>().is_err());
    }
}
