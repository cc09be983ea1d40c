//! Payloads that are JSON themselves, put into a record as they are.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::write::Tokens;
use crate::output::escape::drives_terminal;

/// How deep a payload may nest to be embedded: common readers give up at 128 levels, and the record
/// around it takes some.
const DEEPEST: usize = 100;

/// The payload to embed, when it is one JSON document: verbatim, but without the white space around it,
/// and when it holds a line break, without the white space between its tokens, so that a record stays
/// one line. Numbers, strings and repeated names keep their spelling. What some reader might choke on
/// (see [`is_readable`]) is not embedded but shown as text.
pub(in super::super) fn embeddable(payload: &[u8]) -> Option<Cow<'_, [u8]>> {
    let json: &RawValue = serde_json::from_slice(payload).ok()?;
    let json = json.get().as_bytes();
    if !is_readable(json) {
        return None;
    }
    // Inside a string a line break can only stand escaped, so a bare one is between tokens.
    if memchr::memchr2(b'\n', b'\r', json).is_none() {
        return Some(Cow::Borrowed(json));
    }
    Some(Cow::Owned(Tokens(json).flatten().copied().collect()))
}

/// Whether every reader can take valid JSON, and a terminal too.
fn is_readable(json: &[u8]) -> bool {
    let mut depth = 0;
    Tokens(json).all(|token| {
        match token[0] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => return is_clear(token),
            _ => {}
        }
        depth <= DEEPEST
    })
}

/// Whether a string is harmless: no `"\ud800"`, which is half a character, and nothing bare that drives a terminal, of
/// which JSON allows DEL, C1 and bidirectional formatting.
fn is_clear(token: &[u8]) -> bool {
    if token.contains(&b'\\') && serde_json::from_slice::<Cow<'_, str>>(token).is_err() {
        return false;
    }
    token.is_ascii() && !token.contains(&0x7f)
        || str::from_utf8(token).is_ok_and(|text| !text.contains(drives_terminal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedded(payload: &str) -> Option<String> {
        let json = embeddable(payload.as_bytes())?;
        Some(String::from_utf8(json.into_owned()).unwrap())
    }

    #[test]
    fn documents_are_verbatim() {
        for json in [
            "21.50",
            "null",
            "\"x\"",
            "9007199254740993",
            "1e400",
            r#"{"b": 1, "a":[ ] , "a":2}"#,
        ] {
            assert_eq!(embedded(json).as_deref(), Some(json));
        }
    }

    #[test]
    fn one_record_stays_one_line() {
        let json = "{\n  \"a b\": [1.0,\r\n\t2],\n  \"c\": \"x\\n y\"\n}\n";
        assert_eq!(embedded(json).unwrap(), r#"{"a b":[1.0,2],"c":"x\n y"}"#);
        assert_eq!(embedded(" 1 \n").unwrap(), "1");
    }

    #[test]
    fn everything_else_is_no_document() {
        for text in ["", "21.", "{", "1 2", "{\"a\":1}x", "NaN", "'x'"] {
            assert_eq!(embedded(text), None, "{text}");
        }
        assert_eq!(embeddable(b"\"\xff\""), None);
        assert_eq!(embedded(r#"["\ud800"]"#), None);
        assert!(embedded(r#"["\ud83d\ude00"]"#).is_some());
        assert_eq!(embedded("\"\u{9b}2J\""), None);
        assert!(embedded("\"\u{a0}\"").is_some());
    }

    #[test]
    fn abysses_are_left_out() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(embedded(&nested(DEEPEST)).is_some());
        assert!(embedded(&nested(DEEPEST + 1)).is_none());
        assert!(embedded(&nested(1_000_000)).is_none());
    }
}
