//! One connection with its transport, and where it stands.

use std::io;
use std::sync::Arc;
use std::task::Poll;

use super::super::clock::Nanos;
use super::super::connection_state::ConnectionState;
use super::super::driver::Link;
use super::super::transport::Transport;
use crate::connect::Backoff;
use crate::pace::wake::Ready;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It has no transport, and waits for one.
    Away,
    /// The transport is open; the protocol is greeting.
    Greeting,
    /// In use.
    Open,
    /// It could not be opened and is not tried again.
    Failed,
}

/// One connection of a worker.
pub(super) struct Connection {
    /// Which of the worker's parts it belongs to.
    pub(super) part: usize,
    /// Its number in its group, over all shards.
    pub(super) index: usize,
    pub(super) lane: ConnectionState,
    pub(super) state: State,
    /// When the current state, or the outage, began.
    pub(super) since: Nanos,
    /// When connecting began.
    pub(super) dialed: Nanos,
    /// When it is given up unless the protocol has greeted.
    pub(super) greet_by: Nanos,
    /// The peer has said something since the transport was opened.
    pub(super) heard: bool,
    /// It has been open before.
    pub(super) known: bool,
    /// It was closed on purpose, to be opened again at once.
    pub(super) again: bool,
    /// It is listed to be written to.
    pub(super) dirty: bool,
    /// A tick is to come.
    pub(super) ticking: bool,
    pub(super) backoff: Option<Box<Backoff>>,
    /// What has arrived of a message that is not whole yet.
    pub(super) rest: Vec<u8>,
    transport: Transport,
}

impl Connection {
    pub(super) fn new(
        number: u32,
        part: usize,
        index: usize,
        lane: ConnectionState,
        ready: &Arc<Ready>,
    ) -> Self {
        Self {
            part,
            index,
            lane,
            state: State::Away,
            since: 0,
            dialed: 0,
            greet_by: 0,
            heard: false,
            known: false,
            again: false,
            dirty: false,
            ticking: false,
            backoff: None,
            rest: Vec::new(),
            transport: Transport::new(number, ready),
        }
    }

    pub(super) fn attach(&mut self, link: Box<dyn Link>) {
        self.transport.attach(link);
        self.state = State::Greeting;
        self.heard = false;
    }

    /// Drops the transport and what was half read or half written.
    pub(super) fn detach(&mut self) {
        self.transport.detach();
        self.rest = Vec::new();
        self.lane.ready = false;
        self.state = State::Away;
    }

    pub(super) fn answered(&self) {
        self.transport.answered();
    }

    /// Whether the transport takes more.
    pub(super) const fn is_blocked(&self) -> bool {
        self.transport.is_blocked()
    }

    /// Reads to the end of `into`; the bell rings when there is more.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Poll<io::Result<usize>> {
        self.transport.read(into)
    }

    /// Writes `out` behind what still waits, and empties it.
    pub(super) fn write(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        self.transport.write(out)
    }
}
