//! Cuts chunks of a stream into records, such as lines, without copying them.

use bytes::{Buf, Bytes, BytesMut};

use super::{Cut, LONGEST};
use crate::error::counted;

/// The bytes of a length that comes before its record.
const PREFIX: usize = 4;

/// Turns chunks into records; only one that spans chunks is copied together.
pub(super) struct Lines {
    cut: Cut,
    longest: usize,
    /// The beginning of a record whose end has not come yet, with its length where that comes first.
    begun: BytesMut,
    /// How many were ended so far.
    count: u64,
    /// Where the next begins, in bytes, where lengths come first.
    offset: u64,
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    /// Its number, counted from 1.
    pub(super) number: u64,
    pub(super) what: String,
    /// Whether the stream ended within it.
    pub(super) cut_off: bool,
}

impl Lines {
    pub(super) fn new(cut: Cut) -> Self {
        Self {
            cut,
            longest: LONGEST,
            begun: BytesMut::new(),
            count: 0,
            offset: 0,
        }
    }

    /// What a record is called.
    pub(super) const fn unit(&self) -> &'static str {
        match self.cut {
            Cut::After(b'\n') => "line",
            Cut::After(_) | Cut::Length => "record",
        }
    }

    /// How many were ended so far.
    pub(super) const fn ended(&self) -> u64 {
        self.count
    }

    /// As [`Lines::split`]; where there is no chunk, or an empty one, as [`Lines::finish`].
    ///
    /// # Errors
    /// As theirs.
    pub(super) fn feed(
        &mut self,
        chunk: Option<&Bytes>,
        take: impl FnMut(Bytes) -> Result<(), String>,
    ) -> Result<(), Flaw> {
        match chunk.filter(|chunk| !chunk.is_empty()) {
            Some(chunk) => self.split(chunk, take),
            None => self.finish(take),
        }
    }

    /// Gives each record that ends in `chunk` to `take`, without its delimiter or length.
    ///
    /// # Errors
    /// The first that `take` refuses or that is longer than [`LONGEST`].
    pub(super) fn split(
        &mut self,
        chunk: &Bytes,
        take: impl FnMut(Bytes) -> Result<(), String>,
    ) -> Result<(), Flaw> {
        match self.cut {
            Cut::After(delimiter) => self.split_after(delimiter, chunk, take),
            Cut::Length => self.split_by_length(chunk.clone(), take),
        }
    }

    fn split_after(
        &mut self,
        delimiter: u8,
        chunk: &Bytes,
        mut take: impl FnMut(Bytes) -> Result<(), String>,
    ) -> Result<(), Flaw> {
        let mut start = 0;
        for end in memchr::memchr_iter(delimiter, chunk) {
            let line = chunk.slice(start..end);
            start = end + 1;
            let line = if self.begun.is_empty() {
                line
            } else {
                self.joined(&line)?
            };
            self.give(line, &mut take)?;
        }
        self.begin(&chunk[start..])
    }

    fn split_by_length(
        &mut self,
        mut rest: Bytes,
        mut take: impl FnMut(Bytes) -> Result<(), String>,
    ) -> Result<(), Flaw> {
        while !rest.is_empty() {
            if self.begun.is_empty()
                && let Some(length) = self.length(&rest)?
                && rest.len() - PREFIX >= length
            {
                rest.advance(PREFIX);
                let record = rest.split_to(length);
                self.offset += (PREFIX + length) as u64;
                self.give(record, &mut take)?;
                continue;
            }
            let whole = |length: Option<usize>| PREFIX + length.unwrap_or(0);
            let missing = whole(self.length(&self.begun)?) - self.begun.len();
            self.begun
                .extend_from_slice(&rest.split_to(missing.min(rest.len())));
            if let Some(length) = self.length(&self.begun)?
                && self.begun.len() == PREFIX + length
            {
                let record = self.begun.split().freeze().slice(PREFIX..);
                self.offset += (PREFIX + length) as u64;
                self.give(record, &mut take)?;
            }
        }
        Ok(())
    }

    /// The length that `record` begins with, if that is there.
    fn length(&self, record: &[u8]) -> Result<Option<usize>, Flaw> {
        let Some(prefix) = record.first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        match u32::from_be_bytes(*prefix) as usize {
            length if length <= self.longest => Ok(Some(length)),
            length => Err(self.flaw(format!(
                "the length at byte {} is {length}, and a message has at most {} bytes",
                self.offset, self.longest
            ))),
        }
    }

    fn flaw(&self, what: String) -> Flaw {
        Flaw {
            number: self.count + 1,
            what,
            cut_off: false,
        }
    }

    #[inline]
    fn give(
        &mut self,
        record: Bytes,
        take: &mut impl FnMut(Bytes) -> Result<(), String>,
    ) -> Result<(), Flaw> {
        take(record).map_err(|what| self.flaw(what))?;
        self.count += 1;
        Ok(())
    }

    /// The stream has ended, or another begins: gives the last line to `take` where it has no delimiter.
    ///
    /// # Errors
    /// As [`Lines::split`]; a record that has not come to its end.
    pub(super) fn finish(
        &mut self,
        mut take: impl FnMut(Bytes) -> Result<(), String>,
    ) -> Result<(), Flaw> {
        if self.begun.is_empty() {
            return Ok(());
        }
        if let Cut::After(_) = self.cut {
            let line = self.begun.split().freeze();
            return self.give(line, &mut take);
        }
        let (there, offset) = (self.begun.len(), self.offset);
        let what = match self.length(&self.begun)? {
            Some(length) => {
                let there = there - PREFIX;
                let length = counted(length as u64, "byte");
                format!("incomplete, {there} of {length}, from byte {offset} on")
            }
            None => format!(
                "incomplete, {there} of the {PREFIX} bytes of its length, from byte {offset} on"
            ),
        };
        Err(Flaw {
            cut_off: true,
            ..self.flaw(what)
        })
    }

    fn joined(&mut self, rest: &[u8]) -> Result<Bytes, Flaw> {
        self.begin(rest)?;
        Ok(self.begun.split().freeze())
    }

    /// Keeps a piece of a line whose end has not come. A line within one chunk is never too long.
    fn begin(&mut self, piece: &[u8]) -> Result<(), Flaw> {
        if self.begun.len() + piece.len() > self.longest {
            return Err(self.flaw(format!("longer than {} bytes", self.longest)));
        }
        self.begun.extend_from_slice(piece);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaw(number: u64, what: &str) -> Flaw {
        Flaw {
            number,
            what: what.to_owned(),
            cut_off: false,
        }
    }

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
        let (texts, outcome) = cut(&mut Lines::new(Cut::After(b'\n')), chunks);
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
            let mut lines = Lines::new(Cut::After(b'\n'));
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
            assert_eq!(outcome, Err(flaw(number, "bad")));
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
        Lines::new(Cut::After(b'\n')).split(&chunk, take).unwrap();
        assert_eq!(seen, [chunk.as_ptr(), chunk[6..].as_ptr()]);
    }

    #[test]
    fn another_delimiter_leaves_line_feeds_alone() {
        let (texts, _) = cut(&mut Lines::new(Cut::After(0)), &[b"a\nb\0c\0"]);
        assert_eq!(texts, ["a\nb", "c"]);
    }

    #[test]
    fn the_line_that_is_too_long_is_named_and_those_before_it_are_kept() {
        for chunks in [&[&b"ok\nlong"[..], b"line\n"], &[b"ok\nlo", b"ng line"]] {
            let mut lines = Lines::new(Cut::After(b'\n'));
            lines.longest = 6;
            let (texts, outcome) = cut(&mut lines, chunks);
            assert_eq!(texts, ["ok"]);
            assert_eq!(outcome, Err(flaw(2, "longer than 6 bytes")));
        }
    }

    /// Each record with its length before it.
    fn prefixed(records: &[&[u8]]) -> Vec<u8> {
        let one = |record: &&[u8]| {
            let length = (record.len() as u32).to_be_bytes();
            [&length[..], record].concat()
        };
        records.iter().flat_map(one).collect()
    }

    /// The records of a stream that comes in chunks of this size.
    fn records(stream: &[u8], chunk: usize) -> (Vec<Bytes>, Result<(), Flaw>) {
        let mut lines = Lines::new(Cut::Length);
        lines.longest = 9;
        let mut into = Vec::new();
        let mut take = |record| {
            into.push(record);
            Ok(())
        };
        let outcome = stream
            .chunks(chunk)
            .try_for_each(|chunk| lines.split(&Bytes::copy_from_slice(chunk), &mut take))
            .and_then(|()| lines.finish(&mut take));
        (into, outcome)
    }

    #[test]
    fn lengths_tell_where_records_end_however_they_come() {
        let bodies: [&[u8]; 5] = [b"a\n", b"", b"\0\0\0\x01", b"123456789", b""];
        let stream = prefixed(&bodies);
        for chunk in 1..=stream.len() {
            let (records, outcome) = records(&stream, chunk);
            assert_eq!(records, bodies, "{chunk}");
            assert_eq!(outcome, Ok(()));
        }
    }

    #[test]
    fn a_stream_that_ends_within_a_record_says_where() {
        let stream = prefixed(&[b"ab", b"12345"]);
        for end in 7..stream.len() {
            let what = match end {
                ..10 => format!(
                    "incomplete, {} of the 4 bytes of its length, from byte 6 on",
                    end - 6
                ),
                _ => format!("incomplete, {} of 5 bytes, from byte 6 on", end - 10),
            };
            for chunk in 1..=end {
                let (records, outcome) = records(&stream[..end], chunk);
                assert_eq!(records, ["ab"]);
                let cut_off = true;
                assert_eq!(
                    outcome,
                    Err(Flaw {
                        cut_off,
                        ..flaw(2, &what)
                    })
                );
            }
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_anything_of_it_is_kept() {
        let stream = [prefixed(&[b"ab"]), vec![0, 0, 0, 10, b'x']].concat();
        let what = "the length at byte 6 is 10, and a message has at most 9 bytes";
        for chunk in 1..=stream.len() {
            let (records, outcome) = records(&stream, chunk);
            assert_eq!(
                (records, outcome),
                (vec![Bytes::from("ab")], Err(flaw(2, what)))
            );
        }
    }
}
