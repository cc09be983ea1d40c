//! Messages that arrive in several frames: the method, a header, and bodies (AMQP 0-9-1 §4.2.6).

use super::super::driver::Broken;
use super::super::stamp;
use crate::amqp::frame::{Fields, cut_short};

/// How far a message has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing is coming.
    #[default]
    None,
    /// The method has come, the header is next.
    Announced(Message),
    /// The header has come; the body is so many bytes from its end.
    Body(Message, u64),
}

/// What is kept of a message: its bytes are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// Its delivery tag; `None`: the server has returned it.
    pub(super) tag: Option<u64>,
    /// All its frames, in bytes.
    pub(super) length: usize,
    /// The queue for its answer.
    pub(super) reply_to: Option<String>,
    head: [u8; stamp::LENGTH],
    filled: usize,
}

impl Message {
    /// The first bytes of the body: as many as a stamp has.
    pub(super) fn head(&self) -> &[u8] {
        &self.head[..self.filled]
    }

    fn keep(&mut self, body: &[u8]) {
        let place = &mut self.head[self.filled..];
        let count = place.len().min(body.len());
        place[..count].copy_from_slice(&body[..count]);
        self.filled += count;
    }
}

impl Content {
    /// The method that announces a message, in a frame of `length` bytes.
    pub(super) fn announce(&mut self, tag: Option<u64>, length: usize) -> Result<(), Broken> {
        if *self != Self::None {
            return Err(cut_short().into());
        }
        *self = Self::Announced(Message {
            tag,
            length,
            ..Message::default()
        });
        Ok(())
    }

    /// The header, in a frame of `length` bytes; a message without a body is whole.
    pub(super) fn header(
        &mut self,
        payload: &[u8],
        length: usize,
    ) -> Result<Option<Message>, Broken> {
        let Self::Announced(mut message) = std::mem::take(self) else {
            return Err(cut_short().into());
        };
        let mut fields = Fields(payload);
        // Class and weight.
        fields.long()?;
        message.length += length;
        let size = fields.long_long()?;
        message.reply_to = reply_to(fields)?;
        Ok(self.wait(message, size))
    }

    /// A body, in a frame of `length` bytes; the last one makes the message whole.
    pub(super) fn body(
        &mut self,
        payload: &[u8],
        length: usize,
    ) -> Result<Option<Message>, Broken> {
        let Self::Body(mut message, left) = std::mem::take(self) else {
            return Err(cut_short().into());
        };
        let left = left
            .checked_sub(payload.len() as u64)
            .ok_or_else(cut_short)?;
        message.length += length;
        message.keep(payload);
        Ok(self.wait(message, left))
    }

    fn wait(&mut self, message: Message, left: u64) -> Option<Message> {
        if left == 0 {
            return Some(message);
        }
        *self = Self::Body(message, left);
        None
    }
}

/// The property of that name, of all properties (§4.2.6.1); most messages have none.
#[inline]
fn reply_to(mut fields: Fields<'_>) -> Result<Option<String>, Broken> {
    let flags = fields.short()?;
    if flags & 0x0200 == 0 {
        return Ok(None);
    }
    // Content type and encoding, headers, delivery mode, priority, correlation identifier.
    for bit in [15, 14, 13, 12, 11, 10] {
        match bit {
            _ if flags >> bit & 1 == 0 => {}
            13 => drop(fields.long_bytes()?),
            11 | 12 => drop(fields.octet()?),
            _ => drop(fields.bytes()?),
        }
    }
    Ok(Some(fields.text()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_for_the_answer_is_found_among_all_properties() {
        let properties = b"\xFF\xF8\x01t\x01e\0\0\0\x03\x01ht\x02\x05\x01c\x02rq\x03exp";
        let found = reply_to(Fields(properties)).unwrap();
        assert_eq!(found.as_deref(), Some("rq"));
        assert_eq!(reply_to(Fields(b"\x10\0\x02")), Ok(None));
        for length in 2..20 {
            assert!(reply_to(Fields(&properties[..length])).is_err(), "{length}");
        }
    }
}
