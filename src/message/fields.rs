//! What a message says besides its body, by name: the one list that conditions (`--filter 'qos == 1'`), the environment of
//! commands (`--exec`, `IOTCTL_QOS`) and the help pages share.

use std::fmt;

use crate::error::distance;

use super::{AmqpDetail, CoapDetail, CoapValue, Detail, Message, MqttDetail, MqttProperties};

/// Names in the environment begin with this.
const PREFIX: &str = "IOTCTL_";

/// One detail of a message.
#[derive(Debug)]
pub struct Field {
    /// Lower case, words joined by hyphens: `content-type`.
    pub name: &'static str,
    /// What it is, for the help pages.
    pub meaning: &'static str,
    /// Its value as text; `None`: the message has none.
    value: fn(&Message) -> Option<String>,
}

/// The details of one protocol's messages.
#[derive(Debug)]
pub struct Fields {
    /// `MQTT`, for errors.
    pub protocol: &'static str,
    /// Those with names of their own.
    pub named: &'static [Field],
    /// Those whose names peers choose, found as `property.NAME`: what stands before the point, and what they are.
    pub pairs: (&'static str, &'static str),
    /// Those that a table has, behind time, topic, payload and encoding, unless others are chosen; and what stands there for a
    /// message that has none.
    pub columns: &'static [(&'static str, Option<&'static str>)],
    /// Those of other protocols, whose messages may come beside.
    pub others: &'static [&'static Self],
}

/// `topic` and `time`, for every protocol.
const fn topic(meaning: &'static str) -> Field {
    Field {
        name: "topic",
        meaning,
        value: |message| Some(message.topic.to_string()),
    }
}

const TIME: Field = Field {
    name: "time",
    meaning: "when it was received, as 2026-11-20T21:00:00.123456Z",
    value: |message| Some(humantime::format_rfc3339_micros(message.time).to_string()),
};

/// A field of an MQTT message, whose value is any `Option` of what can be shown.
macro_rules! field {
    ($of:ident, $name:literal, $meaning:literal, $value:expr) => {
        Field {
            name: $name,
            meaning: $meaning,
            value: |message| {
                let value = $value;
                Some(value($of(message)?)?.to_string())
            },
        }
    };
}

/// What MQTT messages say.
pub(crate) const MQTT: Fields = Fields {
    protocol: "MQTT",
    named: &[
        topic("the topic"),
        TIME,
        field!(mqtt, "qos", "0, 1 or 2", |it: &MqttDetail| Some(it.qos)),
        field!(
            mqtt,
            "retain",
            "true: retained by the server",
            |it: &MqttDetail| Some(it.retain)
        ),
        field!(
            mqtt,
            "duplicate",
            "true: it may have been delivered before",
            |it: &MqttDetail| Some(it.duplicate)
        ),
        field!(
            mqtt,
            "packet-id",
            "the packet identifier (QoS 1 and 2)",
            |it: &MqttDetail| Some(it.packet_id).filter(|id| *id != 0)
        ),
        field!(
            properties,
            "payload-format-indicator",
            "1: the payload is UTF-8 text",
            |it: &MqttProperties| it.payload_format_indicator
        ),
        field!(
            properties,
            "message-expiry-interval",
            "remaining lifetime in seconds",
            |it: &MqttProperties| it.message_expiry_interval
        ),
        field!(
            properties,
            "content-type",
            "the content type",
            |it: &MqttProperties| it.content_type.clone()
        ),
        field!(
            properties,
            "response-topic",
            "the response topic",
            |it: &MqttProperties| it.response_topic.clone()
        ),
        field!(
            properties,
            "correlation-data",
            "correlation data for the reply, as text",
            |it: &MqttProperties| {
                let data = it.correlation_data.as_ref()?;
                Some(String::from_utf8_lossy(data).into_owned())
            }
        ),
        field!(
            properties,
            "topic-alias",
            "the alias of the topic",
            |it: &MqttProperties| it.topic_alias
        ),
        field!(
            properties,
            "subscription-identifier",
            "of the matching subscriptions, comma-separated",
            |it: &MqttProperties| {
                let all = &it.subscription_identifiers;
                let all: Vec<_> = all.iter().map(ToString::to_string).collect();
                Some(all.join(",")).filter(|all| !all.is_empty())
            }
        ),
    ],
    pairs: ("property", "the user property of that name"),
    // What no protocol but MQTT has is filled in for messages of others.
    columns: &[("qos", Some("0")), ("retain", Some("false"))],
    others: &[],
};

