//! Reads records, as `--output json` writes them, back into messages that are to be sent.
//!
//! What only matters to the receiver of the message (`protocol`, `dup`, `packet_id`,
//! `topic_alias`, `subscription_identifiers`, `redelivered`, `delivery_tag`, what belongs to the exchange that a message of CoAP came in,
//! other protocols' details) is passed over. Unknown names inside `mqtt`, `coap` and `amqp` are refused, so that a misspelt one is not ignored.

use std::borrow::Cow;
use std::time::SystemTime;

use bytes::Bytes;
use bytestring::ByteString;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::brief;
use crate::file;
use crate::message::{Detail, Message, MqttDetail, MqttProperties, UNTIMED};

use super::{Encoding, instant};

mod amqp;
mod coap;

pub use amqp::amqp_value;
pub(super) use amqp::table as amqp_table;

/// The message that one line of JSON describes, and whether it says where it goes; `None` for the record of an error response.
/// A record of the protocol of `like` begins with that, and what others say of their protocols is read, and not taken; everything
/// is taken where that is [`Detail::Plain`].
///
/// # Errors
/// What is wrong with it, without the line's number: `mqtt.qos: 3 is not one of 0, 1, 2`.
pub(super) fn parse(line: &[u8], like: &Detail) -> Result<Option<(Message, bool)>, String> {
    // Files that were made on Windows begin with one, also where they were joined to others.
    let line = line
        .strip_prefix(file::BYTE_ORDER_MARK.as_bytes())
        .unwrap_or(line);
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err(String::from("not a JSON object"));
    }
    // To check the whole line takes less than to check one string after the other; what is wrong with it is told by the latter.
    let record = match std::str::from_utf8(line) {
        Ok(line) => serde_json::from_str(line),
        Err(_) => serde_json::from_slice(line),
    };
    let record: Record<'_> = record.map_err(|error| words(&error))?;
    let mqtt = match (record.mqtt, record.qos.or(record.retain)) {
        (Some(_), Some(_)) => {
            return Err(String::from(
                "qos and retain beside mqtt: they belong into it",
            ));
        }
        (Some(raw), None) => Some(mqtt(raw, like)?),
        (None, Some(_)) => Some(mosquittos(&record, like)?),
        (None, None) => None,
    };
    let amqp = record.amqp.map(|raw| amqp::detail(raw, like)).transpose()?;
    let (amqp, key) = amqp.unzip();
    let coap = match record.coap.map(coap::recorded).transpose()? {
        Some(coap::Recorded::Error) => return Ok(None),
        Some(coap::Recorded::Content(coap)) => Some(coap),
        None => None,
    };
    let mut topic = text("topic", record.topic)?;
    if let Some(key) = key.flatten() {
        amqp::check_key(key, &mut topic)?;
    }
    let detail = match (like, mqtt, amqp, coap) {
        (Detail::Plain | Detail::Mqtt(_), Some(mqtt), ..) => Detail::Mqtt(mqtt),
        (Detail::Plain | Detail::Amqp(_), _, Some(amqp), _) => Detail::Amqp(Box::new(amqp)),
        (Detail::Plain | Detail::Coap(_), _, _, Some(coap)) => Detail::Coap(coap),
        _ => Detail::Plain,
    };
    // What came over a fanout exchange has an empty routing key.
    let addressed = topic
        .as_ref()
        .is_some_and(|topic| !topic.is_empty() || matches!(detail, Detail::Amqp(_)));
    let message = Message {
        time: said(&record)?.unwrap_or(UNTIMED),
        topic: topic.unwrap_or_default(),
        payload: payload(&record)?,
        detail,
    };
    Ok(Some((message, addressed)))
}

/// Whether `line` is the beginning of a JSON object, and only its end is missing.
pub(super) fn is_begun(line: &[u8]) -> bool {
    let line = line
        .strip_prefix(file::BYTE_ORDER_MARK.as_bytes())
        .unwrap_or(line);
    let ends_early = |text: &[u8]| {
        let read = serde_json::from_slice::<serde::de::IgnoredAny>(text);
        read.is_err_and(|cause| cause.is_eof())
    };
    // A number may be cut within itself: `1.`, `-`, `2e`.
    line.trim_ascii_start().starts_with(b"{")
        && (ends_early(line) || ends_early(&[line, b"0"].concat()))
}

/// The message that a record of any protocol describes; `None`: it is no record of a message.
pub(crate) fn message_of_record(line: &[u8]) -> Option<Message> {
    let (message, _) = parse(line, &Detail::Plain).ok()??;
    Some(message)
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
    coap: Raw<'a>,
    amqp: Raw<'a>,
    /// Where `mosquitto_sub -F %j` has them.
    qos: Raw<'a>,
    retain: Raw<'a>,
    tst: Raw<'a>,
    payloadlen: Raw<'a>,
}

