//! Malformed packets, each with the reason code that it is answered with.

use bytes::BytesMut;

use super::decode;
use crate::mqtt::packet::{Decoder, LARGEST_PACKET, ReasonCode, Version};
use Version::{V5, V31, V311};

/// Version, bytes, reason code, text of the error.
type Row = (Version, &'static [u8], u8, &'static str);

fn check(rows: &[Row]) {
    for (version, bytes, reason, text) in rows {
        match decode(bytes, *version) {
            Err(error) => assert_eq!(
                (error.reason, &*error.text),
                (ReasonCode(*reason), *text),
                "{bytes:02x?}"
            ),
            Ok(packet) => panic!("{bytes:02x?} ({text}) is read as {packet:?}"),
        }
    }
}

#[test]
fn fixed_headers() {
    check(&[
        (V5, b"\x00\0", 0x81, "packet type 0 is reserved"),
        (V311, b"\xf0\0", 0x81, "packet type 15 (AUTH) before MQTT 5"),
        (
            V5,
            b"\x80\x06\0\x01\0\x01a\0",
            0x81,
            "SUBSCRIBE with reserved flags 0x0",
        ),
        (
            V311,
            b"\x8a\x06\0\x01\0\x01a\0",
            0x81,
            "SUBSCRIBE with reserved flags 0xa",
        ),
        (V31, b"\x88", 0x81, "SUBSCRIBE with reserved flags 0x8"),
        (
            V5,
            b"\x60\x02\0\x01",
            0x81,
            "PUBREL with reserved flags 0x0",
        ),
        (V5, b"\xa1", 0x81, "UNSUBSCRIBE with reserved flags 0x1"),
        (
            V5,
            b"\x11\x0d\0\x04MQTT\x05\x02\0\0\0\0\0",
            0x81,
            "CONNECT with reserved flags 0x1",
        ),
        (V5, b"\xc8\0", 0x81, "PINGREQ with reserved flags 0x8"),
        (
            V5,
            b"HTTP/1.1 400 Bad Request\r\n",
            0x81,
            "PUBACK with reserved flags 0x8",
        ),
        (V311, b"\x36", 0x81, "PUBLISH with QoS 3"),
        (V311, b"\x38", 0x81, "PUBLISH with DUP at QoS 0"),
        (
            V311,
            b"\xc0\xff\xff\xff\xff",
            0x81,
            "PINGREQ with a remaining length of more than 4 bytes",
        ),
        (
            V5,
            b"\xc0\x80\0",
            0x81,
            "PINGREQ with a remaining length that is not in its shortest form",
        ),
        (V5, b"\xc0\x01x", 0x81, "PINGREQ with trailing bytes (1)"),
        (
            V311,
            b"\xe0\x01\0",
            0x81,
            "DISCONNECT with trailing bytes (1)",
        ),
    ]);
    assert!(
        matches!(decode(b"\xc0\x80\0", V311), Ok(Some(_))),
        "MQTT 3.1.1 does not forbid long lengths"
    );
    assert!(
        matches!(decode(b"\x8a\x06\0\x01\0\x01a\0", V31), Ok(Some(_))),
        "MQTT 3.1 has DUP on SUBSCRIBE"
    );
    for connect in [
        b"\x14\x0f\0\x06MQIsdp\x03\x02\0\0\0\x01p",
        b"\x10\x0f\0\x06MQIsdp\x03\x03\0\0\0\x01p",
    ] {
        assert!(
            matches!(decode(connect, V5), Ok(Some(_))),
            "MQTT 3.1 does not use these bits of CONNECT"
        );
    }
}

