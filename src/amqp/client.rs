//! One connection: login, deadlines, and what the server says about it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytestring::ByteString;
use futures_util::StreamExt;
use lapin::auth::AuthProvider;
use lapin::types::{LongString, ShortString};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{AsyncTcpStream, Connection, ConnectionProperties};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::compat::TokioAsyncReadCompatExt;

use crate::connect::tls::ClientTls;
use crate::connect::{Secret, Target, dial};
use crate::error::{Error, Result};

use super::channel::Channel;
use super::heard::{Heard, Listening};
use super::panics::PanicGuard;
use super::trace::Watcher;
use super::{diagnose, transport, wire};

/// Bytes; what RabbitMQ proposes too. Never 0 (no limit): lapin would ask for as much memory at once.
pub(crate) const FRAME_MAX: u32 = 131_072;

/// Seconds between heartbeats; a server may ask for fewer.
pub(crate) const HEARTBEAT: u16 = 60;

/// The largest frame that is ever agreed to: larger ones are only more to wait for, and lapin takes 128 times as much
/// memory at once.
pub(crate) const LARGEST_FRAME: u32 = 1 << 20;

/// The smallest frame that a peer must be able to take (AMQP 0-9-1 §4.2.3).
pub(crate) const SMALLEST_FRAME: u32 = 4096;

/// How long a clean end may take; all that counted was acknowledged before.
pub(super) const CLOSING: Duration = Duration::from_secs(1);

/// How long the reason for a closed channel may take to be known.
const EXPLAINING: Duration = Duration::from_millis(200);

/// How the server learns who we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// User name and password (RFC 4616).
    Plain,
    /// The same in a table (AMQP 0-8).
    AmqPlain,
    /// By the client's certificate.
    External,
    /// Not at all (RFC 4505), where a server takes everybody.
    Anonymous,
}

impl Mechanism {
    /// The name in Connection.Start.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::AmqPlain => "AMQPLAIN",
            Self::External => "EXTERNAL",
            Self::Anonymous => "ANONYMOUS",
        }
    }
}

/// Who we are.
#[derive(Clone, Debug)]
pub struct Login {
    /// How it is told.
    pub mechanism: Mechanism,
    /// Not used by [`Mechanism::External`] and [`Mechanism::Anonymous`].
    pub username: String,
    /// Bytes that need not be text.
    pub password: Secret,
    /// Nobody said who we are, so it is `guest` with the password `guest`.
    pub(super) guest: bool,
}

impl Login {
    /// The login that the target's words ask for: the certificate when there is one and no user name, `guest`
    /// when nothing is said, and an empty password when only a user name is.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for a password without a user name.
    pub fn of(target: &Target, mechanism: Option<Mechanism>) -> Result<Self> {
        let certificate = target.tls.as_ref().is_some_and(ClientTls::has_identity);
        let said = (target.username.clone(), target.password.clone());
        let guest = matches!(said, (None, None));
        let (username, password) = match said {
            (Some(username), password) => (username, password.unwrap_or_default()),
            (None, None) => (String::from("guest"), Secret::from("guest")),
            (None, Some(_)) => {
                return Err(Error::usage("a password needs a user name").hint("use -u NAME"));
            }
        };
        let usual = if certificate && guest {
            Mechanism::External
        } else {
            Mechanism::Plain
        };
        Ok(Self {
            mechanism: mechanism.unwrap_or(usual),
            username,
            password,
            guest,
        })
    }

    /// The same with the target's password of the moment.
    pub(super) fn renewed(&self, target: &Target) -> Self {
        let latest = target.latest_password();
        Self {
            password: latest.unwrap_or_else(|| self.password.clone()),
            ..self.clone()
        }
    }

    pub(super) fn who(&self) -> String {
        match self.mechanism {
            Mechanism::External => String::from("the client certificate"),
            Mechanism::Anonymous => String::from("anybody"),
            _ => format!("user {:?}", self.username),
        }
    }
}

impl Login {
    /// What Connection.Start-Ok answers with.
    pub fn response(&self) -> Vec<u8> {
        let (username, password) = (self.username.as_bytes(), self.password.reveal());
        let mut said = Vec::new();
        match self.mechanism {
            Mechanism::Plain => {
                for part in [username, password] {
                    said.push(0);
                    said.extend_from_slice(part);
                }
            }
            // A field table without its length (AMQP 0-9-1 §4.2.5.5).
            Mechanism::AmqPlain => {
                for (name, value) in [(&b"\x05LOGIN"[..], username), (b"\x08PASSWORD", password)] {
                    said.extend_from_slice(name);
                    said.push(b'S');
                    said.extend_from_slice(&(value.len() as u32).to_be_bytes());
                    said.extend_from_slice(value);
                }
            }
            Mechanism::External | Mechanism::Anonymous => {}
        }
        said
    }
}

