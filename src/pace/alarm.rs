//! Waits for moments of the runtime's clock.

use std::future::poll_fn;
use std::time::Instant;

use tokio::time::{Instant as Runtime, sleep_until};

use super::clock::{Clock, nanos};
use super::timer::Timer;

/// The runtime's clock, which tests stop and set.
pub(crate) fn now() -> Instant {
    Runtime::now().into_std()
}

/// What wakes a loop at a moment.
pub(crate) enum Alarm {
    /// The runtime, which is up to two milliseconds late; it knows clocks that are stopped and set.
    Coarse,
    /// The operating system, which is some microseconds late.
    Exact(Clock, Timer),
}

impl Alarm {
    /// One for this thread's loop: exact where a timer can be had.
    pub(crate) fn exact() -> Self {
        let clock = Clock::start();
        Timer::new(clock).map_or(Self::Coarse, |timer| Self::Exact(clock, timer))
    }

    /// Waits until `moment`, never shorter. Cancel-safe.
    pub(crate) async fn until(&mut self, moment: Instant) {
        let Self::Exact(clock, timer) = self else {
            return sleep_until(moment.into()).await;
        };
        loop {
            let left = moment.saturating_duration_since(now());
            if left.is_zero() {
                return;
            }
            timer.set(clock.now().saturating_add(nanos(left)));
            poll_fn(|cx| timer.poll(cx)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn it_wakes_in_time_and_never_before() {
        let mut alarm = Alarm::exact();
        for micros in [0, 50, 300, 1_700] {
            let moment = Instant::now() + Duration::from_micros(micros);
            alarm.until(moment).await;
            assert!(Instant::now() >= moment);
        }
        // One that is given up leaves nothing behind.
        let far = Instant::now() + Duration::from_secs(3600);
        let near = Instant::now() + Duration::from_millis(1);
        tokio::select! {
            () = alarm.until(far) => panic!("an hour has passed"),
            () = sleep_until(near.into()) => {}
        }
        alarm
            .until(Instant::now() + Duration::from_micros(100))
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_coarse_one_follows_a_clock_that_is_set() {
        let start = Runtime::now();
        let hour = Duration::from_secs(3600);
        Alarm::Coarse.until((start + hour).into_std()).await;
        assert!(start.elapsed() >= hour);
    }
}
