//! Reads records, as `--output json` writes them, back into bodies.
//!
//! What only matters to whoever received the message (`protocol`, `dup`, `packet_id`,
//! `topic_alias`, `subscription_identifiers`, `redelivered`, `delivery_tag`, other protocols' details) is passed over. Unknown names
//! inside `mqtt` and `amqp` are refused, so that a slip of the pen is not sent as nothing.

use std::time::SystemTime;

use bytes::Bytes;
use bytestring::ByteString;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::file;
use crate::message::MqttProperties;

use super::{Body, Encoding};

mod amqp;

pub use amqp::amqp_value;

/// The body that one line of JSON describes.
///
/// # Errors
/// What is wrong with it, without the line's number: `mqtt.qos: 3 is not one of 0, 1, 2`.
pub(super) fn parse(line: &[u8]) -> Result<Body, String> {
    // Files that were made on Windows begin with one, also where they were joined to others.
    let line = line
        .strip_prefix(file::BYTE_ORDER_MARK.as_bytes())
        .unwrap_or(line);
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err(String::from("not a JSON object"));
    }
    let record: Record<'_> = serde_json::from_slice(line).map_err(|error| words(&error))?;
    let mut body = match record.mqtt {
        Some(mqtt) => with_details(&field("mqtt", mqtt)?)?,
        None => Body::default(),
    };
    if let Some(amqp) = record.amqp {
        body.amqp = Some(Box::new(amqp::words(amqp)?));
    }
    body.topic = text("topic", record.topic)?;
    if body.topic.as_ref().is_some_and(|topic| topic.is_empty()) {
        return Err(String::from("topic is empty"));
    }
    body.payload = payload(&record)?;
    body.time = record.time.and_then(time);
    Ok(body)
}

/// One field as it stands in the line, so that what is wrong can be told with the field's name.
type Raw<'a> = Option<&'a RawValue>;

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    time: Raw<'a>,
    topic: Raw<'a>,
    payload: Raw<'a>,
    payload_base64: Raw<'a>,
    #[serde(default, deserialize_with = "even_null")]
    payload_json: Raw<'a>,
    mqtt: Raw<'a>,
    amqp: Raw<'a>,
}

/// Whoever made the record said when; a time that cannot be read is none.
fn time(raw: &RawValue) -> Option<SystemTime> {
    let text = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    text.parse().ok().map(Timestamp::into)
}

/// A `null` here is a payload, not an absence.
fn even_null<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Raw<'a>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mqtt<'a> {
    #[serde(borrow)]
    qos: Raw<'a>,
    retain: Raw<'a>,
    #[serde(rename = "dup")]
    _dup: Raw<'a>,
    #[serde(rename = "packet_id")]
    _packet_id: Raw<'a>,
    payload_format_indicator: Raw<'a>,
    message_expiry_interval: Raw<'a>,
    content_type: Raw<'a>,
    response_topic: Raw<'a>,
    correlation_data: Raw<'a>,
    correlation_data_base64: Raw<'a>,
    #[serde(rename = "topic_alias")]
    _topic_alias: Raw<'a>,
    #[serde(rename = "subscription_identifiers")]
    _subscription_identifiers: Raw<'a>,
    user_properties: Raw<'a>,
}

fn payload(record: &Record<'_>) -> Result<Bytes, String> {
    match (record.payload, record.payload_base64, record.payload_json) {
        (Some(raw), None, None) => string("payload", raw).map(Bytes::from),
        (None, Some(raw), None) => base64("payload_base64", raw),
        (None, None, Some(raw)) => Ok(Bytes::copy_from_slice(raw.get().as_bytes())),
        (None, None, None) => Err(String::from(
            "no payload: expected payload, payload_base64 or payload_json",
        )),
        _ => Err(String::from(
            "more than one of payload, payload_base64, payload_json",
        )),
    }
}

