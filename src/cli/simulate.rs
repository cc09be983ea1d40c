//! `simulate`: its flags, and the plan they make.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::coap::rd::lifetime;
use super::flags::connect::{RETRY_FOREVER, ServerFlags};
use super::flags::ready::ReadyFlags;
use super::flags::terminal::TerminalFlags;
use super::flags::until::{DRAIN, DrainFlags};
use super::syntax::numbers::{Wait, whole};
use super::syntax::rate::Speed;
use super::syntax::values;
use crate::command::simulate::{Action, Assertion, Description, Plan};
use crate::connect::scram::Mechanism;
use crate::connect::{Environment, Protocol, or_context};
use crate::device::scenario::SCENARIOS;
use crate::error::{Error, Result};
use crate::mqtt::packet::Version;

/// How much faster than time a fleet may live: a day in a tenth of a second at most.
const SPEEDS: RangeInclusive<f64> = 1e-6..=1e6;

/// What each is for, and its words.
pub(crate) const EXAMPLES: &[(&str, &str)] = &[
    (
        "A home of 110 devices, until Ctrl-C",
        "iotctl simulate mqtt://localhost --scenario home",
    ),
    (
        "A file to begin with, and a look at what it would send",
        "iotctl simulate --scenario building --print-config > fleet.toml\niotctl simulate fleet.toml --preview 20",
    ),
    (
        "1,000 devices for ten minutes, sixty times as fast; every message must be acknowledged or sent",
        "iotctl simulate mqtt://localhost fleet.toml --count 1000 --speed 60 --for 10m --assert 'unacknowledged == 0' --save-json run.json",
    ),
];

/// What a file looks like.
pub(crate) const FILE: &str = r#"[[device]]
count = 100
id = "sensor-{n:03}"
connect = { spread = "10s", stay = "1h±20%", away = "1m..5m", crash = 0.3 }
# Online and offline; the latter is the will, in which {time} is the time of connecting.
status = { topic = "devices/{id}/status" }
[[device.sensor]]
name = "temperature"
topic = "sensors/{id}/temperature"
every = "30s±2s"
value = { walk = { min = 15, max = 35, step = 0.4 } }
payload = '{"value":{value:.2},"timestamp":"{time}"}'
[[device.actuator]]
name = "led"
command = "devices/{id}/led/set"
state = "devices/{id}/led"
"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

#[derive(Args, Debug)]
#[command(
    next_help_heading = "Fleet",
    mut_arg("bind", |bind| bind
        .value_delimiter(',')
        .action(clap::ArgAction::Append)
        .value_name("ADDRESS,…")
        .help("Local IP addresses to connect from, in turn, each with up to 64,000 connections")),
    mut_arg("retry", |it| it.help(RETRY_FOREVER)),
    mut_arg("drain", |it| it.help(DRAIN)),
    mut_arg("ready_file", |it| it
        .help("Create this file once each device has been connected, and remove it at the end")),
    mut_arg("on_ready", |it| it
        .help("Run this shell command once each device has been connected; its output goes to standard error, and it is not waited for"))
)]
pub(crate) struct SimulateFlags {
    /// Server URL, such as mqtt://localhost [default: mqtt://localhost], and TOML file of the fleet, unless --scenario is given
    #[arg(value_name = "URL|FILE", num_args = 0..=2, help_heading = None)]
    words: Vec<String>,

