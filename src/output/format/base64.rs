//! `base64`: the payload in padded base64, one line a message.

use data_encoding::BASE64;

use crate::message::Message;

use super::{Render, Surface};

pub(super) struct Base64 {
    topic: bool,
    surface: Surface,
}

impl Base64 {
    pub(super) const fn new(topic: bool, surface: Surface) -> Self {
        Self { topic, surface }
    }
}

impl Render for Base64 {
    fn render(&mut self, message: &Message, into: &mut Vec<u8>) {
        if self.topic {
            self.surface.topic(&message.topic, into);
        }
        push(&message.payload, into);
        into.push(b'\n');
    }
}

/// Appends `bytes` in padded base64 (RFC 4648 §4).
pub(super) fn push(bytes: &[u8], into: &mut Vec<u8>) {
    let start = into.len();
    into.resize(start + BASE64.encode_len(bytes.len()), 0);
    BASE64.encode_mut(bytes, &mut into[start..]);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PIPE, message, shown};
    use super::*;

    #[test]
    fn one_line_of_digits() {
        let message = message("a/b", b"\xff\xfe");
        assert_eq!(shown(&mut Base64::new(false, PIPE), &message), "//4=\n");
        assert_eq!(shown(&mut Base64::new(true, PIPE), &message), "a/b //4=\n");
    }
}
