//! PUBLISH packets encoded once and patched for each message.

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use super::super::random::Random;
use super::super::stamp::Stamp;
use super::topics::Pattern;
use crate::error::{Error, Result};
use crate::mqtt::packet::{Properties, Publish, QoS, Version, encode_publish};

/// DUP (MQTT 5.0 §3.3.1.1).
const DUPLICATE: u8 = 0x08;

/// What the messages of a group carry.
#[derive(Clone, Debug)]
pub enum Body {
    /// A stamp, filled up to between `least` and `most` bytes.
    Sized {
        /// At least.
        least: usize,
        /// At most.
        most: usize,
    },
    /// These bytes as they are, without a stamp.
    Verbatim(Bytes),
    /// A stamp over the first bytes of these.
    Stamped(Bytes),
}

/// The packets of one publisher.
#[derive(Debug)]
pub(super) struct Template {
    shape: Shape,
    stamped: bool,
}

#[derive(Debug)]
enum Shape {
    /// All packets are alike but for packet identifier and stamp. The body is shared by all publishers: thousands of
    /// copies would not stay in the processor's cache.
    Fixed {
        header: Box<[u8]>,
        id_at: usize,
        body: Bytes,
    },
    /// Size or topic differ from message to message.
    Varying(Box<Varying>),
}

#[derive(Debug)]
struct Varying {
    version: Version,
    publish: Publish,
    pattern: Pattern,
    client: usize,
    filling: Bytes,
    least: usize,
    most: usize,
    random: Random,
    scratch: BytesMut,
}

/// What the packets of a group have in common.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub(super) version: Version,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) body: Body,
    /// At least as long as the longest body; shared by all.
    pub(super) filling: Bytes,
    pub(super) properties: Properties,
    pub(super) seed: u64,
}

impl Template {
    /// The packets of publisher `client`.
    ///
    /// # Errors
    /// They do not fit into the protocol's limits.
    pub(super) fn new(kind: &Kind, pattern: &Pattern, client: usize) -> Result<Self> {
        let (least, most) = match &kind.body {
            Body::Sized { least, most } => (*least, *most),
            Body::Verbatim(bytes) | Body::Stamped(bytes) => (bytes.len(), bytes.len()),
        };
        let publish = Publish {
            qos: kind.qos,
            retain: kind.retain,
            topic: ByteString::from(pattern.fill(client, 0)),
            packet_id: u16::from(kind.qos != QoS::AtMostOnce),
            payload: kind.filling.slice(..most),
            properties: kind.properties.clone(),
            ..Publish::default()
        };
        let stamped = !matches!(kind.body, Body::Verbatim(_));
        let mut packet = BytesMut::new();
        encode_publish(&publish, kind.version, &mut packet)
            .map_err(|cause| Error::usage(cause.to_string()))?;
        let shape = if least == most && !pattern.counts() {
            fixed(&packet, &publish)
        } else {
            Shape::Varying(Box::new(Varying {
                version: kind.version,
                publish,
                pattern: pattern.clone(),
                client,
                filling: kind.filling.clone(),
                least,
                most,
                random: Random::new(kind.seed, client as u64),
                scratch: packet,
            }))
        };
        Ok(Self { shape, stamped })
    }

    /// Appends one message; `packet_id` is 0 at QoS 0.
    #[inline]
    pub(super) fn write(&mut self, packet_id: u16, stamp: &Stamp, out: &mut Vec<u8>) {
        match &mut self.shape {
            Shape::Fixed {
                header,
                id_at,
                body,
            } => {
                let start = out.len();
                out.extend_from_slice(header);
                out.extend_from_slice(body);
                let written = &mut out[start..];
                if packet_id > 0 {
                    written[*id_at..*id_at + 2].copy_from_slice(&packet_id.to_be_bytes());
                }
                if self.stamped {
                    stamp.write(&mut written[header.len()..]);
                }
            }
            Shape::Varying(varying) => varying.write(self.stamped, packet_id, stamp, out),
        }
    }

    /// Appends one message that may have been sent before.
    pub(super) fn write_again(&mut self, packet_id: u16, stamp: &Stamp, out: &mut Vec<u8>) {
        let start = out.len();
        self.write(packet_id, stamp, out);
        out[start] |= DUPLICATE;
    }
}

