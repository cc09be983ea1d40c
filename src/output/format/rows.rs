//! `csv`, `tsv` and `logfmt`: one row a message, of columns that the user may choose.
//!
//! CSV is quoted as RFC 4180 has it; in TSV a tab, a line break and a backslash are `\t`, `\n`, `\r` and `\\`; a value of
//! logfmt is a JSON string where it is more than a word. Rows end with a line feed, as Unix tools expect it. On a terminal
//! control characters are made visible. A payload that is not UTF-8 is base64, which the column `encoding` tells.

use std::borrow::Cow;
use std::time::SystemTime;

use crate::message::Message;
use crate::payload::layout::{Cells, Layout};
use crate::payload::select::Found;

use super::json::push_string;
use super::time::{Clock, gap};
use super::{Render, Surface, base64};

/// What rows look like, and what stands in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// How columns are told apart.
    pub style: RowStyle,
    /// What stands in them; there is one column at least.
    pub layout: Layout,
    /// Times are local, with their offset from UTC.
    pub local: bool,
}

/// How columns are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowStyle {
    /// By commas, under a header.
    Csv,
    /// By tabs, under a header.
    Tsv,
    /// Each by its name: `topic=a/b payload=21.5`.
    Logfmt,
}

pub(super) struct Table {
    rows: Rows,
    surface: Surface,
    begun: bool,
    clock: Clock,
    previous: Option<SystemTime>,
    /// The value that is being written.
    cell: Vec<u8>,
    /// For each column, how many rows had nothing for it.
    missing: Vec<u64>,
    /// Messages that made no row.
    empty: u64,
}

impl Table {
    pub(super) fn new(rows: Rows, surface: Surface) -> Self {
        Self {
            clock: Clock::new(rows.local),
            missing: vec![0; rows.layout.names().count()],
            empty: 0,
            rows,
            surface,
            begun: false,
            previous: None,
            cell: Vec::new(),
        }
    }
}

impl Render for Table {
    fn render(&mut self, message: &Message, into: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            into.extend_from_slice(&self.header());
        }
        let layout = std::mem::take(&mut self.rows.layout);
        let mut rows = 0;
        layout.rows(message, self.previous.is_none(), |cells| {
            rows += 1;
            self.row(&layout, cells, message.time, into);
        });
        self.rows.layout = layout;
        self.empty += u64::from(rows == 0);
        self.previous = Some(message.time);
    }

    fn header(&self) -> Vec<u8> {
        let mut header = Vec::new();
        if self.rows.style != RowStyle::Logfmt {
            for (at, name) in self.rows.layout.names().enumerate() {
                self.push(at, name, Some(name.as_bytes()), &mut header);
            }
            header.push(b'\n');
        }
        header
    }

    fn has_begun(&mut self, begun: bool) {
        self.begun = begun;
    }

    fn missing(&self) -> Vec<(String, u64)> {
        let names = self.rows.layout.names().map(str::to_owned);
        let empty = (String::from("a value"), self.empty);
        let all = names.zip(self.missing.iter().copied()).chain([empty]);
        all.filter(|(_, count)| *count > 0).collect()
    }
}

impl Table {
    fn row(&mut self, layout: &Layout, cells: &Cells<'_>, time: SystemTime, into: &mut Vec<u8>) {
        let mut cell = std::mem::take(&mut self.cell);
        for (at, (name, found)) in layout.names().zip(cells).enumerate() {
            cell.clear();
            match found {
                Some(found) => self.fill(found, time, &mut cell),
                None => self.missing[at] += 1,
            }
            self.push(at, name, found.is_some().then_some(&*cell), into);
        }
        self.cell = cell;
        into.push(b'\n');
    }

    /// Puts what was found in a message of this `time` into `cell`.
    fn fill(&mut self, found: &Found<'_>, time: SystemTime, cell: &mut Vec<u8>) {
        match found {
            Found::Bytes(bytes) if str::from_utf8(bytes).is_err() => base64::push(bytes, cell),
            Found::Bytes(bytes) => cell.extend_from_slice(bytes),
            Found::Text(text) | Found::Number(text) => cell.extend_from_slice(text.as_bytes()),
            Found::Bool(value) => cell.extend_from_slice(value.to_string().as_bytes()),
            Found::Instead(text) => cell.extend_from_slice(text.as_bytes()),
            Found::Time(time) => self.clock.push(*time, cell),
            Found::Delta => cell.extend_from_slice(gap(self.previous, time).as_bytes()),
        }
    }

    /// Appends a value, after what tells it from the one before.
    fn push(&self, at: usize, name: &str, found: Option<&[u8]>, into: &mut Vec<u8>) {
        let separator = match self.rows.style {
            RowStyle::Csv => b',',
            RowStyle::Tsv => b'\t',
            RowStyle::Logfmt => b' ',
        };
        if at > 0 {
            into.push(separator);
        }
        let value = found.unwrap_or_default();
        match self.rows.style {
            RowStyle::Csv => self.csv(value, into),
            RowStyle::Tsv => self.tsv(value, into),
            RowStyle::Logfmt => {
                self.surface.word(key(name).as_bytes(), into);
                into.push(b'=');
                if found.is_some() {
                    self.logfmt(value, into);
                }
            }
        }
    }

    /// Appends a value, in quotes when it holds anything that has a meaning in CSV.
    fn csv(&self, value: &[u8], into: &mut Vec<u8>) {
        if memchr::memchr3(b'"', b',', b'\n', value).is_none() && !value.contains(&b'\r') {
            self.surface.body(value, into);
            return;
        }
        into.push(b'"');
        for (index, piece) in value.split(|byte| *byte == b'"').enumerate() {
            if index > 0 {
                into.extend_from_slice(b"\"\"");
            }
            self.surface.body(piece, into);
        }
        into.push(b'"');
    }

