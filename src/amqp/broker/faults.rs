//! Fault injection: what is to go wrong on purpose, and when.

use std::time::Duration;

use crate::error::Result;
use crate::server::{self, Keys, When, Wrong};

const FAULTS: &[(&str, &str)] = &[
    (
        "nack",
        "rejects a published message (basic.nack, with publisher confirms)",
    ),
    ("drop-confirm", "accepts a message and does not confirm it"),
    ("delay-confirm:by=DURATION", "confirms late"),
    (
        "wrong-confirm",
        "confirms a message that was never published",
    ),
    (
        "drop-deliver",
        "does not send a message to its consumer; it stays unacknowledged",
    ),
    ("delay-deliver:by=DURATION", "sends messages late"),
    ("duplicate-deliver", "sends a message twice"),
    (
        "wrong-tag",
        "delivers with a delivery tag that cannot be acknowledged",
    ),
    (
        "block:after=N[,for=DURATION]",
        "sends connection.blocked and stops reading from publishers after N messages in total",
    ),
    (
        "close:after=N",
        "closes a connection after N frames from it, without connection.close",
    ),
    (
        "close:every=N",
        "closes a connection at every Nth frame that the broker receives",
    ),
    (
        "stall:after=N[,for=DURATION]",
        "stops reading and writing a connection after N frames from it",
    ),
    (
        "malformed:after=N",
        "sends an invalid frame after N frames from a connection",
    ),
    ("dribble", "writes one byte at a time"),
    (
        "frame-max:bytes=N",
        "offers frames of this size; 0: of any size",
    ),
];

/// What every fault may have besides, for the help page and the man page.
pub const FAULT_KEYS: &[(&str, &str)] = &[
    (
        "exchange=NAME",
        "only for messages to this exchange (nack and the confirm faults)",
    ),
    (
        "queue=NAME",
        "only for messages from this queue (wrong-tag and the deliver faults)",
    ),
];

/// One thing that is to go wrong; written `ACTION[:KEY=VALUE[,KEY=VALUE…]]`.
pub type Fault = server::Fault<Injected>;

/// The faults of one broker with their counters.
pub(super) type Faults = server::Faults<Injected>;

/// What is to go wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injected {
    action: Action,
    /// The exchange or queue that it is limited to.
    place: Option<String>,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Nack,
    DropConfirm,
    DelayConfirm(Duration),
    WrongConfirm,
    DropDeliver,
    DelayDeliver(Duration),
    DuplicateDeliver,
    WrongTag,
    Block {
        after: u64,
        during: Option<Duration>,
    },
    Close {
        after: Option<u64>,
    },
    Stall {
        after: u64,
        during: Option<Duration>,
    },
    Malformed {
        after: u64,
    },
    Dribble,
    FrameMax(u32),
}

impl Action {
    /// Whether it befalls a message that is published.
    pub(super) const fn is_of_publishing(self) -> bool {
        matches!(
            self,
            Self::Nack | Self::DropConfirm | Self::DelayConfirm(_) | Self::WrongConfirm
        )
    }

    /// Whether it befalls a message that is delivered.
    pub(super) const fn is_of_delivering(self) -> bool {
        matches!(
            self,
            Self::DropDeliver | Self::DelayDeliver(_) | Self::DuplicateDeliver | Self::WrongTag
        )
    }
}

impl Wrong for Injected {
    const FAULTS: &'static [(&'static str, &'static str)] = FAULTS;

    fn read(name: &str, keys: &mut Keys<'_>, when: When) -> Result<Option<Self>> {
        let Some(action) = action(name, keys, when)? else {
            return Ok(None);
        };
        let place = match action {
            _ if action.is_of_publishing() => keys.take("exchange"),
            _ if action.is_of_delivering() => keys.take("queue"),
            _ => None,
        };
        let place = place.map(str::to_owned);
        Ok(Some(Self { action, place }))
    }
}

fn action(name: &str, keys: &mut Keys<'_>, when: When) -> Result<Option<Action>> {
    Ok(Some(match name {
        "nack" => Action::Nack,
        "drop-confirm" => Action::DropConfirm,
        "delay-confirm" => Action::DelayConfirm(keys.needed_duration("by")?),
        "wrong-confirm" => Action::WrongConfirm,
        "drop-deliver" => Action::DropDeliver,
        "delay-deliver" => Action::DelayDeliver(keys.needed_duration("by")?),
        "duplicate-deliver" => Action::DuplicateDeliver,
        "wrong-tag" => Action::WrongTag,
        "block" => Action::Block {
            after: keys.needed_number("after")?,
            during: keys.duration("for")?,
        },
        "close" => match keys.number("after")? {
            None if when == When::Always => return Err(keys.wrong("needs after=N or every=N")),
            after => Action::Close { after },
        },
        "stall" => Action::Stall {
            after: keys.needed_number("after")?,
            during: keys.duration("for")?,
        },
        "malformed" => Action::Malformed {
            after: keys.needed_number("after")?,
        },
        "dribble" => Action::Dribble,
        "frame-max" => Action::FrameMax(bytes(keys)?),
        _ => return Ok(None),
    }))
}

fn bytes(keys: &mut Keys<'_>) -> Result<u32> {
    let text = keys.take("bytes");
    let text = keys.needed("bytes", text)?;
    let wrong = |_| keys.wrong(&format!("bytes={text} is not a number up to {}", u32::MAX));
    text.parse().map_err(wrong)
}

impl Faults {
    /// Whether each message has to be confirmed on its own, as one confirm for many would hide what goes wrong.
    pub(super) fn affects_confirms(&self) -> bool {
        self.any(|fault| fault.action.is_of_publishing())
    }

    /// The first action that `wanted` picks and whose turn it is. `place` is the exchange or queue that it happens at.
    pub(super) fn trigger<T>(
        &mut self,
        place: &str,
        wanted: impl Fn(Action) -> Option<T>,
    ) -> Option<T> {
        self.first(|fault| {
            let here = fault.place.as_deref().is_none_or(|own| own == place);
            wanted(fault.action).filter(|_| here)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_fault_is_read() {
        for (usage, _) in FAULTS {
            let text = usage
                .replace(['[', ']'], "")
                .replace("DURATION", "50ms")
                .replace("=N", "=3");
            let fault = text.parse::<Fault>();
            assert!(fault.is_ok(), "{text}: {fault:?}");
        }
    }

    #[test]
    fn what_is_unknown_or_missing_is_named() {
        let table = [
            ("drop", "unknown fault drop"),
            ("delay-confirm", "fault delay-confirm: by= is missing"),
            ("nack:queue=q", "fault nack: unknown key queue"),
            ("close", "fault close: needs after=N or every=N"),
            (
                "frame-max:bytes=x",
                "fault frame-max: bytes=x is not a number up to 4294967295",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<Fault>().unwrap_err().text(), expected);
        }
    }

    #[test]
    fn counters_count_only_their_place() {
        let mut faults = Faults::new(&["nack:every=2,exchange=x".parse().unwrap()]);
        let mut hit = |place| faults.trigger(place, Some).is_some();
        assert_eq!(
            [hit("x"), hit("y"), hit("x"), hit("x")],
            [false, false, true, false]
        );
    }
}
