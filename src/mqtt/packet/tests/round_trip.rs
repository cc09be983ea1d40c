//! What we write, we read; what cannot be written is refused and leaves nothing behind.

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use super::samples::{packets, without_mqtt5};
use super::{VERSIONS, decode, encoded};
use crate::mqtt::packet::{
    Auth, Connect, Decoder, LARGEST_PACKET, Packet, Property, Publish, QoS, Version, encode,
    encoded_len, publish_len,
};

#[test]
fn every_packet_survives_in_every_version() {
    for version in VERSIONS {
        for packet in packets(version) {
            let bytes = encoded(&packet, version);
            assert_eq!(
                encoded_len(&packet, version),
                Ok(bytes.len() as u32),
                "{packet:?}"
            );
            let expected = if version == Version::V5 {
                packet
            } else {
                without_mqtt5(packet, version)
            };
            assert_eq!(decode(&bytes, version), Ok(Some(expected)), "{version:?}");
        }
    }
}

#[test]
fn a_stream_in_pieces_gives_the_same_packets() {
    for version in VERSIONS {
        let sent = packets(version);
        let stream: Vec<u8> = sent
            .iter()
            .flat_map(|packet| encoded(packet, version))
            .collect();
        let decoder = Decoder::new(version, LARGEST_PACKET);
        let (mut input, mut count) = (BytesMut::new(), 0);
        for piece in stream.chunks(7) {
            input.extend_from_slice(piece);
            while decoder.decode(&mut input).unwrap().is_some() {
                count += 1;
            }
        }
        assert_eq!((count, input.len()), (sent.len(), 0));
    }
}

#[test]
fn a_packet_cut_short_anywhere_waits_for_the_rest() {
    for version in VERSIONS {
        for packet in packets(version) {
            let bytes = encoded(&packet, version);
            for end in (0..bytes.len()).filter(|end| *end < 400 || end % 1_000 == 0) {
                assert_eq!(
                    decode(&bytes[..end], version),
                    Ok(None),
                    "{packet:?} to {end}"
                );
            }
        }
    }
}

#[test]
fn the_payload_and_the_topic_stay_in_the_buffer_they_came_in() {
    let publish = Publish {
        topic: "a/b".into(),
        payload: Bytes::from_static(b"payload"),
        ..Publish::default()
    };
    let mut input = encoded(&Packet::Publish(publish), Version::V311);
    let start = input.as_ptr() as usize;
    let Ok(Some(Packet::Publish(read))) = Decoder::new(Version::V311, 100).decode(&mut input)
    else {
        panic!("a PUBLISH was sent");
    };
    assert_eq!(read.topic.as_ptr() as usize - start, 4);
    assert_eq!(read.payload.as_ptr() as usize - start, 7);
}

#[test]
fn a_length_alone_reserves_little_and_the_arriving_bytes_more() {
    let decoder = Decoder::new(Version::V5, LARGEST_PACKET);
    let mut input = BytesMut::from(&[0x30, 0xff, 0xff, 0xff, 0x7f][..]);
    assert_eq!(decoder.decode(&mut input), Ok(None));
    assert!(input.capacity() < 200_000, "{}", input.capacity());
    input.resize(1_000_000, b'x');
    assert_eq!(decoder.decode(&mut input), Ok(None));
    assert!(
        (2_000_000..8_000_000).contains(&input.capacity()),
        "{}",
        input.capacity()
    );
}

#[test]
fn the_short_forms_of_mqtt_5_are_as_short_as_they_can_be() {
    let sizes = |version| {
        packets(version)
            .iter()
            .map(|packet| encoded(packet, version).len())
            .collect::<Vec<_>>()
    };
    assert!(
        sizes(Version::V5).contains(&2),
        "a plain DISCONNECT is two bytes"
    );
    let ack = crate::mqtt::packet::Ack {
        packet_id: 7,
        ..Default::default()
    };
    assert_eq!(
        &encoded(&Packet::PubAck(ack.clone()), Version::V5)[..],
        [0x40, 2, 0, 7]
    );
    let refused = crate::mqtt::packet::Ack {
        reason: crate::mqtt::packet::ReasonCode::QUOTA_EXCEEDED,
        ..ack
    };
    assert_eq!(
        &encoded(&Packet::PubAck(refused), Version::V5)[..],
        [0x40, 3, 0, 7, 0x97]
    );
}

/// The packet is refused with this text, by every function, and the buffer is as it was.
fn refused(packet: &Packet, version: Version, text: &str) {
    let mut out = BytesMut::from("before");
    assert_eq!(
        encode(packet, version, &mut out).unwrap_err().to_string(),
        text
    );
    assert_eq!(encoded_len(packet, version).unwrap_err().to_string(), text);
    assert_eq!(out, "before");
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    let long = ByteString::from("x".repeat(70_000));
    let publish = |publish| Packet::Publish(publish);
    refused(
        &publish(Publish {
            topic: long.clone(),
            ..Publish::default()
        }),
        Version::V311,
        "topic of 70000 bytes is longer than 65535",
    );
    let properties = [Property::UserProperty("a".into(), long)]
        .into_iter()
        .collect();
    let user = Publish {
        topic: "a".into(),
        properties,
        ..Publish::default()
    };
    refused(
        &publish(user.clone()),
        Version::V5,
        "user-property of 70000 bytes is longer than 65535",
    );
    assert_eq!(
        publish_len(&user, Version::V311),
        Ok(5),
        "before MQTT 5 the property does not travel"
    );
    let properties = [Property::SubscriptionIdentifier(268_435_456)]
        .into_iter()
        .collect();
    let identifier = Publish {
        topic: "a".into(),
        properties,
        ..Publish::default()
    };
    refused(
        &publish(identifier),
        Version::V5,
        "subscription-identifier 268435456 is larger than 268435455",
    );
    refused(
        &Packet::Auth(Auth::default()),
        Version::V311,
        "AUTH does not exist before MQTT 5",
    );
    let password = Connect {
        version: Version::V311,
        password: Some(Bytes::new()),
        ..Connect::default()
    };
    refused(
        &Packet::Connect(Box::new(password)),
        Version::V311,
        "a password needs a user name before MQTT 5",
    );
}

#[test]
fn the_largest_packet_fits_and_one_byte_more_does_not() {
    // The length alone is asked for: nothing is copied.
    let room = 268_435_455 - 2 - 1 - 2;
    let payload = Bytes::from(vec![0; room + 1]);
    let publish = |length| Publish {
        topic: "a".into(),
        qos: QoS::AtLeastOnce,
        packet_id: 1,
        payload: payload.slice(..length),
        ..Publish::default()
    };
    assert_eq!(
        publish_len(&publish(room), Version::V311),
        Ok(LARGEST_PACKET)
    );
    refused(
        &Packet::Publish(publish(room + 1)),
        Version::V311,
        "packet of 268435456 bytes is longer than 268435455",
    );
}
