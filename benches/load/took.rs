//! What a run took.

use std::time::{Duration, Instant};

use iotctl::bench::system::cpu_seconds;

/// Bytes of a batch of the load engine.
pub(crate) const BATCH: usize = 64 * 1024;

/// What a run took.
pub(crate) struct Took {
    pub(crate) messages: u64,
    pub(crate) seconds: f64,
    pub(crate) cpu: f64,
}

/// Runs `step`, which says how many messages it has passed, for as long as asked.
pub(crate) fn timed(lasts: Duration, mut step: impl FnMut() -> u64) -> Took {
    let (begin, before) = (Instant::now(), cpu_seconds());
    let mut messages = 0;
    while begin.elapsed() < lasts {
        messages += step();
    }
    Took {
        messages,
        seconds: begin.elapsed().as_secs_f64(),
        cpu: cpu_seconds() - before,
    }
}
