//! `json`: the record, one JSON object a line, valid for every payload.
//!
//! `{"time":"…Z","protocol":"mqtt","topic":"a/b","payload":"21.5","mqtt":{"qos":1,"retain":false}}`
//!
//! Exactly one of `payload` (UTF-8), `payload_base64` (everything else) and, when asked for,
//! `payload_json` (a payload that is JSON, verbatim) is there. The schema is
//! `schema/record.schema.json`; the same record is read back by `--ndjson`.

mod amqp;
mod coap;
mod embed;
mod write;

use crate::message::{Detail, Message, MqttDetail, MqttProperties};

use super::Render;
use super::time::Clock;

pub(super) use embed::embeddable;
pub(super) use write::{indent, push_number, push_string, push_text_or_base64};

pub(super) struct Json {
    pretty: bool,
    embed: bool,
    clock: Clock,
    /// The record before it is indented.
    flat: Vec<u8>,
}

impl Json {
    pub(super) fn new(pretty: bool, embed: bool, local: bool) -> Self {
        Self {
            pretty,
            embed,
            clock: Clock::new(local),
            flat: Vec::new(),
        }
    }

    fn record(&mut self, message: &Message, into: &mut Vec<u8>) {
        into.reserve(message.payload.len() + message.topic.len() + 128);
        into.extend_from_slice(b"{\"time\":\"");
        self.clock.push(message.time, into);
        into.extend_from_slice(b"\",\"protocol\":\"");
        into.extend_from_slice(message.detail.protocol().as_bytes());
        into.extend_from_slice(b"\",\"topic\":");
        push_string(&message.topic, into);
        into.push(b',');
        self.payload(&message.payload, into);
        match &message.detail {
            Detail::Plain => {}
            Detail::Mqtt(mqtt) => push_mqtt(mqtt, into),
            Detail::Coap(coap) => coap::push(coap, into),
            Detail::Amqp(amqp) => amqp::push(amqp, into),
        }
        into.push(b'}');
    }

    fn payload(&self, payload: &[u8], into: &mut Vec<u8>) {
        if self.embed
            && let Some(json) = embeddable(payload)
        {
            into.extend_from_slice(b"\"payload_json\":");
            into.extend_from_slice(&json);
        } else {
            push_text_or_base64("payload", payload, into);
        }
    }
}

impl Render for Json {
    fn render(&mut self, message: &Message, into: &mut Vec<u8>) {
        if self.pretty {
            let mut flat = std::mem::take(&mut self.flat);
            flat.clear();
            self.record(message, &mut flat);
            indent(&flat, into);
            self.flat = flat;
        } else {
            self.record(message, into);
        }
        into.push(b'\n');
    }
}

fn push_mqtt(mqtt: &MqttDetail, into: &mut Vec<u8>) {
    into.extend_from_slice(b",\"mqtt\":{\"qos\":");
    into.push(b'0' + mqtt.qos.min(2));
    into.extend_from_slice(if mqtt.retain {
        b",\"retain\":true"
    } else {
        b",\"retain\":false"
    });
    if mqtt.duplicate {
        into.extend_from_slice(b",\"dup\":true");
    }
    if mqtt.packet_id != 0 {
        push_number_field("packet_id", mqtt.packet_id.into(), into);
    }
    if let Some(properties) = &mqtt.properties {
        push_properties(properties, into);
    }
    into.push(b'}');
}

fn push_properties(properties: &MqttProperties, into: &mut Vec<u8>) {
    let numbers = [
        (
            "payload_format_indicator",
            properties.payload_format_indicator.map(u32::from),
        ),
        (
            "message_expiry_interval",
            properties.message_expiry_interval,
        ),
        ("topic_alias", properties.topic_alias.map(u32::from)),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            push_number_field(name, number, into);
        }
    }
    let texts = [
        ("content_type", &properties.content_type),
        ("response_topic", &properties.response_topic),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            push_name(name, into);
            push_string(text, into);
        }
    }
    if let Some(data) = &properties.correlation_data {
        into.push(b',');
        push_text_or_base64("correlation_data", data, into);
    }
    push_lists(properties, into);
}

fn push_lists(properties: &MqttProperties, into: &mut Vec<u8>) {
    if !properties.subscription_identifiers.is_empty() {
        push_name("subscription_identifiers", into);
        push_list(&properties.subscription_identifiers, into, |&id, into| {
            push_number(id, into);
        });
    }
    if !properties.user_properties.is_empty() {
        push_name("user_properties", into);
        push_list(&properties.user_properties, into, |(name, value), into| {
            into.push(b'[');
            push_string(name, into);
            into.push(b',');
            push_string(value, into);
            into.push(b']');
        });
    }
}

fn push_list<T>(items: &[T], into: &mut Vec<u8>, push: impl Fn(&T, &mut Vec<u8>)) {
    into.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            into.push(b',');
        }
        push(item, into);
    }
    into.push(b']');
}

fn push_number_field(name: &str, number: u32, into: &mut Vec<u8>) {
    push_name(name, into);
    push_number(number, into);
}

/// Appends a comma, a name that needs no escaping, and a colon.
fn push_name(name: &str, into: &mut Vec<u8>) {
    into.extend_from_slice(b",\"");
    into.extend_from_slice(name.as_bytes());
    into.extend_from_slice(b"\":");
}

#[cfg(test)]
mod tests;