impl AuthProvider for Login {
    fn mechanism(&self) -> ShortString {
        self.mechanism.name().into()
    }

    fn auth_starter(&self) -> std::result::Result<LongString, String> {
        Ok(self.response().into())
    }
}

/// What a connection is to be like.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who we are.
    pub login: Login,
    /// The virtual host; 1–255 bytes.
    pub vhost: ByteString,
    /// Shown in the server's list of connections.
    pub name: ByteString,
    /// Seconds; 0 leaves it to the server.
    pub heartbeat: u16,
    /// Bytes; from 4096 to 1 MiB, whatever is said.
    pub frame_max: u32,
    /// How long an answer may take.
    pub patience: Duration,
    /// Sees the frames.
    pub watcher: Option<Watcher>,
}

impl Options {
    /// The same with the target's password of the moment.
    pub(crate) fn renewed(&self, target: &Target) -> Self {
        Self {
            login: self.login.renewed(target),
            ..self.clone()
        }
    }

    /// The size of frames to ask for, in bytes.
    pub(crate) fn frame_max(&self) -> u32 {
        self.frame_max.clamp(SMALLEST_FRAME, LARGEST_FRAME)
    }
}

/// What the server says about a connection, unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It takes nothing from us for the time being, for this reason.
    Blocked(String),
    /// It goes on.
    Unblocked,
}

/// A connection that is logged in.
pub struct Client {
    link: Arc<Link>,
}

/// What a connection and its channels share.
pub(super) struct Link {
    pub(super) target: Target,
    pub(super) patience: Duration,
    pub(super) watch: PanicGuard,
    connection: Connection,
    heard: Heard,
    blocked: watch::Receiver<Option<String>>,
    /// What the server closed a channel for.
    reason: watch::Receiver<Option<lapin::Error>>,
    /// All channels that were not closed. lapin closes one behind our back when it is dropped, and if the connection is
    /// closed meanwhile it takes that for an error, and hangs up without connection.close.
    channels: Mutex<Vec<lapin::Channel>>,
}

impl Client {
    /// Connects and logs in, within the target's time for connecting. `on_event` is called as soon as the server
    /// says something.
    ///
    /// # Errors
    /// Those of [`dial()`]; [`crate::error::Kind::Unauthorized`] for a refused login, [`crate::error::Kind::Refused`] for an unknown
    /// virtual host, [`crate::error::Kind::Unreachable`] for another protocol, [`crate::error::Kind::TimedOut`] for silence.
    pub async fn connect(
        target: &Target,
        options: &Options,
        on_event: impl Fn(Event) + Send + 'static,
    ) -> Result<Self> {
        let uri = uri(target, options)?;
        let stream = dial(target).await?;
        let options = &options.renewed(target);
        let (watch, heard) = (PanicGuard::new(), Heard::default());
        // However this ends, also by being dropped half-way, lapin's thread ends too.
        let guard = Leaving(Some((watch.clone(), heard.clone())));
        let stream = Listening::guarded(stream, heard.clone()).watched(options.watcher.as_ref());
        let connecting = log_in(uri, properties(options), stream, watch.clone());
        let limit = target.connect_timeout;
        let objection = heard.until(|said| diagnose::objection(target, &options.login, said));
        let connection = tokio::select! {
            biased;
            text = watch.panicked() => return Err(diagnose::panicked(target, &text)),
            error = objection => return Err(error),
            () = heard.left() => {
                let cause = io::Error::from(io::ErrorKind::UnexpectedEof).into();
                return Err(diagnose::login(target, &options.login, &heard, &cause).await);
            }
            connected = timeout(limit, connecting) => match connected {
                Ok(Ok(connection)) => connection,
                Ok(Err(cause)) => {
                    return Err(diagnose::login(target, &options.login, &heard, &cause).await);
                }
                Err(_) => return Err(diagnose::no_answer(target, limit)),
            },
        };
        guard.stay();
        let (blocked, reason) = follow(&connection, on_event);
        let link = Link {
            target: target.clone(),
            patience: options.patience,
            watch,
            connection,
            heard,
            blocked,
            reason,
            channels: Mutex::default(),
        };
        Ok(Self {
            link: Arc::new(link),
        })
    }

