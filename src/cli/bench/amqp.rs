//! `bench amqp`: its flags, and the plan they make.

use std::ffi::OsString;
use std::str::FromStr;

use bytestring::ByteString;
use clap::{Args, ValueEnum};

use crate::amqp::consumer::Offset;
use crate::bench::amqp::{Consuming, Scenario};
use crate::bench::pattern::Pattern;
use crate::command::bench::amqp::{Plan, QueueType, ScenarioPreset};
use crate::error::{Error, Result};

use super::load::LoadFlags;
use super::mqtt::connections;
use super::run::{RunOptionFlags, check_processes};
use super::syntax::{SizeRange, one_of};
use crate::cli::amqp::session::{self, AmqpSessionFlags};
use crate::cli::amqp::syntax;
use crate::cli::syntax::numbers::{Count, Span, Wait, whole};
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(
    next_help_heading = "Scenario",
    mut_arg("bind", |bind| bind
        .value_delimiter(',')
        .action(clap::ArgAction::Append)
        .value_name("ADDRESS,…")
        .help("Local IP addresses to connect from, in turn, each with up to 64,000 connections")),
    mut_arg("retry", |retry| retry.hide(true))
)]
pub(crate) struct BenchAmqpFlags {
    #[arg(value_name = "URL", help_heading = None, help = session::URL)]
    url: Option<OsString>,

    /// Start the embedded broker for the run, in its own process
    #[arg(long, conflicts_with_all = ["url", "url_flag", "host", "port", "unix", "context"])]
    embedded: bool,

    /// Test against a no-op peer that only responds, instead of a server, to measure the limit of the generator on this machine
    #[arg(long, conflicts_with_all = ["embedded", "processes", "consumers", "url", "url_flag", "host", "port", "unix", "context"])]
    calibrate: bool,

    /// Load scenario, listed below; it sets the defaults of other flags
    #[arg(long, value_name = "SCENARIO", default_value = "publish-consume", value_parser = one_of::<ScenarioPreset>(ScenarioPreset::all()), hide_possible_values = true)]
    scenario: ScenarioPreset,

    /// Number of publishing connections, or of those that do the scenario's work [default: the scenario's]
    #[arg(long, value_name = "COUNT")]
    producers: Option<Count>,

    /// Number of consuming connections [default: the scenario's]
    #[arg(long, value_name = "COUNT")]
    consumers: Option<Count>,

    /// Channels per connection, used in turn
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = whole(1..=u16::MAX))]
    channels: u16,

    #[command(flatten)]
    topology: TopologyFlags,

    #[command(flatten)]
    publishing: PublishingFlags,

    #[command(flatten)]
    consuming: ConsumingFlags,

    #[command(flatten)]
    load: LoadFlags,

    #[command(flatten)]
    course: RunOptionFlags,

    #[command(flatten)]
    session: AmqpSessionFlags,
}

/// What is at the server.
#[derive(Args, Debug)]
#[command(next_help_heading = "Topology")]
struct TopologyFlags {
    /// Queue, declared for the run and deleted afterwards; {queue} is its number [default: generated]
    #[arg(long, value_name = "NAME")]
    queue: Option<OsString>,

    /// Number of queues; connections and channels are spread over them [default: the scenario's]
    #[arg(long, value_name = "COUNT")]
    queues: Option<Count>,

    /// Type of the queues
    #[arg(long, value_name = "TYPE", default_value = "classic")]
    queue_type: Type,

    /// Queue argument; types as in `amqp declare`; may be repeated
    #[arg(long, value_name = "NAME:TYPE=VALUE")]
    argument: Vec<OsString>,

    /// Exchange to publish to and to bind the queues to [default: the default exchange; with --type, a generated one]
    #[arg(short = 'e', long, value_name = "NAME")]
    exchange: Option<OsString>,

    /// Type of the exchange: direct, fanout, topic, headers, or x-... of a plugin [default: direct]
    #[arg(long = "type", value_name = "TYPE", value_parser = syntax::exchange_type)]
    kind: Option<ByteString>,

    /// Routing key: {client} is the number of the producer, {seq} of the message, {queue} of the queue [default: the name of the queue]
    #[arg(short = 'k', long, value_name = "KEY")]
    routing_key: Option<OsString>,

    /// Use the existing exchange, queues and bindings, and do not delete them
    #[arg(long)]
    predeclared: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Publishing")]
struct PublishingFlags {
    /// Message size in bytes, or a range such as 64-1KiB; full measurement needs at least 24
    #[arg(long, value_name = "SIZE", default_value = "256")]
    size: SizeRange,

