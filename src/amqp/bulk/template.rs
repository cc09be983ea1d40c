//! A message as frames: what its predecessor had too is copied.

use std::sync::Arc;

use amq_protocol::frame::{AMQPContentHeader, AMQPFrame, WriteContext, gen_frame};
use amq_protocol::protocol::{AMQPClass, basic};
use bytes::{BufMut, BytesMut};
use bytestring::ByteString;
use memchr::memmem;

use super::super::broker::wire::{OVERHEAD, put_method};
use super::super::publisher::{Marks, Outgoing};
use super::super::wire::{short, to_properties};
use super::login::CHANNEL;
use crate::error::{Error, Result};
use crate::message::AmqpProperties;

/// The first frame of a body.
const BODY: u8 = 3;
const END: u8 = 0xCE;
/// Where a header frame has the size of the body: behind type, channel, length, class and weight.
const SIZE_AT: usize = 7 + 4;

/// Method and header of the message before, and where they differ from message to message.
#[derive(Debug, Default)]
pub(super) struct Template {
    of: Option<Common>,
    frames: Vec<u8>,
    size_at: usize,
    /// The digits of a returned message's mark.
    mark_at: Option<usize>,
}

/// What messages with the same frames have in common.
#[derive(Debug)]
struct Common {
    exchange: ByteString,
    key: ByteString,
    properties: Arc<AmqpProperties>,
    mandatory: bool,
}

impl Common {
    fn fits(&self, message: &Outgoing) -> bool {
        self.mandatory == message.mandatory
            && Arc::ptr_eq(&self.properties, &message.properties)
            && self.key == message.key
            && self.exchange == message.exchange
    }
}

impl Template {
    /// Appends the message, with frames of at most `frame_max` bytes.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for a text over 255 bytes, and for properties over one frame; nothing was appended then.
    pub(super) fn put(
        &mut self,
        number: u64,
        message: &Outgoing,
        marks: &Marks,
        frame_max: usize,
        out: &mut BytesMut,
    ) -> Result<()> {
        if !self.of.as_ref().is_some_and(|of| of.fits(message)) {
            self.prepare(message, marks, frame_max)?;
        }
        let size = (message.payload.len() as u64).to_be_bytes();
        self.frames[self.size_at..self.size_at + 8].copy_from_slice(&size);
        if let Some(at) = self.mark_at {
            let digits = Marks::digits(number);
            self.frames[at..at + digits.len()].copy_from_slice(digits.as_bytes());
        }
        let parts = message.payload.chunks(frame_max - OVERHEAD);
        out.reserve(self.frames.len() + message.payload.len() + parts.len() * OVERHEAD);
        out.put_slice(&self.frames);
        for part in parts {
            out.put_u8(BODY);
            out.put_u16(CHANNEL);
            // A part is not longer than a frame, whose length is a u32.
            out.put_u32(part.len() as u32);
            out.put_slice(part);
            out.put_u8(END);
        }
        Ok(())
    }

    fn prepare(&mut self, message: &Outgoing, marks: &Marks, frame_max: usize) -> Result<()> {
        let publish = basic::Publish {
            exchange: short("exchange name", &message.exchange)?,
            routing_key: short("routing key", &message.key)?,
            mandatory: message.mandatory,
            immediate: false,
        };
        let marked = message
            .mandatory
            .then(|| marks.mark(0, &message.properties));
        let properties = to_properties(marked.as_ref().unwrap_or(&message.properties))?;
        let header = header(properties);
        // A server ends the connection over it (AMQP 0-9-1 §4.2.3), whatever else is under way.
        if header.len() > frame_max {
            let text = format!(
                "properties and headers have {} bytes, but the server accepts frames of at most {frame_max}",
                header.len()
            );
            return Err(Error::usage(text).hint("use a larger --frame-max if the server allows it"));
        }
        let mut method = BytesMut::new();
        let publish = AMQPClass::Basic(basic::AMQPMethod::Publish(publish));
        put_method(&mut method, CHANNEL, publish);
        self.of = Some(Common {
            exchange: message.exchange.clone(),
            key: message.key.clone(),
            properties: Arc::clone(&message.properties),
            mandatory: message.mandatory,
        });
        self.size_at = method.len() + SIZE_AT;
        self.frames = [&method[..], &header].concat();
        self.mark_at = marked.and_then(|_| {
            let at = memmem::find(&self.frames, marks.ours().as_bytes())?;
            Some(at + marks.ours().len())
        });
        Ok(())
    }
}

fn header(properties: basic::AMQPProperties) -> Vec<u8> {
    let header = AMQPContentHeader {
        class_id: 60,
        body_size: 0,
        properties,
    };
    let frame = AMQPFrame::Header(CHANNEL, header);
    // Memory takes all that is written to it.
    gen_frame(&frame)(WriteContext::from(Vec::new()))
        .map(|written| written.into_inner().0)
        .unwrap_or_default()
}
