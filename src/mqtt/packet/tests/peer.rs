//! Against the codec of rumqttc, which knows nothing of ours: it reads what we write, and we read what it
//! writes of that. Its gaps are named where it has them.

use bytes::BytesMut;
use rumqttc::mqttbytes::v4;
use rumqttc::v5::mqttbytes::v5;

use super::samples::{packets, without_mqtt5};
use super::{decode, encoded};
use crate::mqtt::packet::{Connect, Packet, Properties, PropertyId, Version};

#[test]
fn mqtt_3_1_1_agrees_with_an_independent_codec() {
    for packet in packets(Version::V311) {
        let packet = with_text_password(without_mqtt5(packet, Version::V311));
        let mut ours = encoded(&packet, Version::V311);
        let theirs = v4::Packet::read(&mut ours, usize::MAX)
            .unwrap_or_else(|error| panic!("{packet:?}: {error}"));
        assert!(ours.is_empty(), "{packet:?}");
        let mut written = BytesMut::new();
        theirs.write(&mut written, usize::MAX).unwrap();
        assert_eq!(decode(&written, Version::V311), Ok(Some(packet)));
    }
}

/// Its passwords are texts.
fn with_text_password(packet: Packet) -> Packet {
    match packet {
        Packet::Connect(connect) => Packet::Connect(Box::new(text_password(*connect))),
        packet => packet,
    }
}

fn text_password(connect: Connect) -> Connect {
    let password = connect.password.as_ref().map(|_| "secret".into());
    Connect {
        password,
        ..connect
    }
}

#[test]
fn mqtt_5_agrees_with_an_independent_codec() {
    let mut compared = 0;
    for packet in packets(Version::V5) {
        let packet = with_text_password(packet);
        let mut ours = encoded(&packet, Version::V5);
        if matches!(packet, Packet::Auth(_))
            || ours.len() < 4 && matches!(packet, Packet::Disconnect(_))
        {
            // It reads no AUTH and no DISCONNECT in a short form.
            continue;
        }
        let theirs = v5::Packet::read(&mut ours, None)
            .unwrap_or_else(|error| panic!("{packet:?}: {error:?}"));
        assert!(ours.is_empty(), "{packet:?}");
        let mut written = BytesMut::new();
        theirs.write(&mut written, None).unwrap();
        let read =
            decode(&written, Version::V5).unwrap_or_else(|error| panic!("{packet:?}: {error}"));
        assert_eq!(read.map(sorted), Some(sorted(packet)));
        compared += 1;
    }
    assert!(compared > 25, "{compared}");
}

/// Properties have no order except among user properties; its order is its own.
fn sorted(mut packet: Packet) -> Packet {
    match &mut packet {
        Packet::Connect(connect) => {
            sort(&mut connect.properties);
            if let Some(will) = &mut connect.will {
                sort(&mut will.properties);
            }
        }
        Packet::ConnAck(packet) => sort(&mut packet.properties),
        Packet::Publish(packet) => sort(&mut packet.properties),
        Packet::PubAck(packet)
        | Packet::PubRec(packet)
        | Packet::PubRel(packet)
        | Packet::PubComp(packet) => {
            sort(&mut packet.properties);
        }
        Packet::Subscribe(packet) => sort(&mut packet.properties),
        Packet::SubAck(packet) => sort(&mut packet.properties),
        Packet::Unsubscribe(packet) => sort(&mut packet.properties),
        Packet::UnsubAck(packet) => sort(&mut packet.properties),
        Packet::Disconnect(packet) => sort(&mut packet.properties),
        Packet::Auth(packet) => sort(&mut packet.properties),
        Packet::PingReq | Packet::PingResp => {}
    }
    packet
}

fn sort(properties: &mut Properties) {
    let mut all: Vec<_> = properties.iter().cloned().collect();
    all.sort_by_key(|property| PropertyId::ALL.iter().position(|id| *id == property.id()));
    *properties = all.into_iter().collect();
}
