//! Reading the packets that carry reason codes: acknowledgements (MQTT 5.0 §3.4 to §3.7, §3.9, §3.11),
//! DISCONNECT (§3.14) and AUTH (§3.15).

use super::Malformed;
use super::body::Body;
use super::properties::properties;
use crate::mqtt::packet::{
    Ack, Auth, Disconnect, Packet, Place, Properties, ReasonCode, SubAck, UnsubAck, Version,
};

/// A reason code that the packet may carry. Servers refuse with codes that the specification has for other packets (mosquitto
/// with 0x95 in PUBACK): a failure of what is acknowledged, or an end, is one whatever its code is.
pub(super) fn reason(body: &mut Body, place: Place) -> Result<ReasonCode, Malformed> {
    let reason = ReasonCode(body.byte("reason code")?);
    let takes_any_failure = matches!(
        place,
        Place::PubAck | Place::PubRec | Place::SubAck | Place::UnsubAck | Place::Disconnect
    );
    if reason.allowed_in(place) || takes_any_failure && reason.is_failure() {
        return Ok(reason);
    }
    let text = format!("{} with an invalid reason code: {reason}", body.packet());
    Err(Malformed::syntax(text))
}

/// A reason code and properties, each of which MQTT 5 lets a sender leave out at the end.
fn outcome(
    body: &mut Body,
    version: Version,
    place: Place,
) -> Result<(ReasonCode, Properties), Malformed> {
    if version < Version::V5 || body.is_empty() {
        return Ok((ReasonCode::SUCCESS, Properties::default()));
    }
    let reason = reason(body, place)?;
    if body.is_empty() {
        return Ok((reason, Properties::default()));
    }
    Ok((reason, properties(body, version, place)?))
}

/// The PUBACK, PUBREC, PUBREL or PUBCOMP of `total` bytes at the front of `input` if it is nothing but an
/// identifier, which means success (MQTT 5.0 §3.4.2.1). They come by the million, and there is nothing to share.
#[inline]
pub(super) fn short(input: &[u8], total: usize) -> Option<Packet> {
    let [first, 2, high, low] = *input.get(..total)? else {
        return None;
    };
    let packet_id = u16::from_be_bytes([high, low]);
    let ack = Ack {
        packet_id,
        ..Ack::default()
    };
    match first >> 4 {
        _ if packet_id == 0 => None,
        4 => Some(Packet::PubAck(ack)),
        5 => Some(Packet::PubRec(ack)),
        6 => Some(Packet::PubRel(ack)),
        7 => Some(Packet::PubComp(ack)),
        _ => None,
    }
}

pub(super) fn ack(body: &mut Body, version: Version, place: Place) -> Result<Ack, Malformed> {
    let packet_id = body.packet_id()?;
    let (reason, properties) = outcome(body, version, place)?;
    Ok(Ack {
        packet_id,
        reason,
        properties,
    })
}

pub(super) fn suback(body: &mut Body, version: Version) -> Result<SubAck, Malformed> {
    let packet_id = body.packet_id()?;
    let properties = properties(body, version, Place::SubAck)?;
    let reasons = reasons(body, Place::SubAck)?;
    // Before MQTT 5 a SUBACK knows one failure only (MQTT 3.1.1 §3.9.3).
    let unknown = |reason: &&ReasonCode| version < Version::V5 && reason.0 > 0x80;
    if let Some(reason) = reasons.iter().find(unknown) {
        return Err(Malformed::syntax(format!(
            "SUBACK with reserved return code 0x{:02x}",
            reason.0
        )));
    }
    Ok(SubAck {
        packet_id,
        reasons,
        properties,
    })
}

pub(super) fn unsuback(body: &mut Body, version: Version) -> Result<UnsubAck, Malformed> {
    let packet_id = body.packet_id()?;
    let properties = properties(body, version, Place::UnsubAck)?;
    let reasons = if version == Version::V5 {
        reasons(body, Place::UnsubAck)?
    } else {
        Vec::new()
    };
    Ok(UnsubAck {
        packet_id,
        reasons,
        properties,
    })
}

/// The reason codes that fill the rest of a packet; there is one for each filter, so at least one.
fn reasons(body: &mut Body, place: Place) -> Result<Vec<ReasonCode>, Malformed> {
    if body.is_empty() {
        return Err(Malformed::protocol(format!(
            "{} without a reason code",
            body.packet()
        )));
    }
    let mut reasons = Vec::new();
    while !body.is_empty() {
        reasons.push(reason(body, place)?);
    }
    Ok(reasons)
}

pub(super) fn disconnect(body: &mut Body, version: Version) -> Result<Disconnect, Malformed> {
    let (reason, properties) = outcome(body, version, Place::Disconnect)?;
    Ok(Disconnect { reason, properties })
}

pub(super) fn auth(body: &mut Body) -> Result<Auth, Malformed> {
    let (reason, properties) = outcome(body, Version::V5, Place::Auth)?;
    // The method may be missing only where the packet may be empty (MQTT 5.0 §3.15.2.1, §3.15.2.2.2).
    let may_be_empty = reason == ReasonCode::SUCCESS && properties.is_empty();
    if !may_be_empty && properties.authentication_method().is_none() {
        return Err(Malformed::protocol("AUTH without authentication-method"));
    }
    Ok(Auth { reason, properties })
}
