//! Bodies from their source, in batches.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use bytes::{Bytes, BytesMut};

use crate::error::{Error, Kind, Result};
use crate::file::unreadable;
use crate::message::Message;

use super::reader::Reader;
use super::template::{Filler, Template};
use super::{Destination, Encoding, Form, LONGEST, Outline, Source, standard};
use folder::Folder;
use stream::{Shape, Stream, Taker};

mod folder;
mod stream;

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
    /// A folder with a file for each.
    Folder(Folder),
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
    torn: Option<String>,
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

    /// The records of a file, which may be compressed by gzip, one a line. Whoever wrote it may have been killed within the last one.
    ///
    /// # Errors
    /// [`Kind::Local`] for a file that cannot be read.
    pub fn records(path: &Path) -> Result<Self> {
        let recording = Source::Recording {
            file: Some(path.to_owned()),
            form: Form::Records,
            from: 0,
        };
        Self::open(&recording, Encoding::Plain)
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
            Source::Records => State::Stream(Stream::records(input()?)?),
            Source::Recording {
                file: None, form, ..
            } => State::Stream(Stream::recording(input()?, String::from(STDIN), *form)?),
            Source::Recording {
                file: Some(path),
                form,
                ..
            } if *form == Form::Rabtap && path.is_dir() => State::Folder(Folder::open(path)?),
            Source::Recording {
                file: Some(path),
                form,
                from,
            } => State::Stream(Stream::of_file(path, *form, *from)?),
        };
        Ok(Self {
            encoding,
            outline: Outline::default(),
            state,
            only: None,
            failure: None,
            torn: None,
            maker,
            filler: Filler::default(),
            skipped: 0,
        })
    }

    /// How many records of error responses were left out: what a server says instead of a resource is no message.
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// How the last record of a recording that was read to its end was cut off; what there is of it is skipped.
    pub fn torn(&self) -> Option<&str> {
        self.torn.as_deref()
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
            state @ (State::Stream(_) | State::Folder(_)) => {
                let mut taker = Taker {
                    encoding: self.encoding,
                    outline: &self.outline,
                    filler: &mut self.filler,
                    into,
                    skipped: &mut self.skipped,
                };
                if let Some(torn) = state.read(&mut taker).await? {
                    self.torn = torn;
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

impl State {
    /// Appends what comes next of a stream; at its end, how the last record was cut off, if it was.
    async fn read(&mut self, taker: &mut Taker<'_>) -> Result<Option<Option<String>>> {
        let (more, torn) = match self {
            Self::Stream(stream) => (stream.read(taker).await?, stream.torn()),
            Self::Folder(folder) => (folder.read(taker).await?, folder.torn()),
            _ => (false, None),
        };
        Ok((!more).then(|| torn.map(str::to_owned)))
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

/// A file from there on.
fn opened(path: &Path, from: u64) -> io::Result<File> {
    let mut file = File::open(path)?;
    if from > 0 {
        file.seek(SeekFrom::Start(from))?;
    }
    Ok(file)
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

#[cfg(test)]
mod tests;
