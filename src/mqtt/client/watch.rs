//! Shows each packet that goes over a connection to whoever wants to see it, in the order of the wire.

use bytes::BytesMut;

use crate::connect::Target;
use crate::mqtt::packet::{Decoder, LARGEST_PACKET, Packet, Version};

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the server.
    Out,
    /// From the server.
    In,
}

/// Is called for each packet, with its length in bytes and the server of the connection.
pub(crate) type Watcher = Box<dyn FnMut(Way, &Packet, usize, &Target)>;

/// What was shown. The packets are decoded once more, which costs nothing where nobody watches.
pub(super) struct Watch {
    see: Watcher,
    /// Bytes at the front of the output that were shown and are not written.
    shown: usize,
}

impl Watch {
    pub(super) const fn new(see: Watcher) -> Self {
        Self { see, shown: 0 }
    }

    /// A connection begins, with an empty output.
    pub(super) const fn opened(&mut self) {
        self.shown = 0;
    }

    /// Shows what was added to the output.
    pub(super) fn output(&mut self, output: &[u8], version: Version, server: &Target) {
        let mut new = output.get(self.shown..).unwrap_or_default();
        self.shown = output.len();
        while let Some((packet, length)) = next(new, version) {
            (self.see)(Way::Out, &packet, length, server);
            new = new.get(length..).unwrap_or_default();
        }
    }

    /// As many bytes of the output were written.
    pub(super) const fn wrote(&mut self, count: usize) {
        self.shown = self.shown.saturating_sub(count);
    }

    /// Shows the first packet of the input and takes off what follows it, so that it is dealt with before the next is shown.
    pub(super) fn first(
        &mut self,
        input: &mut BytesMut,
        version: Version,
        server: &Target,
    ) -> BytesMut {
        match next(input, version) {
            Some((packet, length)) => {
                (self.see)(Way::In, &packet, length, server);
                input.split_off(length)
            }
            None => BytesMut::new(),
        }
    }

    /// Whether the input begins with a whole packet.
    pub(super) fn has_packet(input: &BytesMut, version: Version) -> bool {
        next(input, version).is_some()
    }
}

/// The first packet, and its length. What is malformed is not shown: the session says what is wrong with it.
fn next(bytes: &[u8], version: Version) -> Option<(Packet, usize)> {
    let length = length(bytes)?;
    let decoder = Decoder::new(version, LARGEST_PACKET);
    let packet = decoder.decode(&mut BytesMut::from(bytes.get(..length)?));
    Some((packet.ok().flatten()?, length))
}

/// The length of the first packet by its fixed header (MQTT 5.0 §2.1.4).
fn length(bytes: &[u8]) -> Option<usize> {
    let (mut length, mut header) = (0, 1);
    for byte in bytes.get(1..)?.iter().take(4) {
        length |= usize::from(byte & 0x7f) << (7 * (header - 1));
        header += 1;
        if byte & 0x80 == 0 {
            return Some(header + length);
        }
    }
    None
}
