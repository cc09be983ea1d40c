//! What a body says, for people: as its content format has it.

use bytes::Bytes;
use serde_json::Value;

use crate::coap::format;
use crate::coap::link;
use crate::message::{Detail, Message};
use crate::output::indented_json;
use crate::payload::cbor;
use crate::payload::expect::Condition;
use crate::payload::senml;

/// The largest body that is decoded, in bytes; what is made of it is larger.
const LARGEST: usize = 4 << 20;

/// By which content format a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decode {
    /// The one that its message names.
    AsSaid,
    /// This one.
    As(u16),
}

/// How a content format is read.
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
    /// As it is, since nobody here knows it.
    Unknown,
}

/// The same message with its body decoded.
///
/// # Errors
/// Why its body is shown as it is: another format than it says, or none that is known.
pub(crate) fn decoded(message: &Message, decode: Decode) -> Result<Message, String> {
    let said = match decode {
        Decode::AsSaid => content_format(message),
        Decode::As(format) => Some(format),
    };
    let name = said
        .and_then(format::media_type)
        .unwrap_or("a body of unknown format");
    if message.payload.len() > LARGEST {
        return Err(format!(
            "a body of more than {LARGEST} bytes is not decoded"
        ));
    }
    let text = match reading(said) {
        Reading::Text => return Ok(message.clone()),
        Reading::Unknown => Err(format!("{name} cannot be decoded")),
        reading => {
            text_of(reading, &message.payload).map_err(|why| format!("not valid {name}: {why}"))
        }
    };
    Ok(Message {
        payload: text?,
        ..message.clone()
    })
}

/// Whether the body fulfils a condition; CBOR is looked into as JSON is.
pub(crate) fn fulfils(condition: &Condition, message: &Message) -> bool {
    condition.holds(&message.topic, &message.payload, || json_of(message))
}

fn json_of(message: &Message) -> Option<Value> {
    let body = &message.payload;
    if body.len() > LARGEST {
        return None;
    }
    match reading(content_format(message)) {
        Reading::Cbor | Reading::SenmlCbor => cbor::json(body).ok(),
        _ => serde_json::from_slice(body).ok(),
    }
}

fn content_format(message: &Message) -> Option<u16> {
    match &message.detail {
        Detail::Coap(coap) => coap.content_format,
        Detail::Mqtt(_) | Detail::Amqp(_) => None,
    }
}

fn reading(content_format: Option<u16>) -> Reading {
    let Some(number) = content_format else {
        return Reading::Text;
    };
    match number {
        // SenML and sensor streams (RFC 8428 §12.1).
        110 | 111 => return Reading::SenmlJson,
        112 | 113 => return Reading::SenmlCbor,
        63 => return Reading::CborSequence,
        format::LINK => return Reading::Links,
        _ => {}
    }
    let media_type = format::media_type(number).unwrap_or_default();
    let essence = media_type.split([';', '@']).next().unwrap_or_default();
    if media_type.contains('@') {
        return Reading::Unknown;
    }
    match essence {
        "application/json" => Reading::Json,
        "application/cbor" => Reading::Cbor,
        _ if essence.ends_with("+json") => Reading::Json,
        _ if essence.ends_with("+cbor") || essence.ends_with("+cose") => Reading::Cbor,
        _ if essence.starts_with("application/cose") => Reading::Cbor,
        _ if format::is_text(number) => Reading::Text,
        _ => Reading::Unknown,
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

    fn shown(number: u16, body: &'static [u8]) -> Result<String, String> {
        let text = text_of(reading(Some(number)), &Bytes::from_static(body))?;
        Ok(String::from_utf8(text.to_vec()).expect("text"))
    }

    #[test]
    fn each_format_is_read_in_its_way() {
        assert_eq!(
            shown(50, b"{\"a\":1.50}").as_deref(),
            Ok("{\n  \"a\": 1.50\n}")
        );
        assert_eq!(shown(60, b"\x81\x01").as_deref(), Ok("[\n  1\n]"));
        assert_eq!(shown(63, b"\x01\x81\x02").as_deref(), Ok("1\n[2]"));
        assert_eq!(shown(110, b"[{\"n\":\"a\",\"v\":1}]").as_deref(), Ok("a 1"));
        assert_eq!(shown(112, b"\x81\xa2\x00aa\x02\x01").as_deref(), Ok("a 1"));
        assert_eq!(
            shown(40, b"</a>;rt=x,</b>").as_deref(),
            Ok("</a>;rt=\"x\"\n</b>")
        );
        assert_eq!(shown(0, b"x").as_deref(), Ok("x"));
        for number in [50, 60, 63, 110, 112, 40] {
            assert!(shown(number, b"\xff<").is_err(), "{number}");
        }
        assert_eq!(
            (reading(Some(42)), reading(Some(11_050))),
            (Reading::Unknown, Reading::Unknown)
        );
        assert_eq!(
            (reading(Some(256)), reading(None)),
            (Reading::Json, Reading::Text)
        );
    }
}
