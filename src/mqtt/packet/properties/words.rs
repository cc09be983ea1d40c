//! Properties as a user writes them: parsed from words, and checked before anything is sent.

use bytes::Bytes;
use bytestring::ByteString;
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};

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
        let id =
            PropertyId::from_name(name).ok_or_else(|| format!("no property is called {name:?}"))?;
        let wanted = if id == PropertyId::UserProperty { 2 } else { 1 };
        if values.len() != wanted {
            return Err(match wanted {
                1 => format!("property {name} takes one value, not {}", values.len()),
                _ => format!(
                    "property {name} takes a name and a value, not {} words",
                    values.len()
                ),
            });
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

/// Reads values from the words of a command line.
struct Words<'a> {
    name: &'static str,
    rest: std::slice::Iter<'a, String>,
}

impl Words<'_> {
    fn word(&mut self) -> Result<&str, String> {
        let word = self.rest.next().map(String::as_str);
        word.ok_or_else(|| format!("property {} lacks a value", self.name))
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
