//! Between CoAP messages and what people and programs read of them.

use std::fmt::Write;
use std::time::SystemTime;

use bytes::Bytes;
use bytestring::ByteString;

use crate::coap::block::Block;
use crate::coap::endpoint::{Incoming, Reply, Response};
use crate::coap::format;
use crate::coap::message::{self, Type};
use crate::coap::option::{self, Format, Options};
use crate::coap::uri::Uri;
use crate::error::counted;
use crate::message::{CoapDetail, CoapOption, CoapValue, Detail, Message};

/// The record of an answer to `uri`.
pub(crate) fn record(uri: &Uri, reply: &Reply, observe: Option<u32>, datagram: bool) -> Message {
    let Response {
        code,
        options,
        payload,
    } = &reply.response;
    let content_format = options.content_format();
    Message {
        time: SystemTime::now(),
        topic: uri.local().into(),
        payload: payload.clone(),
        detail: Detail::Coap(Box::new(CoapDetail {
            uri: uri.to_string().into(),
            code: code.to_string().into(),
            name: code.name(),
            kind: datagram.then_some(kind(reply.kind)),
            message_id: datagram.then_some(reply.mid),
            token: reply.token.to_string().into(),
            peer: reply.from,
            content_format,
            media_type: content_format.and_then(format::media_type),
            observe,
            options: options
                .iter()
                .map(|(number, value)| one(number, value))
                .collect(),
            elapsed: observe.is_none().then_some(reply.elapsed),
            retransmitted: reply.retransmitted,
            blocks: reply.blocks,
        })),
    }
}

/// The record of a request that came; its topic is the path.
pub(crate) fn request_record(request: &Incoming, path: &str) -> Message {
    let content_format = request.options.content_format();
    Message {
        time: SystemTime::now(),
        topic: path.into(),
        payload: request.payload.clone(),
        detail: Detail::Coap(Box::new(CoapDetail {
            uri: path.into(),
            code: request.method.to_string().into(),
            name: request.method.name(),
            kind: Some(kind(request.kind)),
            message_id: Some(request.mid),
            token: request.token.to_string().into(),
            peer: request.peer.address(),
            content_format,
            media_type: content_format.and_then(format::media_type),
            options: request
                .options
                .iter()
                .map(|(number, value)| one(number, value))
                .collect(),
            ..CoapDetail::default()
        })),
    }
}

/// For how many seconds a message is worth anything, where it says so; 0 only keeps caches from keeping it.
pub(crate) fn max_age(coap: &CoapDetail) -> Option<u32> {
    let option = coap.options.iter().find(|it| it.number == option::MAX_AGE);
    match option?.value {
        CoapValue::Uint(0) => None,
        CoapValue::Uint(seconds) => Some(u32::try_from(seconds).unwrap_or(u32::MAX)),
        _ => None,
    }
}

/// The option that says for how many seconds a message is worth anything.
pub(crate) fn lasting(seconds: u32) -> CoapOption {
    CoapOption {
        number: option::MAX_AGE,
        name: option::name(option::MAX_AGE),
        value: CoapValue::Uint(seconds.into()),
    }
}

/// How many more may pass a message on, before whom it is now (RFC 8768 §3), where it says so.
pub(crate) fn hop_limit(coap: &CoapDetail) -> Option<u8> {
    let mut options = coap.options.iter();
    let option = options.find(|it| it.number == option::HOP_LIMIT)?;
    match option.value {
        CoapValue::Uint(limit) => u8::try_from(limit).ok(),
        _ => None,
    }
}

/// The option that says so.
pub(crate) fn passed_on(limit: u8) -> CoapOption {
    CoapOption {
        number: option::HOP_LIMIT,
        name: option::name(option::HOP_LIMIT),
        value: CoapValue::Uint(limit.into()),
    }
}

/// What a message is that nobody has to confirm.
pub(crate) const UNCONFIRMED: &str = kind(Type::Non);

/// Whether whoever sends a message does without a confirmation. Of notifications that is not so: a server sends them the one way
/// and the other as it likes (RFC 7641 §4.5).
pub(crate) fn is_unconfirmed(coap: &CoapDetail) -> bool {
    coap.kind == Some(UNCONFIRMED) && !is_response(coap)
}

/// Whether it is an answer or a notification, and no request.
pub(crate) fn is_response(coap: &CoapDetail) -> bool {
    coap.code.starts_with(['2', '4', '5'])
}

fn one(number: u16, value: &Bytes) -> CoapOption {
    CoapOption {
        number,
        name: option::name(number),
        value: value_of(number, value),
    }
}

/// The value of an option, read as its number says; of unknown ones, as bytes.
fn value_of(number: u16, value: &Bytes) -> CoapValue {
    let format = option::registered(number).map_or(Format::Opaque, |about| about.format);
    match format {
        Format::Empty if value.is_empty() => CoapValue::Empty,
        Format::Uint => {
            option::uint(value).map_or_else(|| CoapValue::Opaque(value.clone()), CoapValue::Uint)
        }
        Format::Text => ByteString::try_from(value.clone())
            .map_or_else(|_| CoapValue::Opaque(value.clone()), CoapValue::Text),
        Format::Empty | Format::Opaque => CoapValue::Opaque(value.clone()),
    }
}

