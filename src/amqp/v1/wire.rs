//! Between our words and the library's types.

use std::time::SystemTime;

use bytestring::ByteString;
use fe2o3_amqp::Delivery as Raw;
use fe2o3_amqp::link::delivery::DeliveryInfo;
use fe2o3_amqp::types::messaging::annotations::OwnedKey;
use fe2o3_amqp::types::messaging::{
    ApplicationProperties, Body, Data, Header, Message as Wire, MessageId, Priority, Properties,
};
use fe2o3_amqp::types::primitives::{Binary, SimpleValue, Symbol, Timestamp, Value};

use super::super::address::{Address, Dialect};
use super::super::publisher::Outgoing;
use super::body;
use crate::error::{Error, Result};
use crate::message::{AmqpDetail, AmqpProperties, AmqpValue, Detail, Message};

/// The message as it goes over the wire. Its body is one data section; what 0-9-1 calls the type is the subject, and the
/// application is the group.
///
/// # Errors
/// [`crate::error::Kind::Usage`] for a header that no application property can carry, or a lifetime that is no number.
pub(super) fn outgoing(message: &Outgoing, dialect: Dialect) -> Result<Wire<Data>> {
    let said = &*message.properties;
    Ok(Wire {
        header: header(said)?,
        delivery_annotations: None,
        message_annotations: None,
        properties: properties(said, dialect),
        application_properties: applications(&said.headers)?,
        body: Data(Binary::from(message.payload.to_vec())),
        footer: None,
    })
}

/// Whether AMQP 1.0 can carry these properties.
///
/// # Errors
/// [`crate::error::Kind::Usage`], naming what it cannot.
pub(crate) fn carries(said: &AmqpProperties) -> Result<()> {
    header(said)?;
    applications(&said.headers).map(drop)
}

fn header(said: &AmqpProperties) -> Result<Option<Header>> {
    if let Some((name, _)) = said.not_text.first() {
        let text = format!("{name} is not UTF-8, as AMQP 1.0 demands");
        return Err(Error::usage(text));
    }
    let ttl = match &said.expiration {
        None => None,
        Some(text) => Some(text.parse::<u32>().map_err(|_| {
            Error::usage(format!(
                "the expiration {text:?} is not a number of milliseconds below 2^32"
            ))
        })?),
    };
    if (said.delivery_mode, said.priority, ttl) == (None, None, None) {
        return Ok(None);
    }
    Ok(Some(Header {
        durable: said.delivery_mode == Some(2),
        priority: said.priority.map_or_else(Priority::default, Priority),
        ttl,
        first_acquirer: false,
        delivery_count: 0,
    }))
}

fn properties(said: &AmqpProperties, dialect: Dialect) -> Option<Properties> {
    let text = |text: &Option<ByteString>| text.as_ref().map(ToString::to_string);
    let symbol = |word: &Option<ByteString>| word.as_deref().map(Symbol::from);
    let properties = Properties {
        message_id: text(&said.message_id).map(MessageId::String),
        user_id: said
            .user_id
            .as_ref()
            .map(|name| Binary::from(name.as_bytes().to_vec())),
        subject: text(&said.kind),
        reply_to: text(&said.reply_to),
        correlation_id: text(&said.correlation_id).map(MessageId::String),
        content_type: symbol(&said.content_type),
        content_encoding: symbol(&said.content_encoding),
        creation_time: said
            .timestamp
            .and_then(|seconds| i64::try_from(seconds).ok()?.checked_mul(second(dialect)))
            .map(Timestamp::from_milliseconds),
        group_id: text(&said.app_id),
        ..Properties::default()
    };
    (properties != Properties::default()).then_some(properties)
}

/// In milliseconds, which RabbitMQ's plugin takes for seconds, both ways.
const fn second(dialect: Dialect) -> i64 {
    match dialect {
        Dialect::RabbitMq3 => 1,
        Dialect::RabbitMq4 | Dialect::Plain => 1000,
    }
}

fn applications(headers: &[(ByteString, AmqpValue)]) -> Result<Option<ApplicationProperties>> {
    if headers.is_empty() {
        return Ok(None);
    }
    let mut properties = ApplicationProperties::default();
    for (name, value) in headers {
        let value = simple(name, value)?;
        properties.0.insert(name.to_string(), value);
    }
    Ok(Some(properties))
}

