//! What stands in each packet after the fixed header.

use super::Unencodable;
use super::sink::Sink;
use crate::mqtt::packet::{
    Ack, ConnAck, Connect, Packet, Properties, Publish, QoS, ReasonCode, SubAck, Subscribe,
    Subscription, UnsubAck, Unsubscribe, Version, Will,
};

type Written = Result<(), Unencodable>;

/// Packet type and flags (MQTT 5.0 §2.1.2, §2.1.3).
pub(super) const fn first_byte(packet: &Packet) -> u8 {
    match packet {
        Packet::Connect(_) => 0x10,
        Packet::ConnAck(_) => 0x20,
        Packet::Publish(publish) => publish_first_byte(publish),
        Packet::PubAck(_) => 0x40,
        Packet::PubRec(_) => 0x50,
        Packet::PubRel(_) => 0x62,
        Packet::PubComp(_) => 0x70,
        Packet::Subscribe(_) => 0x82,
        Packet::SubAck(_) => 0x90,
        Packet::Unsubscribe(_) => 0xa2,
        Packet::UnsubAck(_) => 0xb0,
        Packet::PingReq => 0xc0,
        Packet::PingResp => 0xd0,
        Packet::Disconnect(_) => 0xe0,
        Packet::Auth(_) => 0xf0,
    }
}

pub(super) const fn publish_first_byte(publish: &Publish) -> u8 {
    0x30 | (publish.duplicate as u8) << 3 | publish.qos.level() << 1 | publish.retain as u8
}

pub(super) fn packet(packet: &Packet, version: Version, sink: &mut impl Sink) -> Written {
    match packet {
        // A CONNECT is written in the version that it asks for.
        Packet::Connect(packet) => connect(packet, packet.version, sink),
        Packet::ConnAck(packet) => connack(packet, version, sink),
        Packet::Publish(packet) => publish(packet, version, sink),
        Packet::PubAck(packet)
        | Packet::PubRec(packet)
        | Packet::PubRel(packet)
        | Packet::PubComp(packet) => ack(packet, version, sink),
        Packet::Subscribe(packet) => subscribe(packet, version, sink),
        Packet::SubAck(packet) => suback(packet, version, sink),
        Packet::Unsubscribe(packet) => unsubscribe(packet, version, sink),
        Packet::UnsubAck(packet) => unsuback(packet, version, sink),
        Packet::PingReq | Packet::PingResp => Ok(()),
        Packet::Disconnect(packet) => outcome(packet.reason, &packet.properties, version, sink),
        Packet::Auth(_) if version < Version::V5 => {
            Err(Unencodable::new("AUTH does not exist before MQTT 5"))
        }
        Packet::Auth(packet) => outcome(packet.reason, &packet.properties, version, sink),
    }
}

#[inline(always)]
pub(super) fn publish(publish: &Publish, version: Version, sink: &mut impl Sink) -> Written {
    sink.put_binary("topic", publish.topic.as_bytes())?;
    if publish.qos != QoS::AtMostOnce {
        sink.put(&publish.packet_id.to_be_bytes());
    }
    sink.put_properties(&publish.properties, version)?;
    sink.put(&publish.payload);
    Ok(())
}

fn connect(connect: &Connect, version: Version, sink: &mut impl Sink) -> Written {
    let (name, level) = match version {
        Version::V31 => ("MQIsdp", 3),
        Version::V311 => ("MQTT", 4),
        Version::V5 => ("MQTT", 5),
    };
    if version < Version::V5 && connect.password.is_some() && connect.username.is_none() {
        return Err(Unencodable::new(
            "a password needs a user name before MQTT 5",
        ));
    }
    sink.put_binary("protocol name", name.as_bytes())?;
    let bridge = u8::from(connect.bridge && version < Version::V5) << 7;
    sink.put(&[level | bridge, connect_flags(connect)]);
    sink.put(&connect.keep_alive.to_be_bytes());
    sink.put_properties(&connect.properties, version)?;
    sink.put_binary("client identifier", connect.client_id.as_bytes())?;
    if let Some(will) = &connect.will {
        put_will(will, version, sink)?;
    }
    if let Some(username) = &connect.username {
        sink.put_binary("user name", username.as_bytes())?;
    }
    if let Some(password) = &connect.password {
        sink.put_binary("password", password)?;
    }
    Ok(())
}

