//! How many bridges and routers a message has crossed: each adds its name to a list that travels with it. In CoAP only their number
//! does, as what is left of Hop-Limit (RFC 8768).

use bytestring::ByteString;

use crate::command::coap::record::{hop_limit, is_response, passed_on};
use crate::error::{Cause, Error, Kind, Result, brief};
use crate::message::{AmqpValue, CoapDetail, Detail, Message};

/// The user property, and with `x-` before it the header, that lists the bridges a message has crossed.
pub(super) const HOPS: &str = "iotctl-hops";

/// The same as a header.
pub(super) const HOPS_HEADER: &str = "x-iotctl-hops";

/// Whether a user property or a header lists bridges.
pub(super) fn is_list(name: &ByteString) -> bool {
    *name == HOPS || *name == HOPS_HEADER
}

/// No message crosses more. It is also the Hop-Limit that a message begins with (RFC 8768 §3).
const MOST_HOPS: usize = 16;

/// What those are called in a list whose names CoAP did not carry.
const UNNAMED: &str = "coap";

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
    Error::new(Kind::Refused, text).because(Cause::HopLimit)
}

/// How many bridges a message of CoAP has crossed: whoever passes it on takes one off its Hop-Limit, and does so no more where nothing
/// would be left. A notification has none, as it answers a request that nobody passed on.
fn crossed(coap: &CoapDetail) -> usize {
    let limit = hop_limit(coap).filter(|_| !is_response(coap));
    limit.map_or(0, |limit| (MOST_HOPS + 1).saturating_sub(limit.into()))
}

/// As many names as a message of CoAP has crossed bridges, for the list of another protocol.
pub(super) fn unnamed(coap: &CoapDetail) -> impl Iterator<Item = ByteString> {
    std::iter::repeat_n(ByteString::from_static(UNNAMED), crossed(coap))
}

/// The Hop-Limit with which a message comes over CoAP that has crossed bridges; `None`: none.
pub(super) fn limit_of(detail: &Detail) -> Option<u8> {
    let (count, _) = count(detail, "");
    let left = (MOST_HOPS + 1).saturating_sub(count);
    // At most 17.
    (count > 0).then_some(left as u8)
}

/// How many bridges a message has crossed, and whether this was one of them.
fn hops(message: &Message, own: &str) -> (usize, bool) {
    count(&message.detail, own)
}

fn count(detail: &Detail, own: &str) -> (usize, bool) {
    let count = |names: &mut dyn Iterator<Item = bool>| {
        names.fold((0, false), |(count, crossed), is_own| {
            (count + 1, crossed || is_own)
        })
    };
    match detail {
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
        Detail::Coap(coap) => (crossed(coap), false),
        Detail::Plain => (0, false),
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
        Detail::Coap(coap) => {
            let left = hop_limit(coap).map_or(MOST_HOPS as u8, |limit| limit.saturating_sub(1));
            let option = passed_on(left);
            coap.options.retain(|it| it.number != option.number);
            coap.options.push(option);
        }
        Detail::Plain => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::MqttDetail;

    fn coap(limit: Option<u8>, code: &'static str) -> Message {
        Message {
            detail: Detail::Coap(Box::new(CoapDetail {
                code: code.into(),
                options: limit.map(passed_on).into_iter().collect(),
                ..CoapDetail::default()
            })),
            ..Message::default()
        }
    }

    #[test]
    fn the_hop_limit_of_coap_counts_bridges() {
        let crossed = |limit, code| hops(&coap(limit, code), "").0;
        assert_eq!(crossed(None, "0.03"), 0);
        assert_eq!(crossed(Some(255), "0.03"), 0);
        assert_eq!(crossed(Some(16), "0.03"), 1);
        assert_eq!(crossed(Some(2), "0.03"), 15);
        assert_eq!(crossed(Some(2), "2.05"), 0);
        assert!(check_count(&coap(Some(2), "0.03"), "a").is_ok());
        let refused = check_count(&coap(Some(1), "0.03"), "a").unwrap_err();
        assert_eq!(refused.cause(), Some(Cause::HopLimit));
    }

    #[test]
    fn each_bridge_takes_one_off_the_hop_limit() {
        let after = |limit| {
            let mut message = coap(limit, "0.03");
            add(&mut message, &"b".into());
            let Detail::Coap(coap) = &message.detail else {
                panic!("not CoAP")
            };
            assert_eq!(coap.options.len(), 1);
            hop_limit(coap)
        };
        assert_eq!(after(None), Some(16));
        assert_eq!(after(Some(16)), Some(15));
        assert_eq!(after(Some(255)), Some(254));
        let mut mqtt = Message {
            detail: Detail::Mqtt(MqttDetail::default()),
            ..Message::default()
        };
        assert_eq!(limit_of(&mqtt.detail), None);
        for name in ["a", "b", "c"] {
            add(&mut mqtt, &name.into());
        }
        // One less is left once whoever puts it has taken off its own.
        assert_eq!(limit_of(&mqtt.detail), Some(14));
    }
}
