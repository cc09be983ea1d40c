//! How many bridges and routers a message has crossed: each adds its name to a list that travels with it.

use bytestring::ByteString;

use crate::error::{Error, Kind, Result, brief};
use crate::message::{AmqpValue, Detail, Message};

/// The user property, and with `x-` before it the header, that lists the bridges a message has crossed.
const HOPS: &str = "iotctl-hops";

/// The same as a header.
const HOPS_HEADER: &str = "x-iotctl-hops";

/// Whether a user property or a header lists bridges.
pub(super) fn is_list(name: &ByteString) -> bool {
    *name == HOPS || *name == HOPS_HEADER
}

/// No message crosses more.
const MOST_HOPS: usize = 16;

/// Whether a message has crossed the bridge with this name.
///
/// # Errors
/// [`Kind::Refused`]: it has crossed too many; `name` is its topic.
pub(crate) fn check(message: &Message, name: &str, own: &str) -> Result<bool> {
    let (hops, crossed) = hops(message, own);
    if !crossed && hops >= MOST_HOPS {
        return Err(too_many(name));
    }
    Ok(crossed)
}

/// The same for who may be crossed several times.
///
/// # Errors
/// [`Kind::Refused`]: it has crossed too many.
pub(crate) fn check_count(message: &Message, name: &str) -> Result<()> {
    match hops(message, "").0 < MOST_HOPS {
        true => Ok(()),
        false => Err(too_many(name)),
    }
}

fn too_many(name: &str) -> Error {
    let text = format!("{} has crossed {MOST_HOPS} bridges", brief(name));
    Error::new(Kind::Refused, text)
}

/// How many bridges a message has crossed, and whether this was one of them.
fn hops(message: &Message, own: &str) -> (usize, bool) {
    let count = |names: &mut dyn Iterator<Item = bool>| {
        names.fold((0, false), |(count, crossed), is_own| {
            (count + 1, crossed || is_own)
        })
    };
    match &message.detail {
        Detail::Mqtt(mqtt) => {
            let properties = mqtt.properties.iter();
            let pairs = properties.flat_map(|properties| &properties.user_properties);
            let hops = pairs.filter(|(name, _)| is_list(name));
            count(&mut hops.map(|(_, value)| *value == own))
        }
        Detail::Amqp(amqp) => {
            let headers = amqp.properties.headers.iter();
            let values = headers.filter(|(name, _)| is_list(name));
            count(
                &mut values
                    .flat_map(|(_, value)| names(value))
                    .map(|it| it == own),
            )
        }
        Detail::Plain | Detail::Coap(_) => (0, false),
    }
}

fn names(value: &AmqpValue) -> Vec<String> {
    match value {
        AmqpValue::List(values) => values.iter().map(ToString::to_string).collect(),
        one => vec![one.to_string()],
    }
}

/// Adds a name to the list; of what no server gets there is none.
pub(crate) fn add(message: &mut Message, name: &ByteString) {
    match &mut message.detail {
        Detail::Mqtt(mqtt) => {
            let properties = mqtt.properties.get_or_insert_default();
            properties.topic_alias = None;
            let hop = (ByteString::from_static(HOPS), name.clone());
            // Room for others would be as large as all else.
            properties.user_properties.reserve_exact(1);
            properties.user_properties.push(hop);
        }
        Detail::Amqp(amqp) => {
            let headers = &mut amqp.properties.headers;
            let name = AmqpValue::Text(name.clone());
            let known = headers.iter_mut().find(|(known, _)| is_list(known));
            match known {
                Some((_, AmqpValue::List(values))) => values.push(name),
                Some((_, first)) => *first = AmqpValue::List(vec![first.clone(), name]),
                None => headers.push((HOPS_HEADER.into(), name)),
            }
        }
        Detail::Plain | Detail::Coap(_) => {}
    }
}
