//! Names and properties of messages from one protocol to another.
//!
//! | MQTT | AMQP 0-9-1 | CoAP |
//! |---|---|---|
//! | topic `a/b`, filter `+ #` | routing key `a.b`, `* #` | path `/a/b` |
//! | QoS 0, 1 and 2 | delivery mode 1, 2 | NON, CON |
//! | retain | header `x-mqtt-retain` | a resource keeps its value |
//! | content type | content type | Content-Format, where it is registered |
//! | response topic, correlation data | reply-to, correlation id; what is too long for it in the header [`CORRELATION`] | – |
//! | user properties | headers; repeated names become lists | – |
//! | expiry in seconds | expiration in milliseconds | Max-Age |
//!
//! Topics and routing keys are as RabbitMQ's plugin for MQTT has them: `/` is `.`, and Sparkplug's `spBv1.0` is `spBv1___0`. So
//! a topic with a `.` and a routing key with a `/` have the name of another one there. Their own name travels with them, as the
//! header [`TOPIC`] or the user property [`KEY`], and is theirs again on the way back. What cannot be carried, and that a name is
//! another one, is told once for each kind of loss.

mod coap;
mod paths;

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use bytestring::ByteString;
use data_encoding::BASE64;

pub(crate) use self::paths::{path, path_as_topic};
use super::source::exchange_of;
use crate::command::coap::record::{is_response, lasting, max_age};
use crate::connect::Protocol;
use crate::error::{Error, Kind, Result, brief};
use crate::message::topic::check_name;
use crate::message::{
    AmqpDetail, AmqpProperties, AmqpValue, Detail, Message, MqttDetail, MqttProperties, UNTIMED,
};

/// The header that tells of a retained message, as RabbitMQ's plugin for MQTT has it.
const RETAIN: &str = "x-mqtt-retain";

/// The header with the topic of a message whose routing key is that of another one.
const TOPIC: &str = "x-iotctl-topic";

/// The user property with the routing key of a message whose topic is that of another one.
const KEY: &str = "iotctl-routing-key";

/// The header with correlation data that is longer than a correlation id can be, in base64.
const CORRELATION: &str = "x-iotctl-correlation-data";

/// The user property and the header that tells why a message was refused.
const REASON: &str = "iotctl-refused";

/// The headers by which RabbitMQ routes a message to more keys than its own (sender-selected distribution): who publishes
/// does not choose where a flow sends it.
const ROUTING: [&str; 2] = ["CC", "BCC"];

/// Sparkplug's namespace as a level of a topic, and as a word of a routing key.
const SPARKPLUG: (&str, &str) = ("spBv1.0", "spBv1___0");

/// What a correlation id holds at most, in bytes (AMQP 0-9-1 §4.2.5.3).
const SHORT: usize = 255;

/// What could not be carried, by its name; each is told once.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    known: Vec<&'static str>,
    fresh: Vec<&'static str>,
    /// Each is told of every message.
    always: bool,
}

impl Losses {
    /// Of every message, for who refuses those that lose something.
    pub(crate) fn of_each(always: bool) -> Self {
        Self {
            always,
            ..Self::default()
        }
    }

    fn add(&mut self, what: &'static str) {
        if self.always || !self.known.contains(&what) {
            self.fresh.push(what);
        }
        if !self.known.contains(&what) {
            self.known.push(what);
        }
    }

    fn add_if(&mut self, what: &'static str, lost: bool) {
        if lost {
            self.add(what);
        }
    }

    /// Those that were not told yet.
    pub(crate) fn fresh(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.fresh)
    }
}

/// The routing key of a topic.
pub(crate) fn routing_key(topic: &str) -> String {
    topic.replace(SPARKPLUG.0, SPARKPLUG.1).replace('/', ".")
}

/// The binding key of a filter: `a.*.#` for `a/+/#`.
pub(crate) fn binding_key(filter: &str) -> String {
    let level = |level| if level == "+" { "*" } else { level };
    let words: Vec<_> = filter.split('/').map(level).collect();
    routing_key(&words.join("/"))
}

