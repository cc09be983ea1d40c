//! `replay`: its flags, and the plan they make.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bytestring::ByteString;
use clap::{Args, ValueEnum};

use super::flags::between::ProgressFlags;
use super::flags::condition::{FilterFlags, MapFlags};
use super::flags::ends::EndFlags;
use super::flags::format::FormatFlags;
use super::flags::terminal::TerminalFlags;
use super::flags::until::LimitFlags;
use super::log::read_store;
use super::syntax::bound::At;
use super::syntax::moment::Moment;
use super::syntax::numbers::{Count, Span, Wait, whole};
use super::syntax::rate;
use super::syntax::values;
use crate::command::ends::source::exchange_of;
use crate::command::ends::target::Sink;
use crate::command::ends::{End, TargetArgs};
use crate::command::mqtt::session::SessionArgs;
use crate::command::replay::{Action, Plan};
use crate::connect::ConnectArgs;
use crate::error::{Error, Result};
use crate::flow::Stages;
use crate::flow::replay::{Assertion, Range, Recording, Replay, Retime};
use crate::message::{fields, topic};
use crate::mqtt::packet::{QoS, Version};
use crate::output::{Format, Style};
use crate::payload::{Destination, Form, Payloads};
use crate::store::Syncing;

/// Seconds of the keep-alive.
const KEEP_ALIVE: u16 = 60;

/// What each is for, and its words.
pub(crate) const EXAMPLES: &[(&str, &str)] = &[
    (
        "Record for a day, and send all of it again in an hour",
        "iotctl mqtt sub mqtt://broker.example -t '#' --output json --for 1day > day.ndjson\niotctl replay day.ndjson --to mqtt://localhost --speed 24",
    ),
    (
        "As fast as the server takes it, below another topic, with what was retained before",
        "iotctl replay day.ndjson --to mqtt://localhost --speed max --from 10:00 --prime --topic-out site1/",
    ),
    (
        "From MQTT to AMQP, over and over, with the times in payloads moved to now",
        "iotctl replay day.ndjson --to amqp://localhost --loop forever --retime /ts",
    ),
    ("What is in a recording", "iotctl replay day.ndjson --info"),
];

#[derive(Args, Debug)]
#[command(next_help_heading = "Replaying")]
pub(crate) struct ReplayFlags {
    /// Recordings, as --output json writes them, or - for standard input, or a directory for all *.ndjson and *.ndjson.gz in it; compressed or not; several are merged by the times of their records. The directory of a --spool: what is left in it
    #[arg(value_name = "FILE", required = true, help_heading = None)]
    files: Vec<PathBuf>,

    /// Where messages go: a server (mqtt://HOST, amqp://HOST, coap://HOST or their TLS and WebSocket variants), the name of a context, a file, which gets records unless --output says otherwise, or, as for iotctl log, FILE.csv with the usual columns or sqlite:FILE [default: standard output]. A server of our own (coap-listen://ADDR:PORT) shows the last message of each topic for as long as messages are sent
    #[arg(long, value_name = "URL")]
    to: Option<String>,

