//! The stamp in a User Property of MQTT 5, where the body is not ours to write to.

use bytestring::ByteString;
use data_encoding::BASE64;
use memchr::memmem;

use super::super::stamp::{LENGTH, Stamp};
use crate::mqtt::packet::Property;

/// The name of the property.
const NAME: &str = "iotctl";
/// A stamp in base64, which has no padding: 24 bytes are 32 letters.
pub(super) const LETTERS: usize = LENGTH / 3 * 4;
/// How the property begins on the wire (MQTT 5.0 §3.3.2.3.7): identifier, name, length of the value.
const BEGINS: &[u8] = b"\x26\0\x06iotctl\0\x20";

/// The property, with a value to be overwritten.
pub(super) fn place() -> Property {
    let value = "A".repeat(LETTERS);
    Property::UserProperty(ByteString::from_static(NAME), value.into())
}

/// Overwrites the value.
pub(super) fn write(stamp: &Stamp, value: &mut [u8]) {
    let mut bytes = [0; LENGTH];
    stamp.write(&mut bytes);
    BASE64.encode_mut(&bytes, value);
}

/// The stamp among the properties of a message, as it would stand at the head of a body.
pub(super) fn read(properties: &[u8]) -> Option<[u8; LENGTH]> {
    let at = memmem::find(properties, BEGINS)? + BEGINS.len();
    let value = properties.get(at..at + LETTERS)?;
    let mut bytes = [0; LENGTH];
    BASE64.decode_mut(value, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_found_among_other_properties() {
        let stamp = Stamp {
            measured: true,
            due: 1_795_000_000_000_000_000,
            sequence: 7,
            sender: 3,
            run: 9,
        };
        let mut properties = vec![0x0B, 5];
        properties.extend(BEGINS);
        let at = properties.len();
        properties.extend([b'A'; LETTERS]);
        properties.extend(b"\x01\x01");
        write(&stamp, &mut properties[at..at + LETTERS]);
        let bytes = read(&properties).unwrap();
        assert_eq!(Stamp::read(&bytes, stamp.due), Some(stamp));
        assert_eq!(read(&properties[..at + 3]), None);
        properties[at] = b'*';
        assert_eq!(read(&properties), None);
        assert_eq!(read(b""), None);
    }
}
