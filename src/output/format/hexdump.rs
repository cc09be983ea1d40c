//! `hexdump`: the payload as `hexdump -C` shows it: offset, bytes, and what of them is ASCII.

use data_encoding::HEXLOWER;

use crate::message::Message;

use super::{Render, Surface};

/// The bytes of a line.
const WIDTH: usize = 16;

pub(super) struct Hexdump {
    topic: bool,
    surface: Surface,
}

impl Hexdump {
    pub(super) const fn new(topic: bool, surface: Surface) -> Self {
        Self { topic, surface }
    }
}

impl Render for Hexdump {
    fn render(&mut self, message: &Message, into: &mut Vec<u8>) {
        if self.topic {
            self.surface.topic(&message.topic, into);
            into.pop();
            into.push(b'\n');
        }
        push(&message.payload, into);
    }
}

/// Appends the lines; equal ones after the first are one `*`. The last is the length.
fn push(bytes: &[u8], into: &mut Vec<u8>) {
    let mut before = None;
    let mut starred = false;
    for (at, line) in bytes.chunks(WIDTH).enumerate() {
        if before == Some(line) && line.len() == WIDTH {
            if !starred {
                into.extend_from_slice(b"*\n");
            }
            starred = true;
            continue;
        }
        (before, starred) = (Some(line), false);
        push_line(at * WIDTH, line, into);
    }
    into.extend_from_slice(format!("{:08x}\n", bytes.len()).as_bytes());
}

fn push_line(offset: usize, line: &[u8], into: &mut Vec<u8>) {
    into.extend_from_slice(format!("{offset:08x} ").as_bytes());
    let start = into.len();
    for (at, byte) in line.iter().enumerate() {
        into.extend_from_slice(if at == WIDTH / 2 { b"  " } else { b" " });
        into.extend_from_slice(HEXLOWER.encode(&[*byte]).as_bytes());
    }
    into.resize(start + 3 * WIDTH + 1, b' ');
    into.extend_from_slice(b"  |");
    let shown = |byte: &u8| match byte {
        b' '..=b'~' => *byte,
        _ => b'.',
    };
    into.extend(line.iter().map(shown));
    into.extend_from_slice(b"|\n");
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TERMINAL, message, shown};
    use super::*;

    /// As hexdump 2.38 shows them.
    #[test]
    fn the_lines_are_hexdumps() {
        let dump =
            |topic, payload| shown(&mut Hexdump::new(topic, TERMINAL), &message("a/b", payload));
        assert_eq!(
            dump(true, b"hello\x1b w\xc3\xb6rld, all of you\n"),
            "a/b\n\
            00000000  68 65 6c 6c 6f 1b 20 77  c3 b6 72 6c 64 2c 20 61  |hello. w..rld, a|\n\
            00000010  6c 6c 20 6f 66 20 79 6f  75 0a                    |ll of you.|\n\
            0000001a\n"
        );
        assert_eq!(
            dump(false, &[0; 50]),
            "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n\
            *\n\
            00000030  00 00                                             |..|\n\
            00000032\n"
        );
        assert_eq!(dump(false, b""), "00000000\n");
    }
}
