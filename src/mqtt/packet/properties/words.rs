//! Properties as a user writes them: parsed from words, and checked before anything is sent.

use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};

use crate::error::{brief, counted};

use super::{Place, Properties, Property, PropertyId, Source, Target};

/// The largest variable byte integer (MQTT 5.0 §1.5.5).
const LARGEST_VARIABLE: u32 = 268_435_455;

impl Property {
    /// The property called `name` (`content-type`, `user-property`, …) with its values as words.
    ///
    /// Numbers are decimal. `user-property` takes a name and a value. `correlation-data` and
    /// `authentication-data` take text, `hex:…` or `b64:…`.
    ///
    /// # Errors
    /// One line: an unknown name, too few or too many values, or a value out of range.
    ///
    /// ```
    /// # use iotctl::mqtt::packet::Property;
    /// let property = Property::from_words("message-expiry-interval", &["60".into()]);
    /// assert_eq!(property, Ok(Property::MessageExpiryInterval(60)));
    /// ```
    pub fn from_words(name: &str, values: &[String]) -> Result<Self, String> {
        let id = PropertyId::from_name(name).ok_or_else(|| format!("unknown property {name:?}"))?;
        let (wanted, takes) = match id {
            PropertyId::UserProperty => (2, "a name and a value"),
            _ => (1, "one value"),
        };
        if values.len() != wanted {
            let given = values.len();
            return Err(format!("property {name} takes {takes}, not {given}"));
        }
        let mut words = Words {
            name: id.name(),
            rest: values.iter(),
        };
        let property = Self::take(id, &mut words)?;
        property
            .check()
            .map_err(|(_, text)| format!("property {text}"))?;
        property.give(&mut Limits(id.name()))?;
        Ok(property)
    }
}

impl Properties {
    /// Whether a packet with these properties may be sent: each is allowed there, not repeated
    /// against the rules, and of a value and a length that the protocol can carry.
    ///
    /// # Errors
    /// One line that names the first property that is wrong.
    pub fn check(&self, place: Place) -> Result<(), String> {
        let mut seen = 0_u64;
        for property in self {
            let id = property.id();
            let (name, bit) = (id.name(), 1 << id as u8);
            if !id.allowed_in(place) {
                return Err(format!(
                    "property {name} is not allowed in {}",
                    place.name()
                ));
            }
            if seen & bit != 0 && !id.repeats_in(place) {
                return Err(format!("property {name} is given twice"));
            }
            seen |= bit;
            property
                .check()
                .map_err(|(_, text)| format!("property {text}"))?;
            property.give(&mut Limits(name))?;
        }
        Ok(())
    }
}

/// Its name and its value, as people should read it. Binary data may be a secret, and is only measured.
impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id().name())?;
        self.give(&mut Shown(f))
    }
}

struct Shown<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Target for Shown<'_, '_> {
    type Error = fmt::Error;

    fn byte(&mut self, value: &u8) -> fmt::Result {
        write!(self.0, " {value}")
    }

    fn two(&mut self, value: &u16) -> fmt::Result {
        write!(self.0, " {value}")
    }

    fn four(&mut self, value: &u32) -> fmt::Result {
        write!(self.0, " {value}")
    }

    fn variable(&mut self, value: &u32) -> fmt::Result {
        write!(self.0, " {value}")
    }

    fn text(&mut self, value: &str) -> fmt::Result {
        write!(self.0, " {:?}", brief(value).to_string())
    }

    fn binary(&mut self, value: &[u8]) -> fmt::Result {
        write!(self.0, " {}", counted(value.len() as u64, "byte"))
    }
}

impl PropertyId {
    /// The largest number that the field of such a property can hold; `None` where it holds text or bytes.
    pub fn largest(self) -> Option<u32> {
        let mut fields = Fields(None);
        // Never fails.
        let _ = Property::take(self, &mut fields);
        fields.0
    }
}

/// Gives empty values, and notes the largest number that was asked for.
struct Fields(Option<u32>);

impl Source for Fields {
    type Error = std::convert::Infallible;

    fn byte(&mut self) -> Result<u8, Self::Error> {
        self.0 = Some(u8::MAX.into());
        Ok(0)
    }

