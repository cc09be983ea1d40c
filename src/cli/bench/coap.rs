//! `bench coap`: its flags, and the plan they make.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::coap::code::Code;
use crate::coap::option;
use crate::command::bench::coap::{BodyArgs, Plan, ScenarioPreset};
use crate::command::coap::session::OptionWord;
use crate::error::{Error, Result};

use super::load::LoadFlags;
use super::run::{RunOptionFlags, check_processes};
use super::syntax::{SizeRange, one_of};
use crate::cli::coap::flags::{CoapConnectFlags, uint};
use crate::cli::syntax::numbers::{Count, Wait, whole};
use crate::cli::syntax::values;

/// The most sockets; more have no numbers.
const MOST: u64 = 100_000_000;
/// Requests under way on a socket; there must be message ids left for new ones.
const MOST_OUTSTANDING: usize = 60_000;

#[derive(Args, Debug)]
#[command(
    next_help_heading = "Scenario",
    mut_arg("bind", |bind| bind
        .value_delimiter(',')
        .action(clap::ArgAction::Append)
        .value_name("ADDRESS,…")
        .help("Local IP addresses to send from, in turn, each with up to 64,000 sockets")),
    mut_arg("window", |window| window
        .long("outstanding")
        .alias("window")
        .help("Maximum number of outstanding requests per socket, 1 to 60000")),
    mut_arg("max", |max| max
        .help("Send as fast as --outstanding allows [default without --rate and --stage]")),
    mut_arg("rate", |rate| rate
        .help("Total request rate per second, sent on schedule whatever the server does: 1000, 10k, 0.5, 30/m")),
    mut_arg("think", |think| think
        .help("Pause between a response and the next request, with --max")),
    mut_arg("ack_timeout", |timeout| timeout
        .long("timeout")
        .short('W')
        .help("Time out a request that has no response after this long, and free its slot"))
)]
pub(crate) struct BenchCoapFlags {
    /// Resource to request: coap://HOST[:PORT]/PATH[?QUERY], also coaps, coap+tcp and coaps+tcp, or a path with -h; {client} is the number of the socket, {seq} of the request [default: coap://localhost]
    #[arg(value_name = "URI", help_heading = None, conflicts_with = "url_flag")]
    uri: Option<String>,

    /// The same as the argument URI
    #[arg(short = 'L', long = "url", value_name = "URI")]
    url_flag: Option<String>,

    /// Start the embedded server for the run, in its own process, with /bench, /counter, /clock, /sensor and /store; the URI is then only a path [default: /bench]
    #[arg(long, conflicts_with_all = ["host", "port", "context"])]
    embedded: bool,

    /// Test against a no-op peer that only responds, instead of a server, to measure the limit of the generator on this machine
    #[arg(long, conflicts_with_all = ["embedded", "processes", "host", "port", "context"])]
    calibrate: bool,

    /// Load scenario, listed below; it sets the defaults of other flags
    #[arg(long, value_name = "SCENARIO", default_value = "request", value_parser = one_of::<ScenarioPreset>(ScenarioPreset::all()), hide_possible_values = true)]
    scenario: ScenarioPreset,

    /// Number of sockets that send requests; the server sees each as a separate client [default: the scenario's]
    #[arg(long, value_name = "COUNT")]
    sockets: Option<Count>,

    /// Number of additional sockets that observe the resource; {client} is then their number [default: the scenario's]
    #[arg(long, value_name = "COUNT")]
    observers: Option<Count>,

    /// Method of the requests: get, put, post, delete, fetch, patch or ipatch [default: get]
    #[arg(long, value_name = "METHOD", value_parser = method, conflicts_with = "mix")]
    method: Option<Code>,

    /// Weighted mix of methods, such as get=80,put=20
    #[arg(long, value_name = "METHOD=PART,…")]
    mix: Option<MixWord>,

    #[command(flatten)]
    request: RequestFlags,

