//! As much of DTLS records as the server looks at before the library does (RFC 6347 §4.1, §4.2).

/// Bytes of a record's header: type, version, epoch, sequence number, length.
const HEADER: usize = 13;

/// Bytes of a handshake message's header: type, length, sequence number, fragment offset and length.
const HANDSHAKE_HEADER: usize = 12;

pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;

const CLIENT_HELLO: u8 = 1;
const HELLO_VERIFY_REQUEST: u8 = 3;
const FINISHED: u8 = 20;

/// DTLS 1.2 on the wire.
const VERSION: [u8; 2] = [0xfe, 0xfd];

/// One record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    kind: u8,
    epoch: u16,
    /// What follows the header.
    body: &'a [u8],
    /// All of it.
    whole: &'a [u8],
}

/// A ClientHello that came in one piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientHello<'a> {
    /// The message's number: 0 for the first one, 1 for the one with the cookie.
    pub(super) sequence: u16,
    /// 32 bytes, the same in both.
    pub(super) random: &'a [u8],
    pub(super) cookie: &'a [u8],
    /// What comes before the cookie, and behind it.
    parts: [&'a [u8]; 2],
    /// All of the message but its header.
    pub(super) body: &'a [u8],
}

/// The records of a datagram that are whole and could be meant for us; what is not must be dropped silently, whatever
/// the library would do about it (RFC 6347 §4.1.2.7).
pub(super) fn records(mut datagram: &[u8]) -> Vec<Record<'_>> {
    let mut found = Vec::new();
    while let Some((record, rest)) = split(datagram) {
        datagram = rest;
        if record.is_plausible() {
            found.push(record);
        }
    }
    found
}

fn split(datagram: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let header = datagram.get(..HEADER)?;
    let length = HEADER + usize::from(u16::from_be_bytes([header[11], header[12]]));
    let (whole, rest) = datagram.split_at_checked(length)?;
    let record = Record {
        kind: header[0],
        epoch: u16::from_be_bytes([header[3], header[4]]),
        body: &whole[HEADER..],
        whole,
    };
    (header[1] == VERSION[0] && matches!(header[2], 0xfd | 0xff)).then_some((record, rest))
}

impl<'a> Record<'a> {
    pub(super) const fn bytes(&self) -> &'a [u8] {
        self.whole
    }

    pub(super) const fn kind(&self) -> u8 {
        self.kind
    }

    /// What follows the header.
    pub(super) const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The epoch in the first two bytes, and the sequence number.
    pub(super) fn number(&self) -> u64 {
        number(&self.whole[3..11]) as u64
    }

    /// Whether it is protected by the keys of the association.
    pub(super) const fn is_protected(&self) -> bool {
        self.epoch > 0
    }

    /// Of an alert in clear, which anyone can send (RFC 6347 §4.1.2.7): whether it says that the peer goes away. The library
    /// would take it at its word, and is not shown it.
    pub(super) fn bare_alert(&self) -> Option<bool> {
        let is_alert = self.kind == ALERT && !self.is_protected();
        is_alert.then_some(matches!(self.body, [2, _] | [1, 0]))
    }

    /// Whether it is a part of a handshake, which the library keeps.
    pub(super) const fn is_handshake(&self) -> bool {
        self.kind == HANDSHAKE
    }

    fn is_plausible(&self) -> bool {
        let body = self.body;
        if self.is_protected() {
            return matches!(self.kind, CHANGE_CIPHER_SPEC..=APPLICATION_DATA);
        }
        match self.kind {
            CHANGE_CIPHER_SPEC => body == [1],
            ALERT => body.len() == 2 && matches!(body[0], 1 | 2),
            HANDSHAKE => are_messages(body),
            _ => false,
        }
    }

    /// The ClientHello that this record is.
    pub(super) fn client_hello(&self) -> Option<ClientHello<'a>> {
        if self.kind != HANDSHAKE || self.is_protected() || self.body.first() != Some(&CLIENT_HELLO)
        {
            return None;
        }
        let (header, body) = self.body.split_at_checked(HANDSHAKE_HEADER)?;
        let is_whole = header[6..9] == [0; 3] && number(&header[1..4]) == body.len();
        let session = 34 + 1 + usize::from(*body.get(34)?);
        let length = usize::from(*body.get(session)?);
        let cookie = body.get(session + 1..session + 1 + length)?;
        is_whole.then_some(ClientHello {
            sequence: u16::from_be_bytes([header[4], header[5]]),
            random: &body[2..34],
            cookie,
            parts: [&body[..session], &body[session + 1 + length..]],
            body,
        })
    }
}