#[test]
fn connects() {
    check(&[
        (
            V5,
            b"\x10\x06\0\x04MQTX",
            0x84,
            "CONNECT with unknown protocol name \"MQTX\"",
        ),
        (
            V5,
            b"\x10\x07\0\x04MQTT\x06",
            0x84,
            "CONNECT with unknown level 6 of protocol MQTT",
        ),
        (
            V5,
            b"\x10\x07\0\x04MQTT\x03",
            0x84,
            "CONNECT with unknown level 3 of protocol MQTT",
        ),
        (
            V5,
            b"\x10\x07\0\x04MQTT\x84",
            0x84,
            "CONNECT with unknown level 132 of protocol MQTT",
        ),
        (
            V5,
            b"\x10\x09\0\x06MQIsdp\x83",
            0x84,
            "CONNECT with unknown level 131 of protocol MQIsdp",
        ),
        (
            V5,
            b"\x10\x09\0\x06MQIsdp\x04",
            0x84,
            "CONNECT with unknown level 4 of protocol MQIsdp",
        ),
        (
            V5,
            b"\x10\x0c\0\x04MQTT\x04\x03\0\0\0\0",
            0x81,
            "CONNECT with the reserved flag set",
        ),
        (
            V5,
            b"\x10\x0c\0\x04MQTT\x04\x08\0\0\0\0",
            0x81,
            "CONNECT with will QoS or will retain but no will",
        ),
        (
            V5,
            b"\x10\x0c\0\x04MQTT\x04\x20\0\0\0\0",
            0x81,
            "CONNECT with will QoS or will retain but no will",
        ),
        (
            V5,
            b"\x10\x12\0\x04MQTT\x04\x1c\0\0\0\0\0\x01w\0\x01x",
            0x81,
            "CONNECT with will QoS 3",
        ),
        (
            V5,
            b"\x10\x0f\0\x04MQTT\x04\x40\0\0\0\0\0\x01p",
            0x81,
            "CONNECT with a password but no user name",
        ),
        (
            V5,
            b"\x10\x0f\0\x06MQIsdp\x03\x40\0\0\0\0\0",
            0x81,
            "CONNECT with a password but no user name",
        ),
        (
            V5,
            b"\x10\x0c\0\x04MQTT\x04\x80\0\0\0\0",
            0x81,
            "CONNECT ends within its user name",
        ),
        (
            V5,
            b"\x10\x0d\0\x04MQTT\x04\0\0\0\0\0x",
            0x81,
            "CONNECT with trailing bytes (1)",
        ),
        (
            V5,
            b"\x10\x0d\0\x04MQTT\x04\0\0\0\0\x01\xff",
            0x81,
            "CONNECT: client identifier is not UTF-8",
        ),
        (
            V5,
            b"\x10\x0d\0\x04MQTT\x04\0\0\0\0\x01\0",
            0x81,
            "CONNECT: client identifier contains a NUL character",
        ),
        (
            V5,
            b"\x10\x0f\0\x04MQTT\x04\x04\0\0\0\0\0\x01#",
            0x90,
            "CONNECT: will topic \"#\" contains the wildcard #",
        ),
        (
            V5,
            b"\x10\x10\0\x04MQTT\x04\x04\0\0\0\0\0\0\0\0",
            0x90,
            "CONNECT: will topic is empty",
        ),
        (
            V311,
            b"\x10\x8d\0\0\x04MQTT\x05\0\0\0\0\0\0",
            0x81,
            "CONNECT with a remaining length that is not in its shortest form",
        ),
    ]);
}

#[test]
fn mqtt_3_1_may_announce_a_user_name_and_leave_it_out() {
    assert!(matches!(
        decode(b"\x10\x0f\0\x06MQIsdp\x03\xc2\0\0\0\x01a", V5),
        Ok(Some(_))
    ));
}

#[test]
fn connacks() {
    check(&[
        (
            V311,
            b"\x20\x02\x02\0",
            0x81,
            "CONNACK with reserved flags 0x02",
        ),
        (
            V311,
            b"\x20\x02\0\x06",
            0x81,
            "CONNACK with reserved return code 6",
        ),
        (
            V311,
            b"\x20\x02\x01\x05",
            0x81,
            "CONNACK with a session present and a failure: not authorized (0x87)",
        ),
        (
            V5,
            b"\x20\x03\x01\x87\0",
            0x81,
            "CONNACK with a session present and a failure: not authorized (0x87)",
        ),
        (
            V5,
            b"\x20\x03\0\x01\0",
            0x81,
            "CONNACK with an invalid reason code: granted QoS 1 (0x01)",
        ),
        (
            V5,
            b"\x20\x03\0\xff\0",
            0x81,
            "CONNACK with an invalid reason code: reason code 0xff",
        ),
        (
            V5,
            b"\x20\x02\0\0",
            0x81,
            "CONNACK ends within its property length",
        ),
        (
            V311,
            b"\x20\x03\0\0\0",
            0x81,
            "CONNACK with trailing bytes (1)",
        ),
    ]);
}

