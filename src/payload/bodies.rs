//! Bodies from their source, in batches.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use bytes::{Bytes, BytesMut};

use crate::error::{Error, Kind, Result};
use crate::file::unreadable;
use crate::message::Message;

use super::lines::{Flaw, Lines};
use super::reader::Reader;
use super::template::{Filler, Template};
use super::{Encoding, LONGEST, Outline, Source, record, standard};

/// Where [`Bodies`] stands.
enum State {
    /// One body that is known already.
    Ready(Bytes),
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
    /// The one body of a source that has only one.
    only: Option<Bytes>,
    /// A failure that waits until the bodies before it were handed out.
    failure: Option<Error>,
    template: Option<(Template, Filler)>,
    skipped: u64,
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
        let mut template = None;
        let state = match source {
            Source::Empty => State::Ready(Bytes::new()),
            Source::Text(text) => ready(encoding, text.clone(), "the message")?,
            Source::File(path) => open_file(path, encoding)?,
            Source::Stdin => State::Whole(Whole::start(input()?, String::from(STDIN))?),
            Source::Lines { delimiter } => {
                State::Stream(Stream::start(input()?, *delimiter, Shape::Line)?)
            }
            Source::Template(_) if encoding != Encoding::Plain => return Err(digits_filled_in()),
            Source::Template(text) => {
                let (text, filler) = template.insert((text.clone(), Filler::default()));
                State::Ready(filler.fill(text, |_, _| {}).into())
            }
            Source::Records if encoding != Encoding::Plain => return Err(spelled_twice()),
            Source::Records => State::Stream(Stream::start(input()?, b'\n', Shape::Record)?),
        };
        Ok(Self {
            encoding,
            outline: Outline::default(),
            state,
            only: None,
            failure: None,
            template,
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

    /// Appends once more what [`Bodies::next`] has appended of a source of one body; a template is filled in anew. Streams
    /// give nothing.
    pub fn again(&mut self, into: &mut VecDeque<Message>) {
        if let Some(body) = self.body_again() {
            self.outline.addressed(Message::plain(body), into);
        }
    }

    fn body_again(&mut self) -> Option<Bytes> {
        match &mut self.template {
            Some((text, filler)) => Some(filler.fill(text, |_, _| {}).into()),
            None => self.only.clone(),
        }
    }

    /// The body of a source of one, and the same again at each call; a template is filled in anew.
    ///
    /// # Errors
    /// As [`Bodies::next`].
    pub async fn body(&mut self) -> Result<Bytes> {
        if let Some(body) = self.only.is_some().then(|| self.body_again()).flatten() {
            return Ok(body);
        }
        let mut read = VecDeque::new();
        self.next(&mut read).await?;
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
            State::Whole(whole) => {
                let spelled = whole.read().await?;
                decoded(self.encoding, spelled, &whole.name)?
            }
            State::Stream(stream) => {
                let skipped = &mut self.skipped;
                if !stream
                    .read(self.encoding, &self.outline, into, skipped)
                    .await?
                {
                    self.state = State::Ended;
                }
                return Ok(());
            }
        };
        self.only = Some(body.clone());
        self.outline.addressed(Message::plain(body), into);
        self.state = State::Ended;
        Ok(())
    }
}

impl Outline {
    /// Appends a message that names no topic: once for each of ours, and as it is where there is none to choose from.
    #[inline]
    fn addressed(&self, message: Message, into: &mut VecDeque<Message>) {
        match &self.topics[..] {
            [] | [_] => into.push_back(message),
            topics => into.extend(topics.iter().map(|topic| Message {
                topic: topic.clone(),
                ..message.clone()
            })),
        }
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
    decoded(encoding, spelled, name).map(State::Ready)
}

fn decoded(encoding: Encoding, spelled: Bytes, name: &str) -> Result<Bytes> {
    encoding
        .decode(spelled)
        .map_err(|flaw| Error::usage(format!("{name} is {flaw}")))
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

/// What a line of a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Line,
    Record,
}

/// A stream of lines.
struct Stream {
    reader: Reader,
    lines: Lines,
    shape: Shape,
}

impl Stream {
    fn start(file: File, delimiter: u8, shape: Shape) -> Result<Self> {
        Ok(Self {
            reader: Reader::start(file).map_err(|cause| unreadable(STDIN, &cause))?,
            lines: Lines::new(delimiter),
            shape,
        })
    }

    /// Appends the lines of the next chunk that ends any; `false` after the last.
    async fn read(
        &mut self,
        encoding: Encoding,
        outline: &Outline,
        into: &mut VecDeque<Message>,
        skipped: &mut u64,
    ) -> Result<bool> {
        let before = into.len();
        while into.len() == before {
            let chunk = self.reader.next().await;
            let chunk = chunk.map_err(|cause| unreadable(STDIN, &cause))?;
            let shape = self.shape;
            let take = |line| shape.take(line, encoding, outline, into, skipped);
            match chunk {
                Some(chunk) => self.lines.split(&chunk, take).map_err(wrong)?,
                None => return self.lines.finish(take).map(|()| false).map_err(wrong),
            }
        }
        Ok(true)
    }
}

impl Shape {
    /// Appends the messages that `line` stands for.
    fn take(
        self,
        line: Bytes,
        encoding: Encoding,
        outline: &Outline,
        into: &mut VecDeque<Message>,
        skipped: &mut u64,
    ) -> Result<(), String> {
        match self {
            Self::Line => outline.addressed(Message::plain(encoding.decode(line)?), into),
            Self::Record if line.trim_ascii().is_empty() => {}
            Self::Record => {
                let before = into.len();
                let Some((mut message, addressed)) = record::parse(&line, &outline.detail)? else {
                    *skipped += 1;
                    return Ok(());
                };
                match &outline.topics[..] {
                    [topic] if !addressed => {
                        message.topic = topic.clone();
                        into.push_back(message);
                    }
                    _ if addressed => into.push_back(message),
                    _ => outline.addressed(message, into),
                }
                if let Err(flaw) = into.range(before..).try_for_each(outline.check) {
                    into.truncate(before);
                    return Err(flaw);
                }
            }
        }
        Ok(())
    }
}

fn wrong((line, flaw): Flaw) -> Error {
    Error::usage(format!("{STDIN}, line {line}: {flaw}"))
}

#[cfg(test)]
mod tests;