fn simple(name: &str, value: &AmqpValue) -> Result<SimpleValue> {
    Ok(match value {
        AmqpValue::Bool(value) => SimpleValue::Bool(*value),
        AmqpValue::Int(value) => SimpleValue::Long(*value),
        AmqpValue::Int32(value) => SimpleValue::Int(*value),
        AmqpValue::Double(value) => SimpleValue::Double((*value).into()),
        AmqpValue::Text(text) => SimpleValue::String(text.to_string()),
        AmqpValue::Bytes(bytes) => SimpleValue::Binary(Binary::from(bytes.to_vec())),
        AmqpValue::Timestamp(seconds) => {
            let millis = i64::try_from(*seconds)
                .ok()
                .and_then(|s| s.checked_mul(1000));
            SimpleValue::Timestamp(Timestamp::from_milliseconds(millis.unwrap_or(i64::MAX)))
        }
        AmqpValue::Void => SimpleValue::Null,
        AmqpValue::Decimal { .. } | AmqpValue::List(_) | AmqpValue::Table(_) => {
            return Err(Error::usage(format!(
                "the header {name:?} is a decimal, a list or a table, which AMQP 1.0 cannot carry"
            )));
        }
    })
}

/// What a received message says. Its topic is its routing key where the server tells it, which RabbitMQ's plugin does as
/// the subject; else the queue that it was taken from, its subject, or whatever `source` is.
pub(super) fn incoming(
    raw: Raw<Body<Value>>,
    tag: u64,
    dialect: Dialect,
    source: &Address,
) -> (DeliveryInfo, Message) {
    let (info, wire) = raw.into_parts();
    let annotated = |name: &str| {
        let annotations = wire.message_annotations.as_ref()?;
        let value = annotations.0.get(&OwnedKey::from(name))?;
        body::text(value).map(ByteString::from)
    };
    let key = annotated("x-routing-key");
    let subject = wire
        .properties
        .as_ref()
        .and_then(|said| said.subject.as_deref());
    let mut properties = told(&wire, dialect);
    if dialect == Dialect::RabbitMq3 || (key.is_some() && subject == key.as_deref()) {
        // It is the routing key.
        properties.kind = None;
    }
    let topic = match (key, source) {
        (None, Address::Queue(name)) if dialect != Dialect::RabbitMq3 => Some(name.clone()),
        (key, _) => key.or_else(|| subject.map(ByteString::from)),
    };
    let detail = AmqpDetail {
        exchange: annotated("x-exchange").unwrap_or_default(),
        redelivered: wire.header.as_ref().is_some_and(|header| {
            let again = dialect != Dialect::Plain && !header.first_acquirer;
            again || header.delivery_count > 0
        }),
        delivery_tag: tag,
        properties,
    };
    let message = Message {
        time: SystemTime::now(),
        topic: topic.unwrap_or_else(|| source.topic().clone()),
        payload: body::bytes(wire.body),
        detail: Detail::Amqp(Box::new(detail)),
    };
    (info, message)
}

fn told<B>(wire: &Wire<B>, dialect: Dialect) -> AmqpProperties {
    let header = wire.header.as_ref();
    let mut told = AmqpProperties {
        delivery_mode: header.filter(|header| header.durable).map(|_| 2),
        // 4 is what a message has that says nothing (AMQP 1.0 part 3 §3.2.1).
        priority: header
            .map(|header| header.priority.0)
            .filter(|&priority| priority != Priority::default().0),
        expiration: header
            .and_then(|header| header.ttl)
            .map(|millis| millis.to_string().into()),
        headers: headers(wire.application_properties.as_ref()),
        ..AmqpProperties::default()
    };
    let Some(said) = &wire.properties else {
        return told;
    };
    let text = |text: &Option<String>| text.as_deref().map(ByteString::from);
    let symbol = |word: &Option<Symbol>| word.as_ref().map(|word| word.as_str().into());
    told.content_type = symbol(&said.content_type);
    told.content_encoding = symbol(&said.content_encoding);
    told.correlation_id = said.correlation_id.as_ref().map(id);
    told.message_id = said.message_id.as_ref().map(id);
    told.reply_to = text(&said.reply_to);
    told.kind = text(&said.subject);
    told.app_id = text(&said.group_id);
    told.user_id = said
        .user_id
        .as_ref()
        .map(|name| String::from_utf8_lossy(name).into_owned().into());
    told.timestamp = said
        .creation_time
        .as_ref()
        .and_then(|time| u64::try_from(time.milliseconds() / second(dialect)).ok());
    told
}

fn headers(properties: Option<&ApplicationProperties>) -> Vec<(ByteString, AmqpValue)> {
    let mut headers: Vec<(ByteString, AmqpValue)> = properties
        .into_iter()
        .flat_map(|properties| properties.0.iter())
        .map(|(name, value)| (name.as_str().into(), body::value(value.clone().into())))
        .collect();
    headers.sort_by(|(one, _), (other, _)| one.cmp(other));
    headers
}

/// Identifiers may be numbers and bytes too (AMQP 1.0 part 3 §3.2.11).
fn id(id: &MessageId) -> ByteString {
    match id {
        MessageId::String(text) => text.as_str().into(),
        MessageId::Ulong(number) => number.to_string().into(),
        MessageId::Uuid(uuid) => body::uuid(uuid).into(),
        MessageId::Binary(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => data_encoding::HEXLOWER.encode(bytes).into(),
        },
    }
}
