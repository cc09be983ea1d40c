//! The wire format of protobuf: numbered fields, one after the other.

/// How deep messages and groups may nest.
pub(crate) const DEEPEST: usize = 64;

/// As many fields a body may have in all: each takes memory of its own.
pub(crate) const MOST_FIELDS: usize = 200_000;

/// As long the text may become that is made of a body whose names are known from another.
pub(crate) const LONGEST_TEXT: usize = 64 << 20;

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProtobuf {
    /// They end within a field.
    #[error("truncated field")]
    Short,
    /// A number of more than 64 bits.
    #[error("invalid number at byte {0}")]
    Number(usize),
    /// No field begins like this.
    #[error("invalid field at byte {0}")]
    Tag(usize),
    /// Deeper than 64 levels.
    #[error("nested deeper than {DEEPEST} levels")]
    Deep,
    /// It would be too long as text.
    #[error("more than {LONGEST_TEXT} bytes as text")]
    Long,
    /// Too many fields.
    #[error("more than {MOST_FIELDS} fields")]
    Many,
}

/// The value of a field as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    /// A string, bytes, a message or packed numbers.
    Bytes(&'a [u8]),
    /// The fields of a group.
    Group(&'a [u8]),
}

impl<'a> Wire<'a> {
    /// The whole number of a varint.
    pub(crate) const fn number(self) -> Option<u64> {
        match self {
            Self::Varint(number) => Some(number),
            _ => None,
        }
    }

    /// What has a length.
    pub(crate) const fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A string.
    pub(crate) fn text(self) -> Option<&'a str> {
        str::from_utf8(self.bytes()?).ok()
    }
}

/// The fields of a message, in the order in which they stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    pub(crate) const fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Whether nothing is left.
    pub(crate) const fn is_done(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// A base-128 number, as packed fields have them one after the other.
    pub(crate) fn varint(&mut self) -> Result<u64, BadProtobuf> {
        let start = self.at;
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(BadProtobuf::Number(start))
    }

    /// So many bytes, of a fixed number.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], BadProtobuf> {
        let rest = &self.bytes[self.at..];
        let bytes = rest.first_chunk().ok_or(BadProtobuf::Short)?;
        self.at += N;
        Ok(*bytes)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], BadProtobuf> {
        let rest = &self.bytes[self.at..];
        let length = usize::try_from(length).map_err(|_| BadProtobuf::Short)?;
        let taken = rest.get(..length).ok_or(BadProtobuf::Short)?;
        self.at += length;
        Ok(taken)
    }

    /// The number and the kind of the field that begins here.
    fn tag(&mut self) -> Result<(u32, u64), BadProtobuf> {
        let start = self.at;
        let tag = self.varint()?;
        match u32::try_from(tag) {
            Ok(narrow) if narrow >= 8 => Ok((narrow >> 3, tag & 7)),
            _ => Err(BadProtobuf::Tag(start)),
        }
    }

    /// The value of a field of this kind; `None` for the end of a group.
    fn value(
        &mut self,
        number: u32,
        kind: u64,
        depth: usize,
    ) -> Result<Option<Wire<'a>>, BadProtobuf> {
        Ok(Some(match kind {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = self.varint()?;
                Wire::Bytes(self.take(length)?)
            }
            3 => Wire::Group(self.group(number, depth + 1)?),
            4 => return Ok(None),
            5 => Wire::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(BadProtobuf::Tag(self.at)),
        }))
    }

    /// What stands before the end of a group.
    fn group(&mut self, number: u32, depth: usize) -> Result<&'a [u8], BadProtobuf> {
        if depth > DEEPEST {
            return Err(BadProtobuf::Deep);
        }
        let start = self.at;
        loop {
            let end = self.at;
            let (other, kind) = self.tag()?;
            match self.value(other, kind, depth)? {
                Some(_) => {}
                None if other == number => return Ok(&self.bytes[start..end]),
                None => return Err(BadProtobuf::Tag(end)),
            }
        }
    }

    fn field(&mut self) -> Result<(u32, Wire<'a>), BadProtobuf> {
        let start = self.at;
        let (number, kind) = self.tag()?;
        let value = self.value(number, kind, 0)?;
        value
            .map(|value| (number, value))
            .ok_or(BadProtobuf::Tag(start))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Wire<'a>), BadProtobuf>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            // Nothing can be read after it.
            self.at = self.bytes.len();
        }
        Some(field)
    }
}
