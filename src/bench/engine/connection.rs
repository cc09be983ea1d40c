//! One connection with its transport: reading, writing, and where it stands.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::clock::Nanos;
use super::super::connection_state::ConnectionState;
use super::super::driver::Link;
use super::wake::{Bell, Ready};
use crate::connect::Backoff;

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
    link: Option<Box<dyn Link>>,
    /// What the transport did not take yet.
    pending: Vec<u8>,
    /// The transport has taken it, into a buffer of its own that is not empty yet.
    unflushed: bool,
    bell: Arc<Bell>,
    waker: Waker,
}

impl Connection {
    pub(super) fn new(
        number: u32,
        part: usize,
        index: usize,
        lane: ConnectionState,
        ready: &Arc<Ready>,
    ) -> Self {
        let bell = Bell::new(number, ready);
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
            link: None,
            pending: Vec::new(),
            unflushed: false,
            waker: Waker::from(Arc::clone(&bell)),
            bell,
        }
    }

    pub(super) fn attach(&mut self, link: Box<dyn Link>) {
        self.link = Some(link);
        self.state = State::Greeting;
        self.heard = false;
    }

    /// Drops the transport and what was half read or half written.
    pub(super) fn detach(&mut self) {
        self.link = None;
        self.rest = Vec::new();
        self.pending = Vec::new();
        self.unflushed = false;
        self.lane.ready = false;
        self.state = State::Away;
    }

    pub(super) fn answered(&self) {
        self.bell.answered();
    }

    /// Whether the transport takes more.
    pub(super) const fn is_blocked(&self) -> bool {
        self.unflushed || !self.pending.is_empty()
    }

    /// Reads to the end of `into`; the bell rings when there is more.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let Some(link) = &mut self.link else {
            return Poll::Pending;
        };
        let mut buffer = ReadBuf::new(into);
        let mut cx = Context::from_waker(&self.waker);
        ready!(Pin::new(link).poll_read(&mut cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Writes `out` behind what still waits, and empties it. What the transport does not take now waits; the
    /// bell rings when it takes more.
    pub(super) fn write(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let Some(link) = &mut self.link else {
            out.clear();
            return Ok(());
        };
        let mut cx = Context::from_waker(&self.waker);
        let waiting = !self.pending.is_empty();
        if waiting {
            self.pending.append(out);
        }
        let bytes: &[u8] = if waiting { &self.pending } else { out };
        let mut written = 0;
        while written < bytes.len() {
            match Pin::new(&mut *link).poll_write(&mut cx, &bytes[written..])? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(count) => written += count,
                Poll::Pending => break,
            }
        }
        // A transport with a buffer of its own says pending, and rings, like one without.
        self.unflushed = Pin::new(&mut *link).poll_flush(&mut cx)?.is_pending();
        if waiting {
            self.pending.drain(..written);
        } else if written < out.len() {
            self.pending.extend_from_slice(&out[written..]);
        }
        out.clear();
        if self.pending.is_empty() && self.pending.capacity() > 0 {
            self.pending = Vec::new();
        }
        Ok(())
    }
}
