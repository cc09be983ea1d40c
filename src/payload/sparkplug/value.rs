//! The values of Sparkplug B by their data types (§6.4.16).

use std::fmt;

use data_encoding::BASE64;

use super::{Latest, push_time};
use crate::payload::json_text::{push_float, push_string};
use crate::payload::protobuf::{BadProtobuf, Fields, Wire};

/// The names of the data types, by their numbers.
const NAMES: [&str; 35] = [
    "Unknown",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "Float",
    "Double",
    "Boolean",
    "String",
    "DateTime",
    "Text",
    "UUID",
    "DataSet",
    "Bytes",
    "File",
    "Template",
    "PropertySet",
    "PropertySetList",
    "Int8Array",
    "Int16Array",
    "Int32Array",
    "Int64Array",
    "UInt8Array",
    "UInt16Array",
    "UInt32Array",
    "UInt64Array",
    "FloatArray",
    "DoubleArray",
    "BooleanArray",
    "StringArray",
    "DateTimeArray",
];

/// A data type, which shows as its name in JSON, or its number where it has none.
pub(super) struct DataType(pub(super) u32);

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.get(self.0 as usize) {
            Some(name) => write!(f, "\"{name}\""),
            None => write!(f, "{}", self.0),
        }
    }
}

/// The places of what is more than a value, counted as those of a metric are.
pub(super) const DATA_SET: usize = 17;
pub(super) const TEMPLATE: usize = 18;
pub(super) const PROPERTIES: usize = 100;
pub(super) const PROPERTY_LIST: usize = 101;

/// Where the values of a message stand: at which number, and as which of a metric's.
pub(super) struct Base(&'static [(usize, usize)]);

impl Base {
    pub(super) const METRIC: Self = Self(&[
        (10, 10),
        (11, 11),
        (12, 12),
        (13, 13),
        (14, 14),
        (15, 15),
        (16, 16),
        (17, DATA_SET),
        (18, TEMPLATE),
    ]);
    pub(super) const PROPERTY: Self = Self(&[
        (3, 10),
        (4, 11),
        (5, 12),
        (6, 13),
        (7, 14),
        (8, 15),
        (9, PROPERTIES),
        (10, PROPERTY_LIST),
    ]);
    pub(super) const ELEMENT: Self = Self(&[(1, 10), (2, 11), (3, 12), (4, 13), (5, 14), (6, 15)]);
    pub(super) const PARAMETER: Self =
        Self(&[(3, 10), (4, 11), (5, 12), (6, 13), (7, 14), (8, 15)]);

    /// The value that is there, and its place among a metric's.
    pub(super) fn find<'a>(&self, fields: &Latest<'a>) -> Option<(usize, Wire<'a>)> {
        let mut places = self.0.iter();
        places.find_map(|(number, place)| Some((*place, fields.get(*number)?)))
    }
}

/// Appends a value that stands at this place.
pub(super) fn push_value(place: usize, wire: Wire<'_>, datatype: Option<u32>, into: &mut String) {
    match (place, wire) {
        (14, Wire::Varint(value)) => into.push_str(if value == 0 { "false" } else { "true" }),
        (_, Wire::Varint(value)) => push_whole(value, datatype, into),
        (_, Wire::Fixed32(bits)) => push_float(f32::from_bits(bits), into),
        (_, Wire::Fixed64(bits)) => push_float(f64::from_bits(bits), into),
        (15, Wire::Bytes(bytes)) if str::from_utf8(bytes).is_ok() => {
            push_string(&String::from_utf8_lossy(bytes), into);
        }
        (_, Wire::Bytes(bytes) | Wire::Group(bytes)) => match array(bytes, datatype) {
            Some(text) => into.push_str(&text),
            None => push_bytes(bytes, into),
        },
    }
}