fn with_details(mqtt: &Mqtt<'_>) -> Result<Body, String> {
    let qos = optional::<u8>("mqtt.qos", mqtt.qos)?;
    if let Some(qos @ 3..) = qos {
        return Err(format!("mqtt.qos: {qos} is not one of 0, 1, 2"));
    }
    let properties = properties(mqtt)?;
    Ok(Body {
        qos,
        retain: optional("mqtt.retain", mqtt.retain)?,
        properties: (properties != MqttProperties::default()).then(|| Box::new(properties)),
        ..Body::default()
    })
}

fn properties(mqtt: &Mqtt<'_>) -> Result<MqttProperties, String> {
    let indicator = optional(
        "mqtt.payload_format_indicator",
        mqtt.payload_format_indicator,
    )?;
    if let Some(indicator @ 2u8..) = indicator {
        return Err(format!(
            "mqtt.payload_format_indicator: {indicator} is neither 0 nor 1"
        ));
    }
    Ok(MqttProperties {
        payload_format_indicator: indicator,
        message_expiry_interval: optional(
            "mqtt.message_expiry_interval",
            mqtt.message_expiry_interval,
        )?,
        content_type: text("mqtt.content_type", mqtt.content_type)?,
        response_topic: text("mqtt.response_topic", mqtt.response_topic)?,
        correlation_data: correlation_data(mqtt)?,
        user_properties: user_properties(mqtt.user_properties)?,
        ..MqttProperties::default()
    })
}

fn correlation_data(mqtt: &Mqtt<'_>) -> Result<Option<Bytes>, String> {
    match (mqtt.correlation_data, mqtt.correlation_data_base64) {
        (None, None) => Ok(None),
        (Some(raw), None) => string("mqtt.correlation_data", raw).map(|text| Some(text.into())),
        (None, Some(raw)) => base64("mqtt.correlation_data_base64", raw).map(Some),
        (Some(_), Some(_)) => Err(String::from(
            "both mqtt.correlation_data and mqtt.correlation_data_base64",
        )),
    }
}

fn user_properties(raw: Raw<'_>) -> Result<Vec<(ByteString, ByteString)>, String> {
    let pairs: Option<Vec<(String, String)>> = optional("mqtt.user_properties", raw)?;
    let pairs = pairs.unwrap_or_default().into_iter();
    Ok(pairs
        .map(|(name, value)| (name.into(), value.into()))
        .collect())
}

fn text(name: &str, raw: Raw<'_>) -> Result<Option<ByteString>, String> {
    raw.map(|raw| string(name, raw).map(ByteString::from))
        .transpose()
}

fn base64(name: &str, raw: &RawValue) -> Result<Bytes, String> {
    let digits = Bytes::from(string(name, raw)?);
    Encoding::Base64
        .decode(digits)
        .map_err(|flaw| format!("{name}: {flaw}"))
}

fn string(name: &str, raw: &RawValue) -> Result<String, String> {
    field(name, raw)
}

fn optional<'a, T: Deserialize<'a>>(name: &str, raw: Raw<'a>) -> Result<Option<T>, String> {
    raw.map(|raw| field(name, raw)).transpose()
}

fn field<'a, T: Deserialize<'a>>(name: &str, raw: &'a RawValue) -> Result<T, String> {
    serde_json::from_str(raw.get()).map_err(|error| {
        // The column counts from the field's beginning, so it would mislead.
        let words = error.to_string();
        let words = words.split(" at line ").next().unwrap_or_default();
        format!("{name}: {words}")
    })
}

