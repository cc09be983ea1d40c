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
use super::run::RunOptionFlags;
use super::syntax::{SizeRange, one_of};
use crate::cli::amqp::session::{self, AmqpSessionFlags};
use crate::cli::amqp::syntax;
use crate::cli::syntax::numbers::{Count, Span, Wait};
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

    /// Start a broker of our own for the run, in a process of its own
    #[arg(long, conflicts_with_all = ["url", "url_flag", "host", "port", "unix", "context"])]
    embedded: bool,

    /// Instead of a server, load a peer that only answers: what this machine's generator reaches at best
    #[arg(long, conflicts_with_all = ["embedded", "consumers", "url", "url_flag", "host", "port", "unix", "context"])]
    calibrate: bool,

    /// Who does what, from the list below; the defaults of other flags follow from it
    #[arg(long, value_name = "SCENARIO", default_value = "publish-consume", value_parser = one_of::<ScenarioPreset>(ScenarioPreset::all()), hide_possible_values = true)]
    scenario: ScenarioPreset,

    /// Connections that publish, or do what the scenario is about [default: the scenario's]
    #[arg(long, value_name = "COUNT")]
    producers: Option<Count>,

    /// Connections that consume [default: the scenario's]
    #[arg(long, value_name = "COUNT")]
    consumers: Option<Count>,

    /// Channels of each connection, which take turns
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = clap::value_parser!(u16).range(1..))]
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
    /// Queue, made for the run and deleted after it; {queue} is its number [default: made up]
    #[arg(long, value_name = "NAME")]
    queue: Option<OsString>,

    /// How many queues there are; connections and channels are spread over them [default: the scenario's]
    #[arg(long, value_name = "COUNT")]
    queues: Option<Count>,

    /// Type of the queues
    #[arg(long, value_name = "TYPE", default_value = "classic")]
    queue_type: Type,

    /// Argument of the queues, typed as in `amqp declare`; may be repeated
    #[arg(long, value_name = "NAME:TYPE=VALUE")]
    argument: Vec<OsString>,

    /// Exchange to publish to and to bind the queues to [default: the default exchange; with --type a made-up one]
    #[arg(short = 'e', long, value_name = "NAME")]
    exchange: Option<OsString>,

    /// Type of the exchange: direct, fanout, topic, headers, or x-... of a plugin [default: direct]
    #[arg(long = "type", value_name = "TYPE", value_parser = syntax::exchange_type)]
    kind: Option<ByteString>,

    /// Routing key: {client} is the producer's number, {seq} the message's, {queue} the queue's [default: the queue's name]
    #[arg(short = 'k', long, value_name = "KEY")]
    routing_key: Option<OsString>,

    /// Use exchange, queues and bindings as they are there, and leave them there
    #[arg(long)]
    predeclared: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Publishing")]
struct PublishingFlags {
    /// Bytes of each message, or a range such as 64-1KiB; from 24 on there is room for all that is measured
    #[arg(long, value_name = "SIZE", default_value = "256")]
    size: SizeRange,

    /// Have the server keep messages over a restart
    #[arg(long)]
    persistent: bool,

    /// Have messages returned that reach no queue: they count as refused
    #[arg(long)]
    mandatory: bool,

    /// Publish without confirms; that messages have arrived is then proved every second, and --window does not count
    #[arg(long)]
    no_confirm: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Consuming")]
struct ConsumingFlags {
    /// Messages that the server may send ahead of their acknowledgement, up to 65535; 0: no limit
    #[arg(long, value_name = "COUNT", default_value = "1000")]
    prefetch: u16,

    /// Acknowledge so many messages at once, or what there is when none has followed for a second
    #[arg(long, value_name = "COUNT", default_value = "1", conflicts_with = "auto_ack", value_parser = clap::value_parser!(u16).range(1..))]
    multi_ack: u16,

    /// Messages count as acknowledged when the server has sent them
    #[arg(long, conflicts_with_all = ["nack", "consumer_latency"])]
    auto_ack: bool,

