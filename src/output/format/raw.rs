//! `raw`: the payload's bytes and nothing else.

use crate::message::Message;

use super::{Render, Surface};

pub(super) struct Raw {
    surface: Surface,
}

impl Raw {
    pub(super) const fn new(surface: Surface) -> Self {
        Self { surface }
    }
}

impl Render for Raw {
    fn render(&mut self, message: &Message, into: &mut Vec<u8>) {
        self.surface.body(&message.payload, into);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PIPE, TERMINAL, message, shown};
    use super::*;

    #[test]
    fn nothing_is_added() {
        let mut into = Vec::new();
        Raw::new(PIPE).render(&message("a", b"\x00\xff\r\n"), &mut into);
        assert_eq!(into, b"\x00\xff\r\n");
    }

    #[test]
    fn a_terminal_is_protected_here_too() {
        assert_eq!(
            shown(&mut Raw::new(TERMINAL), &message("a", b"\x1b[2J")),
            "\\x1b[2J"
        );
    }
}
