//! A folder with a file for each message, as `rabtap --saveto` leaves it, read one file after another.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::stream::{Stream, Taker};
use crate::error::{Error, Result};
use crate::file::{self, unreadable};
use crate::message::Message;
use crate::payload::{Form, LONGEST};

/// The files of a folder.
pub(super) struct Folder {
    path: PathBuf,
    /// Their numbers, which are times: millions of names would be many more bytes.
    numbers: std::vec::IntoIter<u64>,
    /// Bodies are in files of their own.
    apart: bool,
    stream: Option<Stream>,
    torn: Option<String>,
}

impl Folder {
    /// Looks for them.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let unread = |cause| unreadable(path.display(), &cause);
        let (mut numbers, mut apart) = (Vec::new(), false);
        for entry in fs::read_dir(path).map_err(unread)? {
            let name = entry.map_err(unread)?.file_name();
            let Some((stem, ending)) = name.to_str().and_then(|it| it.split_once('.')) else {
                continue;
            };
            match (number(stem), ending) {
                (Some(number), "json") => numbers.push(number),
                (Some(_), "dat") => apart = true,
                _ => {}
            }
        }
        if numbers.is_empty() {
            let text = format!("{}: no rabtap-NUMBER.json in it", path.display());
            return Err(Error::usage(text));
        }
        numbers.sort_unstable();
        Ok(Self {
            path: path.to_owned(),
            numbers: numbers.into_iter(),
            apart,
            stream: None,
            torn: None,
        })
    }

    /// How the first that was cut off was cut off.
    pub(super) fn torn(&self) -> Option<&str> {
        self.torn.as_deref()
    }

    /// Appends the next message; `false` after the last.
    pub(super) async fn read(&mut self, taker: &mut Taker<'_>) -> Result<bool> {
        let before = taker.len();
        loop {
            let stream = match &mut self.stream {
                Some(stream) => stream,
                None => match self.numbers.next() {
                    Some(number) => {
                        let file = self.path.join(format!("rabtap-{number}.json"));
                        let stream = Stream::of_file(&file, Form::Rabtap, 0)?;
                        self.stream.insert(stream.with_bodies_apart(self.apart))
                    }
                    None => return Ok(false),
                },
            };
            let more = stream.read(taker).await?;
            if !more {
                let torn = stream.torn().map(str::to_owned);
                self.torn = self.torn.take().or(torn);
                self.stream = None;
            }
            if taker.len() > before {
                return Ok(true);
            }
        }
    }
}

/// Of `rabtap-NUMBER`.
fn number(stem: &str) -> Option<u64> {
    let digits = stem.strip_prefix("rabtap-")?;
    let number = digits.parse::<u64>().ok()?;
    // Its name is made of it again.
    (number.to_string() == digits).then_some(number)
}

/// The file beside one with a message, with its body.
#[derive(Default)]
pub(super) struct Beside {
    /// `None`: there is none, or it was used.
    file: Option<PathBuf>,
    /// It must be there.
    must: bool,
}

impl Beside {
    /// Of this file, if its name is one of rabtap's.
    pub(super) fn of(file: &Path) -> Self {
        let stem = file.file_stem().and_then(OsStr::to_str);
        let is_one = stem.is_some_and(|stem| number(stem).is_some());
        Self {
            file: is_one.then(|| file.with_extension("dat")),
            must: false,
        }
    }

    pub(super) fn must(&mut self, must: bool) {
        self.must = must;
    }

    /// The message with that body, if it has none itself.
    pub(super) fn fill(&mut self, message: Message) -> Result<Message, String> {
        let file = self.file.take().filter(|_| message.payload.is_empty());
        let Some(file) = file.filter(|file| self.must || file.exists()) else {
            return Ok(message);
        };
        let body = file::read(&file, LONGEST as u64);
        let body = body.map_err(|error| error.text().to_owned())?;
        Ok(Message {
            payload: body.into(),
            ..message
        })
    }
}