/// MQTT 5.0 §3.1.2.3.
fn connect_flags(connect: &Connect) -> u8 {
    let will = connect.will.as_ref().map_or(0, |will| {
        0x04 | will.qos.level() << 3 | u8::from(will.retain) << 5
    });
    u8::from(connect.clean_start) << 1
        | will
        | u8::from(connect.password.is_some()) << 6
        | u8::from(connect.username.is_some()) << 7
}

fn put_will(will: &Will, version: Version, sink: &mut impl Sink) -> Written {
    sink.put_properties(&will.properties, version)?;
    sink.put_binary("will topic", will.topic.as_bytes())?;
    sink.put_binary("will payload", &will.payload)
}

fn connack(connack: &ConnAck, version: Version, sink: &mut impl Sink) -> Written {
    // MQTT 3.1 has no session-present flag.
    let session_present = connack.session_present && version > Version::V31;
    let code = match version {
        Version::V5 => connack.reason.0,
        Version::V31 | Version::V311 => connack.reason.to_return_code(),
    };
    sink.put(&[session_present.into(), code]);
    sink.put_properties(&connack.properties, version)
}

fn ack(ack: &Ack, version: Version, sink: &mut impl Sink) -> Written {
    sink.put(&ack.packet_id.to_be_bytes());
    outcome(ack.reason, &ack.properties, version, sink)
}

/// A reason code and properties, in the shortest form that says it.
fn outcome(
    reason: ReasonCode,
    properties: &Properties,
    version: Version,
    sink: &mut impl Sink,
) -> Written {
    if version < Version::V5 || reason == ReasonCode::SUCCESS && properties.is_empty() {
        return Ok(());
    }
    sink.put(&[reason.0]);
    if properties.is_empty() {
        Ok(())
    } else {
        sink.put_properties(properties, version)
    }
}

fn subscribe(subscribe: &Subscribe, version: Version, sink: &mut impl Sink) -> Written {
    sink.put(&subscribe.packet_id.to_be_bytes());
    sink.put_properties(&subscribe.properties, version)?;
    for subscription in &subscribe.subscriptions {
        sink.put_binary("filter", subscription.filter.as_bytes())?;
        sink.put(&[options(subscription, version)]);
    }
    Ok(())
}

/// MQTT 5.0 §3.8.3.1; before MQTT 5 the QoS alone.
fn options(subscription: &Subscription, version: Version) -> u8 {
    let qos = subscription.qos.level();
    if version < Version::V5 {
        return qos;
    }
    qos | u8::from(subscription.no_local) << 2
        | u8::from(subscription.retain_as_published) << 3
        | (subscription.retain_handling as u8) << 4
}

fn suback(suback: &SubAck, version: Version, sink: &mut impl Sink) -> Written {
    sink.put(&suback.packet_id.to_be_bytes());
    sink.put_properties(&suback.properties, version)?;
    for reason in &suback.reasons {
        // Before MQTT 5 there is one failure only (MQTT 3.1.1 §3.9.3).
        let one_failure = version < Version::V5 && reason.is_failure();
        sink.put(&[if one_failure { 0x80 } else { reason.0 }]);
    }
    Ok(())
}

fn unsubscribe(unsubscribe: &Unsubscribe, version: Version, sink: &mut impl Sink) -> Written {
    sink.put(&unsubscribe.packet_id.to_be_bytes());
    sink.put_properties(&unsubscribe.properties, version)?;
    for filter in &unsubscribe.filters {
        sink.put_binary("filter", filter.as_bytes())?;
    }
    Ok(())
}

fn unsuback(unsuback: &UnsubAck, version: Version, sink: &mut impl Sink) -> Written {
    sink.put(&unsuback.packet_id.to_be_bytes());
    sink.put_properties(&unsuback.properties, version)?;
    if version == Version::V5 {
        for reason in &unsuback.reasons {
            sink.put(&[reason.0]);
        }
    }
    Ok(())
}
