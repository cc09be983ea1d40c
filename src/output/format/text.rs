//! `text`: the payload, for people and line tools.

use crate::message::Message;

use super::{Render, Surface};

pub(super) struct Text {
    topic: bool,
    newline: bool,
    surface: Surface,
}

impl Text {
    pub(super) const fn new(topic: bool, newline: bool, surface: Surface) -> Self {
        Self {
            topic,
            newline,
            surface,
        }
    }
}

impl Render for Text {
    fn render(&mut self, message: &Message, into: &mut Vec<u8>) {
        into.reserve(message.topic.len() + message.payload.len() + 2);
        if self.topic {
            self.surface.topic(&message.topic, into);
        }
        self.surface.body(&message.payload, into);
        if self.newline {
            into.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PIPE, TERMINAL, message, shown};
    use super::*;

    #[test]
    fn payload_alone_or_with_its_topic() {
        let message = message("a/b", b"21.5");
        assert_eq!(shown(&mut Text::new(false, true, PIPE), &message), "21.5\n");
        assert_eq!(
            shown(&mut Text::new(true, true, PIPE), &message),
            "a/b 21.5\n"
        );
        assert_eq!(
            shown(&mut Text::new(true, false, PIPE), &message),
            "a/b 21.5"
        );
    }

    #[test]
    fn an_empty_payload_is_nothing() {
        let message = message("a/b", b"");
        assert_eq!(shown(&mut Text::new(true, true, PIPE), &message), "a/b \n");
        assert_eq!(shown(&mut Text::new(false, true, PIPE), &message), "\n");
    }

    #[test]
    fn bytes_are_exact_in_a_pipe_and_harmless_on_a_terminal() {
        let message = message("a\u{1b}", b"\x00\xff\x1b[2J\n");
        let mut into = Vec::new();
        Text::new(true, true, PIPE).render(&message, &mut into);
        assert_eq!(into, b"a\x1b \x00\xff\x1b[2J\n\n");
        assert_eq!(
            shown(&mut Text::new(true, true, TERMINAL), &message),
            "a\\x1b \\x00\\xff\\x1b[2J\n\n"
        );
    }

    #[test]
    fn colour_is_around_the_topic_only() {
        let surface = Surface {
            terminal: true,
            color: true,
        };
        assert_eq!(
            shown(&mut Text::new(true, true, surface), &message("a/b", b"x")),
            "\x1b[36ma/b\x1b[0m x\n"
        );
    }
}
