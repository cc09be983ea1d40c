//! How a body is read, by the media type that its message names.

use std::borrow::Cow;

use bytestring::ByteString;

use super::{cbor, msgpack};
use crate::message::{Detail, Message};

/// The largest body that is looked into, in bytes; what is made of it is larger.
pub(crate) const LARGEST: usize = 4 << 20;

/// The user property that names an encoding, as the field of HTTP does; MQTT has none of its own.
const PROPERTY: &str = "content-encoding";

/// What gzip begins with (RFC 1952 §2.3.1); no text does.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// What a frame of zstd begins with (RFC 8878 §3.1.1).
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// How a content type is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Json,
    Cbor,
    CborSequence,
    MessagePack,
    Protobuf,
    SenmlJson,
    SenmlCbor,
    Links,
    /// As it is.
    Text,
    /// As it is, since it is not known here.
    Unknown,
}

/// What the message says of its body; empty for a content format without a media type.
pub(crate) fn media_type(message: &Message) -> Option<&str> {
    match &message.detail {
        Detail::Plain => None,
        Detail::Coap(coap) => coap
            .content_format
            .map(|_| coap.media_type.unwrap_or_default()),
        Detail::Mqtt(mqtt) => mqtt.properties.as_ref()?.content_type.as_deref(),
        Detail::Amqp(amqp) => amqp.properties.content_type.as_deref(),
    }
}

/// The encoding of the body: AMQP's content encoding; MQTT's user property, or gzip and zstd by their first bytes; what follows the
/// `@` of a CoAP content format (RFC 7252 §12.3).
pub(crate) fn encoding(message: &Message) -> Option<String> {
    let named = match &message.detail {
        Detail::Amqp(amqp) => amqp.properties.content_encoding.as_deref(),
        Detail::Mqtt(mqtt) => {
            let properties = mqtt.properties.as_ref();
            let mut named = properties.iter().flat_map(|it| &it.user_properties);
            let named = named.find_map(|(name, value)| names_encoding(name).then_some(&**value));
            let begins = |begin: &[u8]| message.payload.starts_with(begin);
            named
                .or_else(|| begins(GZIP).then_some("gzip"))
                .or_else(|| begins(ZSTD).then_some("zstd"))
        }
        Detail::Coap(coap) => coap.media_type.and_then(|it| Some(it.split_once('@')?.1)),
        Detail::Plain => None,
    };
    named
        .filter(|name| !matches!(*name, "" | "identity"))
        .map(str::to_owned)
}

/// Whether a user property of this name names an encoding.
pub(crate) fn names_encoding(name: &ByteString) -> bool {
    name.eq_ignore_ascii_case(PROPERTY)
}

/// How a body of this media type is read.
pub(crate) fn reading(media_type: Option<&str>) -> Reading {
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
        // Registered, and what was in use before.
        "application/vnd.msgpack" | "application/msgpack" | "application/x-msgpack" => {
            Reading::MessagePack
        }
        "application/protobuf" | "application/x-protobuf" | "application/vnd.google.protobuf" => {
            Reading::Protobuf
        }
        other if other.ends_with("+json") => Reading::Json,
        other if other.ends_with("+cbor") || other.ends_with("+cose") => Reading::Cbor,
        other if other.starts_with("application/cose") => Reading::Cbor,
        other if other.starts_with("text/") || other.ends_with("xml") => Reading::Text,
        _ => Reading::Unknown,
    }
}

/// A body that is JSON, or can be had as JSON; of another media type than its message names where one is `given`.
pub(crate) fn json_text<'a>(message: &'a Message, given: Option<&str>) -> Option<Cow<'a, [u8]>> {
    let body = &message.payload;
    if body.len() > LARGEST {
        return None;
    }
    let converted = match reading(given.or_else(|| media_type(message))) {
        Reading::Cbor | Reading::SenmlCbor => cbor::json(body)
            .ok()
            .and_then(|value| serde_json::to_vec(&value).ok()),
        Reading::MessagePack => msgpack::json(body).ok().map(String::into_bytes),
        _ => None,
    };
    // It may have become JSON meanwhile, or be named wrongly.
    Some(converted.map_or(Cow::Borrowed(&**body), Cow::Owned))
}
