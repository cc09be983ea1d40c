//! Compressed bodies, by the name of their encoding (RFC 9110 §8.4.1).

use std::io::{self, Read};

use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::FrameDecoderError;

use super::LONGEST;

/// The encodings that are known, for help texts.
pub(crate) const KNOWN: &str = "gzip, deflate and zstd";

/// The largest window of zstd, which takes memory at once; decoders should have this much (RFC 8878 §3.1.1.1.2).
const WINDOW: u64 = 8 << 20;

/// The body that was compressed as `encoding` says.
///
/// # Errors
/// What is wrong, as the end of a sentence: the encoding is not known, the body is not what it says, or it would have more than
/// [`LONGEST`] bytes.
pub(crate) fn inflated(encoding: &str, body: &[u8]) -> Result<Bytes, String> {
    inflated_within(encoding, body, LONGEST)
}

/// The same, where it has `most` bytes at most.
///
/// # Errors
/// Those of [`inflated`].
pub(crate) fn inflated_within(encoding: &str, body: &[u8], most: usize) -> Result<Bytes, String> {
    let read = match encoding.to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => whole(MultiGzDecoder::new(body), most),
        // Many leave the wrapping of RFC 1950 out.
        "deflate" if !is_zlib(body) => whole(DeflateDecoder::new(body), most),
        "deflate" | "zlib" => whole(ZlibDecoder::new(body), most),
        "zstd" => frames(body, most),
        _ => {
            return Err(format!(
                "unknown content encoding {encoding:?}; supported are {KNOWN}"
            ));
        }
    };
    match read {
        Ok(bytes) if bytes.len() > most => Err(format!("it is longer than {most} bytes")),
        Ok(bytes) => Ok(bytes.into()),
        Err(why) => Err(match window(&why) {
            Some(bytes) => format!(
                "its zstd window of {} MiB is larger than {} MiB",
                bytes.div_ceil(1 << 20),
                WINDOW >> 20
            ),
            None => format!("it is not valid {encoding}"),
        }),
    }
}

/// The window of a frame of zstd that asks for too large a one, in bytes.
fn window(why: &io::Error) -> Option<u64> {
    match why.get_ref()?.downcast_ref()? {
        FrameDecoderError::WindowSizeTooBig { requested, .. } => Some(*requested),
        _ => None,
    }
}

/// One byte more than is possible shows that it is too long.
fn whole(from: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Frames of zstd, one after the other.
fn frames(mut body: &[u8], most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let decoder = StreamingDecoder::new_with_max_window_size(&mut body, WINDOW);
        let decoder = decoder.map_err(io::Error::other)?;
        let room = (most + 1 - bytes.len()) as u64;
        decoder.take(room).read_to_end(&mut bytes)?;
        if body.is_empty() || bytes.len() > most {
            return Ok(bytes);
        }
    }
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
        // By zstd 1.5.4, without and with a check sum.
        let hex = |digits: &[u8]| data_encoding::HEXLOWER.decode(digits).unwrap();
        let zstd = hex(b"28b52ffd04585d00002832312e35200100908b16de9283aa");
        let half_by_zstd = hex(b"28b52ffd005829000032312e3520");
        let rest_by_zstd = hex(b"28b52ffd045871000032312e352032312e352032312e35863662dd");
        for (encoding, body) in [
            ("gzip", gzip(TEXT)),
            ("X-GZIP", gzip(TEXT)),
            ("gzip", [gzip(&TEXT[..5]), gzip(&TEXT[5..])].concat()),
            ("deflate", raw.finish().unwrap()),
            ("deflate", zlib.clone()),
            ("zlib", zlib),
            ("zstd", zstd),
            ("zstd", [&half_by_zstd[..], &rest_by_zstd[..]].concat()),
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
            ("zstd", b"", "it is not valid zstd"),
            ("zstd", b"21.5", "it is not valid zstd"),
            // As `zstd --long` makes them.
            (
                "zstd",
                b"\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00",
                "its zstd window of 16 MiB is larger than 8 MiB",
            ),
            // A window of more than a terabyte, which no encoder makes.
            (
                "zstd",
                b"\x28\xb5\x2f\xfd\x00\xff\x01\x00\x00",
                "it is not valid zstd",
            ),
            (
                "br",
                b"x",
                "unknown content encoding \"br\"; supported are gzip, deflate and zstd",
            ),
        ] {
            let told = inflated(encoding, body).unwrap_err();
            assert!(told.starts_with(why), "{told}");
        }
    }
}
