//! The tokio driver of a client's session: dials, reads, writes, keeps the time, and reconnects.
//!
//! [`Client::drive`] does all the work, a batch at a time; what happened is then taken from
//! [`Client::poll_event`] and [`Client::poll_notice`] without waiting. Nothing is lost when a future of
//! this module is dropped: all state lives in [`Client`].
//!
//! | part | what it is for |
//! |---|---|
//! | `half` | a client with two owners: who receives, and who publishes |
//! | `hold` | a connection while nobody takes what comes over it |
//! | `exchange`, `pace` | bytes to and from the stream, and when to read |
//! | `concede` | what the server does not know or allow is done without |
//! | `contest` | another client with the same identifier |
//! | `first` | the way back to the first of several servers |
//! | `ways` | what not every client does |
//! | `diagnose`, `watch` | what went wrong, in words; what is shown of the packets |

mod concede;
mod contest;
pub(crate) mod diagnose;
mod exchange;
mod first;
mod half;
mod hold;
mod pace;
mod watch;
mod ways;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use tokio::time::{sleep, timeout};

use self::contest::Contest;
use self::exchange::{Moved, exchange, finish};
use self::first::First;
pub(crate) use self::half::{Connection, Half};
use self::pace::Pace;
use self::watch::Watch;
pub(crate) use self::watch::{Watcher, Way};
use super::packet::{Connect, Disconnect, Publish, QoS, ReasonCode};
use super::session::client::{Event, Session, Ticket, Unsendable};
use super::session::fault::Fault;
use crate::connect::{Backoff, Retry, Stream, Target, dial};
use crate::error::{Error, Result};

/// How much is read at once. Large reads are what makes high rates cheap.
const READ_SIZE: usize = 64 * 1024;

/// How long a closing connection may take to write what is left, and the server to close its side.
pub(crate) const CLOSING: Duration = Duration::from_secs(2);

/// The same where nothing can be lost but the goodbye.
const PARTING: Duration = Duration::from_millis(200);

/// What the user may want to know about the connection itself.
#[derive(Debug)]
pub(crate) enum Notice {
    /// The connection failed or was lost; another try follows.
    Lost {
        /// Why.
        error: Error,
        /// When the next try begins, from now.
        retry_in: Duration,
        /// Whether the user is to hear of it: not of each try of an outage.
        tells: bool,
    },
    /// The server does not speak MQTT 5; the session goes on with MQTT 3.1.1.
    FellBack,
    /// The server has closed so many connections in a row, each soon after it was made: another client may have the identifier.
    Contested {
        /// The identifier.
        id: ByteString,
        /// How many connections.
        times: u32,
    },
    /// The server takes no connections of bridges; the session goes on as that of any other client.
    NoBridge,
    /// The connection failed or was lost, which the other owner of the client is told in words.
    Gone,
    /// The server keeps the session for so many seconds without a connection, and was asked for more.
    KeptLess { granted: u32, asked: u32 },
}

/// How long to keep trying.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// For the very first connection.
    pub first: Retry,
    /// After a connection was lost.
    pub later: Retry,
}

type Dialing = Pin<Box<dyn Future<Output = Result<Stream>>>>;

enum Link {
    /// Nothing under way; the next step dials.
    Down,
    Waiting(Pin<Box<tokio::time::Sleep>>),
    Dialing(Dialing),
    Open(Box<Stream>),
}

/// A session with a server, kept alive over a connection that may come and go.
pub(crate) struct Client {
    target: Arc<Target>,
    session: Session,
    link: Link,
    input: BytesMut,
    patience: Timeouts,
    may_fall_back: bool,
    /// A session that was taken over once may be taken back.
    takes_back: bool,
    /// A connection that the server ends over a message is made again.
    outlives_objections: bool,
    /// The first connection counts as soon as CONNECT is answered.
    comes_back_early: bool,
    /// Nobody else has the identifier, as it was drawn by lot.
    random_id: bool,
    /// When another client took over the session.
    taken_over: Option<Instant>,
    contest: Contest,
    /// Where the first of several servers is come back to.
    first: Option<First>,
    backoff: Backoff,
    /// When the connection was opened or, once it is online, when something last came over it or was not to come.
    heard_at: Instant,
    /// Since when, at least, the server owes the answers that are missing.
    owed_since: Option<Instant>,
    ever_online: bool,
    /// Whether there was ever a connection over which all that was asked at its beginning was answered.
    ever_ready: bool,
    /// Whether this connection is one.
    ready: bool,
    /// Why the server ended the last connection, if it said so (DISCONNECT).
    dismissed: Option<ReasonCode>,
    /// The first bytes of this connection, for a diagnosis.
    first_bytes: Option<Bytes>,
    notices: Vec<Notice>,
    /// What ends this connection, while the server is told goodbye, and whether another may fare better.
    ending: Option<(Error, bool)>,
    /// How often a connection failed or was lost.
    losses: u64,
    pace: Pace,
    /// The CONNECT that a server met by closing the connection, while less is tried instead: some that do not know MQTT 5, or
    /// bridges, answer nothing at all.
    unanswered: Option<Connect>,
    /// Whether the last read took all there was, and nothing was written since.
    drained: bool,
    /// Somebody wants to see the packets.
    watch: Option<Watch>,
}

