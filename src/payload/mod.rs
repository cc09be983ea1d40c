//! Makes and reads bodies: files, stdin, lines, records, hex and base64.
//!
//! | part | what it is for |
//! |---|---|
//! | [`Source`] | where bodies come from |
//! | [`Framing`] | how a stream is cut into them |
//! | [`Encoding`] | how they are spelled there, and what is made of them |
//! | [`Bodies`] | reads them as messages, in batches, without ever blocking the caller's event loop |
//! | [`Outline`], [`Destination`] | what the command line says about those messages |
//! | [`captures`] | topic filters whose wildcards have names, and what stands for them in a topic |
//! | [`cbor`] | CBOR as text, and from text |
//! | [`comparison`] | the operators of conditions and thresholds |
//! | [`Form`] | what recordings look like |
//! | [`expect`] | conditions on a message: `payload == 21.5`, `/temp > 20 and not topic contains test` |
//! | [`inflate`] | compressed bodies |
//! | [`instant`] | when something was, as a message says it |
//! | [`layout`] | what rows a message makes in a table |
//! | [`jq`] | expressions of jq, as conditions and maps |
//! | [`link`] | link-format (RFC 6690) |
//! | [`map`] | what becomes of a body on its way |
//! | [`media`] | how a body is read, by its media type |
//! | [`msgpack`] | MessagePack as JSON, and from JSON |
//! | [`protobuf`], [`sparkplug`] | other forms as JSON |
//! | [`points`] | InfluxDB's line protocol |
//! | [`pointer`](mod@pointer), [`select`] | what of a message is shown, by name |
//! | [`readable`] | what bodies of known forms say |
//! | [`senml`] | measurements (RFC 8428) as lines |
//! | [`template`] | bodies that differ from message to message |
//! | [`topics`] | what is remembered of each topic, within a bound |
//! | [`visible`] | characters that drive terminals |
//! | [`standard`] | whether standard input and output were there when the command started |

mod bodies;
pub mod captures;
pub mod cbor;
pub(crate) mod comparison;
mod destination;
mod encoding;
pub mod expect;
mod follow;
pub(crate) mod inflate;
pub mod instant;
#[cfg(feature = "jq")]
pub mod jq;
#[cfg(not(feature = "jq"))]
#[path = "jq/absent.rs"]
pub mod jq;
pub(crate) mod json_text;
pub(crate) mod layout;
mod lines;
pub mod link;
pub mod map;
pub(crate) mod media;
pub mod msgpack;
pub(crate) mod pointer;
pub(crate) mod points;
pub mod protobuf;
mod rabtap;
pub mod readable;
mod reader;
mod record;
pub(crate) mod rows;
pub mod select;
pub mod senml;
pub mod sparkplug;
pub(crate) mod standard;
pub(crate) mod template;
pub(crate) mod topics;
mod unpack;
pub(crate) mod visible;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use bytestring::ByteString;

use crate::message::{Detail, Message};

use template::Template;

pub use bodies::Bodies;
pub use destination::Destination;
pub use encoding::Encoding;
pub use record::amqp_value;
pub(crate) use record::message_of_record;

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
    /// One body per line of standard input (`-l`).
    Lines(Framing),
    /// One body per line that is appended to a file, for as long as the command runs (`--follow`).
    Follow {
        /// The name, which may come to stand for another file, or for none.
        file: PathBuf,
        /// Whether the lines that are there already count too (`--from-start`).
        from_start: bool,
        /// How it is cut.
        framing: Framing,
    },
    /// One body of no bytes (`-n`).
    Empty,
    /// One body, filled in anew each time it is sent (`--template`).
    Template(Template),
    /// One body of so many random bytes, others each time it is sent (`--random`).
    Random(usize),
    /// One JSON record a line of standard input (`--ndjson`), as `--output json` writes them.
    Records,
    /// The records of a file, which may be compressed by gzip; one that is cut off at the end is skipped.
    Recording {
        /// `None`: standard input.
        file: Option<PathBuf>,
        /// What is in it.
        form: Form,
        /// So many bytes at its beginning are passed over.
        from: u64,
    },
}

/// What a recording looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A JSON record a line, as `--output json` writes them.
    #[default]
    Records,
    /// What the Python program mqtt-recorder writes (1.4): rows of topic, payload, QoS, retain flag, seconds since 1970 and the
    /// seconds since the row before.
    MqttRecorder(Payloads),
    /// What rabtap writes: a JSON object for each message, in one stream or in the files of a folder.
    Rabtap,
}

/// How the payloads of a table are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payloads {
    /// As they are.
    Text,
    /// In base64.
    Base64,
}

impl Source {
    /// Whether it is read as it comes, message by message, and only once.
    pub const fn is_stream(&self) -> bool {
        matches!(
            self,
            Self::Lines(_) | Self::Follow { .. } | Self::Records | Self::Recording { .. }
        )
    }

    /// What is said of a text that names a file, which other programs send: here it is sent itself.
    pub(crate) fn named_file(&self) -> Option<String> {
        let Self::Text(text) = self else {
            return None;
        };
        let name = std::str::from_utf8(text).ok()?.strip_prefix('@')?;
        let is_file = Path::new(name).is_file();
        is_file.then(|| format!("the text @{name} is sent; -f {name} sends the file"))
    }

    /// Whether its messages can say where they go.
    pub const fn names_topics(&self) -> bool {
        match self {
            Self::Records | Self::Recording { .. } => true,
            Self::Lines(framing) | Self::Follow { framing, .. } => framing.separator.is_some(),
            _ => false,
        }
    }
}

/// How a stream is cut into messages, and what of them is no body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framing {
    /// Where one ends.
    pub cut: Cut,
    /// A carriage return at its end does not belong to it (`--trim-cr`).
    pub trim_cr: bool,
    /// It begins with its topic, up to the first of these (`--topic-separator`); not empty.
    pub separator: Option<ByteString>,
}

impl Framing {
    /// Each ends with this byte. Empty ones, NUL bytes and carriage returns are kept, and the last needs no delimiter.
    pub const fn after(delimiter: u8) -> Self {
        Self {
            cut: Cut::After(delimiter),
            trim_cr: false,
            separator: None,
        }
    }
}

/// Where a message of a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// At this byte, or at the end of the stream.
    After(u8),
    /// Its length comes first, in four bytes, the most significant first (`--length-prefixed`).
    Length,
}

/// What the command line says about the messages that its input does not say.
#[derive(Clone, Debug)]
pub struct Outline {
    /// A message that names no topic of its own goes to each of these.
    pub topics: Vec<Destination>,
    /// What a record of the command's own protocol begins with; [`Detail::Plain`]: records of any protocol are taken.
    pub detail: Detail,
    /// What is wrong with a message that says where it goes, and is ready to be sent.
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
