//! MessagePack from JSON, by way of the CBOR that is made of it: no tags but big integers, and every length is known before.

use super::super::cbor::{self, BadCbor, DEEPEST, Head, Reader, float};

/// JSON as MessagePack (its specification's "Formats").
///
/// # Errors
/// What is wrong with the JSON, or has no form in MessagePack.
pub fn from_json(json: &[u8]) -> Result<Vec<u8>, String> {
    let cbor = cbor::from_json(json)?;
    let mut writer = Writer {
        reader: Reader::new(&cbor),
        packed: Vec::with_capacity(cbor.len()),
    };
    writer.item(0)?;
    Ok(writer.packed)
}

struct Writer<'a> {
    reader: Reader<'a>,
    packed: Vec<u8>,
}

impl Writer<'_> {
    fn item(&mut self, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(BadCbor::Deep.to_string());
        }
        let head = self.reader.head().map_err(words)?;
        match head.major {
            0 => self.unsigned(head.value),
            1 => self.negative(head.value)?,
            3 => {
                let text = self.reader.text(head).map_err(words)?;
                self.head(text.len() as u64, 0xA0..0xC0, &[0xD9, 0xDA, 0xDB])?;
                self.packed.extend_from_slice(text.as_bytes());
            }
            4 => {
                self.head(head.value, 0x90..0xA0, &[0xDC, 0xDD])?;
                for _ in 0..head.value {
                    self.item(depth + 1)?;
                }
            }
            5 => {
                self.head(head.value, 0x80..0x90, &[0xDE, 0xDF])?;
                for _ in 0..head.value {
                    self.item(depth + 1)?;
                    self.item(depth + 1)?;
                }
            }
            7 => self.simple(head),
            _ => return Err(too_big()),
        }
        Ok(())
    }

    fn unsigned(&mut self, value: u64) {
        match value {
            0..0x80 => self.packed.push(value as u8),
            0x80..0x100 => self.packed.extend([0xCC, value as u8]),
            0x100..0x1_0000 => self.number(0xCD, &(value as u16).to_be_bytes()),
            0x1_0000..0x1_0000_0000 => self.number(0xCE, &(value as u32).to_be_bytes()),
            _ => self.number(0xCF, &value.to_be_bytes()),
        }
    }

    /// The integer -1 - `value`.
    fn negative(&mut self, value: u64) -> Result<(), String> {
        let value = -1 - i64::try_from(value).map_err(|_| too_big())?;
        match value {
            -0x20.. => self.packed.push(value as u8),
            -0x80.. => self.packed.extend([0xD0, value as u8]),
            -0x8000.. => self.number(0xD1, &(value as i16).to_be_bytes()),
            -0x8000_0000.. => self.number(0xD2, &(value as i32).to_be_bytes()),
            _ => self.number(0xD3, &value.to_be_bytes()),
        }
        Ok(())
    }

    fn simple(&mut self, head: Head) {
        match head.info {
            20 => self.packed.push(0xC2),
            21 => self.packed.push(0xC3),
            // Every receiver knows doubles.
            25..=27 => self.number(0xCB, &float(head).to_be_bytes()),
            _ => self.packed.push(0xC0),
        }
    }

    fn number(&mut self, format: u8, bytes: &[u8]) {
        self.packed.push(format);
        self.packed.extend_from_slice(bytes);
    }

    /// The head of what has a length: within the first byte where it fits into `fixed`, otherwise behind one of `formats`, the
    /// last of which has four bytes for it, and each before it half as many.
    fn head(
        &mut self,
        length: u64,
        fixed: std::ops::Range<u8>,
        formats: &[u8],
    ) -> Result<(), String> {
        if length < fixed.len() as u64 {
            // Less than 32.
            self.packed.push(fixed.start + length as u8);
            return Ok(());
        }
        let widths = [1, 2, 4].into_iter().skip(3 - formats.len());
        for (format, width) in formats.iter().zip(widths) {
            if length >> (8 * width) == 0 {
                let bytes = length.to_be_bytes();
                self.number(*format, &bytes[8 - width..]);
                return Ok(());
            }
        }
        Err(String::from("longer than MessagePack can say"))
    }
}

fn too_big() -> String {
    String::from("an integer has more than the 64 bits of MessagePack")
}

fn words(bad: BadCbor) -> String {
    bad.to_string()
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn packed(json: &str) -> Result<String, String> {
        from_json(json.as_bytes()).map(|bytes| HEXLOWER.encode(&bytes))
    }

    #[test]
    fn each_format_is_the_smallest_that_fits() {
        for (json, digits) in [
            ("0", "00"),
            ("127", "7f"),
            ("128", "cc80"),
            ("256", "cd0100"),
            ("65536", "ce00010000"),
            ("18446744073709551615", "cfffffffffffffffff"),
            ("-1", "ff"),
            ("-32", "e0"),
            ("-33", "d0df"),
            ("-128", "d080"),
            ("-129", "d1ff7f"),
            ("-32769", "d2ffff7fff"),
            ("-9223372036854775808", "d38000000000000000"),
            ("1.5", "cb3ff8000000000000"),
            ("0.1", "cb3fb999999999999a"),
            ("null", "c0"),
            ("false", "c2"),
            ("true", "c3"),
            (r#""ü""#, "a2c3bc"),
            (r#"[1,"a",[]]"#, "9301a16190"),
            (r#"{"a":{"b":[null]}}"#, "81a16181a16291c0"),
        ] {
            assert_eq!(packed(json).as_deref(), Ok(digits), "{json}");
        }
        let long = |count: usize| packed(&format!("\"{}\"", "x".repeat(count))).unwrap();
        assert!(long(31).starts_with("bf78") && long(32).starts_with("d92078"));
        assert!(long(256).starts_with("da010078") && long(65_536).starts_with("db0001000078"));
        let many = |count: usize| packed(&format!("[{}0]", "0,".repeat(count - 1))).unwrap();
        assert!(many(15).starts_with("9f00") && many(16).starts_with("dc001000"));
        assert!(many(65_536).starts_with("dd0001000000"));
    }

    #[test]
    fn what_it_cannot_hold_is_refused() {
        for json in ["18446744073709551616", "[-9223372036854775809]"] {
            assert_eq!(packed(json), Err(too_big()), "{json}");
        }
    }
}
