//! What a queue's arguments ask for.

use std::rc::Rc;
use std::time::Duration;

use amq_protocol::types::{AMQPValue, FieldTable};

use super::super::frame::Refusal;
use super::matching::{same, whole};

/// The types of queue that know an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    Both,
    Classic,
    Quorum,
    /// Streams, which this broker does not have.
    Neither,
}

/// The arguments that a queue of the wrong type refuses, and that must be the same when it is declared again, in the
/// order in which RabbitMQ compares them. What is not listed is ignored.
const KNOWN: &[(&str, For)] = &[
    ("x-expires", For::Both),
    ("x-message-ttl", For::Both),
    ("x-dead-letter-exchange", For::Both),
    ("x-dead-letter-routing-key", For::Both),
    ("x-dead-letter-strategy", For::Quorum),
    ("x-max-length", For::Both),
    ("x-max-length-bytes", For::Both),
    ("x-max-priority", For::Classic),
    ("x-overflow", For::Both),
    ("x-queue-mode", For::Classic),
    ("x-queue-version", For::Classic),
    ("x-single-active-consumer", For::Both),
    ("x-queue-type", For::Both),
    ("x-quorum-initial-group-size", For::Quorum),
    ("x-delivery-limit", For::Quorum),
    ("x-queue-master-locator", For::Classic),
    ("x-max-age", For::Neither),
    ("x-stream-max-segment-size-bytes", For::Neither),
    ("x-initial-cluster-size", For::Neither),
];

/// The longest time in milliseconds, ten years: RabbitMQ's limit.
pub(super) const LONGEST: i64 = 10 * 365 * 24 * 3_600 * 1_000;

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
    /// Reads the arguments of queue.declare; `place` names the queue, as in `queue 'q' in vhost '/'`.
    ///
    /// # Errors
    /// 406: one of them cannot be; a stream, which this broker does not have.
    pub(super) fn read(arguments: &FieldTable, place: &str) -> Result<Self, Refusal> {
        let args = Arguments {
            table: arguments,
            place,
        };
        let quorum = match args.text("x-queue-type")?.as_deref() {
            None | Some("classic") => false,
            Some("quorum") => true,
            Some(other) => {
                let why = format!("\"unsupported queue type '{other}'\"");
                return Err(args.wrong("x-queue-type", &why));
            }
        };
        args.check_known(quorum)?;
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
        args.check_unused()?;
        if settings.dead_key.is_some() && settings.dead_exchange.is_none() {
            let why = "routing_key_but_no_dlx_defined";
            return Err(args.wrong("x-dead-letter-routing-key", why));
        }
        Ok(settings)
    }

    /// The first argument that differs, as `(name, received, current)`.
    pub(super) fn difference(
        &self,
        arguments: &FieldTable,
    ) -> Option<(&'static str, String, String)> {
        KNOWN.iter().find_map(|(name, _)| {
            let of = |table: &FieldTable| table.inner().get(*name).cloned();
            let (received, current) = (of(arguments), of(&self.arguments));
            // What nobody says is a classic queue.
            let is_classic = |value: &Option<AMQPValue>| match value {
                None => true,
                Some(AMQPValue::LongString(text)) => text.as_bytes() == b"classic",
                Some(_) => false,
            };
            if *name == "x-queue-type" && is_classic(&received) && is_classic(&current) {
                return None;
            }
            difference(received.as_ref(), current.as_ref())
                .map(|(received, current)| (*name, received, current))
        })
    }

    /// Bytes that the arguments take in memory, roughly.
    pub(super) fn weight(&self) -> usize {
        weight(&self.arguments)
    }
}

