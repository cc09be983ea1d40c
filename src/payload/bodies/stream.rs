//! A stream that is cut into messages: lines, records, recordings.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use bytes::{Buf, Bytes};

use super::folder::Beside;
use super::{STDIN, opened};
use crate::error::{Error, Kind, Result};
use crate::file::{in_line, unreadable};
use crate::message::Message;
use crate::payload::lines::{Flaw, Lines};
use crate::payload::rabtap::Objects;
use crate::payload::reader::Reader;
use crate::payload::rows::Rows;
use crate::payload::template::Filler;
use crate::payload::{Cut, Encoding, Form, Framing, Outline, record};

/// What a record of a stream is.
pub(super) enum Shape {
    /// A body, and maybe its topic.
    Line(Framing),
    /// A message as JSON.
    Record,
    /// A line of a table, or a part of one.
    Row(Rows),
    /// A line of an object, and where the body is that it does not have.
    Object(Objects, Beside),
}

impl Shape {
    const fn cut(&self) -> Cut {
        match self {
            Self::Line(framing) => framing.cut,
            Self::Record | Self::Row(_) | Self::Object(..) => Cut::After(b'\n'),
        }
    }
}

/// A stream of records.
pub(super) struct Stream {
    reader: Reader,
    name: String,
    lines: Lines,
    shape: Shape,
    /// Whoever wrote it may have been killed within the last record.
    is_recording: bool,
    /// How the last record was cut off.
    torn: Option<String>,
}

impl Stream {
    pub(super) fn start(file: File, shape: Shape) -> Result<Self> {
        let reader = Reader::start(file).map_err(|cause| unreadable(STDIN, &cause))?;
        Ok(Self::over(reader, String::from(STDIN), shape))
    }

    pub(super) fn follow(path: &Path, from_start: bool, framing: Framing) -> Result<Self> {
        let name = path.display().to_string();
        let reader = Reader::follow(path, from_start).map_err(|cause| unreadable(&name, &cause))?;
        Ok(Self::over(reader, name, Shape::Line(framing)))
    }

    /// The records of a file that a program has written, or still writes.
    pub(super) fn recording(file: File, name: String, form: Form) -> Result<Self> {
        let shape = match form {
            Form::Records => Shape::Record,
            Form::MqttRecorder(payloads) => Shape::Row(Rows::new(payloads)),
            Form::Rabtap => Shape::Object(Objects::default(), Beside::default()),
        };
        let reader = Reader::unpacked(file).map_err(|cause| unreadable(&name, &cause))?;
        Ok(Self {
            is_recording: true,
            ..Self::over(reader, name, shape)
        })
    }

    /// The same of a file of this name, from there on.
    pub(super) fn of_file(path: &Path, form: Form, from: u64) -> Result<Self> {
        let name = path.display().to_string();
        let file = opened(path, from).map_err(|cause| unreadable(&name, &cause))?;
        let mut stream = Self::recording(file, name, form)?;
        if let Shape::Object(_, beside) = &mut stream.shape {
            *beside = Beside::of(path);
        }
        Ok(stream)
    }

    /// Bodies must be in files of their own where messages have none.
    pub(super) fn with_bodies_apart(mut self, apart: bool) -> Self {
        if let Shape::Object(_, beside) = &mut self.shape {
            beside.must(apart);
        }
        self
    }

    /// Records of standard input, the last of which must not be cut off, either.
    pub(super) fn records(input: File) -> Result<Self> {
        let stream = Self::recording(input, String::from(STDIN), Form::Records)?;
        Ok(Self {
            is_recording: false,
            ..stream
        })
    }

    fn over(reader: Reader, name: String, shape: Shape) -> Self {
        Self {
            reader,
            name,
            lines: Lines::new(shape.cut()),
            shape,
            is_recording: false,
            torn: None,
        }
    }

    /// How the last record was cut off, as a sentence without its end.
    pub(super) fn torn(&self) -> Option<&str> {
        self.torn.as_deref()
    }

