//! Where the last whole record of a file ends, and what its writer could not finish.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use serde::de::IgnoredAny;

/// How records end in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// They run into one another.
    None,
    /// With a line feed.
    Line,
    /// With a line feed; each is a JSON object.
    Json,
    /// With a line feed that does not stand in quotation marks.
    Csv,
    /// With a line feed; each is a point of InfluxDB.
    Point,
}

/// The whole records of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole {
    /// The bytes that they take.
    pub(super) length: u64,
    /// Whether the last of them lacks its line feed.
    pub(super) open: bool,
}

/// As much is read at once.
const PIECE: usize = 256 * 1024;

impl Ending {
    /// Looks for it; only rows and points have to be read from the beginning of the file.
    ///
    /// # Errors
    /// The file cannot be read; it holds something else than such records.
    pub(super) fn whole(self, file: &mut File) -> io::Result<Whole> {
        let size = file.seek(SeekFrom::End(0))?;
        if self == Self::None || size == 0 {
            return Ok(Whole {
                length: size,
                open: false,
            });
        }
        if self == Self::Csv {
            file.rewind()?;
            let length = last_row(file)?;
            file.seek(SeekFrom::Start(length))?;
            let mut last = Vec::new();
            file.read_to_end(&mut last)?;
            let whole = columns(&last);
            // A header that is torn is written anew.
            let open = length > 0 && whole.is_some() && whole == columns(&first_row(file)?);
            let length = if open { size } else { length };
            return Ok(Whole { length, open });
        }
        if self == Self::Point {
            let length = last_point(file)?;
            return Ok(Whole {
                length,
                open: false,
            });
        }
        let last = last_line(file, size)?;
        let open = match self {
            // An editor may have left out the line feed of a whole one.
            Self::Json => {
                begins_with_object(file)?;
                serde_json::from_slice::<IgnoredAny>(&last).is_ok()
            }
            Self::None | Self::Line | Self::Csv | Self::Point => !last.is_empty(),
        };
        let length = match open {
            true => size,
            false => size - last.len() as u64,
        };
        Ok(Whole { length, open })
    }

