//! What every AMQP client command says about its connection.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use bytestring::ByteString;

use super::super::trace::Trace;
use crate::amqp::client::{FRAME_MAX, HEARTBEAT};
use crate::amqp::consumer::queue_words;
use crate::amqp::topology::{Declaration, QueueState};
use crate::amqp::trace::Watcher;
use crate::amqp::{Channel, Client, Event, Login, Mechanism, Options, v1, v091};
use crate::connect::failure::reconnected;
use crate::connect::{self, Backoff, Environment, Protocol, Retry, Target};
use crate::error::{Cause, Error, Kind, Result};
pub(crate) use crate::flow::until::messages;
use crate::output::Console;

/// Which of the two protocols called AMQP is spoken (`--protocol`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speaks {
    /// 0-9-1, and 1.0 with a server whose greeting says that it speaks only that.
    #[default]
    Either,
    /// 0-9-1.
    V091,
    /// 1.0.
    V10,
}

/// The words about one AMQP connection, as the command line gave them.
///
/// Nothing is looked up here: the address, the secrets and the context are resolved when the command runs.
#[derive(Clone, Debug)]
pub struct SessionArgs {
    /// Where to, and how.
    pub connect: connect::ConnectArgs,
    /// Which AMQP (`--protocol`); only publish, consume and ping look at it.
    pub protocol: Speaks,
    /// The virtual host (`--vhost`); otherwise the path of the URL, otherwise `/`.
    pub vhost: Option<ByteString>,
    /// How to log in (`--auth`); otherwise by certificate where there is one and no user name, else `PLAIN`.
    pub mechanism: Option<Mechanism>,
    /// Seconds between heartbeats (`--heartbeat`, default 60); the server may ask for fewer.
    pub heartbeat: u16,
    /// Bytes (`--frame-max`, default 131072, at least 4096). Memory per connection follows from it.
    pub frame_max: u32,
    /// The connection's name in the server's lists (`--connection-name`); otherwise `iotctl COMMAND`.
    pub name: Option<ByteString>,
    /// How long the server may take to reply to a request (`--reply-timeout`, default 30 s).
    pub patience: Duration,
    /// Each frame is shown (`--trace`).
    pub trace: bool,
}

impl Default for SessionArgs {
    fn default() -> Self {
        Self {
            connect: connect::ConnectArgs::default(),
            protocol: Speaks::default(),
            vhost: None,
            mechanism: None,
            heartbeat: HEARTBEAT,
            frame_max: FRAME_MAX,
            name: None,
            patience: Duration::from_secs(30),
            trace: false,
        }
    }
}

/// A resolved connection that can be made as often as it is lost.
pub(crate) struct Session {
    pub(crate) target: Target,
    pub(crate) options: Options,
    notes: Console,
    speaks: Cell<Speaks>,
    first: Retry,
    backoff: RefCell<Backoff>,
}

impl SessionArgs {
    /// Resolves the words: every file is read, every secret asked for. `later` says how long to keep trying to
    /// come back after a lost connection, unless `--retry` says.
    pub(crate) fn session(&self, command: &str, later: Retry, notes: Console) -> Result<Session> {
        let (target, options) = self.resolved(command, notes)?;
        Ok(Session {
            first: target.retry.unwrap_or(Retry::Never),
            backoff: Backoff::new(target.retry.unwrap_or(later)).into(),
            target,
            options,
            notes,
            speaks: Cell::new(self.protocol),
        })
    }

    /// The same for who makes connections of another kind.
    pub(crate) fn resolved(&self, command: &str, notes: Console) -> Result<(Target, Options)> {
        let words = self.connect.clone();
        let target = words.resolve(Protocol::Amqp, &Environment::of_process())?;
        target.prepare()?;
        if target.is_insecure() {
            notes.warn(format_args!(
                "the certificate of {target} is not verified (--insecure)"
            ));
        }
        let path = || target.path.clone().map(ByteString::from);
        let vhost = self.vhost.clone().or_else(path);
        let name = || format!("iotctl {command}").into();
        let options = Options {
            login: Login::of(&target, self.mechanism)?,
            vhost: vhost.unwrap_or_else(|| "/".into()),
            name: self.name.clone().unwrap_or_else(name),
            heartbeat: self.heartbeat,
            frame_max: self.frame_max,
            patience: self.patience,
            watcher: self.trace.then(|| {
                let trace = Trace::new(notes);
                Watcher::new(move |sent, text| trace.line(sent, text))
            }),
        };
        Ok((target, options))
    }
}

impl Session {
    /// Connects, trying again as `--retry` says.
    pub(crate) async fn connect(&self) -> Result<Client> {
        self.connect_by(Self::client).await
    }

    /// The same with what `make` makes of the session.
    pub(crate) async fn connect_by<T>(&self, make: impl AsyncFn(&Self) -> Result<T>) -> Result<T> {
        let backoff = RefCell::new(Backoff::new(self.first));
        loop {
            match make(self).await {
                Ok(client) => {
                    self.backoff.borrow_mut().connected(Instant::now());
                    return Ok(client);
                }
                Err(error) if error.kind() == Kind::Refused => return Err(error),
                Err(error) => self.wait(error, &backoff).await?,
            }
        }
    }

