//! `bench mqtt`: load on an MQTT broker.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::bench::{Course, verdict};
use crate::bench::engine::{self, Live, Outcome, Run};
use crate::bench::mqtt::{Body, Dialer, Pattern, Scenario, Settings};
use crate::bench::plan::{self, Arrivals, Load, Stage};
use crate::bench::result::Report;
use crate::connect::{self, Environment, Protocol, Target};
use crate::error::{Error, Result};
use crate::mqtt::packet::{QoS, Version};
use crate::output::Notes;
use crate::stop::{Asked, Stop};

/// A load and where it goes; every field is a flag.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where to, and how.
    pub connect: connect::Words,
    /// `--embedded`: start a broker of our own, and stop it at the end.
    pub embedded: bool,
    /// `--scenario`
    pub scenario: Scenario,
    /// `-V`; MQTT 5 unless said.
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
    pub body: BodyWords,
    /// `--rate`, `--ramp`, `--stage`: the rate over all publishers; `None`: `--max`, as fast as the window allows.
    pub stages: Option<Vec<Stage>>,
    /// `--arrivals`
    pub arrivals: Arrivals,
    /// `--window`: messages under way on a connection.
    pub window: usize,
    /// `--think`: pause between an answer and the next message, with `--max`.
    pub think: Duration,
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
    pub bind: Vec<IpAddr>,
    /// Phases, threads, shard, terminal.
    pub course: Course,
}

/// What messages carry, as it was said.
#[derive(Clone, Debug)]
pub enum BodyWords {
    /// A stamp, filled up to a size between these.
    Size {
        /// At least, in bytes.
        least: usize,
        /// At most, in bytes.
        most: usize,
    },
    /// The bytes of a file, as they are.
    File(PathBuf),
    /// This text, as it is.
    Text(String),
}

impl Plan {
    /// One publisher at QoS 0 as fast as it goes, 256 bytes, for ten seconds.
    pub fn new(connect: connect::Words) -> Self {
        Self {
            connect,
            embedded: false,
            scenario: Scenario::Publish,
            version: Version::V5,
            publishers: 1,
            subscribers: 0,
            topic: default_topic(),
            groups: 1,
            filter: None,
            qos: QoS::AtMostOnce,
            sub_qos: QoS::AtMostOnce,
            body: BodyWords::Size {
                least: 256,
                most: 256,
            },
            stages: None,
            arrivals: Arrivals::Constant,
            window: 100,
            think: Duration::ZERO,
            keep_alive: Duration::from_secs(60),
            clean: true,
            retain: false,
            shared_group: None,
            client_prefix: None,
            bind: Vec::new(),
            course: Course::default(),
        }
    }

    fn load(&self) -> Load {
        match &self.stages {
            Some(stages) => Load::Open {
                stages: stages.clone(),
                arrivals: self.arrivals.clone(),
                window: self.window,
            },
            None => Load::Closed {
                window: self.window,
                think: self.think,
            },
        }
    }

