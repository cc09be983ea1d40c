//! CBOR from JSON, and from diagnostic notation (RFC 8949 §8, with comments, `'…'`, `b64'…'` and `<<…>>` of RFC 8610 Appendix G).

use std::collections::HashSet;

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use serde::de::IgnoredAny;

use super::DEEPEST;
use super::read::{BREAK, half};
use crate::error::brief;

/// The most digits of an integer: what it takes to read one grows with their square.
const MOST_DIGITS: usize = 1000;

/// The bytes of one item.
///
/// # Errors
/// What was expected, and at which letter.
pub fn from_diagnostic(text: &str) -> Result<Vec<u8>, String> {
    items(text, false)
}

/// JSON as one item, in whose maps each key stands once (RFC 8949 §5.6). Integers stay what they are, however large (RFC 8949 §3.4.3); other numbers are floats, in the shortest
/// form that keeps their value (§6.2).
///
/// # Errors
/// Why it is no JSON, or what CBOR has no form for.
pub fn from_json(json: &[u8]) -> Result<Vec<u8>, String> {
    let text = str::from_utf8(json).map_err(|_| String::from("not JSON: not UTF-8"))?;
    // The notation has all of JSON, and more.
    if let Err(why) = serde_json::from_str::<IgnoredAny>(text) {
        return Err(format!("not JSON: {why}"));
    }
    items(text, true)
}

fn items(text: &str, is_json: bool) -> Result<Vec<u8>, String> {
    let mut parser = Parser {
        text,
        at: 0,
        is_json,
    };
    let mut bytes = Vec::new();
    parser.item(&mut bytes, 0)?;
    if parser.rest()?.is_empty() {
        return Ok(bytes);
    }
    parser.refuse("the end")
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// What is not JSON has been refused.
    is_json: bool,
}

type Parsed<T = ()> = Result<T, String>;

impl<'a> Parser<'a> {
    fn refuse<T>(&self, expected: &str) -> Parsed<T> {
        let letter = self.text[..self.at].chars().count() + 1;
        Err(format!("at character {letter}, expected {expected}"))
    }

