//! What one worker sends for one group: which connection, when, how many.

use std::iter::Peekable;
use std::time::Duration;

use super::super::clock::{Nanos, nanos};
use super::super::plan::{Arrivals, Load, Stage};
use super::super::profile::{Due, Schedule, Share};
use super::super::recorder::Window;

/// Messages in a second from which a worker does not wake up for each: of a fleet, where each message is a write of its
/// own, and of all others.
const OFTEN_FLEET: f64 = 4_000.0;
const OFTEN: f64 = 12_000.0;
/// Between two wake-ups then.
const FLEET_GRID: Nanos = 1_000_000;
const GRID: Nanos = 50_000;

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
        /// Between two wake-ups at least.
        grid: Nanos,
        /// Chance says when the next one is due: the load lasts until then.
        drawn: bool,
    },
    /// As answers come.
    Closed { left: u64, think: Nanos },
}

impl Runner {
    /// `count`: how many messages at most, those of the warm-up beside.
    pub(super) fn new(load: Option<&Load>, share: Share, count: Option<u64>) -> Self {
        let left = count.unwrap_or(u64::MAX);
        match load {
            Some(_) if share.connections == 0 => Self::Silent,
            None => Self::Silent,
            Some(Load::Open {
                stages, arrivals, ..
            }) => Self::Open {
                grid: grid(stages, arrivals, &share),
                drawn: matches!(arrivals, Arrivals::Uniform | Arrivals::Poisson),
                schedule: Schedule::new(stages, arrivals, share).peekable(),
                left,
            },
            Some(Load::Closed { think, .. }) => Self::Closed {
                left,
                think: nanos(*think),
            },
        }
    }

    /// When to look for messages again, of an open load that began at `begin` and was last looked at at `last`.
    pub(super) fn next(&mut self, begin: Nanos, last: Nanos) -> Option<Nanos> {
        match self {
            Self::Open {
                schedule,
                left,
                grid,
                drawn,
            } if *left > 0 || *drawn => {
                let at = begin.saturating_add(schedule.peek()?.at);
                Some(at.max(last + *grid))
            }
            _ => None,
        }
    }

    /// When a message that is due at `at` is meant to be noticed, by a worker that looked at `last`: where wake-ups are
    /// for batches, not before the next of them.
    pub(super) const fn noticed(&self, at: Nanos, last: Nanos) -> Nanos {
        match self {
            Self::Open { grid, .. } if *grid > 0 => {
                let next = last.saturating_add(*grid);
                if next > at { next } else { at }
            }
            _ => at,
        }
    }

    /// Whether a wake-up is for one message, which should be sent to the microsecond.
    pub(super) const fn is_exact(&self) -> bool {
        matches!(self, Self::Open { grid: 0, .. })
    }

    /// Hands out what is due until `now`, before the end of `window`: the connection within the part, and the moment.
    /// Only what is measured counts as done.
    pub(super) fn take_due(
        &mut self,
        begin: Nanos,
        now: Nanos,
        window: Window,
        mut give: impl FnMut(usize, Nanos),
    ) {
        let Self::Open { schedule, left, .. } = self else {
            return;
        };
        for _ in 0..STEP {
            let is_due = |due: &Due| begin + due.at <= now && begin + due.at < window.to;
            let Some(due) = schedule.next_if(|due| *left > 0 && is_due(due)) else {
                return;
            };
            let at = begin + due.at;
            *left -= u64::from(window.holds(at));
            give(due.connection, at);
        }
    }

    /// Whether nothing will become due any more at or after `now`.
    pub(super) fn is_done(&mut self, begin: Nanos, now: Nanos, end: Nanos) -> bool {
        match self {
            Self::Silent => true,
            Self::Open {
                schedule,
                left,
                drawn,
                ..
            } => {
                let next = schedule.peek().map(|due| begin.saturating_add(due.at));
                match next {
                    // The message after the last one would be due.
                    Some(next) if *left == 0 => !*drawn || now >= next.min(end),
                    Some(next) => now >= end && next >= end,
                    // A rate of zero goes on to the end.
                    None => *left == 0 || now >= end || end == Nanos::MAX,
                }
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

/// How far apart wake-ups must be, so that pacing does not cost more than sending.
fn grid(stages: &[Stage], arrivals: &Arrivals, share: &Share) -> Nanos {
    let peak = stages
        .iter()
        .fold(0.0, |peak: f64, stage| peak.max(stage.from).max(stage.to));
    let own = peak * share.connections as f64 / share.of as f64;
    match arrivals {
        Arrivals::Devices if own > OFTEN_FLEET => FLEET_GRID,
        Arrivals::Devices => 0,
        _ if own > OFTEN => GRID,
        _ => 0,
    }
}

/// Part `index` of `count` of a number, so that all parts together are the whole.
pub(super) const fn part_of(whole: u64, index: u64, count: u64) -> u64 {
    let (even, odd) = (whole / count, whole % count);
    even + if index < odd { 1 } else { 0 }
}

/// All parts before part `index` together.
pub(super) const fn parts_before(whole: u64, index: u64, count: u64) -> u64 {
    let odd = whole % count;
    index * (whole / count) + if index < odd { index } else { odd }
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
    use crate::random::Random;

    #[test]
    fn what_is_counted_is_what_is_measured() {
        let stage = Stage {
            lasts: None,
            from: 1000.0,
            to: 1000.0,
        };
        let load = Load::Open {
            stages: vec![stage],
            arrivals: Arrivals::Constant,
            window: 1,
        };
        let share = Share {
            connections: 1,
            of: 1,
            phase: 0.0,
            random: Random::new(1, 1),
        };
        let mut runner = Runner::new(Some(&load), share, Some(50));
        let window = Window {
            from: 100_000_000,
            to: Nanos::MAX,
        };
        let (mut before, mut inside) = (0, 0);
        for now in (0..1_000_000_000).step_by(10_000_000) {
            runner.take_due(0, now, window, |_, at| match window.holds(at) {
                true => inside += 1,
                false => before += 1,
            });
        }
        assert_eq!((before, inside), (100, 50));
        assert!(runner.is_done(0, 1, Nanos::MAX));
    }

    #[test]
    fn what_waits_for_its_batch_is_not_late() {
        let open = |arrivals| {
            let stage = Stage {
                lasts: None,
                from: 8_000.0,
                to: 8_000.0,
            };
            let load = Load::Open {
                stages: vec![stage],
                arrivals,
                window: 1,
            };
            let share = Share {
                connections: 100,
                of: 100,
                phase: 0.0,
                random: Random::new(1, 1),
            };
            Runner::new(Some(&load), share, None)
        };
        let fleet = open(Arrivals::Devices);
        assert_eq!(fleet.noticed(300_000, 0), FLEET_GRID, "with the next batch");
        assert_eq!(fleet.noticed(1_200_000, 0), 1_200_000, "it came between");
        assert_eq!(open(Arrivals::Constant).noticed(300, 0), 300, "one by one");
    }

    #[test]
    fn parts_are_the_whole() {
        for whole in [0, 1, 7, 100, 101] {
            for count in 1..9 {
                let before = |index| (0..index).map(|index| part_of(whole, index, count)).sum();
                assert_eq!(parts_before(whole, count, count), whole);
                for index in 0..=count {
                    let sum: u64 = before(index);
                    assert_eq!(parts_before(whole, index, count), sum);
                }
            }
        }
    }
}