/// How RabbitMQ tells a difference between two arguments, as `received X but current is Y`; `None`: there is none.
pub(super) fn difference(
    received: Option<&AMQPValue>,
    current: Option<&AMQPValue>,
) -> Option<(String, String)> {
    let alone = |value: Option<&AMQPValue>| match value {
        None => String::from("none"),
        Some(value) => format!("the value '{}' of type '{}'", shown(value), kind(value)),
    };
    match (received, current) {
        (None, None) => None,
        (Some(received), Some(current)) if same(received, current) => None,
        (Some(received), Some(current)) => Some((
            format!("'{}'", shown(received)),
            format!("'{}'", shown(current)),
        )),
        (received, current) => Some((alone(received), alone(current))),
    }
}

/// A value as RabbitMQ shows it.
pub(super) fn shown(value: &AMQPValue) -> String {
    match value {
        AMQPValue::LongString(text) => String::from_utf8_lossy(text.as_bytes()).into_owned(),
        AMQPValue::Boolean(flag) => flag.to_string(),
        AMQPValue::Double(number) => number.to_string(),
        value => whole(value).map_or_else(|| String::from("another value"), |n| n.to_string()),
    }
}

/// The name of a value's type in RabbitMQ's words.
pub(super) const fn kind(value: &AMQPValue) -> &'static str {
    match value {
        AMQPValue::Boolean(_) => "bool",
        AMQPValue::ShortShortInt(_) => "byte",
        AMQPValue::ShortShortUInt(_) => "unsignedbyte",
        AMQPValue::ShortInt(_) => "short",
        AMQPValue::ShortUInt(_) => "unsignedshort",
        AMQPValue::LongInt(_) => "signedint",
        AMQPValue::LongUInt(_) => "unsignedint",
        AMQPValue::LongLongInt(_) => "long",
        AMQPValue::Float(_) => "float",
        AMQPValue::Double(_) => "double",
        AMQPValue::DecimalValue(_) => "decimal",
        AMQPValue::ShortString(_) | AMQPValue::LongString(_) => "longstr",
        AMQPValue::FieldArray(_) => "array",
        AMQPValue::Timestamp(_) => "timestamp",
        AMQPValue::FieldTable(_) => "table",
        AMQPValue::ByteArray(_) => "binary",
        AMQPValue::Void => "void",
    }
}

/// Bytes that a table takes in memory, roughly. How deep it goes was checked when it came.
pub(super) fn weight(table: &FieldTable) -> usize {
    const VALUE: usize = size_of::<AMQPValue>() + 16;
    fn of(value: &AMQPValue) -> usize {
        VALUE
            + match value {
                AMQPValue::LongString(text) => text.as_bytes().len(),
                AMQPValue::ByteArray(bytes) => bytes.as_slice().len(),
                AMQPValue::FieldArray(items) => items.as_slice().iter().map(of).sum(),
                AMQPValue::FieldTable(table) => weight(table),
                _ => 0,
            }
    }
    let pairs = table.inner().iter();
    pairs
        .map(|(name, value)| VALUE + name.as_str().len() + of(value))
        .sum()
}

struct Arguments<'a> {
    table: &'a FieldTable,
    place: &'a str,
}

