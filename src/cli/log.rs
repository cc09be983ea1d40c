//! `log`: its flags, and the plan they make.

mod config;
mod help;
mod points;
mod target;

use std::ffi::OsString;
use std::str::FromStr;
use std::time::Duration;

use bytestring::ByteString;
use clap::{Args, FromArgMatches};

pub(crate) use self::help::EXAMPLES;
use self::points::PointFlags;
use self::target::{RowFlags, StoreFlags, Targets};
use super::flags::between::BetweenFlags;
use super::flags::condition::{ConditionFlags, MapFlags};
use super::flags::ends::EndsFlags;
use super::flags::ready::ReadyFlags;
use super::flags::terminal::TerminalFlags;
use super::flags::until::{self, UntilFlags};
use super::mqtt::subscription;
use super::syntax::numbers::{Wait, whole};
use super::syntax::values;
use crate::command::Command;
use crate::command::ends::source::{TOPIC_EXCHANGE, path_pattern};
use crate::command::ends::{End, SourceArgs, TargetArgs, stable_name};
use crate::command::log::{DeadLetters, Plan};
use crate::command::mqtt::session::SessionArgs;
use crate::command::route::{Timed, Written};
use crate::connect::ConnectArgs;
use crate::error::{Error, Result};
use crate::flow::{Refusals, Stages, Until};
use crate::mqtt::packet::{QoS, RetainHandling, Subscription, Version};
use crate::output::{Format, Style};
use crate::payload::captures::Pattern;
use crate::payload::select::Selector;
use crate::store::Syncing;

/// Seconds of the keep-alive.
const KEEP_ALIVE: u16 = 60;

/// A commit is not put off for longer.
const LONGEST_SYNC: Duration = Duration::from_secs(60);

/// What `--map` is here.
const MAP: &str = "Keep what this makes of each message that passes --filter: 'jq: EXPRESSION' of its payload as JSON; a string is kept as its text, anything else as JSON; no output drops the message, and each of several outputs is one message";

#[derive(Args, Debug)]
#[command(
    next_help_heading = "Receiving",
    mut_arg("map", |map| map.help(MAP)),
    mut_arg("idle", |it| it.help(until::IDLE)),
    mut_arg("drain", |it| it.help(until::DRAIN))
)]
pub(crate) struct LogFlags {
    /// Where messages come from: a server (mqtt://HOST, amqp://HOST, coap://HOST/PATH or their TLS and WebSocket variants), the name of a context, a file of records as --output json writes them, or - for such records on standard input; several are received at the same time [default: IOTCTL_URL, the default context, or mqtt://localhost]
    #[arg(value_name = "FROM", help_heading = None)]
    from: Vec<String>,

    /// Where they are kept; may be repeated, and each gets every message. FILE.ndjson: a record of each, as --output json writes it; FILE.csv: rows of --columns; - for standard output; the rest is listed below
    #[arg(long, value_name = "TARGET", required = true, help_heading = "Storing")]
    to: Vec<OsString>,

    /// Topic filter to subscribe to, whose wildcards may have names: 'sensors/{device}/+' or 'sensors/{rest...}'; optionally with subscription options: 'a/#;qos=2'; may be repeated. With AMQP, what a temporary queue is bound to the exchange with; of a file and over CoAP, which messages are kept
    #[arg(short = 't', long, value_name = "FILTER")]
    topic: Vec<OsString>,

    /// Maximum quality of service: 0, 1 or 2
    #[arg(short = 'q', long, value_name = "QOS", default_value = "1", value_parser = values::qos)]
    qos: QoS,

    /// Fail where a server grants QoS 0 where more was asked for
    #[arg(long)]
    strict: bool,

    /// MQTT version: 31, 311 or 5 [default: 5, or 311 if the server does not support 5]
    #[arg(short = 'V', long, value_name = "VERSION", value_parser = values::version)]
    protocol_version: Option<Version>,

    /// Client identifier, under which an MQTT server keeps messages while this command does not run [default: made from FROM and --to, always the same]
    #[arg(short = 'i', long, value_name = "ID", value_parser = values::identifier)]
    id: Option<ByteString>,

    /// No persistent session: what is sent while this command does not run is not received
    #[arg(long)]
    clean: bool,

    /// AMQP queue to consume from [default: a temporary one, bound by -t]
    #[arg(long, value_name = "QUEUE")]
    queue: Option<ByteString>,

    /// AMQP exchange to which a temporary queue is bound
    #[arg(long, value_name = "NAME", default_value = TOPIC_EXCHANGE)]
    exchange: ByteString,

    /// AMQP messages that are received and not stored yet, at most
    #[arg(long, value_name = "COUNT", default_value = "1000", value_parser = whole(1..=u16::MAX))]
    window: u16,

    #[command(flatten)]
    rows: RowFlags,

    #[command(flatten)]
    store: StoreFlags,

    #[command(flatten)]
    points: PointFlags,

