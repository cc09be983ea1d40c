//! `bench coap`: load on a CoAP server.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::part::join;
use super::peer::Peer;
use crate::bench::coap::{Body, Mix, Opener, Scenario, Settings, name_figures};
use crate::bench::engine::{Live, Outcome};
use crate::coap::code::Code;
use crate::coap::option::Options;
use crate::command::bench::{
    Identity, LoadArgs, Measured, RunOptions, TARGET, can_share, carry_out, complete, identity,
    perform, share, sources, span,
};
use crate::command::coap::client::ProxyMode;
use crate::command::coap::session::{OptionWord, Place, SessionArgs, Transfer, add_options};
use crate::connect::{self, LocalAddress, Protocol};
use crate::error::{Error, Result};
use crate::file;
use crate::output::Console;
use crate::payload::LONGEST;

/// The default path of requests to the built-in server.
const OWN_PATH: &str = "/bench";

/// A load and where it goes; every field is a flag.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How to connect, and where to when the URI is only a path.
    pub connect: connect::ConnectArgs,
    /// The URI, with `{client}` and `{seq}` in its path or query.
    pub uri: Option<String>,
    /// `--embedded`: start the built-in server, and stop it at the end.
    pub embedded: bool,
    /// `--calibrate`: a peer that only answers, to find the limit of the generator.
    pub calibrate: bool,
    /// `--scenario`
    pub scenario: Scenario,
    /// What it is called, for the report.
    pub scenario_name: &'static str,
    /// `--sockets`
    pub sockets: usize,
    /// `--observers`
    pub observers: usize,
    /// `--method`, `--mix`: methods with their weights.
    pub mix: Vec<(Code, u32)>,
    /// Not `--non`.
    pub confirmable: bool,
    /// `--size`, `--file`, `--message`
    pub body: BodyArgs,
    /// `--option`, `--accept`, `--content-format`
    pub options: Vec<OptionWord>,
    /// `--rate`, `--max`, `--stage`, `--arrivals`, `--outstanding`, `--timeout`, `--think`
    pub load: LoadArgs,
    /// `--ack-timeout`
    pub ack_timeout: Duration,
    /// `--max-retransmit`
    pub max_retransmit: u8,
    /// `--bind A,B,…`
    pub bind: Vec<LocalAddress>,
    /// Phases, threads, shard, terminal.
    pub course: RunOptions,
}

/// What requests carry, as it was said.
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
    File(PathBuf),
    /// The same, read already.
    Read(PathBuf, Bytes),
    /// A text.
    Text(String),
}

impl Plan {
    /// One socket that asks by GET as fast as it goes, for ten seconds.
    pub fn new(connect: connect::ConnectArgs, uri: Option<String>) -> Self {
        Self {
            connect,
            uri,
            embedded: false,
            calibrate: false,
            scenario: Scenario::Request,
            scenario_name: "request",
            sockets: 1,
            observers: 0,
            mix: vec![(Code::GET, 1)],
            confirmable: true,
            body: BodyArgs::Size {
                least: 64,
                most: 64,
            },
            options: Vec::new(),
            load: LoadArgs::default(),
            ack_timeout: Duration::from_secs(2),
            max_retransmit: 4,
            bind: Vec::new(),
            course: RunOptions::default(),
        }
    }

    /// Takes over what follows from a scenario's name.
    pub fn play(&mut self, play: ScenarioPreset) {
        let ScenarioPreset(row) = play;
        (self.scenario, self.scenario_name) = (row.scenario, row.name);
        (self.sockets, self.observers) = (row.sockets, row.observers);
    }

    /// What there will be figures of.
    const fn measured(&self) -> Measured {
        Measured {
            sends: self.sockets > 0 && !matches!(self.scenario, Scenario::Idle),
            unanswered: None,
            receives: self.observers > 0,
            receivers: "--observers",
        }
    }

