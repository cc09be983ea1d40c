//! The stream under lapin: what the server said first is kept for the diagnosis when the login fails, and the
//! stream can be cut off, which ends lapin's thread whatever it waits for. Nobody leaves without a goodbye: it is written
//! when the stream is dropped, unless it was before.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Buf;
use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::gate::Gate;
use super::narrow::Narrow;
use super::spoken::Spoken;
use super::trace::{Trace, Watcher};
use crate::connect::Stream;

/// Enough for Connection.Start with all its server properties, and Connection.Tune; of another protocol [`SHORT`] is.
const KEPT: usize = 128 * 1024;

/// How long lapin's thread may take to say its goodbye.
const PARTING: Duration = Duration::from_millis(200);

/// A read shorter than this is an answer that somebody waits for, rather than one of many messages.
const ANSWER: usize = 1024;

const SHORT: usize = 4096;

/// The first bytes that came, shared with the stream that they come on.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    first: Mutex<Vec<u8>>,
    /// Something new stands there.
    news: Notify,
    cut: AtomicBool,
    reader: AtomicWaker,
    /// Whether there is a stream.
    there: Mutex<bool>,
    gone: Condvar,
    /// Notified when the stream is gone.
    left: Notify,
}

/// What the server wants of a connection (AMQP 0-9-1 §1.4.2.5); 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tune {
    pub(super) channel_max: u16,
    /// Bytes.
    pub(super) frame_max: u32,
}

/// What the server said of itself, which is known only as far as it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Greeting {
    /// The authentication mechanisms that Connection.Start offered (§1.4.2.1).
    pub(super) mechanisms: Option<String>,
    /// Connection.Tune: it has taken the login.
    pub(super) tune: Option<Tune>,
    /// Whether it says why it does not let somebody in (`authentication_failure_close`), so that a hang-up means something else.
    pub(super) tells_refusals: bool,
}

impl Heard {
    /// Ends the stream for whoever reads or writes it.
    pub(super) fn cut(&self) {
        self.0.cut.store(true, Ordering::Release);
        self.0.reader.wake();
    }

    fn whole(&self) -> io::Result<()> {
        if self.0.cut.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.lock().clone()
    }

    /// What the server has said of itself.
    pub(super) fn greeting(&self) -> Greeting {
        Greeting::read(&self.lock())
    }

    /// Waits until the server has said something that `wanted` finds worth an answer.
    pub(super) async fn until<T>(&self, wanted: impl Fn(&Greeting) -> Option<T>) -> T {
        loop {
            let news = self.0.news.notified();
            if let Some(found) = wanted(&self.greeting()) {
                return found;
            }
            news.await;
        }
    }

    /// Waits until the stream is gone, and the goodbye said; but not for long.
    pub(super) fn part(&self) {
        let there = lock(&self.0.there);
        let waited = self
            .0
            .gone
            .wait_timeout_while(there, PARTING, |there| *there);
        drop(waited);
    }

    /// Returns a moment after the stream is gone: lapin's loop has ended then, and whoever still waits for it has been
    /// forgotten, as it does with a connection that ends between two steps of the login.
    pub(super) async fn left(&self) {
        loop {
            let left = self.0.left.notified();
            if !*lock(&self.0.there) {
                break;
            }
            left.await;
        }
        sleep(PARTING).await;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        lock(&self.0.first)
    }

