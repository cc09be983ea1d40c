//! What one worker sends for one group: which connection, when, how many.

use std::iter::Peekable;
use std::time::Duration;

use super::super::clock::{Nanos, nanos};
use super::super::plan::Load;
use super::super::profile::{Due, Schedule, Share};

/// Messages that become due in one step at most, so that reading is never held up for long.
const STEP: usize = 8192;

/// The load of one worker on one group.
pub(super) enum Runner {
    /// The connections only receive.
    Silent,
    /// By the clock.
    Open {
        schedule: Peekable<Schedule>,
        left: u64,
    },
    /// As answers come.
    Closed { left: u64, think: Nanos },
}

impl Runner {
    /// `count`: how many messages at most.
    pub(super) fn new(load: Option<&Load>, share: Share, count: Option<u64>) -> Self {
        let left = count.unwrap_or(u64::MAX);
        match load {
            Some(_) if share.connections == 0 => Self::Silent,
            None => Self::Silent,
            Some(Load::Open {
                stages, arrivals, ..
            }) => Self::Open {
                schedule: Schedule::new(stages, arrivals, share).peekable(),
                left,
            },
            Some(Load::Closed { think, .. }) => Self::Closed {
                left,
                think: nanos(*think),
            },
        }
    }

    /// The moment of the next message, of an open load that began at `begin`.
    pub(super) fn next(&mut self, begin: Nanos) -> Option<Nanos> {
        match self {
            Self::Open { schedule, left } if *left > 0 => {
                schedule.peek().map(|due| begin.saturating_add(due.at))
            }
            _ => None,
        }
    }

    /// Hands out what is due until `now`, before `end`: the connection within the part, and the moment.
    pub(super) fn take_due(
        &mut self,
        begin: Nanos,
        now: Nanos,
        end: Nanos,
        mut give: impl FnMut(usize, Nanos),
    ) {
        let Self::Open { schedule, left } = self else {
            return;
        };
        for _ in 0..STEP {
            let is_due = |due: &Due| begin + due.at <= now && begin + due.at < end;
            let due = match schedule.next_if(|due| *left > 0 && is_due(due)) {
                Some(due) => due,
                None => return,
            };
            *left -= 1;
            give(due.connection, begin + due.at);
        }
    }

    /// Whether nothing will become due any more at or after `now`.
    pub(super) fn is_done(&mut self, begin: Nanos, now: Nanos, end: Nanos) -> bool {
        match self {
            Self::Silent => true,
            Self::Open { schedule, left } => {
                *left == 0
                    || schedule
                        .peek()
                        .is_none_or(|due| begin.saturating_add(due.at) >= end && now >= end)
            }
            Self::Closed { left, .. } => *left == 0 || now >= end,
        }
    }

    /// Whether the load waits for answers and nothing else.
    pub(super) const fn is_eager(&self) -> bool {
        matches!(self, Self::Closed { think: 0, .. })
    }

    /// The pause of a closed load that makes one.
    pub(super) const fn think(&self) -> Option<Nanos> {
        match self {
            Self::Closed { think, .. } if *think > 0 => Some(*think),
            _ => None,
        }
    }

    /// What is left to send of a closed load.
    pub(super) const fn left(&mut self) -> Option<&mut u64> {
        match self {
            Self::Closed { left, .. } => Some(left),
            _ => None,
        }
    }
}

/// Part `index` of `count` of a number, so that all parts together are the whole.
pub(super) const fn part_of(whole: u64, index: u64, count: u64) -> u64 {
    let (even, odd) = (whole / count, whole % count);
    even + if index < odd { 1 } else { 0 }
}

/// The window of a load.
pub(super) const fn window(load: &Load) -> usize {
    match load {
        Load::Open { window, .. } | Load::Closed { window, .. } => *window,
    }
}

/// Whether this load saturates: it is not paced by a clock.
pub(super) fn saturates(load: &Load) -> bool {
    matches!(load, Load::Closed { think, .. } if *think == Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_whole() {
        for whole in [0, 1, 7, 100, 101] {
            for count in 1..9 {
                let sum: u64 = (0..count).map(|index| part_of(whole, index, count)).sum();
                assert_eq!(sum, whole);
            }
        }
    }
}
