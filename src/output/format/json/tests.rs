use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde_json::Value;

use super::super::testing::{message, shown};
use super::*;
use crate::message::{AmqpDetail, AmqpProperties, AmqpValue};

fn line(message: &Message) -> String {
    shown(&mut Json::new(false, false, false), message)
}

/// A message with everything that MQTT 5 can say.
fn full() -> Message {
    Message {
        detail: Detail::Mqtt(MqttDetail {
            qos: 1,
            retain: true,
            duplicate: true,
            packet_id: 7,
            properties: Some(Box::new(MqttProperties {
                payload_format_indicator: Some(1),
                message_expiry_interval: Some(60),
                content_type: Some("text/plain".into()),
                response_topic: Some("re/ply".into()),
                correlation_data: Some(Bytes::from_static(b"\xff")),
                topic_alias: Some(3),
                subscription_identifiers: vec![1, 268_435_455],
                user_properties: vec![("k".into(), "v".into()), ("k".into(), "\"".into())],
            })),
        }),
        ..message("a/b", b"21.5")
    }
}

/// A message with everything that AMQP can say.
fn amqp() -> Message {
    let text = || Some("x".into());
    Message {
        detail: Detail::Amqp(Box::new(AmqpDetail {
            exchange: "e".into(),
            redelivered: true,
            delivery_tag: 1,
            properties: AmqpProperties {
                content_type: text(),
                content_encoding: text(),
                headers: vec![("n".into(), AmqpValue::Int32(1))],
                delivery_mode: Some(2),
                priority: Some(9),
                correlation_id: text(),
                reply_to: text(),
                expiration: text(),
                message_id: text(),
                timestamp: Some(1),
                kind: text(),
                user_id: text(),
                app_id: text(),
                cluster_id: text(),
                not_text: Vec::new(),
            },
        })),
        ..message("k", b"21.5")
    }
}

#[test]
fn the_record_of_the_design() {
    assert_eq!(
        line(&message("a/b", b"21.5")),
        concat!(
            r#"{"time":"2026-11-20T21:00:00.123456Z","protocol":"mqtt","topic":"a/b","#,
            r#""payload":"21.5","mqtt":{"qos":0,"retain":false}}"#,
            "\n"
        )
    );
}

#[test]
fn every_property_is_there() {
    assert_eq!(
        line(&full()),
        concat!(
            r#"{"time":"2026-11-20T21:00:00.123456Z","protocol":"mqtt","topic":"a/b","payload":"21.5","#,
            r#""mqtt":{"qos":1,"retain":true,"dup":true,"packet_id":7,"payload_format_indicator":1,"#,
            r#""message_expiry_interval":60,"topic_alias":3,"content_type":"text/plain","#,
            r#""response_topic":"re/ply","correlation_data_base64":"/w==","#,
            r#""subscription_identifiers":[1,268435455],"user_properties":[["k","v"],["k","\""]]}}"#,
            "\n"
        )
    );
}

