//! Where the library runs, and how it begins and ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use fe2o3_amqp::connection::ConnectionHandle;
use fe2o3_amqp::session::SessionHandle;
use fe2o3_amqp::types::definitions::Fields;
use fe2o3_amqp::types::primitives::{Symbol, Value};
use fe2o3_amqp::{Connection, Session};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::super::address::Dialect;
use super::super::client::{CLOSING, Options};
use super::super::diagnose::{no_answer, panicked};
use super::super::heard::{Heard, Listening};
use super::super::panics::PanicGuard;
use super::diagnose::{self, End};
use super::gathered::Gathered;
use super::{sasl, server};
use crate::connect::{Target, dial};
use crate::error::{Error, Result};

/// How long the reason for a lost connection may take to be known.
const EXPLAINING: Duration = Duration::from_millis(200);

/// How many transfers may be under way on a session, both ways; what really bounds them are credit and our window.
const TRANSFERS: u32 = 65_536;

/// A connection with one session, in the thread that it lives in.
pub(super) struct Opened {
    pub(super) session: SessionHandle<()>,
    pub(super) connection: ConnectionHandle<()>,
    /// How the server writes addresses.
    pub(super) dialect: Dialect,
    pub(super) target: Target,
    /// How long an answer may take.
    pub(super) patience: Duration,
    /// Whether the server broke the rules.
    broken: Arc<AtomicBool>,
}

/// Told once when all is ready, or why it is not.
pub(super) type Ready = oneshot::Sender<Result<Dialect>>;

impl Opened {
    /// The words for the end of a link or a session; why it ended may be known only where the connection did.
    pub(super) async fn explain(&mut self, what: &str, why: impl Into<End>) -> Error {
        let end = match why.into() {
            End::Gone => match timeout(EXPLAINING, self.connection.on_close()).await {
                Ok(Err(cause)) => cause.into(),
                Ok(Ok(())) | Err(_) => End::Gone,
            },
            known => known,
        };
        if matches!(end, End::Nonsense(_)) {
            self.broken.store(true, Ordering::Relaxed);
        }
        end.words(&self.target, what)
    }

    /// Ends the connection cleanly where the server plays along, and within a moment in any case.
    pub(super) async fn close(mut self) {
        let _ = timeout(CLOSING, self.connection.close()).await;
    }
}

/// The thread, from outside.
pub(super) struct Thread {
    pub(super) target: Target,
    /// How the server writes addresses.
    pub(super) dialect: Dialect,
    watch: PanicGuard,
    heard: Heard,
    broken: Arc<AtomicBool>,
    ended: oneshot::Receiver<()>,
}

impl Thread {
    /// Connects, logs in and begins a session in a thread of its own, and has `job` go on there until it says that it is
    /// ready.
    ///
    /// # Errors
    /// Those of [`dial()`], a refused login, silence; what `job` is not ready for.
    pub(super) async fn start<F: Future<Output = ()>>(
        target: &Target,
        options: &Options,
        job: impl FnOnce(Opened, Ready) -> F + Send + 'static,
    ) -> Result<Self> {
        let (watch, heard) = (PanicGuard::new(), Heard::default());
        let broken = Arc::new(AtomicBool::new(false));
        let (ready, prepared) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let mut this = Self {
            target: target.clone(),
            dialect: Dialect::Plain,
            watch: watch.clone(),
            heard: heard.clone(),
            broken: Arc::clone(&broken),
            ended,
        };
        let (goal, options) = (target.clone(), options.clone());
        let work = move || {
            watch.this_thread();
            let made = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            match made {
                Ok(runtime) => {
                    runtime.block_on(run(goal, options, heard, broken, job, ready));
                    // A name lookup may be under way for minutes.
                    runtime.shutdown_background();
                }
                Err(cause) => drop(ready.send(Err(Error::local("cannot start", &cause)))),
            }
            let _ = end.send(());
        };
        let spawned = thread::Builder::new()
            .name(String::from("amqp-1.0"))
            .spawn(work);
        spawned.map_err(|cause| Error::local("cannot start a thread", &cause))?;
        let prepared = async { prepared.await.unwrap_or_else(|_| Err(this.gone())) };
        this.dialect = this.unless_panicked(prepared).await??;
        Ok(this)
    }

