//! Between our words and lapin's types.

use bytestring::ByteString;
use lapin::types::{
    AMQPValue, ByteArray, DecimalValue, FieldArray, FieldTable, LongString, ShortString,
};

use crate::error::Result;
use crate::message::AmqpValue;

use super::frame::properties::check_short;

/// A short string (AMQP 0-9-1 §4.2.5.3); lapin would panic for a longer one.
///
/// # Errors
/// [`crate::error::Kind::Usage`] over 255 bytes, naming `what` it is.
pub(super) fn short(what: &str, text: &str) -> Result<ShortString> {
    check_short(what, text)?;
    // It fails for longer texts only.
    Ok(ShortString::try_new(text).unwrap_or_default())
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
