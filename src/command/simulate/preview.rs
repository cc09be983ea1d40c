//! What the devices would send, as records: on a clock of its own, over connections that never fail.

use std::time::{Duration, SystemTime};

use super::ends;
use crate::device::file::Protocol;
use crate::device::fleet::{Effect, Fleet, Outgoing};
use crate::device::model::Model;
use crate::error::{Result, counted};
use crate::message::{Detail, Message, MqttDetail, MqttProperties};
use crate::output::{Console, Format, Output, Style};
use crate::pace::clock::Nanos;

/// When it begins, unless the file says: 2026-01-01T00:00:00Z, in nanoseconds. The same each time, so that its bytes are.
const START: Nanos = 1_767_225_600 * 1_000_000_000;

/// Readings and the like without a message after which there is none to come; those of many devices are more.
const MOST_QUIET: u64 = 200_000;

/// Bytes that wait for standard output before it is waited for.
const ENOUGH: usize = 64 << 10;

/// Prints the first `count` messages.
pub(super) async fn run(model: Model, count: u64, style: Style, console: Console) -> Result<()> {
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
    // A device whose values never differ, or are never reported, would be waited for for ever.
    let most_quiet = MOST_QUIET + 10 * fleet.model().devices.len() as u64;
    let mut quiet = 0;
    while left > 0 && quiet < most_quiet {
        match fleet.next_effect() {
            Some(Effect::Open(device)) => fleet.opened(device, now),
            Some(Effect::Publish(device, message)) => {
                let protocol = fleet.model().group(device).protocol;
                output.message(&record(message, protocol))?;
                (left, quiet) = (left - 1, 0);
                if output.pending() > ENOUGH {
                    output.flush().await?;
                }
            }
            Some(Effect::Close(..) | Effect::Subscribe(..) | Effect::Unsubscribe(..)) => {}
            None => match fleet.next_due() {
                Some(due) => {
                    (now, quiet) = (due, quiet + 1);
                    fleet.step(now);
                }
                None => break,
            },
        }
    }
    if quiet == most_quiet {
        console.warn(format_args!(
            "stopped after {}: nothing was sent in {quiet} steps of the devices",
            counted(count - left, "message")
        ));
    }
    output.flush().await?;
    if let Some(failure) = fleet.failure() {
        console.warn(failure);
    }
    ends::failed(&fleet.account)
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
