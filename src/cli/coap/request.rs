//! `coap get` to `ipatch`: their flags, and the plans they make.

use std::path::PathBuf;

use bytes::Bytes;
use clap::Args;

use crate::coap::code::Code;
use crate::coap::option;
use crate::command::coap::request::Plan;
use crate::command::coap::session::{OptionValue, OptionWord};
use crate::error::{Error, Result};
use crate::flow::{Stages, Until};
use crate::message::fields;
use crate::output::Console;
use crate::payload::expect::Condition;
use crate::payload::{Encoding, Source};

use super::flags::{self, BodyFlags, CoapConnectFlags, OptionFlags, TransferFlags, WordingFlags};
use crate::cli::flags::condition::{MapFlags, check};
use crate::cli::flags::format::is_format;
use crate::cli::flags::input::{InputFlags, PacingFlags};
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::flags::until::DrainFlags;
use crate::cli::syntax::numbers::Wait;
use crate::cli::syntax::values;

/// `get` and `delete`.
#[derive(Args, Debug)]
pub(crate) struct AskFlags {
    #[command(flatten)]
    asking: AskingFlags,

    #[command(flatten)]
    connect: CoapConnectFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

/// `put`, `post`, `fetch`, `patch` and `ipatch`.
#[derive(Args, Debug)]
pub(crate) struct SendFlags {
    #[command(flatten)]
    source: BodySource,

    #[command(flatten)]
    map: MapFlags,

    #[command(flatten)]
    asking: AskingFlags,

    #[command(flatten)]
    connect: CoapConnectFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

/// What `--drain` is here.
const DRAIN: &str =
    "How long outstanding responses may take after the first SIGINT or SIGTERM [default: 3s]";

#[derive(Args, Debug)]
#[command(next_help_heading = "Request", mut_arg("drain", |it| it.help(DRAIN)))]
struct AskingFlags {
    /// Resource to request: coap://HOST[:PORT][/PATH][?QUERY], also coaps, coap+tcp, coaps+tcp, coap+ws and coaps+ws; or only the path, with -h; may be repeated
    #[arg(value_name = "URI", help_heading = None)]
    uris: Vec<String>,

    #[command(flatten)]
    conditions: ConditionFlags,

    #[command(flatten)]
    wording: WordingFlags,

    #[command(flatten)]
    options: OptionFlags,

    #[command(flatten)]
    transfer: TransferFlags,

    #[command(flatten)]
    body: BodyFlags,

    /// Fail with exit code 7 unless the response meets this condition: 'payload == 21.5', '/temp > 20'; may be repeated
    #[arg(long, value_name = "CONDITION", help_heading = "Conditions")]
    expect: Vec<Condition>,

    #[command(flatten)]
    file: FileFlags,

    #[command(flatten, next_help_heading = "Request")]
    pacing: PacingFlags,

    /// Fail after this long, with exit code 5, however many requests --repeat or --ndjson still has
    #[arg(long, value_name = "TIME", help_heading = "End conditions")]
    max_time: Option<Wait>,

    #[command(flatten)]
    drain: DrainFlags,
}

/// Where the body of a response goes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
struct FileFlags {
    /// Write the body of the response to this file
    #[arg(short = 'o', long, value_name = "FILE")]
    output_file: Option<PathBuf>,

    /// Store partial downloads in FILE.part, and resume an interrupted one if the ETag is unchanged (get)
    #[arg(long, requires = "output_file", conflicts_with = "etag_file")]
    resume: bool,
}

impl FileFlags {
    fn is_standard(&self) -> bool {
        let file = self.output_file.as_ref();
        file.is_some_and(|file| file.as_os_str() == "-")
    }

    /// The file; `None`: standard output.
    fn file(self) -> Option<PathBuf> {
        match self.is_standard() {
            true => None,
            false => self.output_file,
        }
    }

    fn check(&self, method: Code, body: &BodyFlags, uris: usize, several: bool) -> Result<()> {
        let given = self.output_file.is_some();
        // Who wants a format would find a file of its name.
        let name = self.output_file.as_ref().and_then(|file| file.to_str());
        if let Some(name) = name.filter(|name| is_format(name)) {
            let text = format!("--output-file {name}: that is the name of a format");
            let hint = format!("use --output {name}, or -o ./{name} for a file");
            return Err(Error::usage(text).hint(hint));
        }
        if given && uris > 1 {
            return Err(Error::usage("--output-file takes the response of one URI"));
        }
        if given && several {
            return Err(Error::usage(
                "--output-file takes one response and cannot be used with --repeat, -l or --ndjson",
            ));
        }
        if self.resume && self.is_standard() {
            return Err(Error::usage("--resume needs a file, not standard output"));
        }
        if self.resume && method != Code::GET {
            return Err(Error::usage("--resume is for get only"));
        }
        values::needs("--output-file", given, "the body as it is", body.is_bare())
    }
}

/// Under which conditions the server carries out the request.
#[derive(Args, Debug)]
#[command(next_help_heading = "Request")]
struct ConditionFlags {
    /// If-Match: only if the resource has this ETag: text, or 0x and hexadecimal digits; without a value, only if the resource exists; may be repeated
    #[arg(long, value_name = "ETAG", num_args = 0..=1, require_equals = true, default_missing_value = "", value_parser = etag)]
    if_match: Vec<Bytes>,

    /// If-None-Match: only if the resource does not exist
    #[arg(long)]
    if_none_match: bool,

