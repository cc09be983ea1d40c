//! Moves bytes between a session and a stream, both ways at once.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::sleep_until;

use super::READ_SIZE;
use crate::connect::Stream;
use crate::mqtt::session::client::Session;

/// What one [`exchange`] achieved.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// Something was appended to the input.
    Received,
    /// The output is written.
    Sent,
    /// The time given has come.
    TimePassed,
    /// The server has closed its side.
    Closed,
}

/// Writes the session's output and, unless the session has stopped reading, reads into `input`: until
/// something was read, all was written, or `until` has come. Cancel-safe.
pub(super) async fn exchange(
    stream: &mut Stream,
    session: &mut Session,
    input: &mut BytesMut,
    until: Option<Instant>,
) -> io::Result<Moved> {
    let reading = session.is_reading();
    let output = session.output();
    let moving = poll_fn(|cx| poll_exchange(stream, output, input, reading, cx));
    match until {
        None => moving.await,
        Some(until) => tokio::select! {
            biased;
            moved = moving => moved,
            () = sleep_until(until.into()) => Ok(Moved::TimePassed),
        },
    }
}

fn poll_exchange(
    stream: &mut Stream,
    output: &mut BytesMut,
    input: &mut BytesMut,
    reading: bool,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Moved>> {
    let sent = poll_send(stream, output, cx);
    // What the server has already said comes before a failure to write: it may say why.
    if reading && let Poll::Ready(received) = poll_receive(stream, input, cx) {
        return Poll::Ready(received.map(|count| {
            if count == 0 {
                Moved::Closed
            } else {
                Moved::Received
            }
        }));
    }
    sent.map_ok(|()| Moved::Sent)
}

/// Ready when something was written and nothing is left to write.
fn poll_send(
    stream: &mut Stream,
    output: &mut BytesMut,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let had_output = output.has_remaining();
    while output.has_remaining() {
        match Pin::new(&mut *stream).poll_write(cx, output) {
            Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(count)) => output.advance(count),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
    }
    // TLS and WebSocket keep bytes of their own; on plain TCP this does nothing.
    match Pin::new(stream).poll_flush(cx)? {
        Poll::Ready(()) if had_output => Poll::Ready(Ok(())),
        _ => Poll::Pending,
    }
}

fn poll_receive(
    stream: &mut Stream,
    input: &mut BytesMut,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    // An empty buffer begins at its front again, which is still in the processor's cache.
    if input.is_empty() || input.capacity() - input.len() < READ_SIZE / 4 {
        input.reserve(READ_SIZE);
    }
    pin!(stream.read_buf(input)).poll(cx)
}

/// Writes all of `output`, closes our side and waits until the server has closed its own: bytes left unread
/// when a socket is closed would make the server's system throw away what we sent last.
pub(super) async fn finish(stream: &mut Stream, output: &mut BytesMut) -> io::Result<()> {
    stream.write_all_buf(output).await?;
    stream.flush().await?;
    stream.shutdown().await?;
    let mut rest = BytesMut::with_capacity(READ_SIZE);
    while stream.read_buf(&mut rest).await? > 0 {
        rest.clear();
    }
    Ok(())
}