    /// Persistent messages, which survive a restart of the server
    #[arg(long)]
    persistent: bool,

    /// Count unroutable messages, which the server returns, as refused
    #[arg(long)]
    mandatory: bool,

    /// Publish without confirms; arrival is then checked every second, and --window has no effect
    #[arg(long)]
    no_confirm: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Consuming")]
struct ConsumingFlags {
    /// Prefetch count: unacknowledged messages per consumer, up to 65535; 0 for no limit
    #[arg(long, value_name = "COUNT", default_value = "1000", value_parser = whole(0..=u16::MAX))]
    prefetch: u16,

    /// Acknowledge this many messages at a time, or fewer when no message arrives for a second
    #[arg(long, value_name = "COUNT", default_value = "1", conflicts_with = "auto_ack", value_parser = whole(1..=u16::MAX))]
    multi_ack: u16,

    /// Automatic acknowledgement mode: messages count as acknowledged when the server has sent them
    #[arg(long, conflicts_with_all = ["nack", "consumer_latency"])]
    auto_ack: bool,

    /// Processing time of each message before it is acknowledged, one after the other
    #[arg(long, value_name = "TIME", default_value = "0")]
    consumer_latency: Span,

    /// Reject this share of the messages, such as 10%
    #[arg(long, value_name = "PERCENT")]
    nack: Option<Share>,

    /// Requeue rejected messages
    #[arg(long, requires = "nack")]
    requeue: bool,

    /// Poll with basic.get instead of consuming, with this pause when the queue is empty
    #[arg(long, value_name = "TIME")]
    get: Option<Wait>,

    /// Where to start in a stream: first, last, next, an offset, @SECONDS since 1970, or an interval such as 1h
    #[arg(long, value_name = "OFFSET")]
    offset: Option<Offset>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Type {
    Classic,
    Quorum,
    Stream,
}

/// A share, as a percentage: `10%`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Share(f64);

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let number = word.strip_suffix('%').map(str::parse::<f64>);
        match number {
            Some(Ok(percent)) if percent > 0.0 && percent <= 100.0 => Ok(Self(percent / 100.0)),
            _ => Err("expected a percentage such as 10%"),
        }
    }
}

impl BenchAmqpFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let bind = self.session.addresses().to_vec();
        let session = self.session.words(self.url)?;
        if session.connect.retry.is_some() {
            let text = "--retry does not apply to load tests: lost connections are always reopened";
            return Err(Error::usage(text)
                .hint("to wait for a server first: iotctl amqp ping -C 1 --retry TIME"));
        }
        let stages_last = self.load.stages_last();
        let mut plan = Plan::new(session);
        plan.play(self.scenario);
        plan.embedded = self.embedded;
        plan.calibrate = self.calibrate;
        plan.bind = bind;
        plan.channels = self.channels;
        if let Some(producers) = connections("--producers", self.producers)? {
            plan.producers = producers;
        }
        if let Some(consumers) = connections("--consumers", self.consumers)? {
            plan.consumers = consumers;
        } else if self.calibrate {
            plan.consumers = 0;
        }
        self.topology.apply(&mut plan)?;
        plan.size = (self.publishing.size.least, self.publishing.size.most);
        plan.persistent = self.publishing.persistent;
        plan.mandatory = self.publishing.mandatory;
        plan.confirms = !self.publishing.no_confirm;
        plan.consuming = self.consuming.words();
        let find_max = self.load.find_max(plan.producers)?;
        plan.load = self.load.words(plan.producers)?;
        plan.course = self.course.course(stages_last)?;
        plan.course.find_max = find_max;
        check(&plan)?;
        check_processes(&plan.course, plan.producers + plan.consumers)?;
        Ok(plan)
    }
}

impl TopologyFlags {
    fn apply(self, plan: &mut Plan) -> Result<()> {
        if let Some(queues) = connections("--queues", self.queues)? {
            plan.queues = Some(queues);
        }
        plan.queue = pattern("--queue", self.queue)?;
        plan.key = pattern("--routing-key", self.routing_key)?;
        plan.queue_type = match self.queue_type {
            Type::Classic => QueueType::Classic,
            Type::Quorum => QueueType::Quorum,
            Type::Stream => QueueType::Stream,
        };
        plan.arguments = syntax::arguments(self.argument, Vec::new())?;
        let exchange = syntax::short_or_none("--exchange", self.exchange)?;
        plan.exchange = exchange.map(|name| name.to_string());
        plan.kind = self.kind.or_else(|| plan.kind.take());
        plan.predeclared = self.predeclared;
        Ok(())
    }
}

