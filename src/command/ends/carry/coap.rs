//! Messages of CoAP as those of the other protocols, and back.

use bytestring::ByteString;

use super::{Losses, correlation, is_own, lost_of_amqp, path, seconds, topic_of};
use crate::coap::{format, option};
use crate::command::coap::record::{UNCONFIRMED, is_unconfirmed, lasting, max_age, passed_on};
use crate::command::ends::hops;
use crate::message::{
    AmqpProperties, AmqpValue, CoapDetail, Detail, Message, MqttDetail, MqttProperties,
};

/// What only CoAP has, beside what belongs to one exchange.
pub(super) fn check_losses(coap: &CoapDetail, losses: &mut Losses) {
    let mut options = coap.options.iter();
    losses.add_if(
        "the query of a path",
        options.any(|it| it.number == option::URI_QUERY),
    );
    losses.add_if(
        "a content format that has no media type",
        coap.content_format.is_some() && content_type(coap).is_none(),
    );
}

fn content_type(coap: &CoapDetail) -> Option<ByteString> {
    let recorded = || coap.content_format.and_then(format::media_type);
    let media_type = coap.media_type.or_else(recorded);
    media_type.map(ByteString::from_static)
}

pub(super) fn as_mqtt(coap: &CoapDetail) -> MqttDetail {
    let hops = hops::unnamed(coap);
    let properties = MqttProperties {
        content_type: content_type(coap),
        message_expiry_interval: max_age(coap),
        user_properties: hops.map(|name| (hops::HOPS.into(), name)).collect(),
        ..MqttProperties::default()
    };
    MqttDetail {
        qos: u8::from(!is_unconfirmed(coap)),
        properties: (properties != MqttProperties::default()).then(|| Box::new(properties)),
        ..MqttDetail::default()
    }
}

pub(super) fn as_amqp(coap: &CoapDetail) -> AmqpProperties {
    let milliseconds = max_age(coap).map(|seconds| u64::from(seconds) * 1000);
    let hops: Vec<AmqpValue> = hops::unnamed(coap).map(AmqpValue::Text).collect();
    let headers = match hops.is_empty() {
        true => Vec::new(),
        false => vec![(hops::HOPS_HEADER.into(), AmqpValue::List(hops))],
    };
    AmqpProperties {
        content_type: content_type(coap),
        delivery_mode: Some(1 + u8::from(!is_unconfirmed(coap))),
        expiration: milliseconds.map(|it| it.to_string().into()),
        headers,
        ..AmqpProperties::default()
    }
}