    /// When messages are safe, and acknowledged: auto is as soon as no more come, and after 200 ms at the latest; each is one by one; a TIME up to 1m is as long after the first
    #[arg(long, value_name = "WHEN", default_value = "auto", value_parser = sync, help_heading = "Storing")]
    sync: Syncing,

    /// What to do with a message that a target permanently rejects, such as a row that violates a constraint: stop (exit with 1; it stays unacknowledged), drop (it is counted and acknowledged), or send it, with the reason, to a file such as refused.ndjson or a server such as mqtt://HOST
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "stop",
        help_heading = "Storing"
    )]
    on_refused: String,

    /// Print the equivalent iotctl route configuration, and exit; when to end, --ready-file, --report and --prometheus-listen are flags of iotctl route, and refused here
    #[arg(long, help_heading = "Storing")]
    print_config: bool,

    #[command(flatten)]
    between: BetweenFlags,

    #[command(flatten)]
    until: UntilFlags,

    #[command(flatten)]
    conditions: ConditionFlags,

    #[command(flatten, next_help_heading = "Conditions")]
    map: MapFlags,

    #[command(flatten)]
    ready: ReadyFlags,

    #[command(flatten)]
    ends: EndsFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

/// When messages are safe.
pub(crate) fn sync(word: &str) -> Result<Syncing, String> {
    match word {
        "auto" => Ok(Syncing::Auto),
        "each" => Ok(Syncing::Each),
        word => match Wait::from_str(word) {
            Ok(Wait(time)) if time <= LONGEST_SYNC => Ok(Syncing::Every(time)),
            _ => Err(String::from("expected auto, each, or a time up to 1m")),
        },
    }
}

impl LogFlags {
    /// The command, validated as far as possible without a file or the network.
    pub(crate) fn command(self) -> Result<Command> {
        if !self.print_config {
            return Ok(Command::Log(self.planned()?.0.into()));
        }
        let mut file = config::begin(&self)?;
        let on_refused = self.on_refused.clone();
        let (plan, to) = self.planned()?;
        config::finish(&plan, &on_refused, &to, &mut file)?;
        Ok(Command::PrintRoutes(Written(file).into(), plan.style))
    }

    /// The plan, and how to connect to where messages go.
    fn planned(mut self) -> Result<(Plan, ConnectArgs)> {
        values::messages(self.until.count)?;
        let style = self.terminal.style();
        let (patterns, subscriptions) = self.topics()?;
        let names = std::mem::take(&mut self.to).into_iter().map(target::text);
        let names: Vec<String> = names.collect::<Result<_>>()?;
        let mqtt = self.session(&names);
        let ends = self.from.iter().chain(&names).map(String::as_str);
        let [from, to] = self.ends.connect(ends);
        let shared = SourceArgs {
            end: End::Standard,
            connect: from,
            subscriptions,
            mqtt,
            queue: self.queue,
            exchange: self.exchange,
            window: self.window,
            peek: false,
            retained_only: false,
            speed: None,
            style,
        };
        let targets = Targets {
            rows: &self.rows,
            points: &self.points,
            patterns,
            connect: &to,
            style,
        };
        let stores = self.store.stores(&names, &targets)?;
        let between = self.between.between(&targets.patterns)?;
        let mut connect = to.clone();
        between.waits_for_targets(&mut connect);
        let letters = letters(&shared, connect);
        let (refusals, dead_letters) = refusals(&self.on_refused, letters, style)?;
        let plan = Plan {
            sources: sources(&self.from, &shared)?,
            stores,
            refusals,
            dead_letters,
            strict: self.strict,
            sync: self.sync,
            time: self.rows.time()?,
            matches: self.rows.has_captures() || self.points.has_captures(),
            between,
            // Messages may be of any protocol.
            stages: Stages {
                map: self.map.stages().map,
                ..self.conditions.of_any(targets.patterns, style)
            },
            until: Until {
                until: self.conditions.until,
                ..self.until.until()
            },
            ready: self.ready.ready(),
            style,
        };
        Ok((plan, to))
    }

    /// The session at an MQTT server.
    fn session(&self, names: &[String]) -> SessionArgs {
        let id = match &self.id {
            Some(id) => id.clone(),
            None => {
                // Whatever the topics are: what waits for the session is to come when others are asked for.
                let words = self.from.iter().chain(names).map(String::as_str);
                stable_name("log", words).into()
            }
        };
        SessionArgs {
            version: self.protocol_version,
            client_id: Some(id),
            persistent: !self.clean,
            keep_alive: KEEP_ALIVE,
            ..SessionArgs::default()
        }
    }

    /// What `-t` says, or the path of the only source, where that is a pattern.
    fn topic_words(&self) -> Result<Vec<OsString>> {
        let ([only], []) = (&*self.from, &*self.topic) else {
            return Ok(self.topic.clone());
        };
        let pattern = path_pattern(&End::parse(only)?)?;
        let words = pattern.map(|it| it.to_string().replace(';', ";;").into());
        Ok(words.into_iter().collect())
    }

