//! Where the fields of a packet go: into a buffer, or only into a count (MQTT 5.0 §1.5).

use bytes::BytesMut;

use super::Unencodable;
use crate::mqtt::packet::properties::Target;
use crate::mqtt::packet::{Properties, Version};

/// Takes the bytes of a packet in their order.
pub(super) trait Sink {
    fn put(&mut self, bytes: &[u8]);

    /// Takes so many bytes as if they had been put, where it only counts; whether it does.
    #[inline]
    fn skip(&mut self, _bytes: usize) -> bool {
        false
    }

    /// A variable byte integer (MQTT 5.0 §1.5.5); the caller has made sure that four bytes hold it.
    #[inline(always)]
    fn put_variable(&mut self, value: u32) {
        let low = |shift: u32| (value >> shift) as u8 & 0x7f;
        let more = |shift: u32| low(shift) | 0x80;
        // Arrays of a known length are stored, slices would be copied by a call.
        match variable_len(value) {
            1 => self.put(&[low(0)]),
            2 => self.put(&[more(0), low(7)]),
            3 => self.put(&[more(0), more(7), low(14)]),
            _ => self.put(&[more(0), more(7), more(14), low(21)]),
        }
    }

    /// Bytes after their length in two bytes; `what` names them in the error.
    #[inline(always)]
    fn put_binary(&mut self, what: &'static str, bytes: &[u8]) -> Result<(), Unencodable> {
        let Ok(length) = u16::try_from(bytes.len()) else {
            return Err(too_long(what, bytes.len()));
        };
        self.put(&length.to_be_bytes());
        self.put(bytes);
        Ok(())
    }

    /// The properties after their length; nothing before MQTT 5.
    #[inline(always)]
    fn put_properties(
        &mut self,
        properties: &Properties,
        version: Version,
    ) -> Result<(), Unencodable>
    where
        Self: Sized,
    {
        match (version, properties.is_empty()) {
            (Version::V31 | Version::V311, _) => {}
            (Version::V5, true) => self.put(&[0]),
            (Version::V5, false) => put_list(properties, self)?,
        }
        Ok(())
    }
}

#[cold]
fn too_long(what: &'static str, length: usize) -> Unencodable {
    Unencodable::new(format!("{what} of {length} bytes is longer than 65535"))
}

impl Sink for BytesMut {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Counts the bytes only.
pub(super) struct Count(pub(super) usize);

impl Sink for Count {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    #[inline]
    fn skip(&mut self, bytes: usize) -> bool {
        self.0 += bytes;
        true
    }
}

/// How many bytes a variable byte integer takes: 1 to 4.
#[inline]
pub(super) const fn variable_len(value: u32) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => 4,
    }
}

fn put_list(properties: &Properties, sink: &mut impl Sink) -> Result<(), Unencodable> {
    let mut count = Count(0);
    put_each(properties, &mut count)?;
    if count.0 > super::LARGEST_BODY {
        return Err(Unencodable::new(format!(
            "properties of {} bytes do not fit a packet",
            count.0
        )));
    }
    sink.put_variable(count.0 as u32);
    match sink.skip(count.0) {
        true => Ok(()),
        false => put_each(properties, sink),
    }
}

fn put_each(properties: &Properties, sink: &mut impl Sink) -> Result<(), Unencodable> {
    for property in properties {
        let id = property.id();
        sink.put(&[id as u8]);
        property.give(&mut Values {
            sink,
            name: id.name(),
        })?;
    }
    Ok(())
}

/// Passes the values of one property on to the sink.
struct Values<'a, S> {
    sink: &'a mut S,
    name: &'static str,
}

impl<S: Sink> Target for Values<'_, S> {
    type Error = Unencodable;

    fn byte(&mut self, value: &u8) -> Result<(), Unencodable> {
        self.sink.put(&[*value]);
        Ok(())
    }

    fn two(&mut self, value: &u16) -> Result<(), Unencodable> {
        self.sink.put(&value.to_be_bytes());
        Ok(())
    }

    fn four(&mut self, value: &u32) -> Result<(), Unencodable> {
        self.sink.put(&value.to_be_bytes());
        Ok(())
    }

    fn variable(&mut self, value: &u32) -> Result<(), Unencodable> {
        if *value as usize > super::LARGEST_BODY {
            let text = format!(
                "{} {value} is larger than {}",
                self.name,
                super::LARGEST_BODY
            );
            return Err(Unencodable::new(text));
        }
        self.sink.put_variable(*value);
        Ok(())
    }

    fn text(&mut self, value: &str) -> Result<(), Unencodable> {
        self.sink.put_binary(self.name, value.as_bytes())
    }

    fn binary(&mut self, value: &[u8]) -> Result<(), Unencodable> {
        self.sink.put_binary(self.name, value)
    }
}