    fn place(&self, peer: &Peer) -> Result<Place> {
        let own = self.embedded || self.calibrate;
        let path = self
            .uri
            .clone()
            .or_else(|| own.then(|| String::from(OWN_PATH)));
        let session = SessionArgs {
            connect: peer.words(&self.connect),
            uris: path.into_iter().collect(),
            transfer: Transfer {
                confirmable: self.confirmable,
                timeout: Some(self.load.ack_timeout),
                ack_timeout: Some(self.ack_timeout),
                max_retransmit: Some(self.max_retransmit),
                block: None,
                collect: Duration::ZERO,
                body_limit: None,
            },
            options: Vec::new(),
            proxy: None,
            proxy_mode: ProxyMode::Auto,
            pcap: None,
            verbose: false,
            trace: false,
        };
        let place = session.only_place()?;
        for text in place.uri.path.iter().chain(&place.uri.query) {
            check_places(text)?;
        }
        Ok(place)
    }

    fn settings(&self, place: &Place, identity: Identity) -> Result<Settings> {
        let mut options = Options::new();
        add_options(&self.options, &mut options)?;
        Ok(Settings {
            scenario: self.scenario,
            uri: place.uri.clone(),
            options,
            mix: Mix::new(&self.mix)?,
            confirmable: self.confirmable,
            body: self.body.read()?,
            sockets: self.sockets,
            observers: self.observers,
            load: self.load.load()?,
            window: self.load.window,
            timeout: self.load.ack_timeout,
            ack_timeout: self.ack_timeout,
            max_retransmit: self.max_retransmit,
            run_id: identity.run_id,
            seed: identity.seed,
        })
    }

