//! `mqtt broker`: the embedded broker, for development and tests.

use std::path::PathBuf;

use tokio::sync::oneshot;

use crate::command::serving::{Launch, Starting, fresh_tls, parse, renew_tls};
use crate::connect::{ListenAddress, ListenOn, Listener, LiveTls, Protocol, ServerTls};
use crate::error::{Result, brief, counted};
use crate::mqtt::broker::{Access, Acl, Broker, Event, Options, Users, serve};
use crate::mqtt::packet::Place;
use crate::output::{Console, Style};

/// What the broker listens on, whom it lets in, and how it behaves.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where it listens; at least one.
    pub listen: Vec<Listen>,
    /// The files for TLS; there whenever a listener speaks it.
    pub tls: Option<ServerTls>,
    /// Who may connect, and who may do what, by the listeners without files of their own.
    pub files: Files,
    /// Limits, offers and faults; `access` comes from the files when the command runs.
    pub options: Options,
    /// Who is told, and what runs meanwhile.
    pub launch: Launch,
    /// What the terminal shows.
    pub style: Style,
}

/// The files about users, which SIGHUP reads again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// User names and passwords.
    pub passwords: Option<PathBuf>,
    /// What each user may publish and receive.
    pub rights: Option<PathBuf>,
    /// Whether clients without a user name are let in.
    pub anonymous: bool,
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
    /// Who may do what by this listener; `None`: as by all others ([`Plan::files`]).
    pub own: Option<Files>,
}

/// Serves until a signal comes, which is the good end of a broker.
///
/// # Errors
/// Unreadable files, addresses that cannot be listened on.
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let mut starting = Starting::new(plan.style, &plan.launch)?;
    let notes = starting.notes;
    let mut options = plan.options.clone();
    let own = plan.listen.iter().filter_map(|it| it.own.as_ref());
    let files: Vec<_> = [&plan.files].into_iter().chain(own).cloned().collect();
    options.access = read_access(&files)?;
    let has_users: Vec<_> = options.access.iter().map(|it| it.users.is_some()).collect();
    let broker = Broker::new(options, move |event| log(&event, notes));
    let mut listeners = Vec::new();
    let mut own = 0;
    for listen in &plan.listen {
        let listener = listen.bind(plan.tls.as_ref()).await?;
        own += usize::from(listen.own.is_some());
        let access = if listen.own.is_some() { own } else { 0 };
        let (address, tls) = (
            listener.local_addr(),
            plan.tls.as_ref().filter(|_| listen.tls),
        );
        starting.lets_in(listen.url(address), address, tls, has_users[access]);
        listeners.push((listener, access));
    }
    let mut serving = starting.ready().await?;
    notes.note("a broker for development and tests: it keeps everything in memory");
    let secured: Vec<LiveTls> = listeners.iter().filter_map(|(it, _)| it.tls()).collect();
    let tls = plan.tls.clone().filter(|_| !secured.is_empty());
    let read = move || Ok((read_access(&files)?, fresh_tls(tls.as_ref())?));
    let apply = |(access, tls): (Vec<Access>, Option<_>)| {
        let read = |one: &Access| usize::from(one.users.is_some()) + usize::from(one.acl.is_some());
        let files: usize = access.iter().map(read).sum();
        broker.set_access(access);
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

fn read_access(files: &[Files]) -> Result<Vec<Access>> {
    files.iter().map(Files::access).collect()
}

impl Files {
    fn access(&self) -> Result<Access> {
        Ok(Access {
            users: parse(self.passwords.as_deref(), Users::parse)?,
            acl: parse(self.rights.as_deref(), Acl::parse)?,
            allow_anonymous: self.anonymous,
        })
    }
}

impl Listen {
    async fn bind(&self, tls: Option<&ServerTls>) -> Result<Listener> {
        let tls = tls.filter(|_| self.tls).cloned();
        Listener::bind(&ListenOn {
            protocol: Protocol::Mqtt,
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
fn log(event: &Event, notes: Console) {
    match event {
        Event::NotAccepted { error } => notes.warn(error),
        Event::QueueFull { client_id } => notes.warn(format_args!(
            "the queue of {} is full (--max-queued, --max-queued-bytes): its messages are refused or wait",
            brief(client_id)
        )),
        Event::Stopped(counts) => notes.note(format_args!(
            "stopped after {}, {} received, {} sent, {} dropped",
            counted(counts.connections, "connection"),
            counted(counts.messages_received, "message"),
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
            let again = match resumed {
                true => ", resuming its session",
                false => "",
            };
            let client_id = brief(client_id);
            format!("{client_id} connected from {peer} with {version}{again}")
        }
        Event::Refused {
            client_id,
            peer,
            reason,
        } => {
            let client = match &**client_id {
                "" => String::from("a client"),
                id => brief(id).to_string(),
            };
            format!("{client} from {peer} was refused: {reason}")
        }
        Event::Disconnected { client_id, reason } => {
            let client_id = brief(client_id);
            match reason.map(|it| it.in_packet(Place::Disconnect)) {
                Some(reason) => format!("{client_id} disconnected: {reason}"),
                None => format!("{client_id} disconnected without DISCONNECT"),
            }
        }
        Event::TooLarge {
            client_id,
            packet,
            most,
        } => format!(
            "{packet} for {} is larger than its Maximum Packet Size of {}",
            brief(client_id),
            counted((*most).into(), "byte")
        ),
        Event::Subscribed {
            client_id,
            filter,
            reason,
        } => {
            let (client_id, filter) = (brief(client_id), brief(filter));
            let reason = reason.in_packet(Place::SubAck);
            format!("{client_id} subscribed to {filter}: {reason}")
        }
        Event::Unsubscribed { client_id, filter } => {
            format!("{} unsubscribed from {}", brief(client_id), brief(filter))
        }
        // Told by `log` itself.
        Event::NotAccepted { .. } | Event::QueueFull { .. } | Event::Stopped(_) => String::new(),
    }
}
