//! Topics as paths of CoAP, and back (RFC 3986 §3.3).

use bytestring::ByteString;

/// The topic of a path: the reverse of [`path`]; a `/` within a segment stays encoded.
pub(crate) fn path_as_topic(path: &ByteString) -> ByteString {
    let path = path.strip_prefix('/').unwrap_or(path);
    if !path.contains('%') {
        return path.into();
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, others @ ..] = rest {
        let code = match rest {
            [b'%', high, low, ..] => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match code.map(|(high, low)| high << 4 | low) {
            Some(byte) if byte != b'/' => {
                bytes.push(byte);
                rest = &rest[3..];
            }
            _ => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8(bytes).map_or_else(|_| path.into(), ByteString::from)
}

fn hex(digit: u8) -> Option<u8> {
    // At most 15.
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// The path of a topic: each level is a segment, percent-encoded (RFC 3986 §3.3).
pub(crate) fn path(topic: &str) -> String {
    let mut path = String::with_capacity(topic.len() + 1);
    if !topic.starts_with('/') {
        path.push('/');
    }
    for byte in topic.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => path.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => path.push(char::from(byte)),
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}
