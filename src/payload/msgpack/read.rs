//! MessagePack as JSON.

use std::time::{Duration, UNIX_EPOCH};

use data_encoding::BASE64;

use super::super::json_text::{push_float, push_string};

/// How deep arrays and maps may nest.
const DEEPEST: usize = 64;

/// How deep keys may nest in keys.
const MOST_KEYS: usize = 2;

/// Why bytes are no MessagePack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMessagePack {
    /// They end within a value.
    #[error("truncated value")]
    Short,
    /// Something follows the value.
    #[error("unexpected bytes after the value at byte {0}")]
    Rest(usize),
    /// The one first byte that is never used.
    #[error("invalid byte at {0}")]
    Never(usize),
    /// A map as the key of a map that is itself in a key: as JSON it would be escaped over and over.
    #[error("a key is nested in the key of a key")]
    Key,
    /// Deeper than 64 levels.
    #[error("nested deeper than {DEEPEST} levels")]
    Deep,
}

/// One value as JSON in one line: integers and floats with all their digits; binary data, and strings that are not UTF-8, in
/// base64; timestamps as in RFC 3339; other extensions as `{"type":5,"data":"…"}`; keys that are not strings as their JSON.
///
/// # Errors
/// What is wrong with the bytes.
pub fn json(bytes: &[u8]) -> Result<String, BadMessagePack> {
    let mut reader = Reader {
        bytes,
        at: 0,
        text: String::new(),
        keys: 0,
    };
    reader.value(0)?;
    match reader.at == bytes.len() {
        true => Ok(reader.text),
        false => Err(BadMessagePack::Rest(reader.at)),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    text: String,
    /// In how many keys this is.
    keys: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<(), BadMessagePack> {
        if depth > DEEPEST {
            return Err(BadMessagePack::Deep);
        }
        let start = self.at;
        let first = self.take(1)?[0];
        match first {
            0x00..=0x7f => self.push(first),
            0x80..=0x8f => self.map((first & 15).into(), depth)?,
            0x90..=0x9f => self.array((first & 15).into(), depth)?,
            0xa0..=0xbf => self.string((first & 31).into())?,
            0xc0 => self.text.push_str("null"),
            0xc1 => return Err(BadMessagePack::Never(start)),
            0xc2 => self.text.push_str("false"),
            0xc3 => self.text.push_str("true"),
            0xc4..=0xc6 => {
                let length = self.unsigned(1 << (first - 0xc4))?;
                let data = self.take(length)?;
                self.data(data);
            }
            0xc7..=0xc9 => {
                let length = self.unsigned(1 << (first - 0xc7))?;
                self.extension(length)?;
            }
            0xca => {
                let bits = self.unsigned(4)? as u32;
                push_float(f32::from_bits(bits), &mut self.text);
            }
            0xcb => {
                let bits = self.unsigned(8)?;
                push_float(f64::from_bits(bits), &mut self.text);
            }
            0xcc..=0xcf => {
                let value = self.unsigned(1 << (first - 0xcc))?;
                self.push(value);
            }
            0xd0 => self.signed(1)?,
            0xd1 => self.signed(2)?,
            0xd2 => self.signed(4)?,
            0xd3 => self.signed(8)?,
            0xd4..=0xd8 => self.extension(1 << (first - 0xd4))?,
            0xd9..=0xdb => {
                let length = self.unsigned(1 << (first - 0xd9))?;
                self.string(length)?;
            }
            0xdc | 0xdd => {
                let length = self.unsigned(2 << (first - 0xdc))?;
                self.array(length, depth)?;
            }
            0xde | 0xdf => {
                let length = self.unsigned(2 << (first - 0xde))?;
                self.map(length, depth)?;
            }
            0xe0..=0xff => self.push(first.cast_signed()),
        }
        Ok(())
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], BadMessagePack> {
        let rest = &self.bytes[self.at..];
        let length = usize::try_from(length).map_err(|_| BadMessagePack::Short)?;
        let taken = rest.get(..length).ok_or(BadMessagePack::Short)?;
        self.at += length;
        Ok(taken)
    }

    /// A number of at most eight bytes, the highest first.
    fn unsigned(&mut self, width: u64) -> Result<u64, BadMessagePack> {
        let bytes = self.take(width)?.iter();
        Ok(bytes.fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn signed(&mut self, width: u64) -> Result<(), BadMessagePack> {
        let unused = 64 - 8 * width;
        let value = self.unsigned(width)?.cast_signed() << unused >> unused;
        self.push(value);
        Ok(())
    }

    fn push(&mut self, number: impl ToString) {
        self.text.push_str(&number.to_string());
    }

    fn data(&mut self, data: &[u8]) {
        self.text.push('"');
        self.text.push_str(&BASE64.encode(data));
        self.text.push('"');
    }

    fn string(&mut self, length: u64) -> Result<(), BadMessagePack> {
        let bytes = self.take(length)?;
        match str::from_utf8(bytes) {
            Ok(text) => push_string(text, &mut self.text),
            Err(_) => self.data(bytes),
        }
        Ok(())
    }

    fn array(&mut self, length: u64, depth: usize) -> Result<(), BadMessagePack> {
        self.text.push('[');
        for at in 0..length {
            if at > 0 {
                self.text.push(',');
            }
            self.value(depth + 1)?;
        }
        self.text.push(']');
        Ok(())
    }

    fn map(&mut self, length: u64, depth: usize) -> Result<(), BadMessagePack> {
        self.text.push('{');
        for at in 0..length {
            if at > 0 {
                self.text.push(',');
            }
            let start = self.text.len();
            self.keys += 1;
            if self.keys > MOST_KEYS {
                return Err(BadMessagePack::Key);
            }
            self.value(depth + 1)?;
            self.keys -= 1;
            if !self.text[start..].starts_with('"') {
                let key = self.text.split_off(start);
                push_string(&key, &mut self.text);
            }
            self.text.push(':');
            self.value(depth + 1)?;
        }
        self.text.push('}');
        Ok(())
    }

    fn extension(&mut self, length: u64) -> Result<(), BadMessagePack> {
        let kind = self.take(1)?[0].cast_signed();
        let data = self.take(length)?;
        if kind == -1
            && let Some(time) = timestamp(data)
        {
            self.text.push_str(&time);
            return Ok(());
        }
        self.text.push_str(&format!("{{\"type\":{kind},\"data\":"));
        self.data(data);
        self.text.push('}');
        Ok(())
    }
}

/// A timestamp as a JSON string; `None` where RFC 3339 cannot write it.
fn timestamp(data: &[u8]) -> Option<String> {
    let whole = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |value: u64, byte| value << 8 | u64::from(*byte))
    };
    let (nanos, seconds) = match data.len() {
        4 => (0, whole(data)),
        8 => (whole(data) >> 34, whole(data) & ((1 << 34) - 1)),
        12 => (whole(&data[..4]), whole(&data[4..])),
        _ => return None,
    };
    let nanos = u32::try_from(nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    // Negative seconds are as good as too many; 9999 is the last year.
    let seconds = Some(seconds).filter(|seconds| *seconds < 253_402_300_800)?;
    let time = UNIX_EPOCH + Duration::new(seconds, nanos);
    Some(format!("\"{}\"", humantime::format_rfc3339(time)))
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn bytes(digits: &str) -> Vec<u8> {
        HEXLOWER.decode(digits.as_bytes()).expect(digits)
    }

    /// The formats of the specification, as msgpack 1.1 for Python packs these values.
    const EXAMPLES: &[(&str, &str)] = &[
        ("00", "0"),
        ("7f", "127"),
        ("ff", "-1"),
        ("e0", "-32"),
        ("cc80", "128"),
        ("cd0100", "256"),
        ("ce00010000", "65536"),
        ("cfffffffffffffffff", "18446744073709551615"),
        ("d0df", "-33"),
        ("d1ff7f", "-129"),
        ("d2ffff7fff", "-32769"),
        ("d38000000000000000", "-9223372036854775808"),
        ("c0", "null"),
        ("c2", "false"),
        ("c3", "true"),
        ("ca3fc00000", "1.5"),
        ("ca3dcccccd", "0.1"),
        ("cb3fb999999999999a", "0.1"),
        ("cb7ff0000000000000", "\"Infinity\""),
        ("cb7ff8000000000000", "\"NaN\""),
        ("a0", "\"\""),
        ("a3c3bc22", "\"ü\\\"\""),
        ("d903616263", "\"abc\""),
        ("a1ff", "\"/w==\""),
        ("c403010203", "\"AQID\""),
        ("90", "[]"),
        ("93010203", "[1,2,3]"),
        ("dc00020102", "[1,2]"),
        ("80", "{}"),
        ("82a16101a16292c0c3", "{\"a\":1,\"b\":[null,true]}"),
        ("de0001a16101", "{\"a\":1}"),
        ("8101a178", "{\"1\":\"x\"}"),
        ("d40501", "{\"type\":5,\"data\":\"AQ==\"}"),
        ("d6ff6553f100", "\"2023-11-14T22:13:20Z\""),
        (
            "d7ff77359400 6553f100",
            "\"2023-11-14T22:13:20.500000000Z\"",
        ),
        (
            "c70cff1dcd6500000000006553f100",
            "\"2023-11-14T22:13:20.500000000Z\"",
        ),
        (
            "c70cff00000000ffffffffffffffff",
            "{\"type\":-1,\"data\":\"AAAAAP//////////\"}",
        ),
    ];

    #[test]
    fn every_format_is_read() {
        for (digits, text) in EXAMPLES {
            let read = json(&bytes(&digits.replace(' ', "")));
            assert_eq!(read.as_deref(), Ok(*text), "{digits}");
            serde_json::from_str::<serde_json::Value>(text).expect(text);
        }
    }

    #[test]
    fn what_is_cut_or_wrong_is_refused_and_never_panics() {
        for (digits, _) in EXAMPLES {
            let whole = bytes(&digits.replace(' ', ""));
            for end in 0..whole.len() {
                assert_eq!(
                    json(&whole[..end]),
                    Err(BadMessagePack::Short),
                    "{digits} {end}"
                );
            }
            let longer = [&whole[..], &[0xc0]].concat();
            assert_eq!(json(&longer), Err(BadMessagePack::Rest(whole.len())));
        }
        assert_eq!(json(b"\xc1"), Err(BadMessagePack::Never(0)));
        assert_eq!(json(&b"\x91".repeat(1 << 20)), Err(BadMessagePack::Deep));
        assert_eq!(
            json(&b"\x81\x01".repeat(1 << 20)),
            Err(BadMessagePack::Deep)
        );
        // Each level would double the backslashes.
        assert_eq!(json(&b"\x81".repeat(1 << 20)), Err(BadMessagePack::Key));
        assert_eq!(
            json(b"\x81\x81\xa1a\x01\x02").as_deref(),
            Ok(r#"{"{\"a\":1}":2}"#)
        );
        // Lengths that no memory has.
        for digits in [
            "c6ffffffff",
            "dbffffffff",
            "ddffffffff",
            "dfffffffff",
            "c9ffffffff05",
        ] {
            assert_eq!(json(&bytes(digits)), Err(BadMessagePack::Short), "{digits}");
        }
    }
}