/// What AMQP messages say.
pub(crate) const AMQP: Fields = Fields {
    protocol: "AMQP",
    named: &[
        topic("the routing key"),
        TIME,
        field!(
            amqp,
            "exchange",
            "the exchange; empty for the default exchange",
            |it: &AmqpDetail| Some(it.exchange.clone())
        ),
        field!(
            amqp,
            "redelivered",
            "true: it was delivered before",
            |it: &AmqpDetail| Some(it.redelivered)
        ),
        field!(
            amqp,
            "delivery-tag",
            "the delivery tag",
            |it: &AmqpDetail| Some(it.delivery_tag).filter(|tag| *tag != 0)
        ),
        field!(
            amqp,
            "content-type",
            "the content type",
            |it: &AmqpDetail| { it.properties.content_type.clone() }
        ),
        field!(
            amqp,
            "content-encoding",
            "the content encoding, such as gzip",
            |it: &AmqpDetail| it.properties.content_encoding.clone()
        ),
        field!(
            amqp,
            "delivery-mode",
            "1: transient, 2: persistent",
            |it: &AmqpDetail| it.properties.delivery_mode
        ),
        field!(amqp, "priority", "0 to 255", |it: &AmqpDetail| {
            it.properties.priority
        }),
        field!(
            amqp,
            "correlation-id",
            "correlation identifier for the reply",
            |it: &AmqpDetail| it.properties.correlation_id.clone()
        ),
        field!(
            amqp,
            "reply-to",
            "the queue for the reply",
            |it: &AmqpDetail| it.properties.reply_to.clone()
        ),
        field!(
            amqp,
            "expiration",
            "the TTL in milliseconds",
            |it: &AmqpDetail| it.properties.expiration.clone()
        ),
        field!(
            amqp,
            "message-id",
            "the message identifier",
            |it: &AmqpDetail| { it.properties.message_id.clone() }
        ),
        field!(
            amqp,
            "timestamp",
            "the publisher's timestamp, in seconds since 1970",
            |it: &AmqpDetail| it.properties.timestamp
        ),
        field!(amqp, "type", "the type of message", |it: &AmqpDetail| {
            it.properties.kind.clone()
        }),
        field!(
            amqp,
            "user-id",
            "the publisher's user name",
            |it: &AmqpDetail| { it.properties.user_id.clone() }
        ),
        field!(
            amqp,
            "app-id",
            "the publishing application",
            |it: &AmqpDetail| { it.properties.app_id.clone() }
        ),
        field!(amqp, "cluster-id", "deprecated", |it: &AmqpDetail| {
            it.properties.cluster_id.clone()
        }),
    ],
    pairs: ("header", "the header of that name"),
    columns: &[("exchange", None), ("redelivered", None)],
    others: &[],
};

/// What CoAP messages say.
pub(crate) const COAP: Fields = Fields {
    protocol: "CoAP",
    named: &[
        topic("the path"),
        TIME,
        field!(coap, "uri", "the URI of the request", |it: &CoapDetail| {
            Some(it.uri.clone())
        }),
        field!(
            coap,
            "code",
            "the response code, such as 2.05",
            |it: &CoapDetail| { Some(it.code.clone()) }
        ),
        field!(coap, "type", "CON, NON or ACK", |it: &CoapDetail| it.kind),
        field!(coap, "message-id", "the message id", |it: &CoapDetail| {
            it.message_id
        }),
        field!(
            coap,
            "token",
            "the token, in hexadecimal digits",
            |it: &CoapDetail| Some(it.token.clone())
        ),
        field!(coap, "peer", "the server's address", |it: &CoapDetail| {
            Some(it.peer)
        }),
        field!(
            coap,
            "content-format",
            "the number of the content format",
            |it: &CoapDetail| it.content_format
        ),
        field!(
            coap,
            "content-type",
            "the media type of the content format",
            |it: &CoapDetail| { it.media_type }
        ),
        field!(
            coap,
            "observe",
            "the sequence number of a notification",
            |it: &CoapDetail| it.observe
        ),
    ],
    pairs: ("option", "the option of that name, such as option.Max-Age"),
    columns: &[("code", None)],
    others: &[],
};

