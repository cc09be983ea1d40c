//! Frames in and out of one connection, and its heartbeats.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use amq_protocol::protocol::{AMQPError, AMQPErrorKind, AMQPHardError};
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep_until;

use super::super::diagnose;
use super::super::frame::{BEAT, Frame, HEARTBEAT, METHOD, Refusal, methods};
use super::super::heard::Listening;
use super::login::CHANNEL;
use crate::connect::Target;
use crate::connect::failure::LOST_ACKNOWLEDGEMENTS;
use crate::error::{Error, Kind};

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;
/// Buffers that were larger for a while are given back.
const KEPT: usize = 1024 * 1024;

/// Why a connection is of no use any more.
#[derive(Debug)]
pub(super) enum End {
    /// The server closed it, or its channel, with these words.
    Told(AMQPError),
    /// The server closed it, or its channel, with a reply code that AMQP has for no error: `closed the channel: …`.
    Closed(String),
    /// It broke.
    Broke(io::Error),
    /// Nothing came for two heartbeats.
    Silent,
    /// What came makes no sense.
    Nonsense(String),
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        Self::Nonsense(refusal.text)
    }
}

impl End {
    /// In the user's words; `what` completes "the server refused …".
    pub(super) fn words(self, target: &Target, what: &str) -> Error {
        match self {
            Self::Nonsense(text) => Error::new(
                Kind::Lost,
                format!("protocol violation by {target}: {text}"),
            ),
            Self::Closed(text) => Error::new(Kind::Lost, format!("{target} {text}")),
            other => diagnose::request(target, what, &other.cause()),
        }
    }

    /// Whether the server closed the connection for a reason that lies in what it got (AMQP 0-9-1 §1.2).
    pub(super) fn objects(&self) -> bool {
        let forced = AMQPErrorKind::Hard(AMQPHardError::CONNECTIONFORCED);
        matches!(self, Self::Told(error) if matches!(error.kind(), AMQPErrorKind::Hard(_)) && *error.kind() != forced)
    }

    /// What it means while the last acknowledgements are under way, for [`unacknowledged`](crate::connect::failure::unacknowledged).
    pub(super) fn of_acknowledgements(self) -> (Kind, String) {
        let refused = self.objects();
        match self {
            Self::Told(error) => {
                let why = diagnose::server_words(error.get_message().as_str());
                match refused || matches!(error.kind(), AMQPErrorKind::Soft(_)) {
                    true => (Kind::Refused, format!("refused an acknowledgement: {why}")),
                    false => (Kind::Lost, format!("{LOST_ACKNOWLEDGEMENTS}: {why}")),
                }
            }
            Self::Closed(why) => (Kind::Lost, format!("{LOST_ACKNOWLEDGEMENTS}: it {why}")),
            Self::Broke(_) | Self::Silent | Self::Nonsense(_) => {
                (Kind::Lost, String::from(LOST_ACKNOWLEDGEMENTS))
            }
        }
    }

    /// As lapin would have it.
    pub(super) fn cause(self) -> lapin::Error {
        use lapin::ErrorKind;
        match self {
            Self::Told(error) => ErrorKind::ProtocolError(error).into(),
            Self::Broke(cause) => ErrorKind::IOError(Arc::new(cause)).into(),
            Self::Silent => ErrorKind::MissingHeartbeatError.into(),
            Self::Nonsense(text) | Self::Closed(text) => {
                let cause = io::Error::new(io::ErrorKind::InvalidData, text);
                ErrorKind::IOError(Arc::new(cause)).into()
            }
        }
    }
}

/// A connection, its buffers and its clock.
pub(super) struct Link {
    stream: Listening,
    input: BytesMut,
    chunk: Box<[u8]>,
    pub(super) out: BytesMut,
    /// Bytes written, in all.
    pub(super) written: u64,
    unflushed: bool,
    /// What the last write failed with; what the server said before comes first.
    failed: Option<io::Error>,
    /// Of frames, in bytes.
    pub(super) largest: usize,
    heartbeat: Option<Duration>,
    heard: Instant,
    spoke: Instant,
}

impl Link {
    pub(super) fn new(stream: Listening, largest: usize) -> Self {
        let now = Instant::now();
        Self {
            stream,
            input: BytesMut::new(),
            chunk: vec![0; CHUNK].into(),
            out: BytesMut::new(),
            written: 0,
            unflushed: false,
            failed: None,
            largest,
            heartbeat: None,
            heard: now,
            spoke: now,
        }
    }

    /// What was agreed on; 0 seconds is no heartbeat.
    pub(super) fn agree(&mut self, largest: usize, heartbeat: u16) {
        self.largest = largest;
        self.heartbeat = (heartbeat > 0).then(|| Duration::from_secs(heartbeat.into()));
    }