/// The flaw with its column; the line's number is known better to the caller.
fn words(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    match error.column() {
        0 => words.to_owned(),
        column => format!("{words} at column {column}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaw(line: &str) -> String {
        parse(line.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_record_as_json_output_writes_it() {
        let line = br#"{"time":"2026-11-20T21:00:00.123456Z","protocol":"mqtt","topic":"a/b","payload":"21.5",
            "mqtt":{"qos":1,"retain":true,"dup":true,"packet_id":7,"payload_format_indicator":1,
            "message_expiry_interval":60,"content_type":"text/plain","response_topic":"r",
            "correlation_data":"c","topic_alias":3,"subscription_identifiers":[1,2],
            "user_properties":[["k","v"],["k","w"]]}}"#;
        let body = parse(line).unwrap();
        assert_eq!(body.topic.as_deref(), Some("a/b"));
        assert_eq!(body.payload, "21.5");
        assert_eq!((body.qos, body.retain), (Some(1), Some(true)));
        let properties = MqttProperties {
            payload_format_indicator: Some(1),
            message_expiry_interval: Some(60),
            content_type: Some("text/plain".into()),
            response_topic: Some("r".into()),
            correlation_data: Some("c".into()),
            user_properties: vec![("k".into(), "v".into()), ("k".into(), "w".into())],
            ..MqttProperties::default()
        };
        assert_eq!(body.properties.as_deref(), Some(&properties));
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        assert_eq!(
            &parse("\u{feff}{\"payload\":\"x\"}".as_bytes())
                .unwrap()
                .payload[..],
            b"x"
        );
        assert!(parse("{\u{feff}\"payload\":\"x\"}".as_bytes()).is_err());
    }

    #[test]
    fn the_least_record_is_a_payload() {
        assert_eq!(parse(br#"{"payload":""}"#).unwrap(), Body::default());
        let other = br#"{"payload":"x","coap":{"code":"2.05"},"note":1,"mqtt":{}}"#;
        assert_eq!(parse(other).unwrap(), Body::plain("x".into()));
    }

    #[test]
    fn payloads_are_exact() {
        let payload = |line: &str| parse(line.as_bytes()).unwrap().payload;
        assert_eq!(payload(r#"{"payload":"\u0000\ud83d\ude00\n"}"#), "\0😀\n");
        assert_eq!(payload(r#"{"payload_base64":"AP/+"}"#), b"\x00\xff\xfe"[..]);
        let verbatim = r#"{"b":1.0e400,"a": 9007199254740993}"#;
        assert_eq!(
            payload(&format!(r#"{{"payload_json":{verbatim}}}"#)),
            verbatim
        );
        assert_eq!(payload(r#"{"payload_json":null}"#), "null");
    }

    #[test]
    fn correlation_data_may_be_binary() {
        let body = parse(br#"{"payload":"","mqtt":{"correlation_data_base64":"/w=="}}"#).unwrap();
        let data = body.properties.unwrap().correlation_data.unwrap();
        assert_eq!(data, b"\xff"[..]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let table = [
            (
                r#"{"topic":"a"}"#,
                "no payload: expected payload, payload_base64 or payload_json",
            ),
            (
                r#"{"payload":"","payload_base64":""}"#,
                "more than one of payload, payload_base64, payload_json",
            ),
            (
                r#"{"payload":"","payload":""}"#,
                "duplicate field `payload` at column 23",
            ),
            (
                r#"{"payload":21}"#,
                "payload: invalid type: integer `21`, expected a string",
            ),
            (
                r#"{"payload_base64":"_-4="}"#,
                "payload_base64: not base64: \"_\" at position 1",
            ),
            (r#"{"topic":"","payload":""}"#, "topic is empty"),
            (
                r#"{"payload":"","mqtt":{"qos":3}}"#,
                "mqtt.qos: 3 is not one of 0, 1, 2",
            ),
            (
                r#"{"payload":"","mqtt":{"payload_format_indicator":2}}"#,
                "mqtt.payload_format_indicator: 2 is neither 0 nor 1",
            ),
            (
                r#"{"payload":"","mqtt":{"retain":1}}"#,
                "mqtt.retain: invalid type: integer `1`, expected a boolean",
            ),
            (
                r#"{"payload":"","mqtt":{"correlation_data":"","correlation_data_base64":""}}"#,
                "both mqtt.correlation_data and mqtt.correlation_data_base64",
            ),
            ("[]", "not a JSON object"),
        ];
        for (line, words) in table {
            assert_eq!(flaw(line), words, "{line}");
        }
        assert!(
            flaw(r#"{"payload":"","mqtt":{"qso":1}}"#).starts_with("mqtt: unknown field `qso`")
        );
        assert!(flaw("{").contains("at column 1"));
    }
}
