//! What only reliable transports say (RFC 8323 §5).

use super::super::driver::Broken;
use crate::coap::code::Code;
use crate::coap::frame::{Csm, decode_websocket};
use crate::coap::wire::Seen;

/// What a signal means for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// The server's capabilities: the connection can be used, for messages of so many bytes.
    Greeting(usize),
    /// The answer to a ping.
    Pong,
    /// Nothing more.
    Done,
}

/// Does what a signal asks for.
///
/// # Errors
/// The server wants the connection to end.
pub(super) fn heed(seen: &Seen<'_>, out: &mut Vec<u8>) -> Result<Signal, Broken> {
    match seen.code {
        Code::CSM => return Ok(Signal::Greeting(largest(seen))),
        Code::PONG => return Ok(Signal::Pong),
        Code::PING => write_signal(Code::PONG, seen.token, out),
        Code::RELEASE => return Err(Broken::new("the server asks to close the connection")),
        Code::ABORT => {
            let why = seen.content().map(|content| content.payload);
            let why = String::from_utf8_lossy(why.unwrap_or_default());
            let cause = format!("the server aborted the connection: {}", why.escape_debug());
            return Err(Broken::new(cause));
        }
        _ => {}
    }
    Ok(Signal::Done)
}

/// The largest message that the server takes, in bytes (RFC 8323 §5.3.1).
fn largest(seen: &Seen<'_>) -> usize {
    let bytes = [&[0, seen.code.0], seen.rest].concat();
    let mut csm = Csm::default();
    if let Ok(message) = decode_websocket(&bytes) {
        csm.update(&message.options);
    }
    csm.max_message_size
}

/// Our capabilities and settings, none of which differ from what holds anyway (RFC 8323 §5.3).
pub(super) fn write_greeting(out: &mut Vec<u8>) {
    write_signal(Code::CSM, &[], out);
}

/// Asks for a Pong.
pub(super) fn write_ping(token: &[u8], out: &mut Vec<u8>) {
    write_signal(Code::PING, token, out);
}

/// A signal without options; its token has at most eight bytes.
fn write_signal(code: Code, token: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&[token.len() as u8, code.0]);
    out.extend_from_slice(token);
}
