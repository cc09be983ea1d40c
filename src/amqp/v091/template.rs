//! A message as frames: what its predecessor had too is copied.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use bytestring::ByteString;
use memchr::memmem;

use super::super::frame::{OVERHEAD, methods, properties, put_body, put_header, put_short};
use super::super::publisher::{Marks, Outgoing, Returns};
use super::login::CHANNEL;
use crate::error::{Error, Result};
use crate::message::AmqpProperties;

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
    returns: Returns,
}

impl Common {
    fn fits(&self, message: &Outgoing) -> bool {
        self.returns == message.returns
            && Arc::ptr_eq(&self.properties, &message.properties)
            && self.key == message.key
            && self.exchange == message.exchange
    }
}

/// A name that came and is no text goes out as the bytes that it was.
fn as_it_came<'a>(message: &'a Outgoing, what: &str, name: &'a ByteString) -> &'a [u8] {
    let bytes = message.properties.not_text(what);
    bytes.map_or(name.as_bytes(), |bytes| bytes)
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
        let parts = message.payload.len().div_ceil(frame_max - OVERHEAD);
        out.reserve(self.frames.len() + message.payload.len() + parts * OVERHEAD);
        out.put_slice(&self.frames);
        put_body(CHANNEL, &message.payload, frame_max, out);
        Ok(())
    }

    fn prepare(&mut self, message: &Outgoing, marks: &Marks, frame_max: usize) -> Result<()> {
        let exchange = as_it_came(message, "exchange", &message.exchange);
        let key = as_it_came(message, "routing_key", &message.key);
        properties::check_short("exchange name", exchange)?;
        properties::check_short("routing key", key)?;
        let marked = (message.returns == Returns::Told).then(|| marks.mark(0, &message.properties));
        let properties = marked.as_ref().unwrap_or(&message.properties);
        properties::check(properties)?;
        if properties.not_text("properties").is_some() {
            let text = "its properties could not be read when it was received";
            return Err(Error::usage(text));
        }
        let mut frames = Vec::new();
        methods::method(CHANNEL, methods::PUBLISH, &mut frames, |out| {
            out.put_u16(0);
            put_short(exchange, out);
            put_short(key, out);
            out.put_u8((message.returns != Returns::Ignored).into());
        });
        let method = frames.len();
        put_header(CHANNEL, 0, &mut frames, |out| {
            properties::put(properties, out)
        });
        let header = frames.len() - method;
        // A server ends the connection over it (AMQP 0-9-1 §4.2.3), whatever else is under way.
        if header > frame_max {
            let text = format!(
                "properties and headers have {header} bytes, but the server accepts frames of at most {frame_max}"
            );
            return Err(Error::usage(text).hint("use a larger --frame-max if the server allows it"));
        }
        self.size_at = method + SIZE_AT;
        self.frames = frames;
        self.of = Some(Common {
            exchange: message.exchange.clone(),
            key: message.key.clone(),
            properties: Arc::clone(&message.properties),
            returns: message.returns,
        });
        self.mark_at = marked.and_then(|_| {
            let at = memmem::find(&self.frames, marks.ours().as_bytes())?;
            Some(at + marks.ours().len())
        });
        Ok(())
    }
}
