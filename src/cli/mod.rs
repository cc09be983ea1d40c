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
//! | `coap_request`, `coap_observe`, `coap_discover`, `coap_ping`, `coap_server` | the same for CoAP |
//! | `coap_flags` | the flags that CoAP's commands share |
//! | `session_flags`, `connect_flags`, `terminal_flags` | the flags that commands share |
//! | `property`, `subscription`, `numbers`, `values` | one syntax each |
//! | [`help`] | what help and man pages say besides the flags |
//! | `generated` | completions and man pages, checked in |
//! | `refusal` | clap's answers in our words |

use std::borrow::Cow;
use std::ffi::OsString;

use clap::{CommandFactory, Parser};

use crate::command::Plan;
use crate::error::Result;

mod coap_discover;
mod coap_flags;
mod coap_observe;
mod coap_ping;
mod coap_request;
mod coap_server;
mod connect_flags;
mod generated;
pub mod help;
mod mqtt_broker;
mod mqtt_pub;
mod mqtt_sub;
mod numbers;
mod property;
mod refusal;
mod session_flags;
mod subscription;
mod terminal_flags;
mod top;
mod values;

#[cfg(test)]
mod tests;

/// What the words on the command line ask for.
#[derive(Debug)]
pub enum Parsed {
    /// To run a command.
    Command(Plan),
    /// To print a text: help, version, completions or a man page.
    Print(Cow<'static, str>),
    /// Nothing yet: no command was named. The help page that lists them.
    Incomplete(String),
}

/// Reads the words of a command line, the program's name first.
///
/// # Errors
/// [`Kind::Usage`](crate::error::Kind::Usage), one line and a hint, for whatever can be seen to be wrong without a
/// file or the network.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Parsed> {
    let words = property::padded(words)?;
    match top::Cli::try_parse_from(&words) {
        Ok(cli) => cli.parsed(),
        Err(answer) => refusal::read(&answer, &words),
    }
}

/// The commands and flags as clap knows them, for what is generated from them.
pub fn command() -> clap::Command {
    top::Cli::command()
}
