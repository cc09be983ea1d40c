//! What is wrong with a file, and in which line, in one spelling for all files that have lines: `FILE:LINE: WHY`.

use std::fmt::Display;

use crate::error::Error;

/// What is wrong with a text, told by a parser that does not know where the text is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Counted from 1; `None`: it is wrong as a whole.
    line: Option<u64>,
    why: String,
}

impl Flaw {
    /// In this line, counted from 1.
    pub(crate) fn in_line(line: usize, why: impl Display) -> Self {
        let line = Some(line as u64);
        let why = why.to_string();
        Self { line, why }
    }

    /// At this byte of `text`.
    pub(crate) fn at(text: &str, byte: usize, why: impl Display) -> Self {
        Self::in_line(line_of(text.as_bytes(), byte), why)
    }

    /// `FILE:LINE: WHY`.
    pub(crate) fn told_of(&self, file: impl Display) -> String {
        match self.line {
            Some(line) => in_line(file, line, &self.why),
            None => format!("{file}: {}", self.why),
        }
    }

    /// The refusal of the file.
    pub(crate) fn refuses(&self, file: impl Display) -> Error {
        Error::usage(self.told_of(file))
    }
}

/// A text that is wrong as a whole.
impl From<String> for Flaw {
    fn from(why: String) -> Self {
        Self { line: None, why }
    }
}

/// `FILE:LINE: WHY`, the line counted from 1.
pub(crate) fn in_line(file: impl Display, line: u64, why: impl Display) -> String {
    format!("{file}:{line}: {why}")
}

/// The line of a byte of `text`, counted from 1.
pub(crate) fn line_of(text: &[u8], byte: usize) -> usize {
    let before = text.iter().take(byte);
    before.filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flaw_names_the_file_and_the_line() {
        let text = "a\nb\nc";
        for (byte, told) in [
            (0, "f:1: no"),
            (1, "f:1: no"),
            (2, "f:2: no"),
            (99, "f:3: no"),
        ] {
            let flaw = Flaw::at(text, byte, "no");
            assert_eq!(flaw.told_of("f"), told);
        }
        let whole = Flaw::from(String::from("it is empty")).refuses("f");
        assert_eq!(whole.text(), "f: it is empty");
        assert_eq!(whole.exit_code(), 2);
    }
}
