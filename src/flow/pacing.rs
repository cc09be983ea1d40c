//! When each message is due: at a rate, with the gaps of a recording, or at once.

use std::time::{Duration, Instant, SystemTime};

use crate::message::{Message, UNTIMED};
use crate::random::Random;

/// Longer gaps make no sense, and no clock has to reckon with them.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// How often and how fast the input is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pacing {
    /// How often all is sent (`--repeat`); at least 1.
    pub repeat: u64,
    /// Between two rounds of `repeat` (`--repeat-delay`).
    pub delay: Duration,
    /// At most so fast (`--rate`, `--burst`).
    pub rate: Option<Rate>,
    /// With the gaps that the times of the records have, divided by this (`--replay`, `--speed`); more than 0.
    pub replay: Option<f64>,
    /// Each message of `rate`, and each round of `repeat`, comes later than it is due by a random time up to this
    /// (`--jitter`); the due times stay as they are.
    pub jitter: Duration,
    /// Not before this (`--start-at`).
    pub start_at: Option<SystemTime>,
    /// What is random is the same again for the same seed (`--seed`).
    pub seed: Option<u64>,
}

impl Default for Pacing {
    /// Once, as fast as it goes.
    fn default() -> Self {
        Self {
            repeat: 1,
            delay: Duration::ZERO,
            rate: None,
            replay: None,
            jitter: Duration::ZERO,
            start_at: None,
            seed: None,
        }
    }
}

/// A rate that is not exceeded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Messages in a second, more than 0.
    pub per_second: f64,
    /// So many may go out at once after a pause, at least 1; otherwise what ten milliseconds of the rate are, as timers are
    /// late by one or two.
    pub burst: Option<u64>,
}

/// Random times up to a longest one.
#[derive(Debug)]
pub(crate) struct Jitter {
    most: Duration,
    random: Random,
}

impl Jitter {
    /// What was asked for.
    pub(crate) fn new(pacing: &Pacing) -> Self {
        // Payloads draw from part 0 of the seed.
        let seeded = pacing.seed.map(|seed| Random::new(seed, 1));
        Self {
            most: pacing.jitter.min(LONGEST),
            random: seeded.unwrap_or_else(Random::from_system),
        }
    }

    /// The next.
    #[inline]
    pub(crate) fn draw(&mut self) -> Duration {
        match self.most {
            Duration::ZERO => Duration::ZERO,
            most => most.mul_f64(self.random.fraction()),
        }
    }
}

/// Tells when the next message is due.
#[derive(Debug)]
pub(crate) enum Pacer {
    /// At once.
    Free,
    /// As the rate has it.
    Rate(Bucket),
    /// As the recording has it.
    Replay(Replay),
}

impl Pacer {
    /// What was asked for.
    pub(crate) fn new(pacing: &Pacing) -> Self {
        match (pacing.rate, pacing.replay) {
            (Some(rate), _) => Self::Rate(Bucket::new(rate, Jitter::new(pacing))),
            (None, Some(speed)) => Self::Replay(Replay::new(speed)),
            (None, None) => Self::Free,
        }
    }

    /// When this message, which is the next, may go out; `None`: at once.
    #[inline]
    pub(crate) fn due(&mut self, message: &Message, now: Instant) -> Option<Instant> {
        match self {
            Self::Free => None,
            Self::Rate(bucket) => bucket.due(),
            Self::Replay(replay) => replay.due(message.time, now),
        }
        .filter(|due| *due > now)
    }

    /// It went out.
    #[inline]
    pub(crate) fn sent(&mut self, now: Instant) {
        if let Self::Rate(bucket) = self {
            bucket.sent(now);
        }
    }
}

/// A token bucket, as a time from which on the next message keeps to the rate (GCRA, ITU-T I.371).
#[derive(Debug)]
pub(crate) struct Bucket {
    gap: Duration,
    /// How much earlier it may go out.
    slack: Duration,
    next: Option<Instant>,
    jitter: Jitter,
    /// How much later than that it goes out.
    late: Duration,
}

impl Bucket {
    fn new(rate: Rate, jitter: Jitter) -> Self {
        let usual = (rate.per_second / 100.0).max(1.0);
        let burst = rate.burst.map_or(usual, |burst| burst as f64);
        let seconds = |seconds| {
            let time = Duration::try_from_secs_f64(seconds);
            time.unwrap_or(LONGEST).min(LONGEST)
        };
        Self {
            gap: seconds(1.0 / rate.per_second),
            slack: seconds((burst - 1.0).max(0.0) / rate.per_second),
            next: None,
            late: Duration::ZERO,
            jitter,
        }
    }

    fn due(&self) -> Option<Instant> {
        self.next?.checked_sub(self.slack)?.checked_add(self.late)
    }

    fn sent(&mut self, now: Instant) {
        // What the jitter made of it is no reason to send the next later.
        let now = now.checked_sub(self.late).unwrap_or(now);
        let next = self.next.map_or(now, |next| next.max(now));
        self.next = Some(next + self.gap);
        self.late = self.jitter.draw();
    }
}

