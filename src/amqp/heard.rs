//! The stream under lapin: what the server said first is kept for the diagnosis when the login fails, and the
//! stream can be cut off, which ends lapin's thread whatever it waits for.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::connect::Stream;

/// Enough for Connection.Start with all its server properties.
const KEPT: usize = 4096;

/// A read shorter than this is an answer that somebody waits for, rather than one of many messages.
const SHORT: usize = 1024;

/// The first bytes that came, shared with the stream that they come on.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    first: Mutex<Vec<u8>>,
    cut: AtomicBool,
    reader: AtomicWaker,
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

    /// The authentication mechanisms that Connection.Start offered (AMQP 0-9-1 §1.4.2.1).
    pub(super) fn mechanisms(&self) -> Option<String> {
        mechanisms(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        // Nothing panics while it is held.
        self.0.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what there is room for; whether it is full then comes back.
    fn take(&self, bytes: &[u8]) -> bool {
        let mut kept = self.lock();
        let room = KEPT.saturating_sub(kept.len()).min(bytes.len());
        kept.extend_from_slice(&bytes[..room]);
        kept.len() >= KEPT
    }
}

/// Frame header (7), class and method (4), versions (2), server properties (4 and as many), mechanisms (4 and as many).
fn mechanisms(bytes: &[u8]) -> Option<String> {
    let start = bytes.strip_prefix(&[1, 0, 0])?.get(4..)?;
    let rest = start.strip_prefix(&[0, 10, 0, 10])?.get(2..)?;
    let properties = u32::from_be_bytes(*rest.first_chunk()?);
    let rest = rest.get(4 + properties as usize..)?;
    let length = u32::from_be_bytes(*rest.first_chunk()?);
    let text = rest.get(4..4 + length as usize)?;
    Some(String::from_utf8_lossy(text).into_owned())
}

/// A stream that tells [`Heard`] how it began.
#[derive(Debug)]
pub(super) struct Listening {
    stream: Stream,
    heard: Heard,
    /// Whether enough was heard.
    full: bool,
}

impl Listening {
    pub(super) const fn new(stream: Stream, heard: Heard) -> Self {
        Self {
            stream,
            heard,
            full: false,
        }
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
        let before = into.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, into);
        let came = &into.filled()[before..];
        if came.len() < SHORT {
            self.stream.quick_ack();
        }
        if !self.full {
            let full = self.heard.take(came);
            self.full = full;
        }
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
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mechanisms_are_found_in_connection_start() {
        let mut start = vec![1, 0, 0, 0, 0, 0, 40, 0, 10, 0, 10, 0, 9];
        start.extend([0, 0, 0, 3, b'x', b'y', b'z']);
        start.extend([0, 0, 0, 14]);
        start.extend(b"PLAIN AMQPLAIN");
        assert_eq!(mechanisms(&start).as_deref(), Some("PLAIN AMQPLAIN"));
        for end in 0..start.len() {
            assert_eq!(mechanisms(&start[..end]), None);
        }
        assert_eq!(mechanisms(b"AMQP\0\x01\0\0"), None);
    }
}
