//! Makes and reads bodies: files, stdin, lines, records, hex and base64.
//!
//! | part | what it is for |
//! |---|---|
//! | [`Source`] | where bodies come from |
//! | [`Encoding`] | how they are spelled there |
//! | [`Bodies`] | reads them, in batches, without ever blocking the caller's event loop |
//! | [`Body`] | one of them |
//! | [`cbor`] | CBOR as text, and from text |
//! | [`comparison`] | the operators of conditions and thresholds |
//! | [`expect`] | conditions on a body: `payload == 21.5`, `/temp > 20` |
//! | [`inflate`] | compressed bodies |
//! | [`replay`] | recorded messages at their pace |
//! | [`senml`] | measurements (RFC 8428) as lines |
//! | [`template`] | bodies that differ from message to message |
//! | [`standard`] | whether standard input and output were there when the command started |

mod bodies;
pub mod cbor;
pub mod comparison;
mod encoding;
pub mod expect;
pub mod inflate;
mod lines;
mod reader;
mod record;
pub mod replay;
pub mod senml;
pub mod standard;
pub mod template;

use std::path::PathBuf;
use std::time::SystemTime;

use bytes::Bytes;
use bytestring::ByteString;

use crate::message::{AmqpProperties, MqttProperties};

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

/// What is to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// When the record was made, if it says so in a way that can be read.
    pub time: Option<SystemTime>,
    /// The topic that the record names.
    pub topic: Option<ByteString>,
    /// The bytes, decoded.
    pub payload: Bytes,
    /// The record's QoS: 0, 1 or 2.
    pub qos: Option<u8>,
    /// The record's retain flag.
    pub retain: Option<bool>,
    /// The record's MQTT 5 properties, without topic alias and subscription identifiers, which belong to
    /// the connection that the message was received on.
    pub properties: Option<Box<MqttProperties>>,
    /// What the record says about AMQP.
    pub amqp: Option<Box<AmqpArgs>>,
}

/// What a record says about an AMQP message, besides its routing key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AmqpArgs {
    /// The exchange; empty for the default exchange.
    pub exchange: Option<ByteString>,
    /// Its basic properties.
    pub properties: AmqpProperties,
}

// A header may be NaN, which no test and no user compares.
impl Eq for AmqpArgs {}

impl Body {
    /// A body that says nothing about topic, QoS, retain or properties.
    pub fn plain(payload: Bytes) -> Self {
        Self {
            payload,
            ..Self::default()
        }
    }
}