    /// Waits for the thread, and for a panic in it.
    ///
    /// # Errors
    /// The panic.
    pub(super) async fn unless_panicked<T>(&self, waited: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            biased;
            text = self.watch.panicked() => Err(panicked(&self.target, &text)),
            done = waited => Ok(done),
        }
    }

    /// Whether the library broke, or the server broke the rules, so that trying again would come to the same.
    pub(super) fn is_broken(&self) -> bool {
        self.watch.has_panicked() || self.broken.load(Ordering::Relaxed)
    }

    /// The words for a thread that ended without any.
    pub(super) fn gone(&self) -> Error {
        End::Gone.words(&self.target, "")
    }

    /// Waits for the end of the thread, whose job has none any more; but not for long.
    pub(super) async fn join(mut self) {
        let ended = timeout(3 * CLOSING, &mut self.ended);
        tokio::select! {
            biased;
            _ = self.watch.panicked() => {}
            _ = ended => {}
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.heard.cut();
        self.watch.end();
    }
}

/// The life of the thread.
async fn run<F: Future<Output = ()>>(
    target: Target,
    options: Options,
    heard: Heard,
    broken: Arc<AtomicBool>,
    job: impl FnOnce(Opened, Ready) -> F,
    ready: Ready,
) {
    let stream = match dial(&target).await {
        Ok(stream) => Listening::new(stream, heard.clone()).watched(options.watcher.as_ref()),
        Err(error) => return drop(ready.send(Err(error))),
    };
    let options = options.renewed(&target);
    let limit = target.connect_timeout;
    let opened = timeout(limit, open(&target, &options, &heard, stream)).await;
    match opened.unwrap_or_else(|_| Err(no_answer(&target, limit))) {
        Ok(opened) => job(Opened { broken, ..opened }, ready).await,
        Err(error) => drop(ready.send(Err(error))),
    }
}

async fn open(
    target: &Target,
    options: &Options,
    heard: &Heard,
    mut stream: Listening,
) -> Result<Opened> {
    let host = hostname(target, options);
    if let Err(why) = sasl::log_in(&mut stream, &options.login, &host).await {
        return Err(diagnose::login(target, &options.login, heard, why).await);
    }
    let mut builder = Connection::builder()
        .container_id(&*options.name)
        .hostname(&*host)
        // TLS, where there is any, is below the stream.
        .scheme("amqp")
        .max_frame_size(options.frame_max())
        .channel_max(0)
        .properties(properties());
    if options.heartbeat > 0 {
        // A peer that has nothing to say says so twice as often (AMQP 1.0 part 2 §2.4.5).
        builder = builder.idle_time_out(u32::from(options.heartbeat) * 2000);
    }
    let what = "the connection";
    let words = |end: End| end.words(target, what);
    let opening = builder.open_with_stream(Gathered::new(stream)).await;
    let mut connection = opening.map_err(|error| words(error.into()))?;
    let dialect = server::dialect(&heard.bytes());
    let begun = Session::builder()
        .incoming_window(TRANSFERS)
        .outgoing_window(TRANSFERS)
        .begin(&mut connection)
        .await;
    let session = match begun {
        Ok(session) => session,
        Err(error) => {
            // RabbitMQ opens first and closes when it has looked at the virtual host.
            let end = match timeout(EXPLAINING, connection.on_close()).await {
                Ok(Err(cause)) => cause.into(),
                Ok(Ok(())) | Err(_) => error.into(),
            };
            return Err(words(end));
        }
    };
    Ok(Opened {
        session,
        connection,
        dialect,
        target: target.clone(),
        patience: options.patience,
        broken: Arc::default(),
    })
}

/// The host, or the virtual host as RabbitMQ wants it where one was named.
fn hostname(target: &Target, options: &Options) -> String {
    match &*options.vhost {
        "/" => target.host.clone(),
        vhost => format!("vhost:{vhost}"),
    }
}

/// What the server is told about us.
fn properties() -> Fields {
    [
        ("product", "iotctl"),
        ("version", env!("CARGO_PKG_VERSION")),
    ]
    .into_iter()
    .map(|(name, value)| (Symbol::from(name), Value::String(value.to_owned())))
    .collect()
}
