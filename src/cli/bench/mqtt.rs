//! `bench mqtt`: its flags, and the plan they make.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::bench::mqtt::Scenario;
use crate::bench::pattern::Pattern;
use crate::command::bench::mqtt::{BodyArgs, Plan, ScenarioPreset};
use crate::error::{Error, Result};
use crate::mqtt::packet::{QoS, Version};

use super::load::LoadFlags;
use super::run::{RunOptionFlags, check_processes};
use super::syntax::{SizeRange, one_of};
use crate::cli::flags::connect::ConnectFlags;
use crate::cli::syntax::numbers::{Count, Wait};
use crate::cli::syntax::values;

/// The most connections of one kind; more have no numbers.
const MOST: u64 = 100_000_000;

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
pub(crate) struct BenchMqttFlags {
    /// Start the embedded broker for the run, in its own process
    #[arg(long, conflicts_with_all = ["url", "url_flag", "host", "port", "unix", "context"])]
    embedded: bool,

    /// Test against a no-op peer that only responds, instead of a broker, to measure the limit of the generator on this machine
    #[arg(long, conflicts_with_all = ["embedded", "processes", "subscribers", "url", "url_flag", "host", "port", "unix", "context"])]
    calibrate: bool,

    /// Load scenario, listed below; it sets the defaults of other flags
    #[arg(long, value_name = "SCENARIO", default_value = "publish", value_parser = one_of::<ScenarioPreset>(ScenarioPreset::all()), hide_possible_values = true)]
    scenario: ScenarioPreset,

    /// Number of publishing connections [default: the scenario's]
    #[arg(long, value_name = "COUNT")]
    publishers: Option<Count>,

    /// Number of subscribing connections [default: the scenario's]
    #[arg(long, value_name = "COUNT")]
    subscribers: Option<Count>,

    /// Topic to publish to: {client} is the number of the client, {seq} of the message, {group} of the client's group [default: the scenario's]
    #[arg(short = 't', long, value_name = "TOPIC")]
    topic: Option<OsString>,

    /// Filter to subscribe to [default: what matches --topic]
    #[arg(long, value_name = "FILTER")]
    filter: Option<OsString>,

    /// Number of values of {group}
    #[arg(long, value_name = "COUNT", default_value = "1")]
    groups: Count,

    /// Quality of service of messages: 0 at most once, 1 at least once, 2 exactly once
    #[arg(short = 'q', long, value_name = "QOS", default_value = "0", value_parser = values::qos)]
    qos: QoS,

    /// Quality of service of subscriptions [default: same as --qos]
    #[arg(long, value_name = "QOS", value_parser = values::qos)]
    sub_qos: Option<QoS>,

    #[command(flatten)]
    body: BodyFlags,

    /// Retain messages
    #[arg(short = 'r', long)]
    retain: bool,

    /// Shared subscription of this name: each message goes to one subscriber
    #[arg(long, value_name = "NAME")]
    shared_group: Option<String>,

    /// In the retained-storm scenario: retained messages per client
    #[arg(long, value_name = "COUNT", default_value = "100")]
    retained_messages: Count,

    /// In the backlog scenario: how long subscribers stay offline, and online in between
    #[arg(long, value_name = "TIME", default_value = "1s")]
    away: Wait,

    #[command(flatten)]
    session: BenchSessionFlags,

    #[command(flatten)]
    load: LoadFlags,

    #[command(flatten)]
    course: RunOptionFlags,

    #[command(flatten)]
    connect: ConnectFlags,
}

/// What messages carry: one of these.
#[derive(Args, Debug)]
struct BodyFlags {
    /// Message size in bytes, or a range such as 64-1KiB; full measurement needs at least 24
    #[arg(long, value_name = "SIZE", default_value = "256", conflicts_with_all = ["file", "message"])]
    size: SizeRange,

