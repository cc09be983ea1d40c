//! The flags that say what is sent, the same for every command that sends messages.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;

use crate::error::{Error, Result};
use crate::flow::{self, Pacing};
use crate::payload::template::Template;
use crate::payload::{Encoding, Source, cbor};

use crate::cli::syntax::numbers::{Count, Span};
use crate::cli::syntax::rate::{Rate, Speed};
use crate::cli::syntax::values;

/// What is sent, and how it is written.
#[derive(Args, Debug)]
pub(crate) struct InputFlags {
    #[command(flatten)]
    source: SourceFlags,

    /// The messages are given in hexadecimal digits
    #[arg(long, conflicts_with_all = ["base64", "ndjson", "null_message", "body", "cbor"])]
    hex: bool,

    /// The messages are given in base64
    #[arg(long, conflicts_with_all = ["ndjson", "null_message", "body", "cbor"])]
    base64: bool,
}

/// Where the messages come from: exactly one of these.
#[derive(Args, Debug)]
#[group(id = "source", multiple = false)]
struct SourceFlags {
    /// Publish this text
    #[arg(short = 'm', long, value_name = "TEXT", allow_hyphen_values = true)]
    message: Option<OsString>,

    /// Publish the content of a file
    #[arg(short = 'f', long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Publish all of standard input as one message
    #[arg(short = 's', long, alias = "stdin-file")]
    stdin: bool,

    /// Publish each line of standard input as a message
    #[arg(short = 'l', long, alias = "stdin-line")]
    lines: bool,

    /// Publish each NUL-terminated record of standard input as a message
    #[arg(short = '0', long)]
    null_delimited: bool,

    /// Publish an empty message
    #[arg(short = 'n', long)]
    null_message: bool,

    /// Publish this text with its placeholders filled in for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}
    #[arg(
        id = "body",
        long = "template",
        value_name = "TEXT",
        allow_hyphen_values = true
    )]
    template: Option<String>,

    /// Publish CBOR, written in diagnostic notation: '{"on": true, "level": 21.5}'
    #[arg(long, value_name = "NOTATION", allow_hyphen_values = true)]
    cbor: Option<String>,

    /// Publish the records on standard input, one JSON object per line, as written by --output json
    #[arg(long)]
    ndjson: bool,
}

impl SourceFlags {
    fn source(self) -> Result<Source> {
        match self {
            Self { message: Some(text), .. } => Ok(Source::Text(Bytes::from(text.into_vec()))),
            Self { file: Some(file), .. } => Ok(Source::File(file)),
            Self { stdin: true, .. } => Ok(Source::Stdin),
            Self { lines: true, .. } => Ok(Source::Lines { delimiter: b'\n' }),
            Self { null_delimited: true, .. } => Ok(Source::Lines { delimiter: 0 }),
            Self { null_message: true, .. } => Ok(Source::Empty),
            Self { template: Some(text), .. } => Ok(Source::Template(Template::parse(&text))),
            Self { cbor: Some(text), .. } => match cbor::from_diagnostic(&text) {
                Ok(body) => Ok(Source::Text(body.into())),
                Err(why) => Err(Error::usage(format!("--cbor: {why}"))),
            },
            Self { ndjson: true, .. } => Ok(Source::Records),
            _ => Err(Error::usage("there is nothing to publish").hint(
                "use -m TEXT, -f FILE, --template TEXT, --cbor NOTATION, -n for an empty message, or read standard input with -s, -l, -0 or --ndjson",
            )),
        }
    }
}

/// How often, and how fast, it is sent.
#[derive(Args, Debug)]
pub(crate) struct PacingFlags {
    /// Send each message this many times
    #[arg(long, value_name = "COUNT", default_value = "1")]
    repeat: Count,

    /// Interval between repetitions of a message
    #[arg(long, value_name = "TIME", default_value = "0")]
    repeat_delay: Span,

    /// Maximum rate in messages per second, such as 1000, 10k, 0.5 or 30/m [default: as fast as the server accepts them]
    #[arg(long, value_name = "RATE")]
    rate: Option<Rate>,

    /// Burst size of --rate, in messages [default: 10 ms worth of messages, at least 1]
    #[arg(long, value_name = "COUNT", requires = "rate")]
    burst: Option<Count>,

    /// Send the records of --ndjson at the pace of their timestamps, instead of as fast as possible
    #[arg(long, conflicts_with = "rate")]
    replay: bool,

    /// Speed of --replay: 2 is twice as fast as recorded [default: 1]
    #[arg(long, value_name = "FACTOR")]
    speed: Option<Speed>,
}

impl InputFlags {
    /// Where the messages come from, and how they are written there.
    pub(crate) fn words(self) -> Result<(Source, Encoding)> {
        let source = self.source.source()?;
        let encoding = match (self.hex, self.base64) {
            (true, _) => Encoding::Hex,
            (_, true) => Encoding::Base64,
            _ => Encoding::Plain,
        };
        check_text(&source, encoding)?;
        Ok((source, encoding))
    }
}

impl PacingFlags {
    /// How often and how fast what comes from `source` is sent.
    pub(crate) fn pacing(self, source: &Source) -> Result<Pacing> {
        let (Count(repeat), Span(delay)) = (self.repeat, self.repeat_delay);
        check_repeat(source, repeat)?;
        let delayed = delay > Duration::ZERO;
        values::needs("--repeat-delay", delayed, "--repeat", repeat > 1)?;
        let records = *source == Source::Records;
        values::needs("--replay", self.replay, "--ndjson", records)?;
        values::needs("--speed", self.speed.is_some(), "--replay", self.replay)?;
        let burst = self.burst.map(|Count(burst)| burst);
        if burst == Some(0) {
            return Err(Error::usage("--burst must be at least 1"));
        }
        let speed = self.speed.map_or(1.0, |Speed(speed)| speed);
        Ok(Pacing {
            repeat,
            delay,
            rate: self
                .rate
                .map(|Rate(per_second)| flow::Rate { per_second, burst }),
            replay: self.replay.then_some(speed),
        })
    }
}

/// Text with invalid digits is refused before anything is sent; it is decoded again when it is.
fn check_text(source: &Source, encoding: Encoding) -> Result<()> {
    let Source::Text(text) = source else {
        return Ok(());
    };
    match encoding.decode(text.clone()) {
        Ok(_) => Ok(()),
        Err(why) => Err(Error::usage(format!("-m is {why}"))),
    }
}

fn check_repeat(source: &Source, repeat: u64) -> Result<()> {
    let streamed = matches!(source, Source::Lines { .. } | Source::Records);
    match repeat {
        0 => Err(Error::usage("--repeat must be at least 1")),
        1 => Ok(()),
        _ if streamed => Err(Error::usage("--repeat cannot read standard input again")
            .hint("it can be used with -m, -f, -s, -n and --template")),
        _ => Ok(()),
    }
}
