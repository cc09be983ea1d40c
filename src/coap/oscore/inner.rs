//! What of a message is inside, what is outside (RFC 8613 §4), and the OSCORE option (§6.1).

use bytes::Bytes;

use super::Fault;
use crate::coap::code::Code;
use crate::coap::message::{Message, Token, Type};
use crate::coap::option::{self, Options};

/// Options that stay outside, for proxies.
const OUTER: [u16; 5] = [
    option::URI_HOST,
    option::URI_PORT,
    option::HOP_LIMIT,
    option::PROXY_URI,
    option::PROXY_SCHEME,
];

/// The plaintext of a message: its code, its inner options, its payload (§5.3).
pub(super) fn plaintext(message: &Message) -> Result<Vec<u8>, Fault> {
    let mut inner = Message::new(Type::Con, message.code, 0, Token::EMPTY);
    inner.options = message.options.clone();
    inner.options.retain(|number, _| !OUTER.contains(&number));
    inner.payload = message.payload.clone();
    if message.code.is_response() && message.options.contains(option::OBSERVE) {
        // The sequence of a notification is its partial IV (§4.1.3.5.2).
        inner.options.set(option::OBSERVE, Bytes::new());
    }
    let bytes = inner.encode().map_err(|_| Fault::Unwritable)?;
    let mut text = vec![message.code.0];
    text.extend_from_slice(&bytes[4..]);
    Ok(text)
}

/// The message around a ciphertext: its outer code and options.
pub(super) fn outer(message: &Message, option_value: Vec<u8>, ciphertext: Vec<u8>) -> Message {
    let observe = message.options.first(option::OBSERVE);
    let code = match (message.code.is_request(), observe.is_some()) {
        (true, false) => Code::POST,
        (true, true) => Code::FETCH,
        (false, false) => Code::CHANGED,
        (false, true) => Code::CONTENT,
    };
    let mut outer = Message::new(message.kind, code, message.mid, message.token);
    outer.options = message.options.clone();
    outer
        .options
        .retain(|number, _| OUTER.contains(&number) || number == option::OBSERVE);
    outer.options.set(option::OSCORE, option_value);
    outer.payload = ciphertext.into();
    outer
}

/// The message that a plaintext holds, with the outer options that count.
pub(super) fn reassemble(outer: &Message, text: &[u8]) -> Result<Message, Fault> {
    let (code, rest) = text.split_first().ok_or(Fault::Malformed)?;
    let mut datagram = vec![0x40, *code, 0, 0];
    datagram.extend_from_slice(rest);
    let inner = Message::decode(&datagram).map_err(|_| Fault::Malformed)?;
    if inner.code.is_request() != outer.code.is_request() || inner.code == Code::EMPTY {
        return Err(Fault::Malformed);
    }
    let mut options: Options = inner.options;
    options.retain(|number, _| !OUTER.contains(&number) && number != option::OSCORE);
    for (number, value) in outer.options.iter().filter(|it| OUTER.contains(&it.0)) {
        options.push(number, value.clone());
    }
    Ok(Message {
        code: inner.code,
        options,
        payload: inner.payload,
        ..outer.clone()
    })
}

/// The value of the OSCORE option, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Value<'a> {
    pub(super) piv: &'a [u8],
    pub(super) kid_context: Option<&'a [u8]>,
    pub(super) kid: Option<&'a [u8]>,
}

impl<'a> Value<'a> {
    pub(super) fn write(&self) -> Vec<u8> {
        let kid_flag = u8::from(self.kid.is_some()) << 3;
        let context_flag = u8::from(self.kid_context.is_some()) << 4;
        let flags = self.piv.len() as u8 | kid_flag | context_flag;
        if flags == 0 {
            return Vec::new();
        }
        let mut value = vec![flags];
        value.extend_from_slice(self.piv);
        if let Some(context) = self.kid_context {
            value.push(context.len() as u8);
            value.extend_from_slice(context);
        }
        value.extend_from_slice(self.kid.unwrap_or_default());
        value
    }

    pub(super) fn read(value: &'a [u8]) -> Result<Self, Fault> {
        let Some((flags, rest)) = value.split_first() else {
            return Ok(Self::default());
        };
        let length = usize::from(flags & 7);
        if flags & 0xE0 != 0 || length > 5 || *flags == 0 {
            return Err(Fault::Option);
        }
        let (piv, mut rest) = rest.split_at_checked(length).ok_or(Fault::Option)?;
        let mut kid_context = None;
        if flags & 0x10 != 0 {
            let (length, after) = rest.split_first().ok_or(Fault::Option)?;
            let parts = after.split_at_checked(usize::from(*length));
            let (context, after) = parts.ok_or(Fault::Option)?;
            (kid_context, rest) = (Some(context), after);
        }
        let kid = (flags & 8 != 0).then_some(rest);
        if kid.is_none() && !rest.is_empty() {
            return Err(Fault::Option);
        }
        Ok(Self {
            piv,
            kid_context,
            kid,
        })
    }
}

/// A sequence number as a partial IV: 1 to 5 bytes.
pub(super) fn piv(sequence: u64) -> Bytes {
    match sequence {
        0 => Bytes::from_static(&[0]),
        _ => option::uint_bytes(sequence),
    }
}
