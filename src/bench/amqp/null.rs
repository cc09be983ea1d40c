//! The server's side of AMQP for a peer that does nothing but answer: it takes and confirms every message and delivers
//! none.

use crate::amqp::frame::methods::{self, Name, plain};
use crate::amqp::frame::{BODY, Fields, Frame, HEADER, METHOD, PROTOCOL, put_short};

/// Larger frames than anybody agrees on.
const LARGEST: usize = 16 << 20;
/// Connection.Start: version 0-9, no properties, PLAIN, en_US.
const START: &[u8] = b"\x00\x09\0\0\0\0\0\0\0\x0EPLAIN EXTERNAL\0\0\0\x05en_US";

/// One connection.
#[derive(Debug, Default)]
pub(in super::super) struct Null {
    greeted: bool,
    /// By number less one.
    channels: Vec<Channel>,
}

#[derive(Clone, Debug, Default)]
struct Channel {
    confirms: bool,
    published: u64,
    confirmed: u64,
    /// Bytes of a body that are still to come.
    left: u64,
}

impl Null {
    /// Answers what is in `bytes` and returns how many bytes it has taken; `None`: close the connection.
    pub(in super::super) fn answer(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let mut taken = 0;
        if !self.greeted {
            if bytes.len() < PROTOCOL.len() {
                return Some(0);
            }
            if !bytes.starts_with(&PROTOCOL) {
                return None;
            }
            self.greeted = true;
            taken = PROTOCOL.len();
            plain(0, methods::START, START, out);
        }
        while let Some(frame) = Frame::split(&bytes[taken..], LARGEST).ok()? {
            match frame.kind {
                METHOD => self.method(&frame, out)?,
                HEADER => {
                    let size = Fields(frame.payload.get(4..)?).long_long().ok()?;
                    self.take(&frame, size)?;
                }
                BODY => self.take(&frame, 0)?,
                _ => {}
            }
            taken += frame.length();
        }
        self.confirm(out);
        Some(taken)
    }

    /// A header that announces `size` bytes, or a body.
    fn take(&mut self, frame: &Frame<'_>, size: u64) -> Option<()> {
        let channel = self.channel(frame.channel)?;
        channel.left += size;
        if frame.kind == BODY {
            channel.left = channel.left.checked_sub(frame.payload.len() as u64)?;
        }
        if channel.left == 0 {
            channel.published += 1;
        }
        Some(())
    }

    fn channel(&mut self, number: u16) -> Option<&mut Channel> {
        let place = usize::from(number).checked_sub(1)?;
        if place >= self.channels.len() {
            self.channels.resize(place + 1, Channel::default());
        }
        self.channels.get_mut(place)
    }

    fn method(&mut self, frame: &Frame<'_>, out: &mut Vec<u8>) -> Option<()> {
        let mut fields = Fields(frame.payload);
        let name = (fields.short().ok()?, fields.short().ok()?);
        let number = frame.channel;
        match name {
            methods::PUBLISH | methods::TUNE_OK | methods::ACK | methods::NACK => return Some(()),
            // No limit of channels, frames of 128 KiB, no heartbeats.
            methods::START_OK => {
                plain(0, methods::TUNE, &[7, 255, 0, 2, 0, 0, 0, 0], out);
                return Some(());
            }
            methods::GET => {
                plain(number, methods::GET_EMPTY, &[0], out);
                return Some(());
            }
            methods::CONSUME => {
                fields.short().ok()?;
                fields.bytes().ok()?;
                let tag = fields.text().ok()?;
                methods::method(number, methods::CONSUME_OK, out, |out| put_short(&tag, out));
                return Some(());
            }
            methods::CONFIRM => self.channel(number)?.confirms = true,
            methods::CHANNEL_CLOSE => *self.channel(number)? = Channel::default(),
            _ => {}
        }
        plain(number, (name.0, name.1 + 1), answer_to(name), out);
        Some(())
    }

    fn confirm(&mut self, out: &mut Vec<u8>) {
        for (number, channel) in (1..).zip(&mut self.channels) {
            if channel.confirms && channel.confirmed < channel.published {
                channel.confirmed = channel.published;
                methods::ack(number, channel.published, true, out);
            }
        }
    }
}

/// The fields of an answer; they need not make much sense.
const fn answer_to(name: Name) -> &'static [u8] {
    match name {
        methods::OPEN => &[0],
        methods::CHANNEL_OPEN | methods::DELETE => &[0; 4],
        methods::DECLARE => &[0; 9],
        methods::CANCEL => &[0],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amqp::frame::put_frame;

    #[test]
    fn it_answers_what_has_come_whole() {
        let mut null = Null::default();
        let mut out = Vec::new();
        assert_eq!(null.answer(b"AMQP", &mut out), Some(0));
        assert_eq!(null.answer(&PROTOCOL, &mut out), Some(8));
        let started = Frame::split(&out, LARGEST).unwrap().unwrap();
        assert_eq!(started.payload[..4], [0, 10, 0, 10]);
        let mut asked = Vec::new();
        methods::open_channel(1, &mut asked);
        plain(1, methods::CONFIRM, &[0], &mut asked);
        for size in [0_u64, 5] {
            plain(1, methods::PUBLISH, &[], &mut asked);
            put_frame(HEADER, 1, &mut asked, |out| {
                out.extend_from_slice(&[0, 60, 0, 0]);
                out.extend_from_slice(&size.to_be_bytes());
            });
        }
        put_frame(BODY, 1, &mut asked, |out| out.extend_from_slice(b"hello"));
        let half = asked.len() + 3;
        methods::qos(1, 1, &mut asked);
        out.clear();
        assert_eq!(null.answer(&asked[..half], &mut out), Some(half - 3));
        let mut expected = Vec::new();
        plain(1, methods::CHANNEL_OPEN_OK, &[0; 4], &mut expected);
        plain(1, methods::CONFIRM_OK, &[], &mut expected);
        methods::ack(1, 2, true, &mut expected);
        assert_eq!(out, expected);
        let mut close = Vec::new();
        methods::close(0, &mut close);
        out.clear();
        assert_eq!(null.answer(&close, &mut out), Some(close.len()));
        expected.clear();
        plain(0, methods::CLOSE_OK, &[], &mut expected);
        assert_eq!(out, expected);
        assert_eq!(Null::default().answer(b"GET / HTTP/1.1", &mut out), None);
    }
}
