//! Makes and reads bodies: files, stdin, lines, records, hex and base64.
//!
//! | part | what it is for |
//! |---|---|
//! | [`Source`] | where bodies come from |
//! | [`Encoding`] | how they are spelled there |
//! | [`Bodies`] | reads them as messages, in batches, without ever blocking the caller's event loop |
//! | [`Outline`] | what the command line says about those messages |
//! | [`cbor`] | CBOR as text, and from text |
//! | [`comparison`] | the operators of conditions and thresholds |
//! | [`expect`] | conditions on a body: `payload == 21.5`, `/temp > 20` |
//! | [`inflate`] | compressed bodies |
//! | [`link`] | link-format (RFC 6690) |
//! | [`media`] | how a body is read, by its media type |
//! | [`msgpack`], [`protobuf`], [`sparkplug`] | other forms as JSON |
//! | [`pointer`], [`select`] | what of a message is shown, by name |
//! | [`senml`] | measurements (RFC 8428) as lines |
//! | [`template`] | bodies that differ from message to message |
//! | [`standard`] | whether standard input and output were there when the command started |

mod bodies;
pub mod cbor;
pub(crate) mod comparison;
mod encoding;
pub mod expect;
pub(crate) mod inflate;
mod json_text;
mod lines;
pub mod link;
pub(crate) mod media;
pub mod msgpack;
pub(crate) mod pointer;
pub mod protobuf;
mod reader;
mod record;
pub mod select;
pub mod senml;
pub mod sparkplug;
pub(crate) mod standard;
pub(crate) mod template;

use std::path::PathBuf;

use bytes::Bytes;
use bytestring::ByteString;

use crate::message::{Detail, Message};

use template::Template;

pub use bodies::Bodies;
pub use encoding::Encoding;
pub use record::amqp_value;

/// The longest body, in bytes: no MQTT packet is longer (MQTT 5.0 §1.5.5).
pub const LONGEST: usize = 268_435_455;

/// Where bodies come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The words of `-m`.
    Text(Bytes),
    /// The whole of a file (`-f`); it need not be a regular one.
    File(PathBuf),
    /// The whole of standard input (`-s`); an empty one is an empty body.
    Stdin,
    /// One body per line of standard input (`-l`). Empty lines, NUL bytes and carriage returns are kept,
    /// and a last line needs no delimiter.
    Lines {
        /// The byte that ends a line.
        delimiter: u8,
    },
    /// One body of no bytes (`-n`).
    Empty,
    /// One body, filled in anew each time it is sent (`--template`).
    Template(Template),
    /// One JSON record a line of standard input (`--ndjson`), as `--output json` writes them.
    Records,
}

/// What the command line says about the messages that its input does not say.
#[derive(Clone, Debug)]
pub struct Outline {
    /// A message that names no topic of its own goes to each of these.
    pub topics: Vec<ByteString>,
    /// What a record of the command's own protocol begins with; [`Detail::Plain`]: records of any protocol are taken.
    pub detail: Detail,
    /// What is wrong with a record that is ready to be sent.
    pub check: fn(&Message) -> Result<(), String>,
}

impl Default for Outline {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            detail: Detail::Plain,
            check: |_| Ok(()),
        }
    }
}
