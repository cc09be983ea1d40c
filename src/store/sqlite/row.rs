//! Values of messages as values of a database.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use rusqlite::types::Value;

use super::Row;
use crate::message::Message;
use crate::output::record_line;
use crate::payload::pointer;
use crate::payload::select::Found;
use crate::store::table::{Affinity, MESSAGE};

/// What a message has for a column; `previous`: when the one before it was, `time`: when it was.
pub(super) fn value(found: &Found<'_>, previous: Option<SystemTime>, time: SystemTime) -> Value {
    match found {
        Found::Bytes(bytes) => body(bytes),
        Found::Text(text) => Value::Text(text.to_string()),
        Found::Instead(text) => Value::Text((*text).to_owned()),
        Found::Number(digits) => number(digits),
        Found::Bool(value) => Value::Integer((*value).into()),
        Found::Time(time) => Value::Text(iso(*time)),
        Found::Delta => previous.map_or(Value::Null, |previous| {
            Value::Real((nanoseconds(time) - nanoseconds(previous)) as f64 / 1e9)
        }),
    }
}

/// A whole message, in the order of [`MESSAGE`].
pub(super) fn message_row(message: &Message) -> Row {
    let protocol = message.detail.protocol();
    vec![
        Value::Integer(nanoseconds(message.time)),
        Value::Text(protocol.to_owned()),
        Value::Text(message.topic.to_string()),
        body(&message.payload),
        detail(message, protocol).map_or(Value::Null, Value::Text),
    ]
}

/// What only its protocol knows, as in records.
fn detail(message: &Message, protocol: &str) -> Option<String> {
    let bare = Message {
        payload: bytes::Bytes::new(),
        ..message.clone()
    };
    pointer::find(&record_line(&bare), &format!("/{protocol}")).map(str::to_owned)
}

fn body(bytes: &[u8]) -> Value {
    match str::from_utf8(bytes) {
        Ok(text) => Value::Text(text.to_owned()),
        Err(_) => Value::Blob(bytes.to_vec()),
    }
}

fn number(digits: &str) -> Value {
    match (digits.parse(), digits.parse()) {
        (Ok(whole), _) => Value::Integer(whole),
        (_, Ok(real)) => Value::Real(real),
        _ => Value::Text(digits.to_owned()),
    }
}

fn iso(time: SystemTime) -> String {
    let moment = Timestamp::try_from(time).unwrap_or_default();
    moment.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// Since 1970.
fn nanoseconds(time: SystemTime) -> i64 {
    let whole = |duration: std::time::Duration| i64::try_from(duration.as_nanos());
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => whole(after).unwrap_or(i64::MAX),
        Err(before) => whole(before.duration()).map_or(i64::MIN, |it| -it),
    }
}

/// The types of columns.
pub(super) struct Types(Vec<Option<Affinity>>);

impl Types {
    /// Those of whole messages.
    pub(super) fn of_messages() -> Self {
        Self(MESSAGE.map(|(_, affinity)| affinity).into())
    }

    /// What suits all of these rows; nothing where they have no value.
    pub(super) fn of_rows<'a>(columns: usize, rows: impl Iterator<Item = &'a Row>) -> Self {
        let mut types = vec![None; columns];
        for row in rows {
            for (known, value) in types.iter_mut().zip(row) {
                *known = wider(*known, value);
            }
        }
        Self(types)
    }

    /// That of a column, counted from 0.
    pub(super) fn of(&self, column: usize) -> Option<Affinity> {
        self.0[column]
    }
}

/// The type of a value and of those before it.
fn wider(known: Option<Affinity>, value: &Value) -> Option<Affinity> {
    let own = match value {
        Value::Null => return known,
        Value::Integer(_) => Affinity::Integer,
        Value::Real(_) => Affinity::Real,
        Value::Text(_) => Affinity::Text,
        Value::Blob(_) => Affinity::Blob,
    };
    Some(match known {
        None => own,
        Some(known) if known == own => known,
        Some(Affinity::Integer | Affinity::Real)
            if matches!(own, Affinity::Integer | Affinity::Real) =>
        {
            Affinity::Real
        }
        // Each value stays what it is.
        Some(_) => Affinity::Blob,
    })
}