    /// How many records a file of whole ones has, what stands above them included.
    pub(super) fn count(self, file: &mut File) -> io::Result<u64> {
        file.rewind()?;
        let (mut count, mut quoted, mut piece) = (0, false, vec![0; PIECE]);
        let mut point = Point::default();
        loop {
            let length = match file.read(&mut piece) {
                Ok(0) => return Ok(count),
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            for byte in &piece[..length] {
                match byte {
                    _ if self == Self::Point => count += u64::from(point.ends_with(*byte)),
                    b'"' if self == Self::Csv => quoted = !quoted,
                    b'\n' if !quoted => count += 1,
                    _ => {}
                }
            }
        }
    }
}

/// How far a point was read: a line feed within a quoted text does not end it.
#[derive(Default)]
struct Point {
    /// Behind the measurement and the tags, where a quotation mark is one of their letters.
    fields: bool,
    /// Behind the `=` of a field.
    valued: bool,
    quoted: bool,
    escaped: bool,
}

impl Point {
    /// Whether this byte ends it; then the next one begins.
    fn ends_with(&mut self, byte: u8) -> bool {
        let escaped = std::mem::take(&mut self.escaped);
        let valued = std::mem::take(&mut self.valued);
        match byte {
            b'\n' if !self.quoted => {
                *self = Self::default();
                return true;
            }
            _ if escaped => {}
            b'\\' => self.escaped = true,
            b'"' if self.quoted => self.quoted = false,
            b'"' if valued => self.quoted = true,
            b' ' if !self.quoted => self.fields = true,
            b'=' if !self.quoted => self.valued = self.fields,
            _ => {}
        }
        false
    }
}

/// Where the last whole point ends.
fn last_point(file: &mut File) -> io::Result<u64> {
    file.rewind()?;
    let (mut point, mut at, mut end, mut piece) = (Point::default(), 0, 0, vec![0; PIECE]);
    loop {
        let length = match file.read(&mut piece) {
            Ok(0) => return Ok(end),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        for byte in &piece[..length] {
            at += 1;
            if point.ends_with(*byte) {
                end = at;
            }
        }
    }
}

/// What stands behind the last line feed.
fn last_line(file: &mut File, size: u64) -> io::Result<Vec<u8>> {
    let mut start = size;
    let mut line = Vec::new();
    while start > 0 {
        let count = start.min(PIECE as u64);
        start -= count;
        file.seek(SeekFrom::Start(start))?;
        let mut piece = Vec::new();
        Read::by_ref(file).take(count).read_to_end(&mut piece)?;
        if let Some(at) = memchr::memrchr(b'\n', &piece) {
            line.splice(..0, piece.drain(at + 1..));
            break;
        }
        line.splice(..0, piece);
    }
    Ok(line)
}

/// The header of a table.
fn first_row(file: &mut File) -> io::Result<Vec<u8>> {
    file.rewind()?;
    let (mut row, mut piece) = (Vec::new(), [0]);
    // A header is short, and holds no line feed but its own, unless it is in quotation marks.
    let mut reader = io::BufReader::new(file);
    let mut quoted = false;
    while reader.read(&mut piece)? > 0 {
        match piece[0] {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ => {}
        }
        row.push(piece[0]);
    }
    Ok(row)
}

/// How many columns a row without its line feed has; `None`: it is no whole row, as a quotation mark is not closed, or nothing.
fn columns(row: &[u8]) -> Option<usize> {
    let (mut count, mut quoted) = (1, false);
    for byte in row {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => count += 1,
            _ => {}
        }
    }
    (!quoted && !row.is_empty()).then_some(count)
}

fn begins_with_object(file: &mut File) -> io::Result<()> {
    let mut begin = Vec::new();
    file.rewind()?;
    Read::by_ref(file).take(64).read_to_end(&mut begin)?;
    match begin.trim_ascii_start().starts_with(b"{") {
        true => Ok(()),
        false => Err(io::Error::other("it is not a file of JSON records")),
    }
}

/// Where the last row ends.
fn last_row(file: &mut File) -> io::Result<u64> {
    let (mut end, mut length, mut quoted) = (0, 0, false);
    let mut piece = vec![0; PIECE];
    loop {
        let count = match file.read(&mut piece) {
            Ok(0) => return Ok(end),
            Ok(count) => count,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(cause),
        };
        for at in memchr::memchr2_iter(b'"', b'\n', &piece[..count]) {
            match piece[at] {
                b'"' => quoted = !quoted,
                _ if !quoted => end = length + at as u64 + 1,
                _ => {}
            }
        }
        length += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn whole(ending: Ending, text: &str) -> (u64, bool) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let whole = ending.whole(&mut file).unwrap();
        (whole.length, whole.open)
    }

    #[test]
    fn a_torn_record_is_found() {
        for (ending, text, length, open) in [
            (Ending::None, "ab", 2, false),
            (Ending::Line, "a\nb", 3, true),
            (Ending::Line, "a\n", 2, false),
            (Ending::Json, "", 0, false),
            (Ending::Json, "{\"a\":1}\n{\"a\"", 8, false),
            (Ending::Json, "{\"a\":1}\n{\"a\":2}", 15, true),
            (Ending::Json, "{\"a\"", 0, false),
            (Ending::Point, "w v=1 5\nw v", 8, false),
            (Ending::Point, "w v=1 5\nw v=\"a\nb", 8, false),
            (Ending::Point, "w v=\"a\nb\" 5\nw", 12, false),
            (
                Ending::Point,
                "w v=\"\\\"\n\\\\\" 5\nw v=\"\\\"\n",
                14,
                false,
            ),
            (Ending::Point, "w,t=\"\\ x v=1 5\nw", 15, false),
            // An editor may have left out the line feed here too; a row with fewer columns is torn.
            (Ending::Csv, "t\n1\n2", 5, true),
            (Ending::Csv, "t,u\n1,2\n3,4", 11, true),
            (Ending::Csv, "t,u\n1,2\n3,\"4,\"", 14, true),
            (Ending::Csv, "t,u\n1,2\n3", 8, false),
            (Ending::Csv, "t,u\n1,2\n\"3,4", 8, false),
            (Ending::Csv, "t\n\"a\nb\"\n", 8, false),
            (Ending::Csv, "t\n\"a\nb", 2, false),
            (Ending::Csv, "t\n\"a\"\"\n", 2, false),
        ] {
            assert_eq!(whole(ending, text), (length, open), "{text:?}");
        }
        let long = format!("{{\"a\":1}}\n{{\"a\":\"{}", "x".repeat(3 * PIECE));
        assert_eq!(whole(Ending::Json, &long), (8, false));
        let long = format!("{long}\"}}");
        assert_eq!(whole(Ending::Json, &long), (long.len() as u64, true));
    }

    #[test]
    fn records_are_counted() {
        for (ending, text, count) in [
            (Ending::Line, "", 0),
            (Ending::Json, "{\"a\":\"\\\"\"}\n{}\n", 2),
            (Ending::Csv, "t\n\"a\n\"\"b\"\nc\n", 3),
            (Ending::Point, "w v=\"a\nb\" 5\nw v=1\n", 2),
        ] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            assert_eq!(ending.count(&mut file).unwrap(), count, "{text:?}");
        }
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"notes of mine").unwrap();
        let refused = Ending::Json.whole(&mut file).unwrap_err();
        assert_eq!(refused.to_string(), "it is not a file of JSON records");
    }
}
