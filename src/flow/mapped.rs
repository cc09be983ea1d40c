//! The way of messages through a map (`--map`): one may become several, and is done with once all of them are.

use std::time::SystemTime;

use super::fan::Outgoing;
use super::until::Until;
use super::{Account, Fan, Refusals, Routed, Router, Source, Stages, Target, engine};
use crate::error::{Error, Kind, Result, brief};
use crate::message::Message;
use crate::stop::Stop;

/// Sends what the map of these stages makes of a message to the one target there is.
struct Mapper<'a>(&'a Stages);

impl Router for Mapper<'_> {
    fn route(&mut self, message: Message, into: &mut Outgoing) -> Result<Routed> {
        let mapped = self.0.mapped(message, SystemTime::now())?;
        into.extend(mapped.into_iter().map(|message| (0, message)));
        Ok(Routed::Sent)
    }
}

/// As [`engine::carry`], through the map if there is one; and the target again. A message that the map fails on is counted as
/// refused.
pub(super) async fn carry<S: Source, T: Target>(
    source: &mut S,
    mut target: T,
    stages: &Stages,
    until: &Until,
    stop: &mut Stop,
) -> (Result<()>, Account, T) {
    if stages.map.is_none() {
        let (ended, account) = engine::carry(source, &mut target, stages, until, stop).await;
        return (ended, account, target);
    }
    let mut fan = Fan::new(Mapper(stages), vec![target], Refusals::Drop);
    let (ended, account) = engine::carry(source, &mut fan, stages, until, stop).await;
    (ended, account, only(fan))
}

/// The target of a fan with one.
fn only<T: Target>(fan: Fan<Mapper<'_>, T>) -> T {
    let mut targets = fan.into_parts().1;
    // The one that was put into it.
    targets.pop().expect("a target")
}

/// As [`super::send`], through the map if there is one; and the target again. A message that the map fails on is counted as
/// refused.
pub async fn send_mapped<S: Source, T: Target>(
    source: &mut S,
    mut target: T,
    stages: &Stages,
    until: &Until,
    stop: &mut Stop,
) -> (Result<()>, T) {
    if stages.map.is_none() {
        return (engine::send(source, &mut target, until, stop).await, target);
    }
    let mut fan = Fan::new(Mapper(stages), vec![target], Refusals::Drop);
    let ended = engine::send(source, &mut fan, until, stop).await;
    (ended, only(fan))
}

/// What is said of a message that the map fails on.
pub(super) fn refusal(topic: &str, why: &str) -> Error {
    let place = match topic {
        "" => String::new(),
        topic => format!("{}: ", brief(topic)),
    };
    Error::new(Kind::Refused, format!("{place}--map: {why}"))
}
