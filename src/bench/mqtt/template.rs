//! PUBLISH packets encoded once and patched for each message.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use super::super::letters::letters;
use super::super::pattern::Pattern;
use super::super::stamp::Stamp;
use super::property::{self, LETTERS};
use crate::error::{Error, Result};
use crate::mqtt::packet::{Properties, Publish, QoS, Version, encode_publish};
use crate::payload;
use crate::payload::template::Filling;
use crate::random::Random;

/// DUP (MQTT 5.0 §3.3.1.1).
const DUPLICATE: u8 = 0x08;

/// What the messages of a group carry.
#[derive(Clone, Debug)]
pub(crate) enum Body {
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
    /// Another text for each message, without a stamp.
    Template(Arc<payload::template::Template>),
}

/// Where the stamp of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// There is none.
    Nowhere,
    /// Over the first bytes of the body.
    Body,
    /// In a property of its own, the last one.
    Property,
}

/// The packets of one publisher.
#[derive(Debug)]
pub(super) struct Template {
    shape: Shape,
    place: Place,
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
    body: Varies,
    random: Random,
    scratch: BytesMut,
}

/// The body of a packet that is not fixed.
#[derive(Debug)]
enum Varies {
    Size {
        filling: Bytes,
        least: usize,
        most: usize,
    },
    Text(Arc<payload::template::Template>),
}

/// What the packets of a group have in common.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub(super) version: Version,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) body: Body,
    pub(super) place: Place,
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
            Body::Template(_) => (0, 0),
        };
        let body = match &kind.body {
            Body::Template(template) => Varies::Text(Arc::clone(template)),
            _ => Varies::Size {
                filling: kind.filling.clone(),
                least,
                most,
            },
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
        let mut packet = BytesMut::new();
        encode_publish(&publish, kind.version, &mut packet)
            .map_err(|cause| Error::usage(cause.to_string()))?;
        let is_fixed = least == most && matches!(body, Varies::Size { .. });
        let shape = if is_fixed && !pattern.counts() {
            fixed(&packet, &publish)
        } else {
            Shape::Varying(Box::new(Varying {
                version: kind.version,
                publish,
                pattern: pattern.clone(),
                client,
                body,
                random: Random::new(kind.seed, client as u64),
                scratch: packet,
            }))
        };
        Ok(Self {
            shape,
            place: kind.place,
        })
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
                put(stamp, self.place, written, header.len());
            }
            Shape::Varying(varying) => varying.write(self.place, packet_id, stamp, out),
        }
    }

    /// Bytes that each message has at least.
    pub(super) fn least(&self) -> usize {
        match &self.shape {
            Shape::Fixed { header, body, .. } => header.len() + body.len(),
            Shape::Varying(varying) => match &varying.body {
                Varies::Size { least, .. } => *least,
                Varies::Text(_) => 0,
            },
        }
    }

    /// Appends one message that may have been sent before.
    pub(super) fn write_again(&mut self, packet_id: u16, stamp: &Stamp, out: &mut Vec<u8>) {
        let start = out.len();
        self.write(packet_id, stamp, out);
        out[start] |= DUPLICATE;
    }
}

/// Writes the stamp of a packet whose body begins at `body_at`.
#[inline]
fn put(stamp: &Stamp, place: Place, packet: &mut [u8], body_at: usize) {
    match place {
        Place::Nowhere => {}
        Place::Body => stamp.write(&mut packet[body_at..]),
        // The properties end where the body begins.
        Place::Property => property::write(stamp, &mut packet[body_at - LETTERS..body_at]),
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
    fn write(&mut self, place: Place, packet_id: u16, stamp: &Stamp, out: &mut Vec<u8>) {
        self.publish.payload = self.body(stamp);
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
        let body_at = self.scratch.len() - self.publish.payload.len();
        put(stamp, place, &mut self.scratch, body_at);
        out.extend_from_slice(&self.scratch);
    }

    fn body(&mut self, stamp: &Stamp) -> Bytes {
        match &self.body {
            Varies::Size {
                filling,
                least,
                most,
            } => filling.slice(..self.random.between(*least, *most)),
            Varies::Text(template) => {
                let filling = Filling {
                    client: self.client,
                    sequence: stamp.sequence,
                    now: stamp.due,
                };
                let mut text = String::new();
                template.fill(&filling, || self.random.next(), &mut text);
                Bytes::from(text)
            }
        }
    }
}

/// What bodies are filled with.
pub(super) fn filling(body: &Body, seed: u64) -> Bytes {
    match body {
        Body::Verbatim(bytes) | Body::Stamped(bytes) => bytes.clone(),
        Body::Template(_) => Bytes::new(),
        Body::Sized { most, .. } => letters(*most, seed),
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
            place: match &body {
                Body::Verbatim(_) | Body::Template(_) => Place::Nowhere,
                Body::Sized { .. } | Body::Stamped(_) => Place::Body,
            },
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
    fn a_body_that_is_not_ours_is_stamped_in_a_property() {
        let text = payload::template::Template::parse("{\"n\":{seq}}").unwrap();
        for (body, expected) in [
            (Body::Verbatim(Bytes::from_static(b"21.5")), "21.5"),
            (Body::Template(Arc::new(text)), "{\"n\":77}"),
        ] {
            for topic in ["t/{client}", "t/{seq}"] {
                let mut kind = kind(Version::V5, QoS::AtLeastOnce, body.clone());
                kind.place = Place::Property;
                kind.properties.push(property::place());
                let pattern = Pattern::parse(topic).unwrap();
                let mut template = Template::new(&kind, &pattern, 3).unwrap();
                let mut out = Vec::new();
                template.write(5, &STAMP, &mut out);
                let frame = Frame::next(&out).unwrap().unwrap();
                let message = frame.message(true).unwrap();
                assert_eq!(message.payload, expected.as_bytes());
                let stamp = property::read(message.properties).unwrap();
                assert_eq!(Stamp::read(&stamp, STAMP.due), Some(STAMP));
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