#[test]
fn publishes() {
    check(&[
        (
            V311,
            b"\x30\x03\0\x02a",
            0x81,
            "PUBLISH ends within its topic",
        ),
        (V311, b"\x30\0", 0x81, "PUBLISH ends within its topic"),
        (
            V311,
            b"\x30\x03\0\x01\xff",
            0x81,
            "PUBLISH: topic is not UTF-8",
        ),
        (
            V5,
            b"\x30\x06\0\x03\xed\xa0\x80\0",
            0x81,
            "PUBLISH: topic is not UTF-8",
        ),
        (
            V311,
            b"\x30\x03\0\x01\0",
            0x81,
            r#"PUBLISH: topic "\0" contains a NUL character"#,
        ),
        (
            V311,
            b"\x30\x05\0\x03a/+",
            0x90,
            r#"PUBLISH: topic "a/+" contains the wildcard +"#,
        ),
        (
            V5,
            b"\x30\x04\0\x01#\0",
            0x90,
            r##"PUBLISH: topic "#" contains the wildcard #"##,
        ),
        (V311, b"\x30\x02\0\0", 0x82, "PUBLISH: topic is empty"),
        (V5, b"\x30\x03\0\0\0", 0x82, "PUBLISH: topic is empty"),
        (
            V311,
            b"\x32\x05\0\x01a\0\0",
            0x82,
            "PUBLISH with packet identifier 0",
        ),
        (
            V311,
            b"\x34\x04\0\x01a\0",
            0x81,
            "PUBLISH ends within its packet identifier",
        ),
        (
            V5,
            b"\x30\x03\0\x01a",
            0x81,
            "PUBLISH ends within its property length",
        ),
    ]);
}

#[test]
fn acknowledgements() {
    check(&[
        (
            V311,
            b"\x40\x02\0\0",
            0x82,
            "PUBACK with packet identifier 0",
        ),
        (
            V311,
            b"\x40\x01\0",
            0x81,
            "PUBACK ends within its packet identifier",
        ),
        (
            V311,
            b"\x40\x03\0\x01\0",
            0x81,
            "PUBACK with trailing bytes (1)",
        ),
        (
            V5,
            b"\x40\x03\0\x01\x11",
            0x81,
            "PUBACK with an invalid reason code: no subscription existed (0x11)",
        ),
        (
            V5,
            b"\x62\x03\0\x01\x87",
            0x81,
            "PUBREL with an invalid reason code: not authorized (0x87)",
        ),
        (
            V5,
            b"\x40\x05\0\x01\0\0x",
            0x81,
            "PUBACK with trailing bytes (1)",
        ),
        (
            V311,
            b"\x90\x03\0\x01\x03",
            0x81,
            "SUBACK with an invalid reason code: reason code 0x03",
        ),
        (
            V311,
            b"\x90\x03\0\x01\x87",
            0x81,
            "SUBACK with reserved return code 0x87",
        ),
        (
            V311,
            b"\x90\x02\0\x01",
            0x82,
            "SUBACK without a reason code",
        ),
        (
            V5,
            b"\xb0\x03\0\x01\0",
            0x82,
            "UNSUBACK without a reason code",
        ),
        (
            V311,
            b"\xb0\x03\0\x01\0",
            0x81,
            "UNSUBACK with trailing bytes (1)",
        ),
        (
            V5,
            b"\xe0\x01\x01",
            0x81,
            "DISCONNECT with an invalid reason code: granted QoS 1 (0x01)",
        ),
        (
            V5,
            b"\xf0\x01\x18",
            0x82,
            "AUTH without authentication-method",
        ),
    ]);
}