impl ConsumingFlags {
    fn words(self) -> Consuming {
        Consuming {
            prefetch: self.prefetch,
            multi_ack: self.multi_ack,
            auto_ack: self.auto_ack,
            latency: self.consumer_latency.0,
            nack: self.nack.map_or(0.0, |Share(share)| share),
            requeue: self.requeue,
            poll: self.get.map(|Wait(pause)| pause),
            offset: self.offset,
        }
    }
}

fn check(plan: &Plan) -> Result<()> {
    if plan.producers == 0 && plan.consumers == 0 {
        return Err(Error::usage(
            "neither producers nor consumers: nothing to do",
        ));
    }
    if plan.producers == 0 && plan.course.duration.is_none() {
        return Err(Error::usage("--count needs producers"));
    }
    let connections = plan.producers + plan.consumers;
    if plan.course.threads > connections {
        return Err(Error::usage(format!(
            "--threads {} is more than the number of connections: {connections}",
            plan.course.threads
        )));
    }
    if !publishes(plan) && plan.consumers > 0 {
        return Err(Error::usage("--consumers does not apply to this scenario"));
    }
    if plan.scenario == Scenario::Request && plan.size.0 < 24 {
        return Err(Error::usage(
            "the request scenario needs a --size of at least 24: replies are matched by their stamp",
        ));
    }
    if plan.mandatory && plan.size.0 < 24 {
        return Err(Error::usage(
            "--mandatory needs a --size of at least 24: returned messages are matched by their stamp",
        ));
    }
    if plan.calibrate && plan.scenario == Scenario::Request {
        return Err(Error::usage(
            "--calibrate does not support requests: the null server delivers nothing",
        ));
    }
    check_consuming(plan)?;
    check_queues(plan)
}

const fn publishes(plan: &Plan) -> bool {
    matches!(plan.scenario, Scenario::Publish | Scenario::Request)
}

fn check_consuming(plan: &Plan) -> Result<()> {
    let consuming = &plan.consuming;
    if consuming.prefetch > 0 && consuming.multi_ack > consuming.prefetch {
        return Err(Error::usage(format!(
            "--multi-ack {} is more than --prefetch {}: the first acknowledgement would never be due",
            consuming.multi_ack, consuming.prefetch
        )));
    }
    if plan.queue_type != QueueType::Stream {
        return values::needs(
            "--offset",
            consuming.offset.is_some(),
            "--queue-type stream",
            false,
        );
    }
    for (flag, given) in [
        ("--auto-ack", consuming.auto_ack),
        ("--nack", consuming.nack > 0.0),
        ("--get", consuming.poll.is_some()),
        ("--prefetch 0", consuming.prefetch == 0),
    ] {
        if given {
            return Err(Error::usage(format!("{flag} does not apply to streams")));
        }
    }
    Ok(())
}

fn check_queues(plan: &Plan) -> Result<()> {
    let queues = plan.queues();
    let consumers = plan.consumers * usize::from(plan.channels);
    let elsewhere = plan.consumers == 0 && (plan.exchange.is_some() || plan.key.is_some());
    if publishes(plan) && !elsewhere {
        values::needs(
            "--predeclared",
            plan.predeclared,
            "--queue",
            plan.queue.is_some(),
        )?;
    }
    if let Some(queue) = &plan.queue {
        values::needs("--queues", queues > 1, "{queue} in --queue", queue.groups())?;
        if queue.counts() || queue.differs() {
            return Err(Error::usage(
                "--queue does not support {client} and {seq}; use them in --routing-key",
            ));
        }
    }
    if consumers > 0 && consumers < queues {
        return Err(Error::usage(format!(
            "{queues} queues need at least as many consumers or consumer channels, but there are {consumers}"
        )));
    }
    if plan.queue_type == QueueType::Stream && !consumers.is_multiple_of(queues) {
        return Err(Error::usage(format!(
            "{consumers} consumers cannot be spread evenly over {queues} streams"
        )));
    }
    let Some(key) = &plan.key else {
        return Ok(());
    };
    let kind = plan.kind.as_deref().unwrap_or("direct");
    let named = plan.exchange.is_some() || plan.kind.is_some();
    if named && !plan.predeclared && kind == "direct" && (key.counts() || key.differs()) {
        return Err(Error::usage(
            "a direct exchange cannot match {client} or {seq} in --routing-key",
        )
        .hint("add --type topic"));
    }
    Ok(())
}

