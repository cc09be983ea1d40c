//! One clock for a whole run: it never steps back, and it can be compared with other machines'.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

/// How often the clocks are compared.
const READINGS: usize = 16;

/// Nanoseconds since the Unix epoch.
pub type Nanos = u64;

/// The monotonic clock, moved so that it showed the time of day when the run began.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// What has to be added to the monotonic clock, in nanoseconds.
    ahead: u64,
}

impl Clock {
    /// Reads both clocks, several times: an interruption between the two makes them look further apart than they are.
    pub fn start() -> Self {
        let read = |_| {
            let before = monotonic();
            let time = at(SystemTime::now());
            let took = monotonic() - before;
            (took, time.saturating_sub(before + took / 2))
        };
        let (_, ahead) = (0..READINGS).map(read).min().unwrap_or_default();
        Self { ahead }
    }

    /// The time now.
    pub fn now(&self) -> Nanos {
        monotonic() + self.ahead
    }

    /// The same moment on the monotonic clock of the operating system, for its timers.
    pub(crate) const fn to_monotonic(self, at: Nanos) -> u64 {
        at.saturating_sub(self.ahead)
    }
}

/// A time of day.
pub fn at(time: SystemTime) -> Nanos {
    time.duration_since(UNIX_EPOCH).map_or(0, nanos)
}

/// A duration in nanoseconds; one of more than 584 years is cut.
pub fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Seconds from nanoseconds.
pub fn seconds(nanos: Nanos) -> f64 {
    nanos as f64 / 1e9
}

fn monotonic() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // The monotonic clock counts up from the start of the machine.
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
