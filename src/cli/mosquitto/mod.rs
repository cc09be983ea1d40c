//! mosquitto_pub, mosquitto_sub and mosquitto_rr: their command lines, by their rules and in their words, as plans of `mqtt`.
//!
//! | part | what it is for |
//! |---|---|
//! | [`options`] | the one table of options |
//! | [`given`] | reads words and files of options, and checks each value |
//! | [`plan`] | what goes together, and the plan that it makes |

mod given;
mod options;
mod plan;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use self::given::{End, Given, Outcome, refused};
use super::Parsed;
use crate::command::mqtt::mosquitto::Client;
use crate::error::{Error, Kind, Result};

/// A command line of one of the clients; its file of options is not read yet.
#[derive(Debug)]
pub struct Call {
    client: Client,
    words: Vec<OsString>,
}

impl Call {
    /// The call, if the program's name or the first word behind it is a client's.
    pub(super) fn of(words: &[OsString]) -> Option<Self> {
        let client = |word: &OsString| {
            let name = Path::new(word).file_name()?;
            Client::ALL.into_iter().find(|client| name == client.name())
        };
        let (program, rest) = words.split_first()?;
        let (client, words) = match (client(program), rest.split_first()) {
            (Some(client), _) => (client, rest),
            (None, Some((first, rest))) => (client(first)?, rest),
            (None, None) => return None,
        };
        Some(Self {
            client,
            words: words.to_vec(),
        })
    }

    /// The file of options: the one that `-o` names, or the usual one, which need not exist.
    ///
    /// # Errors
    /// `-o` twice or without a file.
    pub fn options_file(&self) -> Result<Option<PathBuf>> {
        let named = self.named_file().map_err(|end| self.error(end))?;
        let usual = || {
            let folder = match std::env::var_os("XDG_CONFIG_HOME") {
                Some(folder) => PathBuf::from(folder),
                None => Path::new(&std::env::var_os("HOME")?).join(".config"),
            };
            Some(folder.join(self.client.name()))
        };
        Ok(named.map(PathBuf::from).or_else(usual))
    }

    fn named_file(&self) -> Outcome<Option<&OsStr>> {
        let mut places = self
            .words
            .iter()
            .enumerate()
            .filter(|(_, word)| *word == "-o");
        let Some((at, _)) = places.next() else {
            return Ok(None);
        };
        match self.words.get(at + 1) {
            None => refused("-o argument given but no options file specified.\n"),
            Some(_) if places.next().is_some() => refused("Duplicate -o argument given.\n"),
            Some(file) => Ok(Some(file)),
        }
    }

    /// The plan, with what [`Call::options_file`] holds, or why it cannot be read.
    ///
    /// # Errors
    /// The lines of the client for what is wrong, with its exit code.
    pub fn parse(self, content: Option<Result<Vec<u8>>>) -> Result<Parsed> {
        let client = self.client;
        let read = |call: Self| {
            let named = call.named_file()?.is_some();
            let mut given = Given::new(client);
            match content {
                Some(Ok(content)) => given.read_file(&content)?,
                Some(Err(cause)) if named => return refused(cause.text()),
                _ => {}
            }
            given.read(call.words)?;
            plan::command(&given)
        };
        match read(self) {
            Ok(command) => Ok(Parsed::Command(command)),
            Err(End::Help) => Ok(Parsed::Ended(options::help(client), silent())),
            Err(End::Version) => Ok(Parsed::Ended(options::version(client), silent())),
            Err(End::Incomplete(text)) => {
                let error = Error::stand_in(Kind::Usage, 1, text);
                Ok(Parsed::Ended(options::help(client), error))
            }
            Err(end) => Err(error(client, end)),
        }
    }

    fn error(&self, end: End) -> Error {
        error(self.client, end)
    }
}

/// The exit code of a page that was asked for.
fn silent() -> Error {
    Error::stand_in(Kind::Usage, 1, "")
}

fn error(client: Client, end: End) -> Error {
    let lines = match end {
        End::Refused(text) => format!("{text}\nUse '{} --help' to see usage.\n", client.name()),
        End::Unable(text) | End::Incomplete(text) => text,
        End::Help | End::Version => String::new(),
    };
    Error::stand_in(Kind::Usage, 1, lines)
}