    /// Whether what `error` ended is worth to be made again: a queue that is gone, or another refusal by a server that
    /// took the same before, only where `--retry` asks for it.
    pub(crate) fn is_outage(&self, error: &Error) -> bool {
        match error.kind() {
            Kind::Unreachable | Kind::Lost | Kind::TimedOut => true,
            Kind::Refused => !matches!(self.target.retry, None | Some(Retry::Never)),
            _ => false,
        }
    }

    /// The server has ended our consumer.
    pub(crate) fn cancelled(&self, queue: &str) -> Error {
        let target = &self.target;
        let queue = queue_words(queue);
        let text = format!("{target} cancelled the consumer: {queue} is gone");
        Error::new(Kind::Refused, text)
    }

    /// Something got through since the last outage.
    pub(crate) fn progressed(&self) {
        self.backoff.borrow_mut().progressed();
    }

    /// Makes again, with `make`, what `error` ended, which is said; fails with it when it is no time to.
    pub(crate) async fn remake<T>(
        &self,
        error: Error,
        make: impl AsyncFn(&Self) -> Result<T>,
    ) -> Result<T> {
        let began = Instant::now();
        let mut error = error;
        loop {
            self.wait(error, &self.backoff).await?;
            match make(self).await {
                Ok(client) => {
                    self.backoff.borrow_mut().connected(Instant::now());
                    self.notes.note(reconnected(&self.target, began));
                    return Ok(client);
                }
                Err(next) => error = next,
            }
        }
    }

    async fn wait(&self, error: Error, backoff: &RefCell<Backoff>) -> Result<()> {
        let wait = backoff.borrow_mut().next(Instant::now());
        let wait = wait.filter(|_| self.is_outage(&error));
        let Some(wait) = wait else { return Err(error) };
        self.target.move_on();
        let shown = humantime::format_duration(Duration::from_millis(wait.as_millis() as u64));
        if backoff.borrow_mut().tells(error.text(), Instant::now()) {
            self.notes
                .warn(format_args!("{error}; retrying in {shown}"));
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Makes a connection: `v091` over 0-9-1, `v1` over 1.0 where that was asked for or where the server speaks only
    /// that, which is said once.
    pub(crate) async fn over<T>(
        &self,
        v091: impl AsyncFn(&Self) -> Result<T>,
        one: impl AsyncFn(&Self) -> Result<T>,
    ) -> Result<T> {
        if self.speaks.get() == Speaks::V10 {
            return one(self).await;
        }
        match v091(self).await {
            Err(error)
                if self.speaks.get() == Speaks::Either
                    && error.cause() == Some(Cause::SpeaksAmqp10) =>
            {
                if let Err(absent) = v1::available() {
                    return Err(match absent.hint_text() {
                        Some(hint) => error.hint(format!("{absent}: {hint}")),
                        None => error,
                    });
                }
                self.speaks.set(Speaks::V10);
                let target = &self.target;
                self.notes
                    .note(format_args!("{target} supports AMQP 1.0 only; using it"));
                one(self).await
            }
            made => made,
        }
    }

    /// Connects once with frames of our own, and declares; with `confirms` the server confirms what is published.
    pub(crate) async fn receiver(
        &self,
        declare: &[Declaration],
        confirms: bool,
    ) -> Result<v091::Connection> {
        let (target, options) = (&self.target, &self.options);
        let connecting =
            v091::Connection::connect(target, options, self.on_event(), confirms, usize::MAX);
        let mut connection = connecting.await?;
        for declaration in declare {
            connection.declare(declaration).await?;
        }
        Ok(connection)
    }

    /// Connects once.
    pub(crate) async fn client(&self) -> Result<Client> {
        Client::connect(&self.target, &self.options, self.on_event()).await
    }

    /// Says what the server says about the connection.
    pub(crate) fn on_event(&self) -> impl Fn(Event) + Send + 'static {
        let (notes, target) = (self.notes, self.target.to_string());
        move |event| match event {
            Event::Blocked(reason) => {
                notes.warn(format_args!("{target} blocked the connection: {reason}"))
            }
            Event::Unblocked => notes.note(format_args!("{target} unblocked the connection")),
        }
    }
}

/// Refuses the first of the flags that was given, as AMQP 1.0 knows nothing like it.
///
/// # Errors
/// [`Kind::Usage`], naming the flag.
pub(crate) fn not_of_one(flags: &[(bool, &str)]) -> Result<()> {
    match flags.iter().find(|(given, _)| *given) {
        None => Ok(()),
        Some((_, flag)) => Err(Error::usage(format!("{flag} is not supported in AMQP 1.0"))
            .hint("remove it, or use --protocol 0-9-1 if the server supports it")),
    }
}

/// A connection with one channel on it, on which everything was declared.
pub(crate) async fn prepared(
    client: &Client,
    declare: &[Declaration],
) -> Result<(Channel, Option<QueueState>)> {
    let channel = client.channel().await?;
    let mut last = None;
    for declaration in declare {
        last = channel.declare(declaration).await?.or(last);
    }
    Ok((channel, last))
}
