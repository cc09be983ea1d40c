//! iotctl: publish, subscribe, request and load-test over MQTT, CoAP and AMQP from a shell.
//!
//! The library has no stable API: it is the program, and what its tests and fuzz targets look at.
//!
//! # The rooms
//!
//! Arrows point down only, and a test says so (`tests/suite/layers.rs`):
//!
//! `main → lib → cli → command → {flow, bench} → {mqtt, coap, amqp, output, device} → {board, firmware, server} → {connect, payload} → {file, message, pace, stop} → error`
//!
//! | room | what it is for |
//! |---|---|
//! | [`cli`] | declares the flags and turns words into a plan; the only room that knows clap |
//! | [`command`] | one file per thing a user can do; the only room where a protocol meets the terminal |
//! | [`flow`] | carries messages from a source to a target; the source acknowledges them only when the target has them |
//! | [`bench`](mod@bench) | the load engine: pacing, accounting and histograms; it prints nothing |
//! | [`mqtt`] | MQTT 3.1, 3.1.1 and 5: packets, the sans-I/O session, the client and the embedded broker |
//! | [`coap`] | CoAP: the sans-I/O endpoint and its transports |
//! | [`amqp`] | AMQP 0-9-1: publishing, consuming and topology |
//! | [`output`] | the only room that writes to stdout and stderr: formats, colour, errors |
//! | [`device`] | simulated devices: values, schedules, commands, updates; pure |
//! | [`board`] | what is known of topics, devices and alerts: the latest of each, within bounds; pure |
//! | [`store`] | where messages are kept: files, a database, a time series |
//! | [`connect`] | all that a connection needs before its first byte: target, secrets, TLS, contexts, back-off, streams |
//! | [`server`] | what the embedded servers share: connections, clock, users, fault rules |
//! | [`firmware`] | updates of devices as pure values: signed manifests, images, slots, rollouts |
//! | [`payload`] | makes and reads bodies: files, stdin, lines, records, hex and base64 |
//! | [`error`] | what can go wrong, in words, and the exit code that follows |
//! | [`file`](mod@file) | files that are read whole: one bound and one wording |
//! | [`message`] | the record of one received message, the same for every protocol |
//! | [`pace`] | a clock that does not step, and waiting until a moment |
//! | [`random`] | the one source of randomness |
//! | [`stop`] | how a command is asked to end: once means cleanly, twice means now |

pub mod amqp;
pub mod bench;
pub mod board;
pub mod cli;
pub mod coap;
pub mod command;
pub mod connect;
pub mod device;
pub mod error;
pub(crate) mod file;
pub mod firmware;
pub mod flow;
pub mod message;
pub mod mqtt;
pub mod output;
pub mod pace;
pub mod payload;
pub(crate) mod random;
pub(crate) mod server;
pub(crate) mod stop;
pub mod store;

use std::ffi::OsString;
use std::process::ExitCode;

use error::{Error, Result};

/// Runs one command line (the program's name first) to its end and returns the exit code of
/// [`error::Kind`]'s table. A command that a signal has ended ends the process by that signal.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    stop::outlive_file_limits();
    let ended = cli::parse(words).and_then(carry_out);
    if let Err(error) = &ended {
        output::report(error);
    }
    output::flush();
    let Err(error) = ended else {
        return ExitCode::SUCCESS;
    };
    if let Some(asked) = stop::Asked::of(error.kind()) {
        asked.die();
    }
    ExitCode::from(error.exit_code())
}

fn carry_out(parsed: cli::Parsed) -> Result<()> {
    match parsed {
        cli::Parsed::Command(command) => command::run(command),
        cli::Parsed::Print(text) => output::print(text.as_bytes()),
        cli::Parsed::ManPage(page) => output::show_man_page(&page),
        cli::Parsed::Help(page, color) => output::print_help(&page, color),
        cli::Parsed::Contexts { front, begun } => {
            let names = connect::context_names(&connect::Environment::of_process());
            let names = names.iter().filter(|name| name.starts_with(&begun));
            let lines: String = names.map(|name| format!("{front}{name}\t\n")).collect();
            output::print(lines.as_bytes())
        }
        cli::Parsed::Scenario(scenario) => {
            let text = file::read_text(&scenario.file, file::SMALL)?;
            carry_out(scenario.parse(&text)?)
        }
        cli::Parsed::Mosquitto(call) => {
            let content = call.options_file()?;
            let content = content.map(|file| file::read(&file, file::SMALL));
            carry_out(call.parse(content)?)
        }
        cli::Parsed::Ended(text, end) => output::print(text.as_bytes()).and(Err(end)),
        cli::Parsed::Incomplete(help) => output::print_help(&help, output::ColorChoice::Auto)
            .and_then(|()| Err(Error::usage("no command was given"))),
    }
}
