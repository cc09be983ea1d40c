//! Control characters made visible, so that nobody's message drives the user's terminal.
//!
//! Escaped are C0, DEL, the C1 controls (which some terminals obey in UTF-8 too), the characters that reorder or break a
//! line ([`drives_terminal`]) and bytes that are not UTF-8, each byte as `\x1b`.

pub(super) use crate::payload::visible::drives_terminal;

/// Which control characters are harmless where the text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// None: the text is one line.
    Nothing,
    /// Line feed and tab: the text is a body.
    Layout,
}

/// Appends `text` with its control characters made visible.
pub(super) fn escape(text: &[u8], keep: Keep, into: &mut Vec<u8>) {
    for chunk in text.utf8_chunks() {
        escape_text(chunk.valid(), keep, into);
        for &byte in chunk.invalid() {
            escape_byte(byte, into);
        }
    }
}

fn escape_text(text: &str, keep: Keep, into: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.find(|letter| is_harmful(letter, keep)) {
        let (plain, harmful) = rest.split_at(at);
        into.extend_from_slice(plain.as_bytes());
        let width = harmful.chars().next().map_or(0, char::len_utf8);
        for &byte in &harmful.as_bytes()[..width] {
            escape_byte(byte, into);
        }
        rest = &harmful[width..];
    }
    into.extend_from_slice(rest.as_bytes());
}

fn is_harmful(letter: char, keep: Keep) -> bool {
    drives_terminal(letter) && !(keep == Keep::Layout && matches!(letter, '\n' | '\t'))
}

fn escape_byte(byte: u8, into: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    into.extend_from_slice(b"\\x");
    into.push(DIGITS[usize::from(byte >> 4)]);
    into.push(DIGITS[usize::from(byte & 15)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &[u8], keep: Keep) -> String {
        let mut into = Vec::new();
        escape(text, keep, &mut into);
        String::from_utf8(into).unwrap()
    }

    #[test]
    fn controls_and_broken_text_become_visible() {
        assert_eq!(escaped(b"a\x1b[2Jb", Keep::Nothing), r"a\x1b[2Jb");
        assert_eq!(
            escaped(b"\x00\x7f\r\n\t", Keep::Nothing),
            r"\x00\x7f\x0d\x0a\x09"
        );
        assert_eq!(escaped("\u{9b}2J".as_bytes(), Keep::Nothing), r"\xc2\x9b2J");
        assert_eq!(
            escaped("a\u{202e}b\u{2028}c\u{2066}".as_bytes(), Keep::Layout),
            r"a\xe2\x80\xaeb\xe2\x80\xa8c\xe2\x81\xa6"
        );
        assert_eq!(escaped(b"caf\xe9!", Keep::Nothing), r"caf\xe9!");
        assert_eq!(escaped(b"cut \xe2\x82", Keep::Nothing), r"cut \xe2\x82");
    }

    #[test]
    fn a_body_keeps_its_lines_and_letters() {
        assert_eq!(
            escaped("a\n\tü€😀\r".as_bytes(), Keep::Layout),
            "a\n\tü€😀\\x0d"
        );
    }
}