    /// Work so long on each message, one after the other, before acknowledging it
    #[arg(long, value_name = "TIME", default_value = "0")]
    consumer_latency: Span,

    /// Refuse this share of the messages, such as 10%
    #[arg(long, value_name = "PERCENT")]
    nack: Option<Share>,

    /// What is refused goes back to its queue
    #[arg(long, requires = "nack")]
    requeue: bool,

    /// Ask for messages one by one (basic.get), with this pause when there is none
    #[arg(long, value_name = "TIME")]
    get: Option<Wait>,

    /// Where in a stream to begin: first, last, next, a number, @SECONDS since 1970, or an interval such as 1h
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
            _ => Err("write a percentage such as 10%"),
        }
    }
}

impl BenchAmqpFlags {
    /// What was asked for, checked as far as that can be done without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let bind = self.session.addresses().to_vec();
        let session = self.session.words(self.url)?;
        if session.connect.retry.is_some() {
            return Err(Error::usage(
                "--retry is not for load tests: lost connections are always opened again",
            ));
        }
        let stages_last = self.load.stages_last();
        let find_max = self.load.find_max();
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
        plan.load = self.load.words()?;
        plan.course = self.course.course(stages_last)?;
        plan.course.find_max = find_max;
        check(&plan)?;
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
            "--threads {} is more than there are connections: {connections}",
            plan.course.threads
        )));
    }
    if !publishes(plan) && plan.consumers > 0 {
        return Err(Error::usage("--consumers is not for this scenario"));
    }
    if plan.scenario == Scenario::Request && plan.size.0 < 24 {
        return Err(Error::usage(
            "the request scenario needs a --size of at least 24: an answer is known by its stamp",
        ));
    }
    if plan.mandatory && plan.size.0 < 24 {
        return Err(Error::usage(
            "--mandatory needs a --size of at least 24: a returned message is known by its stamp",
        ));
    }
    if plan.calibrate && plan.scenario == Scenario::Request {
        return Err(Error::usage(
            "--calibrate is not for requests: its peer delivers nothing",
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
            "--multi-ack {} is more than --prefetch {}: the server would wait for us",
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
            return Err(Error::usage(format!("{flag} is not for streams")));
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
                "--queue has no {client} or {seq}: those are for --routing-key",
            ));
        }
    }
    if consumers > 0 && consumers < queues {
        return Err(Error::usage(format!(
            "{queues} queues need as many consumers, or channels of consumers; there are {consumers}"
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
            "a direct exchange cannot bind {client} or {seq} in --routing-key",
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
                "--threads 3 is more than there are connections: 2",
            ),
            ("--queues 3 --queue q", "--queues needs {queue} in --queue"),
            (
                "--queues 3",
                "3 queues need as many consumers, or channels of consumers; there are 1",
            ),
            (
                "--queue q{seq}",
                "--queue has no {client} or {seq}: those are for --routing-key",
            ),
            ("-k a{x}", "--routing-key \"a{x}\": {x} is not known"),
            (
                "-e e -k a{seq}",
                "a direct exchange cannot bind {client} or {seq} in --routing-key",
            ),
            (
                "--multi-ack 9 --prefetch 8",
                "--multi-ack 9 is more than --prefetch 8: the server would wait for us",
            ),
            (
                "--queue-type stream --auto-ack",
                "--auto-ack is not for streams",
            ),
            ("--offset first", "--offset needs --queue-type stream"),
            (
                "--mandatory --size 23",
                "--mandatory needs a --size of at least 24: a returned message is known by its stamp",
            ),
            (
                "--scenario idle --consumers 3",
                "--consumers is not for this scenario",
            ),
            ("--predeclared", "--predeclared needs --queue"),
            (
                "--calibrate --scenario request",
                "--calibrate is not for requests: its peer delivers nothing",
            ),
            (
                "--retry 5s",
                "--retry is not for load tests: lost connections are always opened again",
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
