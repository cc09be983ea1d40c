//! Compressed bodies, by the name of their encoding (RFC 9110 §8.4.1).

use std::io::{self, Read};

use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::LONGEST;

/// The encodings that are known, for help texts.
pub const KNOWN: &str = "gzip and deflate";

/// The body that was compressed as `encoding` says.
///
/// # Errors
/// What is wrong, as the end of a sentence: the encoding is not known, the body is not what it says, or it would have more than
/// [`LONGEST`] bytes.
pub fn inflated(encoding: &str, body: &[u8]) -> Result<Bytes, String> {
    let read = match encoding.to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => whole(MultiGzDecoder::new(body)),
        // Many leave the wrapping of RFC 1950 out.
        "deflate" if !is_zlib(body) => whole(DeflateDecoder::new(body)),
        "deflate" | "zlib" => whole(ZlibDecoder::new(body)),
        _ => {
            return Err(format!(
                "unknown content encoding {encoding:?}; supported are {KNOWN}"
            ));
        }
    };
    match read {
        Ok(bytes) if bytes.len() > LONGEST => Err(format!("it is longer than {LONGEST} bytes")),
        Ok(bytes) => Ok(bytes.into()),
        Err(_) => Err(format!("it is not valid {encoding}")),
    }
}

/// One byte more than is possible shows that it is too long.
fn whole(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LONGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Method 8 and a check sum in two bytes (RFC 1950 §2.2).
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..]
        if method & 15 == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &[u8] = b"21.5 21.5 21.5 21.5";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_known_encoding_is_undone() {
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(TEXT).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(TEXT).unwrap();
        let zlib = zlib.finish().unwrap();
        for (encoding, body) in [
            ("gzip", gzip(TEXT)),
            ("X-GZIP", gzip(TEXT)),
            ("gzip", [gzip(&TEXT[..5]), gzip(&TEXT[5..])].concat()),
            ("deflate", raw.finish().unwrap()),
            ("deflate", zlib.clone()),
            ("zlib", zlib),
        ] {
            assert_eq!(inflated(encoding, &body).unwrap(), TEXT, "{encoding}");
        }
    }

    #[test]
    fn what_cannot_be_undone_is_told() {
        let half = &gzip(TEXT)[..15];
        for (encoding, body, why) in [
            ("gzip", &b"21.5"[..], "it is not valid gzip"),
            ("gzip", half, "it is not valid gzip"),
            ("gzip", b"", "it is not valid gzip"),
            ("deflate", b"\x78\x9c", "it is not valid deflate"),
            (
                "zstd",
                b"x",
                "unknown content encoding \"zstd\"; supported are gzip and deflate",
            ),
        ] {
            let told = inflated(encoding, body).unwrap_err();
            assert!(told.starts_with(why), "{told}");
        }
    }
}
