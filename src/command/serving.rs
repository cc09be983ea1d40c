//! What every server of ours does around its protocol: the start, the signals, and files that are read again.

use std::path::Path;

use crate::connect::hosting::raise_descriptors;
use crate::connect::{LiveTls, ServerTls};
use crate::error::{Error, Result};
use crate::file;
use crate::output::{Format, Notes, Output, Style, terminals};
use crate::stop::{Hangup, Stop};

/// A server that starts, and then runs.
pub(super) struct Serving {
    /// Its addresses go there.
    pub(super) output: Output,
    pub(super) notes: Notes,
    stop: Stop,
    hangup: Hangup,
    terminals: [bool; 3],
}

impl Serving {
    /// `end_with_parent`: end when the process that started it does, however that ends.
    ///
    /// # Errors
    /// [`crate::error::Kind::Local`]: no signals, or no standard output.
    pub(super) fn start(style: Style, end_with_parent: bool) -> Result<Self> {
        if end_with_parent {
            end_with_parents()?;
        }
        raise_descriptors();
        Ok(Self {
            output: Output::open(Format::Raw, style)?,
            notes: Notes::new(style),
            stop: Stop::watch()?,
            hangup: Hangup::watch()?,
            terminals: terminals(),
        })
    }

    /// Waits until the server is to stop; at every SIGHUP until then `read_again` does what its name says, all of it or
    /// nothing, and returns how many files there were.
    pub(super) async fn asked_to_stop(&mut self, read_again: impl Fn() -> Result<usize>) {
        loop {
            tokio::select! {
                _ = self.stop.asked() => return,
                () = self.hangup.heard() => {}
            }
            if self.is_terminal_gone() {
                return;
            }
            match read_again() {
                Ok(0) => self.notes.note("SIGHUP: there are no files to read again"),
                Ok(_) => self.notes.note("SIGHUP: the files were read again"),
                Err(error) => self.notes.warn(format_args!(
                    "SIGHUP: {error}; what was read before stays in force"
                )),
            }
        }
    }

    /// Whether the signal came because the terminal was closed in which the server was started: it is to end then.
    fn is_terminal_gone(&self) -> bool {
        let now = terminals();
        self.terminals.iter().zip(now).any(|(was, is)| *was && !is)
    }

    /// Waits for one more signal, while clients are told.
    pub(super) async fn asked_again(&mut self) {
        self.stop.asked().await;
    }
}

/// Ends when the process that started it does.
#[cfg(target_os = "linux")]
fn end_with_parents() -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))
        .map_err(|cause| Error::local("cannot watch the parent process", &cause.into()))
}

/// Elsewhere there is no such signal, and whoever starts a broker has to end it.
#[cfg(not(target_os = "linux"))]
fn end_with_parents() -> Result<()> {
    Ok(())
}

/// Reads a file, if there is one to be read, and understands it.
///
/// # Errors
/// It cannot be read, or `parser` says what is wrong with it.
pub(super) fn parse<T>(
    path: Option<&Path>,
    parser: impl FnOnce(&str) -> Result<T>,
) -> Result<Option<T>> {
    let Some(path) = path else {
        return Ok(None);
    };
    let text = file::read_text(path, file::SMALL)?;
    let parsed = parser(&text);
    parsed
        .map(Some)
        .map_err(|error| Error::usage(format!("{}: {error}", path.display())))
}

/// Reads the files of TLS again; the result puts them into force.
///
/// # Errors
/// As [`ServerTls::config`].
pub(super) fn fresh_tls<'a>(
    files: Option<&ServerTls>,
    listeners: &'a [LiveTls],
) -> Result<impl FnOnce() + use<'a>> {
    let config = files.filter(|_| !listeners.is_empty());
    let config = config.map(ServerTls::config).transpose()?;
    Ok(move || {
        for (listener, config) in listeners.iter().zip(config.iter().cycle()) {
            listener.replace(config.clone());
        }
    })
}
