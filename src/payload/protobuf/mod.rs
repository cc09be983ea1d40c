//! Protobuf messages as JSON, by a compiled schema or by the numbers of their fields.
//!
//! Fields stand in the order of their numbers under the names of the schema; those that it does not have under their
//! numbers. Bytes are base64, 64-bit integers have all their digits. Without a schema a value with a length is shown as text
//! where it is some, as a message where it can be one, and otherwise as `base64:…`.

mod schema;
mod wire;

use data_encoding::BASE64;

use super::json_text::{Object, push_float, push_string};
use schema::{Field, Kind};

pub use schema::Schema;
pub use wire::BadProtobuf;
use wire::DEEPEST;
pub(super) use wire::{Fields, LONGEST_TEXT, MOST_FIELDS, Wire};

/// One message as JSON in one line.
///
/// # Errors
/// What is wrong with the bytes.
pub fn json(bytes: &[u8], schema: Option<&Schema>) -> Result<String, BadProtobuf> {
    let mut writer = Writer {
        schema,
        text: String::new(),
        room: MOST_FIELDS,
    };
    writer.message(bytes, schema.map(|it| it.root), 0)?;
    Ok(writer.text)
}

struct Writer<'s> {
    schema: Option<&'s Schema>,
    text: String,
    /// As many more fields there may be.
    room: usize,
}

impl<'s> Writer<'s> {
    /// A message of this type.
    fn message(
        &mut self,
        bytes: &[u8],
        kind: Option<usize>,
        depth: usize,
    ) -> Result<(), BadProtobuf> {
        if depth > DEEPEST {
            return Err(BadProtobuf::Deep);
        }
        let mut fields = Vec::new();
        for field in Fields::of(bytes) {
            self.room = self.room.checked_sub(1).ok_or(BadProtobuf::Many)?;
            fields.push(field?);
        }
        fields.sort_by_key(|(number, _)| *number);
        let mut object = Object::begin(&mut self.text);
        for same in fields.chunk_by(|one, other| one.0 == other.0) {
            let number = same[0].0;
            let values: Vec<Wire<'_>> = same.iter().map(|(_, wire)| *wire).collect();
            match self
                .known(kind, number)
                .filter(|field| values.iter().all(|it| fits(field, *it)))
            {
                Some(field) => {
                    object.name(&field.name, &mut self.text);
                    self.field(field, &values, depth)?;
                }
                None => {
                    object.name(&number.to_string(), &mut self.text);
                    self.unknown(&values, depth)?;
                }
            }
        }
        object.end(&mut self.text);
        Ok(())
    }