#[test]
fn subscriptions() {
    check(&[
        (V311, b"\x82\x02\0\x01", 0x82, "SUBSCRIBE without a filter"),
        (
            V5,
            b"\xa2\x03\0\x01\0",
            0x82,
            "UNSUBSCRIBE without a filter",
        ),
        (
            V311,
            b"\x82\x06\0\0\0\x01a\0",
            0x82,
            "SUBSCRIBE with packet identifier 0",
        ),
        (
            V311,
            b"\x82\x05\0\x01\0\x01a",
            0x81,
            "SUBSCRIBE ends within its subscription options",
        ),
        (
            V311,
            b"\x82\x06\0\x01\0\x01a\x04",
            0x81,
            "SUBSCRIBE with reserved option bits 0x04",
        ),
        (
            V5,
            b"\x82\x07\0\x01\0\0\x01a\x40",
            0x81,
            "SUBSCRIBE with reserved option bits 0x40",
        ),
        (
            V5,
            b"\x82\x07\0\x01\0\0\x01a\x03",
            0x82,
            "SUBSCRIBE with QoS 3",
        ),
        (
            V5,
            b"\x82\x07\0\x01\0\0\x01a\x30",
            0x82,
            "SUBSCRIBE with retain handling 3",
        ),
        (
            V5,
            b"\x82\x10\0\x01\0\0\x0a$share/g/a\x04",
            0x82,
            "SUBSCRIBE with no-local on a shared subscription",
        ),
        (
            V5,
            b"\x82\x0e\0\x01\0\0\x08$share/g\0",
            0x8f,
            "SUBSCRIBE: filter \"$share/g\": no filter after the share name",
        ),
        (
            V311,
            b"\x82\x08\0\x01\0\x03#/a\0",
            0x8f,
            "SUBSCRIBE: filter \"#/a\": # must be the last level",
        ),
        (
            V311,
            b"\xa2\x04\0\x01\0\0",
            0x8f,
            "UNSUBSCRIBE: filter is empty",
        ),
    ]);
    assert!(
        matches!(decode(b"\x82\x0d\0\x01\0\x08$share/g\0", V311), Ok(Some(_))),
        "`$share` is plain before MQTT 5"
    );
}

/// A PUBLISH to `a` with these properties.
fn publish(properties: &[u8]) -> Vec<u8> {
    let length = properties.len() as u8;
    let mut bytes = vec![0x30, 4 + length, 0, 1, b'a', length];
    bytes.extend_from_slice(properties);
    bytes
}

#[test]
fn properties_of_a_publish() {
    let rows: &[(&[u8], u8, &str)] = &[
        (b"\x04\0", 0x81, "PUBLISH: unknown property 0x04"),
        (b"\x80\x01", 0x81, "PUBLISH: unknown property 0x80"),
        (
            b"\x21\0\x01",
            0x81,
            "PUBLISH: receive-maximum is not allowed there",
        ),
        (
            b"\x01\0\x01\0",
            0x82,
            "PUBLISH: payload-format-indicator appears twice",
        ),
        (
            b"\x01\x02",
            0x82,
            "PUBLISH: payload-format-indicator is 2, neither 0 nor 1",
        ),
        (b"\x23\0\0", 0x94, "PUBLISH: topic-alias is 0"),
        (b"\x0b\0", 0x82, "PUBLISH: subscription-identifier is 0"),
        (
            b"\x0b\xff\xff\xff\xff",
            0x81,
            "PUBLISH: subscription-identifier is not a variable byte integer in its shortest form",
        ),
        (
            b"\x0b\x81\0",
            0x81,
            "PUBLISH: subscription-identifier is not a variable byte integer in its shortest form",
        ),
        (
            b"\x02\0\0\0",
            0x81,
            "PUBLISH ends within its message-expiry-interval",
        ),
        (b"\x03\0\x02x", 0x81, "PUBLISH ends within its content-type"),
        (
            b"\x03\0\x01\xff",
            0x81,
            "PUBLISH: content-type is not UTF-8",
        ),
        (
            b"\x26\0\x01a\0\x01\0",
            0x81,
            "PUBLISH: user-property contains a NUL character",
        ),
        (
            b"\x26\0\x01a",
            0x81,
            "PUBLISH ends within its user-property",
        ),
        (
            b"\x08\0\x01#",
            0x90,
            r##"PUBLISH: response-topic: topic "#" contains the wildcard #"##,
        ),
    ];
    for (properties, reason, text) in rows {
        let error = decode(&publish(properties), V5).unwrap_err();
        assert_eq!((error.reason, &*error.text), (ReasonCode(*reason), *text));
    }
    assert!(
        decode(&publish(b"\x0b\x01\x0b\x01\x26\0\0\0\0\x26\0\0\0\0"), V5).is_ok(),
        "these two may repeat"
    );
}