/// The topic of a routing key.
pub(crate) fn topic(key: &str) -> String {
    key.replace('.', "/").replace(SPARKPLUG.1, SPARKPLUG.0)
}

/// What MQTT calls where a message was sent to: a routing key or a path as a topic.
pub(crate) fn topic_of(message: &Message) -> ByteString {
    match &message.detail {
        Detail::Amqp(amqp) => own_topic(&message.topic, &amqp.properties)
            .cloned()
            .unwrap_or_else(|| topic(&message.topic).into()),
        Detail::Coap(_) => path_as_topic(&message.topic),
        Detail::Mqtt(_) | Detail::Plain => message.topic.clone(),
    }
}

/// Gives a message another topic, spelled as its protocol has it.
pub(crate) fn rename(message: &mut Message, name: ByteString) {
    message.topic = match &mut message.detail {
        Detail::Amqp(amqp) => {
            name_topic(&name, &mut amqp.properties);
            routing_key(&name).into()
        }
        Detail::Coap(_) => path(&name).into(),
        Detail::Mqtt(_) | Detail::Plain => name,
    };
}

/// The topic that a message had before it got this routing key, where that is another one than the key tells.
fn own_topic<'a>(key: &str, amqp: &'a AmqpProperties) -> Option<&'a ByteString> {
    let header = amqp.headers.iter().find(|(name, _)| *name == TOPIC);
    match header {
        Some((_, AmqpValue::Text(own))) if routing_key(own) == key => Some(own),
        _ => None,
    }
}

/// Keeps a topic that its routing key does not tell; whether it is one.
fn name_topic(name: &str, amqp: &mut AmqpProperties) -> bool {
    amqp.headers.retain(|(known, _)| *known != TOPIC);
    let is_another = topic(&routing_key(name)) != name;
    if is_another {
        let own = AmqpValue::Text(name.into());
        amqp.headers.push((TOPIC.into(), own));
    }
    is_another
}

/// The routing key that a message had before it got this topic, where that is another one than the topic tells.
fn own_key<'a>(name: &str, properties: Option<&'a MqttProperties>) -> Option<&'a ByteString> {
    let pairs = &properties?.user_properties;
    let (_, own) = pairs.iter().find(|(known, _)| *known == KEY)?;
    (topic(own) == name).then_some(own)
}

/// The message that tells of one that was refused: the same, and why.
pub(crate) fn dead_letter(mut message: Message, why: &Error) -> Message {
    let why = why.text();
    match &mut message.detail {
        Detail::Amqp(amqp) => {
            let reason = AmqpValue::Text(why.into());
            amqp.properties.headers.push((REASON.into(), reason));
        }
        Detail::Mqtt(mqtt) => {
            let properties = mqtt.properties.get_or_insert_default();
            properties.user_properties.push((REASON.into(), why.into()));
        }
        Detail::Plain | Detail::Coap(_) => {
            let properties = MqttProperties {
                user_properties: vec![(REASON.into(), why.into())],
                ..MqttProperties::default()
            };
            message.topic = topic_of(&message);
            message.detail = Detail::Mqtt(MqttDetail {
                qos: 1,
                properties: Some(Box::new(properties)),
                ..MqttDetail::default()
            });
        }
    }
    message
}

/// Whether MQTT takes a message: a routing key may be no topic.
///
/// # Errors
/// [`Kind::Refused`] with what is wrong with its topic, and the `name` that it came with.
pub(crate) fn check(message: &Message, name: &str, protocol: Option<Protocol>) -> Result<()> {
    if protocol != Some(Protocol::Mqtt) {
        return Ok(());
    }
    check_name(&message.topic).map_err(|why| {
        let text = format!(
            "the message from {} cannot be passed on: {why}",
            brief(name)
        );
        Error::new(Kind::Refused, text)
    })
}

/// Whether the lifetime of a message is over at `now`. A notification, whose server only says until when nobody need ask again, is
/// not worthless then.
pub(crate) fn has_expired(message: &Message, now: SystemTime) -> bool {
    let lasts = matches!(&message.detail, Detail::Coap(coap) if is_response(coap));
    !lasts && lifetime(message).is_some_and(|lifetime| waited(message, now) >= lifetime)
}

