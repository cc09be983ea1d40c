//! WebSocket frames as a byte stream (RFC 6455 §5).
//!
//! Incoming payload is handed on as it arrives, so a frame of any length needs no memory of its
//! own; control frames may come between the fragments of a message. Each write is one binary frame.

use std::io::{self, Cursor};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use crate::error::brief;
use crate::random::Random;

/// The most payload that one write puts into one frame; bounds the output buffer.
const LARGEST_FRAME: usize = 1024 * 1024;
/// With more than this waiting for the wire, pings are no longer answered.
const MOST_QUEUED: usize = 2 * LARGEST_FRAME;
/// What one read asks the wire for.
const READ_SIZE: usize = 64 * 1024;
/// The highest bit of a length is 0 (RFC 6455 §5.2).
const LARGEST_LENGTH: u64 = u64::MAX >> 1;
/// Frames without data that one read goes over; then others have their turn.
const MOST_EMPTY: u32 = 1024;
/// Control frames carry no more (RFC 6455 §5.5).
const LARGEST_CONTROL: u64 = 125;
/// Close codes (RFC 6455 §7.4.1): normal closure, going away, protocol error, data of a type that is not accepted.
const NORMAL: u16 = 1000;
const GOING_AWAY: u16 = 1001;
const PROTOCOL_ERROR: u16 = 1002;
const NOT_ACCEPTED: u16 = 1003;

/// Which side of the handshake we are: a client masks what it sends, a server refuses what is not masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Client,
    Server,
}

/// The bytes inside the binary frames that travel over `S`.
pub(super) struct WebSocket<S> {
    wire: S,
    role: Role,
    masks: Random,
    /// Read from the wire, not yet understood.
    input: BytesMut,
    payload: Payload,
    /// Frames that the wire has not taken yet.
    output: BytesMut,
    /// The output holds an answer to a control frame, which the reader sends if nobody writes.
    answering: bool,
    /// The task that waits for the wire to take more.
    writer: Option<Waker>,
    /// We have sent a close frame; nothing may follow it.
    closing: bool,
    /// The peer has sent a close frame, or the wire has ended.
    ended: bool,
    /// Why the server has closed it, if it said so and was not asked to.
    farewell: Option<String>,
}

/// The data frame that is being read.
#[derive(Default)]
struct Payload {
    left: u64,
    mask: Option<[u8; 4]>,
    /// A fragment with FIN = 0 was seen; only continuation frames may follow.
    fragmented: bool,
}

impl<S> WebSocket<S> {
    /// A WebSocket after its handshake; `input` is what was read beyond it.
    pub(super) fn new(wire: S, role: Role, input: BytesMut) -> Self {
        Self {
            wire,
            role,
            masks: Random::from_system(),
            input,
            payload: Payload::default(),
            output: BytesMut::new(),
            answering: false,
            writer: None,
            closing: false,
            ended: false,
            farewell: None,
        }
    }

    pub(super) const fn get_ref(&self) -> &S {
        &self.wire
    }

    /// Whether all of a message was handed over.
    pub(super) const fn at_message_end(&self) -> bool {
        self.payload.left == 0 && !self.payload.fragmented
    }

    fn queue(&mut self, opcode: OpCode, payload: &[u8]) {
        let mask = (self.role == Role::Client).then(|| (self.masks.next() as u32).to_le_bytes());
        let header = FrameHeader {
            is_final: true,
            opcode,
            mask,
            ..FrameHeader::default()
        };
        let mut start = Vec::with_capacity(14);
        // Writing into a `Vec` cannot fail.
        let _ = header.format(payload.len() as u64, &mut start);
        self.output.extend_from_slice(&start);
        let from = self.output.len();
        self.output.extend_from_slice(payload);
        if let Some(mask) = mask {
            apply(mask, &mut self.output[from..]);
        }
    }

    fn queue_close(&mut self, code: u16) {
        if !self.closing {
            (self.closing, self.answering) = (true, true);
            self.queue(OpCode::Control(Control::Close), &code.to_be_bytes());
        }
    }