/// Whether these are handshake messages, or pieces of them, that a client may send in clear.
fn are_messages(mut body: &[u8]) -> bool {
    while let Some((header, rest)) = body.split_at_checked(HANDSHAKE_HEADER) {
        let [length, offset, piece] = [1, 6, 9].map(|at| number(&header[at..at + 3]));
        let fits = offset + piece <= length && (piece > 0 || length == 0);
        if !fits || piece > rest.len() || !(CLIENT_HELLO..FINISHED).contains(&header[0]) {
            return false;
        }
        body = &rest[piece..];
        if body.is_empty() {
            return true;
        }
    }
    false
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

impl ClientHello<'_> {
    /// What the client sent before it was given the cookie.
    pub(super) fn without_cookie(&self) -> Vec<u8> {
        let body = [self.parts[0], &[0], self.parts[1]].concat();
        message(CLIENT_HELLO, &body)
    }
}

/// Asks the client to say the same again with this cookie (RFC 6347 §4.2.1).
pub(super) fn hello_verify_request(cookie: &[u8]) -> Vec<u8> {
    let body = [&VERSION[..], &[cookie.len() as u8], cookie].concat();
    message(HELLO_VERIFY_REQUEST, &body)
}

/// A record with the first message of a handshake, whole. Its number is 0 however often it is sent: whoever has it
/// already, has the same one.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    let size = ((body.len() + HANDSHAKE_HEADER) as u16).to_be_bytes();
    [
        &[HANDSHAKE][..],
        &VERSION,
        &[0; 8],
        &size,
        &[kind],
        &length[1..],
        &[0; 5],
        &length[1..],
        body,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(cookie: &[u8]) -> Vec<u8> {
        let body = [
            &VERSION[..],
            &[7; 32],
            &[2, 9, 9],
            &[cookie.len() as u8],
            cookie,
            b"rest",
        ];
        message(CLIENT_HELLO, &body.concat())
    }

    #[test]
    fn a_hello_is_taken_apart_and_put_together() {
        let bytes = hello(b"cookie");
        let found = records(&bytes);
        let hello_found = found[0].client_hello().expect("a ClientHello");
        assert_eq!(hello_found.cookie, b"cookie");
        assert_eq!(
            (hello_found.random, hello_found.sequence),
            (&[7; 32][..], 0)
        );
        assert_eq!(hello_found.without_cookie(), hello(b""));
    }

    #[test]
    fn what_is_no_record_is_left_out() {
        let good = hello(b"");
        let mut two = good.clone();
        two.extend([ALERT, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 40]);
        assert_eq!(records(&two).len(), 2);
        assert_eq!(records(&two[..two.len() - 1]).len(), 1);
        for end in 0..good.len() {
            assert!(records(&good[..end]).is_empty(), "{end}");
        }
        // Of another version, of unknown type, data in clear, an alert of three bytes, and a fragment beyond its end.
        let change = |at: usize, to: u8| {
            let mut bytes = good.clone();
            bytes[at] = to;
            bytes
        };
        for bytes in [change(1, 3), change(0, 99), change(0, 23), change(0, 21)] {
            assert!(records(&bytes).is_empty());
        }
        assert!(records(&change(HEADER + 8, 200)).is_empty());
    }
}
