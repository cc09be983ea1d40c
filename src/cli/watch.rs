//! `watch`: its flags, and the plan they make.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytestring::ByteString;
use clap::{Args, ValueEnum};

use super::flags::ends::EndFlags;
use super::flags::ready::ReadyFlags;
use super::flags::terminal::TerminalFlags;
use super::flags::until::LimitFlags;
use super::mqtt::subscription;
use super::syntax::numbers::{interval, whole};
use super::syntax::values;
use crate::board::fleet::DevicePattern;
use crate::board::topics::Limits;
use crate::board::{Expectation, Options, SYS};
use crate::command::ends::source::TOPIC_EXCHANGE;
use crate::command::ends::{End, SourceArgs};
use crate::command::mqtt::session::SessionArgs;
use crate::command::watch::{Plan, Shown, Web};
use crate::error::{Error, Result};
use crate::mqtt::packet::{QoS, Subscription, Version};
use crate::payload::captures::Pattern;
use crate::payload::expect::Condition;

/// Seconds of the keep-alive.
const KEEP_ALIVE: u16 = 60;

/// AMQP messages that may be on their way to us.
const WINDOW: u16 = 1_000;

/// What each is for, and its words.
pub(crate) const EXAMPLES: &[(&str, &str)] = &[
    (
        "All topics, as they change",
        "iotctl watch mqtt://localhost",
    ),
    (
        "A fleet of devices and what they measure, with alerts",
        "iotctl watch --device 'devices/{id}/status' --value 'sensors/{id}/{metric}=/value' --alerts 'alerts/#'",
    ),
    (
        "The same as a page for browsers",
        "iotctl watch --device 'devices/{id}/status' --web 127.0.0.1:8080",
    ),
    (
        "In CI: fail with exit code 7 if a device is offline",
        "iotctl watch --device 'devices/{id}/status' --once --expect 'devices >= 3 and offline == 0'",
    ),
    (
        "What was recorded, or comes through a pipe of other commands",
        "iotctl watch recording.ndjson\niotctl mqtt sub -t '#' --output json | iotctl watch -",
    ),
    (
        "What is published to an exchange of RabbitMQ; all that a CoAP server lets be observed",
        "iotctl watch amqp://localhost --exchange logs\niotctl watch coap://meter.example",
    ),
];

#[derive(Args, Debug)]
#[command(next_help_heading = "Watching")]
pub(crate) struct WatchFlags {
    /// Server: mqtt://HOST, amqp://HOST (an exchange is tapped), coap://HOST (all that can be observed) or coap://HOST/PATH, or the name of a context; or a file of recorded messages, or - for such messages on standard input [default: IOTCTL_URL, the default context, or mqtt://localhost]
    #[arg(value_name = "URL", help_heading = None)]
    url: Option<String>,

    /// Topic filter to subscribe to; may be repeated. With AMQP, what a temporary queue is bound to the exchange with; of recorded messages, which of them are shown [default: what --device, --value and --alerts name, or # without them]
    #[arg(short = 't', long, value_name = "FILTER")]
    topic: Vec<OsString>,

    /// Topics that say whether a device is online, with {id} where its name stands, such as 'devices/{id}/status'; =/POINTER says where in a JSON payload. Understood are words such as online and offline, up and down, true and false; in an object the members status, state, online and connected. May be repeated
    #[arg(long, value_name = "PATTERN")]
    device: Vec<String>,

    /// Topics with what a device measures, such as 'sensors/{id}/{metric}=/value': the value is at a JSON pointer, or is the whole payload without one; it is called as {metric}, else as the last level. May be repeated
    #[arg(long, value_name = "PATTERN")]
    value: Vec<String>,

    /// Topics of alerts, such as 'alerts/#': one is active until an empty payload, or one whose state is ok, cleared or resolved. May be repeated
    #[arg(long, value_name = "FILTER")]
    alerts: Vec<String>,

    /// MQTT and recorded messages: $SYS/# as well, which is what the broker says of itself
    #[arg(long)]
    sys: bool,

    /// Only messages that fulfil this condition, such as '/value > 30'
    #[arg(long, value_name = "CONDITION")]
    filter: Option<Condition>,

    /// Maximum quality of service: 0, 1 or 2
    #[arg(short = 'q', long, value_name = "QOS", default_value = "0", value_parser = values::qos)]
    qos: QoS,

    /// MQTT version: 31, 311 or 5 [default: 5, or 311 if the server does not support 5]
    #[arg(short = 'V', long, value_name = "VERSION", value_parser = values::version)]
    protocol_version: Option<Version>,

    /// MQTT client identifier [default: generated]
    #[arg(short = 'i', long, value_name = "ID", value_parser = values::identifier)]
    id: Option<ByteString>,

    /// AMQP exchange that is tapped by a temporary queue
    #[arg(long, value_name = "NAME", default_value = TOPIC_EXCHANGE)]
    exchange: ByteString,

    /// Topics that are kept; of more, those that were silent for longest are forgotten
    #[arg(long, value_name = "COUNT", default_value = "100000", value_parser = whole(1..=1_000_000usize))]
    max_topics: usize,

