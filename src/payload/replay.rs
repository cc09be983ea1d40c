//! Recorded messages at the pace at which they were recorded.

use std::time::{Duration, Instant, SystemTime};

/// Longer gaps make no sense, and no clock has to reckon with them.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// When each record is due: the first at once, the others after it as when they were recorded, divided by the speed.
#[derive(Clone, Debug)]
pub struct Replay {
    speed: f64,
    /// The time of the first record, and when it was due.
    began: Option<(SystemTime, Instant)>,
}

impl Replay {
    /// 2.0 is twice as fast as it was recorded; more than 0.
    pub const fn new(speed: f64) -> Self {
        Self { speed, began: None }
    }

    /// When the record that was made at `time` is due; `None`: at once, as it has no time.
    pub fn due(&mut self, time: Option<SystemTime>, now: Instant) -> Option<Instant> {
        let time = time?;
        let (first, began) = *self.began.get_or_insert((time, now));
        // What comes before the first is late already.
        let since = time.duration_since(first).unwrap_or_default();
        let since = Duration::try_from_secs_f64(since.as_secs_f64() / self.speed);
        Some(began + since.unwrap_or(LONGEST).min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_kept_and_divided() {
        let (start, now) = (SystemTime::UNIX_EPOCH, Instant::now());
        let later = now + Duration::from_secs(1000);
        for (speed, millis) in [(1.0, 3000), (2.0, 1500), (0.5, 6000)] {
            let mut replay = Replay::new(speed);
            assert_eq!(replay.due(None, now), None);
            let first = start + Duration::from_secs(100);
            assert_eq!(replay.due(Some(first), now), Some(now));
            let third = first + Duration::from_secs(3);
            let due = now + Duration::from_millis(millis);
            // However late it is asked.
            assert_eq!(replay.due(Some(third), later), Some(due), "{speed}");
            assert_eq!(replay.due(Some(start), later), Some(now));
        }
    }

    #[test]
    fn a_gap_beyond_the_clock_is_a_long_one() {
        let now = Instant::now();
        let mut replay = Replay::new(1e-300);
        replay.due(Some(SystemTime::UNIX_EPOCH), now);
        let due = replay.due(Some(SystemTime::now()), now).unwrap();
        assert_eq!(due, now + LONGEST);
    }
}
