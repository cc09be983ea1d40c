//! Between our words and lapin's types.

use bytestring::ByteString;
use lapin::BasicProperties;
use lapin::types::{
    AMQPValue, ByteArray, DecimalValue, FieldArray, FieldTable, LongString, ShortString,
};

use crate::error::{Error, Result};
use crate::message::{AmqpProperties, AmqpValue};

/// A short string (AMQP 0-9-1 §4.2.5.3); lapin would panic for a longer one.
///
/// # Errors
/// [`crate::error::Kind::Usage`] over 255 bytes, naming `what` it is.
pub(super) fn short(what: &str, text: &str) -> Result<ShortString> {
    ShortString::try_new(text).map_err(|_| {
        Error::usage(format!(
            "the {what} has {} bytes, more than 255",
            text.len()
        ))
    })
}

/// A field table (AMQP 0-9-1 §4.2.5.5).
///
/// # Errors
/// [`crate::error::Kind::Usage`] for a name over 255 bytes.
pub(super) fn table(pairs: &[(ByteString, AmqpValue)]) -> Result<FieldTable> {
    let mut table = FieldTable::default();
    for (name, value) in pairs {
        table.insert(
            short("name of a header or argument", name)?,
            to_wire(value)?,
        );
    }
    Ok(table)
}

fn to_wire(value: &AmqpValue) -> Result<AMQPValue> {
    Ok(match value {
        AmqpValue::Bool(value) => AMQPValue::Boolean(*value),
        AmqpValue::Int(value) => AMQPValue::LongLongInt(*value),
        AmqpValue::Int32(value) => AMQPValue::LongInt(*value),
        AmqpValue::Double(value) => AMQPValue::Double(*value),
        AmqpValue::Decimal { digits, scale } => AMQPValue::DecimalValue(DecimalValue {
            scale: *scale,
            value: *digits,
        }),
        AmqpValue::Text(text) => AMQPValue::LongString(LongString::from(&**text)),
        AmqpValue::Bytes(bytes) => AMQPValue::ByteArray(ByteArray::from(bytes.to_vec())),
        AmqpValue::Timestamp(seconds) => AMQPValue::Timestamp(*seconds),
        AmqpValue::List(items) => {
            let items = items.iter().map(to_wire).collect::<Result<Vec<_>>>()?;
            AMQPValue::FieldArray(FieldArray::from(items))
        }
        AmqpValue::Table(pairs) => AMQPValue::FieldTable(table(pairs)?),
        AmqpValue::Void => AMQPValue::Void,
    })
}

fn from_wire(value: &AMQPValue) -> AmqpValue {
    match value {
        AMQPValue::Boolean(value) => AmqpValue::Bool(*value),
        AMQPValue::ShortShortInt(value) => AmqpValue::Int((*value).into()),
        AMQPValue::ShortShortUInt(value) => AmqpValue::Int((*value).into()),
        AMQPValue::ShortInt(value) => AmqpValue::Int((*value).into()),
        AMQPValue::ShortUInt(value) => AmqpValue::Int((*value).into()),
        AMQPValue::LongInt(value) => AmqpValue::Int32(*value),
        AMQPValue::LongUInt(value) => AmqpValue::Int((*value).into()),
        AMQPValue::LongLongInt(value) => AmqpValue::Int(*value),
        AMQPValue::Float(value) => AmqpValue::Double((*value).into()),
        AMQPValue::Double(value) => AmqpValue::Double(*value),
        AMQPValue::DecimalValue(decimal) => AmqpValue::Decimal {
            digits: decimal.value,
            scale: decimal.scale,
        },
        AMQPValue::ShortString(text) => AmqpValue::Text(text.as_str().into()),
        AMQPValue::LongString(text) => match str::from_utf8(text.as_bytes()) {
            Ok(text) => AmqpValue::Text(text.into()),
            Err(_) => AmqpValue::Bytes(text.as_bytes().to_vec().into()),
        },
        AMQPValue::FieldArray(items) => {
            AmqpValue::List(items.as_slice().iter().map(from_wire).collect())
        }
        AMQPValue::Timestamp(seconds) => AmqpValue::Timestamp(*seconds),
        AMQPValue::FieldTable(table) => AmqpValue::Table(pairs(table)),
        AMQPValue::ByteArray(bytes) => AmqpValue::Bytes(bytes.as_slice().to_vec().into()),
        AMQPValue::Void => AmqpValue::Void,
    }
}

fn pairs(table: &FieldTable) -> Vec<(ByteString, AmqpValue)> {
    let pairs = table.inner().iter();
    pairs
        .map(|(name, value)| (name.as_str().into(), from_wire(value)))
        .collect()
}

