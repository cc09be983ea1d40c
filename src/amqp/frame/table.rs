//! Field tables (AMQP 0-9-1 §4.2.5.5, with RabbitMQ's corrections), as deep as is sound.

use bytes::Bytes;
use bytestring::ByteString;

use super::{Buffer, Fields, Refusal, cut_short, put_long, put_short};
use crate::message::{AmqpValue, name};

/// Tables and arrays deeper than this are shown as the bytes that they are: whoever shows, copies or drops a value does
/// so by recursion.
const DEEPEST: usize = 64;

/// Names and values.
type Pairs = Vec<(ByteString, AmqpValue)>;

/// Reads what is in a table, without its length; sorted by name.
///
/// # Errors
/// 502: what is no table.
pub(in crate::amqp) fn read(table: &[u8]) -> Result<Pairs, Refusal> {
    pairs(table, 1)
}

fn pairs(table: &[u8], depth: usize) -> Result<Pairs, Refusal> {
    let mut fields = Fields(table);
    let mut pairs = Pairs::new();
    while !fields.0.is_empty() {
        let name = name::of_bytes(fields.bytes()?);
        pairs.push((name, value(&mut fields, depth)?));
    }
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(pairs)
}

fn value(fields: &mut Fields<'_>, depth: usize) -> Result<AmqpValue, Refusal> {
    let deeper = |bytes: &[u8], read: &dyn Fn(&[u8]) -> Result<AmqpValue, Refusal>| match depth {
        DEEPEST.. => Ok(AmqpValue::Bytes(Bytes::copy_from_slice(bytes))),
        _ => read(bytes),
    };
    Ok(match fields.octet()? {
        b't' => AmqpValue::Bool(fields.octet()? != 0),
        b'b' => AmqpValue::Int((fields.octet()? as i8).into()),
        b'B' => AmqpValue::Int(fields.octet()?.into()),
        b's' | b'U' => AmqpValue::Int((fields.short()? as i16).into()),
        b'u' => AmqpValue::Int(fields.short()?.into()),
        b'I' => AmqpValue::Int32(fields.long()? as i32),
        b'i' => AmqpValue::Int(fields.long()?.into()),
        b'l' | b'L' => AmqpValue::Int(fields.long_long()? as i64),
        b'f' => AmqpValue::Double(f32::from_bits(fields.long()?).into()),
        b'd' => AmqpValue::Double(f64::from_bits(fields.long_long()?)),
        b'D' => AmqpValue::Decimal {
            scale: fields.octet()?,
            digits: fields.long()?,
        },
        b'S' => text(fields.long_bytes()?),
        b'x' => AmqpValue::Bytes(Bytes::copy_from_slice(fields.long_bytes()?)),
        b'T' => AmqpValue::Timestamp(fields.long_long()?),
        b'A' => deeper(fields.long_bytes()?, &|bytes| list(bytes, depth + 1))?,
        b'F' => deeper(fields.long_bytes()?, &|bytes| {
            pairs(bytes, depth + 1).map(AmqpValue::Table)
        })?,
        b'V' => AmqpValue::Void,
        _ => return Err(cut_short()),
    })
}

fn list(bytes: &[u8], depth: usize) -> Result<AmqpValue, Refusal> {
    let mut fields = Fields(bytes);
    let mut items = Vec::new();
    while !fields.0.is_empty() {
        items.push(value(&mut fields, depth)?);
    }
    Ok(AmqpValue::List(items))
}

fn text(bytes: &[u8]) -> AmqpValue {
    match str::from_utf8(bytes) {
        Ok(text) => AmqpValue::Text(text.into()),
        Err(_) => AmqpValue::Bytes(Bytes::copy_from_slice(bytes)),
    }
}

/// Appends a table with its length. Names are of at most 255 bytes; longer ones were refused before.
pub(in crate::amqp) fn put(pairs: &[(ByteString, AmqpValue)], out: &mut impl Buffer) {
    sized(out, |out| {
        for (name, value) in pairs {
            put_short(name::to_bytes(name), out);
            put_value(value, out);
        }
    });
}

fn sized<B: Buffer>(out: &mut B, content: impl FnOnce(&mut B)) {
    out.put_u32(0);
    let start = out.len();
    content(out);
    // A table is in a frame, which is far smaller than 4 GiB.
    let size = (out.len() - start) as u32;
    out[start - 4..start].copy_from_slice(&size.to_be_bytes());
}

fn put_value(value: &AmqpValue, out: &mut impl Buffer) {
    match value {
        AmqpValue::Bool(value) => out.put_slice(&[b't', (*value).into()]),
        AmqpValue::Int(value) => {
            out.put_u8(b'l');
            out.put_i64(*value);
        }
        AmqpValue::Int32(value) => {
            out.put_u8(b'I');
            out.put_i32(*value);
        }
        AmqpValue::Double(value) => {
            out.put_u8(b'd');
            out.put_f64(*value);
        }
        AmqpValue::Decimal { digits, scale } => {
            out.put_slice(&[b'D', *scale]);
            out.put_u32(*digits);
        }
        AmqpValue::Text(text) => {
            out.put_u8(b'S');
            put_long(text.as_bytes(), out);
        }
        AmqpValue::Bytes(bytes) => {
            out.put_u8(b'x');
            put_long(bytes, out);
        }
        AmqpValue::Timestamp(seconds) => {
            out.put_u8(b'T');
            out.put_u64(*seconds);
        }
        AmqpValue::List(items) => {
            out.put_u8(b'A');
            sized(out, |out| {
                items.iter().for_each(|item| put_value(item, out))
            });
        }
        AmqpValue::Table(pairs) => {
            out.put_u8(b'F');
            put(pairs, out);
        }
        AmqpValue::Void => out.put_u8(b'V'),
    }
}