    #[command(flatten)]
    load: LoadFlags,

    #[command(flatten)]
    course: RunOptionFlags,

    #[command(flatten)]
    connect: CoapConnectFlags,
}

/// What requests look like.
#[derive(Args, Debug)]
#[command(next_help_heading = "Request")]
struct RequestFlags {
    /// Non-confirmable requests, which are not retransmitted
    #[arg(short = 'N', long)]
    non: bool,

    /// Body size in bytes, or a range such as 16-1KiB; full measurement by observers needs at least 24
    #[arg(long, value_name = "SIZE", default_value = "64", conflicts_with_all = ["file", "message"])]
    size: SizeRange,

    /// Send the content of a file
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "message")]
    file: Option<PathBuf>,

    /// Send this text
    #[arg(short = 'm', long, value_name = "TEXT", allow_hyphen_values = true)]
    message: Option<String>,

    /// Content format of bodies: number, media type or short name
    #[arg(long, value_name = "FORMAT", value_parser = values::content_format)]
    content_format: Option<u16>,

    /// Content format to accept
    #[arg(long, value_name = "FORMAT", value_parser = values::content_format)]
    accept: Option<u16>,

    /// Add an option, by name or number; the value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated
    #[arg(short = 'O', long = "option", value_name = "NAME=VALUE")]
    options: Vec<OptionWord>,

    /// ACK_TIMEOUT: time to the first retransmission; it doubles each time
    #[arg(
        long = "ack-timeout",
        id = "repeat_after",
        value_name = "TIME",
        default_value = "2s"
    )]
    repeat_after: Wait,

    /// MAX_RETRANSMIT: maximum number of retransmissions
    #[arg(long, value_name = "COUNT", default_value = "4", value_parser = whole(0..=20_u8))]
    max_retransmit: u8,
}

/// `get=80,put=20`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct MixWord(Vec<(Code, u32)>);

impl BenchCoapFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let bind = self.connect.addresses().to_vec();
        let stages_last = self.load.stages_last();
        let mut plan = Plan::new(self.connect.words(), self.uri.or(self.url_flag));
        plan.play(self.scenario);
        (plan.embedded, plan.calibrate) = (self.embedded, self.calibrate);
        let absolute = plan.uri.as_deref().is_some_and(|uri| uri.contains("://"));
        if absolute && (plan.embedded || plan.calibrate) {
            return Err(Error::usage(
                "with --embedded or --calibrate the URI is only a path, such as /store/{client}",
            ));
        }
        plan.bind = bind;
        if let Some(Count(sockets)) = self.sockets {
            plan.sockets = number("--sockets", sockets)?;
        }
        if let Some(Count(observers)) = self.observers {
            plan.observers = number("--observers", observers)?;
        }
        plan.mix = match (self.method, self.mix) {
            (_, Some(MixWord(mix))) => mix,
            (method, None) => vec![(method.unwrap_or(Code::GET), 1)],
        };
        self.request.enter(&mut plan);
        let find_max = self.load.find_max(plan.sockets)?;
        plan.load = self.load.words(plan.sockets)?;
        plan.course = self.course.course(stages_last)?;
        plan.course.find_max = find_max;
        check(&plan)?;
        check_processes(&plan.course, plan.sockets + plan.observers)?;
        Ok(plan)
    }
}

fn check(plan: &Plan) -> Result<()> {
    let sockets = plan.sockets + plan.observers;
    if sockets == 0 {
        return Err(Error::usage("neither sockets nor observers: nothing to do"));
    }
    if plan.sockets == 0 && plan.course.duration.is_none() {
        return Err(Error::usage("--count needs --sockets"));
    }
    if plan.load.window > MOST_OUTSTANDING {
        return Err(Error::usage(format!(
            "--outstanding is at most {MOST_OUTSTANDING}"
        )));
    }
    if plan.course.threads > sockets {
        return Err(Error::usage(format!(
            "--threads {} is more than the number of sockets: {sockets}",
            plan.course.threads
        )));
    }
    Ok(())
}

