//! The `amqp` member of a record.
//!
//! Headers are JSON as far as JSON goes: integers of every width and timestamps are numbers, floats that are no
//! numbers are texts, and bytes that are no text are `{"!base64":"…"}`. What would be read back as another type has its own in
//! `header_types`, by JSON Pointer (RFC 6901): also a table that looks like such bytes. Names that JSON cannot have, or not twice,
//! are spelled as [`message::name`](crate::message::name) has it.

use std::borrow::Cow;
use std::collections::HashMap;

use bytestring::ByteString;

use crate::message::name::numbered;
use crate::message::{AmqpDetail, AmqpProperties, AmqpValue, decimal};

use super::super::base64;
use super::{push_list, push_name, push_number_field, push_string};

pub(super) fn push(amqp: &AmqpDetail, into: &mut Vec<u8>) {
    into.extend_from_slice(b",\"amqp\":{\"exchange\":");
    match amqp.properties.not_text("exchange") {
        None => push_string(&amqp.exchange, into),
        Some(bytes) => push_bytes(bytes, into),
    }
    into.extend_from_slice(if amqp.redelivered {
        b",\"redelivered\":true"
    } else {
        b",\"redelivered\":false"
    });
    if amqp.delivery_tag != 0 {
        push_name("delivery_tag", into);
        into.extend_from_slice(amqp.delivery_tag.to_string().as_bytes());
    }
    push_properties(&amqp.properties, into);
    into.push(b'}');
}

fn push_properties(properties: &AmqpProperties, into: &mut Vec<u8>) {
    let texts = [
        ("content_type", &properties.content_type),
        ("content_encoding", &properties.content_encoding),
        ("correlation_id", &properties.correlation_id),
        ("reply_to", &properties.reply_to),
        ("expiration", &properties.expiration),
        ("message_id", &properties.message_id),
        ("type", &properties.kind),
        ("user_id", &properties.user_id),
        ("app_id", &properties.app_id),
        ("cluster_id", &properties.cluster_id),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            push_name(name, into);
            push_string(text, into);
        }
    }
    let numbers = [
        ("delivery_mode", properties.delivery_mode),
        ("priority", properties.priority),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            push_number_field(name, number.into(), into);
        }
    }
    if let Some(seconds) = properties.timestamp {
        push_name("timestamp", into);
        into.extend_from_slice(seconds.to_string().as_bytes());
    }
    if !properties.headers.is_empty() {
        push_name("headers", into);
        push_table(&properties.headers, into);
        let mut types = Vec::new();
        table_types(&properties.headers, "", &mut types);
        if !types.is_empty() {
            push_name("header_types", into);
            push_table(&types, into);
        }
    }
    let others = properties.not_text.iter();
    for (name, bytes) in others.filter(|(name, _)| *name != "exchange") {
        push_name(name, into);
        push_bytes(bytes, into);
    }
}

fn push_bytes(bytes: &[u8], into: &mut Vec<u8>) {
    into.extend_from_slice(b"{\"!base64\":\"");
    base64::push(bytes, into);
    into.extend_from_slice(b"\"}");
}

/// The types that JSON does not have, by their letters in AMQP 0-9-1 §4.2.5.5; `D` is followed by the scale.
fn table_types(
    pairs: &[(ByteString, AmqpValue)],
    pointer: &str,
    into: &mut Vec<(ByteString, AmqpValue)>,
) {
    for (name, value) in members(pairs) {
        let name = name.replace('~', "~0").replace('/', "~1");
        types(value, format!("{pointer}/{name}"), into);
    }
}

fn types(value: &AmqpValue, pointer: String, into: &mut Vec<(ByteString, AmqpValue)>) {
    let letter = match value {
        AmqpValue::Int32(_) => ByteString::from_static("I"),
        AmqpValue::Timestamp(_) => ByteString::from_static("T"),
        AmqpValue::Double(value) if !value.is_finite() => ByteString::from_static("d"),
        AmqpValue::Decimal { scale, .. } => format!("D{scale}").into(),
        AmqpValue::List(items) => {
            for (at, item) in items.iter().enumerate() {
                types(item, format!("{pointer}/{at}"), into);
            }
            return;
        }
        AmqpValue::Table(pairs) => {
            if looks_like_bytes(pairs) {
                let letter = AmqpValue::Text(ByteString::from_static("F"));
                into.push((pointer.clone().into(), letter));
            }
            return table_types(pairs, &pointer, into);
        }
        _ => return,
    };
    into.push((pointer.into(), AmqpValue::Text(letter)));
}

/// Whether a table would be read back as [`push_bytes`] writes bytes.
fn looks_like_bytes(pairs: &[(ByteString, AmqpValue)]) -> bool {
    match pairs {
        [(name, AmqpValue::Text(_))] => *name == "!base64",
        [(name, AmqpValue::Double(value))] => *name == "!base64" && !value.is_finite(),
        _ => false,
    }
}

/// The pairs as members of one object: of equal names all but the first are numbered.
fn members(pairs: &[(ByteString, AmqpValue)]) -> impl Iterator<Item = (Cow<'_, str>, &AmqpValue)> {
    // Those that were received are sorted.
    let unique = pairs.is_sorted_by(|(one, _), (other, _)| one < other);
    let mut counts: HashMap<&str, usize> = HashMap::new();
    pairs.iter().map(move |(name, value)| {
        let count = match unique {
            true => 1,
            false => *counts
                .entry(&**name)
                .and_modify(|count| *count += 1)
                .or_insert(1),
        };
        let name = match count {
            1 => Cow::Borrowed(&**name),
            count => Cow::Owned(numbered(name, count)),
        };
        (name, value)
    })
}

