//! Strings, numbers and layout of JSON (RFC 8259), written straight into the buffer.

use super::super::base64;
use crate::output::escape::drives_terminal;

/// Appends `text` as a JSON string.
///
/// Besides what JSON demands, whatever drives a terminal is escaped (DEL, the C1 control characters, bidirectional
/// formatting), so that a record is harmless on a terminal and the same bytes in a pipe.
pub(in super::super) fn push_string(text: &str, into: &mut Vec<u8>) {
    into.push(b'"');
    let bytes = text.as_bytes();
    let mut start = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if !SUSPECT[usize::from(byte)] {
            continue;
        }
        let letter = match byte {
            0..0x80 => char::from(byte),
            _ => match text[at..].chars().next() {
                Some(letter) if drives_terminal(letter) => letter,
                _ => continue,
            },
        };
        into.extend_from_slice(&bytes[start..at]);
        push_escape(letter, into);
        start = at + letter.len_utf8();
    }
    into.extend_from_slice(&bytes[start..]);
    into.push(b'"');
}

/// Bytes that are escaped, or begin a character that may be ([`drives_terminal`]).
const SUSPECT: [bool; 256] = {
    let mut suspect = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        suspect[byte] = true;
        byte += 1;
    }
    suspect[b'"' as usize] = true;
    suspect[b'\\' as usize] = true;
    suspect[0x7f] = true;
    // U+0080 to U+009F, U+061C, U+200E to U+2069.
    suspect[0xc2] = true;
    suspect[0xd8] = true;
    suspect[0xe2] = true;
    suspect
};

/// `letter` lies below U+10000.
fn push_escape(letter: char, into: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let short = match letter {
        '"' => b'"',
        '\\' => b'\\',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        _ => {
            into.extend_from_slice(b"\\u");
            let digit = |shift: u32| DIGITS[(u32::from(letter) >> shift & 15) as usize];
            into.extend_from_slice(&[12, 8, 4, 0].map(digit));
            return;
        }
    };
    into.extend_from_slice(&[b'\\', short]);
}

/// Appends `"NAME":"…"` when `bytes` are UTF-8, else `"NAME_base64":"…"`.
pub(in super::super) fn push_text_or_base64(name: &str, bytes: &[u8], into: &mut Vec<u8>) {
    into.push(b'"');
    into.extend_from_slice(name.as_bytes());
    match str::from_utf8(bytes) {
        Ok(text) => {
            into.extend_from_slice(b"\":");
            push_string(text, into);
        }
        Err(_) => {
            into.extend_from_slice(b"_base64\":\"");
            base64::push(bytes, into);
            into.push(b'"');
        }
    }
}

/// Appends a number in decimal digits.
pub(in super::super) fn push_number(number: u32, into: &mut Vec<u8>) {
    let mut digits = [0; 10];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        // A decimal digit fits a byte.
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    into.extend_from_slice(&digits[at..]);
}

/// Appends `flat`, which must be valid JSON, with every member on a line of its own, two spaces
/// deeper than its container. Strings and numbers keep their spelling.
pub(in super::super) fn indent(flat: &[u8], into: &mut Vec<u8>) {
    let mut depth = 0;
    let mut tokens = Tokens(flat).peekable();
    while let Some(token) = tokens.next() {
        match token {
            b"{" | b"[" => {
                into.extend_from_slice(token);
                if let Some(close) = tokens.next_if(|&next| matches!(next, b"}" | b"]")) {
                    into.extend_from_slice(close);
                } else {
                    depth += 1;
                    push_break(depth, into);
                }
            }
            b"}" | b"]" => {
                depth -= 1;
                push_break(depth, into);
                into.extend_from_slice(token);
            }
            b"," => {
                into.push(b',');
                push_break(depth, into);
            }
            b":" => into.extend_from_slice(b": "),
            _ => into.extend_from_slice(token),
        }
    }
}

fn push_break(depth: usize, into: &mut Vec<u8>) {
    into.push(b'\n');
    into.resize(into.len() + 2 * depth, b' ');
}

/// The tokens of valid JSON, without the white space between them.
pub(super) struct Tokens<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0.trim_ascii_start();
        let length = match text.first()? {
            b'"' => string_length(text),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            _ => text.iter().position(ends_scalar).unwrap_or(text.len()),
        };
        let (token, rest) = text.split_at(length);
        self.0 = rest;
        Some(token)
    }
}

const fn ends_scalar(byte: &u8) -> bool {
    matches!(
        byte,
        b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n'
    )
}

/// The length of the string that `text` begins with, both quotation marks included.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', &text[at.min(text.len())..]) {
        at += found;
        if text[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> String {
        let mut into = Vec::new();
        push_string(text, &mut into);
        String::from_utf8(into).unwrap()
    }

    #[test]
    fn strings_are_escaped_as_little_as_is_safe() {
        assert_eq!(string(r#"a"b\c/"#), r#""a\"b\\c/""#);
        assert_eq!(
            string("\n\r\t\0\u{1b}\u{7f}"),
            r#""\n\r\t\u0000\u001b\u007f""#
        );
        assert_eq!(
            string("\u{80}\u{9b}\u{a0}ü€😀"),
            "\"\\u0080\\u009b\u{a0}ü€😀\""
        );
        assert_eq!(
            string("\u{202e}\u{2028}\u{61c}\u{200d}\u{2070}"),
            "\"\\u202e\\u2028\\u061c\u{200d}\u{2070}\""
        );
    }

    #[test]
    fn every_character_reads_back() {
        let all: String = ('\0'..='\u{2ff}')
            .chain(['\u{2028}', '\u{ffff}', '😀'])
            .collect();
        assert_eq!(serde_json::from_str::<String>(&string(&all)).unwrap(), all);
    }

    #[test]
    fn numbers_of_every_length() {
        for number in [0, 9, 10, 65_535, u32::MAX] {
            let mut into = Vec::new();
            push_number(number, &mut into);
            assert_eq!(into, number.to_string().into_bytes());
        }
    }

    #[test]
    fn indentation_changes_nothing_but_white_space() {
        let flat = br#"{"a":[1.50,{}, [] ,"x,y:\"{"],"b":{"c":null}}"#;
        let mut into = Vec::new();
        indent(flat, &mut into);
        let expected = "{\n  \"a\": [\n    1.50,\n    {},\n    [],\n    \"x,y:\\\"{\"\n  ],\n  \"b\": {\n    \"c\": null\n  }\n}";
        assert_eq!(String::from_utf8(into).unwrap(), expected);
    }
}