    fn tsv(&self, value: &[u8], into: &mut Vec<u8>) {
        let mut start = 0;
        for (at, byte) in value.iter().enumerate() {
            let letter = match byte {
                b'\t' => b't',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\\' => b'\\',
                _ => continue,
            };
            self.surface.word(&value[start..at], into);
            into.extend_from_slice(&[b'\\', letter]);
            start = at + 1;
        }
        self.surface.word(&value[start..], into);
    }

    fn logfmt(&self, value: &[u8], into: &mut Vec<u8>) {
        // Every value is text: that of a payload which is not is base64.
        let text = String::from_utf8_lossy(value);
        let is_word = |letter: char| {
            !letter.is_whitespace() && !letter.is_control() && !matches!(letter, '"' | '=' | '\\')
        };
        match !text.is_empty() && text.chars().all(is_word) {
            true => self.surface.word(value, into),
            false => push_string(&text, into),
        }
    }
}

/// A name as logfmt can write it.
fn key(name: &str) -> Cow<'_, str> {
    let is_bad =
        |letter: char| letter.is_whitespace() || letter.is_control() || matches!(letter, '"' | '=');
    match name.contains(is_bad) {
        true => name.replace(is_bad, "_").into(),
        false => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{PIPE, TERMINAL, message, shown};
    use super::*;
    use crate::message::fields::MQTT;
    use crate::payload::select::Column;

    fn table(style: RowStyle, columns: &str, surface: Surface) -> Table {
        let columns = match columns {
            "" => Column::usual(&MQTT),
            list => Column::list(list).unwrap(),
        };
        let rows = Rows {
            style,
            layout: Layout::of(columns),
            local: false,
        };
        Table::new(rows, surface)
    }

    fn row(style: RowStyle, columns: &str, payload: &'static [u8]) -> String {
        let mut table = table(style, columns, PIPE);
        table.has_begun(true);
        shown(&mut table, &message("a", payload))
    }

    fn csv(payload: &'static [u8]) -> String {
        row(RowStyle::Csv, "topic,payload,encoding", payload)
    }

    #[test]
    fn the_header_comes_once() {
        let mut csv = table(RowStyle::Csv, "", PIPE);
        let message = message("a/b", b"21.5");
        let row = "2026-11-20T21:00:00.123456Z,a/b,21.5,utf-8,0,false\n";
        let header = "time,topic,payload,encoding,qos,retain\n";
        assert_eq!(shown(&mut csv, &message), format!("{header}{row}"));
        assert_eq!(shown(&mut csv, &message), row);
        csv.has_begun(false);
        assert_eq!(shown(&mut csv, &message), format!("{header}{row}"));
    }

    #[test]
    fn what_has_a_meaning_is_quoted() {
        assert_eq!(csv(b"x,y"), "a,\"x,y\",utf-8\n");
        assert_eq!(csv(b"\"x\"\ny"), "a,\"\"\"x\"\"\ny\",utf-8\n");
        assert_eq!(csv(b"x\r"), "a,\"x\r\",utf-8\n");
        assert_eq!(csv(b""), "a,,utf-8\n");
        assert_eq!(csv(b"\xff\xfe"), "a,//4=,base64\n");
        let tsv = |payload| row(RowStyle::Tsv, "topic,payload,/x", payload);
        assert_eq!(tsv(b"x\ty\\\r\n\"z\""), "a\tx\\ty\\\\\\r\\n\"z\"\t\n");
        let logfmt = |payload| row(RowStyle::Logfmt, "topic,payload,my key=/x", payload);
        assert_eq!(logfmt(b"21.5"), "topic=a payload=21.5 my_key=\n");
        assert_eq!(
            logfmt(b"say \"hi\"\n"),
            "topic=a payload=\"say \\\"hi\\\"\\n\" my_key=\n"
        );
        assert_eq!(
            logfmt(b"{\"x\":\"\"}"),
            "topic=a payload=\"{\\\"x\\\":\\\"\\\"}\" my_key=\"\"\n"
        );
    }

    #[test]
    fn columns_are_what_was_asked_for() {
        let mut table = table(RowStyle::Csv, "/t,h=/h|\"-\",content-type,size,delta", PIPE);
        let mut message = message("a", b"{\"t\":21.50,\"h\":null}");
        assert_eq!(
            shown(&mut table, &message),
            "t,h,content-type,size,delta\n21.50,-,,20,\n"
        );
        message.time += Duration::from_millis(1500);
        assert_eq!(shown(&mut table, &message), "21.50,-,,20,1.500000\n");
        message.time -= Duration::from_micros(250_001);
        assert_eq!(shown(&mut table, &message), "21.50,-,,20,-0.250001\n");
        let missing = [("content-type".to_owned(), 3), ("delta".to_owned(), 1)];
        assert_eq!(table.missing(), missing);
    }

    #[test]
    fn a_terminal_is_protected() {
        let hostile = message("a", b"\x1b[2J\x1b x");
        for (style, text) in [
            (RowStyle::Csv, "\\x1b[2J\\x1b x"),
            (RowStyle::Tsv, "\\x1b[2J\\x1b x"),
            (RowStyle::Logfmt, "payload=\"\\u001b[2J\\u001b x\""),
        ] {
            let shown = shown(&mut table(style, "payload", TERMINAL), &hostile);
            assert!(shown.ends_with(&format!("{text}\n")), "{shown}");
        }
    }
}
