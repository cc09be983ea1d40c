//! Reading SUBSCRIBE (MQTT 5.0 §3.8) and UNSUBSCRIBE (§3.10).

use bytestring::ByteString;

use super::Malformed;
use super::body::Body;
use super::properties::properties;
use crate::mqtt::packet::{
    Place, QoS, ReasonCode, RetainHandling, Subscribe, Subscription, Unsubscribe, Version,
};
use crate::mqtt::topic;

/// The most filters taken in one packet. A short one takes 4 bytes on the wire and ten times that in memory.
const MOST_FILTERS: usize = 100_000;

pub(super) fn subscribe(body: &mut Body, version: Version) -> Result<Subscribe, Malformed> {
    let packet_id = body.packet_id()?;
    let properties = properties(body, version, Place::Subscribe)?;
    let subscriptions = list(body, |body| subscription(body, version))?;
    Ok(Subscribe {
        packet_id,
        subscriptions,
        properties,
    })
}

pub(super) fn unsubscribe(body: &mut Body, version: Version) -> Result<Unsubscribe, Malformed> {
    let packet_id = body.packet_id()?;
    let properties = properties(body, version, Place::Unsubscribe)?;
    let filters = list(body, |body| filter(body, version))?;
    Ok(Unsubscribe {
        packet_id,
        filters,
        properties,
    })
}

/// What fills the rest of a packet: at least one of it (MQTT 5.0 §3.8.3, §3.10.3).
fn list<T>(
    body: &mut Body,
    item: impl Fn(&mut Body) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    if body.is_empty() {
        return Err(Malformed::protocol(format!(
            "{} without a filter",
            body.packet()
        )));
    }
    let mut items = Vec::new();
    while !body.is_empty() {
        if items.len() == MOST_FILTERS {
            let text = format!("{} with more than {MOST_FILTERS} filters", body.packet());
            return Err(Malformed::new(ReasonCode::QUOTA_EXCEEDED, text));
        }
        items.push(item(body)?);
    }
    Ok(items)
}

fn filter(body: &mut Body, version: Version) -> Result<ByteString, Malformed> {
    let filter = body.text("filter")?;
    let checked = if version == Version::V5 {
        topic::check_filter(&filter)
    } else {
        topic::check_plain_filter(&filter)
    };
    let refuse = |error| {
        Malformed::new(
            ReasonCode::TOPIC_FILTER_INVALID,
            format!("{}: {error}", body.packet()),
        )
    };
    checked.map_err(refuse)?;
    Ok(filter)
}

fn subscription(body: &mut Body, version: Version) -> Result<Subscription, Malformed> {
    let filter = filter(body, version)?;
    let options = body.byte("subscription options")?;
    let reserved = if version == Version::V5 { 0xc0 } else { 0xfc };
    if options & reserved != 0 {
        return Err(Malformed::syntax(format!(
            "SUBSCRIBE with reserved option bits 0x{options:02x}"
        )));
    }
    let Some(qos) = QoS::from_level(options & 0x3) else {
        return Err(Malformed::protocol("SUBSCRIBE with QoS 3"));
    };
    let retain_handling = match options >> 4 {
        0 => RetainHandling::Always,
        1 => RetainHandling::New,
        2 => RetainHandling::Never,
        _ => return Err(Malformed::protocol("SUBSCRIBE with retain handling 3")),
    };
    let (no_local, retain_as_published) = (options & 0x4 != 0, options & 0x8 != 0);
    if no_local && topic::shared(&filter).is_some() {
        return Err(Malformed::protocol(
            "SUBSCRIBE with no-local on a shared subscription",
        ));
    }
    Ok(Subscription {
        filter,
        qos,
        no_local,
        retain_as_published,
        retain_handling,
    })
}