/// Whole numbers stand there as if they had no sign, some in 32 bits and some in 64.
fn push_whole(value: u64, datatype: Option<u32>, into: &mut String) {
    match datatype {
        Some(1) => into.push_str(&(value as i8).to_string()),
        Some(2) => into.push_str(&(value as i16).to_string()),
        Some(3) => into.push_str(&(value as i32).to_string()),
        Some(4) => into.push_str(&value.cast_signed().to_string()),
        Some(13) => push_time(value, into),
        _ => into.push_str(&value.to_string()),
    }
}

/// Appends bytes in base64.
pub(super) fn push_bytes(bytes: &[u8], into: &mut String) {
    push_string(&BASE64.encode(bytes), into);
}

/// An array, which is packed into bytes, the lowest first; `None` for what is none.
fn array(bytes: &[u8], datatype: Option<u32>) -> Option<String> {
    let datatype = datatype?;
    let items: Vec<String> = match datatype {
        22 | 26 => whole::<1>(bytes, datatype, 22)?,
        23 | 27 => whole::<2>(bytes, datatype, 23)?,
        24 | 28 => whole::<4>(bytes, datatype, 24)?,
        25 | 29 | 34 => whole::<8>(bytes, datatype, 25)?,
        30 => chunks::<4>(bytes)?
            .map(|it| float(f32::from_le_bytes(it)))
            .collect(),
        31 => chunks::<8>(bytes)?
            .map(|it| float(f64::from_le_bytes(it)))
            .collect(),
        32 => booleans(bytes)?,
        33 => strings(bytes)?,
        _ => return None,
    };
    Some(format!("[{}]", items.join(",")))
}

fn chunks<const N: usize>(bytes: &[u8]) -> Option<impl Iterator<Item = [u8; N]> + '_> {
    let (chunks, rest) = bytes.as_chunks();
    rest.is_empty().then(|| chunks.iter().copied())
}

/// Whole numbers of `N` bytes; those of the type `signed` have a sign.
fn whole<const N: usize>(bytes: &[u8], datatype: u32, signed: u32) -> Option<Vec<String>> {
    let unused = 64 - 8 * N;
    let number = |chunk: [u8; N]| {
        let value = chunk
            .iter()
            .rev()
            .fold(0, |value: u64, byte| value << 8 | u64::from(*byte));
        let mut text = String::new();
        match datatype {
            34 => push_time(value, &mut text),
            _ if datatype == signed => text = (value.cast_signed() << unused >> unused).to_string(),
            _ => text = value.to_string(),
        }
        text
    };
    Some(chunks(bytes)?.map(number).collect())
}

fn float(value: impl Copy + fmt::Debug + Into<f64>) -> String {
    let mut text = String::new();
    push_float(value, &mut text);
    text
}

/// Their number in four bytes, then eight a byte, the highest bit first.
fn booleans(bytes: &[u8]) -> Option<Vec<String>> {
    let (count, bits) = bytes.split_first_chunk()?;
    let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
    if bits.len() != count.div_ceil(8) {
        return None;
    }
    let bit = |at: usize| bits[at / 8] >> (7 - at % 8) & 1 == 1;
    Some((0..count).map(|at| bit(at).to_string()).collect())
}

/// Each ends with a NUL.
fn strings(bytes: &[u8]) -> Option<Vec<String>> {
    let Some(texts) = bytes.strip_suffix(&[0]) else {
        return bytes.is_empty().then(Vec::new);
    };
    let quoted = |text: &[u8]| {
        let mut into = String::new();
        push_string(str::from_utf8(text).ok()?, &mut into);
        Some(into)
    };
    texts.split(|byte| *byte == 0).map(quoted).collect()
}

/// The types of a data set's columns, packed or not.
pub(super) fn data_types(bytes: &[u8]) -> Result<Vec<u32>, BadProtobuf> {
    let mut types = Vec::new();
    for field in Fields::of(bytes) {
        match field? {
            (3, Wire::Varint(one)) => types.push(one as u32),
            (3, Wire::Bytes(packed)) => {
                let mut rest = Fields::of(packed);
                while !rest.is_done() {
                    types.push(rest.varint()? as u32);
                }
            }
            _ => {}
        }
    }
    Ok(types)
}
