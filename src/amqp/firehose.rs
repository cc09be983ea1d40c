//! RabbitMQ's firehose: copies of every message, wrapped in headers that say what it was.
//!
//! <https://www.rabbitmq.com/docs/firehose>

use bytestring::ByteString;

use crate::message::{AmqpDetail, AmqpProperties, AmqpValue, Detail, Message};

/// The exchange where the copies appear, once tracing was turned on.
pub(crate) const EXCHANGE: &str = "amq.rabbitmq.trace";

/// The header in which the record of a copy says how it was seen: `publish.EXCHANGE` or `deliver.QUEUE`.
pub(crate) const SEEN: &str = "x-firehose";

/// The message of which `copy` is one: its exchange, its first routing key, its properties. What is no copy stays as it is.
pub(crate) fn original(copy: Message) -> Message {
    let Detail::Amqp(detail) = &copy.detail else {
        return copy;
    };
    let headers = &detail.properties.headers;
    let find = |name: &str| headers.iter().find(|(known, _)| known == name);
    let (Some((_, AmqpValue::Text(exchange))), Some((_, AmqpValue::List(keys)))) =
        (find("exchange_name"), find("routing_keys"))
    else {
        return copy;
    };
    let mut properties = match find("properties") {
        Some((_, AmqpValue::Table(pairs))) => properties(pairs),
        _ => AmqpProperties::default(),
    };
    let seen = (SEEN.into(), AmqpValue::Text(copy.topic.clone()));
    properties.headers.push(seen);
    let redelivered = matches!(
        find("redelivered"),
        Some((
            _,
            AmqpValue::Int(1) | AmqpValue::Int32(1) | AmqpValue::Bool(true)
        ))
    );
    let detail = AmqpDetail {
        exchange: exchange.clone(),
        redelivered,
        delivery_tag: detail.delivery_tag,
        properties,
    };
    Message {
        topic: keys.iter().find_map(text).unwrap_or_default(),
        detail: Detail::Amqp(Box::new(detail)),
        ..copy
    }
}

fn text(value: &AmqpValue) -> Option<ByteString> {
    match value {
        AmqpValue::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// The basic properties as the firehose writes them, by their names in the specification.
fn properties(pairs: &[(ByteString, AmqpValue)]) -> AmqpProperties {
    let mut all = AmqpProperties::default();
    for (name, value) in pairs {
        let word = text(value);
        let number = match value {
            AmqpValue::Int(number) => u64::try_from(*number).ok(),
            AmqpValue::Int32(number) => u64::try_from(*number).ok(),
            AmqpValue::Timestamp(seconds) => Some(*seconds),
            _ => None,
        };
        let small = number.and_then(|number| u8::try_from(number).ok());
        match &**name {
            "content_type" => all.content_type = word,
            "content_encoding" => all.content_encoding = word,
            "delivery_mode" => all.delivery_mode = small,
            "priority" => all.priority = small,
            "correlation_id" => all.correlation_id = word,
            "reply_to" => all.reply_to = word,
            "expiration" => all.expiration = word,
            "message_id" => all.message_id = word,
            "timestamp" => all.timestamp = number,
            "type" => all.kind = word,
            "user_id" => all.user_id = word,
            "app_id" => all.app_id = word,
            "cluster_id" => all.cluster_id = word,
            "headers" => {
                if let AmqpValue::Table(headers) = value {
                    all.headers.clone_from(headers);
                }
            }
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use bytes::Bytes;

    use super::*;

    fn message(topic: &str, headers: Vec<(ByteString, AmqpValue)>) -> Message {
        let properties = AmqpProperties {
            headers,
            ..AmqpProperties::default()
        };
        Message {
            time: SystemTime::UNIX_EPOCH,
            topic: topic.into(),
            payload: Bytes::from_static(b"x"),
            detail: Detail::Amqp(Box::new(AmqpDetail {
                exchange: EXCHANGE.into(),
                redelivered: false,
                delivery_tag: 3,
                properties,
            })),
        }
    }

    #[test]
    fn a_copy_is_shown_as_what_it_copies() {
        let word = |word: &str| AmqpValue::Text(word.into());
        let inner = vec![
            ("content_type".into(), word("text/plain")),
            ("delivery_mode".into(), AmqpValue::Int(2)),
            (
                "headers".into(),
                AmqpValue::Table(vec![("a".into(), AmqpValue::Int(1))]),
            ),
        ];
        let copy = message(
            "deliver.tasks",
            vec![
                ("exchange_name".into(), word("logs")),
                (
                    "routing_keys".into(),
                    AmqpValue::List(vec![word("web.error")]),
                ),
                ("properties".into(), AmqpValue::Table(inner)),
                ("redelivered".into(), AmqpValue::Int(1)),
            ],
        );
        let seen = original(copy);
        assert_eq!(seen.topic, "web.error");
        let Detail::Amqp(detail) = seen.detail else {
            panic!("it was AMQP")
        };
        assert_eq!(
            (&*detail.exchange, detail.redelivered, detail.delivery_tag),
            ("logs", true, 3)
        );
        assert_eq!(
            detail.properties.content_type.as_deref(),
            Some("text/plain")
        );
        assert_eq!(detail.properties.delivery_mode, Some(2));
        let headers = [
            ("a".into(), AmqpValue::Int(1)),
            (SEEN.into(), word("deliver.tasks")),
        ];
        assert_eq!(detail.properties.headers, headers);
    }

    #[test]
    fn what_is_no_copy_stays_as_it_is() {
        let other = message("a.b", vec![("exchange_name".into(), AmqpValue::Int(1))]);
        assert_eq!(original(other.clone()), other);
    }
}