fn fixed(packet: &[u8], publish: &Publish) -> Shape {
    let payload_at = packet.len() - publish.payload.len();
    // The remaining length ends at the first byte without the continuation bit.
    let header = 1
        + packet
            .iter()
            .skip(1)
            .take_while(|byte| **byte & 0x80 != 0)
            .count()
        + 1;
    Shape::Fixed {
        header: packet[..payload_at].into(),
        id_at: header + 2 + publish.topic.len(),
        body: publish.payload.clone(),
    }
}

impl Varying {
    fn write(&mut self, stamped: bool, packet_id: u16, stamp: &Stamp, out: &mut Vec<u8>) {
        let length = self.random.between(self.least, self.most);
        self.publish.payload = self.filling.slice(..length);
        self.publish.packet_id = packet_id;
        if self.pattern.counts() {
            let topic = self.pattern.fill(self.client, stamp.sequence);
            self.publish.topic = ByteString::from(topic);
        }
        self.scratch.clear();
        // The longest packet was encoded when this was made, and sequence numbers only lengthen a topic by digits.
        if encode_publish(&self.publish, self.version, &mut self.scratch).is_err() {
            return;
        }
        if stamped {
            let payload_at = self.scratch.len() - length;
            stamp.write(&mut self.scratch[payload_at..]);
        }
        out.extend_from_slice(&self.scratch);
    }
}

/// Letters to fill bodies with: the same for the same seed, and not compressible to nothing.
pub(super) fn filling(body: &Body, seed: u64) -> Bytes {
    match body {
        Body::Verbatim(bytes) | Body::Stamped(bytes) => bytes.clone(),
        Body::Sized { most, .. } => {
            const LETTERS: &[u8; 64] =
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
            let mut random = Random::new(seed, 0);
            let letter = |_| LETTERS[(random.next() >> 58) as usize];
            (0..*most).map(letter).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::Frame;
    use super::*;

    const STAMP: Stamp = Stamp {
        measured: true,
        due: 1_795_000_000_000_000_000,
        sequence: 77,
        sender: 5,
        run: 9,
    };

    fn kind(version: Version, qos: QoS, body: Body) -> Kind {
        Kind {
            version,
            qos,
            retain: false,
            filling: filling(&body, 1),
            body,
            properties: Properties::default(),
            seed: 1,
        }
    }

    #[test]
    fn a_patched_packet_is_a_packet_with_the_stamp_inside() {
        for version in [Version::V311, Version::V5] {
            for (qos, packet_id) in [(QoS::AtMostOnce, 0), (QoS::AtLeastOnce, 0xABCD)] {
                for (least, most, topic) in [
                    (64, 64, "t/{client}"),
                    (200, 200, "t"),
                    (24, 900, "t/{seq}"),
                ] {
                    let kind = kind(version, qos, Body::Sized { least, most });
                    let pattern = Pattern::parse(topic).unwrap();
                    let mut template = Template::new(&kind, &pattern, 3).unwrap();
                    let mut out = Vec::new();
                    template.write(packet_id, &STAMP, &mut out);
                    let frame = Frame::next(&out).unwrap().unwrap();
                    assert_eq!(frame.length, out.len());
                    let message = frame.message(version == Version::V5).unwrap();
                    assert_eq!(message.packet_id, packet_id);
                    assert!((least..=most).contains(&message.payload.len()));
                    assert_eq!(Stamp::read(message.payload, STAMP.due), Some(STAMP));
                    let length = frame.length;
                    template.write_again(packet_id, &STAMP, &mut out);
                    let again = Frame::next(&out[length..]).unwrap().unwrap();
                    assert_eq!(again.first & DUPLICATE, DUPLICATE);
                }
            }
        }
    }

    #[test]
    fn a_verbatim_body_is_not_touched() {
        let body = Bytes::from_static(b"{\"temperature\":21.5,\"unit\":\"C\"}");
        let kind = kind(Version::V5, QoS::AtMostOnce, Body::Verbatim(body.clone()));
        let mut template = Template::new(&kind, &Pattern::parse("t").unwrap(), 0).unwrap();
        let mut out = Vec::new();
        template.write(0, &STAMP, &mut out);
        let message = Frame::next(&out).unwrap().unwrap().message(true).unwrap();
        assert_eq!(message.payload, &body[..]);
    }
}