    /// File with the ETag of a previous response; the response is shown only if it differs, and its ETag is stored there (get, fetch)
    #[arg(long, value_name = "FILE")]
    etag_file: Option<PathBuf>,
}

/// The body, and its format.
#[derive(Args, Debug)]
#[command(next_help_heading = "Body", mut_arg("message", |arg| arg.short_alias('e')))]
pub(crate) struct BodySource {
    #[command(flatten)]
    input: InputFlags,

    /// Content format of the body: number, media type or short name such as json [default: cbor with --cbor and --encode cbor]
    #[arg(short = 't', long, value_name = "FORMAT", value_parser = values::content_format)]
    content_format: Option<u16>,
}

impl AskFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self, method: Code) -> Result<Plan> {
        let empty = (Source::Empty, Encoding::Plain);
        self.asking
            .plan(method, self.connect, self.terminal, empty, None)
    }
}

impl SendFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self, method: Code) -> Result<Plan> {
        self.asking.refuse_body()?;
        let content_format = self.source.content_format();
        let body = self.source.body(method)?;
        let plan = self
            .asking
            .plan(method, self.connect, self.terminal, body, content_format)?;
        Ok(Plan {
            outgoing: self.map.stages(),
            ..plan
        })
    }
}

impl AskingFlags {
    /// Refuses a body that stands where a URI does.
    fn refuse_body(&self) -> Result<()> {
        match self.uris.as_slice() {
            [_, .., last] if !last.contains("://") && !last.starts_with('/') => {
                let text = format!("{last:?} is taken as a second URI");
                Err(Error::usage(text).hint(format!("use -m {last}")))
            }
            _ => Ok(()),
        }
    }

    fn plan(
        self,
        method: Code,
        connect: CoapConnectFlags,
        terminal: TerminalFlags,
        (source, encoding): (Source, Encoding),
        content_format: Option<u16>,
    ) -> Result<Plan> {
        let pacing = self.pacing.pacing(&source)?;
        let several = source.is_stream() || pacing.repeat > 1;
        self.file
            .check(method, &self.body, self.uris.len(), several)?;
        let streams = source.is_stream();
        let plain = self.expect.is_empty();
        self.conditions
            .check(method, self.uris.len(), streams, plain)?;
        check("--expect", &self.expect, &fields::COAP)?;
        // What is decoded is for people, who want whole lines.
        let style = terminal.style();
        let stages = Stages {
            expect: self.expect,
            console: Some(Console::new(style)),
            ..Stages::default()
        };
        let stages = self.body.stages(style, stages)?;
        let newline = self.uris.len() > 1 || several || self.body.decodes();
        let format = self.body.format(newline)?;
        let mut session = self.transfer.session(self.uris, connect, self.options);
        session.options.extend(self.conditions.options());
        let content_format =
            content_format.map(|format| flags::uint(option::CONTENT_FORMAT, format.into()));
        session.options.extend(content_format);
        Ok(Plan {
            delivers: None,
            wording: self.wording.wording(&mut session),
            session,
            method,
            source,
            encoding,
            pacing,
            until: Until {
                timeout: self.max_time.map(|Wait(time)| time),
                ..self.drain.until()
            },
            etag_file: self.conditions.etag_file,
            resume: self.file.resume,
            file: self.file.file(),
            stages,
            outgoing: Stages::default(),
            format,
            style,
        })
    }
}

impl ConditionFlags {
    /// An ETag belongs to one resource, and to requests that ask for what it is (RFC 7252 §5.10.6).
    fn check(&self, method: Code, uris: usize, streams: bool, plain: bool) -> Result<()> {
        let refused = |text: &str| Err(Error::usage(text));
        match self.etag_file {
            None => Ok(()),
            _ if !matches!(method, Code::GET | Code::FETCH) => {
                refused("--etag-file is for get and fetch only")
            }
            _ if uris > 1 => refused("--etag-file holds the ETag of one URI"),
            _ if streams => refused(
                "--etag-file holds the ETag of one request and cannot be used with -l or --ndjson",
            ),
            _ if !plain => refused(
                "--etag-file cannot be used with --expect: 2.03 Valid comes without the body that the condition is for",
            ),
            _ => Ok(()),
        }
    }

    fn options(&self) -> Vec<OptionWord> {
        let matches = self.if_match.iter().map(|etag| OptionWord {
            number: option::IF_MATCH,
            value: OptionValue::Bytes(etag.clone()),
        });
        let none = self.if_none_match.then(|| OptionWord {
            number: option::IF_NONE_MATCH,
            value: OptionValue::Bytes(Bytes::new()),
        });
        matches.chain(none).collect()
    }
}

impl BodySource {
    /// Whether a body was given, even an empty one.
    pub(crate) const fn is_given(&self) -> bool {
        self.input.is_given()
    }

    pub(crate) fn content_format(&self) -> Option<u16> {
        self.content_format
            .or_else(|| self.input.is_cbor().then_some(60))
    }

    pub(crate) fn body(self, method: Code) -> Result<(Source, Encoding)> {
        match self.input.given()? {
            Some(given) => Ok(given),
            // Many resources are set off by a POST without a body.
            None if method == Code::POST => Ok((Source::Empty, Encoding::Plain)),
            None => Err(Error::usage("there is nothing to send").hint(
                "use -m TEXT, -f FILE, --template TEXT, -n for an empty body, or read standard input with -s, -l or --ndjson",
            )),
        }
    }
}

fn etag(word: &str) -> Result<Bytes, String> {
    let etag = flags::opaque(word)?;
    if etag.len() > 8 {
        return Err(format!(
            "{word:?} is longer than 8 bytes, the limit of an ETag"
        ));
    }
    Ok(etag)
}
