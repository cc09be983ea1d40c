//! A stream that may be compressed by gzip, which its first bytes tell (RFC 1952 §2.3.1).

use std::io::{self, BufReader, Chain, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

/// What gzip's data begins with.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// As much compressed data is read at once.
const ROOM: usize = 32 * 1024;

/// The stream from its beginning on.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// What is in a stream, unpacked where that is needed.
pub(super) enum Unpacked<R> {
    /// Nothing was read; without its stream after a failure.
    New(Option<R>),
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<BufReader<Whole<R>>>>),
}

impl<R: Read> Unpacked<R> {
    pub(super) const fn new(stream: R) -> Self {
        Self::New(Some(stream))
    }

    /// Reads the first bytes.
    fn begin(mut stream: R) -> io::Result<Self> {
        let mut first = Vec::new();
        stream
            .by_ref()
            .take(MAGIC.len() as u64)
            .read_to_end(&mut first)?;
        let packed = first == MAGIC;
        let whole = Cursor::new(first).chain(stream);
        Ok(match packed {
            true => {
                let buffered = BufReader::with_capacity(ROOM, whole);
                Self::Gzip(Box::new(MultiGzDecoder::new(buffered)))
            }
            false => Self::Plain(whole),
        })
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if let Self::New(stream) = self
            && let Some(stream) = stream.take()
        {
            *self = Self::begin(stream)?;
        }
        match self {
            Self::New(_) => Ok(0),
            Self::Plain(whole) => whole.read(room),
            Self::Gzip(unpacked) => unpacked.read(room),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// A stream that gives a byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let length = room.len().min(1);
            self.0.read(&mut room[..length])
        }
    }

    fn unpacked(bytes: &[u8]) -> (Vec<u8>, io::Result<usize>) {
        let mut into = Vec::new();
        let read = Unpacked::new(Slow(bytes)).read_to_end(&mut into);
        (into, read)
    }

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_is_not_packed_is_as_it_is() {
        for text in [&b""[..], b"\x1f", b"\x1fa", b"{\"payload\":\"\"}\n"] {
            let (read, ended) = unpacked(text);
            assert_eq!((&read[..], ended.unwrap()), (text, text.len()));
        }
    }

    #[test]
    fn members_are_joined_and_a_missing_end_is_told_after_what_is_there() {
        let joined = [packed(b"first\n"), packed(b"second\n")].concat();
        assert_eq!(unpacked(&joined).0, b"first\nsecond\n");
        let long: Vec<u8> = (0..50_000_u32).flat_map(u32::to_be_bytes).collect();
        let whole = packed(&long);
        let (read, ended) = unpacked(&whole[..whole.len() - 9]);
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert!(long.starts_with(&read) && read.len() > long.len() / 2);
    }
}
