//! What we have said on a connection, as far as it takes to leave it in good order: where frames end, and whether there
//! was a goodbye.

/// The first bytes of a frame that tell what it is and where it ends.
const HEAD: usize = 11;

/// connection.close of 0-9-1 with the code 200, a text and no method (§1.4.2.10).
const CLOSE_NINE: &[u8] = b"\x01\0\0\0\0\0\x13\0\x0a\0\x32\0\xc8\x08the end.\0\0\0\0\xce";

/// close of 1.0 without an error (part 2 §2.7.9).
const CLOSE_ONE: &[u8] = b"\0\0\0\x0c\x02\0\0\0\0\x53\x18\x45";

/// Follows what is written, in whatever pieces.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    /// The beginning of a frame that is too short yet.
    head: Vec<u8>,
    /// Bytes of a frame that are still to come.
    left: usize,
    /// AMQP 1.0 is spoken.
    one: bool,
    /// We have asked for the connection to be open.
    opened: bool,
    closed: bool,
}

impl Spoken {
    /// These bytes are written.
    pub(super) fn note(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let count = self.left.min(bytes.len());
                self.left -= count;
                bytes = &bytes[count..];
                continue;
            }
            if let (true, Some(head)) = (self.head.is_empty(), bytes.first_chunk::<HEAD>())
                && let Some(length) = self.judge(head)
            {
                self.left = length;
                continue;
            }
            self.head.push(bytes[0]);
            bytes = &bytes[1..];
            let head = std::mem::take(&mut self.head);
            match self.judge(&head) {
                Some(length) => self.left = length.saturating_sub(head.len()),
                None => self.head = head,
            }
        }
    }

    /// What is to be said before leaving; `None`: it was said, there is nobody to hear it, or it has no place.
    pub(super) const fn goodbye(&self) -> Option<&'static [u8]> {
        let between = self.left == 0 && self.head.is_empty();
        match (between && self.opened && !self.closed, self.one) {
            (false, _) => None,
            (true, false) => Some(CLOSE_NINE),
            (true, true) => Some(CLOSE_ONE),
        }
    }

    /// How many bytes the frame has that begins like this; `None`: more is needed to know.
    fn judge(&mut self, head: &[u8]) -> Option<usize> {
        if head.starts_with(b"AMQP") {
            self.one = *head.get(5)? == 1;
            return Some(8);
        }
        if self.one {
            return self.judge_one(head);
        }
        let [kind, _, _, size @ ..] = head.first_chunk::<7>()?;
        if *kind == 1 {
            match head.first_chunk::<HEAD>()?[7..] {
                [0, 10, 0, 40] => self.opened = true,
                [0, 10, 0, 50 | 51] => self.closed = true,
                _ => {}
            }
        }
        Some(u32::from_be_bytes(*size) as usize + 8)
    }

    /// Size, where the performative begins, type and channel; a descriptor of one byte.
    fn judge_one(&mut self, head: &[u8]) -> Option<usize> {
        let size = u32::from_be_bytes(*head.first_chunk()?) as usize;
        if size > 8 {
            match head.first_chunk::<HEAD>()?[5..] {
                [0, _, _, 0, 0x53, 0x10] => self.opened = true,
                [0, _, _, 0, 0x53, 0x18] => self.closed = true,
                _ => {}
            }
        }
        Some(size.max(4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A method frame without arguments.
    fn method(class: u8, id: u8) -> Vec<u8> {
        vec![1, 0, 0, 0, 0, 0, 4, 0, class, 0, id, 0xCE]
    }

    fn said(parts: &[&[u8]], piece: usize) -> Option<&'static [u8]> {
        let mut spoken = Spoken::default();
        for bytes in parts.concat().chunks(piece) {
            spoken.note(bytes);
        }
        spoken.goodbye()
    }

    #[test]
    fn a_goodbye_has_its_place_between_frames_of_an_open_connection() {
        let (header, open, close) = (b"AMQP\0\0\x09\x01", method(10, 40), method(10, 50));
        let beat = [8, 0, 0, 0, 0, 0, 0, 0xCE];
        for piece in [1, 3, 8, 100] {
            assert_eq!(said(&[header], piece), None);
            assert_eq!(said(&[header, &open], piece), Some(CLOSE_NINE));
            assert_eq!(said(&[header, &open[..11]], piece), None);
            assert_eq!(
                said(&[header, &open, &beat, &beat], piece),
                Some(CLOSE_NINE)
            );
            assert_eq!(said(&[header, &open, &close], piece), None);
            assert_eq!(said(&[header, &open, CLOSE_NINE], piece), None);
        }
    }

    #[test]
    fn so_it_is_with_the_other_protocol() {
        let open = b"\0\0\0\x0d\x02\0\0\0\0\x53\x10\x45\0";
        let login = b"\0\0\0\x0d\x02\x01\0\0\0\x53\x41\x45\0";
        let headers: [&[u8]; 2] = [b"AMQP\x03\x01\0\0", b"AMQP\0\x01\0\0"];
        let beat = b"\0\0\0\x08\x02\0\0\0";
        for piece in [1, 5, 100] {
            let opened: [&[u8]; 5] = [headers[0], login, headers[1], open, beat];
            assert_eq!(said(&opened[..3], piece), None);
            assert_eq!(said(&opened, piece), Some(CLOSE_ONE));
            let closed = [&opened[..], &[CLOSE_ONE]].concat();
            assert_eq!(said(&closed, piece), None);
        }
    }
}
