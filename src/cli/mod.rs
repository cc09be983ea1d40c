//! Declares the flags and turns words into a plan; the only room that knows clap.
//!
//! # How a flag is declared
//!
//! - At one place, in the struct of its command or of the group that several commands share.
//! - The letter is written out, the long name is the field's; mosquitto's letters are kept.
//! - The name of its value is in upper case and says what it is: FILE, TIME, COUNT, SIZE.
//! - Its help says what it does, its unit, and its default where clap does not show one.
//! - What it cannot be is refused here: by the type of its value where possible, else in `plan`.
//!
//! | part | what it is for |
//! |---|---|
//! | `top` | the commands |
//! | `mqtt_pub`, `mqtt_sub`, `mqtt_broker` | one command each: flags, and the plan they make |
//! | `coap_request`, `coap_observe`, `coap_discover`, `coap_rd`, `coap_ping`, `coap_server` | the same for CoAP |
//! | `coap_flags` | the flags that CoAP's commands share |
//! | `bench`, `bench_mqtt`, `bench_coap`, `bench_amqp` | the load tests, and the commands on their results |
//! | `bench_load`, `bench_course`, `bench_words` | the flags and words that load tests share |
//! | `amqp` | the commands of AMQP; `amqp_publish` to `amqp_ping` are one each |
//! | `session_flags`, `amqp_session_flags`, `amqp_property_flags`, `amqp_exec_flags` | the flags that commands of a protocol share |
//! | `connect_flags`, `input_flags`, `format_flags`, `until_flags`, `terminal_flags` | the flags that commands share |
//! | `property`, `subscription`, `amqp_words`, `numbers`, `values` | one syntax each |
//! | [`help`] | what help and man pages say besides the flags |
//! | [`generated`] | completions and man pages, made from the flags |
//! | `refusal` | clap's answers in our words |

#![allow(
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    reason = "what documents a flag is its help text, where brackets are no links and no tags"
)]

pub use bench_file::Scenario;

use std::borrow::Cow;
use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::command::Plan;
use crate::error::Result;

mod amqp;
mod amqp_apply;
mod amqp_bind;
mod amqp_broker;
mod amqp_consume;
mod amqp_declare;
mod amqp_delete;
mod amqp_exec_flags;
mod amqp_get;
mod amqp_help;
mod amqp_ping;
mod amqp_property_flags;
mod amqp_publish;
mod amqp_request;
mod amqp_respond;
mod amqp_session_flags;
mod amqp_tap;
mod amqp_words;
mod bench;
mod bench_amqp;
mod bench_coap;
mod bench_course;
mod bench_file;
mod bench_load;
mod bench_mqtt;
mod bench_words;
mod coap_discover;
mod coap_flags;
mod coap_help;
mod coap_observe;
mod coap_ping;
mod coap_rd;
mod coap_request;
mod coap_server;
mod condition_flags;
mod connect_flags;
mod exec_flags;
mod format_flags;
pub mod generated;
pub mod help;
mod input_flags;
mod mqtt_broker;
mod mqtt_pub;
mod mqtt_sub;
mod numbers;
mod property;
mod refusal;
mod server_tls_flags;
mod session_flags;
mod subscription;
mod terminal_flags;
mod top;
mod until_flags;
mod values;

#[cfg(test)]
mod amqp_protocol_tests;
#[cfg(test)]
mod amqp_tests;
#[cfg(test)]
mod coap_tests;
#[cfg(test)]
mod tests;

/// What the words on the command line ask for.
#[derive(Debug)]
pub enum Parsed {
    /// To run a command.
    Command(Plan),
    /// To print a text: help, version, completions or a man page.
    Print(Cow<'static, str>),
    /// To read a file and parse what it says.
    Scenario(Scenario),
    /// Nothing yet: no command was named. The help page that lists them.
    Incomplete(String),
}

/// Reads the words of a command line, the program's name first.
///
/// # Errors
/// [`Kind::Usage`](crate::error::Kind::Usage), one line and a hint, for whatever can be seen to be wrong without a
/// file or the network.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Parsed> {
    let words: Vec<_> = words.into_iter().collect();
    // Only MQTT has -D; in other commands, the word may belong to the command of an --exec.
    let words = match words.get(1) {
        Some(protocol) if protocol == "amqp" || protocol == "coap" => words,
        _ => property::padded(words)?,
    };
    match top::Cli::read(&words) {
        Ok(cli) => cli.parsed(),
        Err(answer) => refusal::read(&answer, &words),
    }
}

/// Why clap refuses the value of a flag among `words`, whatever else is missing; `None`: it does not.
fn value_refusal(words: &[OsString]) -> Option<String> {
    let answer = top::Cli::try_parse_from(words).err()?;
    let is_value = matches!(
        answer.kind(),
        ErrorKind::InvalidValue
            | ErrorKind::ValueValidation
            | ErrorKind::WrongNumberOfValues
            | ErrorKind::TooManyValues
            | ErrorKind::TooFewValues
            | ErrorKind::NoEquals
            | ErrorKind::ArgumentConflict
    );
    let refused = refusal::read(&answer, words).err()?;
    is_value.then(|| refused.text().to_owned())
}

/// The commands and flags as clap knows them, for what is generated from them.
pub fn command() -> clap::Command {
    top::Cli::command()
}
