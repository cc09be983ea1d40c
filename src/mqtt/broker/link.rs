//! One connection's task: bytes in, packets to the core, packets from the core, bytes out.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::task::yield_now;

use super::connection::Outgo;
use super::core::{Core, Disposition};
use super::drive::Broker;
use crate::mqtt::packet::{self, Decoder, Packet, Version};
use crate::server::{Checking, Key, State};

/// What is read, or encoded for one write, at most at a time, in bytes.
const BATCH: usize = 256 * 1024;

/// What an idle connection reserves for reading, in bytes; it grows where reads fill it.
const SMALL_READ: usize = 4 * 1024;

/// The largest CONNECT taken, in bytes: nobody knows yet who it is.
const LARGEST_CONNECT: u32 = 1 << 20;

/// A future that ends with the connection.
pub(super) struct Link<S> {
    broker: Broker,
    id: Key,
    stream: S,
    decoder: Decoder,
    input: BytesMut,
    output: BytesMut,
    /// Whether the stream may still hold what it took.
    unflushed: bool,
    /// How much to reserve for the next read.
    read_size: usize,
    phase: Phase,
    /// The check of the password in CONNECT.
    checking: Checking,
    /// Whether the input may hold packets that have not been handed on.
    behind: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// What came in was no MQTT: nothing more is read.
    Deaf,
    /// Our side is shut down; what the client still sends is thrown away. To close with unread
    /// bytes would reset the connection, and our last packet might be lost with it.
    Draining,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Link<S> {
    pub(super) fn new(broker: Broker, id: Key, stream: S) -> Self {
        Self {
            broker,
            id,
            stream,
            decoder: Decoder::new(Version::V311, LARGEST_CONNECT),
            input: BytesMut::new(),
            output: BytesMut::new(),
            unflushed: false,
            read_size: SMALL_READ,
            phase: Phase::Open,
            checking: Checking::default(),
            behind: false,
        }
    }

    /// One round; an error, which nobody needs to know more about, or `Ok` ends the connection.
    fn round(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(accepted) = self.checking.poll(cx) {
            self.logged_in(accepted);
        }
        if self.phase != Phase::Draining {
            let written = self.write(cx)?;
            let fate = self.broker.state().engine.fate(self.id);
            match fate {
                Disposition::Closed => return Poll::Ready(Ok(())),
                Disposition::Closing if written.is_ready() => {
                    ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
                    self.phase = Phase::Draining;
                }
                Disposition::Closing | Disposition::Open => {}
            }
        }
        match self.phase {
            Phase::Open => self.read(cx),
            Phase::Deaf => Poll::Pending,
            Phase::Draining => self.drain(cx),
        }
    }

    /// Answers CONNECT; what the client sent meanwhile is handed on after that.
    fn logged_in(&mut self, accepted: bool) {
        let mut state = self.broker.state();
        let now = Instant::now();
        state.engine.logged_in(self.id, accepted, now);
        drop(state);
        self.broker.settle();
    }

    /// Writes all there is; pending: the peer does not take more now.
    fn write(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        let mut sent = 0;
        let outcome = loop {
            if self.output.is_empty() && !self.fill() {
                break Poll::Ready(());
            }
            let dribbles = self.broker.state().engine.dribbles(self.id);
            let until = if dribbles { 1 } else { self.output.len() };
            match Pin::new(&mut self.stream).poll_write(cx, &self.output[..until])? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(count) => {
                    self.output.advance(count);
                    sent += count as u64;
                }
                Poll::Pending => break Poll::Pending,
            }
        };
        if sent > 0 {
            self.broker.state().engine.count_bytes(0, sent);
            self.unflushed = true;
        }
        // TLS and WebSocket may hold back what they took.
        if self.unflushed {
            self.unflushed = Pin::new(&mut self.stream).poll_flush(cx)?.is_pending();
        }
        Ok(if self.unflushed {
            Poll::Pending
        } else {
            outcome
        })
    }

    /// Encodes what waits, up to a batch; false: nothing does.
    fn fill(&mut self) -> bool {
        let mut state = self.broker.state();
        let now = Instant::now();
        let version = state.engine.version(self.id);
        while self.output.len() < BATCH {
            match state.engine.pull(self.id, now) {
                None => break,
                Some(Outgo::Garbage(bytes)) => self.output.put_slice(bytes),
                // What this version cannot express is left out; the core makes no such packet.
                Some(Outgo::Packet(packet)) => {
                    let _ = packet::encode(&packet, version, &mut self.output);
                }
            }
        }
        !self.output.is_empty()
    }

    /// Reads one batch and hands it on; then others get their turn.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.broker.state().engine.reads(self.id) {
            return Poll::Pending;
        }
        if self.behind {
            self.hand_on();
            others_first(cx);
            return Poll::Pending;
        }
        self.input.reserve(self.read_size);
        let mut room = (&mut self.input).limit(BATCH);
        let count = ready!(pin!(self.stream.read_buf(&mut room)).poll(cx))?;
        if count == 0 {
            return Poll::Ready(Ok(()));
        }
        self.read_size = match count {
            _ if count >= self.read_size => (self.read_size * 4).min(BATCH),
            _ if count < self.read_size / 8 => (self.read_size / 2).max(SMALL_READ),
            _ => self.read_size,
        };
        self.broker.state().engine.count_bytes(count as u64, 0);
        self.hand_on();
        if self.broker.state().engine.has_worked() {
            others_first(cx);
        } else {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Hands on what has come in, as far as it is this connection's turn.
    fn hand_on(&mut self) {
        let broker = self.broker.clone();
        self.hand_packets(&mut broker.state());
        broker.settle();
    }

    fn hand_packets(&mut self, state: &mut State<Core>) {
        let now = Instant::now();
        self.behind = true;
        let mut goes_on = state.engine.begin_batch(self.id, now);
        while goes_on {
            let decoded = self.decoder.decode(&mut self.input);
            let judged = decoded.and_then(|packet| match &packet {
                Some(Packet::Publish(publish)) => publish.check_values().map(|()| packet),
                _ => Ok(packet),
            });
            match judged {
                Ok(None) => {
                    self.behind = false;
                    if !self.input.is_empty() {
                        state.engine.heard(self.id, now);
                    }
                    return;
                }
                Ok(Some(packet)) => {
                    if let Packet::Connect(connect) = &packet {
                        let largest = state.engine.max_packet_size();
                        self.decoder = Decoder::new(connect.version, largest);
                    }
                    let connects = matches!(packet, Packet::Connect(_));
                    state.engine.handle(self.id, packet, now);
                    if let Some(login) =
                        connects.then(|| state.engine.take_login(self.id)).flatten()
                    {
                        return self.checking.start(login);
                    }
                }
                Err(malformed) => {
                    state.engine.malformed(self.id, &malformed, now);
                    self.phase = Phase::Deaf;
                    return;
                }
            }
            goes_on = state.engine.goes_on(self.id);
        }
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

/// Lets this connection go on after the others. A task that merely wakes itself runs some sixty times before the runtime
/// looks at what else has come in.
fn others_first(cx: &mut Context<'_>) {
    // It is woken when the runtime has looked; there is nothing to wait for in the future itself.
    let _ = pin!(yield_now()).poll(cx);
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Link<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let link = self.get_mut();
        link.broker.watch(link.id, cx.waker());
        let outcome = link.round(cx);
        // What is left is done when the others had their turn.
        if link.broker.state().engine.is_unfinished(link.id) {
            others_first(cx);
        }
        outcome.map(|_| ())
    }
}
