//! The flags that say how things are shown, the same for every command that shows them.

use clap::{Args, ValueEnum};

use crate::error::Result;
use crate::output::{Format, Template};

use crate::cli::syntax::values;

/// How a message is shown.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct FormatFlags {
    #[command(flatten)]
    pub(crate) output: OutputFlags,

    /// Show the topic before each payload (text, hex and base64)
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
    /// Output format: text, hex and base64 write the payload and a line break; raw writes the payload only; json writes one object per line; csv writes a header and one row per message
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        conflicts_with = "format"
    )]
    output: Output,

    /// Format messages with a mosquitto format string, such as '%I %t %p'; iotctl-mqtt-sub(1) lists the sequences
    #[arg(short = 'F', long, value_name = "TEMPLATE", allow_hyphen_values = true)]
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
    Hex,
    Base64,
}

impl FormatFlags {
    /// The format, when the flags go together.
    pub(crate) fn format(self) -> Result<Format> {
        let output = &self.output;
        let spelled =
            output.is(Output::Text) || output.is(Output::Hex) || output.is(Output::Base64);
        values::needs("-v", self.verbose, "--output text, hex or base64", spelled)?;
        let lines = output.format.is_some() || output.is(Output::Text);
        values::needs("-N", self.no_newline, "--output text or -F", lines)?;
        self.output.format(self.verbose, !self.no_newline)
    }
}

impl OutputFlags {
    fn is(&self, output: Output) -> bool {
        self.format.is_none() && self.output == output
    }

    /// Whether payloads stand among text for people.
    pub(crate) fn shows_text(&self) -> bool {
        self.is_template() || self.is(Output::Text)
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
    pub(crate) fn format(self, topic: bool, newline: bool) -> Result<Format> {
        let (json, template) = (self.is(Output::Json), self.format.is_some());
        let there = template || json;
        values::needs("--pretty", self.pretty, "--output json or -F", there)?;
        values::needs("--embed-json", self.embed_json, "--output json", json)?;
        if let Some(mut template) = self.format {
            template.newline = newline;
            template.pretty = self.pretty;
            return Ok(Format::Template(template));
        }
        Ok(match self.output {
            Output::Text => Format::Text { topic, newline },
            Output::Json => Format::Json {
                pretty: self.pretty,
                embed: self.embed_json,
            },
            Output::Raw => Format::Raw,
            Output::Csv => Format::Csv,
            Output::Hex => Format::Hex { topic },
            Output::Base64 => Format::Base64 { topic },
        })
    }
}
