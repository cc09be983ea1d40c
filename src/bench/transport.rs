//! A transport among many in one loop: read and written without waiting; a bell rings when there is more.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::driver::Link;
use crate::pace::wake::{Bell, Ready};

/// The transport of one connection, which comes and goes.
pub(crate) struct Transport {
    link: Option<Box<dyn Link>>,
    /// What the transport did not take yet.
    pending: Vec<u8>,
    /// The transport has taken it, into a buffer of its own that is not empty yet.
    unflushed: bool,
    bell: Arc<Bell>,
    waker: Waker,
}

impl Transport {
    /// That of connection `number`, which `ready` lists when there is something to do.
    pub(crate) fn new(number: u32, ready: &Arc<Ready>) -> Self {
        let bell = Bell::new(number, ready);
        Self {
            link: None,
            pending: Vec::new(),
            unflushed: false,
            waker: Waker::from(Arc::clone(&bell)),
            bell,
        }
    }

    /// It is open.
    pub(crate) fn attach(&mut self, link: Box<dyn Link>) {
        self.link = Some(link);
    }

    /// Drops it, and what was half written.
    pub(crate) fn detach(&mut self) {
        self.link = None;
        self.pending = Vec::new();
        self.unflushed = false;
    }

    /// How many bytes the transport did not take yet.
    pub(crate) const fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// From now on the bell can ring again.
    pub(crate) fn answered(&self) {
        self.bell.answered();
    }

    /// Whether the transport takes more.
    pub(crate) const fn is_blocked(&self) -> bool {
        self.unflushed || !self.pending.is_empty()
    }

    /// Reads to the end of `into`; the bell rings when there is more.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Poll<io::Result<usize>> {
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
    pub(crate) fn write(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
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
