//! Bodies from their source, in batches.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use bytes::{Buf, Bytes, BytesMut};

use crate::error::{Error, Kind, Result};
use crate::file::unreadable;
use crate::message::Message;

use super::lines::{Flaw, Lines};
use super::reader::Reader;
use super::template::{Filler, Template};
use super::{Cut, Destination, Encoding, Framing, LONGEST, Outline, Source, record, standard};

/// Where [`Bodies`] stands.
enum State {
    /// One body that is known already, before anything is made of it.
    Ready(Bytes),
    /// One body that is made for each message.
    Made,
    /// One body that is still being read.
    Whole(Whole),
    /// A stream of them.
    Stream(Stream),
    /// Nothing more will come.
    Ended,
}

/// The bodies of one source, read in batches. Streams are read by a thread, a bounded number of
/// chunks ahead, and each line is handed over as soon as it was read.
pub struct Bodies {
    encoding: Encoding,
    outline: Outline,
    state: State,
    /// The one body of a source that has only one, before anything is made of it.
    only: Option<Bytes>,
    /// A failure that waits until the bodies before it were handed out.
    failure: Option<Error>,
    maker: Option<Maker>,
    filler: Filler,
    skipped: u64,
}

/// What makes a body for each message.
enum Maker {
    Template(Template),
    Random(usize),
}

impl Maker {
    fn body(&self, filler: &mut Filler) -> Bytes {
        match self {
            Self::Template(template) => filler.fill_more(template, |_, _| {}).into(),
            Self::Random(size) => {
                let mut body = BytesMut::with_capacity(size + 8);
                while body.len() < *size {
                    body.extend_from_slice(&filler.draw().to_be_bytes());
                }
                body.truncate(*size);
                body.freeze()
            }
        }
    }
}

impl Bodies {
    /// Opens `source` and reads and checks what is there already: the text and regular files.
    /// Standard input is read in [`Bodies::next`], so that waiting for it can be interrupted.
    ///
    /// # Errors
    /// [`Kind::Local`] for a file that cannot be read or is too long and for a closed standard input;
    /// [`Kind::Usage`] for a text or file that is not in `encoding`.
    pub fn open(source: &Source, encoding: Encoding) -> Result<Self> {
        Self::with_input(source, encoding, standard_input)
    }

    /// As [`Bodies::open`], with `input` in place of standard input.
    ///
    /// # Errors
    /// As [`Bodies::open`].
    pub fn over(input: OwnedFd, source: &Source, encoding: Encoding) -> Result<Self> {
        Self::with_input(source, encoding, || Ok(input.into()))
    }

    fn with_input(
        source: &Source,
        encoding: Encoding,
        input: impl FnOnce() -> Result<File>,
    ) -> Result<Self> {
        let mut maker = None;
        let state = match source {
            Source::Empty => State::Ready(Bytes::new()),
            Source::Text(text) => ready(encoding, text.clone(), "the message")?,
            Source::File(path) => open_file(path, encoding)?,
            Source::Stdin => State::Whole(Whole::start(input()?, String::from(STDIN))?),
            Source::Lines(framing) => {
                State::Stream(Stream::start(input()?, Shape::Line(framing.clone()))?)
            }
            Source::Follow {
                file,
                from_start,
                framing,
            } => {
                let framing = framing.clone();
                State::Stream(Stream::follow(file, *from_start, framing)?)
            }
            Source::Template(_) if encoding.is_digits() => return Err(digits_filled_in()),
            Source::Template(text) => {
                maker = Some(Maker::Template(text.clone()));
                State::Made
            }
            Source::Random(size) => {
                maker = Some(Maker::Random(*size));
                State::Made
            }
            Source::Records if encoding.is_digits() => return Err(spelled_twice()),
            Source::Records => State::Stream(Stream::start(input()?, Shape::Record)?),
        };
        Ok(Self {
            encoding,
            outline: Outline::default(),
            state,
            only: None,
            failure: None,
            maker,
            filler: Filler::default(),
            skipped: 0,
        })
    }

