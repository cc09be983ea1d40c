//! `bench run FILE`: a load test written down. Its keys are the long flags, so a file can say all that flags can.
//!
//! ```toml
//! [mqtt]
//! url = "mqtt://broker.example"
//! scenario = "fan-in"
//! stage = ["10s:0-5k", "1m:5k"]
//! assert = ["p99 < 20ms", "lost == 0"]
//! ```

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use toml::Spanned;

use crate::error::{Error, Result, meant};
use crate::file;

use super::Parsed;
use crate::cli::flags::terminal::HelpFlag;

/// The tables that a file may have: the load tests.
const PROTOCOLS: [&str; 3] = ["mqtt", "amqp", "coap"];

/// The arguments of `bench run`; the caller reads the file and hands its text to [`Scenario::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The file.
    pub file: PathBuf,
    /// Flags that override the file's.
    pub words: Vec<OsString>,
}

#[derive(Args, Debug)]
pub(crate) struct RunFlags {
    /// TOML file with a table [mqtt], [amqp] or [coap] whose keys are the long flags of that load test
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Flags of the load test that override the file, such as --duration 5s
    #[arg(
        value_name = "FLAG",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    words: Vec<OsString>,

    #[command(flatten)]
    help: HelpFlag,
}

/// The tables that a file may have, for messages.
fn known() -> String {
    PROTOCOLS.map(|name| format!("[{name}]")).join(", ")
}

impl RunFlags {
    pub(crate) fn scenario(self) -> Scenario {
        Scenario {
            file: self.file,
            words: self.words,
        }
    }
}

/// A file, with places for refusals.
type File = BTreeMap<Spanned<String>, Spanned<Table>>;
type Table = BTreeMap<Spanned<String>, Spanned<Value>>;

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Value {
    Flag(bool),
    Whole(i64),
    Number(f64),
    Text(String),
    Texts(Vec<String>),
}

impl Scenario {
    /// Reads the file's `text` as the command line that it stands for.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) with the line, for whatever is wrong.
    pub fn parse(&self, text: &str) -> Result<Parsed> {
        let file: File = toml::from_str(text).map_err(|cause| {
            let start = cause.span().unwrap_or_default().start;
            self.refusal(text, start, &file::mistake(&cause))
        })?;
        let (protocol, table) = self.protocol(text, file)?;
        let own = ["iotctl", "bench", &protocol].map(OsString::from).to_vec();
        let mut words = own.clone();
        for (key, value) in &table {
            let Some(flag) = self.words_of(text, &protocol, key, value)? else {
                continue;
            };
            if !self.is_overridden(key.get_ref()) {
                // Each by itself, so that a refusal finds its line.
                let alone = [own.as_slice(), &flag].concat();
                self.check(text, key.span().start, alone)?;
                words.extend(flag);
            }
        }
        words.extend(self.words.iter().cloned());
        crate::cli::parse(words).map_err(|refused| self.named(&refused))
    }

    fn protocol(&self, text: &str, file: File) -> Result<(String, Table)> {
        let mut found = None;
        for (name, table) in file {
            let start = name.span().start;
            let name = name.into_inner();
            if !PROTOCOLS.contains(&name.as_str()) {
                let why = format!("unknown table [{name}]; expected {}", known());
                return Err(self.refusal(text, start, &why));
            }
            if found.is_some() {
                return Err(self.refusal(
                    text,
                    start,
                    "a file describes one load test and has one table",
                ));
            }
            found = Some((name, table.into_inner()));
        }
        found.ok_or_else(|| {
            let why = format!("the file has no table; expected {}", known());
            self.refusal(text, 0, &why)
        })
    }

    /// The flag that a key stands for; none for `false`.
    fn words_of(
        &self,
        text: &str,
        protocol: &str,
        key: &Spanned<String>,
        value: &Spanned<Value>,
    ) -> Result<Option<Vec<OsString>>> {
        let name = key.get_ref();
        let commands = crate::cli::command();
        let bench = commands.find_subcommand("bench");
        let command = bench.and_then(|bench| bench.find_subcommand(protocol));
        let known = command.is_some_and(|command| {
            let mut flags = command.get_arguments();
            flags.any(|flag| flag.get_long() == Some(name) && name != "help")
        });
        if !known {
            let flags = command.into_iter().flat_map(clap::Command::get_arguments);
            let why = match *meant(name, flags.filter_map(clap::Arg::get_long)) {
                [near, ..] => format!("unknown key {name}; did you mean {near}?"),
                [] => {
                    format!("unknown key {name}; the keys are the long flags of bench {protocol}")
                }
            };
            return Err(self.refusal(text, key.span().start, &why));
        }
        let with = |value: &dyn std::fmt::Display| OsString::from(format!("--{name}={value}"));
        Ok(Some(match value.get_ref() {
            Value::Flag(false) => return Ok(None),
            Value::Flag(true) => vec![OsString::from(format!("--{name}"))],
            Value::Whole(number) => vec![with(number)],
            Value::Number(number) => vec![with(number)],
            Value::Text(word) => vec![with(word)],
            Value::Texts(words) => words.iter().map(|word| with(word)).collect(),
        }))
    }

