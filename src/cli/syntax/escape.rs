//! Bytes as a shell can write them: text with `\n`, `\r`, `\t`, `\0`, `\\` and `\xHH`.

/// The bytes of a text with escapes.
fn unescaped(word: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let escape = &rest[at + 1..];
        let hex = |digits: &str| {
            // A sign would be taken too.
            let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            u8::from_str_radix(digits, 16).ok().filter(|_| plain)
        };
        let (byte, length) = match escape.as_bytes().first() {
            Some(b'n') => (Some(b'\n'), 1),
            Some(b'r') => (Some(b'\r'), 1),
            Some(b't') => (Some(b'\t'), 1),
            Some(b'0') => (Some(0), 1),
            Some(b'\\') => (Some(b'\\'), 1),
            Some(b'x') => (escape.get(1..3).and_then(hex), 3),
            _ => (None, 0),
        };
        let byte = byte.ok_or_else(|| {
            String::from(r"the escapes are \n, \r, \t, \0, \\ and \x with two hexadecimal digits")
        })?;
        bytes.push(byte);
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// One byte.
pub(crate) fn byte(word: &str) -> Result<u8, String> {
    match unescaped(word)?[..] {
        [byte] => Ok(byte),
        _ => Err(String::from(r"expected one byte, such as ; or \x1e")),
    }
}

/// Text that is not empty.
pub(crate) fn text(word: &str) -> Result<String, String> {
    match String::from_utf8(unescaped(word)?) {
        Ok(text) if !text.is_empty() => Ok(text),
        _ => Err(String::from(
            "expected text that is valid UTF-8 and not empty",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_themselves_or_escaped() {
        for (word, value) in [
            (";", b';'),
            (r"\x1e", 0x1e),
            (r"\xfF", 0xff),
            (r"\0", 0),
            (r"\n", b'\n'),
            (r"\\", b'\\'),
        ] {
            assert_eq!(byte(word), Ok(value), "{word}");
        }
        for wrong in [
            "", "ab", "ü", r"\", r"\x1", r"\x1g", r"\x+1", r"\xü", r"\q", r"\n\n",
        ] {
            assert!(byte(wrong).is_err(), "{wrong}");
        }
        assert_eq!(text(r" \t| "), Ok(String::from(" \t| ")));
        assert_eq!(text(r"\xc3\xbc"), Ok(String::from("ü")));
        assert!(text("").is_err() && text(r"\xff").is_err());
    }
}