    /// How many records of error responses were left out: what a server says instead of a resource is no message.
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// What is not said of a message by its input is as `outline` has it.
    #[must_use]
    pub fn like(mut self, outline: Outline) -> Self {
        self.outline = outline;
        self
    }

    /// What is random is the same again for the same seed (`--seed`).
    #[must_use]
    pub fn seeded(mut self, seed: Option<u64>) -> Self {
        self.filler = Filler::seeded(seed);
        self
    }

    /// Appends once more what [`Bodies::next`] has appended of a source of one body; a template is filled in anew. Streams
    /// give nothing.
    ///
    /// # Errors
    /// [`Kind::Usage`] for what was filled in and is wrong.
    pub fn again(&mut self, into: &mut VecDeque<Message>) -> Result<()> {
        match self.body_again() {
            Some(body) => self.give(body, into),
            None => Ok(()),
        }
    }

    fn body_again(&mut self) -> Option<Bytes> {
        match &self.maker {
            Some(maker) => Some(maker.body(&mut self.filler)),
            None => self.only.clone(),
        }
    }

    /// Appends the one body.
    fn give(&mut self, body: Bytes, into: &mut VecDeque<Message>) -> Result<()> {
        let Self {
            encoding,
            outline,
            filler,
            ..
        } = self;
        outline
            .addressed(Message::plain(body), *encoding, filler, into)
            .map_err(|flaw| Error::usage(format!("the message: {flaw}")))
    }

    /// The body of a source of one, and the same again at each call; a template is filled in anew.
    ///
    /// # Errors
    /// As [`Bodies::next`].
    pub async fn body(&mut self) -> Result<Bytes> {
        let mut read = VecDeque::new();
        match &self.only {
            Some(_) => self.again(&mut read)?,
            None => drop(self.next(&mut read).await?),
        }
        let first = read.pop_front();
        Ok(first.map(|message| message.payload).unwrap_or_default())
    }

    /// Appends the next batch to `into`; `false` when the source has ended and nothing was appended.
    ///
    /// Text, file, standard input and nothing give exactly one body. Cancel-safe.
    ///
    /// # Errors
    /// [`Kind::Local`] when reading fails, [`Kind::Usage`] for a line or record that is wrong, with its
    /// number. The bodies before it are handed out first; afterwards the source has ended.
    pub async fn next(&mut self, into: &mut VecDeque<Message>) -> Result<bool> {
        let before = into.len();
        if let Err(failure) = self.advance(into).await {
            self.state = State::Ended;
            self.failure = Some(failure);
        }
        if into.len() > before {
            return Ok(true);
        }
        self.failure.take().map_or(Ok(false), Err)
    }

    async fn advance(&mut self, into: &mut VecDeque<Message>) -> Result<()> {
        let body = match &mut self.state {
            State::Ended => return Ok(()),
            State::Ready(body) => std::mem::take(body),
            State::Made => self.body_again().unwrap_or_default(),
            State::Whole(whole) => {
                let spelled = whole.read().await?;
                checked(self.encoding, spelled, &whole.name)?
            }
            State::Stream(stream) => {
                let mut taker = Taker {
                    encoding: self.encoding,
                    outline: &self.outline,
                    filler: &mut self.filler,
                    into,
                    skipped: &mut self.skipped,
                };
                if !stream.read(&mut taker).await? {
                    self.state = State::Ended;
                }
                return Ok(());
            }
        };
        self.only = Some(body.clone());
        self.state = State::Ended;
        self.give(body, into)
    }
}

impl Outline {
    /// Whether a message that names no topic goes out once, with nothing to be said of it.
    fn is_bare(&self) -> bool {
        match &self.topics[..] {
            [] => true,
            [only] => only.is_bare(),
            _ => false,
        }
    }

