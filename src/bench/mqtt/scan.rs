//! Reads the packets of the hot path straight off the bytes, in MQTT 3.1.1 and 5, without building packets.

use super::super::driver::Broken;

/// One packet in the bytes that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// Type and flags.
    pub(super) first: u8,
    /// What follows the remaining length.
    pub(super) body: &'a [u8],
    /// The whole packet, in bytes.
    pub(super) length: usize,
}

/// A PUBLISH, as far as a receiver looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub(super) qos: u8,
    /// 0 at QoS 0.
    pub(super) packet_id: u16,
    /// As they are on the wire; empty before MQTT 5.
    pub(super) properties: &'a [u8],
    pub(super) payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The packet at the head of `bytes`; `None` when it has not arrived whole.
    #[inline]
    pub(super) fn next(bytes: &'a [u8]) -> Result<Option<Self>, Broken> {
        let Some((remaining, header)) = variable(bytes, 1)? else {
            return Ok(None);
        };
        let length = header + remaining;
        let Some(body) = bytes.get(header..length) else {
            return Ok(None);
        };
        Ok(Some(Self {
            first: bytes[0],
            body,
            length,
        }))
    }

    pub(super) const fn kind(&self) -> u8 {
        self.first >> 4
    }

    /// Packet identifier and reason code of an acknowledgement; success where it says nothing.
    #[inline]
    pub(super) fn acknowledgement(&self) -> Result<(u16, u8), Broken> {
        match *self.body {
            [high, low] => Ok((u16::from_be_bytes([high, low]), 0)),
            [high, low, reason, ..] => Ok((u16::from_be_bytes([high, low]), reason)),
            _ => Err(malformed()),
        }
    }

    /// Takes a PUBLISH apart; `properties` tells whether it has any (MQTT 5).
    #[inline]
    pub(super) fn message(&self, properties: bool) -> Result<Message<'a>, Broken> {
        let [high, low, ..] = *self.body else {
            return Err(malformed());
        };
        let mut at = 2 + usize::from(u16::from_be_bytes([high, low]));
        let qos = self.first >> 1 & 3;
        let mut packet_id = 0;
        if qos > 0 {
            let Some(&[high, low]) = self.body.get(at..at + 2) else {
                return Err(malformed());
            };
            packet_id = u16::from_be_bytes([high, low]);
            at += 2;
        }
        let mut begin = at;
        if properties {
            let Some((length, behind)) = variable(self.body, at)? else {
                return Err(malformed());
            };
            (begin, at) = (behind, behind + length);
        }
        match self.body.get(at..) {
            Some(payload) if qos < 3 => Ok(Message {
                qos,
                packet_id,
                properties: &self.body[begin..at],
                payload,
            }),
            _ => Err(malformed()),
        }
    }
}

/// A Variable Byte Integer (MQTT 5.0 §1.5.5) and where it ends; `None` when it goes on beyond the bytes.
#[inline]
fn variable(bytes: &[u8], at: usize) -> Result<Option<(usize, usize)>, Broken> {
    match *bytes.get(at..).unwrap_or_default() {
        [byte @ ..0x80, ..] => Ok(Some((usize::from(byte), at + 1))),
        [low, high @ ..0x80, ..] => {
            let value = usize::from(low & 0x7F) | usize::from(high) << 7;
            Ok(Some((value, at + 2)))
        }
        _ => longer(bytes, at),
    }
}

/// Of more than two bytes, or not whole.
#[inline(never)]
fn longer(bytes: &[u8], at: usize) -> Result<Option<(usize, usize)>, Broken> {
    let mut value = 0;
    for (number, byte) in bytes.iter().skip(at).take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * number);
        if byte & 0x80 == 0 {
            return Ok(Some((value, at + number + 1)));
        }
    }
    if bytes.len() >= at + 4 {
        return Err(malformed());
    }
    Ok(None)
}

#[cold]
pub(super) fn malformed() -> Broken {
    Broken::new("protocol error: the broker sent a malformed packet")
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};

    use super::*;
    use crate::mqtt::packet::{
        Ack, Packet, Properties, Property, Publish, QoS, ReasonCode, Version, encode,
    };

    fn written(packet: Packet, version: Version) -> BytesMut {
        let mut bytes = BytesMut::new();
        encode(&packet, version, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn it_reads_what_the_codec_writes() {
        for version in [Version::V311, Version::V5] {
            for (qos, length) in [(0, 0), (1, 5), (2, 127), (1, 200), (0, 70_000)] {
                let mut properties = Properties::default();
                if version == Version::V5 {
                    properties.push(Property::MessageExpiryInterval(60));
                }
                let packet_id = if qos > 0 { 0x1234 } else { 0 };
                let bytes = written(
                    Packet::Publish(Publish {
                        qos: QoS::from_level(qos).unwrap(),
                        topic: "a/b".into(),
                        packet_id,
                        payload: Bytes::from(vec![b'x'; length]),
                        properties,
                        ..Publish::default()
                    }),
                    version,
                );
                let frame = Frame::next(&bytes).unwrap().unwrap();
                assert_eq!((frame.kind(), frame.length), (3, bytes.len()));
                let message = frame.message(version == Version::V5).unwrap();
                assert_eq!((message.qos, message.packet_id), (qos, packet_id));
                assert_eq!(message.payload.len(), length);
                for cut in 0..bytes.len().min(200) {
                    assert_eq!(Frame::next(&bytes[..cut]).unwrap(), None);
                }
            }
        }
    }

    #[test]
    fn acknowledgements_of_both_versions() {
        let refused = Ack {
            packet_id: 513,
            reason: ReasonCode::NOT_AUTHORIZED,
            ..Ack::default()
        };
        let bytes = written(Packet::PubAck(refused.clone()), Version::V5);
        let frame = Frame::next(&bytes).unwrap().unwrap();
        assert_eq!(frame.acknowledgement().unwrap(), (513, 0x87));
        let bytes = written(Packet::PubAck(refused), Version::V311);
        let frame = Frame::next(&bytes).unwrap().unwrap();
        assert_eq!(frame.acknowledgement().unwrap(), (513, 0));
    }

    #[test]
    fn nonsense_is_refused_and_never_panics() {
        assert!(Frame::next(&[0x40, 0x80, 0x80, 0x80, 0x80]).is_err());
        for bytes in [
            &[0x40, 1, 0][..],
            &[0x32, 2, 0, 9],
            &[0x32, 3, 0, 1, b'a'],
            &[0x36, 5, 0, 1, b'a', 0, 1],
            &[0x30, 0],
        ] {
            let frame = Frame::next(bytes).unwrap().unwrap();
            assert!(frame.message(false).is_err() || frame.acknowledgement().is_err());
            assert!(frame.message(true).is_err(), "{bytes:?}");
        }
    }
}
