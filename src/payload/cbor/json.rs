//! CBOR as JSON (RFC 8949 §6.1), for expressions on its content.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Number, Value};

use super::diagnostic::item_text;
use super::read::{Head, Reader, float};
use super::{BadCbor, DEEPEST};

/// One item as JSON: byte strings become base64url, keys that are no text their diagnostic notation; tags are
/// left out; what JSON does not have becomes null.
///
/// # Errors
/// What is wrong with the bytes.
pub fn json(bytes: &[u8]) -> Result<Value, BadCbor> {
    let mut reader = Reader::new(bytes);
    let value = item(&mut reader, 0)?;
    if reader.is_done() {
        return Ok(value);
    }
    Err(BadCbor::Rest(reader.at))
}

fn item(reader: &mut Reader<'_>, depth: usize) -> Result<Value, BadCbor> {
    let head = reader.head()?;
    if depth > DEEPEST {
        return Err(BadCbor::Deep);
    }
    Ok(match head.major {
        0 => head.value.into(),
        1 => negative(head.value),
        2 => Value::String(BASE64URL_NOPAD.encode(&string(reader, head)?)),
        3 => {
            let start = reader.at;
            let text = String::from_utf8(string(reader, head)?);
            Value::String(text.map_err(|_| BadCbor::Text(start))?)
        }
        4 => {
            let mut items = Vec::new();
            while reader.follows(head, items.len() as u64)? {
                items.push(item(reader, depth + 1)?);
            }
            items.into()
        }
        5 => map(reader, head, depth)?,
        6 => item(reader, depth + 1)?,
        _ => simple(head),
    })
}

fn negative(value: u64) -> Value {
    let exact = i64::try_from(-1 - i128::from(value)).map(Value::from);
    exact.unwrap_or_else(|_| number(-1.0 - value as f64))
}

fn number(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn simple(head: Head) -> Value {
    match head.info {
        20 => false.into(),
        21 => true.into(),
        25..=27 => number(float(head)),
        _ => Value::Null,
    }
}

fn string(reader: &mut Reader<'_>, head: Head) -> Result<Vec<u8>, BadCbor> {
    if !head.is_indefinite() {
        return reader.take(head.value).map(<[u8]>::to_vec);
    }
    let mut whole = Vec::new();
    while let Some(piece) = reader.piece(head)? {
        whole.extend_from_slice(reader.take(piece.value)?);
    }
    Ok(whole)
}

fn map(reader: &mut Reader<'_>, head: Head, depth: usize) -> Result<Value, BadCbor> {
    let mut members = Map::new();
    let mut count = 0;
    while reader.follows(head, count)? {
        let name = key(reader, depth + 1)?;
        let value = item(reader, depth + 1)?;
        members.insert(name, value);
        count += 1;
    }
    Ok(members.into())
}

fn key(reader: &mut Reader<'_>, depth: usize) -> Result<String, BadCbor> {
    let start = reader.at;
    let head = reader.head()?;
    if head.major == 3 && !head.is_indefinite() {
        return reader.text(head).map(String::from);
    }
    reader.at = start;
    let from = std::mem::replace(reader, Reader::new(b""));
    let (text, after) = item_text(from, depth)?;
    *reader = after;
    Ok(text)
}
