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

/// A line, numbered from 1.
pub(super) type Numbered = (u64, Bytes);

impl Lines {
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            longest: LONGEST,
            begun: BytesMut::new(),
            count: 0,
        }
    }

    /// Appends the lines that end in `chunk` to `into`, without their delimiter.
    ///
    /// # Errors
    /// The number of the line that is longer than [`LONGEST`]; the lines before it are in `into`.
    pub(super) fn split(&mut self, mut chunk: Bytes, into: &mut Vec<Numbered>) -> Result<(), u64> {
        // Splitting bytes off counts references, so the chunk itself is asked for delimiters first.
        let ends = chunk.clone();
        let mut start = 0;
        for end in memchr::memchr_iter(self.delimiter, &ends) {
            let mut line = chunk.split_to(end + 1 - start);
            line.truncate(end - start);
            start = end + 1;
            let line = self.whole(line)?;
            self.count += 1;
            into.push((self.count, line));
        }
        self.begun.extend_from_slice(&chunk);
        self.check(self.begun.len())
    }

    /// The last line, when the stream ended without a delimiter.
    pub(super) fn finish(&mut self) -> Option<Numbered> {
        if self.begun.is_empty() {
            return None;
        }
        self.count += 1;
        Some((self.count, self.begun.split().freeze()))
    }

    fn whole(&mut self, line: Bytes) -> Result<Bytes, u64> {
        self.check(self.begun.len() + line.len())?;
        if self.begun.is_empty() {
            return Ok(line);
        }
        self.begun.extend_from_slice(&line);
        Ok(self.begun.split().freeze())
    }

    fn check(&self, length: usize) -> Result<(), u64> {
        if length > self.longest {
            return Err(self.count + 1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&'static [u8]]) -> Vec<Numbered> {
        let mut lines = Lines::new(b'\n');
        let mut into = Vec::new();
        for chunk in chunks {
            lines.split(Bytes::from_static(chunk), &mut into).unwrap();
        }
        into.extend(lines.finish());
        into
    }

    fn texts(chunks: &[&'static [u8]]) -> Vec<Bytes> {
        lines(chunks).into_iter().map(|(_, line)| line).collect()
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
    fn lines_are_numbered_from_one() {
        let numbers: Vec<u64> = lines(&[b"a\nb", b"\nc"])
            .iter()
            .map(|line| line.0)
            .collect();
        assert_eq!(numbers, [1, 2, 3]);
    }

    #[test]
    fn a_line_within_a_chunk_is_not_copied() {
        let chunk = Bytes::from_static(b"first\nsecond\n");
        let mut into = Vec::new();
        Lines::new(b'\n').split(chunk.clone(), &mut into).unwrap();
        assert_eq!(into[1].1.as_ptr(), chunk[6..].as_ptr());
    }

    #[test]
    fn another_delimiter_leaves_line_feeds_alone() {
        let mut into = Vec::new();
        Lines::new(0)
            .split(Bytes::from_static(b"a\nb\0c\0"), &mut into)
            .unwrap();
        assert_eq!(into, [(1, Bytes::from("a\nb")), (2, Bytes::from("c"))]);
    }

    #[test]
    fn the_line_that_is_too_long_is_named_and_those_before_it_are_kept() {
        for chunks in [&[&b"ok\nlong line\n"[..]][..], &[b"ok\nlong", b"line"]] {
            let mut lines = Lines::new(b'\n');
            lines.longest = 6;
            let mut into = Vec::new();
            let outcome = chunks
                .iter()
                .try_for_each(|chunk| lines.split(Bytes::from_static(chunk), &mut into));
            assert_eq!(outcome, Err(2));
            assert_eq!(into, [(1, Bytes::from("ok"))]);
        }
    }
}