/// What time it is, for the two questions above and below; not asked where a message lives for ever, as it costs as much as all else.
pub(crate) fn time_for(message: &Message) -> SystemTime {
    match lifetime(message) {
        Some(_) => SystemTime::now(),
        None => UNTIMED,
    }
}

/// How long a message is worth to be delivered, from when it was received.
fn lifetime(message: &Message) -> Option<Duration> {
    match &message.detail {
        Detail::Mqtt(mqtt) => {
            let seconds = mqtt.properties.as_ref()?.message_expiry_interval?;
            Some(Duration::from_secs(seconds.into()))
        }
        Detail::Amqp(amqp) => {
            let digits = amqp.properties.expiration.as_ref()?;
            Some(Duration::from_millis(digits.parse().ok()?))
        }
        Detail::Coap(coap) => Some(Duration::from_secs(max_age(coap)?.into())),
        Detail::Plain => None,
    }
}

fn waited(message: &Message, now: SystemTime) -> Duration {
    match message.time == UNTIMED {
        true => Duration::ZERO,
        false => now.duration_since(message.time).unwrap_or_default(),
    }
}

/// The message as `protocol` sends it; a lifetime is shorter by what it has waited (MQTT 5.0 §3.3.2.3.3). `exchange`: where AMQP
/// publishes; without one, what came over AMQP goes to the exchange that it came from, and all else, what was published straight
/// to a queue included, to that of MQTT's topics.
pub(crate) fn carry(
    mut message: Message,
    protocol: Protocol,
    exchange: Option<&ByteString>,
    now: SystemTime,
    losses: &mut Losses,
) -> Message {
    if lifetime(&message).is_some() {
        let waited = waited(&message, now);
        shorten(&mut message.detail, waited);
    }
    match (&mut message.detail, protocol) {
        (Detail::Mqtt(_), Protocol::Mqtt) | (Detail::Coap(_), Protocol::Coap) => {}
        (Detail::Amqp(amqp), Protocol::Amqp) => {
            let headers = &mut amqp.properties.headers;
            let before = headers.len();
            headers.retain(|(name, _)| !routes(name));
            losses.add_if("a header CC or BCC", headers.len() < before);
            let own = || Some(amqp.exchange.clone()).filter(|own| !own.is_empty());
            amqp.exchange = exchange_of(exchange.cloned().or_else(own));
        }
        (_, Protocol::Mqtt) => to_mqtt(&mut message, losses),
        (_, Protocol::Amqp) => to_amqp(&mut message, exchange, losses),
        (_, Protocol::Coap) => coap::carry(&mut message, losses),
        (_, Protocol::Http) => {}
    }
    message
}

fn shorten(detail: &mut Detail, waited: Duration) {
    match detail {
        Detail::Mqtt(mqtt) => {
            let properties = mqtt.properties.as_mut();
            if let Some(left) = properties.and_then(|it| it.message_expiry_interval.as_mut()) {
                *left = left.saturating_sub(u32::try_from(waited.as_secs()).unwrap_or(u32::MAX));
            }
        }
        Detail::Amqp(amqp) => {
            let left = amqp.properties.expiration.as_deref();
            if let Some(left) = left.and_then(|digits| digits.parse::<u64>().ok()) {
                let left =
                    left.saturating_sub(u64::try_from(waited.as_millis()).unwrap_or(u64::MAX));
                amqp.properties.expiration = Some(left.to_string().into());
            }
        }
        Detail::Coap(coap) => {
            if let Some(left) = max_age(coap).filter(|_| !waited.is_zero()) {
                let left = left.saturating_sub(u32::try_from(waited.as_secs()).unwrap_or(u32::MAX));
                let option = lasting(left.max(1));
                coap.options.retain(|it| it.number != option.number);
                coap.options.push(option);
            }
        }
        Detail::Plain => {}
    }
}