    /// Send the content of a file
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "message")]
    file: Option<PathBuf>,

    /// Send this text
    #[arg(short = 'm', long, value_name = "TEXT", allow_hyphen_values = true)]
    message: Option<String>,

    /// Send this text, with {client}, {seq}, {time}, {unix_ms}, {random:LOW-HIGH} and {uuid} filled in; {{seq}} is the text {seq}
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, conflicts_with_all = ["size", "file", "message"])]
    template: Option<String>,

    /// Put the measurement stamp in a user property (MQTT 5) instead of the payload
    #[arg(long, conflicts_with = "stamp")]
    stamp_property: bool,

    /// Overwrite the first 24 bytes of --file or --message with the measurement stamp
    #[arg(long)]
    stamp: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Session")]
struct BenchSessionFlags {
    /// MQTT version: 31, 311 or 5
    #[arg(short = 'V', long, value_name = "VERSION", default_value = "5", value_parser = values::version)]
    protocol_version: Version,

    /// Prefix of the client identifiers; a number follows [default: generated]
    #[arg(short = 'I', long, value_name = "PREFIX")]
    id_prefix: Option<String>,

    /// Keep Alive interval, in whole seconds up to 65535; 0 disables it
    #[arg(
        short = 'k', long, alias = "keep-alive", value_name = "TIME", default_value = "60",
        value_parser = values::keep_alive
    )]
    keepalive: u16,

    /// Start with a clean session [default]
    #[arg(long, conflicts_with = "no_clean")]
    clean: bool,

    /// Keep the sessions when connections are lost
    #[arg(short = 'c', long, alias = "persistent")]
    no_clean: bool,
}

impl BenchMqttFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let bind = self.connect.addresses().to_vec();
        let connect = self.connect.words()?;
        if connect.retry.is_some() {
            let text = "--retry does not apply to load tests: lost connections are always reopened";
            return Err(Error::usage(text)
                .hint("to wait for a server first: iotctl mqtt ping -C 1 --retry TIME"));
        }
        let stages_last = self.load.stages_last();
        let mut plan = Plan::new(connect);
        plan.play(self.scenario);
        plan.embedded = self.embedded;
        plan.calibrate = self.calibrate;
        plan.bind = bind;
        set(
            &mut plan.publishers,
            connections("--publishers", self.publishers)?,
        );
        set(
            &mut plan.subscribers,
            connections("--subscribers", self.subscribers)?,
        );
        set(&mut plan.topic, pattern("-t", self.topic)?);
        plan.filter = pattern("--filter", self.filter)?;
        set(
            &mut plan.groups,
            connections("--groups", Some(self.groups))?,
        );
        plan.qos = self.qos;
        plan.sub_qos = self.sub_qos.unwrap_or(self.qos);
        plan.stamp_property = self.body.stamp_property;
        plan.body = self.body.words()?;
        set(
            &mut plan.retained,
            connections("--retained-messages", Some(self.retained_messages))?,
        );
        plan.away = self.away.0;
        plan.retain |= self.retain;
        plan.shared_group = self.shared_group;
        plan.version = self.session.protocol_version;
        plan.client_prefix = self.session.id_prefix;
        plan.keep_alive = Duration::from_secs(self.session.keepalive.into());
        plan.clean = !self.session.no_clean;
        let find_max = self.load.find_max(plan.publishers)?;
        plan.load = self.load.words(plan.publishers)?;
        plan.course = self.course.course(stages_last)?;
        plan.course.find_max = find_max;
        check(&plan)?;
        check_processes(&plan.course, plan.publishers + plan.subscribers)?;
        Ok(plan)
    }
}

