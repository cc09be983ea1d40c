//! Keeps lapin to a server's small frames.
//!
//! AMQP 0-9-1 lets a server ask for frames of 4,096 bytes (§4.2.3); lapin asks for 8,192 and more whatever the server
//! says, and is refused. Here its Connection.Tune-Ok is corrected; it sends no bodies.

use bytes::{BufMut, BytesMut};

use super::frame::{METHOD, OVERHEAD};

/// The smallest frames that lapin agrees to, in bytes.
const LAPINS: u32 = 8_192;

/// What is written to a server with small frames.
#[derive(Debug)]
pub(super) struct Narrow {
    frame_max: u32,
    /// The beginning of a frame that is not whole.
    staged: BytesMut,
    /// Frames as they should be.
    pub(super) ready: BytesMut,
}

impl Narrow {
    /// `None`: lapin is right.
    pub(super) fn of(frame_max: u32) -> Option<Self> {
        (1..LAPINS).contains(&frame_max).then(|| Self {
            frame_max,
            staged: BytesMut::new(),
            ready: BytesMut::new(),
        })
    }

    /// Takes what lapin writes, in whatever pieces.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.staged.extend_from_slice(bytes);
        while let Some([_, _, _, size @ ..]) = self.staged.first_chunk::<7>() {
            let length = u32::from_be_bytes(*size) as usize + OVERHEAD;
            if self.staged.len() < length {
                return;
            }
            let frame = self.staged.split_to(length);
            self.correct(&frame);
        }
    }

    fn correct(&mut self, frame: &[u8]) {
        let (head, payload) = frame.split_at(OVERHEAD - 1);
        let payload = &payload[..payload.len() - 1];
        match (head[0], payload) {
            // channel_max, frame_max, heartbeat.
            (METHOD, [0, 10, 0, 31, c1, c0, _, _, _, _, beat @ ..]) => {
                self.ready.extend_from_slice(head);
                self.ready.extend_from_slice(&[0, 10, 0, 31, *c1, *c0]);
                self.ready.put_u32(self.frame_max);
                self.ready.extend_from_slice(beat);
                self.ready.put_u8(0xCE);
            }
            _ => self.ready.extend_from_slice(frame),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_agreed_to() {
        assert!(Narrow::of(0).is_none());
        assert!(Narrow::of(8_192).is_none());
        let tune_ok = [
            1, 0, 0, 0, 0, 0, 12, 0, 10, 0, 31, 0, 9, 0, 0, 32, 0, 0, 60, 0xCE,
        ];
        for piece in [1, 7, 10_000] {
            let mut narrow = Narrow::of(4_096).unwrap();
            for bytes in tune_ok.chunks(piece) {
                narrow.take(bytes);
            }
            assert!(narrow.staged.is_empty());
            let out = &narrow.ready[..];
            assert_eq!(
                out[..20],
                [
                    1, 0, 0, 0, 0, 0, 12, 0, 10, 0, 31, 0, 9, 0, 0, 16, 0, 0, 60, 0xCE
                ]
            );
        }
    }
}
