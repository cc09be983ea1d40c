//! `mqtt broker`: the embedded broker, for development and tests.

use std::fs;
use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

use crate::connect::{ListenAddress, ListenOn, Listener, ServerTls};
use crate::error::{Error, Result};
use crate::mqtt::broker::{Acl, Event, Options, Users, serve};
use crate::output::{Format, Notes, Output, Style};
use crate::stop::Stop;

/// What the broker listens on, whom it lets in, and how it behaves.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where it listens; at least one.
    pub listen: Vec<Listen>,
    /// The files for TLS; there whenever a listener speaks it.
    pub tls: Option<ServerTls>,
    /// User names and passwords.
    pub password_file: Option<PathBuf>,
    /// What each user may publish and receive.
    pub acl_file: Option<PathBuf>,
    /// Limits, offers and faults; `users` and `acl` come from the files above when the command runs.
    pub options: Options,
    /// Ends when the process that started it does, however that ends.
    pub end_with_parent: bool,
    /// What the terminal shows.
    pub style: Style,
}

/// One place where the broker listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Port 0 takes a free one.
    pub address: ListenAddress,
    /// Whether TLS protects it.
    pub tls: bool,
    /// Whether it speaks WebSocket.
    pub websocket: bool,
}

/// Serves until a signal comes, which is the good end of a broker.
///
/// # Errors
/// Unreadable files, addresses that cannot be listened on.
pub async fn run(plan: Plan) -> Result<()> {
    if plan.end_with_parent {
        end_with_parent()?;
    }
    let mut output = Output::open(Format::Raw, plan.style)?;
    let mut stop = Stop::watch()?;
    let notes = Notes::new(plan.style);
    let options = plan.options()?;
    let mut listeners = Vec::new();
    for listen in &plan.listen {
        let listener = listen.bind(plan.tls.as_ref()).await?;
        // The first line on standard output is what scripts wait for: whoever reads it can connect.
        output.line(&listen.url(listener.local_addr()));
        listeners.push(listener);
    }
    output.flush().await?;
    notes.note("a broker for development and tests: it keeps everything in memory");
    let (ask, asked) = oneshot::channel::<()>();
    let served = serve(options, listeners, move |event| log(&event, notes), asked);
    tokio::select! {
        ended = served => ended,
        () = async {
            stop.asked().await;
            drop(ask);
            // While clients are told, a second signal ends the process at once.
            stop.asked().await;
        } => Ok(()),
    }
}

/// Ends when the process that started it does.
#[cfg(target_os = "linux")]
pub(super) fn end_with_parent() -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))
        .map_err(|cause| Error::local("cannot watch the parent process", &cause.into()))
}

/// Elsewhere there is no such signal, and whoever starts a broker has to end it.
#[cfg(not(target_os = "linux"))]
pub(super) fn end_with_parent() -> Result<()> {
    Ok(())
}

impl Plan {
    fn options(&self) -> Result<Options> {
        let mut options = self.options.clone();
        if let Some(path) = &self.password_file {
            options.users = Some(parse(path, Users::parse)?);
        }
        if let Some(path) = &self.acl_file {
            options.acl = Some(parse(path, Acl::parse)?);
        }
        Ok(options)
    }
}

/// Reads a file and understands it.
pub(super) fn parse<T>(path: &Path, parser: impl FnOnce(&str) -> Result<T>) -> Result<T> {
    let text = fs::read_to_string(path)
        .map_err(|cause| Error::local(format_args!("cannot read {}", path.display()), &cause))?;
    parser(&text).map_err(|error| Error::usage(format!("{}: {error}", path.display())))
}

impl Listen {
    async fn bind(&self, tls: Option<&ServerTls>) -> Result<Listener> {
        let tls = tls.filter(|_| self.tls).cloned();
        Listener::bind(&ListenOn {
            address: self.address.clone(),
            tls,
            websocket: self.websocket,
        })
        .await
    }

    fn url(&self, address: &ListenAddress) -> String {
        let scheme = match (self.websocket, self.tls) {
            (false, false) => "mqtt",
            (false, true) => "mqtts",
            (true, false) => "ws",
            (true, true) => "wss",
        };
        match address {
            ListenAddress::Tcp(address) => format!("{scheme}://{address}"),
            ListenAddress::Unix(_) => address.to_string(),
        }
    }
}

/// One line for what happened.
fn log(event: &Event, notes: Notes) {
    match event {
        Event::NotAccepted { error } => notes.warn(error),
        Event::QueueFull { client_id } => notes.warn(format_args!(
            "the queue of {client_id} is full (--max-queued, --max-queued-bytes): messages to it are refused or wait"
        )),
        Event::Stopped(counts) => notes.note(format_args!(
            "stopped after {} connections, {} messages in, {} out, {} dropped",
            counts.connections,
            counts.messages_received,
            counts.messages_sent,
            counts.messages_dropped
        )),
        client => notes.note(about_client(client)),
    }
}

/// What a client did, in words.
fn about_client(event: &Event) -> String {
    match event {
        Event::Connected {
            client_id,
            peer,
            version,
            resumed,
        } => {
            let again = if *resumed {
                ", back to its session"
            } else {
                ""
            };
            format!("{client_id} connected from {peer} with {version}{again}")
        }
        Event::Refused {
            client_id,
            peer,
            reason,
        } => {
            format!("{client_id} from {peer} was refused: {reason}")
        }
        Event::Disconnected {
            client_id,
            reason: Some(reason),
        } => {
            format!("{client_id} disconnected: {reason}")
        }
        Event::Disconnected {
            client_id,
            reason: None,
        } => format!("{client_id} vanished"),
        Event::Subscribed {
            client_id,
            filter,
            reason,
        } => {
            format!("{client_id} subscribed to {filter}: {reason}")
        }
        Event::Unsubscribed { client_id, filter } => {
            format!("{client_id} unsubscribed from {filter}")
        }
        // Told by `log` itself.
        Event::NotAccepted { .. } | Event::QueueFull { .. } | Event::Stopped(_) => String::new(),
    }
}
