//! The flags that say what is sent, the same for every command that sends messages.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use clap::{Args, ValueEnum};

use crate::error::{Error, Result};
use crate::flow::{self, Pacing};
use crate::payload::{Cut, Encoding, Framing, LONGEST, Source, cbor};

use crate::cli::syntax::escape;
use crate::cli::syntax::moment::Moment;
use crate::cli::syntax::numbers::{Count, Size, Span, whole};
use crate::cli::syntax::rate::{Rate, Speed};
use crate::cli::syntax::values;

/// What is sent, and how it is written.
#[derive(Args, Debug)]
pub(crate) struct InputFlags {
    #[command(flatten)]
    source: SourceFlags,

    #[command(flatten)]
    framing: FramingFlags,

    /// The messages are given in hexadecimal digits
    #[arg(long, conflicts_with_all = ["base64", "encode", "ndjson", "null_message", "body", "cbor", "random"])]
    hex: bool,

    /// The messages are given in base64
    #[arg(long, conflicts_with_all = ["encode", "ndjson", "null_message", "body", "cbor", "random"])]
    base64: bool,

    /// The messages are given in JSON, and sent as cbor or msgpack (MessagePack)
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["null_message", "cbor", "random"])]
    encode: Option<Encode>,
}

/// What is made of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Encode {
    Cbor,
    Msgpack,
}

/// Where the messages come from: exactly one of these.
#[derive(Args, Debug)]
#[group(id = "source", multiple = false)]
struct SourceFlags {
    /// Send this text
    #[arg(short = 'm', long, value_name = "TEXT", allow_hyphen_values = true)]
    message: Option<OsString>,

    /// Send the content of a file
    #[arg(short = 'f', long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Send all of standard input as one message
    #[arg(short = 's', long, alias = "stdin-file")]
    stdin: bool,

    /// Send each line of standard input as a message
    #[arg(short = 'l', long, alias = "stdin-line")]
    lines: bool,

    /// Send each NUL-terminated record of standard input as a message
    #[arg(short = '0', long)]
    null_delimited: bool,

    /// Send each record of standard input as a message, prefixed by a 4-byte big-endian length
    #[arg(long)]
    length_prefixed: bool,

    /// Send each line that is appended to a file as a message, and go on with the file that takes its name when it is rotated, until interrupted
    #[arg(long, value_name = "FILE")]
    follow: Option<PathBuf>,

    /// Send an empty message
    #[arg(short = 'n', long)]
    null_message: bool,

    /// Send this text with its placeholders filled in for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}
    #[arg(
        id = "body",
        long = "template",
        value_name = "TEXT",
        allow_hyphen_values = true
    )]
    template: Option<String>,

    /// Send CBOR, written in diagnostic notation: '{"on": true, "level": 21.5}'
    #[arg(long, value_name = "NOTATION", allow_hyphen_values = true)]
    cbor: Option<String>,

    /// Send this many random bytes, different for each repetition
    #[arg(long, value_name = "SIZE")]
    random: Option<Size>,

    /// Send the records on standard input, one JSON object per line, as written by --output json
    #[arg(long)]
    ndjson: bool,
}

/// How standard input or a file is cut into messages.
#[derive(Args, Debug)]
struct FramingFlags {
    /// Record delimiter for -l and --follow instead of a line feed: one byte, such as ';' or '\x1e'
    #[arg(long, value_name = "BYTE", value_parser = escape::byte)]
    delimiter: Option<u8>,

    /// Strip a trailing carriage return from each line
    #[arg(long)]
    trim_cr: bool,

    /// Each line begins with its topic, path or routing key, up to the first TEXT, such as ' ' or '\t'
    #[arg(long, value_name = "TEXT", value_parser = escape::text)]
    topic_separator: Option<String>,

    /// With --follow, also send the lines that are in the file already
    #[arg(long)]
    from_start: bool,
}

/// Standard input as a file.
const STANDARD: &str = "-";

impl SourceFlags {
    /// What was given, if anything was.
    fn source(self, framing: FramingFlags) -> Result<Option<Source>> {
        let from_start = framing.from_start;
        Ok(Some(match self {
            Self {
                message: Some(text),
                ..
            } => Source::Text(Bytes::from(text.into_vec())),
            Self {
                file: Some(file), ..
            } if file.as_os_str() == STANDARD => Source::Stdin,
            Self {
                file: Some(file), ..
            } => Source::File(file),
            Self { stdin: true, .. } => Source::Stdin,
            Self { lines: true, .. } => Source::Lines(framing.of(Cut::After(b'\n'))),
            Self {
                null_delimited: true,
                ..
            } => Source::Lines(framing.of(Cut::After(0))),
            Self {
                length_prefixed: true,
                ..
            } => Source::Lines(framing.of(Cut::Length)),
            Self {
                follow: Some(file), ..
            } => Source::Follow {
                file,
                from_start,
                framing: framing.of(Cut::After(b'\n')),
            },
            Self {
                null_message: true, ..
            } => Source::Empty,
            Self {
                template: Some(text),
                ..
            } => Source::Template(values::template("--template", &text, |_| false)?),
            Self {
                cbor: Some(text), ..
            } => match cbor::from_diagnostic(&text) {
                Ok(body) => Source::Text(body.into()),
                Err(why) => return Err(Error::usage(format!("--cbor: {why}"))),
            },
            Self {
                random: Some(Size(size)),
                ..
            } => match usize::try_from(size) {
                Ok(size) if size <= LONGEST => Source::Random(size),
                _ => {
                    return Err(Error::usage(format!(
                        "--random: a message has at most {LONGEST} bytes"
                    )));
                }
            },
            Self { ndjson: true, .. } => Source::Records,
            _ => return Ok(None),
        }))
    }