/// When whoever made the record says that it was: as RFC 3339 has it, without a zone in UTC, or a number since 1970.
fn said(record: &Record<'_>) -> Result<Option<SystemTime>, String> {
    let (name, raw) = match (record.time, record.tst) {
        (Some(time), _) => ("time", time.get()),
        (None, Some(tst)) => ("tst", tst.get()),
        (None, None) => return Ok(None),
    };
    if raw == "null" {
        return Ok(None);
    }
    let text = raw.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let mut text = Cow::Borrowed(text.unwrap_or(raw));
    if name == "tst" {
        // It writes a Z, and after it the offset of its clock.
        text = text.replace("Z+", "+").replace("Z-", "-").into();
    }
    let text = match text.split_at_checked(LEAP_AT) {
        Some((before, leap)) if leap.starts_with(":60") => {
            let zone = leap[3..].trim_start_matches(|it: char| it == '.' || it.is_ascii_digit());
            format!("{before}:59.999999999{zone}").into()
        }
        _ => text,
    };
    let time = instant::read(&text);
    let wrong = || {
        let shown = brief(raw);
        format!("{name}: {shown} is not a time, such as \"2026-01-01T12:00:00Z\" or 1767268800")
    };
    time.map(Some).ok_or_else(wrong)
}

/// Where the seconds of a time begin. A leap second is the end of the one before it, so that it comes after all of that.
const LEAP_AT: usize = "2016-12-31T23:59".len();

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
    let payload = any_payload(record)?;
    // `mosquitto_sub -F %j` ends a text where the payload has a NUL, and one that is empty would remove what is retained.
    match optional::<u64>("payloadlen", record.payloadlen)? {
        Some(length) if record.payload_json.is_none() && payload.len() as u64 != length => {
            Err(format!(
                "payloadlen is {length}, and payload has {} bytes: what is no text is not in it",
                payload.len()
            ))
        }
        _ => Ok(payload),
    }
}

