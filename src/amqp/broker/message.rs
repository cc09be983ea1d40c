//! A message as the broker keeps it: once, however many queues hold it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use amq_protocol::frame::WriteContext;
use amq_protocol::protocol::basic::{AMQPProperties, gen_properties, parse_properties};
use amq_protocol::types::{AMQPValue, FieldTable};
use bytes::Bytes;

use super::super::frame::Refusal;
use super::super::frame::nesting;
use super::settings::LONGEST;

/// What a message costs beyond its bytes, roughly.
pub(super) const BOOKKEEPING: usize = 200;

/// The memory that the clients of a broker make it hold, in bytes: for messages, from the first byte that is read of them
/// to the last that is written, and apart from them for what they define.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(Rc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    messages: Cell<usize>,
    /// Of that for messages whose end is still to come, and transactions that are not committed.
    unfinished: Cell<usize>,
    /// For what stays until somebody takes it away: queues, bindings, consumers, channels.
    definitions: Cell<usize>,
}

/// What memory is held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Message,
    Unfinished,
    Definition,
}

impl Meter {
    /// For messages.
    pub(super) fn bytes(&self) -> usize {
        self.0.messages.get()
    }

    pub(super) fn unfinished(&self) -> usize {
        self.0.unfinished.get()
    }

    pub(super) fn definitions(&self) -> usize {
        self.0.definitions.get()
    }

    pub(super) fn charge(&self, held: Held, bytes: usize) -> Charge {
        let mut charge = Charge {
            meter: self.clone(),
            held,
            bytes: 0,
        };
        charge.set(bytes);
        charge
    }
}

/// A part of the memory, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Charge {
    meter: Meter,
    held: Held,
    bytes: usize,
}

impl Charge {
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn set(&mut self, bytes: usize) {
        let counts = &*self.meter.0;
        let change = |count: &Cell<usize>| count.set(count.get() - self.bytes + bytes);
        match self.held {
            Held::Message => change(&counts.messages),
            Held::Unfinished => {
                change(&counts.messages);
                change(&counts.unfinished);
            }
            Held::Definition => change(&counts.definitions),
        }
        self.bytes = bytes;
    }

    pub(super) fn grow(&mut self, by: usize) {
        self.set(self.bytes + by);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.set(0);
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
    /// Dead letters that it and its dead letters may still become on their own.
    pub(super) deaths: Option<Rc<Cell<u32>>>,
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
        let charge = meter.charge(
            Held::Message,
            BOOKKEEPING + properties.wire.len() + routing_key.len() + body.len(),
        );
        Ok(Self {
            exchange,
            routing_key,
            properties,
            body,
            lifetime,
            deaths: None,
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

    /// The properties with the number of times that a quorum queue has handed it out in vain.
    pub(super) fn counted(&self, returns: u32) -> Properties {
        let mut headers = self.properties.headers();
        let count = AMQPValue::LongLongInt(returns.into());
        headers.insert("x-delivery-count".into(), count);
        Properties::of(&self.properties.whole().with_headers(headers))
    }

    /// The bytes that length limits count.
    pub(super) fn size(&self) -> usize {
        self.body.len()
    }
}

/// Reads an expiration, with RabbitMQ's words for what is none.
fn milliseconds(text: &str) -> Result<Duration, Refusal> {
    let wrong = |why: String| {
        Err(Refusal::precondition(format!(
            "invalid expiration '{text}': {why}"
        )))
    };
    let signed = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = signed.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &signed[digits..];
    if digits == 0 {
        return wrong(String::from("no_integer"));
    }
    if !rest.is_empty() {
        return wrong(format!("{{leftover_string,{rest:?}}}"));
    }
    match text.parse::<i64>() {
        Ok(number @ 0..=LONGEST) => Ok(Duration::from_millis(number.unsigned_abs())),
        _ if text.starts_with('-') => wrong(format!("{{value_negative,{text}}}")),
        _ => wrong(format!("{{value_too_large,{signed}}}")),
    }
}