    /// Keeps what there is room for; whether it is full then comes back.
    fn take(&self, bytes: &[u8]) -> bool {
        // Whoever waits for news reads the stream too, and without any would wake itself for ever.
        if bytes.is_empty() {
            return false;
        }
        let mut kept = self.lock();
        let room = KEPT.saturating_sub(kept.len()).min(bytes.len());
        kept.extend_from_slice(&bytes[..room]);
        let greets = kept.starts_with(&[1, 0, 0]);
        let full = match greets {
            true => kept.len() >= KEPT || Greeting::read(&kept).tune.is_some(),
            false => kept.len() >= SHORT,
        };
        drop(kept);
        // Kept for who asks next, where nobody waits.
        self.0.news.notify_one();
        full
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Greeting {
    /// Reads the frames at the beginning of what the server says.
    fn read(mut bytes: &[u8]) -> Self {
        let mut greeting = Self::default();
        while let Some((payload, rest)) = frame(bytes) {
            match payload {
                [0, 10, 0, 10, rest @ ..] => {
                    greeting.mechanisms = mechanisms(rest);
                    // The name, the type of the value, and true.
                    let told = b"authentication_failure_closet\x01";
                    greeting.tells_refusals = rest.windows(told.len()).any(|it| it == told);
                }
                [0, 10, 0, 30, c1, c0, f3, f2, f1, f0, ..] => {
                    greeting.tune = Some(Tune {
                        channel_max: u16::from_be_bytes([*c1, *c0]),
                        frame_max: u32::from_be_bytes([*f3, *f2, *f1, *f0]),
                    });
                }
                _ => {}
            }
            bytes = rest;
        }
        greeting
    }
}

/// The payload of the first frame, on channel 0, and what follows it.
fn frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(&[1, 0, 0])?;
    let length = u32::from_be_bytes(*rest.first_chunk()?) as usize;
    let (payload, rest) = rest.get(4..)?.split_at_checked(length)?;
    Some((payload, rest.get(1..)?))
}

/// Behind versions (2) and server properties (4 and as many) stand the mechanisms (4 and as many).
fn mechanisms(start: &[u8]) -> Option<String> {
    let rest = start.get(2..)?;
    let properties = u32::from_be_bytes(*rest.first_chunk()?) as usize;
    let rest = rest.get(4..)?.get(properties..)?;
    let length = u32::from_be_bytes(*rest.first_chunk()?) as usize;
    let text = rest.get(4..)?.get(..length)?;
    Some(String::from_utf8_lossy(text).into_owned())
}

/// A stream that tells [`Heard`] how it began.
#[derive(Debug)]
pub(super) struct Listening {
    stream: Stream,
    heard: Heard,
    /// Whether enough was heard.
    full: bool,
    spoken: Spoken,
    /// Lapin reads and writes.
    lapins: bool,
    /// Where lapin has to be corrected.
    narrow: Option<Narrow>,
    /// What lapin reads first goes through this.
    gate: Option<Gate>,
    trace: Option<Trace>,
}

impl Listening {
    pub(super) fn new(stream: Stream, heard: Heard) -> Self {
        *lock(&heard.0.there) = true;
        Self {
            stream,
            heard,
            full: false,
            spoken: Spoken::default(),
            lapins: false,
            narrow: None,
            gate: None,
            trace: None,
        }
    }

    /// The same, with somebody who sees what passes, if anybody does.
    pub(super) fn watched(mut self, watcher: Option<&Watcher>) -> Self {
        self.trace = watcher.cloned().map(Trace::new);
        self
    }

    /// The same for lapin.
    pub(super) fn guarded(stream: Stream, heard: Heard) -> Self {
        let mut listening = Self::new(stream, heard);
        listening.lapins = true;
        listening.gate = Some(Gate::default());
        listening
    }

    /// Reads, and notes how it began.
    fn read(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, into);
        let came = &into.filled()[before..];
        if let Some(trace) = &mut self.trace {
            trace.came(came);
        }
        if came.len() < ANSWER {
            self.stream.quick_ack();
        }
        if !self.full {
            self.full = self.heard.take(came);
            let tune = self.heard.greeting().tune;
            let tune = tune.filter(|_| self.full && self.lapins);
            self.narrow = tune.and_then(|tune| Narrow::of(tune.frame_max));
        }
        polled
    }

    /// Reads what the gate lets pass.
    fn read_through(
        &mut self,
        gate: &mut Gate,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut space = [0; 4096];
        loop {
            if gate.give(into) {
                return Poll::Ready(Ok(()));
            }
            let mut chunk = ReadBuf::new(&mut space);
            ready!(self.read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            gate.take(chunk.filled())?;
        }
    }

    /// Writes as much as the stream takes.
    fn write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = written {
            self.spoken.note(&bytes[..count]);
            if let Some(trace) = &mut self.trace {
                trace.sent(&bytes[..count]);
            }
        }
        written
    }

