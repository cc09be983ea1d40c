//! Shows each frame that goes over a connection, of either AMQP, without what it may hold of secrets and bodies.

use std::fmt::{self, Write};
use std::sync::Arc;

use super::frame::methods::{self, Name};
use super::frame::{BODY, Fields, HEADER, HEARTBEAT, METHOD, OVERHEAD};
use crate::error::{brief, counted};

/// As much of a frame is looked into, in bytes: what short strings stand before in the methods that are shown.
const KEPT: usize = 1024;

/// The shortest thing that is said: a header of the protocol, or the header of a frame of AMQP 1.0.
const SHORTEST: usize = 8;

/// Is called with whether a frame was sent, and with the words for it.
type Show = dyn Fn(bool, &str) + Send + Sync;

/// Who sees the frames.
#[derive(Clone)]
pub struct Watcher(Arc<Show>);

impl Watcher {
    /// Calls `show` for each frame: whether it was sent, and the words for it.
    pub fn new(show: impl Fn(bool, &str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(show))
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watcher")
    }
}

/// Both directions of one connection.
#[derive(Debug)]
pub(super) struct Trace {
    watcher: Watcher,
    sent: Direction,
    came: Direction,
}

/// What goes in one direction, as far as the frame under way.
#[derive(Debug, Default)]
struct Direction {
    /// The beginning of the frame under way.
    head: Vec<u8>,
    /// Bytes of a frame that was shown, and that have not passed.
    rest: usize,
    /// AMQP 1.0 was announced.
    one: bool,
}

impl Trace {
    pub(super) fn new(watcher: Watcher) -> Self {
        Self {
            watcher,
            sent: Direction::default(),
            came: Direction::default(),
        }
    }

    /// These bytes were sent.
    pub(super) fn sent(&mut self, bytes: &[u8]) {
        self.sent.take(bytes, |text| (self.watcher.0)(true, text));
    }

    /// These bytes came.
    pub(super) fn came(&mut self, bytes: &[u8]) {
        self.came.take(bytes, |text| (self.watcher.0)(false, text));
    }
}

impl Direction {
    fn take(&mut self, mut bytes: &[u8], show: impl Fn(&str)) {
        while !bytes.is_empty() {
            let passed = self.rest.min(bytes.len());
            self.rest -= passed;
            bytes = &bytes[passed..];
            let whole = self.length().unwrap_or(SHORTEST);
            let wanted = whole.min(KEPT).saturating_sub(self.head.len());
            let (taken, behind) = bytes.split_at(wanted.min(bytes.len()));
            self.head.extend_from_slice(taken);
            bytes = behind;
            if let Some(whole) = self.length()
                && self.head.len() >= whole.min(KEPT)
            {
                self.rest = whole - self.head.len().min(whole);
                show(&self.described(whole));
                self.head.clear();
            }
        }
    }

    /// The length of what is under way, once that is known.
    fn length(&self) -> Option<usize> {
        let head = self.head.first_chunk::<SHORTEST>()?;
        if head.starts_with(b"AMQP") {
            return Some(SHORTEST);
        }
        let [a, b, c, d, e, f, g, _] = *head;
        let long = |bytes| u32::from_be_bytes(bytes) as usize;
        Some(match self.one {
            true => long([a, b, c, d]).max(SHORTEST),
            false => long([d, e, f, g]).saturating_add(OVERHEAD),
        })
    }

    fn described(&mut self, length: usize) -> String {
        let bytes = format!("({length} bytes)");
        if let Some([kind, major, minor, revision]) = self.head.strip_prefix(b"AMQP") {
            // A later header may announce the other layer of the same AMQP.
            self.one = (*kind, *major) != (0, 0);
            let layer = match (*kind, *major) {
                (2, 1) => " over TLS",
                (3, 1) => " over SASL",
                _ => "",
            };
            return match self.one {
                true => format!("protocol header {major}.{minor}.{revision}{layer} {bytes}"),
                false => format!("protocol header {major}-{minor}-{revision} {bytes}"),
            };
        }
        let what = if self.one {
            one(&self.head)
        } else {
            nine(&self.head)
        };
        format!("{what} {bytes}")
    }
}

/// A frame of AMQP 1.0 (part 2 §2.3): its channel, and the name of what is in it.
fn one(frame: &[u8]) -> String {
    let Some([_, _, _, _, offset, kind, high, low]) = frame.first_chunk::<8>() else {
        return String::from("frame");
    };
    let body = frame.get(4 * usize::from(*offset)..).unwrap_or_default();
    let code = match body {
        [] => return String::from("empty frame"),
        // A descriptor is a small or a large number.
        [0, 0x53, code, ..] | [0, 0x80, 0, 0, 0, 0, 0, 0, 0, code, ..] => Some(*code),
        _ => None,
    };
    let name = match code {
        Some(0x10) => "open",
        Some(0x11) => "begin",
        Some(0x12) => "attach",
        Some(0x13) => "flow",
        Some(0x14) => "transfer",
        Some(0x15) => "disposition",
        Some(0x16) => "detach",
        Some(0x17) => "end",
        Some(0x18) => "close",
        Some(0x40) => "sasl-mechanisms",
        Some(0x41) => "sasl-init",
        Some(0x42) => "sasl-challenge",
        Some(0x43) => "sasl-response",
        Some(0x44) => "sasl-outcome",
        _ => "unknown frame",
    };
    match kind {
        0 => format!("channel {} {name}", u16::from_be_bytes([*high, *low])),
        _ => name.to_owned(),
    }
}

