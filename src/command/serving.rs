//! What every server of ours does around its protocol: the start, the signals, and files that are read again.

use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rustls::ServerConfig;
use tokio::sync::oneshot;

use crate::connect::{LiveTls, ServerTls};
use crate::error::{Error, Kind, Result};
use crate::file;
use crate::output::{Console, Format, Output, Style, terminals};
use crate::server::raise_descriptors;
use crate::stop::{Hangup, Stop};

/// A server that starts. Signals do what they do to every process: what it reads may be a pipe that nobody writes to.
pub(super) struct Starting {
    output: Output,
    pub(super) notes: Console,
    /// Where it listens.
    addresses: Vec<String>,
}

/// A server that runs.
pub(super) struct Serving {
    stop: Stop,
    hangup: Hangup,
    terminals: [bool; 3],
    notes: Console,
    /// Open for as long as the server runs.
    _output: Output,
}

impl Starting {
    /// `end_with_parent`: end when the process that started it does, however that ends.
    ///
    /// # Errors
    /// [`crate::error::Kind::Local`]: no standard output.
    pub(super) fn new(style: Style, end_with_parent: bool) -> Result<Self> {
        if end_with_parent {
            end_with_parents()?;
        }
        raise_descriptors();
        Ok(Self {
            output: Output::open(Format::Raw, style)?,
            notes: Console::new(style),
            addresses: Vec::new(),
        })
    }

    /// A place where it listens now.
    pub(super) fn listens(&mut self, address: String) {
        self.addresses.push(address);
    }

    /// Says where it listens. The first line on standard output is what scripts wait for: whoever reads it can connect,
    /// and send signals.
    ///
    /// # Errors
    /// [`crate::error::Kind::Local`]: no signals, or no standard output; a signal while nobody reads that.
    pub(super) async fn ready(mut self) -> Result<Serving> {
        let mut stop = Stop::watch()?;
        let hangup = Hangup::watch()?;
        for address in &self.addresses {
            self.output.line(address);
        }
        stop.unless_asked(
            "stopped before the listening address was read",
            self.output.flush(),
        )
        .await?;
        Ok(Serving {
            stop,
            hangup,
            terminals: terminals(),
            notes: self.notes,
            _output: self.output,
        })
    }
}

impl Serving {
    /// Waits until the server is to stop. At every SIGHUP until then `read` reads the files, all of them or none, and
    /// `apply` puts them into force and returns how many there were.
    pub(super) async fn asked_to_stop<T: Send + 'static>(
        &mut self,
        read: impl Fn() -> Result<T> + Clone + Send + 'static,
        apply: impl Fn(T) -> usize,
    ) {
        let mut reading = None;
        loop {
            tokio::select! {
                _ = self.stop.asked() => return,
                () = self.hangup.heard() => {
                    if self.is_terminal_gone() {
                        return;
                    }
                    reading = Some(aside(read.clone()));
                }
                outcome = outcome_of(&mut reading) => {
                    reading = None;
                    self.report(outcome.map(&apply));
                }
            }
        }
    }

    fn report(&self, outcome: Result<usize>) {
        match outcome {
            Ok(0) => self.notes.note("SIGHUP: there are no files to reload"),
            Ok(_) => self.notes.note("SIGHUP: files reloaded"),
            Err(error) => self.notes.warn(format_args!(
                "SIGHUP: {error}; the previous settings stay in force"
            )),
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

/// Reads in a thread of its own, which nobody has to wait for: a file may be a pipe without a writer, or on a machine
/// that does not answer.
fn aside<T: Send + 'static>(
    read: impl FnOnce() -> Result<T> + Send + 'static,
) -> oneshot::Receiver<Result<T>> {
    let (tell, told) = oneshot::channel();
    // Where there can be no thread the channel is closed, which says so.
    let _ = thread::Builder::new().spawn(move || tell.send(read()));
    told
}

/// What was read, when it is.
async fn outcome_of<T>(reading: &mut Option<oneshot::Receiver<Result<T>>>) -> Result<T> {
    match reading {
        None => pending().await,
        Some(told) => told
            .await
            .unwrap_or_else(|_| Err(Error::new(Kind::Local, "the files cannot be read now"))),
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

/// Reads the files of TLS again.
///
/// # Errors
/// As [`ServerTls::config`].
pub(super) fn fresh_tls(files: Option<&ServerTls>) -> Result<Option<Arc<ServerConfig>>> {
    files.map(ServerTls::config).transpose()
}

/// Puts them into force; returns for how many listeners.
pub(super) fn renew_tls(listeners: &[LiveTls], fresh: Option<&Arc<ServerConfig>>) -> usize {
    for (listener, config) in listeners.iter().zip(fresh.into_iter().cycle()) {
        listener.replace(Arc::clone(config));
    }
    listeners.len()
}
