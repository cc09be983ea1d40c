//! What mosquitto_sub prints without `-F`, and its `--watch`.

use std::collections::HashMap;

use bytestring::ByteString;

use crate::message::Message;

use super::{Render, Surface};

/// As many topics get a line of their own; all further ones share the last.
const MOST_LINES: usize = 10_000;

/// The payload, or with the topic before it `(null)` for an empty one, which alone is nothing at all.
pub(super) struct Plain {
    pub(super) topic: bool,
    pub(super) newline: bool,
    pub(super) surface: Surface,
}

impl Render for Plain {
    fn render(&mut self, message: &Message, into: &mut Vec<u8>) {
        let is_empty = message.payload.is_empty();
        if is_empty && !(self.topic && self.newline) {
            return;
        }
        into.reserve(message.topic.len() + message.payload.len() + 2);
        if self.topic {
            self.surface.topic(&message.topic, into);
        }
        match is_empty {
            true => into.extend_from_slice(b"(null)"),
            false => self.surface.body(&message.payload, into),
        }
        if self.newline {
            into.push(b'\n');
        }
    }
}

/// Each topic's newest message on a line of its own (ECMA-48 §8.3.21 CUP moves there).
pub(super) struct Lines {
    header: Option<String>,
    inner: Box<dyn Render>,
    lines: HashMap<ByteString, usize>,
}

impl Lines {
    pub(super) fn new(broker: &str, inner: Box<dyn Render>) -> Self {
        Self {
            header: Some(format!("\x1b[2J\x1b[1;1HBroker: {broker}\n")),
            inner,
            lines: HashMap::new(),
        }
    }
}

impl Render for Lines {
    fn render(&mut self, message: &Message, into: &mut Vec<u8>) {
        if let Some(header) = self.header.take() {
            into.extend_from_slice(header.as_bytes());
        }
        let next = self.lines.len() + 2;
        let line = match self.lines.get(&message.topic) {
            Some(line) => *line,
            None if self.lines.len() == MOST_LINES => next - 1,
            None => {
                // A copy: the topic is a slice of a read buffer, which would be kept with it.
                self.lines.insert(ByteString::from(&*message.topic), next);
                next
            }
        };
        into.extend_from_slice(format!("\x1b[{line};1H").as_bytes());
        self.inner.render(message, into);
        into.extend_from_slice(format!("\x1b[{};1H\n", self.lines.len() + 1).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PIPE, message, shown};
    use super::*;

    fn plain(topic: bool, newline: bool) -> Plain {
        Plain {
            topic,
            newline,
            surface: PIPE,
        }
    }

    #[test]
    fn an_empty_payload_is_null_after_its_topic_only() {
        for (topic, newline, payload, text) in [
            (false, true, "x", "x\n"),
            (false, false, "x", "x"),
            (true, true, "x", "a x\n"),
            (true, false, "x", "a x"),
            (true, true, "", "a (null)\n"),
            (true, false, "", ""),
            (false, true, "", ""),
        ] {
            let message = message("a", payload.as_bytes());
            assert_eq!(shown(&mut plain(topic, newline), &message), text);
        }
    }

    #[test]
    fn each_topic_has_its_line() {
        let mut lines = Lines::new("h", Box::new(plain(true, true)));
        let first = shown(&mut lines, &message("a", b"1"));
        assert_eq!(
            first,
            "\x1b[2J\x1b[1;1HBroker: h\n\x1b[2;1Ha 1\n\x1b[2;1H\n"
        );
        let second = shown(&mut lines, &message("b", b"2"));
        assert_eq!(second, "\x1b[3;1Hb 2\n\x1b[3;1H\n");
        let third = shown(&mut lines, &message("a", b"3"));
        assert_eq!(third, "\x1b[2;1Ha 3\n\x1b[3;1H\n");
    }
}
