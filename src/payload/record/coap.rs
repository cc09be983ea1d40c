//! The `coap` member of a record.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::message::CoapDetail;

/// A response, all of which but its code and its format belongs to the exchange it came in.
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
    _type: Option<IgnoredAny>,
    #[serde(rename = "message_id")]
    _message_id: Option<IgnoredAny>,
    #[serde(rename = "token")]
    _token: Option<IgnoredAny>,
    #[serde(rename = "media_type")]
    _media_type: Option<IgnoredAny>,
    #[serde(rename = "observe")]
    _observe: Option<IgnoredAny>,
    #[serde(rename = "options")]
    _options: Option<IgnoredAny>,
    #[serde(rename = "rtt_ms")]
    _rtt_ms: Option<IgnoredAny>,
    #[serde(rename = "retransmitted")]
    _retransmitted: Option<IgnoredAny>,
    #[serde(rename = "blocks")]
    _blocks: Option<IgnoredAny>,
}

/// What a record says of a response.
pub(super) enum Response {
    /// 4.xx or 5.xx: its payload says what went wrong (RFC 7252 §5.5.2), and is no representation of the resource.
    Error,
    /// What its payload is, if that is said.
    Content(Option<Box<CoapDetail>>),
}

pub(super) fn response(raw: &RawValue) -> Result<Response, String> {
    let coap: Coap = super::field("coap", raw)?;
    if coap.code.is_some_and(|code| code.starts_with(['4', '5'])) {
        return Ok(Response::Error);
    }
    Ok(Response::Content(coap.content_format.map(
        |content_format| {
            Box::new(CoapDetail {
                content_format: Some(content_format),
                ..CoapDetail::default()
            })
        },
    )))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::message::{Detail, MqttDetail};

    #[test]
    fn the_content_format_is_what_a_request_takes_over() {
        let line = br#"{"topic":"/a","payload":"x","coap":{"code":"2.05","content_format":50,"options":[{"number":12}]}}"#;
        let (message, addressed) = parse(line, &Detail::Plain).unwrap().unwrap();
        let Detail::Coap(coap) = message.detail else {
            panic!("not of CoAP")
        };
        assert_eq!((coap.content_format, addressed), (Some(50), true));
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