#[test]
fn a_payload_is_text_or_base64() {
    assert!(line(&message("a", b"")).contains(r#""payload":"","#));
    assert!(line(&message("a", b"A\0B")).contains(r#""payload":"A\u0000B","#));
    assert!(line(&message("a", b"\xff\xfe")).contains(r#""payload_base64":"//4=","#));
}

#[test]
fn a_payload_is_embedded_when_asked_and_possible() {
    let embedded = |payload| {
        shown(&mut Json::new(false, true, false), &message("a", payload)).contains("_json\":21.50,")
    };
    assert!(embedded(b"21.50"));
    assert!(!embedded(b"21.50.1"));
    assert!(!line(&message("a", b"21.50")).contains("payload_json"));
    let text = shown(&mut Json::new(false, true, false), &message("a", b"x"));
    assert!(text.contains(r#""payload":"x""#));
}

#[test]
fn pretty_is_the_same_record() {
    let pretty = shown(&mut Json::new(true, false, false), &full());
    let flat: Value = serde_json::from_str(&line(&full())).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&pretty).unwrap(), flat);
    assert!(pretty.starts_with("{\n  \"time\": \"2026-"));
    assert!(pretty.ends_with("\n  }\n}\n"));
}

/// A small generator, so that the test needs no crate and repeats itself.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u8 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 56) as u8
    }

    /// Bytes of every kind: some are random, most are made of what parsers trip over.
    fn payload(&mut self) -> Vec<u8> {
        const PIECES: [&[u8]; 12] = [
            b"\"",
            b"\\",
            b"{",
            b"}",
            b"[1,",
            b"]",
            b"\n",
            b"\0",
            b"\xc2",
            b"\xc2\x9b",
            b"\xf0\x9f\x98\x80",
            b"1e9",
        ];
        let length = self.roll() % 8;
        (0..length)
            .flat_map(|_| match self.roll() {
                random @ 200.. => vec![random, self.roll()],
                piece => PIECES[usize::from(piece) % PIECES.len()].to_vec(),
            })
            .collect()
    }
}

#[test]
fn any_payload_gives_one_line_of_valid_json_that_reads_back() {
    let mut dice = Dice(1);
    for embed in [false, true] {
        let mut json = Json::new(false, embed, false);
        for _ in 0..20_000 {
            let payload = dice.payload();
            let message = Message {
                payload: payload.clone().into(),
                ..message("a", b"")
            };
            let text = shown(&mut json, &message);
            assert_eq!(text.find('\n'), Some(text.len() - 1), "{payload:?}");
            let value: Value = serde_json::from_str(&text).unwrap();
            let back = match (&value["payload"], &value["payload_base64"]) {
                (Value::String(text), Value::Null) => text.clone().into_bytes(),
                (Value::Null, Value::String(digits)) => {
                    data_encoding::BASE64.decode(digits.as_bytes()).unwrap()
                }
                (Value::Null, Value::Null) if embed => continue,
                other => panic!("{other:?}"),
            };
            assert_eq!(back, payload);
        }
    }
}

#[test]
fn strange_times_are_still_times() {
    for time in [
        SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 40),
        SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 60),
    ] {
        let text = line(&Message {
            time,
            ..message("a", b"")
        });
        assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
    }
}

mod schema {
    //! The renderer's fields and the published schema name the same things.

    use super::*;

    fn schema() -> Value {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/record.schema.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    /// Whether `value` is of the type that `schema` names, for the few types that occur.
    fn fits(schema: &Value, value: &Value) -> bool {
        match schema["type"].as_str() {
            Some("string") => value.is_string(),
            Some("integer") => value.as_u64().is_some_and(|number| {
                number >= schema["minimum"].as_u64().unwrap_or(0)
                    && number <= schema["maximum"].as_u64().unwrap_or(u64::MAX)
            }),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            Some("array") => value
                .as_array()
                .is_some_and(|items| items.iter().all(|item| fits(&schema["items"], item))),
            // Headers are whatever their sender says.
            Some("object") if schema.get("properties").is_none() => value.is_object(),
            Some("object") => fits_object(schema, value),
            Some(other) => panic!("the check does not know {other}"),
            None => true,
        }
    }

    fn fits_object(schema: &Value, value: &Value) -> bool {
        let required = schema["required"].as_array().into_iter().flatten();
        let all_there = required
            .into_iter()
            .all(|name| value.get(name.as_str().unwrap()).is_some());
        let members = value.as_object().unwrap();
        all_there
            && members.iter().all(|(name, member)| {
                schema["properties"]
                    .get(name)
                    .is_some_and(|schema| fits(schema, member))
            })
    }

    fn coap() -> Message {
        Message {
            detail: Detail::Coap(Box::new(coap::tests::detail())),
            ..message("/a", b"21.5")
        }
    }

    #[test]
    fn every_record_fits() {
        let schema = schema();
        let binary = message("a", b"\xff");
        for message in [full(), message("a", b"21"), binary, coap(), amqp()] {
            for embed in [false, true] {
                let text = shown(&mut Json::new(false, embed, false), &message);
                let record: Value = serde_json::from_str(&text).unwrap();
                assert!(fits(&schema, &record), "{record}");
                let bodies = ["payload", "payload_base64", "payload_json"];
                let count = bodies
                    .iter()
                    .filter(|name| record.get(**name).is_some())
                    .count();
                assert_eq!(count, 1);
            }
        }
    }

    #[test]
    fn every_name_in_the_schema_is_written_by_somebody() {
        let schema = schema();
        let mut texts = String::new();
        for (message, embed) in [
            (full(), false),
            (full(), true),
            (message("a", b"\xff"), false),
        ] {
            texts += &shown(&mut Json::new(false, embed, false), &message);
        }
        texts += &line(&Message {
            detail: Detail::Mqtt(MqttDetail {
                properties: Some(Box::new(MqttProperties {
                    correlation_data: Some("c".into()),
                    ..MqttProperties::default()
                })),
                ..MqttDetail::default()
            }),
            ..message("a", b"")
        });
        texts += &line(&coap());
        texts += &line(&amqp());
        let top = schema["properties"].as_object().unwrap();
        let mqtt = schema["properties"]["mqtt"]["properties"]
            .as_object()
            .unwrap();
        let amqp = schema["properties"]["amqp"]["properties"]
            .as_object()
            .unwrap();
        let coap = schema["properties"]["coap"]["properties"]
            .as_object()
            .unwrap();
        let below = mqtt.keys().chain(coap.keys()).chain(amqp.keys());
        for name in top.keys().chain(below) {
            assert!(texts.contains(&format!("\"{name}\":")), "{name}");
        }
    }

    #[test]
    fn exactly_one_payload_is_demanded() {
        let one_of = schema()["oneOf"].clone();
        let names: Vec<&str> = one_of
            .as_array()
            .unwrap()
            .iter()
            .map(|choice| choice["required"][0].as_str().unwrap())
            .collect();
        assert_eq!(names, ["payload", "payload_base64", "payload_json"]);
    }
}

mod round_trip {
    //! What `--output json` writes is what `--ndjson` reads.

    use std::io::{Write, pipe};

    use super::*;
    use std::collections::VecDeque;

    use crate::payload::{Bodies, Encoding, Source};

    async fn read_back(text: String) -> VecDeque<Message> {
        let (reader, mut writer) = pipe().unwrap();
        let writing = std::thread::spawn(move || writer.write_all(text.as_bytes()));
        let mut bodies = Bodies::over(reader.into(), &Source::Records, Encoding::Plain).unwrap();
        let mut into = VecDeque::new();
        while bodies.next(&mut into).await.unwrap() {}
        writing.join().unwrap().unwrap();
        into
    }

    impl Dice {
        fn number(&mut self) -> u64 {
            u64::from_le_bytes([(); 8].map(|()| self.roll())) >> (self.roll() % 64)
        }

        fn text(&mut self) -> bytestring::ByteString {
            String::from_utf8_lossy(&self.payload()).as_ref().into()
        }

        fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
            (self.roll().is_multiple_of(2)).then(|| make(self))
        }

        fn pairs(&mut self, depth: u8) -> Vec<(bytestring::ByteString, AmqpValue)> {
            let names = (0..self.roll() % 4).map(|at| {
                let name = match self.roll() % 3 {
                    0 => "!base64".into(),
                    _ => format!("{at}~/{}", self.text()).into(),
                };
                (name, self.value(depth))
            });
            let mut pairs: Vec<_> = names.collect();
            pairs.sort_by(|(one, _), (other, _): &(bytestring::ByteString, _)| one.cmp(other));
            pairs.dedup_by(|(one, _), (other, _)| one == other);
            pairs
        }

        fn value(&mut self, depth: u8) -> AmqpValue {
            match self.roll() % if depth > 2 { 9 } else { 12 } {
                0 => AmqpValue::Bool(self.roll().is_multiple_of(2)),
                1 => AmqpValue::Int(self.number() as i64),
                2 => AmqpValue::Int32(self.number() as i32),
                3 => match f64::from_bits(self.number()) {
                    // It equals nothing, not even itself.
                    number if number.is_nan() => AmqpValue::Double(f64::NEG_INFINITY),
                    number => AmqpValue::Double(number),
                },
                4 => AmqpValue::Decimal {
                    digits: self.number() as u32,
                    scale: self.roll(),
                },
                5 => AmqpValue::Text(self.text()),
                6 => AmqpValue::Bytes(self.payload().into()),
                7 => AmqpValue::Timestamp(self.number()),
                8 => AmqpValue::Void,
                9 => AmqpValue::List(
                    (0..self.roll() % 4)
                        .map(|_| self.value(depth + 1))
                        .collect(),
                ),
                _ => AmqpValue::Table(self.pairs(depth + 1)),
            }
        }

        /// Each text is there, or not, or is not UTF-8.
        fn amqp(&mut self) -> Message {
            let mut not_text = Vec::new();
            let mut text = |dice: &mut Self, name: &'static str| match dice.roll() % 3 {
                0 => None,
                1 => Some(dice.text()),
                _ => {
                    let bytes = Bytes::from([&[0xFF][..], &dice.payload()].concat());
                    not_text.push((name, bytes));
                    None
                }
            };
            let mut properties = AmqpProperties {
                content_type: text(self, "content_type"),
                content_encoding: text(self, "content_encoding"),
                headers: self.pairs(0),
                delivery_mode: self.maybe(Self::roll),
                priority: self.maybe(Self::roll),
                correlation_id: text(self, "correlation_id"),
                reply_to: text(self, "reply_to"),
                expiration: text(self, "expiration"),
                message_id: text(self, "message_id"),
                timestamp: self.maybe(Self::number),
                kind: text(self, "type"),
                user_id: text(self, "user_id"),
                app_id: text(self, "app_id"),
                cluster_id: text(self, "cluster_id"),
                not_text: Vec::new(),
            };
            let exchange = text(self, "exchange").unwrap_or_default();
            let key = text(self, "routing_key").unwrap_or_default();
            properties.not_text = not_text;
            let shown = |name: &str, text: bytestring::ByteString| {
                let bytes = properties.not_text(name);
                bytes.map_or(text, |it| String::from_utf8_lossy(it).as_ref().into())
            };
            Message {
                topic: shown("routing_key", key),
                payload: self.payload().into(),
                detail: Detail::Amqp(Box::new(AmqpDetail {
                    exchange: shown("exchange", exchange),
                    redelivered: false,
                    delivery_tag: 0,
                    properties,
                })),
                ..message("", b"")
            }
        }

        fn mqtt(&mut self) -> Message {
            let properties = MqttProperties {
                payload_format_indicator: self.maybe(|dice| dice.roll() % 2),
                message_expiry_interval: self.maybe(|dice| dice.number() as u32),
                content_type: self.maybe(Self::text),
                response_topic: self.maybe(Self::text),
                correlation_data: self.maybe(|dice| dice.payload().into()),
                user_properties: (0..self.roll() % 3)
                    .map(|_| (self.text(), self.text()))
                    .collect(),
                ..MqttProperties::default()
            };
            let there = properties != MqttProperties::default();
            Message {
                topic: self.text(),
                payload: self.payload().into(),
                detail: Detail::Mqtt(MqttDetail {
                    qos: self.roll() % 3,
                    retain: self.roll().is_multiple_of(2),
                    properties: there.then(|| Box::new(properties)),
                    ..MqttDetail::default()
                }),
                ..message("", b"")
            }
        }

        fn coap(&mut self) -> Message {
            Message {
                topic: self.text(),
                payload: self.payload().into(),
                detail: Detail::Coap(Box::new(crate::message::CoapDetail {
                    content_format: Some(self.number() as u16),
                    ..Default::default()
                })),
                ..message("", b"")
            }
        }
    }

    #[tokio::test]
    async fn every_field_of_every_protocol_reads_back_as_it_was() {
        let mut dice = Dice(3);
        for _ in 0..300 {
            let messages = [dice.amqp(), dice.mqtt(), dice.coap()];
            for embed in [false, true] {
                let mut json = Json::new(false, embed, false);
                let text: String = messages.iter().map(|it| shown(&mut json, it)).collect();
                let micros = Duration::from_micros(1_000_000);
                let read = read_back(text.clone()).await;
                for (message, read) in messages.iter().zip(read) {
                    let apart = message.time.duration_since(read.time).unwrap_or_default();
                    assert!(apart < micros, "{apart:?}");
                    let expected = Message {
                        time: read.time,
                        // Embedded JSON may have lost the white space around it.
                        payload: match embed {
                            true => read.payload.clone(),
                            false => message.payload.clone(),
                        },
                        ..message.clone()
                    };
                    assert_eq!(read, expected, "{text}");
                }
            }
        }
    }

    /// What sends `message` again: what belonged to the connection it came over is left out.
    fn again(message: &Message) -> Message {
        let mut mqtt = message.detail.as_mqtt().into_owned();
        if let Some(properties) = &mut mqtt.properties {
            properties.topic_alias = None;
            properties.subscription_identifiers.clear();
        }
        (mqtt.duplicate, mqtt.packet_id) = (false, 0);
        let micros = |time: SystemTime| {
            let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            SystemTime::UNIX_EPOCH + Duration::from_micros(since.as_micros() as u64)
        };
        Message {
            time: micros(message.time),
            detail: Detail::Mqtt(mqtt),
            ..message.clone()
        }
    }

    #[tokio::test]
    async fn every_message_reads_back_as_it_was() {
        let mut dice = Dice(2);
        let mut json = Json::new(false, false, false);
        let mut messages = vec![
            full(),
            message("ü/\"\\\u{7f}\u{85}", b""),
            message("a", b"null"),
        ];
        messages.extend((0..2_000).map(|_| Message {
            payload: dice.payload().into(),
            ..message("a", b"")
        }));
        let text: String = messages
            .iter()
            .map(|message| shown(&mut json, message))
            .collect();
        let sent: Vec<Message> = messages.iter().map(again).collect();
        assert!(read_back(text).await == sent);
    }

    #[tokio::test]
    async fn embedded_payloads_read_back_verbatim() {
        let mut json = Json::new(false, true, false);
        let payloads: [&[u8]; 6] = [
            b"null",
            b"21.50",
            b"1e400",
            b"{\"a\": [1,2 ]}",
            b"\"\"",
            b"no",
        ];
        let messages = payloads.map(|payload| message("a", payload));
        let text: String = messages
            .iter()
            .map(|message| shown(&mut json, message))
            .collect();
        let sent = messages.iter().map(again).collect::<Vec<_>>();
        assert_eq!(read_back(text).await, sent);
    }
}
