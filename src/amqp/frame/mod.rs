//! AMQP 0-9-1 as bytes (§2.3, §4.2), for clients, broker and bench.
//!
//! | part | what it is for |
//! |---|---|
//! | [`Frame`], [`Fields`] | frames and their fields, read straight off the bytes |
//! | [`methods`] | the numbers of methods, and the methods that clients send |
//! | [`table`] | field tables, as deep as is sound |
//! | [`properties`] | the properties of a message |
//! | [`nesting`] | guards a parser that follows nested tables by recursion |
//! | [`Refusal`] | reply codes and their texts |

pub(crate) mod methods;
pub(in crate::amqp) mod nesting;
pub(in crate::amqp) mod properties;
mod refusal;
pub(in crate::amqp) mod table;

use std::ops::DerefMut;

use bytes::BufMut;

pub(crate) use refusal::{Refusal, short};

/// Frame types (§4.2.3).
pub(crate) const METHOD: u8 = 1;
pub(crate) const HEADER: u8 = 2;
pub(crate) const BODY: u8 = 3;
pub(crate) const HEARTBEAT: u8 = 8;
/// The last octet of every frame.
pub(crate) const END: u8 = 0xCE;

/// Type, channel and length before the payload, and the end mark behind it, in bytes.
pub(crate) const OVERHEAD: usize = 8;

/// What a client says first (§4.2.2).
pub(crate) const PROTOCOL: [u8; 8] = *b"AMQP\0\0\x09\x01";

/// A frame that only says that we are there (§4.2.7).
pub(crate) const BEAT: [u8; 8] = [HEARTBEAT, 0, 0, 0, 0, 0, 0, END];

/// The largest frame before its size is agreed on, in bytes. 4096 is what must be taken (§4.2.3); some servers say much
/// about themselves.
pub(crate) const FIRST_FRAMES: usize = 128 * 1024;

/// What frames are written to.
pub(crate) trait Buffer: BufMut + DerefMut<Target = [u8]> {}

impl<T: BufMut + DerefMut<Target = [u8]>> Buffer for T {}

/// One frame of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: u8,
    /// 0: the connection.
    pub(crate) channel: u16,
    pub(crate) payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The first frame of `input`; `None`: it is not whole yet.
    ///
    /// # Errors
    /// 501: longer than `largest`, without its end mark, or of an unknown type.
    #[inline]
    pub(crate) fn split(input: &'a [u8], largest: usize) -> Result<Option<Self>, Refusal> {
        let Some(([kind, high, low, size @ ..], rest)) = input.split_first_chunk::<7>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*size) as usize;
        if !matches!(*kind, METHOD | HEADER | BODY | HEARTBEAT) {
            return Err(no_type(*kind));
        }
        if length.saturating_add(OVERHEAD) > largest {
            return Err(too_long(length, largest));
        }
        match rest.get(length) {
            None => Ok(None),
            Some(&END) => Ok(Some(Self {
                kind: *kind,
                channel: u16::from_be_bytes([*high, *low]),
                payload: &rest[..length],
            })),
            Some(other) => Err(no_end(*other)),
        }
    }

    /// The whole frame, in bytes.
    #[inline]
    pub(crate) const fn length(&self) -> usize {
        self.payload.len() + OVERHEAD
    }

    /// The numbers of class and method.
    pub(crate) const fn method_ids(&self) -> methods::Name {
        match self.payload {
            [c1, c0, m1, m0, ..] => (
                u16::from_be_bytes([*c1, *c0]),
                u16::from_be_bytes([*m1, *m0]),
            ),
            _ => (0, 0),
        }
    }
}

#[cold]
fn no_type(kind: u8) -> Refusal {
    Refusal::frame(format!("unknown frame type {kind}"))
}

#[cold]
fn too_long(length: usize, largest: usize) -> Refusal {
    Refusal::frame(format!(
        "frame of {length} bytes is larger than the negotiated maximum of {largest}"
    ))
}

#[cold]
fn no_end(other: u8) -> Refusal {
    Refusal::frame(format!("a frame ends with {other:#04x}"))
}

#[cold]
pub(crate) fn cut_short() -> Refusal {
    Refusal::syntax("malformed frame")
}

