//! `amqp broker`: the embedded broker, for development and tests.

use std::path::PathBuf;

use tokio::sync::oneshot;

use super::mqtt_broker::{end_with_parent, parse};
use crate::amqp::broker::{Event, Options, Users, serve};
use crate::connect::{ListenAddress, ListenOn, Listener, ServerTls};
use crate::error::Result;
use crate::output::{Format, Notes, Output, Style};
use crate::stop::Stop;

/// What the broker listens on, whom it lets in, and how it behaves.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where it listens; at least one.
    pub listen: Vec<Listen>,
    /// The files for TLS; there whenever a listener speaks it.
    pub tls: Option<ServerTls>,
    /// User names and passwords, besides those of the options.
    pub password_file: Option<PathBuf>,
    /// Limits and faults; `users` come from the file above when the command runs.
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
    let mut options = plan.options.clone();
    if let Some(path) = &plan.password_file {
        options.users = Some(parse(path, Users::parse)?);
    }
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

impl Listen {
    async fn bind(&self, tls: Option<&ServerTls>) -> Result<Listener> {
        let tls = tls.filter(|_| self.tls).cloned();
        Listener::bind(&ListenOn {
            address: self.address.clone(),
            tls,
            websocket: false,
        })
        .await
    }

    fn url(&self, address: &ListenAddress) -> String {
        let scheme = if self.tls { "amqps" } else { "amqp" };
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
        Event::Blocked(true) => notes.warn("publishers are held back: low on memory, or on request"),
        Event::Blocked(false) => notes.note("publishers may go on"),
        Event::Connected { user, peer, vhost } => {
            notes.note(format_args!("{user} connected from {peer} to vhost {vhost}"));
        }
        Event::Refused { peer, reason } => notes.note(format_args!("{peer} was refused: {reason}")),
        Event::Disconnected { peer, cleanly: true } => notes.note(format_args!("{peer} disconnected")),
        Event::Disconnected { peer, cleanly: false } => notes.note(format_args!("{peer} vanished")),
        Event::Declared { queue } => notes.note(format_args!("queue {queue} was declared")),
        Event::Consuming { peer, queue } => notes.note(format_args!("{peer} consumes from {queue}")),
        Event::Stopped(counts) => notes.note(format_args!(
            "stopped after {} connections, {} messages published, {} delivered, {} unroutable, {} discarded",
            counts.connections, counts.published, counts.delivered, counts.unroutable, counts.discarded
        )),
    }
}
