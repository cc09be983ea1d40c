//! Between MQTT packets and the records that input and output share.

use std::time::SystemTime;

use crate::message::{Detail, Message, MqttDetail, MqttProperties};
use crate::mqtt::packet::{Properties, Property, Publish, QoS};

/// The record of a message received at `time`.
#[inline]
pub(crate) fn record(publish: Publish, time: SystemTime) -> Message {
    let properties =
        (!publish.properties.is_empty()).then(|| Box::new(from_properties(&publish.properties)));
    Message {
        time,
        topic: publish.topic,
        payload: publish.payload,
        detail: Detail::Mqtt(MqttDetail {
            qos: publish.qos.level(),
            retain: publish.retain,
            duplicate: publish.duplicate,
            packet_id: publish.packet_id,
            properties,
        }),
    }
}

pub(super) fn from_properties(properties: &Properties) -> MqttProperties {
    let mut record = MqttProperties::default();
    for property in properties.iter() {
        match property {
            Property::PayloadFormatIndicator(value) => {
                record.payload_format_indicator = Some(*value);
            }
            Property::MessageExpiryInterval(seconds) => {
                record.message_expiry_interval = Some(*seconds);
            }
            Property::ContentType(text) => record.content_type = Some(text.clone()),
            Property::ResponseTopic(topic) => record.response_topic = Some(topic.clone()),
            Property::CorrelationData(bytes) => record.correlation_data = Some(bytes.clone()),
            Property::TopicAlias(alias) => record.topic_alias = Some(*alias),
            Property::SubscriptionIdentifier(id) => record.subscription_identifiers.push(*id),
            Property::UserProperty(name, value) => {
                let pair = (name.clone(), value.clone());
                record.user_properties.push(pair);
            }
            // None of them belongs to a message (MQTT 5.0 §3.3.2.3).
            _ => {}
        }
    }
    record
}

/// The message to send for a record; what it does not say of itself is in `outline`. What another protocol knows of it is of
/// no concern here.
pub(crate) fn published(message: Message, outline: &Publish) -> Publish {
    let Message {
        topic,
        payload,
        detail,
        ..
    } = message;
    let topic = match topic.is_empty() {
        true => outline.topic.clone(),
        false => topic,
    };
    let Detail::Mqtt(detail) = detail else {
        return Publish {
            topic,
            payload,
            ..outline.clone()
        };
    };
    Publish {
        qos: QoS::from_level(detail.qos).unwrap_or(outline.qos),
        retain: detail.retain,
        topic,
        payload,
        properties: match detail.properties {
            Some(given) => to_properties(*given),
            None => outline.properties.clone(),
        },
        ..Publish::default()
    }
}

/// The properties to send for a record; what belonged to the connection it was received on is left out.
pub(crate) fn to_properties(record: MqttProperties) -> Properties {
    // With room for the alias of the topic.
    let mut list = Properties::with_capacity(record.user_properties.len() + 1);
    if let Some(value) = record.payload_format_indicator {
        list.push(Property::PayloadFormatIndicator(value));
    }
    if let Some(seconds) = record.message_expiry_interval {
        list.push(Property::MessageExpiryInterval(seconds));
    }
    if let Some(text) = record.content_type {
        list.push(Property::ContentType(text));
    }
    if let Some(topic) = record.response_topic {
        list.push(Property::ResponseTopic(topic));
    }
    if let Some(bytes) = record.correlation_data {
        list.push(Property::CorrelationData(bytes));
    }
    for (name, value) in record.user_properties {
        list.push(Property::UserProperty(name, value));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_survive_the_way_through_a_record() {
        let properties: Properties = [
            Property::PayloadFormatIndicator(1),
            Property::MessageExpiryInterval(60),
            Property::ContentType("text/plain".into()),
            Property::ResponseTopic("answers".into()),
            Property::CorrelationData(vec![0, 255].into()),
            Property::UserProperty("k".into(), "v".into()),
            Property::UserProperty("k".into(), "w".into()),
        ]
        .into_iter()
        .collect();
        let publish = Publish {
            properties: properties.clone(),
            ..Publish::default()
        };
        let detail = record(publish, SystemTime::now()).detail;
        let kept = detail.as_mqtt().into_owned().properties.unwrap();
        assert_eq!(to_properties(*kept), properties);
    }
}
