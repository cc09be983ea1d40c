//! Messages on reliable transports (RFC 8323): length-prefixed on TCP and TLS, one per frame on WebSocket;
//! and the signals that only they know.

use bytes::{Buf, Bytes, BytesMut};

use super::code::Code;
use super::message::{Malformed, Message, Token, Type, Unwritable};
use super::option::Options;
use super::wire::{self, Head};

/// The largest message that may be sent before the peer says more, in bytes (RFC 8323 §5.3.1).
pub const BASE_MESSAGE_SIZE: usize = 1152;

/// The options of signals; their numbers are each signal's own (RFC 8323 §5).
pub mod signal {
    /// CSM: Max-Message-Size, bytes.
    pub const MAX_MESSAGE_SIZE: u16 = 2;
    /// CSM: Block-Wise-Transfer, no value.
    pub const BLOCK_WISE_TRANSFER: u16 = 4;
    /// Ping and Pong: Custody, no value.
    pub const CUSTODY: u16 = 2;
    /// Release: Alternative-Address.
    pub const ALTERNATIVE_ADDRESS: u16 = 2;
    /// Release: Hold-Off, seconds.
    pub const HOLD_OFF: u16 = 4;
    /// What the three bytes of Hold-Off can say.
    pub const LONGEST_HOLD_OFF: u64 = 0xFF_FFFF;
    /// Abort: Bad-CSM-Option.
    pub const BAD_CSM_OPTION: u16 = 2;
}

/// Why a stream is no CoAP stream; the connection is to be aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// The message in it is malformed.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It announces more than is allowed.
    #[error("a message of {0} bytes exceeds the limit")]
    TooLarge(u64),
    /// The length field of a WebSocket message is not 0.
    #[error("the length of a WebSocket message is not 0")]
    Length,
}

/// Writes a message for TCP or TLS.
///
/// # Errors
/// An option's value is too long.
pub fn encode_stream(message: &Message) -> Result<Bytes, Unwritable> {
    let body = body(message)?;
    let tkl = message.token.bytes().len() as u8;
    let mut frame = Vec::with_capacity(body.len() + 14);
    let length = u32::try_from(body.len()).map_err(|_| Unwritable::Refused)?;
    wire::push_length(length, tkl, &mut frame);
    Ok(finish(frame, message, &body))
}

/// Writes a message for WebSocket: the length is 0, as the frame says it.
///
/// # Errors
/// An option's value is too long.
pub fn encode_websocket(message: &Message) -> Result<Bytes, Unwritable> {
    let body = body(message)?;
    let frame = vec![message.token.bytes().len() as u8];
    Ok(finish(frame, message, &body))
}

/// Reads one WebSocket message.
///
/// # Errors
/// It is no CoAP message.
pub fn decode_websocket(frame: &[u8]) -> Result<Message, BadFrame> {
    let &[first, code, ref rest @ ..] = frame else {
        return Err(Malformed::Short.into());
    };
    if first >> 4 != 0 {
        return Err(BadFrame::Length);
    }
    Ok(decode_parts(first & 15, code, rest)?)
}

/// Takes messages out of a byte stream.
#[derive(Debug)]
pub struct Decoder {
    buffer: BytesMut,
    limit: usize,
}

impl Decoder {
    /// `limit` is the largest message in bytes, as our CSM announces it.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            limit,
        }
    }

    /// Takes what the stream brought.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes of messages that were not taken yet.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The next whole message, `None` while there is none.
    ///
    /// # Errors
    /// The stream is no CoAP stream; nothing more can be read from it.
    pub fn take(&mut self) -> Result<Option<Message>, BadFrame> {
        let Some(head) = Head::read(&self.buffer) else {
            return Ok(None);
        };
        if head.token > 8 {
            return Err(Malformed::TokenLength(head.token).into());
        }
        let total = head.total();
        if total > self.limit as u64 {
            return Err(BadFrame::TooLarge(total));
        }
        let total = total as usize;
        if self.buffer.len() < total {
            return Ok(None);
        }
        let frame = self.buffer.split_to(total);
        let code = frame[head.size - 1];
        Ok(Some(decode_parts(head.token, code, &frame[head.size..])?))
    }
}

/// Options, marker and payload.
fn body(message: &Message) -> Result<Bytes, Unwritable> {
    let mut bytes = message.encode()?;
    bytes.advance(4 + message.token.bytes().len());
    Ok(bytes)
}

fn finish(mut frame: Vec<u8>, message: &Message, body: &[u8]) -> Bytes {
    frame.push(message.code.0);
    frame.extend_from_slice(message.token.bytes());
    frame.extend_from_slice(body);
    frame.into()
}