fn to_mqtt(message: &mut Message, losses: &mut Losses) {
    let (topic, detail) = match &message.detail {
        Detail::Amqp(amqp) => {
            let name = topic_of(message);
            let mut detail = mqtt_of_amqp(&amqp.properties, losses);
            if own_topic(&message.topic, &amqp.properties).is_none()
                && routing_key(&name) != *message.topic
            {
                losses.add("a / in a routing key");
                let properties = detail.properties.get_or_insert_default();
                let own = (KEY.into(), message.topic.clone());
                properties.user_properties.push(own);
            }
            (name, detail)
        }
        Detail::Coap(coap) => {
            coap::check_losses(coap, losses);
            (path_as_topic(&message.topic), coap::as_mqtt(coap))
        }
        Detail::Mqtt(_) | Detail::Plain => return,
    };
    (message.topic, message.detail) = (topic, Detail::Mqtt(detail));
}

/// What only AMQP has.
fn lost_of_amqp(amqp: &AmqpProperties, losses: &mut Losses) {
    // 0 is what a message without a priority has.
    losses.add_if("a priority", amqp.priority.is_some_and(|it| it > 0));
    for (what, lost) in [
        ("a type", amqp.kind.is_some()),
        ("an app-id", amqp.app_id.is_some()),
        ("a timestamp", amqp.timestamp.is_some()),
        ("a user-id", amqp.user_id.is_some()),
        ("a message-id", amqp.message_id.is_some()),
        ("a content encoding", amqp.content_encoding.is_some()),
        ("a cluster-id", amqp.cluster_id.is_some()),
    ] {
        losses.add_if(what, lost);
    }
    let carried = ["correlation_id", "exchange", "routing_key"];
    let mut others = amqp.not_text.iter();
    losses.add_if(
        "a property that is not UTF-8",
        others.any(|(name, _)| !carried.contains(name)),
    );
}

fn mqtt_of_amqp(amqp: &AmqpProperties, losses: &mut Losses) -> MqttDetail {
    let reply_to = amqp.reply_to.as_ref().map(|key| topic(key));
    let response_topic = reply_to.filter(|name| check_name(name).is_ok());
    if amqp.reply_to.is_some() && response_topic.is_none() {
        losses.add("a reply-to that is no topic");
    }
    lost_of_amqp(amqp, losses);
    let message_expiry_interval = amqp.expiration.as_deref().and_then(seconds);
    losses.add_if(
        "an expiration that is no number",
        amqp.expiration.is_some() && message_expiry_interval.is_none(),
    );
    let response_topic = response_topic.map(ByteString::from);
    let mut properties = MqttProperties {
        content_type: amqp.content_type.clone(),
        response_topic,
        correlation_data: correlation(amqp),
        message_expiry_interval,
        ..MqttProperties::default()
    };
    let mut retain = false;
    for (name, value) in &amqp.headers {
        match value {
            AmqpValue::Bool(true) if *name == RETAIN => retain = true,
            _ if *name == RETAIN || *name == TOPIC => {}
            _ if *name == CORRELATION && long_correlation(amqp).is_some() => {}
            AmqpValue::List(values) => {
                let pairs = values.iter().map(|value| (name.clone(), text(value)));
                properties.user_properties.extend(pairs);
            }
            value => properties.user_properties.push((name.clone(), text(value))),
        }
    }
    MqttDetail {
        qos: u8::from(amqp.delivery_mode == Some(2)),
        retain,
        properties: (properties != MqttProperties::default()).then(|| Box::new(properties)),
        ..MqttDetail::default()
    }
}

fn correlation(amqp: &AmqpProperties) -> Option<Bytes> {
    let text = amqp.correlation_id.as_ref();
    text.map(|id| id.clone().into_bytes())
        .or_else(|| amqp.not_text("correlation_id").cloned())
        .or_else(|| long_correlation(amqp))
}

/// That of a header; no more of it than MQTT can carry (MQTT 5.0 §1.5.6).
fn long_correlation(amqp: &AmqpProperties) -> Option<Bytes> {
    if amqp.correlation_id.is_some() {
        return None;
    }
    let mut headers = amqp.headers.iter();
    let (_, value) = headers.find(|(name, _)| *name == CORRELATION)?;
    let AmqpValue::Text(text) = value else {
        return None;
    };
    let data = BASE64.decode(text.as_bytes()).ok()?;
    (data.len() <= usize::from(u16::MAX)).then(|| data.into())
}