    /// Where this is connected to.
    pub fn target(&self) -> &Target {
        &self.link.target
    }

    /// Bytes, as agreed with the server.
    pub fn frame_max(&self) -> u32 {
        self.link.connection.configuration().frame_max()
    }

    /// Whether the library itself broke on this connection, so that trying again would break it again. Nothing may be
    /// awaited on the connection then: its locks may be held for ever.
    pub fn is_broken(&self) -> bool {
        self.link.watch.has_panicked()
    }

    /// Opens a channel.
    ///
    /// # Errors
    /// A lost connection, a limit of the server, silence.
    pub async fn channel(&self) -> Result<Channel> {
        let opened = self.link.connection.create_channel();
        let link = &self.link;
        let limit = link.patience.min(link.target.connect_timeout);
        let raw = link.guard_for(limit, "to open a channel", opened).await?;
        Ok(Channel::new(raw, Arc::clone(&self.link)))
    }

    /// Ends the connection cleanly where the server plays along, and within a moment in any case.
    pub async fn close(self) {
        let closing = self.link.connection.close(200, "OK".into());
        tokio::select! {
            biased;
            _ = self.link.watch.panicked() => {}
            // A blocked or dead server cannot hold us up.
            _ = timeout(CLOSING, closing) => {}
        }
    }
}

impl Link {
    /// Has a channel live as long as the connection.
    pub(super) fn keep(&self, channel: lapin::Channel) {
        self.channels().push(channel);
    }

    /// A channel is closed.
    pub(super) fn let_go(&self, channel: &lapin::Channel) {
        self.channels().retain(|kept| kept.id() != channel.id());
    }

    fn channels(&self) -> MutexGuard<'_, Vec<lapin::Channel>> {
        // Nothing panics while it is held.
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `future` as long as an answer may take, and for a panic of lapin's thread.
    pub(super) async fn guard<T>(
        &self,
        what: &str,
        future: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T> {
        self.guard_for(self.patience, what, future).await
    }

    async fn guard_for<T>(
        &self,
        limit: Duration,
        what: &str,
        future: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T> {
        tokio::select! {
            biased;
            text = self.watch.panicked() => Err(diagnose::panicked(&self.target, &text)),
            () = self.heard.left() => {
                let cause = io::Error::from(io::ErrorKind::UnexpectedEof).into();
                Err(self.explain(what, cause).await)
            }
            done = timeout(limit, future) => match done {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(cause)) => Err(self.explain(what, cause).await),
                Err(_) => {
                    let blocked = self.blocked.borrow();
                    Err(diagnose::silent(&self.target, what, limit, blocked.as_deref()))
                }
            },
        }
    }

    /// The words for a failed request. lapin tells a request that comes after the end of its channel only that it is
    /// closed; why it was stands elsewhere, perhaps a moment later.
    pub(super) async fn explain(&self, what: &str, cause: lapin::Error) -> Error {
        use lapin::ErrorKind::{InvalidChannel, InvalidChannelState, InvalidConnectionState};
        let told = match cause.kind() {
            InvalidChannelState(..) | InvalidConnectionState(_) | InvalidChannel(_) => {
                let mut reason = self.reason.clone();
                let waited = timeout(EXPLAINING, reason.wait_for(Option::is_some)).await;
                waited
                    .ok()
                    .and_then(std::result::Result::ok)
                    .and_then(|told| told.clone())
            }
            _ => None,
        };
        diagnose::request(&self.target, what, &told.unwrap_or(cause))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        leave(&self.watch, &self.heard);
    }
}

fn leave(watch: &PanicGuard, heard: &Heard) {
    heard.cut();
    if !watch.has_panicked() {
        heard.part();
    }
    watch.end();
}

/// Cuts the connection when it is dropped before it is logged in.
struct Leaving(Option<(PanicGuard, Heard)>);

impl Leaving {
    fn stay(mut self) {
        self.0 = None;
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some((watch, heard)) = &self.0 {
            leave(watch, heard);
        }
    }
}

/// What the server is told about us.
fn properties(options: &Options) -> ConnectionProperties {
    ConnectionProperties::default()
        .with_connection_name(LongString::from(&*options.name))
        .with_client_property("product".into(), "iotctl".into())
        .with_client_property("version".into(), env!("CARGO_PKG_VERSION").into())
        .with_auth_provider(options.login.clone())
}

/// Lets lapin log in over our stream, in a thread that is watched.
async fn log_in(
    uri: AMQPUri,
    properties: ConnectionProperties,
    stream: Listening,
    watch: PanicGuard,
) -> lapin::Result<Connection> {
    let slot = Mutex::new(Some(stream));
    let connect = async move |_, _| {
        // lapin's thread calls this.
        watch.this_thread();
        let taken = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let stream = taken.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected))?;
        Ok(AsyncTcpStream::Plain(stream.compat()))
    };
    Connection::connector(uri, transport::runtime(), connect, properties).await
}

