//! Reading properties (MQTT 5.0 §2.2.2).

use bytes::Bytes;
use bytestring::ByteString;

use super::Malformed;
use super::body::Body;
use crate::mqtt::packet::properties::Source;
use crate::mqtt::packet::{Place, Properties, Property, PropertyId, Publish, ReasonCode, Version};

/// The most properties taken in one packet. An empty one takes 5 bytes on the wire and many times that in memory.
/// A message that very many overlapping subscriptions of one client match carries the identifier of each.
const MOST_PROPERTIES: usize = 1 << 17;

/// The properties at this point of a packet; none, and no bytes taken, before MQTT 5.
#[inline(always)]
pub(super) fn properties(
    body: &mut Body,
    version: Version,
    place: Place,
) -> Result<Properties, Malformed> {
    // Mostly there are none.
    if version < Version::V5 || body.takes_zero() {
        return Ok(Properties::default());
    }
    measured(body, place)
}

#[inline(never)]
fn measured(body: &mut Body, place: Place) -> Result<Properties, Malformed> {
    match body.variable("property length")? {
        0 => Ok(Properties::default()),
        length => list(body.part(length as usize, "properties")?, place),
    }
}

fn list(mut body: Body, place: Place) -> Result<Properties, Malformed> {
    let mut properties = Properties::default();
    let mut seen = 0_u64;
    while !body.is_empty() {
        let id = identifier(&mut body, place)?;
        // The largest identifier is 0x2a, so there is a bit for each.
        let bit = 1 << id as u8;
        if seen & bit != 0 && !id.repeats_in(place) {
            return Err(wrong(
                ReasonCode::PROTOCOL_ERROR,
                place,
                &format!("{} appears twice", id.name()),
            ));
        }
        seen |= bit;
        if properties.len() == MOST_PROPERTIES {
            let text = format!("more than {MOST_PROPERTIES} properties");
            return Err(wrong(ReasonCode::QUOTA_EXCEEDED, place, &text));
        }
        let property = Property::take(
            id,
            &mut Values {
                body: &mut body,
                name: id.name(),
            },
        )?;
        let of_sender = matches!(
            property,
            Property::PayloadFormatIndicator(_) | Property::ResponseTopic(_)
        );
        // A server passes those on as they are: who refused them could be cut off by anybody who publishes.
        if place != Place::Publish || !of_sender {
            check(&property, place)?;
        }
        properties.push(property);
    }
    check_authentication(seen, place)?;
    Ok(properties)
}

fn check(property: &Property, place: Place) -> Result<(), Malformed> {
    let checked = property.check();
    checked.map_err(|(reason, text)| wrong(reason, place, &text))
}

impl Publish {
    /// Whether its properties have values that are allowed, those included that a receiver need not judge: payload format
    /// indicator and response topic, by which a server judges the sender (MQTT 5.0 §3.3.2.3.2, §3.3.2.3.5).
    ///
    /// # Errors
    /// With the reason code for the sender.
    pub fn check_values(&self) -> Result<(), Malformed> {
        let mut properties = self.properties.iter();
        properties.try_for_each(|property| check(property, Place::Publish))
    }
}

/// The identifier of the next property: one that is known and may stand there.
fn identifier(body: &mut Body, place: Place) -> Result<PropertyId, Malformed> {
    let number = body.variable("property identifier")?;
    let id = u8::try_from(number).ok().and_then(PropertyId::from_byte);
    let Some(id) = id else {
        return Err(wrong(
            ReasonCode::MALFORMED_PACKET,
            place,
            &format!("unknown property 0x{number:02x}"),
        ));
    };
    if !id.allowed_in(place) {
        let text = format!("{} is not allowed there", id.name());
        return Err(wrong(ReasonCode::MALFORMED_PACKET, place, &text));
    }
    Ok(id)
}

/// Authentication data needs a method (MQTT 5.0 §3.1.2.11.10, §3.15.2.2.3).
fn check_authentication(seen: u64, place: Place) -> Result<(), Malformed> {
    let has = |id: PropertyId| seen & (1 << id as u8) != 0;
    if has(PropertyId::AuthenticationData) && !has(PropertyId::AuthenticationMethod) {
        return Err(wrong(
            ReasonCode::PROTOCOL_ERROR,
            place,
            "authentication-data without authentication-method",
        ));
    }
    Ok(())
}

#[cold]
fn wrong(reason: ReasonCode, place: Place, text: &str) -> Malformed {
    Malformed::new(reason, format!("{}: {text}", place.name()))
}

/// The values of one property, read off the body.
struct Values<'a> {
    body: &'a mut Body,
    name: &'static str,
}

impl Source for Values<'_> {
    type Error = Malformed;

    fn byte(&mut self) -> Result<u8, Malformed> {
        self.body.byte(self.name)
    }

    fn two(&mut self) -> Result<u16, Malformed> {
        self.body.two(self.name)
    }

    fn four(&mut self) -> Result<u32, Malformed> {
        self.body.four(self.name)
    }

    fn variable(&mut self) -> Result<u32, Malformed> {
        self.body.variable(self.name)
    }

    fn text(&mut self) -> Result<ByteString, Malformed> {
        self.body.text(self.name)
    }

    fn binary(&mut self) -> Result<Bytes, Malformed> {
        self.body.binary(self.name)
    }
}
