//! Reading packets off a stream, strictly (MQTT 5.0 §2, MQTT 3.1.1 §2).
//!
//! A packet is taken off whole, its body is never copied: topic, payload and texts share the
//! buffer they arrived in. What the specification forbids is an error, with the reason code that
//! it prescribes; what an older version leaves open (MQTT 3.1 above all) is accepted.

mod acknowledge;
mod body;
mod connect;
mod properties;
mod publish;
mod subscribe;

use bytes::{Buf, BytesMut};

use super::{Packet, Place, ReasonCode, Version};
use body::Body;

/// How much is reserved at once for a packet that has not yet arrived, in bytes. A longer one
/// doubles what has come in, so a length on its own never makes us allocate.
const FIRST_RESERVE: usize = 64 * 1024;

/// Why a packet cannot be accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Malformed {
    /// What to tell the peer: in DISCONNECT, or in CONNACK if the packet is a CONNECT.
    pub reason: ReasonCode,
    /// One line that names the packet and the rule.
    pub text: String,
    /// The version of a CONNECT, where that could be read.
    pub version: Option<Version>,
}

impl Malformed {
    /// Reason 0x81: the packet cannot be parsed by the specification.
    #[cold]
    fn syntax(text: impl Into<String>) -> Self {
        Self::new(ReasonCode::MALFORMED_PACKET, text)
    }

    /// Reason 0x82: the packet can be parsed and says what it must not.
    #[cold]
    fn protocol(text: impl Into<String>) -> Self {
        Self::new(ReasonCode::PROTOCOL_ERROR, text)
    }

    #[cold]
    fn new(reason: ReasonCode, text: impl Into<String>) -> Self {
        Self {
            reason,
            text: text.into(),
            version: None,
        }
    }
}

/// Takes packets off a stream of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoder {
    /// What the connection speaks. A CONNECT is read by its own level whatever this says;
    /// a server sets it to what the CONNECT asked for.
    pub version: Version,
    /// The largest packet that is accepted, in bytes, its header included (MQTT 5.0 §3.1.2.11.4).
    pub max_packet_size: u32,
}

impl Decoder {
    /// A decoder for one connection.
    pub const fn new(version: Version, max_packet_size: u32) -> Self {
        Self {
            version,
            max_packet_size,
        }
    }

    /// Takes the next packet off the front of `input`; `None` when it has not arrived whole.
    ///
    /// # Errors
    /// The bytes are no valid packet, or the packet is larger than [`Self::max_packet_size`] (reason 0x95,
    /// as soon as its header is there). The stream cannot be read on after that.
    pub fn decode(&self, input: &mut BytesMut) -> Result<Option<Packet>, Malformed> {
        let Some(header) = Header::read(input, self.version)? else {
            return Ok(None);
        };
        let total = header.length + header.remaining;
        if total > self.max_packet_size as usize {
            return Err(self.too_large(&header, total));
        }
        if input.len() < total {
            let missing = total - input.len();
            input.reserve(missing.min(input.len().max(FIRST_RESERVE)));
            return Ok(None);
        }
        if let Some(packet) = acknowledge::short(input, total) {
            input.advance(total);
            return Ok(Some(packet));
        }
        let mut bytes = input.split_to(total).freeze();
        bytes.advance(header.length);
        let mut body = Body::new(bytes, header.name());
        // The payload takes what is left of a PUBLISH, so nothing can trail it.
        if header.kind == 3 {
            return publish::publish(body, header.flags, self.version);
        }
        let packet = self.body(&header, &mut body)?;
        body.finish()?;
        Ok(Some(packet))
    }

    #[cold]
    fn too_large(&self, header: &Header, total: usize) -> Malformed {
        let (name, limit) = (header.name(), self.max_packet_size);
        let text =
            format!("{name} of {total} bytes is larger than the maximum packet size {limit}");
        Malformed::new(ReasonCode::PACKET_TOO_LARGE, text)
    }

    fn body(&self, header: &Header, body: &mut Body) -> Result<Packet, Malformed> {
        let version = self.version;
        Ok(match header.kind {
            1 => Packet::Connect(Box::new(connect::connect(body, header)?)),
            2 => Packet::ConnAck(connect::connack(body, version)?),
            4 => Packet::PubAck(acknowledge::ack(body, version, Place::PubAck)?),
            5 => Packet::PubRec(acknowledge::ack(body, version, Place::PubRec)?),
            6 => Packet::PubRel(acknowledge::ack(body, version, Place::PubRel)?),
            7 => Packet::PubComp(acknowledge::ack(body, version, Place::PubComp)?),
            8 => Packet::Subscribe(subscribe::subscribe(body, version)?),
            9 => Packet::SubAck(acknowledge::suback(body, version)?),
            10 => Packet::Unsubscribe(subscribe::unsubscribe(body, version)?),
            11 => Packet::UnsubAck(acknowledge::unsuback(body, version)?),
            12 => Packet::PingReq,
            13 => Packet::PingResp,
            14 => Packet::Disconnect(acknowledge::disconnect(body, version)?),
            // `Header::read` lets through 1 to 15, and PUBLISH (3) does not come here.
            _ => Packet::Auth(acknowledge::auth(body)?),
        })
    }
}

