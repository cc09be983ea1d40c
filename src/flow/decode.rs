//! What a body says, for people, as its content type has it; any protocol may carry one.

use bytes::Bytes;
use serde_json::Value;

use crate::error::brief;
use crate::message::{Detail, Message};
use crate::output::{Console, indented_json};
use crate::payload::{Encoding, cbor, link, senml};

/// The largest body that is decoded, in bytes; what is made of it is larger.
const LARGEST: usize = 4 << 20;

/// Shows bodies as text (`--decode`).
#[derive(Clone, Copy, Debug)]
pub struct Decode {
    by: ContentType,
    console: Console,
}

/// By which content type a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// The one that its message names.
    Named,
    /// This media type.
    Given(&'static str),
    /// None: the body is spelled in hexadecimal digits or base64.
    Spelled(Encoding),
}

/// How a content type is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Json,
    Cbor,
    CborSequence,
    SenmlJson,
    SenmlCbor,
    Links,
    /// As it is.
    Text,
    /// As it is, since it is not known here.
    Unknown,
}

impl Decode {
    /// By this content type; what cannot be decoded is reported on `console`.
    pub const fn new(by: ContentType, console: Console) -> Self {
        Self { by, console }
    }

    /// By which content type bodies are read.
    pub const fn content_type(&self) -> ContentType {
        self.by
    }

    /// The content type by which a message is read.
    fn media_type<'a>(&self, message: &'a Message) -> Option<&'a str> {
        match self.by {
            ContentType::Given(media_type) => Some(media_type),
            ContentType::Named | ContentType::Spelled(_) => media_type(message),
        }
    }

    /// Turns digits into the bytes that they stand for; what they cannot be stays as it is.
    pub fn respell(&self, message: &mut Message) {
        let ContentType::Spelled(encoding) = self.by else {
            return;
        };
        match encoding.decode(message.payload.clone()) {
            Ok(bytes) => message.payload = bytes,
            Err(why) => self
                .console
                .warn(format_args!("{}: the body is {why}", brief(&message.topic))),
        }
    }

    /// The same message with its body decoded; what cannot be decoded stays as it is.
    pub fn decoded(&self, message: Message) -> Message {
        if matches!(self.by, ContentType::Spelled(_)) {
            return message;
        }
        match decoded(self.media_type(&message), &message.payload) {
            Ok(payload) => Message { payload, ..message },
            Err(why) => {
                self.console.warn(why);
                message
            }
        }
    }
}

/// The body as JSON, where it is JSON or CBOR.
pub fn json(message: &Message, decode: Option<&Decode>) -> Option<Value> {
    let body = &message.payload;
    if body.len() > LARGEST {
        return None;
    }
    let media_type = match decode {
        Some(decode) => decode.media_type(message),
        None => media_type(message),
    };
    match reading(media_type) {
        Reading::Cbor | Reading::SenmlCbor => cbor::json(body).ok(),
        _ => serde_json::from_slice(body).ok(),
    }
}

/// What the message says of its body; empty for a content format without a media type.
fn media_type(message: &Message) -> Option<&str> {
    match &message.detail {
        Detail::Plain => None,
        Detail::Coap(coap) => coap
            .content_format
            .map(|_| coap.media_type.unwrap_or_default()),
        Detail::Mqtt(mqtt) => mqtt.properties.as_ref()?.content_type.as_deref(),
        Detail::Amqp(amqp) => amqp.properties.content_type.as_deref(),
    }
}

fn reading(media_type: Option<&str>) -> Reading {
    let Some(media_type) = media_type else {
        return Reading::Text;
    };
    // A content coding (RFC 7252 §12.3).
    if media_type.contains('@') {
        return Reading::Unknown;
    }
    let essence = media_type.split(';').next().unwrap_or_default();
    match essence.trim().to_ascii_lowercase().as_str() {
        // SenML and sensor streams (RFC 8428 §12.1).
        "application/senml+json" | "application/sensml+json" => Reading::SenmlJson,
        "application/senml+cbor" | "application/sensml+cbor" => Reading::SenmlCbor,
        "application/cbor-seq" => Reading::CborSequence,
        "application/link-format" => Reading::Links,
        "application/json" => Reading::Json,
        "application/cbor" => Reading::Cbor,
        other if other.ends_with("+json") => Reading::Json,
        other if other.ends_with("+cbor") || other.ends_with("+cose") => Reading::Cbor,
        other if other.starts_with("application/cose") => Reading::Cbor,
        other if other.starts_with("text/") || other.ends_with("xml") => Reading::Text,
        _ => Reading::Unknown,
    }
}

fn decoded(media_type: Option<&str>, body: &Bytes) -> Result<Bytes, String> {
    let name = media_type
        .filter(|it| !it.is_empty())
        .unwrap_or("a body of unknown format");
    if body.len() > LARGEST {
        return Err(format!(
            "a body of more than {LARGEST} bytes is not decoded"
        ));
    }
    match reading(media_type) {
        Reading::Unknown => Err(format!("{name} cannot be decoded")),
        reading => text_of(reading, body).map_err(|why| format!("not valid {name}: {why}")),
    }
}

fn text_of(reading: Reading, body: &Bytes) -> Result<Bytes, String> {
    let no_json = || String::from("it cannot be parsed");
    let json = |body: &[u8]| serde_json::from_slice(body).map_err(|fault| fault.to_string());
    let bad = |fault: cbor::BadCbor| fault.to_string();
    Ok(match reading {
        Reading::Json => indented_json(body).ok_or_else(no_json)?.into(),
        Reading::Cbor => cbor::diagnostic(body, true).map_err(bad)?.into(),
        Reading::CborSequence => cbor::sequence(body).map_err(bad)?.join("\n").into(),
        Reading::SenmlJson => senml::lines(&json(body)?)?.join("\n").into(),
        Reading::SenmlCbor => {
            let list = cbor::json(body).map_err(bad)?;
            senml::lines(&list)?.join("\n").into()
        }
        Reading::Links => {
            let text = str::from_utf8(body).map_err(|_| String::from("not UTF-8 text"))?;
            let links = link::parse(text).map_err(|fault| fault.to_string())?;
            let lines = links.iter().map(|it| link::write(std::slice::from_ref(it)));
            lines.collect::<Vec<_>>().join("\n").into()
        }
        Reading::Text | Reading::Unknown => body.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(media_type: &str, body: &'static [u8]) -> Result<String, String> {
        let text = decoded(Some(media_type), &Bytes::from_static(body))?;
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
