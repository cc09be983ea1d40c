//! Resources that change by themselves.

use std::time::{Duration, Instant, SystemTime};

use super::super::random::Random;
use crate::coap::code::Code;
use crate::coap::endpoint::{Incoming, Response};
use crate::coap::option;
use crate::coap::site::{Answer, Change, Resource};
use crate::payload::link::Link;

/// When something changes next.
#[derive(Debug)]
struct Beat {
    interval: Duration,
    next: Instant,
}

impl Beat {
    fn new(now: Instant, interval: Duration) -> Self {
        Self {
            interval,
            next: now + interval,
        }
    }

    fn go_on(&mut self, now: Instant) {
        while self.next <= now {
            self.next += self.interval.max(Duration::from_millis(1));
        }
    }
}

fn text(request: &Incoming, text: String, interval: Duration) -> Answer {
    if request.method != Code::GET {
        return Code::METHOD_NOT_ALLOWED.into();
    }
    // Fresh until the next change, in whole seconds.
    let max_age = interval.as_secs().max(1);
    Response::content(0, text)
        .with_uint(option::MAX_AGE, max_age)
        .into()
}

/// Counts up with every beat.
#[derive(Debug)]
pub(crate) struct Counter {
    beat: Beat,
    count: u64,
}

impl Counter {
    /// A counter that starts at nought.
    pub(crate) fn new(now: Instant, interval: Duration) -> Self {
        Self {
            beat: Beat::new(now, interval),
            count: 0,
        }
    }
}

/// The time, in seconds since 1970.
#[derive(Debug)]
pub(crate) struct Clock {
    beat: Beat,
}

impl Clock {
    /// A clock whose observers hear of it with every beat.
    pub(crate) fn new(now: Instant, interval: Duration) -> Self {
        Self {
            beat: Beat::new(now, interval),
        }
    }
}

/// A value that wanders, as a temperature does.
#[derive(Debug)]
pub(crate) struct Sensor {
    beat: Beat,
    random: Random,
    tenths: i64,
}

impl Sensor {
    /// A sensor that starts at 21.5.
    pub(crate) fn new(now: Instant, interval: Duration) -> Self {
        Self {
            beat: Beat::new(now, interval),
            random: Random::from_system(),
            tenths: 215,
        }
    }
}

macro_rules! beats {
    ($kind:literal) => {
        fn link(&self, link: Link) -> Option<Link> {
            Some(link.with("ct", "0").with("rt", $kind))
        }

        fn is_observable(&self) -> bool {
            true
        }

        fn due(&self) -> Option<Instant> {
            Some(self.beat.next)
        }
    };
}

impl Resource for Counter {
    fn answer(&mut self, _now: Instant, request: &Incoming) -> Answer {
        text(request, self.count.to_string(), self.beat.interval)
    }

    fn tick(&mut self, now: Instant) -> Change {
        self.beat.go_on(now);
        self.count += 1;
        Change::Updated
    }

    beats!("counter");
}

impl Resource for Clock {
    fn answer(&mut self, _now: Instant, request: &Incoming) -> Answer {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let seconds = since.map_or(0, |since| since.as_secs());
        text(request, seconds.to_string(), self.beat.interval)
    }

    fn tick(&mut self, now: Instant) -> Change {
        self.beat.go_on(now);
        Change::Updated
    }

    beats!("clock");
}

impl Resource for Sensor {
    fn answer(&mut self, _now: Instant, request: &Incoming) -> Answer {
        let value = format!("{}.{}", self.tenths / 10, self.tenths % 10);
        text(request, value, self.beat.interval)
    }

    fn tick(&mut self, now: Instant) -> Change {
        self.beat.go_on(now);
        // One step down, none, or one up; between 15.0 and 30.0.
        let step = (self.random.next() % 3) as i64 - 1;
        self.tenths = (self.tenths + step).clamp(150, 300);
        Change::Updated
    }

    beats!("temperature");
}