/// What is left to read of a frame's payload (§4.2.5).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    #[inline]
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(*taken)
    }

    #[inline]
    pub(crate) fn octet(&mut self) -> Result<u8, Refusal> {
        self.take().map(u8::from_be_bytes)
    }

    #[inline]
    pub(crate) fn short(&mut self) -> Result<u16, Refusal> {
        self.take().map(u16::from_be_bytes)
    }

    #[inline]
    pub(crate) fn long(&mut self) -> Result<u32, Refusal> {
        self.take().map(u32::from_be_bytes)
    }

    #[inline]
    pub(crate) fn long_long(&mut self) -> Result<u64, Refusal> {
        self.take().map(u64::from_be_bytes)
    }

    /// The numbers of class and method.
    #[inline]
    pub(crate) fn name(&mut self) -> Result<methods::Name, Refusal> {
        Ok((self.short()?, self.short()?))
    }

    /// A short string, as people should read it.
    pub(crate) fn text(&mut self) -> Result<String, Refusal> {
        let bytes = self.bytes()?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    /// The bytes of a long string or a table.
    pub(crate) fn long_bytes(&mut self) -> Result<&'a [u8], Refusal> {
        let length = self.long()? as usize;
        self.run(length)
    }

    /// The bytes of a short string.
    #[inline]
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Refusal> {
        let length = self.octet()?.into();
        self.run(length)
    }

    #[inline]
    fn run(&mut self, length: usize) -> Result<&'a [u8], Refusal> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(taken)
    }
}

/// Appends a frame with what `payload` appends.
#[inline]
pub(crate) fn put_frame<B: Buffer>(
    kind: u8,
    channel: u16,
    out: &mut B,
    payload: impl FnOnce(&mut B),
) {
    out.put_u8(kind);
    out.put_u16(channel);
    out.put_u32(0);
    let start = out.len();
    payload(out);
    // No frame of ours is near 4 GiB.
    let size = (out.len() - start) as u32;
    out[start - 4..start].copy_from_slice(&size.to_be_bytes());
    out.put_u8(END);
}

/// Appends a header frame with these properties, flags and values, and a body of `size` bytes to come (§2.3.5.2).
pub(crate) fn put_header<B: Buffer>(
    channel: u16,
    size: usize,
    out: &mut B,
    properties: impl FnOnce(&mut B),
) {
    put_frame(HEADER, channel, out, |out| {
        out.put_u16(60);
        out.put_u16(0);
        out.put_u64(size as u64);
        properties(out);
    });
}

/// Appends a body in frames of at most `largest` bytes.
pub(crate) fn put_body(channel: u16, body: &[u8], largest: usize, out: &mut impl Buffer) {
    for part in body.chunks(largest.saturating_sub(OVERHEAD).max(1)) {
        put_frame(BODY, channel, out, |out| out.put_slice(part));
    }
}

/// Appends a short string, cut to the 255 bytes that one may have: what is longer was refused before.
pub(crate) fn put_short(text: impl AsRef<[u8]>, out: &mut impl BufMut) {
    let text = text.as_ref();
    let text = &text[..text.len().min(255)];
    out.put_u8(text.len() as u8);
    out.put_slice(text);
}

/// Appends a string or table with its length in four bytes.
pub(crate) fn put_long(bytes: &[u8], out: &mut impl BufMut) {
    out.put_u32(bytes.len() as u32);
    out.put_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: [u8; 12] = [1, 0, 1, 0, 0, 0, 4, 0, 85, 0, 11, END];

    #[test]
    fn a_frame_is_read_once_it_is_whole() {
        for length in 0..FRAME.len() {
            assert_eq!(Frame::split(&FRAME[..length], 4096), Ok(None), "{length}");
        }
        let found = Frame::split(&FRAME, 4096).unwrap().unwrap();
        assert_eq!((found.kind, found.channel, found.length()), (METHOD, 1, 12));
        assert_eq!(found.payload, [0, 85, 0, 11]);
        assert_eq!(found.method_ids(), methods::CONFIRM_OK);
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let with = |at: usize, byte: u8| {
            let mut frame = FRAME;
            frame[at] = byte;
            let split = Frame::split(&frame, 4096);
            split.map(|_| ()).map_err(|refusal| refusal.code)
        };
        assert_eq!(with(0, b'A'), Err(501));
        assert_eq!(with(3, 1), Err(501));
        assert_eq!(with(11, 0), Err(501));
    }

    #[test]
    fn fields_end_where_the_frame_does() {
        let mut fields = Fields(&[0, 1, 3, b'a', b'b']);
        assert_eq!(fields.short(), Ok(1));
        assert_eq!(fields.text(), Err(cut_short()));
        assert_eq!(Fields(&[1, b'a', 7]).text(), Ok(String::from("a")));
        assert_eq!(Fields(&[0; 7]).long_long(), Err(cut_short()));
    }

    #[test]
    fn a_body_is_cut_to_frames() {
        let mut out = Vec::new();
        put_body(7, &[b'x'; 10], 12, &mut out);
        let mut at = 0;
        let mut sizes = Vec::new();
        while let Some(frame) = Frame::split(&out[at..], 12).unwrap() {
            assert_eq!((frame.kind, frame.channel), (BODY, 7));
            sizes.push(frame.payload.len());
            at += frame.length();
        }
        assert_eq!((sizes, at), (vec![4, 4, 2], out.len()));
    }
}
