//! One connection's task: bytes in, bytes out.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::task::yield_now;

use super::core::{Core, Disposition};
use crate::server::{Checking, Host, Key};

/// What is read at most at a time, in bytes.
const BATCH: usize = 256 * 1024;

/// What an idle connection reserves for reading, in bytes; it grows where reads fill it.
const SMALL_READ: usize = 4 * 1024;

/// A future that ends with the connection.
pub(super) struct Link<S> {
    broker: Host<Core>,
    id: Key,
    stream: S,
    input: BytesMut,
    output: BytesMut,
    /// Whether the stream may still hold what it took.
    unflushed: bool,
    /// How much to reserve for the next read.
    read_size: usize,
    /// Our side is shut down; what the client still sends is thrown away. To close with unread bytes would reset the
    /// connection, and our last words might be lost with it.
    draining: bool,
    /// The check of the password.
    checking: Checking,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Link<S> {
    pub(super) fn new(broker: Host<Core>, id: Key, stream: S) -> Self {
        Self {
            broker,
            id,
            stream,
            input: BytesMut::new(),
            output: BytesMut::new(),
            unflushed: false,
            read_size: SMALL_READ,
            draining: false,
            checking: Checking::default(),
        }
    }

    /// One round; an error, which nobody needs to know more about, or `Ok` ends the connection.
    fn round(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(accepted) = self.checking.poll(cx) {
            let mut state = self.broker.state();
            state.engine.logged_in(self.id, accepted, Instant::now());
            drop(state);
            self.broker.settle();
        }
        if self.draining {
            return self.drain(cx);
        }
        let written = self.write(cx)?;
        let fate = self.broker.state().engine.fate(self.id);
        match fate {
            Disposition::Closed => return Poll::Ready(Ok(())),
            Disposition::Closing if written.is_ready() => {
                ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
                self.draining = true;
                return self.drain(cx);
            }
            Disposition::Closing | Disposition::Open => {}
        }
        self.read(cx)
    }

    /// Writes all there is; pending: the peer does not take more now.
    fn write(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        let outcome = loop {
            if self.output.is_empty() {
                let mut state = self.broker.state();
                if !state.engine.pull(self.id, &mut self.output, Instant::now()) {
                    // An idle connection keeps no buffer.
                    self.output = BytesMut::new();
                    break Poll::Ready(());
                }
            }
            let dribbles = self.broker.state().engine.dribbles(self.id);
            let until = if dribbles { 1 } else { self.output.len() };
            match Pin::new(&mut self.stream).poll_write(cx, &self.output[..until])? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(count) => {
                    self.output.advance(count);
                    self.unflushed = true;
                }
                Poll::Pending => break Poll::Pending,
            }
        };
        // TLS may hold back what it took.
        if self.unflushed {
            self.unflushed = Pin::new(&mut self.stream).poll_flush(cx)?.is_pending();
        }
        // What was pulled may have made room for others' consumers.
        self.broker.settle();
        Ok(if self.unflushed {
            Poll::Pending
        } else {
            outcome
        })
    }

    /// Reads one batch and hands it on; then others get their turn.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.broker.state().engine.reads(self.id) {
            return Poll::Pending;
        }
        // What was left when the connection was held back.
        if !self.input.is_empty() {
            let before = self.input.len();
            self.hand_on();
            if self.input.len() < before {
                self.go_on(cx);
                return Poll::Pending;
            }
        }
        self.input.reserve(self.read_size);
        let mut room = (&mut self.input).limit(BATCH);
        let read = pin!(self.stream.read_buf(&mut room)).poll(cx);
        if read.is_pending() && self.input.is_empty() {
            // An idle connection keeps no buffer, however large its last batch was.
            self.input = BytesMut::new();
        }
        let count = ready!(read)?;
        if count == 0 {
            return Poll::Ready(Ok(()));
        }
        self.read_size = match count {
            _ if count >= self.read_size => (self.read_size * 4).min(BATCH),
            _ if count < self.read_size / 8 => (self.read_size / 2).max(SMALL_READ),
            _ => self.read_size,
        };
        self.hand_on();
        self.shrink();
        self.go_on(cx);
        Poll::Pending
    }

    /// Has this task polled again, after whoever waits for a turn where this one was long. A task that only wakes itself is
    /// polled some sixty times before the runtime looks what came for others.
    fn go_on(&self, cx: &mut Context<'_>) {
        if self.broker.state().engine.has_worked() {
            // Pending the first time it is polled, which is all that is wanted.
            let _ = pin!(yield_now()).poll(cx);
        } else {
            cx.waker().wake_by_ref();
        }
    }

    /// A connection that is held back keeps what it has sent, and no more room than that takes.
    fn shrink(&mut self) {
        let waits = !self.broker.state().engine.reads(self.id);
        if waits && self.input.capacity() > 2 * self.input.len() {
            self.input = BytesMut::from(&self.input[..]);
        }
    }

    fn hand_on(&mut self) {
        let mut state = self.broker.state();
        state.engine.feed(self.id, &mut self.input, Instant::now());
        if let Some(login) = state.engine.take_login(self.id) {
            self.checking.start(login);
        }
        drop(state);
        self.broker.settle();
    }

    /// Throws away what still comes in, until the client closes its side or time is up.
    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let state = self.broker.state();
            if state.stopping || state.engine.fate(self.id) == Disposition::Closed {
                return Poll::Ready(Ok(()));
            }
            drop(state);
            self.input.clear();
            self.input.reserve(SMALL_READ);
            if ready!(pin!(self.stream.read_buf(&mut self.input)).poll(cx))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Link<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let link = self.get_mut();
        link.broker.watch(link.id, cx.waker());
        link.round(cx).map(|_| ())
    }
}
