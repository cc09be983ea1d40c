//! Names of AMQP headers as text, whatever bytes they are and however often they come.
//!
//! | in a text | what it stands for |
//! |---|---|
//! | U+EF80 to U+EFFF | a byte that belongs to no character of UTF-8: U+EF00 and its value; also each byte of U+EF00 to U+EFFF themselves |
//! | U+EF01 and a number, at the end | in records: that so many headers up to this one have the name before it |

use std::borrow::Cow;

use bytestring::ByteString;

/// What stands for bytes begins here.
const BYTES: u32 = 0xEF00;

/// What the characters up to U+EFFF begin with in UTF-8, and some others.
const LEAD: u8 = 0xEE;

/// What stands before the number of a repeated name.
const AGAIN: char = '\u{EF01}';

/// The text that stands for a name.
pub(crate) fn of_bytes(bytes: &[u8]) -> ByteString {
    if let Ok(text) = str::from_utf8(bytes)
        && !bytes.contains(&LEAD)
    {
        return text.into();
    }
    let mut text = String::with_capacity(3 * bytes.len());
    let escape = |byte: &u8, text: &mut String| {
        // No surrogate is that low or high.
        text.extend(char::from_u32(BYTES + u32::from(*byte)));
    };
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match u32::from(letter) {
                0xEF00..=0xEFFF => {
                    let mut space = [0; 4];
                    let bytes = letter.encode_utf8(&mut space).as_bytes();
                    bytes.iter().for_each(|byte| escape(byte, &mut text));
                }
                _ => text.push(letter),
            }
        }
        let invalid = chunk.invalid().iter();
        invalid.for_each(|byte| escape(byte, &mut text));
    }
    text.into()
}

/// The name that a text stands for.
pub(crate) fn to_bytes(name: &str) -> Cow<'_, [u8]> {
    if !name.as_bytes().contains(&LEAD) {
        return Cow::Borrowed(name.as_bytes());
    }
    let mut bytes = Vec::with_capacity(name.len());
    for letter in name.chars() {
        match u32::from(letter) {
            code @ 0xEF80..=0xEFFF => bytes.push((code - BYTES) as u8),
            _ => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// The name in a record of the header that is the `count`th of that name.
pub(crate) fn numbered(name: &str, count: usize) -> String {
    format!("{name}{AGAIN}{count}")
}

/// The name of a header by its name in a record.
pub(crate) fn unnumbered(name: &str) -> &str {
    match name.rsplit_once(AGAIN) {
        Some((before, count)) if count.parse::<usize>().is_ok() => before,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back_as_it_was() {
        for name in [
            &b"plain"[..],
            b"",
            b"caf\xe9",
            b"\xff\xfe\x80",
            "größe 温度 \u{EE00}\u{F000}".as_bytes(),
            "\u{EF01}2".as_bytes(),
            "\u{EF80}\u{EFFF}".as_bytes(),
            b"\xee\xbc",
        ] {
            let text = of_bytes(name);
            assert_eq!(&*to_bytes(&text), name, "{text:?}");
            let again = numbered(&text, 2);
            assert_eq!(unnumbered(&again), &*text);
            assert_eq!(unnumbered(&text), &*text);
        }
        assert_eq!(of_bytes(b"caf\xe9"), "caf\u{EFE9}");
    }

    #[test]
    fn different_names_have_different_texts() {
        let mut texts: Vec<ByteString> = (0..=255_u8).map(|byte| of_bytes(&[byte])).collect();
        texts.push(of_bytes("\u{EFE9}".as_bytes()));
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), 257);
    }
}
