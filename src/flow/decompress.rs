//! Bodies as they were before they were compressed (`--decompress`).

use crate::error::brief;
use crate::message::{Detail, Message};
use crate::output::Console;
use crate::payload::inflate::inflated;
use crate::payload::media::{encoding, names_encoding};

/// Undoes the encoding that a message names.
#[derive(Clone, Copy, Debug)]
pub struct Decompress {
    console: Console,
}

impl Decompress {
    /// What cannot be undone is reported on `console`.
    pub const fn new(console: Console) -> Self {
        Self { console }
    }

    /// Undoes the encoding, which is gone from the message then; what cannot be undone stays as it came.
    pub fn undo(&self, message: &mut Message) {
        let Some(encoding) = encoding(message) else {
            return;
        };
        match inflated(&encoding, &message.payload) {
            Ok(body) => {
                message.payload = body;
                forget(message);
            }
            Err(why) => self.console.warn(format_args!(
                "a message to {} is shown unchanged: {why}",
                brief(&message.topic)
            )),
        }
    }
}

/// Takes the encoding from what the message says.
fn forget(message: &mut Message) {
    match &mut message.detail {
        Detail::Amqp(amqp) => amqp.properties.content_encoding = None,
        Detail::Mqtt(mqtt) => {
            if let Some(properties) = &mut mqtt.properties {
                properties
                    .user_properties
                    .retain(|(name, _)| !names_encoding(name));
            }
        }
        Detail::Coap(coap) => {
            coap.media_type = coap.media_type.and_then(|it| it.split('@').next());
        }
        Detail::Plain => {}
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::SystemTime;

    use bytes::Bytes;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::message::{AmqpDetail, MqttDetail, MqttProperties};
    use crate::output::Style;

    fn gzip(text: &str) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap().into()
    }

    fn undone(detail: Detail, payload: Bytes) -> Message {
        let mut message = Message {
            time: SystemTime::UNIX_EPOCH,
            topic: "a".into(),
            payload,
            detail,
        };
        Decompress::new(Console::new(Style::default())).undo(&mut message);
        message
    }

    #[test]
    fn each_protocol_names_its_encoding() {
        let mut amqp = AmqpDetail::default();
        amqp.properties.content_encoding = Some("gzip".into());
        let plain = undone(Detail::Amqp(Box::new(amqp)), gzip("x"));
        assert_eq!((&*plain.payload, encoding(&plain)), (&b"x"[..], None));
        // By its first bytes.
        let plain = undone(Detail::Mqtt(MqttDetail::default()), gzip("x"));
        assert_eq!(&*plain.payload, b"x");
        let named = |value: &str| {
            let properties = MqttProperties {
                user_properties: vec![("Content-Encoding".into(), value.to_owned().into())],
                ..MqttProperties::default()
            };
            Detail::Mqtt(MqttDetail {
                properties: Some(Box::new(properties)),
                ..MqttDetail::default()
            })
        };
        let plain = undone(named("gzip"), gzip("x"));
        assert_eq!((&*plain.payload, encoding(&plain)), (&b"x"[..], None));
        // What is not what it says stays as it came.
        let kept = undone(named("gzip"), "text".into());
        assert_eq!(&*kept.payload, b"text");
        assert_eq!(encoding(&kept).as_deref(), Some("gzip"));
        assert_eq!(&*undone(named("identity"), "text".into()).payload, b"text");
    }
}
