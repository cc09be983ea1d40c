//! CBOR with definite lengths, as SUIT uses it: a reader of typed items that keeps where they stand, and a writer.

use crate::payload::cbor::{BadCbor, DEEPEST, Reader};

use super::refusal::{Refusal, Result};

/// Reads items one after the other; `what` is the part that an error is about.
#[derive(Clone)]
pub(super) struct Items<'a> {
    reader: Reader<'a>,
    bytes: &'a [u8],
    what: &'static str,
}

/// A label of a map or the code of a command.
pub(super) type Int = i128;

/// A key of a map that mixes numbers and texts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Label<'a> {
    Int(Int),
    Text(&'a str),
}

impl<'a> Items<'a> {
    pub(super) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        let reader = Reader::new(bytes);
        Self {
            reader,
            bytes,
            what,
        }
    }

    fn bad(&self, why: impl Into<String>) -> Refusal {
        Refusal::malformed(self.what, why)
    }

    fn failed(&self, cause: BadCbor) -> Refusal {
        self.bad(cause.to_string())
    }

    /// An error about the item that was expected here.
    pub(super) fn expected(&self, wanted: &str) -> Refusal {
        self.bad(format!("expected {wanted} at byte {}", self.reader.at))
    }

    pub(super) fn is_done(&self) -> bool {
        self.reader.is_done()
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<()> {
        match self.is_done() {
            true => Ok(()),
            false => Err(self.failed(BadCbor::Rest(self.reader.at))),
        }
    }

    /// The head of the next item, which must be one of these major types and have a length.
    fn head(&mut self, majors: &[u8], wanted: &str) -> Result<(u8, u64)> {
        let mut ahead = self.reader.clone();
        let head = ahead.head().map_err(|cause| self.failed(cause))?;
        if !majors.contains(&head.major) || head.is_indefinite() {
            return Err(self.expected(wanted));
        }
        self.reader = ahead;
        Ok((head.major, head.value))
    }

    /// The major type of the next item, which is not taken.
    pub(super) fn major(&self) -> Option<u8> {
        self.bytes.get(self.reader.at).map(|initial| initial >> 5)
    }

    pub(super) fn uint(&mut self, wanted: &str) -> Result<u64> {
        self.head(&[0], wanted).map(|(_, value)| value)
    }

    pub(super) fn int(&mut self, wanted: &str) -> Result<Int> {
        let (major, value) = self.head(&[0, 1], wanted)?;
        let value = Int::from(value);
        Ok(if major == 0 { value } else { -1 - value })
    }

    pub(super) fn bytes(&mut self, wanted: &str) -> Result<&'a [u8]> {
        let (_, length) = self.head(&[2], wanted)?;
        self.reader.take(length).map_err(|cause| self.failed(cause))
    }

    /// A byte string, and the same with its head: what digests are computed over.
    pub(super) fn wrapped(&mut self, wanted: &str) -> Result<(&'a [u8], &'a [u8])> {
        let start = self.reader.at;
        let inner = self.bytes(wanted)?;
        Ok((inner, &self.bytes[start..self.reader.at]))
    }

    pub(super) fn text(&mut self, wanted: &str) -> Result<&'a str> {
        let (_, length) = self.head(&[3], wanted)?;
        let start = self.reader.at;
        let bytes = self
            .reader
            .take(length)
            .map_err(|cause| self.failed(cause))?;
        str::from_utf8(bytes).map_err(|_| self.failed(BadCbor::Text(start)))
    }

    pub(super) fn array(&mut self, wanted: &str) -> Result<u64> {
        self.head(&[4], wanted).map(|(_, count)| count)
    }

    pub(super) fn map(&mut self, wanted: &str) -> Result<u64> {
        self.head(&[5], wanted).map(|(_, count)| count)
    }

    pub(super) fn tag(&mut self, number: u64, wanted: &str) -> Result<()> {
        match self.head(&[6], wanted)? {
            (_, found) if found == number => Ok(()),
            _ => Err(self.expected(wanted)),
        }
    }

    /// `true` or `false`.
    pub(super) fn bool(&mut self, wanted: &str) -> Result<bool> {
        match self.head(&[7], wanted)? {
            (_, 20) => Ok(false),
            (_, 21) => Ok(true),
            _ => Err(self.expected(wanted)),
        }
    }

    /// Takes a `null`, if it comes next.
    pub(super) fn takes_null(&mut self) -> bool {
        let is_null = self.bytes.get(self.reader.at) == Some(&0xF6);
        self.reader.at += usize::from(is_null);
        is_null
    }

    pub(super) fn label(&mut self, wanted: &str) -> Result<Label<'a>> {
        match self.major() {
            Some(3) => self.text(wanted).map(Label::Text),
            _ => self.int(wanted).map(Label::Int),
        }
    }

    /// Passes over one item, whatever it is.
    pub(super) fn skip(&mut self) -> Result<()> {
        self.skip_at(0)
    }

    fn skip_at(&mut self, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            return Err(self.failed(BadCbor::Deep));
        }
        let (major, value) = self.head(&[0, 1, 2, 3, 4, 5, 6, 7], "an item with a length")?;
        match major {
            2 | 3 => drop(
                self.reader
                    .take(value)
                    .map_err(|cause| self.failed(cause))?,
            ),
            4 => self.skip_all(value, depth)?,
            5 => self.skip_all(value.saturating_mul(2), depth)?,
            6 => self.skip_at(depth + 1)?,
            _ => {}
        }
        Ok(())
    }

    fn skip_all(&mut self, count: u64, depth: usize) -> Result<()> {
        (0..count).try_for_each(|_| self.skip_at(depth + 1))
    }
}

/// Writes items one after the other, with the shortest heads.
#[derive(Clone, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    fn head(&mut self, major: u8, value: u64) {
        let major = major << 5;
        let bytes = value.to_be_bytes();
        match value {
            0..24 => self.0.push(major | bytes[7]),
            24..0x100 => self.0.extend([major | 24, bytes[7]]),
            0x100..0x1_0000 => {
                self.0.push(major | 25);
                self.0.extend(&bytes[6..]);
            }
            0x1_0000..0x1_0000_0000 => {
                self.0.push(major | 26);
                self.0.extend(&bytes[4..]);
            }
            _ => {
                self.0.push(major | 27);
                self.0.extend(bytes);
            }
        }
    }

    pub(super) fn int(&mut self, value: i64) -> &mut Self {
        match u64::try_from(value) {
            Ok(value) => self.head(0, value),
            Err(_) => self.head(1, (-1 - value).unsigned_abs()),
        }
        self
    }

    pub(super) fn uint(&mut self, value: u64) -> &mut Self {
        self.head(0, value);
        self
    }

    pub(super) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.head(2, value.len() as u64);
        self.0.extend(value);
        self
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.head(3, value.len() as u64);
        self.0.extend(value.as_bytes());
        self
    }

    pub(super) fn array(&mut self, count: u64) -> &mut Self {
        self.head(4, count);
        self
    }

    pub(super) fn map(&mut self, count: u64) -> &mut Self {
        self.head(5, count);
        self
    }

    pub(super) fn tag(&mut self, number: u64) -> &mut Self {
        self.head(6, number);
        self
    }

    pub(super) fn bool(&mut self, value: bool) -> &mut Self {
        self.head(7, 20 + u64::from(value));
        self
    }

    /// A byte string that holds what `fill` writes.
    pub(super) fn wrapped(&mut self, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let mut inner = Self::default();
        fill(&mut inner);
        self.bytes(&inner.0)
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}