/// lapin's own rules for URLs are not ours, so it is told the parts; where to connect to is not among them.
fn uri(target: &Target, options: &Options) -> Result<AMQPUri> {
    wire::short("virtual host", &options.vhost)?;
    Ok(AMQPUri {
        scheme: AMQPScheme::AMQP,
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo {
                username: options.login.username.clone(),
                password: String::new(),
            },
            host: target.host.clone(),
            port: target.port,
        },
        vhost: options.vhost.to_string(),
        query: AMQPQueryString {
            frame_max: Some(options.frame_max()),
            heartbeat: Some(options.heartbeat),
            ..AMQPQueryString::default()
        },
    })
}

/// What a connection's events leave behind: why it is blocked, and why a channel was closed.
type Followed = (
    watch::Receiver<Option<String>>,
    watch::Receiver<Option<lapin::Error>>,
);

/// Hands the server's events on, until the connection is gone.
fn follow(connection: &Connection, on_event: impl Fn(Event) + Send + 'static) -> Followed {
    let (block, blocked) = watch::channel(None);
    let (explain, reason) = watch::channel(None);
    let mut events = Box::pin(connection.events_listener());
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            match event {
                lapin::Event::ConnectionBlocked(reason) => {
                    block.send_replace(Some(reason.clone()));
                    on_event(Event::Blocked(reason));
                }
                lapin::Event::ConnectionUnblocked => {
                    block.send_replace(None);
                    on_event(Event::Unblocked);
                }
                lapin::Event::Error(cause) => {
                    explain.send_replace(Some(cause));
                }
                _ => {}
            }
        }
    });
    (blocked, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Protocol;
    use crate::error::Kind;

    fn said(username: Option<&str>, password: Option<&str>) -> Target {
        Target {
            username: username.map(str::to_owned),
            password: password.map(Secret::from),
            ..Target::tcp(Protocol::Amqp, "h", 5672)
        }
    }

    fn plain(username: Option<&str>, password: Option<&str>) -> Vec<u8> {
        let login = Login::of(&said(username, password), None).unwrap();
        login.auth_starter().unwrap().as_bytes().to_vec()
    }

    #[test]
    fn nobody_is_guest_and_a_user_without_a_password_has_an_empty_one() {
        assert_eq!(plain(None, None), b"\0guest\0guest");
        assert_eq!(plain(Some("u"), None), b"\0u\0");
        assert_eq!(plain(Some("u"), Some("")), b"\0u\0");
        assert_eq!(plain(Some("u"), Some("p")), b"\0u\0p");
        let error = Login::of(&said(None, Some("p")), None).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
    }

    #[test]
    fn amqplain_is_a_table_without_its_length() {
        let login = Login::of(&said(Some("u"), Some("pw")), Some(Mechanism::AmqPlain)).unwrap();
        let said = login.auth_starter().unwrap();
        assert_eq!(
            said.as_bytes(),
            b"\x05LOGINS\0\0\0\x01u\x08PASSWORDS\0\0\0\x02pw"
        );
    }

    #[test]
    fn the_frame_size_is_never_unlimited() {
        let target = said(None, None);
        for (said, asked) in [(0, 4096), (FRAME_MAX, FRAME_MAX), (1 << 30, 1 << 20)] {
            let options = Options {
                login: Login::of(&target, None).unwrap(),
                vhost: "/".into(),
                name: "t".into(),
                heartbeat: HEARTBEAT,
                frame_max: said,
                patience: Duration::from_secs(1),
                watcher: None,
            };
            assert_eq!(uri(&target, &options).unwrap().query.frame_max, Some(asked));
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let login = Login::of(&said(Some("u"), Some("hunter2")), None).unwrap();
        assert!(!format!("{login:?}").contains("hunter2"));
    }
}