/// A frame of AMQP 0-9-1 (§4.2.3).
fn nine(frame: &[u8]) -> String {
    let (Some([kind, high, low]), Some(payload)) = (frame.first_chunk(), frame.get(7..)) else {
        return String::from("frame");
    };
    let channel = u16::from_be_bytes([*high, *low]);
    let mut fields = Fields(payload);
    let what = match *kind {
        METHOD => match fields.name() {
            Ok(name) => method(name, fields),
            Err(_) => String::from("unknown method"),
        },
        HEADER => {
            let size = payload.get(4..12).and_then(|size| size.try_into().ok());
            let size = size.map(u64::from_be_bytes).unwrap_or_default();
            format!("header of {}", counted(size, "byte"))
        }
        BODY => String::from("body"),
        HEARTBEAT => String::from("heartbeat"),
        kind => format!("frame of unknown type {kind}"),
    };
    format!("channel {channel} {what}")
}

/// The name of a method, and of some what they are about; never what a login says.
fn method(name: Name, mut fields: Fields<'_>) -> String {
    let mut text = called(name);
    // What was cut off is not shown.
    let _ = details(name, &mut fields, &mut text);
    text
}

/// The methods of a class by number; an answer has the next one.
type Methods = &'static [(u16, &'static str)];

/// Classes and their methods (AMQP 0-9-1 §1, and RabbitMQ's).
const CLASSES: [(u16, &str, Methods); 7] = [
    (10, "connection", CONNECTION),
    (20, "channel", &[(10, "open"), (20, "flow"), (40, "close")]),
    (
        40,
        "exchange",
        &[
            (10, "declare"),
            (20, "delete"),
            (30, "bind"),
            (40, "unbind"),
        ],
    ),
    (50, "queue", QUEUE),
    (60, "basic", BASIC),
    (85, "confirm", &[(10, "select")]),
    (
        90,
        "tx",
        &[(10, "select"), (20, "commit"), (30, "rollback")],
    ),
];

const CONNECTION: Methods = &[
    (10, "start"),
    (20, "secure"),
    (30, "tune"),
    (40, "open"),
    (50, "close"),
    (60, "blocked"),
    (61, "unblocked"),
    (70, "update-secret"),
];

const QUEUE: Methods = &[
    (10, "declare"),
    (20, "bind"),
    (30, "purge"),
    (40, "delete"),
    (50, "unbind"),
];

const BASIC: Methods = &[
    (10, "qos"),
    (20, "consume"),
    (30, "cancel"),
    (40, "publish"),
    (50, "return"),
    (60, "deliver"),
    (70, "get"),
    (72, "get-empty"),
    (80, "ack"),
    (90, "reject"),
    (110, "recover"),
    (120, "nack"),
];

/// As the specification calls it: `basic.publish`.
fn called((class, method): Name) -> String {
    let found = CLASSES.iter().find(|(number, ..)| *number == class);
    let (class_name, methods) = found.map_or(("class", [].as_slice()), |(_, name, methods)| {
        (*name, *methods)
    });
    let named = |wanted| {
        let method = methods.iter().find(|(number, _)| *number == wanted);
        method.map(|(_, name)| *name)
    };
    // The unbind-ok of an exchange is out of line.
    let asked = if (class, method) == (40, 51) {
        40
    } else {
        method.wrapping_sub(1)
    };
    match (named(method), named(asked)) {
        (Some(name), _) => format!("{class_name}.{name}"),
        (None, Some(name)) => format!("{class_name}.{name}-ok"),
        (None, None) => format!("method {class}.{method}"),
    }
}