/// Reuses the datagram's decoder behind a header made up for it.
fn decode_parts(tkl: u8, code: u8, rest: &[u8]) -> Result<Message, Malformed> {
    if matches!(Code(code).class(), 1 | 3 | 6) {
        return Err(Malformed::Code(Code(code)));
    }
    let mut datagram = Vec::with_capacity(rest.len() + 4);
    datagram.extend([0x40 | tkl, code, 0, 0]);
    datagram.extend_from_slice(rest);
    Message::decode_any(&datagram)
}

/// Capabilities and settings (RFC 8323 §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Csm {
    /// The largest message that its sender takes, in bytes.
    pub max_message_size: usize,
    /// Whether its sender knows block-wise transfer.
    pub block_wise: bool,
}

impl Default for Csm {
    /// What holds before the peer has said anything.
    fn default() -> Self {
        Self {
            max_message_size: BASE_MESSAGE_SIZE,
            block_wise: false,
        }
    }
}

impl Csm {
    /// The signal.
    pub fn message(self) -> Message {
        let mut message = signal_message(Code::CSM, Token::EMPTY);
        let size = self.max_message_size as u64;
        message.options.push_uint(signal::MAX_MESSAGE_SIZE, size);
        if self.block_wise {
            message
                .options
                .push(signal::BLOCK_WISE_TRANSFER, Bytes::new());
        }
        message
    }

    /// What an arriving CSM changes; what it does not mention stays.
    pub fn update(&mut self, options: &Options) {
        if let Some(size) = options.uint(signal::MAX_MESSAGE_SIZE) {
            self.max_message_size = usize::try_from(size).unwrap_or(usize::MAX);
        }
        self.block_wise |= options.contains(signal::BLOCK_WISE_TRANSFER);
    }

    /// Whether blocks larger than 1024 bytes may be sent to its sender (RFC 8323 §6).
    pub const fn allows_bert(self) -> bool {
        self.block_wise && self.max_message_size > BASE_MESSAGE_SIZE
    }
}

/// A signal without options.
pub const fn signal_message(code: Code, token: Token) -> Message {
    Message::new(Type::Con, code, 0, token)
}

/// An Abort (7.05) with a reason for people.
pub fn abort(reason: &str) -> Message {
    let mut message = signal_message(Code::ABORT, Token::EMPTY);
    message.payload = Bytes::copy_from_slice(reason.as_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coap::option;

    fn sample(length: usize) -> Message {
        let mut message = Message::new(
            Type::Con,
            Code::PUT,
            0,
            Token::new(b"tok").expect("3 bytes"),
        );
        message.options.push_text(option::URI_PATH, "a");
        message.payload = vec![7; length].into();
        message
    }

    #[test]
    fn every_length_of_the_length_survives_in_pieces() {
        for length in [
            0, 1, 9, 10, 11, 250, 264, 265, 266, 300, 65_801, 65_802, 70_000,
        ] {
            let message = sample(length);
            let bytes = encode_stream(&message).expect("encodes");
            let mut decoder = Decoder::new(1 << 20);
            let (head, tail) = bytes.split_at(bytes.len() / 2);
            decoder.push(head);
            assert_eq!(decoder.take(), Ok(None), "{length}");
            decoder.push(tail);
            decoder.push(&bytes);
            assert_eq!(decoder.take(), Ok(Some(message.clone())), "{length}");
            assert_eq!(decoder.take(), Ok(Some(message)), "{length}");
            assert_eq!(decoder.take(), Ok(None));
        }
    }

    #[test]
    fn a_websocket_message_has_length_nought() {
        let message = sample(5000);
        let bytes = encode_websocket(&message).expect("encodes");
        assert_eq!(bytes[0], 3);
        assert_eq!(decode_websocket(&bytes), Ok(message));
        assert_eq!(decode_websocket(&[0x10, 1, 0]), Err(BadFrame::Length));
        assert_eq!(
            decode_websocket(&[0]),
            Err(BadFrame::Malformed(Malformed::Short))
        );
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_is_stored() {
        let mut decoder = Decoder::new(1152);
        decoder.push(&[0xF0, 0xFF, 0xFF, 0xFF, 0xFF, 1]);
        assert!(matches!(decoder.take(), Err(BadFrame::TooLarge(_))));
    }

    #[test]
    fn impossible_tokens_and_codes_are_refused() {
        for (bytes, fault) in [
            ([0x09, 1], Malformed::TokenLength(9)),
            ([0x00, 0x20], Malformed::Code(Code(0x20))),
        ] {
            let mut decoder = Decoder::new(1152);
            decoder.push(&bytes);
            assert_eq!(decoder.take(), Err(BadFrame::Malformed(fault)));
        }
    }

    #[test]
    fn capabilities_are_told() {
        let said = Csm {
            max_message_size: 0x80_0100,
            block_wise: true,
        };
        let mut heard = Csm::default();
        assert!(!heard.allows_bert());
        heard.update(&said.message().options);
        assert_eq!(heard, said);
        assert!(heard.allows_bert());
    }
}
