//! CBOR as diagnostic notation (RFC 8949 §8).

use std::fmt::Write as _;

use data_encoding::HEXLOWER;

use super::read::{Head, Reader, float};
use super::{BadCbor, DEEPEST};

/// One item as text, on one line or, with `indented`, with a line for each element.
///
/// # Errors
/// What is wrong with the bytes.
pub fn diagnostic(bytes: &[u8], indented: bool) -> Result<String, BadCbor> {
    let mut writer = Writer {
        reader: Reader::new(bytes),
        text: String::new(),
        indented,
    };
    writer.item(0)?;
    if writer.reader.is_done() {
        return Ok(writer.text);
    }
    Err(BadCbor::Rest(writer.reader.at))
}

/// Items one after the other (RFC 8742), each on one line.
///
/// # Errors
/// What is wrong with the bytes.
pub fn sequence(bytes: &[u8]) -> Result<Vec<String>, BadCbor> {
    let mut reader = Reader::new(bytes);
    let mut lines = Vec::new();
    while !reader.is_done() {
        let (line, rest) = item_text(reader, 0)?;
        lines.push(line);
        reader = rest;
    }
    Ok(lines)
}

/// The item that begins here, on one line.
pub(super) fn item_text(reader: Reader<'_>, depth: usize) -> Result<(String, Reader<'_>), BadCbor> {
    let mut writer = Writer {
        reader,
        text: String::new(),
        indented: false,
    };
    writer.item(depth)?;
    Ok((writer.text, writer.reader))
}

struct Writer<'a> {
    reader: Reader<'a>,
    text: String,
    indented: bool,
}

impl Writer<'_> {
    fn item(&mut self, depth: usize) -> Result<(), BadCbor> {
        let head = self.reader.head()?;
        if depth > DEEPEST {
            return Err(BadCbor::Deep);
        }
        match head.major {
            // Writing to a String cannot fail, here and below.
            0 => drop(write!(self.text, "{}", head.value)),
            1 => drop(write!(self.text, "{}", -1 - i128::from(head.value))),
            2 | 3 if head.is_indefinite() => self.pieces(head)?,
            2 | 3 => self.string(head)?,
            4 | 5 => self.collection(head, depth)?,
            6 => {
                let _ = write!(self.text, "{}(", head.value);
                self.item(depth + 1)?;
                self.text.push(')');
            }
            _ => self.simple(head),
        }
        Ok(())
    }

    fn string(&mut self, head: Head) -> Result<(), BadCbor> {
        if head.major == 2 {
            let bytes = self.reader.take(head.value)?;
            let _ = write!(self.text, "h'{}'", HEXLOWER.encode(bytes));
        } else {
            push_quoted(self.reader.text(head)?, &mut self.text);
        }
        Ok(())
    }

    fn pieces(&mut self, of: Head) -> Result<(), BadCbor> {
        self.text.push_str("(_ ");
        let mut first = true;
        while let Some(piece) = self.reader.piece(of)? {
            if !std::mem::take(&mut first) {
                self.text.push_str(", ");
            }
            self.string(piece)?;
        }
        self.text.push(')');
        Ok(())
    }

    fn collection(&mut self, head: Head, depth: usize) -> Result<(), BadCbor> {
        let (open, close) = if head.major == 4 {
            ('[', ']')
        } else {
            ('{', '}')
        };
        self.text.push(open);
        if head.is_indefinite() {
            self.text.push_str("_ ");
        }
        let mut count = 0;
        while self.reader.follows(head, count)? {
            if count > 0 {
                self.text.push_str(if self.indented { "," } else { ", " });
            }
            self.line(depth + 1);
            self.item(depth + 1)?;
            if head.major == 5 {
                self.text.push_str(": ");
                self.item(depth + 1)?;
            }
            count += 1;
        }
        if count > 0 {
            self.line(depth);
        }
        self.text.push(close);
        Ok(())
    }

    fn line(&mut self, depth: usize) {
        if self.indented {
            let _ = write!(self.text, "\n{:1$}", "", 2 * depth);
        }
    }

    fn simple(&mut self, head: Head) {
        let _ = match head.info {
            20 => write!(self.text, "false"),
            21 => write!(self.text, "true"),
            22 => write!(self.text, "null"),
            23 => write!(self.text, "undefined"),
            25..=27 => write!(self.text, "{}", float_text(float(head))),
            _ => write!(self.text, "simple({})", head.value),
        };
    }
}

/// Always with a point or an exponent, which distinguishes a float from an integer.
fn float_text(value: f64) -> String {
    match value {
        _ if value.is_nan() => String::from("NaN"),
        f64::INFINITY => String::from("Infinity"),
        f64::NEG_INFINITY => String::from("-Infinity"),
        _ => format!("{value:?}"),
    }
}

/// As a JSON string; control characters stand escaped.
fn push_quoted(text: &str, into: &mut String) {
    into.push('"');
    for letter in text.chars() {
        let _ = match letter {
            '"' | '\\' => write!(into, "\\{letter}"),
            '\n' => write!(into, "\\n"),
            '\r' => write!(into, "\\r"),
            '\t' => write!(into, "\\t"),
            _ if letter.is_control() => write!(into, "\\u{:04x}", u32::from(letter)),
            _ => write!(into, "{letter}"),
        };
    }
    into.push('"');
}
