//! Where messages come from: a subscription, a tap on an exchange, observations of all that can be observed, recordings.

use super::Plan;
use crate::command::ends::{SourceArgs, SourceEnd};
use crate::command::mqtt::session::{SessionArgs as MqttSession, topic_of};
use crate::connect::Protocol;
use crate::error::{Error, Result};
use crate::message::topic;
use crate::output::Console;

/// The source; its files and secrets were read then.
///
/// # Errors
/// What does not fit together.
pub(super) fn resolve(plan: &Plan, console: Console) -> Result<SourceEnd> {
    let protocol = plan.source.end.protocol()?;
    if plan.once && plan.until.duration.is_none() && protocol == Some(Protocol::Amqp) {
        let text = "--once: AMQP has no retained messages to wait for";
        return Err(Error::usage(text).hint("use --for TIME"));
    }
    if plan.sys && !matches!(protocol, Some(Protocol::Mqtt) | None) {
        return Err(Error::usage("--sys is for MQTT"));
    }
    let args = match protocol {
        Some(Protocol::Mqtt) if plan.everything => of_path(&plan.source)?,
        _ => plan.source.clone(),
    };
    SourceEnd::resolve(args, console)
}

/// What the path of the URL names, else everything.
fn of_path(args: &SourceArgs) -> Result<SourceArgs> {
    let mut source = args.clone();
    let session = MqttSession {
        connect: args.end.connect(&args.connect),
        ..args.mqtt.clone()
    };
    if let Some(filter) = topic_of(&session.target()?) {
        topic::check_filter(&filter).map_err(|invalid| Error::usage(invalid.to_string()))?;
        // The first one is for everything.
        if let Some(first) = source.subscriptions.first_mut() {
            first.filter = filter;
        }
    }
    Ok(source)
}