/// Refuses a table with a name that no short string holds.
///
/// # Errors
/// [`crate::error::Kind::Usage`].
pub(in crate::amqp) fn check(pairs: &[(ByteString, AmqpValue)]) -> crate::error::Result<()> {
    pairs.iter().try_for_each(|(name, value)| {
        super::properties::check_short("name of a header or argument", name::to_bytes(name))?;
        check_value(value)
    })
}

fn check_value(value: &AmqpValue) -> crate::error::Result<()> {
    match value {
        AmqpValue::List(items) => items.iter().try_for_each(check_value),
        AmqpValue::Table(pairs) => check(pairs),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pairs: &[(ByteString, AmqpValue)]) -> Vec<u8> {
        let mut out = Vec::new();
        put(pairs, &mut out);
        out.split_off(4)
    }

    /// A table in a table, and so on, each named `n`.
    fn nested(levels: usize) -> Vec<u8> {
        let mut table = Vec::new();
        for _ in 0..levels {
            let mut outer = vec![1, b'n', b'F'];
            put_long(&table, &mut outer);
            table = outer;
        }
        table
    }

    fn depth(pairs: &[(ByteString, AmqpValue)]) -> (usize, usize) {
        match pairs {
            [(_, AmqpValue::Table(pairs))] => {
                let (depth, rest) = depth(pairs);
                (depth + 1, rest)
            }
            [(_, AmqpValue::Bytes(bytes))] => (1, bytes.len()),
            _ => (0, 0),
        }
    }

    #[test]
    fn what_is_too_deep_is_shown_as_the_bytes_that_it_is() {
        assert_eq!(depth(&read(&nested(64)).unwrap()).0, 64);
        for levels in [65, 3_000, 20_000] {
            let (deepest, rest) = depth(&read(&nested(levels)).unwrap());
            assert_eq!((deepest, rest), (64, nested(levels - 64).len()));
        }
    }

    #[test]
    fn all_types_are_read_and_most_are_written_as_they_were() {
        let pairs: Pairs = vec![
            ("a".into(), AmqpValue::Bool(true)),
            ("b".into(), AmqpValue::Int(-5)),
            ("c".into(), AmqpValue::Double(0.5)),
            (
                "d".into(),
                AmqpValue::Decimal {
                    digits: 1234,
                    scale: 2,
                },
            ),
            ("e".into(), AmqpValue::Text("ü".into())),
            ("f".into(), AmqpValue::Bytes(Bytes::from_static(b"\xff"))),
            ("g".into(), AmqpValue::Timestamp(7)),
            (
                "h".into(),
                AmqpValue::List(vec![AmqpValue::Void, AmqpValue::Int(1)]),
            ),
            (
                "i".into(),
                AmqpValue::Table(vec![("x".into(), AmqpValue::Void)]),
            ),
        ];
        assert_eq!(read(&written(&pairs)).unwrap(), pairs);
        for (wire, value) in [
            (&b"b\xff"[..], AmqpValue::Int(-1)),
            (b"B\xff", AmqpValue::Int(255)),
            (b"s\xff\xff", AmqpValue::Int(-1)),
            (b"u\xff\xff", AmqpValue::Int(65535)),
            (b"I\xff\xff\xff\xff", AmqpValue::Int32(-1)),
            (b"i\xff\xff\xff\xff", AmqpValue::Int(4_294_967_295)),
            (b"f\x3f\0\0\0", AmqpValue::Double(0.5)),
            (
                b"S\0\0\0\x01\xe9",
                AmqpValue::Bytes(Bytes::from_static(b"\xe9")),
            ),
        ] {
            let table = [b"\x01n", wire].concat();
            assert_eq!(read(&table).unwrap(), [("n".into(), value)]);
        }
        let small = written(&[("n".into(), AmqpValue::Int32(3))]);
        assert_eq!(small, b"\x01nI\0\0\0\x03");
    }

    #[test]
    fn names_of_any_bytes_and_repeated_ones_are_written_as_they_were() {
        let table = b"\x01aV\x01at\x01\x04caf\xe9V";
        let pairs = read(table).unwrap();
        assert_eq!(pairs.len(), 3);
        assert_eq!(written(&pairs), table);
        assert!(check(&[(name::of_bytes(&[0xff; 255]), AmqpValue::Void)]).is_ok());
        assert!(check(&[(name::of_bytes(&[0xff; 256]), AmqpValue::Void)]).is_err());
    }

    #[test]
    fn names_come_sorted_and_nonsense_is_refused() {
        let pairs = read(b"\x01bV\x01aV").unwrap();
        assert_eq!(pairs[0].0, "a");
        for wrong in [&b"\x01"[..], b"\x01n", b"\x01nZ", b"\x01nS\0\0\0\x09x"] {
            assert_eq!(read(wrong), Err(cut_short()), "{wrong:?}");
        }
    }
}