    /// Speed: 2 is twice as fast as recorded, max as fast as the target accepts messages
    #[arg(
        long,
        value_name = "FACTOR",
        default_value = "1",
        allow_negative_numbers = true
    )]
    speed: Speed,

    /// Only records from this time on: 2026-11-20T21:00:00Z, 21:00 in UTC on the day of the first record, or +90s after the first record
    #[arg(long, value_name = "TIME")]
    from: Option<At>,

    /// Only records before this time, in the same forms
    #[arg(long, value_name = "TIME")]
    until: Option<At>,

    /// With --from, first send the last retained message of each topic before that time
    #[arg(long, requires = "from")]
    prime: bool,

    /// Replay this many times, or forever
    #[arg(long = "loop", value_name = "COUNT", default_value = "1")]
    rounds: Rounds,

    /// Interval between the last message of a round of --loop and the first of the next
    #[arg(long, value_name = "TIME", default_value = "0")]
    loop_gap: Span,

    /// Connect now and start sending at this time: 2026-11-20T21:00:00Z, or seconds since 1970
    #[arg(long, value_name = "TIME")]
    start_at: Option<Moment>,

    #[command(flatten)]
    filter: FilterFlags,

    #[command(flatten)]
    map: MapFlags,

    /// Topic of the messages instead of their own: {topic} stands for that, as in 'site1/{topic}', and {/POINTER} for a value of their JSON; one that ends with / is put before their own
    #[arg(long, alias = "topic", value_name = "TOPIC")]
    topic_out: Option<OsString>,

    /// Quality of service of MQTT messages: 0, 1, 2, or keep for the one they were received with
    #[arg(short = 'q', long, value_name = "QOS", default_value = "keep", value_parser = qos)]
    qos: Kept,

    /// Retain flag of MQTT messages
    #[arg(long, value_name = "WHAT", default_value = "keep")]
    retain: Retain,

    /// Shift payload timestamps with the messages: a JSON pointer such as /ts to RFC 3339 text or a number since 1970, 'jq: EXPRESSION', in which now is when the message is sent and $time when it was recorded, or none
    #[arg(long, value_name = "WHERE", default_value = "none", value_parser = retime)]
    retime: Moved,

    /// The recordings are of another program: mqtt-recorder (1.4, CSV), mqtt-recorder-base64 where it ran with --encode_b64, or rabtap: what it wrote with --format json or json-nopp, or the directory of its --saveto
    #[arg(long, value_name = "PROGRAM")]
    import: Option<Import>,

    /// Fail where a message has something that the other protocol cannot carry, or a server does not take its QoS or RETAIN
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    instead: InsteadFlags,

    /// Fail with exit code 7 if this is not met at the end, such as 'lag_p99 < 5ms': lag_p50, lag_p99, lag_max, or late, the number of messages later than 10 ms; may be repeated
    #[arg(long = "assert", value_name = "CONDITION", conflicts_with_all = ["info", "check", "dry_run"])]
    assertions: Vec<Assertion>,

    #[command(flatten)]
    target: TargetFlags,

    #[command(flatten)]
    connection: EndFlags,

    #[command(flatten)]
    format: FormatFlags,

    #[command(flatten)]
    reports: ProgressFlags,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

/// What is done instead of sending.
#[derive(Args, Debug)]
#[command(next_help_heading = "Replaying")]
struct InsteadFlags {
    /// Print when each message would be sent, and where, without connecting
    #[arg(long, conflicts_with_all = ["info", "check"])]
    dry_run: bool,

    /// Print what is in the recordings, without connecting: counts by topic and protocol, first and last time, rate, the longest gaps
    #[arg(long, conflicts_with = "check")]
    info: bool,

    /// Check the recordings without connecting, and end: exit code 7 if records are out of order, incomplete or without a time, or after a gap longer than --max-gap
    #[arg(long)]
    check: bool,

    /// With --check, the longest time without a record
    #[arg(long, value_name = "TIME", requires = "check")]
    max_gap: Option<Wait>,
}

/// How to reach the target.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
struct TargetFlags {
    /// MQTT version: 31, 311 or 5 [default: 5, or 311 if the server does not support 5]
    #[arg(short = 'V', long, value_name = "VERSION", value_parser = values::version)]
    protocol_version: Option<Version>,

    /// MQTT client identifier [default: generated]
    #[arg(short = 'i', long, value_name = "ID", value_parser = values::identifier)]
    id: Option<ByteString>,

    /// AMQP exchange [default: the recorded one; amq.topic for what was recorded over another protocol]
    #[arg(long, value_name = "NAME")]
    exchange: Option<ByteString>,

    /// AMQP messages in flight, at most
    #[arg(long, value_name = "COUNT", default_value = "1000", value_parser = whole(1..=u16::MAX))]
    window: u16,
}

/// A factor, or as fast as possible.
#[derive(Clone, Copy, Debug)]
struct Speed(Option<f64>);

impl FromStr for Speed {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word.parse() {
            _ if word == "max" => Ok(Self(None)),
            Ok(rate::Speed(factor)) => Ok(Self(Some(factor))),
            Err(_) => Err("expected a factor such as 2 or 0.5, or max"),
        }
    }
}

/// How often; `None`: without an end.
#[derive(Clone, Copy, Debug)]
struct Rounds(Option<u64>);

impl FromStr for Rounds {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word.parse() {
            _ if word == "forever" => Ok(Self(None)),
            Ok(Count(count)) if count > 0 => Ok(Self(Some(count))),
            _ => Err("expected a number of times, at least 1, or forever"),
        }
    }
}

/// A quality of service, or that of each message.
#[derive(Clone, Copy, Debug)]
struct Kept(Option<QoS>);