    /// Built-in fleet instead of a file; --print-config prints it
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(SCENARIOS.map(|(name, _)| name)))]
    scenario: Option<String>,

    /// Number of devices of each group (for each combination of what varies), in place of the file's
    #[arg(long, value_name = "COUNT", value_parser = whole(1..=1_000_000_u32))]
    count: Option<u32>,

    /// Seed for all random values and times, instead of the file's [default: 1]
    #[arg(long, value_name = "NUMBER", value_parser = whole(0..=u64::MAX))]
    seed: Option<u64>,

    /// Run simulated time this many times faster: 60 turns an hour into a minute
    #[arg(long, value_name = "FACTOR", default_value = "1")]
    speed: Speed,

    /// Print this many first messages as records (NDJSON) without connecting, on a clock that begins at the file's start or at 2026-01-01T00:00:00Z
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["check", "print_config"], value_parser = whole(0..=u64::MAX))]
    preview: Option<u64>,

    /// Check the file without connecting, and end: keys, values, topics, identifiers, rules
    #[arg(long, conflicts_with = "print_config")]
    check: bool,

    /// Print the file of the fleet
    #[arg(long)]
    print_config: bool,

    /// End after this long; every device disconnects cleanly [default: at a signal]
    #[arg(long = "for", value_name = "TIME", help_heading = "End conditions")]
    duration: Option<Wait>,

    #[command(flatten)]
    drain: DrainFlags,

    /// Fail with exit code 7 if this is not met at the end, such as 'crashes == 3' or 'published == acknowledged'; the names are those of --save-json; may be repeated
    #[arg(long = "assert", value_name = "CONDITION", help_heading = "Results")]
    assertions: Vec<Assertion>,

    /// Format of the totals on standard output
    #[arg(
        short = 'o',
        long,
        value_name = "FORM",
        default_value = "text",
        help_heading = "Results"
    )]
    output: Form,

    /// Write the totals to this file as JSON
    #[arg(long, value_name = "FILE", value_parser = values::result_file(), help_heading = "Results")]
    save_json: Option<PathBuf>,

    /// Write an HTML page with the account to a file
    #[arg(long, value_name = "FILE", value_parser = values::result_file(), help_heading = "Results")]
    html: Option<PathBuf>,

    /// Serve Prometheus metrics at http://ADDR:PORT/metrics during the run
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::socket_address, help_heading = "Results")]
    prometheus_listen: Option<SocketAddr>,

    #[command(flatten)]
    ready: ReadyFlags,

    /// Address and port where CoAP devices are reached [default: 127.0.0.1:5683]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = values::socket_address, help_heading = "CoAP")]
    listen: Option<SocketAddr>,

    /// Resource directory at which each CoAP device is registered as an endpoint of its own, such as coap://HOST
    #[arg(long, value_name = "URI", help_heading = "CoAP")]
    rd: Option<String>,

    /// Lifetime of each registration at the directory, in whole seconds; it is renewed before its end [default: the directory's, usually 25 hours]
    #[arg(long, value_name = "TIME", requires = "rd", help_heading = "CoAP")]
    lifetime: Option<Wait>,

    /// MQTT version: 31, 311 or 5 [default: 5, or 311 if the server does not support 5]
    #[arg(short = 'V', long, value_name = "VERSION", value_parser = values::version, help_heading = "Connection")]
    protocol_version: Option<Version>,

    /// Log in by MQTT 5 enhanced authentication, which never sends the password: scram-sha-256 or scram-sha-512
    #[arg(long, value_name = "METHOD", value_parser = mechanism, help_heading = "Connection")]
    auth_method: Option<Mechanism>,

    #[command(flatten)]
    server: ServerFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

/// Where CoAP devices are reached, unless it is said.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5683);

fn mechanism(name: &str) -> Result<Mechanism, String> {
    let mechanism = Mechanism::named(&name.to_ascii_uppercase());
    mechanism.ok_or_else(|| String::from("expected scram-sha-256 or scram-sha-512"))
}

impl SimulateFlags {
    /// Refuses flags that mean nothing to the server of this URL.
    fn check_protocol(&self) -> Result<()> {
        let mut schemes = self.words.iter().filter_map(|word| word.split_once("://"));
        let scheme = schemes.next();
        let spoken = scheme.and_then(|(scheme, _)| Protocol::of_scheme(scheme));
        let flags = [
            ("--listen", self.listen.is_some(), Protocol::Coap),
            ("--rd", self.rd.is_some(), Protocol::Coap),
            ("-V", self.protocol_version.is_some(), Protocol::Mqtt),
            ("--auth-method", self.auth_method.is_some(), Protocol::Mqtt),
        ];
        let other = flags
            .into_iter()
            .find(|(_, given, of)| *given && spoken.is_some_and(|spoken| spoken != *of));
        match other {
            Some((flag, _, of)) => Err(Error::usage(format!("{flag} is for {}", of.name()))),
            None => Ok(()),
        }
    }

