//! What a subscriber would have known when the part that is replayed begins: the last retained value of each topic.

use std::collections::HashMap;

use bytestring::ByteString;

use super::timeline::Entry;
use crate::message::{Detail, Message};

/// As many bytes of topics and payloads are kept, at most.
const MOST: usize = 8 << 20;

/// What an entry of the map takes beside topic and payload, in bytes.
const BESIDE: usize = size_of::<(ByteString, (u64, Message))>() + size_of::<usize>();

/// The last retained value of each topic, within a bound.
#[derive(Debug, Default)]
pub(super) struct Prime {
    /// With the number of its record.
    values: HashMap<ByteString, (u64, Message)>,
    seen: u64,
    bytes: usize,
    left_out: u64,
}

impl Prime {
    /// A record before the beginning.
    pub(super) fn see(&mut self, Entry { message, .. }: Entry) {
        if !is_retained(&message) {
            return;
        }
        self.seen += 1;
        let old = self.values.remove(&message.topic);
        self.bytes -= old.map_or(0, |(_, old)| size(&old));
        // One without a body takes the retained message away (MQTT 5.0 §3.3.1.3).
        if message.payload.is_empty() {
            return;
        }
        let bytes = self.bytes + size(&message);
        if bytes > MOST {
            self.left_out += 1;
            return;
        }
        self.bytes = bytes;
        self.values
            .insert(message.topic.clone(), (self.seen, message));
    }

    /// The values in the order of their records, and how many found no room.
    pub(super) fn take(&mut self) -> (Vec<Message>, u64) {
        let Self {
            values, left_out, ..
        } = std::mem::take(self);
        let mut values: Vec<_> = values.into_values().collect();
        values.sort_unstable_by_key(|(number, _)| *number);
        let messages = values.into_iter().map(|(_, message)| message);
        (messages.collect(), left_out)
    }
}

/// Whether later subscribers get it too; a CoAP resource keeps its value.
const fn is_retained(message: &Message) -> bool {
    match &message.detail {
        Detail::Mqtt(mqtt) => mqtt.retain,
        Detail::Coap(_) => true,
        Detail::Amqp(_) | Detail::Plain => false,
    }
}

fn size(message: &Message) -> usize {
    BESIDE + message.topic.len() + message.payload.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{MqttDetail, UNTIMED};

    fn see(prime: &mut Prime, topic: &str, payload: &[u8], retain: bool) {
        let detail = MqttDetail {
            retain,
            ..MqttDetail::default()
        };
        prime.see(Entry {
            at: UNTIMED,
            message: Message {
                topic: topic.into(),
                payload: payload.to_vec().into(),
                detail: Detail::Mqtt(detail),
                ..Message::default()
            },
        });
    }

    #[test]
    fn the_last_retained_value_of_each_topic_in_order() {
        let mut prime = Prime::default();
        for (topic, payload, retain) in [
            ("a", "1", true),
            ("b", "2", true),
            ("gone", "3", true),
            ("a", "4", true),
            ("b", "live", false),
            ("gone", "", true),
            ("c", "live", false),
        ] {
            see(&mut prime, topic, payload.as_bytes(), retain);
        }
        let (messages, left_out) = prime.take();
        let known: Vec<_> = messages
            .iter()
            .map(|it| (&*it.topic, &it.payload[..]))
            .collect();
        assert_eq!((known, left_out), (vec![("b", &b"2"[..]), ("a", b"4")], 0));
        assert_eq!(prime.take().0, []);
    }

    #[test]
    fn memory_is_bounded_and_what_finds_no_room_is_counted() {
        let mut prime = Prime::default();
        let payload = vec![0; 1 << 20];
        for number in 0..10 {
            see(&mut prime, &number.to_string(), &payload, true);
        }
        // A topic that is known is not counted twice.
        see(&mut prime, "0", &payload, true);
        assert!(prime.bytes <= MOST);
        let (messages, left_out) = prime.take();
        assert_eq!((messages.len(), left_out), (7, 3));
    }
}