    /// Appends a message that names no topic: once for each of ours, and as it is where there is none to choose from.
    ///
    /// # Errors
    /// What nothing can be made of, or a topic that cannot be filled in or is wrong then. Nothing was appended.
    fn addressed(
        &self,
        message: Message,
        encoding: Encoding,
        filler: &mut Filler,
        into: &mut VecDeque<Message>,
    ) -> Result<(), String> {
        if !self.is_bare() {
            return self.to_each(&self.topics, &message, encoding, filler, into);
        }
        filler.advance();
        let payload = encoding.made(message.payload)?;
        into.push_back(Message { payload, ..message });
        Ok(())
    }

    fn to_each(
        &self,
        topics: &[Destination],
        message: &Message,
        encoding: Encoding,
        filler: &mut Filler,
        into: &mut VecDeque<Message>,
    ) -> Result<(), String> {
        let payload = encoding.made(message.payload.clone())?;
        let before = into.len();
        for topic in topics {
            let addressed = topic.address(message, filler).and_then(|message| {
                let message = Message {
                    payload: payload.clone(),
                    ..message
                };
                match topic.fixed() {
                    Some(_) => Ok(message),
                    None => (self.check)(&message).map(|()| message),
                }
            });
            match addressed {
                Ok(message) => into.push_back(message),
                Err(flaw) => {
                    into.truncate(before);
                    return Err(flaw);
                }
            }
        }
        filler.advance();
        Ok(())
    }
}

fn digits_filled_in() -> Error {
    Error::usage("--template cannot be used with --hex or --base64")
}

fn spelled_twice() -> Error {
    Error::usage("--ndjson cannot be used with --hex or --base64")
        .hint("use payload_base64 in the record for bytes")
}

/// What errors call standard input.
const STDIN: &str = "standard input";

fn standard_input() -> Result<File> {
    if standard::input_was_closed() {
        return Err(Error::new(Kind::Local, "standard input is closed"));
    }
    io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map(File::from)
        .map_err(|cause| unreadable(STDIN, &cause))
}

fn open_file(path: &Path, encoding: Encoding) -> Result<State> {
    let name = path.display().to_string();
    let failed = |cause: io::Error| unreadable(&name, &cause);
    let file = File::open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    if !facts.is_file() && !facts.is_dir() {
        return Ok(State::Whole(Whole::start(file, name)?));
    }
    let spelled = read_file(file, &facts).map_err(failed)?;
    if spelled.len() > LONGEST {
        return Err(too_long(&name));
    }
    ready(encoding, spelled.into(), &name)
}