    /// Appends the records of the next chunk that ends any; `false` after the last.
    pub(super) async fn read(&mut self, taker: &mut Taker<'_>) -> Result<bool> {
        let before = taker.into.len();
        // Known once, so that what is not asked for costs nothing for each record.
        let bare = self.shape.is_bare() && taker.is_bare();
        while taker.into.len() == before {
            let chunk = match self.reader.next().await {
                Err(cause) if self.ends_too_early(&cause) => None,
                chunk => chunk.map_err(|cause| unreadable(&self.name, &cause))?,
            };
            let (lines, shape) = (&mut self.lines, &mut self.shape);
            let taken = match &chunk {
                None => self.finish(taker),
                Some(_) if bare => lines.feed(chunk.as_ref(), |body| {
                    taker.body(body);
                    Ok(())
                }),
                // An empty one where a file that is followed has given way to another.
                Some(_) => lines.feed(chunk.as_ref(), |record| shape.take(record, taker)),
            };
            taken.map_err(|flaw| self.wrong(&flaw))?;
            if chunk.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Compressed data whose end is missing: what is there counts.
    fn ends_too_early(&mut self, cause: &io::Error) -> bool {
        let torn = self.is_recording && cause.kind() == ErrorKind::UnexpectedEof;
        if torn {
            self.torn = Some(format!("{} ends within its compressed data", self.name));
        }
        torn
    }

    fn finish(&mut self, taker: &mut Taker<'_>) -> Result<(), Flaw> {
        let shape = &mut self.shape;
        let number = self.lines.ended();
        // What follows other lines may be the end of a file that a power cut has filled with zeros.
        let (mut is_begun, follows) = (true, number > 0);
        let finished = self.lines.finish(|record| {
            is_begun = shape.is_begun(&record, follows);
            shape.take(record, taker)
        });
        let number = self.lines.ended();
        let finished = finished.and_then(|()| shape.finish(number));
        match finished {
            Err(flaw) if self.is_recording && is_begun => {
                let why = format!("the {} is incomplete: skipped", self.lines.unit());
                let text = self.told(flaw.number, &why);
                self.torn.get_or_insert(text);
                Ok(())
            }
            finished => finished,
        }
    }

    /// What is to say of one of the records; where they are lines, in the words of all files with lines.
    fn told(&self, number: u64, why: &str) -> String {
        match self.lines.unit() {
            "line" => in_line(&self.name, number, why),
            unit => format!("{}, {unit} {number}: {why}", self.name),
        }
    }

    fn wrong(&self, flaw: &Flaw) -> Error {
        let text = self.told(flaw.number, &flaw.what);
        match flaw.cut_off {
            true => Error::new(Kind::Local, text),
            false => Error::usage(text),
        }
    }
}

/// What the records of a stream become messages by, and where they go.
pub(super) struct Taker<'a> {
    pub(super) encoding: Encoding,
    pub(super) outline: &'a Outline,
    pub(super) filler: &'a mut Filler,
    pub(super) into: &'a mut VecDeque<Message>,
    pub(super) skipped: &'a mut u64,
}

impl Shape {
    /// Whether a record is a body as it is.
    fn is_bare(&self) -> bool {
        match self {
            Self::Line(framing) => !framing.trim_cr && framing.separator.is_none(),
            Self::Record | Self::Row(_) | Self::Object(..) => false,
        }
    }

    /// Whether the last `record` may be the beginning of one that whoever wrote it did not finish; any other line is no
    /// record at all, and so the file is probably no recording.
    fn is_begun(&self, record: &[u8], follows: bool) -> bool {
        let zeros = record.iter().rev().take_while(|byte| **byte == 0).count();
        let line = match follows {
            true => &record[..record.len() - zeros],
            false => record,
        };
        match self {
            Self::Line(_) => true,
            Self::Record => line.is_empty() || record::is_begun(line),
            Self::Row(rows) => line.is_empty() || rows.is_begun(line, follows),
            // Its lines are parts of objects.
            Self::Object(objects, _) => {
                line.is_empty() || objects.has_begun() || record::is_begun(line)
            }
        }
    }