/// Rounded up: what lives for half a second must not live for ever.
fn seconds(milliseconds: &str) -> Option<u32> {
    let milliseconds: u64 = milliseconds.parse().ok()?;
    Some(u32::try_from(milliseconds.div_ceil(1000)).unwrap_or(u32::MAX))
}

fn text(value: &AmqpValue) -> ByteString {
    value.to_string().into()
}

fn to_amqp(message: &mut Message, exchange: Option<&ByteString>, losses: &mut Losses) {
    let (key, properties) = match &message.detail {
        Detail::Mqtt(mqtt) => {
            let mut amqp = amqp_of_mqtt(mqtt, losses);
            match own_key(&message.topic, mqtt.properties.as_deref()) {
                Some(own) => (own.to_string(), amqp),
                None => (named(&message.topic, &mut amqp, losses), amqp),
            }
        }
        Detail::Coap(coap) => {
            coap::check_losses(coap, losses);
            let mut properties = coap::as_amqp(coap);
            let topic = path_as_topic(&message.topic);
            (named(&topic, &mut properties, losses), properties)
        }
        Detail::Plain | Detail::Amqp(_) => {
            let mut properties = AmqpProperties::default();
            let key = named(&message.topic, &mut properties, losses);
            (key, properties)
        }
    };
    message.topic = key.into();
    message.detail = Detail::Amqp(Box::new(AmqpDetail {
        exchange: exchange_of(exchange.cloned()),
        properties,
        ..AmqpDetail::default()
    }));
}

/// The routing key of a topic, which travels along where the key does not tell it.
fn named(topic: &str, amqp: &mut AmqpProperties, losses: &mut Losses) -> String {
    if name_topic(topic, amqp) {
        losses.add("a . in a topic");
    }
    routing_key(topic)
}

fn amqp_of_mqtt(mqtt: &MqttDetail, losses: &mut Losses) -> AmqpProperties {
    let mut amqp = AmqpProperties {
        delivery_mode: Some(1 + u8::from(mqtt.qos > 0)),
        ..AmqpProperties::default()
    };
    if mqtt.retain {
        amqp.headers.push((RETAIN.into(), AmqpValue::Bool(true)));
    }
    let Some(properties) = mqtt.properties.as_deref() else {
        return amqp;
    };
    losses.add_if(
        "a payload format indicator",
        properties.payload_format_indicator.is_some(),
    );
    amqp.content_type = short(properties.content_type.as_ref(), "a content type", losses);
    let reply_to = properties.response_topic.as_ref();
    let reply_to = reply_to.map(|topic| routing_key(topic).into());
    amqp.reply_to = short(reply_to.as_ref(), "a response topic", losses);
    let expiry = properties.message_expiry_interval;
    amqp.expiration = expiry.map(|seconds| (u64::from(seconds) * 1000).to_string().into());
    match &properties.correlation_data {
        Some(data) if data.len() <= SHORT => match ByteString::try_from(data.clone()) {
            Ok(id) => amqp.correlation_id = Some(id),
            Err(_) => amqp.not_text.push(("correlation_id", data.clone())),
        },
        Some(data) => {
            let text = AmqpValue::Text(BASE64.encode(data).into());
            amqp.headers.push((CORRELATION.into(), text));
        }
        None => {}
    }
    let pairs = &properties.user_properties;
    losses.add_if(
        "a user property CC or BCC",
        pairs.iter().any(|(name, _)| routes(name)),
    );
    let pairs = pairs
        .iter()
        .filter(|(name, _)| *name != KEY && !routes(name));
    amqp.headers.extend(headers(pairs));
    amqp
}

fn short(text: Option<&ByteString>, what: &'static str, losses: &mut Losses) -> Option<ByteString> {
    let text = text?;
    if text.len() > SHORT {
        losses.add(what);
        return None;
    }
    Some(text.clone())
}

/// Whether a header of that name says where a message goes.
fn routes(name: &str) -> bool {
    ROUTING.contains(&name)
}

