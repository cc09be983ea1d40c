//! The properties of a message (AMQP 0-9-1 §1.8.1, §4.2.6.1).

use bytes::Bytes;
use bytestring::ByteString;

use super::{Buffer, Fields, Refusal, put_short, table};
use crate::error::{Error, Result};
use crate::message::AmqpProperties;

/// Declares the properties that are text: the bit of the flag, the field, its name in records, and what errors call it.
macro_rules! texts {
    ($($bit:literal $field:ident $name:literal $words:literal;)*) => {
        fn text(of: &AmqpProperties, bit: u16) -> Option<&ByteString> {
            match bit { $($bit => of.$field.as_ref(),)* _ => None }
        }

        fn set(of: &mut AmqpProperties, bit: u16, text: ByteString) {
            match bit { $($bit => of.$field = Some(text),)* _ => {} }
        }

        const fn name(bit: u16) -> &'static str {
            match bit { $($bit => $name,)* _ => "" }
        }

        /// Refuses properties that the wire has no room for.
        ///
        /// # Errors
        /// [`crate::error::Kind::Usage`] for a text over 255 bytes, naming the property.
        pub(in crate::amqp) fn check(of: &AmqpProperties) -> Result<()> {
            $(if let Some(text) = &of.$field {
                check_short($words, text)?;
            })*
            table::check(&of.headers)
        }
    };
}

texts! {
    15 content_type "content_type" "content type";
    14 content_encoding "content_encoding" "content encoding";
    10 correlation_id "correlation_id" "correlation id";
    9 reply_to "reply_to" "reply-to queue";
    8 expiration "expiration" "expiration";
    7 message_id "message_id" "message id";
    5 kind "type" "type";
    4 user_id "user_id" "user id";
    3 app_id "app_id" "app id";
    2 cluster_id "cluster_id" "cluster id";
}

/// The bits of the other flags.
const HEADERS: u16 = 13;
const DELIVERY_MODE: u16 = 12;
const PRIORITY: u16 = 11;
const TIMESTAMP: u16 = 6;

/// Refuses a text that no short string holds (§4.2.5.3).
///
/// # Errors
/// [`crate::error::Kind::Usage`] over 255 bytes, naming `what` it is.
pub(in crate::amqp) fn check_short(what: &str, text: impl AsRef<[u8]>) -> Result<()> {
    match text.as_ref().len() {
        ..=255 => Ok(()),
        length => Err(Error::usage(format!(
            "the {what} has {length} bytes, more than 255"
        ))),
    }
}

/// Reads flags and values. Texts that are not UTF-8 come as bytes.
///
/// # Errors
/// 502: they are cut short, or the headers are no table.
pub(in crate::amqp) fn read(bytes: &[u8]) -> std::result::Result<AmqpProperties, Refusal> {
    let mut fields = Fields(bytes);
    let flags = fields.short()?;
    let mut properties = AmqpProperties::default();
    for bit in (2..16).rev().filter(|bit| flags >> bit & 1 == 1) {
        match bit {
            HEADERS => properties.headers = table::read(fields.long_bytes()?)?,
            DELIVERY_MODE => properties.delivery_mode = Some(fields.octet()?),
            PRIORITY => properties.priority = Some(fields.octet()?),
            TIMESTAMP => properties.timestamp = Some(fields.long_long()?),
            _ => {
                let bytes = fields.bytes()?;
                match str::from_utf8(bytes) {
                    Ok(text) => set(&mut properties, bit, text.into()),
                    Err(_) => properties
                        .not_text
                        .push((name(bit), Bytes::copy_from_slice(bytes))),
                }
            }
        }
    }
    Ok(properties)
}

/// Appends flags and values; [`check`] has found room for them.
pub(in crate::amqp) fn put(properties: &AmqpProperties, out: &mut impl Buffer) {
    let start = out.len();
    out.put_u16(0);
    let mut flags = 0;
    for bit in (2..16).rev() {
        let there = match bit {
            HEADERS => {
                let any = !properties.headers.is_empty();
                if any {
                    table::put(&properties.headers, out);
                }
                any
            }
            DELIVERY_MODE => properties
                .delivery_mode
                .map(|mode| out.put_u8(mode))
                .is_some(),
            PRIORITY => properties.priority.map(|it| out.put_u8(it)).is_some(),
            TIMESTAMP => properties.timestamp.map(|it| out.put_u64(it)).is_some(),
            _ => bytes(properties, bit)
                .map(|text| put_short(text, out))
                .is_some(),
        };
        flags |= u16::from(there) << bit;
    }
    out[start..start + 2].copy_from_slice(&flags.to_be_bytes());
}

fn bytes(properties: &AmqpProperties, bit: u16) -> Option<&[u8]> {
    let text = text(properties, bit).map(|text| &text.as_bytes()[..]);
    text.or_else(|| properties.not_text(name(bit)).map(|bytes| &bytes[..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::message::AmqpValue;

    fn through(properties: &AmqpProperties) -> AmqpProperties {
        let mut wire = Vec::new();
        put(properties, &mut wire);
        read(&wire).unwrap()
    }

    #[test]
    fn properties_survive_the_way_to_the_wire_and_back() {
        let text = |text: &'static str| Some(ByteString::from_static(text));
        let properties = AmqpProperties {
            content_type: text("text/plain"),
            content_encoding: text("gzip"),
            headers: vec![
                ("a".into(), AmqpValue::Int(-1)),
                ("b".into(), AmqpValue::Bytes(Bytes::from_static(b"\xff"))),
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
            not_text: Vec::new(),
        };
        assert_eq!(through(&properties), properties);
        let none = AmqpProperties::default();
        assert_eq!(through(&none), none);
    }

    #[test]
    fn what_is_not_text_comes_as_bytes_and_goes_as_it_came() {
        let wire = b"\x05\0\x02r\xe9\x01\xff";
        let properties = read(wire).unwrap();
        assert_eq!(properties.correlation_id, None);
        assert_eq!(
            &properties.not_text("correlation_id").unwrap()[..],
            b"r\xe9"
        );
        assert_eq!(&properties.not_text("expiration").unwrap()[..], b"\xff");
        let mut again = Vec::new();
        put(&properties, &mut again);
        assert_eq!(again, wire);
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        let wire = b"\xb0\0\x01t\0\0\0\x03\x01nV\x02";
        assert!(read(wire).is_ok());
        for length in 0..wire.len() {
            assert!(read(&wire[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn a_text_over_255_bytes_is_an_error() {
        assert!(check_short("routing key", "k".repeat(255)).is_ok());
        let error = check_short("routing key", "k".repeat(256)).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert_eq!(error.text(), "the routing key has 256 bytes, more than 255");
        let long = AmqpProperties {
            expiration: Some("1".repeat(300).into()),
            ..AmqpProperties::default()
        };
        assert!(check(&long).unwrap_err().text().contains("expiration"));
        let long = AmqpProperties {
            headers: vec![("n".repeat(256).into(), AmqpValue::Void)],
            ..AmqpProperties::default()
        };
        assert!(check(&long).is_err());
    }
}