impl Client {
    /// A client that will connect to `target` at the first [`Self::drive`].
    pub(crate) fn new(target: Target, session: Session, patience: Timeouts) -> Self {
        let now = Instant::now();
        Self {
            target: Arc::new(target),
            session,
            link: Link::Down,
            input: BytesMut::new(),
            patience,
            may_fall_back: false,
            takes_back: false,
            outlives_objections: false,
            comes_back_early: false,
            random_id: false,
            taken_over: None,
            contest: Contest::default(),
            first: None,
            backoff: Backoff::new(patience.first),
            heard_at: now,
            owed_since: None,
            ever_online: false,
            ever_ready: false,
            ready: false,
            dismissed: None,
            first_bytes: None,
            notices: Vec::new(),
            ending: None,
            losses: 0,
            pace: Pace::new(now),
            unanswered: None,
            drained: false,
            watch: None,
        }
    }

    /// Shows every packet of the connection from now on.
    pub(crate) fn watch(&mut self, see: Watcher) {
        self.watch = Some(Watch::new(see));
    }

    /// Lets the client speak MQTT 3.1.1 to a server that does not know MQTT 5.
    pub(crate) fn allow_fallback(&mut self) {
        self.may_fall_back = true;
    }

    /// The session, to subscribe, unsubscribe or ping.
    pub(crate) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Where this client connects to.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// The next event of the session.
    #[inline]
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        let event = self.session.poll_event()?;
        match &event {
            Event::Message(publish) => {
                let new = !publish.retain;
                self.progressed(new);
                // Messages that await an acknowledgement come no faster than we acknowledge: never wait for more.
                if publish.qos == QoS::AtMostOnce {
                    self.pace.count();
                }
            }
            Event::Acknowledged { .. } => self.progressed(!self.contest.only_greets),
            Event::Pong => self.progressed(true),
            _ => {}
        }
        Some(event)
    }

    /// The next thing that happened to who publishes, where another receives.
    fn poll_outcome(&mut self) -> Option<Event> {
        let event = self.session.poll_outcome()?;
        if matches!(event, Event::Acknowledged { .. } | Event::Pong) {
            self.progressed(true);
        }
        Some(event)
    }

    /// The next piece of news about the connection.
    #[inline]
    pub(crate) fn poll_notice(&mut self) -> Option<Notice> {
        (!self.notices.is_empty()).then(|| self.notices.remove(0))
    }

    /// Whether a message of this QoS can go out now.
    pub(crate) fn can_publish(&self, qos: QoS) -> bool {
        self.session.can_publish(qos)
    }

    /// Hands a message to the session; see [`Session::publish`].
    ///
    /// # Errors
    /// What this server does not take.
    pub(crate) fn publish(
        &mut self,
        publish: &mut Publish,
        ticket: Ticket,
    ) -> Result<(), Unsendable> {
        self.session.publish(publish, ticket)
    }

    /// Whether the connection is up and CONNECT was answered.
    pub(crate) fn is_online(&self) -> bool {
        self.session.is_online()
    }

    /// Drives the connection until there is an event or a notice, or everything in the output is written
    /// although there was something to write.
    ///
    /// # Errors
    /// The end of it: no connection within the patience given, a refusal, a broken protocol.
    pub(crate) async fn drive(&mut self) -> Result<()> {
        self.read_on();
        let writing = !self.session.output().is_empty();
        loop {
            if self.session.has_events() || !self.notices.is_empty() {
                return Ok(());
            }
            if writing && self.session.is_online() && self.session.output().is_empty() {
                return Ok(());
            }
            self.step().await?;
        }
    }

    /// Drives a connection that has two owners, and never stops reading: until there is something for this one, something
    /// came for the other, or everything in the output is written although there was something to write.
    ///
    /// # Errors
    /// As [`Self::drive`].
    async fn drive_half(&mut self, publishes: bool) -> Result<()> {
        self.session.set_reading(true, Instant::now());
        let losses = self.losses;
        let waiting = self.session.waiting();
        let writing = !self.session.output().is_empty();
        loop {
            let has_own = match publishes {
                true => self.session.has_outcomes() || self.losses != losses,
                false => self.session.has_events() || !self.notices.is_empty(),
            };
            let written = writing && self.session.is_online() && self.session.output().is_empty();
            if has_own || written || self.session.waiting() != waiting {
                return Ok(());
            }
            self.step().await?;
        }
    }

    async fn step(&mut self) -> Result<()> {
        if self.ending.is_some() {
            return self.ended();
        }
        match &mut self.link {
            Link::Down => {
                self.link = Link::Dialing(start_dialing(&self.target));
                Ok(())
            }
            Link::Waiting(timer) => {
                timer.as_mut().await;
                self.link = Link::Down;
                Ok(())
            }
            Link::Dialing(dialing) => match dialing.as_mut().await {
                Ok(stream) => self.opened(stream),
                Err(error) => self.failed(error, true),
            },
            Link::Open(_) => self.move_bytes().await,
        }
    }

    fn opened(&mut self, stream: Stream) -> Result<()> {
        let now = Instant::now();
        self.input.clear();
        self.first_bytes = None;
        self.ready = false;
        self.dismissed = None;
        self.heard_at = now;
        self.drained = false;
        if let Some(watch) = &mut self.watch {
            watch.opened();
        }
        if let Some(first) = &mut self.first {
            first.connected();
        }
        stream.quick_ack();
        self.link = Link::Open(Box::new(stream));
        if let Some(password) = self.target.latest_password() {
            self.session.change_password(password);
        }
        self.session
            .opened(now)
            .map_err(|cause| Error::usage(cause.to_string()))
    }

    async fn move_bytes(&mut self) -> Result<()> {
        if self.shows_more() {
            return self.received(Instant::now()).await;
        }
        let before = self.session.output().len();
        let greeted_by = self.greeted_by();
        let Link::Open(stream) = &mut self.link else {
            return Ok(());
        };
        if std::mem::take(&mut self.drained)
            && self.session.is_reading()
            && self.session.output().is_empty()
        {
            self.pace.before_next_read(stream);
        }
        let until = [self.session.next_time(), greeted_by]
            .into_iter()
            .flatten()
            .min();
        let moving = exchange(stream, &mut self.session, &mut self.input, until);
        let moved = match &mut self.first {
            None => Ok(moving.await),
            Some(first) => tokio::select! {
                biased;
                moved = moving => Ok(moved),
                stream = first.reached(&self.target) => Err(stream),
            },
        };
        let moved = match moved {
            Ok(moved) => moved,
            Err(stream) => {
                self.come_back(stream).await;
                return Ok(());
            }
        };
        if let Some(watch) = &mut self.watch {
            watch.wrote(before - self.session.output().len());
        }
        self.moved(moved, greeted_by).await
    }

    /// What follows from what was moved; the server has to have answered by then.
    async fn moved(&mut self, moved: io::Result<Moved>, greeted_by: Option<Instant>) -> Result<()> {
        let now = Instant::now();
        match moved {
            Ok(Moved::Received) => self.received(now).await,
            Ok(Moved::Sent) => {
                self.session.wrote(now);
                Ok(())
            }
            Ok(Moved::TimePassed) if greeted_by.is_some_and(|end| now >= end) => {
                let error = diagnose::no_answer(&self.target, self.session.is_online());
                self.failed(error, true)
            }
            Ok(Moved::TimePassed) => match self.session.on_time(now) {
                Ok(()) => Ok(()),
                Err(fault) => self.faulted(fault).await,
            },
            Ok(Moved::Closed) | Err(_) if self.may_be_older() => {
                self.try_older();
                Ok(())
            }
            Ok(Moved::Closed) => {
                self.contested(now);
                let error = diagnose::closed(
                    &self.target,
                    self.session.is_online(),
                    self.first_bytes.as_ref(),
                )
                .await;
                self.failed(error, true)
            }
            Err(cause) => {
                self.contested(now);
                let error = diagnose::broken(&self.target, &cause, self.session.is_online()).await;
                self.failed(error, true)
            }
        }
    }

    /// Shows what is to be written; whether packets of the last read are still to be shown and taken.
    fn shows_more(&mut self) -> bool {
        if self.watch.is_none() {
            return false;
        }
        self.show_output();
        self.session.is_reading() && Watch::has_packet(&self.input, self.session.version())
    }

    async fn received(&mut self, now: Instant) -> Result<()> {
        self.pace.look(now);
        if !self.session.is_online() && self.first_bytes.is_none() {
            self.first_bytes = Some(Bytes::copy_from_slice(
                &self.input[..self.input.len().min(64)],
            ));
        }
        self.drained = self.input.len() < self.input.capacity();
        let version = self.session.version();
        let rest =
            (self.watch.as_mut()).map(|watch| watch.first(&mut self.input, version, &self.target));
        let taken = self.session.receive(&mut self.input, now);
        if let Some(rest) = rest {
            self.input.unsplit(rest);
        }
        if self.session.is_online() && !self.ever_online {
            self.ever_online = true;
            self.note_concessions();
            if self.comes_back_early {
                self.backoff = Backoff::new(self.patience.later);
            }
        }
        if self.session.is_online() {
            (self.heard_at, self.owed_since) = (now, None);
            if !self.ready && self.session.is_ready() {
                self.became_ready(now);
            }
        }
        match taken {
            Ok(()) => Ok(()),
            Err(fault) => self.faulted(fault).await,
        }
    }

    /// The connection can be used, and all subscriptions are answered.
    fn became_ready(&mut self, now: Instant) {
        if !self.ever_ready {
            self.ever_ready = true;
            self.backoff = Backoff::new(self.patience.later);
        }
        self.ready = true;
        self.backoff.connected(now);
        self.contest.ready(now);
    }

    /// Whether a packet that came was held back, as only one at a time is shown.
    fn show_output(&mut self) {
        let version = self.session.version();
        if let Some(watch) = &mut self.watch {
            watch.output(self.session.output(), version, &self.target);
        }
    }

    async fn faulted(&mut self, fault: Fault) -> Result<()> {
        if self.falls_back(&fault) {
            return Ok(());
        }
        self.show_output();
        match &fault {
            Fault::Closed(disconnect) => {
                self.dismissed = Some(disconnect.reason);
                if disconnect.reason == ReasonCode::SERVER_SHUTTING_DOWN {
                    self.session.acquit();
                }
            }
            Fault::KeepAlive | Fault::Overrun => self.session.acquit(),
            _ => {}
        }
        let over_a_message = || {
            self.outlives_objections
                && self.ready
                && self.session.is_publishing()
                && fault.is_about_a_message()
        };
        let may_pass = fault.may_pass() || over_a_message() || self.may_take_back(&fault);
        let error = diagnose::fault(&self.target, &fault, self.first_bytes.as_ref());
        // Should the goodbye be interrupted, this is still what ended the connection.
        self.ending = Some((error, may_pass));
        if let Link::Open(stream) = &mut self.link {
            // Best effort: the DISCONNECT that names the server's mistake.
            let goodbye = finish(stream, self.session.output());
            let _ = timeout(PARTING, goodbye).await;
        }
        self.ended()
    }

    /// The connection is over, if it was to end.
    fn ended(&mut self) -> Result<()> {
        match self.ending.take() {
            Some((error, may_pass)) => self.failed(error, may_pass),
            None => Ok(()),
        }
    }

    /// The connection failed or was lost: try again later, or give up.
    fn failed(&mut self, error: Error, may_pass: bool) -> Result<()> {
        let error = diagnose::unanswered(error, self.session.awaited());
        if matches!(self.link, Link::Open(_)) {
            self.target.move_on();
        }
        self.link = Link::Down;
        self.losses += 1;
        self.session.lost();
        if let Some(connect) = self.unanswered.take() {
            self.session.go_back(connect);
        }
        let (now, least) = (Instant::now(), self.contest.wait);
        let retry_in = self.backoff.next_after(now, least);
        let Some(retry_in) = retry_in.filter(|_| may_pass) else {
            return Err(error);
        };
        self.link = Link::Waiting(Box::pin(sleep(retry_in)));
        let tells = self.backoff.tells(error.text(), now);
        self.notices.push(Notice::Lost {
            error,
            retry_in,
            tells,
        });
        Ok(())
    }

    /// Ends the session cleanly: writes what is left and a DISCONNECT, and waits until the server has closed
    /// its side, at most a moment.
    pub(crate) async fn close(&mut self, disconnect: Disconnect) {
        let limit = match self.session.is_settled() {
            true => PARTING,
            false => CLOSING,
        };
        if matches!(self.link, Link::Open(_)) {
            self.session.disconnect(disconnect);
            self.show_output();
        }
        if let Link::Open(stream) = &mut self.link {
            // A server that does not read any more cannot hold us up; all that counted was acknowledged before.
            let _ = timeout(limit, finish(stream, self.session.output())).await;
        }
        self.link = Link::Down;
        self.session.lost();
    }
}

fn start_dialing(target: &Arc<Target>) -> Dialing {
    let target = Arc::clone(target);
    Box::pin(async move { dial(&target).await })
}
