//! Cuts chunks of a stream into lines without copying them.

use bytes::{Bytes, BytesMut};

use super::LONGEST;

/// Turns chunks into lines; only a line that spans chunks is copied together.
pub(super) struct Lines {
    delimiter: u8,
    longest: usize,
    /// The beginning of a line whose end has not come yet.
    begun: BytesMut,
    /// How many lines were ended so far.
    count: u64,
}

/// What is wrong with a line, and its number, counted from 1.
pub(super) type Flaw = (u64, String);

impl Lines {
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            longest: LONGEST,
            begun: BytesMut::new(),
            count: 0,
        }
    }

    /// Gives each line that ends in `chunk` to `take`, without its delimiter.
    ///
    /// # Errors
    /// The first line that `take` refuses or that is longer than [`LONGEST`].
    pub(super) fn split(
        &mut self,
        chunk: &Bytes,
        mut take: impl FnMut(Bytes) -> Result<(), String>,
    ) -> Result<(), Flaw> {
        let mut start = 0;
        for end in memchr::memchr_iter(self.delimiter, chunk) {
            let line = chunk.slice(start..end);
            start = end + 1;
            let line = if self.begun.is_empty() {
                line
            } else {
                self.joined(&line)?
            };
            self.count += 1;
            take(line).map_err(|flaw| (self.count, flaw))?;
        }
        self.begin(&chunk[start..])
    }

    /// Gives the last line to `take`, when the stream ended without a delimiter.
    ///
    /// # Errors
    /// As [`Lines::split`].
    pub(super) fn finish(
        &mut self,
        take: impl FnOnce(Bytes) -> Result<(), String>,
    ) -> Result<(), Flaw> {
        if self.begun.is_empty() {
            return Ok(());
        }
        self.count += 1;
        take(self.begun.split().freeze()).map_err(|flaw| (self.count, flaw))
    }

    fn joined(&mut self, rest: &[u8]) -> Result<Bytes, Flaw> {
        self.begin(rest)?;
        Ok(self.begun.split().freeze())
    }

    /// Keeps a piece of a line whose end has not come. A line within one chunk is never too long.
    fn begin(&mut self, piece: &[u8]) -> Result<(), Flaw> {
        if self.begun.len() + piece.len() > self.longest {
            let flaw = format!("longer than {} bytes", self.longest);
            return Err((self.count + 1, flaw));
        }
        self.begun.extend_from_slice(piece);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of `chunks`, and what ended them before their time.
    fn cut(lines: &mut Lines, chunks: &[&'static [u8]]) -> (Vec<Bytes>, Result<(), Flaw>) {
        let mut into = Vec::new();
        let mut take = |line| {
            into.push(line);
            Ok(())
        };
        let outcome = chunks
            .iter()
            .try_for_each(|chunk| lines.split(&Bytes::from_static(chunk), &mut take))
            .and_then(|()| lines.finish(&mut take));
        (into, outcome)
    }

    fn texts(chunks: &[&'static [u8]]) -> Vec<Bytes> {
        let (texts, outcome) = cut(&mut Lines::new(b'\n'), chunks);
        outcome.unwrap();
        texts
    }

    #[test]
    fn lines_are_exact() {
        assert_eq!(
            texts(&[b"a\nb\r\n\n\0c\nlast"]),
            ["a", "b\r", "", "\0c", "last"]
        );
        assert_eq!(texts(&[b"a\n"]), ["a"]);
        assert_eq!(texts(&[b"\n"]), [""]);
        assert_eq!(texts(&[]), Vec::<Bytes>::new());
    }

    #[test]
    fn a_line_may_span_chunks() {
        assert_eq!(
            texts(&[b"a", b"b", b"c\nd", b"\n", b"\ne"]),
            ["abc", "d", "", "e"]
        );
    }

    #[test]
    fn a_refused_line_is_numbered_from_one() {
        for (bad, number) in [("a", 1), ("bc", 2), ("d", 3)] {
            let mut lines = Lines::new(b'\n');
            let take = |line: Bytes| {
                if line == bad {
                    return Err(String::from("bad"));
                }
                Ok(())
            };
            let outcome = lines
                .split(&Bytes::from("a\nb"), take)
                .and_then(|()| lines.split(&Bytes::from("c\nd"), take))
                .and_then(|()| lines.finish(take));
            assert_eq!(outcome, Err((number, String::from("bad"))));
        }
    }

    #[test]
    fn a_line_within_a_chunk_is_not_copied() {
        let chunk = Bytes::from("first\nsecond\n");
        let mut seen = Vec::new();
        let take = |line: Bytes| {
            seen.push(line.as_ptr());
            Ok(())
        };
        Lines::new(b'\n').split(&chunk, take).unwrap();
        assert_eq!(seen, [chunk.as_ptr(), chunk[6..].as_ptr()]);
    }

    #[test]
    fn another_delimiter_leaves_line_feeds_alone() {
        let (texts, _) = cut(&mut Lines::new(0), &[b"a\nb\0c\0"]);
        assert_eq!(texts, ["a\nb", "c"]);
    }

    #[test]
    fn the_line_that_is_too_long_is_named_and_those_before_it_are_kept() {
        for chunks in [&[&b"ok\nlong"[..], b"line\n"], &[b"ok\nlo", b"ng line"]] {
            let mut lines = Lines::new(b'\n');
            lines.longest = 6;
            let (texts, outcome) = cut(&mut lines, chunks);
            assert_eq!(texts, ["ok"]);
            assert_eq!(outcome, Err((2, String::from("longer than 6 bytes"))));
        }
    }
}
