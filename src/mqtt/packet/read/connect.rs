//! Reading CONNECT (MQTT 5.0 §3.1) and CONNACK (§3.2).

use bytes::Bytes;
use bytestring::ByteString;

use super::acknowledge::reason;
use super::body::Body;
use super::properties::properties;
use super::{Header, Malformed, not_minimal, reserved};
use crate::mqtt::packet::{ConnAck, Connect, Place, QoS, ReasonCode, Version, Will};
use crate::mqtt::topic;

/// The bits of the connect flags (MQTT 5.0 §3.1.2.3).
const CLEAN_START: u8 = 0x02;
const WILL: u8 = 0x04;
const WILL_QOS: u8 = 0x18;
const WILL_RETAIN: u8 = 0x20;
const PASSWORD: u8 = 0x40;
const USERNAME: u8 = 0x80;

pub(super) fn connect(body: &mut Body, header: &Header) -> Result<Connect, Malformed> {
    let version = version(body)?;
    connect_of(body, header, version).map_err(|flaw| Malformed {
        version: Some(version),
        ..flaw
    })
}

fn connect_of(body: &mut Body, header: &Header, version: Version) -> Result<Connect, Malformed> {
    if version == Version::V5 && !header.minimal {
        return Err(not_minimal("CONNECT"));
    }
    // MQTT 3.1 does not use the lower bits of the first byte, nor the lowest of the flags (§3.1).
    if version > Version::V31 && header.flags != 0 {
        return Err(reserved("CONNECT", header.flags));
    }
    let flags = body.byte("connect flags")?;
    check_flags(flags, version)?;
    let keep_alive = body.two("keep alive")?;
    let properties = properties(body, version, Place::Connect)?;
    let client_id = body.text("client identifier")?;
    let will = if flags & WILL != 0 {
        Some(will(body, flags, version)?)
    } else {
        None
    };
    let username = username(body, flags, version)?;
    let password = password(body, flags, version)?;
    let clean_start = flags & CLEAN_START != 0;
    Ok(Connect {
        version,
        client_id,
        clean_start,
        keep_alive,
        username,
        password,
        will,
        properties,
        bridge: false,
    })
}

fn version(body: &mut Body) -> Result<Version, Malformed> {
    let refuse = |text| Malformed::new(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION, text);
    let name = body.text("protocol name")?;
    if name != "MQTT" && name != "MQIsdp" {
        return Err(refuse(format!(
            "CONNECT with unknown protocol name {:?}",
            name.chars().take(20).collect::<String>()
        )));
    }
    match (&*name, body.byte("protocol level")?) {
        ("MQIsdp", 3) => Ok(Version::V31),
        ("MQTT", 4) => Ok(Version::V311),
        ("MQTT", 5) => Ok(Version::V5),
        (name, level) => Err(refuse(format!(
            "CONNECT with unknown level {level} of protocol {name}"
        ))),
    }
}

fn check_flags(flags: u8, version: Version) -> Result<(), Malformed> {
    let refuse = |text: &str| Err(Malformed::syntax(format!("CONNECT with {text}")));
    if version > Version::V31 && flags & 0x1 != 0 {
        return refuse("the reserved flag set");
    }
    if flags & WILL == 0 && flags & (WILL_QOS | WILL_RETAIN) != 0 {
        return refuse("will QoS or will retain but no will");
    }
    if flags & WILL_QOS == WILL_QOS {
        return refuse("will QoS 3");
    }
    if version < Version::V5 && flags & PASSWORD != 0 && flags & USERNAME == 0 {
        return refuse("a password but no user name");
    }
    Ok(())
}

fn will(body: &mut Body, flags: u8, version: Version) -> Result<Will, Malformed> {
    let properties = properties(body, version, Place::Will)?;
    let topic = body.text("will topic")?;
    topic::check_name(&topic).map_err(|error| {
        Malformed::new(
            ReasonCode::TOPIC_NAME_INVALID,
            format!("CONNECT: will {error}"),
        )
    })?;
    let payload = body.binary("will payload")?;
    // `check_flags` has refused QoS 3.
    let qos = QoS::from_level((flags & WILL_QOS) >> 3).unwrap_or_default();
    Ok(Will {
        topic,
        payload,
        qos,
        retain: flags & WILL_RETAIN != 0,
        properties,
    })
}

/// MQTT 3.1 lets the flags announce a user name and a password that are then missing (§3.1, "User name flag").
const fn is_missing(body: &Body, version: Version) -> bool {
    matches!(version, Version::V31) && body.is_empty()
}

fn username(body: &mut Body, flags: u8, version: Version) -> Result<Option<ByteString>, Malformed> {
    if flags & USERNAME == 0 || is_missing(body, version) {
        return Ok(None);
    }
    body.text("user name").map(Some)
}

fn password(body: &mut Body, flags: u8, version: Version) -> Result<Option<Bytes>, Malformed> {
    if flags & PASSWORD == 0 || is_missing(body, version) {
        return Ok(None);
    }
    body.binary("password").map(Some)
}

pub(super) fn connack(body: &mut Body, version: Version) -> Result<ConnAck, Malformed> {
    let flags = body.byte("acknowledge flags")?;
    // MQTT 3.1 does not use this byte and does not say what it holds.
    let flags = if version == Version::V31 { 0 } else { flags };
    if flags > 1 {
        return Err(Malformed::syntax(format!(
            "CONNACK with reserved flags 0x{flags:02x}"
        )));
    }
    let reason = if version == Version::V5 {
        reason(body, Place::ConnAck)?
    } else {
        return_code(body)?
    };
    let session_present = flags == 1;
    if session_present && reason != ReasonCode::SUCCESS {
        return Err(Malformed::syntax(format!(
            "CONNACK with a session present and a failure: {reason}"
        )));
    }
    let properties = properties(body, version, Place::ConnAck)?;
    Ok(ConnAck {
        session_present,
        reason,
        properties,
    })
}

fn return_code(body: &mut Body) -> Result<ReasonCode, Malformed> {
    let code = body.byte("return code")?;
    ReasonCode::from_return_code(code)
        .ok_or_else(|| Malformed::syntax(format!("CONNACK with reserved return code {code}")))
}
