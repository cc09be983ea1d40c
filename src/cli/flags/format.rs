//! The flags that say how things are shown, the same for every command that shows them.

use clap::{Args, ValueEnum};

use crate::error::Result;
use crate::output::{Format, Template};

use crate::cli::syntax::values;

/// How a message is shown.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct FormatFlags {
    /// Output format: text, hex and base64 write the payload and a line break; raw writes the payload only; json writes one object per line; csv writes a header and one row per message
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        conflicts_with = "template"
    )]
    output: Output,

    /// Format messages with a mosquitto format string, such as '%I %t %p'; iotctl-mqtt-sub(1) lists the sequences
    #[arg(
        short = 'F',
        long = "format",
        value_name = "TEMPLATE",
        allow_hyphen_values = true
    )]
    template: Option<Template>,

    /// Show the topic before each payload (text, hex and base64)
    #[arg(short = 'v', long)]
    verbose: bool,

    /// No line break after each message (text and -F)
    #[arg(short = 'N', long)]
    no_newline: bool,

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
        let (topic, newline) = (self.verbose, !self.no_newline);
        self.check()?;
        if let Some(mut template) = self.template {
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

    /// Refuses flags that the format would ignore.
    fn check(&self) -> Result<()> {
        let template = self.template.is_some();
        let is = |output| !template && self.output == output;
        let spelled = is(Output::Text) || is(Output::Hex) || is(Output::Base64);
        values::needs("-v", self.verbose, "--output text, hex or base64", spelled)?;
        values::needs(
            "-N",
            self.no_newline,
            "--output text or -F",
            template || is(Output::Text),
        )?;
        values::needs(
            "--pretty",
            self.pretty,
            "--output json or -F",
            template || is(Output::Json),
        )?;
        values::needs(
            "--embed-json",
            self.embed_json,
            "--output json",
            is(Output::Json),
        )
    }
}
