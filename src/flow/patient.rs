//! A target that is asked again for what it refuses for now, such as over a quota (MQTT 5.0 §3.4.2.1, 0x97).

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::Value;
use tokio::time::sleep_until;

use super::{Number, Outcome, Progress, Target, Unit};
use crate::connect::{Backoff, Retry};
use crate::error::{Cause, Error, Result};
use crate::message::{Detail, Message};
use crate::output::Console;
use crate::pace::alarm::now;

/// In front of a target: what it refuses for now is kept, and sent again with back-off; meanwhile nothing new goes there, so that
/// little is overtaken.
pub struct Patient<T> {
    target: T,
    backoff: Backoff,
    console: Console,
    /// What was handed over and may be refused.
    under_way: BTreeMap<Number, Message>,
    /// What was refused for now.
    waiting: BTreeMap<Number, Message>,
    /// What was refused for now at some time, and has no outcome yet, with how often it was.
    refused: BTreeMap<Number, u32>,
    /// As often it goes again; `None`: for as long as the back-off says.
    retries: Option<u32>,
    /// When what waits goes again.
    due: Option<Instant>,
    /// Whether it was told that something is refused for now.
    told: bool,
    /// The target is said to have all up to this one, but for those that it refused.
    through: Option<Number>,
    done: Vec<Progress>,
}

impl<T: Target> Patient<T> {
    /// In front of `target`, for as long as `retry` says.
    pub fn new(target: T, retry: Retry, console: Console) -> Self {
        Self {
            target,
            backoff: Backoff::new(retry),
            console,
            under_way: BTreeMap::new(),
            waiting: BTreeMap::new(),
            refused: BTreeMap::new(),
            retries: None,
            due: None,
            told: false,
            through: None,
            done: Vec::new(),
        }
    }

    /// The same, with so many tries more for each message.
    #[must_use]
    pub const fn trying(mut self, retries: Option<u32>) -> Self {
        self.retries = retries;
        self
    }

    /// The target.
    pub fn into_inner(self) -> T {
        self.target
    }

    /// Sends what waits, in its order.
    fn send_again(&mut self) -> Result<()> {
        self.due = None;
        while self.target.has_room()
            && let Some((number, message)) = self.waiting.pop_first()
        {
            self.under_way.insert(number, message.clone());
            self.target.take(number, message)?;
        }
        if !self.waiting.is_empty() {
            self.due = Some(now());
        }
        Ok(())
    }

    /// Looks at what the target has done.
    fn count(&mut self, into: &mut Vec<Progress>) {
        let mut done = std::mem::take(&mut self.done);
        for progress in done.drain(..) {
            match progress {
                Progress::Through(number) => {
                    self.under_way = self.under_way.split_off(&(number + 1));
                    self.through = self.through.max(Some(number));
                }
                Progress::One(number, Outcome::Refused(why)) => self.refuse(number, why, into),
                Progress::One(number, outcome) => self.settle(number, outcome, into),
            }
        }
        self.done = done;
        let first = self.refused.keys().next();
        if let Some(number) = self
            .through
            .take_if(|it| first.is_none_or(|first| first > it))
        {
            into.push(Progress::Through(number));
        }
    }

    fn settle(&mut self, number: Number, outcome: Outcome, into: &mut Vec<Progress>) {
        self.under_way.remove(&number);
        if self.refused.remove(&number).is_some() && self.refused.is_empty() {
            self.backoff.reset();
            let takes = !matches!(outcome, Outcome::Refused(_));
            if std::mem::take(&mut self.told) && takes {
                let name = self.target.name();
                self.console
                    .note(format_args!("{name} takes messages again"));
            }
        }
        into.push(Progress::One(number, outcome));
    }

    fn refuse(&mut self, number: Number, why: Error, into: &mut Vec<Progress>) {
        let now = now();
        let before = self.refused.get(&number).copied().unwrap_or_default();
        let has_more = self.retries.is_none_or(|most| before < most);
        let message = match why.cause() {
            Some(Cause::RefusedForNow) if has_more => self.under_way.remove(&number),
            _ => None,
        };
        let due = match (&message, self.due) {
            (None, _) => None,
            (Some(_), Some(due)) if due > now => Some(due),
            (Some(_), _) => self.backoff.next(now).map(|wait| now + wait),
        };
        let (Some(message), Some(due)) = (message, due) else {
            return self.settle(number, Outcome::Refused(why), into);
        };
        if self.backoff.tells(why.text(), now) {
            self.told = true;
            self.console.warn(format_args!("{why}; trying again"));
        }
        self.due = Some(due);
        self.waiting.insert(number, message);
        self.refused.insert(number, before.saturating_add(1));
    }
}

/// Whether a server answers such a message at all, and so may refuse it.
const fn is_answered(message: &Message) -> bool {
    match &message.detail {
        Detail::Mqtt(mqtt) => mqtt.qos > 0,
        Detail::Plain | Detail::Amqp(_) | Detail::Coap(_) => true,
    }
}

impl<T: Target> Target for Patient<T> {
    fn name(&self) -> String {
        self.target.name()
    }

    fn unit(&self) -> Unit {
        self.target.unit()
    }

    fn has_room(&self) -> bool {
        self.waiting.is_empty() && self.target.has_room()
    }

    fn is_free(&self) -> bool {
        self.waiting.is_empty() && self.target.is_free()
    }

    fn is_idle(&self) -> bool {
        self.refused.is_empty() && self.through.is_none() && self.target.is_idle()
    }

    fn unsent(&self) -> u64 {
        self.target.unsent()
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        if is_answered(&message) {
            self.under_way.insert(number, message.clone());
        }
        self.target.take(number, message)
    }

    fn finish(&mut self) {
        self.target.finish();
    }

    fn details(&mut self, number: Number) -> Vec<(&'static str, Value)> {
        self.target.details(number)
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.due.is_some_and(|due| due <= now()) {
            self.send_again()?;
        }
        // Where it has come, there was no room, which the target tells of.
        let due = self.due.filter(|due| *due > now());
        let driven = tokio::select! {
            biased;
            driven = self.target.drive(&mut self.done) => driven,
            () = sleep_until(due.unwrap_or_else(now).into()), if due.is_some() => Ok(()),
        };
        self.count(into);
        driven
    }
}

#[cfg(test)]
mod tests;
