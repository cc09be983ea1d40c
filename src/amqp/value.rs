//! Headers and arguments as people write them: `NAME=VALUE`, or `NAME:TYPE=VALUE` where the type matters.

use std::str::FromStr;

use bytes::Bytes;
use bytestring::ByteString;
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};

use crate::message::AmqpValue;
use crate::payload::amqp_value;

/// The types that can be named between the colon and the equals sign.
const TYPES: &str = "string, int, int32, bool, double, decimal, time, hex, base64, json, null";

/// One header or argument, typed.
///
/// Without a type `true` and `false` are booleans, whole numbers integers, everything else text. A colon in a
/// name must be followed by a type: `a:b:string=x`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// 1–255 bytes.
    pub name: ByteString,
    /// What it is set to.
    pub value: AmqpValue,
}

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("{text:?} is not NAME=VALUE or NAME:TYPE=VALUE"))?;
        let (name, value) = match name.rsplit_once(':') {
            Some((name, kind)) => (name, typed(kind, value)?),
            None => (name, guessed(value)),
        };
        if name.is_empty() || name.len() > 255 {
            return Err(format!("{name:?} is not a name, which has 1 to 255 bytes"));
        }
        Ok(Self {
            name: name.into(),
            value,
        })
    }
}

impl From<Pair> for (ByteString, AmqpValue) {
    fn from(pair: Pair) -> Self {
        (pair.name, pair.value)
    }
}

fn guessed(text: &str) -> AmqpValue {
    match text {
        "true" => AmqpValue::Bool(true),
        "false" => AmqpValue::Bool(false),
        _ => text
            .parse()
            .map_or_else(|_| AmqpValue::Text(text.into()), AmqpValue::Int),
    }
}

fn typed(kind: &str, text: &str) -> Result<AmqpValue, String> {
    let wrong = || format!("{text:?} is not of the type {kind}");
    Ok(match kind {
        "string" => AmqpValue::Text(text.into()),
        "int" => AmqpValue::Int(text.parse().map_err(|_| wrong())?),
        "int32" => AmqpValue::Int32(text.parse().map_err(|_| wrong())?),
        "bool" => AmqpValue::Bool(text.parse().map_err(|_| wrong())?),
        "double" => AmqpValue::Double(double(text).ok_or_else(wrong)?),
        "decimal" => decimal(text).ok_or_else(wrong)?,
        "time" => AmqpValue::Timestamp(text.parse().map_err(|_| wrong())?),
        "hex" => AmqpValue::Bytes(decoded(&HEXLOWER_PERMISSIVE, text).ok_or_else(wrong)?),
        "base64" => AmqpValue::Bytes(decoded(&BASE64, text).ok_or_else(wrong)?),
        "json" => amqp_value(serde_json::from_str(text).map_err(|_| wrong())?)?,
        "null" if text.is_empty() => AmqpValue::Void,
        "null" => return Err(wrong()),
        _ => return Err(format!("{kind:?} is not a type; the types are {TYPES}")),
    })
}

fn decoded(encoding: &data_encoding::Encoding, text: &str) -> Option<Bytes> {
    encoding.decode(text.as_bytes()).ok().map(Bytes::from)
}

/// Infinity is what is spelled so, and no number that is too large.
fn double(text: &str) -> Option<f64> {
    let spelled = !text.contains(|letter: char| letter.is_ascii_digit());
    let number: f64 = text.parse().ok()?;
    (number.is_finite() || spelled).then_some(number)
}

fn decimal(text: &str) -> Option<AmqpValue> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = [whole, decimals].concat();
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    Some(AmqpValue::Decimal {
        digits: digits.parse().ok().filter(|_| all_digits)?,
        scale: u8::try_from(decimals.len()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> AmqpValue {
        text.parse::<Pair>().unwrap().value
    }

    #[test]
    fn untyped_values_are_what_they_look_like() {
        assert_eq!(value("x-max-length=10"), AmqpValue::Int(10));
        assert_eq!(value("a=true"), AmqpValue::Bool(true));
        assert_eq!(value("a=quorum"), AmqpValue::Text("quorum".into()));
        assert_eq!(value("a=1.5"), AmqpValue::Text("1.5".into()));
        assert_eq!(value("a="), AmqpValue::Text("".into()));
        assert_eq!(value("a=b=c"), AmqpValue::Text("b=c".into()));
    }

    #[test]
    fn a_named_type_counts() {
        assert_eq!(value("a:string=10"), AmqpValue::Text("10".into()));
        assert_eq!(value("a:int32=-1"), AmqpValue::Int32(-1));
        assert_eq!(value("a:double=1.5"), AmqpValue::Double(1.5));
        assert_eq!(value("a:double=-inf"), AmqpValue::Double(f64::NEG_INFINITY));
        let price = AmqpValue::Decimal {
            digits: 1234,
            scale: 2,
        };
        assert_eq!(value("a:decimal=12.34"), price);
        assert_eq!(
            value("a:hex=ff"),
            AmqpValue::Bytes(Bytes::from_static(b"\xff"))
        );
        assert_eq!(value("a:null="), AmqpValue::Void);
        let list = AmqpValue::List(vec![AmqpValue::Int(1), AmqpValue::Text("b".into())]);
        assert_eq!(value(r#"a:json=[1,"b"]"#), list);
        assert_eq!("a:b:string=x".parse::<Pair>().unwrap().name, "a:b");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, words) in [
            ("a", "\"a\" is not NAME=VALUE or NAME:TYPE=VALUE"),
            ("a:int=x", "\"x\" is not of the type int"),
            ("a:double=1e400", "\"1e400\" is not of the type double"),
            ("a:decimal=-1", "\"-1\" is not of the type decimal"),
            ("=1", "\"\" is not a name, which has 1 to 255 bytes"),
        ] {
            assert_eq!(text.parse::<Pair>().unwrap_err(), words);
        }
        assert!(
            "a:wide=1"
                .parse::<Pair>()
                .unwrap_err()
                .contains("the types are string, int")
        );
        let long = format!("{}=1", "n".repeat(256));
        assert!(long.parse::<Pair>().is_err());
    }
}