fn read_file(file: File, facts: &fs::Metadata) -> io::Result<Vec<u8>> {
    let limit = LONGEST as u64 + 1;
    // At most `limit`, which fits.
    let mut bytes = Vec::with_capacity(facts.len().min(limit) as usize);
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn ready(encoding: Encoding, spelled: Bytes, name: &str) -> Result<State> {
    checked(encoding, spelled, name).map(State::Ready)
}

/// The body that `spelled` stands for, of which can be made what is to be.
fn checked(encoding: Encoding, spelled: Bytes, name: &str) -> Result<Bytes> {
    let body = encoding.read(spelled);
    body.and_then(|body| encoding.made(body.clone()).map(|_| body))
        .map_err(|flaw| Error::usage(format!("{name}: {flaw}")))
}

fn too_long(name: &str) -> Error {
    Error::new(
        Kind::Local,
        format!("{name} is longer than {LONGEST} bytes"),
    )
}

/// A stream that is one body.
struct Whole {
    reader: Reader,
    name: String,
    gathered: BytesMut,
}

impl Whole {
    fn start(file: File, name: String) -> Result<Self> {
        let reader = Reader::start(file).map_err(|cause| unreadable(&name, &cause))?;
        Ok(Self {
            reader,
            name,
            gathered: BytesMut::new(),
        })
    }

    async fn read(&mut self) -> Result<Bytes> {
        loop {
            let chunk = self.reader.next().await;
            let Some(chunk) = chunk.map_err(|cause| unreadable(&self.name, &cause))? else {
                return Ok(self.gathered.split().freeze());
            };
            self.gathered.extend_from_slice(&chunk);
            if self.gathered.len() > LONGEST {
                return Err(too_long(&self.name));
            }
        }
    }
}

/// What a record of a stream is.
enum Shape {
    /// A body, and maybe its topic.
    Line(Framing),
    /// A message as JSON.
    Record,
}

impl Shape {
    const fn cut(&self) -> Cut {
        match self {
            Self::Line(framing) => framing.cut,
            Self::Record => Cut::After(b'\n'),
        }
    }
}

/// A stream of records.
struct Stream {
    reader: Reader,
    name: String,
    lines: Lines,
    shape: Shape,
}

impl Stream {
    fn start(file: File, shape: Shape) -> Result<Self> {
        let reader = Reader::start(file).map_err(|cause| unreadable(STDIN, &cause))?;
        Ok(Self::over(reader, String::from(STDIN), shape))
    }

    fn follow(path: &Path, from_start: bool, framing: Framing) -> Result<Self> {
        let name = path.display().to_string();
        let reader = Reader::follow(path, from_start).map_err(|cause| unreadable(&name, &cause))?;
        Ok(Self::over(reader, name, Shape::Line(framing)))
    }

    fn over(reader: Reader, name: String, shape: Shape) -> Self {
        Self {
            reader,
            name,
            lines: Lines::new(shape.cut()),
            shape,
        }
    }

    /// Appends the records of the next chunk that ends any; `false` after the last.
    async fn read(&mut self, taker: &mut Taker<'_>) -> Result<bool> {
        let before = taker.into.len();
        // Known once, so that what is not asked for costs nothing for each record.
        let bare = self.shape.is_bare() && taker.is_bare();
        while taker.into.len() == before {
            let chunk = self.reader.next().await;
            let chunk = chunk.map_err(|cause| unreadable(&self.name, &cause))?;
            let (lines, shape) = (&mut self.lines, &self.shape);
            let taken = match bare {
                true => lines.feed(chunk.as_ref(), |body| {
                    taker.body(body);
                    Ok(())
                }),
                false => lines.feed(chunk.as_ref(), |record| shape.take(record, taker)),
            };
            taken.map_err(|flaw| self.wrong(&flaw))?;
            if chunk.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn wrong(&self, flaw: &Flaw) -> Error {
        let (name, unit) = (&self.name, self.lines.unit());
        let text = format!("{name}, {unit} {}: {}", flaw.number, flaw.what);
        match flaw.cut_off {
            true => Error::new(Kind::Local, text),
            false => Error::usage(text),
        }
    }
}

/// What the records of a stream become messages by, and where they go.
struct Taker<'a> {
    encoding: Encoding,
    outline: &'a Outline,
    filler: &'a mut Filler,
    into: &'a mut VecDeque<Message>,
    skipped: &'a mut u64,
}

impl Shape {
    /// Whether a record is a body as it is.
    fn is_bare(&self) -> bool {
        match self {
            Self::Line(framing) => !framing.trim_cr && framing.separator.is_none(),
            Self::Record => false,
        }
    }

    /// Appends the messages that `record` stands for.
    fn take(&self, record: Bytes, taker: &mut Taker<'_>) -> Result<(), String> {
        match self {
            Self::Line(framing) => taker.line(record, framing),
            Self::Record if record.trim_ascii().is_empty() => Ok(()),
            Self::Record => taker.record(&record),
        }
    }
}

impl Taker<'_> {
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
        let before = self.into.len();
        let Some((mut message, addressed)) = record::parse(record, &self.outline.detail)? else {
            *self.skipped += 1;
            return Ok(());
        };
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

#[cfg(test)]
mod tests;