    /// Hands over payload that has arrived; `false` when there is none.
    fn hand_over(&mut self, into: &mut ReadBuf<'_>) -> bool {
        let here = self.input.len().min(into.remaining());
        let count = usize::try_from(self.payload.left).map_or(here, |left| here.min(left));
        if count == 0 {
            return false;
        }
        if let Some(mask) = &mut self.payload.mask {
            apply(*mask, &mut self.input[..count]);
            mask.rotate_left(count % 4);
        }
        into.put_slice(&self.input[..count]);
        self.input.advance(count);
        self.payload.left -= count as u64;
        true
    }

    /// Understands the next frame header, and a whole control frame; `false` when more input is needed.
    fn next_frame(&mut self) -> io::Result<bool> {
        let mut cursor = Cursor::new(&self.input[..]);
        let (header, length) = match FrameHeader::parse(&mut cursor) {
            Ok(Some(parsed)) => parsed,
            Ok(None) => return Ok(false),
            Err(cause) => {
                self.queue_close(PROTOCOL_ERROR);
                return Err(told(&format!("invalid WebSocket stream: {cause}")));
            }
        };
        // The cursor is within the buffer, whose length is a `usize`.
        let start = cursor.position() as usize;
        self.check(&header, length)?;
        match header.opcode {
            OpCode::Control(control) => {
                // Checked above: at most 125.
                let length = length as usize;
                if self.input.len() < start + length {
                    return Ok(false);
                }
                self.input.advance(start);
                let mut payload = self.input.split_to(length);
                if let Some(mask) = header.mask {
                    apply(mask, &mut payload);
                }
                self.control(control, &payload);
            }
            OpCode::Data(_) => {
                self.input.advance(start);
                self.payload = Payload {
                    left: length,
                    mask: header.mask,
                    fragmented: !header.is_final,
                };
            }
        }
        Ok(true)
    }

    fn check(&mut self, header: &FrameHeader, length: u64) -> io::Result<()> {
        let wrong = match header.opcode {
            _ if header.rsv1 || header.rsv2 || header.rsv3 => "a frame with reserved bits",
            _ if length > LARGEST_LENGTH => "an invalid length",
            _ if self.role == Role::Server && header.mask.is_none() => "a frame without a mask",
            _ if self.role == Role::Client && header.mask.is_some() => "a masked frame",
            OpCode::Control(_) if !header.is_final || length > LARGEST_CONTROL => {
                "an invalid control frame"
            }
            OpCode::Data(Data::Text) => {
                self.queue_close(NOT_ACCEPTED);
                return Err(told("a text frame, where only binary frames are allowed"));
            }
            OpCode::Data(Data::Continue) if !self.payload.fragmented => {
                "a continuation frame without a message"
            }
            OpCode::Data(Data::Binary) if self.payload.fragmented => {
                "a new message within a fragmented one"
            }
            OpCode::Control(Control::Reserved(_)) | OpCode::Data(Data::Reserved(_)) => {
                "a frame with a reserved opcode"
            }
            OpCode::Control(_) | OpCode::Data(_) => return Ok(()),
        };
        self.queue_close(PROTOCOL_ERROR);
        Err(told(&format!("invalid WebSocket stream: {wrong}")))
    }

    fn control(&mut self, control: Control, payload: &[u8]) {
        match control {
            Control::Ping if !self.closing && self.output.len() <= MOST_QUEUED => {
                self.answering = true;
                self.queue(OpCode::Control(Control::Pong), payload);
            }
            Control::Close => {
                self.ended = true;
                if self.role == Role::Client && !self.closing {
                    self.farewell = farewell(payload);
                }
                self.queue_close(NORMAL);
            }
            // A pong answers nothing that we asked, a flood of pings needs no answer; reserved kinds were refused before.
            Control::Ping | Control::Pong | Control::Reserved(_) => {}
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Brings what is queued to the wire.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            let written = ready!(Pin::new(&mut self.wire).poll_write(cx, &self.output))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.output.advance(written);
        }
        self.answering = false;
        Poll::Ready(Ok(()))
    }