impl BodyFlags {
    fn words(self) -> Result<BodyArgs> {
        let stamp = self.stamp;
        if let Some(text) = self.template {
            values::needs("--stamp", stamp, "--file or --message", false)?;
            let template = values::template("--template", &text, |_| false)?;
            return Ok(BodyArgs::Template(template));
        }
        match (self.file, self.message) {
            (Some(path), _) => Ok(BodyArgs::File { path, stamp }),
            (None, Some(text)) => Ok(BodyArgs::Text { text, stamp }),
            (None, None) => {
                values::needs("--stamp", stamp, "--file or --message", false)?;
                let SizeRange { least, most } = self.size;
                Ok(BodyArgs::Size { least, most })
            }
        }
    }
}

fn check(plan: &Plan) -> Result<()> {
    if plan.publishers == 0 && plan.subscribers == 0 {
        return Err(Error::usage(
            "neither publishers nor subscribers: nothing to do",
        ));
    }
    if plan.publishers == 0 && plan.course.duration.is_none() {
        return Err(Error::usage("--count needs publishers"));
    }
    check_scenario(plan)?;
    if plan.groups > 1 && !plan.topic.groups() {
        return Err(Error::usage("--groups needs {group} in the topic"));
    }
    if plan.publishers > 0 && plan.course.threads > plan.publishers + plan.subscribers {
        return Err(Error::usage(format!(
            "--threads {} is more than the number of connections: {}",
            plan.course.threads,
            plan.publishers + plan.subscribers
        )));
    }
    Ok(())
}

