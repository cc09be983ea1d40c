//! Many frames in one write.
//!
//! The library flushes after each frame. Here a flush is put off until the same task reads, which it does whenever
//! there is nothing else to do: so frames that follow each other at once go out together, and none waits for another.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use futures_util::task::noop_waker_ref;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::heard::Listening;

/// As many bytes wait at most.
const MOST: usize = 64 * 1024;

/// A stream that one task reads and writes.
#[derive(Debug)]
pub(super) struct Gathered {
    stream: Listening,
    out: BytesMut,
}

impl Gathered {
    pub(super) fn new(stream: Listening) -> Self {
        Self {
            stream,
            out: BytesMut::new(),
        }
    }

    /// Writes all that waits.
    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let stream = Pin::new(&mut self.stream);
            match ready!(stream.poll_write(cx, &self.out))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.out.advance(count),
            }
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }
}

impl Drop for Gathered {
    /// The last word of a connection that the server ended is sent if it can be at once.
    fn drop(&mut self) {
        let _ = self.drain(&mut Context::from_waker(noop_waker_ref()));
    }
}

impl AsyncRead for Gathered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // What the server said before it went away comes first, so a failure to write waits for the end of that.
        if !self.out.is_empty() {
            let failed = matches!(self.drain(cx), Poll::Ready(Err(_)));
            if failed {
                self.out.clear();
            }
        }
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Gathered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.out.len() >= MOST {
            ready!(self.drain(cx))?;
        }
        self.out.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.drain(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