    /// What is left, behind space and comments.
    fn rest(&mut self) -> Parsed<&'a str> {
        loop {
            let rest = &self.text[self.at..];
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            let end = match trimmed.as_bytes() {
                [b'/', ..] => trimmed[1..].find('/').map(|at| at + 2),
                [b'#', ..] => Some(trimmed.find('\n').unwrap_or(trimmed.len())),
                _ => return Ok(trimmed),
            };
            match end {
                Some(end) => self.at += end,
                None => return self.refuse("the end of a comment"),
            }
        }
    }

    fn skip(&mut self, word: &str) -> Parsed<bool> {
        let found = self.rest()?.starts_with(word);
        self.at += if found { word.len() } else { 0 };
        Ok(found)
    }

    fn need(&mut self, word: &str) -> Parsed {
        if self.skip(word)? {
            return Ok(());
        }
        self.refuse(word)
    }

    fn item(&mut self, into: &mut Vec<u8>, depth: usize) -> Parsed {
        if depth > DEEPEST {
            return Err(format!("nested deeper than {DEEPEST} levels"));
        }
        let rest = self.rest()?;
        match rest.as_bytes() {
            [b'"', ..] => {
                let text = self.quoted()?;
                put_string(3, text.as_bytes(), into);
            }
            [b'\'', ..] => put_string(2, self.single()?.as_bytes(), into),
            [b'h', b'\'', ..] | [b'b', b'6', b'4', b'\'', ..] => {
                let bytes = self.spelled()?;
                put_string(2, &bytes, into);
            }
            [b'[', ..] => self.collection(into, depth, false)?,
            [b'{', ..] => self.collection(into, depth, true)?,
            [b'(', ..] => self.pieces(into, depth)?,
            [b'<', b'<', ..] => {
                self.at += 2;
                let mut inner = Vec::new();
                self.item(&mut inner, depth + 1)?;
                self.need(">>")?;
                put_string(2, &inner, into);
            }
            _ => self.word(into, depth)?,
        }
        Ok(())
    }

    fn collection(&mut self, into: &mut Vec<u8>, depth: usize, map: bool) -> Parsed {
        let (close, major) = if map { ("}", 5) } else { ("]", 4) };
        self.at += 1;
        let indefinite = self.skip("_")?;
        let mut inner = Vec::new();
        let mut count = 0;
        let mut keys = HashSet::new();
        while !self.skip(close)? {
            if count > 0 {
                self.need(",")?;
                // A comma may stand behind the last one too.
                if self.skip(close)? {
                    break;
                }
            }
            let (at, key) = (self.at, inner.len());
            self.item(&mut inner, depth + 1)?;
            if map {
                if self.is_json && !keys.insert(inner[key..].to_vec()) {
                    let name = brief(self.text[at..self.at].trim()).to_string();
                    return Err(format!("the key {name} is given twice"));
                }
                self.need(":")?;
                self.item(&mut inner, depth + 1)?;
            }
            count += 1;
        }
        if indefinite {
            into.push(major << 5 | 31);
        } else {
            put_head(major, count, into);
        }
        into.extend(inner);
        into.extend(indefinite.then_some(BREAK));
        Ok(())
    }

    /// `(_ h'01', h'02')`: a string without length, of pieces of one kind.
    fn pieces(&mut self, into: &mut Vec<u8>, depth: usize) -> Parsed {
        self.need("(")?;
        self.need("_")?;
        let mut inner = Vec::new();
        let mut major = None;
        while !self.skip(")")? {
            if major.is_some() {
                self.need(",")?;
            }
            let mut piece = Vec::new();
            self.item(&mut piece, depth + 1)?;
            // An item has at least one byte.
            let of = piece[0] >> 5;
            if !matches!(of, 2 | 3) || piece[0] & 31 == 31 || major.is_some_and(|it| it != of) {
                return self.refuse("a string of the same kind before this");
            }
            major = Some(of);
            inner.extend(piece);
        }
        into.push(major.unwrap_or(2) << 5 | 31);
        into.extend(inner);
        into.push(BREAK);
        Ok(())
    }

    fn quoted(&mut self) -> Parsed<String> {
        let rest = &self.text[self.at..];
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, letter)| {
            let ends = *letter == '"' && !escaped;
            escaped = *letter == '\\' && !escaped;
            ends
        });
        let Some((end, _)) = end else {
            return self.refuse("a closing quote");
        };
        match serde_json::from_str(&rest[..=end]) {
            Ok(text) => {
                self.at += end + 1;
                Ok(text)
            }
            Err(_) => self.refuse("a JSON string"),
        }
    }

    fn single(&mut self) -> Parsed<&'a str> {
        let rest = &self.text[self.at + 1..];
        let Some(end) = rest.find('\'') else {
            return self.refuse("a closing quote");
        };
        self.at += end + 2;
        Ok(&rest[..end])
    }

    fn spelled(&mut self) -> Parsed<Vec<u8>> {
        let start = self.at;
        let is_hex = self.skip("h")?;
        if !is_hex {
            self.need("b64")?;
        }
        let digits: String = self
            .single()?
            .chars()
            .filter(|it| !it.is_whitespace())
            .collect();
        let bare = digits.trim_end_matches('=').as_bytes();
        let decoded = match is_hex {
            true => HEXLOWER_PERMISSIVE.decode(digits.as_bytes()),
            false => BASE64URL_NOPAD
                .decode(bare)
                .or_else(|_| BASE64_NOPAD.decode(bare)),
        };
        decoded.or_else(|_| {
            self.at = start;
            self.refuse("digits for whole bytes")
        })
    }

    /// A number, a tag, or one of the few words.
    fn word(&mut self, into: &mut Vec<u8>, depth: usize) -> Parsed {
        let rest = self.rest()?;
        let of_word = |it: char| it.is_ascii_alphanumeric() || "+-._".contains(it);
        let end = rest.find(|it| !of_word(it)).unwrap_or(rest.len());
        let word = &rest[..end];
        let is_followed = rest[end..].starts_with('(');
        let bytes = match word {
            "false" => vec![0xF4],
            "true" => vec![0xF5],
            "null" => vec![0xF6],
            "undefined" => vec![0xF7],
            "simple" if is_followed => return self.simple(into, end),
            _ => match number(word) {
                Some(bytes) => bytes,
                None if self.is_json => return self.refuse("a smaller number"),
                None => return self.refuse("an item"),
            },
        };
        self.at += end;
        // Each of them has one byte at least.
        let tag = bytes[0] >> 5 == 0 && is_followed;
        if tag {
            into.push(bytes[0] | 6 << 5);
            into.extend_from_slice(&bytes[1..]);
            self.at += 1;
            self.item(into, depth + 1)?;
            return self.need(")");
        }
        into.extend(bytes);
        Ok(())
    }

    fn simple(&mut self, into: &mut Vec<u8>, name: usize) -> Parsed {
        self.at += name + 1;
        let rest = self.rest()?;
        let end = rest.find(')').unwrap_or(rest.len());
        match rest[..end].trim().parse() {
            Ok(value @ 0..24) => into.push(7 << 5 | value),
            Ok(value @ 32..) => into.extend([0xF8, value]),
            _ => return self.refuse("a number from 0 to 23 or from 32 to 255"),
        }
        self.at += end;
        self.need(")")
    }
}