/// The fixed header (MQTT 5.0 §2.1.1).
struct Header {
    /// 1 to 15.
    kind: u8,
    /// The lower four bits of the first byte.
    flags: u8,
    /// Of the header itself: 2 to 5 bytes.
    length: usize,
    /// Of what follows it, in bytes.
    remaining: usize,
    /// Whether the remaining length took no more bytes than it needs.
    minimal: bool,
}

impl Header {
    /// The header at the front of `input`; `None` while the length is incomplete.
    #[inline]
    fn read(input: &[u8], version: Version) -> Result<Option<Self>, Malformed> {
        let Some((&first, rest)) = input.split_first() else {
            return Ok(None);
        };
        let (kind, flags) = (first >> 4, first & 0x0f);
        check_flags(kind, flags, version)?;
        let mut remaining = 0;
        for (at, &byte) in rest.iter().take(4).enumerate() {
            remaining |= usize::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                let minimal = byte != 0 || at == 0;
                check_minimal(minimal, kind, version)?;
                return Ok(Some(Self {
                    kind,
                    flags,
                    length: at + 2,
                    remaining,
                    minimal,
                }));
            }
        }
        if rest.len() >= 4 {
            let name = name(kind);
            return Err(Malformed::syntax(format!(
                "{name} with a remaining length of more than 4 bytes"
            )));
        }
        Ok(None)
    }

    const fn name(&self) -> &'static str {
        name(self.kind)
    }
}

/// MQTT 5 wants the shortest form of the length (§1.5.5), older versions do not say so. A
/// CONNECT brings its own version and is checked when that is known.
#[inline]
fn check_minimal(minimal: bool, kind: u8, version: Version) -> Result<(), Malformed> {
    if minimal || kind == 1 || version < Version::V5 {
        return Ok(());
    }
    Err(not_minimal(name(kind)))
}

#[cold]
fn not_minimal(name: &str) -> Malformed {
    Malformed::syntax(format!(
        "{name} with a remaining length that is not in its shortest form"
    ))
}

/// Whether the first byte is one that the version knows (MQTT 5.0 §2.1.3).
#[inline]
fn check_flags(kind: u8, flags: u8, version: Version) -> Result<(), Malformed> {
    let expected = match kind {
        3 => return check_publish_flags(flags),
        // A CONNECT brings its own version and is checked when that is known.
        1 => return Ok(()),
        // DUP was allowed on these three before MQTT 3.1.1 (MQTT 3.1 §2.1).
        6 | 8 | 10 if version == Version::V31 => flags & 0x8 | 0x2,
        6 | 8 | 10 => 0x2,
        0 => return Err(Malformed::syntax("packet type 0 is reserved")),
        15 if version < Version::V5 => {
            return Err(Malformed::syntax("packet type 15 (AUTH) before MQTT 5"));
        }
        _ => 0,
    };
    if flags == expected {
        return Ok(());
    }
    Err(reserved(name(kind), flags))
}

#[cold]
fn reserved(name: &str, flags: u8) -> Malformed {
    Malformed::syntax(format!("{name} with reserved flags 0x{flags:x}"))
}

/// No QoS 3, and no DUP at QoS 0 (MQTT 5.0 §3.3.1).
#[inline]
fn check_publish_flags(flags: u8) -> Result<(), Malformed> {
    match (flags & 0x8 != 0, flags >> 1 & 0x3) {
        (_, 3) => Err(Malformed::syntax("PUBLISH with QoS 3")),
        (true, 0) => Err(Malformed::syntax("PUBLISH with DUP at QoS 0")),
        _ => Ok(()),
    }
}

/// The name of a packet type from 1 to 15.
const fn name(kind: u8) -> &'static str {
    match kind {
        1 => "CONNECT",
        2 => "CONNACK",
        3 => "PUBLISH",
        4 => "PUBACK",
        5 => "PUBREC",
        6 => "PUBREL",
        7 => "PUBCOMP",
        8 => "SUBSCRIBE",
        9 => "SUBACK",
        10 => "UNSUBSCRIBE",
        11 => "UNSUBACK",
        12 => "PINGREQ",
        13 => "PINGRESP",
        14 => "DISCONNECT",
        _ => "AUTH",
    }
}
