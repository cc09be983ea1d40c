//! What the devices would send, as records: on a clock of its own, over connections that never fail.

use std::time::{Duration, SystemTime};

use crate::device::file::Protocol;
use crate::device::fleet::{Effect, Fleet, Outgoing};
use crate::device::model::Model;
use crate::error::Result;
use crate::message::{Detail, Message, MqttDetail, MqttProperties};
use crate::output::{Format, Output, Style};
use crate::pace::clock::Nanos;

/// When it begins, unless the file says: 2026-01-01T00:00:00Z, in nanoseconds. The same each time, so that its bytes are.
const START: Nanos = 1_767_225_600 * 1_000_000_000;

/// Bytes that wait for standard output before it is waited for.
const ENOUGH: usize = 64 << 10;

/// Prints the first `count` messages.
pub(super) async fn run(model: Model, count: u64, style: Style) -> Result<()> {
    let mut output = Output::open(
        Format::Json {
            pretty: false,
            embed: false,
            local: false,
        },
        style,
    )?;
    let clock = model.start.unwrap_or(START);
    let mut fleet = Fleet::new(model, clock);
    let (mut now, mut left) = (0, count);
    while left > 0 {
        match fleet.next_effect() {
            Some(Effect::Open(device)) => fleet.opened(device, now),
            Some(Effect::Publish(device, message)) => {
                let protocol = fleet.model().group(device).protocol;
                output.message(&record(message, protocol))?;
                left -= 1;
                if output.pending() > ENOUGH {
                    output.flush().await?;
                }
            }
            Some(Effect::Close(..)) => {}
            None => match fleet.next_due() {
                Some(due) => {
                    now = due;
                    fleet.step(now);
                }
                None => break,
            },
        }
    }
    output.flush().await
}

fn record(message: Outgoing, protocol: Protocol) -> Message {
    let properties = message.correlation.map(|data| {
        Box::new(MqttProperties {
            correlation_data: Some(data),
            ..MqttProperties::default()
        })
    });
    Message {
        time: SystemTime::UNIX_EPOCH + Duration::from_nanos(message.time),
        topic: message.topic,
        payload: message.payload,
        detail: match protocol {
            Protocol::Mqtt => Detail::Mqtt(MqttDetail {
                qos: message.qos,
                retain: message.retain,
                properties,
                ..MqttDetail::default()
            }),
            Protocol::Coap | Protocol::Amqp => Detail::Plain,
        },
    }
}