    /// What was done, for the report.
    fn setup(&self, place: &Place) -> BTreeMap<String, String> {
        let method = |(code, weight): &(Code, u32)| {
            let name = code.name().unwrap_or_default();
            match self.mix.len() {
                1 => name.to_owned(),
                _ => format!("{name}={weight}"),
            }
        };
        let methods: Vec<String> = self.mix.iter().map(method).collect();
        let size = match &self.body {
            BodyArgs::Size { least, most } => span(*least, *most),
            BodyArgs::File(path) | BodyArgs::Read(path, _) => path.display().to_string(),
            BodyArgs::Text(text) => format!("{} B of text", text.len()),
        };
        let protocol = match place.target.transport.is_datagram() {
            true => "CoAP, RFC 7252",
            false => "CoAP over TCP, RFC 8323",
        };
        let protocol = String::from(protocol);
        let mut shown = place.uri.clone();
        // It may carry a token.
        shown.query.clear();
        [
            (TARGET, place.target.to_string()),
            ("protocol", protocol),
            ("path", shown.local()),
            ("scenario", self.scenario_name.to_owned()),
            ("sockets", self.sockets.to_string()),
            ("observers", self.observers.to_string()),
            ("outstanding", self.load.window.to_string()),
            ("method", methods.join(",")),
            (
                "type",
                String::from(if self.confirmable { "CON" } else { "NON" }),
            ),
            ("size", size),
            ("rate", self.load.rate()),
            ("arrivals", self.load.arrivals.name()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// Refuses words in braces that stand for nothing.
fn check_places(text: &str) -> Result<()> {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('{') {
        let Some((word, behind)) = behind.split_once('}') else {
            return Ok(());
        };
        if !matches!(word, "client" | "seq") {
            return Err(Error::usage(format!(
                "path segment {text:?}: unknown placeholder {{{word}}}"
            ))
            .hint("the placeholders are {client} and {seq}"));
        }
        rest = behind;
    }
    Ok(())
}

impl BodyArgs {
    fn read(&self) -> Result<Body> {
        Ok(match self {
            Self::Size { least, most } => Body::Sized {
                least: *least,
                most: *most,
            },
            Self::Text(text) => Body::Verbatim(Bytes::copy_from_slice(text.as_bytes())),
            Self::File(path) => Body::Verbatim(file::read(path, LONGEST as u64)?.into()),
            Self::Read(_, bytes) => Body::Verbatim(bytes.clone()),
        })
    }

    /// The same without a file to be read.
    fn loaded(self) -> Result<Self> {
        Ok(match self {
            Self::File(path) => {
                let bytes = file::read(&path, LONGEST as u64)?.into();
                Self::Read(path, bytes)
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
    sockets: usize,
    observers: usize,
}

static PRESETS: [Row; 5] = [
    Row {
        name: "request",
        does: "sockets send requests",
        scenario: Scenario::Request,
        sockets: 1,
        observers: 0,
    },
    Row {
        name: "observe",
        does: "observers only; with --sockets and --method put, they are notified of each PUT",
        scenario: Scenario::Request,
        sockets: 0,
        observers: 10,
    },
    Row {
        name: "ping",
        does: "each message of the load is a CoAP ping (empty message)",
        scenario: Scenario::Ping,
        sockets: 1,
        observers: 0,
    },
    Row {
        name: "churn",
        does: "each message of the load is a connection, closed and reopened: handshakes per second",
        scenario: Scenario::Churn,
        sockets: 100,
        observers: 0,
    },
    Row {
        name: "idle",
        does: "idle connections, opened at --connect-rate or all at once: a connection storm",
        scenario: Scenario::Idle,
        sockets: 1000,
        observers: 0,
    },
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
/// Whatever kept the load from beginning. What happened to sockets and requests is in the report.
pub(crate) async fn measure(
    plan: &Plan,
    stop: impl Future<Output = ()>,
    watch: impl FnMut(&Live<'_>) -> bool,
) -> Result<Outcome> {
    let started = (plan.embedded, plan.calibrate);
    let peer = Peer::start(Protocol::Coap, started, &plan.course).await?;
    let place = plan.place(&peer)?;
    let identity = identity(&plan.course)?;
    let settings = plan.settings(&place, identity)?;
    let mut outcome = match plan.course.processes {
        1 => alone(plan, (&place, &settings), identity, stop, watch).await?,
        _ => {
            let to = (peer.url(), &plan.load);
            share(&plan.course, identity, to, stop, watch).await?
        }
    };
    // A part of the run does not know what the others got.
    if plan.course.part.is_none() {
        let told = settings.judge(&outcome.report);
        outcome.report.warnings.extend(told);
    }
    complete(&mut outcome, &plan.course, plan.setup(&place));
    peer.describe(&mut outcome.report);
    peer.stop().await;
    Ok(outcome)
}

/// Runs the load in this process.
async fn alone(
    plan: &Plan,
    (place, settings): (&Place, &Settings),
    identity: Identity,
    stop: impl Future<Output = ()>,
    watch: impl FnMut(&Live<'_>) -> bool,
) -> Result<Outcome> {
    let sources = sources(&plan.bind, &place.target);
    let target = plan.course.connecting(place.target.clone());
    let opener = Arc::new(Opener::new(target, sources, settings.connections()).await?);
    let made = settings.make(&opener)?;
    if plan.course.find_max.is_none() {
        let notes = Console::new(plan.course.style);
        made.warnings.iter().for_each(|it| notes.warn(it));
    }
    let mut outcome = perform(&plan.course, identity, made, stop, watch).await?;
    opener.report(&mut outcome.report.connections);
    if outcome.has_no_connection() {
        opener.explain(&mut outcome.trouble).await;
    }
    name_figures(&mut outcome.report);
    Ok(outcome)
}

/// Runs the load, shows what was found, and judges it.
///
/// # Errors
/// See [`measure`]; a signal; no connection; a threshold that was missed.
pub(crate) async fn run(mut plan: Plan) -> Result<()> {
    join(&mut plan.course, &mut plan.load)?;
    // Once, and before signals are watched for: it may be a pipe that nobody writes to.
    if let BodyArgs::File(path) = &plan.body {
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
            let mut plan = Plan::new(connect::ConnectArgs::default(), None);
            plan.play(name.parse().unwrap());
            assert!(plan.sockets + plan.observers > 0, "{name}");
        }
        assert!("x".parse::<ScenarioPreset>().is_err());
    }

    #[test]
    fn unknown_places_in_a_path_are_refused() {
        assert!(check_places("a{client}b{seq}{").is_ok());
        let refused = check_places("x{device}").unwrap_err();
        assert_eq!(
            refused.text(),
            "path segment \"x{device}\": unknown placeholder {device}"
        );
    }
}
