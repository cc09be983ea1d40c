//! The `amqp` member of a record.

use bytes::Bytes;
use bytestring::ByteString;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::message::name::{to_bytes, unnumbered};
use crate::message::{AmqpDetail, AmqpProperties, AmqpValue, Detail};

use super::super::Encoding;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Amqp {
    exchange: Option<Words>,
    routing_key: Option<Words>,
    /// What could not be read of a message.
    properties: Option<Words>,
    #[serde(rename = "redelivered")]
    _redelivered: Option<bool>,
    #[serde(rename = "delivery_tag")]
    _delivery_tag: Option<u64>,
    content_type: Option<Words>,
    content_encoding: Option<Words>,
    headers: Option<Map<String, Value>>,
    header_types: Option<Map<String, Value>>,
    delivery_mode: Option<u8>,
    priority: Option<u8>,
    correlation_id: Option<Words>,
    reply_to: Option<Words>,
    expiration: Option<Words>,
    message_id: Option<Words>,
    timestamp: Option<u64>,
    r#type: Option<Words>,
    user_id: Option<Words>,
    app_id: Option<Words>,
    cluster_id: Option<Words>,
}

/// A short string, which need not be UTF-8.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a string or {\"!base64\": \"…\"} where a text belongs"
)]
enum Words {
    Text(String),
    Bytes(Base64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Base64 {
    #[serde(rename = "!base64")]
    digits: String,
}

/// The texts of a record, of which some may be none.
#[derive(Default)]
struct Texts {
    not_text: Vec<(&'static str, Bytes)>,
}

impl Texts {
    /// The text; what is not UTF-8 is kept as bytes.
    fn take(
        &mut self,
        name: &'static str,
        words: Option<Words>,
    ) -> Result<Option<ByteString>, String> {
        let bytes = match words {
            None => return Ok(None),
            Some(Words::Text(text)) => return Ok(Some(text.into())),
            Some(Words::Bytes(Base64 { digits })) => Encoding::Base64
                .decode(digits.into())
                .map_err(|flaw| format!("amqp.{name}: {flaw}"))?,
        };
        Ok(match ByteString::try_from(bytes.clone()) {
            Ok(text) => Some(text),
            Err(_) => {
                self.not_text.push((name, bytes));
                None
            }
        })
    }
}

/// What the record says of AMQP, and the routing key if that stands here.
pub(super) fn detail(
    raw: &RawValue,
    like: &Detail,
) -> Result<(AmqpDetail, Option<ByteString>), String> {
    let amqp: Amqp = super::field("amqp", raw)?;
    let headers = amqp.headers.unwrap_or_default();
    let headers = headers_of(headers, amqp.header_types.unwrap_or_default())?;
    let mut texts = Texts::default();
    // In the order in which they come over the wire.
    let mut properties = AmqpProperties {
        content_type: texts.take("content_type", amqp.content_type)?,
        content_encoding: texts.take("content_encoding", amqp.content_encoding)?,
        headers,
        delivery_mode: amqp.delivery_mode,
        priority: amqp.priority,
        correlation_id: texts.take("correlation_id", amqp.correlation_id)?,
        reply_to: texts.take("reply_to", amqp.reply_to)?,
        expiration: texts.take("expiration", amqp.expiration)?,
        message_id: texts.take("message_id", amqp.message_id)?,
        timestamp: amqp.timestamp,
        kind: texts.take("type", amqp.r#type)?,
        user_id: texts.take("user_id", amqp.user_id)?,
        app_id: texts.take("app_id", amqp.app_id)?,
        cluster_id: texts.take("cluster_id", amqp.cluster_id)?,
        not_text: Vec::new(),
    };
    texts.take("properties", amqp.properties)?;
    let exchange = texts.take("exchange", amqp.exchange)?;
    let key = texts.take("routing_key", amqp.routing_key)?;
    properties.not_text = texts.not_text;
    let key = properties
        .not_text("routing_key")
        .map(|it| lossy(it))
        .or(key);
    let usual = || match like {
        Detail::Amqp(like) => like.exchange.clone(),
        _ => ByteString::new(),
    };
    let exchange = match properties.not_text("exchange") {
        Some(bytes) => lossy(bytes),
        None => exchange.unwrap_or_else(usual),
    };
    let detail = AmqpDetail {
        exchange,
        properties,
        ..AmqpDetail::default()
    };
    Ok((detail, key))
}

/// The bytes as they are shown.
fn lossy(bytes: &[u8]) -> ByteString {
    String::from_utf8_lossy(bytes).as_ref().into()
}

/// A routing key that is not UTF-8 stands beside a topic that shows it.
pub(super) fn check_key(key: ByteString, topic: &mut Option<ByteString>) -> Result<(), String> {
    match topic {
        Some(topic) if *topic != key => Err(format!(
            "the topic {topic:?} is not what amqp.routing_key says"
        )),
        _ => {
            *topic = Some(key);
            Ok(())
        }
    }
}

/// The headers, with the types that JSON does not have.
fn headers_of(
    members: Map<String, Value>,
    types: Map<String, Value>,
) -> Result<Vec<(ByteString, AmqpValue)>, String> {
    let cannot = |pointer: &str, letter: &Value| {
        format!("amqp.header_types: {pointer:?} cannot be {letter}")
    };
    let flaw = |flaw| format!("amqp.headers: {flaw}");
    let mut whole = Value::Object(members);
    // Tables that would be read as bytes.
    let mut tables = Vec::new();
    for (pointer, letter) in types.iter().filter(|(_, letter)| *letter == "F") {
        match whole.pointer_mut(pointer).map(Value::take) {
            Some(Value::Object(members)) if !pointer.is_empty() => tables.push((pointer, members)),
            _ => return Err(cannot(pointer, letter)),
        }
    }
    let members = match whole {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let mut headers = table(members).map_err(flaw)?;
    for (pointer, members) in tables {
        let value = AmqpValue::Table(table(members).map_err(flaw)?);
        if let Some(place) = at(&mut headers, pointer) {
            *place = value;
        }
    }
    for (pointer, letter) in types.iter().filter(|(_, letter)| *letter != "F") {
        let value = at(&mut headers, pointer).ok_or_else(|| cannot(pointer, letter))?;
        *value = typed(value, letter).ok_or_else(|| cannot(pointer, letter))?;
    }
    restore_names(&mut headers);
    Ok(headers)
}

/// Gives repeated names back that are numbered in records.
fn restore_names(pairs: &mut [(ByteString, AmqpValue)]) {
    for (name, value) in pairs {
        let plain = unnumbered(name);
        if plain.len() < name.len() {
            *name = plain.into();
        }
        restore_names_in(value);
    }
}

fn restore_names_in(value: &mut AmqpValue) {
    match value {
        AmqpValue::Table(pairs) => restore_names(pairs),
        AmqpValue::List(items) => items.iter_mut().for_each(restore_names_in),
        _ => {}
    }
}

/// The AMQP value that JSON stands for, as records write it: `{"!base64":"…"}` are bytes.
///
/// # Errors
/// Numbers that do not fit, names over 255 bytes, wrong base64.
pub fn amqp_value(json: Value) -> Result<AmqpValue, String> {
    Ok(match json {
        Value::Null => AmqpValue::Void,
        Value::Bool(value) => AmqpValue::Bool(value),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(value), ..) => AmqpValue::Int(value),
            // Only a timestamp is that large.
            (None, Some(value), _) => AmqpValue::Timestamp(value),
            (None, None, Some(value)) => AmqpValue::Double(value),
            (None, None, None) => return Err(format!("{number} is too large")),
        },
        Value::String(text) => AmqpValue::Text(text.into()),
        Value::Array(items) => AmqpValue::List(
            items
                .into_iter()
                .map(amqp_value)
                .collect::<Result<_, _>>()?,
        ),
        Value::Object(members) => match members.get("!base64").and_then(Value::as_str) {
            Some(digits) if members.len() == 1 => {
                AmqpValue::Bytes(Encoding::Base64.decode(digits.to_owned().into())?)
            }
            _ => AmqpValue::Table(table(members)?),
        },
    })
}

/// The pairs of a table, as [`amqp_value`] reads values.
pub(in crate::payload) fn table(
    members: Map<String, Value>,
) -> Result<Vec<(ByteString, AmqpValue)>, String> {
    let pair = |(name, value): (String, Value)| {
        if to_bytes(unnumbered(&name)).len() > 255 {
            return Err(format!("the name {name:?} is longer than 255 bytes"));
        }
        Ok((name.into(), amqp_value(value)?))
    };
    members.into_iter().map(pair).collect()
}

/// The value at a JSON Pointer (RFC 6901).
fn at<'a>(headers: &'a mut [(ByteString, AmqpValue)], pointer: &str) -> Option<&'a mut AmqpValue> {
    let mut parts = pointer.strip_prefix('/')?.split('/');
    let name = |part: &str| part.replace("~1", "/").replace("~0", "~");
    let member = |pairs: &mut [(ByteString, AmqpValue)], part: &str| {
        let sought = name(part);
        pairs.iter().position(|(name, _)| *name == sought.as_str())
    };
    let at = member(headers, parts.next()?)?;
    let mut value = &mut headers[at].1;
    for part in parts {
        value = match value {
            AmqpValue::List(items) => items.get_mut(part.parse::<usize>().ok()?)?,
            AmqpValue::Table(pairs) => {
                let at = member(pairs, part)?;
                &mut pairs[at].1
            }
            _ => return None,
        };
    }
    Some(value)
}

/// The value with the type of this letter, as `--output json` names them; `None`: it cannot have it.
fn typed(value: &AmqpValue, letter: &Value) -> Option<AmqpValue> {
    Some(match (letter.as_str()?, value) {
        ("I", AmqpValue::Int(number)) => AmqpValue::Int32(i32::try_from(*number).ok()?),
        ("T", AmqpValue::Int(number)) => AmqpValue::Timestamp(u64::try_from(*number).ok()?),
        ("T", AmqpValue::Timestamp(seconds)) => AmqpValue::Timestamp(*seconds),
        ("d", AmqpValue::Text(text)) => AmqpValue::Double(text.parse().ok()?),
        (decimal, number) => {
            let scale: u8 = decimal.strip_prefix('D')?.parse().ok()?;
            let number = match number {
                AmqpValue::Double(number) => *number,
                AmqpValue::Int(number) => *number as f64,
                _ => return None,
            };
            // All digits of a u32 are exact in a double.
            let digits = (number * 10_f64.powi(scale.into())).round();
            let fits = (0.0..=f64::from(u32::MAX)).contains(&digits);
            fits.then_some(AmqpValue::Decimal {
                digits: digits as u32,
                scale,
            })?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn a_record_says_everything_about_amqp() {
        let line = br#"{"topic":"k","payload":"x","amqp":{"exchange":"logs","redelivered":true,"delivery_tag":3,
            "content_type":"text/plain","priority":4,"delivery_mode":2,"type":"t","timestamp":9,
            "headers":{"n":1,"f":1.0,"b":{"!base64":"/w=="},"l":[true,null],"t":{"x":"y"}}}}"#;
        let (message, _) = parse(line, &Detail::Plain).unwrap().unwrap();
        let Detail::Amqp(detail) = message.detail else {
            panic!("not of AMQP")
        };
        assert_eq!(detail.exchange, "logs");
        let properties = &detail.properties;
        assert_eq!(properties.kind.as_deref(), Some("t"));
        assert_eq!(
            (properties.priority, properties.timestamp),
            (Some(4), Some(9))
        );
        let expected = [
            ("n", AmqpValue::Int(1)),
            ("f", AmqpValue::Double(1.0)),
            ("b", AmqpValue::Bytes(vec![255].into())),
            (
                "l",
                AmqpValue::List(vec![AmqpValue::Bool(true), AmqpValue::Void]),
            ),
            (
                "t",
                AmqpValue::Table(vec![("x".into(), AmqpValue::Text("y".into()))]),
            ),
        ]
        .map(|(name, value)| (ByteString::from(name), value));
        assert_eq!(properties.headers, expected);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let flaw = |line: &str| parse(line.as_bytes(), &Detail::Plain).unwrap_err();
        assert!(
            flaw(r#"{"payload":"","amqp":{"prio":1}}"#).starts_with("amqp: unknown field `prio`")
        );
        assert!(
            flaw(r#"{"payload":"","amqp":{"priority":300}}"#).starts_with("amqp: invalid value")
        );
        let bad = flaw(r#"{"payload":"","amqp":{"headers":{"a":{"!base64":"?"}}}}"#);
        assert!(bad.starts_with("amqp.headers: not base64"), "{bad}");
        let bad = flaw(r#"{"payload":"","amqp":{"reply_to":{"!base64":"?"}}}"#);
        assert!(bad.starts_with("amqp.reply_to: not base64"), "{bad}");
        let bad = flaw(r#"{"payload":"","amqp":{"reply_to":{"!base":"?"}}}"#);
        assert!(bad.contains("expected a string or {\"!base64\""), "{bad}");
        let bad = flaw(r#"{"topic":"k","payload":"","amqp":{"routing_key":{"!base64":"/w=="}}}"#);
        assert!(bad.contains("is not what amqp.routing_key says"), "{bad}");
    }

    #[test]
    fn a_name_that_comes_twice_is_given_back() {
        let line = r#"{"payload":"","amqp":{"headers":{"a":5,"a\uef012":"x","t":{"b":1,"b\uef012":2}},
            "header_types":{"/a":"T"}}}"#;
        let (message, _) = parse(line.as_bytes(), &Detail::Plain).unwrap().unwrap();
        let Detail::Amqp(detail) = message.detail else {
            panic!("not of AMQP")
        };
        let inner = ["b", "b"].into_iter().zip(1..);
        let inner = inner.map(|(name, value)| (name.into(), AmqpValue::Int(value)));
        let expected = [
            ("a".into(), AmqpValue::Timestamp(5)),
            ("a".into(), AmqpValue::Text("x".into())),
            ("t".into(), AmqpValue::Table(inner.collect())),
        ];
        assert_eq!(detail.properties.headers, expected);
    }

    #[test]
    fn types_that_json_lacks_are_given_back() {
        let line = br#"{"payload":"","amqp":{"headers":{"a/b":7,"t":1700000000,"n":"NaN","d":12.3,"w":5,
            "x-death":[{"count":1,"time":1700000000}]},"header_types":{"/a~1b":"I","/t":"T","/n":"d","/d":"D2",
            "/w":"D0","/x-death/0/time":"T"}}}"#;
        let (message, _) = parse(line, &Detail::Plain).unwrap().unwrap();
        let Detail::Amqp(detail) = message.detail else {
            panic!("not of AMQP")
        };
        let headers = &detail.properties.headers;
        assert_eq!(headers[0].1, AmqpValue::Int32(7));
        assert_eq!(headers[1].1, AmqpValue::Timestamp(1_700_000_000));
        assert!(matches!(headers[2].1, AmqpValue::Double(it) if it.is_nan()));
        let decimal = |digits, scale| AmqpValue::Decimal { digits, scale };
        assert_eq!(
            (&headers[3].1, &headers[4].1),
            (&decimal(1230, 2), &decimal(5, 0))
        );
        let death = AmqpValue::Table(vec![
            ("count".into(), AmqpValue::Int(1)),
            ("time".into(), AmqpValue::Timestamp(1_700_000_000)),
        ]);
        assert_eq!(headers[5].1, AmqpValue::List(vec![death]));
        for wrong in [
            r#""/x":"T""#,
            r#""/a":"?""#,
            r#""a":"I""#,
            r#""/a":"d""#,
            r#""/a/0":"I""#,
        ] {
            let line = format!(
                r#"{{"payload":"","amqp":{{"headers":{{"a":-1}},"header_types":{{{wrong}}}}}}}"#
            );
            let flaw = parse(line.as_bytes(), &Detail::Plain).unwrap_err();
            assert!(flaw.starts_with("amqp.header_types: "), "{flaw}");
        }
    }
}
