//! `csv`: a header and one row a message, quoted as RFC 4180 has it.
//!
//! The columns are `time,topic,payload,encoding,qos,retain`. `encoding` says how to read `payload`:
//! `utf-8` for text as it is, `base64` for everything else. Rows end with a line feed, as Unix
//! tools expect it. On a terminal control characters in text are made visible.

use crate::message::{Detail, Message};

use super::time::Utc;
use super::{Render, Surface, base64};

const HEADER: &[u8] = b"time,topic,payload,encoding,qos,retain\n";

pub(super) struct Csv {
    surface: Surface,
    begun: bool,
    clock: Utc,
}

impl Csv {
    pub(super) fn new(surface: Surface) -> Self {
        Self {
            surface,
            begun: false,
            clock: Utc::default(),
        }
    }
}

impl Render for Csv {
    fn render(&mut self, message: &Message, into: &mut Vec<u8>) {
        if !self.begun {
            into.extend_from_slice(HEADER);
            self.begun = true;
        }
        self.clock.push(message.time, into);
        into.push(b',');
        self.field(&message.topic, into);
        into.push(b',');
        match str::from_utf8(&message.payload) {
            Ok(text) => {
                self.field(text, into);
                into.extend_from_slice(b",utf-8,");
            }
            Err(_) => {
                base64::push(&message.payload, into);
                into.extend_from_slice(b",base64,");
            }
        }
        push_flags(&message.detail, into);
    }
}

impl Csv {
    /// Appends `text`, quoted when it holds anything that has a meaning in CSV.
    fn field(&self, text: &str, into: &mut Vec<u8>) {
        if memchr::memchr3(b'"', b',', b'\n', text.as_bytes()).is_none() && !text.contains('\r') {
            self.surface.body(text.as_bytes(), into);
            return;
        }
        into.push(b'"');
        for (index, piece) in text.split('"').enumerate() {
            if index > 0 {
                into.extend_from_slice(b"\"\"");
            }
            self.surface.body(piece.as_bytes(), into);
        }
        into.push(b'"');
    }
}

fn push_flags(detail: &Detail, into: &mut Vec<u8>) {
    let mqtt = detail.as_mqtt();
    into.push(b'0' + mqtt.qos.min(2));
    into.extend_from_slice(if mqtt.retain { b",true\n" } else { b",false\n" });
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PIPE, TERMINAL, message, shown};
    use super::*;

    fn row(topic: &'static str, payload: &'static [u8]) -> String {
        let mut csv = Csv::new(PIPE);
        csv.begun = true;
        shown(&mut csv, &message(topic, payload))
    }

    #[test]
    fn the_header_comes_once() {
        let mut csv = Csv::new(PIPE);
        let message = message("a/b", b"21.5");
        let row = "2026-11-20T21:00:00.123456Z,a/b,21.5,utf-8,0,false\n";
        let header = "time,topic,payload,encoding,qos,retain\n";
        assert_eq!(shown(&mut csv, &message), format!("{header}{row}"));
        assert_eq!(shown(&mut csv, &message), row);
    }

    #[test]
    fn what_has_a_meaning_is_quoted() {
        assert!(row("a", b"x,y").ends_with(",a,\"x,y\",utf-8,0,false\n"));
        assert!(row("a\"b", b"x\ny").ends_with(",\"a\"\"b\",\"x\ny\",utf-8,0,false\n"));
        assert!(row("a", b"x\r").ends_with(",a,\"x\r\",utf-8,0,false\n"));
        assert!(row("a", b"").ends_with(",a,,utf-8,0,false\n"));
    }

    #[test]
    fn bytes_that_are_no_text_are_base64() {
        assert!(row("a", b"\xff\xfe").ends_with(",a,//4=,base64,0,false\n"));
    }

    #[test]
    fn a_terminal_is_protected() {
        assert!(shown(&mut Csv::new(TERMINAL), &message("a", b"\x1b[2J")).contains(",\\x1b[2J,"));
    }
}
