//! The fields of a packet's body, read one by one (MQTT 5.0 §1.5).

use bytes::{Buf, Bytes};
use bytestring::ByteString;

use super::Malformed;

/// What is left of a packet's body. Every reader is told what it reads, for the error.
pub(super) struct Body {
    bytes: Bytes,
    packet: &'static str,
}

impl Body {
    pub(super) const fn new(bytes: Bytes, packet: &'static str) -> Self {
        Self { bytes, packet }
    }

    /// The name of the packet: `PUBLISH`.
    pub(super) const fn packet(&self) -> &'static str {
        self.packet
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Everything that is left.
    pub(super) fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.bytes)
    }

    /// The next `length` bytes as a body of their own.
    pub(super) fn part(&mut self, length: usize, what: &'static str) -> Result<Self, Malformed> {
        let bytes = self.bytes(length, what)?;
        Ok(Self::new(bytes, self.packet))
    }

    /// Nothing may be left.
    pub(super) fn finish(&self) -> Result<(), Malformed> {
        match self.bytes.len() {
            0 => Ok(()),
            left => Err(self.trailing(left)),
        }
    }

    #[cold]
    fn trailing(&self, left: usize) -> Malformed {
        Malformed::syntax(format!("{} with trailing bytes ({left})", self.packet))
    }

    #[cold]
    fn short(&self, what: &'static str) -> Malformed {
        Malformed::syntax(format!("{} ends within its {what}", self.packet))
    }

    /// The next `N` bytes of a number.
    #[inline]
    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        let Some(&array) = self.bytes.first_chunk() else {
            return Err(self.short(what));
        };
        self.bytes.advance(N);
        Ok(array)
    }

    /// Takes the next byte if it is 0.
    #[inline]
    pub(super) fn takes_zero(&mut self) -> bool {
        let zero = self.bytes.first() == Some(&0);
        if zero {
            self.bytes.advance(1);
        }
        zero
    }

    #[inline]
    pub(super) fn byte(&mut self, what: &'static str) -> Result<u8, Malformed> {
        self.array(what).map(u8::from_be_bytes)
    }

    #[inline]
    pub(super) fn two(&mut self, what: &'static str) -> Result<u16, Malformed> {
        self.array(what).map(u16::from_be_bytes)
    }

    pub(super) fn four(&mut self, what: &'static str) -> Result<u32, Malformed> {
        self.array(what).map(u32::from_be_bytes)
    }

    /// A variable byte integer of 1 to 4 bytes in its shortest form (MQTT 5.0 §1.5.5).
    #[inline]
    pub(super) fn variable(&mut self, what: &'static str) -> Result<u32, Malformed> {
        let mut value = 0;
        for at in 0..4 {
            let byte = self.byte(what)?;
            value |= u32::from(byte & 0x7f) << (7 * at);
            match byte {
                0 if at > 0 => break,
                0x80.. => {}
                _ => return Ok(value),
            }
        }
        let packet = self.packet;
        Err(Malformed::syntax(format!(
            "{packet}: {what} is not a variable byte integer in its shortest form"
        )))
    }

    /// A packet identifier: never 0 (MQTT 5.0 §2.2.1).
    #[inline]
    pub(super) fn packet_id(&mut self) -> Result<u16, Malformed> {
        match self.two("packet identifier")? {
            0 => Err(Malformed::protocol(format!(
                "{} with packet identifier 0",
                self.packet
            ))),
            id => Ok(id),
        }
    }

    #[inline]
    fn bytes(&mut self, length: usize, what: &'static str) -> Result<Bytes, Malformed> {
        if self.bytes.len() < length {
            return Err(self.short(what));
        }
        Ok(self.bytes.split_to(length))
    }

    /// Bytes after a length of two bytes (MQTT 5.0 §1.5.6).
    #[inline]
    pub(super) fn binary(&mut self, what: &'static str) -> Result<Bytes, Malformed> {
        let length = self.two(what)?;
        self.bytes(length.into(), what)
    }

    /// A text that is valid UTF-8 and may yet contain NUL.
    #[inline]
    pub(super) fn utf8(&mut self, what: &'static str) -> Result<ByteString, Malformed> {
        let bytes = self.binary(what)?;
        ByteString::try_from(bytes)
            .map_err(|_| Malformed::syntax(format!("{}: {what} is not UTF-8", self.packet)))
    }

    /// A text (MQTT 5.0 §1.5.4): valid UTF-8 without NUL.
    pub(super) fn text(&mut self, what: &'static str) -> Result<ByteString, Malformed> {
        let text = self.utf8(what)?;
        if memchr::memchr(0, text.as_bytes()).is_some() {
            let packet = self.packet;
            return Err(Malformed::syntax(format!(
                "{packet}: {what} contains a NUL character"
            )));
        }
        Ok(text)
    }
}
