//! `amqp broker`: the embedded broker, for development and tests.

use std::path::PathBuf;

use tokio::sync::oneshot;

use crate::amqp::broker::{Broker, Event, Options, Users, serve};
use crate::command::serving::{Launch, Starting, fresh_tls, parse, renew_tls};
use crate::connect::{ListenAddress, ListenOn, Listener, LiveTls, Protocol, ServerTls};
use crate::error::{Result, brief, counted};
use crate::output::{Console, Style};

/// What the broker listens on, whom it lets in, and how it behaves.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where it listens; at least one.
    pub listen: Vec<Listen>,
    /// The files for TLS; there whenever a listener speaks it.
    pub tls: Option<ServerTls>,
    /// User names and passwords, instead of those of the options.
    pub password_file: Option<PathBuf>,
    /// Limits and faults; `users` come from the file above when the command runs.
    pub options: Options,
    /// Who is told, and what runs meanwhile.
    pub launch: Launch,
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
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let mut starting = Starting::new(plan.style, &plan.launch)?;
    let notes = starting.notes;
    let mut options = plan.options.clone();
    options.users = plan.users()?.or(options.users);
    let has_users = options.users.is_some();
    let broker = Broker::new(options, move |event| log(&event, notes));
    let mut listeners = Vec::new();
    for listen in &plan.listen {
        let listener = listen.bind(plan.tls.as_ref()).await?;
        let (address, tls) = (
            listener.local_addr(),
            plan.tls.as_ref().filter(|_| listen.tls),
        );
        starting.lets_in(listen.url(address), address, tls, has_users);
        listeners.push(listener);
    }
    let mut serving = starting.ready().await?;
    notes.note("a broker for development and tests: it keeps everything in memory");
    let secured: Vec<LiveTls> = listeners.iter().filter_map(Listener::tls).collect();
    let tls = plan.tls.clone().filter(|_| !secured.is_empty());
    let read = move || Ok((plan.users()?, fresh_tls(tls.as_ref())?));
    let apply = |(users, tls): (Option<Users>, Option<_>)| {
        let files = usize::from(users.is_some());
        if let Some(users) = users {
            broker.set_users(users);
        }
        files + renew_tls(&secured, tls.as_ref())
    };
    let (ask, asked) = oneshot::channel::<()>();
    let mut outcome = Ok(());
    let ended = tokio::select! {
        ended = serve(broker.clone(), listeners, asked) => ended,
        () = async {
            outcome = serving.asked_to_stop(read, apply).await;
            drop(ask);
            // While clients are told, a second signal ends the process at once.
            serving.asked_again().await;
        } => Ok(()),
    };
    outcome.and(ended)
}

impl Plan {
    /// The users of the file, if there is one.
    fn users(&self) -> Result<Option<Users>> {
        parse(self.password_file.as_deref(), Users::parse)
    }
}

impl Listen {
    async fn bind(&self, tls: Option<&ServerTls>) -> Result<Listener> {
        let tls = tls.filter(|_| self.tls).cloned();
        Listener::bind(&ListenOn {
            protocol: Protocol::Amqp,
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
fn log(event: &Event, notes: Console) {
    match event {
        Event::NotAccepted { error } => notes.warn(error),
        Event::Blocked(true) => notes.warn("publishers are blocked: low on memory, or by --fault"),
        Event::Blocked(false) => notes.note("publishers are unblocked"),
        Event::Connected { user, peer, vhost } => {
            let user = brief(user);
            notes.note(format_args!(
                "{user} connected from {peer} to vhost {vhost}"
            ));
        }
        Event::Refused { peer, reason } => notes.note(format_args!("{peer} was refused: {reason}")),
        Event::Disconnected {
            peer,
            cleanly: true,
        } => notes.note(format_args!("{peer} disconnected")),
        Event::Disconnected {
            peer,
            cleanly: false,
        } => notes.note(format_args!("{peer} disconnected without connection.close")),
        Event::Declared { queue } => notes.note(format_args!("queue {queue} was declared")),
        Event::Consuming { peer, queue } => {
            notes.note(format_args!("{peer} consumes from {queue}"))
        }
        Event::Stopped(counts) => notes.note(format_args!(
            "stopped after {}, {} received, {} sent, {} unroutable, {} dropped",
            counted(counts.connections, "connection"),
            counted(counts.published, "message"),
            counts.delivered,
            counts.unroutable,
            counts.discarded
        )),
    }
}