impl RequestFlags {
    fn enter(self, plan: &mut Plan) {
        plan.confirmable = !self.non;
        plan.body = match (self.file, self.message) {
            (Some(path), _) => BodyArgs::File(path),
            (None, Some(text)) => BodyArgs::Text(text),
            (None, None) => BodyArgs::Size {
                least: self.size.least,
                most: self.size.most,
            },
        };
        let formats = [
            (option::CONTENT_FORMAT, self.content_format),
            (option::ACCEPT, self.accept),
        ];
        plan.options = self.options;
        for (number, format) in formats {
            plan.options
                .extend(format.map(|format| uint(number, format.into())));
        }
        plan.ack_timeout = self.repeat_after.0;
        plan.max_retransmit = self.max_retransmit;
    }
}

impl FromStr for MixWord {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let mut mix: Vec<(Code, u32)> = Vec::new();
        for part in word.split(',') {
            let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
            let code = method(name)?;
            let weight = weight
                .parse()
                .ok()
                .filter(|weight| (1..=1000).contains(weight));
            let weight = weight.ok_or_else(|| format!("the weight of {name} is 1 to 1000"))?;
            if mix.iter().any(|(known, _)| *known == code) {
                return Err(format!("{name} appears twice"));
            }
            mix.push((code, weight));
        }
        Ok(Self(mix))
    }
}

fn method(name: &str) -> Result<Code, String> {
    Code::method(name).ok_or_else(|| {
        format!("{name:?} is not a method: expected get, put, post, delete, fetch, patch or ipatch")
    })
}

fn number(flag: &str, count: u64) -> Result<usize> {
    match usize::try_from(count) {
        Ok(number) if count <= MOST => Ok(number),
        _ => Err(Error::usage(format!("{flag} is at most {MOST}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli::{Parsed, parse};
    use crate::command::{self, Command};

    fn plan(line: &str) -> Result<Plan> {
        let words = format!("iotctl bench coap {line}");
        match parse(words.split_whitespace().map(OsString::from))? {
            Parsed::Command(Command::Bench(command::bench::Command::Coap(plan))) => Ok(*plan),
            other => panic!("{line} gave {other:?}"),
        }
    }

    #[test]
    fn words_become_a_plan() {
        let plan = plan(
            "coap://h/a/{client} --sockets 5 --outstanding 7 --mix get=8,put=2 -N --size 16-1KiB --rate 10k \
             --timeout 5s --ack-timeout 1s --max-retransmit 2 --bind 127.0.0.1,127.0.0.2 --count 1M",
        );
        let plan = plan.unwrap();
        assert_eq!((plan.sockets, plan.load.window), (5, 7));
        assert_eq!(plan.mix, [(Code::GET, 8), (Code::PUT, 2)]);
        assert!(!plan.confirmable);
        assert_eq!(plan.load.ack_timeout.as_secs(), 5);
        assert_eq!((plan.ack_timeout.as_secs(), plan.max_retransmit), (1, 2));
        assert_eq!(plan.bind.len(), 2);
        assert_eq!(plan.course.count, Some(1_000_000));
    }

    #[test]
    fn what_does_not_fit_is_refused_in_words() {
        for (line, why) in [
            (
                "--sockets 0",
                "neither sockets nor observers: nothing to do",
            ),
            (
                "--threads 2",
                "--threads 2 is more than the number of sockets: 1",
            ),
            ("--outstanding 60001", "--outstanding is at most 60000"),
            ("--arrivals poisson", "--arrivals needs --rate or --stage"),
        ] {
            assert_eq!(plan(line).unwrap_err().text(), why, "{line}");
        }
        for line in ["--mix get=0", "--mix get,get", "--mix x", "--method frob"] {
            assert!(plan(line).is_err(), "{line}");
        }
    }
}