    fn two(&mut self) -> Result<u16, Self::Error> {
        self.0 = Some(u16::MAX.into());
        Ok(0)
    }

    fn four(&mut self) -> Result<u32, Self::Error> {
        self.0 = Some(u32::MAX);
        Ok(0)
    }

    fn variable(&mut self) -> Result<u32, Self::Error> {
        self.0 = Some(LARGEST_VARIABLE);
        Ok(0)
    }

    fn text(&mut self) -> Result<ByteString, Self::Error> {
        Ok(ByteString::new())
    }

    fn binary(&mut self) -> Result<Bytes, Self::Error> {
        Ok(Bytes::new())
    }
}

/// Reads values from the words of a command line.
struct Words<'a> {
    name: &'static str,
    rest: std::slice::Iter<'a, String>,
}

impl Words<'_> {
    fn word(&mut self) -> Result<&str, String> {
        let word = self.rest.next().map(String::as_str);
        word.ok_or_else(|| format!("property {} needs a value", self.name))
    }

    /// A number from 0 to `largest`.
    fn number(&mut self, largest: u32) -> Result<u32, String> {
        let name = self.name;
        let word = self.word()?;
        let number = word.parse().ok().filter(|number| *number <= largest);
        number.ok_or_else(|| {
            format!("property {name} takes a number from 0 to {largest}, not {word:?}")
        })
    }
}

impl Source for Words<'_> {
    type Error = String;

    fn byte(&mut self) -> Result<u8, String> {
        // `number` has made sure that the value fits.
        self.number(1).map(|number| number as u8)
    }

    fn two(&mut self) -> Result<u16, String> {
        // `number` has made sure that the value fits.
        self.number(u16::MAX.into()).map(|number| number as u16)
    }

    fn four(&mut self) -> Result<u32, String> {
        self.number(u32::MAX)
    }

    fn variable(&mut self) -> Result<u32, String> {
        self.number(LARGEST_VARIABLE)
    }

    fn text(&mut self) -> Result<ByteString, String> {
        self.word().map(ByteString::from)
    }

    fn binary(&mut self) -> Result<Bytes, String> {
        let name = self.name;
        let word = self.word()?;
        let (decoded, base) = if let Some(digits) = word.strip_prefix("hex:") {
            (HEXLOWER_PERMISSIVE.decode(digits.as_bytes()), "hexadecimal")
        } else if let Some(digits) = word.strip_prefix("b64:") {
            (BASE64.decode(digits.as_bytes()), "base64")
        } else {
            return Ok(Bytes::copy_from_slice(word.as_bytes()));
        };
        let bytes = decoded.map_err(|error| format!("property {name} is not {base}: {error}"))?;
        Ok(bytes.into())
    }
}