/// The first record is due at once, the others after it as when they were recorded, divided by the speed.
#[derive(Debug)]
pub(crate) struct Replay {
    speed: f64,
    /// The time of the first record, and when it was due.
    began: Option<(SystemTime, Instant)>,
}

impl Replay {
    pub(super) const fn new(speed: f64) -> Self {
        Self { speed, began: None }
    }

    /// When a record of this time is due, if the first is at `now`; `None`: it has no time.
    pub(super) fn due(&mut self, time: SystemTime, now: Instant) -> Option<Instant> {
        if time == UNTIMED {
            return None;
        }
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

    fn bucket(rate: Rate) -> Bucket {
        Bucket::new(rate, Jitter::new(&Pacing::default()))
    }

    /// When so many messages go out that are always there, on a clock that wakes up every `tick`.
    fn times(rate: Rate, count: usize, tick: Duration) -> Vec<Duration> {
        let (start, mut bucket) = (Instant::now(), bucket(rate));
        let (mut now, mut times) = (start, Vec::new());
        while times.len() < count {
            match bucket.due().filter(|due| *due > now) {
                Some(_) => now += tick,
                None => {
                    bucket.sent(now);
                    times.push(now - start);
                }
            }
        }
        times
    }

    #[test]
    fn a_rate_is_kept_however_late_the_clock() {
        for (per_second, tick) in [(100.0, 1), (10_000.0, 2), (250_000.0, 3)] {
            let rate = Rate {
                per_second,
                burst: None,
            };
            let count = per_second as usize;
            let times = times(rate, count, Duration::from_millis(tick));
            let took = times[count - 1].as_secs_f64();
            assert!((0.97..1.02).contains(&took), "{per_second}: {took}");
        }
    }

    #[test]
    fn a_burst_goes_out_at_once_and_no_more() {
        let rate = |burst| Rate {
            per_second: 10.0,
            burst,
        };
        let millis = |burst| {
            let times = times(rate(burst), 5, Duration::from_millis(1));
            times.iter().map(Duration::as_millis).collect::<Vec<_>>()
        };
        assert_eq!(millis(None), [0, 100, 200, 300, 400]);
        assert_eq!(millis(Some(3)), [0, 0, 0, 100, 200]);
        // What was not sent in a pause is not made up for.
        let (start, mut bucket) = (Instant::now(), bucket(rate(Some(2))));
        bucket.sent(start);
        let later = start + Duration::from_secs(60);
        for _ in 0..2 {
            assert!(bucket.due().is_none_or(|due| due <= later));
            bucket.sent(later);
        }
        assert_eq!(bucket.due(), Some(later + Duration::from_millis(100)));
    }

    #[test]
    fn jitter_moves_each_message_and_keeps_the_rate() {
        let rate = Rate {
            per_second: 100.0,
            burst: None,
        };
        let pacing = Pacing {
            jitter: Duration::from_millis(8),
            seed: Some(7),
            ..Pacing::default()
        };
        let times = || {
            let (start, mut bucket) = (Instant::now(), Bucket::new(rate, Jitter::new(&pacing)));
            let mut now = start;
            let mut times = Vec::new();
            for _ in 0..1000 {
                now = bucket.due().map_or(now, |due| due.max(now));
                bucket.sent(now);
                times.push((now - start).as_nanos());
            }
            times
        };
        let first = times();
        assert_eq!(first, times());
        let late = |(number, at): (usize, &u128)| *at as i128 - number as i128 * 10_000_000;
        let late: Vec<_> = first.iter().enumerate().map(late).collect();
        assert!(late.iter().all(|late| (0..8_000_000).contains(late)));
        let spread = late.iter().max().unwrap() - late.iter().min().unwrap();
        assert!(spread > 6_000_000, "{spread}");
    }

    #[test]
    fn rates_beyond_the_clock_are_borne() {
        for per_second in [1e-300, 1e300] {
            let mut bucket = bucket(Rate {
                per_second,
                burst: Some(u64::MAX),
            });
            bucket.sent(Instant::now());
            bucket.due();
        }
    }

    #[test]
    fn gaps_are_kept_and_divided() {
        let (start, now) = (SystemTime::UNIX_EPOCH, Instant::now());
        let later = now + Duration::from_secs(1000);
        for (speed, millis) in [(1.0, 3000), (2.0, 1500), (0.5, 6000)] {
            let mut replay = Replay::new(speed);
            assert_eq!(replay.due(UNTIMED, now), None);
            let first = start + Duration::from_secs(100);
            assert_eq!(replay.due(first, now), Some(now));
            let third = first + Duration::from_secs(3);
            let due = now + Duration::from_millis(millis);
            // However late it is asked.
            assert_eq!(replay.due(third, later), Some(due), "{speed}");
            let before = start + Duration::from_secs(1);
            assert_eq!(replay.due(before, later), Some(now));
        }
    }

    #[test]
    fn a_gap_beyond_the_clock_is_a_long_one() {
        let now = Instant::now();
        let mut replay = Replay::new(1e-300);
        let first = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
        replay.due(first, now);
        let due = replay.due(SystemTime::now(), now).unwrap();
        assert_eq!(due, now + LONGEST);
    }
}
