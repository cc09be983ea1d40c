//! The `coap` member of a record.

use data_encoding::HEXLOWER;

use crate::message::{CoapDetail, CoapOption, CoapValue};

use super::{push_list, push_name, push_number_field, push_string};

pub(super) fn push(coap: &CoapDetail, into: &mut Vec<u8>) {
    into.extend_from_slice(b",\"coap\":{\"code\":");
    push_string(&coap.code, into);
    push_text("name", coap.name, into);
    push_text("uri", Some(&coap.uri), into);
    push_text("peer", Some(&coap.peer.to_string()), into);
    push_text("type", coap.kind, into);
    push_number_some("message_id", coap.message_id.map(u32::from), into);
    push_text("token", Some(&coap.token), into);
    push_number_some("content_format", coap.content_format.map(u32::from), into);
    push_text("media_type", coap.media_type, into);
    push_number_some("observe", coap.observe, into);
    push_name("options", into);
    push_list(&coap.options, into, push_option);
    if let Some(elapsed) = coap.elapsed {
        push_name("rtt_ms", into);
        let milliseconds = elapsed.as_micros() as f64 / 1_000.0;
        into.extend_from_slice(milliseconds.to_string().as_bytes());
    }
    push_number_field("retransmitted", coap.retransmitted, into);
    push_number_field("blocks", coap.blocks, into);
    into.push(b'}');
}

fn push_option(option: &CoapOption, into: &mut Vec<u8>) {
    into.extend_from_slice(b"{\"number\":");
    super::push_number(option.number.into(), into);
    push_text("name", option.name, into);
    match &option.value {
        CoapValue::Empty => {}
        CoapValue::Uint(number) => {
            push_name("value", into);
            into.extend_from_slice(number.to_string().as_bytes());
        }
        CoapValue::Text(text) => push_text("value", Some(text), into),
        CoapValue::Opaque(bytes) => push_text("value_hex", Some(&HEXLOWER.encode(bytes)), into),
    }
    into.push(b'}');
}

fn push_text(name: &str, text: Option<&str>, into: &mut Vec<u8>) {
    if let Some(text) = text {
        push_name(name, into);
        push_string(text, into);
    }
}

fn push_number_some(name: &str, number: Option<u32>, into: &mut Vec<u8>) {
    if let Some(number) = number {
        push_number_field(name, number, into);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::super::super::testing::{message, shown};
    use super::super::Json;
    use super::*;
    use crate::message::{Detail, Message};

    /// All that a record can say.
    pub(in super::super) fn detail() -> CoapDetail {
        CoapDetail {
            uri: "coap://[::1]/a".into(),
            code: "2.05".into(),
            name: Some("Content"),
            kind: Some("ACK"),
            message_id: Some(7),
            token: "0aff".into(),
            peer: ([127, 0, 0, 1], 5683).into(),
            content_format: Some(0),
            media_type: Some("text/plain;charset=utf-8"),
            observe: Some(3),
            options: vec![
                CoapOption {
                    number: 4,
                    name: Some("ETag"),
                    value: CoapValue::Opaque(Bytes::from_static(&[0, 0xab])),
                },
                CoapOption {
                    number: 12,
                    name: Some("Content-Format"),
                    value: CoapValue::Uint(0),
                },
                CoapOption {
                    number: 65_001,
                    name: None,
                    value: CoapValue::Text("\"".into()),
                },
                CoapOption {
                    number: 5,
                    name: Some("If-None-Match"),
                    value: CoapValue::Empty,
                },
            ],
            elapsed: Some(Duration::from_micros(1500)),
            retransmitted: 0,
            blocks: 1,
        }
    }

    #[test]
    fn a_record_says_all_of_it() {
        let message = Message {
            detail: Detail::Coap(Box::new(detail())),
            ..message("/a", b"21.5")
        };
        let text = shown(&mut Json::new(false, false, false), &message);
        let record: Value = serde_json::from_str(&text).expect("valid JSON");
        assert_eq!(
            (&record["protocol"], &record["topic"]),
            (&json!("coap"), &json!("/a"))
        );
        assert_eq!(
            record["coap"],
            json!({"code": "2.05", "name": "Content", "uri": "coap://[::1]/a", "peer": "127.0.0.1:5683", "type": "ACK",
                "message_id": 7, "token": "0aff", "content_format": 0, "media_type": "text/plain;charset=utf-8",
                "observe": 3, "options": [{"number": 4, "name": "ETag", "value_hex": "00ab"},
                    {"number": 12, "name": "Content-Format", "value": 0}, {"number": 65001, "value": "\""},
                    {"number": 5, "name": "If-None-Match"}],
                "rtt_ms": 1.5, "retransmitted": 0, "blocks": 1})
        );
    }

    #[test]
    fn a_format_made_for_mqtt_sees_the_media_type() {
        let seen = Detail::Coap(Box::new(detail())).as_mqtt().into_owned();
        let properties = seen.properties.expect("there are some");
        assert_eq!(
            properties.content_type.as_deref(),
            Some("text/plain;charset=utf-8")
        );
    }
}