/// The message as CoAP sends it.
pub(super) fn carry(message: &mut Message, losses: &mut Losses) {
    let (topic, media_type, lifetime, is_confirmed) = match &message.detail {
        Detail::Mqtt(mqtt) => {
            let properties = mqtt.properties.as_deref();
            if let Some(it) = properties {
                let mut names = it.user_properties.iter().map(|(name, _)| name);
                losses.add_if("user properties", !names.all(is_own));
                losses.add_if("a response topic", it.response_topic.is_some());
                losses.add_if("correlation data", it.correlation_data.is_some());
            }
            let media_type = properties.and_then(|it| it.content_type.clone());
            let lifetime = properties.and_then(|it| it.message_expiry_interval);
            (message.topic.clone(), media_type, lifetime, mqtt.qos > 0)
        }
        Detail::Amqp(amqp) => {
            let properties = &amqp.properties;
            let mut names = properties.headers.iter().map(|(name, _)| name);
            losses.add_if("headers", !names.all(is_own));
            losses.add_if("a reply-to", properties.reply_to.is_some());
            losses.add_if("a correlation id", correlation(properties).is_some());
            lost_of_amqp(properties, losses);
            let lifetime = properties.expiration.as_deref().and_then(seconds);
            losses.add_if(
                "an expiration that is no number",
                properties.expiration.is_some() && lifetime.is_none(),
            );
            let media_type = properties.content_type.clone();
            // As MQTT has it: what is not to be kept is sent once.
            let is_kept = properties.delivery_mode == Some(2);
            (topic_of(message), media_type, lifetime, is_kept)
        }
        Detail::Plain | Detail::Coap(_) => (message.topic.clone(), None, None, true),
    };
    let content_format = media_type.as_deref().and_then(format::number);
    if media_type.is_some() && content_format.is_none() {
        losses.add("a content type that CoAP has no number for");
    }
    message.topic = path(&topic).into();
    let hop_limit = hops::limit_of(&message.detail).map(passed_on);
    message.detail = Detail::Coap(Box::new(CoapDetail {
        kind: (!is_confirmed).then_some(UNCONFIRMED),
        content_format,
        options: lifetime.map(lasting).into_iter().chain(hop_limit).collect(),
        ..CoapDetail::default()
    }));
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::super::{carry, has_expired};
    use super::*;
    use crate::connect::Protocol;
    use crate::message::AmqpDetail;

    fn carried(detail: Detail, protocol: Protocol) -> Detail {
        let message = Message {
            topic: "a".into(),
            detail,
            ..Message::default()
        };
        let mut losses = Losses::default();
        let carried = carry(message, protocol, None, SystemTime::now(), &mut losses);
        assert_eq!(losses.fresh(), [""; 0]);
        carried.detail
    }

    fn mqtt(qos: u8, expiry: Option<u32>) -> Detail {
        let properties = expiry.map(|_| {
            Box::new(MqttProperties {
                message_expiry_interval: expiry,
                ..MqttProperties::default()
            })
        });
        Detail::Mqtt(MqttDetail {
            qos,
            properties,
            ..MqttDetail::default()
        })
    }

    fn amqp(delivery_mode: u8, expiration: Option<&'static str>) -> Detail {
        Detail::Amqp(Box::new(AmqpDetail {
            exchange: "amq.topic".into(),
            properties: AmqpProperties {
                delivery_mode: Some(delivery_mode),
                expiration: expiration.map(ByteString::from_static),
                ..AmqpProperties::default()
            },
            ..AmqpDetail::default()
        }))
    }

    #[test]
    fn how_long_it_lasts_and_whether_it_is_confirmed_survive_the_way_there_and_back() {
        for (detail, protocol, kind, seconds) in [
            (mqtt(0, None), Protocol::Mqtt, Some("NON"), None),
            (mqtt(1, Some(30)), Protocol::Mqtt, None, Some(30)),
            (amqp(1, Some("7000")), Protocol::Amqp, Some("NON"), Some(7)),
            (amqp(2, None), Protocol::Amqp, None, None),
        ] {
            let there = carried(detail.clone(), Protocol::Coap);
            let Detail::Coap(coap) = &there else {
                panic!("not CoAP")
            };
            assert_eq!((coap.kind, max_age(coap)), (kind, seconds));
            assert_eq!(carried(there, protocol), detail);
        }
        // Half a second is no reason to live for ever.
        let Detail::Coap(coap) = carried(amqp(2, Some("500")), Protocol::Coap) else {
            panic!("not CoAP")
        };
        assert_eq!(max_age(&coap), Some(1));
    }

    #[test]
    fn a_notification_is_confirmed_as_the_server_likes_and_lasts() {
        let sent = |code: &'static str| {
            Detail::Coap(Box::new(CoapDetail {
                code: ByteString::from_static(code),
                kind: Some(UNCONFIRMED),
                options: vec![lasting(10)],
                ..CoapDetail::default()
            }))
        };
        assert_eq!(carried(sent("0.03"), Protocol::Mqtt), mqtt(0, Some(10)));
        assert_eq!(carried(sent("2.05"), Protocol::Mqtt), mqtt(1, Some(10)));
        let time = SystemTime::now();
        let later = time + std::time::Duration::from_secs(10);
        for (code, expires) in [("0.03", true), ("2.05", false)] {
            let mut message = Message {
                time,
                detail: sent(code),
                ..Message::default()
            };
            assert_eq!(has_expired(&message, later), expires, "{code}");
            message.detail = carry(
                message.clone(),
                Protocol::Mqtt,
                None,
                later,
                &mut Losses::default(),
            )
            .detail;
            let Detail::Mqtt(mqtt) = &message.detail else {
                panic!("not MQTT")
            };
            let properties = mqtt.properties.as_deref().unwrap();
            assert_eq!(properties.message_expiry_interval, Some(1));
        }
    }
}