#[test]
fn properties_elsewhere() {
    check(&[
        (
            V5,
            b"\x30\x04\0\x01a\x05",
            0x81,
            "PUBLISH ends within its properties",
        ),
        (
            V5,
            b"\x10\x10\0\x04MQTT\x05\0\0\0\x03\x21\0\0\0\0",
            0x82,
            "CONNECT: receive-maximum is 0",
        ),
        (
            V5,
            b"\x10\x12\0\x04MQTT\x05\0\0\0\x05\x27\0\0\0\0\0\0",
            0x82,
            "CONNECT: maximum-packet-size is 0",
        ),
        (
            V5,
            b"\x10\x11\0\x04MQTT\x05\0\0\0\x04\x16\0\x01d\0\0",
            0x82,
            "CONNECT: authentication-data without authentication-method",
        ),
        (
            V5,
            b"\x10\x15\0\x04MQTT\x05\x04\0\0\0\0\0\x03\x21\0\x01\0\x01w\0\0",
            0x81,
            "will: receive-maximum is not allowed there",
        ),
        (
            V5,
            b"\x20\x05\0\0\x02\x24\x02",
            0x82,
            "CONNACK: maximum-qos is 2, neither 0 nor 1",
        ),
        (
            V5,
            b"\x82\x0b\0\x01\x04\x0b\x01\x0b\x02\0\x01a\0",
            0x82,
            "SUBSCRIBE: subscription-identifier appears twice",
        ),
        (
            V5,
            b"\xa2\x08\0\x01\x02\x0b\x01\0\x01a",
            0x81,
            "UNSUBSCRIBE: subscription-identifier is not allowed there",
        ),
    ]);
}

#[test]
fn a_packet_too_large_is_refused_by_its_header() {
    let decoder = Decoder::new(V311, 100);
    let error = decoder
        .decode(&mut BytesMut::from(&b"\x30\x63"[..]))
        .unwrap_err();
    assert_eq!(error.reason, ReasonCode::PACKET_TOO_LARGE);
    assert_eq!(
        error.text,
        "PUBLISH of 101 bytes is larger than the maximum packet size 100"
    );
    assert_eq!(
        decoder.decode(&mut BytesMut::from(&b"\x30\x62"[..])),
        Ok(None)
    );
    assert_eq!(
        decode(b"\x30\xff\xff\xff\x7f", V311),
        Ok(None),
        "{LARGEST_PACKET} bytes are allowed here"
    );
}

/// The error for a packet whose first bytes are followed by `count` times the same.
fn many(
    version: Version,
    first: u8,
    head: &[u8],
    item: &[u8],
    count: usize,
) -> (ReasonCode, String) {
    let body = [head, &item.repeat(count)].concat();
    let mut bytes = vec![first];
    let mut rest = body.len();
    while rest > 127 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes.extend(body);
    let error = decode(&bytes, version).expect_err("too many");
    (error.reason, error.text)
}

#[test]
fn more_small_parts_than_anybody_needs_are_refused() {
    let quota = ReasonCode::QUOTA_EXCEEDED;
    // 1,000,000 bytes of properties: 0x40 + 0x84 * 2^7 ...
    let head = b"\0\x01t\xc0\x84\x3d";
    assert_eq!(
        many(V5, 0x30, head, b"\x26\0\0\0\0", 200_000),
        (quota, String::from("PUBLISH: more than 131072 properties"))
    );
    assert_eq!(
        many(V311, 0x82, b"\0\x01", b"\0\x01a\0", 100_001),
        (
            quota,
            String::from("SUBSCRIBE with more than 100000 filters")
        )
    );
    assert_eq!(
        many(V5, 0xa2, b"\0\x01\0", b"\0\x01a", 100_001),
        (
            quota,
            String::from("UNSUBSCRIBE with more than 100000 filters")
        )
    );
}
