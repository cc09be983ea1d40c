//! The `amqp` member of a record.

use bytestring::ByteString;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::message::{AmqpDetail, AmqpProperties, AmqpValue, Detail};

use super::super::Encoding;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Amqp {
    exchange: Option<String>,
    #[serde(rename = "redelivered")]
    _redelivered: Option<bool>,
    #[serde(rename = "delivery_tag")]
    _delivery_tag: Option<u64>,
    content_type: Option<String>,
    content_encoding: Option<String>,
    headers: Option<Map<String, Value>>,
    header_types: Option<Map<String, Value>>,
    delivery_mode: Option<u8>,
    priority: Option<u8>,
    correlation_id: Option<String>,
    reply_to: Option<String>,
    expiration: Option<String>,
    message_id: Option<String>,
    timestamp: Option<u64>,
    r#type: Option<String>,
    user_id: Option<String>,
    app_id: Option<String>,
    cluster_id: Option<String>,
}

pub(super) fn detail(raw: &RawValue, like: &Detail) -> Result<AmqpDetail, String> {
    let amqp: Amqp = super::field("amqp", raw)?;
    let text = |text: Option<String>| text.map(ByteString::from);
    let headers = amqp.headers.unwrap_or_default();
    let mut headers = table(headers).map_err(|flaw| format!("amqp.headers: {flaw}"))?;
    for (pointer, letter) in amqp.header_types.unwrap_or_default() {
        retype(&mut headers, &pointer, &letter)
            .ok_or_else(|| format!("amqp.header_types: {pointer:?} cannot be {letter}"))?;
    }
    let exchange = text(amqp.exchange).unwrap_or_else(|| match like {
        Detail::Amqp(like) => like.exchange.clone(),
        _ => ByteString::new(),
    });
    Ok(AmqpDetail {
        exchange,
        properties: AmqpProperties {
            content_type: text(amqp.content_type),
            content_encoding: text(amqp.content_encoding),
            headers,
            delivery_mode: amqp.delivery_mode,
            priority: amqp.priority,
            correlation_id: text(amqp.correlation_id),
            reply_to: text(amqp.reply_to),
            expiration: text(amqp.expiration),
            message_id: text(amqp.message_id),
            timestamp: amqp.timestamp,
            kind: text(amqp.r#type),
            user_id: text(amqp.user_id),
            app_id: text(amqp.app_id),
            cluster_id: text(amqp.cluster_id),
            not_text: Vec::new(),
        },
        ..AmqpDetail::default()
    })
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

fn table(members: Map<String, Value>) -> Result<Vec<(ByteString, AmqpValue)>, String> {
    let pair = |(name, value): (String, Value)| {
        if name.len() > 255 {
            return Err(format!("the name {name:?} is longer than 255 bytes"));
        }
        Ok((name.into(), amqp_value(value)?))
    };
    members.into_iter().map(pair).collect()
}

/// Gives the value at a JSON Pointer the type with this letter, as `--output json` names them; `None`: it cannot have it.
fn retype(headers: &mut [(ByteString, AmqpValue)], pointer: &str, letter: &Value) -> Option<()> {
    let mut parts = pointer.strip_prefix('/')?.split('/');
    let name = |part: &str| part.replace("~1", "/").replace("~0", "~");
    let member = |pairs: &mut [(ByteString, AmqpValue)], part: &str| {
        let wanted = name(part);
        pairs.iter().position(|(name, _)| *name == wanted.as_str())
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
    let typed = match (letter.as_str()?, &*value) {
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
    };
    *value = typed;
    Some(())
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
        let (message, _) = parse(line, &Detail::Plain).unwrap();
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
    }

    #[test]
    fn types_that_json_lacks_are_given_back() {
        let line = br#"{"payload":"","amqp":{"headers":{"a/b":7,"t":1700000000,"n":"NaN","d":12.3,"w":5,
            "x-death":[{"count":1,"time":1700000000}]},"header_types":{"/a~1b":"I","/t":"T","/n":"d","/d":"D2",
            "/w":"D0","/x-death/0/time":"T"}}}"#;
        let (message, _) = parse(line, &Detail::Plain).unwrap();
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