fn check_scenario(plan: &Plan) -> Result<()> {
    if plan.scenario == Scenario::Backlog
        && (plan.qos == QoS::AtMostOnce || plan.sub_qos == QoS::AtMostOnce)
    {
        return Err(Error::usage(
            "the backlog scenario needs -q 1 or 2: QoS 0 messages are not queued",
        ));
    }
    if plan.scenario == Scenario::RetainedStorm && !plan.topic.counts() {
        return Err(Error::usage(
            "the retained-storm scenario needs {seq} in the topic",
        ));
    }
    values::needs(
        "--stamp-property",
        plan.stamp_property,
        "-V 5",
        plan.version == Version::V5,
    )?;
    if plan.stamp_property && plan.scenario == Scenario::Request {
        return Err(Error::usage(
            "--stamp-property does not work with requests: responders return the body, not the properties",
        ));
    }
    Ok(())
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

pub(crate) fn connections(flag: &str, count: Option<Count>) -> Result<Option<usize>> {
    let Some(Count(count)) = count else {
        return Ok(None);
    };
    match usize::try_from(count) {
        Ok(number) if count <= MOST => Ok(Some(number)),
        _ => Err(Error::usage(format!("{flag} is at most {MOST}"))),
    }
}

fn pattern(flag: &str, word: Option<OsString>) -> Result<Option<Pattern>> {
    let Some(word) = word else {
        return Ok(None);
    };
    let text = values::text(flag, word)?;
    let pattern = Pattern::parse(&text)?;
    // Numbers change nothing about what is allowed.
    let example = OsString::from(pattern.of_group(0).fill(0, 0));
    match flag {
        "--filter" => values::topic_filter(flag, example)?,
        _ => values::topic_name(flag, example)?,
    };
    Ok(Some(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Parsed, parse};
    use crate::command::{self, Command};

    fn plan(line: &str) -> Result<Plan> {
        let words = format!("iotctl bench mqtt {line}");
        match parse(words.split_whitespace().map(OsString::from))? {
            Parsed::Command(Command::Bench(command::bench::Command::Mqtt(plan))) => Ok(*plan),
            other => panic!("{line} gave {other:?}"),
        }
    }

    #[test]
    fn words_become_a_plan() {
        let plan = plan(
            "mqtt://h --scenario fan-in --subscribers 3 -t a/{client} -q 1 --sub-qos 0 --size 64-1KiB --rate 10k \
             --ramp 5s --window 7 --bind 127.0.0.1,127.0.0.2 -V 311 -k 30 --no-clean --count 1M",
        );
        let plan = plan.unwrap();
        assert_eq!((plan.publishers, plan.subscribers), (100, 3));
        assert_eq!(plan.topic.fill(4, 0), "a/4");
        assert_eq!(
            (plan.qos, plan.sub_qos),
            (QoS::AtLeastOnce, QoS::AtMostOnce)
        );
        assert!(matches!(
            plan.body,
            BodyArgs::Size {
                least: 64,
                most: 1024
            }
        ));
        let stages = plan.load.stages.unwrap();
        assert_eq!(
            (stages[0].from, stages[0].to, stages[1].to),
            (0.0, 10_000.0, 10_000.0)
        );
        assert_eq!((plan.load.window, plan.bind.len()), (7, 2));
        assert_eq!(
            (plan.version, plan.keep_alive.as_secs()),
            (Version::V311, 30)
        );
        assert!(!plan.clean);
        assert_eq!(
            (plan.course.duration, plan.course.count),
            (None, Some(1_000_000))
        );
    }

    #[test]
    fn a_rate_may_be_that_of_each_client() {
        let load = |line: &str| plan(line).map(|plan| plan.load);
        let whole = |line: &str| {
            let stages = load(line).unwrap().stages.unwrap();
            let rates = stages.iter().map(|stage| (stage.from, stage.to));
            rates.collect::<Vec<_>>()
        };
        assert_eq!(
            whole("--publishers 100 --rate 10/client"),
            [(1000.0, 1000.0)]
        );
        assert_eq!(whole("--publishers 30 --rate 2/m/client"), [(1.0, 1.0)]);
        assert_eq!(
            whole("--publishers 4 --stage 5s:0-2/client --stage 5s:100"),
            [(0.0, 8.0), (100.0, 100.0)]
        );
        let found = plan("--publishers 10 --rate 5/client --find-max").unwrap();
        assert_eq!(found.course.find_max, Some(50.0));
        let said = load("--publishers 100 --rate 30/m/client").unwrap();
        assert_eq!(said.rate(), "0.5/s per client");
        for (line, why) in [
            (
                "--rate 1/client --publishers 0 --subscribers 1",
                "a rate per client needs clients that send",
            ),
            (
                "--rate 10M/client --publishers 100",
                "10000000/client is 1000000000 messages per second over 100 clients; a rate is at most 100000000",
            ),
        ] {
            assert_eq!(load(line).unwrap_err().text(), why);
        }
        assert!(load("--rate 10/klient").is_err());
        assert!(load("--stage 5s:1/client-2").is_err());
    }

    #[test]
    fn the_duration_follows_from_the_stages() {
        let lasts = |line: &str| {
            plan(line)
                .unwrap()
                .course
                .duration
                .map(|time| time.as_secs())
        };
        assert_eq!(lasts(""), Some(10));
        assert_eq!(lasts("--stage 10s:0-5k --stage 20s:5k"), Some(30));
        assert_eq!(
            lasts("--stage 10s:0-5k --stage 20s:5k --warmup 10s"),
            Some(20)
        );
        assert_eq!(lasts("--stage 10s:0-5k --stage 5k --duration 1m"), Some(60));
        assert_eq!(lasts("--rate 5 --ramp 1s"), Some(10));
    }

    #[test]
    fn what_does_not_fit_together_is_refused_in_words() {
        for (line, why) in [
            (
                "--publishers 0",
                "neither publishers nor subscribers: nothing to do",
            ),
            ("--groups 2", "--groups needs {group} in the topic"),
            (
                "--threads 2",
                "--threads 2 is more than the number of connections: 1",
            ),
            ("--arrivals poisson", "--arrivals needs --rate or --stage"),
            ("--stage 5s:0", "all stages have rate 0"),
            (
                "--retry 5s",
                "--retry does not apply to load tests: lost connections are always reopened",
            ),
            ("-t a/#", "-t: topic \"a/#\" contains the wildcard #"),
        ] {
            assert_eq!(plan(line).unwrap_err().text(), why, "{line}");
        }
    }
}
