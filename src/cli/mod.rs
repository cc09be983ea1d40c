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
//! | `top` | the commands of all protocols |
//! | `mqtt`, `coap`, `amqp`, `bench` | one folder a protocol, one file a command: its flags, and the plan they make |
//! | `replay` | the flags of the command that belongs to no protocol, and its plan |
//! | `mosquitto` | the command lines of mosquitto's clients, without clap |
//! | `log` | its flags, and the plan they make |
//! | `flags` | the flags that commands share |
//! | `syntax` | what the values of flags look like |
//! | [`help`] | the parts of help and man pages beyond the flags |
//! | `page` | the short help page of a command |
//! | [`generated`] | man pages, made from the flags |
//! | `complete` | what a shell may complete a command line with |
//! | `refusal` | clap's errors as one line and a hint |

#![allow(
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    reason = "doc comments on flags are help texts, where brackets are neither links nor tags"
)]

pub use self::bench::file::Scenario;

use std::borrow::Cow;
use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::command::Command;
use crate::error::{Error, Result};
use crate::output::ColorChoice;

mod alert;
mod alone;
mod amqp;
mod bench;
mod bridge;
mod coap;
mod complete;
mod flags;
pub mod generated;
pub(crate) mod help;
mod log;
pub(crate) mod mosquitto;
mod mqtt;
mod ota;
mod page;
mod refusal;
mod replay;
mod route;
mod simulate;
mod syntax;
#[cfg(test)]
mod tests;
mod top;
mod watch;

/// What `--version` prints: the version, as clap words it, and below it which of the optional features are built in.
fn version() -> String {
    let features = [
        ("amqp1", cfg!(feature = "amqp1")),
        ("delta", cfg!(feature = "delta")),
        ("jq", cfg!(feature = "jq")),
        ("sqlite", cfg!(feature = "sqlite")),
        ("tui", cfg!(feature = "tui")),
    ];
    let mut text = concat!("iotctl ", env!("CARGO_PKG_VERSION"), "\nfeatures:").to_owned();
    for (name, built) in features {
        text.push_str(if built { " +" } else { " -" });
        text.push_str(name);
    }
    text.push('\n');
    text
}

/// The result of parsing the command line.
#[derive(Debug)]
pub enum Parsed {
    /// Run a command.
    Command(Command),
    /// Print a text: version or completions.
    Print(Cow<'static, str>),
    /// Show a man page, in roff.
    ManPage(String),
    /// Print a help page; its headings may be coloured.
    Help(String, ColorChoice),
    /// Print what may complete the name of a context: those that begin with `begun`, each with `front` before it.
    Contexts {
        /// What stands before the name in the same word.
        front: String,
        /// The beginning of the name.
        begun: String,
    },
    /// Read a file and parse it.
    Scenario(Scenario),
    /// A command line of one of mosquitto's clients.
    Mosquitto(mosquitto::Call),
    /// Print a text, and end like this.
    Ended(String, Error),
    /// Nothing yet: no command was named. The help page that lists them.
    Incomplete(String),
}

/// Parses a command line, the program's name first.
///
/// # Errors
/// [`Kind::Usage`](crate::error::Kind::Usage), one line and a hint, for everything that is wrong without looking at a file or the network.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Parsed> {
    let words: Vec<_> = words.into_iter().collect();
    if let Some(call) = mosquitto::Call::of(&words) {
        return Ok(Parsed::Mosquitto(call));
    }
    // Asked by scripts more often than anything else, and clap would describe every command to itself before it answers.
    if let [_, only] = words.as_slice()
        && (only == "--version" || only == "-V")
    {
        return Ok(Parsed::Print(version().into()));
    }
    if words.get(1).is_some_and(|word| word == complete::NAME) {
        return Ok(complete::candidates(&words[2..]));
    }
    let (words, command) = match words.get(2).and_then(|name| name.to_str()) {
        Some("sub" | "observe" | "consume" | "tap" | "respond") => flags::exec::apart(words),
        _ if words.get(1).is_some_and(|word| word == "alert") => flags::exec::apart(words),
        _ => (words, Vec::new()),
    };
    // Only MQTT has -D.
    let mut words = match words.get(1) {
        Some(protocol) if protocol == "amqp" || protocol == "coap" => words,
        _ => mqtt::property::padded(words)?,
    };
    words.extend(command);
    if let Some(refused) = refusal::help(&words) {
        return Err(refused);
    }
    match top::Cli::read(&words) {
        Ok(cli) => match refusal::stray(&words) {
            Some(stray) => Err(stray),
            None => cli.parsed(),
        },
        Err(answer) => refusal::read(&answer, &words),
    }
    .map_err(|refused| refusal::as_given(refused, &words))
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