fn number(word: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let digits = word.strip_prefix('-').unwrap_or(word);
    let whole = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let (major, value) = match integer(word) {
        Some(value @ 0..) => (0, value),
        Some(value) => (1, -1 - value),
        None if whole => return big(word),
        None => {
            put_float(float(word)?, &mut bytes);
            return Some(bytes);
        }
    };
    match u64::try_from(value) {
        Ok(value) => put_head(major, value, &mut bytes),
        Err(_) => return big(word).filter(|_| whole),
    }
    Some(bytes)
}

/// A decimal integer beyond 64 bits: a tag, and the bytes of its value or of -1 less it (RFC 8949 §3.4.3).
fn big(word: &str) -> Option<Vec<u8>> {
    let (tag, digits) = match word.strip_prefix('-') {
        Some(digits) => (3, digits),
        None => (2, word),
    };
    if digits.len() > MOST_DIGITS {
        return None;
    }
    // The least significant first.
    let mut value: Vec<u8> = Vec::new();
    for digit in digits.bytes() {
        let mut carry = u32::from(digit - b'0');
        for byte in &mut value {
            carry += u32::from(*byte) * 10;
            *byte = carry as u8;
            carry >>= 8;
        }
        value.extend((carry > 0).then_some(carry as u8));
    }
    if tag == 3 {
        for byte in &mut value {
            let (less, borrows) = byte.overflowing_sub(1);
            *byte = less;
            if !borrows {
                break;
            }
        }
        while value.last() == Some(&0) {
            value.pop();
        }
    }
    value.reverse();
    let mut bytes = vec![6 << 5 | tag];
    put_string(2, &value, &mut bytes);
    Some(bytes)
}

fn integer(word: &str) -> Option<i128> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, word),
    };
    let (base, digits) = match digits.get(..2) {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ => (10, digits),
    };
    let plain = digits.bytes().all(|digit| digit.is_ascii_alphanumeric());
    let value = i128::from_str_radix(digits, base).ok().filter(|_| plain)?;
    (value <= 1 << 64).then_some(sign * value)
}

fn float(word: &str) -> Option<f64> {
    match word {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => {
            let digits = word
                .trim_start_matches('-')
                .starts_with(|it: char| it.is_ascii_digit());
            word.parse()
                .ok()
                .filter(|value: &f64| digits && value.is_finite())
        }
    }
}

/// In the shortest form that keeps the value (RFC 8949 §4.1).
fn put_float(value: f64, into: &mut Vec<u8>) {
    if let Some(bits) = to_half(value) {
        into.push(0xF9);
        into.extend(bits.to_be_bytes());
    } else if f64::from(value as f32) == value {
        into.push(0xFA);
        into.extend((value as f32).to_be_bytes());
    } else {
        into.push(0xFB);
        into.extend(value.to_be_bytes());
    }
}

/// The half float of exactly this value, if there is one.
fn to_half(value: f64) -> Option<u16> {
    let sign = u16::from(value.is_sign_negative()) << 15;
    if value.is_nan() {
        return Some(0x7E00);
    }
    let size = value.abs();
    let bits = if size.is_infinite() {
        0x7C00
    } else if size < 2_f64.powi(-14) {
        // As whole numbers of the smallest one; above 1023 they are no such any more.
        (size * 2_f64.powi(24)) as u16
    } else {
        // Its exponent is 1 to 2047 less 1023 here; above 15 the value is too large, as is seen below.
        let exponent = ((size.to_bits() >> 52) as i32 - 1023).min(15);
        let mantissa = (size / 2_f64.powi(exponent) - 1.0) * 1024.0;
        ((exponent + 15) as u16) << 10 | (mantissa as u16 & 0x3FF)
    };
    (half(bits) == size).then_some(sign | bits)
}

fn put_string(major: u8, bytes: &[u8], into: &mut Vec<u8>) {
    put_head(major, bytes.len() as u64, into);
    into.extend_from_slice(bytes);
}