fn qos(word: &str) -> Result<Kept, String> {
    match word {
        "keep" => Ok(Kept(None)),
        word => values::qos(word)
            .map(|qos| Kept(Some(qos)))
            .map_err(|_| String::from("expected 0, 1, 2 or keep")),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Retain {
    /// Messages that were retained are retained again
    Keep,
    /// No message is retained
    Drop,
}

/// Times in payloads, if any.
#[derive(Clone, Debug)]
struct Moved(Option<Retime>);

fn retime(word: &str) -> Result<Moved, String> {
    match word {
        "none" => Ok(Moved(None)),
        pointer if pointer.starts_with('/') => Ok(Moved(Some(Retime::Pointer(pointer.to_owned())))),
        words if words.trim_start().starts_with("jq:") => {
            Ok(Moved(Some(Retime::Map(words.parse()?))))
        }
        _ => Err(String::from(
            "expected a JSON pointer such as /ts, jq: EXPRESSION, or none",
        )),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Import {
    MqttRecorder,
    MqttRecorderBase64,
    Rabtap,
}

impl ReplayFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let style = self.terminal.style();
        let action = self.instead.action();
        let json = self.format.output.is_json();
        let topic = self.topic_out.map(mapped).transpose()?;
        let connect = self.connection.connect();
        let (end, sink) = named(self.to.as_deref(), &self.format, &connect, style)?;
        let format = format(self.format, &end, action)?;
        if let Some(flag) = self.reports.given() {
            values::needs(flag, true, "messages to be sent", action == Action::Send)?;
        }
        let asserts = !self.assertions.is_empty();
        values::needs(
            "--assert",
            asserts,
            "a pace, so not --speed max",
            self.speed.0.is_some(),
        )?;
        let Kept(qos) = self.qos;
        Ok(Plan {
            replay: Replay {
                recordings: recordings(self.files, self.import)?,
                speed: self.speed.0,
                range: Range {
                    from: self.from.map(|At(bound)| bound),
                    until: self.until.map(|At(bound)| bound),
                },
                rounds: self.rounds.0,
                gap: self.loop_gap.0,
                stages: Stages {
                    filter: self.filter.filter,
                    ..self.map.stages()
                },
                prime: self.prime,
                start_at: self.start_at.map(|Moment(time)| time),
                retime: self.retime.0,
                topic,
                qos: qos.map(QoS::level),
                retain: self.retain == Retain::Keep,
                clears: false,
                check: |_| Ok(()),
            },
            exchange: self.target.exchange.clone(),
            to: TargetArgs {
                qos: qos.unwrap_or(QoS::AtLeastOnce),
                format,
                sink,
                ..self.target.words(end, connect, style)
            },
            action,
            json,
            strict: self.strict,
            assertions: self.assertions,
            reports: self.reports.reports(),
            until: self.limits.until(),
            style,
        })
    }
}

impl TargetFlags {
    fn words(self, end: End, connect: ConnectArgs, style: Style) -> TargetArgs {
        TargetArgs {
            sink: None,
            end,
            connect,
            mqtt: SessionArgs {
                version: self.protocol_version,
                client_id: self.id,
                keep_alive: KEEP_ALIVE,
                ..SessionArgs::default()
            },
            qos: QoS::AtLeastOnce,
            retain: false,
            exchange: exchange_of(None),
            window: self.window,
            retries: None,
            sync: Syncing::Auto,
            format: Format::Raw,
            state: None,
            style,
        }
    }
}

impl InsteadFlags {
    fn action(&self) -> Action {
        match self {
            Self { dry_run: true, .. } => Action::DryRun,
            Self { info: true, .. } => Action::Info,
            Self { check: true, .. } => Action::Check {
                longest: self.max_gap.map(|Wait(time)| time),
            },
            _ => Action::Send,
        }
    }
}

/// What `--to` names, and what it is if it is a store of `log`: a database, or a file of rows, unless that is to have another
/// format.
fn named(
    to: Option<&str>,
    format: &FormatFlags,
    connect: &ConnectArgs,
    style: Style,
) -> Result<(End, Option<Sink>)> {
    let Some(to) = to else {
        return Ok((End::Standard, None));
    };
    let end = End::parse(to)?;
    let is_csv = |path: &Path| {
        path.extension()
            .is_some_and(|it| it.eq_ignore_ascii_case("csv"))
    };
    let is_store = match &end {
        End::Store(name) if !name.starts_with("sqlite:") => {
            let text = format!("--to {end}: what of a message is a point is not said here");
            return Err(Error::usage(text)
                .hint(format!("use `iotctl log FILE --to {end} --measurement …`")));
        }
        End::Store(_) => true,
        End::File(path) => is_csv(path) && format.output.is_text(),
        _ => false,
    };
    if !is_store {
        return Ok((end, None));
    }
    let (store, time) = read_store(&[format!("--to={to}")], connect, style)?;
    Ok((store.end(), Some(Sink::Store(Box::new(store), time))))
}

/// How messages are shown: as records in a file, unless told otherwise.
fn format(flags: FormatFlags, end: &End, action: Action) -> Result<Format> {
    let (text, json) = (flags.output.is_text(), flags.output.is_json());
    let shows = matches!(end, End::Standard | End::File(_)) && action == Action::Send;
    let place = "standard output or a file as the target";
    values::needs("--output", !text && !json, place, shows)?;
    let format = flags.format(&fields::ANY)?;
    Ok(match (end, &format) {
        (End::File(_), Format::Text { .. }) => Format::Json {
            pretty: false,
            embed: false,
            local: false,
        },
        _ => format,
    })
}

/// The topic that messages get: what is not filled in must be one.
fn mapped(word: OsString) -> Result<Destination> {
    let text = values::text("--topic-out", word)?;
    let destination = values::mapped("--topic-out", text.into())?;
    if let Some(fixed) = destination.fixed() {
        topic::check_name(fixed).map_err(|why| Error::usage(format!("--topic-out: {why}")))?;
    }
    Ok(destination)
}

/// Standard input can be read once, and nothing from a server.
fn recordings(files: Vec<PathBuf>, import: Option<Import>) -> Result<Vec<Recording>> {
    let form = match import {
        None => Form::Records,
        Some(Import::MqttRecorder) => Form::MqttRecorder(Payloads::Text),
        Some(Import::MqttRecorderBase64) => Form::MqttRecorder(Payloads::Base64),
        Some(Import::Rabtap) => Form::Rabtap,
    };
    let server = |file: &&PathBuf| {
        let name = file.to_str().unwrap_or_default();
        matches!(End::parse(name), Ok(End::Url(..)))
    };
    if let Some(url) = files.iter().find(server) {
        let text = format!("{} is a server, and no recording", url.display());
        let hint = format!("--to {} sends the messages there", url.display());
        return Err(Error::usage(text).hint(hint));
    }
    let recordings = files.into_iter().map(|file| Recording {
        file: (file.as_os_str() != "-").then_some(file),
        form,
        from: 0,
    });
    let recordings: Vec<_> = recordings.collect();
    match recordings.iter().filter(|it| it.file.is_none()).count() {
        0 | 1 => Ok(recordings),
        _ => Err(Error::usage(
            "- was given twice: standard input can be read only once",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::{Parsed, parse};
    use crate::command::Command;
    use crate::flow::replay::Bound;

    fn plan(words: &str) -> Result<Plan> {
        let words = format!("iotctl replay {words}");
        match parse(words.split(' ').map(Into::into))? {
            Parsed::Command(Command::Replay(plan)) => Ok(*plan),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_pace_of_the_recording_to_standard_output_unless_told_otherwise() {
        let plan = plan("a.ndjson -").unwrap();
        assert_eq!((plan.action, plan.to.end), (Action::Send, End::Standard));
        let replay = plan.replay;
        let files: Vec<_> = replay.recordings.into_iter().map(|it| it.file).collect();
        assert_eq!(files, [Some(PathBuf::from("a.ndjson")), None]);
        assert_eq!((replay.speed, replay.rounds), (Some(1.0), Some(1)));
        assert_eq!(replay.range, Range::default());
        assert!(replay.retain && replay.qos.is_none() && replay.retime.is_none());
    }

    #[test]
    fn words_become_a_plan() {
        let plan = plan(
            "a --to amqp://h --speed max --loop forever --loop-gap 2s --from +1m --until 21:00 --prime \
             -q 2 --retain drop --retime /ts --import mqtt-recorder-base64 --dry-run --topic x/ --exchange e",
        );
        let plan = plan.unwrap();
        assert_eq!(plan.action, Action::DryRun);
        assert_eq!(plan.exchange.as_deref(), Some("e"));
        let replay = plan.replay;
        assert_eq!(
            replay.recordings[0].form,
            Form::MqttRecorder(Payloads::Base64)
        );
        assert_eq!((replay.speed, replay.rounds), (None, None));
        assert_eq!(replay.gap, Duration::from_secs(2));
        let range = Range {
            from: Some(Bound::After(Duration::from_secs(60))),
            until: Some(Bound::OfDay(Duration::from_secs(21 * 3600))),
        };
        assert_eq!(replay.range, range);
        assert_eq!(
            (replay.qos, replay.retain, replay.prime),
            (Some(2), false, true)
        );
        assert_eq!(replay.topic, Destination::mapped("x/".into()).ok());
    }
}
