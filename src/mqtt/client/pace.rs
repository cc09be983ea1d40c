//! When to wait a moment before reading, so that one wake-up serves many messages.
//!
//! At high rates the wake-ups cost far more than the messages: reading what gathers in half a
//! millisecond instead of each message alone takes a twentieth of the CPU time. At low rates a message is read at once.

use std::time::{Duration, Instant};

/// How long to let messages gather.
pub(super) const COALESCE: Duration = Duration::from_micros(500);

/// Over this long the rate is measured.
const SPAN: Duration = Duration::from_millis(2);

/// From this many messages in a second on, letting them gather is worth its delay.
const HIGH: f64 = 6400.0;

/// Measures the rate of incoming QoS 0 messages.
#[derive(Debug)]
pub(super) struct Pace {
    span_began: Instant,
    counted: u32,
    high: bool,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            span_began: now,
            counted: 0,
            high: false,
        }
    }

    /// A message came.
    pub(super) fn count(&mut self) {
        self.counted += 1;
    }

    /// A read was done: judge the rate anew when the span is over.
    pub(super) fn look(&mut self, now: Instant) {
        let elapsed = now - self.span_began;
        if elapsed >= SPAN {
            self.high = f64::from(self.counted) / elapsed.as_secs_f64() > HIGH;
            self.span_began = now;
            self.counted = 0;
        }
    }

    /// Whether to let messages gather before the next read.
    pub(super) fn is_high(&self) -> bool {
        self.high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathering_begins_at_a_high_rate_and_ends_with_it() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for _ in 0..100 {
            pace.count();
        }
        pace.look(start + Duration::from_millis(1));
        assert!(!pace.is_high(), "the span is not over");
        pace.look(start + Duration::from_millis(2));
        assert!(pace.is_high(), "100 messages in 2 ms");
        pace.count();
        pace.look(start + Duration::from_millis(12));
        assert!(!pace.is_high(), "1 message in 10 ms");
    }
}
