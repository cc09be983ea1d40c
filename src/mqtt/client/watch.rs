//! Shows each packet that goes over a connection to whoever wants to see it, in the order of the wire.

use bytes::BytesMut;

use crate::mqtt::packet::{Decoder, LARGEST_PACKET, Packet, Version};

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the server.
    Out,
    /// From the server.
    In,
}

/// Is called for each packet.
pub(crate) type Watcher = Box<dyn FnMut(Way, &Packet)>;

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
    pub(super) fn output(&mut self, output: &[u8], version: Version) {
        let mut new = BytesMut::from(output.get(self.shown..).unwrap_or_default());
        self.shown = output.len();
        while let Some(packet) = next(&mut new, version) {
            (self.see)(Way::Out, &packet);
        }
    }

    /// As many bytes of the output were written.
    pub(super) const fn wrote(&mut self, count: usize) {
        self.shown = self.shown.saturating_sub(count);
    }

    /// Shows the first packet of the input and takes off what follows it, so that it is dealt with before the next is shown.
    pub(super) fn first(&mut self, input: &mut BytesMut, version: Version) -> BytesMut {
        let mut rest = input.clone();
        match next(&mut rest, version) {
            Some(packet) => {
                (self.see)(Way::In, &packet);
                input.split_off(input.len() - rest.len())
            }
            None => BytesMut::new(),
        }
    }

    /// Whether the input begins with a whole packet.
    pub(super) fn has_packet(input: &BytesMut, version: Version) -> bool {
        next(&mut input.clone(), version).is_some()
    }
}

/// What is malformed is not shown: the session says what is wrong with it.
fn next(bytes: &mut BytesMut, version: Version) -> Option<Packet> {
    let decoder = Decoder::new(version, LARGEST_PACKET);
    decoder.decode(bytes).ok().flatten()
}