fn push_table(pairs: &[(ByteString, AmqpValue)], into: &mut Vec<u8>) {
    into.push(b'{');
    for (index, (name, value)) in members(pairs).enumerate() {
        if index > 0 {
            into.push(b',');
        }
        push_string(&name, into);
        into.push(b':');
        push_value(value, into);
    }
    into.push(b'}');
}

fn push_value(value: &AmqpValue, into: &mut Vec<u8>) {
    let plain = |text: String, into: &mut Vec<u8>| into.extend_from_slice(text.as_bytes());
    match value {
        AmqpValue::Bool(value) => plain(value.to_string(), into),
        AmqpValue::Int(value) => plain(value.to_string(), into),
        AmqpValue::Int32(value) => plain(value.to_string(), into),
        AmqpValue::Timestamp(seconds) => plain(seconds.to_string(), into),
        // `{:?}` keeps the point of 1.0, so that it reads back as what it was.
        AmqpValue::Double(value) if value.is_finite() => plain(format!("{value:?}"), into),
        AmqpValue::Double(value) => push_string(&value.to_string(), into),
        AmqpValue::Decimal { digits, scale } => plain(decimal(*digits, *scale), into),
        AmqpValue::Text(text) => push_string(text, into),
        AmqpValue::Bytes(bytes) => push_bytes(bytes, into),
        AmqpValue::List(items) => push_list(items, into, push_value),
        AmqpValue::Table(pairs) => push_table(pairs, into),
        AmqpValue::Void => into.extend_from_slice(b"null"),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::super::super::testing::{message, shown};
    use super::super::Json;
    use super::*;
    use crate::message::{Detail, Message};

    fn record(detail: AmqpDetail) -> Value {
        let message = Message {
            detail: Detail::Amqp(Box::new(detail)),
            ..message("orders.new", b"1")
        };
        serde_json::from_str(&shown(&mut Json::new(false, false, false), &message)).unwrap()
    }

    #[test]
    fn the_least_record() {
        let record = record(AmqpDetail::default());
        assert_eq!(record["protocol"], "amqp");
        assert_eq!(record["topic"], "orders.new");
        assert_eq!(
            record["amqp"],
            json!({"exchange": "", "redelivered": false})
        );
    }

    #[test]
    fn every_type_of_header_is_valid_json() {
        let headers = vec![
            ("bool".into(), AmqpValue::Bool(true)),
            ("int".into(), AmqpValue::Int(-9_007_199_254_740_993)),
            ("double".into(), AmqpValue::Double(1.0)),
            ("nan".into(), AmqpValue::Double(f64::NAN)),
            (
                "decimal".into(),
                AmqpValue::Decimal {
                    digits: 1234,
                    scale: 2,
                },
            ),
            ("text".into(), AmqpValue::Text("\"\n".into())),
            (
                "bytes".into(),
                AmqpValue::Bytes(Bytes::from_static(b"\xff")),
            ),
            ("time".into(), AmqpValue::Timestamp(u64::MAX)),
            (
                "list".into(),
                AmqpValue::List(vec![AmqpValue::Void, AmqpValue::Int32(1)]),
            ),
            (
                "table".into(),
                AmqpValue::Table(vec![("a".into(), AmqpValue::Table(Vec::new()))]),
            ),
        ];
        let record = record(AmqpDetail {
            delivery_tag: 7,
            properties: AmqpProperties {
                headers,
                priority: Some(3),
                timestamp: Some(5),
                kind: Some("order".into()),
                ..AmqpProperties::default()
            },
            ..AmqpDetail::default()
        });
        let amqp = &record["amqp"];
        assert_eq!(amqp["type"], "order");
        assert_eq!(
            (&amqp["priority"], &amqp["timestamp"]),
            (&json!(3), &json!(5))
        );
        let expected = json!({"bool": true, "int": -9_007_199_254_740_993_i64, "double": 1.0, "nan": "NaN",
            "decimal": 12.34, "text": "\"\n", "bytes": {"!base64": "/w=="}, "time": u64::MAX,
            "list": [null, 1], "table": {"a": {}}});
        assert_eq!(amqp["headers"], expected);
        let types = json!({"/nan": "d", "/decimal": "D2", "/time": "T", "/list/1": "I"});
        assert_eq!(amqp["header_types"], types);
    }

    #[test]
    fn a_name_that_comes_twice_is_there_twice() {
        let headers = vec![
            ("a".into(), AmqpValue::Timestamp(5)),
            ("a".into(), AmqpValue::Text("x".into())),
            ("a".into(), AmqpValue::Int32(7)),
        ];
        let record = record(AmqpDetail {
            properties: AmqpProperties {
                headers,
                ..AmqpProperties::default()
            },
            ..AmqpDetail::default()
        });
        let amqp = &record["amqp"];
        let expected = json!({"a": 5, "a\u{EF01}2": "x", "a\u{EF01}3": 7});
        assert_eq!(amqp["headers"], expected);
        let types = json!({"/a": "T", "/a\u{EF01}3": "I"});
        assert_eq!(amqp["header_types"], types);
    }

    #[test]
    fn what_is_not_text_comes_as_bytes() {
        let bytes = |name| (name, Bytes::from_static(b"\xff"));
        let record = record(AmqpDetail {
            properties: AmqpProperties {
                not_text: vec![bytes("correlation_id"), bytes("exchange")],
                ..AmqpProperties::default()
            },
            ..AmqpDetail::default()
        });
        let expected = json!({"!base64": "/w=="});
        assert_eq!(record["amqp"]["exchange"], expected);
        assert_eq!(record["amqp"]["correlation_id"], expected);
    }
}