    /// The same for a writer, who is remembered while it waits.
    fn poll_drain_for_writer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = self.poll_drain(cx);
        self.writer = outcome.is_pending().then(|| cx.waker().clone());
        outcome
    }

    /// Sends answers to pings and closes as far as the wire takes them now.
    ///
    /// The wire wakes only the last task that tried to write. That is now the reader, so a waiting
    /// writer is woken to try again itself; otherwise two tasks could wait for each other for ever.
    fn send_answers(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.answering {
            return Ok(());
        }
        let mut outcome = self.poll_drain(cx);
        if matches!(outcome, Poll::Ready(Ok(()))) {
            outcome = Pin::new(&mut self.wire).poll_flush(cx);
        }
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
        match outcome {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => Ok(()),
        }
    }

    /// Reads more from the wire; `false` at its end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.input.reserve(READ_SIZE);
        // `read_buf` keeps no state between polls, so a new future each time loses nothing.
        let read = ready!(pin!(self.wire.read_buf(&mut self.input)).poll(cx))?;
        Poll::Ready(Ok(read > 0))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocket<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let mut empty = 0;
        loop {
            if this.hand_over(into) || into.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            if this.ended {
                // The close frame is a courtesy.
                let _ = this.send_answers(cx);
                return Poll::Ready(match this.farewell.take() {
                    Some(why) => Err(io::Error::new(io::ErrorKind::ConnectionAborted, why)),
                    None => Ok(()),
                });
            }
            let understood = if this.payload.left > 0 {
                Ok(false)
            } else {
                this.next_frame()
            };
            if understood.is_err() {
                // The close frame is a courtesy; the error that made it necessary counts.
                let _ = this.send_answers(cx);
            } else {
                this.send_answers(cx)?;
            }
            if understood? {
                empty += 1;
                if empty > MOST_EMPTY {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            } else if !ready!(this.poll_fill(cx))? {
                this.ended = true;
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocket<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_drain_for_writer(cx))?;
        if this.closing {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let taken = bytes.len().min(LARGEST_FRAME);
        if taken > 0 {
            this.queue(OpCode::Data(Data::Binary), &bytes[..taken]);
            // What the wire does not take now goes with the next write or flush.
            if let Poll::Ready(Err(cause)) = this.poll_drain_for_writer(cx) {
                return Poll::Ready(Err(cause));
            }
        }
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain_for_writer(cx))?;
        Pin::new(&mut this.wire).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.queue_close(NORMAL);
        ready!(this.poll_drain_for_writer(cx))?;
        Pin::new(&mut this.wire).poll_shutdown(cx)
    }
}

/// What a close frame says, in words; `None`: that all is well, or nothing (RFC 6455 §7.1.5).
fn farewell(payload: &[u8]) -> Option<String> {
    let (code, reason) = payload.split_first_chunk()?;
    let code = u16::from_be_bytes(*code);
    let reason = String::from_utf8_lossy(reason);
    let said = match (code, &*reason) {
        (NORMAL | GOING_AWAY, "") => return None,
        (_, "") => code.to_string(),
        (_, reason) => format!("{code}, {}", brief(reason)),
    };
    Some(format!("the server closed the WebSocket: {said}"))
}