/// Repeated names become lists.
fn headers<'a>(
    pairs: impl Iterator<Item = &'a (ByteString, ByteString)>,
) -> Vec<(ByteString, AmqpValue)> {
    let mut headers: Vec<(ByteString, AmqpValue)> = Vec::new();
    for (name, value) in pairs {
        let value = AmqpValue::Text(value.clone());
        let Some((_, known)) = headers.iter_mut().find(|(known, _)| known == name) else {
            headers.push((name.clone(), value));
            continue;
        };
        match known {
            AmqpValue::List(values) => values.push(value),
            first => *first = AmqpValue::List(vec![first.clone(), value]),
        }
    }
    headers
}

/// Whether it is about the message, and of the bridges: for another bridge.
fn is_own(name: &ByteString) -> bool {
    [KEY, TOPIC, RETAIN, CORRELATION].contains(&&**name) || super::hops::is_list(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mqtt(topic: &str, properties: MqttProperties) -> Message {
        Message {
            topic: topic.into(),
            detail: Detail::Mqtt(MqttDetail {
                qos: 1,
                retain: true,
                properties: Some(Box::new(properties)),
                ..MqttDetail::default()
            }),
            ..Message::default()
        }
    }

    fn there(message: Message, protocol: Protocol) -> (Message, Vec<&'static str>) {
        let mut losses = Losses::default();
        let now = SystemTime::now();
        let carried = carry(message, protocol, None, now, &mut losses);
        (carried, losses.fresh())
    }

    #[test]
    fn topics_and_keys_are_as_rabbitmq_has_them() {
        for (topic_name, key) in [
            ("a/b", "a.b"),
            ("a//b", "a..b"),
            ("/a", ".a"),
            ("spBv1.0/g/NDATA/e", "spBv1___0.g.NDATA.e"),
        ] {
            assert_eq!(routing_key(topic_name), key);
            assert_eq!(topic(key), topic_name);
        }
        assert_eq!(binding_key("a/+/#"), "a.*.#");
        assert_eq!(binding_key("a/b+/#"), "a.b+.#");
    }

    #[test]
    fn names_that_stand_for_others_there_are_their_own_again_on_the_way_back() {
        for name in [
            "a.b/c",
            "a/b.c",
            ".",
            "spBv1___0/g",
            "xspBv1.0/g.h",
            "spBv1.0/a.b",
        ] {
            let message = mqtt(name, MqttProperties::default());
            let (there, lost) = there(message, Protocol::Amqp);
            assert_eq!(lost, ["a . in a topic"], "{name}");
            assert_eq!(there.topic, routing_key(name));
            assert_eq!(topic_of(&there), name);
            let (back, lost) = self::there(there, Protocol::Mqtt);
            assert_eq!((&*back.topic, lost), (name, vec![]));
            assert_eq!(back.detail.as_mqtt().properties, None, "{name}");
        }
        for key in ["a/b.c", "/", "a/b", "a.spBv1.0"] {
            let message = Message {
                topic: key.into(),
                detail: Detail::Amqp(Box::default()),
                ..Message::default()
            };
            let (there, lost) = there(message, Protocol::Mqtt);
            assert_eq!(there.topic, topic(key));
            let (back, _) = self::there(there, Protocol::Amqp);
            if routing_key(&topic(key)) != key {
                assert_eq!((&*back.topic, lost), (key, vec!["a / in a routing key"]));
            }
            assert_eq!(back.topic, key);
        }
    }

    #[test]
    fn what_is_no_topic_is_refused_by_where_it_came_from() {
        let refused = |topic: &str| {
            let message = mqtt(topic, MqttProperties::default());
            let refused = check(&message, "loc/", Some(Protocol::Mqtt)).unwrap_err();
            (refused.kind(), refused.text().to_owned())
        };
        let said = "the message from loc/ cannot be passed on: topic is empty";
        assert_eq!(refused(""), (Kind::Refused, said.to_owned()));
        assert!(refused("a/+").1.contains("from loc/"));
        let message = mqtt("", MqttProperties::default());
        assert!(check(&message, "loc/", Some(Protocol::Amqp)).is_ok());
    }

    #[test]
    fn the_exchange_that_was_given_is_published_to() {
        let now = SystemTime::now();
        for (own, given, there) in [
            ("logs", None, "logs"),
            ("logs", Some("events"), "events"),
            ("logs", Some(""), ""),
            // Published straight to a queue, or dead-lettered.
            ("", None, "amq.topic"),
            ("", Some("events"), "events"),
        ] {
            let message = Message {
                topic: "k".into(),
                detail: Detail::Amqp(Box::new(AmqpDetail {
                    exchange: own.into(),
                    ..AmqpDetail::default()
                })),
                ..Message::default()
            };
            let given = given.map(ByteString::from);
            let losses = &mut Losses::default();
            let carried = carry(message, Protocol::Amqp, given.as_ref(), now, losses);
            let Detail::Amqp(amqp) = &carried.detail else {
                panic!("not AMQP");
            };
            assert_eq!(amqp.exchange, there, "{own} {given:?}");
        }
    }

    #[test]
    fn a_name_that_was_changed_meanwhile_is_the_new_one() {
        let (mut there, _) = there(mqtt("a.b", MqttProperties::default()), Protocol::Amqp);
        there.topic = "other.key".into();
        assert_eq!(topic_of(&there), "other/key");
        rename(&mut there, "x.y/z".into());
        assert_eq!((&*there.topic, &*topic_of(&there)), ("x.y.z", "x.y/z"));
        rename(&mut there, "x/y".into());
        let Detail::Amqp(amqp) = &there.detail else {
            panic!("not AMQP");
        };
        let mut headers = amqp.properties.headers.iter();
        assert!(headers.all(|(name, _)| *name != TOPIC));
    }

    #[test]
    fn what_both_know_survives_the_way_there_and_back() {
        let properties = MqttProperties {
            content_type: Some("text/plain".into()),
            response_topic: Some("answers/1".into()),
            correlation_data: Some(vec![0, 255].into()),
            message_expiry_interval: Some(60),
            user_properties: vec![
                ("k".into(), "v".into()),
                ("k".into(), "w".into()),
                ("l".into(), "x".into()),
            ],
            ..MqttProperties::default()
        };
        let message = mqtt("a/b", properties);
        let (there, lost) = there(message.clone(), Protocol::Amqp);
        assert_eq!(lost, [""; 0]);
        assert_eq!(there.topic, "a.b");
        let (back, _) = self::there(there, Protocol::Mqtt);
        assert_eq!(back, message);
    }

    #[test]
    fn correlation_data_of_any_length_survives_the_way_there_and_back() {
        for length in [0, 255, 256, 65_535] {
            let properties = MqttProperties {
                correlation_data: Some(vec![0xfe; length].into()),
                ..MqttProperties::default()
            };
            let message = mqtt("a/b", properties);
            let (there, lost) = there(message.clone(), Protocol::Amqp);
            assert_eq!(lost, [""; 0], "{length}");
            let Detail::Amqp(amqp) = &there.detail else {
                panic!("not AMQP");
            };
            let mut headers = amqp.properties.headers.iter();
            let is_long = headers.any(|(name, _)| *name == CORRELATION);
            assert_eq!(is_long, length > SHORT, "{length}");
            let (_, lost) = self::there(there.clone(), Protocol::Coap);
            assert_eq!(lost, ["a correlation id"], "{length}");
            assert_eq!(self::there(there, Protocol::Mqtt).0, message, "{length}");
        }
    }

    #[test]
    fn what_only_amqp_has_is_told() {
        let properties = AmqpProperties {
            priority: Some(5),
            kind: Some("t".into()),
            app_id: Some("a".into()),
            timestamp: Some(1),
            user_id: Some("u".into()),
            message_id: Some("m".into()),
            content_encoding: Some("gzip".into()),
            cluster_id: Some("c".into()),
            expiration: Some("soon".into()),
            not_text: vec![("correlation_id", vec![255].into())],
            ..AmqpProperties::default()
        };
        let message = |properties| Message {
            topic: "a".into(),
            detail: Detail::Amqp(Box::new(AmqpDetail {
                properties,
                ..AmqpDetail::default()
            })),
            ..Message::default()
        };
        let only = [
            "a priority",
            "a type",
            "an app-id",
            "a timestamp",
            "a user-id",
            "a message-id",
            "a content encoding",
            "a cluster-id",
        ];
        let (_, lost) = there(message(properties.clone()), Protocol::Mqtt);
        assert_eq!(lost[..8], only);
        assert_eq!(lost[8..], ["an expiration that is no number"]);
        let (_, lost) = there(message(properties.clone()), Protocol::Coap);
        assert_eq!(lost[0], "a correlation id");
        assert_eq!(lost[1..9], only);
        assert_eq!(lost[9..], ["an expiration that is no number"]);
        let (_, lost) = there(message(properties), Protocol::Amqp);
        assert_eq!(lost, [""; 0]);
        let usual = AmqpProperties {
            priority: Some(0),
            delivery_mode: Some(2),
            ..AmqpProperties::default()
        };
        assert_eq!(there(message(usual), Protocol::Mqtt).1, [""; 0]);
    }

    #[test]
    fn who_publishes_does_not_choose_where_rabbitmq_routes_it() {
        let pairs = [("CC", "x"), ("k", "v"), ("BCC", "y"), ("cc", "z")];
        let properties = MqttProperties {
            user_properties: pairs
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
            ..MqttProperties::default()
        };
        let names = |message: &Message| -> Vec<String> {
            let Detail::Amqp(amqp) = &message.detail else {
                panic!("not AMQP");
            };
            let headers = amqp.properties.headers.iter();
            headers.map(|(name, _)| name.to_string()).collect()
        };
        let (mut there, lost) = there(mqtt("a", properties), Protocol::Amqp);
        assert_eq!(lost, ["a user property CC or BCC"]);
        assert_eq!(names(&there), [RETAIN, "k", "cc"]);
        if let Detail::Amqp(amqp) = &mut there.detail {
            let to = AmqpValue::List(vec![AmqpValue::Text("x".into())]);
            amqp.properties.headers.push(("CC".into(), to));
        }
        let (there, lost) = self::there(there, Protocol::Amqp);
        assert_eq!(lost, ["a header CC or BCC"]);
        assert_eq!(names(&there), [RETAIN, "k", "cc"]);
    }

    #[test]
    fn each_message_that_loses_something_is_told_of_where_it_is_refused() {
        let mut losses = Losses::of_each(true);
        let properties = MqttProperties {
            payload_format_indicator: Some(1),
            ..MqttProperties::default()
        };
        for _ in 0..2 {
            let message = mqtt("a", properties.clone());
            let now = SystemTime::now();
            carry(message, Protocol::Amqp, None, now, &mut losses);
            assert_eq!(losses.fresh(), ["a payload format indicator"]);
        }
    }

    #[test]
    fn what_coap_does_not_know_is_told_once() {
        let properties = MqttProperties {
            content_type: Some("application/json".into()),
            user_properties: vec![("k".into(), "v".into())],
            ..MqttProperties::default()
        };
        let (message, lost) = there(mqtt("a b/ä", properties), Protocol::Coap);
        assert_eq!(message.topic, "/a%20b/%C3%A4");
        assert_eq!(lost, ["user properties"]);
        assert_eq!(path_as_topic(&message.topic), "a b/ä");
        assert_eq!(path_as_topic(&"/a%2Fb/%zz%".into()), "a%2Fb/%zz%");
        let Detail::Coap(coap) = message.detail else {
            panic!("not CoAP");
        };
        assert_eq!(coap.content_format, Some(50));
    }

    #[test]
    fn a_lifetime_is_shorter_by_what_it_has_waited() {
        let properties = MqttProperties {
            message_expiry_interval: Some(60),
            ..MqttProperties::default()
        };
        let mut message = mqtt("a", properties);
        message.time = SystemTime::now();
        let later = message.time + Duration::from_secs(20);
        assert!(!has_expired(&message, later));
        assert!(has_expired(&message, later + Duration::from_secs(40)));
        let mut losses = Losses::default();
        let carried = carry(message, Protocol::Amqp, None, later, &mut losses);
        let Detail::Amqp(amqp) = carried.detail else {
            panic!("not AMQP");
        };
        assert_eq!(amqp.properties.expiration.as_deref(), Some("40000"));
    }
}