fn details(
    name: Name,
    fields: &mut Fields<'_>,
    text: &mut String,
) -> Result<(), super::frame::Refusal> {
    let mut add = |what: &str, value: &dyn fmt::Display| {
        // Writing to a String cannot fail.
        let _ = write!(text, " {what} {value}");
    };
    let quoted = |text: String| format!("{:?}", brief(&text).to_string());
    match name {
        methods::CLOSE | methods::CHANNEL_CLOSE => {
            add("code", &fields.short()?);
            add("text", &quoted(fields.text()?));
        }
        methods::PUBLISH => {
            fields.short()?;
            add("exchange", &quoted(fields.text()?));
            add("key", &quoted(fields.text()?));
        }
        methods::DELIVER => {
            fields.text()?;
            add("tag", &fields.long_long()?);
            if fields.octet()? != 0 {
                add("redelivered", &"");
            }
            add("exchange", &quoted(fields.text()?));
            add("key", &quoted(fields.text()?));
        }
        methods::ACK | methods::NACK | methods::REJECT => {
            add("tag", &fields.long_long()?);
            let bits = fields.octet()?;
            if name != methods::REJECT && bits & 1 != 0 {
                add("multiple", &"");
            }
        }
        methods::CONSUME | methods::GET | methods::DECLARE | methods::DELETE => {
            fields.short()?;
            add("queue", &quoted(fields.text()?));
        }
        methods::DECLARE_OK => add("queue", &quoted(fields.text()?)),
        methods::QOS => {
            fields.long()?;
            add("prefetch", &fields.short()?);
        }
        _ => {}
    }
    text.truncate(text.trim_end().len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// What is shown of these bytes, which come in pieces of so many.
    fn shown(bytes: &[u8], piece: usize) -> Vec<String> {
        let lines = Mutex::new(Vec::new());
        let mut direction = Direction::default();
        for piece in bytes.chunks(piece) {
            direction.take(piece, |text| lines.lock().unwrap().push(text.to_owned()));
        }
        lines.into_inner().unwrap()
    }

    #[test]
    fn frames_of_0_9_1_are_named_in_any_pieces() {
        let mut bytes = super::super::frame::PROTOCOL.to_vec();
        methods::start_ok("PLAIN", b"\0me\0hidden", "name", &mut bytes);
        methods::qos(1, 10, &mut bytes);
        methods::answer(1, "q", &[b'x'; 5000], &mut bytes);
        methods::ack(2, 7, true, &mut bytes);
        bytes.extend(super::super::frame::BEAT);
        methods::plain(1, methods::CONSUME_OK, b"\x01t", &mut bytes);
        methods::close(0, &mut bytes);
        for piece in [1, 7, 1000, bytes.len()] {
            let lines = shown(&bytes, piece);
            let text = lines.join("\n");
            assert!(!text.contains("hidden") && !text.contains("PLAIN"));
            let start = &lines[1];
            assert!(
                start.starts_with("channel 0 connection.start-ok ("),
                "{start}"
            );
            let others = [
                "channel 1 basic.qos prefetch 10 (19 bytes)",
                "channel 1 basic.publish exchange \"\" key \"q\" (18 bytes)",
                "channel 1 header of 5000 bytes (22 bytes)",
                "channel 1 body (5008 bytes)",
                "channel 2 basic.ack tag 7 multiple (21 bytes)",
                "channel 0 heartbeat (8 bytes)",
                "channel 1 basic.consume-ok (14 bytes)",
                "channel 0 connection.close code 200 text \"done\" (23 bytes)",
            ];
            assert_eq!(lines[0], "protocol header 0-9-1 (8 bytes)");
            assert_eq!(lines[2..], others, "pieces of {piece}");
        }
    }

    #[test]
    fn frames_of_1_0_are_named() {
        let mut bytes = b"AMQP\x03\x01\0\0".to_vec();
        bytes.extend([0, 0, 0, 14, 2, 1, 0, 0, 0, 0x53, 0x41, b's', b'e', b'c']);
        bytes.extend(b"AMQP\0\x01\0\0");
        bytes.extend([0, 0, 0, 12, 2, 0, 0, 3, 0, 0x53, 0x14, 0x45]);
        bytes.extend([0, 0, 0, 8, 2, 0, 0, 0]);
        for piece in [1, 5, bytes.len()] {
            let expected = [
                "protocol header 1.0.0 over SASL (8 bytes)",
                "sasl-init (14 bytes)",
                "protocol header 1.0.0 (8 bytes)",
                "channel 3 transfer (12 bytes)",
                "empty frame (8 bytes)",
            ];
            assert_eq!(shown(&bytes, piece), expected);
        }
    }

    #[test]
    fn any_bytes_end() {
        let bytes: Vec<u8> = (0..5000_u32).map(|at| (at * 7 + at / 256) as u8).collect();
        shown(&bytes, 3);
        shown(&[0; 1000], 9);
        shown(&[255; 1000], 9);
    }

    #[test]
    fn methods_and_their_answers_have_names() {
        for (name, text) in [
            (methods::GET_EMPTY, "basic.get-empty"),
            (methods::GET_OK, "basic.get-ok"),
            (methods::UNBLOCKED, "connection.unblocked"),
            (methods::UNBIND_OK, "queue.unbind-ok"),
            (methods::EXCHANGE_BIND_OK, "exchange.bind-ok"),
            (methods::CONFIRM_OK, "confirm.select-ok"),
            ((7, 8), "method 7.8"),
        ] {
            assert_eq!(called(name), text);
        }
    }
}
