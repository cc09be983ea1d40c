//! When to wait a moment before reading, so that one wake-up serves many messages.
//!
//! At high rates the wake-ups cost far more than the messages: reading what gathers in two
//! milliseconds instead of each message alone takes a small part of the CPU time. At low rates a message is read at once.

use std::thread;
use std::time::{Duration, Instant};

use crate::connect::Stream;

/// How long to let messages gather.
const COALESCE: Duration = Duration::from_millis(2);

/// Over this long the rate is measured.
const SPAN: Duration = Duration::from_millis(2);

/// From this many messages in a second on, letting them gather is worth its delay.
const HIGH: f64 = 6400.0;

/// How long the rate counts as high after it was: senders pause, and do not stop at once.
const LINGER: Duration = Duration::from_millis(20);

/// Measures the rate of incoming QoS 0 messages.
#[derive(Debug)]
pub(super) struct Pace {
    span_began: Instant,
    counted: u32,
    high_until: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            span_began: now,
            counted: 0,
            high_until: now,
        }
    }

    /// A message came.
    pub(super) fn count(&mut self) {
        self.counted += 1;
    }

    /// A read was done: judge the rate anew when enough came, or when the span is over.
    pub(super) fn look(&mut self, now: Instant) {
        let elapsed = now - self.span_began;
        let high = f64::from(self.counted) > HIGH * elapsed.max(SPAN).as_secs_f64();
        if high {
            self.high_until = now + LINGER;
        }
        if high || elapsed >= SPAN {
            self.span_began = now;
            self.counted = 0;
        }
    }

    /// Whether to let messages gather before the next read.
    fn is_high(&self, now: Instant) -> bool {
        now < self.high_until
    }

    /// Prepares to wait for more when the last read took all there was and we had nothing to answer.
    pub(super) fn before_next_read(&self, stream: &Stream) {
        if self.is_high(Instant::now()) {
            Self::gather();
        } else {
            // The server may wait for TCP's acknowledgement before it goes on: send it at once instead of after the
            // usual 40 ms. What we write would do that as well.
            stream.quick_ack();
        }
    }

    /// Lets messages gather.
    ///
    /// Sleeps for real: a timer of the runtime would have it wait for the connection too, and wake up at
    /// each message that comes. For so short a time nothing else misses the thread.
    fn gather() {
        thread::sleep(COALESCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathering_begins_at_a_high_rate_and_ends_soon_after_it() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut pace = Pace::new(start);
        pace.look(at(1));
        assert!(!pace.is_high(at(1)), "nothing came");
        for _ in 0..13 {
            pace.count();
        }
        pace.look(at(1));
        assert!(pace.is_high(at(1)), "13 messages in 1 ms");
        pace.count();
        pace.look(at(11));
        assert!(pace.is_high(at(11)), "it may be a pause");
        assert!(!pace.is_high(at(21)), "1 message in 20 ms");
    }

    #[test]
    fn many_messages_after_a_long_silence_are_no_high_rate() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for _ in 0..100 {
            pace.count();
        }
        pace.look(start + Duration::from_secs(1));
        assert!(!pace.is_high(start + Duration::from_secs(1)));
    }
}
