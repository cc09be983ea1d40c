//! The flags that say how bodies are read, the same for every command that receives.

use std::path::PathBuf;

use clap::Args;

use crate::coap::format;
use crate::error::Result;
use crate::flow::Stages;
use crate::flow::decode::{ContentType, Decode, SchemaFile, Shape};
use crate::flow::decompress::Decompress;
use crate::output::{Console, Style};
use crate::payload::Encoding;

use super::format::OutputFlags;
use crate::cli::syntax::values;

/// How bodies are read.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct DecodeFlags {
    /// Decode the payload: JSON indented, CBOR in diagnostic notation, SenML and link-format with one line per entry, MessagePack, protobuf and Sparkplug B as JSON; with json, csv, tsv, logfmt and JSON pointers in -F, CBOR and SenML as JSON, too. The format is taken from the message (Sparkplug B: from its topic) unless given here, as a media type or a short name such as cbor, msgpack, protobuf or sparkplug; these three, hex and base64 are decoded for every output and --exec, and before conditions are checked
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, value_parser = content_type)]
    decode: Option<Option<ContentType>>,

    /// Schema of protobuf messages: a descriptor set compiled by protoc --include_imports --descriptor_set_out=FILE; fields without a schema are shown by their numbers
    #[arg(long, value_name = "FILE", requires = "decode")]
    proto: Option<PathBuf>,

    /// Message type of protobuf messages, such as weather.Reading [default: the only one of --proto]
    #[arg(long, value_name = "NAME", requires = "proto")]
    proto_message: Option<String>,

    /// Decompress gzip, deflate and zstd as the message says: in AMQP by its content encoding, in MQTT by the user property content-encoding or the first bytes of gzip and zstd, in CoAP by a content format such as application/json@deflate; a payload that cannot be decompressed is passed on unchanged
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
        let shape = output.shape();
        let text = by.is_some_and(|by| !is_for_all(by));
        let needed = "--output text, json, csv, tsv or logfmt, or -F";
        values::needs("--decode", text, needed, shape != Shape::Bytes)?;
        let console = Console::new(style);
        let schema = self
            .proto
            .clone()
            .map(|path| SchemaFile::new(path, self.proto_message.clone()));
        Ok(Stages {
            decode: by.map(|by| Decode::new(by, shape, schema, console)),
            decompress: self.decompress.then(|| Decompress::new(console)),
            ..stages
        })
    }
}

/// Whether payloads are decoded whatever they are shown as.
fn is_for_all(by: ContentType) -> bool {
    match by {
        ContentType::Spelled(_) | ContentType::Sparkplug => true,
        ContentType::Given(media_type) => [MSGPACK, PROTOBUF].contains(&media_type),
        ContentType::Named => false,
    }
}

/// As it is registered; CoAP has no number for it.
const MSGPACK: &str = "application/vnd.msgpack";

const PROTOBUF: &str = "application/protobuf";

fn content_type(word: &str) -> Result<ContentType, String> {
    match word {
        "hex" => Ok(ContentType::Spelled(Encoding::Hex)),
        "base64" => Ok(ContentType::Spelled(Encoding::Base64)),
        "sparkplug" => Ok(ContentType::Sparkplug),
        "msgpack" | MSGPACK | "application/msgpack" => Ok(ContentType::Given(MSGPACK)),
        "protobuf" | PROTOBUF | "application/x-protobuf" => Ok(ContentType::Given(PROTOBUF)),
        _ => {
            let number = values::content_format(word)?;
            Ok(ContentType::Given(
                format::media_type(number).unwrap_or_default(),
            ))
        }
    }
}
