//! Where messages come from: a subscription, a tap on an exchange, observations of all that can be observed, recordings.

use super::Plan;
use crate::command::coap::discover;
use crate::command::coap::session::SessionArgs as CoapSession;
use crate::command::ends::{End, SourceArgs, SourceEnd};
use crate::command::mqtt::session::{SessionArgs as MqttSession, topic_of};
use crate::connect::Protocol;
use crate::error::{Error, Result};
use crate::message::topic;
use crate::output::Console;

/// Resources of a CoAP server that are observed; of more, the first ones.
const MOST: usize = 200;

/// The sources; their files and secrets were read then.
///
/// # Errors
/// What does not fit together; a CoAP server that does not say what can be observed.
pub(super) async fn resolve(plan: &Plan, console: Console) -> Result<Vec<SourceEnd>> {
    let protocol = plan.source.end.protocol()?;
    if plan.once && plan.until.duration.is_none() && protocol == Some(Protocol::Amqp) {
        let text = "--once: AMQP has no retained messages to wait for";
        return Err(Error::usage(text).hint("use --for TIME"));
    }
    if plan.sys && !matches!(protocol, Some(Protocol::Mqtt) | None) {
        return Err(Error::usage("--sys is for MQTT"));
    }
    let all = match protocol {
        Some(Protocol::Coap) => observed(&plan.source, console).await?,
        Some(Protocol::Mqtt) if plan.everything => vec![of_path(&plan.source)?],
        _ => vec![plan.source.clone()],
    };
    all.into_iter()
        .map(|args| SourceEnd::resolve(args, console))
        .collect()
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

/// A resource, or all of a server where none is named.
async fn observed(args: &SourceArgs, console: Console) -> Result<Vec<SourceArgs>> {
    let session = CoapSession::of(args.end.connect(&args.connect));
    if !session.only_place()?.uri.path.is_empty() {
        return Ok(vec![args.clone()]);
    }
    let uris = discover::observable(&session, console).await?;
    if uris.len() > MOST {
        let text = format!(
            "{} resources can be observed: the first {MOST} are",
            uris.len()
        );
        console.warn(text);
    }
    let source = |uri: String| {
        let mut source = args.clone();
        if let End::Context(name) = &args.end {
            source.connect.context = Some(name.clone());
        }
        source.end = End::Url(Protocol::Coap, uri);
        source
    };
    Ok(uris.into_iter().take(MOST).map(source).collect())
}
