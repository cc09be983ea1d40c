//! Reading PUBLISH (MQTT 5.0 §3.3): the packet that comes by the million.

use super::Malformed;
use super::body::Body;
use super::properties::properties;
use crate::mqtt::packet::{Packet, Place, Publish, QoS, ReasonCode, Version};
use crate::mqtt::topic;

/// The result is that of [`Decoder::decode`](super::Decoder::decode), so that the packet is built where it is
/// to be, and not moved there.
#[inline]
pub(super) fn publish(
    mut body: Body,
    flags: u8,
    version: Version,
) -> Result<Option<Packet>, Malformed> {
    let Some(qos) = QoS::from_level(flags >> 1 & 0x3) else {
        return Err(Malformed::syntax("PUBLISH with QoS 3"));
    };
    let topic = body.utf8("topic")?;
    if has_forbidden(topic.as_bytes()) {
        check_topic(&topic)?;
    }
    let packet_id = if qos == QoS::AtMostOnce {
        0
    } else {
        body.packet_id()?
    };
    let properties = properties(&mut body, version, Place::Publish)?;
    if topic.is_empty() && properties.topic_alias().is_none() {
        check_topic(&topic)?;
    }
    let (duplicate, retain) = (flags & 0x8 != 0, flags & 0x1 != 0);
    Ok(Some(Packet::Publish(Publish {
        duplicate,
        qos,
        retain,
        topic,
        packet_id,
        payload: body.rest(),
        properties,
    })))
}

/// Whether there is a wildcard or NUL. Topics are short: looking at every byte, which the compiler does
/// many at a time, is faster than a search that stops early.
#[inline]
fn has_forbidden(topic: &[u8]) -> bool {
    let forbidden = |byte: u8| byte == 0 || byte == b'+' || byte == b'#';
    topic
        .iter()
        .fold(false, |found, &byte| found | forbidden(byte))
}

/// Says what is wrong with a topic: NUL is malformed, a missing one a protocol error, a wildcard an invalid name.
#[cold]
fn check_topic(topic: &str) -> Result<(), Malformed> {
    let reason = match topic {
        "" => ReasonCode::PROTOCOL_ERROR,
        _ if topic.contains('\0') => ReasonCode::MALFORMED_PACKET,
        _ => ReasonCode::TOPIC_NAME_INVALID,
    };
    topic::check_name(topic).map_err(|error| Malformed::new(reason, format!("PUBLISH: {error}")))
}
