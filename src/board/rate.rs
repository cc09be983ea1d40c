//! Rates that decay: what happened lately counts, what happened long ago does not.

use std::time::{Duration, Instant};

/// After this long, what happened counts for 1/e of what it did.
const MEMORY: f64 = 5.0;

/// A shorter past than this says nothing about a rate.
const SHORTEST: f64 = 1.0;

/// Messages and bytes in a second.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    messages: f32,
    bytes: f32,
    /// When both were right.
    at: Instant,
    began: Instant,
}

impl Traffic {
    /// Nothing yet.
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            messages: 0.0,
            bytes: 0.0,
            at: now,
            began: now,
        }
    }

    /// A message of so many bytes came.
    #[inline]
    pub(super) fn add(&mut self, bytes: usize, now: Instant) {
        let left = left(now.saturating_duration_since(self.at)) as f32;
        self.messages = self.messages * left + (1.0 / MEMORY) as f32;
        // 24 bits are more than a rate that is shown needs.
        self.bytes = self.bytes * left + bytes as f32 / MEMORY as f32;
        self.at = self.at.max(now);
    }

    /// Messages in a second.
    pub fn messages(&self, now: Instant) -> f64 {
        self.rate(self.messages, now)
    }

    /// Bytes in a second.
    pub fn bytes(&self, now: Instant) -> f64 {
        self.rate(self.bytes, now)
    }

    fn rate(&self, value: f32, now: Instant) -> f64 {
        let decayed = f64::from(value) * left(now.saturating_duration_since(self.at));
        // What began a moment ago has had no time to fill up.
        let past = now.saturating_duration_since(self.began).as_secs_f64();
        decayed / (1.0 - (-past.max(SHORTEST) / MEMORY).exp())
    }
}

/// How much of something is left after so long.
#[inline]
fn left(passed: Duration) -> f64 {
    match passed.is_zero() {
        true => 1.0,
        false => (-passed.as_secs_f64() / MEMORY).exp(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_flow_has_its_rate_from_the_first_second_on_and_then_fades() {
        let start = Instant::now();
        let mut traffic = Traffic::new(start);
        for tick in 1..=200u32 {
            traffic.add(100, start + Duration::from_millis(10) * tick);
        }
        let now = start + Duration::from_secs(2);
        let rate = traffic.messages(now);
        assert!((95.0..105.0).contains(&rate), "{rate}");
        let bytes = traffic.bytes(now);
        assert!((9_500.0..10_500.0).contains(&bytes), "{bytes}");
        let later = traffic.messages(now + Duration::from_secs(60));
        assert!(later < 0.01, "{later}");
    }

    #[test]
    fn one_message_is_no_flood_and_a_clock_that_stands_still_is_no_trouble() {
        let start = Instant::now();
        let mut traffic = Traffic::new(start);
        assert_eq!(traffic.messages(start), 0.0);
        traffic.add(4, start);
        let rate = traffic.messages(start);
        assert!(rate < 1.2, "{rate}");
        for _ in 0..1_000 {
            traffic.add(4, start);
        }
        assert!(traffic.messages(start).is_finite());
    }
}