fn put_head(major: u8, value: u64, into: &mut Vec<u8>) {
    let major = major << 5;
    match value {
        0..24 => into.push(major | value as u8),
        24..0x100 => into.extend([major | 24, value as u8]),
        0x100..0x1_0000 => {
            into.push(major | 25);
            into.extend((value as u16).to_be_bytes());
        }
        0x1_0000..0x1_0000_0000 => {
            into.push(major | 26);
            into.extend((value as u32).to_be_bytes());
        }
        _ => {
            into.push(major | 27);
            into.extend(value.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn written(text: &str) -> Result<String, String> {
        from_diagnostic(text).map(|bytes| HEXLOWER.encode(&bytes))
    }

    #[test]
    fn what_is_easier_to_write_means_the_same() {
        for (text, digits) in [
            (" { \"a\" : 0x10 , } ", "a1616110"),
            ("/one/ [1, # and two\n 2]", "820102"),
            ("'ab'", "426162"),
            ("h'01 02'", "420102"),
            ("b64'AQI='", "420102"),
            ("<<[1]>>", "428101"),
            ("-0b11", "22"),
            ("1.5e2", "f958b0"),
            ("3.4028234663852886e38", "fa7f7fffff"),
            ("24(simple(32))", "d818f820"),
            ("18446744073709551617", "c249010000000000000001"),
            ("\"\\u00fc\\n\"", "63c3bc0a"),
        ] {
            assert_eq!(written(text).as_deref(), Ok(digits), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_place() {
        for text in [
            "",
            "[",
            "[1",
            "[1 2]",
            "{1}",
            "{1:}",
            "\"",
            "\"\\x\"",
            "h'0'",
            "h'0g'",
            "tru",
            "1 2",
            "(_ 1)",
            "(_ 'a', \"b\")",
            "simple(24)",
            "simple(256)",
            "/x",
            "0x10000000000000000",
            "--1",
            "1.2.3",
            "inf",
            "0x",
            "-1(2)",
            "<<1>",
            "(1)",
            "+1",
        ] {
            assert!(written(text).is_err(), "{text}");
        }
        assert_eq!(
            written("[1, x]"),
            Err("at character 5, expected an item".into())
        );
        assert!(written(&"[".repeat(1 << 20)).is_err());
    }

    #[test]
    fn json_is_written_exactly() {
        let of = |json: &str| from_json(json.as_bytes()).map(|bytes| HEXLOWER.encode(&bytes));
        for (json, digits) in [
            (
                r#" {"a": [1, -1, 1.5, null, true, "\u00fc\/"]} "#,
                "a16161860120f93e00f6f563c3bc2f",
            ),
            ("18446744073709551615", "1bffffffffffffffff"),
            // RFC 8949 Appendix A.
            ("18446744073709551616", "c249010000000000000000"),
            ("-18446744073709551616", "3bffffffffffffffff"),
            ("-18446744073709551617", "c349010000000000000000"),
            ("1e2", "f95640"),
            ("0.1", "fb3fb999999999999a"),
        ] {
            assert_eq!(of(json).as_deref(), Ok(digits), "{json}");
        }
        let long = format!("1{}", "0".repeat(MOST_DIGITS - 1));
        assert!(of(&long).unwrap().starts_with("c25901"));
        for wrong in [
            "", "{", "[1,]", "0x10", "h'01'", "NaN", "01", "/a/ 1", "1 2", "'a'",
        ] {
            assert!(of(wrong).unwrap_err().starts_with("not JSON: "), "{wrong}");
        }
        let huge = "at character 2, expected a smaller number";
        assert_eq!(of("[1e400]"), Err(huge.into()));
        for beyond in [
            "1e400",
            &format!("{long}0"),
            &"[".repeat(100).replace('[', "[["),
        ] {
            assert!(of(beyond).is_err());
        }
        let twice = r#"{"a": {"b": 1, "c": 2, "\u0062": 3}}"#;
        assert_eq!(of(twice), Err(r#"the key "\u0062" is given twice"#.into()));
        assert!(of(r#"[{"a": 1}, {"a": {"a": 1}}]"#).is_ok());
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(
            of(&deep),
            Err(format!("nested deeper than {DEEPEST} levels"))
        );
        assert!(from_json(b"\"\xff\"").is_err());
    }

    #[test]
    fn every_half_float_survives() {
        for bits in 0..=u16::MAX {
            let value = half(bits);
            let back = to_half(value).expect("a half float");
            assert!(back == bits || value.is_nan(), "{bits:04x} {back:04x}");
        }
        assert_eq!(
            (to_half(65_505.0), to_half(1e300), to_half(0.1)),
            (None, None, None)
        );
    }
}
