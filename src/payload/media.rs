//! How a body is read, by the media type that its message names.

use std::borrow::Cow;

use super::{cbor, msgpack};
use crate::message::{Detail, Message};

/// The largest body that is looked into, in bytes; what is made of it is larger.
pub(crate) const LARGEST: usize = 4 << 20;

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