    /// Gives each frame that has come to `take`, until it has enough and says `false`.
    ///
    /// # Errors
    /// What is no frame; what `take` fails with.
    pub(super) fn frames(
        &mut self,
        mut take: impl FnMut(Frame<'_>, &mut BytesMut) -> Result<bool, End>,
    ) -> Result<(), End> {
        loop {
            let Some(frame) = Frame::split(&self.input, self.largest)? else {
                return Ok(());
            };
            let length = frame.length();
            check_channel(&frame)?;
            let more = take(frame, &mut self.out)?;
            self.input.advance(length);
            if !more {
                return Ok(());
            }
        }
    }

    /// Whether [`Link::frames`] has something to give.
    pub(super) fn has_frame(&self) -> bool {
        !matches!(Frame::split(&self.input, self.largest), Ok(None))
    }

    /// Writes what waits, and heartbeats, and reads nothing. Cancel-safe.
    pub(super) async fn hold(&mut self) -> Infallible {
        loop {
            let due = self.heartbeat.map(|time| self.spoke + time / 2);
            let alarm = sleep_until(due.unwrap_or(self.spoke).into());
            let writing = poll_fn(|cx| {
                self.poll_write(cx);
                // Nothing can be heard meanwhile.
                self.heard = Instant::now();
                Poll::<Infallible>::Pending
            });
            tokio::select! {
                biased;
                never = writing => return never,
                () = alarm, if due.is_some() => {}
            }
            if self.out.is_empty() && self.failed.is_none() {
                self.out.extend_from_slice(&BEAT);
            }
            self.spoke = Instant::now();
        }
    }

    /// Writes what waits, and waits until something came or all was written. Cancel-safe.
    ///
    /// # Errors
    /// A broken connection, or one that is silent for too long.
    pub(super) async fn progress(&mut self) -> Result<(), End> {
        loop {
            let due = self.heartbeat.map(|time| self.next_beat(time));
            let alarm = sleep_until(due.unwrap_or(self.heard).into());
            let exchanged = tokio::select! {
                biased;
                exchanged = poll_fn(|cx| self.poll(cx)) => Some(exchanged),
                () = alarm, if due.is_some() => None,
            };
            match exchanged {
                Some(Err(cause)) => return Err(End::Broke(cause)),
                Some(Ok(())) => return Ok(()),
                None => self.beat()?,
            }
        }
    }

    /// When to say that we are there, or to notice that the server is not.
    fn next_beat(&self, heartbeat: Duration) -> Instant {
        let deaf = self.heard + 2 * heartbeat;
        match self.out.is_empty() {
            true => deaf.min(self.spoke + heartbeat / 2),
            false => deaf,
        }
    }

    fn beat(&mut self) -> Result<(), End> {
        let Some(heartbeat) = self.heartbeat else {
            return Ok(());
        };
        // Whatever had come was read before.
        if self.heard.elapsed() >= 2 * heartbeat {
            return Err(End::Silent);
        }
        if self.out.is_empty() {
            self.out.extend_from_slice(&BEAT);
        }
        Ok(())
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wrote = self.poll_write(cx);
        let read = self.poll_read(cx)?;
        match (&mut self.failed, wrote || read) {
            (_, true) => Poll::Ready(Ok(())),
            (failed @ Some(_), false) => {
                let cause = failed.take();
                Poll::Ready(Err(cause.unwrap_or_else(closed)))
            }
            (None, false) => Poll::Pending,
        }
    }

    /// Whether all that waited was written.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> bool {
        let waited = !self.out.is_empty();
        while !self.out.is_empty() && self.failed.is_none() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.out) {
                Poll::Ready(Ok(0)) => self.failed = Some(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    self.out.advance(count);
                    self.written += count as u64;
                    self.spoke = Instant::now();
                    self.unflushed = true;
                }
                Poll::Ready(Err(cause)) => self.failed = Some(cause),
                Poll::Pending => return false,
            }
        }
        if self.unflushed && self.failed.is_none() {
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(cause)) => self.failed = Some(cause),
                Poll::Pending => {}
            }
        }
        if waited && self.out.is_empty() && self.out.capacity() > KEPT {
            self.out = BytesMut::new();
        }
        waited && self.failed.is_none()
    }

    /// Whether something came.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut into = ReadBuf::new(&mut self.chunk);
        match Pin::new(&mut self.stream).poll_read(cx, &mut into) {
            Poll::Ready(Ok(())) if into.filled().is_empty() => Err(closed()),
            Poll::Ready(Ok(())) => {
                self.input.extend_from_slice(into.filled());
                self.heard = Instant::now();
                Ok(true)
            }
            Poll::Ready(Err(cause)) => Err(cause),
            Poll::Pending => Ok(false),
        }
    }
}

/// Whether a frame stands on the channel that it belongs to (§4.2.3): methods of the connection on 0, all others, and content, on
/// ours.
#[inline]
fn check_channel(frame: &Frame<'_>) -> Result<(), End> {
    let wanted = match frame.kind {
        HEARTBEAT => return Ok(()),
        METHOD if frame.method_ids().0 == methods::CLOSE.0 => 0,
        _ => CHANNEL,
    };
    match frame.channel == wanted {
        true => Ok(()),
        false => Err(stray(frame.channel)),
    }
}

#[cold]
fn stray(channel: u16) -> End {
    End::Nonsense(match channel {
        0 | CHANNEL => format!("a frame on channel {channel}, where it does not belong"),
        other => format!("a frame for channel {other}, which is not open"),
    })
}

/// As lapin has it for a server that ends the connection.
fn closed() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}