    /// The plan of the command.
    ///
    /// # Errors
    /// Neither a file nor a scenario, or both; two files, two URLs.
    pub(crate) fn plan(self) -> Result<Plan> {
        self.check_protocol()?;
        let (mut url, mut file) = (None, None);
        for word in self.words {
            let (place, what) = match word.contains("://") {
                true => (&mut url, "URL"),
                false => (&mut file, "file"),
            };
            if let Some(first) = place.replace(word.clone()) {
                let text = format!("a second {what} besides {first}");
                let error = Error::usage(text).hint("a URL has ://, a file has not");
                return Err(meant(meant(error, &first), &word));
            }
        }
        let description = match (file, self.scenario) {
            (Some(file), None) => Description::File(file.into()),
            (None, Some(name)) => Description::Scenario(name),
            (Some(file), Some(_)) => {
                let both = Error::usage("give either a file or --scenario");
                return Err(meant(both, &file));
            }
            (None, None) => {
                return Err(Error::usage("no fleet was given")
                    .hint("name a file, or take a built-in one: --scenario home"));
            }
        };
        check_speed(self.speed.0)?;
        let named = self.auth_method.is_some();
        values::needs_v5(self.protocol_version, "--auth-method", named)?;
        Ok(Plan {
            description,
            action: match self.preview {
                Some(count) => Action::Preview(count),
                None if self.check => Action::Check,
                None if self.print_config => Action::Print,
                None => Action::Run,
            },
            seed: self.seed,
            count: self.count,
            speed: self.speed.0,
            duration: self.duration.map(|Wait(time)| time),
            bind: self.server.addresses().to_vec(),
            connect: self.server.words(url),
            version: self.protocol_version,
            mechanism: self.auth_method,
            listen: self.listen.unwrap_or(LISTEN),
            rd: self.rd,
            lifetime: lifetime(self.lifetime)?,
            drain: self.drain.until().drain,
            ready: self.ready.ready(),
            assertions: self.assertions,
            json: self.output == Form::Json,
            save_json: self.save_json,
            html: self.html,
            prometheus: self.prometheus_listen,
            style: self.terminal.style(),
        })
    }
}

fn check_speed(factor: f64) -> Result<()> {
    match SPEEDS.contains(&factor) {
        true => Ok(()),
        false => Err(Error::usage(
            "--speed: expected a factor from 0.000001 to 1000000",
        )),
    }
}

/// The same mistake about a word that may be the name of a context.
fn meant(error: Error, word: &str) -> Error {
    or_context(error, Some(word), &Environment::of_process())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Parsed, parse};
    use crate::command::Command;

    fn plan(words: &str) -> Result<Plan> {
        let words = format!("iotctl simulate {words}");
        match parse(words.split(' ').map(Into::into))? {
            Parsed::Command(Command::Simulate(plan)) => Ok(*plan),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn words_become_a_plan() {
        let made = plan("mqtt://h f.toml --count 5 --seed 3 --speed 60 --for 2m --assert crashes==0 -A 127.0.0.1").unwrap();
        assert_eq!(made.description, Description::File("f.toml".into()));
        assert_eq!(made.connect.url.as_deref(), Some("mqtt://h"));
        assert_eq!(
            (made.count, made.seed, made.action),
            (Some(5), Some(3), Action::Run)
        );
        assert_eq!(made.bind.len(), 1);
        let made = plan("--scenario home --preview 20").unwrap();
        assert_eq!(made.description, Description::Scenario("home".into()));
        assert_eq!(made.action, Action::Preview(20));
    }

    #[test]
    fn what_is_no_fleet_is_refused() {
        for (words, why) in [
            ("mqtt://h", "no fleet was given"),
            ("a.toml b.toml", "a second file besides a.toml"),
            ("a.toml --scenario home", "give either a file or --scenario"),
            (
                "mqtt://h a.toml --listen 127.0.0.1:1",
                "--listen is for CoAP",
            ),
            ("a.toml amqp://h -V 5", "-V is for MQTT"),
        ] {
            assert_eq!(plan(words).unwrap_err().text(), why);
        }
        assert!(plan("--scenario castle").is_err());
        for speed in ["0", "1e12", "1e-9", "inf"] {
            assert!(plan(&format!("a --speed {speed}")).is_err(), "{speed}");
        }
    }
}
