//! Reads frames and their fields straight off the bytes (AMQP 0-9-1 §4.2).

use super::super::driver::Broken;

/// Frame types (§4.2.3).
pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;
pub(super) const BODY: u8 = 3;
pub(super) const HEARTBEAT: u8 = 8;
/// The last octet of every frame.
pub(super) const END: u8 = 0xCE;
/// What a frame has beside its payload, in bytes.
pub(super) const AROUND: usize = 8;

/// One frame in the bytes that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) kind: u8,
    /// 0: the connection.
    pub(super) channel: u16,
    pub(super) payload: &'a [u8],
    /// The whole frame, in bytes.
    pub(super) length: usize,
}

impl<'a> Frame<'a> {
    /// The frame at the head of `bytes`, of at most `largest` bytes; `None` when it has not arrived whole.
    #[inline]
    pub(super) fn next(bytes: &'a [u8], largest: usize) -> Result<Option<Self>, Broken> {
        let Some([kind, high, low, size @ ..]) = bytes.first_chunk::<7>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*size) as usize + AROUND;
        if !matches!(*kind, METHOD | HEADER | BODY | HEARTBEAT) || length > largest {
            return Err(malformed());
        }
        let Some(frame) = bytes.get(..length) else {
            return Ok(None);
        };
        if frame[length - 1] != END {
            return Err(malformed());
        }
        Ok(Some(Self {
            kind: *kind,
            channel: u16::from_be_bytes([*high, *low]),
            payload: &frame[AROUND - 1..length - 1],
            length,
        }))
    }
}

/// What is left to read of a frame's payload.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or_else(malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn octet(&mut self) -> Result<u8, Broken> {
        self.take().map(u8::from_be_bytes)
    }

    pub(super) fn short(&mut self) -> Result<u16, Broken> {
        self.take().map(u16::from_be_bytes)
    }

    pub(super) fn long(&mut self) -> Result<u32, Broken> {
        self.take().map(u32::from_be_bytes)
    }

    pub(super) fn long_long(&mut self) -> Result<u64, Broken> {
        self.take().map(u64::from_be_bytes)
    }

    /// A short string, as it should be read by people.
    pub(super) fn text(&mut self) -> Result<String, Broken> {
        let bytes = self.bytes()?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    /// The bytes of a long string or a table.
    pub(super) fn long_bytes(&mut self) -> Result<&'a [u8], Broken> {
        let length = self.long()? as usize;
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The bytes of a short string.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Broken> {
        let length = self.octet()?.into();
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(malformed)?;
        self.0 = rest;
        Ok(taken)
    }
}

#[cold]
pub(super) fn malformed() -> Broken {
    Broken::new("protocol error: malformed frame")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: [u8; 12] = [1, 0, 1, 0, 0, 0, 4, 0, 85, 0, 11, END];

    #[test]
    fn a_frame_is_read_once_it_is_whole() {
        for length in 0..FRAME.len() {
            assert_eq!(Frame::next(&FRAME[..length], 4096), Ok(None), "{length}");
        }
        let found = Frame::next(&FRAME, 4096).unwrap().unwrap();
        assert_eq!((found.kind, found.channel, found.length), (METHOD, 1, 12));
        assert_eq!(found.payload, [0, 85, 0, 11]);
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let with = |at: usize, byte: u8| {
            let mut frame = FRAME;
            frame[at] = byte;
            Frame::next(&frame, 4096).map(|found| found.is_some())
        };
        assert_eq!(with(0, b'A'), Err(malformed()));
        assert_eq!(with(3, 1), Err(malformed()));
        assert_eq!(with(11, 0), Err(malformed()));
    }

    #[test]
    fn fields_end_where_the_frame_does() {
        let mut fields = Fields(&[0, 1, 3, b'a', b'b']);
        assert_eq!(fields.short(), Ok(1));
        assert_eq!(fields.text(), Err(malformed()));
        assert_eq!(Fields(&[1, b'a', 7]).text(), Ok(String::from("a")));
        assert_eq!(Fields(&[0; 7]).long_long(), Err(malformed()));
    }
}