    fn known(&self, kind: Option<usize>, number: u32) -> Option<&'s Field> {
        self.schema?.messages[kind?].fields.get(&number)
    }

    /// The values of a field; there is one at least.
    fn field(
        &mut self,
        field: &Field,
        values: &[Wire<'_>],
        depth: usize,
    ) -> Result<(), BadProtobuf> {
        if field.repeated {
            return match (field.kind, self.schema) {
                (Kind::Message(at), Some(schema)) if schema.messages[at].is_entry => {
                    self.map(at, values, depth)
                }
                _ => self.list(field.kind, values, depth),
            };
        }
        match (field.kind, values) {
            // Their parts are merged, as one behind the other would be.
            (Kind::Message(at), [_, _, ..]) => {
                let whole: Vec<u8> = values.iter().flat_map(|it| inner(*it)).copied().collect();
                self.message(&whole, Some(at), depth + 1)
            }
            (kind, [.., last]) => self.value(kind, *last, depth),
            (_, []) => Ok(()),
        }
    }

    fn list(&mut self, kind: Kind, values: &[Wire<'_>], depth: usize) -> Result<(), BadProtobuf> {
        self.text.push('[');
        let mut first = true;
        for value in values {
            let packed = value.bytes().filter(|_| is_packable(kind));
            let mut rest = Fields::of(packed.unwrap_or_default());
            while packed.is_none() || !rest.is_done() {
                if !std::mem::take(&mut first) {
                    self.text.push(',');
                }
                match packed {
                    Some(_) => self.value(kind, unpacked(kind, &mut rest)?, depth)?,
                    None => {
                        self.value(kind, *value, depth)?;
                        break;
                    }
                }
            }
        }
        self.text.push(']');
        Ok(())
    }

    /// Pairs; a key that is no string is one in JSON.
    fn map(&mut self, entry: usize, values: &[Wire<'_>], depth: usize) -> Result<(), BadProtobuf> {
        if depth >= DEEPEST {
            return Err(BadProtobuf::Deep);
        }
        let mut object = Object::begin(&mut self.text);
        for value in values {
            let (mut key, mut held) = (None, None);
            for field in Fields::of(inner(*value)) {
                self.room = self.room.checked_sub(1).ok_or(BadProtobuf::Many)?;
                match field? {
                    (1, wire) => key = Some(wire),
                    (2, wire) => held = Some(wire),
                    _ => {}
                }
            }
            let name = self.key(entry, key)?;
            object.name(&name, &mut self.text);
            match self.known(Some(entry), 2).zip(held) {
                Some((field, wire)) if fits(field, wire) => {
                    self.value(field.kind, wire, depth + 1)?
                }
                _ => self.text.push_str("null"),
            }
        }
        object.end(&mut self.text);
        Ok(())
    }

    /// What is left out is empty, or 0.
    fn key(&self, entry: usize, wire: Option<Wire<'_>>) -> Result<String, BadProtobuf> {
        let Some(field) = self.known(Some(entry), 1) else {
            return Ok(String::new());
        };
        let mut writer = Writer {
            schema: self.schema,
            text: String::new(),
            room: 0,
        };
        match wire.filter(|wire| fits(field, *wire)) {
            Some(wire) if field.kind == Kind::Text => {
                return Ok(String::from_utf8_lossy(inner(wire)).into_owned());
            }
            Some(wire) => writer.value(field.kind, wire, 0)?,
            None if field.kind == Kind::Text => {}
            None if field.kind == Kind::Bool => writer.text.push_str("false"),
            None => writer.text.push('0'),
        }
        Ok(writer.text)
    }

    /// One value, which fits.
    fn value(&mut self, kind: Kind, wire: Wire<'_>, depth: usize) -> Result<(), BadProtobuf> {
        match (kind, wire) {
            (Kind::Message(at), wire) => return self.message(inner(wire), Some(at), depth + 1),
            (Kind::Text, Wire::Bytes(bytes)) => match str::from_utf8(bytes) {
                Ok(text) => push_string(text, &mut self.text),
                Err(_) => push_string(&format!("base64:{}", BASE64.encode(bytes)), &mut self.text),
            },
            (_, Wire::Bytes(bytes) | Wire::Group(bytes)) => {
                push_string(&BASE64.encode(bytes), &mut self.text)
            }
            (Kind::Float, Wire::Fixed32(bits)) => push_float(f32::from_bits(bits), &mut self.text),
            (Kind::Double, Wire::Fixed64(bits)) => push_float(f64::from_bits(bits), &mut self.text),
            (Kind::Sfixed32, Wire::Fixed32(bits)) => self.push(bits.cast_signed()),
            (Kind::Sfixed64, Wire::Fixed64(bits)) => self.push(bits.cast_signed()),
            (_, Wire::Fixed32(bits)) => self.push(bits),
            (_, Wire::Fixed64(bits)) => self.push(bits),
            (Kind::Int64, Wire::Varint(value)) => self.push(value.cast_signed()),
            // What is wider is cut, as protobuf has it.
            (Kind::Int32, Wire::Varint(value)) => self.push(value as i32),
            (Kind::Uint32, Wire::Varint(value)) => self.push(value as u32),
            (Kind::Sint64, Wire::Varint(value)) => self.push(zigzag(value)),
            (Kind::Sint32, Wire::Varint(value)) => self.push(zigzag((value as u32).into())),
            (Kind::Bool, Wire::Varint(value)) => self.push(value != 0),
            (Kind::Enum(at), Wire::Varint(value)) => {
                let number = value as i32;
                match self.schema.and_then(|it| it.enums[at].values.get(&number)) {
                    Some(name) => push_string(name, &mut self.text),
                    None => self.push(number),
                }
            }
            (_, Wire::Varint(value)) => self.push(value),
        }
        Ok(())
    }

    fn push(&mut self, value: impl ToString) {
        self.text.push_str(&value.to_string());
    }

    /// The values of a field that no schema has.
    fn unknown(&mut self, values: &[Wire<'_>], depth: usize) -> Result<(), BadProtobuf> {
        if let [only] = values {
            return self.guessed(*only, depth);
        }
        for (at, value) in values.iter().enumerate() {
            self.text.push(if at == 0 { '[' } else { ',' });
            self.guessed(*value, depth)?;
        }
        self.text.push(']');
        Ok(())
    }

    fn guessed(&mut self, wire: Wire<'_>, depth: usize) -> Result<(), BadProtobuf> {
        match wire {
            Wire::Varint(value) => self.push(value),
            Wire::Fixed64(bits) => push_float(f64::from_bits(bits), &mut self.text),
            Wire::Fixed32(bits) => push_float(f32::from_bits(bits), &mut self.text),
            Wire::Group(bytes) => return self.message(bytes, None, depth + 1),
            Wire::Bytes(bytes) => {
                let text = str::from_utf8(bytes).ok();
                let has_control = |text: &&str| text.contains(char::is_control);
                let is_message = || depth < DEEPEST && Fields::of(bytes).all(|field| field.is_ok());
                match text {
                    Some(text) if !has_control(&text) => push_string(text, &mut self.text),
                    _ if is_message() => return self.message(bytes, None, depth + 1),
                    Some(text)
                        if !text.contains(|it: char| it.is_control() && !it.is_whitespace()) =>
                    {
                        push_string(text, &mut self.text);
                    }
                    _ => push_string(&format!("base64:{}", BASE64.encode(bytes)), &mut self.text),
                }
            }
        }
        Ok(())
    }
}

/// What has a length, or stands in a group.
const fn inner(wire: Wire<'_>) -> &[u8] {
    match wire {
        Wire::Bytes(bytes) | Wire::Group(bytes) => bytes,
        _ => &[],
    }
}

const fn zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

/// Whether several values may stand in one.
const fn is_packable(kind: Kind) -> bool {
    !matches!(kind, Kind::Text | Kind::Bytes | Kind::Message(_))
}

/// Whether a value is what the schema says.
fn fits(field: &Field, wire: Wire<'_>) -> bool {
    if field.repeated && is_packable(field.kind) && wire.bytes().is_some() {
        let mut rest = Fields::of(wire.bytes().unwrap_or_default());
        while !rest.is_done() {
            if unpacked(field.kind, &mut rest).is_err() {
                return false;
            }
        }
        return true;
    }
    match field.kind {
        Kind::Text | Kind::Bytes => matches!(wire, Wire::Bytes(_)),
        Kind::Message(_) => matches!(wire, Wire::Bytes(_) | Wire::Group(_)),
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => matches!(wire, Wire::Fixed64(_)),
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => matches!(wire, Wire::Fixed32(_)),
        _ => matches!(wire, Wire::Varint(_)),
    }
}

/// The next of several values that stand in one.
fn unpacked<'a>(kind: Kind, rest: &mut Fields<'a>) -> Result<Wire<'a>, BadProtobuf> {
    Ok(match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => {
            Wire::Fixed64(u64::from_le_bytes(rest.array()?))
        }
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => {
            Wire::Fixed32(u32::from_le_bytes(rest.array()?))
        }
        _ => Wire::Varint(rest.varint()?),
    })
}

#[cfg(test)]
mod tests;