    /// Whether nothing was given.
    const fn is_none(&self) -> bool {
        self.message.is_none()
            && self.file.is_none()
            && !self.stdin
            && !self.lines
            && !self.null_delimited
            && !self.length_prefixed
            && self.follow.is_none()
            && !self.null_message
            && self.template.is_none()
            && self.cbor.is_none()
            && self.random.is_none()
            && !self.ndjson
    }
}

impl FramingFlags {
    fn of(self, usual: Cut) -> Framing {
        Framing {
            cut: self.delimiter.map_or(usual, Cut::After),
            trim_cr: self.trim_cr,
            separator: self.topic_separator.map(Into::into),
        }
    }

    /// Refuses what has no meaning for what is sent.
    fn check(&self, source: &SourceFlags) -> Result<()> {
        let lines = source.lines || source.follow.is_some();
        values::needs(
            "--from-start",
            self.from_start,
            "--follow",
            source.follow.is_some(),
        )?;
        let cut = lines || source.null_delimited;
        values::needs(
            "--delimiter",
            self.delimiter.is_some(),
            "-l or --follow",
            lines,
        )?;
        values::needs("--trim-cr", self.trim_cr, "-l, -0 or --follow", cut)?;
        let separates = self.topic_separator.is_some();
        let cut = cut || source.length_prefixed;
        let streams = "-l, -0, --length-prefixed or --follow";
        values::needs("--topic-separator", separates, streams, cut)
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

    /// Send each message of --rate, or repetition of --repeat-delay, later by a random time up to this
    #[arg(long, value_name = "TIME", default_value = "0")]
    jitter: Span,

    /// Connect now and start sending at this time: 2026-11-20T21:00:00Z, or seconds since 1970
    #[arg(long, value_name = "TIME")]
    start_at: Option<Moment>,

    /// Random seed of --template, --random and --jitter, for repeatable runs
    #[arg(long, value_name = "NUMBER", value_parser = whole(0..=u64::MAX))]
    seed: Option<u64>,

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
    /// Whether a message was given, even an empty one.
    pub(crate) const fn is_given(&self) -> bool {
        !self.source.is_none()
    }

    /// Whether it is CBOR.
    pub(crate) const fn is_cbor(&self) -> bool {
        self.source.cbor.is_some() || matches!(self.encode, Some(Encode::Cbor))
    }

    /// Where the messages come from, and how they are written there.
    pub(crate) fn words(self) -> Result<(Source, Encoding)> {
        self.given()?.ok_or_else(|| {
            Error::usage("there is nothing to publish").hint(
                "use -m TEXT, -f FILE, --template TEXT, --cbor NOTATION, -n for an empty message, or read standard input with -s, -l, -0 or --ndjson",
            )
        })
    }

    /// The same where there need not be any.
    pub(crate) fn given(self) -> Result<Option<(Source, Encoding)>> {
        self.framing.check(&self.source)?;
        let encoding = match (self.hex, self.base64, self.encode) {
            (true, ..) => Encoding::Hex,
            (_, true, _) => Encoding::Base64,
            (_, _, Some(Encode::Cbor)) => Encoding::Cbor,
            (_, _, Some(Encode::Msgpack)) => Encoding::MessagePack,
            _ => Encoding::Plain,
        };
        let Some(source) = self.source.source(self.framing)? else {
            return Ok(None);
        };
        check_text(&source, encoding)?;
        Ok(Some((source, encoding)))
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
        let Span(jitter) = self.jitter;
        let paced = self.rate.is_some() || delayed;
        let jitters = jitter > Duration::ZERO;
        values::needs("--jitter", jitters, "--rate or --repeat-delay", paced)?;
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
            jitter,
            start_at: self.start_at.map(|Moment(time)| time),
            seed: self.seed,
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
        Err(why) => Err(Error::usage(format!("-m: {why}"))),
    }
}

fn check_repeat(source: &Source, repeat: u64) -> Result<()> {
    match repeat {
        0 => Err(Error::usage("--repeat must be at least 1")),
        1 => Ok(()),
        _ if matches!(source, Source::Follow { .. }) => {
            Err(Error::usage("--repeat cannot be used with --follow"))
        }
        _ if source.is_stream() => Err(Error::usage("--repeat cannot read standard input again")
            .hint("it can be used with -m, -f, -s, -n, --template and --random")),
        _ => Ok(()),
    }
}