/// Masks or unmasks (RFC 6455 §5.3), eight bytes at a time.
fn apply(mask: [u8; 4], bytes: &mut [u8]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

fn told(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    /// Our client, and the raw bytes of its server.
    fn client() -> (WebSocket<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(4096);
        (WebSocket::new(ours, Role::Client, BytesMut::new()), theirs)
    }

    async fn read(websocket: &mut WebSocket<DuplexStream>) -> io::Result<Vec<u8>> {
        let mut bytes = [0; 64];
        let count = websocket.read(&mut bytes).await?;
        Ok(bytes[..count].to_vec())
    }

    /// One masked frame with a payload shorter than 126 bytes: its first byte and its payload.
    async fn frame(theirs: &mut DuplexStream) -> (u8, Vec<u8>) {
        let mut head = [0; 6];
        theirs.read_exact(&mut head).await.unwrap();
        assert!(head[1] & 0x80 != 0, "a client masks");
        let mut payload = vec![0; usize::from(head[1] & 0x7F)];
        theirs.read_exact(&mut payload).await.unwrap();
        apply([head[2], head[3], head[4], head[5]], &mut payload);
        (head[0], payload)
    }

    #[tokio::test]
    async fn the_reason_of_a_close_is_told_once_and_to_clients_alone() {
        let (mut ours, mut theirs) = client();
        theirs.write_all(b"\x88\x07\x03\xf0token").await.unwrap();
        let error = read(&mut ours).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the server closed the WebSocket: 1008, token"
        );
        assert_eq!(read(&mut ours).await.unwrap(), b"", "the end");
        for (payload, said) in [
            (&b"\x03\xf3"[..], Some("1011")),
            (b"\x03\xe8", None),
            (b"\x03\xe9", None),
            (b"\x03\xe8bye", Some("1000, bye")),
            (b"\x03", None),
            (b"", None),
        ] {
            let said = said.map(|said| format!("the server closed the WebSocket: {said}"));
            assert_eq!(farewell(payload), said, "{payload:?}");
        }
    }

    #[tokio::test]
    async fn fragments_and_pings_between_them_give_the_same_bytes() {
        let (mut ours, mut theirs) = client();
        theirs
            .write_all(b"\x02\x02ab\x89\x01p\x00\x01c\x80\x01d")
            .await
            .unwrap();
        let mut all = [0; 4];
        ours.read_exact(&mut all).await.unwrap();
        assert_eq!(&all, b"abcd");
        assert_eq!(
            frame(&mut theirs).await,
            (0x8A, b"p".to_vec()),
            "the ping is answered"
        );
    }

    #[tokio::test]
    async fn each_write_is_one_binary_frame() {
        let (mut ours, mut theirs) = client();
        ours.write_all(b"one").await.unwrap();
        ours.write_all(b"two").await.unwrap();
        ours.flush().await.unwrap();
        assert_eq!(frame(&mut theirs).await, (0x82, b"one".to_vec()));
        assert_eq!(frame(&mut theirs).await, (0x82, b"two".to_vec()));
    }

    #[tokio::test]
    async fn a_close_frame_is_answered_and_ends_the_stream() {
        let (mut ours, mut theirs) = client();
        theirs.write_all(b"\x88\x02\x03\xe8").await.unwrap();
        assert_eq!(read(&mut ours).await.unwrap(), b"");
        assert_eq!(frame(&mut theirs).await, (0x88, vec![3, 0xE8]));
        assert!(ours.write_all(b"x").await.is_err());
    }

    #[tokio::test]
    async fn what_must_not_come_is_an_error() {
        for (bytes, words) in [
            (&b"\x81\x01a"[..], "text frame"),
            (b"\x82\x81\0\0\0\0a", "a masked frame"),
            (b"\x80\x01a", "a continuation frame without a message"),
            (
                b"\x02\x01a\x82\x01b",
                "a new message within a fragmented one",
            ),
            (b"\xc2\x01a", "reserved bits"),
            (b"\x09\x00", "an invalid control frame"),
            (b"\x82\x7f\x80\0\0\0\0\0\0\0", "an invalid length"),
            (
                b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
                "an invalid length",
            ),
            (b"\x89\x7e\0\x7e", "an invalid control frame"),
            (b"\x83\x00", "invalid opcode: 3"),
        ] {
            let (mut ours, mut theirs) = client();
            theirs.write_all(bytes).await.unwrap();
            let mut first = read(&mut ours).await;
            if first.as_ref().is_ok_and(|bytes| bytes == b"a") {
                first = read(&mut ours).await;
            }
            let refusal = first.unwrap_err().to_string();
            assert!(refusal.contains(words), "{refusal}");
        }
    }

    #[test]
    fn masking_twice_gives_the_same_at_any_length() {
        for length in 0..40 {
            let plain: Vec<u8> = (0..length).collect();
            let mut bytes = plain.clone();
            apply([1, 2, 3, 4], &mut bytes);
            assert!(
                bytes
                    .iter()
                    .zip(&plain)
                    .enumerate()
                    .all(|(at, (a, b))| a ^ b == [1, 2, 3, 4][at % 4])
            );
            apply([1, 2, 3, 4], &mut bytes);
            assert_eq!(bytes, plain);
        }
    }
}