    /// Appends the messages that `record` stands for.
    fn take(&mut self, record: Bytes, taker: &mut Taker<'_>) -> Result<(), String> {
        match self {
            Self::Line(framing) => taker.line(record, framing),
            Self::Record if record.trim_ascii().is_empty() => Ok(()),
            Self::Record => taker.record(&record),
            Self::Row(rows) => match rows.message(&record)? {
                Some(message) => taker.read(message, true),
                None => Ok(()),
            },
            Self::Object(objects, beside) => match objects.message(&record)? {
                Some(message) => taker.read(beside.fill(message)?, true),
                None => Ok(()),
            },
        }
    }

    /// Nothing more comes after so many lines.
    fn finish(&self, lines: u64) -> Result<(), Flaw> {
        let what = match self {
            Self::Row(rows) if rows.has_begun() => "a quoted field has no end",
            Self::Object(objects, _) if objects.has_begun() => "a message has no end",
            _ => return Ok(()),
        };
        Err(Flaw {
            number: lines,
            what: what.to_owned(),
            cut_off: true,
        })
    }
}

impl Taker<'_> {
    /// How many messages it has.
    pub(super) fn len(&self) -> usize {
        self.into.len()
    }

    /// Whether a body goes out once, as it is.
    fn is_bare(&self) -> bool {
        self.encoding == Encoding::Plain && self.outline.is_bare()
    }

    /// A body that goes out as it is.
    #[inline]
    fn body(&mut self, body: Bytes) {
        self.filler.advance();
        self.into.push_back(Message::plain(body));
    }

    fn line(&mut self, mut line: Bytes, framing: &Framing) -> Result<(), String> {
        if framing.trim_cr && line.ends_with(b"\r") {
            line.truncate(line.len() - 1);
        }
        match &framing.separator {
            None => {
                let message = Message::plain(self.encoding.read(line)?);
                self.outline
                    .addressed(message, self.encoding, self.filler, self.into)
            }
            Some(separator) => self.addressed_line(line, separator),
        }
    }

    /// A line that begins with its topic.
    fn addressed_line(&mut self, mut line: Bytes, separator: &str) -> Result<(), String> {
        let Some(at) = memchr::memmem::find(&line, separator.as_bytes()) else {
            return Err(format!("no {separator:?} between topic and message"));
        };
        let topic = line.split_to(at);
        line.advance(separator.len());
        let topic = str::from_utf8(&topic).map_err(|_| "the topic is not valid UTF-8")?;
        let message = Message {
            topic: topic.into(),
            ..Message::plain(self.encoding.decode(line)?)
        };
        (self.outline.check)(&message)?;
        self.filler.advance();
        self.into.push_back(message);
        Ok(())
    }

    fn record(&mut self, record: &[u8]) -> Result<(), String> {
        match record::parse(record, &self.outline.detail)? {
            Some((message, addressed)) => self.read(message, addressed),
            None => {
                *self.skipped += 1;
                Ok(())
            }
        }
    }

    /// A message that may say where it goes.
    fn read(&mut self, mut message: Message, addressed: bool) -> Result<(), String> {
        let before = self.into.len();
        match &self.outline.topics[..] {
            topics if addressed || topics.is_empty() => {
                message.payload = self.encoding.made(message.payload)?;
                self.into.push_back(message);
            }
            topics => {
                let (encoding, filler) = (self.encoding, &mut *self.filler);
                let outline = self.outline;
                outline.to_each(topics, &message, encoding, filler, self.into)?;
            }
        }
        if let Err(flaw) = self.into.range(before..).try_for_each(self.outline.check) {
            self.into.truncate(before);
            return Err(flaw);
        }
        Ok(())
    }
}
