//! The way of messages through a filter and a map (`--filter`, `--map`): one may become several, and is done with once all of them are.

use std::time::SystemTime;

use super::fan::Outgoing;
use super::until::Until;
use super::{Account, Fan, Refusals, Routed, Router, Source, Stages, Target, engine};
use crate::error::{Error, Kind, Result, brief};
use crate::message::Message;
use crate::payload::expect::{Changes, Scope};
use crate::stop::Stop;

/// Sends what the map of these stages makes of a message to the one target there is.
struct Mapper<'a> {
    stages: &'a Stages,
    /// Whether nobody before it has filtered.
    filters: bool,
    /// What its conditions remember.
    changes: Option<Changes>,
}

impl Mapper<'_> {
    /// Whether the message passes the filter.
    fn pass(&mut self, message: &Message, now: SystemTime) -> bool {
        let stages = self.stages;
        if let Some(changes) = &mut self.changes {
            changes.see(message, || stages.json(message));
        }
        let scope = Scope {
            captures: None,
            now: Some(now),
            changes: self.changes.as_ref(),
            size: None,
        };
        let passes = stages.pass(message, &scope);
        if !passes {
            stages.tell_failures(None);
        }
        passes
    }
}

impl Router for Mapper<'_> {
    fn route(&mut self, message: Message, into: &mut Outgoing) -> Result<Routed> {
        let now = SystemTime::now();
        if self.filters && !self.pass(&message, now) {
            return Ok(Routed::Sent);
        }
        let mapped = self.stages.mapped(message, now)?;
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
    let mapper = Mapper {
        stages,
        filters: false,
        changes: None,
    };
    let mut fan = Fan::new(mapper, vec![target], Refusals::Drop);
    let (ended, account) = engine::carry(source, &mut fan, stages, until, stop).await;
    (ended, account, only(fan))
}

/// The target of a fan with one.
fn only<T: Target>(fan: Fan<Mapper<'_>, T>) -> T {
    let mut targets = fan.into_parts().1;
    // The one that was put into it.
    targets.pop().expect("a target")
}

/// As [`super::send`], through the filter and the map if there are any; and the target again. A message that the map fails on is counted as
/// refused.
pub async fn send_mapped<S: Source, T: Target>(
    source: &mut S,
    mut target: T,
    stages: &Stages,
    until: &Until,
    stop: &mut Stop,
) -> (Result<()>, T) {
    if stages.map.is_none() && stages.filter.is_empty() {
        return (engine::send(source, &mut target, until, stop).await, target);
    }
    let mapper = Mapper {
        stages,
        filters: true,
        changes: stages.changes(None),
    };
    let mut fan = Fan::new(mapper, vec![target], Refusals::Drop);
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
