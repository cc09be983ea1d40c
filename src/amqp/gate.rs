//! Keeps from lapin what its parser would overflow the stack over: it follows nested tables by recursion.

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::ReadBuf;

use super::client::LARGEST_FRAME;
use super::frame::{Frame, HEADER, METHOD, methods, nesting};

/// Class, weight and size of the body stand before the properties of a header, in bytes.
const BEFORE_PROPERTIES: usize = 12;
/// Class, method and versions stand before the server's properties in Connection.Start, in bytes.
const BEFORE_SERVER: usize = 6;

/// What came, and how much of it lapin may read.
#[derive(Debug, Default)]
pub(super) struct Gate {
    came: BytesMut,
    /// Bytes of whole frames that were looked at.
    checked: usize,
    /// It is no AMQP; lapin has its own words for that.
    open: bool,
}

impl Gate {
    /// Takes what came.
    ///
    /// # Errors
    /// A table that is nested too deep, or has too many values.
    pub(super) fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.came.extend_from_slice(bytes);
        while !self.open {
            match Frame::split(&self.came[self.checked..], LARGEST_FRAME as usize) {
                Ok(None) => return Ok(()),
                Ok(Some(frame)) => {
                    check(frame)?;
                    self.checked += frame.length();
                }
                Err(_) => self.open = true,
            }
        }
        Ok(())
    }

    /// Hands on what may be read; whether that is anything.
    pub(super) fn give(&mut self, into: &mut ReadBuf<'_>) -> bool {
        let ready = if self.open {
            self.came.len()
        } else {
            self.checked
        };
        let count = ready.min(into.remaining());
        into.put_slice(&self.came[..count]);
        self.came.advance(count);
        self.checked = self.checked.saturating_sub(count);
        count > 0
    }
}

fn check(frame: Frame<'_>) -> io::Result<()> {
    let payload = frame.payload;
    let checked = match frame.kind {
        METHOD if frame.method_ids() == methods::START => {
            nesting::check_table(payload.get(BEFORE_SERVER..).unwrap_or_default())
        }
        HEADER => nesting::check_properties(payload.get(BEFORE_PROPERTIES..).unwrap_or_default()),
        _ => return Ok(()),
    };
    checked.map_err(|refusal| io::Error::new(io::ErrorKind::InvalidData, refusal.text))
}

#[cfg(test)]
mod tests {
    use super::super::frame::{put_long, put_short};
    use super::*;

    /// Connection.Start with tables nested so deep.
    fn start(levels: usize) -> Vec<u8> {
        let mut table = Vec::new();
        for _ in 0..levels {
            let mut outer = vec![1, b'n', b'F'];
            put_long(&table, &mut outer);
            table = outer;
        }
        let mut bytes = Vec::new();
        methods::method(0, methods::START, &mut bytes, |out| {
            out.extend_from_slice(&[0, 9]);
            put_long(&table, out);
            put_short("rest", out);
        });
        bytes
    }

    fn through(bytes: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        let (mut gate, mut all) = (Gate::default(), Vec::new());
        for part in bytes.chunks(piece) {
            gate.take(part)?;
            let mut space = [0; 7];
            loop {
                let mut into = ReadBuf::new(&mut space);
                if !gate.give(&mut into) {
                    break;
                }
                all.extend_from_slice(into.filled());
            }
        }
        Ok(all)
    }

    #[test]
    fn what_is_sound_comes_through_and_what_is_too_deep_does_not() {
        for piece in [1, 5, 100, 100_000] {
            let good = [start(2), start(0)].concat();
            assert_eq!(through(&good, piece).unwrap(), good);
            assert_eq!(through(b"HTTP/1.1 400", piece).unwrap(), b"HTTP/1.1 400");
            let error = through(&start(5_000), piece).unwrap_err();
            assert!(error.to_string().contains("nested deeper"), "{error}");
        }
    }
}