impl Arguments<'_> {
    fn wrong(&self, name: &str, why: &str) -> Refusal {
        Refusal::precondition(format!("invalid arg '{name}' for {}: {why}", self.place))
    }

    fn get(&self, name: &str) -> Option<&AMQPValue> {
        self.table.inner().get(name)
    }

    /// Refuses what is only for another type of queue.
    fn check_known(&self, quorum: bool) -> Result<(), Refusal> {
        let (own, name) = match quorum {
            true => (For::Quorum, "rabbit_quorum_queue"),
            false => (For::Classic, "rabbit_classic_queue"),
        };
        let foreign = |(argument, of): &&(&str, For)| {
            *of != For::Both && *of != own && self.get(argument).is_some()
        };
        match KNOWN.iter().find(foreign) {
            None => Ok(()),
            Some((argument, _)) => Err(Refusal::precondition(format!(
                "invalid arg '{argument}' for {} of queue type {name}",
                self.place
            ))),
        }
    }

    /// The arguments that mean nothing here, and must be right all the same.
    fn check_unused(&self) -> Result<(), Refusal> {
        let mode = self.text("x-queue-mode")?.unwrap_or_default();
        if !matches!(&*mode, "" | "default" | "lazy") {
            let why = format!("\"unsupported queue mode '{mode}'\"");
            return Err(self.wrong("x-queue-mode", &why));
        }
        let version = self.number("x-queue-version", 0, i64::MAX)?.unwrap_or(1);
        if !matches!(version, 1 | 2) {
            let why = format!("\"unsupported queue version '{version}'\"");
            return Err(self.wrong("x-queue-version", &why));
        }
        let strategy = self.text("x-dead-letter-strategy")?.unwrap_or_default();
        if !matches!(&*strategy, "" | "at-most-once" | "at-least-once") {
            return Err(self.wrong("x-dead-letter-strategy", "invalid_dlx_strategy"));
        }
        self.number("x-quorum-initial-group-size", 1, i64::MAX)?;
        Ok(())
    }

    fn number(&self, name: &str, least: i64, most: i64) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let Some(number) = whole(value) else {
            let why = format!("\"expected integer, got {}\"", kind(value));
            return Err(self.wrong(name, &why));
        };
        let why = match number {
            // It is not negative: the least is 0 or more.
            number if (least..=most).contains(&number) => return Ok(Some(number as u64)),
            ..=-1 => format!("{{value_negative,{number}}}"),
            0 => String::from("{value_zero,0}"),
            _ if most == LONGEST => format!("{{value_too_large,{number}}}"),
            _ => format!("{{max_value_exceeded,{number}}}"),
        };
        Err(self.wrong(name, &why))
    }

    fn milliseconds(&self, name: &str, least: i64) -> Result<Option<Duration>, Refusal> {
        let number = self.number(name, least, LONGEST)?;
        Ok(number.map(Duration::from_millis))
    }

    fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let AMQPValue::LongString(text) = value else {
            if name == "x-dead-letter-exchange" {
                return Err(invalid_type(value, name, self.place));
            }
            let why = format!("{{unacceptable_type,{}}}", kind(value));
            return Err(self.wrong(name, &why));
        };
        let text = String::from_utf8(text.as_bytes().to_vec()).ok();
        let text = text.filter(|text| text.len() <= 255);
        text.map(Some)
            .ok_or_else(|| self.wrong(name, "it must be a text of at most 255 bytes"))
    }

    fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name) {
            None => Ok(false),
            Some(AMQPValue::Boolean(flag)) => Ok(*flag),
            Some(other) => {
                let why = format!("{{unacceptable_type,{}}}", kind(other));
                Err(self.wrong(name, &why))
            }
        }
    }

    fn overflow(&self) -> Result<Overflow, Refusal> {
        match self.text("x-overflow")?.as_deref() {
            None | Some("drop-head") => Ok(Overflow::DropHead),
            Some("reject-publish") => Ok(Overflow::Reject),
            Some("reject-publish-dlx") => Ok(Overflow::RejectToDeadLetters),
            Some(_) => Err(self.wrong("x-overflow", "invalid_overflow")),
        }
    }

    fn deliveries(&self, quorum: bool) -> Result<Option<u32>, Refusal> {
        // Checked to be a u32; RabbitMQ 4 takes -1 for no limit.
        let asked = match self.get("x-delivery-limit").and_then(whole) {
            Some(-1) => return Ok(None),
            _ => self.number("x-delivery-limit", 0, u32::MAX.into())?,
        };
        Ok(asked
            .map(|limit| limit as u32)
            .or_else(|| quorum.then_some(QUORUM_DELIVERIES)))
    }
}

/// The name of an exchange that is no text; `place` as in [`Settings::read`].
pub(super) fn invalid_type(value: &AMQPValue, name: &str, place: &str) -> Refusal {
    let kind = kind(value);
    Refusal::precondition(format!("invalid type '{kind}' for arg '{name}' in {place}"))
}
