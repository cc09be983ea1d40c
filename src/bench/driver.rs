//! The contract between the engine and a protocol.
//!
//! A driver opens connections and speaks its protocol as values: bytes that arrived go in, bytes to write
//! come out, and what they mean is entered in the [`Records`]. It never sleeps, never looks at a clock
//! and never allocates for a message. The engine owns the sockets, the schedule, the back-off and the phases.
//!
//! A message is whatever is sent and answered: a PUBLISH, a request, a SUBSCRIBE, even a whole connection. Senders and receivers
//! are groups of their own and may have different drivers.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::clock::Nanos;
use super::plan::{Group, Load};
use super::recorder::Records;
use crate::error::{Error, Kind, Result, plain};

/// An open transport. Datagrams travel with their length in front of each.
pub trait Link: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Link for T {}

/// A transport on its way.
pub(crate) type Dialing = Pin<Box<dyn Future<Output = Result<Box<dyn Link>>> + Send>>;

/// The protocol's side of one group of connections.
pub trait Driver: Send + Sync {
    /// Opens the transport of connection `index` of the group, over all shards.
    fn dial(&self, index: usize) -> Dialing;

    /// The protocol's state of that connection. `sender` is different for each connection of the run.
    fn session(&self, index: usize, sender: u32) -> Box<dyn Session>;

    /// How many receivers get each message of connection `index`.
    fn receivers(&self, index: usize) -> u64;

    /// How long the protocol may take to greet once the transport is open.
    fn patience(&self) -> Duration {
        Duration::from_secs(10)
    }

    /// What it means that a connection ended like this before it could be used.
    fn unusable(&self, end: End<'_>) -> Broken {
        match end.how {
            How::Broken(broken) => broken,
            How::Closed => Broken::new("connection closed by the server"),
            How::Failed(cause) => Broken::new(format!("connection lost: {}", plain(cause))),
            How::Silent => Broken::of(Kind::TimedOut, "no response to the first packet"),
        }
    }
}

/// The end of a connection that could not be used yet.
#[derive(Debug)]
pub struct End<'a> {
    /// What ended it.
    pub how: How<'a>,
    /// What had arrived and was not understood, or not whole.
    pub bytes: &'a [u8],
    /// Whether the peer had said anything.
    pub heard: bool,
}

/// What ended a connection.
#[derive(Debug)]
pub enum How<'a> {
    /// The session could not go on with what the peer sent.
    Broken(Broken),
    /// The peer closed it.
    Closed,
    /// The transport failed.
    Failed(&'a io::Error),
    /// Nothing came in time.
    Silent,
}

/// What a protocol makes of a load: groups for the engine, with a driver for each.
#[derive(Default)]
pub struct LoadPlan {
    /// For the plan.
    pub groups: Vec<Group>,
    /// In the same order.
    pub drivers: Vec<Arc<dyn Driver>>,
    /// What a reader of the report must know.
    pub warnings: Vec<String>,
}

impl LoadPlan {
    /// Adds a group; its driver gets the number of connections the groups before it have.
    pub fn add<D: Driver + 'static>(
        &mut self,
        name: &str,
        connections: usize,
        load: Option<Load>,
        driver: impl FnOnce(usize) -> D,
    ) {
        let before = self.groups.iter().map(|group| group.connections).sum();
        self.drivers.push(Arc::new(driver(before)));
        self.groups.push(Group {
            name: name.to_owned(),
            connections,
            load,
        });
    }
}

/// The protocol's state of one connection, across losses of its transport.
pub trait Session: Send {
    /// The transport is open: says what the protocol says first. The session is not used before it says
    /// [`Io::ready`].
    fn connected(&mut self, io: &mut Io<'_>);

    /// Reads what has arrived and returns how many bytes it has taken; the rest comes again with more behind it.
    ///
    /// # Errors
    /// The connection cannot go on.
    fn received(&mut self, bytes: &[u8], io: &mut Io<'_>) -> Result<usize, Broken>;

    /// How many messages may be sent now.
    fn room(&self) -> usize;

    /// Writes one message for each due time; never more than [`Session::room`].
    fn send(&mut self, dues: &[Nanos], io: &mut Io<'_>);

    /// Messages sent and not yet answered.
    fn in_flight(&self) -> usize;

    /// Whether [`Session::tick`] is called before the session can be used: what it says first may get lost.
    fn ticks_early(&self) -> bool {
        false
    }

    /// Bytes that [`Session::send`] writes for each message and that do not leave this machine: the length in front of a
    /// datagram.
    fn envelope(&self) -> usize {
        0
    }

    /// Looks whether something is to be said without a message: keep-alive, proof of arrival. Returns when
    /// to ask again. `last` is set when sending has ended and all that is under way should be proved.
    fn tick(&mut self, last: bool, io: &mut Io<'_>) -> Option<Nanos>;

    /// The transport is gone. What is under way is lost with it, unless the session can resume.
    fn lost(&mut self, io: &mut Io<'_>);

    /// The run is over: what is still under way has timed out; says goodbye if there is someone to say it to.
    fn finish(&mut self, io: &mut Io<'_>);
}

/// What a session works with for the length of one call.
pub struct Io<'a> {
    /// The time of this call.
    pub now: Nanos,
    /// What is written after the call.
    pub out: &'a mut Vec<u8>,
    /// The books.
    pub records: &'a mut Records,
    /// What the engine is asked to do after the call.
    pub wish: &'a mut Action,
}

/// What a session asks of the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    #[default]
    Nothing,
    /// The session can be used from now on.
    Ready,
    /// Write what there is, close the transport and open it again.
    Again,
    /// The same after this long.
    Away(Nanos),
    /// Tick at this moment too, to the microsecond.
    Tick(Nanos),
}

impl Io<'_> {
    /// The session can be used from now on.
    pub const fn ready(&mut self) {
        *self.wish = Action::Ready;
    }

    /// The transport is to be closed and opened again.
    pub const fn again(&mut self) {
        *self.wish = Action::Again;
    }

    /// The transport is to be closed, and opened again after this long.
    pub const fn away(&mut self, time: Nanos) {
        *self.wish = Action::Away(time);
    }

    /// The session is to be ticked at this moment too, and not in multiples of anything. Whether that will be: another
    /// wish comes first.
    #[must_use]
    pub fn tick_at(&mut self, moment: Nanos) -> bool {
        let free = *self.wish == Action::Nothing;
        if free {
            *self.wish = Action::Tick(moment);
        }
        free
    }
}

impl fmt::Debug for Io<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Io({} bytes to write)", self.out.len())
    }
}

/// Why a connection cannot go on, in words that are the same for all connections of one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What went wrong.
    pub cause: String,
    /// The way out, where there is one.
    pub hint: Option<String>,
    /// The class of this failure, should it end the command.
    pub kind: Kind,
}

impl Broken {
    /// The peer broke the protocol, or the connection was lost.
    pub fn new(cause: impl Into<String>) -> Self {
        Self::of(Kind::Lost, cause)
    }

    /// A failure of this class.
    pub fn of(kind: Kind, cause: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            hint: None,
            kind,
        }
    }

    /// The same as an error.
    pub(super) fn error(&self) -> Error {
        let error = Error::new(self.kind, self.cause.clone());
        match &self.hint {
            Some(hint) => error.hint(hint.clone()),
            None => error,
        }
    }
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self {
            cause: error.text().to_owned(),
            hint: error.hint_text().map(str::to_owned),
            kind: error.kind(),
        }
    }
}
