//! What a body says, for people or for programs, as its content type has it; any protocol may carry one.

use std::cell::{Cell, OnceCell, RefCell};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::error::{Error, Result, brief};
use crate::file;
use crate::message::Message;
use crate::output::{Console, indented_json};
use crate::payload::media::{self, LARGEST, Reading, media_type, reading};
use crate::payload::protobuf::{self, Schema};
use crate::payload::readable::{json_of, text_of};
use crate::payload::sparkplug::{self, Births};
use crate::payload::{Encoding, msgpack};

/// Shows bodies as text (`--decode`).
#[derive(Clone, Debug)]
pub struct Decode {
    by: ContentType,
    shape: Shape,
    schema: Option<SchemaFile>,
    /// What Sparkplug's edge nodes have said of their metrics.
    births: RefCell<Births>,
    /// How many bodies stayed as they were.
    left: Cell<u64>,
    console: Console,
}

/// Who reads what is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// People: over several lines.
    Text,
    /// Programs: JSON in one line.
    Json,
    /// Programs, as they come: only what no other program reads, and what is spelled in digits, is decoded.
    Bytes,
}

/// By which content type a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// The one that its message names, or its topic, where that is one of Sparkplug's.
    Named,
    /// This media type.
    Given(&'static str),
    /// None: the body is spelled in hexadecimal digits or base64.
    Spelled(Encoding),
    /// Sparkplug B, on the topics that are Sparkplug's.
    Sparkplug,
}

/// The schema of protobuf messages.
#[derive(Clone, Debug)]
pub struct SchemaFile {
    /// A compiled descriptor set.
    pub path: PathBuf,
    /// The type of the bodies; it need not be said where the file has one only.
    pub message: Option<String>,
    read: OnceCell<Arc<Schema>>,
}

impl SchemaFile {
    /// One that is not read yet.
    pub const fn new(path: PathBuf, message: Option<String>) -> Self {
        Self {
            path,
            message,
            read: OnceCell::new(),
        }
    }

    fn read(&self) -> Result<()> {
        let bytes = file::read(&self.path, file::SMALL)?;
        let schema = Schema::read(&bytes, self.message.as_deref()).map_err(|why| {
            Error::usage(format!("{}: {why}", self.path.display()))
                .hint("protoc --include_imports --descriptor_set_out=FILE compiles a .proto file")
        })?;
        // It is read once.
        let _ = self.read.set(Arc::new(schema));
        Ok(())
    }
}

impl Decode {
    /// By this content type; what cannot be decoded is reported on `console`.
    pub fn new(
        by: ContentType,
        shape: Shape,
        schema: Option<SchemaFile>,
        console: Console,
    ) -> Self {
        Self {
            by,
            shape,
            schema,
            births: RefCell::default(),
            left: Cell::new(0),
            console,
        }
    }

    /// Reads the schema, if there is one.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) or [`Kind::Local`](crate::error::Kind::Local) that names the file.
    pub fn load(&self) -> Result<()> {
        self.schema.as_ref().map_or(Ok(()), SchemaFile::read)
    }

    /// By which content type bodies are read.
    pub const fn content_type(&self) -> ContentType {
        self.by
    }

    /// How many bodies could not be decoded.
    pub const fn left(&self) -> u64 {
        self.left.get()
    }