/// The properties as they go over the wire.
///
/// # Errors
/// [`crate::error::Kind::Usage`] for a text over 255 bytes, naming the property.
pub(super) fn to_properties(from: &AmqpProperties) -> Result<BasicProperties> {
    let mut to = BasicProperties::default();
    for (what, text, with) in texts(from) {
        if let Some(text) = text {
            to = with(to, short(what, text)?);
        }
    }
    if let Some(mode) = from.delivery_mode {
        to = to.with_delivery_mode(mode);
    }
    if let Some(priority) = from.priority {
        to = to.with_priority(priority);
    }
    if let Some(seconds) = from.timestamp {
        to = to.with_timestamp(seconds);
    }
    if !from.headers.is_empty() {
        to = to.with_headers(table(&from.headers)?);
    }
    Ok(to)
}

/// A property that is text: what errors call it, its value, and how it is set.
type Text<'a> = (
    &'static str,
    &'a Option<ByteString>,
    fn(BasicProperties, ShortString) -> BasicProperties,
);

#[rustfmt::skip]
fn texts(from: &AmqpProperties) -> [Text<'_>; 10] {
    [
        ("content type", &from.content_type, BasicProperties::with_content_type),
        ("content encoding", &from.content_encoding, BasicProperties::with_content_encoding),
        ("correlation id", &from.correlation_id, BasicProperties::with_correlation_id),
        ("reply-to queue", &from.reply_to, BasicProperties::with_reply_to),
        ("expiration", &from.expiration, BasicProperties::with_expiration),
        ("message id", &from.message_id, BasicProperties::with_message_id),
        ("type", &from.kind, BasicProperties::with_type),
        ("user id", &from.user_id, BasicProperties::with_user_id),
        ("app id", &from.app_id, BasicProperties::with_app_id),
        ("cluster id", &from.cluster_id, BasicProperties::with_cluster_id),
    ]
}

/// The properties as they came.
pub(super) fn from_properties(from: &BasicProperties) -> AmqpProperties {
    let text = |text: &Option<ShortString>| text.as_ref().map(|text| text.as_str().into());
    AmqpProperties {
        content_type: text(from.content_type()),
        content_encoding: text(from.content_encoding()),
        headers: from.headers().as_ref().map(pairs).unwrap_or_default(),
        delivery_mode: *from.delivery_mode(),
        priority: *from.priority(),
        correlation_id: text(from.correlation_id()),
        reply_to: text(from.reply_to()),
        expiration: text(from.expiration()),
        message_id: text(from.message_id()),
        timestamp: *from.timestamp(),
        kind: text(from.kind()),
        user_id: text(from.user_id()),
        app_id: text(from.app_id()),
        cluster_id: text(from.cluster_id()),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::error::Kind;

    #[test]
    fn properties_survive_the_way_to_the_wire_and_back() {
        let text = |text: &'static str| Some(ByteString::from_static(text));
        let properties = AmqpProperties {
            content_type: text("text/plain"),
            content_encoding: text("gzip"),
            headers: vec![
                ("a".into(), AmqpValue::Int(-1)),
                ("b".into(), AmqpValue::Bytes(Bytes::from_static(b"\xff"))),
                (
                    "c".into(),
                    AmqpValue::List(vec![AmqpValue::Bool(true), AmqpValue::Void]),
                ),
                (
                    "d".into(),
                    AmqpValue::Table(vec![("x".into(), AmqpValue::Double(0.5))]),
                ),
            ],
            delivery_mode: Some(2),
            priority: Some(9),
            correlation_id: text("c"),
            reply_to: text("r"),
            expiration: text("60000"),
            message_id: text("m"),
            timestamp: Some(7),
            kind: text("k"),
            user_id: text("u"),
            app_id: text("app"),
            cluster_id: text("cl"),
        };
        assert_eq!(
            from_properties(&to_properties(&properties).unwrap()),
            properties
        );
        let none = AmqpProperties::default();
        assert_eq!(from_properties(&to_properties(&none).unwrap()), none);
    }

    #[test]
    fn a_name_over_255_bytes_is_an_error_and_no_panic() {
        assert!(short("routing key", &"k".repeat(255)).is_ok());
        let error = short("routing key", &"k".repeat(256)).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert_eq!(error.text(), "the routing key has 256 bytes, more than 255");
        let long = AmqpProperties {
            expiration: Some("1".repeat(300).into()),
            ..AmqpProperties::default()
        };
        assert!(
            to_properties(&long)
                .unwrap_err()
                .text()
                .contains("expiration")
        );
        assert!(table(&[("n".repeat(256).into(), AmqpValue::Void)]).is_err());
    }
}
