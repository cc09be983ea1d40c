//! What a body of typed values is as bytes (AMQP 1.0 part 3 §3.2.6–3.2.8), and such values as ours.

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use fe2o3_amqp::types::messaging::Body;
use fe2o3_amqp::types::primitives::{Uuid, Value};
use serde_json::{Map, Number, Value as Json};

use crate::message::AmqpValue;

/// Data as it is, text as its bytes, and everything else as JSON.
pub(super) fn bytes(body: Body<Value>) -> Bytes {
    match body {
        Body::Data(sections) => {
            let mut sections = sections
                .into_inner()
                .into_iter()
                .map(|data| data.0.into_vec());
            let mut whole = sections.next().unwrap_or_default();
            sections.for_each(|more| whole.extend(more));
            whole.into()
        }
        Body::Value(section) => match section.0 {
            Value::Null => Bytes::new(),
            Value::String(text) => text.into(),
            Value::Symbol(symbol) => symbol.into_inner().into(),
            Value::Binary(bytes) => bytes.into_vec().into(),
            typed => json(typed).to_string().into(),
        },
        Body::Sequence(sections) => {
            let items = sections
                .into_inner()
                .into_iter()
                .flat_map(|section| section.0);
            Json::Array(items.map(json).collect()).to_string().into()
        }
        Body::Empty => Bytes::new(),
    }
}

/// The text of what is a text.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Symbol(symbol) => Some(symbol.as_str()),
        _ => None,
    }
}

/// `6ba7b810-9dad-11d1-80b4-00c04fd430c8`
pub(super) fn uuid(uuid: &Uuid) -> String {
    let digits = HEXLOWER.encode(uuid.as_ref());
    let part = |from, to| digits.get(from..to).unwrap_or_default();
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}

/// The value as one of ours; times are whole seconds there.
pub(super) fn value(from: Value) -> AmqpValue {
    match from {
        Value::Null => AmqpValue::Void,
        Value::Bool(value) => AmqpValue::Bool(value),
        Value::Float(value) => AmqpValue::Double(value.into_inner().into()),
        Value::Double(value) => AmqpValue::Double(value.into_inner()),
        Value::Binary(bytes) => AmqpValue::Bytes(bytes.into_vec().into()),
        Value::Timestamp(time) => {
            AmqpValue::Timestamp(u64::try_from(time.milliseconds() / 1000).unwrap_or(0))
        }
        Value::List(items) => AmqpValue::List(items.into_iter().map(value).collect()),
        Value::Array(items) => AmqpValue::List(items.0.into_iter().map(value).collect()),
        Value::Map(pairs) => {
            let pairs = pairs.into_iter();
            let pairs = pairs.map(|(name, item)| (name_of(name).into(), value(item)));
            AmqpValue::Table(pairs.collect())
        }
        Value::Described(described) => value(described.value),
        other => match integer(&other) {
            Some(number) => AmqpValue::Int(number),
            None => AmqpValue::Text(word(other).into()),
        },
    }
}

fn json(from: Value) -> Json {
    match from {
        Value::Null => Json::Null,
        Value::Bool(value) => value.into(),
        Value::Ulong(number) => number.into(),
        Value::Float(value) => float(value.into_inner().into()),
        Value::Double(value) => float(value.into_inner()),
        Value::Binary(bytes) => BASE64.encode(&bytes).into(),
        Value::Timestamp(time) => time.milliseconds().into(),
        Value::List(items) => items.into_iter().map(json).collect(),
        Value::Array(items) => items.0.into_iter().map(json).collect(),
        Value::Map(pairs) => {
            let pairs = pairs.into_iter();
            let pairs = pairs.map(|(name, item)| (name_of(name), json(item)));
            Json::Object(pairs.collect::<Map<_, _>>())
        }
        Value::Described(described) => json(described.value),
        other => match integer(&other) {
            Some(number) => number.into(),
            None => word(other).into(),
        },
    }
}

/// Not a number and infinity are none in JSON.
fn float(value: f64) -> Json {
    Number::from_f64(value).map_or_else(|| value.to_string().into(), Json::Number)
}

fn integer(value: &Value) -> Option<i64> {
    Some(match *value {
        Value::Ubyte(number) => number.into(),
        Value::Ushort(number) => number.into(),
        Value::Uint(number) => number.into(),
        Value::Ulong(number) => i64::try_from(number).ok()?,
        Value::Byte(number) => number.into(),
        Value::Short(number) => number.into(),
        Value::Int(number) => number.into(),
        Value::Long(number) => number,
        _ => return None,
    })
}

/// The key of a map as the name of a member.
fn name_of(key: Value) -> String {
    match integer(&key) {
        Some(number) => number.to_string(),
        None => word(key),
    }
}

/// What is left: texts, characters, identifiers and decimals, which are shown as their digits in base 16.
fn word(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Symbol(symbol) => symbol.into_inner(),
        Value::Char(character) => character.into(),
        Value::Uuid(id) => uuid(&id),
        Value::Ulong(number) => number.to_string(),
        Value::Decimal32(digits) => HEXLOWER.encode(digits.as_inner()),
        Value::Decimal64(digits) => HEXLOWER.encode(digits.as_inner()),
        Value::Decimal128(digits) => HEXLOWER.encode(digits.as_inner()),
        other => json(other).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use fe2o3_amqp::types::messaging::{AmqpSequence, AmqpValue as Section, Batch, Data};
    use fe2o3_amqp::types::primitives::{Binary, Symbol, Timestamp};

    use super::*;

    #[test]
    fn each_kind_of_body_is_bytes() {
        let data = |bytes: &[u8]| Data(Binary::from(bytes.to_vec()));
        let two = Body::Data(Batch::from(vec![data(b"a\xff"), data(b"b")]));
        assert_eq!(bytes(two), &b"a\xffb"[..]);
        for (value, shown) in [
            (Value::String("ü".into()), "ü"),
            (Value::Symbol(Symbol::from("s")), "s"),
            (Value::Null, ""),
            (Value::Bool(true), "true"),
            (Value::Ulong(u64::MAX), "18446744073709551615"),
            (Value::Byte(-1), "-1"),
            (Value::Timestamp(Timestamp::from_milliseconds(5)), "5"),
            (Value::Double(f64::NAN.into()), "\"NaN\""),
            (Value::List(vec![Value::Int(1), Value::Null]), "[1,null]"),
        ] {
            assert_eq!(bytes(Body::Value(Section(value))), shown);
        }
        let sequences = vec![
            AmqpSequence(vec![Value::Uint(1)]),
            AmqpSequence(vec![Value::Char('x')]),
        ];
        assert_eq!(bytes(Body::Sequence(Batch::from(sequences))), "[1,\"x\"]");
        assert_eq!(bytes(Body::Empty), "");
    }

    #[test]
    fn identifiers_are_written_as_usual() {
        let id = Uuid::from([
            0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0, 0xc0, 0x4f, 0xd4, 0x30,
            0xc8,
        ]);
        assert_eq!(uuid(&id), "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
        assert_eq!(
            value(Value::Uuid(id)),
            AmqpValue::Text("6ba7b810-9dad-11d1-80b4-00c04fd430c8".into())
        );
    }
}
