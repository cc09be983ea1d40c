//! The `coap` member of a record.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::message::{CoapDetail, CoapOption, CoapValue};

/// A message, most of which belongs to the exchange it came in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Coap {
    code: Option<String>,
    content_format: Option<u16>,
    #[serde(rename = "name")]
    _name: Option<IgnoredAny>,
    #[serde(rename = "uri")]
    _uri: Option<IgnoredAny>,
    #[serde(rename = "peer")]
    _peer: Option<IgnoredAny>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(rename = "message_id")]
    _message_id: Option<IgnoredAny>,
    #[serde(rename = "token")]
    _token: Option<IgnoredAny>,
    #[serde(rename = "media_type")]
    _media_type: Option<IgnoredAny>,
    #[serde(rename = "observe")]
    _observe: Option<IgnoredAny>,
    options: Option<Value>,
    #[serde(rename = "rtt_ms")]
    _rtt_ms: Option<IgnoredAny>,
    #[serde(rename = "retransmitted")]
    _retransmitted: Option<IgnoredAny>,
    #[serde(rename = "blocks")]
    _blocks: Option<IgnoredAny>,
}

/// What a record says of a message of CoAP.
pub(super) enum Recorded {
    /// 4.xx or 5.xx: its payload says what went wrong (RFC 7252 §5.5.2), and is no representation of the resource.
    Error,
    /// What its payload is, how it was sent, and what its options say in numbers, such as how long it is worth anything.
    Content(Box<CoapDetail>),
}

pub(super) fn recorded(raw: &RawValue) -> Result<Recorded, String> {
    let coap: Coap = super::field("coap", raw)?;
    let code = coap.code.unwrap_or_default();
    if code.starts_with(['4', '5']) {
        return Ok(Recorded::Error);
    }
    let kinds = ["CON", "NON", "ACK", "RST"].into_iter();
    Ok(Recorded::Content(Box::new(CoapDetail {
        code: code.into(),
        kind: coap
            .kind
            .and_then(|kind| kinds.clone().find(|it| *it == kind)),
        content_format: coap.content_format,
        options: coap.options.iter().flat_map(numbers).collect(),
        ..CoapDetail::default()
    })))
}

/// The options whose values are numbers.
fn numbers(options: &Value) -> impl Iterator<Item = CoapOption> {
    let options = options.as_array().into_iter().flatten();
    options.filter_map(|option| {
        Some(CoapOption {
            number: option["number"].as_u64()?.try_into().ok()?,
            name: None,
            value: CoapValue::Uint(option["value"].as_u64()?),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::message::{CoapValue, Detail, MqttDetail};

    #[test]
    fn what_a_request_takes_over_is_read() {
        let line = br#"{"topic":"/a","payload":"x","coap":{"code":"0.03","type":"NON","content_format":50,"options":[{"number":12},{"number":14,"value":30}]}}"#;
        let (message, addressed) = parse(line, &Detail::Plain).unwrap().unwrap();
        let Detail::Coap(coap) = message.detail else {
            panic!("not of CoAP")
        };
        assert_eq!((coap.content_format, addressed), (Some(50), true));
        assert_eq!((coap.kind, &*coap.code), (Some("NON"), "0.03"));
        let [lasting] = &*coap.options else {
            panic!("not one option")
        };
        assert_eq!((lasting.number, &lasting.value), (14, &CoapValue::Uint(30)));
        let mqtt = Detail::Mqtt(MqttDetail::default());
        let (message, _) = parse(line, &mqtt).unwrap().unwrap();
        assert_eq!(message.detail, Detail::Plain);
    }

    #[test]
    fn an_error_response_is_no_message() {
        for like in [Detail::Plain, Detail::Mqtt(MqttDetail::default())] {
            for code in ["4.04", "5.03"] {
                let line = format!(r#"{{"payload":"no","coap":{{"code":"{code}"}}}}"#);
                assert_eq!(parse(line.as_bytes(), &like), Ok(None));
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let flaw = |coap: &str| {
            let line = format!(r#"{{"payload":"","coap":{{{coap}}}}}"#);
            parse(line.as_bytes(), &Detail::Plain).unwrap_err()
        };
        assert!(flaw(r#""cod":"2.05""#).starts_with("coap: unknown field `cod`"));
        assert!(flaw(r#""content_format":65536"#).starts_with("coap: invalid value"));
    }
}
