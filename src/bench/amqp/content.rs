//! Messages that arrive in several frames: the method, a header, and bodies (AMQP 0-9-1 §4.2.6).

use super::super::driver::Broken;
use super::super::stamp;
use super::scan::{Fields, malformed};

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
            return Err(malformed());
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
            return Err(malformed());
        };
        let mut fields = Fields(payload);
        // Class and weight.
        fields.long()?;
        message.length += length;
        Ok(self.wait(message, fields.long_long()?))
    }

    /// A body, in a frame of `length` bytes; the last one makes the message whole.
    pub(super) fn body(
        &mut self,
        payload: &[u8],
        length: usize,
    ) -> Result<Option<Message>, Broken> {
        let Self::Body(mut message, left) = std::mem::take(self) else {
            return Err(malformed());
        };
        let left = left
            .checked_sub(payload.len() as u64)
            .ok_or_else(malformed)?;
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
