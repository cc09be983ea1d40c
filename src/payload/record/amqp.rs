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
    let exchange = text(amqp.exchange).unwrap_or_else(|| match like {
        Detail::Amqp(like) => like.exchange.clone(),
        _ => ByteString::new(),
    });
    Ok(AmqpDetail {
        exchange,
        properties: AmqpProperties {
            content_type: text(amqp.content_type),
            content_encoding: text(amqp.content_encoding),
            headers: table(headers).map_err(|flaw| format!("amqp.headers: {flaw}"))?,
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
}
