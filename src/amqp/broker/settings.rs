//! What a queue's arguments ask for.

use std::rc::Rc;
use std::time::Duration;

use amq_protocol::types::{AMQPValue, FieldTable};

use super::matching::{same, whole};
use super::refusal::Refusal;

/// The arguments that must be the same when a queue is declared again.
const COMPARED: &[&str] = &[
    "x-message-ttl",
    "x-expires",
    "x-max-length",
    "x-max-length-bytes",
    "x-overflow",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-max-priority",
    "x-queue-type",
    "x-single-active-consumer",
    "x-delivery-limit",
];

/// How often a quorum queue delivers a message, unless `x-delivery-limit` says otherwise: RabbitMQ 4's default.
const QUORUM_DELIVERIES: u32 = 20;

/// What happens to a message when the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overflow {
    /// The oldest one goes.
    DropHead,
    /// The new one is not taken.
    Reject,
    /// The same, and it goes to the dead-letter exchange.
    RejectToDeadLetters,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) lifetime: Option<Duration>,
    /// How long the queue itself may go unused.
    pub(super) expires: Option<Duration>,
    pub(super) max_length: Option<u64>,
    pub(super) max_bytes: Option<u64>,
    pub(super) overflow: Overflow,
    pub(super) dead_exchange: Option<Rc<str>>,
    pub(super) dead_key: Option<Rc<str>>,
    pub(super) max_priority: u8,
    pub(super) single_active: bool,
    /// How often a message may be delivered and come back.
    pub(super) deliveries: Option<u32>,
    pub(super) quorum: bool,
    arguments: FieldTable,
}

impl Settings {
    /// Reads the arguments of queue.declare.
    ///
    /// # Errors
    /// 406: one of them cannot be; a stream, which this broker does not have.
    pub(super) fn read(arguments: &FieldTable) -> Result<Self, Refusal> {
        let args = Arguments(arguments);
        let quorum = match args.text("x-queue-type")?.as_deref() {
            None | Some("classic") => false,
            Some("quorum") => true,
            Some(other) => {
                return Err(wrong(
                    "x-queue-type",
                    format!("this broker has no '{other}' queues"),
                ));
            }
        };
        let settings = Self {
            lifetime: args.milliseconds("x-message-ttl", 0)?,
            expires: args.milliseconds("x-expires", 1)?,
            max_length: args.number("x-max-length", 0, i64::MAX)?,
            max_bytes: args.number("x-max-length-bytes", 0, i64::MAX)?,
            overflow: args.overflow()?,
            dead_exchange: args.text("x-dead-letter-exchange")?.map(Into::into),
            dead_key: args.text("x-dead-letter-routing-key")?.map(Into::into),
            // Checked to be at most 255.
            max_priority: args.number("x-max-priority", 0, 255)?.unwrap_or(0) as u8,
            single_active: args.flag("x-single-active-consumer")?,
            deliveries: args.deliveries(quorum)?,
            quorum,
            arguments: arguments.clone(),
        };
        if settings.dead_key.is_some() && settings.dead_exchange.is_none() {
            return Err(wrong(
                "x-dead-letter-routing-key",
                "there is no x-dead-letter-exchange".into(),
            ));
        }
        Ok(settings)
    }

    /// The first argument that differs, as `(name, received, current)`.
    pub(super) fn difference(
        &self,
        arguments: &FieldTable,
    ) -> Option<(&'static str, String, String)> {
        let of = |table: &FieldTable, name: &str| table.inner().get(name).cloned();
        COMPARED.iter().find_map(
            |name| match (of(arguments, name), of(&self.arguments, name)) {
                (None, None) => None,
                (Some(received), Some(current)) if same(&received, &current) => None,
                (received, current) => Some((*name, said(received), said(current))),
            },
        )
    }
}

fn said(value: Option<AMQPValue>) -> String {
    match value {
        None => String::from("none"),
        Some(AMQPValue::LongString(text)) => format!("the value '{text}'"),
        Some(AMQPValue::Boolean(flag)) => format!("the value '{flag}'"),
        Some(value) => match whole(&value) {
            Some(number) => format!("the value '{number}'"),
            None => String::from("another value"),
        },
    }
}

fn wrong(name: &str, why: String) -> Refusal {
    Refusal::precondition(format!("invalid arg '{name}': {why}"))
}

struct Arguments<'a>(&'a FieldTable);

impl Arguments<'_> {
    fn number(&self, name: &str, least: i64, most: i64) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.0.inner().get(name) else {
            return Ok(None);
        };
        match whole(value) {
            // It is not negative: the least is 0 or more.
            Some(number) if (least..=most).contains(&number) => Ok(Some(number as u64)),
            Some(number) => Err(wrong(name, format!("{number} is out of range"))),
            None => Err(wrong(name, "it is no whole number".into())),
        }
    }

    fn milliseconds(&self, name: &str, least: i64) -> Result<Option<Duration>, Refusal> {
        let number = self.number(name, least, u32::MAX.into())?;
        Ok(number.map(Duration::from_millis))
    }

    fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        let text = match self.0.inner().get(name) {
            None => return Ok(None),
            Some(AMQPValue::LongString(text)) => String::from_utf8(text.as_bytes().to_vec()).ok(),
            Some(_) => None,
        };
        let text = text.filter(|text| text.len() <= 255);
        text.map(Some)
            .ok_or_else(|| wrong(name, "it is no text of up to 255 bytes".into()))
    }

    fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.0.inner().get(name) {
            None => Ok(false),
            Some(AMQPValue::Boolean(flag)) => Ok(*flag),
            Some(_) => Err(wrong(name, "it is neither true nor false".into())),
        }
    }

    fn overflow(&self) -> Result<Overflow, Refusal> {
        match self.text("x-overflow")?.as_deref() {
            None | Some("drop-head") => Ok(Overflow::DropHead),
            Some("reject-publish") => Ok(Overflow::Reject),
            Some("reject-publish-dlx") => Ok(Overflow::RejectToDeadLetters),
            Some(other) => Err(wrong("x-overflow", format!("there is no '{other}'"))),
        }
    }

    fn deliveries(&self, quorum: bool) -> Result<Option<u32>, Refusal> {
        // Checked to be a u32; RabbitMQ 4 takes -1 for no limit.
        let asked = match self.0.inner().get("x-delivery-limit").and_then(whole) {
            Some(-1) => return Ok(None),
            _ => self.number("x-delivery-limit", 0, u32::MAX.into())?,
        };
        Ok(asked
            .map(|limit| limit as u32)
            .or_else(|| quorum.then_some(QUORUM_DELIVERIES)))
    }
}