/// What the messages of a recording say, or of a command that speaks all protocols.
pub(crate) const ANY: Fields = Fields {
    others: &[&AMQP, &COAP],
    ..MQTT
};

/// What no protocol carried says.
const PLAIN: Fields = Fields {
    protocol: "plain",
    named: &[topic("the topic"), TIME],
    pairs: ("", ""),
    columns: &[],
    others: &[],
};

/// All there are.
const ALL: [&Fields; 3] = [&MQTT, &AMQP, &COAP];

fn mqtt(message: &Message) -> Option<&MqttDetail> {
    match &message.detail {
        Detail::Mqtt(mqtt) => Some(mqtt),
        Detail::Plain | Detail::Amqp(_) | Detail::Coap(_) => None,
    }
}

fn properties(message: &Message) -> Option<&MqttProperties> {
    mqtt(message)?.properties.as_deref()
}

fn amqp(message: &Message) -> Option<&AmqpDetail> {
    match &message.detail {
        Detail::Amqp(amqp) => Some(amqp),
        Detail::Plain | Detail::Mqtt(_) | Detail::Coap(_) => None,
    }
}

fn coap(message: &Message) -> Option<&CoapDetail> {
    match &message.detail {
        Detail::Coap(coap) => Some(coap),
        Detail::Plain | Detail::Mqtt(_) | Detail::Amqp(_) => None,
    }
}

impl Fields {
    /// Those of this message's protocol.
    pub const fn of(message: &Message) -> &'static Self {
        match message.detail {
            Detail::Plain => &PLAIN,
            Detail::Mqtt(_) => &MQTT,
            Detail::Amqp(_) => &AMQP,
            Detail::Coap(_) => &COAP,
        }
    }

    /// Whether there is such a field.
    pub fn has(&self, name: &str) -> bool {
        let pair = |(prefix, rest): (&str, &str)| prefix == self.pairs.0 && !rest.is_empty();
        let ours = self.named.iter().any(|field| field.name == name)
            || name.split_once('.').is_some_and(pair);
        ours || self.others.iter().any(|other| other.has(name))
    }

    /// All names and what they mean, for the help pages; where there are several protocols, with those that have them.
    pub fn rows(&self) -> Vec<(String, String)> {
        let all: Vec<&Self> = std::iter::once(self)
            .chain(self.others.iter().copied())
            .collect();
        let mut rows: Vec<(String, Vec<(&str, &str)>)> = Vec::new();
        for fields in &all {
            let named = fields.named.iter();
            let named = named.map(|field| (field.name.to_owned(), field.meaning));
            let (prefix, meaning) = fields.pairs;
            for (name, meaning) in named.chain([(format!("{prefix}.NAME"), meaning)]) {
                let meaning = (fields.protocol, meaning);
                match rows.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, meanings)) => meanings.push(meaning),
                    None => rows.push((name, vec![meaning])),
                }
            }
        }
        let rows = rows.into_iter().map(|(name, meanings)| {
            // What all have means much the same.
            if meanings.len() == all.len() {
                return (name, meanings[0].1.to_owned());
            }
            let of = |(protocol, meaning)| format!("{protocol}: {meaning}");
            let told: Vec<String> = meanings.into_iter().map(of).collect();
            (name, told.join("; "))
        });
        rows.collect()
    }

    /// The name that a wrong one was probably meant to be.
    fn near(&self, wrong: &str) -> Option<String> {
        let (stem, rest) = wrong.split_once('.').unwrap_or((wrong, ""));
        if !rest.is_empty() && distance(stem, self.pairs.0) <= 2 {
            return Some(format!("{}.{rest}", self.pairs.0));
        }
        let names = self.named.iter().map(|field| field.name);
        let far = |name: &&str| distance(wrong, name);
        let nearest = names.min_by_key(far)?;
        (far(&nearest) <= 2.max(wrong.len() / 4)).then(|| nearest.to_owned())
    }
}