    /// The content type by which a message is read.
    fn media_type<'a>(&self, message: &'a Message) -> Option<&'a str> {
        match self.by {
            ContentType::Given(media_type) => Some(media_type),
            ContentType::Named | ContentType::Spelled(_) | ContentType::Sparkplug => {
                media_type(message)
            }
        }
    }

    /// Turns what no condition could look into, into JSON, and digits into the bytes that they stand for; what they cannot be
    /// stays as it is.
    pub fn prepare(&self, message: &mut Message) {
        match self.prepared(message) {
            None => {}
            Some(Ok(payload)) => message.payload = payload,
            Some(Err(why)) => {
                self.left.set(self.left.get() + 1);
                self.console
                    .warn(format_args!("{}: the body is {why}", brief(&message.topic)));
            }
        }
    }

    fn prepared(&self, message: &Message) -> Option<Result<Bytes, String>> {
        let body = &message.payload;
        if let ContentType::Spelled(encoding) = self.by {
            return Some(encoding.decode(body.clone()));
        }
        if self.by == ContentType::Sparkplug && !message.topic.starts_with(sparkplug::NAMESPACE) {
            let text = "not decoded: its topic does not begin with spBv1.0/";
            return Some(Err(text.to_owned()));
        }
        let reading = reading(self.media_type(message));
        let is_sparkplug = match self.by {
            ContentType::Sparkplug => sparkplug::is_topic(&message.topic),
            ContentType::Named => {
                media_type(message).is_none() && sparkplug::is_topic(&message.topic)
            }
            _ => false,
        };
        if !is_sparkplug && !is_prepared(reading) {
            return None;
        }
        if body.len() > LARGEST {
            return Some(Err(format!("longer than {LARGEST} bytes, and not decoded")));
        }
        let (form, text) = if is_sparkplug {
            let text = self.births.borrow_mut().json(&message.topic, body);
            ("Sparkplug B", text.map_err(|why| why.to_string()))
        } else if reading == Reading::MessagePack {
            (
                "MessagePack",
                msgpack::json(body).map_err(|why| why.to_string()),
            )
        } else {
            let schema = self.schema.as_ref().and_then(|it| it.read.get());
            let text = protobuf::json(body, schema.map(|it| &**it));
            ("protobuf", text.map_err(|why| why.to_string()))
        };
        Some(
            text.map(Bytes::from)
                .map_err(|why| format!("not valid {form}: {why}")),
        )
    }

    /// The same message with its body decoded; what cannot be decoded stays as it is.
    pub fn decoded(&self, message: Message) -> Message {
        if self.shape == Shape::Bytes || matches!(self.by, ContentType::Spelled(_)) {
            return message;
        }
        let is_sparkplug = sparkplug::is_topic(&message.topic);
        let reading = match self.by {
            ContentType::Sparkplug if is_sparkplug => Reading::Protobuf,
            ContentType::Sparkplug => return message,
            ContentType::Named if is_sparkplug && media_type(&message).is_none() => {
                Reading::Protobuf
            }
            _ => reading(self.media_type(&message)),
        };
        let name = self.media_type(&message).filter(|it| !it.is_empty());
        match decoded(reading, self.shape, name, &message.payload) {
            Ok(payload) => Message { payload, ..message },
            Err(why) => {
                self.left.set(self.left.get() + 1);
                self.console.warn(why);
                message
            }
        }
    }
}

/// Whether bodies become JSON before anything looks at them.
const fn is_prepared(reading: Reading) -> bool {
    matches!(reading, Reading::MessagePack | Reading::Protobuf)
}

/// The body as JSON, where it is JSON or can be had as JSON.
pub(crate) fn json(message: &Message, decode: Option<&Decode>) -> Option<Value> {
    let given = decode.and_then(|decode| decode.media_type(message));
    serde_json::from_slice(&media::json_text(message, given)?).ok()
}

fn decoded(
    reading: Reading,
    shape: Shape,
    name: Option<&str>,
    body: &Bytes,
) -> Result<Bytes, String> {
    let name = name.unwrap_or("a body of unknown format");
    if body.len() > LARGEST {
        return Err(format!(
            "a body of more than {LARGEST} bytes is not decoded"
        ));
    }
    let made = match (reading, shape) {
        (Reading::Unknown, _) => return Err(format!("{name} cannot be decoded")),
        // What could not be prepared was reported then.
        (reading, Shape::Text) if is_prepared(reading) => {
            return Ok(indented_json(body).map_or_else(|| body.clone(), Bytes::from));
        }
        (Reading::Json, Shape::Text) => indented_json(body)
            .map(Bytes::from)
            .ok_or_else(|| String::from("it cannot be parsed")),
        (reading, Shape::Text) => text_of(reading, body),
        (reading, Shape::Json | Shape::Bytes) => json_of(reading, body),
    };
    made.map_err(|why| format!("not valid {name}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(media_type: &str, body: &'static [u8]) -> Result<String, String> {
        let reading = reading(Some(media_type));
        let text = decoded(
            reading,
            Shape::Text,
            Some(media_type),
            &Bytes::from_static(body),
        )?;
        Ok(String::from_utf8(text.to_vec()).expect("text"))
    }

    #[test]
    fn each_format_is_read_in_its_way() {
        let json = "application/json; charset=utf-8";
        let senml = ["application/senml+json", "application/sensml+cbor"];
        let table: [(&str, &[u8], &str); 7] = [
            (json, b"{\"a\":1.50}", "{\n  \"a\": 1.50\n}"),
            ("application/CBOR", b"\x81\x01", "[\n  1\n]"),
            ("application/cbor-seq", b"\x01\x81\x02", "1\n[2]"),
            (senml[0], b"[{\"n\":\"a\",\"v\":1}]", "a 1"),
            (senml[1], b"\x81\xa2\x00aa\x02\x01", "a 1"),
            (
                "application/link-format",
                b"</a>;rt=x,</b>",
                "</a>;rt=\"x\"\n</b>",
            ),
            ("text/plain", b"x", "x"),
        ];
        for (media_type, body, text) in table {
            assert_eq!(shown(media_type, body).as_deref(), Ok(text), "{media_type}");
            if reading(Some(media_type)) != Reading::Text {
                assert!(shown(media_type, b"\xff<").is_err(), "{media_type}");
            }
        }
        for unknown in ["application/octet-stream", "application/json@deflate", ""] {
            assert_eq!(reading(Some(unknown)), Reading::Unknown, "{unknown}");
        }
        assert_eq!(reading(Some("application/geo+json")), Reading::Json);
        assert_eq!(reading(None), Reading::Text);
    }
}