    /// The filters with the names of their wildcards, and what is subscribed to.
    fn topics(&self) -> Result<(Vec<Pattern>, Vec<Subscription>)> {
        let defaults = Subscription {
            qos: self.qos,
            // What is retained would be stored again at each start.
            retain_handling: match self.clean {
                true => RetainHandling::Always,
                false => RetainHandling::New,
            },
            ..Subscription::default()
        };
        let mut all = (Vec::new(), Vec::new());
        for word in self.topic_words()? {
            let text = values::text("-t", word)?;
            let mut pieces = subscription::pieces(&text).into_iter();
            let pattern: Pattern = pieces
                .next()
                .unwrap_or_default()
                .parse()
                .map_err(|why| Error::usage(format!("-t: {why}")))?;
            let options: String = pieces.map(|piece| format!(";{piece}")).collect();
            let plain = format!("{}{options}", pattern.filter().replace(';', ";;"));
            let read = subscription::read(plain.into(), &defaults, self.protocol_version)?;
            all.0.push(pattern);
            all.1.push(read);
        }
        Ok(all)
    }
}

/// How refused messages are sent to a server, which is not named yet.
fn letters(shared: &SourceArgs, connect: ConnectArgs) -> TargetArgs {
    TargetArgs {
        sink: None,
        end: End::Standard,
        connect,
        mqtt: SessionArgs {
            client_id: None,
            persistent: false,
            ..shared.mqtt.clone()
        },
        qos: QoS::AtLeastOnce,
        retain: false,
        exchange: TOPIC_EXCHANGE.into(),
        window: shared.window,
        retries: None,
        sync: Syncing::Auto,
        state: None,
        format: Format::Raw,
        style: shared.style,
    }
}

/// Each source by its name, or the usual server; several sessions need several identifiers.
fn sources(names: &[String], shared: &SourceArgs) -> Result<Vec<SourceArgs>> {
    let source = |(at, name): (usize, &String)| {
        let mut source = SourceArgs {
            end: End::parse(name)?,
            ..shared.clone()
        };
        if let Some(id) = source.mqtt.client_id.take_if(|_| names.len() > 1) {
            source.mqtt.client_id = Some(format!("{id}-{}", at + 1).into());
        }
        Ok(source)
    };
    if names.is_empty() {
        return Ok(vec![SourceArgs {
            end: End::Usual,
            ..shared.clone()
        }]);
    }
    names.iter().enumerate().map(source).collect()
}

/// What `--on-refused` says.
fn refusals(
    what: &str,
    mut letters: TargetArgs,
    style: Style,
) -> Result<(Refusals, Option<DeadLetters>)> {
    let letters = match what {
        "stop" => return Ok((Refusals::Stop, None)),
        "drop" => return Ok((Refusals::Drop, None)),
        name => match End::parse(name) {
            Ok(end) if end.is_server() => {
                letters.end = end;
                DeadLetters::Server(Box::new(letters))
            }
            _ => DeadLetters::Store(target::records(name, style)?.into()),
        },
    };
    Ok((Refusals::DeadLetter, Some(letters)))
}

/// A store of a routes file.
#[derive(Args, Debug)]
struct StoreWords {
    #[arg(long, required = true)]
    to: String,

    #[arg(long)]
    topic: Vec<String>,

    #[command(flatten)]
    rows: RowFlags,

    #[command(flatten)]
    store: StoreFlags,

    #[command(flatten)]
    points: PointFlags,
}

/// A store in words of these flags, and what of a message says when it was; `connect`: how to connect to its server.
///
/// # Errors
/// What is wrong with the words.
pub(crate) fn read_store(words: &[String], connect: &ConnectArgs, style: Style) -> Result<Timed> {
    let command = StoreWords::augment_args(clap::Command::new("log"));
    let command = command.no_binary_name(true).disable_help_flag(true);
    let flags = command.try_get_matches_from(words);
    let flags = flags.and_then(|matches| StoreWords::from_arg_matches(&matches));
    let flags = flags.map_err(|error| {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        Error::usage(line.strip_prefix("error: ").unwrap_or(line))
    })?;
    let pattern = |word: &String| -> Result<Pattern> {
        word.parse()
            .map_err(|why| Error::usage(format!("topic: {why}")))
    };
    let targets = Targets {
        rows: &flags.rows,
        points: &flags.points,
        patterns: flags.topic.iter().map(pattern).collect::<Result<_>>()?,
        connect,
        style,
    };
    let mut stores = flags.store.stores(&[flags.to], &targets)?;
    let store = stores.pop();
    let store = store.ok_or_else(|| Error::usage("no store is named"))?;
    Ok((store, flags.rows.time()?))
}

/// What of a message says when it was.
pub(super) fn selector(flag: &str, word: &str) -> Result<Selector> {
    word.parse()
        .map_err(|why: String| Error::usage(format!("{flag}: {why}")))
}