fn any_payload(record: &Record<'_>) -> Result<Bytes, String> {
    let json = || record.payload.is_none_or(|raw| !raw.get().starts_with('"'));
    match (record.payload, record.payload_base64, record.payload_json) {
        // Without a body, `mosquitto_sub -F %j` has null.
        (None, None, None) if record.payloadlen.is_some_and(|it| it.get() == "0") => {
            Ok(Bytes::new())
        }
        (_, None, None) if record.payloadlen.is_some() && json() => Err(String::from(
            "payload is no text, as -F %J writes it: record with -F %j",
        )),
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

fn mqtt(raw: &RawValue, like: &Detail) -> Result<MqttDetail, String> {
    let mqtt: Mqtt<'_> = field("mqtt", raw)?;
    let like = match like {
        Detail::Mqtt(like) => like.clone(),
        _ => MqttDetail::default(),
    };
    let properties = properties(&mqtt)?;
    let said = properties != MqttProperties::default();
    Ok(MqttDetail {
        qos: qos("mqtt.qos", mqtt.qos)?.unwrap_or(like.qos),
        retain: optional("mqtt.retain", mqtt.retain)?.unwrap_or(like.retain),
        properties: if said {
            Some(Box::new(properties))
        } else {
            like.properties
        },
        ..like
    })
}

/// What `mosquitto_sub -F %j` says of a message: a number each.
fn mosquittos(record: &Record<'_>, like: &Detail) -> Result<MqttDetail, String> {
    let like = match like {
        Detail::Mqtt(like) => like.clone(),
        _ => MqttDetail::default(),
    };
    let retain = match record.retain.map(RawValue::get) {
        None => like.retain,
        Some("0" | "false") => false,
        Some("1" | "true") => true,
        Some(other) => return Err(format!("retain: {other} is neither 0 nor 1")),
    };
    Ok(MqttDetail {
        qos: qos("qos", record.qos)?.unwrap_or(like.qos),
        retain,
        ..like
    })
}

fn qos(name: &str, raw: Raw<'_>) -> Result<Option<u8>, String> {
    match optional(name, raw)? {
        Some(qos @ 3u8..) => Err(format!("{name}: {qos} is not one of 0, 1, 2")),
        qos => Ok(qos),
    }
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
    let text = raw.get().strip_prefix('"');
    let text = text.and_then(|it| it.strip_suffix('"'));
    text.and_then(unescaped)
        .map_or_else(|| field(name, raw), Ok)
}

/// What a text stands for that was read as JSON once already; `None`: it has escapes with numbers.
fn unescaped(text: &str) -> Option<String> {
    let mut unescaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        unescaped.push_str(&rest[..at]);
        unescaped.push(match rest.as_bytes().get(at + 1)? {
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => return None,
            other => char::from(*other),
        });
        rest = &rest[at + 2..];
    }
    unescaped.push_str(rest);
    Some(unescaped)
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

    fn read(line: &[u8]) -> Result<Message, String> {
        parse(line, &Detail::Plain).map(|read| read.unwrap().0)
    }

    fn flaw(line: &str) -> String {
        read(line.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_record_as_json_output_writes_it() {
        let line = br#"{"time":"2026-11-20T21:00:00.123456Z","protocol":"mqtt","topic":"a/b","payload":"21.5",
            "mqtt":{"qos":1,"retain":true,"dup":true,"packet_id":7,"payload_format_indicator":1,
            "message_expiry_interval":60,"content_type":"text/plain","response_topic":"r",
            "correlation_data":"c","topic_alias":3,"subscription_identifiers":[1,2],
            "user_properties":[["k","v"],["k","w"]]}}"#;
        let message = read(line).unwrap();
        assert_eq!(
            (&*message.topic, &message.payload[..]),
            ("a/b", &b"21.5"[..])
        );
        let mqtt = message.detail.as_mqtt().into_owned();
        assert_eq!((mqtt.qos, mqtt.retain), (1, true));
        let properties = MqttProperties {
            payload_format_indicator: Some(1),
            message_expiry_interval: Some(60),
            content_type: Some("text/plain".into()),
            response_topic: Some("r".into()),
            correlation_data: Some("c".into()),
            user_properties: vec![("k".into(), "v".into()), ("k".into(), "w".into())],
            ..MqttProperties::default()
        };
        assert_eq!(mqtt.properties.as_deref(), Some(&properties));
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        assert_eq!(
            &read("\u{feff}{\"payload\":\"x\"}".as_bytes())
                .unwrap()
                .payload[..],
            b"x"
        );
        assert!(read("{\u{feff}\"payload\":\"x\"}".as_bytes()).is_err());
    }

    #[test]
    fn the_least_record_is_a_payload() {
        assert_eq!(read(br#"{"payload":""}"#).unwrap(), Message::default());
        let other = br#"{"payload":"x","coap":{"code":"2.05"},"note":1}"#;
        let coap = read(other).unwrap();
        assert_eq!(
            (&coap.payload[..], coap.detail.protocol()),
            (&b"x"[..], "coap")
        );
        let other = br#"{"payload":"x","note":1}"#;
        assert_eq!(read(other).unwrap(), Message::plain("x".into()));
    }

    #[test]
    fn what_a_record_does_not_say_is_as_the_command_line_has_it() {
        let like = Detail::Mqtt(MqttDetail {
            qos: 2,
            retain: true,
            ..MqttDetail::default()
        });
        let mqtt = |line: &str| {
            let (message, _) = parse(line.as_bytes(), &like).unwrap().unwrap();
            (message.detail != Detail::Plain).then(|| {
                let mqtt = message.detail.as_mqtt().into_owned();
                (mqtt.qos, mqtt.retain)
            })
        };
        assert_eq!(mqtt(r#"{"payload":"","mqtt":{}}"#), Some((2, true)));
        assert_eq!(mqtt(r#"{"payload":"","mqtt":{"qos":0}}"#), Some((0, true)));
        // What another protocol carried, and what none did, has nothing of its own.
        for other in [r#"{"payload":"","amqp":{}}"#, r#"{"payload":""}"#] {
            assert_eq!(mqtt(other), None);
        }
    }

    #[test]
    fn a_time_is_read_or_refused() {
        let time = |time: &str| {
            let line = format!(r#"{{"time":{time},"topic":"a","payload":""}}"#);
            parse(line.as_bytes(), &Detail::Plain).map(|it| it.unwrap().0.time)
        };
        let noon = time("\"2026-01-01T12:00:00Z\"").unwrap();
        for same in [
            "\"2026-01-01T12:00:00\"",
            "1767268800",
            "\"2026-01-01T13:00:00+01:00\"",
        ] {
            assert_eq!(time(same), Ok(noon), "{same}");
        }
        assert_eq!(time("null"), Ok(UNTIMED));
        for wrong in ["\"yesterday\"", "true", "{}", "\"\""] {
            let flaw = time(wrong).unwrap_err();
            assert!(
                flaw.starts_with("time: ") && flaw.contains("is not a time"),
                "{flaw}"
            );
        }
    }

    #[test]
    fn records_of_mosquitto_sub_keep_their_qos_and_retain_flag() {
        let mqtt = |line: &str| {
            let message = parse(line.as_bytes(), &Detail::Plain)?.unwrap().0;
            let mqtt = message.detail.as_mqtt();
            Ok::<_, String>((mqtt.qos, mqtt.retain))
        };
        let theirs = r#"{"tst":"2026-01-01T00:00:00.000000Z+0000","topic":"a","qos":2,"retain":1,"payloadlen":1,"mid":7,"payload":"x"}"#;
        assert_eq!(mqtt(theirs), Ok((2, true)));
        let hour = |text: &str| {
            read(theirs.replace("Z+0000", text).as_bytes())
                .unwrap()
                .time
        };
        let later = hour("Z-0100").duration_since(hour("Z+0000")).unwrap();
        assert_eq!(later.as_secs(), 3600);
        assert_eq!(hour("Z"), hour("+0000"));
        let leap = "2026-01-01T00:00:00.000000Z+0000";
        let leap = |text: &str| read(theirs.replace(leap, text).as_bytes()).unwrap().time;
        let [last, leaping, next] = [
            leap("2016-12-31T23:59:59.9Z"),
            leap("2016-12-31T23:59:60.1Z"),
            leap("2017-01-01T00:00:00Z"),
        ];
        assert!(last < leaping && leaping < next);
        let empty = r#"{"topic":"a","qos":1,"retain":0,"payloadlen":0,"payload":null}"#;
        assert_eq!(mqtt(empty), Ok((1, false)));
        assert_eq!(read(empty.as_bytes()).unwrap().payload, "");
        let wrong = "payload is no text, as -F %J writes it: record with -F %j";
        for json in ["null", "21.5", r#"{"t":1}"#] {
            let json = format!(r#"{{"topic":"a","qos":0,"payloadlen":4,"payload":{json}}}"#);
            assert_eq!(mqtt(&json), Err(wrong.into()));
        }
        // What it could not write down is not what there was.
        let cut = r#"{"topic":"a","qos":0,"retain":1,"payloadlen":5,"payload":""}"#;
        let wrong = "payloadlen is 5, and payload has 0 bytes: what is no text is not in it";
        assert_eq!(mqtt(cut), Err(wrong.into()));
        let other = r#"{"topic":"a","qos":0,"payloadlen":2,"payload":"\u00e4"}"#;
        assert_eq!(mqtt(other), Ok((0, false)));
        assert_eq!(mqtt(r#"{"payload":"","retain":false}"#), Ok((0, false)));
        let wrong = "qos: 3 is not one of 0, 1, 2";
        assert_eq!(mqtt(r#"{"payload":"","qos":3}"#), Err(wrong.into()));
        let wrong = "retain: 2 is neither 0 nor 1";
        assert_eq!(mqtt(r#"{"payload":"","retain":2}"#), Err(wrong.into()));
        assert!(mqtt(r#"{"payload":"","qos":1,"mqtt":{}}"#).is_err());
    }

    #[test]
    fn an_empty_topic_is_one_where_a_fanout_exchange_had_it() {
        let addressed = |line: &str, like: &Detail| {
            let read = parse(line.as_bytes(), like).unwrap();
            read.unwrap().1
        };
        let fanout = r#"{"topic":"","payload":"","amqp":{"exchange":"logs"}}"#;
        assert!(addressed(fanout, &Detail::Amqp(Box::default())));
        assert!(!addressed(fanout, &Detail::Mqtt(MqttDetail::default())));
        for unsaid in [
            r#"{"topic":"","payload":""}"#,
            r#"{"payload":"","amqp":{}}"#,
        ] {
            assert!(
                !addressed(unsaid, &Detail::Amqp(Box::default())),
                "{unsaid}"
            );
        }
    }

    #[test]
    fn escapes_are_read_as_the_grammar_has_them() {
        for text in [
            r#""""#,
            r#""plain ä""#,
            r#""\"\\\/\b\f\n\r\t""#,
            r#""\u00e4 and \n""#,
            r#""{\"temp\": 21.5}\\""#,
        ] {
            let raw: &RawValue = serde_json::from_str(text).unwrap();
            let expected: String = serde_json::from_str(text).unwrap();
            assert_eq!(string("payload", raw), Ok(expected), "{text}");
        }
    }

    #[test]
    fn payloads_are_exact() {
        let payload = |line: &str| read(line.as_bytes()).unwrap().payload;
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
        let message = read(br#"{"payload":"","mqtt":{"correlation_data_base64":"/w=="}}"#).unwrap();
        let mqtt = message.detail.as_mqtt().into_owned();
        let data = mqtt.properties.unwrap().correlation_data.unwrap();
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
