//! CBOR (RFC 8949): read into diagnostic notation or JSON, and written from either.
//!
//! Nothing is built of what is read but the text, so that a small body cannot become a large one in memory; what
//! nests deeper than [`DEEPEST`] is refused.

mod diagnostic;
mod json;
mod read;
mod write;

pub use diagnostic::{diagnostic, sequence};
pub use json::json;
pub(crate) use read::Reader;
pub(in crate::payload) use read::{Head, float};
pub use write::{from_diagnostic, from_json};

/// How deep arrays, maps and tags may nest.
pub const DEEPEST: usize = 64;

/// Why bytes are no CBOR. The texts are for a line of the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCbor {
    /// They end within an item.
    #[error("truncated item")]
    Short,
    /// Something follows the item.
    #[error("unexpected bytes after the item at byte {0}")]
    Rest(usize),
    /// An initial byte that is not possible there.
    #[error("invalid byte at {0}")]
    Initial(usize),
    /// A text that is not UTF-8.
    #[error("the text at byte {0} is not UTF-8")]
    Text(usize),
    /// Deeper than [`DEEPEST`].
    #[error("nested deeper than {DEEPEST} levels")]
    Deep,
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    /// RFC 8949 Appendix A: bytes and notation.
    const EXAMPLES: &[(&str, &str)] = &[
        ("00", "0"),
        ("17", "23"),
        ("1818", "24"),
        ("1903e8", "1000"),
        ("1a000f4240", "1000000"),
        ("1bffffffffffffffff", "18446744073709551615"),
        ("3bffffffffffffffff", "-18446744073709551616"),
        ("20", "-1"),
        ("3903e7", "-1000"),
        ("f90000", "0.0"),
        ("f98000", "-0.0"),
        ("f93c00", "1.0"),
        ("fb3ff199999999999a", "1.1"),
        ("f97bff", "65504.0"),
        ("fa47c35000", "100000.0"),
        ("f90001", "5.960464477539063e-8"),
        ("f90400", "6.103515625e-5"),
        ("f9c400", "-4.0"),
        ("f97c00", "Infinity"),
        ("f97e00", "NaN"),
        ("f9fc00", "-Infinity"),
        ("f4", "false"),
        ("f5", "true"),
        ("f6", "null"),
        ("f7", "undefined"),
        ("f0", "simple(16)"),
        ("f8ff", "simple(255)"),
        ("c11a514b67b0", "1(1363896240)"),
        ("d74401020304", "23(h'01020304')"),
        ("40", "h''"),
        ("60", "\"\""),
        ("62225c", "\"\\\"\\\\\""),
        ("62c3bc", "\"ü\""),
        ("80", "[]"),
        ("8301820203820405", "[1, [2, 3], [4, 5]]"),
        ("a0", "{}"),
        ("a201020304", "{1: 2, 3: 4}"),
        ("a26161016162820203", "{\"a\": 1, \"b\": [2, 3]}"),
        ("5f42010243030405ff", "(_ h'0102', h'030405')"),
        ("7f657374726561646d696e67ff", "(_ \"strea\", \"ming\")"),
        ("9fff", "[_ ]"),
        ("9f01ff", "[_ 1]"),
        ("bf61610161629f0203ffff", "{_ \"a\": 1, \"b\": [_ 2, 3]}"),
    ];

    fn bytes(digits: &str) -> Vec<u8> {
        HEXLOWER.decode(digits.as_bytes()).expect(digits)
    }

    #[test]
    fn the_examples_of_the_rfc_are_read_and_written() {
        for (digits, notation) in EXAMPLES {
            let read = diagnostic(&bytes(digits), false);
            assert_eq!(read.as_deref(), Ok(*notation), "{digits}");
            let written = from_diagnostic(notation).map(|it| HEXLOWER.encode(&it));
            assert_eq!(written.as_deref(), Ok(*digits), "{notation}");
        }
    }

    #[test]
    fn what_is_cut_or_wrong_is_refused_and_never_panics() {
        for (digits, _) in EXAMPLES {
            let whole = bytes(digits);
            for end in 0..whole.len() {
                assert!(diagnostic(&whole[..end], false).is_err(), "{digits} {end}");
            }
            assert!(diagnostic(&[&whole[..], &[0]].concat(), false).is_err());
            for at in 0..whole.len() {
                for value in [0, 0x1f, 0x5f, 0x9b, 0xbf, 0xff] {
                    let mut other = whole.clone();
                    other[at] = value;
                    let _ = (diagnostic(&other, true), json(&other));
                }
            }
        }
        for digits in [
            "1c",
            "ff",
            "5f01ff",
            "5f5f4101ffff",
            "f81f",
            "61ff",
            "81ff",
            "a101",
            "bf01ff",
            "1f",
        ] {
            assert!(diagnostic(&bytes(digits), false).is_err(), "{digits}");
        }
        for deep in [0x81, 0x9f, 0xc1, 0xa1] {
            assert_eq!(diagnostic(&vec![deep; 1 << 20], false), Err(BadCbor::Deep));
            assert_eq!(json(&vec![deep; 1 << 20]), Err(BadCbor::Deep));
        }
        // Lengths that no memory has.
        for digits in [
            "9bffffffffffffffff",
            "bbffffffffffffffff",
            "5bffffffffffffffff",
        ] {
            assert_eq!(diagnostic(&bytes(digits), false), Err(BadCbor::Short));
        }
    }

    #[test]
    fn json_keeps_what_it_can() {
        let told = |digits: &str| json(&bytes(digits)).map(|it| it.to_string());
        let map = "a5616101024101f93c0080c10af7fb7ff8000000000000";
        // {"a": 1, 2: h'01', 1.0: [], 1(10): undefined, NaN: …} is cut: the last value is missing.
        assert!(told(map).is_err());
        let map = "a4616101024101f93c0080c10af7";
        assert_eq!(
            told(map).as_deref(),
            Ok(r#"{"a":1,"2":"AQ","1.0":[],"1(10)":null}"#)
        );
        assert_eq!(told("f97e00").as_deref(), Ok("null"));
        assert_eq!(
            told("3bffffffffffffffff").as_deref(),
            Ok("-1.8446744073709552e+19")
        );
    }

    #[test]
    fn an_indented_notation_has_a_line_for_each() {
        let shown = diagnostic(&bytes("a26161016162820203"), true);
        let lines = "{\n  \"a\": 1,\n  \"b\": [\n    2,\n    3\n  ]\n}";
        assert_eq!(shown.as_deref(), Ok(lines));
        assert_eq!(diagnostic(&bytes("80"), true).as_deref(), Ok("[]"));
    }

    #[test]
    fn whatever_comes_does_not_panic_and_reads_back() {
        // A linear congruence (Knuth's) is random enough, and the same every time.
        let mut state = 1_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        let mut read = 0;
        for length in 1..20_000 {
            let bytes: Vec<u8> = (0..length % 40).map(|_| next()).collect();
            let _ = (json(&bytes), sequence(&bytes), diagnostic(&bytes, true));
            let Ok(text) = diagnostic(&bytes, false) else {
                continue;
            };
            read += 1;
            let written = from_diagnostic(&text).expect(&text);
            assert_eq!(diagnostic(&written, false).as_ref(), Ok(&text));
        }
        assert!(read > 100, "{read}");
    }
}