/// CON, NON, ACK or RST.
const fn kind(kind: Type) -> &'static str {
    match kind {
        Type::Con => "CON",
        Type::Non => "NON",
        Type::Ack => "ACK",
        Type::Rst => "RST",
    }
}

/// A message in one line: `CON 0.01 GET mid 4660 token 0a1b Uri-Path "time"`.
pub(crate) fn line(message: &message::Message, datagram: bool) -> String {
    let mut line = String::new();
    if datagram {
        // Writing to a String cannot fail, here and below.
        let _ = write!(line, "{} ", kind(message.kind));
    }
    let _ = write!(line, "{:?}", message.code);
    if datagram {
        let _ = write!(line, " mid {}", message.mid);
    }
    if !message.token.bytes().is_empty() {
        let _ = write!(line, " token {}", message.token);
    }
    line.push_str(&options_line(&message.options, message.code.is_signal()));
    push_length(&mut line, message.payload.len());
    line
}

/// A response in one line: `2.05 Content Content-Format 50 (application/json), 12 bytes`.
pub(crate) fn response_line(response: &Response) -> String {
    let mut line = format!("{:?}", response.code);
    line.push_str(&options_line(&response.options, false));
    push_length(&mut line, response.payload.len());
    line
}

/// Adds the length of a body, if there is one.
pub(super) fn push_length(line: &mut String, length: usize) {
    if length > 0 {
        let _ = write!(line, ", {}", counted(length as u64, "byte"));
    }
}

/// All options, each with a space in front; the numbers of signals are their own (RFC 8323 §5).
pub(crate) fn options_line(options: &Options, signal: bool) -> String {
    let mut line = String::new();
    for (number, value) in options.iter() {
        let _ = match option::name(number).filter(|_| !signal) {
            Some(name) => write!(line, " {name}"),
            None => write!(line, " option-{number}"),
        };
        line.push_str(&value_text(number, value, signal));
    }
    line
}

fn value_text(number: u16, value: &Bytes, signal: bool) -> String {
    if let (option::BLOCK1 | option::BLOCK2, Some(block), false) =
        (number, Block::decode(value), signal)
    {
        let more = if block.more { "+" } else { "" };
        return format!(" {}{more}/{}", block.num, block.szx.size());
    }
    match value_of(number, value) {
        CoapValue::Uint(format) if matches!(number, option::CONTENT_FORMAT | option::ACCEPT) => {
            let name = u16::try_from(format).ok().and_then(format::media_type);
            name.map_or_else(
                || format!(" {format}"),
                |name| format!(" {format} ({name})"),
            )
        }
        CoapValue::Uint(number) if !signal => format!(" {number}"),
        CoapValue::Text(text) if !signal => format!(" {:?}", without_secrets(number, &text)),
        CoapValue::Empty => String::new(),
        _ if value.is_empty() => String::new(),
        _ => format!(" 0x{}", data_encoding::HEXLOWER.encode(value)),
    }
}

/// A text without what may be a token: the values of a query, whose names say enough.
fn without_secrets(number: u16, text: &str) -> String {
    let end = match number {
        option::URI_QUERY | option::LOCATION_QUERY => text.find('='),
        option::PROXY_URI => text.find('?'),
        _ => None,
    };
    match end {
        Some(end) if end + 1 < text.len() => format!("{}…", &text[..=end]),
        _ => text.to_owned(),
    }
}

/// The diagnostic text of an error response as one line (RFC 7252 §5.5.2); nothing where it has another format.
pub(crate) fn diagnostic(response: &Response) -> Option<String> {
    const LONGEST: usize = 300;
    if !matches!(response.options.content_format(), None | Some(0)) {
        return None;
    }
    let text = str::from_utf8(&response.payload).ok()?;
    let words: Vec<_> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().take(LONGEST).collect();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coap::code::Code;
    use crate::coap::message::{Message, Token};

    #[test]
    fn a_message_is_one_line() {
        let mut message = Message::new(
            Type::Con,
            Code::GET,
            7,
            Token::new(&[0xAB]).expect("one byte"),
        );
        message.options.push_text(option::URI_PATH, "a b");
        message.options.push_text(option::URI_QUERY, "token=hidden");
        message.options.push_text(option::URI_QUERY, "flag");
        message.options.push_uint(option::ACCEPT, 50);
        message.options.push_uint(option::BLOCK2, 0x1E);
        message.options.push(65_000, vec![1, 2]);
        assert_eq!(
            line(&message, true),
            "CON 0.01 GET mid 7 token ab Uri-Path \"a b\" Uri-Query \"token=…\" Uri-Query \"flag\" Accept 50 (application/json) Block2 1+/1024 option-65000 0x0102"
        );
        assert_eq!(
            line(&Message::empty(Type::Ack, 9), true),
            "ACK 0.00 Empty mid 9"
        );
    }

    #[test]
    fn a_diagnostic_is_one_line_of_text() {
        let text = |payload: &'static [u8]| {
            let mut response = Response::new(Code::NOT_FOUND);
            response.payload = Bytes::from_static(payload);
            diagnostic(&response)
        };
        assert_eq!(text(b"no such\n thing").as_deref(), Some("no such thing"));
        assert_eq!((text(b""), text(b"\xff")), (None, None));
        assert_eq!(diagnostic(&Response::content(50, "{}")), None);
    }
}
