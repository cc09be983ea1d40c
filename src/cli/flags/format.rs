//! The flags that say how things are shown, the same for every command that shows them.

use clap::{Args, ValueEnum};

use crate::error::{Error, Result};
use crate::flow::decode::Shape;
use crate::message::fields::Fields;
use crate::output::{Format, RowStyle, Rows, Template};
use crate::payload::layout::Layout;
use crate::payload::select::{Column, Selector};

use crate::cli::syntax::values;

/// How a message is shown.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct FormatFlags {
    #[command(flatten)]
    pub(crate) output: OutputFlags,

    /// Show the topic before each payload (text, hex, hexdump and base64)
    #[arg(short = 'v', long)]
    verbose: bool,

    /// No line break after each message (text and -F)
    #[arg(short = 'N', long)]
    no_newline: bool,
}

/// The same where -v and -N mean something else.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputFlags {
    /// Output format: text, hex and base64 write the payload and a line break, hexdump writes it as hexdump -C; raw writes the payload only; json writes one object per line; csv and tsv write a header and one row per message, logfmt writes NAME=VALUE pairs
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        conflicts_with = "format"
    )]
    output: Output,

    /// Columns, separated by commas: payload, a field such as topic, a JSON pointer such as /temp, or another name, such as delta, all of which the man page lists; NAME=… names a column; the first of several alternatives that a message has, as in '/temp|/t|"none"' (csv, tsv and logfmt) [default: time,topic,payload,encoding, then for MQTT qos,retain, for AMQP exchange,redelivered, for CoAP code]
    #[arg(long, value_name = "LIST", value_parser = columns)]
    columns: Option<Columns>,

    /// Show times in local time, with their offset from UTC (json, csv, tsv, logfmt; -F: %{time})
    #[arg(long)]
    local_time: bool,

    /// Format messages with a mosquitto format string, such as '%I %t %p', or with names as in --columns, such as '%{/temp}'; the man page lists the sequences
    #[arg(short = 'F', long, value_name = "TEMPLATE", allow_hyphen_values = true, value_parser = template)]
    format: Option<Template>,

    /// Indent JSON over several lines (json; -F: %j and %J)
    #[arg(long)]
    pretty: bool,

    /// Embed JSON payloads as payload_json (json)
    #[arg(long)]
    embed_json: bool,
}

/// How a result other than a message is shown.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct ReportFlags {
    /// Output format: text, or json with one object per line
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output: Report,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Report {
    Text,
    Json,
}

impl ReportFlags {
    /// Whether it is JSON.
    pub(crate) fn json(&self) -> bool {
        self.output == Report::Json
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
    Raw,
    Csv,
    Tsv,
    Logfmt,
    Hex,
    Hexdump,
    Base64,
}

/// Whether a word is the name of a format of --output.
pub(crate) fn is_format(word: &str) -> bool {
    Output::from_str(word, true).is_ok()
}

/// What `--columns` says.
#[derive(Clone, Debug)]
struct Columns(Vec<Column>);

/// Reads the template of -F, which shows each message as a word of its own where the name of a format was meant.
fn template(text: &str) -> Result<Template> {
    if let Ok(output) = Output::from_str(text, true) {
        let name = output.to_possible_value();
        let name = name.as_ref().map_or(text, |it| it.get_name());
        return Err(Error::usage("a template has % sequences, such as '%t %p'")
            .hint(format!("use --output {name}")));
    }
    text.parse()
}

fn columns(text: &str) -> Result<Columns, String> {
    Column::list(text).map(Columns)
}

impl FormatFlags {
    /// The format, when the flags go together.
    pub(crate) fn format(self, fields: &Fields) -> Result<Format> {
        let output = &self.output;
        let spelled = [Output::Text, Output::Hex, Output::Hexdump, Output::Base64];
        let spelled = spelled.into_iter().any(|it| output.is(it));
        values::needs(
            "-v",
            self.verbose,
            "--output text, hex, hexdump or base64",
            spelled,
        )?;
        let lines = output.format.is_some() || output.is(Output::Text);
        values::needs("-N", self.no_newline, "--output text or -F", lines)?;
        self.output.format(self.verbose, !self.no_newline, fields)
    }
}

impl OutputFlags {
    fn is(&self, output: Output) -> bool {
        self.format.is_none() && self.output == output
    }

