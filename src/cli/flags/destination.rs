//! The flags that say where messages go, the same for every command that receives.

use std::fmt;
use std::time::Duration;

use clap::Args;

use crate::error::{Error, Result};
use crate::message::fields::Fields;
use crate::output::{Destination, Name, Rotation};

use crate::cli::syntax::numbers::{Count, Size, Wait};
use crate::cli::syntax::values;

/// Where messages go.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct DestinationFlags {
    /// Append messages to this file instead of writing them to standard output; a name with {seq} (1, 2, 3 …, and on after the highest that is there), {topic} or another name in braces, as in --columns, makes a file of each message: 'out/{topic}/{seq}.bin'. Nothing is written outside the folder before the first brace, and no file is replaced
    #[arg(long, value_name = "FILE")]
    output_file: Option<Name>,

    /// Begin a new --output-file when the old one would have more than this size (100MiB), is this old (1h), or has this many messages (1000 or 10k), or at midnight UTC (daily); the old one is renamed to FILE-TIME, with the time of its first message; may be repeated
    #[arg(long, value_name = "LIMIT", requires = "output_file")]
    rotate: Vec<Limit>,
}

/// When a file is full.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    Size(u64),
    Age(Duration),
    Count(u64),
    Daily,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(size) => write!(f, "{size}B"),
            Self::Age(age) => write!(f, "{}", humantime::format_duration(*age)),
            Self::Count(count) => write!(f, "{count}"),
            Self::Daily => f.write_str("daily"),
        }
    }
}

/// All limits together.
pub(crate) fn rotation(limits: &[Limit]) -> Rotation {
    let mut rotation = Rotation::default();
    for limit in limits {
        match *limit {
            Limit::Size(size) => rotation.size = Some(size),
            Limit::Age(age) => rotation.age = Some(age),
            Limit::Count(count) => rotation.count = Some(count),
            Limit::Daily => rotation.daily = true,
        }
    }
    rotation
}

impl std::str::FromStr for Limit {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let limit = match word.parse() {
            _ if word == "daily" => Self::Daily,
            Ok(Count(count)) => Self::Count(count),
            Err(_) if word.ends_with(['B', 'b']) || word.ends_with("iB") => match word.parse() {
                Ok(Size(size)) => Self::Size(size),
                Err(_) => return Err(EXPECTED),
            },
            Err(_) => match word.parse() {
                Ok(Wait(age)) => Self::Age(age),
                Err(_) => return Err(EXPECTED),
            },
        };
        match limit {
            Self::Size(0) | Self::Count(0) => Err("it must be more than 0"),
            limit => Ok(limit),
        }
    }
}

const EXPECTED: &str =
    "expected a size such as 100MiB, a time such as 1h, a number of messages such as 10k, or daily";

impl DestinationFlags {
    /// Where messages with these fields go, unless a command gets them.
    pub(crate) fn destination(self, fields: &Fields, exec: bool) -> Result<Destination> {
        if exec && self.output_file.is_some() {
            return Err(Error::usage("--output-file cannot be used with --exec"));
        }
        let rotation = rotation(&self.rotate);
        Ok(match self.output_file {
            None => Destination::Stdout,
            // As other programs have it.
            Some(Name::Plain(path)) if path.as_os_str() == "-" => Destination::Stdout,
            Some(Name::Plain(path)) => Destination::File(path, rotation),
            Some(Name::Names(names)) => {
                let one = "--output-file without braces";
                values::needs("--rotate", !rotation.is_never(), one, false)?;
                let checked = names.selectors().try_for_each(|it| it.check(fields));
                checked.map_err(|why| Error::usage(format!("--output-file: {why}")))?;
                Destination::Files(names)
            }
        })
    }
}