/// Whether any protocol has a field of this name.
///
/// # Errors
/// As the end of a sentence, the name that was probably meant.
pub(crate) fn known(name: &str) -> Result<(), String> {
    match ALL.iter().any(|fields| fields.has(name)) {
        true => Ok(()),
        false => Err(did_you_mean(
            ALL.iter().find_map(|fields| fields.near(name)),
        )),
    }
}

/// Checks that messages of this protocol have such a field.
///
/// # Errors
/// What is wrong with the name, and the one that was probably meant.
pub(crate) fn check(fields: &Fields, name: &str) -> Result<(), String> {
    if fields.has(name) {
        return Ok(());
    }
    let all = || std::iter::once(fields).chain(fields.others.iter().copied());
    let hint = did_you_mean(all().find_map(|fields| fields.near(name)));
    let protocols: Vec<_> = all().map(|fields| fields.protocol).collect();
    let protocols = protocols.join(", ");
    Err(format!(
        "{name:?} is not a field of {protocols} messages{hint}"
    ))
}

fn did_you_mean(near: Option<String>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

/// The value of a field; of what peers may repeat, the first.
pub(crate) fn value(message: &Message, name: &str) -> Option<String> {
    let fields = Fields::of(message);
    if let Some(field) = fields.named.iter().find(|field| field.name == name) {
        return (field.value)(message);
    }
    let name = name.strip_prefix(fields.pairs.0)?.strip_prefix('.')?;
    let mut all = pairs(message).into_iter();
    all.find_map(|(known, value)| (known == name).then_some(value))
}

/// All that a message has, with the names of conditions; of what peers may repeat, the first.
#[cfg(feature = "jq")]
pub(crate) fn all(message: &Message) -> Vec<(String, String)> {
    let fields = Fields::of(message);
    let named = fields.named.iter();
    let mut all: Vec<_> = named
        .filter_map(|field| Some((field.name.to_owned(), (field.value)(message)?)))
        .collect();
    for (name, value) in pairs(message) {
        let name = format!("{}.{name}", fields.pairs.0);
        if all.iter().all(|(known, _)| *known != name) {
            all.push((name, value));
        }
    }
    all
}

fn pairs(message: &Message) -> Vec<(String, String)> {
    let text = |(name, value): &(bytestring::ByteString, bytestring::ByteString)| {
        (name.to_string(), value.to_string())
    };
    match &message.detail {
        Detail::Plain => Vec::new(),
        Detail::Mqtt(mqtt) => match &mqtt.properties {
            Some(properties) => properties.user_properties.iter().map(text).collect(),
            None => Vec::new(),
        },
        Detail::Amqp(amqp) => {
            let headers = amqp.properties.headers.iter();
            headers
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect()
        }
        Detail::Coap(coap) => {
            let options = coap.options.iter();
            options
                .map(|option| {
                    let name = option
                        .name
                        .map_or_else(|| option.number.to_string(), str::to_owned);
                    (name, option.value.to_string())
                })
                .collect()
        }
    }
}

impl fmt::Display for CoapValue {
    /// Text and numbers as they are, bytes in hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Uint(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::Opaque(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

/// Everything a message says, as variables of an environment: `IOTCTL_CONTENT_TYPE`, `IOTCTL_PROPERTY_X_ID`. Of names that
/// become one, the first counts.
pub(crate) fn variables(message: &Message) -> Vec<(String, String)> {
    let fields = Fields::of(message);
    let named = fields.named.iter();
    let mut all: Vec<_> = named
        .filter_map(|field| Some((variable(field.name), (field.value)(message)?)))
        .collect();
    let mut seen = std::collections::HashSet::new();
    let chosen = pairs(message).into_iter().filter_map(|(name, value)| {
        let name = variable(&format!("{}.{name}", fields.pairs.0));
        seen.insert(name.clone()).then_some((name, value))
    });
    all.extend(chosen);
    all
}

/// Whether a variable of this name may tell of a message, so that one of our own environment is not to be handed on.
pub(crate) fn is_variable(name: &str) -> bool {
    let of = |fields: &&Fields| {
        let pairs = variable(&format!("{}.", fields.pairs.0));
        name.starts_with(&pairs) || fields.named.iter().any(|it| variable(it.name) == name)
    };
    name.starts_with(PREFIX) && (ALL.iter().any(of) || name.starts_with("IOTCTL_ALERT_"))
}

/// `content-type` as `IOTCTL_CONTENT_TYPE`; what a shell cannot name becomes an underscore.
pub(crate) fn variable(name: &str) -> String {
    let letters = name.chars().map(|letter| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' => letter.to_ascii_uppercase(),
        _ => '_',
    });
    PREFIX.chars().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::message::{AmqpProperties, AmqpValue};

    fn message(detail: Detail) -> Message {
        Message {
            time: SystemTime::UNIX_EPOCH,
            topic: "a/b".into(),
            payload: "x".into(),
            detail,
        }
    }

    fn of_mqtt() -> Message {
        message(Detail::Mqtt(MqttDetail {
            qos: 1,
            properties: Some(Box::new(MqttProperties {
                content_type: Some("text/plain".into()),
                subscription_identifiers: vec![1, 7],
                user_properties: vec![
                    ("X-Id".into(), "one".into()),
                    ("X-Id".into(), "two".into()),
                    ("x id".into(), "three".into()),
                ],
                ..MqttProperties::default()
            })),
            ..MqttDetail::default()
        }))
    }

    #[test]
    fn a_message_says_what_it_has() {
        let message = of_mqtt();
        let value = |name| value(&message, name);
        assert_eq!(value("topic").as_deref(), Some("a/b"));
        assert_eq!(
            value("time").as_deref(),
            Some("1970-01-01T00:00:00.000000Z")
        );
        assert_eq!(value("qos").as_deref(), Some("1"));
        assert_eq!(value("subscription-identifier").as_deref(), Some("1,7"));
        assert_eq!(value("property.X-Id").as_deref(), Some("one"));
        assert_eq!((value("packet-id"), value("header.X-Id")), (None, None));
    }

    #[test]
    fn an_environment_has_all_of_it_once() {
        let all = variables(&of_mqtt());
        let of = |name: &str| {
            let mut found = all.iter().filter(|(known, _)| known == name);
            (found.next().map(|(_, value)| value.as_str()), found.count())
        };
        assert_eq!(of("IOTCTL_CONTENT_TYPE"), (Some("text/plain"), 0));
        assert_eq!(of("IOTCTL_PROPERTY_X_ID"), (Some("one"), 0));
        assert!(all.iter().all(|(name, _)| is_variable(name)));
        assert!(!is_variable("IOTCTL_HOST") && !is_variable("PATH"));
    }

    #[test]
    fn headers_and_options_have_names_too() {
        let amqp = AmqpDetail {
            properties: AmqpProperties {
                headers: vec![("x-n".into(), AmqpValue::Int(5))],
                ..AmqpProperties::default()
            },
            ..AmqpDetail::default()
        };
        let message = message(Detail::Amqp(Box::new(amqp)));
        assert_eq!(value(&message, "header.x-n").as_deref(), Some("5"));
        assert_eq!(value(&message, "redelivered").as_deref(), Some("false"));
    }

    #[test]
    fn a_wrong_name_is_told_with_the_right_one() {
        let refused = |fields, name| check(fields, name).unwrap_err();
        assert_eq!(
            refused(&MQTT, "content_type"),
            "\"content_type\" is not a field of MQTT messages; did you mean content-type?"
        );
        assert_eq!(
            refused(&MQTT, "propertys.a"),
            "\"propertys.a\" is not a field of MQTT messages; did you mean property.a?"
        );
        assert_eq!(
            refused(&COAP, "exchange"),
            "\"exchange\" is not a field of CoAP messages"
        );
        assert!(known("exchange").is_ok() && known("header.x").is_ok());
        assert_eq!(
            known("redeliverd"),
            Err("; did you mean redelivered?".into())
        );
        assert!(known("header.").is_err() && known("temperature").is_err());
    }
}