    /// Writes what was corrected, all of it.
    fn write_corrected(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(mut narrow) = self.narrow.take() else {
            return Poll::Ready(Ok(()));
        };
        let written = loop {
            if narrow.ready.is_empty() {
                break Poll::Ready(Ok(()));
            }
            match self.write(cx, &narrow.ready) {
                Poll::Ready(Ok(0)) => break Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => narrow.ready.advance(count),
                Poll::Ready(Err(cause)) => break Poll::Ready(Err(cause)),
                Poll::Pending => break Poll::Pending,
            }
        };
        self.narrow = Some(narrow);
        written
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        let corrected = self.write_corrected(&mut cx);
        // What does not go out at once is left unsaid: nobody waits for a server that takes nothing.
        if let (true, Some(goodbye)) = (corrected.is_ready(), self.spoken.goodbye())
            && self.write(&mut cx, goodbye).is_ready()
        {
            let _ = Pin::new(&mut self.stream).poll_flush(&mut cx);
        }
        *lock(&self.heard.0.there) = false;
        self.heard.0.gone.notify_all();
        self.heard.0.left.notify_waiters();
    }
}

impl AsyncRead for Listening {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.heard.0.reader.register(cx.waker());
        self.heard.whole()?;
        let Some(mut gate) = self.gate.take() else {
            return self.read(cx, into);
        };
        let polled = self.read_through(&mut gate, cx, into);
        self.gate = Some(gate);
        polled
    }
}

impl AsyncWrite for Listening {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.heard.whole()?;
        if self.narrow.is_none() {
            return self.write(cx, bytes);
        }
        ready!(self.write_corrected(cx))?;
        if let Some(narrow) = &mut self.narrow {
            narrow.take(bytes);
        }
        // What the stream does not take now, it takes before the next, or when it is flushed.
        let _ = self.write_corrected(cx)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.write_corrected(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.write_corrected(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.narrow.is_some() {
            let first = slices.iter().find(|slice| !slice.is_empty());
            return self.poll_write(cx, first.map_or(&[], |slice| slice));
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        if let Poll::Ready(Ok(mut count)) = written {
            for slice in slices {
                let taken = count.min(slice.len());
                self.spoken.note(&slice[..taken]);
                if let Some(trace) = &mut self.trace {
                    trace.sent(&slice[..taken]);
                }
                count -= taken;
            }
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_read_that_brings_nothing_wakes_nobody() {
        let heard = Heard::default();
        assert!(!heard.take(b""));
        assert!(heard.0.news.notified().now_or_never().is_none());
        assert!(!heard.take(b"\x01"));
        assert!(heard.0.news.notified().now_or_never().is_some());
    }

    #[test]
    fn what_the_server_says_of_itself_is_read_as_far_as_it_has_come() {
        let mut said = vec![1, 0, 0, 0, 0, 0, 36, 0, 10, 0, 10, 0, 9];
        said.extend([0, 0, 0, 3, b'x', b'y', b'z']);
        said.extend([0, 0, 0, 14]);
        said.extend(b"PLAIN AMQPLAIN");
        said.extend([0, 0, 0, 1, b'e', 0xCE]);
        let mechanisms = Some(String::from("PLAIN AMQPLAIN"));
        let started = said.len();
        for end in 0..started {
            assert_eq!(Greeting::read(&said[..end]), Greeting::default());
        }
        said.extend([
            1, 0, 0, 0, 0, 0, 12, 0, 10, 0, 30, 0, 1, 0, 0, 16, 0, 0, 60, 0xCE,
        ]);
        let tune = Some(Tune {
            channel_max: 1,
            frame_max: 4096,
        });
        for end in started..said.len() {
            let mechanisms = mechanisms.clone();
            let expected = Greeting {
                mechanisms,
                ..Greeting::default()
            };
            assert_eq!(Greeting::read(&said[..end]), expected);
        }
        let whole = Greeting {
            mechanisms,
            tune,
            tells_refusals: false,
        };
        assert_eq!(Greeting::read(&said), whole);
        assert_eq!(Greeting::read(b"AMQP\0\x01\0\0"), Greeting::default());
        assert_eq!(
            Greeting::read(&[1, 0, 0, 255, 255, 255, 255, 0, 10]),
            Greeting::default()
        );
    }
}
