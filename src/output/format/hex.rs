//! `hex`: the payload in hexadecimal digits, one line a message.

use data_encoding::HEXLOWER;

use crate::message::Message;

use super::{Render, Surface};

pub(super) struct Hex {
    topic: bool,
    surface: Surface,
}

impl Hex {
    pub(super) const fn new(topic: bool, surface: Surface) -> Self {
        Self { topic, surface }
    }
}

impl Render for Hex {
    fn render(&mut self, message: &Message, into: &mut Vec<u8>) {
        if self.topic {
            self.surface.topic(&message.topic, into);
        }
        push(&message.payload, into);
        into.push(b'\n');
    }
}

/// Appends `bytes` in lower-case hexadecimal digits.
fn push(bytes: &[u8], into: &mut Vec<u8>) {
    let start = into.len();
    into.resize(start + HEXLOWER.encode_len(bytes.len()), 0);
    HEXLOWER.encode_mut(bytes, &mut into[start..]);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PIPE, message, shown};
    use super::*;

    #[test]
    fn one_line_of_digits() {
        let message = message("a/b", b"\x00A\xff");
        assert_eq!(shown(&mut Hex::new(false, PIPE), &message), "0041ff\n");
        assert_eq!(shown(&mut Hex::new(true, PIPE), &message), "a/b 0041ff\n");
    }
}
