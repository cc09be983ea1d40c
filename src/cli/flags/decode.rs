//! The flags that say how bodies are read, the same for every command that receives.

use clap::Args;

use crate::coap::format;
use crate::error::Result;
use crate::flow::Stages;
use crate::flow::decode::{ContentType, Decode};
use crate::flow::decompress::Decompress;
use crate::output::{Console, Style};
use crate::payload::Encoding;

use super::format::OutputFlags;
use crate::cli::syntax::values;

/// How bodies are read.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct DecodeFlags {
    /// Decode the payload (text and -F): JSON indented, CBOR in diagnostic notation, SenML and link-format with one line per entry; the format is taken from the message unless given here, as a media type or a short name such as cbor; hex and base64 are decoded for every output, and before conditions are checked
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, value_parser = content_type)]
    decode: Option<Option<ContentType>>,

    /// Decompress gzip and deflate as the message says: in AMQP by its content encoding, in MQTT by the user property content-encoding or the first bytes of gzip, in CoAP by a content format such as application/json@deflate; a payload that cannot be decompressed is passed on unchanged
    #[arg(long)]
    decompress: bool,
}

impl DecodeFlags {
    /// Whether bodies are shown as they come.
    pub(crate) const fn is_bare(&self) -> bool {
        self.decode.is_none() && !self.decompress
    }

    /// Whether bodies become text for people.
    pub(crate) const fn decodes(&self) -> bool {
        self.decode.is_some()
    }

    /// The stages with how bodies are read, as far as that goes with how messages are shown.
    pub(crate) fn stages(
        &self,
        output: &OutputFlags,
        style: Style,
        stages: Stages,
    ) -> Result<Stages> {
        let by = self.decode.map(|given| given.unwrap_or(ContentType::Named));
        let text = by.is_some_and(|by| !matches!(by, ContentType::Spelled(_)));
        values::needs("--decode", text, "--output text or -F", output.shows_text())?;
        let console = Console::new(style);
        Ok(Stages {
            decode: by.map(|by| Decode::new(by, console)),
            decompress: self.decompress.then(|| Decompress::new(console)),
            ..stages
        })
    }
}

fn content_type(word: &str) -> Result<ContentType, String> {
    match word {
        "hex" => Ok(ContentType::Spelled(Encoding::Hex)),
        "base64" => Ok(ContentType::Spelled(Encoding::Base64)),
        _ => {
            let number = values::content_format(word)?;
            Ok(ContentType::Given(
                format::media_type(number).unwrap_or_default(),
            ))
        }
    }
}
