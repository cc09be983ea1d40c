//! A message as the broker keeps it: once, however many queues hold it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use amq_protocol::frame::WriteContext;
use amq_protocol::protocol::basic::{AMQPProperties, gen_properties, parse_properties};
use amq_protocol::types::FieldTable;
use bytes::Bytes;

use super::nesting;
use super::refusal::Refusal;

/// What a message costs beyond its bytes, roughly.
const BOOKKEEPING: usize = 200;

/// The memory that all messages of a broker hold, in bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(Rc<Cell<usize>>);

impl Meter {
    pub(super) fn bytes(&self) -> usize {
        self.0.get()
    }

    pub(super) fn charge(&self, bytes: usize) -> Charge {
        self.0.set(self.0.get() + bytes);
        Charge {
            meter: self.clone(),
            bytes,
        }
    }
}

/// A part of the memory, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Charge {
    meter: Meter,
    bytes: usize,
}

impl Charge {
    pub(super) fn grow(&mut self, by: usize) {
        self.bytes += by;
        self.meter.0.set(self.meter.0.get() + by);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.meter.0.set(self.meter.0.get() - self.bytes);
    }
}

/// The properties of a message: as they came, and what the broker looks at.
#[derive(Clone, Debug, Default)]
pub(super) struct Properties {
    /// Flags and values, as in the content header (§2.3.5.2).
    pub(super) wire: Bytes,
    pub(super) priority: u8,
    /// The expiration as it was written.
    pub(super) expiration: Option<Box<str>>,
    pub(super) reply_to: Option<Box<str>>,
    pub(super) user_id: Option<Box<str>>,
    /// Whether there are headers.
    pub(super) has_headers: bool,
}

impl Properties {
    /// Reads the properties of a content header.
    ///
    /// # Errors
    /// 502: they cannot be read.
    pub(super) fn parse(wire: &[u8]) -> Result<Self, Refusal> {
        // Nothing, or the delivery mode alone: what nearly all senders of many small messages set.
        if matches!(wire, [0, 0] | [0x10, 0, _]) {
            return Ok(Self {
                wire: Bytes::copy_from_slice(wire),
                ..Self::default()
            });
        }
        nesting::check_properties(wire)?;
        match parse_properties(wire) {
            Ok(([], parsed)) => Ok(Self::known(Bytes::copy_from_slice(wire), &parsed)),
            _ => Err(Refusal::syntax(
                "the properties of a message cannot be read",
            )),
        }
    }

    fn known(wire: Bytes, parsed: &AMQPProperties) -> Self {
        let text = |text: &Option<amq_protocol::types::ShortString>| {
            text.as_ref().map(|text| text.as_str().into())
        };
        Self {
            wire,
            priority: parsed.priority().unwrap_or(0),
            expiration: text(parsed.expiration()),
            reply_to: text(parsed.reply_to()),
            user_id: text(parsed.user_id()),
            has_headers: parsed.headers().is_some(),
        }
    }

    /// All of them.
    pub(super) fn whole(&self) -> AMQPProperties {
        // They were read once before, or made by us.
        parse_properties(&self.wire[..])
            .map(|(_, parsed)| parsed)
            .unwrap_or_default()
    }

    /// Others, as they go over the wire.
    pub(super) fn of(parsed: &AMQPProperties) -> Self {
        let written = gen_properties(parsed)(WriteContext::from(Vec::new()));
        // Memory takes all that is written to it.
        let wire = written
            .map(|written| written.into_inner().0)
            .unwrap_or_default();
        Self::known(wire.into(), parsed)
    }

    pub(super) fn headers(&self) -> FieldTable {
        match self.has_headers {
            true => self.whole().headers().clone().unwrap_or_default(),
            false => FieldTable::default(),
        }
    }
}

/// A published message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) exchange: Rc<str>,
    pub(super) routing_key: Rc<str>,
    pub(super) properties: Properties,
    pub(super) body: Bytes,
    /// How long it lives in a queue, by its own expiration.
    pub(super) lifetime: Option<Duration>,
    _charge: Charge,
}

impl Message {
    /// # Errors
    /// 406: the expiration is no number of milliseconds.
    pub(super) fn new(
        exchange: Rc<str>,
        routing_key: Rc<str>,
        properties: Properties,
        body: Bytes,
        meter: &Meter,
    ) -> Result<Self, Refusal> {
        let lifetime = match &properties.expiration {
            None => None,
            Some(text) => Some(milliseconds(text)?),
        };
        let charge =
            meter.charge(BOOKKEEPING + properties.wire.len() + routing_key.len() + body.len());
        Ok(Self {
            exchange,
            routing_key,
            properties,
            body,
            lifetime,
            _charge: charge,
        })
    }

    /// Without the keys that nobody but the broker is to see.
    pub(super) fn without_bcc(mut self) -> Self {
        let mut headers = self.properties.headers().inner().clone();
        headers.remove("BCC");
        let properties = self.properties.whole().with_headers(headers.into());
        self.properties = Properties::of(&properties);
        self
    }

    /// The bytes that length limits count.
    pub(super) fn size(&self) -> usize {
        self.body.len()
    }
}

fn milliseconds(text: &str) -> Result<Duration, Refusal> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = text.parse::<u32>().ok().filter(|_| digits);
    let wrong = || Refusal::precondition(format!("invalid expiration '{text}'"));
    parsed
        .map(|number| Duration::from_millis(number.into()))
        .ok_or_else(wrong)
}