    /// For whom payloads are decoded.
    pub(crate) fn shape(&self) -> Shape {
        let looks_into = |it: &Template| it.selectors().any(Selector::has_pointer);
        match &self.format {
            Some(template) if looks_into(template) => Shape::Json,
            Some(_) => Shape::Text,
            None if self.is(Output::Text) => Shape::Text,
            None if self.is(Output::Json) || self.row_style().is_some() => Shape::Json,
            None => Shape::Bytes,
        }
    }

    fn row_style(&self) -> Option<RowStyle> {
        match self.output {
            _ if self.format.is_some() => None,
            Output::Csv => Some(RowStyle::Csv),
            Output::Tsv => Some(RowStyle::Tsv),
            Output::Logfmt => Some(RowStyle::Logfmt),
            _ => None,
        }
    }

    /// Whether bodies are shown unchanged.
    pub(crate) fn is_bare(&self) -> bool {
        self.is(Output::Text) || self.is(Output::Raw)
    }

    /// Whether it is JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.is(Output::Json)
    }

    /// Whether it is plain text, which is what is not asked for.
    pub(crate) fn is_text(&self) -> bool {
        self.is(Output::Text)
    }

    /// Whether there is a template.
    pub(crate) const fn is_template(&self) -> bool {
        self.format.is_some()
    }

    /// The format, when the flags go together; with the `topic` before a payload and a `newline` after it where there can be.
    pub(crate) fn format(self, topic: bool, newline: bool, fields: &Fields) -> Result<Format> {
        let (json, rows) = (self.is(Output::Json), self.row_style());
        let there = self.is_template() || json;
        values::needs("--pretty", self.pretty, "--output json or -F", there)?;
        values::needs("--embed-json", self.embed_json, "--output json", json)?;
        let (there, needed) = (
            there || rows.is_some(),
            "--output json, csv, tsv or logfmt, or -F",
        );
        values::needs("--local-time", self.local_time, needed, there)?;
        let needed = "--output csv, tsv or logfmt";
        values::needs("--columns", self.columns.is_some(), needed, rows.is_some())?;
        if let Some(Columns(columns)) = &self.columns {
            check("--columns", columns.iter().map(|it| &it.selector), fields)?;
        }
        if let Some(mut template) = self.format {
            check("-F", template.selectors(), fields)?;
            template.newline = newline;
            template.pretty = self.pretty;
            template.local = self.local_time;
            return Ok(Format::Template(template));
        }
        let rows = |style| {
            Format::Rows(Rows {
                style,
                layout: Layout::of(
                    self.columns
                        .map_or_else(|| Column::usual(fields), |Columns(columns)| columns),
                ),
                local: self.local_time,
            })
        };
        Ok(match self.output {
            Output::Text => Format::Text { topic, newline },
            Output::Json => Format::Json {
                pretty: self.pretty,
                embed: self.embed_json,
                local: self.local_time,
            },
            Output::Raw => Format::Raw,
            Output::Csv => rows(RowStyle::Csv),
            Output::Tsv => rows(RowStyle::Tsv),
            Output::Logfmt => rows(RowStyle::Logfmt),
            Output::Hex => Format::Hex { topic },
            Output::Hexdump => Format::Hexdump { topic },
            Output::Base64 => Format::Base64 { topic },
        })
    }
}

/// Refuses names that messages of this protocol do not have.
fn check<'a>(
    flag: &str,
    selectors: impl IntoIterator<Item = &'a Selector>,
    fields: &Fields,
) -> Result<()> {
    let mut selectors = selectors.into_iter();
    let checked = selectors.try_for_each(|it| it.check(fields));
    checked.map_err(|why| Error::usage(format!("{flag}: {why}")))
}