fn pattern(flag: &str, word: Option<OsString>) -> Result<Option<Pattern>> {
    let Some(text) = syntax::short_or_none(flag, word)? else {
        return Ok(None);
    };
    let pattern = Pattern::parse_key(flag, &text)?;
    // The longest numbers that there can be.
    let longest = pattern.of_group(usize::MAX).fill(usize::MAX, u64::MAX);
    syntax::short(flag, longest.into())?;
    Ok(Some(pattern))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::{Parsed, parse};
    use crate::command::{self, Command};

    fn plan(line: &str) -> Result<Plan> {
        let words = format!("iotctl bench amqp {line}");
        match parse(words.split_whitespace().map(OsString::from))? {
            Parsed::Command(Command::Bench(command::bench::Command::Amqp(plan))) => Ok(*plan),
            other => panic!("{line} gave {other:?}"),
        }
    }

    #[test]
    fn words_become_a_plan() {
        let plan = plan(
            "amqp://h/v --producers 3 --consumers 4 --channels 2 --queue q-{queue} --queues 5 --queue-type quorum \
             -e logs --type topic -k a.{client}.{seq} --size 64-1KiB --persistent --mandatory --prefetch 50 \
             --multi-ack 10 --nack 2.5% --requeue --consumer-latency 3ms --rate 10k --window 7 --count 1M \
             --bind 127.0.0.1,127.0.0.2",
        )
        .unwrap();
        assert_eq!((plan.producers, plan.consumers, plan.channels), (3, 4, 2));
        assert_eq!((plan.queues(), plan.queue_type), (5, QueueType::Quorum));
        assert_eq!(plan.key.unwrap().fill(4, 9), "a.4.9");
        assert_eq!((plan.size, plan.load.window), ((64, 1024), 7));
        assert!(plan.persistent && plan.mandatory && plan.confirms);
        let consuming = plan.consuming;
        assert_eq!((consuming.prefetch, consuming.multi_ack), (50, 10));
        assert!((consuming.nack - 0.025).abs() < 1e-9 && consuming.requeue);
        assert_eq!(consuming.latency, Duration::from_millis(3));
        assert_eq!((plan.course.count, plan.bind.len()), (Some(1_000_000), 2));
    }

    #[test]
    fn scenarios_are_read_by_their_names() {
        for (name, _) in ScenarioPreset::all() {
            let plan = plan(&format!("--scenario {name}")).unwrap();
            assert!(plan.producers > 0, "{name}");
        }
        let fan_out = plan("--scenario fan-out --consumers 7").unwrap();
        assert_eq!(fan_out.queues(), 7);
        assert_eq!(plan("--calibrate").unwrap().consumers, 0);
    }

    #[test]
    fn what_does_not_fit_together_is_refused_in_words() {
        for (line, why) in [
            (
                "--producers 0 --consumers 0",
                "neither producers nor consumers: nothing to do",
            ),
            (
                "--threads 3",
                "--threads 3 is more than the number of connections: 2",
            ),
            ("--queues 3 --queue q", "--queues needs {queue} in --queue"),
            (
                "--queues 3",
                "3 queues need at least as many consumers or consumer channels, but there are 1",
            ),
            (
                "--queue q{seq}",
                "--queue does not support {client} and {seq}; use them in --routing-key",
            ),
            ("-k a{x}", "-k \"a{x}\": unknown placeholder {x}"),
            (
                "-e e -k a{seq}",
                "a direct exchange cannot match {client} or {seq} in -k",
            ),
            (
                "--multi-ack 9 --prefetch 8",
                "--multi-ack 9 is more than --prefetch 8: the first acknowledgement would never be due",
            ),
            (
                "--queue-type stream --auto-ack",
                "--auto-ack does not apply to streams",
            ),
            ("--offset first", "--offset needs --queue-type stream"),
            (
                "--mandatory --size 23",
                "--mandatory needs a --size of at least 24: returned messages are matched by their stamp",
            ),
            (
                "--scenario idle --consumers 3",
                "--consumers does not apply to this scenario",
            ),
            ("--predeclared", "--predeclared needs --queue"),
            (
                "--calibrate --scenario request",
                "--calibrate does not support requests: the null server delivers nothing",
            ),
            (
                "--retry 5s",
                "--retry does not apply to load tests: lost connections are always reopened",
            ),
        ] {
            assert_eq!(plan(line).unwrap_err().text(), why, "{line}");
        }
        assert!(plan(&format!("--queue {}", "x".repeat(256))).is_err());
        assert!(plan(&format!("-k {}{{seq}}", "x".repeat(240))).is_err());
        for wrong in ["0%", "101%", "5", "x%"] {
            assert!(plan(&format!("--nack {wrong}")).is_err(), "{wrong}");
        }
    }
}