/// Checks what a packet can carry of a value; holds the property's name.
struct Limits(&'static str);

impl Limits {
    fn length(&self, length: usize) -> Result<(), String> {
        if length > usize::from(u16::MAX) {
            return Err(format!(
                "property {} is longer than 65535 bytes ({length})",
                self.0
            ));
        }
        Ok(())
    }
}

impl Target for Limits {
    type Error = String;

    fn byte(&mut self, _: &u8) -> Result<(), String> {
        Ok(())
    }

    fn two(&mut self, _: &u16) -> Result<(), String> {
        Ok(())
    }

    fn four(&mut self, _: &u32) -> Result<(), String> {
        Ok(())
    }

    fn variable(&mut self, value: &u32) -> Result<(), String> {
        if *value > LARGEST_VARIABLE {
            return Err(format!(
                "property {} is {value}, more than {LARGEST_VARIABLE}",
                self.0
            ));
        }
        Ok(())
    }

    fn text(&mut self, value: &str) -> Result<(), String> {
        self.length(value.len())?;
        if value.contains('\0') {
            return Err(format!("property {} contains a NUL character", self.0));
        }
        Ok(())
    }

    fn binary(&mut self, value: &[u8]) -> Result<(), String> {
        self.length(value.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, values: &[&str]) -> Result<Property, String> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        Property::from_words(name, &values)
    }

    #[test]
    fn words_become_properties() {
        let data = |bytes| Property::CorrelationData(Bytes::from_static(bytes));
        let table: &[(&str, &[&str], Property)] = &[
            (
                "content-type",
                &["text/plain"],
                Property::ContentType("text/plain".into()),
            ),
            (
                "user-property",
                &["k", ""],
                Property::UserProperty("k".into(), "".into()),
            ),
            (
                "receive-maximum",
                &["65535"],
                Property::ReceiveMaximum(65_535),
            ),
            (
                "session-expiry-interval",
                &["4294967295"],
                Property::SessionExpiryInterval(u32::MAX),
            ),
            (
                "subscription-identifier",
                &["268435455"],
                Property::SubscriptionIdentifier(LARGEST_VARIABLE),
            ),
            (
                "payload-format-indicator",
                &["1"],
                Property::PayloadFormatIndicator(1),
            ),
            ("correlation-data", &["plain"], data(b"plain")),
            ("correlation-data", &["hex:00fF"], data(b"\x00\xff")),
            ("correlation-data", &["b64:AP8="], data(b"\x00\xff")),
        ];
        for (name, values, property) in table {
            assert_eq!(parse(name, values).as_ref(), Ok(property));
        }
    }

    #[test]
    fn words_that_make_no_property_are_refused_by_name() {
        let long = "x".repeat(70_000);
        let table: &[(&str, &[&str], &str)] = &[
            ("colour", &["red"], r#"unknown property "colour""#),
            (
                "content-type",
                &[],
                "property content-type takes one value, not 0",
            ),
            (
                "content-type",
                &["a", "b"],
                "property content-type takes one value, not 2",
            ),
            (
                "content-type",
                &[&long],
                "property content-type is longer than 65535 bytes (70000)",
            ),
            (
                "user-property",
                &["a"],
                "property user-property takes a name and a value, not 1",
            ),
            (
                "user-property",
                &["a", "b", "c"],
                "property user-property takes a name and a value, not 3",
            ),
            ("receive-maximum", &["0"], "property receive-maximum is 0"),
            (
                "receive-maximum",
                &["65536"],
                r#"property receive-maximum takes a number from 0 to 65535, not "65536""#,
            ),
            (
                "maximum-qos",
                &["2"],
                r#"property maximum-qos takes a number from 0 to 1, not "2""#,
            ),
            (
                "topic-alias",
                &["-1"],
                r#"property topic-alias takes a number from 0 to 65535, not "-1""#,
            ),
            ("topic-alias", &["0"], "property topic-alias is 0"),
            (
                "subscription-identifier",
                &["0"],
                "property subscription-identifier is 0",
            ),
            (
                "response-topic",
                &["a/#"],
                r##"property response-topic: topic "a/#" contains the wildcard #"##,
            ),
            (
                "correlation-data",
                &["hex:0"],
                "property correlation-data is not hexadecimal: invalid length at 0",
            ),
            (
                "correlation-data",
                &["b64:!"],
                "property correlation-data is not base64: invalid length at 0",
            ),
        ];
        for (name, values, text) in table {
            assert_eq!(parse(name, values).unwrap_err(), *text);
        }
    }

    #[test]
    fn a_list_is_checked_for_its_packet() {
        let check =
            |list: &[Property], place| list.iter().cloned().collect::<Properties>().check(place);
        let alias = Property::TopicAlias(1);
        let user = Property::UserProperty("a".into(), "b".into());
        let identifier = Property::SubscriptionIdentifier(1);
        assert_eq!(
            check(&[alias.clone(), user.clone(), user], Place::Publish),
            Ok(())
        );
        assert_eq!(
            check(&[identifier.clone(), identifier.clone()], Place::Publish),
            Ok(())
        );
        let table = [
            (
                vec![alias.clone()],
                Place::Will,
                "property topic-alias is not allowed in will",
            ),
            (
                vec![alias.clone(), alias],
                Place::Publish,
                "property topic-alias is given twice",
            ),
            (
                vec![identifier.clone(), identifier],
                Place::Subscribe,
                "property subscription-identifier is given twice",
            ),
            (
                vec![Property::ReasonString("a\0".into())],
                Place::Disconnect,
                "property reason-string contains a NUL character",
            ),
        ];
        for (list, place, text) in table {
            assert_eq!(check(&list, place), Err(text.to_owned()));
        }
    }
}