    /// Whether a flag on the command line replaces this key.
    fn is_overridden(&self, name: &str) -> bool {
        self.words.iter().any(|word| {
            let word = word.to_string_lossy();
            let long = word.strip_prefix("--").unwrap_or_default();
            long.split('=').next() == Some(name)
        })
    }

    /// Refuses a value that its flag refuses. What a flag needs from others is seen when all are there.
    fn check(&self, text: &str, start: usize, words: Vec<OsString>) -> Result<()> {
        match crate::cli::value_refusal(&words) {
            None => Ok(()),
            Some(why) => Err(self.refusal(text, start, &why)),
        }
    }

    fn refusal(&self, text: &str, start: usize, why: &str) -> Error {
        file::mistaken(&self.file, text, start, why)
    }

    fn named(&self, refused: &Error) -> Error {
        let named = Error::usage(format!("{}: {}", self.file.display(), refused.text()));
        match refused.hint_text() {
            Some(hint) => named.hint(hint),
            None => named,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, bench};

    fn read(text: &str, words: &[&str]) -> Result<bench::mqtt::Plan> {
        let scenario = Scenario {
            file: PathBuf::from("load.toml"),
            words: words.iter().map(OsString::from).collect(),
        };
        match scenario.parse(text)? {
            Parsed::Command(Command::Bench(bench::Command::Mqtt(plan))) => Ok(*plan),
            other => panic!("{text} gave {other:?}"),
        }
    }

    #[test]
    fn keys_are_flags_and_the_command_line_wins() {
        let text = "[mqtt]\nembedded = true\nretain = false\npublishers = 3\nqos = 1\n\
                    stage = [\"1s:0-500\", \"2s:500\"]\nassert = [\"p99 < 20ms\"]\nsize = \"1KiB\"\n";
        let plan = read(text, &["--publishers", "5"]).unwrap();
        assert!(plan.embedded && !plan.retain);
        assert_eq!(plan.publishers, 5);
        assert_eq!(plan.load.stages.unwrap().len(), 2);
        assert_eq!(plan.course.duration.unwrap().as_secs(), 3);
        assert_eq!(plan.course.results.thresholds.len(), 1);
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        for (text, why) in [
            (
                "mqtt = \"mqtt://ann:secret@h\"\n",
                "load.toml:1: mqtt: expected a table, not a string",
            ),
            (
                "",
                "load.toml:1: the file has no table; expected [mqtt], [amqp], [coap]",
            ),
            (
                "[mqtt]\n\n[smtp]\n",
                "load.toml:3: unknown table [smtp]; expected [mqtt], [amqp], [coap]",
            ),
            (
                "[amqp]\nqos = 1\n",
                "load.toml:2: unknown key qos; the keys are the long flags of bench amqp",
            ),
            (
                "[mqtt]\nqos = 1\n[amqp]\n",
                "load.toml:1: a file describes one load test and has one table",
            ),
            (
                "[coap]\nqos = 1\n",
                "load.toml:2: unknown key qos; the keys are the long flags of bench coap",
            ),
            (
                "[mqtt]\nqos = 1\npublisher = 5\n",
                "load.toml:3: unknown key publisher; did you mean publishers?",
            ),
            (
                "[mqtt]\nqos = 1\nrate = \"fast\"\n",
                "load.toml:3: invalid value 'fast' for '--rate <RATE>': expected a rate such as 1000, 10k, 0.5 or 30/m; a plain number is messages per second",
            ),
            (
                "[mqtt]\nrate = 5\nmax = true\n",
                "load.toml: the argument '--max' cannot be used with '--rate <RATE>'",
            ),
        ] {
            let refused = read(text, &[]).unwrap_err();
            assert_eq!(refused.text(), why, "{text}");
        }
        let refused = read("[mqtt]\nqos = \n", &[]).unwrap_err();
        assert!(refused.text().starts_with("load.toml:2: "), "{refused}");
    }
}
