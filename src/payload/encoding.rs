//! How bodies are spelled where they come from, and what is made of them.

use std::borrow::Cow;

use bytes::Bytes;
use data_encoding::{BASE64_NOPAD, DecodeKind, HEXLOWER_PERMISSIVE};

use super::{cbor, msgpack};

/// The spelling of bodies on the command line, in files and on lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// The bytes themselves.
    #[default]
    Plain,
    /// Hexadecimal digits in either case (`--hex`).
    Hex,
    /// Base64 in the standard alphabet, padded or not (`--base64`, RFC 4648 §4).
    Base64,
    /// JSON, which becomes CBOR (`--encode cbor`, RFC 8949).
    Cbor,
    /// JSON, which becomes MessagePack (`--encode msgpack`).
    MessagePack,
}

impl Encoding {
    /// The bytes that `spelled` stands for. White space between digits does not count.
    ///
    /// # Errors
    /// What is wrong, without saying where `spelled` came from: `not hexadecimal: "g" at position 3`.
    pub fn decode(self, spelled: Bytes) -> Result<Bytes, String> {
        self.read(spelled).and_then(|body| self.made(body))
    }

    /// Whether bodies are given as digits.
    pub(crate) const fn is_digits(self) -> bool {
        matches!(self, Self::Hex | Self::Base64)
    }

    /// What is to be sent as `body`.
    pub(super) fn made(self, body: Bytes) -> Result<Bytes, String> {
        match self {
            Self::Plain | Self::Hex | Self::Base64 => Ok(body),
            Self::Cbor => cbor::from_json(&body).map(Bytes::from),
            Self::MessagePack => msgpack::from_json(&body).map(Bytes::from),
        }
    }

    /// The body that `spelled` stands for, before anything is made of it.
    pub(super) fn read(self, spelled: Bytes) -> Result<Bytes, String> {
        let (name, alphabet) = match self {
            Self::Plain | Self::Cbor | Self::MessagePack => return Ok(spelled),
            Self::Hex => ("hexadecimal", &HEXLOWER_PERMISSIVE),
            Self::Base64 => ("base64", &BASE64_NOPAD),
        };
        let mut digits = without_space(&spelled);
        if self == Self::Base64 {
            digits = without_padding(digits)?;
        }
        alphabet
            .decode(&digits)
            .map(Bytes::from)
            .map_err(|error| format!("not {name}: {}", flaw(error.kind, error.position, &digits)))
    }
}

fn without_space(spelled: &[u8]) -> Cow<'_, [u8]> {
    if spelled.iter().any(u8::is_ascii_whitespace) {
        let digits = spelled
            .iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace());
        Cow::Owned(digits.collect())
    } else {
        Cow::Borrowed(spelled)
    }
}

/// Takes the padding away when it is complete; none at all is fine too.
fn without_padding(digits: Cow<'_, [u8]>) -> Result<Cow<'_, [u8]>, String> {
    let bare = digits
        .iter()
        .rposition(|&byte| byte != b'=')
        .map_or(0, |last| last + 1);
    let padding = digits.len() - bare;
    if padding == 0 {
        return Ok(digits);
    }
    if padding > 2 || !digits.len().is_multiple_of(4) {
        return Err(String::from("not base64: wrong padding"));
    }
    Ok(match digits {
        Cow::Borrowed(all) => Cow::Borrowed(&all[..bare]),
        Cow::Owned(mut all) => {
            all.truncate(bare);
            Cow::Owned(all)
        }
    })
}

fn flaw(kind: DecodeKind, position: usize, digits: &[u8]) -> String {
    match (kind, digits.get(position)) {
        (DecodeKind::Length, _) => String::from("a digit is missing at the end"),
        (DecodeKind::Symbol, Some(&byte)) => {
            let digit = byte.escape_ascii();
            format!("\"{digit}\" at position {}", position + 1)
        }
        _ => String::from("the last digit is invalid"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(encoding: Encoding, spelled: &'static str) -> Result<Vec<u8>, String> {
        encoding
            .decode(Bytes::from(spelled))
            .map(|bytes| bytes.to_vec())
    }

    #[test]
    fn hexadecimal_in_either_case_and_with_spaces() {
        assert_eq!(decode(Encoding::Hex, "00fF 4a\n").unwrap(), b"\x00\xff\x4a");
        assert_eq!(decode(Encoding::Hex, "").unwrap(), b"");
        assert_eq!(
            decode(Encoding::Hex, "0g").unwrap_err(),
            "not hexadecimal: \"g\" at position 2"
        );
        assert_eq!(
            decode(Encoding::Hex, "000").unwrap_err(),
            "not hexadecimal: a digit is missing at the end"
        );
    }

    #[test]
    fn base64_with_and_without_padding() {
        assert_eq!(decode(Encoding::Base64, "//4=").unwrap(), b"\xff\xfe");
        assert_eq!(decode(Encoding::Base64, "//4").unwrap(), b"\xff\xfe");
        assert_eq!(decode(Encoding::Base64, "QUJD\nREVG\n").unwrap(), b"ABCDEF");
        assert_eq!(decode(Encoding::Base64, "").unwrap(), b"");
    }

    #[test]
    fn base64_that_cannot_be_is_refused() {
        assert_eq!(
            decode(Encoding::Base64, "_-4=").unwrap_err(),
            "not base64: \"_\" at position 1"
        );
        assert_eq!(
            decode(Encoding::Base64, "//4==").unwrap_err(),
            "not base64: wrong padding"
        );
        assert_eq!(
            decode(Encoding::Base64, "A===").unwrap_err(),
            "not base64: wrong padding"
        );
        assert_eq!(
            decode(Encoding::Base64, "//5=").unwrap_err(),
            "not base64: the last digit is invalid"
        );
        assert_eq!(
            decode(Encoding::Base64, "A").unwrap_err(),
            "not base64: a digit is missing at the end"
        );
    }

    #[test]
    fn plain_bytes_are_not_touched() {
        assert_eq!(decode(Encoding::Plain, " \n").unwrap(), b" \n");
    }
}
