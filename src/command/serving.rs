//! What every server of ours does around its protocol: the start, the signals, and files that are read again.

use std::ffi::OsString;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use rustls::ServerConfig;
use tokio::sync::oneshot;

use crate::connect::{ListenAddress, LiveTls, ServerTls};
use crate::error::{Error, Kind, Result};
use crate::file::{self, Standing};
use crate::output::{Console, Format, Output, Style, terminals};
use crate::server::raise_descriptors;
use crate::stop::{Hangup, Stop};

use super::guest::Guest;

/// Who is told where a server listens, and what runs meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Launch {
    /// A program and its words, that the server runs for and ends with; empty: until a signal comes.
    pub command: Vec<OsString>,
    /// A file with the URLs, one a line, for as long as clients can connect (`--url-file`).
    pub url_file: Option<PathBuf>,
    /// Ends when the process that started it does, however that ends.
    pub end_with_parent: bool,
}

/// A server that starts. Signals do what they do to every process: what it reads may be a pipe that nobody writes to.
pub(super) struct Starting {
    output: Output,
    pub(super) notes: Console,
    /// Where it listens.
    addresses: Vec<String>,
    command: Vec<OsString>,
    url_file: Option<Standing>,
}

/// A server that runs.
pub(super) struct Serving {
    stop: Stop,
    hangup: Hangup,
    terminals: [bool; 3],
    notes: Console,
    guest: Option<Guest>,
    /// Open for as long as the server runs.
    _output: Output,
    /// There for as long.
    _url_file: Option<Standing>,
}

impl Starting {
    /// Nobody is told yet.
    ///
    /// # Errors
    /// [`crate::error::Kind::Local`]: no standard output, or a file of an earlier run that cannot be taken away.
    pub(super) fn new(style: Style, launch: &Launch) -> Result<Self> {
        if launch.end_with_parent {
            end_with_parents()?;
        }
        raise_descriptors();
        Ok(Self {
            output: Output::open(Format::Raw, style)?,
            notes: Console::new(style),
            addresses: Vec::new(),
            command: launch.command.clone(),
            url_file: launch
                .url_file
                .as_deref()
                .map(Standing::clear)
                .transpose()?,
        })
    }

    /// A place where it listens now.
    pub(super) fn listens(&mut self, address: String) {
        self.addresses.push(address);
    }

    /// The same for a broker, which says so where everybody on a network is let in.
    pub(super) fn lets_in(
        &mut self,
        url: String,
        address: &ListenAddress,
        tls: Option<&ServerTls>,
        has_users: bool,
    ) {
        let certified = tls.is_some_and(|tls| tls.client_ca.is_some());
        let is_local = match address {
            ListenAddress::Tcp(address) => address.ip().to_canonical().is_loopback(),
            ListenAddress::Unix(_) => true,
        };
        if !is_local && !certified && !has_users {
            self.notes.warn(format_args!(
                "anyone who can reach {url} can connect: no users are defined (--password-file)"
            ));
        }
        self.listens(url);
    }

    /// Says where it listens. The first line on standard output is what scripts wait for: whoever reads it can connect,
    /// and send signals. With a command, standard output is that command's.
    ///
    /// # Errors
    /// [`crate::error::Kind::Local`]: no signals, or no standard output; a signal while nobody reads that; a command that
    /// cannot be started.
    pub(super) async fn ready(mut self) -> Result<Serving> {
        let mut stop = Stop::watch()?;
        stop.leave_hangups();
        let hangup = Hangup::watch()?;
        for address in &self.addresses {
            match self.command.is_empty() {
                true => self.output.line(address),
                false => self.notes.note(format_args!("listening on {address}")),
            }
        }
        stop.unless_asked(
            "stopped before the listening address was read",
            self.output.flush(),
        )
        .await?;
        if let Some(file) = &self.url_file {
            let lines: String = self.addresses.iter().flat_map(|it| [it, "\n"]).collect();
            file.put(lines.as_bytes())?;
        }
        let url = self.addresses.first().map_or("", |address| address);
        Ok(Serving {
            guest: Guest::start(&self.command, url)?,
            stop,
            hangup,
            terminals: terminals(),
            notes: self.notes,
            _output: self.output,
            _url_file: self.url_file,
        })
    }
}

impl Serving {
    /// Waits until the server is to stop: for a signal, or with a command for its end; it gets the signals. At every SIGHUP
    /// until then `read` reads the files, all of them or none, and `apply` puts them into force and returns how many there
    /// were.
    ///
    /// # Errors
    /// [`Kind::Command`]: the command's exit code.
    pub(super) async fn asked_to_stop<T: Send + 'static>(
        &mut self,
        read: impl Fn() -> Result<T> + Clone + Send + 'static,
        apply: impl Fn(T) -> usize,
    ) -> Result<()> {
        let mut reading = None;
        loop {
            tokio::select! {
                asked = self.stop.asked() => match &self.guest {
                    None => return Ok(()),
                    // A second signal ends both at once.
                    Some(guest) => guest.pass_on(asked),
                },
                ended = end_of(&mut self.guest) => return ended,
                () = self.hangup.heard() => {
                    if is_terminal_gone(self.terminals) {
                        return Ok(());
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

    /// Waits for one more signal, while clients are told.
    pub(super) async fn asked_again(&mut self) {
        self.stop.asked().await;
    }
}

/// Whether SIGHUP came because the terminal was closed in which we were started: it is to end then.
pub(super) fn is_terminal_gone(at_start: [bool; 3]) -> bool {
    let now = terminals();
    at_start.iter().zip(now).any(|(was, is)| *was && !is)
}

/// Waits for the end of the command, if there is one, and says what it means.
async fn end_of(guest: &mut Option<Guest>) -> Result<()> {
    match guest {
        None => pending().await,
        Some(guest) => {
            guest.ends().await?;
            guest.verdict()
        }
    }
}

/// Reads in a thread of its own, which nobody has to wait for: a file may be a pipe without a writer, or on a machine
/// that does not answer.
pub(super) fn aside<T: Send + 'static>(
    read: impl FnOnce() -> Result<T> + Send + 'static,
) -> oneshot::Receiver<Result<T>> {
    let (tell, told) = oneshot::channel();
    // Where there can be no thread the channel is closed, which says so.
    let _ = thread::Builder::new().spawn(move || tell.send(read()));
    told
}

/// What was read, when it is.
pub(super) async fn outcome_of<T>(reading: &mut Option<oneshot::Receiver<Result<T>>>) -> Result<T> {
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
    parser: impl FnOnce(&str) -> Result<T, file::Flaw>,
) -> Result<Option<T>> {
    let Some(path) = path else {
        return Ok(None);
    };
    let text = file::read_text(path, file::SMALL)?;
    let parsed = parser(&text);
    parsed
        .map(Some)
        .map_err(|flaw| flaw.refuses(path.display()))
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