    /// What is printed: auto is the screen on a terminal, else text; text is a table at intervals; json is a snapshot a line; none
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "auto",
        help_heading = "Output"
    )]
    output: ShownWord,

    /// How often a table or a snapshot is printed [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = interval, help_heading = "Output")]
    every: Option<Duration>,

    /// Print one table or snapshot once all retained messages came (MQTT), each resource has answered (CoAP), or all recorded messages were read, and end; with --for after that time, with all that came until then
    #[arg(long, conflicts_with = "every", help_heading = "Output")]
    once: bool,

    /// Fail with exit code 7 unless this is true in the end: names of counts (devices, online, offline, unknown, alerts, topics, messages, rate, bytes_per_second, stale, forgotten, left_out), or JSON pointers into a snapshot, as in 'offline == 0 and /fleet/boiler/values/temp < 90'
    #[arg(long, value_name = "CONDITION", help_heading = "Output")]
    expect: Option<Expectation>,

    /// Serve a page for browsers at /, what changes at /events (server-sent events), /snapshot.json, and /metrics for Prometheus
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = values::socket_address, help_heading = "Web")]
    web: Option<SocketAddr>,

    /// Required of browsers and other clients: http://HOST:PORT/?token=TOKEN, or in the header Authorization: Bearer TOKEN. Needed for an address that others can reach; other users of this machine can see it, so prefer --token-file
    #[arg(
        long,
        value_name = "TOKEN",
        requires = "web",
        conflicts_with = "token_file",
        help_heading = "Web"
    )]
    token: Option<String>,

    /// File with the token; a trailing newline is ignored
    #[arg(long, value_name = "FILE", requires = "web", help_heading = "Web")]
    token_file: Option<PathBuf>,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(flatten)]
    ready: ReadyFlags,

    #[command(flatten)]
    connect: EndFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ShownWord {
    Auto,
    Text,
    Json,
    None,
}

impl WatchFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let board = self.board()?;
        let end = match &self.url {
            Some(name) => End::parse(name)?,
            None => End::Usual,
        };
        self.check()?;
        let subscriptions = self.subscriptions(&board)?;
        let style = self.terminal.style();
        let is_all_retained = self.once && !self.is_timed();
        Ok(Plan {
            everything: self.topic.is_empty() && board.are_bare(),
            board,
            shown: self.shown(),
            every: self.every,
            once: self.once,
            sys: self.sys,
            expect: self.expect,
            web: self.web.map(|address| Web {
                address,
                token: self.token,
                token_file: self.token_file,
            }),
            until: self.limits.until(),
            ready: self.ready.ready(),
            source: SourceArgs {
                end,
                connect: self.connect.connect(),
                subscriptions,
                mqtt: SessionArgs {
                    version: self.protocol_version,
                    client_id: self.id,
                    keep_alive: KEEP_ALIVE,
                    ..SessionArgs::default()
                },
                queue: None,
                exchange: self.exchange,
                peek: false,
                retained_only: is_all_retained,
                speed: None,
                window: WINDOW,
                style,
            },
            style,
        })
    }

    /// Whether it ends after a time.
    fn is_timed(&self) -> bool {
        self.limits.until().duration.is_some()
    }

    fn shown(&self) -> Shown {
        let is_bounded = self.every.is_some() || self.once || self.is_timed();
        match self.output {
            ShownWord::Text => Shown::Text,
            ShownWord::Json => Shown::Json,
            ShownWord::None => Shown::Nothing,
            ShownWord::Auto if is_bounded => Shown::Text,
            ShownWord::Auto => Shown::Auto,
        }
    }

    fn check(&self) -> Result<()> {
        if self.expect.is_some() && !self.once && !self.is_timed() {
            let text = "--expect is judged at the end: --once or --for is needed";
            return Err(Error::usage(text));
        }
        Ok(())
    }

    fn board(&self) -> Result<Options> {
        let patterns = |flag: &str, words: &[String]| {
            let read = words.iter().map(|words| {
                let pattern = words.parse::<DevicePattern>();
                pattern.map_err(|why| Error::usage(format!("{flag}: {why}")))
            });
            read.collect::<Result<Vec<_>>>()
        };
        let alerts = self.alerts.iter().map(|words| {
            let pattern = words.parse::<Pattern>();
            pattern.map_err(|why| Error::usage(format!("--alerts: {why}")))
        });
        Ok(Options {
            devices: patterns("--device", &self.device)?,
            values: patterns("--value", &self.value)?,
            alerts: alerts.collect::<Result<_>>()?,
            filter: self.filter.iter().cloned().collect(),
            limits: Limits {
                topics: self.max_topics,
                ..Limits::default()
            },
        })
    }

    /// What is asked for; the filters of patterns once each.
    fn subscriptions(&self, board: &Options) -> Result<Vec<Subscription>> {
        let defaults = Subscription {
            qos: self.qos,
            ..Subscription::default()
        };
        let mut all = Vec::new();
        for word in &self.topic {
            let read = subscription::read(word.clone(), &defaults, self.protocol_version)?;
            all.push(read);
        }
        if self.topic.is_empty() {
            let devices = board.devices.iter().chain(&board.values);
            let named = devices.map(DevicePattern::filter);
            let named = named.chain(board.alerts.iter().map(Pattern::filter));
            let mut filters: Vec<&str> = named.collect();
            if filters.is_empty() {
                filters.push("#");
            }
            filters.sort_unstable();
            filters.dedup();
            all.extend(filters.into_iter().map(|filter| Subscription {
                filter: filter.into(),
                ..defaults.clone()
            }));
        }
        if self.sys {
            all.push(Subscription {
                filter: format!("{SYS}#").into(),
                ..defaults
            });
        }
        Ok(all)
    }
}