    fn settings(&self, target: &Target, run_id: u64, seed: u64) -> Result<Settings> {
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
            load: self.load(),
            window: self.window,
            keep_alive: self.keep_alive,
            clean: self.clean,
            retain: self.retain,
            shared_group: self.shared_group.clone(),
            client_prefix: self.client_prefix.clone().unwrap_or(prefix),
            username: target.username.as_deref().map(ByteString::from),
            password: target
                .password
                .as_ref()
                .map(|secret| Bytes::copy_from_slice(secret.reveal())),
            run_id,
            seed,
        })
    }

    /// What was done, for the report.
    fn setup(&self, target: &str) -> BTreeMap<String, String> {
        let rate = match &self.stages {
            Some(stages) => stages
                .iter()
                .map(stage_words)
                .collect::<Vec<_>>()
                .join(", "),
            None => String::from("max"),
        };
        let size = match &self.body {
            BodyWords::Size { least, most } if least == most => format!("{least} B"),
            BodyWords::Size { least, most } => format!("{least}-{most} B"),
            BodyWords::File(path) => path.display().to_string(),
            BodyWords::Text(_) => String::from("text"),
        };
        [
            ("target", target.to_owned()),
            ("protocol", self.version.to_string()),
            ("scenario", format!("{:?}", self.scenario).to_lowercase()),
            ("publishers", self.publishers.to_string()),
            ("subscribers", self.subscribers.to_string()),
            ("qos", self.qos.level().to_string()),
            ("sub_qos", self.sub_qos.level().to_string()),
            ("size", size),
            ("rate", rate),
            ("window", self.window.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

fn default_topic() -> Pattern {
    // A pattern without unknown words is always read.
    Pattern::parse("bench/{client}").unwrap_or_else(|_| unreachable!("a known pattern"))
}

fn stage_words(stage: &Stage) -> String {
    let rate = if stage.from == stage.to {
        format!("{}/s", stage.from)
    } else {
        format!("{}-{}/s", stage.from, stage.to)
    };
    match stage.lasts {
        Some(lasts) => format!("{rate} for {}", humantime::format_duration(lasts)),
        None => rate,
    }
}

impl BodyWords {
    fn read(&self) -> Result<Body> {
        Ok(match self {
            Self::Size { least, most } => Body::Sized {
                least: *least,
                most: *most,
            },
            Self::Text(text) => Body::Verbatim(Bytes::copy_from_slice(text.as_bytes())),
            Self::File(path) => {
                let bytes = std::fs::read(path).map_err(|cause| {
                    Error::local(format_args!("cannot read {}", path.display()), &cause)
                })?;
                Body::Verbatim(Bytes::from(bytes))
            }
        })
    }
}

/// Runs the load and returns what was found; `watch` sees each interval and says whether to go on.
///
/// # Errors
/// Whatever kept the load from beginning. What happened to connections and messages is in the report.
pub async fn measure(
    plan: &Plan,
    stop: impl Future<Output = ()>,
    watch: impl FnMut(&Live<'_>) -> bool,
) -> Result<Outcome> {
    let mut broker = None;
    let words = if plan.embedded {
        let started = Embedded::start().await?;
        let words = connect::Words {
            url: Some(started.url.clone()),
            ..plan.connect.clone()
        };
        broker = Some(started);
        words
    } else {
        plan.connect.clone()
    };
    let target = words.resolve(Protocol::Mqtt, &Environment::of_process())?;
    let where_to = target.to_string();
    let run_id = RandomState::new().hash_one(0_u8).max(1);
    let seed = plan.course.seed.unwrap_or(run_id);
    let settings = plan.settings(&target, run_id, seed)?;
    let dialer = Dialer::new(target, plan.bind.clone(), settings.connections()).await?;
    let made = settings.make(&Arc::new(dialer))?;
    let loads: Vec<_> = made.groups.iter().map(|group| group.load.clone()).collect();
    let course = &plan.course;
    let to_run = plan::Plan {
        groups: made.groups,
        phases: course.phases(),
        threads: course.threads,
        coalesce: course
            .coalesce
            .unwrap_or_else(|| engine::coalesce_for(&loads)),
        connect_rate: course.connect_rate,
        shard: course.shard,
        seed,
    };
    let run = Run {
        plan: &to_run,
        drivers: made.drivers,
        run_id,
    };
    let mut outcome = engine::run(run, stop, watch).await?;
    outcome.report.setup = plan.setup(&where_to);
    outcome.report.warnings.extend(made.warnings);
    if let Some(broker) = broker {
        broker.stop().await;
    }
    Ok(outcome)
}

/// Runs the load, shows what was found, and judges it.
///
/// # Errors
/// See [`measure`]; a signal; no connection; a threshold that was missed.
pub async fn run(plan: Plan) -> Result<()> {
    let notes = Notes::new(plan.course.style);
    let mut stop = Stop::watch()?;
    let asked = Cell::new(None::<Asked>);
    let stopped = async {
        asked.set(Some(stop.asked().await));
        // A second signal ends the process inside.
        stop.asked().await;
    };
    let _ = &stopped;
    let watched = async {
        tokio::pin!(stopped);
        std::future::poll_fn(|cx| {
            let _ = stopped.as_mut().poll(cx);
            if asked.get().is_some() {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    };
    let outcome = measure(&plan, watched, |live| {
        notes.note(line(live));
        true
    })
    .await?;
    show(&outcome.report)?;
    verdict(outcome, asked.get())
}

/// One interval in one line.
fn line(live: &Live<'_>) -> String {
    let interval = live.interval;
    format!(
        "{:.0}s {}: {} sent, {} acknowledged, {} received, {} errors",
        interval.at_s,
        interval.phase,
        interval.sent,
        interval.acknowledged,
        interval.received,
        interval.errors
    )
}

fn show(report: &Report) -> Result<()> {
    let text = serde_json::to_string_pretty(report)
        .map_err(|cause| Error::usage(format!("the report cannot be written: {cause}")))?;
    crate::output::print(format!("{text}\n").as_bytes())
}

/// A broker of our own in a process of its own, so that its work is not counted as the generator's.
struct Embedded {
    child: Child,
    url: String,
}

impl Embedded {
    async fn start() -> Result<Self> {
        let cannot =
            |cause: &std::io::Error| Error::local("cannot start the embedded broker", cause);
        let program = std::env::current_exe().map_err(|cause| cannot(&cause))?;
        let mut child = Command::new(program)
            .args(["mqtt", "broker", "--listen", "127.0.0.1:0", "--quiet"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|cause| cannot(&cause))?;
        let mut url = String::new();
        if let Some(stdout) = child.stdout.take() {
            // Its first line says where it listens.
            BufReader::new(stdout)
                .read_line(&mut url)
                .await
                .map_err(|cause| cannot(&cause))?;
        }
        let url = url.trim_end().to_owned();
        if url.is_empty() {
            return Err(Error::local(
                "cannot start the embedded broker",
                &std::io::ErrorKind::UnexpectedEof.into(),
            ));
        }
        Ok(Self { child, url })
    }

    async fn stop(mut self) {
        // It keeps nothing that would have to be saved.
        let _ = self.child.kill().await;
    }
}
