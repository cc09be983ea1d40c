//! `%j` and `%J`: mosquitto's JSON keys, but valid JSON for every payload.
//!
//! `tst`, `topic`, `qos`, `retain`, `payloadlen`, `mid` when QoS > 0, `properties` when there are any,
//! and `payload`: `null` when empty, text when UTF-8, embedded with `%J` when it is JSON; otherwise
//! `payload_base64`. Unlike mosquitto's, no name stands twice in an object.

use crate::message::{Message, MqttProperties};

use super::super::json::{embeddable, indent, push_number, push_string, push_text_or_base64};
use super::super::time::push_digits;
use super::moment::Moment;

/// Appends the object for `message`.
pub(super) fn push(
    message: &Message,
    moment: &Moment<'_>,
    embed: bool,
    pretty: bool,
    into: &mut Vec<u8>,
) {
    if pretty {
        let mut flat = Vec::new();
        push_object(message, moment, embed, &mut flat);
        indent(&flat, into);
    } else {
        push_object(message, moment, embed, into);
    }
}

fn push_object(message: &Message, moment: &Moment<'_>, embed: bool, into: &mut Vec<u8>) {
    let mqtt = message.detail.as_mqtt();
    into.extend_from_slice(b"{\"tst\":\"");
    into.extend_from_slice(moment.show("%Y-%m-%dT%H:%M:%S").as_bytes());
    into.push(b'.');
    push_digits(moment.nanos / 1_000, 6, into);
    into.extend_from_slice(moment.show("%z").as_bytes());
    into.extend_from_slice(b"\",\"topic\":");
    push_string(&message.topic, into);
    into.extend_from_slice(b",\"qos\":");
    push_number(mqtt.qos.into(), into);
    into.extend_from_slice(b",\"retain\":");
    into.extend_from_slice(if mqtt.retain { b"true" } else { b"false" });
    into.extend_from_slice(b",\"payloadlen\":");
    into.extend_from_slice(message.payload.len().to_string().as_bytes());
    if mqtt.qos > 0 {
        into.extend_from_slice(b",\"mid\":");
        push_number(mqtt.packet_id.into(), into);
    }
    if let Some(properties) = &mqtt.properties {
        push_properties(properties, into);
    }
    into.push(b',');
    push_payload(&message.payload, embed, into);
    into.push(b'}');
}

fn push_payload(payload: &[u8], embed: bool, into: &mut Vec<u8>) {
    if payload.is_empty() {
        into.extend_from_slice(b"\"payload\":null");
    } else if embed && let Some(json) = embeddable(payload) {
        into.extend_from_slice(b"\"payload\":");
        into.extend_from_slice(&json);
    } else {
        push_text_or_base64("payload", payload, into);
    }
}

fn push_properties(properties: &MqttProperties, into: &mut Vec<u8>) {
    into.extend_from_slice(b",\"properties\":{");
    let mut members = Members { into, first: true };
    members.number(
        "payload-format-indicator",
        properties.payload_format_indicator.map(u32::from),
    );
    members.number(
        "message-expiry-interval",
        properties.message_expiry_interval,
    );
    members.text("content-type", properties.content_type.as_deref());
    members.text("response-topic", properties.response_topic.as_deref());
    if let Some(data) = &properties.correlation_data {
        members.comma();
        push_text_or_base64("correlation-data", data, members.into);
    }
    members.number("topic-alias", properties.topic_alias.map(u32::from));
    members.identifiers(&properties.subscription_identifiers);
    if !properties.user_properties.is_empty() {
        members.name("user-properties");
        members.list(&properties.user_properties, |(name, value), into| {
            into.push(b'{');
            push_string(name, into);
            into.push(b':');
            push_string(value, into);
            into.push(b'}');
        });
    }
    into.push(b'}');
}

/// Writes the members of one object.
struct Members<'a> {
    into: &'a mut Vec<u8>,
    first: bool,
}

impl Members<'_> {
    fn comma(&mut self) {
        if !self.first {
            self.into.push(b',');
        }
        self.first = false;
    }

    fn name(&mut self, name: &str) {
        self.comma();
        push_string(name, self.into);
        self.into.push(b':');
    }

    fn number(&mut self, name: &str, number: Option<u32>) {
        if let Some(number) = number {
            self.name(name);
            push_number(number, self.into);
        }
    }

    fn text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.name(name);
            push_string(text, self.into);
        }
    }

    /// One identifier is a number, as in mosquitto; several are a list.
    fn identifiers(&mut self, identifiers: &[u32]) {
        match identifiers {
            [] => {}
            [one] => self.number("subscription-identifier", Some(*one)),
            several => {
                self.name("subscription-identifier");
                self.list(several, |&id, into| push_number(id, into));
            }
        }
    }

    fn list<T>(&mut self, items: &[T], push: impl Fn(&T, &mut Vec<u8>)) {
        self.into.push(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.into.push(b',');
            }
            push(item, self.into);
        }
        self.into.push(b']');
    }
}
