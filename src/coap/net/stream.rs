//! A byte stream or WebSocket (RFC 8323 §3, §4).

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::seats::Room;
use super::wire::Received;
use crate::coap::endpoint::Loss;
use crate::connect::{Stream, failure};

/// How long an alert that explains a broken connection is waited for; it has come with the connection's end.
const ALERT: Duration = Duration::from_millis(100);

/// Messages over a stream.
pub(super) struct Streamed {
    stream: Stream,
    websocket: bool,
    /// Whole messages, but for the first one, whose beginning may be gone already.
    queue: VecDeque<Bytes>,
    /// The beginning of a WebSocket message.
    message: BytesMut,
    limit: usize,
    /// What was written may still wait in TLS or in a WebSocket.
    unflushed: bool,
    room: Option<Arc<Room>>,
}

impl Streamed {
    /// `limit` is the largest WebSocket message in bytes.
    pub(super) fn new(stream: Stream, websocket: bool, limit: usize) -> Self {
        Self {
            stream,
            websocket,
            queue: VecDeque::new(),
            message: BytesMut::new(),
            limit,
            unflushed: false,
            room: None,
        }
    }

    /// The same, whose WebSocket messages share this room with those of others until they are whole.
    pub(super) fn in_room(mut self, room: Arc<Room>) -> Self {
        self.room = Some(room);
        self
    }

    pub(super) fn local(&self) -> Option<SocketAddr> {
        self.stream.local()
    }

    pub(super) fn queue(&mut self, bytes: Bytes) {
        self.queue.push_back(bytes);
    }

    /// Whether there is something to be written.
    pub(super) fn waits(&self) -> bool {
        self.unflushed || !self.queue.is_empty()
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while self.waits() {
            if let Err(cause) = self.step().await {
                // A server that refuses our certificate says so and hangs up while our first message is on its way (RFC
                // 8446 §4.4.2.4): the alert tells more than the pipe that is broken by it.
                let alert = timeout(ALERT, self.stream.read(&mut [0; 64])).await;
                return Err(match alert {
                    Ok(Err(alert)) => alert,
                    _ => cause,
                });
            }
        }
        Ok(())
    }

    /// Writes some of what is queued; returns how much. Cancel-safe.
    pub(super) async fn step(&mut self) -> io::Result<usize> {
        let mut written = 0;
        if let Some(first) = self.queue.front_mut() {
            self.unflushed = true;
            if !first.is_empty() {
                written = self.stream.write_buf(first).await?;
            }
            if first.is_empty() {
                self.queue.pop_front();
            }
        } else {
            self.stream.flush().await?;
            self.unflushed = false;
        }
        Ok(written)
    }

    pub(super) async fn hear(&mut self, buffer: &mut [u8]) -> Received {
        loop {
            let length = match self.stream.read(buffer).await {
                Ok(0) => return Received::Ended("closed by the peer".into()),
                Ok(length) => length,
                Err(cause) => return Received::Ended(loss(&cause)),
            };
            if !self.websocket {
                return Received::Bytes(length);
            }
            if let Some(room) = &self.room
                && !room.take(self.message.len(), length)
            {
                return Received::Ended("no room for a message of this size at the moment".into());
            }
            self.message.extend_from_slice(&buffer[..length]);
            if self.stream.at_message_end() {
                self.leave_room();
                return Received::Frame(std::mem::take(&mut self.message).freeze());
            }
            if self.message.len() > self.limit {
                let why = format!("a message of more than {} bytes", self.limit);
                return Received::Ended(why.into());
            }
        }
    }

    fn leave_room(&self) {
        if let Some(room) = &self.room {
            room.give_back(self.message.len());
        }
    }

    /// Ends the connection in an orderly way; that the peer is gone already is no matter.
    pub(super) async fn close(&mut self) {
        let _ = self.flush().await;
        let _ = self.stream.shutdown().await;
    }
}

/// Why a connection ended that reports this error.
pub(super) fn loss(cause: &io::Error) -> Loss {
    Loss {
        alert: failure::alert(cause),
        ..Loss::from(failure::reason(cause))
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        self.leave_room();
    }
}
